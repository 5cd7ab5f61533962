// POST /api/v1/study/:id: the heartbeat of a course that is being watched (packs/training/types/course_study.yaml). What counts is the time
// that passed on the server since the last beat, at most BEAT_LONGEST of it, and not beyond what is left of the chapter: who skips ahead,
// runs it at double speed or in two windows gains nothing.
#include <math.h>

#include "api/lot.h"
#include "base/time.h"
#include "flow/draft.h"
#include "model/held.h"

#define BEAT_LONGEST 60.0       // s that one beat may count for

struct studying {
	struct call *c;
	const struct type *t;
	int64_t id, chapter;
	double at;                  // s of the chapter where the player is
	bool start;                 // the player begins, or goes on after a pause: the time before counts for nothing
	struct row row;
};

static json_t *rows_of(const struct type *t, const struct row *row, const char *name)
{
	const struct field *f = type_field(t, str_of(name));
	return f ? value_rows(&row->vals[f->col]) : json_array();
}

// Minutes of each chapter, from the course.
static enum err read_course(struct studying *k, struct db *db, json_t **ret, struct problem *p)
{
	const struct type *t = registry_type(k->c->reg, STR("course"));
	struct row course;
	enum err err = t ? records_get(db, &t->table, NULL, held_int(k->t, &k->row, "course", 0), k->c->arena, &course) : ERR_NOT_FOUND;
	if (err)
		return problem_set(p, err, "course", "没有这门课程", "no such course");
	*ret = rows_of(t, &course, "chapters");
	if (k->chapter >= 1 && k->chapter <= (int64_t)json_array_size(*ret))
		return OK;
	return problem_set(p, ERR_INVALID, "chapter", "没有这一章", "there is no such chapter");
}

static double seconds(const json_t *rows, size_t i) { return json_number_value(json_object_get(json_array_get(rows, i), "seconds")); }

// The chapters before must have been watched; the player cannot be farther than what was watched.
static enum err in_order(struct studying *k, const json_t *chapters, const json_t *done, double gained, struct problem *p)
{
	size_t at = (size_t)k->chapter - 1;
	for (size_t i = 0; i < at; i++)
		if (seconds(done, i) < 60 * json_number_value(json_object_get(json_array_get(chapters, i), "minutes")))
			return problem_set(p, ERR_CONFLICT, "chapter", "先学完第 %zu 章", "chapter %zu comes first", i + 1);
	if (k->at > seconds(done, at) + gained + 5)
		return problem_set(p, ERR_CONFLICT, "at_s", "不能快进：本章已学 %.0f 秒", "it cannot be skipped: %.0f s of this chapter were watched", seconds(done, at));
	return OK;
}

static enum err beat(struct studying *k, struct db *db, const json_t *chapters, struct problem *p)
{
	int64_t now = clock_now(), last = held_int(k->t, &k->row, "beat_at", 0);
	size_t at = (size_t)k->chapter - 1;
	// A first beat, or one after a pause or in another chapter, starts the clock and counts for nothing.
	bool running = !k->start && last && held_int(k->t, &k->row, "beat_chapter", 0) == k->chapter && now - last <= 2 * (int64_t)BEAT_LONGEST * US_PER_S;
	double gained = running ? fmin((double)(now - last) / (double)US_PER_S, BEAT_LONGEST) : 0;
	json_t *done = rows_of(k->t, &k->row, "progress"), *next = json_array();
	enum err err = in_order(k, chapters, done, gained, p);
	double all = 0;
	for (size_t i = 0; i < json_array_size(chapters); i++) {
		const json_t *chapter = json_array_get(chapters, i), *name = json_object_get(chapter, "title");
		double length = 60 * json_number_value(json_object_get(chapter, "minutes")), watched = seconds(done, i);
		if (i == at)
			watched = fmin(length, watched + gained);
		all += watched;
		json_array_append_new(next, json_pack("{s:s, s:f, s:f}", "title", name ? json_string_value(name) : "", "seconds", round(watched * 10) / 10, "length", length));
	}
	const struct flow_field f[] = {
		{ "progress", lot_rows(next, k->c->arena) },
		{ "beat_at", { .kind = VAL_INT, .i = now, .s = STR_EMPTY } },
		{ "beat_chapter", { .kind = VAL_REAL, .f = (double)k->chapter, .s = STR_EMPTY } },
		{ "watched", { .kind = VAL_REAL, .f = round(all) / 60, .s = STR_EMPTY } },
	};
	json_decref(done);
	json_decref(next);
	return err ? err : flow_update(db, k->c->reg, k->t, k->id, f, ARRAY_LEN(f), LABEL_EMPTY, k->c->arena, &k->row, p);
}

static enum err study_job(struct db *db, void *arg, struct problem *p)
{
	struct studying *k = arg;
	json_t *chapters = NULL;
	enum err err = call_row(k->c, db, k->t, k->id, &k->row, p);
	if (!err && held_int(k->t, &k->row, "learner", 0) != k->c->id.person)
		err = problem_set(p, ERR_FORBIDDEN, "learner", "只有学员本人能学", "only the learner himself");
	if (!err && !str_is(k->row.c.state, "learning"))
		err = problem_set(p, ERR_CONFLICT, "state", "已结束学习", "it is over");
	if (!err)
		err = read_course(k, db, &chapters, p);
	if (!err)
		err = beat(k, db, chapters, p);
	json_decref(chapters);
	return err;
}

enum err study_post(struct call *c)
{
	struct studying k = { .c = c, .t = registry_type(c->reg, STR("course_study")) };
	enum err err = param_id(c, 0, &k.id);
	if (!err && (!k.t || !auth_may_read(&c->id, k.t)))
		err = call_fail(c, ERR_NOT_FOUND, "type", "没有网络学习这个类型，或无权查看", "there is no such type, or not yours to see");
	if (!err) {
		k.chapter = json_integer_value(json_object_get(c->body, "chapter"));
		k.start = json_is_true(json_object_get(c->body, "start"));
		k.at = json_number_value(json_object_get(c->body, "at_s"));
		err = store_write(c->app->store, study_job, &k, &c->p);
	}
	if (err)
		return err;
	record_json(&c->w, call_db(c), c->reg, k.t, &k.row, &c->id, true, c->arena);
	return OK;
}
