// Reads recordings. Called by scenario.c at the start.
#include "sim/recording.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define MAX_FILE (8u << 20)

static bool read_all(struct arena *a, const char *path, struct str *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= MAX_FILE;
	char *p = ok ? arena_alloc(a, (size_t)st.st_size + 1) : NULL;
	ssize_t n = ok ? read(fd, p, (size_t)st.st_size) : -1;
	if (fd >= 0)
		close(fd);
	*ret = str_from(p, n > 0 ? (size_t)n : 0);
	return ok && n == st.st_size;
}

static bool read_columns(struct recording *r, struct str line)
{
	str_cut(&line, ' ');
	while (line.n && r->ncolumns < RECORDING_MAX_COLUMNS) {
		uint64_t v;
		if (!str_to_u64(str_cut(&line, ' '), &v) || v > 1000)
			return false;
		r->columns[r->ncolumns++] = (int)v;
	}
	return r->ncolumns > 0 && line.n == 0;
}

static bool read_row(struct recording *r, struct str line, size_t room)
{
	if (r->ncolumns == 0 || r->nrows == room)
		return false;
	double *row = &r->values[r->nrows * r->ncolumns];
	for (size_t i = 0; i < r->ncolumns; i++)
		if (!str_to_f64(str_cut(&line, ' '), &row[i]))
			return false;
	r->nrows++;
	return line.n == 0;
}

bool recording_load(struct recording *r, struct arena *a, const char *dir, const char *name)
{
	char path[4096];
	struct str text;
	size_t lines = 0, n = 0;
	bool ok = true;
	*r = (struct recording){ 0 };
	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (!read_all(a, path, &text)) {
		log_error("sim", "cannot read the recording %s", path);
		return false;
	}
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	r->values = arena_many(a, lines * RECORDING_MAX_COLUMNS, double);
	while (ok && text.n) {
		struct str line = str_cut(&text, '\n');
		n++;
		if (line.n && line.p[0] != '#')
			ok = str_starts(line, STR("columns ")) ? r->ncolumns == 0 && read_columns(r, line) : read_row(r, line, lines);
	}
	if (!ok || r->nrows == 0)
		log_error("sim", "recording %s line %zu is not of the form in sim/recording.h", path, n);
	return ok && r->nrows > 0;
}

double recording_value(const struct recording *r, size_t row, int column)
{
	for (size_t i = 0; i < r->ncolumns && r->nrows; i++)
		if (r->columns[i] == column)
			return r->values[MIN(row, r->nrows - 1) * r->ncolumns + i];
	return NAN;
}
