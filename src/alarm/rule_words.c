// What others may know of a rule: its names, colours and messages, and the rule in plain words. Any thread.
#include <math.h>
#include <stdio.h>

#include "alarm/rule.h"
#include "base/buf.h"

static const struct {
	const char *name, *family, *zh, *en;
	int rank;
} levels[ALARM_LEVELS] = {
	[LEVEL_LL] = { "ll", "limit", "低低报", "Low-low", 2 },
	[LEVEL_L] = { "l", "limit", "低报", "Low", 1 },
	[LEVEL_H] = { "h", "limit", "高报", "High", 1 },
	[LEVEL_HH] = { "hh", "limit", "高高报", "High-high", 2 },
	[LEVEL_RATE] = { "rate", "rate", "变化率", "Rate of change", 1 },
	[LEVEL_SILENT] = { "silent", "silent", "无数据", "Silence", 1 },
	[LEVEL_FLAT] = { "flat", "flat", "数据不变", "Flat line", 1 },
	[LEVEL_BAD] = { "bad", "bad", "数据无效", "Bad data", 1 },
	[LEVEL_WHEN] = { "when", "when", "组合条件", "Condition", 1 },
	[LEVEL_BLIND] = { "blind", "blind", "无法判断", "Cannot judge", 1 },
	[LEVEL_FENCE] = { "fence", "fence", "电子围栏", "Fence", 1 },
};

static const struct { const char *name, *zh, *en; } whats[FENCE_WHATS] = {
	[FENCE_LEFT] = { "left", "离开必须留在其内的围栏，超出其死区", "it leaves a fence that it must stay in, by more than the fence's dead band" },
	[FENCE_ENTERED] = { "entered", "进入禁入的围栏", "it enters a fence that it must stay out of" },
	[FENCE_FAST] = { "fast", "在限速围栏内超过围栏的限速", "it is faster inside a fence than the fence allows" },
	[FENCE_STAYED] = { "stayed", "在限停围栏内停留超过围栏允许的时间", "it stands inside a fence longer than the fence allows" },
	[FENCE_OFF_ROUTE] = { "off_route", "偏离路线，超出路线半宽和死区", "it leaves its route, by more than half its width and the dead band" },
	[FENCE_STOPPED] = { "stopped", "在路线上、允许停靠点以外停留超过路线允许的时间", "it stands on its route outside the allowed stops for longer than the route allows" },
	[FENCE_OFF_POST] = { "off_post", "离开岗位围栏超过允许的时间", "he is away from the fence of his post for longer than it allows" },
};

const char *fence_what_name(enum fence_what w) { return whats[w].name; }

bool fence_what_find(struct str name, enum fence_what *ret)
{
	for (int i = 0; i < FENCE_WHATS; i++)
		if (str_is(name, whats[i].name)) {
			*ret = (enum fence_what)i;
			return true;
		}
	return false;
}

