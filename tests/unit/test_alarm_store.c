// Alarms as rows: names and words that stay with them, JSON, scope, acting with its refusals, audit, shelf, outbox.
// needs: base loop bus store expr risk model auth alarm
#include "store_fixture.h"

#include <jansson.h>
#include <math.h>

#include "alarm/alarm.h"
#include "alarm/kpi.h"
#include "auth/auth.h"
#include "base/buf.h"
#include "base/time.h"
#include "model/yaml.h"
#include "store/audit.h"
#include "store/records.h"

#define T0 INT64_C(1767225600000000) // 2026-01-01T08:00:00+08:00

static struct point_kind kinds[] = { { .name = { "level", 5 }, .min = 0, .max = 100, .interval = US_PER_S } };
static struct type types[] = { { .name = { "warning", 7 }, .label = { { "预警", 6 }, { "Warning", 7 } } } };
static const char rule_text[] =
	"rule: tank\nlabel: {zh: 储罐液位, en: Tank level}\nwatch: {kind: level}\nlevels:\n"
	"  hh: {above: 90, color: red, say: {zh: 液位高高, en: Level high-high}, guide: {zh: 停泵, en: Stop the pump}, open: warning}\n"
	"  h: {above: 80, color: orange, say: {zh: 液位高, en: Level high}}\n";

static struct {
	struct fixture f;
	struct rule_set *rules;
	struct point_def points[2];
} x;

static const struct point_def *point_of(void *arg, uint32_t id)
{
	(void)arg;
	return id <= 2 ? &x.points[id - 1] : NULL;
}
static const struct alarm_context context = { .point = point_of };

static const struct column point_cols[] = { { .name = { "name", 4 }, .kind = COL_TEXT }, { .name = { "unit", 4 }, .kind = COL_TEXT },
	                                    { .name = { "position_lon", 12 }, .kind = COL_REAL }, { .name = { "position_lat", 12 }, .kind = COL_REAL } };
static const struct table point_table = { .name = { "point", 5 }, .cols = point_cols, .ncols = ARRAY_LEN(point_cols) };
static const struct table enterprise_table = { .name = { "enterprise", 10 } };

static struct value text(const char *s) { return (struct value){ .kind = VAL_TEXT, .s = str_of(s) }; }
static struct value real(double f) { return (struct value){ .kind = VAL_REAL, .f = f }; }

static enum err make_records(struct db *db, void *arg, struct problem *p)
{
	(void)arg;
	enum err err = records_migrate(db, &point_table, p);
	if (!err)
		err = records_migrate(db, &enterprise_table, p);
	for (int i = 0; i < 2 && !err; i++) {
		struct common c = { .number = i ? STR("P2") : STR("P1"), .title = STR("罐"), .area = STR("990121101000") };
		struct value v[] = { text(i ? "二号罐液位" : "一号罐液位"), text("%"), real(112.5), real(28.25) };
		err = records_insert(db, &point_table, &c, v, p);
	}
	struct common e = { .number = STR("E1"), .title = STR("安澜化工"), .area = STR("990121101000") };
	return err ? err : records_insert(db, &enterprise_table, &e, NULL, p);
}

static int set_up(void **state)
{
	(void)state;
	memset(&x, 0, sizeof x);
	fixture_begin(&x.f);
	struct arena *a = x.f.arena;
	struct diags d = { .arena = a };
	struct registry reg = { .arena = a, .kinds = kinds, .nkinds = 1, .types = types, .ntypes = 1 };
	struct rule_file file = { .file = STR("a.yaml"), .root = yaml_parse(a, STR("a.yaml"), str_of(rule_text), &d) };
	reg.rules = &file;
	reg.nrules = 1;
	assert_int_equal(rules_compile(&x.rules, &reg, &d), OK);
	for (uint32_t i = 0; i < 2; i++)
		x.points[i] = (struct point_def){ .id = i + 1, .enterprise = i ? 0 : 1, .code = i ? STR("T2") : STR("T1"),
			                          .kind = STR("level"), .area = i ? STR("990121102000") : STR("990121101000") };
	assert_int_equal(fixture_write(&x.f, make_records, NULL), OK);
	return 0;
}
static int tear_down(void **state)
{
	(void)state;
	clock_set_fake(0);
	rules_free(x.rules);
	fixture_end(&x.f);
	return 0;
}

