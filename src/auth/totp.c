// The second factor: time-based codes (RFC 6238 with HMAC-SHA-1, six digits, steps of 30 s: what the common apps know) and
// recovery codes for a lost phone. Each code works once. Checking runs in store jobs, so that two logins cannot use one code.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/auth_int.h"
#include "auth/totp.h"
#include "base/hash.h"
#include "base/time.h"
#include "store/audit.h"

#define SECRET_LEN 20       // bytes: the length of SHA-1, RFC 4226 section 4 R6
#define STEP_US (30 * US_PER_S)
#define STEPS_AROUND 1      // a clock may be one step off, RFC 6238 section 5.2
#define RECOVERY_LEN 16     // characters of random_text: 79 bits

// ---- codes -------------------------------------------------------------------------------------
uint32_t totp_code(struct str secret, int64_t step)
{
	uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	for (int i = 0; i < 8; i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	if (!HMAC(EVP_sha1(), secret.p, (int)secret.n, counter, sizeof counter, mac, &n) || n < 20)
		return UINT32_MAX;
	unsigned at = mac[n - 1] & 0xf; // RFC 4226 5.3: dynamic truncation
	uint32_t v = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	return v % 1000000;
}

struct str base32_text(struct str bytes, struct arena *a)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648 section 6; no padding: 20 bytes are 32 characters
	char *out = arena_alloc(a, bytes.n * 8 / 5 + 2);
	size_t n = 0;
	uint32_t bits = 0, have = 0;
	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | (uint8_t)bytes.p[i];
		for (have += 8; have >= 5; have -= 5)
			out[n++] = alphabet[bits >> (have - 5) & 31];
	}
	if (have)
		out[n++] = alphabet[bits << (5 - have) & 31];
	return str_from(out, n);
}

// ---- what is kept ------------------------------------------------------------------------------
struct totp {
	bool there;
	struct str secret;      // sealed
	int64_t confirmed_at, last_step;
};

static enum err totp_read(struct db *db, int64_t person, struct arena *a, struct totp *ret)
{
	struct query q;
	*ret = (struct totp){ .secret = STR_EMPTY };
	query_begin(&q, db, STMT_TOTP_GET);
	query_i64(&q, 1, person);
	if (query_row(&q))
		*ret = (struct totp){ true, query_get_str(&q, 0, a), query_get_i64(&q, 1), query_get_i64(&q, 2) };
	return query_end(&q);
}

enum err factor_exists(struct db *db, int64_t person, bool *ret)
{
	struct totp t;
	struct arena *a on_scope_exit(arena_freep) = arena_new(512);
	enum err err = totp_read(db, person, a, &t);
	*ret = t.there && t.confirmed_at != 0;
	return err;
}

