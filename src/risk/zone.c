// Consequence zones: reading what is asked, running the scenario, turning its outlines with the wind. Pure but for the arena;
// any thread.
#include "risk/inputs.h"
#include "risk/zone_int.h"

#include <stdarg.h>

const double zone_minutes[ZONE_TIMES] = { 10, 30, 60 };

// ---- models ------------------------------------------------------------------------------------------------------------

static const struct risk_result *result(const struct risk_run *r, const char *name)
{
	for (size_t i = 0; r && i < r->n; i++) {
		if (str_is(r->results[i].name, name)) {
			return &r->results[i];
		}
	}
	return NULL;
}

double zone_out(const struct risk_run *r, const char *name)
{
	const struct risk_result *x = result(r, name);
	return x ? x->num : NAN;
}

const double *zone_out_list(const struct risk_run *r, const char *name, size_t *ret_n)
{
	const struct risk_result *x = result(r, name);
	*ret_n = x ? x->n : 0;
	return x ? x->list : NULL;
}

struct str zone_out_text(const struct risk_run *r, const char *name)
{
	const struct risk_result *x = result(r, name);
	return x ? x->text : STR_EMPTY;
}

static void add_warning(struct zone_job *z, struct str zh, struct str en)
{
	struct zone_set *s = z->set;
	for (size_t i = 0; i < s->n_warnings; i++) {
		if (str_eq(s->warnings[i].en, en)) {
			return;
		}
	}
	s->warnings = arena_push(z->arena, s->warnings, &s->n_warnings, &s->cap_warnings, sizeof *s->warnings);
	s->warnings[s->n_warnings - 1] = (struct risk_warning){ zh, en };
}

void zone_warn(struct zone_job *z, const char *zh, const char *en) { add_warning(z, str_of(zh), str_of(en)); }

void zone_fail(struct zone_job *z, const char *field, const char *zh, const char *en)
{
	problem_set(z->problem, ERR_INVALID, field, "%s", "%s", zh);
	z->problem->en = arena_str(z->arena, str_of(en));
}

static void record(struct zone_job *z, struct risk_run *r, struct str inputs, const char *zh, const char *en)
{
	struct zone_set *s = z->set;
	struct buf b;
	struct jw w;
	buf_init(&b, 1 << 18);
	jw_init(&w, &b);
	risk_write(r, &w);
	s->steps = arena_push(z->arena, s->steps, &s->n_steps, &s->cap_steps, sizeof *s->steps);
	s->steps[s->n_steps - 1] = (struct zone_step){ str_of(r->model->name), str_of(zh), str_of(en), inputs,
		jw_done(&w) ? arena_str(z->arena, buf_str(&b)) : STR("{}") };
	buf_free(&b);
	for (size_t i = 0; i < r->n_warnings; i++) {
		add_warning(z, r->warnings[i].zh, r->warnings[i].en);
	}
}

const struct risk_run *zone_model(struct zone_job *z, const char *model, const char *why_zh, const char *why_en, const char *fmt, ...)
{
	va_list ap;
	const struct risk_alias *alias;
	if (z->steady) {
		arena_reset(z->scratch);
	}
	struct arena *a = z->steady ? z->scratch : z->arena;
	struct risk_run *r = arena_one(a, struct risk_run);
	struct problem own, *p = z->steady ? &own : z->problem;
	problem_init(&own, a);
	va_start(ap, fmt);
	struct str inputs = arena_vprintf(a, fmt, ap);
	va_end(ap);
	*r = (struct risk_run){ .model = risk_find(str_of(model), &alias), .tables = z->tables, .arena = a, .problem = p };
	if (zone_failed(z)) {
		return NULL;
	}
	if (risk_read(r, inputs) == OK) {
		r->model->run(r);
	}
	if (p->err != OK) {
		if (!z->steady) {
			problem_hint(p, arena_printf(z->arena, "模型 %s 不接受算到的输入 %.*s；请改变情景的输入", model, STR_FMT(inputs)).p,
				     arena_printf(z->arena, "the model %s refuses the inputs %.*s; change those of the scenario", model,
						  STR_FMT(inputs)).p);
			p->field = STR("inputs");
		}
		return NULL;
	}
	if (!z->steady) {
		record(z, r, inputs, why_zh, why_en);
	}
	return r;
}

