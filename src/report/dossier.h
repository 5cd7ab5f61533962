// 一企一档: everything of one enterprise by sections, what is open, overdue or expired in each, what it must have and lacks,
// and how complete it is. What the reader may not read is not in it, neither counted nor missed.
#pragma once

#include "flow/flow.h"

struct dossier_part {           // records of one type
	const struct type *t;
	struct str field;           // of the type: refers to the enterprise; empty: its common column
	int64_t total, open, overdue;
	bool need;                  // this enterprise must have one
	bool complete;              // and has one that is good today
	struct row *items;          // newest first
	size_t nitems;
};
struct dossier_view {
	const struct type *t;       // enterprise
	struct row enterprise;
	struct dossier_part *v;     // by section
	size_t n;
	int64_t have, need;         // completeness = have / need
};
// ERR_NOT_FOUND if the enterprise is not there or not in the reader's scope. items: rows of each type at most.
enum err dossier_read(struct db *db, const struct registry *reg, int64_t enterprise, const struct identity *by, size_t items,
                      struct arena *a, struct dossier_view *ret, struct problem *p) must_check;
struct label dossier_section_label(const struct registry *reg, struct str section); // of menu dossier_section, or the name
// The same on paper.
enum err dossier_paper(struct db *db, const struct registry *reg, const struct dossier_view *v, const struct identity *by,
                       struct str office, int64_t at, struct arena *a, struct str *ret_pdf) must_check;
