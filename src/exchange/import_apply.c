// Rows made ready become records, or would: in a check each row's changes are taken back at once. Runs in store jobs that
// end after SLICE_US, so that others get their turn; what became of each row is in the same transaction.
#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"
#include "exchange/import_in.h"
#include "flow/draft.h"

struct work {
	struct db *db;
	struct slice *s;
	struct arena *a;        // of the row
	struct identity by;
};

// ---- what a record was before ------------------------------------------------------------------

// The fields that the row names, as a body that would put them back.
static struct str body_before(const struct type *t, const struct row *row, const json_t *body, struct arena *a)
{
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_ARCHIVE_LINE);
	jw_init(&w, &b);
	jw_obj(&w);
	for (size_t i = 0; i < t->nfields; i++) {
		struct value common;
		const struct field *f = &t->fields[i];
		if (!json_object_get(body, arena_cstr(a, f->name)))
			continue;
		jw_key_str(&w, f->name);
		value_json(&w, f, row_slot(f, row, &common), false, a);
	}
	jw_end(&w);
	struct str s = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR_EMPTY;
	buf_free(&b);
	return s;
}

// ---- one row -----------------------------------------------------------------------------------

static enum err edit(struct work *k, struct import_line *line, struct str *ret_before, struct problem *p)
{
	struct slice *s = k->s;
	struct row row;
	enum err err = records_get(k->db, &s->t->table, NULL, line->id, k->a, &row);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, err, "", "没有这条记录，或不在你的范围内", "there is no such record in your area");
	if (err)
		return err;
	json_object_set_new(line->body, "version", json_integer(row.c.version));
	err = flow_edit(k->db, s->reg, s->t, line->id, line->body, &k->by, k->a, p);
	if (err)
		return err;
	struct row now;
	err = records_get(k->db, &s->t->table, NULL, line->id, k->a, &now);
	line->outcome = now.c.version == row.c.version ? ROW_UNCHANGED : ROW_CHANGED;
	line->version = now.c.version;
	if (!err && line->outcome == ROW_CHANGED)
		*ret_before = body_before(s->t, &row, line->body, k->a);
	return err;
}

// The record with this unique value that an import made and its undo retired; 0 if there is none.
static int64_t retired_by_undo(struct work *k, struct str field, const json_t *body)
{
	const struct field *f = type_field(k->s->t, field);
	const char *text = f && f->unique ? json_string_value(json_object_get(body, arena_cstr(k->a, field))) : NULL;
	if (!text)
		return 0;
	struct value is = { .kind = VAL_TEXT, .s = str_of(text) }, one = { .kind = VAL_INT, .i = 1 }, none = { .kind = VAL_INT, .i = 0 };
	struct filter filters[] = { { f->name, FILTER_EQ, &is, 1 }, { STR("retired"), FILTER_EQ, &one, 1 }, { STR("batch"), FILTER_NE, &none, 1 } };
	struct list_query lq = { .filters = filters, .nfilters = ARRAY_LEN(filters), .limit = 1, .with_retired = true };
	struct scope scope = auth_scope(&k->by, k->s->t);
	struct row *rows;
	size_t n = 0;
	int64_t total;
	struct problem p;
	problem_init(&p, k->a);
	enum err err = records_list(k->db, &k->s->t->table, &scope, &lq, k->a, &rows, &n, &total, &p);
	return !err && n ? rows[0].c.id : 0;
}

static enum err revive(struct work *k, struct import_line *line, int64_t id, struct problem *p)
{
	struct str before = STR_EMPTY, reason = arena_printf(k->a, "导入 #%lld / import #%lld", (long long)k->by.batch, (long long)k->by.batch);
	enum err err = flow_revive(k->db, k->s->reg, k->s->t, id, reason, &k->by, k->a, p);
	line->id = id;
	if (!err)
		err = edit(k, line, &before, p);
	line->outcome = ROW_CREATED;
	return err;
}

static enum err create(struct work *k, struct import_line *line, struct problem *p)
{
	struct slice *s = k->s;
	struct row row;
	struct problem own;
	problem_init(&own, k->a);
	line->outcome = ROW_CREATED;
	line->version = 1;
	enum err err = flow_create(k->db, s->reg, s->t, line->body, &k->by, k->a, &line->id, &own);
	int64_t id = err == ERR_CONFLICT ? retired_by_undo(k, own.field, line->body) : 0;
	if (id)
		return revive(k, line, id, p);
	if (err) {
		own.arena = p->arena;
		*p = own;
		line->id = 0;
		return err;
	}
	if (s->t->number.n == 0 || s->check)
		return OK;
	err = records_get(k->db, &s->t->table, NULL, line->id, k->a, &row);
	line->number_after = err ? STR_EMPTY : arena_str(s->arena, row.c.number);
	return err;
}

