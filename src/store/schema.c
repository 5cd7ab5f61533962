// The fixed tables, as numbered migrations: what is not a record type (those are records_schema.c). A migration is
// applied once, in one transaction, and never changed after it has been released: to change a table, add another.
//
// Numbers: 1–99 store and auth, 100–199 alarm, 200–299 flow, 300–399 core, 400–449 indicators, 450–479 notify, 480–520
// files. They are applied in the order of their numbers; each module has its own list below. Times are UTC microseconds,
// 0 = none; booleans are 0 and 1.
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
	{ 10, "second factor and tokens",
	  // proof: what the login proved, enum proof of auth/
	  "ALTER TABLE session ADD COLUMN proof INTEGER NOT NULL DEFAULT 0;"
	  // secret: sealed under secret.key; last_step: the newest 30 s step whose code was used
	  "CREATE TABLE totp(person INTEGER PRIMARY KEY, secret BLOB NOT NULL, started_at INTEGER NOT NULL,"
	  " confirmed_at INTEGER NOT NULL, last_step INTEGER NOT NULL);"
	  "CREATE TABLE recovery_code(person INTEGER NOT NULL, hash BLOB NOT NULL, used_at INTEGER NOT NULL,"
	  " PRIMARY KEY(person, hash)) WITHOUT ROWID;"
	  // hash: SM3 of the token; scopes: ",records:read,ogc,"
	  "CREATE TABLE access_token(id INTEGER PRIMARY KEY AUTOINCREMENT, person INTEGER NOT NULL, name TEXT NOT NULL,"
	  " hash BLOB NOT NULL UNIQUE, scopes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
	  " seen_at INTEGER NOT NULL DEFAULT 0, peer TEXT NOT NULL DEFAULT '', ended_at INTEGER NOT NULL DEFAULT 0);"
	  "CREATE INDEX access_token_person ON access_token(person, id);" },
	{ 11, "digests of rows, anchors",
	  "ALTER TABLE audit ADD COLUMN row_hash BLOB;"  // of the record's row after the change; null: not of a record
	  "CREATE TABLE anchor(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, hash BLOB NOT NULL);" },
	{ 12, "idempotency",
	  // status 0: done, but the answer was not kept; record says what was made
	  "CREATE TABLE idempotency(person INTEGER NOT NULL, route TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,"
	  " status INTEGER NOT NULL DEFAULT 0, answer TEXT NOT NULL DEFAULT '', record INTEGER NOT NULL DEFAULT 0,"
	  " at INTEGER NOT NULL, PRIMARY KEY(person, route, key)) WITHOUT ROWID;"
	  "CREATE INDEX idempotency_at ON idempotency(at);" },
	{ 13, "directories",
	  // secret: sealed under secret.key for the address it was typed for
	  "CREATE TABLE directory_secret(directory INTEGER PRIMARY KEY, secret BLOB NOT NULL);" },
	{ 490, "keys of encrypted devices",
	  // sealed: under secret.key, bound to the device
	  "CREATE TABLE device_cipher(device INTEGER PRIMARY KEY, sealed BLOB NOT NULL, changed_at INTEGER NOT NULL);" },
	{ 15, "changes of a span",
	  "CREATE INDEX audit_at ON audit(at);" },
	{ 30, "saved lists",
	  // query: as in the address of the list; organisation: whose members see it too if it is shared, 0 = none
	  "CREATE TABLE view(id INTEGER PRIMARY KEY AUTOINCREMENT, person INTEGER NOT NULL, organisation INTEGER NOT NULL,"
	  " type TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, shared INTEGER NOT NULL, at INTEGER NOT NULL,"
	  " UNIQUE(person, type, name));"
	  "CREATE INDEX view_shared ON view(type, organisation) WHERE shared = 1;" },
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
	{ 102, "sector of an alarm",
	  "ALTER TABLE alarm ADD COLUMN sector TEXT;" // NULL: raised before there was one; filled in at the start
	  "CREATE INDEX alarm_sectorless ON alarm(enterprise) WHERE sector IS NULL;" },
	{ 103, "what hides an alarm",
	  // who or what keeps an alarm from being announced: '' person service window cause; ref: of the window's record or the cause
	  "ALTER TABLE alarm ADD COLUMN hidden_by TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN hidden_ref INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE alarm ADD COLUMN hidden_at INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE alarm ADD COLUMN hidden_until INTEGER NOT NULL DEFAULT 0;" // 0 = no end of its own
	  "ALTER TABLE alarm ADD COLUMN hidden_name TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN hidden_zh TEXT NOT NULL DEFAULT '';"
	  "ALTER TABLE alarm ADD COLUMN hidden_en TEXT NOT NULL DEFAULT '';"
	  // of the rule at this level: 1 = nothing may hide it; the longest a person may hide it (us, 0 = as the program says)
	  "ALTER TABLE alarm ADD COLUMN always INTEGER NOT NULL DEFAULT 0;"
	  "ALTER TABLE alarm ADD COLUMN hide_longest INTEGER NOT NULL DEFAULT 0;"
	  "CREATE INDEX alarm_hidden ON alarm(hidden_by, hidden_ref) WHERE hidden_by <> '';"
	  "CREATE INDEX alarm_hidden_until ON alarm(hidden_until) WHERE hidden_until <> 0;"
	  "CREATE INDEX alarm_open_enterprise ON alarm(enterprise) WHERE closed_at IS NULL;"
	  // conditions that last and suppress others: alarms, and hints (alarm = 0), which have no row in table alarm
	  "CREATE TABLE alarm_cause(id INTEGER PRIMARY KEY AUTOINCREMENT, point INTEGER NOT NULL, rule TEXT NOT NULL,"
	  " family TEXT NOT NULL, since INTEGER NOT NULL, alarm INTEGER NOT NULL, area TEXT NOT NULL, sector TEXT NOT NULL,"
	  " enterprise INTEGER NOT NULL, installation INTEGER NOT NULL, device INTEGER NOT NULL, point_code TEXT NOT NULL,"
	  " point_name TEXT NOT NULL, say_zh TEXT NOT NULL, say_en TEXT NOT NULL,"
	  " matters INTEGER NOT NULL,"            // 0: a hint that suppresses nothing, yet
	  " stale INTEGER NOT NULL DEFAULT 0," // 1: after a start nobody has said yet that it still lasts
	  " UNIQUE(point, rule, family));"
	  "CREATE INDEX alarm_cause_rule ON alarm_cause(enterprise, rule);"
	  // from records, written anew when one of them changed: approved maintenance windows, and what rationales suppress
	  "CREATE TABLE alarm_window(record INTEGER PRIMARY KEY, number TEXT NOT NULL, point INTEGER NOT NULL, device INTEGER NOT NULL,"
	  " installation INTEGER NOT NULL, enterprise INTEGER NOT NULL, area TEXT NOT NULL, sector TEXT NOT NULL,"
	  " from_at INTEGER NOT NULL, until_at INTEGER NOT NULL, reason TEXT NOT NULL, approver TEXT NOT NULL);"
	  "CREATE INDEX alarm_window_enterprise ON alarm_window(enterprise);"
	  "CREATE TABLE alarm_design(record INTEGER PRIMARY KEY, rule TEXT NOT NULL, level TEXT NOT NULL, point INTEGER NOT NULL,"
	  " enterprise INTEGER NOT NULL, cause_rule TEXT NOT NULL, cause_point INTEGER NOT NULL, longest INTEGER NOT NULL,"
	  " reason TEXT NOT NULL);"
	  "CREATE INDEX alarm_design_rule ON alarm_design(rule);"
	  "CREATE INDEX alarm_design_cause ON alarm_design(cause_rule);" },
	{ 104, "alarms of a span",
	  "CREATE INDEX alarm_closed ON alarm(closed_at, raised_at) WHERE closed_at IS NOT NULL;" },
	{ 105, "alarms that stay until they are reset",
	  "ALTER TABLE alarm ADD COLUMN latch INTEGER NOT NULL DEFAULT 0;" }, // 1: not reset yet
	// alarm/ adds its next migrations here: { 106, "alarm …", "…" },
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
	{ 210, "work",
	  "ALTER TABLE notice ADD COLUMN kind TEXT NOT NULL DEFAULT '';" // duty tell overdue remind extension mention
	  // what a person has moved or handled (box 'done') and what he was told of without a duty ('copied'): the latest time
	  "CREATE TABLE work(person INTEGER NOT NULL, box TEXT NOT NULL, type TEXT NOT NULL, record INTEGER NOT NULL,"
	  " at INTEGER NOT NULL, what TEXT NOT NULL, number TEXT NOT NULL, title TEXT NOT NULL,"
	  " PRIMARY KEY(person, box, type, record)) WITHOUT ROWID;"
	  "CREATE INDEX work_at ON work(person, box, at);"
	  // the clock of the state a record was in before its last move: what a withdrawal brings back
	  "CREATE TABLE last_move(type TEXT NOT NULL, record INTEGER NOT NULL, state TEXT NOT NULL, prev_state TEXT NOT NULL,"
	  " moved_by INTEGER NOT NULL, state_at INTEGER NOT NULL, deadline INTEGER NOT NULL, escalated INTEGER NOT NULL,"
	  " reminded INTEGER NOT NULL, paused INTEGER NOT NULL, PRIMARY KEY(type, record)) WITHOUT ROWID;" },
	{ 211, "extension",
	  "CREATE TABLE extension(id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, record INTEGER NOT NULL,"
	  " asked_at INTEGER NOT NULL, asked_by INTEGER NOT NULL, asked_actor INTEGER NOT NULL, asked_name TEXT NOT NULL,"
	  " was INTEGER NOT NULL,"                // the deadline then
	  " until INTEGER NOT NULL, reason TEXT NOT NULL,"
	  " state TEXT NOT NULL DEFAULT 'asked',"  // asked granted refused lapsed (the record moved on)
	  " decided_at INTEGER NOT NULL DEFAULT 0, decided_by INTEGER NOT NULL DEFAULT 0,"
	  " decided_name TEXT NOT NULL DEFAULT '', answer TEXT NOT NULL DEFAULT '');"
	  "CREATE INDEX extension_record ON extension(type, record);"
	  "CREATE UNIQUE INDEX extension_open ON extension(type, record) WHERE state = 'asked';" },
	{ 212, "comment",
	  "CREATE TABLE comment(id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, record INTEGER NOT NULL,"
	  " at INTEGER NOT NULL, person INTEGER NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL,"
	  " mentions TEXT NOT NULL DEFAULT '');"   // ids, ",1,2,"
	  "CREATE INDEX comment_record ON comment(type, record, id);" },
	{ 213, "delegation",
	  "CREATE TABLE delegation(id INTEGER PRIMARY KEY AUTOINCREMENT, person INTEGER NOT NULL," // whose duties
	  " deputy INTEGER NOT NULL,"              // who does them
	  " starts INTEGER NOT NULL, until INTEGER NOT NULL, reason TEXT NOT NULL, made_at INTEGER NOT NULL,"
	  " ended_at INTEGER NOT NULL DEFAULT 0);" // 0 = not ended before its time
	  "CREATE INDEX delegation_person ON delegation(person, until);"
	  "CREATE INDEX delegation_deputy ON delegation(deputy, until);" },
	{ 214, "schedule",
	  // the record of each subject and period; the same again is refused
	  "CREATE TABLE scheduled(schedule TEXT NOT NULL, period TEXT NOT NULL, subject INTEGER NOT NULL,"
	  " type TEXT NOT NULL, record INTEGER NOT NULL, at INTEGER NOT NULL,"
	  " PRIMARY KEY(schedule, period, subject)) WITHOUT ROWID;"
	  // how far a period has been worked through
	  "CREATE TABLE schedule_period(schedule TEXT NOT NULL, period TEXT NOT NULL, starts INTEGER NOT NULL," // day
	  " after INTEGER NOT NULL DEFAULT 0,"     // last subject seen in this pass
	  " again_at INTEGER NOT NULL DEFAULT 0,"  // next pass; 0 = now
	  " closed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(schedule, period)) WITHOUT ROWID;" },
	{ 215, "release",
	  "CREATE TABLE release(id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, record INTEGER NOT NULL,"
	  " seq INTEGER NOT NULL,"                // of the record, from 1
	  " msg TEXT NOT NULL,"                   // alert update upgrade downgrade cancel
	  " level TEXT NOT NULL, at INTEGER NOT NULL, person INTEGER NOT NULL, name TEXT NOT NULL," // who released it
	  " reason TEXT NOT NULL, text_zh TEXT NOT NULL, text_en TEXT NOT NULL, expires INTEGER NOT NULL,"
	  " webhook INTEGER NOT NULL,"            // a row of the matrix says so
	  " facts TEXT NOT NULL,"                 // JSON: what a CAP message says of it, as it was then
	  " tier INTEGER NOT NULL DEFAULT 0,"     // the last that was told
	  " superseded_at INTEGER NOT NULL DEFAULT 0, expiry_told INTEGER NOT NULL DEFAULT 0, UNIQUE(type, record, seq));"
	  "CREATE INDEX release_expiry ON release(expires) WHERE expiry_told = 0 AND expires > 0 AND superseded_at = 0;"
	  "CREATE TABLE receipt(release INTEGER NOT NULL, person INTEGER NOT NULL, name TEXT NOT NULL, tier INTEGER NOT NULL,"
	  " channels TEXT NOT NULL,"              // ",mail,sms,"
	  " wait INTEGER NOT NULL,"               // us until it is late; 0 = nobody asks
	  " times INTEGER NOT NULL,"              // it is sent again at most so often
	  " told_at INTEGER NOT NULL, due_at INTEGER NOT NULL," // due_at: of the next repetition, 0 = none
	  " sent INTEGER NOT NULL DEFAULT 1, read_at INTEGER NOT NULL DEFAULT 0, confirmed_at INTEGER NOT NULL DEFAULT 0,"
	  " confirmed_by INTEGER NOT NULL DEFAULT 0, confirmed_name TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',"
	  " PRIMARY KEY(release, person)) WITHOUT ROWID;"
	  "CREATE INDEX receipt_due ON receipt(due_at) WHERE due_at > 0;"
	  "ALTER TABLE notice ADD COLUMN channels TEXT NOT NULL DEFAULT '';" // kinds of channels besides the ways the person chose
	  "ALTER TABLE notice ADD COLUMN release INTEGER NOT NULL DEFAULT 0;"
	  "CREATE INDEX notice_release ON notice(release, person) WHERE release > 0;" },
	{ 216, "releases of a span",
	  "CREATE INDEX release_at ON release(at);" },
	{ 217, "who reported a danger", // doc/decisions/0031-enforcement.md
	  // digest: SM3 of the receipt number; sealed: name and phone under secret.key, bound to the record, empty if nobody is named
	  "CREATE TABLE report_seal(record INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL);" },
	{ 218, "notices of what is done",
	  "CREATE INDEX notice_waits ON notice(record) WHERE read_at = 0 AND kind IN ('duty', 'remind');" },
	{ 230, "papers of examinations", // doc/decisions/0028-exam.md
	  // body, key: text, options in the order shown, right answer, as they were drawn; got: points, less than 0 = not scored
	  "CREATE TABLE exam_paper(sitting INTEGER NOT NULL, n INTEGER NOT NULL, exam INTEGER NOT NULL, question INTEGER NOT NULL,"
	  " points REAL NOT NULL, body TEXT NOT NULL, key TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '',"
	  " saved_at INTEGER NOT NULL DEFAULT 0, got REAL NOT NULL DEFAULT -1, PRIMARY KEY(sitting, n)) WITHOUT ROWID;"
	  "CREATE INDEX exam_paper_exam ON exam_paper(exam, question);" },
	// flow/ adds its next migrations here: { 219, "flow …", "…" },
};

