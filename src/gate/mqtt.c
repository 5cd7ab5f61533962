// MQTT sessions, server side. A device may publish on anlan/v1/DEVICE/readings and subscribe to
// anlan/v1/DEVICE/command, and to its own topics of Sparkplug B (sparkplug.c), nothing else; wills and retained messages
// of others have nobody who could see them: they are accepted and forgotten. Nothing is kept beyond the connection
// (commands wait in the core): a message of QoS 2 is taken when it comes, as readings are idempotent by their time.
// Section numbers: MQTT 5.0.
#include "gate/mqtt_packet.h"

#include "gate/conn.h"

#include <stdio.h>

// --- last words ---

static int connack_code_311(uint8_t reason) // -1: 3.1.1 has no code for it, the connection is just closed
{
	switch (reason) {
	case MQTT_BAD_VERSION: return MQTT311_BAD_VERSION;
	case MQTT_BAD_CLIENT_ID: return MQTT311_BAD_CLIENT_ID;
	case MQTT_BAD_USER: return MQTT311_BAD_USER;
	case MQTT_NOT_AUTHORIZED: return MQTT311_NOT_AUTHORIZED;
	case MQTT_UNAVAILABLE: case MQTT_SHUTTING_DOWN: return MQTT311_UNAVAILABLE;
	default: return -1;
	}
}

static void mqtt_bye(struct conn *c, enum reject why, uint8_t reason)
{
	(void)why;
	uint8_t version = c->mqtt.version;
	if (reason == MQTT_SHUTTING_DOWN)
		sparkplug_host_gone(c);
	if (c->state == CONN_READY) {
		mqtt_write_disconnect(&c->out, version, reason);
		return;
	}
	int code = version == MQTT_V5 ? reason : connack_code_311(reason);
	if (version && code > 0)
		mqtt_write_connack(&c->out, version, &(struct mqtt_connack){ .code = (uint8_t)code });
}

static void mqtt_wrong(struct conn *c, enum mqtt_reason reason, struct str what)
{
	enum reject why = reason == MQTT_MALFORMED ? REJECT_SYNTAX :
	                  reason == MQTT_TOO_LARGE ? REJECT_TOO_LARGE : REJECT_PROTOCOL;
	conn_end(c, why, (uint8_t)reason, what);
}

// --- CONNECT ---

static enum mqtt_reason connect_check(const struct mqtt_connect *k)
{
	bool nameless = !k->client_id.n && !k->clean && k->version == MQTT_V311; // 3.1.1 §3.1.3.1
	if (nameless || k->client_id.n > LIMIT_MQTT_CLIENT_ID)
		return MQTT_BAD_CLIENT_ID;
	if (k->props.auth_method.n)
		return MQTT_BAD_AUTH_METHOD;
	if (!k->has_user || !k->has_password)
		return MQTT_NOT_AUTHORIZED;
	if (!k->user.n || k->user.n > LIMIT_DEVICE_NAME || !k->password.n || k->password.n > LIMIT_DEVICE_KEY)
		return MQTT_BAD_USER;
	return MQTT_SUCCESS;
}

static void on_connect(struct conn *c, uint8_t flags, struct str body)
{
	struct mqtt_connect k;
	struct mqtt_session *s = &c->mqtt;
	enum mqtt_reason reason = mqtt_read_connect(flags, body, &k);
	s->version = k.version > MQTT_V5 ? MQTT_V5 : k.version ? MAX(k.version, MQTT_V311) : 0; // the form of the answer
	c->protocol = s->version == MQTT_V5 ? PROTO_MQTT5 : PROTO_MQTT311;
	if (reason) {
		enum reject why = reason == MQTT_BAD_VERSION ? REJECT_UNSUPPORTED : REJECT_SYNTAX;
		conn_end(c, why, (uint8_t)reason, body);
		return;
	}
	if ((reason = connect_check(&k))) {
		bool who = reason == MQTT_NOT_AUTHORIZED || reason == MQTT_BAD_USER;
		conn_end(c, who ? REJECT_AUTH : REJECT_UNSUPPORTED, (uint8_t)reason, k.user.n ? k.user : k.client_id);
		return;
	}
	s->keep_alive = k.keep_alive;
	s->assign_id = !k.client_id.n && k.version == MQTT_V5;
	s->wants_session = k.props.session_expiry != 0;
	s->receive_max = k.props.receive_max ? k.props.receive_max : UINT16_MAX; // 3.1.2.11.3
	s->max_packet = k.props.max_packet;
	if (k.has_will)
		sparkplug_will(c, k.user, k.will_topic, k.will_payload);
	gate_hello(c, k.user, k.password, false);
}

