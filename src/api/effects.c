// GET /effects/:id: what an enterprise's own data decide of how often it is inspected, what its liability insurance costs and by which
// way its applications go; which record made it so; what it would be if one thing were different; and which of the records behind
// its credit score are worth doing away with. Every value is what the type's own expressions say (flow_suppose) of the data of
// now, or of them with one value changed; the scores without a component are those of the index. Nothing is stored.
#include "api/credit.h"

#include <jansson.h>
#include <string.h>

#include "api/api.h"
#include "base/time.h"
#include "flow/draft.h"
#include "flow/words.h"
#include "model/held.h"

#define ENTERPRISE "enterprise"
#define NAMES 5                 // of an effect
#define GIVEN 6
#define ITEMS 20                // of licensing, that an answer shows

struct effect {
	const char *name;       // of the interface
	const char *type;
	const char *state[2];   // of the record that holds
	const char *inputs[NAMES], *outputs[NAMES]; // fields of the type: what decides, what is decided
};
static const struct effect inspection = { "inspection", "enterprise_class", { "valid" }, { "credit", "standard", "risk" }, { "per_year", "class", "points" } };
static const struct effect premium = { "premium", "insurance_policy", { "in_force", "ending" }, { "credit", "standard", "claims_before" },
	                               { "band", "factor", "usual" } };
static const struct effect approval = { "approval", "licence_application", { "granted" }, { "credit" }, { "path", "days" } };

// Where an input comes from: a record of the type in the state. Of what is not here the enterprise itself says it.
static const struct { const char *input, *type, *state; } sources[] = {
	{ "credit", "credit_evaluation", "effective" },
	{ "standard", "standardisation", "valid" },
};

struct view {
	struct call *c;
	struct words *words;
	const struct type *t;   // enterprise
	struct row row;
	json_t *why;            // of the credit index; NULL: there is none
};
struct weighed {                  // an effect being shown
	const struct effect *e;
	const struct type *t;
	struct flow_field given[GIVEN];
	size_t n;
	struct row now;         // what the data of now give
};

static struct value id_value(int64_t id) { return (struct value){ .kind = VAL_INT, .i = id, .s = STR_EMPTY }; }
static struct value text_value(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }

// ---- records -----------------------------------------------------------------------------------
// The newest record of the type that has the value in the column and is in one of the states (NULL: in any); in the scope.
static bool newest(const struct view *v, const struct type *t, const char *column, int64_t id, const char *const states[2], struct row *ret)
{
	struct call *c = v->c;
	struct value key = id_value(id), in[2] = { text_value(str_of(states ? states[0] : NULL)), text_value(str_of(states ? states[1] : NULL)) };
	struct filter f[] = { { .column = str_of(column), .op = FILTER_EQ, .vals = &key, .nvals = 1 },
		              { .column = STR("state"), .op = FILTER_IN, .vals = in, .nvals = states && states[1] ? 2 : 1 } };
	struct sort by = { .column = STR("id"), .descending = true };
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = states && t->nstates ? 2 : 1, .sorts = &by, .nsorts = 1,
		                 .limit = 1 };
	struct scope scope = auth_scope(&c->id, t);
	struct row *rows;
	size_t n = 0;
	int64_t total;
	if (!auth_may_read(&c->id, t) || records_list(call_db(c), &t->table, &scope, &lq, c->arena, &rows, &n, &total, &c->p) || !n)
		return false;
	*ret = rows[0];
	return true;
}

static void record_named(const struct view *v, const char *key, const struct type *t, const struct row *row)
{
	struct jw *w = &v->c->w;
	jw_kobj(w, key);
	jw_kstr(w, "type", t->name);
	jw_kstr(w, "type_label", label_text(v->c, t->label));
	jw_ki64(w, "id", row->c.id);
	jw_kstr(w, "number", row->c.number);
	jw_kstr(w, "title", row->c.title);
	jw_end(w);
}

