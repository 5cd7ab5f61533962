#include "model/pack_diff.h"

#include "base/buf.h"
#include "base/limits.h"
#include "model/yaml.h"

struct diff {
	struct arena *a;
	const struct pack_text *file;
	struct pack_change *v;
	size_t n, cap;
};

// ---- a node in one line ------------------------------------------------------------------------
static void node_print(struct buf *b, const struct yaml_node *n)
{
	if (n->kind == YAML_SCALAR) {
		buf_add_str(b, n->text);
		return;
	}
	buf_add_cstr(b, n->kind == YAML_MAP ? "{" : "[");
	for (size_t i = 0; i < n->n && buf_ok(b); i++) {
		if (i)
			buf_add_cstr(b, ", ");
		if (n->kind == YAML_MAP) {
			buf_add_str(b, n->keys[i]->text);
			buf_add_cstr(b, ": ");
		}
		node_print(b, n->items[i]);
	}
	buf_add_cstr(b, n->kind == YAML_MAP ? "}" : "]");
}

static struct str node_text(struct diff *d, const struct yaml_node *n)
{
	struct buf b;
	if (!n)
		return STR_EMPTY;
	buf_init(&b, LIMIT_YAML_FILE);
	node_print(&b, n);
	struct str all = buf_str(&b), s = str_first(all, LIMIT_DIFF_VALUE);
	while (s.n < all.n && s.n && ((unsigned char)all.p[s.n] & 0xc0) == 0x80)
		s.n--; // not in the middle of a character
	s = s.n < all.n ? arena_printf(d->a, "%.*s…", STR_FMT(s)) : arena_str(d->a, s);
	buf_free(&b);
	return s;
}

// ---- comparing ---------------------------------------------------------------------------------
static bool same(const struct yaml_node *x, const struct yaml_node *y)
{
	if (x->kind != y->kind || x->n != y->n)
		return false;
	if (x->kind == YAML_SCALAR)
		return str_eq(x->text, y->text);
	for (size_t i = 0; i < x->n; i++)
		if (!same(x->items[i], y->items[i]) || (x->kind == YAML_MAP && !str_eq(x->keys[i]->text, y->keys[i]->text)))
			return false;
	return true;
}

static void add(struct diff *d, struct str key, const struct yaml_node *old, const struct yaml_node *now)
{
	d->v = arena_push(d->a, d->v, &d->n, &d->cap, sizeof *d->v);
	d->v[d->n - 1] = (struct pack_change){ .what = !old ? PACK_ADDED : !now ? PACK_REMOVED : PACK_CHANGED, .pack = d->file->pack,
		                               .folder = d->file->folder, .name = d->file->name, .key = key,
		                               .old = node_text(d, old), .now = node_text(d, now) };
}

static const struct yaml_node *item_of(const struct yaml_node *map, struct str key)
{
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->keys[i]->text, key))
			return map->items[i];
	return NULL;
}

static void compare(struct diff *d, struct str key, const struct yaml_node *old, const struct yaml_node *now)
{
	if (old->kind != YAML_MAP || now->kind != YAML_MAP) {
		if (!same(old, now))
			add(d, key, old, now);
		return;
	}
	const char *dot = key.n ? "." : "";
	for (size_t i = 0; i < old->n; i++) {
		struct str at = arena_printf(d->a, "%.*s%s%.*s", STR_FMT(key), dot, STR_FMT(old->keys[i]->text));
		const struct yaml_node *other = item_of(now, old->keys[i]->text);
		if (other)
			compare(d, at, old->items[i], other);
		else
			add(d, at, old->items[i], NULL);
	}
	for (size_t i = 0; i < now->n; i++)
		if (!item_of(old, now->keys[i]->text))
			add(d, arena_printf(d->a, "%.*s%s%.*s", STR_FMT(key), dot, STR_FMT(now->keys[i]->text)), NULL, now->items[i]);
}

static const struct yaml_node *tree(struct diff *d, const struct pack_text *t)
{
	static const struct yaml_node broken = { .kind = YAML_SCALAR, .text = { "?", 1 } };
	struct diags none = { .arena = d->a };
	const struct yaml_node *n = t ? yaml_parse(d->a, t->file, t->text, &none) : NULL;
	return t && !n ? &broken : n;
}

void pack_diff(const struct pack_texts *old, const struct pack_texts *now, struct arena *a, struct pack_change **ret, size_t *ret_n)
{
	struct diff d = { .a = a };
	for (size_t i = 0; i < old->n; i++) {
		const struct pack_text *other = pack_texts_find(now, pack_text_path(&old->v[i], a));
		d.file = &old->v[i];
		if (!other)
			add(&d, STR_EMPTY, tree(&d, d.file), NULL);
		else if (!str_eq(other->text, d.file->text))
			compare(&d, STR_EMPTY, tree(&d, d.file), tree(&d, other));
	}
	for (size_t i = 0; i < now->n; i++) {
		d.file = &now->v[i];
		if (!pack_texts_find(old, pack_text_path(d.file, a)))
			add(&d, STR_EMPTY, NULL, tree(&d, d.file));
	}
	*ret = d.v;
	*ret_n = d.n;
}
