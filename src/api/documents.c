// Documents of records, reports, and the public page that says whether a paper is what was issued.
#include "api/api.h"
#include "base/time.h"
#include "report/document.h"
#include "report/paper.h"

// ---- finding -----------------------------------------------------------------------------------
static enum err find_document(struct call *c, const struct documents *ds, const struct type *t, struct str name,
                              const struct document **ret)
{
	*ret = document_find(ds, name);
	if (*ret && (*ret)->t == t)
		return OK;
	return call_fail(c, ERR_NOT_FOUND, "document", "没有这种文书", "there is no such document");
}

static void issued_json(struct call *c, const struct documents *ds, const struct issued *i)
{
	const struct document *d = document_find(ds, i->document);
	struct jw *w = &c->w;
	jw_obj(w);
	jw_ki64(w, "id", i->id);
	jw_kstr(w, "document", i->document);
	jw_kstr(w, "label", d ? label_text(c, d->label) : i->document);
	jw_kstr(w, "number", i->number);
	if (i->period.n)
		jw_kstr(w, "period", i->period);
	jw_ktime(w, "at", i->at);
	jw_kstr(w, "by", i->by_name);
	jw_ki64(w, "file", i->file);
	jw_kstr(w, "sm3", i->sm3);
	jw_ki64(w, "anchor", i->audit_seq);
	jw_kstr(w, "hash", i->audit_hash);
	if (i->void_at) {
		jw_ktime(w, "void_at", i->void_at);
		jw_kstr(w, "void_reason", i->void_reason);
	}
	jw_end(w);
}

// ---- making ------------------------------------------------------------------------------------
static enum err issue_job(struct db *db, void *arg, struct problem *p) { return document_issue(db, arg, p); }

static struct issue issue_of(struct call *c, const struct document *d, int64_t record)
{
	return (struct issue){ .store = c->app->store, .reg = c->reg, .d = d, .record = record, .by = &c->id, .office = c->app->county,
			       .site_url = c->app->site_url, .arena = c->arena, .period = { .name = STR_EMPTY } };
}

static enum err answer_bytes(struct call *c, struct str pdf, struct str name, bool shown)
{
	buf_add_str(&c->rs->body, pdf);
	c->rs->type = "application/pdf";
	c->rs->filename = name;
	c->rs->shown = shown;
	return OK;
}

static enum err preview(struct call *c, const struct document *d, const struct row *row, struct report_period period)
{
	struct str pdf;
	struct making m = { .store = c->app->store, .db = call_db(c), .reg = c->reg, .d = d, .row = row, .period = period, .by = &c->id,
			    .office = c->app->county, .at = clock_now(), .arena = c->arena };
	if (!document_offered(d, NULL, &c->id) && !(row && document_offered(d, row, &c->id)))
		return call_fail(c, ERR_FORBIDDEN, NULL, "您的角色不能出具这份文书", "your role does not issue this document");
	enum err err = document_make(&m, &pdf);
	return err ? err : answer_bytes(c, pdf, arena_printf(c->arena, "%.*s.pdf", STR_FMT(d->name)), true);
}

