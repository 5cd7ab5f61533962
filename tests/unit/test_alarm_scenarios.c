// Alarm scenarios as data: tests/alarm/*.yaml. Each names points and rules, feeds samples, lets time pass, acts, and says
// which alarms are then open and which changes came. Times are durations from the start of the scenario.
//
//   rules:  list of rules as in packs, or the path of one ("packs/chemical/rules/tank_room.yaml": then all kinds are those of the packs; an other list rules_NAME is put in force by the step `rules: NAME`)
//   points: {NAME: {kind: level, hh: 90, service: maintenance …}}   record fields of a point; device, installation, enterprise: numbers, 1, 0 and 1 unless said
//   steps:  one key each:
//     feed: NAME 0s 50, 1s 92, 2s 95 bad   time, value, quality; arrives at its time, or: 2s@9s for time@arrival
//     lose: NAME 5s 50      the same, but the process dies before what the evaluator says is recorded
//     clock: 10s            the evaluator is asked what is due at that time
//     ack|unshelve|suppress|unsuppress|out_of_service|in_service: NAME, shelve: NAME 1h    of the point's open alarms
//     service: {NAME: maintenance}
//     window: NAME 10s 60s   an approved maintenance window of the point (enterprise: of everything)
//     suppressed: [...]     who hides what: "NAME cause 5s..3605s Cause: pump stopped (why)"
//     rules: NAME           other rules in force
//     save:                 the evaluator's state is kept for `restart: kept`
//     restart: saved|kept|lost   the evaluator begins anew, from its state now, from an older one (as if the clock had
//                           not ticked since), or without
//     changes: [...]        what came since the last one: "5s raised hh", in order
//     expect: [...]         all open alarms: "NAME family level state active|over 5s" + " 9s" returned + " x2" + " late" + " opens T"
//     says: [...]        what the open alarms say (zh), oldest first
//     refused: WORD         the action before was refused with this error
// At the end everything is applied once more: nothing may change.
// needs: base loop bus store expr risk model auth alarm
#include "store_fixture.h"

#include <dirent.h>
#include <math.h>

#include "alarm/alarm.h"
#include "auth/auth.h"
#include "base/buf.h"
#include "base/jr.h"
#include "base/time.h"
#include "base/workday.h"
#include "model/yaml.h"
#include "series/series.h"

#define T0 INT64_C(1767225600000000) // 2026-01-01T00:00:00Z
#define MAX_POINTS 8
#define MAX_HISTORY 400
#define MAX_CHANGES 400

struct scenario {
	struct fixture f;
	struct arena *a;
	const struct yaml_node *root;
	struct registry reg;
	struct rule_set *rules;
	uint8_t saved[MAX_POINTS][ALARM_EXT];
	struct buf saved_all;
	struct evaluator *ev;
	struct point_def points[MAX_POINTS];
	struct str names[MAX_POINTS];
	size_t npoints;
	struct sample history[MAX_POINTS][MAX_HISTORY]; // by time, as series keeps it
	size_t nhistory[MAX_POINTS];
	struct transition said[MAX_CHANGES];
	size_t nsaid, nseen;    // nseen: told by a `changes` step
	int64_t clock;
	enum err last;          // of the last action
	int64_t windows;        // how many
	bool losing;            // a crash: what the evaluator says is not recorded
};

static const char *file_name;
#define FAIL_AT(n, ...) (print_error("%s:%u: ", file_name, (n)->line), print_error(__VA_ARGS__), print_error("\n"), fail())

