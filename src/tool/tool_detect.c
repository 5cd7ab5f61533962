// `anlan detect`: rows of values on standard input, what is unusual on standard output, line by line. One thread.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "detect/stream.h"
#include "detect/unit.h"
#include "tool/detect_io.h"
#include "tool/tool.h"

static const char usage[] =
	"用法 / usage: anlan detect --mode univariate|multivariate [--train FILE] [--learn ROWS]\n"
	"  标准输入 CSV：时间列和数值列；逗号、分号、制表符或空格分隔；没有表头时行号就是时间\n"
	"  standard input: CSV with a column of times and columns of values, separated by , ; | tab or blanks; without a header the\n"
	"  number of the row is its time. Columns called anomaly, changepoint, label … and numbers of rows are not read.\n"
	"  标准输出 / standard output: time,score,flag  (score 0..1; multivariate: ,cause1,cause2,cause3 — the columns that contribute most)\n"
	"  --train FILE  用另一份正常运行的记录学习 / learn from another recording of normal operation\n"
	"  --learn ROWS  先学习的行数 / rows to learn from first: multivariate 400, univariate 250\n";

struct detect {
	struct arena *a;
	struct rows rows;
	bool multivariate;
	size_t learn;
	struct unit *unit;
	struct stream *stream;
	size_t row; // given so far
	bool odd_said[ROWS_CELLS_MAX];
};

static int refuse(const struct problem *p)
{
	fprintf(stderr, "anlan detect: %.*s / %.*s\n", STR_FMT(p->zh), STR_FMT(p->en));
	return 1;
}

static void say_column(const char *what, struct str name)
{
	fprintf(stderr, "anlan detect: %s: %.*s\n", what, STR_FMT(name));
}

static void say_columns(const struct detect *d)
{
	const struct rows *r = &d->rows;
	for (size_t i = 0; i < r->nlabels; i++)
		say_column("不读标签列 / column of labels not read", r->name[r->label[i]]);
	for (size_t i = 0; i < r->nskipped; i++)
		say_column("不是测量值，不读 / no measured values, not read", r->name[r->skipped[i]]);
	if (r->headed && r->time != ROWS_NONE && !r->time_named)
		say_column("当作时间的列 / taken as the time", r->name[r->time]);
	if (r->time == ROWS_NONE)
		fprintf(stderr, "anlan detect: 没有时间列，以行号为时间 / no column of times, the number of the row is its time\n");
}

// Once a column: somebody who watches must know, and must go on watching.
static void say_odd(struct detect *d, size_t number)
{
	const struct rows *r = &d->rows;
	if (r->odd == ROWS_NONE || d->odd_said[r->odd])
		return;
	d->odd_said[r->odd] = true;
	fprintf(stderr, "anlan detect: 第 %zu 行第 %zu 列（%.*s）：“%.*s”不是数，当作缺失；此列以后不再提示 / line %zu, column %zu (%.*s): \"%.*s\" is not a number, "
	        "taken as missing; not said again of this column\n", number, r->odd + 1, STR_FMT(r->name[r->odd]), STR_FMT(r->odd_text), number,
	        r->odd + 1, STR_FMT(r->name[r->odd]), STR_FMT(r->odd_text));
}

static void say_learned(const struct detect *d)
{
	for (size_t i = 0; d->unit && i < d->rows.nvalues; i++) {
		struct str name = d->rows.name[d->rows.value[i]];
		if (unit_column_kind(d->unit, i) == UNIT_CONSTANT)
			fprintf(stderr, "anlan detect: 学习期间没有变化或匀速变化，不参与判断 / constant or evenly rising while learning, left out: %.*s\n", STR_FMT(name));
		else if (unit_column_kind(d->unit, i) == UNIT_MOVING)
			fprintf(stderr, "anlan detect: 变化缓慢，按变化判断 / wanders slowly, judged by how it moves: %.*s\n", STR_FMT(name));
	}
}

