#include "store/blocks_in.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/time.h"

#define READERS_KEPT 8      // idle read connections

static const char SCHEMA[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-16000;"
	"PRAGMA busy_timeout=5000;"
	// id = point << 32 | no; t0 and t1 in ms since the start of the month, rounded outwards, cut to the month
	"CREATE TABLE IF NOT EXISTS block(id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL,"
	" data BLOB NOT NULL) STRICT;"
	// id = point << 32 | day of the month from 0
	"CREATE TABLE IF NOT EXISTS hours(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
	"CREATE TABLE IF NOT EXISTS rolled(point INTEGER PRIMARY KEY, no INTEGER NOT NULL, gone INTEGER NOT NULL) STRICT;";
static const char INSERT[] = "INSERT OR REPLACE INTO block(id,t0,t1,data) VALUES(?1,?2,?3,?4)";
static const char SELECT[] = "SELECT id,data FROM block WHERE id>=?1 AND id<?2 AND t0<?3 AND t1>=?4 ORDER BY id";
static const char NEWEST[] = "SELECT max(id) FROM block WHERE id>=?1 AND id<?2";
static const char AGAIN[] = "UPDATE rolled SET no=?2-1 WHERE point=?1 AND no>=?2";

#ifdef ANLAN_TEST
_Atomic int blocks_fault;
static enum err fault(void)
{
	return (enum err)atomic_load(&blocks_fault);
}
#else
static enum err fault(void)
{
	return OK;
}
#endif

int32_t blocks_month(int64_t us)
{
	struct civil c = time_to_civil(us, 0);
	return c.year * 12 + c.month - 1;
}

int64_t blocks_month_start(int32_t month)
{
	int32_t year = month >= 0 ? month / 12 : -((11 - month) / 12);
	return time_from_civil((struct civil){ .year = year, .month = month - year * 12 + 1, .day = 1 }, 0);
}

enum err blocks_err(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK: case SQLITE_DONE: case SQLITE_ROW: return OK;
	case SQLITE_FULL: return ERR_FULL;
	case SQLITE_CORRUPT: case SQLITE_NOTADB: return ERR_CORRUPT;
	case SQLITE_BUSY: case SQLITE_LOCKED: return ERR_UNAVAILABLE;
	default: return ERR_IO;
	}
}

// ---- the list of files ----

static void month_add(struct blocks *b, int32_t month) // under mutex
{
	size_t i = 0;
	while (i < b->n_months && b->months[i] < month)
		i++;
	if (i < b->n_months && b->months[i] == month)
		return;
	if (b->n_months == b->cap_months) {
		b->cap_months = b->cap_months ? 2 * b->cap_months : 16;
		b->months = mem_resize(b->months, b->cap_months * sizeof(*b->months));
	}
	memmove(&b->months[i + 1], &b->months[i], (b->n_months - i) * sizeof(*b->months));
	b->months[i] = month;
	b->n_months++;
}

static bool month_of_name(struct str name, int32_t *ret)
{
	uint64_t year, month;
	if (!str_ends(name, STR(".db")))
		return false;
	name = str_first(name, name.n - 3);
	if (name.n < 7 || name.p[name.n - 3] != '-' || !str_to_u64(str_first(name, name.n - 3), &year) ||
	    !str_to_u64(str_skip(name, name.n - 2), &month) || year > 99999 || month < 1 || month > 12)
		return false;
	*ret = (int32_t)(year * 12 + month - 1);
	return true;
}

enum err blocks_open(struct blocks **ret, const char *dir)
{
	if (mkdir(dir, 0700) && errno != EEXIST)
		return errno == ENOSPC ? ERR_FULL : ERR_IO;
	DIR *d = opendir(dir);
	if (!d)
		return ERR_IO;
	struct blocks *b = mem_alloc(sizeof(*b));
	size_t n = strlen(dir) + 1;
	b->dir = mem_alloc(n);
	memcpy(b->dir, dir, n);
	pthread_mutex_init(&b->mutex, NULL);
	for (struct dirent *e; (e = readdir(d));) {
		int32_t month;
		if (month_of_name(str_of(e->d_name), &month))
			month_add(b, month);
	}
	closedir(d);
	*ret = b;
	return OK;
}

bool blocks_any(struct blocks *b)
{
	pthread_mutex_lock(&b->mutex);
	bool any = b->n_months > 0;
	pthread_mutex_unlock(&b->mutex);
	return any;
}

// ---- connections ----

static void conn_end(struct conn *c) // keeps the struct
{
	sqlite3_finalize(c->insert);
	sqlite3_finalize(c->select);
	sqlite3_finalize(c->newest);
	sqlite3_finalize(c->again);
	for (size_t i = 0; i < ROLL__MAX; i++)
		sqlite3_finalize(c->roll[i]);
	sqlite3_close(c->h);
}

