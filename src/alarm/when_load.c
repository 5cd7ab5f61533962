// `when:` of a rule → a checked program: the names and functions that a rule's expression may use, units, and what it costs. Called
// when packs are loaded or checked; any thread.
#include <math.h>
#include <stdio.h>

#include "alarm/rule.h"
#include "alarm/rule_diag.h"
#include "base/limits.h"
#include "base/time.h"
#include "model/exprs.h"
#include "risk/risk.h"

struct vocabulary {             // behind struct expr_names.arg
	struct arena *a;
	const struct registry *reg;
	const struct rule *rule;
	struct when *w;
	struct when_slot *asked; // all that was asked for; expr_name.n is the index
	size_t nasked, asked_cap;
};

// ---- units -------------------------------------------------------------------------------------
static struct str plain(struct arena *a, struct str unit) // m³/h → m3/h
{
	static const char *const signs[][2] = { { "³", "3" }, { "²", "2" }, { "µ", "u" }, { "μ", "u" } };
	struct buf b;
	buf_init(&b, 256);
	for (size_t i = 0; i < unit.n;) {
		size_t k = 0;
		while (k < ARRAY_LEN(signs) && !str_starts(str_skip(unit, i), str_of(signs[k][0])))
			k++;
		if (k < ARRAY_LEN(signs)) {
			buf_add_cstr(&b, signs[k][1]);
			i += strlen(signs[k][0]);
		} else {
			buf_add(&b, unit.p + i++, 1);
		}
	}
	struct str s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}

// How many of `to` one of `from` is. Not where the zero is another (℃ and K): a difference and a temperature would differ.
static bool factor_of(struct arena *a, struct str from, struct str to, double *ret)
{
	double zero;
	if (str_eq(from, to)) {
		*ret = 1;
		return true;
	}
	from = plain(a, from);
	to = plain(a, to);
	return unit_convert(0, from, to, &zero) && zero == 0 && unit_convert(1, from, to, ret);
}

// "%/min" → "%" and "min"
static bool split_rate(struct str unit, struct str *ret_of, struct str *ret_per)
{
	size_t i = unit.n;
	while (i > 0 && unit.p[i - 1] != '/')
		i--;
	*ret_of = str_first(unit, i ? i - 1 : 0);
	*ret_per = str_skip(unit, i);
	int64_t us;
	char one[16];
	return i > 0 && ret_per->n < 4 && duration_parse(str_from(one, (size_t)snprintf(one, sizeof one, "1%.*s", STR_FMT(*ret_per))), &us);
}

static bool some_kind_has(const struct registry *reg, struct str unit)
{
	for (size_t i = 0; i < reg->nkinds; i++)
		if (str_eq(reg->kinds[i].unit, unit))
			return true;
	return false;
}

static bool convert(void *arg, struct str from, struct str to, double *ret)
{
	struct vocabulary *v = arg;
	struct str a, b, per_a, per_b;
	double of, per;
	if (str_eq(from, to)) { // is there such a unit?
		*ret = 1;
		if (some_kind_has(v->reg, from) || (from.n && unit_known(plain(v->a, from))))
			return true;
		return split_rate(from, &a, &per_a) && convert(arg, a, a, ret);
	}
	if (factor_of(v->a, from, to, ret))
		return true;
	if (!split_rate(from, &a, &per_a) || !split_rate(to, &b, &per_b) || !factor_of(v->a, a, b, &of) || !factor_of(v->a, per_a, per_b, &per))
		return false;
	*ret = of / per;
	return true;
}

// ---- names -------------------------------------------------------------------------------------
static bool same_slot(const struct when_slot *a, const struct when_slot *b)
{
	return a->what == b->what && a->role == b->role && a->window == b->window && a->op == b->op && a->than == b->than &&
	       a->limit == b->limit && a->from == b->from && a->to == b->to;
}

static int64_t ask(struct vocabulary *v, const struct when_slot *s)
{
	for (size_t i = 0; i < v->nasked; i++)
		if (same_slot(&v->asked[i], s))
			return (int64_t)i;
	v->asked = arena_push(v->a, v->asked, &v->nasked, &v->asked_cap, sizeof *v->asked);
	v->asked[v->nasked - 1] = *s;
	return (int64_t)v->nasked - 1;
}

