// Escalation: how often an accident at one source makes another one fail. First order: an escalated accident does not escalate
// again. Cozzani & Salzano 2004, Cozzani 2006 (table domino). Pure; any thread.
#include "risk/numeric.h"
#include "risk/qra_int.h"

static double by_blast(const struct qra_escalation *e, double pressure)
{
	return pressure < e->pressure || pressure <= 0 ? 0 : num_phi(e->a + e->b * log(pressure) - 5);
}

// Time to failure and its probit: see the model domino.
static double by_heat(const struct qra_escalation *e, const struct qra_source *s, double heat)
{
	if (s->target > QRA_PRESSURISED || heat < e->heat || s->volume <= 0) {
		return 0;
	}
	double ttf = s->target == QRA_ATMOSPHERIC ? exp(-1.128 * log(heat) - 2.667e-5 * s->volume + 9.877) :
		exp(-0.947 * log(heat) + 8.835 * pow(s->volume, 0.032));
	return num_phi(9.25 - 1.847 * log(ttf / 60) - 5);
}

static double escalates(const struct qra_input *in, const struct qra_branch *b, const struct qra_source *from, const struct qra_source *to,
	double bearing)
{
	double dx = to->x - from->x, dy = to->y - from->y, e = sin(bearing), n = cos(bearing), heat, pressure;
	qra_impact(b, dx * e + dy * n, dx * n - dy * e, &heat, &pressure);
	const struct qra_escalation *x = &in->rules.escalation[to->target];
	double p = by_blast(x, pressure), q = by_heat(x, to, heat);
	return 1 - (1 - p) * (1 - q);
}

static void from_branch(const struct qra_input *in, const struct qra_source *from, const struct qra_branch *b, const struct qra_class *w,
	double f, double *ret)
{
	for (size_t d = 0; d < in->directions; d++) {
		double bearing = 2 * M_PI * (double)d / (double)in->directions + M_PI, part = b->round ? 1 : w->from[d];
		double p = part > 0 ? b->p + (b->later != 0 ? b->later * qra_ignited(in, from, b, bearing) : 0) : 0;
		for (size_t t = 0; t < in->nsources && p > 0; t++) {
			const struct qra_source *to = &in->sources[t];
			if (to != from && to->target < QRA_NO_TARGET && !qra_skipped(in, t)) {
				ret[t] += f * part * p * escalates(in, b, from, to, bearing);
			}
		}
		if (b->round) {
			return;
		}
	}
}

void qra_domino(const struct qra_input *in, double *ret)
{
	struct qra_branch b[QRA_BRANCHES];
	memset(ret, 0, in->nsources * sizeof *ret);
	for (size_t s = 0; s < in->nsources && in->domino; s++) {
		const struct qra_source *from = &in->sources[s];
		for (size_t k = 0; k < from->n && !qra_skipped(in, s); k++) {
			for (size_t c = 0; c <= in->nclasses; c++) { // behind the last class: what is round
				const struct qra_class *w = c < in->nclasses ? &in->classes[c] : NULL;
				size_t n = qra_branches(in, &from->scenarios[k], w, b);
				for (size_t i = 0; i < n; i++) {
					if (b[i].effect >= QRA_JET && b[i].effect != QRA_BALL) {
						from_branch(in, from, &b[i], w, from->scenarios[k].f, ret);
					}
				}
			}
		}
	}
}

double qra_frequency(const struct qra_source *s, const struct qra_scenario *sc, double domino)
{
	size_t ruptures = 0;
	for (size_t k = 0; k < s->n; k++) {
		ruptures += s->scenarios[k].rupture;
	}
	return sc->f + (sc->rupture ? domino / (double)ruptures : 0);
}
