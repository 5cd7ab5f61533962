// What a role can reach, worked out of the types: the report for who grants it and who checks the grants. Pure; any thread.
// It asks the same functions of auth/ that decide, so report and decision cannot part.
#pragma once

#include "auth/auth.h"
#include "base/buf.h"
#include "base/jw.h"

// The whole role: permissions, what it manages, mask, and every type.
void reach_json(struct jw *w, const struct registry *reg, const struct role *role, struct arena *a);
// As a table, a line a type: for spreadsheets (csv: quoted, comma) or for the terminal (text: a few lines a type).
void reach_csv(struct buf *out, const struct registry *reg, const struct role *role, bool en, struct arena *a);
void reach_text(struct buf *out, const struct registry *reg, const struct role *role, bool en, struct arena *a);
