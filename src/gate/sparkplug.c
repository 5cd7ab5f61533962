// Sparkplug B on the MQTT listener: the gate is broker and host application at once (Eclipse Sparkplug 3.0). An edge node is
// a device of ours: it logs in as the device, and NODE of its topics must be the device's code; GROUP is what it used first.
// Metrics of the node are points by their names, those of its devices by "DEVICE/metric" (code or address of the point).
//
// Births define names, aliases and types; what comes by an alias that no birth defined, or with a gap in seq, makes the host
// ask for the births again (NCMD "Node Control/Rebirth"), at most every LIMIT_SPARKPLUG_REBIRTH_S. After NDEATH, DDEATH or
// the end of the connection each metric's last value becomes a reading of quality stale: alarm conditions stand still, the
// page shows it, and the rules of silence judge what follows. A death with another bdSeq than the birth's is that of a
// former session.
#include "gate/mqtt_packet.h"

#include "base/jr.h"
#include "gate/conn.h"
#include "gate/decode/sparkplug.h"

#include <stdio.h>

#define HOST_ID "anlan"
#define HOST_TOPIC SPB_ROOT "STATE/" HOST_ID
#define REBIRTH "Node Control/Rebirth"
#define BDSEQ "bdSeq"
#define BDSEQ_NONE UINT64_MAX
#define COMMAND_METRICS 16

struct metric {
	uint64_t alias;
	struct str name;      // of a device's metric: "DEVICE/metric"
	uint16_t device;      // bytes of DEVICE in it, 0: the node's own
	uint8_t type;
	bool has_alias, has_value;
	double value;         // the last, and when
	int64_t time;
};

struct sparkplug {
	struct arena *arena;            // group, metrics and their names; begun anew with each NBIRTH
	char group[LIMIT_MQTT_TOPIC];
	size_t group_n;
	uint64_t will, born;            // bdSeq of the will and of the birth in force
	bool alive, seq_known;
	uint8_t seq;                    // that comes next
	bool commands, state, greeted;  // subscriptions: NCMD and DCMD, STATE
	int64_t asked;                  // monotonic us of the last request for births
	int64_t behind;                 // us that the node's clock was behind ours at its last message, at least 0
	struct metric *metrics;
	size_t n, cap, names;
	struct strmap *by_name, *by_alias;
};

static struct str alias_key(const uint64_t *alias) { return str_from((const char *)alias, sizeof *alias); }

static struct sparkplug *session(struct conn *c)
{
	if (!c->mqtt.spb) {
		c->mqtt.spb = mem_alloc(sizeof *c->mqtt.spb);
		*c->mqtt.spb = (struct sparkplug){ .arena = arena_new(0), .will = BDSEQ_NONE, .born = BDSEQ_NONE,
			                           .asked = INT64_MIN / 2 };
		c->mqtt.spb->by_name = strmap_new(16);
		c->mqtt.spb->by_alias = strmap_new(16);
	}
	return c->mqtt.spb;
}

void sparkplug_free(struct conn *c)
{
	struct sparkplug *s = c->mqtt.spb;
	if (!s)
		return;
	strmap_free(s->by_name);
	strmap_free(s->by_alias);
	arena_free(s->arena);
	mem_free(s);
	c->mqtt.spb = NULL;
}

static void forget_metrics(struct sparkplug *s)
{
	strmap_free(s->by_name);
	strmap_free(s->by_alias);
	s->by_name = strmap_new(16);
	s->by_alias = strmap_new(16);
	arena_reset(s->arena);
	s->metrics = NULL;
	s->n = s->cap = s->names = 0;
}

// GROUP is whatever the node says first, then always that.
static bool own_group(struct conn *c, struct str group)
{
	struct sparkplug *s = session(c);
	if (!s->group_n && group.n < sizeof s->group && !memchr(group.p, '+', group.n) && !memchr(group.p, '#', group.n)) {
		memcpy(s->group, group.p, group.n);
		s->group_n = group.n;
	}
	return str_eq(group, str_from(s->group, s->group_n));
}

static uint64_t bdseq_of(struct str payload)
{
	struct spb_payload p;
	struct spb_metric m;
	struct refusal why;
	if (!spb_read(payload, &p, &why))
		return BDSEQ_NONE;
	for (struct str rest = payload; spb_next(&rest, &m);)
		if (str_is(m.name, BDSEQ) && (m.value.is == SPB_F_LONG || m.value.is == SPB_F_INT))
			return m.value.field.value & 0xFF; // 6.4.6: 0…255
	return BDSEQ_NONE;
}

