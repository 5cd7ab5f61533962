// anlan bench records: lists, counts and changes at many records of one type, in process: what a request costs without HTTP
// (the list, and its page as JSON). Makes its county in --dir, or uses the one that is there. Prints one JSON object.
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/jw.h"
#include "base/limits.h"
#include "base/time.h"
#include "flow/flow.h"
#include "tool/bench.h"
#include "tool/bench_rows.h"

#define PAGE 20

struct bench {
	struct store *store;
	struct registry *reg;
	const struct type *t;
	struct arena *a;
	struct jw *w;
	int64_t rows;
	int queries, writes_per_s;
	int64_t *us, *cpu;      // of the runs of one kind: the clock, and this thread's share of it
	struct identity by;
	bool disk;              // lists answered from disk
	_Atomic bool stop;
	_Atomic int64_t written, longest, failed;
};

struct digest {
	struct sm3 h;
	const struct table *t;
};

static int cmp_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static double ms(int64_t us)
{
	return round((double)us / 10) / 100;
}

static int64_t cpu_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static void took(struct bench *b, int run, int64_t began, int64_t cpu)
{
	b->us[run] = clock_mono() - began;
	b->cpu[run] = cpu_us() - cpu;
}

static void report(struct bench *b, const char *name, int n, int64_t total)
{
	qsort(b->us, (size_t)n, sizeof(*b->us), cmp_i64);
	jw_kobj(b->w, name);
	qsort(b->cpu, (size_t)n, sizeof(*b->cpu), cmp_i64);
	jw_kf64(b->w, "p50_ms", ms(b->us[n / 2]));
	jw_kf64(b->w, "p99_ms", ms(b->us[MIN(n * 99 / 100, n - 1)]));
	jw_kf64(b->w, "max_ms", ms(b->us[n - 1]));
	jw_kf64(b->w, "cpu_p50_ms", ms(b->cpu[n / 2]));
	jw_kf64(b->w, "cpu_p99_ms", ms(b->cpu[MIN(n * 99 / 100, n - 1)]));
	if (total >= 0)
		jw_ki64(b->w, "total", total);
	jw_end(b->w);
	fprintf(stderr, "%-28s p50 %8.2f  p99 %8.2f  max %8.2f ms  cpu p50 %8.2f  total %lld\n", name, ms(b->us[n / 2]),
	        ms(b->us[MIN(n * 99 / 100, n - 1)]), ms(b->us[n - 1]), ms(b->cpu[n / 2]), (long long)total);
}

// ---- lists -------------------------------------------------------------------------------------
static enum err one_list(struct bench *b, const struct scope *scope, const struct list_query *lq, int64_t *ret_total)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(256 << 10);
	struct problem p;
	struct row *rows;
	struct buf out;
	struct jw w;
	size_t n;
	problem_init(&p, a);
	buf_init(&out, LIMIT_RESPONSE);
	jw_init(&w, &out);
	struct db *db = store_read_begin(b->store);
	enum err err = records_list(db, &b->t->table, scope, lq, a, &rows, &n, ret_total, &p);
	jw_arr(&w);
	for (size_t i = 0; !err && i < n; i++)
		record_json(&w, db, b->reg, b->t, &rows[i], &b->by, true, a);
	jw_end(&w);
	store_read_end(b->store, db);
	buf_free(&out);
	return err;
}

static void lists(struct bench *b, const char *name, const struct scope *scope, struct list_query lq)
{
	int64_t total = 0;
	if (!b->disk) {
		struct db *db = store_read_begin(b->store);
		(void)records_warm(db, &b->t->table, &lq, 60 * US_PER_S);
		store_read_end(b->store, db);
	}
	lq.limit = PAGE;
	for (int i = -2; i < b->queries; i++) { // two to warm up
		int64_t began = clock_mono();
		int64_t cpu = cpu_us();
		if (one_list(b, scope, &lq, &total))
			fprintf(stderr, "%s failed\n", name);
		if (i >= 0)
			took(b, i, began, cpu);
	}
	report(b, name, b->queries, total);
}

static void counts(struct bench *b, const char *name, struct group_by by)
{
	for (int i = -2; i < b->queries; i++) {
		struct arena *a on_scope_exit(arena_freep) = arena_new(0);
		struct problem p;
		struct value *keys;
		int64_t *n;
		size_t nkeys;
		problem_init(&p, a);
		int64_t began = clock_mono(), cpu = cpu_us();
		struct db *db = store_read_begin(b->store);
		if (records_counts(db, &b->t->table, NULL, NULL, &by, a, &keys, &n, &nkeys, &p))
			fprintf(stderr, "%s failed\n", name);
		store_read_end(b->store, db);
		if (i >= 0)
			took(b, i, began, cpu);
	}
	report(b, name, b->queries, -1);
}

