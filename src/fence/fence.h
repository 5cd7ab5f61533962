// Electronic fences and routes (电子围栏、路线): what a vehicle or a person with a tag does at its place, judged on the stream of
// positions in the order of the device's time. Pure functions and a judge that belongs to one thread; no clock, no storage, no alarm:
// what it finds are events, which core/fences.c turns into transitions of the alarm rules, and a trial into a list.
//
//   place      inside (at most 0 m from the outline outwards), outside (more than the dead band), between: as it was before
//   begins     with so many positions one after the other that say so, and, if the fence allows a time, when that time is over
//   ends       with so many positions one after the other that say the contrary
//   late       a position older than the newest judged one changes nothing; one that came more than FENCE_OLD after it was measured
//              is followed, and begins nothing: what a vehicle did while it had no signal is on its track and in a trial, and
// wakes nobody
//
// Degrees of CGCS2000 (EPSG:4490), metres, km/h, us. Distances are in a plane about the fence's middle, good to 1 % within 150 km.
#pragma once

#include <jansson.h>

#include "alarm/alarm.h"
#include "base/arena.h"
#include "base/buf.h"

#define FENCE_OLD (10 * US_PER_MIN)     // a position that came later than this after it was measured begins nothing
#define FENCE_SPEED_AGE (60 * US_PER_S) // a speed older than this is not the position's; then it is counted from two positions

enum fence_kind { FENCE_IN, FENCE_OUT, FENCE_SPEED, FENCE_STAY, FENCE_ROUTE, FENCE_POST, FENCE_KINDS };
bool fence_kind_find(struct str name, enum fence_kind *ret); // in out speed stay route post

struct fence_stop { double lon, lat, radius; };    // m: where a stop is allowed on a route

// When it is in force, in the site's zone.
struct fence_times {
	uint8_t days;            // bit 0 = Monday; 0 = every day
	int32_t from, to;        // seconds of the day; equal = all day; from > to: over midnight, of the day on which it begins
	int64_t first, last;     // us, 0 = open; last is not in it any more
};

struct fence_def {
	int64_t id;              // of its record
	struct str name;
	enum fence_kind kind;
	const json_t *shape;     // Polygon or MultiPolygon, LineString or MultiLineString with reach, Point with reach
	double reach;            // half width of a line, radius of a point: m, > 0
	double band;             // dead band, m, >= 0
	unsigned positions;      // one after the other, 1 to 20
	double speed, speed_band; // km/h
	double still;            // km/h: not faster is a stop
	int64_t allowed;         // us: how long it may stay, be away, stop
	const struct fence_stop *stops;
	size_t nstops;
	struct fence_times times;
	bool vehicles, people;
	int64_t enterprise;      // whose movers, 0 = of any in the area
	struct str area;         // prefix; of whose movers
	const int64_t *devices;  // these only; with tags: either
	size_t ndevices;
	const struct str *tags;
	size_t ntags;
};

struct fence_mover {             // who moves: a vehicle, or a tag of a positioning system
	uint32_t lon, lat, speed; // its points; speed 0 = none
	int64_t device, enterprise;
	struct str tag, area;    // tag empty: the device itself, a vehicle
};

// Fences and movers of one generation with the index of places. Immutable; any thread.
struct fence_set;
// bad: geometry that cannot be used; crowded: a mover has too many
struct fence_made { size_t fences, movers, cells, bad, crowded; size_t bytes; };
// Copies what it needs. max_point: no point of a mover is above it. bad (NULL: nobody asks) is told of fences that cannot be used.
struct fence_set *fence_set_new(const struct fence_def *v, size_t n, const struct fence_mover *movers, size_t nmovers, uint32_t max_point,
                                void (*bad)(void *arg, int64_t id), void *arg);
void fence_set_free(struct fence_set *s); // NULL is fine
struct fence_made fence_set_made(const struct fence_set *s);
bool fence_set_holds(const struct fence_set *s, int64_t fence, uint32_t lon); // for the mover with that point of longitude
// From the fence's outline, m: negative inside. NAN: it has no such fence.
double fence_distance(const struct fence_set *s, int64_t fence, double lon, double lat);

struct fence_event {
	uint32_t point;          // the mover's longitude
	int64_t fence;
	enum fence_what what;
	bool begins, standing;   // standing: of fences_active
	bool gone;               // the fence is not there any more, or not for this mover
	int64_t at;              // when it began or ended
	int64_t cause, arrival;  // the position
	double lon, lat;
	double value, limit;     // m outside or inside, km/h, minutes; NaN = not said
};
typedef void fence_fn(void *arg, const struct fence_event *e);

struct fences;               // the judge: state of every mover; one thread
struct fences *fences_new(void);
void fences_free(struct fences *f);
// Another generation is in force; owned by the judge from now on, the one before is returned (to be freed by whoever can wait).
// Conditions keep their state; those of fences that are gone end.
struct fence_set *fences_take(struct fences *f, struct fence_set *s, int64_t now, fence_fn *fn, void *arg);
// A reading of any point; those that are no mover's cost a look at one word. Judged when longitude and latitude of one time are there:
// with the next time of that mover, or by fences_settle.
void fences_feed(struct fences *f, const struct reading *r, int64_t arrival, fence_fn *fn, void *arg);
void fences_settle(struct fences *f, fence_fn *fn, void *arg);
// Allowed times that are over by now (wall clock), and times of day.
void fences_tick(struct fences *f, int64_t now, fence_fn *fn, void *arg);
void fences_clock_set(struct fences *f, int64_t by);
void fences_save(const struct fences *f, struct buf *out);
void fences_restore(struct fences *f, struct str saved); // after fences_take; what is damaged is left out
void fences_active(const struct fences *f, fence_fn *fn, void *arg);
// The alarm table says that it lasts. False: there is no such fence for this mover.
bool fences_adopt(struct fences *f, uint32_t point, int64_t fence, enum fence_what what);
// tested: geometries looked at; left_out: beyond LIMIT_FENCES_HERE
struct fences_stats { size_t fences, movers, watches; uint64_t judged, tested, left_out; };
struct fences_stats fences_stats(const struct fences *f);
