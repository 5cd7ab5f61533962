// Rule files → compiled rules, with every mistake reported at its place. Called when packs are loaded or checked, in
// any thread; the result is immutable.
#include <math.h>

#include "alarm/rule.h"
#include "alarm/rule_diag.h"
#include "base/hash.h"

#define LONGEST_DAYS 366

struct loading {
	struct rule_set *rs;
	const struct registry *reg;
	struct diags *d;
	struct arena *a;
};

static const char *const level_keys[] = { "ll", "l", "h", "hh", NULL }; // by enum level

static struct str keep(struct loading *ld, struct str s) { return arena_str(ld->a, s); }
static struct label keep_label(struct loading *ld, struct label l)
{
	return (struct label){ .zh = keep(ld, l.zh), .en = keep(ld, l.en) };
}

// A duration of zero or more; negative ones get their own sentence.
static bool duration(struct loading *ld, const struct yaml_node *n, int64_t *ret)
{
	if (n->kind == YAML_SCALAR && n->text.n > 0 && n->text.p[0] == '-') {
		RULE_DIAG(ld->d, n, NEGATIVE);
		return false;
	}
	int64_t us;
	if (!yaml_duration(n, &us, ld->d))
		return false;
	if (us > LONGEST_DAYS * US_PER_DAY) {
		RULE_DIAG(ld->d, n, LONG, LONGEST_DAYS);
		return false;
	}
	*ret = us;
	return true;
}
static void optional_duration(struct loading *ld, const struct yaml_node *map, const char *key, int64_t *ret)
{
	const struct yaml_node *n = yaml_get(map, key);
	if (n)
		(void)duration(ld, n, ret);
}
static bool needed_duration(struct loading *ld, const struct yaml_node *map, const char *key, int64_t *ret)
{
	const struct yaml_node *n = yaml_get(map, key);
	if (!n) {
		RULE_DIAG(ld->d, map, MISSING, key);
		return false;
	}
	if (!duration(ld, n, ret))
		return false;
	if (*ret == 0)
		RULE_DIAG(ld->d, n, ZERO, key);
	return *ret > 0;
}

// ---- what every level has: colour, message, guidance, what to open ----------------------------
static void load_color(struct loading *ld, const struct yaml_node *map, struct str *ret)
{
	static const struct str colors[] = { { "red", 3 }, { "orange", 6 }, { "yellow", 6 }, { "blue", 4 } };
	const struct yaml_node *n = yaml_get(map, "color");
	struct str s;
	if (!n) {
		RULE_DIAG(ld->d, map, MISSING, "color");
		return;
	}
	if (!yaml_str(n, &s, ld->d))
		return;
	for (size_t i = 0; i < ARRAY_LEN(colors); i++)
		if (str_eq(s, colors[i])) {
			*ret = colors[i];
			return;
		}
	RULE_DIAG(ld->d, n, COLOR, STR_FMT(s));
	diag_near(ld->d, s, colors, ARRAY_LEN(colors));
}

static void load_open(struct loading *ld, const struct yaml_node *map, struct rule_cond *c)
{
	const struct yaml_node *n = yaml_get(map, "open");
	struct str s;
	if (!n || !yaml_str(n, &s, ld->d))
		return;
	const struct type *t = registry_type(ld->reg, s);
	if (t) {
		c->open = keep(ld, s);
		c->open_label = keep_label(ld, t->label);
		return;
	}
	RULE_DIAG(ld->d, n, OPEN_TYPE, STR_FMT(s));
	struct str *names = arena_many(ld->a, ld->reg->ntypes, struct str);
	for (size_t i = 0; i < ld->reg->ntypes; i++)
		names[i] = ld->reg->types[i].name;
	diag_near(ld->d, s, names, ld->reg->ntypes);
}

static void load_says(struct loading *ld, const struct yaml_node *map, struct rule_cond *c)
{
	c->set = true;
	load_color(ld, map, &c->color);
	load_open(ld, map, c);
	struct label l;
	const struct yaml_node *say = yaml_get(map, "say"), *guide = yaml_get(map, "guide");
	if (!say)
		RULE_DIAG(ld->d, map, MISSING, "say");
	else if (yaml_label(say, &l, ld->d))
		c->say = keep_label(ld, l);
	if (guide && yaml_label(guide, &l, ld->d))
		c->guide = keep_label(ld, l);
}

