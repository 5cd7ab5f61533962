// The registry in force. Any thread pins it while it uses it; a new one takes its place at once and the old one is
// freed by whoever unpins it last. A pin is one lock of a few nanoseconds, once a request or tick, never once a reading.
#include <pthread.h>

#include "model/model.h"

struct generation {
	struct registry *reg;
	size_t pins;
	struct generation *older;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct generation *newest; // and, behind it, those still pinned

// Takes out of the list what nobody uses any more (never the newest); the caller frees it outside the lock.
static struct generation *take_dead(void)
{
	struct generation *dead = NULL;
	for (struct generation **at = newest ? &newest->older : &newest; *at;) {
		struct generation *g = *at;
		if (g->pins) {
			at = &g->older;
			continue;
		}
		*at = g->older;
		g->older = dead;
		dead = g;
	}
	return dead;
}

static void free_dead(struct generation *dead)
{
	while (dead) {
		struct generation *older = dead->older;
		registry_free(dead->reg);
		mem_free(dead);
		dead = older;
	}
}

const struct registry *registry_pin(void)
{
	const struct registry *r = NULL;
	pthread_mutex_lock(&lock);
	if (newest) {
		newest->pins++;
		r = newest->reg;
	}
	pthread_mutex_unlock(&lock);
	return r;
}

void registry_unpin(const struct registry *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&lock);
	struct generation *g = newest;
	while (g && g->reg != r)
		g = g->older;
	assert(g && g->pins);
	if (g && g->pins)
		g->pins--;
	struct generation *dead = g && g != newest && g->pins == 0 ? take_dead() : NULL;
	pthread_mutex_unlock(&lock);
	free_dead(dead);
}

void registry_set(struct registry *r)
{
	struct generation *g = mem_alloc(sizeof *g);
	g->reg = r;
	pthread_mutex_lock(&lock);
	g->older = newest;
	newest = g;
	struct generation *dead = take_dead();
	pthread_mutex_unlock(&lock);
	free_dead(dead);
}

void registry_close(void)
{
	pthread_mutex_lock(&lock);
	struct generation *all = newest;
	newest = NULL;
	pthread_mutex_unlock(&lock);
	free_dead(all);
}
