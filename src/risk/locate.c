// Inverse problems of leaks. The plume: Bayes on a lattice of places × rates × wind directions (flat priors in place and ln rate,
// normal errors), first over the whole area, then over where the mass is. The pipeline: travel times of the negative pressure
// wave, and the intersection of the hydraulic gradients (Darcy-Weisbach). Entered in models.c. Pure; any thread.
#include "risk/locate.h"
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

#include <stdlib.h>

enum { SIDE = 51, RATES = 41, TURNS = 5, STAGES = 3 };

struct box { double x0, y0, x1, y1; };
// Coarse lattices would step over the peak of exact readings: they are taken for worse first.
static const double least_noise[STAGES] = { 0.4, 0.15, 0 };
static const double turn_at[TURNS] = { -1.5, -0.75, 0, 0.75, 1.5 }; // standard deviations of the direction

struct lattice {
	struct box b;
	double q0, q1;           // kg/s, of the rates
	double *log_place;       // [SIDE][SIDE] ln of the mass there
	double *log_rate;        // [RATES]
	double best, x_best, y_best, q_best, chi2;
};

static double rate_at(const struct lattice *l, double k)
{
	return l->q0 * pow(l->q1 / l->q0, k / (RATES - 1));
}

static double add_logs(double a, double b)
{
	double hi = fmax(a, b), lo = fmin(a, b);
	return isinf(lo) ? hi : hi + log1p(exp(lo - hi));
}

// What each detector would read for 1 kg/s at x, y when the wind comes from `from` degrees.
static void read_one(const struct leak_case *c, double x, double y, double from, double *ret)
{
	double towards = (from + 180) * M_PI / 180, e = sin(towards), n = cos(towards);
	struct gauss one = c->plume;
	one.q = 1;
	for (size_t i = 0; i < c->n; i++) {
		double dx = c->v[i].x - x, dy = c->v[i].y - y;
		ret[i] = gauss_plume(&one, fmax(dx * e + dy * n, 0), dx * n - dy * e, 1.5);
	}
}

static double log_likelihood(const struct leak_case *c, const double *unit, double q, double *ret_chi2)
{
	double sum = 0, chi2 = 0, product = 1, floor2 = c->floor * c->floor;
	for (size_t i = 0; i < c->n; i++) {
		double m = q * unit[i], var = floor2 + c->noise * c->noise * m * m, off = c->v[i].c - m;
		chi2 += off * off / var;
		product *= var / floor2;
		if (product > 1e100 || i + 1 == c->n) { // one logarithm for many
			sum -= 0.5 * log(product);
			product = 1;
		}
	}
	*ret_chi2 = chi2 / (double)c->n;
	return sum - 0.5 * chi2;
}

static void fill_place(const struct leak_case *c, struct lattice *l, int ix, int iy, double *unit)
{
	double x = l->b.x0 + (l->b.x1 - l->b.x0) * ix / (SIDE - 1), y = l->b.y0 + (l->b.y1 - l->b.y0) * iy / (SIDE - 1), chi2;
	double *place = &l->log_place[iy * SIDE + ix];
	for (int t = 0; t < TURNS; t++) {
		read_one(c, x, y, c->from + turn_at[t] * c->from_sd, unit);
		for (int k = 0; k < RATES; k++) {
			double q = rate_at(l, k), v = log_likelihood(c, unit, q, &chi2) - 0.5 * turn_at[t] * turn_at[t];
			*place = add_logs(*place, v);
			l->log_rate[k] = add_logs(l->log_rate[k], v);
			if (v > l->best) {
				l->best = v, l->x_best = x, l->y_best = y, l->q_best = q, l->chi2 = chi2;
			}
		}
	}
}

static void fill(const struct leak_case *c, struct lattice *l, double *unit)
{
	l->best = -INFINITY;
	for (int i = 0; i < SIDE * SIDE; i++) {
		l->log_place[i] = -INFINITY;
	}
	for (int k = 0; k < RATES; k++) {
		l->log_rate[k] = -INFINITY;
	}
	for (int iy = 0; iy < SIDE; iy++) {
		for (int ix = 0; ix < SIDE; ix++) {
			fill_place(c, l, ix, iy, unit);
		}
	}
}

struct moments { double x, y, xx, xy, yy, edge; };

