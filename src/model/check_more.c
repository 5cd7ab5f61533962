// What a record type says beyond fields, states and lists: drawn fields, expressions of fields, unique groups, checks,
// publication, keeping, dossier. Called by the checker when the fields of all types are known.
#include "model/check.h"

// ---- drawn fields ------------------------------------------------------------------------------
static const struct type *draw_from(struct check *c, const struct type *t, struct draw *d)
{
	const struct field *f = type_field(t, d->via);
	if (f && f->kind == FIELD_REF) {
		d->ref = f->ncols ? f : NULL;
		return registry_type(c->reg, f->to);
	}
	if (str_is(d->via, "enterprise"))
		return registry_type(c->reg, STR("enterprise"));
	return str_is(d->via, "created_by") || str_is(d->via, "changed_by") ? registry_type(c->reg, STR("person")) : NULL;
}

static void draw_path(struct check *c, const struct type *t, const struct yaml_node *at, struct str path, struct draw *d)
{
	struct str rest = path;
	d->via = str_cut(&rest, '.');
	if (d->via.n == 0 || rest.n == 0 || str_contains(rest, STR("."))) {
		DIAG(c->d, at, DRAW_PATH, STR_FMT(path));
		return;
	}
	d->to = draw_from(c, t, d);
	if (!d->to) {
		DIAG(c->d, at, DRAW_REF, STR_FMT(d->via));
		return;
	}
	d->field = type_field(d->to, rest);
	if (!d->field)
		DIAG_NEARBY(c->d, at, rest, names_of(c, d->to->fields, d->to->nfields, sizeof *d->to->fields), d->to->nfields, DRAW_FIELD,
		            STR_FMT(d->to->name), STR_FMT(rest));
}

static void check_draw(struct check *c, const struct type *t, const struct field_at *at, struct draw *d)
{
	static const struct key keys[] = {
		{ "draw", KEY_STR, true, offsetof(struct draw, via), 0 },
		{ "label", KEY_LABEL, false, offsetof(struct draw, label), 0 },
		{ "help", KEY_LABEL, false, offsetof(struct draw, help), 0 },
		{ "group", KEY_STR, false, offsetof(struct draw, group), 0 },
		{ "expert", KEY_BOOL, false, offsetof(struct draw, expert), 0 },
	};
	struct label none = { STR_EMPTY, STR_EMPTY };
	*d = (struct draw){ .name = at->name->text, .label = none, .help = none, .group = STR_EMPTY, .via = STR_EMPTY, .before = d->before };
	enum column_kind kind;
	if (!name_ok(d->name))
		DIAG(c->d, at->name, WANT_NAME, STR_FMT(d->name));
	if (type_common_column(d->name, &kind))
		DIAG(c->d, at->name, RESERVED, STR_FMT(d->name));
	if (!keys_read(c, at->n, keys, ARRAY_LEN(keys), d) || d->via.n == 0)
		return;
	draw_path(c, t, yaml_get(at->n, "draw"), d->via, d);
	if (d->field && d->label.zh.n == 0)
		d->label = d->field->label;
	for (size_t i = 0; i < t->ngroups; i++)
		if (str_eq(t->groups[i].name, d->group))
			return;
	if (d->group.n)
		DIAG_NEARBY(c->d, at_key(at->n, "group"), d->group, names_of(c, t->groups, t->ngroups, sizeof *t->groups), t->ngroups, NO_GROUP,
		            STR_FMT(d->group));
}

void check_draws(struct check *c, struct type *t)
{
	const struct fields_at *at = fields_of(c, t);
	for (size_t i = 0; i < t->ndraws; i++)
		check_draw(c, t, &at->draws[i], &t->draws[i]);
}

