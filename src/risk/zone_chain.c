// The chain that follows an accident: which vessels stand in more heat or pressure than their class bears (table domino), how
// likely that they fail (model domino), what then follows (table domino-next), and what that does to the others. To the second
// order: the accident, what it reaches, what those reach. Pure but for the arena; any thread.
#include "base/limits.h"
#include "risk/inputs.h"
#include "risk/zone_int.h"

#define PAIR_FAR 1500.0 // m: what a failing vessel does farther away is not looked at

struct chain {
	const struct zone_set *first;
	const struct zone_target *v;
	size_t n;
	const struct risk_tables *tables;
	const struct risk_table *domino, *kinds, *next;
	struct arena *a;
	struct zone_blow *blows;
	size_t n_blows, cap, left;
	bool *hit;                    // by target: it is in the chain already
};

// A class of the table domino; empty: such equipment is no target.
static struct str class_of(const struct chain *c, const struct zone_target *t, const struct zone_substance *s)
{
	int row = risk_table_row(c->kinds, "kind", t->kind);
	return row < 0 ? STR_EMPTY : risk_table_cell(c->kinds, (size_t)row, zone_is_liquid(s) ? "liquid" : "gas");
}

// P of the model domino, and the time to failure in s (NAN: by blast). NAN: the model has no answer.
static double probability(const struct chain *c, struct zone_blow *b, double volume, double lasts)
{
	struct zone_set set = { 0 };
	struct problem own;
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(1 << 14);
	problem_init(&own, scratch);
	struct zone_job z = { .tables = c->tables, .arena = scratch, .scratch = scratch, .problem = &own, .set = &set };
	const struct risk_run *r = b->effect == ZONE_BLAST
		? zone_model(&z, "domino", "", "", "{\"target\":\"%.*s\",\"P\":%.9g}", STR_FMT(b->target), b->intensity * 1000)
		: zone_model(&z, "domino", "", "", "{\"target\":\"%.*s\",\"I\":%.9g,\"V\":%.9g}", STR_FMT(b->target), fmin(b->intensity, 1000),
			     fmin(fmax(volume, 1), 1e5));
	if (!r) {
		return NAN;
	}
	if (b->effect == ZONE_HEAT && lasts > 0 && zone_out(r, "ttf") > lasts) {
		return 0; // the fire is over before it fails
	}
	return zone_out(r, b->effect == ZONE_BLAST ? "P_blast" : "P_heat");
}

// What is assumed to follow when the vessel fails; leaves next empty if nothing.
static void follow(const struct chain *c, struct zone_blow *b, const struct zone_target *t, const struct zone_substance *s)
{
	for (size_t i = 0; c->next && i < c->next->n; i++) {
		bool flammable = isfinite(s->lel) || isfinite(s->dhc), wants = str_is(risk_table_cell(c->next, i, "hazard"), "flammable");
		if (!str_eq(risk_table_cell(c->next, i, "class"), b->target) || !(wants ? flammable : s->toxic)) {
			continue;
		}
		double mass = t->volume * s->rho * risk_table_num(c->next, i, "share"), depth = risk_table_num(c->next, i, "bund_depth");
		double d = sqrt(4 * mass / s->rho / depth / M_PI), most = risk_table_num(c->next, i, "max_diameter");
		if (!isfinite(mass) || mass < 1) {
			continue; // how much there is, is not known
		}
		b->next = risk_table_cell(c->next, i, "scenario");
		b->next_zh = risk_table_cell(c->next, i, "zh");
		b->next_en = risk_table_cell(c->next, i, "en");
		b->inputs = isfinite(d) ? arena_printf(c->a, "{\"D\":%.4g}", fmax(fmin(d, isfinite(most) ? most : d), 0.5))
			: arena_printf(c->a, "{\"m\":%.5g}", fmin(mass, 1e7));
		return;
	}
}

