// needs: base expr store risk model map
// Roads of the county's base map: read once, read again when the file is another, whoever still holds those of before.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map/ways.h"

static char dir[] = "/tmp/anlan-ways-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256], made[256];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	snprintf(made, sizeof made, "%s/made", dir);
	FILE *f = fopen(made, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(made, path), 0); // another file: its number differs though its time may not
}

static int prepare(void **state)
{
	(void)state;
	char path[256];
	snprintf(path, sizeof path, "%s/demo", mkdtemp(dir));
	return mkdir(path, 0700);
}

#define WAY(name, kind, coordinates) "{\"type\":\"Feature\",\"properties\":{\"name\":\"" name "\"},\"geometry\":{\"type\":\"" kind "\",\"coordinates\":" coordinates "}}"

static void test_no_map(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct map_base *b = map_base_new(str_of(dir));
	const struct map_ways *w = map_ways_take(b);
	assert_int_equal(w->n, 0);
	map_ways_give(b, w);
	w = map_ways_take(b);
	assert_int_equal(map_base_reads(b), 1); // that there is none is known, too
	map_ways_give(b, w);
	assert_int_equal(map_base_text(b, a).n, 0);
	map_base_free(b);
	arena_free(a);
}

static void test_read_once(void **state)
{
	(void)state;
	struct map_base *b = map_base_new(str_of(dir));
	put("demo/map.json", "{\"layers\":{\"roads\":{\"features\":[" WAY("人民路", "LineString", "[[119.1,33.2],[119.3,33.1]]") ","
		WAY("环路", "MultiLineString", "[[[119,33],[119,33.5]],[[119.2,33],[119.4,33.2],[119.6,33]]]") "," WAY("点", "Point", "[119,33]") "]},"
		"\"rivers\":{\"features\":[" WAY("河", "LineString", "[[1,2],[3,4]]") "]}}}");
	const struct map_ways *w = map_ways_take(b);
	assert_int_equal(w->n, 3);
	assert_true(str_is(w->v[0].name, "人民路") && str_is(w->v[0].kind, "roads"));
	assert_int_equal(w->v[0].nlines, 1);
	const struct map_line *l = w->v[0].lines;
	assert_true(l->n == 2 && l->west == 119.1 && l->east == 119.3 && l->south == 33.1 && l->north == 33.2 && l->at[1][0] == 119.3);
	assert_true(w->v[1].nlines == 2 && w->v[1].lines[1].n == 3 && w->v[1].lines[1].north == 33.2);
	assert_int_equal(w->v[2].nlines, 0);
	for (int i = 0; i < 5; i++)
		map_ways_give(b, map_ways_take(b));
	assert_int_equal(map_base_reads(b), 1);
	// the county's own map goes before the demo's; who holds the ways of before keeps them
	put("map.json", "{\"layers\":{\"rail\":{\"features\":[" WAY("铁路", "LineString", "[[120,34],[121,35]]") "]}}}");
	const struct map_ways *own = map_ways_take(b);
	assert_int_equal(map_base_reads(b), 2);
	assert_true(own->n == 1 && str_is(own->v[0].name, "铁路") && str_is(w->v[0].name, "人民路"));
	map_ways_give(b, w);
	put("map.json", "{ no JSON");
	const struct map_ways *none = map_ways_take(b);
	assert_true(none->n == 0 && own->n == 1);
	map_ways_give(b, own);
	map_ways_give(b, none);
	map_base_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_map), cmocka_unit_test(test_read_once) };
	return cmocka_run_group_tests(tests, prepare, NULL);
}
