// Packs → a checked, immutable registry: record types, menus, roles, kinds of measurement. A registry is one
// generation: built whole in its own arena, swapped whole, freed when its last reader lets go.
#pragma once

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "expr/expr.h"
#include "store/records.h"

struct yaml_node;
struct risk_model;
struct risk_input;
struct risk_output;

struct label {
	struct str zh, en;
};
#define LABEL_EMPTY ((struct label){ STR_EMPTY, STR_EMPTY })
#define LABEL(zh, en) ((struct label){ STR(zh), STR(en) })
#define LABEL_SAID(text) ((struct label){ (text), STR_EMPTY }) // a person's words, in whatever language

enum field_kind {
	FIELD_TEXT,     // min, max: characters; lines: more than one line
	FIELD_NUMBER,   // unit, min, max, decimals
	FIELD_MONEY,    // CNY, stored as integer fen
	FIELD_BOOL,
	FIELD_DATE,     // stored as text YYYY-MM-DD
	FIELD_TIME,     // stored as us
	FIELD_MENU,     // one value of a menu
	FIELD_MENUS,    // several, stored as ",a,b,"
	FIELD_REF,      // id of a record of another type
	FIELD_POSITION, // longitude and latitude in degrees, CGCS2000: columns NAME_lon, NAME_lat
	FIELD_SHAPE,    // GeoJSON geometry as text
	FIELD_PHONE,    // personal datum: masked unless the role may unmask
	FIELD_USCC,     // 统一社会信用代码, GB 32100-2015: 18 characters, check digit verified
	FIELD_AREA,     // code of an area record
	FIELD_REFS,     // ids of records of another type, stored as ",1,2,"
	FIELD_FILES,    // ids of files (store/files.h), stored as ",1,2,"
	FIELD_PHOTOS,   // the same, of pictures
	FIELD_ROWS,     // table: rows of columns, stored as JSON text [{"column": value as in the API, …}, …]
	FIELD_IDCARD,   // 居民身份证, GB 11643-1999: 18 characters, check character verified; personal datum
	FIELD_SHEET,    // scores of an assessment by item, stored as JSON text
	FIELD_ORIGIN,   // the record that opened this one, of any type that does; written by link: alone, stored as "TYPE:ID"
	FIELD__MAX
};

struct cap_words {          // what an item says in a CAP 1.2 message: values of these elements of info; empty = nothing
	struct str category, response, urgency, severity, certainty;
};

struct menu_item {
	struct str value;
	struct label label;
	struct str color;       // "red", "orange", "yellow", "blue", "green", "grey" or empty
	struct label help;      // what the value means, or empty
	struct str parent;      // item of the same menu above this one, or empty
	struct str ended;       // "2026-07-01": offered no more from that day, kept where it stands; or empty
	struct cap_words cap;
};
struct menu {
	struct str name;
	struct label label;
	struct menu_item *items;
	size_t nitems;
	int64_t version;        // digest of its text
	const struct expr_item *choices; // the items as expressions know them; as many
};

enum unmask {
	UNMASK_NO,
	UNMASK_REASON,          // one record at a time, with a reason that goes to the audit
	UNMASK_ALWAYS,          // in lists and records; never in exports or by token
};

struct role {
	struct str name;
	struct label label;
	enum unmask unmask;     // personal data in the clear
	bool demo;              // offered on the demo login page
	struct str bound;       // "area" or "enterprise": who has the role without one sees nothing; empty = sees everything
	struct str *may;        // permissions beside types: "user.manage", "audit.read", "alarm.handle", "device.read", "config.change" …
	size_t nmay;
	struct str *manages;    // roles that "user.manage.below" may give and take
	size_t nmanages;
	bool second_factor;     // who has this role must log in with a second factor
};

enum shape_kind { SHAPE_ANY, SHAPE_POINT, SHAPE_LINE, SHAPE_AREA };

