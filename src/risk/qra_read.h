// Between qra_read.c and qra_data.c.
#pragma once

#include "base/limits.h"
#include "risk/qra_int.h"

struct qra_reader {
	const struct risk_tables *tables;
	struct arena *arena;
	struct problem *p;
	char path[160];           // of the object at hand, for messages
	const struct qra_substance **substances;
	size_t nsubstances, cap_substances, nscenarios, directions;
	double explosion_share;
};

extern const char *const qra_targets[]; // [QRA_NO_TARGET], as in the table domino

const struct risk_table *qra_table(struct qra_reader *r, const char *name); // NULL: said
bool qra_read_rules(struct qra_reader *r, struct qra_rules *ret);
const struct qra_substance *qra_find_substance(struct qra_reader *r, struct str name); // by either name; NULL: none
double qra_direct_ignition(struct qra_reader *r, const struct qra_scenario *s);
double qra_generic_frequency(struct qra_reader *r, struct str equipment, struct str failure);
double qra_place_limit(struct qra_reader *r, struct str cls, bool old);
bool qra_read_line(struct qra_reader *r, struct str name, struct qra_fn_line *ret); // empty name: the first
void qra_usual_levels(struct qra_reader *r, struct qra_input *in);
