// 双随机: POST /draws/:id draws objects and officers for a record random_draw whose conditions are fixed (state locked). The pools are
// written into the record; the seed is the digest of the audit entry of that, so it did not exist before and nobody can change a pool
// once it does: both and the draw are one transaction. A ticket is SM3 (GB/T 32905-2016) of the text SEED:object:ID, for an officer
// SEED:officer:OBJECT:OFFICER, ids in decimal; the lowest tickets win. An object whose credit grade in effect is C or D has more
// (ID*N in the pool): the second is of the text SEED:object:ID:2 and so on, its lowest counts. Anybody draws again with any SM3
// (doc/decisions/0031-enforcement.md). Once: a record that has a seed is not drawn again.
#include "api/lot.h"
#include "base/time.h"
#include "flow/draft.h"
#include "model/held.h"

#define DRAW "random_draw"
static const char *const grades[] = { "red", "orange", "yellow", "blue" }; // risk_color, and the fields with how many of each

struct pool {
	struct ticket *v;
	size_t n, cap;
};

struct officer {
	int64_t id;
	struct str avoid;       // ",1,2,"
};

struct lot {
	struct call *c;
	struct db *db;
	const struct type *t, *enterprise, *officer, *evaluation; // evaluation: NULL without the credit pack
	struct row row;
	int64_t id, entry;
	char seed[LOT_SEED];
	struct str area, sector, today;
	struct pool pools[ARRAY_LEN(grades)];
	struct ticket *lapsed;  // enterprises whose credit grade in effect is C or D
	size_t nlapsed, lapsed_cap;
	struct officer *officers;
	size_t nofficers, cap;
	json_t *drawn;
	struct problem *p;
};

// ---- the pools ---------------------------------------------------------------------------------
static enum err on_evaluation(void *arg, const struct row *row)
{
	struct lot *d = arg;
	const char *field = str_is(held_text(d->evaluation, row, "grade"), "c") ? "credit_c" : str_is(held_text(d->evaluation, row, "grade"), "d") ? "credit_d" : NULL;
	int many = field && str_is(row->c.state, "effective") ? (int)held_number(d->t, &d->row, field, 0) : 0;
	if (many < 2)
		return OK;
	d->lapsed = arena_push(d->c->arena, d->lapsed, &d->nlapsed, &d->lapsed_cap, sizeof *d->lapsed);
	d->lapsed[d->nlapsed - 1] = (struct ticket){ .id = row->c.enterprise, .many = many };
	return OK;
}

static int tickets_of(const struct lot *d, int64_t enterprise)
{
	int many = 1;
	for (size_t i = 0; i < d->nlapsed; i++)
		if (d->lapsed[i].id == enterprise)
			many = MAX(many, d->lapsed[i].many);
	return many;
}

static enum err on_enterprise(void *arg, const struct row *row)
{
	struct lot *d = arg;
	struct str risk = held_text(d->enterprise, row, "risk"), status = held_text(d->enterprise, row, "status");
	if (!str_starts(row->c.area, d->area) || (d->sector.n && !str_eq(row->c.sector, d->sector)) || (status.n && !str_is(status, "running")))
		return OK;
	for (size_t g = 0; g < ARRAY_LEN(grades); g++) {
		struct pool *p = &d->pools[g];
		if (!str_is(risk, grades[g]))
			continue;
		p->v = arena_push(d->c->arena, p->v, &p->n, &p->cap, sizeof *p->v);
		p->v[p->n - 1].id = row->c.id;
		p->v[p->n - 1].many = tickets_of(d, row->c.id);
	}
	return OK;
}

static enum err on_officer(void *arg, const struct row *row)
{
	struct lot *d = arg;
	struct str until = held_text(d->officer, row, "valid_to");
	if (str_cmp(until, d->today) < 0)
		return OK;
	d->officers = arena_push(d->c->arena, d->officers, &d->nofficers, &d->cap, sizeof *d->officers);
	d->officers[d->nofficers - 1] = (struct officer){ row->c.id, arena_str(d->c->arena, held_text(d->officer, row, "avoid")) };
	return OK;
}

static enum err read_pools(struct lot *d)
{
	struct list_query all = { .limit = SIZE_MAX };
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	enum err err = d->evaluation ? records_each(d->db, &d->evaluation->table, &all, scratch, on_evaluation, d) : OK;
	if (!err)
		err = records_each(d->db, &d->enterprise->table, &all, scratch, on_enterprise, d);
	if (!err)
		err = records_each(d->db, &d->officer->table, &all, scratch, on_officer, d);
	return err;
}

static enum err pool_text(struct lot *d, const struct ticket *v, size_t n, struct value *ret)
{
	enum err err = lot_pool_text(v, n, d->c->arena, ret); // in the order of the ids, as they were read
	return err ? problem_set(d->p, err, "of_sector", "名录太大，请按行业或镇街分别抽取", "the pool is too large; draw by sector or town") : OK;
}

// ---- the draw ----------------------------------------------------------------------------------
static bool avoids(const struct lot *d, const struct officer *o, int64_t enterprise)
{
	return str_contains(o->avoid, arena_printf(d->c->arena, ",%lld,", (long long)enterprise));
}

