// The audit chain for those who may read it.
#include "api/api.h"
#include "store/audit.h"

static void audit_entry_json(struct jw *w, const struct audit_entry *e)
{
	jw_obj(w);
	jw_ki64(w, "seq", e->seq);
	jw_ktime(w, "at", e->at);
	jw_kobj(w, "actor");
	jw_ki64(w, "id", e->actor);
	jw_kstr(w, "title", e->actor_name);
	jw_end(w);
	jw_kstr(w, "action", e->action);
	jw_kstr(w, "type", e->type);
	jw_ki64(w, "record", e->record);
	jw_key(w, "detail");
	if (e->detail.n)
		jw_raw(w, e->detail);
	else
		jw_null(w);
	jw_end(w);
}

enum err call_audit_items(struct call *c, struct str type, int64_t record, int64_t before, size_t limit)
{
	struct audit_entry *v;
	size_t n;
	enum err err = audit_list(call_db(c), type, record, before, limit, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++)
		audit_entry_json(&c->w, &v[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err audit_get(struct call *c)
{
	int64_t record, before, size;
	enum err err = query_int(c, "record", 0, 0, INT64_MAX, &record);
	if (!err)
		err = query_int(c, "before", 0, 0, INT64_MAX, &before);
	if (!err)
		err = query_int(c, "size", 100, 1, LIMIT_PAGE_SIZE, &size);
	return err ? err : call_audit_items(c, http_query(c->rq, "type"), record, before, (size_t)size);
}

enum err audit_verify_get(struct call *c)
{
	char hash[65];
	int64_t count;
	struct problem found;
	problem_init(&found, c->arena);
	enum err err = audit_verify(call_db(c), &found, &count, hash);
	if (err && err != ERR_CORRUPT)
		return err;
	jw_obj(&c->w);
	jw_kbool(&c->w, "ok", !err);
	jw_ki64(&c->w, "entries", count);
	jw_kcstr(&c->w, "head", hash);
	if (err)
		jw_kstr(&c->w, "message", call_is_en(c) ? found.en : found.zh);
	jw_end(&c->w);
	return OK;
}
