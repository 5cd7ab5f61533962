// Checking archives and backups, and restoring them: into DIR.restoring first, which becomes DIR when everything is in it
// and on disk.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "exchange/archive.h"
#include "exchange/bundle.h"
#include "model/pack_texts.h"
#include "store/audit.h"
#include "store/dump.h"

#define PATH_TEXT 4352
#define SLICE 500           // rows in one job

static bool is_archive(struct bundle_in *b)
{
	const char *kind = json_string_value(json_object_get(bundle_in_manifest(b), "kind"));
	return kind && strcmp(kind, "archive") == 0;
}

static enum err check_kind(struct bundle_in *b, struct archive_report *ret, struct problem *p)
{
	const json_t *m = bundle_in_manifest(b);
	const char *kind = json_string_value(json_object_get(m, "kind"));
	if (!kind || (strcmp(kind, "archive") != 0 && strcmp(kind, "backup") != 0))
		return problem_set(p, ERR_UNSUPPORTED, "", "清单里没有说明这是归档还是备份", "the manifest does not say whether this is an archive or a backup");
	ret->kind = strcmp(kind, "archive") == 0 ? "archive" : "backup";
	if (json_integer_value(json_object_get(m, "version")) != 1)
		return problem_set(p, ERR_UNSUPPORTED, "", "由更新的版本写成（格式 %lld），请用新版本恢复", "written in format %lld by a newer program: restore it with that",
		                   (long long)json_integer_value(json_object_get(m, "version")));
	ret->members = (int64_t)json_array_size(json_object_get(m, "members"));
	return OK;
}

enum err archive_check(const char *file, struct archive_report *ret, struct problem *p)
{
	struct bundle_in *b;
	*ret = (struct archive_report){ 0 };
	enum err err = bundle_open(&b, file, p);
	if (err)
		return err;
	err = check_kind(b, ret, p);
	if (!err)
		err = bundle_check(b, &ret->bytes, p);
	bundle_close(b);
	return err;
}

// ---- tables ------------------------------------------------------------------------------------

struct restoring {
	struct bundle_in *b;
	const char *dir, *parts;    // DIR.restoring, and the members in it
	struct store *store;
	struct registry *reg;
	struct arena *arena;
	struct archive_report *r;
	struct problem *p;
	// of one job
	struct str table;
	FILE *f;
	char *line;
	size_t cap;
	bool ended, begun;
	int64_t rows;
	struct pack_texts texts;
};

static const char *path_of(struct restoring *x, const char *dir, const char *name)
{
	return arena_cstr(x->arena, arena_printf(x->arena, "%s/%s", dir, name));
}

static enum err rows_job(struct db *db, void *arg, struct problem *p)
{
	struct restoring *x = arg;
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	enum err err = x->begun ? OK : dump_begin(db, x->table);
	x->begun = true;
	for (int i = 0; !err && i < SLICE; i++) {
		arena_reset(a);
		ssize_t n = getline(&x->line, &x->cap, x->f);
		if (n <= 0) {
			x->ended = true;
			break;
		}
		struct str line = str_from(x->line, (size_t)n - (x->line[n - 1] == '\n'));
		err = line.n > LIMIT_ARCHIVE_LINE ? ERR_TOO_LARGE : dump_insert(db, x->table, line, a, p);
		x->rows++;
	}
	return err;
}

