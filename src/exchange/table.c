// A small table of texts as CSV or XLSX. Called by api/ for indicators; any thread.
#include "exchange/table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "base/buf.h"
#include "base/limits.h"
#include "store/files.h"

static bool is_number(const struct table_text *t, size_t row, size_t col, double *ret)
{
	struct str s = t->cells[row * t->columns + col];
	return row && col >= t->numbers_from && col <= t->numbers_to && s.n && str_to_f64(s, ret);
}

// A text that a spreadsheet would run as a formula gets an apostrophe in front.
void table_csv_text(struct buf *b, struct str s)
{
	buf_add_u8(b, '"');
	if (s.n && strchr("=+-@\t\r", s.p[0]))
		buf_add_u8(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_add_u8(b, '"');
		buf_add_u8(b, (uint8_t)s.p[i]);
	}
	buf_add_u8(b, '"');
}

void table_csv_row(struct buf *b, const struct str *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_u8(b, ',');
		table_csv_text(b, cells[i]);
	}
	buf_add_cstr(b, "\r\n");
}

static enum err write_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n <= 0)
			return ERR_IO;
		s = str_skip(s, (size_t)n);
	}
	return OK;
}

static enum err csv_write(const struct table_text *t, int fd)
{
	struct buf b;
	double v;
	buf_init(&b, LIMIT_RESPONSE);
	buf_add_cstr(&b, "\xef\xbb\xbf"); // so that spreadsheets read it as UTF-8
	for (size_t r = 0; r < t->rows; r++)
		for (size_t c = 0; c < t->columns; c++) {
			if (is_number(t, r, c, &v))
				buf_add_str(&b, t->cells[r * t->columns + c]);
			else
				table_csv_text(&b, t->cells[r * t->columns + c]);
			buf_add_cstr(&b, c + 1 < t->columns ? "," : "\r\n");
		}
	enum err err = buf_ok(&b) ? write_all(fd, buf_str(&b)) : ERR_TOO_LARGE;
	buf_free(&b);
	return err;
}

static enum err xlsx_write(const struct table_text *t, const char *path)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(0);
	lxw_workbook *book = workbook_new(path);
	lxw_worksheet *sheet = book ? workbook_add_worksheet(book, NULL) : NULL;
	if (!sheet)
		return ERR_IO;
	lxw_format *head = workbook_add_format(book);
	format_set_bold(head);
	worksheet_freeze_panes(sheet, 1, 0);
	worksheet_set_column(sheet, 0, (lxw_col_t)(t->columns - 1), 16, NULL);
	for (size_t r = 0; r < t->rows; r++)
		for (size_t c = 0; c < t->columns; c++) {
			double v;
			if (is_number(t, r, c, &v))
				worksheet_write_number(sheet, (lxw_row_t)r, (lxw_col_t)c, v, NULL);
			else
				worksheet_write_string(sheet, (lxw_row_t)r, (lxw_col_t)c, arena_cstr(a, t->cells[r * t->columns + c]), r ? NULL : head);
		}
	return workbook_close(book) == LXW_NO_ERROR ? OK : ERR_IO;
}

enum err table_export(struct store *s, const struct table_text *t, enum export_format format, int *ret_fd, int64_t *ret_size,
                      struct problem *p)
{
	char path[4096], folder[4096];
	struct stat st = { 0 };
	int fd;
	*ret_fd = -1;
	*ret_size = 0;
	enum err err = files_temp(s, folder, path, &fd);
	if (err)
		return problem_set(p, err, NULL, "无法写入数据目录", "cannot write in the data folder");
	err = format == EXPORT_CSV ? csv_write(t, fd) : xlsx_write(t, path);
	close(fd); // the workbook was written under the name, perhaps as another file
	if (!err && ((*ret_fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 || fstat(*ret_fd, &st) != 0))
		err = ERR_IO;
	unlink(path);
	*ret_size = st.st_size;
	return err;
}
