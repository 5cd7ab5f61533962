// The risk index: what the checker says of mistakes; the arithmetic by hand - weights, caps, decay, levels, areas; boards
// built from records and changed one enterprise at a time, which must agree with boards built anew; rises and history.
// needs: base loop expr store model auth measure
#include "store_fixture.h"
#include "diag_help.h"

#include <jansson.h>
#include <math.h>

#include "base/time.h"
#include "measure/index.h"
#include "model/yaml.h"
#include "store/records.h"

#define T0 INT64_C(1790000000000000) // some day of 2026

// The folder tests/packs/indexes holds one good index and files with a mistake or more; indexes.err is all that must be said,
// in this order.
static void test_every_mistake_is_told_with_its_place(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	struct registry *reg;
	assert_int_equal(registry_load(&reg, STR("tests/packs/indexes"), &d), OK);
	assert_null(indexes_load(reg, a, &d));
	assert_all_told(&d, "tests/packs/indexes", a);
	registry_free(reg);
	arena_free(a);
}

// ---- arithmetic --------------------------------------------------------------------------------
static struct index_weight two[] = { { .value = { "major", 5 }, .weight = 18 }, { .value = { "general", 7 }, .weight = 2 } };
static struct index_weight grades[] = { { .value = { "1", 1 }, .weight = 25 }, { .value = { "2", 1 }, .weight = 20 } };
static struct index_weight each[] = { { .weight = 12 } };
static struct index_component components[] = {
	{ .weights = two, .nweights = 2, .slot = 0, .cap = 40 },
	{ .weights = grades, .nweights = 2, .slot = 2, .cap = 25, .worst = true },
	{ .weights = each, .nweights = 1, .slot = 4, .cap = 30, .half_life = 180 * US_PER_DAY },
};
static const struct risk_index example = { .components = components, .ncomponents = 3, .nslots = 5, .worst = 0.5, .top = 2, .top_share = 0.3,
	                                   .all_share = 0.2, .levels = { [INDEX_BLUE] = { .from = 0 }, [INDEX_YELLOW] = { .from = 20 },
	                                   [INDEX_ORANGE] = { .from = 40 }, [INDEX_RED] = { .from = 60 } } };

// What lowers is taken off, capped like the others; a score is never below 0.
static void test_good_marks_are_taken_off(void **state)
{
	struct index_component v[] = { components[0], components[1] };
	struct risk_index x = example;
	struct index_slot s[5] = { { 1, 1 }, { 3, 3 }, { 0, 0 }, { 2, 2 }, { 0, 0 } };
	struct index_part parts[2];
	double fade[2];
	(void)state;
	v[1].lowers = true;
	v[1].cap = 15;
	x.components = v;
	x.ncomponents = 2;
	index_fade(&x, 0, fade);
	assert_int_equal(index_score(&x, s, NULL, fade, parts), 90); // 24 - 15 of 20
	assert_true(parts[1].raw == 20 && parts[1].points == -15);
	s[0] = (struct index_slot){ 0, 0 };
	assert_int_equal(index_score(&x, s, NULL, fade, parts), 0); // 6 - 15
}

// What a score would be without one component: caps, good marks and the floor of 0 are those of the whole.
static void test_score_without_a_component(void **state)
{
	struct index_component v[] = { components[0], components[1] };
	struct risk_index x = example;
	struct index_slot s[5] = { { 5, 5 }, { 0, 0 }, { 0, 0 }, { 1, 1 }, { 0, 0 } }, cover[5] = { { 0, 0 }, { 1, 1 } };
	double fade[2];
	(void)state;
	v[1].lowers = true;
	x.components = v;
	x.ncomponents = 2;
	x.nslots = 4;
	index_fade(&x, 0, fade);
	assert_int_equal(index_score(&x, s, cover, fade, NULL), 200);           // 92 capped at 40, less 20
	assert_int_equal(index_score_without(&x, s, cover, fade, 0), 0);        // what covers the place goes with it; never below 0
	assert_int_equal(index_score_without(&x, s, cover, fade, 1), 400);      // and without the good mark more is left
	assert_int_equal(index_score_without(&x, s, NULL, fade, 1), 400);
}

