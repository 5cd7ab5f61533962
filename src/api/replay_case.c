// POST /replay/case: the same span as a case file (案卷): its tables, readings and summary (api/casefile.h).
#include <math.h>
#include <unistd.h>

#include "api/casefile.h"
#include "api/replay.h"
#include "base/time.h"
#include "exchange/readings_file.h"
#include "exchange/table.h"

struct case_file {
	struct casefile z;
	struct call *c;
	const struct replay_view *v;
	size_t npoints;         // with readings in it
};

// ---- members ---------------------------------------------------------------------------------------
static struct str time_cell(struct call *c, int64_t us)
{
	char text[TIME_TEXT_MAX];
	return us ? arena_str(c->arena, str_from(text, time_text(us, text))) : STR_EMPTY;
}

static struct str number_cell(struct call *c, double v) { return isnan(v) ? STR_EMPTY : arena_printf(c->arena, "%.10g", v); }
static struct str id_cell(struct call *c, int64_t v) { return v ? arena_printf(c->arena, "%lld", (long long)v) : STR_EMPTY; }

struct table_of {
	const char *member;
	enum replay_kind kind;
	size_t columns;
	const char *zh, *en;
	void (*row)(struct case_file *f, const struct replay_event *e, struct str *cells);
};

static void alarm_row(struct case_file *f, const struct replay_event *e, struct str *cells)
{
	struct call *c = f->c;
	bool en = call_is_en(c);
	const struct past_entry *n = e->entry;
	const struct past_alarm *p = e->alarm;
	const struct str row[] = { time_cell(c, e->at), id_cell(c, p->id), p->point_code, p->point_name, p->enterprise_title,
		label_text(c, p->rule_label), e->what, replay_what(e, en), n->level, replay_state(n->from, en), replay_state(n->to, en),
		number_cell(c, n->value), number_cell(c, n->limit), p->point_unit, e->actor, e->reason, time_cell(c, n->arrival) };
	memcpy(cells, row, sizeof row);
}

static void action_row(struct case_file *f, const struct replay_event *e, struct str *cells)
{
	struct call *c = f->c;
	const struct str row[] = { time_cell(c, e->at), id_cell(c, e->seq), e->actor, e->what, replay_what(e, call_is_en(c)), e->t->name,
		label_text(c, e->t->label), id_cell(c, e->record), e->number, e->title, e->before, e->after, e->reason, e->detail };
	memcpy(cells, row, sizeof row);
}

static void message_row(struct case_file *f, const struct replay_event *e, struct str *cells)
{
	struct call *c = f->c;
	const struct str row[] = { time_cell(c, e->at), e->what, replay_what(e, call_is_en(c)), e->t->name, label_text(c, e->t->label),
		id_cell(c, e->record), e->number, e->title, e->channel, replay_mask(e->actor, c->arena), id_cell(c, e->tier), e->reason };
	memcpy(cells, row, sizeof row);
}

static const struct table_of tables[] = {
	{ "alarm-journal.csv", REPLAY_ALARM, 17, "时间,报警,监测点编码,监测点,企业,规则,代码,发生了什么,级别,原状态,新状态,数值,限值,单位,由谁,原因,到达时间\r\n",
	  "time,alarm,point code,point,enterprise,rule,code,what,level,state before,state after,value,limit,unit,by,reason,arrived\r\n", alarm_row },
	{ "actions.csv", REPLAY_ACTION, 14, "时间,审计序号,由谁,代码,发生了什么,类型代码,类型,编号（内部）,编号,名称,原状态,新状态,原因,变动\r\n",
	  "time,audit entry,by,code,what,type code,type,id,number,title,state before,state after,reason,changes\r\n", action_row },
	{ "messages.csv", REPLAY_MESSAGE, 12, "时间,代码,发生了什么,类型代码,类型,编号（内部）,编号,名称,渠道或消息,接收人（隐去）,上报级次,原因\r\n",
	  "time,code,what,type code,type,id,number,title,channel or message,receiver (masked),tier,reason\r\n", message_row },
};

