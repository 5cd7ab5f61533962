// Imports and their templates. What an import is and does: exchange/import.h; this file only translates.
#include "api/api.h"

#include "exchange/import.h"

static const struct type *readable_type(struct call *c, struct str name)
{
	const struct type *t = registry_type(c->reg, name);
	return t && auth_may_read(&c->id, t) ? t : NULL;
}

enum err template_get(struct call *c)
{
	const struct type *t = readable_type(c, c->param[0]);
	struct str format = http_query(c->rq, "format");
	bool xlsx = str_is(format, "xlsx");
	if (!t)
		return call_fail(c, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	if (!xlsx && format.n && !str_is(format, "csv"))
		return call_fail(c, ERR_INVALID, "format", "格式须为 xlsx 或 csv", "the format must be xlsx or csv");
	enum err err = template_write(&c->rs->body, c->reg, t, call_is_en(c), xlsx, &c->p);
	c->rs->type = xlsx ? "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" : "text/csv; charset=utf-8";
	c->rs->filename = arena_printf(c->arena, "%.*s-template.%s", STR_FMT(t->name), xlsx ? "xlsx" : "csv");
	return err;
}

// The name with the ending that its format has, so that it is kept as what it is.
static struct str file_name(struct call *c, bool xlsx)
{
	struct str name = http_query(c->rq, "name");
	const char *want = xlsx ? ".xlsx" : ".csv";
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
			name = str_skip(name, i);
			break;
		}
	if (!name.n || name.n > 200 || !str_utf8_valid(name))
		name = STR("import");
	return str_ends(name, str_of(want)) ? name : arena_printf(c->arena, "%.*s%s", STR_FMT(name), want);
}

enum err imports_post(struct call *c)
{
	struct file_in *f = call_upload(c);
	int64_t id = 0;
	if (!f)
		return call_fail(c, ERR_THROTTLED, NULL, "同时上传的文件太多，请稍后再试", "too many uploads at once; try again later");
	struct import_request rq = { .type = http_query(c->rq, "type"), .format = http_query(c->rq, "format"), .key = http_query(c->rq, "key"), .file = f };
	bool xlsx = rq.format.n ? str_is(rq.format, "xlsx") : str_starts(file_in_head(f), STR("PK\x03\x04"));
	rq.name = file_name(c, xlsx);
	enum err err = imports_add(c->app->imports, c->reg, &c->id, &rq, c->arena, &id, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", id);
	jw_end(&c->w);
	c->rs->status = 202;
	return OK;
}

enum err imports_get(struct call *c)
{
	int64_t id, page;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = query_int(c, "page", 1, 1, 100, &page);
	if (err)
		return err;
	c->id.lang = call_is_en(c) ? STR("en") : STR("zh");
	err = imports_json(&c->w, call_db(c), id, page, &c->id, c->arena);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这次导入，或不是你上传的", "there is no such import of yours");
	return err;
}

enum err imports_list(struct call *c)
{
	c->id.lang = call_is_en(c) ? STR("en") : STR("zh");
	return imports_list_json(&c->w, call_db(c), &c->id, c->arena);
}

enum err imports_run_post(struct call *c)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = imports_run(c->app->imports, id, json_is_true(json_object_get(c->body, "skip_errors")), &c->id, &c->p);
	if (!err)
		c->rs->status = 202;
	return err ? err : call_done(c);
}

enum err imports_undo_post(struct call *c)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = imports_undo(c->app->imports, id, &c->id, &c->p);
	if (!err)
		c->rs->status = 202;
	return err ? err : call_done(c);
}