static void test_score(void **state)
{
	struct index_slot s[5] = { { 1, 1 }, { 3, 3 }, { 0, 0 }, { 2, 2 }, { 0, 0 } };
	struct index_part parts[3];
	double fade[3];
	(void)state;
	index_fade(&example, 0, fade);
	// 1 × 18 + 3 × 2 = 24; grade 2 twice counts once, 20
	assert_int_equal(index_score(&example, s, NULL, fade, parts), 440);
	assert_true(parts[0].raw == 24 && parts[0].points == 24 && parts[1].points == 20 && parts[2].points == 0);
	s[0] = (struct index_slot){ 5, 5 }; // 96 is capped at 40
	s[2] = (struct index_slot){ 1, 1 }; // the better grade is the one that counts
	assert_int_equal(index_score(&example, s, NULL, fade, parts), 650);
	assert_true(parts[0].raw == 96 && parts[0].points == 40 && parts[1].points == 25);
	struct index_slot cover[5] = { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 2, 2 } }; // what covers the place is added
	assert_int_equal(index_score(&example, s, cover, fade, parts), 890);
	assert_true(parts[2].points == 24);
	cover[4] = (struct index_slot){ 9, 9 };
	assert_int_equal(index_score(&example, s, cover, fade, NULL), 950);
}

static void test_decay(void **state)
{
	const struct index_component *c = &components[2];
	struct index_slot s[5] = { { 0, 0 } };
	double fade[3];
	(void)state;
	// an event of half a year ago weighs half, and half of that half a year later, whatever the epoch
	s[4] = (struct index_slot){ 1, (float)index_amount(c, T0 - 180 * US_PER_DAY, T0) };
	index_fade(&example, 0, fade);
	assert_int_equal(index_score(&example, s, NULL, fade, NULL), 60);
	index_fade(&example, 180 * US_PER_DAY, fade);
	assert_int_equal(index_score(&example, s, NULL, fade, NULL), 30);
	s[4].v = (float)index_amount(c, T0 - 180 * US_PER_DAY, T0 + 180 * US_PER_DAY);
	index_fade(&example, 0, fade);
	assert_int_equal(index_score(&example, s, NULL, fade, NULL), 30);
	assert_true(fabs(index_amount(&components[0], 0, T0) - 1) < 1e-12); // without half-life nothing fades
}

static void test_levels(void **state)
{
	(void)state;
	assert_int_equal(index_color_at(&example, 0), INDEX_BLUE);
	assert_int_equal(index_color_at(&example, 199), INDEX_BLUE);
	assert_int_equal(index_color_at(&example, 200), INDEX_YELLOW);
	assert_int_equal(index_color_at(&example, 399), INDEX_YELLOW);
	assert_int_equal(index_color_at(&example, 400), INDEX_ORANGE);
	assert_int_equal(index_color_at(&example, 600), INDEX_RED);
	assert_int_equal(index_color_at(&example, 1000), INDEX_RED);
	assert_int_equal(index_color_of(STR("green")), INDEX_NONE);
}

static void test_areas(void **state)
{
	static uint32_t bins[INDEX_TENTHS + 1];
	(void)state;
	assert_int_equal(index_aggregate(&example, bins), 0); // nobody there
	bins[700] = 1;
	assert_int_equal(index_aggregate(&example, bins), 700); // one alone is itself
	bins[300] = 1;
	bins[100] = 2;
	// 0.5 × 70 + 0.3 × (70 + 30) / 2 + 0.2 × (70 + 30 + 10 + 10) / 4 = 35 + 15 + 6
	assert_int_equal(index_aggregate(&example, bins), 560);
	bins[700] = 3; // the two worst are both 70
	// 35 + 21 + 0.2 × (210 + 30 + 20) / 6 = 64.67
	assert_int_equal(index_aggregate(&example, bins), 647);
}

// ---- boards ------------------------------------------------------------------------------------
static struct {
	struct fixture f;
	struct registry *reg;
	struct risk_indexes *all;
	struct index_live *live;
	const struct type *enterprise, *hazard;
} x;