// ---- expressions of fields ---------------------------------------------------------------------
static void check_order(struct check *c, const struct type *t, const struct field *f, const struct yaml_node *n)
{
	for (size_t i = 0; i < f->compute->nslots; i++) {
		const struct expr_slot *s = &f->compute->slots[i];
		const struct expr_name *own = s->of.kind != EXPR_NONE ? &s->of : &s->name;
		const struct field *other = own->n == SOURCE_FIELD ? own->p : NULL;
		size_t k = other ? (size_t)(other - t->fields) : 0;
		if (other && k < t->nfields && other > f && yaml_get(fields_of(c, t)->fields[k].n, "compute"))
			DIAG(c->d, n, COMPUTE_ORDER, STR_FMT(f->name), STR_FMT(other->name));
	}
}

void check_field_exprs(struct check *c, struct type *t)
{
	const struct fields_at *at = fields_of(c, t);
	for (size_t i = 0; i < t->nfields; i++) {
		struct field *f = &t->fields[i];
		const struct yaml_node *need = yaml_get(at->fields[i].n, "need"), *when = yaml_get(at->fields[i].n, "when");
		const struct yaml_node *compute = yaml_get(at->fields[i].n, "compute");
		struct expr_name want = field_expr_name(f);
		struct expr_ask ask = { .reg = c->reg, .t = t };
		if (need && need->kind == YAML_SCALAR && !str_is(need->text, "true") && !str_is(need->text, "false"))
			f->need_if = type_expr_at(&ask, need, 0, c->a, c->d);
		if (when)
			f->when = type_expr_at(&ask, when, 0, c->a, c->d);
		if (!compute)
			continue;
		ask.want = &want;
		ask.stored = true;
		f->compute = type_expr_at(&ask, compute, 0, c->a, c->d);
		if (f->compute)
			check_order(c, t, f, compute);
	}
}

// ---- unique ------------------------------------------------------------------------------------
static bool unique_column(const struct type *t, struct str name)
{
	static const char *const common[] = { "area", "enterprise", "sector", "title" };
	const struct field *f = type_field(t, name);
	unsigned kinds = 1u << FIELD_TEXT | 1u << FIELD_NUMBER | 1u << FIELD_BOOL | 1u << FIELD_DATE | 1u << FIELD_TIME | 1u << FIELD_MENU |
	                 1u << FIELD_REF | 1u << FIELD_USCC | 1u << FIELD_AREA | 1u << FIELD_PHONE | 1u << FIELD_IDCARD | 1u << FIELD_MENUS;
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (str_is(name, common[i]))
			return true;
	return f && (kinds & 1u << f->kind);
}

static void unique_group(struct check *c, const struct type *t, const struct yaml_node *n, struct unique *u)
{
	struct str *names = NULL;
	if (n->kind != YAML_LIST) {
		DIAG(c->d, n, WANT_LIST);
		return;
	}
	if (!yaml_strs(n, c->a, &names, &u->ncols, c->d))
		return;
	u->cols = names;
	if (u->ncols < 2)
		DIAG(c->d, n, UNIQUE_ONE);
	for (size_t i = 0; i < u->ncols; i++)
		if (!unique_column(t, names[i])) {
			DIAG(c->d, at_item(n, i), UNIQUE_COLUMN, STR_FMT(names[i]));
			if (!type_field(t, names[i]))
				diag_near(c->d, names[i], names_of(c, t->fields, t->nfields, sizeof *t->fields), t->nfields);
		}
}

void check_unique(struct check *c, struct type *t, const struct yaml_node *n)
{
	if (!n)
		return;
	struct unique *all = arena_many(c->a, n->n, struct unique);
	for (size_t i = 0; i < n->n; i++)
		unique_group(c, t, n->items[i], &all[i]);
	t->table.uniques = all;
	t->table.nuniques = n->n;
}

// ---- checks ------------------------------------------------------------------------------------
struct raw_rule {
	struct check_rule r;
	struct str at;
	const struct yaml_node *that;
};