struct field {
	struct str name;
	enum field_kind kind;
	struct label label, help, unit;
	struct str group;
	bool need;              // required always (when it is shown)
	const struct expr *need_if; // required when this holds, or NULL
	const struct expr *when;    // shown and kept only when this holds; NULL = always
	const struct expr *compute; // stored, recomputed at each save, nobody writes it; NULL = none
	bool personal;          // personal datum: masked unless the role may unmask (PHONE and IDCARD always are; ROWS if a column is)
	struct str *read, *edit; // role names; nread, nedit 0: as the record
	size_t nread, nedit;
	bool unique;
	bool readonly;          // set by the system only (moves, rules)
	bool search;            // found by ?q=
	bool lines;             // text area
	bool expert;            // shown only on demand
	double min, max;        // NUMBER/MONEY (CNY): bounds; TEXT: characters (code points); REFS, FILES, PHOTOS, ROWS: how many
	bool has_min, has_max;
	int decimals;               // NUMBER: digits after the point; -1 = as given
	const struct menu *menu;    // MENU, MENUS
	struct str to;              // REF, REFS: type
	const struct type **from;   // ORIGIN: types that open the record with link: to this field, in the order of the registry
	const struct expr_item *from_items; // the same as expressions know them
	size_t nfrom;
	struct str *accept;         // FILES: groups of file_group(); none = every kind
	size_t naccept;
	bool where;                 // PHOTOS: place and time must be known
	enum shape_kind shape;      // SHAPE
	struct field *columns;      // ROWS; their col and ncols mean nothing
	size_t ncolumns;
	struct str assessment;      // SHEET: name of the assessment
	const struct yaml_node *sheet; // SHEET: who may write what when, and where the result goes; read by measure/
	struct str fallback;        // default: literal, "now", "me", "my_area", "my_enterprise"
	size_t col, ncols;          // where it stands in type.table.cols (POSITION: 2 columns); ncols 0: it is the
	                            // common column of its name (title, area, enterprise or sector)
};

// A field that is not stored but shown from a record this one refers to.
struct draw {
	struct str name;
	struct label label, help;
	struct str group;
	bool expert;
	const struct field *ref;    // own REF field; NULL: the common column `via` (enterprise, created_by, changed_by)
	struct str via;             // name before the dot
	const struct type *to;
	const struct field *field;  // of that type
	size_t before;              // it stands before fields[before]
};

struct check_rule {         // checks: what must hold between the fields of a record
	struct str name;
	const struct expr *that;
	struct label say;
	const struct field *at;     // where the page shows it, or NULL
};

struct shown {
	struct str name;
	const struct field *field;  // NULL: the common column number, state, area or enterprise
};
struct allowance {               // a stretch of time: one of the two is more than 0
	int64_t us;
	int wd;                 // working days (base/workday.h)
};

struct publish_due {        // what must be public by when
	const struct field *from;   // DATE or TIME field from which the time runs; NULL: no duty
	const struct field *on;     // DATE or TIME field: since when it is public
	struct allowance within;
	const struct condition *cond; // which records; NULL: all that have `from`
};

struct publish {            // what the public page shows
	const struct expr *when;    // NULL: never
	const struct condition *cond; // the same for the store
	struct shown *show;         // no field is personal, for some roles only, a file or the name of a person
	size_t nshow;
	struct publish_due due;
};

struct dossier {            // 一企一档
	struct str section;         // empty: not part of it
	const struct expr *need;    // over the type enterprise: which enterprises must have one; NULL: see always
	bool always;                // all must
};

struct group {              // fields under one heading of a form
	struct str name;
	struct label label;
};

struct deadline {           // time allowed in a state
	bool set;
	const struct field *by; // MENU field that chooses, or NULL
	struct str *keys;       // values of by; the key "else" is last and matches everything
	struct allowance *spans;
	size_t n;
};

enum state_clock {
	CLOCK_OWN,              // the state's own within: or due:, or none
	CLOCK_KEEP,             // the deadline of the state before goes on
	CLOCK_PAUSE,            // it stands still until a state with CLOCK_KEEP
};

struct assign {             // a value for a field when a record is opened
	const struct field *field;
	struct str text;        // literal, "me", "now" …, or the text of the expression
	const struct expr *expr; // "= EXPR" over the record that opens; NULL: a literal
	const struct field *column; // "= COLUMN" of the row it is opened for (opens: each)
};

struct state {
	struct str name;
	struct label label;
	struct str color;
	bool end;               // nothing is due any more
	struct deadline within;
	const struct field *due;    // DATE or TIME field that says when it is due; NULL: within
	enum state_clock clock;
	struct allowance *remind;        // so long before the deadline, longest first
	size_t nremind;
	bool withdraw;              // who brought it here may take it back until somebody else has acted
	struct str *escalate_to;    // tiers in order: role names that are told, one step each time it is overdue again
	size_t nescalate;
	int64_t escalate_every;     // us between two steps
	struct str *who;        // whose duty the record is in this state: roles, or persons (struct move.who says how)
	size_t nwho;
	struct str *tell;       // who is told besides when it enters the state, without a duty: as who
	size_t ntell;
	bool edit_set;          // edit: is given: these roles and no others may edit in this state
	struct str *edit;
	size_t nedit;
	const struct field **asks; // the only fields that may be edited in this state; 0 = all
	size_t nasks;
	struct str overdue_name;    // overdue: the move that the system makes when the deadline passes; empty = none
	const struct move *overdue; // the same, or NULL
};

