// Regional quantitative risk assessment (GB/T 37243-2019): installations with scenarios of leaks, each with its event tree, in
// every stability–wind class and direction, against ignition sources and people.
//
//   IR(place) = Σ scenarios f Σ classes, directions p Σ branches P v(place)      person outdoors all year, unprotected
//   N = Σ people in the cells × v (outdoors, indoors; by day, by night); F(N) = Σ f of what kills N or more; PLL = Σ f N
//
// How it is fast. The lethality v of a branch is computed once for a class, on a polar raster about the source: rows of equal
// steps of ln(1 + r/50 m), columns of equal angles, one of them for every wind direction. Between the nodes v is bilinear.
// Another direction is a shift by columns; all branches of a source are summed on its raster, which is then read once for each
// cell of the grid. People are put on the raster with the same weights, so that the deaths of one outcome are a dot product.
// Because both are linear, the answer is that of the definition (qra_plain.c), which evaluates every branch at every cell.
//
// Units: m (x east, y north, local), s, kg, W, Pa, 1/year. Pure but for memory in arenas and the threads it starts itself.
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "risk/gauss.h"
#include "risk/table.h"

struct jw;

// What the packs say (tables qra-rules, qra-substances, place-criteria, fn-criteria, domino, toxic-probits, ignition).
struct qra_rules {
	double heat_certain, heat_seconds;       // kW/m2 from which death is certain; s of exposure
	double heat_outdoors, heat_indoors;      // societal risk: part of the unprotected probability
	double toxic_indoors, toxic_seconds;     // part; longest exposure
	double flash_indoors;
	double blast_high, blast_low, blast_low_indoors; // Pa, Pa, probability between them indoors
	double explosion_share;                  // of delayed ignitions
	double tnt_yield, tnt_heat;              // part of the heat; J/kg
	double ball_radiated, pool_radiated;     // part of the heat
	double delayed_default;                  // probability when nothing is said and no ignition source is given
	struct qra_escalation { double a, b, pressure, heat; } escalation[4]; // probit of ln Pa; thresholds Pa, kW/m2
};

struct qra_substance {
	struct str name, zh;
	double lfl;              // kg/m3; 0: it does not burn
	double heat;             // J/kg
	double burning;          // kg/m2/s of a pool, 0: it makes none
	double radiated;         // part of the heat of a jet
	double gas_density;      // kg/m3 at the source, for heavy gas
	bool toxic, reactive;    // reactive: average or high reactivity (direct ignition)
	double a, b, n;          // probit of mg/m3 and min
};

struct qra_class {
	int stability;           // 0 … 5 for A … F
	double u;                // m/s
	double day;              // part of its hours that are by day
	double *from;            // [directions]: probability that the wind comes from k × 360/directions degrees, clockwise from north
};

struct qra_scenario {
	struct str name;
	double f;
	const struct qra_substance *s;
	bool instantaneous;      // all of mass at once; else rate for duration
	double rate, duration, mass;
	double height;
	double pool;             // m, diameter of the pool that burns at once; 0: a jet or a fireball
	bool heavy;              // continuous, heavier than air (Britter & McQuaid)
	double immediate;        // probability of ignition at once
	double delayed;          // of delayed ignition; NAN: by the ignition sources in the cloud
	double explosion;        // part of delayed ignitions that explode
	double circle, lethal;   // m, probability inside: instead of all the above; circle 0: not so
	bool rupture;            // an escalation from elsewhere makes it more frequent
	struct str trigger;      // a natural event (lightning, flood, quake) that causes it, or empty: then f is
	double event, damage;    // events a year here × probability that one does this
};

// Index of rules.escalation.
enum qra_target { QRA_ATMOSPHERIC, QRA_PRESSURISED, QRA_ELONGATED, QRA_SMALL, QRA_NO_TARGET };

struct qra_source {
	struct str name, owner;
	int64_t id;              // of a record, 0: none
	double x, y;
	bool planned;            // new: the answer says what it adds
	enum qra_target target;  // of the domino model
	double volume;           // m3
	struct qra_scenario *scenarios;
	size_t n;
};

struct qra_people { double x, y, day, night, indoors; }; // persons; indoors: part of them
struct qra_ignition { double x, y, rate; };               // 1/s: effectiveness while it is in the cloud
struct qra_place { struct str name, cls; double x, y, limit; int64_t id; bool old; }; // limit 1/year by cls, new or (old) in service

struct qra_grid { double x0, y0, cell; size_t nx, ny; }; // x0, y0: centre of the first cell; rows go north