void check_rules(struct check *c, struct type *t, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "that", KEY_ANY, true, offsetof(struct raw_rule, that), 0 },
		{ "say", KEY_LABEL, true, offsetof(struct raw_rule, r.say), 0 },
		{ "at", KEY_STR, false, offsetof(struct raw_rule, at), 0 },
	};
	struct expr_ask ask = { .reg = c->reg, .t = t };
	t->checks = arena_many(c->a, n ? n->n : 0, struct check_rule);
	for (size_t i = 0; n && i < n->n; i++) {
		struct raw_rule raw = { .r = { .name = n->keys[i]->text, .say = { STR_EMPTY, STR_EMPTY } }, .at = STR_EMPTY };
		if (!name_ok(raw.r.name))
			DIAG(c->d, n->keys[i], WANT_NAME, STR_FMT(raw.r.name));
		if (!keys_read(c, n->items[i], keys, ARRAY_LEN(keys), &raw) || !raw.that)
			continue;
		raw.r.that = type_expr_at(&ask, raw.that, 0, c->a, c->d);
		if (raw.at.n)
			raw.r.at = want_field(c, t, at_key(n->items[i], "at"), raw.at);
		t->checks[t->nchecks++] = raw.r;
	}
}

// ---- publish, keep, dossier --------------------------------------------------------------------
struct raw_publish {
	struct str *show;
	size_t nshow;
	const struct yaml_node *when, *due;
};
struct raw_due {
	struct str from, on;
	const struct yaml_node *within, *where;
};

static bool published_column(struct str name)
{
	static const char *const common[] = { "number", "state", "area", "enterprise" };
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (str_is(name, common[i]))
			return true;
	return false;
}

static bool names_people(const struct field *f)
{
	for (size_t i = 0; i < f->ncolumns; i++)
		if (names_people(&f->columns[i]))
			return true;
	return (f->kind == FIELD_REF || f->kind == FIELD_REFS) && str_is(f->to, "person");
}

// Everybody reads it, without logging in: nothing that anybody is kept from elsewhere, and no file (files need a session).
static void check_published(struct check *c, const struct field *f, const struct yaml_node *at)
{
	if (f->personal)
		DIAG(c->d, at, PUBLISH_FIELD, STR_FMT(f->name));
	if (f->nread)
		DIAG(c->d, at, PUBLISH_READ, STR_FMT(f->name));
	if (names_people(f))
		DIAG(c->d, at, PUBLISH_PERSON, STR_FMT(f->name));
	if (f->kind == FIELD_FILES || f->kind == FIELD_PHOTOS || f->kind == FIELD_SHEET || f->kind == FIELD_ORIGIN)
		DIAG(c->d, at, PUBLISH_KIND, STR_FMT(f->name), field_kind_name(f->kind));
}

static const struct field *want_moment(struct check *c, const struct type *t, const struct yaml_node *at, struct str name)
{
	const struct field *f = want_field(c, t, at, name);
	if (f && f->kind != FIELD_DATE && f->kind != FIELD_TIME)
		DIAG(c->d, at, PUBLISH_DUE, STR_FMT(name));
	return f;
}

static void publish_due(struct check *c, const struct type *t, const struct yaml_node *n, struct publish_due *ret)
{
	static const struct key keys[] = {
		{ "from", KEY_STR, true, offsetof(struct raw_due, from), 0 },
		{ "within", KEY_ANY, true, offsetof(struct raw_due, within), 0 },
		{ "on", KEY_STR, true, offsetof(struct raw_due, on), 0 },
		{ "where", KEY_ANY, false, offsetof(struct raw_due, where), 0 },
	};
	struct raw_due raw = { .from = STR_EMPTY, .on = STR_EMPTY };
	struct expr_ask ask = { .reg = c->reg, .t = t };
	if (!keys_read(c, n, keys, ARRAY_LEN(keys), &raw) || !raw.from.n || !raw.on.n || !raw.within)
		return;
	ret->from = want_moment(c, t, at_key(n, "from"), raw.from);
	ret->on = want_moment(c, t, at_key(n, "on"), raw.on);
	check_span(c, raw.within, &ret->within);
	const struct expr *e = raw.where ? type_expr_at(&ask, raw.where, 0, c->a, c->d) : NULL;
	if (e)
		ret->cond = expr_to_cond_at(e, t, raw.where, c->a, c->d);
}

