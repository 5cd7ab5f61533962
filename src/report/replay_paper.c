// The words of a replay, and its summary on paper. See replay.h.
#include "base/time.h"
#include "flow/words.h"
#include "report/paper.h"
#include "report/replay.h"

#define SHOWN 200       // events on paper; all of them are in the tables beside it

static const struct { const char *what, *zh, *en; } words[] = {
	// entries of an alarm's journal
	{ "raised", "报警", "Alarm raised" }, { "level", "级别变化", "Level changed" }, { "returned", "恢复", "Returned to normal" },
	{ "ack", "确认报警", "Alarm acknowledged" }, { "comment", "备注", "Comment" }, { "shelve", "搁置报警", "Alarm shelved" },
	{ "unshelve", "取消搁置", "Alarm unshelved" }, { "suppress", "抑制报警", "Alarm suppressed" },
	{ "unsuppress", "取消抑制", "Suppression ended" }, { "out_of_service", "停用报警", "Alarm out of service" },
	{ "in_service", "恢复投用", "Alarm in service" },
	// changes of records
	{ "create", "创建", "Created" }, { "open", "自动创建", "Opened by the platform" }, { "update", "修改", "Changed" }, { "edit", "修改", "Changed" },
	{ "move", "流转", "Moved" }, { "overdue", "超时上报", "Overdue, escalated" }, { "remind", "提醒", "Reminded" },
	{ "retire", "作废", "Retired" }, { "revive", "恢复使用", "In use again" }, { "release", "发布（按矩阵通知）", "Released by the matrix" },
	{ "receipt", "确认收到", "Receipt confirmed" }, { "receipts_late", "回执超时，上报下一级", "Receipts late, next tier told" },
	{ "joined", "又有报警并入", "Another alarm joined" }, { "reveal", "查看完整信息", "Personal data seen in the clear" },
	{ "extension", "延期", "More time" }, { "ask", "申请延期", "More time asked for" }, { "approve", "同意延期", "More time granted" },
	{ "refuse", "不同意延期", "More time refused" }, { "withdraw", "撤回", "Withdrawn" }, { "issue", "签发文书", "Document issued" },
	{ "key", "设备密钥", "Device key" }, { "command", "下发命令", "Command sent" }, { "file", "文件", "File" }, { "add", "添加文件", "File added" }, { "import", "导入", "Imported" }, { "bulk", "批量办理", "Bulk change" },
	// messages and receipts
	{ "made", "消息生成", "Message made" }, { "sent", "消息已发出", "Message sent" }, { "delivered", "消息已送达", "Message delivered" },
	{ "undelivered", "消息未送达", "Message not delivered" }, { "failed", "消息发送失败", "Message failed" },
	{ "told", "已通知", "Told" }, { "read", "已读", "Read" }, { "confirmed", "已确认收到", "Receipt confirmed" },
};

static struct str word_of(struct str what, bool en)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(what, words[i].what))
			return str_of(en ? words[i].en : words[i].zh);
	return en ? STR("Other") : STR("其他操作");
}

static struct str label_of(struct label l, bool en) { return en && l.en.n ? l.en : l.zh; }

// "move:verify" is what the move is called; "device.key", "open:TYPE": the word of "key", "open".
struct str replay_what(const struct replay_event *e, bool en)
{
	struct str name = e->what, action = str_cut(&name, ':');
	const struct move *m = e->kind == REPLAY_ACTION && str_is(action, "move") ? type_move(e->t, name) : NULL;
	while (e->kind == REPLAY_ACTION && str_contains(action, STR(".")))
		(void)str_cut(&action, '.');
	return m ? label_of(m->label, en) : word_of(action, en);
}

struct str replay_state(enum alarm_state s, bool en)
{
	static const char *const names[][2] = { { "正常", "Normal" }, { "未确认", "Not acknowledged" }, { "已确认", "Acknowledged" },
		{ "已恢复待确认", "Returned, not acknowledged" }, { "已搁置", "Shelved" }, { "已抑制", "Suppressed" }, { "已停用", "Out of service" } };
	return str_of(names[s][en]);
}

struct str replay_mask(struct str name, struct arena *a)
{
	size_t first = name.n ? utf8_sequence((const uint8_t *)name.p, name.n) : 0;
	return name.n ? arena_printf(a, "%.*s**", (int)first, name.p) : name;
}

// ---- paper ---------------------------------------------------------------------------------------
static struct str clock_text(int64_t us, struct arena *a)
{
	char text[TIME_TEXT_MAX];
	return arena_str(a, str_from(text, time_text(us - us % US_PER_S, text)));
}

// Within a table the zone is said above it.
static struct str moment(int64_t us, struct arena *a)
{
	struct civil t = time_to_civil(us, time_zone());
	return arena_printf(a, "%04d-%02d-%02d %02d:%02d:%02d", t.year, t.month, t.day, t.hour, t.min, t.sec);
}