static bool role_of(const struct vocabulary *v, struct str name, size_t *ret)
{
	for (size_t i = 0; i < v->w->nroles; i++)
		if (str_eq(v->w->roles[i].name, name) || (i == 0 && str_is(name, "value"))) {
			*ret = i;
			return true;
		}
	return false;
}

static struct expr_name name_for(struct vocabulary *v, const struct when_slot *s, enum expr_kind kind, bool any_unit)
{
	const struct when_role *r = &v->w->roles[s->role];
	return (struct expr_name){ .kind = kind, .unit = s->unit, .any_unit = any_unit, .said = true, .zh = s->label.zh, .en = s->label.en,
		                   .many = r->many && s->what != SLOT_HIGHEST && s->what != SLOT_LOWEST && s->what != SLOT_AVERAGE, .p = r,
		                   .n = ask(v, s) };
}

static bool find(void *arg, const struct expr_name *of, struct str name, struct expr_name *ret)
{
	struct vocabulary *v = arg;
	size_t role;
	if (of || !role_of(v, name, &role))
		return false;
	const struct when_role *r = &v->w->roles[role];
	struct when_slot s = { .what = SLOT_LAST, .role = role, .limit = -1, .label = r->label, .unit = r->unit };
	*ret = name_for(v, &s, EXPR_NUMBER, false);
	return true;
}

static size_t list(void *arg, const struct expr_name *of, struct arena *a, struct str **ret)
{
	const struct vocabulary *v = arg;
	size_t n = 0;
	*ret = arena_many(a, v->w->nroles + 1, struct str);
	for (size_t i = 0; i < v->w->nroles && !of; i++)
		(*ret)[n++] = v->w->roles[i].name;
	if (!of)
		(*ret)[n++] = STR("value");
	return n;
}

// ---- functions ---------------------------------------------------------------------------------
enum form { FORM_NONE, FORM_NAME, FORM_NAME_TIME, FORM_TEST, FORM_TEST_TIME, FORM_LIMIT, FORM_HOURS };
static const struct function {
	const char *name;
	enum form form;
	enum when_measure what;
	enum expr_kind kind;
	bool any_unit, per_minute, of_many;
	const char *zh, *en; // %1 what, %2 window, %3 test
} functions[] = {
	{ "last", FORM_NAME, SLOT_LAST, EXPR_NUMBER, false, false, false, "%1", "%1" },
	{ "age", FORM_NAME, SLOT_AGE, EXPR_DURATION, false, false, false, "%1最近一次数据距今的时间", "the time since the last reading of %1" },
	{ "highest", FORM_NAME, SLOT_HIGHEST, EXPR_NUMBER, false, false, true, "%1中的最高值", "the highest %1" },
	{ "lowest", FORM_NAME, SLOT_LOWEST, EXPR_NUMBER, false, false, true, "%1中的最低值", "the lowest %1" },
	{ "average", FORM_NAME, SLOT_AVERAGE, EXPR_NUMBER, false, false, true, "各个%1的平均值", "the average of all %1" },
	{ "mean", FORM_NAME_TIME, SLOT_MEAN, EXPR_NUMBER, false, false, false, "%1最近%2的平均值", "the mean of %1 over %2" },
	{ "max", FORM_NAME_TIME, SLOT_MAX, EXPR_NUMBER, false, false, false, "%1最近%2的最大值", "the greatest %1 within %2" },
	{ "min", FORM_NAME_TIME, SLOT_MIN, EXPR_NUMBER, false, false, false, "%1最近%2的最小值", "the least %1 within %2" },
	{ "rate", FORM_NAME_TIME, SLOT_RATE, EXPR_NUMBER, false, true, false, "%1最近%2平均每分钟的变化", "the change of %1 a minute over %2" },
	{ "slope", FORM_NAME_TIME, SLOT_SLOPE, EXPR_NUMBER, false, true, false, "%1最近%2每分钟的变化趋势", "the trend of %1 a minute over %2" },
	{ "count", FORM_TEST_TIME, SLOT_COUNT, EXPR_NUMBER, true, false, false, "最近%2中%3的数据条数", "the number of readings with %3 within %2" },
	{ "times", FORM_TEST_TIME, SLOT_TIMES, EXPR_NUMBER, true, false, false, "最近%2中变为%3的次数", "how often within %2 it came to %3" },
	{ "duration", FORM_TEST, SLOT_DURATION, EXPR_DURATION, false, false, false, "%3已持续的时间", "the time for which %3 has held" },
	{ "duration", FORM_TEST_TIME, SLOT_HELD, EXPR_DURATION, false, false, false, "最近%2中%3的累计时间", "the time within %2 with %3" },
	{ "limit", FORM_LIMIT, SLOT_LIMIT, EXPR_NUMBER, false, false, false, "%1的%2", "the %2 limit of %1" },
	{ "hour", FORM_NONE, SLOT_HOUR, EXPR_NUMBER, true, false, false, "钟点", "the hour" },
	{ "weekday", FORM_NONE, SLOT_WEEKDAY, EXPR_NUMBER, true, false, false, "星期（1 至 7）", "the weekday (1 to 7)" },
	{ "workday", FORM_NONE, SLOT_WORKDAY, EXPR_BOOL, false, false, false, "当天是工作日", "it is a working day" },
	{ "working_hours", FORM_HOURS, SLOT_WORKING_HOURS, EXPR_BOOL, false, false, false, "在工作日的 %2 之间", "it is between %2 on a working day" },
};

