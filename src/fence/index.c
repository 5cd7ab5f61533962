// A generation of fences: who they hold for, and in which squares of the earth they are to be looked for. Made once by a thread that can
// wait; immutable afterwards.
//
// A fence stands in the squares of the finest level at which it takes at most LIMIT_FENCE_CELLS of them. A square that lies wholly inside
// says so: a position there needs no geometry, however many corners the fence has. So a position costs one look at each level
// that is used
// and the geometry of those fences only whose outline crosses its square.
#include <math.h>
#include <stdlib.h>

#include "fence/fence_int.h"

// ---- squares -----------------------------------------------------------------------------------
static double side_of(unsigned level) { return FENCE_CELL * (double)(1u << 2 * level); }

static size_t squares(const struct fence *f, unsigned level)
{
	double side = side_of(level);
	return (size_t)(floor((f->hi[0] + 180) / side) - floor((f->lo[0] + 180) / side) + 1) *
	       (size_t)(floor((f->hi[1] + 90) / side) - floor((f->lo[1] + 90) / side) + 1);
}

static void add_square(struct fence_set *s, size_t *cap, uint32_t fence, unsigned level, double x, double y)
{
	const struct fence *f = &s->v[fence];
	double side = side_of(level), lon = (x + 0.5) * side - 180, lat = (y + 0.5) * side - 90;
	double corner = hypot(side / 2 * f->plane.per_lon, side / 2 * f->plane.per_lat) * 1.02; // the plane's scale is the middle's
	double d = fence_where(f, lon, lat);
	if (d > corner + f->def.band)
		return;
	if (s->nin == *cap) {
		*cap = MAX(*cap * 2, (size_t)1024);
		s->in = mem_resize(s->in, *cap * sizeof *s->in);
	}
	s->in[s->nin++] = (struct fence_in_cell){ (uint64_t)level << 60 | (uint64_t)x << 30 | (uint64_t)y, fence, d < -corner };
}

static void place(struct fence_set *s, size_t *cap, uint32_t fence)
{
	const struct fence *f = &s->v[fence];
	unsigned level = 0;
	while (level + 1 < FENCE_CELL_LEVELS && squares(f, level) > LIMIT_FENCE_CELLS)
		level++;
	double side = side_of(level);
	double x1 = floor((f->hi[0] + 180) / side), y1 = floor((f->hi[1] + 90) / side);
	s->levels |= 1u << level;
	for (double x = floor((f->lo[0] + 180) / side); x <= x1; x++)
		for (double y = floor((f->lo[1] + 90) / side); y <= y1; y++)
			add_square(s, cap, fence, level, x, y);
}

static int in_cmp(const void *a, const void *b)
{
	const struct fence_in_cell *x = a, *y = b;
	return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->fence > y->fence) - (x->fence < y->fence);
}

static size_t slot_of(const struct fence_set *s, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ull) >> 20) & (s->cells_cap - 1);
	while (s->cells[i].n && s->cells[i].key != key)
		i = (i + 1) & (s->cells_cap - 1);
	return i;
}

const struct fence_cell *fence_cell_find(const struct fence_set *s, uint64_t key)
{
	const struct fence_cell *c = s->cells_cap ? &s->cells[slot_of(s, key)] : NULL;
	return c && c->n ? c : NULL;
}

void fence_index(struct fence_set *s)
{
	size_t cap = 0;
	for (uint32_t i = 0; i < s->n; i++)
		place(s, &cap, i);
	if (!s->nin)
		return;
	qsort(s->in, s->nin, sizeof *s->in, in_cmp);
	for (size_t i = 0; i < s->nin; i++)
		s->ncells += !i || s->in[i].key != s->in[i - 1].key;
	for (s->cells_cap = 64; s->cells_cap < 2 * s->ncells;)
		s->cells_cap *= 2;
	s->cells = mem_alloc(s->cells_cap * sizeof *s->cells);
	for (size_t i = 0, end; i < s->nin; i = end) {
		for (end = i + 1; end < s->nin && s->in[end].key == s->in[i].key;)
			end++;
		s->cells[slot_of(s, s->in[i].key)] = (struct fence_cell){ s->in[i].key, (uint32_t)i, (uint32_t)(end - i) };
	}
}

// ---- for whom ----------------------------------------------------------------------------------
static int number_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

// Movers by their device, and those with a tag by its number.
struct by_device { int64_t device; uint32_t mover; };
struct by_tag { struct str tag; uint32_t mover; };
struct finding { struct fence_set *s; struct by_device *device; struct by_tag *tag; size_t ntags, cap; };

