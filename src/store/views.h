// Saved lists of people: a name for the query of a list, kept for oneself or shared in one's organisation.
#pragma once

#include "store/store.h"

struct view {
	int64_t id, person, at;
	struct str name, query;
	bool shared;
};
// Own ones and those shared in the organisation (0 = none), by name.
enum err views_list(struct db *db, struct str type, int64_t person, int64_t organisation, struct arena *a, struct view **ret,
                    size_t *ret_n) must_check;
// In a job. ERR_CONFLICT (field "name") if the person has one of this name, ERR_TOO_LARGE if he has LIMIT_VIEWS.
enum err views_add(struct db *db, struct str type, int64_t organisation, const struct view *v, int64_t *ret_id,
                   struct problem *p) must_check;
enum err views_remove(struct db *db, int64_t id, int64_t person) must_check; // in a job; ERR_NOT_FOUND unless it is his own
