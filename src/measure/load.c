// packs/*/indicators/*.yaml: read and checked against the types. Called at start-up, by `anlan check` and by who needs the
// set; every mistake is told with its place and what to do.
#include "base/hash.h"

#include "measure/measure_int.h"
#include "model/exprs.h"

// ---- reading -----------------------------------------------------------------------------------
static bool name_fits(struct str s)
{
	bool ok = s.n > 0 && s.n <= 48 && s.p[0] >= 'a' && s.p[0] <= 'z';
	for (size_t i = 0; ok && i < s.n; i++)
		ok = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_';
	return ok;
}

bool need_node(struct loading *l, const struct yaml_node *map, const char *key, const struct yaml_node **ret)
{
	*ret = yaml_get(map, key);
	if (!*ret)
		diag_say(l->d, map, "缺少“%s”；请补上", "\"%s\" is missing; add it", key);
	return *ret != NULL;
}

bool name_read(struct loading *l, const struct yaml_node *root, const char *key, struct str *ret)
{
	const struct yaml_node *n;
	if (!need_node(l, root, key, &n) || !yaml_str(n, ret, l->d))
		return false;
	if (name_fits(*ret))
		return true;
	diag_say(l->d, n, "“%.*s”不能作名字；只能用小写字母、数字和下划线，以字母开头，不超过 48 个字符",
	         "\"%.*s\" cannot be a name; use lower-case letters, digits and underscores, a letter first, at most 48", STR_FMT(*ret));
	return false;
}

static void hash_node(struct sm3 *h, const struct yaml_node *n)
{
	uint8_t kind = (uint8_t)n->kind;
	sm3_add(h, &kind, 1);
	if (n->kind == YAML_SCALAR)
		sm3_add_str(h, n->text);
	for (size_t i = 0; n->kind != YAML_SCALAR && i < n->n; i++) {
		if (n->kind == YAML_MAP)
			sm3_add_str(h, n->keys[i]->text);
		hash_node(h, n->items[i]);
	}
}

struct str digest_of(const struct yaml_node *n, struct arena *a)
{
	struct sm3 h;
	uint8_t d[SM3_LEN];
	char *hex = arena_alloc(a, 17);
	sm3_init(&h);
	hash_node(&h, n);
	sm3_end(&h, d);
	str_to_hex(d, 8, hex);
	return str_from(hex, 16);
}

// One of a list of words; -1 after a mistake, fallback if absent.
int word_read(struct loading *l, const struct yaml_node *map, const char *key, const char *const *words, int fallback)
{
	const struct yaml_node *n = yaml_get(map, key);
	struct str s, names[8];
	int count = 0;
	if (!n)
		return fallback;
	if (!yaml_str(n, &s, l->d))
		return -1;
	for (; words[count]; count++) {
		names[count] = str_of(words[count]);
		if (str_is(s, words[count]))
			return count;
	}
	diag_say(l->d, n, "“%.*s”不能写在“%s”下；请改正", "\"%.*s\" cannot stand under \"%s\"; correct it", STR_FMT(s), key);
	diag_near(l->d, s, names, (size_t)count);
	return -1;
}

// ---- sources -----------------------------------------------------------------------------------
static struct str *type_names(struct loading *l)
{
	struct str *v = arena_many(l->a, l->reg->ntypes, struct str);
	for (size_t i = 0; i < l->reg->ntypes; i++)
		v[i] = l->reg->types[i].name;
	return v;
}

const struct type *type_read(struct loading *l, const struct yaml_node *n)
{
	struct str name;
	if (!yaml_str(n, &name, l->d))
		return NULL;
	const struct type *t = registry_type(l->reg, name);
	if (!t) {
		diag_say(l->d, n, "没有类型“%.*s”；请改名，或在 types/ 下建立它",
		         "there is no type \"%.*s\"; correct it or make it in types/", STR_FMT(name));
		diag_near(l->d, name, type_names(l), l->reg->ntypes);
	}
	return t;
}

