// Files: content on disk and rows of table `file`. Contents come and go in the writer thread only (files_add, the drop
// after files_sweep), so that a content is never removed while a new row begins to name it.
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/jw.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "store/audit.h"
#include "store/db.h"

#define HEAD_MAX (128u << 10) // EXIF stands in the first 64 KiB of a JPEG
#define TAIL_MAX (64u << 10)
#define PATH_TEXT 4096
#define HEX (2 * SM3_LEN)

struct file_in {
	char dir[PATH_TEXT];    // DIR/files
	char path[PATH_TEXT];   // of the temporary file
	int fd;
	bool placed;            // the temporary file is the content now
	enum err err;
	struct sm3 hash;
	bool hashed;            // hash is ended
	char sm3[HEX + 1];
	struct str mime;
	struct buf head;
	int64_t size;
};

static enum err io_error(void)
{
	return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
}

static void files_dir(struct store *s, char ret[PATH_TEXT])
{
	snprintf(ret, PATH_TEXT, "%.*s/files", STR_FMT(store_dir(s)));
}

static bool sm3_text_ok(struct str s)
{
	uint8_t raw[SM3_LEN];
	return str_from_hex(s, raw, SM3_LEN);
}

// sm3: 64 digits with a NUL behind them, as from an arena
static void content_path(const char *dir, struct str sm3, char ret[PATH_TEXT])
{
	snprintf(ret, PATH_TEXT, "%.3900s/%.2s/%.62s", dir, sm3.p, sm3.p + 2);
}

static enum err sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err err = fd >= 0 && fsync(fd) == 0 ? OK : io_error();
	if (fd >= 0)
		close(fd);
	return err;
}

static enum err make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? OK : io_error();
}

// ---- in ----------------------------------------------------------------------------------------
enum err files_temp(struct store *s, char *ret_folder, char *ret_path, int *ret_fd)
{
	files_dir(s, ret_path);
	snprintf(ret_folder, PATH_TEXT, "%.4000s/tmp", ret_path);
	enum err err = make_folder(ret_path);
	if (!err)
		err = make_folder(ret_folder);
	snprintf(ret_path, PATH_TEXT, "%.4000s/XXXXXX", ret_folder);
	*ret_fd = err ? -1 : mkostemp(ret_path, O_CLOEXEC);
	return err ? err : *ret_fd < 0 ? io_error() : OK;
}

enum err file_in_begin(struct file_in **ret, struct store *s, struct problem *p)
{
	struct file_in *f = mem_alloc(sizeof *f);
	char tmp[PATH_TEXT];
	files_dir(s, f->dir);
	enum err err = files_temp(s, tmp, f->path, &f->fd);
	if (err) {
		mem_free(f);
		return problem_set(p, err, NULL, "无法写入数据目录：%s", "cannot write in the data folder: %s", strerror(errno));
	}
	sm3_init(&f->hash);
	buf_init(&f->head, HEAD_MAX);
	*ret = f;
	return OK;
}

static enum err write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return io_error();
		p += w;
		n -= (size_t)w;
	}
	return OK;
}

enum err file_in_add(struct file_in *f, const void *bytes, size_t n)
{
	if (f->err)
		return f->err;
	if (n > LIMIT_FILE_BYTES - (size_t)f->size)
		return f->err = ERR_TOO_LARGE;
	f->err = write_all(f->fd, bytes, n);
	sm3_add(&f->hash, bytes, n);
	buf_add(&f->head, bytes, MIN(n, HEAD_MAX - f->head.n));
	f->size += (int64_t)n;
	return f->err;
}

static struct str read_tail(struct file_in *f, struct arena *a)
{
	size_t n = MIN((size_t)f->size, (size_t)TAIL_MAX);
	char *p = arena_alloc(a, n + 1);
	ssize_t got = pread(f->fd, p, n, f->size - (off_t)n);
	return str_from(p, got > 0 ? (size_t)got : 0);
}

static void end_hash(struct file_in *f)
{
	uint8_t raw[SM3_LEN];
	if (f->hashed)
		return;
	f->hashed = true;
	sm3_end(&f->hash, raw);
	str_to_hex(raw, SM3_LEN, f->sm3);
}

