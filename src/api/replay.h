// A span of time replayed: what both answers (the page and the case file) are made of. For api/ only.
#pragma once

#include "api/api.h"
#include "report/replay.h"

struct replay_view {
	struct replay r;
	const struct site_point *points; // on the map; first those whose curves are shown
	size_t npoints, ntrends;
	size_t points_there;        // in the place and in the caller's scope; more than npoints: the others are left out
};
// Of the query of the call.
enum err replay_view_read(struct call *c, struct replay_view *ret) must_check;
// The step of a point's curve in the span: at most LIMIT_REPLAY_STEPS of them, and none shorter than its interval. us
int64_t replay_step(const struct replay *r, const struct site_point *p);
// Writes the whole answer as one object.
enum err replay_json(struct call *c, const struct replay_view *v, struct jw *w) must_check;
