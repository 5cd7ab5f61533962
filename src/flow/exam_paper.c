// The pure part of examinations: the draw and the points. Anybody draws a paper again from its seed and the bank.
#include "base/arena.h"
#include "flow/exam.h"
#include "flow/lot.h"

enum err exam_draw(struct str seed, const struct exam_rule *rules, size_t nrules, const struct exam_question *bank, size_t nbank,
                   struct arena *a, struct exam_item **ret, size_t *ret_n, size_t *ret_short)
{
	bool *taken = arena_many(a, nbank + 1, bool);
	struct ticket *v = arena_many(a, nbank + 1, struct ticket);
	int64_t *where = arena_many(a, nbank + 1, int64_t);
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	for (size_t r = 0; r < nrules; r++) {
		size_t n = 0;
		for (size_t i = 0; i < nbank; i++)
			if (!taken[i] && str_eq(bank[i].subject, rules[r].subject) && (!rules[r].kind.n || str_eq(bank[i].kind, rules[r].kind))) {
				where[n] = (int64_t)i;
				v[n++].id = bank[i].id;
			}
		if (n < rules[r].many) {
			*ret_short = r;
			*ret_n = n;
			return ERR_CONFLICT;
		}
		lot_draw(seed, STR("question"), v, n);
		for (size_t i = 0; i < rules[r].many; i++) {
			*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
			(*ret)[*ret_n - 1] = (struct exam_item){ v[i].id, rules[r].points };
			for (size_t k = 0; k < n; k++)
				if (bank[where[k]].id == v[i].id)
					taken[where[k]] = true;
		}
	}
	return OK;
}

void exam_shuffle(struct str seed, int64_t question, uint8_t *options, size_t n)
{
	struct ticket v[6] = { 0 };
	char what[40];
	snprintf(what, sizeof what, "option-%lld", (long long)question);
	if (n > ARRAY_LEN(v))
		n = ARRAY_LEN(v);
	for (size_t i = 0; i < n; i++)
		v[i].id = (int64_t)i + 1;
	lot_draw(seed, str_of(what), v, n);
	for (size_t i = 0; i < n; i++)
		options[i] = (uint8_t)v[i].id;
}

// ",a,c," as a set: letters a … f, yes, no.
static unsigned keys(struct str s)
{
	unsigned set = 0;
	if (str_contains(s, STR(",yes,")))
		set |= 1u << 6;
	if (str_contains(s, STR(",no,")))
		set |= 1u << 7;
	for (size_t i = 0; i + 2 < s.n; i++)
		if (s.p[i] == ',' && s.p[i + 2] == ',' && s.p[i + 1] >= 'a' && s.p[i + 1] <= 'f')
			set |= 1u << (s.p[i + 1] - 'a');
	return set;
}

double exam_points(struct str key, struct str answer, double points, double part)
{
	unsigned right = keys(key), said = keys(answer);
	if (!right || !said)
		return 0;
	if (right == said)
		return points;
	return said & ~right ? 0 : points * part / 100;
}