double zone_need(struct zone_job *z, const char *input, double known)
{
	double v = risk_given(z->in, input) ? risk_num(z->in, input) : known;
	if (!isfinite(v) && !zone_failed(z)) {
		struct str field = arena_printf(z->arena, "inputs.%s", input);
		zone_fail(z, field.p, arena_printf(z->arena, "缺少 %s：数据表中没有这种物质的数值，请填写", input).p,
			  arena_printf(z->arena, "%s is missing: the tables have none for this substance; give it", input).p);
	}
	return v;
}

// ---- levels --------------------------------------------------------------------------------------------------------------

size_t zone_levels(struct zone_job *z, const char *effect, const char *family, struct zone_level ret[ZONE_MAX])
{
	const struct risk_table *t = risk_table_find(z->tables, STR("zone-levels"));
	size_t n = 0;
	for (size_t i = 0; t && i < t->n && n < ZONE_MAX; i++) {
		struct str key = risk_table_cell(t, i, "key");
		if (str_is(risk_table_cell(t, i, "effect"), effect) && (!family || str_starts(key, str_of(family)))) {
			ret[n++] = (struct zone_level){ key, risk_table_num(t, i, "value"), t, i };
		}
	}
	if (!n && !zone_failed(z)) {
		zone_fail(z, "", "数据表 zone-levels 中没有这类阈值（业务包 packs/consequence/tables）",
			  "the table zone-levels has no such levels (packs/consequence/tables)");
	}
	return n;
}

struct zone *zone_add(struct zone_job *z, const struct zone_level *l)
{
	struct zone *zn = &z->set->v[z->set->n++];
	*zn = (struct zone){ .key = l->key, .value = l->value, .color = risk_table_cell(l->t, l->row, "color"),
		.unit = risk_table_cell(l->t, l->row, "unit"), .zh = risk_table_cell(l->t, l->row, "zh"),
		.en = risk_table_cell(l->t, l->row, "en") };
	return zn;
}

double zone_reach(double (*f)(void *ctx, double x), void *ctx, double lo, double hi, double want)
{
	if (!(f(ctx, lo) >= want)) {
		return 0;
	}
	if (f(ctx, hi) > want) {
		return hi;
	}
	while (hi / lo > 1 + 1e-6) {
		double mid = sqrt(lo * hi);
		*(f(ctx, mid) >= want ? &lo : &hi) = mid;
	}
	return lo;
}

// ---- the scenarios -------------------------------------------------------------------------------------------------------

static const char *const menu_density[] = { "auto", "neutral", "dense", NULL };
static const char *const menu_family[] = { "auto", "aegl", "erpg", "pac", "idlh", NULL };
static const char *const menu_terrain[] = { "rural", "urban", NULL };
static const char *const menu_phase[] = { "gas", "lpg-vapour", "liquid", NULL };
static const char *const menu_vessel[] = { "vented", "closed", NULL };
static const char *const menu_sky[] = { "strong", "moderate", "slight", "night-cloudy", "night-clear", "overcast", NULL };
static const char *const menu_cloud[] = { "known", "unknown", NULL };
static const struct risk_output none[] = { { 0 } };

#define IN_DENSITY { .name = "density", .kind = RISK_MENU, .menu = menu_density, .opt = true, .zh = "轻重", .en = "heavier than air", \
	.note = { "auto：按重气判据；neutral：高斯；dense：Britter-McQuaid", "auto: by the criterion for dense gas; neutral: Gauss; dense: Britter-McQuaid" } }
#define IN_FAMILY IN_MENU_OPT("levels", "阈值", "levels", menu_family)
#define IN_TERRAIN IN_MENU_OPT("terrain", "地面", "terrain", menu_terrain)
#define IN_RATE IN_OPT_NOTE("Q", "kg/s", "泄漏速率", "release rate", 1e-3, 1e4, 1, \
	{ "预设 1 kg/s，请按实际修改；可由 liquid-hole、gas-hole、two-phase-hj169 算出", "preset 1 kg/s: put the real one; liquid-hole, gas-hole, two-phase-hj169 compute it" })
#define IN_LASTS IN_OPT("duration", "min", "泄漏时间", "duration", 0.1, 1440, 30)
#define IN_HEIGHT IN_OPT("h", "m", "泄漏高度", "height of the release", 0, 200, 0)
#define IN_MASS IN_OPT_NOTE("m", "kg", "参与质量", "mass", 1, 1e7, 1000, { "预设 1000 kg，请按实际修改", "preset 1000 kg: put the real one" })
#define IN_DHC IN_OPT_NOTE("dHc", "kJ/kg", "燃烧热", "heat of combustion", 1000, 2e5, NAN, { "不填按物质数据表", "absent: of the substance" })

