// Checks states and deadlines of a record type. Called by check_type when the fields are known; moves are check_moves.c.
#include <stdlib.h>

#include "base/time.h"
#include "model/check.h"

struct raw_state {
	struct state s;
	const struct yaml_node *within;
	struct str by, due, clock;
	struct str *remind, *asks;
	size_t nremind, nasks;
};

static const struct key state_keys[] = {
	{ "label", KEY_LABEL, true, offsetof(struct raw_state, s.label), 0 },
	{ "color", KEY_STR, false, offsetof(struct raw_state, s.color), 0 },
	{ "end", KEY_BOOL, false, offsetof(struct raw_state, s.end), 0 },
	{ "within", KEY_ANY, false, offsetof(struct raw_state, within), 0 },
	{ "by", KEY_STR, false, offsetof(struct raw_state, by), 0 },
	{ "escalate", KEY_STRS, false, offsetof(struct raw_state, s.escalate_to), offsetof(struct raw_state, s.nescalate) },
	{ "every", KEY_DURATION, false, offsetof(struct raw_state, s.escalate_every), 0 },
	{ "who", KEY_STRS, false, offsetof(struct raw_state, s.who), offsetof(struct raw_state, s.nwho) },
	{ "tell", KEY_STRS, false, offsetof(struct raw_state, s.tell), offsetof(struct raw_state, s.ntell) },
	{ "due", KEY_STR, false, offsetof(struct raw_state, due), 0 },
	{ "clock", KEY_STR, false, offsetof(struct raw_state, clock), 0 },
	{ "remind", KEY_STRS, false, offsetof(struct raw_state, remind), offsetof(struct raw_state, nremind) },
	{ "withdraw", KEY_BOOL, false, offsetof(struct raw_state, s.withdraw), 0 },
	{ "edit", KEY_STRS, false, offsetof(struct raw_state, s.edit), offsetof(struct raw_state, s.nedit) },
	{ "asks", KEY_STRS, false, offsetof(struct raw_state, asks), offsetof(struct raw_state, nasks) },
	{ "overdue", KEY_STR, false, offsetof(struct raw_state, s.overdue_name), 0 },
};

static struct str *field_names(struct check *c, const struct type *t)
{
	return names_of(c, t->fields, t->nfields, sizeof *t->fields);
}

const struct field *want_field(struct check *c, const struct type *t, const struct yaml_node *at, struct str name)
{
	const struct field *f = type_field(t, name);
	if (!f)
		DIAG_NEARBY(c->d, at, name, field_names(c, t), t->nfields, NO_FIELD, STR_FMT(name));
	return f;
}

static const struct field *deadline_field(struct check *c, const struct type *t, const struct yaml_node *n,
                                          const struct raw_state *raw)
{
	if (raw->by.n == 0) {
		DIAG(c->d, raw->within, WITHIN_BY);
		return NULL;
	}
	const struct field *f = want_field(c, t, at_key(n, "by"), raw->by);
	if (f && f->kind != FIELD_MENU) {
		DIAG(c->d, at_key(n, "by"), BY_KIND, STR_FMT(raw->by));
		return NULL;
	}
	return f;
}

// "4h", "15d", or working days "5wd".
bool check_span(struct check *c, const struct yaml_node *n, struct allowance *ret)
{
	struct str s;
	int64_t wd = 0, us = 0;
	*ret = (struct allowance){ 0 };
	if (!yaml_str(n, &s, c->d))
		return false;
	bool days = str_ends(s, STR("wd")) && str_to_i64(str_first(s, s.n - 2), &wd);
	if (!days && !duration_parse(s, &us)) {
		DIAG(c->d, n, WANT_SPAN, STR_FMT(s));
		return false;
	}
	if (wd <= 0 && us <= 0)
		DIAG(c->d, n, DURATION_ZERO);
	else if (wd > 1000)
		DIAG(c->d, n, SPAN_LONG);
	*ret = (struct allowance){ us, (int)MIN(wd, 1000) };
	return true;
}

