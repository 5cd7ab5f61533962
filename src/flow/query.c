// What a list is asked for, as the store's filters and sorts: named lists of a type, and ?where.… and ?sort= of the
// API. Pure; any thread.
#include "base/limits.h"
#include "base/time.h"
#include "base/workday.h"
#include "flow/change.h"
#include "flow/draft.h"
#include "model/exprs.h"

// ---- named lists -------------------------------------------------------------------------------

// me and my_enterprise in a column of ids. An id of 0 would be "nobody": then no row at all.
static struct filter resolve(const struct type *t, const struct filter *f, const struct identity *by, struct arena *a)
{
	const struct field *field = type_field(t, f->column);
	enum column_kind kind = COL_TEXT;
	bool ids = (field && field->kind == FIELD_REF) || (type_common_column(f->column, &kind) && kind == COL_INT);
	struct value *vals = arena_many(a, f->nvals, struct value);
	struct filter ret = { .column = f->column, .op = f->op, .vals = vals };
	for (size_t i = 0; i < f->nvals; i++) {
		struct value v = f->vals[i];
		if (ids && v.kind == VAL_TEXT)
			v = (struct value){ .kind = VAL_INT, .i = str_is(v.s, "me") ? by->person : str_is(v.s, "my_organisation") ? by->organisation : by->scope.enterprise };
		else if (field && field->kind == FIELD_AREA && str_is(v.s, "my_area"))
			v.s = area_whole(by->scope.area, a);
		if (!ids || v.i)
			vals[ret.nvals++] = v;
	}
	if (ret.nvals == 0)
		ret.op = FILTER_IN;
	return ret;
}

void flow_list_filters(const struct type *t, const struct listing *l, const struct identity *by, struct arena *a,
                       struct filter **ret, size_t *ret_n)
{
	*ret = arena_many(a, l->nfilters + 1, struct filter);
	*ret_n = 0;
	for (size_t i = 0; i < l->nfilters; i++)
		(*ret)[(*ret_n)++] = resolve(t, &l->filters[i], by, a);
	if (l->open_only)
		(*ret)[(*ret_n)++] = type_open_states(t, a);
}

static int64_t workday(void *arg, int64_t day, int64_t n)
{
	return workday_step(arg, day, (int)MAX(MIN(n, 10000), -10000));
}

static const struct condition *cond_of_now(const struct registry *reg, const struct condition *cond, const struct identity *by,
                                           struct arena *a)
{
	struct cond_now now = { .now = clock_now(), .zone = time_zone(), .me = by->person, .my_enterprise = by->scope.enterprise,
		                .workday = workday, .arg = (void *)(uintptr_t)reg->workdays };
	return cond_resolve(cond, &now, a);
}

const struct condition *flow_list_cond(const struct registry *reg, const struct listing *l, const struct identity *by, struct arena *a)
{
	return cond_of_now(reg, l->cond, by, a);
}

bool field_link(const struct field *f, const struct type *to, int64_t id, struct arena *a, struct filter *ret)
{
	bool one = f->kind == FIELD_REF && str_eq(f->to, to->name), many = f->kind == FIELD_REFS && str_eq(f->to, to->name);
	bool origin = f->kind == FIELD_ORIGIN && origin_type(f, to->name);
	struct value *v = arena_one(a, struct value);
	*ret = (struct filter){ .column = f->name, .op = many ? FILTER_CONTAINS : FILTER_EQ, .vals = v, .nvals = 1 };
	*v = (struct value){ .kind = VAL_INT, .i = id, .s = STR_EMPTY };
	if (many || origin)
		*v = (struct value){ .kind = VAL_TEXT, .s = many ? arena_printf(a, ",%lld,", (long long)id) : origin_text(to->name, id, a) };
	return one || many || origin;
}

const struct condition *opens_cond(const struct registry *reg, const struct opens *o, const struct identity *by, struct arena *a)
{
	return o->cond ? cond_of_now(reg, o->cond, by, a) : NULL;
}

// ---- what everybody may see --------------------------------------------------------------------
#define PUBLIC_WORDS 4      // of one search

