// `anlan backtest`: alarm rules and limits on history, of a point in a data folder (running server or not) or of a CSV on
// standard input. Prints one JSON object. One thread.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alarm/backtest_try.h"
#include "api/app.h"
#include "base/limits.h"
#include "base/time.h"
#include "core/core.h"
#include "exchange/archive.h"
#include "exchange/bundle.h"
#include "tool/tool.h"

static const char usage[] =
	"用法 / usage: anlan backtest --data DIR --point CODE [--from T] [--to T] [TRY] [--suggest] …\n"
	"       anlan backtest --kind KIND [--limits SET] [TRY] [--suggest] … < FILE.csv\n"
	"  TRY           --set h=80,hh=90,deadband=2,delay_on=5s,delay_off=30s  and/or  --rule FILE.yaml\n"
	"                also l, ll; high, low, high_high, low_low; clear=VALUE (deadband as the limit's distance); h= takes it away\n"
	"  FILE.csv      time,value[,quality] a line, by time; time RFC 3339 or seconds since 1970; a heading is skipped\n"
	"  --limits SET  what the point says itself, as --set\n"
	"  --events FILE times of what really happened, one a line: which were preceded by an alarm, how early\n"
	"  --window 24h  an alarm raised at most so long before an event preceded it\n"
	"  --suggest     the least dead band and delays that are rid of --remove 80 (percent) of the alarms that chatter (--all:\n"
	"                of all) and keep those before events and those beyond the limit for --keep 10min, none later by more than\n"
	"                --delay 30s\n"
	"  --alarms 100  how many alarms are listed, the newest\n"
	"  --packs DIR   rules in force\n"
	"prints {point,from,to,chatter_window_s,stored:{settings,figures,events,alarms,alarms_total},candidate:…,suggestion:…,ms}";

struct tool {
	struct arena *a;
	struct registry *reg;
	struct rule_set *rules, *tried;
	struct site_point point;
	struct backtest_try t;
	struct sample *v;           // CSV
	size_t n, cap;
	struct series *series;      // data folder
	struct point_def *others;   // data folder: what rules read beside the point
	size_t nothers, others_cap;
	struct backtest_event *events;
	size_t nevents, events_cap;
	const char *data, *point_code, *kind, *limits, *set, *rule, *packs, *events_file;
	size_t shown;
	struct problem p;
};

static int say(const struct tool *t, enum err err)
{
	struct str zh = t->p.zh.n ? t->p.zh : str_of(err_text(err, true)), en = t->p.en.n ? t->p.en : str_of(err_text(err, false));
	fprintf(stderr, "anlan: %.*s / %.*s\n", STR_FMT(zh), STR_FMT(en));
	return 1;
}

static enum err print_diags(struct tool *t, const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		fprintf(stderr, "%.*s:%u:%u: %.*s\n", STR_FMT(d->v[i].file), d->v[i].line, d->v[i].col, STR_FMT(d->v[i].text));
	return problem_set(&t->p, ERR_INVALID, "", "规则或业务包有错", "the rule or the packs have mistakes");
}

// ---- options -----------------------------------------------------------------------------------
static bool setting(struct point_def *d, struct str key, struct str text)
{
	static const char *const names[][2] = { { "high", "h" },    { "low", "l" },      { "high_high", "hh" },
		                                { "low_low", "ll" }, { "delay_on", "delay_on_s" }, { "delay_off", "delay_off_s" } };
	double v = NAN;
	int64_t us;
	if (text.n && !str_to_f64(text, &v)) {
		if (!str_starts(key, STR("delay")) || !duration_parse(text, &us))
			return false;
		v = (double)us / US_PER_S;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(key, names[i][0]))
			key = str_of(names[i][1]);
	if (str_is(key, "clear")) {
		v = fabs((!isnan(d->h) ? d->h : d->l) - v);
		key = STR("deadband");
	}
	return backtest_change(d, key, v);
}

