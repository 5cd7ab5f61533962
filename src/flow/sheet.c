// Score sheets of records: who may write which column is decided by the state the record is in and by whose turn it is there;
// automatic items are computed when the sheet is filled in, and stay as they were then. Runs in a store job; the change, its
// audit entry and the result fields are one transaction.
#include "base/limits.h"
#include "base/time.h"
#include "flow/draft.h"
#include "measure/measure.h"
#include "store/files.h"

struct sheet_change {
	struct db *db;
	const struct measures *m;
	const struct type *t;
	const struct field *f;
	const struct assessment *as;
	struct row row;
	const struct identity *by;
	struct arena *a;
	struct problem *p;
};

json_t *sheet_value(const struct field *f, const struct row *row)
{
	const struct value *v = &row->vals[f->col];
	json_t *j = v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL;
	return j ? j : json_object();
}

// Whose turn it is: who is called by the state, else who may edit the type.
static bool turn_of(const struct type *t, const struct row *row, const struct identity *by)
{
	const struct state *s = type_state(t, row->c.state);
	bool may = !s || s->nwho == 0 ? auth_may_edit(by, t) : false;
	for (size_t i = 0; s && i < s->nwho; i++)
		may |= is_called(t, s->who[i], row, by);
	return may || by->system;
}

// The numbers of the subject - the enterprise, else the area of the record - for the year the record is about. They are
// computed as the platform sees them, not as the writer does: the sheet is the same whoever fills it in.
static enum err fill(const struct sheet_change *ch, json_t *sheet)
{
	struct identity system = identity_system();
	const struct field *year = type_field(ch->t, STR("year"));
	const struct value *y = year && year->ncols ? &ch->row.vals[year->col] : NULL;
	struct measure_ask q = { .db = ch->db, .m = ch->m, .by = &system, .arena = ch->a, .p = ch->p, .now = clock_now() };
	q.period = period_at(PERIOD_YEAR, q.now, true, ch->a);
	if (y && y->kind == VAL_REAL && !period_parse(arena_printf(ch->a, "%04d", (int)y->f), false, ch->a, &q.period))
		return problem_set(ch->p, ERR_INVALID, "year", "年份不对", "the year is not right");
	q.enterprise = ch->row.c.enterprise;
	q.area = q.enterprise ? STR_EMPTY : ch->row.c.area;
	return sheet_fill(&q, ch->as, sheet);
}

static void set_results(const struct sheet_change *ch, struct value *vals, const json_t *sheet)
{
	struct sheet_rule rule = sheet_rule(ch->t, ch->f);
	struct sheet_score s = sheet_score(ch->as, sheet);
	if (rule.score)
		vals[rule.score->col] = (struct value){ .kind = VAL_REAL, .f = s.score };
	if (rule.vetoed)
		vals[rule.vetoed->col] = (struct value){ .kind = VAL_INT, .i = s.vetoed };
	if (rule.grade && s.grade && (s.complete || s.vetoed))
		vals[rule.grade->col] = (struct value){ .kind = VAL_TEXT, .s = s.grade->name };
	else if (rule.grade)
		vals[rule.grade->col] = (struct value){ .kind = VAL_NULL };
}

static enum err store_sheet(const struct sheet_change *ch, const json_t *sheet)
{
	struct row old = ch->row;
	struct common c = old.c;
	struct draft d;
	size_t n = json_dumpb(sheet, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS);
	char *text = n && n <= LIMIT_SHEET_FIELD ? arena_alloc(ch->a, n + 1) : NULL;
	if (!text)
		return problem_set(ch->p, ERR_TOO_LARGE, "items", "评分表太大", "the sheet is too large");
	(void)json_dumpb(sheet, text, n, JSON_COMPACT | JSON_SORT_KEYS);
	draft_begin(&d, ch->t, &old, ch->a);
	d.vals[ch->f->col] = (struct value){ .kind = VAL_TEXT, .s = str_from(text, n) };
	set_results(ch, d.vals, sheet);
	draft_settle(ch->db, ch->m->reg, &d, &c, ch->by, ch->a); // computed fields follow
	c.version++;
	c.type_version = ch->t->version;
	c.changed_at = clock_now();
	c.changed_by = ch->by->person;
	struct str detail = history_detail(ch->t, &old, &c, d.vals, LABEL_EMPTY, ch->a);
	enum err err = records_update(ch->db, &ch->t->table, &c, d.vals, ch->p);
	if (!err)
		err = history_add(ch->db, ch->t, c.id, "update", STR_EMPTY, detail, ch->by);
	if (!err)
		flow_changed(ch->db, &(struct record_event){ .what = "updated", .type = ch->t->name, .id = c.id, .state = c.state,
		                                             .area = c.area, .enterprise = c.enterprise, .sector = c.sector });
	return err;
}

