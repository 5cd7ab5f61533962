// What a device says of where it is: the pair of points of a mover (positions.c).
#pragma once

#include "api/api.h"
#include "map/track.h"

// The points of longitude and latitude of the device, or of a tag of it (empty: the device itself). False: it has none, or not in the
// caller's scope.
bool mover_points(struct call *c, int64_t device, struct str tag, struct site_point *ret_lon, struct site_point *ret_lat);
// Where it was from <= time < to, by time, in the call's arena; only pairs of one time that can be trusted.
enum err mover_track(struct call *c, const struct site_point *lon, const struct site_point *lat, int64_t from, int64_t to,
                     struct track_at **ret, size_t *ret_n) must_check;
// The newest place. False: none is known.
bool mover_last(struct call *c, const struct site_point *lon, const struct site_point *lat, struct track_at *ret);
