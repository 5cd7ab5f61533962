// Tiles: what is written is read by a decoder of its own; counts add up at every depth and are the reader's; a layer that
// followed its changes is the same as one made anew.
// needs: base loop expr store model auth map
// threads
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "map/cache.h"
#include "map/map.h"
#include "map/mvt.h"
#include "map/shape.h"

// ---- a decoder of the wire format, from the specification ---------------------------------------
struct feature {
	uint64_t id, type;
	struct str tags, geometry;
};
struct decoded {
	uint64_t version, extent;
	struct str name;
	struct feature v[4000];
	size_t n;
	struct str keys[64], values[4000];
	size_t nkeys, nvalues;
};

static bool field(struct cursor *c, uint64_t *number, uint64_t *v, struct str *s)
{
	if (!cursor_left(c))
		return false;
	uint64_t tag = take_varint(c);
	*number = tag >> 3;
	*s = STR_EMPTY;
	*v = 0;
	if ((tag & 7) == 0)
		*v = take_varint(c);
	else
		*s = take_str(c, (tag & 7) == 2 ? (size_t)take_varint(c) : SIZE_MAX);
	assert_true(cursor_ok(c));
	return true;
}

static struct feature read_feature(struct str s)
{
	struct feature f = { 0 };
	struct cursor c = cursor_of(s);
	uint64_t number, v;
	for (struct str t; field(&c, &number, &v, &t);)
		switch (number) {
		case 1: f.id = v; break;
		case 2: f.tags = t; break;
		case 3: f.type = v; break;
		case 4: f.geometry = t; break;
		default: fail();
		}
	return f;
}

static void read_tile(struct str s, struct decoded *d)
{
	struct cursor tile = cursor_of(s);
	uint64_t number, v;
	struct str layer, t;
	memset(d, 0, sizeof *d);
	if (!field(&tile, &number, &v, &layer))
		return;
	assert_int_equal(number, 3);
	assert_true(cursor_done(&tile)); // one layer
	struct cursor c = cursor_of(layer);
	while (field(&c, &number, &v, &t))
		switch (number) {
		case 15: d->version = v; break;
		case 1: d->name = t; break;
		case 2: d->v[d->n++] = read_feature(t); break;
		case 3: d->keys[d->nkeys++] = t; break;
		case 4: d->values[d->nvalues++] = t; break;
		case 5: d->extent = v; break;
		default: fail();
		}
	assert_int_equal(d->version, 2);
	assert_int_equal(d->extent, 4096);
}

static bool attribute(const struct decoded *d, const struct feature *f, const char *key, struct str *ret_text, uint64_t *ret_number)
{
	struct cursor c = cursor_of(f->tags);
	while (cursor_left(&c)) {
		uint64_t k = take_varint(&c), v = take_varint(&c), number;
		assert_true(cursor_ok(&c) && k < d->nkeys && v < d->nvalues);
		if (!str_is(d->keys[k], key))
			continue;
		struct cursor value = cursor_of(d->values[v]);
		assert_true(field(&value, &number, ret_number, ret_text));
		return true;
	}
	return false;
}

static uint64_t number_of(const struct decoded *d, const struct feature *f, const char *key)
{
	struct str s;
	uint64_t v = 0;
	return attribute(d, f, key, &s, &v) ? v : 0;
}

static struct str text_of(const struct decoded *d, const struct feature *f, const char *key)
{
	struct str s = STR_EMPTY;
	uint64_t v;
	return attribute(d, f, key, &s, &v) ? s : STR_EMPTY;
}

static uint64_t counted(const struct decoded *d) // objects that the features say there are
{
	uint64_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		n += d->v[i].id ? 1 : number_of(d, &d->v[i], "n");
	return n;
}

// ---- an invented county ------------------------------------------------------------------------
static const char *const areas[] = { "990121101000", "990121101201", "990121102000", "990121103000" };
static const char *const sectors[] = { "chemical", "dust", "" };
static uint64_t dice;

static uint64_t roll(uint64_t n)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (dice >> 33) % n;
}

