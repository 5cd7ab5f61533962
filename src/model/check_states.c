// Checks states, deadlines and moves of a record type and the graph they make. Called by check_type when the fields
// are known.
#include "model/check.h"

struct raw_state {
	struct state s;
	const struct yaml_node *within;
	struct str by;
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
};

static struct str *field_names(struct check *c, const struct type *t)
{
	return names_of(c, t->fields, t->nfields, sizeof *t->fields);
}

static const struct field *want_field(struct check *c, const struct type *t, const struct yaml_node *at, struct str name)
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

static void one_time(struct check *c, struct deadline *dl, const struct yaml_node *n, struct str key)
{
	int64_t us = 0;
	if (yaml_duration(n, &us, c->d) && us <= 0)
		DIAG(c->d, n, DURATION_ZERO);
	dl->keys[dl->n] = key;
	dl->us[dl->n++] = us;
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
	dl->us = arena_many(c->a, room, int64_t);
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

// Without every: the state's own shortest time.
static int64_t usual_step(const struct deadline *dl)
{
	int64_t us = INT64_MAX;
	for (size_t i = 0; i < dl->n; i++)
		us = MIN(us, dl->us[i]);
	return dl->n ? us : 0;
}

static void check_escalation(struct check *c, const struct yaml_node *n, struct state *s)
{
	check_roles(c, yaml_get(n, "escalate"), &s->escalate_to, &s->nescalate);
	if (s->within.set) {
		if (s->end)
			DIAG(c->d, at_key(n, "within"), END_DEADLINE);
		else if (s->nescalate == 0)
			DIAG(c->d, at_key(n, "within"), NO_ESCALATE);
		if (s->escalate_every == 0)
			s->escalate_every = usual_step(&s->within);
		return;
	}
	static const char *const needing[] = { "escalate", "every", "by" };
	for (size_t i = 0; i < ARRAY_LEN(needing); i++)
		if (yaml_get(n, needing[i]))
			DIAG(c->d, at_key(n, needing[i]), NO_WITHIN, needing[i]);
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
		struct raw_state raw = { .s = { .name = name->text, .color = STR_EMPTY }, .by = STR_EMPTY };
		if (keys_read(c, n, state_keys, ARRAY_LEN(state_keys), &raw)) {
			check_color(c, n, raw.s.color);
			check_roles(c, yaml_get(n, "who"), &raw.s.who, &raw.s.nwho);
			if (raw.s.ntell)
				check_roles(c, yaml_get(n, "tell"), &raw.s.tell, &raw.s.ntell);
			check_deadline(c, t, n, &raw);
			check_escalation(c, n, &raw.s);
		}
		t->states[i] = raw.s;
		end |= raw.s.end;
	}
	if (states->n == 0)
		DIAG(c->d, states, EMPTY_LIST);
	else if (!end)
		DIAG(c->d, states, NO_END);
}

// ---- moves -------------------------------------------------------------------------------------

struct raw_move {
	struct move m;
	const struct yaml_node *from, *sets;
	struct str to;
	struct str *needs, *asks;
	size_t nneeds, nasks;
};

static const struct key move_keys[] = {
	{ "label", KEY_LABEL, true, offsetof(struct raw_move, m.label), 0 },
	{ "from", KEY_ANY, true, offsetof(struct raw_move, from), 0 },
	{ "to", KEY_STR, true, offsetof(struct raw_move, to), 0 },
	{ "who", KEY_STRS, false, offsetof(struct raw_move, m.who), offsetof(struct raw_move, m.nwho) },
	{ "needs", KEY_STRS, false, offsetof(struct raw_move, needs), offsetof(struct raw_move, nneeds) },
	{ "asks", KEY_STRS, false, offsetof(struct raw_move, asks), offsetof(struct raw_move, nasks) },
	{ "not_same", KEY_STR, false, offsetof(struct raw_move, m.not_same), 0 },
	{ "reason", KEY_BOOL, false, offsetof(struct raw_move, m.reason), 0 },
	{ "sign", KEY_BOOL, false, offsetof(struct raw_move, m.sign), 0 },
	{ "sets", KEY_MAP, false, offsetof(struct raw_move, sets), 0 },
};

