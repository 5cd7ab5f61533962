// packs/*/assessments/*.yaml: the tree of items with points, automatic items, vetoes, and the grades. Called by load.c.
#include <math.h>

#include "measure/measure_int.h"

struct tree {
	struct loading *l;
	struct assessment *as;
	size_t cap;
};

static void item_flags(struct loading *l, struct score_item *it, const struct yaml_node *n)
{
	const struct yaml_node *k;
	if ((k = yaml_get(n, "about")) && k->kind == YAML_SCALAR)
		it->about = (struct label){ k->text, k->text };
	else if (k)
		(void)yaml_label(k, &it->about, l->d);
	if ((k = yaml_get(n, "veto")))
		(void)yaml_bool(k, &it->veto, l->d);
	if ((k = yaml_get(n, "evidence")))
		(void)yaml_bool(k, &it->evidence, l->d);
	if ((k = yaml_get(n, "auto")) && (it->auto_expr = indicator_expr(l, k)))
		(void)known_indicators(l, it->auto_expr, k);
}

static double items_read(struct tree *t, const struct yaml_node *items, int parent, int level, struct str path);

// Returns the points of the item.
static double item_read(struct tree *t, const struct yaml_node *name, const struct yaml_node *n, int parent, int level, struct str path)
{
	static const char *const keys[] = { "label", "points", "items", "auto", "veto", "evidence", "about", NULL };
	struct loading *l = t->l;
	const struct yaml_node *label, *points = yaml_get(n, "points"), *items = yaml_get(n, "items");
	t->as->items = arena_push(l->a, t->as->items, &t->as->nitems, &t->cap, sizeof *t->as->items);
	size_t at = t->as->nitems - 1;
	struct score_item it = { .name = name->text, .level = level, .parent = parent, .leaf = !items };
	it.path = path.n ? arena_printf(l->a, "%.*s.%.*s", STR_FMT(path), STR_FMT(name->text)) : name->text;
	yaml_check_keys(n, keys, l->d);
	if (need_node(l, n, "label", &label))
		(void)yaml_label(label, &it.label, l->d);
	item_flags(l, &it, n);
	if (points && yaml_f64(points, &it.points, l->d) && it.points < 0)
		diag_say(l->d, points, "分值不能是负数；请改正", "points cannot be negative; correct it");
	if (!items && !points && !it.veto)
		diag_say(l->d, n, "叶子项要有 points 或 veto；请补上", "an item without items needs points or veto; add it");
	if (items && (it.auto_expr || it.veto))
		diag_say(l->d, n, "有下级的项不能是 auto 或 veto；请写到下级", "an item with items cannot be auto or veto; write it below");
	t->as->items[at] = it;
	if (items) {
		double sum = items_read(t, items, (int)at, level + 1, it.path);
		if (points && fabs(sum - it.points) > 1e-9)
			diag_say(l->d, points, "下级合计 %.10g 分，与这里的 %.10g 分不符；请改正其一",
			         "the items below add up to %.10g, not to %.10g as here; correct one of them", sum, it.points);
		t->as->items[at].points = sum;
	}
	return t->as->items[at].points;
}

static double items_read(struct tree *t, const struct yaml_node *items, int parent, int level, struct str path)
{
	double sum = 0;
	if (items->kind != YAML_MAP || items->n == 0) {
		diag_say(t->l->d, items, "这里要映射，至少一项；请写“名字: {label: …, points: …}”",
		         "a mapping with at least one item is expected; write \"name: {label: …, points: …}\"");
		return 0;
	}
	if (level > 4) {
		diag_say(t->l->d, items, "嵌套超过 4 层；请写得平一些", "nested deeper than 4 levels; make it flatter");
		return 0;
	}
	for (size_t i = 0; i < items->n; i++)
		sum += item_read(t, items->keys[i], items->items[i], parent, level, path);
	return sum;
}

static void grades_read(struct loading *l, struct assessment *as, const struct yaml_node *n)
{
	static const char *const keys[] = { "label", "from", "color", NULL };
	as->grades = arena_many(l->a, n->n, struct grade);
	for (size_t i = 0; n->kind == YAML_MAP && i < n->n; i++) {
		const struct yaml_node *g = n->items[i], *k;
		struct grade *v = &as->grades[as->ngrades++];
		*v = (struct grade){ .name = n->keys[i]->text };
		yaml_check_keys(g, keys, l->d);
		if (need_node(l, g, "label", &k))
			(void)yaml_label(k, &v->label, l->d);
		if (need_node(l, g, "from", &k))
			(void)yaml_f64(k, &v->from, l->d);
		if ((k = yaml_get(g, "color")))
			(void)yaml_str(k, &v->color, l->d);
		if (i && v->from >= as->grades[i - 1].from)
			diag_say(l->d, g, "等级要从高到低排列；请调整 from", "grades must go down from the best; correct from");
	}
	if (as->ngrades && as->grades[as->ngrades - 1].from > 0)
		diag_say(l->d, n, "最低的等级要从 0 开始；请改正 from", "the lowest grade must begin at 0; correct its from");
}

