// Feeds files to a fuzz target once each: what the corpus reaches is measured without a fuzzer (tools/fuzz-coverage).
//   build/cov/fuzz_hj212 FILE…
#include "base/buf.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define INPUT_MAX (4u << 20)

static bool feed(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	struct buf b;
	buf_init(&b, INPUT_MAX);
	size_t n;
	do {
		char *room = buf_room(&b, 4096);
		n = room ? fread(room, 1, 4096, f) : 0;
		buf_commit(&b, n);
	} while (n);
	fclose(f);
	LLVMFuzzerTestOneInput((const uint8_t *)b.p, b.n);
	buf_free(&b);
	return true;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!feed(argv[i])) {
			perror(argv[i]);
			return 1;
		}
	return 0;
}
