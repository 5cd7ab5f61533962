// What a scope admits, in the three forms it is needed in: of one place in memory, as filters (statements over records, and
// lists in memory), and as function admits() of the statements over alarms. test_scope.c holds them against each other.
#include "store/db.h"
#include "store/records_sql.h"

static bool one_of(struct str list, struct str one)
{
	while (list.n)
		if (str_eq(str_cut(&list, ','), one))
			return true;
	return false;
}

bool scope_admits(const struct scope *s, struct place p)
{
	return !s->nothing && str_starts(p.area, s->area) && (!s->enterprise || s->enterprise == p.enterprise) &&
	       (!s->sectors.n || !p.sector.n || one_of(s->sectors, p.sector)); // of no sector: everybody's
}

static struct filter filter_of(const char *column, enum filter_op op, struct value v, struct arena *a)
{
	struct value *one = arena_one(a, struct value);
	*one = v;
	return (struct filter){ .column = str_of(column), .op = op, .vals = one, .nvals = 1 };
}

static struct filter filter_sectors(struct str sectors, struct arena *a)
{
	struct value *in = arena_many(a, sectors.n + 1, struct value);
	struct filter f = { .column = STR("sector"), .op = FILTER_IN, .vals = in, .nvals = 1 };
	in[0] = value_str(STR_EMPTY);
	while (sectors.n) {
		struct str one = str_cut(&sectors, ',');
		if (one.n)
			in[f.nvals++] = value_str(one);
	}
	return f;
}

size_t scope_filters(const struct scope *s, struct arena *a, struct filter ret[SCOPE_FILTERS])
{
	size_t n = 0;
	if (s->nothing)
		ret[n++] = (struct filter){ .column = STR("id"), .op = FILTER_IN };
	if (s->area.n)
		ret[n++] = filter_of("area", FILTER_PREFIX, value_str(s->area), a);
	if (s->enterprise)
		ret[n++] = filter_of("enterprise", FILTER_EQ, value_i64(s->enterprise), a);
	if (s->sectors.n)
		ret[n++] = filter_sectors(s->sectors, a);
	return n;
}

void query_scope(struct query *q, const struct scope *s)
{
	query_str(q, 1, s->area);
	query_i64(q, 2, s->nothing ? -1 : s->enterprise); // no row has it
	query_str(q, 3, s->sectors);
}

// ---- admits(area, enterprise, sectors, area, enterprise, sector): the first three are those of query_scope ---------------
static struct str text_arg(sqlite3_value *v)
{
	const char *text = (const char *)sqlite3_value_text(v);
	return text ? str_from(text, (size_t)sqlite3_value_bytes(v)) : STR_EMPTY;
}

void sql_admits(sqlite3_context *cx, int argc, sqlite3_value **argv)
{
	(void)argc;
	struct scope s = { .area = text_arg(argv[0]), .enterprise = sqlite3_value_int64(argv[1]), .sectors = text_arg(argv[2]) };
	struct place p = { .area = text_arg(argv[3]), .enterprise = sqlite3_value_int64(argv[4]), .sector = text_arg(argv[5]) };
	sqlite3_result_int(cx, scope_admits(&s, p));
}
