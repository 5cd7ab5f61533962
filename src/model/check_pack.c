// Checks menus, roles, kinds of measurement and what packs say of themselves. Called by registry_load.
#include "base/workday.h"
#include "model/check.h"

static bool item_name_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' ||
		      ch == '-' || ch == '.'))
			return false;
	}
	return s.n > 0 && s.n <= 48;
}

struct raw_item {
	struct menu_item m;
	const struct yaml_node *cap;
};

static const struct key item_keys[] = {
	{ "label", KEY_LABEL, true, offsetof(struct raw_item, m.label), 0 },
	{ "color", KEY_STR, false, offsetof(struct raw_item, m.color), 0 },
	{ "help", KEY_TEXTS, false, offsetof(struct raw_item, m.help), 0 },
	{ "parent", KEY_STR, false, offsetof(struct raw_item, m.parent), 0 },
	{ "ended", KEY_STR, false, offsetof(struct raw_item, m.ended), 0 },
	{ "cap", KEY_MAP, false, offsetof(struct raw_item, cap), 0 },
};

static void check_item(struct check *c, const struct yaml_node *name, const struct yaml_node *n, struct menu_item *item)
{
	struct raw_item raw = { .m = { .value = name->text } };
	raw.m.color = raw.m.help.zh = raw.m.help.en = raw.m.parent = raw.m.ended = STR_EMPTY;
	if (!item_name_ok(name->text))
		DIAG(c->d, name, ITEM_NAME, STR_FMT(name->text));
	if (keys_read(c, n, item_keys, ARRAY_LEN(item_keys), &raw))
		check_color(c, n, raw.m.color);
	check_cap(c, raw.cap, &raw.m.cap);
	int64_t day = 0;
	if (raw.m.ended.n && !day_parse(raw.m.ended, &day))
		DIAG(c->d, at_key(n, "ended"), ITEM_ENDED, STR_FMT(raw.m.ended));
	*item = raw.m;
}

// A parent stands before its children, so that there is no circle.
static void check_parents(struct check *c, const struct menu *m, const struct yaml_node *items)
{
	for (size_t i = 0; i < m->nitems; i++) {
		struct menu above = { .items = m->items, .nitems = i };
		struct str parent = m->items[i].parent;
		if (parent.n && !menu_item(&above, parent))
			DIAG_NEARBY(c->d, at_key(items->items[i], "parent"), parent, names_of(c, m->items, i, sizeof *m->items), i, ITEM_PARENT,
			            STR_FMT(parent));
	}
}

// The items as expressions know them.
void check_choices(struct check *c, struct menu *m)
{
	struct expr_item *items = arena_many(c->a, m->nitems, struct expr_item);
	for (size_t i = 0; i < m->nitems; i++)
		items[i] = (struct expr_item){ m->items[i].value, m->items[i].label.zh, m->items[i].label.en };
	m->choices = items;
}

struct raw_menu {
	struct menu m;
	const struct yaml_node *items;
};

void check_menu(struct check *c, const struct source *s)
{
	static const struct key keys[] = {
		{ "menu", KEY_NAME, true, offsetof(struct raw_menu, m.name), 0 },
		{ "label", KEY_LABEL, true, offsetof(struct raw_menu, m.label), 0 },
		{ "items", KEY_MAP, true, offsetof(struct raw_menu, items), 0 },
	};
	struct raw_menu raw = { .m.name = STR_EMPTY };
	if (!keys_read(c, s->root, keys, ARRAY_LEN(keys), &raw) || raw.m.name.n == 0)
		return;
	if (!declare(c, 'm', raw.m.name, at_key(s->root, "menu")))
		return;
	if (raw.items && raw.items->n == 0)
		DIAG(c->d, raw.items, MENU_EMPTY);
	raw.m.nitems = raw.items ? raw.items->n : 0;
	raw.m.items = arena_many(c->a, raw.m.nitems, struct menu_item);
	for (size_t i = 0; i < raw.m.nitems; i++)
		check_item(c, raw.items->keys[i], raw.items->items[i], &raw.m.items[i]);
	if (raw.items)
		check_parents(c, &raw.m, raw.items);
	raw.m.version = text_version(s->text, 0);
	c->reg->menus[c->reg->nmenus++] = raw.m;
}