const struct field *field_read(struct loading *l, const struct type *t, const struct yaml_node *n)
{
	struct str name;
	if (!yaml_str(n, &name, l->d))
		return NULL;
	const struct field *f = type_field(t, name);
	if (f)
		return f;
	struct str *names = arena_many(l->a, t->nfields, struct str);
	for (size_t i = 0; i < t->nfields; i++)
		names[i] = t->fields[i].name;
	diag_say(l->d, n, "类型“%.*s”没有字段“%.*s”；请改正", "the type \"%.*s\" has no field \"%.*s\"; correct it", STR_FMT(t->name),
	         STR_FMT(name));
	diag_near(l->d, name, names, t->nfields);
	return NULL;
}

static bool time_column(struct str name)
{
	return str_is(name, "created_at") || str_is(name, "changed_at") || str_is(name, "state_at") || str_is(name, "deadline");
}

// at: FIELD, or at: {year: FIELD} for a number that is a year
static void at_read(struct loading *l, struct source *s, const struct yaml_node *n)
{
	const struct yaml_node *year = n->kind == YAML_MAP ? yaml_get(n, "year") : NULL;
	static const char *const keys[] = { "year", NULL };
	if (n->kind == YAML_MAP)
		yaml_check_keys(n, keys, l->d);
	if (n->kind == YAML_SCALAR && time_column(n->text)) {
		s->at = AT_TIME;
		s->at_column = n->text;
		return;
	}
	const struct field *f = field_read(l, s->type, year ? year : n);
	if (!f)
		return;
	s->at_column = f->name;
	s->at = year ? AT_YEAR : f->kind == FIELD_DATE ? AT_DATE : AT_TIME;
	if (year && f->kind != FIELD_NUMBER)
		diag_say(l->d, year, "“%.*s”不是数字段，不能当年份；请改正", "\"%.*s\" is not a number and cannot be a year; correct it",
		         STR_FMT(f->name));
	else if (!year && f->kind != FIELD_DATE && f->kind != FIELD_TIME)
		diag_say(l->d, n, "at 要写日期或时间字段，“%.*s”是 %s；请改正（数字年份写 at: {year: %.*s}）",
		         "at needs a date or time field, \"%.*s\" is %s; correct it (a year in a number is at: {year: %.*s})",
		         STR_FMT(f->name), field_kind_name(f->kind), STR_FMT(f->name));
}

static void sum_read(struct loading *l, struct source *s, const struct yaml_node *n)
{
	s->sum = field_read(l, s->type, n);
	if (s->sum && s->sum->kind != FIELD_NUMBER && s->sum->kind != FIELD_MONEY) {
		diag_say(l->d, n, "“%.*s”是 %s，不能求和；请写数或金额字段", "\"%.*s\" is %s and cannot be summed up; name a number or money field",
		         STR_FMT(s->sum->name), field_kind_name(s->sum->kind));
		s->sum = NULL;
	}
}

static void where_read(struct loading *l, struct source *s, const struct yaml_node *n)
{
	struct expr_ask ask = { .reg = l->reg, .t = s->type };
	const struct expr *e = type_expr_at(&ask, n, 0, l->a, l->d);
	if (e)
		s->where = expr_to_cond_at(e, s->type, n, l->a, l->d);
}

void source_read(struct loading *l, struct source *s, const struct yaml_node *n)
{
	static const char *const keys[] = { "type", "where", "at", "sum", "own", NULL };
	const struct yaml_node *type, *k;
	if (n->kind != YAML_MAP) {
		diag_say(l->d, n, "这里要映射；请写 {type: …, where: …, at: …}", "a mapping is expected; write {type: …, where: …, at: …}");
		return;
	}
	yaml_check_keys(n, keys, l->d);
	if (!need_node(l, n, "type", &type) || !(s->type = type_read(l, type)))
		return;
	if ((k = yaml_get(n, "where")))
		where_read(l, s, k);
	if ((k = yaml_get(n, "at")))
		at_read(l, s, k);
	if ((k = yaml_get(n, "sum")))
		sum_read(l, s, k);
	if ((k = yaml_get(n, "own")))
		(void)yaml_bool(k, &s->exact, l->d);
}

