#include "flow/reach.h"

// Somebody with this role and nothing else; scope does not matter here: the report says what within it.
static struct identity somebody(const struct role *role, const struct role **one)
{
	*one = role;
	return (struct identity){ .person = -1, .roles = one, .nroles = 1, .lang = STR("zh") };
}

// How the role comes to a move: by itself (1), as creator or named person (2), not at all (0).
static int may_move(const struct move *m, const struct role *role, bool read)
{
	int how = 0;
	for (size_t i = 0; i < m->nwho; i++) {
		if (str_eq(m->who[i], role->name))
			return 1;
		if (read && (str_is(m->who[i], "creator") || str_contains(m->who[i], STR("_of."))))
			how = 2;
	}
	return how;
}

// ---- fields ------------------------------------------------------------------------------------
enum seen { HIDDEN, MASKED, READ, WRITTEN };

static enum seen field_seen(const struct identity *id, const struct type *t, const struct field *f)
{
	if (!auth_may_read_field(id, f))
		return HIDDEN;
	if (!auth_sees_masked(id, f))
		return MASKED;
	bool writes = (auth_may_edit(id, t) || auth_may_create(id, t)) && auth_may_edit_field(id, f) && !f->readonly && !f->compute;
	return writes ? WRITTEN : READ;
}

static struct str names(const struct identity *id, const struct type *t, enum seen want, struct arena *a)
{
	struct str all = STR_EMPTY;
	for (size_t i = 0; i < t->nfields; i++)
		if (field_seen(id, t, &t->fields[i]) == want)
			all = arena_printf(a, "%.*s%s%.*s", STR_FMT(all), all.n ? " " : "", STR_FMT(t->fields[i].name));
	return all;
}

static void names_json(struct jw *w, const char *key, struct str list)
{
	jw_karr(w, key);
	while (list.n)
		jw_str(w, str_cut(&list, ' '));
	jw_end(w);
}

static void label_json(struct jw *w, struct label l)
{
	jw_kobj(w, "label");
	jw_kstr(w, "zh", l.zh);
	jw_kstr(w, "en", l.en);
	jw_end(w);
}

// ---- moves -------------------------------------------------------------------------------------
static void moves_json(struct jw *w, const struct type *t, const struct role *role, bool read)
{
	jw_karr(w, "moves");
	for (size_t i = 0; i < t->nmoves; i++) {
		const struct move *m = &t->moves[i];
		int how = may_move(m, role, read);
		if (!how)
			continue;
		jw_obj(w);
		jw_kstr(w, "name", m->name);
		label_json(w, m->label);
		jw_karr(w, "from");
		for (size_t k = 0; k < m->nfrom; k++)
			jw_str(w, m->from[k]->name);
		jw_end(w);
		jw_kstr(w, "to", m->to ? m->to->name : STR_EMPTY);
		jw_kbool(w, "as_person", how == 2); // only of records that name him: creator, owner …
		jw_end(w);
	}
	jw_end(w);
}

static struct str moves_text(const struct type *t, const struct role *role, bool read, bool en, struct arena *a)
{
	struct str all = STR_EMPTY;
	for (size_t i = 0; i < t->nmoves; i++) {
		const struct move *m = &t->moves[i];
		int how = may_move(m, role, read);
		struct str label = en ? m->label.en : m->label.zh, from = STR_EMPTY, to = m->to ? en ? m->to->label.en : m->to->label.zh : STR_EMPTY;
		for (size_t k = 0; how && k < m->nfrom; k++)
			from = arena_printf(a, "%.*s%s%.*s", STR_FMT(from), k ? "/" : "", STR_FMT(en ? m->from[k]->label.en : m->from[k]->label.zh));
		if (how)
			all = arena_printf(a, "%.*s%s%.*s (%.*s→%.*s)%s", STR_FMT(all), all.n ? "; " : "", STR_FMT(label), STR_FMT(from), STR_FMT(to),
			                   how == 1 ? "" : en ? " [own]" : "［本人］");
	}
	return all;
}

// ---- the report --------------------------------------------------------------------------------
static const char *unmask_name(enum unmask u)
{
	return u == UNMASK_ALWAYS ? "always" : u == UNMASK_REASON ? "reason" : "no";
}

static void strs_json(struct jw *w, const char *key, const struct str *v, size_t n)
{
	jw_karr(w, key);
	for (size_t i = 0; i < n; i++)
		jw_str(w, v[i]);
	jw_end(w);
}

static void type_reach(struct jw *w, const struct identity *id, const struct type *t, const struct role *role, struct arena *a)
{
	bool read = auth_may_read(id, t);
	jw_obj(w);
	jw_kstr(w, "type", t->name);
	label_json(w, t->label);
	jw_kbool(w, "read", read);
	jw_kbool(w, "create", read && auth_may_create(id, t));
	jw_kbool(w, "edit", read && auth_may_edit(id, t));
	jw_kbool(w, "retire", read && auth_may_retire(id, t));
	jw_kbool(w, "export", read);
	moves_json(w, t, role, read);
	names_json(w, "editable", read ? names(id, t, WRITTEN, a) : STR_EMPTY);
	names_json(w, "masked", read ? names(id, t, MASKED, a) : STR_EMPTY);
	names_json(w, "hidden", read ? names(id, t, HIDDEN, a) : STR_EMPTY);
	jw_end(w);
}

