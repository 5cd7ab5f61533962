// Consequence zones: what a scenario in this weather does around its source, as outlines in metres. A scenario is described
// by the same struct as a model (inputs with unit, range, default); it computes with the models of models.c and nothing else,
// and every run that the answer rests on is kept with its inputs and its answer, so that `anlan calc MODEL` repeats it.
//
// Frame: the source is the origin. Outlines are x to the east, y to the north. The wind comes from `from`.
// Pure but for memory in the caller's arena; any thread. SI units; the wind is that of 10 m.
#pragma once

#include "risk/risk.h"

#define ZONE_MAX 6                // zones of one answer
#define ZONE_TIMES 3
#define ZONE_FAR 50000.0          // m: no zone is computed farther; what reaches it is said in a warning

extern const double zone_minutes[ZONE_TIMES]; // 10, 30, 60

struct zone_xy { double x, y; };                        // m
struct zone_ring { struct zone_xy *v; size_t n; };      // closed, the first point is not repeated; n 0: nothing

// What is under way at a time: a cloud travels; n 0: it is not above the threshold anywhere any more.
struct zone_then { double minutes; struct zone_ring ring; };

struct zone {
	struct str key, color, unit;  // of the table zone-levels
	struct str zh, en;            // what it means
	double value;                 // the threshold, in unit
	double reach;                 // m, farthest from the source, in the direction of the wind; 0: nowhere above the threshold
	double upwind, half_width;    // m
	double area;                  // m2, of ring
	struct zone_ring ring;        // this wind
	struct zone_ring band;        // any wind within `spread` on both sides
	struct zone_then then[ZONE_TIMES];
};

// A run of a model that the answer rests on.
struct zone_step { struct str model, why_zh, why_en, inputs, answer; }; // inputs and answer: JSON, as of `anlan calc`

enum zone_effect { ZONE_TOXIC, ZONE_FLASH, ZONE_HEAT, ZONE_BLAST };

struct zone_air {
	double u, from, t, rh, spread; // m/s, deg, K, %, deg
	int stability;                 // 0 … 5 for A … F
};

struct zone_set {
	const struct risk_model *scenario;
	enum zone_effect effect;
	struct zone_air air;
	bool travels;                  // a cloud: then[] is filled
	double front[ZONE_TIMES];      // m downwind; of a cloud
	struct zone v[ZONE_MAX];       // the most severe first
	size_t n;
	struct zone_step *steps;
	size_t n_steps, cap_steps;
	struct risk_warning *warnings;
	size_t n_warnings, cap_warnings;
	double duration;               // s of a fire: what stands in it is heated so long; 0: not said
	struct zone_job *job;          // for zone_intensity
};

struct zone_ask {
	struct str scenario;           // name of one of zone_scenarios
	struct str substance;          // CAS number, English or Chinese name; may be empty where the inputs say all
	struct str inputs, weather;    // JSON objects; units as in risk_read
	bool bare;                     // no outlines: for zone_intensity only
};

const struct risk_model *const *zone_scenarios(size_t *ret_n);
extern const struct risk_model zone_weather; // what may be said of the weather
// Not OK: problem.field is "scenario", "substance", or "inputs.NAME", "weather.NAME".
enum err zone_compute(const struct zone_ask *ask, const struct risk_tables *tables, struct arena *a, struct zone_set *ret,
                      struct problem *p) must_check;
// "release rate 3 kg/s; duration 30 min (preset)": every input that was used, as a person reads it.
struct str zone_inputs_text(const struct zone_set *s, bool en, struct arena *a);
// kW/m2 of a fire, kPa of an explosion, at a place (m east and north of the source); 0 for clouds. Not recorded as a step.
double zone_intensity(const struct zone_set *s, double east, double north);

// ---- substances ------------------------------------------------------------------------------------------------------
struct zone_substance {
	struct str cas, name, zh;      // name: English, of toxic-thresholds; zh: the first of the Chinese names
	struct str names;              // all Chinese names, by /
	double mw, boiling, lel;       // kg/kmol, K, volume fraction; NAN: not known
	double dhc, rho, k, dhv, cp;   // kJ/kg, kg/m3, -, kJ/kg, kJ/kg/K; NAN
	struct str fuel;               // of burning-rates, or empty
	int threshold;                 // row of toxic-thresholds, -1: none
	bool toxic;                    // has a threshold to draw
};
size_t zone_substance_count(const struct risk_tables *t);
bool zone_substance_at(const struct risk_tables *t, size_t i, struct zone_substance *ret); // false: no such row
// By CAS number or one of its names. False: not there.
bool zone_substance_find(const struct risk_tables *t, struct str what, struct zone_substance *ret);
// Liquid at 20 °C and 1 atm? A gas, or liquefied under pressure, otherwise.
bool zone_is_liquid(const struct zone_substance *s);

// ---- what stands around ------------------------------------------------------------------------------------------------
struct zone_target {               // a vessel that an accident may reach
	int64_t id;
	double east, north;            // m from the source
	struct str kind;               // of the table domino-equipment
	struct str medium;             // a name of a substance
	double volume;                 // m3
};
struct zone_blow {                 // one step of the chain
	int64_t from, to;              // ids; from 0: the accident itself
	unsigned order;                // 1: reached by the accident itself
	double distance;               // m
	enum zone_effect effect;
	double intensity, limit;       // kW/m2 or kPa; the limit of the table domino
	struct str target;             // class of the table domino
	double probability;            // of this escalation; NAN: the model has no answer (zh, en say why)
	double along;                  // product along the chain; NAN
	struct str next;               // scenario that follows; empty: none is assumed
	struct str substance;
	struct str next_zh, next_en, inputs; // what was assumed of it, JSON
};
// The chain that follows: the vessels that stand in more heat or pressure than their class bears, and what each does to the
// others, to the second order. At most LIMIT_DOMINO steps; the nearest first. skip: id of the source itself, or 0.
// *ret_left: how many more there were.
enum err zone_chain(const struct zone_set *s, const struct zone_target *v, size_t n, int64_t skip, const struct risk_tables *tables,
                    struct arena *a, struct zone_blow **ret, size_t *ret_n, size_t *ret_left, struct problem *p) must_check;