static const struct state *want_state(struct check *c, const struct type *t, const struct yaml_node *at, struct str name)
{
	const struct state *s = type_state(t, name);
	if (!s)
		DIAG_NEARBY(c->d, at, name, names_of(c, t->states, t->nstates, sizeof *t->states), t->nstates, NO_STATE,
		            STR_FMT(name));
	return s;
}

static void move_ways(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_move *raw)
{
	struct str *from = NULL;
	size_t nfrom = 0;
	if (raw->to.n)
		raw->m.to = want_state(c, t, at_key(n, "to"), raw->to);
	if (!raw->from || !one_or_more(c, raw->from, &from, &nfrom))
		return;
	if (nfrom == 0)
		DIAG(c->d, raw->from, EMPTY_LIST);
	raw->m.from = arena_many(c->a, nfrom, const struct state *);
	for (size_t i = 0; i < nfrom; i++) {
		const struct state *s = want_state(c, t, at_item(raw->from, i), from[i]);
		if (!s)
			continue;
		if (s == raw->m.to)
			DIAG(c->d, at_item(raw->from, i), MOVE_LOOP, STR_FMT(raw->m.name));
		raw->m.from[raw->m.nfrom++] = s;
	}
}

static bool is_person(const struct type *t, struct str field)
{
	const struct field *f = type_field(t, field);
	return f && f->kind == FIELD_REF && str_is(f->to, "person");
}

static void move_who(struct check *c, const struct type *t, const struct yaml_node *n, struct move *m)
{
	const struct yaml_node *who = yaml_get(n, "who");
	if (m->nwho == 0)
		DIAG(c->d, at_key(n, "who"), NOBODY_MOVES, STR_FMT(m->name));
	for (size_t i = 0; i < m->nwho; i++) {
		struct str w = m->who[i];
		if (str_is(w, "all")) {
			m->who = c->role_names;
			m->nwho = c->reg->nroles;
			return;
		}
		if (str_is(w, "creator") || registry_role(c->reg, w))
			continue;
		if (!str_starts(w, STR("owner_of.")))
			DIAG_NEARBY(c->d, at_item(who, i), w, c->role_names, c->reg->nroles, NO_ROLE, STR_FMT(w));
		else if (want_field(c, t, at_item(who, i), str_skip(w, 9)) && !is_person(t, str_skip(w, 9)))
			DIAG(c->d, at_item(who, i), OWNER_KIND, STR_FMT(w));
	}
}

static void move_not_same(struct check *c, const struct type *t, const struct yaml_node *n, const struct move *m)
{
	const struct yaml_node *at = at_key(n, "not_same");
	if (m->not_same.n == 0)
		return;
	bool creator = str_is(m->not_same, "creator");
	if (!creator && !want_field(c, t, at, m->not_same))
		return;
	if (!creator && !is_person(t, m->not_same)) {
		DIAG(c->d, at, NOT_SAME_KIND, STR_FMT(m->not_same));
		return;
	}
	struct str only = creator ? m->not_same : arena_printf(c->a, "owner_of.%.*s", STR_FMT(m->not_same));
	if (m->nwho == 1 && str_eq(m->who[0], only))
		DIAG(c->d, at, NOT_SAME_EMPTY, STR_FMT(m->name));
}

static void move_fields(struct check *c, const struct type *t, const struct yaml_node *list, const struct str *names,
                        size_t n, const struct field ***ret, size_t *ret_n)
{
	*ret = arena_many(c->a, n, const struct field *);
	for (size_t i = 0; i < n; i++) {
		const struct field *f = want_field(c, t, at_item(list, i), names[i]);
		if (f)
			(*ret)[(*ret_n)++] = f;
	}
}

static void move_sets(struct check *c, const struct type *t, struct raw_move *raw)
{
	const struct yaml_node *sets = raw->sets;
	if (!sets)
		return;
	raw->m.set_fields = arena_many(c->a, sets->n, struct str);
	raw->m.set_values = arena_many(c->a, sets->n, struct str);
	for (size_t i = 0; i < sets->n; i++) {
		const struct field *f = want_field(c, t, sets->keys[i], sets->keys[i]->text);
		struct str v;
		if (!f || !yaml_str(sets->items[i], &v, c->d))
			continue;
		if (f->ncols == 0 || !literal_ok(f, v)) {
			DIAG(c->d, sets->items[i], SETS_VALUE, STR_FMT(v), field_kind_name(f->kind));
			continue;
		}
		raw->m.set_fields[raw->m.nsets] = f->name;
		raw->m.set_values[raw->m.nsets++] = v;
	}
}

