// Listing, reading and cutting of segment files at start-up.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "series/group.h"
#include "series/slog.h"
#include "series/slog_in.h"

#define READ_BYTES (256u << 10)
#define SEGMENT_MAX (2 * (size_t)SEGMENT_BYTES) // more is not read: no writer of ours makes it

enum err err_of_errno(int e)
{
	return e == ENOSPC || e == EDQUOT || e == EFBIG ? ERR_FULL : ERR_IO;
}

void slog_name(const char *dir, uint64_t first, char *ret, size_t cap)
{
	snprintf(ret, cap, "%s/%016llx.log", dir, (unsigned long long)first);
}

enum err slog_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_of_errno(errno);
	enum err err = fsync(fd) ? err_of_errno(errno) : OK;
	close(fd);
	return err;
}

static int compare_first(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, 8);
	memcpy(&y, b, 8);
	return (x > y) - (x < y);
}

static bool parse_name(const char *name, uint64_t *ret)
{
	uint8_t b[8];
	struct str s = str_of(name);
	if (s.n != 20 || !str_ends(s, STR(".log")) || !str_from_hex(str_first(s, 16), b, 8))
		return false;
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | b[i];
	*ret = v;
	return true;
}

enum err slog_list(const char *dir, struct slog_files *ret)
{
	*ret = (struct slog_files){ 0 };
	if (mkdir(dir, 0700) && errno != EEXIST)
		return err_of_errno(errno);
	DIR *d = opendir(dir);
	if (!d)
		return err_of_errno(errno);
	size_t cap = 0;
	for (struct dirent *e; (e = readdir(d));) {
		uint64_t first;
		if (!parse_name(e->d_name, &first))
			continue;
		if (ret->n == cap) {
			cap = cap ? 2 * cap : 16;
			ret->first = mem_resize(ret->first, cap * sizeof(*ret->first));
		}
		ret->first[ret->n++] = first;
	}
	closedir(d);
	if (ret->n)
		qsort(ret->first, ret->n, sizeof(*ret->first), compare_first);
	return OK;
}

struct segment {
	int fd;
	char *p;         // SEGMENT_MAX bytes, kept from file to file
	size_t size, got; // of the file; read so far
	bool failed;
};

// Reads on until `upto` bytes (or all) are there: what is decoded next should still be in the cache.
static void segment_read(struct segment *g, size_t upto)
{
	while (!g->failed && g->got < MIN(upto, g->size)) {
		ssize_t k = pread(g->fd, g->p + g->got, MIN(g->size - g->got, (size_t)READ_BYTES), (off_t)g->got);
		if (k < 0 && errno == EINTR)
			continue;
		g->failed = k < 0;
		if (k == 0)
			g->size = g->got;
		g->got += k > 0 ? (size_t)k : 0;
	}
}

static void replay_group(struct group *g, uint64_t after, struct slog_replay *r)
{
	struct reading reading;
	int64_t arrival;
	for (uint64_t seq = g->first; group_next(g, &reading, &arrival); seq++)
		if (seq > after && seq >= r->next)
			r->reading(r->arg, seq, &reading, arrival);
	r->lost += g->left; // only if the checksum is right and the content is not: a bug of the writer
	r->next = MAX(r->next, g->first + g->count);
}

// Offset of the next intact group at or after `at`, or n.
static size_t find_group(const char *p, size_t n, size_t at)
{
	struct group g;
	for (; at + GROUP_HEAD <= n; at++) {
		const char *hit = memchr(p + at, 'A', n - at);
		if (!hit)
			return n;
		at = (size_t)(hit - p);
		if (group_open(str_from(hit, n - at), &g) == OK)
			return at;
	}
	return n;
}

// Reads the groups of one file; returns the length that is good.
static size_t replay_segment(struct segment *f, uint64_t after, struct slog_replay *r)
{
	size_t at = 0;
	while (at < f->size) {
		struct group g;
		segment_read(f, at + GROUP_HEAD + GROUP_MAX);
		enum err err = group_open(str_from(f->p + at, f->got - at), &g);
		if (err == ERR_NOT_FOUND)
			break;
		if (err) {
			segment_read(f, f->size);
			size_t next = find_group(f->p, f->got, at + 1);
			if (next == f->got)
				break; // a torn tail: nobody was told that it is stored
			at = next;
			continue;
		}
		if (g.first > r->next) {
			r->lost += g.first - r->next;
			if (r->gap)
				r->gap(r->arg);
		}
		if (g.first + g.count - 1 > after) {
			replay_group(&g, after, r);
			r->bytes += g.size;
		}
		at += g.size;
	}
	return at;
}

static enum err replay_file(const char *path, struct segment *f, uint64_t after, struct slog_replay *r)
{
	struct stat st;
	f->fd = open(path, O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		return ERR_IO;
	f->got = 0;
	f->failed = fstat(f->fd, &st) != 0;
	f->size = f->failed ? 0 : (size_t)MIN(st.st_size, (off_t)SEGMENT_MAX);
	enum err err = OK;
	size_t good = replay_segment(f, after, r);
	if (f->failed)
		err = ERR_IO;
	// cut even where only zeros follow: gives back what was preallocated
	else if (good < f->size && (ftruncate(f->fd, (off_t)good) || fsync(f->fd)))
		err = err_of_errno(errno);
	close(f->fd);
	return err;
}

enum err slog_replay(const char *dir, uint64_t after, struct slog_replay *r)
{
	struct slog_files files;
	r->next = after + 1;
	r->bytes = r->lost = 0;
	enum err err = slog_list(dir, &files);
	struct segment f = { .p = files.n ? mem_alloc(SEGMENT_MAX) : NULL };
	for (size_t i = 0; !err && i < files.n; i++) {
		char path[4096];
		if (i + 1 < files.n && files.first[i + 1] <= after + 1)
			continue; // all of it is in the snapshot
		slog_name(dir, files.first[i], path, sizeof(path));
		err = replay_file(path, &f, after, r);
	}
	mem_free(f.p);
	mem_free(files.first);
	return err;
}
