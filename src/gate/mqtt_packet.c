// See mqtt_packet.h. Section numbers are those of MQTT 5.0 (OASIS, 7 March 2019); 3.1.1 has the same ones up to 3.14.
#include "gate/mqtt_packet.h"

#include "base/cursor.h"

// --- framing ---

enum mqtt_frame mqtt_frame(struct str in, size_t max, struct mqtt_fixed *ret)
{
	*ret = (struct mqtt_fixed){ 0 };
	if (in.n < 1)
		return MQTT_FRAME_MORE;
	const uint8_t *p = (const uint8_t *)in.p;
	ret->type = p[0] >> 4;
	ret->flags = p[0] & 15;
	if (ret->type == 0)
		return MQTT_FRAME_MALFORMED;
	size_t left = 0;
	for (size_t i = 1;; i++) { // remaining length, 1.5.5: at most four bytes
		if (i > 4)
			return MQTT_FRAME_MALFORMED;
		if (in.n <= i)
			return MQTT_FRAME_MORE;
		left |= (size_t)(p[i] & 127) << 7 * (i - 1);
		if (!(p[i] & 128)) {
			ret->head = i + 1;
			break;
		}
	}
	ret->size = ret->head + left;
	if (ret->size > max)
		return MQTT_FRAME_TOO_LARGE;
	return in.n < ret->size ? MQTT_FRAME_MORE : MQTT_FRAME_OK;
}

// --- elements ---

// 1.5.4: valid UTF-8 without U+0000. The standard also allows refusing control characters and non-characters; we do
// not.
static struct str take_text(struct cursor *c)
{
	struct str s = take_str(c, take_be16(c));
	if (memchr(s.p, 0, s.n) || !str_utf8_valid(s))
		c->failed = true;
	return s;
}

static struct str take_binary(struct cursor *c) { return take_str(c, take_be16(c)); }

static uint32_t take_variable(struct cursor *c) // 1.5.5
{
	uint32_t v = 0;
	for (unsigned shift = 0; shift <= 21; shift += 7) {
		uint8_t b = take_u8(c);
		v |= (uint32_t)(b & 127) << shift;
		if (!(b & 128))
			return v;
	}
	c->failed = true;
	return 0;
}

// --- properties ---

enum prop_kind { PROP_NONE, PROP_BYTE, PROP_U16, PROP_U32, PROP_VARIABLE, PROP_TEXT, PROP_BINARY, PROP_PAIR };

#define IN(type) (1u << (type))
#define IN_WILL 1u // bit 0: packet type 0 does not exist
#define IN_ACKS (IN(MQTT_CONNACK) | IN(MQTT_PUBACK) | IN(MQTT_PUBREC) | IN(MQTT_PUBREL) | IN(MQTT_PUBCOMP) | \
                 IN(MQTT_SUBACK) | IN(MQTT_UNSUBACK) | IN(MQTT_DISCONNECT) | IN(MQTT_AUTH))
#define IN_ANY 0xFFFFu

