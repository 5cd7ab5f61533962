// Text of an expression → tree as written. Called by expr_compile; any thread.
#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/time.h"
#include "expr/expr_int.h"

// ---- mistakes ----------------------------------------------------------------------------------
void expr_fail(struct compiler *c, size_t at, const char *zh, const char *en, ...)
{
	va_list ap;
	if (c->failed)
		return;
	c->failed = true;
	at = MIN(at, c->text.n);
	*c->error = (struct expr_error){ .at = at, .column = str_utf8_len(str_first(c->text, at)) + 1 };
	va_start(ap, en);
	c->error->zh = arena_vprintf(c->a, zh, ap);
	va_end(ap);
	va_start(ap, en);
	c->error->en = arena_vprintf(c->a, en, ap);
	va_end(ap);
}

void expr_fail_near(struct compiler *c, struct str word, const struct str *names, size_t n)
{
	int near = str_nearest(word, names, n);
	if (near < 0)
		return;
	c->error->zh = arena_printf(c->a, "%.*s——是不是“%.*s”？", STR_FMT(c->error->zh), STR_FMT(names[near]));
	c->error->en = arena_printf(c->a, "%.*s - did you mean \"%.*s\"?", STR_FMT(c->error->en), STR_FMT(names[near]));
}

// ---- words -------------------------------------------------------------------------------------
static char peek(const struct compiler *c, size_t ahead)
{
	return c->at + ahead < c->text.n ? c->text.p[c->at + ahead] : 0;
}

static void blanks(struct compiler *c)
{
	while (peek(c, 0) == ' ' || peek(c, 0) == '\t' || peek(c, 0) == '\n' || peek(c, 0) == '\r')
		c->at++;
}

static bool digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool letter(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

// The word that starts here, not taken; empty if none does.
static struct str word_here(struct compiler *c)
{
	size_t n = 0;
	blanks(c);
	if (!letter(peek(c, 0)))
		return STR_EMPTY;
	while (letter(peek(c, n)) || digit(peek(c, n)))
		n++;
	return str_from(c->text.p + c->at, n);
}

static bool take_word(struct compiler *c, const char *word)
{
	struct str w = word_here(c);
	if (!str_is(w, word))
		return false;
	c->at += w.n;
	return true;
}

static bool take(struct compiler *c, const char *sign)
{
	blanks(c);
	if (!str_starts(str_skip(c->text, c->at), str_of(sign)))
		return false;
	c->at += strlen(sign);
	return true;
}

static bool want(struct compiler *c, const char *sign)
{
	if (c->failed || take(c, sign))
		return !c->failed;
	expr_fail(c, c->at, "这里应为“%s”；请补上", "\"%s\" is expected here; add it", sign);
	return false;
}

// ---- the tree ----------------------------------------------------------------------------------
static struct raw *node(struct compiler *c, enum raw_kind kind, size_t at)
{
	struct raw *r = arena_one(c->raws, struct raw);
	*r = (struct raw){ .kind = kind, .at = at, .end = c->at, .text = STR_EMPTY, .field = STR_EMPTY, .unit = STR_EMPTY, .depth = 1 };
	if (++c->nodes > LIMIT_EXPR_NODES)
		expr_fail(c, at, "表达式太长，最多 %u 项；请拆成几个字段", "the expression is too long, at most %u parts; split it over several fields",
		          (unsigned)LIMIT_EXPR_NODES);
	return r;
}

static void push(struct compiler *c, struct raw *r, struct raw *sub)
{
	if (!sub)
		return;
	if ((r->nsubs & (r->nsubs - 1)) == 0)
		r->subs = arena_grow(c->raws, r->subs, r->nsubs, MAX(2 * r->nsubs, (size_t)2), sizeof(struct raw *));
	r->subs[r->nsubs++] = sub;
	r->depth = MAX(r->depth, sub->depth + 1);
	r->end = c->at;
	if (r->depth > LIMIT_EXPR_DEPTH)
		expr_fail(c, r->at, "表达式嵌套超过 %u 层；请写得平一些", "the expression is nested deeper than %u levels; make it flatter",
		          (unsigned)LIMIT_EXPR_DEPTH);
}

static struct raw *op2(struct compiler *c, enum expr_op op, struct raw *a, struct raw *b)
{
	struct raw *r = a && b ? node(c, RAW_OP, a->at) : NULL;
	if (!r)
		return NULL;
	r->op = op;
	push(c, r, a);
	push(c, r, b);
	return r;
}

static struct raw *either(struct compiler *c);

// ---- operands ----------------------------------------------------------------------------------
// The unit behind a number (2 m, 0.4 MPa, 5 %, 2 {unit}/min), taken; empty if there is none. Only where numbers have one.
static struct str unit_here(struct compiler *c)
{
	static const char *const words[] = { "and", "or", "not", "in" };
	size_t was = c->at, n = 0;
	if (!c->names->convert)
		return STR_EMPTY;
	blanks(c);
	for (;; n++) {
		char ch = peek(c, n), next = peek(c, n + 1);
		bool unit = letter(ch) || (ch & 0x80) || ch == '%' || ch == '{' || ch == '}';
		bool inside = n && (digit(ch) || (ch == '/' && (letter(next) || (next & 0x80) || next == '%')));
		if (!unit && !inside)
			break;
	}
	struct str s = str_from(c->text.p + c->at, n);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(s, words[i]))
			n = 0;
	static const char *const others[] = { "（", "）", "，", "“", "”", "×", "÷", "≥", "≤", "≠", "；", "。" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_starts(s, str_of(others[i])))
			n = 0;
	c->at = n ? c->at + n : was;
	return str_first(s, n);
}

