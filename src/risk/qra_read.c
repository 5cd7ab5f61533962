// The description of a park as JSON, checked: every mistake names the field, what was found and what is expected. doc/qra.md
// lists the keys. Pure but for the arena; any thread.
#include "risk/qra_read.h"

#include "base/jr.h"

#include <stdio.h>

const char *const qra_targets[] = { "atmospheric", "pressurised", "elongated", "small", NULL };
static const char *const stabilities[] = { "A", "B", "C", "D", "E", "F", NULL };

enum key_kind { KEY_NUM, KEY_SIZE, KEY_ID, KEY_TEXT, KEY_BOOL, KEY_MENU, KEY_CALL };

struct key {
	const char *name;
	enum key_kind kind;
	size_t at;                // offset of the member
	double min, max;          // NUM, SIZE
	bool need;
	const char *const *menu;  // MENU: index as int
	bool (*call)(struct qra_reader *r, struct jr *j, void *into);
};

#define OF(type, member) offsetof(struct type, member)
#define ANY(n, k, a, must) .name = n, .kind = k, .at = a, .need = must
#define NUM(n, a, lo, hi, must) { ANY(n, KEY_NUM, a, must), .min = lo, .max = hi }
#define SIZE(n, a, lo, hi, must) { ANY(n, KEY_SIZE, a, must), .min = lo, .max = hi }
#define ID(n, a, lo, hi, must) { ANY(n, KEY_ID, a, must), .min = lo, .max = hi }
#define TEXT(n, a, must) { ANY(n, KEY_TEXT, a, must) }
#define BOOL(n, a, must) { ANY(n, KEY_BOOL, a, must) }
#define MENU(n, a, list, must) { ANY(n, KEY_MENU, a, must), .menu = list }
#define CALL(n, fn, must) { ANY(n, KEY_CALL, 0, must), .call = fn }

#define METRES_OF_DEGREE (6371008.8 * M_PI / 180) // mean radius of the earth

static bool wrong(struct qra_reader *r, const char *name, const char *zh, const char *en)
{
	struct str field = arena_printf(r->arena, "%s%s%s", r->path, *r->path && *name ? "." : "", name);
	problem_set(r->p, ERR_INVALID, field.p, "%.*s：%s", "%.*s: %s", STR_FMT(field), zh);
	if (r->p->en.n && r->p->err == ERR_INVALID && str_eq(r->p->field, field)) {
		r->p->en = arena_printf(r->arena, "%.*s: %s", STR_FMT(field), en);
	}
	return false;
}

static bool wrong_range(struct qra_reader *r, const char *name, double v, double min, double max)
{
	struct str zh = arena_printf(r->arena, "%g 应在 %g 与 %g 之间", v, min, max), en = arena_printf(r->arena, "%g must be from %g to %g", v, min, max);
	return wrong(r, name, zh.p, en.p);
}

static bool number(struct qra_reader *r, struct jr *j, const struct key *k, double *ret)
{
	if (jr_peek(j) != JR_NUMBER) {
		return wrong(r, k->name, "应为一个数", "a number is expected");
	}
	*ret = jr_f64(j);
	bool whole = k->kind == KEY_NUM || *ret == floor(*ret);
	return (*ret >= k->min && *ret <= k->max && whole) || wrong_range(r, k->name, *ret, k->min, k->max);
}

static bool choice(struct qra_reader *r, const struct key *k, struct str s, int *ret)
{
	struct str list = STR_EMPTY;
	for (int i = 0; k->menu[i]; i++) {
		if (str_is(s, k->menu[i])) {
			*ret = i;
			return true;
		}
		list = arena_printf(r->arena, "%.*s %s", STR_FMT(list), k->menu[i]);
	}
	struct str zh = arena_printf(r->arena, "应为其中之一：%.*s", STR_FMT(list)), en = arena_printf(r->arena, "one of:%.*s", STR_FMT(list));
	return wrong(r, k->name, zh.p, en.p);
}

