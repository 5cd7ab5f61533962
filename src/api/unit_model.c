#include "api/unit_model.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "model/held.h"

#define SLICE_ROWS 2000
#define SLICE_SAMPLES 500000    // of one point
#define HOLD_LEAST (10 * US_PER_MIN)

// ---- the record ---------------------------------------------------------------------------------

static int64_t whole(const struct value *v) { return v->kind == VAL_INT ? v->i : v->kind == VAL_REAL ? (int64_t)v->f : 0; }
static struct str text(const struct value *v) { return v->kind == VAL_TEXT ? v->s : STR_EMPTY; }

static enum err add_point(struct site *site, struct unit_spec *s, int64_t id, struct problem *p)
{
	struct site_point sp;
	if (s->n == UNIT_COLUMNS_MAX)
		return problem_set(p, ERR_TOO_LARGE, "points", "测点太多：至多 %d 个", "too many points: at most %d", UNIT_COLUMNS_MAX);
	if (id <= 0 || id > UINT32_MAX || !site_point(site, (uint32_t)id, &sp))
		return problem_set(p, ERR_INVALID, "points", "监测点 %lld 已不存在，请从模型中去掉", "point %lld does not exist any more; take it out of the model", (long long)id);
	if (sp.def.enterprise != s->enterprise)
		return problem_set(p, ERR_INVALID, "points", "监测点 %.*s 不属于该企业", "point %.*s is not of this enterprise", STR_FMT(sp.def.code));
	s->point[s->n++] = (uint32_t)id;
	return OK;
}

enum err unit_spec_read(const struct type *t, const struct row *row, struct site *site, struct unit_spec *ret, struct problem *p)
{
	struct str ids = text(held(t, row, "points"));
	enum err err = OK;
	*ret = (struct unit_spec){ .id = row->c.id, .enterprise = row->c.enterprise, .name = row->c.title, .area = row->c.area,
		                   .state = row->c.state, .says = text(held(t, row, "says")),
		                   .interval = whole(held(t, row, "interval_s")) * US_PER_S,
		                   .learn_from = whole(held(t, row, "learn_from")), .learn_to = whole(held(t, row, "learn_to")),
		                   .version = whole(held(t, row, "model_version")) };
	while (ids.n && !err) {
		int64_t id;
		if (str_to_i64(str_cut(&ids, ','), &id))
			err = add_point(site, ret, id, p);
	}
	if (!err && ret->n < UNIT_POINTS_MIN)
		err = problem_set(p, ERR_INVALID, "points", "至少要两个监测点", "two points at least");
	if (!err && ret->interval < US_PER_S)
		err = problem_set(p, ERR_INVALID, "interval_s", "间隔至少 1 秒", "the interval is at least 1 s");
	return err;
}

// ---- rows ---------------------------------------------------------------------------------------

void unit_rows_begin(struct unit_rows *r, const struct unit_spec *s, int64_t from)
{
	*r = (struct unit_rows){ .n = s->n, .interval = s->interval, .hold = MAX(10 * s->interval, HOLD_LEAST) };
	r->next = (from + s->interval - 1) / s->interval * s->interval;
	r->seen = r->next - r->hold;
	for (uint32_t i = 0; i < s->n; i++) {
		r->point[i] = s->point[i];
		r->value[i] = NAN;
	}
}

struct samples { struct sample *v; size_t n, at; };

static bool row_at(struct unit_rows *r, struct samples *cols, int64_t time, double *row)
{
	uint32_t fresh = 0;
	for (uint32_t c = 0; c < r->n; c++) {
		struct samples *k = &cols[c];
		for (; k->at < k->n && k->v[k->at].time <= time; k->at++) {
			if (k->v[k->at].quality > Q_CALIBRATION)
				continue;
			r->value[c] = k->v[k->at].value;
			r->time[c] = k->v[k->at].time;
		}
		bool known = !isnan(r->value[c]) && time - r->time[c] <= r->hold;
		row[c] = known ? r->value[c] : NAN;
		fresh += known;
	}
	return 2 * fresh >= r->n;
}

static enum err read_columns(struct unit_rows *r, struct series *series, int64_t to, struct arena *a, struct samples *cols)
{
	enum err err = OK;
	for (uint32_t c = 0; c < r->n && !err; c++) {
		cols[c] = (struct samples){ 0 };
		err = series_read(series, r->point[c], r->seen + 1, to + 1, SLICE_SAMPLES, a, &cols[c].v, &cols[c].n);
	}
	return err;
}

