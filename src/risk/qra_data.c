// What the assessment takes from the data tables of the packs: rules, substances, criteria, frequencies. Pure; any thread.
#include "risk/qra_read.h"

static double rule(struct qra_reader *r, const struct risk_table *t, const char *key)
{
	int row = risk_table_row(t, "key", str_of(key));
	double v = row < 0 ? NAN : risk_table_num(t, (size_t)row, "value");
	if (!isfinite(v)) {
		problem_set(r->p, ERR_INVALID, key, "数据表 qra-rules 缺少 %s", "the table qra-rules has no %s", key);
	}
	return v;
}

const struct risk_table *qra_table(struct qra_reader *r, const char *name)
{
	const struct risk_table *t = risk_table_find(r->tables, str_of(name));
	if (!t) {
		problem_set(r->p, ERR_INVALID, "", "缺少数据表 %s（业务包 packs/*/tables）", "the data table %s is missing (packs/*/tables)", name);
	}
	return t;
}

static void read_escalation(struct qra_reader *r, struct qra_rules *k)
{
	const struct risk_table *t = qra_table(r, "domino");
	for (size_t i = 0; t && i < QRA_NO_TARGET; i++) {
		int row = risk_table_row(t, "target", str_of(qra_targets[i]));
		if (row < 0) {
			problem_set(r->p, ERR_INVALID, "target", "数据表 domino 缺少 %s", "the table domino has no %s", qra_targets[i]);
			return;
		}
		size_t at = (size_t)row;
		k->escalation[i] = (struct qra_escalation){ risk_table_num(t, at, "a"), risk_table_num(t, at, "b"),
			risk_table_num(t, at, "P_limit") * 1000, risk_table_num(t, at, "I_limit") };
	}
}

bool qra_read_rules(struct qra_reader *r, struct qra_rules *k)
{
	const struct risk_table *t = qra_table(r, "qra-rules");
	if (!t) {
		return false;
	}
	*k = (struct qra_rules){
		.heat_certain = rule(r, t, "heat_certain"), .heat_seconds = rule(r, t, "heat_seconds"),
		.heat_outdoors = rule(r, t, "heat_outdoors"), .heat_indoors = rule(r, t, "heat_indoors"),
		.toxic_indoors = rule(r, t, "toxic_indoors"), .toxic_seconds = rule(r, t, "toxic_seconds"),
		.flash_indoors = rule(r, t, "flash_indoors"), .blast_high = rule(r, t, "blast_high"), .blast_low = rule(r, t, "blast_low"),
		.blast_low_indoors = rule(r, t, "blast_low_indoors"), .explosion_share = rule(r, t, "explosion_share"),
		.tnt_yield = rule(r, t, "tnt_yield"), .tnt_heat = rule(r, t, "tnt_heat"), .ball_radiated = rule(r, t, "ball_radiated"),
		.pool_radiated = rule(r, t, "pool_radiated"), .delayed_default = rule(r, t, "delayed_default"),
	};
	read_escalation(r, k);
	return r->p->err == OK;
}

static double number_or_0(const struct risk_table *t, size_t row, const char *column)
{
	double v = risk_table_num(t, row, column);
	return isfinite(v) ? v : 0;
}

