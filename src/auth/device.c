// Device keys: made or set in a store job, checked on any connection. Only SM3 over a salt of its own and the key is
// stored: a key is random and long, so a slow hash would only slow down ten thousand devices that come back at once.
#include "auth/auth_int.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/time.h"
#include "store/audit.h"

#define SALT_LEN 16
#define KEY_MIN 6
#define NEW_KEY_LEN 32

static void key_hash(const uint8_t salt[SALT_LEN], struct str key, uint8_t ret[SM3_LEN])
{
	struct sm3 h;
	sm3_init(&h);
	sm3_add(&h, salt, SALT_LEN);
	sm3_add_str(&h, key);
	sm3_end(&h, ret);
}

// A key that we made is random and long: its digest alone names the device, without a salt.
static void alone_hash(struct str key, uint8_t ret[SM3_LEN])
{
	struct sm3 h;
	sm3_init(&h);
	sm3_add_str(&h, STR("device key"));
	sm3_add_str(&h, key);
	sm3_end(&h, ret);
}

static enum err key_write(struct db *db, int64_t device, struct str key, bool made)
{
	uint8_t salt[SALT_LEN], hash[SM3_LEN], alone[SM3_LEN];
	random_bytes(salt, sizeof(salt));
	key_hash(salt, key, hash);
	struct query q;
	query_begin(&q, db, STMT_DEVICE_CIPHER_DEL); // it is no longer one whose messages are encrypted
	query_i64(&q, 1, device);
	enum err err = query_run(&q);
	if (err)
		return err;
	query_begin(&q, db, STMT_DEVICE_KEY_SET);
	query_i64(&q, 1, device);
	query_blob(&q, 2, str_from((const char *)salt, sizeof(salt)));
	query_blob(&q, 3, str_from((const char *)hash, sizeof(hash)));
	query_i64(&q, 4, clock_now());
	if (made) {
		alone_hash(key, alone);
		query_blob(&q, 5, str_from((const char *)alone, sizeof(alone)));
	} else {
		query_null(&q, 5);
	}
	return query_run(&q);
}

static enum err key_set(struct db *db, const struct identity *by, int64_t device, struct str key, bool made, struct problem *p)
{
	if (!auth_may(by, "device.manage"))
		return problem_set(p, ERR_FORBIDDEN, "", "没有管理设备的权限", "not permitted to manage devices");
	if (key.n < KEY_MIN || key.n > LIMIT_DEVICE_KEY)
		return problem_set(p, ERR_INVALID, "key", "设备密钥须为 %d 至 %d 个字节", "a device key has %d to %d bytes", KEY_MIN,
		                   LIMIT_DEVICE_KEY);
	enum err err = key_write(db, device, key, made);
	return err ? err : audit_add(db, &(struct audit_entry){ .actor = by->person, .actor_name = by->name,
		                         .action = STR("device.key"), .type = STR("device"), .record = device,
		                         .detail = peer_detail(by->peer, db_arena(db)) });
}

enum err device_set_key(struct db *db, const struct identity *by, int64_t device, struct str key, struct problem *p)
{
	return key_set(db, by, device, key, false, p);
}

enum err device_new_key(struct db *db, const struct identity *by, int64_t device, char ret_key[33], struct problem *p)
{
	random_text(ret_key, NEW_KEY_LEN);
	ret_key[NEW_KEY_LEN] = 0;
	return key_set(db, by, device, str_from(ret_key, NEW_KEY_LEN), true, p);
}

bool device_key_ok(struct db *db, int64_t device, struct str key)
{
	if (key.n > LIMIT_DEVICE_KEY)
		return false;
	struct arena *a = arena_new(0);
	struct str salt = STR_EMPTY, stored = STR_EMPTY;
	struct query q;
	query_begin(&q, db, STMT_DEVICE_KEY_GET);
	query_i64(&q, 1, device);
	if (query_row(&q)) {
		salt = query_get_str(&q, 0, a);
		stored = query_get_str(&q, 1, a);
	}
	bool ok = query_end(&q) == OK && salt.n == SALT_LEN && stored.n == SM3_LEN;
	if (ok) {
		uint8_t hash[SM3_LEN];
		key_hash((const uint8_t *)salt.p, key, hash);
		ok = equal_const_time(hash, stored.p, SM3_LEN);
	}
	arena_free(a);
	return ok;
}

int64_t device_by_key(struct db *db, struct str key)
{
	int64_t device = 0;
	uint8_t alone[SM3_LEN];
	struct query q;
	if (key.n != NEW_KEY_LEN)
		return 0;
	alone_hash(key, alone);
	query_begin(&q, db, STMT_DEVICE_KEY_ALONE);
	query_blob(&q, 1, str_from((const char *)alone, sizeof(alone)));
	if (query_row(&q))
		device = query_get_i64(&q, 0);
	return query_end(&q) == OK ? device : 0;
}
