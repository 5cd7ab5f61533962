// Lists as CSV and XLSX. One thread a call (a slow request's own); reads through the caller's connection.
//
// A cell that a spreadsheet would run as a formula: in CSV it gets an apostrophe in front, in XLSX texts are stored as
// strings, which are never run.
#include "exchange/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/limits.h"
#include "base/time.h"
#include "flow/words.h"
#include "store/files.h"

#define XLSX_TEXT_MAX 32767 // characters of a cell
#define CSV_BLOCK (256u << 10)

static const char *const leading[] = { "number", "state", "area", "enterprise" };
static const struct label leading_labels[] = {
	{ { "编号", 6 }, { "Number", 6 } }, { { "状态", 6 }, { "State", 5 } }, { { "行政区划", 12 }, { "Area", 4 } }, { { "企业", 6 }, { "Enterprise", 10 } },
};

struct table_out {
	const struct export_request *rq;
	struct words *words;
	int64_t rows;
	enum err err;
	// CSV
	int fd;
	struct buf text;
	// XLSX
	lxw_workbook *book;
	lxw_worksheet *sheet;
	lxw_format *head, *date, *time;
	lxw_row_t row;
	lxw_col_t col;
	struct arena *scratch;
};

enum export_format export_format_of(struct str name)
{
	return str_is(name, "csv") ? EXPORT_CSV : str_is(name, "xlsx") ? EXPORT_XLSX : EXPORT_NONE;
}

const char *export_mime(enum export_format f)
{
	return f == EXPORT_CSV ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
}

static enum err io_error(void) { return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO; }

// ---- CSV ---------------------------------------------------------------------------------------
static void csv_flush(struct table_out *o)
{
	const char *p = o->text.p;
	for (size_t n = o->text.n; n && !o->err;) {
		ssize_t w = write(o->fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			o->err = io_error();
		p += MAX(w, (ssize_t)0);
		n -= (size_t)MAX(w, (ssize_t)0);
	}
	buf_clear(&o->text);
}

static void csv_cell(struct table_out *o, const struct word *w)
{
	struct str s = w->text;
	bool formula = w->kind == WORD_TEXT && s.n && strchr("=+-@\t\r", s.p[0]);
	bool quoted = formula;
	if (o->col++)
		buf_add_u8(&o->text, ',');
	for (size_t i = 0; i < s.n && !quoted; i++)
		quoted = strchr("\",\r\n", s.p[i]) != NULL;
	if (!quoted) {
		buf_add_str(&o->text, s);
		return;
	}
	buf_add_u8(&o->text, '"');
	if (formula)
		buf_add_u8(&o->text, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_add_u8(&o->text, '"');
		buf_add_u8(&o->text, (uint8_t)s.p[i]);
	}
	buf_add_u8(&o->text, '"');
}

static void csv_end_row(struct table_out *o)
{
	buf_add_u8(&o->text, '\n');
	o->col = 0;
	if (o->text.n >= CSV_BLOCK)
		csv_flush(o);
}

// ---- XLSX --------------------------------------------------------------------------------------
// Without the control characters that XML cannot hold, and not longer than a cell may be.
static const char *xlsx_text(struct table_out *o, struct str s)
{
	char *p = arena_alloc(o->scratch, s.n + 1);
	size_t n = 0, chars = 0;
	for (size_t i = 0; i < s.n && chars < XLSX_TEXT_MAX; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		if (ch < ' ' && ch != '\n' && ch != '\t')
			continue;
		if ((ch & 0xc0) != 0x80 && ++chars == XLSX_TEXT_MAX)
			break;
		p[n++] = (char)ch;
	}
	p[n] = 0;
	return p;
}

// Days since 1899-12-30, as workbooks count them.
static double serial_of(int64_t us)
{
	return (double)(us + time_zone() * 60 * US_PER_S) / (86400.0 * US_PER_S) + 25569;
}

static void xlsx_cell(struct table_out *o, const struct word *w)
{
	lxw_col_t col = o->col++;
	lxw_error e = LXW_NO_ERROR;
	switch (w->kind) {
	case WORD_NONE: break;
	case WORD_TEXT: e = worksheet_write_string(o->sheet, o->row, col, xlsx_text(o, w->text), NULL); break;
	case WORD_NUMBER: e = worksheet_write_number(o->sheet, o->row, col, w->number, NULL); break;
	case WORD_DATE: e = worksheet_write_number(o->sheet, o->row, col, w->number + 25569, o->date); break;
	case WORD_TIME: e = worksheet_write_number(o->sheet, o->row, col, serial_of(w->at), o->time); break;
	}
	if (e != LXW_NO_ERROR && !o->err)
		o->err = ERR_BUG;
}

static void xlsx_open(struct table_out *o, const char *path, char *tmpdir)
{
	lxw_workbook_options options = { .constant_memory = LXW_TRUE, .tmpdir = tmpdir };
	char name[32 * 4];
	o->book = workbook_new_opt(path, &options);
	struct str label = o->rq->en ? o->rq->t->label.en : o->rq->t->label.zh;
	size_t n = 0;
	for (size_t i = 0; i < label.n && i < 30 && n + 1 < sizeof name; i++) // at most 31 characters; some are not allowed
		if (!strchr("[]:*?/\\'", label.p[i]))
			name[n++] = label.p[i];
	while (n && !str_utf8_valid(str_from(name, n)))
		n--;
	name[n] = 0;
	o->sheet = workbook_add_worksheet(o->book, n ? name : NULL);
	o->head = workbook_add_format(o->book);
	format_set_bold(o->head);
	o->date = workbook_add_format(o->book);
	format_set_num_format(o->date, "yyyy-mm-dd");
	o->time = workbook_add_format(o->book);
	format_set_num_format(o->time, "yyyy-mm-dd hh:mm");
	worksheet_freeze_panes(o->sheet, 1, 0);
}

// ---- rows --------------------------------------------------------------------------------------
static void put_cell(struct table_out *o, struct word w)
{
	if (o->rq->format == EXPORT_CSV)
		csv_cell(o, &w);
	else
		xlsx_cell(o, &w);
}

static void end_row(struct table_out *o)
{
	if (o->rq->format == EXPORT_CSV)
		csv_end_row(o);
	o->row++;
	o->col = 0;
}

static bool exported(const struct table_out *o, const struct field *f)
{
	return f->ncols && f->kind != FIELD_SHAPE && auth_may_read_field(o->rq->by, f);
}

static void put_head(struct table_out *o)
{
	const struct type *t = o->rq->t;
	size_t n = ARRAY_LEN(leading);
	struct str labels[ARRAY_LEN(leading) + LIMIT_TYPE_FIELDS];
	for (size_t i = 0; i < ARRAY_LEN(leading); i++)
		labels[i] = words_label(o->words, leading_labels[i]);
	for (size_t i = 0; i < t->nfields && n < ARRAY_LEN(labels); i++)
		if (exported(o, &t->fields[i]))
			labels[n++] = words_label(o->words, t->fields[i].label);
	for (size_t i = 0; i < n; i++) {
		if (o->rq->format == EXPORT_CSV)
			put_cell(o, (struct word){ .kind = WORD_TEXT, .text = labels[i] });
		else
			worksheet_write_string(o->sheet, 0, (lxw_col_t)i, xlsx_text(o, labels[i]), o->head);
	}
	if (o->rq->format == EXPORT_XLSX)
		worksheet_set_column(o->sheet, 0, (lxw_col_t)(n - 1), 16, NULL);
	end_row(o);
}

static enum err put_row(void *arg, const struct row *row)
{
	struct table_out *o = arg;
	const struct type *t = o->rq->t;
	if (o->rows++ >= LIMIT_EXPORT_ROWS)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < ARRAY_LEN(leading); i++)
		put_cell(o, words_common(o->words, t, str_of(leading[i]), row, o->scratch));
	for (size_t i = 0; i < t->nfields; i++)
		if (exported(o, &t->fields[i]))
			put_cell(o, words_field(o->words, t, &t->fields[i], row, o->scratch));
	end_row(o);
	return o->err;
}

