// The checker: a good pack that uses every key; a bad pack for every sentence, with exactly the text it must say; and
// that no sentence is without its bad pack. Generations under load.
// needs: base store expr model
// threads
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/diag.h"

// ---- the sentences -----------------------------------------------------------------------------
#define X(name, zh, en) { #name, zh, en, false },
static struct sentence {
	const char *name, *zh, *en;
	bool said;
} sentences[] = { DIAGS(X) };
#undef X

// Steps over a printf conversion: %s %.*s %u …
static const char *after_conversion(const char *f)
{
	f++;
	while (strchr(".*0123456789", *f))
		f++;
	return f + 1;
}

// Does the text come from the format, each conversion standing for anything?
static bool matches(const char *f, const char *t)
{
	while (*f && *f != '%') {
		if (*f++ != *t++)
			return false;
	}
	if (!*f)
		return !*t || strncmp(t, " - did you mean", 15) == 0 || strncmp(t, " - it holds a full-width", 24) == 0;
	f = after_conversion(f);
	for (; ; t++) {
		if (matches(f, t))
			return true;
		if (!*t)
			return false;
	}
}

static void mark_said(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
		if (matches(sentences[i].en, text) || (strcmp(sentences[i].name, "NEAR") == 0 && strstr(text, " - did you mean")) ||
		    (strcmp(sentences[i].name, "NEAR_WIDTH") == 0 && strstr(text, " - it holds a full-width")))
			sentences[i].said = true;
}

static size_t conversions(const char *f, char *ret, size_t max)
{
	size_t n = 0;
	for (; *f; f++)
		if (*f == '%' && n < max) {
			f = after_conversion(f) - 1;
			ret[n++] = *f;
		}
	return n;
}

static void test_languages_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
		char zh[8], en[8];
		size_t nzh = conversions(sentences[i].zh, zh, 8), nen = conversions(sentences[i].en, en, 8);
		if (nzh != nen || memcmp(zh, en, nzh) != 0)
			fail_msg("%s takes other arguments in Chinese than in English", sentences[i].name);
	}
}

// ---- packs -------------------------------------------------------------------------------------
static struct str said(struct arena *a, const char *dir, bool zh)
{
	struct diags d = { .arena = a, .zh = zh };
	struct registry *r = NULL;
	struct str all = STR_EMPTY;
	enum err err = registry_load(&r, str_of(dir), &d);
	assert_int_equal(err, d.n ? ERR_INVALID : OK);
	for (size_t i = 0; i < d.n; i++) {
		if (!zh)
			mark_said(arena_cstr(a, d.v[i].text));
		all = arena_printf(a, "%.*s%.*s:%u:%u: %.*s\n", STR_FMT(all), STR_FMT(d.v[i].file), d.v[i].line, d.v[i].col,
		                   STR_FMT(d.v[i].text));
	}
	registry_free(r);
	return all;
}

static struct str file_text(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("no %s", path);
	char *p = arena_alloc(a, 1 << 16);
	size_t n = fread(p, 1, 1 << 16, f);
	fclose(f);
	return str_from(p, n);
}

static void test_bad(void **state)
{
	(void)state;
	DIR *dir = opendir("tests/packs/bad");
	size_t n = 0;
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct str name = str_of(e->d_name);
		if (e->d_name[0] == '.' || str_ends(name, STR(".err")))
			continue;
		struct arena *a = arena_new(0);
		struct str got = said(a, arena_printf(a, "tests/packs/bad/%s", e->d_name).p, false);
		struct str want = file_text(a, arena_printf(a, "tests/packs/bad/%s.err", e->d_name).p);
		if (!str_eq(got, want))
			fail_msg("%s says\n%.*sand should say\n%.*s", e->d_name, STR_FMT(got), STR_FMT(want));
		assert_true(said(a, arena_printf(a, "tests/packs/bad/%s", e->d_name).p, true).n > 0);
		arena_free(a);
		n++;
	}
	closedir(dir);
	assert_true(n > 100);
}

