// Score sheets: what may be written, the arithmetic, automatic items, and the sheet as people see it. Pure but for
// sheet_fill, which asks the indicators.
#include <math.h>

#include "measure/measure_int.h"

static const char *const columns[] = { "auto", "self", "review", "final" };
enum { COLUMN_AUTO, COLUMN_SELF, COLUMN_REVIEW, COLUMN_FINAL, COLUMNS };

// ---- one item ----------------------------------------------------------------------------------
static const json_t *entry_of(const json_t *sheet, const struct score_item *it, struct arena *a)
{
	return json_object_get(json_object_get(sheet, "items"), arena_cstr(a, it->path));
}

// Points in one column; the automatic share becomes points. NAN = nothing there.
static double column_points(const struct score_item *it, const json_t *entry, int column)
{
	const json_t *v = json_object_get(entry, columns[column]);
	if (!json_is_number(v))
		return NAN;
	return column == COLUMN_AUTO ? json_number_value(v) * it->points : json_number_value(v);
}

// What counts: the last word that was spoken.
static double effective(const struct score_item *it, const json_t *entry, int *ret_column)
{
	static const int order[] = { COLUMN_FINAL, COLUMN_REVIEW, COLUMN_SELF, COLUMN_AUTO };
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		double v = column_points(it, entry, order[i]);
		if (!isnan(v)) {
			*ret_column = order[i];
			return v;
		}
	}
	*ret_column = -1;
	return NAN;
}

static const struct grade *grade_of(const struct assessment *as, double score, bool vetoed)
{
	if (as->ngrades == 0)
		return NULL;
	for (size_t i = 0; i < as->ngrades && !vetoed; i++)
		if (score >= as->grades[i].from - 1e-9)
			return &as->grades[i];
	return &as->grades[as->ngrades - 1];
}

struct sheet_score sheet_score(const struct assessment *as, const json_t *sheet)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct sheet_score s = { .complete = true };
	double sum = 0;
	for (size_t i = 0; i < as->nitems; i++) {
		const struct score_item *it = &as->items[i];
		const json_t *entry = it->leaf ? entry_of(sheet, it, a) : NULL;
		int column;
		if (!it->leaf)
			continue;
		double v = effective(it, entry, &column);
		if (it->veto) {
			s.vetoed |= !isnan(v) && v > 0;
			continue;
		}
		s.complete &= !isnan(v);
		sum += isnan(v) ? 0 : v;
		for (int k = 0; k < COLUMNS; k++) {
			double points = column_points(it, entry, k);
			s.column[k] += isnan(points) ? 0 : points;
		}
	}
	s.score = as->full > 0 ? sum / as->full * 100 : 0;
	s.grade = grade_of(as, s.score, s.vetoed);
	return s;
}

// ---- writing -----------------------------------------------------------------------------------
static bool listed(struct str words, const char *word)
{
	while (words.n)
		if (str_is(str_cut(&words, ' '), word))
			return true;
	return false;
}

static const struct score_item *leaf_find(const struct assessment *as, const char *path)
{
	for (size_t i = 0; i < as->nitems; i++)
		if (as->items[i].leaf && str_is(as->items[i].path, path))
			return &as->items[i];
	return NULL;
}

static enum err check_points(const struct score_item *it, const char *key, const json_t *v, struct problem *p)
{
	double most = it->veto ? 1 : it->points, got = json_number_value(v);
	if (json_is_null(v))
		return OK;
	if (!json_is_number(v) || !(got >= 0 && got <= most))
		return problem_set(p, ERR_INVALID, "items", "“%.*s”的分数应在 0 到 %.10g 之间", "the points of \"%.*s\" must be from 0 to %.10g",
		                   STR_FMT(it->label.zh), most);
	(void)key;
	return OK;
}

static bool is_column(const char *key)
{
	for (int i = COLUMN_SELF; i < COLUMNS; i++)
		if (strcmp(columns[i], key) == 0)
			return true;
	return false;
}

static enum err entry_value(const struct score_item *it, const char *key, const json_t *v, struct problem *p)
{
	if (is_column(key))
		return check_points(it, key, v, p);
	if (strcmp(key, "note") == 0) {
		if (json_is_null(v) || (json_is_string(v) && json_string_length(v) <= 2000))
			return OK;
	} else if (strcmp(key, "files") == 0) {
		bool ok = json_is_array(v) && json_array_size(v) <= 20;
		for (size_t i = 0; ok && i < json_array_size(v); i++)
			ok = json_is_integer(json_array_get(v, i)) && json_integer_value(json_array_get(v, i)) > 0;
		if (ok || json_is_null(v))
			return OK;
	}
	return problem_set(p, ERR_INVALID, "items", "评分表里的“%s”不对", "\"%s\" in the sheet is not right", key);
}