// The word stands in one of the texts that are shown; no text is shown: nowhere.
static struct condition word_in_shown(const struct type *t, struct str word, struct arena *a)
{
	struct condition *subs = arena_many(a, t->publish.nshow, struct condition);
	struct value *v = arena_many(a, 1, struct value);
	struct condition c = { .op = COND_OR, .subs = subs };
	*v = (struct value){ .kind = VAL_TEXT, .s = word };
	for (size_t i = 0; i < t->publish.nshow; i++)
		if (t->publish.show[i].field ? t->publish.show[i].field->kind == FIELD_TEXT : str_is(t->publish.show[i].name, "number"))
			subs[c.nsubs++] = (struct condition){ .op = COND_FILTER,
				                              .filter = { .column = t->publish.show[i].name, .op = FILTER_CONTAINS, .vals = v, .nvals = 1 } };
	return c;
}

const struct condition *flow_published(const struct registry *reg, const struct type *t, struct str text, struct arena *a)
{
	struct identity nobody = { 0 };
	struct condition *subs = arena_many(a, PUBLIC_WORDS + 1, struct condition), *all = arena_many(a, 1, struct condition);
	*all = (struct condition){ .op = COND_AND, .subs = subs, .nsubs = 1 };
	subs[0] = *cond_of_now(reg, t->publish.cond, &nobody, a);
	while (text.n && all->nsubs <= PUBLIC_WORDS) {
		struct str word = str_cut(&text, ' ');
		if (word.n)
			subs[all->nsubs++] = word_in_shown(t, arena_str(a, word), a);
	}
	return all;
}

const struct condition *flow_publish_cond(const struct registry *reg, const struct type *t, struct arena *a)
{
	struct identity nobody = { 0 };
	return t->publish.due.cond ? cond_of_now(reg, t->publish.due.cond, &nobody, a) : NULL;
}

// ---- ?where.COLUMN.OP= -------------------------------------------------------------------------

static const struct { const char *name; enum filter_op op; } ops[] = {
	{ "", FILTER_EQ },   { "eq", FILTER_EQ }, { "ne", FILTER_NE }, { "lt", FILTER_LT },         { "le", FILTER_LE },
	{ "gt", FILTER_GT }, { "ge", FILTER_GE }, { "in", FILTER_IN }, { "prefix", FILTER_PREFIX }, { "null", FILTER_NULL },
	{ "notnull", FILTER_NOT_NULL }, { "contains", FILTER_CONTAINS },
};

static bool op_of(struct str name, enum filter_op *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (str_is(name, ops[i].name)) {
			*ret = ops[i].op;
			return true;
		}
	return false;
}

// A whole number, a time (RFC 3339), or one of the words.
static bool int_of(struct str text, const struct identity *by, int64_t *ret)
{
	if (str_is(text, "me"))
		*ret = by->person;
	else if (str_is(text, "my_enterprise"))
		*ret = by->scope.enterprise;
	else if (str_is(text, "true") || str_is(text, "false"))
		*ret = str_is(text, "true");
	else
		return str_to_i64(text, ret) || time_parse(text, ret);
	return true;
}

static bool value_of(const struct field *f, enum column_kind kind, struct str text, const struct identity *by,
                     struct arena *a, struct value *ret)
{
	double yuan;
	*ret = (struct value){ .kind = VAL_TEXT, .s = arena_str(a, text) };
	if (f && (f->kind == FIELD_MENUS || f->kind == FIELD_REFS))
		ret->s = arena_printf(a, ",%.*s,", STR_FMT(text));
	if (f && f->kind == FIELD_MONEY) {
		ret->kind = VAL_INT;
		return str_to_f64(text, &yuan) && money_fen(yuan, &ret->i);
	}
	switch (kind) {
	case COL_TEXT: return true;
	case COL_INT: ret->kind = VAL_INT; return int_of(text, by, &ret->i);
	case COL_REAL: ret->kind = VAL_REAL; return str_to_f64(text, &ret->f);
	}
	return false;
}

