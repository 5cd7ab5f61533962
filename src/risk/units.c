// Units of measurement. SI value = v × factor + offset. Factors by definition (inch, pound, atmosphere, BTU of the
// International Table). Called by read.c and write.c. Pure; any thread.
#include "risk/risk.h"

#define PSI 6894.757293168361
#define LB 0.45359237
#define FT 0.3048
#define BTU 1055.05585262

struct unit {
	const char *name, *of;
	double factor, offset;
};

static const struct unit units[] = {
	{ "m", "length", 1, 0 }, { "cm", "length", 0.01, 0 }, { "mm", "length", 1e-3, 0 }, { "um", "length", 1e-6, 0 },
	{ "km", "length", 1e3, 0 }, { "inch", "length", 0.0254, 0 }, { "in", "length", 0.0254, 0 }, { "ft", "length", FT, 0 },
	{ "mi", "length", 1609.344, 0 },
	{ "m2", "area", 1, 0 }, { "cm2", "area", 1e-4, 0 }, { "mm2", "area", 1e-6, 0 }, { "ft2", "area", FT * FT, 0 },
	{ "ha", "area", 1e4, 0 }, { "km2", "area", 1e6, 0 }, { "in2", "area", 0.0254 * 0.0254, 0 },
	{ "m3", "volume", 1, 0 }, { "L", "volume", 1e-3, 0 }, { "l", "volume", 1e-3, 0 }, { "ft3", "volume", FT * FT * FT, 0 },
	{ "1e6 m3", "volume", 1e6, 0 }, { "万m3", "volume", 1e4, 0 },
	{ "kg", "mass", 1, 0 }, { "g", "mass", 1e-3, 0 }, { "mg", "mass", 1e-6, 0 }, { "t", "mass", 1e3, 0 }, { "lb", "mass", LB, 0 },
	{ "s", "time", 1, 0 }, { "ms", "time", 1e-3, 0 }, { "min", "time", 60, 0 }, { "h", "time", 3600, 0 }, { "d", "time", 86400, 0 },
	{ "K", "temperature", 1, 0 }, { "C", "temperature", 1, 273.15 }, { "degC", "temperature", 1, 273.15 }, { "℃", "temperature", 1, 273.15 },
	{ "°C", "temperature", 1, 273.15 }, { "F", "temperature", 5.0 / 9, 459.67 * 5 / 9 },
	{ "degF", "temperature", 5.0 / 9, 459.67 * 5 / 9 }, { "°F", "temperature", 5.0 / 9, 459.67 * 5 / 9 }, { "R", "temperature", 5.0 / 9, 0 },
	{ "Pa", "pressure", 1, 0 }, { "kPa", "pressure", 1e3, 0 }, { "MPa", "pressure", 1e6, 0 }, { "bar", "pressure", 1e5, 0 },
	{ "mbar", "pressure", 100, 0 }, { "hPa", "pressure", 100, 0 }, { "torr", "pressure", 101325.0 / 760, 0 },
	{ "kgf/cm2", "pressure", 98066.5, 0 }, { "atm", "pressure", 101325, 0 }, { "psi", "pressure", PSI, 0 }, { "psia", "pressure", PSI, 0 },
	{ "mmHg", "pressure", 133.322387415, 0 }, { "psig", "pressure", PSI, 101325 }, { "psi g", "pressure", PSI, 101325 },
	{ "barg", "pressure", 1e5, 101325 },
	{ "bar g", "pressure", 1e5, 101325 }, { "kPag", "pressure", 1e3, 101325 }, { "kPa g", "pressure", 1e3, 101325 },
	{ "MPag", "pressure", 1e6, 101325 }, { "MPa g", "pressure", 1e6, 101325 }, { "Pa g", "pressure", 1, 101325 },
	{ "m/s", "velocity", 1, 0 }, { "cm/s", "velocity", 0.01, 0 }, { "km/h", "velocity", 1 / 3.6, 0 }, { "ft/s", "velocity", FT, 0 }, { "mph", "velocity", 0.44704, 0 },
	{ "kn", "velocity", 1852.0 / 3600, 0 }, { "m/ms", "velocity", 1e3, 0 },
	{ "kg/s", "mass rate", 1, 0 }, { "g/s", "mass rate", 1e-3, 0 }, { "kg/h", "mass rate", 1.0 / 3600, 0 },
	{ "kg/min", "mass rate", 1.0 / 60, 0 }, { "mg/s", "mass rate", 1e-6, 0 }, { "g/min", "mass rate", 1e-3 / 60, 0 },
	{ "g/h", "mass rate", 1e-3 / 3600, 0 }, { "t/d", "mass rate", 1e3 / 86400, 0 },
	{ "t/h", "mass rate", 1.0 / 3.6, 0 }, { "lb/s", "mass rate", LB, 0 }, { "lb/min", "mass rate", LB / 60, 0 },
	{ "lb/h", "mass rate", LB / 3600, 0 },
	{ "m3/s", "volume rate", 1, 0 }, { "m3/h", "volume rate", 1.0 / 3600, 0 }, { "m3/min", "volume rate", 1.0 / 60, 0 },
	{ "L/min", "volume rate", 1e-3 / 60, 0 }, { "L/s", "volume rate", 1e-3, 0 },
	{ "kg/m2/s", "mass flux", 1, 0 }, { "g/m2/s", "mass flux", 1e-3, 0 },
	{ "kg/m3", "concentration", 1, 0 }, { "g/m3", "concentration", 1e-3, 0 }, { "mg/m3", "concentration", 1e-6, 0 },
	{ "ug/m3", "concentration", 1e-9, 0 }, { "mg/L", "concentration", 1e-3, 0 }, { "g/cm3", "concentration", 1e3, 0 },
	{ "lb/ft3", "concentration", LB / (FT * FT * FT), 0 },
	{ "m3/kg", "specific volume", 1, 0 },
	{ "", "number", 1, 0 }, { "1", "number", 1, 0 }, { "vol frac", "number", 1, 0 }, { "mol frac", "number", 1, 0 },
	{ "%", "number", 0.01, 0 },
	{ "vol%", "number", 0.01, 0 }, { "vol %", "number", 0.01, 0 }, { "ppm", "number", 1e-6, 0 }, { "ppb", "number", 1e-9, 0 },
	{ "J", "energy", 1, 0 }, { "kJ", "energy", 1e3, 0 }, { "MJ", "energy", 1e6, 0 }, { "BTU", "energy", BTU, 0 },
	{ "J/kg", "specific energy", 1, 0 }, { "kJ/kg", "specific energy", 1e3, 0 }, { "MJ/kg", "specific energy", 1e6, 0 },
	{ "BTU/lb", "specific energy", BTU / LB, 0 },
	{ "J/mol", "molar energy", 1, 0 }, { "kJ/mol", "molar energy", 1e3, 0 }, { "kJ/kmol", "molar energy", 1, 0 },
	{ "J/m3", "energy density", 1, 0 }, { "kJ/m3", "energy density", 1e3, 0 }, { "MJ/m3", "energy density", 1e6, 0 },
	{ "J/kg/K", "heat capacity", 1, 0 }, { "J/kgK", "heat capacity", 1, 0 }, { "J/(kg K)", "heat capacity", 1, 0 },
	{ "kJ/kg/K", "heat capacity", 1e3, 0 }, { "BTU/lb/F", "heat capacity", BTU / LB * 1.8, 0 },
	{ "kg/kmol", "molar mass", 1e-3, 0 }, { "g/mol", "molar mass", 1e-3, 0 }, { "kg/mol", "molar mass", 1, 0 },
	{ "lb/lbmol", "molar mass", 1e-3, 0 },
	{ "W", "power", 1, 0 }, { "kW", "power", 1e3, 0 }, { "MW", "power", 1e6, 0 }, { "BTU/h", "power", BTU / 3600, 0 },
	{ "W/m2", "heat flux", 1, 0 }, { "kW/m2", "heat flux", 1e3, 0 }, { "BTU/h/ft2", "heat flux", BTU / 3600 / (FT * FT), 0 },
	{ "W/m/K", "conductivity", 1, 0 }, { "m2/s", "diffusivity", 1, 0 }, { "N/m", "surface tension", 1, 0 },
	{ "K/m", "lapse", 1, 0 }, { "1/m", "inverse length", 1, 0 }, { "/m", "inverse length", 1, 0 },
	{ "/yr", "frequency", 1, 0 }, { "1/yr", "frequency", 1, 0 }, { "per yr", "frequency", 1, 0 }, { "/a", "frequency", 1, 0 },
	{ "fatalities/yr", "frequency", 1, 0 },
	{ "deg", "angle", 1, 0 }, { "°", "angle", 1, 0 }, { "rad", "angle", 57.29577951308232, 0 },
	{ "(W/m2)^(4/3) s", "heat dose", 1, 0 }, { "(kW/m2)^(4/3) s", "heat dose", 1e4, 0 },
	{ "m/kg^(1/3)", "scaled distance", 1, 0 }, { "bar/s", "pressure rate", 1e5, 0 }, { "Pa/s", "pressure rate", 1, 0 },
	{ "kPa/s", "pressure rate", 1e3, 0 }, { "MPa/s", "pressure rate", 1e6, 0 },
	{ "bar m/s", "dust constant", 1e5, 0 }, { "Pa m/s", "dust constant", 1, 0 },
	{ "Pa s", "impulse", 1, 0 }, { "kPa ms", "impulse", 1, 0 }, { "kPa s", "impulse", 1e3, 0 }, { "Pa*s", "impulse", 1, 0 },
	{ "kPa ms/kg^(1/3)", "scaled impulse", 1, 0 }, { "ms/kg^(1/3)", "scaled time", 1, 0 },
	{ "m3/m", "area", 1, 0 },
};

