// Idempotency-Key: a POST or PATCH that is sent again because its answer was lost does not happen a second time. Person, address and
// key are kept for a week: as long as a phone without signal keeps what it could not send. The answer goes after a day, if the
// record says the same. The key is noted in the transaction that makes or changes the record, so that a crash between commit
// and answer changes nothing: the repetition is answered with the record as it stands.
#include "api/api.h"
#include "base/hash.h"
#include "base/time.h"

#define KEPT (LIMIT_AWAY_DAYS * US_PER_DAY)
#define ANSWER_KEPT US_PER_DAY
#define ANSWER_MAX (256u << 10)
#define FADE_AT_ONCE 2000       // rows: the writer has others to serve

// Answers that hold a secret are not kept; what they make is asked for again.
static bool concerned(const struct call *c)
{
	static api_handler *const secret[] = { session_login, session_password, demo_login, totp_start, totp_confirm, totp_remove,
		                                   tokens_create, devices_key, records_reveal, report_identity, report_desk };
	for (size_t i = 0; i < ARRAY_LEN(secret); i++)
		if (c->route->run == secret[i])
			return false;
	return (str_is(c->rq->method, "POST") || str_is(c->rq->method, "PATCH")) && c->route->access == ACCESS_SESSION;
}

static void digest_param(void *arg, struct str key, struct str value)
{
	sm3_add_str(arg, key);
	sm3_add_str(arg, value);
}

static void request_digest(struct call *c, uint8_t ret[SM3_LEN])
{
	struct sm3 h;
	auth_digest_begin(c->app->auth, &h); // the body may hold the password of a signed move: who has the table cannot try passwords on it
	http_each_query(c->rq, digest_param, &h);
	sm3_add_str(&h, c->rq->body);
	sm3_end(&h, ret);
}

struct kept {
	bool there;
	struct str digest, answer;
	int64_t status, record;
};

static enum err kept_read(struct call *c, struct kept *ret)
{
	struct query q;
	*ret = (struct kept){ .digest = STR_EMPTY, .answer = STR_EMPTY };
	query_begin(&q, call_db(c), STMT_IDEMPOTENCY_GET);
	query_i64(&q, 1, c->id.person);
	query_str(&q, 2, c->rq->path);
	query_str(&q, 3, c->idempotency_key);
	query_i64(&q, 4, clock_now() - KEPT);
	if (query_row(&q))
		*ret = (struct kept){ true, query_get_str(&q, 0, c->arena), query_get_str(&q, 2, c->arena), query_get_i64(&q, 1),
			                  query_get_i64(&q, 3) };
	return query_end(&q);
}

enum err idempotent_before(struct call *c, bool *ret_answered)
{
	struct str key = str_trim(http_header(c->rq, "Idempotency-Key"));
	struct kept k;
	*ret_answered = false;
	if (!key.n || !concerned(c))
		return OK;
	if (key.n > LIMIT_IDEMPOTENCY_KEY)
		return problem_set(&c->p, ERR_INVALID, "Idempotency-Key", "Idempotency-Key 最多 %d 字节", "an Idempotency-Key has at most %d bytes",
		                   LIMIT_IDEMPOTENCY_KEY);
	c->idempotency_key = arena_str(c->arena, key);
	request_digest(c, c->idempotency_digest);
	enum err err = kept_read(c, &k);
	if (err || !k.there)
		return err;
	if (!str_eq(k.digest, str_from((const char *)c->idempotency_digest, SM3_LEN))) {
		c->status = 422;
		return call_fail(c, ERR_INVALID, "Idempotency-Key", "这个 Idempotency-Key 已用于内容不同的请求", "this Idempotency-Key was used for a different request");
	}
	*ret_answered = true;
	if (c->route->run == qra_post) // its address does not name the type
		c->param[0] = STR("qra_run");
	if (k.status == 0)
		return records_answer(c, k.record, c->route->run == records_patch || c->route->run == records_move ? 200 : 201);
	buf_add_str(&c->rs->body, k.answer);
	c->rs->status = (int)k.status;
	return OK;
}

// Inside a job.
enum err idempotent_claim(struct db *db, struct call *c, int64_t record)
{
	struct query q;
	if (!c->idempotency_key.n)
		return OK;
	query_begin(&q, db, STMT_IDEMPOTENCY_SWEEP);
	query_i64(&q, 1, clock_now() - KEPT);
	enum err err = query_run(&q);
	if (err)
		return err;
	query_begin(&q, db, STMT_IDEMPOTENCY_CLAIM);
	query_i64(&q, 1, c->id.person);
	query_str(&q, 2, c->rq->path);
	query_str(&q, 3, c->idempotency_key);
	query_blob(&q, 4, str_from((const char *)c->idempotency_digest, SM3_LEN));
	query_i64(&q, 5, record);
	query_i64(&q, 6, clock_now());
	return query_run(&q); // ERR_CONFLICT: the same request is being worked on
}

enum err idempotent_meanwhile(struct call *c, enum err err)
{
	bool answered;
	if (err != ERR_CONFLICT || !c->idempotency_key.n)
		return err;
	call_db_refresh(c);
	struct problem first = c->p;
	if (idempotent_before(c, &answered) || !answered) {
		c->p = first;
		return err;
	}
	c->status = 0;
	return OK;
}

static enum err fade_job(struct db *db, void *arg, struct problem *p)
{
	struct query q;
	(void)p;
	query_begin(&q, db, STMT_IDEMPOTENCY_FADE);
	query_i64(&q, 1, clock_now() - ANSWER_KEPT);
	query_i64(&q, 2, FADE_AT_ONCE);
	enum err err = query_run(&q);
	*(int64_t *)arg = err ? 0 : db_changes(db);
	return err;
}

enum err api_forget_answers(struct app *app, struct arena *a)
{
	struct problem p;
	int64_t n = FADE_AT_ONCE;
	enum err err = OK;
	problem_init(&p, a);
	while (!err && n == FADE_AT_ONCE)
		err = store_write(app->store, fade_job, &n, &p);
	return err;
}

static enum err answer_job(struct db *db, void *arg, struct problem *p)
{
	struct call *c = arg;
	struct query q;
	(void)p;
	query_begin(&q, db, STMT_IDEMPOTENCY_ANSWER);
	query_i64(&q, 1, c->id.person);
	query_str(&q, 2, c->rq->path);
	query_str(&q, 3, c->idempotency_key);
	query_blob(&q, 4, str_from((const char *)c->idempotency_digest, SM3_LEN));
	query_i64(&q, 5, c->rs->status);
	query_str(&q, 6, buf_str(&c->rs->body));
	query_i64(&q, 7, clock_now());
	return query_run(&q);
}

enum err idempotent_after(struct call *c)
{
	bool json = strncmp(c->rs->type, "application/json", 16) == 0;
	if (!c->idempotency_key.n || !json || c->rs->stream || !buf_ok(&c->rs->body) || c->rs->body.n > ANSWER_MAX)
		return OK;
	call_db_refresh(c);
	return store_write(c->app->store, answer_job, c, &c->p);
}
