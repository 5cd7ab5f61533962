// The assessment as it is computed: see qra.h for why this is the same as qra_plain.c. Sources are worked on in batches: first
// each one's branches are summed on its raster (a thread a source), then the rasters are read for the rows of the grid (a
// thread a block of rows, sources in their order). What is added to what in which order does not depend on the threads.
#include "base/limits.h"
#include "risk/qra_int.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BATCH 8             // sources whose rasters are in memory
#define BLOCK 8             // rows of the grid at once
#define ADDING_PART 0.8     // of the progress; the rest is the grid

enum { OUT_DAY, OUT_NIGHT, IN_DAY, IN_NIGHT, POISON_DAY, POISON_NIGHT, FLASH_DAY, FLASH_NIGHT, PEOPLE__MAX };

struct outcomes { struct qra_fn *v; size_t n, cap; };

struct slot {               // one source of the batch
	struct arena *arena;
	struct outcomes outcomes;
	double *raster;           // [rows][2 × columns]; the second half is folded onto the first
	uint64_t count, prints;
	double area;
};

struct work {               // of one thread
	double *people[PEOPLE__MAX]; // [rows][2 × columns], columns repeated
	double *sum[4];           // [rows] of OUT_DAY … IN_NIGHT
	bool *busy;               // [rows]
	int *half;                // [rows] of a footprint: columns on each side of the axis, -1: nothing
	double *person, *outdoors, *indoors; // [rows][columns], from the first column that is not empty
	double *weight, (*deaths)[2];
};

struct job {
	const struct qra_input *in;
	struct qra_result *r;
	struct qra_polar p;
	struct qra_direction *d;
	size_t nd;
	const double *domino;
	double *cosine, *sine;    // of the columns' angles, 0 … half a turn
	struct slot slots[BATCH];
	struct work *works;
	size_t from, to;          // sources of the batch
	unsigned threads;
	atomic_size_t next;
	atomic_bool stop;
	pthread_mutex_t telling;
	size_t finished;          // of count; both under telling
	bool (*step)(void *arg, double part);
	void *arg;
	void (*each)(struct job *j, struct work *w, size_t i);
	size_t count;             // of what each is called for
	double done, part;        // progress before, and of this phase
};

// ---- rows ---------------------------------------------------------------------------------------------------------

typedef double four __attribute__((vector_size(32), aligned(8), may_alias));

static void row_add(double *to, const double *v, size_t n, double w)
{
	size_t i = 0;
	for (; i + 4 <= n; i += 4) {
		*(four *)(to + i) += *(const four *)(v + i) * w;
	}
	for (; i < n; i++) {
		to[i] += v[i] * w;
	}
}

static double row_dot(const double *x, const double *v, size_t n)
{
	four a = { 0 }, b = { 0 };
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		a += *(const four *)(x + i) * *(const four *)(v + i);
		b += *(const four *)(x + i + 4) * *(const four *)(v + i + 4);
	}
	a += b;
	double sum = (a[0] + a[1]) + (a[2] + a[3]);
	for (; i < n; i++) {
		sum += x[i] * v[i];
	}
	return sum;
}

// ---- people on the raster of a source --------------------------------------------------------------------------------

static void put(struct job *j, struct work *w, const struct qra_node *n, const double amount[4])
{
	size_t width = 2 * j->p.columns, rows[2] = { n->row, n->row + 1 }, columns[2] = { n->column, n->next };
	for (int k = 0; k < 4; k++) {
		for (int i = 0; i < 4; i++) {
			double share = (i & 1 ? n->down : 1 - n->down) * (i & 2 ? n->right : 1 - n->right);
			w->people[k][rows[i & 1] * width + columns[i >> 1]] += share * amount[k];
		}
	}
	w->busy[n->row] = w->busy[n->row + 1] = true;
}