static enum err migrate(struct db *db, void *arg, struct problem *p)
{
	(void)arg;
	enum err err = records_migrate(db, &x.enterprise->table, p);
	if (!err)
		err = records_migrate(db, &registry_type(x.reg, STR("area"))->table, p);
	for (size_t i = 0; i < x.all->n; i++)
		for (size_t k = 0; !err && k < x.all->v[i].ncomponents; k++)
			if (x.all->v[i].components[k].of.type)
				err = records_migrate(db, &x.all->v[i].components[k].of.type->table, p);
	return err;
}

static int set_up(void **state)
{
	struct diags d;
	(void)state;
	memset(&x, 0, sizeof x);
	fixture_begin(&x.f);
	d = (struct diags){ .arena = x.f.arena };
	assert_int_equal(registry_load(&x.reg, STR("packs"), &d), OK);
	x.all = indexes_load(x.reg, x.f.arena, &d);
	assert_non_null(x.all);
	x.enterprise = registry_type(x.reg, STR("enterprise"));
	x.hazard = registry_type(x.reg, STR("hazard"));
	x.live = index_live_new();
	assert_int_equal(fixture_write(&x.f, migrate, NULL), OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	index_live_free(x.live);
	fixture_end(&x.f);
	registry_free(x.reg);
	return 0;
}

struct put { const struct type *t; struct common c; const char *field, *value; int64_t id, found; };

static enum err put_run(struct db *db, void *arg, struct problem *p)
{
	struct put *r = arg;
	struct value *v = arena_many(x.f.arena, r->t->table.ncols, struct value);
	const struct field *f = type_field(r->t, str_of(r->field));
	v[f->col] = (struct value){ .kind = VAL_TEXT, .s = str_of(r->value) };
	if (r->found)
		v[type_field(r->t, STR("found"))->col] = (struct value){ .kind = VAL_INT, .i = r->found };
	r->c.created_at = r->c.changed_at = r->c.state_at = T0;
	r->c.version = 1;
	enum err err = records_insert(db, &r->t->table, &r->c, v, p);
	r->id = r->c.id;
	return err;
}

// What colours the map is the first index, whatever their files are called; those aside come after it.
static void test_the_index_of_the_map_is_the_first(void **state)
{
	struct str names[INDEX_BOARDS];
	(void)state;
	assert_int_equal(index_names(x.all, names, INDEX_BOARDS), 3);
	assert_true(str_is(names[0], "safety") && str_is(names[1], "credit") && str_is(names[2], "fire_risk"));
	assert_int_equal(index_names(x.all, names, 1), 1);
	assert_true(str_is(names[0], "safety"));
}

static int64_t enterprise(const char *area, const char *sector, const char *risk)
{
	struct put r = { .t = x.enterprise, .c = { .area = str_of(area), .sector = str_of(sector), .title = str_of(area), .enterprise = ENTERPRISE_SELF },
		         .field = "risk", .value = risk };
	assert_int_equal(fixture_write(&x.f, put_run, &r), OK);
	return r.id;
}

static int64_t hazard_found(int64_t of, const char *level, int64_t found)
{
	struct put r = { .t = x.hazard, .c = { .area = STR("990121101000"), .enterprise = of, .state = STR("found"), .title = STR("h") },
		         .field = "level", .value = level, .found = found };
	assert_int_equal(fixture_write(&x.f, put_run, &r), OK);
	return r.id;
}

static int64_t hazard(int64_t of, const char *level) { return hazard_found(of, level, 0); }

static void build(int64_t now, struct index_changes ret[INDEX_BOARDS])
{
	struct db *db = store_read_begin(x.f.store);
	problem_init(&x.f.p, x.f.arena);
	assert_int_equal(index_build(x.live, db, x.all, now, x.f.arena, ret, &x.f.p), OK);
	store_read_end(x.f.store, db);
}

static struct index_changes update(int64_t id, const char *type, int64_t now)
{
	struct db *db = store_read_begin(x.f.store);
	struct index_changes c = { 0 };
	struct index_news news = { .enterprises = &id, .n = 1 };
	news.components = index_concerns(x.live, 0, str_of(type), &news.covers);
	problem_init(&x.f.p, x.f.arena);
	assert_int_equal(index_update(x.live, db, 0, &news, now, x.f.arena, &c, &x.f.p), OK);
	store_read_end(x.f.store, db);
	return c;
}

static int mark(int64_t id)
{
	struct index_mark m = { 0 };
	return index_mark(x.live, id, &m) ? m.tenths : -1;
}

static const struct index_change *change_of(const struct index_changes *c, enum index_kind kind, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].kind == kind && str_is(c->v[i].key, key))
			return &c->v[i];
	return NULL;
}

