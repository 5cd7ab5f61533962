// MQTT 3.1.1 (OASIS 2014) and 5.0 (OASIS 2019) control packets: bytes to structs and back. Pure: no connection, no
// clock, no allocation; slices point into the input. Used by gate/mqtt.c, tool/mqtt_load.c and the fuzzer.
#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"

enum mqtt_type { // 5.0 §2.1.2
	MQTT_CONNECT = 1, MQTT_CONNACK, MQTT_PUBLISH, MQTT_PUBACK, MQTT_PUBREC, MQTT_PUBREL, MQTT_PUBCOMP, MQTT_SUBSCRIBE,
	MQTT_SUBACK, MQTT_UNSUBSCRIBE, MQTT_UNSUBACK, MQTT_PINGREQ, MQTT_PINGRESP, MQTT_DISCONNECT, MQTT_AUTH,
};

enum mqtt_version { MQTT_V311 = 4, MQTT_V5 = 5 };

// 5.0 §2.4 reason codes that the gate sends or receives.
enum mqtt_reason {
	MQTT_SUCCESS = 0x00, MQTT_NO_SUBSCRIPTION = 0x11, MQTT_UNSPECIFIED = 0x80, MQTT_MALFORMED = 0x81,
	MQTT_PROTOCOL_ERROR = 0x82, MQTT_BAD_VERSION = 0x84, MQTT_BAD_CLIENT_ID = 0x85, MQTT_BAD_USER = 0x86,
	MQTT_NOT_AUTHORIZED = 0x87, MQTT_UNAVAILABLE = 0x88, MQTT_SHUTTING_DOWN = 0x8B, MQTT_BAD_AUTH_METHOD = 0x8C,
	MQTT_KEEP_ALIVE_TIMEOUT = 0x8D, MQTT_TAKEN_OVER = 0x8E, MQTT_BAD_TOPIC = 0x90,
	MQTT_RECEIVE_MAXIMUM = 0x93, MQTT_BAD_TOPIC_ALIAS = 0x94,
	MQTT_TOO_LARGE = 0x95, MQTT_QUOTA = 0x97, MQTT_ADMINISTRATIVE = 0x98, MQTT_BAD_PAYLOAD = 0x99,
	MQTT_SHARED_UNSUPPORTED = 0x9E,
};

// 3.1.1 §3.2.2.3 return codes of CONNACK.
enum mqtt_return {
	MQTT311_ACCEPTED = 0, MQTT311_BAD_VERSION = 1, MQTT311_BAD_CLIENT_ID = 2, MQTT311_UNAVAILABLE = 3,
	MQTT311_BAD_USER = 4, MQTT311_NOT_AUTHORIZED = 5,
};

// --- framing ---

enum mqtt_frame { MQTT_FRAME_OK, MQTT_FRAME_MORE, MQTT_FRAME_MALFORMED, MQTT_FRAME_TOO_LARGE };
struct mqtt_fixed {
	uint8_t type;      // enum mqtt_type; 0 is never returned as OK
	uint8_t flags;     // low four bits of the first byte
	size_t head;       // bytes of the fixed header
	size_t size;       // bytes of the whole packet: set for OK, and for MORE when the header is complete (else 0)
};
// Looks at the packet that starts at in.p. OK: in.n >= size. max: the largest whole packet accepted.
enum mqtt_frame mqtt_frame(struct str in, size_t max, struct mqtt_fixed *ret);

// --- properties (5.0 §2.2.2) ---

struct mqtt_props { // those the gate uses; all others are checked and passed over
	uint64_t seen;              // bit per property identifier (all are below 64)
	uint32_t session_expiry;    // 0x11
	uint32_t max_packet;        // 0x27; 0 = no limit
	uint16_t receive_max;       // 0x21; 0 = not given
	uint16_t topic_alias;       // 0x23
	struct str auth_method;     // 0x15
	struct str assigned_id;     // 0x12
	struct str reason;          // 0x1F
};