static void finish_people(struct job *j, struct work *w)
{
	const struct qra_rules *k = &j->in->rules;
	size_t columns = j->p.columns;
	for (size_t row = 0; row < j->p.rows; row++) {
		size_t at = row * 2 * columns;
		for (size_t c = at; c < at + columns && w->busy[row]; c++) {
			for (int night = 0; night < 2; night++) {
				double out = w->people[OUT_DAY + night][c], in = w->people[IN_DAY + night][c];
				w->people[POISON_DAY + night][c] = out + in * k->toxic_indoors;
				w->people[FLASH_DAY + night][c] = out + in * k->flash_indoors;
			}
			for (int i = 0; i < PEOPLE__MAX; i++) {
				w->people[i][c + columns] = w->people[i][c];
			}
			for (int i = 0; i < 4; i++) {
				w->sum[i][row] += w->people[i][c];
			}
		}
	}
}

static void place_people(struct job *j, struct work *w, const struct qra_source *s)
{
	size_t cells = j->p.rows * 2 * j->p.columns;
	struct qra_node n;
	for (int k = 0; k < PEOPLE__MAX; k++) {
		memset(w->people[k], 0, cells * sizeof(double));
	}
	for (int k = 0; k < 4; k++) {
		memset(w->sum[k], 0, j->p.rows * sizeof(double));
	}
	memset(w->busy, 0, j->p.rows * sizeof *w->busy);
	for (size_t i = 0; i < j->in->npeople; i++) {
		const struct qra_people *q = &j->in->people[i];
		if (qra_polar_at(&j->p, q->x - s->x, q->y - s->y, &n)) {
			put(j, w, &n, (double[4]){ q->day * (1 - q->indoors), q->night * (1 - q->indoors), q->day * q->indoors,
				q->night * q->indoors });
		}
	}
	finish_people(j, w);
}

// ---- branches ---------------------------------------------------------------------------------------------------------

static void outcome(struct slot *s, struct qra_source_sum *sum, size_t scenario, enum qra_kind kind, double f, double n)
{
	sum->pll += f * n;
	sum->scenario_pll[scenario] += f * n;
	sum->kind[kind] += f * n;
	sum->worst = fmax(sum->worst, f > 0 ? n : 0);
	if (n >= 1 && f > 0) {
		s->outcomes.v = arena_push(s->arena, s->outcomes.v, &s->outcomes.n, &s->outcomes.cap, sizeof *s->outcomes.v);
		s->outcomes.v[s->outcomes.n - 1] = (struct qra_fn){ n, f };
	}
}

// The footprint of a branch: its rows and, mirrored about the axis, its columns.
static void make_print(struct job *j, struct work *w, struct slot *s, const struct qra_branch *b)
{
	size_t columns = j->p.columns, half = columns / 2;
	double angle = 2 * M_PI / (double)columns;
	for (size_t row = 0; row < j->p.rows; row++) {
		double r = qra_row_radius(&j->p, row), *v[3] = { w->person + row * columns, w->outdoors + row * columns, w->indoors + row * columns };
		size_t n = 0;
		for (; n <= half; n++) {
			struct qra_v l = qra_lethality(&j->in->rules, b, r * j->cosine[n], r * j->sine[n]);
			if (l.person < QRA_NOTHING && l.indoors < QRA_NOTHING) {
				break;
			}
			v[0][n] = l.person, v[1][n] = l.outdoors, v[2][n] = l.indoors;
		}
		w->half[row] = (int)n - 1;
		bool round = n == half + 1; // the column opposite the axis is there once only
		size_t shift = round ? half - 1 : n - 1;
		for (int k = 0; k < 3 && n; k++) { // from [0 … n) to [-(n - 1) … n)
			memmove(v[k] + shift, v[k], n * sizeof(double));
			for (size_t i = 1; i <= shift; i++) {
				v[k][shift - i] = v[k][shift + i];
			}
		}
		s->area += (double)(round ? columns : n ? 2 * n - 1 : 0) * angle * r * (r + QRA_NEAR) * j->p.step;
	}
	s->prints++;
}

