// JT/T 808-2013 and 2019 "Terminal communication protocol and data format of the satellite positioning system for road
// transport vehicles". Pure functions, any thread.
//
// The device is known by its phone number without leading zeros, so that a terminal keeps its code when it changes from
// the 12 digits of 2013 to the 20 of 2019. Names of readings, all of one position:
//   "lon" "lat" degrees (south and west negative), "speed" km/h: always there, a mistake if they are no points
//   "alt" m, "direction" degrees, "mileage" km, "fuel" L, "recorder_speed" km/h, "carriage_temp" ℃, "rssi", "satellites",
//   "ad0" "ad1", "alarm" and "status" as numbers, "alarm.NAME" and "status.NAME" 0 or 1, "load" 0 1 3: optional
// Without a fix (status bit 1 = 0) what the satellites should have told is bad. Time: of the position, GMT+8.
#pragma once

#include "gate/decode/decode.h"

enum {
	JT808_ACK = 0x0001, JT808_HEARTBEAT = 0x0002, JT808_LOGOUT = 0x0003, JT808_ASK_TIME = 0x0004, JT808_ASK_PARTS = 0x0005,
	JT808_REGISTER = 0x0100, JT808_AUTHENTICATE = 0x0102, JT808_PARAMETERS = 0x0104, JT808_ATTRIBUTES = 0x0107,
	JT808_POSITION = 0x0200, JT808_POSITION_ANSWER = 0x0201, JT808_BATCH = 0x0704, JT808_PASS_UP = 0x0900,
	JT808_SERVER_ACK = 0x8001, JT808_SERVER_TIME = 0x8004, JT808_REGISTERED = 0x8100, JT808_SET_PARAMETERS = 0x8103,
	JT808_GET_PARAMETERS = 0x8104, JT808_CONTROL = 0x8105, JT808_GET_POSITION = 0x8201, JT808_TEXT = 0x8300,
};

struct jt808 {
	uint16_t id, attributes, seq;
	bool edition_2019;       // layout of the header, by its length
	uint8_t version;         // protocol version of the 2019 header, else 0
	uint8_t encryption;      // bits 10-12: 0 none, 1 RSA; the body can then not be read
	char phone[20];          // digits as sent
	uint8_t digits;          // 12 or 20
	uint8_t checksum;
	uint16_t parts, part;    // of a message in several packets, part from 1; 0: whole
	struct str body;
};

#define JT808_SIGN "\x7e"
struct fed jt808_feed(struct str in);
// frame: from 7E to 7E. Undoes the escapes (into the arena), checks XOR, length and the phone's digits. The version bit
// does not decide between the headers, because some terminals set it wrongly: the one whose length fits does.
bool jt808_decode(struct str frame, struct arena *arena, struct jt808 *ret, struct refusal *why);
struct str jt808_device(const struct jt808 *m); // slice of m->phone: without leading zeros, at least one digit

// 0200, 0201, 0704 (its type 1, blind area: READING_HISTORY); no readings for the rest. False if a body is too short, and
// as unsupported for what the server does not do: encrypted bodies and the messages that jt808_result refuses with 3.
bool jt808_readings(const struct jt808 *m, struct arena *arena, const struct decode_sink *sink, struct refusal *why);

// --- parts of bodies, for readings and for printing ---

struct jt808_position {
	uint32_t alarm, status;
	double lat, lon;        // degrees, south and west negative
	uint16_t altitude;      // m
	double speed;           // km/h
	uint16_t direction;     // degrees from north
	int64_t time;           // UTC us, INT64_MIN: not a time
	struct str extras;      // id, length, value …
};
#define JT808_POSITION_BYTES 28u
#define JT808_STATUS_FIXED (1u << 1)
bool jt808_position(struct str body, struct jt808_position *ret); // false: too short
bool jt808_extra(struct str *extras, uint8_t *ret_id, struct str *ret_value); // next one; false at the end or when it is cut off
// 0704: count, type (0 normal batch, 1 blind area), then length and body of each position.
struct jt808_batch {
	uint16_t count;
	uint8_t type;
	struct str rest;
};
bool jt808_batch(struct str body, struct jt808_batch *ret);
bool jt808_batch_next(struct jt808_batch *b, struct str *ret); // false at the end or when it is cut off
struct str jt808_auth_code(const struct jt808 *m);  // of 0102
int64_t jt808_time(struct str bcd6);                // yyMMddHHmmss at GMT+8
const char *jt808_name(uint16_t id);                // of a message; NULL: unknown
const char *jt808_alarm_name(unsigned bit, bool edition_2019); // tables 18 and 24; NULL: reserved
const char *jt808_status_name(unsigned bit, bool edition_2019);
// Extra 06 (2019 table 27): ℃, the highest bit means below zero. Terminals send two's complement or sign and magnitude: what would lie
// below absolute zero in the one is read as the other.
double jt808_carriage_temp(uint16_t raw);
// Extras that are one number: name, and value = raw / divisor. NULL: another one, or not of that length.
const char *jt808_extra_name(uint8_t id, size_t bytes, double *ret_divisor);

// --- what the server says (jt808_encode.c) ---

enum jt808_result { JT808_OK, JT808_FAILED, JT808_WRONG, JT808_UNSUPPORTED }; // of 8001
enum jt808_registered { JT808_REGISTERED_OK, JT808_VEHICLE_TAKEN, JT808_NO_VEHICLE, JT808_TERMINAL_TAKEN, JT808_NO_TERMINAL }; // of 8100
enum jt808_result jt808_result(const struct jt808 *m); // of a message that can be read: OK or UNSUPPORTED
bool jt808_wants_ack(const struct jt808 *m);           // false: it is itself an answer

// A whole frame to the terminal that to came from (edition and phone), with escapes. seq: the server's own number.
void jt808_frame(const struct jt808 *to, uint16_t id, uint16_t seq, struct str body, struct buf *out);
void jt808_ack(const struct jt808 *m, uint16_t seq, enum jt808_result result, struct buf *out);
void jt808_registered(const struct jt808 *m, uint16_t seq, enum jt808_registered result, struct str auth_code, struct buf *out);
void jt808_server_time(const struct jt808 *m, uint16_t seq, int64_t now, struct buf *out); // now: UTC us
void jt808_ask_position(const struct jt808 *to, uint16_t seq, struct buf *out);
void jt808_restart(const struct jt808 *to, uint16_t seq, struct buf *out); // terminal control, command word 4
void jt808_ask_parameters(const struct jt808 *to, uint16_t seq, struct buf *out);
// n: at most 100 of the list.
struct jt808_parameter {
	uint32_t id;
	uint8_t bytes;          // 1, 2 or 4
	uint32_t value;
};
void jt808_set_parameters(const struct jt808 *to, uint16_t seq, const struct jt808_parameter *p, uint8_t n, struct buf *out);
// flags as in table 8300 (bit 0 urgent, 2 display, 3 TTS); type (2019): 1 notice, 2 service. text in GBK.
void jt808_text(const struct jt808 *to, uint16_t seq, uint8_t flags, uint8_t type, struct str text, struct buf *out);