// ---- core: numbers 300–399 ---------------------------------------------------------------------
static const struct migration core_migrations[] = {
	{ 300, "thread", // numbers of threads of evidence are given out by sequence "thread"
	  "INSERT OR IGNORE INTO sequence VALUES('thread', 0);" },
	{ 310, "config", // what is in force, what was, and what a written migration took away
	  "CREATE TABLE config_text(path TEXT PRIMARY KEY, text TEXT NOT NULL, own INTEGER NOT NULL) WITHOUT ROWID;"
	  "CREATE TABLE config_version(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by INTEGER NOT NULL,"
	  " by_name TEXT NOT NULL, digest BLOB NOT NULL,"
	  " changes TEXT NOT NULL);"              // JSON list of what was different from the version before
	  "CREATE TABLE type_version(type TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL,"
	  " description TEXT NOT NULL,"           // as GET /types/T showed it then
	  " PRIMARY KEY(type, version)) WITHOUT ROWID;"
	  "CREATE TABLE config_migration(name TEXT PRIMARY KEY, at INTEGER NOT NULL, result TEXT NOT NULL) WITHOUT ROWID;"
	  "CREATE TABLE dropped_value(type TEXT NOT NULL, field TEXT NOT NULL, record INTEGER NOT NULL, value,"
	  " at INTEGER NOT NULL);"
	  "CREATE INDEX dropped_value_record ON dropped_value(type, record);" },
	{ 320, "detectors", // what each has seen so far: plain bytes of its struct (detect/), its version is in them
	  // what: early, doubt, unit; thing: id of the point or record; key: of the rule, 0 = none; through: the newest sample it saw
	  "CREATE TABLE detect_state(what TEXT NOT NULL, thing INTEGER NOT NULL, key INTEGER NOT NULL, through INTEGER NOT NULL,"
	  " state BLOB NOT NULL, PRIMARY KEY(what, thing, key)) WITHOUT ROWID;" },
	{ 321, "models of units", // what was learned, version by version; points: record ids with commas; summary: JSON
	  "CREATE TABLE detect_model(unit INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, by INTEGER NOT NULL,"
	  " by_name TEXT NOT NULL, from_at INTEGER NOT NULL, to_at INTEGER NOT NULL, interval INTEGER NOT NULL,"
	  " rows INTEGER NOT NULL, gaps INTEGER NOT NULL, points TEXT NOT NULL, checksum TEXT NOT NULL, summary TEXT NOT NULL,"
	  " model BLOB NOT NULL, PRIMARY KEY(unit, version)) WITHOUT ROWID;" },
	// core adds its next migrations here: { 301, "core …", "…" },
};

