// From records and alarms to what the boards hold. Reads on the connection it is given, a row at a time.
#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/time.h"
#include "measure/index_int.h"
#include "model/exprs.h"

// ---- rows --------------------------------------------------------------------------------------
struct list_query index_rows(const struct source *s, int64_t enterprise, int64_t now, struct arena *a)
{
	struct cond_now at = { .now = now, .zone = time_zone() };
	struct list_query lq = { .cond = s->where ? cond_resolve(s->where, &at, a) : NULL };
	if (!enterprise)
		return lq;
	struct filter *f = arena_one(a, struct filter);
	struct value *v = arena_one(a, struct value);
	*v = (struct value){ .kind = VAL_INT, .i = MAX(enterprise, INT64_C(0)) }; // NO_ENTERPRISE is kept as 0
	*f = (struct filter){ .column = STR("enterprise"), .op = FILTER_EQ, .vals = v, .nvals = 1 };
	lq.filters = f;
	lq.nfilters = 1;
	return lq;
}

static int64_t common_moment(struct str column, const struct common *c)
{
	return str_is(column, "changed_at") ? c->changed_at : str_is(column, "state_at") ? c->state_at :
	       str_is(column, "deadline") ? c->deadline : c->created_at;
}

int64_t row_moment(const struct source *s, const struct row *row)
{
	const struct field *f = type_field(s->type, s->at_column);
	const struct value *v = f ? &row->vals[f->col] : NULL;
	char text[40];
	int64_t us = 0;
	if (!v)
		return common_moment(s->at_column, &row->c);
	if (v->kind == VAL_INT)
		return v->i;
	if (v->kind != VAL_TEXT || v->s.n != 10)
		return 0;
	int n = snprintf(text, sizeof text, "%.*s 00:00:00", STR_FMT(v->s));
	return time_parse_local(str_from(text, (size_t)n), time_zone(), &us) ? us : 0;
}

struct counting {
	struct board *b;
	const struct index_component *c;
	struct index_slot *into;    // of one enterprise; NULL: each row its own
	size_t cap_covers;
};

// Which weight the row takes; SIZE_MAX: it counts nothing.
static size_t slot_of(const struct index_component *c, struct str value)
{
	size_t other = SIZE_MAX;
	for (size_t i = 0; i < c->nweights; i++) {
		if (value.n && str_eq(c->weights[i].value, value))
			return c->slot + i;
		if (!c->weights[i].value.n)
			other = c->slot + i;
	}
	return other;
}

static double row_amount(const struct counting *k, const struct row *row)
{
	const struct index_component *c = k->c;
	double sum = 1;
	if (c->of.sum) {
		const struct value *v = &row->vals[c->of.sum->col];
		sum = v->kind == VAL_INT ? (double)v->i : v->kind == VAL_REAL ? v->f : 0;
		if (c->of.sum->kind == FIELD_MONEY)
			sum /= 100;
	}
	int64_t at = c->half_life ? row_moment(&c->of, row) : 0;
	return fmax(sum, 0) * (c->half_life && !at ? 0 : index_amount(c, at, k->b->epoch));
}

static void cover_add(struct counting *k, const struct row *row, size_t slot, double amount)
{
	struct board *b = k->b;
	const struct value *v = k->c->sectors ? &row->vals[k->c->sectors->col] : NULL;
	if (b->ncovers >= LIMIT_INDEX_COVERS)
		return;
	if (b->ncovers == k->cap_covers) {
		k->cap_covers = MAX(k->cap_covers * 2, (size_t)16);
		b->covers = mem_resize(b->covers, k->cap_covers * sizeof *b->covers);
	}
	struct cover *c = &b->covers[b->ncovers++];
	struct str prefix = area_prefix(row->c.area);
	memset(c, 0, sizeof *c); // they are compared byte by byte
	c->slot = slot;
	c->amount = (float)amount;
	snprintf(c->prefix, sizeof c->prefix, "%.*s", (int)MIN(prefix.n, (size_t)12), prefix.p);
	if (v && v->kind == VAL_TEXT)
		snprintf(c->sectors, sizeof c->sectors, "%.*s", STR_FMT(v->s));
}

