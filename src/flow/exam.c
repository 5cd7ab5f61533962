// Examinations on records: who may sit, the paper that is frozen as it was drawn, answers one by one, the end. The server's clock
// decides; a sitting that nobody hands in is ended by exam_tick, also one whose time passed while nothing ran.
#include "flow/exam.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/time.h"
#include "flow/lot.h"
#include "model/held.h"

static const char *const options[] = { "option_a", "option_b", "option_c", "option_d", "option_e", "option_f" };

bool exam_types(const struct registry *reg, struct exam_types *ret)
{
	*ret = (struct exam_types){ registry_type(reg, STR("exam")), registry_type(reg, STR("exam_sitting")), registry_type(reg, STR("question")),
		                        registry_type(reg, STR("person")) };
	return ret->exam && ret->sitting && ret->question && ret->person;
}

int64_t exam_until(const struct type *sitting, const struct row *row) { return held(sitting, row, "until")->i; }

// ---- who, and from what ------------------------------------------------------------------------
bool exam_is_for(const struct exam_types *t, const struct row *exam, const struct identity *by)
{
	char own[32];
	snprintf(own, sizeof own, ",%lld,", (long long)by->person);
	if (str_contains(held_text(t->exam, exam, "candidates"), str_of(own)))
		return true;
	struct str roles = held_text(t->exam, exam, "roles");
	bool one = false;
	for (size_t i = 0; i < by->nroles && !one; i++) {
		char role[64];
		snprintf(role, sizeof role, ",%.*s,", STR_FMT(by->roles[i]->name));
		one = str_contains(roles, str_of(role));
	}
	return one && str_starts(by->scope.area, area_prefix(exam->c.area)) && (!exam->c.enterprise || by->scope.enterprise == exam->c.enterprise);
}

static json_t *rules_of(const struct exam_types *t, const struct row *exam)
{
	struct str s = held_text(t->exam, exam, "rule");
	return s.n ? json_loadb(s.p, s.n, 0, NULL) : NULL;
}

static struct str member(const json_t *j, const char *key, struct arena *a)
{
	const json_t *v = json_object_get(j, key);
	return json_is_string(v) ? arena_str(a, str_from(json_string_value(v), json_string_length(v))) : STR_EMPTY;
}

struct reading { const struct exam_types *t; const json_t *rules; struct arena *a; struct exam_bank *ret; size_t cap; };

static enum err on_question(void *arg, const struct row *row)
{
	struct reading *r = arg;
	struct str subject = held_text(r->t->question, row, "subject");
	size_t i;
	const json_t *one;
	if (held(r->t->question, row, "in_use")->i == 0)
		return OK;
	json_array_foreach((json_t *)r->rules, i, one) {
		if (!str_is(subject, json_string_value(json_object_get(one, "subject"))))
			continue;
		r->ret->v = arena_push(r->a, r->ret->v, &r->ret->n, &r->cap, sizeof *r->ret->v);
		r->ret->v[r->ret->n - 1] = (struct exam_question){ row->c.id, arena_str(r->a, subject),
			                                               arena_str(r->a, held_text(r->t->question, row, "kind")) };
		break;
	}
	return OK;
}

enum err exam_bank(struct db *db, const struct exam_types *t, const struct row *exam, struct arena *a, struct exam_bank *ret)
{
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	struct list_query all = { .limit = SIZE_MAX };
	json_t *rules = rules_of(t, exam);
	struct reading r = { t, rules, a, ret, 0 };
	*ret = (struct exam_bank){ 0 };
	enum err err = records_each(db, &t->question->table, &all, scratch, on_question, &r);
	json_decref(rules);
	return err;
}

