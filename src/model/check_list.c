// Checks the lists of a record type and makes filters and sorts of them. Called by check_type.
#include "model/check.h"

struct raw_list {
	struct listing l;
	const struct yaml_node *where, *order;
};

static const struct key list_keys[] = {
	{ "label", KEY_LABEL, true, offsetof(struct raw_list, l.label), 0 },
	{ "where", KEY_ANY, false, offsetof(struct raw_list, where), 0 },
	{ "open", KEY_BOOL, false, offsetof(struct raw_list, l.open_only), 0 },
	{ "order", KEY_LIST, false, offsetof(struct raw_list, order), 0 },
	{ "show", KEY_STRS, true, offsetof(struct raw_list, l.show), offsetof(struct raw_list, l.nshow) },
};

static struct str *column_names(struct check *c, const struct type *t, size_t *ret_n)
{
	static const char *const common[] = { "id", "number", "title", "state", "area", "enterprise", "created_at", "created_by",
		                              "changed_at", "changed_by", "state_at", "deadline", "escalated", "thread" };
	struct str *names = arena_many(c->a, t->nfields + ARRAY_LEN(common), struct str);
	for (size_t i = 0; i < t->nfields; i++)
		names[i] = t->fields[i].name;
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		names[t->nfields + i] = str_of(common[i]);
	*ret_n = t->nfields + ARRAY_LEN(common);
	return names;
}

// A field or common column. *ret_field is NULL for a common one.
static bool column(struct check *c, const struct type *t, const struct yaml_node *at, struct str name,
                   const struct field **ret_field)
{
	enum column_kind kind;
	*ret_field = type_field(t, name);
	if (*ret_field || type_common_column(name, &kind))
		return true;
	size_t n;
	struct str *names = column_names(c, t, &n);
	DIAG_NEARBY(c->d, at, name, names, n, LIST_COLUMN, STR_FMT(name));
	return false;
}

static bool common_value(const struct type *t, struct str name, struct str text, struct value *ret)
{
	int64_t i;
	enum column_kind kind = COL_TEXT;
	(void)type_common_column(name, &kind);
	*ret = (struct value){ .kind = VAL_TEXT, .s = text };
	if (str_is(name, "state"))
		return type_state(t, text);
	if (str_is(name, "enterprise") && str_is(text, "my_enterprise"))
		return true;
	if ((str_is(name, "created_by") || str_is(name, "changed_by")) && str_is(text, "me"))
		return true;
	if (kind == COL_TEXT)
		return true;
	if (!str_to_i64(text, &i))
		return false;
	*ret = (struct value){ .kind = VAL_INT, .i = i };
	return true;
}

// The stored form of a literal; me and my_enterprise stay words, flow/ puts the caller in.
static bool field_value(struct check *c, const struct field *f, struct str text, struct value *ret)
{
	*ret = (struct value){ .kind = VAL_TEXT, .s = text };
	if (f->kind == FIELD_AREA && text.n == 12)
		return true;
	if (!literal_ok(f, text) || str_is(text, "now"))
		return false;
	if (f->kind == FIELD_NUMBER) {
		ret->kind = VAL_REAL;
		return str_to_f64(text, &ret->f);
	}
	if (f->kind == FIELD_BOOL)
		*ret = (struct value){ .kind = VAL_INT, .i = str_is(text, "true") };
	if (f->kind == FIELD_MENUS)
		ret->s = arena_printf(c->a, ",%.*s,", STR_FMT(text));
	return true;
}

static const char *kind_text(const struct field *f)
{
	return f ? field_kind_name(f->kind) : "common";
}

static void where_values(struct check *c, const struct type *t, const struct field *f, struct filter *ret,
                         const struct yaml_node *n)
{
	struct str *texts = NULL;
	size_t count = 0;
	if (!one_or_more(c, n, &texts, &count))
		return;
	if (count == 0)
		DIAG(c->d, n, EMPTY_LIST);
	struct value *vals = arena_many(c->a, count, struct value);
	for (size_t i = 0; i < count; i++) {
		bool ok = f && f->ncols ? field_value(c, f, texts[i], &vals[i]) : common_value(t, ret->column, texts[i], &vals[i]);
		const struct menu *m = f ? f->menu : NULL;
		if (!ok && m)
			DIAG_NEARBY(c->d, at_item(n, i), texts[i], names_of(c, m->items, m->nitems, sizeof *m->items), m->nitems,
			            NO_ITEM, STR_FMT(m->name), STR_FMT(texts[i]));
		else if (!ok)
			DIAG(c->d, at_item(n, i), LIST_WHERE, STR_FMT(texts[i]), kind_text(f));
	}
	ret->vals = vals;
	ret->nvals = count;
}

static bool can_be_where(const struct field *f)
{
	unsigned no = 1u << FIELD_POSITION | 1u << FIELD_SHAPE | 1u << FIELD_MONEY | 1u << FIELD_TIME | 1u << FIELD_ROWS | 1u << FIELD_FILES |
	              1u << FIELD_PHOTOS | 1u << FIELD_REFS | 1u << FIELD_SHEET | 1u << FIELD_ORIGIN;
	return !f || (!f->personal && !(no & 1u << f->kind));
}

