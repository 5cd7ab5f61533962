// Checks the groups and fields of a record type and lays out its columns. Called by registry_load when the names of
// all menus and types are known.
#include "base/limits.h"
#include "base/time.h"
#include "model/check.h"

static const struct str kind_names[FIELD__MAX] = {
	[FIELD_TEXT] = { "text", 4 },         [FIELD_NUMBER] = { "number", 6 }, [FIELD_MONEY] = { "money", 5 },
	[FIELD_BOOL] = { "bool", 4 },         [FIELD_DATE] = { "date", 4 },     [FIELD_TIME] = { "time", 4 },
	[FIELD_MENU] = { "menu", 4 },         [FIELD_MENUS] = { "menus", 5 },   [FIELD_REF] = { "ref", 3 },
	[FIELD_POSITION] = { "position", 8 }, [FIELD_SHAPE] = { "shape", 5 },   [FIELD_PHONE] = { "phone", 5 },
	[FIELD_USCC] = { "uscc", 4 },         [FIELD_AREA] = { "area", 4 },     [FIELD_REFS] = { "refs", 4 },
	[FIELD_FILES] = { "files", 5 },       [FIELD_PHOTOS] = { "photos", 6 }, [FIELD_ROWS] = { "rows", 4 },
	[FIELD_IDCARD] = { "idcard", 6 },     [FIELD_SHEET] = { "sheet", 5 },
	[FIELD_ORIGIN] = { "origin", 6 },
};

const char *field_kind_name(enum field_kind k)
{
	return kind_names[k].p;
}

static enum column_kind column_of(enum field_kind k)
{
	switch (k) {
	case FIELD_NUMBER:
	case FIELD_POSITION: return COL_REAL;
	case FIELD_MONEY:
	case FIELD_BOOL:
	case FIELD_TIME:
	case FIELD_REF: return COL_INT;
	case FIELD_TEXT:
	case FIELD_DATE:
	case FIELD_MENU:
	case FIELD_MENUS:
	case FIELD_SHAPE:
	case FIELD_PHONE:
	case FIELD_USCC:
	case FIELD_AREA:
	case FIELD_REFS:
	case FIELD_FILES:
	case FIELD_PHOTOS:
	case FIELD_ROWS:
	case FIELD_IDCARD:
	case FIELD_SHEET:
	case FIELD_ORIGIN:
	case FIELD__MAX: break;
	}
	return COL_TEXT;
}

#define BIT(k) (1u << (k))
#define TEXTUAL (BIT(FIELD_TEXT) | BIT(FIELD_PHONE) | BIT(FIELD_USCC) | BIT(FIELD_IDCARD))
#define BOUNDED (BIT(FIELD_TEXT) | BIT(FIELD_NUMBER) | BIT(FIELD_MONEY))
#define COUNTED (BIT(FIELD_REFS) | BIT(FIELD_FILES) | BIT(FIELD_PHOTOS) | BIT(FIELD_ROWS))
#define COMPUTABLE (BOUNDED | BIT(FIELD_BOOL) | BIT(FIELD_DATE) | BIT(FIELD_TIME) | BIT(FIELD_MENU))
#define IN_ROWS (BOUNDED | TEXTUAL | BIT(FIELD_BOOL) | BIT(FIELD_DATE) | BIT(FIELD_TIME) | BIT(FIELD_MENU) | BIT(FIELD_REF) | \
		 BIT(FIELD_AREA))

