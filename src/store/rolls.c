#include "store/rolls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/blocks_in.h"

#define MS_PER_DAY 86400000

static const char *const SQL[ROLL__MAX] = {
	[ROLL_STATE] = "SELECT no, gone FROM rolled WHERE point=?1",
	[ROLL_ROWS] = "SELECT id, data FROM hours WHERE id>=?1 AND id<=?2 ORDER BY id",
	[ROLL_NEW] = "SELECT t0, t1 FROM block WHERE id>?1 AND id<?2",
	[ROLL_POINT] = ("SELECT min((SELECT coalesce(min(id),9e18) FROM block WHERE id>=?1),"
	               " (SELECT coalesce(min(id),9e18) FROM hours WHERE id>=?1 AND ?2))"),
	[ROLL_BLOCKS] = "SELECT id, data FROM block WHERE id>?1 AND id<?2 ORDER BY id LIMIT ?3",
	[ROLL_PUT] = "INSERT OR REPLACE INTO hours(id,data) VALUES(?1,?2)",
	[ROLL_SET] = "INSERT OR REPLACE INTO rolled(point,no,gone) VALUES(?1,?2,?3)",
	[ROLL_COUNT] = "SELECT id, t0, t1, length(data) FROM block WHERE id>=?1 AND id<?2 ORDER BY id",
	[ROLL_DROP] = "DELETE FROM block WHERE id=?1",
	[ROLL_DROP_HOURS] = "DELETE FROM hours WHERE id>=?1 AND id<?2",
};

static int64_t key(uint32_t point, int64_t low)
{
	return (int64_t)point << 32 | low;
}

// NULL: the file has no such table (it is of a program from before roll-ups and was not written since), or no memory.
static sqlite3_stmt *statement(struct conn *c, enum roll_sql which)
{
	if (!c->roll[which])
		(void)sqlite3_prepare_v3(c->h, SQL[which], -1, SQLITE_PREPARE_PERSISTENT, &c->roll[which], NULL);
	return c->roll[which];
}

int rolls_prepare(struct conn *c)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(c->h, "PRAGMA user_version", -1, &q, NULL);
	if (rc == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		c->complete = sqlite3_column_int(q, 0) != 0;
	sqlite3_finalize(q);
	return rc;
}

// ---- what both sides do, on a connection ----

static enum err read_state(struct conn *c, uint32_t point, struct rolled *ret)
{
	*ret = (struct rolled){ .no = -1 };
	sqlite3_stmt *q = statement(c, ROLL_STATE);
	if (!q)
		return OK;
	sqlite3_bind_int64(q, 1, point);
	int rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*ret = (struct rolled){ .no = sqlite3_column_int64(q, 0), .gone = sqlite3_column_int(q, 1) != 0 };
	sqlite3_reset(q);
	return blocks_err(rc);
}

static enum err next_point(struct conn *c, uint32_t after, bool hours, uint32_t *ret)
{
	*ret = 0;
	sqlite3_stmt *q = statement(c, ROLL_POINT);
	if (!q)
		return ERR_NOT_FOUND;
	sqlite3_bind_int64(q, 1, key(after + 1, 0));
	sqlite3_bind_int(q, 2, hours);
	int rc = sqlite3_step(q);
	// 9e18 is beyond every id, and stands for none
	if (rc == SQLITE_ROW && sqlite3_column_type(q, 0) == SQLITE_INTEGER)
		*ret = (uint32_t)(sqlite3_column_int64(q, 0) >> 32);
	sqlite3_reset(q);
	return blocks_err(rc);
}

// ---- any thread ----

static enum err read_rows(struct conn *c, uint32_t point, int first, int last, const struct rolls_reader *r)
{
	sqlite3_stmt *q = statement(c, ROLL_ROWS);
	int rc;
	if (!q)
		return OK;
	sqlite3_bind_int64(q, 1, key(point, first));
	sqlite3_bind_int64(q, 2, key(point, last));
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		int day = (int)(sqlite3_column_int64(q, 0) & 0xff);
		struct str bytes = blocks_checked(q, 1, point);
		if (bytes.n)
			r->row(r->arg, day, bytes);
		else
			r->fresh(r->arg, day, day);
	}
	sqlite3_reset(q);
	return blocks_err(rc);
}

