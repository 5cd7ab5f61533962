// From decoded readings to the ring: memory is reserved for the most a message can hold, filled by the decoder's
// callback, and made visible at its true size. Nothing of a message that cannot be read is ever visible.
#include "gate/conn.h"

#include <math.h>

#define LIVE_US US_PER_MIN // a message whose newest reading is older is history

bool intake_begin(struct intake *in, struct conn *c, size_t most)
{
	struct gate *g = c->gate;
	memset(in, 0, sizeof *in);
	in->conn = c;
	in->device = c->device;
	in->max = (uint32_t)MIN(most, (size_t)LIMIT_READINGS_PER_MESSAGE);
	in->m = gate_reserve(g, sizeof *in->m + in->max * sizeof(struct reading));
	if (!in->m)
		return false;
	in->at = (struct reading *)(in->m + 1);
	int64_t now = loop_wall(g->loop);
	in->now = now;
	in->earliest = now - LIMIT_READING_PAST_DAYS * US_PER_DAY;
	in->latest = now + LIMIT_READING_FUTURE_S * US_PER_S;
	return true;
}

static void intake_refuse(void *owner, enum reject why, struct str what)
{
	struct intake *in = owner;
	if (!in->refused[why]++)
		in->first[why] = what;
}

static void intake_reading(void *owner, const struct decoded *d)
{
	struct intake *in = owner;
	if (in->n == in->max) {
		in->overflow = true;
		return;
	}
	const struct point *p = device_point(in->device, d->name);
	if (!p && d->alias.n)
		p = device_point(in->device, d->alias);
	if (!p) {
		if (!d->optional)
			intake_refuse(in, REJECT_UNKNOWN_POINT, d->name);
		return;
	}
	in->sent = MAX(in->sent, d->sent);
	int64_t time = d->untimed ? in->now : d->time;
	if (time < in->earliest || time > in->latest) {
		in->wrong_time = in->wrong_time ? in->wrong_time : time;
		intake_refuse(in, REJECT_TIME, d->name);
		return;
	}
	double value = d->value * p->scale;
	if (!isfinite(value)) {
		intake_refuse(in, REJECT_VALUE, d->name);
		return;
	}
	in->newest = MAX(in->newest, time);
	in->at[in->n++] = (struct reading){ p->id, (uint16_t)d->quality, d->flags, time, value };
}

struct decode_sink intake_sink(struct intake *in)
{
	return (struct decode_sink){ in, intake_reading, intake_refuse };
}

// Unknown points may be new ones: the core is asked, but not more often than a stranger's typing mistake deserves.
static void intake_ask_again(struct intake *in)
{
	struct device *d = in->device;
	int64_t now = loop_mono(in->conn->gate->loop);
	if (now - d->refreshed < LIMIT_GATE_REFRESH_S * US_PER_S)
		return;
	d->refreshed = now;
	gate_refresh(in->conn);
}

static void intake_report(struct intake *in)
{
	for (unsigned why = 0; why < REJECT__MAX; why++)
		if (in->refused[why])
			gate_reject_time(in->conn, (enum reject)why, in->refused[why], in->first[why], why == REJECT_TIME ? in->wrong_time : 0);
	if (in->refused[REJECT_UNKNOWN_POINT])
		intake_ask_again(in);
}

static void intake_commit(struct intake *in)
{
	struct conn *c = in->conn;
	struct gate *g = c->gate;
	if (in->n) {
		size_t size = sizeof *in->m + in->n * sizeof(struct reading);
		in->m->m = (struct msg){ .size = (uint32_t)size, .kind = MSG_READINGS, .protocol = (uint16_t)c->protocol,
			                 .conn = c->id, .seq = ++g->seq, .device = in->device->id, .count = in->n };
		in->m->arrival = loop_mono(g->loop);
		in->m->sent = in->sent;
		ring_commit(g->to_core, size);
		// A clock that is wrong by a minute makes its device let others go first, when much is to do: it costs nothing else.
		c->heard = true;
		c->live = !(in->at[in->n - 1].flags & READING_HISTORY) && loop_wall(g->loop) - in->newest < LIVE_US;
	}
	intake_report(in);
}

enum intake_end intake_end(struct intake *in, bool decoded, const struct refusal *why, struct str what)
{
	enum intake_end end = !decoded ? INTAKE_BAD : in->overflow ? INTAKE_TOO_MANY : INTAKE_OK;
	if (end == INTAKE_OK)
		intake_commit(in);
	else
		gate_reject(in->conn, end == INTAKE_TOO_MANY ? REJECT_TOO_LARGE : why->reason, 1, what);
	if (arena_used(in->conn->gate->arena))
		arena_reset(in->conn->gate->arena);
	return end;
}
