#include "alarm/site_points.h"

#include <math.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"

#define PAGE_BITS 8
#define PAGE_POINTS (1u << PAGE_BITS)
#define SHARDS 256u
#define NO_DATE INT32_MIN
#define LIKE_TRIES 16u          // a point is compared with what so many before it had

struct text { uint32_t at; uint16_t n; }; // in the page's text

// What many points have alike. Compared byte by byte, so made on zeroed memory.
struct like {
	double ll, l, h, hh, deadband, min, max, scale;
	int64_t on, off, interval;
	struct text kind, unit, area;
	uint8_t has_deadband, has_on, has_off, out_of_service, maintenance;
};

struct whose { uint32_t device, enterprise, installation; };

struct spot { double lon, lat; };

struct packed {
	uint32_t text;              // where code, name and address are, one behind the other
	int32_t calibration;        // minute; NO_DATE = none
	uint16_t code, name, address; // lengths
	uint8_t like, whose;        // indexes
	uint8_t low;                // the id's last 8 bits
};
_Static_assert(sizeof(struct packed) == 20, "a million of them");
_Static_assert(PAGE_POINTS <= 256, "like and whose are a byte");

struct page {                   // one block: likes, spots, points, whose, text
	_Atomic uint32_t refs;
	uint16_t n, nlikes, nwhose;
	uint16_t nspots;            // n, or 0: none of its points has one
	uint32_t text;              // bytes
	struct like likes[];
};

#define FULL(slots) ((slots) / 4 * 3) // ids that so many slots take

struct shard {                  // of the index by code: open addressing, at most three quarters full
	_Atomic uint32_t refs;
	uint32_t n, mask;
	uint32_t slots[];           // ids, 0 = free
};

struct list {                   // ids of a device's points
	_Atomic uint32_t refs;
	uint32_t n, cap;
	uint32_t v[];
};

struct site_points {
	size_t n, bytes;
	struct page **pages;        // by id >> PAGE_BITS; NULL = none there
	size_t npages;
	struct shard *shards[SHARDS];
	struct list **lists;        // by device
	size_t nlists;
};

struct change { uint32_t id; bool removed; struct site_point p; };

struct points_writer {
	struct site_points *s;
	const struct site_points *base;
	struct arena *arena;        // texts of the page that is gathered
	struct change v[PAGE_POINTS];
	size_t n;
};

// ---- a page -------------------------------------------------------------------------------------

static const struct spot *spots_of(const struct page *p) { return (const void *)&p->likes[p->nlikes]; }
static const struct packed *packed_of(const struct page *p) { return (const void *)(spots_of(p) + p->nspots); }
static const struct whose *whose_of(const struct page *p) { return (const void *)(packed_of(p) + p->n); }
static const char *text_of(const struct page *p) { return (const char *)(whose_of(p) + p->nwhose); }
static size_t page_size(const struct page *p)
{
	return sizeof *p + p->nlikes * sizeof(struct like) + p->nspots * sizeof(struct spot) + p->n * sizeof(struct packed) +
	       p->nwhose * sizeof(struct whose) + p->text;
}

static void unpack(const struct page *page, uint32_t high, size_t i, struct site_point *ret)
{
	const struct packed *k = &packed_of(page)[i];
	const struct like *l = &page->likes[k->like];
	const struct whose *w = &whose_of(page)[k->whose];
	struct spot spot = page->nspots ? spots_of(page)[i] : (struct spot){ NAN, NAN };
	const char *text = text_of(page), *own = text + k->text;
	*ret = (struct site_point){
		.def = { .id = high << PAGE_BITS | k->low, .device = w->device, .enterprise = w->enterprise, .installation = w->installation,
			 .code = str_from(own, k->code), .kind = str_from(text + l->kind.at, l->kind.n),
			 .area = str_from(text + l->area.at, l->area.n), .ll = l->ll, .l = l->l, .h = l->h, .hh = l->hh,
			 .own = { l->has_deadband, l->has_on, l->has_off, l->deadband, l->on, l->off }, .min = l->min,
			 .max = l->max, .interval = l->interval, .out_of_service = l->out_of_service, .maintenance = l->maintenance,
			 .has_calibration = k->calibration != NO_DATE, .calibration_due = k->calibration != NO_DATE ? k->calibration * US_PER_MIN : 0 },
		.name = str_from(own + k->code, k->name), .address = str_from(own + k->code + k->name, k->address),
		.unit = str_from(text + l->unit.at, l->unit.n), .scale = l->scale, .lon = spot.lon, .lat = spot.lat,
	};
}