void assessment_load(struct loading *l, const struct pack_file *f)
{
	static const char *const keys[] = { "assessment", "label", "about", "full", "items", "grades", NULL };
	struct assessment *as = &l->m->assessments[l->m->nassessments];
	const struct yaml_node *n;
	*as = (struct assessment){ .pack = f->pack, .file = f->file, .full = 100, .version = digest_of(f->root, l->a) };
	yaml_check_keys(f->root, keys, l->d);
	if (!name_read(l, f->root, "assessment", &as->name))
		return;
	if (assessment_find(l->m, as->name)) {
		diag_say(l->d, yaml_get(f->root, "assessment"), "“%.*s”已经定义；请换一个名字",
		         "\"%.*s\" is already defined; choose another name", STR_FMT(as->name));
		return;
	}
	if (need_node(l, f->root, "label", &n))
		(void)yaml_label(n, &as->label, l->d);
	if ((n = yaml_get(f->root, "about")) && n->kind == YAML_SCALAR)
		as->about = (struct label){ n->text, n->text };
	else if (n)
		(void)yaml_label(n, &as->about, l->d);
	if ((n = yaml_get(f->root, "full")))
		(void)yaml_f64(n, &as->full, l->d);
	struct tree t = { .l = l, .as = as };
	double sum = need_node(l, f->root, "items", &n) ? items_read(&t, n, -1, 1, STR_EMPTY) : as->full;
	if (fabs(sum - as->full) > 1e-9)
		diag_say(l->d, yaml_get(f->root, "full") ? yaml_get(f->root, "full") : n, "各项合计 %.10g 分，满分是 %.10g；请改正其一",
		         "the items add up to %.10g, the full score is %.10g; correct one of them", sum, as->full);
	if (need_node(l, f->root, "grades", &n))
		grades_read(l, as, n);
	l->m->nassessments++;
}

// ---- fields of kind sheet ----------------------------------------------------------------------
static const char *const writable[] = { "self", "review", "final" };

struct str sheet_columns(const struct field *f, struct str state, struct arena *a)
{
	struct str all = STR_EMPTY;
	for (size_t i = 0; i < ARRAY_LEN(writable); i++) {
		const struct yaml_node *n = f->sheet ? yaml_get(f->sheet, writable[i]) : NULL;
		for (size_t k = 0; n && n->kind == YAML_LIST && k < n->n; k++)
			if (str_eq(n->items[k]->text, state))
				all = arena_printf(a, "%.*s%s%s", STR_FMT(all), all.n ? " " : "", writable[i]);
	}
	return all;
}

static const struct field *result_field(const struct type *t, const struct field *f, const char *key)
{
	const struct yaml_node *n = f->sheet ? yaml_get(f->sheet, key) : NULL;
	return n && n->kind == YAML_SCALAR ? type_field(t, n->text) : NULL;
}

struct sheet_rule sheet_rule(const struct type *t, const struct field *f)
{
	return (struct sheet_rule){ result_field(t, f, "score"), result_field(t, f, "grade"), result_field(t, f, "vetoed") };
}

static void check_result(struct loading *l, const struct type *t, const struct field *f, const char *key, enum field_kind kind)
{
	const struct yaml_node *n = yaml_get(f->sheet, key);
	const struct field *to = result_field(t, f, key);
	if (n && (!to || to->kind != kind || !to->readonly))
		diag_say(l->d, n, "%s 要写一个只读的 %s 字段；请改正", "%s needs a read-only %s field; correct it", key, field_kind_name(kind));
}

// Every grade of the assessment must be a value of the menu that takes it.
static void check_grades(struct loading *l, const struct type *t, const struct field *f, const struct assessment *as)
{
	const struct field *to = result_field(t, f, "grade");
	for (size_t i = 0; to && to->menu && as && i < as->ngrades; i++)
		if (!menu_item(to->menu, as->grades[i].name))
			diag_say(l->d, yaml_get(f->sheet, "grade"), "菜单“%.*s”没有等级“%.*s”；请补上",
			         "the menu \"%.*s\" has no item for the grade \"%.*s\"; add it", STR_FMT(to->menu->name), STR_FMT(as->grades[i].name));
}

void sheet_field_check(struct loading *l, const struct type *t, const struct field *f)
{
	static const char *const keys[] = { "self", "review", "final", "score", "grade", "vetoed", NULL };
	yaml_check_keys(f->sheet, keys, l->d);
	for (size_t i = 0; i < ARRAY_LEN(writable); i++) {
		const struct yaml_node *n = yaml_get(f->sheet, writable[i]);
		struct str *states;
		size_t count = 0;
		if (!n || !yaml_strs(n, l->a, &states, &count, l->d))
			continue;
		for (size_t k = 0; k < count; k++)
			if (!type_state(t, states[k]))
				diag_say(l->d, n->items[k], "没有状态“%.*s”；请改名，或在 states 下建立它",
				         "there is no state \"%.*s\"; correct it or make it under states", STR_FMT(states[k]));
	}
	check_result(l, t, f, "score", FIELD_NUMBER);
	check_result(l, t, f, "grade", FIELD_MENU);
	check_result(l, t, f, "vetoed", FIELD_BOOL);
	check_grades(l, t, f, assessment_find(l->m, f->assessment));
}
