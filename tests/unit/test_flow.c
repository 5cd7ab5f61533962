// Records in action on a real store: the scenarios of tests/flow/*.yaml, run step by step.
// needs: base store expr model auth measure flow
// threads
//
// A scenario: `packs:` folder, then `steps:`. A step has `as:` (a person saved before; none = the system) and one of
//   create: TYPE, body: JSON, save: NAME     edit: NAME, body: JSON     move: MOVE, on: NAME, body: JSON
//   retire: NAME, reason: TEXT               open: TYPE, body: {column: value}   wait: DURATION (and one tick)
// and what it expects: `expect:` name of the error (ok), `field:` where, `state:` after it, `see: JSON` part of the record
// as that person sees it, `moves: [..]` he may do now, `can: [..]`, `history: [..]` of the record, `duties: N`,
// `notices: [part of each text, newest first]` unread ones of the person, `event: WHAT`, `boxes: [todo, done, started, copied]` how
// much is in each box of his work, `plan: [subjects, opened, done, overdue, missing]` of the first schedule,
// `find: {type, where field: text, save}` saves a record that something else made.
// In a body "@NAME" is the id of what was saved; a body without version gets the present one for edit.
#include <dirent.h>

#include "store_fixture.h"

#include "base/limits.h"
#include "base/time.h"
#include "flow/change.h"
#include "flow/draft.h"
#include "model/yaml.h"
#include "risk/table.h"
#include "store/audit.h"

#define SAVED 64
#define ROLES 4

struct saved {
	struct str name;
	const struct type *t;
	int64_t id;
};

struct run {
	struct fixture f;
	struct registry *reg;   // owned by the generations once set
	struct diags d;
	struct saved saved[SAVED];
	size_t nsaved;
	const struct yaml_node *step;
	const struct role *roles[ROLES];
	int64_t next_tick;
};

// ---- events ------------------------------------------------------------------------------------
static char last_event[32];

static void listen(void *arg, const struct record_event *e)
{
	(void)arg;
	snprintf(last_event, sizeof last_event, "%s", e->what);
}

// ---- saved names, bodies, identities -----------------------------------------------------------
static void fail_step(const struct run *r, struct str why)
{
	fail_msg("%.*s:%u: %.*s", STR_FMT(r->step->file), r->step->line, STR_FMT(why));
}

static struct str text(const struct run *r, const char *key)
{
	const struct yaml_node *n = yaml_get(r->step, key);
	return n ? n->text : STR_EMPTY;
}

static const struct saved *find(struct run *r, struct str name)
{
	for (size_t i = 0; i < r->nsaved; i++)
		if (str_eq(r->saved[i].name, name))
			return &r->saved[i];
	fail_step(r, arena_printf(r->f.arena, "nothing was saved as %.*s", STR_FMT(name)));
	return NULL;
}

static void save(struct run *r, struct str name, const struct type *t, int64_t id)
{
	assert_true(r->nsaved < SAVED);
	if (name.n)
		r->saved[r->nsaved++] = (struct saved){ name, t, id };
}

// "@plant" is the id of what was saved under that name, at any depth.
static json_t *with_ids(struct run *r, json_t *j)
{
	const char *key;
	json_t *v;
	void *tmp;
	if (json_is_string(j) && json_string_value(j)[0] == '@')
		return json_integer(find(r, str_of(json_string_value(j) + 1))->id);
	if (json_is_object(j))
		json_object_foreach_safe(j, tmp, key, v)
			json_object_set_new(j, key, with_ids(r, v));
	for (size_t i = 0; json_is_array(j) && i < json_array_size(j); i++)
		json_array_set_new(j, i, with_ids(r, json_array_get(j, i)));
	return json_incref(j);
}

static json_t *body(struct run *r)
{
	struct str s = text(r, "body");
	json_t *j = s.n ? json_loadb(s.p, s.n, 0, NULL) : json_object();
	if (!j)
		fail_step(r, STR("the body is not JSON"));
	json_decref(with_ids(r, j));
	return j;
}

static struct row get(struct run *r, const struct saved *s)
{
	struct row row;
	struct db *db = store_read_begin(r->f.store);
	assert_int_equal(records_get(db, &s->t->table, NULL, s->id, r->f.arena, &row), OK);
	store_read_end(r->f.store, db);
	return row;
}