bool rules_fence(const struct rule_set *rs, enum fence_what what, const struct point_def *p, uint32_t *ret)
{
	for (uint32_t i = 0; i < rs->n; i++) {
		const struct rule *r = &rs->v[i];
		bool kind = false;
		for (size_t k = 0; k < r->nkinds; k++)
			kind |= str_eq(r->kinds[k], p->kind);
		if (r->at[LEVEL_FENCE].set && r->fence == what && kind && rule_watches(r, p)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

const char *level_name(enum level l) { return levels[l].name; }
const char *level_family(enum level l) { return levels[l].family; }
int level_rank(enum level l) { return levels[l].rank; }

bool level_find(struct str name, enum level *ret)
{
	for (size_t i = 0; i < ALARM_LEVELS; i++)
		if (str_is(name, levels[i].name)) {
			*ret = (enum level)i;
			return true;
		}
	return false;
}

size_t rules_count(const struct rule_set *rs) { return rs->n; }
struct rule_info rule_info(const struct rule_set *rs, uint32_t rule) { return rs->v[rule].info; }
struct str rule_opens(const struct rule_set *rs, uint32_t rule, enum level level) { return rs->v[rule].at[level].open; }
struct str rule_color(const struct rule_set *rs, uint32_t rule, enum level level)
{
	return rs->v[rule].at[level].color;
}
struct label rule_say(const struct rule_set *rs, uint32_t rule, enum level level) { return rs->v[rule].at[level].say; }
struct label rule_guide(const struct rule_set *rs, uint32_t rule, enum level level)
{
	return rs->v[rule].at[level].guide;
}
struct str rule_category(const struct rule_set *rs, struct str name)
{
	uint32_t i;
	return rs && rule_find(rs, name, &i) ? rs->v[i].category : STR_EMPTY;
}
bool rule_hint(const struct rule_set *rs, uint32_t rule) { return rs->v[rule].hint; }
bool rule_latch(const struct rule_set *rs, uint32_t rule) { return rs->v[rule].latch; }
int64_t rule_hide_longest(const struct rule_set *rs, uint32_t rule) { return rs->v[rule].hide_longest; }

// The highest level of a side: hh before h, ll before l; of a rule without limits every level it has.
bool rule_always(const struct rule_set *rs, uint32_t rule, enum level level)
{
	const struct rule *r = &rs->v[rule];
	bool higher = (level == LEVEL_H && r->at[LEVEL_HH].set) || (level == LEVEL_L && r->at[LEVEL_LL].set);
	bool limits = r->at[LEVEL_LL].set || r->at[LEVEL_L].set || r->at[LEVEL_H].set || r->at[LEVEL_HH].set;
	return r->never_suppress && !higher && (level <= LEVEL_HH || !limits);
}

bool rule_find(const struct rule_set *rs, struct str name, uint32_t *ret)
{
	for (size_t i = 0; i < rs->n; i++)
		if (str_eq(rs->v[i].info.name, name)) {
			*ret = (uint32_t)i;
			return true;
		}
	return false;
}

// What a condition saw, as a sentence to stand behind what is said: "可燃气体 27 %LEL、31 %LEL". Empty if the rule has no expression.
static struct str seen_number(const struct when_slot *s, double v, bool en, struct arena *a)
{
	char number[32];
	bool time = str_is(s->unit, "time");
	double value = time ? v / US_PER_S : v;
	struct str unit = time ? (en ? STR("s") : STR("秒")) : s->unit;
	if (s->what == SLOT_WORKDAY || s->what == SLOT_WORKING_HOURS)
		return value > 0 ? (en ? STR("yes") : STR("是")) : (en ? STR("no") : STR("否"));
	snprintf(number, sizeof number, "%.*g", fabs(value) >= 1000 ? 7 : 4, value);
	return arena_printf(a, "%s%s%.*s", number, unit.n ? " " : "", STR_FMT(unit));
}

// Of one slot: what is known, and how many are not ("1.2 %LEL、0.9 %LEL，另 5 个未知").
static struct str seen_of_slot(const struct when_slot *s, const struct alarm_seen *v, size_t n, bool en, struct arena *a)
{
	struct str ret = arena_printf(a, "%.*s", STR_FMT(en ? s->label.en : s->label.zh));
	size_t unknown = 0;
	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i].value)) {
			unknown++;
			continue;
		}
		const char *between = i == unknown ? " " : en ? ", " : "、";
		ret = arena_printf(a, "%.*s%s%.*s", STR_FMT(ret), between, STR_FMT(seen_number(s, v[i].value, en, a)));
	}
	if (unknown == n && n > 1)
		return arena_printf(a, en ? "%.*s all %zu unknown" : "%.*s %zu 个都未知", STR_FMT(ret), n);
	if (unknown == n)
		return arena_printf(a, en ? "%.*s unknown" : "%.*s 未知", STR_FMT(ret));
	return unknown ? arena_printf(a, en ? "%.*s, %zu more unknown" : "%.*s，另 %zu 个未知", STR_FMT(ret), unknown) : ret;
}

