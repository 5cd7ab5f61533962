// Records in action: create, edit, move, retire, open. Every function runs in a store job; the change, its audit entry
// and its notices are one transaction, and listeners hear of it after the commit.
#include "flow/flow.h"

#include "base/limits.h"
#include "base/time.h"
#include "flow/draft.h"

struct change {             // what the functions below pass on
	struct db *db;
	const struct registry *reg;
	const struct type *t;
	const struct identity *by;
	struct arena *a;
	struct problem *p;
};

// ---- the end of every change -------------------------------------------------------------------

static struct str due_text(const struct common *c, struct arena *a, bool zh)
{
	char text[TIME_TEXT_MAX];
	if (!c->deadline)
		return STR_EMPTY;
	size_t n = time_text(c->deadline - c->deadline % US_PER_S, text);
	return zh ? arena_printf(a, "，时限 %.*s", (int)MIN(n, (size_t)19), text) : arena_printf(a, ", due %.*s", (int)MIN(n, (size_t)19), text);
}

// Those whose duty the new state is, and those who are to know.
static enum err tell_state(const struct change *ch, const struct common *c)
{
	const struct state *s = type_state(ch->t, c->state);
	if (!s)
		return OK;
	struct str due_zh = due_text(c, ch->a, true), due_en = due_text(c, ch->a, false);
	struct str zh = arena_printf(ch->a, "%.*s %.*s：%.*s%.*s", STR_FMT(ch->t->label.zh), STR_FMT(c->number), STR_FMT(s->label.zh),
	                             STR_FMT(due_zh));
	struct str en = arena_printf(ch->a, "%.*s %.*s: %.*s%.*s", STR_FMT(ch->t->label.en), STR_FMT(c->number), STR_FMT(s->label.en),
	                             STR_FMT(due_en));
	enum err err = OK;
	for (size_t i = 0; !err && i < s->nwho + s->ntell; i++) {
		struct str role = i < s->nwho ? s->who[i] : s->tell[i - s->nwho];
		err = flow_notify_role(ch->db, role, c->area, c->enterprise, zh, en, ch->t->name, c->id);
	}
	return err;
}

static void announce(const struct change *ch, const char *what, const struct common *c)
{
	flow_changed(ch->db, &(struct record_event){ .what = what, .type = ch->t->name, .id = c->id, .state = c->state,
	                                             .area = c->area, .enterprise = c->enterprise });
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
	deadline_start(ch->t, c, d->vals, now);
	if (ch->t->nstates && c->thread == 0)
		err = records_next_seq(ch->db, STR("thread"), &c->thread);
	if (!err)
		err = number_next(ch->db, ch->t, c, ch->a, &c->number);
	if (!err)
		err = records_insert(ch->db, &ch->t->table, c, d->vals, ch->p);
	if (err)
		return err;
	struct str detail = history_detail(ch->t, NULL, c, d->vals, STR_EMPTY, ch->a);
	err = history_add(ch->db, ch->t, c->id, "create", STR_EMPTY, detail, ch->by);
	if (!err)
		err = tell_state(ch, c);
	announce(ch, "created", c);
	return err;
}

// Roles of persons are given by administrators only, and not to themselves: auth/ decides.
static enum err grant_check(const struct change *ch, const struct row *old, struct draft *d)
{
	const struct field *f = str_is(ch->t->name, "person") ? type_field(ch->t, STR("role")) : NULL;
	if (!f || f->kind != FIELD_MENUS)
		return OK;
	struct value was = old ? old->vals[f->col] : (struct value){ .kind = VAL_NULL }, is = d->vals[f->col];
	return auth_check_grant(ch->by, old ? old->c.id : 0, was.kind == VAL_TEXT ? was.s : STR_EMPTY,
	                        is.kind == VAL_TEXT ? is.s : STR_EMPTY, ch->p);
}

static struct common common_empty(void)
{
	return (struct common){ .number = STR_EMPTY, .state = STR_EMPTY, .area = STR_EMPTY, .title = STR_EMPTY };
}

enum err flow_create(struct db *db, const struct registry *reg, const struct type *t, const json_t *body,
                     const struct identity *by, struct arena *a, int64_t *ret_id, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct common c = common_empty();
	struct draft d;
	if (!auth_may_create(by, t))
		return problem_set(p, ERR_FORBIDDEN, "", "你的角色不能新建这类记录", "your role may not create records of this kind");
	draft_begin(&d, t, NULL, a);
	enum err err = draft_take(&d, ASK_CREATE, NULL, body, NULL, by, a, p);
	if (!err)
		err = draft_defaults(&d, by, a, p);
	if (!err)
		err = draft_complete(&d, p);
	if (!err)
		err = refs_check(db, reg, &d, by, a, p);
	if (!err)
		err = grant_check(&ch, NULL, &d);
	if (!err)
		err = common_derive(db, reg, &d, &c, by, true, a, p);
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

static enum err save(const struct change *ch, const struct row *old, struct draft *d, struct common *c, const char *action,
                     struct str name, struct str reason)
{
	c->version = old->c.version + 1;
	c->type_version = ch->t->version;
	c->changed_at = clock_now();
	c->changed_by = ch->by->person;
	struct str detail = history_detail(ch->t, old, c, d->vals, reason, ch->a);
	enum err err = records_update(ch->db, &ch->t->table, c, d->vals, ch->p);
	return err ? err : history_add(ch->db, ch->t, c->id, action, name, detail, ch->by);
}

static enum err given_complete(struct draft *d, struct problem *p)
{
	for (size_t i = 0; i < d->t->nfields; i++) {
		const struct field *f = &d->t->fields[i];
		enum err err = d->given[i] && f->need ? draft_has(d, f, p) : OK;
		if (err)
			return err;
	}
	return OK;
}

// Another level means another time allowed, counted from when the record entered the state.
static void deadline_follow(const struct type *t, const struct row *old, struct common *c, const struct value *vals)
{
	const struct state *s = type_state(t, c->state);
	if (!s || !s->within.by || value_same(old->vals[s->within.by->col], vals[s->within.by->col]))
		return;
	int64_t at = c->state_at, us = state_allows(t, s, vals);
	c->deadline = us ? at + us : 0;
	c->escalated = 0;
}

enum err flow_edit(struct db *db, const struct registry *reg, const struct type *t, int64_t id, const json_t *body,
                   const struct identity *by, struct arena *a, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	struct row old;
	struct draft d;
	if (!auth_may_edit(by, t))
		return problem_set(p, ERR_FORBIDDEN, "", "你的角色不能修改这类记录", "your role may not edit records of this kind");
	enum err err = load(&ch, id, &old);
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
	    (err = refs_check(db, reg, &d, by, a, p)) || (err = grant_check(&ch, &old, &d)) ||
	    (err = common_derive(db, reg, &d, &c, by, false, a, p)))
		return err;
	if (str_is(history_detail(t, &old, &c, d.vals, STR_EMPTY, a), "{}"))
		return OK; // nothing is different
	deadline_follow(t, &old, &c, d.vals);
	err = save(&ch, &old, &d, &c, "update", STR_EMPTY, STR_EMPTY);
	announce(&ch, "updated", &c);
	return err;
}

