// Slices end at the end of a line and are read by the reader of all CSV (sheet.h) with the heading in front, so that each
// knows its separator; a quote over several lines has no meaning here.
#include "exchange/readings_in.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "exchange/sheet.h"
#include "exchange/when.h"

#define SLICE (1u << 20)
#define BATCH 5000u // T_SERIES takes them in a few milliseconds

enum { COLUMN_NONE, COLUMN_TIME, COLUMN_POINT, COLUMN_VALUE, COLUMN_QUALITY, COLUMN_OF_POINT };

struct column {
	int what;
	uint32_t point;     // COLUMN_OF_POINT
	struct str name;
};

struct read {
	const struct readings_in *in;
	struct arena *a;            // of the file
	struct column columns[LIMIT_SHEET_COLUMNS];
	size_t ncolumns;
	bool wide;
	struct buf text;            // heading, then the lines of a slice
	size_t heading;             // bytes of it
	uint64_t rows, before;      // before: lines of the slices that are done, the heading too
	struct reading *v;
	size_t n;
	struct problem *p;
};

static enum err flush(struct read *r)
{
	enum err err = r->n ? r->in->take(r->in->arg, r->v, r->n) : OK;
	r->n = 0;
	return err ? problem_set(r->p, err, NULL, "读数没有保存：%s", "the readings were not stored: %s", err_name(err)) : OK;
}

// ---- the heading --------------------------------------------------------------------------------

static int column_of(struct str name)
{
	static const struct { const char *name; int what; } known[] = {
		{ "time", COLUMN_TIME }, { "时间", COLUMN_TIME }, { "采集时间", COLUMN_TIME }, { "point", COLUMN_POINT }, { "监测点", COLUMN_POINT },
		{ "编号", COLUMN_POINT }, { "value", COLUMN_VALUE }, { "数值", COLUMN_VALUE }, { "值", COLUMN_VALUE }, { "quality", COLUMN_QUALITY },
		{ "质量", COLUMN_QUALITY },
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(name, str_of(known[i].name)))
			return known[i].what;
	return COLUMN_NONE;
}

static size_t count_of(const struct read *r, int what)
{
	size_t n = 0;
	for (size_t i = 0; i < r->ncolumns; i++)
		n += r->columns[i].what == what;
	return n;
}

static void take_heading(struct read *r, const struct sheet_row *row)
{
	r->ncolumns = MIN(row->ncells, (size_t)LIMIT_SHEET_COLUMNS);
	for (size_t i = 0; i < r->ncolumns; i++) {
		struct str name = str_trim(row->cells[i].text);
		r->columns[i] = (struct column){ .what = column_of(name), .name = arena_str(r->a, name) };
	}
}

// Without a column of points every other heading is a point.
static void take_points(struct read *r)
{
	r->wide = true;
	for (size_t i = 0; i < r->ncolumns; i++) {
		struct column *c = &r->columns[i];
		if (c->what == COLUMN_TIME || !c->name.n)
			continue;
		c->what = r->in->point(r->in->arg, c->name, &c->point) ? COLUMN_OF_POINT : COLUMN_NONE;
		if (c->what == COLUMN_NONE)
			r->in->wrong(r->in->arg, 1, c->name, "没有这个编号的监测点，整列略过", "no point has this code; the column is left out");
	}
}

static enum err check_heading(struct read *r)
{
	size_t times = count_of(r, COLUMN_TIME), points = count_of(r, COLUMN_POINT), values = count_of(r, COLUMN_VALUE);
	if (times != 1 || points > 1 || values > 1 || count_of(r, COLUMN_QUALITY) > 1 || (points && !values))
		return problem_set(r->p, ERR_PARSE, NULL,
		                   "第一行须为列名：时间、监测点、数值（可加质量）各一列；或时间一列，其余各列以监测点编号为列名",
		                   "the first row must name the columns: time, point, value (and quality) once each; or time once and the codes of points");
	if (!points)
		take_points(r);
	if (!points && !count_of(r, COLUMN_OF_POINT))
		return problem_set(r->p, ERR_NOT_FOUND, NULL, "没有一列的列名是监测点编号", "no column is headed by the code of a point");
	return OK;
}

