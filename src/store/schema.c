// The fixed tables, as numbered migrations: what is not a record type (those are records_schema.c). A migration is
// applied once, in one transaction, and never changed after it has been released: to change a table, add another.
//
// Numbers: 1–99 store and auth, 100–199 alarm, 200–299 flow, 300–399 core. They are applied in the order of their
// numbers; each module has its own list below. Times are UTC microseconds, 0 = none; booleans are 0 and 1.
#include "store/schema.h"

#include "base/time.h"
#include "store/db.h"

struct migration {
	int number;
	const char *name;
	const char *sql;    // any number of statements
};

// ---- store and auth ----------------------------------------------------------------------------
static const struct migration store_migrations[] = {
	{ 1, "store",
	  // facts about this database that the program itself keeps: "search:TYPE" → the columns search was built from
	  "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	  // last value given out of each numbering sequence
	  "CREATE TABLE sequence(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;" },
	{ 2, "audit",
	  "CREATE TABLE audit("
	  " seq INTEGER PRIMARY KEY,"             // from 1, without gaps
	  " at INTEGER NOT NULL, actor INTEGER NOT NULL, actor_name TEXT NOT NULL, action TEXT NOT NULL,"
	  " type TEXT NOT NULL, record INTEGER NOT NULL, detail TEXT NOT NULL,"
	  " hash BLOB NOT NULL);"                 // SM3 over this entry and the hash of the one before
	  "CREATE INDEX audit_record ON audit(type, record, seq);"
	  "CREATE INDEX audit_actor ON audit(actor, seq);"
	  // what the chain ends with: a missing last entry shows too
	  "CREATE TABLE audit_head(id INTEGER PRIMARY KEY CHECK(id = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL);"
	  "INSERT INTO audit_head VALUES(1, 0, zeroblob(32));"
	  "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
	  " BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
	  "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
	  " BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
	  "CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head"
	  " BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;" },
	{ 3, "auth",
	  // encoded: the Argon2id hash with its own parameters and salt
	  "CREATE TABLE credential(person INTEGER PRIMARY KEY, encoded TEXT NOT NULL, changed_at INTEGER NOT NULL);"
	  "CREATE TABLE session(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	  " token BLOB NOT NULL UNIQUE,"          // SM3 of the token
	  " person INTEGER NOT NULL, created_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, peer TEXT NOT NULL);"
	  "CREATE INDEX session_person ON session(person);"
	  // hash: SM3 over salt and key
	  "CREATE TABLE device_key(device INTEGER PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT NULL,"
	  " changed_at INTEGER NOT NULL);" },
	{ 6, "device_key_alone",
	  // digest of a key that we made, without salt: such a key says by itself whose it is. Null for a chosen key.
	  "ALTER TABLE device_key ADD COLUMN alone BLOB;"
	  "CREATE UNIQUE INDEX device_key_alone ON device_key(alone) WHERE alone IS NOT NULL;" },
};

