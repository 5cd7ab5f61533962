// The names of the commands, as they stand in records and the API; their texts are the menu device_command_kind.
#include "bus/command.h"

static const struct command_info KINDS[COMMAND__MAX] = {
	[COMMAND_PAYLOAD] = { "payload", PARAM_PAYLOAD },           [COMMAND_TIME_SET] = { "time_set", 0 },
	[COMMAND_TIME_GET] = { "time_get", 0 },                     [COMMAND_INTERVAL_SET] = { "interval_set", PARAM_SECONDS },
	[COMMAND_INTERVAL_GET] = { "interval_get", 0 },             [COMMAND_HEARTBEAT_SET] = { "heartbeat_set", PARAM_SECONDS },
	[COMMAND_MINUTE_SET] = { "minute_set", PARAM_SECONDS },     [COMMAND_MINUTE_GET] = { "minute_get", 0 },
	[COMMAND_QUERY_NOW] = { "query_now", 0 },                   [COMMAND_REALTIME_STOP] = { "realtime_stop", 0 },
	[COMMAND_QUERY_HISTORY] = { "query_history", PARAM_PERIOD | PARAM_SPAN | PARAM_ELEMENT },
	[COMMAND_RESTART] = { "restart", 0 },
	[COMMAND_INSTRUMENT_ID] = { "instrument_id", PARAM_FACTOR },
	[COMMAND_INSTRUMENT_LOG] = { "instrument_log", PARAM_FACTOR | PARAM_PERIOD },
	[COMMAND_INSTRUMENT_INFO] = { "instrument_info", PARAM_FACTOR | PARAM_INFO },
};

static const char *const SPANS[SPAN__MAX] = { "", "minute", "hour", "day" };

const struct command_info *command_info(enum command_kind k) { return &KINDS[(unsigned)k < COMMAND__MAX ? k : COMMAND_PAYLOAD]; }
const char *command_span_name(enum command_span s) { return (unsigned)s < SPAN__MAX ? SPANS[s] : ""; }

bool command_kind_find(struct str name, enum command_kind *ret)
{
	for (int k = 0; k < COMMAND__MAX; k++)
		if (str_is(name, KINDS[k].name)) {
			*ret = (enum command_kind)k;
			return true;
		}
	return false;
}

bool command_span_find(struct str name, enum command_span *ret)
{
	for (int s = 0; s < SPAN__MAX; s++)
		if (str_is(name, SPANS[s])) {
			*ret = (enum command_span)s;
			return true;
		}
	return false;
}