static bool read_key(struct qra_reader *r, struct jr *j, const struct key *k, char *into)
{
	double v = 0;
	if (k->kind == KEY_CALL) {
		return k->call(r, j, into);
	}
	if (k->kind == KEY_TEXT || k->kind == KEY_MENU) {
		if (jr_peek(j) != JR_STRING) {
			return wrong(r, k->name, "应为文字", "a text is expected");
		}
		struct str s = jr_str(j);
		if (k->kind == KEY_MENU) {
			return choice(r, k, s, (int *)(into + k->at));
		}
		*(struct str *)(into + k->at) = arena_str(r->arena, s);
		return s.n <= 200 || wrong(r, k->name, "文字过长（200 字节）", "the text is too long (200 bytes)");
	}
	if (k->kind == KEY_BOOL) {
		if (jr_peek(j) != JR_BOOL) {
			return wrong(r, k->name, "应为 true 或 false", "true or false is expected");
		}
		*(bool *)(into + k->at) = jr_bool(j);
		return true;
	}
	if (!number(r, j, k, &v)) {
		return false;
	}
	if (k->kind == KEY_NUM) {
		*(double *)(into + k->at) = v;
	} else if (k->kind == KEY_SIZE) {
		*(size_t *)(into + k->at) = (size_t)v;
	} else {
		*(int64_t *)(into + k->at) = (int64_t)v;
	}
	return true;
}

static bool read_object(struct qra_reader *r, struct jr *j, const struct key *keys, void *into)
{
	uint64_t seen = 0;
	struct str name;
	if (jr_peek(j) != JR_OBJECT) {
		return wrong(r, "", "应为 JSON 对象", "a JSON object is expected");
	}
	for (jr_obj(j); jr_key(j, &name);) {
		size_t i = 0;
		while (keys[i].name && !str_is(name, keys[i].name)) {
			i++;
		}
		if (!keys[i].name) {
			return wrong(r, arena_cstr(r->arena, name), "没有这个字段，见 doc/qra.md", "there is no such field; see doc/qra.md");
		}
		if (jr_peek(j) == JR_NULL) {
			jr_null(j);
			continue;
		}
		seen |= UINT64_C(1) << i;
		if (!read_key(r, j, &keys[i], into)) {
			return false;
		}
	}
	for (size_t i = 0; keys[i].name && !j->error; i++) {
		if (keys[i].need && !(seen >> i & 1)) {
			return wrong(r, keys[i].name, "必须填写", "is needed");
		}
	}
	return !j->error;
}

// A list of objects. each reads one into the element that was made for it.
static bool read_list(struct qra_reader *r, struct jr *j, const char *name, size_t max, size_t size, void **ret, size_t *ret_n,
	bool (*each)(struct qra_reader *r, struct jr *j, void *into))
{
	size_t cap = 0, before = strlen(r->path);
	if (jr_peek(j) != JR_ARRAY) {
		return wrong(r, name, "应为列表", "a list is expected");
	}
	for (jr_arr(j); jr_more(j);) {
		if (*ret_n == max) {
			struct str zh = arena_printf(r->arena, "至多 %zu 项", max), en = arena_printf(r->arena, "at most %zu items", max);
			return wrong(r, name, zh.p, en.p);
		}
		*ret = arena_push(r->arena, *ret, ret_n, &cap, size);
		snprintf(r->path + before, sizeof r->path - before, "%s%s.%zu", before ? "." : "", name, *ret_n - 1);
		if (!each(r, j, (char *)*ret + (*ret_n - 1) * size)) {
			return false;
		}
		r->path[before] = 0;
	}
	return !j->error;
}

// ---- scenarios and sources ------------------------------------------------------------------------------------------

struct scenario_text {
	struct qra_scenario s;
	struct str substance, equipment, failure;
	double count;
	int release;
};