// ---- limits ------------------------------------------------------------------------------------
static const char *number_text(struct loading *ld, double v)
{
	char text[F64_TEXT_MAX];
	return arena_cstr(ld->a, str_from(text, f64_text(v, text)));
}

static void check_range(struct loading *ld, const struct rule *r, const struct yaml_node *n, double v)
{
	for (size_t i = 0; i < r->nkinds; i++) {
		const struct point_kind *k = registry_kind(ld->reg, r->kinds[i]);
		if (k && (v < k->min || v > k->max))
			RULE_DIAG(ld->d, n, LIMIT_RANGE, number_text(ld, v), STR_FMT(k->name));
	}
}

static bool load_limit_value(struct loading *ld, const struct rule *r, const struct yaml_node *n, enum level level,
                             struct rule_cond *c)
{
	struct str s;
	if (!yaml_str(n, &s, ld->d))
		return false;
	if (str_starts(s, STR("point."))) {
		c->from_point = str_is(str_skip(s, 6), level_keys[level]);
		if (!c->from_point)
			RULE_DIAG(ld->d, n, LIMIT_VALUE, STR_FMT(s), level_keys[level]);
		return c->from_point;
	}
	if (!str_to_f64(s, &c->limit)) {
		RULE_DIAG(ld->d, n, LIMIT_VALUE, STR_FMT(s), level_keys[level]);
		return false;
	}
	check_range(ld, r, n, c->limit);
	return true;
}

static void load_clear(struct loading *ld, const struct yaml_node *map, enum level level, struct rule_cond *c)
{
	bool high = level == LEVEL_H || level == LEVEL_HH;
	const struct yaml_node *abs = yaml_get(map, "clear"), *by = yaml_get(map, "clear_by");
	if (abs && by) {
		RULE_DIAG(ld->d, by, CLEAR_TWICE);
		return;
	}
	if (abs && c->from_point) {
		RULE_DIAG(ld->d, abs, CLEAR_POINT);
		return;
	}
	if (abs && yaml_f64(abs, &c->clear, ld->d)) {
		c->has_clear = true;
		if (high ? c->clear > c->limit : c->clear < c->limit)
			diag_say(ld->d, abs, RULE_ZH_CLEAR_SIDE, RULE_EN_CLEAR_SIDE, number_text(ld, c->clear),
			         number_text(ld, c->limit), level_name(level),
			         ld->d->zh ? (high ? "不高于" : "不低于") : (high ? "not above" : "not below"));
	}
	if (by && yaml_f64(by, &c->clear_by, ld->d)) {
		c->has_clear_by = true;
		if (c->clear_by < 0)
			RULE_DIAG(ld->d, by, CLEAR_BY);
	}
}

static void load_limit(struct loading *ld, struct rule *r, enum level level, const struct yaml_node *map)
{
	static const char *const keys[] = { "above", "below", "clear", "clear_by", "for", "off", "color",
		                            "say", "guide", "open", NULL };
	struct rule_cond *c = &r->at[level];
	bool high = level == LEVEL_H || level == LEVEL_HH;
	const char *mine = high ? "above" : "below", *other = high ? "below" : "above";
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	const struct yaml_node *wrong = yaml_get(map, other), *limit = yaml_get(map, mine);
	if (wrong)
		RULE_DIAG(ld->d, wrong, WRONG_SIDE, level_name(level), mine, other);
	else if (!limit)
		RULE_DIAG(ld->d, map, NO_LIMIT, level_name(level), mine);
	if (limit && load_limit_value(ld, r, limit, level, c))
		load_clear(ld, map, level, c);
	optional_duration(ld, map, "for", &c->on);
	optional_duration(ld, map, "off", &c->off);
	load_says(ld, map, c);
}

