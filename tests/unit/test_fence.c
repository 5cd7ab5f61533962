// Fences: geometry against a second way of computing it, the index against looking at every fence, the judge step by step and over a
// restart, and that the cost of a position does not grow with the number of fences.
// needs: base loop bus store expr series model auth risk map alarm fence
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/time.h"
#include "fence/fence_int.h"

#define T0 (1780000000LL * US_PER_S)
#define M_DEG (1 / 111195.0)         // degrees of latitude a metre

enum { LON = 1, LAT, SPEED };

struct heard { struct fence_event v[100]; size_t n; };
static void hear(void *arg, const struct fence_event *e)
{
	struct heard *h = arg;
	assert_true(h->n < 100);
	h->v[h->n++] = *e;
}

static json_t *square(double lon, double lat, double half)
{
	double x = half * M_DEG / cos(lat * M_PI / 180), y = half * M_DEG;
	return json_pack("{s:s, s:[[[ff][ff][ff][ff][ff]]]}", "type", "Polygon", "coordinates", lon - x, lat - y, lon + x, lat - y, lon + x, lat + y,
	                 lon - x, lat + y, lon - x, lat - y);
}

static struct fence_def def_of(int64_t id, enum fence_kind kind, const json_t *shape)
{
	return (struct fence_def){ .id = id, .name = STR("围栏"), .area = STR_EMPTY, .kind = kind, .shape = shape, .reach = 100, .band = 20, .positions = 2,
		                   .speed = 40, .speed_band = 3, .still = 5, .allowed = 0, .vehicles = true, .people = true };
}

static const struct fence_mover car = { LON, LAT, SPEED, 7, 3, { "", 0 }, { "3411", 4 } };

struct yard { struct fences *f; struct heard h; int64_t now; };

static void yard_begin(struct yard *y, const struct fence_def *v, size_t n)
{
	*y = (struct yard){ .f = fences_new(), .now = T0 };
	fence_set_free(fences_take(y->f, fence_set_new(v, n, &car, 1, 10, NULL, NULL), T0, hear, &y->h));
}

static void yard_end(struct yard *y) { fences_free(y->f); }

static void say(struct yard *y, uint32_t point, double v, int64_t at, int64_t arrival)
{
	fences_feed(y->f, &(struct reading){ .point = point, .time = at, .value = v }, arrival, hear, &y->h);
}

// The car is so many metres north of the middle.
static void drive_late(struct yard *y, double s, double north, double kmh, double late)
{
	int64_t at = T0 + (int64_t)(s * US_PER_S), arrival = at + (int64_t)(late * US_PER_S);
	say(y, LON, 118, at, arrival);
	say(y, LAT, 32 + north * M_DEG, at, arrival);
	if (!isnan(kmh))
		say(y, SPEED, kmh, at, arrival);
	fences_settle(y->f, hear, &y->h);
	y->now = arrival;
}
static void drive(struct yard *y, double s, double north, double kmh) { drive_late(y, s, north, kmh, 1); }

// What was heard since, and nothing else: "+left@30 -left@60".
static void heard(struct yard *y, const char *want)
{
	static const char *const names[FENCE_WHATS] = { "left", "entered", "fast", "stayed", "off_route", "stopped", "off_post" };
	char text[1000] = "";
	for (size_t i = 0; i < y->h.n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%c%s@%lld", i ? " " : "", y->h.v[i].begins ? '+' : '-', names[y->h.v[i].what],
		         (long long)((y->h.v[i].at - T0) / US_PER_S));
	assert_string_equal(text, want);
	y->h.n = 0;
}