// --- to the node -----------------------------------------------------------------------------------------------------

static bool say(struct conn *c, const char *kind, struct str device, const struct spb_said *m, size_t n)
{
	struct sparkplug *s = c->mqtt.spb;
	char topic[LIMIT_MQTT_TOPIC + LIMIT_DEVICE_NAME + 300];
	struct buf out;
	buf_init(&out, LIMIT_COMMAND * 2);
	int len = snprintf(topic, sizeof topic, SPB_ROOT "%.*s/%s/%.*s%s%.*s", (int)s->group_n, s->group, kind, STR_FMT(c->device->code),
	                   device.n ? "/" : "", STR_FMT(device));
	spb_write(&out, (uint64_t)(loop_wall(c->gate->loop) / 1000), m, n);
	size_t size = out.n + (size_t)len + 16;
	bool fits = buf_ok(&out) && (size_t)len < sizeof topic && c->out.n + size <= LIMIT_GATE_OUT &&
	            (!c->mqtt.max_packet || size <= c->mqtt.max_packet);
	if (fits) {
		mqtt_write_publish(&c->out, c->mqtt.version, str_from(topic, (size_t)len), 0, 0, buf_str(&out));
		conn_dirty(c);
	}
	buf_free(&out);
	return fits;
}

static void ask_for_births(struct conn *c)
{
	struct sparkplug *s = c->mqtt.spb;
	int64_t now = loop_mono(c->gate->loop);
	if (!s->commands || now - s->asked < LIMIT_SPARKPLUG_REBIRTH_S * US_PER_S)
		return;
	struct spb_said rebirth = { .name = STR(REBIRTH), .type = SPB_BOOLEAN, .truth = true, .text = STR_EMPTY };
	if (say(c, "NCMD", STR_EMPTY, &rebirth, 1))
		s->asked = now;
}

// STATE as in 3.0: retained, so that every new subscriber gets it.
static void say_state(struct conn *c, bool online)
{
	char text[80];
	int n = snprintf(text, sizeof text, "{\"online\":%s,\"timestamp\":%lld}", online ? "true" : "false",
	                 (long long)(loop_wall(c->gate->loop) / 1000));
	size_t at = c->out.n;
	mqtt_write_publish(&c->out, c->mqtt.version, STR(HOST_TOPIC), 0, 0, str_from(text, (size_t)n));
	if (buf_ok(&c->out))
		c->out.p[at] |= 1; // retain
	conn_dirty(c);
}

void sparkplug_host_gone(struct conn *c)
{
	if (!c->mqtt.spb)
		return;
	c->mqtt.spb->alive = false; // the node is fine: nothing is said of its points
	if (c->mqtt.spb->state && c->state == CONN_READY)
		say_state(c, false);
}

static bool state_filter(struct str f)
{
	return str_is(f, HOST_TOPIC) || str_is(f, SPB_ROOT "STATE/+") || str_is(f, SPB_ROOT "STATE/#");
}

// spBv1.0/GROUP/NCMD/NODE[/#], spBv1.0/GROUP/DCMD/NODE/…
static bool command_filter(struct conn *c, struct str filter, bool *ret_node)
{
	struct str rest = filter;
	str_cut(&rest, '/');
	struct str group = str_cut(&rest, '/'), kind = str_cut(&rest, '/'), node = str_cut(&rest, '/');
	*ret_node = str_is(kind, "NCMD");
	bool ours = str_starts(filter, STR(SPB_ROOT)) && group.n && str_eq(node, c->device->code);
	bool shape = *ret_node ? !rest.n || str_is(rest, "#") : str_is(kind, "DCMD") && rest.n;
	return ours && shape && own_group(c, group);
}

bool sparkplug_subscribe(struct conn *c, struct str filter, bool on)
{
	bool node;
	if (state_filter(filter)) {
		session(c)->state = on;
		session(c)->greeted = false;
		return true;
	}
	if (!command_filter(c, filter, &node))
		return false;
	if (node)
		session(c)->commands = on;
	if (node && on)
		gate_subscribed(c);
	return true;
}

void sparkplug_greet(struct conn *c)
{
	struct sparkplug *s = c->mqtt.spb;
	if (s && s->state && !s->greeted)
		say_state(c, true);
	if (s)
		s->greeted = true;
}

// --- what births define ----------------------------------------------------------------------------------------------

static struct metric *metric_by_name(struct sparkplug *s, struct str name)
{
	uint32_t i;
	return strmap_get(s->by_name, name, &i) ? &s->metrics[i] : NULL;
}

