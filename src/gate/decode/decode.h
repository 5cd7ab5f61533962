// What devices say, turned into readings: pure functions from bytes to what they mean, without sockets, files or clock.
// The gate calls them on its loop thread; `anlan decode` prints with them. Three kinds of function:
//
//   framing    PROTOCOL_feed: where the first frame of a byte stream is, or how many bytes to drop and why
//   decoding   PROTOCOL_decode, PROTOCOL_readings, payload_decode: what a frame or a message body says
//   answering  PROTOCOL_answer: the bytes that the standard wants back
//
// Readings go to a sink while the text is still being read. If a decoder returns false, the whole message is refused:
// the caller forgets what the sink got (the gate writes into ring memory that it then does not commit). An item that is
// wrong alone goes to sink.refuse, and the rest of its message counts. Every size is bounded by base/limits.h.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/time.h"
#include "bus/msg.h"

// One reading before its name is looked up among the device's points.
struct decoded {
	struct str name; // the point's name in the protocol, see below; lives as long as the message and its arena
	struct str alias;      // another name for the same value, to try if name is not a point; or empty
	int64_t time;          // UTC us. Not compared with the present: that is the caller's business
	double value;          // finite, in the unit of the protocol; 0 when quality is Q_BAD and there was none
	enum quality quality;
	uint16_t flags;        // READING_HISTORY
	bool untimed;          // the sender has no clock, and what it says cannot wait for one: the time is that of the arrival
	int64_t sent;          // when the sender's own clock says that it sent the message, UTC us; 0: the protocol does not say
	bool optional;         // of a family sent together (status bits, averages): not a mistake if it is not a point
};

struct decode_sink {
	void *owner;
	void (*reading)(void *owner, const struct decoded *d);
	void (*refuse)(void *owner, enum reject why, struct str what); // one item; what: its name, or ""
};

// Why a frame or message was refused as a whole. The texts are constants.
struct refusal {
	enum reject reason;
	const char *zh, *en;   // what is wrong
	size_t offset;         // of the byte where it was noticed
	uint32_t want, got;    // two numbers that differ, if how is not '-'
	char how;              // '-': no numbers; 'd': decimal; 'x': hexadecimal
};

struct complaint {         // the constant part of a refusal
	enum reject reason;
	const char *zh, *en;
};

static inline bool refuse_at(struct refusal *r, enum reject reason, size_t offset, const char *zh, const char *en)
{
	*r = (struct refusal){ reason, zh, en, offset, 0, 0, '-' };
	return false;
}
static inline bool refuse_as(struct refusal *r, const struct complaint *c, size_t offset)
{
	return refuse_at(r, c->reason, offset, c->zh, c->en);
}

// A number as devices write it: JSON syntax, and also +5, 007, .5, 5. with blanks around. Finite.
bool decode_number(struct str s, double *ret);

// --- framing of a TCP stream -----------------------------------------------------------------------------------------

enum feed { FEED_MORE, FEED_FRAME, FEED_BAD };
struct fed {
	enum feed what;
	size_t drop; // bytes to drop from the front when done with it (also with FEED_MORE: blanks between frames)
	struct str frame; // FEED_FRAME: the whole frame. FEED_BAD: the frame if only its checksum is wrong, else empty
	struct refusal why;    // FEED_BAD
};

// in: everything received and not yet dropped. Never asks for more than FEED_BYTES_MAX bytes in all.
#define ZONE_CHINA_MIN 480 // the standards' times are Beijing time
#define FEED_BYTES_MAX (LIMIT_GB32960_DATA + 64u)
struct fed hj212_feed(struct str in);
struct fed gb26875_feed(struct str in);

