// Start and end of the core process.
#include "core/core.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "core/core_int.h"
#include "report/paper.h"
#include "exchange/import.h"
#include "tool/demo.h"
#include "tool/tool.h"

static _Noreturn void give_up(struct problem *p)
{
	fprintf(stderr, "anlan: %.*s\n       %.*s\n", STR_FMT(p->zh), STR_FMT(p->en));
	if (p->hint_zh.n)
		fprintf(stderr, "       %.*s / %.*s\n", STR_FMT(p->hint_zh), STR_FMT(p->hint_en));
	exit(CORE_EXIT_CONFIG);
}

static void print_diags(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		fprintf(stderr, "%.*s:%u:%u: %.*s\n", STR_FMT(d->v[i].file), d->v[i].line, d->v[i].col, STR_FMT(d->v[i].text));
	fprintf(stderr, "anlan: 业务包有 %zu 处错误，未启动；中文说明用 anlan check --lang zh / %zu mistakes in the packs, not started; anlan check tells them too\n", d->n, d->n);
}

static struct rule_set *compile_rules(const struct registry *reg, struct arena *a)
{
	struct rule_set *rules;
	struct diags d = { .arena = a };
	if (rules_compile(&rules, reg, &d)) {
		print_diags(&d);
		exit(CORE_EXIT_CONFIG);
	}
	return rules;
}

static void on_config(void *arg, struct registry *reg)
{
	registry_set(reg);
	event_config(arg);
}

static void open_config(struct core *co, struct arena *a, struct problem *p)
{
	struct diags d = { .arena = a };
	struct config_options o = { .store = co->app.store, .shipped = str_of(co->cfg.packs_dir), .put = on_config, .arg = co,
				    .own = arena_printf(a, "%s/packs", co->cfg.data_dir) };
	if (!config_open(&co->app.config, &o, &d, p))
		return;
	if (d.n) {
		print_diags(&d);
		exit(CORE_EXIT_CONFIG);
	}
	give_up(p);
}

static enum err fill_sectors(struct db *db, void *arg, struct problem *p)
{
	(void)arg;
	(void)p;
	return alarm_fill_sectors(db);
}

static void open_store(struct core *co, struct arena *a, struct problem *p)
{
	if (store_open(&co->app.store, co->cfg.data_dir, p))
		give_up(p);
	records_lists_later(co->app.store, true); // alarms first
	open_config(co, a, p);
	if (files_tidy(co->app.store) || auth_open(&co->app.auth, co->app.store, co->cfg.data_dir, p) ||
	    notify_seal_secrets(co->app.store, co->app.auth, p) || store_write(co->app.store, fill_sectors, NULL, p))
		give_up(p);
}

// The data tables of the packs live as long as the process.
static void open_risk(struct core *co, struct problem *p)
{
	struct arena *process = arena_new(64 << 10);
	struct risk_tables *t = arena_one(process, struct risk_tables);
	struct str wrong = STR_EMPTY;
	if (!risk_tables_load(process, co->cfg.packs_dir, t, &wrong)) {
		problem_set(p, ERR_CORRUPT, NULL, "数据表不能读取：%.*s", "a data table cannot be read: %.*s", STR_FMT(wrong));
		give_up(p);
	}
	co->app.risk = t;
	flow_tables(t);
}

// A demo county goes only into a folder that holds no people yet.
static void fill_demo(struct core *co, const struct registry *reg, struct problem *p)
{
	int64_t n = 0;
	struct db *db = store_read_begin(co->app.store);
	enum err err = demo_is_filled(db, reg, &n);
	store_read_end(co->app.store, db);
	if (!err && !n)
		err = demo_fill(co->app.store, reg, co->cfg.data_dir, p);
	if (err)
		give_up(p);
}

static void open_series(struct core *co, struct problem *p)
{
	char dir[4096];
	snprintf(dir, sizeof dir, "%s/series", co->cfg.data_dir);
	mkdir(dir, 0700);
	struct series_config cfg = { .dir = dir, .group_us = 2000, .log_limit = 256u << 20, .chunk_points = 240 };
	struct series_hooks hooks = ingest_hooks(co);
	if (series_open(&co->app.series, &cfg, &hooks, p))
		give_up(p);
}