static const struct sort by_found = { .column = { "found", 5 }, .descending = true };
static const struct sort by_title = { .column = { "title", 5 }, .descending = false };
static const struct sort by_cost[] = { { .column = { "level", 5 }, .descending = true }, { .column = { "cost", 4 }, .descending = true } };

static void pages(struct bench *b)
{
	struct list_query by[] = { { .sorts = &by_found, .nsorts = 1 }, { .sorts = &by_title, .nsorts = 1 }, { .sorts = by_cost, .nsorts = 2 } };
	static const char *const first[] = { "sort_time_first_page", "sort_title_first_page", "sort_level_cost_first_page" };
	static const char *const deep[] = { "sort_time_deep_page", "sort_title_deep_page", "sort_level_cost_deep_page" };
	lists(b, "first_page", NULL, (struct list_query){ 0 });
	lists(b, "deep_page", NULL, (struct list_query){ .offset = (size_t)(b->rows * 95 / 100) });
	for (size_t i = 0; i < ARRAY_LEN(by); i++) {
		lists(b, first[i], NULL, by[i]);
		by[i].offset = (size_t)(b->rows / 2);
		lists(b, deep[i], NULL, by[i]);
	}
}

static void filtered(struct bench *b, const char *name, const char *column, enum filter_op op, struct value v, bool deep)
{
	struct filter f = { str_of(column), op, &v, 1 };
	lists(b, name, NULL, (struct list_query){ .filters = &f, .nfilters = 1, .sorts = &by_found, .nsorts = 1,
	                                          .offset = deep ? (size_t)(b->rows / 20) : 0 });
}

static void filters(struct bench *b)
{
	struct value major = { .kind = VAL_TEXT, .s = STR("major") }, cost = { .kind = VAL_INT, .i = 9000000 };
	struct value year = { .kind = VAL_INT, .i = clock_now() - 365 * US_PER_DAY }, state = { .kind = VAL_TEXT, .s = STR("fixing") };
	struct value one = { .kind = VAL_INT, .i = 77 }, part = { .kind = VAL_TEXT, .s = STR("罐区") };
	filtered(b, "filter_menu", "level", FILTER_EQ, major, false);
	filtered(b, "filter_menu_deep_page", "level", FILTER_EQ, major, true);
	filtered(b, "filter_state", "state", FILTER_EQ, state, false);
	filtered(b, "filter_number", "cost", FILTER_GE, cost, false);
	filtered(b, "filter_time", "found", FILTER_GE, year, false);
	filtered(b, "filter_enterprise", "enterprise", FILTER_EQ, one, false);
	struct value type = { .kind = VAL_TEXT, .s = STR("self_check:") }, check = { .kind = VAL_TEXT, .s = STR("self_check:78") };
	if (type_field(b->t, STR("origin"))) {
		filtered(b, "filter_origin_type", "origin", FILTER_PREFIX, type, false);
		filtered(b, "filter_origin", "origin", FILTER_EQ, check, false);
	}
	filtered(b, "filter_text_contains", "place", FILTER_CONTAINS, part, false);
	struct condition two[] = { { .op = COND_FILTER, .filter = { STR("level"), FILTER_EQ, &major, 1 } },
		                       { .op = COND_FILTER, .filter = { STR("cost"), FILTER_GE, &cost, 1 } } };
	struct condition either = { .op = COND_OR, .subs = two, .nsubs = 2 };
	lists(b, "condition_or", NULL, (struct list_query){ .cond = &either, .sorts = &by_found, .nsorts = 1 });
	struct scope town = { .area = STR("990121101") }, dust = { .sectors = STR(",dust,") };
	lists(b, "scope_town", &town, (struct list_query){ .sorts = &by_found, .nsorts = 1 });
	lists(b, "scope_sector", &dust, (struct list_query){ .sorts = &by_found, .nsorts = 1 });
}

