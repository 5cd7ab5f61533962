// Written migrations: packs/*/migrations/NAME.yaml say what becomes of data that a new version of a type has no place for.
// Each is done once, in the store job that puts the new version into force; what it takes away is kept aside.
#include "base/buf.h"
#include "base/jw.h"
#include "base/time.h"
#include "config/config_int.h"
#include "model/yaml.h"
#include "store/audit.h"
#include "store/records_alter.h"

// ---- reading -----------------------------------------------------------------------------------
struct reading {
	const struct type *t;       // as in force; NULL if not known
	const struct type *now;     // as it is to become; NULL if it goes
	struct diags *d;
	struct arena *a;
	struct migration m;
	size_t cap;
};

static void step_add(struct reading *r, struct migration_step s)
{
	r->m.steps = arena_push(r->a, r->m.steps, &r->m.nsteps, &r->cap, sizeof *r->m.steps);
	r->m.steps[r->m.nsteps - 1] = s;
}

static void near_field(struct reading *r, const struct type *t, struct str word)
{
	struct str *names = arena_many(r->a, t->nfields, struct str);
	for (size_t i = 0; i < t->nfields; i++)
		names[i] = t->fields[i].name;
	diag_near(r->d, word, names, t->nfields);
}

static bool field_known(struct reading *r, const struct yaml_node *at)
{
	if (!r->t || type_field(r->t, at->text))
		return true;
	diag_say(r->d, at, "迁移所说的字段“%.*s”在现行类型中没有；请写改之前的字段名",
	         "field \"%.*s\" is not in the type as it is in force; write the name from before the change", STR_FMT(at->text));
	near_field(r, r->t, at->text);
	return false;
}

// ---- where the data goes must be there, or it would be out of sight -----------------------------
static bool same_columns(const struct type *a, const struct field *x, const struct type *b, const struct field *y)
{
	return x->ncols == y->ncols && (x->ncols == 0 || a->table.cols[x->col].kind == b->table.cols[y->col].kind);
}

static bool rename_fits(struct reading *r, const struct yaml_node *from, const struct yaml_node *to)
{
	const struct field *old = r->t ? type_field(r->t, from->text) : NULL, *now = r->now ? type_field(r->now, to->text) : NULL;
	if (!r->t || !r->now)
		return true;
	if (!now) {
		diag_say(r->d, to, "新的类型里没有字段“%.*s”，数据改名后就看不到了；请改成新的字段名",
		         "the new type has no field \"%.*s\", the data would be out of sight; write the new field's name", STR_FMT(to->text));
		near_field(r, r->now, to->text);
	} else if (type_field(r->t, to->text)) {
		diag_say(r->d, to, "字段“%.*s”现在就有，不能改成它；请换一个新字段名",
		         "there is a field \"%.*s\" already; choose another name", STR_FMT(to->text));
	} else if (!same_columns(r->t, old, r->now, now)) {
		diag_say(r->d, to, "字段“%.*s”的种类与原来的不同，数据放不进去；请保持种类，或改用 drop",
		         "field \"%.*s\" is of another kind, the data does not fit; keep the kind, or use drop", STR_FMT(to->text));
	} else {
		return true;
	}
	return false;
}

static bool drop_fits(struct reading *r, const struct yaml_node *at)
{
	const struct field *old = r->t ? type_field(r->t, at->text) : NULL, *now = r->now ? type_field(r->now, at->text) : NULL;
	if (!old || !now || !same_columns(r->t, old, r->now, now))
		return true;
	diag_say(r->d, at, "字段“%.*s”在新的类型里还在，去掉的只会是其中的数据；请先从类型里去掉它，或删去这一步",
	         "field \"%.*s\" stays in the new type, only its data would go; take it out of the type, or take out this step", STR_FMT(at->text));
	return false;
}

static bool value_fits(struct reading *r, struct str field, const struct yaml_node *to)
{
	const struct field *now = r->t && r->now ? type_field(r->now, field) : NULL;
	if (!now || !now->menu || menu_item(now->menu, to->text))
		return true;
	diag_say(r->d, to, "菜单“%.*s”没有选项“%.*s”；请改成新菜单里的值", "the menu \"%.*s\" has no item \"%.*s\"; use an item of the new menu",
	         STR_FMT(now->menu->name), STR_FMT(to->text));
	return false;
}

