// Tables of record types: made, and widened when a type gains a column. Called by core in a store job when a registry
// generation is put in force. Nothing here loses data: what would is refused by name.
#include <stdio.h>

#include "base/hash.h"
#include "store/image.h"
#include "store/records_sql.h"

#define SMALL_ROWS 5000 // up to this id a table is changed at once, whatever it costs

static const char *const kind_names[] = { [COL_INT] = "INTEGER", [COL_REAL] = "REAL", [COL_TEXT] = "TEXT" };

static const char table_body[] = // and then the type's own columns
	"(id INTEGER PRIMARY KEY, number TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT '',"
	" area TEXT NOT NULL DEFAULT '', title TEXT NOT NULL DEFAULT '', enterprise INTEGER NOT NULL DEFAULT 0,"
	" thread INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,"
	" type_version INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL DEFAULT 0,"
	" created_by INTEGER NOT NULL DEFAULT 0, changed_at INTEGER NOT NULL DEFAULT 0,"
	" changed_by INTEGER NOT NULL DEFAULT 0, state_at INTEGER NOT NULL DEFAULT 0,"
	" deadline INTEGER NOT NULL DEFAULT 0, escalated INTEGER NOT NULL DEFAULT 0,"
	" retired INTEGER NOT NULL DEFAULT 0, sector TEXT NOT NULL DEFAULT '', paused INTEGER NOT NULL DEFAULT 0,"
	" reminded INTEGER NOT NULL DEFAULT 0, prev_state TEXT NOT NULL DEFAULT '', moved_by INTEGER NOT NULL DEFAULT 0,"
	" batch INTEGER NOT NULL DEFAULT 0,"
	" search TEXT NOT NULL DEFAULT ''"; // number, title and searched columns in lower case

// Common columns that tables of earlier versions lack. Each takes its default without a row being written.
static const struct {
	const char *name, *body;
} later_columns[] = {
	{ "sector", "TEXT NOT NULL DEFAULT ''" },     { "paused", "INTEGER NOT NULL DEFAULT 0" },
	{ "reminded", "INTEGER NOT NULL DEFAULT 0" }, { "prev_state", "TEXT NOT NULL DEFAULT ''" },
	{ "moved_by", "INTEGER NOT NULL DEFAULT 0" }, { "batch", "INTEGER NOT NULL DEFAULT 0" },
};

// Indexes on the common columns. Each costs every connection 1 KiB and a part of its opening: where a type has neither
// states nor an end of validity, those of its clock are not made.
static const struct {
	char kind;          // u_ unique; k_: a field may be called due
	const char *name, *on;
	bool timed;
} common_indexes[] = {
	{ 'u', "number", "(number) WHERE number <> ''", false },
	// None begins with "retired": nearly every row has the same value, but the planner would take it for a good one.
	{ 'i', "scope", "(area, enterprise, retired)", false }, // who may see a row: totals of a scope read this alone, never the wide rows
	{ 'i', "enterprise", "(enterprise, retired)", false },
	{ 'i', "thread", "(thread)", false },
	{ 'k', "started", "(created_by, created_at)", false },
	{ 'i', "batch", "(batch) WHERE batch <> 0", false },
	{ 'i', "state", "(state)", true },
	{ 'i', "deadline", "(deadline)", true },
	{ 'k', "due", "(state, escalated, deadline) WHERE deadline > 0", true }, // what the clock looks for: records_due.c names them
	{ 'k', "remind", "(state, reminded, deadline) WHERE deadline > 0", true },
};

// Of one column: unique or not; made faster where a field is new, nothing is in it. Of several, of rows that count.
#define COLUMN_INDEX "CREATE %s IF NOT EXISTS \"%c_%.*s_%.*s\" ON \"r_%.*s\"(\"%.*s\") WHERE \"%.*s\" IS NOT NULL"
#define UNIQUE_INDEX "CREATE UNIQUE INDEX IF NOT EXISTS \"m_%.*s%.*s\" ON \"r_%.*s\"(%.*s) WHERE %.*s"

struct existing {           // a column the table has now
	struct str name;
	enum column_kind kind;
	bool nullable;
};

