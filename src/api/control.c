// POST /api/v1/control/:id: a ceiling of road accidents is counted again now, not at the next hour.
#include "api/api.h"
#include "base/time.h"

struct controlling {
	struct call *c;
	const struct type *t;
	int64_t id;
	struct row row;
};

static enum err control_job(struct db *db, void *arg, struct problem *p)
{
	struct controlling *k = arg;
	enum err err = call_row(k->c, db, k->t, k->id, &k->row, p);
	if (!err && str_is(k->row.c.state, "closed"))
		return problem_set(p, ERR_CONFLICT, "state", "年度已结束，不再统计", "the year is closed and is not counted any more");
	return err ? err : flow_control(db, k->c->reg, k->t, &k->row, clock_now(), k->c->arena, p);
}

enum err control_post(struct call *c)
{
	struct controlling k = { .c = c, .t = registry_type(c->reg, STR("road_control")) };
	enum err err = call_may_edit(c, k.t, &k.id, "您的角色不能统计", "your role does not count it");
	if (!err)
		err = store_write(c->app->store, control_job, &k, &c->p);
	if (err)
		return err;
	record_json(&c->w, call_db(c), c->reg, k.t, &k.row, &c->id, true, c->arena);
	return OK;
}