// ---- reading -----------------------------------------------------------------------------------
static struct str read_file(struct arena *a, const char *path)
{
	struct buf b;
	char chunk[4096];
	size_t n;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	buf_init(&b, 1u << 20);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(&b, chunk, n);
	fclose(f);
	struct str s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static int64_t time_of(const struct yaml_node *n, struct str s)
{
	int64_t us;
	if (!duration_parse(str_trim(s), &us))
		FAIL_AT(n, "\"%.*s\" is no duration", STR_FMT(s));
	return T0 + us;
}

static void print_diags(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		print_error("%.*s:%u:%u: %.*s\n", STR_FMT(d->v[i].file), d->v[i].line, d->v[i].col, STR_FMT(d->v[i].text));
}

static struct point_kind kinds[] = {
	{ .name = { "level", 5 }, .label = { { "液位", 6 }, { "Level", 5 } }, .unit = { "%", 1 }, .min = 0, .max = 1000, .interval = US_PER_S, .stale_after = 90 * US_PER_S },
	{ .name = { "gas", 3 }, .label = { { "气体", 6 }, { "Gas", 3 } }, .unit = { "%LEL", 4 }, .min = 0, .max = 100, .interval = US_PER_S, .stale_after = 90 * US_PER_S },
	{ .name = { "pressure", 8 }, .label = { { "压力", 6 }, { "Pressure", 8 } }, .unit = { "kPa", 3 }, .min = 0, .max = 5000, .interval = US_PER_S, .stale_after = 90 * US_PER_S },
	{ .name = { "temperature", 11 }, .label = { { "温度", 6 }, { "Temperature", 11 } }, .unit = { "℃", 3 }, .min = -50, .max = 600, .interval = US_PER_S, .stale_after = 90 * US_PER_S },
	{ .name = { "run_state", 9 }, .label = { { "运行状态", 12 }, { "Run state", 9 } }, .min = 0, .max = 4, .interval = 30 * US_PER_S },
};
static const struct workdays no_calendar;
static struct type types[] = { { .name = { "warning", 7 }, .label = { { "预警", 6 }, { "Warning", 7 } } } };

// The packs that the program ships with; once.
static const struct registry *shipped(void)
{
	static struct registry *reg;
	struct diags d = { .arena = arena_new(0) };
	if (!reg && registry_load(&reg, STR("packs"), &d)) {
		print_diags(&d);
		fail();
	}
	arena_free(d.arena);
	return reg;
}

static struct rule_file rule_of(struct scenario *s, const struct yaml_node *n, struct diags *d)
{
	if (n->kind == YAML_MAP)
		return (struct rule_file){ STR("test"), str_of(file_name), n };
	const struct registry *reg = shipped();
	s->reg.kinds = reg->kinds;
	s->reg.nkinds = reg->nkinds;
	s->reg.workdays = reg->workdays;
	s->reg.types = reg->types; // what its rules open
	s->reg.ntypes = reg->ntypes;
	const struct yaml_node *root = yaml_parse(s->a, n->text, read_file(s->a, arena_cstr(s->a, n->text)), d);
	assert_non_null(root);
	return (struct rule_file){ STR("test"), n->text, root };
}

static void load_rules(struct scenario *s, const char *key)
{
	const struct yaml_node *list = yaml_get(s->root, key);
	struct diags d = { .arena = s->a };
	assert_non_null(list);
	s->reg = (struct registry){ .arena = s->a, .kinds = kinds, .nkinds = ARRAY_LEN(kinds), .types = types, .ntypes = 1, .workdays = &no_calendar };
	s->reg.rules = arena_many(s->a, list->n, struct rule_file);
	for (size_t i = 0; i < list->n; i++)
		s->reg.rules[s->reg.nrules++] = rule_of(s, list->items[i], &d);
	struct rule_set *old = s->rules;
	if (rules_compile(&s->rules, &s->reg, &d)) {
		print_diags(&d);
		fail();
	}
	if (old)
		rules_free(old);
}

static double number_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);
	double v = NAN;
	if (n)
		assert_true(str_to_f64(n->text, &v));
	return v;
}

static void set_service(struct point_def *p, struct str service)
{
	p->maintenance = str_is(service, "maintenance");
	p->out_of_service = str_is(service, "out_of_service");
}

static int64_t place_of(const struct yaml_node *map, const char *key)
{
	double v = number_of(map, key);
	return isnan(v) ? 1 : (int64_t)v;
}

static int64_t id_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);
	int64_t v = 0;
	if (n)
		assert_true(str_to_i64(n->text, &v));
	return v;
}

