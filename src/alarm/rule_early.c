// Which points a rule watches, with which limits, and what it says ahead of them. Any thread.
#include <math.h>

#include "alarm/rule.h"

static bool any_is(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], s))
			return true;
	return n == 0;
}

static bool any_prefix(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(s, v[i]))
			return true;
	return n == 0;
}

bool rule_watches(const struct rule *r, const struct point_def *p)
{
	return any_is(r->sectors, r->nsectors, p->sector) && any_prefix(r->areas, r->nareas, p->area) &&
	       any_is(r->points, r->npoints, p->code);
}

bool rule_limit(const struct rule_cond *c, enum level level, const struct point_def *p, double *ret)
{
	double own[] = { p->ll, p->l, p->h, p->hh };
	*ret = c->from_point ? own[level] : c->limit;
	return !isnan(*ret);
}

// False if the point has none of the rule's limits.
static bool early_limits(const struct rule *r, const struct point_def *p, double ret[4])
{
	bool any = false;
	for (int level = LEVEL_LL; level <= LEVEL_HH; level++) {
		ret[level] = NAN;
		if (r->at[level].set)
			any |= rule_limit(&r->at[level], (enum level)level, p, &ret[level]);
	}
	return any;
}

size_t rules_early(const struct rule_set *rs, const struct point_def *p, struct rule_early ret[RULE_EARLY_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < rs->n && n < RULE_EARLY_MAX; i++) {
		const struct rule *r = &rs->v[i];
		if (!r->early_within || !r->nkinds || !any_is(r->kinds, r->nkinds, p->kind) || !rule_watches(r, p) ||
		    !early_limits(r, p, ret[n].limit))
			continue;
		ret[n].rule = (uint32_t)i;
		ret[n].key = r->key;
		ret[n].within = r->early_within;
		ret[n++].every = r->early_every;
	}
	return n;
}

bool rules_have_early(const struct rule_set *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		if (rs->v[i].early_within)
			return true;
	return false;
}

struct str rule_early_color(const struct rule_set *rs, uint32_t rule) { return rs->v[rule].early_color; }