static void check_order(struct loading *ld, const struct rule *r, const struct yaml_node *levels)
{
	static const enum level pairs[][2] = { { LEVEL_LL, LEVEL_L }, { LEVEL_L, LEVEL_H }, { LEVEL_H, LEVEL_HH } };
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct rule_cond *low = &r->at[pairs[i][0]], *high = &r->at[pairs[i][1]];
		bool both = low->set && high->set && !low->from_point && !high->from_point;
		if (!both || low->limit < high->limit)
			continue;
		bool upper = pairs[i][1] == LEVEL_HH;
		const struct yaml_node *at = yaml_get(levels, level_name(pairs[i][upper ? 1 : 0]));
		const struct rule_cond *first = upper ? high : low, *second = upper ? low : high;
		diag_say(ld->d, at, RULE_ZH_ORDER, RULE_EN_ORDER, level_name(pairs[i][upper ? 1 : 0]),
		         number_text(ld, first->limit),
		         ld->d->zh ? (upper ? "高于" : "低于") : (upper ? "above" : "below"),
		         level_name(pairs[i][upper ? 0 : 1]), number_text(ld, second->limit));
	}
}

static void load_levels(struct loading *ld, struct rule *r, const struct yaml_node *levels)
{
	size_t before = ld->d->n;
	yaml_check_keys(levels, level_keys, ld->d);
	for (size_t i = 0; level_keys[i]; i++) {
		const struct yaml_node *n = yaml_get(levels, level_keys[i]);
		if (n)
			load_limit(ld, r, (enum level)i, n);
	}
	if (ld->d->n == before)
		check_order(ld, r, levels);
}

// ---- the other families ------------------------------------------------------------------------
static void load_rate(struct loading *ld, struct rule *r, const struct yaml_node *map)
{
	static const char *const keys[] = { "rise", "fall", "per", "for", "off", "color", "say", "guide", "open", NULL };
	struct rule_cond *c = &r->at[LEVEL_RATE];
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	const struct yaml_node *rise = yaml_get(map, "rise"), *fall = yaml_get(map, "fall");
	c->rise = rise != NULL;
	if (!rise == !fall)
		RULE_DIAG(ld->d, map, RATE_WHICH);
	else if (yaml_f64(rise ? rise : fall, &c->limit, ld->d) && !(c->limit > 0))
		RULE_DIAG(ld->d, rise ? rise : fall, ZERO, rise ? "rise" : "fall");
	if (needed_duration(ld, map, "per", &c->per))
		c->off = c->per;
	optional_duration(ld, map, "for", &c->on);
	optional_duration(ld, map, "off", &c->off);
	load_says(ld, map, c);
}

static void load_silent(struct loading *ld, struct rule *r, const struct yaml_node *map)
{
	static const char *const keys[] = { "for", "color", "say", "guide", "open", NULL };
	struct rule_cond *c = &r->at[LEVEL_SILENT];
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	if (needed_duration(ld, map, "for", &c->on))
		for (size_t i = 0; i < r->nkinds; i++) {
			const struct point_kind *k = registry_kind(ld->reg, r->kinds[i]);
			if (k && c->on <= k->interval)
				RULE_DIAG(ld->d, yaml_get(map, "for"), SILENT_SHORT, STR_FMT(k->name));
		}
	load_says(ld, map, c);
}

static void load_flat(struct loading *ld, struct rule *r, const struct yaml_node *map)
{
	static const char *const keys[] = { "for", "by", "color", "say", "guide", "open", NULL };
	struct rule_cond *c = &r->at[LEVEL_FLAT];
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	const struct yaml_node *by = yaml_get(map, "by");
	(void)needed_duration(ld, map, "for", &c->on);
	if (!by)
		RULE_DIAG(ld->d, map, MISSING, "by");
	else if (yaml_f64(by, &c->limit, ld->d) && c->limit < 0)
		RULE_DIAG(ld->d, by, FLAT_BY);
	load_says(ld, map, c);
}

