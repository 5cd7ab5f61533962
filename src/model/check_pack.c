// Checks menus, roles and kinds of measurement: what does not refer to anything else. Called by registry_load.
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

static const struct key item_keys[] = {
	{ "label", KEY_LABEL, true, offsetof(struct menu_item, label), 0 },
	{ "color", KEY_STR, false, offsetof(struct menu_item, color), 0 },
};

static void check_item(struct check *c, const struct yaml_node *name, const struct yaml_node *n, struct menu_item *item)
{
	*item = (struct menu_item){ .value = name->text, .color = STR_EMPTY };
	if (!item_name_ok(name->text))
		DIAG(c->d, name, ITEM_NAME, STR_FMT(name->text));
	if (keys_read(c, n, item_keys, ARRAY_LEN(item_keys), item))
		check_color(c, n, item->color);
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
	c->reg->menus[c->reg->nmenus++] = raw.m;
}

static bool permission_ok(struct str s)
{
	struct str rest = s, part = str_cut(&rest, '.');
	return name_ok(part) && name_ok(rest);
}

void check_role(struct check *c, const struct source *s)
{
	static const struct key keys[] = {
		{ "role", KEY_NAME, true, offsetof(struct role, name), 0 },
		{ "label", KEY_LABEL, true, offsetof(struct role, label), 0 },
		{ "unmask", KEY_BOOL, false, offsetof(struct role, unmask), 0 },
		{ "demo", KEY_BOOL, false, offsetof(struct role, demo), 0 },
		{ "may", KEY_STRS, false, offsetof(struct role, may), offsetof(struct role, nmay) },
	};
	struct role role = { .name = STR_EMPTY };
	if (!keys_read(c, s->root, keys, ARRAY_LEN(keys), &role) || role.name.n == 0)
		return;
	if (!declare(c, 'r', role.name, at_key(s->root, "role")))
		return;
	for (size_t i = 0; i < role.nmay; i++)
		if (!permission_ok(role.may[i]))
			DIAG(c->d, at_item(yaml_get(s->root, "may"), i), PERMISSION, STR_FMT(role.may[i]));
	c->reg->roles[c->reg->nroles++] = role;
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
	check_dimension(c, s->root, raw.k.dimension);
	c->reg->kinds[c->reg->nkinds++] = raw.k;
}