enum err unit_rows_run(struct unit_rows *r, struct series *series, int64_t to, struct arena *a, unit_row_fn *fn, void *arg)
{
	struct samples cols[UNIT_COLUMNS_MAX];
	double row[UNIT_COLUMNS_MAX];
	bool go_on = true;
	while (r->next <= to && go_on) {
		int64_t last = MIN(to / r->interval * r->interval, r->next + (SLICE_ROWS - 1) * r->interval);
		arena_reset(a);
		enum err err = read_columns(r, series, last, a, cols);
		if (err)
			return err;
		for (; r->next <= last && go_on; r->next += r->interval) {
			if (row_at(r, cols, r->next, row)) {
				r->rows++;
				go_on = fn(arg, r->next, row);
			} else {
				r->gaps++;
			}
			r->seen = r->next;
		}
	}
	return OK;
}

// ---- episodes -----------------------------------------------------------------------------------

static void note_peak(struct unit_episode *e, const struct unit_score *s)
{
	if (s->score <= e->peak && e->ncauses)
		return;
	e->peak = s->score;
	e->ncauses = (uint32_t)s->ncauses;
	for (size_t i = 0; i < s->ncauses; i++) {
		e->cause[i] = (uint32_t)s->cause[i];
		e->share[i] = s->share[i];
	}
}

enum unit_turn unit_episode_feed(struct unit_episode *e, int64_t time, const struct unit_score *s)
{
	if (s->flag) {
		if (!e->flagged) {
			e->first = time;
			e->evidence = 0;
			if (!e->since)
				e->ncauses = 0; // a new one's causes
		}
		e->flagged++;
		e->evidence += s->index - 1;
		e->calm = 0;
		note_peak(e, s);
		if (e->since || e->flagged < UNIT_BEGINS || e->evidence < UNIT_EVIDENCE)
			return UNIT_STAYS;
		e->since = e->first;
		return UNIT_BEGAN;
	}
	e->flagged = 0;
	e->calm++;
	if (!e->since || e->calm < UNIT_ENDS)
		return UNIT_STAYS;
	return UNIT_ENDED; // the caller looks at it and forgets it
}

// ---- versions -----------------------------------------------------------------------------------

static void take_version(struct query *q, struct arena *a, struct unit_version *v)
{
	*v = (struct unit_version){ .version = query_get_i64(q, 0), .at = query_get_i64(q, 1), .by = query_get_i64(q, 2),
		                    .by_name = query_get_str(q, 3, a), .from = query_get_i64(q, 4), .to = query_get_i64(q, 5),
		                    .interval = query_get_i64(q, 6), .rows = (uint64_t)query_get_i64(q, 7),
		                    .gaps = (uint64_t)query_get_i64(q, 8), .checksum = query_get_str(q, 9, a),
		                    .summary = query_get_str(q, 10, a) };
	struct str ids = query_get_str(q, 11, a);
	int64_t id;
	while (ids.n && v->n < UNIT_COLUMNS_MAX)
		if (str_to_i64(str_cut(&ids, ','), &id))
			v->point[v->n++] = (uint32_t)id;
}

enum err unit_versions(struct db *db, int64_t unit, struct arena *a, struct unit_version **ret, size_t *ret_n)
{
	size_t n = 0, cap = 0;
	struct unit_version *v = NULL;
	struct query q;
	query_begin(&q, db, STMT_MODEL_LIST);
	query_i64(&q, 1, unit);
	while (query_row(&q)) {
		v = arena_push(a, v, &n, &cap, sizeof *v);
		take_version(&q, a, &v[n - 1]);
	}
	*ret = v;
	*ret_n = n;
	return query_end(&q);
}

enum err unit_version_get(struct db *db, int64_t unit, int64_t version, struct arena *a, struct unit_version *ret)
{
	struct query q;
	bool found = false;
	query_begin(&q, db, STMT_MODEL_GET);
	query_i64(&q, 1, unit);
	query_i64(&q, 2, version);
	if (query_row(&q)) {
		take_version(&q, a, ret);
		ret->model = query_get_str(&q, 12, a);
		found = true;
	}
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}