static void mqtt_welcome(struct conn *c, enum welcome verdict)
{
	static const uint8_t reasons[] = { [WELCOME_UNKNOWN] = MQTT_BAD_USER, [WELCOME_WRONG_KEY] = MQTT_BAD_USER,
		                           [WELCOME_DISABLED] = MQTT_NOT_AUTHORIZED, [WELCOME_BUSY] = MQTT_UNAVAILABLE };
	if (verdict != WELCOME_OK) {
		if ((size_t)verdict >= ARRAY_LEN(reasons))
			verdict = WELCOME_BUSY;
		conn_end(c, REJECT__MAX, reasons[verdict], STR_EMPTY); // the core has counted it
		return;
	}
	struct mqtt_session *s = &c->mqtt;
	char id[32];
	struct mqtt_connack a = { .assigned_id = STR_EMPTY, .expiry_zero = s->wants_session };
	if (s->assign_id)
		a.assigned_id = str_from(id, (size_t)snprintf(id, sizeof id, "anlan-%016llx", (unsigned long long)c->id));
	mqtt_write_connack(&c->out, s->version, &a);
	conn_dirty(c);
	if (s->keep_alive)
		loop_timer_in(c->gate->loop, &c->timer, s->keep_alive * US_PER_S * 3 / 2);
}

// --- PUBLISH ---

static void publish_ack(struct conn *c, const struct mqtt_publish *p, uint8_t reason)
{
	enum mqtt_type type = p->qos == 2 ? MQTT_PUBREC : MQTT_PUBACK;
	if (p->qos)
		gate_hold(c, (uint32_t)type << 24 | (uint32_t)p->id << 8 | reason);
}

static void mqtt_released(struct conn *c, uint32_t what)
{
	mqtt_write_ack(&c->out, c->mqtt.version, (enum mqtt_type)(what >> 24), (uint16_t)(what >> 8), (uint8_t)what);
	conn_dirty(c);
}

// The second half of QoS 2 (4.3.3): whatever the number is, nothing of it is left to be delivered.
static void on_pubrel(struct conn *c, uint8_t flags, struct str body)
{
	struct mqtt_ack a;
	enum mqtt_reason reason = mqtt_read_ack(c->mqtt.version, MQTT_PUBREL, flags, body, &a);
	if (reason) {
		mqtt_wrong(c, reason, body);
		return;
	}
	mqtt_write_ack(&c->out, c->mqtt.version, MQTT_PUBCOMP, a.id, MQTT_SUCCESS);
	conn_dirty(c);
}

// Not the device's own topic. 5.0 has an answer for it; in 3.1.1 the only alternative to pretending is to close
// ([MQTT-3.3.5-2] of 3.1.1).
static void publish_elsewhere(struct conn *c, const struct mqtt_publish *p)
{
	if (c->mqtt.version == MQTT_V5) {
		gate_reject(c, REJECT_TOPIC, 1, p->topic);
		publish_ack(c, p, MQTT_NOT_AUTHORIZED);
	} else {
		conn_end(c, REJECT_TOPIC, 0, p->topic);
	}
}

