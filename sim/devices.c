// Reads devices.tsv. Called once by main.
#include "sim/sim.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define MAX_FILE (64u << 20)

static bool read_file(struct arena *a, const char *path, struct str *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= MAX_FILE;
	size_t n = 0;
	char *p = ok ? arena_alloc(a, (size_t)st.st_size + 1) : NULL;
	while (ok && n < (size_t)st.st_size) {
		ssize_t got = read(fd, p + n, (size_t)st.st_size - n);
		ok = got > 0;
		n += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	*ret = str_from(p, n);
	return ok;
}

static const char *column(struct arena *a, struct str *line)
{
	struct str s = str_cut(line, '\t');
	return arena_cstr(a, str_is(s, "-") ? STR_EMPTY : s);
}

static double number(struct str *line, bool *ok)
{
	double v = 0;
	*ok = str_to_f64(str_cut(line, '\t'), &v) && *ok;
	return v;
}

static bool read_device(struct county *c, struct str line, size_t *cap)
{
	static const char *const names[SIM_PROTOCOLS] = { "mqtt", "http", "hj212", "gb26875" };
	c->devices = arena_push(c->arena, c->devices, &c->ndevices, cap, sizeof *c->devices);
	struct sim_device *d = &c->devices[c->ndevices - 1];
	d->code = column(c->arena, &line);
	const char *protocol = column(c->arena, &line);
	d->key = column(c->arena, &line);
	d->plant = column(c->arena, &line);
	for (unsigned i = 0; i < SIM_PROTOCOLS; i++)
		if (strcmp(names[i], protocol) == 0) {
			d->protocol = (enum sim_protocol)i;
			return *d->code != 0;
		}
	return false;
}

static bool read_point(struct county *c, struct str line, size_t *cap)
{
	if (c->ndevices == 0)
		return false;
	struct sim_device *d = &c->devices[c->ndevices - 1];
	bool ok = true;
	if (d->npoints == 0)
		*cap = 0;
	d->points = arena_push(c->arena, d->points, &d->npoints, cap, sizeof *d->points);
	struct sim_point *p = &d->points[d->npoints - 1];
	p->code = column(c->arena, &line);
	p->kind = column(c->arena, &line);
	p->address = column(c->arena, &line);
	p->scale = number(&line, &ok);
	p->every = (int64_t)(number(&line, &ok) * 1e6);
	p->normal = number(&line, &ok);
	p->noise = number(&line, &ok);
	p->swing = number(&line, &ok);
	p->step = number(&line, &ok);
	p->lo = number(&line, &ok);
	p->hi = number(&line, &ok);
	p->lon = number(&line, &ok);
	p->lat = number(&line, &ok);
	p->tag = column(c->arena, &line);
	p->forced = NAN;
	p->seed = str_hash(str_of(p->code));
	c->npoints++;
	return ok && *p->code && p->every >= US_PER_S / 10 && p->scale != 0 && p->lo < p->hi;
}

bool county_load(struct county *c, const char *path)
{
	struct str text;
	size_t cap = 0, point_cap = 0;
	unsigned n = 0;
	*c = (struct county){ .arena = arena_new(1 << 20) };
	if (!read_file(c->arena, path, &text)) {
		log_error("sim", "cannot read %s", path);
		return false;
	}
	while (text.n) {
		struct str line = str_cut(&text, '\n');
		n++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		struct str what = str_cut(&line, '\t');
		if (str_is(what, "D") ? read_device(c, line, &cap) : str_is(what, "P") && read_point(c, line, &point_cap))
			continue;
		log_error("sim", "%s line %u is not of the form in sim/sim.h", path, n);
		return false;
	}
	return true;
}

void county_free(struct county *c)
{
	arena_free(c->arena);
	*c = (struct county){ 0 };
}