static struct moments moments_of(const struct lattice *l)
{
	struct moments m = { 0 };
	double top = -INFINITY, all = 0, dx = (l->b.x1 - l->b.x0) / (SIDE - 1), dy = (l->b.y1 - l->b.y0) / (SIDE - 1);
	for (int i = 0; i < SIDE * SIDE; i++) {
		top = fmax(top, l->log_place[i]);
	}
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < SIDE * SIDE; i++) {
			int ix = i % SIDE, iy = i / SIDE;
			double w = exp(l->log_place[i] - top), x = l->b.x0 + dx * ix, y = l->b.y0 + dy * iy;
			if (pass == 0) {
				all += w, m.x += w * x, m.y += w * y;
				m.edge += ix == 0 || iy == 0 || ix == SIDE - 1 || iy == SIDE - 1 ? w : 0;
			} else {
				m.xx += w * (x - m.x) * (x - m.x), m.xy += w * (x - m.x) * (y - m.y), m.yy += w * (y - m.y) * (y - m.y);
			}
		}
		if (pass == 0) {
			m.x /= all, m.y /= all, m.edge /= all;
		}
	}
	m.xx = m.xx / all + dx * dx / 12; // a place of the lattice stands for its square
	m.yy = m.yy / all + dy * dy / 12;
	m.xy /= all;
	return m;
}

static double rate_quantile(const struct lattice *l, double part)
{
	double top = -INFINITY, all = 0, sum = 0;
	for (int k = 0; k < RATES; k++) {
		top = fmax(top, l->log_rate[k]);
	}
	for (int k = 0; k < RATES; k++) {
		all += exp(l->log_rate[k] - top);
	}
	for (int k = 0; k < RATES; k++) {
		double w = exp(l->log_rate[k] - top) / all;
		if (sum + w >= part) {
			return rate_at(l, k - 0.5 + (part - sum) / w);
		}
		sum += w;
	}
	return l->q1;
}

static struct box whole(const struct leak_case *c)
{
	struct box b = { c->v[0].x, c->v[0].y, c->v[0].x, c->v[0].y };
	for (size_t i = 1; i < c->n; i++) {
		b = (struct box){ fmin(b.x0, c->v[i].x), fmin(b.y0, c->v[i].y), fmax(b.x1, c->v[i].x), fmax(b.y1, c->v[i].y) };
	}
	return (struct box){ b.x0 - c->range, b.y0 - c->range, b.x1 + c->range, b.y1 + c->range };
}

// Five standard deviations around the mean, and not out of the area.
static struct box around(const struct box *b, const struct moments *m)
{
	double rx = 5 * sqrt(m->xx), ry = 5 * sqrt(m->yy);
	return (struct box){ fmax(b->x0, m->x - rx), fmax(b->y0, m->y - ry), fmin(b->x1, m->x + rx), fmin(b->y1, m->y + ry) };
}

struct leak_guess leak_locate(const struct leak_case *c, struct arena *a)
{
	struct lattice l = { .b = whole(c), .q0 = c->q_min, .q1 = c->q_max };
	struct leak_case worse = *c;
	struct moments m = { 0 };
	bool at_edge = false;
	double *unit = arena_many(a, c->n, double);
	l.log_place = arena_many(a, SIDE * SIDE, double);
	l.log_rate = arena_many(a, RATES, double);
	for (int stage = 0; stage < STAGES; stage++) {
		worse.noise = fmax(c->noise, least_noise[stage]);
		if (stage > 0) {
			double low = rate_quantile(&l, 1e-4), high = rate_quantile(&l, 1 - 1e-4);
			l.b = around(&l.b, &m);
			l.q0 = fmax(low / 1.1, c->q_min), l.q1 = fmin(high * 1.1, c->q_max);
		}
		fill(&worse, &l, unit);
		m = moments_of(&l);
		at_edge = m.edge > 0.01; // of the last, which reaches as far as there is mass unless it is cut off
	}
	double mid = (m.xx + m.yy) / 2, half = hypot((m.xx - m.yy) / 2, m.xy), big = mid + half, little = fmax(mid - half, 0);
	double bearing = 90 - 0.5 * atan2(2 * m.xy, m.xx - m.yy) * 180 / M_PI;
	const double chi2_95 = 5.991; // of two degrees of freedom
	return (struct leak_guess){ m.x, m.y, l.x_best, l.y_best, l.q_best, rate_quantile(&l, 0.5), rate_quantile(&l, 0.05),
		rate_quantile(&l, 0.95), sqrt(chi2_95 * big), sqrt(chi2_95 * little), fmod(bearing + 180, 180), l.chi2, at_edge };
}

// ---- leak-locate ---------------------------------------------------------------------------------------------------