// ---- of and per --------------------------------------------------------------------------------
static bool call_indicator(void *arg, struct str function, struct str argument, int64_t window, struct expr_name *ret, bool *known)
{
	(void)arg;
	*known = str_is(function, "indicator");
	if (!*known || window)
		return false;
	*ret = (struct expr_name){ .kind = EXPR_NUMBER, .unit = STR_EMPTY, .zh = argument, .en = argument };
	return true;
}

static bool no_name(void *arg, const struct expr_name *of, struct str name, struct expr_name *ret)
{
	(void)arg, (void)of, (void)name, (void)ret;
	return false;
}

const struct expr *indicator_expr(struct loading *l, const struct yaml_node *n)
{
	static const struct expr_name number = { .kind = EXPR_NUMBER };
	struct expr_names names = { .find = no_name, .call = call_indicator, .want = &number };
	struct expr_error error;
	struct str text;
	if (!yaml_str(n, &text, l->d))
		return NULL;
	const struct expr *e = expr_compile(l->a, text, &names, &error);
	if (!e)
		expr_say(l->d, n, 0, &error);
	return e;
}

static void of_read(struct loading *l, struct indicator *i, const struct yaml_node *root)
{
	const struct yaml_node *of, *expr, *per = yaml_get(root, "per"), *change = yaml_get(root, "change");
	if (change) {
		static const char *const keys[] = { "of", "base", "back", NULL };
		const struct yaml_node *n;
		int64_t v;
		yaml_check_keys(change, keys, l->d);
		if (need_node(l, change, "of", &n))
			(void)yaml_str(n, &i->change_of, l->d);
		if ((n = yaml_get(change, "base")) && yaml_i64(n, &v, l->d))
			i->change_base = (int)v;
		if ((n = yaml_get(change, "back")) && yaml_i64(n, &v, l->d))
			i->change_back = (int)v;
		if (!i->change_base == !i->change_back)
			diag_say(l->d, change, "change 要写 base（年份）或 back（几年前）之一；请改正",
			         "change needs either base (a year) or back (years ago); correct it");
		if ((n = yaml_get(root, "of")) || (n = per))
			diag_say(l->d, n, "change 已经说明算什么；请删去", "change says already what is computed; take it out");
		return;
	}
	if (!need_node(l, root, "of", &of))
		return;
	if ((expr = yaml_get(of, "expr"))) {
		static const char *const keys[] = { "expr", NULL };
		yaml_check_keys(of, keys, l->d);
		i->expr = indicator_expr(l, expr);
		if (per)
			diag_say(l->d, per, "由表达式算出的指标没有 per；请把除法写进表达式",
			         "an indicator made by an expression has no per; write the division in the expression");
		return;
	}
	source_read(l, &i->of, of);
	if (per)
		source_read(l, &i->per, per);
}

static void check_sources(struct loading *l, const struct indicator *i, const struct yaml_node *root)
{
	const struct yaml_node *per = yaml_get(root, "per"), *unit = yaml_get(root, "unit");
	if (i->of.type && i->per.type && i->of.at == AT_NONE && i->per.at != AT_NONE)
		diag_say(l->d, per, "分母按期间算而分子不按；请给 of 写 at，或去掉 per 的 at",
		         "the denominator is of a period and the numerator is not; give of an at, or drop the at of per");
	if (i->per.type && str_is(i->unit.zh, "%") && i->times != 100)
		diag_say(l->d, unit ? unit : root, "单位是 %% 的比率要写 times: 100；请改正", "a rate in %% needs times: 100; correct it");
	if (!i->per.type && !i->expr && i->change_of.n == 0 && i->times != 1)
		diag_say(l->d, yaml_get(root, "times"), "没有 per，times 没有意义；请删去", "without per, times has no meaning; take it out");
}

// ---- target ------------------------------------------------------------------------------------
static void target_field(struct loading *l, const struct yaml_node *at, const struct type *t, const char *name, enum field_kind kind)
{
	const struct field *f = type_field(t, str_of(name));
	if (!f || f->kind != kind)
		diag_say(l->d, at, "目标类型“%.*s”要有 %s 字段“%s”；请补上", "the type of targets \"%.*s\" needs a %s field \"%s\"; add it",
		         STR_FMT(t->name), field_kind_name(kind), name);
}