#define IN_RELIEF IN_OPT_NOTE("slope", "%", "下风方向坡度", "slope of the ground", 0, 100, 0, { "4 % 以上不算平地，给出警告", "from 4 % the ground is not flat: a warning" }), \
	IN_OPT_NOTE("obstacles", "m", "附近建筑或围墙高度", "height of buildings or walls nearby", 0, 300, 0, { "有则给出警告", "if any: a warning" })

static const struct risk_input in_toxic_plume[] = { IN_RATE, IN_LASTS, IN_HEIGHT, IN_DENSITY, IN_FAMILY, IN_TERRAIN, IN_RELIEF, IN_END };
static const struct risk_input in_toxic_puff[] = { IN_MASS, IN_HEIGHT, IN_DENSITY, IN_FAMILY, IN_RELIEF, IN_END };
static const struct risk_input in_flash[] = { IN_RATE, IN_LASTS, IN_HEIGHT, IN_DENSITY, IN_TERRAIN, IN_RELIEF, IN_END };
static const struct risk_input in_pool[] = {
	IN_OPT_NOTE("D", "m", "液池直径", "diameter of the pool", 0.5, 300, 20, { "预设 20 m；有防火堤取堤内面积的等效直径", "preset 20 m; in a bund that of its area" }),
	IN_DHC, IN_OPT("burning", "kg/m2/s", "燃烧速率", "burning rate", 1e-3, 0.5, NAN),
	IN_OPT("lasts", "min", "持续时间", "how long it burns", 1, 1440, 60), IN_END };
static const struct risk_input in_jet[] = { IN_RATE, IN_DHC, IN_MENU_OPT("phase", "相态", "phase", menu_phase),
	IN_OPT("fraction", "", "辐射分数", "part radiated", 0.01, 1, 0.2), IN_OPT("lasts", "min", "持续时间", "how long it burns", 1, 1440, 30),
	IN_END };
static const struct risk_input in_bleve[] = { IN_MASS, IN_DHC, IN_OPT("eta", "", "辐射分数", "part radiated", 0.05, 0.6, 0.3), IN_END };
static const struct risk_input in_vce[] = { IN_MASS, IN_DHC,
	IN_OPT_NOTE("eta", "", "爆炸当量系数", "yield", 0.001, 1, 0.04, { "0.03～0.10", "0.03 … 0.10" }),
	IN_OPT("drift", "m", "云团中心下风漂移", "drift of the cloud's centre downwind", 0, 2000, 0), IN_END };
static const struct risk_input in_burst[] = {
	IN_OPT_NOTE("P1", "kPa", "破裂压力（绝压）", "pressure at the burst, absolute", 110, 1e6, 2000, { "预设 2000 kPa，请按实际修改", "preset 2000 kPa: put the real one" }),
	IN_OPT("V", "m3", "气相容积", "volume of gas", 0.1, 1e5, 30), IN_OPT_NOTE("k", "", "比热比", "ratio of heat capacities", 1.01, 1.7, NAN,
	{ "不填按物质数据表", "absent: of the substance" }), IN_END };

static const struct risk_input in_dust[] = {
	IN_OPT_NOTE("V", "m3", "容积（料仓、除尘器）", "volume (silo, filter)", 0.3, 1e4, 50, { "预设 50 m3，请按实际修改", "preset 50 m3: put the real one" }),
	IN_MENU_OPT("vessel", "泄爆", "vented or closed", menu_vessel),
	IN_OVER_OPT("pmax", "bar", "最大爆炸压力（表压）", "highest pressure, gauge", 5, 12, 9, { "有机粉尘多为 7～9 bar，金属粉尘可到 12 bar", "organic dusts 7 … 9 bar, metals to 12 bar" }),
	IN_OPT("Kst", "bar m/s", "爆炸指数", "dust constant", 10, 800, 200),
	IN_OVER_OPT("pred", "bar", "泄爆压力（表压）", "reduced pressure, gauge", 0.23, 2, 0.4, { 0 }),
	IN_OPT_NOTE("A", "m2", "泄爆面积", "vent area", 0.01, 1000, NAN, { "不填按 EN 14491 所需面积", "absent: what EN 14491 asks for" }), IN_END };