// 2.2.2.2, table 2-4: what each property is and where it may stand.
static const struct {
	uint8_t kind;    // enum prop_kind
	uint16_t where;
} PROPS[] = {
	[0x01] = { PROP_BYTE, IN(MQTT_PUBLISH) | IN_WILL },                        // payload format indicator
	[0x02] = { PROP_U32, IN(MQTT_PUBLISH) | IN_WILL },                         // message expiry interval
	[0x03] = { PROP_TEXT, IN(MQTT_PUBLISH) | IN_WILL },                        // content type
	[0x08] = { PROP_TEXT, IN(MQTT_PUBLISH) | IN_WILL },                        // response topic
	[0x09] = { PROP_BINARY, IN(MQTT_PUBLISH) | IN_WILL },                      // correlation data
	[0x0B] = { PROP_VARIABLE, IN(MQTT_SUBSCRIBE) },                            // subscription identifier (server: PUBLISH)
	[0x11] = { PROP_U32, IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_DISCONNECT) }, // session expiry interval
	[0x12] = { PROP_TEXT, IN(MQTT_CONNACK) },                                  // assigned client identifier
	[0x13] = { PROP_U16, IN(MQTT_CONNACK) },                                   // server keep alive
	[0x15] = { PROP_TEXT, IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_AUTH) }, // authentication method
	[0x16] = { PROP_BINARY, IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_AUTH) }, // authentication data
	[0x17] = { PROP_BYTE, IN(MQTT_CONNECT) },                                  // request problem information
	[0x18] = { PROP_U32, IN_WILL },                                            // will delay interval
	[0x19] = { PROP_BYTE, IN(MQTT_CONNECT) },                                  // request response information
	[0x1A] = { PROP_TEXT, IN(MQTT_CONNACK) },                                  // response information
	[0x1C] = { PROP_TEXT, IN(MQTT_CONNACK) | IN(MQTT_DISCONNECT) },            // server reference
	[0x1F] = { PROP_TEXT, IN_ACKS },                                           // reason string
	[0x21] = { PROP_U16, IN(MQTT_CONNECT) | IN(MQTT_CONNACK) },                // receive maximum
	[0x22] = { PROP_U16, IN(MQTT_CONNECT) | IN(MQTT_CONNACK) },                // topic alias maximum
	[0x23] = { PROP_U16, IN(MQTT_PUBLISH) },                                   // topic alias
	[0x24] = { PROP_BYTE, IN(MQTT_CONNACK) },                                  // maximum QoS
	[0x25] = { PROP_BYTE, IN(MQTT_CONNACK) },                                  // retain available
	[0x26] = { PROP_PAIR, IN_ANY },                                            // user property
	[0x27] = { PROP_U32, IN(MQTT_CONNECT) | IN(MQTT_CONNACK) },                // maximum packet size
	[0x28] = { PROP_BYTE, IN(MQTT_CONNACK) },                                  // wildcard subscription available
	[0x29] = { PROP_BYTE, IN(MQTT_CONNACK) },                                  // subscription identifiers available
	[0x2A] = { PROP_BYTE, IN(MQTT_CONNACK) },                                  // shared subscription available
};

// Reads one value; numbers end in *ret_n, text in *ret_s.
static void prop_value(struct cursor *c, enum prop_kind kind, uint32_t *ret_n, struct str *ret_s)
{
	*ret_n = 0;
	*ret_s = STR_EMPTY;
	switch (kind) {
	case PROP_BYTE: *ret_n = take_u8(c); break;
	case PROP_U16: *ret_n = take_be16(c); break;
	case PROP_U32: *ret_n = take_be32(c); break;
	case PROP_VARIABLE: *ret_n = take_variable(c); break;
	case PROP_TEXT: *ret_s = take_text(c); break;
	case PROP_BINARY: *ret_s = take_binary(c); break;
	case PROP_PAIR:
		take_text(c);
		take_text(c);
		break;
	case PROP_NONE: c->failed = true; break;
	}
}

// Values the standard calls a protocol error (3.1.2.11, 3.3.2.3, 3.8.2.1).
static bool prop_value_allowed(uint32_t id, uint32_t n)
{
	switch (id) {
	case 0x01: case 0x17: case 0x19: case 0x24: case 0x25: case 0x28: case 0x29: case 0x2A: return n <= 1;
	case 0x0B: case 0x21: case 0x27: return n != 0;
	default: return true;
	}
}

static void prop_keep(struct mqtt_props *p, uint32_t id, uint32_t n, struct str s)
{
	switch (id) {
	case 0x11: p->session_expiry = n; break;
	case 0x12: p->assigned_id = s; break;
	case 0x15: p->auth_method = s; break;
	case 0x1F: p->reason = s; break;
	case 0x21: p->receive_max = (uint16_t)n; break;
	case 0x23: p->topic_alias = (uint16_t)n; break;
	case 0x27: p->max_packet = n; break;
	default: break;
	}
}

