// Which rows of an image a list admits: a bit a row. Every leaf is one pass over one array: of texts over the codes, after
// one pass over the dictionary. Pure, under the image's lock; says the same as records_where.c does in SQL.
#include <stdlib.h>

#include "base/pinyin.h"
#include "store/image.h"

#define COND_DEPTH 32
#define SEARCH_FEW 16 // below 1/16 of the rows texts are looked at row by row

struct select {
	const struct image *m;
	const struct table *t;
	struct arena *a;
	size_t words;
};

// ---- needs -------------------------------------------------------------------------------------
static bool need_column(const struct table *t, struct str name, struct image_need *need)
{
	enum column_kind kind;
	for (size_t i = 0; i < need->ncolumns; i++)
		if (str_eq(need->columns[i].name, name))
			return true;
	if (need->ncolumns == IMAGE_COLUMNS || column_check(t, name, &kind, NULL))
		return false;
	need->columns[need->ncolumns++] = (struct column){ .name = name, .kind = kind };
	return true;
}

static bool need_cond(const struct table *t, const struct condition *c, unsigned depth, struct image_need *need)
{
	bool ok = depth > 0 && c->op < COND_MATCHED; // of more than the row: from disk
	if (c->op == COND_FILTER || c->op == COND_COLUMNS)
		ok = ok && need_column(t, c->filter.column, need) && (c->op == COND_FILTER || need_column(t, c->other, need));
	for (size_t i = 0; ok && (c->op == COND_AND || c->op == COND_OR || c->op == COND_NOT) && i < c->nsubs; i++)
		ok = need_cond(t, &c->subs[i], depth - 1, need);
	return ok;
}

bool image_needs(const struct table *t, const struct scope *scope, const struct list_query *lq, struct image_need *need)
{
	bool ok = (lq && lq->with_retired) || need_column(t, STR("retired"), need);
	if (scope && scope->area.n)
		ok = ok && need_column(t, STR("area"), need);
	if (scope && scope->enterprise)
		ok = ok && need_column(t, STR("enterprise"), need);
	if (scope && scope->sectors.n)
		ok = ok && need_column(t, STR("sector"), need);
	for (size_t i = 0; ok && lq && i < lq->nfilters; i++)
		ok = need_column(t, lq->filters[i].column, need);
	if (ok && lq && lq->cond)
		ok = need_cond(t, lq->cond, COND_DEPTH, need);
	for (size_t i = 0; ok && lq && i < lq->nsorts; i++)
		ok = need_column(t, lq->sorts[i].column, need);
	need->text = lq && str_trim(lq->text).n > 0;
	need->sorts = lq ? (struct sort *)(uintptr_t)lq->sorts : NULL;
	need->nsorts = lq ? lq->nsorts : 0;
	return ok;
}

// ---- bits --------------------------------------------------------------------------------------
static uint64_t *bits_new(const struct select *s)
{
	return arena_many(s->a, s->words + 1, uint64_t);
}

static uint64_t last_word(size_t n) // bits that are rows in the last word
{
	return n % 64 ? (UINT64_C(1) << n % 64) - 1 : ~UINT64_C(0);
}

static void bits_not(const struct select *s, uint64_t *b)
{
	for (size_t w = 0; w < s->words; w++)
		b[w] = ~b[w];
	if (s->words)
		b[s->words - 1] &= last_word(s->m->n);
}

static void bits_and(const struct select *s, uint64_t *b, const uint64_t *other)
{
	for (size_t w = 0; w < s->words; w++)
		b[w] &= other[w];
}

// Sets the bits of the rows for which the expression over `r` is true.
#define FOR_ROWS(s, out, expression) \
	for (size_t w_ = 0; w_ < (s)->words; w_++) { \
		size_t from_ = w_ * 64, to_ = MIN(from_ + 64, (s)->m->n); \
		uint64_t word_ = 0; \
		for (size_t r = from_; r < to_; r++) \
			word_ |= (uint64_t)(expression) << (r - from_); \
		(out)[w_] = word_; \
	}

