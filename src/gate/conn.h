// Inside the gate: what its files share. gate.c owns struct gate and talks to the core, conn.c moves bytes, device.c
// keeps point tables, intake.c puts readings on the ring, mqtt.c and line.c are the protocols. One thread; nothing here
// is used outside src/gate.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "bus/msg.h"
#include "bus/ring.h"
#include "gate/decode/decode.h"
#include "gate/decode/downlink.h"
#include "gate/decode/template.h"
#include "gate/gate.h"
#include "loop/loop.h"

struct conn;
struct device;
struct gate;
struct tls;
struct tls_session;

// --- connections (conn.c) ---

enum conn_state {
	CONN_NEW,      // has not said who it is
	CONN_WAITING,  // HELLO sent, the core has not answered yet: nothing more is read
	CONN_READY,
	CONN_LINGER,   // refused or ended: the last bytes go out, what comes in is thrown away
	CONN_DEAD,     // closed at the end of this turn
};

// One protocol family: MQTT, the line protocols, Modbus.
struct proto {
	// Takes at most one frame from the front of in and returns its bytes; 0: not complete, c->need is set, or
	// nothing can be done now (gate blocked). Ends the connection itself when the bytes are wrong.
	size_t (*input)(struct conn *c, struct str in);
	void (*welcome)(struct conn *c, enum welcome verdict);
	void (*released)(struct conn *c, uint32_t what); // the core has everything up to what gate_hold was told
	void (*bye)(struct conn *c, enum reject why_counted, uint8_t mqtt_reason); // last words into c->out, if there are any
	bool (*command)(struct conn *c, const struct msg_command *k, struct str payload); // false: cannot be sent to this device now; NULL: never
	void (*tick)(struct conn *c);  // the timer of a READY connection ran out; NULL: it has none
	void (*done)(struct conn *c);  // frees what it owns; NULL: nothing
	void (*leaving)(struct conn *c); // c->device is about to be forgotten; NULL: nothing to say
};
extern const struct proto proto_mqtt, proto_line, proto_modbus;
void line_init(struct conn *c); // c->line, at the beginning of a connection of proto_line

struct sparkplug; // gate/sparkplug.c

struct mqtt_session {
	struct sparkplug *spb;        // NULL until the client speaks Sparkplug B
	struct mqtt_aliases *aliases; // NULL until the client names a topic by a number (5.0)
	uint8_t version;              // 0 before CONNECT, then 4 or 5
	bool subscribed;              // to the command topic
	bool assign_id;               // CONNECT came without a client id (5.0)
	bool wants_session;           // 5.0: asked for a session beyond the connection
	uint8_t sub_qos;
	uint16_t keep_alive;          // seconds
	uint16_t next_id;             // of the next command sent with QoS 1
	uint16_t receive_max;         // commands the client takes at once
	uint32_t max_packet;          // bytes the client takes; 0 = any
	uint16_t ncommands;
	struct {
		uint16_t id;          // packet id at the device
		uint64_t seq;         // the core's number of the command
	} commands[LIMIT_MQTT_COMMANDS];
};

struct line_state { // what a line protocol keeps of a connection, see its line_NAME.c; zeroed at the start
	uint64_t v[4];
	bool bcd_time; // as the device's record says
};

struct line_parts { // packets of a message that is not whole yet, in order
	uint64_t series;
	unsigned parts, have;         // have 0: none
	struct buf bytes;
};

struct line_session {
	struct line_state state;
	struct line_parts parts;
	uint64_t key_hash;            // of the PW that was sent to the core: another one is checked anew
	struct buf held;              // answers waiting for their readings to be durable, in order
	struct downlink_peer peer;    // code_len 0: nothing of its own was received yet
	bool told;                    // the core, that commands can be sent
	bool kept;                    // the core has a MSG_KEEP of this connection
	uint64_t asked;               // the core's number of the command that waits for its answer, 0: none
	struct downlink_sent sent;
};

struct modbus_plan;
struct modbus_session {
	struct modbus_plan *plan;     // what is asked for; NULL before the first round
	size_t next;                  // its request that is out, or comes next
	bool waiting;                 // for the answer
	uint8_t unit;
	uint16_t transaction;
	int64_t interval, round;      // us; monotonic start of this round
};