static bool refuse(struct expr_name *ret, const char *zh, const char *en)
{
	ret->zh = str_of(zh);
	ret->en = str_of(en);
	return false;
}

static bool fits(enum form form, const struct expr_argument *a, size_t n)
{
	bool name = n >= 1 && a[0].kind == EXPR_ARG_NAME, test = n >= 1 && a[0].kind == EXPR_ARG_TEST;
	bool time = n == 2 && a[1].kind == EXPR_ARG_DURATION;
	switch (form) {
	case FORM_NONE: return n == 0;
	case FORM_NAME: return name && n == 1;
	case FORM_NAME_TIME: return name && time;
	case FORM_TEST: return test && n == 1;
	case FORM_TEST_TIME: return test && time;
	case FORM_LIMIT: return name && (n == 1 || (n == 2 && a[1].kind == EXPR_ARG_NAME));
	case FORM_HOURS: return n == 2 && a[0].kind == EXPR_ARG_NUMBER && a[1].kind == EXPR_ARG_NUMBER;
	}
	return false;
}

static struct str time_words(struct vocabulary *v, int64_t us, bool zh)
{
	static const struct { int64_t us; const char *zh, *en; } units[] = {
		{ US_PER_DAY, "天", "d" }, { US_PER_HOUR, "小时", "h" }, { US_PER_MIN, "分钟", "min" }, { US_PER_S, "秒", "s" }, { US_PER_MS, "毫秒", "ms" },
	};
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(units) && us % units[i].us)
		i++;
	return arena_printf(v->a, zh ? " %lld %s" : "%lld %s", (long long)(us / units[i].us), zh ? units[i].zh : units[i].en);
}

static const char *limit_words(int level, bool zh)
{
	static const char *const words[][2] = { { "low-low", "低低限" }, { "low", "低限" }, { "high", "高限" }, { "high-high", "高高限" } };
	return words[level][zh];
}

static struct str test_words(struct vocabulary *v, const struct when_slot *s, bool zh)
{
	static const char *const signs[] = { "=", "≠", "<", "≤", ">", "≥" }; // from EXPR_EQ
	const struct when_role *r = &v->w->roles[s->role];
	char number[F64_TEXT_MAX];
	struct str than = s->limit >= 0 ? arena_printf(v->a, zh ? "其%s" : "its %s limit", limit_words(s->limit, zh)) :
	                                  arena_printf(v->a, "%.*s%s%.*s", (int)f64_text(s->than, number), number, r->unit.n ? " " : "", STR_FMT(r->unit));
	return arena_printf(v->a, "%.*s %s %.*s", STR_FMT(zh ? r->label.zh : r->label.en), signs[s->op - EXPR_EQ], STR_FMT(than));
}

static struct str said(struct vocabulary *v, const char *text, const struct when_slot *s, bool zh)
{
	const struct when_role *r = &v->w->roles[s->role];
	struct buf b;
	buf_init(&b, 4096);
	for (const char *p = text; *p; p++) {
		if (*p != '%') {
			buf_add(&b, p, 1);
			continue;
		}
		p++;
		if (*p == '1')
			buf_add_str(&b, zh ? r->label.zh : r->label.en);
		else if (*p == '3')
			buf_add_str(&b, test_words(v, s, zh));
		else if (s->what == SLOT_LIMIT)
			buf_add_cstr(&b, limit_words(s->limit, zh));
		else if (s->what == SLOT_WORKING_HOURS)
			buf_printf(&b, zh ? "%g 点至 %g 点" : "%g and %g h", s->from, s->to);
		else
			buf_add_str(&b, time_words(v, s->window, zh));
	}
	struct str ret = arena_str(v->a, buf_str(&b));
	buf_free(&b);
	return ret;
}