enum err exam_sittings(struct db *db, const struct exam_types *t, int64_t exam, int64_t person, struct arena *a, struct row **ret,
                       size_t *ret_n)
{
	struct value whose = { .kind = VAL_INT, .i = person }, which = { .kind = VAL_INT, .i = exam };
	struct filter f[] = { { STR("person"), FILTER_EQ, &whose, 1 }, { STR("exam"), FILTER_EQ, &which, 1 } };
	struct list_query lq = { .filters = f, .nfilters = exam ? 2 : 1, .limit = LIMIT_PAGE_SIZE };
	struct problem p = { .arena = a };
	return records_list(db, &t->sitting->table, NULL, &lq, a, ret, ret_n, NULL, &p);
}

// ---- the paper -----------------------------------------------------------------------------------
enum err exam_paper(struct db *db, int64_t sitting, struct arena *a, struct exam_line **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_EXAM_PAPER);
	query_i64(&q, 1, sitting);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct exam_line){ .n = query_get_i64(&q, 0), .question = query_get_i64(&q, 1), .points = query_get_f64(&q, 2),
			                                     .body = query_get_str(&q, 3, a), .key = query_get_str(&q, 4, a), .answer = query_get_str(&q, 5, a),
			                                     .saved_at = query_get_i64(&q, 6), .got = query_get_f64(&q, 7) };
	}
	return query_end(&q);
}

// Text, kind and the options in the order of this paper.
static struct str body_of(const struct exam_types *t, const struct row *question, struct str seed, struct arena *a)
{
	struct buf b;
	struct jw w;
	uint8_t order[ARRAY_LEN(options)], n = 0, shown[ARRAY_LEN(options)];
	struct str kind = held_text(t->question, question, "kind");
	buf_init(&b, LIMIT_TEXT_FIELD * 4);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "text", held_text(t->question, question, "text"));
	jw_kstr(&w, "kind", kind);
	jw_karr(&w, "options");
	for (uint8_t i = 0; i < ARRAY_LEN(options) && !str_is(kind, "judge"); i++)
		if (held_text(t->question, question, options[i]).n)
			shown[n++] = i;
	exam_shuffle(seed, question->c.id, order, n);
	for (uint8_t i = 0; i < n; i++) {
		uint8_t at = shown[order[i] - 1];
		jw_obj(&w);
		jw_kstr(&w, "key", str_from(&"abcdef"[at], 1));
		jw_kstr(&w, "text", held_text(t->question, question, options[at]));
		jw_end(&w);
	}
	for (int i = 0; i < 2 && str_is(kind, "judge"); i++) {
		jw_obj(&w);
		jw_kcstr(&w, "key", i ? "no" : "yes");
		jw_end(&w);
	}
	jw_end(&w);
	jw_end(&w);
	struct str ret = jw_done(&w) ? arena_str(a, buf_str(&b)) : STR("{}");
	buf_free(&b);
	return ret;
}

static enum err line_add(struct db *db, const struct exam_types *t, int64_t exam, int64_t sitting, int64_t n,
                         const struct exam_item *item, struct str seed, struct arena *a)
{
	struct row row;
	struct query q;
	enum err err = records_get(db, &t->question->table, NULL, item->question, a, &row);
	if (err)
		return err;
	query_begin(&q, db, STMT_EXAM_LINE_ADD);
	query_i64(&q, 1, sitting);
	query_i64(&q, 2, n);
	query_i64(&q, 3, item->question);
	query_f64(&q, 4, item->points);
	query_str(&q, 5, body_of(t, &row, seed, a));
	query_str(&q, 6, held_text(t->question, &row, "answer"));
	query_i64(&q, 7, exam);
	return query_run(&q);
}