#define SCENARIO(id, zh, en, source, ...) { id, zh, en, source, __VA_ARGS__, none, NULL, NULL, NULL }
static const struct risk_model scenarios[] = {
	SCENARIO("toxic-plume", "毒物连续泄漏", "toxic release, continuous", "gaussian-zone; britter-mcquaid-plume",
		{ "平坦无障碍地面；阈值浓度按稳定烟羽", "flat, unobstructed ground; steady plume" }, in_toxic_plume),
	SCENARIO("toxic-puff", "毒物瞬时泄漏", "toxic release, all at once", "gaussian-puff; britter-mcquaid-puff",
		{ "平坦无障碍地面；轮廓为云团经过处的最高浓度", "flat, unobstructed ground; the outline is of the highest concentration as it passes" }, in_toxic_puff),
	SCENARIO("flash-fire", "闪火（可燃气云）", "flash fire", "flash-fire; britter-mcquaid-plume",
		{ "平坦无障碍地面", "flat, unobstructed ground" }, in_flash),
	SCENARIO("pool-fire", "池火", "pool fire", "pool-fire", { "烃类液池，目标在地面", "hydrocarbon pool, targets at the ground" }, in_pool),
	SCENARIO("jet-fire", "喷射火", "jet fire", "jet-fire", { "方向未知：向任何方向都可能", "direction unknown: any is possible" }, in_jet),
	SCENARIO("bleve", "沸腾液体扩展蒸气爆炸火球", "BLEVE fireball", "bleve", { NULL, NULL }, in_bleve),
	SCENARIO("vce", "蒸气云爆炸", "vapour cloud explosion", "tnt-equivalence", { NULL, NULL }, in_vce),
	SCENARIO("vessel-burst", "压力容器爆裂", "vessel burst", "vessel-burst", { "不计碎片", "no fragments" }, in_burst),
	SCENARIO("dust-explosion", "粉尘爆炸", "dust explosion", "dust-vent-outside; dust-vent; vessel-burst",
		{ "设备内的一次爆炸；不计厂房内积尘的二次爆炸", "the first explosion, in the equipment; not that of dust raised in the building" }, in_dust),
};
static const struct { void (*run)(struct zone_job *z); enum zone_effect effect; bool needs_substance; } runs[ARRAY_LEN(scenarios)] = {
	{ zone_run_toxic_plume, ZONE_TOXIC, true }, { zone_run_toxic_puff, ZONE_TOXIC, true }, { zone_run_flash, ZONE_FLASH, true },
	{ zone_run_pool, ZONE_HEAT, false }, { zone_run_jet, ZONE_HEAT, false }, { zone_run_bleve, ZONE_HEAT, false },
	{ zone_run_vce, ZONE_BLAST, false }, { zone_run_burst, ZONE_BLAST, false }, { zone_run_dust, ZONE_BLAST, false },
};

static const struct risk_input in_weather[] = {
	{ .name = "u", .unit = "m/s", .zh = "风速（10 m）", .en = "wind speed at 10 m", .min = 0.1, .max = 40 },
	IN_NUM("from", "deg", "风向（来向，正北为 0）", "where the wind comes from", 0, 360),
	IN_STABILITY_OPT, { .name = "sky", .kind = RISK_MENU, .menu = menu_sky, .opt = true, .zh = "天空状况", .en = "sun or cloud",
	.note = { "没有给稳定度时据此判定", "from which the stability follows if it is not given" } },
	{ .name = "cloud", .kind = RISK_MENU, .menu = menu_cloud, .opt = true, .zh = "云量", .en = "cloud",
	.note = { "未知：日照减弱一档判稳定度，风向带按晴空取宽", "unknown: the sun counts one step weaker, and the band is as wide as under a clear sky" } },
	IN_OPT("T", "C", "气温", "air temperature", -50, 55, 20), IN_OPT("RH", "%", "相对湿度", "relative humidity", 0, 100, 50),
	IN_OPT_NOTE("spread", "deg", "风向不确定（每侧）", "uncertainty of the direction, each side", 0, 180, NAN, { "不填按稳定度（表 zone-wind）", "absent: by the stability (table zone-wind)" }), IN_END };
const struct risk_model zone_weather = { "weather", "天气", "weather", "stability-class; zone-wind", { NULL, NULL }, in_weather, none,
	NULL, "zone-wind", NULL };

const struct risk_model *const *zone_scenarios(size_t *ret_n)
{
	static const struct risk_model *const list[] = { &scenarios[0], &scenarios[1], &scenarios[2], &scenarios[3], &scenarios[4],
		&scenarios[5], &scenarios[6], &scenarios[7], &scenarios[8] };
	_Static_assert(ARRAY_LEN(list) == ARRAY_LEN(scenarios), "a scenario is missing in the list");
	*ret_n = ARRAY_LEN(list);
	return list;
}

