// `anlan bench`: one benchmark a word. Each prints one JSON object.
#include <stdio.h>

#include "tool/bench.h"
#include "tool/tool.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} benches[] = {
	{ "ingest", bench_ingest },
	{ "flood", bench_flood },
	{ "alarm", bench_alarm },
	{ "gate", bench_gate },
	{ "series", bench_series },
	{ "records", bench_records },
	{ "import", bench_import },
	{ "query", bench_query },
	{ "index", bench_index },
	{ "detect", bench_detect },
	{ "tiles", bench_tiles },
	{ "qra", bench_qra },
};

int tool_bench(int argc, char **argv)
{
	for (size_t i = 0; argc && i < ARRAY_LEN(benches); i++)
		if (strcmp(argv[0], benches[i].name) == 0)
			return benches[i].run(argc - 1, argv + 1);
	fprintf(stderr, "usage: anlan bench ");
	for (size_t i = 0; i < ARRAY_LEN(benches); i++)
		fprintf(stderr, "%s%s", i ? "|" : "", benches[i].name);
	fprintf(stderr, " [--help]\n");
	return 2;
}
