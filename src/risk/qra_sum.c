// What the figures mean: the F–N curve against its line, what is left of the criteria. Pure; any thread.
#include "risk/qra_int.h"

double qra_fn_at(const struct qra_result *r, double n)
{
	for (size_t i = 0; i < r->nfn; i++) {
		if (r->fn[i].n >= n) {
			return r->fn[i].f;
		}
	}
	return 0;
}

// Largest F divided by the line; a step is judged at its end, where the line is lowest.
static double exceeds(const struct qra_input *in, const struct qra_result *r, double at_one, double *ret_n)
{
	double worst = 0;
	for (size_t i = 0; i < r->nfn; i++) {
		double n = fmin(r->fn[i].n, in->line.people), part = r->fn[i].f / (at_one * pow(n, in->line.slope));
		if (r->fn[i].n > 0 && part > worst) {
			worst = part;
			*ret_n = r->fn[i].n;
		}
	}
	return worst;
}

struct qra_room qra_room(const struct qra_input *in, const struct qra_result *r)
{
	struct qra_room m = { HUGE_VAL, HUGE_VAL, 0, 0, 0, 0, "acceptable" };
	double unused;
	for (size_t i = 0; i < in->nplaces; i++) {
		double times = r->place_sum[i] > 0 && in->places[i].limit > 0 ? in->places[i].limit / r->place_sum[i] : HUGE_VAL;
		if (times < m.places) {
			m.places = times;
			m.place = i;
		}
	}
	double upper = exceeds(in, r, in->line.upper, &m.n), lower = exceeds(in, r, in->line.lower, &unused);
	m.societal = upper > 0 ? 1 / upper : HUGE_VAL;
	m.zone = upper > 1 ? "unacceptable" : lower > 1 ? "alarp" : "acceptable";
	m.factor = fmin(m.places, m.societal);
	m.pll = isfinite(m.factor) ? r->pll * (m.factor - 1) : HUGE_VAL;
	return m;
}
