// packs/*/indexes/*.yaml: read and checked against the types. Called at start-up, by `anlan check` and when other packs come
// into force; every mistake is told with its place and what to do.
#include "measure/index.h"
#include "measure/measure_int.h"

static const char *const color_names[] = { "none", "blue", "yellow", "orange", "red" };
static const char *const kind_names[] = { "enterprise", "area", "sector", "grid" };
static const char *const family_names[] = { "limit", "rate", "silent", "flat", "bad" };

const char *index_color_name(enum index_color c) { return color_names[c]; }
const char *index_kind_name(enum index_kind k) { return kind_names[k]; }

enum index_color index_color_of(struct str name)
{
	for (int c = INDEX_BLUE; c <= INDEX_RED; c++)
		if (str_is(name, color_names[c]))
			return (enum index_color)c;
	return INDEX_NONE;
}

static void label_need(struct loading *l, const struct yaml_node *map, const char *key, struct label *ret)
{
	const struct yaml_node *n;
	if (need_node(l, map, key, &n))
		(void)yaml_label(n, ret, l->d);
}

static void label_may(struct loading *l, const struct yaml_node *map, const char *key, struct label *ret)
{
	const struct yaml_node *n = yaml_get(map, key);
	*ret = (struct label){ STR_EMPTY, STR_EMPTY };
	if (n)
		(void)yaml_label(n, ret, l->d);
}

static bool is_map(struct loading *l, const struct yaml_node *n)
{
	if (n->kind == YAML_MAP && n->n)
		return true;
	diag_say(l->d, n, "这里要映射；请写“键: 值”", "a mapping is expected; write \"key: value\"");
	return false;
}

// ---- weights -----------------------------------------------------------------------------------
static struct label color_label(enum index_color c)
{
	switch (c) {
	case INDEX_RED: return (struct label){ STR("红"), STR("red") };
	case INDEX_ORANGE: return (struct label){ STR("橙"), STR("orange") };
	case INDEX_YELLOW: return (struct label){ STR("黄"), STR("yellow") };
	case INDEX_BLUE: return (struct label){ STR("蓝"), STR("blue") };
	case INDEX_NONE: break;
	}
	return (struct label){ STR("其他"), STR("other") };
}

// What a key under weights may be: an item of the menu, a colour of alarms, or else.
static bool weight_key(struct loading *l, const struct index_component *c, const struct yaml_node *key, struct index_weight *w)
{
	const struct menu_item *item = c->by ? menu_item(c->by->menu, key->text) : NULL;
	w->value = key->text;
	if (str_is(key->text, "else")) {
		w->value = STR_EMPTY;
		w->label = color_label(INDEX_NONE);
		return true;
	}
	if (item) {
		w->label = item->label;
		return true;
	}
	if (c->families && index_color_of(key->text)) {
		w->label = color_label(index_color_of(key->text));
		return true;
	}
	if (c->by)
		diag_say(l->d, key, "菜单“%.*s”没有选项“%.*s”；请改正，其余的写 else", "the menu \"%.*s\" has no item \"%.*s\"; correct it, the rest is else",
		         STR_FMT(c->by->menu->name), STR_FMT(key->text));
	else
		diag_say(l->d, key, "报警的级别只有 red orange yellow blue，“%.*s”不是；请改正", "alarms are red, orange, yellow or blue, not \"%.*s\"; correct it",
		         STR_FMT(key->text));
	return false;
}

static void weight_value(struct loading *l, const struct index_component *c, const struct yaml_node *n, double *ret)
{
	if (!yaml_f64(n, ret, l->d))
		return;
	if (*ret < 0)
		diag_say(l->d, n, "权重不能是负数：没有什么能使风险低于没有它时；请改正", "a weight cannot be negative: nothing makes the risk less than without it; correct it");
	else if (c->cap > 0 && *ret > c->cap)
		diag_say(l->d, n, "一条就超过封顶 %g；请改小权重或提高 cap", "a single one is more than the cap of %g; lower the weight or raise cap", c->cap);
}