// where: one IN() bit. The length must lie within the packet; nothing beyond it is read.
static enum mqtt_reason props_read(struct cursor *c, uint32_t where, struct mqtt_props *ret)
{
	*ret = (struct mqtt_props){ .auth_method = STR_EMPTY, .assigned_id = STR_EMPTY, .reason = STR_EMPTY };
	struct cursor in = cursor_of(take_str(c, take_variable(c)));
	if (!cursor_ok(c))
		return MQTT_MALFORMED;
	while (cursor_left(&in)) {
		uint32_t id = take_variable(&in), n;
		struct str s;
		if (id >= ARRAY_LEN(PROPS) || !PROPS[id].kind)
			return MQTT_MALFORMED;
		prop_value(&in, PROPS[id].kind, &n, &s);
		if (!cursor_ok(&in))
			return MQTT_MALFORMED;
		bool twice = ret->seen >> id & 1 && PROPS[id].kind != PROP_PAIR;
		if (!(PROPS[id].where & where) || twice || !prop_value_allowed(id, n))
			return MQTT_PROTOCOL_ERROR;
		ret->seen |= UINT64_C(1) << id;
		prop_keep(ret, id, n, s);
	}
	return MQTT_SUCCESS;
}

// --- CONNECT (3.1) ---

enum { CONNECT_RESERVED = 1, CONNECT_CLEAN = 2, CONNECT_WILL = 4, CONNECT_RETAIN = 32, CONNECT_PASSWORD = 64,
       CONNECT_USER = 128 };

static enum mqtt_reason connect_flags(uint8_t f, struct mqtt_connect *ret)
{
	ret->clean = f & CONNECT_CLEAN;
	ret->has_will = f & CONNECT_WILL;
	ret->will_qos = f >> 3 & 3;
	ret->will_retain = f & CONNECT_RETAIN;
	ret->has_password = f & CONNECT_PASSWORD;
	ret->has_user = f & CONNECT_USER;
	if (f & CONNECT_RESERVED || ret->will_qos == 3)
		return MQTT_MALFORMED;
	if (!ret->has_will && (ret->will_qos || ret->will_retain))
		return MQTT_MALFORMED;
	if (ret->version == MQTT_V311 && ret->has_password && !ret->has_user) // 3.1.1 [MQTT-3.1.2-22]
		return MQTT_MALFORMED;
	return MQTT_SUCCESS;
}

static enum mqtt_reason connect_payload(struct cursor *c, struct mqtt_connect *ret)
{
	enum mqtt_reason why;
	ret->client_id = take_text(c);
	if (ret->has_will) {
		struct mqtt_props will;
		if (ret->version == MQTT_V5 && (why = props_read(c, IN_WILL, &will)))
			return why;
		ret->will_topic = take_text(c);
		ret->will_payload = take_binary(c);
		if (ret->will_topic.n == 0 || memchr(ret->will_topic.p, '#', ret->will_topic.n) ||
		    memchr(ret->will_topic.p, '+', ret->will_topic.n))
			return MQTT_MALFORMED;
	}
	if (ret->has_user)
		ret->user = take_text(c);
	if (ret->has_password)
		ret->password = take_binary(c);
	return cursor_done(c) ? MQTT_SUCCESS : MQTT_MALFORMED;
}

enum mqtt_reason mqtt_read_connect(uint8_t flags, struct str body, struct mqtt_connect *ret)
{
	*ret = (struct mqtt_connect){ .client_id = STR_EMPTY, .user = STR_EMPTY, .password = STR_EMPTY,
		                      .will_topic = STR_EMPTY, .will_payload = STR_EMPTY };
	struct cursor c = cursor_of(body);
	struct str name = take_text(&c);
	ret->version = take_u8(&c);
	if (!cursor_ok(&c) || flags)
		return MQTT_MALFORMED;
	if (str_is(name, "MQIsdp") && ret->version == 3)
		return MQTT_BAD_VERSION;
	if (!str_is(name, "MQTT"))
		return MQTT_MALFORMED;
	if (ret->version != MQTT_V311 && ret->version != MQTT_V5)
		return MQTT_BAD_VERSION;
	uint8_t f = take_u8(&c);
	ret->keep_alive = take_be16(&c);
	enum mqtt_reason why = cursor_ok(&c) ? connect_flags(f, ret) : MQTT_MALFORMED;
	if (why == MQTT_SUCCESS && ret->version == MQTT_V5) {
		why = props_read(&c, IN(MQTT_CONNECT), &ret->props);
		if (why == MQTT_SUCCESS && ret->props.seen >> 0x16 & 1 && !(ret->props.seen >> 0x15 & 1))
			why = MQTT_PROTOCOL_ERROR; // authentication data without method, 3.1.2.11.10
	}
	return why ? why : connect_payload(&c, ret);
}