void check_publish(struct check *c, struct type *t, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "when", KEY_ANY, true, offsetof(struct raw_publish, when), 0 },
		{ "show", KEY_STRS, true, offsetof(struct raw_publish, show), offsetof(struct raw_publish, nshow) },
		{ "due", KEY_MAP, false, offsetof(struct raw_publish, due), 0 },
	};
	struct raw_publish raw = { 0 };
	struct expr_ask ask = { .reg = c->reg, .t = t };
	if (!n || !keys_read(c, n, keys, ARRAY_LEN(keys), &raw))
		return;
	t->publish.when = raw.when ? type_expr_at(&ask, raw.when, 0, c->a, c->d) : NULL;
	t->publish.show = arena_many(c->a, raw.nshow, struct shown);
	if (raw.due)
		publish_due(c, t, raw.due, &t->publish.due);
	if (t->publish.when)
		t->publish.cond = expr_to_cond_at(t->publish.when, t, raw.when, c->a, c->d); // the store must find them
	for (size_t i = 0; i < raw.nshow; i++) {
		const struct yaml_node *at = at_item(yaml_get(n, "show"), i);
		bool common = !type_field(t, raw.show[i]) && published_column(raw.show[i]);
		const struct field *f = common ? NULL : want_field(c, t, at, raw.show[i]);
		if (f)
			check_published(c, f, at);
		if (f || common)
			t->publish.show[t->publish.nshow++] = (struct shown){ raw.show[i], f };
	}
}

void check_keep(struct check *c, struct type *t, const struct yaml_node *n)
{
	uint64_t years = 0;
	struct str s;
	if (!n || !yaml_str(n, &s, c->d))
		return;
	if (str_is(s, "forever"))
		t->keep_years = -1;
	else if (s.n < 2 || s.p[s.n - 1] != 'y' || !str_to_u64(str_first(s, s.n - 1), &years) || years == 0 || years > 999)
		DIAG(c->d, n, KEEP, STR_FMT(s));
	else
		t->keep_years = (int)years;
}

struct raw_dossier {
	struct str section;
	const struct yaml_node *need;
};

void check_dossier(struct check *c, struct type *t, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "section", KEY_NAME, true, offsetof(struct raw_dossier, section), 0 },
		{ "need", KEY_ANY, false, offsetof(struct raw_dossier, need), 0 },
	};
	struct raw_dossier raw = { .section = STR_EMPTY };
	struct expr_ask ask = { .reg = c->reg, .t = registry_type(c->reg, STR("enterprise")) };
	if (!n || !keys_read(c, n, keys, ARRAY_LEN(keys), &raw))
		return;
	bool owned = type_field(t, STR("enterprise")) || t->enterprise_from.n || str_is(t->name, "enterprise");
	if (!owned || !ask.t) {
		DIAG(c->d, n, DOSSIER_OWNER);
		return;
	}
	const struct menu *sections = registry_menu(c->reg, STR("dossier_section"));
	if (sections && !menu_item(sections, raw.section))
		DIAG_NEARBY(c->d, at_key(n, "section"), raw.section, names_of(c, sections->items, sections->nitems, sizeof *sections->items),
		            sections->nitems, NO_ITEM, STR_FMT(sections->name), STR_FMT(raw.section));
	t->dossier.section = raw.section;
	t->dossier.always = raw.need && raw.need->kind == YAML_SCALAR && str_is(raw.need->text, "true");
	bool never = !raw.need || (raw.need->kind == YAML_SCALAR && str_is(raw.need->text, "false"));
	if (!t->dossier.always && !never)
		t->dossier.need = type_expr_at(&ask, raw.need, 0, c->a, c->d);
}
