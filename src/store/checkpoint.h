// Folds the database's log (WAL) back into its file, in a thread of its own: the writer would keep everybody waiting for it,
// once in a hundred commits for as long as the disk takes to sync some 16 MiB in random places.
#pragma once

#include "store/db.h"

struct checkpointer;
// Starts the thread; the writer's commits wake it from now on. Without a thread SQLite folds in the commits, as it does itself.
struct checkpointer *checkpointer_open(struct db *writer, const char *path);
void checkpointer_close(struct checkpointer *c); // before the writer is closed; NULL is fine