static void load_points(struct scenario *s)
{
	const struct yaml_node *map = yaml_get(s->root, "points"), *n;
	assert_true(map && map->n <= MAX_POINTS);
	for (size_t i = 0; i < map->n; i++) {
		const struct yaml_node *v = map->items[i];
		struct point_def *p = &s->points[s->npoints];
		s->names[s->npoints++] = map->keys[i]->text;
		*p = (struct point_def){ .id = (uint32_t)i + 1, .code = map->keys[i]->text, .area = STR("990121101000"),
			                 .enterprise = place_of(v, "enterprise"), .device = place_of(v, "device"),
			                 .kind = yaml_get(v, "kind") ? yaml_get(v, "kind")->text : STR("level"),
			                 .sector = (n = yaml_get(v, "sector")) ? n->text : STR_EMPTY,
			                 .installation = id_of(v, "installation") };
		if ((n = yaml_get(v, "area")))
			p->area = n->text;
		p->ll = number_of(v, "ll");
		p->l = number_of(v, "l");
		p->h = number_of(v, "h");
		p->hh = number_of(v, "hh");
		p->min = number_of(v, "min");
		p->max = number_of(v, "max");
		double deadband = number_of(v, "deadband"), on = number_of(v, "delay_on_s"), off = number_of(v, "delay_off_s");
		p->own = (struct point_own){ !isnan(deadband), !isnan(on), !isnan(off), deadband, (int64_t)(isnan(on) ? 0 : on * US_PER_S),
			                     (int64_t)(isnan(off) ? 0 : off * US_PER_S) };
		if ((n = yaml_get(v, "service")))
			set_service(p, n->text);
	}
}

static size_t point_index(struct scenario *s, const struct yaml_node *n, struct str name)
{
	for (size_t i = 0; i < s->npoints; i++)
		if (str_eq(s->names[i], name))
			return i;
	FAIL_AT(n, "no point \"%.*s\"", STR_FMT(name));
	return 0;
}

// ---- applying ----------------------------------------------------------------------------------
static const struct point_def *context_point(void *arg, uint32_t id)
{
	struct scenario *s = arg;
	return id >= 1 && id <= s->npoints ? &s->points[id - 1] : NULL;
}

struct apply_job { struct scenario *s; const struct transition *t; };
static enum err apply_job(struct db *db, void *arg, struct problem *p)
{
	struct apply_job *j = arg;
	struct alarm_context cx = { .rules = j->s->rules, .point = context_point, .arg = j->s };
	struct alarm_change change;
	(void)p;
	return alarm_apply(db, &cx, j->t, &change);
}
static void on_transition(void *arg, const struct transition *t)
{
	struct scenario *s = arg;
	struct apply_job j = { s, t };
	if (s->losing)
		return;
	assert_true(s->nsaid < MAX_CHANGES);
	s->said[s->nsaid++] = *t;
	assert_int_equal(fixture_write(&s->f, apply_job, &j), OK);
}

static enum err read_history(void *arg, uint32_t point, int64_t from, int64_t to, struct arena *a, struct sample **ret,
                             size_t *ret_n)
{
	struct scenario *s = arg;
	(void)a;
	size_t lo = 0, hi = s->nhistory[point - 1];
	while (lo < hi && s->history[point - 1][lo].time < from)
		lo++;
	while (hi > lo && s->history[point - 1][hi - 1].time >= to)
		hi--;
	*ret = &s->history[point - 1][lo];
	*ret_n = hi - lo;
	return OK;
}

// As series_add: a set by time, the first to arrive wins.
static enum arrival remember(struct scenario *s, size_t point, const struct reading *r)
{
	struct sample *v = s->history[point];
	size_t n = s->nhistory[point], at = n;
	while (at > 0 && v[at - 1].time > r->time)
		at--;
	if (at > 0 && v[at - 1].time == r->time)
		return ARRIVED_DUPLICATE;
	assert_true(n < MAX_HISTORY);
	memmove(&v[at + 1], &v[at], (n - at) * sizeof *v);
	v[at] = (struct sample){ r->time, r->value, r->quality };
	s->nhistory[point]++;
	return at == n ? ARRIVED_NEW : ARRIVED_LATE;
}

static uint16_t quality_of(const struct yaml_node *n, struct str name)
{
	for (int q = 0; q < Q__MAX; q++)
		if (str_is(name, quality_name((enum quality)q)))
			return (uint16_t)q;
	FAIL_AT(n, "no quality \"%.*s\"", STR_FMT(name));
	return 0;
}