static enum err column_kind_of(const struct type *t, struct str column, const struct identity *by,
                               const struct field **ret_field, enum column_kind *ret, struct problem *p)
{
	const struct field *f = type_field(t, column);
	*ret_field = f;
	if (!f || f->ncols == 0) {
		if (type_common_column(column, ret))
			return OK;
		return problem_set(p, ERR_INVALID, "where", "没有名为“%.*s”的列", "there is no column \"%.*s\"", (int)MIN(column.n, (size_t)60), column.p);
	}
	if (!auth_may_read_field(by, f))
		return problem_set(p, ERR_FORBIDDEN, "where", "无权按这一项筛选", "you may not filter by this field");
	if (f->personal && !auth_sees_masked(by, f))
		return problem_set(p, ERR_FORBIDDEN, "where", "不能按个人信息筛选", "personal data cannot be filtered by");
	if (f->kind == FIELD_POSITION || f->kind == FIELD_SHAPE || f->kind == FIELD_SHEET)
		return problem_set(p, ERR_INVALID, "where", "不能按位置筛选", "a place cannot be filtered by");
	*ret = t->table.cols[f->col].kind;
	return OK;
}

// How a value of the column is written; the same in both languages.
static const char *written(const struct field *f, enum column_kind kind)
{
	if (f && f->kind == FIELD_BOOL)
		return "true, false";
	if (f && (f->kind == FIELD_REF || f->kind == FIELD_REFS))
		return "id";
	if (f && f->kind == FIELD_DATE)
		return "2026-11-22";
	return kind == COL_INT ? "12, 2026-11-22T08:00:00%2B08:00" : kind == COL_REAL ? "12.5" : "A, B";
}

// where.ORIGIN=TYPE:ID, .ne=, .in=, .type=TYPE: only types whose records the caller may read, or he could ask what he is not shown.
static enum err origin_filter(const struct field *f, struct str op, struct str text, const struct identity *by, struct arena *a,
                              struct filter *ret, struct problem *p)
{
	static const struct { const char *name; enum filter_op op; } can[] = {
		{ "", FILTER_EQ }, { "eq", FILTER_EQ }, { "ne", FILTER_NE }, { "in", FILTER_IN }, { "type", FILTER_PREFIX },
	};
	struct value *vals = NULL;
	size_t n = 0, cap = 0, k = 0;
	while (k < ARRAY_LEN(can) && !str_is(op, can[k].name))
		k++;
	if (k == ARRAY_LEN(can))
		return problem_set(p, ERR_INVALID, "where", "来源没有“%.*s”这种比较；可用 ne in type null notnull",
		                   "an origin has no comparison \"%.*s\"; use ne in type null notnull", (int)MIN(op.n, (size_t)20), op.p);
	ret->op = can[k].op;
	do {
		int64_t id;
		struct str one = ret->op == FILTER_IN ? str_cut(&text, ',') : text, rest = one, name = str_cut(&rest, ':');
		const struct type *t = origin_type(f, name);
		bool whole = ret->op == FILTER_PREFIX ? rest.n == 0 : str_to_i64(rest, &id) && id > 0;
		if (!t || !whole)
			return problem_set(p, ERR_INVALID, "where", "%.*s：“%.*s”不是来源；请写 类型:id，或 where.%.*s.type=类型",
			                   "%.*s: \"%.*s\" is no origin; write TYPE:ID, or where.%.*s.type=TYPE", STR_FMT(f->name),
			                   (int)MIN(one.n, (size_t)60), one.p, STR_FMT(f->name));
		if (!auth_may_read(by, t))
			return problem_set(p, ERR_FORBIDDEN, "where", "无权按这类来源筛选", "you may not filter by origins of this kind");
		vals = arena_push(a, vals, &n, &cap, sizeof *vals);
		vals[n - 1] = (struct value){ .kind = VAL_TEXT, .s = ret->op == FILTER_PREFIX ? arena_printf(a, "%.*s:", STR_FMT(t->name)) :
		                                                                                 origin_text(t->name, id, a) };
	} while (ret->op == FILTER_IN && text.n && n < LIMIT_PAGE_SIZE);
	ret->vals = vals;
	ret->nvals = n;
	return OK;
}

