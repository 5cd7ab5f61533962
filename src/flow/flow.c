// Records in action: create, edit, move, retire, open. Every function runs in a store job; the change, its audit entry
// and its notices are one transaction, and listeners hear of it after the commit.
#include "flow/flow.h"

#include "base/limits.h"
#include "base/time.h"
#include "flow/change.h"

// ---- the end of every change -------------------------------------------------------------------

static struct str due_text(const struct common *c, struct arena *a, bool zh)
{
	char text[TIME_TEXT_MAX];
	if (!c->deadline)
		return STR_EMPTY;
	size_t n = time_text(c->deadline - c->deadline % US_PER_S, text);
	return zh ? arena_printf(a, "，时限 %.*s", (int)MIN(n, (size_t)19), text) : arena_printf(a, ", due %.*s", (int)MIN(n, (size_t)19), text);
}

// Those whose duty the new state is, and those who are to know. What was said of the state before needs nobody's eye any longer.
static enum err tell_state(const struct change *ch, const struct common *c, const struct value *vals)
{
	const struct state *s = type_state(ch->t, c->state);
	enum err err = notice_settle(ch->db, ch->t->name, c->id);
	if (err || !s || ch->by->batch)
		return err;
	struct str due_zh = due_text(c, ch->a, true), due_en = due_text(c, ch->a, false);
	struct label text = { arena_printf(ch->a, "%.*s %.*s：%.*s%.*s", STR_FMT(ch->t->label.zh), STR_FMT(c->number),
		                           STR_FMT(s->label.zh), STR_FMT(due_zh)),
		              arena_printf(ch->a, "%.*s %.*s: %.*s%.*s", STR_FMT(ch->t->label.en), STR_FMT(c->number),
		                           STR_FMT(s->label.en), STR_FMT(due_en)) };
	struct row row = { .c = *c, .vals = (struct value *)(uintptr_t)vals };
	struct audience au = { .reg = ch->reg, .t = ch->t, .row = &row, .kind = "duty", .text = text };
	err = flow_tell(ch->db, &au, s->who, s->nwho, ch->a);
	au.kind = "tell";
	au.copied = true;
	return err ? err : flow_tell(ch->db, &au, s->tell, s->ntell, ch->a);
}

static int64_t wake(const struct change *ch, const struct common *c)
{
	int64_t at = deadline_wake(ch->reg, ch->t, c), due = ch->t->release.matrix ? receipts_due(ch->db) : 0;
	return at && due ? MIN(at, due) : MAX(at, due);
}

static void announce(const struct change *ch, const char *what, const struct common *c)
{
	flow_changed(ch->db, &(struct record_event){ .what = what, .type = ch->t->name, .id = c->id, .state = c->state,
	                                             .area = c->area, .enterprise = c->enterprise, .sector = c->sector,
	                                             .wake = wake(ch, c) });
}

// ---- new records -------------------------------------------------------------------------------

static enum err insert(const struct change *ch, struct draft *d, struct common *c)
{
	int64_t now = clock_now();
	enum err err = OK;
	c->state = ch->t->nstates ? ch->t->states[0].name : STR_EMPTY;
	c->version = 1;
	c->type_version = ch->t->version;
	c->created_at = c->changed_at = now;
	c->created_by = c->changed_by = ch->by->person;
	c->batch = ch->by->batch;
	int64_t given = c->deadline; // a schedule says when it is due
	c->deadline = 0;
	deadline_start(ch->reg, ch->t, c, d->vals, now);
	c->deadline = given ? given : c->deadline;
	if (ch->t->nstates && c->thread == 0)
		err = records_next_seq(ch->db, STR("thread"), &c->thread);
	if (!err)
		err = number_next(ch->db, ch->t, c, ch->a, &c->number);
	if (!err)
		err = twice_told(ch, records_insert(ch->db, &ch->t->table, c, d->vals, ch->p));
	if (!err)
		err = draft_bind_files(ch->db, d, c->id, ch->by, ch->a, ch->p);
	if (err)
		return err;
	struct str detail = history_detail(ch->t, NULL, c, d->vals, LABEL_EMPTY, ch->a);
	err = history_add(ch->db, ch->t, c->id, "create", STR_EMPTY, detail, ch->by);
	if (!err)
		err = tell_state(ch, c, d->vals);
	announce(ch, "created", c);
	return err ? err : triggers_fire(ch, NULL, &(struct row){ .c = *c, .vals = d->vals });
}