// --- HJ 212-2017 (and HJ/T 212-2005, whose Flag and QN may be absent) -----------------------------------------------
//
// Packets (PNUM, PNO): each is read on its own; the DataTime, which devices say in the first only, is kept, and the last item
// when it may go on in the next packet (the standard wants whole items, devices cut where the packet is full). Items of a
// later packet whose DataTime is not known are refused, for QN is when it was sent.
// Names: "a21026-Rtd" (the sampled value) is named "a21026", alias "a21026-Rtd"; every other value of a factor keeps
// its full name ("a21026-Avg", "SB1-RS") and is optional. Time: SampleTime of the item, else DataTime, else QN. Data
// flag → quality: N and none good; M C S F maintenance (no measurement of the process); T range; D B and unknown bad.

struct hj212 {
	struct str qn;         // request number, 17 digits YYYYMMDDhhmmsszzz, or empty
	int64_t qn_time;       // the same as UTC us; INT64_MIN if qn is not a time
	int st;                // system type, -1: absent
	int cn;                // command
	struct str pw, mn;     // password (may be empty), device number: the device's code for us
	int flag;              // -1: absent (2005)
	int pnum, pno;         // packets, packet; 0: absent
	int64_t shared_time;   // DataTime of an earlier packet with this QN, if the caller knows one; else INT64_MIN
	struct str cp;         // between && and &&
};
#define HJ212_FLAG_ANSWER 1u  // bit A
#define HJ212_FLAG_PACKETS 2u // bit D
enum hj212_return {           // table 6: QnRtn
	HJ212_READY = 1,
	HJ212_REFUSED = 2,
	HJ212_WRONG_PW = 3,
	HJ212_WRONG_MN = 4,
	HJ212_WRONG_ST = 5,
	HJ212_WRONG_FLAG = 6,
	HJ212_WRONG_QN = 7,
	HJ212_WRONG_CN = 8,
	HJ212_WRONG_CRC = 9,
	HJ212_UNKNOWN_ERROR = 100,
};

uint16_t hj212_crc(struct str segment); // annex A
// frame as hj212_feed gave it, with or without CR LF. Checks length and CRC. When it is refused for its checksum, *ret
// still holds what could be read, for hj212_deny; otherwise only an accepted frame fills it.
bool hj212_decode(struct str frame, struct hj212 *ret, struct refusal *why);
bool hj212_data_time(const struct hj212 *m, int64_t *ret); // of its CP; false: none. *ret: INT64_MIN if it is no time
bool hj212_readings(const struct hj212 *m, const struct decode_sink *sink, struct refusal *why);
// The answer that the standard wants for a message that was accepted, if any: 9014 to data, 9013 to a notice, 9011 with
// QnRtn 2 (refused) to a request, which a server does not carry out. Nothing is added when bit A asks for none.
void hj212_answer(const struct hj212 *m, struct buf *out);
// 9011 with QnRtn: the message was not accepted. Nothing is added when bit A asks for no answer.
void hj212_deny(const struct hj212 *m, enum hj212_return code, struct buf *out);
// Whole frame around a segment, with CR LF.
void hj212_frame(struct str segment, struct buf *out);
// The end of a packet's CP that may go on in the next: its last item, unless a ; stands behind it or it ends with its data
// flag; empty: none. Cut: it surely goes on, in the middle of a name, a value or behind a comma.
struct str hj212_open_end(struct str cp);
bool hj212_is_cut(struct str open);
// Whether cp, of the next packet, begins with the rest of open, and not with an item of its own.
bool hj212_goes_on(struct str open, struct str cp);
// Cuts one name=value out of CP (items are separated by ; and their parts by ,). False at the end.
struct hj212_pair {
	struct str name, value; // without surrounding blanks
	unsigned item;         // number of the item it belongs to, from 0
	unsigned next_item;    // private to hj212_next
	bool bare;             // there was no = at all
};
bool hj212_next(struct str *cp, struct hj212_pair *pair); // start with *pair zeroed

