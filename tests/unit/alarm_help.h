// What the tests that feed an evaluator with random samples share: numbers that are the same every time, what was said, and rules
// compiled from a text over one kind of point. Included by them, after cmocka.
#pragma once

#include "alarm/alarm.h"
#include "base/arena.h"
#include "base/time.h"
#include "model/yaml.h"

#define T0 INT64_C(1767225600000000) // 2026-01-01T00:00:00Z
#define MAX_SAID 4000

static uint64_t seed_now;
static inline uint64_t rnd(void)
{
	seed_now ^= seed_now << 13;
	seed_now ^= seed_now >> 7;
	seed_now ^= seed_now << 17;
	return seed_now;
}
static inline void seed_set(uint64_t seed) { seed_now = seed * 0x9e3779b97f4a7c15u; }
static inline int below(int n) { return (int)(rnd() % (uint64_t)n); }

struct heard {
	struct transition v[MAX_SAID];
	size_t n;
};
static inline void hear(void *arg, const struct transition *t)
{
	struct heard *h = arg;
	assert_true(h->n < MAX_SAID);
	h->v[h->n++] = *t;
}

static struct point_kind kinds[] = { { .name = { "level", 5 }, .min = 0, .max = 100, .interval = US_PER_S } };

// Rule files over `kinds`, in this order; more may be NULL. reg and the rules live as long as a.
static inline struct rule_set *rules_of_two(struct arena *a, struct registry *reg, const char *text, const char *more)
{
	struct diags d = { .arena = a };
	struct rule_set *rules;
	*reg = (struct registry){ .arena = a, .kinds = kinds, .nkinds = 1, .rules = arena_many(a, 2, struct rule_file), .nrules = more ? 2 : 1 };
	reg->rules[0] = (struct rule_file){ .file = STR("a.yaml"), .root = yaml_parse(a, STR("a.yaml"), str_of(text), &d) };
	if (more)
		reg->rules[1] = (struct rule_file){ .file = STR("b.yaml"), .root = yaml_parse(a, STR("b.yaml"), str_of(more), &d) };
	if (rules_compile(&rules, reg, &d)) {
		print_error("%s\n%.*s\n", text, STR_FMT(d.v[0].text));
		fail();
	}
	return rules;
}

static inline struct rule_set *rules_of(struct arena *a, struct registry *reg, const char *text) { return rules_of_two(a, reg, text, NULL); }

// The families beside the limits.
#define FAMILY_RULES \
	"rate: {rise: 15, per: 6s, for: 1s, color: red, say: {zh: a, en: a}}\n" \
	"flat: {for: 5s, by: 3, color: red, say: {zh: a, en: a}}\n" \
	"bad: {for: 2s, off: 1s, color: red, say: {zh: a, en: a}}\n"
