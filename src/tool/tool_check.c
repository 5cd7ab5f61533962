// `anlan check [PATH…]`: every mistake in packs and rules as file:line:col: text. Runs before anything is started;
// no database, no network. The county's own packs are checked over those that the program ships with.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alarm/alarm.h"
#include "base/arena.h"
#include "config/config.h"
#include "model/pack_texts.h"
#include "model/yaml.h"
#include "tool/tool.h"

static const char usage[] = "用法 / usage: anlan check [--lang zh|en] [--costs] [PATH…]\n"
	"  检查业务包，不启动服务；--costs 列出计算字段的代价 / checks packs, starts nothing";

struct count {
	size_t types, rules, mistakes;
};

static void print_diags(const struct diags *d, struct str only)
{
	for (size_t i = 0; i < d->n; i++)
		if (str_starts(d->v[i].file, only))
			printf("%.*s:%u:%u: %.*s\n", STR_FMT(d->v[i].file), d->v[i].line, d->v[i].col, STR_FMT(d->v[i].text));
}

static size_t count_of(const struct diags *d, struct str only)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		n += str_starts(d->v[i].file, only);
	return n;
}

// One pack refers to menus, roles and types of the others: it is checked together with the folder it lies in, and only
// its own mistakes are told.
static struct str folder_of(struct arena *a, struct str path, struct str *ret_only)
{
	static const char *const parts[] = { "types", "menus", "roles", "points", "rules", "fragments", "calendars", "schedules",
		                             "indicators", "indexes", "assessments", "documents", "migrations", "payloads" };
	char real[PATH_MAX];
	*ret_only = STR_EMPTY;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct str part = arena_printf(a, "%.*s/%s", STR_FMT(path), parts[i]);
		if (access(part.p, F_OK) != 0)
			continue;
		if (!realpath(path.p, real))
			return path;
		struct str dir = arena_str(a, str_of(real));
		*ret_only = arena_printf(a, "%.*s/", STR_FMT(dir));
		while (dir.n && dir.p[dir.n - 1] != '/')
			dir.n--;
		return arena_str(a, str_first(dir, dir.n ? dir.n - 1 : 0));
	}
	return path;
}

// Everything else refers to these; a folder that has them is a whole set of packs.
static bool is_complete(const struct pack_texts *t)
{
	static const char *const files[] = { "core/roles/admin.yaml", "core/types/area.yaml", "core/types/person.yaml" };
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!pack_texts_find(t, str_of(files[i])))
			return false;
	return true;
}

// A whole set of packs stands alone. The county's own ones (DIR/packs) lie over those of the program, as in the server.
static void read_texts(struct str dir, struct pack_texts *t, struct diags *d)
{
	struct pack_texts alone = { .arena = d->arena };
	pack_texts_read(&alone, dir, true, NULL);
	if (is_complete(&alone) || alone.n == 0) {
		pack_texts_read(t, dir, false, d);
		return;
	}
	pack_texts_read(t, str_of(tool_packs_dir()), false, NULL);
	pack_texts_read(t, dir, true, d);
}

// Of each rule with an expression: what one judgement takes and what it holds in memory at a point.
static void print_costs(const struct registry *reg, struct str only, bool zh, struct arena *a)
{
	struct diags d = { .arena = a };
	struct rule_set *rs;
	struct rule_cost cost;
	if (rules_compile(&rs, reg, &d))
		return;
	for (uint32_t i = 0; i < rules_count(rs); i++) {
		struct rule_info r = rule_info(rs, i);
		if (str_starts(r.file, only) && rule_cost(rs, i, &cost))
			fprintf(stderr, zh ? "%.*s：%s，每次判断 %zu 步，每个测点 %zu 字节\n" : "%.*s: %s, %zu steps a judgement, %zu bytes a point\n",
			        STR_FMT(r.name), zh ? cost.zh : cost.en, cost.steps, cost.bytes);
	}
	rules_free(rs);
}

static void check_path(struct arena *a, const char *path, bool zh, bool costs, struct count *all)
{
	struct diags d = { .arena = a, .zh = zh };
	struct pack_texts texts = { .arena = a };
	struct str only, dir = folder_of(a, str_of(path), &only);
	struct registry *reg = NULL;
	read_texts(dir, &texts, &d);
	enum err err = registry_load_texts(&reg, &texts, &d);
	if (d.n)
		err = ERR_INVALID;
	if (!err && !config_compiles(reg, &d))
		err = ERR_INVALID;
	diags_sort(&d);
	print_diags(&d, only);
	all->mistakes += count_of(&d, only);
	if (!err) {
		all->types += reg->ntypes;
		all->rules += reg->nrules;
		if (costs)
			print_costs(reg, only, zh, a);
	}
	registry_free(reg);
}

// The language of the terminal, unless --lang says which.
static bool wants_zh(const char *lang)
{
	if (!lang)
		lang = getenv("LC_ALL");
	if (!lang || !*lang)
		lang = getenv("LANG");
	return lang && strncmp(lang, "zh", 2) == 0;
}

int tool_check(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct count all = { 0 };
	bool zh = wants_zh(tool_option(&argc, argv, "--lang"));
	bool costs = tool_flag(&argc, argv, "--costs");
	tool_no_more_options(argc, argv, usage);
	if (argc < 1)
		check_path(a, tool_packs_dir(), zh, costs, &all);
	for (int i = 0; i < argc; i++)
		check_path(a, argv[i], zh, costs, &all);
	if (all.mistakes)
		fprintf(stderr, zh ? "%zu 处错误\n" : "mistakes: %zu\n", all.mistakes);
	else
		fprintf(stderr, zh ? "没有错误：%zu 个类型，%zu 条规则\n" : "no mistakes: %zu types, %zu rules\n", all.types, all.rules);
	arena_free(a);
	return all.mistakes ? 1 : 0;
}