static struct map_object invent(int64_t id)
{
	static char title[40];
	int n = snprintf(title, sizeof title, "企业%lld", (long long)id);
	return (struct map_object){
		.id = id, .lon = 119 + (double)roll(100000) / 200000, .lat = 33 + (double)roll(100000) / 200000,
		.place = { str_of(areas[roll(4)]), id % 50 + 1, str_of(sectors[roll(3)]) }, .title = str_from(title, (size_t)n),
		.state = roll(2) ? STR("open") : STR("closed"), .color = { (enum map_color)roll(MAP_COLORS), (enum map_color)roll(MAP_COLORS) },
	};
}

static struct map_layer *county(int64_t n)
{
	struct map_layer *l = map_layer_new(STR("enterprise"));
	dice = 7;
	map_begin(l, true);
	for (int64_t id = 1; id <= n; id++) {
		struct map_object o = invent(id);
		map_put(l, &o);
	}
	map_end(l);
	return l;
}

static struct tile tile_at(unsigned z, double lon, double lat)
{
	struct spot s;
	assert_true(spot_of(lon, lat, &s));
	return (struct tile){ z, z ? s.x >> (32 - z) : 0, z ? s.y >> (32 - z) : 0 };
}

static const struct scope everywhere = { 0 };

// Objects of all tiles of a depth that lie over the county.
static uint64_t count_at(struct map_layer *l, unsigned z, const struct scope *scope, const struct map_ask *ask, uint64_t *ret_red)
{
	static struct decoded d;
	struct tile from = tile_at(z, 119, 33.5), to = tile_at(z, 119.5, 33);
	uint64_t n = 0;
	*ret_red = 0;
	for (struct tile t = from; t.y <= to.y; t.y++)
		for (t.x = from.x; t.x <= to.x; t.x++) {
			struct buf out;
			struct map_sum sum;
			buf_init(&out, 4u << 20);
			assert_int_equal(map_tile(l, scope, ask, t, &out, &sum), OK);
			read_tile(buf_str(&out), &d);
			assert_int_equal(counted(&d), sum.n);
			for (size_t i = 0; i < d.n; i++)
				*ret_red += d.v[i].id ? str_is(text_of(&d, &d.v[i], "level"), "red") : number_of(&d, &d.v[i], "red");
			n += sum.n;
			buf_free(&out);
		}
	return n;
}

// ---- tests -------------------------------------------------------------------------------------
static void test_the_plane(void **state)
{
	struct spot s;
	(void)state;
	assert_true(spot_of(0, 0, &s));
	assert_int_equal(s.x, 2147483648u);
	assert_int_equal(s.y, 2147483648u);
	// tile 12/3408/1636 by the usual formula: floor((lon + 180) / 360 * 2^z), floor((1 - asinh(tan lat) / pi) / 2 * 2^z)
	struct tile t = tile_at(12, 119.5, 33.5);
	assert_int_equal(t.x, 3407);
	assert_int_equal(t.y, 1643);
	assert_true(spot_of(-180, 90, &s));
	assert_int_equal(s.x, 0);
	assert_int_equal(s.y, 0);
	assert_true(spot_of(180, -90, &s));
	assert_int_equal(s.x, UINT32_MAX);
	assert_int_equal(s.y, UINT32_MAX);
	assert_false(spot_of(NAN, 0, &s));
	assert_false(spot_of(181, 0, &s));
	assert_false(spot_of(0, 90.5, &s));
	for (int i = 0; i < 1000; i++) {
		double lon = (double)roll(3600000) / 10000 - 180, lat = (double)roll(1700000) / 10000 - 85;
		assert_true(spot_of(lon, lat, &s));
		assert_true(fabs(spot_lon(s.x) - lon) < 1e-7 && fabs(spot_lat(s.y) - lat) < 1e-7);
		struct spot back = spot_of_key(spot_key(s));
		assert_true(back.x == s.x && back.y == s.y);
	}
	assert_true(fabs(geo_metres(0, 0, 0, 1) - 111195.08) < 0.01); // a degree of the mean sphere
	assert_false(tile_ok((struct tile){ 21, 0, 0 }));
	assert_false(tile_ok((struct tile){ 3, 8, 0 }));
	assert_true(tile_ok((struct tile){ 3, 7, 7 }));
}