static enum err settings(struct tool *t, struct point_def *d, const char *text)
{
	struct str rest = str_of(text);
	while (rest.n) {
		struct str one = str_trim(str_cut(&rest, ',')), value = one, key = str_cut(&value, '=');
		if (!setting(d, key, value))
			return problem_set(&t->p, ERR_INVALID, "set", "不能这样设置 %.*s", "%.*s cannot be set like that", STR_FMT(one));
	}
	return OK;
}

static bool time_option(struct str s, int64_t *ret)
{
	double sec;
	if (!str_to_f64(s, &sec))
		return time_parse(s, ret);
	*ret = (int64_t)llround(sec * US_PER_S);
	return true;
}

static void duration_option(int *argc, char **argv, const char *name, int64_t *ret)
{
	const char *text = tool_option(argc, argv, name);
	if (text && !duration_parse(str_of(text), ret)) {
		fprintf(stderr, "anlan: %s: 30s, 10min, 24h\n%s\n", name, usage);
		exit(2);
	}
}

static double number_option(int *argc, char **argv, const char *name, double fallback)
{
	const char *text = tool_option(argc, argv, name);
	double v = fallback;
	if (text && (!str_to_f64(str_of(text), &v) || v < 0)) {
		fprintf(stderr, "anlan: %s: a number\n%s\n", name, usage);
		exit(2);
	}
	return v;
}

static void options(struct tool *t, int argc, char **argv)
{
	const char *from = tool_option(&argc, argv, "--from"), *to = tool_option(&argc, argv, "--to");
	t->data = tool_option(&argc, argv, "--data");
	t->point_code = tool_option(&argc, argv, "--point");
	t->kind = tool_option(&argc, argv, "--kind");
	t->limits = tool_option(&argc, argv, "--limits");
	t->set = tool_option(&argc, argv, "--set");
	t->rule = tool_option(&argc, argv, "--rule");
	t->packs = tool_option(&argc, argv, "--packs");
	t->events_file = tool_option(&argc, argv, "--events");
	t->t.suggest = tool_flag(&argc, argv, "--suggest");
	t->t.all = tool_flag(&argc, argv, "--all");
	duration_option(&argc, argv, "--window", &t->t.window);
	duration_option(&argc, argv, "--delay", &t->t.delay);
	duration_option(&argc, argv, "--keep", &t->t.keep);
	t->t.remove = number_option(&argc, argv, "--remove", 80) / 100;
	t->shown = (size_t)number_option(&argc, argv, "--alarms", 100);
	tool_no_more_options(argc, argv, usage);
	if (argc || (t->data ? !t->point_code : !t->kind) || (from && !time_option(str_of(from), &t->t.from)) ||
	    (to && !time_option(str_of(to), &t->t.to))) {
		fprintf(stderr, "%s\n", usage);
		exit(2);
	}
}

// ---- lines of text -----------------------------------------------------------------------------
static enum err each_line(struct tool *t, FILE *f, enum err (*fn)(struct tool *t, struct str line, unsigned number))
{
	char *line = NULL;
	size_t cap = 0;
	unsigned number = 0;
	enum err err = OK;
	for (ssize_t n; !err && (n = getline(&line, &cap, f)) > 0;)
		err = fn(t, str_trim(str_from(line, (size_t)n)), ++number);
	if (!err && ferror(f))
		err = ERR_IO;
	mem_free(line);
	return err;
}

static bool quality_of(struct str s, uint16_t *ret)
{
	*ret = Q_GOOD;
	for (int q = 0; q < Q__MAX; q++)
		if (str_is(s, quality_name((enum quality)q)))
			*ret = (uint16_t)q;
	return !s.n || str_is(s, quality_name((enum quality)*ret));
}

