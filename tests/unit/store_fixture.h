// A store in a folder of its own under /tmp, removed afterwards. Included by the tests that need one.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/store.h"

struct fixture {
	char dir[64];
	struct store *store;
	struct arena *arena;
	struct problem p;
};

static inline void fixture_open(struct fixture *f)
{
	problem_init(&f->p, f->arena);
	assert_int_equal(store_open(&f->store, f->dir, &f->p), OK);
}

static inline void fixture_begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/anlan-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->arena = arena_new(0);
	fixture_open(f);
}

static inline void fixture_reopen(struct fixture *f)
{
	store_close(f->store);
	fixture_open(f);
}

static inline void fixture_end(struct fixture *f)
{
	store_close(f->store);
	static const char *const names[] = { "anlan.db", "anlan.db-wal", "anlan.db-shm", "secret.key" };
	char path[128];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	arena_free(f->arena);
}

// Each write begins with a clean problem.
static inline enum err fixture_write(struct fixture *f, store_job *job, void *arg)
{
	problem_init(&f->p, f->arena);
	return store_write(f->store, job, arg, &f->p);
}

static inline void assert_str(struct str got, const char *want)
{
	if (!str_is(got, want))
		fail_msg("got \"%.*s\", want \"%s\"", STR_FMT(got), want);
}
