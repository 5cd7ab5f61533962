// Checks the moves of a record type, the records they open, and the graph of states and moves. Called by check_type
// when fields and states are known.
#include "model/check.h"
#include "model/exprs.h"

struct raw_move {
	struct move m;
	const struct yaml_node *from, *sets, *not_same, *opens, *writes;
	struct str to, release;
	struct str *needs, *asks;
	size_t nneeds, nasks;
};

static const struct key move_keys[] = {
	{ "label", KEY_LABEL, true, offsetof(struct raw_move, m.label), 0 },
	{ "from", KEY_ANY, true, offsetof(struct raw_move, from), 0 },
	{ "to", KEY_STR, false, offsetof(struct raw_move, to), 0 },
	{ "who", KEY_STRS, false, offsetof(struct raw_move, m.who), offsetof(struct raw_move, m.nwho) },
	{ "needs", KEY_STRS, false, offsetof(struct raw_move, needs), offsetof(struct raw_move, nneeds) },
	{ "asks", KEY_STRS, false, offsetof(struct raw_move, asks), offsetof(struct raw_move, nasks) },
	{ "not_same", KEY_ANY, false, offsetof(struct raw_move, not_same), 0 },
	{ "if", KEY_STR, false, offsetof(struct raw_move, m.guard), 0 },
	{ "say", KEY_LABEL, false, offsetof(struct raw_move, m.say), 0 },
	{ "back", KEY_BOOL, false, offsetof(struct raw_move, m.back), 0 },
	{ "opens", KEY_LIST, false, offsetof(struct raw_move, opens), 0 },
	{ "writes", KEY_LIST, false, offsetof(struct raw_move, writes), 0 },
	{ "reason", KEY_BOOL, false, offsetof(struct raw_move, m.reason), 0 },
	{ "sign", KEY_BOOL, false, offsetof(struct raw_move, m.sign), 0 },
	{ "sets", KEY_MAP, false, offsetof(struct raw_move, sets), 0 },
	{ "release", KEY_STR, false, offsetof(struct raw_move, release), 0 },
};

const struct state *want_state(struct check *c, const struct type *t, const struct yaml_node *at, struct str name)
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
		bool stays = !raw->to.n || s == raw->m.to;
		if (stays && raw->nasks == 0 && !raw->m.reason && !raw->opens) // a report of progress says something; this one would not
			DIAG(c->d, at_item(raw->from, i), MOVE_LOOP, STR_FMT(raw->m.name));
		raw->m.from[raw->m.nfrom++] = s;
	}
}

static bool is_person(const struct type *t, struct str field)
{
	const struct field *f = type_field(t, field);
	return f && f->kind == FIELD_REF && str_is(f->to, "person");
}

static bool caller_role(const struct check *c, struct str w)
{
	return str_is(w, "creator") || str_is(w, "system") || registry_role(c->reg, w) != NULL;
}

// owner_of.FIELD, staff_of.FIELD, members_of.FIELD: the field must hold what the word says.
static void caller_field(struct check *c, const struct type *t, const struct yaml_node *at, struct str w)
{
	struct str rest = w, word = str_cut(&rest, '.');
	bool owner = str_is(word, "owner_of"), staff = str_is(word, "staff_of"), members = str_is(word, "members_of");
	if (!owner && !staff && !members) {
		DIAG_NEARBY(c->d, at, w, c->role_names, c->reg->nroles, NO_ROLE, STR_FMT(w));
		return;
	}
	const struct field *f = want_field(c, t, at, rest);
	if (!f)
		return;
	bool person = str_is(f->to, "person");
	if (owner && !is_person(t, rest))
		DIAG(c->d, at, OWNER_KIND, STR_FMT(w));
	else if (staff && (f->kind != FIELD_REF || !(str_is(f->to, "organisation") || str_is(f->to, "enterprise"))))
		DIAG(c->d, at, STAFF_KIND, STR_FMT(w));
	else if (members && !(person && strcmp(field_kind_name(f->kind), "refs") == 0))
		DIAG(c->d, at, MEMBERS_KIND, STR_FMT(w));
}

