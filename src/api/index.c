// The risk index: what there is, rankings, why an object has its level, the records behind it, its past.
#include "api/list_query.h"
#include "base/time.h"
#include "measure/index.h"

static struct index_ask ask(struct call *c)
{
	return (struct index_ask){ .live = c->app->index, .db = call_db(c), .reg = c->reg, .by = &c->id, .arena = c->arena, .p = &c->p,
		                   .name = c->param[0], .now = clock_now() };
}

enum err index_list(struct call *c)
{
	struct index_ask q = ask(c);
	return index_list_json(&q, &c->w);
}

static enum err read_kind(struct call *c, enum index_kind *ret)
{
	struct str kind = http_query(c->rq, "kind");
	for (int k = INDEX_ENTERPRISE; k <= INDEX_GRID; k++) {
		*ret = (enum index_kind)k;
		if (str_is(kind, index_kind_name(*ret)))
			return OK;
	}
	*ret = INDEX_AREA;
	return kind.n ? call_fail(c, ERR_INVALID, "kind", "kind 应为 enterprise、area、sector 或 grid", "kind is enterprise, area, sector or grid") : OK;
}

static enum err read_tier(struct call *c, size_t *ret)
{
	static const char *const tiers[] = { "", "province", "city", "county", "town", "village" };
	static const size_t digits[] = { 9, 2, 4, 6, 9, 12 };
	struct str tier = http_query(c->rq, "tier");
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++)
		if (str_is(tier, tiers[i])) {
			*ret = digits[i];
			return OK;
		}
	return call_fail(c, ERR_INVALID, "tier", "tier 应为 county、town 或 village", "tier is county, town or village");
}

enum err index_rank(struct call *c)
{
	struct index_ask q = ask(c);
	struct index_rank_ask r = { .under = http_query(c->rq, "under"), .sector = http_query(c->rq, "sector"), .day = http_query(c->rq, "day") };
	int64_t page = 1, size = 50;
	enum err err = read_kind(c, &r.kind);
	if (!err)
		err = read_tier(c, &r.tier);
	if (!err)
		err = query_int(c, "page", 1, 1, 1000000, &page);
	if (!err)
		err = query_int(c, "size", 50, 1, LIMIT_INDEX_SHOWN, &size);
	if (!err && r.under.n && r.under.n != 12)
		err = call_fail(c, ERR_INVALID, "under", "区划代码应为 12 位", "an area code has 12 digits");
	r.limit = (size_t)size;
	r.offset = (size_t)((page - 1) * size);
	return err ? err : index_rank_json(&q, &r, &c->w);
}

enum err index_why(struct call *c)
{
	struct index_ask q = ask(c);
	enum index_kind kind;
	enum err err = read_kind(c, &kind);
	return err ? err : index_why_json(&q, kind, http_query(c->rq, "key"), &c->w);
}

static enum err read_time(struct call *c, int64_t back, int64_t *ret_from, int64_t *ret_to)
{
	enum err err = query_time(c, "to", clock_now(), ret_to);
	if (!err)
		err = query_time(c, "from", *ret_to - back, ret_from);
	if (!err && *ret_from > *ret_to)
		err = call_fail(c, ERR_INVALID, "from", "开始时间须早于结束时间", "from must be before to");
	return err;
}

enum err index_trend(struct call *c)
{
	struct index_ask q = ask(c);
	enum index_kind kind;
	int64_t from = 0, to = 0;
	enum err err = read_kind(c, &kind);
	if (!err)
		err = read_time(c, 30 * US_PER_DAY, &from, &to);
	return err ? err : index_trend_json(&q, kind, http_query(c->rq, "key"), from, to, &c->w);
}

enum err index_changes(struct call *c)
{
	struct index_ask q = ask(c);
	int64_t from = 0, to = 0, size = 100;
	enum err err = read_time(c, 7 * US_PER_DAY, &from, &to);
	if (!err)
		err = query_int(c, "size", 100, 1, LIMIT_INDEX_SHOWN, &size);
	return err ? err : index_changes_json(&q, from, to, (size_t)size, &c->w);
}

enum err index_backtest(struct call *c)
{
	struct index_ask q = ask(c);
	int64_t from = 0, to = 0, days = 0;
	enum err err = read_time(c, 365 * US_PER_DAY, &from, &to);
	if (!err)
		err = query_int(c, "days", 0, 0, 365, &days);
	return err ? err : index_backtest_json(&q, from, to, (int)days, &c->w);
}

enum err index_records_get(struct call *c)
{
	struct index_ask q = ask(c);
	const struct type *t;
	struct list_query lq;
	enum index_kind kind;
	enum err err = read_kind(c, &kind);
	if (!err)
		err = index_records(&q, kind, http_query(c->rq, "key"), http_query(c->rq, "component"), http_query(c->rq, "value"), &t, &lq);
	if (!err && !auth_may_read(&c->id, t))
		err = call_fail(c, ERR_FORBIDDEN, "component", "您不能查看这类记录", "records of this type are not yours to read");
	return err ? err : list_records_json(c, t, &lq, 50);
}