// The example of chapter 4.3.5 of the specification: bytes of three geometries.
static void test_geometry_as_the_specification_says(void **state)
{
	static struct decoded d;
	static const uint8_t point[] = { 9, 50, 34 }, line[] = { 9, 4, 4, 18, 0, 16, 16, 0 },
	                     ring[] = { 9, 6, 12, 18, 10, 12, 24, 44, 15 };
	const struct mvt_xy l[] = { { 2, 2 }, { 2, 10 }, { 10, 10 } }, r[] = { { 3, 6 }, { 8, 12 }, { 20, 34 } };
	const struct mvt_xy turned[] = { { 3, 6 }, { 20, 34 }, { 8, 12 } };
	struct mvt m;
	struct buf out;
	(void)state;
	buf_init(&out, 1 << 20);
	mvt_open(&m, STR("x"));
	mvt_feature(&m, MVT_POINT, 1);
	mvt_point(&m, 25, 17);
	mvt_feature(&m, MVT_LINE, 2);
	mvt_line(&m, l, 3);
	mvt_feature(&m, MVT_AREA, 3);
	mvt_ring(&m, r, 3, true);
	mvt_feature(&m, MVT_AREA, 4);
	mvt_ring(&m, turned, 3, true); // comes out the same way round
	mvt_feature(&m, MVT_AREA, 5);
	mvt_ring(&m, (const struct mvt_xy[]){ { 0, 0 }, { 5, 5 }, { 9, 9 } }, 3, true); // has no area: is not there
	assert_true(mvt_close(&m, &out));
	read_tile(buf_str(&out), &d);
	assert_int_equal(d.n, 4);
	assert_true(str_eq(d.v[0].geometry, str_from((const char *)point, sizeof point)));
	assert_true(str_eq(d.v[1].geometry, str_from((const char *)line, sizeof line)));
	assert_true(str_eq(d.v[2].geometry, d.v[3].geometry) || d.v[3].geometry.n == sizeof ring);
	assert_true(str_eq(d.v[2].geometry, str_from((const char *)ring, sizeof ring)));
	buf_free(&out);
}

static void test_counts_add_up_at_every_depth(void **state)
{
	struct map_layer *l = county(3000);
	const struct map_ask all = { .titles = true };
	uint64_t red, first_red, n;
	(void)state;
	assert_int_equal(map_count(l), 3000);
	assert_int_equal(count_at(l, 0, &everywhere, &all, &first_red), 3000);
	for (unsigned z = 5; z <= 13; z += 2) {
		assert_int_equal(count_at(l, z, &everywhere, &all, &red), 3000);
		assert_int_equal(red, first_red);
	}
	const struct scope town = { .area = STR("990121101") };
	n = count_at(l, 0, &town, &all, &first_red);
	assert_true(n > 1000 && n < 2000); // two of four codes
	assert_int_equal(count_at(l, 11, &town, &all, &red), n);
	assert_int_equal(red, first_red);
	const struct scope sector = { .sectors = STR(",dust,") };
	assert_in_range(count_at(l, 9, &sector, &all, &red), 1700, 2300); // dust and what has no sector
	const struct scope unit = { .area = STR("990121101"), .enterprise = 7 };
	n = count_at(l, 12, &unit, &all, &red);
	assert_in_range(n, 10, 50); // of 60
	assert_int_equal(count_at(l, 4, &unit, &all, &red), n);
	const struct scope none = { .nothing = true };
	assert_int_equal(count_at(l, 0, &none, &all, &red), 0);
	const struct map_ask risk = { .by = MAP_BY_RISK };
	assert_int_equal(count_at(l, 6, &everywhere, &risk, &red), 3000);
	assert_int_equal(count_at(l, 10, &everywhere, &risk, &first_red), 3000);
	assert_int_equal(red, first_red);
	const struct map_ask reds = { .colors = 1u << MAP_RED }, open = { .states = STR("open") }, dust = { .sectors = STR("dust") };
	n = count_at(l, 8, &everywhere, &reds, &red);
	assert_int_equal(n, red);
	assert_in_range(count_at(l, 8, &everywhere, &open, &red), 1300, 1700);
	assert_in_range(count_at(l, 8, &everywhere, &dust, &red), 800, 1200);
	map_layer_free(l);
}