static bool limit_level(struct str name, int *ret)
{
	enum level level;
	bool is = level_find(name, &level) && level <= LEVEL_HH;
	*ret = is ? (int)level : -1;
	return is;
}

// The shortest interval at which a point of the role has samples.
static int64_t interval_of(const struct vocabulary *v, size_t role)
{
	int64_t longest = 0;
	const struct when_role *r = &v->w->roles[role];
	for (size_t i = 0; i < r->nkinds; i++) {
		const struct point_kind *k = registry_kind(v->reg, r->kinds[i]);
		longest = MAX(longest, k ? k->interval : 0);
	}
	return longest;
}

static bool check_slot(struct vocabulary *v, const struct function *f, struct when_slot *s, struct expr_name *ret)
{
	if (f->form == FORM_NAME_TIME || f->form == FORM_TEST_TIME) {
		if (s->window < US_PER_S || s->window > 31 * US_PER_DAY)
			return refuse(ret, "时间窗口要在 1 秒到 31 天之间；请改正", "a window is from 1 second to 31 days; correct it");
		if (f->per_minute && s->window < 2 * interval_of(v, s->role))
			return refuse(ret, "时间窗口短于两个采样间隔，算不出变化；请改长", "the window is shorter than two sample intervals, too short for a change; make it longer");
	}
	if (f->what == SLOT_WORKING_HOURS && !(s->from >= 0 && s->from < s->to && s->to <= 24))
		return refuse(ret, "钟点要写成 working_hours(8, 18)，前小后大", "write the hours as working_hours(8, 18), the earlier first");
	if (f->of_many && !v->w->roles[s->role].many)
		return refuse(ret, "这里要写成组（all: true）的测点", "this takes points that stand for several (all: true)");
	return true;
}

static bool measure_as(struct vocabulary *v, const struct function *f, const struct expr_argument *a, size_t n, struct expr_name *ret)
{
	struct when_slot s = { .what = f->what, .limit = -1 };
	const struct expr_argument *limit = f->form == FORM_LIMIT ? &a[n - 1] : NULL;
	struct str role = limit && n == 1 ? STR("value") : n ? a[0].text : STR("value");
	if (f->form != FORM_NONE && f->form != FORM_HOURS && !role_of(v, role, &s.role))
		return refuse(ret, "没有这个测点；请写 with 里的名字", "there is no such point; use a name given in with");
	if (limit && !limit_level(limit->text, &s.limit))
		return refuse(ret, "限值要写 ll、l、h 或 hh", "a limit is ll, l, h or hh");
	if (f->form == FORM_TEST || f->form == FORM_TEST_TIME) {
		s.op = a[0].op;
		s.than = a[0].f;
		if (a[0].limit.n && !limit_level(a[0].limit, &s.limit))
			return refuse(ret, "限值要写 ll、l、h 或 hh", "a limit is ll, l, h or hh");
	}
	if (f->form == FORM_NAME_TIME || f->form == FORM_TEST_TIME)
		s.window = a[1].us;
	if (f->form == FORM_HOURS) {
		s.from = a[0].f;
		s.to = a[1].f;
	}
	if (!check_slot(v, f, &s, ret))
		return false;
	s.label = (struct label){ said(v, f->zh, &s, true), said(v, f->en, &s, false) };
	struct str unit = v->w->roles[s.role].unit;
	s.unit = f->kind == EXPR_DURATION ? STR("time") : f->kind != EXPR_NUMBER || f->any_unit ? STR_EMPTY :
	         f->per_minute ? arena_printf(v->a, "%.*s/min", STR_FMT(unit)) : unit;
	*ret = name_for(v, &s, f->kind, f->any_unit);
	return true;
}

static bool measure(void *arg, struct str function, const struct expr_argument *a, size_t n, struct expr_name *ret, bool *known)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		if (!str_is(function, functions[i].name))
			continue;
		bool own = !str_is(function, "max") && !str_is(function, "min"); // those are the language's too
		*known = own || fits(functions[i].form, a, n);
		if (fits(functions[i].form, a, n))
			return measure_as(arg, &functions[i], a, n, ret);
		(void)refuse(ret, "这个函数不能这样写；例如 mean(level, 10min)、count(level > 80, 1h)、limit(h)、working_hours(8, 18)",
		             "this function is not written so; for example mean(level, 10min), count(level > 80, 1h), limit(h), working_hours(8, 18)");
	}
	return false;
}

