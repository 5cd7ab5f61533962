// Secrets of channels and webhooks: in the table as a sealed blob (auth_seal, bound to its channel), in the clear only in
// memory while a message is made or a receipt compared.
#include "auth/auth.h"
#include "base/hash.h"
#include "base/log.h"
#include "notify/notify_int.h"

static const char *use_of(struct str via) { return str_is(via, VIA_WEBHOOK) ? VIA_WEBHOOK : VIA_CHANNEL; }

enum err secret_read(struct db *db, const struct auth *au, struct str via, int64_t id, struct arena *a, struct str *ret)
{
	struct query q;
	struct str sealed = STR_EMPTY;
	*ret = STR_EMPTY;
	query_begin(&q, db, STMT_NOTIFY_SECRET);
	query_str(&q, 1, via);
	query_i64(&q, 2, id);
	if (query_row(&q))
		sealed = query_get_str(&q, 0, a);
	enum err err = query_end(&q);
	return err || !sealed.n ? err : auth_unseal(au, use_of(via), id, sealed, a, ret);
}

enum err notify_set_secret(struct db *db, const struct auth *au, struct str via, int64_t channel, struct str secret)
{
	struct query q;
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct str sealed = STR_EMPTY;
	enum err err = secret.n ? auth_seal(au, use_of(via), channel, secret, a, &sealed) : OK;
	if (err)
		return err;
	query_begin(&q, db, STMT_NOTIFY_SECRET_SET);
	query_str(&q, 1, via);
	query_i64(&q, 2, channel);
	query_blob(&q, 3, sealed);
	return query_run(&q);
}

bool secret_fits(struct db *db, const struct auth *au, int64_t channel, struct str secret)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	uint8_t x[SM3_LEN], y[SM3_LEN];
	struct str kept;
	if (secret_read(db, au, STR(VIA_CHANNEL), channel, a, &kept) || !kept.n)
		return false;
	sm3_once(kept, x);
	sm3_once(secret, y);
	return equal_const_time(x, y, SM3_LEN);
}

// ---- at the start ------------------------------------------------------------------------------
struct kept {
	struct str via, secret;
	int64_t channel;
	bool clear;             // written by a version that did not seal yet
};

struct sealing {
	const struct auth *au;
	bool sealed;
};

static enum err read_all(struct db *db, struct arena *a, struct kept **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_NOTIFY_SECRETS);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct kept){ .via = query_get_str(&q, 0, a), .channel = query_get_i64(&q, 1),
			                            .secret = query_get_str(&q, 2, a), .clear = query_get_i64(&q, 3) != 0 };
	}
	return query_end(&q);
}

static enum err seal_job(struct db *db, void *arg, struct problem *p)
{
	struct sealing *s = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct kept *v;
	size_t n;
	struct str plain;
	(void)p;
	enum err err = read_all(db, a, &v, &n);
	for (size_t i = 0; !err && i < n; i++) {
		if (v[i].clear) {
			s->sealed = true;
			err = notify_set_secret(db, s->au, v[i].via, v[i].channel, v[i].secret);
		} else if (auth_unseal(s->au, use_of(v[i].via), v[i].channel, v[i].secret, a, &plain)) {
			log_warn("notify", "the secret of %.*s %lld was sealed under another secret.key: put that file back, or set the secret anew",
			         STR_FMT(v[i].via), (long long)v[i].channel);
		}
	}
	return err;
}

enum err notify_seal_secrets(struct store *store, const struct auth *au, struct problem *p)
{
	struct sealing s = { .au = au };
	enum err err = store_write(store, seal_job, &s, p);
	return err || !s.sealed ? err : store_fold(store);
}
