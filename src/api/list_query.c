#include "api/list_query.h"

#include "base/time.h"

static const struct {
	const char *name;
	enum filter_op op;
} ops[] = {
	{ "eq", FILTER_EQ }, { "ne", FILTER_NE }, { "lt", FILTER_LT }, { "le", FILTER_LE }, { "gt", FILTER_GT },
	{ "ge", FILTER_GE }, { "in", FILTER_IN }, { "prefix", FILTER_PREFIX }, { "null", FILTER_NULL },
};

static const struct {
	const char *name;
	enum field_kind kind;
} commons[] = { // common columns that may be filtered and sorted by
	{ "id", FIELD_NUMBER },         { "number", FIELD_TEXT },     { "state", FIELD_TEXT },      { "area", FIELD_TEXT },
	{ "enterprise", FIELD_NUMBER }, { "thread", FIELD_NUMBER },   { "title", FIELD_TEXT },      { "created_at", FIELD_TIME },
	{ "created_by", FIELD_NUMBER }, { "changed_at", FIELD_TIME }, { "changed_by", FIELD_NUMBER }, { "state_at", FIELD_TIME },
	{ "deadline", FIELD_TIME },     { "escalated", FIELD_NUMBER }, { "version", FIELD_NUMBER },
};

static bool column_kind_of(const struct type *t, struct str name, enum field_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(commons); i++)
		if (str_is(name, commons[i].name)) {
			*ret = commons[i].kind;
			return true;
		}
	const struct field *f = type_field(t, name);
	if (!f || f->ncols != 1)
		return false;
	*ret = f->kind;
	return true;
}

// A query value as the column stores it.
static bool value_of(enum field_kind kind, struct str s, struct arena *a, struct value *ret)
{
	*ret = (struct value){ .kind = VAL_TEXT, .s = s };
	switch (kind) {
	case FIELD_NUMBER:
		ret->kind = VAL_REAL;
		return str_to_f64(s, &ret->f);
	case FIELD_MONEY: {
		double yuan;
		bool ok = str_to_f64(s, &yuan);
		*ret = (struct value){ .kind = VAL_INT, .i = (int64_t)(yuan * 100 + (yuan < 0 ? -0.5 : 0.5)) };
		return ok;
	}
	case FIELD_REF:
		ret->kind = VAL_INT;
		return str_to_i64(s, &ret->i);
	case FIELD_BOOL:
		ret->kind = VAL_INT;
		ret->i = str_is(s, "true") || str_is(s, "1");
		return ret->i || str_is(s, "false") || str_is(s, "0");
	case FIELD_TIME:
		ret->kind = VAL_INT;
		return time_parse(s, &ret->i);
	case FIELD_MENUS:
		ret->s = arena_printf(a, ",%.*s,", STR_FMT(s));
		return true;
	case FIELD_TEXT:
	case FIELD_DATE:
	case FIELD_MENU:
	case FIELD_POSITION:
	case FIELD_SHAPE:
	case FIELD_PHONE:
	case FIELD_USCC:
	case FIELD_AREA:
	case FIELD__MAX:
		return true;
	}
	return false;
}

static void fail(struct list_request *lr, enum err err, struct str field, const char *zh, const char *en)
{
	if (!lr->err)
		lr->err = call_fail(lr->c, err, arena_cstr(lr->c->arena, field), zh, en);
}

static struct filter *filter_add(struct list_request *lr)
{
	lr->filters = arena_push(lr->c->arena, lr->filters, &lr->nfilters, &lr->cap_filters, sizeof *lr->filters);
	return &lr->filters[lr->nfilters - 1];
}

static void read_where(struct list_request *lr, struct str key, struct str text)
{
	struct str rest = str_skip(key, strlen("where."));
	struct str name = str_cut(&rest, '.');
	enum field_kind kind;
	if (!column_kind_of(lr->t, name, &kind)) {
		fail(lr, ERR_INVALID, key, "没有这个可筛选的字段", "no such field to filter by");
		return;
	}
	enum filter_op op = FILTER_EQ;
	bool known = !rest.n;
	for (size_t i = 0; i < ARRAY_LEN(ops) && !known; i++)
		if (str_is(rest, ops[i].name)) {
			op = ops[i].op;
			known = true;
		}
	if (!known) {
		fail(lr, ERR_INVALID, key, "比较方式须为 eq ne lt le gt ge in prefix null", "the comparison must be one of eq ne lt le gt ge in prefix null");
		return;
	}
	struct value *vals = NULL;
	size_t n = 0, cap = 0;
	while (op != FILTER_NULL && (text.n || !n)) {
		struct str one = op == FILTER_IN ? str_cut(&text, ',') : str_cut(&text, '\0');
		vals = arena_push(lr->c->arena, vals, &n, &cap, sizeof *vals);
		if (!value_of(kind, one, lr->c->arena, &vals[n - 1]))
			fail(lr, ERR_INVALID, key, "筛选值与字段类型不符", "the value does not fit the field's kind");
	}
	*filter_add(lr) = (struct filter){ .column = name, .op = op, .vals = vals, .nvals = n };
}

