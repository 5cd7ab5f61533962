// What a device says about its readings, in the words of its protocol. Pure functions.
#pragma once

#include "sim/link.h"
#include "sim/sim.h"

// The platform's own array: [{"point":…,"time":…,"value":…}…]
void payload_array(struct buf *out, const struct sim_device *d, int64_t time, const struct held_value *v, size_t n);
// The gateway family with reportType continues: readings that are sent late.
void payload_continues(struct buf *out, const struct sim_device *d, int64_t time, const struct held_value *v, size_t n);
// One HJ 212 frame (CN 2011); false if it does not fit.
bool payload_hj212(struct buf *out, const struct sim_device *d, int64_t time, const struct held_value *v, size_t n);
// GB/T 26875.3 frames, one for each kind of information; returns how many.
unsigned payload_gb26875(struct buf *out, const struct sim_device *d, int64_t time, const struct held_value *v, size_t n, uint16_t *seq);
