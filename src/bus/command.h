// What can be asked of a device, by name and whatever its protocol: the one list of kinds and their parameters. Which device can
// do which, and within which bounds, is gate/decode/downlink.h. Pure, any thread.
#pragma once

#include "base/str.h"
#include "bus/msg.h"

enum command_kind {
	COMMAND_PAYLOAD,       // bytes for the device's own command topic
	COMMAND_TIME_SET,      // to the moment at which it is sent
	COMMAND_TIME_GET,
	COMMAND_INTERVAL_SET,  // of its regular reports
	COMMAND_INTERVAL_GET,
	COMMAND_MINUTE_SET,    // how long each of its minute values is
	COMMAND_MINUTE_GET,
	COMMAND_HEARTBEAT_SET, // interval of its sign of life
	COMMAND_QUERY_NOW,     // its present readings
	COMMAND_REALTIME_STOP, // what QUERY_NOW began, where that goes on
	COMMAND_QUERY_HISTORY, // what it has kept of a period
	COMMAND_RESTART,       // of its communication, not of what it measures
	COMMAND_INSTRUMENT_ID, // the serial number of the instrument that measures a factor
	COMMAND_INSTRUMENT_LOG, // what it has noted of itself in a period
	COMMAND_INSTRUMENT_INFO, // one of its states or settings
	COMMAND__MAX
};
enum command_span { SPAN_NONE, SPAN_MINUTE, SPAN_HOUR, SPAN_DAY, SPAN__MAX }; // which values of the past

struct command {
	uint32_t kind;         // enum command_kind
	uint32_t span;         // enum command_span
	uint32_t seconds;      // INTERVAL_SET, MINUTE_SET, HEARTBEAT_SET
	uint32_t element;      // SL 651: identifier and definition of what QUERY_HISTORY is about; 0: none
	char factor[8], info[8]; // INSTRUMENT_*: HJ 212 PolId and InfoId, zeros behind
	int64_t from, to;      // QUERY_HISTORY, INSTRUMENT_LOG: UTC us
};

enum { // parameters a kind needs, as bits
	PARAM_SECONDS = 1, PARAM_PERIOD = 2, PARAM_SPAN = 4, PARAM_ELEMENT = 8 /* of some protocols */, PARAM_PAYLOAD = 16,
	PARAM_FACTOR = 32 /* stands in the field of the element */, PARAM_INFO = 64,
};

struct command_info {
	const char *name;
	unsigned params;
};
const struct command_info *command_info(enum command_kind k);
const char *command_span_name(enum command_span s);      // "minute" "hour" "day", "" for none
bool command_kind_find(struct str name, enum command_kind *ret);
bool command_span_find(struct str name, enum command_span *ret);

// What a device said to a command.
enum command_outcome {
	OUTCOME_ACCEPTED, // it will do it, and say how it went
	OUTCOME_DONE,
	OUTCOME_REFUSED,
};
#define COMMAND_ANSWER_TEXT 200
struct command_answer {
	uint32_t outcome;      // enum command_outcome
	int32_t code;          // the protocol's own
	char text[COMMAND_ANSWER_TEXT]; // UTF-8: the device's words, in the terms of its standard
};

struct msg_command {       // + payload up to m.size; m.seq: number of the command, m.device
	struct msg m;
	struct command c;
};
struct msg_answer {        // m.seq: of the command
	struct msg m;
	struct command_answer a;
};
