// A record as people read it: menus by their labels, references by their titles, times in the site's zone, personal data
// masked from who may not see it. Exports, documents, reports and dossiers are made of it, so that they agree.
#pragma once

#include "flow/flow.h"

enum word_kind { WORD_NONE /* no value */, WORD_TEXT, WORD_NUMBER, WORD_DATE, WORD_TIME };

struct word {
	enum word_kind kind;
	struct str text;        // as it is printed, whatever the kind
	double number;          // WORD_NUMBER; WORD_DATE: days since 1970-01-01
	int64_t at;             // WORD_TIME: us
};

// Titles that were looked up once are kept; one thread, one connection, one caller.
struct words;
struct words *words_new(struct db *db, const struct registry *reg, const struct identity *by, bool en);
void words_free(struct words *w); // NULL is fine

// A field of the row (also one that is a common column), or a common column by its name: number title state area
// enterprise sector deadline created_at created_by … Text in a.
struct word words_field(struct words *w, const struct type *t, const struct field *f, const struct row *row, struct arena *a);
struct word words_common(struct words *w, const struct type *t, struct str column, const struct row *row, struct arena *a);
// A ROWS value as cells, row by row, as many columns as the field has; the number of rows.
size_t words_rows(struct words *w, const struct field *f, const struct value *v, struct arena *a, struct str **ret_cells);
struct str words_title(struct words *w, struct str type, int64_t id); // lives as long as w; empty if there is none
struct str words_area(struct words *w, struct str code);              // name of the area, or the code
struct str words_label(const struct words *w, struct label l);
struct str words_time(int64_t us, struct arena *a);                   // "2026-11-22 08:30"; 0: empty

// Inside a store job: the next number by a numbering rule, without gaps; name: of the sequence's owner ("document:notice").
enum err flow_number(struct db *db, struct str name, struct str rule, struct str area, int64_t enterprise, int64_t at, struct arena *a,
                     struct str *ret) must_check;