static void load_bad(struct loading *ld, struct rule *r, const struct yaml_node *map)
{
	static const char *const keys[] = { "for", "off", "color", "say", "guide", "open", NULL };
	struct rule_cond *c = &r->at[LEVEL_BAD];
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	optional_duration(ld, map, "for", &c->on);
	optional_duration(ld, map, "off", &c->off);
	load_says(ld, map, c);
}

// ---- ahead of the limits -----------------------------------------------------------------------
#define EARLY_LONGEST_H 24
#define EARLY_SPANS_MIN 10   // `every` in `within`: fewer are no trend

static bool has_limits(const struct rule *r)
{
	return r->at[LEVEL_LL].set || r->at[LEVEL_L].set || r->at[LEVEL_H].set || r->at[LEVEL_HH].set;
}

// Without every: a sixtieth of within, so that the line is fitted to two thirds of it.
static void load_early(struct loading *ld, struct rule *r, const struct yaml_node *map)
{
	static const char *const keys[] = { "within", "every", "color", NULL };
	int64_t within = 0;
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	const struct yaml_node *every = yaml_get(map, "every");
	if (!has_limits(r))
		RULE_DIAG(ld->d, map, EARLY_LEVELS);
	r->early_color = STR("blue");
	if (yaml_get(map, "color"))
		load_color(ld, map, &r->early_color);
	if (!needed_duration(ld, map, "within", &within))
		return;
	if (within > EARLY_LONGEST_H * US_PER_HOUR)
		RULE_DIAG(ld->d, yaml_get(map, "within"), EARLY_LONG, EARLY_LONGEST_H);
	r->early_every = MAX(within / 60, US_PER_S);
	if (every && (!needed_duration(ld, map, "every", &r->early_every) || r->early_every * EARLY_SPANS_MIN > within))
		RULE_DIAG(ld->d, every, EARLY_EVERY, EARLY_SPANS_MIN);
	r->early_within = within;
}

// ---- an expression -----------------------------------------------------------------------------
static void load_when(struct loading *ld, struct rule *r, const struct yaml_node *map)
{
	static const char *const keys[] = { "that", "with", "once", "for", "off", "color", "say", "guide", "open", NULL };
	struct rule_cond *c = &r->at[LEVEL_WHEN];
	size_t before = ld->d->n;
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	optional_duration(ld, map, "for", &c->on);
	optional_duration(ld, map, "off", &c->off);
	load_says(ld, map, c);
	if (ld->d->n == before)
		r->when = when_compile(ld->a, ld->reg, r, map, ld->d);
	if (!r->when && ld->d->n == before) // an empty list of kinds, say
		RULE_DIAG(ld->d, map, MISSING, "kind");
}

static void load_blind(struct loading *ld, struct rule *r, const struct yaml_node *map, bool when)
{
	static const char *const keys[] = { "for", "off", "color", "say", "guide", "open", NULL };
	struct rule_cond *c = &r->at[LEVEL_BLIND];
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	if (!when)
		RULE_DIAG(ld->d, map, BLIND_ALONE);
	if (needed_duration(ld, map, "for", &c->on))
		for (size_t i = 0; r->when && i < r->when->nslots; i++)
			if (c->on < r->when->slots[i].window / 2) {
				RULE_DIAG(ld->d, yaml_get(map, "for"), BLIND_SHORT);
				break;
			}
	optional_duration(ld, map, "off", &c->off);
	load_says(ld, map, c);
}

// ---- a fence -----------------------------------------------------------------------------------
// What the fence asks for (outline, times, positions, dead band) stands in its record: a rule says whom it is told how.
static void load_fence(struct loading *ld, struct rule *r, const struct yaml_node *map)
{
	static const char *const keys[] = { "what", "color", "say", "guide", "open", NULL };
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	const struct yaml_node *what = yaml_get(map, "what");
	struct str s, names[FENCE_WHATS];
	for (int i = 0; i < FENCE_WHATS; i++)
		names[i] = str_of(fence_what_name((enum fence_what)i));
	if (!what) {
		RULE_DIAG(ld->d, map, MISSING, "what");
	} else if (yaml_str(what, &s, ld->d) && !fence_what_find(s, &r->fence)) {
		RULE_DIAG(ld->d, what, FENCE_WHAT, STR_FMT(s));
		diag_near(ld->d, s, names, FENCE_WHATS);
	}
	load_says(ld, map, &r->at[LEVEL_FENCE]);
}

