// Readings as a Parquet file (Apache Parquet format 2.10, parquet.thrift): one row group after another, columns
//   time INT64 TIMESTAMP(MICROS, UTC)   point BYTE_ARRAY STRING   value DOUBLE   quality BYTE_ARRAY STRING
// all required, uncompressed; point and quality are dictionary-coded (a run costs some bytes), time and value are plain.
// Any one thread.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "series/series.h"

struct parquet;

// Writes to fd, from its beginning; the caller closes it after parquet_end.
struct parquet *parquet_begin(int fd);
// A row group: samples of one point. n up to 2^24; n = 0 writes nothing.
enum err parquet_add(struct parquet *p, struct str point, const struct sample *v, size_t n) must_check;
// The footer; *ret_size: of the file. Frees p, whatever happened.
enum err parquet_end(struct parquet *p, int64_t *ret_size) must_check;
