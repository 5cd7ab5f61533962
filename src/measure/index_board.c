// What is in memory: enterprises with what was counted of them, and above them areas, sectors and grids with how many have
// which score. A change of one enterprise costs its slots and one walk over the bins of each of its (at most eight) nodes.
#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/time.h"
#include "measure/index_int.h"

#define NO_NODE UINT32_MAX

struct board *board_new(const struct risk_index *x, int64_t epoch)
{
	struct board *b = mem_alloc(sizeof *b);
	b->x = x;
	b->epoch = epoch;
	b->by_key = strmap_new(1024);
	return b;
}

void board_free(struct board *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->nnodes; i++) {
		mem_free(b->nodes[i].bins);
		mem_free(b->nodes[i].own);
	}
	mem_free(b->nodes);
	mem_free(b->units);
	mem_free(b->slots);
	mem_free(b->parts);
	mem_free(b->covers);
	strmap_free(b->by_key);
	mem_free(b);
}

#define TURN_ROWS 16            // the clock is asked once for so many

void board_turn(const struct board *b)
{
	struct turns *t = b->turns;
	if (!t || ++t->rows % TURN_ROWS)
		return;
	if (clock_mono() - t->since < t->pause->us)
		return;
	t->pause->fn(t->pause->arg);
	t->since = clock_mono();
}

void standing_new(struct standing *s)
{
	*s = (struct standing){ .kept = NO_SCORE };
	for (int i = 0; i < RING; i++)
		s->ring[i] = NO_SCORE;
}

// ---- nodes -------------------------------------------------------------------------------------
static struct str key_of(char ret[80], enum index_kind kind, struct str key)
{
	int n = snprintf(ret, 80, "%d%.*s", (int)kind, (int)MIN(key.n, (size_t)60), key.p);
	return str_from(ret, (size_t)n);
}

struct node *board_node(const struct board *b, enum index_kind kind, struct str key)
{
	char text[80];
	uint32_t at;
	return strmap_get(b->by_key, key_of(text, kind, key), &at) ? &b->nodes[at] : NULL;
}

static uint32_t node_take(struct board *b, enum index_kind kind, struct str key)
{
	char text[80];
	struct str k = key_of(text, kind, key);
	uint32_t at;
	if (strmap_get(b->by_key, k, &at))
		return at;
	if (b->nnodes == b->cap_nodes) {
		b->cap_nodes = MAX(b->cap_nodes * 2, (size_t)64);
		b->nodes = mem_resize(b->nodes, b->cap_nodes * sizeof *b->nodes);
	}
	at = (uint32_t)b->nnodes++;
	struct node *n = &b->nodes[at];
	*n = (struct node){ .kind = kind, .bins = mem_alloc((INDEX_TENTHS + 1) * sizeof *n->bins) };
	snprintf(n->key, sizeof n->key, "%.*s", (int)MIN(key.n, sizeof n->key - 1), key.p);
	standing_new(&n->s);
	strmap_put(b->by_key, k, at);
	return at;
}

// The deepest area that all enterprises lie in.
static struct str top_area(const struct board *b)
{
	struct str top = STR_EMPTY;
	size_t depth = 0;
	uint32_t all = 0;
	for (size_t i = 0; i < b->nnodes; i++)
		if (b->nodes[i].kind == INDEX_AREA)
			all = MAX(all, b->nodes[i].n);
	for (size_t i = 0; i < b->nnodes; i++) {
		const struct node *n = &b->nodes[i];
		size_t own = area_prefix(str_of(n->key)).n;
		if (n->kind != INDEX_AREA || n->n != all || own <= depth || own > 6)
			continue;
		top = str_of(n->key);
		depth = own;
	}
	return top;
}

struct place node_place(const struct board *b, const struct node *n)
{
	struct place p = { .area = STR_EMPTY, .sector = STR_EMPTY };
	if (n->kind == INDEX_AREA)
		p.area = str_of(n->key);
	else if (n->kind == INDEX_SECTOR)
		p = (struct place){ .area = top_area(b), .sector = str_of(n->key) };
	return p;
}

struct str unit_area(const struct board *b, const struct unit *u)
{
	const struct node *n = u->nnodes ? &b->nodes[u->nodes[0]] : NULL;
	return n && n->kind == INDEX_AREA ? str_of(n->key) : STR_EMPTY;
}

struct str unit_sector(const struct board *b, const struct unit *u)
{
	return u->sector == NO_NODE ? STR_EMPTY : str_of(b->nodes[u->sector].key);
}

