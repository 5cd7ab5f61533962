// needs: base store expr bus model gate/decode gate/template
// Every frame of tests/decode/PROTOCOL/*.in against its line in the .out beside it: a frame a line, exact JSON. Lines that
// begin with "#: " are comments in both. tests/decode/template/NAME.yaml is the template of NAME.in; those in bad/ say what is wrong
// with them in their first lines. The present is 2026-11-22T08:00:00+08:00. Run from the top of the tree.
#include "gate/decode/decoders.h"
#include "gate/template/payloads.h"

#include <dirent.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#define NOW INT64_C(1795305600000000)
#define FILE_BYTES_MAX (4u << 20)

static bool read_file(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		return false;
	}
	buf_init(b, FILE_BYTES_MAX);
	for (;;) {
		char *room = buf_room(b, 4096);
		assert_non_null(room);
		size_t n = fread(room, 1, 4096, f);
		buf_commit(b, n);
		if (n == 0) {
			break;
		}
	}
	fclose(f);
	return true;
}

// The next line that is no comment.
static bool next_line(struct str *rest, struct str *ret)
{
	while (rest->n) {
		*ret = str_cut(rest, '\n');
		if (!str_starts(*ret, STR("#: "))) {
			return true;
		}
	}
	return false;
}

static unsigned run_file(const struct decoder *d, const char *in_path, const char *out_path)
{
	struct buf in, want, out;
	struct arena *arena = arena_new(0);
	unsigned n = 0, wrong = 0;
	assert_true(read_file(in_path, &in));
	if (!read_file(out_path, &want)) {
		fail_msg("%s is missing", out_path);
	}
	buf_init(&out, FILE_BYTES_MAX);
	struct str frames = buf_str(&in), texts = buf_str(&want), frame, text;
	while (next_line(&frames, &frame)) {
		n++;
		buf_clear(&out);
		arena_reset(arena);
		bool ok = decoder_print(d, frame, arena, NOW, false, &out);
		if (!next_line(&texts, &text) || !str_eq(buf_str(&out), text)) {
			printf("%s frame %u:\n  have %.*s\n  want %.*s\n", in_path, n, STR_FMT(buf_str(&out)), STR_FMT(text));
			wrong++;
		}
		assert_true(ok != str_starts(buf_str(&out), STR("{\"error\":")));
	}
	wrong += next_line(&texts, &text);
	arena_free(arena);
	buf_free(&in);
	buf_free(&want);
	buf_free(&out);
	printf("%s: %u frames\n", in_path, n);
	assert_int_equal(wrong, 0);
	return n;
}

static void test_corpus(void **state)
{
	(void)state;
	size_t n_decoders;
	const struct decoder *list = decoder_list(&n_decoders);
	for (size_t i = 0; i < n_decoders; i++) {
		char folder[256], in[1024], out[1024];
		unsigned frames = 0;
		snprintf(folder, sizeof(folder), "tests/decode/%s", list[i].name);
		DIR *dir = opendir(folder);
		assert_non_null(dir);
		for (struct dirent *e; (e = readdir(dir));) {
			struct str name = str_of(e->d_name);
			if (str_ends(name, STR(".in"))) {
				snprintf(in, sizeof(in), "%s/%s", folder, e->d_name);
				snprintf(out, sizeof(out), "%s/%.*s.out", folder, (int)name.n - 3, name.p);
				frames += run_file(&list[i], in, out);
			}
		}
		closedir(dir);
		assert_true(frames >= 10);
	}
}

// ---- templates ----

static struct str yaml_text(struct arena *a, const char *path)
{
	struct buf b;
	assert_true(read_file(path, &b));
	struct str s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static void run_template(const char *name, size_t n)
{
	char path[512], in[512], out[512];
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	snprintf(path, sizeof(path), "tests/decode/template/%.*s.yaml", (int)n, name);
	snprintf(in, sizeof(in), "tests/decode/template/%.*s.in", (int)n, name);
	snprintf(out, sizeof(out), "tests/decode/template/%.*s.out", (int)n, name);
	const struct yaml_node *root = yaml_parse(a, str_of(path), yaml_text(a, path), &d);
	struct decoder one = { .form = FRAME_AS_IT_IS };
	one.tpl = root ? payload_load(root, a, &d) : NULL;
	for (size_t i = 0; i < d.n; i++) {
		printf("%s:%u:%u: %.*s\n", path, d.v[i].line, d.v[i].col, STR_FMT(d.v[i].text));
	}
	assert_non_null(one.tpl);
	assert_true(run_file(&one, in, out) >= 5);
	arena_free(a);
}

static void test_templates(void **state)
{
	(void)state;
	unsigned n = 0;
	DIR *dir = opendir("tests/decode/template");
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));) {
		struct str name = str_of(e->d_name);
		if (str_ends(name, STR(".yaml"))) {
			run_template(name.p, name.n - 5);
			n++;
		}
	}
	closedir(dir);
	assert_true(n >= 5);
}

