// Gaussian plume, puff, release of finite duration, zones, plume rise. Equations: TNO Yellow Book CPR 14E; CCPS 1999; ISC3
// vol. II for Briggs' rise. Entered in models.c. Pure; any thread.
#include "risk/gauss.h"
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/numeric.h"

static double reflection(double z, double h, double sz)
{
	double a = (z - h) / sz, b = (z + h) / sz;
	return exp(-0.5 * a * a) + exp(-0.5 * b * b);
}

double gauss_averaging(double seconds)
{
	return pow(fmax(seconds, 20) / 600, 0.2);
}

double gauss_plume(const struct gauss *g, double x, double y, double z)
{
	struct sigma s;
	if (x <= 0 || !sigma_at(g->set, g->stability, x, &s)) {
		return 0;
	}
	double sy = s.y * g->factor;
	return g->q / (2 * M_PI * g->u * sy * s.z) * exp(-0.5 * y * y / (sy * sy)) * reflection(z, g->h, s.z);
}

double gauss_puff(const struct gauss *g, double x, double y, double z, double t)
{
	struct sigma s;
	double centre = g->u * t;
	if (centre <= 0 || !sigma_at(g->set, g->stability, centre, &s)) {
		return 0;
	}
	double dx = (x - centre) / s.x, dy = y / s.y;
	return g->q / (pow(2 * M_PI, 1.5) * s.x * s.y * s.z) * exp(-0.5 * (dx * dx + dy * dy)) * reflection(z, g->h, s.z);
}

// ---- common reading --------------------------------------------------------------------------------------------

static bool read_gauss(struct risk_run *r, const char *amount, struct gauss *g)
{
	*g = (struct gauss){ (enum sigma_set)risk_choice(r, "sigma_set"), risk_choice(r, "stability"), risk_num(r, amount), risk_num(r, "u"),
			     risk_num(r, "h"), 1 };
	if (g->set == SIGMA_CHEF && g->stability != 3) {
		risk_fail(r, "stability", "该组参数只有稳定度 D", "this set has class D only");
	}
	if (g->u < 1) {
		risk_warn(r, "风速低于 1 m/s，高斯模型不可靠", "below 1 m/s a Gaussian model is not reliable");
	}
	return !risk_failed(r);
}

static void warn_x(struct risk_run *r, double x)
{
	if (x < 100 || x > 10000) {
		risk_warn(r, "扩散参数一般适用于 100 m 至 10 km", "dispersion parameters were fitted between 100 m and 10 km");
	}
}

#define IN_PLACE IN_NUM("x", "m", "下风距离", "distance downwind", 0.1, 1e5), \
	IN_OPT("y", "m", "横风距离", "distance across the wind", -1e5, 1e5, 0), \
	IN_OPT("z", "m", "受体高度", "height of the receptor", 0, 1000, 0), IN_OPT("h", "m", "源高", "height of the source", 0, 1000, 0)

static const struct risk_output out_gauss[] = {
	{ "C", "kg/m3", "浓度", "concentration" }, { "C_ppm", "ppm", "体积浓度", "concentration by volume (with M)" },
	{ "sigma_x", "m", "纵向扩散参数", "along the wind" }, { "sigma_y", "m", "横向扩散参数", "across the wind" },
	{ "sigma_z", "m", "垂直扩散参数", "vertical" }, { "C_plume", "kg/m3", "连续源浓度", "concentration of an endless release" },
	{ "dose_time", "s", "云团经过时间", "time from the front to the tail of the cloud, 4 sigma_x and the release" }, { 0 },
};

// ppm of a gas of molar mass M at T (ideal gas, 1 atm).
static void out_ppm(struct risk_run *r, double c)
{
	if (risk_given(r, "M")) {
		risk_out(r, "C_ppm", 1e6 * c / risk_num(r, "M") * 1e3 * GAS_CONSTANT * risk_num(r, "T") / ATM);
	}
}
#define IN_PPM IN_OPT("M", "kg/kmol", "摩尔质量", "molar mass, for ppm", 1, 1000, NAN), \
	IN_OPT("T", "K", "气温", "air temperature", 200, 340, 298.15)

// ---- plume ----------------------------------------------------------------------------------------------------------