static int device_cmp(const void *a, const void *b)
{
	const struct by_device *x = a, *y = b;
	return (x->device > y->device) - (x->device < y->device);
}

static int tag_cmp(const void *a, const void *b)
{
	const struct by_tag *x = a, *y = b;
	return str_cmp(x->tag, y->tag);
}

static void finding_begin(struct finding *fd, struct fence_set *s)
{
	*fd = (struct finding){ .s = s, .device = mem_alloc((s->nmovers + 1) * sizeof *fd->device),
		.tag = mem_alloc((s->nmovers + 1) * sizeof *fd->tag) };
	for (uint32_t m = 0; m < s->nmovers; m++) {
		fd->device[m] = (struct by_device){ s->movers[m].device, m };
		if (s->movers[m].tag.n)
			fd->tag[fd->ntags++] = (struct by_tag){ s->movers[m].tag, m };
	}
	qsort(fd->device, s->nmovers, sizeof *fd->device, device_cmp);
	qsort(fd->tag, fd->ntags, sizeof *fd->tag, tag_cmp);
}

static void finding_end(struct finding *fd)
{
	mem_free(fd->device);
	mem_free(fd->tag);
}

static void add_list(struct finding *fd, struct fence *f, uint32_t mover)
{
	f->list = arena_push(fd->s->arena, f->list, &f->nlist, &fd->cap, sizeof *f->list);
	f->list[f->nlist - 1] = mover;
}

static void list_devices(struct finding *fd, struct fence *f)
{
	for (size_t i = 0; i < f->def.ndevices; i++) {
		size_t lo = 0, hi = fd->s->nmovers;
		while (lo < hi) {
			size_t mid = (lo + hi) / 2;
			if (fd->device[mid].device < f->def.devices[i])
				lo = mid + 1;
			else
				hi = mid;
		}
		for (; lo < fd->s->nmovers && fd->device[lo].device == f->def.devices[i]; lo++)
			add_list(fd, f, fd->device[lo].mover);
	}
}