// 30 min, 2.5 h: a duration with a blank or a fraction.
static bool time_unit(struct str unit, double f, int64_t *ret)
{
	char one[16];
	int64_t us;
	if (unit.n == 0 || unit.n > 4 || f < 0 || f > 1e6)
		return false;
	struct str s = str_from(one, (size_t)snprintf(one, sizeof one, "1%.*s", STR_FMT(unit)));
	if (!duration_parse(s, &us))
		return false;
	*ret = (int64_t)(f * (double)us + 0.5);
	return true;
}

static struct raw *plain_number(struct compiler *c, struct str digits, size_t at)
{
	struct raw *r = node(c, RAW_NUMBER, at);
	r->text = digits;
	if (!str_to_f64(digits, &r->f)) {
		expr_fail(c, at, "“%.*s”不是数；请写如 12 或 0.5", "\"%.*s\" is not a number; write for example 12 or 0.5", STR_FMT(digits));
		return r;
	}
	r->unit = unit_here(c);
	if (time_unit(r->unit, r->f, &r->i))
		r->kind = RAW_DURATION;
	r->text = str_from(c->text.p + at, c->at - at);
	r->end = c->at;
	return r;
}

static struct raw *number(struct compiler *c)
{
	size_t at = c->at, n = 0;
	int64_t us, days;
	while (digit(peek(c, n)) || (peek(c, n) == '.' && digit(peek(c, n + 1))))
		n++;
	struct str digits = str_from(c->text.p + at, n);
	if (c->names->convert) {
		c->at += n;
		return plain_number(c, digits, at);
	}
	while (letter(peek(c, n)) || digit(peek(c, n)))
		n++;
	struct str all = str_from(c->text.p + at, n);
	c->at += n;
	if (all.n == digits.n)
		return plain_number(c, digits, at);
	struct raw *r = node(c, RAW_DURATION, at);
	r->text = all;
	if (str_ends(all, STR("wd")) && str_to_i64(str_first(all, all.n - 2), &days) && days <= 10000) {
		r->i = days;
		r->workdays = true;
	} else if (duration_parse(all, &us)) {
		r->i = us;
	} else {
		expr_fail(c, at, "“%.*s”不是数也不是时长；请写如 12、30d、4h、5wd（工作日）",
		          "\"%.*s\" is neither a number nor a duration; write for example 12, 30d, 4h, 5wd (working days)", STR_FMT(all));
	}
	return r;
}

static struct raw *quoted(struct compiler *c)
{
	size_t at = c->at;
	char quote = c->text.p[c->at++];
	size_t from = c->at;
	while (c->at < c->text.n && c->text.p[c->at] != quote)
		c->at++;
	struct str s = str_from(c->text.p + from, c->at - from);
	if (c->at == c->text.n) {
		expr_fail(c, at, "引号没有结束；请补上", "the quote does not end; close it");
		return NULL;
	}
	c->at++;
	struct raw *r = node(c, RAW_TEXT, at);
	r->text = s;
	return r;
}