// ---- documents of a record ---------------------------------------------------------------------
enum err documents_get(struct call *c)
{
	const struct type *t;
	struct issued *v;
	struct row row;
	int64_t id;
	size_t n;
	enum err err = call_record(c, &t, &id, &row);
	if (!err)
		err = issued_of(call_db(c), t->name, id, c->arena, &v, &n);
	if (err)
		return err;
	const struct documents *ds = documents_take(c->reg);
	jw_obj(&c->w);
	jw_karr(&c->w, "available");
	for (size_t i = 0; i < ds->n; i++) {
		if (ds->v[i].t != t || !document_offered(&ds->v[i], &row, &c->id) ||
		    !document_fits(call_db(c), c->reg, &ds->v[i], &row, &c->id, c->arena))
			continue;
		jw_obj(&c->w);
		jw_kstr(&c->w, "name", ds->v[i].name);
		jw_kstr(&c->w, "label", label_text(c, ds->v[i].label));
		jw_kstr(&c->w, "about", label_text(c, ds->v[i].about));
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_karr(&c->w, "issued");
	for (size_t i = 0; i < n; i++)
		issued_json(c, ds, &v[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	documents_give(ds);
	return OK;
}

enum err documents_post(struct call *c)
{
	const struct type *t;
	const struct document *d;
	struct row row;
	int64_t id;
	enum err err = call_record(c, &t, &id, &row);
	if (err)
		return err;
	const struct documents *ds = documents_take(c->reg);
	err = find_document(c, ds, t, c->param[2], &d);
	if (!err) {
		struct issue i = issue_of(c, d, id);
		call_db_refresh(c);
		err = store_write(c->app->store, issue_job, &i, &c->p);
		c->rs->status = 201;
		if (!err)
			issued_json(c, ds, &i.ret);
	}
	documents_give(ds);
	return err;
}

enum err documents_preview(struct call *c)
{
	const struct type *t;
	const struct document *d;
	struct row row;
	int64_t id;
	enum err err = call_record(c, &t, &id, &row);
	if (err)
		return err;
	const struct documents *ds = documents_take(c->reg);
	err = find_document(c, ds, t, c->param[2], &d);
	if (!err)
		err = preview(c, d, &row, (struct report_period){ .name = STR_EMPTY });
	documents_give(ds);
	return err;
}

struct void_job {
	struct call *c;
	int64_t id;
};

static enum err void_job(struct db *db, void *arg, struct problem *p)
{
	struct void_job *j = arg;
	return document_void(db, j->c->reg, j->id, body_str(j->c, "reason"), &j->c->id, p);
}

static bool may_see(struct call *c, const struct issued *i)
{
	const struct type *t = registry_type(c->reg, i->type);
	struct row row;
	if (!t || !auth_may_read(&c->id, t))
		return str_is(i->type, "report"); // document_void asks for the role
	struct scope scope = auth_scope(&c->id, t);
	return records_get(call_db(c), &t->table, &scope, i->record, c->arena, &row) == OK;
}

enum err documents_void(struct call *c)
{
	struct void_job j = { .c = c };
	struct issued i;
	enum err err = param_id(c, 0, &j.id);
	if (!err)
		err = issued_get(call_db(c), j.id, c->arena, &i);
	if (err == ERR_NOT_FOUND || (!err && !may_see(c, &i)))
		return call_fail(c, ERR_NOT_FOUND, "id", "没有这份文书，或不在您的管辖范围", "no such document, or outside your scope");
	call_db_refresh(c);
	if (!err)
		err = store_write(c->app->store, void_job, &j, &c->p);
	return err ? err : call_done(c);
}

// ---- many at once ------------------------------------------------------------------------------
static enum err paper_of(struct call *c, const struct issued *i, struct str *ret)
{
	struct file_info info;
	enum err err = files_info(call_db(c), i->file, c->arena, &info);
	return err ? err : files_read(c->app->store, &info, c->arena, ret);
}

// What was issued before and is not void is printed again; else it is issued.
static enum err issued_for(struct call *c, const struct document *d, int64_t record, struct issued *ret)
{
	struct issued *v;
	size_t n;
	enum err err = issued_of(call_db(c), d->t->name, record, c->arena, &v, &n);
	for (size_t i = 0; i < n && !err; i++)
		if (str_eq(v[i].document, d->name) && !v[i].void_at && may_see(c, &v[i])) {
			*ret = v[i];
			return OK;
		}
	if (err)
		return err;
	struct issue i = issue_of(c, d, record);
	call_db_refresh(c);
	err = store_write(c->app->store, issue_job, &i, &c->p);
	*ret = i.ret;
	return err;
}

static enum err batch(struct call *c, const struct document *d, const json_t *ids)
{
	size_t n = json_array_size(ids);
	struct str *papers = arena_many(c->arena, n + 1, struct str), all;
	struct issued i = { 0 };
	enum err err = OK;
	for (size_t k = 0; k < n && !err; k++) {
		const json_t *id = json_array_get(ids, k);
		err = json_is_integer(id) ? issued_for(c, d, json_integer_value(id), &i) : call_fail(c, ERR_INVALID, "ids", "ids 要一列记录号", "ids must be a list of record ids");
		if (!err)
			err = paper_of(c, &i, &papers[k]);
	}
	if (!err)
		err = paper_merge(papers, n, c->arena, &all);
	return err ? err : answer_bytes(c, all, arena_printf(c->arena, "%.*s.pdf", STR_FMT(d->name)), false);
}

enum err documents_batch(struct call *c)
{
	const struct type *t = registry_type(c->reg, body_str(c, "type"));
	const json_t *ids = json_object_get(c->body, "ids");
	const struct document *d;
	size_t n = json_array_size(ids);
	if (!t || !auth_may_read(&c->id, t))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有这个类型，或无权查看", "no such type, or not yours to see");
	if (n == 0 || n > LIMIT_BATCH_DOCUMENTS)
		return problem_set(&c->p, ERR_INVALID, "ids", "一次可打印 1 到 %d 份", "from 1 to %d documents can be printed at once", LIMIT_BATCH_DOCUMENTS);
	const struct documents *ds = documents_take(c->reg);
	enum err err = find_document(c, ds, t, body_str(c, "document"), &d);
	if (!err)
		err = batch(c, d, ids);
	documents_give(ds);
	return err;
}

// ---- reports -----------------------------------------------------------------------------------
static const char *const every_names[] = { "", "day", "week", "month", "quarter", "year" };

static enum err report_json(struct call *c, const struct documents *ds, const struct document *d, size_t limit)
{
	struct issued *v;
	size_t n;
	enum err err = issued_reports(call_db(c), d->name, limit, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_kstr(&c->w, "name", d->name);
	jw_kstr(&c->w, "label", label_text(c, d->label));
	jw_kcstr(&c->w, "every", every_names[d->every]);
	jw_ki64(&c->w, "at", d->at / (60 * US_PER_S)); // minutes of the day
	jw_kstr(&c->w, "last", report_period_at(d->every, clock_now(), 1, c->arena).name);
	jw_karr(&c->w, "issued");
	for (size_t i = 0; i < n; i++)
		issued_json(c, ds, &v[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

enum err reports_list(struct call *c)
{
	const struct documents *ds = documents_take(c->reg);
	enum err err = OK;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < ds->n && !err; i++)
		if (!ds->v[i].t && document_offered(&ds->v[i], NULL, &c->id))
			err = report_json(c, ds, &ds->v[i], 30);
	jw_end(&c->w);
	jw_end(&c->w);
	documents_give(ds);
	return err;
}

static enum err find_report(struct call *c, const struct documents *ds, struct str period, const struct document **ret,
                            struct report_period *ret_period)
{
	enum err err = find_document(c, ds, NULL, c->param[0], ret);
	if (!err && !document_offered(*ret, NULL, &c->id))
		err = call_fail(c, ERR_NOT_FOUND, "document", "没有这种文书", "there is no such document");
	if (err)
		return err;
	*ret_period = report_period_at((*ret)->every, clock_now(), 1, c->arena);
	if (period.n && !report_period_parse((*ret)->every, period, c->arena, ret_period))
		return problem_set(&c->p, ERR_INVALID, "period", "不是这份报告的期间，应如 %.*s", "not a period of this report, which is like %.*s", STR_FMT(ret_period->name));
	return OK;
}

enum err reports_run(struct call *c)
{
	const struct document *d;
	struct report_period period;
	const struct documents *ds = documents_take(c->reg);
	enum err err = find_report(c, ds, body_str(c, "period"), &d, &period);
	if (!err && period.to > clock_now())
		err = call_fail(c, ERR_CONFLICT, "period", "期间还没有结束，可先预览", "the period is not over; have a preview");
	if (!err) {
		struct issue i = issue_of(c, d, 0);
		i.period = period;
		call_db_refresh(c);
		err = store_write(c->app->store, issue_job, &i, &c->p);
		if (!err)
			issued_json(c, ds, &i.ret);
		c->rs->status = 201;
	}
	documents_give(ds);
	return err;
}

enum err reports_preview(struct call *c)
{
	const struct document *d;
	struct report_period period;
	const struct documents *ds = documents_take(c->reg);
	enum err err = find_report(c, ds, http_query(c->rq, "period"), &d, &period);
	if (!err)
		err = preview(c, d, NULL, period);
	documents_give(ds);
	return err;
}

// ---- verify ------------------------------------------------------------------------------------
static enum err look(struct call *c, struct issued *ret, struct verdict *v)
{
	enum err err = issued_by_number(call_db(c), c->param[0], c->arena, ret);
	return err ? err : issued_verify(c->app->store, call_db(c), ret, http_query(c->rq, "h"), v);
}

static bool genuine(const struct issued *i, const struct verdict *v)
{
	return v->content && v->chain && (v->anchor || !v->given) && !i->void_at;
}

enum err verify_get(struct call *c)
{
	struct issued i;
	struct verdict v;
	enum err err = look(c, &i, &v);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "number", "没有出具过这个文号的文书", "no document was issued under this number");
	if (err)
		return err;
	const struct documents *ds = documents_take(c->reg);
	const struct document *d = document_find(ds, i.document);
	jw_obj(&c->w);
	jw_kstr(&c->w, "number", i.number);
	jw_kstr(&c->w, "document", d ? label_text(c, d->label) : i.document);
	jw_kstr(&c->w, "office", c->app->county);
	jw_ktime(&c->w, "at", i.at);
	jw_kstr(&c->w, "sm3", i.sm3);
	jw_kbool(&c->w, "genuine", genuine(&i, &v));
	jw_kbool(&c->w, "content", v.content);
	jw_kbool(&c->w, "chain", v.chain);
	if (v.given)
		jw_kbool(&c->w, "anchor", v.anchor);
	jw_kbool(&c->w, "void", i.void_at != 0);
	jw_end(&c->w);
	documents_give(ds);
	return OK;
}

static void add_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		const char *e = ch == '<' ? "&lt;" : ch == '>' ? "&gt;" : ch == '&' ? "&amp;" : ch == '"' ? "&quot;" : NULL;
		if (e)
			buf_add_cstr(out, e);
		else
			buf_add_u8(out, (uint8_t)ch);
	}
}

static void add_line(struct buf *out, const char *label, struct str value)
{
	buf_printf(out, "<tr><th>%s</th><td>", label);
	add_escaped(out, value);
	buf_add_cstr(out, "</td></tr>");
}

static const char *verdict_text(const struct issued *i, const struct verdict *v, bool en)
{
	if (i->void_at)
		return en ? "This document was issued, and is void" : "此文书确由本机关出具，但已作废";
	if (v->given && !v->anchor)
		return en ? "The anchor on this paper is not that of the document issued under this number" : "纸上的审计锚点与本机关出具的文书不符";
	if (!v->content || !v->chain)
		return en ? "The stored document does not agree with the audit chain; ask the office" : "存档与审计链不一致，请联系出具机关核实";
	return en ? "Genuine: issued by this office, unchanged since" : "属实：由本机关出具，出具后未被改动";
}

// The same for who scans the code with a telephone: a page without scripts.
enum err verify_page(struct call *c)
{
	struct issued i = { .number = c->param[0] };
	struct verdict v = { 0 };
	bool en = call_is_en(c);
	struct buf *out = &c->rs->body;
	enum err err = look(c, &i, &v);
	if (err && err != ERR_NOT_FOUND)
		return err;
	const struct documents *ds = documents_take(c->reg);
	const struct document *d = err ? NULL : document_find(ds, i.document);
	bool ok = !err && genuine(&i, &v);
	buf_printf(out, "<!doctype html><html lang=\"%s\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>%s</title>"
	           "<style>body{font:16px sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}th{text-align:left;padding:.3rem 1rem .3rem 0;"
	           "white-space:nowrap;vertical-align:top}td{word-break:break-all}.r{padding:1rem;border-radius:.5rem;color:#fff;background:%s}</style>",
	           en ? "en" : "zh", en ? "Document check" : "文书验真", ok ? "#1a7f37" : "#b3261e");
	buf_printf(out, "<h1>%s</h1><p class=r>%s</p><table>", en ? "Document check" : "文书验真",
	           err ? (en ? "No document was issued under this number" : "没有出具过这个文号的文书") : verdict_text(&i, &v, en));
	add_line(out, en ? "Number" : "文号", i.number);
	if (!err) {
		char at[TIME_TEXT_MAX];
		add_line(out, en ? "Document" : "文书", d ? label_text(c, d->label) : i.document);
		add_line(out, en ? "Office" : "机关", c->app->county);
		add_line(out, en ? "Issued" : "出具时间", str_from(at, time_text(i.at - i.at % US_PER_S, at)));
		add_line(out, "SM3", i.sm3);
	}
	buf_add_cstr(out, "</table></html>");
	documents_give(ds);
	c->rs->type = "text/html; charset=utf-8";
	c->rs->status = err ? 404 : 200;
	return OK;
}
