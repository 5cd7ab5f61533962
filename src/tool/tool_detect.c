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
	"  standard input: CSV with a column of times and columns of values, separated by , ; tab or blanks; without a header the\n"
	"  number of the row is its time. Columns called anomaly, changepoint, label … are not read.\n"
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
};

static int refuse(const struct problem *p)
{
	fprintf(stderr, "anlan detect: %.*s / %.*s\n", STR_FMT(p->zh), STR_FMT(p->en));
	return 1;
}

static void say_columns(const struct detect *d)
{
	for (size_t i = 0; i < d->rows.nlabels; i++) {
		struct str name = d->rows.name[d->rows.label[i]];
		fprintf(stderr, "anlan detect: 不读标签列 / column of labels not read: %.*s\n", STR_FMT(name));
	}
}

static void say_learned(const struct detect *d)
{
	for (size_t i = 0; d->unit && i < d->rows.nvalues; i++) {
		struct str name = d->rows.name[d->rows.value[i]];
		if (unit_column_kind(d->unit, i) == UNIT_CONSTANT)
			fprintf(stderr, "anlan detect: 学习期间没有变化，不参与判断 / constant while learning, left out: %.*s\n", STR_FMT(name));
		else if (unit_column_kind(d->unit, i) == UNIT_MOVING)
			fprintf(stderr, "anlan detect: 变化缓慢，按变化判断 / wanders slowly, judged by how it moves: %.*s\n", STR_FMT(name));
	}
}

static enum err train(struct detect *d, const char *path, struct problem *p)
{
	struct recording r;
	enum err err = recording_load(&r, d->a, path, !d->multivariate, d->rows.nvalues, p);
	if (err)
		return err;
	for (size_t i = 0; d->rows.headed && r.names && i < d->rows.nvalues; i++) {
		struct str here = d->rows.name[d->rows.value[i]], there = r.names[i];
		if (!str_eq(here, there))
			return problem_set(p, ERR_INVALID, path, "第 %zu 个数值列叫 %.*s，在 %s 中叫 %.*s", "value column %zu is called %.*s, in %s %.*s",
			                   i + 1, STR_FMT(here), path, STR_FMT(there));
	}
	if (r.rows < UNIT_LEARN_MIN)
		return problem_set(p, ERR_INVALID, path, "%s 只有 %zu 行，至少要 %d 行", "%s has %zu rows; at least %d are needed", path, r.rows,
		                   UNIT_LEARN_MIN);
	size_t from = r.rows > UNIT_LEARN_MAX ? r.rows - UNIT_LEARN_MAX : 0; // the newest
	d->learn = r.rows - from;
	struct unit_score ignored;
	struct stream_score ignored_too;
	if (d->multivariate) {
		d->unit = unit_new(d->rows.nvalues, UNIT_LEARN_MAX);
		for (size_t i = from; i < r.rows; i++)
			unit_feed(d->unit, r.values + i * r.columns, &ignored);
		return unit_learn_end(d->unit) ? OK : problem_set(p, ERR_BUG, path, "学习失败", "learning failed");
	}
	d->stream = stream_new(MAX(d->learn, (size_t)STREAM_LEARN_MIN));
	for (size_t i = from; i < r.rows; i++)
		stream_feed(d->stream, r.values[i], &ignored_too);
	return OK;
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

static void print_time(const struct detect *d, struct str time)
{
	if (d->rows.time == ROWS_NONE)
		printf("%zu", d->row);
	else
		print_text(time);
}

static enum err judge_line(struct detect *d, struct str line, size_t number, struct problem *p)
{
	double v[ROWS_VALUES_MAX];
	struct str time;
	enum err err = rows_read(&d->rows, line, number, &time, v, p);
	if (err)
		return err;
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

static enum err begin(struct detect *d, struct str line, const char *train_path, struct problem *p)
{
	enum err err = rows_begin(&d->rows, d->a, line, !d->multivariate, p);
	if (err)
		return err;
	say_columns(d);
	if (train_path) {
		err = train(d, train_path, p);
		d->learn = 0;
		if (!err)
			say_learned(d);
	} else if (d->multivariate) {
		d->unit = unit_new(d->rows.nvalues, d->learn);
	} else {
		d->stream = stream_new(d->learn);
	}
	if (!err)
		puts(d->multivariate ? "time,score,flag,cause1,cause2,cause3" : "time,score,flag");
	return err;
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
		bool first = !d->unit && !d->stream;
		if (first && (err = begin(d, line, train_path, &p)))
			break;
		if (!(first && d->rows.headed) && (err = judge_line(d, line, l.number, &p)))
			break;
		if (fflush(stdout) != 0) { // who reads wants each row at once
			err = problem_set(&p, ERR_IO, "", "无法写出：%s", "cannot be written: %s", strerror(errno));
			break;
		}
	}
	if (!err && !d->unit && !d->stream)
		err = problem_set(&p, ERR_INVALID, "", "标准输入是空的", "standard input is empty");
	lines_close(&l);
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