static enum err put_table(struct case_file *f, const struct table_of *t)
{
	const struct replay *r = &f->v->r;
	struct str cells[20];
	struct buf b;
	buf_init(&b, LIMIT_RESPONSE);
	buf_add_cstr(&b, "\xef\xbb\xbf"); // so that spreadsheets read UTF-8
	buf_add_cstr(&b, call_is_en(f->c) ? t->en : t->zh);
	for (size_t i = 0; i < r->nevents; i++) {
		if (r->events[i].kind != t->kind)
			continue;
		t->row(f, &r->events[i], cells);
		table_csv_row(&b, cells, t->columns);
	}
	enum err err = buf_ok(&b) ? casefile_member(&f->z, t->member, buf_str(&b)) : ERR_TOO_LARGE;
	buf_free(&b);
	return err;
}

// Every sample, as the export of readings writes them.
static enum err put_readings(struct case_file *f)
{
	struct call *c = f->c;
	uint32_t ids[LIMIT_EXPORT_POINTS];
	struct str codes[LIMIT_EXPORT_POINTS];
	char piece[1 << 16];
	int fd;
	int64_t size;
	for (size_t i = 0; i < f->npoints; i++) {
		ids[i] = f->v->points[i].def.id;
		codes[i] = f->v->points[i].def.code;
	}
	struct readings_request rq = { .store = c->app->store, .series = c->app->series, .points = ids, .codes = codes, .npoints = f->npoints,
		.from = f->v->r.from, .to = f->v->r.to, .max = LIMIT_EXPORT_READINGS, .format = READINGS_CSV, .en = call_is_en(c) };
	enum err err = readings_file(&rq, &fd, &size, &c->p);
	if (err)
		return err;
	err = bundle_member(f->z.b, "readings.csv", &c->p);
	for (ssize_t n = 1; !err && n > 0;) {
		n = read(fd, piece, sizeof piece);
		err = n < 0 ? ERR_IO : n ? bundle_add(f->z.b, str_from(piece, (size_t)n)) : OK;
	}
	close(fd);
	return err ? err : bundle_member_end(f->z.b, &c->p);
}

static enum err put_replay(struct case_file *f)
{
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_RESPONSE);
	jw_init(&w, &b);
	enum err err = replay_json(f->c, f->v, &w);
	if (!err)
		err = jw_done(&w) ? casefile_member(&f->z, "replay.json", buf_str(&b)) : ERR_TOO_LARGE;
	buf_free(&b);
	return err;
}

static enum err put_summary(struct case_file *f)
{
	struct call *c = f->c;
	struct replay_curve *curves = arena_many(c->arena, f->v->ntrends + 1, struct replay_curve);
	struct str pdf;
	enum err err = OK;
	for (size_t i = 0; i < f->v->ntrends && !err; i++) {
		const struct site_point *p = &f->v->points[i];
		struct agg *v;
		size_t n;
		curves[i] = (struct replay_curve){ .code = p->def.code, .name = p->name, .unit = p->unit, .min = INFINITY, .max = -INFINITY };
		err = series_aggregate(c->app->series, p->def.id, f->v->r.from, f->v->r.to, replay_step(&f->v->r, p), c->arena, &v, &n);
		for (size_t k = 0; k < n && !err; k++) {
			if (!v[k].n)
				continue;
			curves[i].n += v[k].n;
			curves[i].min = fmin(curves[i].min, v[k].min);
			curves[i].max = fmax(curves[i].max, v[k].max);
		}
	}
	if (!err)
		err = replay_paper(&f->v->r, curves, f->v->ntrends, &c->id, c->app->county, f->z.at, call_is_en(c), c->arena, &pdf);
	return err ? err : casefile_member(&f->z, "summary.pdf", pdf);
}

