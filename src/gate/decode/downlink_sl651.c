// SL 651-2014, 6.6: the centre's questions end with ENQ and bear its own serial; the station answers with the same function.
//   4A, 51  clock: set to the time of sending, read      42, 43  running parameters: 20 08 HH, hours between timed reports (annex D)
//   37      present readings                             38      readings of a period: begin and end to the hour, step (04 18 and
//                                                                days, hours, minutes), the element's identifier and definition
// Readings in an answer are readings as in any report.
#include "gate/decode/downlink.h"

#include "base/cursor.h"

static const uint8_t FUNCTIONS[COMMAND__MAX] = {
	[COMMAND_TIME_SET] = SL651_SET_CLOCK,       [COMMAND_TIME_GET] = SL651_GET_CLOCK,       [COMMAND_INTERVAL_SET] = SL651_SET_RUNNING,
	[COMMAND_INTERVAL_GET] = SL651_GET_RUNNING, [COMMAND_QUERY_NOW] = SL651_NOW,            [COMMAND_QUERY_HISTORY] = SL651_HISTORY,
};
static const char TIMED[] = { 0x20, 0x08 }; // identifier, and its definition: one byte, no decimals

void sl651_peer(const struct sl651 *m, struct downlink_peer *ret)
{
	downlink_keep(ret->code, &ret->code_len, sizeof ret->code, str_from(m->station, sizeof m->station));
	downlink_keep(ret->key, &ret->key_len, sizeof ret->key, str_from(m->password, sizeof m->password));
	ret->system = m->centre;
}

static char bcd(int v) { return (char)(v / 10 % 10 << 4 | v % 10); }

static size_t put_hour(int64_t at, char *to)
{
	struct civil t = time_to_civil(at, ZONE_CHINA_MIN);
	const char four[] = { bcd(t.year % 100), bcd(t.month), bcd(t.day), bcd(t.hour) };
	memcpy(to, four, sizeof four);
	return sizeof four;
}

static size_t put_history(const struct command *c, char *to)
{
	const char step[] = { 0x04, 0x18, bcd(c->span == SPAN_DAY), bcd(c->span == SPAN_HOUR), bcd(c->span == SPAN_MINUTE ? 5 : 0) };
	size_t n = put_hour(c->from, to);
	n += put_hour(c->to, to + n);
	memcpy(to + n, step, sizeof step);
	n += sizeof step;
	for (int shift = c->element > 0xffff ? 16 : 8; shift >= 0; shift -= 8)
		to[n++] = (char)(c->element >> shift);
	return n;
}

static size_t put_more(const struct command *c, char *to)
{
	if (c->kind == COMMAND_QUERY_HISTORY)
		return put_history(c, to);
	if (c->kind != COMMAND_INTERVAL_SET && c->kind != COMMAND_INTERVAL_GET)
		return 0;
	memcpy(to, TIMED, sizeof TIMED);
	if (c->kind == COMMAND_INTERVAL_GET)
		return sizeof TIMED;
	to[sizeof TIMED] = bcd((int)(c->seconds / 3600));
	return sizeof TIMED + 1;
}

void sl651_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out)
{
	struct sl651 m = { .centre = (uint8_t)to->system, .function = FUNCTIONS[s->c.kind] };
	char more[32];
	memcpy(m.station, to->code, sizeof m.station);
	memcpy(m.password, to->key, sizeof m.password);
	sl651_down(&m, (uint16_t)s->number, str_from(more, put_more(&s->c, more)), SL651_ENQ, now, out);
}

static bool interval(const struct sl651 *m, const struct downlink_sent *s, struct str rest, struct command_answer *ret)
{
	const char *at = memmem(rest.p, rest.n, TIMED, sizeof TIMED);
	struct str value = at ? str_skip(rest, (size_t)(at - rest.p) + sizeof TIMED) : STR_EMPTY;
	if (!value.n)
		return downlink_said(ret, OUTCOME_REFUSED, 0, "%02X 应答中没有 20H without 20H", m->function);
	unsigned hours = (uint8_t)value.p[0];
	hours = (hours >> 4) * 10 + (hours & 15);
	bool same = s->c.kind == COMMAND_INTERVAL_GET || hours * 3600 == s->c.seconds;
	return downlink_said(ret, same ? OUTCOME_DONE : OUTCOME_REFUSED, 0, "%02X 20H=%u h", m->function, hours);
}

bool sl651_answers(const struct sl651 *m, const struct downlink_sent *s, struct command_answer *ret)
{
	struct sl651_head h;
	char at[TIME_TEXT_MAX];
	if (m->down || m->function != FUNCTIONS[s->c.kind] || m->end == SL651_ETB || !sl651_head(m->body, &h))
		return false; // ETB: more follows
	switch (m->function) {
	case SL651_SET_RUNNING: case SL651_GET_RUNNING: return interval(m, s, h.rest, ret);
	case SL651_SET_CLOCK: case SL651_GET_CLOCK:
		if (h.sent == INT64_MIN)
			return downlink_said(ret, OUTCOME_REFUSED, 0, "%02X 时间无法识别 not a time", m->function);
		return downlink_said(ret, OUTCOME_DONE, 0, "%02X %.*s", m->function, (int)time_text_zone(h.sent, ZONE_CHINA_MIN, at), at);
	default: return downlink_said(ret, OUTCOME_DONE, 0, "%02X 已应答 answered", m->function);
	}
}
