// Any bytes as a file of a pack: parsed, and checked as a menu, role, kind and type together with good ones.
// needs: base store expr model
#include "model/check.h"

static const char person[] = "type: person\nlabel: {zh: 人, en: P}\ntitle: name\n"
                             "fields:\n  name: {is: text, label: {zh: 名, en: N}}\nrights: {read: [all]}\n";
static const char role[] = "role: clerk\nlabel: {zh: 文, en: C}\n";
static const char menu[] = "menu: level\nlabel: {zh: 级, en: L}\nitems: {red: {label: {zh: 红, en: R}}}\n";

static struct source source_of(struct arena *a, struct diags *d, struct str text)
{
	return (struct source){ .pack = STR("p"), .file = STR("f"), .text = text, .root = yaml_parse(a, STR("f"), text, d) };
}

static void check_all(struct check *c, struct source *s)
{
	struct source r = source_of(c->a, c->d, str_of(role)), m = source_of(c->a, c->d, str_of(menu)),
	              p = source_of(c->a, c->d, str_of(person));
	c->reg->menus = arena_many(c->a, 2, struct menu);
	c->reg->roles = arena_many(c->a, 2, struct role);
	c->reg->kinds = arena_many(c->a, 1, struct point_kind);
	c->reg->types = arena_many(c->a, 2, struct type);
	c->type_roots = arena_many(c->a, 2, const struct yaml_node *);
	c->fields_at = arena_many(c->a, 2, struct fields_at);
	check_menu(c, &m);
	check_role(c, &r);
	check_menu(c, s);
	check_role(c, s);
	check_kind(c, s);
	c->menu_names = names_of(c, c->reg->menus, c->reg->nmenus, sizeof(struct menu));
	c->role_names = names_of(c, c->reg->roles, c->reg->nroles, sizeof(struct role));
	declare_type(c, &p);
	declare_type(c, s);
	c->type_names = names_of(c, c->reg->types, c->reg->ntypes, sizeof(struct type));
	for (size_t i = 0; i < c->reg->ntypes; i++)
		check_fields(c, &c->reg->types[i], c->type_roots[i]);
	for (size_t i = 0; i < c->reg->ntypes; i++)
		check_type(c, &c->reg->types[i], c->type_roots[i]);
	check_circles(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a, .zh = size & 1 };
	struct registry reg = { .arena = a };
	struct check c = { .reg = &reg, .a = a, .d = &d };
	struct source s = source_of(a, &d, str_from((const char *)data, size));
	if (s.root)
		check_all(&c, &s);
	diags_sort(&d);
	arena_free(a);
	return 0;
}