// What cannot lie in the repository: too large, too many, unreadable, nothing at all.
static void write_menu(const char *dir, size_t fill, size_t items)
{
	char path[128];
	snprintf(path, sizeof path, "%s/p/menus/a.yaml", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("menu: a\nlabel: {zh: 甲, en: A}\nitems:\n  a: {label: {zh: 甲, en: A}}\nx: [", f);
	for (size_t i = 0; i < items; i++)
		fputs("a,", f);
	fputs("]\n", f);
	for (size_t i = 0; i < fill; i++)
		fputs("# 0123456789012345678901234567890123456789\n", f);
	fclose(f);
}

static void test_made(void **state)
{
	(void)state;
	char dir[] = "/tmp/anlan-packs-XXXXXX", path[128];
	struct arena *a = arena_new(0);
	assert_non_null(mkdtemp(dir));
	assert_true(str_contains(said(a, dir, false), STR("no pack found here")));
	snprintf(path, sizeof path, "%s/p", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/p/menus", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_menu(dir, 30000, 1);
	assert_true(str_contains(said(a, dir, false), STR("larger than")));
	write_menu(dir, 0, LIMIT_YAML_NODES);
	assert_true(str_contains(said(a, dir, false), STR("more than 100000 items")));
	snprintf(path, sizeof path, "%s/p/menus/a.yaml", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_true(str_contains(said(a, dir, false), STR("cannot be read")));
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof path, "%s/p/menus", dir);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof path, "%s/p", dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
	arena_free(a);
}

static void test_every_sentence_has_a_bad_pack(void **state)
{
	(void)state;
	bool missing = false;
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
		if (!sentences[i].said) {
			print_error("no bad pack says %s: %s\n", sentences[i].name, sentences[i].en);
			missing = true;
		}
	assert_false(missing);
}

// ---- the good packs ----------------------------------------------------------------------------
static struct registry *load(const char *dir)
{
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	struct registry *r = NULL;
	enum err err = registry_load(&r, str_of(dir), &d);
	for (size_t i = 0; i < d.n; i++)
		print_error("%.*s:%u:%u: %.*s\n", STR_FMT(d.v[i].file), d.v[i].line, d.v[i].col, STR_FMT(d.v[i].text));
	assert_int_equal(err, OK);
	arena_free(a);
	return r;
}

static void assert_text(struct str got, const char *want)
{
	if (!str_is(got, want))
		fail_msg("got \"%.*s\", want \"%s\"", STR_FMT(got), want);
}

static void good_fields(const struct type *t)
{
	const struct field *place = type_field(t, STR("place")), *title = type_field(t, STR("title"));
	assert_int_equal(place->ncols, 2);
	assert_text(t->table.cols[place->col].name, "place_lon");
	assert_text(t->table.cols[place->col + 1].name, "place_lat");
	assert_int_equal(title->ncols, 0); // the common column
	assert_int_equal(type_field(t, STR("enterprise"))->ncols, 0);
	assert_int_equal(t->table.ncols, t->nfields + 1 - 2); // a place is two, two are common columns
	assert_true(title->need && title->has_min && title->max == 40);
	assert_int_equal(type_field(t, STR("amount"))->decimals, 2);
	assert_int_equal(type_field(t, STR("weight"))->decimals, -1);
	assert_text(type_field(t, STR("weight"))->unit.zh, "吨");
	assert_true(t->table.cols[type_field(t, STR("code"))->col].unique);
	assert_null(type_field(t, STR("nothing")));
}

static void good_flow(const struct type *t)
{
	const struct state *open = type_state(t, STR("open"));
	assert_int_equal(t->nstates, 4);
	assert_true(open->within.set && open->within.by == type_field(t, STR("level")));
	assert_int_equal(open->within.n, 2);
	assert_true(open->within.spans[0].us == 10 * US_PER_MIN && open->within.spans[1].us == US_PER_HOUR);
	assert_int_equal(open->nescalate, 2);
	assert_true(open->escalate_every == 20 * US_PER_MIN);
	assert_true(type_state(t, STR("checking"))->escalate_every == 30 * US_PER_MIN); // its own time
	const struct move *back = type_move(t, STR("back")), *approve = type_move(t, STR("approve"));
	assert_int_equal(back->nfrom, 2);
	assert_int_equal(back->nwho, 2); // all
	assert_true(back->reason && approve->sign && approve->nsets == 3);
	assert_text(approve->not_same[0], "keeper");
}

static void good_lists(const struct type *t)
{
	const struct listing *mine = type_listing(t, STR("mine")), *firm = type_listing(t, STR("firm"));
	assert_true(mine->open_only);
	assert_int_equal(mine->nfilters, 3);
	assert_int_equal(mine->filters[1].op, FILTER_IN);
	assert_int_equal(mine->filters[1].nvals, 2);
	assert_true(mine->filters[2].vals[0].kind == VAL_INT && mine->filters[2].vals[0].i == 0);
	assert_int_equal(mine->sorts[0].nranks, 3);
	assert_false(mine->sorts[0].descending); // red first
	assert_text(mine->sorts[0].ranks[0], "red");
	assert_int_equal(firm->filters[2].op, FILTER_CONTAINS);
	assert_text(firm->filters[2].vals[0].s, ",red,");
}

static void test_good(void **state)
{
	(void)state;
	struct registry *r = load("tests/packs/good");
	const struct type *t = registry_type(r, STR("permit"));
	assert_non_null(t);
	assert_text(t->pack, "p");
	assert_text(t->file, "tests/packs/good/p/types/permit.yaml");
	assert_int_equal(t->rights.nread, 2); // all
	good_fields(t);
	good_flow(t);
	good_lists(t);
	const struct type *graded = registry_type(r, STR("graded"));
	assert_int_equal(graded->nmodels, 2);
	assert_true(graded->models[0].when && !type_field(graded, STR("score"))->readonly);
	assert_true(!graded->models[1].when && type_field(graded, STR("sum"))->readonly);
	assert_int_equal(graded->models[1].ncolumns, 2);
	assert_text(graded->states[0].overdue->name, "miss");
	assert_text(graded->drawing.color->name, "level");
	assert_int_equal(registry_kind(r, STR("level"))->decimals, 1);
	assert_true(role_may(registry_role(r, STR("chief")), "alarm.handle"));
	assert_false(role_may(registry_role(r, STR("clerk")), "alarm.handle"));
	assert_int_equal(r->nrules, 1);
	int64_t version = t->version;
	registry_free(r);
	r = load("tests/packs/good");
	assert_true(registry_type(r, STR("permit"))->version == version);
	registry_free(r);
}

static void test_ours(void **state)
{
	(void)state;
	struct registry *r = load("packs");
	assert_non_null(registry_type(r, STR("warning")));
	registry_free(r);
}

// ---- generations -------------------------------------------------------------------------------
static bool stop;

static void *reader(void *arg)
{
	size_t *seen = arg;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		const struct registry *r = registry_pin();
		assert_non_null(registry_type(r, STR("permit")));
		registry_unpin(r);
		++*seen;
	}
	return NULL;
}

static void test_generations(void **state)
{
	(void)state;
	pthread_t threads[3];
	size_t seen[3] = { 0 };
	registry_set(load("tests/packs/good"));
	const struct registry *first = registry_pin();
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, &seen[i]), 0);
	for (int i = 0; i < 20; i++)
		registry_set(load("tests/packs/good"));
	assert_non_null(registry_type(first, STR("permit"))); // still there while pinned
	const struct registry *last = registry_pin();
	assert_true(last->generation > first->generation);
	registry_unpin(last);
	registry_unpin(first);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	registry_close();
	assert_null(registry_pin());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_languages_agree), cmocka_unit_test(test_bad),   cmocka_unit_test(test_made),
		cmocka_unit_test(test_every_sentence_has_a_bad_pack),  cmocka_unit_test(test_good),
		cmocka_unit_test(test_ours),            cmocka_unit_test(test_generations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