#define FOR_INTS_OF(s, c, nulls, type, none, out, expression) \
	for (size_t w_ = 0; w_ < (s)->words; w_++) { \
		size_t from_ = w_ * 64, n_ = MIN((s)->m->n - from_, (size_t)64); \
		const type *p_ = (const type *)(c)->v + from_; \
		uint64_t word_ = 0; \
		for (size_t r_ = 0; r_ < n_; r_++) { \
			int64_t v = p_[r_], null_ = (nulls) ? -(int64_t)(v == (none)) : 0; /* no branch: nobody can guess what is NULL */ \
			v = (v & ~null_) | (INT_NONE & null_); \
			word_ |= (uint64_t)(expression) << r_; \
		} \
		(out)[w_] = word_; \
	}

// The same over v, the row's integer or code, of a column; nulls: with INT_NONE for NULL, else as it stands there. A loop for each
// width, so that none asks for it at each row.
#define FOR_COLUMN(s, c, nulls, out, expression) \
	do { \
		if ((c)->width == 1) \
			FOR_INTS_OF(s, c, nulls, int8_t, INT8_MIN, out, expression) \
		else if ((c)->width == 2) \
			FOR_INTS_OF(s, c, nulls, int16_t, INT16_MIN, out, expression) \
		else if ((c)->width == 4) \
			FOR_INTS_OF(s, c, nulls, int32_t, INT32_MIN, out, expression) \
		else \
			FOR_INTS_OF(s, c, false, int64_t, INT_NONE, out, expression) \
	} while (0);
#define FOR_INTS(s, c, out, expression) FOR_COLUMN(s, c, true, out, expression)

// ---- texts -------------------------------------------------------------------------------------
static bool compare_says(enum filter_op op, int cmp)
{
	switch (op) {
	case FILTER_LT:
		return cmp < 0;
	case FILTER_LE:
		return cmp <= 0;
	case FILTER_GT:
		return cmp > 0;
	case FILTER_GE:
		return cmp >= 0;
	case FILTER_NE:
		return cmp != 0;
	case FILTER_EQ:
	case FILTER_IN:
	case FILTER_PREFIX:
	case FILTER_NULL:
	case FILTER_CONTAINS:
	case FILTER_NOT_NULL:
		break;
	}
	return cmp == 0;
}

static bool text_says(const struct filter *f, struct str s)
{
	if (f->op == FILTER_PREFIX)
		return str_starts(s, f->vals[0].s);
	if (f->op == FILTER_CONTAINS)
		return f->vals[0].s.n == 0 || memmem(s.p, s.n, f->vals[0].s.p, f->vals[0].s.n) != NULL;
	return compare_says(f->op, str_cmp(s, f->vals[0].s));
}

// Which codes of the dictionary the filter takes.
static uint8_t *codes_taken(const struct select *s, const struct image_column *c, const struct filter *f, bool cond, bool empty)
{
	uint8_t *take = arena_alloc(s->a, c->dict.n + 1);
	uint32_t none = empty ? dict_find(&c->dict, STR_EMPTY) : 0;
	if (f->op == FILTER_NULL || f->op == FILTER_NOT_NULL) {
		memset(take, f->op == FILTER_NOT_NULL, c->dict.n + 1);
		take[none] = f->op == FILTER_NULL;
		take[0] = f->op == FILTER_NULL && !empty;
	} else if (f->op == FILTER_EQ || f->op == FILTER_IN) {
		for (size_t i = 0; i < f->nvals; i++)
			take[dict_find(&c->dict, f->vals[i].s)] = 1;
		take[0] = 0;
	} else {
		for (size_t i = 1; i <= c->dict.n; i++)
			take[i] = text_says(f, dict_text(&c->dict, (uint32_t)i));
		take[0] = f->op == FILTER_NE && !cond;
		if (cond && none && f->op != FILTER_PREFIX && f->op != FILTER_CONTAINS)
			take[none] = 0;
	}
	return take;
}