// --- other packets from a client ---

enum mqtt_reason mqtt_read_publish(uint8_t version, uint8_t flags, struct str body, struct mqtt_publish *ret)
{
	struct cursor c = cursor_of(body);
	ret->dup = flags & 8;
	ret->qos = flags >> 1 & 3;
	ret->retain = flags & 1;
	ret->topic = take_str(&c, take_be16(&c));
	ret->id = ret->qos ? take_be16(&c) : 0;
	ret->props = (struct mqtt_props){ 0 };
	if (!cursor_ok(&c) || ret->qos == 3 || (ret->dup && !ret->qos)) // 3.3.1.1, 3.3.1.2
		return MQTT_MALFORMED;
	if (ret->qos && !ret->id) // 2.2.1
		return MQTT_PROTOCOL_ERROR;
	if (version == MQTT_V5) {
		enum mqtt_reason why = props_read(&c, IN(MQTT_PUBLISH), &ret->props);
		if (why)
			return why;
	}
	ret->payload = take_rest(&c);
	return MQTT_SUCCESS;
}

static enum mqtt_reason filters_read(uint8_t version, uint8_t flags, struct str body, struct mqtt_filters *ret,
                                     bool options)
{
	*ret = (struct mqtt_filters){ 0 };
	struct cursor c = cursor_of(body);
	struct mqtt_props props;
	enum mqtt_reason why;
	ret->id = take_be16(&c);
	if (!cursor_ok(&c) || flags != 2) // 3.8.1, 3.10.1
		return MQTT_MALFORMED;
	if (!ret->id)
		return MQTT_PROTOCOL_ERROR;
	if (version == MQTT_V5 && (why = props_read(&c, options ? IN(MQTT_SUBSCRIBE) : IN(MQTT_UNSUBSCRIBE), &props)))
		return why;
	while (cursor_left(&c)) {
		struct str filter = take_text(&c);
		uint8_t o = options ? take_u8(&c) : 0;
		uint8_t reserved = version == MQTT_V5 ? 0xC0 : 0xFC;
		if (!cursor_ok(&c) || filter.n == 0 || (o & 3) == 3 || o & reserved || (o >> 4 & 3) == 3)
			return MQTT_MALFORMED; // 3.8.3.1
		if (ret->n < LIMIT_MQTT_SUBSCRIPTIONS) {
			ret->at[ret->n].filter = filter;
			ret->at[ret->n].qos = o & 3;
		}
		ret->n++;
	}
	return ret->n ? MQTT_SUCCESS : MQTT_PROTOCOL_ERROR;
}

enum mqtt_reason mqtt_read_subscribe(uint8_t version, uint8_t flags, struct str body, struct mqtt_filters *ret)
{
	return filters_read(version, flags, body, ret, true);
}

enum mqtt_reason mqtt_read_unsubscribe(uint8_t version, uint8_t flags, struct str body, struct mqtt_filters *ret)
{
	return filters_read(version, flags, body, ret, false);
}