static enum err read_new(struct conn *c, uint32_t point, const struct rolls_reader *r, int64_t after)
{
	sqlite3_stmt *q = statement(c, ROLL_NEW);
	int rc;
	if (!q)
		return ERR_IO;
	sqlite3_bind_int64(q, 1, key(point, 0) + after);
	sqlite3_bind_int64(q, 2, key(point + 1, 0));
	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		r->fresh(r->arg, (int)(sqlite3_column_int64(q, 0) / MS_PER_DAY), (int)(sqlite3_column_int64(q, 1) / MS_PER_DAY));
	sqlite3_reset(q);
	return blocks_err(rc);
}

enum err rolls_read(struct blocks *b, int32_t month, uint32_t point, int first, int last, const struct rolls_reader *r,
                    struct rolled *ret)
{
	struct conn *c = NULL;
	*ret = (struct rolled){ .no = -1 };
	enum err err = blocks_take(b, month, &c);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	err = blocks_err(sqlite3_exec(c->h, "BEGIN", NULL, NULL, NULL));
	if (!err)
		err = read_state(c, point, ret);
	if (!err && ret->no >= 0)
		err = read_rows(c, point, first, last, r);
	if (!err && ret->no >= 0)
		err = read_new(c, point, r, ret->no);
	if (!sqlite3_get_autocommit(c->h))
		sqlite3_exec(c->h, "COMMIT", NULL, NULL, NULL);
	blocks_give(b, c, !err);
	return err;
}

enum err rolls_next(struct blocks *b, int32_t month, uint32_t after, uint32_t *ret)
{
	struct conn *c = NULL;
	*ret = 0;
	enum err err = blocks_take(b, month, &c);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	err = next_point(c, after, true, ret);
	blocks_give(b, c, !err);
	return err == ERR_NOT_FOUND ? OK : err; // no roll-ups in it: it is left alone until it is written again
}

static enum err count_blocks(struct conn *c, uint32_t point, rolls_goes_fn *goes, void *arg, uint64_t *ret_blocks, uint64_t *ret_bytes,
                             uint64_t *ret_held)
{
	int64_t start = blocks_month_start(c->month);
	sqlite3_stmt *q = statement(c, ROLL_COUNT);
	int rc;
	if (!q)
		return ERR_IO;
	sqlite3_bind_int64(q, 1, key(point, 0));
	sqlite3_bind_int64(q, 2, key(point + 1, 0));
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (!goes(arg, start + sqlite3_column_int64(q, 1) * US_PER_MS, start + sqlite3_column_int64(q, 2) * US_PER_MS)) {
			++*ret_held;
			continue;
		}
		++*ret_blocks;
		*ret_bytes += (uint64_t)sqlite3_column_int64(q, 3);
	}
	sqlite3_reset(q);
	return blocks_err(rc);
}

enum err rolls_count(struct blocks *b, int32_t month, uint32_t point, rolls_goes_fn *goes, void *arg, uint64_t *ret_blocks,
                     uint64_t *ret_bytes, uint64_t *ret_held)
{
	struct conn *c = NULL;
	enum err err = blocks_take(b, month, &c);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	err = count_blocks(c, point, goes, arg, ret_blocks, ret_bytes, ret_held);
	blocks_give(b, c, !err);
	return err;
}

enum err rolls_days(struct blocks *b, int32_t month, uint32_t point, uint64_t *ret_days, uint64_t *ret_bytes)
{
	struct conn *c = NULL;
	enum err err = blocks_take(b, month, &c);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	sqlite3_stmt *q = statement(c, ROLL_ROWS);
	int rc = SQLITE_DONE;
	if (q) {
		sqlite3_bind_int64(q, 1, key(point, 0));
		sqlite3_bind_int64(q, 2, key(point, ROLL_DAYS));
	}
	while (q && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		++*ret_days;
		*ret_bytes += (uint64_t)sqlite3_column_bytes(q, 1);
	}
	if (q)
		sqlite3_reset(q);
	err = blocks_err(rc);
	blocks_give(b, c, !err);
	return err;
}

// ---- the seal thread ----

