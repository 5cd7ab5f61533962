// What a caller gives, checked against the struct of the model: {"x": 100, "Q": {"value": 2, "unit": "kg/s"}, "stability": "D"}.
// Also what the models use to read it. Pure but for the arena; any thread.
#include "risk/risk.h"

#include "base/jr.h"

#include <ctype.h>
#include <stdarg.h>

static char folded(char c)
{
	return c == ' ' || c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static bool same_letter(char a, char b)
{
	return folded(a) == folded(b);
}

// name with * at the end matches every beginning; blanks, _ and - are the same.
static bool name_matches(const char *name, struct str s)
{
	size_t n = strlen(name);
	bool prefix = n && name[n - 1] == '*';
	n -= prefix;
	if (prefix ? s.n < n : s.n != n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!same_letter(name[i], s.p[i])) {
			return false;
		}
	}
	return true;
}

const struct risk_model *risk_find(struct str name, const struct risk_alias **ret_alias)
{
	size_t n;
	const struct risk_model *const *list = risk_models(&n);
	*ret_alias = NULL;
	for (size_t i = 0; i < n; i++) {
		if (name_matches(list[i]->name, name)) {
			return list[i];
		}
	}
	const struct risk_model *best = NULL;
	for (size_t i = 0; i < n; i++) {
		for (const struct risk_alias *a = list[i]->aliases; a && a->name; a++) { // of several the longest
			if (name_matches(a->name, name) && (!best || strlen(a->name) > strlen((*ret_alias)->name))) {
				*ret_alias = a;
				best = list[i];
			}
		}
	}
	return best;
}

// ---- failures and warnings --------------------------------------------------------------------------

static void set_problem(struct risk_run *r, enum err err, struct str field, struct str zh, struct str en)
{
	if (r->problem->err == OK) {
		problem_set(r->problem, err, NULL, "%.*s", "%.*s", STR_FMT(zh));
		r->problem->field = field;
		r->problem->en = en;
	}
}

void risk_fail(struct risk_run *r, const char *field, const char *zh, const char *en, ...)
{
	va_list ap, again;
	va_start(ap, en);
	va_copy(again, ap);
	struct str z = arena_vprintf(r->arena, zh, ap), e = arena_vprintf(r->arena, en, again);
	set_problem(r, ERR_INVALID, arena_str(r->arena, str_of(field)), z, e);
	va_end(again);
	va_end(ap);
}

void risk_warn(struct risk_run *r, const char *zh, const char *en, ...)
{
	va_list ap, again;
	va_start(ap, en);
	va_copy(again, ap);
	struct risk_warning w = { arena_vprintf(r->arena, zh, ap), arena_vprintf(r->arena, en, again) };
	va_end(again);
	va_end(ap);
	for (size_t i = 0; i < r->n_warnings; i++) {
		if (str_eq(r->warnings[i].en, w.en)) {
			return;
		}
	}
	r->warnings = arena_push(r->arena, r->warnings, &r->n_warnings, &r->cap_warnings, sizeof w);
	r->warnings[r->n_warnings - 1] = w;
}

static void bug(struct risk_run *r, const char *name)
{
	struct str text = arena_printf(r->arena, "%s: %s", r->model->name, name);
	set_problem(r, ERR_BUG, str_of(name), text, text);
}

// ---- what the models ask --------------------------------------------------------------------------------

static const struct risk_input *input_of(const struct risk_input *list, struct str name, size_t *ret_i)
{
	for (size_t i = 0; list && list[i].name; i++) {
		if (str_is(name, list[i].name)) {
			*ret_i = i;
			return &list[i];
		}
	}
	return NULL;
}

static const struct risk_value *value_of(struct risk_run *r, const char *name, enum risk_kind kind)
{
	static const struct risk_value none = { .num = NAN };
	size_t i;
	const struct risk_input *in = input_of(r->model->inputs, str_of(name), &i);
	if (!in || in->kind != kind) {
		bug(r, name);
		return &none;
	}
	return &r->v[i];
}

