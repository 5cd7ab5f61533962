// Reports that may be about the same thing as one: the newest of half a year that the reader may see, by what agrees. Which is
// the same is for who handles it to say; he merges with one click.
#include <math.h>
#include <stdlib.h>

#include "api/lot.h"
#include "base/time.h"
#include "map/geo.h"
#include "model/held.h"

#define REPORT "danger_report"
#define BACK_DAYS 180
#define LOOKED_AT 500       // reports compared, the newest
#define SHOWN 5
#define ENOUGH 4            // points; see similarity()
#define NEAR_M 300.0
#define BITS 4096           // of the set of character pairs of a text

struct pairs { uint64_t set[BITS / 64]; };

struct candidate {
	const struct row *row;
	int points;
	bool firm, object, near, words, kind;
};

// Which pairs of neighbouring characters stand in the text, each as one bit of its hash (FNV-1a).
static void pairs_of(struct str s, struct pairs *ret)
{
	size_t at[2] = { 0, 0 }; // where the last two characters begin
	size_t seen = 0;
	*ret = (struct pairs){ 0 };
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80)
			continue;
		if (seen >= 2) {
			uint32_t h = 2166136261u;
			for (size_t k = at[0]; k < i; k++)
				h = (h ^ (unsigned char)s.p[k]) * 16777619u;
			ret->set[h % BITS / 64] |= UINT64_C(1) << (h % 64);
		}
		at[0] = at[1];
		at[1] = i;
		seen++;
	}
}

// Of the pairs of either the share that both have.
static double overlap(const struct pairs *a, const struct pairs *b)
{
	int both = 0, either = 0;
	for (size_t i = 0; i < ARRAY_LEN(a->set); i++) {
		both += __builtin_popcountll(a->set[i] & b->set[i]);
		either += __builtin_popcountll(a->set[i] | b->set[i]);
	}
	return either ? (double)both / either : 0;
}

static double metres(const struct type *t, const struct row *a, const struct row *b)
{
	const struct field *f = type_field(t, STR("position"));
	if (!f || f->ncols < 2 || a->vals[f->col].kind != VAL_REAL || b->vals[f->col].kind != VAL_REAL)
		return INFINITY;
	return geo_metres(a->vals[f->col].f, a->vals[f->col + 1].f, b->vals[f->col].f, b->vals[f->col + 1].f);
}

// Same enterprise 3, same unit in words 3, within 300 m 2, much of the text the same 2 (a third of the pairs) or 4 (two thirds),
// same kind 1, same area 1.
static struct candidate similarity(const struct type *t, const struct row *one, const struct pairs *text, const struct row *other)
{
	struct pairs theirs;
	struct candidate c = { .row = other };
	int64_t firm = held_int(t, one, "firm", 0);
	struct str o1 = held_text(t, one, "object"), o2 = held_text(t, other, "object");
	pairs_of(held_text(t, other, "content"), &theirs);
	double same = overlap(text, &theirs);
	c.firm = firm && held_int(t, other, "firm", 0) == firm;
	c.object = o1.n >= 6 && o2.n >= 6 && (str_contains(o1, o2) || str_contains(o2, o1));
	c.near = metres(t, one, other) < NEAR_M;
	c.words = same >= 1 / 3.0;
	c.kind = str_eq(held_text(t, one, "kind"), held_text(t, other, "kind"));
	c.points = c.firm * 3 + c.object * 3 + c.near * 2 + c.words * 2 + (same >= 2 / 3.0) * 2 + c.kind + str_eq(one->c.area, other->c.area);
	return c;
}

static int by_points(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;
	return a->points != b->points ? b->points - a->points : (a->row->c.id < b->row->c.id) - (a->row->c.id > b->row->c.id);
}

static void candidate_json(struct call *c, const struct type *t, const struct candidate *k)
{
	const struct state *s = type_state(t, k->row->c.state);
	const struct { const char *name; bool is; } why[] = { { "firm", k->firm }, { "object", k->object }, { "near", k->near }, { "words", k->words }, { "kind", k->kind } };
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", k->row->c.id);
	jw_kstr(&c->w, "number", k->row->c.number);
	jw_kstr(&c->w, "title", k->row->c.title);
	jw_kstr(&c->w, "state", k->row->c.state);
	jw_kstr(&c->w, "label", s ? label_text(c, s->label) : k->row->c.state);
	jw_ktime(&c->w, "received", k->row->c.created_at);
	jw_ki64(&c->w, "points", k->points);
	jw_karr(&c->w, "why");
	for (size_t i = 0; i < ARRAY_LEN(why); i++)
		if (why[i].is)
			jw_str(&c->w, str_of(why[i].name));
	jw_end(&c->w);
	jw_end(&c->w);
}

static enum err compare(struct call *c, const struct type *t, const struct scope *scope, const struct row *one)
{
	struct value since = { .kind = VAL_INT, .i = clock_now() - BACK_DAYS * 86400 * US_PER_S };
	struct filter recent = { STR("created_at"), FILTER_GE, &since, 1 };
	struct list_query lq = { .filters = &recent, .nfilters = 1, .limit = LOOKED_AT };
	struct pairs text;
	struct row *rows;
	size_t n, found = 0;
	int64_t total;
	enum err err = records_list(call_db(c), &t->table, scope, &lq, c->arena, &rows, &n, &total, &c->p);
	if (err)
		return err;
	struct candidate *v = arena_many(c->arena, n + 1, struct candidate);
	pairs_of(held_text(t, one, "content"), &text);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].c.id == one->c.id || str_is(rows[i].c.state, "merged") || str_is(rows[i].c.state, "refused"))
			continue;
		v[found] = similarity(t, one, &text, &rows[i]);
		found += v[found].points >= ENOUGH;
	}
	qsort(v, found, sizeof *v, by_points);
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < found && i < SHOWN; i++)
		candidate_json(c, t, &v[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err report_similar(struct call *c)
{
	const struct type *t = registry_type(c->reg, STR(REPORT));
	int64_t id;
	struct row one;
	if (!t || !auth_may_read(&c->id, t))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	enum err err = param_id(c, 0, &id);
	if (err)
		return err;
	struct scope scope = auth_scope(&c->id, t);
	err = call_row(c, call_db(c), t, id, &one, &c->p);
	return err ? err : compare(c, t, &scope, &one);
}
