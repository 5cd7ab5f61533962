// What a cell says, as the JSON value that a field takes (flow.h): menus by their words, references by what people know a
// record by, areas by code or name, dates and amounts as they are written here. One thread a reader.
#pragma once

#include <jansson.h>

#include "auth/auth.h"
#include "exchange/sheet.h"
#include "model/model.h"

struct names;               // what records of the types that are referred to are known by

#define NAME_PENDING INT64_C(-1)  // a row of the same file that is not a record yet

struct cell_reader {
	struct db *db;          // what is there now
	const struct registry *reg;
	const struct identity *by;
	struct names *names;
	struct arena *arena;    // of the row
};

// Can a cell give this field its value at all? Files, pictures and what the system fills in cannot be typed.
bool cell_takes(const struct field *f);
// *ret: a new reference; NULL for an empty cell and for a reference to a row of the file that is not a record yet
// (*ret_pending is true then). A cell that clears the field ("#清空", "#clear") gives JSON null.
// ERR_INVALID: p says with the field's label what is wrong and what is expected.
enum err cell_read(struct cell_reader *r, const struct field *f, const struct cell *c, json_t **ret, bool *ret_pending,
                   struct problem *p) must_check;
// The text of a cell as a person sees it: for keys, headings and messages. In the arena.
struct str cell_text(const struct cell *c, struct arena *a);
// Full-width ASCII to plain, white space at both ends away (U+3000 too).
struct str cell_plain(struct str s, struct arena *a);
// ---- names.c -----------------------------------------------------------------------------------
struct names *names_new(void);
void names_free(struct names *n); // NULL is fine
// The record of the type that is known by this number, unique field or title (or "#id"), in the caller's scope.
// ERR_NOT_FOUND; ERR_CONFLICT if several are called so. id may be NAME_PENDING.
enum err names_find(struct names *n, struct db *db, const struct type *t, const struct identity *by, struct str text,
                    int64_t *ret) must_check;
// A new record, or (id NAME_PENDING) a row that will be one.
void names_add(struct names *n, const struct type *t, struct str text, int64_t id);
// 12-digit code of the area with this name: its own, or with those above it in front (安澜县城关镇). Empty: unknown.
struct str names_area(struct names *n, struct db *db, const struct registry *reg, struct str text);
