// Packs → a checked, immutable registry: record types, menus, roles, kinds of measurement. A registry is one
// generation: built whole in its own arena, swapped whole, freed when its last reader lets go.
#pragma once

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "store/records.h"

struct label {
	struct str zh, en;
};

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
	FIELD__MAX
};

struct menu_item {
	struct str value;
	struct label label;
	struct str color;       // "red", "orange", "yellow", "blue", "green", "grey" or empty
};
struct menu {
	struct str name;
	struct label label;
	struct menu_item *items;
	size_t nitems;
};

struct role {
	struct str name;
	struct label label;
	bool unmask;            // sees personal data in the clear
	bool demo;              // offered on the demo login page
	struct str *may;        // permissions beside types: "user.manage", "audit.read", "alarm.handle", "device.read", "config.change" …
	size_t nmay;
};

struct field {
	struct str name;
	enum field_kind kind;
	struct label label, help, unit;
	struct str group;
	bool need;              // required always
	bool unique;
	bool readonly;          // set by the system only (moves, rules)
	bool search;            // found by ?q=
	bool lines;             // text area
	bool expert;            // shown only on demand
	double min, max;        // NUMBER/MONEY (CNY): bounds; TEXT: characters (code points)
	bool has_min, has_max;
	int decimals;               // NUMBER: digits after the point; -1 = as given
	const struct menu *menu;    // MENU, MENUS
	struct str to;              // REF: type
	struct str fallback;        // default: literal, "now", "me", "my_area", "my_enterprise"
	size_t col, ncols;          // where it stands in type.table.cols (POSITION: 2 columns); ncols 0: it is the
	                            // common column of its name (title, area or enterprise)
};

struct group {              // fields under one heading of a form
	struct str name;
	struct label label;
};

struct deadline {           // time allowed in a state
	bool set;
	const struct field *by; // MENU field that chooses, or NULL
	struct str *keys;       // values of by; the key "else" is last and matches everything
	int64_t *us;
	size_t n;
};

struct state {
	struct str name;
	struct label label;
	struct str color;
	bool end;               // nothing is due any more
	struct deadline within;
	struct str *escalate_to;    // tiers in order: role names that are told, one step each time it is overdue again
	size_t nescalate;
	int64_t escalate_every;     // us between two steps
	struct str *who;            // whose duty the record is in this state: role names
	size_t nwho;
	struct str *tell;           // who is told besides when it enters the state, without a duty: role names
	size_t ntell;
};

struct move {
	struct str name;
	struct label label;
	const struct state **from;
	size_t nfrom;
	const struct state *to;
	struct str *who;        // roles that may; "owner_of.FIELD" = the person in that REF field; "creator"
	size_t nwho;
	const struct field **needs; // must be filled (before or with the move)
	size_t nneeds;
	const struct field **asks;  // the form of the move shows these
	size_t nasks;
	struct str not_same;    // name of a REF-to-person field or "creator": that person may not do this move
	bool reason;            // a text is required and goes to the history
	bool sign;              // password is asked again
	struct str *set_fields; // sets: FIELD: "me" | "now" | literal
	struct str *set_values;
	size_t nsets;
};

struct listing {            // a named view of the list page
	struct str name;
	struct label label;
	struct filter *filters; // values are literal; "me", "my_enterprise" are resolved by flow/
	size_t nfilters;
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
	int64_t version;        // digest of its text; stored with each record
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
	struct listing *lists;
	size_t nlists;
	struct right rights;
	struct str area_from;       // AREA field that is, or REF field whose record gives, the area; or empty
	struct str enterprise_from; // REF field whose record gives the enterprise, or empty
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
	struct str dimension;   // 人员 设备 生产 仓储 物流 环境: people equipment process storage logistics environment
};

struct yaml_node;

struct rule_file {          // packs/*/rules/*.yaml, compiled by alarm/
	struct str pack, file;
	const struct yaml_node *root;
};

struct registry {
	struct arena *arena;
	uint64_t generation;
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
void registry_free(struct registry *r);
const struct type *registry_type(const struct registry *r, struct str name);
const struct point_kind *registry_kind(const struct registry *r, struct str name);
const struct role *registry_role(const struct registry *r, struct str name);
const struct menu *registry_menu(const struct registry *r, struct str name);
bool role_may(const struct role *r, const char *permission);
const struct field *type_field(const struct type *t, struct str name);
const struct state *type_state(const struct type *t, struct str name);
const struct move *type_move(const struct type *t, struct str name);
const struct listing *type_listing(const struct type *t, struct str name);
const struct menu_item *menu_item(const struct menu *m, struct str value);
// Kind of a common column that lists and filters may use (number, title, state, area, enterprise, created_at …).
bool type_common_column(struct str name, enum column_kind *ret);
const char *field_kind_name(enum field_kind k); // "text", "number", … as in packs

// ---- the current generation --------------------------------------------------------------------
// Any thread: pin the current generation while it is used (a request, a tick). Never NULL after the first set.
const struct registry *registry_pin(void);
void registry_unpin(const struct registry *r);
void registry_set(struct registry *r); // takes ownership; the old one is freed when unpinned by all
void registry_close(void);             // at the end of the process, when no thread pins any more