struct place unit_where(const struct board *b, int64_t id)
{
	return (struct place){ unit_area(b, &b->units[id]), id, unit_sector(b, &b->units[id]) };
}

// ---- units -------------------------------------------------------------------------------------
static void *widen(void *old, size_t was, size_t n, size_t size)
{
	char *p = mem_resize(old, n * size);
	memset(p + was * size, 0, (n - was) * size);
	return p;
}

void board_room(struct board *b, int64_t id)
{
	size_t was = b->nunits, n = (size_t)id + 1;
	if (n <= was)
		return;
	n = MAX(n, was + was / 4 + 64);
	b->units = widen(b->units, was, n, sizeof *b->units);
	b->slots = widen(b->slots, was * b->x->nslots, n * b->x->nslots, sizeof *b->slots);
	b->parts = widen(b->parts, was * b->x->ncomponents, n * b->x->ncomponents, sizeof *b->parts);
	b->nunits = n;
}

// Takes the unit out of the bins of its nodes, or puts it in.
static void nodes_count(struct board *b, int64_t id, bool in)
{
	const struct unit *u = &b->units[id];
	const float *parts = b->parts + (size_t)id * b->x->ncomponents;
	for (size_t i = 0; i < u->nnodes; i++) {
		struct node *n = &b->nodes[u->nodes[i]];
		n->bins[u->s.tenths] += in ? 1 : UINT32_MAX; // modulo: one less
		n->n += in ? 1 : UINT32_MAX;
		n->dirty = true;
		for (size_t k = 0; k < b->x->ncomponents; k++)
			n->parts[k] += in ? (double)parts[k] : -(double)parts[k];
	}
}

void unit_remove(struct board *b, int64_t id)
{
	if (id <= 0 || (size_t)id >= b->nunits || !b->units[id].there)
		return;
	nodes_count(b, id, false);
	memset(b->slots + (size_t)id * b->x->nslots, 0, b->x->nslots * sizeof *b->slots);
	memset(b->parts + (size_t)id * b->x->ncomponents, 0, b->x->ncomponents * sizeof *b->parts);
	b->units[id] = (struct unit){ .there = false };
}

static void unit_join(struct unit *u, uint32_t node)
{
	if (u->nnodes < UNIT_NODES)
		u->nodes[u->nnodes++] = node;
}

void unit_place(struct board *b, int64_t id, struct str area, struct str sector, int64_t grid)
{
	static const size_t tiers[] = { 12, 9, 6, 4, 2 };
	char code[13], number[24];
	board_room(b, id);
	struct unit *u = &b->units[id];
	if (u->there)
		nodes_count(b, id, false);
	else
		standing_new(&u->s);
	u->there = true;
	u->nnodes = 0;
	struct str own = area_prefix(area);
	for (size_t i = 0; area.n == 12 && i < ARRAY_LEN(tiers); i++) {
		if (tiers[i] > own.n)
			continue;
		snprintf(code, sizeof code, "%.*s%s", (int)tiers[i], area.p, &"000000000000"[tiers[i]]);
		unit_join(u, node_take(b, INDEX_AREA, str_of(code)));
	}
	u->sector = sector.n ? node_take(b, INDEX_SECTOR, sector) : NO_NODE;
	if (sector.n)
		unit_join(u, u->sector);
	if (grid) {
		snprintf(number, sizeof number, "%lld", (long long)grid);
		unit_join(u, node_take(b, INDEX_GRID, str_of(number)));
	}
	nodes_count(b, id, true);
}

// ---- scores ------------------------------------------------------------------------------------
static bool sector_in(const char *sectors, struct str sector)
{
	struct str list = str_of(sectors);
	bool in = !list.n;
	while (list.n && !in) {
		struct str one = str_cut(&list, ',');
		in = sector.n && str_eq(one, sector);
	}
	return in;
}

void cover_of(const struct board *b, const struct unit *u, struct index_slot *ret)
{
	struct str area = unit_area(b, u), sector = unit_sector(b, u);
	memset(ret, 0, b->x->nslots * sizeof *ret);
	for (size_t i = 0; i < b->ncovers; i++) {
		const struct cover *c = &b->covers[i];
		if (!str_starts(area, str_of(c->prefix)) || !sector_in(c->sectors, sector))
			continue;
		ret[c->slot].n += 1;
		ret[c->slot].v += c->amount;
	}
}