static struct identity somebody(struct run *r)
{
	struct str name = text(r, "as");
	if (name.n == 0)
		return identity_system();
	const struct saved *s = find(r, name);
	struct row row = get(r, s);
	struct str roles = row.vals[type_field(s->t, STR("role"))->col].s;
	struct identity id = { .person = row.c.id, .organisation = row_ref(s->t, STR("organisation"), &row), .name = name, .title = row.c.title, .lang = STR("zh"), .roles = r->roles,
		               .scope = { .area = area_prefix(row.c.area), .enterprise = row.c.enterprise } };
	while (roles.n) {
		struct str one = str_cut(&roles, ',');
		if (one.n)
			r->roles[id.nroles++] = registry_role(r->reg, one);
	}
	return id;
}

// ---- steps -------------------------------------------------------------------------------------
struct call {
	struct run *r;
	struct identity by;
	json_t *body;
	const struct saved *on;
	int64_t id;
	int64_t now;
};

static const struct type *type_named(struct run *r, const char *key)
{
	const struct type *t = registry_type(r->reg, text(r, key));
	if (!t)
		fail_step(r, STR("there is no such type"));
	return t;
}

static enum err job_create(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	return flow_create(db, c->r->reg, type_named(c->r, "create"), c->body, &c->by, c->r->f.arena, &c->id, p);
}

static enum err job_open(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	struct flow_field fields[32];
	size_t n = 0;
	const char *key;
	json_t *v;
	json_object_foreach(c->body, key, v) {
		assert_true(n < ARRAY_LEN(fields));
		fields[n++] = (struct flow_field){ key, json_is_string(v) ?
			(struct value){ .kind = VAL_TEXT, .s = str_of(json_string_value(v)) } : json_is_integer(v) ?
			(struct value){ .kind = VAL_INT, .i = json_integer_value(v) } :
			(struct value){ .kind = VAL_REAL, .f = json_number_value(v) } };
	}
	return flow_open(db, c->r->reg, type_named(c->r, "open"), fields, n, STR_EMPTY, 0, 0, c->r->f.arena, &c->id, p);
}

static enum err job_edit(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	return flow_edit(db, c->r->reg, c->on->t, c->on->id, c->body, &c->by, c->r->f.arena, p);
}

static enum err job_move(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	return flow_move(db, c->r->reg, c->on->t, c->on->id, text(c->r, "move"), c->body, &c->by, false, c->r->f.arena, p);
}

static enum err job_retire(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	return flow_retire(db, c->r->reg, c->on->t, c->on->id, text(c->r, "reason"), &c->by, c->r->f.arena, p);
}

static enum err job_tick(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	(void)p;
	return flow_tick(db, c->r->reg, c->now, c->r->f.arena, &c->r->next_tick);
}

static enum err job_ask(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	int64_t id;
	return flow_extension_ask(db, c->r->reg, c->on->t, c->on->id, c->body, &c->by, c->r->f.arena, &id, p);
}

// The newest request.
static enum err job_answer(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	struct extension *v;
	size_t n;
	enum err err = flow_extensions(db, c->on->t, c->on->id, c->r->f.arena, &v, &n);
	assert_int_equal(err, OK);
	assert_true(n > 0);
	return flow_extension_decide(db, c->r->reg, c->on->t, c->on->id, v[0].id, str_is(text(c->r, "answer"), "approve"), text(c->r, "reason"),
	                             &c->by, c->r->f.arena, p);
}

static enum err job_comment(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	int64_t id;
	return flow_comment(db, c->r->reg, c->on->t, c->on->id, c->body, &c->by, c->r->f.arena, &id, p);
}

static enum err job_schedules(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	(void)p;
	return flow_schedule_tick(db, c->r->reg, clock_now(), c->r->f.arena, &c->r->next_tick);
}

static void wait_for(struct run *r, struct call *c)
{
	int64_t us;
	assert_true(yaml_duration(yaml_get(r->step, "wait"), &us, &r->d));
	c->now = clock_now() + us;
	clock_set_fake(c->now);
}

static enum err run_call(struct run *r, struct call *c)
{
	static const struct { const char *key; store_job *job; } jobs[] = {
		{ "create", job_create }, { "open", job_open }, { "edit", job_edit }, { "move", job_move }, { "retire", job_retire },
		{ "wait", job_tick },       { "ask", job_ask },    { "answer", job_answer }, { "comment", job_comment },
		{ "schedules", job_schedules },
	};
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		if (yaml_get(r->step, jobs[i].key)) {
			if (jobs[i].job == job_tick)
				wait_for(r, c);
			return fixture_write(&r->f, jobs[i].job, c);
		}
	return OK; // a step that only looks
}

