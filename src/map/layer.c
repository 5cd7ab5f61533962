// A layer and its changes. See map.h.
#include <stdlib.h>

#include "base/limits.h"
#include "map/layer.h"

#define AREA_MAX 12             // digits of an area's code
#define SECTOR_MAX 48           // bytes of a menu's value

static const char *const color_names[MAP_COLORS] = { "grey", "green", "blue", "yellow", "orange", "red" };

const char *map_color_name(enum map_color c)
{
	return color_names[c];
}

bool map_color_of(struct str name, enum map_color *ret)
{
	for (size_t i = 0; i < MAP_COLORS; i++)
		if (str_is(name, color_names[i])) {
			*ret = (enum map_color)i;
			return true;
		}
	return false;
}

static void texts_open(struct map_layer *l)
{
	l->texts = arena_new(16 << 10);
	l->place_numbers = strmap_new(256);
	l->state_numbers = strmap_new(16);
	l->places = NULL;
	l->states = NULL;
	l->nplaces = l->places_cap = l->nstates = l->states_cap = 0;
}

static void texts_close(struct map_layer *l)
{
	strmap_free(l->place_numbers);
	strmap_free(l->state_numbers);
	arena_free(l->texts);
}

static void forget(struct map_layer *l)
{
	for (size_t i = 0; i < l->ids; i++)
		mem_free(l->objects[i].title);
	mem_free(l->objects);
	mem_free(l->entries);
	l->objects = NULL;
	l->entries = NULL;
	l->ids = l->n = l->cap = l->title_bytes = 0;
	texts_close(l);
}

struct map_layer *map_layer_new(struct str name)
{
	struct map_layer *l = mem_alloc(sizeof *l);
	memcpy(l->name, name.p, MIN(name.n, sizeof l->name - 1));
	pthread_rwlock_init(&l->lock, NULL);
	texts_open(l);
	return l;
}

void map_layer_free(struct map_layer *l)
{
	if (!l)
		return;
	forget(l);
	pthread_rwlock_destroy(&l->lock);
	mem_free(l);
}

// ---- stamps ------------------------------------------------------------------------------------
static uint32_t stamp_of(struct tile t)
{
	uint64_t h = (uint64_t)t.x << 34 ^ (uint64_t)t.y << 6 ^ t.z;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 48) % MAP_STAMPS;
}

static void stamp(struct map_layer *l, uint64_t key)
{
	struct spot s = spot_of_key(key);
	l->change++;
	for (unsigned z = 0; z <= TILE_Z_MAX; z++) {
		struct tile t = { z, z ? s.x >> (32 - z) : 0, z ? s.y >> (32 - z) : 0 };
		atomic_store_explicit(&l->stamps[stamp_of(t)], l->change, memory_order_release);
	}
}

uint32_t map_stamp(struct map_layer *l, struct tile t)
{
	return atomic_load_explicit(&l->stamps[stamp_of(t)], memory_order_acquire);
}

// ---- entries -----------------------------------------------------------------------------------
size_t layer_find(const struct map_layer *l, uint64_t key, uint32_t id)
{
	size_t lo = 0, hi = l->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct entry *e = &l->entries[mid];
		if (e->key < key || (e->key == key && e->id < id))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void reserve(struct map_layer *l, size_t n)
{
	if (n <= l->cap)
		return;
	l->cap = MAX(n, l->cap + l->cap / 4 + 64);
	l->entries = mem_resize(l->entries, l->cap * sizeof *l->entries);
}

static void entry_in(struct map_layer *l, uint32_t id)
{
	const struct object *o = &l->objects[id];
	size_t at = layer_find(l, o->key, id);
	reserve(l, l->n + 1);
	memmove(&l->entries[at + 1], &l->entries[at], (l->n - at) * sizeof *l->entries);
	l->entries[at] = (struct entry){ o->key, id, facts_of(o) };
	l->n++;
}

static void entry_out(struct map_layer *l, uint64_t key, uint32_t id)
{
	size_t at = layer_find(l, key, id);
	assert(at < l->n && l->entries[at].id == id);
	l->n--;
	memmove(&l->entries[at], &l->entries[at + 1], (l->n - at) * sizeof *l->entries);
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->id > y->id) - (x->id < y->id);
}

// ---- a batch -----------------------------------------------------------------------------------
void map_begin(struct map_layer *l, bool all)
{
	pthread_rwlock_wrlock(&l->lock);
	l->all = all;
	if (all) {
		forget(l);
		texts_open(l);
	}
}

void map_end(struct map_layer *l)
{
	if (l->all) {
		for (size_t i = 0; i < l->ids; i++)
			if (l->objects[i].here) {
				reserve(l, l->n + 1);
				l->entries[l->n++] = (struct entry){ l->objects[i].key, (uint32_t)i, facts_of(&l->objects[i]) };
			}
		if (l->n)
			qsort(l->entries, l->n, sizeof *l->entries, by_key);
		l->change++;
		for (size_t i = 0; i < MAP_STAMPS; i++)
			atomic_store_explicit(&l->stamps[i], l->change, memory_order_release);
	}
	l->all = false;
	pthread_rwlock_unlock(&l->lock);
}