// Keys that have a meaning for some kinds only.
static const struct { const char *key; unsigned kinds; bool need; } kind_keys[] = {
	{ "of", BIT(FIELD_MENU) | BIT(FIELD_MENUS) | BIT(FIELD_SHEET), true },
	{ "to", BIT(FIELD_REF) | BIT(FIELD_REFS), true },
	{ "min", BOUNDED | COUNTED, false },
	{ "max", BOUNDED | COUNTED, false },
	{ "unit", BIT(FIELD_NUMBER), false },
	{ "decimals", BIT(FIELD_NUMBER), false },
	{ "lines", BIT(FIELD_TEXT), false },
	{ "search", BIT(FIELD_TEXT) | BIT(FIELD_USCC), false }, // what is masked is not to be found by guessing
	{ "unique", TEXTUAL | BIT(FIELD_NUMBER) | BIT(FIELD_REF) | BIT(FIELD_DATE), false },
	{ "personal", BIT(FIELD_TEXT), false },
	{ "sheet", BIT(FIELD_SHEET), true },
	{ "accept", BIT(FIELD_FILES), false },
	{ "where", BIT(FIELD_PHOTOS), false },
	{ "columns", BIT(FIELD_ROWS), true },
	{ "shape", BIT(FIELD_SHAPE), false },
	{ "compute", COMPUTABLE, false },
	{ "default", BOUNDED | BIT(FIELD_BOOL) | BIT(FIELD_DATE) | BIT(FIELD_TIME) | BIT(FIELD_MENU) | BIT(FIELD_MENUS) | BIT(FIELD_REF) |
		             BIT(FIELD_AREA), false },
};

static void check_kind_keys(struct check *c, const struct yaml_node *n, enum field_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_keys); i++) {
		const struct yaml_node *v = yaml_get(n, kind_keys[i].key);
		bool fits = kind_keys[i].kinds & BIT(kind);
		if (v && !fits)
			DIAG(c->d, v, NOT_FOR_KIND, kind_keys[i].key, field_kind_name(kind));
		else if (!v && fits && kind_keys[i].need)
			DIAG(c->d, n, NEEDS_KEY, field_kind_name(kind), kind_keys[i].key);
	}
}

static bool date_ok(struct str s)
{
	uint64_t y, m, d;
	return s.n == 10 && s.p[4] == '-' && s.p[7] == '-' && str_to_u64(str_first(s, 4), &y) &&
	       str_to_u64(str_from(s.p + 5, 2), &m) && str_to_u64(str_skip(s, 8), &d) &&
	       civil_valid((struct civil){ .year = (int)y, .month = (int)m, .day = (int)d });
}

static bool number_ok(const struct field *f, struct str text)
{
	double v;
	return str_to_f64(text, &v) && !(f->has_min && v < f->min) && !(f->has_max && v > f->max);
}

bool literal_ok(const struct field *f, struct str text)
{
	int64_t us;
	switch (f->kind) {
	case FIELD_TEXT: return str_utf8_len(text) <= (f->has_max ? f->max : LIMIT_TEXT_FIELD);
	case FIELD_NUMBER:
	case FIELD_MONEY: return number_ok(f, text);
	case FIELD_BOOL: return str_is(text, "true") || str_is(text, "false");
	case FIELD_DATE: return str_is(text, "now") || date_ok(text);
	case FIELD_TIME: return str_is(text, "now") || time_parse(text, &us);
	case FIELD_MENU:
	case FIELD_MENUS: return !f->menu || menu_item(f->menu, text);
	case FIELD_REF:
		return (str_is(text, "me") && str_is(f->to, "person")) ||
		       (str_is(text, "my_enterprise") && str_is(f->to, "enterprise")) ||
		       (str_is(text, "my_organisation") && str_is(f->to, "organisation"));
	case FIELD_AREA: return str_is(text, "my_area");
	case FIELD_POSITION:
	case FIELD_SHAPE:
	case FIELD_PHONE:
	case FIELD_USCC:
	case FIELD_REFS:
	case FIELD_FILES:
	case FIELD_PHOTOS:
	case FIELD_ROWS:
	case FIELD_IDCARD:
	case FIELD_SHEET:
	case FIELD_ORIGIN:
	case FIELD__MAX: break;
	}
	return false;
}

struct raw_field {
	struct field f;
	struct str is, of, shape;
	const struct yaml_node *need, *when, *compute, *columns;
};

