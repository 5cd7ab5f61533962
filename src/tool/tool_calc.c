// `anlan calc`: the consequence and risk models on standard input, with the data tables of the packs beside the program. One
// thread.
#include <stdio.h>

#include "base/arena.h"
#include "risk/risk.h"
#include "tool/tool.h"

#define INPUT_BYTES_MAX (1u << 20)
#define OUTPUT_BYTES_MAX (16u << 20)

static const char usage[] = "用法 / usage: anlan calc --list | MODEL --schema | MODEL [--packs DIR] < inputs.json";

static bool read_all(FILE *f, struct buf *b)
{
	for (;;) {
		char *room = buf_room(b, 1 << 16);
		size_t n = room ? fread(room, 1, 1 << 16, f) : 0;
		if (!room || ferror(f)) {
			return false;
		}
		if (!n) {
			return true;
		}
		buf_commit(b, n);
	}
}

static int print(struct buf *out)
{
	buf_add_u8(out, '\n');
	return buf_ok(out) && fwrite(out->p, 1, out->n, stdout) == out->n && fflush(stdout) == 0 ? 0 : 1;
}

static void write_problem(const struct problem *p, struct buf *out)
{
	struct jw w;
	jw_init(&w, out);
	jw_obj(&w);
	jw_kobj(&w, "error");
	jw_kcstr(&w, "code", err_name(p->err));
	jw_kstr(&w, "field", p->field);
	jw_kstr(&w, "zh", p->zh);
	jw_kstr(&w, "en", p->en);
	jw_end(&w);
	jw_end(&w);
	if (!jw_done(&w)) {
		buf_clear(out);
	}
}

// 0; 1 with an error object if the inputs are refused.
static int calculate(const struct risk_model *m, const struct risk_alias *alias, const struct risk_tables *tables, struct arena *a,
	struct buf *out)
{
	struct buf in;
	struct problem problem;
	problem_init(&problem, a);
	buf_init(&in, INPUT_BYTES_MAX);
	if (!read_all(stdin, &in)) {
		problem_set(&problem, ERR_TOO_LARGE, "", "输入过大", "the input is too large");
	} else if (risk_calc(m, alias, tables, buf_str(&in), a, out, &problem) == OK) {
		buf_free(&in);
		return print(out);
	}
	buf_clear(out);
	write_problem(&problem, out);
	print(out);
	buf_free(&in);
	return 1;
}

int tool_calc(int argc, char **argv)
{
	const char *packs = tool_option(&argc, argv, "--packs");
	bool list = tool_flag(&argc, argv, "--list"), schema = tool_flag(&argc, argv, "--schema");
	tool_no_more_options(argc, argv, usage);
	const struct risk_alias *alias;
	const struct risk_model *m = argc == 1 ? risk_find(str_of(argv[0]), &alias) : NULL;
	if (!list && !m) {
		if (argc == 1) {
			fprintf(stderr, "anlan calc: 没有这个模型 / no such model: %s\n", argv[0]);
		}
		fprintf(stderr, "%s\n", usage);
		return 2;
	}
	struct arena *a = arena_new(1 << 16);
	struct risk_tables tables;
	struct str wrong = STR_EMPTY;
	struct buf out;
	struct jw w;
	int status = 1;
	buf_init(&out, OUTPUT_BYTES_MAX);
	jw_init(&w, &out);
	if (list) {
		risk_write_list(&w);
		status = jw_done(&w) ? print(&out) : 1;
	} else if (risk_tables_load(a, packs ? packs : tool_packs_dir(), &tables, &wrong)) {
		if (schema) {
			risk_write_schema(m, &tables, &w);
			status = jw_done(&w) ? print(&out) : 1;
		} else {
			status = calculate(m, alias, &tables, a, &out);
		}
	}
	if (wrong.n) {
		fprintf(stderr, "anlan calc: %.*s: 数据表有错 / the table cannot be read\n", STR_FMT(wrong));
	}
	buf_free(&out);
	arena_free(a);
	return status;
}