static void run_locate(struct risk_run *r)
{
	size_t n = risk_rows(r, "detectors"), found = 0;
	struct leak_reading *v = arena_many(r->arena, n, struct leak_reading);
	struct leak_case c = { .v = v, .n = n, .from = risk_num(r, "wind_from"), .from_sd = risk_num(r, "wind_sd"), .noise = risk_num(r, "noise"),
		.floor = risk_num(r, "floor"), .range = risk_num(r, "range"), .q_min = risk_num(r, "Q_min"), .q_max = risk_num(r, "Q_max") };
	c.plume = (struct gauss){ (enum sigma_set)risk_choice(r, "sigma_set"), risk_choice(r, "stability"), 1, risk_num(r, "u"), risk_num(r, "h"), 1 };
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct leak_reading){ risk_cell(r, "detectors", i, "x")->num, risk_cell(r, "detectors", i, "y")->num,
			risk_cell(r, "detectors", i, "C")->num };
		found += v[i].c > 2 * c.floor;
	}
	if (n < 3 || !found || n > 200) {
		risk_fail(r, "detectors", "需要 3～200 个探测器，至少一个读数高于噪声下限的两倍", "3 to 200 detectors are needed, one of them above twice the floor");
		return;
	}
	if (c.q_min >= c.q_max) {
		risk_fail(r, "Q_max", "Q_max 应大于 Q_min", "Q_max must be above Q_min");
		return;
	}
	struct leak_guess g = leak_locate(&c, r->arena);
	risk_out(r, "x", g.x);
	risk_out(r, "y", g.y);
	risk_out(r, "Q", g.q);
	risk_out(r, "Q_low", g.q_low);
	risk_out(r, "Q_high", g.q_high);
	risk_out(r, "major", g.major);
	risk_out(r, "minor", g.minor);
	risk_out(r, "bearing", g.bearing);
	risk_out(r, "x_best", g.x_best);
	risk_out(r, "y_best", g.y_best);
	risk_out(r, "Q_best", g.q_best);
	risk_out(r, "chi2", g.chi2);
	if (found < 3) {
		risk_warn(r, "只有 %zu 个探测器有读数，位置很不确定", "only %zu detectors read something: the place is very uncertain", found);
	}
	if (g.at_edge) {
		risk_warn(r, "泄漏源可能在搜索范围之外，请加大 range", "the source may lie outside of what was searched: enlarge range");
	}
	if (g.chi2 > 4) {
		risk_warn(r, "模型与读数不符（χ²/n = %.3g），可能不止一个源或风向有误", "the plume does not fit the readings (chi2/n = %.3g): more than one source, or another wind", g.chi2);
	}
}

static const struct risk_input columns_detectors[] = { IN_NUM("x", "m", "东向", "east", -1e6, 1e6), IN_NUM("y", "m", "北向", "north", -1e6, 1e6),
	IN_NUM("C", "kg/m3", "浓度（0 为未检出）", "concentration; 0: nothing", 0, 10), IN_END };
static const struct risk_input in_locate[] = {
	IN_ROWS("detectors", "探测器读数", "readings of the detectors", columns_detectors),
	IN_NUM("wind_from", "deg", "来风方向（自北顺时针）", "where the wind comes from, clockwise from north", 0, 360),
	IN_OPT_NOTE("wind_sd", "deg", "风向不确定度", "uncertainty of the direction", 0, 45, 5, { "假定 5°", "assumed" }), IN_WIND, IN_STABILITY, IN_SIGMA_SET,
	IN_OPT("h", "m", "源高", "height of the source", 0, 100, 1),
	IN_OPT_NOTE("noise", "", "读数相对误差", "relative error of readings and model", 0.01, 2, 0.3, { "含模型误差，假定 0.3", "with that of the model; assumed" }),
	IN_OPT_NOTE("floor", "kg/m3", "读数噪声下限", "floor of the noise", 1e-12, 1, 1e-7, { "假定 0.1 mg/m3", "assumed: 0.1 mg/m3" }),
	IN_OPT("range", "m", "探测器外搜索距离", "searched around the detectors", 10, 5000, 300),
	IN_OPT("Q_min", "kg/s", "速率下限", "lowest rate", 1e-9, 1e4, 1e-5), IN_OPT("Q_max", "kg/s", "速率上限", "highest rate", 1e-8, 1e5, 100), IN_END,
};
static const struct risk_output out_locate[] = {
	{ "x", "m", "源位置东向（均值）", "east, mean" }, { "y", "m", "源位置北向（均值）", "north, mean" }, { "Q", "kg/s", "速率（中位）", "rate, median" },
	{ "Q_low", "kg/s", "速率 5 %", "rate, 5 %" }, { "Q_high", "kg/s", "速率 95 %", "rate, 95 %" },
	{ "major", "m", "95 % 椭圆长半轴", "semi-axis of the 95 % ellipse, long" }, { "minor", "m", "95 % 椭圆短半轴", "semi-axis, short" },
	{ "bearing", "deg", "长轴方位", "bearing of the long axis" }, { "x_best", "m", "最可能东向", "east, most probable" },
	{ "y_best", "m", "最可能北向", "north, most probable" }, { "Q_best", "kg/s", "最可能速率", "rate, most probable" },
	{ "chi2", "", "吻合度 χ²/n", "misfit chi2/n" }, { 0 },
};
const struct risk_model model_locate = { "leak-locate", "泄漏源定位（探测器与风）", "source of a leak from detectors and wind",
	"gaussian-plume inverted by Bayes on a lattice; flat priors in place and ln Q",
	{ "单个稳定源，平坦地面，读数为 10 min 平均；95 % 椭圆只含所给误差", "one steady source, flat ground, readings averaged over 10 min; the 95 % ellipse holds the stated errors only" },
	in_locate, out_locate, NULL, NULL, run_locate };