static bool is_pending(const struct import_line *line, struct str field)
{
	for (size_t i = 0; i < line->npending; i++)
		if (str_eq(line->pending[i]->name, field))
			return true;
	return false;
}

// Is this worth another try of the whole job rather than a mistake in the row?
static bool is_ours(enum err err)
{
	return err == ERR_FULL || err == ERR_IO || err == ERR_CORRUPT || err == ERR_BUG || err == ERR_UNAVAILABLE;
}

static enum err row_failed(struct work *k, struct import_line *line, enum err err, struct problem *p)
{
	struct slice *s = k->s;
	if (is_ours(err))
		return err;
	if (p->err == OK)
		problem_set(p, err, "", "%s%.0s", "%.0s%s", err_text(err, true), err_text(err, false));
	if (s->check && line->npending && is_pending(line, p->field)) {
		line->outcome = ROW_CREATED; // the row that it refers to stands above it
		return OK;
	}
	line_error(line, s->arena, columns_of_field(s->columns, p->field), p);
	return OK;
}

static enum err apply(struct work *k, struct import_line *line, struct str *ret_before)
{
	struct db_part part;
	struct problem p;
	problem_init(&p, k->a);
	*ret_before = STR_EMPTY;
	line->outcome = ROW_FAILED;
	if (line->nerrors)
		return OK;
	if (line->key_pending) { // a check: the row above it comes first
		line->outcome = ROW_CHANGED;
		return OK;
	}
	enum err err = db_part_begin(k->db, &part);
	if (err)
		return err;
	err = line->id ? edit(k, line, ret_before, &p) : create(k, line, &p);
	enum err end = db_part_end(k->db, &part, !err && !k->s->check);
	if (err) {
		line->outcome = ROW_FAILED;
		err = row_failed(k, line, err, &p);
	}
	return err ? err : end;
}

// ---- the job -----------------------------------------------------------------------------------

static const char *const outcome_names[] = { "created", "changed", "unchanged", "failed" };

static enum err keep_row(struct work *k, const struct import_line *line, struct str before)
{
	struct query q;
	query_begin(&q, k->db, STMT_IMPORT_ROW_ADD);
	query_i64(&q, 1, k->s->im->id);
	query_i64(&q, 2, line->number);
	query_str(&q, 3, str_of(outcome_names[line->outcome]));
	query_i64(&q, 4, line->id);
	query_i64(&q, 5, line->version);
	query_str(&q, 6, before);
	return query_run(&q);
}

static enum err errors_room(struct db *db, int64_t import, size_t *ret)
{
	struct query q;
	int64_t n = 0;
	query_begin(&q, db, STMT_IMPORT_ERROR_COUNT);
	query_i64(&q, 1, import);
	if (query_row(&q))
		n = query_get_i64(&q, 0);
	*ret = (size_t)(LIMIT_IMPORT_ERRORS - MIN(n, (int64_t)LIMIT_IMPORT_ERRORS));
	return query_end(&q);
}

static enum err keep_progress(struct work *k, const int64_t counts[4], int64_t rows, int64_t last, int64_t errors)
{
	struct query q;
	query_begin(&q, k->db, STMT_IMPORT_PROGRESS);
	query_i64(&q, 1, k->s->im->id);
	query_i64(&q, 2, k->s->check ? rows : 0);
	query_i64(&q, 3, last);
	for (int i = 0; i < 4; i++)
		query_i64(&q, 4 + i, counts[i]);
	query_i64(&q, 8, errors);
	query_i64(&q, 9, clock_now());
	return query_run(&q);
}

bool slice_is_over(struct db *db, int64_t begun)
{
	int64_t us = clock_mono() - begun;
	return us >= SLICE_US || (us >= SLICE_YIELD_US && db_others_wait(db));
}

enum err slice_job(struct db *db, void *arg, struct problem *p)
{
	struct slice *s = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct work k = { db, s, a, *s->by };
	int64_t begun = clock_mono(), counts[4] = { 0 }, errors = 0;
	size_t at = s->done, room = 0;
	bool counted = false;
	enum err err = OK;
	(void)p;
	k.by.batch = s->im->id;
	s->failed_at = SIZE_MAX;
	while (!err && at < s->n && (at == s->done || !slice_is_over(db, begun))) {
		struct import_line *line = &s->v[at];
		struct str before;
		arena_reset(a);
		err = apply(&k, line, &before);
		if (!err && line->nerrors && !counted) {
			counted = true;
			err = errors_room(db, s->im->id, &room);
		}
		if (!err)
			err = import_add_errors(db, s->im->id, line, &room);
		if (!err && !s->check)
			err = keep_row(&k, line, before);
		counts[line->outcome]++;
		errors += (int64_t)line->nerrors;
		at++;
		if (line->outcome == ROW_FAILED && !s->check && !s->im->skip_errors) {
			s->failed_at = at - 1;
			break;
		}
	}
	if (!err)
		err = keep_progress(&k, counts, (int64_t)(at - s->done), s->v[at - 1].number, errors);
	if (!err)
		s->done = at;
	return err;
}