enum err rolls_begin(struct blocks *b, int32_t month)
{
	struct conn *c;
	enum err err = blocks_writer(b, month, &c);
	return err ? err : blocks_err(sqlite3_exec(c->h, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

enum err rolls_end(struct blocks *b, int32_t month, enum err err)
{
	struct conn *c;
	enum err got = blocks_writer(b, month, &c);
	if (got)
		return got;
	if (!err)
		err = blocks_err(sqlite3_exec(c->h, "COMMIT", NULL, NULL, NULL));
	if (err && !sqlite3_get_autocommit(c->h))
		sqlite3_exec(c->h, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

bool rolls_complete(struct blocks *b, int32_t month)
{
	struct conn *c;
	return blocks_writer(b, month, &c) == OK && c->complete;
}

enum err rolls_set_complete(struct blocks *b, int32_t month)
{
	struct conn *c;
	enum err err = blocks_writer(b, month, &c);
	if (!err)
		err = blocks_err(sqlite3_exec(c->h, "PRAGMA user_version=1", NULL, NULL, NULL));
	if (!err)
		c->complete = true;
	return err;
}

enum err rolls_point(struct blocks *b, int32_t month, uint32_t after, uint32_t *ret)
{
	struct conn *c;
	enum err err = blocks_writer(b, month, &c);
	return err ? err : next_point(c, after, false, ret);
}

enum err rolls_state(struct blocks *b, int32_t month, uint32_t point, struct rolled *ret)
{
	struct conn *c;
	enum err err = blocks_writer(b, month, &c);
	return err ? err : read_state(c, point, ret);
}

enum err rolls_blocks(struct blocks *b, int32_t month, uint32_t point, int64_t after, size_t max, blocks_fn *fn, void *arg,
                      int64_t *ret_last, size_t *ret_n, uint32_t *ret_corrupt)
{
	struct conn *c;
	*ret_n = 0;
	*ret_last = after;
	enum err err = blocks_writer(b, month, &c), stop = OK;
	if (err)
		return err;
	sqlite3_stmt *q = statement(c, ROLL_BLOCKS);
	int rc = SQLITE_DONE;
	if (!q)
		return ERR_IO;
	sqlite3_bind_int64(q, 1, key(point, 0) + after);
	sqlite3_bind_int64(q, 2, key(point + 1, 0));
	sqlite3_bind_int64(q, 3, (int64_t)max);
	while (!stop && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct block block = { .month = month, .point = point, .no = (uint32_t)sqlite3_column_int64(q, 0),
			.bytes = blocks_checked(q, 1, point) };
		*ret_last = block.no;
		++*ret_n;
		if (block.bytes.n)
			stop = fn(arg, &block);
		else
			++*ret_corrupt;
	}
	sqlite3_reset(q);
	return stop ? stop : blocks_err(rc);
}

enum err rolls_row(struct blocks *b, int32_t month, uint32_t point, int day, struct arena *a, struct str *ret, bool *ret_there)
{
	struct conn *c;
	*ret = STR_EMPTY;
	*ret_there = false;
	enum err err = blocks_writer(b, month, &c);
	if (err)
		return err;
	sqlite3_stmt *q = statement(c, ROLL_ROWS);
	if (!q)
		return ERR_IO;
	sqlite3_bind_int64(q, 1, key(point, day));
	sqlite3_bind_int64(q, 2, key(point, day));
	int rc = sqlite3_step(q);
	*ret_there = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW)
		*ret = arena_str(a, blocks_checked(q, 1, point));
	sqlite3_reset(q);
	return blocks_err(rc);
}

static enum err run(sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);
	sqlite3_reset(q);
	return blocks_err(rc);
}

enum err rolls_put(struct blocks *b, int32_t month, uint32_t point, int day, struct str bytes, struct arena *a)
{
	struct conn *c;
	enum err err = blocks_writer(b, month, &c);
	sqlite3_stmt *q = err ? NULL : statement(c, ROLL_PUT);
	if (!q)
		return err ? err : ERR_IO;
	struct str data = blocks_signed(point, bytes, a);
	sqlite3_bind_int64(q, 1, key(point, day));
	sqlite3_bind_blob64(q, 2, data.p, data.n, SQLITE_STATIC);
	return run(q);
}

enum err rolls_set(struct blocks *b, int32_t month, uint32_t point, struct rolled r)
{
	struct conn *c;
	enum err err = blocks_writer(b, month, &c);
	sqlite3_stmt *q = err ? NULL : statement(c, ROLL_SET);
	if (!q)
		return err ? err : ERR_IO;
	sqlite3_bind_int64(q, 1, point);
	sqlite3_bind_int64(q, 2, r.no);
	sqlite3_bind_int(q, 3, r.gone);
	return run(q);
}

static enum err drop_range(struct conn *c, enum roll_sql which, int64_t from, int64_t to)
{
	sqlite3_stmt *q = statement(c, which);
	if (!q)
		return ERR_IO;
	sqlite3_bind_int64(q, 1, from);
	if (which == ROLL_DROP_HOURS)
		sqlite3_bind_int64(q, 2, to);
	return run(q);
}

enum err rolls_drop(struct blocks *b, int32_t month, uint32_t point, bool hours, rolls_goes_fn *goes, void *arg, uint64_t *ret_blocks)
{
	struct conn *c;
	int64_t start = blocks_month_start(month);
	enum err err = blocks_writer(b, month, &c);
	sqlite3_stmt *q = err ? NULL : statement(c, ROLL_COUNT);
	int rc = SQLITE_DONE;
	if (!q)
		return err ? err : ERR_IO;
	sqlite3_bind_int64(q, 1, key(point, 0));
	sqlite3_bind_int64(q, 2, key(point + 1, 0));
	while (!err && (rc = sqlite3_step(q)) == SQLITE_ROW) { // a row may be deleted once the query has passed it
		if (!goes(arg, start + sqlite3_column_int64(q, 1) * US_PER_MS, start + sqlite3_column_int64(q, 2) * US_PER_MS))
			continue;
		err = drop_range(c, ROLL_DROP, sqlite3_column_int64(q, 0), 0);
		++*ret_blocks;
	}
	sqlite3_reset(q);
	if (!err)
		err = blocks_err(rc);
	if (!err && hours)
		err = drop_range(c, ROLL_DROP_HOURS, key(point, 0), key(point + 1, 0));
	return err;
}

static int64_t pragma(struct conn *c, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int64_t v = 0;
	if (sqlite3_prepare_v2(c->h, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return v;
}

enum err rolls_shrink(struct blocks *b, int32_t month)
{
	struct conn *c;
	enum err err = blocks_writer(b, month, &c);
	if (err || pragma(c, "PRAGMA freelist_count") * 2 < pragma(c, "PRAGMA page_count"))
		return err;
	err = blocks_err(sqlite3_exec(c->h, "VACUUM", NULL, NULL, NULL));
	return err ? err : blocks_err(sqlite3_exec(c->h, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL));
}

static bool disk_has(const struct blocks *b, int64_t bytes)
{
	struct statvfs v;
	return statvfs(b->dir, &v) == 0 && (int64_t)(v.f_bavail * v.f_frsize) > bytes;
}

enum err rolls_pack(struct blocks *b, int32_t month, bool *ret)
{
	struct conn *c;
	char text[64];
	*ret = false;
	enum err err = blocks_writer(b, month, &c);
	if (err)
		return err;
	int64_t pages = pragma(c, "PRAGMA page_count"), packed = pragma(c, "PRAGMA application_id"); // pages it had when it was packed
	int64_t bytes = pages * pragma(c, "PRAGMA page_size");
	if (bytes < 1 << 20 || pages <= packed + packed / 10 || !disk_has(b, 3 * bytes))
		return OK;
	err = blocks_err(sqlite3_exec(c->h, "VACUUM", NULL, NULL, NULL));
	snprintf(text, sizeof text, "PRAGMA application_id=%" PRId64, pragma(c, "PRAGMA page_count"));
	if (!err)
		err = blocks_err(sqlite3_exec(c->h, text, NULL, NULL, NULL));
	*ret = !err;
	if (!err) // somebody who still reads the old pages: it is done with a later write
		(void)sqlite3_exec(c->h, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	return err;
}

enum err rolls_unlink(struct blocks *b, int32_t month)
{
	char path[4096], beside[4200];
	blocks_path(b, month, path, sizeof(path));
	blocks_forget(b, month);
	static const char *const more[] = { "-wal", "-shm" };
	if (unlink(path) && errno != ENOENT)
		return ERR_IO;
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		snprintf(beside, sizeof(beside), "%s%s", path, more[i]);
		unlink(beside);
	}
	return OK;
}
