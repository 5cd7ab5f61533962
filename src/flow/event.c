// Who wants to know that a record changed. Listeners are set at start-up, before threads; they are called in the
// writer thread after the commit.
#include "flow/flow.h"

#define LISTENERS 8

static struct {
	flow_listener *fn;
	void *arg;
} listeners[LISTENERS];
static size_t nlisteners;

void flow_listen(flow_listener *fn, void *arg)
{
	assert(nlisteners < LISTENERS);
	if (nlisteners < LISTENERS) {
		listeners[nlisteners].fn = fn;
		listeners[nlisteners++].arg = arg;
	}
}

static void deliver(void *arg)
{
	const struct record_event *e = arg;
	for (size_t i = 0; i < nlisteners; i++)
		listeners[i].fn(listeners[i].arg, e);
}

void flow_changed(struct db *db, const struct record_event *e)
{
	struct arena *a = db_arena(db);
	struct record_event *kept = arena_one(a, struct record_event);
	*kept = *e;
	kept->type = arena_str(a, e->type);
	kept->state = arena_str(a, e->state);
	kept->area = arena_str(a, e->area);
	kept->sector = arena_str(a, e->sector);
	db_after_commit(db, deliver, kept);
}