struct qra_fn_line { struct str name, zh, en; double upper, lower, slope, people; }; // F at N = 1; F ∝ N^slope

struct qra_input {
	struct str name;
	struct qra_rules rules;
	struct qra_grid grid;
	struct qra_origin { double lon, lat, east, north; } origin; // of the local coordinates; m of a degree there; 0: unknown
	size_t directions, split; // sectors of the rose; each is computed as `split` directions inside of it
	bool urban, domino;       // Briggs' urban parameters; escalation makes ruptures more frequent
	struct qra_class *classes;
	struct qra_source *sources;
	struct qra_people *people;
	struct qra_ignition *ignition;
	struct qra_place *places;
	double *levels;           // 1/year, of contours
	size_t nclasses, nsources, npeople, nignition, nplaces, nlevels;
	struct qra_fn_line line;
	size_t rows, columns;     // of the raster; 0: as is usual
	const bool *skip;         // [nsources] leave these out; NULL: none
};

enum qra_kind { QRA_POISON, QRA_FIRE, QRA_EXPLOSION, QRA_GIVEN, QRA_KIND__MAX };

struct qra_fn { double n, f; };

struct qra_source_sum {
	double pll, f;            // 1/year; f of all scenarios, with escalation
	double worst;             // largest N of one outcome
	double domino;            // 1/year of escalation from the others
	double *scenario_pll;     // [n]
	double kind[QRA_KIND__MAX]; // PLL
};

struct qra_result {
	double *ir;               // [ny][nx]
	double ir_max;
	struct qra_source_sum *sources; // [nsources]
	double *place_ir;         // [nplaces][nsources]
	double *place_sum;        // [nplaces]
	struct qra_fn *fn;        // falling F, rising N ≥ 1
	size_t nfn;
	double pll, worst;
	uint64_t outcomes;        // branch × class × direction that were added
	double footprint;         // mean area of a directional one, m2
	size_t rows, columns;
	double reach;             // m, of the rasters
};

// Computes in threads (at least 1). step, unless NULL, is told the part done (0 … 1) by one thread at a time; false stops:
// ERR_TIMEOUT. Everything of the result lives in a.
enum err qra_run(const struct qra_input *in, unsigned threads, bool (*step)(void *arg, double part), void *arg, struct arena *a,
                 struct qra_result *ret, struct problem *p) must_check;

// The definition, slowly: risk at one place, and of every outcome the deaths. For tests and for the bench.
double qra_plain_ir(const struct qra_input *in, double x, double y, double reach);
double qra_plain_pll(const struct qra_input *in, double reach);
// The same without any raster: the lethality of each branch at the place itself.
double qra_direct_ir(const struct qra_input *in, double x, double y);

// What is left until a criterion is met: how many times all frequencies could grow. < 1: it is exceeded.
struct qra_room {
	double places, societal;  // factors; HUGE_VAL: nothing there
	size_t place;             // which place decides
	double n;                 // which N decides
	double factor, pll;       // the smaller of both; PLL that may be added (negative: must go)
	const char *zone;         // "unacceptable", "alarp", "acceptable"
};
size_t *qra_ranking(const struct qra_input *in, const struct qra_result *r, struct arena *a); // sources by PLL, the largest first
struct qra_room qra_room(const struct qra_input *in, const struct qra_result *r);
double qra_fn_at(const struct qra_result *r, double n); // F(N)

// Lines of equal risk, closed: around what is at or above level, counter-clockwise; holes clockwise. Coordinates of the grid.
struct qra_ring { double *x, *y; size_t n; };
void qra_contours(const struct qra_grid *g, const double *v, double level, struct arena *a, struct qra_ring **ret, size_t *ret_n);
double qra_area(const struct qra_ring *r, size_t n); // m2, holes taken off

// Rings as the coordinates of a GeoJSON MultiPolygon, in degrees if the origin is known.
void qra_write_polygons(const struct qra_input *in, const struct qra_ring *rings, size_t n, struct arena *a, struct jw *w);

// JSON (doc/qra.md). ERR_INVALID names the field.
enum err qra_read(struct str json, const struct risk_tables *tables, struct arena *a, struct qra_input *ret, struct problem *p) must_check;
struct qra_compared { const struct qra_result *less; const bool *skip; }; // the same without some sources
// One object; c: what the sources that are left out bring, or NULL.
void qra_write(const struct qra_input *in, const struct qra_result *r, const struct qra_compared *c, struct arena *a, struct jw *w);
