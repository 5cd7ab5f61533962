// A rule file of any bytes: refused with diagnostics or compiled, put in force and fed; never a crash.
// needs: base loop bus store expr risk model auth alarm
#include <math.h>

#include "alarm/alarm.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/workday.h"
#include "model/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *arg, const struct transition *t)
{
	(void)arg;
	(void)t;
}

static void use(const struct rule_set *rs, const struct registry *reg, struct arena *a)
{
	struct point_def p[2] = { { .id = 1, .kind = STR("level"), .device = 1, .area = STR("990121101001"), .ll = 5, .l = 10, .h = NAN, .hh = 90,
		                    .min = NAN, .max = NAN } };
	struct buf all;
	struct evaluator *ev = evaluator_new(10);
	uint8_t ext[ALARM_EXT];
	p[1] = p[0];
	p[1].id = 2;
	p[1].kind = STR("gas");
	evaluator_load(ev, rs, reg, p, 2, 1);
	for (int i = 1; i < 64; i++) {
		struct reading r = { .point = 1 + (uint32_t)i % 2, .time = i * 700 * US_PER_MS, .value = i * 37 % 101, .quality = (uint16_t)(i % Q__MAX) };
		evaluator_feed(ev, &r, r.time, ignore, NULL);
		(void)evaluator_tick(ev, r.time + 1, ignore, NULL);
	}
	evaluator_save(ev, 1, ext);
	evaluator_restore(ev, 1, ext);
	buf_init(&all, 1u << 20);
	evaluator_save_all(ev, &all);
	evaluator_restore_all(ev, buf_str(&all));
	evaluator_settle(ev, ignore, NULL);
	buf_free(&all);
	evaluator_free(ev);
	for (uint32_t i = 0; i < rules_count(rs); i++)
		(void)rule_words(rs, i, NULL, i % 2, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct point_kind kinds[] = { { .name = { "level", 5 }, .unit = { "%", 1 }, .min = 0, .max = 100, .interval = US_PER_S },
		                             { .name = { "gas", 3 }, .unit = { "%LEL", 4 }, .min = 0, .max = 100, .interval = US_PER_S } };
	static const struct workdays no_calendar;
	static struct type types[] = { { .name = { "warning", 7 } } };
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	struct yaml_node *root = yaml_parse(a, STR("fuzz.yaml"), str_from((const char *)data, size), &d);
	struct rule_file file = { .file = STR("fuzz.yaml"), .root = root };
	struct registry reg = { .arena = a, .kinds = kinds, .nkinds = 2, .types = types, .ntypes = 1, .rules = &file, .nrules = 1,
		                .workdays = &no_calendar };
	struct rule_set *rs = NULL;
	if (root && rules_compile(&rs, &reg, &d) == OK)
		use(rs, &reg, a);
	rules_free(rs);
	arena_free(a);
	return 0;
}
