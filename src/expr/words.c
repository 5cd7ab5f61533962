// A compiled expression as a sentence for people, and as JSON for the browser. Pure; any thread.
#include "base/limits.h"
#include "expr/expr_int.h"

struct writer {
	const struct expr *e;
	struct buf *out;
	bool zh;
};

static void say(struct writer *w, const struct expr_node *n, unsigned outer);

static void text(struct writer *w, const char *zh, const char *en)
{
	buf_add_cstr(w->out, w->zh ? zh : en);
}

static void quoted(struct writer *w, struct str zh, struct str en)
{
	text(w, "“", "\"");
	buf_add_str(w->out, w->zh ? zh : en);
	text(w, "”", "\"");
}

// ---- operands ----------------------------------------------------------------------------------
static void slot(struct writer *w, const struct expr_slot *s)
{
	if (s->of.kind != EXPR_NONE) {
		buf_add_str(w->out, w->zh ? s->of.zh : s->of.en);
		text(w, "的", " → ");
	}
	buf_add_str(w->out, w->zh ? s->name.zh : s->name.en);
	if (s->window && !s->name.said)
		buf_printf(w->out, w->zh ? "（%g 分钟内）" : " (within %g minutes)", (double)s->window / (double)US_PER_MIN);
}

static void duration(struct writer *w, const struct expr_value *v)
{
	static const struct { int64_t us; const char *zh, *en; } units[] = {
		{ US_PER_DAY, "天", " days" }, { US_PER_HOUR, "小时", " hours" }, { US_PER_MIN, "分钟", " minutes" }, { US_PER_S, "秒", " seconds" },
		{ US_PER_MS, "毫秒", " ms" },
	};
	size_t i = 0;
	if (v->workdays) {
		buf_printf(w->out, w->zh ? "%lld 个工作日" : "%lld working days", (long long)v->i);
		return;
	}
	while (i + 1 < ARRAY_LEN(units) && (v->i == 0 || v->i % units[i].us))
		i++;
	buf_printf(w->out, "%lld%s%s", (long long)(v->i / units[i].us), w->zh ? " " : "", w->zh ? units[i].zh : units[i].en);
}

static void number(struct buf *b, double f)
{
	char p[F64_TEXT_MAX];
	buf_add(b, p, f64_text(f, p));
}

static void literal(struct writer *w, const struct expr_node *n)
{
	char day[128];
	struct arena *a;
	switch ((int)n->kind) {
	case EXPR_NUMBER:
		number(w->out, n->value.f);
		if (n->unit.n)
			buf_printf(w->out, " %.*s", STR_FMT(n->unit));
		break;
	case EXPR_BOOL: text(w, n->value.i ? "是" : "否", n->value.i ? "yes" : "no"); break;
	case EXPR_DURATION: duration(w, &n->value); break;
	case EXPR_DATE:
		a = arena_new(sizeof day);
		buf_add_str(w->out, expr_day_text(n->value.i, a));
		arena_free(a);
		break;
	case EXPR_MENU:
		for (size_t i = 0; i < n->nitems; i++)
			if (str_eq(n->items[i].value, n->value.s))
				quoted(w, n->items[i].zh, n->items[i].en);
		break;
	default: quoted(w, n->value.s, n->value.s); break;
	}
}

// ---- operators ---------------------------------------------------------------------------------
static const struct { const char *zh, *en; unsigned rank; } ops[EXPR_OP__MAX] = {
	[EXPR_OR] = { "，或者", ", or ", 1 }, [EXPR_AND] = { "，并且", ", and ", 2 }, [EXPR_EQ] = { "是", " is ", 4 }, [EXPR_NE] = { "不是", " is not ", 4 },
	[EXPR_LT] = { "小于", " is less than ", 4 }, [EXPR_LE] = { "不大于", " is at most ", 4 }, [EXPR_GT] = { "大于", " is more than ", 4 },
	[EXPR_GE] = { "不小于", " is at least ", 4 }, [EXPR_ADD] = { " + ", " + ", 5 }, [EXPR_SUB] = { " − ", " − ", 5 },
	[EXPR_MUL] = { " × ", " × ", 6 }, [EXPR_DIV] = { " ÷ ", " ÷ ", 6 },
};

