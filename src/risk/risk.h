// Consequence and risk models. A model is one struct: its name, its inputs with unit, range and default, its outputs with
// unit, its source, and a function. One table (models.c) lists them; one reader (read.c) checks and converts what a caller
// gives; one writer (write.c) prints. `anlan calc` and the API show the same structs.
//
// A model computes or fails with the field that is wrong; what is outside of where its source holds but can be computed is a
// warning in the answer. A result that is not finite never leaves: the writer makes it an error.
// Pure but for memory in the caller's arena; any thread. Units are those of the struct; pressures are absolute.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jw.h"
#include "risk/table.h"

#include <math.h>

#define RISK_INPUTS_MAX 40       // inputs of a model
#define RISK_LIST_MAX 2000       // numbers of a list, rows of a table given as input
#define RISK_COLUMNS_MAX 10

enum risk_kind { RISK_NUM, RISK_LIST, RISK_MENU, RISK_TEXT, RISK_ROWS };

struct risk_words {
	const char *zh, *en;              // both or none
};

struct risk_input {
	const char *name, *unit, *zh, *en;
	double min, max;                  // NUM, LIST: inclusive, in unit
	double def;                       // of an optional NUM; NAN: it may be absent altogether
	bool opt;
	bool difference;                  // NUM: above something else (overpressure): a unit's zero does not count
	bool remark;                      // the unit text may be a remark (as in published cases); said in a warning
	enum risk_kind kind;
	const char *const *menu;          // MENU: "name|other name|…", NULL-terminated; the first is the default if opt
	const struct risk_input *columns; // ROWS: ends with a NULL name; a row is an array in this order, or an object
	struct risk_words note;           // where a default comes from, [M] if it was not read in a source
};

struct risk_output {
	const char *name, *unit, *zh, *en; // a name that ends with * stands for a family, such as c_* (c_100m …)
};

// Another name of a model, as published cases call it; ends with * if what follows does not matter.
struct risk_alias {
	const char *name;
	const char *preset;       // "input=item": a menu that the name decides; NULL: none
	const char *units;        // "output=unit;…": what the answer is given in under this name; NULL: as declared
};

struct risk_run;

struct risk_model {
	const char *name, *zh, *en;
	const char *source;       // document and equation
	struct risk_words valid;  // where it holds; none: everywhere in the ranges of the inputs
	const struct risk_input *inputs;
	const struct risk_output *outputs;
	const struct risk_alias *aliases;   // ends with a NULL name; NULL: none
	const char *tables;       // names of the data tables it reads, blanks between; NULL: none
	void (*run)(struct risk_run *r);
};

struct risk_value {
	bool given, with_unit;    // with_unit: a unit stood beside it
	double num;
	int choice;
	struct str text;
	double *list, *raw;       // LIST: in the input's unit, and as it was given (to name outputs after)
	size_t n;                 // of list, or rows
	struct risk_value *cells; // ROWS: n × columns
};

struct risk_result {
	struct str name;
	const struct risk_output *out;
	enum risk_kind kind;      // NUM, LIST, TEXT, ROWS (a list of texts)
	double num;
	const double *list;
	const struct str *texts;
	struct str text;
	size_t n;
};

struct risk_warning {
	struct str zh, en;
};

struct risk_run {
	const struct risk_model *model;
	const struct risk_alias *alias;     // under which it was called, or NULL
	const struct risk_tables *tables;   // may be NULL
	struct arena *arena;
	struct problem *problem;
	struct risk_value v[RISK_INPUTS_MAX];
	struct risk_result *results;
	size_t n, cap;
	struct risk_warning *warnings;
	size_t n_warnings, cap_warnings;
};

struct risk_family {
	const struct risk_model *first;     // of the list; the family ends before the next one's first
	const char *name, *zh, *en, *about_zh, *about_en;
	struct risk_words uncertain;        // how far its answers may be from what happens, with where that is known from
};