struct conn {
	uint64_t id;                  // generation 16 bits, slot 16, serial of the slot 32
	struct gate *gate;
	const struct proto *proto;
	struct tls_session *tls;      // NULL: plain
	struct device *device;        // NULL before WELCOME and after the end
	int fd;                       // -1: bytes are fed by a test
	enum conn_state state;
	enum protocol protocol;       // PROTO_NONE before it is known
	bool welcomed;                // by the core, once
	bool announced;               // a HELLO was sent: the core gets a GONE
	bool paused;                  // nothing is read: see conn_may_read
	bool stalled;                 // in gate->stalled
	bool heard;                   // has sent readings
	bool live;                    // the last of them were of now; otherwise it lets others go first
	bool yields;                  // in gate->history
	bool again;                   // in gate->again
	bool crowded;                 // in gate->crowded
	int64_t crowded_since;        // monotonic us
	size_t counted;               // bytes of `in` that are in gate->buffered
	bool dirty;                   // in gate->dirty
	bool want_out;                // socket is full: EPOLLOUT watched
	bool eof;                     // LINGER: our side is shut
	uint32_t inflight;            // PUBLISH without PUBACK, frames without answer
	size_t need;                  // bytes of the frame at the front of `in`, 0 = unknown
	int64_t last_in;              // monotonic us of the last whole packet
	struct loop_timer timer;      // who are you, keep-alive, linger
	struct buf in, out;
	struct conn *device_next;     // next connection of the same device
	char name[LIMIT_DEVICE_NAME]; // what it says it is: user, MN, source address
	uint8_t name_len;
	char peer[56];                // "192.0.2.1:1234", "[2001:db8::1]:1234"
	union {
		struct mqtt_session mqtt;
		struct line_session line;
		struct modbus_session modbus;
	};
};

struct conn *conn_new(struct gate *g, int fd, const struct proto *proto, enum protocol protocol); // NULL: no slot free
struct conn *conn_by_id(struct gate *g, uint64_t id);  // NULL: gone
void conn_feed(struct conn *c, struct str bytes);      // as if they had been received (tests, fuzzer)
void conn_resume(struct conn *c);                      // after WAITING, a stall or too many in flight
void conn_dirty(struct conn *c);                       // c->out has grown: written at the end of the turn
// Ends it after c->out is written: last words, linger, close. why: counted for the device, REJECT__MAX = nothing wrong.
void conn_end(struct conn *c, enum reject why, uint8_t mqtt_reason, struct str what);
void conn_drop(struct conn *c);                        // at once, without a word
void conn_flush(struct conn *c);
void conn_free(struct conn *c);                        // gate.c, end of turn
bool conn_may_read(const struct conn *c);
void conn_forget_input(struct conn *c);                // gives its buffer back; not while something is parsed in it
bool conn_too_much(const struct conn *c);              // all connections keep too much, and this one more than its share
void conn_wait_for_room(struct conn *c);               // if it keeps too much: gate->crowded

// --- Sparkplug B (sparkplug.c), within an MQTT session ---

struct mqtt_publish;
void sparkplug_will(struct conn *c, struct str user, struct str topic, struct str payload); // of CONNECT
enum sparkplug_end { SPARKPLUG_NOT_OURS, SPARKPLUG_TAKEN, SPARKPLUG_AGAIN /* ring full */, SPARKPLUG_BAD };
enum sparkplug_end sparkplug_publish(struct conn *c, struct str topic, struct str payload);
bool sparkplug_subscribe(struct conn *c, struct str filter, bool on); // false: not a filter of its own; on false: taken back
void sparkplug_greet(struct conn *c);     // after SUBACK: the host's retained state
bool sparkplug_command(struct conn *c, uint64_t seq, struct str payload); // false: not now or not understood
void sparkplug_host_gone(struct conn *c); // the host ends
void sparkplug_leaving(struct conn *c);   // the connection ends: the will, or a leave without NDEATH
void sparkplug_free(struct conn *c);

// --- devices (device.c) ---

struct point {
	uint32_t id;          // record id
	uint32_t next;        // index of the point that came after this one last time
	uint32_t name_off;    // in device->names
	uint16_t name_len;
	double scale;
};

struct device {
	uint32_t id;          // record id
	struct str code;
	struct str readings_topic, command_topic;
	struct conn *conns;   // usually one
	struct arena *arena;  // code, topics
	struct arena *table;  // points, names, slots, template: replaced as a whole
	uint32_t learned;     // how many tables there have been: another number, other points
	struct point *points; // by name and, where there is one, by address
	const char *names;
	uint32_t *slots;      // hash table of indices + 1; 0 = free
	uint32_t npoints, mask;
	uint32_t expect;      // index of the point that probably comes next
	uint32_t last;        // index of the point that came last; npoints (a spare entry) at first
	bool bcd_time;        // GB/T 26875.3: its time labels are in BCD
	const struct payload_template *tpl; // what reads its messages; NULL: they are in our own forms
	int64_t refreshed;    // monotonic us of the last REFRESH
};

// From a WELCOME or POINTS message that lies whole in n bytes; NULL when it does not hold what it says.
struct device *device_learn(struct gate *g, const struct msg_welcome *m, size_t n, struct str code);
struct device *device_by_id(struct gate *g, uint32_t id);
const struct point *device_point(struct device *d, struct str name); // NULL: unknown
void device_attach(struct device *d, struct conn *c);
void device_detach(struct conn *c); // frees the device with its last connection

// --- readings (intake.c) ---

