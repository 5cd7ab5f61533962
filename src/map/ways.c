#include "map/ways.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

struct generation {
	struct map_ways ways;       // first: who takes it sees this
	struct arena *arena;
	struct stat of;             // the file it was read from; zeroed: none
	int refs;                   // guarded by the mutex; one is the base's own while it is the newest
};

struct map_base {
	struct str data_dir;
	pthread_mutex_t mutex;
	struct generation *now;
	size_t reads;
};

struct map_base *map_base_new(struct str data_dir)
{
	struct map_base *b = mem_alloc(sizeof *b);
	b->data_dir = data_dir;
	pthread_mutex_init(&b->mutex, NULL);
	return b;
}

// ---- the file ------------------------------------------------------------------------------------
// -1: neither the county's own map nor the demo's.
static int open_map(const struct map_base *b, struct stat *ret)
{
	static const char *const names[] = { "map.json", "demo/map.json" };
	char path[4096];
	memset(ret, 0, sizeof *ret);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof path, "%.*s/%s", STR_FMT(b->data_dir), names[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, ret) == 0 && ret->st_size > 0 && ret->st_size < (off_t)LIMIT_RESPONSE)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	memset(ret, 0, sizeof *ret);
	return -1;
}

static struct str read_all(int fd, size_t size, struct arena *a)
{
	char *p = arena_alloc(a, size + 1);
	ssize_t n = read(fd, p, size);
	return str_trim(str_from(p, n > 0 ? (size_t)n : 0));
}

struct str map_base_text(const struct map_base *b, struct arena *a)
{
	struct stat st;
	int fd = open_map(b, &st);
	struct str s = fd < 0 ? STR_EMPTY : read_all(fd, (size_t)st.st_size, a);
	if (fd >= 0)
		close(fd);
	return s;
}

// ---- its ways ------------------------------------------------------------------------------------
static bool is_way(const char *layer)
{
	return strstr(layer, "road") || strstr(layer, "highway") || strstr(layer, "rail");
}

static struct map_line line_of(const json_t *coordinates, struct arena *a)
{
	size_t n = json_array_size(coordinates), i;
	double (*at)[2] = arena_array(a, n, sizeof *at);
	struct map_line l = { .at = (const double (*)[2])at, .n = n, .west = HUGE_VAL, .south = HUGE_VAL, .east = -HUGE_VAL, .north = -HUGE_VAL };
	json_t *c;
	json_array_foreach((json_t *)(uintptr_t)coordinates, i, c) {
		at[i][0] = json_number_value(json_array_get(c, 0));
		at[i][1] = json_number_value(json_array_get(c, 1));
		l.west = fmin(l.west, at[i][0]);
		l.east = fmax(l.east, at[i][0]);
		l.south = fmin(l.south, at[i][1]);
		l.north = fmax(l.north, at[i][1]);
	}
	return l;
}

static struct map_way way_of(const char *layer, const json_t *feature, struct arena *a)
{
	const json_t *g = json_object_get(feature, "geometry"), *c = json_object_get(g, "coordinates");
	const char *kind = json_string_value(json_object_get(g, "type"));
	const char *name = json_string_value(json_object_get(json_object_get(feature, "properties"), "name"));
	bool one = kind && strcmp(kind, "LineString") == 0, many = kind && strcmp(kind, "MultiLineString") == 0;
	size_t n = one ? 1 : many ? json_array_size(c) : 0;
	struct map_line *lines = arena_many(a, n, struct map_line);
	for (size_t i = 0; i < n; i++)
		lines[i] = line_of(one ? c : json_array_get(c, i), a);
	return (struct map_way){ arena_str(a, str_of(name ? name : "")), arena_str(a, str_of(layer)), lines, n };
}

static struct generation *generation_read(int fd, const struct stat *st)
{
	struct generation *g = mem_alloc(sizeof *g);
	struct arena *text on_scope_exit(arena_freep) = arena_new(4096);
	struct map_way *v = NULL;
	size_t n = 0, cap = 0, i;
	g->arena = arena_new(4096);
	g->of = *st;
	g->refs = 1;
	struct str s = fd < 0 ? STR_EMPTY : read_all(fd, (size_t)st->st_size, text);
	json_t *map = s.n ? json_loadb(s.p, s.n, 0, NULL) : NULL, *layer, *feature;
	const char *name;
	json_object_foreach(json_object_get(map, "layers"), name, layer) {
		if (!is_way(name))
			continue;
		json_array_foreach(json_object_get(layer, "features"), i, feature) {
			v = arena_push(g->arena, v, &n, &cap, sizeof *v);
			v[n - 1] = way_of(name, feature, g->arena);
		}
	}
	json_decref(map);
	g->ways = (struct map_ways){ v, n };
	return g;
}

// ---- generations ---------------------------------------------------------------------------------
static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

// Under the mutex.
static void drop(struct generation *g)
{
	if (g && --g->refs == 0) {
		arena_free(g->arena);
		mem_free(g);
	}
}

const struct map_ways *map_ways_take(struct map_base *b)
{
	struct stat st;
	int fd = open_map(b, &st);
	pthread_mutex_lock(&b->mutex);
	if (!b->now || !same_file(&b->now->of, &st)) { // who comes meanwhile waits: it needs it too
		drop(b->now);
		b->now = generation_read(fd, &st);
		b->reads++;
	}
	struct generation *g = b->now;
	g->refs++;
	pthread_mutex_unlock(&b->mutex);
	if (fd >= 0)
		close(fd);
	return &g->ways;
}

void map_ways_give(struct map_base *b, const struct map_ways *w)
{
	pthread_mutex_lock(&b->mutex);
	drop((struct generation *)(uintptr_t)w);
	pthread_mutex_unlock(&b->mutex);
}

size_t map_base_reads(struct map_base *b)
{
	pthread_mutex_lock(&b->mutex);
	size_t n = b->reads;
	pthread_mutex_unlock(&b->mutex);
	return n;
}

void map_base_free(struct map_base *b)
{
	if (!b)
		return;
	drop(b->now);
	pthread_mutex_destroy(&b->mutex);
	mem_free(b);
}
