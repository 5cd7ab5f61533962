// `anlan qra FILE.json`: the regional assessment of a park on files, with the data tables of the packs beside the program.
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/jw.h"
#include "base/limits.h"
#include "risk/qra.h"
#include "tool/tool.h"

#define OUTPUT_BYTES_MAX (64u << 20)

static const char usage[] = "用法 / usage: anlan qra FILE.json [--without NAME[,NAME]] [--threads N] [--packs DIR]\n"
	"  - 为标准输入，格式见 doc/qra.md / - reads standard input; see doc/qra.md";

static bool read_all(const char *path, struct buf *b)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	bool ok = f != NULL;
	for (size_t n = 1; ok && n > 0;) {
		char *room = buf_room(b, 1 << 16);
		n = room ? fread(room, 1, 1 << 16, f) : 0;
		ok = room && !ferror(f);
		if (n)
			buf_commit(b, n);
	}
	if (f && f != stdin)
		fclose(f);
	return ok;
}

// Which sources the names mean (source or its owner). False: a name that is none.
static bool mark(const struct qra_input *in, struct str names, bool *skip)
{
	while (names.n) {
		struct str name = str_trim(str_cut(&names, ','));
		bool found = false;
		for (size_t i = 0; i < in->nsources; i++)
			if (str_eq(in->sources[i].name, name) || (name.n && str_eq(in->sources[i].owner, name)))
				found = skip[i] = true;
		if (!found) {
			fprintf(stderr, "anlan qra: --without：没有风险源“%.*s” / no such source\n", STR_FMT(name));
			return false;
		}
	}
	return true;
}

static enum err run(const struct qra_input *in, unsigned threads, const char *without, struct arena *a, struct buf *out, struct problem *p)
{
	struct qra_result all, less;
	bool *skip = arena_many(a, in->nsources, bool), some = without != NULL;
	struct qra_input part = *in;
	for (size_t i = 0; i < in->nsources && !without; i++)
		some = (skip[i] = in->sources[i].planned) || some; // what is planned against what there is
	if (without && !mark(in, str_of(without), skip))
		return problem_set(p, ERR_NOT_FOUND, "without", "没有这个风险源", "no such source");
	part.skip = skip;
	enum err err = qra_run(in, threads, NULL, NULL, a, &all, p);
	if (!err && some)
		err = qra_run(&part, threads, NULL, NULL, a, &less, p);
	if (!err) {
		struct jw w;
		struct qra_compared c = { &less, skip };
		jw_init(&w, out);
		qra_write(in, &all, some ? &c : NULL, a, &w);
		if (!jw_done(&w))
			err = problem_set(p, ERR_TOO_LARGE, "", "结果过大，请减少网格或等值线", "the answer is too large: fewer cells or contours");
	}
	return err;
}

int tool_qra(int argc, char **argv)
{
	const char *packs = tool_option(&argc, argv, "--packs"), *without = tool_option(&argc, argv, "--without"),
		   *number = tool_option(&argc, argv, "--threads");
	uint64_t threads = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	tool_no_more_options(argc, argv, usage);
	if (argc != 1 || (number && (!str_to_u64(str_of(number), &threads) || !threads || threads > LIMIT_QRA_THREADS))) {
		fprintf(stderr, "%s\n", usage);
		return 2;
	}
	struct arena *a on_scope_exit(arena_freep) = arena_new(1 << 20);
	struct risk_tables tables;
	struct qra_input in;
	struct problem p;
	struct buf text, out;
	struct str wrong = STR_EMPTY;
	problem_init(&p, a);
	buf_init(&text, LIMIT_QRA_INPUT);
	buf_init(&out, OUTPUT_BYTES_MAX);
	if (!risk_tables_load(a, packs ? packs : tool_packs_dir(), &tables, &wrong))
		problem_set(&p, ERR_CORRUPT, "", "%.*s：数据表有错", "%.*s: the table cannot be read", STR_FMT(wrong));
	else if (!read_all(argv[0], &text))
		problem_set(&p, ERR_IO, "", "%s：不能读取或过大", "%s: cannot be read, or is too large", argv[0]);
	else if (qra_read(buf_str(&text), &tables, a, &in, &p) == OK)
		p.err = run(&in, (unsigned)threads, without, a, &out, &p);
	bool ok = p.err == OK && fwrite(out.p, 1, out.n, stdout) == out.n && putchar('\n') != EOF;
	if (p.err)
		fprintf(stderr, "anlan qra: %.*s%s%.*s / %.*s\n", STR_FMT(p.field), p.field.n ? ": " : "", STR_FMT(p.zh), STR_FMT(p.en));
	buf_free(&text);
	buf_free(&out);
	return ok ? 0 : 1;
}
