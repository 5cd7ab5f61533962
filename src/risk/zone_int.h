// Inside of zone*.c: one computation, and what the scenarios use. Frame here: x downwind, y to the left of it.
#pragma once

#include "risk/zone.h"

#define ZONE_SIDE 48 // points of one side of an outline

struct zone_job {
	const struct risk_tables *tables;
	struct arena *arena;
	struct problem *problem;
	struct risk_run *in;          // the scenario's inputs
	struct zone_substance sub;    // cas empty: none was named
	bool steady;                  // the models are asked again and again: nothing is recorded, an answer lives until the next
	struct arena *scratch;        // of steady answers
	struct zone_set *set;
	bool bare;                    // no outlines, only what it does to a place
	struct str fuel;              // members of the inputs of pool-fire
	double dhc, k;                // kJ/kg, ratio of heat capacities
	double p1;                    // kPa at the burst, absolute
	double vent;                  // m2
	bool centred;                 // distances are from the explosion's centre, not from the source
	// of a fire or an explosion: kW/m2 or kPa at x downwind, y across; NULL for clouds
	double (*at)(struct zone_job *z, double x, double y);
};

struct zone_level { struct str key; double value; const struct risk_table *t; size_t row; };

// Runs a model on inputs that are given as a format of JSON. why: kept with the step. NULL: it refused, and the job failed with
// what it said; if z->steady nothing is recorded and a refusal is only NULL.
const struct risk_run *zone_model(struct zone_job *z, const char *model, const char *why_zh, const char *why_en, const char *fmt, ...)
	printf_like(5, 6);
double zone_out(const struct risk_run *r, const char *name);             // NAN: not there
const double *zone_out_list(const struct risk_run *r, const char *name, size_t *ret_n);
struct str zone_out_text(const struct risk_run *r, const char *name);
void zone_warn(struct zone_job *z, const char *zh, const char *en);
void zone_fail(struct zone_job *z, const char *field, const char *zh, const char *en);
static inline bool zone_failed(const struct zone_job *z) { return z->problem->err != OK; }
// An input of the scenario, or what is known of the substance instead; a failure that names the input if neither is.
double zone_need(struct zone_job *z, const char *input, double known);

// The levels of an effect (rows of zone-levels, in its order). family: of toxic levels ("aegl"), NULL: all.
size_t zone_levels(struct zone_job *z, const char *effect, const char *family, struct zone_level ret[ZONE_MAX]);
struct zone *zone_add(struct zone_job *z, const struct zone_level *l); // a new zone, nowhere above its threshold

// Where a falling f comes down to want, between lo and hi, to 1e-6; 0: f(lo) is below it; hi: f(hi) is above it.
double zone_reach(double (*f)(void *ctx, double x), void *ctx, double lo, double hi, double want);

// ---- zone_shape.c -------------------------------------------------------------------------------------------------------
// The outline with half widths y at the rising x (both sides the same).
struct zone_ring zone_profile(struct arena *a, const double *x, const double *y, size_t n);
struct zone_ring zone_ellipse(struct arena *a, double xc, double rx, double ry);
// What a row of ellipses covers (a cloud on its way).
struct zone_ring zone_swept(struct arena *a, const double *xc, const double *rx, const double *ry, size_t n);
struct zone_ring zone_cut(struct arena *a, const struct zone_ring *r, double from, double to); // the part from ≤ x ≤ to
double zone_ring_area(const struct zone_ring *r);
void zone_measure(struct zone *zn);                      // reach, upwind, half_width, area from the ring
struct zone_ring zone_band(struct arena *a, const struct zone_ring *r, double spread_deg); // turned by ± spread
void zone_turn(struct zone_ring *r, double from_deg);    // into east and north, in place

void zone_run_toxic_plume(struct zone_job *z);
void zone_run_toxic_puff(struct zone_job *z);
void zone_run_flash(struct zone_job *z);
void zone_run_pool(struct zone_job *z);
void zone_run_jet(struct zone_job *z);
void zone_run_bleve(struct zone_job *z);
void zone_run_vce(struct zone_job *z);
void zone_run_burst(struct zone_job *z);
void zone_run_dust(struct zone_job *z);
// ---- zone_fire.c, for zone_dust.c -------------------------------------------------------------------------------------------
void zone_circles(struct zone_job *z, const char *effect, double near, double centre); // a circle for each level of the effect
void zone_burst(struct zone_job *z, double p1, double k); // of a vessel of the scenario's V at p1 kPa, absolute