static void targets_check(struct loading *l, const struct yaml_node *at, const struct type *t)
{
	static const char *const kinds[] = { "drop", "ceiling", "floor", "zero", "relative" };
	target_field(l, at, t, "indicator", FIELD_TEXT);
	target_field(l, at, t, "area", FIELD_AREA);
	target_field(l, at, t, "year", FIELD_NUMBER);
	target_field(l, at, t, "kind", FIELD_MENU);
	target_field(l, at, t, "base_year", FIELD_NUMBER);
	target_field(l, at, t, "base", FIELD_NUMBER);
	target_field(l, at, t, "value", FIELD_NUMBER);
	const struct field *kind = type_field(t, STR("kind"));
	for (size_t i = 0; kind && kind->menu && i < kind->menu->nitems; i++) {
		bool known = false;
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			known |= str_is(kind->menu->items[i].value, kinds[k]);
		if (!known)
			diag_say(l->d, at, "目标种类“%.*s”不认识；可用 drop ceiling floor zero relative",
			         "the kind of target \"%.*s\" is unknown; use drop ceiling floor zero relative", STR_FMT(kind->menu->items[i].value));
	}
}

static void target_read(struct loading *l, struct indicator *i, const struct yaml_node *n)
{
	static const char *const keys[] = { "ceiling", "floor", "from", NULL };
	const struct yaml_node *ceiling = yaml_get(n, "ceiling"), *floor = yaml_get(n, "floor"), *from = yaml_get(n, "from");
	yaml_check_keys(n, keys, l->d);
	if (n->kind != YAML_MAP || (ceiling != NULL) + (floor != NULL) + (from != NULL) != 1) {
		diag_say(l->d, n, "target 要写 ceiling、floor、from 之一；请改正", "target needs one of ceiling, floor, from; correct it");
		return;
	}
	if (from) {
		i->targets = type_read(l, from);
		if (i->targets)
			targets_check(l, from, i->targets);
		return;
	}
	i->target = floor ? TARGET_FLOOR : TARGET_CEILING;
	(void)yaml_f64(floor ? floor : ceiling, &i->target_value, l->d);
	if (i->target == TARGET_CEILING && i->target_value == 0)
		i->target = TARGET_ZERO;
	if ((i->target == TARGET_FLOOR) != i->higher)
		diag_say(l->d, n, "floor 与 better: higher、ceiling 与 better: lower 相配；请改正其一",
		         "floor goes with better: higher and ceiling with better: lower; correct one of them");
}

// ---- one file ----------------------------------------------------------------------------------
static bool is_ref_to(const struct type *t, const char *field, const char *to)
{
	const struct field *f = t ? type_field(t, str_of(field)) : NULL;
	return f && f->kind == FIELD_REF && str_is(f->to, to);
}

static void by_read(struct loading *l, struct indicator *i, const struct yaml_node *n)
{
	static const char *const words[] = { "", "area", "sector", "enterprise", "organisation" };
	struct str *v;
	size_t count;
	if (!yaml_strs(n, l->a, &v, &count, l->d))
		return;
	for (size_t k = 0; k < count; k++) {
		enum dimension dim = DIM_NONE;
		for (size_t w = 1; w < ARRAY_LEN(words); w++)
			if (str_is(v[k], words[w]))
				dim = (enum dimension)w;
		if (dim == DIM_NONE)
			diag_say(l->d, n->items[k], "不能按“%.*s”分；可用 area sector enterprise organisation",
			         "it cannot be split by \"%.*s\"; use area sector enterprise organisation", STR_FMT(v[k]));
		else if (dim == DIM_ORGANISATION && ((i->of.type && !is_ref_to(i->of.type, "organisation", "organisation")) ||
		                                     (i->per.type && !is_ref_to(i->per.type, "organisation", "organisation"))))
			diag_say(l->d, n->items[k], "按机构分需要引用 organisation 的字段“organisation”；请补上或去掉",
			         "to split by organisation the type needs a ref \"organisation\" to organisation; add it or take this out");
		else
			i->dims |= 1u << dim;
	}
}

static void unit_read(struct loading *l, struct indicator *i, const struct yaml_node *n)
{
	if (n->kind == YAML_SCALAR)
		i->unit = (struct label){ n->text, n->text };
	else
		(void)yaml_label(n, &i->unit, l->d);
}