static void read_sort(struct list_request *lr, struct str text)
{
	while (text.n) {
		struct str name = str_cut(&text, ',');
		bool down = str_starts(name, STR("-"));
		name = str_skip(name, down);
		enum field_kind kind;
		if (!column_kind_of(lr->t, name, &kind)) {
			fail(lr, ERR_INVALID, STR("sort"), "没有这个可排序的字段", "no such field to sort by");
			return;
		}
		lr->sorts = arena_push(lr->c->arena, lr->sorts, &lr->nsorts, &lr->cap_sorts, sizeof *lr->sorts);
		lr->sorts[lr->nsorts - 1] = (struct sort){ .column = name, .descending = down };
	}
}

// "me" and "my_enterprise" in a pack's list become the caller's own.
static struct value resolve(struct list_request *lr, const struct value *v)
{
	if (v->kind == VAL_TEXT && str_is(v->s, "me"))
		return (struct value){ .kind = VAL_INT, .i = lr->c->id.person };
	if (v->kind == VAL_TEXT && str_is(v->s, "my_enterprise"))
		return (struct value){ .kind = VAL_INT, .i = lr->c->id.scope.enterprise };
	return *v;
}

static void add_open_states(struct list_request *lr)
{
	struct value *vals = arena_many(lr->c->arena, lr->t->nstates + 1, struct value);
	size_t n = 0;
	for (size_t i = 0; i < lr->t->nstates; i++)
		if (!lr->t->states[i].end)
			vals[n++] = (struct value){ .kind = VAL_TEXT, .s = lr->t->states[i].name };
	if (n)
		*filter_add(lr) = (struct filter){ .column = STR("state"), .op = FILTER_IN, .vals = vals, .nvals = n };
}

static void read_named_list(struct list_request *lr, struct str name)
{
	const struct listing *l = NULL;
	for (size_t i = 0; i < lr->t->nlists; i++)
		if (str_eq(lr->t->lists[i].name, name))
			l = &lr->t->lists[i];
	if (!l) {
		fail(lr, ERR_INVALID, STR("list"), "没有这个列表", "no such list");
		return;
	}
	for (size_t i = 0; i < l->nfilters; i++) {
		struct filter f = l->filters[i];
		struct value *vals = arena_many(lr->c->arena, f.nvals + 1, struct value);
		for (size_t k = 0; k < f.nvals; k++)
			vals[k] = resolve(lr, &f.vals[k]);
		f.vals = vals;
		*filter_add(lr) = f;
	}
	if (l->open_only)
		add_open_states(lr);
	if (!http_query(lr->c->rq, "sort").n && l->nsorts) {
		lr->sorts = l->sorts;
		lr->nsorts = l->nsorts;
	}
}

static void read_parameter(void *arg, struct str key, struct str value)
{
	struct list_request *lr = arg;
	if (str_starts(key, STR("where.")))
		read_where(lr, key, value);
	else if (str_is(key, "list"))
		read_named_list(lr, value);
	else if (str_is(key, "sort"))
		read_sort(lr, value);
	else if (str_is(key, "q"))
		lr->lq.text = str_trim(value);
	else if (str_is(key, "retired"))
		lr->lq.with_retired = str_is(value, "1");
	else if (str_is(key, "format"))
		lr->csv = str_is(value, "csv");
	else if (!str_is(key, "page") && !str_is(key, "size"))
		fail(lr, ERR_INVALID, key, "不认识的查询参数", "unknown query parameter");
}

