// Finding points and devices in a generation of the site.
#include "api/app.h"

struct str roster_sector(const struct roster *r, int64_t enterprise)
{
	return enterprise > 0 && (size_t)enterprise < r->nsectors && r->sectors[enterprise].n ? r->sectors[enterprise] : STR_EMPTY;
}

bool site_point(const struct site *s, uint32_t id, struct site_point *ret)
{
	if (!points_at(s->points, id, ret))
		return false;
	ret->def.sector = roster_sector(s->roster, ret->def.enterprise);
	return true;
}

bool site_point_next(const struct site *s, uint32_t *at, struct site_point *ret)
{
	if (!points_next(s->points, at, ret))
		return false;
	ret->def.sector = roster_sector(s->roster, ret->def.enterprise);
	return true;
}

bool site_point_named(const struct site *s, struct str code, struct site_point *ret)
{
	uint32_t id = points_find(s->points, code);
	return id && site_point(s, id, ret);
}

const struct site_device *site_device(const struct site *s, struct str code)
{
	const struct roster *r = s->roster;
	size_t lo = 0, hi = r->ndevices;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int cmp = str_cmp(r->devices[mid].code, code);
		if (!cmp)
			return &r->devices[mid];
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