struct intake {
	struct conn *conn;
	struct device *device;
	struct msg_readings *m;           // reserved ring memory
	struct reading *at;
	uint32_t n, max;
	int64_t now, earliest, latest;    // device times accepted
	int64_t newest;                   // time of the newest reading taken
	int64_t sent;                     // by the sender's clock, 0: the protocol does not say
	int64_t wrong_time;               // the first one refused as too early or too late
	uint32_t refused[REJECT__MAX];
	struct str first[REJECT__MAX];    // name in the first refused reading
	bool overflow;                    // more than LIMIT_READINGS_PER_MESSAGE
};

// most: readings the message can hold at all, by its length. False: no room in the ring now.
bool intake_begin(struct intake *in, struct conn *c, size_t most);
struct decode_sink intake_sink(struct intake *in);
// After decoding, with what the decoder returned. OK: the readings taken become visible to the core, refused ones are
// counted. Otherwise nothing of the message is taken, it is counted as a whole, and why is returned. what: shown with
// it.
enum intake_end { INTAKE_OK, INTAKE_BAD, INTAKE_TOO_MANY };
enum intake_end intake_end(struct intake *in, bool decoded, const struct refusal *why, struct str what);

// --- the gate (gate.c) ---

struct held { // an acknowledgement that waits for the core
	uint64_t seq, conn;
	uint32_t what;       // the protocol's own
};

struct ids { // connections to look at later
	uint64_t *at;
	size_t n, cap;
};

struct gate {
	const struct gate_config *cfg;
	struct loop *loop;
	struct tls *tls;
	struct ring *to_core, *from_core;
	uint64_t seq, acked;        // last number given to a message; last number the core has on disk
	struct held *held;          // queue of held_n from held_first, capacity a power of two
	size_t held_first, held_n, held_cap;
	struct buf backlog;         // small messages that found the ring full
	bool blocked;               // ring full: nothing is read from devices
	struct conn **slots;        // LIMIT_GATE_CONNECTIONS
	uint32_t *serials;          // of the slots
	uint32_t *free_slots;
	size_t nfree;
	uint32_t strangers;         // connections not welcomed yet
	struct ids stalled, dirty, dead;
	struct ids history;         // connections with history that wait for room in the ring, in turn
	size_t history_first;       // of those the next
	struct loop_timer history_timer;
	struct ids again;           // TLS: more may lie decrypted than the socket shows
	struct strmap *devices;     // record id (4 bytes) → index
	struct device **device_at;
	size_t ndevices, device_cap;
	struct loop_timer accept_again, report;
	struct msg_gate said;       // what the core is told once a second; the counters in it
	int64_t blocked_since;      // monotonic us, while blocked
	struct {
		struct gate *gate;
		int fd;
		const struct proto *proto;
		enum protocol protocol;
		bool tls;
	} listeners[2 + PROTO__MAX];
	size_t nlisteners;
	char *scratch;              // bytes just received
	struct arena *arena;        // what decoding one message needs
	struct arena *frame_arena;  // a line protocol's frame, until the next one
	size_t buffered, holders;   // bytes of all input buffers, connections that have one
	struct ids crowded;         // connections that are not read because of it
	size_t waiting;             // bytes of packets that wait for the rest of their messages
};
#define GATE_SCRATCH (128u << 10)
#define GATE_NEW_READ 4096u        // bytes read at once from somebody unknown
#define GATE_NEW_PACKET (16u << 10) // largest first packet (CONNECT with a will)

void gate_init(struct gate *g, const struct gate_config *cfg); // without listeners: also for tests and the fuzzer
void gate_done(struct gate *g);
bool gate_idle(void *gate); // end of turn: the core's messages, acknowledgements, output, the dead

void gate_hello(struct conn *c, struct str name, struct str key, bool keyless);
void gate_gone(struct conn *c);
void gate_refresh(struct conn *c);
void gate_subscribed(struct conn *c);
void gate_answered(struct conn *c, uint64_t seq, const struct command_answer *a);
void gate_delivered(struct gate *g, uint32_t device, uint64_t conn, uint64_t seq, bool delivered);
void gate_reject(struct conn *c, enum reject why, uint32_t count, struct str what);
void gate_reject_time(struct conn *c, enum reject why, uint32_t count, struct str what, int64_t time); // time: that was refused
void *gate_reserve(struct gate *g, size_t n); // NULL: ring full, gate is now blocked
// Calls proto->released(c, what) as soon as everything sent to the core so far is durable: at once, or later, in order.
void gate_hold(struct conn *c, uint32_t what);
void gate_keep(struct conn *c, uint64_t series, unsigned parts, unsigned part, struct str bytes); // MSG_KEEP
bool gate_has_room(const struct conn *c); // for what this connection sends, as far as one knows it
void gate_yield(struct conn *c);     // comes back when there is room for history
void ids_add(struct ids *v, uint64_t id);