// ---- doing -------------------------------------------------------------------------------------
struct job { struct transition t; struct alarm_change change; };
static enum err apply_job(struct db *db, void *arg, struct problem *p)
{
	struct job *j = arg;
	struct alarm_context cx = context;
	(void)p;
	cx.rules = x.rules;
	return alarm_apply(db, &cx, &j->t, &j->change);
}
static struct alarm_change apply(uint32_t point, enum transition_kind kind, enum level level, int s)
{
	struct job j = { .t = { .point = point, .kind = kind, .level = level, .at = T0 + s * US_PER_S, .limit = 90,
		                .cause_time = T0 + s * US_PER_S, .cause_value = 91.5, .arrival = T0 + s * US_PER_S + 1000 } };
	assert_int_equal(fixture_write(&x.f, apply_job, &j), OK);
	return j.change;
}

struct act { int64_t alarm, until; enum alarm_act act; const char *reason; struct identity by; };
static enum err act_job(struct db *db, void *arg, struct problem *p)
{
	struct act *j = arg;
	struct alarm_change change;
	return alarm_act(db, j->alarm, j->act, str_of(j->reason), j->until, &j->by, &change, p);
}
static const struct identity officer = { .person = 7, .name = { "duty", 4 }, .title = { "值班员甲", 12 }, .scope = { .area = { "990121", 6 } } };
static enum err act(int64_t alarm, enum alarm_act a, const char *reason, int64_t until)
{
	struct act j = { alarm, until, a, reason, officer };
	return fixture_write(&x.f, act_job, &j);
}

static json_t *json_of(struct buf *out)
{
	json_error_t e;
	json_t *j = json_loadb(out->p, out->n, 0, &e);
	if (!j)
		fail_msg("%s: %.*s", e.text, (int)out->n, out->p);
	buf_free(out);
	return j;
}
static json_t *list(struct alarm_query q, struct scope scope)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	struct db *db = store_read_begin(x.f.store);
	assert_int_equal(alarm_list_json(db, NULL, &scope, &q, &w, x.f.arena), OK);
	store_read_end(x.f.store, db);
	assert_true(jw_done(&w));
	return json_of(&out);
}
static json_t *journal(int64_t alarm)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	struct db *db = store_read_begin(x.f.store);
	assert_int_equal(alarm_journal_json(db, alarm, &w, x.f.arena), OK);
	store_read_end(x.f.store, db);
	assert_true(jw_done(&w));
	return json_of(&out);
}
static const char *text_at(json_t *j, const char *a, const char *b)
{
	json_t *v = json_object_get(j, a);
	return json_string_value(b ? json_object_get(v, b) : v);
}

// ---- tests -------------------------------------------------------------------------------------
static void test_what_an_alarm_shows(void **state)
{
	(void)state;
	struct alarm_change c = apply(1, COND_RAISED, LEVEL_HH, 5);
	assert_true(c.changed && c.opened && c.alarm == 1 && c.state == ALARM_UNACK);
	json_t *all = list((struct alarm_query){ 0 }, (struct scope){ 0 });
	json_t *a = json_array_get(json_object_get(all, "items"), 0);
	assert_string_equal(text_at(a, "point", "code"), "T1");
	assert_string_equal(text_at(a, "point", "name"), "一号罐液位");
	assert_string_equal(text_at(a, "point", "unit"), "%");
	assert_string_equal(text_at(a, "enterprise", "title"), "安澜化工");
	assert_string_equal(text_at(a, "rule_label", "en"), "Tank level");
	assert_string_equal(text_at(a, "say", "zh"), "液位高高");
	assert_string_equal(text_at(a, "guide", "en"), "Stop the pump");
	assert_string_equal(text_at(a, "level", NULL), "hh");
	assert_string_equal(text_at(a, "color", NULL), "red");
	assert_string_equal(text_at(a, "raised_at", NULL), "2026-01-01T08:00:05+08:00");
	assert_true(json_is_null(json_object_get(a, "returned_at")));
	assert_true(json_is_null(json_object_get(a, "installation")));
	assert_true(json_real_value(json_array_get(json_object_get(a, "position"), 0)) == 112.5);
	assert_true(json_number_value(json_object_get(a, "value")) == 91.5);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(all, "counts"), "unack")), 1);
	assert_int_equal(json_integer_value(json_object_get(all, "total")), 1);
	json_decref(all);
}