static struct str menus_of(const struct type *t, const struct value *vals, const char *name)
{
	const struct field *f = type_field(t, str_of(name));
	return f && f->ncols && vals[f->col].kind == VAL_TEXT ? vals[f->col].s : STR_EMPTY;
}

// Who may make, change or lock a person, and give which roles: auth/ decides. old or c NULL: as in auth_check_person.
static enum err person_check(const struct change *ch, const struct row *old, const struct common *c, const struct value *vals)
{
	struct person_facts was, is;
	if (!str_is(ch->t->name, "person"))
		return OK;
	if (old)
		was = (struct person_facts){ old->c.id, menus_of(ch->t, old->vals, "role"), old->c.area, old->c.enterprise,
		                              menus_of(ch->t, old->vals, "sectors") };
	if (c)
		is = (struct person_facts){ c->id, menus_of(ch->t, vals, "role"), c->area, c->enterprise,
		                             menus_of(ch->t, vals, "sectors") };
	return auth_check_person(ch->by, old ? &was : NULL, c ? &is : NULL, ch->p);
}

struct common common_empty(void)
{
	return (struct common){ .number = STR_EMPTY, .state = STR_EMPTY, .area = STR_EMPTY, .title = STR_EMPTY,
	                        .sector = STR_EMPTY, .prev_state = STR_EMPTY };
}

enum err flow_create(struct db *db, const struct registry *reg, const struct type *t, const json_t *body,
                     const struct identity *by, struct arena *a, int64_t *ret_id, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct common c = common_empty();
	struct draft d;
	if (!auth_may_create(by, t))
		return right_told(p, by, t, "你的角色不能新建这类记录", "your role may not create records of this kind");
	draft_begin(&d, t, NULL, a);
	enum err err = draft_take(&d, ASK_CREATE, NULL, body, NULL, by, a, p);
	if (!err)
		err = draft_defaults(&d, by, a, p);
	if (!err)
		err = draft_complete(&d, by, p);
	if (!err)
		err = refs_check(db, reg, &d, by, a, p);
	if (!err)
		err = common_derive(db, reg, &d, &c, by, true, a, p);
	c.state = t->nstates ? t->states[0].name : STR_EMPTY;
	c.created_by = by->person;
	if (!err)
		err = draft_conform(db, reg, &d, &c, ASK_CREATE, NULL, by, a, p);
	if (!err)
		err = person_check(&ch, NULL, &c, d.vals);
	if (!err)
		err = insert(&ch, &d, &c);
	*ret_id = c.id;
	return err;
}

// A column or a common column that is a field.
static bool put(struct draft *d, const char *name, struct value v)
{
	for (size_t i = 0; i < d->t->table.ncols; i++)
		if (str_is(d->t->table.cols[i].name, name)) {
			d->vals[i] = v;
			return true;
		}
	const struct field *f = type_field(d->t, str_of(name));
	if (f && f->ncols == 0)
		*draft_slot(d, f) = v;
	return f && f->ncols == 0;
}

static bool has(const struct field *f, const struct flow_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(f->name, fields[i].name))
			return true;
	return false;
}

enum err flow_open(struct db *db, const struct registry *reg, const struct type *t, const struct flow_field *fields,
                   size_t nfields, struct str area, int64_t enterprise, int64_t thread, struct arena *a,
                   int64_t *ret_id, struct problem *p)
{
	struct identity system = identity_system();
	struct change ch = { db, reg, t, &system, a, p };
	struct common c = common_empty();
	struct draft d;
	draft_begin(&d, t, NULL, a);
	for (size_t i = 0; i < nfields; i++)
		if (!put(&d, fields[i].name, fields[i].v))
			return problem_set(p, ERR_INVALID, fields[i].name, "没有名为“%s”的字段", "there is no field \"%s\"", fields[i].name);
	for (size_t i = 0; i < t->nfields; i++)
		d.given[i] = has(&t->fields[i], fields, nfields);
	enum err err = draft_defaults(&d, &system, a, p);
	const struct field *owner = type_field(t, STR("enterprise"));
	if (!err && owner && owner->ncols == 0 && d.enterprise.kind == VAL_NULL && enterprise)
		d.enterprise = (struct value){ .kind = VAL_INT, .i = enterprise };
	if (!err)
		err = common_derive(db, reg, &d, &c, &system, true, a, p);
	c.area = area.n ? area : c.area;
	c.enterprise = enterprise ? enterprise : c.enterprise;
	c.thread = thread;
	c.state = t->nstates ? t->states[0].name : STR_EMPTY;
	draft_settle(db, reg, &d, &c, &system, a);
	if (!err)
		err = insert(&ch, &d, &c);
	*ret_id = c.id;
	return err;
}