static struct metric *metric_by_alias(struct sparkplug *s, uint64_t alias)
{
	uint32_t i;
	return strmap_get(s->by_alias, alias_key(&alias), &i) ? &s->metrics[i] : NULL;
}

// NULL: beyond the limits.
static struct metric *define(struct sparkplug *s, struct str name, size_t device, const struct spb_metric *m)
{
	struct metric *at = metric_by_name(s, name);
	if (!at && (s->n == LIMIT_SPARKPLUG_METRICS || s->names + name.n > LIMIT_SPARKPLUG_NAMES))
		return NULL;
	if (!at) {
		s->metrics = arena_push(s->arena, s->metrics, &s->n, &s->cap, sizeof *s->metrics);
		at = &s->metrics[s->n - 1];
		at->name = arena_str(s->arena, name);
		at->device = (uint16_t)device;
		s->names += name.n;
		strmap_put(s->by_name, name, (uint32_t)(s->n - 1));
	}
	if (at->has_alias && metric_by_alias(s, at->alias) == at) // two metrics of a birth may have changed aliases with each other
		strmap_del(s->by_alias, alias_key(&at->alias));
	at->type = (uint8_t)m->type;
	at->alias = m->alias;
	at->has_alias = m->has_alias;
	if (m->has_alias)
		strmap_put(s->by_alias, alias_key(&m->alias), (uint32_t)(at - s->metrics));
	return at;
}

// --- payloads → readings ---------------------------------------------------------------------------------------------

struct message {
	struct conn *c;
	struct sparkplug *s;
	struct spb_topic topic;
	struct spb_payload payload;
	struct decode_sink sink;
	bool birth, lost;       // lost: something came that no birth has defined
};

static struct str full_name(struct message *ms, struct str name)
{
	if (!ms->topic.device.n)
		return name;
	return arena_printf(ms->c->gate->arena, "%.*s/%.*s", STR_FMT(ms->topic.device), STR_FMT(name));
}

static struct metric *metric_of(struct message *ms, const struct spb_metric *m, struct str *ret_name)
{
	*ret_name = m->has_name ? full_name(ms, m->name) : STR_EMPTY;
	if (ms->birth)
		return m->has_name ? define(ms->s, *ret_name, ms->topic.device.n, m) : NULL;
	struct metric *at = m->has_name ? metric_by_name(ms->s, *ret_name) : m->has_alias ? metric_by_alias(ms->s, m->alias) : NULL;
	if (at)
		*ret_name = at->name;
	return at && at->device == ms->topic.device.n ? at : NULL;
}

// What every edge node has and nobody watches.
static bool is_control(struct str name)
{
	return str_is(name, BDSEQ) || str_starts(name, STR("Node Control/")) || str_starts(name, STR("Device Control/"));
}

static void take_metric(struct message *ms, const struct spb_metric *m)
{
	struct str name;
	struct metric *at = metric_of(ms, m, &name);
	struct decode_sink *sink = &ms->sink;
	struct decoded d = { .alias = STR_EMPTY, .flags = m->historical ? READING_HISTORY : 0,
		             .quality = m->null ? Q_BAD : spb_quality(m->properties) };
	if (m->has_name && is_control(m->name))
		return;
	if (!at) {
		ms->lost |= !ms->birth;
		sink->refuse(sink->owner, ms->birth ? REJECT_TOO_LARGE : REJECT_UNKNOWN_POINT, name);
		return;
	}
	d.name = name;
	uint64_t ms1970 = m->has_time ? m->time : ms->payload.time;
	uint32_t type = m->has_type && m->type ? m->type : at->type;
	bool known = device_point(ms->c->device, name) != NULL;
	if ((!m->has_time && !ms->payload.has_time) || ms1970 > 253402300799999u) {
		sink->refuse(sink->owner, REJECT_TIME, name);
	} else if (!m->null && !spb_number(&m->value, type, &d.value)) {
		if (known || type < SPB_STRING) // texts that are no points are not missed
			sink->refuse(sink->owner, known && type >= SPB_STRING ? REJECT_UNSUPPORTED : REJECT_VALUE, name);
	} else {
		d.time = (int64_t)ms1970 * 1000;
		at->has_value |= !m->null && !m->historical;
		if (!m->null && !m->historical)
			at->value = d.value;
		at->time = MAX(at->time, d.time);
		sink->reading(sink->owner, &d);
	}
}