// Every permission that some part of the platform asks for (auth_may); a part that asks for a new one adds it here.
static const struct str permissions[] = {
	{ "alarm.read", 10 }, { "alarm.handle", 12 }, { "alarm.reset", 11 }, { "alarm.shelve", 12 }, { "device.read", 11 }, { "device.manage", 13 },
	{ "audit.read", 10 }, { "user.manage", 11 }, { "user.manage.below", 17 }, { "session.manage", 14 }, { "config.change", 13 },
	{ "notify.read", 11 }, { "notify.manage", 13 }, { "risk.calc", 9 }, { "report.unseal", 13 }, { "quality.read", 12 },
};

const char *permission_name(size_t i) { return i < ARRAY_LEN(permissions) ? permissions[i].p : NULL; }

static void check_permission(struct check *c, const struct yaml_node *at, struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(permissions); i++)
		if (str_eq(permissions[i], s))
			return;
	DIAG_NEARBY(c->d, at, s, permissions, ARRAY_LEN(permissions), PERMISSION, STR_FMT(s));
}

struct raw_role {
	struct role r;
	struct str unmask;
};

static void check_unmask(struct check *c, const struct yaml_node *root, struct raw_role *raw)
{
	static const struct str known[] = { { "reason", 6 }, { "always", 6 } };
	if (raw->unmask.n == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(known[i], raw->unmask)) {
			raw->r.unmask = (enum unmask)(UNMASK_REASON + i);
			return;
		}
	DIAG_NEARBY(c->d, at_key(root, "unmask"), raw->unmask, known, ARRAY_LEN(known), UNMASK, STR_FMT(raw->unmask));
}

void check_role(struct check *c, const struct source *s)
{
	static const struct key keys[] = {
		{ "role", KEY_NAME, true, offsetof(struct raw_role, r.name), 0 },
		{ "label", KEY_LABEL, true, offsetof(struct raw_role, r.label), 0 },
		{ "unmask", KEY_STR, false, offsetof(struct raw_role, unmask), 0 },
		{ "demo", KEY_BOOL, false, offsetof(struct raw_role, r.demo), 0 },
		{ "bound", KEY_STR, false, offsetof(struct raw_role, r.bound), 0 },
		{ "may", KEY_STRS, false, offsetof(struct raw_role, r.may), offsetof(struct raw_role, r.nmay) },
		{ "manages", KEY_STRS, false, offsetof(struct raw_role, r.manages), offsetof(struct raw_role, r.nmanages) },
		{ "second_factor", KEY_BOOL, false, offsetof(struct raw_role, r.second_factor), 0 },
	};
	struct raw_role raw = { .r = { .name = STR_EMPTY, .bound = STR_EMPTY }, .unmask = STR_EMPTY };
	if (!keys_read(c, s->root, keys, ARRAY_LEN(keys), &raw) || raw.r.name.n == 0)
		return;
	if (!declare(c, 'r', raw.r.name, at_key(s->root, "role")))
		return;
	check_unmask(c, s->root, &raw);
	if (raw.r.bound.n && !str_is(raw.r.bound, "area") && !str_is(raw.r.bound, "enterprise"))
		DIAG(c->d, at_key(s->root, "bound"), BOUND, STR_FMT(raw.r.bound));
	for (size_t i = 0; i < raw.r.nmay; i++)
		check_permission(c, at_item(yaml_get(s->root, "may"), i), raw.r.may[i]);
	c->reg->roles[c->reg->nroles++] = raw.r;
}

void check_manages(struct check *c, const struct source *s)
{
	const struct yaml_node *name = yaml_get(s->root, "role"), *list = yaml_get(s->root, "manages");
	for (size_t i = 0; list && name && name->kind == YAML_SCALAR && i < c->reg->nroles; i++)
		if (str_eq(c->reg->roles[i].name, name->text))
			check_roles(c, list, &c->reg->roles[i].manages, &c->reg->roles[i].nmanages);
}

