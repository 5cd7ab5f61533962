// The year that the demo county has behind it: what its schedules have opened is mostly done, so that the bureau's work centre
// shows a day's work and not everything that a year's first day brings. Inside the fill job, through the same doors as people.
#include "tool/demo_int.h"

#include <stdio.h>

#include "base/time.h"
#include "flow/flow.h"

#define TICKS_MAX 100
#define NOTICES_MAX 1000

struct past {                                    // what has been done of a type, and how
	const char *type, *state, *move;
	unsigned left;                           // of so many in 100 nothing has been done yet
	json_t *(*body)(struct demo *d, const struct row *row);
};

// The class follows from what the enterprise's records say.
static json_t *body_of_class(struct demo *d, const struct row *row)
{
	(void)d;
	(void)row;
	return json_object();
}

static json_t *body_of_check(struct demo *d, const struct row *row)
{
	char day[11];
	double x = demo_jitter(arena_cstr(d->scratch, row->c.number));
	demo_day(d->now - (int64_t)(130 + 120 * x) * US_PER_DAY, day);
	json_int_t who = json_integer_value(json_object_get(d->person_ids, "bureau3"));
	return json_pack("{s:s,s:[I],s:[{s:s,s:s},{s:s,s:s},{s:s,s:s,s:s}]}", "checked", day, "checkers", who, "results",
	                 "item", "包保责任人履职记录", "result", "ok", "item", "监测监控系统运行", "result", "ok",
	                 "item", "特殊作业票证", "result", x > 0 ? "ok" : "none", "note", "（虚构）");
}

static const struct past pasts[] = {
	{ "enterprise_class", "drafting", "confirm", 1, body_of_class },
	{ "installation_check", "planned", "finish", 5, body_of_check },
};

// The ids of a type's records in a state, the oldest first.
static enum err ids_in(struct demo *d, const struct past *past, struct arena *a, struct row **ret, size_t *ret_n)
{
	const struct type *t = registry_type(d->reg, str_of(past->type));
	const struct value state = { .kind = VAL_TEXT, .s = str_of(past->state) };
	struct filter f = { STR("state"), FILTER_EQ, &state, 1 };
	struct sort order = { .column = STR("id") };
	struct list_query lq = { .text = STR_EMPTY, .filters = &f, .nfilters = 1, .sorts = &order, .nsorts = 1, .limit = NOTICES_MAX };
	return t ? records_list(d->db, &t->table, NULL, &lq, a, ret, ret_n, NULL, d->p) : OK;
}

static enum err do_past(struct demo *d, const struct past *past, const struct identity *by, struct arena *a)
{
	const struct type *t = registry_type(d->reg, str_of(past->type));
	struct row *rows = NULL;
	size_t n = 0;
	arena_reset(a);
	enum err err = ids_in(d, past, a, &rows, &n);
	for (size_t i = 0; i < n && !err; i++) {
		if (i * past->left / 100 != (i + 1) * past->left / 100)
			continue; // still to do
		arena_reset(d->scratch);
		json_t *body = past->body(d, &rows[i]);
		err = flow_move(d->db, d->reg, t, rows[i].c.id, str_of(past->move), body, by, true, d->scratch, d->p);
		json_decref(body);
	}
	return err;
}

// What was said of work that is done was read.
static enum err read_notices(struct demo *d, const struct identity *by, struct arena *a)
{
	struct notice *v;
	size_t n;
	arena_reset(a);
	enum err err = flow_notices(d->db, by, true, NOTICES_MAX, a, &v, &n);
	for (size_t i = 0; i < n && !err; i++)
		for (size_t k = 0; k < ARRAY_LEN(pasts); k++)
			if (!err && str_is(v[i].type, pasts[k].type))
				err = flow_notice_read(d->db, by, v[i].id, d->now);
	return err;
}

enum err demo_history(struct demo *d)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(256 << 10), *b on_scope_exit(arena_freep) = arena_new(16 << 10);
	const json_t *id = json_object_get(d->person_ids, "bureau3");
	struct identity by;
	int64_t next = d->now;
	enum err err = OK;
	for (int i = 0; i < TICKS_MAX && !err && next <= d->now; i++) {
		arena_reset(a);
		err = flow_schedule_tick(d->db, d->reg, d->now, a, &next);
	}
	if (!err && id)
		err = auth_person_identity(d->db, d->reg, json_integer_value(id), b, &by);
	if (err || !id)
		return err;
	by.batch = 1; // nobody is told of what is long past
	for (size_t i = 0; i < ARRAY_LEN(pasts) && !err; i++)
		err = do_past(d, &pasts[i], &by, a);
	const char *login;
	json_t *person;
	json_object_foreach(d->person_ids, login, person) {
		if (err || strncmp(login, "bureau", 6) != 0)
			continue;
		arena_reset(b);
		err = auth_person_identity(d->db, d->reg, json_integer_value(person), b, &by);
		if (!err)
			err = read_notices(d, &by, a);
	}
	return err;
}