void check_callers(struct check *c, const struct type *t, const struct yaml_node *list, struct str **names, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		struct str w = (*names)[i];
		if (str_is(w, "all")) {
			*names = c->role_names;
			*n = c->reg->nroles;
			return;
		}
		if (!caller_role(c, w))
			caller_field(c, t, at_item(list, i), w);
	}
}

static void one_not_same(struct check *c, const struct type *t, const struct yaml_node *at, const struct move *m, struct str name)
{
	bool creator = str_is(name, "creator");
	if (!creator && !want_field(c, t, at, name))
		return;
	if (!creator && !is_person(t, name)) {
		DIAG(c->d, at, NOT_SAME_KIND, STR_FMT(name));
		return;
	}
	struct str only = creator ? name : arena_printf(c->a, "owner_of.%.*s", STR_FMT(name));
	if (m->nwho == 1 && str_eq(m->who[0], only))
		DIAG(c->d, at, NOT_SAME_EMPTY, STR_FMT(m->name));
}

static void move_not_same(struct check *c, const struct type *t, struct raw_move *raw)
{
	if (!raw->not_same || !one_or_more(c, raw->not_same, &raw->m.not_same, &raw->m.nnot_same))
		return;
	for (size_t i = 0; i < raw->m.nnot_same; i++)
		one_not_same(c, t, at_item(raw->not_same, i), &raw->m, raw->m.not_same[i]);
}

void check_field_names(struct check *c, const struct type *t, const struct yaml_node *list, const struct str *names, size_t n,
                       const struct field ***ret, size_t *ret_n)
{
	*ret = arena_many(c->a, n, const struct field *);
	for (size_t i = 0; i < n; i++) {
		const struct field *f = want_field(c, t, at_item(list, i), names[i]);
		if (f && f->kind == FIELD_ORIGIN)
			DIAG(c->d, at_item(list, i), ORIGIN_GIVEN, STR_FMT(f->name));
		else if (f)
			(*ret)[(*ret_n)++] = f;
	}
}

// A value for a field of type to: a literal or word, or "= EXPR" over a record of type from.
static bool check_assign(struct check *c, const struct type *from, const struct type *to, const struct field *each,
                         const struct yaml_node *key, const struct yaml_node *n, struct assign *ret)
{
	const struct field *f = want_field(c, to, key, key->text);
	struct str v;
	if (!f || !yaml_str(n, &v, c->d))
		return false;
	if (f->kind == FIELD_ORIGIN) {
		DIAG(c->d, key, ORIGIN_GIVEN, STR_FMT(f->name));
		return false;
	}
	*ret = (struct assign){ .field = f, .text = v };
	if (str_starts(v, STR("="))) {
		struct expr_name want = field_expr_name(f);
		struct expr_ask ask = { .reg = c->reg, .t = from, .want = &want };
		ret->text = str_trim(str_skip(v, 1));
		for (size_t i = 0; each && i < each->ncolumns; i++)
			if (str_eq(each->columns[i].name, ret->text))
				ret->column = &each->columns[i];
		if (!ret->column)
			ret->expr = type_expr_at(&ask, n, (size_t)(ret->text.p - v.p), c->a, c->d);
		return ret->column || ret->expr;
	}
	if (literal_ok(f, v) || (!v.n && (f->kind == FIELD_TEXT || f->kind == FIELD_MENU || f->kind == FIELD_DATE))) // '' empties it
		return true;
	DIAG(c->d, n, SETS_VALUE, STR_FMT(v), field_kind_name(f->kind));
	return false;
}

void check_assigns(struct check *c, const struct type *from, const struct type *to, const struct field *each,
                   const struct yaml_node *map, struct assign **ret, size_t *ret_n)
{
	*ret = map ? arena_many(c->a, map->n, struct assign) : NULL;
	for (size_t i = 0; map && i < map->n; i++)
		*ret_n += check_assign(c, from, to, each, map->keys[i], map->items[i], &(*ret)[*ret_n]);
}

