// The dispersion models against field trials, whose observations are data tables: FAC2, geometric mean bias MG (observed by
// predicted: above 1 the model predicts too little), geometric variance VG (Chang & Hanna 2004). Entered in models.c. Pure.
#include "risk/dense.h"
#include "risk/gauss.h"
#include "risk/inputs.h"
#include "risk/models.h"
#include "risk/slab.h"

struct score {
	size_t n, within;
	double sum, square;
};

static void add(struct score *s, double observed, double predicted)
{
	double l = log(observed / predicted);
	s->n++;
	s->within += predicted >= 0.5 * observed && predicted <= 2 * observed;
	s->sum += l;
	s->square += l * l;
}

static double mg(const struct score *s)
{
	return exp(s->sum / (double)s->n);
}

static double vg(const struct score *s)
{
	return exp(s->square / (double)s->n);
}

static void out_score(struct risk_run *r, const struct score *s, const double *o, const double *p)
{
	risk_out(r, "FAC2", (double)s->within / (double)s->n);
	risk_out(r, "MG", mg(s));
	risk_out(r, "VG", vg(s));
	risk_out_list(r, "observed", o, s->n);
	risk_out_list(r, "predicted", p, s->n);
}

// ---- Prairie Grass -------------------------------------------------------------------------------------------------

static void run_prairie(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "trial-prairie-grass");
	struct score all = { 0 };
	if (!t) {
		return;
	}
	double *o = arena_many(r->arena, t->n, double), *p = arena_many(r->arena, t->n, double);
	for (size_t i = 0; i < t->n; i++) {
		struct str class = risk_table_cell(t, i, "stability");
		struct gauss g = { (enum sigma_set)risk_choice(r, "sigma_set"), class.n ? class.p[0] - 'A' : 3,
			risk_table_num(t, i, "Q") / 1000, risk_table_num(t, i, "u"), 0.46, 1 };
		o[i] = risk_table_num(t, i, "C");
		p[i] = gauss_plume(&g, risk_table_num(t, i, "x"), 0, 1.5);
		if (!(o[i] > 0) || !(p[i] > 0)) {
			risk_fail(r, "sigma_set", "该组参数不能用于全部试验", "this set cannot be used for every run");
			return;
		}
		add(&all, o[i], p[i]);
	}
	out_score(r, &all, o, p);
}

static const struct risk_input in_prairie[] = { IN_SIGMA_SET, IN_TEXT_OPT("data", "数据", "data", { "固定为数据表 trial-prairie-grass", "always the table trial-prairie-grass" }),
	IN_END };
static const struct risk_output out_trials[] = {
	{ "FAC2", "", "2 倍以内比例", "part within a factor of two" }, { "MG", "", "几何平均偏差（观测/预测）",
		"geometric mean bias, observed by predicted" }, { "VG", "", "几何方差", "geometric variance" },
	{ "observed", "", "观测值（kg/m3 或体积分数）", "observed, kg/m3 or volume fraction" }, { "predicted", "", "预测值", "predicted" },
	{ "trials", "", "逐次试验", "trial by trial" }, { 0 },
};
static const struct risk_alias alias_prairie[] = { { "Gaussian plume (Briggs rural, u at 2 m unadjusted*", NULL, NULL }, { 0 } };
const struct risk_model model_prairie = { "trial-prairie-grass", "高斯烟羽与 Prairie Grass 试验对比",
	"Gaussian plume against Prairie Grass",
	"Barad 1958, AFCRL-TR-58-235: runs 7, 11, 22, 29, 35; wind at 2 m as measured, source 0.46 m, receptor 1.5 m",
	{ 0 }, in_prairie, out_trials, alias_prairie, "trial-prairie-grass", run_prairie };

// ---- LNG pools ----------------------------------------------------------------------------------------------------------

static const char *const menu_model[] = { "slab-pool", "britter-mcquaid-plume", NULL };

static double at_distance(const struct slab_out *o, double x)
{
	for (size_t i = 1; i < o->n; i++) {
		const struct slab_point *a = &o->v[i - 1], *b = &o->v[i];
		if (x <= b->x && x >= a->x) {
			return a->c_max * pow(b->c_max / a->c_max, log(x / a->x) / log(b->x / a->x));
		}
	}
	return NAN;
}