static void put_facts(struct paper *p, const struct replay *r, const struct identity *by, int64_t at, bool en, struct arena *a)
{
	size_t n[3] = { 0 };
	for (size_t i = 0; i < r->nevents; i++)
		n[r->events[i].kind]++;
	const char *counts = en ? "%zu of alarms, %zu changes of records, %zu of messages" : "报警 %zu 条，办理 %zu 条，消息 %zu 条";
	struct str subject = arena_printf(a, "%.*s %.*s", STR_FMT(r->number), STR_FMT(r->title));
	const struct str cells[] = {
		en ? STR("About") : STR("对象"), r->number.n ? subject : r->title,
		en ? STR("From") : STR("开始"), clock_text(r->from, a),
		en ? STR("To") : STR("结束"), clock_text(r->to, a),
		en ? STR("Alarms open in it") : STR("期间未关闭的报警"), arena_printf(a, "%zu", r->nalarms),
		en ? STR("Events") : STR("事件"), arena_printf(a, counts, n[0], n[1], n[2]),
		en ? STR("Exported") : STR("导出"), arena_printf(a, "%.*s  %.*s", STR_FMT(by->title.n ? by->title : by->name), STR_FMT(clock_text(at, a))),
	};
	paper_put_table(p, &(struct paper_table){ .columns = 2, .widths = (double[]){ 1, 3 }, .cells = cells, .rows = ARRAY_LEN(cells) / 2,
	                                          .first_bold = true });
}

static struct str about(const struct replay_event *e, bool en, struct arena *a)
{
	if (e->kind == REPLAY_ALARM)
		return arena_printf(a, "%.*s %.*s", STR_FMT(e->alarm->point_name), STR_FMT(label_of(e->alarm->say, en)));
	return arena_printf(a, "%.*s %.*s %.*s", STR_FMT(label_of(e->t->label, en)), STR_FMT(e->number), STR_FMT(e->title));
}

static void put_events(struct paper *p, const struct replay *r, bool en, struct arena *a)
{
	static const struct str zh[] = { { "时间", 6 }, { "发生了什么", 15 }, { "对象", 6 }, { "由谁", 6 } };
	static const struct str heads[] = { { "Time", 4 }, { "What", 4 }, { "Of", 2 }, { "By", 2 } };
	size_t n = MIN(r->nevents, (size_t)SHOWN);
	struct str *cells = arena_many(a, 4 * n + 1, struct str);
	for (size_t i = 0; i < n; i++) {
		const struct replay_event *e = &r->events[i];
		cells[4 * i] = moment(e->at, a);
		cells[4 * i + 1] = replay_what(e, en);
		cells[4 * i + 2] = about(e, en, a);
		cells[4 * i + 3] = e->kind == REPLAY_MESSAGE ? replay_mask(e->actor, a) : e->actor.n ? e->actor : en ? STR("System") : STR("系统");
	}
	if (n)
		paper_put_table(p, &(struct paper_table){ .columns = 4, .widths = (double[]){ 2.2, 2, 4, 1.3 }, .head = en ? heads : zh,
		                                          .cells = cells, .rows = n });
	if (n < r->nevents)
		paper_text(p, arena_printf(a, en ? "%zu more are in the tables of this case file." : "另有 %zu 条，见案卷中的表格。", r->nevents - n), false);
}

static void put_curves(struct paper *p, const struct replay_curve *v, size_t n, bool en, struct arena *a)
{
	static const struct str zh[] = { { "监测点", 9 }, { "读数", 6 }, { "最小", 6 }, { "最大", 6 } };
	static const struct str heads[] = { { "Point", 5 }, { "Readings", 8 }, { "Lowest", 6 }, { "Highest", 7 } };
	struct str *cells = arena_many(a, 4 * n + 1, struct str);
	for (size_t i = 0; i < n; i++) {
		cells[4 * i] = arena_printf(a, "%.*s %.*s", STR_FMT(v[i].code), STR_FMT(v[i].name));
		cells[4 * i + 1] = arena_printf(a, "%lld", (long long)v[i].n);
		cells[4 * i + 2] = v[i].n ? arena_printf(a, "%.6g %.*s", v[i].min, STR_FMT(v[i].unit)) : STR("—");
		cells[4 * i + 3] = v[i].n ? arena_printf(a, "%.6g %.*s", v[i].max, STR_FMT(v[i].unit)) : STR("—");
	}
	if (n)
		paper_put_table(p, &(struct paper_table){ .columns = 4, .widths = (double[]){ 4, 1, 1.5, 1.5 }, .head = en ? heads : zh,
		                                          .cells = cells, .rows = n });
}

enum err replay_paper(const struct replay *r, const struct replay_curve *curves, size_t ncurves, const struct identity *by,
                      struct str office, int64_t at, bool en, struct arena *a, struct str *ret_pdf)
{
	struct paper_options o = { .title = r->title, .at = at, .watermark = STR_EMPTY, .en = en };
	struct paper *p = paper_new(&o);
	paper_title(p, arena_printf(a, en ? "Case file: %.*s" : "案卷摘要：%.*s", STR_FMT(r->title)));
	paper_note(p, arena_printf(a, "%.*s　%.*s", STR_FMT(office), STR_FMT(words_time(at, a))));
	put_facts(p, r, by, at, en, a);
	paper_heading(p, en ? STR("What happened") : STR("事情经过"));
	put_events(p, r, en, a);
	paper_heading(p, en ? STR("Readings of the points (good ones)") : STR("各监测点读数（可用的）"));
	put_curves(p, curves, ncurves, en, a);
	return paper_end(p, a, ret_pdf);
}