static const char *const releases[] = { "continuous", "instantaneous", NULL };
#define SC(member) OF(scenario_text, s.member)
static const struct key scenario_keys[] = {
	TEXT("name", SC(name), true), NUM("f", SC(f), 0, 10, false),
	TEXT("equipment", OF(scenario_text, equipment), false), TEXT("failure", OF(scenario_text, failure), false),
	NUM("count", OF(scenario_text, count), 0, 1e6, false), TEXT("substance", OF(scenario_text, substance), false),
	MENU("release", OF(scenario_text, release), releases, false), NUM("rate", SC(rate), 0, 1e5, false),
	NUM("duration", SC(duration), 1, 86400, false), NUM("mass", SC(mass), 0, 1e8, false),
	NUM("height", SC(height), 0, 300, false), NUM("pool", SC(pool), 0, 500, false), BOOL("heavy", SC(heavy), false),
	NUM("immediate", SC(immediate), 0, 1, false), NUM("delayed", SC(delayed), 0, 1, false),
	NUM("explosion", SC(explosion), 0, 1, false), NUM("circle", SC(circle), 0, 1e5, false),
	NUM("lethal", SC(lethal), 0, 1, false), BOOL("rupture", SC(rupture), false),
	TEXT("trigger", SC(trigger), false), NUM("event", SC(event), 0, 1000, false), NUM("damage", SC(damage), 0, 1, false), { 0 },
};

static bool fill_frequency(struct qra_reader *r, struct scenario_text *t)
{
	if (t->s.trigger.n) {
		t->s.f = t->s.event * t->s.damage;
		return t->s.f > 0 || wrong(r, "event", "自然诱因 trigger 需要 event（次/年）与 damage（破坏概率）",
			"a natural trigger needs event (per year) and damage (probability)");
	}
	if (isfinite(t->s.f)) {
		return true;
	}
	if (!t->equipment.n) {
		return wrong(r, "f", "请填写频率 f，或 equipment 与 failure", "f is needed, or equipment and failure");
	}
	double f = qra_generic_frequency(r, t->equipment, t->failure.n ? t->failure : STR("leak"));
	t->s.f = f * t->count;
	return isfinite(f) || wrong(r, "equipment", "数据表 frequencies 没有这种设备或失效（instantaneous、ten_minutes、leak）",
		"the table frequencies has no such equipment or failure (instantaneous, ten_minutes, leak)");
}

static bool fill_scenario(struct qra_reader *r, struct scenario_text *t)
{
	struct qra_scenario *s = &t->s;
	if (!fill_frequency(r, t)) {
		return false;
	}
	if (s->circle > 0) {
		return true;
	}
	s->s = t->substance.n ? qra_find_substance(r, t->substance) : NULL;
	if (!s->s) {
		return wrong(r, "substance", "数据表 qra-substances 没有这种物质；或改填 circle", "the table qra-substances has no such substance; or give a circle");
	}
	s->instantaneous = t->release == 1;
	if (s->instantaneous ? s->mass <= 0 : s->rate <= 0 && s->pool <= 0) {
		return s->instantaneous ? wrong(r, "mass", "瞬时释放必须填写质量 kg", "an instantaneous release needs its mass, kg") :
			wrong(r, "rate", "连续释放必须填写速率 kg/s，或池径 pool", "a continuous release needs its rate, kg/s, or a pool");
	}
	if (!isfinite(s->immediate)) {
		s->immediate = s->s->lfl > 0 ? qra_direct_ignition(r, s) : 0;
	}
	if (!isfinite(s->explosion)) {
		s->explosion = r->explosion_share;
	}
	return r->p->err == OK;
}

static bool read_scenario(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_scenario nothing = { .f = NAN, .duration = 1800, .immediate = NAN, .delayed = NAN, .explosion = NAN, .lethal = 1 };
	struct scenario_text t = { .s = nothing, .count = 1 };
	if (++r->nscenarios > LIMIT_QRA_SCENARIOS) {
		return wrong(r, "", "情景过多：至多 20000 个", "too many scenarios: at most 20000");
	}
	if (!read_object(r, j, scenario_keys, &t) || !fill_scenario(r, &t)) {
		return false;
	}
	*(struct qra_scenario *)into = t.s;
	return true;
}