// ---- checks ------------------------------------------------------------------------------------
static enum err check_identifier(struct str s, struct problem *p)
{
	if (identifier_ok(s) && !str_is(s, "rowid") && !str_is(s, "oid") && !str_is(s, "search"))
		return OK;
	return problem_set(p, ERR_INVALID, arena_cstr(p->arena, s), "“%.*s”不能作为名称", "\"%.*s\" cannot be a name",
	                   (int)MIN(s.n, 60), s.p);
}

static enum err check_table(const struct table *t, struct problem *p)
{
	enum err err = check_identifier(t->name, p);
	for (size_t i = 0; !err && i < t->ncols; i++) {
		enum column_kind kind;
		err = check_identifier(t->cols[i].name, p);
		if (!err && (common_column(t->cols[i].name, &kind) || own_column(t, t->cols[i].name) != (int)i))
			err = problem_set(p, ERR_INVALID, arena_cstr(p->arena, t->cols[i].name), "列“%.*s”重名",
			                  "column \"%.*s\" exists twice or is a common column", STR_FMT(t->cols[i].name));
	}
	return err;
}

// ---- running formed statements -----------------------------------------------------------------
static enum err exec_printf(struct db *db, struct arena *a, const char *fmt, ...) printf_like(3, 4);
static enum err exec_printf(struct db *db, struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str sql = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return db_exec(db, arena_cstr(a, sql));
}

static bool holds_data(struct db *db, const struct table *t, struct str column, struct arena *a)
{
	struct query q;
	query_begin_sql(&q, db, arena_printf(a, "SELECT 1 FROM \"r_%.*s\" WHERE \"%.*s\" IS NOT NULL AND \"%.*s\" <> '' LIMIT 1",
	                                     STR_FMT(t->name), STR_FMT(column), STR_FMT(column)));
	bool any = query_row(&q);
	return query_end(&q) != OK || any;
}

static enum err read_existing(struct db *db, const struct table *t, struct arena *a, struct existing **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin_sql(&q, db, arena_printf(a, "PRAGMA table_info(\"r_%.*s\")", STR_FMT(t->name)));
	while (query_row(&q)) { // cid, name, type, notnull, default, pk
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof(**ret));
		struct existing *e = &(*ret)[*ret_n - 1];
		e->name = query_get_str(&q, 1, a);
		struct str kind = query_get_str(&q, 2, a);
		e->nullable = query_get_i64(&q, 3) == 0;
		e->kind = str_is(kind, "TEXT") ? COL_TEXT : str_is(kind, "REAL") ? COL_REAL : COL_INT;
	}
	return query_end(&q);
}

// ---- unique groups -----------------------------------------------------------------------------
static bool wanted_unique(const struct table *t, struct str index, struct arena *a)
{
	for (size_t i = 0; i < t->nuniques; i++) {
		struct str name = arena_printf(a, "m_%.*s", STR_FMT(t->name));
		for (size_t k = 0; k < t->uniques[i].ncols; k++)
			name = arena_printf(a, "%.*s__%.*s", STR_FMT(name), STR_FMT(t->uniques[i].cols[k]));
		if (str_eq(name, index))
			return true;
	}
	return false;
}

// Groups that the type no longer names go, before their columns do.
static enum err drop_uniques(struct db *db, const struct table *t, struct problem *p)
{
	struct query q;
	struct str *gone = NULL;
	size_t n = 0, cap = 0;
	query_begin_sql(&q, db, arena_printf(p->arena, "PRAGMA index_list(\"r_%.*s\")", STR_FMT(t->name)));
	while (query_row(&q)) { // seq, name, unique, origin, partial
		struct str name = query_get_str(&q, 1, p->arena);
		if (!str_starts(name, STR("m_")) || wanted_unique(t, name, p->arena))
			continue;
		gone = arena_push(p->arena, gone, &n, &cap, sizeof *gone);
		gone[n - 1] = name;
	}
	enum err err = query_end(&q);
	for (size_t i = 0; !err && i < n; i++)
		err = exec_printf(db, p->arena, "DROP INDEX \"%.*s\"", STR_FMT(gone[i]));
	return err;
}

// ---- facts about tables ------------------------------------------------------------------------
static enum err meta_get(struct db *db, struct str name, struct arena *a, bool *ret_there, struct str *ret)
{
	struct query q;
	query_begin(&q, db, STMT_META_GET);
	query_str(&q, 1, name);
	*ret = STR_EMPTY;
	if ((*ret_there = query_row(&q)))
		*ret = query_get_str(&q, 0, a);
	return query_end(&q);
}