static const struct { const char *zh, *en; } moments[] = {
	[EXPR_LT - EXPR_LT] = { "早于", " is before " }, [EXPR_LE - EXPR_LT] = { "不晚于", " is not after " },
	[EXPR_GT - EXPR_LT] = { "晚于", " is after " }, [EXPR_GE - EXPR_LT] = { "不早于", " is not before " },
};

static void infix(struct writer *w, const struct expr_node *n, unsigned outer)
{
	unsigned rank = ops[n->op].rank;
	bool time = n->subs[0]->kind == EXPR_DATE || n->subs[0]->kind == EXPR_TIME, ordered = n->op >= EXPR_LT && n->op <= EXPR_GE;
	if (rank < outer)
		text(w, "（", "(");
	for (size_t i = 0; i < n->nsubs; i++) {
		if (i && time && ordered)
			text(w, moments[n->op - EXPR_LT].zh, moments[n->op - EXPR_LT].en);
		else if (i)
			text(w, ops[n->op].zh, ops[n->op].en);
		say(w, n->subs[i], rank + (i > 0));
	}
	if (rank < outer)
		text(w, "）", ")");
}

static void list(struct writer *w, const struct expr_node *n, size_t from)
{
	for (size_t i = from; i < n->nsubs; i++) {
		if (i > from)
			text(w, "、", ", ");
		say(w, n->subs[i], 0);
	}
}

static void negated(struct writer *w, const struct expr_node *n)
{
	const struct expr_node *sub = n->subs[0];
	if (sub->op == EXPR_EMPTY) {
		say(w, sub->subs[0], 7);
		text(w, "已填写", " is filled in");
	} else if (sub->op == EXPR_IN) {
		say(w, sub->subs[0], 7);
		text(w, "不是", " is none of ");
		list(w, sub, 1);
	} else {
		text(w, "不满足（", "not (");
		say(w, sub, 0);
		text(w, "）", ")");
	}
}

static void call(struct writer *w, const char *zh, const char *en, const struct expr_node *n)
{
	text(w, zh, en);
	text(w, "（", "(");
	list(w, n, 0);
	text(w, "）", ")");
}

static void function(struct writer *w, const struct expr_node *n)
{
	switch ((int)n->op) {
	case EXPR_EMPTY: say(w, n->subs[0], 7); text(w, "未填写", " is empty"); break;
	case EXPR_COUNT: say(w, n->subs[0], 7); text(w, "的个数", " (how many)"); break;
	case EXPR_SUM: say(w, n->subs[0], 7); text(w, "的合计", " (sum)"); break;
	case EXPR_MIN: call(w, "最小值", "the least of ", n); break;
	case EXPR_MAX: call(w, "最大值", "the greatest of ", n); break;
	case EXPR_ABS: call(w, "绝对值", "the absolute value of ", n); break;
	case EXPR_ROUND:
		say(w, n->subs[0], 7);
		if (n->nsubs > 1)
			buf_printf(w->out, w->zh ? "（保留 %.0f 位小数）" : " (rounded to %.0f decimals)", n->subs[1]->value.f);
		else
			text(w, "（取整）", " (rounded)");
		break;
	case EXPR_IF:
		text(w, "如果", "if ");
		say(w, n->subs[0], 0);
		text(w, "，则为", " then ");
		say(w, n->subs[1], 3);
		text(w, "，否则为", ", otherwise ");
		say(w, n->subs[2], 3);
		break;
	case EXPR_HAS: say(w, n->subs[0], 7); text(w, "包含", " contains "); say(w, n->subs[1], 7); break;
	case EXPR_DAYS:
		text(w, "从", "the days from ");
		say(w, n->subs[0], 7);
		text(w, "到", " to ");
		say(w, n->subs[1], 7);
		text(w, "的天数", "");
		break;
	case EXPR_TODAY: text(w, "今天", "today"); break;
	case EXPR_NOW: text(w, "现在", "now"); break;
	case EXPR_YEAR: say(w, n->subs[0], 7); text(w, "的年份", " (year)"); break;
	case EXPR_MONTH: say(w, n->subs[0], 7); text(w, "的月份", " (month)"); break;
	case EXPR_ANY: call(w, "其中任一满足", "for any of them ", n); break;
	case EXPR_ALL: call(w, "其中全部满足", "for all of them ", n); break;
	case EXPR_COUNT_OF: call(w, "满足的个数", "the number of those with ", n); break;
	default: break;
	}
}

