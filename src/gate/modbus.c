// Modbus TCP: the core connects (core/dial.c) and hands the connection over; here the device is asked for the registers
// that its points name, one request at a time, every interval. A device that does not answer in time is left; the core
// calls it again. An exception makes the points of that request bad and the others go on.
#include "gate/conn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct modbus_ask {
	struct modbus_read read;
	uint32_t first, n;      // its items
};

struct modbus_plan {
	struct arena *arena;
	uint32_t learned;          // the device's table of points it was made for
	struct modbus_item *items; // by table and number
	struct modbus_ask *asks;
	size_t nitems, nasks;
};

static int by_place(const void *a, const void *b)
{
	const struct modbus_item *x = a, *y = b;
	return x->table != y->table ? (int)x->table - (int)y->table : (int)x->at - (int)y->at;
}

static unsigned room(const struct modbus_item *it) { return it->table <= MODBUS_DISCRETE ? MODBUS_BITS : MODBUS_REGISTERS; }

// Items without a gap between them are asked for together: registers that no point names may not exist.
static void plan_group(struct modbus_plan *p, uint8_t unit)
{
	struct modbus_ask *q = NULL;
	for (size_t i = 0; i < p->nitems; i++) {
		const struct modbus_item *it = &p->items[i];
		unsigned end = it->at + modbus_words(it);
		bool joins = q && q->read.table == it->table && it->at <= q->read.at + q->read.n && end - q->read.at <= room(it);
		if (!joins) {
			q = &p->asks[p->nasks++];
			*q = (struct modbus_ask){ .read = { .unit = unit, .table = it->table, .at = it->at }, .first = (uint32_t)i };
		}
		q->n++;
		q->read.n = (uint16_t)MAX((unsigned)q->read.n, end - q->read.at);
	}
}

static struct modbus_plan *plan_make(const struct device *d, uint8_t unit)
{
	struct arena *a = arena_new(4096);
	struct modbus_plan *p = arena_one(a, struct modbus_plan);
	*p = (struct modbus_plan){ .arena = a, .learned = d->learned, .items = arena_many(a, d->npoints + 1, struct modbus_item),
		                   .asks = arena_many(a, d->npoints + 1, struct modbus_ask) };
	for (uint32_t i = 0; i < d->npoints; i++) { // codes of points are no addresses
		struct str name = str_from(d->names + d->points[i].name_off, d->points[i].name_len);
		if (modbus_address(arena_str(a, name), &p->items[p->nitems]))
			p->nitems++;
	}
	if (p->nitems)
		qsort(p->items, p->nitems, sizeof *p->items, by_place);
	plan_group(p, unit);
	return p;
}

static void modbus_done(struct conn *c)
{
	if (c->modbus.plan)
		arena_free(c->modbus.plan->arena);
	c->modbus.plan = NULL;
}

static void ask_next(struct conn *c)
{
	struct modbus_session *s = &c->modbus;
	struct modbus_plan *p = s->plan;
	int64_t now = loop_mono(c->gate->loop);
	if (s->next >= p->nasks) { // the round is over
		s->waiting = false;
		loop_timer_at(c->gate->loop, &c->timer, MAX(s->round + s->interval, now));
		return;
	}
	uint8_t bytes[MODBUS_REQUEST];
	struct modbus_ask *q = &p->asks[s->next];
	q->read.transaction = ++s->transaction;
	s->waiting = true;
	buf_add_str(&c->out, modbus_request(&q->read, bytes));
	conn_dirty(c);
	loop_timer_in(c->gate->loop, &c->timer, LIMIT_MODBUS_ANSWER_S * US_PER_S);
}

static void begin_round(struct conn *c)
{
	struct modbus_session *s = &c->modbus;
	if (!s->plan || s->plan->learned != c->device->learned) { // points came, went or moved
		modbus_done(c);
		s->plan = plan_make(c->device, s->unit);
	}
	s->round = loop_mono(c->gate->loop);
	s->next = 0;
	ask_next(c);
}

static void modbus_tick(struct conn *c)
{
	if (c->modbus.waiting && c->gate->blocked) // the answer may be here already
		loop_timer_in(c->gate->loop, &c->timer, LIMIT_MODBUS_ANSWER_S * US_PER_S);
	else if (c->modbus.waiting)
		conn_end(c, REJECT_SLOW, 0, STR("no answer to a Modbus request"));
	else
		begin_round(c);
}

// False: the ring is full, the answer must come again.
static bool take_answer(struct conn *c, const struct modbus *m, struct str bytes)
{
	struct modbus_session *s = &c->modbus;
	const struct modbus_ask *q = &s->plan->asks[s->next];
	struct intake in;
	if (!intake_begin(&in, c, q->n))
		return false;
	struct decode_sink sink = intake_sink(&in);
	struct refusal why = { 0 };
	for (uint32_t i = q->first; i < q->first + q->n; i++) {
		const struct modbus_item *it = &s->plan->items[i];
		double v = m->exception ? NAN : modbus_value(it, &q->read, m);
		bool good = isfinite(v);
		sink.reading(sink.owner, &(struct decoded){ .name = it->address, .time = loop_wall(c->gate->loop), .value = good ? v : 0,
			                                    .quality = good ? Q_GOOD : Q_BAD });
	}
	intake_end(&in, true, &why, bytes);
	if (m->exception) {
		char text[96];
		const char *name = modbus_exception_name(m->exception);
		int n = snprintf(text, sizeof text, "exception %u %s at %.*s", m->exception, name ? name : "", STR_FMT(s->plan->items[q->first].address));
		gate_reject(c, REJECT_UNSUPPORTED, 1, str_from(text, MIN((size_t)n, sizeof text - 1)));
	}
	return true;
}

static size_t modbus_input(struct conn *c, struct str in)
{
	struct fed fed = modbus_feed(in);
	struct modbus_session *s = &c->modbus;
	struct modbus m;
	if (fed.what == FEED_MORE)
		return 0;
	if (fed.what == FEED_BAD || !modbus_decode(fed.frame, &m, &fed.why)) {
		conn_end(c, fed.why.reason, 0, str_first(in, fed.drop));
		return in.n;
	}
	if (!s->waiting || !modbus_answers(&m, &s->plan->asks[s->next].read, &fed.why)) {
		gate_reject(c, REJECT_PROTOCOL, 1, fed.frame); // too late, or not what was asked
		return fed.drop;
	}
	if (!take_answer(c, &m, fed.frame))
		return 0;
	s->next++;
	ask_next(c);
	return fed.drop;
}

static void modbus_welcome(struct conn *c, enum welcome verdict)
{
	if (verdict == WELCOME_OK)
		begin_round(c);
	else
		conn_end(c, REJECT__MAX, 0, STR_EMPTY);
}

static void modbus_released(struct conn *c, uint32_t what) { (void)c, (void)what; } // nothing is acknowledged to the device

static void modbus_bye(struct conn *c, enum reject why, uint8_t mqtt_reason) { (void)c, (void)why, (void)mqtt_reason; }

const struct proto proto_modbus = {
	.input = modbus_input, .welcome = modbus_welcome, .released = modbus_released, .bye = modbus_bye, .tick = modbus_tick,
	.done = modbus_done,
};
