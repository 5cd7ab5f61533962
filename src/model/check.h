// Inside model/: what the parts of the checker share. One check runs in one thread; the registry under construction
// belongs to it alone.
#pragma once

#include "model/diag.h"
#include "model/model.h"

struct source {             // a file that was read
	struct str pack, file;
	struct str text;
	const struct yaml_node *root;
};

struct place {              // where a name was first defined
	char kind;              // 'm' menu, 'r' role, 'p' point kind, 't' type, 'u' rule
	struct str name;
	const struct yaml_node *at;
};

struct check {
	struct registry *reg;
	struct place *places;
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
// Every name must be a role; "all" becomes every role.
void check_roles(struct check *c, const struct yaml_node *n, struct str **names, size_t *count);
struct str *names_of(struct check *c, const void *items, size_t n, size_t size); // items that begin with their name

// ---- the parts ---------------------------------------------------------------------------------
void check_menu(struct check *c, const struct source *s);
void check_role(struct check *c, const struct source *s);
void check_kind(struct check *c, const struct source *s);
void declare_type(struct check *c, const struct source *s);       // name only; then, when all names are known:
void check_fields(struct check *c, struct type *t, const struct yaml_node *root);
void check_type(struct check *c, struct type *t, const struct yaml_node *root);
void check_states(struct check *c, struct type *t, const struct yaml_node *states);
void check_moves(struct check *c, struct type *t, const struct yaml_node *moves);
void check_graph(struct check *c, struct type *t, const struct yaml_node *states);
void check_lists(struct check *c, struct type *t, const struct yaml_node *lists);
void check_number(struct check *c, const struct type *t, const struct yaml_node *at);
void check_circles(struct check *c);                              // over all types
// Is text a value of the field (menu value, number, date …) or one of its words (now, me)?
bool literal_ok(const struct field *f, struct str text);