// weight: for every row, or weights: by the value.
static void weights_read(struct loading *l, struct index_component *c, const struct yaml_node *n)
{
	const struct yaml_node *one = yaml_get(n, "weight"), *many = yaml_get(n, "weights");
	if ((one != NULL) == (many != NULL)) {
		diag_say(l->d, n, "要写 weight（每条的分值）或 weights（按值分别写）之一；请改正", "give either weight (points of each) or weights (by value); correct it");
		return;
	}
	c->weights = arena_many(l->a, many ? many->n + 1 : 1, struct index_weight);
	if (one) {
		c->weights[c->nweights++] = (struct index_weight){ .value = STR_EMPTY, .label = { STR_EMPTY, STR_EMPTY } };
		weight_value(l, c, one, &c->weights[0].weight);
		return;
	}
	if (!is_map(l, many))
		return;
	if (!c->by && !c->families) {
		diag_say(l->d, many, "weights 要与 by 或 alarms 一起用；请补上 by，或改写 weight", "weights go with by or alarms; add by, or write weight");
		return;
	}
	for (size_t i = 0; i < many->n; i++) {
		struct index_weight *w = &c->weights[c->nweights];
		if (!weight_key(l, c, many->keys[i], w))
			continue;
		weight_value(l, c, many->items[i], &w->weight);
		c->nweights++;
	}
}

// ---- components --------------------------------------------------------------------------------
static void families_read(struct loading *l, struct index_component *c, const struct yaml_node *n)
{
	struct str *v;
	size_t count;
	if (!yaml_strs(n, l->a, &v, &count, l->d))
		return;
	for (size_t i = 0; i < count; i++) {
		unsigned bit = 0;
		for (size_t f = 0; f < ARRAY_LEN(family_names); f++)
			if (str_is(v[i], family_names[f]))
				bit = 1u << f;
		if (!bit)
			diag_say(l->d, n->items[i], "报警没有“%.*s”这一类；可用 limit rate silent flat bad", "alarms have no kind \"%.*s\"; use limit rate silent flat bad",
			         STR_FMT(v[i]));
		c->families |= bit;
	}
}

static void by_read(struct loading *l, struct index_component *c, const struct yaml_node *n)
{
	const struct field *f = c->of.type ? field_read(l, c->of.type, n) : NULL;
	if (f && f->kind != FIELD_MENU)
		diag_say(l->d, n, "by 要写菜单字段，“%.*s”是 %s；请改正", "by needs a menu field, \"%.*s\" is %s; correct it", STR_FMT(f->name),
		         field_kind_name(f->kind));
	else
		c->by = f;
}

static void covers_read(struct loading *l, struct index_component *c, const struct yaml_node *n)
{
	static const char *const keys[] = { "sectors", NULL };
	const struct yaml_node *sectors = yaml_get(n, "sectors");
	c->covers = true;
	if (n->kind == YAML_SCALAR)
		(void)yaml_bool(n, &c->covers, l->d);
	else
		yaml_check_keys(n, keys, l->d);
	const struct field *f = sectors && c->of.type ? field_read(l, c->of.type, sectors) : NULL;
	if (f && (f->kind != FIELD_MENUS || !str_is(f->menu->name, "sector")))
		diag_say(l->d, sectors, "sectors 要写可多选的行业字段，“%.*s”不是；请改正", "sectors needs a field of several sectors, \"%.*s\" is none; correct it",
		         STR_FMT(f->name));
	else
		c->sectors = f;
	if (c->covers && c->of.type && c->of.type->area_from.n == 0 && !type_field(c->of.type, STR("area")))
		diag_say(l->d, n, "类型“%.*s”没有区域，不知道覆盖哪里；请补上 area_from", "the type \"%.*s\" has no area: nobody knows what it covers; add area_from",
		         STR_FMT(c->of.type->name));
}

