// The writer thread with its bounded queue, and the pool of read-only connections.
//
// Any thread may call store_write, store_post and store_read_begin; jobs, after-commit callbacks and done callbacks
// run in the writer thread. Queue and pool have a mutex each; neither is held while SQL runs.
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/histogram.h"
#include "base/log.h"
#include "base/time.h"
#include "store/checkpoint.h"
#include "store/db.h"
#include "store/image.h"
#include "store/schema.h"

#define QUEUE_MAX 4096      // jobs waiting; beyond that the sender waits
#define BATCH_MAX 256       // jobs in one transaction
#define BATCH_US (50 * US_PER_MS) // a transaction that has run this long is committed before the next job
#define STORE_READERS 32    // read-only connections at the same time
#define SPARE_US (60 * US_PER_S) // one that was idle so long is closed; opening one reads the schema: 13 ms
#define PATH_TEXT 4096

struct waiter {             // on the stack of the thread in store_write
	pthread_cond_t cond;
	bool done;
	enum err err;
};

struct job {
	store_job *fn;
	void *arg;
	struct problem *problem;          // of the waiting caller, or NULL
	struct waiter *waiter;            // store_write
	void (*done)(void *arg, enum err err); // store_post
	enum err err;
	int64_t since;                    // clock_mono of its coming
	struct after_commit *after;
	struct job *next;
};

struct store {
	char path[PATH_TEXT];
	pthread_t thread;
	struct db *writer;

	pthread_mutex_t lock;             // of the queue and of the waiters
	pthread_cond_t arrived, left;     // a job came; room was made
	struct job *first, *last;
	size_t queued;
	bool stopping;
	struct histogram waits;

	pthread_mutex_t pool_lock;
	pthread_cond_t returned;
	struct db *idle;
	size_t open_readers;

	struct images *images;            // lists of big types in memory
	struct checkpointer *checkpointer;
};

// ---- one transaction ---------------------------------------------------------------------------
static enum err run_stmt(struct db *db, enum stmt stmt)
{
	struct query q;
	query_begin(&q, db, stmt);
	return query_run(&q);
}

static enum err run_under_savepoint(struct db *db, struct job *j, struct problem *p)
{
	enum err err = run_stmt(db, STMT_JOB_BEGIN);
	if (err)
		return err;
	db->after_first = db->after_last = NULL;
	err = j->fn(db, j->arg, p);
	if (db_reset_queries(db))
		log_error("store", "a job left a query running");
	if (sqlite3_get_autocommit(db->h)) // SQLite itself has undone the whole transaction (disk full, I/O error)
		return err ? err : ERR_IO;
	if (err) {
		enum err undo = db_exec(db, "ROLLBACK TO job; RELEASE job");
		return undo ? undo : err;
	}
	j->after = db->after_first;
	return run_stmt(db, STMT_JOB_END);
}

static void job_run(struct db *db, struct job *j)
{
	struct problem own;
	histogram_add(&db->store->waits, clock_mono() - j->since);
	problem_init(&own, db->arena);
	struct problem *p = j->problem ? j->problem : &own;
	j->err = run_under_savepoint(db, j, p);
	if (!j->err && p->err) // a job may refuse through p alone only by mistake
		log_error("store", "a job set a problem and returned no error");
	if (j->err)
		j->after = NULL;
}

// Everything done so far in this batch is undone; whoever had succeeded is told why.
static void batch_failed(struct job *first, enum err err)
{
	for (struct job *j = first; j; j = j->next) {
		if (!j->err)
			j->err = err;
		j->after = NULL;
	}
}

// Takes the next waiting job; NULL if there is none.
static struct job *queue_take(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	struct job *j = s->first;
	if (j) {
		s->first = j->next;
		if (!s->first)
			s->last = NULL;
		s->queued--;
		j->next = NULL;
		pthread_cond_signal(&s->left);
	}
	pthread_mutex_unlock(&s->lock);
	return j;
}

// Runs jobs until the queue is empty or the batch is big enough. Returns them in order, each with its own result;
// *ret_lost: SQLite gave the transaction up, so there is nothing to commit.
static struct job *batch_run(struct store *s, struct job *first, enum err *ret_lost)
{
	struct db *db = s->writer;
	int64_t begun = clock_mono();
	struct job *last = first;
	for (size_t n = 1;; n++) {
		job_run(db, last);
		if (sqlite3_get_autocommit(db->h)) {
			*ret_lost = last->err ? last->err : ERR_IO;
			return first;
		}
		if (n == BATCH_MAX || clock_mono() - begun > BATCH_US)
			return first;
		struct job *j = queue_take(s);
		if (!j)
			return first;
		last->next = j;
		last = j;
	}
}

