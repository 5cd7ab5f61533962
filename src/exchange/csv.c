// CSV (RFC 4180) as spreadsheets of this country write it: UTF-8 with or without a mark, UTF-16 with one, GB 18030
// otherwise; comma, semicolon or tab; quotes; line ends of any kind. The text is brought to UTF-8 first, so memory is
// bounded by the upload's limit.
#include <errno.h>
#include <iconv.h>

#include "base/arena.h"
#include "base/limits.h"
#include "exchange/sheet.h"

struct csv {
	char *own;              // the text after a change of encoding, or NULL
	struct str rest;
	char separator;
	uint32_t row;
};

static void csv_close(void *self)
{
	struct csv *c = self;
	mem_free(c->own);
	mem_free(c);
}

// ---- encoding ----------------------------------------------------------------------------------

static enum err convert(struct csv *c, const char *from, struct str in, struct problem *p)
{
	iconv_t cd = iconv_open("UTF-8", from);
	if (cd == (iconv_t)-1)
		return problem_set(p, ERR_UNSUPPORTED, "", "系统不支持编码 %s，请另存为 UTF-8", "the system cannot read %s; save the file as UTF-8", from);
	size_t room = in.n * 2 + 16, left = room, in_left = in.n; // GB 18030 and UTF-16 grow to at most 3/2
	c->own = mem_alloc(room);
	char *src = (char *)(uintptr_t)in.p, *dst = c->own;
	size_t rc = iconv(cd, &src, &in_left, &dst, &left);
	iconv_close(cd);
	if (rc == (size_t)-1) {
		size_t line = 1;
		for (const char *q = in.p; q < src; q++)
			line += *q == '\n';
		return problem_set(p, ERR_PARSE, "", "第 %zu 行的文字既不是 UTF-8 也不是 GB18030，请另存为 UTF-8",
		                   "line %zu is neither UTF-8 nor GB 18030; save the file as UTF-8", line);
	}
	c->rest = str_from(c->own, room - left);
	if (!str_utf8_valid(c->rest))
		return problem_set(p, ERR_PARSE, "", "文字编码不正确，请另存为 UTF-8", "the encoding is not right; save the file as UTF-8");
	return OK;
}

static enum err decode(struct csv *c, struct str in, struct problem *p)
{
	if (str_starts(in, STR("\xff\xfe")))
		return convert(c, "UTF-16LE", str_skip(in, 2), p);
	if (str_starts(in, STR("\xfe\xff")))
		return convert(c, "UTF-16BE", str_skip(in, 2), p);
	if (str_starts(in, STR("\xef\xbb\xbf")))
		in = str_skip(in, 3);
	c->rest = in;
	return str_utf8_valid(in) ? OK : convert(c, "GB18030", in, p);
}

// ---- rows --------------------------------------------------------------------------------------

// The separator that occurs most in the first line, outside quotes.
static char find_separator(struct str text)
{
	size_t comma = 0, semicolon = 0, tab = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.n && (quoted || text.p[i] != '\n'); i++) {
		quoted ^= text.p[i] == '"';
		comma += !quoted && text.p[i] == ',';
		semicolon += !quoted && text.p[i] == ';';
		tab += !quoted && text.p[i] == '\t';
	}
	return tab > comma && tab > semicolon ? '\t' : semicolon > comma ? ';' : ',';
}

// What stands between quotes; c->rest begins behind the first one.
static enum err take_quoted(struct csv *c, struct arena *a, struct str *ret, struct problem *p)
{
	const char *from = c->rest.p, *end = c->rest.p + c->rest.n, *q = from;
	size_t doubled = 0;
	for (; q < end; q++) {
		if (*q != '"')
			continue;
		if (q + 1 == end || q[1] != '"')
			break;
		doubled++;
		q++;
	}
	if (q == end)
		return problem_set(p, ERR_PARSE, "", "第 %u 行起的引号没有结束，请检查该行", "a quote that begins in row %u has no end; look at that row",
		                   c->row);
	struct str raw = str_from(from, (size_t)(q - from));
	c->rest = str_skip(c->rest, raw.n + 1);
	*ret = raw;
	if (!doubled)
		return OK;
	char *out = arena_alloc(a, raw.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		out[n++] = raw.p[i];
		i += raw.p[i] == '"';
	}
	*ret = str_from(out, n);
	return OK;
}