// Which people a branch is multiplied with: those already reduced to one number by its kind, or both kinds of them.
static void add_row(struct job *j, struct work *w, struct slot *s, const struct qra_branch *b, size_t row)
{
	size_t columns = j->p.columns, n = (size_t)w->half[row] + 1, half = columns / 2, at = row * 2 * columns;
	size_t left = n == half + 1 ? half - 1 : n - 1, len = n == half + 1 ? columns : 2 * n - 1;
	const double *person = w->person + row * columns, *out = w->outdoors + row * columns, *in = w->indoors + row * columns;
	int one = b->effect == QRA_TOXIC ? POISON_DAY : b->effect == QRA_FLASH ? FLASH_DAY : -1;
	for (size_t d = 0; d < j->nd; d++) {
		if (w->weight[d] <= 0) {
			continue;
		}
		size_t base = j->d[d].column + columns - left;
		base = at + (base >= columns ? base - columns : base);
		row_add(s->raster + base, person, len, w->weight[d]);
		for (int night = 0; night < 2 && w->busy[row]; night++) {
			w->deaths[d][night] += one >= 0 ? row_dot(w->people[one + night] + base, person, len) :
				row_dot(w->people[OUT_DAY + night] + base, out, len) + row_dot(w->people[IN_DAY + night] + base, in, len);
		}
	}
}

static void add_directed(struct job *j, struct work *w, struct slot *s, size_t source, size_t scenario, const struct qra_branch *b,
	const struct qra_class *c, double f)
{
	const struct qra_source *src = &j->in->sources[source];
	bool any = false;
	for (size_t d = 0; d < j->nd; d++) {
		double p = c->from[j->d[d].sector] * j->d[d].part;
		w->weight[d] = p > 0 ? f * p * (b->p + (b->later != 0 ? b->later * qra_ignited(j->in, src, b, j->d[d].bearing) : 0)) : 0;
		w->deaths[d][0] = w->deaths[d][1] = 0;
		any = any || w->weight[d] > 0;
	}
	if (!any) {
		return;
	}
	make_print(j, w, s, b);
	for (size_t row = 0; row < j->p.rows; row++) {
		if (w->half[row] >= 0) {
			add_row(j, w, s, b, row);
		}
	}
	for (size_t d = 0; d < j->nd; d++) {
		if (w->weight[d] > 0) {
			outcome(s, &j->r->sources[source], scenario, b->kind, w->weight[d] * c->day, w->deaths[d][0]);
			outcome(s, &j->r->sources[source], scenario, b->kind, w->weight[d] * (1 - c->day), w->deaths[d][1]);
			s->count++;
		}
	}
}

static void add_round(struct job *j, struct work *w, struct slot *s, size_t source, size_t scenario, const struct qra_branch *b, double f)
{
	double all = 0, day = 0, deaths[2] = { 0 };
	for (size_t c = 0; c < j->in->nclasses; c++) {
		for (size_t d = 0; d < j->in->directions; d++) {
			all += j->in->classes[c].from[d];
			day += j->in->classes[c].from[d] * j->in->classes[c].day;
		}
	}
	double weight = f * b->p;
	for (size_t row = 0; row < j->p.rows; row++) {
		struct qra_v v = qra_lethality(&j->in->rules, b, qra_row_radius(&j->p, row), 0);
		if (v.person < QRA_NOTHING && v.indoors < QRA_NOTHING) {
			continue;
		}
		for (size_t c = 0; c < j->p.columns; c++) {
			s->raster[row * 2 * j->p.columns + c] += weight * all * v.person;
		}
		for (int night = 0; night < 2; night++) {
			deaths[night] += v.outdoors * w->sum[OUT_DAY + night][row] + v.indoors * w->sum[IN_DAY + night][row];
		}
	}
	outcome(s, &j->r->sources[source], scenario, b->kind, weight * day, deaths[0]);
	outcome(s, &j->r->sources[source], scenario, b->kind, weight * (all - day), deaths[1]);
	s->count++;
}