// ---- rows ---------------------------------------------------------------------------------------

static struct str cell_text(const struct sheet_row *row, size_t column)
{
	return column < row->ncells ? str_trim(row->cells[column].text) : STR_EMPTY;
}

static bool read_time(struct str s, int64_t *ret)
{
	struct when w;
	if (time_parse(s, ret) || time_parse_local(s, time_zone(), ret))
		return true;
	if (!when_from_text(s, &w))
		return false;
	*ret = time_from_civil(w.civil, time_zone());
	return true;
}

static bool read_quality(struct str s, uint16_t *ret)
{
	*ret = Q_GOOD;
	while (s.n && *ret < Q__MAX && !str_is(s, quality_name((enum quality)*ret)))
		++*ret;
	return *ret < Q__MAX;
}

static void wrong(struct read *r, const struct sheet_row *row, size_t column, const char *zh, const char *en)
{
	r->in->wrong(r->in->arg, r->before + row->number - 1, r->columns[column].name, zh, en);
}

// A value of a point at a time; false: it is wrong and was told.
static bool add(struct read *r, const struct sheet_row *row, size_t column, uint32_t point, int64_t time, uint16_t quality)
{
	struct str s = cell_text(row, column);
	double v = 0;
	if (!(s.n ? str_to_f64(s, &v) : quality == Q_BAD)) {
		wrong(r, row, column, s.n ? "不是数" : "没有数值", s.n ? "not a number" : "there is no value");
		return false;
	}
	r->v[r->n++] = (struct reading){ .point = point, .quality = quality, .flags = READING_HISTORY, .time = time, .value = v };
	return true;
}

static size_t column_at(const struct read *r, int what)
{
	size_t i = 0;
	while (i < r->ncolumns && r->columns[i].what != what)
		i++;
	return i;
}

static void long_row(struct read *r, const struct sheet_row *row, int64_t time)
{
	uint32_t point;
	uint16_t quality = Q_GOOD;
	size_t at = column_at(r, COLUMN_POINT), q = column_at(r, COLUMN_QUALITY);
	if (!r->in->point(r->in->arg, cell_text(row, at), &point))
		wrong(r, row, at, "没有这个编号的监测点", "no point has this code");
	else if (q < r->ncolumns && !read_quality(cell_text(row, q), &quality))
		wrong(r, row, q, "质量须为 good calibration maintenance flat range stale bad 之一", "the quality is one of good calibration maintenance flat range stale bad");
	else
		add(r, row, column_at(r, COLUMN_VALUE), point, time, quality);
}

static enum err take_row(struct read *r, const struct sheet_row *row)
{
	int64_t time;
	size_t at = column_at(r, COLUMN_TIME);
	r->rows++;
	if (!read_time(cell_text(row, at), &time)) {
		wrong(r, row, at, "时间无法识别，请写如 2026-06-21 08:10:34", "not a time; write for example 2026-06-21 08:10:34");
		return OK;
	}
	if (time > r->in->now + LIMIT_READING_FUTURE_S * US_PER_S || time < r->in->now - LIMIT_READING_PAST_DAYS * US_PER_DAY) {
		wrong(r, row, at, "时间超前或过早", "the time is ahead of now or too old");
		return OK;
	}
	if (!r->wide)
		long_row(r, row, time);
	for (size_t i = 0; r->wide && i < r->ncolumns; i++)
		if (r->columns[i].what == COLUMN_OF_POINT && cell_text(row, i).n)
			add(r, row, i, r->columns[i].point, time, Q_GOOD);
	return r->n + LIMIT_SHEET_COLUMNS > BATCH ? flush(r) : OK;
}