// ---- the index in plain text -----------------------------------------------------------------------
static enum err put_index(struct case_file *f)
{
	const struct replay *r = &f->v->r;
	struct call *c = f->c;
	struct str from = time_cell(c, r->from), to = time_cell(c, r->to), at = time_cell(c, f->z.at);
	struct str who = c->id.title.n ? c->id.title : c->id.name;
	struct buf b;
	buf_init(&b, 1 << 16);
	buf_printf(&b, "案卷 / CASE FILE\r\n\r\n对象：%.*s %.*s\r\n时间：%.*s 至 %.*s\r\n导出：%.*s，%.*s，%.*s\r\n", STR_FMT(r->number), STR_FMT(r->title), STR_FMT(from),
	           STR_FMT(to), STR_FMT(c->app->county), STR_FMT(who), STR_FMT(at));
	buf_printf(&b, "\r\n内容（按导出人的权限；个人信息隐去；时间带时区）\r\n"
	           "summary.pdf        摘要\r\nalarm-journal.csv  报警日志：每次报警、级别变化、恢复、确认、搁置、抑制\r\n"
	           "actions.csv        办理：记录的创建、修改、流转（审计序号可与审计链对照）\r\nmessages.csv       消息与回执\r\n"
	           "readings.csv       %zu 个监测点的全部读数（共有 %zu 个；完整名单见 replay.json 的 points）\r\n"
	           "replay.json        回放所用的全部数据\r\nSM3SUMS.txt        以上各文件的 SM3（GB/T 32905-2016）\r\nmanifest.json      各文件大小与 SM3、本次导出的审计记录、审计链\r\n", f->npoints, f->v->points_there);
	buf_printf(&b, "\r\nSubject: %.*s %.*s\r\nFrom %.*s to %.*s\r\nExported by %.*s at %.*s, in this person's rights; personal data is masked; times carry their zone.\r\n",
	           STR_FMT(r->number), STR_FMT(r->title), STR_FMT(from), STR_FMT(to), STR_FMT(who), STR_FMT(at));
	casefile_how(&b, "readings.csv");
	enum err err = casefile_member(&f->z, "README.txt", buf_str(&b));
	buf_free(&b);
	return err;
}

// ---- the file --------------------------------------------------------------------------------------
static enum err write_members(struct case_file *f)
{
	enum err err = put_index(f);
	if (!err)
		err = put_summary(f);
	for (size_t i = 0; i < ARRAY_LEN(tables) && !err; i++)
		err = put_table(f, &tables[i]);
	if (!err)
		err = put_readings(f);
	if (!err)
		err = put_replay(f);
	return err;
}

static enum err write_case(struct case_file *f)
{
	const struct replay *r = &f->v->r;
	json_t *m = bundle_manifest(f->z.b);
	struct str from = time_cell(f->c, r->from), to = time_cell(f->c, r->to);
	struct buf b;
	struct jw w;
	enum err err = write_members(f);
	if (err)
		return err;
	json_object_set_new(m, "from", json_stringn(from.p, from.n));
	json_object_set_new(m, "to", json_stringn(to.p, to.n));
	json_object_set_new(m, "subject", json_stringn(r->title.p ? r->title.p : "", r->title.n));
	f->z.entry.action = STR("replay.export");
	f->z.entry.type = STR("replay");
	buf_init(&b, 4096);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "subject", r->t ? r->t->name : r->kind);
	jw_ki64(&w, "id", r->id);
	jw_kstr(&w, "area", r->area);
	jw_ktime(&w, "from", r->from);
	jw_ktime(&w, "to", r->to);
	err = casefile_end(&f->z, &b, &w);
	buf_free(&b);
	return err;
}

enum err replay_case_post(struct call *c)
{
	struct replay_view v;
	c->id.export = true; // a file to take away
	enum err err = replay_view_read(c, &v);
	struct case_file f = { .c = c, .v = &v };
	if (err)
		return err;
	f.npoints = MIN(v.npoints, (size_t)LIMIT_EXPORT_POINTS);
	struct civil t = time_to_civil(v.r.from, time_zone());
	err = casefile_begin(&f.z, c);
	if (!err)
		err = write_case(&f);
	if (!err)
		err = casefile_answer(&f.z, arena_printf(c->arena, "case-%04d%02d%02d-%02d%02d.zip", t.year, t.month, t.day, t.hour, t.min));
	casefile_free(&f.z);
	return err;
}