static enum err restore_table(struct restoring *x, const json_t *t)
{
	const char *table = json_string_value(json_object_get(t, "table")), *member = json_string_value(json_object_get(t, "member"));
	int64_t want = json_integer_value(json_object_get(t, "rows"));
	if (!table || !member)
		return problem_set(x->p, ERR_CORRUPT, "manifest.json", "清单里的表不完整", "a table of the manifest is not complete");
	if (str_starts(str_of(table), STR("r_")) && !json_is_true(json_object_get(t, "type")) && !registry_type(x->reg, str_of(table + 2)))
		return OK; // what is left of a type that was given up
	x->table = str_of(table);
	x->f = fopen(path_of(x, x->parts, member), "re");
	x->ended = x->begun = false;
	x->rows = 0;
	enum err err = x->f ? OK : problem_set(x->p, ERR_CORRUPT, member, "成员 %s 已损坏或缺失", "member %s is damaged or missing", member);
	while (!err && !x->ended)
		err = store_write(x->store, rows_job, x, x->p);
	if (x->f)
		fclose(x->f);
	if (!err && x->rows != want)
		err = problem_set(x->p, ERR_CORRUPT, member, "%s 有 %lld 行，清单说 %lld 行", "%s has %lld rows, the manifest says %lld", member,
		                  (long long)x->rows, (long long)want);
	x->r->rows += x->rows;
	return err;
}

// ---- packs -------------------------------------------------------------------------------------

static enum err read_line_text(struct restoring *x, struct str line)
{
	json_t *row = json_loadb(line.p, line.n, 0, NULL);
	const char *path = json_string_value(json_object_get(row, "path")), *text = json_string_value(json_object_get(row, "text"));
	bool ok = path && text && pack_path_ok(str_of(path));
	if (ok)
		pack_texts_put(&x->texts, arena_str(x->arena, str_of(path)),
		               arena_str(x->arena, str_from(text, json_string_length(json_object_get(row, "text")))),
		               json_integer_value(json_object_get(row, "own")) != 0);
	json_decref(row);
	return ok ? OK : problem_set(x->p, ERR_CORRUPT, "tables/config_text.ndjson", "业务包的文本读不出来", "a text of the packs cannot be read");
}

static enum err read_packs(struct restoring *x)
{
	struct diags d = { .arena = x->arena };
	FILE *f = fopen(path_of(x, x->parts, "tables/config_text.ndjson"), "re");
	enum err err = f ? OK : problem_set(x->p, ERR_CORRUPT, "tables/config_text.ndjson", "归档里没有业务包", "there are no packs in the archive");
	x->texts = (struct pack_texts){ .arena = x->arena };
	for (ssize_t n; !err && (n = getline(&x->line, &x->cap, f)) > 0;)
		err = read_line_text(x, str_from(x->line, (size_t)n));
	if (f)
		fclose(f);
	if (!err && registry_load_texts(&x->reg, &x->texts, &d))
		err = problem_set(x->p, ERR_UNSUPPORTED, "", "归档里的业务包与本程序不合：%s", "the packs in the archive do not fit this program: %s",
		                  d.n ? arena_cstr(x->arena, d.v[0].text) : "");
	return err;
}

static enum err tables_job(struct db *db, void *arg, struct problem *p)
{
	struct restoring *x = arg;
	return registry_make_tables(db, x->reg, p);
}

// The county's own texts lie in DIR/packs, where a person edits them.
static enum err write_own(struct restoring *x)
{
	for (size_t i = 0; i < x->texts.n; i++) {
		const struct pack_text *t = &x->texts.v[i];
		if (!t->own)
			continue;
		const char *path = path_of(x, x->dir, arena_printf(x->arena, "packs/%.*s", STR_FMT(pack_text_path(t, x->arena))).p);
		FILE *f = bundle_make_dirs(path) ? NULL : fopen(path, "we");
		bool ok = f && fwrite(t->text.p, 1, t->text.n, f) == t->text.n;
		if (f && fclose(f))
			ok = false;
		if (!ok)
			return problem_set(x->p, ERR_IO, "", "写不了 %s", "cannot write %s", path);
	}
	return OK;
}

// ---- an archive --------------------------------------------------------------------------------

static enum err check_audit(struct restoring *x)
{
	const json_t *want = json_object_get(bundle_in_manifest(x->b), "audit");
	struct db *db = store_read_begin(x->store);
	enum err err = audit_verify(db, x->p, &x->r->audit_count, x->r->audit_hash);
	store_read_end(x->store, db);
	const char *hash = json_string_value(json_object_get(want, "hash"));
	if (!err && (!hash || strcmp(hash, x->r->audit_hash) != 0 || json_integer_value(json_object_get(want, "count")) != x->r->audit_count))
		err = problem_set(x->p, ERR_CORRUPT, "tables/audit.ndjson", "审计链与清单不符", "the audit chain is not that of the manifest");
	return err;
}