static void feed_one(struct scenario *s, const struct yaml_node *n, size_t point, struct str one)
{
	one = str_trim(one);
	struct str when = str_cut(&one, ' '), time = str_cut(&when, '@'), value = str_cut(&one, ' '), quality = str_trim(one);
	struct reading r = { .point = (uint32_t)point + 1, .time = time_of(n, time) };
	int64_t arrival = when.n ? time_of(n, when) : MAX(r.time, s->clock);
	if (!str_to_f64(value, &r.value))
		FAIL_AT(n, "\"%.*s\" is no value", STR_FMT(value));
	r.quality = quality.n ? quality_of(n, quality) : Q_GOOD;
	s->clock = MAX(s->clock, arrival);
	r.quality = (uint16_t)evaluator_quality(s->ev, &r, s->clock);
	enum arrival how = remember(s, point, &r);
	if (how == ARRIVED_NEW)
		evaluator_feed(s->ev, &r, arrival, on_transition, s);
	else if (how == ARRIVED_LATE)
		evaluator_note_late(s->ev, &r);
}

static void step_feed(struct scenario *s, const struct yaml_node *n)
{
	struct str text = n->text, name = str_cut(&text, ' ');
	size_t point = point_index(s, n, name);
	while (text.n)
		feed_one(s, n, point, str_cut(&text, ','));
	evaluator_settle(s->ev, on_transition, s);
	struct arena *a = arena_new(0);
	while (evaluator_late(s->ev, 100, read_history, s, a, on_transition, s) > 0)
		;
	arena_free(a);
}

static void step_clock(struct scenario *s, const struct yaml_node *n)
{
	s->clock = time_of(n, n->text);
	(void)evaluator_tick(s->ev, s->clock, on_transition, s);
}

static void load_evaluator(struct scenario *s)
{
	evaluator_load(s->ev, s->rules, &s->reg, s->points, s->npoints, s->clock);
}

// ---- acting ------------------------------------------------------------------------------------
struct act_job { struct scenario *s; int64_t alarm, until; enum alarm_act act; };
static enum err act_job(struct db *db, void *arg, struct problem *p)
{
	struct act_job *j = arg;
	struct identity by = { .person = 7, .name = STR("op"), .title = STR("Op"), .lang = STR("en") };
	struct alarm_change change;
	return alarm_act(db, j->alarm, j->act, STR("because"), j->until, &by, &change, p);
}

struct listing_row { int64_t id; struct str line, point, say; };

static size_t list(struct scenario *s, struct listing_row *v, size_t max);

static bool step_act(struct scenario *s, const struct yaml_node *n, struct str key)
{
	static const struct { const char *name; enum alarm_act act; } acts[] = {
		{ "ack", ACT_ACK }, { "shelve", ACT_SHELVE }, { "unshelve", ACT_UNSHELVE }, { "suppress", ACT_SUPPRESS },
		{ "unsuppress", ACT_UNSUPPRESS }, { "out_of_service", ACT_OUT_OF_SERVICE },
		{ "in_service", ACT_IN_SERVICE }, { "comment", ACT_COMMENT }, { "reset", ACT_RESET },
	};
	struct listing_row rows[MAX_POINTS * 4];
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		if (!str_is(key, acts[i].name))
			continue;
		struct str rest = n->text, name = str_cut(&rest, ' ');
		size_t count = list(s, rows, ARRAY_LEN(rows)), did = 0;
		clock_set_fake(s->clock);
		for (size_t k = 0; k < count; k++) {
			struct act_job j = { s, rows[k].id, rest.n ? s->clock + time_of(n, rest) - T0 : 0, acts[i].act };
			if (!str_eq(rows[k].point, name))
				continue;
			s->last = fixture_write(&s->f, act_job, &j);
			did++;
		}
		clock_set_fake(0);
		if (!did)
			FAIL_AT(n, "no open alarm of %.*s", STR_FMT(name));
		return true;
	}
	return false;
}

struct shelf_job { struct scenario *s; };
static enum err shelf_job(struct db *db, void *arg, struct problem *p)
{
	struct scenario *s = arg;
	int64_t *alarms, next;
	size_t n;
	(void)p;
	struct alarm_context cx = { .rules = s->rules, .point = context_point, .arg = s };
	enum err err = alarm_shelf_tick(db, s->clock, s->a, &alarms, &n, &next);
	return err ? err : alarm_suppress_tick(db, &cx, s->clock, true, s->a, &next);
}

