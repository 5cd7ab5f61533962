// Experts by lot: POST /draws/experts/:id draws for a record expert_draw whose conditions are fixed. As of objects and officers (draw.c):
// the pool goes into the record, the digest of the audit entry of that is the seed, the lowest tickets SM3(SEED:expert:ID) win.
// Who works at the enterprise or has an interest in it, is away, or whose term ends before the day of the task is not in the pool.
#include <stdlib.h>

#include "api/api.h"
#include "api/lot.h"
#include "base/time.h"
#include "model/held.h"

#define DRAW "expert_draw"

struct person_lot {
	struct call *c;
	struct db *db;
	const struct type *t, *expert;
	struct row row;
	int64_t id, entry, enterprise;
	char seed[LOT_SEED];
	struct str area, field, day;
	struct ticket *v;
	size_t n, cap;
	json_t *drawn, *accounts; // accounts: expert id → person
	struct problem *p;
};

static bool in_list(struct str list, struct str what, struct arena *a)
{
	return str_contains(list, arena_printf(a, ",%.*s,", STR_FMT(what)));
}

static bool interested(const struct person_lot *d, const struct row *row)
{
	struct str me = arena_printf(d->c->arena, "%lld", (long long)d->enterprise);
	return d->enterprise && (held_int(d->expert, row, "employer", 0) == d->enterprise || in_list(held_text(d->expert, row, "avoid"), me, d->c->arena));
}

// An expert serves his area and what lies below it.
static enum err on_expert(void *arg, const struct row *row)
{
	struct person_lot *d = arg;
	const struct field *away = type_field(d->expert, STR("away"));
	struct str fields = held_text(d->expert, row, "fields"), until = held_text(d->expert, row, "valid_to");
	bool is_away = away && row->vals[away->col].kind == VAL_INT && row->vals[away->col].i;
	if (!str_is(row->c.state, "active") || is_away || str_cmp(until, d->day) < 0 || !str_starts(d->area, area_prefix(row->c.area)))
		return OK;
	if ((d->field.n && !in_list(fields, d->field, d->c->arena)) || interested(d, row))
		return OK;
	d->v = arena_push(d->c->arena, d->v, &d->n, &d->cap, sizeof *d->v);
	d->v[d->n - 1] = (struct ticket){ .id = row->c.id };
	int64_t person = held_int(d->expert, row, "person", 0);
	if (person)
		json_object_set_new(d->accounts, arena_cstr(d->c->arena, arena_printf(d->c->arena, "%lld", (long long)row->c.id)), json_integer(person));
	return OK;
}

static enum err keep_pool(struct person_lot *d)
{
	struct flow_field f = { .name = "pool" };
	enum err err = lot_pool_text(d->v, d->n, d->c->arena, &f.v);
	if (err)
		return problem_set(d->p, err, "field", "名录太大，请按专业抽取", "the pool is too large; draw by field");
	err = flow_update(d->db, d->c->reg, d->t, d->id, &f, 1, LABEL("专家名录", "the list of experts"), d->c->arena, &d->row, d->p);
	return err ? err : lot_seed(d->db, STR(DRAW), d->id, d->c->arena, &d->entry, d->seed);
}

static struct value drawn_value(struct person_lot *d, size_t many)
{
	for (size_t i = 0; i < many; i++) {
		json_t *one = json_pack("{s:I}", "expert", (json_int_t)d->v[i].id);
		json_t *account = json_object_get(d->accounts, arena_cstr(d->c->arena, arena_printf(d->c->arena, "%lld", (long long)d->v[i].id)));
		if (account)
			json_object_set(one, "person", account);
		json_array_append_new(d->drawn, one);
	}
	return lot_rows(d->drawn, d->c->arena);
}

static enum err keep_drawn(struct person_lot *d)
{
	double want = held_number(d->t, &d->row, "count", 0);
	if ((double)d->n < want)
		return problem_set(d->p, ERR_CONFLICT, "count", "符合专业、在聘且无须回避的专家只有 %zu 名，不够 %g 名",
		                   "only %zu experts of the field are active and have no conflict, %g are wanted", d->n, want);
	lot_draw(str_of(d->seed), STR("expert"), d->v, d->n);
	const struct flow_field f[] = {
		{ "seed", { .kind = VAL_TEXT, .s = str_of(d->seed) } },
		{ "seed_entry", { .kind = VAL_REAL, .f = (double)d->entry, .s = STR_EMPTY } },
		{ "drawn", drawn_value(d, (size_t)want) },
		{ "drawn_at", { .kind = VAL_INT, .i = clock_now(), .s = STR_EMPTY } },
	};
	struct label by = { arena_printf(d->c->arena, "专家抽取：%.*s", STR_FMT(d->c->id.title)),
		            arena_printf(d->c->arena, "experts drawn by %.*s", STR_FMT(d->c->id.title)) };
	return flow_update(d->db, d->c->reg, d->t, d->id, f, ARRAY_LEN(f), by, d->c->arena, &d->row, d->p);
}

static enum err draw_job(struct db *db, void *arg, struct problem *p)
{
	struct person_lot *d = arg;
	struct list_query all = { .limit = SIZE_MAX };
	struct arena *scratch on_scope_exit(arena_freep) = arena_new(0);
	d->db = db;
	d->p = p;
	enum err err = call_row(d->c, db, d->t, d->id, &d->row, p);
	if (!err && (!str_is(d->row.c.state, "locked") || held_text(d->t, &d->row, "seed").n))
		return problem_set(p, ERR_CONFLICT, "", "先锁定条件；抽过的不能再抽", "fix the conditions first; what was drawn is not drawn again");
	if (err)
		return err;
	d->area = d->row.c.area;
	d->field = held_text(d->t, &d->row, "field");
	d->day = held_text(d->t, &d->row, "on");
	d->enterprise = d->row.c.enterprise;
	err = records_each(db, &d->expert->table, &all, scratch, on_expert, d);
	if (!err)
		err = keep_pool(d);
	return err ? err : keep_drawn(d);
}

enum err draw_experts(struct call *c)
{
	struct person_lot d = { .c = c, .t = registry_type(c->reg, STR(DRAW)), .expert = registry_type(c->reg, STR("expert")) };
	enum err err = call_may_edit(c, d.expert ? d.t : NULL, &d.id, "您的角色不能抽取", "your role does not draw");
	if (err)
		return err;
	d.drawn = json_array();
	d.accounts = json_object();
	err = store_write(c->app->store, draw_job, &d, &c->p);
	json_decref(d.drawn);
	json_decref(d.accounts);
	if (err)
		return err;
	record_json(&c->w, call_db(c), c->reg, d.t, &d.row, &c->id, true, c->arena);
	return OK;
}