static void run_plume(struct risk_run *r)
{
	struct gauss g;
	struct sigma s;
	double x = risk_num(r, "x");
	if (!read_gauss(r, "Q", &g) || !sigma_at(g.set, g.stability, x, &s)) {
		return;
	}
	warn_x(r, x);
	g.factor = risk_given(r, "t_avg") ? gauss_averaging(risk_num(r, "t_avg")) : 1;
	double c = gauss_plume(&g, x, risk_num(r, "y"), risk_num(r, "z"));
	risk_out(r, "C", c);
	out_ppm(r, c);
	risk_out(r, "sigma_y", s.y * g.factor);
	risk_out(r, "sigma_z", s.z);
}

static const struct risk_input in_plume[] = {
	IN_NUM("Q", "kg/s", "释放速率", "release rate", 0, 1e5), IN_WIND, IN_STABILITY, IN_SIGMA_SET, IN_PLACE,
	IN_OPT_NOTE("t_avg", "s", "平均时间", "averaging time", 1, 36000, NAN,
		{ "sigma_y ×（t/600 s）^0.2，至少 20 s（TNO）；不填按该组参数", "sigma_y × (t/600 s)^0.2, at least 20 s (TNO); absent: as the set" }), IN_PPM, IN_END,
};
static const struct risk_alias alias_plume[] = { { "Gaussian plume*", NULL, NULL }, { 0 } };
const struct risk_model model_plume = { "gaussian-plume", "高斯烟羽", "Gaussian plume", "TNO Yellow Book CPR 14E; CCPS 1999",
	{ "与空气密度相近的气体，平坦地面，100 m 至 10 km，风速不低于 1 m/s", "neutral gas, flat ground, 100 m … 10 km, at least 1 m/s" }, in_plume, out_gauss, alias_plume, NULL, run_plume };

// ---- puff -----------------------------------------------------------------------------------------------------------

static void run_puff(struct risk_run *r)
{
	struct gauss g;
	struct sigma s;
	double t = risk_num(r, "t");
	if (!read_gauss(r, "m", &g) || !sigma_at(g.set, g.stability, g.u * t, &s)) {
		return;
	}
	warn_x(r, g.u * t);
	if (g.set != SIGMA_CCPS_PUFF && g.set != SIGMA_TNO_PUFF) {
		risk_warn(r, "该组参数按烟羽拟合，sigma_x 取 sigma_y", "this set was fitted to plumes; sigma_x is taken as sigma_y");
	}
	double c = gauss_puff(&g, risk_num(r, "x"), risk_num(r, "y"), risk_num(r, "z"), t);
	risk_out(r, "C", c);
	out_ppm(r, c);
	risk_out(r, "sigma_x", s.x);
	risk_out(r, "sigma_y", s.y);
	risk_out(r, "sigma_z", s.z);
}

static const struct risk_input in_puff[] = {
	IN_NUM("m", "kg", "释放量", "released mass", 0, 1e8), IN_WIND, IN_STABILITY, IN_SIGMA_SET, IN_PLACE,
	IN_NUM("t", "s", "释放后时间", "time since the release", 0.1, 1e6), IN_PPM, IN_END,
};
static const struct risk_alias alias_puff[] = { { "Gaussian puff*", NULL, NULL }, { 0 } };
const struct risk_model model_puff = { "gaussian-puff", "高斯烟团", "Gaussian puff", "CCPS 1999; sigma at the centre of the puff",
	{ "与空气密度相近的气体，瞬时释放", "neutral gas, instantaneous release" }, in_puff, out_gauss, alias_puff, NULL, run_puff };

// ---- a release of some duration ------------------------------------------------------------------------------------------

static const char *const menu_ends[] = { "centres", "receptor|palazzi", "front|tno", NULL };