static void test_one_change_reaches_what_lies_above(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	(void)state;
	int64_t a = enterprise("990121101001", "chemical", "red"), b = enterprise("990121102000", "dust", "blue");
	build(T0, c);
	assert_int_equal(c[0].n, 0); // the first time nothing has changed
	assert_int_equal(mark(a), 120);
	assert_int_equal(mark(b), 10);
	assert_int_equal(mark(b + 1), -1);
	hazard(a, "major");
	struct index_changes u = update(a, "hazard", T0);
	assert_int_equal(mark(a), 300); // 12 + 18
	const struct index_change *e = change_of(&u, INDEX_ENTERPRISE, "1");
	assert_true(e && e->was == 120 && e->tenths == 300 && e->color == INDEX_YELLOW && e->color_was == INDEX_BLUE);
	static const char *const above[] = { "990121101001", "990121101000", "990121000000", "990100000000" };
	for (size_t i = 0; i < ARRAY_LEN(above); i++)
		assert_non_null(change_of(&u, INDEX_AREA, above[i]));
	assert_null(change_of(&u, INDEX_AREA, "990121102000")); // next door nothing happened
	assert_null(change_of(&u, INDEX_SECTOR, "dust"));
	const struct index_change *county = change_of(&u, INDEX_AREA, "990121000000");
	const struct risk_index *i = index_in_force(x.all, STR("safety"), T0);
	double both = i->worst * 30 + (i->top_share + i->all_share) * (30 + 1) / 2;
	assert_int_equal(county->tenths, (int)lround(both * 10));
	u = update(a, "area", T0); // concerns nothing: counted again it is the same
	assert_int_equal(u.n, 0);
}

static void test_moving_and_leaving(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	(void)state;
	int64_t a = enterprise("990121101001", "chemical", "red");
	build(T0, c);
	int64_t n = enterprise("990121103000", "metal", "orange"); // new since
	struct index_changes u = update(n, "enterprise", T0);
	assert_int_equal(mark(n), 80);
	const struct index_change *e = change_of(&u, INDEX_ENTERPRISE, "2");
	assert_true(e && e->was == -1);
	assert_non_null(change_of(&u, INDEX_AREA, "990121103000"));
	u = update(a + 77, "enterprise", T0); // nobody
	assert_int_equal(u.n, 0);
}

// A record that names no enterprise adds to the areas it lies in and to nobody's score.
static void test_records_without_enterprise(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } }, u = { 0 };
	(void)state;
	int64_t a = enterprise("990121101001", "chemical", "red"), b = enterprise("990121102000", "dust", "red");
	build(T0, c);
	hazard(0, "major"); // lies in 990121101000
	struct index_news news = { 0 };
	news.own = index_concerns(x.live, 0, STR("hazard"), &news.covers);
	struct db *db = store_read_begin(x.f.store);
	assert_int_equal(index_update(x.live, db, 0, &news, T0, x.f.arena, &u, &x.f.p), OK);
	store_read_end(x.f.store, db);
	assert_int_equal(change_of(&u, INDEX_AREA, "990121101000")->tenths, 300); // 12 of its one enterprise, and 18
	assert_int_equal(change_of(&u, INDEX_AREA, "990121000000")->tenths, 300);
	assert_null(change_of(&u, INDEX_AREA, "990121101001")); // it is not of that village
	assert_null(change_of(&u, INDEX_AREA, "990121102000"));
	assert_true(mark(a) == 120 && mark(b) == 120);
	build(T0, c);
	assert_int_equal(c[0].n, 0); // counted anew it is the same
}

struct notice { const char *sectors; int64_t from, to; };

