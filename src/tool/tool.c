#include "tool/tool.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// The first of the candidates, relative to the executable's folder, that exists.
static const char *beside(const char *const *candidates, char *ret)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[MAX(n, 0)] = 0;
	char *slash = strrchr(exe, '/');
	if (slash)
		*slash = 0;
	for (size_t i = 0; candidates[i]; i++) {
		snprintf(ret, PATH_MAX, "%.*s/%s", PATH_MAX / 2, exe, candidates[i]);
		if (is_dir(ret))
			return ret;
	}
	return "";
}

const char *tool_packs_dir(void)
{
	static char path[PATH_MAX];
	static const char *const candidates[] = { "../packs", "packs", "../share/anlan/packs", "../../packs", NULL };
	return *path ? path : beside(candidates, path);
}

const char *tool_ui_dir(void)
{
	static char path[PATH_MAX];
	static const char *const candidates[] = { "ui", "../share/anlan/ui", "../build/ui", NULL };
	return *path ? path : beside(candidates, path);
}

static void take(int *argc, char **argv, int at, int n)
{
	for (int i = at; i + n < *argc; i++)
		argv[i] = argv[i + n];
	*argc -= n;
}

const char *tool_option(int *argc, char **argv, const char *name)
{
	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], name) != 0)
			continue;
		if (i + 1 >= *argc) {
			fprintf(stderr, "anlan: %s 需要一个值 / needs a value\n", name);
			exit(2);
		}
		const char *value = argv[i + 1];
		take(argc, argv, i, 2);
		return value;
	}
	return NULL;
}

bool tool_flag(int *argc, char **argv, const char *name)
{
	for (int i = 0; i < *argc; i++)
		if (strcmp(argv[i], name) == 0) {
			take(argc, argv, i, 1);
			return true;
		}
	return false;
}

void tool_no_more_options(int argc, char **argv, const char *usage)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0) {
			puts(usage);
			exit(0);
		} else if (argv[i][0] == '-' && argv[i][1]) {
			fprintf(stderr, "anlan: 不认识的选项 / unknown option %s\n%s\n", argv[i], usage);
			exit(2);
		}
}
