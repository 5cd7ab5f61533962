// What a row holds in a field, by the field's name: for code that knows one type of record and reads it. Pure.
#pragma once

#include "model/model.h"

// VAL_NULL if the type has no such field, or if it is one of the common columns (struct common has those).
const struct value *held(const struct type *t, const struct row *row, const char *field);
struct str held_text(const struct type *t, const struct row *row, const char *field);                       // empty if it is none
int64_t held_int(const struct type *t, const struct row *row, const char *field, int64_t fallback);         // a number is cut
bool held_place(const struct type *t, const struct row *row, const char *field, double *lon, double *lat); // degrees; false if none
double held_number(const struct type *t, const struct row *row, const char *field, double fallback);
