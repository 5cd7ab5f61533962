// ORIGIN fields: which types a record may come from, found from what opens it, and the text they are stored as. Checking is done by
// registry_load between the fields and the expressions of the types; the rest is pure, any thread.
#include "model/check.h"

struct str origin_text(struct str type, int64_t id, struct arena *a)
{
	return arena_printf(a, "%.*s:%lld", STR_FMT(type), (long long)id);
}

bool origin_parse(const struct registry *r, struct str text, const struct type **ret, int64_t *ret_id)
{
	struct str type = str_cut(&text, ':');
	*ret = registry_type(r, type);
	return *ret && str_to_i64(text, ret_id) && *ret_id > 0;
}

const struct type *origin_type(const struct field *f, struct str name)
{
	for (size_t i = 0; i < f->nfrom; i++)
		if (str_eq(f->from[i]->name, name))
			return f->from[i];
	return NULL;
}

// ---- what opens it -----------------------------------------------------------------------------
static struct str text_at(const struct yaml_node *n, const char *key)
{
	const struct yaml_node *v = n->kind == YAML_MAP ? yaml_get(n, key) : NULL;
	return v && v->kind == YAML_SCALAR ? v->text : STR_EMPTY;
}

// {type: …, link: …}; mistakes are told when the step itself is checked.
static void opened_by(struct check *c, const struct yaml_node *opens, const struct type *from)
{
	const struct type *t = registry_type(c->reg, text_at(opens, "type"));
	struct field *f = t ? (struct field *)(uintptr_t)type_field(t, text_at(opens, "link")) : NULL;
	if (!f || f->kind != FIELD_ORIGIN || origin_type(f, from->name))
		return;
	size_t cap = f->nfrom; // types are few: each is added to an array of its own size
	f->from = arena_push(c->a, f->from, &f->nfrom, &cap, sizeof *f->from);
	f->from[f->nfrom - 1] = from;
}

static void steps_open(struct check *c, const struct yaml_node *steps, const struct type *from)
{
	for (size_t i = 0; steps && steps->kind == YAML_MAP && i < steps->n; i++) {
		const struct yaml_node *opens = steps->items[i]->kind == YAML_MAP ? yaml_get(steps->items[i], "opens") : NULL;
		for (size_t k = 0; opens && opens->kind == YAML_LIST && k < opens->n; k++)
			opened_by(c, opens->items[k], from);
	}
}

static void origin_items(struct check *c, struct field *f)
{
	struct expr_item *items = arena_many(c->a, f->nfrom, struct expr_item);
	for (size_t i = 0; i < f->nfrom; i++)
		items[i] = (struct expr_item){ f->from[i]->name, f->from[i]->label.zh, f->from[i]->label.en };
	f->from_items = items;
}

void check_origins(struct check *c, const struct source *schedules, size_t nschedules)
{
	const struct registry *r = c->reg;
	for (size_t i = 0; i < r->ntypes; i++) {
		const struct yaml_node *root = c->type_roots[i];
		steps_open(c, yaml_get(root, "moves"), &r->types[i]);
		steps_open(c, yaml_get(root, "triggers"), &r->types[i]);
	}
	for (size_t i = 0; i < nschedules; i++) {
		const struct yaml_node *root = schedules[i].root, *opens = root->kind == YAML_MAP ? yaml_get(root, "opens") : NULL;
		const struct type *subject = opens ? registry_type(r, text_at(root, "for")) : NULL;
		if (subject)
			opened_by(c, opens, subject);
	}
	for (size_t i = 0; i < r->ntypes; i++)
		for (size_t k = 0; k < r->types[i].nfields; k++)
			if (r->types[i].fields[k].kind == FIELD_ORIGIN)
				origin_items(c, &r->types[i].fields[k]);
}