static enum err put_notice(struct db *db, void *arg, struct problem *p)
{
	const struct notice *n = arg;
	const struct type *t = registry_type(x.reg, STR("weather_notice"));
	struct value *v = arena_many(x.f.arena, t->table.ncols, struct value);
	struct common c = { .area = STR("990121000000"), .title = STR("w"), .created_at = T0, .changed_at = T0, .version = 1 };
	v[type_field(t, STR("level"))->col] = (struct value){ .kind = VAL_TEXT, .s = STR("red") };
	v[type_field(t, STR("sectors"))->col] = (struct value){ .kind = VAL_TEXT, .s = str_of(n->sectors) };
	v[type_field(t, STR("starts"))->col] = (struct value){ .kind = VAL_INT, .i = n->from };
	v[type_field(t, STR("ends"))->col] = (struct value){ .kind = VAL_INT, .i = n->to };
	return records_insert(db, &t->table, &c, v, p);
}

// What covers some sectors counts for theirs, and for nobody whose sector is not known.
static void test_covers_of_sectors(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	struct notice n = { ",chemical,", clock_now() - US_PER_HOUR, clock_now() + US_PER_HOUR }; // now() of the store's query is the clock's
	(void)state;
	int64_t a = enterprise("990121101001", "chemical", "red"), b = enterprise("990121101001", "dust", "red"), none = enterprise("990121101001", "", "red");
	assert_int_equal(fixture_write(&x.f, put_notice, &n), OK);
	build(clock_now(), c);
	assert_int_equal(mark(a), 240); // 12 of its own, 12 of the weather
	assert_int_equal(mark(b), 120);
	assert_int_equal(mark(none), 120);
}

// After any sequence of changes the live board and one that is built anew say the same.
static void test_live_agrees_with_anew(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	int64_t ids[12];
	uint32_t seed = 7;
	(void)state;
	for (int i = 0; i < 12; i++)
		ids[i] = enterprise(i % 2 ? "990121101001" : "990121102000", i % 3 ? "dust" : "chemical", i % 4 ? "yellow" : "red");
	build(T0, c);
	for (int i = 0; i < 60; i++) {
		seed = seed * 1664525u + 1013904223u;
		int64_t id = ids[(seed >> 16) % 12];
		hazard(id, seed & 0x4000 ? "general" : "major");
		(void)update(id, "hazard", T0);
	}
	struct index_changes again[INDEX_BOARDS] = { { 0 } };
	build(T0, again);
	assert_int_equal(again[0].n, 0);
}

// Counting everything gives way after every few rows, and each time another hazard is found: afterwards it is as if all had been
// counted in one go at the end.
struct giving { int64_t ids[40], noted[400]; size_t calls; };
static void find_hazard(void *arg)
{
	struct giving *g = arg;
	int64_t id = g->ids[g->calls * 7 % ARRAY_LEN(g->ids)];
	hazard(id, g->calls % 3 ? "general" : "major");
	(void)update(id, "hazard", T0);
	g->noted[g->calls++] = id;
}

static void test_in_parts_as_in_one(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } }, again[INDEX_BOARDS] = { { 0 } }, u = { 0 };
	struct giving g = { .calls = 0 };
	struct index_live *next = index_live_new();
	struct index_news news = { .enterprises = g.noted };
	int before[ARRAY_LEN(g.ids)];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(g.ids); i++) {
		g.ids[i] = enterprise(i % 2 ? "990121101001" : "990121102000", i % 3 ? "dust" : "chemical", i % 4 ? "yellow" : "red");
		hazard(g.ids[i], "general");
	}
	build(T0, c);
	struct db *db = store_read_begin(x.f.store);
	assert_int_equal(index_count_all(next, db, x.all, T0, &(struct index_pause){ find_hazard, &g, 0 }, x.f.arena, &x.f.p), OK);
	store_read_end(x.f.store, db);
	assert_true(g.calls > 5 && g.calls < ARRAY_LEN(g.noted));
	news.n = g.calls;
	news.components = index_concerns(next, 0, STR("hazard"), &news.covers);
	db = store_read_begin(x.f.store);
	assert_int_equal(index_update(next, db, 0, &news, T0, x.f.arena, &u, &x.f.p), OK);
	store_read_end(x.f.store, db);
	for (size_t i = 0; i < ARRAY_LEN(g.ids); i++)
		before[i] = mark(g.ids[i]); // of the boards that took each hazard in at once
	index_replace(x.live, next, T0, x.f.arena, again);
	assert_int_equal(again[0].n, 0); // nothing is news, of enterprises or above them
	index_live_free(next);
	for (size_t i = 0; i < ARRAY_LEN(g.ids); i++)
		assert_int_equal(mark(g.ids[i]), before[i]);
	build(T0, again);
	assert_int_equal(again[0].n, 0);
}