// ---- the program -------------------------------------------------------------------------------
struct flatten {
	struct vocabulary *v;
	const struct expr *e;
	struct when_step steps[2 * LIMIT_EXPR_NODES];
	size_t n, waiting, most;
	const struct expr_node *wrong; // what a rule cannot do
	bool loose;             // a duration is not compared with a duration
};

static void put(struct flatten *f, struct when_step s, size_t takes)
{
	if (f->n == ARRAY_LEN(f->steps))
		return;
	s.n = (uint8_t)takes;
	f->steps[f->n++] = s;
	f->waiting = f->waiting + 1 - takes;
	f->most = MAX(f->most, f->waiting);
}

static void flatten(struct flatten *f, const struct expr_node *n);

static void put_choice(struct flatten *f, const struct expr_node *n)
{
	for (size_t i = 1; i < n->nsubs; i++) {
		flatten(f, n->subs[0]);
		flatten(f, n->subs[i]);
		put(f, (struct when_step){ .op = EXPR_EQ }, 2);
	}
	put(f, (struct when_step){ .op = EXPR_OR }, n->nsubs - 1);
}

static void put_group(struct flatten *f, const struct expr_node *n)
{
	size_t at = f->n, waiting = f->waiting;
	const struct when_role *r = n->group;
	put(f, (struct when_step){ .op = (uint8_t)n->op, .role = (uint16_t)(r - f->v->w->roles) }, 0);
	f->waiting = 0; // its steps have a stack of their own
	flatten(f, n->subs[0]);
	f->waiting = waiting + 1;
	f->steps[at].at = (uint16_t)(f->n - at - 1);
}

// A duration that grows comes true by itself: the moment is known only where it is compared with a written one.
static void note_due(struct flatten *f, const struct expr_node *slot, const struct expr_node *than)
{
	struct when_slot *s = &f->v->w->slots[slot->slot];
	size_t i = 0;
	if (s->what != SLOT_AGE && s->what != SLOT_DURATION)
		return;
	while (i < WHEN_DUES && s->due[i] && s->due[i] != than->value.i)
		i++;
	if (than->op != EXPR_LITERAL || i == WHEN_DUES)
		f->loose = true;
	else
		s->due[i] = than->value.i;
}

static void put_compare(struct flatten *f, const struct expr_node *n)
{
	const struct expr_node *a = n->subs[0], *b = n->subs[1];
	if (a->op == EXPR_SLOT && a->kind == EXPR_DURATION)
		note_due(f, a, b);
	if (b->op == EXPR_SLOT && b->kind == EXPR_DURATION)
		note_due(f, b, a);
	flatten(f, a);
	flatten(f, b);
	put(f, (struct when_step){ .op = (uint8_t)n->op }, 2);
}

static void put_literal(struct flatten *f, const struct expr_node *n)
{
	if (n->kind != EXPR_NUMBER && n->kind != EXPR_BOOL && n->kind != EXPR_DURATION)
		f->wrong = f->wrong ? f->wrong : n;
	put(f, (struct when_step){ .op = EXPR_LITERAL, .f = n->kind == EXPR_NUMBER ? n->value.f : (double)n->value.i }, 0);
}

static void flatten(struct flatten *f, const struct expr_node *n)
{
	switch ((int)n->op) {
	case EXPR_LITERAL: put_literal(f, n); return;
	case EXPR_SLOT: put(f, (struct when_step){ .op = EXPR_SLOT, .at = (uint16_t)n->slot }, 0); return;
	case EXPR_IN: put_choice(f, n); return;
	case EXPR_ANY:
	case EXPR_ALL:
	case EXPR_COUNT_OF: put_group(f, n); return;
	case EXPR_EQ:
	case EXPR_NE:
	case EXPR_LT:
	case EXPR_LE:
	case EXPR_GT:
	case EXPR_GE: put_compare(f, n); return;
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_MIN:
	case EXPR_MAX:
	case EXPR_ADD:
	case EXPR_SUB:
	case EXPR_MUL:
	case EXPR_DIV:
	case EXPR_NOT:
	case EXPR_NEG:
	case EXPR_ABS:
	case EXPR_IF:
		for (size_t i = 0; i < n->nsubs; i++)
			flatten(f, n->subs[i]);
		put(f, (struct when_step){ .op = (uint8_t)n->op }, n->nsubs);
		return;
	default: f->wrong = f->wrong ? f->wrong : n;
	}
}

