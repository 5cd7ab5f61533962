// One place for each hash of a key: what comes later stays. Beyond the bytes, others go in turn.
#include "map/cache.h"

#include <pthread.h>
#include <zlib.h>

#define SLOTS 4096

struct slot {
	char *key, *body;           // one block: key, then body
	size_t key_n, body_n;
	uint32_t stamp;
};

struct map_cache {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
	size_t bytes, max, hand;
};

struct map_cache *map_cache_new(size_t max_bytes)
{
	struct map_cache *c = mem_alloc(sizeof *c);
	pthread_mutex_init(&c->lock, NULL);
	c->max = max_bytes;
	return c;
}

static void clear(struct map_cache *c, struct slot *s)
{
	c->bytes -= s->key_n + s->body_n;
	mem_free(s->key);
	*s = (struct slot){ 0 };
}

void map_cache_free(struct map_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		clear(c, &c->slots[i]);
	pthread_mutex_destroy(&c->lock);
	mem_free(c);
}

bool map_cache_get(struct map_cache *c, struct str key, uint32_t stamp, struct buf *out)
{
	pthread_mutex_lock(&c->lock);
	const struct slot *s = &c->slots[str_hash(key) % SLOTS];
	bool has = s->key && s->stamp == stamp && str_eq(str_from(s->key, s->key_n), key);
	if (has)
		buf_add(out, s->body, s->body_n);
	pthread_mutex_unlock(&c->lock);
	return has;
}

void map_cache_put(struct map_cache *c, struct str key, uint32_t stamp, struct str body)
{
	size_t n = key.n + body.n;
	if (n > c->max / 4)
		return;
	pthread_mutex_lock(&c->lock);
	struct slot *s = &c->slots[str_hash(key) % SLOTS];
	clear(c, s);
	for (size_t i = 0; i < SLOTS && c->bytes + n > c->max; i++)
		clear(c, &c->slots[c->hand++ % SLOTS]);
	*s = (struct slot){ .key = mem_alloc(n + 1), .key_n = key.n, .body_n = body.n, .stamp = stamp };
	s->body = s->key + key.n;
	memcpy(s->key, key.p, key.n);
	memcpy(s->body, body.p, body.n);
	c->bytes += n;
	pthread_mutex_unlock(&c->lock);
}

bool map_gzip(struct buf *body)
{
	struct buf out;
	z_stream z = { 0 };
	if (!body->n)
		return true;
	buf_init(&out, body->max);
	if (deflateInit2(&z, 5, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) // 16: with gzip's head
		return false;
	size_t most = deflateBound(&z, body->n);
	char *to = buf_room(&out, most);
	z.next_in = (Bytef *)body->p;
	z.avail_in = (uInt)body->n;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)most;
	bool ok = to && deflate(&z, Z_FINISH) == Z_STREAM_END;
	if (ok)
		buf_commit(&out, z.total_out);
	deflateEnd(&z);
	if (ok) {
		buf_free(body);
		*body = out;
	} else {
		buf_free(&out);
	}
	return ok;
}
