// Records of every type: list, export, create, read, edit, retire, move, history. What a type is comes from model/,
// what may be done from flow/ and auth/; this file only translates.
#include "api/api.h"
#include "api/list_query.h"
#include "base/time.h"

enum err call_type(struct call *c, const struct type **ret)
{
	*ret = registry_type(c->reg, c->param[0]);
	if (!*ret || !auth_may_read(&c->id, *ret))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	return OK;
}

enum err call_row(const struct call *c, struct db *db, const struct type *t, int64_t id, struct row *ret, struct problem *p)
{
	struct scope scope = auth_scope(&c->id, t);
	enum err err = records_get(db, &t->table, &scope, id, c->arena, ret);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "id", "没有这条记录，或不在您的管辖范围", "no such record, or outside your scope");
	return err;
}

enum err call_may_edit(struct call *c, const struct type *t, int64_t *ret_id, const char *no_zh, const char *no_en)
{
	if (!t || !auth_may_read(&c->id, t))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	enum err err = param_id(c, 0, ret_id);
	return err || auth_may_edit(&c->id, t) ? err : call_fail(c, ERR_FORBIDDEN, NULL, no_zh, no_en);
}

enum err call_record(struct call *c, const struct type **ret_type, int64_t *ret_id, struct row *ret)
{
	enum err err = call_type(c, ret_type);
	if (!err)
		err = param_id(c, 1, ret_id);
	if (err)
		return err;
	return call_row(c, call_db(c), *ret_type, *ret_id, ret, &c->p);
}

static struct str etag_of(struct call *c, const struct row *row)
{
	return arena_printf(c->arena, "\"v%lld\"", (long long)row->c.version);
}

static enum err write_record(struct call *c, const struct type *t, int64_t id, int status)
{
	struct row row;
	call_db_refresh(c);
	// what was just written may have left the writer's own scope (a change of area): answer it all the same
	enum err err = records_get(call_db(c), &t->table, &(struct scope){ 0 }, id, c->arena, &row);
	if (err)
		return err;
	record_json(&c->w, call_db(c), c->reg, t, &row, &c->id, true, c->arena);
	c->rs->status = status;
	c->rs->etag = etag_of(c, &row);
	return OK;
}

enum err records_answer(struct call *c, int64_t id, int status)
{
	const struct type *t;
	enum err err = call_type(c, &t);
	return err ? err : write_record(c, t, id, status);
}

enum err records_list_get(struct call *c)
{
	const struct type *t;
	struct list_request lr;
	enum err err = call_type(c, &t);
	if (!err)
		err = list_request_read(c, t, &lr);
	if (err)
		return err;
	if (lr.format)
		return list_export(c, t, &lr);
	struct row *rows;
	size_t n;
	int64_t total;
	struct scope scope = auth_scope(&c->id, t);
	err = records_list(call_db(c), &t->table, &scope, &lr.lq, c->arena, &rows, &n, &total, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++)
		record_json(&c->w, call_db(c), c->reg, t, &rows[i], &c->id, true, c->arena);
	jw_end(&c->w);
	jw_ki64(&c->w, "total", total);
	jw_ki64(&c->w, "page", lr.page);
	jw_ki64(&c->w, "size", (int64_t)lr.lq.limit);
	jw_end(&c->w);
	return OK;
}

enum err records_get_one(struct call *c)
{
	const struct type *t;
	int64_t id;
	struct row row;
	enum err err = call_record(c, &t, &id, &row);
	if (err)
		return err;
	record_json(&c->w, call_db(c), c->reg, t, &row, &c->id, true, c->arena);
	c->rs->etag = etag_of(c, &row);
	return OK;
}

struct change { // one change on its way to the writer thread
	struct call *c;
	const struct type *t;
	int64_t id;
	enum { CREATE, EDIT, RETIRE, MOVE, REVEAL } what;
	bool proved;            // the password of a signed move is the caller's
};