static enum err meta_set(struct db *db, struct str name, struct str value)
{
	struct query q;
	query_begin(&q, db, STMT_META_SET);
	query_str(&q, 1, name);
	query_str(&q, 2, value);
	return query_run(&q);
}

// ---- columns -----------------------------------------------------------------------------------
static enum err drop_column_indexes(struct db *db, const struct table *t, struct str column, struct arena *a)
{
	enum err err = exec_printf(db, a, "DROP INDEX IF EXISTS \"u_%.*s_%.*s\"", STR_FMT(t->name), STR_FMT(column));
	return err ? err : exec_printf(db, a, "DROP INDEX IF EXISTS \"i_%.*s_%.*s\"", STR_FMT(t->name), STR_FMT(column));
}

static enum err drop_column(struct db *db, const struct table *t, struct str column, struct arena *a)
{
	enum err err = drop_column_indexes(db, t, column, a);
	if (!err)
		err = exec_printf(db, a, "ALTER TABLE \"r_%.*s\" DROP COLUMN \"%.*s\"", STR_FMT(t->name), STR_FMT(column));
	return err;
}

static enum err refuse_loss(const struct table *t, struct str column, bool gone, struct problem *p)
{
	const char *field = arena_cstr(p->arena, arena_printf(p->arena, "%.*s.%.*s", STR_FMT(t->name), STR_FMT(column)));
	if (gone)
		problem_set(p, ERR_CONFLICT, field, "类型“%.*s”去掉了字段“%.*s”，但其中已有数据",
		            "type \"%.*s\" no longer has field \"%.*s\", but there is data in it", STR_FMT(t->name), STR_FMT(column));
	else
		problem_set(p, ERR_CONFLICT, field, "类型“%.*s”改变了字段“%.*s”的种类，但其中已有数据",
		            "type \"%.*s\" changes the kind of field \"%.*s\", but there is data in it", STR_FMT(t->name),
		            STR_FMT(column));
	problem_hint(p, "请保留原字段，另加新字段；或先编写迁移", "keep the field and add a new one, or write a migration first");
	return ERR_CONFLICT;
}

// Empty columns that a big table keeps because dropping one writes every row anew: meta "unused:TYPE", ",a,b,".
static bool listed(struct str names, struct str name)
{
	while (names.n) {
		struct str one = str_cut(&names, ',');
		if (str_eq(one, name))
			return true;
	}
	return false;
}

static struct str without(struct str names, struct str name, struct arena *a)
{
	struct str ret = STR(",");
	while (names.n) {
		struct str one = str_cut(&names, ',');
		if (one.n && !str_eq(one, name))
			ret = arena_printf(a, "%.*s%.*s,", STR_FMT(ret), STR_FMT(one));
	}
	return ret;
}

static bool is_long(struct db *db, const struct table *t, struct arena *a)
{
	struct query q;
	query_begin_sql(&q, db, arena_printf(a, "SELECT max(id) FROM \"r_%.*s\"", STR_FMT(t->name)));
	int64_t last = query_row(&q) ? query_get_i64(&q, 0) : 0;
	return query_end(&q) == OK && last > SMALL_ROWS;
}

// A column that is there but is no longer wanted in this form: away with it if nothing is in it.
static enum err replace_column(struct db *db, const struct table *t, struct str column, bool gone, struct str *unused, struct problem *p)
{
	if (gone && listed(*unused, column))
		return OK;
	if (holds_data(db, t, column, p->arena))
		return refuse_loss(t, column, gone, p);
	images_drop(db, t->name);
	if (!gone || !is_long(db, t, p->arena)) {
		*unused = without(*unused, column, p->arena);
		return drop_column(db, t, column, p->arena);
	}
	struct str kept = without(*unused, column, p->arena);
	*unused = arena_printf(p->arena, "%.*s%.*s,", STR_FMT(kept), STR_FMT(column));
	return drop_column_indexes(db, t, column, p->arena);
}