static double by_slab(struct risk_run *r, const struct risk_table *t, size_t i)
{
	struct slab_in in = { .mw = 0.016043, .cp = 2238, .cp_l = 3348.5, .t_boil = 111.7, .dhv = 509900, .rho_l = 424.1, .spb = -1,
		.t_source = 111.7, .pool = true,
		.rate = risk_table_num(t, i, "rate"), .duration = risk_table_num(t, i, "duration"), .z0 = risk_num(r, "z0"),
		.z_u = risk_table_num(t, i, "z_u"), .u = risk_table_num(t, i, "u"),
		.t_air = risk_table_num(t, i, "T_air"), .rh = risk_table_num(t, i, "RH"),
		.stability = risk_table_cell(t, i, "stability").p[0] - 'A' + 1, .t_avg = risk_num(r, "t_avg"), .x_max = 1200, .z = 1 };
	in.area = in.rate / risk_num(r, "evaporation");
	struct slab_out o;
	slab_run(&in, r->arena, &o);
	return o.failed ? NAN : at_distance(&o, risk_table_num(t, i, "x"));
}

static double by_bm(const struct risk_table *t, size_t i)
{
	static const double exponent[6] = { 0.07, 0.07, 0.10, 0.15, 0.35, 0.55 };
	double t_air = risk_table_num(t, i, "T_air"), rho = 0.016043 * ATM / (GAS_CONSTANT * 111.7),
	rho_a = AIR_MOLAR_MASS * ATM / (GAS_CONSTANT * t_air);
	double u = risk_table_num(t, i, "u") * pow(10 / risk_table_num(t, i, "z_u"), exponent[risk_table_cell(t, i, "stability").p[0] - 'A']);
	double v = risk_table_num(t, i, "rate") / rho, g0 = BM_GRAVITY * (rho - rho_a) / rho_a, alpha = 0.2 * log10(g0 * g0 * v * pow(u, -5));
	return bm_warm(bm_plume_ratio_at(alpha, false, risk_table_num(t, i, "x") / sqrt(v / u)), 111.7, t_air);
}

static void run_lng(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "trial-lng");
	struct score all = { 0 }, one = { 0 };
	if (!t) {
		return;
	}
	double *o = arena_many(r->arena, t->n, double), *p = arena_many(r->arena, t->n, double);
	struct str *lines = arena_many(r->arena, t->n, struct str);
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct str class = risk_table_cell(t, i, "stability");
		if (!class.n || class.p[0] < 'A' || class.p[0] > 'F') {
			risk_fail(r, "", "数据表 trial-lng 第 %zu 行稳定度有错", "the table trial-lng has a wrong stability in row %zu", i + 1);
			return;
		}
		o[i] = risk_table_num(t, i, "C") / 100;
		p[i] = risk_choice(r, "model") ? by_bm(t, i) : by_slab(r, t, i);
		if (!(o[i] > 0) || !(p[i] > 0)) {
			risk_fail(r, "model", "第 %zu 行不能计算", "row %zu cannot be computed", i + 1);
			return;
		}
		add(&all, o[i], p[i]);
		add(&one, o[i], p[i]);
		struct str name = risk_table_cell(t, i, "trial");
		if (i + 1 == t->n || !str_eq(name, risk_table_cell(t, i + 1, "trial"))) {
			lines[n++] = arena_printf(r->arena, "%.*s: n = %zu, FAC2 = %.2f, MG = %.2f, VG = %.2f", STR_FMT(name), one.n,
				(double)one.within / (double)one.n, mg(&one), vg(&one));
			one = (struct score){ 0 };
		}
	}
	out_score(r, &all, o, p);
	risk_out_texts(r, "trials", lines, n);
}

static const struct risk_input in_lng[] = {
	IN_MENU_OPT("model", "模型", "model", menu_model), IN_OPT("z0", "m", "地面粗糙度", "roughness length", 1e-5, 0.5, 2e-4),
	IN_OPT("t_avg", "s", "平均时间", "averaging time", 1, 100, 10),
	IN_OPT_NOTE("evaporation", "kg/m2/s", "蒸发通量", "evaporation from water", 0.01, 1, 0.167,
		{ "模型评价数据库取值", "the value of the model evaluation database" }), IN_END,
};
const struct risk_model model_lng = { "trial-lng", "重气模型与 LNG 试验对比", "dense-gas models against LNG trials",
	"Burro, Coyote, Maplin Sands: table trial-lng", { 0 }, in_lng, out_trials, NULL, "trial-lng", run_lng };
