// What a new registry means for the records there are: columns and states that would be gone, values that are no longer
// offered, fields that become required. Reads only; any thread.
#include "config/config_int.h"
#include "store/records_alter.h"

struct finding {
	struct db *db;
	struct arena *a;
	struct problem *p;
	const struct type *old, *now;
	struct config_effect *v;
	size_t n, cap;
	enum err err;
};

struct str effect_key(const char *what, struct str name, struct arena *a)
{
	return arena_printf(a, "%s.%.*s", what, STR_FMT(name));
}

static void add(struct finding *f, struct str key, int64_t records, bool loses, const char *zh, const char *en)
{
	f->v = arena_push(f->a, f->v, &f->n, &f->cap, sizeof *f->v);
	f->v[f->n - 1] = (struct config_effect){ .type = f->old->name, .key = key, .records = records, .loses = loses && records > 0,
		                                 .says = { str_of(zh), str_of(en) } };
}

static int64_t filled(struct finding *f, const struct field *field)
{
	int64_t n = 0;
	if (!f->err && field->ncols)
		f->err = records_count_filled(f->db, &f->old->table, f->old->table.cols[field->col].name, &n, f->p);
	return n;
}

static int64_t having(struct finding *f, struct str column, struct str value)
{
	int64_t n = 0;
	if (!f->err)
		f->err = records_count_value(f->db, &f->old->table, column, (struct value){ .kind = VAL_TEXT, .s = value }, &n, f->p);
	return n;
}

static int64_t all_rows(struct finding *f)
{
	int64_t n = 0;
	if (!f->err)
		f->err = records_count_filled(f->db, &f->old->table, STR("id"), &n, f->p);
	return n;
}

static int64_t holding(struct finding *f, const struct field *field, struct str item)
{
	struct value v = { .kind = VAL_TEXT, .s = arena_printf(f->a, ",%.*s,", STR_FMT(item)) };
	struct filter one = { field->name, FILTER_CONTAINS, &v, 1 };
	struct list_query lq = { .text = STR_EMPTY, .filters = &one, .nfilters = 1, .limit = 1, .with_retired = true };
	struct row *rows;
	size_t n;
	int64_t total = 0;
	if (!f->err)
		f->err = records_list(f->db, &f->old->table, NULL, &lq, f->a, &rows, &n, &total, f->p);
	return total;
}

static void find_items(struct finding *f, const struct field *old, const struct field *now)
{
	if (!old->menu || !now->menu || old->kind != now->kind)
		return;
	for (size_t i = 0; i < old->menu->nitems; i++) {
		struct str item = old->menu->items[i].value;
		if (menu_item(now->menu, item))
			continue;
		int64_t n = old->kind == FIELD_MENU && old->ncols ? having(f, old->name, item) : holding(f, old, item);
		if (n)
			add(f, arena_printf(f->a, "fields.%.*s.%.*s", STR_FMT(old->name), STR_FMT(item)), n, false,
			    "不再可选；已有记录保留原值，按原版本显示", "is no longer offered; records that hold it keep it and show it as before");
	}
}

static void find_field(struct finding *f, const struct field *old)
{
	const struct field *now = type_field(f->now, old->name);
	struct str key = effect_key("fields", old->name, f->a);
	if (!now) {
		add(f, key, filled(f, old), true, "字段去掉后，其中的数据将看不到", "the field goes, and with it the data in it");
		return;
	}
	if (old->ncols && (now->ncols != old->ncols || f->now->table.cols[now->col].kind != f->old->table.cols[old->col].kind)) {
		add(f, key, filled(f, old), true, "字段种类改变，原有数据无法照存", "the field changes its kind; the data in it does not fit any more");
		return;
	}
	if (now->need && !old->need) {
		int64_t empty = all_rows(f) - filled(f, old);
		if (empty)
			add(f, key, empty, false, "成为必填；这些记录下次修改时须补填", "becomes required; these records must fill it in at their next edit");
	}
	find_items(f, old, now);
}

static bool deadline_same(const struct state *x, const struct state *y)
{
	if (x->within.set != y->within.set || x->within.n != y->within.n)
		return false;
	for (size_t i = 0; i < x->within.n; i++)
		if (x->within.spans[i].us != y->within.spans[i].us || x->within.spans[i].wd != y->within.spans[i].wd)
			return false;
	return true;
}

static void find_state(struct finding *f, const struct state *old)
{
	const struct state *now = type_state(f->now, old->name);
	struct str key = effect_key("states", old->name, f->a);
	int64_t n = now && deadline_same(old, now) ? 0 : having(f, STR("state"), old->name);
	if (!now)
		add(f, key, n, true, "状态去掉后，处于该状态的记录将无处可去", "the state goes; the records in it would be stuck");
	else if (n)
		add(f, key, n, false, "时限改变；已在此状态的记录仍按原时限", "another time limit; records that are in the state keep theirs");
}

static void find_type(struct finding *f)
{
	int64_t n = all_rows(f);
	if (!f->now) {
		add(f, STR_EMPTY, n, true, "类型去掉后，其记录将看不到", "the type goes, and with it its records");
		return;
	}
	if (f->old->version == f->now->version)
		return;
	if (n)
		add(f, STR_EMPTY, n, false, "条记录保持不变，仍可按各自的版本查看", "records stay as they are, readable under their own version");
	for (size_t i = 0; i < f->old->nfields && !f->err; i++)
		find_field(f, &f->old->fields[i]);
	for (size_t i = 0; i < f->old->nstates && !f->err; i++)
		find_state(f, &f->old->states[i]);
}

enum err effects_find(struct db *db, const struct registry *old, const struct registry *now, struct arena *a, struct config_effect **ret,
                      size_t *ret_n, struct problem *p)
{
	struct finding f = { .db = db, .a = a, .p = p };
	for (size_t i = 0; old && i < old->ntypes && !f.err; i++) {
		f.old = &old->types[i];
		f.now = registry_type(now, f.old->name);
		find_type(&f);
	}
	*ret = f.v;
	*ret_n = f.n;
	return f.err;
}