struct keeping { struct index_changes c; int64_t now; };
static enum err keep_run(struct db *db, void *arg, struct problem *p)
{
	struct keeping *k = arg;
	(void)p;
	return index_keep(db, index_of_board(x.live, 0), &k->c, k->now, x.f.arena);
}

static void keep_all(int64_t now)
{
	struct keeping k = { .now = now };
	index_differs(x.live, 0, SIZE_MAX, x.f.arena, &k.c);
	assert_int_equal(fixture_write(&x.f, keep_run, &k), OK);
	index_kept(x.live, 0, &k.c);
	struct index_changes none = { 0 };
	index_differs(x.live, 0, SIZE_MAX, x.f.arena, &none);
	assert_int_equal(none.n, 0);
}

static void test_history_and_rises(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	(void)state;
	int64_t a = enterprise("990121101001", "chemical", "red");
	build(T0, c);
	keep_all(T0);
	hazard(a, "general");
	struct index_changes u = update(a, "hazard", T0 + US_PER_HOUR); // +2: no rise
	assert_false(change_of(&u, INDEX_ENTERPRISE, "1")->rise);
	// the process starts anew: what was kept is what it rose from
	index_live_free(x.live);
	x.live = index_live_new();
	build(T0 + 2 * US_PER_HOUR, c);
	struct db *db = store_read_begin(x.f.store);
	assert_int_equal(index_recall(x.live, db, T0 + 2 * US_PER_HOUR, x.f.arena), OK);
	store_read_end(x.f.store, db);
	hazard(a, "major"); // 12 → 32: more than 15 within a day
	u = update(a, "hazard", T0 + 3 * US_PER_HOUR);
	const struct index_change *e = change_of(&u, INDEX_ENTERPRISE, "1");
	assert_true(e->rise && e->lowest == 120 && e->tenths == 320);
	hazard(a, "major");
	u = update(a, "hazard", T0 + 4 * US_PER_HOUR); // told once a day
	assert_false(change_of(&u, INDEX_ENTERPRISE, "1")->rise);
	keep_all(T0 + 5 * US_PER_HOUR);
}

// ---- answers -----------------------------------------------------------------------------------
static const struct identity town = { .person = 7, .lang = { "zh", 2 }, .scope = { .area = { "990121101", 9 } } };
static const struct identity department = { .person = 8, .lang = { "zh", 2 }, .scope = { .area = { "990121", 6 }, .sectors = { ",dust,", 6 } } };

enum what { RANK, RANK_DAY, WHY, TREND, CHANGES, BACKTEST };
static json_t *answer(enum what what, const struct identity *by, enum index_kind kind, const char *key, int64_t now, enum err want)
{
	struct db *db = store_read_begin(x.f.store);
	struct buf out;
	struct jw w;
	enum err err = OK;
	buf_init(&out, 1 << 20);
	jw_init(&w, &out);
	problem_init(&x.f.p, x.f.arena);
	struct index_ask q = { .live = x.live, .db = db, .reg = x.reg, .by = by, .arena = x.f.arena, .p = &x.f.p, .name = STR("safety"), .now = now };
	struct index_rank_ask r = { .kind = kind, .tier = 9, .under = STR_EMPTY, .sector = STR_EMPTY, .day = what == RANK_DAY ? str_of(key) : STR_EMPTY, .limit = 50 };
	switch (what) {
	case RANK: case RANK_DAY: err = index_rank_json(&q, &r, &w); break;
	case WHY: err = index_why_json(&q, kind, str_of(key), &w); break;
	case TREND: err = index_trend_json(&q, kind, str_of(key), now - US_PER_DAY, now, &w); break;
	case CHANGES: err = index_changes_json(&q, now - US_PER_DAY, now, 50, &w); break;
	case BACKTEST: err = index_backtest_json(&q, now - 90 * US_PER_DAY, now, 7, &w); break;
	}
	store_read_end(x.f.store, db);
	assert_int_equal(err, want);
	json_t *j = err ? NULL : json_loadb(out.p, out.n, 0, NULL);
	assert_true(err || (j && jw_done(&w)));
	buf_free(&out);
	return j;
}

