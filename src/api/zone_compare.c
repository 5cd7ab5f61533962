// Two saved cases of consequences side by side: their outlines, and threshold by threshold what the second has more than the first.
// Cases are read in the caller's scope; nothing is computed again.
#include "api/zones.h"

static const char *const numbers[] = { "reach", "width", "area", "day", "night" };

struct compared {
	const struct type *t;
	struct row row;
	json_t *levels, *outlines;
};

static json_t *rows_of(const struct call *c, const struct compared *k, const char *name)
{
	const struct field *f = type_field(k->t, str_of(name));
	const struct value *v = f && auth_may_read_field(&c->id, f) ? &k->row.vals[f->col] : NULL;
	return v && v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL;
}

static enum err read_case(struct call *c, const char *which, struct compared *ret)
{
	int64_t id = 0;
	*ret = (struct compared){ .t = registry_type(c->reg, STR("consequence_case")) };
	enum err err = query_int(c, which, 0, 1, INT64_MAX, &id);
	if (err)
		return err;
	if (!id)
		return call_fail(c, ERR_INVALID, which, "应给出两条后果推演的编号 a 和 b", "the ids of two consequence cases are needed, a and b");
	if (!ret->t || !auth_may_read(&c->id, ret->t))
		return call_fail(c, ERR_NOT_FOUND, "type", "没有后果推演这个类型，或无权查看", "there are no consequence cases, or not yours to see");
	struct scope scope = auth_scope(&c->id, ret->t);
	err = records_get(call_db(c), &ret->t->table, &scope, id, c->arena, &ret->row);
	if (err)
		return err == ERR_NOT_FOUND ? call_fail(c, err, which, "没有这条后果推演，或不在您的管辖范围", "no such case, or outside your scope") : err;
	ret->levels = rows_of(c, ret, "levels");
	ret->outlines = rows_of(c, ret, "outlines");
	return OK;
}

static const char *word(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));
	return s ? s : "";
}

// The name of the threshold that an outline is of: outlines stand in the order of the levels, without those that nothing reaches.
static const char *level_of(const struct compared *k, const char *key)
{
	const char *was = "";
	size_t i, reached = 0, at = 0;
	json_t *row;
	json_array_foreach(k->outlines, i, row) {
		if (strcmp(word(row, "what"), "ring") != 0)
			continue;
		at += strcmp(word(row, "key"), was) != 0;
		was = word(row, "key");
		if (strcmp(was, key) == 0)
			break;
	}
	bool found = strcmp(was, key) == 0;
	json_array_foreach(k->levels, i, row)
		if (found && json_number_value(json_object_get(row, "reach")) > 0 && ++reached == at)
			return word(row, "level");
	return key;
}

static void text_json(const struct compared *k, struct jw *w, const char *name)
{
	const struct field *f = type_field(k->t, str_of(name));
	const struct value *v = f && f->ncols ? &k->row.vals[f->col] : NULL;
	if (!v || v->kind != VAL_TEXT)
		return;
	for (size_t i = 0; f->menu && i < f->menu->nitems; i++)
		if (str_eq(f->menu->items[i].value, v->s)) {
			jw_klabel(w, name, f->menu->items[i].label);
			return;
		}
	jw_kstr(w, name, v->s);
}

static void case_json(const struct compared *k, struct jw *w)
{
	static const char *const said[] = { "scenario", "substance", "inputs", "weather" };
	const struct field *at = type_field(k->t, STR("position"));
	size_t i;
	json_t *row;
	jw_obj(w);
	jw_ki64(w, "id", k->row.c.id);
	jw_kstr(w, "number", k->row.c.number);
	jw_kstr(w, "title", k->row.c.title);
	for (i = 0; i < ARRAY_LEN(said); i++)
		text_json(k, w, said[i]);
	if (at && k->row.vals[at->col].kind == VAL_REAL) {
		jw_karr(w, "position");
		jw_f64(w, k->row.vals[at->col].f);
		jw_f64(w, k->row.vals[at->col + 1].f);
		jw_end(w);
	}
	jw_karr(w, "outlines");
	json_array_foreach(k->outlines, i, row) {
		bool ring = strcmp(word(row, "what"), "ring") == 0;
		if (!ring && strcmp(word(row, "what"), "band") != 0)
			continue;
		jw_obj(w);
		jw_kcstr(w, "key", word(row, "key"));
		jw_kcstr(w, "what", word(row, "what"));
		jw_kcstr(w, "label", level_of(k, word(row, "key")));
		jw_key(w, "ring");
		jw_raw(w, str_of(word(row, "ring")[0] ? word(row, "ring") : "[]"));
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

static const json_t *row_of(const json_t *levels, const char *level)
{
	size_t i;
	json_t *row;
	json_array_foreach((json_t *)(uintptr_t)levels, i, row)
		if (strcmp(word(row, "level"), level) == 0)
			return row;
	return NULL;
}

// minus: NULL = the row itself.
static void numbers_json(struct jw *w, const char *key, const json_t *row, const json_t *minus)
{
	jw_kobj(w, key);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		jw_kf64(w, numbers[i], json_number_value(json_object_get(row, numbers[i])) - json_number_value(json_object_get(minus, numbers[i])));
	jw_end(w);
}

static void level_json(struct jw *w, const char *level, const json_t *a, const json_t *b)
{
	jw_obj(w);
	jw_kcstr(w, "level", level);
	if (a)
		numbers_json(w, "a", a, NULL);
	if (b)
		numbers_json(w, "b", b, NULL);
	if (a && b)
		numbers_json(w, "more", b, a);
	jw_end(w);
}

enum err zones_compare(struct call *c)
{
	struct compared a, b;
	size_t i;
	json_t *row;
	enum err err = read_case(c, "a", &a);
	if (err)
		return err;
	err = read_case(c, "b", &b);
	if (!err) {
		jw_obj(&c->w);
		jw_karr(&c->w, "cases");
		case_json(&a, &c->w);
		case_json(&b, &c->w);
		jw_end(&c->w);
		jw_karr(&c->w, "levels");
		json_array_foreach(a.levels, i, row)
			level_json(&c->w, word(row, "level"), row, row_of(b.levels, word(row, "level")));
		json_array_foreach(b.levels, i, row)
			if (!row_of(a.levels, word(row, "level"))) // another scenario has other thresholds
				level_json(&c->w, word(row, "level"), NULL, row);
		jw_end(&c->w);
		jw_end(&c->w);
	}
	json_decref(a.levels);
	json_decref(a.outlines);
	json_decref(b.levels);
	json_decref(b.outlines);
	return err;
}