// ---- the judge ---------------------------------------------------------------------------------
static void test_leaves(void **state)
{
	(void)state;
	json_t *j = square(118, 32, 500);
	struct fence_def d = def_of(1, FENCE_IN, j);
	struct yard y;
	yard_begin(&y, &d, 1);
	drive(&y, 0, 0, 30);
	drive(&y, 10, 510, 30); // within the dead band: neither
	drive(&y, 20, 530, 30);
	drive(&y, 30, 490, 30); // one position alone is noise
	drive(&y, 40, 530, 30);
	heard(&y, "");
	drive(&y, 50, 540, 30);
	assert_true(fabs(y.h.v[0].value - 40) <= 2 && y.h.v[0].point == LON && y.h.v[0].fence == 1);
	heard(&y, "+left@50");
	drive(&y, 60, 510, 30); // in the band it lasts
	drive(&y, 70, 490, 30);
	drive(&y, 80, 510, 30); // and what had begun to end begins again
	drive(&y, 90, 490, 30);
	heard(&y, "");
	drive(&y, 100, 480, 30);
	heard(&y, "-left@100");
	drive(&y, 110, 900000, 30); // far from every square of the index
	drive(&y, 120, 900000, 30);
	heard(&y, "+left@120");
	yard_end(&y);
	json_decref(j);
}

static void test_late(void **state)
{
	(void)state;
	json_t *j = square(118, 32, 500);
	struct fence_def d = def_of(1, FENCE_OUT, j);
	struct yard y;
	yard_begin(&y, &d, 1);
	drive(&y, 1000, 900, 30);
	drive(&y, 500, 0, 30); // older than what was judged
	drive(&y, 510, 0, 30);
	heard(&y, "");
	drive_late(&y, 1100, 0, 30, 3600); // an hour without signal: it was there, and nobody is woken
	drive_late(&y, 1110, 0, 30, 3600);
	drive_late(&y, 1120, 0, 30, 3600);
	fences_tick(y.f, y.now, hear, &y.h);
	heard(&y, "");
	drive(&y, 5000, 0, 30); // it is there now
	heard(&y, "+entered@5000");
	drive(&y, 5010, 0, 30);
	drive_late(&y, 5020, 900, 30, 3600); // what ends is believed
	drive_late(&y, 5030, 900, 30, 3600);
	heard(&y, "-entered@5030");
	yard_end(&y);
	json_decref(j);
}

static void test_speed_and_stay(void **state)
{
	(void)state;
	json_t *j = square(118, 32, 500);
	struct fence_def v[2] = { def_of(1, FENCE_SPEED, j), def_of(2, FENCE_STAY, j) };
	struct yard y;
	v[1].allowed = 10 * US_PER_MIN;
	yard_begin(&y, v, 2);
	drive(&y, 0, 0, 39);
	drive(&y, 10, 100, 45);
	drive(&y, 20, 200, 46);
	assert_true(y.h.v[0].value == 46 && y.h.v[0].limit == 40);
	heard(&y, "+fast@20");
	drive(&y, 30, 300, 38);
	drive(&y, 40, 300, 38);
	heard(&y, ""); // within 3 km/h of the limit it lasts
	drive(&y, 50, 310, 0);
	drive(&y, 60, 310, 0);
	heard(&y, "-fast@60");
	fences_tick(y.f, T0 + 640 * US_PER_S, hear, &y.h);
	heard(&y, "");
	fences_tick(y.f, T0 + 700 * US_PER_S, hear, &y.h); // it sends nothing more; its time is over all the same, at the moment it was
	assert_true(y.h.n == 1 && y.h.v[0].value == 10 && y.h.v[0].limit == 10);
	heard(&y, "+stayed@650");
	drive(&y, 800, 320, 10);
	drive(&y, 810, 340, 10);
	heard(&y, "-stayed@810");
	drive(&y, 900, 5000, NAN); // without its own speed: counted from the way, 4.66 km in 90 s
	drive(&y, 901, 5000, NAN);
	heard(&y, "");
	yard_end(&y);
	json_decref(j);
}

