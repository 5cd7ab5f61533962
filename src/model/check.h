// Inside model/: what the parts of the checker share. One check runs in one thread; the registry under construction
// belongs to it alone.
#pragma once

#include "model/diag.h"
#include "model/exprs.h"
#include "model/model.h"

struct source {             // a file that was read
	struct str pack, file;
	struct str text;
	const struct yaml_node *root;
};

struct sources {
	struct source *v;
	size_t n, cap;
};

struct defined_at {              // where a name was first defined
	char kind;              // 'm' menu, 'r' role, 'p' point kind, 't' type, 'u' rule, 'c' calendar, 's' schedule, 'l' payload template
	struct str name;
	const struct yaml_node *at;
};

struct field_at {           // where a field stands
	const struct yaml_node *name, *n;
	bool draw;
};

struct fields_at {          // of one type: the fields that are stored (as type.fields) and those that are drawn
	struct field_at *fields, *draws;
	const struct yaml_node **groups; // mappings
	size_t ngroups;
};

struct check {
	struct registry *reg;
	struct sources *fragments, *assessments;
	struct fields_at *fields_at; // as many as reg->ntypes
	struct defined_at *places;
	size_t nplaces, cap_places;
	struct arena *a;        // the registry's
	struct diags *d;
	struct str *type_names, *menu_names, *role_names; // for "did you mean"; as many as reg has
	const struct yaml_node **type_roots;              // as many as reg->ntypes
};

// ---- keys.c: reading a mapping by a table ------------------------------------------------------
enum key_kind { KEY_NAME, KEY_STR, KEY_LABEL, KEY_TEXTS, KEY_F64, KEY_INT, KEY_BOOL, KEY_DURATION, KEY_STRS, KEY_LIST, KEY_MAP, KEY_ANY };

struct key {
	const char *name;
	enum key_kind kind;
	bool need;
	size_t at;      // offset of the value: str, str, label, label (text or label), double, int, bool, int64_t us,
	                // str *, then four times const struct yaml_node *
	size_t at_more; // KEY_F64: offset of a bool "given" (0 = none); KEY_STRS: offset of the size_t count
};

// Reports unknown and missing keys and bad values; writes what is right into out. False if map is not a mapping.
bool keys_read(struct check *c, const struct yaml_node *map, const struct key *keys, size_t n, void *out);
bool name_ok(struct str s);
// The position to name when a key is concerned: its value, or the mapping where it is absent.
const struct yaml_node *at_key(const struct yaml_node *map, const char *key);
// Position of the i-th item of a list or, of a scalar, the scalar.
const struct yaml_node *at_item(const struct yaml_node *n, size_t i);
// A scalar or a list of scalars.
bool one_or_more(struct check *c, const struct yaml_node *n, struct str **ret, size_t *ret_n);
// True if the name is new; otherwise says where the first one stands.
bool declare(struct check *c, char kind, struct str name, const struct yaml_node *at);
void check_color(struct check *c, const struct yaml_node *map, struct str color);
// Every name must be a role; "all" becomes every role but the auditor, who reads the audit and
// nothing else unless he is named too.
void check_roles(struct check *c, const struct yaml_node *n, struct str **names, size_t *count);
struct str *names_of(struct check *c, const void *items, size_t n, size_t size); // items that begin with their name

// Digest of a text, and of what came before; at most 53 bits, so that a JSON number holds it exactly.
int64_t text_version(struct str text, int64_t before);
bool pack_folder_known(struct str name);
// Reports a folder whose name is nearly one of ours.
void pack_folder_near(struct diags *d, const struct yaml_node *at, struct str name);

