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

static bool field_known(struct reading *r, const struct yaml_node *at)
{
	if (!r->t || type_field(r->t, at->text))
		return true;
	diag_say(r->d, at, "迁移所说的字段“%.*s”在现行类型中没有", "field \"%.*s\" is not in the type as it is in force", STR_FMT(at->text));
	return false;
}

static bool want_pairs(struct reading *r, const struct yaml_node *n)
{
	bool ok = n->kind == YAML_MAP && n->n > 0;
	for (size_t i = 0; ok && i < n->n; i++)
		ok = n->items[i]->kind == YAML_SCALAR;
	if (!ok)
		diag_say(r->d, n, "应为 {原名: 新名}", "{old: new} is expected");
	return ok;
}

static void read_renames(struct reading *r, const struct yaml_node *n)
{
	for (size_t i = 0; want_pairs(r, n) && i < n->n; i++)
		if (field_known(r, n->keys[i]))
			step_add(r, (struct migration_step){ STEP_RENAME, .from = n->keys[i]->text, .to = n->items[i]->text });
}

static void read_drops(struct reading *r, const struct yaml_node *n)
{
	struct str *names;
	size_t count;
	if (!yaml_strs(n, r->a, &names, &count, r->d))
		return;
	for (size_t i = 0; i < count; i++)
		if (field_known(r, n->items[i]))
			step_add(r, (struct migration_step){ STEP_DROP, .field = names[i] });
}

static void read_states(struct reading *r, const struct yaml_node *n)
{
	for (size_t i = 0; want_pairs(r, n) && i < n->n; i++) {
		if (r->t && !type_state(r->t, n->keys[i]->text))
			diag_say(r->d, n->keys[i], "迁移所说的状态“%.*s”在现行类型中没有", "state \"%.*s\" is not in the type as it is in force",
			         STR_FMT(n->keys[i]->text));
		else
			step_add(r, (struct migration_step){ STEP_STATE, .from = n->keys[i]->text, .to = n->items[i]->text });
	}
}