// Reason and properties may both be left out in 5.0 (3.4.2.1, 3.14.2.1) and do not exist in 3.1.1.
static enum mqtt_reason reason_read(struct cursor *c, uint8_t version, uint32_t where, struct mqtt_ack *ret)
{
	ret->reason = 0;
	ret->props = (struct mqtt_props){ 0 };
	if (version == MQTT_V5 && cursor_left(c)) {
		ret->reason = take_u8(c);
		if (cursor_left(c)) {
			enum mqtt_reason why = props_read(c, where, &ret->props);
			if (why)
				return why;
		}
	}
	return cursor_done(c) ? MQTT_SUCCESS : MQTT_MALFORMED;
}

enum mqtt_reason mqtt_read_ack(uint8_t version, enum mqtt_type type, uint8_t flags, struct str body, struct mqtt_ack *ret)
{
	struct cursor c = cursor_of(body);
	ret->id = take_be16(&c);
	if (!cursor_ok(&c) || flags != (type == MQTT_PUBREL ? 2 : 0)) // 2.1.3
		return MQTT_MALFORMED;
	return reason_read(&c, version, IN(type), ret);
}

enum mqtt_reason mqtt_read_disconnect(uint8_t version, uint8_t flags, struct str body, struct mqtt_ack *ret)
{
	struct cursor c = cursor_of(body);
	ret->id = 0;
	if (flags)
		return MQTT_MALFORMED;
	return reason_read(&c, version, IN(MQTT_DISCONNECT), ret);
}

enum mqtt_reason mqtt_read_connack(uint8_t version, struct str body, struct mqtt_connack *ret, struct mqtt_props *props)
{
	struct cursor c = cursor_of(body);
	*ret = (struct mqtt_connack){ .assigned_id = STR_EMPTY };
	*props = (struct mqtt_props){ 0 };
	take_u8(&c); // session present
	ret->code = take_u8(&c);
	if (version == MQTT_V5 && cursor_ok(&c) && cursor_left(&c)) {
		enum mqtt_reason why = props_read(&c, IN(MQTT_CONNACK), props);
		if (why)
			return why;
		ret->assigned_id = props->assigned_id;
	}
	return cursor_done(&c) ? MQTT_SUCCESS : MQTT_MALFORMED;
}

// --- writing ---

static size_t variable_size(size_t n) { return n < 128 ? 1 : n < 16384 ? 2 : n < 2097152 ? 3 : 4; }

static void write_variable(struct buf *out, size_t n)
{
	do {
		uint8_t b = n & 127;
		n >>= 7;
		buf_add_u8(out, n ? b | 128 : b);
	} while (n);
}

static void write_head(struct buf *out, enum mqtt_type type, uint8_t flags, size_t left)
{
	buf_add_u8(out, (uint8_t)((unsigned)type << 4 | flags));
	write_variable(out, left);
}

static void write_text(struct buf *out, struct str s)
{
	buf_add_be16(out, (uint16_t)s.n);
	buf_add_str(out, s);
}

// What the gate offers (3.2.2.3): no shared or numbered subscriptions.
static void write_connack_props(struct buf *out, const struct mqtt_connack *a)
{
	size_t n = 3 + 5 + 3 + 2 + 2 + (a->expiry_zero ? 5 : 0) + (a->assigned_id.n ? 3 + a->assigned_id.n : 0);
	write_head(out, MQTT_CONNACK, 0, 2 + variable_size(n) + n);
	buf_add_u8(out, 0); // no session present, ever
	buf_add_u8(out, a->code);
	write_variable(out, n);
	buf_add_u8(out, 0x21);
	buf_add_be16(out, LIMIT_MQTT_INFLIGHT);
	buf_add_u8(out, 0x27);
	buf_add_be32(out, LIMIT_MQTT_PACKET);
	buf_add_u8(out, 0x22);
	buf_add_be16(out, LIMIT_MQTT_ALIASES);
	static const uint8_t one_byte[][2] = { { 0x29, 0 }, { 0x2A, 0 } };
	buf_add(out, one_byte, sizeof one_byte);
	if (a->expiry_zero) {
		buf_add_u8(out, 0x11);
		buf_add_be32(out, 0);
	}
	if (a->assigned_id.n) {
		buf_add_u8(out, 0x12);
		write_text(out, a->assigned_id);
	}
}