// ---- alarm: numbers 100–199 --------------------------------------------------------------------
static const struct migration alarm_migrations[] = {
	{ 100, "alarm",
	  "CREATE TABLE alarm("
	  " id INTEGER PRIMARY KEY AUTOINCREMENT,"
	  " point INTEGER NOT NULL,"              // record id of the point
	  " rule TEXT NOT NULL,"                  // name of the rule, so that it survives a change of the rule set
	  " family TEXT NOT NULL,"                // limit rate silent flat bad
	  " level TEXT NOT NULL, color TEXT NOT NULL,"
	  " state TEXT NOT NULL,"                 // alarm_state_name
	  " active INTEGER NOT NULL, acked INTEGER NOT NULL,"
	  " raised_at INTEGER NOT NULL, level_at INTEGER NOT NULL,"
	  " returned_at INTEGER,"                 // NULL while the condition lasts
	  " closed_at INTEGER,"                   // NULL while open
	  " cause_time INTEGER NOT NULL, cause_value REAL, cause_quality INTEGER NOT NULL DEFAULT 0,"
	  " limit_value REAL, peak REAL,"
	  " count INTEGER NOT NULL DEFAULT 1,"    // times raised while open
	  " arrival INTEGER NOT NULL DEFAULT 0, late INTEGER NOT NULL DEFAULT 0,"
	  " area TEXT NOT NULL DEFAULT '', enterprise INTEGER NOT NULL DEFAULT 0,"
	  " installation INTEGER NOT NULL DEFAULT 0, device INTEGER NOT NULL DEFAULT 0,"
	  " point_code TEXT NOT NULL DEFAULT '',"
	  " acked_by INTEGER, acked_at INTEGER,"
	  " shelved_until INTEGER, shelved_by INTEGER, reason TEXT NOT NULL DEFAULT '',"
	  " thread INTEGER NOT NULL DEFAULT 0,"
	  " opened_type TEXT NOT NULL DEFAULT '', opened_id INTEGER NOT NULL DEFAULT 0,"
	  " UNIQUE(point, rule, family, raised_at));"
	  // one open alarm a condition
	  "CREATE UNIQUE INDEX alarm_open ON alarm(point, rule, family) WHERE closed_at IS NULL;"
	  "CREATE INDEX alarm_open_state ON alarm(state, id) WHERE closed_at IS NULL;"
	  "CREATE INDEX alarm_shelf ON alarm(shelved_until) WHERE state = 'shelved';"
	  "CREATE INDEX alarm_enterprise ON alarm(enterprise, id);"
	  "CREATE INDEX alarm_area ON alarm(area, id);"
	  "CREATE INDEX alarm_raised ON alarm(raised_at);"
	  "CREATE INDEX alarm_thread ON alarm(thread) WHERE thread <> 0;"
	  "CREATE INDEX alarm_opened ON alarm(opened_type, opened_id) WHERE opened_id <> 0;"
	  "CREATE TABLE alarm_journal("
	  " id INTEGER PRIMARY KEY AUTOINCREMENT, alarm INTEGER NOT NULL REFERENCES alarm(id),"
	  " at INTEGER NOT NULL, what TEXT NOT NULL, level TEXT NOT NULL DEFAULT '',"
	  " from_state TEXT NOT NULL DEFAULT '', to_state TEXT NOT NULL DEFAULT '',"
	  " actor INTEGER NOT NULL DEFAULT 0, value REAL, quality INTEGER, limit_value REAL,"
	  " reason TEXT NOT NULL DEFAULT '', arrival INTEGER NOT NULL DEFAULT 0);"
	  "CREATE INDEX alarm_journal_alarm ON alarm_journal(alarm, id);"
	  // what is to be done after the commit and must survive a crash: rows are deleted when done
	  "CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, ref INTEGER NOT NULL,"
	  " payload TEXT NOT NULL DEFAULT '');"
	  // how far the evaluator's transitions have been applied
	  "CREATE TABLE alarm_cursor(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;" },
	{ 101, "alarm as it was announced",
	  // what people read then stays with the alarm: names of the point, words of the rule
	  "ALTER TABLE alarm ADD COLUMN point_name TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN point_kind TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN point_unit TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN enterprise_title TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN installation_title TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN lon REAL;"
	  "ALTER TABLE alarm ADD COLUMN lat REAL;"
	  "ALTER TABLE alarm ADD COLUMN rule_zh TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN rule_en TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN say_zh TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN say_en TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN guide_zh TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN guide_en TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN opens TEXT NOT NULL DEFAULT '';" // type of the record this level opens, or ''
	  "ALTER TABLE alarm ADD COLUMN acked_name TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN last_raised_at INTEGER NOT NULL DEFAULT 0;"
	  // 1: out of service because its point is in maintenance; ends by itself with it
	  "ALTER TABLE alarm ADD COLUMN by_service INTEGER NOT NULL DEFAULT 0;"
	  "CREATE INDEX alarm_journal_at ON alarm_journal(at);"
	  "CREATE INDEX outbox_kind ON outbox(kind, id);" },
	// alarm/ adds its next migrations here: { 102, "alarm …", "…" },
};