// ---- import and archive: numbers 250–269 -------------------------------------------------------
static const struct migration exchange_migrations[] = {
	{ 250, "import",
	  "CREATE TABLE import(id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, format TEXT NOT NULL, key TEXT NOT NULL,"
	  " name TEXT NOT NULL,"                  // of the file, as it was called
	  " file INTEGER NOT NULL DEFAULT 0, sm3 TEXT NOT NULL DEFAULT ''," // the upload, in table file
	  " person INTEGER NOT NULL, person_name TEXT NOT NULL,"
	  " state TEXT NOT NULL,"                 // checking checked running done undoing undone failed
	  " skip_errors INTEGER NOT NULL DEFAULT 0,"
	  " failed_run INTEGER NOT NULL DEFAULT 0," // 1: a row failed while it ran, so all of it is taken back
	  " rows INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0," // done: row of the sheet, all up to it
	  " created INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0, unchanged INTEGER NOT NULL DEFAULT 0,"
	  " failed INTEGER NOT NULL DEFAULT 0, errors INTEGER NOT NULL DEFAULT 0,"
	  " undone INTEGER NOT NULL DEFAULT 0, kept INTEGER NOT NULL DEFAULT 0,"
	  " columns TEXT NOT NULL DEFAULT '', message_zh TEXT NOT NULL DEFAULT '', message_en TEXT NOT NULL DEFAULT '',"
	  " created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL);"
	  "CREATE INDEX import_person ON import(person, id);"
	  "CREATE INDEX import_open ON import(id) WHERE state IN ('checking', 'running', 'undoing');"
	  // what became of each row: written in the transaction of the record itself, so a row is done exactly once
	  "CREATE TABLE import_row(import INTEGER NOT NULL, row INTEGER NOT NULL, outcome TEXT NOT NULL,"
	  " record INTEGER NOT NULL, version INTEGER NOT NULL, before TEXT NOT NULL,"
	  " undone INTEGER NOT NULL DEFAULT 0," // 1 undone, 2 kept because somebody has changed it since
	  " PRIMARY KEY(import, row)) WITHOUT ROWID;"
	  "CREATE TABLE import_error(id INTEGER PRIMARY KEY, import INTEGER NOT NULL, row INTEGER NOT NULL,"
	  " col INTEGER NOT NULL,"                // from 0, -1 = the row as a whole
	  " field TEXT NOT NULL, zh TEXT NOT NULL, en TEXT NOT NULL, hint_zh TEXT NOT NULL, hint_en TEXT NOT NULL);"
	  "CREATE INDEX import_error_import ON import_error(import, id);" },
};

