// Writing a bundle. Reading is bundle_in.c.
#include "exchange/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base/arena.h"
#include "base/limits.h"

#define PATH_TEXT 4352
#define COPY_BYTES (1u << 20)

struct bundle {
	struct arena *arena;
	char *file, *dir;           // FILE, FILE.part.d
	json_t *manifest, *members;
	// the member being written
	int fd;
	char *name;
	struct sm3 hash;
	uint64_t size;
	struct buf buf;
};

static enum err io_error(struct problem *p, const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return problem_set(p, ERR_FULL, "", "磁盘已满，没有写成：请清理，或把文件写到另一个磁盘", "the disk is full, nothing was written: make room, or name a file on another disk");
	enum err err = ERR_IO;
	return problem_set(p, err, "", "写不了 %s：%s", "cannot write %s: %s", what, strerror(errno));
}

// ---- folders -----------------------------------------------------------------------------------

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

void bundle_remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

enum err bundle_make_dirs(const char *path)
{
	char part[PATH_TEXT];
	for (const char *q = strchr(path + 1, '/'); q; q = strchr(q + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(q - path), path);
		if (mkdir(part, 0700) && errno != EEXIST)
			return errno == ENOSPC ? ERR_FULL : ERR_IO;
	}
	return OK;
}

static int sync_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)at;
	if (kind != FTW_F && kind != FTW_DP)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int bad = fd < 0 || fsync(fd);
	if (fd >= 0)
		close(fd);
	return bad;
}

enum err bundle_sync_tree(const char *dir)
{
	return nftw(dir, sync_one, 16, FTW_DEPTH | FTW_PHYS) ? ERR_IO : OK;
}

// ---- members -----------------------------------------------------------------------------------

enum err bundle_begin(struct bundle **ret, const char *file, struct problem *p)
{
	if (access(file, F_OK) == 0)
		return problem_set(p, ERR_CONFLICT, "", "%s 已经存在，请换一个文件名", "%s exists already; choose another name", file);
	struct arena *a = arena_new(0);
	struct bundle *b = arena_one(a, struct bundle);
	b->arena = a;
	b->fd = -1;
	b->file = arena_cstr(a, str_of(file));
	b->dir = arena_cstr(a, arena_printf(a, "%s.part.d", file));
	b->manifest = json_object();
	b->members = json_array();
	buf_init(&b->buf, COPY_BYTES);
	bundle_remove_tree(b->dir);
	*ret = b;
	if (mkdir(b->dir, 0700))
		return io_error(p, b->dir);
	return OK;
}

const char *bundle_path(struct bundle *b, const char *name)
{
	const char *path = arena_cstr(b->arena, arena_printf(b->arena, "%s/m/%s", b->dir, name));
	return bundle_make_dirs(path) ? NULL : path;
}

static void member_note(struct bundle *b, const char *name, uint64_t size, const uint8_t hash[SM3_LEN])
{
	char hex[2 * SM3_LEN + 1];
	str_to_hex(hash, SM3_LEN, hex);
	hex[2 * SM3_LEN] = 0;
	json_array_append_new(b->members, json_pack("{s:s, s:I, s:s}", "name", name, "size", (json_int_t)size, "sm3", hex));
}

enum err bundle_member(struct bundle *b, const char *name, struct problem *p)
{
	const char *path = bundle_path(b, name);
	b->name = arena_cstr(b->arena, str_of(name));
	b->fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (b->fd < 0)
		return io_error(p, name);
	sm3_init(&b->hash);
	b->size = 0;
	buf_clear(&b->buf);
	return OK;
}

static enum err flush(struct bundle *b)
{
	for (size_t at = 0; at < b->buf.n;) {
		ssize_t n = write(b->fd, b->buf.p + at, b->buf.n - at);
		if (n < 0 && errno != EINTR)
			return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
		at += (size_t)MAX(n, (ssize_t)0);
	}
	buf_clear(&b->buf);
	return OK;
}

enum err bundle_add(struct bundle *b, struct str s)
{
	sm3_add(&b->hash, s.p, s.n);
	b->size += s.n;
	while (s.n) {
		size_t n = MIN(s.n, COPY_BYTES - b->buf.n);
		buf_add(&b->buf, s.p, n);
		s = str_skip(s, n);
		enum err err = b->buf.n == COPY_BYTES ? flush(b) : OK;
		if (err)
			return err;
	}
	return OK;
}

enum err bundle_member_end(struct bundle *b, struct problem *p)
{
	uint8_t hash[SM3_LEN];
	enum err err = flush(b);
	sm3_end(&b->hash, hash);
	if (close(b->fd) && !err)
		err = ERR_IO;
	b->fd = -1;
	if (err)
		return io_error(p, b->name);
	member_note(b, b->name, b->size, hash);
	return OK;
}

enum err bundle_copy(struct bundle *b, const char *name, const char *path, struct problem *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : problem_set(p, ERR_IO, "", "读不了 %s：%s", "cannot read %s: %s", path, strerror(errno));
	char *bytes = mem_alloc(COPY_BYTES);
	enum err err = bundle_member(b, name, p);
	for (ssize_t n = 1; !err && n > 0;) {
		n = read(fd, bytes, COPY_BYTES);
		if (n < 0)
			err = problem_set(p, ERR_IO, "", "读不了 %s：%s", "cannot read %s: %s", path, strerror(errno));
		else if (n > 0)
			err = bundle_add(b, str_from(bytes, (size_t)n));
	}
	if (!err)
		err = bundle_member_end(b, p);
	mem_free(bytes);
	close(fd);
	return err;
}