static void test_one_object_says_what_it_is(void **state)
{
	static struct decoded d;
	struct map_layer *l = county(0);
	struct buf out;
	struct map_sum sum;
	struct map_object o = { .id = 42, .lon = 119.3, .lat = 33.2, .place = { STR("990121101000"), 42, STR("dust") }, .title = STR("安澜粮油"),
		                    .state = STR("open"), .color = { MAP_ORANGE, MAP_BLUE } };
	(void)state;
	map_begin(l, false);
	map_put(l, &o);
	map_put(l, &(struct map_object){ .id = 43, .lon = NAN, .lat = NAN, .place = o.place });
	map_end(l);
	assert_int_equal(map_count(l), 1);
	for (int titles = 0; titles < 2; titles++)
		for (unsigned z = MAP_TITLE_Z - 1; z <= MAP_TITLE_Z; z++) {
			buf_init(&out, 1 << 20);
			struct tile t = tile_at(z, 119.3, 33.2);
			assert_int_equal(map_tile(l, &everywhere, &(struct map_ask){ .titles = titles }, t, &out, &sum), OK);
			read_tile(buf_str(&out), &d);
			assert_int_equal(d.n, 1);
			assert_int_equal(d.v[0].id, 42);
			assert_int_equal(d.v[0].type, MVT_POINT);
			assert_true(str_is(d.name, "enterprise") && str_is(text_of(&d, d.v, "type"), "enterprise"));
			assert_true(str_is(text_of(&d, d.v, "level"), "orange") && str_is(text_of(&d, d.v, "sector"), "dust"));
			assert_true(str_is(text_of(&d, d.v, "state"), "open"));
			assert_int_equal(text_of(&d, d.v, "title").n > 0, titles && z == MAP_TITLE_Z);
			struct cursor g = cursor_of(d.v[0].geometry);
			assert_int_equal(take_varint(&g), 9);
			double x = (double)take_zigzag(&g), y = (double)take_zigzag(&g), side = pow(2, z);
			double lon = ((x / 4096 + t.x) / side) * 360 - 180;
			double lat = atan(sinh(M_PI * (1 - 2 * (y / 4096 + t.y) / side))) * 180 / M_PI;
			assert_true(fabs(lon - 119.3) < 360 / side / 4096 * 1.01 && fabs(lat - 33.2) < 360 / side / 4096 * 1.01);
			buf_free(&out);
		}
	map_layer_free(l);
}

static void assert_same(struct map_layer *a, struct map_layer *b)
{
	const struct map_ask all = { .titles = true };
	assert_int_equal(map_count(a), map_count(b));
	for (unsigned z = 0; z <= 13; z++) {
		struct tile from = tile_at(z, 119, 33.5), to = tile_at(z, 119.5, 33);
		for (int i = 0; i < 6; i++) {
			struct tile t = { z, from.x + (uint32_t)roll(to.x - from.x + 1), from.y + (uint32_t)roll(to.y - from.y + 1) };
			struct buf x, y;
			struct map_sum sum;
			buf_init(&x, 1 << 22);
			buf_init(&y, 1 << 22);
			assert_int_equal(map_tile(a, &everywhere, &all, t, &x, &sum), OK);
			assert_int_equal(map_tile(b, &everywhere, &all, t, &y, &sum), OK);
			assert_true(str_eq(buf_str(&x), buf_str(&y)));
			buf_free(&x);
			buf_free(&y);
		}
	}
}

static void test_changes_come_to_the_same_as_all_anew(void **state)
{
	struct map_layer *l = county(800), *anew = map_layer_new(STR("enterprise"));
	struct map_object is;
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct map_object o = invent((int64_t)roll(900) + 1);
		map_begin(l, false);
		if (round % 5 == 0)
			map_drop(l, o.id);
		else if (round % 5 == 1)
			(void)map_tint(l, o.id, MAP_BY_STATE, o.color[0]);
		else
			map_put(l, &o);
		map_end(l);
	}
	map_begin(anew, true);
	for (int64_t id = 900; id > 0; id--)
		if (map_known(l, id, &is))
			map_put(anew, &is);
	map_end(anew);
	assert_same(l, anew);
	map_layer_free(l);
	map_layer_free(anew);
}