static enum err csv_line(struct tool *t, struct str line, unsigned number)
{
	struct sample s;
	struct str rest = line, time = str_trim(str_cut(&rest, ',')), value = str_trim(str_cut(&rest, ','));
	bool ok = time_option(time, &s.time) && str_to_f64(value, &s.value) && quality_of(str_trim(rest), &s.quality);
	if (!line.n || (!ok && number == 1))
		return OK;
	if (!ok || (t->n && s.time < t->v[t->n - 1].time))
		return problem_set(&t->p, ERR_INVALID, "csv", "第 %u 行应为 时间,数值[,质量]，且按时间排列", "line %u: time,value[,quality] expected, by time",
		                   number);
	if (t->n && s.time == t->v[t->n - 1].time)
		return OK; // the first for a time wins, as in history
	if (t->n == LIMIT_BACKTEST_SAMPLES)
		return problem_set(&t->p, ERR_TOO_LARGE, "csv", "数据超过 %d 条", "more than %d samples", LIMIT_BACKTEST_SAMPLES);
	t->v = arena_push(t->a, t->v, &t->n, &t->cap, sizeof *t->v);
	t->v[t->n - 1] = s;
	return OK;
}

static enum err event_line(struct tool *t, struct str line, unsigned number)
{
	struct backtest_event e = { 0 };
	if (!line.n)
		return OK;
	if (!time_option(line, &e.at) || t->nevents == LIMIT_BACKTEST_EVENTS)
		return problem_set(&t->p, ERR_INVALID, "events", "事件第 %u 行读不懂，或事件过多", "events, line %u: no time, or too many", number);
	t->events = arena_push(t->a, t->events, &t->nevents, &t->events_cap, sizeof *t->events);
	t->events[t->nevents - 1] = e;
	return OK;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct backtest_event *)a)->at, y = ((const struct backtest_event *)b)->at;
	return (x > y) - (x < y);
}

static enum err read_events(struct tool *t)
{
	FILE *f = t->events_file ? fopen(t->events_file, "re") : NULL;
	if (t->events_file && !f)
		return problem_set(&t->p, ERR_NOT_FOUND, "events", "打不开 %s", "cannot open %s", t->events_file);
	enum err err = f ? each_line(t, f, event_line) : OK;
	if (f)
		fclose(f);
	if (t->nevents)
		qsort(t->events, t->nevents, sizeof *t->events, by_time);
	t->t.events = t->events;
	t->t.nevents = t->nevents;
	return err;
}

// ---- where samples come from -------------------------------------------------------------------
static enum err read_csv(void *arg, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n)
{
	struct tool *t = arg;
	size_t lo = 0, hi = t->n;
	(void)a;
	while (lo < t->n && t->v[lo].time < from)
		lo++;
	while (hi > lo && t->v[hi - 1].time >= to)
		hi--;
	*ret = t->v + lo;
	*ret_n = hi - lo;
	return OK;
}

static enum err open_csv(struct tool *t)
{
	struct point_def *d = &t->point.def;
	enum err err = each_line(t, stdin, csv_line);
	if (err)
		return err;
	if (!t->n)
		return problem_set(&t->p, ERR_INVALID, "csv", "标准输入没有数据", "there are no samples on standard input");
	*d = (struct point_def){ .id = 1, .code = STR("csv"), .kind = str_of(t->kind), .ll = NAN, .l = NAN, .h = NAN, .hh = NAN, .min = NAN,
		                 .max = NAN };
	if (!registry_kind(t->reg, d->kind))
		return problem_set(&t->p, ERR_INVALID, "kind", "没有测点种类 %s", "there is no kind of point %s", t->kind);
	d->interval = t->n > 1 ? (t->v[t->n - 1].time - t->v[0].time) / (int64_t)(t->n - 1) : 0;
	t->t.from = t->t.from ? t->t.from : t->v[0].time;
	t->t.to = t->t.to ? t->t.to : t->v[t->n - 1].time + 1;
	t->t.slice = t->t.to - t->t.from;
	t->t.judge_quality = true;
	t->t.read = read_csv;
	t->t.read_arg = t;
	return settings(t, d, t->limits);
}