// ---- which points ------------------------------------------------------------------------------
// One word or a list of words.
static size_t load_words(struct loading *ld, const struct yaml_node *n, struct str **ret)
{
	size_t count = 0;
	if (n->kind == YAML_LIST) {
		if (!yaml_strs(n, ld->a, ret, &count, ld->d))
			return 0;
	} else {
		struct str s;
		if (!yaml_str(n, &s, ld->d))
			return 0;
		*ret = arena_one(ld->a, struct str);
		(*ret)[count++] = s;
	}
	for (size_t i = 0; i < count; i++)
		(*ret)[i] = keep(ld, (*ret)[i]);
	return count;
}

static const struct yaml_node *word_node(const struct yaml_node *n, size_t i)
{
	return n->kind == YAML_LIST ? n->items[i] : n;
}

static void load_kinds(struct loading *ld, struct rule *r, const struct yaml_node *n)
{
	r->nkinds = load_words(ld, n, &r->kinds);
	struct str *names = arena_many(ld->a, ld->reg->nkinds, struct str);
	for (size_t i = 0; i < ld->reg->nkinds; i++)
		names[i] = ld->reg->kinds[i].name;
	for (size_t i = 0; i < r->nkinds; i++)
		if (!registry_kind(ld->reg, r->kinds[i])) {
			RULE_DIAG(ld->d, word_node(n, i), KIND, STR_FMT(r->kinds[i]));
			diag_near(ld->d, r->kinds[i], names, ld->reg->nkinds);
		}
}

// A value of a menu, if there is such a menu.
static void check_item(struct loading *ld, const struct yaml_node *at, const char *menu, struct str value)
{
	const struct menu *m = registry_menu(ld->reg, str_of(menu));
	if (!m || menu_item(m, value))
		return;
	RULE_DIAG(ld->d, at, MENU_VALUE, menu, STR_FMT(value));
	struct str *names = arena_many(ld->a, m->nitems, struct str);
	for (size_t k = 0; k < m->nitems; k++)
		names[k] = m->items[k].value;
	diag_near(ld->d, value, names, m->nitems);
}

static void load_sectors(struct loading *ld, struct rule *r, const struct yaml_node *n)
{
	r->nsectors = load_words(ld, n, &r->sectors);
	for (size_t i = 0; i < r->nsectors; i++)
		check_item(ld, word_node(n, i), "sector", r->sectors[i]);
}

static void load_category(struct loading *ld, struct rule *r, const struct yaml_node *n)
{
	struct str s;
	if (!yaml_str(n, &s, ld->d))
		return;
	check_item(ld, n, "warning_category", s);
	r->category = keep(ld, s);
}

static void load_watch(struct loading *ld, struct rule *r, const struct yaml_node *root)
{
	static const char *const keys[] = { "kind", "where", NULL };
	static const char *const where_keys[] = { "sector", "area", "point", NULL };
	const struct yaml_node *watch = yaml_get(root, "watch");
	if (!watch) {
		RULE_DIAG(ld->d, root, MISSING, "watch");
		return;
	}
	yaml_check_keys(watch, keys, ld->d);
	const struct yaml_node *kind = yaml_get(watch, "kind"), *where = yaml_get(watch, "where"), *n;
	if (kind)
		load_kinds(ld, r, kind);
	else if (watch->kind == YAML_MAP)
		RULE_DIAG(ld->d, watch, MISSING, "kind");
	if (!where)
		return;
	yaml_check_keys(where, where_keys, ld->d);
	if ((n = yaml_get(where, "sector")))
		load_sectors(ld, r, n);
	if ((n = yaml_get(where, "area")))
		r->nareas = load_words(ld, n, &r->areas);
	if ((n = yaml_get(where, "point")))
		r->npoints = load_words(ld, n, &r->points);
}

