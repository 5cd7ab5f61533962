// What gate and core say to each other over the two rings (bus/ring.h). Each message is a struct msg and its body,
// whole or not there. Strings follow the fixed part in the order of their lengths. Same machine, same program:
// no byte order, no versions.
#pragma once

#include "bus/reading.h"

enum msg_kind {
	// gate → core
	MSG_HELLO = 1,    // a device says who it is
	MSG_READINGS,     // decoded readings of one device message
	MSG_REJECT,       // something was refused: counted by device and reason
	MSG_GONE,         // a connection ended
	// core → gate
	MSG_WELCOME,      // answer to HELLO, with the device's points
	MSG_ACK,          // everything up to seq is on disk
	MSG_COMMAND,      // something is asked of a device (bus/command.h)
	MSG_KICK,         // close the device's connections (key changed, device retired)
	MSG_POINTS,       // the device's points changed: same body as WELCOME
	// gate → core
	MSG_REFRESH,      // an already welcomed device asks for its points again: same body as HELLO, no key; device is set
	MSG_SUBSCRIBED,   // the device can be sent commands now: what is queued for it may be sent
	MSG_DELIVERED,    // answer to COMMAND seq: count 1 = the device has it (QoS 0, line protocols: written), 0 = it could not be delivered
	// core → gate
	MSG_READY,        // the gate answers with a REFRESH for every welcomed connection, or for the device's if device is set:
	                  // the core has (re)started, or points have changed
	// gate → core
	MSG_GATE,         // how the gate is, once a second
	MSG_ANSWER,       // what the device said to COMMAND seq (bus/command.h)
	MSG_KEEP,         // what the device's next packet needs of those before it: durable as READINGS are, seq is one of theirs
	// core → gate
	MSG_KEPT,         // the same back, before WELCOME, to a connection of a gate that did not say it: the one that did is gone
};

struct msg {
	uint32_t size;     // bytes of the whole message
	uint16_t kind;     // enum msg_kind
	uint16_t protocol; // enum protocol
	uint64_t conn;     // gate's number of the connection; unique over restarts of the gate
	uint64_t seq;      // READINGS: number of the message, rising by one; ACK: all up to here
	uint32_t device;   // record id of the device, 0 before WELCOME
	uint32_t count;    // READINGS: readings; REJECT: how many; WELCOME/POINTS: points
};

enum protocol {
	PROTO_NONE, PROTO_MQTT311, PROTO_MQTT5, PROTO_HTTP,
	PROTO_HJ212, PROTO_GB26875, PROTO_JT808, PROTO_GB32960, PROTO_SL651, PROTO_GATEWAY, // line protocols (gate/line.h)
	PROTO_MODBUS,                                                       // a device that is called (gate/modbus.c)
	PROTO__MAX
};
// May the core read a message of n bytes from the gate as what it says it is? The gate reads hostile bytes and may be somebody else by
// now: lengths, counts and the device's number fit the bytes that are there, or it is none. m is the reader's own copy, aligned to 8:
// what is in the ring can change while it is looked at. Pure.
bool msg_from_gate_ok(const struct msg *m, size_t n);
#define DEVICES_MAX (1u << 24) // no record of a device has such a number

const char *protocol_name(enum protocol p); // "mqtt3.1.1", "mqtt5", "http", "hj212", "gb26875", "jt808", "gb32960", "sl651", "gateway", "modbus"

struct msg_hello { // + device name, key, peer address
	struct msg m;
	uint16_t name_len, key_len, peer_len;
	uint16_t keyless;   // 1: the protocol has no key (GB/T 26875.3): the device record must allow it
};

enum welcome { WELCOME_OK, WELCOME_UNKNOWN, WELCOME_WRONG_KEY, WELCOME_DISABLED, WELCOME_BUSY };

struct msg_welcome { // + count × struct msg_point + template
	struct msg m;
	uint32_t verdict;   // enum welcome
	uint32_t key_len;   // PROTO_GATEWAY: what opens this device's envelopes; 0: none
	uint8_t key[16];
	uint32_t template_len; // bytes of the struct payload_template its messages are read by, a multiple of 8; 0: none
	uint32_t flags;     // WELCOME_*
};
#define WELCOME_BCD_TIME 1u // PROTO_GB26875: the device's record says that its time labels are in BCD
struct msg_point { // + name, then address (may be empty); padded to 8
	uint32_t point;
	uint16_t name_len;  // the point's code, unique in the county
	uint16_t addr_len;  // its name within the device's own protocol (HJ 212 factor, GB/T 26875.3 part)
	double scale;       // value = raw × scale
};

// MSG_COMMAND, MSG_ANSWER: bus/command.h.
// MSG_KICK, MSG_GONE, MSG_READY, MSG_ACK, MSG_SUBSCRIBED, MSG_DELIVERED: a struct msg alone.
// seq of READINGS starts at (generation of the gate << 40) + 1, so an ACK for a former gate never reaches a new one's.

struct msg_readings { // + count × struct reading
	struct msg m;
	int64_t arrival;    // when the gate read it, clock_mono() us: one clock for both processes, and it never jumps
	int64_t sent;       // by the sender's own clock, where the protocol says so (HJ 212 QN, collectTime), UTC us; 0: it does not
};

struct msg_keep { // KEEP, KEPT; + count bytes. count 0: nothing any more
	struct msg m;
	uint64_t series;    // which message, of how many packets, the last one that was taken
	uint32_t parts, part;
};

struct msg_reject { // + text: the first offending bytes or name, printable, at most 120 bytes; + peer address
	struct msg m;
	uint16_t reason;    // enum reject
	uint16_t text_len;
	uint16_t peer_len;
	uint16_t _pad;
	int64_t time;       // REJECT_TIME: the device time that was refused, UTC us; 0: it could not be read
};

struct msg_gate { // counters since the gate started
	struct msg m;
	uint32_t connections, strangers; // open; of them not yet welcomed
	uint32_t waiting;   // connections with history that wait until the core has room for it
	uint32_t crowded;   // connections not read because too many unfinished messages are kept
	uint64_t buffered;  // bytes of these
	uint64_t accepted;  // connections taken
	uint64_t turned_away; // and closed at once: LIMIT_GATE_CONNECTIONS or no descriptor left
	uint64_t blocked_us; // time in which nothing was read because the ring was full
};

enum reject { // why something from a device was refused; the page and the metrics use the same names
	REJECT_SYNTAX,        // not the protocol's or payload's syntax
	REJECT_TOO_LARGE,
	REJECT_CHECKSUM,
	REJECT_UNKNOWN_POINT,
	REJECT_VALUE,         // not a finite number
	REJECT_TIME,          // missing, unreadable, too far ahead or too old
	REJECT_TOPIC,         // not the device's own topic
	REJECT_AUTH,          // unknown device or wrong key
	REJECT_PROTOCOL,      // legal bytes at an illegal moment
	REJECT_SLOW,          // the device does not read what is sent to it
	REJECT_UNSUPPORTED,
	REJECT_UNREACHABLE,   // a device that is called does not answer the call
	REJECT__MAX
};
const char *reject_name(enum reject r); // "syntax", "too_large", …
const char *reject_text(enum reject r, bool zh);