static void read_values(struct reading *r, const struct yaml_node *n)
{
	if (n->kind != YAML_MAP) {
		diag_say(r->d, n, "应为 {字段: {原值: 新值}}", "{field: {old: new}} is expected");
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		for (size_t k = 0; want_pairs(r, n->items[i]) && field_known(r, n->keys[i]) && k < n->items[i]->n; k++)
			step_add(r, (struct migration_step){ STEP_VALUE, .field = n->keys[i]->text, .from = n->items[i]->keys[k]->text,
			                                     .to = n->items[i]->items[k]->text });
}

static void read_step(struct reading *r, const struct yaml_node *n)
{
	static const struct { const char *key; void (*fn)(struct reading *, const struct yaml_node *); } kinds[] = {
		{ "rename", read_renames }, { "drop", read_drops }, { "state", read_states }, { "value", read_values },
	};
	for (size_t i = 0; n->kind == YAML_MAP && n->n == 1 && i < ARRAY_LEN(kinds); i++)
		if (str_is(n->keys[0]->text, kinds[i].key)) {
			kinds[i].fn(r, n->items[0]);
			return;
		}
	diag_say(r->d, n, "一步应为 rename、drop、state、value 之一", "a step is one of rename, drop, state, value");
}

static const struct yaml_node *text_key(struct reading *r, const struct yaml_node *root, const char *key, struct str *ret)
{
	const struct yaml_node *n = yaml_get(root, key);
	if (!n)
		diag_say(r->d, root, "缺少 %s", "%s is missing", key);
	return n && yaml_str(n, ret, r->d) ? n : NULL;
}

static void read_file(struct reading *r, const struct pack_file *f, const struct registry *old, struct db *db)
{
	bool pending = false;
	static const char *const keys[] = { "migration", "type", "about", "steps", NULL };
	yaml_check_keys(f->root, keys, r->d);
	(void)text_key(r, f->root, "migration", &r->m.name);
	(void)text_key(r, f->root, "type", &r->m.type);
	if (db && r->m.name.n && !migration_pending(db, r->m.name, &pending) && pending) // what is done speaks of what is gone
		r->t = registry_type(old, r->m.type);
	const struct yaml_node *steps = yaml_get(f->root, "steps");
	if (!steps || steps->kind != YAML_LIST || steps->n == 0) {
		diag_say(r->d, steps ? steps : f->root, "缺少 steps（步骤列表）", "steps (a list) is missing");
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
		read_file(&r, &reg->files[i], old, db);
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
	const struct field *f = type_field(t, s->what == STEP_RENAME ? s->from : s->field);
	*ret = 0;
	switch (s->what) {
	case STEP_STATE: return records_count_value(db, &t->table, STR("state"), (struct value){ .kind = VAL_TEXT, .s = s->from }, ret, p);
	case STEP_VALUE: return records_count_value(db, &t->table, s->field, (struct value){ .kind = VAL_TEXT, .s = s->from }, ret, p);
	case STEP_RENAME:
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

// The loss that a step answers for is none any more.
static void forgive(struct config_effect *v, size_t n, struct str type, struct str key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].type, type) && str_eq(v[i].key, key))
			v[i].loses = false;
}

static struct str step_key(const struct migration_step *s, struct arena *a)
{
	if (s->what == STEP_STATE)
		return effect_key("states", s->from, a);
	return effect_key("fields", s->what == STEP_RENAME ? s->from : s->field, a);
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
		for (size_t k = 0; !err && t && pending && k < v[i].nsteps; k++) {
			const struct migration_step *s = &v[i].steps[k];
			int64_t rows = 0;
			err = step_count(db, t, s, &rows, p);
			forgive(*effects, *neffects, v[i].type, step_key(s, a));
			*effects = arena_push(a, *effects, neffects, &cap, sizeof **effects);
			(*effects)[*neffects - 1] = (struct config_effect){ .type = v[i].type, .key = step_key(s, a), .records = rows,
				                                            .says = step_says(s, a) };
		}
	}
	return err;
}

// ---- doing -------------------------------------------------------------------------------------
static enum err step_run(struct db *db, const struct type *t, const struct migration_step *s, int64_t *rows, struct problem *p)
{
	const struct field *f = type_field(t, s->what == STEP_RENAME ? s->from : s->field);
	*rows = 0;
	switch (s->what) {
	case STEP_RENAME: return records_rename_column(db, &t->table, s->from, s->to, p);
	case STEP_DROP: return records_drop_column(db, &t->table, s->field, rows, p);
	case STEP_STATE: return records_map_value(db, &t->table, STR("state"), s->from, s->to, false, rows, p);
	case STEP_VALUE: return records_map_value(db, &t->table, s->field, s->from, s->to, f && f->kind == FIELD_MENUS, rows, p);
	}
	return ERR_BUG;
}

static enum err migration_run(struct db *db, const struct type *t, const struct migration *m, const struct identity *by, struct arena *a,
                              struct problem *p)
{
	struct buf b;
	struct jw w;
	struct query q;
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
	if (err)
		return err;
	query_begin(&q, db, STMT_CONFIG_MIGRATION_ADD);
	query_str(&q, 1, m->name);
	query_i64(&q, 2, clock_now());
	query_str(&q, 3, detail);
	return query_run(&q);
}

enum err migrations_run(struct db *db, const struct registry *old, const struct migration *v, size_t n, const struct identity *by,
                        struct arena *a, struct problem *p)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < n; i++) {
		bool pending = false;
		const struct type *t = old ? registry_type(old, v[i].type) : NULL;
		err = migration_pending(db, v[i].name, &pending);
		if (!err && pending && t)
			err = migration_run(db, t, &v[i], by, a, p);
	}
	return err;
}
