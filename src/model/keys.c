// Reading a mapping of a pack by a table of its keys: unknown key, missing key, wrong kind of value. Called by the
// parts of the checker.
#include "model/check.h"

bool name_ok(struct str s)
{
	if (s.n == 0 || s.n > 48 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char ch = s.p[i];
		if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_'))
			return false;
	}
	return true;
}

const struct yaml_node *at_key(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);
	return n ? n : map;
}

const struct yaml_node *at_item(const struct yaml_node *n, size_t i)
{
	return n && n->kind != YAML_SCALAR && i < n->n ? n->items[i] : n;
}

bool one_or_more(struct check *c, const struct yaml_node *n, struct str **ret, size_t *ret_n)
{
	if (n->kind != YAML_SCALAR)
		return yaml_strs(n, c->a, ret, ret_n, c->d);
	*ret = arena_one(c->a, struct str);
	**ret = n->text;
	*ret_n = 1;
	return true;
}

struct str *names_of(struct check *c, const void *items, size_t n, size_t size)
{
	struct str *names = arena_many(c->a, n, struct str);
	for (size_t i = 0; i < n; i++)
		names[i] = *(const struct str *)(const void *)((const char *)items + i * size);
	return names;
}

bool declare(struct check *c, char kind, struct str name, const struct yaml_node *at)
{
	for (size_t i = 0; i < c->nplaces; i++) {
		const struct defined_at *p = &c->places[i];
		if (p->kind == kind && str_eq(p->name, name)) {
			DIAG(c->d, at, NAME_TWICE, STR_FMT(name), STR_FMT(p->at->file), p->at->line);
			return false;
		}
	}
	c->places = arena_push(c->a, c->places, &c->nplaces, &c->cap_places, sizeof *c->places);
	c->places[c->nplaces - 1] = (struct defined_at){ kind, name, at };
	return true;
}

void check_color(struct check *c, const struct yaml_node *map, struct str color)
{
	static const struct str colors[] = { { "red", 3 },  { "orange", 6 }, { "yellow", 6 },
		                             { "blue", 4 }, { "green", 5 },  { "grey", 4 } };
	if (color.n == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(colors); i++)
		if (str_eq(colors[i], color))
			return;
	DIAG_NEARBY(c->d, at_key(map, "color"), color, colors, ARRAY_LEN(colors), COLOR, STR_FMT(color));
}

static bool named(const struct str *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(names[i], name))
			return true;
	return false;
}

void check_roles(struct check *c, const struct yaml_node *n, struct str **names, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		if (!str_is((*names)[i], "all") && !registry_role(c->reg, (*names)[i]))
			DIAG_NEARBY(c->d, at_item(n, i), (*names)[i], c->role_names, c->reg->nroles, NO_ROLE, STR_FMT((*names)[i]));
	if (!named(*names, *count, "all"))
		return;
	bool auditor = named(*names, *count, "auditor");
	*names = arena_many(c->a, c->reg->nroles, struct str);
	*count = 0;
	for (size_t i = 0; i < c->reg->nroles; i++)
		if (auditor || !str_is(c->role_names[i], "auditor"))
			(*names)[(*count)++] = c->role_names[i];
}

static void read_name(struct check *c, const struct yaml_node *n, struct str *ret)
{
	struct str s;
	if (!yaml_str(n, &s, c->d))
		return;
	if (!name_ok(s))
		DIAG(c->d, n, WANT_NAME, STR_FMT(s));
	else
		*ret = s;
}

static void read_int(struct check *c, const struct yaml_node *n, int *ret)
{
	int64_t v;
	if (!yaml_i64(n, &v, c->d))
		return;
	if (v < INT32_MIN || v > INT32_MAX)
		DIAG(c->d, n, WANT_INTEGER, STR_FMT(n->text));
	else
		*ret = (int)v;
}

static void read_f64(struct check *c, const struct yaml_node *n, double *ret, bool *given)
{
	bool ok = yaml_f64(n, ret, c->d);
	if (given)
		*given = ok;
}

static void read_duration(struct check *c, const struct yaml_node *n, int64_t *ret)
{
	int64_t us;
	if (!yaml_duration(n, &us, c->d))
		return;
	if (us <= 0)
		DIAG(c->d, n, DURATION_ZERO);
	else
		*ret = us;
}

static void read_texts(struct check *c, const struct yaml_node *n, struct label *ret)
{
	if (n->kind == YAML_SCALAR)
		*ret = (struct label){ n->text, n->text };
	else
		(void)yaml_label(n, ret, c->d);
}

static void read_node_of(struct check *c, const struct yaml_node *n, enum yaml_kind kind, const struct yaml_node **ret)
{
	if (n->kind == kind)
		*ret = n;
	else if (kind == YAML_LIST)
		DIAG(c->d, n, WANT_LIST);
	else
		DIAG(c->d, n, WANT_MAP);
}

static void read_value(struct check *c, const struct key *k, const struct yaml_node *n, char *out)
{
	void *to = out + k->at;
	switch (k->kind) {
	case KEY_NAME: read_name(c, n, to); break;
	case KEY_STR: (void)yaml_str(n, to, c->d); break;
	case KEY_LABEL: (void)yaml_label(n, to, c->d); break;
	case KEY_TEXTS: read_texts(c, n, to); break;
	case KEY_F64: read_f64(c, n, to, k->at_more ? (bool *)(void *)(out + k->at_more) : NULL); break;
	case KEY_INT: read_int(c, n, to); break;
	case KEY_BOOL: (void)yaml_bool(n, to, c->d); break;
	case KEY_DURATION: read_duration(c, n, to); break;
	case KEY_STRS: (void)yaml_strs(n, c->a, to, (size_t *)(void *)(out + k->at_more), c->d); break;
	case KEY_LIST: read_node_of(c, n, YAML_LIST, to); break;
	case KEY_MAP: read_node_of(c, n, YAML_MAP, to); break;
	case KEY_ANY: *(const struct yaml_node **)to = n; break;
	}
}

bool keys_read(struct check *c, const struct yaml_node *map, const struct key *keys, size_t n, void *out)
{
	if (map->kind != YAML_MAP) {
		DIAG(c->d, map, WANT_MAP);
		return false;
	}
	struct str *names = arena_many(c->a, n, struct str);
	bool *seen = arena_many(c->a, n, bool);
	for (size_t k = 0; k < n; k++)
		names[k] = str_of(keys[k].name);
	for (size_t i = 0; i < map->n; i++) {
		struct str key = map->keys[i]->text;
		size_t k = 0;
		while (k < n && !str_eq(names[k], key))
			k++;
		if (k == n) {
			DIAG_NEARBY(c->d, map->keys[i], key, names, n, UNKNOWN_KEY, STR_FMT(key));
			continue;
		}
		seen[k] = true;
		read_value(c, &keys[k], map->items[i], out);
	}
	for (size_t k = 0; k < n; k++)
		if (keys[k].need && !seen[k])
			DIAG(c->d, map, MISSING_KEY, keys[k].name);
	return true;
}