double risk_num(struct risk_run *r, const char *name)
{
	return value_of(r, name, RISK_NUM)->num;
}

bool risk_given(struct risk_run *r, const char *name)
{
	size_t i;
	if (!input_of(r->model->inputs, str_of(name), &i)) {
		bug(r, name);
		return false;
	}
	return r->v[i].given;
}

bool risk_with_unit(struct risk_run *r, const char *name)
{
	return value_of(r, name, RISK_NUM)->with_unit;
}

int risk_choice(struct risk_run *r, const char *name)
{
	return value_of(r, name, RISK_MENU)->choice;
}

struct str risk_text(struct risk_run *r, const char *name)
{
	return value_of(r, name, RISK_TEXT)->text;
}

const double *risk_list(struct risk_run *r, const char *name, size_t *ret_n)
{
	const struct risk_value *v = value_of(r, name, RISK_LIST);
	*ret_n = v->n;
	return v->list;
}

const double *risk_list_raw(struct risk_run *r, const char *name)
{
	return value_of(r, name, RISK_LIST)->raw;
}

size_t risk_rows(struct risk_run *r, const char *name)
{
	return value_of(r, name, RISK_ROWS)->n;
}

const struct risk_value *risk_cell(struct risk_run *r, const char *name, size_t row, const char *column)
{
	static const struct risk_value none = { .num = NAN };
	size_t i, c;
	const struct risk_input *in = input_of(r->model->inputs, str_of(name), &i);
	if (!in || !input_of(in->columns, str_of(column), &c) || row >= r->v[i].n) {
		bug(r, column);
		return &none;
	}
	size_t columns = 0;
	while (in->columns[columns].name) {
		columns++;
	}
	return &r->v[i].cells[row * columns + c];
}

const struct risk_table *risk_need_table(struct risk_run *r, const char *name)
{
	const struct risk_table *t = risk_table_find(r->tables, str_of(name));
	if (!t) {
		risk_fail(r, "", "缺少数据表 %s（业务包 packs/*/tables）", "the data table %s is missing (packs/*/tables)", name);
	}
	return t;
}

int risk_need_row(struct risk_run *r, const char *table, const char *column, const char *input)
{
	const struct risk_table *t = risk_need_table(r, table);
	struct str text = risk_text(r, input), all = STR_EMPTY;
	int row = t ? risk_table_row_said(t, column, text) : -1;
	for (size_t i = 0; t && row < 0 && i < t->n; i++) {
		struct str one = risk_table_cell(t, i, column);
		all = arena_printf(r->arena, "%.*s%s%.*s", STR_FMT(all), all.n ? ", " : "", STR_FMT(one));
	}
	if (row < 0) {
		risk_fail(r, input, "数据表 %s 中没有“%.*s”，可选 %.*s", "the table %s has no \"%.*s\"; possible are: %.*s", table, STR_FMT(text),
			STR_FMT(all));
	}
	return row;
}

// ---- reading ---------------------------------------------------------------------------------------------

struct given { // a value, and the unit that stood beside it
	struct str json, unit;
	bool has_unit;
};

static struct str path_of(struct risk_run *r, const char *parent, size_t row, const char *name)
{
	return parent ? arena_printf(r->arena, "%s.%zu.%s", parent, row, name) : str_of(name);
}

// {"value": …, "unit": …} or the value itself. Other keys beside them are refused.
static bool read_given(struct risk_run *r, struct jr *j, struct str field, struct given *ret)
{
	*ret = (struct given){ .json = STR_EMPTY };
	if (jr_peek(j) != JR_OBJECT) {
		ret->json = jr_skip(j);
		return true;
	}
	struct str key;
	for (jr_obj(j); jr_key(j, &key);) {
		if (str_is(key, "value") && !ret->json.n) {
			ret->json = jr_skip(j);
		} else if (str_is(key, "unit") && jr_peek(j) == JR_STRING && !ret->has_unit) {
			ret->unit = jr_str(j);
			ret->has_unit = true;
		} else if (str_is(key, "unit") && jr_peek(j) == JR_NULL && !ret->has_unit) {
			jr_null(j);
		} else {
			risk_fail(r, arena_cstr(r->arena, field), "%.*s：只接受 value 和 unit", "%.*s: only value and unit are taken",
				STR_FMT(field));
			return false;
		}
	}
	if (!ret->json.n) {
		risk_fail(r, arena_cstr(r->arena, field), "%.*s：缺少 value", "%.*s: value is missing", STR_FMT(field));
		return false;
	}
	return true;
}