static void run_release(struct risk_run *r)
{
	struct gauss g;
	struct sigma a, b, here;
	double x = risk_num(r, "x"), t = risk_num(r, "t"), lasts = risk_num(r, "duration");
	if (!read_gauss(r, "Q", &g)) {
		return;
	}
	int form = risk_choice(r, "form");
	double front = g.u * t, tail = g.u * fmax(t - lasts, 0);
	double at_tail = form == 1 ? x : form == 2 ? front : fmax(tail, 0.1), at_front = form == 1 ? x : front;
	sigma_at(g.set, g.stability, at_tail, &a);
	sigma_at(g.set, g.stability, at_front, &b);
	sigma_at(g.set, g.stability, x, &here);
	warn_x(r, x);
	double plume = gauss_plume(&g, x, risk_num(r, "y"), risk_num(r, "z"));
	double share = 0.5 * (erf((x - tail) / (M_SQRT2 * a.x)) - erf((x - front) / (M_SQRT2 * b.x)));
	risk_out(r, "C", plume * fmax(share, 0));
	out_ppm(r, plume * fmax(share, 0));
	risk_out(r, "C_plume", plume);
	risk_out(r, "dose_time", lasts + 4 * here.x / g.u);
}

static const struct risk_input in_release[] = {
	IN_NUM("Q", "kg/s", "释放速率", "release rate", 0, 1e5), IN_NUM("duration", "s", "释放时间", "duration of the release", 0.1, 1e6),
	IN_WIND, IN_STABILITY,
	IN_SIGMA_SET, IN_PLACE, IN_NUM("t", "s", "开始释放后时间", "time since the release began", 0.1, 1e6),
	{ .name = "form", .kind = RISK_MENU, .menu = menu_ends, .opt = true, .zh = "sigma_x 取值处", .en = "where sigma_x is taken",
	  .note = { "centres：首尾烟团中心；palazzi：受体处；tno：首烟团（4.60b）", "centres: at the first and last puff; palazzi: at the receptor; tno: at the first puff (4.60b)" } },
	IN_PPM, IN_END,
};
static const struct risk_alias alias_release[] = { { "integrated (finite-duration) puff*", NULL, NULL }, { "integrated puff*", NULL, NULL },
	{ 0 } };
const struct risk_model model_release = { "gaussian-release", "有限时长释放", "release of finite duration",
	"Palazzi et al. 1982; TNO Yellow Book 4.60",
	{ "与空气密度相近的气体", "neutral gas" }, in_release, out_gauss, alias_release, NULL, run_release };

// ---- highest concentration of an elevated source; zones -----------------------------------------------------------------------

static void run_plume_max(struct risk_run *r)
{
	struct gauss g;
	double best = 0, at = 0;
	if (!read_gauss(r, "Q", &g)) {
		return;
	}
	for (double x = 10; x <= 1e5; x *= 1.002) {
		double c = gauss_plume(&g, x, 0, 0);
		if (c > best) {
			best = c, at = x;
		}
	}
	struct sigma s;
	if (at <= 10 || !sigma_at(g.set, g.stability, at, &s)) {
		risk_fail(r, "h", "源高过低，最大浓度在源旁", "the source is so low that the highest concentration is beside it");
		return;
	}
	double h2 = g.h * g.h;
	risk_out(r, "C_max", best);
	risk_out(r, "x_max", at);
	risk_out(r, "C_max_simple", 2 * g.q / (M_E * M_PI * g.u * h2) * s.z / s.y);
	warn_x(r, at);
}

static const struct risk_input in_plume_max[] = {
	IN_NUM("Q", "kg/s", "释放速率", "release rate", 0, 1e5), IN_WIND, IN_STABILITY, IN_SIGMA_SET,
	IN_NUM("h", "m", "有效源高", "effective height of the source", 1, 1000), IN_END,
};
static const struct risk_output out_plume_max[] = {
	{ "C_max", "kg/m3", "最大落地浓度", "highest concentration at the ground" }, { "x_max", "m", "最大落地浓度距离", "where" },
	{ "C_max_simple", "kg/m3", "近似式", "2Q/(e pi u h2) sz/sy at that place" }, { 0 },
};
const struct risk_model model_plume_max = { "gaussian-plume-max", "高架源最大落地浓度", "highest concentration of an elevated plume",
	"gaussian-plume along the axis, steps of 0.2 %", { 0 }, in_plume_max, out_plume_max,
	CALLED(AS("maximum ground*"), AS("max ground*")), NULL, run_plume_max };

struct level {
	const struct gauss *g;
	double want, z, x;
};

static double above(double x, const void *ctx)
{
	const struct level *l = ctx;
	return gauss_plume(l->g, x, 0, l->z) - l->want;
}

#define FAR 1e5 // m, where the search ends