// --- GB/T 26875.3-2011 -----------------------------------------------------------------------------------------------
//
// The device is known by its source address: 12 hex digits, lower case, in the order sent. Names, numbers in decimal,
// S system type, A system address, C component type, P component address (4 bytes, low byte first), T analog type:
//   type 3   "S.A.C.P.T"            value in the unit of the analog type
//   type 1   "S.A.status"           the 16 status bits as a number, and each bit by name: "S.A.fire" 0 or 1 (optional)
//   type 2   "S.A.C.P.status"       likewise: "S.A.C.P.fault" …
//   type 21  "device.status"        likewise: "device.main_power_fault" …
//   type 4   "S.A.operation"        the operation bits; type 24 "device.operation"
// All but type 3 are optional. Time: the object's time label, else the frame's.

// One information object of an application data unit.
struct gb26875_object {
	struct str body;        // without the time label
	int64_t time;           // its label, UTC us; INT64_MIN: none, or not a time
	bool labelled;
};
struct gb26875_walk {
	struct str rest;
	uint8_t type, count;    // of the unit
	bool known;             // the standard defines the type; otherwise rest is what follows the count, unread
	bool labels, bcd;       // private
};

struct gb26875 {
	uint16_t seq;
	uint8_t main_version, user_version;
	int64_t time;           // UTC us; INT64_MIN if the label is no time
	uint8_t source[6], destination[6];
	uint8_t command;        // 1 control 2 send 3 confirm 4 request 5 answer 6 deny
	struct str data;        // application data unit
	bool bcd;               // time labels in BCD, as configured for the device (the standard: binary)
};
enum { GB26875_CONTROL = 1, GB26875_SEND, GB26875_CONFIRM, GB26875_REQUEST, GB26875_ANSWER, GB26875_DENY };

// frame as gb26875_feed gave it. Checks length, sum and the objects; refused for its checksum, *ret is filled as far as
// the fixed part goes, for gb26875_answer.
bool gb26875_decode(struct str frame, bool bcd, struct gb26875 *ret, struct refusal *why);
// The objects of the unit, all checked by gb26875_decode: begin, then next until it returns false.
struct gb26875_walk gb26875_objects(const struct gb26875 *m);
bool gb26875_next(struct gb26875_walk *w, struct gb26875_object *ret);
int64_t gb26875_time(struct str six, bool bcd); // time label → UTC us, INT64_MIN if it is no time
// Names of the standard's codes in English snake case, NULL if it defines none.
const char *gb26875_command_name(uint8_t command);
const char *gb26875_type_name(uint8_t type);
const char *gb26875_system_name(uint8_t system);       // table 4
const char *gb26875_component_name(uint8_t component); // table 5
const char *gb26875_analog_name(uint8_t analog, const char **ret_unit, unsigned *ret_divisor); // table 6
const char *gb26875_status_name(uint8_t type, unsigned bit);    // type 1, 2 or 21; bit 0 "normal"
const char *gb26875_operation_name(uint8_t type, unsigned bit); // type 4 or 24
void gb26875_device(const struct gb26875 *m, char ret[12]); // source address as the device's code
bool gb26875_readings(const struct gb26875 *m, struct arena *arena, const struct decode_sink *sink,
		      struct refusal *why);
// Confirmation (command 3) of a send, denial (6) of a control or request, which a server does not carry out, and of a command that
// is none (6.5); nothing for the rest. now: UTC us, for the time label. accepted false: denial also of a send.
void gb26875_answer(const struct gb26875 *m, bool accepted, int64_t now, struct buf *out);
#define GB26875_TIME_BYTES 6u
void gb26875_put_time(int64_t at, bool bcd, uint8_t ret[GB26875_TIME_BYTES]);
void gb26875_frame(const struct gb26875 *m, int64_t now, struct buf *out); // whole; m->time is not looked at, now is its label

// --- Modbus TCP ------------------------------------------------------------------------------------------------------
//
// The server asks and the device answers. A point's address says what to read: TABLE:NUMBER[:TYPE[:ORDER]]
//   TABLE   coil discrete holding input
//   NUMBER  0…65535, as in the request (the register called 40001 in manuals is holding:0)
//   TYPE    of holding and input: uint16 (if none is named) int16 uint32 int32 float32 uint64 int64 float64, or bit0 … bit15
//   ORDER   of bytes: abcd (if none is named) cdab badc dcba