static void check_dimension(struct check *c, const struct yaml_node *root, struct str dimension)
{
	static const struct str known[] = { { "people", 6 },  { "equipment", 9 }, { "process", 7 },
		                            { "storage", 7 }, { "logistics", 9 }, { "environment", 11 } };
	if (dimension.n == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(known[i], dimension))
			return;
	DIAG_NEARBY(c->d, at_key(root, "dimension"), dimension, known, ARRAY_LEN(known), DIMENSION, STR_FMT(dimension));
}

bool check_payload(struct check *c, const struct source *s, struct menu_item *ret)
{
	const struct yaml_node *name = yaml_get(s->root, "payload"), *label = yaml_get(s->root, "label");
	*ret = (struct menu_item){ .color = STR_EMPTY, .help = { STR_EMPTY, STR_EMPTY }, .parent = STR_EMPTY };
	if (s->root->kind != YAML_MAP)
		return false; // said when it is kept
	if (!name || !label) {
		DIAG(c->d, s->root, MISSING_KEY, name ? "label" : "payload");
		return false;
	}
	if (!yaml_str(name, &ret->value, c->d) || !yaml_label(label, &ret->label, c->d))
		return false;
	if (!name_ok(ret->value))
		DIAG(c->d, name, WANT_NAME, STR_FMT(ret->value));
	return declare(c, 'l', ret->value, name);
}

#define RETENTION_LEAST (31 * US_PER_DAY) // files are months

struct raw_kind {
	struct point_kind k;
	bool has_min, has_max;
};

void check_kind(struct check *c, const struct source *s)
{
	static const struct key keys[] = {
		{ "point", KEY_NAME, true, offsetof(struct raw_kind, k.name), 0 },
		{ "label", KEY_LABEL, true, offsetof(struct raw_kind, k.label), 0 },
		{ "unit", KEY_STR, true, offsetof(struct raw_kind, k.unit), 0 },
		{ "min", KEY_F64, true, offsetof(struct raw_kind, k.min), offsetof(struct raw_kind, has_min) },
		{ "max", KEY_F64, true, offsetof(struct raw_kind, k.max), offsetof(struct raw_kind, has_max) },
		{ "decimals", KEY_INT, false, offsetof(struct raw_kind, k.decimals), 0 },
		{ "interval", KEY_DURATION, true, offsetof(struct raw_kind, k.interval), 0 },
		{ "stale_after", KEY_DURATION, true, offsetof(struct raw_kind, k.stale_after), 0 },
		{ "dimension", KEY_STR, false, offsetof(struct raw_kind, k.dimension), 0 },
		{ "frozen", KEY_BOOL, false, offsetof(struct raw_kind, k.frozen), 0 },
		{ "copied", KEY_BOOL, false, offsetof(struct raw_kind, k.copied), 0 },
		{ "impossible", KEY_BOOL, false, offsetof(struct raw_kind, k.impossible), 0 },
		{ "fastest", KEY_F64, false, offsetof(struct raw_kind, k.fastest), 0 },
		{ "drift", KEY_DURATION, false, offsetof(struct raw_kind, k.drift), 0 },
		{ "drift_least", KEY_F64, false, offsetof(struct raw_kind, k.drift_least), 0 },
		{ "retention", KEY_DURATION, false, offsetof(struct raw_kind, k.retention), 0 },
		{ "retention_hours", KEY_DURATION, false, offsetof(struct raw_kind, k.retention_hours), 0 },
	};
	struct raw_kind raw = { .k = { .name = STR_EMPTY, .unit = STR_EMPTY, .dimension = STR_EMPTY } };
	if (!keys_read(c, s->root, keys, ARRAY_LEN(keys), &raw) || raw.k.name.n == 0)
		return;
	if (!declare(c, 'p', raw.k.name, at_key(s->root, "point")))
		return;
	if (raw.has_min && raw.has_max && raw.k.min >= raw.k.max)
		DIAG(c->d, at_key(s->root, "min"), BOUNDS);
	if (raw.k.decimals < 0 || raw.k.decimals > 9)
		DIAG(c->d, at_key(s->root, "decimals"), DECIMALS);
	if (raw.k.interval && raw.k.stale_after && raw.k.stale_after <= raw.k.interval)
		DIAG(c->d, at_key(s->root, "stale_after"), STALE);
	if (raw.k.retention && raw.k.retention < RETENTION_LEAST)
		DIAG(c->d, at_key(s->root, "retention"), RETENTION);
	if (raw.k.retention_hours && (!raw.k.retention || raw.k.retention_hours < raw.k.retention))
		DIAG(c->d, at_key(s->root, "retention_hours"), RETENTION_HOURS);
	if ((raw.k.drift > 0) != (raw.k.drift_least > 0))
		DIAG(c->d, at_key(s->root, raw.k.drift > 0 ? "drift" : "drift_least"), DRIFT);
	check_dimension(c, s->root, raw.k.dimension);
	c->reg->kinds[c->reg->nkinds++] = raw.k;
}

