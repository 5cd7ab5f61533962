// String → uint32: open addressing, linear probing, deletion by shifting back, keys in one pool of bytes. Hashed with
// SipHash-1-3 under a key drawn once per process. One owner at a time; reading from several threads is fine while
// nobody writes.
#include "base/strmap.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"

#include <pthread.h>

#define MIN_SLOTS 8u

struct slot {
	uint32_t hash;   // 0: free
	uint32_t value;
	uint32_t at;     // of the key in the pool
	uint32_t len;
};

struct strmap {
	struct slot *slots;
	size_t mask;       // slots - 1, a power of two minus one
	size_t used;
	char *pool;        // the keys
	size_t pool_n, pool_cap;
	size_t pool_dead;  // bytes of deleted keys
};

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
	random_bytes(seed, sizeof(seed));
}

#define ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))

struct sip {
	uint64_t a, b, c, d;
};

static inline void sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = ROTL(s->b, 13) ^ s->a;
	s->a = ROTL(s->a, 32);
	s->c += s->d;
	s->d = ROTL(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = ROTL(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = ROTL(s->b, 17) ^ s->c;
	s->c = ROTL(s->c, 32);
}

// SipHash-1-3 (Aumasson, Bernstein 2012), folded to 32 bits that are never 0.
static uint32_t key_hash(struct str key)
{
	struct sip s = { seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
		         seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573) };
	size_t i = 0;
	uint64_t w;
	for (; i + 8 <= key.n; i += 8) {
		memcpy(&w, key.p + i, 8);
		s.d ^= w;
		sip_round(&s);
		s.a ^= w;
	}
	w = 0;
	if (key.n > i) {
		memcpy(&w, key.p + i, key.n - i);
	}
	w |= (uint64_t)key.n << 56;
	s.d ^= w;
	sip_round(&s);
	s.a ^= w;
	s.c ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	uint64_t h = s.a ^ s.b ^ s.c ^ s.d;
	uint32_t folded = (uint32_t)(h ^ h >> 32);
	return folded ? folded : 1;
}

struct strmap *strmap_new(size_t expected)
{
	pthread_once(&seed_once, make_seed);
	struct strmap *m = mem_alloc(sizeof(*m));
	size_t slots = MIN_SLOTS;
	while (slots / 4 * 3 < expected) {
		slots *= 2;
	}
	m->slots = mem_alloc(slots * sizeof(*m->slots));
	m->mask = slots - 1;
	return m;
}

void strmap_free(struct strmap *m)
{
	if (m) {
		mem_free(m->slots);
		mem_free(m->pool);
		mem_free(m);
	}
}

size_t strmap_len(const struct strmap *m)
{
	return m->used;
}

// The slot that holds key, or the free one where it belongs.
static size_t find_slot(const struct strmap *m, struct str key, uint32_t hash)
{
	size_t i = hash & m->mask;
	while (m->slots[i].hash) {
		const struct slot *s = &m->slots[i];
		if (s->hash == hash && s->len == key.n && (key.n == 0 || memcmp(m->pool + s->at, key.p, key.n) == 0)) {
			break;
		}
		i = (i + 1) & m->mask;
	}
	return i;
}

static uint32_t pool_add(struct strmap *m, struct str key)
{
	if (key.n > UINT32_MAX - 1 - m->pool_n) {
		log_die("strmap", "keys beyond 4 GiB");
	}
	size_t need = m->pool_n + key.n;
	if (need > m->pool_cap || !m->pool) {
		m->pool_cap = MAX(MAX(need, m->pool_cap * 2), (size_t)64);
		m->pool = mem_resize(m->pool, m->pool_cap);
	}
	if (key.n) {
		memcpy(m->pool + m->pool_n, key.p, key.n);
	}
	uint32_t at = (uint32_t)m->pool_n;
	m->pool_n = need;
	return at;
}

// Moves everything into a table of the given size and a pool without dead keys.
static void rebuild(struct strmap *m, size_t slots)
{
	struct strmap old = *m;
	m->slots = mem_alloc(slots * sizeof(*m->slots));
	m->mask = slots - 1;
	m->pool = NULL;
	m->pool_n = m->pool_cap = m->pool_dead = 0;
	for (size_t i = 0; i <= old.mask; i++) {
		struct slot s = old.slots[i];
		if (!s.hash) {
			continue;
		}
		struct str key = str_from(old.pool + s.at, s.len);
		s.at = pool_add(m, key);
		m->slots[find_slot(m, key, s.hash)] = s;
	}
	mem_free(old.slots);
	mem_free(old.pool);
}

void strmap_put(struct strmap *m, struct str key, uint32_t value)
{
	uint32_t hash = key_hash(key);
	size_t i = find_slot(m, key, hash);
	if (m->slots[i].hash) {
		m->slots[i].value = value;
		return;
	}
	if ((m->used + 1) * 4 > (m->mask + 1) * 3) {
		rebuild(m, (m->mask + 1) * 2);
		i = find_slot(m, key, hash);
	}
	m->slots[i] = (struct slot){ hash, value, pool_add(m, key), (uint32_t)key.n };
	m->used++;
}

bool strmap_get(const struct strmap *m, struct str key, uint32_t *ret)
{
	const struct slot *s = &m->slots[find_slot(m, key, key_hash(key))];
	if (!s->hash) {
		return false;
	}
	*ret = s->value;
	return true;
}

bool strmap_del(struct strmap *m, struct str key)
{
	size_t i = find_slot(m, key, key_hash(key));
	if (!m->slots[i].hash) {
		return false;
	}
	m->pool_dead += m->slots[i].len;
	for (size_t j = i;;) { // close the gap with the later members of the run
		j = (j + 1) & m->mask;
		if (!m->slots[j].hash) {
			break;
		}
		size_t home = m->slots[j].hash & m->mask;
		if (((j - home) & m->mask) >= ((j - i) & m->mask)) {
			m->slots[i] = m->slots[j];
			i = j;
		}
	}
	m->slots[i] = (struct slot){ 0 };
	m->used--;
	if (m->pool_dead > 4096 && m->pool_dead > m->pool_n / 2) {
		rebuild(m, m->mask + 1);
	}
	return true;
}
