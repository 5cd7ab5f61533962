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

// One measured concentration and the same of the model, in one unit.
struct pair {
	double observed, predicted;
	struct str trial;
};

typedef double (*row_fn)(struct risk_run *r, const struct risk_table *t, size_t row); // not above 0: cannot be computed

static void add(struct score *s, const struct pair *v)
{
	double l = log(v->observed / v->predicted);
	s->n++;
	s->within += v->predicted >= 0.5 * v->observed && v->predicted <= 2 * v->observed;
	s->sum += l;
	s->square += l * l;
}

static double fac2(const struct score *s) { return (double)s->within / (double)s->n; }

static double mg(const struct score *s) { return exp(s->sum / (double)s->n); }

static double vg(const struct score *s) { return exp(s->square / (double)s->n); }

// "Burro 8" is of the series "Burro".
static struct str series_of(struct str trial)
{
	size_t n = trial.n;
	while (n > 0 && trial.p[n - 1] != ' ') {
		n--;
	}
	return n > 1 ? (struct str){ trial.p, n - 1 } : trial;
}

static void out_lines(struct risk_run *r, const char *name, const struct pair *v, size_t n, bool by_series)
{
	struct str *lines = arena_many(r->arena, n, struct str);
	struct score one = { 0 };
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		struct str now = by_series ? series_of(v[i].trial) : v[i].trial;
		add(&one, &v[i]);
		if (i + 1 == n || !str_eq(now, by_series ? series_of(v[i + 1].trial) : v[i + 1].trial)) {
			lines[k++] = arena_printf(r->arena, "%.*s: n = %zu, FAC2 = %.2f, MG = %.2f, VG = %.2f", STR_FMT(now), one.n, fac2(&one),
				mg(&one), vg(&one));
			one = (struct score){ 0 };
		}
	}
	risk_out_texts(r, name, lines, k);
}

// The rows of a trial stand together; column: that of its name, prefix: what the name lacks.
static void score_rows(struct risk_run *r, const struct risk_table *t, const char *column, const char *prefix, row_fn observed,
                       row_fn predicted)
{
	struct pair *v = arena_many(r->arena, t->n, struct pair);
	double *o = arena_many(r->arena, t->n, double), *p = arena_many(r->arena, t->n, double);
	struct score all = { 0 };
	for (size_t i = 0; i < t->n; i++) {
		v[i] = (struct pair){ observed(r, t, i), predicted(r, t, i),
			arena_printf(r->arena, "%s%.*s", prefix, STR_FMT(risk_table_cell(t, i, column))) };
		if (!(v[i].observed > 0) || !(v[i].predicted > 0)) {
			risk_fail(r, r->model->inputs[0].name, "用这组参数，数据表第 %zu 行不能计算", "row %zu of the table cannot be computed with this choice", i + 1);
			return;
		}
		add(&all, &v[i]);
		o[i] = v[i].observed;
		p[i] = v[i].predicted;
	}
	risk_out(r, "FAC2", fac2(&all));
	risk_out(r, "MG", mg(&all));
	risk_out(r, "VG", vg(&all));
	risk_out_list(r, "observed", o, all.n);
	risk_out_list(r, "predicted", p, all.n);
	out_lines(r, "series", v, all.n, true);
	out_lines(r, "trials", v, all.n, false);
}

// 1 … 6; 0: the table says no class.
static int class_of(const struct risk_table *t, size_t i)
{
	struct str c = risk_table_cell(t, i, "stability");
	return c.n && c.p[0] >= 'A' && c.p[0] <= 'F' ? c.p[0] - 'A' + 1 : 0;
}

// ---- Prairie Grass -------------------------------------------------------------------------------------------------

static double prairie_observed(struct risk_run *r, const struct risk_table *t, size_t i)
{
	(void)r;
	return risk_table_num(t, i, "C");
}

static double prairie_predicted(struct risk_run *r, const struct risk_table *t, size_t i)
{
	int class = class_of(t, i);
	struct gauss g = { (enum sigma_set)risk_choice(r, "sigma_set"), class ? class - 1 : 3, risk_table_num(t, i, "Q") / 1000,
		risk_table_num(t, i, "u"), 0.46, 1 };
	return gauss_plume(&g, risk_table_num(t, i, "x"), 0, 1.5);
}

static void run_prairie(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "trial-prairie-grass");
	if (t) {
		score_rows(r, t, "run", "Prairie Grass ", prairie_observed, prairie_predicted);
	}
}