static void arguments(struct compiler *c, struct raw *r)
{
	if (take(c, ")"))
		return;
	do
		push(c, r, either(c));
	while (!c->failed && take(c, ","));
	(void)want(c, ")");
	r->end = c->at;
}

static struct raw *named(struct compiler *c, struct str w)
{
	static const char *const words[] = { "and", "or", "not", "in" };
	size_t at = c->at;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(w, words[i])) {
			expr_fail(c, at, "“%s”前面或后面少了一项；请补上", "something is missing beside \"%s\"; add it", words[i]);
			return NULL;
		}
	c->at += w.n;
	if (str_is(w, "true") || str_is(w, "false")) {
		struct raw *b = node(c, RAW_BOOL, at);
		b->i = str_is(w, "true");
		b->text = w;
		return b;
	}
	bool call = take(c, "(");
	struct raw *r = node(c, call ? RAW_CALL : RAW_NAME, at);
	r->text = w;
	if (call) {
		arguments(c, r);
	} else if (peek(c, 0) == '.') {
		c->at++;
		r->field = word_here(c);
		if (r->field.n == 0)
			expr_fail(c, c->at, "点后面应为字段名；请补上", "the name of a field is expected behind the dot; add it");
		c->at += r->field.n;
	}
	r->end = c->at;
	return r;
}

static void strange(struct compiler *c)
{
	static const struct { const char *sign, *use; } others[] = {
		{ "&&", "and" }, { "||", "or" }, { "!", "not" }, { "=", "==" }, { "（", "(" }, { "）", ")" }, { "，", "," },
		{ "“", "'" }, { "”", "'" }, { "‘", "'" }, { "’", "'" }, { "×", "*" }, { "÷", "/" }, { "≥", ">=" }, { "≤", "<=" },
		{ "≠", "!=" }, { "<>", "!=" }, { "；", "," }, { "。", "." },
	};
	struct str rest = str_skip(c->text, c->at);
	if (rest.n == 0) {
		expr_fail(c, c->at, "表达式没有写完；请补上", "the expression ends too early; complete it");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_starts(rest, str_of(others[i].sign))) {
			expr_fail(c, c->at, "“%s”不能用在这里；请写“%s”", "\"%s\" cannot stand here; write \"%s\"", others[i].sign, others[i].use);
			return;
		}
	size_t n = word_here(c).n ? word_here(c).n : utf8_sequence((const uint8_t *)rest.p, rest.n);
	expr_fail(c, c->at, "“%.*s”不能用在这里；请改正", "\"%.*s\" cannot stand here; correct it", (int)MAX(n, (size_t)1), rest.p);
}

static struct raw *operand(struct compiler *c)
{
	blanks(c);
	struct str w = word_here(c);
	if (w.n)
		return named(c, w);
	if (digit(peek(c, 0)))
		return number(c);
	if (peek(c, 0) == '\'' || peek(c, 0) == '"')
		return quoted(c);
	if (!take(c, "(")) {
		strange(c);
		return NULL;
	}
	struct raw *r = either(c);
	return want(c, ")") ? r : NULL;
}

static struct raw *negative(struct compiler *c)
{
	blanks(c);
	size_t at = c->at;
	if (!take(c, "-"))
		return operand(c);
	if (++c->nesting > LIMIT_EXPR_DEPTH)
		expr_fail(c, at, "负号太多；请改正", "too many minus signs; correct it");
	struct raw *sub = c->failed ? NULL : negative(c);
	c->nesting--;
	if (!sub)
		return NULL;
	struct raw *r = node(c, RAW_OP, at);
	r->op = EXPR_NEG;
	push(c, r, sub);
	return r;
}

// ---- operators, from the strongest to the weakest ----------------------------------------------
static struct raw *product(struct compiler *c)
{
	struct raw *r = negative(c);
	while (r && !c->failed) {
		if (take(c, "*"))
			r = op2(c, EXPR_MUL, r, negative(c));
		else if (take(c, "/"))
			r = op2(c, EXPR_DIV, r, negative(c));
		else
			break;
	}
	return r;
}