// ---- numbers -----------------------------------------------------------------------------------
static int cmp_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void int_in(const struct select *s, const struct image_column *c, const struct filter *f, uint64_t *out)
{
	int64_t *sorted = arena_many(s->a, f->nvals + 1, int64_t);
	for (size_t i = 0; i < f->nvals; i++)
		sorted[i] = f->vals[i].i;
	if (f->nvals)
		qsort(sorted, f->nvals, sizeof(*sorted), cmp_i64);
	FOR_INTS(s, c, out, f->nvals && bsearch(&v, sorted, f->nvals, sizeof(*sorted), cmp_i64) != NULL)
}

// none: what stands for "no value" besides NULL. cond: as expressions compare.
static bool int_filter(const struct select *s, const struct image_column *c, const struct filter *f, bool cond, int64_t none, uint64_t *out)
{
	int64_t x = f->nvals ? f->vals[0].i : 0;
	int64_t skip = cond ? none : INT_NONE; // below: & instead of &&, for values that nobody can guess
	switch (f->op) {
	case FILTER_EQ:
		if (c->width < sizeof x && x == column_none(c->width))
			memset(out, 0, s->words * sizeof(*out)); // would be wider if that were in it
		else
			FOR_COLUMN(s, c, false, out, v == x)
		break;
	case FILTER_NE:
		FOR_INTS(s, c, out, (v != x) & ((!cond) | ((v != INT_NONE) & (v != skip))))
		break;
	case FILTER_LT:
		FOR_INTS(s, c, out, (v < x) & (v != INT_NONE) & (v != skip))
		break;
	case FILTER_LE:
		FOR_INTS(s, c, out, (v <= x) & (v != INT_NONE) & (v != skip))
		break;
	case FILTER_GT:
		FOR_INTS(s, c, out, (v > x) & (v != skip))
		break;
	case FILTER_GE:
		FOR_INTS(s, c, out, (v >= x) & (v != INT_NONE) & (v != skip))
		break;
	case FILTER_IN:
		int_in(s, c, f, out);
		break;
	case FILTER_NULL:
		FOR_INTS(s, c, out, v == none)
		break;
	case FILTER_NOT_NULL:
		FOR_INTS(s, c, out, v != none)
		break;
	case FILTER_PREFIX:
	case FILTER_CONTAINS:
		return false;
	}
	return true;
}

static double number_of(struct value v)
{
	return v.kind == VAL_REAL ? v.f : (double)v.i;
}

static bool real_filter(const struct select *s, const double *v, const struct filter *f, bool cond, uint64_t *out)
{
	double x = f->nvals ? number_of(f->vals[0]) : 0;
	switch (f->op) {
	case FILTER_EQ:
		FOR_ROWS(s, out, v[r] == x)
		break;
	case FILTER_NE:
		FOR_ROWS(s, out, v[r] != x && (!cond || v[r] != REAL_NONE))
		break;
	case FILTER_LT:
		FOR_ROWS(s, out, v[r] < x && v[r] != REAL_NONE)
		break;
	case FILTER_LE:
		FOR_ROWS(s, out, v[r] <= x && v[r] != REAL_NONE)
		break;
	case FILTER_GT:
		FOR_ROWS(s, out, v[r] > x)
		break;
	case FILTER_GE:
		FOR_ROWS(s, out, v[r] >= x && v[r] != REAL_NONE)
		break;
	case FILTER_NULL:
		FOR_ROWS(s, out, v[r] == REAL_NONE)
		break;
	case FILTER_NOT_NULL:
		FOR_ROWS(s, out, v[r] != REAL_NONE)
		break;
	case FILTER_IN:
		memset(out, 0, s->words * sizeof(*out));
		for (size_t i = 0; i < f->nvals; i++)
			for (size_t r = 0; r < s->m->n; r++)
				if (v[r] == number_of(f->vals[i]))
					out[r / 64] |= UINT64_C(1) << r % 64;
		break;
	case FILTER_PREFIX:
	case FILTER_CONTAINS:
		return false;
	}
	return true;
}

