// A condition that the store applies finds exactly the rows for which the expression itself holds: every form of where:
// against rows with and without values.
// needs: base store expr model auth measure flow
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/time.h"
#include "flow/draft.h"
#include "model/exprs.h"
#include "store_fixture.h"

static const char *const wheres[] = {
	"level == red", "level != red", "level in (red, yellow)", "level not in (red)", "not (level == red)", "not (level != red)",
	"state == open", "state != done", "empty(plan)", "not empty(plan)", "empty(until)", "empty(parts)", "not empty(people)",
	"until < today()", "until <= today()", "until > today()", "until >= today() - 3d", "until == today()", "until != today()",
	"until < '2026-11-22'", "until < today() + 5wd", "until > today() - 2wd", "days(until, today()) > 2", "days(today(), until) <= 3",
	"days(found, today()) >= 1", "found < until", "found == until", "year > 2025", "year == 2026 or level == red", "year != 2026",
	"total >= 100.5", "total < 1000", "total == 110.55", "large", "not large", "large == true", "created_at < today()",
	"created_at >= today()", "created_at == today()", "created_at != today()", "created_at > now() - 2h", "created_at < now()",
	"deadline < now()", "deadline != today()", "empty(deadline)", "created_by == me", "created_by != me", "enterprise == my_enterprise",
	"empty(enterprise)", "firm == my_enterprise", "escalated > 0", "escalated < 1", "what == '检修'", "what != '检修'", "sector != 'x'",
	"until in ('2026-11-22', '2026-11-25')", "level == red and (until < today() or empty(until)) and not large", "paused", "retired",
	"source.type == licence", "source.type != licence", "licence == source.type", "source.type in (licence, enterprise)",
	"source.type not in (licence)", "not (source.type == enterprise)", "empty(source)", "not empty(source) and level == red",
	"matched('ticket.what')", "not matched('ticket.firm') and level == red", "matched_ever('ticket.what')", "matched_ever('ticket.firm') and not large",
};

struct scene {
	struct registry *reg;
	const struct type *t;
	struct fixture *f;
	unsigned seed;
};

static unsigned dice(struct scene *s, unsigned n)
{
	s->seed = s->seed * 1103515245u + 12345u;
	return (s->seed >> 16) % n;
}

static void put(struct scene *s, struct value *vals, const char *field, struct value v)
{
	vals[type_field(s->t, str_of(field))->col] = v;
}

static struct value text(const char *s)
{
	return (struct value){ .kind = s ? VAL_TEXT : VAL_NULL, .s = str_of(s) };
}

static struct value whole(int64_t i)
{
	return (struct value){ .kind = VAL_INT, .i = i, .s = STR_EMPTY };
}

static enum err job_insert(struct db *db, void *arg, struct problem *p)
{
	struct scene *s = arg;
	static const char *const levels[] = { "red", "yellow", "blue", NULL }, *const states[] = { "open", "done" };
	static const char *const days[] = { NULL, "2026-11-15", "2026-11-19", "2026-11-20", "2026-11-22", "2026-11-23", "2026-11-25", "2026-11-30" };
	static const char *const origins[] = { NULL, "licence:3", "licence:31", "enterprise:5" };
	static const int64_t totals[] = { 10050, 11055, 100000, 1 };
	int64_t now = clock_now();
	for (int i = 0; i < 300; i++) {
		struct value *vals = arena_many(db_arena(db), s->t->table.ncols, struct value);
		const int64_t moments[] = { 0, now, now - US_PER_HOUR, now - 9 * US_PER_HOUR, now - US_PER_DAY, now + 3 * US_PER_DAY };
		struct common c = { .number = STR_EMPTY, .state = str_of(states[dice(s, 2)]), .area = STR_EMPTY, .title = STR_EMPTY,
			            .sector = dice(s, 2) ? STR("x") : STR_EMPTY, .prev_state = STR_EMPTY, .version = 1,
			            .created_at = moments[1 + dice(s, 5)], .created_by = dice(s, 3) + 6, .enterprise = dice(s, 3) * 5,
			            .deadline = moments[dice(s, 6)], .escalated = dice(s, 2), .paused = dice(s, 2) };
		put(s, vals, "level", text(levels[dice(s, 4)]));
		put(s, vals, "plan", text(dice(s, 2) ? "停产" : NULL));
		put(s, vals, "what", text(dice(s, 3) ? "检修" : dice(s, 2) ? "巡查" : NULL));
		put(s, vals, "until", text(days[dice(s, 8)]));
		put(s, vals, "found", text(days[dice(s, 8)]));
		put(s, vals, "people", text(dice(s, 2) ? ",7," : NULL));
		put(s, vals, "parts", text(dice(s, 2) ? "[{\"name\":\"a\",\"cost\":5}]" : NULL));
		if (dice(s, 4))
			put(s, vals, "year", (struct value){ .kind = VAL_REAL, .f = 2024 + dice(s, 4), .s = STR_EMPTY });
		if (dice(s, 4))
			put(s, vals, "total", whole(totals[dice(s, 4)]));
		if (dice(s, 3))
			put(s, vals, "large", whole(dice(s, 2)));
		if (dice(s, 3))
			put(s, vals, "firm", whole(dice(s, 2) ? 5 : 9));
		put(s, vals, "source", text(origins[dice(s, 4)]));
		enum err err = records_insert(db, &s->t->table, &c, vals, p);
		if (err)
			return err;
	}
	return OK;
}

