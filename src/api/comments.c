// What people say about a record, and requests for more time on it.
#include "api/api.h"
#include "base/time.h"

static void mentions_json(struct call *c, struct str ids)
{
	int64_t id;
	const struct type *people = registry_type(c->reg, STR("person"));
	jw_karr(&c->w, "mentions");
	while (ids.n) {
		struct row row;
		if (!str_to_i64(str_cut(&ids, ','), &id) || !people || records_get(call_db(c), &people->table, NULL, id, c->arena, &row))
			continue;
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", id);
		jw_kstr(&c->w, "title", row.c.title);
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

enum err comments_get(struct call *c)
{
	const struct type *t;
	struct row row;
	struct comment *v;
	size_t n;
	int64_t id, before, size;
	enum err err = call_record(c, &t, &id, &row);
	if (!err)
		err = query_int(c, "before", 0, 0, INT64_MAX, &before);
	if (!err)
		err = query_int(c, "size", 100, 1, LIMIT_PAGE_SIZE, &size);
	if (!err)
		err = flow_comments(call_db(c), t, id, before, (size_t)size, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++) {
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", v[i].id);
		jw_ktime(&c->w, "at", v[i].at);
		jw_ki64(&c->w, "person", v[i].person);
		jw_kstr(&c->w, "name", v[i].name);
		jw_kstr(&c->w, "text", v[i].text);
		mentions_json(c, v[i].mentions);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

struct said {               // a comment, a request or an answer on its way to the writer thread
	struct call *c;
	const struct type *t;
	int64_t id, request;
	bool grant;
	int64_t made;
};

static enum err answer_id(struct call *c, int64_t id)
{
	c->rs->status = 201;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", id);
	jw_end(&c->w);
	return OK;
}

static enum err said_on(struct call *c, struct said *s)
{
	struct row row;
	*s = (struct said){ .c = c };
	return call_record(c, &s->t, &s->id, &row);
}

static enum err comment_run(struct db *db, void *arg, struct problem *p)
{
	struct said *s = arg;
	return flow_comment(db, s->c->reg, s->t, s->id, s->c->body, &s->c->id, s->c->arena, &s->made, p);
}

enum err comments_post(struct call *c)
{
	struct said s;
	enum err err = said_on(c, &s);
	if (!err)
		err = store_write(c->app->store, comment_run, &s, &c->p);
	return err ? err : answer_id(c, s.made);
}

// ---- more time ---------------------------------------------------------------------------------

static void extension_json(struct call *c, const struct type *t, const struct row *row, const struct extension *e)
{
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", e->id);
	jw_ktime(&c->w, "asked_at", e->asked_at);
	jw_kstr(&c->w, "asked_by", e->asked_name);
	jw_ktime(&c->w, "was", e->was);
	jw_ktime(&c->w, "until", e->until);
	jw_kstr(&c->w, "reason", e->reason);
	jw_kstr(&c->w, "state", e->state);
	if (e->decided_at) {
		jw_ktime(&c->w, "decided_at", e->decided_at);
		jw_kstr(&c->w, "decided_by", e->decided_name);
		jw_kstr(&c->w, "answer", e->answer);
	}
	jw_kbool(&c->w, "may_decide", flow_may_grant(t, row, e, &c->id));
	jw_end(&c->w);
}

enum err extension_get(struct call *c)
{
	const struct type *t;
	struct row row;
	struct extension *v;
	size_t n;
	int64_t id;
	enum err err = call_record(c, &t, &id, &row);
	if (!err)
		err = flow_extensions(call_db(c), t, id, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++)
		extension_json(c, t, &row, &v[i]);
	jw_end(&c->w);
	jw_kbool(&c->w, "may_ask", flow_may_extend(t, &row, &c->id));
	jw_end(&c->w);
	return OK;
}

static enum err ask_run(struct db *db, void *arg, struct problem *p)
{
	struct said *s = arg;
	return flow_extension_ask(db, s->c->reg, s->t, s->id, s->c->body, &s->c->id, s->c->arena, &s->made, p);
}

enum err extension_post(struct call *c)
{
	struct said s;
	enum err err = said_on(c, &s);
	if (!err)
		err = store_write(c->app->store, ask_run, &s, &c->p);
	return err ? err : answer_id(c, s.made);
}

static enum err decide_run(struct db *db, void *arg, struct problem *p)
{
	struct said *s = arg;
	return flow_extension_decide(db, s->c->reg, s->t, s->id, s->request, s->grant, str_trim(body_str(s->c, "reason")), &s->c->id,
	                             s->c->arena, p);
}

enum err extension_decide(struct call *c)
{
	struct said s;
	enum err err = said_on(c, &s);
	if (!err)
		err = param_id(c, 2, &s.request);
	if (err)
		return err;
	s.grant = str_is(c->param[3], "approve");
	if (!s.grant && !str_is(c->param[3], "refuse"))
		return call_fail(c, ERR_NOT_FOUND, NULL, "可以 approve 或 refuse", "approve or refuse");
	err = store_write(c->app->store, decide_run, &s, &c->p);
	return err ? err : call_done(c);
}