static void run_zone(struct risk_run *r)
{
	enum { STEPS = 60 };
	struct gauss g;
	double z = risk_num(r, "z"), want = risk_num(r, "C"), to = 0, from = 0;
	if (!read_gauss(r, "Q", &g)) {
		return;
	}
	struct level l = { &g, want, z, 0 };
	if (above(FAR, &l) > 0) {
		to = FAR;
	}
	for (double x = FAR / 1.05; x > 1 && !(to > 0); x /= 1.05) { // from far to near: the last place above
		if (above(x, &l) > 0 && !num_root(above, &l, x, x * 1.05, &to)) {
			to = x;
		}
	}
	for (double x = 1; x < to; x *= 1.05) {
		if (above(x, &l) > 0) {
			from = x;
			break;
		}
	}
	double xs[STEPS + 1] = { 0 }, ys[STEPS + 1] = { 0 }, widest = 0, area = 0;
	for (int i = 0; i <= STEPS && to > 0; i++) {
		struct sigma s;
		xs[i] = from + (to - from) * i / STEPS;
		double c = gauss_plume(&g, xs[i], 0, z);
		sigma_at(g.set, g.stability, fmax(xs[i], 0.1), &s);
		ys[i] = c > want ? s.y * g.factor * sqrt(2 * log(c / want)) : 0;
		widest = fmax(widest, ys[i]);
		area += i ? (ys[i] + ys[i - 1]) * (xs[i] - xs[i - 1]) : 0;
	}
	if (to >= FAR) {
		risk_warn(r, "超过 100 km 处仍高于阈值，未再计算", "still above the threshold at 100 km, where the computation stops");
	}
	if (to > 0) {
		warn_x(r, to);
	}
	risk_out(r, "distance", to);
	risk_out(r, "from", from);
	risk_out(r, "half_width", widest);
	risk_out(r, "area", area);
	risk_out_list(r, "x", xs, STEPS + 1);
	risk_out_list(r, "y", ys, STEPS + 1);
}

static const struct risk_input in_zone[] = {
	IN_NUM("Q", "kg/s", "释放速率", "release rate", 0, 1e5), IN_NUM("C", "kg/m3", "阈值浓度", "threshold", 1e-15, 10), IN_WIND,
	IN_STABILITY, IN_SIGMA_SET,
	IN_OPT("z", "m", "受体高度", "height of the receptor", 0, 1000, 0), IN_OPT("h", "m", "源高", "height of the source", 0, 1000, 0), IN_END,
};
static const struct risk_output out_zone[] = {
	{ "distance", "m", "达到阈值的最远距离", "farthest distance" }, { "from", "m", "起始距离", "nearest distance" },
	{ "half_width", "m", "最大半宽", "largest half width" }, { "area", "m2", "面积", "area" },
	{ "x", "m", "轮廓下风距离", "outline, downwind" }, { "y", "m", "轮廓半宽", "outline, half width" }, { 0 },
};
const struct risk_model model_zone = { "gaussian-zone", "高斯烟羽阈值区域", "zone of a Gaussian plume above a threshold",
	"gaussian-plume solved for the threshold", { "与空气密度相近的气体，100 m 至 10 km", "neutral gas, 100 m … 10 km" }, in_zone, out_zone, NULL, NULL, run_zone };

// ---- plume rise -----------------------------------------------------------------------------------------------------------

#define ISC3_GRAVITY 9.80616 // m/s2, as ISC3 computes with

struct rise {
	double final, x_final, at_x; // m; at_x: NAN without x
};

// ISC3 1-7 to 1-10, 1-17: a plume that is lighter than the air. stable: s of 1-6, 0: neutral or unstable.
static struct rise buoyant_rise(double fb, double u, double stable, double x)
{
	struct rise b;
	if (stable > 0) {
		b.final = 2.6 * cbrt(fb / (u * stable));
		b.x_final = 2.0715 * u / sqrt(stable);
	} else {
		b.final = fb < 55 ? 21.425 * pow(fb, 0.75) / u : 38.71 * pow(fb, 0.6) / u;
		b.x_final = fb < 55 ? 49 * pow(fb, 0.625) : 119 * pow(fb, 0.4);
	}
	double near = fmin(x, b.x_final);
	b.at_x = fmin(1.60 * cbrt(fb * near * near / (u * u * u)), b.final);
	return b;
}

