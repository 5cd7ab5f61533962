// Exams as their candidates see them: what is open for me, my paper, an answer, handing in; and the questions' statistics for
// examiners. The right answers leave the server only for those who may read the bank's, or after the exam is closed.
#include "api/api.h"
#include "base/time.h"
#include "flow/exam.h"
#include "model/held.h"

#define TOO_HARD 0.3  // share of right answers below which a question is looked at again; of how many papers at least
#define TOO_EASY 0.95
#define ASKED_LEAST 10

static enum err types_of(struct call *c, struct exam_types *t)
{
	return exam_types(c->reg, t) ? OK : call_fail(c, ERR_NOT_FOUND, "", "没有启用考试", "there are no exams here");
}

static bool knows_answers(const struct call *c, const struct exam_types *t)
{
	const struct field *f = type_field(t->question, STR("answer"));
	return auth_may_read(&c->id, t->question) && f && auth_may_read_field(&c->id, f);
}

static void sitting_json(struct call *c, const struct exam_types *t, const struct row *r)
{
	int64_t now = clock_now(), until = exam_until(t->sitting, r), handed = held(t->sitting, r, "handed_in")->i;
	bool open = str_is(r->c.state, "sitting");
	const struct state *s = type_state(t->sitting, r->c.state);
	jw_ki64(&c->w, "id", r->c.id);
	jw_kstr(&c->w, "title", r->c.title);
	jw_ki64(&c->w, "try", (int64_t)held_number(t->sitting, r, "try", 1));
	jw_kstr(&c->w, "state", r->c.state);
	if (s)
		jw_klabel(&c->w, "state_label", s->label);
	jw_ktime(&c->w, "started", held(t->sitting, r, "started")->i);
	jw_ktime(&c->w, "until", until);
	if (open)
		jw_ki64(&c->w, "left", until > now ? (until - now) / US_PER_S : 0);
	jw_kf64(&c->w, "pass_mark", held_number(t->sitting, r, "pass_mark", 0));
	if (open)
		return;
	if (handed)
		jw_ktime(&c->w, "handed_in", handed);
	jw_kf64(&c->w, "score", held_number(t->sitting, r, "score", 0));
	jw_kf64(&c->w, "full", held_number(t->sitting, r, "full", 0));
	jw_ki64(&c->w, "seconds", (int64_t)held_number(t->sitting, r, "seconds", 0));
	jw_ki64(&c->w, "questions", (int64_t)held_number(t->sitting, r, "questions", 0));
	jw_ki64(&c->w, "answered", (int64_t)held_number(t->sitting, r, "answered", 0));
	jw_ki64(&c->w, "right", (int64_t)held_number(t->sitting, r, "right", 0));
	jw_kstr(&c->w, "digest", held_text(t->sitting, r, "digest"));
}

// ---- mine ----------------------------------------------------------------------------------------
struct listing_of { struct call *c; const struct exam_types *t; const struct row *mine; size_t nmine; int64_t now; };

static void exam_json(struct listing_of *l, const struct row *e)
{
	struct call *c = l->c;
	const struct exam_types *t = l->t;
	jw_obj(&c->w);
	jw_ki64(&c->w, "id", e->c.id);
	jw_kstr(&c->w, "title", e->c.title);
	jw_kstr(&c->w, "state", e->c.state);
	jw_ktime(&c->w, "opens", held(t->exam, e, "opens")->i);
	jw_ktime(&c->w, "closes", held(t->exam, e, "closes")->i);
	jw_kbool(&c->w, "now", str_is(e->c.state, "open") && l->now >= held(t->exam, e, "opens")->i && l->now < held(t->exam, e, "closes")->i);
	jw_ki64(&c->w, "questions", (int64_t)held_number(t->exam, e, "questions", 0));
	jw_ki64(&c->w, "minutes", (int64_t)held_number(t->exam, e, "minutes", 0));
	jw_ki64(&c->w, "tries", (int64_t)held_number(t->exam, e, "tries", 1));
	jw_kf64(&c->w, "pass_mark", held_number(t->exam, e, "pass_mark", 0));
	jw_karr(&c->w, "sittings");
	for (size_t i = 0; i < l->nmine; i++)
		if (held(t->sitting, &l->mine[i], "exam")->i == e->c.id) {
			jw_obj(&c->w);
			sitting_json(c, t, &l->mine[i]);
			jw_end(&c->w);
		}
	jw_end(&c->w);
	jw_end(&c->w);
}

