// A change being put together: the row as it is, the caller's fields over it, defaults, and the rules about which
// field may be given when. Used by flow.c in store jobs.
#include "flow/draft.h"

#include "base/time.h"

struct value *draft_slot(struct draft *d, const struct field *f)
{
	if (f->ncols)
		return &d->vals[f->col];
	return str_is(f->name, "area")       ? &d->area :
	       str_is(f->name, "enterprise") ? &d->enterprise :
	       str_is(f->name, "sector")     ? &d->sector :
	                                       &d->title;
}

static struct value text_or_null(struct str s)
{
	return s.n ? (struct value){ .kind = VAL_TEXT, .s = s } : (struct value){ .kind = VAL_NULL };
}

static struct value id_or_null(int64_t id)
{
	return id ? (struct value){ .kind = VAL_INT, .i = id } : (struct value){ .kind = VAL_NULL };
}

const struct value *row_slot(const struct field *f, const struct row *row, struct value *common)
{
	if (f->ncols)
		return &row->vals[f->col];
	*common = str_is(f->name, "area")       ? text_or_null(row->c.area) :
	          str_is(f->name, "enterprise") ? id_or_null(row->c.enterprise) :
	          str_is(f->name, "sector")     ? text_or_null(row->c.sector) :
	                                          text_or_null(row->c.title);
	return common;
}

void draft_begin(struct draft *d, const struct type *t, const struct row *old, struct arena *a)
{
	*d = (struct draft){ .t = t };
	d->vals = arena_many(a, t->table.ncols, struct value);
	d->given = arena_many(a, t->nfields, bool);
	if (!old)
		return;
	for (size_t i = 0; i < t->table.ncols; i++)
		d->vals[i] = old->vals[i];
	d->title = text_or_null(old->c.title);
	d->area = text_or_null(old->c.area);
	d->enterprise = id_or_null(old->c.enterprise);
	d->sector = text_or_null(old->c.sector);
}

bool move_asks(const struct move *m, const struct field *f)
{
	for (size_t i = 0; i < m->nneeds; i++)
		if (m->needs[i] == f)
			return true;
	for (size_t i = 0; i < m->nasks; i++)
		if (m->asks[i] == f)
			return true;
	return false;
}

// Fields that may be edited in the state the record is in: 1 yes, though readonly elsewhere; -1 no; 0 as anywhere.
static int asked_here(const struct type *t, const struct row *old, const struct field *f)
{
	const struct state *s = old ? type_state(t, old->c.state) : NULL;
	if (!s || s->nasks == 0)
		return 0;
	for (size_t i = 0; i < s->nasks; i++)
		if (s->asks[i] == f)
			return 1;
	return -1;
}

static enum err allowed(const struct field *f, enum ask ask, const struct move *m, const struct identity *by, int here,
                        struct problem *p)
{
	if (by->system)
		return OK; // the system itself: initial data
	if (!auth_may_edit_field(by, f))
		return field_wrong(p, f, ERR_FORBIDDEN, "你的角色不能填写这一项", "your role may not fill this in");
	if (f->compute)
		return field_wrong(p, f, ERR_INVALID, "由系统算出，不能填写", "is computed by the system");
	if (f->kind == FIELD_SHEET)
		return field_wrong(p, f, ERR_INVALID, "要在评分表里填写", "is written in the sheet itself");
	if (ask == ASK_EDIT && here > 0)
		return OK;
	if (ask == ASK_EDIT && here < 0)
		return field_wrong(p, f, ERR_INVALID, "在这个状态不能修改", "cannot be changed in this state");
	if (ask == ASK_MOVE && !move_asks(m, f))
		return field_wrong(p, f, ERR_INVALID, "这一步不填这一项", "is not part of this step");
	if (ask != ASK_MOVE && f->readonly)
		return field_wrong(p, f, ERR_INVALID, "由系统填写，不能修改", "is filled in by the system");
	return OK;
}

// Somebody who sees a number masked may send the form back with the mask in it: then the number stays.
static bool is_own_mask(const struct field *f, const json_t *j, const struct row *old, struct arena *a)
{
	if (!f->personal || f->kind == FIELD_ROWS || !old || !json_is_string(j) || f->ncols == 0 || old->vals[f->col].kind != VAL_TEXT)
		return false;
	return str_is(value_mask(f, old->vals[f->col].s, a), json_string_value(j));
}

static enum err take_value(const struct field *f, const json_t *j, struct value *ret, const struct row *old, const struct identity *by,
                           struct arena *a, struct problem *p)
{
	if (f->kind != FIELD_ROWS || !old || auth_sees_masked(by, f))
		return value_read(f, j, ret, a, p);
	json_t *clear = value_unmask_rows(f, j, &old->vals[f->col], a);
	enum err err = value_read(f, clear, ret, a, p);
	json_decref(clear);
	return err;
}

static bool for_the_change(const char *key)
{
	return strcmp(key, "version") == 0 || strcmp(key, "reason") == 0 || strcmp(key, "password") == 0;
}

