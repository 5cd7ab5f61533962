// What a model answers, as JSON, and the schemas. A number that is not finite is an error here and nowhere else. Pure but for
// the arena; any thread.
#include "risk/risk.h"

#include <stdarg.h>

static const struct risk_output *output_of(struct risk_run *r, struct str name)
{
	for (const struct risk_output *o = r->model->outputs; o->name; o++) {
		size_t n = strlen(o->name);
		if (o->name[n - 1] == '*' ? str_starts(name, str_from(o->name, n - 1)) : str_is(name, o->name)) {
			return o;
		}
	}
	struct str text = arena_printf(r->arena, "%s: %.*s", r->model->name, STR_FMT(name));
	problem_set(r->problem, ERR_BUG, NULL, "%.*s", "%.*s", STR_FMT(text));
	return NULL;
}

// The unit in which the answer is wanted under this other name of the model.
static struct str unit_wanted(struct risk_run *r, struct str name, const struct risk_output *o)
{
	struct str rest = str_of(r->alias ? r->alias->units : NULL);
	while (rest.n) {
		struct str unit = str_cut(&rest, ';'), key = str_cut(&unit, '=');
		bool family = key.n && key.p[key.n - 1] == '*';
		if (family ? str_starts(name, str_first(key, key.n - 1)) : str_eq(key, name)) {
			return unit;
		}
	}
	return str_of(o->unit);
}

static struct risk_result *add_result(struct risk_run *r, struct str name, enum risk_kind kind)
{
	const struct risk_output *o = output_of(r, name);
	if (!o) {
		return NULL;
	}
	r->results = arena_push(r->arena, r->results, &r->n, &r->cap, sizeof *r->results);
	r->results[r->n - 1] = (struct risk_result){ .name = name, .out = o, .kind = kind };
	return &r->results[r->n - 1];
}

static double checked(struct risk_run *r, struct str name, const struct risk_output *o, double v)
{
	struct str unit = unit_wanted(r, name, o);
	if (!isfinite(v)) {
		risk_fail(r, "", "%.*s 算不出有限的数：输入超出模型适用范围",
			"%.*s is not finite: the inputs are outside of where the model holds",
			  STR_FMT(name));
		return 0;
	}
	if (!str_is(unit, o->unit) && !unit_convert(v, str_of(o->unit), unit, &v)) {
		problem_set(r->problem, ERR_BUG, "", "%s %s", "%s %s", r->model->name, o->name);
	}
	return v;
}

void risk_out(struct risk_run *r, const char *name, double v)
{
	struct risk_result *x = add_result(r, str_of(name), RISK_NUM);
	if (x) {
		x->num = checked(r, x->name, x->out, v);
	}
}

void risk_out_named(struct risk_run *r, double v, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str name = arena_vprintf(r->arena, fmt, ap);
	va_end(ap);
	struct risk_result *x = add_result(r, name, RISK_NUM);
	if (x) {
		x->num = checked(r, name, x->out, v);
	}
}

void risk_out_list(struct risk_run *r, const char *name, const double *v, size_t n)
{
	struct risk_result *x = add_result(r, str_of(name), RISK_LIST);
	if (x) {
		double *copy = arena_many(r->arena, n, double);
		for (size_t i = 0; i < n; i++) {
			copy[i] = checked(r, x->name, x->out, v[i]);
		}
		x->list = copy;
		x->n = n;
	}
}

void risk_out_text(struct risk_run *r, const char *name, struct str text)
{
	struct risk_result *x = add_result(r, str_of(name), RISK_TEXT);
	if (x) {
		x->text = text;
	}
}

void risk_out_texts(struct risk_run *r, const char *name, const struct str *v, size_t n)
{
	struct risk_result *x = add_result(r, str_of(name), RISK_ROWS);
	if (x) {
		x->texts = v;
		x->n = n;
	}
}

static void write_words(struct jw *w, const char *key, struct risk_words s)
{
	if (s.en) {
		jw_kobj(w, key);
		jw_kcstr(w, "zh", s.zh);
		jw_kcstr(w, "en", s.en);
		jw_end(w);
	}
}

void risk_write(struct risk_run *r, struct jw *w)
{
	jw_obj(w);
	jw_kcstr(w, "model", r->model->name);
	jw_kobj(w, "outputs");
	for (size_t i = 0; i < r->n; i++) {
		const struct risk_result *x = &r->results[i];
		jw_key_str(w, x->name);
		jw_obj(w);
		jw_key(w, "value");
		switch (x->kind) {
		case RISK_TEXT: jw_str(w, x->text); break;
		case RISK_LIST:
		case RISK_ROWS:
			jw_arr(w);
			for (size_t k = 0; k < x->n; k++) {
				x->kind == RISK_LIST ? jw_f64(w, x->list[k]) : jw_str(w, x->texts[k]);
			}
			jw_end(w);
			break;
		case RISK_NUM:
		case RISK_MENU: jw_f64(w, x->num); break;
		}
		jw_kstr(w, "unit", unit_wanted(r, x->name, x->out));
		jw_end(w);
	}
	jw_end(w);
	jw_karr(w, "warnings");
	for (size_t i = 0; i < r->n_warnings; i++) {
		jw_obj(w);
		jw_kstr(w, "zh", r->warnings[i].zh);
		jw_kstr(w, "en", r->warnings[i].en);
		jw_end(w);
	}
	jw_end(w);
	jw_kcstr(w, "source", r->model->source);
	write_words(w, "valid", r->model->valid);
	const struct risk_family *f = risk_family_of(r->model);
	write_words(w, "uncertain", f ? f->uncertain : (struct risk_words){ 0 });
	jw_end(w);
}