enum err file_in_end(struct file_in *f, struct str name, struct problem *p)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	if (f->err == ERR_TOO_LARGE)
		return problem_set(p, f->err, "file", "文件超过 %u MB，请压缩或拆分", "the file is larger than %u MB; compress or split it",
		                   LIMIT_FILE_BYTES >> 20);
	if (f->err)
		return problem_set(p, f->err, "file", "文件没有写完，请重试", "the file could not be written; try again");
	if (f->size == 0)
		return problem_set(p, ERR_INVALID, "file", "文件是空的", "the file is empty");
	end_hash(f);
	f->mime = file_mime(buf_str(&f->head), read_tail(f, a), name);
	if (!f->mime.n)
		return problem_set(p, ERR_UNSUPPORTED, "file", "不收这种文件；可用 PDF、Word、Excel、PPT、JPEG、PNG、WebP、HEIC、MP4、TXT、CSV",
		                   "this kind of file is not kept; use PDF, Word, Excel, PowerPoint, JPEG, PNG, WebP, HEIC, MP4, TXT or CSV");
	if (fsync(f->fd) != 0)
		f->err = io_error();
	return f->err ? problem_set(p, f->err, "file", "文件没有写完，请重试", "the file could not be written; try again") : OK;
}

struct str file_in_head(const struct file_in *f) { return buf_str(&f->head); }
struct str file_in_sm3(const struct file_in *f) { return str_of(f->sm3); }
struct str file_in_mime(const struct file_in *f) { return f->mime; }

void file_in_free(struct file_in *f)
{
	if (!f)
		return;
	end_hash(f);
	close(f->fd);
	if (!f->placed)
		unlink(f->path);
	buf_free(&f->head);
	mem_free(f);
}

// ---- jobs --------------------------------------------------------------------------------------
// Renames over what is there: the same bytes, and a damaged copy is healed by it.
static enum err place_content(struct file_in *f)
{
	char folder[PATH_TEXT], path[PATH_TEXT];
	snprintf(folder, sizeof folder, "%.4000s/%.2s", f->dir, f->sm3);
	content_path(f->dir, str_of(f->sm3), path);
	enum err err = make_folder(folder);
	if (!err && rename(f->path, path) != 0)
		err = io_error();
	f->placed = !err;
	if (!err)
		err = sync_folder(folder);
	return err ? err : sync_folder(f->dir);
}

static void query_place(struct query *q, int col, double v)
{
	if (isfinite(v))
		query_f64(q, col, v);
	else
		query_null(q, col);
}

static enum err row_add(struct db *db, struct file_info *i)
{
	struct query q;
	query_begin(&q, db, STMT_FILE_ADD);
	query_str(&q, 1, i->sm3);
	query_i64(&q, 2, i->size);
	query_str(&q, 3, i->name);
	query_str(&q, 4, i->mime);
	query_i64(&q, 5, i->uploader);
	query_i64(&q, 6, i->at);
	query_i64(&q, 7, i->taken_at);
	query_place(&q, 8, i->lon);
	query_place(&q, 9, i->lat);
	query_str(&q, 10, i->source);
	query_str(&q, 11, i->type);
	query_i64(&q, 12, i->record);
	query_str(&q, 13, i->field);
	enum err err = query_run(&q);
	i->id = db_last_id(db);
	return err;
}

static enum err audit_file(struct db *db, const struct file_info *i, struct str actor)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 4096);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kstr(&w, "sm3", i->sm3);
	jw_ki64(&w, "size", i->size);
	jw_kstr(&w, "mime", i->mime);
	jw_end(&w);
	struct audit_entry e = { .actor = i->uploader, .actor_name = actor, .action = STR("file.add"), .type = STR("file"), .record = i->id };
	e.detail = jw_done(&w) ? buf_str(&out) : STR("{}");
	enum err err = audit_add(db, &e);
	buf_free(&out);
	return err;
}

enum err files_add(struct db *db, struct file_in *f, struct file_info *info, struct str actor, struct problem *p)
{
	enum err err = f->placed ? ERR_BUG : place_content(f);
	if (err)
		return problem_set(p, err, "file", "文件没有存好，请重试", "the file could not be kept; try again");
	info->sm3 = str_of(f->sm3);
	info->mime = f->mime;
	info->size = f->size;
	info->at = clock_now();
	err = row_add(db, info);
	return err ? err : audit_file(db, info, actor);
}

