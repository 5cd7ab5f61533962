// Dispersion parameters, stability and wind. Sources beside each set; called by the dispersion models. Pure; any thread.
#include "risk/sigma.h"
#include "risk/inputs.h"

const char *const menu_stability[] = { "A", "B", "C", "D", "E", "F|F rural p=0.55", NULL };
const char *const menu_sigma_set[] = {
	"briggs-rural|Briggs rural", "briggs-urban|Briggs urban", "ccps-puff|CCPS puff", "tno-plume|TNO plume", "tno-puff|TNO puff",
	"turner-lees|turner/lees|turner", "isc3-rural|EPA ISC3 rural|ISC3 rural",
	"seinfeld|Spicer-Havens/Seinfeld (600 s)|Spicer-Havens/Seinfeld|Spicer-Havens|Seinfeld", "chef|CHEF guide|CHEF", NULL,
};

// ---- ISC3 rural: EPA-454/B-95-003b, tables 1-1 and 1-2 -------------------------------------------------

struct piece {
	double to, a, b; // sz = a × (x in km)^b up to and including `to` km
};

static const struct piece isc3_a[] = { { 0.10, 122.8, 0.9447 }, { 0.15, 158.08, 1.0542 }, { 0.20, 170.22, 1.0932 },
	{ 0.25, 179.52, 1.1262 }, { 0.30, 217.41, 1.2644 }, { 0.40, 258.89, 1.4094 }, { 0.50, 346.75, 1.7283 },
	{ HUGE_VAL, 453.85, 2.1166 } };
static const struct piece isc3_b[] = { { 0.20, 90.673, 0.93198 }, { 0.40, 98.483, 0.98332 }, { HUGE_VAL, 109.3, 1.0971 } };
static const struct piece isc3_c[] = { { HUGE_VAL, 61.141, 0.91465 } };
static const struct piece isc3_d[] = { { 0.30, 34.459, 0.86974 }, { 1, 32.093, 0.81066 }, { 3, 32.093, 0.64403 },
	{ 10, 33.504, 0.60486 }, { 30, 36.650, 0.56589 }, { HUGE_VAL, 44.053, 0.51179 } };
static const struct piece isc3_e[] = { { 0.10, 24.26, 0.8366 }, { 0.30, 23.331, 0.81956 }, { 1, 21.628, 0.7566 },
	{ 2, 21.628, 0.63077 }, { 4, 22.534, 0.57154 }, { 10, 24.703, 0.50527 }, { 20, 26.97, 0.46713 }, { 40, 35.42, 0.37615 },
	{ HUGE_VAL, 47.618, 0.29592 } };
static const struct piece isc3_f[] = { { 0.20, 15.209, 0.81558 }, { 0.70, 14.457, 0.78407 }, { 1, 13.953, 0.68465 },
	{ 2, 13.953, 0.63227 }, { 3, 14.823, 0.54503 }, { 7, 16.187, 0.4649 }, { 15, 17.836, 0.41507 }, { 30, 22.651, 0.32681 },
	{ 60, 27.074, 0.27436 }, { HUGE_VAL, 34.219, 0.21716 } };

static struct sigma isc3_rural(int s, double x)
{
	static const struct piece *const pieces[6] = { isc3_a, isc3_b, isc3_c, isc3_d, isc3_e, isc3_f };
	static const double cd[6][2] = { { 24.167, 2.5334 }, { 18.333, 1.8096 }, { 12.5, 1.0857 }, { 8.333, 0.72382 }, { 6.25, 0.54287 },
		{ 4.1667, 0.36191 } };
	double km = x / 1000;
	const struct piece *p = pieces[s];
	while (km > p->to) {
		p++;
	}
	double angle = 0.017453293 * (cd[s][0] - cd[s][1] * log(km));
	double sy = 465.11628 * km * tan(angle), sz = p->a * pow(km, p->b);
	return (struct sigma){ sy, sy, fmin(sz, 5000) };
}

// ---- the others ---------------------------------------------------------------------------------------------

static struct sigma briggs_rural(int s, double x)
{
	static const double a[6] = { 0.22, 0.16, 0.11, 0.08, 0.06, 0.04 };
	double sy = a[s] * x / sqrt(1 + 1e-4 * x);
	double sz = s == 0 ? 0.20 * x : s == 1 ? 0.12 * x : s == 2 ? 0.08 * x / sqrt(1 + 2e-4 * x)
		: s == 3 ? 0.06 * x / sqrt(1 + 1.5e-3 * x) : s == 4 ? 0.03 * x / (1 + 3e-4 * x) : 0.016 * x / (1 + 3e-4 * x);
	return (struct sigma){ sy, sy, sz };
}

static struct sigma briggs_urban(int s, double x)
{
	static const double a[6] = { 0.32, 0.32, 0.22, 0.16, 0.11, 0.11 };
	double sy = a[s] * x / sqrt(1 + 4e-4 * x);
	double sz = s <= 1 ? 0.24 * x * sqrt(1 + 1e-3 * x) : s == 2 ? 0.20 * x : s == 3 ? 0.14 * x / sqrt(1 + 3e-4 * x)
		: 0.08 * x / sqrt(1 + 1.5e-3 * x);
	return (struct sigma){ sy, sy, sz };
}

// a x^b of each of the two, for sets that are nothing else
static struct sigma power(const double ab[6][4], int s, double x)
{
	double sy = ab[s][0] * pow(x, ab[s][1]);
	return (struct sigma){ sy, sy, ab[s][2] * pow(x, ab[s][3]) };
}

