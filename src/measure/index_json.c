// Answers about the risk index: lists, rankings, why, trends, changes. What a caller sees is computed from the enterprises
// that his scope admits, so an area's figure never says anything of those it does not.
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "measure/index_int.h"

static double points(int tenths) { return tenths / 10.0; }
static double hundredth(double v) { return round(v * 100) / 100; }
static const char *color_at(const struct risk_index *x, int tenths) { return index_color_name(index_color_at(x, tenths)); }

static void jw_klabel2(struct jw *w, const char *key, struct label l)
{
	jw_kobj(w, key);
	jw_kstr(w, "zh", l.zh);
	jw_kstr(w, "en", l.en);
	jw_end(w);
}

static enum err no_index(const struct index_ask *q)
{
	return problem_set(q->p, ERR_NOT_FOUND, "name", "没有这个指数，或还没有算出", "no such index, or it is not computed yet");
}

static bool seen(const struct index_ask *q, const struct board *b, int64_t id)
{
	return b->units[id].there && auth_in_scope(q->by, unit_where(b, id));
}

// ---- titles ------------------------------------------------------------------------------------
static struct str record_title(const struct index_ask *q, const char *type, int64_t id)
{
	const struct type *t = registry_type(q->reg, str_of(type));
	struct row row;
	return t && !records_get(q->db, &t->table, &(struct scope){ 0 }, id, q->arena, &row) ? row.c.title : STR_EMPTY;
}

static void jw_title(const struct index_ask *q, enum index_kind kind, struct str key, struct jw *w)
{
	const struct menu *m = registry_menu(q->reg, STR("sector"));
	const struct menu_item *item = kind == INDEX_SECTOR && m ? menu_item(m, key) : NULL;
	const struct type *t = kind == INDEX_AREA ? registry_type(q->reg, STR("area")) : NULL;
	struct row row;
	struct str title = key;
	int64_t id = 0;
	if (item) {
		jw_klabel2(w, "title", item->label);
		return;
	}
	if (t && !records_find(q->db, &t->table, NULL, STR("code"), (struct value){ .kind = VAL_TEXT, .s = key }, q->arena, &row))
		title = row.c.title;
	else if ((kind == INDEX_ENTERPRISE || kind == INDEX_GRID) && str_to_i64(key, &id))
		title = record_title(q, kind == INDEX_GRID ? "grid" : "enterprise", id);
	jw_kstr(w, "title", title);
}