// Which column of the recording is the i-th of ours: by name where both have names, else by place.
static enum err match_columns(const struct detect *d, const struct recording *r, const char *path, size_t *ret, struct problem *p)
{
	bool named = d->multivariate && d->rows.headed && r->names;
	if (!named && r->columns != d->rows.nvalues)
		return problem_set(p, ERR_INVALID, path, "%s 有 %zu 列数值，应有 %zu 列", "%s has %zu columns of values, not %zu", path, r->columns, d->rows.nvalues);
	for (size_t i = 0; i < d->rows.nvalues; i++) {
		struct str name = d->rows.name[d->rows.value[i]];
		size_t k = i;
		if (named && !(k < r->columns && str_eq(r->names[k], name)))
			for (k = 0; k < r->columns && !str_eq(r->names[k], name); k++)
				;
		if (k == r->columns)
			return problem_set(p, ERR_INVALID, path, "%s 中没有数值列 %.*s", "%s has no column of values called %.*s", path, STR_FMT(name));
		ret[i] = k;
	}
	return OK;
}

static enum err train(struct detect *d, const char *path, struct problem *p)
{
	struct recording r;
	size_t column[ROWS_VALUES_MAX];
	double row[ROWS_VALUES_MAX];
	enum err err = recording_load(&r, d->a, path, !d->multivariate, d->rows.nvalues, p);
	if (!err)
		err = match_columns(d, &r, path, column, p);
	if (err)
		return err;
	if (r.rows < UNIT_LEARN_MIN)
		return problem_set(p, ERR_INVALID, path, "%s 只有 %zu 行，至少要 %d 行", "%s has %zu rows; at least %d are needed", path, r.rows,
		                   UNIT_LEARN_MIN);
	if (r.odd)
		fprintf(stderr, "anlan detect: %s：%zu 行中有不是数的单元格，当作缺失 / in %zu rows something is not a number, taken as missing\n", path, r.odd, r.odd);
	size_t from = r.rows > UNIT_LEARN_MAX ? r.rows - UNIT_LEARN_MAX : 0; // the newest
	d->learn = r.rows - from;
	struct unit_score ignored;
	struct stream_score ignored_too;
	if (d->multivariate)
		d->unit = unit_new(d->rows.nvalues, UNIT_LEARN_MAX);
	else
		d->stream = stream_new(MAX(d->learn, (size_t)STREAM_LEARN_MIN));
	for (size_t i = from; i < r.rows; i++) {
		for (size_t k = 0; k < d->rows.nvalues; k++)
			row[k] = r.values[i * r.columns + column[k]];
		if (d->multivariate)
			unit_feed(d->unit, row, &ignored);
		else
			stream_feed(d->stream, row[0], &ignored_too);
	}
	d->learn = 0;
	return !d->multivariate || unit_learn_end(d->unit) ? OK : problem_set(p, ERR_BUG, path, "学习失败", "learning failed");
}

static void print_text(struct str s)
{
	bool quote = memchr(s.p, ',', s.n) || memchr(s.p, '"', s.n);
	if (quote)
		putchar('"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			putchar('"');
		putchar(s.p[i]);
	}
	if (quote)
		putchar('"');
}

static void print_time(const struct detect *d, const struct str time[2])
{
	if (d->rows.time == ROWS_NONE) {
		printf("%zu", d->row);
		return;
	}
	print_text(time[0]);
	if (d->rows.clock != ROWS_NONE) {
		putchar(' ');
		print_text(time[1]);
	}
}

static enum err judge_line(struct detect *d, struct str line, size_t number, struct problem *p)
{
	double v[ROWS_VALUES_MAX];
	struct str time[2];
	enum err err = rows_read(&d->rows, line, number, time, v, p);
	if (err)
		return err;
	say_odd(d, number);
	d->row++;
	print_time(d, time);
	if (!d->multivariate) {
		struct stream_score s;
		stream_feed(d->stream, v[0], &s);
		printf(",%.9f,%d\n", s.score, s.flag);
		return OK;
	}
	struct unit_score s;
	bool learning = d->row == d->learn;
	unit_feed(d->unit, v, &s);
	printf(",%.9f,%d", s.score, s.flag);
	for (size_t i = 0; i < UNIT_CAUSES; i++) {
		putchar(',');
		if (i < s.ncauses)
			print_text(d->rows.name[d->rows.value[s.cause[i]]]);
	}
	putchar('\n');
	if (learning)
		say_learned(d);
	return OK;
}