static bool leaf(const struct select *s, const struct filter *f, bool cond, uint64_t *out)
{
	const struct image_column *c = image_column(s->m, f->column);
	enum column_kind kind = COL_TEXT;
	if (!c || filter_check(s->t, f, NULL))
		return false;
	bool empty = none_is_empty(s->t, f->column, &kind);
	if (c->kind == COL_TEXT) {
		const uint8_t *take = codes_taken(s, c, f, cond, empty);
		FOR_COLUMN(s, c, false, out, take[v])
		return true;
	}
	if (c->kind == COL_REAL)
		return real_filter(s, column_reals(c), f, cond, out);
	for (size_t i = 0; i < f->nvals; i++)
		if (f->vals[i].kind != VAL_INT)
			return false;
	return int_filter(s, c, f, cond, empty ? 0 : INT_NONE, out);
}

// ---- conditions --------------------------------------------------------------------------------
static bool is_none(const struct image_column *c, bool empty, size_t r)
{
	switch (c->kind) {
	case COL_TEXT:
		return column_int(c, r) == 0 || (empty && dict_text(&c->dict, (uint32_t)column_int(c, r)).n == 0);
	case COL_INT:
		return column_int(c, r) == INT_NONE || (empty && column_int(c, r) == 0);
	case COL_REAL:
		break;
	}
	return column_reals(c)[r] == REAL_NONE;
}

static double real_of(const struct image_column *c, size_t r)
{
	return c->kind == COL_INT ? (double)column_int(c, r) : column_reals(c)[r];
}

static int cmp_columns(const struct image_column *x, const struct image_column *y, size_t r)
{
	if (x->kind == COL_TEXT)
		return str_cmp(dict_text(&x->dict, (uint32_t)column_int(x, r)), dict_text(&y->dict, (uint32_t)column_int(y, r)));
	if (x->kind == COL_INT && y->kind == COL_INT)
		return (column_int(x, r) > column_int(y, r)) - (column_int(x, r) < column_int(y, r));
	double a = real_of(x, r), b = real_of(y, r);
	return (a > b) - (a < b);
}

static bool columns_leaf(const struct select *s, const struct condition *c, uint64_t *out)
{
	const struct image_column *x = image_column(s->m, c->filter.column), *y = image_column(s->m, c->other);
	enum column_kind kind;
	if (!x || !y || (x->kind == COL_TEXT) != (y->kind == COL_TEXT) || c->filter.op > FILTER_GE)
		return false;
	bool ex = none_is_empty(s->t, c->filter.column, &kind), ey = none_is_empty(s->t, c->other, &kind);
	FOR_ROWS(s, out, !is_none(x, ex, r) && !is_none(y, ey, r) && compare_says(c->filter.op, cmp_columns(x, y, r)))
	return true;
}

static bool condition(const struct select *s, const struct condition *c, unsigned depth, uint64_t *out)
{
	if (depth == 0 || c->op >= COND_MATCHED)
		return false;
	if (c->op == COND_FILTER)
		return leaf(s, &c->filter, true, out);
	if (c->op == COND_COLUMNS)
		return columns_leaf(s, c, out);
	if (c->op == COND_NOT) {
		bool ok = c->nsubs == 1 && condition(s, &c->subs[0], depth - 1, out);
		bits_not(s, out);
		return ok;
	}
	uint64_t *one = bits_new(s);
	memset(out, c->op == COND_AND ? 0xff : 0, s->words * sizeof(*out));
	for (size_t i = 0; i < c->nsubs; i++) {
		if (!condition(s, &c->subs[i], depth - 1, one))
			return false;
		for (size_t w = 0; w < s->words; w++)
			out[w] = c->op == COND_AND ? out[w] & one[w] : out[w] | one[w];
	}
	if (s->words)
		out[s->words - 1] &= last_word(s->m->n);
	return true;
}

