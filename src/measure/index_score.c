// The arithmetic of the risk index, apart from records and threads. Pure; tests/unit/test_index.c holds it against sums done
// by hand.
#include <math.h>

#include "measure/index.h"

void index_fade(const struct risk_index *x, int64_t t, double *ret)
{
	for (size_t i = 0; i < x->ncomponents; i++)
		ret[i] = x->components[i].half_life ? exp2(-(double)t / (double)x->components[i].half_life) : 1;
}

double index_amount(const struct index_component *c, int64_t row_at, int64_t epoch)
{
	return c->half_life ? exp2((double)(row_at - epoch) / (double)c->half_life) : 1;
}

static double raw_points(const struct index_component *c, const struct index_slot *slots, const struct index_slot *cover, double fade)
{
	double raw = 0;
	for (size_t i = 0; i < c->nweights; i++) {
		const struct index_slot *s = &slots[c->slot + i], *o = cover ? &cover[c->slot + i] : NULL;
		double n = (double)s->n + (o ? (double)o->n : 0), v = (double)s->v + (o ? (double)o->v : 0), w = c->weights[i].weight;
		if (c->worst)
			raw = n > 0 ? fmax(raw, w) : raw;
		else
			raw += w * v * fade;
	}
	return raw;
}

int index_score(const struct risk_index *x, const struct index_slot *slots, const struct index_slot *cover, const double *fade,
                struct index_part *parts)
{
	double sum = 0;
	for (size_t i = 0; i < x->ncomponents; i++) {
		double raw = raw_points(&x->components[i], slots, cover, fade[i]), points = fmin(raw, x->components[i].cap);
		points = x->components[i].lowers ? 0 - points : points; // not -0
		if (parts)
			parts[i] = (struct index_part){ raw, points };
		sum += points;
	}
	return (int)lround(fmax(fmin(sum, 100), 0) * 10);
}

int index_score_without(const struct risk_index *x, const struct index_slot *slots, const struct index_slot *cover, const double *fade,
                        size_t component)
{
	struct index_slot less[INDEX_SLOTS];
	const struct index_component *c = &x->components[component];
	for (size_t i = 0; i < x->nslots; i++)
		less[i] = (struct index_slot){ slots[i].n + (cover ? cover[i].n : 0), slots[i].v + (cover ? cover[i].v : 0) };
	for (size_t i = 0; i < c->nweights; i++)
		less[c->slot + i] = (struct index_slot){ 0 };
	return index_score(x, less, NULL, fade, NULL);
}

enum index_color index_color_at(const struct risk_index *x, int tenths)
{
	for (int c = INDEX_RED; c > INDEX_BLUE; c--)
		if (tenths >= (int)lround(x->levels[c].from * 10))
			return (enum index_color)c;
	return INDEX_BLUE;
}

int index_aggregate(const struct risk_index *x, const uint32_t bins[INDEX_TENTHS + 1])
{
	uint64_t n = 0, sum = 0, top_n = 0, top_sum = 0;
	int worst = -1;
	for (int t = INDEX_TENTHS; t >= 0; t--) {
		if (!bins[t])
			continue;
		if (worst < 0)
			worst = t;
		uint64_t take = MIN((uint64_t)bins[t], (uint64_t)x->top - top_n);
		top_n += take;
		top_sum += take * (uint64_t)t;
		n += bins[t];
		sum += (uint64_t)bins[t] * (uint64_t)t;
	}
	if (!n)
		return 0;
	return (int)lround(x->worst * worst + x->top_share * (double)top_sum / (double)top_n + x->all_share * (double)sum / (double)n);
}