static void adopt_row(void *arg, uint32_t point, struct str rule, struct str level, struct str family)
{
	struct core *co = arg;
	enum level l;
	int64_t fence;
	enum fence_what what;
	if (alarm_family_fence(family, &fence, &what)) {
		fences_adopt_row(co, point, fence, what);
		return;
	}
	if (level_find(level, &l))
		evaluator_adopt(co->evaluator, point, rule, l);
}

static enum err barrier_job(struct db *db, void *arg, struct problem *p)
{
	(void)db, (void)arg, (void)p;
	return OK;
}

static void record_all(struct core *co, struct problem *p) // the jobs posted so far are in the table
{
	if (store_write(co->app.store, barrier_job, NULL, p))
		give_up(p);
}

struct newest {
	const struct rule_set *rules;
	struct db *db;
};

static int64_t newest_change(void *arg, uint32_t point, uint32_t rule, enum level level)
{
	struct newest *n = arg;
	int64_t at = 0;
	enum err err = alarm_newest(n->db, point, rule_info(n->rules, rule).name, str_of(level_family(level)), &at);
	return err ? 0 : at;
}

static enum err forget_causes(struct db *db, void *arg, struct problem *p)
{
	(void)arg, (void)p;
	return alarm_causes_forget(db);
}

// Evaluator and alarm table agree again after a crash between them: what the evaluator holds active is (re)recorded,
// what the table holds active is adopted; both are idempotent.
static void reconcile(struct core *co)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(4096);
	struct problem p;
	problem_init(&p, a);
	ingest_replayed(co);
	record_all(co, &p); // what was replayed
	struct newest n = { .rules = co->current->rules, .db = store_read_begin(co->app.store) };
	evaluator_resume(co->evaluator, newest_change, &n);
	store_read_end(co->app.store, n.db);
	store_post(co->app.store, forget_causes, NULL, NULL); // what is no alarm and lasts is said next
	evaluator_active(co->evaluator, on_transition, co);
	fences_tell_active(co, on_transition);
	record_all(co, &p);
	struct db *db = store_read_begin(co->app.store);
	enum err err = alarm_each_open(db, adopt_row, co, a);
	store_read_end(co->app.store, db);
	if (err)
		log_error("core", "cannot read the open alarms: %s", err_name(err));
	suppress_wake(co, true);
}

static void start_http(struct core *co, struct problem *p)
{
	struct http_config cfg = { .listen_fd = co->cfg.http_fd,
				   .ui_dir = str_of(co->cfg.ui_dir),
				   .cert = co->cfg.cert,
				   .key = co->cfg.key,
				   .threads = 4,
				   .dispatch = api_dispatch,
				   .plan = api_plan,
				   .arg = &co->app };
	if (http_start(&co->app.http, &cfg, p))
		give_up(p);
}

static void start_thread(pthread_t *t, void *(*fn)(void *), struct core *co)
{
	if (pthread_create(t, NULL, fn, co))
		log_die("core", "cannot start a thread");
}

static struct core *core_new(const struct core_config *cfg)
{
	struct core *co = mem_alloc(sizeof *co);
	co->cfg = *cfg;
	co->app = (struct app){
		.county = str_of(cfg->county),
		.site_url = str_of(cfg->site_url),
		.data_dir = str_of(cfg->data_dir),
		.demo = cfg->demo && cfg->loopback,
		.started = clock_now(),
		.version = ANLAN_VERSION,
		.site_take = core_site_take,
		.site_give = core_site_give,
		.push = core_push,
		.drop_files = core_drop_files,
		.detect_cost = core_detect_cost,
		.detect_doubted = core_detect_doubted,
		.detect_doubted_each = core_detect_doubted_each,
		.detect_unit = core_detect_unit,
		.detect_early = core_detect_early,
		.detect_early_points = core_detect_early_points,
		.qra_part = core_qra_part,
		.still = core_still,
		.still_ask = core_still_ask,
		.device_stats = core_device_stats,
		.device_reject = core_device_reject,
		.unknown_devices = core_unknown_devices,
		.command_wait = core_command_wait,
		.kick = core_kick,
		.alarm_changed = core_alarm_changed,
		.messages_changed = core_messages_changed,
		.metrics = core_metrics,
		.map_layer = core_map_layer,
		.clock_set = core_clock_set,
		.core = co,
	};
	pthread_mutex_init(&co->to_gate, NULL);
	pthread_mutex_init(&co->site_mutex, NULL);
	pthread_mutex_init(&co->stats_mutex, NULL);
	pthread_mutex_init(&co->kept_mutex, NULL);
	commands_init(co);
	co->wall = watch_offset();
	co->ring_wait.bounds = co->index_lag.bounds = co->lag.bounds = co->alarm_latency.bounds = histogram_seconds;
	co->loop = loop_new();
	co->event_loop = loop_new();
	co->device_loop = loop_new();
	co->control = queue_new(1024, sizeof(struct control));
	co->hellos = queue_new(32768, sizeof(void *));
	co->events = queue_new(65536, sizeof(struct event *));
	co->evaluator = evaluator_new(LIMIT_POINTS);
	co->fences = fences_new();
	return co;
}