enum modbus_table { MODBUS_COIL = 1, MODBUS_DISCRETE, MODBUS_HOLDING, MODBUS_INPUT };
enum modbus_type { MODBUS_BIT, MODBUS_U16, MODBUS_I16, MODBUS_U32, MODBUS_I32, MODBUS_F32, MODBUS_U64, MODBUS_I64, MODBUS_F64 };
struct modbus_item {
	struct str address;    // as written
	enum modbus_table table;
	enum modbus_type type;
	uint16_t at;
	int bit;               // of one register, -1: the whole
	bool words_swapped, bytes_swapped;
};
struct modbus_read {           // one request
	uint16_t transaction;
	uint8_t unit;
	enum modbus_table table;
	uint16_t at, n;        // n: registers (≤ MODBUS_REGISTERS) or bits (≤ MODBUS_BITS)
};
struct modbus {                // one frame
	uint16_t transaction;
	uint8_t unit, function, exception; // exception: 0 = none
	struct str data;       // behind the function code
};
#define MODBUS_REQUEST 12
#define MODBUS_REGISTERS 125   // V1.1b3 6.3, 6.4
#define MODBUS_BITS 2000       // 6.1, 6.2
bool modbus_address(struct str text, struct modbus_item *ret); // false: not of the form above
unsigned modbus_words(const struct modbus_item *it);           // registers it takes
struct str modbus_request(const struct modbus_read *r, uint8_t ret[MODBUS_REQUEST]);
struct fed modbus_feed(struct str in);
bool modbus_decode(struct str frame, struct modbus *ret, struct refusal *why);
bool modbus_answers(const struct modbus *m, const struct modbus_read *r, struct refusal *why); // true also for an exception
// it lies in r, and m answers it without exception. Not finite when the device says so.
double modbus_value(const struct modbus_item *it, const struct modbus_read *r, const struct modbus *m);
const char *modbus_exception_name(uint8_t code); // NULL: the standard defines none

// --- bodies of MQTT and HTTP messages --------------------------------------------------------------------------------

enum payload { PAYLOAD_NONE, PAYLOAD_JSON, PAYLOAD_SENML, PAYLOAD_SENML_CBOR, PAYLOAD_GATEWAY };
// By the first byte, or the first key that only one form has; PAYLOAD_NONE: none of ours.
enum payload payload_recognise(struct str body);
size_t payload_most(struct str body); // readings that a body of its length can hold at most
// Whoever sent it said what it is.
bool payload_decode_as(enum payload form, struct str body, struct arena *arena, int64_t now,
		       const struct decode_sink *sink, struct refusal *why);
// Recognises and decodes. now: UTC us, for relative SenML times.
bool payload_decode(struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
		    struct refusal *why);

// [{"point": code, "time": RFC 3339 or ms since 1970, "value": number or true/false, "quality"?: name of enum
// quality}…], or one such object. null is a value when quality is "bad".
bool payload_json(struct str body, struct arena *arena, const struct decode_sink *sink, struct refusal *why);
// RFC 8428 JSON, or the object {"bn", "e": [records]} of the drafts before it. The point is the resolved name; v, vb (0 or 1) or, without them, the sum s.
bool payload_senml(struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
		   struct refusal *why);
// RFC 8428 6: the same in CBOR, with definite or indefinite arrays and maps, behind the tag of RFC 8949 3.4.6 or not.
// Numbers are integers, floats of any width or decimal fractions; names may be text keys instead of labels.
bool payload_senml_cbor(struct str body, struct arena *arena, int64_t now, const struct decode_sink *sink,
			struct refusal *why);
// The gateway family: plain or decrypted bodies of 数据接入规范. The point is pointCode, quotaId or tnm.
bool payload_gateway(struct str body, struct arena *arena, const struct decode_sink *sink, struct refusal *why);
