#include "store/records_alter.h"

#include "base/time.h"
#include "store/image.h"
#include "store/records_sql.h"

static enum err exec(struct db *db, struct sql *s, int64_t *ret_rows)
{
	struct query q;
	sql_begin(&q, db, s);
	enum err err = query_run(&q);
	if (!err && ret_rows)
		*ret_rows = db_changes(db);
	sql_free(s);
	return err;
}

static enum err count(struct db *db, struct sql *s, int64_t *ret)
{
	struct query q;
	sql_begin(&q, db, s);
	*ret = query_row(&q) ? query_get_i64(&q, 0) : 0;
	enum err err = query_end(&q);
	sql_free(s);
	return err;
}

enum err records_count_filled(struct db *db, const struct table *t, struct str column, int64_t *ret, struct problem *p)
{
	enum column_kind kind;
	struct sql s;
	enum err err = column_check(t, column, &kind, p);
	if (err)
		return err;
	sql_init(&s, p->arena);
	sql_add(&s, "SELECT count(*) FROM ");
	sql_table(&s, t);
	sql_add(&s, " WHERE ");
	sql_name(&s, column);
	sql_add(&s, " IS NOT NULL");
	if (kind == COL_TEXT) {
		sql_add(&s, " AND ");
		sql_name(&s, column);
		sql_add(&s, "<>''");
	}
	return count(db, &s, ret);
}

enum err records_count_value(struct db *db, const struct table *t, struct str column, struct value v, int64_t *ret, struct problem *p)
{
	struct sql s;
	enum err err = column_check(t, column, NULL, p);
	if (err)
		return err;
	sql_init(&s, p->arena);
	sql_add(&s, "SELECT count(*) FROM ");
	sql_table(&s, t);
	sql_add(&s, " WHERE ");
	sql_name(&s, column);
	sql_add(&s, "=");
	sql_param(&s, v);
	return count(db, &s, ret);
}

static enum err alter(struct db *db, struct sql *s)
{
	db->migrating = true;
	enum err err = exec(db, s, NULL);
	db->migrating = false;
	return err;
}

// Indexes carry the column's name in theirs: they are made anew under the new one by records_migrate.
static enum err drop_indexes(struct db *db, const struct table *t, struct str column, struct arena *a)
{
	static const char *const prefixes[] = { "u_", "i_" };
	enum err err = OK;
	for (size_t i = 0; !err && i < ARRAY_LEN(prefixes); i++) {
		struct sql s;
		sql_init(&s, a);
		sql_add(&s, "DROP INDEX IF EXISTS ");
		sql_name(&s, arena_printf(a, "%s%.*s_%.*s", prefixes[i], STR_FMT(t->name), STR_FMT(column)));
		err = alter(db, &s);
	}
	return err;
}

enum err records_rename_column(struct db *db, const struct table *t, struct str from, struct str to, struct problem *p)
{
	struct sql s;
	if (own_column(t, from) < 0 || !identifier_ok(to))
		return problem_set(p, ERR_INVALID, "", "列“%.*s”不能改名", "column \"%.*s\" cannot be renamed", (int)MIN(from.n, 60), from.p);
	enum err err = drop_indexes(db, t, from, p->arena);
	if (err)
		return err;
	sql_init(&s, p->arena);
	sql_add(&s, "ALTER TABLE ");
	sql_table(&s, t);
	sql_add(&s, " RENAME COLUMN ");
	sql_name(&s, from);
	sql_add(&s, " TO ");
	sql_name(&s, to);
	images_drop(db, t->name);
	return alter(db, &s);
}

enum err records_drop_column(struct db *db, const struct table *t, struct str column, int64_t *ret_rows, struct problem *p)
{
	struct sql s;
	if (own_column(t, column) < 0)
		return problem_set(p, ERR_INVALID, "", "没有列“%.*s”", "there is no column \"%.*s\"", (int)MIN(column.n, 60), column.p);
	sql_init(&s, p->arena);
	sql_add(&s, "INSERT INTO dropped_value(type, field, record, value, at) SELECT ");
	sql_param(&s, value_str(t->name));
	sql_add(&s, ",");
	sql_param(&s, value_str(column));
	sql_add(&s, ",id,");
	sql_name(&s, column);
	sql_add(&s, ",");
	sql_param(&s, value_i64(clock_now()));
	sql_add(&s, " FROM ");
	sql_table(&s, t);
	sql_add(&s, " WHERE ");
	sql_name(&s, column);
	sql_add(&s, " IS NOT NULL");
	enum err err = exec(db, &s, ret_rows);
	if (!err)
		err = drop_indexes(db, t, column, p->arena);
	if (err)
		return err;
	sql_init(&s, p->arena);
	sql_add(&s, "ALTER TABLE ");
	sql_table(&s, t);
	sql_add(&s, " DROP COLUMN ");
	sql_name(&s, column);
	images_drop(db, t->name);
	return alter(db, &s);
}

