// GB/T 32960.3-2016 "Technical specifications of remote service and management system for electric vehicles, part 3:
// communication protocol and data format". Pure functions, any thread. The edition of 2025 (start $$) is told apart and
// refused: its layouts are other ones.
//
// The device is known by its VIN; the protocol has no key. Names of readings, all optional, in the units of the standard:
//   unit 01  status charging mode speed mileage voltage current soc dcdc gear insulation accelerator brake
//   unit 02  motorN.status .controller_temp .speed .torque .temp .voltage .current (N: number of the motor)
//   unit 03  fuelcell.voltage .current .consumption .dcdc .tempN, hydrogen.max_temp .max_concentration .max_pressure
//   unit 04  engine.status .speed .consumption           unit 05  lon lat (bad when not valid)
//   unit 06  cell.max_voltage .min_voltage, probe.max_temp .min_temp, and which ones these are
//   unit 07  alarm.level, alarm (as a number), alarm.NAME 0 or 1, faults.battery .motor .engine .other (how many)
//   unit 08  batteryN.voltage .current .total_cells .cellM            unit 09  batteryN.tempM
// A value that the vehicle calls abnormal (FE, FFFE …) or invalid (FF …) is a reading of bad quality. Time: of the data,
// GMT+8. Reissued data (command 03) is READING_HISTORY.
#pragma once

#include "gate/decode/decode.h"

enum {
	GB32960_LOGIN = 1, GB32960_REALTIME, GB32960_REISSUE, GB32960_LOGOUT, GB32960_PLATFORM_LOGIN, GB32960_PLATFORM_LOGOUT,
	GB32960_HEARTBEAT, GB32960_TIME, GB32960_QUERY = 0x80, GB32960_SET = 0x81, GB32960_CONTROL = 0x82, // to the vehicle: annex B
};
enum { GB32960_SUCCESS = 1, GB32960_ERROR = 2, GB32960_COMMAND = 0xfe }; // answer flag, table 4
#define GB32960_PLAIN 1u // encryption, table 2: 1 none, 2 RSA, 3 AES128

#define GB32960_VIN_BYTES 17u
#define GB32960_TIME_BYTES 6u

struct gb32960 {
	uint8_t command, response, encryption, bcc;
	struct str vin;        // without padding
	struct str vin_sent;   // 17 bytes
	struct str data;
	int64_t time;          // the first six bytes of data, UTC us; INT64_MIN: none or not a time
};

struct fed gb32960_feed(struct str in);
bool gb32960_decode(struct str frame, struct gb32960 *ret, struct refusal *why); // checks length and BCC
int64_t gb32960_time(struct str six); // binary year, month, day, hour, minute, second

// --- the units of a report ---

struct gb32960_unit {
	uint8_t type;
	struct str body;
};
struct str gb32960_units(const struct gb32960 *m); // of commands 02 and 03, what follows the time; else empty
// Cuts the next unit. False at the end (rest empty), and when the type has no known layout or the unit is cut off: *why
// says so, rest is then what cannot be read.
bool gb32960_next(struct str *rest, struct gb32960_unit *ret, struct refusal *why);

enum gb32960_state { GB32960_VALID, GB32960_ABNORMAL, GB32960_INVALID };
struct gb32960_value {
	const char *group;     // "motor", "battery", "fuelcell" …; "": of the vehicle
	unsigned member;       // which motor or battery of the unit, from 1; 0: there is only one
	unsigned number;       // its own number
	const char *name;      // "speed", "cell"
	bool many;             // one of several of the name
	unsigned index;        // which, as numbered by the vehicle
	uint32_t raw;
	double value;          // in the standard's unit
	enum gb32960_state state;
};
// Every value of a unit in its order; unit as gb32960_next gave it. What holds no numbers is not visited: alarm codes.
void gb32960_visit(const struct gb32960_unit *u, void (*visit)(void *owner, const struct gb32960_value *v), void *owner);
const char *gb32960_unit_name(uint8_t type);
const char *gb32960_command_name(uint8_t command);
const char *gb32960_alarm_name(unsigned bit); // table 18; NULL: reserved
// The four lists of fault codes of unit 07: battery, motor, engine, other.
bool gb32960_faults(const struct gb32960_unit *u, unsigned list, struct str *ret_codes); // four bytes each

bool gb32960_readings(const struct gb32960 *m, struct arena *arena, const struct decode_sink *sink, struct refusal *why);
// 6.3.2: the frame back with another answer flag and of its data only the time; 08 with the present. Nothing to an answer.
// now: UTC us.
void gb32960_answer(const struct gb32960 *m, bool accepted, int64_t now, struct buf *out);
// A whole frame; vin: 17 bytes as the vehicle sends it.
void gb32960_frame(uint8_t command, uint8_t response, struct str vin, struct str data, struct buf *out);
void gb32960_put_time(int64_t at, char ret[GB32960_TIME_BYTES]);
