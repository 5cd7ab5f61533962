// What all line protocols share. A connection is whoever its last frame says it is: the core is asked
// when the first frame comes, or one of another device (a concentrator), and the frame waits for the answer. Answers
// of the standards leave when the readings are durable. A frame whose checksum is wrong gets no answer: the device
// sends it again (HJ 212-2017 table 1: after 10 s, three times).
//
// A message in several packets is put together in memory: each packet but the last is answered when it was taken, the
// last one when the readings of the whole are durable. TCP keeps the order, so a packet out of order begins nothing.
// Where packets are read each on its own, what the next one needs is kept (line_carry): their time and the piece that may go on.
// It is the core's too (MSG_KEEP) before the packet is answered, so that it outlives the gate (doc/decisions/0033-packets.md).
#include "gate/line.h"

static const struct line_protocol *const LINES[PROTO__MAX] = {
	[PROTO_HJ212] = &line_hj212, [PROTO_GB26875] = &line_gb26875,
	[PROTO_JT808] = &line_jt808, [PROTO_GB32960] = &line_gb32960,
	[PROTO_SL651] = &line_sl651,     [PROTO_GATEWAY] = &line_gateway,
};

static const struct line_protocol *line_of(const struct conn *c) { return LINES[c->protocol]; }

static bool line_decode(struct conn *c, struct str bytes, struct line_frame *ret, struct refusal *why)
{
	if (arena_used(c->gate->frame_arena))
		arena_reset(c->gate->frame_arena);
	c->line.state.bcd_time = c->device && c->device->bcd_time;
	return line_of(c)->decode(&c->line.state, bytes, c->gate->frame_arena, ret, why);
}

static void line_forget_parts(struct conn *c)
{
	c->gate->waiting -= c->line.parts.bytes.n;
	buf_free(&c->line.parts.bytes);
	c->line.parts = (struct line_parts){ .bytes.max = LIMIT_LINE_MESSAGE };
}

void line_init(struct conn *c)
{
	buf_init(&c->line.held, LIMIT_GATE_OUT);
	buf_init(&c->line.parts.bytes, LIMIT_LINE_MESSAGE);
}

static void line_done(struct conn *c)
{
	line_forget_parts(c);
	buf_free(&c->line.held);
	explicit_bzero(&c->line, sizeof c->line); // keys are in it
}

