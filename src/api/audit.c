// The audit chain for those who may read it.
#include "api/api.h"
#include "base/jr.h"
#include "store/audit.h"

// The label of the state that an entry names, for who may not read the type itself; empty: none.
static struct str state_named(struct call *c, const struct type *t, struct str detail)
{
	struct jr r;
	struct str key;
	const struct state *state = NULL;
	if (!detail.n || detail.p[0] != '{')
		return STR_EMPTY;
	jr_init(&r, detail, c->arena);
	for (jr_obj(&r); jr_key(&r, &key);) {
		struct str v = jr_skip(&r);
		if (str_is(key, "state") && v.n > 2 && v.p[0] == '"')
			state = type_state(t, str_from(v.p + 1, v.n - 2));
	}
	return state ? label_text(c, state->label) : STR_EMPTY;
}

static void audit_entry_json(struct call *c, const struct audit_entry *e)
{
	struct jw *w = &c->w;
	const struct type *t = registry_type(c->reg, e->type);
	struct str detail = t ? history_visible(t, e->detail, &c->id, c->arena) : e->detail;
	jw_obj(w);
	jw_ki64(w, "seq", e->seq);
	jw_ktime(w, "at", e->at);
	jw_kobj(w, "actor");
	jw_ki64(w, "id", e->actor);
	jw_kstr(w, "title", e->actor_name);
	jw_end(w);
	jw_kstr(w, "action", e->action);
	jw_kstr(w, "type", e->type);
	if (t)
		jw_kstr(w, "type_label", label_text(c, t->label)); // for who may not read the type itself
	jw_ki64(w, "record", e->record);
	struct str state = t ? state_named(c, t, detail) : STR_EMPTY;
	if (state.n)
		jw_kstr(w, "state_label", state);
	jw_key(w, "detail");
	if (detail.n)
		jw_raw(w, detail);
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
		audit_entry_json(c, &v[i]);
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

// Lines for the verifier and for keeping elsewhere: entries as they are hashed, then an anchor.
enum err audit_export_get(struct call *c)
{
	int64_t from, size;
	enum err err = query_int(c, "from", 1, 1, INT64_MAX, &from);
	if (!err)
		err = query_int(c, "size", LIMIT_AUDIT_EXPORT, 1, LIMIT_AUDIT_EXPORT, &size);
	if (!err)
		err = audit_export(call_db(c), from, (size_t)size, &c->rs->body);
	c->rs->type = "application/x-ndjson; charset=utf-8";
	c->rs->filename = arena_printf(c->arena, "audit-%lld.ndjson", (long long)from);
	return err;
}

enum err audit_anchors_get(struct call *c)
{
	struct audit_anchor_row *v;
	size_t n;
	int64_t size;
	enum err err = query_int(c, "size", 100, 1, LIMIT_PAGE_SIZE, &size);
	if (!err)
		err = audit_anchors(call_db(c), (size_t)size, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "seq", v[i].seq);
		jw_ktime(&c->w, "at", v[i].at);
		jw_kstr(&c->w, "hash", v[i].hash);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}
