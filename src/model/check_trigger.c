// triggers: of a type: records that open by themselves when a change of the record makes a condition true. Called by check_type
// when the fields of all types are known.
#include "model/check.h"
#include "model/exprs.h"

struct raw_trigger {
	struct trigger t;
	const struct yaml_node *when, *opens;
};

static void check_trigger(struct check *c, const struct type *t, const struct yaml_node *name, const struct yaml_node *n,
                          struct trigger *ret)
{
	static const struct key keys[] = {
		{ "label", KEY_LABEL, true, offsetof(struct raw_trigger, t.label), 0 },
		{ "when", KEY_ANY, true, offsetof(struct raw_trigger, when), 0 },
		{ "opens", KEY_LIST, true, offsetof(struct raw_trigger, opens), 0 },
	};
	struct raw_trigger raw = { .t = { .name = name->text } };
	struct expr_ask ask = { .reg = c->reg, .t = t, .stored = true }; // what changes by waiting would be judged at no time
	if (!name_ok(name->text))
		DIAG(c->d, name, WANT_NAME, STR_FMT(name->text));
	if (keys_read(c, n, keys, ARRAY_LEN(keys), &raw) && raw.when && raw.opens) {
		raw.t.when = type_expr_at(&ask, raw.when, 0, c->a, c->d);
		check_opens(c, t, raw.opens, &raw.t.opens, &raw.t.nopens);
	}
	*ret = raw.t;
}

void check_triggers(struct check *c, struct type *t, const struct yaml_node *n)
{
	if (!n)
		return;
	t->triggers = arena_many(c->a, n->n, struct trigger);
	t->ntriggers = n->n;
	for (size_t i = 0; i < n->n; i++)
		check_trigger(c, t, n->keys[i], n->items[i], &t->triggers[i]);
}

// ---- A opens B opens A --------------------------------------------------------------------------
enum mark { NEW, UNDER_WAY, DONE };

static bool circle(struct check *c, const struct type *t, enum mark *marks, struct str path)
{
	enum mark *mark = &marks[t - c->reg->types];
	path = path.n ? arena_printf(c->a, "%.*s → %.*s", STR_FMT(path), STR_FMT(t->name)) : t->name;
	if (*mark == UNDER_WAY)
		DIAG(c->d, at_key(c->type_roots[t - c->reg->types], "triggers"), TRIGGER_CIRCLE, STR_FMT(path));
	if (*mark != NEW)
		return *mark == UNDER_WAY;
	*mark = UNDER_WAY;
	bool found = false;
	for (size_t i = 0; !found && i < t->ntriggers; i++)
		for (size_t k = 0; !found && k < t->triggers[i].nopens; k++)
			if (t->triggers[i].opens[k].type)
				found = circle(c, t->triggers[i].opens[k].type, marks, path);
	*mark = DONE;
	return found;
}

void check_trigger_circles(struct check *c)
{
	enum mark *marks = arena_many(c->a, c->reg->ntypes, enum mark);
	for (size_t i = 0; i < c->reg->ntypes; i++)
		(void)circle(c, &c->reg->types[i], marks, STR_EMPTY);
}
