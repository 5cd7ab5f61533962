// GB/T 32960.3-2016 annex B: 80 asks for parameters (time, count, identifiers) and 81 sets them (time, count, identifier and
// value); the vehicle answers with the same identifier and answer flag 01 or 02, to 80 with the values (table B.10: 02 is the
// interval of its reports, a WORD of seconds, 09 that of its heartbeat, a BYTE). 82 controls (time, command, parameters): of those only
// 03, the terminal starts again, is sent: to upgrade, switch off, reset to the factory's or cut off is the maker's business.
// That 82 has 01 upgrade, 02 switch off, 03 restart, 04 factory, 05 cut off, 06 alarm, 07 sampling (table B.15), and its data time (6) and
// command (1), is confirmed by the sources of six independent terminals and platforms that name the table, and by a broker's guide to
// its gateway of this standard (01, 02, 06); not read in the standard itself: 待核.
#include "gate/decode/downlink.h"

#include "base/cursor.h"

#define INTERVAL 0x02u
#define HEARTBEAT 0x09u
#define RESTART 0x03u

void gb32960_peer(const struct gb32960 *m, struct downlink_peer *ret)
{
	downlink_keep(ret->code, &ret->code_len, sizeof ret->code, m->vin_sent);
}

static uint8_t id_of(uint32_t kind)
{
	return kind == COMMAND_INTERVAL_GET ? GB32960_QUERY : kind == COMMAND_RESTART ? GB32960_CONTROL : GB32960_SET;
}

void gb32960_command(const struct downlink_peer *to, const struct downlink_sent *s, int64_t now, struct buf *out)
{
	bool beat = s->c.kind == COMMAND_HEARTBEAT_SET, restart = s->c.kind == COMMAND_RESTART;
	char data[GB32960_TIME_BYTES + 4] = { 0 };
	size_t n = GB32960_TIME_BYTES;
	gb32960_put_time(now, data);
	if (!restart)
		data[n++] = 1;
	data[n++] = restart ? RESTART : beat ? HEARTBEAT : INTERVAL;
	if (s->c.kind == COMMAND_INTERVAL_SET)
		data[n++] = (char)(s->c.seconds >> 8);
	if (beat || s->c.kind == COMMAND_INTERVAL_SET)
		data[n++] = (char)s->c.seconds;
	gb32960_frame(id_of(s->c.kind), GB32960_COMMAND, str_from(to->code, to->code_len), str_from(data, n), out);
}

bool gb32960_answers(const struct gb32960 *m, const struct downlink_sent *s, struct command_answer *ret)
{
	if (m->command != id_of(s->c.kind) || m->response == GB32960_COMMAND)
		return false;
	if (m->response != GB32960_SUCCESS)
		return downlink_said(ret, OUTCOME_REFUSED, m->response, "%02X 应答标志 answer flag %02X", m->command, m->response);
	struct cursor c = cursor_of(str_skip(m->data, GB32960_TIME_BYTES));
	uint8_t count = take_u8(&c), id = take_u8(&c);
	uint16_t value = take_be16(&c);
	if (m->command != GB32960_QUERY)
		return downlink_said(ret, OUTCOME_DONE, 1, "%02X 成功 done", m->command);
	return cursor_ok(&c) && count == 1 && id == INTERVAL ? downlink_said(ret, OUTCOME_DONE, 1, "80 02=%u s", value)
							     : downlink_said(ret, OUTCOME_REFUSED, 1, "80 没有参数 02 without parameter 02");
}