static enum err load_tables(struct restoring *x)
{
	size_t i;
	json_t *t;
	enum err err = store_open(&x->store, x->dir, x->p);
	if (err)
		return err;
	err = store_write(x->store, tables_job, x, x->p);
	json_array_foreach(json_object_get(bundle_in_manifest(x->b), "tables"), i, t)
		err = err ? err : restore_table(x, t);
	if (!err)
		err = check_audit(x);
	store_close(x->store);
	return err;
}

static enum err move_in(struct restoring *x, const char *name)
{
	const char *from = path_of(x, x->parts, name), *to = path_of(x, x->dir, name);
	if (access(from, F_OK) == 0 && rename(from, to))
		return problem_set(x->p, ERR_IO, "", "写不了 %s：%s", "cannot write %s: %s", to, strerror(errno));
	return OK;
}

static enum err restore_archive(struct restoring *x)
{
	x->parts = path_of(x, x->dir, ".archive");
	enum err err = mkdir(x->parts, 0700) ? problem_set(x->p, ERR_IO, "", "写不了 %s", "cannot write %s", x->parts) : OK;
	if (!err)
		err = bundle_extract(x->b, x->parts, NULL, x->p);
	if (!err)
		err = read_packs(x);
	if (!err)
		err = load_tables(x);
	if (!err)
		err = write_own(x);
	if (!err)
		err = move_in(x, "files");
	if (!err)
		err = move_in(x, "map.json");
	if (!err)
		err = readings_restore(path_of(x, x->parts, "readings"), x->dir, &x->r->readings, x->p);
	bundle_remove_tree(x->parts);
	registry_free(x->reg);
	mem_free(x->line);
	return err;
}

// ---- either kind -------------------------------------------------------------------------------

static enum err check_empty(const char *dir, struct problem *p)
{
	DIR *d = opendir(dir);
	if (!d && errno == ENOENT)
		return OK;
	bool any = !d;
	for (struct dirent *e; d && (e = readdir(d)) != NULL;)
		any |= strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	if (d)
		closedir(d);
	return any ? problem_set(p, ERR_CONFLICT, "", "%s 不是空目录：请恢复到新的目录", "%s is not an empty folder: restore into a new one", dir) : OK;
}

static enum err put_in_place(const char *from, const char *dir, struct problem *p)
{
	enum err err = bundle_sync_tree(from);
	if (!err && ((rmdir(dir) && errno != ENOENT) || rename(from, dir)))
		err = ERR_IO;
	return err ? problem_set(p, err, "", "放不到 %s：%s", "cannot put it in %s: %s", dir, strerror(errno)) : OK;
}

enum err archive_restore(const char *file, const char *data_dir, struct archive_report *ret, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct restoring x = { .arena = a, .r = ret, .p = p };
	struct str dir = str_of(data_dir);
	while (dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.n--;
	const char *to = arena_cstr(a, dir);
	x.dir = arena_cstr(a, arena_printf(a, "%s.restoring", to));
	*ret = (struct archive_report){ 0 };
	enum err err = check_empty(to, p);
	if (err || (err = bundle_open(&x.b, file, p)))
		return err;
	bundle_remove_tree(x.dir);
	err = check_kind(x.b, ret, p);
	if (!err && mkdir(x.dir, 0700))
		err = problem_set(p, ERR_IO, "", "写不了 %s：%s", "cannot write %s: %s", x.dir, strerror(errno));
	if (!err)
		err = is_archive(x.b) ? restore_archive(&x) : bundle_extract(x.b, x.dir, NULL, p);
	if (!err)
		err = put_in_place(x.dir, to, p);
	bundle_remove_tree(x.dir);
	bundle_close(x.b);
	return err;
}