static void run_bad_template(const char *path)
{
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	struct buf have, want;
	struct str text = yaml_text(a, path), rest = text;
	buf_init(&have, FILE_BYTES_MAX);
	buf_init(&want, FILE_BYTES_MAX);
	const struct yaml_node *root = yaml_parse(a, str_of(path), text, &d);
	assert_non_null(root);
	assert_null(payload_load(root, a, &d));
	diags_sort(&d);
	for (size_t i = 0; i < d.n; i++) {
		buf_printf(&have, "# %u:%u: %.*s\n", d.v[i].line, d.v[i].col, STR_FMT(d.v[i].text));
	}
	while (str_starts(rest, STR("# "))) {
		struct str line = str_cut(&rest, '\n');
		buf_printf(&want, "%.*s\n", STR_FMT(line));
	}
	if (!str_eq(buf_str(&have), buf_str(&want))) {
		fail_msg("%s has\n%.*s", path, STR_FMT(buf_str(&have)));
	}
	buf_free(&have);
	buf_free(&want);
	arena_free(a);
}

static void test_bad_templates(void **state)
{
	(void)state;
	char path[512];
	unsigned n = 0;
	DIR *dir = opendir("tests/decode/template/bad");
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));) {
		if (e->d_name[0] != '.') {
			snprintf(path, sizeof(path), "tests/decode/template/bad/%s", e->d_name);
			run_bad_template(path);
			n++;
		}
	}
	closedir(dir);
	assert_true(n >= 12);
}

// A block from elsewhere: whatever is changed in it, it is refused or it can be read with.
static void test_damaged_block(void **state)
{
	(void)state;
	struct arena *a = arena_new(0);
	struct diags d = { .arena = a };
	const struct yaml_node *root = yaml_parse(a, STR("cloud"), yaml_text(a, "tests/decode/template/cloud.yaml"), &d);
	const struct payload_template *t = payload_load(root, a, &d);
	assert_non_null(t);
	struct buf out;
	buf_init(&out, FILE_BYTES_MAX);
	struct str body = STR("{\"header\":{\"dev\":\"D7\",\"ts\":1782000634000},\"data\":{\"rows\":[{\"code\":\"A\",\"val\":1}]}}");
	unsigned read = 0;
	for (size_t at = 0; at < t->size; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct payload_template *copy = memcpy(arena_alloc(a, t->size), t, t->size);
			((uint8_t *)copy)[at] ^= (uint8_t)(1u << bit);
			struct decoder one = { .form = FRAME_AS_IT_IS, .tpl = copy };
			if (template_sound(copy, t->size)) {
				buf_clear(&out);
				decoder_print(&one, body, a, NOW, false, &out);
				read++;
			}
		}
	}
	assert_true(read > 0 && read < t->size * 8);
	buf_free(&out);
	arena_free(a);
}

static void test_messages(void **state)
{
	(void)state;
	struct arena *arena = arena_new(0);
	struct buf out;
	buf_init(&out, 1 << 16);
	assert_null(decoder_find(STR("no such")));
	assert_false(decoder_print(decoder_find(STR("gb26875")), STR("zz"), arena, NOW, true, &out));
	assert_true(str_is(buf_str(&out), "{\"error\":{\"code\":\"syntax\",\"message\":\"不是十六进制数字\",\"offset\":0}}"));
	buf_free(&out);
	buf_init(&out, 40); // the object does not fit
	decoder_print(decoder_find(STR("json")), STR("[{\"point\":\"long enough\",\"time\":0,\"value\":1}]"), arena, NOW, true, &out);
	assert_false(buf_ok(&out));
	buf_free(&out);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_corpus), cmocka_unit_test(test_templates), cmocka_unit_test(test_bad_templates),
		                            cmocka_unit_test(test_damaged_block), cmocka_unit_test(test_messages) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