static void own_add(struct board *b, enum index_kind kind, struct str key, size_t slot, double amount)
{
	struct node *n = key.n ? board_node(b, kind, key) : NULL;
	if (!n)
		return;
	struct index_slot *s = &node_slots(b, n)[slot];
	s->n += 1;
	s->v += (float)amount;
	n->dirty = true;
}

// A row without enterprise: of its village, town, county, city, and of its sector.
static void own_row(struct board *b, const struct row *row, size_t slot, double amount)
{
	static const size_t tiers[] = { 12, 9, 6, 4, 2 };
	char code[13];
	size_t own = area_prefix(row->c.area).n;
	for (size_t i = 0; row->c.area.n == 12 && i < ARRAY_LEN(tiers); i++) {
		if (tiers[i] > own)
			continue;
		snprintf(code, sizeof code, "%.*s%s", (int)tiers[i], row->c.area.p, &"000000000000"[tiers[i]]);
		own_add(b, INDEX_AREA, str_of(code), slot, amount);
	}
	own_add(b, INDEX_SECTOR, row->c.sector, slot, amount);
}

static enum err count_row(void *arg, const struct row *row)
{
	struct counting *k = arg;
	const struct value *by = k->c->by ? &row->vals[k->c->by->col] : NULL;
	size_t slot = slot_of(k->c, by && by->kind == VAL_TEXT ? by->s : STR_EMPTY);
	board_turn(k->b);
	if (slot == SIZE_MAX)
		return OK;
	double amount = row_amount(k, row);
	if (k->c->covers) {
		cover_add(k, row, slot, amount);
		return OK;
	}
	int64_t e = row->c.enterprise;
	struct index_slot *into = k->into;
	if (!into && e <= 0) {
		own_row(k->b, row, slot, amount);
		return OK;
	}
	if (!into && e > 0 && (size_t)e < k->b->nunits && k->b->units[e].there)
		into = k->b->slots + (size_t)e * k->b->x->nslots;
	if (into) {
		into[slot].n += 1;
		into[slot].v += (float)amount;
	}
	return OK;
}

static enum err count_records(struct counting *k, struct db *db, int64_t enterprise, int64_t now, struct arena *a, struct problem *p)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct list_query lq = index_rows(&k->c->of, enterprise, now, a);
	(void)p;
	return records_each(db, &k->c->of.type->table, &lq, scratch, count_row, k);
}

// ---- alarms ------------------------------------------------------------------------------------
static unsigned family_bit(struct str s)
{
	static const char *const names[] = { "limit", "rate", "silent", "flat", "bad" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(s, names[i]))
			return 1u << i;
	return 0;
}

static enum err count_alarms(struct counting *k, struct db *db, int64_t enterprise, struct arena *a)
{
	struct query q;
	query_begin(&q, db, enterprise ? STMT_INDEX_ALARMS_OF : STMT_INDEX_ALARMS);
	if (enterprise)
		query_i64(&q, 1, enterprise);
	while (query_row(&q)) {
		board_turn(k->b);
		int64_t e = query_get_i64(&q, 0);
		size_t slot = slot_of(k->c, query_get_str(&q, 2, a));
		struct index_slot *into = k->into;
		if (slot == SIZE_MAX || !(k->c->families & family_bit(query_get_str(&q, 1, a))))
			continue;
		if (!into && e > 0 && (size_t)e < k->b->nunits && k->b->units[e].there)
			into = k->b->slots + (size_t)e * k->b->x->nslots;
		if (into) {
			into[slot].n += (float)query_get_i64(&q, 3);
			into[slot].v += (float)query_get_i64(&q, 3);
		}
	}
	return query_end(&q);
}