static void test_scope_and_filters(void **state)
{
	(void)state;
	apply(1, COND_RAISED, LEVEL_HH, 5);
	apply(2, COND_RAISED, LEVEL_H, 6);
	apply(2, COND_RETURNED, LEVEL_H, 7);
	static const struct { struct alarm_query q; struct scope scope; int total; } cases[] = {
		{ { .enterprise = 0 }, { .enterprise = 0 }, 2 },
		{ { .enterprise = 0 }, { .area = { "990121101", 9 } }, 1 },
		{ { .enterprise = 0 }, { .enterprise = 1 }, 1 },
		{ { .enterprise = 0 }, { .nothing = true }, 0 },
		{ { .state = { "rtn_unack", 9 } }, { .enterprise = 0 }, 1 },
		{ { .state = { "acked", 5 } }, { .enterprise = 0 }, 0 },
		{ { .state = { "all", 3 } }, { .enterprise = 0 }, 2 },
		{ { .state = { "normal", 6 } }, { .enterprise = 0 }, 0 },
		{ { .point_code = { "T2", 2 } }, { .enterprise = 0 }, 1 },
		{ { .point = 1 }, { .enterprise = 0 }, 1 },
		{ { .enterprise = 1 }, { .enterprise = 0 }, 1 },
		{ { .color = { "blue", 4 } }, { .enterprise = 0 }, 0 },
		{ { .area = { "990121", 6 } }, { .enterprise = 0 }, 2 },
		{ { .area = { "990122", 6 } }, { .enterprise = 0 }, 0 },
		{ { .words = { "T2", 2 } }, { .enterprise = 0 }, 1 },
		{ { .words = { "nothing like it", 15 } }, { .enterprise = 0 }, 0 },
		{ { .to = INT64_MAX }, { .enterprise = 0 }, 2 },
		{ { .from = INT64_MAX - 1, .to = INT64_MAX }, { .enterprise = 0 }, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *all = list(cases[i].q, cases[i].scope);
		assert_int_equal(json_array_size(json_object_get(all, "items")), cases[i].total);
		assert_int_equal(json_integer_value(json_object_get(all, "total")), cases[i].total);
		json_decref(all);
	}
	json_t *older = list((struct alarm_query){ .before = 2 }, (struct scope){ 0 });
	assert_int_equal(json_array_size(json_object_get(older, "items")), 1);
	assert_int_equal(json_integer_value(json_object_get(older, "total")), 2);
	json_decref(older);
	struct buf out;
	struct jw w;
	buf_init(&out, 1000);
	jw_init(&w, &out);
	struct db *db = store_read_begin(x.f.store);
	assert_int_equal(alarm_list_json(db, NULL, &(struct scope){ 0 }, &(struct alarm_query){ .state = STR("gone") }, &w, x.f.arena), ERR_INVALID);
	assert_int_equal(alarm_json(db, NULL, &(struct scope){ .area = STR("990121102") }, 1, &w, x.f.arena), ERR_NOT_FOUND);
	store_read_end(x.f.store, db);
	buf_free(&out);
}

static void test_acting(void **state)
{
	(void)state;
	clock_set_fake(T0 + US_PER_MIN);
	apply(1, COND_RAISED, LEVEL_H, 5);
	assert_int_equal(act(99, ACT_ACK, "", 0), ERR_NOT_FOUND);
	assert_int_equal(act(1, ACT_SHELVE, "", T0 + US_PER_HOUR), ERR_INVALID);
	assert_string_equal(x.f.p.field.p, "reason");
	assert_int_equal(act(1, ACT_SHELVE, "sensor is being replaced", T0), ERR_INVALID);
	assert_string_equal(x.f.p.field.p, "until");
	assert_int_equal(act(1, ACT_SHELVE, "too long", T0 + 2 * US_PER_DAY), ERR_INVALID);
	assert_int_equal(act(1, ACT_ACK, "", 0), OK);
	assert_int_equal(act(1, ACT_ACK, "", 0), ERR_CONFLICT);
	assert_int_equal(act(1, ACT_COMMENT, "called the plant", 0), OK);
	struct act other = { 1, 0, ACT_COMMENT, "not mine", officer };
	other.by.scope.area = STR("990122");
	assert_int_equal(fixture_write(&x.f, act_job, &other), ERR_NOT_FOUND);
	apply(1, COND_RETURNED, LEVEL_H, 50);
	assert_int_equal(act(1, ACT_SHELVE, "late", T0 + US_PER_HOUR), ERR_CONFLICT); // it is closed
	json_t *j = journal(1), *items = json_object_get(j, "items");
	static const char *const whats[] = { "raised", "ack", "comment", "returned" };
	assert_int_equal(json_array_size(items), ARRAY_LEN(whats));
	for (size_t i = 0; i < ARRAY_LEN(whats); i++)
		assert_string_equal(text_at(json_array_get(items, i), "what", NULL), whats[i]);
	assert_string_equal(text_at(json_array_get(items, 3), "to", NULL), "normal");
	assert_string_equal(text_at(json_array_get(items, 2), "reason", NULL), "called the plant");
	json_decref(j);
	struct db *db = store_read_begin(x.f.store);
	struct audit_entry *e;
	size_t n;
	assert_int_equal(audit_list(db, STR("alarm"), 1, 0, 10, x.f.arena, &e, &n), OK);
	store_read_end(x.f.store, db);
	assert_int_equal(n, 2);
	assert_str(e[1].action, "alarm.ack");
	assert_str(e[0].detail, "{\"point\":\"T1\",\"rule\":\"tank\",\"reason\":\"called the plant\"}");
}

struct shelf { int64_t now, next; int64_t *alarms; size_t n; };
static enum err shelf_job(struct db *db, void *arg, struct problem *p)
{
	struct shelf *s = arg;
	(void)p;
	return alarm_shelf_tick(db, s->now, x.f.arena, &s->alarms, &s->n, &s->next);
}

static void test_shelf(void **state)
{
	(void)state;
	clock_set_fake(T0 + US_PER_MIN);
	apply(1, COND_RAISED, LEVEL_H, 5);
	apply(2, COND_RAISED, LEVEL_H, 5);
	assert_int_equal(act(1, ACT_SHELVE, "work", T0 + US_PER_HOUR), OK);
	assert_int_equal(act(2, ACT_SHELVE, "work", T0 + 2 * US_PER_HOUR), OK);
	struct shelf s = { .now = T0 + US_PER_HOUR - 1 };
	assert_int_equal(fixture_write(&x.f, shelf_job, &s), OK);
	assert_int_equal(s.n, 0);
	assert_int_equal(s.next, T0 + US_PER_HOUR);
	s.now = T0 + US_PER_HOUR;
	fixture_reopen(&x.f); // survives a restart
	assert_int_equal(fixture_write(&x.f, shelf_job, &s), OK);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.alarms[0], 1);
	assert_int_equal(s.next, T0 + 2 * US_PER_HOUR);
	s.now = T0 + US_PER_DAY;
	assert_int_equal(fixture_write(&x.f, shelf_job, &s), OK);
	assert_int_equal(s.next, 0);
}

