// `anlan bench`: one benchmark a word. Each prints one JSON object.
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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
	{ "fences", bench_fences },
	{ "detect", bench_detect },
	{ "tiles", bench_tiles },
	{ "qra", bench_qra },
};

bool bench_dir(const char *dir)
{
	char path[4096];
	size_t n = strlen(dir);
	if (n && n < sizeof path) {
		memcpy(path, dir, n + 1);
		for (size_t i = 1; i <= n; i++) {
			if (path[i] != '/' && i < n)
				continue;
			char was = path[i];
			path[i] = 0;
			(void)mkdir(path, 0700); // the last word is access()
			path[i] = was;
		}
	}
	if (access(dir, R_OK | W_OK | X_OK) == 0)
		return true;
	fprintf(stderr, "anlan: --dir %s：文件夹不能用（%s）。请给一个可以读写的文件夹，没有时会自动建立\n"
	                "anlan: --dir %s: the folder cannot be used (%s). Name one that may be read and written; it is made if it is not there\n",
	        dir, strerror(errno), dir, strerror(errno));
	return false;
}

int tool_bench(int argc, char **argv)
{
	for (size_t i = 0; argc && i < ARRAY_LEN(benches); i++)
		if (strcmp(argv[0], benches[i].name) == 0)
			return benches[i].run(argc - 1, argv + 1);
	bool asked = argc == 1 && strcmp(argv[0], "--help") == 0;
	FILE *to = asked ? stdout : stderr;
	fprintf(to, "用法 / usage: anlan bench ");
	for (size_t i = 0; i < ARRAY_LEN(benches); i++)
		fprintf(to, "%s%s", i ? "|" : "", benches[i].name);
	fprintf(to, " [--help]\n");
	return asked ? 0 : 2;
}
