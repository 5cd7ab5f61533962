// GB/T 26875.3-2011: a control (command 1) with an application data unit of type 90 sets the device's clock (second, minute, hour,
// day, month, year; binary as in captures, or BCD as configured); the device confirms (3) or denies (6) with the same number.
#include "gate/decode/downlink.h"

#define SET_CLOCK 90u

void gb26875_peer(const struct gb26875 *m, struct downlink_peer *ret)
{
	char addresses[12];
	memcpy(addresses, m->source, 6);
	memcpy(addresses + 6, m->destination, 6);
	downlink_keep(ret->code, &ret->code_len, sizeof ret->code, str_from(addresses, sizeof addresses));
	ret->bcd_time = m->bcd;
	ret->version = m->main_version;
	ret->system = m->user_version;
}

void gb26875_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out)
{
	struct gb26875 m = { .seq = (uint16_t)s->number, .main_version = to->version, .user_version = (uint8_t)to->system,
		             .command = GB26875_CONTROL, .bcd = to->bcd_time };
	uint8_t unit[2 + GB26875_TIME_BYTES] = { SET_CLOCK, 1 };
	memcpy(m.destination, to->code, 6);
	memcpy(m.source, to->code + 6, 6);
	gb26875_put_time(now, to->bcd_time, unit + 2);
	m.data = str_from((const char *)unit, sizeof unit);
	gb26875_frame(&m, now, out);
}

bool gb26875_answers(const struct gb26875 *m, const struct downlink_sent *s, struct command_answer *ret)
{
	if (m->seq != (uint16_t)s->number || (m->command != GB26875_CONFIRM && m->command != GB26875_DENY))
		return false;
	bool yes = m->command == GB26875_CONFIRM;
	return downlink_said(ret, yes ? OUTCOME_DONE : OUTCOME_REFUSED, m->command, yes ? "3 确认 confirmed" : "6 否认 denied");
}