// An expression that the store can do itself.
static void where_expr(struct check *c, const struct type *t, const struct yaml_node *where, struct listing *l)
{
	struct expr_ask ask = { .reg = c->reg, .t = t };
	l->where = type_expr_at(&ask, where, 0, c->a, c->d);
	if (l->where)
		l->cond = expr_to_cond_at(l->where, t, where, c->a, c->d);
}

static void check_where(struct check *c, const struct type *t, const struct yaml_node *where, struct listing *l)
{
	if (!where)
		return;
	if (where->kind == YAML_SCALAR) {
		where_expr(c, t, where, l);
		return;
	}
	if (where->kind != YAML_MAP) {
		DIAG(c->d, where, WANT_MAP);
		return;
	}
	struct filter *filters = arena_many(c->a, where->n, struct filter);
	for (size_t i = 0; i < where->n; i++) {
		const struct field *f;
		struct str name = where->keys[i]->text;
		if (!column(c, t, where->keys[i], name, &f))
			continue;
		if (!can_be_where(f)) {
			DIAG(c->d, where->keys[i], LIST_WHERE_KIND, field_kind_name(f->kind));
			continue;
		}
		struct filter *ret = &filters[l->nfilters++];
		*ret = (struct filter){ .column = name };
		where_values(c, t, f, ret, where->items[i]);
		ret->op = f && f->kind == FIELD_MENUS ? FILTER_CONTAINS : ret->nvals == 1 ? FILTER_EQ : FILTER_IN;
		if (ret->op == FILTER_CONTAINS && ret->nvals > 1)
			DIAG(c->d, where->items[i], LIST_WHERE_KIND, "menus");
	}
	l->filters = filters;
}

static bool sortable(const struct field *f)
{
	unsigned no = 1u << FIELD_POSITION | 1u << FIELD_SHAPE | 1u << FIELD_MENUS | 1u << FIELD_ROWS | 1u << FIELD_FILES | 1u << FIELD_PHOTOS |
	              1u << FIELD_REFS | 1u << FIELD_SHEET | 1u << FIELD_ORIGIN;
	return !f || (!f->personal && !(no & 1u << f->kind));
}

// "field" or "field desc". A menu is sorted in the order of its items, which packs write worst first: so "level desc"
// (from the highest down) is the order of the menu and "level" its reverse.
static void order_one(struct check *c, const struct type *t, const struct yaml_node *n, struct listing *l, struct sort *s)
{
	struct str rest, name;
	const struct field *f;
	if (!yaml_str(n, &rest, c->d))
		return;
	name = str_cut(&rest, ' ');
	rest = str_trim(rest);
	if (name.n == 0 || (rest.n && !str_is(rest, "desc") && !str_is(rest, "asc"))) {
		DIAG(c->d, n, LIST_ORDER, STR_FMT(n->text));
		return;
	}
	if (!column(c, t, n, name, &f))
		return;
	if (!sortable(f)) {
		DIAG(c->d, n, LIST_ORDER, STR_FMT(n->text));
		return;
	}
	*s = (struct sort){ .column = name, .descending = str_is(rest, "desc") };
	if (f && f->menu) {
		s->ranks = names_of(c, f->menu->items, f->menu->nitems, sizeof *f->menu->items);
		s->nranks = f->menu->nitems;
		s->descending = !s->descending;
	}
	l->nsorts++;
}

static void check_show(struct check *c, const struct type *t, const struct yaml_node *n, const struct listing *l)
{
	const struct yaml_node *show = yaml_get(n, "show");
	if (show && l->nshow == 0 && show->kind == YAML_LIST && show->n == 0)
		DIAG(c->d, show, EMPTY_LIST);
	for (size_t i = 0; i < l->nshow; i++) {
		const struct field *f;
		if (type_draw(t, l->show[i]))
			continue;
		if (column(c, t, at_item(show, i), l->show[i], &f) && f && (f->kind == FIELD_SHAPE || f->kind == FIELD_SHEET))
			DIAG(c->d, at_item(show, i), LIST_SHOW, STR_FMT(l->show[i]), field_kind_name(f->kind));
	}
}

static void check_list(struct check *c, struct type *t, const struct yaml_node *n, struct raw_list *raw)
{
	if (!keys_read(c, n, list_keys, ARRAY_LEN(list_keys), raw))
		return;
	if (raw->l.open_only && t->nstates == 0)
		DIAG(c->d, at_key(n, "open"), LIST_OPEN);
	check_where(c, t, raw->where, &raw->l);
	check_show(c, t, n, &raw->l);
	if (!raw->order)
		return;
	raw->l.sorts = arena_many(c->a, raw->order->n, struct sort);
	for (size_t i = 0; i < raw->order->n; i++)
		order_one(c, t, raw->order->items[i], &raw->l, &raw->l.sorts[raw->l.nsorts]);
}

void check_lists(struct check *c, struct type *t, const struct yaml_node *lists)
{
	if (!lists)
		return;
	t->lists = arena_many(c->a, lists->n, struct listing);
	t->nlists = lists->n;
	for (size_t i = 0; i < lists->n; i++) {
		if (!name_ok(lists->keys[i]->text))
			DIAG(c->d, lists->keys[i], WANT_NAME, STR_FMT(lists->keys[i]->text));
		struct raw_list raw = { .l = { .name = lists->keys[i]->text } };
		check_list(c, t, lists->items[i], &raw);
		t->lists[i] = raw.l;
	}
}
