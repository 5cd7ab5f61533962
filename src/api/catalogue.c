// 公开目录: what is published here, how much of it in an area, and of what must be published by a certain day how much was.
#include "api/api.h"
#include "base/time.h"

#define YEAR_BACK (366 * US_PER_DAY)

static void counts_json(struct call *c, const size_t count[PUBLISHED_KINDS])
{
	jw_ki64(&c->w, "in_time", (int64_t)count[PUBLISHED_IN_TIME]);
	jw_ki64(&c->w, "late", (int64_t)count[PUBLISHED_LATE]);
	jw_ki64(&c->w, "missing", (int64_t)count[PUBLISHED_NOT]);
	jw_ki64(&c->w, "waiting", (int64_t)count[PUBLISHED_WAITING]);
}

static void due_json(struct call *c, const struct type *t)
{
	const struct publish_due *d = &t->publish.due;
	jw_kstr(&c->w, "from", label_text(c, d->from->label));
	jw_ki64(&c->w, "days", d->within.wd ? d->within.wd : d->within.us / US_PER_DAY);
	jw_kbool(&c->w, "working", d->within.wd > 0);
}

// What is published in the area of the query, in what lies below it, and for the whole of what it lies in; no area: everywhere.
enum err public_area(struct call *c, const struct condition *published, const struct condition **ret)
{
	static const size_t tiers[] = { 2, 4, 6, 9 }; // digits of province, city, county, town
	struct str code = http_query(c->rq, "area");
	for (size_t i = 0; i < code.n; i++)
		if (code.n != 12 || code.p[i] < '0' || code.p[i] > '9')
			return call_fail(c, ERR_INVALID, "area", "area 应为 12 位区划代码", "area is a code of 12 digits");
	*ret = published;
	if (!code.n)
		return OK;
	struct value *v = arena_many(c->arena, ARRAY_LEN(tiers) + 2, struct value);
	struct condition *either = arena_many(c->arena, 2, struct condition), *both = arena_many(c->arena, 2, struct condition);
	struct condition *all = arena_one(c->arena, struct condition);
	v[0] = (struct value){ .kind = VAL_TEXT, .s = area_prefix(code) };
	v[1] = (struct value){ .kind = VAL_TEXT, .s = STR("") };
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++)
		v[2 + i] = (struct value){ .kind = VAL_TEXT, .s = arena_printf(c->arena, "%.*s%0*d", (int)tiers[i], code.p, (int)(12 - tiers[i]), 0) };
	either[0] = (struct condition){ .op = COND_FILTER, .filter = { STR("area"), FILTER_PREFIX, v, 1 } };
	either[1] = (struct condition){ .op = COND_FILTER, .filter = { STR("area"), FILTER_IN, v + 1, ARRAY_LEN(tiers) + 1 } };
	both[0] = *published;
	both[1] = (struct condition){ .op = COND_OR, .subs = either, .nsubs = 2 };
	*all = (struct condition){ .op = COND_AND, .subs = both, .nsubs = 2 };
	*ret = all;
	return OK;
}

static enum err entry(struct call *c, const struct type *t)
{
	size_t count[PUBLISHED_KINDS], n;
	struct list_query lq = { .limit = 1 };
	struct row *rows;
	int64_t total;
	enum err err = public_area(c, flow_published(c->reg, t, STR_EMPTY, c->arena), &lq.cond);
	if (!err)
		err = records_list(call_db(c), &t->table, NULL, &lq, c->arena, &rows, &n, &total, &c->p);
	if (!err && t->publish.due.from)
		err = flow_publish_due(call_db(c), c->reg, t, NULL, clock_now() - YEAR_BACK, c->arena, count, NULL, 0, &n, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kstr(&c->w, "name", t->name);
	jw_kstr(&c->w, "label", label_text(c, t->label));
	jw_kstr(&c->w, "about", label_text(c, t->about));
	jw_ki64(&c->w, "here", total);
	if (t->publish.due.from) {
		jw_kobj(&c->w, "due");
		due_json(c, t);
		counts_json(c, count);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	return OK;
}

static enum err catalogue(struct call *c)
{
	enum err err = OK;
	jw_obj(&c->w);
	jw_kstr(&c->w, "county", c->app->county);
	jw_karr(&c->w, "items");
	for (size_t i = 0; !err && i < c->reg->ntypes; i++)
		if (c->reg->types[i].publish.cond)
			err = entry(c, &c->reg->types[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return err;
}

enum err public_catalogue(struct call *c) { return public_answer(c, catalogue); }

// ---- for those who publish ---------------------------------------------------------------------
static void item_json(struct call *c, const struct published_item *v)
{
	static const char *const names[] = { "in_time", "late", "missing", "waiting" };
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", v->id);
	jw_kstr(&c->w, "number", v->number);
	jw_kstr(&c->w, "title", v->title);
	jw_kcstr(&c->w, "is", names[v->is]);
	jw_ktime(&c->w, "due", v->due);
	if (v->on)
		jw_ktime(&c->w, "on", v->on);
	jw_end(&c->w);
}

static enum err gaps(struct call *c, const struct type *t)
{
	size_t count[PUBLISHED_KINDS], n;
	struct published_item *v = arena_many(c->arena, LIMIT_PUBLIC_SIZE, struct published_item);
	struct scope scope = auth_scope(&c->id, t);
	enum err err = flow_publish_due(call_db(c), c->reg, t, &scope, clock_now() - YEAR_BACK, c->arena, count, v, LIMIT_PUBLIC_SIZE, &n, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kstr(&c->w, "name", t->name);
	jw_kstr(&c->w, "label", label_text(c, t->label));
	due_json(c, t);
	counts_json(c, count);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++)
		item_json(c, &v[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

// Of each type that he may read, in his scope.
enum err publications_list(struct call *c)
{
	enum err err = OK;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; !err && i < c->reg->ntypes; i++)
		if (c->reg->types[i].publish.due.from && auth_may_read(&c->id, &c->reg->types[i]))
			err = gaps(c, &c->reg->types[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return err;
}
