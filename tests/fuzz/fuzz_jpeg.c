// Any bytes as a photo that somebody sends who has not logged in: what is kept is a whole JPEG of nothing but the picture, or nothing.
// needs: base
#include <stdlib.h>
#include <string.h>

#include "base/jpeg.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	struct str plain = jpeg_plain(str_from((const char *)data, size), a);
	if (plain.n) {
		must(plain.n <= size && plain.n >= 4 && memcmp(plain.p, "\xff\xd8", 2) == 0 && memcmp(plain.p + plain.n - 2, "\xff\xd9", 2) == 0);
		must(str_eq(jpeg_plain(plain, a), plain)); // there is nothing left to take out
	}
	arena_free(a);
	return 0;
}