static bool make_steps(struct vocabulary *v, const struct expr *e, const struct yaml_node *at, struct diags *d)
{
	struct when *w = v->w;
	struct flatten *f = arena_one(v->a, struct flatten);
	f->v = v;
	f->e = e;
	w->nslots = e->nslots;
	w->slots = arena_many(v->a, e->nslots, struct when_slot);
	for (size_t i = 0; i < e->nslots; i++) {
		w->slots[i] = v->asked[e->slots[i].name.n];
		w->slots[i].text = e->slots[i].text;
	}
	flatten(f, e->root);
	bool points = false;
	for (size_t i = 0; i < w->nslots; i++)
		points |= w->slots[i].what < SLOT_HOUR || w->slots[i].what > SLOT_WORKING_HOURS;
	if (!points)
		RULE_DIAG(d, at, WHEN_NOTHING);
	else if (f->wrong)
		RULE_DIAG(d, at, WHEN_OP, expr_op_name(f->wrong->op));
	else if (f->loose)
		RULE_DIAG(d, at, WHEN_DURATION, WHEN_DUES);
	else if (f->most > LIMIT_RULE_STACK || f->n == ARRAY_LEN(f->steps))
		RULE_DIAG(d, at, WHEN_LONG);
	w->steps = f->steps;
	w->nsteps = f->n;
	return points && !f->wrong && !f->loose && f->most <= LIMIT_RULE_STACK && f->n < ARRAY_LEN(f->steps);
}

// ---- the file ----------------------------------------------------------------------------------
static bool set_unit(struct vocabulary *v, struct when_role *r, const struct yaml_node *at, struct diags *d)
{
	for (size_t i = 0; i < r->nkinds; i++) {
		const struct point_kind *k = registry_kind(v->reg, r->kinds[i]);
		if (!k) {
			RULE_DIAG(d, at, KIND, STR_FMT(r->kinds[i]));
			return false;
		}
		if (i == 0) {
			r->unit = arena_str(v->a, k->unit);
			r->decimals = k->decimals;
			if (!r->label.zh.n)
				r->label = (struct label){ arena_str(v->a, k->label.zh), arena_str(v->a, k->label.en) };
		} else if (!str_eq(r->unit, k->unit)) {
			RULE_DIAG(d, at, WHEN_UNITS, STR_FMT(r->kinds[0]), STR_FMT(r->unit), STR_FMT(k->name), STR_FMT(k->unit));
			return false;
		}
	}
	return r->nkinds > 0;
}

static bool load_scope(const struct yaml_node *n, enum when_scope *ret, struct diags *d)
{
	struct str s;
	if (!yaml_str(n, &s, d))
		return false;
	for (size_t i = 0; when_scopes[i]; i++)
		if (str_is(s, when_scopes[i])) {
			*ret = (enum when_scope)i;
			return true;
		}
	RULE_DIAG(d, n, WHEN_SCOPE, STR_FMT(s));
	return false;
}

static bool load_kinds(struct vocabulary *v, struct when_role *r, const struct yaml_node *n, struct diags *d)
{
	if (n->kind == YAML_LIST) {
		if (!yaml_strs(n, v->a, &r->kinds, &r->nkinds, d))
			return false;
	} else {
		r->kinds = arena_one(v->a, struct str);
		if (!yaml_str(n, &r->kinds[0], d))
			return false;
		r->nkinds = 1;
	}
	for (size_t i = 0; i < r->nkinds; i++)
		r->kinds[i] = arena_str(v->a, r->kinds[i]);
	return true;
}