static const struct saved *subject(struct run *r)
{
	static const char *const keys[] = { "on", "edit", "retire", "ask", "comment" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (yaml_get(r->step, keys[i]))
			return find(r, text(r, keys[i]));
	return NULL;
}

// ---- what a step expects -----------------------------------------------------------------------
static json_t *seen(struct run *r, const struct saved *s, const struct identity *by)
{
	struct row row = get(r, s);
	struct buf b;
	struct jw w;
	struct db *db = store_read_begin(r->f.store);
	buf_init(&b, 1 << 20);
	jw_init(&w, &b);
	record_json(&w, db, r->reg, s->t, &row, by, true, r->f.arena);
	assert_true(jw_done(&w));
	store_read_end(r->f.store, db);
	json_t *j = json_loadb(b.p, b.n, 0, NULL);
	assert_non_null(j);
	buf_free(&b);
	return j;
}

// Equal; of objects those members that are named.
static bool contains(const json_t *whole, const json_t *part)
{
	const char *key;
	json_t *v;
	if (json_is_object(part) && json_is_object(whole)) {
		json_object_foreach((json_t *)(uintptr_t)part, key, v)
			if (!contains(json_object_get(whole, key), v))
				return false;
		return true;
	}
	if (!json_is_array(part) || json_array_size(part) != json_array_size(whole))
		return json_equal(whole, part);
	for (size_t i = 0; i < json_array_size(part); i++)
		if (!contains(json_array_get(whole, i), json_array_get(part, i)))
			return false;
	return true;
}

static void expect_part(struct run *r, const json_t *whole, const json_t *part)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)part, key, v)
		if (!contains(json_object_get(whole, key), v)) {
			char *got = json_dumps(json_object_get(whole, key), JSON_ENCODE_ANY);
			fail_step(r, arena_printf(r->f.arena, "%s is %s", key, got ? got : "absent"));
		}
}

// The list of texts under key is exactly the JSON list; NULL list: nothing expected.
static void expect_names(struct run *r, const char *key, const json_t *list)
{
	const struct yaml_node *n = yaml_get(r->step, key);
	if (!n)
		return;
	char *got = json_dumps(list, JSON_ENCODE_ANY);
	struct str why = arena_printf(r->f.arena, "%s is %s", key, got);
	free(got);
	if (json_array_size(list) != n->n)
		fail_step(r, why);
	for (size_t i = 0; i < n->n; i++)
		if (!str_is(n->items[i]->text, json_string_value(json_array_get(list, i))))
			fail_step(r, why);
}

static json_t *history(struct run *r, const struct saved *s)
{
	struct audit_entry *e;
	size_t n;
	json_t *list = json_array();
	struct db *db = store_read_begin(r->f.store);
	assert_int_equal(audit_list(db, s->t->name, s->id, 0, 100, r->f.arena, &e, &n), OK);
	store_read_end(r->f.store, db);
	for (size_t i = n; i-- > 0;)
		json_array_append_new(list, json_stringn(e[i].action.p, e[i].action.n));
	return list;
}

static void expect_record(struct run *r, const struct saved *s, const struct identity *by)
{
	json_t *j = seen(r, s, by), *past = history(r, s);
	if (text(r, "see").n) {
		json_t *part = json_loadb(text(r, "see").p, text(r, "see").n, 0, NULL);
		if (!part)
			fail_step(r, STR("see is not JSON"));
		expect_part(r, j, part);
		json_decref(part);
	}
	if (text(r, "state").n && !str_is(text(r, "state"), json_string_value(json_object_get(j, "state"))))
		fail_step(r, arena_printf(r->f.arena, "the state is %s", json_string_value(json_object_get(j, "state"))));
	expect_names(r, "moves", json_object_get(j, "moves"));
	expect_names(r, "can", json_object_get(j, "can"));
	expect_names(r, "history", past);
	json_decref(j);
	json_decref(past);
}