enum err count_component(struct board *b, struct db *db, const struct index_component *c, int64_t enterprise, struct index_slot *into,
                         int64_t now, struct arena *a, struct problem *p)
{
	struct counting k = { .b = b, .c = c, .into = into, .cap_covers = b->ncovers };
	return c->of.type ? count_records(&k, db, enterprise, now, a, p) : count_alarms(&k, db, enterprise, a);
}

// ---- enterprises -------------------------------------------------------------------------------
struct placing {
	struct board *b;
	const struct field *grid;
};

static enum err place_row(void *arg, const struct row *row)
{
	const struct placing *pl = arg;
	const struct value *g = pl->grid ? &row->vals[pl->grid->col] : NULL;
	board_turn(pl->b);
	if (row->c.id > 0 && row->c.id <= LIMIT_INDEX_ENTERPRISES)
		unit_place(pl->b, row->c.id, row->c.area, row->c.sector, g && g->kind == VAL_INT ? g->i : 0);
	return OK;
}

enum err count_units(struct board *b, struct db *db, const struct registry *reg, struct arena *a, struct problem *p)
{
	const struct type *t = registry_type(reg, STR("enterprise"));
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(16 << 10);
	const struct field *grid = t ? type_field(t, STR("grid")) : NULL;
	struct placing pl = { .b = b, .grid = grid && grid->kind == FIELD_REF ? grid : NULL };
	(void)a, (void)p;
	return t ? records_each(db, &t->table, NULL, scratch, place_row, &pl) : OK;
}

// ---- building and updating ---------------------------------------------------------------------
static void carry(struct standing *to, const struct standing *from)
{
	uint16_t tenths = to->tenths;
	uint8_t color = to->color;
	*to = *from;
	to->tenths = tenths;
	to->color = color;
}

static void score_all(struct board *b, int64_t now)
{
	for (size_t i = 0; i < b->nunits; i++) {
		board_turn(b);
		if (b->units[i].there)
			unit_score(b, (int64_t)i, now);
	}
	nodes_score(b, now);
}

static enum err board_count(struct board *b, struct db *db, const struct registry *reg, int64_t now, struct arena *a, struct problem *p)
{
	enum err err = count_units(b, db, reg, a, p);
	for (size_t i = 0; !err && i < b->x->ncomponents; i++)
		err = count_component(b, db, &b->x->components[i], 0, NULL, now, a, p);
	if (!err)
		score_all(b, now);
	return err;
}

// ---- changes -----------------------------------------------------------------------------------
static int lowest_of(const struct standing *s)
{
	int low = s->tenths;
	for (int i = 0; i < RING; i++)
		if (s->ring[i] != NO_SCORE)
			low = MIN(low, s->ring[i]);
	return low;
}

static struct index_change *change_new(struct index_changes *all, struct arena *a)
{
	all->v = arena_push(a, all->v, &all->n, &all->cap, sizeof *all->v);
	return &all->v[all->n - 1];
}

static void change_fill(const struct board *b, struct index_change *c, struct standing *s, int was, uint8_t color_was, int64_t now)
{
	c->tenths = s->tenths;
	c->was = was;
	c->color = (enum index_color)s->color;
	c->color_was = (enum index_color)color_was;
	c->lowest = lowest_of(s);
	c->rise = b->x->rise > 0 && c->tenths - c->lowest > (int)lround(b->x->rise * 10) && now - s->rise_at >= US_PER_DAY;
	if (c->rise)
		s->rise_at = now;
}