// Whether an accident at the place of `from` (NULL: the first) reaches v[i]; then a new step.
static void strike(struct chain *c, const struct zone_set *s, const struct zone_target *from, const struct zone_blow *before, size_t i)
{
	const struct zone_target *t = &c->v[i];
	struct zone_substance sub;
	double east = t->east - (from ? from->east : 0), north = t->north - (from ? from->north : 0);
	if (c->hit[i] || !zone_substance_find(c->tables, t->medium, &sub)) {
		return;
	}
	struct zone_blow b = { .from = from ? from->id : 0, .to = t->id, .order = before ? before->order + 1 : 1, .distance = hypot(east, north),
		.effect = s->effect, .target = class_of(c, t, &sub), .substance = sub.cas };
	int row = b.target.n ? risk_table_row(c->domino, "target", b.target) : -1;
	if (row < 0) {
		return;
	}
	b.intensity = zone_intensity(s, east, north);
	b.limit = risk_table_num(c->domino, (size_t)row, s->effect == ZONE_BLAST ? "P_limit" : "I_limit");
	if (!(b.intensity >= b.limit)) {
		return;
	}
	if (c->n_blows == LIMIT_DOMINO) {
		c->left++;
		return;
	}
	b.probability = probability(c, &b, t->volume, s->duration);
	b.along = b.probability * (before ? before->along : 1);
	if (!(b.probability <= 0)) {
		follow(c, &b, t, &sub);
		c->hit[i] = true;
	}
	c->blows = arena_push(c->a, c->blows, &c->n_blows, &c->cap, sizeof b);
	c->blows[c->n_blows - 1] = b;
}

// How far from a vessel that fails something may stand in as much as the weakest class bears: nothing beyond is asked about.
static double farthest(const struct chain *c, const struct zone_set *s)
{
	double least = HUGE_VAL, lo = 1, hi = PAIR_FAR, to = (s->air.from + 180) * M_PI / 180; // downwind it is most
	for (size_t i = 0; i < c->domino->n; i++) {
		least = fmin(least, risk_table_num(c->domino, i, s->effect == ZONE_BLAST ? "P_limit" : "I_limit"));
	}
	for (int i = 0; i < 12; i++) {
		double mid = sqrt(lo * hi);
		*(zone_intensity(s, mid * sin(to), mid * cos(to)) >= least ? &lo : &hi) = mid;
	}
	return hi;
}

// What a vessel that fails does to the others.
static void spread(struct chain *c, size_t k)
{
	struct zone_blow before = c->blows[k]; // the list may move
	const struct zone_air *air = &c->first->air;
	const struct zone_target *from = NULL;
	struct zone_set *s = arena_one(c->a, struct zone_set);
	struct zone_ask ask = { .scenario = before.next, .substance = before.substance, .inputs = before.inputs, .bare = true,
		.weather = arena_printf(c->a, "{\"u\":%.6g,\"from\":%.6g,\"stability\":\"%c\",\"T\":%.6g,\"RH\":%.6g,\"spread\":%.6g}", air->u,
			air->from, 'A' + air->stability, air->t - 273.15, air->rh, air->spread) };
	for (size_t i = 0; i < c->n && !from; i++) {
		from = c->v[i].id == before.to ? &c->v[i] : NULL;
	}
	struct problem own;
	problem_init(&own, c->a);
	if (!from || str_starts(before.next, STR("toxic")) || zone_compute(&ask, c->tables, c->a, s, &own) != OK) {
		return; // a cloud breaks nothing; what cannot be computed of a vessel ends its chain
	}
	double far = farthest(c, s);
	for (size_t i = 0; i < c->n; i++) {
		if (hypot(c->v[i].east - from->east, c->v[i].north - from->north) <= far) {
			strike(c, s, from, &before, i);
		}
	}
}

enum err zone_chain(const struct zone_set *s, const struct zone_target *v, size_t n, int64_t skip, const struct risk_tables *tables,
                    struct arena *a, struct zone_blow **ret, size_t *ret_n, size_t *ret_left, struct problem *p)
{
	struct chain c = { .first = s, .v = v, .n = n, .tables = tables, .a = a, .hit = arena_many(a, n + 1, bool),
		.domino = risk_table_find(tables, STR("domino")), .kinds = risk_table_find(tables, STR("domino-equipment")),
		.next = risk_table_find(tables, STR("domino-next")) };
	*ret = NULL;
	*ret_n = *ret_left = 0;
	if (s->effect != ZONE_HEAT && s->effect != ZONE_BLAST) {
		return OK;
	}
	if (!c.domino || !c.kinds) {
		return problem_set(p, ERR_INVALID, "", "缺少数据表 domino 或 domino-equipment（业务包 packs/*/tables）",
				   "the tables domino or domino-equipment are missing (packs/*/tables)");
	}
	for (size_t i = 0; i < n; i++) {
		c.hit[i] = v[i].id == skip;
	}
	for (size_t i = 0; i < n; i++) {
		strike(&c, s, NULL, NULL, i);
	}
	size_t first = c.n_blows;
	for (size_t k = 0; k < first; k++) {
		if (c.blows[k].next.n) {
			spread(&c, k);
		}
	}
	*ret = c.blows;
	*ret_n = c.n_blows;
	*ret_left = c.left;
	return OK;
}
