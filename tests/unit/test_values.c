// JSON → values: each rule of each kind of field, as a table; and back to JSON, masked.
// needs: base store expr model auth measure flow
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/time.h"
#include "base/uscc.h"
#include "flow/draft.h"

static struct registry *reg;
static const struct type *permit;
static struct role plain = { .name = { "clerk", 5 } }, unmasking = { .name = { "chief", 5 }, .unmask = UNMASK_ALWAYS };

static int setup(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	assert_int_equal(registry_load(&reg, STR("tests/packs/good"), &d), OK);
	permit = registry_type(reg, STR("permit"));
	arena_free(a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	registry_free(reg);
	return 0;
}

static struct identity somebody(const struct role **role)
{
	return (struct identity){ .person = 7, .name = STR("li"), .title = STR("李"), .lang = STR("zh"), .roles = role, .nroles = 1,
		                  .scope = { .area = STR("990121101"), .enterprise = 5 } };
}

#define BASE "\"title\":\"许可证\",\"enterprise\":5"

// body of a new permit → the field that is refused, "" if none
static const struct { const char *body, *field; } cases[] = {
	{ "{" BASE "}", "" },
	{ "{\"enterprise\":5}", "title" },
	{ "{\"title\":\"  \",\"enterprise\":5}", "title" },
	{ "{\"title\":\"许可证\"}", "enterprise" },
	{ "{\"title\":\"许\",\"enterprise\":5}", "title" },         // at least 2 characters
	{ "{\"title\":7,\"enterprise\":5}", "title" },
	{ "{\"title\":\"a\\u0007b\",\"enterprise\":5}", "title" },
	{ "{\"title\":\"a\\nb\",\"enterprise\":5}", "title" },      // one line
	{ "{" BASE ",\"note\":\"a\\nb\"}", "" },
	{ "{" BASE ",\"nothing\":1}", "nothing" },
	{ "{" BASE ",\"number\":\"1\"}", "number" },
	{ "{" BASE ",\"state\":\"done\"}", "state" },
	{ "{" BASE ",\"result\":\"good\"}", "result" },             // read-only
	{ "{" BASE ",\"version\":3,\"reason\":\"x\",\"password\":\"y\"}", "" },
	{ "{" BASE ",\"level\":\"green\"}", "level" },
	{ "{" BASE ",\"level\":\"red\"}", "" },
	{ "{" BASE ",\"level\":null}", "level" },                   // required
	{ "{" BASE ",\"kinds\":[\"blue\",\"red\",\"red\"]}", "" },
	{ "{" BASE ",\"kinds\":[\"blue\",\"rde\"]}", "kinds" },
	{ "{" BASE ",\"kinds\":\"blue\"}", "kinds" },
	{ "{" BASE ",\"amount\":1000}", "" },
	{ "{" BASE ",\"amount\":1000.5}", "amount" },
	{ "{" BASE ",\"amount\":-1}", "amount" },
	{ "{" BASE ",\"amount\":0.29}", "" },
	{ "{" BASE ",\"amount\":0.295}", "amount" },                // two decimals
	{ "{" BASE ",\"amount\":\"3\"}", "amount" },
	{ "{" BASE ",\"weight\":1e300}", "" },
	{ "{" BASE ",\"fee\":19.99}", "" },
	{ "{" BASE ",\"fee\":19.999}", "fee" },
	{ "{" BASE ",\"fee\":-0.01}", "fee" },
	{ "{" BASE ",\"fee\":1e15}", "fee" },
	{ "{" BASE ",\"hot\":true}", "" },
	{ "{" BASE ",\"hot\":1}", "hot" },
	{ "{" BASE ",\"day\":\"2024-02-29\"}", "" },
	{ "{" BASE ",\"day\":\"2026-02-29\"}", "day" },
	{ "{" BASE ",\"day\":\"2026-2-9\"}", "day" },
	{ "{" BASE ",\"starts\":\"2026-11-22T08:00:00+08:00\"}", "" },
	{ "{" BASE ",\"starts\":\"2026-11-22 08:00\"}", "starts" },
	{ "{" BASE ",\"keeper\":{\"id\":9,\"title\":\"x\"}}", "" },
	{ "{" BASE ",\"keeper\":0}", "keeper" },
	{ "{" BASE ",\"keeper\":\"9\"}", "keeper" },
	{ "{" BASE ",\"keeper\":1.5}", "keeper" },
	{ "{" BASE ",\"place\":[119.5,29.1]}", "" },
	{ "{" BASE ",\"place\":null}", "" },
	{ "{" BASE ",\"place\":[29.1]}", "place" },
	{ "{" BASE ",\"place\":[181,29]}", "place" },
	{ "{" BASE ",\"place\":[29,119.5]}", "place" },             // the wrong way round
	{ "{" BASE ",\"place\":{\"lon\":1}}", "place" },
	{ "{" BASE ",\"border\":{\"type\":\"Polygon\",\"coordinates\":[[[119,29],[120,29],[120,30],[119,29]]]}}", "" },
	{ "{" BASE ",\"border\":{\"type\":\"Polygon\",\"coordinates\":[[119,29],[120,29]]}}", "border" },
	{ "{" BASE ",\"border\":{\"type\":\"Circle\",\"coordinates\":[1,2]}}", "border" },
	{ "{" BASE ",\"border\":[]}", "border" },
	{ "{" BASE ",\"phone\":\"13812341234\"}", "" },
	{ "{" BASE ",\"phone\":\"0571-87654321\"}", "" },
	{ "{" BASE ",\"phone\":\"400-820-8820\"}", "" },
	{ "{" BASE ",\"phone\":\"12812341234\"}", "phone" },
	{ "{" BASE ",\"phone\":\"1381234123\"}", "phone" },
	{ "{" BASE ",\"phone\":\"-13812341234\"}", "phone" },
	{ "{" BASE ",\"code\":\"91350100M000100Y43\"}", "" },
	{ "{" BASE ",\"code\":\"91350100M000100Y44\"}", "code" },
	{ "{" BASE ",\"code\":\"91350100M000100Y4\"}", "code" },
	{ "{" BASE ",\"code\":\"9I350100M000100Y43\"}", "code" },
	{ "{" BASE ",\"zone\":\"990121101000\"}", "" },
	{ "{" BASE ",\"zone\":\"99012110100\"}", "zone" },
	{ "{" BASE ",\"zone\":\"99012110100x\"}", "zone" },
	{ "{" BASE ",\"zone\":\"000000000000\"}", "zone" },
	{ "[1]", "" /* no field, but refused */ },
};

static void test_table(void **state)
{
	(void)state;
	const struct role *roles[] = { &plain };
	struct identity by = somebody(roles);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(0);
		struct problem p;
		struct value *vals;
		problem_init(&p, a);
		json_t *body = json_loads(cases[i].body, JSON_DECODE_ANY, NULL);
		assert_non_null(body);
		enum err err = record_values(permit, body, NULL, &by, a, &vals, &p);
		bool want_ok = cases[i].field[0] == 0 && json_is_object(body);
		if ((err == OK) != want_ok || !str_is(p.field, cases[i].field))
			fail_msg("%s → %s at \"%.*s\": %.*s", cases[i].body, err_name(err), STR_FMT(p.field), STR_FMT(p.en));
		if (err)
			assert_true(p.zh.n && p.en.n && err == ERR_INVALID);
		json_decref(body);
		arena_free(a);
	}
}