// Index of the first point of the page that is not below low.
static size_t page_find(const struct page *p, uint32_t low)
{
	const struct packed *v = packed_of(p);
	size_t lo = 0, hi = p->n;
	if (p->n == PAGE_POINTS)
		return low;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (v[mid].low < low)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct packing {
	struct packed v[PAGE_POINTS];
	struct like likes[PAGE_POINTS];
	struct whose whose[PAGE_POINTS];
	struct spot spots[PAGE_POINTS];
	size_t n, nlikes, nwhose;
	bool has_spot;                // some point is
	char *text;
	uint32_t at;
};

static struct text add_text(struct packing *k, struct str s)
{
	struct text t = { k->at, (uint16_t)s.n };
	if (s.n)
		memcpy(k->text + k->at, s.p, s.n);
	k->at += (uint32_t)s.n;
	return t;
}

static struct text like_text(struct packing *k, const struct text *before, struct str s)
{
	return before && before->n == s.n && memcmp(k->text + before->at, s.p, s.n) == 0 ? *before : add_text(k, s);
}

static uint8_t like_for(struct packing *k, const struct site_point *p)
{
	const struct like *last = k->nlikes ? &k->likes[k->nlikes - 1] : NULL;
	struct like l;
	memset(&l, 0, sizeof l);
	l.ll = p->def.ll, l.l = p->def.l, l.h = p->def.h, l.hh = p->def.hh;
	l.min = p->def.min, l.max = p->def.max, l.scale = p->scale, l.interval = p->def.interval;
	struct text kind = like_text(k, last ? &last->kind : NULL, p->def.kind), unit = like_text(k, last ? &last->unit : NULL, p->unit),
		    area = like_text(k, last ? &last->area : NULL, p->def.area);
	l.kind.at = kind.at, l.kind.n = kind.n, l.unit.at = unit.at, l.unit.n = unit.n, l.area.at = area.at, l.area.n = area.n;
	l.has_deadband = p->def.own.has_deadband, l.has_on = p->def.own.has_on, l.has_off = p->def.own.has_off;
	l.deadband = p->def.own.deadband, l.on = p->def.own.on, l.off = p->def.own.off;
	l.out_of_service = p->def.out_of_service;
	l.maintenance = p->def.maintenance;
	for (size_t i = k->nlikes; i > 0 && k->nlikes - i < LIKE_TRIES; i--)
		if (memcmp(&k->likes[i - 1], &l, sizeof l) == 0)
			return (uint8_t)(i - 1);
	memcpy(&k->likes[k->nlikes], &l, sizeof l);
	return (uint8_t)k->nlikes++;
}

static uint8_t whose_for(struct packing *k, const struct site_point *p)
{
	struct whose w = { (uint32_t)p->def.device, (uint32_t)p->def.enterprise, (uint32_t)p->def.installation };
	for (size_t i = k->nwhose; i > 0 && k->nwhose - i < LIKE_TRIES; i--)
		if (memcmp(&k->whose[i - 1], &w, sizeof w) == 0)
			return (uint8_t)(i - 1);
	k->whose[k->nwhose] = w;
	return (uint8_t)k->nwhose++;
}

static void pack(struct packing *k, const struct site_point *p)
{
	uint8_t like = like_for(k, p), whose = whose_for(k, p);
	k->spots[k->n] = (struct spot){ p->lon, p->lat };
	k->has_spot |= !isnan(p->lon) || !isnan(p->lat);
	k->v[k->n++] = (struct packed){ .text = k->at, .like = like, .whose = whose, .low = (uint8_t)p->def.id,
		              .code = (uint16_t)p->def.code.n, .name = (uint16_t)p->name.n, .address = (uint16_t)p->address.n,
		              .calibration = p->def.has_calibration ? (int32_t)(p->def.calibration_due / US_PER_MIN) : NO_DATE };
	(void)add_text(k, p->def.code);
	(void)add_text(k, p->name);
	(void)add_text(k, p->address);
}

static struct page *page_new(const struct site_point *v, size_t n)
{
	if (n == 0)
		return NULL;
	struct packing *k = mem_alloc(sizeof *k);
	size_t room = 0;
	for (size_t i = 0; i < n; i++)
		room += v[i].def.code.n + v[i].name.n + v[i].address.n + v[i].def.kind.n + v[i].unit.n + v[i].def.area.n;
	k->text = mem_alloc(room + 1);
	for (size_t i = 0; i < n; i++)
		pack(k, &v[i]);
	struct page head = { .n = (uint16_t)k->n, .nlikes = (uint16_t)k->nlikes, .nwhose = (uint16_t)k->nwhose,
		             .nspots = k->has_spot ? (uint16_t)k->n : 0, .text = k->at }, *p = mem_alloc(page_size(&head));
	p->refs = 1;
	p->n = head.n, p->nlikes = head.nlikes, p->nwhose = head.nwhose, p->nspots = head.nspots, p->text = head.text;
	memcpy(p->likes, k->likes, k->nlikes * sizeof *k->likes);
	memcpy((void *)spots_of(p), k->spots, head.nspots * sizeof *k->spots);
	memcpy((void *)packed_of(p), k->v, k->n * sizeof *k->v);
	memcpy((void *)whose_of(p), k->whose, k->nwhose * sizeof *k->whose);
	memcpy((void *)text_of(p), k->text, k->at);
	mem_free(k->text);
	mem_free(k);
	return p;
}

// ---- reading ------------------------------------------------------------------------------------

size_t points_count(const struct site_points *s) { return s->n; }
uint32_t points_max(const struct site_points *s) { return s->npages ? (uint32_t)(s->npages << PAGE_BITS) - 1 : 0; }
size_t points_bytes(const struct site_points *s) { return s->bytes; }

bool points_at(const struct site_points *s, uint32_t id, struct site_point *ret)
{
	const struct page *p = id >> PAGE_BITS < s->npages ? s->pages[id >> PAGE_BITS] : NULL;
	size_t i = p ? page_find(p, id % PAGE_POINTS) : 0;
	if (!p || i >= p->n || packed_of(p)[i].low != id % PAGE_POINTS)
		return false;
	unpack(p, id >> PAGE_BITS, i, ret);
	return true;
}

bool points_next(const struct site_points *s, uint32_t *at, struct site_point *ret)
{
	uint32_t id = *at + 1;
	for (uint32_t high = id >> PAGE_BITS; high < s->npages; id = ++high << PAGE_BITS) {
		const struct page *p = s->pages[high];
		size_t i = p ? page_find(p, id % PAGE_POINTS) : 0;
		if (!p || i >= p->n)
			continue;
		unpack(p, high, i, ret);
		*at = ret->def.id;
		return true;
	}
	return false;
}

static struct str code_of(const struct site_points *s, uint32_t id) // empty: no such point
{
	const struct page *p = s->pages[id >> PAGE_BITS];
	size_t i = p ? page_find(p, id % PAGE_POINTS) : 0;
	const struct packed *k = p && i < p->n ? &packed_of(p)[i] : NULL;
	return k && k->low == id % PAGE_POINTS ? str_from(text_of(p) + k->text, k->code) : STR_EMPTY;
}

static uint32_t shard_of(uint64_t hash) { return (uint32_t)(hash >> 56); }
_Static_assert(SHARDS == 256, "shard_of takes 8 bits");

uint32_t points_find(const struct site_points *s, struct str code)
{
	uint64_t hash = str_hash(code);
	const struct shard *sh = s->shards[shard_of(hash)];
	if (!sh || !code.n)
		return 0;
	for (uint64_t h = hash;; h++) {
		uint32_t id = sh->slots[h & sh->mask];
		if (!id || str_eq(code_of(s, id), code))
			return id;
	}
}

const uint32_t *points_of_device(const struct site_points *s, uint32_t device, size_t *ret_n)
{
	const struct list *l = device < s->nlists ? s->lists[device] : NULL;
	*ret_n = l ? l->n : 0;
	return l ? l->v : NULL;
}

// ---- sharing ------------------------------------------------------------------------------------

static bool last_ref(_Atomic uint32_t *refs) { return atomic_fetch_sub(refs, 1) == 1; }

static void page_drop(struct page *p)
{
	if (p && last_ref(&p->refs))
		mem_free(p);
}

static void shard_drop(struct shard *sh)
{
	if (sh && last_ref(&sh->refs))
		mem_free(sh);
}

static void list_drop(struct list *l)
{
	if (l && last_ref(&l->refs))
		mem_free(l);
}

void points_free(struct site_points *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->npages; i++)
		page_drop(s->pages[i]);
	for (size_t i = 0; i < SHARDS; i++)
		shard_drop(s->shards[i]);
	for (size_t i = 0; i < s->nlists; i++)
		list_drop(s->lists[i]);
	mem_free(s->pages);
	mem_free(s->lists);
	mem_free(s);
}