static enum err paper_make(struct db *db, const struct exam_types *t, const struct row *exam, const struct exam_bank *bank, int64_t sitting,
                           struct str seed, struct arena *a, struct problem *p)
{
	json_t *j = rules_of(t, exam), *one;
	size_t i, n = 0, nitems, at = 0;
	struct exam_rule *rules = arena_many(a, json_array_size(j) + 1, struct exam_rule);
	struct exam_item *items;
	double sum = 0;
	json_array_foreach(j, i, one) {
		double many = json_number_value(json_object_get(one, "many"));
		sum += many;
		rules[n++] = (struct exam_rule){ member(one, "subject", a), member(one, "kind", a), many > 0 ? (size_t)many : 0,
			                             json_number_value(json_object_get(one, "points")) };
	}
	json_decref(j);
	if (sum > LIMIT_EXAM_QUESTIONS)
		return problem_set(p, ERR_TOO_LARGE, "rule", "一份试卷最多 %d 题", "a paper has at most %d questions", LIMIT_EXAM_QUESTIONS);
	enum err err = exam_draw(seed, rules, n, bank->v, bank->n, a, &items, &nitems, &at);
	if (err == ERR_CONFLICT)
		return problem_set(p, err, "rule", "题库不够：第 %zu 条抽题规则要 %zu 题，只有 %zu 题。请联系考务人员", "the bank is too small: rule %zu needs %zu questions and finds %zu; tell the examiners",
		                   at + 1, rules[at].many, nitems);
	for (i = 0; !err && i < nitems; i++)
		err = line_add(db, t, exam->c.id, sitting, (int64_t)i + 1, &items[i], seed, a);
	return err;
}

// ---- sitting down --------------------------------------------------------------------------------
static struct value int_value(int64_t i) { return (struct value){ .kind = VAL_INT, .i = i, .s = STR_EMPTY }; }
static struct value real_value(double f) { return (struct value){ .kind = VAL_REAL, .f = f, .s = STR_EMPTY }; }
static struct value text_value(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }

// What is known of the exam now, and of the tries before.
static enum err may_begin(const struct exam_types *t, const struct row *exam, const struct row *before, size_t n, const struct identity *by,
                          int64_t now, struct problem *p)
{
	double tries = held_number(t->exam, exam, "tries", 1), wait = held_number(t->exam, exam, "wait_days", 0);
	if (by->actor && by->actor != by->person)
		return problem_set(p, ERR_FORBIDDEN, "", "考试不能代考", "nobody sits an exam for somebody else");
	if (!exam_is_for(t, exam, by))
		return problem_set(p, ERR_FORBIDDEN, "", "您不在这场考试的范围内", "this exam is not for you");
	if (!str_is(exam->c.state, "open") || now < held(t->exam, exam, "opens")->i || now >= held(t->exam, exam, "closes")->i)
		return problem_set(p, ERR_CONFLICT, "", "现在不在考试时间内", "the exam is not open now");
	for (size_t i = 0; i < n; i++)
		if (str_is(before[i].c.state, "passed"))
			return problem_set(p, ERR_CONFLICT, "", "您已经通过这场考试", "you have passed this exam");
	if ((double)n >= tries)
		return problem_set(p, ERR_CONFLICT, "tries", "已经考了 %zu 次，不能再考", "you have sat it %zu times, which is all", n);
	if (n && now < before[0].c.created_at + (int64_t)(wait * (double)US_PER_DAY))
		return problem_set(p, ERR_CONFLICT, "wait_days", "补考须在上次考试 %g 天之后", "a re-sit must wait for %g days after the last try", wait);
	return OK;
}