static enum err change_job(struct db *db, void *arg, struct problem *p)
{
	struct change *ch = arg;
	struct call *c = ch->c;
	enum err err;
	switch (ch->what) {
	case CREATE:
		err = flow_create(db, c->reg, ch->t, c->body, &c->id, c->arena, &ch->id, p);
		return err ? err : idempotent_claim(db, c, ch->id);
	case EDIT:
		err = flow_edit(db, c->reg, ch->t, ch->id, c->body, &c->id, c->arena, p);
		return err ? err : idempotent_claim(db, c, ch->id);
	case RETIRE:
		return flow_retire(db, c->reg, ch->t, ch->id, body_str(c, "reason"), &c->id, c->arena, p);
	case MOVE:
		err = flow_move(db, c->reg, ch->t, ch->id, c->param[2], c->body, &c->id, ch->proved, c->arena, p);
		return err ? err : idempotent_claim(db, c, ch->id);
	case REVEAL:
		return flow_reveal(db, ch->t, ch->id, c->body, &c->id, &c->w, c->arena, p);
	}
	return ERR_BUG;
}

static enum err change(struct call *c, struct change *ch)
{
	ch->c = c;
	call_db_refresh(c);
	return store_write(c->app->store, change_job, ch, &c->p);
}

enum err records_create(struct call *c)
{
	struct change ch = { .what = CREATE };
	enum err err = call_type(c, &ch.t);
	if (!err)
		err = change(c, &ch);
	return err ? err : write_record(c, ch.t, ch.id, 201);
}

// If-Match: "v12" is body.version said the way of HTTP (RFC 9110 13.1.1); the job compares again, under its lock.
static enum err if_match(struct call *c, const struct row *row)
{
	struct str tag = str_trim(http_header(c->rq, "If-Match"));
	int64_t version = 0;
	if (!tag.n || str_is(tag, "*"))
		return OK;
	if (str_starts(tag, STR("\"v")) && str_ends(tag, STR("\"")) && tag.n > 3)
		(void)str_to_i64(str_from(tag.p + 2, tag.n - 3), &version);
	if (version != row->c.version)
		return call_fail(c, ERR_CONFLICT, "version", "这条记录已被别人修改", "somebody else has changed this record");
	if (!json_object_get(c->body, "version"))
		json_object_set_new(c->body, "version", json_integer(version));
	return OK;
}

// The password of a signed move, asked for before the writer is: it takes Argon2's time, or a directory's.
static enum err prove(struct call *c, struct change *ch)
{
	const struct move *m = ch->what == MOVE ? type_move(ch->t, c->param[2]) : NULL;
	struct str password = body_str(c, "password");
	if (!m || !m->sign || !password.n)
		return OK;
	call_db_refresh(c); // no snapshot is held while it waits
	enum err err = auth_check_password(c->app->auth, &c->id, password, &c->p);
	ch->proved = !err;
	if (err == ERR_THROTTLED)
		return call_fail(c, err, "password", "口令错误次数过多，请稍后再试", "too many wrong passwords; try again later");
	return err == ERR_UNAVAILABLE ? err : OK; // a wrong one is said by the move, after what else is wrong with it
}

static enum err change_existing(struct call *c, struct change *ch)
{
	struct row row;
	enum err err = call_record(c, &ch->t, &ch->id, &row);
	if (!err)
		err = if_match(c, &row);
	if (!err)
		err = prove(c, ch);
	if (!err)
		err = change(c, ch);
	if (err == ERR_CONFLICT && str_is(c->p.field, "version") && http_header(c->rq, "If-Match").n)
		c->status = 412; // RFC 9110 15.5.13
	return err;
}

enum err records_patch(struct call *c)
{
	struct change ch = { .what = EDIT };
	enum err err = change_existing(c, &ch);
	return err ? err : write_record(c, ch.t, ch.id, 200);
}

enum err records_move(struct call *c)
{
	struct change ch = { .what = MOVE };
	enum err err = change_existing(c, &ch);
	return err ? err : write_record(c, ch.t, ch.id, 200);
}

enum err records_reveal(struct call *c)
{
	struct change ch = { .what = REVEAL };
	return change_existing(c, &ch);
}

enum err records_retire(struct call *c)
{
	struct change ch = { .what = RETIRE };
	enum err err = change_existing(c, &ch);
	return err ? err : call_done(c);
}

enum err records_history(struct call *c)
{
	const struct type *t;
	int64_t id;
	struct row row;
	enum err err = call_record(c, &t, &id, &row);
	if (err)
		return err;
	return call_audit_items(c, t->name, id, 0, 500);
}
