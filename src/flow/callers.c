// Who is meant by the words of a pack: roles, creator, owner_of.F, staff_of.F, members_of.F, system (nobody: the platform
// itself). Asked when a move is tried, when duties are listed, and when people are told.
#include "flow/draft.h"

enum caller caller_word(struct str who, struct str *ret_field)
{
	static const struct { const char *word; enum caller c; } words[] = {
		{ "owner_of", CALLER_OWNER }, { "staff_of", CALLER_STAFF }, { "members_of", CALLER_MEMBERS },
	};
	struct str rest = who, word = str_cut(&rest, '.');
	*ret_field = rest;
	if (str_is(who, "creator"))
		return CALLER_CREATOR;
	if (str_is(who, "system"))
		return CALLER_SYSTEM;
	for (size_t i = 0; rest.n && i < ARRAY_LEN(words); i++)
		if (str_is(word, words[i].word))
			return words[i].c;
	return CALLER_ROLE;
}

bool flow_waiter(const struct registry *reg, const struct type *t, struct str who, struct waiter *ret)
{
	struct str name;
	enum caller kind = caller_word(who, &name);
	*ret = (struct waiter){ kind == CALLER_ROLE ? registry_role(reg, who) : NULL, name.n ? type_field(t, name) : NULL };
	return kind == CALLER_CREATOR || ret->role || ret->field;
}

bool flow_waits_on_enterprise(const struct registry *reg, const struct type *t, const struct state *s)
{
	struct waiter w;
	for (size_t i = 0; i < s->nwho; i++)
		if (flow_waiter(reg, t, s->who[i], &w) && (w.role ? str_is(w.role->bound, "enterprise") : w.field && str_is(w.field->to, "enterprise")))
			return true;
	return false;
}

// The id in a REF field of the row, common columns included; 0 = none.
int64_t row_ref(const struct type *t, struct str name, const struct row *row)
{
	struct value common;
	const struct field *f = type_field(t, name);
	const struct value *v = f ? row_slot(f, row, &common) : NULL;
	return v && v->kind == VAL_INT ? v->i : 0;
}

static struct str row_text(const struct type *t, struct str name, const struct row *row)
{
	const struct field *f = type_field(t, name);
	return f && f->ncols && row->vals[f->col].kind == VAL_TEXT ? row->vals[f->col].s : STR_EMPTY;
}

static bool lists_id(struct str ids, int64_t id)
{
	int64_t one;
	while (ids.n)
		if (str_to_i64(str_cut(&ids, ','), &one) && one == id)
			return true;
	return false;
}

bool is_called(const struct type *t, struct str who, const struct row *row, const struct identity *by)
{
	struct str name;
	const struct field *f;
	switch (caller_word(who, &name)) {
	case CALLER_SYSTEM: return false; // it is not asked (flow_may_move)
	case CALLER_CREATOR: return by->person && row->c.created_by == by->person;
	case CALLER_OWNER: return by->person && row_ref(t, name, row) == by->person;
	case CALLER_MEMBERS: return by->person && lists_id(row_text(t, name, row), by->person);
	case CALLER_STAFF:
		f = type_field(t, name);
		if (!f || !by->person || !row_ref(t, name, row))
			return false;
		return row_ref(t, name, row) == (str_is(f->to, "organisation") ? by->organisation : by->scope.enterprise);
	case CALLER_ROLE: break;
	}
	return auth_has_role(by, who);
}

// ---- telling them ------------------------------------------------------------------------------

void people_add(struct people *p, int64_t id)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i] == id)
			return;
	if (id == 0)
		return;
	p->v = arena_push(p->a, p->v, &p->n, &p->cap, sizeof *p->v);
	p->v[p->n - 1] = id;
}