static void test_only_touched_tiles_are_new(void **state)
{
	struct map_layer *l = county(500);
	struct map_object o = { .id = 3, .lon = 119.11, .lat = 33.11, .place = { STR("990121101000"), 3, STR("dust") }, .color = { MAP_RED } };
	struct tile there = tile_at(12, 119.11, 33.11), other = tile_at(12, 119.4, 33.4);
	(void)state;
	map_begin(l, false);
	map_put(l, &o);
	map_end(l);
	uint32_t before = map_stamp(l, there), elsewhere = map_stamp(l, other), top = map_stamp(l, (struct tile){ 0, 0, 0 });
	map_begin(l, false);
	assert_true(map_tint(l, 3, MAP_BY_STATE, MAP_BLUE));
	assert_false(map_tint(l, 3, MAP_BY_STATE, MAP_BLUE));
	assert_false(map_tint(l, 100000, MAP_BY_STATE, MAP_BLUE));
	map_end(l);
	assert_int_not_equal(map_stamp(l, there), before);
	assert_int_not_equal(map_stamp(l, (struct tile){ 0, 0, 0 }), top);
	assert_int_equal(map_stamp(l, other), elsewhere);
	before = map_stamp(l, there);
	o.lon = 119.4, o.lat = 33.4;
	map_begin(l, false);
	map_put(l, &o); // it moves: both tiles
	map_end(l);
	assert_int_not_equal(map_stamp(l, there), before);
	assert_int_not_equal(map_stamp(l, other), elsewhere);
	map_layer_free(l);
}

// What is found is what a look at every object finds.
static void test_within_a_circle_and_a_polygon(void **state)
{
	struct map_layer *l = county(2000);
	struct arena *a = arena_new(0);
	const double ring[][2] = { { 119.1, 33.1 }, { 119.4, 33.15 }, { 119.3, 33.4 }, { 119.25, 33.2 } }; // not convex
	const struct map_ask all = { .titles = true };
	struct map_where circle = { .circle = true, .lon = 119.25, .lat = 33.25, .metres = 5000 }, area = { .ring = ring, .n = 4 };
	struct map_found *v;
	struct map_object o;
	struct map_sum sum;
	size_t n, in_circle = 0, in_area = 0;
	(void)state;
	for (int64_t id = 1; id <= 2000; id++) {
		assert_true(map_known(l, id, &o));
		in_circle += geo_metres(119.25, 33.25, o.lon, o.lat) <= 5000;
		double cross = 0; // the winding number instead of a ray
		for (size_t i = 0; i < 4; i++) {
			const double *p = ring[i], *q = ring[(i + 1) % 4];
			double d = atan2(q[1] - o.lat, q[0] - o.lon) - atan2(p[1] - o.lat, p[0] - o.lon);
			cross += d > M_PI ? d - 2 * M_PI : d < -M_PI ? d + 2 * M_PI : d;
		}
		in_area += fabs(cross) > M_PI;
	}
	assert_int_equal(map_within(l, &everywhere, &all, &circle, 5000, a, &v, &n, &sum), OK);
	assert_int_equal(n, in_circle);
	assert_int_equal(sum.n, in_circle);
	assert_true(in_circle > 20);
	for (size_t i = 1; i < n; i++)
		assert_true(v[i - 1].metres <= v[i].metres && v[i].metres <= 5000);
	assert_int_equal(map_within(l, &everywhere, &all, &circle, 7, a, &v, &n, &sum), OK);
	assert_int_equal(n, 7);
	assert_int_equal(sum.n, in_circle);
	assert_int_equal(map_within(l, &everywhere, &all, &area, 5000, a, &v, &n, &sum), OK);
	assert_int_equal(n, in_area);
	assert_true(in_area > 100 && v[0].o.title.n > 0);
	const struct scope town = { .area = STR("990121101") };
	assert_int_equal(map_within(l, &town, &all, &area, 5000, a, &v, &n, &sum), OK);
	for (size_t i = 0; i < n; i++)
		assert_true(str_starts(v[i].o.place.area, STR("990121101")));
	assert_true(n > 20 && n < in_area);
	double lon, lat;
	assert_true(map_place(l, &town, v[0].o.id, &lon, &lat));
	assert_false(map_place(l, &(struct scope){ .area = STR("110") }, v[0].o.id, &lon, &lat));
	arena_free(a);
	map_layer_free(l);
}

// ---- many at once ------------------------------------------------------------------------------
struct crowd {
	struct map_layer *l;
	struct map_cache *cache;
	atomic_bool stop;
};