struct label rule_seen(const struct rule_set *rs, uint32_t rule, const struct alarm_seen *v, size_t n, struct arena *a)
{
	struct label ret = { STR_EMPTY, STR_EMPTY };
	const struct when *w = rs->v[rule].when;
	struct str *const texts[] = { &ret.zh, &ret.en };
	for (int en = 0; w && en < 2; en++)
		for (size_t i = 0, same; i < n && v[i].slot < w->nslots; i += same) {
			for (same = 1; i + same < n && v[i + same].slot == v[i].slot; same++)
				;
			struct str slot = seen_of_slot(&w->slots[v[i].slot], v + i, same, en, a);
			*texts[en] = arena_printf(a, "%.*s%s%.*s", STR_FMT(*texts[en]), i == 0 ? "" : en ? "; " : "；", STR_FMT(slot));
		}
	return ret;
}

// ---- words -------------------------------------------------------------------------------------
struct writing {
	struct buf out;
	bool zh;
	struct arena *a;
};

static void put(struct writing *w, const char *zh, const char *en) { buf_add_cstr(&w->out, w->zh ? zh : en); }
static void put_number(struct writing *w, double v)
{
	char text[F64_TEXT_MAX];
	buf_add(&w->out, text, f64_text(v, text));
}
static void put_duration(struct writing *w, int64_t us)
{
	static const struct { int64_t us; const char *zh, *en; } units[] = {
		{ US_PER_DAY, " 天", " d" }, { US_PER_HOUR, " 小时", " h" }, { US_PER_MIN, " 分钟", " min" },
		{ US_PER_S, " 秒", " s" },   { US_PER_MS, " 毫秒", " ms" },
	};
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (us % units[i].us == 0) {
			put_number(w, (double)(us / units[i].us));
			put(w, units[i].zh, units[i].en);
			return;
		}
}
static void put_list(struct writing *w, const struct str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			put(w, "、", ", ");
		buf_add_str(&w->out, v[i]);
	}
}

static void put_limit(struct writing *w, const struct rule_cond *c, enum level level)
{
	bool high = level == LEVEL_H || level == LEVEL_HH;
	put(w, high ? "达到或超过" : "等于或低于", high ? "at or above " : "at or below ");
	if (c->from_point) {
		static const char *const own[][2] = { [LEVEL_LL] = { "低低限", "low-low limit" }, [LEVEL_L] = { "低限", "low limit" },
			                              [LEVEL_H] = { "高限", "high limit" }, [LEVEL_HH] = { "高高限", "high-high limit" } };
		put(w, "测点自己的", "the point's own ");
		put(w, own[level][0], own[level][1]);
	} else {
		put(w, " ", "");
		put_number(w, c->limit);
	}
	if (c->on) {
		put(w, "，持续 ", " for ");
		put_duration(w, c->on);
	}
}
static void put_clear(struct writing *w, const struct rule_cond *c, enum level level)
{
	bool high = level == LEVEL_H || level == LEVEL_HH;
	put(w, high ? "；低于" : "；高于", high ? "; clears below " : "; clears above ");
	if (c->has_clear_by) {
		put(w, "限值", "the limit ");
		put(w, high ? "减 " : "加 ", high ? "minus " : "plus ");
		put_number(w, c->clear_by);
	} else if (c->has_clear || !c->from_point) {
		put(w, " ", "");
		put_number(w, c->has_clear ? c->clear : c->limit);
	} else {
		put(w, "限值", "the limit");
	}
	if (c->off) {
		put(w, "，持续 ", " for ");
		put_duration(w, c->off);
	}
	bool number = c->has_clear_by || c->has_clear || !c->from_point;
	put(w, c->off ? "后解除" : number ? " 时解除" : "时解除", "");
}

