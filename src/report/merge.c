// Several PDFs in one, to be printed in one go. The issued pages are copied as they are.
#include <qpdf/qpdf-c.h>

#include "base/limits.h"
#include "report/paper.h"

static enum err add_pages(qpdf_data to, qpdf_data from, struct str bytes)
{
	if (qpdf_read_memory(from, "document", bytes.p, bytes.n, NULL) >= QPDF_ERRORS)
		return ERR_CORRUPT;
	int n = qpdf_get_num_pages(from);
	for (int i = 0; i < n; i++)
		if (qpdf_add_page(to, from, qpdf_get_page_n(from, (size_t)i), QPDF_FALSE) >= QPDF_ERRORS)
			return ERR_CORRUPT;
	return n > 0 ? OK : ERR_CORRUPT;
}

static enum err write_out(qpdf_data q, struct arena *a, struct str *ret)
{
	if (qpdf_init_write_memory(q) >= QPDF_ERRORS)
		return ERR_IO;
	qpdf_set_deterministic_ID(q, QPDF_TRUE);
	if (qpdf_write(q) >= QPDF_ERRORS)
		return ERR_IO;
	*ret = arena_str(a, str_from((const char *)qpdf_get_buffer(q), qpdf_get_buffer_length(q)));
	return ret->n > LIMIT_RESPONSE ? ERR_TOO_LARGE : OK;
}

static void forget(qpdf_data *q)
{
	if (qpdf_has_error(*q)) // else it prints it
		(void)qpdf_get_error(*q);
	qpdf_cleanup(q);
}

enum err paper_merge(const struct str *files, size_t n, struct arena *a, struct str *ret)
{
	qpdf_data all = qpdf_init();
	qpdf_data *parts = arena_many(a, n, qpdf_data); // a page's source must live until the whole is written
	qpdf_set_suppress_warnings(all, QPDF_TRUE);
	qpdf_silence_errors(all);
	enum err err = qpdf_empty_pdf(all) >= QPDF_ERRORS ? ERR_IO : OK;
	for (size_t i = 0; i < n && !err; i++) {
		parts[i] = qpdf_init();
		qpdf_set_suppress_warnings(parts[i], QPDF_TRUE);
		qpdf_silence_errors(parts[i]);
		err = add_pages(all, parts[i], files[i]);
	}
	if (!err)
		err = write_out(all, a, ret);
	for (size_t i = 0; i < n; i++)
		if (parts[i])
			forget(&parts[i]);
	forget(&all);
	return err;
}