// Notes and files belong to whoever writes a column now; the automatic column is written by sheet_fill alone.
static enum err entry_merge(const struct score_item *it, json_t *to, const json_t *from, struct str allowed, struct problem *p)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)from, key, v)
	{
		if (json_equal(v, json_object_get(to, key)))
			continue;
		bool may = is_column(key) ? listed(allowed, key) : allowed.n > 0;
		if (!may)
			return problem_set(p, ERR_FORBIDDEN, "items", "现在不能写“%.*s”的 %s", "of \"%.*s\" the column %s cannot be written now",
			                   STR_FMT(it->label.zh), key);
		enum err err = entry_value(it, key, v, p);
		if (err)
			return err;
		if (json_is_null(v))
			json_object_del(to, key);
		else
			json_object_set(to, key, v);
	}
	return OK;
}

enum err sheet_merge(const struct assessment *as, const json_t *old, const json_t *body, struct str allowed, json_t **ret,
                     struct problem *p)
{
	const char *path;
	json_t *entry, *from = json_object_get(body, "items"), *sheet = old ? json_deep_copy(old) : json_object();
	enum err err = OK;
	if (!json_is_object(from))
		err = problem_set(p, ERR_INVALID, "items", "应有 items", "items are expected");
	if (!json_is_object(json_object_get(sheet, "items")))
		json_object_set_new(sheet, "items", json_object());
	json_t *items = json_object_get(sheet, "items");
	if (!err)
		json_object_foreach(from, path, entry)
		{
			const struct score_item *it = leaf_find(as, path);
			if (!it || !json_is_object(entry))
				err = problem_set(p, ERR_INVALID, "items", "评分表里没有“%s”这一项", "there is no item \"%s\" in the sheet", path);
			if (err)
				break;
			if (!json_object_get(items, path))
				json_object_set_new(items, path, json_object());
			err = entry_merge(it, json_object_get(items, path), entry, allowed, p);
			if (err)
				break;
		}
	if (err) {
		json_decref(sheet);
		return err;
	}
	json_object_set_new(sheet, "version", json_stringn(as->version.p, as->version.n));
	*ret = sheet;
	return OK;
}

// ---- automatic items ---------------------------------------------------------------------------
struct asked {
	const struct measure_ask *q;
	enum err err;
};

static struct expr_value indicator_value(void *arg, const struct expr_slot *s)
{
	struct asked *k = arg;
	struct figure *v;
	size_t n;
	const struct indicator *i = indicator_find(k->q->m, s->argument);
	if (!i)
		return (struct expr_value){ .kind = EXPR_NONE };
	enum err err = measure_figures(k->q, i, &v, &n);
	if (err)
		k->err = err;
	if (err || n != 1 || !v[0].has)
		return (struct expr_value){ .kind = EXPR_NONE };
	return (struct expr_value){ .kind = EXPR_NUMBER, .f = v[0].value };
}

static struct expr_value no_cell(void *arg, const struct expr_slot *s, size_t row)
{
	(void)arg, (void)s, (void)row;
	return (struct expr_value){ .kind = EXPR_NONE };
}

static json_t *entry_make(json_t *sheet, const char *path)
{
	json_t *items = json_object_get(sheet, "items");
	if (!json_is_object(items)) {
		json_object_set_new(sheet, "items", json_object());
		items = json_object_get(sheet, "items");
	}
	if (!json_object_get(items, path))
		json_object_set_new(items, path, json_object());
	return json_object_get(items, path);
}

// The share of the points, 0 … 1; without a value the item waits for a person.
enum err sheet_fill(const struct measure_ask *q, const struct assessment *as, json_t *sheet)
{
	struct asked k = { .q = q };
	for (size_t i = 0; !k.err && i < as->nitems; i++) {
		const struct score_item *it = &as->items[i];
		if (!it->auto_expr)
			continue;
		struct expr_source src = { .arg = &k, .now = q->now, .zone = time_zone(), .value = indicator_value, .cell = no_cell, .arena = q->arena };
		struct expr_value v = expr_eval(it->auto_expr, &src);
		json_t *entry = entry_make(sheet, arena_cstr(q->arena, it->path));
		if (v.kind == EXPR_NUMBER && isfinite(v.f))
			json_object_set_new(entry, "auto", json_real(fmin(fmax(v.f, 0), 1)));
		else
			json_object_del(entry, "auto");
	}
	json_object_set_new(sheet, "auto_at", json_integer(q->now));
	json_object_set_new(sheet, "period", json_stringn(q->period.name.p, q->period.name.n));
	json_object_set_new(sheet, "version", json_stringn(as->version.p, as->version.n));
	return k.err;
}