static void list_tags(struct finding *fd, struct fence *f)
{
	for (size_t i = 0; i < f->def.ntags; i++) {
		size_t lo = 0, hi = fd->ntags;
		while (lo < hi) {
			size_t mid = (lo + hi) / 2;
			if (str_cmp(fd->tag[mid].tag, f->def.tags[i]) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		for (; lo < fd->ntags && str_eq(fd->tag[lo].tag, f->def.tags[i]); lo++)
			add_list(fd, f, fd->tag[lo].mover);
	}
}

static void list_movers(struct finding *fd, struct fence *f)
{
	fd->cap = 0;
	f->all = !f->def.ndevices && !f->def.ntags;
	list_devices(fd, f);
	list_tags(fd, f);
	if (f->nlist)
		qsort(f->list, f->nlist, sizeof *f->list, number_cmp);
}

// Each mover of the fence, as often as it is in its list.
static void each_held(struct fence_set *s, uint32_t fence, bool count)
{
	const struct fence *f = &s->v[fence];
	size_t n = f->all ? s->nmovers : f->nlist;
	for (size_t i = 0; i < n; i++) {
		uint32_t m = f->all ? (uint32_t)i : f->list[i];
		struct mover_fences *mf = &s->must[m];
		if ((i && !f->all && f->list[i - 1] == m) || !fence_holds(f, &s->movers[m], m))
			continue;
		if (count && mf->n < LIMIT_FENCES_A_MOVER)
			mf->n++;
		else if (count)
			s->made.crowded++;
		else if (mf->n < LIMIT_FENCES_A_MOVER)
			s->musts[mf->at + mf->n++] = fence;
	}
}

// Fences that a mover must stay in are judged at each of its positions, wherever it is.
static void find_musts(struct fence_set *s)
{
	s->must = arena_many(s->arena, s->nmovers, struct mover_fences);
	for (uint32_t i = 0; i < s->n; i++)
		if (fence_must(s->v[i].def.kind))
			each_held(s, i, true);
	for (size_t m = 0; m < s->nmovers; m++) {
		s->must[m].at = (uint32_t)s->nmusts;
		s->nmusts += s->must[m].n;
		s->must[m].n = 0;
	}
	s->musts = arena_many(s->arena, s->nmusts, uint32_t);
	for (uint32_t i = 0; i < s->n; i++)
		if (fence_must(s->v[i].def.kind))
			each_held(s, i, false);
}

// ---- a generation ------------------------------------------------------------------------------
static int mover_cmp(const void *a, const void *b)
{
	const struct fence_mover *x = a, *y = b;
	return (x->lon > y->lon) - (x->lon < y->lon);
}

static void take_movers(struct fence_set *s, const struct fence_mover *movers, size_t n)
{
	s->movers = arena_many(s->arena, n, struct fence_mover);
	for (size_t i = 0; i < n; i++)
		if (movers[i].lon && movers[i].lat && movers[i].lon <= s->max_point && movers[i].lat <= s->max_point &&
			movers[i].speed <= s->max_point) {
			s->movers[s->nmovers] = movers[i];
			s->movers[s->nmovers].tag = arena_str(s->arena, movers[i].tag);
			s->movers[s->nmovers++].area = arena_str(s->arena, movers[i].area);
		}
	if (s->nmovers)
		qsort(s->movers, s->nmovers, sizeof *s->movers, mover_cmp);
	s->role = mem_alloc(((size_t)s->max_point + 1) * sizeof *s->role);
	for (uint32_t m = 0; m < s->nmovers; m++) {
		s->role[s->movers[m].lon] = m * 4 + 5;
		s->role[s->movers[m].lat] = m * 4 + 6;
		if (s->movers[m].speed)
			s->role[s->movers[m].speed] = m * 4 + 7;
	}
}

static int fence_cmp(const void *a, const void *b)
{
	const struct fence *x = a, *y = b;
	return (x->def.id > y->def.id) - (x->def.id < y->def.id);
}

static void keep_def(struct fence_set *s, struct fence_def *d)
{
	struct fence_stop *stops = arena_many(s->arena, d->nstops, struct fence_stop);
	if (d->nstops)
		memcpy(stops, d->stops, d->nstops * sizeof *stops);
	d->stops = stops;
	d->name = arena_str(s->arena, d->name);
	d->area = arena_str(s->arena, d->area);
	d->shape = NULL;
}

struct fence_set *fence_set_new(const struct fence_def *v, size_t n, const struct fence_mover *movers, size_t nmovers, uint32_t max_point,
                                void (*bad)(void *arg, int64_t id), void *arg)
{
	struct fence_set *s = mem_alloc(sizeof *s);
	*s = (struct fence_set){ .arena = arena_new(64 << 10), .max_point = max_point };
	take_movers(s, movers, nmovers);
	struct finding fd;
	finding_begin(&fd, s);
	s->v = arena_many(s->arena, MIN(n, (size_t)LIMIT_FENCES), struct fence);
	for (size_t i = 0; i < n; i++) {
		struct fence *f = s->n < LIMIT_FENCES ? &s->v[s->n] : NULL;
		if (f && fence_shape(f, &v[i], s->arena)) {
			list_movers(&fd, f);
			keep_def(s, &f->def);
			s->n++;
		} else {
			s->made.bad++;
			if (bad)
				bad(arg, v[i].id);
		}
	}
	finding_end(&fd);
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, fence_cmp);
	find_musts(s);
	fence_index(s);
	s->made.fences = s->n;
	s->made.movers = s->nmovers;
	s->made.cells = s->ncells;
	s->made.bytes = arena_used(s->arena) + s->nin * sizeof *s->in + s->cells_cap * sizeof *s->cells;
	s->made.bytes += ((size_t)s->max_point + 1) * sizeof *s->role;
	return s;
}

void fence_set_free(struct fence_set *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	mem_free(s->in);
	mem_free(s->cells);
	mem_free(s->role);
	mem_free(s);
}

struct fence_made fence_set_made(const struct fence_set *s) { return s->made; }

bool fence_find(const struct fence_set *s, int64_t id, uint32_t *ret)
{
	size_t lo = 0, hi = s ? s->n : 0;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (s->v[mid].def.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = (uint32_t)lo;
	return s && lo < s->n && s->v[lo].def.id == id;
}

bool fence_set_holds(const struct fence_set *s, int64_t fence, uint32_t lon)
{
	uint32_t i, role = lon <= s->max_point ? s->role[lon] : 0;
	return role && fence_find(s, fence, &i) && fence_holds(&s->v[i], &s->movers[role / 4 - 1], role / 4 - 1);
}

double fence_distance(const struct fence_set *s, int64_t fence, double lon, double lat)
{
	uint32_t i;
	return fence_find(s, fence, &i) ? fence_where(&s->v[i], lon, lat) : NAN;
}