static const struct risk_input in_prairie[] = { IN_SIGMA_SET, IN_TEXT_OPT("data", "数据", "data", { "固定为数据表 trial-prairie-grass", "always the table trial-prairie-grass" }),
	IN_END };
static const struct risk_output out_trials[] = {
	{ "FAC2", "", "2 倍以内比例", "part within a factor of two" }, { "MG", "", "几何平均偏差（观测/预测）",
		"geometric mean bias, observed by predicted" }, { "VG", "", "几何方差", "geometric variance" },
	{ "observed", "", "观测值（kg/m3 或体积分数）", "observed, kg/m3 or volume fraction" }, { "predicted", "", "预测值", "predicted" },
	{ "series", "", "逐个系列", "series by series" }, { "trials", "", "逐次试验", "trial by trial" }, { 0 },
};
static const struct risk_alias alias_prairie[] = { { "Gaussian plume (Briggs rural, u at 2 m unadjusted*", NULL, NULL }, { 0 } };
const struct risk_model model_prairie = { "trial-prairie-grass", "高斯烟羽与 Prairie Grass 试验对比",
	"Gaussian plume against Prairie Grass",
	"Barad 1958, AFCRL-TR-58-235: runs 7, 11, 22, 29, 35; wind at 2 m as measured, source 0.46 m, receptor 1.5 m",
	{ 0 }, in_prairie, out_trials, alias_prairie, "trial-prairie-grass", run_prairie };

// ---- LNG pools ----------------------------------------------------------------------------------------------------------

static const char *const menu_model[] = { "slab-pool", "britter-mcquaid-plume", NULL };
static const char *const menu_from[] = { "measured-length", "class", NULL };

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

static double lng_observed(struct risk_run *r, const struct risk_table *t, size_t i)
{
	(void)r;
	return risk_table_num(t, i, "C") / 100;
}

// The measured Monin-Obukhov length where the report has one: a class holds lengths that differ by a factor of ten.
static double by_slab(struct risk_run *r, const struct risk_table *t, size_t i)
{
	double length = risk_choice(r, "stability_from") ? NAN : risk_table_num(t, i, "L");
	struct slab_in in = { .mw = 0.016043, .cp = 2238, .cp_l = 3348.5, .t_boil = 111.7, .dhv = 509900, .rho_l = 424.1, .spb = -1,
		.t_source = 111.7, .pool = true,
		.rate = risk_table_num(t, i, "rate"), .duration = risk_table_num(t, i, "duration"), .z0 = risk_num(r, "z0"),
		.z_u = risk_table_num(t, i, "z_u"), .u = risk_table_num(t, i, "u"),
		.t_air = risk_table_num(t, i, "T_air"), .rh = risk_table_num(t, i, "RH"),
		.t_avg = risk_num(r, "t_avg"), .x_max = 1200, .z = 1 };
	if (isfinite(length) && length != 0) {
		in.inv_l = 1 / length;
	} else {
		in.stability = class_of(t, i);
	}
	in.area = in.rate / risk_num(r, "evaporation");
	struct slab_out o;
	slab_run(&in, r->arena, &o);
	return o.failed ? NAN : at_distance(&o, risk_table_num(t, i, "x"));
}

static double by_bm(struct risk_run *r, const struct risk_table *t, size_t i)
{
	static const double exponent[6] = { 0.07, 0.07, 0.10, 0.15, 0.35, 0.55 };
	(void)r;
	double t_air = risk_table_num(t, i, "T_air"), rho = 0.016043 * ATM / (GAS_CONSTANT * 111.7),
	rho_a = AIR_MOLAR_MASS * ATM / (GAS_CONSTANT * t_air);
	double u = risk_table_num(t, i, "u") * pow(10 / risk_table_num(t, i, "z_u"), exponent[class_of(t, i) - 1]);
	double v = risk_table_num(t, i, "rate") / rho, g0 = BM_GRAVITY * (rho - rho_a) / rho_a, alpha = 0.2 * log10(g0 * g0 * v * pow(u, -5));
	return bm_warm(bm_plume_ratio_at(alpha, false, risk_table_num(t, i, "x") / sqrt(v / u)), 111.7, t_air);
}

static void run_lng(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "trial-lng");
	for (size_t i = 0; t && i < t->n; i++) {
		if (!class_of(t, i)) {
			risk_fail(r, "", "数据表 trial-lng 第 %zu 行稳定度有错", "the table trial-lng has a wrong stability in row %zu", i + 1);
			return;
		}
	}
	if (t) {
		score_rows(r, t, "trial", "", lng_observed, risk_choice(r, "model") ? by_bm : by_slab);
	}
}

