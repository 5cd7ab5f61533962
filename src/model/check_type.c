// Checks a record type as a whole: what it names of its fields, numbering, rights, lists. Called by registry_load.
#include "base/hash.h"
#include "model/check.h"

struct raw_type {
	struct type t;
	const struct yaml_node *groups, *fields, *states, *moves, *rights, *lists, *uses, *unique, *checks, *expires, *extend, *publish,
		*keep, *dossier, *release, *gather, *models, *drawing, *triggers;
};

static const struct key type_keys[] = {
	{ "type", KEY_NAME, true, offsetof(struct raw_type, t.name), 0 },
	{ "label", KEY_LABEL, true, offsetof(struct raw_type, t.label), 0 },
	{ "about", KEY_TEXTS, false, offsetof(struct raw_type, t.about), 0 },
	{ "icon", KEY_STR, false, offsetof(struct raw_type, t.icon), 0 },
	{ "number", KEY_STR, false, offsetof(struct raw_type, t.number), 0 },
	{ "title", KEY_STR, false, offsetof(struct raw_type, t.title), 0 },
	{ "geometry", KEY_STR, false, offsetof(struct raw_type, t.geometry), 0 },
	{ "area_from", KEY_STR, false, offsetof(struct raw_type, t.area_from), 0 },
	{ "enterprise_from", KEY_STR, false, offsetof(struct raw_type, t.enterprise_from), 0 },
	{ "sector_from", KEY_STR, false, offsetof(struct raw_type, t.sector_from), 0 },
	{ "uses", KEY_LIST, false, offsetof(struct raw_type, uses), 0 },
	{ "unique", KEY_LIST, false, offsetof(struct raw_type, unique), 0 },
	{ "checks", KEY_MAP, false, offsetof(struct raw_type, checks), 0 },
	{ "publish", KEY_MAP, false, offsetof(struct raw_type, publish), 0 },
	{ "keep", KEY_ANY, false, offsetof(struct raw_type, keep), 0 },
	{ "dossier", KEY_MAP, false, offsetof(struct raw_type, dossier), 0 },
	{ "groups", KEY_MAP, false, offsetof(struct raw_type, groups), 0 },
	{ "fields", KEY_MAP, true, offsetof(struct raw_type, fields), 0 },
	{ "states", KEY_MAP, false, offsetof(struct raw_type, states), 0 },
	{ "moves", KEY_MAP, false, offsetof(struct raw_type, moves), 0 },
	{ "rights", KEY_MAP, true, offsetof(struct raw_type, rights), 0 },
	{ "lists", KEY_MAP, false, offsetof(struct raw_type, lists), 0 },
	{ "expires", KEY_MAP, false, offsetof(struct raw_type, expires), 0 },
	{ "extend", KEY_MAP, false, offsetof(struct raw_type, extend), 0 },
	{ "release", KEY_MAP, false, offsetof(struct raw_type, release), 0 },
	{ "gather", KEY_MAP, false, offsetof(struct raw_type, gather), 0 },
	{ "drawing", KEY_MAP, false, offsetof(struct raw_type, drawing), 0 },
	{ "models", KEY_MAP, false, offsetof(struct raw_type, models), 0 },
	{ "triggers", KEY_MAP, false, offsetof(struct raw_type, triggers), 0 },
};

int64_t text_version(struct str text, int64_t before)
{
	uint8_t sum[SM3_LEN];
	struct sm3 h;
	uint64_t v = 0;
	sm3_init(&h);
	sm3_add(&h, &before, sizeof before);
	sm3_add_str(&h, text);
	sm3_end(&h, sum);
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | sum[i];
	return (int64_t)(v >> 11);
}

void declare_type(struct check *c, const struct source *s)
{
	const struct yaml_node *n = yaml_get(s->root, "type");
	if (s->root->kind != YAML_MAP)
		DIAG(c->d, s->root, WANT_MAP);
	else if (!n)
		DIAG(c->d, s->root, MISSING_KEY, "type");
	else if (n->kind != YAML_SCALAR)
		DIAG(c->d, n, WANT_TEXT);
	else if (!name_ok(n->text))
		DIAG(c->d, n, WANT_NAME, STR_FMT(n->text));
	else if (declare(c, 't', n->text, n)) {
		size_t i = c->reg->ntypes++;
		c->reg->types[i] = (struct type){ .name = n->text, .pack = s->pack, .file = s->file,
			                          .version = text_version(s->text, 0) };
		c->type_roots[i] = s->root;
	}
}

static bool one_of(const struct field *f, unsigned kinds)
{
	return kinds & (1u << f->kind);
}

