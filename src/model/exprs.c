// Names of expressions over the records of a type. Called by the checker and by who compiles texts of packs; any thread.
#include "model/exprs.h"

#include "base/limits.h"

// ---- what a name is ----------------------------------------------------------------------------
static enum expr_kind kind_of(enum field_kind k)
{
	switch (k) {
	case FIELD_NUMBER:
	case FIELD_MONEY: return EXPR_NUMBER;
	case FIELD_BOOL: return EXPR_BOOL;
	case FIELD_DATE: return EXPR_DATE;
	case FIELD_TIME: return EXPR_TIME;
	case FIELD_MENU: return EXPR_MENU;
	case FIELD_MENUS: return EXPR_MENUS;
	case FIELD_REF: return EXPR_REF;
	case FIELD_REFS:
	case FIELD_FILES:
	case FIELD_PHOTOS: return EXPR_LIST;
	case FIELD_ROWS: return EXPR_ROWS;
	case FIELD_ORIGIN: return EXPR_ORIGIN;
	case FIELD_POSITION:
	case FIELD_SHAPE:
	case FIELD_SHEET: return EXPR_OTHER;
	case FIELD_TEXT:
	case FIELD_PHONE:
	case FIELD_USCC:
	case FIELD_AREA:
	case FIELD_IDCARD:
	case FIELD__MAX: break;
	}
	return EXPR_TEXT;
}

struct expr_name field_expr_name(const struct field *f)
{
	struct expr_name n = { .kind = kind_of(f->kind), .unit = STR_EMPTY, .zh = f->label.zh, .en = f->label.en, .p = f, .n = SOURCE_FIELD };
	if (f->kind == FIELD_NUMBER)
		n.unit = f->unit.en;
	else if (f->kind == FIELD_MONEY)
		n.unit = STR("CNY");
	if (f->menu) {
		n.items = f->menu->choices;
		n.nitems = f->menu->nitems;
	}
	return n;
}

static const struct { const char *name; enum expr_kind kind; const char *zh, *en; } commons[] = {
	{ "id", EXPR_NUMBER, "记录号", "id" },           { "number", EXPR_TEXT, "编号", "number" },        { "title", EXPR_TEXT, "名称", "title" },
	{ "state", EXPR_MENU, "状态", "state" },         { "area", EXPR_TEXT, "区域", "area" },            { "enterprise", EXPR_REF, "企业", "enterprise" },
	{ "sector", EXPR_MENU, "行业", "sector" },       { "thread", EXPR_NUMBER, "线索", "thread" },      { "version", EXPR_NUMBER, "版本", "version" },
	{ "created_at", EXPR_TIME, "新建时间", "created" }, { "created_by", EXPR_REF, "新建人", "created by" },
	{ "changed_at", EXPR_TIME, "修改时间", "changed" }, { "changed_by", EXPR_REF, "修改人", "changed by" },
	{ "state_at", EXPR_TIME, "进入状态的时间", "in this state since" }, { "deadline", EXPR_TIME, "时限", "deadline" },
	{ "escalated", EXPR_NUMBER, "已升级次数", "escalations" }, { "retired", EXPR_BOOL, "已停用", "retired" },
	{ "prev_state", EXPR_MENU, "上一状态", "state before" }, { "moved_by", EXPR_REF, "办理人", "moved by" },
	{ "paused", EXPR_BOOL, "计时暂停", "clock paused" }, { "reminded", EXPR_NUMBER, "已提醒次数", "reminders" },
	{ "batch", EXPR_NUMBER, "导入批次", "import" },
};

static void states_as_items(const struct type *t, struct expr_name *ret)
{
	ret->items = t->state_choices;
	ret->nitems = t->nstates;
}

static bool common_name(const struct registry *reg, const struct type *t, struct str name, struct expr_name *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(commons); i++) {
		if (!str_is(name, commons[i].name))
			continue;
		*ret = (struct expr_name){ .kind = commons[i].kind, .unit = STR_EMPTY, .zh = str_of(commons[i].zh),
			                   .en = str_of(commons[i].en), .any_unit = true, .n = SOURCE_COMMON };
		const struct menu *sectors = str_is(name, "sector") ? registry_menu(reg, STR("sector")) : NULL;
		if (str_ends(name, STR("state")))
			states_as_items(t, ret);
		else if (sectors)
			ret->items = sectors->choices, ret->nitems = sectors->nitems;
		else if (str_is(name, "sector"))
			ret->kind = EXPR_TEXT;
		return true;
	}
	return false;
}

static bool type_name(const struct registry *reg, const struct type *t, struct str name, bool here, struct expr_name *ret)
{
	const struct field *f = type_field(t, name);
	const struct draw *d = here ? type_draw(t, name) : NULL;
	if (f) {
		*ret = field_expr_name(f);
		return true;
	}
	if (d && d->field) {
		*ret = field_expr_name(d->field);
		*ret = (struct expr_name){ .kind = ret->kind, .unit = ret->unit, .items = ret->items, .nitems = ret->nitems, .zh = d->label.zh,
			                   .en = d->label.en, .p = d, .n = SOURCE_DRAW };
		return true;
	}
	return common_name(reg, t, name, ret);
}