static enum err read_series(void *arg, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n)
{
	struct tool *t = arg;
	return series_read(t->series, t->point.def.id, from, to, LIMIT_BACKTEST_SAMPLES, a, ret, ret_n);
}

static enum err read_other(void *arg, size_t other, int64_t from, int64_t to, struct arena *a, struct sample **ret, size_t *ret_n)
{
	struct tool *t = arg;
	return series_read(t->series, t->others[other].id, from, to, LIMIT_BACKTEST_SAMPLES, a, ret, ret_n);
}

static enum err on_other(void *arg, const struct row *row)
{
	struct tool *t = arg;
	struct site_point p;
	const struct point_def *own = &t->point.def;
	enum err err = site_point_read(registry_type(t->reg, STR("point")), row, &p);
	if (err || p.def.id == own->id || !(rules_read(t->rules, own, &p.def) || (t->tried && rules_read(t->tried, own, &p.def))))
		return err;
	if (t->nothers == LIMIT_BACKTEST_OTHERS)
		return problem_set(&t->p, ERR_TOO_LARGE, "point", "规则的条件涉及 %d 个以上测点", "a rule reads more than %d points", LIMIT_BACKTEST_OTHERS);
	struct str *const texts[] = { &p.def.code, &p.def.kind, &p.def.area, &p.def.sector };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = arena_str(t->a, *texts[i]);
	t->others = arena_push(t->a, t->others, &t->nothers, &t->others_cap, sizeof *t->others);
	t->others[t->nothers - 1] = p.def;
	return OK;
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = ((const struct point_def *)a)->id, y = ((const struct point_def *)b)->id;
	return (x > y) - (x < y);
}

static enum err find_others(struct tool *t, struct db *db, const struct type *type)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct list_query all = { 0 };
	enum err err = records_each(db, &type->table, &all, scratch, on_other, t);
	if (t->nothers)
		qsort(t->others, t->nothers, sizeof *t->others, by_id);
	t->t.others = t->others;
	t->t.nothers = t->nothers;
	t->t.read_other = read_other;
	return err;
}

static enum err find_point(struct tool *t)
{
	const struct type *type = registry_type(t->reg, STR("point")), *enterprise = registry_type(t->reg, STR("enterprise"));
	const struct field *sector = enterprise ? type_field(enterprise, STR("sector")) : NULL;
	struct value code = { .kind = VAL_TEXT, .s = str_of(t->point_code) };
	struct store *s;
	struct row row;
	enum err err = store_open(&s, t->data, &t->p);
	if (err)
		return err;
	struct db *db = store_read_begin(s);
	err = type ? records_find(db, &type->table, NULL, STR("code"), code, t->a, &row) : ERR_NOT_FOUND;
	if (!err)
		err = site_point_read(type, &row, &t->point);
	if (!err && sector && records_get(db, &enterprise->table, NULL, row.c.enterprise, t->a, &row) == OK &&
	    row.vals[sector->col].kind == VAL_TEXT)
		t->point.def.sector = row.vals[sector->col].s;
	if (!err)
		err = find_others(t, db, type);
	store_read_end(s, db);
	store_close(s);
	return err == ERR_NOT_FOUND ? problem_set(&t->p, err, "point", "没有监测点 %s", "there is no point %s", t->point_code) : err;
}

static enum err open_data(struct tool *t, const char *copy)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/anlan.db", t->data);
	if (access(path, F_OK))
		return problem_set(&t->p, ERR_NOT_FOUND, "data", "%s 中没有数据库", "there is no database in %s", t->data);
	t->t.to = t->t.to ? t->t.to : clock_now();
	t->t.from = t->t.from ? t->t.from : t->t.to - 30 * US_PER_DAY;
	t->t.slice = 7 * US_PER_DAY;
	t->t.read = read_series;
	t->t.read_arg = t;
	enum err err = find_point(t);
	return err ? err : readings_open_copy(&t->series, t->data, copy, &t->p);
}