static enum err adapt_existing(struct db *db, const struct table *t, struct existing *have, size_t n, struct problem *p)
{
	struct str key = arena_printf(p->arena, "unused:%.*s", STR_FMT(t->name)), before, unused;
	bool there = false;
	enum err err = meta_get(db, key, p->arena, &there, &before);
	unused = before;
	for (size_t i = 0; !err && i < n; i++) {
		enum column_kind kind;
		if (common_column(have[i].name, &kind) || str_is(have[i].name, "search"))
			continue;
		int own = own_column(t, have[i].name);
		if (own >= 0 && t->cols[own].kind == have[i].kind) {
			if (listed(unused, have[i].name))
				unused = without(unused, have[i].name, p->arena);
			continue;
		}
		err = replace_column(db, t, have[i].name, own < 0, &unused, p);
		have[i].name = STR_EMPTY; // to be added again
	}
	return err || str_eq(before, unused) ? err : meta_set(db, key, unused);
}

static const struct existing *find_existing(const struct existing *have, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(have[i].name, name))
			return &have[i];
	return NULL;
}

// What was a type's own column under the name that is a common one now keeps its values; none is the empty text.
static enum err add_common(struct db *db, const struct table *t, const struct existing *have, size_t n, struct arena *a)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < ARRAY_LEN(later_columns); i++) {
		const char *name = later_columns[i].name;
		const struct existing *e = find_existing(have, n, name);
		if (!e)
			err = exec_printf(db, a, "ALTER TABLE \"r_%.*s\" ADD COLUMN %s %s", STR_FMT(t->name), name, later_columns[i].body);
		else if (e->nullable && e->kind == COL_TEXT)
			err = exec_printf(db, a, "UPDATE \"r_%.*s\" SET %s='' WHERE %s IS NULL", STR_FMT(t->name), name, name);
	}
	return err;
}

static enum err add_missing(struct db *db, const struct table *t, const struct existing *have, size_t n, struct arena *a)
{
	for (size_t c = 0; c < t->ncols; c++) {
		bool there = false;
		for (size_t i = 0; i < n; i++)
			there |= str_eq(have[i].name, t->cols[c].name);
		if (there)
			continue;
		enum err err = exec_printf(db, a, "ALTER TABLE \"r_%.*s\" ADD COLUMN \"%.*s\" %s", STR_FMT(t->name),
		                           STR_FMT(t->cols[c].name), kind_names[t->cols[c].kind]);
		if (err)
			return err;
	}
	return OK;
}

// ---- indexes -----------------------------------------------------------------------------------
static enum err set_index(struct db *db, const struct table *t, const struct column *c, bool unique, bool want,
                          struct problem *p)
{
	char u = unique ? 'u' : 'i';
	if (!want)
		return exec_printf(db, p->arena, "DROP INDEX IF EXISTS \"%c_%.*s_%.*s\"", u, STR_FMT(t->name), STR_FMT(c->name));
	enum err err = exec_printf(db, p->arena, COLUMN_INDEX, unique ? "UNIQUE INDEX" : "INDEX", u, STR_FMT(t->name), STR_FMT(c->name), STR_FMT(t->name),
	                           STR_FMT(c->name), STR_FMT(c->name));
	if (err == ERR_CONFLICT)
		return problem_set(p, err, arena_cstr(p->arena, arena_printf(p->arena, "%.*s.%.*s", STR_FMT(t->name), STR_FMT(c->name))),
		                   "字段“%.*s”要求唯一，但已有重复的值", "field \"%.*s\" is to be unique, but values occur twice",
		                   STR_FMT(c->name));
	return err;
}

// Several columns together: rows that are retired or lack one of them do not count.
static enum err set_unique(struct db *db, const struct table *t, const struct unique *u, struct problem *p)
{
	struct str name = STR_EMPTY, cols = STR_EMPTY, has = STR("retired = 0");
	for (size_t i = 0; i < u->ncols; i++) {
		enum column_kind kind;
		enum err err = column_check(t, u->cols[i], &kind, p);
		if (err)
			return err;
		name = arena_printf(p->arena, "%.*s__%.*s", STR_FMT(name), STR_FMT(u->cols[i]));
		cols = arena_printf(p->arena, "%.*s%s\"%.*s\"", STR_FMT(cols), i ? "," : "", STR_FMT(u->cols[i]));
		if (own_column(t, u->cols[i]) >= 0)
			has = arena_printf(p->arena, "%.*s AND \"%.*s\" IS NOT NULL", STR_FMT(has), STR_FMT(u->cols[i]));
	}
	enum err err = exec_printf(db, p->arena, UNIQUE_INDEX, STR_FMT(t->name), STR_FMT(name), STR_FMT(t->name), STR_FMT(cols), STR_FMT(has));
	if (err == ERR_CONFLICT)
		return problem_set(p, err, arena_cstr(p->arena, t->name), "“%.*s”合起来要求唯一，但已有重复的记录",
		                   "%.*s together are to be unique, but records occur twice", STR_FMT(cols));
	return err;
}

