// The whole alarm machine against an oracle, exhaustively: every event in every state that can be reached, breadth first over the product of
// what the program holds (row, journal, causes, windows) and what the oracle says, until no new state comes. Each path runs in a
// transaction that is taken back. In each state the invariants of ISA-18.2-2016 / IEC 62682 are checked, and that it is no trap.
//
// The oracle is written from the standard's states (A normal, B unacknowledged, C acknowledged, D returned unacknowledged, E latched
// unacknowledged, F latched acknowledged, G shelved, H suppressed by design, I out of service) and doc/decisions/0014; it shares no line with alarm/.
// needs: base loop bus store expr model auth alarm
#include "store_fixture.h"

#include <math.h>

#include "alarm/alarm.h"
#include "alarm/alarm_row.h"
#include "alarm_help.h"
#include "auth/auth.h"
#include "store/records.h"

#define MAX_STATES 4000
#define MAX_DEPTH 40
#define STEP US_PER_S
#define LONG (2 * US_PER_HOUR) // longer than a person hides it here, shorter than the cause may

enum event {
	RAISE_H, RAISE_HH, UP, DOWN, RETURN, ACK, RESET, SHELVE, UNSHELVE, SUPPRESS, UNSUPPRESS, OUT, BACK, TIME, CAUSE_ON, CAUSE_OFF,
	WINDOW_ON, WINDOW_OFF, SERVICE_ON, SERVICE_OFF, AGAIN, RESTART, EVENTS
};
static const char *const event_names[EVENTS] = {
	"raise h", "raise hh", "level up", "level down", "return", "ack", "reset", "shelve", "unshelve", "suppress", "unsuppress", "out of service",
	"in service", "time passes", "cause begins", "cause ends", "window begins", "window ends", "maintenance begins", "maintenance ends",
	"replay", "restart"
};

// ---- the oracle --------------------------------------------------------------------------------
enum owner { NOBODY, PERSON, ITSELF };
struct oracle {
	char is;                // A B C D E F G H I
	enum owner owner;       // of G H I
	bool hid_high;          // what a person hid was the high-high level
	bool active, high, acked;
	bool latch, held;       // the rule latches; it has not been reset
	bool cause, window, service; // what lasts
};

static bool must_show(const struct oracle *o, bool never) { return never && o->high; }

static char wanted(const struct oracle *o, bool never)
{
	if (o->service)
		return 'I';
	if (must_show(o, never))
		return 0;
	return o->window ? 'I' : o->cause ? 'H' : 0;
}

static void appear(struct oracle *o)
{
	o->is = o->active ? 'B' : o->held ? 'E' : 'A';
	o->acked = !o->active && !o->held;
	o->owner = NOBODY;
}

// What holds now is looked at anew.
static void settle(struct oracle *o, bool never)
{
	char want = wanted(o, never);
	if (o->is == 'A')
		return;
	// he hid the high level, not the high-high
	if (o->owner == PERSON && o->is != 'I' && o->active && o->high && !o->hid_high && !o->service)
		appear(o);
	if (o->owner == ITSELF && !want)
		appear(o);
	else if (o->owner == ITSELF)
		o->is = want;
	else if (o->service && o->active && o->is != 'I') { // what has returned waits for its acknowledgement
		o->is = 'I';
		o->owner = ITSELF;
	} else if (o->owner == PERSON && must_show(o, never) && o->active && !o->service)
		appear(o);
	else if (o->owner == NOBODY && want && o->active) {
		o->is = want;
		o->owner = ITSELF;
	}
}

static bool shown(char is) { return is >= 'A' && is <= 'F'; }
static char over(const struct oracle *o) { return o->held ? (o->acked ? 'F' : 'E') : (o->acked ? 'A' : 'D'); }

