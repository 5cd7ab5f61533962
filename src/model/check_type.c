// Checks a record type as a whole: what it names of its fields, numbering, rights, lists. Called by registry_load.
#include "base/hash.h"
#include "model/check.h"

struct raw_type {
	struct type t;
	const struct yaml_node *groups, *fields, *states, *moves, *rights, *lists;
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
	{ "groups", KEY_MAP, false, offsetof(struct raw_type, groups), 0 },
	{ "fields", KEY_MAP, true, offsetof(struct raw_type, fields), 0 },
	{ "states", KEY_MAP, false, offsetof(struct raw_type, states), 0 },
	{ "moves", KEY_MAP, false, offsetof(struct raw_type, moves), 0 },
	{ "rights", KEY_MAP, true, offsetof(struct raw_type, rights), 0 },
	{ "lists", KEY_MAP, false, offsetof(struct raw_type, lists), 0 },
};

static int64_t digest(struct str text)
{
	uint8_t sm3[SM3_LEN];
	uint64_t v = 0;
	sm3_once(text, sm3);
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | sm3[i];
	return (int64_t)(v & INT64_MAX);
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
			                          .version = digest(s->text) };
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
	if (shape && !one_of(shape, 1u << FIELD_POSITION | 1u << FIELD_SHAPE))
		DIAG(c->d, at_key(root, "geometry"), GEOMETRY_KIND, STR_FMT(t->geometry));
	if (area && !one_of(area, 1u << FIELD_AREA | 1u << FIELD_REF))
		DIAG(c->d, at_key(root, "area_from"), FROM_KIND, "area_from", c->d->zh ? " area 或 ref " : "ref or area",
		     STR_FMT(t->area_from));
	if (owner && !one_of(owner, 1u << FIELD_REF))
		DIAG(c->d, at_key(root, "enterprise_from"), FROM_KIND, "enterprise_from", c->d->zh ? " ref " : "ref",
		     STR_FMT(t->enterprise_from));
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
	struct str *texts[] = { &raw.t.icon, &raw.t.number, &raw.t.title, &raw.t.geometry, &raw.t.area_from, &raw.t.enterprise_from,
		                &raw.t.about.zh, &raw.t.about.en, &raw.t.label.zh, &raw.t.label.en };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = STR_EMPTY;
	if (!keys_read(c, root, type_keys, ARRAY_LEN(type_keys), &raw))
		return;
	*t = raw.t;
	check_named(c, t, root);
	if (t->number.n)
		check_number(c, t, at_key(root, "number"));
	check_rights(c, t, raw.rights);
	check_states(c, t, raw.states);
	size_t before = c->d->n;
	check_moves(c, t, raw.moves);
	if (c->d->n == before)
		check_graph(c, t, raw.states);
	check_lists(c, t, raw.lists);
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
	}
}