enum err list_request_read(struct call *c, const struct type *t, struct list_request *ret)
{
	int64_t size;
	*ret = (struct list_request){ .c = c, .t = t };
	http_each_query(c->rq, read_parameter, ret);
	enum err err = ret->err;
	if (!err)
		err = query_int(c, "page", 1, 1, 1000000, &ret->page);
	if (!err)
		err = query_int(c, "size", 20, 1, LIMIT_PAGE_SIZE, &size);
	if (err)
		return err;
	ret->lq.filters = ret->filters;
	ret->lq.nfilters = ret->nfilters;
	ret->lq.sorts = ret->sorts;
	ret->lq.nsorts = ret->nsorts;
	ret->lq.limit = (size_t)size;
	ret->lq.offset = (size_t)((ret->page - 1) * size);
	return OK;
}

// ---- CSV ---------------------------------------------------------------------------------------

// A cell that a spreadsheet would run as a formula gets a leading apostrophe (CSV injection).
static void csv_cell(struct buf *out, struct str s)
{
	bool formula = s.n && strchr("=+-@\t\r", s.p[0]) && !(s.p[0] == '-' && s.n > 1 && s.p[1] >= '0' && s.p[1] <= '9');
	buf_add_u8(out, '"');
	if (formula)
		buf_add_u8(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_add_u8(out, '"');
		buf_add_u8(out, (uint8_t)s.p[i]);
	}
	buf_add_u8(out, '"');
}

static struct str json_cell(const json_t *v, struct arena *a)
{
	if (json_is_object(v) && json_is_string(json_object_get(v, "title")))
		v = json_object_get(v, "title");
	if (json_is_string(v))
		return str_from(json_string_value(v), json_string_length(v));
	if (!v || json_is_null(v))
		return STR_EMPTY;
	const size_t flags = JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15);
	size_t n = json_dumpb(v, NULL, 0, flags);
	char *text = arena_alloc(a, n + 1);
	return str_from(text, json_dumpb(v, text, n, flags));
}

static void csv_row(struct call *c, const struct type *t, const struct row *row, struct arena *a, struct buf *out)
{
	struct buf one;
	struct jw w;
	buf_init(&one, 1 << 20);
	jw_init(&w, &one);
	record_json(&w, call_db(c), c->reg, t, row, &c->id, true, a);
	json_t *o = jw_done(&w) ? json_loadb(one.p, one.n, 0, NULL) : NULL;
	static const char *const first[] = { "number", "state", "area", "enterprise" };
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		csv_cell(out, json_cell(json_object_get(o, first[i]), a));
		buf_add_u8(out, ',');
	}
	for (size_t i = 0; i < t->nfields; i++) {
		csv_cell(out, json_cell(json_object_get(o, arena_cstr(a, t->fields[i].name)), a));
		buf_add_u8(out, i + 1 < t->nfields ? ',' : '\n');
	}
	json_decref(o);
	buf_free(&one);
}

static void csv_head(struct call *c, const struct type *t, struct buf *out)
{
	static const struct label first[] = {
		{ { "编号", 6 }, { "Number", 6 } }, { { "状态", 6 }, { "State", 5 } }, { { "行政区划", 12 }, { "Area", 4 } }, { { "企业", 6 }, { "Enterprise", 10 } },
	};
	buf_add_cstr(out, "\xef\xbb\xbf"); // so that spreadsheets read it as UTF-8
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		csv_cell(out, label_text(c, first[i]));
		buf_add_u8(out, ',');
	}
	for (size_t i = 0; i < t->nfields; i++) {
		csv_cell(out, label_text(c, t->fields[i].label));
		buf_add_u8(out, i + 1 < t->nfields ? ',' : '\n');
	}
}

enum err list_export_csv(struct call *c, const struct type *t, struct list_request *lr)
{
	struct buf *out = &c->rs->body;
	csv_head(c, t, out);
	lr->lq.limit = 1000;
	for (size_t at = 0; at < LIMIT_EXPORT_ROWS && buf_ok(out); at += lr->lq.limit) {
		struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
		struct row *rows;
		size_t n;
		int64_t total;
		lr->lq.offset = at;
		enum err err = records_list(call_db(c), &t->table, &c->id.scope, &lr->lq, a, &rows, &n, &total, &c->p);
		if (err)
			return err;
		for (size_t i = 0; i < n; i++)
			csv_row(c, t, &rows[i], a, out);
		if (n < lr->lq.limit)
			break;
	}
	c->rs->type = "text/csv; charset=utf-8";
	c->rs->filename = arena_printf(c->arena, "%.*s.csv", STR_FMT(t->name));
	return OK;
}