// False: the ring is full, the packet must come again.
static bool publish_readings(struct conn *c, const struct mqtt_publish *p)
{
	struct intake in;
	const struct payload_template *t = c->device->tpl;
	if (!intake_begin(&in, c, t ? template_most(t, p->payload) : payload_most(p->payload)))
		return false;
	struct decode_sink sink = intake_sink(&in);
	struct refusal why = { 0 };
	int64_t now = loop_wall(c->gate->loop);
	bool decoded = t ? template_decode(t, p->payload, c->gate->arena, now, &sink, &why)
	                 : payload_decode(p->payload, c->gate->arena, now, &sink, &why);
	static const uint8_t reasons[] = { [INTAKE_OK] = MQTT_SUCCESS, [INTAKE_BAD] = MQTT_BAD_PAYLOAD,
		                           [INTAKE_TOO_MANY] = MQTT_QUOTA };
	publish_ack(c, p, reasons[intake_end(&in, decoded, &why, p->payload)]);
	return true;
}

struct mqtt_aliases {
	struct {
		size_t n;
		char topic[LIMIT_MQTT_TOPIC];
	} at[LIMIT_MQTT_ALIASES];
};

// 3.3.2.3.4: a topic and a number give the number this meaning from now on, the number alone is that topic.
static enum mqtt_reason publish_topic(struct conn *c, struct mqtt_publish *p)
{
	struct mqtt_session *s = &c->mqtt;
	size_t alias = p->props.topic_alias;
	if (p->topic.n > LIMIT_MQTT_TOPIC)
		return MQTT_BAD_TOPIC;
	if (!(p->props.seen >> 0x23 & 1))
		return p->topic.n ? MQTT_SUCCESS : MQTT_PROTOCOL_ERROR;
	if (!alias || alias > LIMIT_MQTT_ALIASES)
		return MQTT_BAD_TOPIC_ALIAS;
	if (!s->aliases)
		s->aliases = mem_alloc(sizeof *s->aliases);
	size_t *n = &s->aliases->at[alias - 1].n;
	char *topic = s->aliases->at[alias - 1].topic;
	if (p->topic.n) {
		*n = p->topic.n;
		memcpy(topic, p->topic.p, *n);
	}
	p->topic = str_from(topic, *n);
	return *n ? MQTT_SUCCESS : MQTT_PROTOCOL_ERROR;
}

static bool on_publish(struct conn *c, uint8_t flags, struct str body)
{
	struct mqtt_publish p;
	enum mqtt_reason reason = mqtt_read_publish(c->mqtt.version, flags, body, &p);
	if (!reason)
		reason = publish_topic(c, &p);
	if (!reason && p.qos && c->inflight >= LIMIT_MQTT_INFLIGHT)
		reason = MQTT_RECEIVE_MAXIMUM;
	if (reason) {
		mqtt_wrong(c, reason, body);
		return true;
	}
	if (str_eq(p.topic, c->device->readings_topic))
		return publish_readings(c, &p);
	switch (sparkplug_publish(c, p.topic, p.payload)) {
	case SPARKPLUG_NOT_OURS: publish_elsewhere(c, &p); break;
	case SPARKPLUG_TAKEN: publish_ack(c, &p, MQTT_SUCCESS); break;
	case SPARKPLUG_BAD: publish_ack(c, &p, MQTT_BAD_PAYLOAD); break;
	case SPARKPLUG_AGAIN: return false;
	}
	return true;
}

// --- SUBSCRIBE, UNSUBSCRIBE, commands ---

// Its own command topic, also as everything (# or +) below anlan/v1/DEVICE: there is nothing else to hear.
static bool names_command(struct conn *c, struct str filter)
{
	struct str topic = c->device->command_topic, last = STR("command");
	struct str above = str_first(topic, topic.n - last.n), rest = str_skip(filter, above.n);
	return str_starts(filter, above) && (str_eq(rest, last) || str_is(rest, "#") || str_is(rest, "+"));
}