static enum err set_uniques(struct db *db, const struct table *t, struct problem *p)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < t->nuniques; i++)
		err = set_unique(db, t, &t->uniques[i], p);
	return err;
}

static enum err set_indexes(struct db *db, const struct table *t, struct problem *p)
{
	// versions before searched a covering index
	enum err err = exec_printf(db, p->arena, "DROP INDEX IF EXISTS \"i_%.*s_search\"", STR_FMT(t->name));
	for (size_t i = 0; !err && i < ARRAY_LEN(common_indexes); i++) {
		char kind = common_indexes[i].kind;
		const char *name = common_indexes[i].name;
		if (common_indexes[i].timed && t->timeless)
			err = exec_printf(db, p->arena, "DROP INDEX IF EXISTS \"%c_%.*s_%s\"", kind, STR_FMT(t->name), name);
		else
			err = exec_printf(db, p->arena, "CREATE %s IF NOT EXISTS \"%c_%.*s_%s\" ON \"r_%.*s\"%s", kind == 'u' ? "UNIQUE INDEX" : "INDEX",
			                  kind, STR_FMT(t->name), name, STR_FMT(t->name), common_indexes[i].on);
	}
	for (size_t i = 0; !err && i < t->ncols; i++) {
		err = set_index(db, t, &t->cols[i], true, t->cols[i].unique, p);
		if (!err)
			err = set_index(db, t, &t->cols[i], false, t->cols[i].indexed && !t->cols[i].unique, p);
	}
	return err;
}

// ---- search text -------------------------------------------------------------------------------
static struct str searched_columns(const struct table *t, struct arena *a)
{
	struct str s = STR_EMPTY;
	for (size_t i = 0; i < t->ncols; i++)
		if (t->cols[i].searched)
			s = arena_printf(a, "%.*s%.*s,", STR_FMT(s), STR_FMT(t->cols[i].name));
	return s;
}

// Rewrites the search text of rows in slices, each a job of its own, so that other changes get their turn. How far it came
// stands in meta "research:TYPE"; it goes on there after a restart. The records themselves stay as they are.
#define SLICE_ROWS 500

struct research {
	struct store *store;
	struct arena *arena;    // owns this and the table
	struct table t;
	struct str columns;     // searched ones; others in meta: a later change has taken over
	bool again;
};

static enum err research_row(struct db *db, const struct table *t, const struct row *row, struct arena *a)
{
	struct query q;
	query_begin_sql(&q, db, arena_printf(a, "UPDATE \"r_%.*s\" SET search=?1 WHERE id=?2", STR_FMT(t->name)));
	query_str(&q, 1, search_text(t, row->c.number, row->c.title, row->vals, a));
	query_i64(&q, 2, row->c.id);
	return query_run(&q);
}

// The rows behind *at, as many as a slice has; *at becomes the last one's id. *ret_n 0: all are done.
static enum err research_rows(struct db *db, const struct table *t, int64_t *at, struct arena *a, size_t *ret_n)
{
	struct arena *line on_scope_exit(arena_freep) = arena_new(16 << 10);
	struct row *rows = arena_many(a, SLICE_ROWS, struct row);
	struct sql s;
	struct query q;
	*ret_n = 0;
	sql_init(&s, a);
	sql_add(&s, "SELECT ");
	sql_columns(&s, t);
	sql_add(&s, " FROM ");
	sql_table(&s, t);
	buf_printf(&s.text, " WHERE id>%lld ORDER BY id LIMIT %d", (long long)*at, SLICE_ROWS);
	sql_begin(&q, db, &s);
	while (query_row(&q))
		row_read(&q, t, a, &rows[(*ret_n)++]);
	enum err err = query_end(&q);
	sql_free(&s);
	for (size_t i = 0; !err && i < *ret_n; i++) {
		arena_reset(line);
		err = research_row(db, t, &rows[i], line);
		*at = rows[i].c.id;
	}
	return err;
}