static void test_route(void **state)
{
	(void)state;
	json_t *j = json_pack("{s:s, s:[[ff][ff][ff]]}", "type", "LineString", "coordinates", 118.0, 31.9, 118.0, 32.0, 118.0, 32.1);
	struct fence_def d = def_of(1, FENCE_ROUTE, j);
	struct fence_stop stop = { 118, 32 + 3000 * M_DEG, 200 };
	struct yard y;
	d.allowed = 5 * US_PER_MIN;
	d.stops = &stop;
	d.nstops = 1;
	yard_begin(&y, &d, 1);
	for (int i = 0; i < 60; i++) // ten minutes at the allowed stop
		drive(&y, i * 10, 3000, 0);
	heard(&y, "");
	for (int i = 60; i < 90; i++)
		drive(&y, i * 10, 0, 60);
	for (int i = 90; i < 125; i++)
		drive(&y, i * 10, 0, 0);
	heard(&y, "+stopped@1200");
	drive(&y, 1300, 12000, 60);
	drive(&y, 1310, 12000, 60);
	heard(&y, "+off_route@1310 -stopped@1310");
	yard_end(&y);
	json_decref(j);
}

static void test_off_post(void **state)
{
	(void)state;
	json_t *j = json_pack("{s:s, s:[ff]}", "type", "Point", "coordinates", 118.0, 32.0);
	struct fence_def d = def_of(1, FENCE_POST, j);
	struct yard y;
	d.allowed = 15 * US_PER_MIN;
	d.times = (struct fence_times){ .from = 22 * 3600, .to = 6 * 3600, .days = 1 << 4 }; // Friday's night
	yard_begin(&y, &d, 1);
	int64_t friday = 0; // the first 22:00 of a Friday after T0
	while (!fence_in_force(&d.times, T0 + friday * US_PER_S))
		friday += 60;
	friday -= (T0 / US_PER_S + friday) % 60;
	assert_false(fence_in_force(&d.times, T0 + (friday - 60) * US_PER_S));
	assert_true(fence_in_force(&d.times, T0 + (friday + 8 * 3600 - 1) * US_PER_S)); // Saturday, before six
	assert_false(fence_in_force(&d.times, T0 + (friday + 8 * 3600) * US_PER_S));
	assert_false(fence_in_force(&d.times, T0 + (friday + 24 * 3600) * US_PER_S));
	drive(&y, (double)friday - 600, 900, 5);
	drive(&y, (double)friday - 300, 900, 5);
	heard(&y, "");
	double s = (double)friday + 60;
	drive(&y, s, 0, 0);
	drive(&y, s + 60, 500, 5);
	drive(&y, s + 120, 500, 5);
	drive(&y, s + 900, 500, 5);
	heard(&y, "");
	drive(&y, s + 965, 500, 5);
	char want[80];
	snprintf(want, sizeof want, "+off_post@%lld", (long long)s + 960);
	heard(&y, want);
	fences_tick(y.f, T0 + (friday + 9 * 3600) * US_PER_S, hear, &y.h); // the shift is over
	assert_true(y.h.n == 1 && !y.h.v[0].begins);
	yard_end(&y);
	json_decref(j);
}

// Another generation while something lasts; and a restart at every step: what is said is the same.
static void test_generations(void **state)
{
	(void)state;
	json_t *j = square(118, 32, 500), *large = square(118, 32, 5000);
	struct fence_def d = def_of(5, FENCE_IN, j);
	struct yard y;
	yard_begin(&y, &d, 1);
	drive(&y, 0, 900, 30);
	drive(&y, 10, 900, 30);
	heard(&y, "+left@10");
	d.shape = large;
	fence_set_free(fences_take(y.f, fence_set_new(&d, 1, &car, 1, 10, NULL, NULL), y.now, hear, &y.h));
	heard(&y, "");
	drive(&y, 20, 900, 30); // its new outline holds it
	drive(&y, 30, 900, 30);
	heard(&y, "-left@30");
	d.shape = j;
	fence_set_free(fences_take(y.f, fence_set_new(&d, 1, &car, 1, 10, NULL, NULL), y.now, hear, &y.h));
	drive(&y, 40, 900, 30);
	drive(&y, 50, 900, 30);
	heard(&y, "+left@50");
	fence_set_free(fences_take(y.f, fence_set_new(&d, 0, &car, 1, 10, NULL, NULL), y.now, hear, &y.h));
	assert_true(y.h.n == 1 && y.h.v[0].gone && !y.h.v[0].begins && y.h.v[0].fence == 5);
	yard_end(&y);
	json_decref(j);
	json_decref(large);
}