// The first row: now the columns are known.
static enum err begin(struct detect *d, struct str line, const char *train_path, struct problem *p)
{
	enum err err = rows_settle(&d->rows, line, !d->multivariate, p);
	if (err)
		return err;
	say_columns(d);
	if (train_path) {
		err = train(d, train_path, p);
		if (!err)
			say_learned(d);
	} else if (d->multivariate) {
		d->unit = unit_new(d->rows.nvalues, d->learn);
	} else {
		d->stream = stream_new(d->learn);
	}
	return err;
}

static enum err take_line(struct detect *d, struct str line, size_t number, const char *train_path, struct problem *p)
{
	enum err err = OK;
	if (!d->rows.cells) {
		if (number == 1 && str_starts(line, STR("sep="))) // a spreadsheet's hint
			return OK;
		err = rows_begin(&d->rows, d->a, line, !d->multivariate, p);
		if (err)
			return err;
		puts(d->multivariate ? "time,score,flag,cause1,cause2,cause3" : "time,score,flag");
		if (d->rows.headed)
			return OK;
	}
	if (!d->unit && !d->stream)
		err = begin(d, line, train_path, p);
	return err ? err : judge_line(d, line, number, p);
}

// What nobody could see in a column of zeros.
static void say_end(const struct detect *d)
{
	if (d->row <= d->learn)
		fprintf(stderr, "anlan detect: 只有 %zu 行，学习要 %zu 行：什么也没有判断；减少 --learn，或用 --train 给出正常运行的记录 / only %zu rows, learning takes %zu: nothing "
		        "was judged; lower --learn, or give a recording of normal operation by --train\n", d->row, d->learn, d->row, d->learn);
}

static int run(struct detect *d, const char *train_path)
{
	struct problem p;
	struct lines l;
	struct str line;
	bool any = true;
	enum err err;
	problem_init(&p, d->a);
	lines_open(&l, STDIN_FILENO);
	while (!(err = lines_next(&l, &line, &any, &p)) && any) {
		err = take_line(d, line, l.number, train_path, &p);
		if (!err && fflush(stdout) != 0) // who reads wants each row at once
			err = problem_set(&p, ERR_IO, "", "无法写出：%s", "cannot be written: %s", strerror(errno));
		if (err)
			break;
	}
	if (!err && !d->rows.cells)
		err = problem_set(&p, ERR_INVALID, "", "标准输入是空的", "standard input is empty");
	lines_close(&l);
	if (!err && !train_path)
		say_end(d);
	return err ? refuse(&p) : 0;
}

static bool learn_rows(const char *text, size_t least, size_t *ret)
{
	uint64_t n;
	if (!text)
		return true;
	if (!str_to_u64(str_of(text), &n) || n < least || n > UNIT_LEARN_MAX) {
		fprintf(stderr, "anlan detect: --learn: %zu … %d\n", least, UNIT_LEARN_MAX);
		return false;
	}
	*ret = (size_t)n;
	return true;
}

int tool_detect(int argc, char **argv)
{
	const char *mode = tool_option(&argc, argv, "--mode"), *train_path = tool_option(&argc, argv, "--train");
	const char *learn = tool_option(&argc, argv, "--learn");
	if (tool_flag(&argc, argv, "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	tool_no_more_options(argc, argv, usage);
	struct detect d = { .multivariate = mode && strcmp(mode, "multivariate") == 0 };
	if (argc || !mode || (!d.multivariate && strcmp(mode, "univariate") != 0) || (learn && train_path)) {
		fputs(usage, stderr);
		return 2;
	}
	d.learn = d.multivariate ? UNIT_LEARN_DEFAULT : STREAM_LEARN_DEFAULT;
	if (!learn_rows(learn, d.multivariate ? UNIT_LEARN_MIN : STREAM_LEARN_MIN, &d.learn))
		return 2;
	d.a = arena_new(0);
	int status = run(&d, train_path);
	unit_free(d.unit);
	stream_free(d.stream);
	arena_free(d.a);
	return status;
}
