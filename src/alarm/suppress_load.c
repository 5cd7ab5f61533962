// Records that hide alarms → their tables: approved maintenance windows (type maintenance_window) and the suppression that
// rationales name (type alarm_rationale). Written anew when a record of these types changed: there are few. Store job.
#include "alarm/suppress.h"
#include "base/limits.h"
#include "base/time.h"

struct reading_rows {
	struct db *db;
	const struct registry *reg;
	struct arena *a;
	struct problem *p;
	const struct type *t;
	const struct row *row;
};

static const struct value *cell(const struct reading_rows *r, const char *name)
{
	static const struct value none = { .kind = VAL_NULL };
	const struct field *f = type_field(r->t, str_of(name));
	return f && f->ncols ? &r->row->vals[f->col] : &none;
}

static int64_t int_cell(const struct reading_rows *r, const char *name)
{
	const struct value *v = cell(r, name);
	return v->kind == VAL_INT ? v->i : 0;
}

static struct str text_cell(const struct reading_rows *r, const char *name)
{
	const struct value *v = cell(r, name);
	return v->kind == VAL_TEXT ? v->s : STR_EMPTY;
}

static double real_cell(const struct reading_rows *r, const char *name)
{
	const struct value *v = cell(r, name);
	return v->kind == VAL_REAL ? v->f : v->kind == VAL_INT ? (double)v->i : 0;
}

static enum err clear(struct db *db, enum stmt stmt)
{
	struct query q;
	query_begin(&q, db, stmt);
	return query_run(&q);
}

static struct str person(const struct reading_rows *r, int64_t id)
{
	const struct type *t = registry_type(r->reg, STR("person"));
	struct row row;
	return t && id && records_get(r->db, &t->table, NULL, id, r->a, &row) == OK ? row.c.title : STR_EMPTY;
}

static enum err add_window(const struct reading_rows *r)
{
	int64_t from = int_cell(r, "begins"), until = int_cell(r, "ends");
	const struct common *c = &r->row->c;
	struct query q;
	if (!from || until <= from || !c->enterprise)
		return OK;
	query_begin(&q, r->db, STMT_WINDOW_ADD);
	query_i64(&q, 1, c->id);
	query_str(&q, 2, c->number);
	query_i64(&q, 3, int_cell(r, "point"));
	query_i64(&q, 4, int_cell(r, "device"));
	query_i64(&q, 5, int_cell(r, "installation"));
	query_i64(&q, 6, c->enterprise);
	query_str(&q, 7, c->area);
	query_str(&q, 8, c->sector);
	query_i64(&q, 9, from);
	query_i64(&q, 10, until);
	query_str(&q, 11, text_cell(r, "why"));
	query_str(&q, 12, person(r, int_cell(r, "approver")));
	return query_run(&q);
}

static enum err add_design(const struct reading_rows *r)
{
	struct query q;
	double hours = real_cell(r, "suppress_h");
	if (!text_cell(r, "suppress_rule").n || !(hours > 0))
		return OK;
	query_begin(&q, r->db, STMT_DESIGN_ADD);
	query_i64(&q, 1, r->row->c.id);
	query_str(&q, 2, text_cell(r, "rule"));
	query_str(&q, 3, text_cell(r, "level"));
	query_i64(&q, 4, int_cell(r, "point"));
	query_i64(&q, 5, r->row->c.enterprise);
	query_str(&q, 6, text_cell(r, "suppress_rule"));
	query_i64(&q, 7, int_cell(r, "suppress_point"));
	query_i64(&q, 8, (int64_t)(hours * (double)US_PER_HOUR));
	query_str(&q, 9, r->row->c.title);
	return query_run(&q);
}

static enum err each_row(struct reading_rows *r, const char *type, const struct filter *f, size_t nf,
                         enum err (*add)(const struct reading_rows *))
{
	struct row *rows;
	size_t n;
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = nf, .limit = LIMIT_HIDING_RECORDS };
	r->t = registry_type(r->reg, str_of(type));
	if (!r->t) // a county without this pack
		return OK;
	enum err err = records_list(r->db, &r->t->table, NULL, &lq, r->a, &rows, &n, NULL, r->p);
	for (size_t i = 0; !err && i < n; i++) {
		r->row = &rows[i];
		err = rows[i].c.retired ? OK : add(r);
	}
	return err;
}

enum err alarm_suppress_load(struct db *db, const struct registry *reg, struct arena *a)
{
	struct problem p;
	problem_init(&p, a);
	struct reading_rows r = { .db = db, .reg = reg, .a = a, .p = &p };
	struct value approved = { .kind = VAL_TEXT, .s = STR("approved") };
	struct filter running = { STR("state"), FILTER_EQ, &approved, 1 }, named = { STR("suppress_rule"), FILTER_NOT_NULL, NULL, 0 };
	enum err err = clear(db, STMT_WINDOW_CLEAR);
	if (!err)
		err = each_row(&r, "maintenance_window", &running, 1, add_window);
	if (!err)
		err = clear(db, STMT_DESIGN_CLEAR);
	return err ? err : each_row(&r, "alarm_rationale", &named, 1, add_design);
}