static enum err research_slice(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	struct research *r = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct str key = arena_printf(a, "research:%.*s", STR_FMT(r->t.name)), columns, done;
	bool there = false, known = false;
	int64_t at;
	size_t n;
	r->again = false;
	enum err err = meta_get(db, arena_printf(a, "search:%.*s", STR_FMT(r->t.name)), a, &known, &columns);
	if (!err)
		err = meta_get(db, key, a, &there, &done);
	if (err || !there || !str_eq(columns, r->columns) || !str_to_i64(done, &at))
		return err;
	err = research_rows(db, &r->t, &at, a, &n);
	if (err)
		return err;
	r->again = n > 0;
	if (n == 0)
		images_drop(db, r->t.name); // its text is the old one
	return meta_set(db, key, n ? arena_printf(a, "%lld", (long long)at) : STR("done"));
}

static void research_done(void *arg, enum err err)
{
	struct research *r = arg;
	if (!err && r->again && !store_is_closing(r->store)) // the rest after the next start
		store_post(r->store, research_slice, r, research_done);
	else
		arena_free(r->arena);
}

static void research_start(void *arg)
{
	struct research *r = arg;
	store_post(r->store, research_slice, r, research_done);
}

static void research_later(struct db *db, const struct table *t, struct str columns)
{
	struct arena *a = arena_new(0);
	struct research *r = arena_one(a, struct research);
	struct column *cols = arena_many(a, t->ncols, struct column);
	for (size_t i = 0; i < t->ncols; i++) {
		cols[i] = t->cols[i];
		cols[i].name = arena_str(a, t->cols[i].name);
	}
	*r = (struct research){ .store = db_store(db), .arena = a, .t = { .name = arena_str(a, t->name), .cols = cols, .ncols = t->ncols },
		                    .columns = arena_str(a, columns) };
	db_after_commit(db, research_start, r);
}

// When other columns are searched than before, the search text of every row is formed anew.
static enum err refresh_search(struct db *db, const struct table *t, struct arena *a)
{
	struct str now = searched_columns(t, a), before, done;
	struct str name = arena_printf(a, "search:%.*s", STR_FMT(t->name)), key = arena_printf(a, "research:%.*s", STR_FMT(t->name));
	bool known = false, there = false;
	int64_t at = 0;
	enum err err = meta_get(db, name, a, &known, &before);
	if (!err)
		err = meta_get(db, key, a, &there, &done);
	bool same = known && str_eq(before, now), running = there && str_to_i64(done, &at);
	if (err || (same && !running))
		return err;
	if (!same && (err = meta_set(db, name, now)))
		return err;
	size_t n = known;
	if (!same)
		at = 0;
	while (!err && n && at < SMALL_ROWS) {
		struct arena *slice on_scope_exit(arena_freep) = arena_new(64 << 10);
		err = research_rows(db, t, &at, slice, &n);
	}
	if (err || n == 0)
		return err || !there ? err : meta_set(db, key, STR("done"));
	research_later(db, t, now);
	return meta_set(db, key, arena_printf(a, "%lld", (long long)at));
}

// ------------------------------------------------------------------------------------------------
// Whole at once: SQLite reads the entire schema again for every column that is added later.
static enum err create_table(struct db *db, const struct table *t, struct arena *a)
{
	struct buf own;
	buf_init(&own, 1 << 20);
	for (size_t c = 0; c < t->ncols; c++)
		buf_printf(&own, ", \"%.*s\" %s", STR_FMT(t->cols[c].name), kind_names[t->cols[c].kind]);
	enum err err = buf_ok(&own) ? OK : ERR_TOO_LARGE;
	if (!err)
		err = exec_printf(db, a, "CREATE TABLE IF NOT EXISTS \"r_%.*s\"%s%.*s)", STR_FMT(t->name), table_body, STR_FMT(buf_str(&own)));
	buf_free(&own);
	return err;
}