// ---- the parts ---------------------------------------------------------------------------------
void check_menu(struct check *c, const struct source *s);
void check_role(struct check *c, const struct source *s);
void check_manages(struct check *c, const struct source *s);      // of a role, when all roles are known
void check_kind(struct check *c, const struct source *s);
void check_about(struct check *c, const struct source *s);
int pack_before(const void *a, const void *b); // order of struct pack, for qsort
bool check_payload(struct check *c, const struct source *s, struct menu_item *ret); // its name and label; the rest is gate/template's
void check_fragment(struct check *c, const struct source *s);
void declare_type(struct check *c, const struct source *s);       // name only; then, when all names are known:
void check_fields(struct check *c, struct type *t, const struct yaml_node *root);
void check_type(struct check *c, struct type *t, const struct yaml_node *root);      // and then, when all states are known:
void check_type_flow(struct check *c, struct type *t, const struct yaml_node *root); // moves, lists, expressions
void check_choices(struct check *c, struct menu *m);
void check_field_exprs(struct check *c, struct type *t);
void check_draws(struct check *c, struct type *t);
void check_unique(struct check *c, struct type *t, const struct yaml_node *n);
void check_rules(struct check *c, struct type *t, const struct yaml_node *n);
void check_drawing(struct check *c, struct type *t, const struct yaml_node *n);
void check_models(struct check *c, struct type *t, const struct yaml_node *n);
void check_publish(struct check *c, struct type *t, const struct yaml_node *n);
void check_keep(struct check *c, struct type *t, const struct yaml_node *n);
void check_dossier(struct check *c, struct type *t, const struct yaml_node *n);
void check_cap(struct check *c, const struct yaml_node *n, struct cap_words *ret); // cap: of a menu's item
void check_release(struct check *c, struct type *t, const struct yaml_node *n);
void check_gather(struct check *c, struct type *t, const struct yaml_node *n);
enum release check_release_word(struct check *c, const struct type *t, const struct yaml_node *n, struct str word); // of a move
const struct fields_at *fields_of(const struct check *c, const struct type *t);
void check_states(struct check *c, struct type *t, const struct yaml_node *states);
void check_moves(struct check *c, struct type *t, const struct yaml_node *moves, const struct yaml_node *states);
void check_opens(struct check *c, const struct type *t, const struct yaml_node *list, struct opens **ret, size_t *ret_n);
void check_triggers(struct check *c, struct type *t, const struct yaml_node *n);
void check_trigger_circles(struct check *c);                      // over all types
void check_graph(struct check *c, struct type *t, const struct yaml_node *states);
// States or moves: a list of fields of the type; "4h", "15d", "5wd"; reminders, sorted longest first; roles, creator,
// owner_of.F, staff_of.F, members_of.F ("all" becomes every role); the fields of a record to be opened.
const struct field *want_field(struct check *c, const struct type *t, const struct yaml_node *at, struct str name);
const struct state *want_state(struct check *c, const struct type *t, const struct yaml_node *at, struct str name);
const struct type *want_type(struct check *c, const struct yaml_node *at, struct str name);
void check_field_names(struct check *c, const struct type *t, const struct yaml_node *list, const struct str *names, size_t n,
                       const struct field ***ret, size_t *ret_n);
bool check_span(struct check *c, const struct yaml_node *n, struct allowance *ret);
void check_reminders(struct check *c, const struct yaml_node *list, size_t n, struct allowance **ret, size_t *ret_n);
void check_callers(struct check *c, const struct type *t, const struct yaml_node *list, struct str **names, size_t *n);
const struct field *check_link(struct check *c, const struct yaml_node *n, const struct type *of, const struct type *to, struct str name);
void check_assigns(struct check *c, const struct type *from, const struct type *to, const struct field *each,
                   const struct yaml_node *map, struct assign **ret, size_t *ret_n); // each: ROWS field of from, or NULL
void check_expires(struct check *c, struct type *t, const struct yaml_node *n);
void check_extend(struct check *c, struct type *t, const struct yaml_node *n);
void check_calendars(struct check *c, const struct source *files, size_t n); // always called: reg->workdays is never NULL
void check_schedule(struct check *c, const struct source *s);
void check_origins(struct check *c, const struct source *schedules, size_t nschedules); // over all types, before check_type_flow
void check_lists(struct check *c, struct type *t, const struct yaml_node *lists);
void check_number(struct check *c, const struct type *t, const struct yaml_node *at);
void check_circles(struct check *c);                              // over all types
// Is text a value of the field (menu value, number, date …) or one of its words (now, me)?
bool literal_ok(const struct field *f, struct str text);