// ---- moves -------------------------------------------------------------------------------------

static struct str body_text(const json_t *body, const char *key, struct arena *a)
{
	const json_t *j = json_object_get(body, key);
	return json_is_string(j) ? arena_str(a, str_trim(str_from(json_string_value(j), json_string_length(j)))) : STR_EMPTY;
}

static enum err why_not(const struct change *ch, const struct move *m, const struct row *row)
{
	const struct state *now = type_state(ch->t, row->c.state);
	struct move without = *m;
	without.not_same = STR_EMPTY;
	for (size_t i = 0; i < m->nfrom; i++)
		if (str_eq(m->from[i]->name, row->c.state)) {
			if (flow_may_move(ch->t, &without, row, ch->by))
				return problem_set(ch->p, ERR_FORBIDDEN, "", "不能由同一个人做这一步，请由另一人办理",
				                   "the same person may not do this step; somebody else must");
			return problem_set(ch->p, ERR_FORBIDDEN, "", "你的角色不能做这一步", "your role may not do this step");
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

static enum err sign_check(const struct change *ch, const struct move *m, const json_t *body, struct auth *au)
{
	if (!m->sign)
		return OK;
	struct str password = body_text(body, "password", ch->a);
	if (password.n == 0)
		return problem_set(ch->p, ERR_INVALID, "password", "这一步要签名，请输入口令", "this step is signed: enter your password");
	if (!au || auth_check_password(au, ch->by, password))
		return problem_set(ch->p, ERR_FORBIDDEN, "password", "口令不对", "the password is wrong");
	return OK;
}

static enum err sets(const struct change *ch, const struct move *m, struct draft *d)
{
	for (size_t i = 0; i < m->nsets; i++) {
		const struct field *f = type_field(ch->t, m->set_fields[i]);
		enum err err = f ? draft_word(f, m->set_values[i], ch->by, ch->a, draft_slot(d, f)) : ERR_BUG;
		if (err)
			return err;
	}
	return OK;
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
		err = sets(ch, m, d);
	if (!err)
		err = filled(ch, m, d);
	if (!err)
		err = refs_check(ch->db, ch->reg, d, ch->by, ch->a, ch->p);
	if (!err)
		err = common_derive(ch->db, ch->reg, d, c, ch->by, false, ch->a, ch->p);
	return err;
}

enum err flow_move(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str move,
                   const json_t *body, const struct identity *by, struct auth *au, struct arena *a, struct problem *p)
{
	struct change ch = { db, reg, t, by, a, p };
	const struct move *m = type_move(t, move);
	struct row old;
	struct draft d;
	if (!m || !m->to)
		return problem_set(p, ERR_NOT_FOUND, "", "没有这一步", "there is no such step");
	enum err err = load(&ch, id, &old);
	if (!err && !flow_may_move(t, m, &old, by))
		err = why_not(&ch, m, &old);
	struct str reason = err ? STR_EMPTY : body_text(body, "reason", a);
	if (err || (err = version_check(&ch, body, &old, false)) || (err = reason_check(&ch, m, reason)) ||
	    (err = sign_check(&ch, m, body, au)))
		return err;
	struct common c = old.c;
	if ((err = move_draft(&ch, m, body, &old, &d, &c)))
		return err;
	c.state = m->to->name;
	deadline_start(t, &c, d.vals, clock_now());
	err = save(&ch, &old, &d, &c, "move", m->name, reason);
	if (!err)
		err = tell_state(&ch, &c);
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
		return problem_set(p, ERR_FORBIDDEN, "", "你的角色不能停用这类记录", "your role may not retire records of this kind");
	reason = str_trim(reason);
	if (reason.n == 0 || reason.n > LIMIT_TEXT_FIELD)
		return problem_set(p, ERR_INVALID, "reason", "请说明理由", "a reason is required");
	enum err err = load(&ch, id, &old);
	if (err)
		return err;
	struct common c = old.c;
	draft_begin(&d, t, &old, a);
	c.retired = true;
	c.deadline = 0;
	err = save(&ch, &old, &d, &c, "retire", STR_EMPTY, reason);
	announce(&ch, "retired", &c);
	return err;
}
