// SL 651-2014 "Data transmission protocol for hydrologic monitoring": frames in HEX/BCD. Pure functions, any thread.
//
// The device is known by its station address, ten digits as sent; centre address and password, six hex digits, are its key. A reading is
// named by its element's identifier, two hex digits ("39"; "FF38" for an extended one), alias its symbol in annex C ("Z"):
//   20 PJ rain now, 26 PT rain in all, 1F PD of the day: mm   39 Z river, 3A ZB below, 3B ZU above a gate or dam: m
//   38 VT supply: V      27 Q flow: m³/s      45 ZT status as a number, "ZT.NAME" 0 or 1
//   F4 DRP, F5…FC DRZ1…8 twelve values of an hour, five minutes apart, each with its own time
// Supply, status and the lists of twelve are optional. All FF: a reading of bad quality. A test report (30) is maintenance, an
// answer with history (38) READING_HISTORY. Elements of another station than the frame's (6.6.2.7) are named "STATION.39". What
// pumps, valves and sluices do (4C, 4D, 4E) is "PUMP.1", "VALVE.1", "SLUICE.1" 0 or 1, "SLUICE.1.opening" in m: optional. Time: of the observation, else of sending, GMT+8. What people typed (35) is no reading.
#pragma once

#include "gate/decode/decode.h"

enum {
	SL651_STX = 0x02, SL651_SYN = 0x16, SL651_ETX = 0x03, SL651_ETB = 0x17, SL651_ENQ = 0x05, SL651_ACK = 0x06, SL651_NAK = 0x15,
	SL651_EOT = 0x04, SL651_ESC = 0x1b,
};
enum {
	SL651_KEEP = 0x2f, SL651_TEST = 0x30, SL651_UNIFORM, SL651_TIMED, SL651_EXTRA, SL651_HOURLY, SL651_MANUAL, SL651_PICTURE,
	SL651_NOW, SL651_HISTORY, SL651_MANUAL_ANSWER, SL651_ELEMENTS, SL651_SET_RUNNING = 0x42, SL651_GET_RUNNING,
	SL651_PUMP = 0x44, SL651_VERSION, SL651_STATUS_ANSWER, SL651_SET_CLOCK = 0x4a, SL651_PUMPS = 0x4c, SL651_VALVES, SL651_SLUICES,
	SL651_EVENTS = 0x50, SL651_GET_CLOCK,
};

struct sl651 {
	uint8_t centre, function, begin, end; // begin STX or SYN, end ETX …
	char station[10], password[4];        // hex digits, upper case
	bool down;                            // from the centre
	uint16_t parts, part;                 // SYN: packets, packet from 1
	uint16_t crc;
	struct str body;                      // without the three bytes of SYN
};

uint16_t sl651_crc(struct str bytes);         // annex B: Modbus, sent high byte first
struct fed sl651_feed(struct str in);
bool sl651_decode(struct str frame, struct sl651 *ret, struct refusal *why);

struct sl651_head { // of a body
	uint16_t serial;
	int64_t sent;                         // UTC us; INT64_MIN: not a time
	struct str rest;
};
bool sl651_head(struct str body, struct sl651_head *ret); // false: too short

enum sl651_kind { SL651_STATION, SL651_OBSERVED, SL651_STEP, SL651_VALUE, SL651_LIST, SL651_STATUS, SL651_TEXT, SL651_IMAGE, SL651_BATCH };
struct sl651_element {
	enum sl651_kind kind;
	uint16_t id;                          // 0xFF38: extended
	uint8_t decimals;
	struct str data;                      // as sent; of a list twelve values, of an image, a text or a batch all the rest
	struct str station;                   // STATION: five bytes
	uint8_t station_class;
	int64_t time;                         // OBSERVED: UTC us; STEP: us
};
// Cuts the next element of a report. False at the end (rest empty), or where it cannot be read: *why, rest what is left.
bool sl651_next(struct str *rest, struct sl651_element *ret, struct refusal *why);
enum sl651_state { SL651_VALID, SL651_INVALID, SL651_NO_NUMBER };
enum sl651_state sl651_number(struct str bcd, uint8_t decimals, double *ret); // FF in front: negative; all FF: invalid
// One of the twelve of a list (0 … 11), the hour observed at time.
enum sl651_state sl651_twelfth(const struct sl651_element *list, unsigned i, int64_t observed, double *ret, int64_t *ret_time);
// Whether rest is, behind a time step (31, 38) and one value of el, more values of it and nothing else: so many bytes before each,
// none, or its identifier and definition again, as some stations send it.
bool sl651_series(const struct sl651_element *el, struct str rest, size_t *ret_before);
struct sl651_switches {                       // of pumps, valves, sluices: 4C, 4D, 4E
	const char *what;                     // "PUMP" "VALVE" "SLUICE"
	unsigned n;
	struct str station, bits, openings;   // openings: two BCD bytes of cm each, of sluices only
};
bool sl651_switches(uint8_t function, struct str body, struct sl651_switches *ret); // body: behind serial and time
const char *sl651_function_name(uint8_t function);
const char *sl651_class_name(uint8_t station_class);
const char *sl651_status_name(unsigned bit);
const char *sl651_symbol(uint16_t id, const char **ret_name, const char **ret_unit); // NULL: not in the list

bool sl651_readings(const struct sl651 *m, struct arena *arena, const struct decode_sink *sink, struct refusal *why);
// A frame of the centre to the station, with to's function and its packet's numbers, if it is one; more: of the body behind serial
// and time, at most 100 bytes.
void sl651_down(const struct sl651 *to, uint16_t serial, struct str more, uint8_t end, int64_t now, struct buf *out);
// The frame back from the centre. end: SL651_ESC (received, stay on line), ACK (received, go on), NAK (send this packet again) …
void sl651_answer(const struct sl651 *m, uint16_t serial, uint8_t end, int64_t now, struct buf *out);
