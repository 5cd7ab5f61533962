// HJ 212-2017 and GB/T 26875.3-2011 over TCP. A connection is whoever its last frame says it is: the core is asked
// when the first frame comes, or one of another device (a concentrator), and the frame waits for the answer. Answers
// of the standards leave when the readings are durable. A frame whose checksum is wrong gets no answer: the device
// sends it again (HJ 212-2017 table 1: after 10 s, three times).
#include "gate/conn.h"

struct frame { // one frame of either protocol
	struct hj212 hj;
	struct gb26875 gb;
	struct str name;      // device code
	struct str key;
	char source[12];      // name of GB/T 26875.3
};

static struct fed line_feed(const struct conn *c, struct str in)
{
	return c->protocol == PROTO_HJ212 ? hj212_feed(in) : gb26875_feed(in);
}

static bool line_decode(const struct conn *c, struct str bytes, struct frame *ret, struct refusal *why)
{
	if (c->protocol == PROTO_HJ212) {
		if (!hj212_decode(bytes, &ret->hj, why))
			return false;
		ret->name = ret->hj.mn;
		ret->key = ret->hj.pw;
		if (!ret->name.n || ret->name.n > LIMIT_DEVICE_NAME || ret->key.n > LIMIT_DEVICE_KEY)
			return refuse_at(why, REJECT_SYNTAX, 0, "MN 或 PW 缺失或过长", "MN or PW missing or too long");
		return true;
	}
	if (!gb26875_decode(bytes, false, &ret->gb, why))
		return false;
	gb26875_device(&ret->gb, ret->source);
	ret->name = str_from(ret->source, sizeof ret->source);
	ret->key = STR_EMPTY;
	return true;
}

// The answer behind those that still wait for the disk; it leaves in its turn.
static void line_answer(struct conn *c, const struct frame *f, bool accepted, enum hj212_return why)
{
	size_t before = c->line.held.n;
	if (c->protocol == PROTO_GB26875)
		gb26875_answer(&f->gb, accepted, loop_wall(c->gate->loop), &c->line.held);
	else if (accepted)
		hj212_answer(&f->hj, &c->line.held);
	else
		hj212_deny(&f->hj, why, &c->line.held);
	if (!buf_ok(&c->line.held)) {
		conn_end(c, REJECT_SLOW, 0, STR_EMPTY);
		return;
	}
	if (c->line.held.n > before)
		gate_hold(c, (uint32_t)(c->line.held.n - before));
}

static void line_released(struct conn *c, uint32_t n)
{
	buf_add(&c->out, c->line.held.p, n);
	buf_drop_front(&c->line.held, n);
	conn_dirty(c);
}

static bool line_is_known(const struct conn *c, const struct frame *f)
{
	return c->device && str_eq(f->name, str_from(c->name, c->name_len)) && c->line.key_hash == str_hash(f->key);
}

static void line_ask(struct conn *c, const struct frame *f)
{
	if (c->announced) { // it was another device until now
		gate_gone(c);
		device_detach(c);
	}
	c->line.key_hash = str_hash(f->key);
	gate_hello(c, f->name, f->key, c->protocol == PROTO_GB26875);
}

// False: the ring is full, the frame must come again.
static bool line_readings(struct conn *c, const struct frame *f, struct str bytes)
{
	struct intake in;
	// HJ 212: "a=1," at least; GB/T 26875.3: 10 bytes of type 1 are a status and its 16 bits
	if (!intake_begin(&in, c, bytes.n * 2))
		return false;
	struct decode_sink sink = intake_sink(&in);
	struct refusal why = { 0 };
	bool ok = c->protocol == PROTO_HJ212 ? hj212_readings(&f->hj, &sink, &why) :
	                                       gb26875_readings(&f->gb, c->gate->arena, &sink, &why);
	line_answer(c, f, intake_end(&in, ok, &why, bytes) == INTAKE_OK, HJ212_UNKNOWN_ERROR);
	return true;
}

static size_t line_bad(struct conn *c, const struct fed *fed, struct str in)
{
	struct str shown = str_first(in, MAX(fed->drop, (size_t)1));
	if (c->state == CONN_NEW) // has never said anything right
		conn_end(c, fed->why.reason, 0, shown);
	else
		gate_reject(c, fed->why.reason, 1, shown);
	return MAX(fed->drop, (size_t)1);
}

static size_t line_input(struct conn *c, struct str in)
{
	struct fed fed = line_feed(c, in);
	if (fed.what == FEED_MORE)
		return fed.drop;
	if (fed.what == FEED_BAD)
		return line_bad(c, &fed, in);
	struct frame f;
	if (!line_decode(c, fed.frame, &f, &fed.why))
		return line_bad(c, &fed, fed.frame);
	if (!line_is_known(c, &f)) {
		line_ask(c, &f);
		return 0; // comes again after WELCOME
	}
	return line_readings(c, &f, fed.frame) ? fed.drop : 0;
}

static enum hj212_return line_return(enum welcome verdict)
{
	switch (verdict) {
	case WELCOME_UNKNOWN: return HJ212_WRONG_MN;
	case WELCOME_WRONG_KEY: return HJ212_WRONG_PW;
	case WELCOME_OK: case WELCOME_DISABLED: case WELCOME_BUSY: break;
	}
	return HJ212_REFUSED;
}

static void line_welcome(struct conn *c, enum welcome verdict)
{
	if (verdict == WELCOME_OK)
		return; // the frame that asked is still in c->in
	struct fed fed = line_feed(c, buf_str(&c->in));
	struct frame f;
	struct refusal why;
	if (fed.what == FEED_FRAME && line_decode(c, fed.frame, &f, &why)) {
		if (c->protocol == PROTO_HJ212)
			hj212_deny(&f.hj, line_return(verdict), &c->out);
		else
			gb26875_answer(&f.gb, false, loop_wall(c->gate->loop), &c->out);
	}
	conn_end(c, REJECT__MAX, 0, STR_EMPTY); // the core has counted it
}

static void line_bye(struct conn *c, enum reject why, uint8_t mqtt_reason) // the standards have no words for it
{
	(void)c;
	(void)why;
	(void)mqtt_reason;
}

const struct proto proto_line = {
	.input = line_input, .welcome = line_welcome, .released = line_released, .bye = line_bye,
};
