// Fences as records and movers as points. Any thread with a connection of its own.
#pragma once

#include "alarm/site_points.h"
#include "base/limits.h"
#include "fence/fence.h"
#include "model/model.h"
#include "store/records.h"

// One record (saved or not: id 0) as a fence, with the movers of the groups it names; in a. fence_unread gives its shape back.
// A shape that cannot be used is found by fence_set_new.
enum err fence_read(struct db *db, const struct registry *reg, const struct type *t, const struct row *row, struct arena *a,
	struct fence_def *ret) must_check;
void fence_unread(struct fence_def *d);
// All that are in force, at most LIMIT_FENCES.
enum err fence_read_all(struct db *db, const struct registry *reg, struct arena *a, struct fence_def **ret, size_t *ret_n) must_check;
// A mover is what a device says under one name: points of kinds longitude and latitude whose addresses are NAME.what (a tag), or
// without a name (the vehicle itself), and a speed if there is one. Texts are those of s.
void fence_movers(const struct site_points *s, struct arena *a, struct fence_mover **ret, size_t *ret_n);
struct str fence_tag_of(struct str address, struct str *ret_what); // the name; what is behind it