// ---- changes of a record -----------------------------------------------------------------------

static enum err load(const struct change *ch, int64_t id, struct row *ret)
{
	struct scope scope = auth_scope(ch->by, ch->t);
	enum err err = records_get(ch->db, &ch->t->table, &scope, id, ch->a, ret);
	if (err == ERR_NOT_FOUND)
		return problem_set(ch->p, err, "", "没有这条记录，或不在你的范围内", "there is no such record in your area");
	if (!err && ret->c.retired)
		return problem_set(ch->p, ERR_CONFLICT, "", "这条记录已停用", "this record is retired");
	return err;
}

// need: the caller must say which version he has seen.
static enum err version_check(const struct change *ch, const json_t *body, const struct row *row, bool need)
{
	const json_t *v = json_object_get(body, "version");
	if (!v && !need)
		return OK;
	if (!json_is_integer(v))
		return problem_set(ch->p, ERR_INVALID, "version", "缺少版本号 version", "the version is missing");
	if (json_integer_value(v) == row->c.version)
		return OK;
	problem_set(ch->p, ERR_CONFLICT, "version", "这条记录已被别人修改", "somebody else has changed this record");
	problem_hint(ch->p, "请重新打开后再改", "open it again and repeat your change");
	return ERR_CONFLICT;
}

// That the move was signed stands in the history of each record.
static struct str detail_signed(const struct change *ch, struct str detail, struct str move)
{
	const struct move *m = type_move(ch->t, move);
	if (!m || !m->sign || ch->by->system)
		return detail;
	return history_mark(detail, STR("\"_signed\":true"), ch->a);
}

static enum err save(const struct change *ch, const struct row *old, struct draft *d, struct common *c, const char *action,
                     struct str name, struct label reason)
{
	c->version = old->c.version + 1;
	c->type_version = ch->t->version;
	c->changed_at = clock_now();
	c->changed_by = ch->by->person;
	struct str detail = history_detail(ch->t, old, c, d->vals, reason, ch->a);
	if (str_is(str_of(action), "move"))
		detail = detail_signed(ch, detail, name);
	enum err err = twice_told(ch, records_update(ch->db, &ch->t->table, c, d->vals, ch->p));
	if (!err)
		err = draft_bind_files(ch->db, d, c->id, ch->by, ch->a, ch->p);
	if (!err)
		err = history_add(ch->db, ch->t, c->id, action, name, detail, ch->by);
	if (!err && ch->by->actor)
		err = work_put(ch->db, ch->by->actor, "done", ch->t, c, name.n ? name : str_of(action));
	if (!err && !c->retired)
		err = triggers_fire(ch, old, &(struct row){ .c = *c, .vals = d->vals });
	return err ? err : work_put(ch->db, ch->by->person, "done", ch->t, c, name.n ? name : str_of(action));
}

static enum err given_complete(struct draft *d, struct problem *p)
{
	for (size_t i = 0; i < d->t->nfields; i++) {
		const struct field *f = &d->t->fields[i];
		enum err err = d->given[i] && f->need && !f->when ? draft_has(d, f, p) : OK;
		if (err)
			return err;
	}
	return OK;
}

enum err flow_edit(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const json_t *body,
                   const struct identity *by, struct arena *a, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct row old;
	struct draft d;
	enum err err = load(&ch, id, &old);
	if (!err && !flow_may_edit(t, old.c.state, by))
		err = right_told(p, by, t, "你的角色不能修改这类记录", "your role may not edit records of this kind");
	if (!err)
		err = version_check(&ch, body, &old, true);
	const struct state *s = err ? NULL : type_state(t, old.c.state);
	if (s && s->end)
		err = problem_set(p, ERR_CONFLICT, "", "已办结的记录不能修改", "a finished record cannot be edited");
	if (err)
		return err;
	struct common c = old.c;
	draft_begin(&d, t, &old, a);
	if ((err = draft_take(&d, ASK_EDIT, NULL, body, &old, by, a, p)) || (err = given_complete(&d, p)) ||
	    (err = refs_check(db, reg, &d, by, a, p)) || (err = common_derive(db, reg, &d, &c, by, false, a, p)) ||
	    (err = draft_conform(db, reg, &d, &c, ASK_EDIT, NULL, by, a, p)) || (err = person_check(&ch, &old, &c, d.vals)))
		return err;
	if (str_is(history_detail(t, &old, &c, d.vals, LABEL_EMPTY, a), "{}"))
		return OK; // nothing is different
	deadline_follow(reg, t, &old, &c, d.vals, clock_now());
	err = save(&ch, &old, &d, &c, "update", STR_EMPTY, LABEL_EMPTY);
	announce(&ch, "updated", &c);
	return err;
}