static void one_time(struct check *c, struct deadline *dl, const struct yaml_node *n, struct str key)
{
	dl->keys[dl->n] = key;
	(void)check_span(c, n, &dl->spans[dl->n++]);
}

static bool covers(const struct deadline *dl, struct str value)
{
	for (size_t i = 0; i < dl->n; i++)
		if (str_eq(dl->keys[i], value) || str_is(dl->keys[i], "else"))
			return true;
	return false;
}

// The keys must be items of the menu, and every item must have a time.
static void check_times(struct check *c, const struct deadline *dl, const struct yaml_node *within)
{
	const struct menu *m = dl->by ? dl->by->menu : NULL;
	for (size_t i = 0; i < dl->n; i++) {
		struct str key = dl->keys[i];
		if (str_is(key, "else")) {
			if (i + 1 < dl->n)
				DIAG(c->d, within->keys[i], ELSE_LAST);
		} else if (m && !menu_item(m, key)) {
			DIAG_NEARBY(c->d, within->keys[i], key, names_of(c, m->items, m->nitems, sizeof *m->items), m->nitems,
			            NO_ITEM, STR_FMT(m->name), STR_FMT(key));
		}
	}
	for (size_t i = 0; m && i < m->nitems; i++)
		if (!covers(dl, m->items[i].value)) {
			DIAG(c->d, within, WITHIN_ELSE, STR_FMT(m->items[i].value));
			return;
		}
}

static void check_deadline(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_state *raw)
{
	struct deadline *dl = &raw->s.within;
	const struct yaml_node *w = raw->within;
	size_t room = w && w->kind == YAML_MAP ? w->n : 1;
	dl->keys = arena_many(c->a, room, struct str);
	dl->spans = arena_many(c->a, room, struct allowance);
	dl->set = w != NULL;
	if (!w)
		return;
	if (w->kind != YAML_MAP) {
		if (raw->by.n)
			DIAG(c->d, at_key(n, "by"), BY_ALONE);
		one_time(c, dl, w, STR("else"));
		return;
	}
	dl->by = deadline_field(c, t, n, raw);
	for (size_t i = 0; i < w->n; i++)
		one_time(c, dl, w->items[i], w->keys[i]->text);
	check_times(c, dl, w);
}

// About as long on the calendar, to compare.
static int64_t span_about(struct allowance s) { return s.wd ? s.wd * 7 * US_PER_DAY / 5 : s.us; }

// Without every: the state's own shortest time; a day where the deadline comes from elsewhere.
static int64_t usual_step(const struct deadline *dl)
{
	int64_t us = INT64_MAX;
	for (size_t i = 0; i < dl->n; i++)
		us = MIN(us, dl->spans[i].wd ? dl->spans[i].wd * US_PER_DAY : dl->spans[i].us);
	return dl->n ? us : US_PER_DAY;
}

static int longest_first(const void *x, const void *y)
{
	int64_t a = span_about(*(const struct allowance *)x), b = span_about(*(const struct allowance *)y);
	return (a < b) - (a > b);
}

void check_reminders(struct check *c, const struct yaml_node *list, size_t n, struct allowance **ret, size_t *ret_n)
{
	*ret = arena_many(c->a, n, struct allowance);
	for (size_t i = 0; i < n; i++)
		*ret_n += check_span(c, at_item(list, i), &(*ret)[*ret_n]);
	if (*ret_n > 1)
		qsort(*ret, *ret_n, sizeof **ret, longest_first);
}

static void check_due(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_state *raw)
{
	if (raw->due.n == 0)
		return;
	const struct field *f = raw->s.due = want_field(c, t, at_key(n, "due"), raw->due);
	if (f && f->kind != FIELD_DATE && f->kind != FIELD_TIME)
		DIAG(c->d, at_key(n, "due"), DUE_KIND, "due", STR_FMT(raw->due));
	if (raw->within)
		DIAG(c->d, at_key(n, "due"), DUE_WITHIN);
}