enum err draft_take(struct draft *d, enum ask ask, const struct move *m, const json_t *body, const struct row *old,
                    const struct identity *by, struct arena *a, struct problem *p)
{
	const char *key;
	json_t *j;
	if (body && !json_is_object(body))
		return problem_set(p, ERR_INVALID, "", "请求的内容应为一个对象", "an object is expected as the body");
	json_object_foreach((json_t *)(uintptr_t)body, key, j) {
		if (for_the_change(key))
			continue;
		const struct field *f = type_field(d->t, str_of(key));
		if (!f)
			return problem_set(p, ERR_INVALID, key, "没有名为“%.60s”的字段", "there is no field \"%.60s\"", key);
		if (is_own_mask(f, j, old, a))
			continue;
		enum err err = allowed(f, ask, m, by, asked_here(d->t, old, f), p);
		if (err || (err = take_value(f, j, draft_slot(d, f), old, by, a, p)))
			return err;
		d->given[f - d->t->fields] = true;
	}
	return OK;
}

// The 12-digit code of a scope prefix: zeros behind it.
struct str area_whole(struct str prefix, struct arena *a)
{
	return prefix.n ? arena_printf(a, "%.*s%.*s", STR_FMT(prefix), (int)(12 - MIN(prefix.n, (size_t)12)), "000000000000") : prefix;
}

static struct value date_word(struct str word, int64_t now, struct arena *a)
{
	return text_or_null(str_is(word, "now") ? date_text(now, a) : word);
}

static bool number_word(const struct field *f, struct str word, struct value *ret)
{
	double v;
	if (!str_to_f64(word, &v))
		return false;
	*ret = (struct value){ .kind = f->kind == FIELD_NUMBER ? VAL_REAL : VAL_INT, .f = v };
	return f->kind == FIELD_NUMBER || money_fen(v, &ret->i);
}

enum err draft_word(const struct field *f, struct str word, const struct identity *by, struct arena *a, struct value *ret)
{
	int64_t us = by->done_at ? by->done_at : clock_now(); // "now" is when it was done, not when it arrived
	*ret = text_or_null(word);
	switch (f->kind) {
	case FIELD_NUMBER:
	case FIELD_MONEY: return number_word(f, word, ret) ? OK : ERR_BUG;
	case FIELD_BOOL: *ret = (struct value){ .kind = VAL_INT, .i = str_is(word, "true") }; break;
	case FIELD_TIME:
		if (!str_is(word, "now") && !time_parse(word, &us))
			return ERR_BUG;
		*ret = (struct value){ .kind = VAL_INT, .i = us };
		break;
	case FIELD_DATE: *ret = date_word(word, us, a); break;
	case FIELD_REF:
		*ret = id_or_null(str_is(word, "me") ? by->person : str_is(word, "my_organisation") ? by->organisation : by->scope.enterprise);
		break;
	case FIELD_MENUS: ret->s = arena_printf(a, ",%.*s,", STR_FMT(word)); break;
	case FIELD_AREA: *ret = text_or_null(area_whole(by->scope.area, a)); break;
	case FIELD_TEXT:
	case FIELD_MENU:
	case FIELD_POSITION:
	case FIELD_SHAPE:
	case FIELD_PHONE:
	case FIELD_USCC:
	case FIELD_REFS:
	case FIELD_FILES:
	case FIELD_PHOTOS:
	case FIELD_ROWS:
	case FIELD_IDCARD:
	case FIELD_SHEET:
	case FIELD_ORIGIN:
	case FIELD__MAX: break;
	}
	return OK;
}

enum err draft_defaults(struct draft *d, const struct identity *by, struct arena *a, struct problem *p)
{
	for (size_t i = 0; i < d->t->nfields; i++) {
		const struct field *f = &d->t->fields[i];
		if (!d->given[i] && f->fallback.n && draft_word(f, f->fallback, by, a, draft_slot(d, f)))
			return field_wrong(p, f, ERR_BUG, "默认值不成立", "has an impossible default");
	}
	return OK;
}

enum err draft_has(struct draft *d, const struct field *f, struct problem *p)
{
	const struct value *v = draft_slot(d, f);
	if (v->kind == VAL_NULL || (v->kind == VAL_TEXT && v->s.n == 0))
		return field_wrong(p, f, ERR_INVALID, "必须填写", "must be filled in");
	return OK;
}

enum err draft_complete(struct draft *d, const struct identity *by, struct problem *p)
{
	for (size_t i = 0; i < d->t->nfields; i++) {
		const struct field *f = &d->t->fields[i];
		enum err err = f->need && !f->when && auth_may_edit_field(by, f) ? draft_has(d, f, p) : OK;
		if (err)
			return err;
	}
	return OK;
}

enum err record_values(const struct type *t, const json_t *body, const struct row *old, const struct identity *by,
                       struct arena *a, struct value **ret, struct problem *p)
{
	struct draft d;
	draft_begin(&d, t, old, a);
	enum err err = draft_take(&d, old ? ASK_EDIT : ASK_CREATE, NULL, body, old, by, a, p);
	if (!err && !old)
		err = draft_defaults(&d, by, a, p);
	if (!err)
		err = draft_complete(&d, by, p);
	*ret = d.vals;
	return err;
}