static void simple_read(struct loading *l, struct indicator *i, const struct yaml_node *root)
{
	static const char *const periods[] = { "year", "quarter", "month", "day", NULL };
	static const char *const properties[] = { "binding", "expected", "process", NULL };
	static const char *const better[] = { "lower", "higher", NULL };
	const struct yaml_node *n;
	int64_t v;
	if (need_node(l, root, "label", &n))
		(void)yaml_label(n, &i->label, l->d);
	if ((n = yaml_get(root, "about")) && n->kind == YAML_SCALAR)
		i->about = (struct label){ n->text, n->text };
	else if (n)
		(void)yaml_label(n, &i->about, l->d);
	if (need_node(l, root, "unit", &n))
		unit_read(l, i, n);
	if ((n = yaml_get(root, "decimals")) && yaml_i64(n, &v, l->d)) {
		i->decimals = (int)v;
		if (v < 0 || v > 9)
			diag_say(l->d, n, "decimals 要在 0 到 9 之间；请改正", "decimals must be from 0 to 9; correct it");
	}
	if ((n = yaml_get(root, "times")) && yaml_f64(n, &i->times, l->d) && i->times == 0)
		diag_say(l->d, n, "times 不能是 0；请改正", "times cannot be 0; correct it");
	int period = word_read(l, root, "period", periods, PERIOD_YEAR), property = word_read(l, root, "property", properties, -1);
	i->period = period < 0 ? PERIOD_YEAR : (enum period_kind)period;
	i->property = property < 0 ? STR_EMPTY : str_of(properties[property]);
	i->higher = word_read(l, root, "better", better, 0) == 1;
	if ((n = yaml_get(root, "public")))
		(void)yaml_bool(n, &i->public, l->d);
	if ((n = yaml_get(root, "amber")) && yaml_f64(n, &i->amber, l->d) && i->amber < 0)
		diag_say(l->d, n, "amber 不能是负数；请改正", "amber cannot be negative; correct it");
	if ((n = yaml_get(root, "freeze_after")))
		(void)yaml_duration(n, &i->freeze_after, l->d);
}

static void indicator_load(struct loading *l, const struct pack_file *f)
{
	static const char *const keys[] = { "indicator", "label", "about", "unit", "decimals", "times", "period", "property", "better",
		                            "public", "of", "per", "change", "target", "amber", "by", "freeze_after", NULL };
	struct indicator *i = &l->m->v[l->m->n];
	const struct yaml_node *n;
	*i = (struct indicator){ .pack = f->pack, .file = f->file, .times = 1, .freeze_after = 5 * US_PER_DAY,
		                 .version = digest_of(f->root, l->a) };
	yaml_check_keys(f->root, keys, l->d);
	if (!name_read(l, f->root, "indicator", &i->name))
		return;
	const struct indicator *twice = indicator_find(l->m, i->name);
	if (twice) {
		diag_say(l->d, yaml_get(f->root, "indicator"), "“%.*s”已在 %.*s 定义；请换一个名字",
		         "\"%.*s\" is already defined in %.*s; choose another name", STR_FMT(i->name), STR_FMT(twice->file));
		return;
	}
	simple_read(l, i, f->root);
	of_read(l, i, f->root);
	check_sources(l, i, f->root);
	if ((n = yaml_get(f->root, "target")))
		target_read(l, i, n);
	if ((n = yaml_get(f->root, "by")))
		by_read(l, i, n);
	l->m->n++;
}

// ---- what refers to other indicators -----------------------------------------------------------
static struct str *indicator_names(struct loading *l)
{
	struct str *v = arena_many(l->a, l->m->n, struct str);
	for (size_t i = 0; i < l->m->n; i++)
		v[i] = l->m->v[i].name;
	return v;
}

static bool known_one(struct loading *l, struct str name, const struct yaml_node *at)
{
	if (indicator_find(l->m, name))
		return true;
	diag_say(l->d, at, "没有指标“%.*s”；请改名，或在 indicators/ 下建立它",
	         "there is no indicator \"%.*s\"; correct it or make it in indicators/", STR_FMT(name));
	diag_near(l->d, name, indicator_names(l), l->m->n);
	return false;
}