// ---- files and documents: numbers 480–520 ------------------------------------------------------
static const struct migration file_migrations[] = {
	{ 480, "file",
	  "CREATE TABLE file(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	  " sm3 TEXT NOT NULL, size INTEGER NOT NULL, name TEXT NOT NULL, mime TEXT NOT NULL,"
	  " uploader INTEGER NOT NULL, at INTEGER NOT NULL, taken_at INTEGER NOT NULL DEFAULT 0, lon REAL, lat REAL,"
	  " source TEXT NOT NULL DEFAULT '',"     // of time and place: client, exif
	  " type TEXT NOT NULL DEFAULT '', record INTEGER NOT NULL DEFAULT 0, field TEXT NOT NULL DEFAULT '');"
	  "CREATE INDEX file_sm3 ON file(sm3);"
	  "CREATE INDEX file_record ON file(type, record) WHERE type <> '';"
	  "CREATE INDEX file_unbound ON file(at) WHERE type = '';" },
	{ 481, "issued",
	  "CREATE TABLE issued(id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, number TEXT NOT NULL UNIQUE,"
	  " type TEXT NOT NULL, record INTEGER NOT NULL," // 'report', 0 of a report
	  " period TEXT NOT NULL DEFAULT '',"     // of a report
	  " at INTEGER NOT NULL, by INTEGER NOT NULL, by_name TEXT NOT NULL, file INTEGER NOT NULL, sm3 TEXT NOT NULL,"
	  " audit_seq INTEGER NOT NULL, audit_hash TEXT NOT NULL," // where the chain stood: printed on it
	  " entry_seq INTEGER NOT NULL,"          // the entry of the issue, which holds sm3
	  " void_at INTEGER NOT NULL DEFAULT 0, void_by INTEGER NOT NULL DEFAULT 0, void_reason TEXT NOT NULL DEFAULT '');"
	  "CREATE INDEX issued_record ON issued(type, record);"
	  "CREATE INDEX issued_report ON issued(document, period);" },
};