enum err risk_calc(const struct risk_model *m, const struct risk_alias *alias, const struct risk_tables *tables, struct str json,
		   struct arena *arena, struct buf *out, struct problem *problem)
{
	struct risk_run *r = arena_one(arena, struct risk_run);
	*r = (struct risk_run){ .model = m, .alias = alias, .tables = tables, .arena = arena, .problem = problem };
	if (risk_read(r, json) != OK) {
		return problem->err;
	}
	m->run(r);
	if (risk_failed(r)) {
		return problem->err;
	}
	struct jw w;
	jw_init(&w, out);
	risk_write(r, &w);
	return jw_done(&w) ? OK : problem_set(problem, ERR_TOO_LARGE, "", "结果过大", "the answer is too large");
}

// ---- schemas ---------------------------------------------------------------------------------------------

static void write_input(const struct risk_input *in, struct jw *w)
{
	static const char *const kinds[] = { "number", "list", "menu", "text", "rows" };
	jw_obj(w);
	jw_kcstr(w, "name", in->name);
	jw_kcstr(w, "kind", kinds[in->kind]);
	jw_kcstr(w, "zh", in->zh);
	jw_kcstr(w, "en", in->en);
	jw_kbool(w, "required", !in->opt);
	if (in->kind == RISK_NUM || in->kind == RISK_LIST) {
		jw_kcstr(w, "unit", in->unit ? in->unit : "");
		jw_kf64(w, "min", in->min);
		jw_kf64(w, "max", in->max);
	}
	if (in->kind == RISK_NUM && in->opt && isfinite(in->def)) {
		jw_kf64(w, "default", in->def);
	}
	if (in->kind == RISK_MENU) {
		jw_karr(w, "items");
		for (size_t i = 0; in->menu[i]; i++) {
			struct str rest = str_of(in->menu[i]);
			jw_str(w, str_cut(&rest, '|'));
		}
		jw_end(w);
		if (in->opt) {
			struct str rest = str_of(in->menu[0]);
			jw_kstr(w, "default", str_cut(&rest, '|'));
		}
	}
	if (in->kind == RISK_ROWS) {
		jw_karr(w, "columns");
		for (const struct risk_input *c = in->columns; c->name; c++) {
			write_input(c, w);
		}
		jw_end(w);
	}
	write_words(w, "note", in->note);
	jw_end(w);
}

static void write_table(const struct risk_table *t, struct jw *w)
{
	jw_obj(w);
	jw_kstr(w, "name", t->name);
	jw_kstr(w, "source", t->source);
	jw_karr(w, "columns");
	for (size_t i = 0; i < t->n_columns; i++) {
		jw_str(w, t->columns[i]);
	}
	jw_end(w);
	jw_karr(w, "rows");
	for (size_t i = 0; i < t->n; i++) {
		jw_arr(w);
		for (size_t c = 0; c < t->n_columns; c++) {
			jw_str(w, t->cells[i * t->n_columns + c]);
		}
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

void risk_write_schema(const struct risk_model *m, const struct risk_tables *tables, struct jw *w)
{
	jw_obj(w);
	jw_kcstr(w, "name", m->name);
	jw_kcstr(w, "zh", m->zh);
	jw_kcstr(w, "en", m->en);
	jw_kcstr(w, "source", m->source);
	write_words(w, "valid", m->valid);
	jw_karr(w, "names");
	for (const struct risk_alias *a = m->aliases; a && a->name; a++) {
		jw_cstr(w, a->name);
	}
	jw_end(w);
	jw_karr(w, "inputs");
	for (const struct risk_input *in = m->inputs; in->name; in++) {
		write_input(in, w);
	}
	jw_end(w);
	jw_karr(w, "outputs");
	for (const struct risk_output *o = m->outputs; o->name; o++) {
		jw_obj(w);
		jw_kcstr(w, "name", o->name);
		jw_kcstr(w, "unit", o->unit);
		jw_kcstr(w, "zh", o->zh);
		jw_kcstr(w, "en", o->en);
		jw_end(w);
	}
	jw_end(w);
	jw_karr(w, "tables");
	struct str rest = str_of(m->tables);
	while (rest.n) {
		const struct risk_table *t = risk_table_find(tables, str_cut(&rest, ' '));
		if (t) {
			write_table(t, w);
		}
	}
	jw_end(w);
	jw_end(w);
}

void risk_write_list(struct jw *w)
{
	size_t n;
	const struct risk_model *const *list = risk_models(&n);
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		jw_kcstr(w, "name", list[i]->name);
		jw_kcstr(w, "zh", list[i]->zh);
		jw_kcstr(w, "en", list[i]->en);
		jw_kcstr(w, "source", list[i]->source);
		jw_kcstr(w, "family", risk_family_of(list[i])->name);
		jw_end(w);
	}
	jw_end(w);
}

void risk_write_families(struct jw *w)
{
	size_t n;
	const struct risk_family *v = risk_families(&n);
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		jw_kcstr(w, "name", v[i].name);
		jw_kcstr(w, "zh", v[i].zh);
		jw_kcstr(w, "en", v[i].en);
		write_words(w, "about", (struct risk_words){ v[i].about_zh, v[i].about_en });
		jw_end(w);
	}
	jw_end(w);
}
