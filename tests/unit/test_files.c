// needs: base store
// Files by content: kept once, found by bytes and not by name, bound by who uploaded them, swept when nobody did.
#include <math.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/time.h"
#include "store/files.h"
#include "tests/unit/store_fixture.h"

static const char pdf[] = "%PDF-1.5\n1 0 obj\n<<>>\nendobj\n";

struct add_job {
	struct file_in *in;
	struct file_info info;
};

static enum err add_job(struct db *db, void *arg, struct problem *p)
{
	struct add_job *j = arg;
	return files_add(db, j->in, &j->info, STR("tester"), p);
}

static int64_t add(struct fixture *f, const char *bytes, size_t n, const char *name, int64_t person)
{
	struct add_job j = { .info = { .name = str_of(name), .uploader = person, .lon = NAN, .lat = NAN } };
	problem_init(&f->p, f->arena);
	assert_int_equal(file_in_begin(&j.in, f->store, &f->p), OK);
	assert_int_equal(file_in_add(j.in, bytes, n), OK);
	assert_int_equal(file_in_end(j.in, str_of(name), &f->p), OK);
	assert_int_equal(fixture_write(f, add_job, &j), OK);
	file_in_free(j.in);
	return j.info.id;
}

static struct file_info info(struct fixture *f, int64_t id, enum err want)
{
	struct file_info i = { 0 };
	struct db *db = store_read_begin(f->store);
	assert_int_equal(files_info(db, id, f->arena, &i), want);
	store_read_end(f->store, db);
	return i;
}

struct bind_job {
	int64_t id, record, person;
};

static enum err bind_job(struct db *db, void *arg, struct problem *p)
{
	struct bind_job *j = arg;
	return files_bind(db, j->id, STR("hazard"), j->record, STR("photos"), j->person, p);
}

static enum err bind_to(struct fixture *f, int64_t id, int64_t record, int64_t person)
{
	return fixture_write(f, bind_job, &(struct bind_job){ id, record, person });
}

static int64_t swept;
static enum err sweep_job(struct db *db, void *arg, struct problem *p)
{
	(void)p;
	return files_sweep(db, *(int64_t *)arg, &swept);
}

static enum err nothing(struct db *db, void *arg, struct problem *p)
{
	(void)db, (void)arg, (void)p;
	return OK;
}

static int64_t sweep(struct fixture *f, int64_t now)
{
	assert_int_equal(fixture_write(f, sweep_job, &now), OK);
	assert_int_equal(fixture_write(f, nothing, NULL), OK); // the drop was posted before this one
	return swept;
}

static bool content_there(struct fixture *f, const struct file_info *i)
{
	int fd;
	enum err err = files_open(f->store, i, &fd);
	if (!err)
		close(fd);
	return !err;
}

static void end(struct fixture *f)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s/files", f->dir);
	assert_int_equal(system(command), 0);
	fixture_end(f);
}

static void the_same_bytes_are_kept_once(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f);
	int64_t a = add(&f, pdf, sizeof pdf - 1, "甲.pdf", 7), b = add(&f, pdf, sizeof pdf - 1, "b.pdf", 8);
	struct file_info ia = info(&f, a, OK), ib = info(&f, b, OK);
	assert_int_not_equal(a, b);
	assert_true(str_eq(ia.sm3, ib.sm3));
	assert_str(ia.mime, "application/pdf");
	assert_str(ia.name, "甲.pdf");
	assert_true(isnan(ia.lon));
	struct str text;
	assert_int_equal(files_read(f.store, &ia, f.arena, &text), OK);
	assert_true(str_eq(text, str_from(pdf, sizeof pdf - 1)));
	end(&f);
}

static void altered_content_is_noticed(void **state)
{
	struct fixture f;
	char path[256];
	(void)state;
	fixture_begin(&f);
	struct file_info i = info(&f, add(&f, pdf, sizeof pdf - 1, "a.pdf", 7), OK);
	snprintf(path, sizeof path, "%s/files/%.2s/%s", f.dir, i.sm3.p, i.sm3.p + 2);
	FILE *file = fopen(path, "r+");
	assert_non_null(file);
	fseek(file, 5, SEEK_SET);
	fputc('9', file);
	fclose(file);
	struct str text;
	assert_int_equal(files_read(f.store, &i, f.arena, &text), ERR_CORRUPT);
	end(&f);
}

static void only_the_uploader_binds_and_only_once(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f);
	int64_t id = add(&f, pdf, sizeof pdf - 1, "a.pdf", 7);
	assert_int_equal(bind_to(&f, id, 3, 8), ERR_FORBIDDEN);
	assert_int_equal(bind_to(&f, id, 3, 7), OK);
	assert_int_equal(bind_to(&f, id, 3, 9), OK); // it is there already
	assert_int_equal(bind_to(&f, id, 4, 7), ERR_CONFLICT);
	assert_int_equal(bind_to(&f, 12345, 3, 7), ERR_NOT_FOUND);
	struct file_info i = info(&f, id, OK);
	assert_str(i.type, "hazard");
	assert_int_equal(i.record, 3);
	assert_str(i.field, "photos");
	end(&f);
}