static bool bound_there(const struct file_info *i, struct str type, int64_t record, struct str field)
{
	return str_eq(i->type, type) && i->record == record && str_eq(i->field, field);
}

enum err files_bind(struct db *db, int64_t id, struct str type, int64_t record, struct str field, int64_t person, struct problem *p)
{
	struct file_info i;
	struct query q;
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	enum err err = files_info(db, id, a, &i);
	if (err)
		return problem_set(p, err, arena_cstr(p->arena, field), "没有这个文件，可能已过期，请重新上传",
		                   "there is no such file; it may have expired: upload it again");
	if (bound_there(&i, type, record, field))
		return OK;
	if (i.type.n)
		return problem_set(p, ERR_CONFLICT, arena_cstr(p->arena, field), "这个文件已属于另一条记录，请重新上传",
		                   "this file belongs to another record; upload it again");
	if (person && i.uploader != person)
		return problem_set(p, ERR_FORBIDDEN, arena_cstr(p->arena, field), "这个文件不是您上传的", "you did not upload this file");
	query_begin(&q, db, STMT_FILE_BIND);
	query_i64(&q, 1, id);
	query_str(&q, 2, type);
	query_i64(&q, 3, record);
	query_str(&q, 4, field);
	return query_run(&q);
}

enum err files_waiting(struct db *db, int64_t person, int64_t *ret)
{
	struct query q;
	*ret = 0;
	query_begin(&q, db, STMT_FILE_WAITING);
	query_i64(&q, 1, person);
	if (query_row(&q))
		*ret = query_get_i64(&q, 0);
	return query_end(&q);
}

// ---- removal -----------------------------------------------------------------------------------
struct drop {               // contents that may have no row any more
	struct store *s;
	struct arena *a;
	struct str *v;
	size_t n, cap;
};

static enum err sm3_used(struct db *db, struct str sm3, bool *ret)
{
	struct query q;
	query_begin(&q, db, STMT_FILE_BY_SM3);
	query_str(&q, 1, sm3);
	*ret = query_row(&q);
	return query_end(&q);
}

static enum err drop_job(struct db *db, void *arg, struct problem *p)
{
	struct drop *d = arg;
	char dir[PATH_TEXT], path[PATH_TEXT];
	(void)p;
	files_dir(d->s, dir);
	for (size_t i = 0; i < d->n; i++) {
		bool used = true;
		enum err err = sm3_used(db, d->v[i], &used);
		if (err)
			return err;
		content_path(dir, d->v[i], path);
		if (!used && unlink(path) != 0 && errno != ENOENT)
			log_warn("files", "cannot remove %s: %s", path, strerror(errno));
	}
	return OK;
}

static void drop_done(void *arg, enum err err)
{
	struct drop *d = arg;
	if (err)
		log_error("files", "contents were not removed: %s; the next start does it", err_name(err));
	arena_free(d->a);
	mem_free(d);
}

static void after_sweep(void *arg)
{
	struct drop *d = arg;
	store_post(d->s, drop_job, d, drop_done);
}

static struct drop *drop_new(struct store *s)
{
	struct drop *d = mem_alloc(sizeof *d);
	*d = (struct drop){ .s = s, .a = arena_new(0) };
	return d;
}

static void drop_add(struct drop *d, struct str sm3)
{
	d->v = arena_push(d->a, d->v, &d->n, &d->cap, sizeof *d->v);
	d->v[d->n - 1] = sm3;
}

enum err files_sweep(struct db *db, int64_t now, int64_t *ret_removed)
{
	struct query q;
	struct drop *d = drop_new(db_store(db));
	query_begin(&q, db, STMT_FILE_SWEEP);
	query_i64(&q, 1, now - FILE_UNBOUND_US);
	while (query_row(&q))
		drop_add(d, query_get_str(&q, 0, d->a));
	enum err err = query_end(&q);
	*ret_removed = (int64_t)d->n;
	if (!err && d->n)
		db_after_commit(db, after_sweep, d);
	else
		drop_done(d, OK);
	return err;
}

