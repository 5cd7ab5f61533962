// Models of units of equipment: learned from stored history, tried on it, compared, and how they stand now (api/unit_model.h).
#include <math.h>

#include "api/unit_model.h"
#include "api/api.h"
#include "base/hash.h"
#include "base/time.h"
#include "store/audit.h"

#define TRIAL_ROWS 20000
#define TRIAL_EPISODES 200
#define TRIAL_SCORES 480
#define SPECTRUM_SHOWN 20

static const char *const column_kinds[] = { [UNIT_LEVEL] = "level", [UNIT_MOVING] = "moving", [UNIT_CONSTANT] = "constant" };

static enum err find_unit(struct call *c, const struct type **ret_t, struct row *row)
{
	const struct type *t = *ret_t = registry_type(c->reg, STR("unit_model"));
	int64_t id;
	enum err err = param_id(c, 0, &id);
	if (err)
		return err;
	if (!t || !auth_may_read(&c->id, t))
		return call_fail(c, ERR_NOT_FOUND, "id", "没有这个设备单元模型，或不在您的管辖范围", "no such unit model, or outside your scope");
	struct scope scope = auth_scope(&c->id, t);
	err = records_get(call_db(c), &t->table, &scope, id, c->arena, row);
	return err == ERR_NOT_FOUND ? call_fail(c, err, "id", "没有这个设备单元模型，或不在您的管辖范围", "no such unit model, or outside your scope") : err;
}

static enum err body_time(struct call *c, const char *key, int64_t fallback, int64_t *ret)
{
	struct str s = body_str(c, key);
	*ret = fallback;
	if (!s.n || time_parse(s, ret))
		return OK;
	return call_fail(c, ERR_INVALID, key, "时间格式不对，请用 2026-11-22T08:00:00+08:00", "not a time; write it as 2026-11-22T08:00:00+08:00");
}

// ---- learning -----------------------------------------------------------------------------------

struct learning {
	struct call *c;
	struct unit_spec spec;
	const struct type *t;
	const struct row *row;
	struct unit *unit;
	struct unit_rows rows;
	struct sm3 digest;
	int64_t version;            // answered
	struct str checksum, summary, model, ids;
};

static bool learn_row(void *arg, int64_t time, const double *row)
{
	struct learning *l = arg;
	struct unit_score s;
	sm3_add(&l->digest, &time, sizeof time);
	sm3_add(&l->digest, row, l->spec.n * sizeof *row);
	unit_feed(l->unit, row, &s);
	return l->rows.rows < UNIT_LEARN_MAX;
}