void unit_score(struct board *b, int64_t id, int64_t now)
{
	struct unit *u = &b->units[id];
	struct index_slot cover[INDEX_SLOTS];
	struct index_part parts[INDEX_COMPONENTS];
	double fade[INDEX_COMPONENTS];
	const struct index_slot *slots = b->slots + (size_t)id * b->x->nslots;
	if (!u->there)
		return;
	cover_of(b, u, cover);
	index_fade(b->x, now - b->epoch, fade);
	int tenths = index_score(b->x, slots, cover, fade, parts);
	nodes_count(b, id, false);
	u->s.tenths = (uint16_t)tenths;
	u->s.color = (uint8_t)index_color_at(b->x, tenths);
	for (size_t k = 0; k < b->x->ncomponents; k++)
		b->parts[(size_t)id * b->x->ncomponents + k] = (float)parts[k].points;
	nodes_count(b, id, true);
}

struct index_slot *node_slots(struct board *b, struct node *n)
{
	if (!n->own)
		n->own = mem_alloc(b->x->nslots * sizeof *n->own);
	return n->own;
}

int node_own(const struct board *b, const struct node *n, int64_t now, struct index_part *parts)
{
	double fade[INDEX_COMPONENTS];
	if (parts)
		memset(parts, 0, b->x->ncomponents * sizeof *parts);
	if (!n->own || b->x->own <= 0)
		return 0;
	index_fade(b->x, now - b->epoch, fade);
	return (int)lround(b->x->own * index_score(b->x, n->own, NULL, fade, parts));
}

void nodes_score(struct board *b, int64_t now)
{
	for (size_t i = 0; i < b->nnodes; i++) {
		struct node *n = &b->nodes[i];
		board_turn(b);
		if (!n->dirty)
			continue;
		n->dirty = false;
		n->s.tenths = (uint16_t)MIN(index_aggregate(b->x, n->bins) + node_own(b, n, now, NULL), INDEX_TENTHS);
		n->s.color = (uint8_t)(n->n ? index_color_at(b->x, n->s.tenths) : INDEX_NONE);
	}
}

// ---- the live set ------------------------------------------------------------------------------
struct index_live *index_live_new(void)
{
	struct index_live *l = mem_alloc(sizeof *l);
	pthread_rwlockattr_t attr;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP); // many readers must not stop the clock
	pthread_rwlock_init(&l->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return l;
}

void index_live_free(struct index_live *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		board_free(l->boards[i]);
	pthread_rwlock_destroy(&l->lock);
	mem_free(l);
}

struct board *live_board(const struct index_live *l, struct str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->boards[i]->x->name, name))
			return l->boards[i];
	return NULL;
}

size_t index_boards(struct index_live *l) { return l->n; } // only its own thread changes it and asks

const struct risk_index *index_of_board(struct index_live *l, size_t which) { return l->boards[which]->x; }

bool index_mark(struct index_live *l, int64_t enterprise, struct index_mark *ret)
{
	pthread_rwlock_rdlock(&l->lock);
	const struct board *b = l->n ? l->boards[0] : NULL;
	bool there = b && enterprise > 0 && (size_t)enterprise < b->nunits && b->units[enterprise].there;
	if (there)
		*ret = (struct index_mark){ b->units[enterprise].s.tenths, b->units[enterprise].s.color };
	pthread_rwlock_unlock(&l->lock);
	return there;
}

unsigned index_concerns(struct index_live *l, size_t which, struct str type, bool *ret_covers)
{
	const struct risk_index *x = l->boards[which]->x;
	unsigned bits = 0;
	*ret_covers = false;
	for (size_t i = 0; i < x->ncomponents; i++) {
		const struct index_component *c = &x->components[i];
		bool is = c->of.type ? str_eq(c->of.type->name, type) : str_is(type, "alarm");
		*ret_covers |= is && c->covers;
		bits |= is && !c->covers ? 1u << i : 0;
	}
	return bits;
}

static void ring_put(struct standing *s, int hour) { s->ring[hour] = s->tenths; }

void index_hour(struct index_live *l)
{
	pthread_rwlock_wrlock(&l->lock);
	for (size_t k = 0; k < l->n; k++) {
		struct board *b = l->boards[k];
		b->hour = (b->hour + 1) % RING;
		for (size_t i = 0; i < b->nunits; i++)
			if (b->units[i].there)
				ring_put(&b->units[i].s, b->hour);
		for (size_t i = 0; i < b->nnodes; i++)
			ring_put(&b->nodes[i].s, b->hour);
	}
	pthread_rwlock_unlock(&l->lock);
}