static enum err sitting_new(struct db *db, const struct registry *reg, const struct exam_types *t, const struct row *exam,
                            const struct exam_bank *bank, const struct identity *by, size_t tries, int64_t now, struct arena *a,
                            int64_t *ret, struct problem *p)
{
	const struct type *workers = registry_type(reg, STR("employee"));
	struct value me = int_value(by->person);
	struct row worker = { .c = { .id = 0 } }, row;
	int64_t entry;
	char seed[LOT_SEED];
	double minutes = held_number(t->exam, exam, "minutes", 60);
	int64_t until = now + (int64_t)(minutes * 60) * US_PER_S, closes = held(t->exam, exam, "closes")->i;
	if (workers && records_find(db, &workers->table, NULL, STR("person"), me, a, &worker))
		worker.c.id = 0;
	const struct flow_field f[] = {
		{ "title", text_value(arena_printf(a, "%.*s · %.*s", STR_FMT(exam->c.title), STR_FMT(by->title))) },
		{ "exam", int_value(exam->c.id) }, { "person", me }, { "try", real_value((double)tries + 1) },
		{ "employee", worker.c.id ? int_value(worker.c.id) : (struct value){ .kind = VAL_NULL, .s = STR_EMPTY } },
		{ "started", int_value(now) }, { "until", int_value(until < closes ? until : closes) },
		{ "pass_mark", real_value(held_number(t->exam, exam, "pass_mark", 80)) }, { "part", real_value(held_number(t->exam, exam, "part", 0)) },
		{ "least_seconds", real_value(held_number(t->exam, exam, "least_seconds", 0)) },
	};
	enum err err = flow_open(db, reg, t->sitting, f, ARRAY_LEN(f), by->scope.area, by->scope.enterprise, 0, a, ret, p);
	if (!err)
		err = lot_seed(db, t->sitting->name, *ret, a, &entry, seed);
	if (err)
		return err;
	const struct flow_field kept[] = { { "seed", text_value(arena_str(a, str_of(seed))) }, { "seed_entry", real_value((double)entry) } };
	err = flow_update(db, reg, t->sitting, *ret, kept, ARRAY_LEN(kept), LABEL("抽题", "questions drawn"), a, &row, p);
	return err ? err : paper_make(db, t, exam, bank, *ret, str_of(seed), a, p);
}

static enum err end_sitting(struct db *db, const struct registry *reg, const struct exam_types *t, const struct row *row, int64_t at,
                            struct arena *a, struct problem *p);

enum err exam_sit(struct db *db, const struct registry *reg, int64_t id, const struct exam_bank *bank, const struct identity *by,
                  struct arena *a, int64_t *ret, struct problem *p)
{
	struct exam_types t;
	struct row exam, *before;
	size_t n;
	int64_t now = clock_now();
	if (!exam_types(reg, &t) || records_get(db, &t.exam->table, NULL, id, a, &exam) || exam.c.retired)
		return problem_set(p, ERR_NOT_FOUND, "id", "没有这场考试", "no such exam");
	enum err err = exam_sittings(db, &t, id, by->person, a, &before, &n);
	for (size_t i = 0; !err && i < n; i++) {
		if (!str_is(before[i].c.state, "sitting"))
			continue;
		if (exam_until(t.sitting, &before[i]) > now && !(by->actor && by->actor != by->person)) {
			*ret = before[i].c.id;
			return OK;
		}
		err = end_sitting(db, reg, &t, &before[i], exam_until(t.sitting, &before[i]), a, p);
	}
	if (!err)
		err = exam_sittings(db, &t, id, by->person, a, &before, &n);
	if (!err)
		err = may_begin(&t, &exam, before, n, by, now, p);
	return err ? err : sitting_new(db, reg, &t, &exam, bank, by, n, now, a, ret, p);
}

// ---- answers -------------------------------------------------------------------------------------
static enum err own_sitting(struct db *db, const struct registry *reg, int64_t id, const struct identity *by, struct exam_types *t,
                            struct arena *a, struct row *ret, struct problem *p)
{
	if (!exam_types(reg, t) || records_get(db, &t->sitting->table, NULL, id, a, ret) || held(t->sitting, ret, "person")->i != by->person ||
	    (by->actor && by->actor != by->person))
		return problem_set(p, ERR_NOT_FOUND, "id", "没有这份试卷，或不是您的", "no such paper, or not yours");
	return OK;
}

static const struct exam_line *line_of(const struct exam_line *v, size_t n, int64_t number)
{
	return number >= 1 && (size_t)number <= n ? &v[number - 1] : NULL;
}