static void unit_change(struct board *b, int64_t id, int was, uint8_t color_was, int64_t now, struct arena *a, struct index_changes *ret)
{
	struct unit *u = &b->units[id];
	struct index_change one = { .kind = INDEX_ENTERPRISE, .id = id };
	if (u->s.tenths == was && u->s.color == color_was)
		return;
	change_fill(b, &one, &u->s, was, color_was, now);
	if (ret->many && was >= 0 && one.color == one.color_was && !one.rise)
		return;
	struct index_change *c = change_new(ret, a);
	struct place at = unit_where(b, id);
	one.key = arena_printf(a, "%lld", (long long)id);
	one.place = (struct place){ arena_str(a, at.area), id, arena_str(a, at.sector) };
	*c = one;
	for (size_t k = 0; k < b->x->ncomponents; k++)
		c->points[k] = (double)b->parts[(size_t)id * b->x->ncomponents + k];
}

static void node_change(struct board *b, struct node *n, int was, uint8_t color_was, int64_t now, struct arena *a,
                        struct index_changes *ret)
{
	if (n->s.tenths == was && n->s.color == color_was)
		return;
	struct index_change *c = change_new(ret, a);
	struct place at = node_place(b, n);
	*c = (struct index_change){ .kind = n->kind, .key = arena_str(a, str_of(n->key)),
		                    .place = { arena_str(a, at.area), 0, arena_str(a, at.sector) } };
	change_fill(b, c, &n->s, was, color_was, now);
	for (size_t k = 0; k < b->x->ncomponents; k++)
		c->points[k] = n->n ? n->parts[k] / n->n : 0;
}

// What differs between the board of before and this one; what was there before keeps its past.
static void compare(struct board *b, const struct board *old, int64_t now, struct arena *a, struct index_changes *ret)
{
	b->hour = old->hour;
	ret->many = true;
	for (size_t i = 0; i < b->nunits; i++) {
		const struct unit *o = i < old->nunits && old->units[i].there ? &old->units[i] : NULL;
		if (!b->units[i].there)
			continue;
		if (o)
			carry(&b->units[i].s, &o->s);
		unit_change(b, (int64_t)i, o ? o->s.tenths : -1, o ? o->s.color : INDEX_NONE, now, a, ret);
	}
	for (size_t i = 0; i < b->nnodes; i++) {
		struct node *n = &b->nodes[i], *o = board_node(old, n->kind, str_of(n->key));
		if (o)
			carry(&n->s, &o->s);
		node_change(b, n, o ? o->s.tenths : -1, o ? o->s.color : INDEX_NONE, now, a, ret);
	}
}

static void boards_free(struct index_live *l)
{
	for (size_t i = 0; i < l->n; i++)
		board_free(l->boards[i]);
	l->n = 0;
}

enum err index_count_all(struct index_live *next, struct db *db, const struct risk_indexes *all, int64_t now,
                         const struct index_pause *pause, struct arena *a, struct problem *p)
{
	struct str names[INDEX_BOARDS];
	struct turns turns = { .pause = pause, .since = clock_mono() };
	size_t nnames = index_names(all, names, INDEX_BOARDS);
	enum err err = OK;
	boards_free(next);
	for (size_t i = 0; !err && i < nnames; i++) {
		const struct risk_index *x = index_in_force(all, names[i], now);
		if (!x)
			continue;
		struct board *b = next->boards[next->n++] = board_new(x, now);
		b->reg = all->reg;
		b->turns = pause ? &turns : NULL;
		err = board_count(b, db, all->reg, now, a, p);
		b->turns = NULL;
	}
	if (err)
		boards_free(next);
	return err;
}

void index_replace(struct index_live *l, struct index_live *next, int64_t now, struct arena *a, struct index_changes ret[INDEX_BOARDS])
{
	struct board *was[INDEX_BOARDS];
	size_t n = l->n;
	for (size_t i = 0; i < next->n; i++) {
		const struct board *before = live_board(l, next->boards[i]->x->name);
		if (before)
			compare(next->boards[i], before, now, a, &ret[i]);
	}
	pthread_rwlock_wrlock(&l->lock);
	memcpy(was, l->boards, sizeof was);
	memcpy(l->boards, next->boards, sizeof was);
	l->n = next->n;
	pthread_rwlock_unlock(&l->lock);
	memcpy(next->boards, was, sizeof was);
	next->n = n;
}