// A row must belong to an enterprise, or cover an area.
static void check_owner(struct loading *l, const struct index_component *c, const struct yaml_node *n)
{
	const struct type *t = c->of.type;
	if (!t || c->covers || t->enterprise_from.n || str_is(t->name, "enterprise") || type_field(t, STR("enterprise")))
		return;
	diag_say(l->d, n, "类型“%.*s”的记录不属于企业；请写 covers，或换一个类型", "records of \"%.*s\" belong to no enterprise; write covers, or use another type",
	         STR_FMT(t->name));
}

static void check_decay(struct loading *l, const struct index_component *c, const struct yaml_node *n)
{
	const struct yaml_node *half = yaml_get(n, "half_life");
	if (!half)
		return;
	if (c->half_life <= 0)
		diag_say(l->d, half, "时长必须大于零；请改正", "the duration must be more than zero; correct it");
	else if (c->of.at != AT_DATE && c->of.at != AT_TIME)
		diag_say(l->d, half, "衰减要知道事情发生的时间；请在 of 里写 at", "decay needs the time of the event; write at under of");
	else if (c->worst || c->covers)
		diag_say(l->d, half, "take: max 和 covers 不衰减；请删去 half_life", "take: max and covers do not decay; take half_life out");
}

static void component_read(struct loading *l, struct risk_index *x, const struct yaml_node *key, const struct yaml_node *n)
{
	static const char *const keys[] = { "label", "about", "of", "alarms", "by", "weight", "weights", "take", "cap", "half_life", "covers", "lowers", NULL };
	static const char *const takes[] = { "sum", "max", NULL };
	struct index_component *c = &x->components[x->ncomponents];
	const struct yaml_node *of = yaml_get(n, "of"), *alarms = yaml_get(n, "alarms"), *k;
	if (!is_map(l, n))
		return;
	*c = (struct index_component){ .name = key->text, .slot = x->nslots };
	yaml_check_keys(n, keys, l->d);
	label_need(l, n, "label", &c->label);
	label_may(l, n, "about", &c->about);
	if ((of != NULL) == (alarms != NULL))
		diag_say(l->d, n, "要写 of（数哪些记录）或 alarms（数哪些报警）之一；请改正", "give either of (which records) or alarms (which alarms); correct it");
	else if (of)
		source_read(l, &c->of, of);
	else
		families_read(l, c, alarms);
	if ((k = yaml_get(n, "by")))
		by_read(l, c, k);
	if ((k = yaml_get(n, "covers")))
		covers_read(l, c, k);
	if (need_node(l, n, "cap", &k) && yaml_f64(k, &c->cap, l->d) && (c->cap <= 0 || c->cap > 100))
		diag_say(l->d, k, "cap 要大于 0、不超过 100；请改正", "cap must be more than 0 and at most 100; correct it");
	weights_read(l, c, n);
	c->worst = word_read(l, n, "take", takes, 0) == 1;
	if ((k = yaml_get(n, "half_life")))
		(void)yaml_duration(k, &c->half_life, l->d);
	if ((k = yaml_get(n, "lowers")))
		(void)yaml_bool(k, &c->lowers, l->d);
	if (c->lowers && c->families)
		diag_say(l->d, k, "报警不能减分；请删去 lowers", "alarms lower nothing; take lowers out");
	check_decay(l, c, n);
	check_owner(l, c, n);
	x->nslots += c->nweights;
	x->ncomponents++;
}