static struct site_points *share(const struct site_points *base)
{
	struct site_points *s = mem_alloc(sizeof *s);
	if (!base)
		return s;
	*s = *base;
	s->pages = mem_alloc(s->npages * sizeof *s->pages);
	s->lists = mem_alloc(s->nlists * sizeof *s->lists);
	for (size_t i = 0; i < s->npages; i++)
		if ((s->pages[i] = base->pages[i]))
			atomic_fetch_add(&s->pages[i]->refs, 1);
	for (size_t i = 0; i < s->nlists; i++)
		if ((s->lists[i] = base->lists[i]))
			atomic_fetch_add(&s->lists[i]->refs, 1);
	for (size_t i = 0; i < SHARDS; i++)
		if (s->shards[i])
			atomic_fetch_add(&s->shards[i]->refs, 1);
	return s;
}

// ---- the index by code --------------------------------------------------------------------------

static void shard_insert(struct shard *sh, uint64_t hash, uint32_t id)
{
	while (sh->slots[hash & sh->mask])
		hash++;
	sh->slots[hash & sh->mask] = id;
	sh->n++;
}

static struct shard *shard_new(uint32_t n) // room for n
{
	uint32_t slots = 8;
	while (FULL(slots) < n)
		slots *= 2;
	struct shard *sh = mem_alloc(sizeof *sh + slots * sizeof *sh->slots);
	sh->refs = 1;
	sh->mask = slots - 1;
	return sh;
}

