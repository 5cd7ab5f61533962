// Shared by blocks.c and rolls.c: connections to the monthly files.
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "store/blocks.h"

#define WRITERS_KEPT 2      // months that are being written: this one, and the last for what comes late
#define CRC_BYTES 4

enum roll_sql {
	ROLL_STATE, ROLL_ROWS, ROLL_NEW, ROLL_POINT, ROLL_BLOCKS, ROLL_PUT, ROLL_SET, ROLL_COUNT, ROLL_DROP, ROLL_DROP_HOURS, ROLL__MAX
};

struct conn {
	sqlite3 *h;
	sqlite3_stmt *insert, *select, *newest, *again;
	sqlite3_stmt *roll[ROLL__MAX]; // of rolls.c, prepared when first used
	int32_t month;
	bool complete;           // a writer's: the file says that all its blocks are rolled up
	struct conn *next; // in the pool, or among those taken
};

struct blocks {
	char *dir;
	pthread_mutex_t mutex;
	struct conn *pool;       // idle readers, last used first
	unsigned pooled;
	struct conn *taken;      // readers in use
	struct conn *writer[WRITERS_KEPT]; // seal thread, last used first
	int32_t *months;         // under mutex: files there are, sorted
	size_t n_months, cap_months;
};

enum err blocks_err(int rc);
int64_t blocks_month_ms(int32_t month, int64_t us, bool up); // since the start of the month, cut to the month
struct str blocks_signed(uint32_t point, struct str bytes, struct arena *a); // with its checksum in front
struct str blocks_checked(sqlite3_stmt *q, int column, uint32_t point);      // empty: the checksum is wrong
// A connection that reads; ERR_NOT_FOUND: no such table or file. Given back with keep = false after an error.
enum err blocks_take(struct blocks *b, int32_t month, struct conn **ret) must_check;
void blocks_give(struct blocks *b, struct conn *c, bool keep);
enum err blocks_writer(struct blocks *b, int32_t month, struct conn **ret) must_check; // seal thread
// Seal thread: nobody has the month's file open any more, nor will; it may be deleted. Waits for who reads it.
void blocks_forget(struct blocks *b, int32_t month);
int rolls_prepare(struct conn *c); // of a new writer: reads `complete`
