// anlan-verify [--anchor SEQ:HASH]… [--anchors FILE|DIR]… DIR | anlan.db | EXPORT.ndjson
// Exit status: 0 nothing found, 1 something found, 2 cannot be read.
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "verify/verify.h"

#define SHOWN_MAX 1000
#define FILE_MAX (1u << 30)

static const char usage[] =
	"usage: anlan-verify [--anchor SEQ:HASH]... [--anchors FILE|DIR]... DATA-DIR | anlan.db | EXPORT.ndjson\n"
	"       Anchors must come from outside the server; those of a document: 审计锚 SEQ:HASH\n";

static const char *const names[FINDINGS] = { "altered/改动", "incomplete/缺失", "rewritten/重写", "unprotected/失去保护" };

void verdict_add(struct verdict *v, enum finding f, const char *zh, const char *en, ...)
{
	va_list ap;
	v->found[f]++;
	if (v->quiet || v->shown++ >= SHOWN_MAX)
		return;
	va_start(ap, en);
	struct str e = arena_vprintf(v->arena, en, ap);
	va_end(ap);
	va_start(ap, en);
	struct str z = arena_vprintf(v->arena, zh, ap);
	va_end(ap);
	printf("%-18s %.*s / %.*s\n", names[f], STR_FMT(z), STR_FMT(e));
}

// ---- anchors -----------------------------------------------------------------------------------
struct anchors {
	struct arena *a;
	struct anchor *v;
	size_t n, cap;
};

static bool anchors_line(struct anchors *as, struct str line, const char *from)
{
	struct anchor x;
	if (!chain_anchor_read(line, &x.seq, x.hash))
		return false;
	x.from = arena_str(as->a, str_of(from));
	as->v = arena_push(as->a, as->v, &as->n, &as->cap, sizeof *as->v);
	as->v[as->n - 1] = x;
	return true;
}

static bool read_file(const char *path, struct buf *ret)
{
	FILE *f = fopen(path, "rb");
	char block[64 << 10];
	size_t n;
	buf_init(ret, FILE_MAX);
	if (!f)
		return false;
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		buf_add(ret, block, n);
	bool ok = !ferror(f) && buf_ok(ret);
	fclose(f);
	return ok;
}

static bool anchors_file(struct anchors *as, const char *path)
{
	struct buf b;
	bool ok = read_file(path, &b);
	struct str text = buf_str(&b);
	while (ok && text.n)
		anchors_line(as, str_cut(&text, '\n'), path);
	buf_free(&b);
	return ok;
}

static bool anchors_path(struct anchors *as, const char *path)
{
	struct stat st;
	struct dirent *d;
	if (stat(path, &st) != 0)
		return false;
	if (!S_ISDIR(st.st_mode))
		return anchors_file(as, path);
	DIR *dir = opendir(path);
	bool ok = dir != NULL;
	while (ok && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			ok = anchors_file(as, arena_printf(as->a, "%s/%s", path, d->d_name).p);
	if (dir)
		closedir(dir);
	return ok;
}

static int by_seq(const void *a, const void *b)
{
	int64_t x = ((const struct anchor *)a)->seq, y = ((const struct anchor *)b)->seq;
	return x < y ? -1 : x > y;
}

// ---- what is looked at ---------------------------------------------------------------------------
struct look {
	struct anchors anchors;
	struct verdict v;
	const char *path;
};

static int cannot(const char *path, const char *why)
{
	fprintf(stderr, "anlan-verify: %s %s\n", path, why);
	return 2;
}

static int say(const struct look *l, const struct chain *c, int64_t rows)
{
	size_t sum = 0;
	char hex[2 * SM3_LEN];
	str_to_hex(c->head, SM3_LEN, hex);
	for (size_t i = 0; i < FINDINGS; i++)
		sum += l->v.found[i];
	printf("entries/审计记录 %lld..%lld, rows/记录 %lld, anchors/锚 %zu\n", (long long)c->first, (long long)c->last, (long long)rows, l->anchors.n);
	for (size_t i = 0; i < FINDINGS; i++)
		if (l->v.found[i])
			printf("%s: %zu\n", names[i], l->v.found[i]);
	if (sum)
		return 1;
	printf("ok/完好 %lld:%.*s\n", (long long)c->last, (int)sizeof hex, hex);
	return 0;
}

static int look_db(struct look *l, const char *path)
{
	struct source s;
	struct chain c;
	int64_t rows = 0;
	if (!source_open_db(&s, path)) {
		source_close(&s);
		return cannot(path, s.error);
	}
	chain_check(&s, &l->v, l->anchors.v, l->anchors.n, &c);
	if (!s.error) {
		head_check(s.db, &l->v, &c);
		guards_check(s.db, &l->v);
		rows_check(s.db, &l->v, &rows);
	}
	source_close(&s);
	return s.error ? cannot(path, s.error) : say(l, &c, rows);
}

// The anchor line of an export says where it ends: lines taken from its end are missed.
static int look_text(struct look *l, const char *path)
{
	struct buf b;
	struct source s;
	struct chain c;
	if (!read_file(path, &b)) {
		buf_free(&b);
		return cannot(path, "cannot be read");
	}
	struct str text = buf_str(&b);
	for (struct str rest = text; rest.n;) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		if (line.n && line.p[0] != '{')
			anchors_line(&l->anchors, line, "its own anchor line");
	}
	qsort(l->anchors.v, l->anchors.n, sizeof *l->anchors.v, by_seq);
	source_open_text(&s, text, l->v.arena);
	chain_check(&s, &l->v, l->anchors.v, l->anchors.n, &c);
	if (l->anchors.n == 0)
		verdict_add(&l->v, INCOMPLETE, "没有锚行：末尾可能被截断%.0s", "no anchor line: its end may be cut off%.0s", "");
	buf_free(&b);
	return s.error ? cannot(path, s.error) : say(l, &c, 0);
}

static int look(struct look *l)
{
	struct stat st;
	if (stat(l->path, &st) != 0)
		return cannot(l->path, "does not exist");
	if (l->anchors.n)
		qsort(l->anchors.v, l->anchors.n, sizeof *l->anchors.v, by_seq);
	if (S_ISDIR(st.st_mode))
		return look_db(l, arena_printf(l->v.arena, "%s/anlan.db", l->path).p);
	return str_ends(str_of(l->path), STR(".db")) ? look_db(l, l->path) : look_text(l, l->path);
}

int main(int argc, char **argv)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct look l = { .anchors.a = a, .v.arena = a };
	for (int i = 1; i < argc; i++) {
		bool one = strcmp(argv[i], "--anchor") == 0, many = strcmp(argv[i], "--anchors") == 0;
		if ((one || many) && i + 1 < argc) {
			i++;
			if (one && !anchors_line(&l.anchors, str_of(argv[i]), "command line"))
				return cannot(argv[i], "is no anchor; write SEQ:HASH");
			if (many && !anchors_path(&l.anchors, argv[i]))
				return cannot(argv[i], "cannot be read");
		} else if (argv[i][0] == '-' || l.path) {
			fputs(usage, stderr);
			return 2;
		} else {
			l.path = argv[i];
		}
	}
	if (!l.path) {
		fputs(usage, stderr);
		return 2;
	}
	return look(&l);
}