static enum err copy_dir(struct bundle *b, const char *prefix, const char *dir, const char *below, bool (*skip)(struct str path),
                         struct problem *p)
{
	char path[PATH_TEXT];
	struct stat st;
	enum err err = OK;
	snprintf(path, sizeof path, "%s/%s", dir, below);
	DIR *d = opendir(path);
	for (struct dirent *e; !err && d && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		struct str rel = arena_printf(b->arena, "%s%s%s", below, *below ? "/" : "", e->d_name);
		snprintf(path, sizeof path, "%s/%.*s", dir, STR_FMT(rel));
		if ((skip && skip(rel)) || lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			err = copy_dir(b, prefix, dir, arena_cstr(b->arena, rel), skip, p);
		else if (S_ISREG(st.st_mode))
			err = bundle_copy(b, arena_cstr(b->arena, arena_printf(b->arena, "%s%.*s", prefix, STR_FMT(rel))), path, p);
		if (err == ERR_NOT_FOUND) // removed while we looked
			err = OK;
	}
	if (d)
		closedir(d);
	return err;
}

enum err bundle_tree(struct bundle *b, const char *prefix, const char *dir, bool (*skip)(struct str path), struct problem *p)
{
	return copy_dir(b, prefix, dir, "", skip, p);
}

enum err bundle_made(struct bundle *b, const char *name, struct problem *p)
{
	const char *path = bundle_path(b, name);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return io_error(p, name);
	struct sm3 h;
	uint8_t hash[SM3_LEN];
	uint64_t size = 0;
	char *bytes = mem_alloc(COPY_BYTES);
	ssize_t n;
	sm3_init(&h);
	while ((n = read(fd, bytes, COPY_BYTES)) > 0) {
		sm3_add(&h, bytes, (size_t)n);
		size += (uint64_t)n;
	}
	sm3_end(&h, hash);
	mem_free(bytes);
	close(fd);
	if (n < 0)
		return io_error(p, name);
	member_note(b, name, size, hash);
	return OK;
}

json_t *bundle_manifest(struct bundle *b)
{
	return b->manifest;
}

const json_t *bundle_members(const struct bundle *b)
{
	return b->members;
}

// ---- the end -----------------------------------------------------------------------------------

static enum err write_manifest(struct bundle *b, struct problem *p)
{
	const char *path = bundle_path(b, "manifest.json");
	json_object_set(b->manifest, "members", b->members);
	if (!path || json_dump_file(b->manifest, path, JSON_INDENT(1)))
		return io_error(p, "manifest.json");
	return OK;
}

static bool zip_put(struct bundle *b, zip_t *z, const char *name)
{
	const char *path = bundle_path(b, name);
	zip_source_t *src = path ? zip_source_file(z, path, 0, 0) : NULL;
	zip_int64_t at = src ? zip_file_add(z, name, src, ZIP_FL_ENC_UTF_8) : -1;
	if (src && at < 0)
		zip_source_free(src);
	return at >= 0 && zip_set_file_compression(z, (zip_uint64_t)at, ZIP_CM_DEFLATE, 1) == 0;
}

static enum err write_zip(struct bundle *b, const char *out, struct problem *p)
{
	int e = 0;
	size_t i;
	json_t *m;
	zip_t *z = zip_open(out, ZIP_CREATE | ZIP_TRUNCATE, &e);
	bool ok = z && zip_put(b, z, "manifest.json");
	json_array_foreach(b->members, i, m)
		ok = ok && zip_put(b, z, json_string_value(json_object_get(m, "name")));
	if (ok && zip_close(z) == 0)
		return OK;
	struct str why = z ? arena_str(b->arena, str_of(zip_strerror(z))) : STR("zip_open");
	if (z)
		zip_discard(z);
	return problem_set(p, ERR_IO, "", "写不了 %s：%s", "cannot write %s: %s", out, arena_cstr(b->arena, why));
}

static enum err sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	enum err err = fd < 0 || fsync(fd) ? ERR_IO : OK;
	if (fd >= 0)
		close(fd);
	return err;
}

enum err bundle_end(struct bundle *b, struct problem *p)
{
	const char *out = arena_cstr(b->arena, arena_printf(b->arena, "%s/out.zip", b->dir));
	enum err err = write_manifest(b, p);
	if (!err)
		err = write_zip(b, out, p);
	if (!err && (chmod(out, 0600) || sync_path(out, 0) || link(out, b->file)))
		err = errno == EEXIST ? problem_set(p, ERR_CONFLICT, "", "%s 已经存在", "%s exists already", b->file) : io_error(p, b->file);
	char *slash = strrchr(b->file, '/');
	if (!err) {
		struct str parent = slash ? str_from(b->file, (size_t)MAX(slash - b->file, 1)) : STR(".");
		(void)!sync_path(arena_cstr(b->arena, parent), O_DIRECTORY);
	}
	return err;
}

void bundle_free(struct bundle *b)
{
	if (!b)
		return;
	if (b->fd >= 0)
		close(b->fd);
	bundle_remove_tree(b->dir);
	buf_free(&b->buf);
	json_decref(b->manifest);
	json_decref(b->members);
	arena_free(b->arena);
}
