// Indicators, the records behind them, their series; assessments and their sheets.
#include "api/list_query.h"
#include "base/time.h"
#include "exchange/table.h"
#include "measure/measure.h"

static enum err load(struct call *c, struct measures **ret)
{
	struct diags d = { .arena = c->arena };
	*ret = measures_load(c->reg, c->arena, &d);
	return *ret ? OK : ERR_BUG; // what is in force was checked before
}

static enum err read_period(struct call *c, enum period_kind kind, bool named, struct period *ret)
{
	struct str text = http_query(c->rq, "period"), ytd = http_query(c->rq, "ytd");
	*ret = (struct period){ 0 };
	if (str_is(text, "ytd") || (!text.n && named))
		*ret = period_at(text.n ? PERIOD_YEAR : kind, clock_now(), str_is(text, "ytd") || kind == PERIOD_YEAR || str_is(ytd, "true"), c->arena);
	else if (text.n && !period_parse(text, str_is(ytd, "true"), c->arena, ret))
		return call_fail(c, ERR_INVALID, "period", "期间应为 2026、2026-Q3、2026-11、2026-11-22 或 ytd",
		                 "a period is 2026, 2026-Q3, 2026-11, 2026-11-22 or ytd");
	return OK;
}

static enum err read_dimension(struct call *c, struct measure_ask *q)
{
	static const char *const names[] = { "", "area", "sector", "enterprise", "organisation" };
	static const char *const tiers[] = { "province", "city", "county", "town", "village" };
	static const size_t digits[] = { 2, 4, 6, 9, 12 };
	struct str by = http_query(c->rq, "by"), tier = http_query(c->rq, "tier");
	size_t k = 0;
	while (k < ARRAY_LEN(names) && !str_is(by, names[k]))
		k++;
	if (k == ARRAY_LEN(names))
		return call_fail(c, ERR_INVALID, "by", "by 应为 area、sector、enterprise 或 organisation", "by is area, sector, enterprise or organisation");
	q->dim = (enum dimension)k;
	q->tier = 9;
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++)
		if (str_is(tier, tiers[i]))
			q->tier = digits[i];
	return OK;
}

// An area in the caller's own is fine; another one would be an empty answer that looks like a zero.
static enum err read_area(struct call *c, struct measure_ask *q)
{
	struct str area = http_query(c->rq, "area");
	if (!area.n)
		return OK;
	if (area.n != 12)
		return call_fail(c, ERR_INVALID, "area", "区划代码应为 12 位", "an area code has 12 digits");
	if (!auth_in_scope(&c->id, (struct place){ area, c->id.scope.enterprise, STR_EMPTY }) && !c->id.system)
		return call_fail(c, ERR_FORBIDDEN, "area", "不在您的管辖范围", "outside your scope");
	q->area = arena_str(c->arena, area);
	return OK;
}

static enum err read_ask(struct call *c, struct measures *m, struct measure_ask *q)
{
	*q = (struct measure_ask){ .db = call_db(c), .m = m, .by = &c->id, .arena = c->arena, .p = &c->p, .now = clock_now() };
	q->sector = http_query(c->rq, "sector");
	enum err err = read_dimension(c, q);
	if (!err)
		err = read_area(c, q);
	if (!err)
		err = query_int(c, "enterprise", 0, 0, INT64_MAX, &q->enterprise);
	return err ? err : query_int(c, "organisation", 0, 0, INT64_MAX, &q->organisation);
}

enum err indicators_list(struct call *c)
{
	struct measures *m;
	struct measure_ask q;
	enum err err = load(c, &m);
	if (!err)
		err = read_ask(c, m, &q);
	if (!err)
		err = read_period(c, PERIOD_YEAR, false, &q.period);
	return err ? err : indicators_json(&q, false, &c->w);
}

// What everybody may see: whole-county numbers of indicators that say so.
static enum err everybodys(struct call *c)
{
	struct measures *m;
	struct measure_ask q;
	enum err err = load(c, &m);
	if (!err)
		err = read_ask(c, m, &q);
	if (!err)
		err = read_period(c, PERIOD_YEAR, false, &q.period);
	q.sector = q.area = STR_EMPTY;
	q.enterprise = q.organisation = 0;
	return err ? err : indicators_json(&q, true, &c->w);
}

enum err public_indicators(struct call *c) { return public_answer(c, everybodys); }

static enum err find(struct call *c, struct measure_ask *q, const struct indicator **ret)
{
	struct measures *m;
	enum err err = load(c, &m);
	if (err)
		return err;
	*ret = indicator_find(m, c->param[0]);
	if (!*ret || !indicator_visible(m, *ret, &c->id))
		return call_fail(c, ERR_NOT_FOUND, "name", "没有这个指标，或无权查看", "no such indicator, or not yours to see");
	err = read_ask(c, m, q);
	return err ? err : read_period(c, (*ret)->period, true, &q->period);
}