// The scope of a person's row is what a session of his would have.
static bool covers(const struct type *people, const struct row *person, const struct common *c)
{
	const struct field *f = type_field(people, STR("sectors"));
	struct identity id = { .person = person->c.id,
		               .scope = { .area = area_prefix(person->c.area), .enterprise = person->c.enterprise } };
	if (f && f->ncols && person->vals[f->col].kind == VAL_TEXT)
		id.scope.sectors = person->vals[f->col].s;
	return auth_in_scope(&id, common_place(c));
}

enum err people_where(struct db *db, const struct audience *au, const struct filter *f, bool in_scope, struct people *all)
{
	struct problem p;
	struct row *rows;
	size_t n;
	problem_init(&p, all->a);
	const struct type *people = registry_type(au->reg, STR("person"));
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = 1 };
	enum column_kind kind;
	const struct field *field = people ? type_field(people, f->column) : NULL;
	if (!people || (!field && !type_common_column(f->column, &kind)))
		return OK;
	enum err err = records_list(db, &people->table, NULL, &lq, all->a, &rows, &n, NULL, &p);
	for (size_t i = 0; !err && i < n; i++)
		if (!in_scope || covers(people, &rows[i], &au->row->c))
			people_add(all, rows[i].c.id);
	return err;
}

static enum err staff(struct db *db, const struct audience *au, struct str name, struct people *all)
{
	const struct field *f = type_field(au->t, name);
	struct value id = { .kind = VAL_INT, .i = row_ref(au->t, name, au->row) };
	struct filter filter = { f && str_is(f->to, "organisation") ? STR("organisation") : STR("enterprise"), FILTER_EQ, &id, 1 };
	return id.i ? people_where(db, au, &filter, false, all) : OK;
}

enum err people_called(struct db *db, const struct audience *au, struct str who, struct people *all)
{
	struct str name, ids;
	struct value role = { .kind = VAL_TEXT, .s = arena_printf(all->a, ",%.*s,", STR_FMT(who)) };
	struct filter filter = { STR("role"), FILTER_CONTAINS, &role, 1 };
	int64_t id;
	switch (caller_word(who, &name)) {
	case CALLER_SYSTEM: return OK;
	case CALLER_CREATOR: people_add(all, au->row->c.created_by); return OK;
	case CALLER_OWNER: people_add(all, row_ref(au->t, name, au->row)); return OK;
	case CALLER_STAFF: return staff(db, au, name, all);
	case CALLER_ROLE: return people_where(db, au, &filter, true, all);
	case CALLER_MEMBERS: break;
	}
	ids = row_text(au->t, name, au->row);
	while (ids.n)
		if (str_to_i64(str_cut(&ids, ','), &id))
			people_add(all, id);
	return OK;
}

enum err flow_tell(struct db *db, const struct audience *au, const struct str *who, size_t nwho, struct arena *a)
{
	struct people all = { .a = a };
	const struct common *c = &au->row->c;
	enum err err = OK;
	for (size_t i = 0; !err && i < nwho; i++)
		err = people_called(db, au, who[i], &all);
	for (size_t i = 0; !err && i < all.n; i++) {
		err = notice_add(db, all.v[i], au->text, au->t->name, c->id, au->kind);
		if (!err && au->copied)
			err = work_put(db, all.v[i], "copied", au->t, c, c->state);
	}
	return err;
}

enum err flow_count_called(struct db *db, const struct registry *reg, const struct type *t, struct place at, struct arena *a, size_t *ret)
{
	struct people all = { .a = a };
	struct value *none = arena_many(a, t->table.ncols, struct value);
	struct row row = { .c = { .area = at.area, .enterprise = at.enterprise, .sector = at.sector }, .vals = none };
	struct audience au = { .reg = reg, .t = t, .row = &row, .kind = "tell" };
	enum err err = OK;
	const struct state *first = t->nstates ? &t->states[0] : NULL;
	for (size_t i = 0; first && !err && i < first->nwho; i++)
		err = people_called(db, &au, first->who[i], &all);
	for (size_t i = 0; first && !err && i < first->ntell; i++)
		err = people_called(db, &au, first->tell[i], &all);
	*ret = all.n;
	return err;
}
