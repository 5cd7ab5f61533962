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
	[FIELD_USCC] = { "uscc", 4 },         [FIELD_AREA] = { "area", 4 },
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
	case FIELD__MAX: break;
	}
	return COL_TEXT;
}

#define BIT(k) (1u << (k))
#define TEXTUAL (BIT(FIELD_TEXT) | BIT(FIELD_PHONE) | BIT(FIELD_USCC))

// Keys that have a meaning for some kinds only.
static const struct { const char *key; unsigned kinds; bool need; } kind_keys[] = {
	{ "of", BIT(FIELD_MENU) | BIT(FIELD_MENUS), true },
	{ "to", BIT(FIELD_REF), true },
	{ "min", BIT(FIELD_TEXT) | BIT(FIELD_NUMBER) | BIT(FIELD_MONEY), false },
	{ "max", BIT(FIELD_TEXT) | BIT(FIELD_NUMBER) | BIT(FIELD_MONEY), false },
	{ "unit", BIT(FIELD_NUMBER), false },
	{ "decimals", BIT(FIELD_NUMBER), false },
	{ "lines", BIT(FIELD_TEXT), false },
	{ "search", BIT(FIELD_TEXT) | BIT(FIELD_USCC), false }, // what is masked is not to be found by guessing
	{ "unique", TEXTUAL | BIT(FIELD_NUMBER) | BIT(FIELD_REF), false },
	{ "default", ~(BIT(FIELD_POSITION) | BIT(FIELD_SHAPE) | BIT(FIELD_USCC) | BIT(FIELD_PHONE)), false },
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
		       (str_is(text, "my_enterprise") && str_is(f->to, "enterprise"));
	case FIELD_AREA: return str_is(text, "my_area");
	case FIELD_POSITION:
	case FIELD_SHAPE:
	case FIELD_PHONE:
	case FIELD_USCC:
	case FIELD__MAX: break;
	}
	return false;
}

struct raw_field {
	struct field f;
	struct str is, of;
};

static const struct key field_keys[] = {
	{ "is", KEY_STR, true, offsetof(struct raw_field, is), 0 },
	{ "label", KEY_LABEL, true, offsetof(struct raw_field, f.label), 0 },
	{ "help", KEY_LABEL, false, offsetof(struct raw_field, f.help), 0 },
	{ "group", KEY_STR, false, offsetof(struct raw_field, f.group), 0 },
	{ "need", KEY_BOOL, false, offsetof(struct raw_field, f.need), 0 },
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
	{ "to", KEY_STR, false, offsetof(struct raw_field, f.to), 0 },
	{ "default", KEY_STR, false, offsetof(struct raw_field, f.fallback), 0 },
};

static void check_bounds(struct check *c, const struct yaml_node *n, const struct field *f)
{
	if (f->has_min && f->has_max && (f->kind == FIELD_TEXT ? f->min > f->max : f->min >= f->max))
		DIAG(c->d, at_key(n, "min"), BOUNDS);
	if (f->kind == FIELD_TEXT && f->has_max && !(f->max >= 1 && f->max <= LIMIT_TEXT_FIELD))
		DIAG(c->d, at_key(n, "max"), TEXT_MAX, (unsigned)LIMIT_TEXT_FIELD);
	if (f->decimals < -1 || f->decimals > 9 || (f->decimals == -1 && yaml_get(n, "decimals")))
		DIAG(c->d, at_key(n, "decimals"), DECIMALS);
}