// ---- pipeline-leak ---------------------------------------------------------------------------------------------------

double pipe_by_wave(const struct pipe_wave *w, double *ret_sd)
{
	double a = w->speed, u = w->flow, x = (w->length * (a - u) + (a * a - u * u) * w->dt) / (2 * a);
	double by_dt = (a * a - u * u) / (2 * a), by_a = (w->dt * (1 + u * u / (a * a)) + w->length * u / (a * a)) / 2;
	*ret_sd = hypot(by_dt * w->sd_dt, by_a * w->sd_speed);
	return x;
}

static double meeting(const struct pipe_gradient *g)
{
	double area = M_PI * g->diameter * g->diameter / 4, v1 = g->q_in / area, v2 = g->q_out / area;
	double k = g->friction * g->rho / (2 * g->diameter);
	double lost = g->p_in - g->p_out - g->rho * GRAVITY * g->rise, g1 = k * v1 * v1, g2 = k * v2 * v2;
	return (lost - g->length * g2) / (g1 - g2);
}

double pipe_by_gradient(const struct pipe_gradient *g, double *ret_sd)
{
	double x = meeting(g), sum = 0;
	for (int i = 0; i < 4; i++) { // by differences: one quantity after the other
		struct pipe_gradient h = *g;
		double sd = i < 2 ? g->sd_p : g->sd_q;
		*(i == 0 ? &h.p_in : i == 1 ? &h.p_out : i == 2 ? &h.q_in : &h.q_out) += sd * 1e-3;
		double slope = (meeting(&h) - x) / 1e-3;
		sum += slope * slope;
	}
	*ret_sd = sqrt(sum);
	return x;
}

static bool given_all(struct risk_run *r, const char *const *names, size_t n, bool *ret_some)
{
	size_t have = 0;
	for (size_t i = 0; i < n; i++) {
		have += risk_given(r, names[i]);
	}
	*ret_some = have > 0;
	for (size_t i = 0; i < n && have > 0 && have < n; i++) {
		if (!risk_given(r, names[i])) {
			risk_fail(r, names[i], "梯度法还需要 %s", "the gradients need %s too", names[i]);
		}
	}
	return have == n;
}

static void out_place(struct risk_run *r, const char *name, const char *sd_name, double x, double sd, double length)
{
	risk_out(r, name, x);
	risk_out(r, sd_name, sd);
	if (x < 0 || x > length) {
		risk_warn(r, "%s 在管段之外：检查时钟同步、波速或流量", "%s lies outside of the section: look at clocks, wave speed and flows", name);
	}
}