// False: the ring is full.
static bool take_metrics(struct message *ms, struct str bytes)
{
	struct intake in;
	struct spb_metric m;
	if (!intake_begin(&in, ms->c, ms->payload.metrics))
		return false;
	ms->sink = intake_sink(&in);
	for (struct str rest = bytes; spb_next(&rest, &m);)
		take_metric(ms, &m);
	intake_end(&in, true, NULL, STR_EMPTY);
	return true;
}

// What is known becomes old: of the node and all, or of one of its devices; by the node's clock, so that the births of its
// next session, which may change nothing for hours, are newer. False: the ring is full.
static bool mark_stale(struct conn *c, struct str device)
{
	struct sparkplug *s = c->mqtt.spb;
	struct intake in;
	if (!s->n || !c->device)
		return true;
	for (size_t from = 0; from < s->n; from += LIMIT_READINGS_PER_MESSAGE) {
		if (!intake_begin(&in, c, s->n - from))
			return false;
		struct decode_sink sink = intake_sink(&in);
		for (size_t i = from; i < MIN(s->n, from + LIMIT_READINGS_PER_MESSAGE); i++) {
			struct metric *m = &s->metrics[i];
			struct decoded d = { .name = m->name, .alias = STR_EMPTY, .quality = Q_STALE, .value = m->value, .optional = true,
				             .time = MAX(loop_wall(c->gate->loop) - s->behind, m->time + US_PER_MS) };
			bool its = !device.n || (m->device == device.n && str_starts(m->name, device));
			if (m->has_value && its)
				sink.reading(sink.owner, &d);
			m->has_value &= !its;
		}
		intake_end(&in, true, NULL, STR_EMPTY);
	}
	return true;
}

// --- messages --------------------------------------------------------------------------------------------------------

static bool check_seq(struct message *ms)
{
	struct sparkplug *s = ms->s;
	if (!ms->payload.has_seq)
		return !s->seq_known;
	uint8_t seq = (uint8_t)ms->payload.seq;
	bool right = ms->payload.seq <= 255 && s->seq_known && seq == s->seq;
	s->seq = (uint8_t)(seq + 1);
	s->seq_known = true;
	return right;
}

static void on_birth(struct message *ms, struct str bytes)
{
	struct sparkplug *s = ms->s;
	forget_metrics(s);
	s->born = bdseq_of(bytes);
	s->alive = true;
	s->seq = (uint8_t)(ms->payload.seq + 1);
	s->seq_known = ms->payload.has_seq;
	s->asked = INT64_MIN / 2;
}

static enum sparkplug_end on_death(struct message *ms, struct str bytes)
{
	struct sparkplug *s = ms->s;
	uint64_t bdseq = bdseq_of(bytes);
	if (!s->alive || bdseq != s->born) { // of a session that is over
		gate_reject(ms->c, REJECT_PROTOCOL, 1, STR("NDEATH: bdSeq"));
		return SPARKPLUG_TAKEN;
	}
	if (!mark_stale(ms->c, STR_EMPTY))
		return SPARKPLUG_AGAIN;
	s->alive = false;
	return SPARKPLUG_TAKEN;
}

static enum sparkplug_end on_message(struct message *ms, struct str bytes)
{
	struct sparkplug *s = ms->s;
	if (ms->topic.kind == SPB_NDEATH)
		return on_death(ms, bytes);
	if (ms->topic.kind != SPB_NBIRTH && !s->alive) {
		gate_reject(ms->c, REJECT_PROTOCOL, 1, STR("no NBIRTH"));
		ask_for_births(ms->c);
		return SPARKPLUG_TAKEN;
	}
	struct sparkplug before = *s;
	if (ms->payload.has_time && ms->payload.time <= (uint64_t)INT64_MAX / US_PER_MS)
		s->behind = MAX(loop_wall(ms->c->gate->loop) - (int64_t)ms->payload.time * US_PER_MS, 0);
	if (ms->topic.kind == SPB_NBIRTH) {
		if (!gate_reserve(ms->c->gate, sizeof(struct msg_readings) + ms->payload.metrics * sizeof(struct reading)))
			return SPARKPLUG_AGAIN; // nothing is forgotten for a birth that cannot be taken yet
		on_birth(ms, bytes);
	} else if (!check_seq(ms)) {
		gate_reject(ms->c, REJECT_PROTOCOL, 1, STR("seq"));
		ms->lost = true;
	}
	ms->birth = ms->topic.kind == SPB_NBIRTH || ms->topic.kind == SPB_DBIRTH;
	bool done = ms->topic.kind == SPB_DDEATH ? mark_stale(ms->c, ms->topic.device) : take_metrics(ms, bytes);
	if (!done) {
		s->seq = before.seq; // it comes again
		s->seq_known = before.seq_known;
		return SPARKPLUG_AGAIN;
	}
	if (ms->lost)
		ask_for_births(ms->c);
	return SPARKPLUG_TAKEN;
}