static bool at_end_of_row(const struct csv *c)
{
	return c->rest.n == 0 || c->rest.p[0] == '\n' || c->rest.p[0] == '\r';
}

static struct str take_plain(struct csv *c)
{
	size_t n = 0;
	while (n < c->rest.n && c->rest.p[n] != c->separator && c->rest.p[n] != '\n' && c->rest.p[n] != '\r')
		n++;
	struct str s = str_first(c->rest, n);
	c->rest = str_skip(c->rest, n);
	return s;
}

// Spreadsheets are told "this is text" by ="007" or a leading apostrophe before a sign; neither belongs to the text.
static struct str without_guard(struct str s)
{
	if (s.n >= 3 && s.p[0] == '=' && s.p[1] == '"' && s.p[s.n - 1] == '"')
		return str_from(s.p + 2, s.n - 3);
	if (s.n >= 2 && s.p[0] == '\'' && strchr("=+-@", s.p[1]))
		return str_skip(s, 1);
	return s;
}

static enum err take_field(struct csv *c, struct arena *a, struct str *ret, struct problem *p)
{
	struct str s = STR_EMPTY;
	if (c->rest.n && c->rest.p[0] == '"') {
		c->rest = str_skip(c->rest, 1);
		enum err err = take_quoted(c, a, &s, p);
		if (err)
			return err;
		struct str more = take_plain(c); // "a"b: what some programs write
		if (str_trim(more).n)
			s = arena_printf(a, "%.*s%.*s", STR_FMT(s), STR_FMT(more));
	} else {
		s = take_plain(c);
	}
	if (s.n > LIMIT_CELL)
		return problem_set(p, ERR_TOO_LARGE, "", "第 %u 行有一格超过 %u 字节", "a cell in row %u has more than %u bytes", c->row, LIMIT_CELL);
	*ret = without_guard(s);
	return OK;
}

static void skip_line_end(struct csv *c)
{
	if (c->rest.n && c->rest.p[0] == '\r')
		c->rest = str_skip(c->rest, 1);
	if (c->rest.n && c->rest.p[0] == '\n')
		c->rest = str_skip(c->rest, 1);
}

static enum err csv_next(void *self, struct arena *a, struct sheet_row *ret, struct problem *p)
{
	struct csv *c = self;
	size_t cap = 0;
	*ret = (struct sheet_row){ 0 };
	if (c->rest.n == 0)
		return OK;
	c->row++;
	for (bool more = true; more;) {
		struct str s;
		enum err err = take_field(c, a, &s, p);
		if (err)
			return err;
		if (ret->ncells == LIMIT_SHEET_COLUMNS)
			return problem_set(p, ERR_TOO_LARGE, "", "第 %u 行超过 %u 列", "row %u has more than %u columns", c->row,
			                   (unsigned)LIMIT_SHEET_COLUMNS);
		ret->cells = arena_push(a, ret->cells, &ret->ncells, &cap, sizeof *ret->cells);
		ret->cells[ret->ncells - 1] = (struct cell){ .kind = s.n ? CELL_TEXT : CELL_EMPTY, .text = s };
		more = !at_end_of_row(c);
		if (more)
			c->rest = str_skip(c->rest, 1);
	}
	skip_line_end(c);
	ret->number = c->row;
	return OK;
}

enum err csv_open(struct sheet_reader *ret, struct str bytes, struct problem *p)
{
	struct csv *c = mem_alloc(sizeof *c);
	enum err err = decode(c, bytes, p);
	if (err) {
		csv_close(c);
		return err;
	}
	c->separator = find_separator(c->rest);
	*ret = (struct sheet_reader){ csv_next, csv_close, c };
	return OK;
}
