// Shared by the files of measure/ only.
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "base/time.h"
#include "expr/expr.h"
#include "measure/measure.h"
#include "model/yaml.h"

struct loading {
	struct measures *m;
	const struct registry *reg;
	struct arena *a;
	struct diags *d;
};
// assess_load.c
void assessment_load(struct loading *l, const struct pack_file *f);
void sheet_field_check(struct loading *l, const struct type *t, const struct field *f);
// load.c
struct str digest_of(const struct yaml_node *n, struct arena *a);
// An expression over indicator(NAME). The names are checked when all files are read.
const struct expr *indicator_expr(struct loading *l, const struct yaml_node *n);
bool known_indicators(struct loading *l, const struct expr *e, const struct yaml_node *at);
bool name_read(struct loading *l, const struct yaml_node *root, const char *key, struct str *ret);
bool need_node(struct loading *l, const struct yaml_node *map, const char *key, const struct yaml_node **ret);
// NULL after a mistake, which is told.
const struct type *type_read(struct loading *l, const struct yaml_node *n);
const struct field *field_read(struct loading *l, const struct type *t, const struct yaml_node *n);
void source_read(struct loading *l, struct source *s, const struct yaml_node *n);
// One of a list of words; -1 after a mistake, fallback if absent.
int word_read(struct loading *l, const struct yaml_node *map, const char *key, const char *const *words, int fallback);

// value.c
struct str area_key(struct str code, size_t tier, struct arena *a); // 12 digits
// The area that a caller's question is about: the one asked for, else all he may see.
struct str area_asked(const struct measure_ask *q);
enum err area_top(const struct measure_ask *q, struct str *ret) must_check; // 12 digits
