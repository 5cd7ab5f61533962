// anlan bench import: a CSV of enterprises through the import in process: check, run, undo, and how long another writer waits
// meanwhile. In a new folder --dir. Prints one JSON object.
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/jw.h"
#include "base/time.h"
#include "base/uscc.h"
#include "exchange/import.h"
#include "flow/draft.h"
#include "tool/bench.h"
#include "tool/tool.h"

#define WAITS_MAX 100000

struct bench {
	struct store *store;
	struct registry *reg;
	struct imports *imports;
	struct arena *a;
	int64_t rows, person, import;
	struct identity by;
	_Atomic bool stop;
	int64_t *waits;         // us that a small job of another took
	size_t nwaits;
};

// ---- a county with one person ------------------------------------------------------------------

static enum err county_job(struct db *db, void *arg, struct problem *p)
{
	struct bench *b = arg;
	enum err err = registry_make_tables(db, b->reg, p);
	int64_t id;
	struct value tier = { .kind = VAL_TEXT, .s = STR("town") };
	struct flow_field area[] = { { "code", { .kind = VAL_TEXT, .s = STR("990121101000") } }, { "name", { .kind = VAL_TEXT, .s = STR("城关镇") } }, { "tier", tier } };
	struct flow_field person[] = { { "login", { .kind = VAL_TEXT, .s = STR("bench") } }, { "name", { .kind = VAL_TEXT, .s = STR("压测") } },
		                       { "role", { .kind = VAL_TEXT, .s = STR(",bureau,") } } };
	if (!err)
		err = flow_open(db, b->reg, registry_type(b->reg, STR("area")), area, ARRAY_LEN(area), STR("990121101000"), 0, 0, b->a, &id, p);
	if (!err)
		err = flow_open(db, b->reg, registry_type(b->reg, STR("person")), person, ARRAY_LEN(person), STR("990121000000"), 0, 0, b->a, &b->person, p);
	return err;
}

static void csv_row(struct buf *out, int64_t i)
{
	char code[19];
	snprintf(code, sizeof code, "91990121MB%07lld", (long long)i % 10000000);
	char check = uscc_check_char(str_from(code, 17));
	buf_printf(out, "批量企业%lld,%s%c,危险化学品,中型,%lld,990121101000,\"118.%04lld,32.4\",1380000%04lld,主要产品 %lld\r\n", (long long)i, code, check,
	           (long long)i % 500, (long long)i % 10000, (long long)i % 10000, (long long)i % 977);
}

static enum err upload(struct bench *b, struct problem *p)
{
	struct file_in *f;
	struct buf out;
	enum err err = file_in_begin(&f, b->store, p);
	if (err)
		return err;
	buf_init(&out, 1u << 20);
	buf_add_cstr(&out, "企业名称,统一社会信用代码,行业领域,规模,从业人数,所在区域,位置,应急联系电话,主要产品或经营\r\n");
	for (int64_t i = 0; !err && i < b->rows; i++) {
		csv_row(&out, i);
		if (out.n > 500000 || i + 1 == b->rows) {
			err = file_in_add(f, out.p, out.n);
			buf_clear(&out);
		}
	}
	buf_free(&out);
	struct import_request rq = { .type = STR("enterprise"), .name = STR("bench.csv"), .key = STR("uscc"), .file = f };
	if (!err)
		err = imports_add(b->imports, b->reg, &b->by, &rq, b->a, &b->import, p);
	file_in_free(f);
	return err;
}

// ---- waiting -----------------------------------------------------------------------------------

static enum err nothing_job(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	int64_t *n = arg;
	return records_next_seq(db, STR("bench"), n);
}

static void *other_writer(void *arg)
{
	struct bench *b = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct problem p;
	while (!b->stop && b->nwaits < WAITS_MAX) {
		int64_t n, begun = clock_mono();
		problem_init(&p, a);
		if (store_write(b->store, nothing_job, &n, &p))
			break;
		b->waits[b->nwaits++] = clock_mono() - begun;
		usleep(5000);
	}
	return NULL;
}

static bool in_state(struct bench *b, const char *state)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	struct db *db = store_read_begin(b->store);
	enum err err = imports_json(&w, db, b->import, 1, &b->by, a);
	store_read_end(b->store, db);
	json_t *j = err ? NULL : json_loadb(out.p, out.n, 0, NULL);
	const char *now = json_string_value(json_object_get(j, "state"));
	bool there = now && strcmp(now, state) == 0, lost = !now || strcmp(now, "failed") == 0;
	if (lost)
		fprintf(stderr, "anlan: %.*s\n", (int)out.n, out.p);
	json_decref(j);
	buf_free(&out);
	if (lost)
		exit(1);
	return there;
}

