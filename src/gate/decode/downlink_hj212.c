// HJ 212-2017, from the server: table 9 has the commands, annex C their exchanges. A request is answered twice: 9011 says whether
// it will be done (QnRtn, table 6), 9012 how it went (ExeRtn, table 6); what was asked for comes between them under the same QN.
// Of an instrument (PolId: of the factor it measures): its number (3019), its log (3020, InfoId i11001, annex B), a state or a setting.
// 2011 only begins what goes on, and 2012 is a notice (9013): neither has a result.
#include "gate/decode/downlink.h"

static const struct {
	int cn;
	const char *cp;
} ASKS[COMMAND__MAX] = {
	[COMMAND_TIME_SET] = { 1012, NULL },     [COMMAND_TIME_GET] = { 1011, "" },  [COMMAND_INTERVAL_SET] = { 1062, NULL },
	[COMMAND_INTERVAL_GET] = { 1061, "" },   [COMMAND_QUERY_NOW] = { 2011, "" }, [COMMAND_REALTIME_STOP] = { 2012, "" },
	[COMMAND_MINUTE_SET] = { 1064, NULL },   [COMMAND_MINUTE_GET] = { 1063, "" }, [COMMAND_QUERY_HISTORY] = { 0, NULL },
	[COMMAND_INSTRUMENT_ID] = { 3019, NULL }, [COMMAND_INSTRUMENT_LOG] = { 3020, NULL }, [COMMAND_INSTRUMENT_INFO] = { 3020, NULL },
};

void hj212_peer(const struct hj212 *m, struct downlink_peer *ret)
{
	downlink_keep(ret->code, &ret->code_len, sizeof ret->code, m->mn);
	downlink_keep(ret->key, &ret->key_len, sizeof ret->key, m->pw);
	ret->version = m->flag < 0 ? 0 : (uint8_t)(m->flag & 0xfc);
	if (m->st != 91) // its own, not that of the answers
		ret->system = (uint16_t)m->st;
}

static void add_time(struct buf *out, const char *name, int64_t at, bool ms)
{
	struct civil t = time_to_civil(at, ZONE_CHINA_MIN);
	buf_printf(out, "%s%04d%02d%02d%02d%02d%02d", name, t.year, t.month, t.day, t.hour, t.min, t.sec);
	if (ms)
		buf_printf(out, "%03d", t.us / 1000);
}

static int history_cn(uint32_t span) { return span == SPAN_MINUTE ? 2051 : span == SPAN_HOUR ? 2061 : 2031; }

#define CODE_FMT(c) (int)strnlen(c, sizeof(c)), c

static void put_instrument(struct buf *out, const struct command *c)
{
	if (!(command_info((enum command_kind)c->kind)->params & PARAM_FACTOR))
		return;
	buf_printf(out, "PolId=%.*s", CODE_FMT(c->factor));
	if (c->kind == COMMAND_INSTRUMENT_INFO)
		buf_printf(out, ";InfoId=%.*s", CODE_FMT(c->info));
	if (c->kind != COMMAND_INSTRUMENT_LOG)
		return;
	buf_add_cstr(out, ";InfoId=i11001");
	add_time(out, ";BeginTime=", c->from, false);
	add_time(out, ",EndTime=", c->to, false);
}

void hj212_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out)
{
	struct buf segment;
	buf_init(&segment, LIMIT_HJ212_SEGMENT);
	add_time(&segment, "QN=", (int64_t)s->number * US_PER_MS, true);
	buf_printf(&segment, ";ST=%d;CN=%d;PW=%.*s;MN=%.*s;Flag=%u;CP=&&", to->system,
		   s->c.kind == COMMAND_QUERY_HISTORY ? history_cn(s->c.span) : ASKS[s->c.kind].cn, (int)to->key_len, to->key,
		   (int)to->code_len, to->code, to->version | HJ212_FLAG_ANSWER);
	if (s->c.kind == COMMAND_TIME_SET)
		add_time(&segment, "SystemTime=", now, false);
	else if (s->c.kind == COMMAND_INTERVAL_SET)
		buf_printf(&segment, "RtdInterval=%u", s->c.seconds);
	else if (s->c.kind == COMMAND_MINUTE_SET)
		buf_printf(&segment, "MinInterval=%u", s->c.seconds / 60);
	else if (s->c.kind == COMMAND_QUERY_HISTORY) {
		add_time(&segment, "BeginTime=", s->c.from, false);
		add_time(&segment, ";EndTime=", s->c.to, false);
	}
	put_instrument(&segment, &s->c);
	buf_add_cstr(&segment, "&&");
	if (buf_ok(&segment))
		hj212_frame(buf_str(&segment), out);
	buf_free(&segment);
}

static struct str item(const struct hj212 *m, const char *name)
{
	struct str rest = m->cp;
	struct hj212_pair pair = { 0 };
	while (hj212_next(&rest, &pair))
		if (str_is(pair.name, name))
			return pair.value;
	return STR_EMPTY;
}