struct window_job { struct scenario *s; int64_t point, from, until; };
static enum err window_job(struct db *db, void *arg, struct problem *p)
{
	struct window_job *j = arg;
	struct query q;
	(void)p;
	query_begin(&q, db, STMT_WINDOW_ADD);
	query_i64(&q, 1, ++j->s->windows);
	query_str(&q, 2, STR("JX"));
	query_i64(&q, 3, j->point);
	for (int col = 4; col <= 6; col++)
		query_i64(&q, col, col == 6);
	query_str(&q, 7, STR("990121101000"));
	query_str(&q, 8, STR_EMPTY);
	query_i64(&q, 9, j->from);
	query_i64(&q, 10, j->until);
	query_str(&q, 11, STR("repair"));
	query_str(&q, 12, STR("Chief"));
	return query_run(&q);
}

static void step_window(struct scenario *s, const struct yaml_node *n)
{
	struct str text = n->text, name = str_cut(&text, ' '), from = str_cut(&text, ' ');
	struct window_job j = { s, 0, time_of(n, from), time_of(n, text) };
	if (!str_is(name, "enterprise"))
		j.point = (int64_t)point_index(s, n, name) + 1;
	assert_int_equal(fixture_write(&s->f, window_job, &j), OK);
}

static void adopt(void *arg, uint32_t point, struct str rule, struct str level, struct str family)
{
	(void)family;
	struct scenario *s = arg;
	enum level l;
	assert_true(level_find(level, &l));
	evaluator_adopt(s->ev, point, rule, l);
}

struct newest { struct scenario *s; struct db *db; };
static int64_t newest_change(void *arg, uint32_t point, uint32_t rule, enum level level)
{
	struct newest *n = arg;
	int64_t at;
	assert_int_equal(alarm_newest(n->db, point, rule_info(n->s->rules, rule).name, str_of(level_family(level)), &at), OK);
	return at;
}

static void step_save(struct scenario *s)
{
	for (size_t i = 0; i < s->npoints; i++)
		evaluator_save(s->ev, (uint32_t)i + 1, s->saved[i]);
	buf_clear(&s->saved_all);
	evaluator_save_all(s->ev, &s->saved_all);
}

static enum err forget_job(struct db *db, void *arg, struct problem *p)
{
	(void)arg, (void)p;
	return alarm_causes_forget(db);
}

static void step_restart(struct scenario *s, struct str how)
{
	bool saved = !str_is(how, "lost");
	if (str_is(how, "saved"))
		step_save(s);
	evaluator_free(s->ev);
	s->ev = evaluator_new(1000);
	load_evaluator(s);
	for (size_t i = 0; i < s->npoints && saved; i++)
		evaluator_restore(s->ev, (uint32_t)i + 1, s->saved[i]);
	if (saved) {
		evaluator_restore_all(s->ev, buf_str(&s->saved_all));
		evaluator_settle(s->ev, on_transition, s);
	}
	struct db *db = store_read_begin(s->f.store);
	struct newest n = { s, db };
	evaluator_resume(s->ev, newest_change, &n);
	store_read_end(s->f.store, db);
	assert_int_equal(fixture_write(&s->f, forget_job, NULL), OK);
	evaluator_active(s->ev, on_transition, s);
	s->nseen = s->nsaid;
	db = store_read_begin(s->f.store);
	assert_int_equal(alarm_each_open(db, adopt, s, s->a), OK);
	store_read_end(s->f.store, db);
}

// ---- what is said ------------------------------------------------------------------------------
static struct str time_words(struct scenario *s, int64_t at)
{
	char text[F64_TEXT_MAX];
	size_t n = f64_text((double)(at - T0) / (double)US_PER_S, text);
	return arena_printf(s->a, "%.*ss", (int)n, text);
}

static struct str transition_words(struct scenario *s, const struct transition *t)
{
	static const char *const kinds_of[] = { "raised", "level", "returned" };
	return arena_printf(s->a, "%.*s %s %s%s", STR_FMT(time_words(s, t->at)), kinds_of[t->kind], level_name(t->level),
	                    t->late ? " late" : "");
}

