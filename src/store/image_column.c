// Columns of an image: arrays of numbers, dictionaries of texts, and the long text that searches scan. Under the image's
// lock; knows no SQL.
#include "store/image.h"

// ---- dictionary --------------------------------------------------------------------------------
struct str dict_text(const struct dict *d, uint32_t code)
{
	return code ? str_from(d->pool.p + d->at[code - 1], d->at[code] - d->at[code - 1]) : STR_EMPTY;
}

static size_t dict_slot(const struct dict *d, struct str s)
{
	size_t mask = d->nslots - 1, i = str_hash(s) & mask;
	while (d->slots[i] && !str_eq(dict_text(d, d->slots[i]), s))
		i = (i + 1) & mask;
	return i;
}

static void dict_rehash(struct dict *d)
{
	mem_free(d->slots);
	d->nslots = d->nslots ? d->nslots * 2 : 64;
	d->slots = mem_alloc(d->nslots * sizeof(*d->slots));
	for (size_t c = 1; c <= d->n; c++)
		d->slots[dict_slot(d, dict_text(d, (uint32_t)c))] = (uint32_t)c;
}

uint32_t dict_find(const struct dict *d, struct str s)
{
	return d->nslots ? d->slots[dict_slot(d, s)] : 0;
}

uint32_t dict_code(struct dict *d, struct str s)
{
	if (d->n * 2 >= d->nslots)
		dict_rehash(d);
	size_t slot = dict_slot(d, s);
	if (d->slots[slot])
		return d->slots[slot];
	if (d->n + 1 >= d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->at = mem_resize(d->at, (d->cap + 1) * sizeof(*d->at));
	}
	if (d->n == 0) {
		buf_init(&d->pool, SIZE_MAX / 2);
		d->at[0] = 0;
	}
	buf_add_str(&d->pool, s);
	d->n++;
	d->at[d->n] = d->pool.n;
	return d->slots[slot] = (uint32_t)d->n;
}

void dict_free(struct dict *d)
{
	buf_free(&d->pool);
	mem_free(d->at);
	mem_free(d->slots);
}

// ---- columns -----------------------------------------------------------------------------------
struct image_column *column_new(struct str name, enum column_kind kind, size_t cap)
{
	struct image_column *c = mem_alloc(sizeof(*c));
	assert(name.n < sizeof(c->name));
	memcpy(c->name, name.p, name.n);
	c->kind = kind;
	c->width = kind == COL_REAL ? sizeof(double) : 1;
	column_resize(c, cap);
	return c;
}

void column_free(struct image_column *c)
{
	if (!c)
		return;
	mem_free(c->v);
	dict_free(&c->dict);
	mem_free(c);
}

void column_resize(struct image_column *c, size_t cap)
{
	c->cap = MAX(cap, (size_t)1);
	c->v = mem_resize(c->v, c->cap * c->width);
}

static void store_int(struct image_column *c, size_t row, int64_t v)
{
	switch (c->width) {
	case 1:
		((int8_t *)c->v)[row] = (int8_t)(v == INT_NONE ? INT8_MIN : v);
		break;
	case 2:
		((int16_t *)c->v)[row] = (int16_t)(v == INT_NONE ? INT16_MIN : v);
		break;
	case 4:
		((int32_t *)c->v)[row] = (int32_t)(v == INT_NONE ? INT32_MIN : v);
		break;
	default:
		((int64_t *)c->v)[row] = v;
	}
}

// Of 64 bits everything fits, the least value is INT_NONE itself.
static bool fits(unsigned width, int64_t v)
{
	return width == sizeof(v) || v == INT_NONE || (v > column_none(width) && v < -column_none(width));
}

static void widen(struct image_column *c, int64_t v)
{
	struct image_column wide = *c;
	while (!fits(wide.width, v))
		wide.width *= 2;
	wide.v = mem_resize(NULL, c->cap * wide.width);
	for (size_t r = 0; r < c->n; r++)
		store_int(&wide, r, column_int(c, r));
	mem_free(c->v);
	*c = wide;
}

void column_put_int(struct image_column *c, size_t row, int64_t v)
{
	if (!fits(c->width, v))
		widen(c, v);
	store_int(c, row, v);
	c->n = MAX(c->n, row + 1);
}

void column_set(struct image_column *c, size_t row, struct value v)
{
	switch (c->kind) {
	case COL_TEXT:
		column_put_int(c, row, v.kind == VAL_TEXT ? dict_code(&c->dict, v.s) : 0);
		break;
	case COL_INT:
		column_put_int(c, row, v.kind == VAL_INT ? v.i : INT_NONE);
		break;
	case COL_REAL:
		((double *)c->v)[row] = v.kind == VAL_REAL ? v.f : v.kind == VAL_INT ? (double)v.i : REAL_NONE;
		break;
	}
}

struct image_column *image_column(const struct image *m, struct str name)
{
	for (size_t i = 0; i < m->ncolumns; i++)
		if (str_is(name, m->columns[i]->name))
			return m->columns[i];
	return NULL;
}

// ---- text --------------------------------------------------------------------------------------
void text_resize(struct image_text *t, size_t rows)
{
	t->rows_cap = MAX(rows, (size_t)1);
	if (t->entry)
		t->entry = mem_resize(t->entry, t->rows_cap * sizeof(*t->entry));
}

