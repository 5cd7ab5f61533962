// The form of an answer in one line, and JSON Schema made of it. Pure.
//   int num str bool time any null      Name: another schema      [X]: a list      X|Y: either      'a'|'b': one of these words
//   {a:X, b?:Y, *:Z}: an object with a, perhaps b, and any others of the form Z (without *: others are not described)
#pragma once

#include "base/jw.h"

// Writes the JSON Schema; false if the text is not in the notation (a mistake of ours: a test sees it).
bool schema_write(struct jw *w, const char *text) must_check;