static void check_references(struct check *c, const struct type *t, const struct yaml_node *n, struct raw_field *raw)
{
	struct field *f = &raw->f;
	if (raw->of.n && !(f->menu = registry_menu(c->reg, raw->of)))
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

static void check_field(struct check *c, const struct type *t, const struct yaml_node *name, const struct yaml_node *n,
                        struct field *ret)
{
	struct label none = { STR_EMPTY, STR_EMPTY };
	struct raw_field raw = { .f = { .name = name->text, .label = none, .help = none, .unit = none, .group = STR_EMPTY,
		                        .to = STR_EMPTY, .fallback = STR_EMPTY, .decimals = -1 },
		                 .is = STR_EMPTY, .of = STR_EMPTY };
	if (keys_read(c, n, field_keys, ARRAY_LEN(field_keys), &raw) && kind_of(c, n, raw.is, &raw.f.kind)) {
		check_kind_keys(c, n, raw.f.kind);
		check_bounds(c, n, &raw.f);
		check_references(c, t, n, &raw);
		if (raw.f.fallback.n && !literal_ok(&raw.f, raw.f.fallback))
			DIAG(c->d, at_key(n, "default"), DEFAULT, STR_FMT(raw.f.fallback), field_kind_name(raw.f.kind));
		if (raw.f.need && raw.f.readonly && raw.f.fallback.n == 0)
			DIAG(c->d, name, NEED_READONLY, STR_FMT(raw.f.name));
	}
	*ret = raw.f;
}

bool type_common_column(struct str name, enum column_kind *ret)
{
	static const struct { const char *name; enum column_kind kind; } common[] = {
		{ "id", COL_INT },         { "number", COL_TEXT },     { "state", COL_TEXT },      { "area", COL_TEXT },
		{ "enterprise", COL_INT }, { "thread", COL_INT },      { "version", COL_INT },     { "type_version", COL_INT },
		{ "created_at", COL_INT }, { "created_by", COL_INT },  { "changed_at", COL_INT },  { "changed_by", COL_INT },
		{ "state_at", COL_INT },   { "deadline", COL_INT },    { "escalated", COL_INT },   { "retired", COL_INT },
		{ "title", COL_TEXT },
	};
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (str_is(name, common[i].name)) {
			*ret = common[i].kind;
			return true;
		}
	return false;
}

// title, area and enterprise may be fields if they are what the common column is; other names of the system may not.
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
		                                  .indexed = f->kind == FIELD_REF || f->kind == FIELD_AREA,
		                                  .searched = f->search };
}

static void add_columns(struct check *c, struct type *t, struct column *cols, const struct yaml_node *at, struct field *f)
{
	f->col = t->table.ncols;
	if (is_common(c, at, f))
		return;
	if (f->kind != FIELD_POSITION) {
		add_column(c, t, cols, at, f, f->name);
	} else {
		add_column(c, t, cols, at, f, arena_printf(c->a, "%.*s_lon", STR_FMT(f->name)));
		add_column(c, t, cols, at, f, arena_printf(c->a, "%.*s_lat", STR_FMT(f->name)));
	}
	f->ncols = t->table.ncols - f->col;
}

static void check_groups(struct check *c, struct type *t, const struct yaml_node *groups)
{
	static const struct key keys[] = { { "label", KEY_LABEL, true, offsetof(struct group, label), 0 } };
	if (!groups || groups->kind != YAML_MAP)
		return;
	t->groups = arena_many(c->a, groups->n, struct group);
	for (size_t i = 0; i < groups->n; i++) {
		struct str name = groups->keys[i]->text;
		if (!name_ok(name))
			DIAG(c->d, groups->keys[i], WANT_NAME, STR_FMT(name));
		t->groups[i].name = name;
		(void)keys_read(c, groups->items[i], keys, ARRAY_LEN(keys), &t->groups[i]);
	}
	t->ngroups = groups->n;
}

void check_fields(struct check *c, struct type *t, const struct yaml_node *root)
{
	check_groups(c, t, yaml_get(root, "groups"));
	const struct yaml_node *fields = yaml_get(root, "fields");
	if (!fields || fields->kind != YAML_MAP)
		return; // check_type says so
	if (fields->n == 0)
		DIAG(c->d, fields, NO_FIELDS);
	size_t n = MIN(fields->n, (size_t)LIMIT_TYPE_FIELDS);
	if (fields->n > n)
		DIAG(c->d, fields->keys[n], FIELDS_MANY, LIMIT_TYPE_FIELDS);
	t->fields = arena_many(c->a, n, struct field);
	struct column *cols = arena_many(c->a, 2 * n, struct column);
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *name = fields->keys[i];
		if (!name_ok(name->text))
			DIAG(c->d, name, WANT_NAME, STR_FMT(name->text));
		check_field(c, t, name, fields->items[i], &t->fields[i]);
		add_columns(c, t, cols, name, &t->fields[i]);
	}
	t->nfields = n;
	t->table.name = t->name;
	t->table.cols = cols;
}
