// Everything that is made from the files of packs, tried out: one more kind of file is one more line here.
#include "alarm/alarm.h"
#include "config/config_int.h"
#include "gate/template/payloads.h"
#include "measure/index.h"
#include "measure/measure.h"
#include "model/yaml.h"
#include "report/document.h"

static bool rules_ok(const struct registry *reg, struct diags *d, struct arena *a)
{
	struct rule_set *rules;
	(void)a;
	if (rules_compile(&rules, reg, d))
		return false;
	rules_free(rules);
	return true;
}

static bool measures_ok(const struct registry *reg, struct diags *d, struct arena *a)
{
	return measures_load(reg, a, d) != NULL;
}

static bool indexes_ok(const struct registry *reg, struct diags *d, struct arena *a)
{
	return indexes_load(reg, a, d) != NULL;
}

static bool migrations_ok(const struct registry *reg, struct diags *d, struct arena *a)
{
	struct migration *v;
	size_t n;
	return migrations_read(reg, NULL, NULL, d, a, &v, &n);
}

static bool documents_ok(const struct registry *reg, struct diags *d, struct arena *a)
{
	return documents_load(reg, a, d) != NULL;
}

static bool payloads_ok(const struct registry *reg, struct diags *d, struct arena *a)
{
	struct named_template *v;
	size_t n;
	return payloads_load(reg, a, d, &v, &n);
}

bool config_compiles(const struct registry *reg, struct diags *d)
{
	static bool (*const parts[])(const struct registry *, struct diags *, struct arena *) = { rules_ok, measures_ok, indexes_ok, migrations_ok,
                                                                                                    documents_ok, payloads_ok };
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		ok &= parts[i](reg, d, a);
	diags_sort(d);
	return ok;
}
