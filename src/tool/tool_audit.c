// `anlan audit verify`: recomputes the chain of a data folder, running server or not. Exit status 1 and the name of the
// first wrong entry if it does not hold.
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/audit.h"
#include "tool/tool.h"

static const char usage[] = "用法 / usage: anlan audit verify --data DIR [--anchor COUNT:HASH]\n"
	"校验审计链，输出条数和最后的散列，可抄下作为锚点 / verifies the chain and prints its length and last hash, an anchor to be noted down";

static int say(const struct problem *p, enum err err)
{
	struct str zh = p->zh.n ? p->zh : str_of(err_text(err, true)), en = p->en.n ? p->en : str_of(err_text(err, false));
	fprintf(stderr, "anlan: %.*s / %.*s\n", STR_FMT(zh), STR_FMT(en));
	return 1;
}

// The head that was kept elsewhere: is that entry still the same?
static enum err check_anchor(struct db *db, const char *anchor, struct problem *p)
{
	struct str hash = str_of(anchor), count = str_cut(&hash, ':');
	int64_t seq;
	char now[65];
	if (!str_to_i64(count, &seq) || seq < 1 || hash.n != 64)
		return problem_set(p, ERR_INVALID, "anchor", "锚应为 序号:哈希", "an anchor is COUNT:HASH");
	enum err err = audit_hash_at(db, seq, now);
	if (err == ERR_NOT_FOUND)
		return problem_set(p, ERR_CORRUPT, "", "审计记录 %lld 缺失", "audit entry %lld is missing", (long long)seq);
	if (!err && !str_eq_nocase(hash, str_of(now)))
		return problem_set(p, ERR_CORRUPT, "", "审计记录 %lld 与锚不符，整条链可能被重写",
		                   "audit entry %lld does not fit the anchor: the chain may have been rewritten", (long long)seq);
	return err;
}

static enum err verify(struct store *s, const char *anchor, struct problem *p)
{
	int64_t count = 0;
	char hash[65] = "";
	struct db *db = store_read_begin(s);
	enum err err = audit_verify(db, p, &count, hash);
	if (!err && anchor)
		err = check_anchor(db, anchor, p);
	store_read_end(s, db);
	if (!err)
		printf("%lld %s\n", (long long)count, hash);
	return err;
}

int tool_audit(int argc, char **argv)
{
	const char *data = tool_option(&argc, argv, "--data"), *anchor = tool_option(&argc, argv, "--anchor");
	tool_no_more_options(argc, argv, usage);
	if (argc != 1 || strcmp(argv[0], "verify") != 0 || !data) {
		fprintf(stderr, "%s\n", usage);
		return 2;
	}
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct problem p;
	struct store *s;
	problem_init(&p, a);
	if (access(arena_cstr(a, arena_printf(a, "%s/anlan.db", data)), F_OK) != 0) {
		problem_set(&p, ERR_NOT_FOUND, "", "%s 中没有数据库", "there is no database in %s", data);
		return say(&p, ERR_NOT_FOUND);
	}
	enum err err = store_open(&s, data, &p);
	if (err)
		return say(&p, err);
	err = verify(s, anchor, &p);
	store_close(s);
	return err ? say(&p, err) : 0;
}