// ---- reading ---------------------------------------------------------------------------------------------------------------

static struct risk_run *read_part(struct zone_job *z, const struct risk_model *m, struct str json, const char *part)
{
	struct risk_run *r = arena_one(z->arena, struct risk_run);
	*r = (struct risk_run){ .model = m, .tables = z->tables, .arena = z->arena, .problem = z->problem };
	if (risk_read(r, json.n ? json : STR("{}")) != OK) {
		z->problem->field = arena_printf(z->arena, "%s.%.*s", part, STR_FMT(z->problem->field));
	}
	for (size_t i = 0; i < r->n_warnings; i++) {
		add_warning(z, r->warnings[i].zh, r->warnings[i].en);
	}
	return r;
}

static double usual_spread(struct zone_job *z, const char *row)
{
	const struct risk_table *t = risk_table_find(z->tables, STR("zone-wind"));
	int i = t ? risk_table_row(t, "stability", str_of(row)) : -1;
	return i < 0 ? NAN : risk_table_num(t, (size_t)i, "spread");
}

// "A-B" of the model: the more stable of the two keeps the gas together, the other one spreads the wind.
static struct str class_of(struct zone_job *z, double u, int sky, const char *zh, const char *en)
{
	return zone_out_text(zone_model(z, "stability-class", zh, en, "{\"u10\":%.6g,\"sky\":\"%s\"}", u, menu_sky[sky]), "stability");
}

// The stability under this sky. Behind clouds nobody told of it may be more stable (the sun one step weaker, a night clear), and the
// wind may still turn as under a clear sky: the farther reach and the wider band.
static void by_sky(struct zone_job *z, struct zone_air *air, int sky, bool unknown)
{
	enum { STRONG, MODERATE, SLIGHT, NIGHT_CLOUDY, NIGHT_CLEAR, OVERCAST };
	static const int weaker[] = { [STRONG] = MODERATE, [MODERATE] = SLIGHT, [SLIGHT] = OVERCAST, [NIGHT_CLOUDY] = NIGHT_CLEAR,
		[NIGHT_CLEAR] = NIGHT_CLEAR, [OVERCAST] = OVERCAST };
	struct str cls = class_of(z, air->u, unknown ? weaker[sky] : sky, "大气稳定度", "stability of the air");
	air->stability = cls.n ? cls.p[cls.n - 1] - 'A' : 3;
	if (!unknown || isfinite(air->spread) || weaker[sky] == sky) {
		return;
	}
	struct str clear = class_of(z, air->u, sky, "晴空时的稳定度，用于风向带", "stability under a clear sky, for the band");
	double low = air->u < 2 ? usual_spread(z, "low") : 0, wide = clear.n ? usual_spread(z, (char[]){ clear.p[0], 0 }) : NAN;
	air->spread = fmax(fmax(wide, low), usual_spread(z, (char[]){ (char)('A' + air->stability), 0 }));
}

static void read_air(struct zone_job *z, struct str json)
{
	struct zone_air *air = &z->set->air;
	struct risk_run *r = read_part(z, &zone_weather, json, "weather");
	if (zone_failed(z)) {
		return;
	}
	*air = (struct zone_air){ .u = risk_num(r, "u"), .from = risk_num(r, "from"), .t = risk_num(r, "T") + 273.15, .rh = risk_num(r, "RH"),
		.spread = risk_num(r, "spread"), .stability = risk_choice(r, "stability") };
	if (!risk_given(r, "stability")) {
		if (!risk_given(r, "sky")) {
			zone_fail(z, "weather.stability", "应给出大气稳定度 stability，或天空状况 sky", "stability is needed, or sky");
			return;
		}
		by_sky(z, air, risk_choice(r, "sky"), risk_choice(r, "cloud") == 1);
	}
	if (!isfinite(air->spread)) {
		double low = usual_spread(z, "low"), usual = usual_spread(z, (char[]){ (char)('A' + air->stability), 0 });
		air->spread = air->u < 2 && low > usual ? low : usual;
	}
	if (!isfinite(air->spread)) {
		zone_fail(z, "weather.spread", "数据表 zone-wind 缺少这一稳定度，请给出 spread", "the table zone-wind lacks this class; give spread");
	}
}