static void restart(struct yard *y, const struct fence_def *d, size_t n)
{
	struct buf saved;
	buf_init(&saved, 1 << 20);
	fences_save(y->f, &saved);
	fences_free(y->f);
	y->f = fences_new();
	fence_set_free(fences_take(y->f, fence_set_new(d, n, &car, 1, 10, NULL, NULL), y->now, hear, &y->h));
	fences_restore(y->f, buf_str(&saved));
	for (size_t cut = 0; cut < saved.n; cut += 5) { // damaged: less, and nothing worse
		struct fences *f = fences_new();
		fence_set_free(fences_take(f, fence_set_new(d, n, &car, 1, 10, NULL, NULL), y->now, hear, &y->h));
		fences_restore(f, str_from(saved.p, cut));
		fences_free(f);
	}
	buf_free(&saved);
}

static void test_restart(void **state)
{
	(void)state;
	json_t *j = square(118, 32, 500);
	struct fence_def v[3] = { def_of(1, FENCE_IN, j), def_of(2, FENCE_STAY, j), def_of(3, FENCE_POST, j) };
	struct yard a, b;
	v[1].allowed = v[2].allowed = US_PER_MIN;
	yard_begin(&a, v, 3);
	yard_begin(&b, v, 3);
	srand(7);
	size_t total = 0;
	for (int i = 0; i < 400; i++) {
		double north = rand() % 3 ? 0 : 480 + rand() % 60, kmh = rand() % 4 ? 0 : 30;
		if (i % 40 > 20)
			north += 400;
		drive(&a, i * 10, north, kmh);
		drive(&b, i * 10, north, kmh);
		restart(&b, v, 3);
		fences_tick(a.f, a.now, hear, &a.h);
		fences_tick(b.f, b.now, hear, &b.h);
		assert_int_equal(a.h.n, b.h.n);
		for (size_t k = 0; k < a.h.n; k++)
			assert_true(a.h.v[k].at == b.h.v[k].at && a.h.v[k].what == b.h.v[k].what && a.h.v[k].begins == b.h.v[k].begins);
		total += a.h.n;
		a.h.n = b.h.n = 0;
	}
	assert_true(total > 20);
	struct fences_stats s = fences_stats(a.f);
	assert_true(s.judged == 400);
	yard_end(&a);
	yard_end(&b);
	json_decref(j);
}

// ---- geometry and index ------------------------------------------------------------------------
static double at_random(double lo, double hi) { return lo + (hi - lo) * ((double)rand() / RAND_MAX); }

static json_t *star(double lon, double lat, double r, int corners)
{
	json_t *ring = json_array();
	for (int i = 0; i <= corners; i++) {
		double a = 2 * M_PI * (i % corners) / corners, d = (i % corners) % 2 ? r : r * 0.4;
		json_array_append_new(ring, json_pack("[ff]", lon + d * cos(a) * M_DEG / cos(lat * M_PI / 180), lat + d * sin(a) * M_DEG));
	}
	return json_pack("{s:s, s:[o]}", "type", "Polygon", "coordinates", ring);
}