static bool want_pairs(struct reading *r, const struct yaml_node *n)
{
	bool ok = n->kind == YAML_MAP && n->n > 0;
	for (size_t i = 0; ok && i < n->n; i++)
		ok = n->items[i]->kind == YAML_SCALAR;
	if (!ok)
		diag_say(r->d, n, "应为 {原名: 新名}；请照此写", "{old: new} is expected; write it so");
	return ok;
}

static void read_renames(struct reading *r, const struct yaml_node *n)
{
	for (size_t i = 0; want_pairs(r, n) && i < n->n; i++)
		if (field_known(r, n->keys[i]) && rename_fits(r, n->keys[i], n->items[i]))
			step_add(r, (struct migration_step){ STEP_RENAME, .from = n->keys[i]->text, .to = n->items[i]->text });
}

static void read_drops(struct reading *r, const struct yaml_node *n)
{
	struct str *names;
	size_t count;
	if (!yaml_strs(n, r->a, &names, &count, r->d))
		return;
	for (size_t i = 0; i < count; i++)
		if (field_known(r, n->items[i]) && drop_fits(r, n->items[i]))
			step_add(r, (struct migration_step){ STEP_DROP, .field = names[i] });
}

static void read_states(struct reading *r, const struct yaml_node *n)
{
	for (size_t i = 0; want_pairs(r, n) && i < n->n; i++) {
		if (r->t && !type_state(r->t, n->keys[i]->text))
			diag_say(r->d, n->keys[i], "迁移所说的状态“%.*s”在现行类型中没有；请写改之前的状态名",
			         "state \"%.*s\" is not in the type as it is in force; write the name from before the change", STR_FMT(n->keys[i]->text));
		else if (r->t && r->now && !type_state(r->now, n->items[i]->text))
			diag_say(r->d, n->items[i], "新的类型里没有状态“%.*s”，记录会停在没有的状态；请改成新的状态名",
			         "the new type has no state \"%.*s\", records would be stuck; write the new state's name", STR_FMT(n->items[i]->text));
		else
			step_add(r, (struct migration_step){ STEP_STATE, .from = n->keys[i]->text, .to = n->items[i]->text });
	}
}