static const struct key field_keys[] = {
	{ "is", KEY_STR, true, offsetof(struct raw_field, is), 0 },
	{ "label", KEY_LABEL, true, offsetof(struct raw_field, f.label), 0 },
	{ "help", KEY_LABEL, false, offsetof(struct raw_field, f.help), 0 },
	{ "group", KEY_STR, false, offsetof(struct raw_field, f.group), 0 },
	{ "need", KEY_ANY, false, offsetof(struct raw_field, need), 0 },
	{ "when", KEY_ANY, false, offsetof(struct raw_field, when), 0 },
	{ "compute", KEY_ANY, false, offsetof(struct raw_field, compute), 0 },
	{ "personal", KEY_BOOL, false, offsetof(struct raw_field, f.personal), 0 },
	{ "read", KEY_STRS, false, offsetof(struct raw_field, f.read), offsetof(struct raw_field, f.nread) },
	{ "edit", KEY_STRS, false, offsetof(struct raw_field, f.edit), offsetof(struct raw_field, f.nedit) },
	{ "accept", KEY_STRS, false, offsetof(struct raw_field, f.accept), offsetof(struct raw_field, f.naccept) },
	{ "where", KEY_BOOL, false, offsetof(struct raw_field, f.where), 0 },
	{ "columns", KEY_MAP, false, offsetof(struct raw_field, columns), 0 },
	{ "shape", KEY_STR, false, offsetof(struct raw_field, shape), 0 },
	{ "unique", KEY_BOOL, false, offsetof(struct raw_field, f.unique), 0 },
	{ "readonly", KEY_BOOL, false, offsetof(struct raw_field, f.readonly), 0 },
	{ "search", KEY_BOOL, false, offsetof(struct raw_field, f.search), 0 },
	{ "expert", KEY_BOOL, false, offsetof(struct raw_field, f.expert), 0 },
	{ "max", KEY_F64, false, offsetof(struct raw_field, f.max), offsetof(struct raw_field, f.has_max) },
	{ "min", KEY_F64, false, offsetof(struct raw_field, f.min), offsetof(struct raw_field, f.has_min) },
	{ "unit", KEY_TEXTS, false, offsetof(struct raw_field, f.unit), 0 },
	{ "decimals", KEY_INT, false, offsetof(struct raw_field, f.decimals), 0 },
	{ "lines", KEY_BOOL, false, offsetof(struct raw_field, f.lines), 0 },
	{ "of", KEY_STR, false, offsetof(struct raw_field, of), 0 },
	{ "sheet", KEY_MAP, false, offsetof(struct raw_field, f.sheet), 0 },
	{ "to", KEY_STR, false, offsetof(struct raw_field, f.to), 0 },
	{ "default", KEY_STR, false, offsetof(struct raw_field, f.fallback), 0 },
};

static void check_counts(struct check *c, const struct yaml_node *n, const struct field *f)
{
	unsigned most = f->kind == FIELD_ROWS ? LIMIT_ROWS : LIMIT_LIST_FIELD;
	bool max_ok = !f->has_max || (f->max >= 1 && f->max <= most && f->max == (double)(unsigned)f->max);
	bool min_ok = !f->has_min || (f->min >= 0 && f->min <= most && f->min == (double)(unsigned)f->min);
	if ((BIT(f->kind) & COUNTED) && (!max_ok || !min_ok))
		DIAG(c->d, at_key(n, max_ok ? "min" : "max"), COUNT_MAX, field_kind_name(f->kind), most);
}

static void check_bounds(struct check *c, const struct yaml_node *n, const struct field *f)
{
	check_counts(c, n, f);
	if (f->has_min && f->has_max && (f->kind == FIELD_TEXT || (BIT(f->kind) & COUNTED) ? f->min > f->max : f->min >= f->max))
		DIAG(c->d, at_key(n, "min"), BOUNDS);
	if (f->kind == FIELD_TEXT && f->has_max && !(f->max >= 1 && f->max <= LIMIT_TEXT_FIELD))
		DIAG(c->d, at_key(n, "max"), TEXT_MAX, (unsigned)LIMIT_TEXT_FIELD);
	if (f->decimals < -1 || f->decimals > 9 || (f->decimals == -1 && yaml_get(n, "decimals")))
		DIAG(c->d, at_key(n, "decimals"), DECIMALS);
}