static void expect_person(struct run *r, const struct identity *by)
{
	struct duty *duties;
	struct notice *notices;
	size_t nduties, nnotices;
	const struct yaml_node *want = yaml_get(r->step, "notices");
	struct db *db = store_read_begin(r->f.store);
	assert_int_equal(flow_duties(db, r->reg, by, r->f.arena, &duties, &nduties), OK);
	assert_int_equal(flow_notices(db, by, true, 100, r->f.arena, &notices, &nnotices), OK);
	store_read_end(r->f.store, db);
	int64_t n = -1;
	if (yaml_get(r->step, "duties") && yaml_i64(yaml_get(r->step, "duties"), &n, &r->d) && n != (int64_t)nduties)
		fail_step(r, arena_printf(r->f.arena, "%zu duties", nduties));
	for (size_t i = 0; want && i < MAX(want->n, nnotices); i++)
		if (i >= want->n || i >= nnotices || !str_contains(notices[i].text_zh, want->items[i]->text))
			fail_step(r, arena_printf(r->f.arena, "%zu notices; number %zu is %.*s", nnotices, i,
			                          STR_FMT(i < nnotices ? notices[i].text_zh : STR_EMPTY)));
}

static void expect_numbers(struct run *r, const char *key, const int64_t *got, size_t n)
{
	const struct yaml_node *want = yaml_get(r->step, key);
	struct str all = STR_EMPTY;
	bool same = want->n == n;
	for (size_t i = 0; i < n; i++) {
		all = arena_printf(r->f.arena, "%.*s %lld", STR_FMT(all), (long long)got[i]);
		same = same && str_eq(want->items[i]->text, arena_printf(r->f.arena, "%lld", (long long)got[i]));
	}
	if (!same)
		fail_step(r, arena_printf(r->f.arena, "%s are%.*s", key, STR_FMT(all)));
}

static void expect_boxes(struct run *r, const struct identity *by)
{
	static const char *const boxes[] = { "todo", "done", "started", "copied" };
	int64_t got[4];
	if (!yaml_get(r->step, "boxes"))
		return;
	struct db *db = store_read_begin(r->f.store);
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		struct work_query wq = { .reg = r->reg, .by = by, .box = str_of(boxes[i]), .type = STR_EMPTY, .text = STR_EMPTY, .limit = 50 };
		struct work_item *v;
		size_t n;
		assert_int_equal(flow_work(db, &wq, r->f.arena, &v, &n, &got[i]), OK);
		assert_int_equal((int64_t)n, got[i]);
	}
	store_read_end(r->f.store, db);
	expect_numbers(r, "boxes", got, ARRAY_LEN(boxes));
}

static void expect_plan(struct run *r, const struct identity *by)
{
	struct schedule_state *v;
	size_t n;
	if (!yaml_get(r->step, "plan"))
		return;
	struct db *db = store_read_begin(r->f.store);
	assert_int_equal(flow_schedules(db, r->reg, by, clock_now(), r->f.arena, &v, &n), OK);
	store_read_end(r->f.store, db);
	assert_true(n > 0);
	expect_numbers(r, "plan", (int64_t[]){ v[0].subjects, v[0].opened, v[0].done, v[0].overdue, v[0].missing }, 5);
}

// A record that something else made, by its title; the newest.
static void find_made(struct run *r)
{
	const struct yaml_node *f = yaml_get(r->step, "find");
	struct row *rows;
	size_t n;
	if (!f)
		return;
	const struct type *t = registry_type(r->reg, yaml_get(f, "type")->text);
	struct value title = { .kind = VAL_TEXT, .s = yaml_get(f, "title")->text };
	struct filter filter = { STR("title"), FILTER_EQ, &title, 1 };
	struct list_query lq = { .text = STR_EMPTY, .filters = &filter, .nfilters = 1 };
	struct db *db = store_read_begin(r->f.store);
	assert_int_equal(records_list(db, &t->table, NULL, &lq, r->f.arena, &rows, &n, NULL, &r->f.p), OK);
	store_read_end(r->f.store, db);
	if (n == 0)
		fail_step(r, STR("nothing was found"));
	save(r, yaml_get(f, "save")->text, t, rows[0].c.id);
}