struct opens {              // a move or a trigger makes a record of another type
	const struct type *type;
	const struct field *link;   // of that type: refers to the record that opens it
	struct assign *fields;
	size_t nfields;
	const struct field *each;   // ROWS field of this type: one record a row; NULL: one
	const struct field *across; // REF field of that type: one record for each it can refer to in the area and sector; NULL: one
	const struct type *subject; // what it refers to
	const struct condition *cond; // which of them; NULL: all
	const struct field *same, *same_there; // and only those with the value that this record has in the field of that name; NULL: any
};

struct writes {             // a move writes into a record that this one refers to
	const struct field *to;     // REF field of this type
	const struct type *type;    // what it refers to
	const struct expr *where;   // over the record that moves, as it is afterwards; NULL: always
	struct assign *fields;
	size_t nfields;
};

struct trigger {            // triggers: when a change of the record makes it true
	struct str name;
	struct label label;
	const struct expr *when;
	struct opens *opens;
	size_t nopens;
};

enum release { RELEASE_NONE, RELEASE_ALERT, RELEASE_UPDATE, RELEASE_UPGRADE, RELEASE_DOWNGRADE, RELEASE_CANCEL };

struct move {
	struct str name;
	struct label label;
	const struct state **from;
	size_t nfrom;
	const struct state *to; // NULL: it stays where it is, its clock too
	struct str *who;        // roles that may; "creator"; "system" = the platform alone; "owner_of.FIELD" = the person in that REF field; "staff_of.FIELD" =
	                        // persons of the organisation or enterprise in it; "members_of.FIELD" = persons in that REFS field
	size_t nwho;
	const struct field **needs; // must be filled (before or with the move)
	size_t nneeds;
	const struct field **asks;  // the form of the move shows these
	size_t nasks;
	struct str *not_same;   // names of REF-to-person fields, or "creator": these persons may not do this move
	size_t nnot_same;
	struct str guard;       // if: the text of the condition, or empty
	const struct expr *guard_expr;
	struct label say;       // what to tell when the guard refuses
	bool back;              // a return: reason is true too
	bool reason;            // a text is required and goes to the history
	bool sign;              // password is asked again
	struct assign *sets;    // sets: FIELD: "me" | "now" | "my_organisation" | literal | "= EXPR"
	size_t nsets;
	struct opens *opens;
	size_t nopens;
	struct writes *writes;
	size_t nwrites;
	enum release release;   // release: the persons of the matrix are told, and give receipts
};

struct releasing {          // release: whom a record is told to when a move releases it, and what a CAP 1.2 message says of it
	const struct type *matrix;  // rows: category × level → persons, tiers, channels; NULL: the type is not released
	const struct field *category, *level; // MENU; the items of level stand highest first
	const struct field *effective, *expires; // TIME
	const struct field *exercise;   // BOOL or NULL
	const struct field *shape, *radius; // SHAPE; NUMBER in metres around the position of what it refers to; or NULL
	const struct field *description[2], *instruction[2]; // TEXT, in Chinese and English, or NULL
	const struct type *tasks;   // what a department is to do, as rows of the matrix say; or NULL
	const struct field *task_of; // REF of tasks to the released record
	struct str sender;      // of CAP: whom receivers know as the source, as a mail address
	struct str *see, *expired; // roles: who sees all receipts; who is told when the time of validity has ended
	size_t nsee, nexpired;
};

struct gathering {          // gather: an alarm joins the open record that is the same in these fields
	const struct field **by;
	size_t nby;             // 0: every alarm opens its own
	int64_t within;         // us since the last alarm that joined
};

// Fields that a model of risk/ computes (models: of a type), so that a grade is the standard's arithmetic and nobody's entry.
struct model_take { const struct risk_input *in; const struct field *field; };   // ROWS input: a ROWS field
struct model_column { const struct risk_input *in; const struct field *column; }; // of the ROWS input
struct model_give { const struct field *field; const struct risk_output *out; };
struct model_use {
	struct str name;
	const struct risk_model *model;
	const struct expr *when;    // while it does not hold the fields are a person's; NULL: always the model's, read-only
	struct model_take *takes;
	size_t ntakes;
	struct model_column *columns;
	size_t ncolumns;
	struct model_give *gives;
	size_t ngives;
	size_t before;              // it is computed before fields[before], the first it gives
};

struct drawing {            // drawing: a picture with spots that stand for other records
	const struct field *picture, *spots;    // PHOTOS (the first counts), ROWS; NULL: the type has none
	const struct field *x, *y, *of;         // columns of spots: % of width and height from the upper left corner; REF
	const struct field *color;              // MENU field of the type that `of` refers to
};