enum err record_filter(const struct type *t, struct str column, struct str op, struct str text, const struct identity *by,
                       struct arena *a, struct filter *ret, struct problem *p)
{
	enum column_kind kind = COL_TEXT;
	const struct field *f;
	size_t n = 0, cap = 0;
	struct value *vals = NULL;
	*ret = (struct filter){ .column = arena_str(a, column) };
	enum err err = column_kind_of(t, column, by, &f, &kind, p);
	if (err)
		return err;
	bool null = str_is(op, "null") || str_is(op, "notnull");
	if (f && f->kind == FIELD_ORIGIN && !null)
		return origin_filter(f, op, text, by, a, ret, p);
	if (!op_of(op, &ret->op))
		return problem_set(p, ERR_INVALID, "where", "没有“%.*s”这种比较；可用 ne lt le gt ge in prefix contains null notnull",
		                   "there is no comparison \"%.*s\"; use ne lt le gt ge in prefix contains null notnull",
		                   (int)MIN(op.n, (size_t)20), op.p);
	if (f && (f->kind == FIELD_MENUS || f->kind == FIELD_REFS) && ret->op == FILTER_EQ)
		ret->op = FILTER_CONTAINS;
	if (ret->op == FILTER_NULL || ret->op == FILTER_NOT_NULL)
		return OK;
	do {
		struct str one = ret->op == FILTER_IN ? str_cut(&text, ',') : text;
		vals = arena_push(a, vals, &n, &cap, sizeof *vals);
		if (!value_of(f, kind, one, by, a, &vals[n - 1]))
			return problem_set(p, ERR_INVALID, "where", "%.*s：“%.*s”不是这一列的值；请写如 %s", "%.*s: \"%.*s\" is not a value of this column; write %s",
			                   STR_FMT(column), (int)MIN(one.n, (size_t)60), one.p, written(f, kind));
	} while (ret->op == FILTER_IN && text.n && n < LIMIT_PAGE_SIZE);
	ret->vals = vals;
	ret->nvals = n;
	return OK;
}

static bool sortable(const struct field *f)
{
	unsigned no = 1u << FIELD_POSITION | 1u << FIELD_SHAPE | 1u << FIELD_MENUS | 1u << FIELD_ROWS | 1u << FIELD_FILES | 1u << FIELD_PHOTOS |
	              1u << FIELD_REFS | 1u << FIELD_SHEET | 1u << FIELD_ORIGIN;
	return !f->personal && !(no & 1u << f->kind);
}

enum err record_sorts(const struct type *t, struct str text, const struct identity *by, struct arena *a,
                       struct sort **ret, size_t *ret_n, struct problem *p)
{
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	while (text.n && *ret_n < 8) {
		enum column_kind kind;
		struct str name = str_cut(&text, ',');
		bool down = str_starts(name, STR("-"));
		name = arena_str(a, str_skip(name, down));
		const struct field *f = type_field(t, name);
		bool plain = f && sortable(f) && auth_may_read_field(by, f);
		if (!plain && !type_common_column(name, &kind))
			return problem_set(p, ERR_INVALID, "sort", "不能按“%.*s”排序；请写列名，从大到小在前面加 -，如 sort=-created_at",
			                   "cannot sort by \"%.*s\"; give a column, with - before it for descending: sort=-created_at",
			                   (int)MIN(name.n, (size_t)60), name.p);
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		struct sort *s = &(*ret)[*ret_n - 1];
		*s = (struct sort){ .column = name, .descending = down };
		if (!f || !f->menu)
			continue;
		struct str *ranks = arena_many(a, f->menu->nitems, struct str);
		for (size_t i = 0; i < f->menu->nitems; i++)
			ranks[i] = f->menu->items[i].value;
		s->ranks = ranks;
		s->nranks = f->menu->nitems;
		s->descending = !down;
	}
	return OK;
}