// ---- indicators: numbers 400–449 ---------------------------------------------------------------
static const struct migration measure_migrations[] = {
	{ 400, "snapshots of indicators",
	  // dim: '' area sector enterprise organisation; key: value of it, '' = all or none; NULL numbers: there is none
	  "CREATE TABLE kpi_snapshot("
	  " indicator TEXT NOT NULL, period TEXT NOT NULL, dim TEXT NOT NULL, key TEXT NOT NULL,"
	  " version TEXT NOT NULL, num REAL, den REAL, value REAL, target REAL, light TEXT NOT NULL, at INTEGER NOT NULL,"
	  " PRIMARY KEY(indicator, dim, key, period)) WITHOUT ROWID;"
	  "CREATE INDEX kpi_snapshot_period ON kpi_snapshot(indicator, period);"
	  // frozen: what was reported stays what was reported
	  "CREATE TRIGGER kpi_snapshot_no_update BEFORE UPDATE ON kpi_snapshot"
	  " BEGIN SELECT RAISE(ABORT, 'snapshots do not change'); END;"
	  "CREATE TRIGGER kpi_snapshot_no_delete BEFORE DELETE ON kpi_snapshot"
	  " BEGIN SELECT RAISE(ABORT, 'snapshots do not change'); END;" },
	{ 401, "history of the risk index",
	  // a row when an object comes in, changes its level or rises, and each hour in which its score has changed. score, was: tenths;
	  // what: first level rise version hour; parts: points of the components as JSON (not of an enterprise's hours)
	  "CREATE TABLE risk_index("
	  " name TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL,"
	  " score INTEGER NOT NULL, color TEXT NOT NULL, was INTEGER NOT NULL, color_was TEXT NOT NULL, what TEXT NOT NULL,"
	  " version TEXT NOT NULL, area TEXT NOT NULL, enterprise INTEGER NOT NULL, sector TEXT NOT NULL, parts TEXT NOT NULL,"
	  " PRIMARY KEY(name, kind, key, at)) WITHOUT ROWID;"
	  "CREATE INDEX risk_index_at ON risk_index(name, at);"
	  "CREATE TRIGGER risk_index_no_update BEFORE UPDATE ON risk_index"
	  " BEGIN SELECT RAISE(ABORT, 'the history of the index does not change'); END;"
	  "CREATE TRIGGER risk_index_no_delete BEFORE DELETE ON risk_index"
	  " BEGIN SELECT RAISE(ABORT, 'the history of the index does not change'); END;"
	  "CREATE INDEX alarm_active_enterprise ON alarm(enterprise) WHERE closed_at IS NULL AND active = 1;" },
};