// Values for fields that have a column of their own, of records of type to.
static void stored_assigns(struct check *c, const struct type *from, const struct type *to, const struct yaml_node *map,
                           struct assign **ret, size_t *ret_n)
{
	struct assign *all;
	size_t n = 0;
	check_assigns(c, from, to, NULL, map, &all, &n);
	*ret = arena_many(c->a, n, struct assign);
	for (size_t i = 0; i < n; i++)
		if (all[i].field->ncols)
			(*ret)[(*ret_n)++] = all[i];
		else
			DIAG(c->d, at_key(map, arena_cstr(c->a, all[i].field->name)), SETS_VALUE, STR_FMT(all[i].text),
			     field_kind_name(all[i].field->kind));
}

static void one_writes(struct check *c, const struct type *t, const struct yaml_node *n, struct writes *ret)
{
	struct raw { struct str to; const struct yaml_node *fields, *where; } raw = { .to = STR_EMPTY };
	static const struct key keys[] = {
		{ "to", KEY_STR, true, offsetof(struct raw, to), 0 },
		{ "fields", KEY_MAP, true, offsetof(struct raw, fields), 0 },
		{ "where", KEY_ANY, false, offsetof(struct raw, where), 0 },
	};
	struct expr_ask ask = { .reg = c->reg, .t = t };
	if (!keys_read(c, n, keys, ARRAY_LEN(keys), &raw) || !raw.to.n || !(ret->to = want_field(c, t, at_key(n, "to"), raw.to)))
		return;
	ret->where = raw.where ? type_expr_at(&ask, raw.where, 0, c->a, c->d) : NULL;
	ret->type = ret->to->kind == FIELD_REF ? registry_type(c->reg, ret->to->to) : NULL;
	if (ret->type)
		stored_assigns(c, t, ret->type, raw.fields, &ret->fields, &ret->nfields);
	else
		DIAG(c->d, at_key(n, "to"), WRITES_TO, STR_FMT(raw.to));
}

static void move_writes(struct check *c, const struct type *t, struct raw_move *raw)
{
	raw->m.nwrites = raw->writes ? raw->writes->n : 0;
	raw->m.writes = arena_many(c->a, raw->m.nwrites, struct writes);
	for (size_t i = 0; i < raw->m.nwrites; i++)
		one_writes(c, t, raw->writes->items[i], &raw->m.writes[i]);
}

// ---- records that a move opens -----------------------------------------------------------------

struct raw_opens {
	struct str type, link, each, across, where, same;
	const struct yaml_node *fields;
};

const struct type *want_type(struct check *c, const struct yaml_node *at, struct str name)
{
	const struct type *t = registry_type(c->reg, name);
	if (!t)
		DIAG_NEARBY(c->d, at, name, c->type_names, c->reg->ntypes, NO_TYPE, STR_FMT(name));
	return t;
}

const struct field *check_link(struct check *c, const struct yaml_node *n, const struct type *of, const struct type *to, struct str name)
{
	const struct field *f = want_field(c, of, at_key(n, "link"), name);
	if (f && f->kind != FIELD_ORIGIN && (f->kind != FIELD_REF || !str_eq(f->to, to->name)))
		DIAG(c->d, at_key(n, "link"), LINK_KIND, STR_FMT(name), STR_FMT(of->name), STR_FMT(to->name));
	return f;
}

