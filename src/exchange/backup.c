// Backups: the data folder of a running server. What makes a copy good is its order: a reading goes from the log into the
// snapshot or a block, never back, so the log is copied first, then the snapshot, then the blocks: whatever was acknowledged
// before the copy began is met on its way. What comes in meanwhile may be in it or not. The database is copied after
// that, then the files it speaks of.
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/time.h"
#include "exchange/archive.h"
#include "exchange/bundle.h"
#include "store/dump.h"

#define PATH_TEXT 4352

static enum err each_file(const char *dir, const char *sub, const char *ending, bool db,
                          enum err (*as)(void *arg, const char *name, const char *path, bool db), void *arg)
{
	char path[PATH_TEXT], name[600];
	snprintf(path, sizeof path, "%s/%s", dir, sub);
	enum err err = OK;
	DIR *d = opendir(path);
	for (struct dirent *e; !err && d && (e = readdir(d)) != NULL;) {
		if (!str_ends(str_of(e->d_name), str_of(ending)))
			continue;
		snprintf(name, sizeof name, "%s%s%s", sub, *sub ? "/" : "", e->d_name);
		snprintf(path, sizeof path, "%s/%s", dir, name);
		err = as(arg, name, path, db);
		if (err == ERR_NOT_FOUND) // a part of the log that the snapshot has made superfluous meanwhile
			err = OK;
	}
	if (d)
		closedir(d);
	return err;
}

enum err series_files(const char *dir, enum err (*as)(void *arg, const char *name, const char *path, bool db), void *arg)
{
	char path[PATH_TEXT];
	enum err err = each_file(dir, "log", ".log", false, as, arg);
	snprintf(path, sizeof path, "%s/snapshot", dir);
	if (!err && access(path, F_OK) == 0) {
		err = as(arg, "snapshot", path, false);
		err = err == ERR_NOT_FOUND ? OK : err;
	}
	return err ? err : each_file(dir, "", ".db", true, as, arg);
}

struct backing {
	struct bundle *b;
	struct problem *p;
};

static enum err copy_db(struct bundle *b, const char *name, const char *path, struct problem *p)
{
	const char *to = bundle_path(b, name);
	enum err err = to ? dump_copy_file(path, to) : ERR_IO;
	if (err)
		return problem_set(p, err, "", "复制不了 %s", "cannot copy %s", path);
	return bundle_made(b, name, p);
}

static enum err add_series(void *arg, const char *name, const char *path, bool db)
{
	struct backing *x = arg;
	char member[700];
	snprintf(member, sizeof member, "series/%s", name);
	return db ? copy_db(x->b, member, path, x->p) : bundle_copy(x->b, member, path, x->p);
}

// What is copied above, what belongs to the running process only, what is half-written; and the key, without which the
// sealed secrets in the database are worth nothing to who finds the backup.
static bool not_ours(struct str path)
{
	static const char *const out[] = { "lock", "series", "files/tmp", "sim.log", "secret.key" };
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		if (str_is(path, out[i]))
			return true;
	return str_starts(path, STR("anlan.db")) || str_ends(path, STR(".part.d"));
}

enum err backup_write(const char *data_dir, const char *file, const char *program, struct archive_report *ret, struct problem *p)
{
	struct bundle *b = NULL;
	char path[PATH_TEXT], text[TIME_TEXT_MAX];
	*ret = (struct archive_report){ .kind = "backup" };
	snprintf(path, sizeof path, "%s/anlan.db", data_dir);
	if (access(path, F_OK))
		return problem_set(p, ERR_NOT_FOUND, "", "%s 中没有数据库", "there is no database in %s", data_dir);
	enum err err = bundle_begin(&b, file, p);
	int64_t began = clock_now();
	char series[PATH_TEXT];
	snprintf(series, sizeof series, "%s/series", data_dir);
	if (!err)
		err = series_files(series, add_series, &(struct backing){ b, p });
	if (!err)
		err = copy_db(b, "anlan.db", path, p);
	if (!err)
		err = bundle_tree(b, "", data_dir, not_ours, p);
	if (!err) {
		json_t *m = bundle_manifest(b);
		json_object_set_new(m, "kind", json_string("backup"));
		json_object_set_new(m, "version", json_integer(1));
		json_object_set_new(m, "program", json_string(program));
		json_object_set_new(m, "began", json_stringn(text, time_text(began, text)));
		err = bundle_end(b, p);
	}
	if (!err)
		ret->members = (int64_t)json_array_size(json_object_get(bundle_manifest(b), "members"));
	bundle_free(b);
	return err;
}
