// Rows of table import and what belongs to them. Reading on any connection, writing in store jobs.
#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"
#include "exchange/import_in.h"

bool import_read(struct query *q, struct arena *a, struct import *ret)
{
	if (!query_row(q))
		return false;
	*ret = (struct import){
		.id = query_get_i64(q, 0),          .type = query_get_str(q, 1, a),       .format = query_get_str(q, 2, a),
		.key = query_get_str(q, 3, a),      .name = query_get_str(q, 4, a),       .file = query_get_i64(q, 5),
		.sm3 = query_get_str(q, 6, a),      .person = query_get_i64(q, 7),        .person_name = query_get_str(q, 8, a),
		.state = query_get_str(q, 9, a),    .skip_errors = query_get_i64(q, 10),  .failed_run = query_get_i64(q, 11),
		.rows = query_get_i64(q, 12),       .done = query_get_i64(q, 13),         .created = query_get_i64(q, 14),
		.changed = query_get_i64(q, 15),    .unchanged = query_get_i64(q, 16),    .failed = query_get_i64(q, 17),
		.errors = query_get_i64(q, 18),     .undone = query_get_i64(q, 19),       .kept = query_get_i64(q, 20),
		.columns = query_get_str(q, 21, a), .message_zh = query_get_str(q, 22, a), .message_en = query_get_str(q, 23, a),
		.created_at = query_get_i64(q, 24), .changed_at = query_get_i64(q, 25),
	};
	return true;
}

enum err import_get(struct db *db, int64_t id, struct arena *a, struct import *ret)
{
	struct query q;
	query_begin(&q, db, STMT_IMPORT_GET);
	query_i64(&q, 1, id);
	bool found = import_read(&q, a, ret);
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

enum err import_set_state(struct db *db, const struct import *im, const char *state, bool skip_errors, bool failed_run,
                          const struct problem *why)
{
	struct query q;
	query_begin(&q, db, STMT_IMPORT_STATE);
	query_i64(&q, 1, im->id);
	query_str(&q, 2, str_of(state));
	query_i64(&q, 3, clock_now());
	query_i64(&q, 4, skip_errors);
	query_i64(&q, 5, failed_run);
	query_str(&q, 6, why ? why->zh : im->message_zh);
	query_str(&q, 7, why ? why->en : im->message_en);
	return query_run(&q);
}

enum err import_reset(struct db *db, int64_t id, bool check)
{
	struct query q;
	query_begin(&q, db, STMT_IMPORT_RESET);
	query_i64(&q, 1, id);
	query_i64(&q, 2, check);
	enum err err = query_run(&q);
	query_begin(&q, db, STMT_IMPORT_ERROR_CLEAR);
	query_i64(&q, 1, id);
	enum err clear = query_run(&q);
	return err ? err : clear;
}

// room: how many more may be kept of this import.
enum err import_add_errors(struct db *db, int64_t import, const struct import_line *line, size_t *room)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < line->nerrors && *room; i++, --*room) {
		const struct row_error *e = &line->errors[i];
		struct query q;
		query_begin(&q, db, STMT_IMPORT_ERROR_ADD);
		query_i64(&q, 1, import);
		query_i64(&q, 2, line->number);
		query_i64(&q, 3, e->column == SIZE_MAX ? -1 : (int64_t)e->column);
		query_str(&q, 4, e->field);
		query_str(&q, 5, e->zh);
		query_str(&q, 6, e->en);
		query_str(&q, 7, e->hint_zh);
		query_str(&q, 8, e->hint_en);
		err = query_run(&q);
	}
	return err;
}
