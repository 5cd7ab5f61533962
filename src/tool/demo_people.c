// Areas, organisations, officials and the duty roster of the demo county. Called by demo.c inside the fill job.
#include "tool/demo_int.h"

#include <stdio.h>

#include "base/time.h"

#define ROSTER_DAYS 28               // from Monday of the week of the first start

// GeoJSON belongs in a text field: the type's field is a shape, which takes the geometry itself.
static enum err make_areas(struct demo *d)
{
	json_t *row;
	size_t i;
	enum err err = OK;
	json_array_foreach(json_object_get(d->areas, "areas"), i, row) {
		json_t *body = json_copy(row);
		const char *const optional[] = { "parent", "contact", "phone" };
		for (size_t k = 0; k < ARRAY_LEN(optional); k++)
			if (!*demo_text(body, optional[k]))
				json_object_del(body, optional[k]);
		if (!json_is_object(json_object_get(body, "shape")))
			json_object_del(body, "shape");
		json_object_set_new(body, "demo", json_true());
		err = demo_create(d, "area", body, NULL);
		if (err)
			break;
	}
	return err;
}

static enum err make_organisations(struct demo *d)
{
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(d->people, "organisations"), i, row) {
		int64_t id;
		json_t *body = json_copy(row);
		json_object_del(body, "key");
		json_object_set_new(body, "demo", json_true());
		enum err err = demo_create(d, "organisation", body, &id);
		if (err)
			return err;
		json_object_set_new(d->org_ids, demo_text(row, "key"), json_integer(id));
	}
	return OK;
}

static enum err make_officials(struct demo *d)
{
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(d->people, "persons"), i, row) {
		int64_t id;
		json_t *body = json_copy(row);
		json_t *org = json_object_get(d->org_ids, demo_text(row, "organisation"));
		json_object_del(body, "organisation");
		if (org)
			json_object_set(body, "organisation", org);
		enum err err = demo_create(d, "person", body, &id);
		if (err)
			return err;
		json_object_set_new(d->person_ids, demo_text(row, "login"), json_integer(id));
	}
	return OK;
}

// Midnight of Monday of the week, in the site's zone.
static int64_t monday(int64_t now)
{
	int64_t zone = time_zone() * US_PER_MIN;
	int64_t day = (now + zone) / US_PER_DAY;      // 1970-01-01 was a Thursday
	return (day - (day + 3) % 7) * US_PER_DAY - zone;
}

static enum err make_shift(struct demo *d, int64_t starts, bool night, int64_t leader, int64_t officer)
{
	char day[11], from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], name[64];
	demo_day(starts, day);
	from[time_text(starts, from)] = 0;
	to[time_text(starts + 12 * US_PER_HOUR, to)] = 0;
	snprintf(name, sizeof name, "%s %s", day, night ? "夜班" : "白班");
	json_t *body = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:b}", "name", name, "day", day, "shift", night ? "night" : "day", "starts", from,
	                         "ends", to, "leader", (json_int_t)leader, "officer", (json_int_t)officer, "area", "990121000000", "demo", 1);
	json_object_set(body, "organisation", json_object_get(d->org_ids, "duty"));
	return demo_create(d, "duty_roster", body, NULL);
}

static int64_t person_id(const struct demo *d, const char *stem, unsigned n)
{
	char login[32];
	snprintf(login, sizeof login, n ? "%s%u" : "%s", stem, n + 1);
	return (int64_t)json_integer_value(json_object_get(d->person_ids, login));
}

static unsigned count_of(const struct demo *d, const char *stem)
{
	unsigned n = 0;
	while (person_id(d, stem, n))
		n++;
	return n;
}

// The officer who can log in at one click (login "duty") has the shift of the first start.
static enum err make_roster(struct demo *d)
{
	unsigned officers = count_of(d, "duty"), leaders = count_of(d, "bureau");
	int64_t first = monday(d->now) + 8 * US_PER_HOUR;
	int64_t current = (d->now - first) / (12 * US_PER_HOUR);
	enum err err = officers && leaders ? OK : problem_set(d->p, ERR_INVALID, "", "people.json 缺少 duty 或 bureau 人员", "people.json lacks the persons duty and bureau");
	for (int64_t i = 0; i < 2 * ROSTER_DAYS && !err; i++) {
		int64_t turn = (i - current) % officers;
		unsigned officer = (unsigned)(turn < 0 ? turn + officers : turn);
		err = make_shift(d, first + i * 12 * US_PER_HOUR, i % 2, person_id(d, "bureau", (unsigned)(i / 2) % leaders),
		                 person_id(d, "duty", officer));
	}
	return err;
}

enum err demo_people(struct demo *d)
{
	enum err err = make_areas(d);
	if (!err)
		err = make_organisations(d);
	if (!err)
		err = make_officials(d);
	return err ? err : make_roster(d);
}