// Assessments are read by measure/; here only that there is one of this name.
static void check_assessment(struct check *c, const struct yaml_node *n, struct field *f, struct str of)
{
	struct str *names = arena_many(c->a, c->assessments->n, struct str);
	size_t count = 0;
	f->assessment = of;
	for (size_t i = 0; of.n && i < c->assessments->n; i++) {
		const struct yaml_node *name = yaml_get(c->assessments->v[i].root, "assessment");
		if (name && name->kind == YAML_SCALAR)
			names[count++] = name->text;
		if (count && str_eq(names[count - 1], of))
			return;
	}
	if (of.n)
		DIAG_NEARBY(c->d, at_key(n, "of"), of, names, count, NO_ASSESSMENT, STR_FMT(of));
}

static void check_accept(struct check *c, const struct yaml_node *n, const struct field *f)
{
	static const struct str groups[] = { { "pdf", 3 }, { "office", 6 }, { "image", 5 }, { "video", 5 }, { "text", 4 } };
	for (size_t i = 0; i < f->naccept; i++) {
		bool known = false;
		for (size_t k = 0; k < ARRAY_LEN(groups); k++)
			known |= str_eq(groups[k], f->accept[i]);
		if (!known)
			DIAG_NEARBY(c->d, at_item(yaml_get(n, "accept"), i), f->accept[i], groups, ARRAY_LEN(groups), ACCEPT, STR_FMT(f->accept[i]));
	}
}

