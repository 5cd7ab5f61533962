// GET /api/v1/quality: what data there are, type by type, and how good they are. Each number is that of a list: what lacks, is doubled or
// has a bad code by ?flaw=, the rest by filters on changed_at, state, batch and created_by.
#include "api/api.h"
#include "base/time.h"

#define QUALITY_SECONDS 10      // after that the types that are left are only named; each can be asked for alone

static void write_fields(struct call *c, const struct data_quality *q)
{
	jw_karr(&c->w, "fields");
	for (size_t i = 0; i < q->nfields; i++) {
		if (!q->fields[i].n)
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "name", q->fields[i].field->name);
		jw_kstr(&c->w, "label", label_text(c, q->fields[i].field->label));
		jw_ki64(&c->w, "n", q->fields[i].n);
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

static void write_if(struct call *c, const char *key, bool can, int64_t n)
{
	jw_key(&c->w, key);
	if (can)
		jw_i64(&c->w, n);
	else
		jw_null(&c->w);
}

static void write_quality(struct call *c, const struct data_quality *q)
{
	const struct type *t = q->type;
	struct jw *w = &c->w;
	jw_obj(w);
	jw_kstr(w, "type", t->name);
	jw_kstr(w, "label", label_text(c, t->label));
	jw_kstr(w, "pack", t->pack);
	jw_kstr(w, "about", label_text(c, t->about));
	jw_ki64(w, "records", q->records);
	if (q->newest)
		jw_ktime(w, "newest", q->newest);
	jw_ki64(w, "missing", q->missing);
	write_fields(c, q);
	jw_ki64(w, "stale", q->stale);
	jw_karr(w, "open");
	for (size_t i = 0; i < t->nstates; i++)
		if (!t->states[i].end)
			jw_str(w, t->states[i].name);
	jw_end(w);
	write_if(c, "doubled", q->titled, q->doubled);
	write_if(c, "code", q->coded, q->bad_code);
	jw_ki64(w, "typed", q->typed);
	jw_ki64(w, "imported", q->imported);
	jw_ki64(w, "opened", q->opened);
	jw_end(w);
}

static void write_left(struct call *c, size_t from, struct str only)
{
	jw_karr(&c->w, "left");
	for (size_t i = from; i < c->reg->ntypes; i++) {
		const struct type *t = &c->reg->types[i];
		if (only.n || !auth_may_read(&c->id, t))
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "type", t->name);
		jw_kstr(&c->w, "label", label_text(c, t->label));
		jw_end(&c->w);
	}
	jw_end(&c->w);
}

enum err quality_get(struct call *c)
{
	struct str only = http_query(c->rq, "type");
	const struct type *one = registry_type(c->reg, only);
	int64_t days, until = clock_mono() + QUALITY_SECONDS * US_PER_S;
	enum err err = query_int(c, "days", 365, 1, 36500, &days);
	if (!err && only.n && (!one || !auth_may_read(&c->id, one)))
		err = call_fail(c, ERR_NOT_FOUND, "type", "没有这个台账，或无权查看", "no such type, or not yours to see");
	if (err)
		return err;
	int64_t before = (clock_now() - days * US_PER_DAY) / US_PER_S * US_PER_S; // whole seconds: it is written into an address
	jw_obj(&c->w);
	jw_ki64(&c->w, "days", days);
	jw_ktime(&c->w, "before", before);
	jw_karr(&c->w, "items");
	size_t i = 0;
	for (; !err && i < c->reg->ntypes && clock_mono() < until; i++) {
		const struct type *t = &c->reg->types[i];
		struct data_quality q;
		if (!auth_may_read(&c->id, t) || (one && t != one))
			continue;
		err = flow_quality(call_db(c), t, &c->id, before, c->arena, &q, &c->p);
		if (!err)
			write_quality(c, &q);
	}
	jw_end(&c->w);
	write_left(c, i, only);
	jw_end(&c->w);
	return err;
}