static void step_changes(struct scenario *s, const struct yaml_node *n)
{
	assert_int_equal(n->kind, YAML_LIST);
	for (size_t i = 0; i < n->n || s->nseen < s->nsaid; i++, s->nseen++) {
		struct str got = s->nseen < s->nsaid ? transition_words(s, &s->said[s->nseen]) : STR("nothing");
		struct str want = i < n->n ? n->items[i]->text : STR("nothing");
		if (!str_eq(got, want))
			FAIL_AT(i < n->n ? n->items[i] : n, "change \"%.*s\", expected \"%.*s\"", STR_FMT(got), STR_FMT(want));
		if (s->nseen >= s->nsaid)
			break;
	}
}

// The open alarms by id, from the JSON that the API gives.
static struct str member(struct arena *a, struct str json, const char *name);
static int64_t time_member(struct arena *a, struct str json, const char *name)
{
	int64_t us;
	struct str t = member(a, json, name);
	return time_parse(t, &us) ? us : 0;
}

static size_t list(struct scenario *s, struct listing_row *v, size_t max)
{
	struct buf out;
	struct jw w;
	size_t n = 0;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	struct db *db = store_read_begin(s->f.store);
	struct alarm_context cx = { 0 };
	assert_int_equal(alarm_list_json(db, &cx, &(struct scope){ 0 }, &(struct alarm_query){ 0 }, &w, s->a), OK);
	store_read_end(s->f.store, db);
	assert_true(jw_done(&w));
	struct str json = arena_str(s->a, buf_str(&out)), rest = json;
	buf_free(&out);
	struct jr r;
	struct str key;
	jr_init(&r, rest, s->a);
	for (jr_obj(&r); jr_key(&r, &key);) {
		if (!str_is(key, "items")) {
			jr_skip(&r);
			continue;
		}
		for (jr_arr(&r); jr_more(&r);) {
			struct str one = jr_skip(&r);
			assert_true(n < max);
			int64_t returned = time_member(s->a, one, "returned_at");
			struct str point = member(s->a, member(s->a, one, "point"), "code");
			struct str count = member(s->a, one, "count");
			int64_t id;
			assert_true(str_to_i64(member(s->a, one, "id"), &id));
			v[n++] = (struct listing_row){ .id = id, .point = point, .say = member(s->a, member(s->a, one, "say"), "zh"), .line = arena_printf(s->a,
				"%.*s %.*s %.*s %.*s %s %.*s%s%.*s%s%.*s%s", STR_FMT(point),
				STR_FMT(member(s->a, one, "family")), STR_FMT(member(s->a, one, "level")),
				STR_FMT(member(s->a, one, "state")), str_is(member(s->a, one, "active"), "true") ? "active" : "over",
				STR_FMT(time_words(s, time_member(s->a, one, "raised_at"))), returned ? " " : "",
				STR_FMT(returned ? time_words(s, returned) : STR_EMPTY), str_is(count, "1") ? "" : " x",
				STR_FMT(str_is(count, "1") ? STR_EMPTY : count),
				str_is(member(s->a, one, "late"), "true") ? " late" : "") };
		}
	}
	assert_true(jr_end(&r));
	for (size_t i = 0; i < n / 2; i++) { // newest first → oldest first
		struct listing_row t = v[i];
		v[i] = v[n - 1 - i];
		v[n - 1 - i] = t;
	}
	return n;
}

static struct str member(struct arena *a, struct str json, const char *name)
{
	struct jr r;
	struct str key, found = STR_EMPTY;
	jr_init(&r, json, a);
	for (jr_obj(&r); jr_key(&r, &key);) {
		if (str_is(key, name) && jr_peek(&r) == JR_STRING)
			found = jr_str(&r);
		else if (str_is(key, name))
			found = jr_skip(&r);
		else
			jr_skip(&r);
	}
	return found;
}