static double number(const json_t *j, const char *key) { return json_number_value(json_object_get(j, key)); }
static size_t items(const json_t *j) { return json_array_size(json_object_get(j, "items")); }

static void test_answers_and_scopes(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	const struct identity all = identity_system();
	json_t *j;
	(void)state;
	int64_t a = enterprise("990121101001", "chemical", "red"), b = enterprise("990121102000", "dust", "yellow");
	hazard(a, "major");
	build(T0, c);
	keep_all(T0);
	j = answer(WHY, &all, INDEX_ENTERPRISE, "1", T0, OK);
	json_t *first = json_array_get(json_object_get(j, "parts"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "component")), "hazards"); // the heaviest first
	assert_true(number(j, "score") == 30 && number(first, "points") == 18 && number(first, "cap") == 40);
	json_decref(j);
	j = answer(WHY, &all, INDEX_AREA, "990121000000", T0, OK);
	assert_true(number(json_object_get(j, "formula"), "worst") == 30 && number(json_object_get(j, "formula"), "enterprises") == 2);
	assert_int_equal(json_array_size(json_object_get(j, "members")), 2);
	json_decref(j);
	// a town sees its own, a department its sector, and figures are made of these alone
	(void)answer(WHY, &town, INDEX_ENTERPRISE, "2", T0, ERR_NOT_FOUND);
	(void)answer(WHY, &town, INDEX_AREA, "990121000000", T0, ERR_NOT_FOUND);
	(void)answer(WHY, &all, INDEX_ENTERPRISE, "999", T0, ERR_NOT_FOUND);
	(void)answer(WHY, &all, INDEX_ENTERPRISE, "x", T0, ERR_NOT_FOUND);
	j = answer(RANK, &town, INDEX_AREA, "", T0, OK);
	assert_int_equal(items(j), 1);
	json_decref(j);
	j = answer(WHY, &department, INDEX_AREA, "990121000000", T0, OK);
	assert_true(number(j, "score") == 4 && number(json_object_get(j, "formula"), "enterprises") == 1);
	json_decref(j);
	j = answer(RANK, &all, INDEX_ENTERPRISE, "", T0, OK);
	assert_true(items(j) == 2 && number(json_array_get(json_object_get(j, "items"), 0), "score") == 30);
	json_decref(j);
	(void)b;
}

static void test_answers_of_the_past(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	const struct identity all = identity_system();
	json_t *j;
	(void)state;
	int64_t a = enterprise("990121101001", "chemical", "red");
	build(T0, c);
	keep_all(T0);
	hazard(a, "major");
	struct index_changes u = update(a, "hazard", T0 + US_PER_DAY);
	struct keeping k = { .c = u, .now = T0 + US_PER_DAY };
	assert_int_equal(fixture_write(&x.f, keep_run, &k), OK);
	index_kept(x.live, 0, &k.c);
	int64_t now = T0 + 3 * US_PER_DAY;
	char day[TIME_TEXT_MAX];
	day[time_text(T0, day) > 10 ? 10 : 0] = 0;
	j = answer(RANK_DAY, &all, INDEX_ENTERPRISE, day, now, OK); // before the hazard
	assert_true(items(j) == 1 && number(json_array_get(json_object_get(j, "items"), 0), "score") == 12);
	json_decref(j);
	(void)answer(RANK_DAY, &all, INDEX_ENTERPRISE, "2026-13-01", now, ERR_INVALID);
	j = answer(TREND, &all, INDEX_ENTERPRISE, "1", T0 + US_PER_DAY + US_PER_HOUR, OK);
	assert_int_equal(items(j), 2); // as it was when the day began, and the change
	json_decref(j);
	j = answer(CHANGES, &all, INDEX_ENTERPRISE, "", T0 + US_PER_DAY + US_PER_HOUR, OK);
	assert_true(items(j) >= 3); // the enterprise and what lies above it went from blue to yellow
	json_decref(j);
	j = answer(BACKTEST, &all, INDEX_ENTERPRISE, "", now, OK);
	assert_true(json_is_false(json_object_get(j, "enough")) && number(json_object_get(j, "hits"), "n") == 0);
	json_decref(j);
}