#define UNIT_BYTES_MAX 64 // of a unit with raised digits; what is longer is looked up as it stands

// Raised digits (m²) as plain ones (m2), in room.
static struct str plain_digits(struct str s, char room[UNIT_BYTES_MAX])
{
	size_t n = 0;
	if (s.n > UNIT_BYTES_MAX) {
		return s;
	}
	for (size_t i = 0; i < s.n; i++) {
		bool raised = i + 1 < s.n && s.p[i] == '\xc2' && (s.p[i + 1] == '\xb2' || s.p[i + 1] == '\xb3');
		room[n++] = !raised ? s.p[i] : s.p[i + 1] == '\xb2' ? '2' : '3';
		i += raised;
	}
	return str_from(room, n);
}

static const struct unit *exactly(struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (str_is(s, units[i].name)) {
			return &units[i];
		}
	}
	return NULL;
}

// "kPa gauge" is not "kPa": the entry of the same size that counts from the atmosphere; NULL: none.
static const struct unit *counted_from_air(const struct unit *absolute)
{
	for (size_t i = 0; absolute && i < ARRAY_LEN(units); i++) {
		if (units[i].of == absolute->of && units[i].factor == absolute->factor && units[i].offset > 0) {
			return &units[i];
		}
	}
	return NULL;
}

