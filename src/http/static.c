// The browser application: every file of the UI folder is read at start-up and served from memory, with its gzip
// twin where the build made one. Names with a digest are cached for good; index.html never is. Paths that are no
// file get index.html, so that the application's own routes can be reloaded and shared.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "http/http_int.h"

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/x-icon" },
	{ ".woff2", "font/woff2" },
	{ ".woff", "font/woff" },
	{ ".ttf", "font/ttf" },
	{ ".json", "application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".txt", "text/plain; charset=utf-8" },
};

static const char *type_of(struct str path)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_ends(path, str_of(types[i].suffix)))
			return types[i].type;
	return "application/octet-stream";
}

static char *read_file(const char *path, size_t *ret_n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data = NULL;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		data = mem_alloc((size_t)st.st_size + 1);
		ssize_t n = read(fd, data, (size_t)st.st_size);
		*ret_n = n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	return data;
}

static void load_file(struct http *h, struct str url, const char *path)
{
	struct static_file f = { .path = arena_str(h->arena, url),
				 .type = type_of(url),
				 .immutable = str_contains(url, STR("/assets/")) };
	f.data = read_file(path, &f.n);
	if (!f.data)
		return;
	f.gzip = read_file(arena_printf(h->arena, "%s.gz", path).p, &f.gzip_n);
	snprintf(f.etag, sizeof f.etag, "\"%08x%zx\"", crc32c(0, f.data, f.n), f.n & 0xffffff);
	h->files = arena_push(h->arena, h->files, &h->nfiles, &h->cap_files, sizeof *h->files);
	h->files[h->nfiles - 1] = f;
}

static void load_dir(struct http *h, struct str url, const char *path, int depth)
{
	DIR *d = depth < 6 ? opendir(path) : NULL;
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		struct str name = str_of(e->d_name);
		if (name.p[0] == '.' || str_ends(name, STR(".gz")))
			continue;
		struct str sub = arena_printf(h->arena, "%s/%s", path, e->d_name);
		struct str sub_url = arena_printf(h->arena, "%.*s/%s", STR_FMT(url), e->d_name);
		struct stat st;
		if (stat(sub.p, &st) == 0 && S_ISDIR(st.st_mode))
			load_dir(h, sub_url, sub.p, depth + 1);
		else
			load_file(h, sub_url, sub.p);
	}
	closedir(d);
}

void http_static_load(struct http *h)
{
	h->arena = arena_new(64 << 10);
	if (h->cfg.ui_dir.n)
		load_dir(h, STR_EMPTY, arena_cstr(h->arena, h->cfg.ui_dir), 0);
}

void http_static_free(struct http *h)
{
	for (size_t i = 0; i < h->nfiles; i++) {
		mem_free(h->files[i].data);
		mem_free(h->files[i].gzip);
	}
	arena_free(h->arena);
}

static const struct static_file *find(struct http *h, struct str path)
{
	for (size_t i = 0; i < h->nfiles; i++)
		if (str_eq(h->files[i].path, path))
			return &h->files[i];
	return NULL;
}

static enum MHD_Result plain_answer(struct http_request *rq, unsigned status, const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(r, "Content-Type", "text/plain; charset=utf-8");
	http_add_security(r, NULL);
	enum MHD_Result res = MHD_queue_response(rq->conn, status, r);
	MHD_destroy_response(r);
	return res;
}

enum MHD_Result http_static_answer(struct http *h, struct http_request *rq)
{
	if (!str_is(rq->method, "GET") && !str_is(rq->method, "HEAD"))
		return plain_answer(rq, 405, "method not allowed\n");
	const struct static_file *f = find(h, rq->path);
	if (!f && !str_starts(rq->path, STR("/assets/")))
		f = find(h, STR("/index.html"));
	if (!f)
		return plain_answer(rq, 404,
				    h->nfiles ? "not found\n"
					      : "The browser application is not installed: run ./run "
						"--build\n浏览器界面尚未构建：请运行 ./run --build\n");
	bool same = str_is(http_header(rq, "If-None-Match"), f->etag);
	bool gzip = f->gzip && str_contains(http_header(rq, "Accept-Encoding"), STR("gzip"));
	struct MHD_Response *r = MHD_create_response_from_buffer(same   ? 0
								 : gzip ? f->gzip_n
									: f->n,
								 gzip ? f->gzip : f->data, MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", f->type);
	MHD_add_response_header(r, "Cache-Control", f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	MHD_add_response_header(r, "ETag", f->etag);
	MHD_add_response_header(r, "Vary", "Accept-Encoding");
	if (gzip && !same)
		MHD_add_response_header(r, "Content-Encoding", "gzip");
	http_add_security(r, NULL);
	enum MHD_Result res = MHD_queue_response(rq->conn, same ? 304 : 200, r);
	MHD_destroy_response(r);
	return res;
}