// The condition, and who is meant by the names in it.
static void put_expression(struct writing *w, const struct when *when, enum level level)
{
	static const struct { const char *zh, *en; } scopes[SCOPE__MAX] = {
		{ "同一设备", "of the same device" }, { "同一装置", "of the same installation" }, { "同一企业", "of the same enterprise" },
		{ "所在区域", "of the area" },
	};
	if (level == LEVEL_BLIND) {
		put(w, "缺少可信的数据，条件既不能判为成立也不能判为不成立", "trusted data are missing: the condition can be judged neither true nor false");
		return;
	}
	struct str said = expr_words(when->expr, w->zh, w->a);
	buf_add_str(&w->out, said);
	for (size_t i = 1; i < when->nroles; i++) {
		const struct when_role *r = &when->roles[i];
		put(w, i > 1 ? "、" : "（", i > 1 ? ", " : " (");
		buf_add_str(&w->out, w->zh ? r->label.zh : r->label.en);
		put(w, "：", ": ");
		put(w, scopes[r->scope].zh, r->many ? "all " : "the one ");
		put(w, r->many ? "的全部" : "的那个", scopes[r->scope].en);
	}
	put(w, when->nroles > 1 ? "）" : "", when->nroles > 1 ? ")" : "");
	if (when->has_once) {
		put(w, "；", "; one alarm for all ");
		put(w, scopes[when->once].zh, scopes[when->once].en);
		put(w, "只报一个", "");
	}
}

static void put_condition(struct writing *w, const struct rule *r, const struct rule_cond *c, enum level level)
{
	if (level <= LEVEL_HH) {
		put_limit(w, c, level);
		put_clear(w, c, level);
		return;
	}
	if (level == LEVEL_WHEN || level == LEVEL_BLIND) {
		put_expression(w, r->when, level);
	} else if (level == LEVEL_FENCE) {
		put(w, whats[r->fence].zh, whats[r->fence].en);
	} else if (level == LEVEL_RATE) {
		put_duration(w, c->per);
		put(w, c->rise ? "内上升 " : "内下降 ", c->rise ? ": a rise of " : ": a fall of ");
		put_number(w, c->limit);
		put(w, " 或更多", " or more");
	} else if (level == LEVEL_SILENT) {
		put_duration(w, c->on);
		put(w, "没有收到数据", " without a reading");
	} else if (level == LEVEL_FLAT) {
		put_duration(w, c->on);
		put(w, "内变化小于 ", " with a change of less than ");
		put_number(w, c->limit);
	} else {
		put(w, "数据超量程、过期或无效", "readings out of range, stale or marked bad");
	}
	if (level == LEVEL_RATE || (level >= LEVEL_BAD && level != LEVEL_FENCE)) {
		if (c->on) {
			put(w, "，持续 ", " for ");
			put_duration(w, c->on);
		}
		if (c->off) {
			put(w, "；恢复 ", "; clears ");
			put_duration(w, c->off);
			put(w, "后解除", " after it stopped");
		}
	}
}

static void put_level(struct writing *w, const struct rule *r, enum level level)
{
	const struct rule_cond *c = &r->at[level];
	static const struct { const char *name, *zh; } colors[] = {
		{ "red", "红色" }, { "orange", "橙色" }, { "yellow", "黄色" }, { "blue", "蓝色" },
	};
	put(w, levels[level].zh, levels[level].en);
	put(w, "（", " (");
	for (size_t i = 0; i < ARRAY_LEN(colors); i++)
		if (str_is(c->color, colors[i].name))
			put(w, colors[i].zh, colors[i].name);
	put(w, "）：", "): ");
	put_condition(w, r, c, level);
	if (c->open.n) {
		put(w, "；生成“", "; opens \"");
		buf_add_str(&w->out, w->zh ? c->open_label.zh : c->open_label.en);
		put(w, "”", "\"");
	}
	put(w, "。", ". ");
	put(w, "“", "\"");
	buf_add_str(&w->out, w->zh ? c->say.zh : c->say.en);
	put(w, "”\n", "\"\n");
}

