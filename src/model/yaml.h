// YAML through libyaml events into a tree that keeps file, line and column of every node. The dialect is small:
// block and flow mappings and sequences, plain and quoted scalars. Refused with a message: anchors, aliases, tags,
// several documents, duplicate keys, depth and size beyond base/limits.h. All scalars are text; the reader of a key
// says what type it expects.
#pragma once

#include "base/arena.h"
#include "model/model.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	struct str file;
	struct str text;            // SCALAR
	struct yaml_node **items;   // LIST: items; MAP: values
	struct yaml_node **keys;    // MAP: keys (scalars)
	unsigned n;
	unsigned line;              // from 1
	unsigned col : 28;          // from 1
	enum yaml_kind kind : 2;
	bool quoted : 1, folded : 1; // SCALAR: in quotes; over several lines, so that a place in the text is no place in the file
};
_Static_assert(sizeof(struct yaml_node) <= 64, "the packs have a hundred thousand");

// Parses text (file is only for messages). NULL after a mistake, which is in d.
struct yaml_node *yaml_parse(struct arena *a, struct str file, struct str text, struct diags *d);
// The same with the tree in one arena and the texts of its scalars in another, for who keeps only texts.
struct yaml_node *yaml_parse_apart(struct arena *tree, struct arena *texts, struct str file, struct str text, struct diags *d);
struct yaml_node *yaml_keep(const struct yaml_node *n, struct arena *a); // a copy of the tree; texts are not copied
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); // NULL if absent or not a map
void diag_add(struct diags *d, const struct yaml_node *at, const char *fmt, ...) printf_like(3, 4);
// The same in both languages: zh and en are formats that take the same arguments in the same order; d->zh chooses.
void diag_say(struct diags *d, const struct yaml_node *at, const char *zh, const char *en, ...) printf_like(3, 5)
        printf_like(4, 5);
// Appends "did you mean …" to the last diagnostic if one of the names is near to word.
void diag_near(struct diags *d, struct str word, const struct str *names, size_t n);
// Sorts by file, line, column, and drops exact repetitions.
void diags_sort(struct diags *d);
// Reports every key of map that is not in allowed (NULL-terminated), with "did you mean" for near misses.
void yaml_check_keys(const struct yaml_node *map, const char *const *allowed, struct diags *d);

// Typed access; each reports a wrong type or bad value at the node and returns false.
bool yaml_str(const struct yaml_node *n, struct str *ret, struct diags *d);
bool yaml_f64(const struct yaml_node *n, double *ret, struct diags *d);
bool yaml_i64(const struct yaml_node *n, int64_t *ret, struct diags *d);
bool yaml_bool(const struct yaml_node *n, bool *ret, struct diags *d);      // true / false only
bool yaml_duration(const struct yaml_node *n, int64_t *ret_us, struct diags *d); // 30s, 15d …
bool yaml_label(const struct yaml_node *n, struct label *ret, struct diags *d); // {zh: …, en: …}, both required
bool yaml_strs(const struct yaml_node *n, struct arena *a, struct str **ret, size_t *ret_n, struct diags *d); // list of scalars