static void check_move(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_move *raw)
{
	if (!keys_read(c, n, move_keys, ARRAY_LEN(move_keys), raw))
		return;
	move_ways(c, t, n, raw);
	move_who(c, t, n, &raw->m);
	move_not_same(c, t, n, &raw->m);
	move_fields(c, t, yaml_get(n, "needs"), raw->needs, raw->nneeds, &raw->m.needs, &raw->m.nneeds);
	move_fields(c, t, yaml_get(n, "asks"), raw->asks, raw->nasks, &raw->m.asks, &raw->m.nasks);
	move_sets(c, t, raw);
}

static bool asked_or_set(const struct type *t, const struct field *f)
{
	for (size_t i = 0; i < t->nmoves; i++) {
		const struct move *m = &t->moves[i];
		for (size_t k = 0; k < m->nasks; k++)
			if (m->asks[k] == f)
				return true;
		for (size_t k = 0; k < m->nsets; k++)
			if (str_eq(m->set_fields[k], f->name))
				return true;
	}
	return f->fallback.n > 0;
}

static void check_needs(struct check *c, const struct type *t, const struct yaml_node *moves)
{
	for (size_t i = 0; i < t->nmoves; i++) {
		const struct yaml_node *needs = yaml_get(moves->items[i], "needs");
		for (size_t k = 0; k < t->moves[i].nneeds; k++) {
			const struct field *f = t->moves[i].needs[k];
			if (f->readonly && !asked_or_set(t, f))
				DIAG(c->d, at_item(needs, k), NEEDS_READONLY, STR_FMT(f->name));
		}
	}
}

void check_moves(struct check *c, struct type *t, const struct yaml_node *moves)
{
	if (!moves)
		return;
	if (t->nstates == 0) {
		DIAG(c->d, moves, MOVES_STATES);
		return;
	}
	t->moves = arena_many(c->a, moves->n, struct move);
	t->nmoves = moves->n;
	for (size_t i = 0; i < moves->n; i++) {
		const struct yaml_node *name = moves->keys[i];
		if (!name_ok(name->text))
			DIAG(c->d, name, WANT_NAME, STR_FMT(name->text));
		struct raw_move raw = { .m = { .name = name->text, .not_same = STR_EMPTY }, .to = STR_EMPTY };
		check_move(c, t, moves->items[i], &raw);
		t->moves[i] = raw.m;
	}
	check_needs(c, t, moves);
}

// ---- the graph ---------------------------------------------------------------------------------

static void reach(const struct type *t, bool *reached)
{
	reached[0] = true;
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < t->nmoves; i++) {
			const struct move *m = &t->moves[i];
			for (size_t k = 0; m->to && k < m->nfrom; k++) {
				size_t to = (size_t)(m->to - t->states);
				if (reached[m->from[k] - t->states] && !reached[to])
					more = reached[to] = true;
			}
		}
	}
}

static bool has_exit(const struct type *t, const struct state *s)
{
	for (size_t i = 0; i < t->nmoves; i++)
		for (size_t k = 0; k < t->moves[i].nfrom; k++)
			if (t->moves[i].from[k] == s)
				return true;
	return false;
}

// Only when moves and states are right in themselves: otherwise every mistake would be told twice.
void check_graph(struct check *c, struct type *t, const struct yaml_node *states)
{
	if (t->nstates == 0)
		return;
	bool *reached = arena_many(c->a, t->nstates, bool);
	reach(t, reached);
	for (size_t i = 0; i < t->nstates; i++) {
		const struct state *s = &t->states[i];
		if (!reached[i])
			DIAG(c->d, states->keys[i], UNREACHABLE, STR_FMT(s->name));
		if (!s->end && !has_exit(t, s))
			DIAG(c->d, states->keys[i], NO_WAY_OUT, STR_FMT(s->name));
	}
}
