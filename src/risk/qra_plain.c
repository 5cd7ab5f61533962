// The definition of the assessment as plain sums: every branch, class and direction at one place. Slow; what qra_run.c must
// agree with. Pure but for a small arena; any thread.
#include "risk/qra_int.h"

static struct qra_v at_node(const struct qra_input *in, const struct qra_branch *b, const struct qra_polar *p, size_t row, size_t column,
	double bearing)
{
	double r = qra_row_radius(p, row), angle = (double)column * 2 * M_PI / (double)p->columns - bearing;
	struct qra_v v = qra_lethality(&in->rules, b, r * cos(angle), r * sin(angle));
	return v.person < QRA_NOTHING && v.indoors < QRA_NOTHING ? (struct qra_v){ 0 } : v;
}

static void add(struct qra_v *sum, struct qra_v v, double w)
{
	sum->person += w * v.person;
	sum->outdoors += w * v.outdoors;
	sum->indoors += w * v.indoors;
}

// Lethality of one branch with the wind towards bearing, at dx, dy of the source: bilinear on the raster (p), or at the place.
static struct qra_v lethality_at(const struct qra_input *in, const struct qra_branch *b, const struct qra_polar *p, double dx, double dy,
	double bearing)
{
	struct qra_node n;
	struct qra_v v = { 0 };
	if (!p) {
		double e = sin(bearing), c = cos(bearing);
		return qra_lethality(&in->rules, b, dx * e + dy * c, dx * c - dy * e);
	}
	if (!qra_polar_at(p, dx, dy, &n)) {
		return v;
	}
	add(&v, at_node(in, b, p, n.row, n.column, bearing), (1 - n.down) * (1 - n.right));
	add(&v, at_node(in, b, p, n.row, n.next, bearing), (1 - n.down) * n.right);
	add(&v, at_node(in, b, p, n.row + 1, n.column, bearing), n.down * (1 - n.right));
	add(&v, at_node(in, b, p, n.row + 1, n.next, bearing), n.down * n.right);
	return v;
}

struct sums {
	const struct qra_input *in;
	const struct qra_polar *p;
	const struct qra_direction *d;
	size_t nd;
	const double *domino;
	double x, y;      // of the place
	bool people;      // of all people instead
	double sum;
};

static void add_outcome(struct sums *s, const struct qra_source *src, const struct qra_branch *b, double bearing, double f, double day)
{
	if (!s->people) {
		s->sum += f * lethality_at(s->in, b, s->p, s->x - src->x, s->y - src->y, bearing).person;
		return;
	}
	for (size_t i = 0; i < s->in->npeople; i++) {
		const struct qra_people *q = &s->in->people[i];
		struct qra_v v = lethality_at(s->in, b, s->p, q->x - src->x, q->y - src->y, bearing);
		s->sum += f * (day * q->day + (1 - day) * q->night) * ((1 - q->indoors) * v.outdoors + q->indoors * v.indoors);
	}
}

static void add_scenario(struct sums *s, const struct qra_source *src, const struct qra_scenario *sc, double f)
{
	const struct qra_input *in = s->in;
	struct qra_branch b[QRA_BRANCHES];
	for (size_t c = 0; c < in->nclasses; c++) {
		const struct qra_class *w = &in->classes[c];
		for (int round = 0; round < 2; round++) {
			size_t n = qra_branches(in, sc, round ? NULL : w, b);
			for (size_t i = 0; i < n; i++) {
				for (size_t d = 0; d < s->nd; d++) {
					double bearing = s->d[d].bearing, p = w->from[s->d[d].sector] * s->d[d].part;
					double branch = b[i].p + (b[i].later != 0 ? b[i].later * qra_ignited(in, src, &b[i], bearing) : 0);
					if (p * branch > 0) {
						add_outcome(s, src, &b[i], bearing, f * p * branch, w->day);
					}
				}
			}
		}
	}
}

static double plain(struct sums *s)
{
	struct arena *a = arena_new(1 << 14);
	struct qra_direction *d;
	double *domino = arena_many(a, s->in->nsources, double);
	s->nd = qra_directions(s->in, s->p ? s->p->columns : 2 * s->in->directions * s->in->split, a, &d);
	s->d = d;
	qra_domino(s->in, domino);
	for (size_t i = 0; i < s->in->nsources; i++) {
		const struct qra_source *src = &s->in->sources[i];
		for (size_t k = 0; k < src->n && !qra_skipped(s->in, i); k++) {
			add_scenario(s, src, &src->scenarios[k], qra_frequency(src, &src->scenarios[k], domino[i]));
		}
	}
	arena_free(a);
	return s->sum;
}

double qra_plain_ir(const struct qra_input *in, double x, double y, double reach)
{
	struct qra_polar p = qra_polar_of(in, reach);
	return plain(&(struct sums){ .in = in, .p = &p, .x = x, .y = y });
}

double qra_plain_pll(const struct qra_input *in, double reach)
{
	struct qra_polar p = qra_polar_of(in, reach);
	return plain(&(struct sums){ .in = in, .p = &p, .people = true });
}

double qra_direct_ir(const struct qra_input *in, double x, double y)
{
	return plain(&(struct sums){ .in = in, .x = x, .y = y });
}
