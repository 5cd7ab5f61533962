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
	lr->lq.cond = flow_list_cond(lr->c->reg, l, &lr->c->id, lr->c->arena);
	if (!http_query(lr->c->rq, "sort").n) {
		lr->sorts = l->sorts;
		lr->nsorts = l->nsorts;
	}
}

static void read_flaw(struct list_request *lr, struct str name)
{
	lr->flaw = flow_flaw(lr->t, name, &lr->c->id, lr->c->arena);
	if (!lr->flaw)
		keep(lr, call_fail(lr->c, ERR_INVALID, "flaw", "没有这种数据缺陷；可用 missing、missing.字段、doubled、code",
		                   "no such flaw of data here; use missing, missing.FIELD, doubled, code"));
}

// What the named list asks for, and the flaw.
static const struct condition *both(const struct list_request *lr)
{
	struct condition *all, *subs;
	if (!lr->flaw || !lr->lq.cond)
		return lr->flaw ? lr->flaw : lr->lq.cond;
	all = arena_one(lr->c->arena, struct condition);
	subs = arena_many(lr->c->arena, 2, struct condition);
	subs[0] = *lr->lq.cond;
	subs[1] = *lr->flaw;
	*all = (struct condition){ .op = COND_AND, .subs = subs, .nsubs = 2 };
	return all;
}

static void read_parameter(void *arg, struct str key, struct str value)
{
	struct list_request *lr = arg;
	if (str_starts(key, STR("where.")))
		read_where(lr, key, value);
	else if (str_is(key, "list"))
		read_named_list(lr, value);
	else if (str_is(key, "sort"))
		keep(lr, record_sorts(lr->t, value, &lr->c->id, lr->c->arena, &lr->sorts, &lr->nsorts, &lr->c->p));
	else if (str_is(key, "q"))
		lr->lq.text = str_trim(value);
	else if (str_is(key, "flaw"))
		read_flaw(lr, value);
	else if (str_is(key, "retired"))
		lr->lq.with_retired = str_is(value, "1");
	else if (str_is(key, "format"))
		lr->format = export_format_of(value);
	else if (!str_is(key, "page") && !str_is(key, "size") && !(str_is(key, "by") && lr->c->route->run == records_counts_get))
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
	ret->lq.cond = both(ret);
	ret->lq.filters = ret->filters;
	ret->lq.nfilters = ret->nfilters;
	ret->lq.sorts = ret->sorts;
	ret->lq.nsorts = ret->nsorts;
	ret->lq.limit = (size_t)size;
	ret->lq.offset = (size_t)((ret->page - 1) * size);
	return OK;
}

enum err list_records_json(struct call *c, const struct type *t, struct list_query *lq, int64_t size_default)
{
	struct row *rows;
	size_t n;
	int64_t page = 1, size = size_default, total = 0;
	struct scope scope = auth_scope(&c->id, t);
	enum err err = query_int(c, "page", 1, 1, 1000000, &page);
	if (!err)
		err = query_int(c, "size", size_default, 1, LIMIT_PAGE_SIZE, &size);
	if (err)
		return err;
	lq->limit = (size_t)size;
	lq->offset = (size_t)((page - 1) * size);
	err = records_list(call_db(c), &t->table, &scope, lq, c->arena, &rows, &n, &total, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kstr(&c->w, "type", t->name);
	jw_karr(&c->w, "items");
	for (size_t k = 0; k < n; k++)
		record_json(&c->w, call_db(c), c->reg, t, &rows[k], &c->id, false, c->arena);
	jw_end(&c->w);
	jw_ki64(&c->w, "total", total);
	jw_ki64(&c->w, "page", page);
	jw_ki64(&c->w, "size", size);
	jw_end(&c->w);
	return OK;
}

// ---- export ------------------------------------------------------------------------------------

enum err list_export(struct call *c, const struct type *t, struct list_request *lr)
{
	c->id.export = true; // a file to take away: personal data stays masked
	struct export_request rq = { .store = c->app->store, .db = call_db(c), .reg = c->reg, .t = t, .by = &c->id, .lq = &lr->lq,
				     .format = lr->format, .en = call_is_en(c) };
	int fd;
	int64_t size, rows;
	enum err err = export_list(&rq, &fd, &size, &rows, &c->p);
	if (err)
		return err;
	struct str name = arena_printf(c->arena, "%.*s.%s", STR_FMT(t->name), lr->format == EXPORT_CSV ? "csv" : "xlsx");
	return call_file(c, fd, size, str_of(export_mime(lr->format)), name, false);
}