static void conn_close(struct conn *c)
{
	if (!c)
		return;
	conn_end(c);
	mem_free(c);
}

static enum err conn_prepare(struct conn *c, bool writer)
{
	int rc = SQLITE_OK;
	if (writer)
		rc = sqlite3_exec(c->h, SCHEMA, NULL, NULL, NULL);
	if (rc == SQLITE_OK && writer)
		rc = sqlite3_prepare_v3(c->h, INSERT, -1, SQLITE_PREPARE_PERSISTENT, &c->insert, NULL);
	if (rc == SQLITE_OK && writer)
		rc = sqlite3_prepare_v3(c->h, AGAIN, -1, SQLITE_PREPARE_PERSISTENT, &c->again, NULL);
	if (rc == SQLITE_OK && writer)
		rc = rolls_prepare(c);
	if (rc == SQLITE_OK && !writer)
		rc = sqlite3_prepare_v3(c->h, SELECT, -1, SQLITE_PREPARE_PERSISTENT, &c->select, NULL);
	if (rc == SQLITE_OK && !writer)
		rc = sqlite3_prepare_v3(c->h, NEWEST, -1, SQLITE_PREPARE_PERSISTENT, &c->newest, NULL);
	if (rc == SQLITE_ERROR && !writer)
		return ERR_NOT_FOUND; // no table: the process ended between making the file and filling it
	return blocks_err(rc);
}

void blocks_path(const struct blocks *b, int32_t month, char *ret, size_t cap)
{
	snprintf(ret, cap, "%s/%04d-%02d.db", b->dir, month / 12, month % 12 + 1);
}

// After an error c->h may still be there: conn_end.
static enum err conn_open(struct conn *c, const struct blocks *b, bool writer)
{
	char path[4096];
	blocks_path(b, c->month, path, sizeof(path));
	// a reader too may have to recover the write-ahead log of a crash, so it is not opened read-only
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_CREATE : 0);
	enum err err = blocks_err(sqlite3_open_v2(path, &c->h, flags, NULL));
	if (!err)
		sqlite3_busy_timeout(c->h, 5000);
	return err ? err : conn_prepare(c, writer);
}

enum err blocks_writer(struct blocks *b, int32_t month, struct conn **ret)
{
	for (size_t i = 0; i < WRITERS_KEPT; i++) {
		struct conn *c = b->writer[i];
		if (!c || c->month != month)
			continue;
		memmove(&b->writer[1], &b->writer[0], i * sizeof(b->writer[0]));
		b->writer[0] = *ret = c;
		return OK;
	}
	struct conn *c = mem_alloc(sizeof(*c));
	c->month = month;
	enum err err = conn_open(c, b, true);
	if (err) {
		conn_close(c);
		return err;
	}
	conn_close(b->writer[WRITERS_KEPT - 1]);
	memmove(&b->writer[1], &b->writer[0], (WRITERS_KEPT - 1) * sizeof(b->writer[0]));
	b->writer[0] = *ret = c;
	pthread_mutex_lock(&b->mutex);
	month_add(b, month);
	pthread_mutex_unlock(&b->mutex);
	return OK;
}

static bool month_there(const struct blocks *b, int32_t month) // under mutex
{
	for (size_t i = 0; i < b->n_months; i++)
		if (b->months[i] == month)
			return true;
	return false;
}

static void unlink_conn(struct conn **list, struct conn *c)
{
	while (*list != c)
		list = &(*list)->next;
	*list = c->next;
}

enum err blocks_take(struct blocks *b, int32_t month, struct conn **ret)
{
	enum err err = OK;
	pthread_mutex_lock(&b->mutex);
	struct conn *c = b->pool;
	while (c && c->month != month)
		c = c->next;
	if (c) {
		unlink_conn(&b->pool, c);
		b->pooled--;
	} else if (month_there(b, month)) {
		c = mem_alloc(sizeof(*c));
		c->month = month;
	}
	if (c) {
		c->next = b->taken;
		b->taken = c;
	}
	pthread_mutex_unlock(&b->mutex);
	if (!c)
		return ERR_NOT_FOUND; // it was deleted meanwhile
	if (!c->h)
		err = conn_open(c, b, false);
	if (err)
		blocks_give(b, c, false);
	else
		*ret = c;
	return err;
}

