// Consequence and risk models over HTTP: the list, a schema, a calculation. The numbers are the caller's own: nothing is stored.
#include "api/api.h"
#include "risk/risk.h"

#define ANSWER_MAX (4u << 20)

static const struct risk_model *model_of(struct call *c, const struct risk_alias **ret_alias)
{
	const struct risk_model *m = risk_find(c->param[0], ret_alias);
	if (!m)
		call_fail(c, ERR_NOT_FOUND, "model", "没有这个模型，见 /api/v1/calc", "no such model; see /api/v1/calc");
	return m;
}

enum err calc_list(struct call *c)
{
	jw_obj(&c->w);
	jw_key(&c->w, "items");
	risk_write_list(&c->w);
	jw_key(&c->w, "families");
	risk_write_families(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err calc_schema(struct call *c)
{
	const struct risk_alias *alias;
	const struct risk_model *m = model_of(c, &alias);
	if (!m)
		return c->p.err;
	risk_write_schema(m, c->app->risk, &c->w);
	return OK;
}

enum err calc_post(struct call *c)
{
	const struct risk_alias *alias;
	const struct risk_model *m = model_of(c, &alias);
	struct buf out;
	if (!m)
		return c->p.err;
	buf_init(&out, ANSWER_MAX);
	enum err err = risk_calc(m, alias, c->app->risk, c->rq->body, c->arena, &out, &c->p);
	if (err == OK)
		jw_raw(&c->w, buf_str(&out));
	buf_free(&out);
	return err;
}
