// Orders of an image: its rows sorted by what a list was sorted by. Made once by a radix sort over ranks; later the rows that
// changed are taken out and put in again, which costs one pass. Under the image's write lock; knows no SQL.
#include <stdlib.h>

#include "store/image.h"

struct str order_spec(const struct sort *sorts, size_t n, struct arena *a)
{
	struct buf b;
	buf_init(&b, 64 << 10);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "%.*s%c", STR_FMT(sorts[i].column), sorts[i].descending ? '-' : '+');
		for (size_t k = 0; k < sorts[i].nranks; k++)
			buf_printf(&b, "%.*s,", STR_FMT(sorts[i].ranks[k]));
		buf_add_u8(&b, ';');
	}
	struct str s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}

struct image_order *image_order(const struct image *m, struct str spec)
{
	for (size_t i = 0; i < m->norders; i++)
		if (str_eq(m->orders[i]->spec, spec))
			return m->orders[i];
	return NULL;
}

void image_order_free(struct image_order *o)
{
	mem_free(o->v);
	arena_free(o->arena);
	mem_free(o);
}

// ---- comparing two rows ------------------------------------------------------------------------
static size_t rank_of(const struct sort_key *k, struct str s)
{
	for (size_t i = 0; i < k->nranks; i++)
		if (str_eq(k->ranks[i], s))
			return i;
	return k->nranks;
}

static int cmp_texts(const struct dict *d, const struct sort_key *k, uint32_t x, uint32_t y)
{
	if (x == y)
		return 0;
	if (k->nranks) {
		size_t a = x ? rank_of(k, dict_text(d, x)) : k->nranks, b = y ? rank_of(k, dict_text(d, y)) : k->nranks;
		return (a > b) - (a < b);
	}
	return x == 0 ? -1 : y == 0 ? 1 : str_cmp(dict_text(d, x), dict_text(d, y));
}

struct comparing {
	const struct image_order *o;
	const struct image_column *columns[8];
};

static int cmp_rows(const void *pa, const void *pb, void *arg)
{
	const struct comparing *cx = arg;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	for (size_t i = 0; i < cx->o->nkeys; i++) {
		const struct image_column *c = cx->columns[i];
		const struct sort_key *k = &cx->o->keys[i];
		int cmp = 0;
		if (c->kind == COL_TEXT)
			cmp = cmp_texts(&c->dict, k, (uint32_t)column_int(c, a), (uint32_t)column_int(c, b));
		else if (c->kind == COL_INT)
			cmp = (column_int(c, a) > column_int(c, b)) - (column_int(c, a) < column_int(c, b));
		else
			cmp = (column_reals(c)[a] > column_reals(c)[b]) - (column_reals(c)[a] < column_reals(c)[b]);
		if (cmp)
			return k->descending ? -cmp : cmp;
	}
	return (a < b) - (a > b); // the younger first
}

static bool comparing(const struct image *m, const struct image_order *o, struct comparing *ret)
{
	ret->o = o;
	for (size_t i = 0; i < o->nkeys; i++)
		if (i == ARRAY_LEN(ret->columns) || !(ret->columns[i] = image_column(m, str_of(o->keys[i].column))))
			return false;
	return true;
}

// ---- making ------------------------------------------------------------------------------------
struct entry {
	struct str s;
	uint32_t code;
};

static int cmp_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	return str_cmp(a->s, b->s);
}

// The place of each code among the texts in their order; 0 is NULL.
static uint32_t *dict_ranks(const struct dict *d, const struct sort_key *k)
{
	uint32_t *rank = mem_alloc((d->n + 1) * sizeof(*rank));
	if (k->nranks) {
		for (size_t c = 0; c <= d->n; c++)
			rank[c] = c ? (uint32_t)rank_of(k, dict_text(d, (uint32_t)c)) : (uint32_t)k->nranks;
		return rank;
	}
	struct entry *v = mem_alloc((d->n + 1) * sizeof(*v));
	for (size_t c = 1; c <= d->n; c++)
		v[c - 1] = (struct entry){ dict_text(d, (uint32_t)c), (uint32_t)c };
	if (d->n)
		qsort(v, d->n, sizeof(*v), cmp_entries);
	for (size_t i = 0; i < d->n; i++)
		rank[v[i].code] = (uint32_t)i + 1;
	mem_free(v);
	return rank;
}

static uint64_t real_key(double f)
{
	uint64_t u;
	f += 0.0; // -0 sorts as 0
	memcpy(&u, &f, sizeof(u));
	return u >> 63 ? ~u : u | UINT64_C(1) << 63;
}

// A number a row whose order is that of the column.
static uint64_t *column_keys(const struct image *m, const struct image_column *c, const struct sort_key *k)
{
	uint64_t *key = mem_alloc((m->n + 1) * sizeof(*key));
	uint32_t *rank = c->kind == COL_TEXT ? dict_ranks(&c->dict, k) : NULL;
	for (size_t r = 0; r < m->n; r++) {
		key[r] = c->kind == COL_TEXT ? rank[column_int(c, r)] :
		         c->kind == COL_INT  ? (uint64_t)column_int(c, r) ^ UINT64_C(1) << 63 :
		                               real_key(column_reals(c)[r]);
		if (k->descending)
			key[r] = ~key[r];
	}
	mem_free(rank);
	return key;
}