static enum err migrate_table(struct db *db, const struct table *t, struct problem *p)
{
	struct existing *have;
	size_t n;
	enum err err = create_table(db, t, p->arena);
	if (!err)
		err = read_existing(db, t, p->arena, &have, &n);
	if (!err)
		err = drop_uniques(db, t, p);
	if (!err)
		err = adapt_existing(db, t, have, n, p);
	if (!err)
		err = add_common(db, t, have, n, p->arena);
	if (!err)
		err = add_missing(db, t, have, n, p->arena);
	if (!err)
		err = set_indexes(db, t, p);
	if (!err)
		err = set_uniques(db, t, p);
	if (!err)
		err = refresh_search(db, t, p->arena);
	if (!err)
		images_expect(db, t);
	return err;
}

enum err records_migrate(struct db *db, const struct table *t, struct problem *p)
{
	enum err err = check_table(t, p);
	if (err)
		return err;
	db->migrating = true;
	err = migrate_table(db, t, p);
	db->migrating = false;
	return err;
}

// ---- all at once -------------------------------------------------------------------------------
// What the statements of this file are made of: another form, by the types or by the program, is another digest.
static void add_form(struct sm3 *h, const struct table *t)
{
	sm3_add_str(h, t->name);
	sm3_add_str(h, t->timeless ? STR("-") : STR("s"));
	for (size_t i = 0; i < t->ncols; i++) {
		const struct column *c = &t->cols[i];
		uint8_t is[] = { (uint8_t)c->kind, c->unique, c->indexed, c->searched };
		sm3_add_str(h, c->name);
		sm3_add(h, is, sizeof is);
	}
	for (size_t i = 0; i < t->nuniques; i++) {
		sm3_add_str(h, STR("m"));
		for (size_t k = 0; k < t->uniques[i].ncols; k++)
			sm3_add_str(h, t->uniques[i].cols[k]);
	}
}

static struct str forms_digest(const struct table *const *tables, size_t n, struct arena *a)
{
	uint8_t sum[SM3_LEN];
	char *hex = arena_alloc(a, 2 * SM3_LEN);
	struct sm3 h;
	sm3_init(&h);
	sm3_add_str(&h, str_of(table_body));
	for (size_t i = 0; i < ARRAY_LEN(later_columns); i++) {
		sm3_add_str(&h, str_of(later_columns[i].name));
		sm3_add_str(&h, str_of(later_columns[i].body));
	}
	for (size_t i = 0; i < ARRAY_LEN(common_indexes); i++) {
		sm3_add(&h, &common_indexes[i].kind, 1);
		sm3_add_str(&h, str_of(common_indexes[i].name));
		sm3_add_str(&h, str_of(common_indexes[i].on));
	}
	sm3_add_str(&h, STR(COLUMN_INDEX));
	sm3_add_str(&h, STR(UNIQUE_INDEX));
	for (size_t i = 0; i < n; i++)
		add_form(&h, tables[i]);
	sm3_end(&h, sum);
	str_to_hex(sum, SM3_LEN, hex);
	return str_from(hex, 2 * SM3_LEN);
}

// SQLite counts every change of the schema, whoever made it: with its number the digest says that the tables still stand as they were left.
static enum err forms_now(struct db *db, struct str digest, struct arena *a, struct str *ret)
{
	struct query q;
	query_begin_sql(&q, db, STR("PRAGMA schema_version"));
	int64_t changes = query_row(&q) ? query_get_i64(&q, 0) : 0;
	*ret = arena_printf(a, "%.*s:%lld", STR_FMT(digest), (long long)changes);
	return query_end(&q);
}

enum err records_migrate_all(struct db *db, const struct table *const *tables, size_t n, struct problem *p)
{
	struct str digest = forms_digest(tables, n, p->arena), was, now;
	bool there = false;
	enum err err = meta_get(db, STR("forms"), p->arena, &there, &was);
	if (!err)
		err = forms_now(db, digest, p->arena, &now);
	bool same = !err && str_eq(was, now);
	for (size_t i = 0; !err && i < n; i++) {
		if (!same)
			err = records_migrate(db, tables[i], p);
		else if (!(err = refresh_search(db, tables[i], p->arena))) // what a restart cut off goes on
			images_expect(db, tables[i]);
	}
	if (err || same)
		return err;
	err = forms_now(db, digest, p->arena, &now);
	return err ? err : meta_set(db, STR("forms"), now);
}