static void say(struct writer *w, const struct expr_node *n, unsigned outer)
{
	if (n->op == EXPR_LITERAL) {
		literal(w, n);
	} else if (n->op == EXPR_SLOT) {
		slot(w, &w->e->slots[n->slot]);
	} else if (n->op == EXPR_NOT) {
		negated(w, n);
	} else if (n->op == EXPR_IN) {
		say(w, n->subs[0], 7);
		text(w, "是", " is one of ");
		list(w, n, 1);
		text(w, n->nsubs > 2 ? "之一" : "", "");
	} else if (n->op == EXPR_NEG) {
		text(w, "−", "−");
		say(w, n->subs[0], 7);
	} else if (ops[n->op].rank) {
		infix(w, n, outer);
	} else {
		function(w, n);
	}
}

struct str expr_words(const struct expr *e, bool zh, struct arena *a)
{
	struct buf b;
	struct writer w = { e, &b, zh };
	buf_init(&b, 64u << 10);
	say(&w, e->root, 0);
	struct str s = buf_ok(&b) ? arena_str(a, buf_str(&b)) : e->text;
	buf_free(&b);
	return s;
}

// ---- JSON --------------------------------------------------------------------------------------
static void json_literal(struct jw *w, const struct expr_node *n)
{
	struct arena *a;
	switch ((int)n->kind) {
	case EXPR_NUMBER: jw_f64(w, n->value.f); break;
	case EXPR_BOOL: jw_bool(w, n->value.i != 0); break;
	case EXPR_DATE:
		a = arena_new(64);
		jw_str(w, expr_day_text(n->value.i, a));
		arena_free(a);
		break;
	case EXPR_DURATION:
		jw_arr(w);
		jw_cstr(w, n->value.workdays ? "wd" : "dur");
		jw_f64(w, n->value.workdays ? (double)n->value.i : (double)n->value.i / (double)US_PER_S);
		jw_end(w);
		break;
	default: jw_str(w, n->value.s); break;
	}
}

static void json_slot(struct jw *w, const struct expr_slot *s)
{
	struct str rest = s->text, part;
	jw_arr(w);
	if (s->function.n) {
		jw_cstr(w, "call");
		jw_str(w, s->function);
		jw_str(w, s->argument);
		if (s->window)
			jw_f64(w, (double)s->window / (double)US_PER_S);
	} else {
		jw_cstr(w, "f");
		while (rest.n) {
			part = str_cut(&rest, '.');
			jw_str(w, part);
		}
	}
	jw_end(w);
}

static void json_node(struct jw *w, const struct expr *e, const struct expr_node *n)
{
	if (n->op == EXPR_LITERAL) {
		json_literal(w, n);
		return;
	}
	if (n->op == EXPR_SLOT) {
		json_slot(w, &e->slots[n->slot]);
		return;
	}
	jw_arr(w);
	jw_cstr(w, expr_op_name(n->op));
	for (size_t i = 0; i < n->nsubs; i++)
		json_node(w, e, n->subs[i]);
	jw_end(w);
}

void expr_json(struct jw *w, const struct expr *e)
{
	json_node(w, e, e->root);
}