static bool read_scenarios(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_source *s = into;
	return read_list(r, j, "scenarios", LIMIT_QRA_SCENARIOS, sizeof *s->scenarios, (void **)&s->scenarios, &s->n, read_scenario);
}

#define FAR 1e7 // m: local coordinates
static const struct key source_keys[] = {
	TEXT("name", OF(qra_source, name), true), TEXT("owner", OF(qra_source, owner), false),
	ID("id", OF(qra_source, id), 0, 9e15, false), NUM("x", OF(qra_source, x), -FAR, FAR, true),
	NUM("y", OF(qra_source, y), -FAR, FAR, true), BOOL("planned", OF(qra_source, planned), false),
	MENU("target", OF(qra_source, target), qra_targets, false), NUM("volume", OF(qra_source, volume), 0, 1e6, false),
	CALL("scenarios", read_scenarios, true), { 0 },
};

static bool read_source(struct qra_reader *r, struct jr *j, void *into)
{
	*(struct qra_source *)into = (struct qra_source){ .target = QRA_NO_TARGET };
	return read_object(r, j, source_keys, into);
}

// ---- weather -----------------------------------------------------------------------------------------------------------

static bool read_from(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_class *c = into;
	size_t n = 0;
	c->from = arena_many(r->arena, LIMIT_QRA_DIRECTIONS, double);
	if (jr_peek(j) != JR_ARRAY) {
		return wrong(r, "from", "应为各风向概率的列表", "a list of the probabilities of the directions is expected");
	}
	for (jr_arr(j); jr_more(j); n++) {
		double v = jr_f64(j);
		if (n >= LIMIT_QRA_DIRECTIONS || !(v >= 0 && v <= 1)) {
			return wrong(r, "from", "应为至多 36 个 0 到 1 的概率", "at most 36 probabilities from 0 to 1 are expected");
		}
		c->from[n] = v;
	}
	r->directions = r->directions ? r->directions : n;
	return (n == r->directions && n >= 4) || wrong(r, "from", "各级的风向数应相同，且不少于 4", "every class needs the same number of directions, at least 4");
}

static const struct key class_keys[] = {
	MENU("stability", OF(qra_class, stability), stabilities, true), NUM("u", OF(qra_class, u), 0.5, 40, true),
	NUM("day", OF(qra_class, day), 0, 1, false), CALL("from", read_from, true), { 0 },
};

static bool read_class(struct qra_reader *r, struct jr *j, void *into)
{
	((struct qra_class *)into)->day = 0.5;
	return read_object(r, j, class_keys, into);
}

static bool read_classes(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_input *in = into;
	return read_list(r, j, "weather", LIMIT_QRA_CLASSES, sizeof *in->classes, (void **)&in->classes, &in->nclasses, read_class);
}

// Together they are certain.
static bool check_weather(struct qra_reader *r, struct qra_input *in)
{
	double sum = 0;
	for (size_t c = 0; c < in->nclasses; c++) {
		for (size_t d = 0; d < r->directions; d++) {
			sum += in->classes[c].from[d];
		}
	}
	if (!(fabs(sum - 1) <= 0.005)) {
		struct str zh = arena_printf(r->arena, "各级各风向概率之和应为 1，现为 %.6g", sum),
		en = arena_printf(r->arena, "the probabilities of all classes and directions must add up to 1; they are %.6g", sum);
		return wrong(r, "weather", zh.p, en.p);
	}
	for (size_t c = 0; c < in->nclasses; c++) {
		for (size_t d = 0; d < r->directions; d++) {
			in->classes[c].from[d] /= sum;
		}
	}
	in->directions = r->directions;
	return true;
}

// ---- what lies around -----------------------------------------------------------------------------------------------------

static const struct key people_keys[] = {
	NUM("x", OF(qra_people, x), -FAR, FAR, true), NUM("y", OF(qra_people, y), -FAR, FAR, true),
	NUM("day", OF(qra_people, day), 0, 1e6, false), NUM("night", OF(qra_people, night), 0, 1e6, false),
	NUM("indoors", OF(qra_people, indoors), 0, 1, false), { 0 },
};

