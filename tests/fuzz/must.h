// Stopping on a broken promise, so that the fuzzer keeps the input.
#pragma once

#include <stdbool.h>
#include <stdlib.h>

static inline void must(bool ok)
{
	if (!ok)
		abort();
}
