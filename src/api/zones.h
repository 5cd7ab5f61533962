// Inside of api/zone*.c: one computation of zones with what stands around it.
#pragma once

#include "api/api.h"
#include "map/plane.h"

struct zone_source {               // what the accident happens to
	int64_t equipment, installation, enterprise; // 0: none
	struct str title, substance, area;
	double lon, lat, volume;       // m3 of a vessel, NAN
	double required;               // m, external safety distance of the installation, NAN
};

struct zone_live {                 // of the nearest points; at 0: typed
	struct str station;
	double distance;               // m
	int64_t at;                    // oldest of the values, us
	bool stale;
};

struct zone_place {                // somebody or something inside
	struct str type, title, kind, color;
	struct label label;            // of the kind
	int64_t id;
	int rank;                      // in the order of the menu
	double lon, lat, distance, day, night, minutes; // minutes: when a cloud is there, NAN
	size_t level;                  // index of the zone: the most severe whose band it lies in
	bool sure;                     // in the outline of this wind, not only in its band
};

struct zone_road {
	struct str name, kind;
	double length;                 // m inside the mildest band
	size_t level;
	double close[4][2];            // where it comes in or goes out
	size_t nclose;
};

struct zone_work {
	struct call *c;
	struct zone_source source;
	struct zone_live live;
	struct str scenario, substance, inputs, weather; // as computed; JSON
	struct plane plane;
	struct zone_set set;
	struct zone_place *places, *nearer;  // nearer: than the safety distance requires
	size_t nplaces, cap_places, nnearer, cap_nearer, left; // left: more than fit
	struct zone_road *roads;
	size_t nroads, cap_roads;
	struct zone_target *targets;
	struct str *target_titles;
	size_t ntargets, targets_left;
	struct zone_blow *blows;
	size_t nblows, blows_left;
	double day[ZONE_MAX], night[ZONE_MAX], sure_day[ZONE_MAX], sure_night[ZONE_MAX];
	int64_t took;                  // us
};

// body: at | equipment | installation, scenario, substance?, inputs?, weather. Reads, computes, looks around.
enum err zones_work(struct call *c, const json_t *body, struct zone_work *ret) must_check;
enum err zone_around(struct zone_work *w) must_check;  // zone_around.c
// The places with people (not enterprises) within so many metres of the source, into nearer; in no order.
enum err zone_nearest(struct zone_work *w, double metres) must_check;
enum err zone_live_weather(struct zone_work *w, const json_t *typed, json_t **ret) must_check; // zone_weather.c: a new object
struct str zones_text(struct call *c, const json_t *j); // compact, in the call's arena; NULL: "{}"
struct str zone_target_title(const struct zone_work *w, int64_t id); // empty: the accident itself