// One stable pass over 16 bits of the key.
static void radix_pass(const uint64_t *key, unsigned shift, const uint32_t *from, uint32_t *to, size_t n, size_t *count)
{
	size_t sum = 0;
	for (size_t i = 0; i < 65536; i++) {
		size_t c = count[i];
		count[i] = sum;
		sum += c;
	}
	for (size_t i = 0; i < n; i++)
		to[count[key[from[i]] >> shift & 0xffff]++] = from[i];
}

static uint32_t *radix_sort(const uint64_t *key, uint32_t *v, uint32_t *spare, size_t n)
{
	size_t *count = mem_alloc(65536 * sizeof(*count));
	for (unsigned shift = 0; shift < 64; shift += 16) {
		memset(count, 0, 65536 * sizeof(*count));
		for (size_t i = 0; i < n; i++)
			count[key[i] >> shift & 0xffff]++;
		if (n && count[key[0] >> shift & 0xffff] == n)
			continue; // all the same here
		radix_pass(key, shift, v, spare, n, count);
		uint32_t *t = v;
		v = spare;
		spare = t;
	}
	mem_free(count);
	return v;
}

static struct image_order *order_new(const struct sort *sorts, size_t n)
{
	struct image_order *o = mem_alloc(sizeof(*o));
	o->arena = arena_new(0);
	o->spec = order_spec(sorts, n, o->arena);
	o->keys = arena_many(o->arena, n, struct sort_key);
	o->nkeys = n;
	for (size_t i = 0; i < n; i++) {
		struct sort_key *k = &o->keys[i];
		assert(sorts[i].column.n < sizeof(k->column));
		memcpy(k->column, sorts[i].column.p, sorts[i].column.n);
		k->descending = sorts[i].descending;
		k->nranks = sorts[i].nranks;
		k->ranks = arena_many(o->arena, k->nranks, struct str);
		for (size_t r = 0; r < k->nranks; r++)
			k->ranks[r] = arena_str(o->arena, sorts[i].ranks[r]);
	}
	return o;
}

static void order_sort(const struct image *m, struct image_order *o, const struct comparing *cx)
{
	uint32_t *v = mem_alloc((m->n + 1) * sizeof(*v)), *spare = mem_alloc((m->n + 1) * sizeof(*spare));
	uint32_t *const first = v, *const second = spare;
	for (size_t i = 0; i < m->n; i++)
		v[i] = (uint32_t)(m->n - 1 - i); // the younger first
	for (size_t k = o->nkeys; k-- > 0;) {
		uint64_t *key = column_keys(m, cx->columns[k], &o->keys[k]);
		uint32_t *sorted = radix_sort(key, v, v == first ? second : first, m->n);
		mem_free(key);
		v = sorted;
	}
	mem_free(v == first ? second : first);
	o->v = v;
	o->n = m->n;
	o->seen = m->nlog;
	o->ready = true;
}

void image_order_make(struct image *m, const struct sort *sorts, size_t n)
{
	struct image_order *o = order_new(sorts, n);
	struct comparing cx;
	if (image_order(m, o->spec) || !comparing(m, o, &cx)) {
		image_order_free(o);
		return;
	}
	if (m->norders == IMAGE_ORDERS) { // the one unused longest makes room
		size_t oldest = 0;
		for (size_t i = 1; i < m->norders; i++)
			if (m->orders[i]->used < m->orders[oldest]->used)
				oldest = i;
		image_order_free(m->orders[oldest]);
		m->orders[oldest] = m->orders[--m->norders];
	}
	order_sort(m, o, &cx);
	m->orders[m->norders++] = o;
}

// ---- keeping -----------------------------------------------------------------------------------
// The rows changed since, each once.
static size_t changed_rows(const struct image *m, const struct image_order *o, uint64_t *bits, uint32_t *ret)
{
	size_t n = 0;
	for (size_t i = o->seen; i < m->nlog; i++) {
		uint32_t r = m->log[i];
		if (bits[r / 64] >> r % 64 & 1)
			continue;
		bits[r / 64] |= UINT64_C(1) << r % 64;
		ret[n++] = r;
	}
	return n;
}

void image_order_refresh(struct image *m, struct image_order *o)
{
	struct comparing cx;
	if (o->seen == m->nlog || !comparing(m, o, &cx))
		return;
	uint64_t *bits = mem_alloc((BITS_WORDS(m->n) + 1) * sizeof(*bits));
	uint32_t *changed = mem_alloc((m->nlog - o->seen + 1) * sizeof(*changed)), *v = mem_alloc((m->n + 1) * sizeof(*v));
	size_t nchanged = changed_rows(m, o, bits, changed), kept = 0, n = 0, from = 0;
	for (size_t i = 0; i < o->n; i++)
		if (!(bits[o->v[i] / 64] >> o->v[i] % 64 & 1))
			o->v[kept++] = o->v[i];
	qsort_r(changed, nchanged, sizeof(*changed), cmp_rows, &cx);
	for (size_t i = 0; i < nchanged; i++) {
		size_t lo = from, hi = kept;
		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;
			if (cmp_rows(&o->v[mid], &changed[i], &cx) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		memcpy(v + n, o->v + from, (lo - from) * sizeof(*v));
		n += lo - from;
		v[n++] = changed[i];
		from = lo;
	}
	memcpy(v + n, o->v + from, (kept - from) * sizeof(*v));
	mem_free(o->v);
	o->v = v;
	o->n = n + kept - from;
	o->seen = m->nlog;
	mem_free(bits);
	mem_free(changed);
}
