// A park's records as the JSON that qra_read takes.
#pragma once

#include "model/model.h"
#include "store/store.h"

enum err qra_park_json(struct db *db, const struct registry *reg, int64_t park, struct arena *a, struct buf *out,
                       struct problem *p) must_check;