static void add_scenario(struct job *j, struct work *w, struct slot *s, size_t source, size_t scenario)
{
	const struct qra_source *src = &j->in->sources[source];
	const struct qra_scenario *sc = &src->scenarios[scenario];
	struct qra_branch b[QRA_BRANCHES];
	double f = qra_frequency(src, sc, j->domino[source]);
	j->r->sources[source].f += f;
	for (size_t c = 0; c <= j->in->nclasses; c++) {
		const struct qra_class *k = c < j->in->nclasses ? &j->in->classes[c] : NULL; // NULL: what is round
		size_t n = qra_branches(j->in, sc, k, b);
		for (size_t i = 0; i < n; i++) {
			k ? add_directed(j, w, s, source, scenario, &b[i], k, f) : add_round(j, w, s, source, scenario, &b[i], f);
		}
	}
}

static double read_raster(const struct qra_polar *p, const double *raster, const struct qra_node *n)
{
	const double *up = raster + n->row * 2 * p->columns, *down = up + 2 * p->columns;
	double a = up[n->column] + (up[n->next] - up[n->column]) * n->right, b = down[n->column] + (down[n->next] - down[n->column]) * n->right;
	return a + (b - a) * n->down;
}

static void add_source(struct job *j, struct work *w, size_t i)
{
	size_t source = j->from + i, columns = j->p.columns;
	struct slot *s = &j->slots[i];
	const struct qra_source *src = &j->in->sources[source];
	struct qra_node n;
	memset(s->raster, 0, j->p.rows * 2 * columns * sizeof(double));
	if (qra_skipped(j->in, source)) {
		return;
	}
	place_people(j, w, src);
	for (size_t k = 0; k < src->n; k++) {
		add_scenario(j, w, s, source, k);
	}
	for (size_t row = 0; row < j->p.rows; row++) {
		double *v = s->raster + row * 2 * columns;
		row_add(v, v + columns, columns, 1);
	}
	for (size_t k = 0; k < j->in->nplaces; k++) {
		bool there = qra_polar_at(&j->p, j->in->places[k].x - src->x, j->in->places[k].y - src->y, &n);
		j->r->place_ir[k * j->in->nsources + source] = there ? read_raster(&j->p, s->raster, &n) : 0;
	}
}

static void read_block(struct job *j, struct work *w, size_t block)
{
	const struct qra_grid *g = &j->in->grid;
	size_t end = MIN((block + 1) * BLOCK, g->ny);
	struct qra_node n;
	(void)w;
	for (size_t i = j->from; i < j->to; i++) {
		const struct qra_source *s = &j->in->sources[i];
		for (size_t y = block * BLOCK; y < end && !qra_skipped(j->in, i); y++) {
			double dy = g->y0 + (double)y * g->cell - s->y, *ir = j->r->ir + y * g->nx;
			for (size_t x = 0; x < g->nx; x++) {
				ir[x] += qra_polar_at(&j->p, g->x0 + (double)x * g->cell - s->x, dy, &n) ?
					read_raster(&j->p, j->slots[i - j->from].raster, &n) : 0;
			}
		}
	}
}

// ---- threads -------------------------------------------------------------------------------------------------------------

struct worker { struct job *j; struct work *w; };

static void tell(struct job *j)
{
	pthread_mutex_lock(&j->telling);
	j->finished++;
	if (j->step && !atomic_load(&j->stop) && !j->step(j->arg, j->done + j->part * (double)j->finished / (double)j->count)) {
		atomic_store(&j->stop, true);
	}
	pthread_mutex_unlock(&j->telling);
}

static void *work_main(void *arg)
{
	struct worker *k = arg;
	struct job *j = k->j;
	for (size_t i; !atomic_load(&j->stop) && (i = atomic_fetch_add(&j->next, 1)) < j->count;) {
		j->each(j, k->w, i);
		tell(j);
	}
	return NULL;
}