static bool sat(const struct listing_of *l, int64_t exam)
{
	for (size_t i = 0; i < l->nmine; i++)
		if (held(l->t->sitting, &l->mine[i], "exam")->i == exam)
			return true;
	return false;
}

static enum err on_exam(void *arg, const struct row *e)
{
	struct listing_of *l = arg;
	if (!str_is(e->c.state, "draft") && (sat(l, e->c.id) || (str_is(e->c.state, "open") && exam_is_for(l->t, e, &l->c->id))))
		exam_json(l, e);
	return OK;
}

enum err exams_mine(struct call *c)
{
	struct exam_types t;
	struct row *mine;
	size_t n;
	enum err err = types_of(c, &t);
	if (!err)
		err = exam_sittings(call_db(c), &t, 0, c->id.person, c->arena, &mine, &n);
	if (err)
		return err;
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	struct list_query all = { .limit = SIZE_MAX };
	struct listing_of l = { c, &t, mine, n, clock_now() };
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	err = records_each(call_db(c), &t.exam->table, &all, scratch, on_exam, &l);
	jw_end(&c->w);
	jw_end(&c->w);
	return err;
}

// ---- a paper -------------------------------------------------------------------------------------
static void keys_json(struct jw *w, const char *name, struct str s)
{
	jw_karr(w, name);
	while (s.n) {
		struct str one = str_cut(&s, ',');
		if (one.n)
			jw_str(w, one);
	}
	jw_end(w);
}

static void line_json(struct call *c, const struct exam_line *v, bool result, bool keys)
{
	jw_obj(&c->w);
	jw_ki64(&c->w, "n", v->n);
	jw_kf64(&c->w, "points", v->points);
	jw_key(&c->w, "question");
	jw_raw(&c->w, v->body);
	keys_json(&c->w, "answer", v->answer);
	if (result)
		jw_kf64(&c->w, "got", v->got);
	if (keys)
		keys_json(&c->w, "key", v->key);
	jw_end(&c->w);
}

// Who may see it: the candidate; and who may read sittings, once it is over. ERR_NOT_FOUND for others.
static enum err paper_answer(struct call *c, const struct exam_types *t, int64_t id)
{
	struct row row, exam;
	struct exam_line *v;
	size_t n;
	struct db *db = call_db(c);
	enum err err = records_get(db, &t->sitting->table, NULL, id, c->arena, &row);
	bool own = !err && held(t->sitting, &row, "person")->i == c->id.person, over = !err && !str_is(row.c.state, "sitting");
	if (err || !(own || (over && auth_may_read(&c->id, t->sitting) && auth_in_scope(&c->id, common_place(&row.c)))))
		return call_fail(c, ERR_NOT_FOUND, "id", "没有这份试卷，或不是您的", "no such paper, or not yours");
	err = records_get(db, &t->exam->table, NULL, held(t->sitting, &row, "exam")->i, c->arena, &exam);
	if (!err)
		err = exam_paper(db, id, c->arena, &v, &n);
	if (err)
		return err;
	bool review = over && own && str_is(exam.c.state, "closed") && held(t->exam, &exam, "review")->i;
	bool keys = over && (review || knows_answers(c, t));
	jw_obj(&c->w);
	sitting_json(c, t, &row);
	jw_ki64(&c->w, "exam", exam.c.id);
	jw_kstr(&c->w, "exam_title", exam.c.title);
	jw_karr(&c->w, "paper");
	for (size_t i = 0; i < n && (!over || keys); i++)
		line_json(c, &v[i], over, keys);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}

struct exam_job { struct call *c; int64_t id, n, made; struct exam_bank bank; };

static enum err sit_job(struct db *db, void *arg, struct problem *p)
{
	struct exam_job *j = arg;
	return exam_sit(db, j->c->reg, j->id, &j->bank, &j->c->id, j->c->arena, &j->made, p);
}

enum err exams_sit(struct call *c)
{
	struct exam_types t;
	struct row exam;
	struct exam_job j = { .c = c };
	enum err err = types_of(c, &t);
	if (!err)
		err = param_id(c, 0, &j.id);
	if (!err && records_get(call_db(c), &t.exam->table, NULL, j.id, c->arena, &exam))
		err = call_fail(c, ERR_NOT_FOUND, "id", "没有这场考试", "no such exam");
	if (!err) // read before the job: the writer has other things to do
		err = exam_bank(call_db(c), &t, &exam, c->arena, &j.bank);
	if (!err)
		err = store_write(c->app->store, sit_job, &j, &c->p);
	if (err)
		return err;
	call_db_refresh(c);
	return paper_answer(c, &t, j.made);
}