// Behind the dot of an origin: its type, and what every record has whatever its type is. States differ from type to type.
static bool origin_name(const struct registry *reg, const struct field *f, struct str name, struct expr_name *ret)
{
	if (!str_is(name, "type"))
		return !str_ends(name, STR("state")) && common_name(reg, NULL, name, ret);
	*ret = (struct expr_name){ .kind = EXPR_MENU, .unit = STR_EMPTY, .items = f->from_items, .nitems = f->nfrom, .zh = STR("类型"),
		                   .en = STR("type"), .p = f, .n = SOURCE_ORIGIN_TYPE };
	return true;
}

// The type that a reference leads to.
static const struct type *reached(const struct registry *reg, const struct expr_name *of)
{
	const struct field *f = of->n == SOURCE_FIELD ? of->p : NULL;
	if (f)
		return registry_type(reg, f->to);
	if (of->n == SOURCE_MY_ENTERPRISE || (of->n == SOURCE_COMMON && str_is(of->en, "enterprise")))
		return registry_type(reg, STR("enterprise"));
	return registry_type(reg, STR("person"));
}

struct asking {             // behind struct expr_names.arg
	const struct expr_ask *ask;
	struct arena *a;        // labels of linked()
};

static bool find(void *arg, const struct expr_name *of, struct str name, struct expr_name *ret)
{
	const struct expr_ask *ask = ((const struct asking *)arg)->ask;
	const struct field *rows = of && of->kind == EXPR_ROWS ? of->p : NULL;
	for (size_t i = 0; rows && i < rows->ncolumns; i++)
		if (str_eq(rows->columns[i].name, name)) {
			*ret = field_expr_name(&rows->columns[i]);
			return true;
		}
	if (rows)
		return false;
	if (of && of->kind == EXPR_ORIGIN)
		return origin_name(ask->reg, of->p, name, ret);
	const struct type *t = of ? reached(ask->reg, of) : ask->t;
	if (t && type_name(ask->reg, t, name, !of, ret))
		return true;
	if (of || (!str_is(name, "me") && !str_is(name, "my_enterprise")))
		return false;
	bool me = str_is(name, "me");
	*ret = (struct expr_name){ .kind = EXPR_REF, .unit = STR_EMPTY, .zh = me ? STR("本人") : STR("本企业"),
		                   .en = me ? STR("the person who asks") : STR("one's own enterprise"),
		                   .n = me ? SOURCE_ME : SOURCE_MY_ENTERPRISE };
	return !ask->stored;
}

static size_t list(void *arg, const struct expr_name *of, struct arena *a, struct str **ret)
{
	const struct expr_ask *ask = ((const struct asking *)arg)->ask;
	const struct field *rows = of && of->kind == EXPR_ROWS ? of->p : NULL;
	bool origin = of && of->kind == EXPR_ORIGIN;
	const struct type *t = rows || origin ? NULL : of ? reached(ask->reg, of) : ask->t;
	const struct field *fields = rows ? rows->columns : t ? t->fields : NULL;
	size_t nfields = rows ? rows->ncolumns : t ? t->nfields : 0, n = 0;
	*ret = arena_many(a, nfields + ARRAY_LEN(commons) + 1, struct str);
	for (size_t i = 0; i < nfields; i++)
		(*ret)[n++] = fields[i].name;
	if (origin)
		(*ret)[n++] = STR("type");
	for (size_t i = 0; (t || origin) && i < ARRAY_LEN(commons); i++)
		if (!origin || !str_ends(str_of(commons[i].name), STR("state")))
			(*ret)[n++] = str_of(commons[i].name);
	return n;
}

// Does a record of the type say to which record of the other it belongs?
static bool refers(const struct type *from, const struct type *to)
{
	for (size_t i = 0; i < from->nfields; i++) {
		const struct field *f = &from->fields[i];
		if ((f->kind == FIELD_REF || f->kind == FIELD_REFS) && str_eq(f->to, to->name))
			return true;
		if (f->kind == FIELD_ORIGIN && origin_type(f, to->name))
			return true;
	}
	return str_is(to->name, "enterprise") && from->enterprise_from.n && !str_is(from->name, "enterprise");
}

static bool can_match(enum field_kind k) { return k == FIELD_TEXT || k == FIELD_USCC || k == FIELD_IDCARD || k == FIELD_REF; }
// A text may hold a credit code; a reference is compared with one, an identity number with one only.
static bool alike(enum field_kind a, enum field_kind b)
{
	return a == b || ((a == FIELD_TEXT || a == FIELD_USCC) && (b == FIELD_TEXT || b == FIELD_USCC));
}

// One value of its own, or the common enterprise.
static bool one_value(const struct field *f) { return f->ncols == 1 || (f->ncols == 0 && f->kind == FIELD_REF); }