// What is said of the instrument: every number of 3019, every piece of information of 3020.
static bool instrument_said(const struct hj212 *m, const struct downlink_sent *s, struct command_answer *ret)
{
	bool id = m->cn == 3019;
	if (id != (s->c.kind == COMMAND_INSTRUMENT_ID) || !(command_info((enum command_kind)s->c.kind)->params & PARAM_FACTOR))
		return false;
	struct str rest = m->cp, time = item(m, "DataTime");
	struct hj212_pair pair = { 0 };
	struct buf all;
	buf_init(&all, LIMIT_HJ212_SEGMENT);
	buf_add_str(&all, time);
	while (hj212_next(&rest, &pair))
		if (str_ends(pair.name, id ? STR("-SN") : STR("-Info")))
			buf_printf(&all, "%s%.*s=%.*s", all.n ? " " : "", STR_FMT(pair.name), STR_FMT(pair.value));
	struct str text = str_first(buf_str(&all), COMMAND_ANSWER_TEXT - 1);
	while (!str_utf8_valid(text) && text.n + 4 > COMMAND_ANSWER_TEXT) // cut within a character
		text.n--;
	downlink_said(ret, all.n > time.n ? OUTCOME_DONE : OUTCOME_REFUSED, 0, "%.*s", STR_FMT(text));
	buf_free(&all);
	return true;
}

// QN of the request. HJ/T 212-2005 repeats it within CP.
static bool is_answer_to(const struct hj212 *m, uint64_t number)
{
	int64_t at = m->qn_time;
	struct str qn = m->qn.n ? m->qn : item(m, "QN");
	if (!m->qn.n && !time_parse_local(qn, ZONE_CHINA_MIN, &at))
		return false;
	return qn.n == 17 && at == (int64_t)number * US_PER_MS;
}

static int32_t code_of(struct str s)
{
	int64_t v;
	return str_to_i64(s, &v) && v >= 0 && v <= 9999 ? (int32_t)v : -1;
}

static const char *request_text(int32_t code) // table 6: QnRtn
{
	static const char *const texts[] = { "", "准备执行请求 ready", "请求被拒绝 refused", "PW 错误 wrong PW", "MN 错误 wrong MN", "ST 错误 wrong ST",
		"Flag 错误 wrong Flag", "QN 错误 wrong QN", "CN 错误 wrong CN", "CRC 校验错误 wrong CRC" };
	return code > 0 && code < (int32_t)ARRAY_LEN(texts) ? texts[code] : "未知错误 unknown error";
}

static const char *result_text(int32_t code) // table 6: ExeRtn
{
	switch (code) {
	case 1: return "执行成功 done";
	case 3: return "命令请求条件错误 wrong condition";
	case 4: return "通信超时 timed out";
	case 5: return "系统繁忙 busy";
	case 6: return "系统故障 fault";
	case 100: return "没有数据 no data";
	default: return "执行失败 failed";
	}
}

static bool request_answered(const struct hj212 *m, const struct downlink_sent *s, struct command_answer *ret)
{
	int32_t code = code_of(item(m, "QnRtn"));
	enum command_outcome yes = s->c.kind == COMMAND_QUERY_NOW ? OUTCOME_DONE : OUTCOME_ACCEPTED;
	return downlink_said(ret, code == HJ212_READY ? yes : OUTCOME_REFUSED, code, "QnRtn=%d %s", code, request_text(code));
}

bool hj212_answers(const struct hj212 *m, const struct downlink_sent *s, struct command_answer *ret)
{
	struct str v;
	int32_t code;
	if (!is_answer_to(m, s->number))
		return false;
	switch (m->cn) {
	case 9011: return request_answered(m, s, ret);
	case 9012:
		code = code_of(item(m, "ExeRtn"));
		return downlink_said(ret, code == 1 || code == 100 ? OUTCOME_DONE : OUTCOME_REFUSED, code, "ExeRtn=%d %s", code, result_text(code));
	case 9013: return s->c.kind == COMMAND_REALTIME_STOP && downlink_said(ret, OUTCOME_DONE, 0, "9013 通知应答 acknowledged");
	case 1011:
		v = item(m, "SystemTime");
		return s->c.kind == COMMAND_TIME_GET && downlink_said(ret, OUTCOME_DONE, 0, "SystemTime=%.*s", STR_FMT(str_first(v, 32)));
	case 1061:
		v = item(m, "RtdInterval");
		return s->c.kind == COMMAND_INTERVAL_GET && downlink_said(ret, OUTCOME_DONE, 0, "RtdInterval=%.*s s", STR_FMT(str_first(v, 32)));
	case 1063:
		v = item(m, "MinInterval");
		return s->c.kind == COMMAND_MINUTE_GET && downlink_said(ret, OUTCOME_DONE, 0, "MinInterval=%.*s min", STR_FMT(str_first(v, 32)));
	case 3019: case 3020: return instrument_said(m, s, ret);
	default: return false;
	}
}