static struct value of(struct value *vals, const char *field)
{
	return vals[type_field(permit, str_of(field))->col];
}

static void assert_text(struct str got, const char *want)
{
	if (!str_is(got, want))
		fail_msg("got \"%.*s\", want \"%s\"", STR_FMT(got), want);
}

static void test_defaults(void **state)
{
	(void)state;
	const struct role *roles[] = { &plain };
	struct identity by = somebody(roles);
	struct arena *a = arena_new(0);
	struct problem p;
	struct value *v;
	problem_init(&p, a);
	clock_set_fake(INT64_C(1795305600) * US_PER_S); // 2026-11-22T08:00:00+08:00
	json_t *body = json_loads("{" BASE ",\"kinds\":[\"blue\",\"red\"],\"fee\":19.99}", 0, NULL);
	assert_int_equal(record_values(permit, body, NULL, &by, a, &v, &p), OK);
	assert_text(of(v, "level").s, "blue");
	assert_text(of(v, "kinds").s, ",red,blue,"); // in the order of the menu
	assert_true(of(v, "amount").f == 1.5 && of(v, "fee").i == 1999);
	assert_true(of(v, "hot").kind == VAL_INT && of(v, "hot").i == 0);
	assert_text(of(v, "day").s, "2026-11-22");
	assert_true(of(v, "starts").i == clock_now());
	assert_true(of(v, "keeper").i == 7 && of(v, "firm").i == 5);
	assert_text(of(v, "zone").s, "990121101000");
	assert_int_equal(of(v, "place").kind, VAL_NULL);
	clock_set_fake(0);
	json_decref(body);
	arena_free(a);
}

// What is not in the body stays; a mask sent back changes nothing.
static void test_edit(void **state)
{
	(void)state;
	const struct role *roles[] = { &plain };
	struct identity by = somebody(roles);
	struct arena *a = arena_new(0);
	struct problem p;
	struct row old = { .c = { .title = STR("旧证"), .enterprise = 5 } };
	problem_init(&p, a);
	json_t *body = json_loads("{" BASE ",\"phone\":\"13812341234\",\"amount\":2}", 0, NULL);
	assert_int_equal(record_values(permit, body, NULL, &by, a, &old.vals, &p), OK);
	json_decref(body);
	body = json_loads("{\"phone\":\"138****1234\",\"amount\":3}", 0, NULL);
	struct value *v;
	assert_int_equal(record_values(permit, body, &old, &by, a, &v, &p), OK);
	assert_text(of(v, "phone").s, "13812341234");
	assert_true(of(v, "amount").f == 3);
	assert_text(of(v, "level").s, "blue");
	json_decref(body);
	arena_free(a);
}