// A thread that cannot be started is done without.
static void in_parallel(struct job *j, size_t count, double part, void (*each)(struct job *, struct work *, size_t))
{
	pthread_t threads[LIMIT_QRA_THREADS];
	struct worker workers[LIMIT_QRA_THREADS];
	unsigned started = 1;
	j->count = count;
	j->finished = 0;
	j->part = part;
	j->each = each;
	atomic_store(&j->next, 0);
	for (unsigned t = 0; t < j->threads; t++) {
		workers[t] = (struct worker){ j, &j->works[t] };
	}
	while (started < j->threads && pthread_create(&threads[started], NULL, work_main, &workers[started]) == 0) {
		started++;
	}
	work_main(&workers[0]);
	for (unsigned t = 1; t < started; t++) {
		pthread_join(threads[t], NULL);
	}
	j->done += part;
}

static void make_work(struct job *j, struct work *w, struct arena *a)
{
	size_t rows = j->p.rows, columns = j->p.columns;
	for (int k = 0; k < PEOPLE__MAX; k++) {
		w->people[k] = arena_many(a, rows * 2 * columns, double);
	}
	for (int k = 0; k < 4; k++) {
		w->sum[k] = arena_many(a, rows, double);
	}
	w->busy = arena_many(a, rows, bool);
	w->half = arena_many(a, rows, int);
	w->person = arena_many(a, rows * columns, double);
	w->outdoors = arena_many(a, rows * columns, double);
	w->indoors = arena_many(a, rows * columns, double);
	w->weight = arena_many(a, j->nd, double);
	w->deaths = arena_array(a, j->nd, sizeof *w->deaths);
}

// ---- the whole --------------------------------------------------------------------------------------------------------------

static int by_deaths(const void *x, const void *y)
{
	double a = ((const struct qra_fn *)x)->n, b = ((const struct qra_fn *)y)->n;
	return (a < b) - (a > b);
}

// The curve: every step of few outcomes, else the last step in each of LIMIT_QRA_STEPS parts of ln N. Exact where it has a point.
static void make_curve(struct outcomes *o, struct arena *a, struct qra_result *r)
{
	if (!o->n) {
		return;
	}
	if (o->n)
		qsort(o->v, o->n, sizeof *o->v, by_deaths);
	double sum = 0, step = o->n > LIMIT_QRA_STEPS ? log(o->v[0].n) / LIMIT_QRA_STEPS : 0;
	struct qra_fn *kept = arena_many(a, MIN(o->n, (size_t)LIMIT_QRA_STEPS + 2), struct qra_fn);
	size_t n = 0;
	for (size_t i = 0; i < o->n; i++) {
		sum += o->v[i].f;
		bool last = i + 1 == o->n, ends = last || (step > 0 ? floor(log(o->v[i + 1].n) / step) < floor(log(o->v[i].n) / step) :
			o->v[i + 1].n < o->v[i].n);
		if (ends) {
			kept[n++] = (struct qra_fn){ o->v[i].n, sum };
		}
	}
	r->fn = arena_many(a, n, struct qra_fn);
	r->nfn = n;
	for (size_t i = 0; i < n; i++) {
		r->fn[i] = kept[n - 1 - i];
	}
}

static void run_batch(struct job *j, size_t from, struct outcomes *all, struct arena *scratch)
{
	double share = 1 / (double)j->in->nsources;
	j->from = from;
	j->to = MIN(from + BATCH, j->in->nsources);
	share *= (double)(j->to - j->from);
	in_parallel(j, j->to - j->from, ADDING_PART * share, add_source);
	in_parallel(j, (j->in->grid.ny + BLOCK - 1) / BLOCK, (1 - ADDING_PART) * share, read_block);
	for (size_t i = 0; i < j->to - j->from; i++) {
		struct slot *s = &j->slots[i];
		for (size_t k = 0; k < s->outcomes.n; k++) {
			all->v = arena_push(scratch, all->v, &all->n, &all->cap, sizeof *all->v);
			all->v[all->n - 1] = s->outcomes.v[k];
		}
		j->r->outcomes += s->count;
		j->r->footprint += s->area;
		s->outcomes = (struct outcomes){ 0 };
		s->area = 0, s->count = 0;
		arena_reset(s->arena);
	}
}