static double seconds_until(struct bench *b, const char *state, int64_t begun)
{
	while (!in_state(b, state))
		usleep(10000);
	return (double)(clock_mono() - begun) / US_PER_S;
}

static int cmp_i64(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return (a > b) - (a < b);
}

static void phase_json(struct bench *b, struct jw *w, const char *name, double s)
{
	qsort(b->waits, b->nwaits, sizeof *b->waits, cmp_i64);
	jw_kobj(w, name);
	jw_kf64(w, "seconds", round(s * 100) / 100);
	jw_kf64(w, "rows_per_s", round((double)b->rows / s));
	if (b->nwaits) {
		jw_kf64(w, "other_writer_p50_ms", (double)b->waits[b->nwaits / 2] / 1000);
		jw_kf64(w, "other_writer_p99_ms", (double)b->waits[b->nwaits * 99 / 100] / 1000);
		jw_kf64(w, "other_writer_max_ms", (double)b->waits[b->nwaits - 1] / 1000);
	}
	jw_end(w);
	b->nwaits = 0;
}

static double with_other(struct bench *b, const char *state, int64_t begun)
{
	pthread_t t;
	b->stop = false;
	if (pthread_create(&t, NULL, other_writer, b))
		exit(1);
	double s = seconds_until(b, state, begun);
	b->stop = true;
	pthread_join(t, NULL);
	return s;
}

static enum err measure(struct bench *b, struct jw *w, struct problem *p)
{
	int64_t begun = clock_mono();
	enum err err = upload(b, p);
	if (err)
		return err;
	phase_json(b, w, "check", with_other(b, "checked", begun));
	begun = clock_mono();
	if ((err = imports_run(b->imports, b->import, false, &b->by, p)))
		return err;
	phase_json(b, w, "run", with_other(b, "done", begun));
	begun = clock_mono();
	if ((err = imports_undo(b->imports, b->import, &b->by, p)))
		return err;
	phase_json(b, w, "undo", with_other(b, "undone", begun));
	return OK;
}

static enum err open_all(struct bench *b, const char *dir, struct problem *p)
{
	mkdir(dir, 0700);
	enum err err = store_open(&b->store, dir, p);
	if (!err)
		err = store_write(b->store, county_job, b, p);
	if (err)
		return err;
	struct db *db = store_read_begin(b->store);
	err = auth_person(db, b->reg, b->person, b->a, &b->by);
	store_read_end(b->store, db);
	return err ? err : imports_open(&b->imports, b->store, p);
}

int bench_import(int argc, char **argv)
{
	static const char usage[] = "usage: anlan bench import --dir NEWDIR [--rows 100000] [--packs DIR]";
	struct bench b = { .a = arena_new(0), .rows = 100000 };
	struct diags d = { .arena = b.a };
	struct problem p;
	const char *dir = tool_option(&argc, argv, "--dir"), *rows = tool_option(&argc, argv, "--rows"), *packs = tool_option(&argc, argv, "--packs");
	tool_no_more_options(argc, argv, usage);
	if (!dir || argc || (rows && (!str_to_i64(str_of(rows), &b.rows) || b.rows < 1))) {
		fprintf(stderr, "%s\n", usage);
		return 2;
	}
	problem_init(&p, b.a);
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	b.waits = arena_many(b.a, WAITS_MAX, int64_t);
	enum err err = registry_load(&b.reg, str_of(packs ? packs : tool_packs_dir()), &d);
	if (!err)
		registry_set(b.reg);
	jw_obj(&w);
	jw_kcstr(&w, "bench", "import");
	jw_ki64(&w, "rows", b.rows);
	if (!err)
		err = open_all(&b, dir, &p);
	if (!err)
		err = measure(&b, &w, &p);
	jw_end(&w);
	imports_close(b.imports);
	if (err)
		fprintf(stderr, "anlan: %s: %.*s\n", err_name(err), STR_FMT(p.en));
	else if (jw_done(&w))
		printf("%.*s\n", (int)out.n, out.p);
	store_close(b.store);
	buf_free(&out);
	registry_close();
	arena_free(b.a);
	return err ? 1 : 0;
}
