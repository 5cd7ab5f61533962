// Which watchers there are: the rules with an expression at the points that they watch, with the points of each role. Made anew as a
// whole when a point of a kind that such a rule names changes; the state goes over. T_SERIES, between two samples.
#include <math.h>
#include <stdlib.h>

#include "alarm/rule.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/strmap.h"

#define PER_LINE (64 / sizeof(struct member)) // and of the heap's entries
#define DEFAULT_HOLD (10 * US_PER_MIN) // of a kind that says nothing of its interval
const char *const when_scopes[] = { "device", "installation", "enterprise", "area", NULL };

struct sorted { uint32_t kind; int64_t key; struct str area; uint32_t id, at; }; // a point in one order
struct pair_of { uint32_t channel, watcher; };
struct feature_of { struct feature f; uint32_t channel, next; }; // next: of the channel + 1

struct when_load {
	const struct when_set *old;
	struct when_set *s;         // NULL: no rule has an expression
	const struct rule_set *rs;
	const struct registry *reg;
	bool all, changed;
	bool *gone;                 // not all: by index of old's points: put again or dropped
	const struct when_slot **slots; // by rule: the set's own
	struct arena *a;            // until the end
	struct strmap *kinds;       // of points that are named → number
	struct sorted *order[SCOPE__MAX];
	struct feature_of *features;
	size_t nfeatures, features_cap;
	uint32_t *heads;            // by channel: first feature + 1
	struct pair_of *pairs;
	size_t npairs, pairs_cap;
	size_t channels_cap, watchers_cap, binds_cap, members_cap;
};

// ---- the points --------------------------------------------------------------------------------
static bool any_when(const struct rule_set *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		if (rs->v[i].when)
			return true;
	return false;
}

static void note_kinds(struct when_load *l, const struct rule_set *rs)
{
	uint32_t n = 0;
	for (size_t i = 0; i < rs->n; i++)
		for (size_t k = 0; rs->v[i].when && k < rs->v[i].when->nroles; k++)
			for (size_t j = 0; j < rs->v[i].when->roles[k].nkinds; j++) {
				uint32_t there;
				struct str kind = rs->v[i].when->roles[k].kinds[j];
				if (!strmap_get(l->kinds, kind, &there))
					strmap_put(l->kinds, kind, n++);
			}
}

static struct when_point *point_room(struct when_set *s)
{
	if (s->npoints == s->points_cap) {
		s->points_cap = MAX(s->points_cap * 2, (size_t)64);
		s->points = mem_resize(s->points, s->points_cap * sizeof *s->points);
	}
	return &s->points[s->npoints++];
}

static void point_keep(struct when_set *s, const struct when_point *p)
{
	struct when_point *q = point_room(s);
	*q = *p;
	struct str *texts[] = { &q->def.code, &q->def.kind, &q->def.area, &q->def.sector };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = arena_str(s->texts, *texts[i]);
}

struct when_load *when_begin(const struct when_set *old, const struct rule_set *rs, const struct registry *reg, bool all)
{
	struct when_load *l = mem_alloc(sizeof *l);
	*l = (struct when_load){ .old = old, .rs = rs, .reg = reg, .all = all, .a = arena_new(64 << 10), .kinds = strmap_new(64), .changed = all };
	if (!any_when(rs))
		return l;
	note_kinds(l, rs);
	l->s = mem_alloc(sizeof *l->s);
	*l->s = (struct when_set){ .rules = rs, .reg = reg, .arena = arena_new(64 << 10), .texts = arena_new(16 << 10) };
	return l;
}