static enum err put_rows(struct table_out *o, struct problem *p)
{
	struct scope scope = auth_scope(o->rq->by, o->rq->t);
	put_head(o);
	enum err err = records_scan(o->rq->db, &o->rq->t->table, &scope, o->rq->lq, o->scratch, put_row, o, p);
	if (o->rq->format == EXPORT_CSV)
		csv_flush(o);
	return err ? err : o->err;
}

// constant_memory writes the rows into temporary files that are packed at the end.
static enum err close_book(struct table_out *o, enum err err)
{
	lxw_error e = workbook_close(o->book);
	if (err || e == LXW_NO_ERROR)
		return err;
	return e == LXW_ERROR_MEMORY_MALLOC_FAILED ? ERR_TOO_LARGE : io_error();
}

enum err export_list(const struct export_request *rq, int *ret_fd, int64_t *ret_size, int64_t *ret_rows, struct problem *p)
{
	char path[4096], folder[4096];
	struct stat st;
	struct table_out o = { .rq = rq };
	enum err err = files_temp(rq->store, folder, path, &o.fd);
	if (err)
		return problem_set(p, err, NULL, "无法写入数据目录", "cannot write in the data folder");
	o.words = words_new(rq->db, rq->reg, rq->by, rq->en);
	o.scratch = arena_new(64 << 10);
	buf_init(&o.text, CSV_BLOCK + (4u << 20));
	if (rq->format == EXPORT_XLSX)
		xlsx_open(&o, path, folder);
	else
		buf_add_cstr(&o.text, "\xef\xbb\xbf"); // so that spreadsheets read it as UTF-8
	err = o.book || rq->format == EXPORT_CSV ? put_rows(&o, p) : ERR_IO;
	if (o.book)
		err = close_book(&o, err);
	words_free(o.words);
	arena_free(o.scratch);
	buf_free(&o.text);
	close(o.fd); // the workbook was written under the name, perhaps as another file
	*ret_fd = err ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	if (!err && (*ret_fd < 0 || fstat(*ret_fd, &st) != 0))
		err = ERR_IO;
	*ret_size = err ? 0 : st.st_size;
	*ret_rows = o.rows;
	if (err == ERR_TOO_LARGE)
		return problem_set(p, err, NULL, "超过 %d 行，请先筛选再导出", "more than %d rows; filter the list before exporting it", LIMIT_EXPORT_ROWS);
	return err;
}