static enum err draw_officers(struct lot *d, int64_t enterprise, int64_t ret[2])
{
	struct ticket *v = arena_many(d->c->arena, d->nofficers + 1, struct ticket);
	size_t n = 0;
	for (size_t i = 0; i < d->nofficers; i++)
		if (!avoids(d, &d->officers[i], enterprise))
			v[n++].id = d->officers[i].id;
	if (n < 2)
		return problem_set(d->p, ERR_CONFLICT, "", "持有效证件且无须回避的执法人员不足两名", "fewer than two officers have a certificate in force and no conflict");
	lot_draw(str_of(d->seed), arena_printf(d->c->arena, "officer:%lld", (long long)enterprise), v, n);
	ret[0] = v[0].id;
	ret[1] = v[1].id;
	return OK;
}

static enum err draw_grade(struct lot *d, size_t g)
{
	double want = held_number(d->t, &d->row, grades[g], 0);
	enum err err = OK;
	for (size_t i = 0; !err && i < d->pools[g].n && (double)i < want; i++) {
		int64_t two[2] = { 0 }, id = d->pools[g].v[i].id;
		err = draw_officers(d, id, two);
		if (!err)
			json_array_append_new(d->drawn, json_pack("{s:I, s:s, s:I, s:I}", "enterprise", (json_int_t)id, "risk", grades[g], "officer_1",
			                                          (json_int_t)two[0], "officer_2", (json_int_t)two[1]));
	}
	return err;
}

// The pools into the record; the digest of the entry that says so is the seed.
static enum err keep_pools(struct lot *d)
{
	static const char *const names[] = { "pool_red", "pool_orange", "pool_yellow", "pool_blue", "officer_pool" };
	struct ticket *officers = arena_many(d->c->arena, d->nofficers + 1, struct ticket);
	struct flow_field f[ARRAY_LEN(names)];
	for (size_t i = 0; i < d->nofficers; i++)
		officers[i].id = d->officers[i].id;
	for (size_t g = 0; g < ARRAY_LEN(names); g++) {
		bool last = g == ARRAY_LEN(grades);
		f[g].name = names[g];
		enum err err = pool_text(d, last ? officers : d->pools[g].v, last ? d->nofficers : d->pools[g].n, &f[g].v);
		if (err)
			return err;
	}
	enum err err = flow_update(d->db, d->c->reg, d->t, d->id, f, ARRAY_LEN(f), LABEL("双随机名录", "the lists for the double random draw"), d->c->arena, &d->row, d->p);
	return err ? err : lot_seed(d->db, STR(DRAW), d->id, d->c->arena, &d->entry, d->seed);
}

static void give_tickets(struct lot *d)
{
	for (size_t g = 0; g < ARRAY_LEN(grades); g++)
		lot_draw(str_of(d->seed), STR("object"), d->pools[g].v, d->pools[g].n);
}

static enum err keep_drawn(struct lot *d)
{
	const struct flow_field f[] = {
		{ "seed", { .kind = VAL_TEXT, .s = str_of(d->seed) } },
		{ "seed_entry", { .kind = VAL_REAL, .f = (double)d->entry, .s = STR_EMPTY } },
		{ "drawn", lot_rows(d->drawn, d->c->arena) },
		{ "drawn_at", { .kind = VAL_INT, .i = clock_now(), .s = STR_EMPTY } },
	};
	struct label by = { arena_printf(d->c->arena, "双随机抽取：%.*s", STR_FMT(d->c->id.title)),
		            arena_printf(d->c->arena, "double random draw by %.*s", STR_FMT(d->c->id.title)) };
	return flow_update(d->db, d->c->reg, d->t, d->id, f, ARRAY_LEN(f), by, d->c->arena, &d->row, d->p);
}

static enum err draw_job(struct db *db, void *arg, struct problem *p)
{
	struct lot *d = arg;
	struct call *c = d->c;
	d->db = db;
	d->p = p;
	enum err err = call_row(c, db, d->t, d->id, &d->row, p);
	if (!err && (!str_is(d->row.c.state, "locked") || held_text(d->t, &d->row, "seed").n))
		return problem_set(p, ERR_CONFLICT, "", "先锁定名录；抽过的不能再抽", "close the pools first; what was drawn is not drawn again");
	d->today = date_text(clock_now(), c->arena);
	d->area = area_prefix(d->row.c.area);
	d->sector = held_text(d->t, &d->row, "of_sector");
	if (!err)
		err = read_pools(d);
	if (!err)
		err = keep_pools(d);
	if (!err)
		give_tickets(d);
	for (size_t g = 0; !err && g < ARRAY_LEN(grades); g++)
		err = draw_grade(d, g);
	if (!err && !json_array_size(d->drawn))
		err = problem_set(p, ERR_CONFLICT, "", "名录里没有符合条件的企业", "no enterprise of these grades is in the area and sector");
	return err ? err : keep_drawn(d);
}

enum err draw_post(struct call *c)
{
	struct lot d = { .c = c, .t = registry_type(c->reg, STR(DRAW)), .enterprise = registry_type(c->reg, STR("enterprise")),
		          .officer = registry_type(c->reg, STR("enforcement_officer")),
		          .evaluation = registry_type(c->reg, STR("credit_evaluation")) };
	enum err err = call_may_edit(c, d.enterprise && d.officer ? d.t : NULL, &d.id, "您的角色不能抽取", "your role does not draw");
	if (err)
		return err;
	d.drawn = json_array();
	err = store_write(c->app->store, draw_job, &d, &c->p);
	json_decref(d.drawn);
	if (err)
		return err;
	record_json(&c->w, call_db(c), c->reg, d.t, &d.row, &c->id, true, c->arena);
	return OK;
}