static void what_nobody_bound_goes_after_a_day(void **state)
{
	struct fixture f;
	(void)state;
	fixture_begin(&f);
	int64_t bound = add(&f, pdf, sizeof pdf - 1, "a.pdf", 7), same = add(&f, pdf, sizeof pdf - 1, "b.pdf", 7);
	int64_t other = add(&f, "\xff\xd8\xff\xe0 a picture", 14, "c.jpg", 7), now = clock_now();
	struct file_info ib = info(&f, bound, OK), io = info(&f, other, OK);
	assert_int_equal(bind_to(&f, bound, 3, 7), OK);
	assert_int_equal(sweep(&f, now + FILE_UNBOUND_US - US_PER_S * 60), 0);
	assert_int_equal(sweep(&f, now + FILE_UNBOUND_US + US_PER_S * 60), 2);
	(void)info(&f, same, ERR_NOT_FOUND);
	assert_true(content_there(&f, &ib)); // another row has the same bytes
	assert_false(content_there(&f, &io));
	end(&f);
}

static void a_crash_leaves_nothing_behind(void **state)
{
	struct fixture f;
	struct file_in *in;
	char path[256], command[1024];
	(void)state;
	fixture_begin(&f);
	struct file_info i = info(&f, add(&f, pdf, sizeof pdf - 1, "a.pdf", 7), OK);
	assert_int_equal(file_in_begin(&in, f.store, &f.p), OK);
	snprintf(command, sizeof command,
	         "mkdir -p %s/files/ff && touch %s/files/ff/%062d %s/files/tmp/half && cp %s/files/tmp/half %s/files/tmp/half2"
	         " && mkdir -p %s/files/tmp/x.zip.part.d/m && touch %s/files/tmp/x.zip.part.d/m/a.csv", // a case file in the making
	         f.dir, f.dir, 0, f.dir, f.dir, f.dir, f.dir, f.dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(files_tidy(f.store), OK);
	file_in_free(in);
	snprintf(path, sizeof path, "%s/files/ff/%062d", f.dir, 0);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/files/tmp/half", f.dir);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/files/tmp/x.zip.part.d", f.dir);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_true(content_there(&f, &i));
	end(&f);
}

static void too_much_is_refused(void **state)
{
	struct fixture f;
	struct file_in *in;
	static char block[1 << 20];
	(void)state;
	fixture_begin(&f);
	assert_int_equal(file_in_begin(&in, f.store, &f.p), OK);
	enum err err = OK;
	for (size_t i = 0; i <= LIMIT_FILE_BYTES / sizeof block && !err; i++)
		err = file_in_add(in, block, sizeof block);
	assert_int_equal(err, ERR_TOO_LARGE);
	assert_int_equal(file_in_end(in, STR("a.pdf"), &f.p), ERR_TOO_LARGE);
	file_in_free(in);
	end(&f);
}

static void the_kind_is_in_the_bytes(void **state)
{
	(void)state;
	static const struct { const char *bytes; size_t n; const char *tail, *name, *mime; } cases[] = {
		{ "%PDF-1.4 ......", 14, "", "x.jpg", "application/pdf" },
		{ "\xff\xd8\xff\xe0\0\x10JFIF\0\1", 12, "", "x.pdf", "image/jpeg" },
		{ "\x89PNG\r\n\x1a\n\0\0\0\x0d", 12, "", "x", "image/png" },
		{ "RIFF\0\0\0\0WEBPVP8 ", 16, "", "x", "image/webp" },
		{ "\0\0\0\x18" "ftypheic", 12, "", "x", "image/heic" },
		{ "\0\0\0\x18" "ftypisom", 12, "", "x", "video/mp4" },
		{ "PK\3\4........[Content_Types].xml word/document.xml", 47, "", "x.zip", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
		{ "PK\3\4........media/a.png", 23, "[Content_Types].xml xl/workbook.xml", "x", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
		{ "PK\3\4........evil.exe", 20, "", "x.docx", "" },
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", 12, "", "a.XLS", "application/vnd.ms-excel" },
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", 12, "", "a.msi", "" },
		{ "MZ\x90\0\3\0\0\0\4\0\0\0", 12, "", "a.pdf", "" },
		{ "a,b\n1,2\n", 8, "", "a.csv", "text/csv" },
		{ "<html><script>alert(1)</script>", 31, "", "a.html", "" },
		{ "<html><script>alert(1)</script>", 31, "", "a.txt", "text/plain" },
		{ "", 0, "", "a.txt", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_str(file_mime(str_from(cases[i].bytes, cases[i].n), str_of(cases[i].tail), str_of(cases[i].name)), cases[i].mime);
	assert_str(file_group(STR("application/vnd.ms-excel")), "office");
	assert_str(file_group(STR("image/heic")), "image");
	assert_str(file_group(STR("text/html")), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_bytes_are_kept_once),
		cmocka_unit_test(altered_content_is_noticed),
		cmocka_unit_test(only_the_uploader_binds_and_only_once),
		cmocka_unit_test(what_nobody_bound_goes_after_a_day),
		cmocka_unit_test(a_crash_leaves_nothing_behind),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(the_kind_is_in_the_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