// ---- the declaration ---------------------------------------------------------------------------
static void component_json(struct jw *w, const struct index_component *c)
{
	jw_obj(w);
	jw_kstr(w, "name", c->name);
	jw_klabel2(w, "label", c->label);
	jw_klabel2(w, "about", c->about);
	jw_kf64(w, "cap", c->cap);
	jw_kcstr(w, "take", c->worst ? "max" : "sum");
	jw_kbool(w, "lowers", c->lowers);
	if (c->half_life)
		jw_kf64(w, "half_life_days", (double)c->half_life / (double)US_PER_DAY);
	jw_kstr(w, "type", c->of.type ? c->of.type->name : STR("alarm"));
	jw_karr(w, "weights");
	for (size_t i = 0; i < c->nweights; i++) {
		jw_obj(w);
		jw_kstr(w, "value", c->weights[i].value);
		jw_klabel2(w, "label", c->weights[i].label);
		jw_kf64(w, "weight", c->weights[i].weight);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

static void level_json(struct jw *w, const struct risk_index *x, enum index_color c)
{
	jw_obj(w);
	jw_kcstr(w, "color", index_color_name(c));
	jw_kf64(w, "from", x->levels[c].from);
	jw_klabel2(w, "label", x->levels[c].label);
	jw_klabel2(w, "actions", x->levels[c].actions);
	jw_end(w);
}

static void declaration(struct jw *w, const struct risk_index *x)
{
	jw_kstr(w, "name", x->name);
	jw_klabel2(w, "label", x->label);
	jw_klabel2(w, "about", x->about);
	jw_kstr(w, "version", x->version);
	jw_ktime(w, "valid_from", x->valid_from);
	jw_klabel2(w, "basis", x->basis);
	jw_kobj(w, "areas");
	jw_kf64(w, "worst", x->worst);
	jw_ki64(w, "top", x->top);
	jw_kf64(w, "top_share", x->top_share);
	jw_kf64(w, "all_share", x->all_share);
	jw_kf64(w, "own", x->own);
	jw_end(w);
	jw_kf64(w, "rise", x->rise);
	jw_karr(w, "levels");
	for (int c = INDEX_RED; c >= INDEX_BLUE; c--)
		level_json(w, x, (enum index_color)c);
	jw_end(w);
	jw_karr(w, "components");
	for (size_t i = 0; i < x->ncomponents; i++)
		component_json(w, &x->components[i]);
	jw_end(w);
}

enum err index_list_json(const struct index_ask *q, struct jw *w)
{
	jw_obj(w);
	jw_karr(w, "items");
	pthread_rwlock_rdlock(&q->live->lock);
	for (size_t k = 0; k < q->live->n; k++) {
		const struct board *b = q->live->boards[k];
		int64_t n = 0, by[INDEX_RED + 1] = { 0 };
		for (size_t i = 0; i < b->nunits; i++) {
			if (!b->units[i].there || !seen(q, b, (int64_t)i))
				continue;
			n++;
			by[b->units[i].s.color]++;
		}
		jw_obj(w);
		declaration(w, b->x);
		jw_ki64(w, "enterprises", n);
		jw_kobj(w, "counts");
		for (int c = INDEX_RED; c >= INDEX_BLUE; c--)
			jw_ki64(w, index_color_name((enum index_color)c), by[c]);
		jw_end(w);
		jw_end(w);
	}
	pthread_rwlock_unlock(&q->live->lock);
	jw_end(w);
	jw_end(w);
	return OK;
}

// ---- rankings ----------------------------------------------------------------------------------
struct ranked {
	struct str key;
	struct str area;            // ENTERPRISE
	struct str sector, what;
	int tenths, lowest;
	uint32_t n;
	uint32_t by[INDEX_RED + 1];
	uint32_t *bins;
};
struct ranking {
	struct ranked *v;
	size_t n, cap;
};

static int by_score(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;
	return a->tenths != b->tenths ? b->tenths - a->tenths : str_cmp(a->key, b->key);
}

static int low_of(const struct standing *s)
{
	int low = s->tenths;
	for (int i = 0; i < RING; i++)
		if (s->ring[i] != NO_SCORE)
			low = MIN(low, s->ring[i]);
	return low;
}

static bool wanted(const struct index_rank_ask *r, struct str area, struct str sector)
{
	return str_starts(area, area_prefix(r->under)) && (!r->sector.n || str_eq(r->sector, sector));
}

static struct ranked *ranked_new(struct ranking *all, struct arena *a)
{
	all->v = arena_push(a, all->v, &all->n, &all->cap, sizeof *all->v);
	return &all->v[all->n - 1];
}

static void rank_units(const struct index_ask *q, const struct index_rank_ask *r, const struct board *b, struct ranking *all)
{
	for (size_t i = 0; i < b->nunits; i++) {
		const struct unit *u = &b->units[i];
		if (!u->there || !wanted(r, unit_area(b, u), unit_sector(b, u)) || !seen(q, b, (int64_t)i))
			continue;
		*ranked_new(all, q->arena) = (struct ranked){ .key = arena_printf(q->arena, "%zu", i), .area = unit_area(b, u),
			                                      .sector = unit_sector(b, u), .tenths = u->s.tenths, .lowest = low_of(&u->s), .n = 1 };
	}
}

static bool node_wanted(const struct index_rank_ask *r, const struct node *n)
{
	if (n->kind != r->kind)
		return false;
	return n->kind != INDEX_AREA || !r->tier || area_prefix(str_of(n->key)).n == r->tier;
}

// What the records without enterprise add. They are of every sector and of the whole area: not for who is bound to sectors, and of
// a sector only for who sees all areas.
static int own_seen(const struct index_ask *q, const struct board *b, const struct node *n, struct index_part *parts)
{
	bool whole = q->by->system || (!q->by->scope.sectors.n && auth_in_scope(q->by, node_place(b, n)));
	if (!whole && parts)
		memset(parts, 0, b->x->ncomponents * sizeof *parts);
	return whole ? node_own(b, n, q->now, parts) : 0;
}

// Of what lies above: the enterprises in scope, into bins of their own.
static void rank_nodes(const struct index_ask *q, const struct index_rank_ask *r, const struct board *b, struct ranking *all)
{
	size_t *at = arena_many(q->arena, b->nnodes + 1, size_t); // place in the ranking + 1
	for (size_t i = 0; i < b->nunits; i++) {
		const struct unit *u = &b->units[i];
		if (!u->there || !wanted(r, unit_area(b, u), unit_sector(b, u)) || !seen(q, b, (int64_t)i))
			continue;
		for (size_t k = 0; k < u->nnodes; k++) {
			const struct node *n = &b->nodes[u->nodes[k]];
			if (!node_wanted(r, n) || q->by->scope.enterprise)
				continue;
			if (!at[u->nodes[k]]) {
				*ranked_new(all, q->arena) = (struct ranked){ .key = str_of(n->key), .lowest = low_of(&n->s),
					                                      .bins = arena_many(q->arena, INDEX_TENTHS + 1, uint32_t) };
				at[u->nodes[k]] = all->n;
			}
			struct ranked *one = &all->v[at[u->nodes[k]] - 1];
			one->bins[u->s.tenths]++;
			one->by[u->s.color]++;
			one->n++;
		}
	}
	for (size_t i = 0; i < all->n; i++) {
		const struct node *n = board_node(b, r->kind, all->v[i].key);
		all->v[i].tenths = MIN(index_aggregate(b->x, all->v[i].bins) + own_seen(q, b, n, NULL), INDEX_TENTHS);
	}
}

static bool row_wanted(const struct index_ask *q, const struct index_rank_ask *r, const struct index_row *row)
{
	struct place at = { row->area, row->enterprise, row->sector };
	if (q->by->scope.sectors.n && r->kind != INDEX_ENTERPRISE)
		return false; // what was kept is of every sector
	if (r->kind == INDEX_AREA && r->tier && area_prefix(row->key).n != r->tier)
		return false;
	return auth_in_scope(q->by, at) && wanted(r, row->area, row->sector);
}

static enum err rank_day(const struct index_ask *q, const struct index_rank_ask *r, int64_t until, struct ranking *all)
{
	struct query s;
	query_begin(&s, q->db, STMT_INDEX_AS_OF);
	query_str(&s, 1, q->name);
	query_str(&s, 2, str_of(index_kind_name(r->kind)));
	query_i64(&s, 3, until);
	while (query_row(&s)) {
		struct index_row row = index_row_read(&s, q->arena);
		if (row_wanted(q, r, &row))
			*ranked_new(all, q->arena) = (struct ranked){ .key = row.key, .area = row.area, .sector = row.sector, .tenths = row.score,
				                                      .lowest = row.score };
	}
	return query_end(&s);
}

static void ranked_json(const struct index_ask *q, const struct index_rank_ask *r, const struct risk_index *x, const struct ranked *one,
                        struct jw *w)
{
	jw_obj(w);
	jw_kcstr(w, "kind", index_kind_name(r->kind));
	jw_kstr(w, "key", one->key);
	jw_title(q, r->kind, one->key, w);
	jw_kf64(w, "score", points(one->tenths));
	jw_kcstr(w, "level", color_at(x, one->tenths));
	jw_kf64(w, "rise_24h", points(one->tenths - one->lowest));
	if (r->kind == INDEX_ENTERPRISE) {
		jw_kstr(w, "area", one->area);
		jw_kstr(w, "sector", one->sector);
	} else if (one->bins) {
		jw_ki64(w, "enterprises", one->n);
		jw_kobj(w, "counts");
		for (int c = INDEX_RED; c >= INDEX_BLUE; c--)
			jw_ki64(w, index_color_name((enum index_color)c), one->by[c]);
		jw_end(w);
	}
	jw_end(w);
}

static enum err end_of_day(const struct index_ask *q, struct str day, int64_t *ret)
{
	struct str text = arena_printf(q->arena, "%.*s 00:00:00", STR_FMT(day));
	if (day.n != 10 || !time_parse_local(text, time_zone(), ret))
		return problem_set(q->p, ERR_INVALID, "day", "日期应如 2026-11-22", "a day is written like 2026-11-22");
	*ret += US_PER_DAY - 1;
	return OK;
}

enum err index_rank_json(const struct index_ask *q, const struct index_rank_ask *r, struct jw *w)
{
	struct ranking all = { 0 };
	int64_t until = q->now;
	enum err err = r->day.n ? end_of_day(q, r->day, &until) : OK;
	if (err)
		return err;
	pthread_rwlock_rdlock(&q->live->lock);
	const struct board *b = live_board(q->live, q->name);
	if (!b)
		err = no_index(q);
	else if (r->day.n && until < q->now)
		err = rank_day(q, r, until, &all);
	else if (r->kind == INDEX_ENTERPRISE)
		rank_units(q, r, b, &all);
	else
		rank_nodes(q, r, b, &all);
	if (all.n > 1)
		qsort(all.v, all.n, sizeof *all.v, by_score);
	if (!err) {
		jw_obj(w);
		jw_kstr(w, "index", b->x->name);
		jw_kstr(w, "version", b->x->version);
		jw_ktime(w, "at", MIN(until, q->now));
		jw_karr(w, "items");
		for (size_t i = r->offset; i < all.n && i < r->offset + r->limit; i++)
			ranked_json(q, r, b->x, &all.v[i], w);
		jw_end(w);
		jw_ki64(w, "total", (int64_t)all.n);
		jw_end(w);
	}
	pthread_rwlock_unlock(&q->live->lock);
	return err;
}

// ---- why: an enterprise ------------------------------------------------------------------------
static void weights_json(const struct index_component *c, const struct index_slot *slots, const struct index_slot *cover, double fade,
                         struct jw *w)
{
	jw_karr(w, "counts");
	for (size_t i = 0; i < c->nweights; i++) {
		const struct index_weight *k = &c->weights[i];
		double n = (double)slots[c->slot + i].n + (double)cover[c->slot + i].n;
		double v = ((double)slots[c->slot + i].v + (double)cover[c->slot + i].v) * fade;
		if (n <= 0)
			continue;
		jw_obj(w);
		jw_kstr(w, "value", k->value);
		jw_klabel2(w, "label", k->label);
		jw_ki64(w, "n", (int64_t)n);
		jw_kf64(w, "amount", hundredth(c->worst ? 1 : v)); // decayed
		jw_kf64(w, "weight", k->weight);
		jw_kf64(w, "points", hundredth(k->weight * (c->worst ? 1 : v)));
		jw_end(w);
	}
	jw_end(w);
}

static void parts_json(const struct board *b, int64_t id, int64_t now, struct jw *w)
{
	struct index_part parts[INDEX_COMPONENTS];
	struct index_slot cover[INDEX_SLOTS];
	double fade[INDEX_COMPONENTS], sum = 0;
	const struct index_slot *slots = b->slots + (size_t)id * b->x->nslots;
	size_t order[INDEX_COMPONENTS];
	cover_of(b, &b->units[id], cover);
	index_fade(b->x, now - b->epoch, fade);
	(void)index_score(b->x, slots, cover, fade, parts);
	for (size_t i = 0; i < b->x->ncomponents; i++) { // the heaviest first
		size_t k = i;
		for (; k > 0 && parts[order[k - 1]].points < parts[i].points; k--)
			order[k] = order[k - 1];
		order[k] = i;
		sum += parts[i].points;
	}
	jw_karr(w, "parts");
	for (size_t k = 0; k < b->x->ncomponents; k++) {
		const struct index_component *c = &b->x->components[order[k]];
		jw_obj(w);
		jw_kstr(w, "component", c->name);
		jw_klabel2(w, "label", c->label);
		jw_klabel2(w, "about", c->about);
		jw_kstr(w, "type", c->of.type ? c->of.type->name : STR("alarm"));
		jw_kcstr(w, "take", c->worst ? "max" : "sum");
		jw_kbool(w, "lowers", c->lowers);
		jw_kf64(w, "raw", hundredth(parts[order[k]].raw));
		jw_kf64(w, "cap", c->cap);
		jw_kf64(w, "points", hundredth(parts[order[k]].points));
		if (c->half_life)
			jw_kf64(w, "half_life_days", (double)c->half_life / (double)US_PER_DAY);
		weights_json(c, slots, cover, fade[order[k]], w);
		int without = index_score_without(b->x, slots, cover, fade, order[k]);
		jw_kobj(w, "without");
		jw_kf64(w, "score", points(without));
		jw_kcstr(w, "level", color_at(b->x, without));
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
	jw_kf64(w, "sum", hundredth(sum));
}

// Where its alarms are: point and installation, each with its colour.
static enum err places_json(const struct index_ask *q, int64_t id, struct jw *w)
{
	struct query s;
	jw_karr(w, "alarms");
	query_begin(&s, q->db, STMT_INDEX_PLACES);
	query_i64(&s, 1, id);
	while (query_row(&s)) {
		jw_obj(w);
		jw_ki64(w, "installation", query_get_i64(&s, 0));
		jw_kstr(w, "installation_title", query_get_str(&s, 1, q->arena));
		jw_ki64(w, "point", query_get_i64(&s, 2));
		jw_kstr(w, "point_title", query_get_str(&s, 3, q->arena));
		jw_kstr(w, "family", query_get_str(&s, 4, q->arena));
		jw_kstr(w, "color", query_get_str(&s, 5, q->arena));
		jw_end(w);
	}
	jw_end(w);
	return query_end(&s);
}

static enum err why_unit(const struct index_ask *q, const struct board *b, int64_t id, struct jw *w)
{
	const struct unit *u = &b->units[id];
	jw_kf64(w, "score", points(u->s.tenths));
	jw_kcstr(w, "level", index_color_name((enum index_color)u->s.color));
	jw_kf64(w, "rise_24h", points(u->s.tenths - low_of(&u->s)));
	jw_kstr(w, "area", unit_area(b, u));
	jw_kstr(w, "sector", unit_sector(b, u));
	parts_json(b, id, q->now, w);
	return places_json(q, id, w);
}

// ---- why: what lies above ----------------------------------------------------------------------
struct member { int64_t id; int tenths; double share, points; };

static int by_tenths(const void *pa, const void *pb)
{
	const struct member *a = pa, *b = pb;
	return a->tenths != b->tenths ? b->tenths - a->tenths : (a->id > b->id) - (a->id < b->id);
}

static bool belongs(const struct board *b, const struct unit *u, const struct node *n)
{
	for (size_t k = 0; k < u->nnodes; k++)
		if (&b->nodes[u->nodes[k]] == n)
			return true;
	return false;
}

// The score of an area is the sum over its enterprises of share × their score.
static void shares(const struct risk_index *x, struct member *v, size_t n)
{
	size_t top = MIN(n, (size_t)x->top);
	if (n)
		qsort(v, n, sizeof *v, by_tenths);
	for (size_t i = 0; i < n; i++) {
		v[i].share = (i == 0 ? x->worst : 0) + (i < top ? x->top_share / (double)top : 0) + x->all_share / (double)n;
		v[i].points = v[i].share * points(v[i].tenths);
	}
}

static void area_parts(const struct board *b, const struct member *v, size_t n, const struct index_part *own, struct jw *w)
{
	double sums[INDEX_COMPONENTS] = { 0 };
	size_t order[INDEX_COMPONENTS], nc = b->x->ncomponents;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < nc; k++)
			sums[k] += v[i].share * (double)b->parts[(size_t)v[i].id * nc + k];
	for (size_t k = 0; k < nc; k++)
		sums[k] += b->x->own * own[k].points;
	for (size_t i = 0; i < nc; i++) {
		size_t k = i;
		for (; k > 0 && sums[order[k - 1]] < sums[i]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	jw_karr(w, "parts");
	for (size_t k = 0; k < nc; k++) {
		const struct index_component *c = &b->x->components[order[k]];
		jw_obj(w);
		jw_kstr(w, "component", c->name);
		jw_klabel2(w, "label", c->label);
		jw_kstr(w, "type", c->of.type ? c->of.type->name : STR("alarm"));
		jw_kf64(w, "points", hundredth(sums[order[k]]));
		jw_end(w);
	}
	jw_end(w);
}

static void members_json(const struct index_ask *q, const struct board *b, const struct member *v, size_t n, struct jw *w)
{
	jw_karr(w, "members");
	for (size_t i = 0; i < MIN(n, (size_t)b->x->top); i++) {
		struct str key = arena_printf(q->arena, "%lld", (long long)v[i].id);
		jw_obj(w);
		jw_kstr(w, "key", key);
		jw_title(q, INDEX_ENTERPRISE, key, w);
		jw_kf64(w, "score", points(v[i].tenths));
		jw_kcstr(w, "level", color_at(b->x, v[i].tenths));
		jw_kf64(w, "share", round(v[i].share * 10000) / 10000);
		jw_kf64(w, "points", hundredth(v[i].points));
		jw_end(w);
	}
	jw_end(w);
}

static void formula_json(const struct board *b, const struct member *v, size_t n, int own, struct jw *w)
{
	size_t top = MIN(n, (size_t)b->x->top);
	double top_sum = 0, all_sum = 0;
	for (size_t i = 0; i < n; i++) {
		top_sum += i < top ? points(v[i].tenths) : 0;
		all_sum += points(v[i].tenths);
	}
	jw_kobj(w, "formula");
	jw_kf64(w, "worst", points(v[0].tenths));
	jw_kf64(w, "worst_share", b->x->worst);
	jw_ki64(w, "top", (int64_t)top);
	jw_kf64(w, "top_mean", hundredth(top_sum / (double)top));
	jw_kf64(w, "top_share", b->x->top_share);
	jw_ki64(w, "enterprises", (int64_t)n);
	jw_kf64(w, "all_mean", hundredth(all_sum / (double)n));
	jw_kf64(w, "all_share", b->x->all_share);
	jw_kf64(w, "own", points(own)); // of records without enterprise
	jw_end(w);
}

static enum err why_node(const struct index_ask *q, const struct board *b, const struct node *node, struct jw *w)
{
	struct member *v = arena_many(q->arena, b->nunits + 1, struct member);
	uint32_t *bins = arena_many(q->arena, INDEX_TENTHS + 1, uint32_t);
	size_t n = 0;
	for (size_t i = 0; i < b->nunits; i++)
		if (b->units[i].there && belongs(b, &b->units[i], node) && seen(q, b, (int64_t)i)) {
			v[n++] = (struct member){ .id = (int64_t)i, .tenths = b->units[i].s.tenths };
			bins[b->units[i].s.tenths]++;
		}
	if (!n)
		return problem_set(q->p, ERR_NOT_FOUND, "key", "这里没有您能看到的企业", "there is no enterprise here that you may see");
	struct index_part parts[INDEX_COMPONENTS];
	int own = own_seen(q, b, node, parts), tenths = MIN(index_aggregate(b->x, bins) + own, INDEX_TENTHS);
	shares(b->x, v, n);
	jw_kf64(w, "score", points(tenths));
	jw_kcstr(w, "level", color_at(b->x, tenths));
	jw_kf64(w, "rise_24h", points(node->s.tenths - low_of(&node->s)));
	formula_json(b, v, n, own, w);
	area_parts(b, v, n, parts, w);
	members_json(q, b, v, n, w);
	return OK;
}

static bool area_mine(const struct index_ask *q, enum index_kind kind, struct str key)
{
	if (q->by->system || kind == INDEX_SECTOR || kind == INDEX_GRID)
		return true; // of the enterprises that he may see
	return str_starts(key, q->by->scope.area);
}

enum err index_why_json(const struct index_ask *q, enum index_kind kind, struct str key, struct jw *w)
{
	int64_t id = 0;
	enum err err = ERR_NOT_FOUND;
	pthread_rwlock_rdlock(&q->live->lock);
	const struct board *b = live_board(q->live, q->name);
	const struct node *node = b && kind != INDEX_ENTERPRISE ? board_node(b, kind, key) : NULL;
	bool unit = b && kind == INDEX_ENTERPRISE && str_to_i64(key, &id) && id > 0 && (size_t)id < b->nunits && seen(q, b, id);
	bool above = node && !q->by->scope.enterprise && area_mine(q, kind, key);
	if (unit || above) {
		jw_obj(w);
		jw_kstr(w, "index", b->x->name);
		jw_kstr(w, "version", b->x->version);
		jw_klabel2(w, "basis", b->x->basis);
		jw_kcstr(w, "kind", index_kind_name(kind));
		jw_kstr(w, "key", key);
		jw_title(q, kind, key, w);
		jw_ktime(w, "at", q->now);
		err = unit ? why_unit(q, b, id, w) : why_node(q, b, node, w);
		jw_end(w);
	}
	pthread_rwlock_unlock(&q->live->lock);
	if (err == ERR_NOT_FOUND)
		(void)problem_set(q->p, err, "key", "没有这个对象，或不在您的管辖范围", "no such object, or outside your scope");
	return err;
}

// ---- the records behind ------------------------------------------------------------------------
static const struct index_component *component_named(const struct risk_index *x, struct str name)
{
	for (size_t i = 0; i < x->ncomponents; i++)
		if (str_eq(x->components[i].name, name))
			return &x->components[i];
	return NULL;
}

static void filter_put(struct list_query *lq, struct arena *a, struct str column, enum filter_op op, struct value v)
{
	struct filter *f = arena_many(a, lq->nfilters + 1, struct filter);
	struct value *one = arena_one(a, struct value);
	*one = v;
	for (size_t i = 0; i < lq->nfilters; i++)
		f[i] = lq->filters[i];
	f[lq->nfilters++] = (struct filter){ .column = column, .op = op, .vals = one, .nvals = 1 };
	lq->filters = f;
}

// Whose: what covers areas is shown whole, it is a handful of rows.
static void filter_whose(const struct index_ask *q, enum index_kind kind, struct str key, const struct index_component *c,
                         struct list_query *lq)
{
	struct value text = { .kind = VAL_TEXT, .s = key }, number = { .kind = VAL_INT };
	if (c->covers)
		return;
	if (kind == INDEX_AREA) {
		text.s = area_prefix(key);
		filter_put(lq, q->arena, STR("area"), FILTER_PREFIX, text);
	} else if (kind == INDEX_SECTOR) {
		filter_put(lq, q->arena, STR("sector"), FILTER_EQ, text);
	} else if (kind == INDEX_ENTERPRISE && str_to_i64(key, &number.i)) {
		filter_put(lq, q->arena, STR("enterprise"), FILTER_EQ, number);
	}
}

enum err index_records(const struct index_ask *q, enum index_kind kind, struct str key, struct str component, struct str value,
                       const struct type **ret_type, struct list_query *ret)
{
	enum err err = OK;
	pthread_rwlock_rdlock(&q->live->lock);
	const struct board *b = live_board(q->live, q->name);
	const struct index_component *c = b ? component_named(b->x, component) : NULL;
	*ret_type = c && c->of.type ? registry_type(q->reg, c->of.type->name) : NULL;
	if (!c)
		err = problem_set(q->p, ERR_NOT_FOUND, "component", "没有这个分项", "no such component");
	else if (!*ret_type)
		err = problem_set(q->p, ERR_INVALID, "component", "这个分项数的是报警，请看报警列表", "this component counts alarms; see their list");
	if (!err) {
		*ret = index_rows(&c->of, 0, q->now, q->arena);
		filter_whose(q, kind, key, c, ret);
		if (c->by && value.n)
			filter_put(ret, q->arena, arena_str(q->arena, c->by->name), FILTER_EQ, (struct value){ .kind = VAL_TEXT, .s = value });
	}
	pthread_rwlock_unlock(&q->live->lock);
	return err;
}
