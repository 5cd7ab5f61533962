// 信用评价: POST /credit/:id computes a record credit_evaluation in its state draft by the index `credit` in force: score, grade, and
// item by item how many records, the arithmetic, what it takes off or gives back, and the numbers of the records
// (doc/decisions/0027-credit-responsibility.md). Nobody writes these fields. Within the rights of who asks.
#include "api/credit.h"

#include <jansson.h>

#include "api/api.h"
#include "base/time.h"
#include "measure/index.h"

#define EVALUATION "credit_evaluation"
#define INDEX "credit"

struct evaluating {
	struct call *c;
	const struct type *t;
	struct row row;
	int64_t id;
	json_t *why;            // the answer of GET /index/credit/why
	struct str version, basis;
};

static struct index_ask ask(struct call *c, struct db *db)
{
	return (struct index_ask){ .live = c->app->index, .db = db, .reg = c->reg, .by = &c->id, .arena = c->arena, .p = &c->p,
		                   .name = STR(INDEX), .now = clock_now() };
}

static struct str text_of(struct call *c, json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key), *zh = json_is_object(v) ? json_object_get(v, "zh") : v;
	return json_is_string(zh) ? arena_str(c->arena, str_of(json_string_value(zh))) : STR_EMPTY;
}

static double number_of(json_t *o, const char *key) { return json_number_value(json_object_get(o, key)); }

// ---- item by item ------------------------------------------------------------------------------
// "重大 2 条 × 10 + 1 条 × 2 = 22，封顶 18": what the why panel says, kept.
static struct str arithmetic(struct call *c, json_t *part, int *ret_count)
{
	json_t *one;
	size_t i;
	struct str s = STR_EMPTY;
	json_array_foreach(json_object_get(part, "counts"), i, one) {
		int n = (int)number_of(one, "n");
		struct str label = text_of(c, one, "label");
		*ret_count += n;
		s = arena_printf(c->arena, "%.*s%s%.*s%s%d 条", STR_FMT(s), s.n ? " + " : "", STR_FMT(label), label.n ? " " : "", n);
		if (number_of(part, "half_life_days") > 0)
			s = arena_printf(c->arena, "%.*s（折 %.2f）", STR_FMT(s), number_of(one, "amount"));
		s = arena_printf(c->arena, "%.*s × %.10g", STR_FMT(s), number_of(one, "weight"));
	}
	s = arena_printf(c->arena, "%.*s = %.2f", STR_FMT(s), number_of(part, "raw"));
	if (number_of(part, "raw") > number_of(part, "cap"))
		s = arena_printf(c->arena, "%.*s，封顶 %.10g", STR_FMT(s), number_of(part, "cap"));
	return s;
}

#define NAMED 20                // records of an item; the rest are counted

static enum err records_of(struct evaluating *e, struct db *db, struct str component, struct str *ret)
{
	struct call *c = e->c;
	struct index_ask q = ask(c, db);
	struct list_query lq;
	const struct type *t;
	struct row *rows;
	size_t n = 0;
	int64_t total = 0;
	*ret = STR_EMPTY;
	enum err err = index_records(&q, INDEX_ENTERPRISE, arena_printf(c->arena, "%lld", (long long)e->row.c.enterprise), component, STR_EMPTY, &t, &lq);
	if (err)
		return err;
	lq.limit = NAMED;
	err = records_list(db, &t->table, NULL, &lq, c->arena, &rows, &n, &total, &c->p);
	for (size_t i = 0; !err && i < n; i++)
		*ret = arena_printf(c->arena, "%.*s%s%.*s", STR_FMT(*ret), ret->n ? "、" : "", STR_FMT(rows[i].c.number.n ? rows[i].c.number : rows[i].c.title));
	if (!err && total > (int64_t)n)
		*ret = arena_printf(c->arena, "%.*s 等 %lld 条", STR_FMT(*ret), (long long)total);
	return err;
}

