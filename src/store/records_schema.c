// Tables of record types: made, and widened when a type gains a column. Called by core in a store job when a registry
// generation is put in force. Nothing here loses data: what would is refused by name.
#include <stdio.h>

#include "store/records_sql.h"

static const char *const kind_names[] = { [COL_INT] = "INTEGER", [COL_REAL] = "REAL", [COL_TEXT] = "TEXT" };

static const char table_body[] =
	"(id INTEGER PRIMARY KEY, number TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT '',"
	" area TEXT NOT NULL DEFAULT '', title TEXT NOT NULL DEFAULT '', enterprise INTEGER NOT NULL DEFAULT 0,"
	" thread INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,"
	" type_version INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL DEFAULT 0,"
	" created_by INTEGER NOT NULL DEFAULT 0, changed_at INTEGER NOT NULL DEFAULT 0,"
	" changed_by INTEGER NOT NULL DEFAULT 0, state_at INTEGER NOT NULL DEFAULT 0,"
	" deadline INTEGER NOT NULL DEFAULT 0, escalated INTEGER NOT NULL DEFAULT 0,"
	" retired INTEGER NOT NULL DEFAULT 0,"
	" search TEXT NOT NULL DEFAULT '')"; // number, title and searched columns in lower case

// Indexes on the common columns: {c} stands for the type's name.
static const char *const common_indexes[] = {
	"CREATE UNIQUE INDEX IF NOT EXISTS \"u_%.*s_number\" ON \"r_%.*s\"(number) WHERE number <> ''",
	// None begins with "retired": nearly every row has the same value, but the planner would take it for a good one.
	// who may see a row, and what ?q= looks in: totals and searches read these alone, never the wide rows
	"CREATE INDEX IF NOT EXISTS \"i_%.*s_scope\" ON \"r_%.*s\"(area, enterprise, retired)",
	"CREATE INDEX IF NOT EXISTS \"i_%.*s_search\" ON \"r_%.*s\"(area, enterprise, retired, search)",
	"CREATE INDEX IF NOT EXISTS \"i_%.*s_enterprise\" ON \"r_%.*s\"(enterprise, retired)",
	"CREATE INDEX IF NOT EXISTS \"i_%.*s_state\" ON \"r_%.*s\"(state)",
	"CREATE INDEX IF NOT EXISTS \"i_%.*s_deadline\" ON \"r_%.*s\"(deadline)",
	"CREATE INDEX IF NOT EXISTS \"i_%.*s_thread\" ON \"r_%.*s\"(thread)",
};

struct existing {           // a column the table has now
	struct str name;
	enum column_kind kind;
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
		e->kind = str_is(kind, "TEXT") ? COL_TEXT : str_is(kind, "REAL") ? COL_REAL : COL_INT;
	}
	return query_end(&q);
}

// ---- columns -----------------------------------------------------------------------------------
static enum err drop_column(struct db *db, const struct table *t, struct str column, struct arena *a)
{
	enum err err = exec_printf(db, a, "DROP INDEX IF EXISTS \"u_%.*s_%.*s\"", STR_FMT(t->name), STR_FMT(column));
	if (!err)
		err = exec_printf(db, a, "DROP INDEX IF EXISTS \"i_%.*s_%.*s\"", STR_FMT(t->name), STR_FMT(column));
	if (!err)
		err = exec_printf(db, a, "ALTER TABLE \"r_%.*s\" DROP COLUMN \"%.*s\"", STR_FMT(t->name), STR_FMT(column));
	return err;
}