static uint32_t place_number(struct map_layer *l, struct place p)
{
	char key[AREA_MAX + 1 + SECTOR_MAX];
	uint32_t number;
	memcpy(key, p.area.p, p.area.n);
	key[p.area.n] = '|';
	memcpy(key + p.area.n + 1, p.sector.p, p.sector.n);
	struct str text = str_from(key, p.area.n + 1 + p.sector.n);
	if (strmap_get(l->place_numbers, text, &number))
		return number;
	number = (uint32_t)l->nplaces; // fewer than objects, so below 2^24
	strmap_put(l->place_numbers, text, number);
	l->places = arena_push(l->texts, l->places, &l->nplaces, &l->places_cap, sizeof *l->places);
	l->places[number] = (struct place){ .area = arena_str(l->texts, p.area), .sector = arena_str(l->texts, p.sector) };
	return number;
}

static uint16_t state_number(struct map_layer *l, struct str state)
{
	uint32_t number;
	if (strmap_get(l->state_numbers, state, &number))
		return (uint16_t)number;
	if (l->nstates == UINT16_MAX) // a type has far fewer
		return 0;
	number = (uint32_t)l->nstates;
	strmap_put(l->state_numbers, state, number);
	l->states = arena_push(l->texts, l->states, &l->nstates, &l->states_cap, sizeof *l->states);
	l->states[number] = arena_str(l->texts, state);
	return (uint16_t)number;
}

static struct object *object_at(struct map_layer *l, int64_t id)
{
	size_t i = (size_t)id;
	if (i >= l->ids) {
		size_t ids = MAX(i + 1, l->ids + l->ids / 4 + 64);
		l->objects = mem_resize(l->objects, ids * sizeof *l->objects);
		memset(&l->objects[l->ids], 0, (ids - l->ids) * sizeof *l->objects);
		l->ids = ids;
	}
	return &l->objects[i];
}

static void set_title(struct map_layer *l, struct object *o, struct str title)
{
	if (o->title && str_eq(str_of(o->title), title))
		return;
	l->title_bytes -= o->title ? strlen(o->title) + 1 : 0;
	mem_free(o->title);
	o->title = NULL;
	if (!title.n)
		return;
	o->title = mem_alloc(title.n + 1);
	memcpy(o->title, title.p, title.n);
	l->title_bytes += title.n + 1;
}

void map_put(struct map_layer *l, const struct map_object *m)
{
	struct spot s;
	if (m->id <= 0 || m->id > LIMIT_MAP_ID)
		return;
	bool known = m->place.area.n <= AREA_MAX && m->place.sector.n <= SECTOR_MAX; // else it cannot be said whose it is
	if (!known || !spot_of(m->lon, m->lat, &s)) {
		map_drop(l, m->id);
		return;
	}
	struct object *o = object_at(l, m->id);
	uint64_t key = spot_key(s);
	if (!l->all && o->here) {
		stamp(l, o->key);
		entry_out(l, o->key, (uint32_t)m->id);
	}
	o->here = true;
	o->key = key;
	o->enterprise = m->place.enterprise;
	o->place = place_number(l, m->place);
	o->state = state_number(l, m->state);
	for (size_t by = 0; by < MAP_BYS; by++)
		o->color[by] = (uint8_t)m->color[by];
	set_title(l, o, m->title);
	if (!l->all) {
		entry_in(l, (uint32_t)m->id);
		stamp(l, key);
	}
}

void map_drop(struct map_layer *l, int64_t id)
{
	if (id <= 0 || (size_t)id >= l->ids || !l->objects[id].here)
		return;
	struct object *o = &l->objects[id];
	if (!l->all) {
		stamp(l, o->key);
		entry_out(l, o->key, (uint32_t)id);
	}
	set_title(l, o, STR_EMPTY);
	*o = (struct object){ 0 };
}

bool map_tint(struct map_layer *l, int64_t id, enum map_by by, enum map_color color)
{
	if (id <= 0 || (size_t)id >= l->ids || !l->objects[id].here || l->objects[id].color[by] == color)
		return false;
	l->objects[id].color[by] = (uint8_t)color;
	if (!l->all) {
		const struct object *o = &l->objects[id];
		l->entries[layer_find(l, o->key, (uint32_t)id)].facts = facts_of(o);
		stamp(l, o->key);
	}
	return true;
}

int64_t map_last(const struct map_layer *l) { return (int64_t)l->ids - 1; }

bool map_known(const struct map_layer *l, int64_t id, struct map_object *ret)
{
	if (id <= 0 || (size_t)id >= l->ids || !l->objects[id].here)
		return false;
	const struct object *o = &l->objects[id];
	struct spot s = spot_of_key(o->key);
	*ret = (struct map_object){ .id = id, .lon = spot_lon(s.x), .lat = spot_lat(s.y), .place = l->places[o->place],
		                        .title = str_of(o->title), .state = l->states[o->state] };
	for (size_t by = 0; by < MAP_BYS; by++)
		ret->color[by] = (enum map_color)o->color[by];
	ret->place.enterprise = o->enterprise;
	return true;
}

size_t map_count(struct map_layer *l)
{
	pthread_rwlock_rdlock(&l->lock);
	size_t n = l->n;
	pthread_rwlock_unlock(&l->lock);
	return n;
}

size_t map_bytes(struct map_layer *l)
{
	pthread_rwlock_rdlock(&l->lock);
	size_t n = sizeof *l + l->ids * sizeof *l->objects + l->cap * sizeof *l->entries + l->title_bytes + arena_used(l->texts);
	pthread_rwlock_unlock(&l->lock);
	return n;
}