static enum err begin(struct sheet_change *ch, int64_t id, const json_t *body)
{
	struct scope scope = auth_scope(ch->by, ch->t);
	const json_t *version = json_object_get(body, "version");
	enum err err = records_get(ch->db, &ch->t->table, &scope, id, ch->a, &ch->row);
	if (err == ERR_NOT_FOUND)
		return problem_set(ch->p, err, "", "没有这条记录，或不在你的范围内", "there is no such record in your area");
	if (err)
		return err;
	if (ch->row.c.retired)
		return problem_set(ch->p, ERR_CONFLICT, "", "这条记录已停用", "this record is retired");
	if (json_is_integer(version) && json_integer_value(version) != ch->row.c.version)
		return problem_set(ch->p, ERR_CONFLICT, "version", "这条记录已被别人修改；请重新打开后再改",
		                   "somebody else has changed this record; open it again and repeat your change");
	if (!turn_of(ch->t, &ch->row, ch->by) || !auth_may_edit_field(ch->by, ch->f))
		return problem_set(ch->p, ERR_FORBIDDEN, "", "现在不由你填写", "it is not your turn to fill this in");
	return OK;
}

// The evidence named now belongs to the record: who may read it may open the files.
static enum err bind_files(const struct sheet_change *ch, const json_t *items)
{
	const char *path;
	json_t *entry;
	enum err err = OK;
	json_object_foreach((json_t *)(uintptr_t)items, path, entry)
	{
		const json_t *files = json_object_get(entry, "files");
		for (size_t i = 0; !err && i < json_array_size(files); i++)
			err = files_bind(ch->db, json_integer_value(json_array_get(files, i)), ch->t->name, ch->row.c.id, ch->f->name,
			                 ch->by->person, ch->p);
	}
	return err;
}

enum err flow_sheet(struct db *db, const struct measures *m, const struct type *t, int64_t id, const struct field *f, const json_t *body,
                    const struct identity *by, struct arena *a, struct problem *p)
{
	struct sheet_change ch = { .db = db, .m = m, .t = t, .f = f, .as = assessment_find(m, f->assessment), .by = by, .a = a, .p = p };
	json_t *sheet = NULL;
	enum err err = ch.as ? begin(&ch, id, body) : ERR_BUG;
	if (err)
		return err;
	struct str columns = sheet_columns(f, ch.row.c.state, a);
	if (!columns.n)
		return problem_set(p, ERR_CONFLICT, "", "这个状态下不能填写评分表", "the sheet cannot be written in this state");
	json_t *old = sheet_value(f, &ch.row);
	if (json_object_get(body, "items"))
		err = sheet_merge(ch.as, old, body, columns, &sheet, p);
	else
		sheet = json_incref(old);
	if (!err && json_is_true(json_object_get(body, "fill"))) {
		if (!str_contains(columns, STR("self")))
			err = problem_set(p, ERR_CONFLICT, "fill", "自评之后自动项不再变化", "automatic items do not change after the self score");
		else
			err = fill(&ch, sheet);
	}
	if (!err)
		err = bind_files(&ch, json_object_get(body, "items"));
	if (!err)
		err = store_sheet(&ch, sheet);
	json_decref(sheet);
	json_decref(old);
	return err;
}