static void batch_commit(struct store *s, struct job *first)
{
	struct db *db = s->writer;
	enum err err = db_exec(db, "BEGIN IMMEDIATE");
	if (err) {
		batch_failed(first, err);
		return;
	}
	enum err lost = OK;
	batch_run(s, first, &lost);
	if (!lost)
		lost = db_exec(db, "COMMIT");
	if (lost) {
		db_rollback(db);
		batch_failed(first, lost);
	}
}

// ---- telling -----------------------------------------------------------------------------------
// What a person reads when the job itself said nothing.
static void job_problem_text(struct job *j)
{
	struct problem *p = j->problem;
	if (!p || !j->err || p->err)
		return;
	p->err = j->err;
	p->zh = str_of(err_text(j->err, true));
	p->en = str_of(err_text(j->err, false));
}

static void job_tell(struct store *s, struct job *j)
{
	for (struct after_commit *c = j->after; c; c = c->next)
		c->fn(c->arg);
	if (j->waiter) {
		job_problem_text(j);
		pthread_mutex_lock(&s->lock);
		j->waiter->err = j->err; // the waiter's stack, and j with it, is gone once the lock is free
		j->waiter->done = true;
		pthread_cond_signal(&j->waiter->cond);
		pthread_mutex_unlock(&s->lock);
	} else {
		if (j->done)
			j->done(j->arg, j->err);
		mem_free(j);
	}
}

static struct job *queue_wait(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->first && !s->stopping)
		pthread_cond_wait(&s->arrived, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return queue_take(s);
}

static void *writer_main(void *arg)
{
	struct store *s = arg;
	struct db *db = s->writer;
	pthread_setname_np(pthread_self(), "store");
	for (struct job *first; (first = queue_wait(s));) {
		batch_commit(s, first);
		for (struct job *j = first, *next; j; j = next) {
			next = j->next;
			job_tell(s, j);
		}
		arena_reset(db->arena);
	}
	return NULL;
}