// for: one record for each that a ref field of the new type can name; where: which of them.
static void opens_across(struct check *c, const struct yaml_node *n, const struct raw_opens *raw, struct opens *ret)
{
	ret->across = raw->across.n ? want_field(c, ret->type, at_key(n, "for"), raw->across) : NULL;
	if (raw->across.n && !ret->across)
		return;
	if (!ret->across || ret->across->kind != FIELD_REF || ret->each) {
		DIAG(c->d, at_key(n, ret->across ? "for" : "where"), OPENS_FOR, STR_FMT(ret->type->name));
		return;
	}
	ret->subject = registry_type(c->reg, ret->across->to);
	if (ret->subject && raw->where.n) {
		struct expr_ask ask = { .reg = c->reg, .t = ret->subject };
		const struct expr *e = type_expr_at(&ask, yaml_get(n, "where"), 0, c->a, c->d);
		ret->cond = e ? expr_to_cond_at(e, ret->subject, yaml_get(n, "where"), c->a, c->d) : NULL;
	}
}

// same: of the records of `for`, those that have the value of this one in the field of that name.
static void opens_same(struct check *c, const struct type *t, const struct yaml_node *n, struct str name, struct opens *ret)
{
	const struct yaml_node *at = at_key(n, "same");
	ret->same = want_field(c, t, at, name);
	ret->same_there = ret->subject ? want_field(c, ret->subject, at, name) : NULL;
	if (!ret->subject || (ret->same && ret->same_there &&
	                      (ret->same->kind != ret->same_there->kind || ret->same->ncols != 1 || ret->same_there->ncols != 1)))
		DIAG(c->d, at, OPENS_SAME, STR_FMT(name));
}

static void one_opens(struct check *c, const struct type *t, const struct yaml_node *n, struct opens *ret)
{
	static const struct key keys[] = {
		{ "type", KEY_STR, true, offsetof(struct raw_opens, type), 0 },
		{ "link", KEY_STR, true, offsetof(struct raw_opens, link), 0 },
		{ "fields", KEY_MAP, false, offsetof(struct raw_opens, fields), 0 },
		{ "each", KEY_STR, false, offsetof(struct raw_opens, each), 0 },
		{ "for", KEY_STR, false, offsetof(struct raw_opens, across), 0 },
		{ "where", KEY_STR, false, offsetof(struct raw_opens, where), 0 },
		{ "same", KEY_STR, false, offsetof(struct raw_opens, same), 0 },
	};
	struct raw_opens raw = { .type = STR_EMPTY, .link = STR_EMPTY, .each = STR_EMPTY, .across = STR_EMPTY,
	                         .where = STR_EMPTY, .same = STR_EMPTY };
	if (!keys_read(c, n, keys, ARRAY_LEN(keys), &raw) || raw.type.n == 0 || raw.link.n == 0)
		return;
	if (!(ret->type = want_type(c, at_key(n, "type"), raw.type)))
		return;
	ret->link = check_link(c, n, ret->type, t, raw.link);
	ret->each = raw.each.n ? want_field(c, t, at_key(n, "each"), raw.each) : NULL;
	if (ret->each && strcmp(field_kind_name(ret->each->kind), "rows") != 0)
		DIAG(c->d, at_key(n, "each"), EACH_KIND, STR_FMT(raw.each));
	if (raw.across.n || raw.where.n)
		opens_across(c, n, &raw, ret);
	if (raw.same.n)
		opens_same(c, t, n, raw.same, ret);
	check_assigns(c, t, ret->type, ret->each, raw.fields, &ret->fields, &ret->nfields);
}

void check_opens(struct check *c, const struct type *t, const struct yaml_node *list, struct opens **ret, size_t *ret_n)
{
	if (!list)
		return;
	*ret = arena_many(c->a, list->n, struct opens);
	*ret_n = list->n;
	for (size_t i = 0; i < list->n; i++)
		one_opens(c, t, list->items[i], &(*ret)[i]);
}

// What was opened would stay behind when the step is taken back.
static void move_final(struct check *c, const struct yaml_node *n, const struct move *m)
{
	if (m->nopens && m->to && m->to->withdraw)
		DIAG(c->d, at_key(n, "opens"), OPENS_WITHDRAW, STR_FMT(m->to->name));
	for (size_t i = 0; m->nopens && !m->to && i < m->nfrom; i++)
		if (m->from[i]->withdraw)
			DIAG(c->d, at_key(n, "opens"), OPENS_WITHDRAW, STR_FMT(m->from[i]->name));
}

