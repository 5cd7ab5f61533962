// needs: base series store
// A group of the arrival log. The first byte says whether the checksum is made right first, so that the readings behind
// it are reached as well.
#include <stdlib.h>
#include <string.h>

#include "series/group.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 + GROUP_HEAD || size > 1 + GROUP_HEAD + GROUP_MAX)
		return 0;
	size_t n = size - 1;
	uint8_t *p = malloc(n);
	memcpy(p, data + 1, n);
	if (data[0] & 1) {
		uint32_t count;
		memcpy(&count, p + 12, 4);
		group_head(p, (uint32_t)(n - GROUP_HEAD), count, 1, 0);
		group_seal(p);
	}
	struct group g;
	if (group_open(str_from((const char *)p, n), &g) == OK) {
		struct reading r;
		int64_t arrival;
		uint32_t got = 0;
		while (group_next(&g, &r, &arrival))
			got++;
		if (got > g.count || g.size > n)
			abort();
	}
	free(p);
	return 0;
}
