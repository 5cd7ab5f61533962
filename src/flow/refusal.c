// Why a step or a value was refused, said with the names that the person knows: the fields that are the same, in which of them
// he stands, who may do the step. Called by flow.c in store jobs.
#include "flow/change.h"

static struct label label_of(const struct type *t, struct str column)
{
	static const struct { const char *name; struct label label; } common[] = {
		{ "area", { { "区域", 6 }, { "Area", 4 } } },     { "enterprise", { { "企业", 6 }, { "Enterprise", 10 } } },
		{ "sector", { { "行业", 6 }, { "Sector", 6 } } }, { "creator", { { "创建人", 9 }, { "Created by", 10 } } },
		{ "state", { { "状态", 6 }, { "State", 5 } } },   { "title", { { "标题", 6 }, { "Title", 5 } } },
	};
	const struct field *f = type_field(t, column);
	for (size_t i = 0; !f && i < ARRAY_LEN(common); i++)
		if (str_is(column, common[i].name))
			return common[i].label;
	return f ? f->label : (struct label){ column, column };
}

static void join(struct label *to, struct label one, struct arena *a)
{
	to->zh = arena_printf(a, "%.*s%s%.*s", STR_FMT(to->zh), to->zh.n ? "、" : "", STR_FMT(one.zh));
	to->en = arena_printf(a, "%.*s%s%.*s", STR_FMT(to->en), to->en.n ? ", " : "", STR_FMT(one.en));
}

// SQLite names the last column of the index: which group it is of, if the field is not unique by itself.
static const struct unique *group_of(const struct type *t, struct str column)
{
	const struct field *f = type_field(t, column);
	for (size_t i = 0; i < t->table.nuniques && !(f && f->unique); i++)
		if (str_eq(t->table.uniques[i].cols[t->table.uniques[i].ncols - 1], column))
			return &t->table.uniques[i];
	return NULL;
}

enum err twice_told(const struct change *ch, enum err err)
{
	struct label all = { STR_EMPTY, STR_EMPTY };
	struct problem *p = ch->p;
	if (err != ERR_CONFLICT || !p || p->field.n == 0)
		return err;
	const struct unique *u = group_of(ch->t, p->field);
	for (size_t i = 0; u && i < u->ncols; i++)
		join(&all, label_of(ch->t, u->cols[i]), p->arena);
	if (!u)
		all = label_of(ch->t, p->field);
	p->zh = arena_printf(p->arena, u ? "另一条记录的%.*s与此完全相同；请改其中一项，或打开那条记录" :
	                                   "%.*s：另一条记录已有相同的值；请改正，或打开那条记录", STR_FMT(all.zh));
	p->en = arena_printf(p->arena, u ? "another record has the same %.*s; change one of them, or open that record" :
	                                   "%.*s: another record has this value already; correct it, or open that record", STR_FMT(all.en));
	return err;
}

enum err same_told(const struct change *ch, const struct move *m, const struct row *row)
{
	struct label all = { STR_EMPTY, STR_EMPTY };
	for (size_t i = 0; i < m->nnot_same; i++) {
		const struct field *f = type_field(ch->t, m->not_same[i]);
		int64_t who = f ? row->vals[f->col].i : row->c.created_by;
		if (who == ch->by->person || (ch->by->actor && who == ch->by->actor))
			join(&all, label_of(ch->t, m->not_same[i]), ch->a);
	}
	problem_set(ch->p, ERR_FORBIDDEN, "", "不能由同一个人做这一步，请由另一人办理", "the same person may not do this step; somebody else must");
	if (all.zh.n)
		problem_hint(ch->p, arena_printf(ch->a, "你是这条记录的：%.*s", STR_FMT(all.zh)).p,
		             arena_printf(ch->a, "you are in this record as: %.*s", STR_FMT(all.en)).p);
	return ERR_FORBIDDEN;
}

enum err right_told(struct problem *p, const struct identity *by, const struct type *t, const char *zh, const char *en)
{
	if (by->token && !auth_may_write(by, t))
		return problem_set(p, ERR_FORBIDDEN, "", "此访问令牌不能改动这类记录；请用有 records:write 范围的令牌",
		                   "this access token may not change records of this kind; use one with the scope records:write");
	bool first = p && !p->err;
	problem_set(p, ERR_FORBIDDEN, "", "-", "-");
	if (first) {
		p->zh = str_of(zh);
		p->en = str_of(en);
	}
	return ERR_FORBIDDEN;
}

enum err role_told(const struct change *ch, const struct move *m)
{
	struct label all = { STR_EMPTY, STR_EMPTY };
	for (size_t i = 0; i < m->nwho; i++) {
		const struct role *r = registry_role(ch->reg, m->who[i]);
		if (r)
			join(&all, r->label, ch->a);
	}
	problem_set(ch->p, ERR_FORBIDDEN, "", "你的角色不能做这一步", "your role may not do this step");
	if (all.zh.n)
		problem_hint(ch->p, arena_printf(ch->a, "可以办理的角色：%.*s", STR_FMT(all.zh)).p,
		             arena_printf(ch->a, "roles that may: %.*s", STR_FMT(all.en)).p);
	return ERR_FORBIDDEN;
}
