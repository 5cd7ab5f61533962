// One change for many records: each is a job of its own with its rights, its history and its own result; the writer puts
// many of them into one transaction, each under its savepoint.
#include <pthread.h>

#include "api/api.h"
#include "flow/flow.h"

struct bulk;

struct one { // one record
	struct bulk *b;
	int64_t id, version;    // version 0: whichever it is now
	enum err err;
	struct str zh, en;
};

struct bulk {
	struct call *c;
	const struct type *t;
	enum { MOVE, RETIRE, EDIT } what;
	struct str move, reason;
	const json_t *fields;
	struct one *v;
	bool proved;            // the password of a signed move is the caller's
	size_t n, waiting;      // waiting: under the lock
	pthread_mutex_t lock;
	pthread_cond_t ready;
};

static enum err body_for(struct db *db, const struct one *o, json_t **ret, struct problem *p)
{
	struct call *c = o->b->c;
	struct row row;
	int64_t version = o->version;
	*ret = o->b->fields ? json_copy((json_t *)(uintptr_t)o->b->fields) : json_object();
	if (version == 0 && o->b->what == EDIT) {
		struct scope scope = auth_scope(&c->id, o->b->t);
		enum err err = records_get(db, &o->b->t->table, &scope, o->id, c->arena, &row);
		if (err == ERR_NOT_FOUND)
			return problem_set(p, err, "id", "没有这条记录，或不在你的范围内", "there is no such record in your area");
		if (err)
			return err;
		version = row.c.version;
	}
	if (version)
		json_object_set_new(*ret, "version", json_integer(version));
	if (o->b->reason.n)
		json_object_set_new(*ret, "reason", json_stringn(o->b->reason.p, o->b->reason.n));
	return OK;
}

static enum err change(struct db *db, struct one *o, struct problem *p)
{
	struct bulk *b = o->b;
	struct call *c = b->c;
	json_t *body;
	if (b->what == RETIRE)
		return flow_retire(db, c->reg, b->t, o->id, b->reason, &c->id, c->arena, p);
	enum err err = body_for(db, o, &body, p);
	if (!err && b->what == EDIT)
		err = flow_edit(db, c->reg, b->t, o->id, body, &c->id, c->arena, p);
	else if (!err)
		err = flow_move(db, c->reg, b->t, o->id, b->move, body, &c->id, b->proved, c->arena, p);
	json_decref(body);
	return err;
}

// In the writer thread; the call's arena is its own while the handler waits.
static enum err job_one(struct db *db, void *arg, struct problem *p)
{
	struct one *o = arg;
	enum err err = change(db, o, p);
	if (err && p->err) {
		o->zh = arena_str(o->b->c->arena, p->zh);
		o->en = arena_str(o->b->c->arena, p->en);
	}
	return err;
}

static void one_done(void *arg, enum err err)
{
	struct one *o = arg;
	struct bulk *b = o->b;
	o->err = err;
	pthread_mutex_lock(&b->lock);
	if (--b->waiting == 0)
		pthread_cond_signal(&b->ready);
	pthread_mutex_unlock(&b->lock);
}

static enum err read_id(struct call *c, const json_t *j, struct one *o)
{
	const json_t *id = json_is_object(j) ? json_object_get(j, "id") : j, *version = json_object_get(j, "version");
	if (!json_is_integer(id) || json_integer_value(id) <= 0 || (version && !json_is_integer(version)))
		return call_fail(c, ERR_INVALID, "ids", "ids 应为记录编号，或 {id,version}", "ids are record ids, or {id,version}");
	o->id = json_integer_value(id);
	o->version = version ? json_integer_value(version) : 0;
	return OK;
}

