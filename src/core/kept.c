// What a device's next packet needs of those before it (MSG_KEEP): in the log behind the readings they came with, in memory here, and in
// the snapshot. It is given to the device's connection with another gate: the one that kept it is gone. See decision 0033.
#include "core/core_int.h"

#include "base/buf.h"
#include "base/cursor.h"

#define MARK 0x4b455054u // "KEPT"

struct kept { // of one device
	uint16_t gate;       // generation of the gate that has it too; 0: none, it was read from the log
	uint32_t n;
	char bytes[];        // struct msg_keep behind its struct msg, then the packet's
};

#define HEAD (sizeof(struct msg_keep) - sizeof(struct msg))

static uint16_t gate_of(uint64_t conn) { return (uint16_t)(conn >> 48); }

static void put(struct core *co, uint32_t device, struct str note, uint16_t gate) // kept_mutex is held
{
	if (device >= co->kept_cap) {
		size_t cap = MAX((size_t)device + 1, co->kept_cap * 2);
		co->kept = mem_resize(co->kept, cap * sizeof *co->kept);
		memset(co->kept + co->kept_cap, 0, (cap - co->kept_cap) * sizeof *co->kept);
		co->kept_cap = cap;
	}
	mem_free(co->kept[device]);
	co->kept[device] = NULL;
	if (note.n <= HEAD)
		return;
	struct kept *k = mem_alloc(sizeof *k + note.n);
	k->gate = gate;
	k->n = (uint32_t)note.n;
	memcpy(k->bytes, note.p, note.n);
	co->kept[device] = k;
}

static void set(struct core *co, uint32_t device, struct str note, uint16_t gate)
{
	if (!device || device >= DEVICES_MAX)
		return;
	pthread_mutex_lock(&co->kept_mutex);
	put(co, device, note, gate);
	pthread_mutex_unlock(&co->kept_mutex);
}

void kept_on_message(struct core *co, const struct msg_keep *m, size_t size, int64_t now)
{
	struct str note = str_from((const char *)&m->m + sizeof m->m, HEAD + m->m.count);
	if (size < sizeof *m || m->m.count > SERIES_NOTE_MAX - HEAD || m->m.count > size - sizeof *m)
		return;
	set(co, m->m.device, note, gate_of(m->m.conn));
	series_note(co->app.series, m->m.device, note, now);
}

void kept_replayed(void *arg, uint32_t device, struct str note) { set(arg, device, note, 0); }

bool kept_give(struct core *co, uint32_t device, uint64_t conn)
{
	struct buf out;
	bool sent = true;
	buf_init(&out, sizeof(struct msg_keep) + SERIES_NOTE_MAX);
	pthread_mutex_lock(&co->kept_mutex);
	struct kept *k = device < co->kept_cap ? co->kept[device] : NULL;
	if (k && k->gate != gate_of(conn)) {
		struct msg m = { .kind = MSG_KEPT, .conn = conn, .device = device, .count = (uint32_t)(k->n - HEAD),
			         .size = (uint32_t)(sizeof(struct msg) + k->n) };
		buf_add(&out, &m, sizeof m);
		buf_add(&out, k->bytes, k->n);
		sent = to_gate_send(co, out.p, out.n);
		k->gate = sent ? gate_of(conn) : k->gate;
	}
	pthread_mutex_unlock(&co->kept_mutex);
	buf_free(&out);
	return sent;
}

void kept_save_behind(struct core *co, struct buf *out)
{
	size_t before = out->n;
	pthread_mutex_lock(&co->kept_mutex);
	for (size_t d = 0; d < co->kept_cap; d++)
		if (co->kept[d]) {
			buf_add_le32(out, (uint32_t)d);
			buf_add_le32(out, co->kept[d]->n);
			buf_add(out, co->kept[d]->bytes, co->kept[d]->n);
		}
	pthread_mutex_unlock(&co->kept_mutex);
	behind_close(out, before, MARK);
}

struct str kept_restore_behind(struct core *co, struct str saved)
{
	struct str before, own;
	(void)behind_open(saved, MARK, &before, &own); // nothing: of a version without
	for (struct cursor c = cursor_of(own); cursor_left(&c);) {
		uint32_t device = take_le32(&c), size = take_le32(&c);
		struct str note = take_str(&c, size);
		if (!cursor_ok(&c))
			break;
		set(co, device, note, 0);
	}
	return before;
}