// ---- undo --------------------------------------------------------------------------------------

#define UNDO_ROWS 200

struct made {
	int64_t row, record, version;
	struct str outcome, before;
};

static enum err undo_read(struct db *db, int64_t import, struct arena *a, struct made *ret, size_t *ret_n)
{
	struct query q;
	*ret_n = 0;
	query_begin(&q, db, STMT_IMPORT_ROW_UNDO);
	query_i64(&q, 1, import);
	query_i64(&q, 2, UNDO_ROWS);
	while (query_row(&q))
		ret[(*ret_n)++] = (struct made){ query_get_i64(&q, 0), query_get_i64(&q, 2), query_get_i64(&q, 3), query_get_str(&q, 1, a),
			                         query_get_str(&q, 4, a) };
	return query_end(&q);
}

static enum err undo_changed(struct undo_slice *u, struct db *db, const struct made *m, const struct identity *by, struct arena *a,
                             struct problem *p)
{
	json_t *body = json_loadb(m->before.p, m->before.n, 0, NULL);
	if (!body)
		return ERR_BUG;
	json_object_set_new(body, "version", json_integer(m->version));
	enum err err = flow_edit(db, u->reg, u->t, m->record, body, by, a, p);
	json_decref(body);
	return err;
}

static enum err undo_one(struct undo_slice *u, struct db *db, const struct made *m, struct arena *a, struct problem *p)
{
	struct row row;
	struct identity by = *u->by;
	by.batch = u->im->id;
	enum err err = records_get(db, &u->t->table, NULL, m->record, a, &row);
	if (err)
		return err;
	if (row.c.version != m->version)
		return problem_set(p, ERR_CONFLICT, "", "导入之后有人改过 %s，保留不动", "%s was changed after the import: it stays as it is",
		                   arena_cstr(a, row.c.number.n ? row.c.number : row.c.title));
	struct str reason = arena_printf(a, "撤销导入 #%lld / import #%lld undone", (long long)u->im->id, (long long)u->im->id);
	if (str_is(m->outcome, "created"))
		return flow_retire(db, u->reg, u->t, m->record, reason, &by, a, p);
	return undo_changed(u, db, m, &by, a, p);
}

static enum err undo_mark(struct db *db, int64_t import, const struct made *m, bool kept, const struct problem *p)
{
	struct query q;
	query_begin(&q, db, STMT_IMPORT_ROW_UNDONE);
	query_i64(&q, 1, import);
	query_i64(&q, 2, m->row);
	query_i64(&q, 3, kept ? 2 : 1);
	enum err err = query_run(&q);
	if (err || !kept)
		return err;
	size_t room = 0;
	struct row_error e = { SIZE_MAX, STR_EMPTY, p->zh, p->en, p->hint_zh, p->hint_en };
	struct import_line line = { .number = (uint32_t)m->row, .errors = &e, .nerrors = 1 };
	err = errors_room(db, import, &room);
	return err ? err : import_add_errors(db, import, &line, &room);
}

static enum err undo_row(struct undo_slice *u, struct db *db, const struct made *m, struct arena *a, bool *ret_kept)
{
	struct db_part part;
	struct problem p;
	problem_init(&p, a);
	enum err err = db_part_begin(db, &part);
	if (err)
		return err;
	enum err undo = undo_one(u, db, m, a, &p);
	err = db_part_end(db, &part, !undo);
	*ret_kept = undo != OK;
	if (is_ours(undo))
		return undo;
	return err ? err : undo_mark(db, u->im->id, m, *ret_kept, &p);
}

enum err undo_job(struct db *db, void *arg, struct problem *p)
{
	struct undo_slice *u = arg;
	struct arena *list on_scope_exit(arena_freep) = arena_new(64 << 10), *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct made v[UNDO_ROWS];
	size_t n, at = 0;
	int64_t begun = clock_mono(), kept = 0;
	(void)p;
	enum err err = undo_read(db, u->im->id, list, v, &n);
	for (; !err && at < n && (at == 0 || !slice_is_over(db, begun)); at++) {
		bool stays = false;
		arena_reset(a);
		err = undo_row(u, db, &v[at], a, &stays);
		kept += stays;
	}
	u->done = at;
	if (err || at == 0)
		return err;
	struct query q;
	query_begin(&q, db, STMT_IMPORT_UNDO_PROGRESS);
	query_i64(&q, 1, u->im->id);
	query_i64(&q, 2, (int64_t)at - kept);
	query_i64(&q, 3, kept);
	query_i64(&q, 4, clock_now());
	return query_run(&q);
}
