// Rows of record types: insert, update, read one, numbering; and what all records_*.c share to form a statement.
// Writing runs in store jobs (writer thread), reading on any connection. Lists are records_list.c, tables
// records_schema.c.
//
// A statement is formed from identifiers that passed identifier_ok and are one of the table's columns; values are
// always bound, never printed.
#include "store/records.h"

#include <stdio.h>

#include "base/limits.h"
#include "store/image.h"
#include "store/records_sql.h"

// ---- identifiers -------------------------------------------------------------------------------
static const struct {
	const char *name;
	enum column_kind kind;
} common_columns[COMMON_COLUMNS] = {
	{ "id", COL_INT },           { "number", COL_TEXT },     { "state", COL_TEXT },      { "area", COL_TEXT },
	{ "title", COL_TEXT },       { "enterprise", COL_INT },  { "thread", COL_INT },      { "version", COL_INT },
	{ "type_version", COL_INT }, { "created_at", COL_INT },  { "created_by", COL_INT },  { "changed_at", COL_INT },
	{ "changed_by", COL_INT },   { "state_at", COL_INT },    { "deadline", COL_INT },    { "escalated", COL_INT },
	{ "retired", COL_INT },      { "sector", COL_TEXT },     { "paused", COL_INT },      { "reminded", COL_INT },
	{ "prev_state", COL_TEXT },  { "moved_by", COL_INT },    { "batch", COL_INT },
};