// Keys that the question has, each once, and one only unless it asks for several: as a menus field has them.
static enum err answer_text(const json_t *answer, struct str body, struct arena *a, struct str *ret, struct problem *p)
{
	json_t *b = json_loadb(body.p, body.n, 0, NULL);
	const char *kind = json_string_value(json_object_get(b, "kind"));
	json_t *opts = json_object_get(b, "options"), *one, *opt;
	size_t i, k, found = 0, many = json_array_size(answer);
	struct str s = STR_EMPTY;
	json_array_foreach(opts, k, opt)
		json_array_foreach((json_t *)answer, i, one)
			if (json_is_string(one) && json_equal(one, json_object_get(opt, "key"))) {
				s = arena_printf(a, "%.*s%s,", STR_FMT(s.n ? s : STR(",")), json_string_value(one));
				found++;
				break;
			}
	bool ok = json_is_array(answer) && found == many && (many <= 1 || (kind && !strcmp(kind, "multiple")));
	json_decref(b);
	*ret = s;
	return ok ? OK : problem_set(p, ERR_INVALID, "answer", "answer 是选项的列表，单选和判断只能一个", "answer is a list of the options chosen; one only unless several are asked for");
}

enum err exam_save(struct db *db, const struct registry *reg, int64_t id, int64_t number, const json_t *answer, int64_t away,
                   const struct identity *by, struct arena *a, struct problem *p)
{
	struct exam_types t;
	struct exam_line *v;
	struct row row;
	struct str text;
	struct query q;
	size_t n;
	int64_t now = clock_now();
	enum err err = own_sitting(db, reg, id, by, &t, a, &row, p);
	if (err)
		return err;
	if (!str_is(row.c.state, "sitting") || now > exam_until(t.sitting, &row))
		return problem_set(p, ERR_CONFLICT, "", "考试时间已到或已交卷，答案没有保存", "time is up or the paper is handed in: the answer was not kept");
	if ((err = exam_paper(db, id, a, &v, &n)))
		return err;
	const struct exam_line *line = line_of(v, n, number);
	if (!line)
		return problem_set(p, ERR_INVALID, "n", "没有第 %lld 题", "there is no question %lld", (long long)number);
	if ((err = answer_text(answer, line->body, a, &text, p)))
		return err;
	query_begin(&q, db, STMT_EXAM_ANSWER);
	query_i64(&q, 1, id);
	query_i64(&q, 2, number);
	query_str(&q, 3, text);
	query_i64(&q, 4, now);
	err = query_run(&q);
	const struct flow_field f = { "away", real_value((double)away) };
	return err || (double)away <= held_number(t.sitting, &row, "away", 0) ? err : flow_update(db, reg, t.sitting, id, &f, 1, LABEL("离开页面", "left the page"), a, &row, p);
}

// ---- the end -------------------------------------------------------------------------------------
struct marks { double score, full; size_t answered, right, n; char digest[2 * SM3_LEN + 1]; };

static enum err mark(struct db *db, int64_t id, double part, struct arena *a, struct marks *m)
{
	struct exam_line *v;
	struct sm3 h;
	uint8_t hash[SM3_LEN];
	*m = (struct marks){ 0 };
	enum err err = exam_paper(db, id, a, &v, &m->n);
	sm3_init(&h);
	for (size_t i = 0; i < m->n; i++) {
		double got = exam_points(v[i].key, v[i].answer, v[i].points, part);
		struct query q;
		m->score += got;
		m->full += v[i].points;
		m->answered += v[i].answer.n > 0;
		m->right += v[i].points > 0 && got >= v[i].points;
		sm3_add_str(&h, v[i].body);
		sm3_add_str(&h, v[i].key);
		sm3_add_str(&h, v[i].answer);
		sm3_add_str(&h, arena_printf(a, "%lld %lld %g %g", (long long)v[i].question, (long long)v[i].saved_at, v[i].points, got));
		query_begin(&q, db, STMT_EXAM_GOT);
		query_i64(&q, 1, id);
		query_i64(&q, 2, v[i].n);
		query_f64(&q, 3, got);
		err = err ? err : query_run(&q);
	}
	sm3_end(&h, hash);
	str_to_hex(hash, SM3_LEN, m->digest);
	return err;
}