void mqtt_write_connack(struct buf *out, uint8_t version, const struct mqtt_connack *a)
{
	if (version == MQTT_V5 && a->code == MQTT_SUCCESS) {
		write_connack_props(out, a);
		return;
	}
	write_head(out, MQTT_CONNACK, 0, version == MQTT_V5 ? 3 : 2);
	buf_add_u8(out, 0);
	buf_add_u8(out, a->code);
	if (version == MQTT_V5)
		buf_add_u8(out, 0); // no properties
}

void mqtt_write_ack(struct buf *out, uint8_t version, enum mqtt_type type, uint16_t id, uint8_t reason)
{
	bool with_reason = version == MQTT_V5 && reason != MQTT_SUCCESS;
	uint8_t p[5] = { (uint8_t)(type << 4), with_reason ? 3 : 2, (uint8_t)(id >> 8), (uint8_t)id, reason };
	buf_add(out, p, with_reason ? 5 : 4);
}

static void write_codes(struct buf *out, enum mqtt_type type, uint8_t version, uint16_t id, const uint8_t *codes,
                        size_t n)
{
	write_head(out, type, 0, 2 + (version == MQTT_V5 ? 1 : 0) + n);
	buf_add_be16(out, id);
	if (version == MQTT_V5)
		buf_add_u8(out, 0); // no properties
	buf_add(out, codes, n);
}

void mqtt_write_suback(struct buf *out, uint8_t version, uint16_t id, const uint8_t *codes, size_t n)
{
	write_codes(out, MQTT_SUBACK, version, id, codes, n);
}

void mqtt_write_unsuback(struct buf *out, uint8_t version, uint16_t id, const uint8_t *codes, size_t n)
{
	write_codes(out, MQTT_UNSUBACK, version, id, codes, version == MQTT_V5 ? n : 0); // 3.1.1 has no codes here
}

void mqtt_write_pingresp(struct buf *out) { write_head(out, MQTT_PINGRESP, 0, 0); }

void mqtt_write_disconnect(struct buf *out, uint8_t version, uint8_t reason)
{
	if (version != MQTT_V5)
		return;
	write_head(out, MQTT_DISCONNECT, 0, 1);
	buf_add_u8(out, reason);
}

void mqtt_write_publish(struct buf *out, uint8_t version, struct str topic, uint8_t qos, uint16_t id,
                        struct str payload)
{
	write_head(out, MQTT_PUBLISH, (uint8_t)(qos << 1),
	           2 + topic.n + (qos ? 2 : 0) + (version == MQTT_V5 ? 1 : 0) + payload.n);
	write_text(out, topic);
	if (qos)
		buf_add_be16(out, id);
	if (version == MQTT_V5)
		buf_add_u8(out, 0);
	buf_add_str(out, payload);
}

void mqtt_write_connect(struct buf *out, uint8_t version, struct str client_id, struct str user, struct str password,
                        uint16_t keep_alive)
{
	write_head(out, MQTT_CONNECT, 0, 10 + (version == MQTT_V5 ? 1 : 0) + 2 + client_id.n + 2 + user.n + 2 + password.n);
	write_text(out, STR("MQTT"));
	buf_add_u8(out, version);
	buf_add_u8(out, CONNECT_CLEAN | CONNECT_USER | CONNECT_PASSWORD);
	buf_add_be16(out, keep_alive);
	if (version == MQTT_V5)
		buf_add_u8(out, 0);
	write_text(out, client_id);
	write_text(out, user);
	write_text(out, password);
}

void mqtt_write_subscribe(struct buf *out, uint8_t version, uint16_t id, struct str filter, uint8_t qos)
{
	write_head(out, MQTT_SUBSCRIBE, 2, 2 + (version == MQTT_V5 ? 1 : 0) + 2 + filter.n + 1);
	buf_add_be16(out, id);
	if (version == MQTT_V5)
		buf_add_u8(out, 0);
	write_text(out, filter);
	buf_add_u8(out, qos);
}