// An object, or short: [x, y, day, night, indoors].
static bool read_cell(struct qra_reader *r, struct jr *j, void *into)
{
	double v[5] = { 0 };
	size_t n = 0;
	if (jr_peek(j) != JR_ARRAY) {
		return read_object(r, j, people_keys, into);
	}
	for (jr_arr(j); jr_more(j); n++) {
		if (n < 5 && !number(r, j, &people_keys[n], &v[n])) {
			return false;
		} else if (n >= 5) {
			break;
		}
	}
	*(struct qra_people *)into = (struct qra_people){ v[0], v[1], v[2], v[3], v[4] };
	return n == 5 || wrong(r, "", "应为 [x, y, 昼人数, 夜人数, 室内比例]", "[x, y, by day, by night, part indoors] is expected");
}

static bool read_people(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_input *in = into;
	return read_list(r, j, "people", LIMIT_QRA_PEOPLE, sizeof *in->people, (void **)&in->people, &in->npeople, read_cell);
}

static const struct key ignition_keys[] = {
	NUM("x", OF(qra_ignition, x), -FAR, FAR, true), NUM("y", OF(qra_ignition, y), -FAR, FAR, true),
	NUM("rate", OF(qra_ignition, rate), 0, 10, true), { 0 },
};

static bool read_igniter(struct qra_reader *r, struct jr *j, void *into)
{
	return read_object(r, j, ignition_keys, into);
}

static bool read_ignition(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_input *in = into;
	return read_list(r, j, "ignition", LIMIT_QRA_IGNITION, sizeof *in->ignition, (void **)&in->ignition, &in->nignition, read_igniter);
}

static const struct key place_keys[] = {
	TEXT("name", OF(qra_place, name), true), TEXT("class", OF(qra_place, cls), true),
	NUM("x", OF(qra_place, x), -FAR, FAR, true), NUM("y", OF(qra_place, y), -FAR, FAR, true),
	BOOL("old", OF(qra_place, old), false), ID("id", OF(qra_place, id), 0, 9e15, false), { 0 },
};

static bool read_place(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_place *q = into;
	q->old = true;
	if (!read_object(r, j, place_keys, into)) {
		return false;
	}
	q->limit = qra_place_limit(r, q->cls, q->old);
	return isfinite(q->limit) || wrong(r, "class", "数据表 place-criteria 没有这一类", "the table place-criteria has no such class");
}

static bool read_places(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_input *in = into;
	return read_list(r, j, "places", LIMIT_QRA_PLACES, sizeof *in->places, (void **)&in->places, &in->nplaces, read_place);
}

// ---- the whole ---------------------------------------------------------------------------------------------------------------

static bool read_sources(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_input *in = into;
	return read_list(r, j, "sources", LIMIT_QRA_SOURCES, sizeof *in->sources, (void **)&in->sources, &in->nsources, read_source);
}

static const struct key grid_keys[] = {
	NUM("x0", OF(qra_grid, x0), -FAR, FAR, true), NUM("y0", OF(qra_grid, y0), -FAR, FAR, true),
	NUM("cell", OF(qra_grid, cell), 0.5, 1000, true), SIZE("nx", OF(qra_grid, nx), 2, LIMIT_QRA_SIDE, true),
	SIZE("ny", OF(qra_grid, ny), 2, LIMIT_QRA_SIDE, true), { 0 },
};

static bool read_grid(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_grid *g = &((struct qra_input *)into)->grid;
	snprintf(r->path, sizeof r->path, "grid");
	if (!read_object(r, j, grid_keys, g)) {
		return false;
	}
	r->path[0] = 0;
	return g->nx * g->ny <= LIMIT_QRA_CELLS || wrong(r, "grid", "至多 4000000 个网格", "at most 4000000 cells");
}

static const struct key origin_keys[] = {
	NUM("lon", OF(qra_origin, lon), -180, 180, true), NUM("lat", OF(qra_origin, lat), -85, 85, true), { 0 },
};

