// Points with a past: what a gateway has stored before the program starts is sent first, as history, so that what looks at trends
// (early warnings, doubts about data, unit models) has something to look at. One thread.
//
//   past.level02  a tank that is filled too far: 0.35 % a minute up to its high limit, then pumped off; every three hours
//   past.gas      detectors that vote: a day of each, so that a rule over all of them is never without data
//   past.gas03    a gas detector whose zero crept up by 4.2 %LEL some hours ago
//   past.gas07    a gas detector that froze 20 minutes before the start
//   tep.*         the quiet plant, 2¼ hours: enough for a unit model to learn from
#pragma once

#include "sim/sim.h"

struct link;

// The value of a point with a past of its own at a time; start: of the program. false: it has none, or is one of the quiet county.
bool past_value(const struct sim_point *p, int64_t start, int64_t now, double *ret);
// Hands the device's history to its link, oldest first. values: room for every point of the device.
struct held_value;
void past_send(const struct sim_device *d, int64_t start, struct held_value *values);