static bool six_digits(struct str code, uint32_t *ret)
{
	uint64_t v = 0;
	if (code.n != 6 || !str_to_u64(code, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

// A code of a step not used yet: notes the step.
static enum err step_use(struct db *db, int64_t person, const struct totp *t, struct str secret, uint32_t code, bool *ret)
{
	int64_t now = clock_now() / STEP_US;
	*ret = false;
	for (int64_t step = now - STEPS_AROUND; step <= now + STEPS_AROUND; step++) {
		if (step <= t->last_step || totp_code(secret, step) != code)
			continue;
		struct query q;
		query_begin(&q, db, STMT_TOTP_STEP);
		query_i64(&q, 1, person);
		query_i64(&q, 2, step);
		enum err err = query_run(&q);
		*ret = !err && db_changes(db) == 1;
		return err;
	}
	return OK;
}

static void recovery_hash(int64_t person, struct str code, uint8_t ret[SM3_LEN])
{
	struct sm3 h;
	sm3_init(&h);
	sm3_add_str(&h, STR("recovery code"));
	sm3_add(&h, &person, sizeof person);
	for (size_t i = 0; i < code.n; i++)
		if (code.p[i] != '-' && code.p[i] != ' ')
			sm3_add(&h, &(char){ code.p[i] >= 'A' && code.p[i] <= 'Z' ? (char)(code.p[i] + 32) : code.p[i] }, 1);
	sm3_end(&h, ret);
}

static enum err recovery_use(struct db *db, int64_t person, struct str code, bool *ret)
{
	uint8_t hash[SM3_LEN];
	struct query q;
	*ret = false;
	if (code.n < RECOVERY_LEN || code.n > 40)
		return OK;
	recovery_hash(person, code, hash);
	query_begin(&q, db, STMT_RECOVERY_USE);
	query_i64(&q, 1, person);
	query_blob(&q, 2, str_from((const char *)hash, sizeof hash));
	query_i64(&q, 3, clock_now());
	enum err err = query_run(&q);
	*ret = !err && db_changes(db) == 1;
	return err;
}

static enum err code_use(struct db *db, const struct auth *au, int64_t person, const struct totp *t, struct str code,
                         struct arena *a, bool *ret)
{
	uint32_t digits;
	struct str secret;
	*ret = false;
	if (!six_digits(code, &digits))
		return t->confirmed_at ? recovery_use(db, person, code, ret) : OK;
	enum err err = auth_unseal(au, "totp", person, t->secret, a, &secret);
	return err ? err : step_use(db, person, t, secret, digits, ret);
}

enum err factor_check(struct db *db, const struct auth *au, int64_t person, struct str code, enum factor *ret)
{
	struct totp t;
	bool ok = false;
	struct arena *a on_scope_exit(arena_freep) = arena_new(1024);
	*ret = FACTOR_NONE;
	enum err err = totp_read(db, person, a, &t);
	if (err || !t.there || !t.confirmed_at)
		return err;
	code = str_trim(code);
	if (code.n)
		err = code_use(db, au, person, &t, code, a, &ok);
	*ret = !code.n ? FACTOR_WANTED : ok ? FACTOR_OK : FACTOR_WRONG;
	return err;
}

// ---- setting it up -----------------------------------------------------------------------------
struct setup {
	const struct auth *au;
	const struct identity *by;
	int64_t person;
	struct str sealed, code;
	char (*codes)[RECOVERY_TEXT];
	enum factor factor;
};

static enum err note(struct db *db, const struct identity *by, int64_t person, const char *action)
{
	return audit_add(db, &(struct audit_entry){ .actor = by->person, .actor_name = by->name, .action = str_of(action),
	                 .type = STR("person"), .record = person, .detail = peer_detail(by->peer, db_arena(db)) });
}

static enum err job_start(struct db *db, void *arg, struct problem *p)
{
	const struct setup *s = arg;
	struct query q;
	query_begin(&q, db, STMT_TOTP_START);
	query_i64(&q, 1, s->person);
	query_blob(&q, 2, s->sealed);
	query_i64(&q, 3, clock_now());
	enum err err = query_run(&q);
	if (!err && db_changes(db) != 1)
		return problem_set(p, ERR_CONFLICT, "", "已启用第二因素，请先停用再重新绑定", "there is a second factor already; remove it first");
	return err ? err : note(db, s->by, s->person, "second_factor.start");
}

static struct str otpauth(const struct identity *id, struct str secret, struct arena *a)
{
	struct str name = STR_EMPTY;
	for (size_t i = 0; i < id->name.n; i++) { // RFC 3986: everything but the unreserved is percent-encoded
		char c = id->name.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
		name = plain ? arena_printf(a, "%.*s%c", STR_FMT(name), c) : arena_printf(a, "%.*s%%%02X", STR_FMT(name), (unsigned)(uint8_t)c);
	}
	return arena_printf(a, "otpauth://totp/Anlan:%.*s?secret=%.*s&issuer=Anlan&algorithm=SHA1&digits=6&period=30", STR_FMT(name),
	                    STR_FMT(secret));
}

enum err auth_totp_start(struct auth *au, const struct identity *id, struct str password, struct arena *a,
                         struct str *ret_secret, struct str *ret_uri, struct problem *p)
{
	enum err err = auth_check_password(au, id, password, p);
	if (err)
		return problem_set(p, err, "password", "口令不对", "the password is wrong");
	uint8_t secret[SECRET_LEN];
	random_bytes(secret, sizeof secret);
	struct str bytes = str_from((const char *)secret, sizeof secret);
	struct setup s = { .au = au, .by = id, .person = id->person };
	err = auth_seal(au, "totp", id->person, bytes, a, &s.sealed);
	if (!err)
		err = store_write(au->store, job_start, &s, p);
	*ret_secret = base32_text(bytes, a);
	*ret_uri = otpauth(id, *ret_secret, a);
	explicit_bzero(secret, sizeof secret);
	return err;
}

static enum err recovery_make(struct db *db, int64_t person, char codes[RECOVERY_CODES][RECOVERY_TEXT])
{
	struct query q;
	query_begin(&q, db, STMT_RECOVERY_DELETE);
	query_i64(&q, 1, person);
	enum err err = query_run(&q);
	for (size_t i = 0; !err && i < RECOVERY_CODES; i++) {
		uint8_t hash[SM3_LEN];
		for (size_t k = 0; k < RECOVERY_LEN; k += 4) {
			random_text(codes[i] + k / 4 * 5, 4);
			codes[i][k / 4 * 5 + 4] = k + 4 < RECOVERY_LEN ? '-' : 0;
		}
		recovery_hash(person, str_of(codes[i]), hash);
		query_begin(&q, db, STMT_RECOVERY_ADD);
		query_i64(&q, 1, person);
		query_blob(&q, 2, str_from((const char *)hash, sizeof hash));
		err = query_run(&q);
	}
	return err;
}

static enum err run_i64(struct db *db, enum stmt stmt, int64_t a, int64_t b)
{
	struct query q;
	query_begin(&q, db, stmt);
	query_i64(&q, 1, a);
	query_i64(&q, 2, b);
	return query_run(&q);
}

// The session that confirms has proved it; the person's others have not and end.
static enum err sessions_prove(struct db *db, const struct identity *by)
{
	enum err err = run_i64(db, STMT_SESSION_DELETE_OTHERS, by->person, by->session);
	return err ? err : run_i64(db, STMT_SESSION_PROOF, by->session, PROOF_FACTOR);
}

static enum err job_confirm(struct db *db, void *arg, struct problem *p)
{
	struct setup *s = arg;
	struct totp t;
	bool ok = false;
	enum err err = totp_read(db, s->person, p->arena, &t);
	if (err)
		return err;
	if (!t.there || t.confirmed_at)
		return problem_set(p, ERR_CONFLICT, "", "没有待确认的第二因素，请重新开始", "no second factor waits to be confirmed; start again");
	if ((err = code_use(db, s->au, s->person, &t, s->code, p->arena, &ok)))
		return err;
	if (!ok)
		return problem_set(p, ERR_INVALID, "code", "动态验证码不正确，请核对手机时间", "the code is wrong; check the clock of your phone");
	err = run_i64(db, STMT_TOTP_CONFIRM, s->person, clock_now());
	if (!err)
		err = recovery_make(db, s->person, s->codes);
	if (!err)
		err = sessions_prove(db, s->by);
	return err ? err : note(db, s->by, s->person, "second_factor.on");
}

static enum err throttled(struct auth *au, const struct identity *id, struct problem *p)
{
	if (!throttle_blocked(au->throttle, 'c', id->name, clock_now()))
		return OK;
	problem_set(p, ERR_THROTTLED, "code", "验证码错误次数过多", "too many wrong codes");
	problem_hint(p, "请一分钟后再试", "try again in a minute");
	return ERR_THROTTLED;
}

enum err auth_totp_confirm(struct auth *au, const struct identity *id, struct str code,
                           char ret_codes[RECOVERY_CODES][RECOVERY_TEXT], struct problem *p)
{
	struct setup s = { .au = au, .by = id, .person = id->person, .code = str_trim(code), .codes = ret_codes };
	enum err err = throttled(au, id, p);
	if (err)
		return err;
	err = store_write(au->store, job_confirm, &s, p);
	if (err == ERR_INVALID)
		throttle_fail(au->throttle, 'c', id->name, clock_now());
	return err;
}

// ---- taking it away ----------------------------------------------------------------------------
enum err auth_totp_remove_in(struct db *db, const struct identity *by, int64_t person)
{
	struct query q;
	query_begin(&q, db, STMT_TOTP_DELETE);
	query_i64(&q, 1, person);
	enum err err = query_run(&q);
	if (err)
		return err;
	if (db_changes(db) == 0)
		return ERR_NOT_FOUND;
	query_begin(&q, db, STMT_RECOVERY_DELETE);
	query_i64(&q, 1, person);
	err = query_run(&q);
	return err ? err : note(db, by, person, "second_factor.off");
}

static enum err job_remove(struct db *db, void *arg, struct problem *p)
{
	struct setup *s = arg;
	if (s->person == s->by->person) {
		enum err err = factor_check(db, s->au, s->person, s->code, &s->factor);
		if (err)
			return err;
		if (s->factor == FACTOR_WANTED || s->factor == FACTOR_WRONG)
			return problem_set(p, ERR_INVALID, "code", "动态验证码不正确或已用过", "the code is wrong or was used already");
	}
	enum err err = auth_totp_remove_in(db, s->by, s->person);
	return err == ERR_NOT_FOUND ? problem_set(p, err, "person", "没有启用第二因素", "there is no second factor") : err;
}

enum err auth_totp_remove(struct auth *au, const struct identity *id, int64_t person, struct str password, struct str code,
                          struct problem *p)
{
	struct setup s = { .au = au, .by = id, .person = person, .code = code };
	enum err err = throttled(au, id, p);
	if (err)
		return err;
	if (person != id->person && !auth_may(id, "session.manage"))
		return problem_set(p, ERR_FORBIDDEN, "person", "只有安全管理员可以解除他人的第二因素",
		                   "only the security officer removes the second factor of others");
	if (person == id->person && (err = auth_check_password(au, id, password, p)))
		return problem_set(p, err, "password", "口令不对", "the password is wrong");
	err = store_write(au->store, job_remove, &s, p);
	if (err == ERR_INVALID)
		throttle_fail(au->throttle, 'c', id->name, clock_now());
	return err;
}