// Keeps what has changed since, as the thread of core does.
static void change_at(int64_t id, int64_t at)
{
	struct keeping k = { .c = update(id, "hazard", at), .now = at };
	assert_int_equal(fixture_write(&x.f, keep_run, &k), OK);
	index_kept(x.live, 0, &k.c);
}

static void test_backtest_counts(void **state)
{
	struct index_changes c[INDEX_BOARDS] = { { 0 } };
	const struct identity all = identity_system();
	(void)state;
	int64_t warned = enterprise("990121101001", "chemical", "red"), missed = enterprise("990121101001", "dust", "blue"),
	        quiet = enterprise("990121102000", "metal", "red");
	build(T0, c);
	keep_all(T0);
	for (int i = 0; i < 14; i++) { // 12 + 28: orange on the tenth day
		hazard(warned, "general");
		hazard(quiet, "general");
	}
	change_at(warned, T0 + 10 * US_PER_DAY);
	change_at(quiet, T0 + 10 * US_PER_DAY);
	hazard_found(warned, "major", T0 + 12 * US_PER_DAY); // two days after the warning
	hazard_found(missed, "major", T0 + 12 * US_PER_DAY); // blue until it happened
	change_at(warned, T0 + 12 * US_PER_DAY + US_PER_HOUR);
	change_at(missed, T0 + 12 * US_PER_DAY + US_PER_HOUR);
	hazard_found(missed, "major", T0 + 2 * US_PER_DAY); // no seven days of history before it
	json_t *j = answer(BACKTEST, &all, INDEX_ENTERPRISE, "", T0 + 40 * US_PER_DAY, OK);
	assert_true(number(j, "spells_not_over") == 1); // `quiet` is orange still: what may come is not judged
	json_decref(j);
	struct index_change down = { .kind = INDEX_ENTERPRISE, .key = STR("3"), .id = quiet, .tenths = 120, .was = 400, .color = INDEX_BLUE,
		                     .color_was = INDEX_ORANGE, .place = { STR("990121102000"), quiet, STR("metal") } };
	struct keeping k = { .c = { .v = &down, .n = 1 }, .now = T0 + 15 * US_PER_DAY };
	assert_int_equal(fixture_write(&x.f, keep_run, &k), OK);
	j = answer(BACKTEST, &all, INDEX_ENTERPRISE, "", T0 + 40 * US_PER_DAY, OK);
	json_t *hits = json_object_get(j, "hits"), *wrong = json_object_get(j, "false_alarms");
	assert_true(number(j, "events") == 3 && number(j, "events_without_history") == 1);
	assert_true(number(hits, "k") == 1 && number(hits, "n") == 2 && number(hits, "rate") == 0.5);
	assert_true(number(hits, "low") > 0.05 && number(hits, "high") < 0.95); // two say little
	assert_true(number(wrong, "k") == 1 && number(wrong, "n") == 2); // that of `quiet`, and not that of `warned`
	assert_true(json_is_false(json_object_get(j, "enough")));
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mistake_is_told_with_its_place),
		cmocka_unit_test(test_good_marks_are_taken_off),
		cmocka_unit_test(test_score),
		cmocka_unit_test(test_score_without_a_component),
		cmocka_unit_test(test_decay),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_areas),
		cmocka_unit_test_setup_teardown(test_the_index_of_the_map_is_the_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_change_reaches_what_lies_above, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_moving_and_leaving, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_records_without_enterprise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_covers_of_sectors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_live_agrees_with_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_parts_as_in_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_history_and_rises, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answers_and_scopes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backtest_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answers_of_the_past, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