static void *reader(void *arg)
{
	struct crowd *c = arg;
	const struct map_ask all = { .titles = true };
	int looks = 0;
	while (!atomic_load(&c->stop) || looks < 20) {
		struct tile t = { 0, 0, 0 };
		struct map_sum sum = { 0 };
		struct buf out;
		buf_init(&out, 1 << 20);
		uint32_t stamp = map_stamp(c->l, t);
		if (!map_cache_get(c->cache, STR("world"), stamp, &out)) {
			assert_int_equal(map_tile(c->l, &everywhere, &all, t, &out, &sum), OK);
			assert_int_equal(sum.n, 400); // none is missing while it moves, none is there twice
			map_cache_put(c->cache, STR("world"), stamp, buf_str(&out));
		}
		assert_true(out.n > 0);
		buf_free(&out);
		looks++;
	}
	return NULL;
}

static void test_readers_see_whole_changes(void **state)
{
	struct crowd c = { .l = county(400), .cache = map_cache_new(1 << 16) };
	pthread_t readers[2];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		assert_int_equal(pthread_create(&readers[i], NULL, reader, &c), 0);
	for (int round = 0; round < 300; round++) {
		map_begin(c.l, false);
		for (int i = 0; i < 5; i++) {
			struct map_object o = invent((int64_t)roll(400) + 1);
			map_put(c.l, &o);
		}
		map_end(c.l);
	}
	atomic_store(&c.stop, true);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		pthread_join(readers[i], NULL);
	map_cache_free(c.cache);
	map_layer_free(c.l);
}

// ---- areas -------------------------------------------------------------------------------------
static double area_of(const struct shape_xy *v, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += v[i].x * v[(i + 1) % n].y - v[(i + 1) % n].x * v[i].y;
	return fabs(sum) / 2;
}

static void test_rings_are_cut_to_the_square(void **state)
{
	struct arena *a = arena_new(0);
	struct shape_xy out[64];
	const struct shape_xy whole[] = { { 10, 10 }, { 90, 10 }, { 90, 90 }, { 10, 90 } }, corner[] = { { 50, 50 }, { 150, 50 }, { 150, 150 }, { 50, 150 } },
	                      around[] = { { -50, -50 }, { 150, -50 }, { 150, 150 }, { -50, 150 } }, away[] = { { 200, 200 }, { 300, 200 }, { 300, 300 } },
	                      comb[] = { { -50, 20 }, { 150, 20 }, { -50, 40 }, { 150, 60 }, { -50, 80 } };
	(void)state;
	assert_int_equal(shape_clip(whole, 4, 0, 100, out, a), 4);
	assert_memory_equal(out, whole, sizeof whole);
	size_t n = shape_clip(corner, 4, 0, 100, out, a);
	assert_true(fabs(area_of(out, n) - 2500) < 1e-9);
	n = shape_clip(around, 4, 0, 100, out, a);
	assert_true(fabs(area_of(out, n) - 10000) < 1e-9);
	assert_int_equal(shape_clip(away, 3, 0, 100, out, a), 0);
	n = shape_clip(comb, 5, 0, 100, out, a);
	for (size_t i = 0; i < n; i++)
		assert_true(out[i].x >= -1e-9 && out[i].x <= 100 + 1e-9 && out[i].y >= -1e-9 && out[i].y <= 100 + 1e-9);
	// any ring: never more room than promised, and inside
	for (int round = 0; round < 500; round++) {
		struct shape_xy v[10];
		size_t k = 3 + roll(8);
		for (size_t i = 0; i < k; i++)
			v[i] = (struct shape_xy){ (double)roll(400) - 150, (double)roll(400) - 150 };
		n = shape_clip(v, k, 0, 100, out, a);
		assert_true(n <= 6 * k + 8);
		for (size_t i = 0; i < n; i++)
			assert_true(out[i].x >= -1e-9 && out[i].x <= 100 + 1e-9 && out[i].y >= -1e-9 && out[i].y <= 100 + 1e-9);
	}
	arena_free(a);
}

