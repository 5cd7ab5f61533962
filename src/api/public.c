// What everybody may see without logging in: the records that the `publish` of their type names. Bounded in all a stranger
// controls: so many requests of an address and at the same time, so many rows, so much text (base/limits.h).
#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "base/hash.h"
#include "base/time.h"

#define CACHE_S 30          // an answer may be kept so long: what is withdrawn is gone after that
#define BUCKETS 4096        // addresses that fall into one bucket share it: nobody gets more by having many

// ---- how much ----------------------------------------------------------------------------------
// Room for requests grows evenly up to what may come at once; each takes one.
static const struct { double minute, most; } shares[PUBLIC_USES] = {
	[PUBLIC_READ] = { LIMIT_PUBLIC_MINUTE, LIMIT_PUBLIC_MINUTE },
	[PUBLIC_REPORT] = { LIMIT_REPORT_HOUR / 60.0, LIMIT_REPORT_BURST },
	[PUBLIC_RECEIPT] = { LIMIT_RECEIPT_MINUTE, LIMIT_RECEIPT_MINUTE },
};
static struct {
	pthread_mutex_t lock;
	uint8_t seed[16];       // so that nobody can choose whose bucket he empties
	bool seeded;
	struct { double room; int64_t at; } of[PUBLIC_USES][BUCKETS];
} buckets = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t bucket_of(struct str peer)
{
	uint8_t hash[SM3_LEN];
	struct sm3 h;
	sm3_init(&h);
	sm3_add(&h, buckets.seed, sizeof buckets.seed);
	sm3_add_str(&h, peer);
	sm3_end(&h, hash);
	return (size_t)(hash[0] << 8 | hash[1]) % BUCKETS;
}

static bool has_room(enum public_use use, struct str peer, int64_t now)
{
	pthread_mutex_lock(&buckets.lock);
	if (!buckets.seeded)
		random_bytes(buckets.seed, sizeof buckets.seed);
	buckets.seeded = true;
	size_t i = bucket_of(peer);
	double *room = &buckets.of[use][i].room;
	double grown = (double)(now - buckets.of[use][i].at) / (60.0 * US_PER_S) * shares[use].minute;
	*room = MIN(*room + MAX(grown, 0), shares[use].most);
	buckets.of[use][i].at = now;
	bool ret = *room >= 1;
	*room -= ret;
	pthread_mutex_unlock(&buckets.lock);
	return ret;
}

enum err public_room(struct call *c, enum public_use use)
{
	if (has_room(use, c->rq->peer, clock_now()))
		return OK;
	return use == PUBLIC_REPORT ? call_fail(c, ERR_THROTTLED, NULL, "提交太频繁，请过几分钟再试；情况紧急请拨打 12350 或 119", "too many reports; try again in some minutes, in an emergency call 12350 or 119")
	                            : call_fail(c, ERR_THROTTLED, NULL, "查询太频繁，请一分钟后再试", "too many requests; try again in a minute");
}

static enum err keep(struct call *c)
{
	struct str body = buf_str(&c->rs->body);
	uint8_t hash[SM3_LEN];
	bool json = strncmp(c->rs->type, "application/json", 16) == 0;
	if ((json && !jw_done(&c->w)) || !buf_ok(&c->rs->body))
		return buf_ok(&c->rs->body) ? ERR_BUG : OK; // too large: http/ says so
	char hex[32];
	sm3_once(body, hash);
	str_to_hex(hash, sizeof hex / 2, hex);
	c->rs->etag = arena_printf(c->arena, "\"%.*s\"", (int)sizeof hex, hex);
	c->rs->cache_s = CACHE_S;
	if (!str_eq(str_trim(http_header(c->rq, "If-None-Match")), c->rs->etag))
		return OK;
	c->rs->status = 304;
	buf_clear(&c->rs->body);
	return OK;
}

enum err public_answer(struct call *c, api_handler *run)
{
	static atomic_int running;
	if (public_room(c, PUBLIC_READ))
		return c->p.err;
	c->id = identity_system();
	c->id.lang = call_is_en(c) ? STR("en") : STR("zh");
	enum err err;
	if (running++ < LIMIT_PUBLIC_RUNNING)
		err = run(c);
	else
		err = call_fail(c, ERR_UNAVAILABLE, NULL, "查询的人太多，请稍后再试", "too many are asking; try again in a moment");
	running--;
	return err ? err : keep(c);
}

// ---- types and their records -------------------------------------------------------------------
static enum err types(struct call *c)
{
	jw_obj(&c->w);
	jw_kstr(&c->w, "county", c->app->county);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < c->reg->ntypes; i++) {
		const struct type *t = &c->reg->types[i];
		if (!t->publish.cond)
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "name", t->name);
		jw_kstr(&c->w, "label", label_text(c, t->label));
		jw_kstr(&c->w, "about", label_text(c, t->about));
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err public_types(struct call *c) { return public_answer(c, types); }

static enum err read_list(struct call *c, const struct type *t, struct list_query *lq, int64_t *ret_page)
{
	int64_t size = 20;
	struct str text = str_trim(http_query(c->rq, "q"));
	enum err err = query_int(c, "size", 20, 1, LIMIT_PUBLIC_SIZE, &size);
	if (!err)
		err = query_int(c, "page", 1, 1, LIMIT_PUBLIC_ROWS / size, ret_page);
	if (!err && text.n > LIMIT_PUBLIC_TEXT)
		err = call_fail(c, ERR_INVALID, "q", "搜索的文字太长", "the text to search for is too long");
	*lq = (struct list_query){ .limit = (size_t)size, .offset = (size_t)((*ret_page - 1) * size) };
	if (!err)
		lq->cond = flow_published(c->reg, t, text, c->arena);
	return err;
}

static enum err records(struct call *c)
{
	const struct type *t = registry_type(c->reg, c->param[0]);
	struct list_query lq;
	struct identity nobody = { .lang = c->id.lang };
	struct row *rows;
	size_t n;
	int64_t total, page;
	if (!t || !t->publish.cond)
		return call_fail(c, ERR_NOT_FOUND, "type", "没有公开这类记录", "no records of this type are published");
	enum err err = read_list(c, t, &lq, &page);
	if (!err)
		err = public_area(c, lq.cond, &lq.cond);
	if (!err)
		err = records_list(call_db(c), &t->table, NULL, &lq, c->arena, &rows, &n, &total, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	published_type_json(&c->w, t, &nobody);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++)
		published_json(&c->w, call_db(c), c->reg, t, &rows[i], &nobody, c->arena);
	jw_end(&c->w);
	jw_ki64(&c->w, "total", total);
	jw_ki64(&c->w, "page", page);
	jw_ki64(&c->w, "size", (int64_t)lq.limit);
	jw_end(&c->w);
	return OK;
}

enum err public_type(struct call *c) { return public_answer(c, records); }
