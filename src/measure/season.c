// What months of the year bring: a series of months taken apart into trend, season and the rest, by the classical additive
// decomposition (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 3.4), and how strong the season is (4.3).
#include <math.h>

#include "measure/measure.h"

static double variance(const double *v, size_t n)
{
	double mean = 0, sum = 0;
	for (size_t i = 0; i < n; i++)
		mean += v[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		sum += (v[i] - mean) * (v[i] - mean);
	return n ? sum / (double)n : 0;
}

// A year centred on the month: half of the months at both ends.
static double year_around(const double *v, size_t k)
{
	double sum = (v[k - 6] + v[k + 6]) / 2;
	for (size_t j = k - 5; j <= k + 5; j++)
		sum += v[j];
	return sum / 12;
}

bool season_split(const double *v, size_t n, unsigned first, struct arena *a, struct season *ret)
{
	double sum[12] = { 0 }, mean = 0;
	int count[12] = { 0 };
	*ret = (struct season){ 0 };
	if (n < SEASON_MONTHS)
		return false;
	double *trend = arena_many(a, n, double), *detrended = arena_many(a, n, double), *rest = arena_many(a, n, double);
	size_t inner = n - 12;
	for (size_t k = 0; k < n; k++)
		trend[k] = k >= 6 && k + 6 < n ? year_around(v, k) : NAN;
	for (size_t k = 6; k + 6 < n; k++) {
		unsigned m = (unsigned)((first + k) % 12);
		sum[m] += detrended[k - 6] = v[k] - trend[k];
		count[m]++;
	}
	for (size_t m = 0; m < 12; m++)
		mean += (ret->factor[m] = sum[m] / count[m]) / 12;
	for (size_t m = 0; m < 12; m++)
		ret->factor[m] -= mean;
	for (size_t k = 0; k < inner; k++)
		rest[k] = detrended[k] - ret->factor[(first + k + 6) % 12];
	double all = variance(detrended, inner);
	ret->strength = all > 0 ? fmax(0, 1 - variance(rest, inner) / all) : 0;
	ret->trend = trend;
	return true;
}

// ---- of an indicator ----------------------------------------------------------------------------
bool indicator_seasonal(const struct indicator *i)
{
	return i->of.type && !i->per.type && (i->of.at == AT_DATE || i->of.at == AT_TIME);
}

static enum err months_of(const struct measure_ask *q, const struct indicator *i, size_t n, double *v, struct period *periods)
{
	struct period last = period_at(PERIOD_MONTH, q->now, false, q->arena);
	enum err err = OK;
	for (size_t k = 0; !err && k < n; k++) {
		struct measure_ask then = *q;
		struct figure *f;
		size_t nf;
		then.dim = DIM_NONE;
		then.period = periods[k] = period_back(&last, (int)(n - k), q->arena); // months that are over
		err = measure_figures(&then, i, &f, &nf);
		v[k] = !err && nf && f[0].has ? f[0].value : 0;
	}
	return err;
}

static void months_json(const double *v, const struct period *p, size_t n, const struct season *s, struct jw *w)
{
	jw_karr(w, "months");
	for (size_t k = 0; k < n; k++) {
		double season = s->factor[p[k].sub - 1];
		jw_obj(w);
		jw_kstr(w, "period", p[k].name);
		jw_kf64(w, "value", v[k]);
		if (s->trend && !isnan(s->trend[k])) {
			jw_kf64(w, "trend", s->trend[k]);
			jw_kf64(w, "season", season);
			jw_kf64(w, "rest", v[k] - s->trend[k] - season);
		}
		jw_end(w);
	}
	jw_end(w);
}

enum err indicator_season_json(const struct measure_ask *q, const struct indicator *i, int years, struct jw *w)
{
	size_t n = (size_t)years * 12, from = 0;
	double *v = arena_many(q->arena, n, double);
	struct period *p = arena_many(q->arena, n, struct period);
	struct season s;
	if (!indicator_seasonal(i))
		return problem_set(q->p, ERR_INVALID, "name", "这个指标不是按发生时间计数的，不能分解季节", "this indicator is not counted by when things happened: it has no seasons");
	enum err err = months_of(q, i, n, v, p);
	if (err)
		return err;
	while (from < n && v[from] == 0) // before there were records
		from++;
	bool enough = season_split(v + from, n - from, n > from ? (unsigned)p[from].sub - 1 : 0, q->arena, &s);
	jw_obj(w);
	jw_kstr(w, "name", i->name);
	jw_kbool(w, "enough", enough);
	jw_ki64(w, "needed", SEASON_MONTHS);
	jw_kf64(w, "strength", s.strength);
	jw_karr(w, "factors");
	for (size_t m = 0; enough && m < 12; m++)
		jw_f64(w, s.factor[m]);
	jw_end(w);
	months_json(v + from, p + from, n - from, &s, w);
	jw_end(w);
	return OK;
}