// ---- values ------------------------------------------------------------------------------------
static void value_of(const struct view *v, const struct type *t, const struct field *f, const struct row *row)
{
	struct jw *w = &v->c->w;
	const struct menu_item *item = f->kind == FIELD_MENU ? menu_item(f->menu, held_text(t, row, arena_cstr(v->c->arena, f->name))) : NULL;
	struct str unit = label_text(v->c, f->unit), text = words_field(v->words, t, f, row, v->c->arena).text;
	jw_obj(w);
	jw_kstr(w, "field", f->name);
	jw_kstr(w, "label", label_text(v->c, f->label));
	jw_kstr(w, "text", text.n && unit.n ? arena_printf(v->c->arena, "%.*s %.*s", STR_FMT(text), STR_FMT(unit)) : text);
	if (item)
		jw_kstr(w, "color", item->color);
	jw_end(w);
}

static void values_of(const struct view *v, const char *key, const struct weighed *s, const struct row *row)
{
	jw_karr(&v->c->w, key);
	for (size_t i = 0; i < NAMES && s->e->outputs[i]; i++) {
		const struct field *f = type_field(s->t, str_of(s->e->outputs[i]));
		if (f && auth_may_read_field(&v->c->id, f))
			value_of(v, s->t, f, row);
	}
	jw_end(&v->c->w);
}

static bool same(const struct type *t, const char *const fields[NAMES], const struct row *a, const struct row *b)
{
	for (size_t i = 0; i < NAMES && fields[i]; i++) {
		const struct value *x = held(t, a, fields[i]), *y = held(t, b, fields[i]);
		bool number = x->kind == VAL_REAL || x->kind == VAL_INT;
		if (x->kind != y->kind || (x->kind == VAL_TEXT && !str_eq(x->s, y->s)) ||
		    (number && (x->kind == VAL_REAL ? x->f != y->f : x->i != y->i)))
			return false;
	}
	return true;
}

static struct row suppose(const struct view *v, const struct weighed *s, const struct flow_field *fixed)
{
	return flow_suppose(call_db(v->c), v->c->reg, s->t, s->given, s->n, fixed, v->c->arena);
}

// ---- what decides ------------------------------------------------------------------------------
static void source_json(const struct view *v, const struct weighed *s, const char *input)
{
	const struct type *from = v->t;
	const struct value *former = strcmp(input, "claims_before") == 0 ? held(s->t, &s->now, "former") : NULL;
	struct row row = v->row;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		const char *const state[2] = { sources[i].state };
		if (strcmp(sources[i].input, input) != 0)
			continue;
		from = registry_type(v->c->reg, str_of(sources[i].type));
		from = from && newest(v, from, ENTERPRISE, v->row.c.id, state, &row) ? from : NULL;
	}
	if (former)
		from = former->kind == VAL_INT && newest(v, s->t, "id", former->i, NULL, &row) ? s->t : NULL;
	if (from)
		record_named(v, "from", from, &row);
}

// The value with which a field's menu says this: its items may be written large.
static const struct menu_item *item_like(const struct field *f, const char *word)
{
	for (size_t i = 0; f->menu && i < f->menu->nitems; i++)
		if (f->menu->items[i].value.n == strlen(word) && strncasecmp(f->menu->items[i].value.p, word, strlen(word)) == 0)
			return &f->menu->items[i];
	return NULL;
}

static void alternative_json(const struct view *v, const struct weighed *s, const struct field *f, struct value value)
{
	struct jw *w = &v->c->w;
	struct flow_field fixed = { arena_cstr(v->c->arena, f->name), value };
	struct row row = suppose(v, s, &fixed);
	const char *const one[NAMES] = { fixed.name };
	if (same(s->t, one, &row, &s->now))
		return; // it is so
	jw_obj(w);
	jw_kstr(w, "value", words_field(v->words, s->t, f, &row, v->c->arena).text);
	jw_kbool(w, "different", !same(s->t, s->e->outputs, &row, &s->now));
	values_of(v, "gives", s, &row);
	jw_end(w);
}

// What decides, where it comes from, and what its other values would give: each item of a menu, 0 of a number.
static void input_json(const struct view *v, const struct weighed *s, const char *input)
{
	struct jw *w = &v->c->w;
	const struct field *f = type_field(s->t, str_of(input));
	if (!f || !auth_may_read_field(&v->c->id, f))
		return;
	jw_obj(w);
	jw_kstr(w, "field", f->name);
	jw_kstr(w, "label", label_text(v->c, f->label));
	jw_kstr(w, "text", words_field(v->words, s->t, f, &s->now, v->c->arena).text);
	source_json(v, s, input);
	jw_karr(w, "if");
	for (size_t i = 0; f->menu && i < f->menu->nitems; i++)
		alternative_json(v, s, f, text_value(f->menu->items[i].value));
	if (f->kind == FIELD_NUMBER && held_number(s->t, &s->now, input, 0) > 0)
		alternative_json(v, s, f, (struct value){ .kind = VAL_REAL, .f = 0, .s = STR_EMPTY });
	jw_end(w);
	jw_end(w);
}