// ---- a file ------------------------------------------------------------------------------------
static uint32_t name_key(struct str name)
{
	uint32_t k = crc32c(0, name.p, name.n); // the same in every process: it is part of saved state
	return k ? k : 1;
}

static void load_name(struct loading *ld, struct rule *r, const struct yaml_node *root)
{
	const struct yaml_node *name = yaml_get(root, "rule"), *label = yaml_get(root, "label");
	struct str s;
	struct label l;
	if (!name)
		RULE_DIAG(ld->d, root, MISSING, "rule");
	else if (yaml_str(name, &s, ld->d)) {
		for (size_t i = 0; i + 1 < ld->rs->n; i++) {
			const struct rule *old = &ld->rs->v[i];
			if (str_eq(old->info.name, s))
				RULE_DIAG(ld->d, name, NAME_TWICE, STR_FMT(s), STR_FMT(old->info.file), old->info.line);
		}
		r->info.name = keep(ld, s);
		r->info.line = name->line;
		r->key = name_key(s);
	}
	if (!label)
		RULE_DIAG(ld->d, root, MISSING, "label");
	else if (yaml_label(label, &l, ld->d))
		r->info.label = keep_label(ld, l);
}

// ---- what suppresses it, what may not ----------------------------------------------------------
#define CAUSE_DAYS 7
#define CAUSES_MAX 8
#define HIDE_HOURS 24

static void load_cause_at(struct loading *ld, const struct yaml_node *n, struct rule_cause *c)
{
	static const struct str places[] = { { "point", 5 }, { "device", 6 }, { "installation", 12 }, { "enterprise", 10 } };
	struct str s;
	if (!yaml_str(n, &s, ld->d))
		return;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (str_eq(s, places[i])) {
			c->at = (enum cause_at)i;
			return;
		}
	RULE_DIAG(ld->d, n, CAUSE_AT, STR_FMT(s));
	diag_near(ld->d, s, places, ARRAY_LEN(places));
}

static void load_cause(struct loading *ld, const struct yaml_node *map, struct rule_cause *c)
{
	static const char *const keys[] = { "rule", "at", "point", "longest", "why", NULL };
	static const char *const needed[] = { "rule", "at", "why" };
	const struct yaml_node *n;
	struct label l;
	struct str s;
	yaml_check_keys(map, keys, ld->d);
	if (map->kind != YAML_MAP)
		return;
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!yaml_get(map, needed[i]))
			RULE_DIAG(ld->d, map, MISSING, needed[i]);
	if ((n = yaml_get(map, "rule")) && yaml_str(n, &s, ld->d))
		c->rule = keep(ld, s);
	if ((n = yaml_get(map, "at")))
		load_cause_at(ld, n, c);
	if ((n = yaml_get(map, "point")) && yaml_str(n, &s, ld->d))
		c->point = keep(ld, s);
	if (needed_duration(ld, map, "longest", &c->longest) && c->longest > CAUSE_DAYS * US_PER_DAY)
		RULE_DIAG(ld->d, yaml_get(map, "longest"), CAUSE_LONG, CAUSE_DAYS);
	if ((n = yaml_get(map, "why")) && yaml_label(n, &l, ld->d))
		c->why = keep_label(ld, l);
}

static void load_causes(struct loading *ld, struct rule *r, const struct yaml_node *n)
{
	size_t count = n->kind == YAML_LIST ? n->n : 1;
	if (count > CAUSES_MAX) {
		RULE_DIAG(ld->d, n, CAUSES, CAUSES_MAX);
		return;
	}
	r->causes = arena_many(ld->a, count, struct rule_cause);
	for (size_t i = 0; i < count; i++) {
		r->causes[i].rule = r->causes[i].point = STR_EMPTY;
		load_cause(ld, word_node(n, i), &r->causes[i]);
	}
	r->ncauses = count;
}

