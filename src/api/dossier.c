// GET /dossier/enterprise/ID: one enterprise, one file; as JSON or, with format=pdf, on paper.
#include "report/dossier.h"

#include "api/api.h"
#include "base/time.h"

static void item_json(struct call *c, const struct type *t, const struct row *row)
{
	const struct state *s = type_state(t, row->c.state);
	const struct field *until = t->expires.at;
	struct jw *w = &c->w;
	jw_obj(w);
	jw_ki64(w, "id", row->c.id);
	jw_kstr(w, "number", row->c.number);
	jw_kstr(w, "title", row->c.title);
	jw_kstr(w, "state", row->c.state);
	if (s) {
		jw_kstr(w, "state_label", label_text(c, s->label));
		jw_kstr(w, "color", s->color);
		jw_kbool(w, "end", s->end);
	}
	if (row->c.deadline)
		jw_ktime(w, "deadline", row->c.deadline);
	jw_ktime(w, "changed_at", row->c.changed_at);
	if (until && row->vals[until->col].kind == VAL_TEXT)
		jw_kstr(w, "expires", row->vals[until->col].s);
	else if (until && row->vals[until->col].kind == VAL_INT)
		jw_ktime(w, "expires", row->vals[until->col].i);
	jw_end(w);
}

static const char *why(const struct call *c, const struct dossier_part *p)
{
	if (!p->need || p->complete)
		return NULL;
	if (p->total)
		return call_is_en(c) ? "what is there has expired" : "已有的都已过期";
	return call_is_en(c) ? "none yet" : "还没有";
}

static void part_json(struct call *c, const struct dossier_part *p)
{
	struct jw *w = &c->w;
	const char *reason = why(c, p);
	jw_obj(w);
	jw_kstr(w, "type", p->t->name);
	jw_kstr(w, "label", label_text(c, p->t->label));
	jw_kstr(w, "section", p->t->dossier.section);
	jw_kstr(w, "section_label", label_text(c, dossier_section_label(c->reg, p->t->dossier.section)));
	jw_kstr(w, "field", p->field.n ? p->field : STR("enterprise"));
	jw_kbool(w, "need", p->need);
	jw_kbool(w, "complete", p->complete);
	if (reason)
		jw_kcstr(w, "why", reason);
	jw_ki64(w, "total", p->total);
	jw_ki64(w, "open", p->open);
	jw_ki64(w, "overdue", p->overdue);
	jw_kbool(w, "can_create", auth_may_create(&c->id, p->t));
	jw_karr(w, "items");
	for (size_t i = 0; i < p->nitems; i++)
		item_json(c, p->t, &p->items[i]);
	jw_end(w);
	jw_end(w);
}

static enum err answer_paper(struct call *c, const struct dossier_view *v)
{
	struct str pdf;
	enum err err = dossier_paper(call_db(c), c->reg, v, &c->id, c->app->county, clock_now(), c->arena, &pdf);
	if (err)
		return err;
	buf_add_str(&c->rs->body, pdf);
	c->rs->type = "application/pdf";
	c->rs->filename = arena_printf(c->arena, "%.*s.pdf", STR_FMT(v->enterprise.c.title));
	c->rs->shown = true;
	return OK;
}

enum err dossier_get(struct call *c)
{
	struct dossier_view v;
	int64_t id;
	bool paper = str_is(http_query(c->rq, "format"), "pdf");
	c->id.export |= paper; // a file to take away
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = dossier_read(call_db(c), c->reg, id, &c->id, paper ? 20 : 5, c->arena, &v, &c->p);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这家企业，或不在您的管辖范围", "no such enterprise, or outside your scope");
	if (err || paper)
		return err ? err : answer_paper(c, &v);
	struct jw *w = &c->w;
	jw_obj(w);
	jw_key(w, "enterprise");
	record_json(w, call_db(c), c->reg, v.t, &v.enterprise, &c->id, false, c->arena);
	jw_kobj(w, "completeness");
	jw_ki64(w, "have", v.have);
	jw_ki64(w, "need", v.need);
	jw_key(w, "percent");
	if (v.need)
		jw_f64(w, 100.0 * (double)v.have / (double)v.need);
	else
		jw_null(w);
	jw_end(w);
	jw_karr(w, "sections");
	for (size_t i = 0; i < v.n; i++)
		part_json(c, &v.v[i]);
	jw_end(w);
	jw_end(w);
	return OK;
}