// What the index finds at a place is what looking at all of them finds: squares leave nothing out, and who lies wholly inside does.
static void test_index(void **state)
{
	(void)state;
	enum { N = 300 };
	json_t *j[N];
	struct fence_def v[N];
	srand(3);
	for (int i = 0; i < N; i++) {
		j[i] = i % 3 == 0 ? star(at_random(117.5, 118.5), at_random(31.5, 32.5), at_random(30, 20000), 12) :
		       i % 3 == 1 ? json_pack("{s:s, s:[[ff][ff]]}", "type", "LineString", "coordinates", at_random(117.5, 118.5), at_random(31.5, 32.5), at_random(117.5, 118.5), at_random(31.5, 32.5)) :
		                    json_pack("{s:s, s:[ff]}", "type", "Point", "coordinates", at_random(117.5, 118.5), at_random(31.5, 32.5));
		v[i] = def_of(i + 1, FENCE_OUT, j[i]);
		v[i].reach = at_random(20, 3000);
	}
	struct fence_set *s = fence_set_new(v, N, &car, 1, 10, NULL, NULL);
	assert_int_equal(fence_set_made(s).fences, N);
	size_t inside = 0, wholly = 0;
	for (int k = 0; k < 3000; k++) {
		double lon = at_random(117.3, 118.7), lat = at_random(31.3, 32.7);
		unsigned char found[N] = { 0 };
		for (unsigned level = 0; level < FENCE_CELL_LEVELS; level++) {
			const struct fence_cell *c = s->levels & 1u << level ? fence_cell_find(s, fence_key(level, lon, lat)) : NULL;
			for (uint32_t i = c ? c->at : 0; c && i < c->at + c->n; i++) {
				assert_false(found[s->in[i].fence]);
				found[s->in[i].fence] = s->in[i].within ? 2 : 1;
			}
		}
		for (uint32_t i = 0; i < N; i++) {
			double d = fence_where(&s->v[i], lon, lat);
			assert_true(d > s->v[i].def.band || found[i]);
			assert_true(found[i] != 2 || d < 0);
			inside += d <= 0;
			wholly += found[i] == 2;
		}
	}
	assert_true(inside > 1000 && wholly > inside / 4);
	fence_set_free(s);
	for (int i = 0; i < N; i++)
		json_decref(j[i]);
}

static void count_bad(void *arg, int64_t id)
{
	(void)id;
	++*(size_t *)arg;
}

static void test_shapes(void **state)
{
	(void)state;
	static const char *const bad[] = { "{}", "[]", "{\"type\":\"Polygon\"}", "{\"type\":\"Polygon\",\"coordinates\":[[[1,1],[2,2]]]}",
		"{\"type\":\"LineString\",\"coordinates\":[[1,1]]}", "{\"type\":\"Point\",\"coordinates\":[200,0]}", "{\"type\":\"Point\",\"coordinates\":[\"a\"]}" };
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *j = json_loads(bad[i], 0, NULL);
		struct fence_def d = def_of(1, FENCE_IN, j);
		fence_set_free(fence_set_new(&d, 1, &car, 1, 10, count_bad, &n));
		json_decref(j);
	}
	assert_int_equal(n, ARRAY_LEN(bad));
	// a square with a hole and a second part: in the hole is outside
	json_t *j = json_loads("{\"type\":\"MultiPolygon\",\"coordinates\":[[[[118,32],[118.1,32],[118.1,32.1],[118,32.1],[118,32]],[[118.04,32.04],[118.06,32.04],[118.06,32.06],[118.04,32.06],[118.04,32.04]]],"
	                       "[[[119,32],[119.1,32],[119.1,32.1],[119,32.1],[119,32]]]]}", 0, NULL);
	struct fence_def d = def_of(1, FENCE_IN, j);
	struct fence_set *s = fence_set_new(&d, 1, &car, 1, 10, NULL, NULL);
	assert_true(fence_distance(s, 1, 118.02, 32.02) < 0 && fence_distance(s, 1, 119.05, 32.05) < 0);
	assert_true(fence_distance(s, 1, 118.05, 32.05) > 800 && fence_distance(s, 1, 118.05, 32.05) < 1200);
	assert_true(isnan(fence_distance(s, 2, 118, 32)));
	fence_set_free(s);
	json_decref(j);
}