// ---- reading -----------------------------------------------------------------------------------
static double place_get(struct query *q, int col) { return query_is_null(q, col) ? NAN : query_get_f64(q, col); }

static void row_get(struct query *q, struct arena *a, struct file_info *ret)
{
	*ret = (struct file_info){
		.id = query_get_i64(q, 0),
		.sm3 = query_get_str(q, 1, a),
		.size = query_get_i64(q, 2),
		.name = query_get_str(q, 3, a),
		.mime = query_get_str(q, 4, a),
		.uploader = query_get_i64(q, 5),
		.at = query_get_i64(q, 6),
		.taken_at = query_get_i64(q, 7),
		.lon = place_get(q, 8),
		.lat = place_get(q, 9),
		.source = query_get_str(q, 10, a),
		.type = query_get_str(q, 11, a),
		.record = query_get_i64(q, 12),
		.field = query_get_str(q, 13, a),
	};
}

enum err files_info(struct db *db, int64_t id, struct arena *a, struct file_info *ret)
{
	struct query q;
	bool found = false;
	query_begin(&q, db, STMT_FILE_GET);
	query_i64(&q, 1, id);
	if (query_row(&q)) {
		found = true;
		row_get(&q, a, ret);
	}
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

enum err files_of(struct db *db, struct str type, int64_t record, struct arena *a, struct file_info **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_FILE_OF);
	query_str(&q, 1, type);
	query_i64(&q, 2, record);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		row_get(&q, a, &(*ret)[*ret_n - 1]);
	}
	return query_end(&q);
}

enum err files_open(struct store *s, const struct file_info *info, int *ret_fd)
{
	char dir[PATH_TEXT], path[PATH_TEXT];
	if (!sm3_text_ok(info->sm3))
		return ERR_CORRUPT;
	files_dir(s, dir);
	content_path(dir, info->sm3, path);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd >= 0 ? OK : errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

static enum err read_all(int fd, char *p, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = read(fd, p + got, n - got);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? ERR_IO : ERR_CORRUPT;
		got += (size_t)r;
	}
	return OK;
}

enum err files_read(struct store *s, const struct file_info *info, struct arena *a, struct str *ret)
{
	uint8_t raw[SM3_LEN];
	char hex[HEX];
	int fd;
	enum err err = files_open(s, info, &fd);
	if (err)
		return err;
	char *p = arena_alloc(a, (size_t)info->size + 1);
	err = read_all(fd, p, (size_t)info->size);
	close(fd);
	*ret = str_from(p, (size_t)info->size);
	sm3_once(*ret, raw);
	str_to_hex(raw, SM3_LEN, hex);
	return err ? err : str_eq(str_from(hex, HEX), info->sm3) ? OK : ERR_CORRUPT;
}

// ---- at start-up -------------------------------------------------------------------------------
static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

// What was on its way out when the program ended: files, and folders of archives in the making.
static void tidy_temp(const char *folder, const char *name)
{
	char path[2 * PATH_TEXT];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void tidy_folder(struct drop *d, const char *dir, const char *name)
{
	char path[PATH_TEXT];
	snprintf(path, sizeof path, "%.3900s/%.8s", dir, name);
	DIR *folder = opendir(path);
	if (!folder)
		return;
	for (struct dirent *e; (e = readdir(folder)) != NULL;) {
		struct str sm3 = arena_printf(d->a, "%s%s", name, e->d_name);
		if (strcmp(name, "tmp") != 0 && sm3_text_ok(sm3))
			drop_add(d, sm3);
		else if (e->d_name[0] != '.' && strcmp(name, "tmp") == 0)
			tidy_temp(path, e->d_name);
	}
	closedir(folder);
}

enum err files_tidy(struct store *s)
{
	char dir[PATH_TEXT];
	files_dir(s, dir);
	DIR *folder = opendir(dir);
	if (!folder)
		return errno == ENOENT ? OK : ERR_IO;
	struct drop d = { .s = s, .a = arena_new(64 << 10) };
	for (struct dirent *e; (e = readdir(folder)) != NULL;)
		if (e->d_name[0] != '.')
			tidy_folder(&d, dir, e->d_name);
	closedir(folder);
	enum err err = d.n ? store_write(s, drop_job, &d, NULL) : OK;
	arena_free(d.a);
	return err;
}
