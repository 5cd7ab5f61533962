// The threads of work.h: a queue of each kind of request, the oldest one that its bound admits first.
#include "http/work.h"

#include <pthread.h>
#include <time.h>

#include "base/arena.h"
#include "base/limits.h"

#define IDLE_S 10           // a thread without work for so long ends

static const int bounds[WORK__MAX] = { [WORK_CHANGE] = LIMIT_HTTP_RUNNING, [WORK_READ] = LIMIT_HTTP_READING,
	                               [WORK_SLOW] = LIMIT_SLOW_RUNNING };

struct queue {
	struct work *first, *last;
	int waiting, running;
};

struct workers {
	pthread_mutex_t mutex;  // of everything below
	pthread_cond_t arrived, ended;
	struct queue queues[WORK__MAX];
	uint64_t seq;
	int threads, idle;      // idle: of the threads, those that wait for work or are about to take some
	bool closing;
};

// How many could be begun now.
static int ready(const struct workers *ws)
{
	int n = 0;
	for (size_t k = 0; k < WORK__MAX; k++)
		n += MIN(ws->queues[k].waiting, bounds[k] - ws->queues[k].running);
	return n;
}

static struct work *take(struct workers *ws)
{
	struct queue *oldest = NULL;
	for (size_t k = 0; k < WORK__MAX; k++) {
		struct queue *q = &ws->queues[k];
		if (q->first && q->running < bounds[k] && (!oldest || q->first->seq < oldest->first->seq))
			oldest = q;
	}
	if (!oldest)
		return NULL;
	struct work *w = oldest->first;
	oldest->first = w->next;
	if (!oldest->first)
		oldest->last = NULL;
	oldest->waiting--;
	oldest->running++;
	return w;
}

// Under the mutex. NULL: this thread is to end.
static struct work *wait_for_work(struct workers *ws)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	struct work *w;
	for (int rc = 0; !(w = take(ws)) && !ws->closing && !rc;)
		rc = pthread_cond_timedwait(&ws->arrived, &ws->mutex, &until);
	ws->idle--;
	return w;
}

static void *worker_main(void *arg)
{
	struct workers *ws = arg;
	pthread_setname_np(pthread_self(), "answers");
	pthread_mutex_lock(&ws->mutex);
	for (struct work *w; (w = wait_for_work(ws));) {
		enum work_kind kind = w->kind;
		pthread_mutex_unlock(&ws->mutex);
		w->run(w);
		pthread_mutex_lock(&ws->mutex);
		ws->queues[kind].running--;
		ws->idle++;
	}
	ws->threads--;
	pthread_cond_signal(&ws->ended);
	pthread_mutex_unlock(&ws->mutex);
	return NULL;
}

static void add_thread(struct workers *ws)
{
	pthread_t thread;
	if (ws->threads >= LIMIT_HTTP_RUNNING || pthread_create(&thread, NULL, worker_main, ws))
		return;
	pthread_detach(thread);
	ws->threads++;
	ws->idle++;
}

struct workers *workers_open(void)
{
	struct workers *ws = mem_alloc(sizeof *ws);
	pthread_condattr_t mono;
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_mutex_init(&ws->mutex, NULL);
	pthread_cond_init(&ws->arrived, &mono);
	pthread_cond_init(&ws->ended, NULL);
	pthread_condattr_destroy(&mono);
	return ws;
}

static void append(struct workers *ws, struct work *w)
{
	struct queue *q = &ws->queues[w->kind];
	w->seq = ws->seq++;
	w->next = NULL;
	if (q->last)
		q->last->next = w;
	else
		q->first = w;
	q->last = w;
	q->waiting++;
}

bool workers_put(struct workers *ws, struct work *w)
{
	pthread_mutex_lock(&ws->mutex);
	if (ws->threads == 0 && !ws->closing)
		add_thread(ws);
	bool taken = ws->threads > 0 && !ws->closing;
	if (taken) {
		append(ws, w);
		if (ready(ws) > ws->idle)
			add_thread(ws);
		pthread_cond_signal(&ws->arrived);
	}
	pthread_mutex_unlock(&ws->mutex);
	return taken;
}

void workers_close(struct workers *ws)
{
	pthread_mutex_lock(&ws->mutex);
	ws->closing = true;
	pthread_cond_broadcast(&ws->arrived);
	while (ws->threads)
		pthread_cond_wait(&ws->ended, &ws->mutex);
	pthread_mutex_unlock(&ws->mutex);
}

void workers_free(struct workers *ws)
{
	pthread_mutex_destroy(&ws->mutex);
	pthread_cond_destroy(&ws->arrived);
	pthread_cond_destroy(&ws->ended);
	mem_free(ws);
}
