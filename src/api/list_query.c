#include "api/list_query.h"

#include "base/time.h"

static void keep(struct list_request *lr, enum err err)
{
	if (err && !lr->err)
		lr->err = err;
}

static struct filter *filter_add(struct list_request *lr)
{
	lr->filters = arena_push(lr->c->arena, lr->filters, &lr->nfilters, &lr->cap_filters, sizeof *lr->filters);
	return &lr->filters[lr->nfilters - 1];
}

static void read_where(struct list_request *lr, struct str key, struct str text)
{
	struct str op = str_skip(key, strlen("where."));
	struct str name = str_cut(&op, '.');
	struct filter f;
	enum err err = record_filter(lr->t, name, op, text, &lr->c->id, lr->c->arena, &f, &lr->c->p);
	keep(lr, err);
	if (!err)
		*filter_add(lr) = f;
}

static void read_named_list(struct list_request *lr, struct str name)
{
	const struct listing *l = type_listing(lr->t, name);
	struct filter *v;
	size_t n;
	if (!l) {
		keep(lr, call_fail(lr->c, ERR_INVALID, "list", "没有这个列表", "no such list"));
		return;
	}
	flow_list_filters(lr->t, l, &lr->c->id, lr->c->arena, &v, &n);
	for (size_t i = 0; i < n; i++)
		*filter_add(lr) = v[i];
	if (!http_query(lr->c->rq, "sort").n) {
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
		keep(lr, record_sorts(lr->t, value, lr->c->arena, &lr->sorts, &lr->nsorts, &lr->c->p));
	else if (str_is(key, "q"))
		lr->lq.text = str_trim(value);
	else if (str_is(key, "retired"))
		lr->lq.with_retired = str_is(value, "1");
	else if (str_is(key, "format"))
		lr->csv = str_is(value, "csv");
	else if (!str_is(key, "page") && !str_is(key, "size"))
		keep(lr, call_fail(lr->c, ERR_INVALID, arena_cstr(lr->c->arena, key), "不认识的查询参数", "unknown query parameter"));
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
	struct scope scope = auth_scope(&c->id, t);
	lr->lq.limit = 1000;
	for (size_t at = 0; at < LIMIT_EXPORT_ROWS && buf_ok(out); at += lr->lq.limit) {
		struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
		struct row *rows;
		size_t n;
		int64_t total;
		lr->lq.offset = at;
		enum err err = records_list(call_db(c), &t->table, &scope, &lr->lq, a, &rows, &n, &total, &c->p);
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