static void step_expect(struct scenario *s, const struct yaml_node *n)
{
	struct listing_row v[MAX_POINTS * 4];
	size_t count = list(s, v, ARRAY_LEN(v));
	for (size_t i = 0; i < MAX(count, n->n); i++) {
		struct str got = i < count ? v[i].line : STR("nothing"), want = i < n->n ? n->items[i]->text : STR("nothing");
		if (!str_eq(got, want))
			FAIL_AT(i < n->n ? n->items[i] : n, "open alarm \"%.*s\", expected \"%.*s\"", STR_FMT(got), STR_FMT(want));
	}
}

// Each alarm that is hidden: by whom, from when until when, why.
static void step_suppressed(struct scenario *s, const struct yaml_node *n)
{
	struct buf out;
	struct jw w;
	struct jr r;
	size_t count = 0;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	struct db *db = store_read_begin(s->f.store);
	assert_int_equal(alarm_suppressed_json(db, &(struct scope){ 0 }, s->clock, &w, s->a), OK);
	store_read_end(s->f.store, db);
	struct str json = arena_str(s->a, buf_str(&out));
	buf_free(&out);
	jr_init(&r, member(s->a, json, "items"), s->a);
	for (jr_arr(&r); jr_more(&r); count++) {
		struct str one = jr_skip(&r), hidden = member(s->a, one, "hidden");
		int64_t until = time_member(s->a, hidden, "until");
		struct str line = arena_printf(s->a, "%.*s %.*s %.*s..%.*s %.*s", STR_FMT(member(s->a, member(s->a, one, "point"), "code")),
			STR_FMT(member(s->a, hidden, "by")), STR_FMT(time_words(s, time_member(s->a, hidden, "since"))),
			STR_FMT(until ? time_words(s, until) : STR_EMPTY), STR_FMT(member(s->a, member(s->a, hidden, "why"), "en")));
		struct str want = count < n->n ? n->items[count]->text : STR("nothing");
		if (!str_eq(line, want))
			FAIL_AT(n, "hidden \"%.*s\", expected \"%.*s\"", STR_FMT(line), STR_FMT(want));
	}
	assert_true(jr_end(&r));
	if (count != n->n)
		FAIL_AT(n, "%zu are hidden, expected %u", count, n->n);
}

// What the open alarms say, in Chinese.
static void step_says(struct scenario *s, const struct yaml_node *n)
{
	struct listing_row v[MAX_POINTS * 4];
	size_t count = list(s, v, ARRAY_LEN(v));
	for (size_t i = 0; i < MAX(count, n->n); i++) {
		struct str got = i < count ? v[i].say : STR("nothing"), want = i < n->n ? n->items[i]->text : STR("nothing");
		if (!str_eq(got, want))
			FAIL_AT(i < n->n ? n->items[i] : n, "says \"%.*s\", expected \"%.*s\"", STR_FMT(got), STR_FMT(want));
	}
}

static void step_opens(struct scenario *s, const struct yaml_node *n)
{
	struct db *db = store_read_begin(s->f.store);
	struct alarm_open o;
	struct alarm_context cx = { 0 };
	enum err err = alarm_next_open(db, &cx, s->a, &o);
	store_read_end(s->f.store, db);
	struct str got = err ? STR("nothing") : arena_printf(s->a, "%.*s %.*s", STR_FMT(o.type), STR_FMT(o.point_code));
	if (!str_eq(got, n->text))
		FAIL_AT(n, "to be opened \"%.*s\", expected \"%.*s\"", STR_FMT(got), STR_FMT(n->text));
}