struct expiry {             // expires: of a register without states
	const struct field *at; // DATE or TIME; NULL: none
	struct allowance *remind;    // so long before, longest first; at the end itself everybody of tell is told besides
	size_t nremind;
	struct str *tell;       // as struct state.who
	size_t ntell;
};

struct extending {          // extend: who may ask for more time and who grants it
	const struct state **states;
	size_t nstates;         // 0: no extension
	struct str *ask, *approve; // roles
	size_t nask, napprove;
	int max;                // times granted a record
	struct allowance longest;    // of one extension
};

struct listing {            // a named view of the list page
	struct str name;
	struct label label;
	struct filter *filters; // values are literal; "me", "my_enterprise" are resolved by flow/
	size_t nfilters;
	const struct condition *cond; // where: as an expression; NULL = none. Values "me", "my_enterprise", "my_area", and days and
	                        // moments relative to today are resolved by flow/ (model/exprs.h: COND words)
	const struct expr *where;
	struct sort *sorts;
	size_t nsorts;
	struct str *show;       // columns
	size_t nshow;
	bool open_only;         // only states that are not an end
};

struct right {              // who may create, read, edit, retire: role names ("all" in a pack becomes every role)
	struct str *create, *read, *edit, *retire;
	size_t ncreate, nread, nedit, nretire;
};

struct type {
	struct str name, pack, file;
	struct label label, about;
	struct str icon;
	int64_t version;        // digest of its text and its menus'; stored with each record
	struct str number;      // "YJ-{year}-{seq:5}"
	struct str title;       // field shown in references and lists
	struct str geometry;    // POSITION or SHAPE field drawn on the map, or empty
	struct group *groups;
	size_t ngroups;
	struct field *fields;
	size_t nfields;
	struct state *states;   // states[0] is the first
	size_t nstates;         // 0: a plain register (state column holds "")
	struct move *moves;
	size_t nmoves;
	struct trigger *triggers;
	size_t ntriggers;
	struct listing *lists;
	size_t nlists;
	struct expiry expires;
	struct extending extend;
	struct right rights;
	struct str area_from;       // AREA field that is, or REF field whose record gives, the area; or empty
	struct str enterprise_from; // REF field whose record gives the enterprise, or empty
	struct str sector_from;     // MENU field of the menu sector, or REF field whose record gives the sector, or empty
	struct draw *draws;
	size_t ndraws;
	struct check_rule *checks;
	size_t nchecks;
	struct model_use *models;   // in the order in which they are computed
	size_t nmodels;
	struct drawing drawing;
	struct publish publish;
	struct releasing release;
	struct gathering gather;
	int keep_years;             // how long it is kept after its end; 0 = not said, -1 = for ever
	struct dossier dossier;
	const struct expr_item *state_choices; // the states as expressions know them; nstates
	struct table table;     // for store/records.h
};

struct point_kind {         // packs/*/points/*.yaml
	struct str name;
	struct label label;
	struct str unit;
	double min, max;        // plausible range; outside is Q_RANGE
	int decimals;
	int64_t interval;       // usual sample interval, us
	int64_t stale_after;    // us without a reading until the point counts as offline
	int64_t retention;      // how long its samples are kept at least, us; 0 = for ever
	int64_t retention_hours; // and its hourly roll-ups; 0 = for ever
	struct str dimension;   // 人员 设备 生产 仓储 物流 环境: people equipment process storage logistics environment
	bool frozen, copied, impossible; // doubts that are looked for in its points (detect/doubt.h)
	double fastest;         // change possible in a second, for impossible; 0 = not known
	int64_t drift;          // its level is watched by means of so long, us (detect/drift.h); 0 = not
	double drift_least;     // the change of level that matters, in its unit
};

enum every { EVERY_DAY, EVERY_WEEK, EVERY_MONTH, EVERY_QUARTER, EVERY_HALF, EVERY_YEAR };

struct schedule {           // packs/*/schedules/*.yaml: one record for each subject and period
	struct str name, pack;
	struct label label;
	enum every every;
	int on;                 // the day of the period on which it opens, from 1 (Monday of a week)
	const struct type *subject; // for:
	struct str where;       // condition on the subjects, or empty
	const struct condition *cond; // the same for the store; NULL = all
	const struct type *type;    // of what it opens
	const struct field *link;   // of that type: refers to the subject
	struct assign *fields;  // expressions are over the subject
	size_t nfields;
	struct allowance within;     // overdue when so long after its opening it is not at an end; {0} = never
};

