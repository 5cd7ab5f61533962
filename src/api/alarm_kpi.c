// How alarms load people (alarm/kpi.h), whether it is a flood now, and why an alarm exists.
#include "alarm/kpi.h"
#include "api/api.h"
#include "base/time.h"
#include "exchange/table.h"
#include "model/held.h"

static enum err read_query(struct call *c, struct kpi_query *q)
{
	int64_t now = clock_now();
	*q = (struct kpi_query){ .area = area_prefix(http_query(c->rq, "area")), .now = now,
		                 .rationales = registry_type(c->reg, STR("alarm_rationale")) };
	enum err err = query_time(c, "to", now, &q->to);
	if (!err)
		err = query_time(c, "from", q->to - US_PER_DAY, &q->from);
	if (!err)
		err = query_int(c, "enterprise", 0, 0, INT64_MAX, &q->enterprise);
	if (!err && (q->from >= q->to || q->to - q->from > KPI_LONGEST))
		return call_fail(c, ERR_INVALID, "from", "起止时间不对，最长一年", "from must lie before to, at most a year");
	if (!err && !kpi_by_find(http_query(c->rq, "by"), &q->by))
		return call_fail(c, ERR_INVALID, "by", "by 可用 area、enterprise、operator", "by is area, enterprise or operator");
	return err;
}

static struct str decimal(struct arena *a, double v) { return arena_printf(a, "%.2f", v); }
static struct str whole(struct arena *a, int64_t v) { return arena_printf(a, "%lld", (long long)v); }

static void put_group(struct arena *a, const struct kpi_query *q, const struct kpi_numbers *k, struct str *cells)
{
	double hours = (double)(q->to - q->from) / (double)US_PER_HOUR, periods = (double)MAX(k->periods, (int64_t)1);
	cells[0] = k->key;
	cells[1] = k->title;
	cells[2] = whole(a, k->activations);
	cells[3] = decimal(a, (double)k->activations / hours);
	cells[4] = whole(a, k->peak_period);
	cells[5] = whole(a, k->peak_hour);
	cells[6] = whole(a, k->floods);
	cells[7] = decimal(a, 100.0 * (double)k->flood_periods / periods);
	cells[8] = decimal(a, 100.0 * (double)k->above / periods);
}

static enum err send_csv(struct call *c, const struct kpi_query *q)
{
	static const struct str heads[2][9] = {
		{ { "分组", 6 }, { "名称", 6 }, { "报警次数", 12 }, { "每小时", 9 }, { "十分钟最多", 15 }, { "一小时最多", 15 }, { "洪水次数", 12 }, { "洪水时间%", 13 }, { "超过目标%", 13 } },
		{ { "Group", 5 }, { "Name", 4 }, { "Activations", 11 }, { "Per hour", 8 }, { "Most in 10 min", 14 }, { "Most in 1 h", 11 }, { "Floods", 6 }, { "% in flood", 10 }, { "% above target", 14 } },
	};
	struct kpi_numbers *v;
	size_t n;
	enum err err = kpi_groups(call_db(c), &c->id.scope, q, c->arena, &v, &n);
	if (err)
		return err;
	struct str *cells = arena_many(c->arena, (n + 1) * 9, struct str);
	memcpy(cells, heads[call_is_en(c)], sizeof heads[0]);
	for (size_t i = 0; i < n; i++)
		put_group(c->arena, q, &v[i], cells + (i + 1) * 9);
	struct table_text t = { .cells = cells, .rows = n + 1, .columns = 9, .numbers_from = 2, .numbers_to = 8 };
	int fd = -1;
	int64_t size = 0;
	err = table_export(c->app->store, &t, EXPORT_CSV, &fd, &size, &c->p);
	return err ? err : call_file(c, fd, size, str_of(export_mime(EXPORT_CSV)), STR("alarm-kpi.csv"), false);
}

enum err alarms_kpi(struct call *c)
{
	struct kpi_query q;
	enum err err = read_query(c, &q);
	if (err)
		return err;
	return str_is(http_query(c->rq, "format"), "csv") ? send_csv(c, &q) : kpi_json(call_db(c), &c->id.scope, &q, &c->w, c->arena);
}

enum err alarms_flood(struct call *c) { return kpi_flood_json(call_db(c), &c->id.scope, clock_now(), &c->w, c->arena); }

enum err alarms_suppressed(struct call *c) { return alarm_suppressed_json(call_db(c), &c->id.scope, clock_now(), &c->w, c->arena); }

// ---- rationale ----------------------------------------------------------------------------------
// How well the rationale fits the alarm: of its point before of its enterprise before of every point of the rule, of its
// level before of all; 0 = not at all.
static int fit(const struct type *t, const struct row *r, const struct alarm_which *which)
{
	const struct field *f = type_field(t, STR("point"));
	int64_t point = f && f->ncols && r->vals[f->col].kind == VAL_INT ? r->vals[f->col].i : 0;
	struct str level = held_text(t, r, "level");
	if ((point && point != which->point) || (r->c.enterprise && r->c.enterprise != which->enterprise) ||
	    (level.n && !str_eq(level, which->level)))
		return 0;
	return 1 + (point ? 4 : 0) + (r->c.enterprise ? 2 : 0) + (level.n ? 1 : 0);
}

static enum err best(struct call *c, const struct type *t, const struct alarm_which *which, struct row *ret, int *ret_fit)
{
	struct value rule = { .kind = VAL_TEXT, .s = which->rule };
	struct filter f = { STR("rule"), FILTER_EQ, &rule, 1 };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1, .limit = 1000 };
	struct row *rows;
	size_t n;
	// no scope: what holds for every point of a rule is of no place, and fit() leaves out what is of another enterprise
	enum err err = records_list(call_db(c), &t->table, NULL, &lq, c->arena, &rows, &n, NULL, &c->p);
	*ret_fit = 0;
	for (size_t i = 0; !err && i < n; i++) {
		int now = fit(t, &rows[i], which);
		if (now > *ret_fit) {
			*ret_fit = now;
			*ret = rows[i];
		}
	}
	return err;
}

enum err alarms_rationale(struct call *c)
{
	const struct type *t = registry_type(c->reg, STR("alarm_rationale"));
	struct alarm_which which;
	struct row row;
	int64_t id;
	int how = 0;
	enum err err = param_id(c, 0, &id);
	if (!err)
		err = alarm_which(call_db(c), &c->id.scope, id, c->arena, &which);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "id", "没有这条报警，或不在您的管辖范围", "no such alarm, or outside your scope");
	if (!err && t && auth_may_read(&c->id, t))
		err = best(c, t, &which, &row, &how);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_key(&c->w, "rationale");
	if (how)
		record_json(&c->w, call_db(c), c->reg, t, &row, &c->id, true, c->arena);
	else
		jw_null(&c->w);
	jw_end(&c->w);
	return OK;
}