enum err index_build(struct index_live *l, struct db *db, const struct risk_indexes *all, int64_t now, struct arena *a,
                     struct index_changes ret[INDEX_BOARDS], struct problem *p)
{
	struct index_live *next = index_live_new();
	enum err err = index_count_all(next, db, all, now, NULL, a, p);
	if (!err)
		index_replace(l, next, now, a, ret);
	index_live_free(next);
	return err;
}

// ---- one enterprise ----------------------------------------------------------------------------
struct recount {                // worked out without the lock, put in with it
	int64_t id;
	bool gone;
	struct str area, sector;
	int64_t grid;
	struct index_slot slots[INDEX_SLOTS];
};

static enum err recount_place(struct recount *r, struct db *db, const struct type *t, struct arena *a)
{
	const struct field *grid = type_field(t, STR("grid"));
	struct row row;
	enum err err = records_get(db, &t->table, &(struct scope){ 0 }, r->id, a, &row);
	r->gone = err == ERR_NOT_FOUND || (!err && row.c.retired);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	r->area = row.c.area;
	r->sector = row.c.sector;
	r->grid = grid && grid->kind == FIELD_REF && row.vals[grid->col].kind == VAL_INT ? row.vals[grid->col].i : 0;
	return OK;
}

static enum err recount(struct board *b, struct db *db, const struct type *t, struct recount *r, unsigned components, int64_t now,
                        struct arena *a, struct problem *p)
{
	bool known = (size_t)r->id < b->nunits && b->units[r->id].there;
	enum err err = recount_place(r, db, t, a);
	if (err || r->gone)
		return err;
	if (known)
		memcpy(r->slots, b->slots + (size_t)r->id * b->x->nslots, b->x->nslots * sizeof *r->slots);
	for (size_t i = 0; !err && i < b->x->ncomponents; i++) {
		const struct index_component *c = &b->x->components[i];
		if (c->covers || (known && !(components & 1u << i)))
			continue;
		memset(r->slots + c->slot, 0, c->nweights * sizeof *r->slots);
		err = count_component(b, db, c, r->id, r->slots, now, a, p);
	}
	return err;
}

static void put_recount(struct board *b, const struct recount *r, int64_t now)
{
	if (r->gone) {
		unit_remove(b, r->id);
		return;
	}
	unit_place(b, r->id, r->area, r->sector, r->grid);
	memcpy(b->slots + (size_t)r->id * b->x->nslots, r->slots, b->x->nslots * sizeof *r->slots);
	unit_score(b, r->id, now);
}

static size_t distinct(const struct index_news *news, int64_t *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < news->n; i++) {
		bool known = news->enterprises[i] <= 0 || news->enterprises[i] > LIMIT_INDEX_ENTERPRISES;
		for (size_t k = 0; k < n && !known; k++)
			known = ret[k] == news->enterprises[i];
		if (!known)
			ret[n++] = news->enterprises[i];
	}
	return n;
}

struct before { uint16_t tenths; uint8_t color; bool there; };

static enum err covers_again(struct board *b, struct db *db, int64_t now, struct arena *a, struct problem *p)
{
	struct board fresh = { .x = b->x, .epoch = b->epoch };
	enum err err = OK;
	for (size_t i = 0; !err && i < b->x->ncomponents; i++)
		if (b->x->components[i].covers)
			err = count_component(&fresh, db, &b->x->components[i], 0, NULL, now, a, p);
	if (err) {
		mem_free(fresh.covers);
		return err;
	}
	if (fresh.ncovers == b->ncovers && (!b->ncovers || memcmp(fresh.covers, b->covers, b->ncovers * sizeof *b->covers) == 0)) {
		mem_free(fresh.covers);
		return OK;
	}
	mem_free(b->covers); // under the lock, and nobody but this thread writes
	b->covers = fresh.covers;
	b->ncovers = fresh.ncovers;
	for (size_t i = 0; i < b->nunits; i++)
		if (b->units[i].there)
			unit_score(b, (int64_t)i, now);
	return OK;
}

