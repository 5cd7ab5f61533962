// Tiles as they were answered, so that who looks at the same place with the same rights gets the same bytes. The key is all that
// an answer depends on but the objects (layer, tile, scope, filters); the stamp is theirs (map_stamp). Any thread.
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct map_cache;
struct map_cache *map_cache_new(size_t max_bytes);
void map_cache_free(struct map_cache *c); // NULL is fine
// Appends the answer kept under key with this very stamp. False: there is none.
bool map_cache_get(struct map_cache *c, struct str key, uint32_t stamp, struct buf *out);
// The body compressed (RFC 1952) in its place; nothing stays nothing. False: beyond its maximum.
bool map_gzip(struct buf *body);
void map_cache_put(struct map_cache *c, struct str key, uint32_t stamp, struct str body);