static void read_values(struct reading *r, const struct yaml_node *n)
{
	if (n->kind != YAML_MAP) {
		diag_say(r->d, n, "应为 {字段: {原值: 新值}}；请照此写", "{field: {old: new}} is expected; write it so");
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		for (size_t k = 0; want_pairs(r, n->items[i]) && field_known(r, n->keys[i]) && k < n->items[i]->n; k++)
			if (value_fits(r, n->keys[i]->text, n->items[i]->items[k]))
				step_add(r, (struct migration_step){ STEP_VALUE, .field = n->keys[i]->text, .from = n->items[i]->keys[k]->text,
				                                     .to = n->items[i]->items[k]->text });
}

static bool gather_fits(struct reading *r, const struct yaml_node *from, const struct yaml_node *into)
{
	const struct field *old = r->t ? type_field(r->t, from->text) : NULL, *now = r->now ? type_field(r->now, into->text) : NULL;
	if (!r->t || !r->now)
		return true;
	if (!now || now->kind != FIELD_ORIGIN) {
		diag_say(r->d, into, "新的类型里没有 origin 字段“%.*s”；请写上", "the new type has no origin field \"%.*s\"; write its name", STR_FMT(into->text));
		near_field(r, r->now, into->text);
	} else if (type_field(r->t, into->text) && type_field(r->t, into->text)->kind != FIELD_ORIGIN) {
		diag_say(r->d, into, "字段“%.*s”现在是别的种类；请换一个新字段名",
		         "field \"%.*s\" is of another kind now; choose another name", STR_FMT(into->text));
	} else if (old->kind != FIELD_REF || old->ncols != 1) {
		diag_say(r->d, from, "字段“%.*s”不是引用，归并不了；请删去", "field \"%.*s\" is no ref, it cannot be gathered; take it out", STR_FMT(from->text));
	} else if (!origin_type(now, old->to)) {
		diag_say(r->d, from, "“%.*s”引用的 %.*s 不用 opens 建立这种记录，归并后筛选不到；请在它的动作里写 link，或改用 drop",
		         "\"%.*s\" refers to %.*s, which opens no such records and could not be found again; write link in its moves, or use drop",
		         STR_FMT(from->text), STR_FMT(old->to));
	} else {
		return drop_fits(r, from);
	}
	return false;
}

static void read_gather(struct reading *r, const struct yaml_node *n)
{
	const struct yaml_node *into = n->kind == YAML_MAP ? yaml_get(n, "into") : NULL, *from = into ? yaml_get(n, "from") : NULL;
	static const char *const keys[] = { "into", "from", NULL };
	struct str *names, to;
	size_t count, before = 0;
	if (!from || !yaml_strs(from, r->a, &names, &count, r->d)) {
		diag_say(r->d, n, "应为 {into: 新字段, from: [原字段]}；请照此写", "{into: new, from: [old]} is expected; write it so");
		return;
	}
	yaml_check_keys(n, keys, r->d);
	if (!yaml_str(into, &to, r->d))
		return;
	struct str *others = arena_many(r->a, count + 1, struct str);
	if (r->t && type_field(r->t, to) && type_field(r->t, to)->kind == FIELD_ORIGIN)
		others[before++] = to;
	for (size_t i = 0; i < count; i++) {
		const struct field *old = r->t ? type_field(r->t, names[i]) : NULL;
		if (!field_known(r, from->items[i]) || !gather_fits(r, from->items[i], into))
			continue;
		step_add(r, (struct migration_step){ STEP_GATHER, .from = names[i], .to = to, .type = old ? old->to : STR_EMPTY,
		                                     .others = others, .nothers = before });
		others[before++] = names[i];
	}
}

static void read_step(struct reading *r, const struct yaml_node *n)
{
	static const struct { const char *key; void (*fn)(struct reading *, const struct yaml_node *); } kinds[] = {
		{ "rename", read_renames }, { "drop", read_drops }, { "state", read_states }, { "value", read_values }, { "gather", read_gather },
	};
	for (size_t i = 0; n->kind == YAML_MAP && n->n == 1 && i < ARRAY_LEN(kinds); i++)
		if (str_is(n->keys[0]->text, kinds[i].key)) {
			kinds[i].fn(r, n->items[0]);
			return;
		}
	diag_say(r->d, n, "一步应为 rename、drop、state、value、gather 之一；请改正", "a step is one of rename, drop, state, value, gather; correct it");
}

static const struct yaml_node *text_key(struct reading *r, const struct yaml_node *root, const char *key, struct str *ret)
{
	const struct yaml_node *n = yaml_get(root, key);
	if (!n)
		diag_say(r->d, root, "缺少 %s；请补上", "%s is missing; add it", key);
	return n && yaml_str(n, ret, r->d) ? n : NULL;
}

static void read_file(struct reading *r, const struct pack_file *f, const struct registry *reg, const struct registry *old, struct db *db)
{
	bool pending = false;
	static const char *const keys[] = { "migration", "type", "about", "steps", NULL };
	yaml_check_keys(f->root, keys, r->d);
	(void)text_key(r, f->root, "migration", &r->m.name);
	const struct yaml_node *type = text_key(r, f->root, "type", &r->m.type);
	if (db && r->m.name.n && !migration_pending(db, r->m.name, &pending) && pending) { // what is done speaks of what is gone
		r->t = registry_type(old, r->m.type);
		r->now = registry_type(reg, r->m.type);
		if (type && !r->t && !r->now)
			diag_say(r->d, type, "没有类型“%.*s”；请改名", "there is no type \"%.*s\"; correct it", STR_FMT(r->m.type));
	}
	const struct yaml_node *steps = yaml_get(f->root, "steps");
	if (!steps || steps->kind != YAML_LIST || steps->n == 0) {
		diag_say(r->d, steps ? steps : f->root, "缺少 steps（步骤列表）；请补上", "steps (a list) is missing; add it");
		return;
	}
	for (size_t i = 0; i < steps->n; i++)
		read_step(r, steps->items[i]);
}

bool migrations_read(const struct registry *reg, const struct registry *old, struct db *db, struct diags *d, struct arena *a,
                     struct migration **ret, size_t *ret_n)
{
	size_t before = d->n, cap = 0;
	*ret = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < reg->nfiles; i++) {
		if (!str_is(reg->files[i].folder, "migrations"))
			continue;
		struct reading r = { .d = d, .a = a, .m = { .name = STR_EMPTY, .type = STR_EMPTY } };
		read_file(&r, &reg->files[i], reg, old, db);
		for (size_t k = 0; k < *ret_n && r.m.name.n; k++)
			if (str_eq((*ret)[k].name, r.m.name))
				diag_say(d, reg->files[i].root, "有两个迁移都叫“%.*s”，后一个不会做；请换一个名字",
				         "two migrations are called \"%.*s\", the second would never be done; choose another name", STR_FMT(r.m.name));
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = r.m;
	}
	return d->n == before;
}