enum err sittings_get(struct call *c)
{
	struct exam_types t;
	int64_t id;
	enum err err = types_of(c, &t);
	if (!err)
		err = param_id(c, 0, &id);
	return err ? err : paper_answer(c, &t, id);
}

static enum err save_job(struct db *db, void *arg, struct problem *p)
{
	struct exam_job *j = arg;
	int64_t away = json_integer_value(json_object_get(j->c->body, "away"));
	return exam_save(db, j->c->reg, j->id, j->n, json_object_get(j->c->body, "answer"), away < 0 ? 0 : away > 9999 ? 9999 : away, &j->c->id, j->c->arena, p);
}

// What is left of the time goes with every answer: the page's clock follows the server's.
enum err sittings_answer(struct call *c)
{
	struct exam_types t;
	struct exam_job j = { .c = c, .n = json_integer_value(json_object_get(c->body, "n")) };
	struct row row;
	enum err err = types_of(c, &t);
	if (!err)
		err = param_id(c, 0, &j.id);
	if (!err)
		err = store_write(c->app->store, save_job, &j, &c->p);
	call_db_refresh(c);
	if (!err)
		err = records_get(call_db(c), &t.sitting->table, NULL, j.id, c->arena, &row);
	if (err)
		return err;
	int64_t left = exam_until(t.sitting, &row) - clock_now();
	jw_obj(&c->w);
	jw_ki64(&c->w, "n", j.n);
	jw_ki64(&c->w, "left", left > 0 ? left / US_PER_S : 0);
	jw_end(&c->w);
	return OK;
}

static enum err hand_in_job(struct db *db, void *arg, struct problem *p)
{
	struct exam_job *j = arg;
	return exam_hand_in(db, j->c->reg, j->id, &j->c->id, j->c->arena, p);
}

enum err sittings_hand_in(struct call *c)
{
	struct exam_types t;
	struct exam_job j = { .c = c };
	enum err err = types_of(c, &t);
	if (!err)
		err = param_id(c, 0, &j.id);
	if (!err)
		err = store_write(c->app->store, hand_in_job, &j, &c->p);
	if (err)
		return err;
	call_db_refresh(c);
	return paper_answer(c, &t, j.id);
}

// ---- statistics ----------------------------------------------------------------------------------
static void stat_json(struct call *c, const struct exam_types *t, const struct exam_stat *s)
{
	struct row q;
	double share = s->asked ? (double)s->right / (double)s->asked : 0;
	bool judged = s->asked >= ASKED_LEAST;
	jw_obj(&c->w);
	jw_ki64(&c->w, "question", s->question);
	if (records_get(call_db(c), &t->question->table, NULL, s->question, c->arena, &q) == OK) {
		jw_kstr(&c->w, "number", q.c.number);
		jw_kstr(&c->w, "text", q.c.title);
	}
	jw_ki64(&c->w, "asked", s->asked);
	jw_ki64(&c->w, "answered", s->answered);
	jw_ki64(&c->w, "right", s->right);
	jw_kcstr(&c->w, "hint", !judged ? "few" : share < TOO_HARD ? "hard" : share > TOO_EASY ? "easy" : "fine");
	jw_end(&c->w);
}

enum err exams_statistics(struct call *c)
{
	struct exam_types t;
	struct exam_stat *v;
	size_t n;
	int64_t id;
	enum err err = types_of(c, &t);
	if (!err)
		err = param_id(c, 0, &id);
	if (!err && !knows_answers(c, &t))
		err = call_fail(c, ERR_FORBIDDEN, NULL, "只有考务员看试题统计", "examiners only see how questions fare");
	if (!err)
		err = exam_stats(call_db(c), id, c->arena, &v, &n);
	if (err)
		return err;
	jw_obj(&c->w);
	jw_karr(&c->w, "items");
	for (size_t i = 0; i < n; i++)
		stat_json(c, &t, &v[i]);
	jw_end(&c->w);
	jw_end(&c->w);
	return OK;
}