static struct str hex(struct arena *a, const uint8_t *v, size_t n)
{
	char *out = arena_alloc(a, 2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = "0123456789abcdef"[v[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[v[i] & 15];
	}
	return str_from(out, 2 * n);
}

static struct str summary_of(struct learning *l)
{
	struct buf out;
	struct jw w;
	double limits[3], *spectrum = arena_many(l->c->arena, UNIT_COLUMNS_MAX, double);
	unit_limits(l->unit, limits);
	unit_spectrum(l->unit, spectrum);
	buf_init(&out, 64 << 10);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kcstr(&w, "model", UNIT_VERSION);
	jw_ki64(&w, "used", (int64_t)unit_used(l->unit));
	jw_karr(&w, "columns");
	for (uint32_t i = 0; i < l->spec.n; i++) {
		jw_obj(&w);
		jw_ki64(&w, "point", l->spec.point[i]);
		jw_kcstr(&w, "judged", column_kinds[unit_column_kind(l->unit, i)]);
		jw_end(&w);
	}
	jw_end(&w);
	jw_karr(&w, "limits");
	for (size_t i = 0; i < 3; i++)
		jw_f64(&w, limits[i]);
	jw_end(&w);
	jw_karr(&w, "spectrum");
	for (size_t i = 0; i < MIN(unit_used(l->unit), (size_t)SPECTRUM_SHOWN); i++)
		jw_f64(&w, spectrum[i]);
	jw_end(&w);
	jw_end(&w);
	struct str ret = arena_str(l->c->arena, buf_str(&out));
	buf_free(&out);
	return ret;
}

static void pack_up(struct learning *l, const uint8_t digest[SM3_LEN])
{
	struct buf out;
	l->checksum = hex(l->c->arena, digest, SM3_LEN);
	l->summary = summary_of(l);
	buf_init(&out, 4 << 20);
	unit_model_save(l->unit, &out);
	l->model = arena_str(l->c->arena, buf_str(&out));
	buf_free(&out);
	buf_init(&out, 4096);
	for (uint32_t i = 0; i < l->spec.n; i++)
		buf_add_str(&out, arena_printf(l->c->arena, "%s%u", i ? "," : "", l->spec.point[i]));
	l->ids = arena_str(l->c->arena, buf_str(&out));
	buf_free(&out);
}

static enum err add_version(struct db *db, struct learning *l)
{
	struct query q;
	struct unit_version v;
	query_begin(&q, db, STMT_MODEL_ADD);
	query_i64(&q, 1, l->spec.id);
	query_i64(&q, 2, clock_now());
	query_i64(&q, 3, l->c->id.person);
	query_str(&q, 4, l->c->id.title);
	query_i64(&q, 5, l->spec.learn_from);
	query_i64(&q, 6, l->spec.learn_to);
	query_i64(&q, 7, l->spec.interval);
	query_i64(&q, 8, (int64_t)l->rows.rows);
	query_i64(&q, 9, (int64_t)l->rows.gaps);
	query_str(&q, 10, l->ids);
	query_str(&q, 11, l->checksum);
	query_str(&q, 12, l->summary);
	query_blob(&q, 13, l->model);
	enum err err = query_run(&q);
	if (!err)
		err = unit_version_get(db, l->spec.id, 0, l->c->arena, &v);
	l->version = err ? 0 : v.version;
	return err;
}

// The first version is taken at once; another only when a person says so.
static enum err learn_run(struct db *db, void *arg, struct problem *p)
{
	struct learning *l = arg;
	struct call *c = l->c;
	struct identity system = identity_system();
	enum err err = add_version(db, l);
	bool first = str_is(l->spec.state, "draft");
	struct audit_entry entry = { .at = clock_now(), .actor = c->id.person, .actor_name = c->id.title, .action = STR("learn"),
		                     .type = l->t->name, .record = l->spec.id };
	entry.detail = arena_printf(c->arena, "{\"version\":%lld,\"rows\":%llu,\"checksum\":\"%.*s\"}", (long long)l->version,
	                            (unsigned long long)l->rows.rows, STR_FMT(l->checksum));
	if (!err)
		err = audit_add(db, &entry);
	if (!err && first) {
		json_t *body = json_pack("{s:I,s:I}", "model_version", (json_int_t)l->version, "version", (json_int_t)l->row->c.version);
		err = flow_edit(db, c->reg, l->t, l->spec.id, body, &c->id, c->arena, p);
		json_decref(body);
	}
	if (!err && first) {
		json_t *body = json_object();
		err = flow_move(db, c->reg, l->t, l->spec.id, STR("learned"), body, &system, false, c->arena, p);
		json_decref(body);
	}
	return err;
}

static enum err check_learning(struct call *c, struct unit_spec *s)
{
	if (!s->learn_from || !s->learn_to || s->learn_from >= s->learn_to)
		return call_fail(c, ERR_INVALID, "learn_from", "请先填写学习开始和学习结束", "say first from when to when it learns");
	int64_t rows = (s->learn_to - s->learn_from) / s->interval;
	if (rows < UNIT_LEARN_MIN || rows > UNIT_LEARN_MAX)
		return call_fail(c, ERR_INVALID, "learn_to",
		                 arena_printf(c->arena, "这段时间有 %lld 个间隔，须为 40 到 5000 个：请改起止时间或间隔", (long long)rows).p,
		                 arena_printf(c->arena, "this time has %lld intervals; 40 to 5000 are needed: change the time or the interval", (long long)rows).p);
	return OK;
}

static enum err learn_history(struct learning *l)
{
	struct call *c = l->c;
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(1 << 20);
	unit_rows_begin(&l->rows, &l->spec, l->spec.learn_from);
	enum err err = unit_rows_run(&l->rows, c->app->series, l->spec.learn_to, scratch, learn_row, l);
	if (err)
		return err;
	if (!unit_learn_end(l->unit))
		return call_fail(c, ERR_INVALID, "learn_from",
		                 arena_printf(c->arena, "这段时间只有 %llu 个间隔有数据（缺 %llu 个），至少要 40 个", (unsigned long long)l->rows.rows, (unsigned long long)l->rows.gaps).p,
		                 arena_printf(c->arena, "only %llu intervals of this time have data (%llu have not); 40 are needed", (unsigned long long)l->rows.rows, (unsigned long long)l->rows.gaps).p);
	if (!unit_used(l->unit))
		return call_fail(c, ERR_INVALID, "learn_from", "这段时间各测点都没有变化，学不到东西：请换一段时间", "nothing moved in this time: choose another");
	return OK;
}

enum err units_learn(struct call *c)
{
	struct learning l = { .c = c };
	struct row row;
	enum err err = find_unit(c, &l.t, &row);
	if (!err && (!flow_may_edit(l.t, row.c.state, &c->id) || str_is(row.c.state, "retired")))
		err = call_fail(c, ERR_FORBIDDEN, NULL, "您不能修改这个模型", "you may not change this model");
	if (!err)
		err = unit_spec_read(l.t, &row, call_site(c), &l.spec, &c->p);
	if (!err)
		err = check_learning(c, &l.spec);
	if (err)
		return err;
	l.row = &row;
	l.unit = unit_new(l.spec.n, UNIT_LEARN_MAX);
	sm3_init(&l.digest);
	uint8_t digest[SM3_LEN];
	err = learn_history(&l);
	sm3_end(&l.digest, digest);
	if (!err)
		pack_up(&l, digest);
	unit_free(l.unit);
	if (!err)
		err = store_write(c->app->store, learn_run, &l, &c->p);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_ki64(&c->w, "version", l.version);
	jw_ki64(&c->w, "rows", (int64_t)l.rows.rows);
	jw_ki64(&c->w, "gaps", (int64_t)l.rows.gaps);
	jw_kstr(&c->w, "checksum", l.checksum);
	jw_key(&c->w, "summary");
	jw_raw(&c->w, l.summary);
	jw_end(&c->w);
	return OK;
}

// ---- points and causes in answers ---------------------------------------------------------------

static void write_point_name(struct call *c, uint32_t id)
{
	struct site_point p;
	jw_ki64(&c->w, "point", id);
	if (site_point(call_site(c), id, &p)) {
		jw_kstr(&c->w, "code", p.def.code);
		jw_kstr(&c->w, "name", p.name);
	}
}

static void write_cause(struct call *c, uint32_t id, double share)
{
	jw_obj(&c->w);
	write_point_name(c, id);
	jw_kf64(&c->w, "share", share);
	jw_end(&c->w);
}

// ---- what it would have said --------------------------------------------------------------------

struct trial {
	struct call *c;
	struct unit *unit;
	struct unit_version v;
	struct unit_episode e;
	int64_t from, step;         // of the scores shown
	uint64_t flagged;
	size_t episodes;
	struct { double score; bool flag, any; } shown[TRIAL_SCORES];
	int64_t last;
};

static void write_episode(struct trial *t, int64_t to)
{
	struct call *c = t->c;
	struct jw *w = &c->w;
	if (t->episodes++ >= TRIAL_EPISODES)
		return;
	jw_obj(w);
	jw_ktime(w, "from", t->e.since);
	if (to)
		jw_ktime(w, "to", to);
	jw_kf64(w, "peak", t->e.peak);
	jw_karr(w, "causes");
	for (uint32_t i = 0; i < t->e.ncauses; i++)
		write_cause(c, t->v.point[t->e.cause[i]], t->e.share[i]);
	jw_end(w);
	jw_end(w);
}

static bool trial_row(void *arg, int64_t time, const double *row)
{
	struct trial *t = arg;
	struct unit_score s;
	unit_feed(t->unit, row, &s);
	if (time < t->from)
		return true;
	size_t at = MIN((size_t)((time - t->from) / t->step), (size_t)TRIAL_SCORES - 1);
	t->shown[at].score = fmax(t->shown[at].score, s.score);
	t->shown[at].flag |= s.flag;
	t->shown[at].any = true;
	t->flagged += s.flag;
	t->last = time;
	if (unit_episode_feed(&t->e, time, &s) == UNIT_ENDED) {
		write_episode(t, time);
		t->e = (struct unit_episode){ 0 };
	}
	return true;
}

static void write_shown(struct trial *t)
{
	struct jw *w = &t->c->w;
	jw_karr(w, "scores");
	for (size_t i = 0; i < TRIAL_SCORES; i++) {
		if (!t->shown[i].any)
			continue;
		jw_arr(w);
		jw_time(w, t->from + (int64_t)i * t->step);
		jw_f64(w, t->shown[i].score);
		jw_bool(w, t->shown[i].flag);
		jw_end(w);
	}
	jw_end(w);
}

static enum err run_trial(struct trial *t, const struct unit_spec *s, int64_t to)
{
	struct jw *w = &t->c->w;
	struct unit_rows rows;
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(1 << 20);
	unit_rows_begin(&rows, s, t->from);
	jw_obj(w);
	jw_ki64(w, "version", t->v.version);
	jw_ktime(w, "from", t->from);
	jw_ktime(w, "to", to);
	jw_karr(w, "episodes");
	enum err err = unit_rows_run(&rows, t->c->app->series, to, scratch, trial_row, t);
	if (err)
		return err;
	if (t->e.since)
		write_episode(t, 0);
	jw_end(w);
	jw_ki64(w, "episodes_total", (int64_t)t->episodes);
	jw_ki64(w, "rows", (int64_t)rows.rows);
	jw_ki64(w, "gaps", (int64_t)rows.gaps);
	jw_ki64(w, "flagged", (int64_t)t->flagged);
	write_shown(t);
	jw_end(w);
	return OK;
}

static enum err trial_span(struct call *c, const struct unit_spec *s, int64_t *from, int64_t *to)
{
	enum err err = body_time(c, "to", clock_now(), to);
	if (!err)
		err = body_time(c, "from", *to - MIN(3 * US_PER_DAY, TRIAL_ROWS * s->interval), from);
	if (!err && *from >= *to)
		err = call_fail(c, ERR_INVALID, "from", "from 必须早于 to", "from must be before to");
	if (!err && (*to - *from) / s->interval > TRIAL_ROWS)
		err = call_fail(c, ERR_TOO_LARGE, "from", "间隔数至多 20000：请缩短时间", "at most 20000 intervals: a shorter time");
	return err;
}

enum err units_trial(struct call *c)
{
	struct trial *t = arena_one(c->arena, struct trial);
	const struct type *type;
	struct row row;
	struct unit_spec s;
	int64_t to;
	t->c = c;
	enum err err = find_unit(c, &type, &row);
	if (!err)
		err = unit_spec_read(type, &row, call_site(c), &s, &c->p);
	if (err)
		return err;
	int64_t version = json_integer_value(json_object_get(c->body, "version"));
	err = unit_version_get(call_db(c), s.id, version, c->arena, &t->v);
	if (err == ERR_NOT_FOUND)
		return call_fail(c, err, "version", "没有这个版本：请先学习", "there is no such version: learn first");
	if (!err)
		err = trial_span(c, &s, &t->from, &to);
	if (!err && !(t->unit = unit_model_load(t->v.model)))
		return call_fail(c, ERR_CONFLICT, "version", "该版本由旧程序学习，不能再用：请重新学习", "the version was learned by an older program: learn again");
	if (err)
		return err;
	s.n = t->v.n; // of the version: the record's points may have changed since
	memcpy(s.point, t->v.point, sizeof s.point);
	s.interval = t->v.interval;
	t->step = MAX((to - t->from) / TRIAL_SCORES / s.interval * s.interval, s.interval);
	while ((to - t->from) / t->step >= TRIAL_SCORES)
		t->step += s.interval;
	err = run_trial(t, &s, to);
	unit_free(t->unit);
	return err;
}

// ---- how they stand -----------------------------------------------------------------------------

static const char *const live_names[] = { [UNIT_WAITS] = "waits", [UNIT_RUNS] = "runs", [UNIT_NO_VERSION] = "no_version", [UNIT_WRONG] = "changed" };

static void write_live(struct call *c, const struct unit_view *v, bool full)
{
	struct jw *w = &c->w;
	jw_kobj(w, "live");
	jw_kcstr(w, "state", live_names[v->state]);
	jw_ki64(w, "version", v->version);
	jw_ki64(w, "rows", (int64_t)v->rows);
	jw_ki64(w, "gaps", (int64_t)v->gaps);
	jw_ki64(w, "flagged", (int64_t)v->flagged);
	if (v->through) {
		jw_ktime(w, "at", v->through);
		jw_kf64(w, "score", v->score.score);
		jw_kbool(w, "flag", v->score.flag);
		jw_karr(w, "causes");
		for (size_t i = 0; i < v->score.ncauses; i++)
			write_cause(c, v->point[v->score.cause[i]], v->score.share[i]);
		jw_end(w);
	}
	if (v->since)
		jw_ktime(w, "since", v->since);
	if (full) {
		jw_karr(w, "recent");
		for (size_t i = 0; i < v->nrecent; i++) {
			jw_arr(w);
			jw_time(w, v->recent[i].at);
			jw_f64(w, (double)v->recent[i].score);
			jw_bool(w, v->recent[i].flag);
			jw_end(w);
		}
		jw_end(w);
	}
	jw_end(w);
}

struct alert_counts { int64_t open, confirmed, refuted; };

static enum err count_alerts(struct call *c, int64_t unit, struct alert_counts *ret)
{
	const struct type *t = registry_type(c->reg, STR("unit_alert"));
	struct value id = { .kind = VAL_INT, .i = unit }, *keys;
	struct filter f = { STR("unit_model"), FILTER_EQ, &id, 1 };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1 };
	int64_t *counts;
	size_t n = 0;
	*ret = (struct alert_counts){ 0 };
	if (!t || !auth_may_read(&c->id, t))
		return OK;
	struct scope scope = auth_scope(&c->id, t);
	enum err err = records_count_by(call_db(c), &t->table, &scope, STR("state"), &lq, c->arena, &keys, &counts, &n);
	for (size_t i = 0; !err && i < n; i++) {
		struct str s = keys[i].kind == VAL_TEXT ? keys[i].s : STR_EMPTY;
		*(str_is(s, "confirmed") ? &ret->confirmed : str_is(s, "false_alarm") ? &ret->refuted : &ret->open) += counts[i];
	}
	return err;
}

static enum err write_unit(struct call *c, const struct type *t, const struct row *row, bool full)
{
	struct jw *w = &c->w;
	struct unit_view *v = arena_one(c->arena, struct unit_view);
	struct alert_counts k;
	const struct state *s = type_state(t, row->c.state);
	enum err err = count_alerts(c, row->c.id, &k);
	jw_ki64(w, "id", row->c.id);
	jw_kstr(w, "number", row->c.number);
	jw_kstr(w, "title", row->c.title);
	jw_kstr(w, "state", row->c.state);
	if (s)
		jw_klabel(w, "state_label", s->label);
	jw_ki64(w, "enterprise", row->c.enterprise);
	const struct field *f = type_field(t, STR("model_version"));
	const struct value *version = f ? &row->vals[f->col] : NULL;
	jw_ki64(w, "version", !version ? 0 : version->kind == VAL_INT ? version->i : version->kind == VAL_REAL ? (int64_t)version->f : 0);
	jw_ki64(w, "alerts_open", k.open);
	jw_ki64(w, "alerts_confirmed", k.confirmed);
	jw_ki64(w, "alerts_false", k.refuted);
	if (c->app->detect_unit(c->app, row->c.id, v))
		write_live(c, v, full);
	return err;
}

enum err units_list(struct call *c)
{
	const struct type *t = registry_type(c->reg, STR("unit_model"));
	struct row *rows;
	size_t n = 0;
	int64_t total = 0;
	enum err err = OK;
	if (t && auth_may_read(&c->id, t)) {
		struct scope scope = auth_scope(&c->id, t);
		struct sort by = { .column = STR("title") };
		struct list_query lq = { .text = STR_EMPTY, .sorts = &by, .nsorts = 1, .limit = LIMIT_PAGE_SIZE };
		err = records_list(call_db(c), &t->table, &scope, &lq, c->arena, &rows, &n, &total, &c->p);
	}
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n && !err; i++) {
		jw_obj(&c->w);
		err = write_unit(c, t, &rows[i], false);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	jw_ki64(&c->w, "total", total);
	jw_end(&c->w);
	return err;
}

static void write_version(struct call *c, const struct unit_version *v)
{
	struct jw *w = &c->w;
	jw_obj(w);
	jw_ki64(w, "version", v->version);
	jw_ktime(w, "at", v->at);
	jw_kstr(w, "by", v->by_name);
	jw_ktime(w, "from", v->from);
	jw_ktime(w, "to", v->to);
	jw_kf64(w, "interval_s", (double)v->interval / (double)US_PER_S);
	jw_ki64(w, "rows", (int64_t)v->rows);
	jw_ki64(w, "gaps", (int64_t)v->gaps);
	jw_kstr(w, "checksum", v->checksum);
	jw_key(w, "summary");
	jw_raw(w, v->summary);
	jw_end(w);
}

enum err units_get(struct call *c)
{
	const struct type *t;
	struct row row;
	struct unit_version *v = NULL;
	struct unit_spec s;
	size_t n = 0;
	enum err err = find_unit(c, &t, &row);
	if (!err)
		err = unit_versions(call_db(c), row.c.id, c->arena, &v, &n);
	if (err)
		return err;
	struct problem p;
	problem_init(&p, c->arena);
	enum err spec = unit_spec_read(t, &row, call_site(c), &s, &p); // what is wrong with it is part of the answer
	jw_obj(&c->w);
	err = write_unit(c, t, &row, true);
	jw_karr(&c->w, "points");
	for (uint32_t i = 0; i < s.n; i++) {
		jw_obj(&c->w);
		write_point_name(c, s.point[i]);
		jw_end(&c->w);
	}
	jw_end(&c->w);
	if (spec)
		jw_kstr(&c->w, "wrong", call_is_en(c) ? p.en : p.zh);
	jw_karr(&c->w, "versions");
	for (size_t i = 0; i < n; i++)
		write_version(c, &v[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return err;
}