static void turn_all(struct zone_job *z)
{
	struct zone_set *s = z->set;
	for (size_t i = 0; i < s->n; i++) {
		struct zone *zn = &s->v[i];
		zone_measure(zn);
		if (zn->reach >= ZONE_FAR) {
			zn->ring = zone_cut(z->arena, &zn->ring, -ZONE_FAR, ZONE_FAR);
			zone_measure(zn);
			zone_warn(z, "有阈值的范围超过 50 km，只算到 50 km", "a zone reaches beyond 50 km, where the computation stops");
		}
		struct zone_ring band = zone_band(z->arena, &zn->ring, s->air.spread);
		zn->band = (struct zone_ring){ arena_many(z->arena, band.n + 1, struct zone_xy), band.n };
		for (size_t k = 0; k < band.n; k++) {
			zn->band.v[k] = band.v[k]; // the ring itself may be the band
		}
		zone_turn(&zn->ring, s->air.from);
		zone_turn(&zn->band, s->air.from);
		for (size_t k = 0; k < ZONE_TIMES; k++) {
			zn->then[k].minutes = zone_minutes[k];
			zone_turn(&zn->then[k].ring, s->air.from);
		}
	}
}

static struct zone_job *job_new(const struct risk_tables *tables, struct arena *a, struct zone_set *set, struct problem *problem)
{
	struct zone_job *z = arena_one(a, struct zone_job);
	*z = (struct zone_job){ .tables = tables, .arena = a, .problem = problem, .set = set };
	*set = (struct zone_set){ .job = z };
	return z;
}

enum err zone_compute(const struct zone_ask *ask, const struct risk_tables *tables, struct arena *a, struct zone_set *ret,
                      struct problem *p)
{
	struct zone_job *z = job_new(tables, a, ret, p);
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(1 << 16);
	z->scratch = scratch;
	z->bare = ask->bare;
	size_t which = 0;
	while (which < ARRAY_LEN(scenarios) && !str_is(ask->scenario, scenarios[which].name)) {
		which++;
	}
	if (which == ARRAY_LEN(scenarios)) {
		zone_fail(z, "scenario", "没有这个情景，见 GET /api/v1/zones", "no such scenario; see GET /api/v1/zones");
		return p->err;
	}
	ret->scenario = &scenarios[which];
	ret->effect = runs[which].effect;
	if (!zone_substance_find(tables, ask->substance, &z->sub) && (ask->substance.n || runs[which].needs_substance)) {
		zone_fail(z, "substance", "没有这种物质，请给出 CAS 号或名称，见 GET /api/v1/zones",
			  "no such substance; give a CAS number or a name, see GET /api/v1/zones");
		return p->err;
	}
	read_air(z, ask->weather);
	if (!zone_failed(z)) {
		z->in = read_part(z, ret->scenario, ask->inputs, "inputs");
	}
	if (!zone_failed(z)) {
		runs[which].run(z);
	}
	if (!zone_failed(z)) {
		turn_all(z);
	}
	return p->err;
}

struct str zone_inputs_text(const struct zone_set *s, bool en, struct arena *a)
{
	const struct risk_run *r = s->job->in;
	struct str text = STR_EMPTY;
	for (size_t i = 0; s->scenario->inputs[i].name; i++) {
		const struct risk_input *in = &s->scenario->inputs[i];
		struct str menu = str_of(in->kind == RISK_MENU ? in->menu[r->v[i].choice] : NULL);
		if (in->kind == RISK_NUM && !isfinite(r->v[i].num)) {
			continue; // of the substance: it is in the steps
		}
		struct str value = in->kind == RISK_MENU ? str_cut(&menu, '|') : arena_printf(a, "%g %s", r->v[i].num, in->unit);
		text = arena_printf(a, "%.*s%s%s %.*s%s", STR_FMT(text), text.n ? (en ? "; " : "；") : "", en ? in->en : in->zh, STR_FMT(str_trim(value)),
				    r->v[i].given ? "" : en ? " (preset)" : "（预设）");
	}
	return text;
}

double zone_intensity(const struct zone_set *s, double east, double north)
{
	struct zone_job *z = s->job;
	double to = (s->air.from + 180) * M_PI / 180, x = east * sin(to) + north * cos(to), y = north * sin(to) - east * cos(to);
	if (!z->at) {
		return 0;
	}
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(1 << 14);
	z->scratch = scratch;
	z->set = (struct zone_set *)(uintptr_t)s; // the set may have been copied; a steady model writes nothing into it
	z->steady = true;
	double v = z->at(z, x, y);
	z->steady = false;
	return isfinite(v) ? v : 0;
}