static const struct risk_input in_lng[] = {
	IN_MENU_OPT("model", "模型", "model", menu_model),
	IN_MENU_OPT("stability_from", "稳定度取自", "stability from the measured length or the class", menu_from), IN_OPT("z0", "m", "地面粗糙度", "roughness length", 1e-5, 0.5, 2e-4),
	IN_OPT("t_avg", "s", "平均时间", "averaging time", 1, 100, 10),
	IN_OPT_NOTE("evaporation", "kg/m2/s", "蒸发通量", "evaporation from water", 0.01, 1, 0.167,
		{ "模型评价数据库取值", "the value of the model evaluation database" }), IN_END,
};
const struct risk_model model_lng = { "trial-lng", "重气模型与 LNG 试验对比", "dense-gas models against LNG trials",
	"Burro, Coyote, Maplin Sands: table trial-lng", { 0 }, in_lng, out_trials, NULL, "trial-lng", run_lng };

// ---- two-phase jets of ammonia -----------------------------------------------------------------------------------------

static double tortoise_observed(struct risk_run *r, const struct risk_table *t, size_t i)
{
	(void)r; // g/m3 at the temperature of the air
	return risk_table_num(t, i, "C") / 1000 * GAS_CONSTANT * risk_table_num(t, i, "T_air") / (0.017031 * ATM);
}

static const char *const menu_jet[] = { "slab-flashing-jet", "slab-jet", NULL };

static double tortoise_predicted(struct risk_run *r, const struct risk_table *t, size_t i)
{
	const struct risk_table *ground = risk_table_find(r->tables, STR("ground"));
	int row = ground ? risk_table_row(ground, "ground", STR("wet-soil")) : -1; // a playa that had been under water
	double d = risk_table_num(t, i, "d");
	struct slab_in in = { .mw = 0.017031, .cp = 2045.9, .cp_l = 4611.8, .t_boil = 239.57, .dhv = 1371000, .rho_l = 603, .spb = -1,
		.t_source = 239.57, .rate = risk_table_num(t, i, "rate"), .duration = risk_table_num(t, i, "duration"),
		.height = risk_table_num(t, i, "h_source"), .z0 = risk_table_num(t, i, "z0"), .z_u = risk_table_num(t, i, "z_u"),
		.u = risk_table_num(t, i, "u"), .t_air = risk_table_num(t, i, "T_air"), .rh = risk_table_num(t, i, "RH"),
		.inv_l = risk_table_num(t, i, "inv_L"), .t_avg = risk_num(r, "t_avg"), .x_max = 3000, .z = 1 };
	struct slab_flash f = { risk_table_num(t, i, "T_store"), 0, risk_table_num(t, i, "Pa"), in.rate, M_PI / 4 * d * d };
	f.p = slab_saturation(&in, f.t);
	struct slab_flashed s = slab_flash(&in, &f);
	in.liquid = s.liquid;
	if (risk_choice(r, "model") == 0) {
		in.area = s.area;
		in.free_jet = true;
		in.ground = row < 0 ? 0 : risk_table_num(ground, (size_t)row, "lambda") / sqrt(risk_table_num(ground, (size_t)row, "alpha"));
	} else { // as in the manual: the speed is that at the exit
		in.area = s.area * s.u / s.u_exit;
	}
	struct slab_out o;
	slab_run(&in, r->arena, &o);
	return o.failed ? NAN : at_distance(&o, risk_table_num(t, i, "x"));
}

static void run_tortoise(struct risk_run *r)
{
	const struct risk_table *t = risk_need_table(r, "trial-desert-tortoise");
	if (t) {
		score_rows(r, t, "trial", "", tortoise_observed, tortoise_predicted);
	}
}

static const struct risk_input in_tortoise[] = {
	IN_MENU_OPT("model", "模型", "model", menu_jet), IN_OPT("t_avg", "s", "平均时间", "averaging time", 1, 100, 80), IN_END };
const struct risk_model model_tortoise = { "trial-desert-tortoise", "两相射流模型与 Desert Tortoise 试验对比",
	"two-phase jet models against Desert Tortoise", "Goldwire et al. 1985, UCID-20562; EPA 1999: table trial-desert-tortoise",
	{ 0 }, in_tortoise, out_trials, NULL, "trial-desert-tortoise ground", run_tortoise };