static void sum_up(const struct qra_input *in, struct qra_result *r, uint64_t prints)
{
	for (size_t i = 0; i < in->nsources; i++) {
		r->pll += r->sources[i].pll;
		r->worst = fmax(r->worst, r->sources[i].worst);
		for (size_t k = 0; k < in->nplaces; k++) {
			r->place_sum[k] += r->place_ir[k * in->nsources + i];
		}
	}
	for (size_t i = 0; i < in->grid.nx * in->grid.ny; i++) {
		r->ir_max = fmax(r->ir_max, r->ir[i]);
	}
	r->footprint = prints ? r->footprint / (double)prints : 0;
}

static void prepare(struct job *j, struct arena *a, struct arena *scratch)
{
	const struct qra_input *in = j->in;
	struct qra_result *r = j->r;
	*r = (struct qra_result){ .rows = j->p.rows, .columns = j->p.columns, .reach = j->p.reach };
	r->ir = arena_many(a, in->grid.nx * in->grid.ny, double);
	r->sources = arena_many(a, in->nsources, struct qra_source_sum);
	r->place_ir = arena_many(a, in->nplaces * in->nsources, double);
	r->place_sum = arena_many(a, in->nplaces, double);
	double *domino = arena_many(scratch, in->nsources, double);
	qra_domino(in, domino);
	j->domino = domino;
	for (size_t i = 0; i < in->nsources; i++) {
		r->sources[i].scenario_pll = arena_many(a, in->sources[i].n, double);
		r->sources[i].domino = domino[i];
	}
	j->cosine = arena_many(scratch, j->p.columns / 2 + 1, double);
	j->sine = arena_many(scratch, j->p.columns / 2 + 1, double);
	for (size_t n = 0; n <= j->p.columns / 2; n++) {
		double angle = (double)n * 2 * M_PI / (double)j->p.columns;
		j->cosine[n] = cos(angle);
		j->sine[n] = sin(angle);
	}
	j->works = arena_many(scratch, j->threads, struct work);
	for (unsigned t = 0; t < j->threads; t++) {
		make_work(j, &j->works[t], scratch);
	}
	for (size_t i = 0; i < BATCH; i++) {
		j->slots[i].arena = arena_new(1 << 16);
		j->slots[i].raster = arena_many(scratch, j->p.rows * 2 * j->p.columns, double);
	}
}

enum err qra_run(const struct qra_input *in, unsigned threads, bool (*step)(void *arg, double part), void *arg, struct arena *a,
                 struct qra_result *ret, struct problem *p)
{
	struct arena *scratch = arena_new(1 << 20);
	struct job j = { .in = in, .r = ret, .p = qra_polar_of(in, qra_reach(in)), .step = step, .arg = arg };
	struct outcomes all = { 0 };
	uint64_t prints = 0;
	pthread_mutex_init(&j.telling, NULL);
	j.threads = MAX(1u, MIN(threads, (unsigned)LIMIT_QRA_THREADS));
	j.nd = qra_directions(in, j.p.columns, scratch, &j.d);
	prepare(&j, a, scratch);
	for (size_t i = 0; i < in->nsources && !atomic_load(&j.stop); i += BATCH) {
		run_batch(&j, i, &all, scratch);
	}
	for (size_t i = 0; i < BATCH; i++) {
		prints += j.slots[i].prints;
		arena_free(j.slots[i].arena);
	}
	pthread_mutex_destroy(&j.telling);
	bool stopped = atomic_load(&j.stop);
	if (!stopped) {
		make_curve(&all, a, ret);
		sum_up(in, ret, prints);
	}
	arena_free(scratch);
	return stopped ? problem_set(p, ERR_TIMEOUT, "", "计算已中止", "the computation was stopped") : OK;
}