// ---- what to do --------------------------------------------------------------------------------
static struct str text_in(struct call *c, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return json_is_string(v) ? arena_str(c->arena, str_of(json_string_value(v))) : STR_EMPTY;
}

static json_t *label_in(const struct call *c, const json_t *o) { return json_object_get(json_object_get(o, "label"), call_is_en(c) ? "en" : "zh"); }

// The parts of the credit score that take points off, the heaviest first: the score and grade without them, and what that gives.
static void steps_json(const struct view *v, const struct weighed *s)
{
	struct call *c = v->c;
	struct jw *w = &c->w;
	const struct field *credit = type_field(s->t, STR("credit"));
	const json_t *part;
	size_t i;
	jw_karr(w, "steps");
	json_array_foreach(json_object_get(v->why, "parts"), i, part) {
		const json_t *without = json_object_get(part, "without");
		const struct menu_item *item = item_like(credit, credit_grade_of(text_in(c, without, "level")));
		if (json_number_value(json_object_get(part, "points")) <= 0 || !item)
			continue;
		struct flow_field fixed = { "credit", text_value(item->value) };
		struct row row = suppose(v, s, &fixed);
		jw_obj(w);
		jw_kstr(w, "component", text_in(c, part, "component"));
		jw_kcstr(w, "label", json_string_value(label_in(c, part)));
		jw_kf64(w, "points", json_number_value(json_object_get(part, "points")));
		jw_kf64(w, "score", 100 - json_number_value(json_object_get(without, "score")));
		jw_kstr(w, "grade", label_text(c, item->label));
		jw_kbool(w, "different", !same(s->t, s->e->outputs, &row, &s->now));
		values_of(v, "gives", s, &row);
		jw_end(w);
	}
	jw_end(w);
}

// ---- one effect --------------------------------------------------------------------------------
static void give(struct weighed *s, const char *name, struct value value) { s->given[s->n++] = (struct flow_field){ name, value }; }

static void effect_json(const struct view *v, struct weighed *s, const struct type *subject, const struct row *about,
                        const struct row *holds)
{
	struct jw *w = &v->c->w;
	s->now = suppose(v, s, NULL);
	jw_obj(w);
	jw_kcstr(w, "name", s->e->name);
	jw_kstr(w, "type", s->t->name);
	jw_kstr(w, "label", label_text(v->c, s->t->label));
	if (subject)
		record_named(v, "subject", subject, about);
	if (holds) {
		record_named(v, "record", s->t, holds);
		values_of(v, "holds", s, holds);
		jw_kbool(w, "stale", !same(s->t, s->e->outputs, holds, &s->now));
	}
	values_of(v, "now", s, &s->now);
	jw_karr(w, "inputs");
	for (size_t i = 0; i < NAMES && s->e->inputs[i]; i++)
		input_json(v, s, s->e->inputs[i]);
	jw_end(w);
	steps_json(v, s);
	jw_end(w);
}

static bool begin(const struct view *v, const struct effect *e, struct weighed *ret)
{
	*ret = (struct weighed){ .e = e, .t = registry_type(v->c->reg, str_of(e->type)) };
	if (!ret->t || !auth_may_read(&v->c->id, ret->t))
		return false;
	give(ret, ENTERPRISE, id_value(v->row.c.id));
	return true;
}

static void inspection_effect(const struct view *v)
{
	struct weighed s;
	struct row row;
	if (!begin(v, &inspection, &s))
		return;
	bool there = newest(v, s.t, ENTERPRISE, v->row.c.id, inspection.state, &row);
	effect_json(v, &s, NULL, NULL, there ? &row : NULL);
}