// A column that is there but is no longer wanted in this form: dropped if nothing is in it.
static enum err replace_column(struct db *db, const struct table *t, struct str column, bool gone, struct problem *p)
{
	if (!holds_data(db, t, column, p->arena))
		return drop_column(db, t, column, p->arena);
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

static enum err adapt_existing(struct db *db, const struct table *t, struct existing *have, size_t n, struct problem *p)
{
	for (size_t i = 0; i < n; i++) {
		enum column_kind kind;
		if (common_column(have[i].name, &kind) || str_is(have[i].name, "search"))
			continue;
		int own = own_column(t, have[i].name);
		if (own >= 0 && t->cols[own].kind == have[i].kind)
			continue;
		enum err err = replace_column(db, t, have[i].name, own < 0, p);
		if (err)
			return err;
		have[i].name = STR_EMPTY; // to be added again
	}
	return OK;
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
	enum err err = exec_printf(db, p->arena, "CREATE %s IF NOT EXISTS \"%c_%.*s_%.*s\" ON \"r_%.*s\"(\"%.*s\")",
	                           unique ? "UNIQUE INDEX" : "INDEX", u, STR_FMT(t->name), STR_FMT(c->name), STR_FMT(t->name),
	                           STR_FMT(c->name));
	if (err == ERR_CONFLICT)
		return problem_set(p, err, arena_cstr(p->arena, arena_printf(p->arena, "%.*s.%.*s", STR_FMT(t->name), STR_FMT(c->name))),
		                   "字段“%.*s”要求唯一，但已有重复的值", "field \"%.*s\" is to be unique, but values occur twice",
		                   STR_FMT(c->name));
	return err;
}

static enum err set_indexes(struct db *db, const struct table *t, struct problem *p)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < ARRAY_LEN(common_indexes); i++)
		err = exec_printf(db, p->arena, common_indexes[i], STR_FMT(t->name), STR_FMT(t->name));
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

struct research {
	struct db *db;
	const struct table *t;
	struct arena *arena;    // of one row
};

static enum err research_row(void *arg, const struct row *row)
{
	struct research *r = arg;
	struct query q;
	arena_reset(r->arena);
	query_begin_sql(&q, r->db, arena_printf(r->arena, "UPDATE \"r_%.*s\" SET search=?1 WHERE id=?2", STR_FMT(r->t->name)));
	query_str(&q, 1, search_text(r->t, row->c.number, row->c.title, row->vals, r->arena));
	query_i64(&q, 2, row->c.id);
	return query_run(&q);
}

// When other columns are searched than before, the search text of every row is formed anew.
static enum err refresh_search(struct db *db, const struct table *t, struct arena *a)
{
	struct str now = searched_columns(t, a), before = STR_EMPTY;
	struct str name = arena_printf(a, "search:%.*s", STR_FMT(t->name));
	struct query q;
	query_begin(&q, db, STMT_META_GET);
	query_str(&q, 1, name);
	bool known = query_row(&q);
	if (known)
		before = query_get_str(&q, 0, a);
	enum err err = query_end(&q);
	if (err || (known && str_eq(before, now)))
		return err;
	struct arena *scratch = arena_new(0), *line = arena_new(0);
	struct list_query all = { .with_retired = true };
	if (known)
		err = records_each(db, t, &all, scratch, research_row, &(struct research){ db, t, line });
	arena_free(scratch);
	arena_free(line);
	if (err)
		return err;
	query_begin(&q, db, STMT_META_SET);
	query_str(&q, 1, name);
	query_str(&q, 2, now);
	return query_run(&q);
}

// ------------------------------------------------------------------------------------------------
static enum err migrate_table(struct db *db, const struct table *t, struct problem *p)
{
	struct existing *have;
	size_t n;
	enum err err = exec_printf(db, p->arena, "CREATE TABLE IF NOT EXISTS \"r_%.*s\"%s", STR_FMT(t->name), table_body);
	if (!err)
		err = read_existing(db, t, p->arena, &have, &n);
	if (!err)
		err = adapt_existing(db, t, have, n, p);
	if (!err)
		err = add_missing(db, t, have, n, p->arena);
	if (!err)
		err = set_indexes(db, t, p);
	if (!err)
		err = refresh_search(db, t, p->arena);
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