struct workdays;            // base/workday.h

struct rule_file {          // packs/*/rules/*.yaml, compiled by alarm/
	struct str pack, file;
	const struct yaml_node *root;
};

struct pack_file {          // packs/*/FOLDER/*.yaml for the folders that others check: calendars, schedules, indicators, indexes,
	struct str folder;      // assessments, documents, migrations, payloads. Its root is a mapping; all else is checked by who owns the folder.
	struct str pack, file;
	const struct yaml_node *root;
};

struct pack {               // packs/NAME/about/*.yaml; of a pack without one, its name
	struct str name;
	struct label label, about;  // about: one sentence, or empty
	size_t section;             // which item of menu pack_section; SIZE_MAX = none
	int rank;                   // within its section, smaller first
	struct str *first;          // its types that stand before the others, in this order
	size_t nfirst;
	struct today { const struct type *type; const struct listing *list; } *today; // its lists that tell how the day goes
	size_t ntoday;
};

struct registry {
	struct arena *arena;
	uint64_t generation;
	struct pack *packs;         // in the order in which people see them
	size_t npacks;
	struct type *types;
	size_t ntypes;
	struct menu *menus;
	size_t nmenus;
	struct role *roles;
	size_t nroles;
	struct point_kind *kinds;
	size_t nkinds;
	struct rule_file *rules;
	size_t nrules;
	struct pack_file *files;    // by folder, then pack, then name of the file
	size_t nfiles;
	struct schedule *schedules;
	size_t nschedules;
	const struct workdays *workdays; // of every calendar; never NULL
};

// A diagnostic of the checker: printed as file:line:col: text. What to do is part of the text.
struct diag {
	struct str file;
	unsigned line, col; // from 1
	struct str text;
};
struct diags {
	struct arena *arena;
	struct diag *v;
	size_t n, cap;
	bool zh; // language of the texts; English if false
};

// Loads every pack below dir (each folder with types/, menus/, roles/, points/, rules/, indicators/…). Every mistake
// is reported, not only the first. Returns ERR_INVALID if there is any; *ret is then NULL.
enum err registry_load(struct registry **ret, struct str dir, struct diags *d) must_check;
struct pack_texts; // model/pack_texts.h: the same from texts that were read before
enum err registry_load_texts(struct registry **ret, const struct pack_texts *texts, struct diags *d) must_check;
void registry_free(struct registry *r);
// In a store job: the tables of all types, made or brought to their form.
enum err registry_make_tables(struct db *db, const struct registry *r, struct problem *p) must_check;
const struct type *registry_type(const struct registry *r, struct str name);
const struct point_kind *registry_kind(const struct registry *r, struct str name);
const struct schedule *registry_schedule(const struct registry *r, struct str name);
const struct role *registry_role(const struct registry *r, struct str name);
const struct pack *registry_pack(const struct registry *r, struct str name);
const struct menu *registry_menu(const struct registry *r, struct str name);
bool role_may(const struct role *r, const char *permission);
const struct field *type_field(const struct type *t, struct str name);
const struct draw *type_draw(const struct type *t, struct str name);
const struct state *type_state(const struct type *t, struct str name);
const struct move *type_move(const struct type *t, struct str name);
const struct listing *type_listing(const struct type *t, struct str name);
struct filter type_open_states(const struct type *t, struct arena *a); // state in those that are no end; a type without states: no row
const struct menu_item *menu_item(const struct menu *m, struct str value);
// Kind of a common column that lists and filters may use (number, title, state, area, enterprise, created_at …).
bool type_common_column(struct str name, enum column_kind *ret);
// "danger_report:12", the stored text of an ORIGIN field. False: none, or of a type that is no more.
bool origin_parse(const struct registry *r, struct str text, const struct type **ret, int64_t *ret_id);
struct str origin_text(struct str type, int64_t id, struct arena *a);
const struct type *origin_type(const struct field *f, struct str name); // one of from, or NULL
const char *field_kind_name(enum field_kind k); // "text", "number", … as in packs
const char *every_name(enum every e);           // "day" …
const char *release_name(enum release r);       // "alert", "update", "upgrade", "downgrade", "cancel"; NONE: empty
// The closed list of what a role may be given in may:; NULL after the last.
const char *permission_name(size_t i);

// ---- the current generation --------------------------------------------------------------------
// Any thread: pin the current generation while it is used (a request, a tick). Never NULL after the first set.
const struct registry *registry_pin(void);
void registry_unpin(const struct registry *r);
void registry_set(struct registry *r); // takes ownership; the old one is freed when unpinned by all
void registry_close(void);             // at the end of the process, when no thread pins any more
