// A hash map from string to uint32, keys copied into the map's own memory. Seeded per process, so a stranger cannot
// choose colliding keys. Not thread-safe.
#pragma once

#include "base/base.h"
#include "base/str.h"

struct strmap;

struct strmap *strmap_new(size_t expected);
void strmap_free(struct strmap *m); // NULL is fine
size_t strmap_len(const struct strmap *m);
void strmap_put(struct strmap *m, struct str key, uint32_t value); // replaces
bool strmap_get(const struct strmap *m, struct str key, uint32_t *ret);
bool strmap_del(struct strmap *m, struct str key);
