// The thread of checkpoint.h, on a connection of its own. A passive checkpoint waits for nobody and nobody for it; what the
// writer adds meanwhile is left. The log begins anew when all of it was folded at the moment of a commit, so the rest is
// folded at once, while it is small. What cannot be folded because of a long reader is tried again.
#include "store/checkpoint.h"

#include <pthread.h>

#include "base/log.h"

#define FOLD_PAGES 4000     // pages in the log, 16 MiB
#define FOLD_AGAIN 4        // times in a row for what came meanwhile
#define FOLD_SELF 32000     // pages: the thread does not keep up, the writer does it and all wait

struct checkpointer {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	int pages;          // in the log after the last commit
	bool wanted, closing;
	struct sqlite3 *h;
};

// In the writer thread after a commit.
static int on_commit(void *arg, sqlite3 *h, const char *name, int pages)
{
	struct checkpointer *c = arg;
	pthread_mutex_lock(&c->mutex);
	bool late = pages >= FOLD_SELF && pages >= c->pages + FOLD_PAGES;
	if (pages < c->pages || pages >= c->pages + FOLD_PAGES) {
		c->wanted |= pages >= FOLD_PAGES;
		c->pages = pages < FOLD_PAGES ? 0 : pages;
		pthread_cond_signal(&c->wake);
	}
	pthread_mutex_unlock(&c->mutex);
	if (late)
		sqlite3_wal_checkpoint_v2(h, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

static void fold(struct checkpointer *c)
{
	int in_log = 0, folded = -1;
	for (int i = 0; i < FOLD_AGAIN && folded < in_log; i++) {
		int rc = sqlite3_wal_checkpoint_v2(c->h, "main", SQLITE_CHECKPOINT_PASSIVE, &in_log, &folded);
		if (rc == SQLITE_BUSY) // the writer is at it
			return;
		if (rc != SQLITE_OK) {
			log_error("store", "the log cannot be folded into the database: %s", sqlite3_errstr(rc));
			return;
		}
	}
}

static void *checkpoint_main(void *arg)
{
	struct checkpointer *c = arg;
	pthread_setname_np(pthread_self(), "checkpoint");
	pthread_mutex_lock(&c->mutex);
	while (!c->closing) {
		if (!c->wanted) {
			pthread_cond_wait(&c->wake, &c->mutex);
			continue;
		}
		c->wanted = false;
		pthread_mutex_unlock(&c->mutex);
		fold(c);
		pthread_mutex_lock(&c->mutex);
	}
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

static void checkpointer_free(struct checkpointer *c)
{
	sqlite3_close_v2(c->h);
	pthread_mutex_destroy(&c->mutex);
	pthread_cond_destroy(&c->wake);
	mem_free(c);
}

struct checkpointer *checkpointer_open(struct db *writer, const char *path)
{
	struct checkpointer *c = mem_alloc(sizeof *c);
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->wake, NULL);
	int rc = sqlite3_open_v2(path, &c->h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	// The version of the schema is read because that opens the log, and not the schema itself, which is large and which PRAGMA synchronous
	// would read: FULL, by which the file is synced before the log may be written over, is what a connection has anyway.
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->h, "PRAGMA wal_autocheckpoint=0; PRAGMA schema_version", NULL, NULL, NULL);
	if (rc != SQLITE_OK || pthread_create(&c->thread, NULL, checkpoint_main, c)) {
		log_warn("store", "no thread for the log of the database: commits fold it");
		checkpointer_free(c);
		return NULL;
	}
	sqlite3_wal_hook(writer->h, on_commit, c); // takes the place of SQLite's own
	return c;
}

void checkpointer_close(struct checkpointer *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->mutex);
	c->closing = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
	pthread_join(c->thread, NULL);
	checkpointer_free(c);
}
