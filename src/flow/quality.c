// How good the data of a type are, as conditions over its rows: what lacks, what is doubled, what is old, where it came from. The same
// condition makes the number and the list behind it (?flaw=). Reads only; any connection.
#include "flow/draft.h"

#define FIXED_MEASURES 9        // of flow_quality, besides one for each field that is needed

static const struct condition *cond_new(struct arena *a, struct condition c)
{
	struct condition *ret = arena_one(a, struct condition);
	*ret = c;
	return ret;
}

static struct condition filter_cond(struct str column, enum filter_op op)
{
	return (struct condition){ .op = COND_FILTER, .filter = { .column = column, .op = op }, .other = STR_EMPTY };
}

static struct str column_of(const struct type *t, const struct field *f)
{
	return f->ncols ? t->table.cols[f->col].name : f->name;
}

// A field that each record must have, whatever else it says. What is asked for in some cases only is not looked for.
static bool is_needed(const struct identity *by, const struct field *f)
{
	return f->need && !f->when && auth_may_read_field(by, f);
}

static const struct condition *missing(const struct type *t, struct str field, const struct identity *by, struct arena *a)
{
	struct condition *subs = arena_many(a, t->nfields + 1, struct condition);
	size_t n = 0;
	for (size_t i = 0; i < t->nfields; i++)
		if (is_needed(by, &t->fields[i]) && (field.n == 0 || str_eq(field, t->fields[i].name)))
			subs[n++] = filter_cond(column_of(t, &t->fields[i]), FILTER_NULL);
	return n ? cond_new(a, (struct condition){ .op = COND_OR, .subs = subs, .nsubs = n }) : NULL;
}

// By the title, where it is a text that a person gives the thing. An enterprise is doubled wherever it is entered again; anything else
// if it has the same title in the same area and of the same enterprise.
static const struct condition *doubled(const struct type *t, const struct identity *by, struct arena *a)
{
	static const struct str cols[] = { { "title", 5 }, { "area", 4 }, { "enterprise", 10 } };
	const struct field *f = type_field(t, t->title);
	if (!f || f->kind != FIELD_TEXT || f->compute || !auth_may_read_field(by, f) || (f->personal && !auth_sees_masked(by, f)))
		return NULL;
	struct scope *scope = arena_one(a, struct scope);
	*scope = auth_scope(by, t);
	return cond_new(a, (struct condition){ .op = COND_TWINS, .cols = cols, .ncols = str_is(t->name, "enterprise") ? 1 : ARRAY_LEN(cols), .within = scope });
}

// The unified social credit code: the check character does not fit, or there is none where one is needed.
static const struct condition *bad_code(const struct type *t, const struct identity *by, struct arena *a)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		if (f->kind != FIELD_USCC || !auth_may_read_field(by, f))
			continue;
		struct condition *subs = arena_many(a, 2, struct condition);
		subs[0] = (struct condition){ .op = COND_BAD_CODE, .filter = { .column = column_of(t, f) } };
		subs[1] = filter_cond(column_of(t, f), FILTER_NULL);
		return cond_new(a, (struct condition){ .op = COND_OR, .subs = subs, .nsubs = is_needed(by, f) ? 2 : 1 });
	}
	return NULL;
}

const struct condition *flow_flaw(const struct type *t, struct str name, const struct identity *by, struct arena *a)
{
	struct str field = name, what = str_cut(&field, '.');
	if (str_is(what, "missing"))
		return missing(t, field, by, a);
	if (str_is(name, "doubled"))
		return doubled(t, by, a);
	return str_is(name, "code") ? bad_code(t, by, a) : NULL;
}

static const struct condition *stale(const struct type *t, int64_t before, struct arena *a)
{
	struct condition *subs = arena_many(a, 2, struct condition);
	struct value *v = arena_one(a, struct value);
	*v = (struct value){ .kind = VAL_INT, .i = before };
	subs[0] = filter_cond(STR("changed_at"), FILTER_LT);
	subs[0].filter.vals = v;
	subs[0].filter.nvals = 1;
	if (t->nstates)
		subs[1] = (struct condition){ .op = COND_FILTER, .filter = type_open_states(t, a), .other = STR_EMPTY };
	return cond_new(a, (struct condition){ .op = COND_AND, .subs = subs, .nsubs = t->nstates ? 2 : 1 });
}

// Rows of an import carry its batch; those that a person did not enter were opened by the platform.
static const struct condition *origin(bool imported, bool person, struct arena *a)
{
	struct condition *subs = arena_many(a, 2, struct condition);
	subs[0] = filter_cond(STR("batch"), imported ? FILTER_NOT_NULL : FILTER_NULL);
	subs[1] = filter_cond(STR("created_by"), person ? FILTER_NOT_NULL : FILTER_NULL);
	return cond_new(a, (struct condition){ .op = COND_AND, .subs = subs, .nsubs = imported ? 1 : 2 });
}

// Counts of one condition; without one the type cannot have it, and 0 rows stand for that.
static void ask(struct measure *m, const struct condition *cond)
{
	static const struct condition never = { .op = COND_OR };
	*m = (struct measure){ .op = MEASURE_COUNT, .column = STR_EMPTY, .cond = cond ? cond : &never };
}

enum err flow_quality(struct db *db, const struct type *t, const struct identity *by, int64_t before, struct arena *a,
                      struct data_quality *ret, struct problem *p)
{
	struct measure *m = arena_many(a, FIXED_MEASURES + t->nfields, struct measure);
	const struct condition *twins = doubled(t, by, a), *code = bad_code(t, by, a);
	struct aggregate *g;
	size_t n = FIXED_MEASURES, ng = 0;
	struct scope scope = auth_scope(by, t);
	*ret = (struct data_quality){ .type = t, .titled = twins != NULL, .coded = code != NULL };
	ret->fields = arena_many(a, t->nfields + 1, struct lacking);
	m[0] = (struct measure){ .op = MEASURE_COUNT, .column = STR_EMPTY };
	m[1] = (struct measure){ .op = MEASURE_MAX, .column = STR("changed_at") };
	ask(&m[2], missing(t, STR_EMPTY, by, a));
	ask(&m[3], stale(t, before, a));
	ask(&m[4], twins);
	ask(&m[5], code);
	ask(&m[6], origin(false, true, a));
	ask(&m[7], origin(true, true, a));
	ask(&m[8], origin(false, false, a));
	for (size_t i = 0; i < t->nfields; i++)
		if (is_needed(by, &t->fields[i])) {
			ret->fields[ret->nfields++].field = &t->fields[i];
			ask(&m[n++], missing(t, t->fields[i].name, by, a));
		}
	enum err err = records_aggregate(db, &t->table, &scope, NULL, NULL, 0, m, n, a, &g, &ng, p);
	if (err)
		return err;
	const struct value *v = g[0].measures;
	ret->records = v[0].i;
	ret->newest = v[1].kind == VAL_INT ? v[1].i : 0;
	ret->missing = v[2].i;
	ret->stale = v[3].i;
	ret->doubled = v[4].i;
	ret->bad_code = v[5].i;
	ret->typed = v[6].i;
	ret->imported = v[7].i;
	ret->opened = v[8].i;
	for (size_t i = 0; i < ret->nfields; i++)
		ret->fields[i].n = v[FIXED_MEASURES + i].i;
	return OK;
}