static const double ccps_puff[6][4] = { { 0.18, 0.92, 0.60, 0.75 }, { 0.14, 0.92, 0.53, 0.73 }, { 0.10, 0.92, 0.34, 0.71 },
	{ 0.06, 0.92, 0.15, 0.70 }, { 0.04, 0.92, 0.10, 0.65 }, { 0.02, 0.89, 0.05, 0.61 } };
static const double tno[6][4] = { { 0.527, 0.865, 0.28, 0.90 }, { 0.371, 0.866, 0.23, 0.85 }, { 0.209, 0.897, 0.22, 0.80 },
	{ 0.128, 0.905, 0.20, 0.76 }, { 0.098, 0.902, 0.15, 0.73 }, { 0.065, 0.902, 0.12, 0.67 } };

static struct sigma tno_puff(int s, double x)
{
	return (struct sigma){ 0.13 * x, power(tno, s, x).y / 2, tno[s][2] * x };
}

static struct sigma turner(int s, double x)
{
	static const double near[6][5] = { { 0.493, 0.88, 0.087, 1.10, 300 }, { 0.337, 0.88, 0.135, 0.95, 500 },
		{ 0.195, 0.90, 0.112, 0.91, HUGE_VAL }, { 0.128, 0.90, 0.093, 0.85, 500 }, { 0.091, 0.91, 0.082, 0.82, 500 },
		{ 0.067, 0.90, 0.057, 0.80, 500 } };
	static const double far[6][3] = { { -1.67, 0.902, 0.181 }, { -1.25, 1.09, 0.0018 }, { 0, 0, 0 }, { -1.22, 1.08, -0.061 },
		{ -1.19, 1.04, -0.070 }, { -1.91, 1.37, -0.119 } };
	double l = log10(x), sy = near[s][0] * pow(x, near[s][1]);
	double sz = x <= near[s][4] ? near[s][2] * pow(x, near[s][3]) : pow(10, far[s][0] + far[s][1] * l + far[s][2] * l * l);
	return (struct sigma){ sy, sy, sz };
}

static struct sigma seinfeld(int s, double x)
{
	static const double d[6] = { 0.423, 0.313, 0.210, 0.136, 0.102, 0.0674 };
	static const double abg[6][3] = { { 107.7, -1.7172, 0.2770 }, { 0.1355, 0.8752, 0.0136 }, { 0.09623, 0.9477, -0.0020 },
		{ 0.04134, 1.1737, -0.0316 }, { 0.02275, 1.3010, -0.0450 }, { 0.01122, 1.4024, -0.0540 } };
	double l = log(x), sy = d[s] * pow(x, 0.9);
	return (struct sigma){ sy, sy, abg[s][0] * pow(x, abg[s][1]) * exp(abg[s][2] * l * l) };
}

bool sigma_at(enum sigma_set set, int s, double x, struct sigma *ret)
{
	switch (set) {
	case SIGMA_BRIGGS_RURAL: *ret = briggs_rural(s, x); return true;
	case SIGMA_BRIGGS_URBAN: *ret = briggs_urban(s, x); return true;
	case SIGMA_CCPS_PUFF: *ret = power(ccps_puff, s, x); return true;
	case SIGMA_TNO_PLUME: *ret = power(tno, s, x); return true;
	case SIGMA_TNO_PUFF: *ret = tno_puff(s, x); return true;
	case SIGMA_TURNER: *ret = turner(s, x); return true;
	case SIGMA_ISC3_RURAL: *ret = isc3_rural(s, x); return true;
	case SIGMA_SEINFELD: *ret = seinfeld(s, x); return true;
	case SIGMA_CHEF: *ret = (struct sigma){ 0.128 * pow(x, 0.905), 0.128 * pow(x, 0.905), 0.395 * pow(x, 0.701) }; return s == 3;
	case SIGMA__MAX: break;
	}
	return false;
}

double inverse_length_tno(int s, double z0)
{
	static const double ab[6][2] = { { 33.162, 1117 }, { 32.258, 11.46 }, { 51.787, 1.324 }, { 0, 1 }, { -48.330, 1.262 },
		{ -31.325, 19.36 } };
	return s == 3 ? 0 : log10(fmin(z0, 0.5) / ab[s][1]) / ab[s][0];
}

double inverse_length_pasquill(int s, double z0)
{
	static const double ab[6][2] = { { -11.4, 0.10 }, { -26, 0.17 }, { -123, 0.30 }, { 0, 0 }, { 123, 0.30 }, { 26, 0.17 } };
	return s == 3 ? 0 : 1 / (ab[s][0] * pow(z0, ab[s][1]));
}

static double psi_unstable(double z, double inverse_length)
{
	double a = pow(1 - 16 * z * inverse_length, 0.25);
	return 2 * log((1 + a) / 2) + log((1 + a * a) / 2) - 2 * atan(a) + M_PI_2;
}

double wind_log(double z, double z0, double inv)
{
	if (inv < 0) {
		return log(z / z0) - psi_unstable(z, inv) + psi_unstable(z0, inv);
	}
	return log(z / z0) + 5 * (z - z0) * inv;
}

double wind_exponent(int s, bool urban)
{
	static const double rural_p[6] = { 0.07, 0.07, 0.10, 0.15, 0.35, 0.55 }, urban_p[6] = { 0.15, 0.15, 0.20, 0.25, 0.40, 0.60 };
	return urban ? urban_p[s] : rural_p[s];
}
