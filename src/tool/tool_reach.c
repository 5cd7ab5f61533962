// `anlan reach --role R`: what a role can reach, from the packs alone.
#include <stdio.h>
#include <stdlib.h>

#include "flow/reach.h"
#include "tool/tool.h"

static const char usage[] = "用法 / usage: anlan reach [--role ROLE] [--csv] [--packs DIR]";

static void print(const struct registry *reg, const struct role *r, bool csv, bool en, struct arena *a)
{
	struct buf b;
	buf_init(&b, 16u << 20);
	(csv ? reach_csv : reach_text)(&b, reg, r, en, a);
	printf("%.*s\n", (int)b.n, b.p ? b.p : "");
	buf_free(&b);
}

int tool_reach(int argc, char **argv)
{
	const char *name = tool_option(&argc, argv, "--role"), *packs = tool_option(&argc, argv, "--packs"), *lang = getenv("LANG");
	bool csv = tool_flag(&argc, argv, "--csv"), en = !(lang && strncmp(lang, "zh", 2) == 0), any = false;
	tool_no_more_options(argc, argv, usage);
	if (argc) {
		fprintf(stderr, "%s\n", usage);
		return 2;
	}
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct registry *reg;
	struct diags d = { .arena = a, .zh = !en };
	if (registry_load(&reg, str_of(packs ? packs : tool_packs_dir()), &d)) {
		for (size_t i = 0; i < d.n; i++)
			fprintf(stderr, "%.*s:%u:%u: %.*s\n", STR_FMT(d.v[i].file), d.v[i].line, d.v[i].col, STR_FMT(d.v[i].text));
		return 1;
	}
	for (size_t i = 0; i < reg->nroles; i++)
		if (!name || str_is(reg->roles[i].name, name)) {
			print(reg, &reg->roles[i], csv, en, a);
			any = true;
		}
	registry_free(reg);
	if (!any)
		fprintf(stderr, "anlan: 没有角色 / there is no role %s\n", name ? name : "");
	return any ? 0 : 1;
}