void blocks_give(struct blocks *b, struct conn *c, bool keep)
{
	struct conn *old = NULL;
	if (!keep)
		conn_end(c); // before it is out of the list: until then its file is not deleted
	pthread_mutex_lock(&b->mutex);
	unlink_conn(&b->taken, c);
	if (keep) {
		c->next = b->pool;
		b->pool = c;
	}
	if (keep && ++b->pooled > READERS_KEPT) {
		for (old = b->pool; old->next;)
			old = old->next;
		unlink_conn(&b->pool, old);
		b->pooled--;
	}
	pthread_mutex_unlock(&b->mutex);
	if (!keep)
		mem_free(c);
	conn_close(old);
}

static bool is_taken(struct blocks *b, int32_t month)
{
	bool found = false;
	pthread_mutex_lock(&b->mutex);
	for (struct conn *c = b->taken; c; c = c->next)
		found |= c->month == month;
	pthread_mutex_unlock(&b->mutex);
	return found;
}

void blocks_forget(struct blocks *b, int32_t month)
{
	for (size_t i = 0; i < WRITERS_KEPT; i++)
		if (b->writer[i] && b->writer[i]->month == month) {
			conn_close(b->writer[i]);
			b->writer[i] = NULL;
		}
	pthread_mutex_lock(&b->mutex);
	for (size_t i = 0; i < b->n_months; i++)
		if (b->months[i] == month) {
			memmove(&b->months[i], &b->months[i + 1], (b->n_months - i - 1) * sizeof(*b->months));
			b->n_months--;
			break;
		}
	pthread_mutex_unlock(&b->mutex);
	while (is_taken(b, month)) // a connection that closes deletes the write-ahead log by its name
		usleep(1000);
	pthread_mutex_lock(&b->mutex);
	struct conn *idle = b->pool;
	b->pool = NULL;
	b->pooled = 0;
	pthread_mutex_unlock(&b->mutex);
	for (struct conn *next; idle; idle = next) {
		next = idle->next;
		conn_close(idle);
	}
}

void blocks_close(struct blocks *b)
{
	if (!b)
		return;
	for (struct conn *c = b->pool, *next; c; c = next) {
		next = c->next;
		conn_close(c);
	}
	for (size_t i = 0; i < WRITERS_KEPT; i++)
		conn_close(b->writer[i]); // the last connection of a file also empties its write-ahead log
	pthread_mutex_destroy(&b->mutex);
	mem_free(b->months);
	mem_free(b->dir);
	mem_free(b);
}

// ---- writing ----

int64_t blocks_month_ms(int32_t month, int64_t us, bool up)
{
	int64_t start = blocks_month_start(month), length = blocks_month_start(month + 1) - start;
	int64_t d = MAX(MIN(us - start, length), INT64_C(0));
	return up ? (d + 999) / 1000 : d / 1000;
}

struct str blocks_signed(uint32_t point, struct str bytes, struct arena *a)
{
	char *data = arena_alloc(a, CRC_BYTES + bytes.n);
	uint32_t crc = crc32c(crc32c(0, &point, 4), bytes.p, bytes.n);
	memcpy(data, &crc, CRC_BYTES);
	memcpy(data + CRC_BYTES, bytes.p, bytes.n);
	return str_from(data, CRC_BYTES + bytes.n);
}

struct str blocks_checked(sqlite3_stmt *q, int column, uint32_t point)
{
	const char *p = sqlite3_column_blob(q, column);
	size_t n = (size_t)sqlite3_column_bytes(q, column);
	uint32_t crc;
	if (!p || n <= CRC_BYTES)
		return STR_EMPTY;
	memcpy(&crc, p, CRC_BYTES);
	struct str bytes = str_from(p + CRC_BYTES, n - CRC_BYTES);
	return crc == crc32c(crc32c(0, &point, 4), bytes.p, bytes.n) ? bytes : STR_EMPTY;
}