static bool read_origin(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_origin *o = &((struct qra_input *)into)->origin;
	snprintf(r->path, sizeof r->path, "origin");
	if (!read_object(r, j, origin_keys, o)) {
		return false;
	}
	r->path[0] = 0;
	o->north = METRES_OF_DEGREE;
	o->east = METRES_OF_DEGREE * cos(o->lat * M_PI / 180);
	return true;
}

static bool read_levels(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_input *in = into;
	in->levels = arena_many(r->arena, LIMIT_QRA_LEVELS, double);
	in->nlevels = 0;
	if (jr_peek(j) != JR_ARRAY) {
		return wrong(r, "levels", "应为列表", "a list is expected");
	}
	for (jr_arr(j); jr_more(j);) {
		double v = jr_f64(j);
		if (in->nlevels == LIMIT_QRA_LEVELS || !(v >= 1e-12 && v <= 1) || (in->nlevels && v <= in->levels[in->nlevels - 1])) {
			return wrong(r, "levels", "至多 12 个递增的数，1e-12 到 1", "at most 12 rising numbers from 1e-12 to 1");
		}
		in->levels[in->nlevels++] = v;
	}
	return !j->error;
}

static bool read_line(struct qra_reader *r, struct jr *j, void *into)
{
	struct qra_input *in = into;
	if (jr_peek(j) != JR_STRING) {
		return wrong(r, "fn", "应为文字", "a text is expected");
	}
	return qra_read_line(r, jr_str(j), &in->line);
}

static const struct key input_keys[] = {
	TEXT("name", OF(qra_input, name), false), CALL("grid", read_grid, true), CALL("origin", read_origin, false), CALL("weather", read_classes, true),
	SIZE("split", OF(qra_input, split), 1, LIMIT_QRA_SPLIT, false), BOOL("urban", OF(qra_input, urban), false),
	BOOL("domino", OF(qra_input, domino), false), SIZE("rows", OF(qra_input, rows), 16, LIMIT_QRA_COLUMNS, false),
	SIZE("columns", OF(qra_input, columns), 16, LIMIT_QRA_COLUMNS, false), CALL("sources", read_sources, true),
	CALL("people", read_people, false), CALL("ignition", read_ignition, false), CALL("places", read_places, false),
	CALL("levels", read_levels, false), CALL("fn", read_line, false), { 0 },
};

// What was not said about delayed ignition: by the sources if there are any, else the usual probability.
static void fill_delayed(struct qra_input *in)
{
	for (size_t i = 0; i < in->nsources && !in->nignition; i++) {
		for (size_t k = 0; k < in->sources[i].n; k++) {
			double *d = &in->sources[i].scenarios[k].delayed;
			*d = isfinite(*d) ? *d : in->rules.delayed_default;
		}
	}
}

enum err qra_read(struct str json, const struct risk_tables *tables, struct arena *a, struct qra_input *ret, struct problem *p)
{
	struct qra_reader r = { .tables = tables, .arena = a, .p = p };
	struct jr j;
	*ret = (struct qra_input){ .split = 1, .name = STR_EMPTY };
	if (!qra_read_rules(&r, &ret->rules) || !qra_read_line(&r, STR_EMPTY, &ret->line)) {
		return p->err;
	}
	r.explosion_share = ret->rules.explosion_share;
	jr_init(&j, json, a);
	bool ok = read_object(&r, &j, input_keys, ret);
	if (ok && jr_end(&j) && check_weather(&r, ret)) {
		if (!ret->nlevels) {
			qra_usual_levels(&r, ret);
		}
		fill_delayed(ret);
		return ret->nsources ? OK : problem_set(p, ERR_INVALID, "sources", "至少要有一个风险源", "at least one source is needed");
	}
	return p->err ? p->err : problem_set(p, ERR_PARSE, r.path, "不是正确的 JSON（第 %zu 字节附近）：%s", "this is not JSON (near byte %zu): %s", jr_offset(&j),
		j.error ? j.error : "");
}