// matched('enterprise.uscc'): TYPE.FIELD, a field of this type of the same name and of a kind that can be looked for.
static bool matched(const struct asking *asking, struct str argument, bool ever, struct expr_name *ret)
{
	const struct expr_ask *ask = asking->ask;
	struct str field = argument, type = str_cut(&field, '.');
	const struct type *t = registry_type(ask->reg, type);
	const struct field *of = t ? type_field(t, field) : NULL, *own = ask->t ? type_field(ask->t, field) : NULL;
	if (!of || !own || !one_value(of) || !one_value(own) || own->nread || of->nread || !can_match(of->kind) || !can_match(own->kind) ||
	    !alike(of->kind, own->kind) || ((own->personal || of->personal) && own->kind != FIELD_IDCARD))
		return false;
	struct expr_match *m = arena_one(asking->a, struct expr_match);
	*m = (struct expr_match){ own, of, t, ever };
	*ret = (struct expr_name){ .kind = EXPR_BOOL, .unit = STR_EMPTY, .p = m, .n = SOURCE_MATCHED, .said = true };
	ret->zh = arena_printf(asking->a, ever ? "“%.*s”中有或曾有同一“%.*s”的记录" : "“%.*s”中有同一“%.*s”的记录", STR_FMT(t->label.zh), STR_FMT(of->label.zh));
	ret->en = arena_printf(asking->a, ever ? "a record \"%.*s\" has or had the same \"%.*s\"" : "a record \"%.*s\" has the same \"%.*s\"",
	                       STR_FMT(t->label.en), STR_FMT(of->label.en));
	return true;
}

// linked('risk_check.missed'): only those in that state.
static bool linked_in(struct arena *a, const struct type *t, struct str state, struct expr_name *ret)
{
	const struct state *s = type_state(t, state);
	struct expr_links *l = arena_one(a, struct expr_links);
	if (!s)
		return false;
	*l = (struct expr_links){ t, s };
	*ret = (struct expr_name){ .kind = EXPR_NUMBER, .unit = STR_EMPTY, .any_unit = true, .p = l, .n = SOURCE_LINKED_IN };
	ret->zh = arena_printf(a, "“%.*s”的“%.*s”数", STR_FMT(s->label.zh), STR_FMT(t->label.zh));
	ret->en = arena_printf(a, "the number of records \"%.*s\" in the state \"%.*s\"", STR_FMT(t->label.en), STR_FMT(s->label.en));
	return true;
}

static bool call(void *arg, struct str function, struct str argument, int64_t window, struct expr_name *ret, bool *known)
{
	struct arena *a = ((const struct asking *)arg)->a;
	const struct expr_ask *ask = ((const struct asking *)arg)->ask;
	bool open = str_is(function, "linked_open"), ever = str_is(function, "matched_ever");
	if (ever || str_is(function, "matched")) {
		*known = true;
		return !window && matched(arg, argument, ever, ret);
	}
	if (!open && !str_is(function, "linked"))
		return false;
	*known = true;
	struct str state = argument, type = str_cut(&state, '.');
	const struct type *t = registry_type(ask->reg, type);
	if (!t || !ask->t || window || !refers(t, ask->t))
		return false;
	if (state.n)
		return !open && linked_in(a, t, state, ret);
	*ret = (struct expr_name){ .kind = EXPR_NUMBER, .unit = STR_EMPTY, .any_unit = true, .p = t,
		                   .n = open ? SOURCE_LINKED_OPEN : SOURCE_LINKED };
	ret->zh = arena_printf(a, open ? "未办结的“%.*s”数" : "“%.*s”数", STR_FMT(t->label.zh));
	ret->en = arena_printf(a, open ? "the number of open records \"%.*s\"" : "the number of records \"%.*s\"", STR_FMT(t->label.en));
	return true;
}

struct str slot_column(const struct expr_slot *s)
{
	for (size_t i = s->text.n; i > 0; i--)
		if (s->text.p[i - 1] == '.')
			return str_skip(s->text, i);
	return s->text;
}

const struct expr *type_expr(const struct expr_ask *ask, struct str text, struct arena *a, struct expr_error *ret_error)
{
	static const struct expr_name condition = { .kind = EXPR_BOOL };
	struct asking asking = { ask, a };
	struct expr_names names = { .arg = &asking, .find = find, .list = list, .call = call, .stored = ask->stored,
		                    .want = ask->want ? ask->want : &condition };
	return expr_compile(a, text, &names, ret_error);
}

// ---- mistakes at their place -------------------------------------------------------------------
void expr_say(struct diags *d, const struct yaml_node *n, size_t skip, const struct expr_error *e)
{
	struct yaml_node at = *n;
	if (n->kind == YAML_SCALAR && !n->folded)
		at.col += (unsigned)(n->quoted + str_utf8_len(str_first(n->text, skip)) + e->column - 1);
	diag_say(d, &at, "%.*s", "%.*s", STR_FMT(d->zh ? e->zh : e->en));
}

const struct expr *type_expr_at(const struct expr_ask *ask, const struct yaml_node *n, size_t skip, struct arena *a, struct diags *d)
{
	struct expr_error error;
	struct str text;
	if (!yaml_str(n, &text, d))
		return NULL;
	const struct expr *e = type_expr(ask, str_skip(text, skip), a, &error);
	if (!e)
		expr_say(d, n, skip, &error);
	return e;
}