// The rule of the sector that is in force, and no other.
static bool rule_of(const struct view *v, const struct type *t, struct row *ret)
{
	struct value sector = text_value(v->row.c.sector);
	struct filter f = { .column = STR("sector"), .op = FILTER_EQ, .vals = &sector, .nvals = 1 };
	struct sort by = { .column = STR("valid_from"), .descending = true };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1, .sorts = &by, .nsorts = 1, .limit = ITEMS };
	struct str today = date_text(clock_now(), v->c->arena);
	struct row *rows;
	size_t n = 0;
	int64_t total;
	if (records_list(call_db(v->c), &t->table, NULL, &lq, v->c->arena, &rows, &n, &total, &v->c->p))
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_cmp(held_text(t, &rows[i], "valid_from"), today) <= 0) {
			*ret = rows[i];
			return true;
		}
	return false;
}

// As if it were insured today: by the rule of its sector, as many persons as now (or as it employs), after its present policy.
static void premium_effect(const struct view *v)
{
	const struct type *rules = registry_type(v->c->reg, STR("insurance_rule"));
	struct weighed s;
	struct row rule, policy;
	if (!rules || !auth_may_read(&v->c->id, rules) || !begin(v, &premium, &s) || !rule_of(v, rules, &rule))
		return;
	bool there = newest(v, s.t, ENTERPRISE, v->row.c.id, premium.state, &policy) && str_is(held_text(s.t, &policy, "kind"), "liability");
	give(&s, "kind", text_value(STR("liability")));
	give(&s, "rule", id_value(rule.c.id));
	give(&s, "insured", there ? *held(s.t, &policy, "insured") : *held(v->t, &v->row, "staff"));
	if (there)
		give(&s, "former", id_value(policy.c.id));
	effect_json(v, &s, rules, &rule, there ? &policy : NULL);
}

// Each item that is licensed here, as if it were applied for today.
static void approval_effects(const struct view *v)
{
	const struct type *items = registry_type(v->c->reg, STR("licence_item"));
	struct value kept[2] = { text_value(STR("kept")), text_value(STR("delegated")) };
	struct filter f = { .column = STR("status"), .op = FILTER_IN, .vals = kept, .nvals = 2 };
	struct sort by = { .column = STR("id") };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1, .sorts = &by, .nsorts = 1, .limit = ITEMS };
	struct row *rows = NULL;
	struct weighed s;
	size_t n = 0;
	int64_t total;
	if (!items || !auth_may_read(&v->c->id, items) || !begin(v, &approval, &s) ||
	    records_list(call_db(v->c), &items->table, NULL, &lq, v->c->arena, &rows, &n, &total, &v->c->p))
		return;
	for (size_t i = 0; i < n; i++) {
		s.n = 1; // the enterprise
		give(&s, "item", id_value(rows[i].c.id));
		effect_json(v, &s, items, &rows[i], NULL);
	}
}

// ---- everything --------------------------------------------------------------------------------
static enum err read_why(struct view *v)
{
	struct call *c = v->c;
	enum err err = credit_why(c, call_db(c), v->row.c.id, &v->why);
	if (err == ERR_NOT_FOUND)
		problem_init(&c->p, c->arena); // the pack is not in force, or the index not counted yet
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err effects_get(struct call *c)
{
	struct view v = { .c = c, .t = registry_type(c->reg, STR(ENTERPRISE)) };
	struct jw *w = &c->w;
	int64_t id;
	enum err err = v.t && auth_may_read(&c->id, v.t) ? param_id(c, 0, &id) : ERR_NOT_FOUND;
	if (!err)
		err = call_row(c, call_db(c), v.t, id, &v.row, &c->p);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这家企业，或不在您的管辖范围", "no such enterprise, or outside your scope");
	if (!err)
		err = read_why(&v);
	if (err)
		return err;
	v.words = words_new(call_db(c), c->reg, &c->id, call_is_en(c));
	jw_obj(w);
	jw_ki64(w, "id", v.row.c.id);
	jw_kstr(w, "title", v.row.c.title);
	jw_ktime(w, "at", clock_now());
	if (v.why) {
		struct str color = text_in(c, v.why, "level");
		jw_kobj(w, "credit");
		jw_kf64(w, "score", 100 - json_number_value(json_object_get(v.why, "score")));
		jw_kcstr(w, "grade", credit_grade_of(color));
		jw_kstr(w, "version", text_in(c, v.why, "version"));
		jw_end(w);
	}
	jw_karr(w, "effects");
	inspection_effect(&v);
	premium_effect(&v);
	approval_effects(&v);
	jw_end(w);
	jw_end(w);
	words_free(v.words);
	json_decref(v.why);
	return c->p.err;
}
