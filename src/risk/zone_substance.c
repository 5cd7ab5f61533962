// Substances of consequence zones: the table zone-substances joined with toxic-thresholds by CAS number. Pure; any thread.
#include "risk/zone_int.h"

static const struct risk_table *table(const struct risk_tables *t, const char *name)
{
	return risk_table_find(t, str_of(name));
}

// "30 ppm", "25" → ppm; NAN: "N/A", empty
static double ppm(const struct risk_table *t, size_t row, const char *column)
{
	struct str rest = risk_table_cell(t, row, column), number = str_cut(&rest, ' ');
	double v;
	return str_to_f64(number, &v) ? v : NAN;
}

size_t zone_substance_count(const struct risk_tables *t)
{
	const struct risk_table *s = t ? table(t, "zone-substances") : NULL;
	return s ? s->n : 0;
}

bool zone_substance_at(const struct risk_tables *t, size_t i, struct zone_substance *ret)
{
	static const char *const drawn[] = { "aegl3_60min", "aegl2_60min", "aegl1_60min", "erpg3", "erpg2", "erpg1", "pac3", "pac2",
		"pac1", "idlh" };
	const struct risk_table *s = t ? table(t, "zone-substances") : NULL, *toxic = t ? table(t, "toxic-thresholds") : NULL;
	if (!s || !toxic || i >= s->n) {
		return false;
	}
	struct str names = risk_table_cell(s, i, "zh"), rest = names;
	*ret = (struct zone_substance){ .cas = risk_table_cell(s, i, "cas"), .names = names, .zh = str_cut(&rest, '/'), .mw = NAN,
		.boiling = risk_table_num(s, i, "boiling_K"), .lel = NAN, .dhc = risk_table_num(s, i, "dHc"),
		.rho = risk_table_num(s, i, "rho"), .k = risk_table_num(s, i, "k"), .dhv = risk_table_num(s, i, "dHv"),
		.cp = risk_table_num(s, i, "Cp"), .fuel = risk_table_cell(s, i, "fuel") };
	ret->threshold = risk_table_row(toxic, "cas", ret->cas);
	if (ret->threshold >= 0) {
		size_t row = (size_t)ret->threshold;
		ret->name = risk_table_cell(toxic, row, "name");
		ret->mw = risk_table_num(toxic, row, "MW");
		ret->boiling = risk_table_num(toxic, row, "boiling_K");
		ret->lel = ppm(toxic, row, "LEL") * 1e-6;
		for (size_t k = 0; k < ARRAY_LEN(drawn); k++) {
			ret->toxic = ret->toxic || isfinite(ppm(toxic, row, drawn[k]));
		}
	} else {
		ret->name = ret->zh;
	}
	return true;
}

static bool named(const struct zone_substance *s, struct str what)
{
	if (str_eq_nocase(s->cas, what) || str_eq_nocase(s->name, what)) {
		return true;
	}
	for (struct str rest = s->names; rest.n;) {
		if (str_eq_nocase(str_cut(&rest, '/'), what)) {
			return true;
		}
	}
	return false;
}

bool zone_substance_find(const struct risk_tables *t, struct str what, struct zone_substance *ret)
{
	what = str_trim(what);
	for (size_t i = 0; what.n && zone_substance_at(t, i, ret); i++) {
		if (named(ret, what)) {
			return true;
		}
	}
	*ret = (struct zone_substance){ .threshold = -1, .mw = NAN, .boiling = NAN, .lel = NAN, .dhc = NAN, .rho = NAN, .k = NAN,
		.dhv = NAN, .cp = NAN };
	return false;
}

int risk_substance_row(struct risk_run *r, const struct risk_table *t, const char *column, struct str what)
{
	struct zone_substance s;
	int row = risk_table_row(t, column, what);
	if (row >= 0 || !zone_substance_find(r->tables, what, &s)) {
		return row;
	}
	row = risk_table_row(t, "cas", s.cas);
	return row >= 0 ? row : risk_table_row(t, column, s.name);
}

bool zone_is_liquid(const struct zone_substance *s)
{
	return !(s->boiling < 293.15);
}