// A key of the type that names one of its fields.
static const struct field *named(struct check *c, const struct type *t, const struct yaml_node *root, const char *key,
                                 struct str name)
{
	const struct field *f = name.n ? type_field(t, name) : NULL;
	if (name.n && !f)
		DIAG_NEARBY(c->d, at_key(root, key), name, names_of(c, t->fields, t->nfields, sizeof *t->fields), t->nfields,
		            NO_FIELD, STR_FMT(name));
	return f;
}

static void check_named(struct check *c, struct type *t, const struct yaml_node *root)
{
	if (t->title.n == 0 && type_field(t, STR("title")))
		t->title = STR("title");
	const struct field *title = named(c, t, root, "title", t->title);
	const struct field *shape = named(c, t, root, "geometry", t->geometry);
	const struct field *area = named(c, t, root, "area_from", t->area_from);
	const struct field *owner = named(c, t, root, "enterprise_from", t->enterprise_from);
	if (t->title.n == 0)
		DIAG(c->d, at_key(root, "type"), TITLE_NONE);
	if (title && !one_of(title, 1u << FIELD_TEXT))
		DIAG(c->d, at_key(root, "title"), TITLE_KIND, STR_FMT(t->title));
	if (title && title->ncols && (title->personal || title->nread))
		DIAG(c->d, at_key(root, "title"), TITLE_HIDDEN, STR_FMT(t->title));
	if (shape && !one_of(shape, 1u << FIELD_POSITION | 1u << FIELD_SHAPE))
		DIAG(c->d, at_key(root, "geometry"), GEOMETRY_KIND, STR_FMT(t->geometry));
	if (area && !one_of(area, 1u << FIELD_AREA | 1u << FIELD_REF))
		DIAG(c->d, at_key(root, "area_from"), FROM_KIND, "area_from", c->d->zh ? " area 或 ref " : "ref or area",
		     STR_FMT(t->area_from));
	if (owner && !one_of(owner, 1u << FIELD_REF))
		DIAG(c->d, at_key(root, "enterprise_from"), FROM_KIND, "enterprise_from", c->d->zh ? " ref " : "ref",
		     STR_FMT(t->enterprise_from));
	const struct field *sector = named(c, t, root, "sector_from", t->sector_from);
	bool of_sectors = sector && sector->kind == FIELD_MENU && sector->menu && str_is(sector->menu->name, "sector");
	if (sector && !of_sectors && sector->kind != FIELD_REF)
		DIAG(c->d, at_key(root, "sector_from"), SECTOR_FROM, STR_FMT(t->sector_from));
}

// The states as expressions know them.
static void state_choices(struct check *c, struct type *t)
{
	struct expr_item *items = arena_many(c->a, t->nstates, struct expr_item);
	for (size_t i = 0; i < t->nstates; i++)
		items[i] = (struct expr_item){ t->states[i].name, t->states[i].label.zh, t->states[i].label.en };
	t->state_choices = items;
}

static bool number_part(struct str part, unsigned *seqs)
{
	static const char *const parts[] = { "year", "month", "day", "area", "enterprise" };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (str_is(part, parts[i]))
			return true;
	if (part.n == 5 && str_starts(part, STR("seq:")) && part.p[4] >= '1' && part.p[4] <= '9') {
		(*seqs)++;
		return true;
	}
	return false;
}

void check_number(struct check *c, const struct type *t, const struct yaml_node *at)
{
	unsigned seqs = 0;
	struct str rest = t->number;
	while (rest.n) {
		size_t open = 0;
		while (open < rest.n && rest.p[open] != '{' && rest.p[open] != '}')
			open++;
		if (open == rest.n)
			break;
		size_t close = open + 1;
		while (close < rest.n && rest.p[close] != '}' && rest.p[close] != '{')
			close++;
		if (rest.p[open] == '}' || close >= rest.n || rest.p[close] == '{') {
			DIAG(c->d, at, NUMBER_BRACE);
			return;
		}
		struct str part = str_from(rest.p + open + 1, close - open - 1);
		if (str_starts(part, STR("seq")) && !number_part(part, &seqs)) {
			DIAG(c->d, at, NUMBER_SEQ);
			return;
		}
		if (!str_starts(part, STR("seq")) && !number_part(part, &seqs))
			DIAG(c->d, at, NUMBER_PART, STR_FMT(part));
		rest = str_skip(rest, close + 1);
	}
	if (seqs != 1)
		DIAG(c->d, at, NUMBER_SEQ);
}

