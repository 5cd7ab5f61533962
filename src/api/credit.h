// The credit grade of a level of the credit index (0027): red d, orange c, yellow b, else a. Static text.
#pragma once

#include "base/str.h"

const char *credit_grade_of(struct str color);