static bool says_gauge(struct str word)
{
	return str_is(word, "g") || str_is(word, "(g)") || str_is(word, "gauge") || str_is(word, "(gauge)") || str_is(word, "gage")
		|| str_is(word, "表压");
}

// The longest beginning, in whole words, that is a unit: "kg propane", "Pa abs", "vol frac NH3", "kPa gauge".
static const struct unit *unit_find(struct str given)
{
	char room[UNIT_BYTES_MAX];
	struct str s = plain_digits(str_trim(given), room);
	bool gauge = false;
	for (;;) {
		const struct unit *u = exactly(s);
		if (u) {
			return gauge && strcmp(u->of, "pressure") == 0 && u->offset == 0 ? counted_from_air(u) : u;
		}
		size_t end = s.n;
		while (s.n && s.p[s.n - 1] != ' ') {
			s.n--;
		}
		if (!s.n) {
			return NULL;
		}
		gauge = gauge || says_gauge(str_from(s.p + s.n, end - s.n));
		s = str_trim(s);
	}
}

bool unit_known(struct str unit)
{
	return unit_find(unit) != NULL;
}

bool unit_convert(double v, struct str from, struct str to, double *ret)
{
	if (str_eq(str_trim(from), str_trim(to))) {
		*ret = v;
		return true;
	}
	const struct unit *a = unit_find(from), *b = unit_find(to);
	if (!a || !b || strcmp(a->of, b->of) != 0) {
		return false;
	}
	*ret = a == b ? v : (v * a->factor + a->offset - b->offset) / b->factor;
	return true;
}

bool unit_convert_difference(double v, struct str from, struct str to, double *ret)
{
	const struct unit *a = unit_find(from), *b = unit_find(to);
	if (!a || !b || strcmp(a->of, b->of) != 0) {
		return false;
	}
	*ret = a->factor == b->factor ? v : v * a->factor / b->factor;
	return true;
}