static void check_rights(struct check *c, struct type *t, const struct yaml_node *rights)
{
	static const struct key keys[] = {
		{ "create", KEY_STRS, false, offsetof(struct right, create), offsetof(struct right, ncreate) },
		{ "read", KEY_STRS, false, offsetof(struct right, read), offsetof(struct right, nread) },
		{ "edit", KEY_STRS, false, offsetof(struct right, edit), offsetof(struct right, nedit) },
		{ "retire", KEY_STRS, false, offsetof(struct right, retire), offsetof(struct right, nretire) },
	};
	struct right *r = &t->rights;
	if (!rights || !keys_read(c, rights, keys, ARRAY_LEN(keys), r))
		return;
	if (r->nread == 0)
		DIAG(c->d, at_key(rights, "read"), NOBODY_READS);
	check_roles(c, yaml_get(rights, "create"), &r->create, &r->ncreate);
	check_roles(c, yaml_get(rights, "read"), &r->read, &r->nread);
	check_roles(c, yaml_get(rights, "edit"), &r->edit, &r->nedit);
	check_roles(c, yaml_get(rights, "retire"), &r->retire, &r->nretire);
}

void check_type(struct check *c, struct type *t, const struct yaml_node *root)
{
	struct raw_type raw = { .t = *t };
	struct str *texts[] = { &raw.t.icon,     &raw.t.number,   &raw.t.title,    &raw.t.geometry, &raw.t.area_from, &raw.t.enterprise_from,
		                &raw.t.about.zh, &raw.t.about.en, &raw.t.label.zh, &raw.t.label.en, &raw.t.sector_from };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = STR_EMPTY;
	raw.t.dossier.section = STR_EMPTY;
	if (!keys_read(c, root, type_keys, ARRAY_LEN(type_keys), &raw))
		return;
	*t = raw.t;
	check_named(c, t, root);
	if (t->number.n)
		check_number(c, t, at_key(root, "number"));
	check_rights(c, t, raw.rights);
	check_states(c, t, raw.states);
	state_choices(c, t);
	for (size_t i = 0; i < t->nfields; i++) // what a menu offers belongs to what a record said
		if (t->fields[i].menu)
			t->version = text_version(t->fields[i].menu->name, t->version ^ t->fields[i].menu->version);
	check_expires(c, t, raw.expires);
	check_extend(c, t, raw.extend);
}

// A key whose value must be of one kind; anything else has been told before.
static const struct yaml_node *part(const struct yaml_node *root, const char *key, enum yaml_kind kind)
{
	const struct yaml_node *n = yaml_get(root, key);
	return n && n->kind == kind ? n : NULL;
}

void check_type_flow(struct check *c, struct type *t, const struct yaml_node *root)
{
	check_field_exprs(c, t);
	check_unique(c, t, part(root, "unique", YAML_LIST));
	check_rules(c, t, part(root, "checks", YAML_MAP));
	check_drawing(c, t, part(root, "drawing", YAML_MAP));
	check_models(c, t, part(root, "models", YAML_MAP));
	check_publish(c, t, part(root, "publish", YAML_MAP));
	check_keep(c, t, yaml_get(root, "keep"));
	check_dossier(c, t, part(root, "dossier", YAML_MAP));
	check_release(c, t, part(root, "release", YAML_MAP));
	check_gather(c, t, part(root, "gather", YAML_MAP));
	size_t before = c->d->n;
	check_moves(c, t, part(root, "moves", YAML_MAP), part(root, "states", YAML_MAP));
	if (c->d->n == before)
		check_graph(c, t, part(root, "states", YAML_MAP));
	check_triggers(c, t, part(root, "triggers", YAML_MAP));
	check_lists(c, t, part(root, "lists", YAML_MAP));
}

// ---- area_from, enterprise_from: A → B → A gives nobody a value --------------------------------

static const struct type *following(const struct registry *r, const struct type *t, struct str from)
{
	const struct field *f = from.n ? type_field(t, from) : NULL;
	return f && f->kind == FIELD_REF ? registry_type(r, f->to) : NULL;
}

static void check_circle(struct check *c, size_t i, const char *key, size_t at)
{
	const struct type *first = &c->reg->types[i], *t = first;
	struct str path = first->name;
	for (size_t steps = 0; steps <= c->reg->ntypes; steps++) {
		t = following(c->reg, t, *(const struct str *)(const void *)((const char *)t + at));
		if (!t)
			return;
		path = arena_printf(c->a, "%.*s → %.*s", STR_FMT(path), STR_FMT(t->name));
		if (t == first) {
			DIAG(c->d, at_key(c->type_roots[i], key), FROM_CYCLE, key, STR_FMT(path));
			return;
		}
	}
}

void check_circles(struct check *c)
{
	for (size_t i = 0; i < c->reg->ntypes; i++) {
		check_circle(c, i, "area_from", offsetof(struct type, area_from));
		if (!str_is(c->reg->types[i].name, "enterprise"))
			check_circle(c, i, "enterprise_from", offsetof(struct type, enterprise_from));
		check_circle(c, i, "sector_from", offsetof(struct type, sector_from));
	}
}