static enum err read_ids(struct call *c, struct bulk *b)
{
	const json_t *ids = json_object_get(c->body, "ids");
	enum err err = OK;
	if (!json_is_array(ids) || json_array_size(ids) == 0 || json_array_size(ids) > LIMIT_BULK)
		return call_fail(c, ERR_INVALID, "ids", "请给出 1 至 1000 条记录", "give from 1 to 1,000 records");
	b->n = json_array_size(ids);
	b->v = arena_many(c->arena, b->n, struct one);
	for (size_t i = 0; !err && i < b->n; i++) {
		b->v[i].b = b;
		err = read_id(c, json_array_get(ids, i), &b->v[i]);
	}
	return err;
}

// One signature for all of them, asked before the first is touched: a wrong password counts once and changes nothing.
static enum err sign(struct call *c, struct bulk *b)
{
	struct str password = body_str(c, "password");
	if (!password.n)
		return call_fail(c, ERR_INVALID, "password", "这一步要签名，请输入口令", "this step is signed: enter your password");
	enum err err = auth_check_password(c->app->auth, &c->id, password, &c->p);
	if (err == ERR_UNAVAILABLE)
		return err;
	if (err == ERR_THROTTLED)
		return call_fail(c, err, "password", "口令错误次数过多，请稍后再试", "too many wrong passwords; try again later");
	if (err)
		return call_fail(c, err, "password", "口令不对", "the password is wrong");
	b->proved = true;
	return OK;
}

static enum err read_what(struct call *c, struct bulk *b)
{
	const json_t *edit = json_object_get(c->body, "edit");
	bool retire = json_is_true(json_object_get(c->body, "retire"));
	b->move = body_str(c, "move");
	b->reason = body_str(c, "reason");
	b->what = b->move.n ? MOVE : retire ? RETIRE : EDIT;
	b->fields = b->what == MOVE ? json_object_get(c->body, "fields") : b->what == EDIT ? edit : NULL;
	if ((b->move.n > 0) + retire + (edit != NULL) != 1 || (b->fields && !json_is_object(b->fields)))
		return call_fail(c, ERR_INVALID, "", "请给出 move、retire 或 edit 之一", "give one of move, retire and edit");
	const struct move *m = b->what == MOVE ? type_move(b->t, b->move) : NULL;
	if (b->what == MOVE && !m)
		return call_fail(c, ERR_NOT_FOUND, "move", "没有这一步", "there is no such step");
	return m && m->sign ? sign(c, b) : OK;
}

static void write_result(struct call *c, const struct bulk *b)
{
	int64_t done = 0;
	for (size_t i = 0; i < b->n; i++)
		done += b->v[i].err == OK;
	jw_obj(&c->w);
	jw_ki64(&c->w, "done", done);
	jw_karr(&c->w, "failed");
	for (size_t i = 0; i < b->n; i++) {
		const struct one *o = &b->v[i];
		if (!o->err)
			continue;
		struct str text = call_is_en(c) ? o->en : o->zh;
		jw_obj(&c->w);
		jw_ki64(&c->w, "id", o->id);
		jw_kcstr(&c->w, "code", err_name(o->err));
		jw_kstr(&c->w, "message", text.n ? text : str_of(err_text(o->err, !call_is_en(c))));
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
}

enum err records_bulk(struct call *c)
{
	struct bulk b = { .c = c, .lock = PTHREAD_MUTEX_INITIALIZER, .ready = PTHREAD_COND_INITIALIZER };
	enum err err = call_type(c, &b.t);
	if (!err)
		err = read_ids(c, &b);
	if (!err)
		err = read_what(c, &b);
	if (err)
		return err;
	call_db_refresh(c); // no snapshot is held while the writer works
	b.waiting = b.n;
	for (size_t i = 0; i < b.n; i++)
		store_post(c->app->store, job_one, &b.v[i], one_done);
	pthread_mutex_lock(&b.lock);
	while (b.waiting)
		pthread_cond_wait(&b.ready, &b.lock);
	pthread_mutex_unlock(&b.lock);
	write_result(c, &b);
	return OK;
}