static void components_read(struct loading *l, struct risk_index *x, const struct yaml_node *root)
{
	const struct yaml_node *n;
	double caps = 0;
	if (!need_node(l, root, "components", &n) || !is_map(l, n))
		return;
	if (n->n > INDEX_COMPONENTS) {
		diag_say(l->d, n, "分项超过 %d 个；请合并", "more than %d components; put some together", INDEX_COMPONENTS);
		return;
	}
	x->components = arena_many(l->a, n->n, struct index_component);
	for (size_t i = 0; i < n->n; i++)
		component_read(l, x, n->keys[i], n->items[i]);
	for (size_t i = 0; i < x->ncomponents; i++)
		caps += x->components[i].lowers ? 0 : x->components[i].cap;
	if (x->nslots > INDEX_SLOTS)
		diag_say(l->d, n, "权重一共超过 %d 个；请合并", "more than %d weights in all; put some together", INDEX_SLOTS);
	if (x->levels[INDEX_RED].from > caps)
		diag_say(l->d, n, "各分项封顶之和是 %g，到不了红色的 %g；请改正其一", "the caps add up to %g, red at %g can never be reached; correct one of them", caps,
		         x->levels[INDEX_RED].from);
}

// ---- levels ------------------------------------------------------------------------------------
static void levels_read(struct loading *l, struct risk_index *x, const struct yaml_node *root)
{
	static const char *const keys[] = { "red", "orange", "yellow", "blue", NULL }, *const each[] = { "from", "label", "actions", NULL };
	const struct yaml_node *n, *one, *from;
	if (!need_node(l, root, "levels", &n) || !is_map(l, n))
		return;
	yaml_check_keys(n, keys, l->d);
	for (int c = INDEX_RED; c >= INDEX_BLUE; c--) {
		struct index_level *v = &x->levels[c];
		if (!(one = yaml_get(n, color_names[c]))) {
			diag_say(l->d, n, "缺少级别“%s”；请补上，四级都要有", "the level \"%s\" is missing; add it, all four are needed", color_names[c]);
			continue;
		}
		yaml_check_keys(one, each, l->d);
		label_need(l, one, "label", &v->label);
		label_may(l, one, "actions", &v->actions);
		if (!need_node(l, one, "from", &from) || !yaml_f64(from, &v->from, l->d))
			continue;
		if (c == INDEX_BLUE && v->from != 0)
			diag_say(l->d, from, "蓝色要从 0 开始；请改正", "blue must begin at 0; correct it");
		if (c < INDEX_RED && v->from >= x->levels[c + 1].from)
			diag_say(l->d, from, "级别的分数要从红到蓝依次降低；请改正", "levels must go down from red to blue; correct from");
	}
}

static unsigned level_bits(struct loading *l, const struct yaml_node *n)
{
	struct str *v;
	size_t count;
	unsigned bits = 0;
	if (!yaml_strs(n, l->a, &v, &count, l->d))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (!index_color_of(v[i]))
			diag_say(l->d, n->items[i], "没有级别“%.*s”；可用 red orange yellow blue", "there is no level \"%.*s\"; use red orange yellow blue", STR_FMT(v[i]));
		else
			bits |= 1u << index_color_of(v[i]);
	}
	return bits;
}

// ---- areas, alerts, back-test ------------------------------------------------------------------
static void share_read(struct loading *l, const struct yaml_node *map, const char *key, double *ret)
{
	const struct yaml_node *n;
	if (need_node(l, map, key, &n) && yaml_f64(n, ret, l->d) && (*ret < 0 || *ret > 1))
		diag_say(l->d, n, "%s 要在 0 到 1 之间；请改正", "%s must be from 0 to 1; correct it", key);
}

static void areas_read(struct loading *l, struct risk_index *x, const struct yaml_node *root)
{
	static const char *const keys[] = { "worst", "top", "top_share", "all_share", "own", NULL };
	const struct yaml_node *n, *top;
	int64_t v = 0;
	if (!need_node(l, root, "areas", &n) || !is_map(l, n))
		return;
	yaml_check_keys(n, keys, l->d);
	share_read(l, n, "worst", &x->worst);
	share_read(l, n, "top_share", &x->top_share);
	share_read(l, n, "all_share", &x->all_share);
	if (yaml_get(n, "own"))
		share_read(l, n, "own", &x->own);
	if (need_node(l, n, "top", &top) && yaml_i64(top, &v, l->d) && (v < 1 || v > 1000))
		diag_say(l->d, top, "top 要在 1 到 1000 之间；请改正", "top must be from 1 to 1000; correct it");
	x->top = (int)v;
	double sum = x->worst + x->top_share + x->all_share;
	if (sum < 0.9999 || sum > 1.0001)
		diag_say(l->d, n, "worst、top_share、all_share 之和是 %g，应为 1；请改正", "worst, top_share and all_share add up to %g, not to 1; correct them", sum);
}