static void move_guard(struct check *c, const struct type *t, const struct yaml_node *n, struct move *m)
{
	struct expr_ask ask = { .reg = c->reg, .t = t };
	if (m->guard.n)
		m->guard_expr = type_expr_at(&ask, yaml_get(n, "if"), 0, c->a, c->d);
	if (m->guard.n && m->say.zh.n == 0)
		DIAG(c->d, at_key(n, "if"), IF_SAY);
	if (m->guard.n == 0 && yaml_get(n, "say"))
		DIAG(c->d, at_key(n, "say"), SAY_ALONE);
	m->reason |= m->back;
}

static void check_move(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_move *raw)
{
	if (!keys_read(c, n, move_keys, ARRAY_LEN(move_keys), raw))
		return;
	move_ways(c, t, n, raw);
	if (raw->m.nwho == 0)
		DIAG(c->d, at_key(n, "who"), NOBODY_MOVES, STR_FMT(raw->m.name));
	check_callers(c, t, yaml_get(n, "who"), &raw->m.who, &raw->m.nwho);
	move_not_same(c, t, raw);
	check_field_names(c, t, yaml_get(n, "needs"), raw->needs, raw->nneeds, &raw->m.needs, &raw->m.nneeds);
	check_field_names(c, t, yaml_get(n, "asks"), raw->asks, raw->nasks, &raw->m.asks, &raw->m.nasks);
	move_guard(c, t, n, &raw->m);
	stored_assigns(c, t, t, raw->sets, &raw->m.sets, &raw->m.nsets);
	move_writes(c, t, raw);
	check_opens(c, t, raw->opens, &raw->m.opens, &raw->m.nopens);
	if (raw->release.n)
		raw->m.release = check_release_word(c, t, at_key(n, "release"), raw->release);
	move_final(c, n, &raw->m);
}

static bool asked_or_set(const struct type *t, const struct field *f)
{
	for (size_t i = 0; i < t->nmoves; i++) {
		const struct move *m = &t->moves[i];
		for (size_t k = 0; k < m->nasks; k++)
			if (m->asks[k] == f)
				return true;
		for (size_t k = 0; k < m->nsets; k++)
			if (m->sets[k].field == f)
				return true;
	}
	for (size_t i = 0; i < t->nstates; i++)
		for (size_t k = 0; k < t->states[i].nasks; k++)
			if (t->states[i].asks[k] == f)
				return true;
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

// overdue: of the states. The platform makes it alone, so nothing may be asked of a person.
static void check_overdue(struct check *c, struct type *t, const struct yaml_node *states)
{
	for (size_t i = 0; i < t->nstates; i++) {
		struct state *s = &t->states[i];
		const struct move *m = s->overdue_name.n ? type_move(t, s->overdue_name) : NULL;
		bool ok = m && m->to && m->to != s && m->nneeds == 0 && !m->reason, from = false, system = false;
		for (size_t k = 0; ok && k < m->nfrom; k++)
			from |= m->from[k] == s;
		for (size_t k = 0; ok && k < m->nwho; k++)
			system |= str_is(m->who[k], "system");
		s->overdue = ok && from && system ? m : NULL;
		if (s->overdue_name.n && !s->overdue)
			DIAG(c->d, at_key(states->items[i], "overdue"), OVERDUE_MOVE, STR_FMT(s->overdue_name));
	}
}

void check_moves(struct check *c, struct type *t, const struct yaml_node *moves, const struct yaml_node *states)
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
		struct raw_move raw = { .m = { .name = name->text, .guard = STR_EMPTY }, .to = STR_EMPTY, .release = STR_EMPTY };
		check_move(c, t, moves->items[i], &raw);
		t->moves[i] = raw.m;
	}
	check_needs(c, t, moves);
	check_overdue(c, t, states);
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