struct raw_about {
	struct pack p;
	struct str section;
	struct str *today;      // TYPE.LIST
	size_t ntoday;
};

// Where a pack stands in menus: the items of menu pack_section, in their order; without one, last.
static void check_section(struct check *c, const struct yaml_node *root, struct raw_about *raw)
{
	const struct menu *sections = registry_menu(c->reg, STR("pack_section"));
	const struct menu_item *item = sections && raw->section.n ? menu_item(sections, raw->section) : NULL;
	raw->p.section = item ? (size_t)(item - sections->items) : SIZE_MAX;
	if (!item && raw->section.n)
		DIAG_NEARBY(c->d, at_key(root, "section"), raw->section, sections ? names_of(c, sections->items, sections->nitems, sizeof *sections->items) : NULL,
		            sections ? sections->nitems : 0, PACK_SECTION, STR_FMT(raw->section));
}

static void check_today(struct check *c, const struct yaml_node *root, struct raw_about *raw)
{
	raw->p.today = arena_many(c->a, raw->ntoday, struct today);
	for (size_t i = 0; i < raw->ntoday; i++) {
		struct str list = raw->today[i], type = str_cut(&list, '.');
		const struct type *t = registry_type(c->reg, type);
		const struct listing *l = t ? type_listing(t, list) : NULL;
		if (l)
			raw->p.today[raw->p.ntoday++] = (struct today){ t, l };
		else
			DIAG(c->d, at_item(yaml_get(root, "today"), i), PACK_TODAY, STR_FMT(raw->today[i]));
	}
}

void check_about(struct check *c, const struct source *s)
{
	static const struct key keys[] = {
		{ "pack", KEY_NAME, true, offsetof(struct raw_about, p.name), 0 },
		{ "label", KEY_LABEL, true, offsetof(struct raw_about, p.label), 0 },
		{ "about", KEY_TEXTS, false, offsetof(struct raw_about, p.about), 0 },
		{ "section", KEY_STR, false, offsetof(struct raw_about, section), 0 },
		{ "rank", KEY_INT, false, offsetof(struct raw_about, p.rank), 0 },
		{ "first", KEY_STRS, false, offsetof(struct raw_about, p.first), offsetof(struct raw_about, p.nfirst) },
		{ "today", KEY_STRS, false, offsetof(struct raw_about, today), offsetof(struct raw_about, ntoday) },
	};
	struct raw_about raw = { .p = { .name = STR_EMPTY, .about = { STR_EMPTY, STR_EMPTY } }, .section = STR_EMPTY };
	if (!keys_read(c, s->root, keys, ARRAY_LEN(keys), &raw) || raw.p.name.n == 0)
		return;
	if (!str_eq(raw.p.name, s->pack)) {
		DIAG(c->d, at_key(s->root, "pack"), PACK_NAME, STR_FMT(raw.p.name), STR_FMT(s->pack));
		return;
	}
	if (!declare(c, 'a', raw.p.name, at_key(s->root, "pack")))
		return;
	check_section(c, s->root, &raw);
	for (size_t i = 0; i < raw.p.nfirst; i++)
		if (!registry_type(c->reg, raw.p.first[i]))
			DIAG_NEARBY(c->d, at_item(yaml_get(s->root, "first"), i), raw.p.first[i], c->type_names, c->reg->ntypes, NO_TYPE, STR_FMT(raw.p.first[i]));
	check_today(c, s->root, &raw);
	c->reg->packs[c->reg->npacks++] = raw.p;
}

int pack_before(const void *va, const void *vb)
{
	const struct pack *a = va, *b = vb;
	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return str_cmp(a->name, b->name);
}
