// Counts failed logins by name and by address. In memory only: a restart forgives. Any thread; one mutex.
//
// After LIMIT_LOGIN_TRIES failures (LIMIT_LOGIN_ADDRESS of an address) a key waits until LIMIT_LOGIN_WAIT_S have passed since
// the last of them. The table is bounded: when it is full, keys whose wait is over are dropped, and if there are none, all are
// (an attacker with that many addresses is held back by the names, and the other way round).
#include "auth/auth_int.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/strmap.h"

#define KEYS_MAX 16384
#define KEY_LEN (1 + 16)    // kind and half an SM3: bounded whatever a stranger sends

struct failures {
	char key[KEY_LEN];
	unsigned count;
	int64_t last;
};

struct throttle {
	pthread_mutex_t lock;
	struct strmap *map;     // key → index into v
	struct failures *v;
	size_t n;
};

struct throttle *throttle_new(void)
{
	struct throttle *t = mem_alloc(sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	t->map = strmap_new(256);
	t->v = mem_alloc(KEYS_MAX * sizeof(*t->v));
	return t;
}

void throttle_free(struct throttle *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	strmap_free(t->map);
	mem_free(t->v);
	mem_free(t);
}

static struct str make_key(char kind, struct str who, char ret[KEY_LEN])
{
	uint8_t hash[SM3_LEN];
	sm3_once(who, hash);
	ret[0] = kind;
	memcpy(ret + 1, hash, KEY_LEN - 1);
	return str_from(ret, KEY_LEN);
}

static struct failures *find(struct throttle *t, struct str key)
{
	uint32_t i;
	return strmap_get(t->map, key, &i) ? &t->v[i] : NULL;
}

static bool over(const struct failures *f, int64_t now)
{
	return f->count == 0 || now - f->last >= LIMIT_LOGIN_WAIT_S * US_PER_S;
}

static void make_room(struct throttle *t, int64_t now)
{
	size_t kept = 0;
	strmap_free(t->map);
	t->map = strmap_new(256);
	for (size_t i = 0; i < t->n; i++) {
		if (over(&t->v[i], now))
			continue;
		t->v[kept] = t->v[i];
		strmap_put(t->map, str_from(t->v[kept].key, KEY_LEN), (uint32_t)kept);
		kept++;
	}
	if (kept == KEYS_MAX) {
		strmap_free(t->map);
		t->map = strmap_new(256);
		kept = 0;
	}
	t->n = kept;
}

bool throttle_blocked(struct throttle *t, char kind, struct str who, int64_t now)
{
	char text[KEY_LEN];
	struct str key = make_key(kind, who, text);
	pthread_mutex_lock(&t->lock);
	const struct failures *f = find(t, key);
	bool blocked = f && f->count >= (kind == 'p' ? LIMIT_LOGIN_ADDRESS : LIMIT_LOGIN_TRIES) && !over(f, now);
	pthread_mutex_unlock(&t->lock);
	return blocked;
}

void throttle_fail(struct throttle *t, char kind, struct str who, int64_t now)
{
	char text[KEY_LEN];
	struct str key = make_key(kind, who, text);
	pthread_mutex_lock(&t->lock);
	struct failures *f = find(t, key);
	if (!f) {
		if (t->n == KEYS_MAX)
			make_room(t, now);
		f = &t->v[t->n];
		*f = (struct failures){ 0 };
		memcpy(f->key, text, KEY_LEN);
		strmap_put(t->map, key, (uint32_t)t->n++);
	}
	f->count = over(f, now) ? 1 : f->count + 1;
	f->last = now;
	pthread_mutex_unlock(&t->lock);
}

void throttle_forgive(struct throttle *t, struct str name, struct str peer)
{
	char text[2][KEY_LEN];
	struct str n = make_key('n', name, text[0]), p = make_key('p', peer, text[1]);
	pthread_mutex_lock(&t->lock);
	struct failures *of_name = find(t, n), *of_peer = find(t, p);
	if (of_name && of_peer)
		of_peer->count -= MIN(of_peer->count, of_name->count);
	if (of_name)
		of_name->count = 0;
	pthread_mutex_unlock(&t->lock);
}

void throttle_clear(struct throttle *t, char kind, struct str who)
{
	char text[KEY_LEN];
	struct str key = make_key(kind, who, text);
	pthread_mutex_lock(&t->lock);
	struct failures *f = find(t, key);
	if (f)
		f->count = 0;
	pthread_mutex_unlock(&t->lock);
}