// ---- search ------------------------------------------------------------------------------------
static void search_all(const struct image_text *t, struct str word, uint64_t *found)
{
	size_t e = 0;
	for (size_t at = 0; (at = text_find(t->p, t->n, at, word)) < t->n;) {
		size_t lo = e, step = 1; // the last entry that begins at or before it
		for (; lo + step < t->entries && text_at(t, lo + step) <= at; step *= 2)
			lo += step;
		size_t hi = MIN(lo + step, t->entries);
		while (lo + 1 < hi) {
			size_t mid = lo + (hi - lo) / 2;
			if (text_at(t, mid) <= at)
				lo = mid;
			else
				hi = mid;
		}
		e = lo;
		found[text_row(t, e) / 64] |= UINT64_C(1) << text_row(t, e) % 64;
		if (e + 1 == t->entries)
			return;
		at = text_at(t, ++e);
	}
}

static void search_rows(const struct select *s, const struct image_text *t, struct str word, const uint64_t *bits, uint64_t *found)
{
	for (size_t w = 0; w < s->words; w++)
		for (uint64_t left = bits[w]; left; left &= left - 1) {
			size_t r = w * 64 + (size_t)__builtin_ctzll(left);
			struct str text = text_of_row(t, r);
			if (text_find(text.p, text.n, 0, word) < text.n)
				found[w] |= left & -left;
		}
}

static size_t bits_count(const struct select *s, const uint64_t *b)
{
	size_t n = 0;
	for (size_t w = 0; w < s->words; w++)
		n += (size_t)__builtin_popcountll(b[w]);
	return n;
}

static void search_word(const struct select *s, struct str word, uint64_t *bits)
{
	uint64_t *found = bits_new(s);
	bool few = bits_count(s, bits) < s->m->n / SEARCH_FEW;
	const struct image_text *texts[] = { &s->m->text, &s->m->letters };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (i == 1 && !pinyin_letters(word))
			continue;
		if (few)
			search_rows(s, texts[i], word, bits, found);
		else
			search_all(texts[i], word, found);
	}
	bits_and(s, bits, found);
}

// ------------------------------------------------------------------------------------------------
static bool scope_bits(const struct select *s, const struct scope *scope, uint64_t *one, uint64_t *bits)
{
	struct filter f[SCOPE_FILTERS];
	size_t n = scope->nothing ? 0 : scope_filters(scope, s->a, f);
	if (scope->nothing)
		memset(bits, 0, s->words * sizeof(*bits));
	for (size_t i = 0; i < n; i++) {
		if (!leaf(s, &f[i], false, one))
			return false;
		bits_and(s, bits, one);
	}
	return true;
}

bool image_select(const struct image *m, const struct table *t, const struct scope *scope, const struct list_query *lq,
                  struct arena *a, uint64_t **ret)
{
	struct select s = { m, t, a, BITS_WORDS(m->n) };
	uint64_t *bits = bits_new(&s), *one = bits_new(&s);
	const struct value no = value_i64(0);
	memset(bits, 0xff, s.words * sizeof(*bits));
	if (s.words)
		bits[s.words - 1] &= last_word(m->n);
	bool ok = true;
	if (!lq || !lq->with_retired) {
		ok = leaf(&s, &(struct filter){ STR("retired"), FILTER_EQ, &no, 1 }, false, one);
		bits_and(&s, bits, one);
	}
	ok = ok && (!scope || scope_bits(&s, scope, one, bits));
	for (size_t i = 0; ok && lq && i < lq->nfilters; i++) {
		ok = leaf(&s, &lq->filters[i], false, one);
		bits_and(&s, bits, one);
	}
	if (ok && lq && lq->cond) {
		ok = condition(&s, lq->cond, COND_DEPTH, one);
		bits_and(&s, bits, one);
	}
	struct str words[SEARCH_WORDS];
	size_t nwords = ok && lq ? search_words(lq->text, a, words) : 0;
	for (size_t i = 0; i < nwords; i++)
		search_word(&s, words[i], bits);
	*ret = bits;
	return ok;
}