static bool load_role(struct vocabulary *v, const struct yaml_node *key, const struct yaml_node *map, struct diags *d)
{
	static const char *const keys[] = { "kind", "in", "all", "code", "label", NULL };
	struct when_role *r = &v->w->roles[v->w->nroles];
	size_t there, before = d->n;
	yaml_check_keys(map, keys, d);
	const struct yaml_node *kind = yaml_get(map, "kind"), *in = yaml_get(map, "in"), *n;
	struct str text;
	struct label l;
	*r = (struct when_role){ .name = arena_str(v->a, key->text), .code = STR_EMPTY, .unit = STR_EMPTY };
	if (role_of(v, key->text, &there))
		RULE_DIAG(d, key, WHEN_NAME, STR_FMT(key->text));
	if (!kind || !in) {
		RULE_DIAG(d, map, MISSING, kind ? "in" : "kind");
		return false;
	}
	if ((n = yaml_get(map, "all")))
		(void)yaml_bool(n, &r->many, d);
	if ((n = yaml_get(map, "code")) && yaml_str(n, &text, d))
		r->code = arena_str(v->a, text);
	if ((n = yaml_get(map, "label")) && yaml_label(n, &l, d))
		r->label = (struct label){ arena_str(v->a, l.zh), arena_str(v->a, l.en) };
	if (!load_scope(in, &r->scope, d) || !load_kinds(v, r, kind, d) || !set_unit(v, r, kind, d) || d->n != before)
		return false;
	v->w->nroles++;
	return true;
}

static bool load_roles(struct vocabulary *v, const struct yaml_node *map, const struct yaml_node *with, struct diags *d)
{
	struct when_role *own;
	v->w->roles = own = arena_many(v->a, LIMIT_RULE_ROLES + 1, struct when_role);
	*own = (struct when_role){ .name = v->rule->nkinds == 1 ? v->rule->kinds[0] : STR("value"), .kinds = v->rule->kinds,
		                   .nkinds = v->rule->nkinds, .code = STR_EMPTY, .unit = STR_EMPTY };
	v->w->nroles = 1;
	if (!set_unit(v, own, map, d))
		return false;
	if (with && with->kind == YAML_MAP && with->n > LIMIT_RULE_ROLES) {
		RULE_DIAG(d, with, WHEN_ROLES, LIMIT_RULE_ROLES);
		return false;
	}
	for (size_t i = 0; with && with->kind == YAML_MAP && i < with->n; i++)
		if (!load_role(v, with->keys[i], with->items[i], d))
			return false;
	return true;
}

const struct when *when_compile(struct arena *a, const struct registry *reg, const struct rule *r, const struct yaml_node *map,
                                struct diags *d)
{
	static const struct expr_name condition = { .kind = EXPR_BOOL };
	struct vocabulary v = { .a = a, .reg = reg, .rule = r, .w = arena_one(a, struct when) };
	const struct yaml_node *that = yaml_get(map, "that"), *once = yaml_get(map, "once");
	struct str text;
	if (!that) {
		RULE_DIAG(d, map, MISSING, "that");
		return NULL;
	}
	if (!yaml_str(that, &text, d) || !load_roles(&v, map, yaml_get(map, "with"), d))
		return NULL;
	if (once && !(v.w->has_once = load_scope(once, &v.w->once, d)))
		return NULL;
	struct expr_names names = { .arg = &v, .find = find, .list = list, .measure = measure, .convert = convert, .own_unit = v.w->roles[0].unit,
		                    .stored = true, .want = &condition };
	struct expr_error error;
	v.w->expr = expr_compile(a, arena_str(a, text), &names, &error);
	if (!v.w->expr) {
		expr_say(d, that, 0, &error);
		return NULL;
	}
	return make_steps(&v, v.w->expr, that, d) ? v.w : NULL;
}

bool rule_cost(const struct rule_set *rs, uint32_t rule, struct rule_cost *ret)
{
	static const struct { size_t most; const char *zh, *en; } classes[] = { { 50, "轻", "light" }, { 200, "中", "medium" }, { SIZE_MAX, "重", "heavy" } };
	const struct when *w = rs->v[rule].when;
	size_t i = 0;
	if (!w)
		return false;
	*ret = (struct rule_cost){ .steps = when_cost(w) };
	ret->bytes = sizeof(struct watcher) + w->nslots * (sizeof(struct bind) + sizeof(struct member));
	for (size_t k = 0; k < w->nslots; k++)
		ret->bytes += when_state(&w->slots[k]) * sizeof(int64_t) + (when_state(&w->slots[k]) ? sizeof(struct feature) : 0);
	while (ret->steps > classes[i].most)
		i++;
	ret->zh = classes[i].zh;
	ret->en = classes[i].en;
	return true;
}

size_t when_cost(const struct when *w)
{
	size_t steps = w->nsteps;
	for (size_t i = 0; i < w->nslots; i++)
		steps += when_state(&w->slots[i]) > 5 ? WHEN_BUCKETS : 0;
	return steps;
}