// ---- running it --------------------------------------------------------------------------------
static enum err load_rules(struct tool *t)
{
	const char *lang = getenv("LANG");
	struct diags d = { .arena = t->a, .zh = lang && strncmp(lang, "zh", 2) == 0 };
	if (registry_load(&t->reg, str_of(t->packs ? t->packs : tool_packs_dir()), &d) || rules_compile(&t->rules, t->reg, &d))
		return print_diags(t, &d);
	if (!t->rule)
		return OK;
	FILE *f = fopen(t->rule, "re");
	char *text = arena_alloc(t->a, LIMIT_YAML_FILE);
	if (!f)
		return problem_set(&t->p, ERR_NOT_FOUND, "rule", "打不开 %s", "cannot open %s", t->rule);
	size_t n = fread(text, 1, LIMIT_YAML_FILE, f);
	fclose(f);
	return backtest_rules(&t->tried, t->reg, str_from(text, n), &d, t->a) ? print_diags(t, &d) : OK;
}

static enum err try_it(struct tool *t)
{
	struct backtest_try *b = &t->t;
	enum err err = read_events(t);
	b->reg = t->reg;
	b->max = LIMIT_BACKTEST_SAMPLES;
	b->stored.rules = t->rules;
	b->stored.point = b->candidate.point = t->point.def;
	b->candidate.rules = t->tried ? t->tried : t->rules;
	b->has_candidate = t->tried || t->set;
	if (!err && b->from >= b->to)
		err = problem_set(&t->p, ERR_INVALID, "from", "--from 必须早于 --to", "--from must be before --to");
	if (!err && t->set)
		err = settings(t, &b->candidate.point, t->set);
	return err ? err : backtest_run(b, t->a, &t->p);
}

static void print(struct tool *t, int64_t took)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 512u << 20);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kobj(&w, "point");
	jw_kstr(&w, "code", t->point.def.code);
	jw_kstr(&w, "kind", t->point.def.kind);
	jw_end(&w);
	jw_ktime(&w, "from", t->t.from);
	jw_ktime(&w, "to", t->t.to);
	jw_kf64(&w, "chatter_window_s", (double)t->t.chatter / US_PER_S);
	jw_key(&w, "stored");
	backtest_side_json(&w, &t->t, &t->t.stored, t->shown);
	if (t->t.has_candidate) {
		jw_key(&w, "candidate");
		backtest_side_json(&w, &t->t, &t->t.candidate, t->shown);
	}
	if (t->t.suggest) {
		jw_key(&w, "suggestion");
		backtest_suggestion_json(&w, &t->t);
	}
	jw_kf64(&w, "ms", (double)took / 1000); // of the back-test itself, reading the history included
	jw_end(&w);
	printf("%.*s\n", STR_FMT(buf_str(&out)));
	buf_free(&out);
}

int tool_backtest(int argc, char **argv)
{
	struct tool t = { .a = arena_new(1u << 20),
		          .t = { .window = US_PER_DAY, .delay = 30 * US_PER_S, .keep = 10 * US_PER_MIN } };
	char copy[] = "/tmp/anlan-backtest-XXXXXX";
	problem_init(&t.p, t.a);
	options(&t, argc, argv);
	bool copied = t.data && mkdtemp(copy);
	enum err err = t.data && !copied ? ERR_IO : load_rules(&t);
	if (!err)
		err = t.data ? open_data(&t, copy) : open_csv(&t);
	int64_t began = clock_mono();
	if (!err)
		err = try_it(&t);
	if (!err)
		print(&t, clock_mono() - began);
	int status = err ? say(&t, err) : 0;
	if (t.series)
		series_close(t.series);
	if (copied)
		bundle_remove_tree(copy);
	rules_free(t.tried);
	rules_free(t.rules);
	registry_free(t.reg);
	arena_free(t.a);
	return status;
}