static void open_read(struct loading *l, struct risk_index *x, const struct yaml_node *n)
{
	static const char *const keys[] = { "type", "levels", "category", NULL };
	const struct yaml_node *k;
	yaml_check_keys(n, keys, l->d);
	if (need_node(l, n, "type", &k))
		x->opens = type_read(l, k);
	if (need_node(l, n, "levels", &k))
		x->opens_at = level_bits(l, k);
	x->category = STR_EMPTY;
	if ((k = yaml_get(n, "category")))
		(void)yaml_str(k, &x->category, l->d);
	const struct field *f = x->opens ? type_field(x->opens, STR("category")) : NULL;
	if (x->category.n && (!f || !f->menu || !menu_item(f->menu, x->category)))
		diag_say(l->d, k, "没有类别“%.*s”；请改正", "there is no category \"%.*s\"; correct it", STR_FMT(x->category));
}

static void alerts_read(struct loading *l, struct risk_index *x, const struct yaml_node *n)
{
	static const char *const keys[] = { "rise", "levels", "tell", "open", NULL };
	const struct yaml_node *k;
	if (!is_map(l, n))
		return;
	yaml_check_keys(n, keys, l->d);
	if ((k = yaml_get(n, "rise")) && yaml_f64(k, &x->rise, l->d) && (x->rise <= 0 || x->rise > 100))
		diag_say(l->d, k, "rise 要大于 0、不超过 100；请改正", "rise must be more than 0 and at most 100; correct it");
	if ((k = yaml_get(n, "levels")))
		x->told = level_bits(l, k);
	if ((k = yaml_get(n, "tell")) && yaml_strs(k, l->a, &x->tell, &x->ntell, l->d))
		for (size_t i = 0; i < x->ntell; i++)
			if (!registry_role(l->reg, x->tell[i]))
				diag_say(l->d, k->items[i], "没有角色“%.*s”；请改名，或在 roles/ 下建立它", "there is no role \"%.*s\"; correct it or make it in roles/",
				         STR_FMT(x->tell[i]));
	if ((k = yaml_get(n, "open")))
		open_read(l, x, k);
}

static void event_read(struct loading *l, struct risk_index *x, const struct yaml_node *n)
{
	struct index_event *e = &x->events[x->nevents++];
	source_read(l, &e->of, n);
	if (e->of.type)
		e->label = e->of.type->label;
	if (e->of.type && e->of.at != AT_DATE && e->of.at != AT_TIME)
		diag_say(l->d, n, "要知道事情发生的时间；请写 at", "the time of the event is needed; write at");
}

static void backtest_read(struct loading *l, struct risk_index *x, const struct yaml_node *n)
{
	static const char *const keys[] = { "days", "events", NULL };
	const struct yaml_node *k;
	int64_t days = 0;
	if (!is_map(l, n))
		return;
	yaml_check_keys(n, keys, l->d);
	if (need_node(l, n, "days", &k) && yaml_i64(k, &days, l->d) && (days < 1 || days > 365))
		diag_say(l->d, k, "days 要在 1 到 365 之间；请改正", "days must be from 1 to 365; correct it");
	x->days = (int)days;
	if (!need_node(l, n, "events", &k))
		return;
	if (k->kind != YAML_LIST || !k->n) {
		diag_say(l->d, k, "这里要列表；请写 [{type: …, at: …}]", "a list is expected; write [{type: …, at: …}]");
		return;
	}
	x->events = arena_many(l->a, k->n, struct index_event);
	for (size_t i = 0; i < k->n; i++)
		event_read(l, x, k->items[i]);
}