bool db_others_wait(struct db *db)
{
	struct store *s = db->store;
	pthread_mutex_lock(&s->lock);
	bool yes = s->first != NULL;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

// ---- sending -----------------------------------------------------------------------------------
static bool in_writer(struct store *s)
{
	return pthread_equal(pthread_self(), s->thread);
}

// False if the store is closing. The writer itself never waits for room.
static bool queue_put(struct store *s, struct job *j)
{
	bool wait = !in_writer(s);
	j->since = clock_mono();
	pthread_mutex_lock(&s->lock);
	while (wait && s->queued >= QUEUE_MAX && !s->stopping)
		pthread_cond_wait(&s->left, &s->lock);
	bool taken = !s->stopping || !wait;
	if (taken) {
		if (s->last)
			s->last->next = j;
		else
			s->first = j;
		s->last = j;
		s->queued++;
		pthread_cond_signal(&s->arrived);
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

enum err store_fold(struct store *s)
{
	struct db *db;
	enum err err = db_open(&db, s, s->path, true);
	if (!err)
		err = db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	db_close(db);
	return err;
}

enum err store_write(struct store *s, store_job *fn, void *arg, struct problem *p)
{
	if (in_writer(s))
		return ERR_BUG; // would wait for itself
	struct waiter w = { .cond = PTHREAD_COND_INITIALIZER };
	struct job j = { .fn = fn, .arg = arg, .problem = p, .waiter = &w };
	if (!queue_put(s, &j))
		return problem_set(p, ERR_UNAVAILABLE, "", "正在停机，请稍后再试", "shutting down, please try again later");
	pthread_mutex_lock(&s->lock);
	while (!w.done)
		pthread_cond_wait(&w.cond, &s->lock);
	pthread_mutex_unlock(&s->lock);
	pthread_cond_destroy(&w.cond);
	return w.err;
}

void store_post(struct store *s, store_job *fn, void *arg, void (*done)(void *arg, enum err err))
{
	struct job *j = mem_alloc(sizeof(*j));
	*j = (struct job){ .fn = fn, .arg = arg, .done = done };
	if (queue_put(s, j))
		return;
	mem_free(j);
	if (done)
		done(arg, ERR_UNAVAILABLE);
}

// ---- readers -----------------------------------------------------------------------------------
static struct db *pool_take(struct store *s)
{
	pthread_mutex_lock(&s->pool_lock);
	while (!s->idle && s->open_readers >= STORE_READERS)
		pthread_cond_wait(&s->returned, &s->pool_lock);
	struct db *db = s->idle;
	if (db)
		s->idle = db->next;
	else
		s->open_readers++;
	pthread_mutex_unlock(&s->pool_lock);
	return db;
}

struct db *store_read_begin(struct store *s)
{
	struct db *db = pool_take(s);
	if (!db) {
		enum err err = db_open(&db, s, s->path, false);
		if (err)
			log_error("store", "no connection for reading: %s", err_name(err));
	}
	enum err err = db_exec(db, "BEGIN");
	if (err && db->h)
		log_error("store", "cannot begin to read: %s", err_name(err));
	return db;
}

// The reader that nobody has needed for long, if there is one: the last taken is returned to the front, so it is the last. Each
// knows the whole schema, some MiB with many packs.
static struct db *pool_spare(struct store *s, int64_t now)
{
	struct db **at = &s->idle;
	while (*at && (*at)->next)
		at = &(*at)->next;
	struct db *db = *at;
	if (!db || now - db->returned < SPARE_US)
		return NULL;
	*at = NULL;
	s->open_readers--;
	return db;
}

void store_read_end(struct store *s, struct db *db)
{
	int64_t now = clock_mono();
	if (db_reset_queries(db))
		log_error("store", "a reader left a query running");
	db_rollback(db);
	bool keep = db->h != NULL;
	pthread_mutex_lock(&s->pool_lock);
	struct db *gone = keep ? pool_spare(s, now) : db;
	if (keep) {
		db->returned = now;
		db->next = s->idle;
		s->idle = db;
	} else {
		s->open_readers--;
	}
	pthread_cond_signal(&s->returned);
	pthread_mutex_unlock(&s->pool_lock);
	db_close(gone);
}

// ---- opening and closing -----------------------------------------------------------------------
static enum err store_open_writer(struct store *s, struct problem *p)
{
	enum err err = db_open(&s->writer, s, s->path, true);
	if (err)
		return problem_set(p, err, "", "打不开数据库 %s", "cannot open the database %s", s->path);
	s->writer->arena = arena_new(0);
	s->writer->migrating = true;
	err = schema_migrate(s->writer, p);
	s->writer->migrating = false;
	return err;
}

size_t store_queue(struct store *s, const struct histogram **ret_waits)
{
	pthread_mutex_lock(&s->lock);
	size_t n = s->queued;
	pthread_mutex_unlock(&s->lock);
	*ret_waits = &s->waits;
	return n;
}

bool store_is_closing(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool closing = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return closing;
}

struct images *store_images(struct store *s)
{
	return s ? s->images : NULL;
}

static void store_free(struct store *s)
{
	while (s->idle) {
		struct db *db = s->idle;
		s->idle = db->next;
		db_close(db);
	}
	checkpointer_close(s->checkpointer);
	if (s->writer) {
		arena_free(s->writer->arena);
		db_close(s->writer); // folds the log back into the file
	}
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->arrived);
	pthread_cond_destroy(&s->left);
	pthread_mutex_destroy(&s->pool_lock);
	pthread_cond_destroy(&s->returned);
	mem_free(s);
}

enum err store_open(struct store **ret, const char *dir, struct problem *p)
{
	struct store *s = mem_alloc(sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->arrived, NULL);
	pthread_cond_init(&s->left, NULL);
	pthread_mutex_init(&s->pool_lock, NULL);
	pthread_cond_init(&s->returned, NULL);
	s->waits.bounds = histogram_seconds;
	enum err err = OK;
	if ((size_t)snprintf(s->path, sizeof(s->path), "%s/anlan.db", dir) >= sizeof(s->path))
		err = problem_set(p, ERR_TOO_LARGE, "", "路径太长：%s", "path too long: %s", dir);
	mode_t old = umask(077); // personal data: for this user only
	if (!err)
		err = store_open_writer(s, p);
	if (!err)
		s->checkpointer = checkpointer_open(s->writer, s->path);
	umask(old);
	if (!err && pthread_create(&s->thread, NULL, writer_main, s))
		err = problem_set(p, ERR_UNAVAILABLE, "", "无法创建线程", "cannot create a thread");
	if (err) {
		store_free(s);
		return err;
	}
	s->images = images_open(s);
	*ret = s;
	return OK;
}

struct str store_dir(const struct store *s)
{
	struct str path = str_of(s->path);
	return str_first(path, path.n - strlen("/anlan.db"));
}

void store_close(struct store *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->arrived);
	pthread_cond_broadcast(&s->left);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	images_close(s->images);
	s->images = NULL;
	store_free(s);
}