static void on_subscribe(struct conn *c, uint8_t flags, struct str body)
{
	struct mqtt_session *s = &c->mqtt;
	struct mqtt_filters f;
	uint8_t codes[LIMIT_MQTT_SUBSCRIPTIONS];
	enum mqtt_reason reason = mqtt_read_subscribe(s->version, flags, body, &f);
	if (!reason && f.n > LIMIT_MQTT_SUBSCRIPTIONS)
		reason = MQTT_QUOTA;
	if (reason) {
		mqtt_wrong(c, reason, body);
		return;
	}
	bool granted = false;
	for (size_t i = 0; i < f.n; i++) {
		if (sparkplug_subscribe(c, f.at[i].filter, true)) {
			codes[i] = 0;
			continue;
		}
		codes[i] = s->version != MQTT_V5 ? MQTT_UNSPECIFIED // 3.1.1 §3.9.3: 0x80 failure
			   : str_starts(f.at[i].filter, STR("$share/")) ? MQTT_SHARED_UNSUPPORTED : MQTT_NOT_AUTHORIZED;
		if (!names_command(c, f.at[i].filter)) {
			gate_reject(c, REJECT_TOPIC, 1, f.at[i].filter);
			continue;
		}
		codes[i] = s->sub_qos = MIN(f.at[i].qos, 1);
		granted = true;
	}
	mqtt_write_suback(&c->out, s->version, f.id, codes, f.n);
	sparkplug_greet(c);
	conn_dirty(c);
	if (granted) {
		s->subscribed = true;
		gate_subscribed(c);
	}
}

static void on_unsubscribe(struct conn *c, uint8_t flags, struct str body)
{
	struct mqtt_session *s = &c->mqtt;
	struct mqtt_filters f;
	uint8_t codes[LIMIT_MQTT_SUBSCRIPTIONS];
	enum mqtt_reason reason = mqtt_read_unsubscribe(s->version, flags, body, &f);
	if (!reason && f.n > LIMIT_MQTT_SUBSCRIPTIONS)
		reason = MQTT_QUOTA;
	if (reason) {
		mqtt_wrong(c, reason, body);
		return;
	}
	for (size_t i = 0; i < f.n; i++) {
		bool it = s->subscribed && names_command(c, f.at[i].filter);
		codes[i] = it || sparkplug_subscribe(c, f.at[i].filter, false) ? MQTT_SUCCESS : MQTT_NO_SUBSCRIPTION;
		if (it)
			s->subscribed = false;
	}
	mqtt_write_unsuback(&c->out, s->version, f.id, codes, f.n);
	conn_dirty(c);
}

static int command_find(const struct mqtt_session *s, uint16_t id)
{
	for (int i = 0; i < s->ncommands; i++)
		if (s->commands[i].id == id)
			return i;
	return -1;
}

static bool mqtt_command(struct conn *c, const struct msg_command *k, struct str payload)
{
	struct mqtt_session *s = &c->mqtt;
	uint64_t seq = k->m.seq;
	struct str topic = c->device->command_topic;
	size_t size = payload.n + topic.n + 16; // no less than the packet
	if (k->c.kind != COMMAND_PAYLOAD)
		return false;
	if (c->state == CONN_READY && !s->subscribed)
		return sparkplug_command(c, seq, payload);
	if (c->state != CONN_READY || c->out.n + size > LIMIT_GATE_OUT ||
	    (s->max_packet && size > s->max_packet))
		return false;
	if (s->sub_qos == 0) {
		mqtt_write_publish(&c->out, s->version, topic, 0, 0, payload);
		conn_dirty(c);
		gate_delivered(c->gate, c->device->id, c->id, seq, true);
		return true;
	}
	if (s->ncommands >= MIN(s->receive_max, LIMIT_MQTT_COMMANDS))
		return false;
	do
		s->next_id++;
	while (!s->next_id || command_find(s, s->next_id) >= 0);
	s->commands[s->ncommands].id = s->next_id;
	s->commands[s->ncommands++].seq = seq;
	mqtt_write_publish(&c->out, s->version, topic, 1, s->next_id, payload);
	conn_dirty(c);
	return true;
}

static void on_puback(struct conn *c, uint8_t flags, struct str body)
{
	struct mqtt_session *s = &c->mqtt;
	struct mqtt_ack a;
	enum mqtt_reason reason = mqtt_read_ack(s->version, MQTT_PUBACK, flags, body, &a);
	if (reason) {
		mqtt_wrong(c, reason, body);
		return;
	}
	int i = command_find(s, a.id);
	if (i < 0)
		return; // of a former connection: harmless
	gate_delivered(c->gate, c->device->id, c->id, s->commands[i].seq, a.reason < 0x80);
	s->commands[i] = s->commands[--s->ncommands];
}