// ---- a scenario --------------------------------------------------------------------------------
static void step(struct scenario *s, const struct yaml_node *map)
{
	assert_true(map->kind == YAML_MAP && map->n == 1);
	struct str key = map->keys[0]->text;
	const struct yaml_node *v = map->items[0];
	if (str_is(key, "feed")) {
		step_feed(s, v);
	} else if (str_is(key, "lose")) {
		s->losing = true;
		step_feed(s, v);
		s->losing = false;
	} else if (str_is(key, "clock")) {
		step_clock(s, v);
		assert_int_equal(fixture_write(&s->f, shelf_job, s), OK);
	} else if (str_is(key, "changes")) {
		step_changes(s, v);
	} else if (str_is(key, "expect")) {
		step_expect(s, v);
	} else if (str_is(key, "says")) {
		step_says(s, v);
	} else if (str_is(key, "opens")) {
		step_opens(s, v);
	} else if (str_is(key, "window")) {
		step_window(s, v);
	} else if (str_is(key, "suppressed")) {
		step_suppressed(s, v);
	} else if (str_is(key, "restart")) {
		step_restart(s, v->text);
	} else if (str_is(key, "save")) {
		step_save(s);
	} else if (str_is(key, "service")) {
		for (size_t i = 0; i < v->n; i++)
			set_service(&s->points[point_index(s, v, v->keys[i]->text)], v->items[i]->text);
		load_evaluator(s);
	} else if (str_is(key, "rules")) {
		load_rules(s, arena_cstr(s->a, arena_printf(s->a, "rules_%.*s", STR_FMT(v->text))));
		load_evaluator(s);
	} else if (str_is(key, "refused")) {
		assert_string_equal(err_name(s->last), arena_cstr(s->a, v->text));
	} else if (!step_act(s, v, key)) {
		FAIL_AT(map, "unknown step \"%.*s\"", STR_FMT(key));
	}
}

// The log is replayed after a crash: the same changes come again.
static void apply_again(struct scenario *s)
{
	struct listing_row before[MAX_POINTS * 4], after[MAX_POINTS * 4];
	size_t n = list(s, before, ARRAY_LEN(before)), said = s->nsaid;
	for (size_t i = 0; i < said; i++) {
		struct apply_job j = { s, &s->said[i] };
		if (s->said[i].standing) // not a change, but how things were at one start
			continue;
		s->said[i].replayed = !s->said[i].late;
		if (s->said[i].rule != RULE_GONE && s->said[i].rule < rules_count(s->rules))
			assert_int_equal(fixture_write(&s->f, apply_job, &j), OK);
	}
	assert_int_equal(list(s, after, ARRAY_LEN(after)), n);
	for (size_t i = 0; i < n; i++)
		if (!str_eq(before[i].line, after[i].line))
			fail_msg("%s: applied again: \"%.*s\" became \"%.*s\"", file_name, STR_FMT(before[i].line),
			         STR_FMT(after[i].line));
}

static void run(const char *path)
{
	struct scenario *s = mem_alloc(sizeof *s);
	struct diags d = { 0 };
	file_name = path;
	fixture_begin(&s->f);
	buf_init(&s->saved_all, 1u << 20);
	s->a = s->f.arena;
	d.arena = s->a;
	s->clock = T0;
	s->root = yaml_parse(s->a, str_of(path), read_file(s->a, path), &d);
	print_diags(&d);
	assert_non_null(s->root);
	load_points(s);
	load_rules(s, "rules");
	s->ev = evaluator_new(1000);
	load_evaluator(s);
	(void)evaluator_tick(s->ev, T0, on_transition, s);
	const struct yaml_node *steps = yaml_get(s->root, "steps");
	assert_non_null(steps);
	for (size_t i = 0; i < steps->n; i++)
		step(s, steps->items[i]);
	bool other_rules = false;
	for (size_t i = 0; i < steps->n; i++)
		other_rules |= yaml_get(steps->items[i], "rules") != NULL;
	if (!other_rules)
		apply_again(s);
	evaluator_free(s->ev);
	rules_free(s->rules);
	buf_free(&s->saved_all);
	fixture_end(&s->f);
	mem_free(s);
}

static int by_name(const void *x, const void *y) { return strcmp(*(char *const *)x, *(char *const *)y); }

static void test_scenarios(void **state)
{
	char *names[200];
	size_t n = 0;
	(void)state;
	DIR *dir = opendir("tests/alarm");
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		if (str_ends(str_of(e->d_name), STR(".yaml"))) {
			assert_true(n < ARRAY_LEN(names));
			names[n] = mem_alloc(strlen(e->d_name) + sizeof "tests/alarm/");
			snprintf(names[n++], strlen(e->d_name) + sizeof "tests/alarm/", "tests/alarm/%s", e->d_name);
		}
	closedir(dir);
	qsort(names, n, sizeof *names, by_name);
	const char *only = getenv("ONLY");
	for (size_t i = 0; i < n; i++) {
		if (!only || strstr(names[i], only))
			run(names[i]);
		mem_free(names[i]);
	}
	print_message("%zu scenarios\n", n);
	assert_true(n >= 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_scenarios) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