// ---- moves -------------------------------------------------------------------------------------

struct str body_text(const json_t *body, const char *key, struct arena *a)
{
	const json_t *j = json_object_get(body, key);
	return json_is_string(j) ? arena_str(a, str_trim(str_from(json_string_value(j), json_string_length(j)))) : STR_EMPTY;
}

static enum err why_not(const struct change *ch, const struct move *m, const struct row *row)
{
	const struct state *now = type_state(ch->t, row->c.state);
	struct move without = *m;
	without.nnot_same = 0;
	for (size_t i = 0; i < m->nfrom; i++)
		if (str_eq(m->from[i]->name, row->c.state)) {
			return flow_may_move(ch->t, &without, row, ch->by) ? same_told(ch, m, row) : role_told(ch, m);
		}
	problem_set(ch->p, ERR_CONFLICT, "", "现在的状态不能做这一步", "this step is not possible in the present state");
	if (now)
		problem_hint(ch->p, arena_printf(ch->a, "现在是“%.*s”，请刷新", STR_FMT(now->label.zh)).p,
		             arena_printf(ch->a, "it is now \"%.*s\"; reload", STR_FMT(now->label.en)).p);
	return ERR_CONFLICT;
}

static enum err reason_check(const struct change *ch, const struct move *m, struct str reason)
{
	if (m->reason && reason.n == 0)
		return problem_set(ch->p, ERR_INVALID, "reason", "请说明理由", "a reason is required");
	if (reason.n > LIMIT_TEXT_FIELD)
		return problem_set(ch->p, ERR_INVALID, "reason", "理由太长", "the reason is too long");
	return OK;
}

static enum err sign_check(const struct change *ch, const struct move *m, const json_t *body, bool proved)
{
	if (!m->sign || ch->by->system || proved)
		return OK;
	struct str password = body_text(body, "password", ch->a);
	if (password.n == 0)
		return problem_set(ch->p, ERR_INVALID, "password", "这一步要签名，请输入口令", "this step is signed: enter your password");
	return problem_set(ch->p, ERR_FORBIDDEN, "password", "口令不对", "the password is wrong");
}

// The condition of the move over the record with what the caller has just filled in and what is computed of it, still in its old state.
static enum err guard(const struct change *ch, const struct move *m, const struct draft *d, const struct common *c)
{
	if (!m->guard_expr)
		return OK;
	struct draft seen = draft_computed(ch->db, ch->reg, d, c, ch->by, ch->a);
	struct row row = draft_row(&seen, c);
	if (flow_holds(ch->db, ch->reg, ch->t, m->guard_expr, &row, ch->by, ch->a))
		return OK;
	problem_set(ch->p, ERR_CONFLICT, "", "现在不能做这一步", "this step is not possible now");
	ch->p->zh = arena_str(ch->p->arena, m->say.zh);
	ch->p->en = arena_str(ch->p->arena, m->say.en);
	return ERR_CONFLICT;
}

static enum err sets(const struct change *ch, const struct move *m, struct draft *d, const struct common *c)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < m->nsets; i++) {
		struct row row = draft_row(d, c);
		err = assign_put(ch, &m->sets[i], ch->t, &row, NULL, d);
	}
	return err;
}

static enum err filled(const struct change *ch, const struct move *m, struct draft *d)
{
	for (size_t i = 0; i < m->nneeds; i++) {
		enum err err = draft_has(d, m->needs[i], ch->p);
		if (err)
			return err;
	}
	return given_complete(d, ch->p);
}

static enum err move_draft(const struct change *ch, const struct move *m, const json_t *body, const struct row *old,
                           struct draft *d, struct common *c)
{
	draft_begin(d, ch->t, old, ch->a);
	enum err err = draft_take(d, ASK_MOVE, m, body, old, ch->by, ch->a, ch->p);
	if (!err)
		err = guard(ch, m, d, c);
	if (!err)
		err = sets(ch, m, d, c);
	if (!err)
		err = filled(ch, m, d);
	if (!err)
		err = refs_check(ch->db, ch->reg, d, ch->by, ch->a, ch->p);
	if (!err)
		err = common_derive(ch->db, ch->reg, d, c, ch->by, false, ch->a, ch->p);
	struct common after = *c; // what is shown and needed is decided by the state it comes to
	after.state = m->to ? m->to->name : c->state;
	if (!err)
		err = draft_conform(ch->db, ch->reg, d, &after, ASK_MOVE, m, ch->by, ch->a, ch->p);
	c->title = after.title;
	return err;
}