static enum err end_sitting(struct db *db, const struct registry *reg, const struct exam_types *t, const struct row *row, int64_t at,
                            struct arena *a, struct problem *p)
{
	struct identity system = identity_system();
	struct marks m;
	struct row now;
	int64_t seconds = (at - held(t->sitting, row, "started")->i) / US_PER_S;
	enum err err = mark(db, row->c.id, held_number(t->sitting, row, "part", 0), a, &m);
	bool fast = (double)seconds < held_number(t->sitting, row, "least_seconds", 0) * (double)m.answered;
	const struct flow_field f[] = {
		{ "handed_in", int_value(at) }, { "seconds", real_value((double)seconds) }, { "score", real_value(m.score) }, { "full", real_value(m.full) },
		{ "questions", real_value((double)m.n) }, { "answered", real_value((double)m.answered) }, { "right", real_value((double)m.right) },
		{ "fast", int_value(fast) }, { "digest", text_value(str_of(m.digest)) },
	};
	if (!err)
		err = flow_update(db, reg, t->sitting, row->c.id, f, ARRAY_LEN(f), LABEL("阅卷", "marked"), a, &now, p);
	bool passed = m.score >= held_number(t->sitting, row, "pass_mark", 80);
	json_t *none = json_object();
	if (!err)
		err = flow_move(db, reg, t->sitting, row->c.id, passed ? STR("pass") : STR("fail"), none, &system, true, a, p);
	json_decref(none);
	return err;
}

enum err exam_hand_in(struct db *db, const struct registry *reg, int64_t id, const struct identity *by, struct arena *a, struct problem *p)
{
	struct exam_types t;
	struct row row;
	int64_t now = clock_now();
	enum err err = own_sitting(db, reg, id, by, &t, a, &row, p);
	if (err || !str_is(row.c.state, "sitting"))
		return err;
	int64_t until = exam_until(t.sitting, &row);
	return end_sitting(db, reg, &t, &row, now < until ? now : until, a, p);
}

static enum err over(struct db *db, const struct exam_types *t, int64_t now, size_t limit, struct arena *a, struct row **ret, size_t *ret_n)
{
	struct value open = text_value(STR("sitting")), at = int_value(now);
	struct filter f[] = { { STR("state"), FILTER_EQ, &open, 1 }, { STR("until"), FILTER_LE, &at, 1 } };
	struct list_query lq = { .filters = f, .nfilters = 2, .limit = limit };
	struct problem p = { .arena = a };
	return records_list(db, &t->sitting->table, NULL, &lq, a, ret, ret_n, NULL, &p);
}

enum err exam_tick(struct db *db, const struct registry *reg, int64_t now, size_t limit, struct arena *a, size_t *ret_n)
{
	struct exam_types t;
	struct row *v;
	*ret_n = 0;
	if (!exam_types(reg, &t))
		return OK;
	enum err err = over(db, &t, now, limit, a, &v, ret_n);
	for (size_t i = 0; !err && i < *ret_n; i++) {
		struct problem p = { .arena = a };
		err = end_sitting(db, reg, &t, &v[i], exam_until(t.sitting, &v[i]), a, &p);
	}
	return err;
}

enum err exam_stats(struct db *db, int64_t exam, struct arena *a, struct exam_stat **ret, size_t *ret_n)
{
	struct query q;
	size_t cap = 0;
	*ret = NULL;
	*ret_n = 0;
	query_begin(&q, db, STMT_EXAM_STATS);
	query_i64(&q, 1, exam);
	while (query_row(&q)) {
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = (struct exam_stat){ query_get_i64(&q, 0), query_get_i64(&q, 1), query_get_i64(&q, 2), query_get_i64(&q, 3) };
	}
	return query_end(&q);
}