// ---- slices -------------------------------------------------------------------------------------

static enum err read_slice(struct read *r)
{
	struct sheet *s;
	struct sheet_row row;
	bool first = !r->ncolumns;
	enum err err = sheet_open(&s, SHEET_CSV, buf_str(&r->text), r->p);
	if (err)
		return err;
	err = sheet_next(s, &row, r->p);
	if (!err && first) {
		take_heading(r, &row);
		err = check_heading(r);
	}
	while (!err && !(err = sheet_next(s, &row, r->p)) && row.ncells)
		err = take_row(r, &row);
	sheet_close(s);
	return err;
}

static size_t count_lines(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

// The length of text up to its last line end; at the end of the file all of it.
static size_t whole_lines(const struct buf *b, bool end)
{
	size_t n = b->n;
	while (!end && n && b->p[n - 1] != '\n')
		n--;
	return n;
}

// Reads what there is room for.
static enum err fill(struct read *r, bool *ret_end)
{
	*ret_end = false;
	while (r->text.n < SLICE) {
		size_t want = SLICE - r->text.n;
		char *room = buf_room(&r->text, want);
		ssize_t got = room ? read(r->in->fd, room, want) : -1;
		if (got < 0 && room && errno == EINTR)
			continue;
		if (got < 0)
			return problem_set(r->p, ERR_IO, NULL, "文件读不出来", "the file cannot be read");
		buf_commit(&r->text, (size_t)got);
		*ret_end = got == 0;
		if (*ret_end)
			return OK;
	}
	return OK;
}

static enum err read_file(struct read *r)
{
	struct buf rest; // the beginning of a line whose end is in the next slice
	enum err err = OK;
	buf_init(&rest, SLICE);
	for (bool end = false; !err && !end;) {
		err = fill(r, &end);
		size_t n = whole_lines(&r->text, end);
		if (!err && n <= r->heading && r->text.n > n)
			err = problem_set(r->p, ERR_TOO_LARGE, NULL, "第 %llu 行过长", "row %llu is too long", (unsigned long long)r->before + 1);
		if (!err && !r->heading && (str_starts(buf_str(&r->text), STR("\xff\xfe")) || str_starts(buf_str(&r->text), STR("\xfe\xff"))))
			err = problem_set(r->p, ERR_UNSUPPORTED, NULL, "文件是 UTF-16，请另存为 UTF-8", "the file is UTF-16; save it as UTF-8");
		if (err || n <= r->heading)
			break;
		buf_clear(&rest);
		buf_add(&rest, r->text.p + n, r->text.n - n);
		r->text.n = n;
		struct str lines = str_skip(buf_str(&r->text), r->heading);
		size_t count = count_lines(lines);
		if (!r->heading) {
			const char *line_end = memchr(lines.p, '\n', lines.n);
			r->heading = line_end ? (size_t)(line_end - lines.p) + 1 : lines.n;
			r->before = 1;
			count -= line_end != NULL;
		}
		err = read_slice(r);
		r->before += count;
		r->text.n = MIN(r->heading, r->text.n);
		buf_add_str(&r->text, buf_str(&rest));
	}
	buf_free(&rest);
	return err;
}

enum err readings_in_read(const struct readings_in *in, uint64_t *ret_rows, struct problem *p)
{
	struct read *r = mem_alloc(sizeof *r);
	*r = (struct read){ .in = in, .a = arena_new(16 << 10), .p = p };
	r->v = mem_alloc(BATCH * sizeof *r->v);
	buf_init(&r->text, 2 * SLICE);
	enum err err = read_file(r);
	if (!err && !r->ncolumns)
		err = problem_set(p, ERR_PARSE, NULL, "文件是空的", "the file is empty");
	enum err last = flush(r); // also what stood before a mistake
	*ret_rows = r->rows;
	buf_free(&r->text);
	mem_free(r->v);
	arena_free(r->a);
	mem_free(r);
	return err ? err : last;
}