static enum err job_migrate(struct db *db, void *arg, struct problem *p)
{
	struct scene *s = arg;
	struct table plain = s->t->table;
	plain.nuniques = 0;
	return records_migrate(db, &plain, p);
}

static void compare(struct scene *s, struct db *db, const char *where, const struct identity *by)
{
	struct arena *a = arena_new(0);
	struct expr_error error;
	struct problem p;
	struct row *all, *found;
	size_t nall, nfound, k = 0;
	int64_t total;
	struct expr_ask ask = { .reg = s->reg, .t = s->t };
	problem_init(&p, a);
	const struct expr *e = type_expr(&ask, str_of(where), a, &error);
	if (!e)
		fail_msg("%s: %.*s", where, STR_FMT(error.en));
	struct listing l = { .cond = expr_to_cond(e, s->t, a, &error) };
	if (!l.cond)
		fail_msg("%s: %.*s", where, STR_FMT(error.en));
	static const struct sort by_id = { .column = { "id", 2 } };
	struct list_query lq = { .text = STR_EMPTY, .sorts = &by_id, .nsorts = 1, .limit = LIMIT_PAGE_SIZE };
	assert_int_equal(records_list(db, &s->t->table, NULL, &lq, a, &all, &nall, &total, &p), OK);
	lq.cond = flow_list_cond(s->reg, &l, by, a);
	if (records_list(db, &s->t->table, NULL, &lq, a, &found, &nfound, &total, &p))
		fail_msg("%s: %.*s", where, STR_FMT(p.en));
	for (size_t i = 0; i < nall; i++) {
		bool holds = flow_holds(db, s->reg, s->t, e, &all[i], by, a), there = k < nfound && found[k].c.id == all[i].c.id;
		if (holds != there)
			fail_msg("%s: record %lld: the expression says %d, the store %d", where, (long long)all[i].c.id, holds, there);
		k += there;
	}
	assert_int_equal(k, nfound);
	arena_free(a);
}

static void test_same_rows(void **state)
{
	(void)state;
	struct fixture f;
	struct scene s = { .f = &f, .seed = 7 };
	struct identity by = { .person = 7, .name = STR("li"), .title = STR("李"), .lang = STR("zh"), .scope = { .area = STR_EMPTY, .enterprise = 5 } };
	clock_set_fake(INT64_C(1795305600) * US_PER_S); // 2026-11-22T08:00:00+08:00, a Sunday
	fixture_begin(&f);
	struct diags d = { .arena = f.arena };
	assert_int_equal(registry_load(&s.reg, STR("tests/packs/good"), &d), OK);
	s.t = registry_type(s.reg, STR("ticket"));
	assert_int_equal(fixture_write(&f, job_migrate, &s), OK);
	assert_int_equal(fixture_write(&f, job_insert, &s), OK);
	struct db *db = store_read_begin(f.store);
	for (size_t i = 0; i < ARRAY_LEN(wheres); i++)
		compare(&s, db, wheres[i], &by);
	store_read_end(f.store, db);
	fixture_end(&f);
	registry_free(s.reg);
	clock_set_fake(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_rows) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