// ISC3 1-11 to 1-16, 1-18, 1-19: a jet upward, whatever its density. fm: momentum flux m4/s2, uj, d: at the stack.
static struct rise momentum_rise(double fm, double fb, double uj, double d, double u, double stable, double x)
{
	struct rise m = { .final = 3 * d * uj / u };
	double beta = 1.0 / 3 + u / uj;
	if (stable > 0) {
		double n = sqrt(stable);
		m.final = fmin(m.final, 1.5 * cbrt(fm / (u * n)));
		m.x_final = 0.5 * M_PI * u / n;
		m.at_x = cbrt(3 * fm * sin(fmin(x, m.x_final) * n / u) / (beta * beta * u * n));
	} else {
		m.x_final = fb <= 0 ? 4 * d * (uj + 3 * u) * (uj + 3 * u) / (uj * u) : buoyant_rise(fb, u, 0, NAN).x_final;
		m.at_x = cbrt(3 * fm * fmin(x, m.x_final) / (beta * beta * u * u));
	}
	m.at_x = fmin(m.at_x, m.final);
	return m;
}

static void run_rise(struct risk_run *r)
{
	int s = risk_choice(r, "stability");
	double uj = risk_num(r, "v"), d = risk_num(r, "d"), tg = risk_num(r, "T_gas"), ta = risk_num(r, "T_air"), u = risk_num(r, "u");
	double fb = ISC3_GRAVITY * uj * d * d * (tg - ta) / (4 * tg), fm = uj * uj * d * d * ta / (4 * tg);
	double stable = s < 4 ? 0 : ISC3_GRAVITY / ta * (s == 4 ? 0.020 : 0.035), x = risk_num(r, "x");
	// The excess of temperature at which buoyancy and momentum lift equally far. 
	double cross = stable > 0 ? 0.019582 * tg * uj * sqrt(stable) : fb < 55 ? 0.0297 * tg * cbrt(uj) / pow(d, 2.0 / 3)
		: 0.00575 * tg * pow(uj, 2.0 / 3) / cbrt(d);
	bool by_momentum = tg - ta < cross; // gas that is colder than the air too
	struct rise rise = by_momentum ? momentum_rise(fm, fb, uj, d, u, stable, x) : buoyant_rise(fb, u, stable, x);
	risk_out(r, "F_b", fb);
	risk_out(r, "rise", rise.final);
	risk_out(r, "x_final", rise.x_final);
	risk_out_text(r, "regime", str_of(by_momentum ? "momentum" : "buoyancy"));
	if (tg < ta) {
		risk_warn(r, "烟气比空气冷：只计动量抬升，出口以后可能下沉", "colder than the air: only the jet lifts it, and it may sink afterwards");
	}
	if (risk_given(r, "x")) {
		risk_out(r, "rise_at_x", rise.at_x);
	}
}

static const struct risk_input in_rise[] = {
	IN_NUM("v", "m/s", "出口速度", "exit velocity", 0.1, 500), IN_NUM("d", "m", "出口直径", "exit diameter", 0.01, 20),
	IN_NUM("T_gas", "K", "烟气温度", "gas temperature", 200, 2500),
	IN_NUM("T_air", "K", "气温", "air temperature", 200, 340), IN_WIND, IN_STABILITY,
	IN_OPT("x", "m", "下风距离", "distance downwind", 1, 1e5, NAN), IN_END,
};
static const struct risk_output out_rise[] = {
	{ "F_b", "", "浮力通量 m4/s3", "buoyancy flux, m4/s3" }, { "rise", "m", "抬升高度", "final rise" },
	{ "x_final", "m", "达到距离", "distance of the final rise" },
	{ "regime", "", "主导因素", "what governs" }, { "rise_at_x", "m", "x 处抬升", "rise at x" }, { 0 },
};
const struct risk_model model_rise = { "plume-rise", "烟气抬升（Briggs）", "plume rise (Briggs)", "EPA ISC3 vol. II, 1.1.4: buoyancy, momentum, gradual rise", { 0 }, in_rise,
	out_rise, CALLED(AS("Briggs plume rise*"), AS("plume rise*")), NULL, run_rise };
