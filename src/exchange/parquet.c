#include "exchange/parquet.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"

#define GROUP_MAX ((size_t)1 << 30) // bytes of one row group
#define FOOTER_MAX ((size_t)256 << 20)
#define COLUMNS 4

// parquet.thrift: Type, Encoding, PageType, FieldRepetitionType, ConvertedType
enum { TYPE_INT64 = 2, TYPE_DOUBLE = 5, TYPE_BYTES = 6 };
enum { PLAIN = 0, RLE = 3, RLE_DICTIONARY = 8 };
enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };
enum { REQUIRED = 0 };
enum { CONVERTED_UTF8 = 0, CONVERTED_MICROS = 10 };

static const struct {
	const char *name;
	int type;
	int converted; // -1: none
	bool dictionary;
} columns[COLUMNS] = {
	{ "time", TYPE_INT64, CONVERTED_MICROS, false },
	{ "point", TYPE_BYTES, CONVERTED_UTF8, true },
	{ "value", TYPE_DOUBLE, -1, false },
	{ "quality", TYPE_BYTES, CONVERTED_UTF8, true },
};

struct column { // of one row group
	int64_t dictionary, data, size; // offsets in the file; bytes with the pages' heads
};
struct group {
	struct group *next;
	int64_t rows;
	struct column c[COLUMNS];
};
struct parquet {
	int fd;
	int64_t at;          // bytes written
	struct arena *arena;
	struct buf out, page;
	struct group *first, **last;
	size_t groups;
	int64_t rows;
	enum err err;
};

// ---- the Thrift compact protocol, as far as it is needed ----

enum { T_TRUE = 1, T_FALSE = 2, T_I32 = 5, T_I64 = 6, T_BINARY = 8, T_LIST = 9, T_STRUCT = 12 };

struct thrift {
	struct buf *b;
	int last[8]; // field ids, by depth
	int depth;
};

static void varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_add_u8(b, (uint8_t)(v | 0x80));
	buf_add_u8(b, (uint8_t)v);
}

static void field(struct thrift *t, int id, int type) // ids rise by less than 16
{
	buf_add_u8(t->b, (uint8_t)((id - t->last[t->depth]) << 4 | type));
	t->last[t->depth] = id;
}

static void put_int(struct thrift *t, int id, int type, int64_t v)
{
	field(t, id, type);
	varint(t->b, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void put_text(struct buf *b, struct str s)
{
	varint(b, s.n);
	buf_add_str(b, s);
}

static void open_struct(struct thrift *t, int id) // 0: an element of a list
{
	if (id)
		field(t, id, T_STRUCT);
	t->last[++t->depth] = 0;
}

static void close_struct(struct thrift *t)
{
	buf_add_u8(t->b, 0);
	t->depth--;
}

static void open_list(struct thrift *t, int id, int type, size_t n)
{
	field(t, id, T_LIST);
	buf_add_u8(t->b, (uint8_t)((n < 15 ? n : 15) << 4 | (unsigned)type));
	if (n >= 15)
		varint(t->b, n);
}

// ---- pages ----

static enum err flush(struct parquet *p)
{
	const char *at = p->out.p;
	size_t n = p->out.n;
	if (!p->err && !buf_ok(&p->out))
		p->err = ERR_TOO_LARGE;
	while (n && !p->err) {
		ssize_t k = write(p->fd, at, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			p->err = k && errno == ENOSPC ? ERR_FULL : ERR_IO;
			break;
		}
		at += k;
		n -= (size_t)k;
	}
	p->at += (int64_t)p->out.n;
	buf_clear(&p->out);
	return p->err;
}

// Head and bytes of the page in p->page.
static void put_page(struct parquet *p, int kind, size_t values, int encoding)
{
	struct thrift t = { .b = &p->out };
	put_int(&t, 1, T_I32, kind);
	put_int(&t, 2, T_I32, (int64_t)p->page.n);
	put_int(&t, 3, T_I32, (int64_t)p->page.n);
	open_struct(&t, kind == PAGE_DATA ? 5 : 7);
	put_int(&t, 1, T_I32, (int64_t)values);
	put_int(&t, 2, T_I32, encoding);
	if (kind == PAGE_DATA) { // levels: there are none, all is required and flat
		put_int(&t, 3, T_I32, RLE);
		put_int(&t, 4, T_I32, RLE);
	}
	close_struct(&t);
	buf_add_u8(&p->out, 0);
	buf_add_str(&p->out, buf_str(&p->page));
	if (!buf_ok(&p->page))
		p->err = ERR_TOO_LARGE;
	buf_clear(&p->page);
}

static void add_word(struct buf *b, struct str s)
{
	buf_add_le32(b, (uint32_t)s.n);
	buf_add_str(b, s);
}

// A run of one index, in the hybrid of runs and packed bits; indexes are below 256, so they take one byte.
static void add_run(struct buf *b, size_t n, unsigned index)
{
	if (!n)
		return;
	varint(b, (uint64_t)n << 1);
	buf_add_u8(b, (uint8_t)index);
}

static void put_point(struct parquet *p, struct str point, size_t n)
{
	add_word(&p->page, point);
	put_page(p, PAGE_DICTIONARY, 1, PLAIN);
	buf_add_u8(&p->page, 1); // bits of an index
	add_run(&p->page, n, 0);
}

static void put_quality(struct parquet *p, const struct sample *v, size_t n)
{
	for (unsigned q = 0; q < Q__MAX; q++)
		add_word(&p->page, str_of(quality_name((enum quality)q)));
	put_page(p, PAGE_DICTIONARY, Q__MAX, PLAIN);
	buf_add_u8(&p->page, 3);
	size_t from = 0;
	for (size_t i = 1; i <= n; i++)
		if (i == n || v[i].quality != v[from].quality) {
			add_run(&p->page, i - from, MIN(v[from].quality, (uint16_t)Q_BAD));
			from = i;
		}
}

static void put_plain(struct parquet *p, const struct sample *v, size_t n, bool time)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;
		memcpy(&bits, time ? (const void *)&v[i].time : (const void *)&v[i].value, sizeof(bits));
		buf_add_le64(&p->page, bits);
	}
}

