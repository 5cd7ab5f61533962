#include "tool/detect_io.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"

#define READ_BYTES (1u << 16)

void lines_open(struct lines *l, int fd)
{
	*l = (struct lines){ .fd = fd };
	buf_init(&l->buf, LIMIT_DETECT_LINE + READ_BYTES);
}

void lines_close(struct lines *l)
{
	buf_free(&l->buf);
}

static enum err more(struct lines *l, struct problem *p)
{
	char *room = buf_room(&l->buf, READ_BYTES);
	if (!room)
		return problem_set(p, ERR_TOO_LARGE, "", "第 %zu 行超过 %u 字节", "line %zu has more than %u bytes", l->number + 1, LIMIT_DETECT_LINE);
	ssize_t got;
	do
		got = read(l->fd, room, READ_BYTES);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return problem_set(p, ERR_IO, "", "无法读取：%s", "cannot be read: %s", strerror(errno));
	buf_commit(&l->buf, (size_t)got);
	l->ended = got == 0;
	return OK;
}

enum err lines_next(struct lines *l, struct str *ret, bool *ret_any, struct problem *p)
{
	*ret_any = false;
	for (;;) {
		struct str rest = str_skip(buf_str(&l->buf), l->used);
		const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
		if (!end && !l->ended) {
			buf_drop_front(&l->buf, l->used);
			l->used = 0;
			enum err err = more(l, p);
			if (err)
				return err;
			continue;
		}
		if (!rest.n)
			return OK;
		*ret = str_first(rest, end ? (size_t)(end - rest.p) : rest.n);
		l->used += ret->n + (end != NULL);
		l->number++;
		if (!str_trim(*ret).n)
			continue;
		*ret_any = true;
		return OK;
	}
}

// ---- recordings --------------------------------------------------------------------------------

// Lines of numbers only, as they stand.
struct grid {
	struct str *line;
	size_t n, cap;
};

static enum err read_lines(struct grid *g, struct arena *a, const char *path, struct problem *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return problem_set(p, ERR_NOT_FOUND, path, "打不开 %s：%s", "%s cannot be opened: %s", path, strerror(errno));
	struct lines l;
	lines_open(&l, fd);
	enum err err;
	for (bool any = true;;) {
		struct str s;
		err = lines_next(&l, &s, &any, p);
		if (err || !any)
			break;
		g->line = arena_push(a, g->line, &g->n, &g->cap, sizeof *g->line);
		g->line[g->n - 1] = arena_str(a, s);
	}
	lines_close(&l);
	close(fd);
	return !err && !g->n ? problem_set(p, ERR_INVALID, path, "%s 是空的", "%s is empty", path) : err;
}

static size_t count_cells(struct str line)
{
	size_t n = 0;
	for (struct str rest = line, cell; rows_cell(&rest, ' ', &cell);)
		n++;
	return n;
}

// A variable a line, white space between: value k of line c is row k, column c.
static enum err load_on_its_side(struct recording *ret, struct arena *a, const struct grid *g, struct problem *p)
{
	ret->columns = g->n;
	ret->rows = count_cells(g->line[0]);
	ret->values = arena_many(a, ret->rows * ret->columns, double);
	ret->times = arena_many(a, ret->rows, struct str);
	for (size_t c = 0; c < g->n; c++) {
		struct str rest = g->line[c], cell;
		size_t k = 0;
		for (; rows_cell(&rest, ' ', &cell); k++)
			if (k >= ret->rows || !rows_number(cell, &ret->values[k * ret->columns + c]))
				return problem_set(p, ERR_INVALID, "", "第 %zu 行第 %zu 列不是数，或该行太长", "line %zu, column %zu is not a number, or the line is too long",
				                   c + 1, k + 1);
		if (k != ret->rows)
			return problem_set(p, ERR_INVALID, "", "第 %zu 行有 %zu 列，应有 %zu 列", "line %zu has %zu columns, not %zu", c + 1, k, ret->rows);
	}
	return OK;
}

static double label_of(const struct rows *r, struct str line)
{
	struct str cell;
	size_t column = 0;
	double v = NAN;
	for (struct str rest = line; rows_cell(&rest, r->separator, &cell); column++)
		if (str_is(r->name[MIN(column, r->cells - 1)], "anomaly") && !rows_number(cell, &v))
			return NAN;
	return v;
}

enum err recording_load(struct recording *ret, struct arena *a, const char *path, bool one_value, size_t columns, struct problem *p)
{
	struct grid g = { 0 };
	struct rows *r = arena_one(a, struct rows);
	*ret = (struct recording){ 0 };
	enum err err = read_lines(&g, a, path, p);
	if (err)
		return err;
	if (columns && g.n == columns && !memchr(g.line[0].p, ',', g.line[0].n) && count_cells(g.line[0]) != columns)
		return load_on_its_side(ret, a, &g, p);
	err = rows_begin(r, a, g.line[0], one_value, p);
	if (err)
		return err;
	size_t from = r->headed;
	if (from < g.n && (err = rows_settle(r, g.line[from], one_value, p)))
		return err;
	ret->rows = g.n - from;
	ret->columns = r->nvalues;
	ret->values = arena_many(a, ret->rows * ret->columns, double);
	ret->times = arena_many(a, ret->rows, struct str);
	struct str *names = arena_many(a, r->nvalues, struct str);
	for (size_t i = 0; i < r->nvalues; i++)
		names[i] = r->name[r->value[i]];
	ret->names = r->headed ? names : NULL;
	for (size_t k = 0; r->headed && k < r->nlabels; k++)
		if (str_is(r->name[r->label[k]], "anomaly"))
			ret->anomaly = arena_many(a, ret->rows, double);
	for (size_t i = 0; i < ret->rows; i++) {
		struct str time[2];
		err = rows_read(r, g.line[i + from], i + from + 1, time, ret->values + i * ret->columns, p);
		if (err)
			return err;
		ret->times[i] = time[0];
		ret->odd += r->odd != ROWS_NONE;
		if (ret->anomaly)
			ret->anomaly[i] = label_of(r, g.line[i + from]);
	}
	if (columns && !ret->names && ret->columns != columns)
		return problem_set(p, ERR_INVALID, path, "%s 有 %zu 列数值，应有 %zu 列", "%s has %zu columns of values, not %zu", path, ret->columns, columns);
	return OK;
}