static bool to_unit(struct risk_run *r, const struct risk_input *in, const char *field, const struct given *g, double *v)
{
	struct str mine = str_of(in->unit);
	if (!g->has_unit || !str_trim(g->unit).n) {
		return true; // the schema's unit
	}
	if (in->difference ? unit_convert_difference(*v, g->unit, mine, v) : unit_convert(*v, g->unit, mine, v)) {
		return true;
	}
	if (!unit_known(g->unit) && (!mine.n || in->remark)) {
		if (mine.n) {
			risk_warn(r, "%s：“%.*s”不是单位，按 %s 计算", "%s: \"%.*s\" is no unit; taken as %s", field, STR_FMT(g->unit), in->unit);
		}
		return true;
	}
	risk_fail(r, field, "%s：单位“%.*s”不能换算为 %s", "%s: the unit \"%.*s\" cannot be converted to %s", field, STR_FMT(g->unit),
		  mine.n ? in->unit : "1");
	return false;
}

static bool in_range(struct risk_run *r, const struct risk_input *in, const char *field, double v)
{
	if (v >= in->min && v <= in->max && isfinite(v)) {
		return true;
	}
	risk_fail(r, field, "%s = %.6g 超出范围 [%g, %g] %s", "%s = %.6g is outside [%g, %g] %s", field, v, in->min, in->max, in->unit);
	return false;
}

static bool read_num(struct risk_run *r, const struct risk_input *in, const char *field, const struct given *g, double *ret)
{
	if (!str_to_f64(g->json, ret)) {
		risk_fail(r, field, "%s：应为一个数", "%s: a number is expected", field);
		return false;
	}
	return to_unit(r, in, field, g, ret) && in_range(r, in, field, *ret);
}

static bool read_list(struct risk_run *r, const struct risk_input *in, const struct given *g, struct risk_value *ret)
{
	struct jr j;
	size_t cap = 0, raw_cap = 0, raw_n = 0;
	jr_init(&j, g->json, r->arena);
	if (jr_peek(&j) == JR_NUMBER) { // one number is a list of one
		ret->list = arena_many(r->arena, 1, double);
		ret->raw = arena_many(r->arena, 1, double);
		ret->n = 1;
		return str_to_f64(g->json, ret->raw) && read_num(r, in, in->name, g, ret->list);
	}
	for (jr_arr(&j); jr_more(&j);) {
		double v = jr_f64(&j), given = v;
		if (ret->n == RISK_LIST_MAX) {
			risk_fail(r, in->name, "%s：最多 %d 个数", "%s: at most %d numbers", in->name, RISK_LIST_MAX);
			return false;
		}
		if (j.error || !to_unit(r, in, in->name, g, &v) || !in_range(r, in, in->name, v)) {
			break;
		}
		ret->list = arena_push(r->arena, ret->list, &ret->n, &cap, sizeof v);
		ret->list[ret->n - 1] = v;
		ret->raw = arena_push(r->arena, ret->raw, &raw_n, &raw_cap, sizeof v);
		ret->raw[raw_n - 1] = given;
	}
	if (!risk_failed(r) && (!jr_end(&j) || !ret->n)) {
		risk_fail(r, in->name, "%s：应为一列数", "%s: a list of numbers is expected", in->name);
	}
	return !risk_failed(r);
}

