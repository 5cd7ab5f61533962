// `anlan limits`: the table of base/limits.h, printed from the header's own names.
#include <stdio.h>

#include "base/limits.h"
#include "tool/tool.h"

#define ROW(name)                                                                                                                \
	{                                                                                                                        \
#name, (unsigned long)(name)                                                                                     \
	}

static const struct {
	const char *name;
	unsigned long value;
} limits[] = {
	ROW(LIMIT_HTTP_BODY),        ROW(LIMIT_HTTP_HEADERS),
	ROW(LIMIT_HTTP_CONNECTIONS), ROW(LIMIT_HTTP_SECONDS),
	ROW(LIMIT_EVENT_STREAMS),    ROW(LIMIT_EVENT_BACKLOG),
	ROW(LIMIT_RESPONSE),         ROW(LIMIT_PAGE_SIZE),
	ROW(LIMIT_EXPORT_ROWS),      ROW(LIMIT_LOGIN_TRIES),
	ROW(LIMIT_LOGIN_WAIT_S),     ROW(LIMIT_SESSIONS_PER_USER),
	ROW(LIMIT_GATE_CONNECTIONS), ROW(LIMIT_GATE_UNAUTHENTICATED_S),
	ROW(LIMIT_MQTT_PACKET),      ROW(LIMIT_MQTT_TOPIC),
	ROW(LIMIT_MQTT_INFLIGHT),    ROW(LIMIT_MQTT_SUBSCRIPTIONS),
	ROW(LIMIT_GATE_OUT),         ROW(LIMIT_READINGS_PER_MESSAGE),
	ROW(LIMIT_DEVICE_NAME),      ROW(LIMIT_DEVICE_KEY),
	ROW(LIMIT_POINT_NAME),       ROW(LIMIT_POINTS_PER_DEVICE),
	ROW(LIMIT_HJ212_SEGMENT),    ROW(LIMIT_GB26875_DATA),
	ROW(LIMIT_READING_FUTURE_S), ROW(LIMIT_READING_PAST_DAYS),
	ROW(LIMIT_YAML_FILE),        ROW(LIMIT_YAML_DEPTH),
	ROW(LIMIT_YAML_NODES),       ROW(LIMIT_POINTS),
	ROW(LIMIT_TEXT_FIELD),       ROW(LIMIT_DIAGS),
	ROW(LIMIT_TYPE_FIELDS),      ROW(LIMIT_SHAPE_FIELD),
	ROW(LIMIT_GATE_LINGER_S),    ROW(LIMIT_GATE_REFRESH_S),
	ROW(LIMIT_MQTT_CLIENT_ID),   ROW(LIMIT_MQTT_COMMANDS),
	ROW(LIMIT_COMMAND),          ROW(LIMIT_COMMANDS_PER_DEVICE),
	ROW(LIMIT_COMMANDS),         ROW(LIMIT_COMMAND_AGE_S),
};

int tool_limits(int argc, char **argv)
{
	tool_no_more_options(argc, argv, "usage: anlan limits");
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		printf("%-32s %lu\n", limits[i].name, limits[i].value);
	return 0;
}