static enum err items_value(struct evaluating *e, struct db *db, struct value *ret)
{
	struct call *c = e->c;
	struct buf b;
	struct jw w;
	json_t *part;
	size_t i;
	enum err err = OK;
	buf_init(&b, LIMIT_ROWS_FIELD);
	jw_init(&w, &b);
	jw_arr(&w);
	json_array_foreach(json_object_get(e->why, "parts"), i, part) {
		int count = 0;
		struct str how = arithmetic(c, part, &count), records;
		if (err || !count)
			continue;
		err = records_of(e, db, text_of(c, part, "component"), &records);
		jw_obj(&w);
		jw_kstr(&w, "item", text_of(c, part, "label"));
		jw_ki64(&w, "count", count);
		jw_kf64(&w, "points", number_of(part, "points"));
		jw_kstr(&w, "how", how);
		jw_kstr(&w, "records", records);
		jw_end(&w);
	}
	jw_end(&w);
	bool ok = jw_done(&w);
	*ret = (struct value){ .kind = VAL_TEXT, .s = ok ? arena_str(c->arena, buf_str(&b)) : STR_EMPTY };
	buf_free(&b);
	return err || ok ? err : ERR_TOO_LARGE;
}

// ---- the whole ---------------------------------------------------------------------------------
enum err credit_why(struct call *c, struct db *db, int64_t enterprise, json_t **ret)
{
	struct index_ask q = ask(c, db);
	struct buf b;
	struct jw w;
	buf_init(&b, LIMIT_ROWS_FIELD);
	jw_init(&w, &b);
	enum err err = index_why_json(&q, INDEX_ENTERPRISE, arena_printf(c->arena, "%lld", (long long)enterprise), &w);
	if (!err && jw_done(&w))
		*ret = json_loadb(buf_str(&b).p, buf_str(&b).n, 0, NULL);
	buf_free(&b);
	return err ? err : *ret ? OK : ERR_BUG;
}

const char *credit_grade_of(struct str color)
{
	return str_is(color, "red") ? "d" : str_is(color, "orange") ? "c" : str_is(color, "yellow") ? "b" : "a";
}

static enum err evaluate_job(struct db *db, void *arg, struct problem *p)
{
	struct evaluating *e = arg;
	struct call *c = e->c;
	struct value items;
	enum err err = call_row(c, db, e->t, e->id, &e->row, p);
	if (!err && !str_is(e->row.c.state, "draft"))
		return problem_set(p, ERR_CONFLICT, "state", "已告知企业的评价不再计算；异议成立时退回重新计算", "the enterprise was told of it: it is computed again only after an objection");
	if (!err)
		err = credit_why(c, db, e->row.c.enterprise, &e->why);
	if (!err)
		err = items_value(e, db, &items);
	if (err)
		return err;
	struct str rule = arena_printf(c->arena, "%s %.*s", INDEX, STR_FMT(text_of(c, e->why, "version")));
	const struct flow_field f[] = {
		{ "score", { .kind = VAL_REAL, .f = 100 - number_of(e->why, "score"), .s = STR_EMPTY } },
		{ "grade", { .kind = VAL_TEXT, .s = str_of(credit_grade_of(text_of(c, e->why, "level"))) } },
		{ "rule", { .kind = VAL_TEXT, .s = rule } },
		{ "basis", { .kind = VAL_TEXT, .s = text_of(c, e->why, "basis") } },
		{ "items", items },
		{ "computed", { .kind = VAL_INT, .i = clock_now(), .s = STR_EMPTY } },
	};
	struct label by = { arena_printf(c->arena, "计算信用评价：%.*s", STR_FMT(c->id.title)),
		            arena_printf(c->arena, "computed by %.*s", STR_FMT(c->id.title)) };
	return flow_update(db, c->reg, e->t, e->id, f, ARRAY_LEN(f), by, c->arena, &e->row, p);
}

enum err credit_post(struct call *c)
{
	struct evaluating e = { .c = c, .t = registry_type(c->reg, STR(EVALUATION)) };
	enum err err = call_may_edit(c, e.t, &e.id, "您的角色不能计算信用评价", "your role does not compute evaluations");
	if (err)
		return err;
	err = store_write(c->app->store, evaluate_job, &e, &c->p);
	json_decref(e.why);
	if (err)
		return err;
	record_json(&c->w, call_db(c), c->reg, e.t, &e.row, &c->id, true, c->arena);
	return OK;
}