// Rows without enterprise of these components; the other components' stay.
static enum err own_again(struct board *b, struct db *db, unsigned components, int64_t now, struct arena *a, struct problem *p)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < b->x->ncomponents; i++) {
		const struct index_component *c = &b->x->components[i];
		if (!(components & 1u << i) || !c->of.type)
			continue;
		for (size_t k = 0; k < b->nnodes; k++)
			if (b->nodes[k].own) {
				memset(b->nodes[k].own + c->slot, 0, c->nweights * sizeof *b->nodes[k].own);
				b->nodes[k].dirty = true;
			}
		err = count_component(b, db, c, NO_ENTERPRISE, NULL, now, a, p);
	}
	return err;
}

static struct before *remember(const struct board *b, bool units, struct arena *a)
{
	size_t n = b->nnodes + (units ? b->nunits : 0);
	struct before *v = arena_many(a, n + 1, struct before);
	for (size_t i = 0; i < b->nnodes; i++)
		v[i] = (struct before){ b->nodes[i].s.tenths, b->nodes[i].s.color, true };
	for (size_t i = 0; units && i < b->nunits; i++)
		v[b->nnodes + i] = (struct before){ b->units[i].s.tenths, b->units[i].s.color, b->units[i].there };
	return v;
}

enum err index_update(struct index_live *l, struct db *db, size_t which, const struct index_news *news, int64_t now, struct arena *a,
                      struct index_changes *ret, struct problem *p)
{
	struct board *b = l->boards[which];
	const struct type *t = registry_type(b->reg, STR("enterprise"));
	int64_t *ids = arena_many(a, news->n + 1, int64_t);
	size_t n = t ? distinct(news, ids) : 0, nnodes = b->nnodes, nunits = b->nunits;
	struct recount *v = arena_many(a, n + 1, struct recount);
	struct before *was = remember(b, news->covers, a), *unit_was = arena_many(a, n + 1, struct before);
	enum err err = OK;
	for (size_t i = 0; !err && i < n; i++) {
		v[i].id = ids[i];
		err = recount(b, db, t, &v[i], news->components, now, a, p);
		if ((size_t)ids[i] < b->nunits)
			unit_was[i] = (struct before){ b->units[ids[i]].s.tenths, b->units[ids[i]].s.color, b->units[ids[i]].there };
	}
	if (err)
		return err;
	pthread_rwlock_wrlock(&l->lock);
	for (size_t i = 0; i < n; i++)
		put_recount(b, &v[i], now);
	if (news->covers)
		err = covers_again(b, db, now, a, p);
	if (!err && news->own)
		err = own_again(b, db, news->own, now, a, p);
	ret->many = news->covers;
	nodes_score(b, now);
	for (size_t i = 0; !news->covers && i < n; i++)
		if (!v[i].gone)
			unit_change(b, ids[i], unit_was[i].there ? unit_was[i].tenths : -1, unit_was[i].color, now, a, ret);
	for (size_t i = 0; news->covers && i < b->nunits; i++)
		if (b->units[i].there)
			unit_change(b, (int64_t)i, i < nunits && was[nnodes + i].there ? was[nnodes + i].tenths : -1,
			            i < nunits ? was[nnodes + i].color : INDEX_NONE, now, a, ret);
	for (size_t i = 0; i < b->nnodes; i++)
		node_change(b, &b->nodes[i], i < nnodes ? was[i].tenths : -1, i < nnodes ? was[i].color : INDEX_NONE, now, a, ret);
	pthread_rwlock_unlock(&l->lock);
	return err;
}