// A shard of its own, with room for one more, without that id (0: with all).
static struct shard *shard_again(const struct site_points *s, const struct shard *old, uint32_t without)
{
	struct shard *sh = shard_new(old ? old->n + 1 : 1);
	for (uint32_t i = 0; old && i <= old->mask; i++) {
		struct str code = old->slots[i] && old->slots[i] != without ? code_of(s, old->slots[i]) : STR_EMPTY;
		if (code.n) // one that is being removed, too, has none any more
			shard_insert(sh, str_hash(code), old->slots[i]);
	}
	return sh;
}

static void index_change(struct site_points *s, uint64_t hash, uint32_t add, uint32_t remove)
{
	struct shard **at = &s->shards[shard_of(hash)], *old = *at;
	if (!old || old->refs > 1 || remove || old->n + 1 > FULL(old->mask + 1)) {
		*at = shard_again(s, old, remove);
		shard_drop(old);
	}
	if (add)
		shard_insert(*at, hash, add);
}

// ---- devices' lists -----------------------------------------------------------------------------

static struct list **list_at(struct site_points *s, uint32_t device)
{
	if (device >= s->nlists) {
		size_t n = MAX((size_t)device + 1, s->nlists * 5 / 4);
		s->lists = mem_resize(s->lists, n * sizeof *s->lists);
		memset(s->lists + s->nlists, 0, (n - s->nlists) * sizeof *s->lists);
		s->nlists = n;
	}
	return &s->lists[device];
}

static struct list *list_again(const struct list *old, uint32_t cap)
{
	struct list *l = mem_alloc(sizeof *l + cap * sizeof *l->v);
	l->refs = 1;
	l->cap = cap;
	l->n = old ? old->n : 0;
	if (old)
		memcpy(l->v, old->v, old->n * sizeof *l->v);
	return l;
}