// ---- as people see it --------------------------------------------------------------------------
static void klabel(struct jw *w, const char *key, struct label l)
{
	jw_kobj(w, key);
	jw_kstr(w, "zh", l.zh);
	jw_kstr(w, "en", l.en);
	jw_end(w);
}

static void grade_json(struct jw *w, const struct grade *g)
{
	jw_obj(w);
	jw_kstr(w, "name", g->name);
	klabel(w, "label", g->label);
	jw_kf64(w, "from", g->from);
	jw_kstr(w, "color", g->color);
	jw_end(w);
}

static void item_head(struct jw *w, const struct score_item *it)
{
	jw_kstr(w, "path", it->path);
	klabel(w, "label", it->label);
	klabel(w, "about", it->about);
	jw_ki64(w, "level", it->level);
	jw_kbool(w, "leaf", it->leaf);
	jw_kf64(w, "points", it->points);
	jw_kbool(w, "veto", it->veto);
	jw_kbool(w, "evidence", it->evidence);
	jw_kbool(w, "auto", it->auto_expr != NULL);
}

void assessment_json(struct jw *w, const struct assessment *as)
{
	jw_obj(w);
	jw_kstr(w, "name", as->name);
	klabel(w, "label", as->label);
	klabel(w, "about", as->about);
	jw_kf64(w, "full", as->full);
	jw_kstr(w, "version", as->version);
	jw_karr(w, "items");
	for (size_t i = 0; i < as->nitems; i++) {
		jw_obj(w);
		item_head(w, &as->items[i]);
		jw_end(w);
	}
	jw_end(w);
	jw_karr(w, "grades");
	for (size_t i = 0; i < as->ngrades; i++)
		grade_json(w, &as->grades[i]);
	jw_end(w);
	jw_end(w);
}

static void points(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	if (isnan(v))
		jw_null(w);
	else
		jw_f64(w, v);
}

// A branch has what its leaves add up to.
static double branch_sum(const struct assessment *as, size_t at, const json_t *sheet, struct arena *a)
{
	double sum = 0;
	int column;
	for (size_t i = at + 1; i < as->nitems && as->items[i].level > as->items[at].level; i++) {
		double v = as->items[i].leaf && !as->items[i].veto ? effective(&as->items[i], entry_of(sheet, &as->items[i], a), &column) : NAN;
		sum += isnan(v) ? 0 : v;
	}
	return sum;
}

static void leaf_json(struct jw *w, const struct score_item *it, const json_t *entry)
{
	int column;
	for (int k = 0; k < COLUMNS; k++) {
		double v = column_points(it, entry, k);
		points(w, k == COLUMN_AUTO ? "auto_points" : columns[k], v);
	}
	points(w, "counts", effective(it, entry, &column));
	jw_kcstr(w, "counts_by", column < 0 ? "" : columns[column]);
	const json_t *note = json_object_get(entry, "note"), *files = json_object_get(entry, "files");
	jw_kstr(w, "note", json_is_string(note) ? str_from(json_string_value(note), json_string_length(note)) : STR_EMPTY);
	jw_karr(w, "files");
	for (size_t i = 0; i < json_array_size(files); i++)
		jw_i64(w, json_integer_value(json_array_get(files, i)));
	jw_end(w);
}

void sheet_json(struct jw *w, const struct assessment *as, const json_t *sheet)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	struct sheet_score s = sheet_score(as, sheet);
	const json_t *at = json_object_get(sheet, "auto_at");
	jw_obj(w);
	jw_kstr(w, "assessment", as->name);
	klabel(w, "label", as->label);
	jw_kstr(w, "version", as->version);
	const char *version = json_string_value(json_object_get(sheet, "version"));
	jw_kbool(w, "other_version", version && !str_is(as->version, version));
	jw_kf64(w, "full", as->full);
	jw_kf64(w, "score", s.score);
	jw_kbool(w, "vetoed", s.vetoed);
	jw_kbool(w, "complete", s.complete);
	jw_key(w, "grade");
	if (s.grade)
		grade_json(w, s.grade);
	else
		jw_null(w);
	jw_key(w, "auto_at");
	if (json_is_integer(at))
		jw_time(w, json_integer_value(at));
	else
		jw_null(w);
	jw_kobj(w, "sums");
	for (int k = 0; k < COLUMNS; k++)
		jw_kf64(w, columns[k], s.column[k]);
	jw_end(w);
	jw_karr(w, "items");
	for (size_t i = 0; i < as->nitems; i++) {
		jw_obj(w);
		item_head(w, &as->items[i]);
		if (as->items[i].leaf)
			leaf_json(w, &as->items[i], entry_of(sheet, &as->items[i], a));
		else
			points(w, "counts", branch_sum(as, i, sheet, a));
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}
