// Simple physics of what goes wrong, each with its formula. Pure functions: state in, a time step, state out; the caller
// decides how much faster than in nature time runs. Any thread.
#pragma once

#include "base/base.h"

// ---- tank: a vertical cylinder. dL/dt = (in − out) / volume, level in percent, clamped to 0…100; what does not fit runs over.
struct tank {
	double volume;       // m³ at 100 %
	double level;        // %
	double in, out;      // m³/h
	double spilled;      // m³
};
void tank_step(struct tank *t, double hours);
// Vapour in the bund, %LEL: an even rise with what has spilled or is breathed out above 93 % level.
double tank_vapour(const struct tank *t);

// ---- plume of a gas from a continuous leak at the ground: Gaussian plume with ground reflection,
//      C = Q / (π u σy σz) · exp(−y²/2σy²), σ by Briggs for open country, stability D (σy = 0.08 x (1+0.0001x)^-½,
//      σz = 0.06 x (1+0.0015x)^-½), widened by the size of the source; nothing before the wind has come (x/u).
struct wind {
	double speed;        // m/s, > 0
	double from;         // degrees from north, clockwise, where it blows from
};
double plume_along(struct wind w, double east, double north); // metres downwind of the source; negative: upwind
// mg/m³ at (east, north) metres from a source of rate g/s; rate is that of the moment when what is there now left the
// source, plume_along / speed seconds ago.
double plume_mg_m3(struct wind w, double rate, double east, double north);
double nh3_ppm(double mg_m3);       // 24.45 l/mol at 25 ℃, 17.03 g/mol
// A detector follows with a first-order lag: time constant tau seconds.
double sensor_lag(double shown, double true_value, double seconds, double tau);

// ---- dust collector: bags clog (pressure rises towards blocked), the air stream falls with the square root of the
//      fan's reserve, deposits smoulder once the stream is weak (temperature rises), inerting cools.
struct collector {
	double pressure;     // Pa across the bags
	double wind;         // m/s in the duct
	double temperature;  // ℃ in the ash bin
	double dust;         // g/m³ in the workshop
	bool clogging, inerted;
};
void collector_step(struct collector *c, double minutes);

// ---- tailings pond after rain. Runoff is a linear reservoir (time constant 0.5 h) fed by rain × catchment × 0.7;
//      area·dh/dt = runoff − discharge; discharge over a weir, Q = 1.8 b h^1.5 above the sill; the beach is what the
//      water leaves free: (crest − level) / slope.
struct pond {
	double level;        // m
	double runoff;       // m³/h that reach the pool
	double rain;         // mm/h
	double weir;         // width b, m
};
#define POND_CATCHMENT 1.8e6        // m²
#define POND_AREA 2.5e5             // m² of water
#define POND_SILL 127.5             // m
#define POND_CREST 131.14           // m
#define POND_SLOPE 0.03
void pond_step(struct pond *p, double hours);
double pond_beach(const struct pond *p); // m

// ---- cold store: dT/dt = (outside − T)/τ − cooling; τ = 30 h for a full store, cooling 4.2 ℃/h while the compressor runs.
struct cold {
	double temperature;  // ℃
	bool running;
};
void cold_step(struct cold *c, double hours);
