// models: of a type. Every name is one of the model's, every input that it needs is taken from somewhere, kinds fit. Called by
// check_type_flow when fields and expressions are known.
#include "model/check.h"
#include "risk/risk.h"

#define BIT(k) (1u << (k))

struct raw_model {
	struct str model;
	const struct yaml_node *when, *takes, *columns, *gives;
};

static const struct risk_input *input_of(const struct risk_input *v, struct str name)
{
	for (; v->name; v++)
		if (str_is(name, v->name))
			return v;
	return NULL;
}

static const struct risk_output *output_of(const struct risk_model *m, struct str name)
{
	for (const struct risk_output *o = m->outputs; o->name; o++)
		if (str_is(name, o->name))
			return o;
	return NULL;
}

static unsigned kinds_for(enum risk_kind k)
{
	switch (k) {
	case RISK_NUM: return BIT(FIELD_NUMBER);
	case RISK_MENU: return BIT(FIELD_MENU) | BIT(FIELD_TEXT);
	case RISK_TEXT: return BIT(FIELD_TEXT) | BIT(FIELD_MENU);
	case RISK_ROWS: return BIT(FIELD_ROWS);
	case RISK_LIST: break;
	}
	return 0;
}

static bool fits(struct check *c, const struct yaml_node *at, const struct field *f, unsigned kinds, const char *what)
{
	if (BIT(f->kind) & kinds)
		return true;
	DIAG(c->d, at, MODEL_KIND, field_kind_name(f->kind), STR_FMT(f->name), what);
	return false;
}

static void no_word(struct check *c, const struct yaml_node *at, const struct risk_model *m, struct str word)
{
	DIAG(c->d, at, MODEL_WORD, m->name, STR_FMT(word), m->name);
}

static void check_takes(struct check *c, struct type *t, const struct yaml_node *n, struct model_use *u)
{
	u->takes = arena_many(c->a, n->n, struct model_take);
	for (size_t i = 0; i < n->n; i++) {
		const struct risk_input *in = input_of(u->model->inputs, n->keys[i]->text);
		struct str name;
		if (!in) {
			no_word(c, n->keys[i], u->model, n->keys[i]->text);
			continue;
		}
		if (!yaml_str(n->items[i], &name, c->d))
			continue;
		const struct field *f = want_field(c, t, n->items[i], name);
		if (f && fits(c, n->items[i], f, kinds_for(in->kind), in->name))
			u->takes[u->ntakes++] = (struct model_take){ in, f };
	}
}

static const struct model_take *rows_of(const struct model_use *u)
{
	for (size_t i = 0; i < u->ntakes; i++)
		if (u->takes[i].in->kind == RISK_ROWS)
			return &u->takes[i];
	return NULL;
}

static const struct field *column_of(struct check *c, const struct field *rows, const struct yaml_node *at, struct str name)
{
	for (size_t i = 0; i < rows->ncolumns; i++)
		if (str_eq(rows->columns[i].name, name))
			return &rows->columns[i];
	DIAG_NEARBY(c->d, at, name, names_of(c, rows->columns, rows->ncolumns, sizeof *rows->columns), rows->ncolumns, NO_FIELD, STR_FMT(name));
	return NULL;
}

static void check_input_columns(struct check *c, const struct yaml_node *n, struct model_use *u)
{
	const struct model_take *rows = rows_of(u);
	if (!rows) {
		DIAG(c->d, n, MODEL_WORD, u->model->name, STR_FMT(STR("columns")), u->model->name);
		return;
	}
	u->columns = arena_many(c->a, n->n, struct model_column);
	for (size_t i = 0; i < n->n; i++) {
		const struct risk_input *in = input_of(rows->in->columns, n->keys[i]->text);
		struct str name;
		if (!in) {
			no_word(c, n->keys[i], u->model, n->keys[i]->text);
			continue;
		}
		if (!yaml_str(n->items[i], &name, c->d))
			continue;
		const struct field *f = column_of(c, rows->field, n->items[i], name);
		if (f && fits(c, n->items[i], f, kinds_for(in->kind), in->name))
			u->columns[u->ncolumns++] = (struct model_column){ in, f };
	}
}