static void test_what_lies_beside_the_line_is_left_out(void **state)
{
	struct arena *a = arena_new(0);
	struct shape_xy v[] = { { 0, 0 }, { 10, 0.5 }, { 20, -0.5 }, { 30, 0 }, { 30, 20 }, { 30.9, 30 }, { 30, 40 } }, circle[200];
	(void)state;
	assert_int_equal(shape_simplify(v, 7, 1, a), 3);
	assert_true(v[1].x == 30 && v[1].y == 0 && v[2].y == 40);
	for (size_t i = 0; i < 200; i++)
		circle[i] = (struct shape_xy){ 1000 * cos(i * M_PI / 100), 1000 * sin(i * M_PI / 100) };
	size_t n = shape_simplify(circle, 200, 1, a);
	assert_in_range(n, 40, 120);
	assert_true(area_of(circle, n) > M_PI * 1e6 * 0.995); // no point of it is more than 1 beside what is left
	arena_free(a);
}

static void test_an_area_on_a_tile(void **state)
{
	static struct decoded d;
	struct arena *a = arena_new(0);
	struct map_ring *rings;
	struct mvt m;
	struct buf out;
	size_t n;
	json_t *j = json_loads("{\"type\":\"MultiPolygon\",\"coordinates\":[[[[119,33],[119.5,33],[119.5,33.5],[119,33.5],[119,33]],"
	                       "[[119.1,33.1],[119.1,33.2],[119.2,33.2],[119.2,33.1],[119.1,33.1]]],[[[0,0],[1,0],[1,1],[0,0]]]]}", 0, NULL);
	(void)state;
	assert_true(shape_rings(j, a, &rings, &n));
	assert_int_equal(n, 3);
	assert_true(rings[0].outer && !rings[1].outer && rings[2].outer && rings[0].n == 4);
	buf_init(&out, 1 << 20);
	mvt_open(&m, STR("area"));
	mvt_feature(&m, MVT_AREA, 7);
	assert_true(shape_paint(&m, rings, n, tile_at(8, 119.25, 33.25), a));
	mvt_feature(&m, MVT_AREA, 8);
	assert_false(shape_paint(&m, rings, n, tile_at(8, 100, 20), a)); // elsewhere: it is not there
	assert_true(mvt_close(&m, &out));
	read_tile(buf_str(&out), &d);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.v[0].id, 7);
	struct cursor g = cursor_of(d.v[0].geometry);
	size_t closed = 0;
	double sum[2] = { 0 };
	struct mvt_xy at = { 0, 0 }, ring[64];
	for (size_t k = 0; cursor_left(&g);) {
		uint64_t command = take_varint(&g);
		if ((command & 7) == 1)
			k = 0;
		for (uint64_t i = 0; (command & 7) != 7 && i < command >> 3; i++) {
			at.x += (int32_t)take_zigzag(&g);
			at.y += (int32_t)take_zigzag(&g);
			ring[k++] = at;
		}
		for (size_t i = 0; (command & 7) == 7 && i < k; i++)
			sum[closed] += (double)ring[i].x * ring[(i + 1) % k].y - (double)ring[(i + 1) % k].x * ring[i].y;
		closed += (command & 7) == 7;
	}
	assert_true(cursor_ok(&g));
	assert_int_equal(closed, 2);
	assert_true(sum[0] > 0 && sum[1] < 0); // outer clockwise, hole the other way round
	assert_false(shape_rings(json_object_get(j, "type"), a, &rings, &n));
	json_decref(j);
	j = json_loads("{\"type\":\"Polygon\",\"coordinates\":[[[1,2],[3,\"x\"],[4,5]]]}", 0, NULL);
	assert_false(shape_rings(j, a, &rings, &n));
	json_decref(j);
	buf_free(&out);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_plane),
		cmocka_unit_test(test_geometry_as_the_specification_says),
		cmocka_unit_test(test_counts_add_up_at_every_depth),
		cmocka_unit_test(test_one_object_says_what_it_is),
		cmocka_unit_test(test_changes_come_to_the_same_as_all_anew),
		cmocka_unit_test(test_only_touched_tiles_are_new),
		cmocka_unit_test(test_within_a_circle_and_a_polygon),
		cmocka_unit_test(test_readers_see_whole_changes),
		cmocka_unit_test(test_rings_are_cut_to_the_square),
		cmocka_unit_test(test_what_lies_beside_the_line_is_left_out),
		cmocka_unit_test(test_an_area_on_a_tile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