static void test_codes(void **state)
{
	(void)state;
	assert_true(uscc_ok(STR("91350100M000100Y43")));
	assert_int_equal(uscc_check_char(STR("91350100M000100Y4")), '3');
	for (char ch = '0'; ch <= '9'; ch++) { // any wrong check character is seen
		char code[] = "91350100M000100Y4?";
		code[17] = ch;
		assert_int_equal(uscc_ok(str_of(code)), ch == '3');
	}
	struct arena *a = arena_new(0);
	assert_text(phone_mask(STR("13812341234"), a), "138****1234");
	assert_text(phone_mask(STR("057187654321"), a), "057****4321");
	assert_text(phone_mask(STR("8765432"), a), "8****2");
	assert_text(phone_mask(STR("110"), a), "****");
	arena_free(a);
}

static void test_queries(void **state)
{
	(void)state;
	const struct role *roles[] = { &plain }, *unmask[] = { &unmasking };
	struct identity by = somebody(roles), chief = somebody(unmask);
	struct arena *a = arena_new(0);
	struct problem p;
	struct filter f;
	struct sort *sorts;
	struct filter *fs;
	size_t n;
	problem_init(&p, a);
	assert_int_equal(record_filter(permit, STR("level"), STR("in"), STR("red,blue"), &by, a, &f, &p), OK);
	assert_true(f.op == FILTER_IN && f.nvals == 2);
	assert_int_equal(record_filter(permit, STR("created_at"), STR("ge"), STR("2026-11-22T00:00:00+08:00"), &by, a, &f, &p), OK);
	assert_true(f.vals[0].kind == VAL_INT && f.vals[0].i > 0);
	assert_int_equal(record_filter(permit, STR("kinds"), STR(""), STR("red"), &by, a, &f, &p), OK);
	assert_int_equal(f.op, FILTER_CONTAINS);
	assert_int_equal(record_filter(permit, STR("keeper"), STR(""), STR("me"), &by, a, &f, &p), OK);
	assert_int_equal(f.vals[0].i, 7);
	assert_int_equal(record_filter(permit, STR("nothing"), STR(""), STR("x"), &by, a, &f, &p), ERR_INVALID);
	assert_int_equal(record_filter(permit, STR("amount"), STR("about"), STR("1"), &by, a, &f, NULL), ERR_INVALID);
	assert_int_equal(record_filter(permit, STR("amount"), STR("gt"), STR("x"), &by, a, &f, NULL), ERR_INVALID);
	assert_int_equal(record_filter(permit, STR("phone"), STR("prefix"), STR("138"), &by, a, &f, NULL), ERR_FORBIDDEN);
	assert_int_equal(record_filter(permit, STR("phone"), STR("prefix"), STR("138"), &chief, a, &f, NULL), OK);
	assert_int_equal(record_filter(permit, STR("place"), STR(""), STR("1"), &by, a, &f, NULL), ERR_INVALID);
	assert_int_equal(record_sorts(permit, STR("-level,starts"), &by, a, &sorts, &n, &p), OK);
	assert_true(n == 2 && sorts[0].nranks == 3 && !sorts[0].descending && !sorts[1].descending);
	assert_int_equal(record_sorts(permit, STR("phone"), &by, a, &sorts, &n, NULL), ERR_INVALID);
	flow_list_filters(permit, type_listing(permit, STR("mine")), &by, a, &fs, &n);
	assert_int_equal(n, 4);
	assert_true(fs[0].vals[0].kind == VAL_INT && fs[0].vals[0].i == 7);
	assert_int_equal(fs[3].nvals, 3); // the open states
	by.scope.enterprise = 0;
	flow_list_filters(permit, type_listing(permit, STR("firm")), &by, a, &fs, &n);
	assert_true(fs[0].op == FILTER_IN && fs[0].nvals == 0); // nobody's: no row
	arena_free(a);
}

static void test_type_json(void **state)
{
	(void)state;
	const struct role *roles[] = { &plain };
	struct identity by = somebody(roles);
	struct buf b;
	struct jw w;
	buf_init(&b, 1 << 20);
	jw_init(&w, &b);
	type_json(&w, reg, permit, &by, true);
	assert_true(jw_done(&w));
	json_t *j = json_loadb(b.p, b.n, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "label")), "许可");
	assert_int_equal(json_array_size(json_object_get(j, "fields")), permit->nfields);
	assert_int_equal(json_array_size(json_object_get(j, "moves")), 4);
	json_t *list = json_array_get(json_object_get(j, "lists"), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(list, "order"), 0)), "-level");
	assert_int_equal(json_array_size(json_object_get(json_object_get(list, "where"), "level")), 2);
	json_t *can = json_object_get(j, "can");
	assert_int_equal(json_array_size(can), 4); // create read edit export
	json_decref(j);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_defaults), cmocka_unit_test(test_edit),
		cmocka_unit_test(test_codes), cmocka_unit_test(test_queries),  cmocka_unit_test(test_type_json),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
