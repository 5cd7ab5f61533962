// `anlan archive`, `anlan backup`, `anlan restore`: a county in one file, and back. Running server or not.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/log.h"
#include "exchange/archive.h"
#include "tool/tool.h"

static const char archive_usage[] = "用法 / usage: anlan archive FILE --data DIR [--readings]\n"
                                    "              anlan archive --check FILE\n"
                                    "归档是不用本程序也能读的文本，不含口令和密钥；--readings 连同监测数据。\n"
                                    "An archive is text that can be read without this program; no passwords or keys are in it. --readings: the series too.";
static const char backup_usage[] = "用法 / usage: anlan backup FILE --data DIR\n"
                                   "现在的数据目录，含口令的散列，不含 secret.key：该文件请另存一处。服务可以在运行。\n"
                                   "The data folder as it is now, password hashes included, secret.key not: keep a copy of that file in another place.\n"
                                   "The server may be running.";
static const char restore_usage[] = "用法 / usage: anlan restore FILE --data DIR\n"
                                    "从归档或备份恢复到一个空目录。 / From an archive or a backup into an empty folder.";

static int say(const struct problem *p, enum err err)
{
	struct str zh = p->zh.n ? p->zh : str_of(err_text(err, true)), en = p->en.n ? p->en : str_of(err_text(err, false));
	fprintf(stderr, "anlan: %.*s / %.*s\n", STR_FMT(zh), STR_FMT(en));
	return 1;
}

static void print(const char *what, const char *file, const struct archive_report *r)
{
	struct stat st;
	printf("%s %s: %s, %lld members", what, r->kind, file, (long long)r->members);
	if (r->rows)
		printf(", %lld rows", (long long)r->rows);
	if (r->readings)
		printf(", %lld readings", (long long)r->readings);
	if (r->bytes)
		printf(", %lld bytes", (long long)r->bytes);
	if (stat(file, &st) == 0)
		printf(", file of %lld bytes", (long long)st.st_size);
	if (*r->audit_hash)
		printf(", audit %lld:%s", (long long)r->audit_count, r->audit_hash);
	printf("\n");
}

static int usage(const char *text)
{
	fprintf(stderr, "%s\n", text);
	return 2;
}

int tool_archive(int argc, char **argv)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct problem p;
	struct archive_report r;
	problem_init(&p, a);
	const char *data = tool_option(&argc, argv, "--data"), *check = tool_option(&argc, argv, "--check");
	bool readings = tool_flag(&argc, argv, "--readings");
	tool_no_more_options(argc, argv, archive_usage);
	if (check ? data || argc : !data || argc != 1)
		return usage(archive_usage);
	enum err err = check ? archive_check(check, &r, &p) : archive_write(data, argv[0], readings, ANLAN_VERSION, &r, &p);
	if (err)
		return say(&p, err);
	print(check ? "完整 / whole" : "已写 / written", check ? check : argv[0], &r);
	return 0;
}

int tool_backup(int argc, char **argv)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct problem p;
	struct archive_report r;
	problem_init(&p, a);
	const char *data = tool_option(&argc, argv, "--data");
	tool_no_more_options(argc, argv, backup_usage);
	if (!data || argc != 1)
		return usage(backup_usage);
	enum err err = backup_write(data, argv[0], ANLAN_VERSION, &r, &p);
	if (err)
		return say(&p, err);
	print("已写 / written", argv[0], &r);
	printf("密钥 %s/secret.key 不在备份中，请另存一份 / the key is not in it: keep a copy of that file in another place\n", data);
	return 0;
}

int tool_restore(int argc, char **argv)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct problem p;
	struct archive_report r;
	problem_init(&p, a);
	const char *data = tool_option(&argc, argv, "--data");
	tool_no_more_options(argc, argv, restore_usage);
	if (!data || argc != 1)
		return usage(restore_usage);
	enum err err = archive_restore(argv[0], data, &r, &p);
	if (err)
		return say(&p, err);
	print("已恢复 / restored", argv[0], &r);
	if (strcmp(r.kind, "backup") == 0)
		printf("启动前请把原来的 secret.key（权限 600）放回 %s；没有它，第二因素要重新绑定，消息通道的口令要重新设置 / "
		       "before the start put the old secret.key (mode 600) back there; without it second factors are set up and secrets of "
		       "channels stored anew\n", data);
	if (strcmp(r.kind, "archive") == 0)
		printf("口令不在归档中：用 anlan user passwd NAME --data %s 设置 / passwords are not in it: set them with that command\n", data);
	return 0;
}