static enum err send_table(struct call *c, const struct measure_ask *q, const struct indicator *i, enum export_format format)
{
	struct measure_table t;
	enum err err = indicator_table(q, i, call_is_en(c), &t);
	if (err)
		return err;
	struct table_text tt = { .cells = t.cells, .rows = t.rows, .columns = t.columns, .numbers_from = 2, .numbers_to = 5 };
	int fd = -1;
	int64_t size = 0;
	err = table_export(c->app->store, &tt, format, &fd, &size, &c->p);
	struct str name = arena_printf(c->arena, "%.*s-%.*s.%s", STR_FMT(i->name), STR_FMT(q->period.name), format == EXPORT_CSV ? "csv" : "xlsx");
	return err ? err : call_file(c, fd, size, str_of(export_mime(format)), name, false);
}

enum err indicators_get(struct call *c)
{
	struct measure_ask q;
	const struct indicator *i;
	enum err err = find(c, &q, &i);
	enum export_format format = export_format_of(http_query(c->rq, "format"));
	if (err)
		return err;
	return format ? send_table(c, &q, i, format) : indicator_json(&q, i, &c->w);
}

enum err indicators_series(struct call *c)
{
	struct measure_ask q;
	const struct indicator *i;
	int64_t periods = 0;
	enum err err = find(c, &q, &i);
	if (!err)
		err = query_int(c, "periods", 12, 1, 120, &periods);
	return err ? err : indicator_series_json(&q, i, (size_t)periods, &c->w);
}

enum err indicators_season(struct call *c)
{
	struct measure_ask q;
	const struct indicator *i;
	int64_t years = 0;
	enum err err = find(c, &q, &i);
	if (!err)
		err = query_int(c, "years", 5, 3, 10, &years);
	return err ? err : indicator_season_json(&q, i, (int)years, &c->w);
}

// The records behind a number: of, per, or gap - what is in per and not in of.
enum err indicators_records(struct call *c)
{
	struct measure_ask q;
	const struct indicator *i;
	const struct type *t;
	struct list_query lq;
	struct str part = http_query(c->rq, "part");
	enum err err = find(c, &q, &i);
	if (!err)
		err = measure_records(&q, i, part.n ? part : STR("of"), &t, &lq);
	return err ? err : list_records_json(c, t, &lq, 50);
}

enum err assessments_get(struct call *c)
{
	struct measures *m;
	enum err err = load(c, &m);
	const struct assessment *as = err ? NULL : assessment_find(m, c->param[0]);
	if (!err && !as)
		return call_fail(c, ERR_NOT_FOUND, "name", "没有这个考核表", "no such assessment");
	if (!err)
		assessment_json(&c->w, as);
	return err;
}

// ---- sheets of records -------------------------------------------------------------------------
struct sheet_call {
	struct call *c;
	struct measures *m;
	const struct type *t;
	const struct field *f;
	struct row row;
	int64_t id;
};

static enum err find_sheet(struct call *c, struct sheet_call *s)
{
	*s = (struct sheet_call){ .c = c, .t = registry_type(c->reg, c->param[0]) };
	s->f = s->t ? type_field(s->t, c->param[2]) : NULL;
	if (!s->t || !auth_may_read(&c->id, s->t) || !s->f || s->f->kind != FIELD_SHEET)
		return call_fail(c, ERR_NOT_FOUND, "field", "没有这个评分表，或无权查看", "no such sheet, or not yours to see");
	enum err err = load(c, &s->m);
	if (!err)
		err = param_id(c, 1, &s->id);
	return err;
}

static enum err write_sheet(struct call *c, struct sheet_call *s)
{
	enum err err = call_row(c, call_db(c), s->t, s->id, &s->row, &c->p);
	if (err)
		return err;
	json_t *sheet = sheet_value(s->f, &s->row);
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", s->id);
	jw_ki64(&c->w, "version", s->row.c.version);
	jw_kstr(&c->w, "state", s->row.c.state);
	jw_kstr(&c->w, "columns", sheet_columns(s->f, s->row.c.state, c->arena));
	jw_key(&c->w, "sheet");
	sheet_json(&c->w, assessment_find(s->m, s->f->assessment), sheet);
	jw_end(&c->w);
	json_decref(sheet);
	return OK;
}

enum err sheets_get(struct call *c)
{
	struct sheet_call s;
	enum err err = find_sheet(c, &s);
	return err ? err : write_sheet(c, &s);
}

static enum err sheet_job(struct db *db, void *arg, struct problem *p)
{
	struct sheet_call *s = arg;
	return flow_sheet(db, s->m, s->t, s->id, s->f, s->c->body, &s->c->id, s->c->arena, p);
}

enum err sheets_post(struct call *c)
{
	struct sheet_call s;
	enum err err = find_sheet(c, &s);
	if (!err)
		err = store_write(c->app->store, sheet_job, &s, &c->p);
	if (err)
		return err;
	call_db_refresh(c);
	return write_sheet(c, &s);
}