// The record enters its new state. A move that stays where it is (a report of progress) does not touch the clock.
static enum err take_step(const struct change *ch, const struct move *m, const struct row *old, struct common *c, const struct value *vals)
{
	if (!m->to || str_eq(m->to->name, old->c.state)) {
		deadline_follow(ch->reg, ch->t, old, c, vals, clock_now());
		return OK;
	}
	c->state = m->to->name;
	deadline_start(ch->reg, ch->t, c, vals, clock_now());
	enum err err = move_remember(ch, old, c);
	return err ? err : extensions_lapse(ch, c->id);
}

enum err flow_move(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str move,
                   const json_t *body, const struct identity *by, bool proved, struct arena *a, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	const struct move *m = type_move(t, move);
	struct row old;
	struct draft d;
	if (!m && str_is(move, "withdraw"))
		return flow_withdraw(&ch, id, body_text(body, "reason", a));
	if (!m)
		return problem_set(p, ERR_NOT_FOUND, "", "没有这一步", "there is no such step");
	enum err err = load(&ch, id, &old);
	if (!err && !flow_may_move(t, m, &old, by))
		err = why_not(&ch, m, &old);
	if (!err)
		err = move_apart(&ch, m, id);
	struct str reason = err ? STR_EMPTY : body_text(body, "reason", a);
	if (err || (err = version_check(&ch, body, &old, false)) || (err = reason_check(&ch, m, reason)) ||
	    (err = sign_check(&ch, m, body, proved)))
		return err;
	struct common c = old.c;
	if ((err = move_draft(&ch, m, body, &old, &d, &c)))
		return err;
	if ((err = release_check(&ch, m, &old, d.vals)) || (err = take_step(&ch, m, &old, &c, d.vals)) || (err = save(&ch, &old, &d, &c, "move", m->name, LABEL_SAID(reason))))
		return err;
	struct row now = { .c = c, .vals = d.vals };
	bool had;
	err = move_writes(&ch, m, &now);
	if (!err)
		err = move_opens(&ch, m, &now);
	if (!err && t->release.matrix)
		err = receipt_confirm(&ch, id, STR_EMPTY, &had); // who acts on it has it
	if (!err && m->release)
		err = release_make(&ch, m, &now, reason);
	if (!err && !str_eq(old.c.state, c.state))
		err = tell_state(&ch, &c, d.vals);
	announce(&ch, "moved", &c);
	return err;
}

enum err flow_retire(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str reason,
                     const struct identity *by, struct arena *a, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct row old;
	struct draft d;
	if (!auth_may_retire(by, t))
		return right_told(p, by, t, "你的角色不能停用这类记录", "your role may not retire records of this kind");
	reason = str_trim(reason);
	if (reason.n == 0 || reason.n > LIMIT_TEXT_FIELD)
		return problem_set(p, ERR_INVALID, "reason", "请说明理由", "a reason is required");
	enum err err = load(&ch, id, &old);
	if (!err)
		err = person_check(&ch, &old, NULL, NULL);
	if (err)
		return err;
	struct common c = old.c;
	draft_begin(&d, t, &old, a);
	c.retired = true;
	c.deadline = 0;
	err = save(&ch, &old, &d, &c, "retire", STR_EMPTY, LABEL_SAID(reason));
	if (!err)
		err = notice_settle(db, t->name, id);
	announce(&ch, "retired", &c);
	return err;
}

// ---- for the other files of flow/ --------------------------------------------------------------

enum err change_load(const struct change *ch, int64_t id, struct row *ret) { return load(ch, id, ret); }

enum err change_save(const struct change *ch, const struct row *old, struct draft *d, struct common *c, const char *action,
                     struct str name, struct label reason)
{
	return save(ch, old, d, c, action, name, reason);
}

enum err change_insert(const struct change *ch, struct draft *d, struct common *c) { return insert(ch, d, c); }

enum err change_tell(const struct change *ch, const struct common *c, const struct value *vals) { return tell_state(ch, c, vals); }

void change_announce(const struct change *ch, const char *what, const struct common *c) { announce(ch, what, c); }
