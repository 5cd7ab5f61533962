// Finding points and devices in a generation of the site.
#include "api/app.h"

const struct site_point *site_point(const struct site *s, uint32_t id)
{
	size_t lo = 0, hi = s->npoints;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (s->points[mid].def.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->npoints && s->points[lo].def.id == id ? &s->points[lo] : NULL;
}

const struct site_device *site_device(const struct site *s, struct str code)
{
	size_t lo = 0, hi = s->ndevices;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int cmp = str_cmp(s->devices[mid].code, code);
		if (!cmp)
			return &s->devices[mid];
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