static uint32_t list_find(const struct list *l, uint32_t id) // the first not below it
{
	uint32_t lo = 0, hi = l->n;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (l->v[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void list_add(struct site_points *s, uint32_t device, uint32_t id)
{
	struct list **at = list_at(s, device), *l = *at;
	if (!l || l->refs > 1 || l->n == l->cap) {
		*at = list_again(l, l ? l->n + MAX(l->n / 4, 4u) : 4);
		list_drop(l);
		l = *at;
	}
	uint32_t i = list_find(l, id);
	memmove(l->v + i + 1, l->v + i, (l->n - i) * sizeof *l->v);
	l->v[i] = id;
	l->n++;
}

static void list_remove(struct site_points *s, uint32_t device, uint32_t id)
{
	struct list **at = list_at(s, device), *old = *at;
	uint32_t i = old ? list_find(old, id) : 0;
	if (!old || i == old->n || old->v[i] != id)
		return;
	*at = list_again(old, old->cap);
	memmove((*at)->v + i, (*at)->v + i + 1, ((*at)->n - i - 1) * sizeof *old->v);
	(*at)->n--;
	list_drop(old);
}

// ---- all of them at once ------------------------------------------------------------------------

struct tally { uint32_t in_shard[SHARDS], *in_list; };

// The lists of all devices and the index by code of a generation that has its pages. Sizes are counted first, so that nothing grows.
static void count_all(struct site_points *s, struct tally *t, uint64_t *hashes)
{
	size_t at = 0;
	for (size_t i = 0; i < s->npages; i++) {
		const struct page *p = s->pages[i];
		for (size_t k = 0; p && k < p->nwhose; k++) {
			size_t before = s->nlists;
			list_at(s, whose_of(p)[k].device);
			if (s->nlists > before) {
				t->in_list = mem_resize(t->in_list, s->nlists * sizeof *t->in_list);
				memset(t->in_list + before, 0, (s->nlists - before) * sizeof *t->in_list);
			}
		}
		for (size_t k = 0; p && k < p->n; k++) {
			const struct packed *v = &packed_of(p)[k];
			hashes[at] = str_hash(str_from(text_of(p) + v->text, v->code));
			t->in_shard[shard_of(hashes[at++])] += v->code != 0;
			t->in_list[whose_of(p)[v->whose].device]++;
		}
	}
}

static void link_all(struct site_points *s)
{
	struct tally t = { 0 };
	uint64_t *hashes = mem_alloc(s->n * sizeof *hashes);
	size_t at = 0;
	count_all(s, &t, hashes);
	for (size_t i = 0; i < SHARDS; i++)
		if (t.in_shard[i])
			s->shards[i] = shard_new(t.in_shard[i]);
	for (size_t i = 0; i < s->npages; i++) {
		const struct page *p = s->pages[i];
		for (size_t k = 0; p && k < p->n; k++, at++) {
			const struct packed *v = &packed_of(p)[k];
			uint32_t id = (uint32_t)(i << PAGE_BITS) | v->low, device = whose_of(p)[v->whose].device;
			struct list **l = &s->lists[device];
			if (v->code)
				shard_insert(s->shards[shard_of(hashes[at])], hashes[at], id);
			if (device && !*l)
				*l = list_again(NULL, t.in_list[device]);
			if (device)
				(*l)->v[(*l)->n++] = id;
		}
	}
	mem_free(t.in_list);
	mem_free(hashes);
}

// ---- writing ------------------------------------------------------------------------------------

struct points_writer *points_begin(const struct site_points *base)
{
	struct points_writer *w = mem_alloc(sizeof *w);
	w->s = share(base);
	w->base = base;
	w->arena = arena_new(32 << 10);
	return w;
}

// The page's points with the changes. Memory: their texts are the old page's and the writer's.
static size_t merge(const struct points_writer *w, const struct page *old, uint32_t high, struct site_point *ret)
{
	size_t n = 0, i = 0;
	for (size_t k = 0; k < w->n; k++) {
		const struct change *c = &w->v[k];
		for (; old && i < old->n && packed_of(old)[i].low < c->id % PAGE_POINTS; i++)
			unpack(old, high, i, &ret[n++]);
		if (old && i < old->n && packed_of(old)[i].low == c->id % PAGE_POINTS)
			i++;
		if (!c->removed)
			ret[n++] = c->p;
	}
	for (; old && i < old->n; i++)
		unpack(old, high, i, &ret[n++]);
	return n;
}

// Removals first: a shard is made anew from the codes as they are now, and all of it must be there when something is looked for.
static void relink(struct points_writer *w)
{
	struct site_point was;
	for (size_t k = 0; k < w->n; k++) {
		const struct change *c = &w->v[k];
		if (!w->base || !points_at(w->base, c->id, &was))
			continue;
		w->s->n--;
		if (c->removed || !str_eq(was.def.code, c->p.def.code))
			index_change(w->s, str_hash(was.def.code), 0, c->id);
		if (c->removed || was.def.device != c->p.def.device)
			list_remove(w->s, (uint32_t)was.def.device, c->id);
	}
	for (size_t k = 0; k < w->n; k++) {
		const struct change *c = &w->v[k];
		if (c->removed)
			continue;
		bool had = w->base && points_at(w->base, c->id, &was);
		w->s->n++;
		if (c->p.def.code.n && (!had || !str_eq(was.def.code, c->p.def.code)))
			index_change(w->s, str_hash(c->p.def.code), c->id, 0);
		if (c->p.def.device && (!had || was.def.device != c->p.def.device))
			list_add(w->s, (uint32_t)c->p.def.device, c->id);
	}
}

static void flush(struct points_writer *w)
{
	if (w->n == 0)
		return;
	struct site_points *s = w->s;
	uint32_t high = w->v[0].id >> PAGE_BITS;
	if (high >= s->npages) {
		s->pages = mem_resize(s->pages, (high + 1) * sizeof *s->pages);
		memset(s->pages + s->npages, 0, (high + 1 - s->npages) * sizeof *s->pages);
		s->npages = high + 1;
	}
	struct page *old = s->pages[high];
	struct site_point *v = arena_many(w->arena, PAGE_POINTS, struct site_point);
	s->pages[high] = page_new(v, merge(w, old, high, v));
	if (w->base)
		relink(w); // base still has the old page
	else
		s->n += s->pages[high] ? s->pages[high]->n : 0; // linked at the end
	page_drop(old);
	w->n = 0;
	arena_reset(w->arena);
}

static struct change *next_change(struct points_writer *w, uint32_t id)
{
	if (w->n && w->v[0].id >> PAGE_BITS != id >> PAGE_BITS)
		flush(w);
	assert(!w->n || w->v[w->n - 1].id < id);
	w->v[w->n] = (struct change){ .id = id };
	return &w->v[w->n++];
}

static bool reference_fits(int64_t id) { return id >= 0 && id <= UINT32_MAX; }

enum err points_put(struct points_writer *w, const struct site_point *p)
{
	const struct point_def *d = &p->def;
	struct str texts[] = { d->code, d->kind, d->area, p->name, p->unit, p->address };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].n > UINT16_MAX)
			return ERR_TOO_LARGE;
	if (!d->id || d->id > LIMIT_POINTS || !reference_fits(d->device) || !reference_fits(d->enterprise) || !reference_fits(d->installation))
		return ERR_TOO_LARGE;
	struct change *c = next_change(w, d->id);
	c->p = *p;
	struct str *own[] = { &c->p.def.code, &c->p.def.kind, &c->p.def.area, &c->p.name, &c->p.unit, &c->p.address };
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		*own[i] = arena_str(w->arena, texts[i]);
	return OK;
}

void points_remove(struct points_writer *w, uint32_t id)
{
	if (id)
		next_change(w, id)->removed = true;
}

uint32_t points_border(uint32_t id) { return id & ~(PAGE_POINTS - 1); }

static struct site_points *writer_end(struct points_writer *w)
{
	flush(w);
	struct site_points *s = w->s;
	arena_free(w->arena);
	mem_free(w);
	return s;
}

void points_join(struct points_writer *w, struct points_writer *above)
{
	assert(!w->base && !above->base);
	flush(w);
	struct site_points *s = w->s, *more = writer_end(above);
	if (more->npages > s->npages) {
		s->pages = mem_resize(s->pages, more->npages * sizeof *s->pages);
		memcpy(s->pages + s->npages, more->pages + s->npages, (more->npages - s->npages) * sizeof *s->pages);
		s->npages = more->npages;
		memset(more->pages, 0, more->npages * sizeof *more->pages); // they are s's now
	}
	s->n += more->n;
	points_free(more);
}

struct site_points *points_end(struct points_writer *w)
{
	bool new = !w->base;
	struct site_points *s = writer_end(w);
	if (new)
		link_all(s);
	s->bytes = sizeof *s + s->npages * sizeof *s->pages + s->nlists * sizeof *s->lists;
	for (size_t i = 0; i < s->npages; i++)
		s->bytes += s->pages[i] ? page_size(s->pages[i]) : 0;
	for (size_t i = 0; i < SHARDS; i++)
		s->bytes += s->shards[i] ? sizeof(struct shard) + (s->shards[i]->mask + 1) * sizeof(uint32_t) : 0;
	for (size_t i = 0; i < s->nlists; i++)
		s->bytes += s->lists[i] ? sizeof(struct list) + s->lists[i]->cap * sizeof(uint32_t) : 0;
	return s;
}