static enum err open_job(struct db *db, void *arg, struct problem *p)
{
	struct alarm_open *o = arg;
	(void)p;
	enum err err = alarm_next_open(db, NULL, x.f.arena, o);
	return err ? err : alarm_opened(db, o, 41, o->thread);
}

static void test_outbox(void **state)
{
	(void)state;
	struct alarm_open o;
	assert_false(apply(1, COND_RAISED, LEVEL_H, 5).opened);
	assert_true(apply(1, COND_LEVEL, LEVEL_HH, 6).opened); // rises to the level that opens
	assert_false(apply(1, COND_LEVEL, LEVEL_H, 7).opened);
	assert_false(apply(1, COND_LEVEL, LEVEL_HH, 8).opened); // once
	fixture_reopen(&x.f);
	assert_int_equal(fixture_write(&x.f, open_job, &o), OK);
	assert_str(o.type, "warning");
	assert_str(o.color, "red");
	assert_str(o.point_name, "一号罐液位");
	assert_str(o.say.en, "Level high-high");
	assert_str(o.guide.zh, "停泵");
	assert_true(o.thread > 0 && o.enterprise == 1 && o.at == T0 + 5 * US_PER_S);
	assert_int_equal(fixture_write(&x.f, open_job, &o), ERR_NOT_FOUND);
	json_t *all = list((struct alarm_query){ 0 }, (struct scope){ 0 });
	json_t *a = json_array_get(json_object_get(all, "items"), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(a, "opened"), "id")), 41);
	json_decref(all);
}