static size_t point_index(const struct when_set *s, uint32_t id) // of the first not below it
{
	size_t lo = 0, hi = s->npoints;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (s->points[mid].def.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

// Was it there? Then it does not stay as it was.
static bool knew(struct when_load *l, uint32_t id)
{
	size_t i = l->old ? point_index(l->old, id) : 0;
	bool there = l->old && i < l->old->npoints && l->old->points[i].def.id == id;
	if (there && !l->gone)
		l->gone = arena_many(l->a, l->old->npoints, bool);
	if (there)
		l->gone[i] = true;
	return there;
}

void when_put(struct when_load *l, const struct point_def *p)
{
	uint32_t kind;
	if (!l->s)
		return;
	bool named = strmap_get(l->kinds, p->kind, &kind), there = knew(l, p->id);
	l->changed |= named || there;
	if (!named)
		return;
	const struct point_kind *k = registry_kind(l->s->reg, p->kind);
	int64_t interval = MAX(p->interval, k ? k->interval : 0), stale = k ? k->stale_after : 0;
	struct when_point wp = { .def = *p, .hold = MAX(stale, 3 * interval) };
	if (wp.hold == 0)
		wp.hold = DEFAULT_HOLD;
	point_keep(l->s, &wp);
}

void when_drop(struct when_load *l, uint32_t point)
{
	l->changed |= knew(l, point);
}

bool when_has(const struct when_load *l, uint32_t point)
{
	for (size_t i = 0; l->s && i < l->s->npoints; i++)
		if (l->s->points[i].def.id == point)
			return true;
	return false;
}

const struct point_def *when_point_of(const struct when_set *s, uint32_t point) { return &s->points[point_index(s, point)].def; }

static int by_id(const void *a, const void *b)
{
	const struct when_point *x = a, *y = b;
	return (x->def.id > y->def.id) - (x->def.id < y->def.id);
}

// Not all were put: the others stay.
static void points_of_before(struct when_load *l)
{
	for (size_t i = 0; !l->all && l->old && i < l->old->npoints; i++)
		if (!l->gone || !l->gone[i])
			point_keep(l->s, &l->old->points[i]);
}

// ---- finding the points of a role --------------------------------------------------------------
static int64_t scope_key(const struct point_def *p, enum when_scope scope)
{
	return scope == SCOPE_DEVICE ? p->device : scope == SCOPE_INSTALLATION ? p->installation : scope == SCOPE_ENTERPRISE ? p->enterprise : 0;
}

static int by_scope(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	int area = str_cmp(x->area, y->area);
	return area ? area : (x->id > y->id) - (x->id < y->id);
}

static void sort_points(struct when_load *l)
{
	struct when_set *s = l->s;
	for (int scope = 0; scope < SCOPE__MAX; scope++) {
		l->order[scope] = arena_many(l->a, s->npoints, struct sorted);
		for (size_t i = 0; i < s->npoints; i++) {
			const struct point_def *p = &s->points[i].def;
			struct sorted *o = &l->order[scope][i];
			*o = (struct sorted){ .key = scope_key(p, (enum when_scope)scope), .id = p->id, .at = (uint32_t)i,
				              .area = scope == SCOPE_AREA ? p->area : STR_EMPTY };
			(void)strmap_get(l->kinds, p->kind, &o->kind);
		}
		if (s->npoints)
			qsort(l->order[scope], s->npoints, sizeof(struct sorted), by_scope);
	}
}

struct found { uint32_t v[LIMIT_RULE_MEMBERS + 1]; size_t n; }; // indexes of points; more than the limit: one too many

static bool code_fits(const struct when_role *r, const struct point_def *p) { return r->code.n == 0 || str_ends(p->code, r->code); }

// Those of one kind with the key, whose area begins like this; the point itself only if there may be several.
static void find_kind(const struct when_load *l, const struct when_role *r, const struct sorted *like, struct found *f)
{
	const struct sorted *order = l->order[r->scope];
	size_t lo = 0, hi = l->s->npoints;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (by_scope(&order[mid], like) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < l->s->npoints && f->n < ARRAY_LEN(f->v) && order[lo].kind == like->kind && order[lo].key == like->key &&
	       str_starts(order[lo].area, like->area); lo++) {
		bool own = l->s->points[order[lo].at].def.id == like->at; // like->at: the id of the point that is watched
		if (code_fits(r, &l->s->points[order[lo].at].def) && (r->many || !own))
			f->v[f->n++] = order[lo].at;
	}
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void find_role(const struct when_load *l, const struct when_role *r, const struct point_def *p, struct found *f)
{
	static const size_t areas[] = { 12, 9, 6, 4, 2 }; // GB/T 2260 and 10114: village, town, county, city, province
	f->n = 0;
	for (size_t a = 0; a < (r->scope == SCOPE_AREA ? ARRAY_LEN(areas) : 1) && f->n == 0; a++)
		for (size_t k = 0; k < r->nkinds; k++) {
			struct sorted like = { .key = scope_key(p, r->scope), .area = STR_EMPTY, .at = p->id };
			if (!strmap_get(l->kinds, r->kinds[k], &like.kind) || (r->scope != SCOPE_AREA && like.key == 0))
				continue;
			if (r->scope == SCOPE_AREA && (p->area.n < areas[a] || p->area.n == 0))
				continue;
			if (r->scope == SCOPE_AREA)
				like.area = str_first(p->area, areas[a]);
			find_kind(l, r, &like, f);
		}
	if (f->n)
		qsort(f->v, f->n, sizeof *f->v, by_number);
	if (!r->many)
		f->n = MIN(f->n, (size_t)1);
}

// ---- channels and their windows ----------------------------------------------------------------
static uint32_t slot_of(const struct when_set *s, uint32_t point)
{
	uint32_t i = point * UINT32_C(2654435761);
	while (s->by_point[i & s->mask].channel && s->channels[s->by_point[i & s->mask].channel - 1].point != point)
		i++;
	return i & (uint32_t)s->mask;
}

void when_prefetch(const struct when_set *s, uint32_t point)
{
	const struct when_place *at = &s->by_point[(point * UINT32_C(2654435761)) & s->mask];
	if (at->channel) {
		prefetch(&s->channels[at->channel - 1]);
		prefetch(&s->features[at->features]);
		prefetch(&s->features[at->features + 1]);
		prefetch(&s->watchers[at->user]);
	}
}

struct channel *when_channel(const struct when_set *s, uint32_t point)
{
	uint32_t at = s->by_point[slot_of(s, point)].channel;
	return at ? &s->channels[at - 1] : NULL;
}

static uint32_t channel_for(struct when_load *l, uint32_t point_at)
{
	struct when_set *s = l->s;
	const struct when_point *p = &s->points[point_at];
	uint32_t *at = &s->by_point[slot_of(s, p->def.id)].channel;
	if (*at)
		return *at - 1;
	s->channels = arena_push(l->a, s->channels, &s->nchannels, &l->channels_cap, sizeof *s->channels);
	s->channels[s->nchannels - 1] = (struct channel){ .point = p->def.id, .hold = p->hold, .quality = 255 };
	*at = (uint32_t)s->nchannels;
	return *at - 1;
}

static double limit_of(const struct point_def *p, int level) // enum level
{
	const double limits[] = { p->ll, p->l, p->h, p->hh };
	return limits[level];
}

static uint32_t feature_for(struct when_load *l, uint32_t channel, uint32_t point_at, const struct when_slot *slot)
{
	const struct channel *c = &l->s->channels[channel];
	if (!when_state(slot))
		return UINT32_MAX;
	struct feature f = { .slot = slot };
	double than = slot->limit >= 0 ? limit_of(&l->s->points[point_at].def, slot->limit) : slot->than;
	struct { int64_t what, window, op, hold; double than; } id = { slot->what, slot->window, slot->op, c->hold, than };
	if (slot->what != SLOT_MEAN && slot->what != SLOT_RATE)
		f.than = than;
	f.digest = crc32c(0, &id, sizeof id);
	for (uint32_t i = l->heads[channel]; i; i = l->features[i - 1].next) {
		struct feature *had = &l->features[i - 1].f;
		if (had->digest == f.digest && memcmp(had->slot->due, slot->due, sizeof slot->due) == 0)
			return i - 1;
	}
	l->features = arena_push(l->a, l->features, &l->nfeatures, &l->features_cap, sizeof *l->features);
	l->features[l->nfeatures - 1] = (struct feature_of){ f, channel, l->heads[channel] };
	l->heads[channel] = (uint32_t)l->nfeatures;
	return (uint32_t)l->nfeatures - 1;
}

static void reads(struct when_load *l, uint32_t channel, uint32_t watcher)
{
	for (size_t i = l->npairs; i > 0 && l->pairs[i - 1].watcher == watcher; i--)
		if (l->pairs[i - 1].channel == channel)
			return;
	l->pairs = arena_push(l->a, l->pairs, &l->npairs, &l->pairs_cap, sizeof *l->pairs);
	l->pairs[l->npairs - 1] = (struct pair_of){ channel, watcher };
}

// ---- watchers ----------------------------------------------------------------------------------
static bool of_role(const struct when_slot *s) { return s->what < SLOT_HOUR || s->what > SLOT_WORKING_HOURS; }

static struct member *member_room(struct when_load *l)
{
	l->s->members = arena_push(l->a, l->s->members, &l->s->nmembers, &l->members_cap, sizeof(struct member));
	return &l->s->members[l->s->nmembers - 1];
}

static void bind_slot(struct when_load *l, const struct when_slot *slot, const struct found *f, uint32_t watcher)
{
	struct when_set *s = l->s;
	struct bind b = { .first = (uint32_t)s->nmembers, .n = f->n > LIMIT_RULE_MEMBERS ? UINT32_MAX : (uint32_t)f->n };
	for (size_t i = 0; of_role(slot) && i < f->n && b.n != UINT32_MAX; i++) {
		uint32_t channel = channel_for(l, f->v[i]);
		double limit = slot->what == SLOT_LIMIT ? limit_of(&s->points[f->v[i]].def, slot->limit) : NAN;
		*member_room(l) = (struct member){ channel, feature_for(l, channel, f->v[i], slot), limit };
		reads(l, channel, watcher);
	}
	if (!of_role(slot)) { // one that is nobody, so that slot i has member i
		*member_room(l) = (struct member){ UINT32_MAX, UINT32_MAX, NAN };
		b.n = 0;
	} else if (b.n != 1) {
		s->watchers[watcher].single = false;
	}
	s->binds = arena_push(s->arena, s->binds, &s->nbinds, &l->binds_cap, sizeof *s->binds);
	s->binds[s->nbinds - 1] = b;
}

// The points of each role; false if one has none, or the point itself lacks a limit that is asked for: nothing to judge there.
static bool find_roles(const struct when_load *l, const struct when *w, uint32_t point_at, struct found *f)
{
	const struct point_def *p = &l->s->points[point_at].def;
	bool used[LIMIT_RULE_ROLES + 1] = { 0 };
	for (size_t i = 0; i < w->nslots; i++) {
		used[w->slots[i].role] |= of_role(&w->slots[i]);
		if (w->slots[i].limit >= 0 && w->slots[i].role == 0 && isnan(limit_of(p, w->slots[i].limit)))
			return false;
	}
	f[0].v[0] = point_at;
	f[0].n = 1;
	for (size_t i = 1; i < w->nroles; i++) {
		f[i].n = 0;
		if (used[i])
			find_role(l, &w->roles[i], p, &f[i]);
		if (used[i] && f[i].n == 0)
			return false;
	}
	return true;
}

// Of a rule with `once:`: is there a point with a lower id that it watches beside this one?
static bool is_first(const struct when_load *l, const struct rule *r, uint32_t point_at, struct found *scratch)
{
	const struct when *w = r->when;
	struct when_role beside = w->roles[0];
	if (!w->has_once)
		return true;
	beside.scope = w->once;
	beside.many = true;
	find_role(l, &beside, &l->s->points[point_at].def, scratch);
	for (size_t i = 0; i < scratch->n && scratch->v[i] < point_at; i++)
		if (rule_watches(r, &l->s->points[scratch->v[i]].def))
			return false;
	return true;
}

static void watcher_add(struct when_load *l, uint32_t rule, uint32_t point_at, struct found *f)
{
	struct when_set *s = l->s;
	const struct when *w = s->rules->v[rule].when;
	if (!is_first(l, &s->rules->v[rule], point_at, f) || !find_roles(l, w, point_at, f))
		return;
	s->watchers = arena_push(l->a, s->watchers, &s->nwatchers, &l->watchers_cap, sizeof *s->watchers);
	s->watchers[s->nwatchers - 1] =
		(struct watcher){ .point = s->points[point_at].def.id, .rule = (uint16_t)rule, .key = s->rules->v[rule].key,
			          .binds = (uint32_t)s->nbinds, .single = true, .due = INT64_MAX,
			          .timer = INT64_MAX };
	while (w->nslots <= PER_LINE && s->nmembers % PER_LINE) // all of them in one line
		*member_room(l) = (struct member){ UINT32_MAX, UINT32_MAX, NAN };
	s->watchers[s->nwatchers - 1].members = (uint32_t)s->nmembers;
	for (size_t i = 0; i < w->nslots; i++)
		bind_slot(l, &l->slots[rule][i], &f[w->slots[i].role], (uint32_t)s->nwatchers - 1);
}

static bool watches_kind(const struct rule *r, struct str kind)
{
	for (size_t i = 0; i < r->nkinds; i++)
		if (str_eq(r->kinds[i], kind))
			return true;
	return false;
}

static void add_watchers(struct when_load *l)
{
	struct when_set *s = l->s;
	struct found *f = arena_many(l->a, LIMIT_RULE_ROLES + 1, struct found);
	for (uint32_t p = 0; p < s->npoints; p++)
		for (uint32_t r = 0; r < s->rules->n; r++)
			if (s->rules->v[r].when && watches_kind(&s->rules->v[r], s->points[p].def.kind) && rule_watches(&s->rules->v[r], &s->points[p].def))
				watcher_add(l, r, p, f);
}

bool rules_read(const struct rule_set *rs, const struct point_def *own, const struct point_def *other)
{
	for (size_t i = 0; i < rs->n; i++) {
		const struct rule *r = &rs->v[i];
		if (!r->when || !watches_kind(r, own->kind) || !rule_watches(r, own))
			continue;
		for (size_t k = r->when->has_once ? 0 : 1; k < r->when->nroles; k++) {
			const struct when_role *role = &r->when->roles[k];
			enum when_scope scope = k ? role->scope : r->when->once;
			int64_t key = scope_key(own, scope);
			bool kind = false;
			for (size_t j = 0; j < role->nkinds; j++)
				kind |= str_eq(role->kinds[j], other->kind);
			bool near = scope == SCOPE_AREA ? own->area.n >= 2 && str_starts(other->area, str_first(own->area, 2)) :
			                                  key && scope_key(other, scope) == key;
			if (kind && near && (k == 0 || code_fits(role, other)))
				return true;
		}
	}
	return false;
}

// ---- putting together --------------------------------------------------------------------------
// What is read together lies in a few large pages, each thing on lines of its own.
static void pack_lines(struct when_load *l)
{
	struct when_set *s = l->s;
	size_t members = s->nmembers / PER_LINE + 1, heap = s->nwatchers / PER_LINE + 2;
	struct channel *channels = s->lines = mem_lines((s->nchannels + l->nfeatures + 2 + s->nwatchers + members + heap) * 64);
	s->features = (struct feature *)&channels[s->nchannels];
	struct watcher *watchers = (struct watcher *)&s->features[l->nfeatures + 2]; // two windows after any place may be asked for ahead
	struct member *all = (struct member *)&watchers[s->nwatchers];
	s->heap = (struct when_timer *)&all[members * PER_LINE] + 3; // so that the four below one are one line
	if (s->nchannels)
		s->channels = memcpy(channels, s->channels, s->nchannels * sizeof *channels);
	if (s->nwatchers)
		s->watchers = memcpy(watchers, s->watchers, s->nwatchers * sizeof *watchers);
	if (s->nmembers)
		s->members = memcpy(all, s->members, s->nmembers * sizeof *all);
}

static void pack_features(struct when_load *l)
{
	struct when_set *s = l->s;
	uint32_t *moved = arena_many(l->a, l->nfeatures + 1, uint32_t);
	for (uint32_t c = 0; c < s->nchannels; c++) {
		s->channels[c].features = (uint32_t)s->nfeatures;
		s->by_point[slot_of(s, s->channels[c].point)].features = (uint32_t)s->nfeatures;
		for (uint32_t i = l->heads[c]; i; i = l->features[i - 1].next) {
			struct feature *f = &s->features[s->nfeatures];
			*f = l->features[i - 1].f;
			f->ring = (uint32_t)s->nrings;
			s->nrings += window_ring(f->slot);
			moved[i - 1] = (uint32_t)s->nfeatures++;
		}
		s->channels[c].nfeatures = (uint32_t)s->nfeatures - s->channels[c].features;
	}
	for (size_t i = 0; i < s->nmembers; i++)
		if (s->members[i].feature != UINT32_MAX)
			s->members[i].feature = moved[s->members[i].feature];
	s->rings = mem_alloc((s->nrings + 1) * sizeof *s->rings);
	for (size_t i = 0; i < s->nfeatures; i++)
		window_reset(&s->features[i], s->rings + s->features[i].ring);
}

static void pack_users(struct when_load *l)
{
	struct when_set *s = l->s;
	s->users = arena_many(s->arena, l->npairs + 1, uint32_t);
	for (size_t i = 0; i < l->npairs; i++)
		s->channels[l->pairs[i].channel].nusers++;
	uint32_t at = 0;
	for (size_t c = 0; c < s->nchannels; c++) {
		s->channels[c].users = at;
		at += s->channels[c].nusers;
		s->channels[c].nusers = 0;
	}
	for (size_t i = 0; i < l->npairs; i++) {
		struct channel *c = &s->channels[l->pairs[i].channel];
		s->users[c->users + c->nusers++] = l->pairs[i].watcher;
	}
	for (size_t c = 0; c < s->nchannels; c++) {
		if (s->channels[c].nusers == 1)
			s->channels[c].users = s->users[s->channels[c].users];
		s->by_point[slot_of(s, s->channels[c].point)].user = when_users(s, &s->channels[c])[0];
	}
}

static void build(struct when_load *l)
{
	struct when_set *s = l->s;
	points_of_before(l);
	for (s->mask = 63; s->mask < 2 * s->npoints; s->mask = s->mask * 2 + 1)
		;
	s->by_point = arena_many(s->arena, s->mask + 1, struct when_place);
	l->heads = arena_many(l->a, s->npoints + 1, uint32_t);
	l->slots = arena_many(l->a, s->rules->n, const struct when_slot *);
	for (size_t i = 0; i < s->rules->n; i++) {
		const struct when *w = s->rules->v[i].when;
		struct when_slot *own = arena_many(s->arena, w ? w->nslots : 0, struct when_slot);
		if (w)
			memcpy(own, w->slots, w->nslots * sizeof *own);
		l->slots[i] = own;
	}
	if (s->npoints)
		qsort(s->points, s->npoints, sizeof *s->points, by_id);
	sort_points(l);
	add_watchers(l);
	pack_lines(l);
	pack_features(l);
	pack_users(l);
	s->cold = arena_many(s->arena, s->nwatchers + 1, struct watch_cold);
	s->heap_at = arena_many(s->arena, s->nwatchers + 1, uint32_t);
	s->dirty = arena_many(s->arena, s->nwatchers + 1, uint32_t);
}

struct watcher *when_watcher(const struct when_set *s, uint32_t point, uint32_t key)
{
	size_t lo = 0, hi = s ? s->nwatchers : 0; // they are by point
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (s->watchers[mid].point < point)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; s && lo < s->nwatchers && s->watchers[lo].point == point; lo++)
		if (s->watchers[lo].key == key)
			return &s->watchers[lo];
	return NULL;
}

static void say_gone(const struct when_set *old, const struct when_set *s, int64_t now, transition_fn *gone, void *arg)
{
	for (size_t i = 0; i < old->nwatchers; i++) {
		const struct watcher *w = &old->watchers[i], *is = w->active ? when_watcher(s, w->point, w->key) : NULL;
		for (int k = 0; k < WATCH__MAX; k++) {
			if (!(w->active & 1u << k) || (is && is->active & 1u << k))
				continue;
			struct transition t = { .point = w->point, .rule = is ? is->rule : RULE_GONE, .key = w->key, .kind = COND_RETURNED,
				                .level = k == WATCH_WHEN ? LEVEL_WHEN : LEVEL_BLIND, .at = now, .cause_time = w->cause,
				                .cause_value = NAN, .limit = NAN, .arrival = now };
			gone(arg, &t);
		}
	}
}

// The windows and conditions that are the same go on.
static void take_over(struct when_set *s, const struct when_set *old)
{
	struct buf kept;
	buf_init(&kept, SIZE_MAX);
	when_save(old, &kept);
	when_restore(s, buf_str(&kept));
	buf_free(&kept);
	for (size_t i = 0; i < old->nlate; i++)
		when_note_late(s, old->late[i].point, old->late[i].from, old->late[i].to);
	for (size_t i = 0; i < s->nwatchers; i++) // what is new was not there before: nothing was missed
		s->watchers[i].unsure = false;
	s->started = old->started;
	when_timers(s);
}

struct when_set *when_end(struct when_load *l, struct when_set *old, int64_t now, transition_fn *gone, void *arg)
{
	struct when_set *s = l->s;
	if (!l->changed) {
		when_free(s);
		s = old;
		if (s) { // the generation that it was made for may go
			s->rules = l->rs;
			s->reg = l->reg;
		}
	} else {
		if (s)
			build(l);
		if (s && old)
			take_over(s, old);
		if (old)
			say_gone(old, s, now, gone, arg);
		when_free(old);
	}
	strmap_free(l->kinds);
	arena_free(l->a);
	mem_free(l);
	return s;
}

void when_free(struct when_set *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	arena_free(s->texts);
	mem_free(s->points);
	mem_free(s->lines);
	mem_free(s->rings);
	mem_free(s->late);
	mem_free(s);
}

size_t when_bytes(const struct when_set *s)
{
	return arena_used(s->arena) + arena_used(s->texts) + s->points_cap * sizeof *s->points + s->nrings * sizeof *s->rings +
	       (s->nchannels + s->nfeatures + s->nwatchers) * 64 + s->nmembers * sizeof *s->members + s->nwatchers * sizeof *s->heap;
}