void reach_json(struct jw *w, const struct registry *reg, const struct role *role, struct arena *a)
{
	const struct role *one;
	struct identity id = somebody(role, &one);
	jw_obj(w);
	jw_kstr(w, "role", role->name);
	label_json(w, role->label);
	strs_json(w, "may", role->may, role->nmay);
	strs_json(w, "manages", role->manages, role->nmanages);
	jw_kcstr(w, "unmask", unmask_name(role->unmask));
	jw_kbool(w, "second_factor", role->second_factor);
	jw_karr(w, "types");
	for (size_t i = 0; i < reg->ntypes; i++)
		type_reach(w, &id, &reg->types[i], role, a);
	jw_end(w);
	jw_end(w);
}

static void cell(struct buf *out, struct str s, bool last)
{
	buf_add_u8(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_add_u8(out, '"');
		buf_add_u8(out, (uint8_t)s.p[i]);
	}
	buf_add_cstr(out, last ? "\"\n" : "\",");
}

static struct str mark(bool yes) { return yes ? STR("✓") : STR_EMPTY; }

void reach_csv(struct buf *out, const struct registry *reg, const struct role *role, bool en, struct arena *a)
{
	static const struct label heads[] = {
		{ STR("类型"), STR("Type") }, { STR("查看"), STR("Read") }, { STR("新建"), STR("Create") }, { STR("修改"), STR("Edit") },
		{ STR("停用"), STR("Retire") }, { STR("导出"), STR("Export") }, { STR("可办步骤"), STR("Moves") },
		{ STR("可填字段"), STR("Fields written") }, { STR("脱敏字段"), STR("Fields masked") }, { STR("不可见字段"), STR("Fields hidden") },
	};
	const struct role *one;
	struct identity id = somebody(role, &one);
	buf_add_cstr(out, "\xef\xbb\xbf"); // so that spreadsheets read it as UTF-8
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		cell(out, en ? heads[i].en : heads[i].zh, i + 1 == ARRAY_LEN(heads));
	for (size_t i = 0; i < reg->ntypes; i++) {
		const struct type *t = &reg->types[i];
		bool read = auth_may_read(&id, t);
		cell(out, en ? t->label.en : t->label.zh, false);
		cell(out, mark(read), false);
		cell(out, mark(read && auth_may_create(&id, t)), false);
		cell(out, mark(read && auth_may_edit(&id, t)), false);
		cell(out, mark(read && auth_may_retire(&id, t)), false);
		cell(out, mark(read), false);
		cell(out, moves_text(t, role, read, en, a), false);
		cell(out, read ? names(&id, t, WRITTEN, a) : STR_EMPTY, false);
		cell(out, read ? names(&id, t, MASKED, a) : STR_EMPTY, false);
		cell(out, read ? names(&id, t, HIDDEN, a) : STR_EMPTY, true);
	}
}

static void line(struct buf *out, const char *what, struct str text)
{
	if (text.n)
		buf_printf(out, "    %s %.*s\n", what, STR_FMT(text));
}

static struct str joined(const struct str *v, size_t n, struct arena *a)
{
	struct str all = STR_EMPTY;
	for (size_t i = 0; i < n; i++)
		all = arena_printf(a, "%.*s%s%.*s", STR_FMT(all), i ? " " : "", STR_FMT(v[i]));
	return all;
}

void reach_text(struct buf *out, const struct registry *reg, const struct role *role, bool en, struct arena *a)
{
	const struct role *one;
	struct identity id = somebody(role, &one);
	struct str label = en ? role->label.en : role->label.zh;
	buf_printf(out, "%.*s (%.*s)\n", STR_FMT(role->name), STR_FMT(label));
	line(out, en ? "permissions:" : "权限：", joined(role->may, role->nmay, a));
	line(out, en ? "manages:" : "可管理的角色：", joined(role->manages, role->nmanages, a));
	line(out, en ? "personal data in the clear:" : "完整个人信息：", str_of(unmask_name(role->unmask)));
	line(out, en ? "second factor:" : "第二因素：", role->second_factor ? STR("✓") : STR_EMPTY);
	for (size_t i = 0; i < reg->ntypes; i++) {
		const struct type *t = &reg->types[i];
		struct str name = en ? t->label.en : t->label.zh;
		if (!auth_may_read(&id, t))
			continue;
		buf_printf(out, "\n  %.*s (%.*s): %s%s%s%s\n", STR_FMT(name), STR_FMT(t->name), en ? "read export" : "查看 导出",
		           auth_may_create(&id, t) ? en ? " create" : " 新建" : "", auth_may_edit(&id, t) ? en ? " edit" : " 修改" : "",
		           auth_may_retire(&id, t) ? en ? " retire" : " 停用" : "");
		line(out, en ? "moves:" : "步骤：", moves_text(t, role, true, en, a));
		line(out, en ? "fields masked:" : "脱敏：", names(&id, t, MASKED, a));
		line(out, en ? "fields hidden:" : "不可见：", names(&id, t, HIDDEN, a));
	}
}
