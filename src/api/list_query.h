// The query string of a list: filters, search, sort, page, named list, export.
#pragma once

#include "api/api.h"
#include "exchange/export.h"

struct list_request {
	struct list_query lq;
	int64_t page;
	enum export_format format;
	enum err err;               // of the first bad parameter
	// working state of the reader
	struct call *c;
	const struct type *t;
	struct filter *filters;
	size_t nfilters, cap_filters;
	struct sort *sorts;
	size_t nsorts;
	const struct condition *flaw; // ?flaw=; NULL = not asked for
};

enum err list_request_read(struct call *c, const struct type *t, struct list_request *ret) must_check;
// Writes {type, items, total, page, size}: the records that lq describes and the caller may see; page and size are of the query.
enum err list_records_json(struct call *c, const struct type *t, struct list_query *lq, int64_t size_default) must_check;
// The whole list as CSV or XLSX, as a file to save.
enum err list_export(struct call *c, const struct type *t, struct list_request *lr) must_check;