// The answer behind those that still wait for the disk; it leaves in its turn.
static void line_answer(struct conn *c, const struct line_frame *f, bool accepted)
{
	size_t before = c->line.held.n;
	line_of(c)->answer(f, accepted, WELCOME_OK, loop_wall(c->gate->loop), &c->line.held);
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

static bool line_is_known(const struct conn *c, const struct line_frame *f)
{
	return c->device && str_eq(f->name, str_from(c->name, c->name_len)) && (f->bound || c->line.key_hash == str_hash(f->key));
}

// Behind the readings of the packet, before its answer. f NULL: nothing is kept any more.
static void line_note(struct conn *c, const struct line_frame *f, struct str keep)
{
	if (!keep.n && !c->line.kept)
		return;
	gate_keep(c, f ? f->series : 0, f ? f->parts : 0, f ? f->part : 0, keep);
	c->line.kept = keep.n != 0;
}

// What was kept of a packet whose next did not come: it is read if it can be whole. If there is no room it is refused, for
// its connection may be gone.
static void line_orphan(struct conn *c)
{
	struct line_frame f;
	struct intake in;
	if (!c->line.parts.bytes.n || !line_of(c)->orphan || !c->device)
		return;
	bool whole = line_of(c)->orphan(buf_str(&c->line.parts.bytes), c->gate->frame_arena, &f);
	if (!whole || !intake_begin(&in, c, c->line.parts.bytes.n * line_of(c)->spread)) {
		gate_reject(c, REJECT_SYNTAX, 1, str_from(c->name, c->name_len));
	} else {
		struct decode_sink sink = intake_sink(&in);
		struct refusal why = { 0 };
		intake_end(&in, line_of(c)->readings(&f, c->gate->arena, &sink, &why), &why, STR_EMPTY);
	}
	line_forget_parts(c);
	line_note(c, NULL, STR_EMPTY);
}

static void line_ask(struct conn *c, const struct line_frame *f)
{
	line_orphan(c);
	if (c->announced) { // it was another device until now
		gate_gone(c);
		device_detach(c);
	}
	line_forget_parts(c);
	c->line.peer = (struct downlink_peer){ .code_len = 0 };
	c->line.told = false;
	c->line.asked = 0;
	c->line.key_hash = str_hash(f->key);
	gate_hello(c, f->name, f->key, f->keyless || f->bound);
}

// --- commands ---

// A command that is sent again has the number it had.
static bool line_command(struct conn *c, const struct msg_command *k, struct str payload)
{
	const struct line_protocol *p = line_of(c);
	struct line_session *s = &c->line;
	int64_t now = loop_wall(c->gate->loop);
	(void)payload;
	if (c->state != CONN_READY || !p->command || !s->peer.code_len || c->out.n > LIMIT_GATE_OUT / 2 ||
	    !downlink_has(downlink_of(str_of(protocol_name(c->protocol))), (enum command_kind)k->c.kind))
		return false;
	if (s->asked != k->m.seq)
		s->sent = (struct downlink_sent){ p->number(&s->state, now), k->c };
	s->asked = k->m.seq;
	p->command(&s->peer, &s->sent, now, &c->out);
	conn_dirty(c);
	gate_delivered(c->gate, c->device->id, c->id, k->m.seq, true);
	return true;
}

static bool line_answers(const struct conn *c, const struct line_frame *f, struct command_answer *ret)
{
	return c->line.asked && line_of(c)->answers(f, &c->line.sent, ret);
}

static void line_answered(struct conn *c, const struct command_answer *a)
{
	gate_answered(c, c->line.asked, a);
	if (a->outcome != OUTCOME_ACCEPTED)
		c->line.asked = 0;
}

// The device has just said something of its own: from now on it can be spoken to.
static void line_meet(struct conn *c, const struct line_frame *f)
{
	if (!line_of(c)->peer || c->state != CONN_READY)
		return;
	line_of(c)->peer(f, &c->line.peer);
	if (c->line.told || !c->line.peer.code_len)
		return;
	gate_subscribed(c);
	c->line.told = true;
}

// --- frames ---

// False: the ring is full, the frame must come again. whole: what the readings are in; keep: for the next packet.
static bool line_readings(struct conn *c, const struct line_frame *f, struct str whole, struct str keep)
{
	struct intake in;
	if (!intake_begin(&in, c, whole.n * line_of(c)->spread))
		return false;
	struct decode_sink sink = intake_sink(&in);
	struct refusal why = { 0 };
	in.sent = MAX(f->sent, 0);
	struct line_frame all = *f;
	struct command_answer said;
	bool joined = !f->parts || !line_of(c)->join || line_of(c)->join(f, whole, c->gate->arena, &all, &why);
	bool answers = joined && line_answers(c, &all, &said);
	bool ok = joined && line_of(c)->readings(&all, c->gate->arena, &sink, &why);
	if (!ok && why.reason == REJECT_AUTH) { // its key does not open it: as if it were unknown
		intake_end(&in, false, &why, f->name);
		line_of(c)->answer(f, false, WELCOME_WRONG_KEY, loop_wall(c->gate->loop), &c->out);
		conn_end(c, REJECT__MAX, 0, STR_EMPTY);
		return true;
	}
	bool taken = intake_end(&in, ok, &why, whole) == INTAKE_OK;
	line_note(c, f, keep);
	line_answer(c, f, taken);
	if (answers)
		line_answered(c, &said);
	return true;
}

static void line_no_part(struct conn *c, const struct line_frame *f, enum reject why)
{
	line_forget_parts(c);
	gate_reject(c, why, 1, f->name);
	line_answer(c, f, false);
}

// One packet of several. False: the ring is full, the packet must come again.
static bool line_part(struct conn *c, const struct line_frame *f)
{
	struct line_parts *p = &c->line.parts;
	bool same = p->have && p->series == f->series && p->parts == f->parts;
	if (same && f->part <= p->have) { // again, because our answer was slow
		line_answer(c, f, true);
		return true;
	}
	if (f->part != (same ? p->have + 1 : 1)) {
		line_no_part(c, f, REJECT_PROTOCOL);
		return true;
	}
	if (!same)
		line_forget_parts(c);
	if (p->bytes.n + f->piece.n > LIMIT_LINE_MESSAGE || c->gate->waiting + f->piece.n > LIMIT_LINE_WAITING) {
		line_no_part(c, f, REJECT_TOO_LARGE);
		return true;
	}
	buf_add_str(&p->bytes, f->piece);
	c->gate->waiting += f->piece.n;
	p->series = f->series;
	p->parts = f->parts;
	p->have = f->part;
	if (p->have < p->parts) {
		line_answer(c, f, true);
		return true;
	}
	if (line_readings(c, f, buf_str(&p->bytes), STR_EMPTY)) {
		line_forget_parts(c);
		return true;
	}
	p->have--;
	p->bytes.n -= f->piece.n;
	c->gate->waiting -= f->piece.n;
	return false;
}

static void line_leaving(struct conn *c) { line_orphan(c); }

static void line_keep(struct conn *c, const struct line_frame *f, struct str keep)
{
	struct line_parts *p = &c->line.parts;
	line_forget_parts(c);
	if (f->part == f->parts)
		return;
	buf_add_str(&p->bytes, keep);
	c->gate->waiting += p->bytes.n;
	p->series = f->series;
	p->parts = f->parts;
	p->have = f->part;
}

// A packet that is read on its own. False: the ring is full, it must come again.
static bool line_carry(struct conn *c, struct line_frame *f, struct str frame)
{
	struct line_parts *p = &c->line.parts;
	bool same = p->have && p->series == f->series && p->parts == f->parts;
	if (same && f->part == p->have) { // again, because our answer was slow
		line_answer(c, f, true);
		return true;
	}
	bool next = same && f->part == p->have + 1;
	struct str keep = STR_EMPTY;
	if (!next)
		line_orphan(c);
	if (f->parts && c->gate->waiting + frame.n <= LIMIT_LINE_WAITING)
		line_of(c)->carry(f, next ? buf_str(&p->bytes) : STR_EMPTY, c->gate->frame_arena, &keep);
	if (!line_readings(c, f, f->piece.n ? f->piece : frame, keep))
		return false;
	line_keep(c, f, keep);
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
	struct fed fed = line_of(c)->feed(in);
	if (fed.what == FEED_MORE && c->state == CONN_NEW && in.n > LIMIT_GATE_NEW_LINE) {
		conn_end(c, REJECT_TOO_LARGE, 0, STR_EMPTY);
		return in.n;
	}
	if (fed.what == FEED_MORE)
		return fed.drop;
	if (fed.what == FEED_BAD)
		return line_bad(c, &fed, in);
	struct line_frame f;
	if (!line_decode(c, fed.frame, &f, &fed.why))
		return line_bad(c, &fed, fed.frame);
	if (!line_is_known(c, &f)) {
		line_ask(c, &f);
		return 0; // comes again after WELCOME
	}
	bool taken = line_of(c)->carry ? line_carry(c, &f, fed.frame) : f.parts ? line_part(c, &f) : line_readings(c, &f, fed.frame, STR_EMPTY);
	if (taken)
		line_meet(c, &f);
	return taken ? fed.drop : 0;
}

void line_kept(struct conn *c, const struct msg_keep *m, struct str bytes)
{
	struct line_parts *p = &c->line.parts;
	line_forget_parts(c);
	buf_add_str(&p->bytes, bytes);
	c->gate->waiting += p->bytes.n;
	p->series = m->series;
	p->parts = m->parts;
	p->have = m->part;
	c->line.kept = true;
}

void line_inherit(struct conn *c, struct conn *old)
{
	if (!line_of(c)->carry || !old->line.parts.bytes.n)
		return;
	line_forget_parts(c);
	c->line.parts = old->line.parts;
	c->line.kept = old->line.kept;
	old->line.parts = (struct line_parts){ .bytes.max = LIMIT_LINE_MESSAGE };
	old->line.kept = false;
}

void line_key(struct conn *c, const struct msg_welcome *m)
{
	memset(&c->line.state, 0, sizeof c->line.state);
	memcpy(c->line.state.v, m->key, MIN((size_t)m->key_len, sizeof m->key));
	explicit_bzero((void *)(uintptr_t)m->key, sizeof m->key); // in the ring's memory
}

static void line_welcome(struct conn *c, enum welcome verdict)
{
	if (verdict == WELCOME_OK)
		return; // the frame that asked is still in c->in
	struct fed fed = line_of(c)->feed(buf_str(&c->in));
	struct line_frame f;
	struct refusal why;
	if (fed.what == FEED_FRAME && line_decode(c, fed.frame, &f, &why))
		line_of(c)->answer(&f, false, verdict, loop_wall(c->gate->loop), &c->out);
	conn_end(c, REJECT__MAX, 0, STR_EMPTY); // the core has counted it
}

static void line_bye(struct conn *c, enum reject why, uint8_t mqtt_reason) // the standards have no words for it
{
	(void)c;
	(void)why;
	(void)mqtt_reason;
}

const struct proto proto_line = {
	.input = line_input, .welcome = line_welcome, .released = line_released, .bye = line_bye, .command = line_command,
	.done = line_done, .leaving = line_leaving,
};