enum sparkplug_end sparkplug_publish(struct conn *c, struct str topic, struct str payload)
{
	struct message ms = { .c = c };
	struct refusal why = { 0 };
	if (!spb_topic(topic, &ms.topic) || ms.topic.kind == SPB_NCMD || ms.topic.kind == SPB_DCMD ||
	    !str_eq(ms.topic.node, c->device->code) || !own_group(c, ms.topic.group))
		return SPARKPLUG_NOT_OURS;
	ms.s = session(c);
	if (!spb_read(payload, &ms.payload, &why)) {
		gate_reject(c, why.reason, 1, topic);
		return SPARKPLUG_BAD;
	}
	return on_message(&ms, payload);
}

// --- the will --------------------------------------------------------------------------------------------------------

void sparkplug_will(struct conn *c, struct str user, struct str topic, struct str payload)
{
	struct spb_topic t;
	if (spb_topic(topic, &t) && t.kind == SPB_NDEATH && str_eq(t.node, user) && own_group(c, t.group))
		session(c)->will = bdseq_of(payload);
}

// Also after a DISCONNECT without NDEATH, which the standard forbids and clients do. A full ring takes no marks then: the device
// is offline all the same, and its points are silent.
void sparkplug_leaving(struct conn *c)
{
	struct sparkplug *s = c->mqtt.spb;
	if (!s || !s->alive)
		return;
	if (s->will == BDSEQ_NONE || s->will == s->born)
		mark_stale(c, STR_EMPTY);
	s->alive = false;
}

// --- commands: {"name": metric, "value": …, "device"?: …} or an array of those ---------------------------------------

static void read_value(struct jr *r, struct spb_said *m)
{
	switch (jr_peek(r)) {
	case JR_BOOL: m->truth = jr_bool(r); m->type = SPB_BOOLEAN; break;
	case JR_NUMBER: m->number = jr_f64(r); m->type = SPB_DOUBLE; break;
	case JR_STRING: m->text = jr_str(r); m->type = SPB_STRING; break;
	case JR_NONE: case JR_NULL: case JR_OBJECT: case JR_ARRAY: jr_fail(r, "a value is a number, text or true, false"); break;
	}
}

static void read_command(struct conn *c, struct jr *r, struct spb_said *m, struct str *device)
{
	struct str key;
	*m = (struct spb_said){ .name = STR_EMPTY, .text = STR_EMPTY };
	for (jr_obj(r); jr_key(r, &key);) {
		if (str_is(key, "name"))
			m->name = jr_str(r);
		else if (str_is(key, "device"))
			*device = jr_str(r);
		else if (str_is(key, "value"))
			read_value(r, m);
		else
			jr_fail(r, "only name, value and device");
	}
	struct str name = device->n ? arena_printf(r->arena, "%.*s/%.*s", STR_FMT(*device), STR_FMT(m->name)) : m->name;
	const struct metric *born = metric_by_name(c->mqtt.spb, name);
	if (born && m->type == SPB_DOUBLE && born->type >= SPB_INT8 && born->type <= SPB_DOUBLE)
		m->type = born->type; // the node knows what it is
	if (!m->name.n || !m->type)
		jr_fail(r, "name or value is missing");
}

bool sparkplug_command(struct conn *c, uint64_t seq, struct str payload)
{
	struct spb_said m[COMMAND_METRICS];
	struct str device = STR_EMPTY;
	struct jr r;
	size_t n = 0;
	if (!c->mqtt.spb || !c->mqtt.spb->commands)
		return false;
	jr_init(&r, payload, c->gate->arena);
	if (jr_peek(&r) == JR_OBJECT) {
		read_command(c, &r, &m[n++], &device);
	} else {
		for (jr_arr(&r); jr_more(&r);) {
			if (n == COMMAND_METRICS)
				jr_fail(&r, "too many metrics in one command");
			else
				read_command(c, &r, &m[n++], &device);
		}
	}
	bool sent = jr_end(&r) && n && say(c, device.n ? "DCMD" : "NCMD", device, m, n);
	if (sent)
		gate_delivered(c->gate, c->device->id, c->id, seq, true);
	arena_reset(c->gate->arena);
	return sent;
}
