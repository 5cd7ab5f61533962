// The ceiling of road accidents (packs/vehicle/types/road_control.yaml): accidents and deaths of its area, class of road and year,
// counted by month from the register of accidents. What is above the ceiling when projected to the year's end becomes a red alarm.
#include "base/limits.h"
#include "base/time.h"
#include "base/workday.h"
#include "flow/flow.h"
#include "model/held.h"

#define MONTHS 12

struct counting {
	const struct type *accident;
	int64_t first;              // us: the year begins
	int64_t n[MONTHS];
	double dead[MONTHS];
};

static int64_t year_start(int year) { return time_from_civil((struct civil){ .year = year, .month = 1, .day = 1 }, time_zone()); }

static enum err on_accident(void *arg, const struct row *row)
{
	struct counting *k = arg;
	struct civil at = time_to_civil(held_int(k->accident, row, "happened", k->first), time_zone());
	k->n[at.month - 1]++;
	k->dead[at.month - 1] += held_number(k->accident, row, "dead", 0);
	return OK;
}

static enum err count_year(struct db *db, struct counting *k, const struct row *of, struct str class, int64_t end,
                           struct problem *p)
{
	static const char *const scopes[] = { "commercial_vehicle", "road", "rural_traffic" };
	struct value in[ARRAY_LEN(scopes)], state = { .kind = VAL_TEXT, .s = STR("void") }, road = { .kind = VAL_TEXT, .s = class };
	struct value from = { .kind = VAL_INT, .i = k->first }, to = { .kind = VAL_INT, .i = end };
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		in[i] = (struct value){ .kind = VAL_TEXT, .s = str_of(scopes[i]) };
	const struct filter f[] = {
		{ STR("scope"), FILTER_IN, in, ARRAY_LEN(in) }, { STR("state"), FILTER_NE, &state, 1 },
		{ STR("happened"), FILTER_GE, &from, 1 }, { STR("happened"), FILTER_LT, &to, 1 }, { STR("road_class"), FILTER_EQ, &road, 1 },
	};
	struct list_query lq = { .filters = f, .nfilters = ARRAY_LEN(f) - !class.n, .limit = SIZE_MAX };
	struct scope scope = { .area = area_prefix(of->c.area) };
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	return records_scan(db, &k->accident->table, &scope, &lq, scratch, on_accident, k, p);
}

// The months that have begun, as the rows of the record.
static struct str months_text(const struct counting *k, int months, struct arena *a)
{
	struct str s = STR("[");
	for (int i = 0; i < months; i++)
		s = arena_printf(a, "%.*s%s{\"month\":%d,\"accidents\":%lld,\"deaths\":%.0f}", STR_FMT(s), i ? "," : "", i + 1, (long long)k->n[i], k->dead[i]);
	return arena_printf(a, "%.*s]", STR_FMT(s));
}

// A red light is a state, with a deadline for the measures.
static enum err raise_red(struct db *db, const struct registry *reg, const struct type *t, struct row *row, struct arena *a,
                          struct problem *p)
{
	if (!str_is(held_text(t, row, "light"), "red") || !str_is(row->c.state, "running"))
		return OK;
	struct identity system = identity_system();
	json_t *none = json_object();
	enum err err = flow_move(db, reg, t, row->c.id, STR("alarm"), none, &system, true, a, p);
	json_decref(none);
	return err ? err : records_get(db, &t->table, NULL, row->c.id, a, row);
}

enum err flow_control(struct db *db, const struct registry *reg, const struct type *t, struct row *row, int64_t now, struct arena *a,
                      struct problem *p)
{
	struct counting k = { .accident = registry_type(reg, STR("accident")) };
	int year = (int)held_int(t, row, "year", 0);
	int64_t end = year_start(year + 1), until = MIN(now, end);
	k.first = year_start(year);
	if (!k.accident || now < k.first)
		return OK; // there is nothing to count yet
	enum err err = count_year(db, &k, row, held_text(t, row, "class"), end, p);
	if (err)
		return err;
	int months = now >= end ? MONTHS : time_to_civil(now, time_zone()).month;
	const struct flow_field f[] = {
		{ "months", { .kind = VAL_TEXT, .s = months_text(&k, months, a) } },
		{ "elapsed", { .kind = VAL_REAL, .f = (double)(MIN(day_of(until - 1), day_of(end - 1)) - day_of(k.first) + 1), .s = STR_EMPTY } },
		{ "days", { .kind = VAL_REAL, .f = (double)(day_of(end) - day_of(k.first)), .s = STR_EMPTY } },
		{ "counted", { .kind = VAL_INT, .i = now, .s = STR_EMPTY } },
	};
	// Its time alone is no change.
	bool same = str_eq(held_text(t, row, "months"), f[0].v.s) && held_number(t, row, "elapsed", -1) == f[1].v.f;
	if (!same)
		err = flow_update(db, reg, t, row->c.id, f, ARRAY_LEN(f), LABEL_EMPTY, a, row, p);
	return err ? err : raise_red(db, reg, t, row, a, p);
}

enum err flow_control_tick(struct db *db, const struct registry *reg, int64_t now, struct arena *a)
{
	const struct type *t = registry_type(reg, STR("road_control"));
	struct value closed = { .kind = VAL_TEXT, .s = STR("closed") };
	const struct filter f = { STR("state"), FILTER_NE, &closed, 1 };
	struct list_query lq = { .filters = &f, .nfilters = 1, .limit = LIMIT_CONTROLS };
	struct problem p;
	struct row *rows;
	size_t n = 0;
	problem_init(&p, a);
	enum err err = t ? records_list(db, &t->table, NULL, &lq, a, &rows, &n, NULL, &p) : OK;
	for (size_t i = 0; i < n && !err; i++)
		err = flow_control(db, reg, t, &rows[i], now, a, &p);
	return err;
}
