// Any JSON as the body of a record, and any text as a filter or sort of a list.
// needs: base store expr model auth measure flow
#include <jansson.h>

#include "flow/draft.h"

static struct registry *reg;

static void load(void)
{
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	if (registry_load(&reg, STR("tests/packs/good"), &d))
		__builtin_trap();
	arena_free(a);
}

static void body(struct str text, const struct identity *by, struct arena *a)
{
	const struct type *t = registry_type(reg, STR("permit"));
	struct problem p;
	struct value *vals;
	struct row row = { .c = { .title = STR_EMPTY, .area = STR_EMPTY } };
	json_t *j = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
	problem_init(&p, a);
	enum err err = record_values(t, j, NULL, by, a, &vals, &p);
	if (!err) { // what was accepted is accepted again, and can be shown
		row.vals = vals;
		(void)history_detail(t, NULL, &row.c, vals, LABEL_SAID(text), a);
		err = record_values(t, j, &row, by, a, &vals, &p);
		if (err)
			__builtin_trap();
	} else if (p.zh.n == 0 || p.en.n == 0) {
		__builtin_trap();
	}
	json_decref(j);
}

static void query(struct str text, const struct identity *by, struct arena *a)
{
	const struct type *t = registry_type(reg, STR("permit"));
	struct filter f;
	struct sort *s;
	size_t n;
	struct str column = str_cut(&text, '.'), op = str_cut(&text, '=');
	(void)!record_filter(t, column, op, text, by, a, &f, NULL);
	(void)!record_sorts(t, text, by, a, &s, &n, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!reg)
		load();
	struct arena *a = arena_new(0);
	const struct role *role = registry_role(reg, STR("clerk"));
	struct identity by = { .person = 7, .roles = &role, .nroles = 1, .scope = { .area = STR("990121101"), .enterprise = 5 } };
	struct str text = str_from((const char *)data, size);
	if (size && data[0] == '{')
		body(text, &by, a);
	else
		query(text, &by, a);
	arena_free(a);
	return 0;
}