static void load_hiding(struct loading *ld, struct rule *r, const struct yaml_node *root)
{
	const struct yaml_node *n;
	if ((n = yaml_get(root, "suppress_when")))
		load_causes(ld, r, n);
	if ((n = yaml_get(root, "never_suppress")))
		(void)yaml_bool(n, &r->never_suppress, ld->d);
	if (!yaml_get(root, "hide_at_most"))
		return;
	if (needed_duration(ld, root, "hide_at_most", &r->hide_longest) && r->hide_longest > HIDE_HOURS * US_PER_HOUR)
		RULE_DIAG(ld->d, yaml_get(root, "hide_at_most"), HIDE_LONG, HIDE_HOURS);
}

// Whether from's alarms come to be hidden because of to's, over at most `depth` rules.
static bool leads_to(const struct rule_set *rs, const struct rule *from, struct str to, size_t depth)
{
	for (size_t i = 0; i < from->ncauses && depth > 0; i++) {
		uint32_t next;
		if (str_eq(from->causes[i].rule, to))
			return true;
		if (rule_find(rs, from->causes[i].rule, &next) && leads_to(rs, &rs->v[next], to, depth - 1))
			return true;
	}
	return false;
}

// After all rules are there: causes name rules that exist, and none leads back.
static void check_causes(struct loading *ld)
{
	struct str *names = arena_many(ld->a, ld->rs->n, struct str);
	for (size_t i = 0; i < ld->rs->n; i++)
		names[i] = ld->rs->v[i].info.name;
	for (size_t i = 0; i < ld->rs->n; i++) {
		struct rule *r = &ld->rs->v[i];
		const struct yaml_node *list = yaml_get(ld->reg->rules[i].root, "suppress_when");
		for (size_t k = 0; k < r->ncauses; k++) {
			const struct yaml_node *at = yaml_get(word_node(list, k), "rule");
			uint32_t other;
			if (!rule_find(ld->rs, r->causes[k].rule, &other)) {
				RULE_DIAG(ld->d, at, CAUSE_RULE, STR_FMT(r->causes[k].rule));
				diag_near(ld->d, r->causes[k].rule, names, ld->rs->n);
				continue;
			}
			ld->rs->v[other].is_cause = true;
			if (other == i || leads_to(ld->rs, &ld->rs->v[other], r->info.name, CAUSES_MAX))
				RULE_DIAG(ld->d, at, CAUSE_CIRCLE, STR_FMT(r->info.name));
		}
	}
}

static void load_rule(struct loading *ld, const struct rule_file *f)
{
	static const char *const keys[] = { "rule",   "label", "about", "watch", "levels", "rate",
		                            "silent", "flat",  "bad",   "when", "blind", "fence", "hint",  "category", "early", "latch", "suppress_when", "never_suppress", "hide_at_most", NULL };
	struct rule *r = &ld->rs->v[ld->rs->n++];
	const struct yaml_node *root = f->root, *n;
	r->info.file = keep(ld, f->file);
	r->category = STR_EMPTY;
	yaml_check_keys(root, keys, ld->d);
	if (root->kind != YAML_MAP)
		return;
	load_name(ld, r, root);
	load_watch(ld, r, root);
	if ((n = yaml_get(root, "levels")))
		load_levels(ld, r, n);
	if ((n = yaml_get(root, "rate")))
		load_rate(ld, r, n);
	if ((n = yaml_get(root, "silent")))
		load_silent(ld, r, n);
	if ((n = yaml_get(root, "flat")))
		load_flat(ld, r, n);
	if ((n = yaml_get(root, "bad")))
		load_bad(ld, r, n);
	if ((n = yaml_get(root, "early")))
		load_early(ld, r, n);
	if ((n = yaml_get(root, "when")))
		load_when(ld, r, n);
	if ((n = yaml_get(root, "blind")))
		load_blind(ld, r, n, yaml_get(root, "when") != NULL);
	if ((n = yaml_get(root, "fence")))
		load_fence(ld, r, n);
	if ((n = yaml_get(root, "category")))
		load_category(ld, r, n);
	if ((n = yaml_get(root, "hint")))
		(void)yaml_bool(n, &r->hint, ld->d);
	if ((n = yaml_get(root, "latch")) && yaml_bool(n, &r->latch, ld->d) && r->latch && r->hint)
		RULE_DIAG(ld->d, n, LATCH_HINT);
	load_hiding(ld, r, root);
	bool any = false;
	for (size_t i = 0; i < ALARM_LEVELS; i++)
		any |= r->at[i].set;
	if (!any && !yaml_get(root, "levels"))
		RULE_DIAG(ld->d, root, NO_LEVEL);
}