// ---- flow: numbers 200–299 ---------------------------------------------------------------------
static const struct migration flow_migrations[] = {
	{ 200, "notice",
	  "CREATE TABLE notice("
	  " id INTEGER PRIMARY KEY AUTOINCREMENT, person INTEGER NOT NULL, at INTEGER NOT NULL,"
	  " text_zh TEXT NOT NULL, text_en TEXT NOT NULL, type TEXT NOT NULL DEFAULT '',"
	  " record INTEGER NOT NULL DEFAULT 0,"
	  " read_at INTEGER NOT NULL DEFAULT 0);" // 0 = unread
	  "CREATE INDEX notice_person ON notice(person, id);"
	  "CREATE INDEX notice_unread ON notice(person, id) WHERE read_at = 0;" },
	// flow/ adds its next migrations here: { 201, "flow …", "…" },
};

// ---- core: numbers 300–399 ---------------------------------------------------------------------
static const struct migration core_migrations[] = {
	{ 300, "thread", // numbers of threads of evidence are given out by sequence "thread"
	  "INSERT OR IGNORE INTO sequence VALUES('thread', 0);" },
	// core adds its next migrations here: { 301, "core …", "…" },
};

// ------------------------------------------------------------------------------------------------
static const struct {
	const struct migration *v;
	size_t n;
} lists[] = {
	{ store_migrations, ARRAY_LEN(store_migrations) },
	{ alarm_migrations, ARRAY_LEN(alarm_migrations) },
	{ flow_migrations, ARRAY_LEN(flow_migrations) },
	{ core_migrations, ARRAY_LEN(core_migrations) },
};

static bool migration_known(int64_t number)
{
	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l].n; i++)
			if (lists[l].v[i].number == number)
				return true;
	return false;
}

static enum err refuse_newer(struct db *db, struct problem *p)
{
	struct query q;
	int64_t unknown = 0;
	query_begin(&q, db, STMT_MIGRATION_LIST);
	while (query_row(&q))
		if (!migration_known(query_get_i64(&q, 0)))
			unknown = query_get_i64(&q, 0);
	enum err err = query_end(&q);
	if (err)
		return err;
	if (unknown)
		return problem_set(p, ERR_UNSUPPORTED, "", "数据库由更新的版本写成（迁移 %d）",
		                   "the database was written by a newer version (migration %d)",
		                   (int)unknown);
	return OK;
}

static enum err migration_apply(struct db *db, const struct migration *m)
{
	struct query q;
	int64_t done = 0;
	query_begin(&q, db, STMT_MIGRATION_DONE);
	query_i64(&q, 1, m->number);
	if (query_row(&q))
		done = query_get_i64(&q, 0);
	enum err err = query_end(&q);
	if (err || done)
		return err;
	if ((err = db_exec(db, m->sql)))
		return err;
	query_begin(&q, db, STMT_MIGRATION_ADD);
	query_i64(&q, 1, m->number);
	query_str(&q, 2, str_of(m->name));
	query_i64(&q, 3, clock_now());
	return query_run(&q);
}

static enum err migration_in_transaction(struct db *db, const struct migration *m, struct problem *p)
{
	enum err err = db_exec(db, "BEGIN IMMEDIATE");
	if (err)
		return err;
	if (!(err = migration_apply(db, m)))
		err = db_exec(db, "COMMIT");
	if (err) {
		db_rollback(db);
		return problem_set(p, err, "", "数据库迁移 %d（%s）失败", "database migration %d (%s) failed", m->number, m->name);
	}
	return OK;
}

enum err schema_migrate(struct db *db, struct problem *p)
{
	enum err err = db_exec(db, "CREATE TABLE IF NOT EXISTS migration(number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	                           " at INTEGER NOT NULL)");
	if (err || (err = refuse_newer(db, p)))
		return err;
	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l].n; i++)
			if ((err = migration_in_transaction(db, &lists[l].v[i], p)))
				return err;
	return OK;
}
