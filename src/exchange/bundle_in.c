// Reading a bundle: nothing in it is believed. Names must be plain relative paths that the manifest lists, sizes and
// digests must be those of the manifest, and there must be nothing else.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zip.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/strmap.h"
#include "exchange/bundle.h"

#define CHUNK (1u << 20)
#define MANIFEST_MAX (256u << 20)
#define PATH_TEXT 4352

struct bundle_in {
	struct arena *arena;
	zip_t *zip;
	json_t *manifest;
	char *bytes;
};

static enum err damaged(struct problem *p, const char *name)
{
	return problem_set(p, ERR_CORRUPT, name, "成员 %s 已损坏或缺失", "member %s is damaged or missing", name);
}

// "records/hazard.ndjson": parts of letters, digits and . _ - and what is beyond ASCII, none of them "." or "..".
static bool name_ok(struct str name)
{
	if (name.n == 0 || name.n > 300 || name.p[0] == '/' || !str_utf8_valid(name))
		return false;
	while (name.n) {
		struct str part = str_cut(&name, '/');
		if (part.n == 0 || str_is(part, ".") || str_is(part, ".."))
			return false;
		for (size_t i = 0; i < part.n; i++)
			if ((unsigned char)part.p[i] < ' ' || part.p[i] == '\\' || part.p[i] == 127)
				return false;
	}
	return true;
}

static zip_file_t *member_open(struct bundle_in *b, const char *name, uint64_t *ret_size)
{
	zip_stat_t st;
	zip_int64_t at = zip_name_locate(b->zip, name, 0);
	if (at < 0 || zip_stat_index(b->zip, (zip_uint64_t)at, 0, &st) || !(st.valid & ZIP_STAT_SIZE))
		return NULL;
	*ret_size = st.size;
	return zip_fopen_index(b->zip, (zip_uint64_t)at, 0);
}

static enum err read_manifest(struct bundle_in *b, struct problem *p)
{
	uint64_t size = 0;
	zip_file_t *f = member_open(b, "manifest.json", &size);
	if (!f || size > MANIFEST_MAX) {
		if (f)
			zip_fclose(f);
		return problem_set(p, ERR_CORRUPT, "manifest.json", "这不是安澜的归档或备份：没有 manifest.json", "this is no archive or backup of Anlan: there is no manifest.json");
	}
	char *text = mem_alloc((size_t)size + 1);
	zip_int64_t n = zip_fread(f, text, size);
	zip_fclose(f);
	b->manifest = n == (zip_int64_t)size ? json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, NULL) : NULL;
	mem_free(text);
	return json_is_object(b->manifest) ? OK : damaged(p, "manifest.json");
}

static enum err check_names(struct bundle_in *b, struct problem *p)
{
	size_t i, n = json_array_size(json_object_get(b->manifest, "members"));
	json_t *m;
	struct strmap *seen = strmap_new(n);
	enum err err = n + 1 > LIMIT_ARCHIVE_MEMBERS || zip_get_num_entries(b->zip, 0) != (zip_int64_t)n + 1 ?
		problem_set(p, ERR_CORRUPT, "manifest.json", "成员数与清单不符", "the number of members is not that of the manifest") : OK;
	json_array_foreach(json_object_get(b->manifest, "members"), i, m) {
		const char *name = json_string_value(json_object_get(m, "name"));
		uint32_t twice;
		if (!err && (!name || !name_ok(str_of(name)) || strmap_get(seen, str_of(name), &twice) || !json_is_string(json_object_get(m, "sm3"))))
			err = problem_set(p, ERR_CORRUPT, "manifest.json", "清单中有不合规的成员名", "the manifest has a member name that cannot be");
		if (!err)
			strmap_put(seen, str_of(name), 1);
	}
	strmap_free(seen);
	return err;
}

enum err bundle_open(struct bundle_in **ret, const char *file, struct problem *p)
{
	int e = 0;
	zip_t *z = zip_open(file, ZIP_RDONLY, &e);
	if (!z)
		return problem_set(p, access(file, F_OK) ? ERR_NOT_FOUND : ERR_CORRUPT, "", "打不开 %s：没有这个文件，或它不是完整的归档",
		                   "cannot open %s: there is no such file, or it is not a whole archive", file);
	struct arena *a = arena_new(0);
	struct bundle_in *b = arena_one(a, struct bundle_in);
	*b = (struct bundle_in){ .arena = a, .zip = z, .bytes = mem_alloc(CHUNK) };
	enum err err = read_manifest(b, p);
	if (!err)
		err = check_names(b, p);
	if (err) {
		bundle_close(b);
		return err;
	}
	*ret = b;
	return OK;
}

json_t *bundle_in_manifest(struct bundle_in *b)
{
	return b->manifest;
}

// Reads a member to its end; fd >= 0 takes a copy.
static enum err member_read(struct bundle_in *b, const json_t *m, int fd, struct problem *p)
{
	const char *name = json_string_value(json_object_get(m, "name")), *sm3 = json_string_value(json_object_get(m, "sm3"));
	uint64_t size = 0, want = (uint64_t)json_integer_value(json_object_get(m, "size")), got = 0;
	uint8_t hash[SM3_LEN], is[SM3_LEN];
	struct sm3 h;
	zip_file_t *f = member_open(b, name, &size);
	if (!f || size != want || !str_from_hex(str_of(sm3), is, SM3_LEN)) {
		if (f)
			zip_fclose(f);
		return damaged(p, name);
	}
	enum err err = OK;
	zip_int64_t n;
	sm3_init(&h);
	while (!err && (n = zip_fread(f, b->bytes, CHUNK)) > 0 && got <= want) {
		got += (uint64_t)n;
		sm3_add(&h, b->bytes, (size_t)n);
		if (fd >= 0 && write(fd, b->bytes, (size_t)n) != n)
			err = problem_set(p, errno == ENOSPC ? ERR_FULL : ERR_IO, "", "写不了 %s：%s", "cannot write %s: %s", name, strerror(errno));
	}
	sm3_end(&h, hash);
	zip_fclose(f);
	if (!err && (got != want || memcmp(hash, is, SM3_LEN) != 0))
		err = damaged(p, name);
	return err;
}

enum err bundle_check(struct bundle_in *b, int64_t *ret_bytes, struct problem *p)
{
	size_t i;
	json_t *m;
	*ret_bytes = 0;
	json_array_foreach(json_object_get(b->manifest, "members"), i, m) {
		enum err err = member_read(b, m, -1, p);
		if (err)
			return err;
		*ret_bytes += json_integer_value(json_object_get(m, "size"));
	}
	return OK;
}

enum err bundle_extract(struct bundle_in *b, const char *dir, bool (*want)(struct str name), struct problem *p)
{
	size_t i;
	json_t *m;
	char path[PATH_TEXT];
	json_array_foreach(json_object_get(b->manifest, "members"), i, m) {
		const char *name = json_string_value(json_object_get(m, "name"));
		if (want && !want(str_of(name)))
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, name);
		int fd = bundle_make_dirs(path) ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return problem_set(p, ERR_IO, "", "写不了 %s：%s", "cannot write %s: %s", path, strerror(errno));
		enum err err = member_read(b, m, fd, p);
		if (close(fd) && !err)
			err = ERR_IO;
		if (err)
			return err;
	}
	return OK;
}

void bundle_close(struct bundle_in *b)
{
	if (!b)
		return;
	zip_discard(b->zip);
	json_decref(b->manifest);
	mem_free(b->bytes);
	arena_free(b->arena);
}