struct parquet *parquet_begin(int fd)
{
	struct parquet *p = mem_alloc(sizeof(*p));
	*p = (struct parquet){ .fd = fd, .arena = arena_new(0) };
	p->last = &p->first;
	buf_init(&p->out, MAX(GROUP_MAX, FOOTER_MAX));
	buf_init(&p->page, GROUP_MAX);
	buf_add_cstr(&p->out, "PAR1");
	return p;
}

enum err parquet_add(struct parquet *p, struct str point, const struct sample *v, size_t n)
{
	if (!n || p->err)
		return p->err;
	struct group *g = arena_one(p->arena, struct group);
	g->rows = (int64_t)n;
	for (int c = 0; c < COLUMNS; c++) {
		int64_t begin = p->at + (int64_t)p->out.n;
		if (c == 1)
			put_point(p, point, n);
		else if (c == 3)
			put_quality(p, v, n);
		else
			put_plain(p, v, n, c == 0);
		g->c[c].dictionary = begin;
		g->c[c].data = p->at + (int64_t)p->out.n;
		put_page(p, PAGE_DATA, n, columns[c].dictionary ? RLE_DICTIONARY : PLAIN);
		g->c[c].size = p->at + (int64_t)p->out.n - begin;
	}
	*p->last = g;
	p->last = &g->next;
	p->groups++;
	p->rows += g->rows;
	return flush(p);
}

// ---- the footer ----

static void put_schema(struct thrift *t)
{
	open_list(t, 2, T_STRUCT, COLUMNS + 1);
	open_struct(t, 0);
	field(t, 4, T_BINARY);
	put_text(t->b, STR("readings"));
	put_int(t, 5, T_I32, COLUMNS);
	close_struct(t);
	for (int c = 0; c < COLUMNS; c++) {
		open_struct(t, 0);
		put_int(t, 1, T_I32, columns[c].type);
		put_int(t, 3, T_I32, REQUIRED);
		field(t, 4, T_BINARY);
		put_text(t->b, str_of(columns[c].name));
		if (columns[c].converted >= 0)
			put_int(t, 6, T_I32, columns[c].converted);
		if (c == 0) { // LogicalType TIMESTAMP: adjusted to UTC, unit MICROS
			open_struct(t, 10);
			open_struct(t, 8);
			field(t, 1, T_TRUE);
			open_struct(t, 2);
			open_struct(t, 2);
			close_struct(t);
			close_struct(t);
			close_struct(t);
			close_struct(t);
		} else if (columns[c].dictionary) { // LogicalType STRING
			open_struct(t, 10);
			open_struct(t, 1);
			close_struct(t);
			close_struct(t);
		}
		close_struct(t);
	}
}

static void put_column(struct thrift *t, const struct group *g, int c)
{
	bool dictionary = columns[c].dictionary;
	open_struct(t, 0);
	put_int(t, 2, T_I64, g->c[c].dictionary);
	open_struct(t, 3);
	put_int(t, 1, T_I32, columns[c].type);
	open_list(t, 2, T_I32, dictionary ? 2 : 1);
	varint(t->b, PLAIN << 1);
	if (dictionary)
		varint(t->b, RLE_DICTIONARY << 1);
	open_list(t, 3, T_BINARY, 1);
	put_text(t->b, str_of(columns[c].name));
	put_int(t, 4, T_I32, 0); // codec: none
	put_int(t, 5, T_I64, g->rows);
	put_int(t, 6, T_I64, g->c[c].size);
	put_int(t, 7, T_I64, g->c[c].size);
	put_int(t, 9, T_I64, g->c[c].data);
	if (dictionary)
		put_int(t, 11, T_I64, g->c[c].dictionary);
	close_struct(t);
	close_struct(t);
}

static void put_groups(struct thrift *t, const struct parquet *p)
{
	open_list(t, 4, T_STRUCT, p->groups);
	for (const struct group *g = p->first; g; g = g->next) {
		int64_t size = 0;
		open_struct(t, 0);
		open_list(t, 1, T_STRUCT, COLUMNS);
		for (int c = 0; c < COLUMNS; c++) {
			put_column(t, g, c);
			size += g->c[c].size;
		}
		put_int(t, 2, T_I64, size);
		put_int(t, 3, T_I64, g->rows);
		close_struct(t);
	}
}

enum err parquet_end(struct parquet *p, int64_t *ret_size)
{
	if (!p->err)
		(void)flush(p);
	struct thrift t = { .b = &p->out };
	put_int(&t, 1, T_I32, 1); // version
	put_schema(&t);
	put_int(&t, 3, T_I64, p->rows);
	put_groups(&t, p);
	field(&t, 6, T_BINARY);
	put_text(&p->out, STR("Anlan"));
	buf_add_u8(&p->out, 0);
	buf_add_le32(&p->out, (uint32_t)p->out.n);
	buf_add_cstr(&p->out, "PAR1");
	enum err err = flush(p);
	*ret_size = p->at;
	buf_free(&p->out);
	buf_free(&p->page);
	arena_free(p->arena);
	mem_free(p);
	return err;
}
