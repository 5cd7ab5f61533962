// Devices that are connected, and their point tables. Devices send their points in the same order every time, so each
// entry remembers which one followed it: a lookup is one comparison of names, the hash table is for the exceptions.
#include "gate/conn.h"

#define TOPIC_ROOT "anlan/v1/"

static struct str device_key(const uint32_t *id) { return str_from((const char *)id, sizeof *id); }

struct device *device_by_id(struct gate *g, uint32_t id)
{
	uint32_t i;
	return strmap_get(g->devices, device_key(&id), &i) ? g->device_at[i] : NULL;
}

static struct device *device_new(struct gate *g, uint32_t id, struct str code)
{
	struct arena *a = arena_new(512);
	struct device *d = arena_one(a, struct device);
	d->arena = a;
	d->id = id;
	d->code = arena_str(a, code);
	d->readings_topic = arena_printf(a, TOPIC_ROOT "%.*s/readings", STR_FMT(code));
	d->command_topic = arena_printf(a, TOPIC_ROOT "%.*s/command", STR_FMT(code));
	d->refreshed = INT64_MIN / 2;
	if (g->ndevices == g->device_cap) {
		g->device_cap = MAX(g->device_cap * 2, (size_t)64);
		g->device_at = mem_resize(g->device_at, g->device_cap * sizeof(*g->device_at));
	}
	g->device_at[g->ndevices] = d;
	strmap_put(g->devices, device_key(&id), (uint32_t)g->ndevices++);
	return d;
}

static void device_free(struct gate *g, struct device *d)
{
	uint32_t i;
	if (strmap_get(g->devices, device_key(&d->id), &i)) {
		strmap_del(g->devices, device_key(&d->id));
		struct device *last = g->device_at[--g->ndevices];
		if (last != d) {
			g->device_at[i] = last;
			strmap_put(g->devices, device_key(&last->id), i);
		}
	}
	arena_free(d->table);
	arena_free(d->arena); // d itself
}

// --- point table ---

static struct str point_name(const struct device *d, const struct point *p)
{
	return str_from(d->names + p->name_off, p->name_len);
}

static uint32_t table_find(const struct device *d, struct str name) // index + 1, 0 = not there
{
	for (uint64_t h = str_hash(name);; h++) {
		uint32_t i = d->slots[h & d->mask];
		if (!i || str_eq(point_name(d, &d->points[i - 1]), name))
			return i;
	}
}

static void table_add(struct device *d, char *names, uint32_t *off, const struct msg_point *p, struct str name)
{
	if (!name.n || table_find(d, name))
		return;
	struct point *q = &d->points[d->npoints];
	*q = (struct point){ .id = p->point, .next = d->npoints + 1, .name_off = *off, .name_len = (uint16_t)name.n,
		             .scale = p->scale };
	memcpy(names + *off, name.p, name.n);
	*off += (uint32_t)name.n;
	uint64_t h = str_hash(name);
	while (d->slots[h & d->mask])
		h++;
	d->slots[h & d->mask] = ++d->npoints;
}

struct point_walk { // over the points of a message; stops at the end or where it would leave the message
	const char *p, *end;
	uint32_t left;
};

static bool walk_next(struct point_walk *w, struct msg_point *ret, struct str *ret_name, struct str *ret_addr)
{
	if (!w->left || (size_t)(w->end - w->p) < sizeof *ret)
		return false;
	memcpy(ret, w->p, sizeof *ret);
	size_t text = (size_t)ret->name_len + ret->addr_len, size = sizeof *ret + (text + 7) / 8 * 8;
	if ((size_t)(w->end - w->p) < size)
		return false;
	*ret_name = str_from(w->p + sizeof *ret, ret->name_len);
	*ret_addr = str_from(w->p + sizeof *ret + ret->name_len, ret->addr_len);
	w->p += size;
	w->left--;
	return true;
}

struct table_size {
	uint32_t entries; // names and addresses
	size_t text;      // their bytes
};