static void check_needed(struct check *c, const struct yaml_node *n, const struct model_use *u)
{
	for (const struct risk_input *in = u->model->inputs; in->name; in++) {
		bool there = in->opt;
		for (size_t i = 0; i < u->ntakes; i++)
			there |= u->takes[i].in == in;
		if (!there)
			DIAG(c->d, at_key(n, "takes"), MODEL_NEEDS, u->model->name, in->name, "takes");
	}
	const struct model_take *rows = rows_of(u);
	for (const struct risk_input *in = rows ? rows->in->columns : NULL; in && in->name; in++) {
		bool there = in->opt;
		for (size_t i = 0; i < u->ncolumns; i++)
			there |= u->columns[i].in == in;
		if (!there)
			DIAG(c->d, at_key(n, "columns"), MODEL_NEEDS, u->model->name, in->name, "columns");
	}
}

// A field may be given by several models only if each says when.
static bool is_free(const struct type *t, const struct model_use *u, const struct field *f)
{
	for (size_t i = 0; i < t->nmodels; i++)
		for (size_t k = 0; k < t->models[i].ngives; k++)
			if (t->models[i].gives[k].field == f && (!u->when || !t->models[i].when))
				return false;
	return !f->compute;
}

static void check_gives(struct check *c, struct type *t, const struct yaml_node *n, struct model_use *u)
{
	unsigned kinds = BIT(FIELD_NUMBER) | BIT(FIELD_TEXT) | BIT(FIELD_MENU);
	u->gives = arena_many(c->a, n->n, struct model_give);
	u->before = t->nfields;
	for (size_t i = 0; i < n->n; i++) {
		const struct field *f = want_field(c, t, n->keys[i], n->keys[i]->text);
		struct str name;
		if (!f || !yaml_str(n->items[i], &name, c->d))
			continue;
		const struct risk_output *out = output_of(u->model, name);
		if (!out) {
			no_word(c, n->items[i], u->model, name);
			continue;
		}
		if (!fits(c, n->keys[i], f, f->ncols ? kinds : 0, out->name))
			continue;
		if (!is_free(t, u, f)) {
			DIAG(c->d, n->keys[i], MODEL_TAKEN, STR_FMT(f->name));
			continue;
		}
		u->gives[u->ngives++] = (struct model_give){ f, out };
		u->before = MIN(u->before, (size_t)(f - t->fields));
		t->fields[f - t->fields].readonly |= u->when == NULL;
	}
}

static void check_model(struct check *c, struct type *t, const struct yaml_node *name, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "model", KEY_STR, true, offsetof(struct raw_model, model), 0 },
		{ "when", KEY_ANY, false, offsetof(struct raw_model, when), 0 },
		{ "takes", KEY_MAP, true, offsetof(struct raw_model, takes), 0 },
		{ "columns", KEY_MAP, false, offsetof(struct raw_model, columns), 0 },
		{ "gives", KEY_MAP, true, offsetof(struct raw_model, gives), 0 },
	};
	const struct risk_alias *alias;
	struct raw_model raw = { .model = STR_EMPTY };
	struct model_use u = { .name = name->text };
	struct expr_ask ask = { .reg = c->reg, .t = t };
	if (!name_ok(name->text))
		DIAG(c->d, name, WANT_NAME, STR_FMT(name->text));
	if (!keys_read(c, n, keys, ARRAY_LEN(keys), &raw) || !raw.model.n || !raw.takes || !raw.gives)
		return;
	u.model = risk_find(raw.model, &alias);
	if (!u.model) {
		DIAG(c->d, at_key(n, "model"), MODEL_NONE, STR_FMT(raw.model));
		return;
	}
	if (raw.when && !(u.when = type_expr_at(&ask, raw.when, 0, c->a, c->d)))
		return;
	size_t before = c->d->n;
	check_takes(c, t, raw.takes, &u);
	if (raw.columns)
		check_input_columns(c, raw.columns, &u);
	if (c->d->n == before)
		check_needed(c, n, &u);
	check_gives(c, t, raw.gives, &u);
	t->models[t->nmodels++] = u;
}

void check_models(struct check *c, struct type *t, const struct yaml_node *n)
{
	if (!n)
		return;
	t->models = arena_many(c->a, n->n, struct model_use);
	for (size_t i = 0; i < n->n; i++)
		check_model(c, t, n->keys[i], n->items[i]);
}