static void searches(struct bench *b)
{
	static const struct { const char *name, *text; } cases[] = {
		{ "search_1_character", "阀" },     { "search_2_characters", "冷库" },    { "search_4_characters", "管道法兰" }, { "search_8_characters", "可燃气体报警器已" },
		{ "search_two_words", "冷库 锈蚀" }, { "search_initials", "krqt" },        { "search_number", "2026-0012" },     { "search_nothing", "没有这句话" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		lists(b, cases[i].name, NULL, (struct list_query){ .text = str_of(cases[i].text) });
	lists(b, "search_in_town_by_title", &(struct scope){ .area = STR("990121101") },
	      (struct list_query){ .text = STR("安全阀"), .sorts = &by_title, .nsorts = 1 });
}

static void all_counts(struct bench *b)
{
	counts(b, "counts_by_town", (struct group_by){ GROUP_AREA, STR("area"), 9 });
	counts(b, "counts_by_state", (struct group_by){ GROUP_VALUE, STR("state"), 0 });
	counts(b, "counts_by_sector", (struct group_by){ GROUP_VALUE, STR("sector"), 0 });
	counts(b, "counts_by_level", (struct group_by){ GROUP_VALUE, STR("level"), 0 });
}

// ---- changes -----------------------------------------------------------------------------------
struct change {
	struct bench *b;
	enum { CREATE, EDIT, MOVE } what;
	int64_t id;
	json_t *body;
	struct arena *a;
};

static enum err job_change(struct db *db, void *arg, struct problem *p)
{
	struct change *c = arg;
	struct bench *b = c->b;
	if (c->what == CREATE)
		return flow_create(db, b->reg, b->t, c->body, &b->by, c->a, &c->id, p);
	if (c->what == EDIT)
		return flow_edit(db, b->reg, b->t, c->id, c->body, &b->by, c->a, p);
	return flow_move(db, b->reg, b->t, c->id, STR("assign"), c->body, &b->by, false, c->a, p);
}

static enum err change(struct bench *b, struct change *c)
{
	struct problem p;
	c->b = b;
	c->a = arena_new(0);
	problem_init(&p, c->a);
	enum err err = store_write(b->store, job_change, c, &p);
	if (err)
		fprintf(stderr, "change %d: %s: %.*s\n", (int)c->what, err_name(err), STR_FMT(p.en));
	json_decref(c->body);
	arena_free(c->a);
	return err;
}

static void changes(struct bench *b)
{
	int64_t *ids = arena_many(b->a, (size_t)b->queries, int64_t);
	static const char *const names[] = { "create", "edit", "move" };
	for (int what = CREATE; what <= MOVE; what++) {
		for (int i = 0; i < b->queries; i++) {
			struct change c = { .what = what, .id = ids[i] };
			c.body = what == CREATE ? json_pack("{s:s, s:i, s:s}", "title", "新发现的隐患", "enterprise", 1 + i % BENCH_ENTERPRISES, "level", "general") :
			         what == EDIT   ? json_pack("{s:s, s:i}", "place", "三号泵房", "version", 1) :
			                          json_pack("{s:s}", "requirement", "立即整改");
			int64_t began = clock_mono(), cpu = cpu_us();
			if (change(b, &c))
				return;
			took(b, i, began, cpu);
			ids[i] = c.id;
		}
		report(b, names[what], b->queries, -1);
	}
}

// ---- while a writer writes ---------------------------------------------------------------------
static void *writer_main(void *arg)
{
	struct bench *b = arg;
	for (int64_t next = clock_mono(); !b->stop; next += US_PER_S / b->writes_per_s) {
		struct change c = { .what = CREATE };
		c.body = json_pack("{s:s, s:i, s:s}", "title", "冷库安全阀渗漏", "enterprise", 7, "level", "general");
		int64_t began = clock_mono();
		if (change(b, &c)) {
			b->failed++;
			break;
		}
		b->longest = MAX(b->longest, clock_mono() - began);
		b->written++;
		int64_t wait = next - clock_mono();
		if (wait > 0)
			nanosleep(&(struct timespec){ .tv_sec = wait / US_PER_S, .tv_nsec = wait % US_PER_S * 1000 }, NULL);
	}
	return NULL;
}

static void under_writes(struct bench *b)
{
	pthread_t writer;
	int64_t began = clock_mono();
	struct value major = { .kind = VAL_TEXT, .s = STR("major") };
	if (b->writes_per_s == 0 || pthread_create(&writer, NULL, writer_main, b))
		return;
	jw_kobj(b->w, "while_writing");
	lists(b, "first_page", NULL, (struct list_query){ 0 });
	lists(b, "sort_title_deep_page", NULL, (struct list_query){ .sorts = &by_title, .nsorts = 1, .offset = (size_t)(b->rows / 2) });
	filtered(b, "filter_menu_deep_page", "level", FILTER_EQ, major, true);
	lists(b, "search_2_characters", NULL, (struct list_query){ .text = STR("冷库") });
	lists(b, "search_initials", NULL, (struct list_query){ .text = STR("krqt") });
	b->stop = true;
	pthread_join(writer, NULL);
	jw_kf64(b->w, "writes_per_s", round((double)b->written / ((double)(clock_mono() - began) / (double)US_PER_S) * 10) / 10);
	jw_end(b->w);
}

// ---- another field -----------------------------------------------------------------------------
// The fields the type has, of every row, as one digest.
static enum err digest_row(void *arg, const struct row *row)
{
	struct digest *d = arg;
	sm3_add(&d->h, &row->c.id, sizeof(row->c.id));
	sm3_add(&d->h, &row->c.version, sizeof(row->c.version));
	sm3_add(&d->h, row->c.title.p, row->c.title.n);
	for (size_t i = 0; i < d->t->ncols; i++) {
		const struct value *v = &row->vals[i];
		sm3_add(&d->h, &v->kind, sizeof(v->kind));
		if (v->kind == VAL_TEXT)
			sm3_add(&d->h, v->s.p, v->s.n);
		else if (v->kind != VAL_NULL)
			sm3_add(&d->h, v->kind == VAL_INT ? (const void *)&v->i : (const void *)&v->f, 8);
	}
	return OK;
}

static void digest(struct bench *b, int64_t until, uint8_t ret[SM3_LEN])
{
	struct digest d = { .t = &b->t->table };
	struct value last = { .kind = VAL_INT, .i = until };
	struct filter f = { STR("id"), FILTER_LE, &last, 1 };
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	sm3_init(&d.h);
	struct db *db = store_read_begin(b->store);
	if (records_each(db, d.t, &(struct list_query){ .filters = &f, .nfilters = 1, .with_retired = true }, a, digest_row, &d))
		fprintf(stderr, "the rows cannot be read\n");
	store_read_end(b->store, db);
	sm3_end(&d.h, ret);
}

static enum err job_migrate(struct db *db, void *arg, struct problem *p)
{
	return records_migrate(db, arg, p);
}

// A text that is searched and a reference join the type while records are written: how long writing stood still, and that no
// row became another.
static void new_field(struct bench *b)
{
	struct problem p;
	uint8_t before[SM3_LEN], after[SM3_LEN];
	struct table t = b->t->table;
	struct column *cols = arena_many(b->a, t.ncols + 2, struct column);
	memcpy(cols, t.cols, t.ncols * sizeof(*cols));
	cols[t.ncols] = (struct column){ .name = STR("bench_note"), .kind = COL_TEXT, .searched = true };
	cols[t.ncols + 1] = (struct column){ .name = STR("bench_ref"), .kind = COL_INT, .indexed = true };
	t.cols = cols;
	t.ncols += 2;
	problem_init(&p, b->a);
	digest(b, b->rows, before);
	pthread_t writer;
	b->stop = false;
	b->longest = b->failed = 0;
	bool writing = b->writes_per_s && pthread_create(&writer, NULL, writer_main, b) == 0;
	int64_t began = clock_mono();
	enum err err = store_write(b->store, job_migrate, &t, &p);
	int64_t took = clock_mono() - began;
	for (int i = 0; !err && i < 20; i++) { // while the search text is formed anew in slices
		int64_t total;
		err = one_list(b, NULL, &(struct list_query){ .limit = PAGE, .sorts = &by_found, .nsorts = 1 }, &total);
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
	b->stop = true;
	if (writing)
		pthread_join(writer, NULL);
	digest(b, b->rows, after);
	jw_kobj(b->w, "new_field");
	jw_kbool(b->w, "done", err == OK);
	jw_kf64(b->w, "job_ms", ms(took));
	jw_kf64(b->w, "longest_write_ms", ms(b->longest));
	jw_ki64(b->w, "writes_failed", b->failed);
	jw_kbool(b->w, "rows_same", memcmp(before, after, SM3_LEN) == 0);
	jw_end(b->w);
	fprintf(stderr, "new_field                    job %.2f ms, longest write %.2f ms, failed %lld, same %d\n", ms(took), ms(b->longest),
	        (long long)b->failed, memcmp(before, after, SM3_LEN) == 0);
}

// ------------------------------------------------------------------------------------------------
static double load_average(void)
{
	double v = 0;
	return getloadavg(&v, 1) == 1 ? v : -1;
}

static void run(struct bench *b)
{
	jw_kf64(b->w, "load_average_before", load_average());
	records_from_disk(b->store, b->disk);
	int64_t began = clock_mono();
	struct db *db = store_read_begin(b->store);
	bool warm = !b->disk && records_warm(db, &b->t->table, &(struct list_query){ .text = STR("x") }, 120 * US_PER_S);
	store_read_end(b->store, db);
	if (warm)
		jw_kf64(b->w, "loaded_s", round((double)(clock_mono() - began) / 1e4) / 100);
	pages(b);
	filters(b);
	searches(b);
	all_counts(b);
	changes(b);
	under_writes(b);
	new_field(b);
	jw_kf64(b->w, "load_average_after", load_average());
}

static const struct role **roles_of(struct bench *b)
{
	const struct role **v = arena_many(b->a, b->reg->nroles, const struct role *);
	for (size_t i = 0; i < b->reg->nroles; i++)
		v[i] = &b->reg->roles[i];
	return v;
}

static int bench_in(struct bench *b, const char *dir)
{
	struct problem p;
	int64_t made = 0, began = clock_mono();
	problem_init(&p, b->a);
	enum err err = store_open(&b->store, dir, &p);
	if (!err)
		err = bench_rows(b->store, b->reg, b->t, b->rows, &made, &p);
	if (!err) {
		jw_ki64(b->w, "rows", b->rows);
		jw_ki64(b->w, "made", made);
		jw_kf64(b->w, "made_s", round((double)(clock_mono() - began) / 1e4) / 100);
		run(b);
	} else {
		fprintf(stderr, "anlan: %.*s\n", STR_FMT(p.en));
	}
	store_close(b->store);
	return err ? 1 : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: anlan bench records --dir DIR [--rows N] [--queries Q] [--writes PER_SECOND] [--packs DIR] [--disk]\n"
	                "  DIR is made, or is its own folder of a run before; --disk answers lists from disk instead of memory\n");
	return 2;
}

// A number from 0 to a billion; -1 for anything else.
static int64_t number_of(const char *text)
{
	int64_t v;
	return str_to_i64(str_of(text), &v) && v >= 0 && v <= 1000000000 ? v : -1;
}

int bench_records(int argc, char **argv)
{
	const char *dir = NULL, *packs = "packs";
	struct bench b = { .a = arena_new(0), .rows = 1000000, .queries = 200, .writes_per_s = 20 };
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--disk") == 0)
			b.disk = true;
		else if (i + 1 == argc)
			return usage();
		else if (strcmp(argv[i], "--dir") == 0)
			dir = argv[++i];
		else if (strcmp(argv[i], "--packs") == 0)
			packs = argv[++i];
		else if (strcmp(argv[i], "--rows") == 0)
			b.rows = number_of(argv[++i]);
		else if (strcmp(argv[i], "--queries") == 0)
			b.queries = (int)number_of(argv[++i]);
		else if (strcmp(argv[i], "--writes") == 0)
			b.writes_per_s = (int)number_of(argv[++i]);
		else
			return usage();
	}
	struct diags d = { .arena = b.a };
	if (!dir || b.rows < 100 || b.queries < 1 || b.writes_per_s < 0)
		return usage();
	if (!bench_dir(dir))
		return 1;
	if (registry_load(&b.reg, str_of(packs), &d) || !(b.t = registry_type(b.reg, STR("hazard")))) {
		fprintf(stderr, "anlan: no type \"hazard\" in %s\n", packs);
		return 1;
	}
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	b.w = &w;
	b.us = arena_many(b.a, (size_t)b.queries, int64_t);
	b.cpu = arena_many(b.a, (size_t)b.queries, int64_t);
	b.by = (struct identity){ .person = 1, .name = STR("bench"), .title = STR("bench"), .lang = STR("zh"), .roles = roles_of(&b),
		                      .nroles = b.reg->nroles };
	registry_set(b.reg);
	jw_obj(&w);
	jw_kcstr(&w, "bench", "records");
	jw_kcstr(&w, "counted", "a list of 20 rows with its total and its JSON, in process; a change until it is on disk");
	jw_kcstr(&w, "lists", b.disk ? "disk" : "memory");
	int status = bench_in(&b, dir);
	jw_end(&w);
	if (status == 0 && jw_done(&w))
		printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
	registry_close();
	arena_free(b.a);
	return status;
}