static void run_pipe(struct risk_run *r)
{
	static const char *const flows[] = { "P_in", "P_out", "Q_in", "Q_out", "D", "rho" };
	double length = risk_num(r, "L"), weight = 0, sum = 0, sd;
	bool some, gradient = given_all(r, flows, ARRAY_LEN(flows), &some), wave = risk_given(r, "dt") && risk_given(r, "a");
	if (risk_failed(r) || (!gradient && !wave)) {
		risk_fail(r, "dt", "应给出 dt 与 a（负压波），或两端压力、流量（梯度）", "dt and a (wave), or pressures and flows of both ends (gradients) are needed");
		return;
	}
	if (wave) {
		struct pipe_wave w = { length, risk_num(r, "a"), risk_num(r, "u"), risk_num(r, "dt"), risk_num(r, "sd_dt"), risk_num(r, "sd_a") * risk_num(r, "a") };
		double x = pipe_by_wave(&w, &sd);
		out_place(r, "x_wave", "sd_wave", x, sd, length);
		weight += 1 / (sd * sd), sum += x / (sd * sd);
	}
	if (gradient) {
		struct pipe_gradient g = { length, risk_num(r, "P_in"), risk_num(r, "P_out"), risk_num(r, "Q_in"), risk_num(r, "Q_out"), risk_num(r, "D"),
			risk_num(r, "rho"), risk_num(r, "friction"), risk_num(r, "rise"), risk_num(r, "sd_P"), risk_num(r, "sd_Q") };
		double leak = g.q_in - g.q_out, sd_leak = M_SQRT2 * g.sd_q;
		risk_out(r, "leak", leak);
		risk_out(r, "sd_leak", sd_leak);
		if (leak < 2 * sd_leak) {
			risk_warn(r, "两端流量差不超过其误差的两倍，质量平衡不能证实泄漏，梯度法未计入", "the flows differ by less than twice their error: the balance does not show a leak, and the gradients are not used");
		} else {
			double x = pipe_by_gradient(&g, &sd);
			out_place(r, "x_gradient", "sd_gradient", x, sd, length);
			weight += 1 / (sd * sd), sum += x / (sd * sd);
		}
	}
	if (weight > 0) {
		double x = sum / weight, all = 1 / sqrt(weight);
		risk_out(r, "x", x);
		risk_out(r, "sd", all);
		risk_out(r, "from", num_clamp(x - 1.96 * all, 0, length));
		risk_out(r, "to", num_clamp(x + 1.96 * all, 0, length));
	}
}

static const struct risk_input in_pipe[] = {
	IN_NUM("L", "m", "管段长度", "length of the section", 10, 1e6), IN_OPT("dt", "s", "首端到达时刻减末端到达时刻", "arrival at the inlet less that at the outlet", -1e4, 1e4, NAN),
	IN_OPT("a", "m/s", "压力波速", "wave speed", 50, 2000, NAN), IN_OPT("u", "m/s", "流速", "flow speed", 0, 30, 0),
	IN_OPT_NOTE("sd_dt", "s", "时差标准差", "error of dt", 1e-6, 100, 0.05, { "假定", "assumed" }),
	IN_OPT_NOTE("sd_a", "", "波速相对标准差", "relative error of the wave speed", 0, 0.5, 0.02, { "假定", "assumed" }),
	IN_OPT("P_in", "Pa", "首端压力", "pressure at the inlet", 1e3, 1e8, NAN), IN_OPT("P_out", "Pa", "末端压力", "at the outlet", 1e3, 1e8, NAN),
	IN_OPT("Q_in", "m3/s", "首端流量", "flow at the inlet", 0, 100, NAN), IN_OPT("Q_out", "m3/s", "末端流量", "at the outlet", 0, 100, NAN),
	IN_OPT("D", "m", "内径", "inner diameter", 0.01, 3, NAN), IN_OPT("rho", "kg/m3", "密度", "density", 0.1, 3000, NAN),
	IN_OPT_NOTE("friction", "", "达西摩阻系数", "Darcy friction factor", 0.005, 0.1, 0.02, { "应按正常工况标定", "calibrate on normal operation" }),
	IN_OPT("rise", "m", "末端高出首端", "outlet above inlet", -3000, 3000, 0),
	IN_OPT_NOTE("sd_P", "Pa", "压力标准差", "error of pressures", 0, 1e6, 2000, { "假定", "assumed" }),
	IN_OPT_NOTE("sd_Q", "m3/s", "流量标准差", "error of flows", 0, 10, 1e-4, { "假定", "assumed" }), IN_END,
};
static const struct risk_output out_pipe[] = {
	{ "x", "m", "距首端（综合）", "from the inlet, of both" }, { "sd", "m", "标准差", "standard deviation" }, { "from", "m", "95 % 起", "95 % from" },
	{ "to", "m", "95 % 止", "95 % to" }, { "x_wave", "m", "负压波法", "by the wave" }, { "sd_wave", "m", "标准差", "its standard deviation" },
	{ "x_gradient", "m", "梯度法", "by the gradients" }, { "sd_gradient", "m", "标准差", "its standard deviation" },
	{ "leak", "m3/s", "泄漏流量（质量平衡）", "leak by the balance" }, { "sd_leak", "m3/s", "标准差", "its standard deviation" }, { 0 },
};
const struct risk_model model_pipe_leak = { "pipeline-leak", "管道泄漏定位", "place of a leak on a pipeline",
	"negative pressure wave: x = (L(a-u) + (a2-u2) dt) / 2a; intersection of the Darcy-Weisbach gradients; both by inverse variance",
	{ "液体管道，稳态，两端时钟同步", "liquid, steady flow, clocks of both ends in step" }, in_pipe, out_pipe, NULL, NULL, run_pipe };
