// Keys of devices whose messages arrive encrypted. What must open messages cannot be a digest: such a key is kept sealed under
// DIR/secret.key, bound to the device, and it opens nothing else: these devices have no digest and log in nowhere.
#include "auth/auth_int.h"
#include "base/hash.h"
#include "base/time.h"
#include "store/audit.h"

#define WHAT "device cipher"

static enum err write_sealed(struct db *db, int64_t device, struct str sealed)
{
	struct query q;
	query_begin(&q, db, STMT_DEVICE_KEY_DEL);
	query_i64(&q, 1, device);
	enum err err = query_run(&q);
	query_begin(&q, db, STMT_DEVICE_CIPHER_SET);
	query_i64(&q, 1, device);
	query_blob(&q, 2, sealed);
	query_i64(&q, 3, clock_now());
	enum err set = query_run(&q);
	return err ? err : set;
}

enum err device_set_cipher_key(struct db *db, const struct auth *au, const struct identity *by, int64_t device,
                               struct str key, size_t bytes, struct problem *p)
{
	struct str sealed;
	if (!auth_may(by, "device.manage"))
		return problem_set(p, ERR_FORBIDDEN, "", "没有管理设备的权限", "not permitted to manage devices");
	if (key.n != bytes)
		return problem_set(p, ERR_INVALID, "key", "该协议的密钥须正好 %zu 个字节", "the key of this protocol has exactly %zu bytes", bytes);
	enum err err = auth_seal(au, WHAT, device, key, db_arena(db), &sealed);
	if (!err)
		err = write_sealed(db, device, sealed);
	return err ? err : audit_add(db, &(struct audit_entry){ .actor = by->person, .actor_name = by->name, .action = STR("device.key"),
		                         .type = STR("device"), .record = device, .detail = peer_detail(by->peer, db_arena(db)) });
}

enum err device_new_cipher_key(struct db *db, const struct auth *au, const struct identity *by, int64_t device,
                               size_t bytes, char ret_key[33], struct problem *p)
{
	random_text(ret_key, bytes);
	ret_key[bytes] = 0;
	return device_set_cipher_key(db, au, by, device, str_from(ret_key, bytes), bytes, p);
}

bool device_cipher_key(struct db *db, const struct auth *au, int64_t device, struct arena *a, struct str *ret)
{
	struct str sealed = STR_EMPTY;
	struct query q;
	query_begin(&q, db, STMT_DEVICE_CIPHER_GET);
	query_i64(&q, 1, device);
	if (query_row(&q))
		sealed = query_get_str(&q, 0, a);
	return query_end(&q) == OK && sealed.n && auth_unseal(au, WHAT, device, sealed, a, ret) == OK;
}

bool device_throttled(struct auth *au, struct str peer) { return throttle_blocked(au->throttle, 'd', peer, clock_now()); }
void device_failed(struct auth *au, struct str peer) { throttle_fail(au->throttle, 'd', peer, clock_now()); }