// "name|other name|…"
static bool item_matches(const char *item, struct str word)
{
	struct str rest = str_of(item);
	while (rest.n) {
		struct str name = str_cut(&rest, '|');
		if (str_eq_nocase(name, word)) {
			return true;
		}
	}
	return false;
}

static bool choose(struct risk_run *r, const struct risk_input *in, const char *field, struct str word, int *ret)
{
	struct str all = STR_EMPTY;
	for (int i = 0; in->menu[i]; i++) {
		if (item_matches(in->menu[i], word)) {
			*ret = i;
			return true;
		}
		struct str rest = str_of(in->menu[i]), name = str_cut(&rest, '|');
		all = arena_printf(r->arena, "%.*s%s%.*s", STR_FMT(all), i ? ", " : "", STR_FMT(name));
	}
	risk_fail(r, field, "%s：没有“%.*s”这一项，可用：%.*s", "%s: there is no item \"%.*s\"; possible are: %.*s", field, STR_FMT(word),
		STR_FMT(all));
	return false;
}

// A text, or a number as its text (blast class 7).
static bool read_word(struct risk_run *r, const char *field, const struct given *g, struct str *ret)
{
	struct jr j;
	jr_init(&j, g->json, r->arena);
	*ret = jr_peek(&j) == JR_STRING ? jr_str(&j) : jr_peek(&j) == JR_NUMBER ? jr_skip(&j) : STR_EMPTY;
	*ret = str_trim(*ret);
	if (!ret->n || j.error || ret->n > 200) {
		risk_fail(r, field, "%s：应为一段文字", "%s: a text is expected", field);
		return false;
	}
	return true;
}

static bool read_one(struct risk_run *r, const struct risk_input *in, const char *field, const struct given *g, struct risk_value *ret);

static bool read_row(struct risk_run *r, const struct risk_input *in, struct jr *j, size_t row, struct risk_value *cells)
{
	bool named = jr_peek(j) == JR_OBJECT, single = jr_peek(j) == JR_NUMBER && !in->columns[1].name; // a row of one column may be its number
	struct str key = STR_EMPTY;
	size_t i = 0;
	if (single) {
		struct given g = { .json = jr_skip(j) };
		return read_one(r, &in->columns[0], arena_cstr(r->arena, path_of(r, in->name, row, in->columns[0].name)), &g, &cells[0]);
	}
	named ? jr_obj(j) : jr_arr(j);
	while (named ? jr_key(j, &key) : jr_more(j)) {
		const struct risk_input *c = named ? input_of(in->columns, key, &i) : in->columns[i].name ? &in->columns[i] : NULL;
		if (!c || cells[i].given) {
			risk_fail(r, in->name, "%s 第 %zu 行：不认识的列 %.*s", "%s, row %zu: no such column %.*s", in->name, row + 1,
				STR_FMT(key));
			return false;
		}
		struct given g;
		struct str field = path_of(r, in->name, row, c->name);
		if (!read_given(r, j, field, &g) || !read_one(r, c, arena_cstr(r->arena, field), &g, &cells[i])) {
			return false;
		}
		i++;
	}
	for (size_t c = 0; in->columns[c].name && !j->error; c++) {
		if (!cells[c].given && !in->columns[c].opt) {
			struct str field = path_of(r, in->name, row, in->columns[c].name);
			risk_fail(r, arena_cstr(r->arena, field), "缺少 %.*s", "%.*s is missing", STR_FMT(field));
			return false;
		}
		if (!cells[c].given) {
			cells[c].num = in->columns[c].def;
		}
	}
	return !j->error;
}