bool known_indicators(struct loading *l, const struct expr *e, const struct yaml_node *at)
{
	bool ok = true;
	for (size_t i = 0; e && i < e->nslots; i++)
		ok &= known_one(l, e->slots[i].argument, at);
	return ok;
}

static bool circles(const struct measures *m, const struct indicator *i, const struct indicator *from, int depth)
{
	if (depth > 8)
		return true;
	struct str names[64];
	size_t n = 0;
	for (size_t k = 0; i->expr && k < i->expr->nslots && n < ARRAY_LEN(names); k++)
		names[n++] = i->expr->slots[k].argument;
	if (i->change_of.n)
		names[n++] = i->change_of;
	for (size_t k = 0; k < n; k++) {
		const struct indicator *next = indicator_find(m, names[k]);
		if (next && (next == from || circles(m, next, from, depth + 1)))
			return true;
	}
	return false;
}

static void refs_check(struct loading *l, const struct pack_file *f)
{
	const struct yaml_node *name = yaml_get(f->root, "indicator"), *of = yaml_get(f->root, "of"), *change = yaml_get(f->root, "change");
	const struct indicator *i = name && name->kind == YAML_SCALAR ? indicator_find(l->m, name->text) : NULL;
	if (!i || !str_eq(i->file, f->file))
		return;
	bool ok = true;
	if (i->expr)
		ok = known_indicators(l, i->expr, yaml_get(of, "expr"));
	if (i->change_of.n)
		ok = known_one(l, i->change_of, yaml_get(change, "of"));
	if (ok && circles(l->m, i, i, 0))
		diag_say(l->d, name, "指标“%.*s”绕回到自己；请改正", "the indicator \"%.*s\" leads back to itself; correct it", STR_FMT(i->name));
}

struct measures *measures_load(const struct registry *reg, struct arena *a, struct diags *d)
{
	struct measures *m = arena_one(a, struct measures);
	struct loading l = { .m = m, .reg = reg, .a = a, .d = d };
	size_t before = d->n;
	m->reg = reg;
	m->v = arena_many(a, reg->nfiles + 1, struct indicator);
	m->assessments = arena_many(a, reg->nfiles + 1, struct assessment);
	for (size_t i = 0; i < reg->nfiles; i++)
		if (str_is(reg->files[i].folder, "indicators"))
			indicator_load(&l, &reg->files[i]);
	for (size_t i = 0; i < reg->nfiles; i++)
		if (str_is(reg->files[i].folder, "indicators"))
			refs_check(&l, &reg->files[i]);
	for (size_t i = 0; i < reg->nfiles; i++)
		if (str_is(reg->files[i].folder, "assessments"))
			assessment_load(&l, &reg->files[i]);
	for (size_t i = 0; i < reg->ntypes; i++)
		for (size_t k = 0; k < reg->types[i].nfields; k++)
			if (reg->types[i].fields[k].sheet)
				sheet_field_check(&l, &reg->types[i], &reg->types[i].fields[k]);
	return d->n == before ? m : NULL;
}

const struct indicator *indicator_find(const struct measures *m, struct str name)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(m->v[i].name, name))
			return &m->v[i];
	return NULL;
}

const struct assessment *assessment_find(const struct measures *m, struct str name)
{
	for (size_t i = 0; i < m->nassessments; i++)
		if (str_eq(m->assessments[i].name, name))
			return &m->assessments[i];
	return NULL;
}

bool indicator_visible(const struct measures *m, const struct indicator *i, const struct identity *by)
{
	if ((i->of.type && !auth_may_read(by, i->of.type)) || (i->per.type && !auth_may_read(by, i->per.type)))
		return false;
	const struct indicator *base = i->change_of.n ? indicator_find(m, i->change_of) : NULL;
	bool ok = !base || indicator_visible(m, base, by);
	for (size_t k = 0; ok && i->expr && k < i->expr->nslots; k++) {
		const struct indicator *part = indicator_find(m, i->expr->slots[k].argument);
		ok = part && indicator_visible(m, part, by);
	}
	return ok;
}