static void check_shape(struct check *c, const struct yaml_node *n, struct raw_field *raw)
{
	static const struct str shapes[] = { { "point", 5 }, { "line", 4 }, { "area", 4 } };
	if (raw->shape.n == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		if (str_eq(shapes[i], raw->shape)) {
			raw->f.shape = (enum shape_kind)(i + 1);
			return;
		}
	DIAG_NEARBY(c->d, at_key(n, "shape"), raw->shape, shapes, ARRAY_LEN(shapes), SHAPE_KIND, STR_FMT(raw->shape));
}

static void check_references(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_field *raw)
{
	struct field *f = &raw->f;
	if (f->kind == FIELD_SHEET)
		check_assessment(c, n, f, raw->of);
	else if (raw->of.n && !(f->menu = registry_menu(c->reg, raw->of)))
		DIAG_NEARBY(c->d, at_key(n, "of"), raw->of, c->menu_names, c->reg->nmenus, NO_MENU, STR_FMT(raw->of));
	if (f->to.n && !registry_type(c->reg, f->to))
		DIAG_NEARBY(c->d, at_key(n, "to"), f->to, c->type_names, c->reg->ntypes, NO_TYPE, STR_FMT(f->to));
	if (f->group.n == 0)
		return;
	for (size_t i = 0; i < t->ngroups; i++)
		if (str_eq(t->groups[i].name, f->group))
			return;
	DIAG_NEARBY(c->d, at_key(n, "group"), f->group, names_of(c, t->groups, t->ngroups, sizeof *t->groups),
	            t->ngroups, NO_GROUP, STR_FMT(f->group));
}

static bool kind_of(struct check *c, const struct yaml_node *n, struct str is, enum field_kind *ret)
{
	for (unsigned k = 0; k < FIELD__MAX; k++)
		if (str_eq(kind_names[k], is)) {
			*ret = (enum field_kind)k;
			return true;
		}
	if (is.n)
		DIAG_NEARBY(c->d, at_key(n, "is"), is, kind_names, FIELD__MAX, FIELD_KIND, STR_FMT(is));
	return false;
}

// need: true, false, or an expression that is compiled when all fields are known. read, edit: roles.
static void check_need(struct check *c, const struct yaml_node *n, struct raw_field *raw)
{
	const struct yaml_node *need = raw->need;
	if (need && need->kind != YAML_SCALAR)
		DIAG(c->d, need, WANT_TEXT);
	raw->f.need = need && str_is(need->text, "true");
	if (raw->f.nread)
		check_roles(c, yaml_get(n, "read"), &raw->f.read, &raw->f.nread);
	if (raw->f.nedit)
		check_roles(c, yaml_get(n, "edit"), &raw->f.edit, &raw->f.nedit);
}

static void check_computed(struct check *c, const struct yaml_node *n, struct raw_field *raw)
{
	static const char *const others[] = { "need", "default", "edit", "min", "max" };
	for (size_t i = 0; raw->compute && i < ARRAY_LEN(others); i++)
		if (yaml_get(n, others[i]))
			DIAG(c->d, at_key(n, others[i]), COMPUTE_GIVEN, STR_FMT(raw->f.name), others[i]);
	raw->f.readonly |= raw->compute != NULL || raw->f.kind == FIELD_ORIGIN;
}

static void check_field(struct check *c, const struct type *t, const struct yaml_node *name, const struct yaml_node *n,
                        struct field *ret);

static void check_column(struct check *c, const struct type *t, const struct yaml_node *name, const struct yaml_node *n, struct field *f)
{
	static const char *const others[] = { "unique", "readonly", "search",  "expert", "group",   "when",
		                              "compute", "read",    "edit",    "default", "columns" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (yaml_get(n, others[i])) {
			DIAG(c->d, at_key(n, others[i]), COLUMN_KEY, others[i]);
			return;
		}
	if (!name_ok(name->text))
		DIAG(c->d, name, WANT_NAME, STR_FMT(name->text));
	check_field(c, t, name, n, f);
	const struct yaml_node *is = yaml_get(n, "is"), *need = yaml_get(n, "need");
	bool b;
	if (is && !(BIT(f->kind) & IN_ROWS))
		DIAG(c->d, is, COLUMN_KIND, field_kind_name(f->kind));
	if (need)
		(void)yaml_bool(need, &b, c->d);
}

static void check_columns(struct check *c, const struct type *t, struct raw_field *raw)
{
	const struct yaml_node *cols = raw->columns;
	if (!cols || raw->f.kind != FIELD_ROWS)
		return;
	if (cols->n == 0)
		DIAG(c->d, cols, NO_FIELDS);
	size_t n = MIN(cols->n, (size_t)LIMIT_ROW_COLUMNS);
	if (cols->n > n)
		DIAG(c->d, cols->keys[n], COLUMNS_MANY, LIMIT_ROW_COLUMNS);
	raw->f.columns = arena_many(c->a, n, struct field);
	for (size_t i = 0; i < n; i++)
		check_column(c, t, cols->keys[i], cols->items[i], &raw->f.columns[i]);
	raw->f.ncolumns = n;
}

static void check_field(struct check *c, const struct type *t, const struct yaml_node *name, const struct yaml_node *n,
                        struct field *ret)
{
	struct label none = { STR_EMPTY, STR_EMPTY };
	struct raw_field raw = { .f = { .name = name->text, .label = none, .help = none, .unit = none, .group = STR_EMPTY,
		                        .to = STR_EMPTY, .fallback = STR_EMPTY, .decimals = -1, .assessment = STR_EMPTY },
		                 .is = STR_EMPTY, .of = STR_EMPTY, .shape = STR_EMPTY };
	if (keys_read(c, n, field_keys, ARRAY_LEN(field_keys), &raw) && kind_of(c, n, raw.is, &raw.f.kind)) {
		check_kind_keys(c, n, raw.f.kind);
		check_bounds(c, n, &raw.f);
		check_references(c, t, n, &raw);
		check_accept(c, n, &raw.f);
		check_shape(c, n, &raw);
		check_need(c, n, &raw);
		check_computed(c, n, &raw);
		check_columns(c, t, &raw);
		raw.f.personal |= raw.f.kind == FIELD_PHONE || raw.f.kind == FIELD_IDCARD;
		for (size_t i = 0; i < raw.f.ncolumns; i++)
			raw.f.personal |= raw.f.columns[i].personal;
		if (raw.f.personal && raw.f.search)
			DIAG(c->d, at_key(n, "search"), SEARCH_PERSONAL, STR_FMT(raw.f.name));
		if (raw.f.nread && raw.f.search)
			DIAG(c->d, at_key(n, "search"), SEARCH_READ, STR_FMT(raw.f.name));
		if (raw.f.fallback.n && !literal_ok(&raw.f, raw.f.fallback))
			DIAG(c->d, at_key(n, "default"), DEFAULT, STR_FMT(raw.f.fallback), field_kind_name(raw.f.kind));
		if (raw.f.need && raw.f.readonly && raw.f.fallback.n == 0 && !raw.compute)
			DIAG(c->d, name, NEED_READONLY, STR_FMT(raw.f.name));
	}
	if (raw.f.sheet)
		raw.f.sheet = yaml_keep(raw.f.sheet, c->a);
	*ret = raw.f;
}

bool type_common_column(struct str name, enum column_kind *ret)
{
	static const struct { const char *name; enum column_kind kind; } common[] = {
		{ "id", COL_INT },         { "number", COL_TEXT },     { "state", COL_TEXT },      { "area", COL_TEXT },
		{ "enterprise", COL_INT }, { "thread", COL_INT },      { "version", COL_INT },     { "type_version", COL_INT },
		{ "created_at", COL_INT }, { "created_by", COL_INT },  { "changed_at", COL_INT },  { "changed_by", COL_INT },
		{ "state_at", COL_INT },   { "deadline", COL_INT },    { "escalated", COL_INT },   { "retired", COL_INT },
		{ "title", COL_TEXT },     { "sector", COL_TEXT },     { "paused", COL_INT },      { "reminded", COL_INT },
		{ "prev_state", COL_TEXT }, { "moved_by", COL_INT },   { "batch", COL_INT },
	};
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (str_is(name, common[i].name)) {
			*ret = common[i].kind;
			return true;
		}
	return false;
}

// title, area, enterprise and sector may be fields if they are what the common column is; other names of the system may not.
static bool is_common(struct check *c, const struct yaml_node *name, const struct field *f)
{
	static const char *const others[] = { "moves", "can", "reason", "password", "area_title", "search", "rowid", "oid" };
	const char *want = NULL;
	enum column_kind kind;
	if (str_is(f->name, "title"))
		want = f->kind == FIELD_TEXT ? "" : "is: text";
	else if (str_is(f->name, "area"))
		want = f->kind == FIELD_AREA ? "" : "is: area";
	else if (str_is(f->name, "enterprise"))
		want = f->kind == FIELD_REF && str_is(f->to, "enterprise") ? "" : "is: ref, to: enterprise";
	else if (str_is(f->name, "sector"))
		want = f->kind == FIELD_MENU && (!f->menu || str_is(f->menu->name, "sector")) ? "" : "is: menu, of: sector";
	bool reserved = !want && type_common_column(f->name, &kind);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		reserved |= str_is(f->name, others[i]);
	if (want && *want)
		DIAG(c->d, name, COMMON_KIND, STR_FMT(f->name), want);
	if (reserved)
		DIAG(c->d, name, RESERVED, STR_FMT(f->name));
	return want || reserved;
}

static void add_column(struct check *c, struct type *t, struct column *cols, const struct yaml_node *at,
                       const struct field *f, struct str name)
{
	for (size_t i = 0; i < t->table.ncols; i++)
		if (str_eq(cols[i].name, name)) {
			DIAG(c->d, at, COLUMN_TWICE, STR_FMT(f->name), STR_FMT(name));
			return;
		}
	cols[t->table.ncols++] = (struct column){ .name = name, .kind = column_of(f->kind), .unique = f->unique,
		                                  .indexed = f->kind == FIELD_REF || f->kind == FIELD_AREA || f->kind == FIELD_ORIGIN,
		                                  .searched = f->search };
}

// Everybody who sees the record sees its common columns.
static void check_common_keys(struct check *c, const struct yaml_node *n, const struct field *f)
{
	static const char *const others[] = { "personal", "read" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (yaml_get(n, others[i]))
			DIAG(c->d, at_key(n, others[i]), COMMON_KEY, STR_FMT(f->name), others[i]);
}

static void add_columns(struct check *c, struct type *t, struct column *cols, const struct field_at *at, struct field *f)
{
	f->col = t->table.ncols;
	if (is_common(c, at->name, f)) {
		check_common_keys(c, at->n, f);
		return;
	}
	if (f->kind != FIELD_POSITION) {
		add_column(c, t, cols, at->name, f, f->name);
	} else {
		add_column(c, t, cols, at->name, f, arena_printf(c->a, "%.*s_lon", STR_FMT(f->name)));
		add_column(c, t, cols, at->name, f, arena_printf(c->a, "%.*s_lat", STR_FMT(f->name)));
	}
	f->ncols = t->table.ncols - f->col;
}

static void check_groups(struct check *c, struct type *t, const struct fields_at *at)
{
	static const struct key keys[] = { { "label", KEY_LABEL, true, offsetof(struct group, label), 0 } };
	size_t n = 0;
	for (size_t i = 0; i < at->ngroups; i++)
		n += at->groups[i]->n;
	t->groups = arena_many(c->a, n, struct group);
	for (size_t i = 0; i < at->ngroups; i++)
		for (size_t k = 0; k < at->groups[i]->n; k++) {
			struct str name = at->groups[i]->keys[k]->text;
			if (!name_ok(name))
				DIAG(c->d, at->groups[i]->keys[k], WANT_NAME, STR_FMT(name));
			t->groups[t->ngroups].name = name;
			(void)keys_read(c, at->groups[i]->items[k], keys, ARRAY_LEN(keys), &t->groups[t->ngroups++]);
		}
}

// ---- what belongs to the type: its own fields and those of the fragments it uses ----------------

static const struct source *fragment(struct check *c, struct str name)
{
	for (size_t i = 0; i < c->fragments->n; i++) {
		const struct yaml_node *n = yaml_get(c->fragments->v[i].root, "fragment");
		if (n && n->kind == YAML_SCALAR && str_eq(n->text, name))
			return &c->fragments->v[i];
	}
	return NULL;
}

static void no_fragment(struct check *c, const struct yaml_node *at, struct str name)
{
	struct str *names = arena_many(c->a, c->fragments->n, struct str);
	size_t n = 0;
	for (size_t i = 0; i < c->fragments->n; i++) {
		const struct yaml_node *f = yaml_get(c->fragments->v[i].root, "fragment");
		if (f && f->kind == YAML_SCALAR)
			names[n++] = f->text;
	}
	DIAG_NEARBY(c->d, at, name, names, n, NO_FRAGMENT, STR_FMT(name));
}

struct collector {
	size_t nfields, ndraws, cap_fields, cap_draws, cap_groups;
	struct fields_at *at;
};

static bool is_new(struct check *c, const struct collector *k, const struct yaml_node *name)
{
	for (size_t i = 0; i < k->nfields + k->ndraws; i++) {
		const struct yaml_node *other = i < k->nfields ? k->at->fields[i].name : k->at->draws[i - k->nfields].name;
		if (str_eq(other->text, name->text)) {
			DIAG(c->d, name, FIELD_TWICE, STR_FMT(name->text), STR_FMT(other->file), other->line);
			return false;
		}
	}
	return true;
}

static void collect(struct check *c, struct collector *k, struct type *t, const struct yaml_node *root)
{
	const struct yaml_node *fields = yaml_get(root, "fields"), *groups = yaml_get(root, "groups");
	if (groups && groups->kind == YAML_MAP) {
		k->at->groups = arena_push(c->a, k->at->groups, &k->at->ngroups, &k->cap_groups, sizeof *k->at->groups);
		k->at->groups[k->at->ngroups - 1] = groups;
	}
	for (size_t i = 0; fields && fields->kind == YAML_MAP && i < fields->n; i++) {
		struct field_at f = { fields->keys[i], fields->items[i], yaml_get(fields->items[i], "draw") != NULL };
		if (!is_new(c, k, f.name))
			continue;
		if (f.draw) {
			k->at->draws = arena_push(c->a, k->at->draws, &k->ndraws, &k->cap_draws, sizeof *k->at->draws);
			k->at->draws[k->ndraws - 1] = f;
			t->draws = arena_grow(c->a, t->draws, k->ndraws - 1, k->ndraws, sizeof *t->draws);
			t->draws[k->ndraws - 1].before = k->nfields;
		} else {
			k->at->fields = arena_push(c->a, k->at->fields, &k->nfields, &k->cap_fields, sizeof *k->at->fields);
			k->at->fields[k->nfields - 1] = f;
		}
	}
	t->ndraws = k->ndraws;
	t->nfields = k->nfields;
}

static void collect_uses(struct check *c, struct collector *k, struct type *t, const struct yaml_node *uses)
{
	struct str *names = NULL;
	size_t n = 0;
	if (!uses || !yaml_strs(uses, c->a, &names, &n, c->d))
		return;
	for (size_t i = 0; i < n; i++) {
		const struct source *s = fragment(c, names[i]);
		if (!s) {
			no_fragment(c, at_item(uses, i), names[i]);
			continue;
		}
		t->version = text_version(s->text, t->version);
		collect(c, k, t, s->root);
	}
}

const struct fields_at *fields_of(const struct check *c, const struct type *t)
{
	return &c->fields_at[t - c->reg->types];
}

void check_fragment(struct check *c, const struct source *s)
{
	static const struct key keys[] = {
		{ "fragment", KEY_NAME, true, 0, 0 },
		{ "about", KEY_ANY, false, sizeof(struct str), 0 },
		{ "groups", KEY_MAP, false, sizeof(struct str) + sizeof(void *), 0 },
		{ "fields", KEY_MAP, true, sizeof(struct str) + 2 * sizeof(void *), 0 },
	};
	struct { struct str name; const struct yaml_node *about, *groups, *fields; } raw = { .name = STR_EMPTY };
	if (keys_read(c, s->root, keys, ARRAY_LEN(keys), &raw) && raw.name.n)
		(void)declare(c, 'f', raw.name, at_key(s->root, "fragment"));
}

void check_fields(struct check *c, struct type *t, const struct yaml_node *root)
{
	struct fields_at *at = &c->fields_at[t - c->reg->types];
	const struct yaml_node *fields = yaml_get(root, "fields");
	struct collector k = { .at = at };
	if (!fields || fields->kind != YAML_MAP)
		return; // check_type says so
	collect(c, &k, t, root);
	collect_uses(c, &k, t, yaml_get(root, "uses"));
	check_groups(c, t, at);
	if (t->nfields == 0)
		DIAG(c->d, fields, NO_FIELDS);
	size_t n = MIN(t->nfields, (size_t)LIMIT_TYPE_FIELDS);
	if (t->nfields > n)
		DIAG(c->d, at->fields[n].name, FIELDS_MANY, LIMIT_TYPE_FIELDS);
	t->fields = arena_many(c->a, n, struct field);
	struct column *cols = arena_many(c->a, 2 * n, struct column);
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *name = at->fields[i].name;
		if (!name_ok(name->text))
			DIAG(c->d, name, WANT_NAME, STR_FMT(name->text));
		check_field(c, t, name, at->fields[i].n, &t->fields[i]);
		add_columns(c, t, cols, &at->fields[i], &t->fields[i]);
	}
	t->nfields = n;
	t->table.name = t->name;
	t->table.cols = cols;
}