static struct raw *sum(struct compiler *c)
{
	struct raw *r = product(c);
	while (r && !c->failed) {
		if (take(c, "+"))
			r = op2(c, EXPR_ADD, r, product(c));
		else if (take(c, "-"))
			r = op2(c, EXPR_SUB, r, product(c));
		else
			break;
	}
	return r;
}

static struct raw *choices(struct compiler *c, struct raw *of)
{
	struct raw *r = node(c, RAW_OP, of->at);
	r->op = EXPR_IN;
	push(c, r, of);
	if (!want(c, "("))
		return NULL;
	arguments(c, r);
	if (r->nsubs < 2)
		expr_fail(c, c->at, "in 后面的括号里至少写一项；请补上", "give at least one choice in the parentheses behind in; add it");
	return r;
}

static struct raw *negated(struct compiler *c, struct raw *of, size_t at)
{
	struct raw *r = of ? node(c, RAW_OP, at) : NULL;
	if (r) {
		r->op = EXPR_NOT;
		push(c, r, of);
	}
	return r;
}

static struct raw *comparison(struct compiler *c)
{
	static const struct { const char *sign; enum expr_op op; } ops[] = {
		{ "==", EXPR_EQ }, { "!=", EXPR_NE }, { "<=", EXPR_LE }, { ">=", EXPR_GE }, { "<", EXPR_LT }, { ">", EXPR_GT },
	};
	struct raw *r = sum(c);
	if (!r || c->failed)
		return r;
	if (take_word(c, "in"))
		return choices(c, r);
	if (str_is(word_here(c), "not")) {
		size_t at = c->at;
		(void)take_word(c, "not");
		if (!take_word(c, "in"))
			expr_fail(c, at, "not 要写在条件前面，或写 not in (…)；请改正", "not stands before a condition, or write not in (…); correct it");
		return c->failed ? NULL : negated(c, choices(c, r), at);
	}
	if (str_starts(str_skip(c->text, c->at), STR("<>")))
		return r; // told by whoever looks for the end
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (take(c, ops[i].sign))
			return op2(c, ops[i].op, r, sum(c));
	return r;
}

static struct raw *negation(struct compiler *c)
{
	blanks(c);
	size_t at = c->at;
	if (!take_word(c, "not"))
		return comparison(c);
	if (++c->nesting > LIMIT_EXPR_DEPTH)
		expr_fail(c, at, "not 太多；请改正", "too many nots; correct it");
	struct raw *sub = c->failed ? NULL : negation(c);
	c->nesting--;
	return negated(c, sub, at);
}

static struct raw *all_of(struct compiler *c, const char *word, enum expr_op op, struct raw *(*next)(struct compiler *))
{
	struct raw *first = next(c), *r = NULL;
	while (first && !c->failed && take_word(c, word)) {
		if (!r) {
			r = node(c, RAW_OP, first->at);
			r->op = op;
			push(c, r, first);
		}
		push(c, r, next(c));
	}
	return r ? r : first;
}

static struct raw *both(struct compiler *c)
{
	return all_of(c, "and", EXPR_AND, negation);
}

static struct raw *either(struct compiler *c)
{
	if (++c->nesting > LIMIT_EXPR_DEPTH)
		expr_fail(c, c->at, "表达式嵌套超过 %u 层；请写得平一些", "the expression is nested deeper than %u levels; make it flatter",
		          (unsigned)LIMIT_EXPR_DEPTH);
	struct raw *r = c->failed ? NULL : all_of(c, "or", EXPR_OR, both);
	c->nesting--;
	return r;
}

struct raw *expr_parse(struct compiler *c)
{
	if (c->text.n > LIMIT_EXPR_TEXT) {
		expr_fail(c, 0, "表达式超过 %u 字节；请拆成几个字段", "the expression is longer than %u bytes; split it over several fields",
		          (unsigned)LIMIT_EXPR_TEXT);
		return NULL;
	}
	struct raw *r = either(c);
	blanks(c);
	if (!c->failed && c->at < c->text.n)
		strange(c);
	return c->failed ? NULL : r;
}