// For whom: the enterprise, the area, listed devices and tags; and a thousand times the fences cost no more geometry at a position.
static void test_cost(void **state)
{
	(void)state;
	enum { MOVERS = 50 };
	struct fence_mover movers[MOVERS];
	uint64_t tested[2];
	for (uint32_t i = 0; i < MOVERS; i++)
		movers[i] = (struct fence_mover){ i * 3 + 1, i * 3 + 2, i * 3 + 3, i + 1, 3, STR_EMPTY, STR("3411") };
	for (int big = 0; big < 2; big++) {
		size_t n = big ? 2500 : 50, sent = 0;
		struct fence_def *v = calloc(n, sizeof *v);
		json_t **j = calloc(n, sizeof *j);
		srand(11);
		for (size_t i = 0; i < n; i++) { // the first fifty are the same, the others elsewhere
			j[i] = i < 50 ? star(at_random(118, 118.2), at_random(32, 32.2), 500, 100) : star(at_random(110, 117), at_random(25, 31), 500, 10);
			v[i] = def_of((int64_t)i + 1, (enum fence_kind)(1 + i % 3), j[i]);
			v[i].allowed = US_PER_MIN;
		}
		struct heard h = { .n = 0 };
		struct fences *f = fences_new();
		fence_set_free(fences_take(f, fence_set_new(v, n, movers, MOVERS, MOVERS * 3, NULL, NULL), T0, hear, &h));
		srand(12);
		for (int t = 0; t < 100; t++)
			for (uint32_t m = 0; m < MOVERS; m++, sent++) {
				int64_t at = T0 + t * 10 * US_PER_S;
				fences_feed(f, &(struct reading){ .point = m * 3 + 1, .time = at, .value = at_random(118, 118.2) }, at, hear, &h);
				fences_feed(f, &(struct reading){ .point = m * 3 + 2, .time = at, .value = at_random(32, 32.2) }, at, hear, &h);
				fences_settle(f, hear, &h);
				h.n = 0;
			}
		struct fences_stats st = fences_stats(f);
		assert_int_equal(st.judged, sent);
		tested[big] = st.tested;
		fences_free(f);
		for (size_t i = 0; i < n; i++)
			json_decref(j[i]);
		free(j);
		free(v);
	}
	assert_true(tested[0] > 0);
	assert_int_equal(tested[0], tested[1]);
}

static void test_for_whom(void **state)
{
	(void)state;
	json_t *j = square(118, 32, 500);
	const struct fence_mover movers[] = { { 1, 2, 0, 7, 3, STR_EMPTY, STR("3411") }, { 3, 4, 0, 8, 3, STR_EMPTY, STR("3411") },
		{ 5, 6, 0, 9, 3, STR("T1"), STR("3411") }, { 7, 8, 0, 9, 3, STR("T2"), STR("3411") }, { 9, 10, 0, 10, 4, STR_EMPTY, STR("3412") } };
	int64_t device = 8;
	struct str tag = STR("T2");
	struct { struct fence_def d; unsigned who; } cases[] = { { def_of(1, FENCE_IN, j), 31 }, { def_of(2, FENCE_IN, j), 15 }, { def_of(3, FENCE_OUT, j), 16 },
		{ def_of(4, FENCE_IN, j), 2 }, { def_of(5, FENCE_IN, j), 8 }, { def_of(6, FENCE_IN, j), 10 }, { def_of(7, FENCE_IN, j), 19 } };
	cases[1].d.enterprise = 3;
	cases[2].d.area = STR("3412");
	cases[3].d.devices = cases[5].d.devices = &device;
	cases[3].d.ndevices = cases[5].d.ndevices = 1;
	cases[4].d.tags = cases[5].d.tags = &tag;
	cases[4].d.ntags = cases[5].d.ntags = 1;
	cases[6].d.people = false;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fence_set *s = fence_set_new(&cases[i].d, 1, movers, ARRAY_LEN(movers), 20, NULL, NULL);
		for (uint32_t m = 0; m < ARRAY_LEN(movers); m++) {
			assert_int_equal(fence_holds(&s->v[0], &s->movers[m], m), cases[i].who >> m & 1);
			assert_int_equal(s->must[m].n, cases[i].d.kind == FENCE_IN && (cases[i].who >> m & 1));
		}
		fence_set_free(s);
	}
	json_decref(j);
}

int main(void)
{
	time_set_zone(480);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves), cmocka_unit_test(test_late), cmocka_unit_test(test_speed_and_stay), cmocka_unit_test(test_route),
		cmocka_unit_test(test_off_post), cmocka_unit_test(test_generations), cmocka_unit_test(test_restart), cmocka_unit_test(test_index),
		cmocka_unit_test(test_shapes), cmocka_unit_test(test_cost), cmocka_unit_test(test_for_whom),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