static void run_step(struct run *r)
{
	find_made(r);
	struct call c = { .r = r, .by = somebody(r), .on = subject(r), .body = body(r) };
	struct str want = text(r, "expect");
	last_event[0] = 0;
	if (yaml_get(r->step, "edit") && !json_object_get(c.body, "version"))
		json_object_set_new(c.body, "version", json_integer(get(r, c.on).c.version));
	enum err err = run_call(r, &c);
	const struct problem *p = &r->f.p;
	if (!str_is(want.n ? want : STR("ok"), err_name(err)))
		fail_step(r, arena_printf(r->f.arena, "%s at \"%.*s\": %.*s", err_name(err), STR_FMT(p->field), STR_FMT(p->en)));
	if (text(r, "field").n && !str_eq(text(r, "field"), p->field))
		fail_step(r, arena_printf(r->f.arena, "the field is \"%.*s\"", STR_FMT(p->field)));
	if (err && (p->zh.n == 0 || p->en.n == 0))
		fail_step(r, STR("an error without words"));
	if (err && last_event[0])
		fail_step(r, STR("an event although nothing was changed"));
	if (text(r, "event").n && !str_is(text(r, "event"), last_event))
		fail_step(r, arena_printf(r->f.arena, "the event is \"%s\"", last_event));
	if (!err && c.id)
		save(r, text(r, "save"), registry_type(r->reg, text(r, yaml_get(r->step, "open") ? "open" : "create")), c.id);
	const struct saved *s = c.on ? c.on : !err && text(r, "save").n ? find(r, text(r, "save")) : NULL;
	if (s)
		expect_record(r, s, &c.by);
	if (c.by.person)
		expect_person(r, &c.by);
	expect_boxes(r, &c.by);
	expect_plan(r, &c.by);
	json_decref(c.body);
}

// ---- a scenario --------------------------------------------------------------------------------
static enum err job_migrate(struct db *db, void *arg, struct problem *p)
{
	return registry_make_tables(db, arg, p);
}

static void check_audit(struct run *r)
{
	char hash[65];
	int64_t count;
	struct db *db = store_read_begin(r->f.store);
	assert_int_equal(audit_verify(db, &r->f.p, &count, hash), OK);
	store_read_end(r->f.store, db);
	assert_true(count > 0);
}

static struct yaml_node *scenario(struct run *r, const char *path)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *p = arena_alloc(r->f.arena, LIMIT_YAML_FILE);
	size_t n = fread(p, 1, LIMIT_YAML_FILE, f);
	fclose(f);
	struct yaml_node *root = yaml_parse(r->f.arena, str_of(path), str_from(p, n), &r->d);
	if (!root)
		fail_msg("%s:%u: %.*s", path, r->d.v[0].line, STR_FMT(r->d.v[0].text));
	return root;
}

static void run_scenario(const char *path)
{
	struct run r = { .nsaved = 0 };
	clock_set_fake(INT64_C(1795305600) * US_PER_S); // 2026-11-22T08:00:00+08:00
	fixture_begin(&r.f);
	r.d = (struct diags){ .arena = r.f.arena };
	const struct yaml_node *root = scenario(&r, path), *steps = yaml_get(root, "steps");
	assert_int_equal(registry_load(&r.reg, yaml_get(root, "packs")->text, &r.d), OK);
	registry_set(r.reg);
	assert_int_equal(fixture_write(&r.f, job_migrate, r.reg), OK);
	for (size_t i = 0; i < steps->n; i++) {
		r.step = steps->items[i];
		run_step(&r);
	}
	check_audit(&r);
	fixture_end(&r.f);
	registry_close();
	clock_set_fake(0);
}

static void test_scenarios(void **state)
{
	(void)state;
	DIR *dir = opendir("tests/flow");
	struct arena *a = arena_new(0);
	static struct risk_tables tables;
	struct str wrong;
	size_t n = 0;
	assert_true(risk_tables_load(a, "packs", &tables, &wrong));
	flow_tables(&tables);
	flow_listen(listen, NULL);
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		char path[300];
		if (!str_ends(str_of(e->d_name), STR(".yaml")))
			continue;
		snprintf(path, sizeof path, "tests/flow/%s", e->d_name);
		print_message("           %s\n", path);
		run_scenario(path);
		n++;
	}
	closedir(dir);
	flow_tables(NULL);
	arena_free(a);
	assert_true(n >= 3);
}

// A half-year begins on the first of January and of July, and has its name.
static void test_half_years(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 12);
	static const struct { int64_t day, start, next; const char *key; } t[] = { // days since 1970
		{ 20454, 20454, 20635, "2026-H1" }, { 20634, 20454, 20635, "2026-H1" }, // 1 January, 30 June 2026
		{ 20635, 20635, 20819, "2026-H2" }, { 20818, 20635, 20819, "2026-H2" }, // 1 July, 31 December 2026
		{ 21243, 21184, 21366, "2028-H1" },                                      // 29 February 2028: a leap year's half has 182 days
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int64_t start = period_start(EVERY_HALF, t[i].day);
		assert_int_equal(start, t[i].start);
		assert_int_equal(period_next(EVERY_HALF, start), t[i].next);
		assert_true(str_is(period_key(EVERY_HALF, start, a), t[i].key));
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_scenarios), cmocka_unit_test(test_half_years) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