// The process died after the change was applied and before the log knew: it comes again, whole and in order.
static void test_replay(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		bool first = round == 0;
		assert_int_equal(apply(1, COND_RAISED, LEVEL_H, 5).changed, first);
		assert_int_equal(apply(1, COND_LEVEL, LEVEL_HH, 6).changed, first);
		assert_int_equal(apply(1, COND_RETURNED, LEVEL_HH, 9).changed, first);
		assert_int_equal(apply(1, COND_RAISED, LEVEL_HH, 20).changed, first);
		fixture_reopen(&x.f);
	}
	json_t *j = journal(1);
	assert_int_equal(json_array_size(json_object_get(j, "items")), 4);
	json_decref(j);
}

// ---- alarms that are a day old, on a clock of our own ------------------------------------------
static json_t *kpi_at(int64_t now)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 1u << 20);
	jw_init(&w, &out);
	struct db *db = store_read_begin(x.f.store);
	struct kpi_query q = { .from = now - US_PER_DAY, .to = now, .now = now, .area = STR_EMPTY };
	assert_int_equal(kpi_json(db, &(struct scope){ 0 }, &q, &w, x.f.arena), OK);
	store_read_end(x.f.store, db);
	return json_of(&out);
}

static void counts_at(int64_t now, size_t standing, size_t stale)
{
	json_t *j = kpi_at(now);
	assert_int_equal(json_array_size(json_object_get(j, "standing")), standing);
	assert_int_equal(json_array_size(json_object_get(j, "stale")), stale);
	json_decref(j);
}

static void test_an_alarm_stands_after_a_day_and_is_stale_until_somebody_acts(void **state)
{
	const int64_t day = T0 + US_PER_DAY;
	(void)state;
	int64_t first = apply(1, COND_RAISED, LEVEL_HH, 0).alarm, second = apply(2, COND_RAISED, LEVEL_H, 60).alarm;
	counts_at(day - 1, 0, 0);
	counts_at(day, 1, 1);               // to the microsecond
	counts_at(day + US_PER_MIN, 2, 2);
	clock_set_fake(day + US_PER_MIN);
	assert_int_equal(act(first, ACT_ACK, "", 0), OK);
	counts_at(day + US_PER_MIN, 2, 1);  // acknowledged it still stands, and is not stale
	assert_int_equal(act(second, ACT_SHELVE, "known", day + US_PER_HOUR), OK);
	counts_at(day + US_PER_MIN, 1, 0);  // what is hidden is counted in its own list
	apply(1, COND_RETURNED, LEVEL_HH, 86400 + 120);
	counts_at(day + 3 * US_PER_MIN, 0, 0);
	apply(1, COND_RAISED, LEVEL_HH, 86400 + 200);
	apply(1, COND_RETURNED, LEVEL_HH, 86400 + 210);
	counts_at(day + US_PER_DAY, 0, 0);
	counts_at(day + 2 * US_PER_DAY, 0, 1); // over, and nobody has acknowledged it for a day
	json_t *j = kpi_at(day + 2 * US_PER_MIN);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "targets"), "stale")), 5);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_an_alarm_shows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scope_and_filters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_acting, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shelf, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_outbox, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_alarm_stands_after_a_day_and_is_stale_until_somebody_acts, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
