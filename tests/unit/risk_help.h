// The data tables of the packs for the tests of src/risk: an arena of the whole file, loaded once, as group setup and teardown.
#pragma once

#include "base/arena.h"
#include "risk/risk.h"

static struct arena *a;
static struct risk_tables tables;

static int setup(void **state)
{
	(void)state;
	struct str wrong;
	a = arena_new(1 << 20);
	return risk_tables_load(a, "packs", &tables, &wrong) ? 0 : 1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}