static void check_clock(struct check *c, const struct yaml_node *n, struct raw_state *raw)
{
	if (raw->clock.n == 0)
		return;
	raw->s.clock = str_is(raw->clock, "keep") ? CLOCK_KEEP : str_is(raw->clock, "pause") ? CLOCK_PAUSE : CLOCK_OWN;
	if (raw->s.clock == CLOCK_OWN)
		DIAG(c->d, at_key(n, "clock"), CLOCK_WORD, STR_FMT(raw->clock));
	if (raw->within || raw->due.n)
		DIAG(c->d, at_key(n, "clock"), CLOCK_OWN_TIME);
}

static void check_escalation(struct check *c, const struct yaml_node *n, struct state *s)
{
	const char *key = s->due ? "due" : "within";
	bool own = s->within.set || s->due;
	check_roles(c, yaml_get(n, "escalate"), &s->escalate_to, &s->nescalate);
	if (own && s->end)
		DIAG(c->d, at_key(n, key), END_DEADLINE);
	else if (own && s->nescalate == 0)
		DIAG(c->d, at_key(n, key), NO_ESCALATE);
	if (own || s->clock == CLOCK_KEEP) {
		if (s->escalate_every == 0)
			s->escalate_every = usual_step(&s->within);
		return;
	}
	static const char *const needing[] = { "escalate", "every", "by", "remind", "overdue" };
	for (size_t i = 0; i < ARRAY_LEN(needing); i++)
		if (yaml_get(n, needing[i]))
			DIAG(c->d, at_key(n, needing[i]), NO_WITHIN, needing[i]);
}

// Who may edit here, and what.
static void check_here(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_state *raw)
{
	struct state *s = &raw->s;
	const struct yaml_node *edit = yaml_get(n, "edit"), *asks = yaml_get(n, "asks");
	s->edit_set = edit != NULL;
	check_roles(c, edit, &s->edit, &s->nedit);
	check_field_names(c, t, asks, raw->asks, raw->nasks, &s->asks, &s->nasks);
	if (s->end && (edit || asks))
		DIAG(c->d, edit ? edit : asks, END_EDIT);
}

static void check_state(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_state *raw)
{
	struct state *s = &raw->s;
	if (!keys_read(c, n, state_keys, ARRAY_LEN(state_keys), raw))
		return;
	check_color(c, n, s->color);
	check_callers(c, t, yaml_get(n, "who"), &s->who, &s->nwho);
	check_callers(c, t, yaml_get(n, "tell"), &s->tell, &s->ntell);
	check_deadline(c, t, n, raw);
	check_due(c, t, n, raw);
	check_clock(c, n, raw);
	check_reminders(c, yaml_get(n, "remind"), raw->nremind, &s->remind, &s->nremind);
	if (!raw->due.n || s->due) // one mistake is told once
		check_escalation(c, n, s);
	check_here(c, t, n, raw);
}

void check_states(struct check *c, struct type *t, const struct yaml_node *states)
{
	if (!states)
		return;
	t->states = arena_many(c->a, states->n, struct state);
	t->nstates = states->n;
	bool end = false;
	for (size_t i = 0; i < states->n; i++) {
		const struct yaml_node *name = states->keys[i], *n = states->items[i];
		if (!name_ok(name->text))
			DIAG(c->d, name, WANT_NAME, STR_FMT(name->text));
		struct raw_state raw = { .s = { .name = name->text, .color = STR_EMPTY, .overdue_name = STR_EMPTY }, .by = STR_EMPTY, .due = STR_EMPTY,
			                 .clock = STR_EMPTY };
		check_state(c, t, n, &raw);
		t->states[i] = raw.s;
		end |= raw.s.end;
	}
	if (states->n == 0)
		DIAG(c->d, states, EMPTY_LIST);
	else if (!end)
		DIAG(c->d, states, NO_END);
}