static size_t conditions(const struct rule *r) // of a point's own state
{
	size_t n = 0;
	for (size_t i = 0; i < LEVEL_WHEN; i++)
		n += r->at[i].set;
	return n;
}

static bool one_of(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], s))
			return true;
	return false;
}

// Whether a point of this kind, sector and code may be watched; an empty sector or code: one that no rule names.
static bool may_meet(const struct rule *r, struct str kind, struct str sector, struct str point)
{
	return one_of(r->kinds, r->nkinds, kind) && (r->nsectors == 0 || one_of(r->sectors, r->nsectors, sector)) &&
	       (r->npoints == 0 || one_of(r->points, r->npoints, point));
}

static size_t words_at(struct loading *ld, struct str kind, struct str sector, struct str point, size_t *ret_conds)
{
	size_t words = 0, clock = 0;
	*ret_conds = 0;
	for (size_t i = 0; i < ld->rs->n; i++) {
		const struct rule *r = &ld->rs->v[i];
		if (!may_meet(r, kind, sector, point))
			continue;
		words += rule_words_needed(r, false);
		clock |= rule_needs_clock(r);
		*ret_conds += conditions(r);
	}
	return words + clock;
}

// The state of a point is bounded; what all rules that meet at one point need together must fit. Reported once for
// each kind, at the last rule of that kind.
static void check_words(struct loading *ld)
{
	static const struct str none[] = { { "", 0 } };
	for (size_t i = 0; i < ld->rs->n; i++) {
		const struct rule *r = &ld->rs->v[i];
		const struct str *sectors = r->nsectors ? r->sectors : none, *points = r->npoints ? r->points : none;
		for (size_t k = 0; k < r->nkinds; k++)
			for (size_t s = 0; s < MAX(r->nsectors, 1u); s++)
				for (size_t p = 0; p < MAX(r->npoints, 1u); p++) {
					size_t conds, words = words_at(ld, r->kinds[k], sectors[s], points[p], &conds);
					if (words > POINT_WORDS || conds > POINT_CONDS)
						RULE_DIAG(ld->d, ld->reg->rules[i].root, TOO_MUCH, STR_FMT(r->kinds[k]),
						          (unsigned)POINT_WORDS, (unsigned)words);
				}
	}
}

size_t rule_words_needed(const struct rule *r, bool shared_clock)
{
	static const uint8_t words[ALARM_LEVELS] = { 1, 1, 1, 1, 5, 0, 2, 1 };
	size_t n = shared_clock && rule_needs_clock(r);
	for (size_t i = 0; i < ALARM_LEVELS; i++)
		if (r->at[i].set)
			n += words[i]; // 0 for those with a memory of their own
	return n;
}
bool rule_needs_clock(const struct rule *r) { return r->at[LEVEL_RATE].set || r->at[LEVEL_FLAT].set; }

enum err rules_compile(struct rule_set **ret, const struct registry *reg, struct diags *d)
{
	struct arena *a = arena_new(0);
	struct rule_set *rs = arena_one(a, struct rule_set);
	struct loading ld = { .rs = rs, .reg = reg, .d = d, .a = a };
	size_t before = d->n;
	*ret = NULL;
	rs->arena = a;
	rs->v = arena_many(a, reg->nrules, struct rule);
	for (size_t i = 0; i < reg->nrules; i++)
		load_rule(&ld, &reg->rules[i]);
	if (d->n == before)
		check_words(&ld);
	if (d->n == before)
		check_causes(&ld);
	if (d->n != before) {
		arena_free(a);
		return ERR_INVALID;
	}
	*ret = rs;
	return OK;
}

void rules_free(struct rule_set *rs)
{
	if (rs)
		arena_free(rs->arena);
}
