// Devices that wait to be called (Modbus TCP): once a second it is seen which of them is silent; the core connects and hands
// the connection to the gate, which asks. A device that cannot be reached is called again after 1, 2, 4 … 60 s. T_EVENTS.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/pass.h"
#include "core/core_int.h"
#include "gate/dial.h"

#define CONNECT_US (5 * US_PER_S)
#define PATIENCE_US (10 * US_PER_S) // without a message, besides five intervals
#define WAIT_MAX_S 60

struct dial_slot {
	uint32_t device;
	uint64_t asked;     // digest of where and how it is asked
	int fd;             // connects; -1: none
	int64_t since;      // when it began to connect, or was handed over; monotonic
	int64_t handed;     // wall clock of the last hand-over; 0: never
	int64_t next;       // not before; monotonic
	unsigned fails;
};

struct dialler {
	struct dial_slot *slots;
	size_t n, cap;
};

static struct dial_slot *slot_of(struct dialler *d, uint32_t device)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->slots[i].device == device)
			return &d->slots[i];
	if (d->n == d->cap) {
		d->cap = MAX(d->cap * 2, (size_t)16);
		d->slots = mem_resize(d->slots, d->cap * sizeof *d->slots);
	}
	d->slots[d->n] = (struct dial_slot){ .device = device, .fd = -1 };
	return &d->slots[d->n++];
}

static void hang_up(struct dial_slot *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void failed(struct core *co, struct dial_slot *s, struct str address, const char *why)
{
	char text[160];
	int n = snprintf(text, sizeof text, "%.*s: %s", STR_FMT(address), why);
	hang_up(s);
	s->fails = MIN(s->fails + 1, 6u);
	s->next = clock_mono() + MIN(1 << s->fails, WAIT_MAX_S) * US_PER_S;
	core_device_reject(&co->app, s->device, REJECT_UNREACHABLE, str_from(text, MIN((size_t)n, sizeof text - 1)), address, 0);
}

static void hand_over(struct core *co, struct dial_slot *s, const struct site_device *d)
{
	struct dialled m = { .device = d->id, .interval_ms = d->poll_ms, .protocol = PROTO_MODBUS,
			     .unit = d->poll_unit, .name_len = (uint8_t)d->code.n };
	memcpy(m.name, d->code.p, d->code.n);
	memcpy(m.peer, d->poll_address.p, MIN(d->poll_address.n, sizeof m.peer - 1));
	if (!pass_send(co->cfg.dial_fd, s->fd, &m))
		log_warn("core", "the gate does not take the connection to device %u; it is tried again", d->id);
	hang_up(s); // the gate's copy goes on
	s->since = clock_mono();
	s->handed = clock_now();
	s->next = s->since + (1 << s->fails) * US_PER_S;
}

static void call(struct core *co, struct dial_slot *s, const struct site_device *d)
{
	const char *why;
	s->fd = dial_begin(d->poll_address, &why);
	s->since = clock_mono();
	if (s->fd < 0)
		failed(co, s, d->poll_address, why);
}

// Another address, unit or interval: the connection there is, is to the wrong place.
static void follow(struct core *co, struct dial_slot *s, const struct site_device *d)
{
	uint64_t asked = str_hash(d->poll_address) ^ (uint64_t)d->poll_ms << 8 ^ d->poll_unit;
	if (s->asked == asked)
		return;
	if (s->asked)
		core_kick(&co->app, d->id);
	hang_up(s);
	*s = (struct dial_slot){ .device = d->id, .asked = asked, .fd = -1 };
}

static void look_at(struct core *co, struct dial_slot *s, const struct site_device *d)
{
	int error;
	struct device_stats st = { 0 };
	int64_t now = clock_mono();
	follow(co, s, d);
	if (s->fd >= 0) {
		enum dial state = dial_state(s->fd, &error);
		if (state == DIAL_OPEN)
			hand_over(co, s, d);
		else if (state == DIAL_FAILED || now - s->since > CONNECT_US)
			failed(co, s, d->poll_address, state == DIAL_FAILED ? strerror(error) : "超时 / timeout");
		return;
	}
	int64_t patience = PATIENCE_US + 5 * d->poll_ms * US_PER_MS;
	if (core_device_stats(&co->app, d->id, &st) && st.online && (st.last > s->handed ? clock_now() - st.last : now - s->since) < patience) {
		if (st.last > s->handed)
			s->fails = 0;
		return; // it answers, or has just been handed over
	}
	if (now >= s->next)
		call(co, s, d);
}

void dial_tick(struct core *co)
{
	if (!co->dialler)
		co->dialler = mem_alloc(sizeof *co->dialler);
	struct site *site = core_site_take(&co->app);
	const struct roster *r = site->roster;
	for (size_t i = 0; i < r->npolled; i++) {
		const struct site_device *d = &r->devices[r->polled[i]];
		struct dial_slot *s = slot_of(co->dialler, d->id);
		if (d->disabled)
			hang_up(s);
		else
			look_at(co, s, d);
	}
	core_site_give(&co->app, site);
}