// --- dispatch ---

static void on_disconnect(struct conn *c, uint8_t flags, struct str body)
{
	struct mqtt_ack a;
	enum mqtt_reason reason = mqtt_read_disconnect(c->mqtt.version, flags, body, &a);
	if (reason)
		mqtt_wrong(c, reason, body);
	else
		conn_drop(c);
}

static void on_pingreq(struct conn *c, uint8_t flags, struct str body)
{
	if (flags || body.n) {
		mqtt_wrong(c, MQTT_MALFORMED, body);
		return;
	}
	mqtt_write_pingresp(&c->out);
	conn_dirty(c);
}

// False: nothing could be done now, the packet comes again.
static bool mqtt_packet(struct conn *c, const struct mqtt_fixed *f, struct str body)
{
	if ((c->state == CONN_NEW) != (f->type == MQTT_CONNECT)) { // 3.1: first, and only once
		mqtt_wrong(c, MQTT_PROTOCOL_ERROR, body);
		return true;
	}
	switch (f->type) {
	case MQTT_CONNECT: on_connect(c, f->flags, body); break;
	case MQTT_PUBLISH: return on_publish(c, f->flags, body);
	case MQTT_PUBACK: on_puback(c, f->flags, body); break;
	case MQTT_PUBREL: on_pubrel(c, f->flags, body); break;
	case MQTT_SUBSCRIBE: on_subscribe(c, f->flags, body); break;
	case MQTT_UNSUBSCRIBE: on_unsubscribe(c, f->flags, body); break;
	case MQTT_PINGREQ: on_pingreq(c, f->flags, body); break;
	case MQTT_DISCONNECT: on_disconnect(c, f->flags, body); break;
	default: mqtt_wrong(c, MQTT_PROTOCOL_ERROR, body); break; // AUTH, what only a server sends
	}
	return true;
}

static size_t mqtt_input(struct conn *c, struct str in)
{
	struct mqtt_fixed f;
	size_t max = c->state == CONN_NEW ? GATE_NEW_PACKET : LIMIT_MQTT_PACKET;
	switch (mqtt_frame(in, max, &f)) {
	case MQTT_FRAME_OK:
		return mqtt_packet(c, &f, str_from(in.p + f.head, f.size - f.head)) ? f.size : 0;
	case MQTT_FRAME_MORE:
		c->need = f.size ? f.size : in.n + 1;
		if (c->state == CONN_NEW && f.type != MQTT_CONNECT && in.n) // no need to wait for the rest of a stranger's bytes
			mqtt_wrong(c, MQTT_PROTOCOL_ERROR, in);
		return 0;
	case MQTT_FRAME_TOO_LARGE: mqtt_wrong(c, MQTT_TOO_LARGE, in); return 0;
	case MQTT_FRAME_MALFORMED: break;
	}
	mqtt_wrong(c, MQTT_MALFORMED, in);
	return 0;
}

static void mqtt_tick(struct conn *c)
{
	struct loop *l = c->gate->loop;
	int64_t limit = c->mqtt.keep_alive * US_PER_S * 3 / 2; // MQTT 5.0 3.1.2.10
	int64_t silent = loop_mono(l) - c->last_in;
	if (!limit)
		return;
	if (silent < limit || c->paused)
		loop_timer_in(l, &c->timer, c->paused ? limit : limit - silent);
	else
		conn_end(c, REJECT__MAX, MQTT_KEEP_ALIVE_TIMEOUT, STR_EMPTY);
}

static void mqtt_done(struct conn *c)
{
	sparkplug_free(c);
	mem_free(c->mqtt.aliases);
	c->mqtt.aliases = NULL;
}

const struct proto proto_mqtt = {
	.input = mqtt_input, .welcome = mqtt_welcome, .released = mqtt_released, .bye = mqtt_bye, .command = mqtt_command,
	.tick = mqtt_tick,
	.leaving = sparkplug_leaving, .done = mqtt_done,
};