// The condition: false if it cannot come now.
static bool oracle_condition(struct oracle *o, enum event e, bool never)
{
	if (e == RAISE_H || e == RAISE_HH) {
		if (o->active)
			return false;
		o->active = true;
		o->high = e == RAISE_HH;
		o->acked = false;
		o->held = o->latch;
		if (shown(o->is))
			o->is = 'B';
	} else if (!o->active || (e == UP && o->high) || (e == DOWN && !o->high)) {
		return false;
	} else if (e == RETURN) {
		o->active = false;
		if (shown(o->is))
			o->is = over(o);
		return true;
	} else {
		o->high = e == UP;
		if (e == UP) {
			o->acked = false;
			o->is = shown(o->is) ? 'B' : o->is;
		}
	}
	settle(o, never);
	return true;
}

// A person: false if he is refused.
static bool oracle_person(struct oracle *o, enum event e, bool never)
{
	static const struct { enum event e; const char *from; char to; } acts[] = {
		{ ACK, "BDE", 0 }, { RESET, "F", 0 }, { SHELVE, "BCDEFG", 'G' }, { SUPPRESS, "BCDEFGH", 'H' }, { OUT, "BCDEFGHI", 'I' },
		{ UNSHELVE, "G", 1 }, { UNSUPPRESS, "H", 1 }, { BACK, "I", 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		if (acts[i].e != e)
			continue;
		if (!strchr(acts[i].from, o->is) || (acts[i].to && o->owner == ITSELF) || (acts[i].to > 1 && must_show(o, never)))
			return false;
		if (e == ACK) {
			o->acked = true;
			o->is = o->active ? 'C' : over(o);
		} else if (e == RESET) {
			o->held = false;
			o->is = 'A';
		} else if (acts[i].to == 1) {
			appear(o);
			settle(o, never);
		} else {
			o->is = acts[i].to;
			o->owner = PERSON;
			o->hid_high = o->high;
		}
		return true;
	}
	return false;
}

// True: it happens; false: it is refused or cannot be.
static bool oracle_step(struct oracle *o, enum event e, bool never)
{
	bool *const flags[] = { &o->cause, &o->cause, &o->window, &o->window, &o->service, &o->service };
	if (e <= RETURN)
		return oracle_condition(o, e, never);
	if (e <= BACK)
		return o->is != 'A' && oracle_person(o, e, never);
	if (e >= CAUSE_ON && e <= SERVICE_OFF) {
		bool on = (e - CAUSE_ON) % 2 == 0;
		if (*flags[e - CAUSE_ON] == on)
			return false;
		*flags[e - CAUSE_ON] = on;
		// the next sample tells of maintenance; what is over waits for none when it ends
		if (e != SERVICE_ON || o->active)
			settle(o, never);
		return true;
	}
	if (e == TIME && o->owner == PERSON)
		appear(o);
	if (e == TIME || e == RESTART)
		settle(o, never);
	return true;
}

// ---- the program -------------------------------------------------------------------------------
struct walk {
	struct fixture *f;
	struct db *db;
	struct arena *a;
	struct rule_set *rules;
	struct point_def points[2]; // 1: the alarm's; 2: the cause's
	int64_t now;
	struct transition last;     // the newest of the condition
	bool any, cause;
	enum level level;
	bool active;
	bool never, latch;
	const enum event *path;
	size_t n;
	struct oracle o;            // after the path
	uint64_t key;               // of the product state after it
	size_t refused;
};

static const struct point_def *point_of(void *arg, uint32_t id)
{
	struct walk *w = arg;
	return id >= 1 && id <= 2 ? &w->points[id - 1] : NULL;
}

static struct alarm_context context_of(struct walk *w) { return (struct alarm_context){ .rules = w->rules, .point = point_of, .arg = w }; }

static void apply(struct walk *w, const struct transition *t)
{
	struct alarm_context cx = context_of(w);
	struct alarm_change change;
	assert_int_equal(alarm_apply(w->db, &cx, t, &change), OK);
}

static struct transition condition(const struct walk *w, uint32_t point, enum transition_kind kind, enum level level)
{
	return (struct transition){ .point = point, .rule = point - 1, .kind = kind, .level = level, .at = w->now, .cause_time = w->now,
		                    .cause_value = 95, .limit = 80, .arrival = w->now };
}

static void say(struct walk *w, enum transition_kind kind, enum level level)
{
	w->last = condition(w, 1, kind, level);
	w->any = true;
	w->level = level;
	w->active = kind != COND_RETURNED;
	apply(w, &w->last);
}

static void tick(struct walk *w)
{
	struct alarm_context cx = context_of(w);
	int64_t *v, next;
	size_t n;
	assert_int_equal(alarm_shelf_tick(w->db, w->now, w->a, &v, &n, &next), OK);
	assert_int_equal(alarm_suppress_tick(w->db, &cx, w->now, true, w->a, &next), OK);
}

static void window(struct walk *w, bool on)
{
	struct query q;
	query_begin(&q, w->db, STMT_WINDOW_CLEAR);
	assert_int_equal(query_run(&q), OK);
	if (on) {
		query_begin(&q, w->db, STMT_WINDOW_ADD);
		query_i64(&q, 1, 1);
		query_str(&q, 2, STR("JX"));
		const int64_t where[] = { 1, 0, 0, 1 };
		for (int i = 0; i < 4; i++)
			query_i64(&q, 3 + i, where[i]);
		query_str(&q, 7, STR("99"));
		query_str(&q, 8, STR_EMPTY);
		query_i64(&q, 9, w->now);
		query_i64(&q, 10, w->now + 300 * US_PER_DAY);
		query_str(&q, 11, STR("repair"));
		query_str(&q, 12, STR("Chief"));
		assert_int_equal(query_run(&q), OK);
	}
	tick(w);
}

static void service(struct walk *w, bool on)
{
	w->points[0].maintenance = on;
	if (w->active) { // the next sample: the evaluator says the level again
		struct transition t = condition(w, 1, COND_LEVEL, w->level);
		apply(w, &t);
	}
	if (!on)
		tick(w);
}

static void restart(struct walk *w)
{
	assert_int_equal(alarm_causes_forget(w->db), OK);
	for (uint32_t p = 1; p <= 2; p++) {
		struct transition t = condition(w, p, COND_RAISED, p == 1 ? w->level : LEVEL_L);
		t.standing = true;
		t.at = p == 1 ? w->last.at : w->now;
		if (p == 1 ? w->active : w->cause)
			apply(w, &t);
	}
	tick(w);
}

static bool find_row(struct walk *w, struct alarm_row *ret)
{
	struct query q;
	size_t n = 0;
	query_begin(&q, w->db, STMT_ALARM_OPEN);
	query_i64(&q, 1, 1);
	query_str(&q, 2, STR("r"));
	query_str(&q, 3, STR("limit"));
	while (query_row(&q)) {
		alarm_row_read(&q, w->a, ret);
		n++;
	}
	assert_int_equal(query_end(&q), OK);
	assert_true(n <= 1); // one open alarm a condition
	return n == 1;
}

static bool person(struct walk *w, enum event e)
{
	static const enum alarm_act acts[] = { ACT_ACK, ACT_RESET, ACT_SHELVE, ACT_UNSHELVE, ACT_SUPPRESS, ACT_UNSUPPRESS, ACT_OUT_OF_SERVICE, ACT_IN_SERVICE };
	const struct identity by = { .person = 7, .name = STR("op"), .title = STR("Op"), .lang = STR("en") };
	struct alarm_change change;
	struct alarm_row row;
	struct problem p;
	problem_init(&p, w->a);
	if (!find_row(w, &row))
		return false;
	bool until = e == SHELVE || e == SUPPRESS || e == OUT;
	enum err err = alarm_act(w->db, row.id, acts[e - ACK], STR("because"), until ? w->now + US_PER_HOUR : 0, &by, &change, &p);
	assert_true(err == OK || err == ERR_CONFLICT);
	struct alarm_context cx = context_of(w);
	if (err == OK && (e == UNSHELVE || e == UNSUPPRESS || e == BACK))
		assert_int_equal(alarm_settle(w->db, &cx, row.id, w->now), OK);
	return err == OK;
}

// Can the event come? The condition only as an evaluator says it.
static bool can_come(const struct walk *w, const struct oracle *before, enum event e)
{
	switch ((int)e) {
	case RAISE_H:
	case RAISE_HH: return !w->active;
	case UP: return w->active && w->level == LEVEL_H;
	case DOWN: return w->active && w->level == LEVEL_HH;
	case RETURN: return w->active;
	case CAUSE_ON: return !before->cause;
	case CAUSE_OFF: return before->cause;
	case WINDOW_ON: return !before->window;
	case WINDOW_OFF: return before->window;
	case SERVICE_ON: return !before->service;
	case SERVICE_OFF: return before->service;
	default: return true;
	}
}

static bool program_step(struct walk *w, enum event e)
{
	w->now += e == TIME ? LONG : STEP;
	clock_set_fake(w->now);
	switch (e) {
	case RAISE_H: say(w, COND_RAISED, LEVEL_H); return true;
	case RAISE_HH: say(w, COND_RAISED, LEVEL_HH); return true;
	case UP: say(w, COND_LEVEL, LEVEL_HH); return true;
	case DOWN: say(w, COND_LEVEL, LEVEL_H); return true;
	case RETURN: say(w, COND_RETURNED, w->level); return true;
	case ACK: case RESET: case SHELVE: case UNSHELVE: case SUPPRESS: case UNSUPPRESS: case OUT: case BACK: return person(w, e);
	case TIME: tick(w); return true;
	case CAUSE_ON:
	case CAUSE_OFF:
		w->cause = e == CAUSE_ON;
		apply(w, &(struct transition){ .point = 2, .rule = 1, .kind = w->cause ? COND_RAISED : COND_RETURNED, .level = LEVEL_L, .at = w->now, .cause_time = w->now, .limit = NAN });
		return true;
	case WINDOW_ON:
	case WINDOW_OFF: window(w, e == WINDOW_ON); return true;
	case SERVICE_ON:
	case SERVICE_OFF: service(w, e == SERVICE_ON); return true;
	case AGAIN:
		if (w->any) {
			struct transition t = w->last;
			t.replayed = true;
			apply(w, &t);
		}
		return true;
	case RESTART: restart(w); return true;
	case EVENTS: break;
	}
	return false;
}

// ---- what must hold in each state --------------------------------------------------------------
static char letter_of(enum alarm_state s) { return "ABCDEFGHI"[s]; }

static void fail_here(const struct walk *w, const char *what)
{
	for (size_t i = 0; i < w->n; i++)
		print_error("%s%s", i ? " · " : "", event_names[w->path[i]]);
	fail_msg("\n%s (rule %s%s)", what, w->never ? "never suppressed" : "plain", w->latch ? ", latched" : "");
}
#define HOLDS(cond) ((cond) ? (void)0 : fail_here(w, #cond))

static void check_journal(struct walk *w, const struct alarm_row *row)
{
	struct query q;
	struct str was = STR_EMPTY;
	query_begin(&q, w->db, STMT_ALARM_JOURNAL_LIST);
	query_i64(&q, 1, row->id);
	while (query_row(&q)) {
		struct str from = query_get_str(&q, 4, w->a), to = query_get_str(&q, 5, w->a), what = query_get_str(&q, 2, w->a);
		HOLDS(was.n == 0 || str_eq(from, was)); // no step is missing
		if (str_is(what, "suppress") || str_is(what, "out_of_service") || str_is(what, "shelve"))
			HOLDS(query_get_str(&q, 10, w->a).n > 0); // who hides says why
		was = to;
	}
	assert_int_equal(query_end(&q), OK);
	HOLDS(str_is(was, alarm_state_name(row->mode.state)));
}

static void check_listed(struct walk *w, bool hidden)
{
	struct query q;
	size_t n = 0;
	query_begin(&q, w->db, STMT_ALARM_LIST_HIDDEN);
	query_scope(&q, &(struct scope){ 0 });
	while (query_row(&q))
		n++;
	assert_int_equal(query_end(&q), OK);
	HOLDS(n == (hidden ? 1u : 0u)); // never silent
}

static void check_state(struct walk *w, const struct alarm_row *row, bool open)
{
	bool hidden = open && row->mode.state >= ALARM_SHELVED;
	check_listed(w, hidden);
	HOLDS(open || !w->active);                          // nothing that lasts is without its alarm
	if (!open)
		return;
	HOLDS(row->mode.active == w->active);
	HOLDS(row->mode.state != ALARM_NORMAL);             // returned and acknowledged closes
	if (row->mode.state <= ALARM_ACKED)
		HOLDS(row->mode.active);
	if (row->mode.state == ALARM_RTN_UNACK)
		HOLDS(!row->mode.active && !row->mode.latch);
	if (row->mode.state == ALARM_LATCH_UNACK || row->mode.state == ALARM_LATCH_ACKED)
		HOLDS(!row->mode.active && row->mode.latch);
	HOLDS(!w->latch || row->mode.latch);                // nothing but a reset ends a latch, and then it is closed
	if (row->mode.state == ALARM_SHELVED)
		HOLDS(row->shelved_until > w->now);         // a shelf ends
	if (row->mode.state > ALARM_SHELVED) {
		HOLDS(row->hidden.by != HIDE_NONE && row->hidden.why.zh.n && row->hidden.why.en.n);
		HOLDS(row->hidden.by == HIDE_SERVICE || row->hidden.until > w->now);
		HOLDS(row->hidden.by == HIDE_SERVICE || row->hidden.by == HIDE_CAUSE || row->hidden.who.n);
	}
	if (!hidden && row->mode.active)
		HOLDS(!wanted(&w->o, w->never));            // what should hide it does
	if (w->never && row->mode.active && str_is(row->level, "hh") && !w->points[0].maintenance)
		HOLDS(!hidden);                             // the highest level is never hidden
	check_journal(w, row);
}

static uint64_t key_of(const struct walk *w, const struct alarm_row *row, bool open)
{
	const struct oracle *o = &w->o;
	uint64_t env = (uint64_t)(o->cause | o->window << 1 | o->service << 2), k = 0;
	if (open)
		k = (uint64_t)(row->mode.state | row->mode.active << 4 | row->mode.acked << 5 | str_is(row->level, "hh") << 6 | row->hidden.by << 7 | row->mode.latch << 10);
	uint64_t or = o->is == 'A' ? 0 : (uint64_t)((o->is - 'A') | o->active << 4 | o->high << 5 | o->acked << 6 | o->owner << 7 | o->held << 9 | (o->owner == PERSON && o->is != 'I' && o->hid_high) << 10);
	return env | k << 3 | or << 16 | (uint64_t)open << 40;
}

static void compare(struct walk *w)
{
	struct alarm_row row = { .level = STR_EMPTY };
	bool open = find_row(w, &row);
	char is = open ? letter_of(row.mode.state) : 'A';
	if (is != w->o.is) {
		print_error("program %c, oracle %c: ", is, w->o.is);
		fail_here(w, "they differ");
	}
	check_state(w, &row, open);
	w->key = key_of(w, &row, open);
}

// From here everything ends: no state is a trap.
static void check_way_home(struct walk *w)
{
	static const enum event home[] = { SERVICE_OFF, WINDOW_OFF, CAUSE_OFF, TIME, RETURN, TIME, ACK, RESET };
	struct oracle *o = &w->o;
	for (size_t i = 0; i < ARRAY_LEN(home); i++) {
		if (!can_come(w, o, home[i]))
			continue;
		(void)program_step(w, home[i]);
		(void)oracle_step(o, home[i], w->never);
	}
	struct alarm_row row;
	HOLDS(!find_row(w, &row));
	HOLDS(o->is == 'A');
}

// ---- what was found ----------------------------------------------------------------------------
struct found { uint64_t key; enum event path[MAX_DEPTH]; size_t n; struct oracle o; };
static struct found states[MAX_STATES];
static size_t nstates;

static bool is_new(uint64_t key)
{
	for (size_t i = 0; i < nstates; i++)
		if (states[i].key == key)
			return false;
	return true;
}

// ---- walking -----------------------------------------------------------------------------------
static enum err walk_job(struct db *db, void *arg, struct problem *p)
{
	struct walk *w = arg;
	(void)p;
	w->db = db;
	for (size_t i = 0; i < w->n; i++) {
		bool did = program_step(w, w->path[i]), should = oracle_step(&w->o, w->path[i], w->never);
		if (i + 1 == w->n && did != should)
			fail_here(w, did ? "the program did what the oracle refuses" : "the program refused what the oracle allows");
		w->refused += i + 1 == w->n && !did;
	}
	compare(w);
	struct oracle after = w->o;
	if (is_new(w->key))
		check_way_home(w);
	w->o = after;
	return ERR_CONFLICT; // take it all back
}

static void go(struct walk *w, struct fixture *f, struct rule_set *rules, bool never, bool latch, const enum event *path, size_t n)
{
	*w = (struct walk){ .f = f, .a = arena_new(0), .rules = rules, .now = T0, .never = never, .latch = latch, .path = path, .n = n,
		.o = { .is = 'A', .acked = true, .latch = latch } };
	for (uint32_t i = 0; i < 2; i++)
		w->points[i] = (struct point_def){ .id = i + 1, .enterprise = 1, .device = 1, .code = i ? STR("p2") : STR("p1"), .kind = STR("level"), .area = STR("99") };
	assert_int_equal(fixture_write(f, walk_job, w), ERR_CONFLICT);
	clock_set_fake(0);
	arena_free(w->a);
}

// Whether the condition, as the oracle has it after a path, lets the event come.
static bool worth(const struct oracle *o, enum event e)
{
	struct walk w = { .active = o->active, .level = o->high ? LEVEL_HH : LEVEL_H };
	return can_come(&w, o, e);
}

static void explore(bool never, bool latch)
{
	struct fixture f;
	struct walk w;
	size_t transitions = 0, refused = 0, deepest = 0;
	nstates = 0;
	fixture_begin(&f);
	struct registry reg;
	struct rule_set *rules = rules_of_two(f.arena, &reg, arena_printf(f.arena,
		"rule: r\nlabel: {zh: r, en: r}\nwatch: {kind: level}\n%s%ssuppress_when: {rule: c, at: device, longest: 7d, why: {zh: 因, en: why}}\n"
		"levels:\n  h: {above: 80, color: orange, say: {zh: a, en: a}}\n  hh: {above: 90, color: red, say: {zh: a, en: a}}\n",
		never ? "never_suppress: true\n" : "", latch ? "latch: true\n" : "").p,
		"rule: c\nlabel: {zh: c, en: c}\nwatch: {kind: level}\nhint: true\nlevels: {l: {below: 1, color: blue, say: {zh: 停, en: stopped}}}\n");
	go(&w, &f, rules, never, latch, NULL, 0);
	states[nstates++] = (struct found){ .key = w.key, .o = w.o };
	for (size_t i = 0; i < nstates; i++)
		for (int e = 0; e < EVENTS; e++) {
			struct found next = states[i];
			if (!worth(&next.o, (enum event)e))
				continue;
			assert_true(next.n < MAX_DEPTH);
			next.path[next.n++] = (enum event)e;
			go(&w, &f, rules, never, latch, next.path, next.n);
			transitions++;
			refused += w.refused;
			if (!is_new(w.key))
				continue;
			next.key = w.key;
			next.o = w.o;
			assert_true(nstates < MAX_STATES);
			states[nstates++] = next;
			deepest = MAX(deepest, next.n);
		}
	print_message("%s%s: %zu states, %zu transitions (%zu refused), depth %zu, closed\n", never ? "never suppressed" : "plain", latch ? ", latched" : "", nstates, transitions, refused, deepest);
	assert_true(nstates > 50 && transitions > 10 * nstates);
	rules_free(rules);
	fixture_end(&f);
}

static void test_plain(void **state)
{
	(void)state;
	explore(false, false);
}

static void test_never_suppressed(void **state)
{
	(void)state;
	explore(true, false);
}

static void test_latched(void **state)
{
	(void)state;
	explore(false, true);
}

static void test_latched_never_suppressed(void **state)
{
	(void)state;
	explore(true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_plain), cmocka_unit_test(test_never_suppressed),
		                             cmocka_unit_test(test_latched), cmocka_unit_test(test_latched_never_suppressed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