static void put_causes(struct writing *w, const struct rule_set *rs, const struct rule *r)
{
	static const struct { const char *zh, *en; } places[] = {
		{ "同一测点", "the same point" }, { "同一设备", "the same device" }, { "同一重大危险源", "the same installation" }, { "同一企业", "the same enterprise" },
	};
	for (size_t i = 0; i < r->ncauses; i++) {
		const struct rule_cause *c = &r->causes[i];
		uint32_t other;
		struct label l = rule_find(rs, c->rule, &other) ? rs->v[other].info.label : (struct label){ c->rule, c->rule };
		put(w, places[c->at].zh, "Suppressed while at ");
		put(w, "的“", places[c->at].en);
		if (!w->zh)
			put(w, "", " \"");
		buf_add_str(&w->out, w->zh ? l.zh : l.en);
		put(w, "”持续时抑制，最长 ", "\" lasts, at most ");
		put_duration(w, c->longest);
		put(w, "（", " (");
		buf_add_str(&w->out, w->zh ? c->why.zh : c->why.en);
		put(w, "）。\n", ").\n");
	}
	if (r->latch)
		put(w, "锁存：恢复后仍保持，确认并由人复位后才结束。\n", "Latched: it stays after its return until somebody has acknowledged and reset it.\n");
	if (r->never_suppress)
		put(w, "最高一级不得抑制。\n", "Its highest level is never suppressed.\n");
}

// Kinds and sectors by their labels where the packs give one, else as they are written in the rule.
static struct str *labelled(const struct writing *w, const struct registry *reg, const char *menu, const struct str *v, size_t n,
                            struct arena *a)
{
	const struct menu *m = reg ? registry_menu(reg, str_of(menu)) : NULL;
	struct str *out = arena_many(a, n, struct str);
	for (size_t i = 0; i < n; i++) {
		const struct menu_item *item = m ? menu_item(m, v[i]) : NULL;
		out[i] = !item ? v[i] : w->zh ? item->label.zh : item->label.en;
	}
	return out;
}

struct str rule_words(const struct rule_set *rs, uint32_t rule, const struct registry *reg, bool zh, struct arena *a)
{
	static const enum level order[] = { LEVEL_HH, LEVEL_H, LEVEL_L, LEVEL_LL,
		                            LEVEL_WHEN, LEVEL_RATE, LEVEL_SILENT, LEVEL_FLAT, LEVEL_BAD, LEVEL_BLIND, LEVEL_FENCE };
	const struct rule *r = &rs->v[rule];
	struct writing w = { .zh = zh, .a = a };
	buf_init(&w.out, 1u << 16);
	put(&w, "监测种类 ", "Watches ");
	put_list(&w, labelled(&w, reg, "point_kind", r->kinds, r->nkinds, a), r->nkinds);
	if (r->nsectors) {
		put(&w, "，行业 ", " in sector ");
		put_list(&w, labelled(&w, reg, "sector", r->sectors, r->nsectors, a), r->nsectors);
	}
	if (r->nareas) {
		put(&w, "，区域 ", " in area ");
		put_list(&w, r->areas, r->nareas);
	}
	if (r->npoints) {
		put(&w, "，测点 ", ", points ");
		put_list(&w, r->points, r->npoints);
	}
	if (r->hint)
		put(&w, "；只作提示，不报警", "; a hint only, never an alarm");
	put(&w, "。\n", ".\n");
	put_causes(&w, rs, r);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (r->at[order[i]].set)
			put_level(&w, r, order[i]);
	if (r->early_within) {
		put(&w, "按趋势 ", "Said ahead when the trend leads to a limit within ");
		put_duration(&w, r->early_within);
		put(&w, "内将到限时提前预警（每 ", " (a value every ");
		put_duration(&w, r->early_every);
		put(&w, "一个值）。\n", ").\n");
	}
	struct str ret = arena_str(a, buf_str(&w.out));
	buf_free(&w.out);
	return ret;
}