// --- packets from a client ---
// Every mqtt_read_* takes the packet behind its fixed header. MQTT_SUCCESS, or the 5.0 reason code of what is wrong.

struct mqtt_connect {
	uint8_t version;            // 4 or 5; others: the function returns MQTT_BAD_VERSION
	bool clean;
	bool has_user, has_password, has_will;
	uint8_t will_qos;
	bool will_retain;
	uint16_t keep_alive;        // seconds, 0 = none
	struct str client_id, user, password, will_topic, will_payload;
	struct mqtt_props props;
};
enum mqtt_reason mqtt_read_connect(uint8_t flags, struct str body, struct mqtt_connect *ret);

struct mqtt_publish {
	uint8_t qos;                // 0..2
	bool dup, retain;
	uint16_t id;                // 0 for QoS 0
	struct str topic, payload;
	struct mqtt_props props;
};
// The topic is not checked for wildcards or UTF-8: the gate compares it with the one it allows.
enum mqtt_reason mqtt_read_publish(uint8_t version, uint8_t flags, struct str body, struct mqtt_publish *ret);

struct mqtt_filters { // SUBSCRIBE and UNSUBSCRIBE
	uint16_t id;
	size_t n;                   // filters in the packet; only the first LIMIT_MQTT_SUBSCRIPTIONS are kept
	struct {
		struct str filter;
		uint8_t qos;        // SUBSCRIBE: maximum QoS asked for
	} at[LIMIT_MQTT_SUBSCRIPTIONS];
};
enum mqtt_reason mqtt_read_subscribe(uint8_t version, uint8_t flags, struct str body, struct mqtt_filters *ret);
enum mqtt_reason mqtt_read_unsubscribe(uint8_t version, uint8_t flags, struct str body, struct mqtt_filters *ret);

struct mqtt_ack { // PUBACK, PUBREL, DISCONNECT (id 0)
	uint16_t id;
	uint8_t reason;             // enum mqtt_reason; 0 in 3.1.1
	struct mqtt_props props;
};
// type: MQTT_PUBACK or another of that form
enum mqtt_reason mqtt_read_ack(uint8_t version, enum mqtt_type type, uint8_t flags, struct str body, struct mqtt_ack *ret);
enum mqtt_reason mqtt_read_disconnect(uint8_t version, uint8_t flags, struct str body, struct mqtt_ack *ret);

// --- packets to a client (version 4 or 5) ---

struct mqtt_connack {
	uint8_t code;               // 3.1.1: enum mqtt_return, 5.0: enum mqtt_reason
	bool expiry_zero;           // 5.0: tell that the session ends with the connection
	struct str assigned_id;     // 5.0: empty = none
};
void mqtt_write_connack(struct buf *out, uint8_t version, const struct mqtt_connack *a);
// PUBACK, PUBREC, PUBCOMP; the reason is left out in 3.1.1
void mqtt_write_ack(struct buf *out, uint8_t version, enum mqtt_type type, uint16_t id, uint8_t reason);
void mqtt_write_suback(struct buf *out, uint8_t version, uint16_t id, const uint8_t *codes, size_t n);
void mqtt_write_unsuback(struct buf *out, uint8_t version, uint16_t id, const uint8_t *codes, size_t n);
void mqtt_write_pingresp(struct buf *out);
void mqtt_write_disconnect(struct buf *out, uint8_t version, uint8_t reason); // 5.0 only; nothing in 3.1.1
void mqtt_write_publish(struct buf *out, uint8_t version, struct str topic, uint8_t qos, uint16_t id,
                        struct str payload);

// --- packets of the client side (load generator, tests) ---

void mqtt_write_connect(struct buf *out, uint8_t version, struct str client_id, struct str user, struct str password,
                        uint16_t keep_alive);
void mqtt_write_subscribe(struct buf *out, uint8_t version, uint16_t id, struct str filter, uint8_t qos);
enum mqtt_reason mqtt_read_connack(uint8_t version, struct str body, struct mqtt_connack *ret,
                                   struct mqtt_props *props);