static bool read_rows(struct risk_run *r, const struct risk_input *in, const struct given *g, struct risk_value *ret)
{
	size_t columns = 0, cap = 0;
	while (in->columns[columns].name) {
		columns++;
	}
	struct jr j;
	jr_init(&j, g->json, r->arena);
	for (jr_arr(&j); jr_more(&j);) {
		if (ret->n == RISK_LIST_MAX) {
			risk_fail(r, in->name, "%s：最多 %d 行", "%s: at most %d rows", in->name, RISK_LIST_MAX);
			return false;
		}
		ret->cells = arena_push(r->arena, ret->cells, &ret->n, &cap, columns * sizeof *ret->cells);
		if (!read_row(r, in, &j, ret->n - 1, &ret->cells[(ret->n - 1) * columns])) {
			break;
		}
	}
	if (!risk_failed(r) && (!jr_end(&j) || !ret->n)) {
		risk_fail(r, in->name, "%s：应为若干行", "%s: a list of rows is expected", in->name);
	}
	return !risk_failed(r);
}

static bool read_one(struct risk_run *r, const struct risk_input *in, const char *field, const struct given *g, struct risk_value *ret)
{
	ret->given = true;
	ret->with_unit = str_trim(g->unit).n > 0;
	switch (in->kind) {
	case RISK_NUM: return read_num(r, in, field, g, &ret->num);
	case RISK_LIST: return read_list(r, in, g, ret);
	case RISK_ROWS: return read_rows(r, in, g, ret);
	case RISK_TEXT: return read_word(r, field, g, &ret->text);
	case RISK_MENU: {
		struct str word;
		return read_word(r, field, g, &word) && choose(r, in, field, word, &ret->choice);
	}
	}
	return false;
}

// The menu that the other name decides: "set=tno-plume".
static bool preset(struct risk_run *r)
{
	if (!r->alias || !r->alias->preset) {
		return true;
	}
	struct str item = str_of(r->alias->preset), name = str_cut(&item, '=');
	size_t i;
	const struct risk_input *in = input_of(r->model->inputs, name, &i);
	if (!in || in->kind != RISK_MENU) {
		bug(r, r->alias->preset);
		return false;
	}
	if (!r->v[i].given) {
		r->v[i].given = choose(r, in, in->name, item, &r->v[i].choice);
	}
	return !risk_failed(r);
}

static void unknown_input(struct risk_run *r, struct str key)
{
	struct str names[RISK_INPUTS_MAX];
	size_t n = 0;
	for (; r->model->inputs[n].name; n++) {
		names[n] = str_of(r->model->inputs[n].name);
	}
	int near = str_nearest(key, names, n);
	risk_fail(r, arena_cstr(r->arena, key), "没有输入项 %.*s%s%s", "there is no input %.*s%s%s", STR_FMT(key), near < 0 ? "" : " → ",
		  near < 0 ? "" : names[near].p);
}

enum err risk_read(struct risk_run *r, struct str json)
{
	struct jr j;
	struct str key;
	jr_init(&j, json, r->arena);
	for (jr_obj(&j); !risk_failed(r) && jr_key(&j, &key);) {
		size_t i;
		const struct risk_input *in = input_of(r->model->inputs, key, &i);
		if (!in || r->v[i].given) {
			unknown_input(r, key);
			break;
		}
		struct given g;
		if (!read_given(r, &j, str_of(in->name), &g) || !read_one(r, in, in->name, &g, &r->v[i])) {
			break;
		}
	}
	if (!risk_failed(r) && !jr_end(&j)) {
		struct str why = str_of(j.error ? j.error : "text behind the object");
		set_problem(r, ERR_PARSE, STR_EMPTY, arena_printf(r->arena, "输入不是一个 JSON 对象（%.*s）", STR_FMT(why)),
			    arena_printf(r->arena, "the input is no JSON object (%.*s)", STR_FMT(why)));
	}
	if (risk_failed(r) || !preset(r)) {
		return r->problem->err;
	}
	for (size_t i = 0; r->model->inputs[i].name; i++) {
		const struct risk_input *in = &r->model->inputs[i];
		if (!r->v[i].given && !in->opt) {
			risk_fail(r, in->name, "缺少输入项 %s（%s）", "the input %s is missing (%s)", in->name, in->unit ? in->unit : "");
		}
		if (!r->v[i].given) {
			r->v[i].num = in->def;
		}
	}
	return r->problem->err;
}