// False: the message does not hold the points it promises.
static bool table_measure(const struct msg_welcome *m, size_t n, struct table_size *ret)
{
	struct point_walk w = { (const char *)(m + 1), (const char *)m + n - m->template_len, m->m.count };
	struct msg_point p;
	struct str name, addr;
	*ret = (struct table_size){ 0 };
	while (walk_next(&w, &p, &name, &addr)) {
		ret->entries += (name.n != 0) + (addr.n != 0);
		ret->text += name.n + addr.n;
	}
	return w.left == 0;
}

// One block for all of it: a million points in ten thousand devices are some 50 MB.
static void device_set_points(struct device *d, const struct msg_welcome *m, size_t n, struct table_size size)
{
	const char *first = (const char *)(m + 1), *end = (const char *)m + n - m->template_len;
	uint32_t slots = 8;
	while (slots < size.entries * 2) // at most half full
		slots *= 2;
	arena_free(d->table);
	d->table = arena_new((size.entries + 1) * sizeof(struct point) + slots * sizeof(uint32_t) + size.text + m->template_len + 128);
	d->learned++;
	d->points = arena_many(d->table, size.entries + 1, struct point);
	d->slots = arena_many(d->table, slots, uint32_t);
	char *names = arena_alloc(d->table, size.text);
	d->names = names;
	d->mask = slots - 1;
	d->npoints = 0;
	d->expect = 0;
	uint32_t off = 0;
	struct msg_point p;
	struct str name, addr;
	for (struct point_walk w = { first, end, m->m.count }; walk_next(&w, &p, &name, &addr);)
		table_add(d, names, &off, &p, name);
	for (struct point_walk w = { first, end, m->m.count }; walk_next(&w, &p, &name, &addr);)
		table_add(d, names, &off, &p, addr); // a name of another point wins over an address
	d->last = d->npoints;
	d->tpl = NULL;
	if (m->template_len)
		d->tpl = memcpy(arena_alloc(d->table, m->template_len), end, m->template_len);
}

// The core made it; a block that is not whole would still be read out of bounds.
static bool template_whole(const struct msg_welcome *m, size_t n)
{
	return !m->template_len || (m->template_len <= n - sizeof *m && m->template_len % 8 == 0 &&
	                            template_sound((const char *)m + n - m->template_len, m->template_len));
}

struct device *device_learn(struct gate *g, const struct msg_welcome *m, size_t n, struct str code)
{
	struct table_size size;
	if (n < sizeof *m || m->m.count > LIMIT_POINTS_PER_DEVICE || !m->m.device || !template_whole(m, n) || !table_measure(m, n, &size))
		return NULL;
	struct device *d = device_by_id(g, m->m.device);
	if (!d)
		d = device_new(g, m->m.device, code);
	device_set_points(d, m, n, size);
	d->bcd_time = m->flags & WELCOME_BCD_TIME;
	return d;
}

const struct point *device_point(struct device *d, struct str name)
{
	uint32_t guess = d->expect;
	if (guess < d->npoints) {
		const struct point *p = &d->points[guess];
		if (p->name_len == name.n && memcmp(d->names + p->name_off, name.p, name.n) == 0) {
			d->last = guess;
			d->expect = p->next;
			return p;
		}
	}
	uint32_t i = table_find(d, name);
	if (!i)
		return NULL;
	d->points[d->last].next = i - 1;
	d->last = i - 1;
	d->expect = d->points[i - 1].next;
	return &d->points[i - 1];
}

// --- connections of a device ---

void device_attach(struct device *d, struct conn *c)
{
	c->device = d;
	c->device_next = d->conns;
	d->conns = c;
}

void device_detach(struct conn *c)
{
	struct device *d = c->device;
	if (!d)
		return;
	c->device = NULL;
	for (struct conn **at = &d->conns; *at; at = &(*at)->device_next)
		if (*at == c) {
			*at = c->device_next;
			break;
		}
	if (!d->conns)
		device_free(c->gate, d);
}