// ---- dry run -----------------------------------------------------------------------------------
enum err migration_pending(struct db *db, struct str name, bool *ret)
{
	struct query q;
	query_begin(&q, db, STMT_CONFIG_MIGRATION_DONE);
	query_str(&q, 1, name);
	*ret = !query_row(&q);
	return query_end(&q);
}

static enum err step_count(struct db *db, const struct type *t, const struct migration_step *s, int64_t *ret, struct problem *p)
{
	const struct field *f = type_field(t, s->field.n ? s->field : s->from);
	*ret = 0;
	switch (s->what) {
	case STEP_STATE: return records_count_value(db, &t->table, STR("state"), (struct value){ .kind = VAL_TEXT, .s = s->from }, ret, p);
	case STEP_VALUE: return records_count_value(db, &t->table, s->field, (struct value){ .kind = VAL_TEXT, .s = s->from }, ret, p);
	case STEP_RENAME:
	case STEP_GATHER:
	case STEP_DROP: break;
	}
	return f && f->ncols ? records_count_filled(db, &t->table, t->table.cols[f->col].name, ret, p) : OK;
}

static struct label step_says(const struct migration_step *s, struct arena *a)
{
	struct label l = { STR_EMPTY, STR_EMPTY };
	switch (s->what) {
	case STEP_RENAME:
		l.zh = arena_printf(a, "迁移：字段 %.*s 改名为 %.*s，数据随之", STR_FMT(s->from), STR_FMT(s->to));
		l.en = arena_printf(a, "migration: field %.*s becomes %.*s with its data", STR_FMT(s->from), STR_FMT(s->to));
		break;
	case STEP_DROP:
		l.zh = arena_printf(a, "迁移：字段 %.*s 去掉，原值另存", STR_FMT(s->field));
		l.en = arena_printf(a, "migration: field %.*s goes, its values are kept aside", STR_FMT(s->field));
		break;
	case STEP_GATHER:
		l.zh = arena_printf(a, "迁移：字段 %.*s 归入 %.*s，原值另存", STR_FMT(s->from), STR_FMT(s->to));
		l.en = arena_printf(a, "migration: field %.*s goes into %.*s, its values are kept aside too", STR_FMT(s->from), STR_FMT(s->to));
		break;
	case STEP_STATE:
		l.zh = arena_printf(a, "迁移：状态 %.*s 改为 %.*s", STR_FMT(s->from), STR_FMT(s->to));
		l.en = arena_printf(a, "migration: state %.*s becomes %.*s", STR_FMT(s->from), STR_FMT(s->to));
		break;
	case STEP_VALUE:
		l.zh = arena_printf(a, "迁移：%.*s 的 %.*s 改为 %.*s", STR_FMT(s->field), STR_FMT(s->from), STR_FMT(s->to));
		l.en = arena_printf(a, "migration: %.*s: %.*s becomes %.*s", STR_FMT(s->field), STR_FMT(s->from), STR_FMT(s->to));
		break;
	}
	return l;
}

// What a step answers for is said by the step, and is no loss any more.
static void forgive(struct config_effect *v, size_t *n, struct str type, struct str key)
{
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++)
		if (!str_eq(v[i].type, type) || !str_eq(v[i].key, key))
			v[kept++] = v[i];
	*n = kept;
}

static struct str step_key(const struct migration_step *s, struct arena *a)
{
	if (s->what == STEP_STATE)
		return effect_key("states", s->from, a);
	if (s->what == STEP_VALUE) // of the field itself nothing is said: it may not go with its data
		return arena_printf(a, "fields.%.*s.%.*s", STR_FMT(s->field), STR_FMT(s->from));
	return effect_key("fields", s->what == STEP_DROP ? s->field : s->from, a);
}

// Rows that already have another of the fields that are gathered: of two one would be lost.
static enum err step_loses(struct db *db, const struct type *t, const struct migration_step *s, struct config_effect *e, struct arena *a,
                           struct problem *p)
{
	int64_t both = 0;
	enum err err = s->what == STEP_GATHER ? records_count_both(db, &t->table, s->from, s->others, s->nothers, &both, p) : OK;
	if (err || both == 0)
		return err;
	e->loses = true;
	e->records = both;
	e->says.zh = arena_printf(a, "迁移：%lld 条记录在 %.*s 之外还有别的来源，归并会丢一个；请先用 drop 去掉其中一个字段", (long long)both, STR_FMT(s->from));
	e->says.en = arena_printf(a, "migration: %lld records have another origin beside %.*s, gathering would lose one; drop one of the fields first",
	                          (long long)both, STR_FMT(s->from));
	return OK;
}

