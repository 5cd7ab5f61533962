// The fixed tables, as numbered migrations. Called by store_open in the opening thread, before the writer starts.
#pragma once

#include "store/store.h"

// Applies every migration that this database has not had yet, each in a transaction of its own together with its
// entry in table `migration`. ERR_UNSUPPORTED if the database was written by a newer program.
enum err schema_migrate(struct db *db, struct problem *p) must_check;