void text_free(struct image_text *t)
{
	mem_free(t->p);
	mem_free(t->at);
	mem_free(t->base);
	mem_free(t->row);
	mem_free(t->entry);
	*t = (struct image_text){ 0 };
}

static size_t entry_end(const struct image_text *t, size_t e)
{
	return e + 1 < t->entries ? text_at(t, e + 1) : t->n;
}

struct str text_of_row(const struct image_text *t, size_t row)
{
	size_t e = t->entry ? t->entry[row] : row;
	return str_from(t->p + text_at(t, e), entry_end(t, e) - text_at(t, e));
}

static void entries_room(struct image_text *t)
{
	t->entries_cap = MAX(t->entries_cap + t->entries_cap / 8, (size_t)IMAGE_TEXT_BASE);
	t->at = mem_resize(t->at, t->entries_cap * sizeof(*t->at));
	t->base = mem_resize(t->base, (t->entries_cap / IMAGE_TEXT_BASE + 1) * sizeof(*t->base));
	if (t->row)
		t->row = mem_resize(t->row, t->entries_cap * sizeof(*t->row));
}

// From now on entries are not in the order of the rows.
static void tell_apart(struct image_text *t)
{
	t->row = mem_resize(NULL, t->entries_cap * sizeof(*t->row));
	t->entry = mem_resize(NULL, t->rows_cap * sizeof(*t->entry));
	for (size_t e = 0; e < t->entries; e++)
		t->row[e] = t->entry[e] = (uint32_t)e;
}

static void text_append(struct image_text *t, size_t row, struct str s)
{
	if (t->n + s.n + 1 > t->cap) {
		t->cap = MAX(t->cap + t->cap / 2, t->n + s.n + (64 << 10));
		t->p = mem_resize(t->p, t->cap);
	}
	if (t->entries == t->entries_cap)
		entries_room(t);
	if (!t->row && row != t->entries)
		tell_apart(t);
	if (t->entries % IMAGE_TEXT_BASE == 0)
		t->base[t->entries / IMAGE_TEXT_BASE] = t->n;
	t->at[t->entries] = (uint32_t)(t->n - t->base[t->entries / IMAGE_TEXT_BASE]);
	if (t->row) {
		t->row[t->entries] = (uint32_t)row;
		t->entry[row] = (uint32_t)t->entries;
	}
	t->entries++;
	memcpy(t->p + t->n, s.p, s.n);
	t->p[t->n + s.n] = '\n';
	t->n += s.n + 1;
}

void text_compact(struct image_text *t, size_t rows)
{
	if (t->dead < (1u << 20) || t->dead < t->n / 2)
		return;
	struct image_text fresh = { 0 };
	text_resize(&fresh, rows);
	for (size_t row = 0; row < rows; row++) {
		struct str s = text_of_row(t, row);
		text_append(&fresh, row, str_first(s, s.n - 1)); // without its line feed
	}
	text_free(t);
	*t = fresh;
}

void text_put(struct image_text *t, size_t row, bool fresh, struct str s)
{
	if (!fresh) {
		struct str old = text_of_row(t, row);
		memset(t->p + (old.p - t->p), '\n', old.n); // nothing is found there any more
		t->dead += old.n;
	}
	text_append(t, row, s);
}

typedef uint8_t v16 __attribute__((vector_size(16)));
typedef uint64_t v2 __attribute__((vector_size(16)));

static inline v16 load16(const char *p)
{
	v16 v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline v16 splat(char c)
{
	return (v16){ 0 } + (uint8_t)c;
}

// The first of the eight places whose bytes are set in the word where the needle really stands; SIZE_MAX if none.
static size_t find_in_word(const char *p, size_t at, uint64_t word, struct str needle)
{
	while (word) {
		unsigned k = (unsigned)__builtin_ctzll(word) / 8; // the first byte in memory is the lowest (little-endian)
		if (memcmp(p + at + k, needle.p, needle.n) == 0)
			return at + k;
		word &= ~(UINT64_C(0xff) << 8 * k);
	}
	return SIZE_MAX;
}

// Sixteen places at a time: two bytes of the needle must stand there, its last two, which differ most among Chinese
// characters; the rest is compared where they do.
size_t text_find(const char *p, size_t n, size_t from, struct str needle)
{
	if (n < needle.n)
		return n;
	size_t last = needle.n - 1, before = last ? last - 1 : 0, end = n - last; // places [from, end)
	v16 a = splat(needle.p[before]), b = splat(needle.p[last]);
	for (; from + 32 <= end; from += 32) {
		v2 x = (v2)((load16(p + from + before) == a) & (load16(p + from + last) == b));
		v2 y = (v2)((load16(p + from + 16 + before) == a) & (load16(p + from + 16 + last) == b));
		v2 any = x | y;
		if (!(any[0] | any[1]))
			continue;
		const uint64_t words[] = { x[0], x[1], y[0], y[1] };
		for (size_t w = 0; w < ARRAY_LEN(words); w++) {
			size_t i = find_in_word(p, from + 8 * w, words[w], needle);
			if (i != SIZE_MAX)
				return i;
		}
	}
	for (; from < end; from++)
		if (memcmp(p + from, needle.p, needle.n) == 0)
			return from;
	return n;
}