static void announce(const struct core_config *cfg, const char *password)
{
	if (*password)
		printf("\n  管理员 / administrator:  admin\n  一次性密码 / one-time password:  %s\n  （登录后请立即修改 / change "
		       "it after logging in）\n",
		       password);
	if (cfg->announce)
		printf("\n  安澜已启动 / Anlan is running:  %s\n\n", cfg->address);
	fflush(stdout);
}

static void block_signals(void)
{
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL); // T_SERIES reads them from a signalfd
	signal(SIGPIPE, SIG_IGN);
}

// What others wait for ends last: T_EVENTS publishes through HTTP, HTTP workers wait for T_SERIES.
static void *stop_thread(void *core)
{
	struct core *co = core;
	device_thread_stop(co);
	event_thread_stop(co);
	index_stop(co);
	series_leave(co->app.series); // who waits for roll-ups or retention gives up
	retention_stop(co);
	drop_stop(co);
	map_stop(co); // it publishes through HTTP
	detect_stop(co);
	http_stop(co->app.http);
	while (!queue_push(co->control, &(struct control){ .kind = CONTROL_STOP }))
		usleep(1000);
	return NULL;
}

void core_stop_begin(struct core *co)
{
	pthread_t t;
	start_thread(&t, stop_thread, co);
	pthread_detach(t);
}

static _Noreturn void core_stop(struct core *co)
{
	clock_join(co);
	imports_close(co->app.imports);
	qra_stop(co);
	stills_stop(co);
	notify_stop(co->notify);
	series_close(co->app.series);
	config_close(co->app.config);
	store_close(co->app.store);
	log_info("core", "stopped");
	_exit(0);
}

_Noreturn void core_run(const struct core_config *cfg)
{
	log_set(LOG_INFO, "core");
	block_signals();
	mem_large_apart();
	struct core *co = core_new(cfg);
	if (!paper_fonts(cfg->fonts))
		log_warn("core", "no font with Chinese characters is installed: documents would show boxes; install fonts-noto-cjk");
	struct arena *a = arena_new(64 << 10);
	struct problem p;
	problem_init(&p, a);
	char password[33];
	open_store(co, a, &p);
	open_risk(co, &p);
	const struct registry *reg = registry_pin();
	struct rule_set *rules = compile_rules(reg, a);
	if (cfg->demo)
		fill_demo(co, reg, &p);
	if (setup_first_start(co, reg, password, &p))
		give_up(&p);
	struct site *s = site_load(co, registry_pin(), rules, &p);
	if (!s)
		give_up(&p);
	site_publish(co, s, delta_new(true, &(struct ids){ 0 }));
	fences_start(co);
	fences_load(co);
	ingest_take_site(co); // rules, points and fences before the log is replayed through them
	open_series(co, &p);
	reconcile(co);
	map_start(co);
	flow_listen(event_record, co);
	co->notify = notify_start(&(struct notify_config){ .store = co->app.store, .auth = co->app.auth, .site = co->app.county });
	if (imports_open(&co->app.imports, co->app.store, &p))
		give_up(&p);
	ring_attach_consumer(cfg->from_gate); // before any thread may write to the gate
	ring_attach_producer(cfg->to_gate);
	drop_start(co);
	detect_start(co);
	co->app.index = index_live_new();
	qra_start(co);
	stills_start(co);
	start_http(co, &p);
	start_thread(&co->device_thread, device_thread, co);
	index_start(co);
	start_thread(&co->event_thread, event_thread, co);
	records_lists_later(co->app.store, false);
	announce(cfg, password);
	registry_unpin(reg);
	arena_free(a);
	mem_give_back();
	ingest_run(co);
	core_stop(co);
}