const struct qra_substance *qra_find_substance(struct qra_reader *r, struct str name)
{
	for (size_t i = 0; i < r->nsubstances; i++) {
		if (str_eq_nocase(r->substances[i]->name, name) || str_eq(r->substances[i]->zh, name)) {
			return r->substances[i];
		}
	}
	const struct risk_table *t = qra_table(r, "qra-substances"), *probits = qra_table(r, "toxic-probits");
	int row = t ? risk_table_row(t, "substance", name) : -1;
	row = t && row < 0 ? risk_table_row(t, "zh", name) : row;
	if (!t || !probits || row < 0) {
		return NULL;
	}
	size_t at = (size_t)row;
	struct qra_substance *s = arena_one(r->arena, struct qra_substance);
	*s = (struct qra_substance){ .name = risk_table_cell(t, at, "substance"), .zh = risk_table_cell(t, at, "zh"),
		.lfl = number_or_0(t, at, "lfl"), .heat = number_or_0(t, at, "heat") * 1000, .burning = number_or_0(t, at, "burning"),
		.radiated = number_or_0(t, at, "radiated"), .gas_density = number_or_0(t, at, "gas_density"),
		.reactive = str_is(risk_table_cell(t, at, "reactivity"), "high") };
	int poison = risk_table_row(probits, "substance", risk_table_cell(t, at, "probit"));
	if (risk_table_cell(t, at, "probit").n && poison >= 0) {
		s->toxic = true;
		s->a = risk_table_num(probits, (size_t)poison, "a");
		s->b = risk_table_num(probits, (size_t)poison, "b");
		s->n = risk_table_num(probits, (size_t)poison, "n");
	}
	r->substances = arena_push(r->arena, r->substances, &r->nsubstances, &r->cap_substances, sizeof *r->substances);
	r->substances[r->nsubstances - 1] = s;
	return s;
}

double qra_direct_ignition(struct qra_reader *r, const struct qra_scenario *s)
{
	const struct risk_table *t = qra_table(r, "ignition");
	double amount = s->instantaneous ? s->mass / 100 : s->rate; // kg: 1 t and 10 t; kg/s: 10 and 100
	size_t band = amount < 10 ? 0 : amount <= 100 ? 1 : 2;
	return t && band < t->n ? risk_table_num(t, band, s->s->reactive ? "average_high" : "low") : NAN;
}

// 1/year of one piece of equipment (or metre of pipe); NAN: no such equipment or failure.
double qra_generic_frequency(struct qra_reader *r, struct str equipment, struct str failure)
{
	const struct risk_table *t = qra_table(r, "frequencies");
	int row = t ? risk_table_row_said(t, "equipment", equipment) : -1;
	return row < 0 ? NAN : risk_table_num(t, (size_t)row, arena_cstr(r->arena, failure));
}

// Criterion of individual risk for a class of places. NAN: no such class.
double qra_place_limit(struct qra_reader *r, struct str cls, bool old)
{
	const struct risk_table *t = qra_table(r, "place-criteria");
	int row = t ? risk_table_row(t, "class", cls) : -1;
	return row < 0 ? NAN : risk_table_num(t, (size_t)row, old ? "in_service" : "new");
}

bool qra_read_line(struct qra_reader *r, struct str name, struct qra_fn_line *ret)
{
	const struct risk_table *t = qra_table(r, "fn-criteria");
	int row = !t ? -1 : name.n ? risk_table_row(t, "name", name) : t->n ? 0 : -1;
	if (row < 0) {
		problem_set(r->p, ERR_INVALID, "fn", "数据表 fn-criteria 没有“%.*s”", "the table fn-criteria has no \"%.*s\"", STR_FMT(name));
		return false;
	}
	size_t at = (size_t)row;
	*ret = (struct qra_fn_line){ risk_table_cell(t, at, "name"), risk_table_cell(t, at, "zh"), risk_table_cell(t, at, "en"),
		risk_table_num(t, at, "upper"), risk_table_num(t, at, "lower"), risk_table_num(t, at, "slope"), risk_table_num(t, at, "people") };
	return true;
}

// The contours that are usual: every limit of the classes once, rising.
void qra_usual_levels(struct qra_reader *r, struct qra_input *in)
{
	const struct risk_table *t = qra_table(r, "place-criteria");
	in->levels = arena_many(r->arena, t ? 2 * t->n : 1, double);
	for (size_t i = 0; t && i < 2 * t->n; i++) {
		double v = risk_table_num(t, i / 2, i & 1 ? "in_service" : "new");
		size_t at = 0;
		while (at < in->nlevels && in->levels[at] < v * (1 - 1e-9)) {
			at++;
		}
		if (!isfinite(v) || (at < in->nlevels && in->levels[at] < v * (1 + 1e-9)) || in->nlevels == LIMIT_QRA_LEVELS) {
			continue;
		}
		memmove(in->levels + at + 1, in->levels + at, (in->nlevels - at) * sizeof(double));
		in->levels[at] = v;
		in->nlevels++;
	}
}
