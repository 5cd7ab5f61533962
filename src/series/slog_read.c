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

static enum err read_file(int fd, char **ret, size_t *ret_n)
{
	struct stat st;
	if (fstat(fd, &st))
		return ERR_IO;
	size_t n = (size_t)MIN(st.st_size, (off_t)(2 * SEGMENT_BYTES)), got = 0;
	char *p = mem_alloc(n + 1);
	while (got < n) {
		ssize_t k = pread(fd, p + got, MIN(n - got, (size_t)1 << 20), (off_t)got);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			mem_free(p);
			return ERR_IO;
		}
		if (k == 0)
			break;
		got += (size_t)k;
	}
	*ret = p;
	*ret_n = got;
	return OK;
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
static size_t replay_bytes(const char *p, size_t n, uint64_t after, struct slog_replay *r)
{
	size_t at = 0;
	while (at < n) {
		struct group g;
		enum err err = group_open(str_from(p + at, n - at), &g);
		if (err == ERR_NOT_FOUND)
			break;
		if (err) {
			size_t next = find_group(p, n, at + 1);
			if (next == n)
				break; // a torn tail: nobody was told that it is stored
			at = next;
			continue;
		}
		if (g.first > r->next) {
			r->lost += g.first - r->next;
			if (r->gap)
				r->gap(r->arg);
		}
		replay_group(&g, after, r);
		r->bytes += g.size;
		at += g.size;
	}
	return at;
}

static enum err replay_file(const char *path, uint64_t after, struct slog_replay *r)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	char *p = NULL;
	size_t n = 0;
	enum err err = read_file(fd, &p, &n);
	if (!err) {
		size_t good = replay_bytes(p, n, after, r);
		// cut even where only zeros follow: gives back what was preallocated
		if (good < n && (ftruncate(fd, (off_t)good) || fsync(fd)))
			err = err_of_errno(errno);
	}
	mem_free(p);
	close(fd);
	return err;
}

enum err slog_replay(const char *dir, uint64_t after, struct slog_replay *r)
{
	struct slog_files files;
	r->next = after + 1;
	r->bytes = r->lost = 0;
	enum err err = slog_list(dir, &files);
	for (size_t i = 0; !err && i < files.n; i++) {
		char path[4096];
		if (i + 1 < files.n && files.first[i + 1] <= after + 1)
			continue; // all of it is in the snapshot
		slog_name(dir, files.first[i], path, sizeof(path));
		err = replay_file(path, after, r);
	}
	mem_free(files.first);
	return err;
}