enum err records_count_both(struct db *db, const struct table *t, struct str column, const struct str *others, size_t nothers, int64_t *ret,
                            struct problem *p)
{
	struct sql s;
	enum err err = column_check(t, column, NULL, p);
	*ret = 0;
	for (size_t i = 0; !err && i < nothers; i++)
		err = column_check(t, others[i], NULL, p);
	if (err || nothers == 0)
		return err;
	sql_init(&s, p->arena);
	sql_add(&s, "SELECT count(*) FROM ");
	sql_table(&s, t);
	sql_add(&s, " WHERE ");
	sql_name(&s, column);
	sql_add(&s, " IS NOT NULL AND (");
	for (size_t i = 0; i < nothers; i++) {
		sql_add(&s, i ? " OR " : "");
		sql_name(&s, others[i]);
		sql_add(&s, " IS NOT NULL");
	}
	sql_add(&s, ")");
	return count(db, &s, ret);
}

// The column that gathers, if the table does not have it yet: of the type as it will be, so not of t.
static enum err add_text_column(struct db *db, const struct table *t, struct str name, struct problem *p)
{
	struct query q;
	struct sql s;
	bool there = false;
	sql_init(&s, p->arena);
	sql_add(&s, "SELECT 1 FROM pragma_table_info(");
	sql_param(&s, value_str(arena_printf(p->arena, "r_%.*s", STR_FMT(t->name))));
	sql_add(&s, ") WHERE name=");
	sql_param(&s, value_str(name));
	sql_begin(&q, db, &s);
	there = query_row(&q);
	enum err err = query_end(&q);
	sql_free(&s);
	if (err || there)
		return err;
	sql_init(&s, p->arena);
	sql_add(&s, "ALTER TABLE ");
	sql_table(&s, t);
	sql_add(&s, " ADD COLUMN ");
	sql_name(&s, name);
	sql_add(&s, " TEXT");
	return alter(db, &s);
}

enum err records_gather_column(struct db *db, const struct table *t, struct str from, struct str type, struct str into, int64_t *ret_rows,
                               struct problem *p)
{
	struct sql s;
	int64_t both = 0;
	if (own_column(t, from) < 0 || !identifier_ok(into))
		return problem_set(p, ERR_INVALID, "", "列“%.*s”不能归并", "column \"%.*s\" cannot be gathered", (int)MIN(from.n, 60), from.p);
	enum err err = add_text_column(db, t, into, p);
	sql_init(&s, p->arena);
	sql_add(&s, "SELECT count(*) FROM ");
	sql_table(&s, t);
	sql_add(&s, " WHERE ");
	sql_name(&s, from);
	sql_add(&s, " IS NOT NULL AND ");
	sql_name(&s, into);
	sql_add(&s, " IS NOT NULL");
	err = err ? err : count(db, &s, &both);
	if (!err && both)
		return problem_set(p, ERR_CONFLICT, "", "%lld 条记录在“%.*s”之外还有别的来源，归并会丢一个", "%lld records have another origin beside \"%.*s\": gathering would lose one",
		                   (long long)both, STR_FMT(from));
	if (err)
		return err;
	sql_init(&s, p->arena);
	sql_add(&s, "UPDATE ");
	sql_table(&s, t);
	sql_add(&s, " SET version=version+1,");
	sql_name(&s, into);
	sql_add(&s, "=");
	sql_param(&s, value_str(arena_printf(p->arena, "%.*s:", STR_FMT(type))));
	sql_add(&s, "||");
	sql_name(&s, from);
	sql_add(&s, " WHERE ");
	sql_name(&s, from);
	sql_add(&s, " IS NOT NULL");
	err = exec(db, &s, NULL);
	return err ? err : records_drop_column(db, t, from, ret_rows, p);
}

enum err records_map_value(struct db *db, const struct table *t, struct str column, struct str from, struct str to, bool several,
                           int64_t *ret_rows, struct problem *p)
{
	enum column_kind kind;
	struct sql s;
	enum err err = column_check(t, column, &kind, p);
	if (err)
		return err;
	if (kind != COL_TEXT)
		return problem_set(p, ERR_INVALID, "", "列“%.*s”不是文字", "column \"%.*s\" holds no text", STR_FMT(column));
	struct value was = value_str(several ? arena_printf(p->arena, ",%.*s,", STR_FMT(from)) : from);
	struct value is = value_str(several ? arena_printf(p->arena, ",%.*s,", STR_FMT(to)) : to);
	sql_init(&s, p->arena);
	sql_add(&s, "UPDATE ");
	sql_table(&s, t);
	sql_add(&s, " SET version=version+1,");
	sql_name(&s, column);
	sql_add(&s, several ? "=replace(" : "=");
	if (several) {
		sql_name(&s, column);
		sql_add(&s, ",");
		sql_param(&s, was);
		sql_add(&s, ",");
	}
	sql_param(&s, is);
	sql_add(&s, several ? ") WHERE holds(" : " WHERE ");
	sql_name(&s, column);
	sql_add(&s, several ? "," : "=");
	sql_param(&s, was);
	sql_add(&s, several ? ")" : "");
	images_drop(db, t->name);
	return exec(db, &s, ret_rows);
}