// ---- the list -----------------------------------------------------------------------------------
const struct risk_model *const *risk_models(size_t *ret_n);
const struct risk_family *risk_families(size_t *ret_n);
const struct risk_family *risk_family_of(const struct risk_model *m); // NULL: not in the list
// By name or other name (upper and lower case are the same). NULL: none. *ret_alias may be NULL afterwards.
const struct risk_model *risk_find(struct str name, const struct risk_alias **ret_alias);

// ---- from the outside ----------------------------------------------------------------------------
// Reads inputs (a JSON object), runs the model, appends the answer to out as a JSON object. Not OK: problem says which field
// and why, out is unchanged. tables: the data tables of the packs, or NULL.
enum err risk_calc(const struct risk_model *m, const struct risk_alias *alias, const struct risk_tables *tables, struct str json,
                   struct arena *arena, struct buf *out, struct problem *problem) must_check;
enum err risk_read(struct risk_run *r, struct str json) must_check;
void risk_write(struct risk_run *r, struct jw *w);
void risk_write_schema(const struct risk_model *m, const struct risk_tables *tables, struct jw *w);
void risk_write_list(struct jw *w);
void risk_write_families(struct jw *w);

// ---- for the models --------------------------------------------------------------------------------
// An unknown name is a mistake of ours: the run fails with ERR_BUG.
double risk_num(struct risk_run *r, const char *name);    // NAN if optional, without default and absent
bool risk_given(struct risk_run *r, const char *name);
bool risk_with_unit(struct risk_run *r, const char *name); // a unit stood beside the number
int risk_choice(struct risk_run *r, const char *name);    // index in the menu
struct str risk_text(struct risk_run *r, const char *name);
// Row of a substance: as the table's column calls it, or by CAS number, Chinese or English name of the table zone-substances. -1: none.
int risk_substance_row(struct risk_run *r, const struct risk_table *t, const char *column, struct str what);
const double *risk_list(struct risk_run *r, const char *name, size_t *ret_n);
const double *risk_list_raw(struct risk_run *r, const char *name); // the same numbers in the unit of the caller
size_t risk_rows(struct risk_run *r, const char *name);
const struct risk_value *risk_cell(struct risk_run *r, const char *name, size_t row, const char *column);
const struct risk_table *risk_need_table(struct risk_run *r, const char *name); // NULL: the run has failed
// Row of a table by the text of an input, which is the table's own word (column) or its Chinese one. -1: the run has failed, and
// says what there is.
int risk_need_row(struct risk_run *r, const char *table, const char *column, const char *input);

void risk_out(struct risk_run *r, const char *name, double v);
void risk_out_named(struct risk_run *r, double v, const char *fmt, ...) printf_like(3, 4);
void risk_out_list(struct risk_run *r, const char *name, const double *v, size_t n); // copied
void risk_out_text(struct risk_run *r, const char *name, struct str text);
void risk_out_texts(struct risk_run *r, const char *name, const struct str *v, size_t n);
// The first failure counts; a model returns after it. field: of the input.
void risk_fail(struct risk_run *r, const char *field, const char *zh, const char *en, ...) printf_like(3, 5) printf_like(4, 5);
void risk_warn(struct risk_run *r, const char *zh, const char *en, ...) printf_like(2, 4) printf_like(3, 4);
static inline bool risk_failed(const struct risk_run *r) { return r->problem->err != OK; }

// ---- units --------------------------------------------------------------------------------------------
// v in unit from → in unit to. False: one of them is unknown, or they measure different things. A remark behind the unit
// ("kg propane") is ignored. "" is a pure number.
// "kPa gauge", "bar g" count from the atmosphere (101325 Pa).
bool unit_convert(double v, struct str from, struct str to, double *ret);
// The same for a difference of two such values: 1 bar g is 1 bar, 1 C is 1 K.
bool unit_convert_difference(double v, struct str from, struct str to, double *ret);
bool unit_known(struct str unit);