enum err migrations_effects(struct db *db, const struct registry *old, const struct migration *v, size_t n, struct arena *a,
                            struct config_effect **effects, size_t *neffects, struct problem *p)
{
	size_t cap = *neffects;
	enum err err = OK;
	for (size_t i = 0; !err && i < n; i++) {
		bool pending = false;
		const struct type *t = registry_type(old, v[i].type);
		err = migration_pending(db, v[i].name, &pending);
		for (size_t k = 0; !err && t && pending && k < v[i].nsteps; k++)
			forgive(*effects, neffects, v[i].type, step_key(&v[i].steps[k], a));
		for (size_t k = 0; !err && t && pending && k < v[i].nsteps; k++) {
			const struct migration_step *s = &v[i].steps[k];
			int64_t rows = 0;
			err = step_count(db, t, s, &rows, p);
			*effects = arena_push(a, *effects, neffects, &cap, sizeof **effects);
			(*effects)[*neffects - 1] = (struct config_effect){ .type = v[i].type, .key = step_key(s, a), .records = rows,
				                                            .says = step_says(s, a) };
			if (!err)
				err = step_loses(db, t, s, &(*effects)[*neffects - 1], a, p);
		}
	}
	return err;
}

// ---- doing -------------------------------------------------------------------------------------
static enum err step_run(struct db *db, const struct type *t, const struct migration_step *s, int64_t *rows, struct problem *p)
{
	const struct field *f = type_field(t, s->field);
	*rows = 0;
	switch (s->what) {
	case STEP_RENAME: return records_rename_column(db, &t->table, s->from, s->to, p);
	case STEP_DROP: return records_drop_column(db, &t->table, s->field, rows, p);
	case STEP_GATHER: return records_gather_column(db, &t->table, s->from, s->type, s->to, rows, p);
	case STEP_STATE: return records_map_value(db, &t->table, STR("state"), s->from, s->to, false, rows, p);
	case STEP_VALUE: return records_map_value(db, &t->table, s->field, s->from, s->to, f && f->kind == FIELD_MENUS, rows, p);
	}
	return ERR_BUG;
}

static enum err migration_done(struct db *db, const struct migration *m, struct str detail)
{
	struct query q;
	query_begin(&q, db, STMT_CONFIG_MIGRATION_ADD);
	query_str(&q, 1, m->name);
	query_i64(&q, 2, clock_now());
	query_str(&q, 3, detail);
	return query_run(&q);
}

static enum err migration_run(struct db *db, const struct type *t, const struct migration *m, const struct identity *by, struct arena *a,
                              struct problem *p)
{
	struct buf b;
	struct jw w;
	enum err err = OK;
	buf_init(&b, 64 << 10);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "migration", m->name);
	jw_karr(&w, "steps");
	for (size_t i = 0; !err && i < m->nsteps; i++) {
		int64_t rows;
		err = step_run(db, t, &m->steps[i], &rows, p);
		jw_obj(&w);
		jw_kstr(&w, "what", step_says(&m->steps[i], a).en);
		jw_ki64(&w, "rows", rows);
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	struct str detail = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	if (err)
		return err;
	err = audit_add(db, &(struct audit_entry){ .actor = by->person, .actor_name = by->title, .action = STR("config.migrate"),
	                                           .type = m->type, .detail = detail });
	if (!err) // the rows are others now: each has an entry that says so
		err = audit_add_rows(db, m->type, &(struct audit_entry){ .actor = by->person, .actor_name = by->title,
		                     .action = STR("config.row"), .detail = arena_printf(a, "{\"migration\":\"%.*s\"}", STR_FMT(m->name)) });
	return err ? err : migration_done(db, m, detail);
}

enum err migrations_run(struct db *db, const struct registry *old, const struct migration *v, size_t n, const struct identity *by,
                        bool first, struct arena *a, struct problem *p)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < n; i++) {
		bool pending = false;
		const struct type *t = old ? registry_type(old, v[i].type) : NULL;
		err = migration_pending(db, v[i].name, &pending);
		if (!err && pending && t)
			err = migration_run(db, t, &v[i], by, a, p);
		else if (!err && pending && (old || first))
			err = migration_done(db, &v[i], STR("{}"));
	}
	return err;
}
