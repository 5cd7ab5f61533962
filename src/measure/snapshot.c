// Snapshots: the numbers of a period that is over, as they were some days after its end. Worked out on a connection that only
// reads, for it may take long; kept in a store job, never changed afterwards (a trigger refuses it); read on any connection.
#include "measure/measure_int.h"

#define BEHIND_MAX 36           // periods looked back for what a long stop has left out

static const char *const dim_names[] = { "", "area", "sector", "enterprise", "organisation" };

static struct str key_text(struct value k, struct arena *a)
{
	if (k.kind == VAL_INT)
		return arena_printf(a, "%lld", (long long)k.i);
	return k.kind == VAL_TEXT ? k.s : STR_EMPTY;
}

static void bind_number(struct query *q, int at, bool has, double v)
{
	if (has)
		query_f64(q, at, v);
	else
		query_null(q, at);
}

struct taken_row {
	enum dimension dim;
	struct figure f;
	struct target t;
	struct taken_row *next;
};

struct snapshot_taken {         // of one indicator for one period
	const struct indicator *i;
	struct str period;
	int64_t at;
	struct taken_row *first, **last;
};

static enum err row_add(struct db *db, const struct snapshot_taken *s, const struct taken_row *r, struct arena *a)
{
	struct query q;
	query_begin(&q, db, STMT_SNAPSHOT_ADD);
	query_str(&q, 1, s->i->name);
	query_str(&q, 2, s->period);
	query_str(&q, 3, str_of(dim_names[r->dim]));
	query_str(&q, 4, key_text(r->f.key, a));
	query_str(&q, 5, s->i->version);
	bind_number(&q, 6, r->f.has_num, r->f.num);
	bind_number(&q, 7, r->f.has_den, r->f.den);
	bind_number(&q, 8, r->f.has, r->f.value);
	bind_number(&q, 9, r->t.has_goal, r->t.goal);
	query_str(&q, 10, r->t.light);
	query_i64(&q, 11, s->at);
	return query_run(&q);
}

enum err measure_keep(struct db *db, const struct snapshot_taken *s, struct arena *a)
{
	enum err err = OK;
	for (const struct taken_row *r = s->first; !err && r; r = r->next)
		err = row_add(db, s, r, a);
	return err;
}

static enum err take_dim(struct measure_ask *ask, struct snapshot_taken *s, enum dimension dim, size_t tier)
{
	struct figure *v;
	size_t n;
	struct str top = STR_EMPTY;
	ask->dim = dim;
	ask->tier = tier;
	enum err err = area_top(ask, &top);
	if (!err)
		err = measure_figures(ask, s->i, &v, &n);
	for (size_t k = 0; !err && k < n; k++) {
		struct taken_row *r = arena_one(ask->arena, struct taken_row);
		*r = (struct taken_row){ .dim = dim, .f = v[k], .t.light = STR_EMPTY };
		if (dim == DIM_NONE || (dim == DIM_AREA && v[k].key.kind == VAL_TEXT))
			err = measure_target(ask, s->i, &v[k], dim == DIM_NONE ? top : v[k].key.s, &r->t);
		*s->last = r;
		s->last = &r->next;
	}
	return err;
}

static enum err take(struct measure_ask *ask, struct snapshot_taken *s)
{
	enum err err = take_dim(ask, s, DIM_NONE, 0);
	if (!err && s->i->dims & 1u << DIM_AREA) {
		err = take_dim(ask, s, DIM_AREA, 6);
		if (!err)
			err = take_dim(ask, s, DIM_AREA, 9);
	}
	for (int dim = DIM_SECTOR; !err && dim <= DIM_ORGANISATION; dim++)
		if (s->i->dims & 1u << dim)
			err = take_dim(ask, s, (enum dimension)dim, 0);
	return err;
}

static enum err taken(struct db *db, const struct indicator *i, struct str period, bool *ret)
{
	struct query q;
	query_begin(&q, db, STMT_SNAPSHOT_TAKEN);
	query_str(&q, 1, i->name);
	query_str(&q, 2, period);
	*ret = query_row(&q);
	return query_end(&q);
}

// The oldest period that is due and has none, but nothing before the first snapshot: there was nobody to take it then.
static enum err next_due(struct db *db, const struct indicator *i, int64_t now, struct arena *a, struct period *ret, bool *ret_due)
{
	struct query q;
	struct str first = STR_EMPTY;
	*ret_due = false;
	query_begin(&q, db, STMT_SNAPSHOT_FIRST);
	query_str(&q, 1, i->name);
	if (query_row(&q) && !query_is_null(&q, 0))
		first = query_get_str(&q, 0, a);
	enum err err = query_end(&q);
	struct period p = period_at(i->period, now - i->freeze_after, false, a);
	for (int back = 1; !err && back <= BEHIND_MAX; back++) {
		struct period one = period_back(&p, back, a);
		bool has;
		if (first.n ? str_cmp(one.name, first) < 0 : back > 1)
			break;
		err = taken(db, i, one.name, &has);
		if (!err && !has) {
			*ret = one;
			*ret_due = true;
		}
	}
	return err;
}

enum err measure_take(struct db *db, const struct measures *m, int64_t now, struct arena *a, struct snapshot_taken **ret)
{
	struct identity system = identity_system();
	struct problem p;
	enum err err = OK;
	problem_init(&p, a);
	*ret = NULL;
	for (size_t i = 0; !err && i < m->n; i++) {
		struct measure_ask ask = { .db = db, .m = m, .by = &system, .arena = a, .p = &p, .now = now };
		bool due;
		err = next_due(db, &m->v[i], now, a, &ask.period, &due);
		if (err || !due)
			continue;
		struct snapshot_taken *s = arena_one(a, struct snapshot_taken);
		*s = (struct snapshot_taken){ .i = &m->v[i], .period = ask.period.name, .at = now, .last = &s->first };
		*ret = s;
		return take(&ask, s);
	}
	return err;
}

static struct snapshot snapshot_row(struct query *q, struct arena *a)
{
	struct snapshot s = { .period = query_get_str(q, 0, a), .key = query_get_str(q, 1, a), .version = query_get_str(q, 2, a),
		              .light = query_get_str(q, 7, a), .at = query_get_i64(q, 8) };
	s.has_num = !query_is_null(q, 3);
	s.has_den = !query_is_null(q, 4);
	s.has = !query_is_null(q, 5);
	s.has_target = !query_is_null(q, 6);
	s.num = query_get_f64(q, 3);
	s.den = query_get_f64(q, 4);
	s.value = query_get_f64(q, 5);
	s.target = query_get_f64(q, 6);
	return s;
}

enum err snapshots_read(struct db *db, struct str indicator, enum dimension dim, struct str key, size_t limit, struct arena *a,
                        struct snapshot **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_SNAPSHOT_LIST);
	query_str(&q, 1, indicator);
	query_str(&q, 2, str_of(dim_names[dim]));
	query_str(&q, 3, key);
	query_i64(&q, 4, (int64_t)limit);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = snapshot_row(&q, a);
	}
	return query_end(&q);
}