bool identifier_ok(struct str s)
{
	if (s.n == 0 || s.n > 48 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

bool common_column(struct str name, enum column_kind *ret)
{
	for (size_t i = 0; i < COMMON_COLUMNS; i++)
		if (str_is(name, common_columns[i].name)) {
			*ret = common_columns[i].kind;
			return true;
		}
	return false;
}

int own_column(const struct table *t, struct str name)
{
	for (size_t i = 0; i < t->ncols; i++)
		if (str_eq(t->cols[i].name, name))
			return (int)i;
	return -1;
}

enum err column_check(const struct table *t, struct str name, enum column_kind *ret_kind, struct problem *p)
{
	enum column_kind kind;
	bool common = common_column(name, &kind);
	int own = common ? -1 : own_column(t, name);
	if (!common && (own < 0 || !identifier_ok(name)))
		return problem_set(p, ERR_INVALID, "", "没有名为“%.*s”的列", "there is no column \"%.*s\"", (int)MIN(name.n, 60), name.p);
	if (ret_kind)
		*ret_kind = common ? kind : t->cols[own].kind;
	return OK;
}

// ---- forming a statement -----------------------------------------------------------------------
void sql_init(struct sql *s, struct arena *a)
{
	*s = (struct sql){ .arena = a };
	buf_init(&s->text, SQL_MAX);
}

void sql_free(struct sql *s)
{
	buf_free(&s->text);
}

void sql_add(struct sql *s, const char *text)
{
	buf_add_cstr(&s->text, text);
}

void sql_name(struct sql *s, struct str name)
{
	buf_printf(&s->text, "\"%.*s\"", STR_FMT(name));
}

void sql_table(struct sql *s, const struct table *t)
{
	if (!identifier_ok(t->name))
		s->text.failed = true;
	buf_printf(&s->text, "\"r_%.*s\"", STR_FMT(t->name));
}

void sql_param(struct sql *s, struct value v)
{
	if (s->n == PARAMS_MAX) {
		s->text.failed = true;
		return;
	}
	s->params = arena_push(s->arena, s->params, &s->n, &s->cap, sizeof(*s->params));
	s->params[s->n - 1] = v;
	buf_printf(&s->text, "?%zu", s->n);
}

void sql_columns(struct sql *s, const struct table *t)
{
	sql_add(s, t->only_place ? PLACE_SELECT : COMMON_SELECT);
	for (size_t i = 0; i < t->ncols; i++) {
		sql_add(s, ",");
		sql_name(s, t->cols[i].name);
	}
}

void query_value(struct query *q, int col, struct value v)
{
	switch (v.kind) {
	case VAL_NULL:
		query_null(q, col);
		break;
	case VAL_INT:
		query_i64(q, col, v.i);
		break;
	case VAL_REAL:
		query_f64(q, col, v.f);
		break;
	case VAL_TEXT:
		query_str(q, col, v.s);
		break;
	}
}

void sql_begin(struct query *q, struct db *db, struct sql *s)
{
	if (!buf_ok(&s->text)) {
		query_begin_sql(q, db, STR("SELECT 1"));
		q->err = ERR_TOO_LARGE;
		return;
	}
	query_begin_sql(q, db, buf_str(&s->text));
	for (size_t i = 0; i < s->n; i++)
		query_value(q, (int)i + 1, s->params[i]);
}

// ---- rows --------------------------------------------------------------------------------------
struct value value_get(struct query *q, int col, enum column_kind kind, struct arena *a)
{
	struct value v = { .kind = VAL_NULL };
	switch (kind) {
	case COL_INT:
		if (query_cell_i64(q, col, &v.i))
			v.kind = VAL_INT;
		break;
	case COL_REAL:
		if (query_cell_f64(q, col, &v.f))
			v.kind = VAL_REAL;
		break;
	case COL_TEXT:
		if (query_cell_str(q, col, a, &v.s))
			v.kind = VAL_TEXT;
		break;
	}
	return v;
}

static struct common place_read(struct query *q, struct arena *a)
{
	return (struct common){ .id = query_get_i64(q, 0), .area = query_get_str(q, 1, a), .enterprise = query_get_i64(q, 2),
		                .retired = query_get_i64(q, 3) != 0 };
}

static struct common common_read(struct query *q, struct arena *a)
{
	return (struct common){
		.id = query_get_i64(q, 0),
		.number = query_get_str(q, 1, a),
		.state = query_get_str(q, 2, a),
		.area = query_get_str(q, 3, a),
		.title = query_get_str(q, 4, a),
		.enterprise = query_get_i64(q, 5),
		.thread = query_get_i64(q, 6),
		.version = query_get_i64(q, 7),
		.type_version = query_get_i64(q, 8),
		.created_at = query_get_i64(q, 9),
		.created_by = query_get_i64(q, 10),
		.changed_at = query_get_i64(q, 11),
		.changed_by = query_get_i64(q, 12),
		.state_at = query_get_i64(q, 13),
		.deadline = query_get_i64(q, 14),
		.escalated = query_get_i64(q, 15),
		.retired = query_get_i64(q, 16) != 0,
		.sector = query_get_str(q, 17, a),
		.paused = query_get_i64(q, 18),
		.reminded = query_get_i64(q, 19),
		.prev_state = query_get_str(q, 20, a),
		.moved_by = query_get_i64(q, 21),
		.batch = query_get_i64(q, 22),
	};
}

void row_read(struct query *q, const struct table *t, struct arena *a, struct row *ret)
{
	int own = t->only_place ? PLACE_COLUMNS : COMMON_COLUMNS;
	ret->c = t->only_place ? place_read(q, a) : common_read(q, a);
	ret->vals = arena_many(a, t->ncols, struct value);
	for (size_t i = 0; i < t->ncols; i++)
		ret->vals[i] = value_get(q, own + (int)i, t->cols[i].kind, a);
}

struct str fold_case(struct str s, struct arena *a)
{
	char *p = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
	return str_from(p, s.n);
}

static void search_add(struct buf *b, struct str s)
{
	size_t room = SEARCH_MAX - 1 - MIN(b->n, SEARCH_MAX - 1);
	if (s.n == 0 || room == 0)
		return;
	if (s.n > room) { // not in the middle of a character
		s = str_first(s, room);
		while (s.n > 0 && ((unsigned char)s.p[s.n - 1] & 0xc0) == 0x80)
			s.n--;
		s.n -= s.n > 0;
	}
	buf_add_str(b, s);
	buf_add_cstr(b, "\n");
}

struct str search_text(const struct table *t, struct str number, struct str title, const struct value *vals,
                       struct arena *a)
{
	struct buf b;
	buf_init(&b, SEARCH_MAX + 1);
	search_add(&b, number);
	search_add(&b, title);
	for (size_t i = 0; i < t->ncols; i++) {
		if (!t->cols[i].searched)
			continue;
		if (vals[i].kind == VAL_TEXT && !str_eq(vals[i].s, title))
			search_add(&b, vals[i].s);
		else if (vals[i].kind == VAL_INT)
			search_add(&b, arena_printf(a, "%lld", (long long)vals[i].i));
	}
	struct str s = fold_case(buf_str(&b), a);
	buf_free(&b);
	return s;
}

// ---- writing -----------------------------------------------------------------------------------
static enum err write_failed(struct db *db, enum err err, struct problem *p)
{
	struct str column = db_conflict_column(db);
	if (err == ERR_CONFLICT && column.n)
		return problem_set(p, err, arena_cstr(p->arena, column), "已有相同的值", "this value exists already");
	return err;
}

// The common columns but id, in the order of common_columns.
static void common_values(const struct common *c, struct value ret[COMMON_COLUMNS])
{
	const struct value v[COMMON_COLUMNS] = {
		value_i64(c->id), value_str(c->number), value_str(c->state), value_str(c->area), value_str(c->title),
		value_i64(c->enterprise), value_i64(c->thread), value_i64(c->version), value_i64(c->type_version),
		value_i64(c->created_at), value_i64(c->created_by), value_i64(c->changed_at), value_i64(c->changed_by),
		value_i64(c->state_at), value_i64(c->deadline), value_i64(c->escalated), value_i64(c->retired),
		value_str(c->sector), value_i64(c->paused), value_i64(c->reminded), value_str(c->prev_state),
		value_i64(c->moved_by), value_i64(c->batch),
	};
	memcpy(ret, v, sizeof(v));
}

struct value common_value(const struct common *c, struct str name)
{
	struct value v[COMMON_COLUMNS];
	common_values(c, v);
	for (size_t i = 0; i < COMMON_COLUMNS; i++)
		if (str_is(name, common_columns[i].name))
			return v[i];
	return (struct value){ .kind = VAL_NULL };
}

static void sql_insert(struct sql *s, const struct table *t, const struct common *c, const struct value *vals)
{
	struct value common[COMMON_COLUMNS];
	common_values(c, common);
	if (c->id == 0)
		common[0] = (struct value){ .kind = VAL_NULL }; // SQLite gives the next id
	sql_add(s, "INSERT INTO ");
	sql_table(s, t);
	sql_add(s, "(");
	sql_columns(s, t);
	sql_add(s, ",search) VALUES(");
	for (size_t i = 0; i < COMMON_COLUMNS; i++) {
		sql_param(s, common[i]);
		sql_add(s, ",");
	}
	for (size_t i = 0; i < t->ncols; i++) {
		sql_param(s, vals[i]);
		sql_add(s, ",");
	}
	sql_param(s, value_str(search_text(t, c->number, c->title, vals, s->arena)));
	sql_add(s, ")");
}

// A statement that only writes; problem arena is used for the statement itself.
static enum err sql_run(struct db *db, struct sql *s, struct problem *p)
{
	struct query q;
	sql_begin(&q, db, s);
	enum err err = query_run(&q);
	return err ? write_failed(db, err, p) : OK;
}

enum err records_insert(struct db *db, const struct table *t, struct common *c, const struct value *vals,
                        struct problem *p)
{
	bool self = c->enterprise == ENTERPRISE_SELF;
	if (self)
		c->enterprise = 0;
	struct sql s;
	sql_init(&s, p->arena);
	sql_insert(&s, t, c, vals);
	enum err err = sql_run(db, &s, p);
	sql_free(&s);
	if (err)
		return err;
	c->id = db_last_id(db);
	if (!self) {
		images_note(db, t, c, vals);
		return OK;
	}
	c->enterprise = c->id;
	sql_init(&s, p->arena);
	sql_add(&s, "UPDATE ");
	sql_table(&s, t);
	sql_add(&s, " SET enterprise = id WHERE id = ");
	sql_param(&s, value_i64(c->id));
	err = sql_run(db, &s, p);
	sql_free(&s);
	if (!err)
		images_note(db, t, c, vals);
	return err;
}

static void sql_update(struct sql *s, const struct table *t, const struct common *c, const struct value *vals)
{
	struct value common[COMMON_COLUMNS];
	common_values(c, common);
	sql_add(s, "UPDATE ");
	sql_table(s, t);
	sql_add(s, " SET ");
	for (size_t i = 1; i < COMMON_COLUMNS; i++) {
		sql_name(s, str_of(common_columns[i].name));
		sql_add(s, "=");
		sql_param(s, common[i]);
		sql_add(s, ",");
	}
	for (size_t i = 0; i < t->ncols; i++) {
		sql_name(s, t->cols[i].name);
		sql_add(s, "=");
		sql_param(s, vals[i]);
		sql_add(s, ",");
	}
	sql_add(s, "search=");
	sql_param(s, value_str(search_text(t, c->number, c->title, vals, s->arena)));
	sql_add(s, " WHERE id=");
	sql_param(s, value_i64(c->id));
	sql_add(s, " AND version=");
	sql_param(s, value_i64(c->version - 1));
}

static bool row_exists(struct db *db, const struct table *t, int64_t id, struct arena *a)
{
	struct sql s;
	struct query q;
	sql_init(&s, a);
	sql_add(&s, "SELECT 1 FROM ");
	sql_table(&s, t);
	sql_add(&s, " WHERE id=");
	sql_param(&s, value_i64(id));
	sql_begin(&q, db, &s);
	bool found = query_row(&q);
	bool ok = query_end(&q) == OK;
	sql_free(&s);
	return ok && found;
}

enum err records_update(struct db *db, const struct table *t, const struct common *c, const struct value *vals,
                        struct problem *p)
{
	struct sql s;
	sql_init(&s, p->arena);
	sql_update(&s, t, c, vals);
	enum err err = sql_run(db, &s, p);
	sql_free(&s);
	if (!err && db_changes(db) == 1)
		images_note(db, t, c, vals);
	if (err || db_changes(db) == 1)
		return err;
	if (!row_exists(db, t, c->id, p->arena))
		return problem_set(p, ERR_NOT_FOUND, "", "记录不存在", "there is no such record");
	problem_set(p, ERR_CONFLICT, "version", "记录已被他人修改", "somebody else has changed this record");
	problem_hint(p, "请刷新后再改", "load it again and repeat your change");
	return ERR_CONFLICT;
}

// ---- reading one -------------------------------------------------------------------------------
static enum err read_one(struct db *db, const struct table *t, struct sql *s, struct arena *a, struct row *ret)
{
	struct query q;
	sql_begin(&q, db, s);
	bool found = query_row(&q);
	if (found)
		row_read(&q, t, a, ret);
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

enum err records_get(struct db *db, const struct table *t, const struct scope *scope, int64_t id, struct arena *a,
                     struct row *ret)
{
	struct sql s;
	sql_init(&s, a);
	sql_add(&s, "SELECT ");
	sql_columns(&s, t);
	sql_add(&s, " FROM ");
	sql_table(&s, t);
	sql_add(&s, " WHERE id=");
	sql_param(&s, value_i64(id));
	sql_scope(&s, t, scope);
	enum err err = read_one(db, t, &s, a, ret);
	sql_free(&s);
	return err;
}

enum err records_find(struct db *db, const struct table *t, const struct scope *scope, struct str column,
                      struct value v, struct arena *a, struct row *ret)
{
	enum err err = column_check(t, column, NULL, NULL);
	if (err)
		return err;
	struct sql s;
	sql_init(&s, a);
	sql_add(&s, "SELECT ");
	sql_columns(&s, t);
	sql_add(&s, " FROM ");
	sql_table(&s, t);
	sql_add(&s, " WHERE retired=0 AND ");
	sql_name(&s, column);
	sql_add(&s, "=");
	sql_param(&s, v);
	sql_scope(&s, t, scope);
	sql_add(&s, " ORDER BY id LIMIT 1");
	err = read_one(db, t, &s, a, ret);
	sql_free(&s);
	return err;
}

enum err records_next_seq(struct db *db, struct str name, int64_t *ret)
{
	struct query q;
	query_begin(&q, db, STMT_SEQUENCE_NEXT);
	query_str(&q, 1, name);
	if (query_row(&q))
		*ret = query_get_i64(&q, 0);
	while (query_row(&q)) // an INSERT … RETURNING is done only when it is stepped to its end
		;
	return query_end(&q);
}
