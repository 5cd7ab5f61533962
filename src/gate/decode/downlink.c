// Which protocol has which commands. Bounds are those of the standards, named at each.
#include "gate/decode/downlink.h"

#include <stdarg.h>
#include <stdio.h>

#define KIND(k) (1u << COMMAND_##k)
#define SPAN(s) (1u << SPAN_##s)

static const struct downlink ALL[] = {
	{ .protocol = "mqtt", .kinds = KIND(PAYLOAD) },
	// HJ 212-2017 table 9; RtdInterval 30 to 3600 s, MinInterval 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30 minutes (table 7)
	{ .protocol = "hj212", .answers = true,
	  .kinds = KIND(TIME_SET) | KIND(TIME_GET) | KIND(INTERVAL_SET) | KIND(INTERVAL_GET) | KIND(MINUTE_SET) | KIND(MINUTE_GET) |
	           KIND(QUERY_NOW) | KIND(REALTIME_STOP) | KIND(QUERY_HISTORY) | KIND(INSTRUMENT_ID) | KIND(INSTRUMENT_LOG) |
	           KIND(INSTRUMENT_INFO),
	  .spans = SPAN(MINUTE) | SPAN(HOUR) | SPAN(DAY), .interval = { 30, 3600, 1, 0 }, .minute = { 60, 1800, 60, 3600 } },
	{ .protocol = "gb26875", .answers = true, .kinds = KIND(TIME_SET) },
	// JT/T 808 table 12: parameters 0029 and 0001 are a DWORD of seconds; a day is our bound
	{ .protocol = "jt808", .answers = true,
	  .kinds = KIND(INTERVAL_SET) | KIND(INTERVAL_GET) | KIND(HEARTBEAT_SET) | KIND(QUERY_NOW) | KIND(RESTART),
	  .interval = { 1, 86400, 1, 0 }, .heartbeat = { 1, 86400, 1, 0 } },
	// GB/T 32960.3-2016 table B.10: parameter 02 1 to 600 s, 09 1 to 240 s
	{ .protocol = "gb32960", .answers = true, .kinds = KIND(INTERVAL_SET) | KIND(INTERVAL_GET) | KIND(HEARTBEAT_SET) | KIND(RESTART),
	  .interval = { 1, 600, 1, 0 }, .heartbeat = { 1, 240, 1, 0 } },
	// SL 651-2014 annex D: interval of the timed report (20H) in whole hours up to a day
	{ .protocol = "sl651", .answers = true,
	  .kinds = KIND(TIME_SET) | KIND(TIME_GET) | KIND(INTERVAL_SET) | KIND(INTERVAL_GET) | KIND(QUERY_NOW) | KIND(QUERY_HISTORY),
	  .spans = SPAN(MINUTE) | SPAN(HOUR) | SPAN(DAY), .interval = { 3600, 86400, 3600, 0 }, .element = true },
};

const struct downlink *downlink_of(struct str protocol)
{
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++)
		if (str_is(protocol, ALL[i].protocol))
			return &ALL[i];
	return NULL;
}

const struct downlink_range *downlink_seconds(const struct downlink *d, enum command_kind k)
{
	if (!downlink_has(d, k))
		return NULL;
	return k == COMMAND_INTERVAL_SET  ? &d->interval :
	       k == COMMAND_MINUTE_SET    ? &d->minute :
	       k == COMMAND_HEARTBEAT_SET ? &d->heartbeat :
	                                    NULL;
}

static bool wrong(struct downlink_wrong *ret, const char *field, const char *zh, const char *en)
{
	*ret = (struct downlink_wrong){ .field = field, .zh = zh, .en = en };
	return false;
}

static bool check_period(const struct command *c, int64_t now, struct downlink_wrong *ret)
{
	if (c->from <= 0)
		return wrong(ret, "since", "请填写开始时间", "say where the period begins");
	if (c->to <= c->from || c->to > now)
		return wrong(ret, "until", "结束时间应晚于开始时间，且不晚于现在", "the period must end after it begins, and not in the future");
	if (c->to - c->from > LIMIT_COMMAND_PERIOD_DAYS * US_PER_DAY)
		return wrong(ret, "until", "一次最多补传 31 天", "at most 31 days can be asked for at once");
	return true;
}

static bool check_history(const struct downlink *d, const struct command *c, struct downlink_wrong *ret)
{
	if (!(d->spans >> c->span & 1))
		return wrong(ret, "span", "请选择分钟、小时或日数据", "choose minute, hour or day");
	if (d->element && (c->element == 0 || c->element > 0xffffff || (c->element > 0xffff && c->element >> 16 != 0xff)))
		return wrong(ret, "element", "请填写要素标识符和数据定义，如 3923（瞬时水位）", "say the element's identifier and definition, as 3923 for the level");
	return true;
}

static bool is_code(const char code[8]) // letters and digits
{
	size_t n = strnlen(code, 8);
	for (size_t i = 0; i < n; i++)
		if (!((code[i] >= '0' && code[i] <= '9') || ((code[i] | 32) >= 'a' && (code[i] | 32) <= 'z')))
			return false;
	return n != 0;
}

bool downlink_check(const struct downlink *d, const struct command *c, int64_t now, struct downlink_wrong *ret)
{
	enum command_kind k = (enum command_kind)c->kind;
	const struct downlink_range *r = downlink_seconds(d, k);
	if (!downlink_has(d, k))
		return wrong(ret, "kind", "这个设备的协议没有这项命令", "the protocol of this device does not have this command");
	if (r && (c->seconds < r->min || c->seconds > r->max || c->seconds % r->step)) {
		wrong(ret, "seconds", "间隔（秒）超出协议允许的范围", "the interval in seconds is not one the protocol allows");
		ret->min = r->min;
		ret->max = r->max;
		ret->step = r->step;
		return false;
	}
	if (r && r->whole && r->whole % c->seconds)
		return wrong(ret, "seconds", "一小时应为它的整数倍，如 300、600 或 900 秒", "it must divide an hour, as 300, 600 or 900 seconds do");
	unsigned params = command_info(k)->params;
	if (params & PARAM_FACTOR && !is_code(c->factor))
		return wrong(ret, "element", "请填写监测因子编码，如 w01018", "say the code of the factor, as w01018");
	if (params & PARAM_INFO && !is_code(c->info))
		return wrong(ret, "info", "请填写信息编码，如 i13004", "say the code of the information, as i13004");
	if (params & PARAM_PERIOD && !check_period(c, now, ret))
		return false;
	return k != COMMAND_QUERY_HISTORY || check_history(d, c, ret);
}

// What a device said stands in a record: no control characters, and if it is not UTF-8, only ASCII.
static void clean(char *text)
{
	bool utf8 = str_utf8_valid(str_of(text));
	for (char *p = text; *p; p++)
		if ((uint8_t)*p < ' ' || *p == 127 || (!utf8 && (uint8_t)*p >= 0x80))
			*p = '.';
}

bool downlink_said(struct command_answer *ret, enum command_outcome o, int32_t code, const char *fmt, ...)
{
	va_list ap;
	*ret = (struct command_answer){ .outcome = o, .code = code };
	va_start(ap, fmt);
	vsnprintf(ret->text, sizeof ret->text, fmt, ap);
	va_end(ap);
	clean(ret->text);
	return true;
}

void downlink_keep(char *to, uint8_t *ret_len, size_t max, struct str s)
{
	s = str_first(s, max);
	memcpy(to, s.p, s.n);
	*ret_len = (uint8_t)s.n;
}