static int insert(struct conn *c, const struct block *v, struct arena *a)
{
	struct str data = blocks_signed(v->point, v->bytes, a);
	sqlite3_bind_int64(c->insert, 1, (int64_t)v->point << 32 | v->no);
	sqlite3_bind_int64(c->insert, 2, blocks_month_ms(v->month, v->t0, false));
	sqlite3_bind_int64(c->insert, 3, blocks_month_ms(v->month, v->t1, true));
	sqlite3_bind_blob64(c->insert, 4, data.p, data.n, SQLITE_STATIC);
	int rc = sqlite3_step(c->insert);
	sqlite3_reset(c->insert);
	if (rc != SQLITE_DONE || !v->again)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	sqlite3_bind_int64(c->again, 1, v->point);
	sqlite3_bind_int64(c->again, 2, v->no);
	rc = sqlite3_step(c->again);
	sqlite3_reset(c->again);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static enum err write_month(struct blocks *b, const struct block *v, size_t n, struct arena *a)
{
	struct conn *c;
	enum err err = blocks_writer(b, v->month, &c);
	if (err)
		return err;
	int rc = sqlite3_exec(c->h, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK && c->complete)
		rc = sqlite3_exec(c->h, "PRAGMA user_version=0", NULL, NULL, NULL);
	c->complete = false;
	for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
		rc = insert(c, &v[i], a);
		arena_reset(a);
	}
	err = blocks_err(rc);
	if (!err)
		err = fault();
	if (!err)
		err = blocks_err(sqlite3_exec(c->h, "COMMIT", NULL, NULL, NULL));
	if (err && !sqlite3_get_autocommit(c->h))
		sqlite3_exec(c->h, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

enum err blocks_write(struct blocks *b, const struct block *v, size_t n)
{
	struct arena *a = arena_new(16 << 10);
	enum err err = OK;
	for (size_t i = 0, end; i < n && !err; i = end) {
		for (end = i + 1; end < n && v[end].month == v[i].month;)
			end++;
		err = write_month(b, v + i, end - i, a);
	}
	arena_free(a);
	return err;
}

// ---- reading ----

static enum err read_row(struct conn *c, uint32_t point, blocks_fn *fn, void *arg, uint32_t *ret_corrupt)
{
	struct block block = { .month = c->month, .point = point, .no = (uint32_t)sqlite3_column_int64(c->select, 0) };
	block.bytes = blocks_checked(c->select, 1, point);
	if (!block.bytes.n) {
		++*ret_corrupt;
		return OK;
	}
	return fn(arg, &block);
}

static enum err read_month(struct blocks *b, int32_t month, uint32_t point, int64_t from, int64_t to, blocks_fn *fn,
                           void *arg, uint32_t *ret_corrupt)
{
	struct conn *c = NULL;
	enum err err = blocks_take(b, month, &c);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	sqlite3_bind_int64(c->select, 1, (int64_t)point << 32);
	sqlite3_bind_int64(c->select, 2, ((int64_t)point + 1) << 32);
	sqlite3_bind_int64(c->select, 3, blocks_month_ms(month, to, true) + 1);
	sqlite3_bind_int64(c->select, 4, blocks_month_ms(month, from, false));
	int rc;
	enum err stop = OK;
	while ((rc = sqlite3_step(c->select)) == SQLITE_ROW && !stop)
		stop = read_row(c, point, fn, arg, ret_corrupt);
	sqlite3_reset(c->select);
	err = blocks_err(rc);
	blocks_give(b, c, !err);
	return stop ? stop : err;
}

bool blocks_month_next(struct blocks *b, int32_t *month, int32_t last)
{
	bool found = false;
	pthread_mutex_lock(&b->mutex);
	for (size_t i = 0; i < b->n_months && !found; i++)
		if (b->months[i] >= *month && b->months[i] <= last) {
			*month = b->months[i];
			found = true;
		}
	pthread_mutex_unlock(&b->mutex);
	return found;
}

enum err blocks_read(struct blocks *b, uint32_t point, int64_t from, int64_t to, blocks_fn *fn, void *arg,
                     uint32_t *ret_corrupt)
{
	*ret_corrupt = 0;
	if (from >= to)
		return OK;
	enum err first = OK;
	int32_t last = blocks_month(to - 1);
	for (int32_t m = blocks_month(from); blocks_month_next(b, &m, last); m++) {
		enum err err = read_month(b, m, point, from, to, fn, arg, ret_corrupt);
		if (err == ERR_CORRUPT) {
			++*ret_corrupt; // a damaged page: the other months are read all the same
			continue;
		}
		if (err && !first)
			first = err;
		if (err)
			break;
	}
	return first;
}

enum err blocks_next_no(struct blocks *b, uint32_t point, uint32_t *ret)
{
	*ret = 0;
	for (int32_t m = INT32_MIN; blocks_month_next(b, &m, INT32_MAX); m++) {
		struct conn *c = NULL;
		enum err err = blocks_take(b, m, &c);
		if (err == ERR_NOT_FOUND)
			continue;
		if (err)
			return err;
		sqlite3_bind_int64(c->newest, 1, (int64_t)point << 32);
		sqlite3_bind_int64(c->newest, 2, ((int64_t)point + 1) << 32);
		int rc = sqlite3_step(c->newest);
		if (rc == SQLITE_ROW && sqlite3_column_type(c->newest, 0) != SQLITE_NULL)
			*ret = MAX(*ret, (uint32_t)sqlite3_column_int64(c->newest, 0) + 1);
		sqlite3_reset(c->newest);
		err = blocks_err(rc);
		blocks_give(b, c, !err);
		if (err)
			return err;
	}
	return OK;
}