// ---- notify: numbers 450–479 -------------------------------------------------------------------
static const struct migration notify_migrations[] = {
	{ 450, "messages out",
	  // how far notices and changes (the audit chain) have been turned into messages; what was before is not sent
	  "CREATE TABLE notify_cursor(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	  "INSERT INTO notify_cursor SELECT 'notice', coalesce(max(id), 0) FROM notice;"
	  "INSERT INTO notify_cursor SELECT 'audit', seq FROM audit_head WHERE id = 1;"
	  "CREATE TABLE outmsg("
	  " id INTEGER PRIMARY KEY AUTOINCREMENT, mid TEXT NOT NULL UNIQUE," // mid: what the receiver knows it by
	  " via TEXT NOT NULL, channel INTEGER NOT NULL," // record of type `channel` or `webhook`
	  " kind TEXT NOT NULL,"                  // notice event test
	  " person INTEGER NOT NULL, address TEXT NOT NULL, mergekey TEXT NOT NULL,"
	  " type TEXT NOT NULL, record INTEGER NOT NULL,"
	  " body TEXT NOT NULL,"                  // event, test: what is sent; notice: made of its parts when sent
	  " urgent INTEGER NOT NULL, parts INTEGER NOT NULL,"
	  " state TEXT NOT NULL DEFAULT 'waiting', tries INTEGER NOT NULL DEFAULT 0,"
	  " created_at INTEGER NOT NULL, next_at INTEGER NOT NULL, tried_at INTEGER NOT NULL DEFAULT 0,"
	  " sent_at INTEGER NOT NULL DEFAULT 0, receipt TEXT NOT NULL DEFAULT '', receipt_at INTEGER NOT NULL DEFAULT 0,"
	  " error TEXT NOT NULL DEFAULT '');"
	  "CREATE INDEX outmsg_due ON outmsg(via, channel, next_at) WHERE state = 'waiting';"
	  "CREATE INDEX outmsg_next ON outmsg(next_at) WHERE state = 'waiting';"
	  "CREATE INDEX outmsg_record ON outmsg(via, channel, type, record, id) WHERE state IN ('waiting', 'sending');"
	  "CREATE INDEX outmsg_merge ON outmsg(channel, person, mergekey, id) WHERE via = 'channel';"
	  "CREATE INDEX outmsg_tried ON outmsg(via, channel, tried_at);"
	  "CREATE INDEX outmsg_receipt ON outmsg(channel, receipt) WHERE receipt <> '';"
	  "CREATE TABLE outmsg_part(outmsg INTEGER NOT NULL, notice INTEGER NOT NULL, PRIMARY KEY(outmsg, notice)) WITHOUT ROWID;"
	  "CREATE TABLE channel_state(via TEXT NOT NULL, channel INTEGER NOT NULL, failures INTEGER NOT NULL DEFAULT 0,"
	  " told_at INTEGER NOT NULL DEFAULT 0, last_ok INTEGER NOT NULL DEFAULT 0, last_failure INTEGER NOT NULL DEFAULT 0,"
	  " last_error TEXT NOT NULL DEFAULT '', PRIMARY KEY(via, channel)) WITHOUT ROWID;"
	  // no API reads it back
	  "CREATE TABLE notify_secret(via TEXT NOT NULL, channel INTEGER NOT NULL, secret TEXT NOT NULL,"
	  " PRIMARY KEY(via, channel)) WITHOUT ROWID;" },
	{ 451, "messages of a span",
	  "CREATE INDEX outmsg_created ON outmsg(created_at);" },
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
	{ exchange_migrations, ARRAY_LEN(exchange_migrations) },
	{ file_migrations, ARRAY_LEN(file_migrations) },
	{ measure_migrations, ARRAY_LEN(measure_migrations) },
	{ notify_migrations, ARRAY_LEN(notify_migrations) },
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
		if (err == ERR_FULL)
			return problem_set(p, err, "", "磁盘已满，数据库没有升级：请清理磁盘再启动", "the disk is full, the database was not brought up to date: make room and start again");
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