// ---- one file ----------------------------------------------------------------------------------
static void valid_read(struct loading *l, struct risk_index *x, const struct yaml_node *root)
{
	const struct yaml_node *n;
	struct str text;
	if (!need_node(l, root, "valid_from", &n) || !yaml_str(n, &text, l->d))
		return;
	if (!time_parse(arena_printf(l->a, "%.*sT00:00:00+08:00", STR_FMT(text)), &x->valid_from))
		diag_say(l->d, n, "“%.*s”不是日期；请写如 2026-01-01", "\"%.*s\" is not a date; write for example 2026-01-01", STR_FMT(text));
}

static void check_twice(struct loading *l, const struct risk_indexes *all, const struct risk_index *x, const struct yaml_node *root)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct risk_index *o = &all->v[i];
		if (str_eq(o->name, x->name) && (o->valid_from == x->valid_from || str_eq(o->version, x->version)))
			diag_say(l->d, yaml_get(root, "index"), "“%.*s”的这一版本或起始日期已在 %.*s 写过；请改 version 和 valid_from",
			         "this version or first day of \"%.*s\" stands in %.*s already; change version and valid_from", STR_FMT(x->name), STR_FMT(o->file));
	}
}

static void index_load(struct loading *l, struct risk_indexes *all, const struct pack_file *f)
{
	static const char *const keys[] = { "index", "label", "about", "version", "valid_from", "basis", "components", "areas", "levels", "alerts", "backtest", "aside", NULL };
	struct risk_index *x = &all->v[all->n];
	const struct yaml_node *n;
	*x = (struct risk_index){ .pack = f->pack, .file = f->file, .version = STR_EMPTY, .category = STR_EMPTY };
	yaml_check_keys(f->root, keys, l->d);
	if (!name_read(l, f->root, "index", &x->name))
		return;
	label_need(l, f->root, "label", &x->label);
	label_may(l, f->root, "about", &x->about);
	label_need(l, f->root, "basis", &x->basis);
	if (need_node(l, f->root, "version", &n))
		(void)yaml_str(n, &x->version, l->d);
	valid_read(l, x, f->root);
	if ((n = yaml_get(f->root, "aside")))
		(void)yaml_bool(n, &x->aside, l->d);
	levels_read(l, x, f->root);
	components_read(l, x, f->root);
	areas_read(l, x, f->root);
	if ((n = yaml_get(f->root, "alerts")))
		alerts_read(l, x, n);
	if ((n = yaml_get(f->root, "backtest")))
		backtest_read(l, x, n);
	check_twice(l, all, x, f->root);
	all->n++;
}

struct risk_indexes *indexes_load(const struct registry *reg, struct arena *a, struct diags *d)
{
	struct risk_indexes *all = arena_one(a, struct risk_indexes);
	struct loading l = { .reg = reg, .a = a, .d = d };
	size_t before = d->n;
	all->reg = reg;
	all->v = arena_many(a, reg->nfiles + 1, struct risk_index);
	for (size_t i = 0; i < reg->nfiles; i++)
		if (str_is(reg->files[i].folder, "indexes"))
			index_load(&l, all, &reg->files[i]);
	return d->n == before ? all : NULL;
}

const struct risk_index *index_in_force(const struct risk_indexes *all, struct str name, int64_t now)
{
	const struct risk_index *best = NULL;
	for (size_t i = 0; i < all->n; i++) {
		const struct risk_index *x = &all->v[i];
		if (str_eq(x->name, name) && x->valid_from <= now && (!best || x->valid_from > best->valid_from))
			best = x;
	}
	return best;
}

size_t index_names(const struct risk_indexes *all, struct str *ret, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < 2 * all->n && n < max; i++) { // those aside in a second pass
		const struct risk_index *x = &all->v[i % all->n];
		bool known = x->aside != (i >= all->n);
		for (size_t k = 0; k < n; k++)
			known |= str_eq(ret[k], x->name);
		if (!known)
			ret[n++] = x->name;
	}
	return n;
}
