// What waits for me, messages to me, and the thread of evidence.
#include "api/api.h"
#include "base/time.h"

enum err duties_get(struct call *c)
{
	struct duty *v;
	size_t n;
	enum err err = flow_duties(call_db(c), c->reg, &c->id, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		const struct type *t = registry_type(c->reg, v[i].type);
		const struct state *s = t ? type_state(t, v[i].state) : NULL;
		jw_obj(&c->w);
		jw_kstr(&c->w, "type", v[i].type);
		if (t)
			jw_klabel(&c->w, "type_label", t->label);
		jw_ki64(&c->w, "id", v[i].id);
		jw_kstr(&c->w, "number", v[i].number);
		jw_kstr(&c->w, "title", v[i].title);
		jw_kstr(&c->w, "state", v[i].state);
		if (s)
			jw_klabel(&c->w, "state_label", s->label);
		if (v[i].deadline)
			jw_ktime(&c->w, "deadline", v[i].deadline);
		jw_ktime(&c->w, "since", v[i].since);
		jw_ki64(&c->w, "escalated", v[i].escalated);
		if (v[i].request)
			jw_ki64(&c->w, "request", v[i].request);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err notices_get(struct call *c)
{
	struct notice *v;
	size_t n;
	int64_t size;
	enum err err = query_int(c, "size", 100, 1, LIMIT_PAGE_SIZE, &size);
	if (!err)
		err = flow_notices(call_db(c), &c->id, str_is(http_query(c->rq, "unread"), "1"), (size_t)size, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", v[i].id);
		jw_ktime(&c->w, "at", v[i].at);
		jw_klabel(&c->w, "text", (struct label){ v[i].text_zh, v[i].text_en });
		jw_kstr(&c->w, "type", v[i].type);
		jw_ki64(&c->w, "record", v[i].record);
		jw_kbool(&c->w, "read", v[i].read_at != 0);
		jw_kstr(&c->w, "kind", v[i].kind);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

struct read_job {
	struct call *c;
	int64_t id;
};

static enum err read_job_run(struct db *db, void *arg, struct problem *p)
{
	struct read_job *j = arg;
	(void)p;
	return flow_notice_read(db, &j->c->id, j->id, clock_now());
}

enum err notices_read(struct call *c)
{
	struct read_job j = { .c = c };
	enum err err = param_id(c, 0, &j.id);
	if (!err)
		err = store_write(c->app->store, read_job_run, &j, &c->p);
	return err ? err : call_done(c);
}

// Records of a type on the thread, within the caller's scope.
static enum err thread_of_type(struct call *c, const struct type *t, int64_t thread)
{
	struct value v = { .kind = VAL_INT, .i = thread };
	struct filter f = { .column = STR("thread"), .op = FILTER_EQ, .vals = &v, .nvals = 1 };
	struct list_query lq = { .filters = &f, .nfilters = 1, .limit = 200 };
	struct row *rows;
	size_t n;
	int64_t total;
	struct scope scope = auth_scope(&c->id, t);
	enum err err = records_list(call_db(c), &t->table, &scope, &lq, c->arena, &rows, &n, &total, &c->p);
	for (size_t i = 0; !err && i < n; i++) {
		const struct state *s = type_state(t, rows[i].c.state);
		jw_obj(&c->w);
		jw_kstr(&c->w, "kind", t->name);
		jw_klabel(&c->w, "kind_label", t->label);
		jw_ki64(&c->w, "id", rows[i].c.id);
		jw_kstr(&c->w, "number", rows[i].c.number);
		jw_kstr(&c->w, "title", rows[i].c.title);
		jw_kstr(&c->w, "state", rows[i].c.state);
		if (s)
			jw_klabel(&c->w, "state_label", s->label);
		jw_ktime(&c->w, "at", rows[i].c.created_at);
		jw_end(&c->w);
	}
	return err;
}

enum err thread_get(struct call *c)
{
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_ki64(&c->w, "thread", id);
	jw_karr(&c->w, "items");
	struct alarm_context cx = { .rules = call_site(c)->rules };
	err = alarm_thread_json(call_db(c), &cx, &c->id.scope, id, &c->w, c->arena);
	for (size_t i = 0; !err && i < c->reg->ntypes; i++)
		if (auth_may_read(&c->id, &c->reg->types[i]))
			err = thread_of_type(c, &c->reg->types[i], id);
	jw_end(&c->w);
	jw_end(&c->w);
	return err;
}
