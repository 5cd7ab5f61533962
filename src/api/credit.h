// What the credit index (0027) says of an enterprise, for credit.c and effects.c.
#pragma once

#include <jansson.h>

#include "api/api.h"

// The grade of a level of the index: red d, orange c, yellow b, else a. Static text.
const char *credit_grade_of(struct str color);
// The index's own explanation (index_why_json), within the rights of who asks. *ret: a new reference, untouched after an error.
enum err credit_why(struct call *c, struct db *db, int64_t enterprise, json_t **ret) must_check;
