// Between the files of the regional assessment.
#pragma once

#include <math.h>

#include "risk/qra.h"

#define QRA_NEAR 50.0        // m: r = 50 (e^(row × step) - 1)
#define QRA_NOTHING 1e-9     // a lethality below is none
#define QRA_BRANCHES 6       // of one scenario

enum qra_effect { QRA_CIRCLE, QRA_TOXIC, QRA_FLASH, QRA_JET, QRA_POOL, QRA_BALL, QRA_BLAST };

struct qra_cloud {           // what disperses, in one class
	struct gauss g;
	bool puff, heavy;
	double alpha, d, spread; // of the heavy plume: Britter & McQuaid's alpha, length scale m, buoyancy length m
	double density;          // kg/m3 of the gas at the source
	double seconds;          // of the release
	double lfl, far;         // kg/m3; m, distance of the lower limit on the axis
};

// One branch of an event tree in one class. Its probability for a direction is p + later × P(delayed ignition there).
struct qra_branch {
	enum qra_effect effect;
	enum qra_kind kind;
	bool round;              // the same in every direction and every class
	double p, later;
	struct qra_cloud cloud;
	double a, b, n, seconds; // poison; exposure
	double radius, lethal;   // circle; pool and ball: its radius
	double power, length;    // W radiated; m of a jet
	double sep, height;      // kW/m2 of a surface; m of a flame, of the centre of a ball
	double centre, high, low; // m: explosion centre downwind, radii of the two pressures
	double tnt;              // kg
};

struct qra_v { double person, outdoors, indoors; }; // IR; societal risk

// Branches of s in class c (NULL: those that are round, whatever the class). Pure.
size_t qra_branches(const struct qra_input *in, const struct qra_scenario *s, const struct qra_class *c, struct qra_branch *ret);
// At x downwind, y across.
struct qra_v qra_lethality(const struct qra_rules *k, const struct qra_branch *b, double x, double y);
bool qra_in_cloud(const struct qra_cloud *c, double x, double y); // above its lower limit
// On a target: kW/m2 that last (jet, pool), Pa. 0: none.
void qra_impact(const struct qra_branch *b, double x, double y, double *ret_heat, double *ret_pressure);
// P(delayed ignition) by the sources in the cloud when the wind blows towards the bearing (radians from north).
double qra_ignited(const struct qra_input *in, const struct qra_source *s, const struct qra_branch *b, double bearing);
// Escalation frequency of every source by the others, 1/year. ret: [nsources].
void qra_domino(const struct qra_input *in, double *ret);
// Of a scenario of s, with its share of the escalations that make s fail.
double qra_frequency(const struct qra_source *s, const struct qra_scenario *sc, double domino);

struct qra_polar { size_t rows, columns; double step, reach; };
// For all places, people and cells of the input as seen from any source.
double qra_reach(const struct qra_input *in);
struct qra_polar qra_polar_of(const struct qra_input *in, double reach);
static inline double qra_row_radius(const struct qra_polar *p, size_t row) { return QRA_NEAR * expm1((double)row * p->step); }

struct qra_node { size_t row, column, next; double down, right; }; // weights of row + 1 and of column next
// Where dx east, dy north lies on the raster. False: outside.
bool qra_polar_at(const struct qra_polar *p, double dx, double dy, struct qra_node *ret);

// Directions: sectors × split, each with its column (downwind) and its part of the sector.
struct qra_direction { size_t sector, column; double bearing, part; };
size_t qra_directions(const struct qra_input *in, size_t columns, struct arena *a, struct qra_direction **ret);
static inline bool qra_skipped(const struct qra_input *in, size_t source) { return in->skip && in->skip[source]; }
