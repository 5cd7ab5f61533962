#include "exchange/readings_file.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/time.h"
#include "exchange/parquet.h"
#include "exchange/table.h"
#include "store/files.h"

#define WINDOW (2 * US_PER_DAY)      // samples of this long are in memory at once
#define WINDOW_SAMPLES 4000000u
#define GROUP_SAMPLES 131072u        // of a Parquet row group, at least, but of a point's last
#define BLOCK (256u << 10)

struct out {
	const struct readings_request *rq;
	int fd;
	struct buf text;             // CSV: not written yet
	int64_t size;
	struct parquet *parquet;
	struct sample *group;        // Parquet: of the point in work, not written yet; mem_free
	size_t ngroup, cap;
	size_t left;                 // readings that may still come
};

static enum err csv_flush(struct out *o)
{
	const char *p = o->text.p;
	size_t n = o->text.n;
	if (!buf_ok(&o->text))
		return ERR_BUG;
	while (n) {
		ssize_t k = write(o->fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k && errno == ENOSPC ? ERR_FULL : ERR_IO;
		p += k;
		n -= (size_t)k;
	}
	o->size += (int64_t)o->text.n;
	buf_clear(&o->text);
	return OK;
}

static enum err csv_samples(struct out *o, struct str code, const struct sample *v, size_t n)
{
	static const char *const zh[Q__MAX] = { "正常", "校准过期", "检修", "不变", "超量程", "陈旧", "无效" };
	char text[TIME_TEXT_MAX], number[F64_TEXT_MAX];
	enum err err = OK;
	for (size_t i = 0; i < n && !err; i++) {
		enum quality q = (enum quality)MIN(v[i].quality, (uint16_t)Q_BAD);
		buf_add(&o->text, text, time_text(v[i].time, text));
		buf_add_u8(&o->text, ',');
		buf_add_str(&o->text, code);
		buf_add_u8(&o->text, ',');
		buf_add(&o->text, number, f64_text(v[i].value, number));
		buf_add_u8(&o->text, ',');
		buf_add_cstr(&o->text, o->rq->en ? quality_name(q) : zh[q]);
		buf_add_u8(&o->text, '\n');
		if (o->text.n >= BLOCK)
			err = csv_flush(o);
	}
	return err;
}

static enum err group_flush(struct out *o, struct str code)
{
	size_t n = o->ngroup;
	o->ngroup = 0;
	return parquet_add(o->parquet, code, o->group, n);
}

static enum err group_samples(struct out *o, struct str code, const struct sample *v, size_t n)
{
	if (!n)
		return OK;
	if (o->ngroup + n > o->cap) {
		o->cap = o->ngroup + n;
		o->group = mem_resize(o->group, o->cap * sizeof(*o->group));
	}
	memcpy(o->group + o->ngroup, v, n * sizeof(*v));
	o->ngroup += n;
	return o->ngroup >= GROUP_SAMPLES ? group_flush(o, code) : OK;
}

static enum err one_point(struct out *o, uint32_t point, struct str code)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	struct buf cell;
	enum err err = OK;
	buf_init(&cell, 4096);
	table_csv_text(&cell, code);
	for (int64_t t = o->rq->from; t < o->rq->to && !err; t += WINDOW) {
		struct sample *v;
		size_t n;
		err = series_read(o->rq->series, point, t, MIN(t + WINDOW, o->rq->to), WINDOW_SAMPLES, a, &v, &n);
		if (!err && n > o->left)
			err = ERR_TOO_LARGE;
		if (!err)
			err = o->parquet ? group_samples(o, code, v, n) : csv_samples(o, buf_str(&cell), v, n);
		o->left -= MIN(n, o->left);
		arena_reset(a);
	}
	buf_free(&cell);
	return err || !o->parquet ? err : group_flush(o, code);
}

static enum err write_all(struct out *o)
{
	enum err err = OK;
	if (!o->parquet)
		buf_add_cstr(&o->text, o->rq->en ? "\xef\xbb\xbftime,point,value,quality\n" : "\xef\xbb\xbf时间,监测点,数值,质量\n");
	for (size_t i = 0; i < o->rq->npoints && !err; i++)
		err = one_point(o, o->rq->points[i], o->rq->codes[i]);
	if (o->parquet) {
		enum err end = parquet_end(o->parquet, &o->size);
		return err ? err : end;
	}
	return err ? err : csv_flush(o);
}

enum err readings_file(const struct readings_request *rq, int *ret_fd, int64_t *ret_size, struct problem *p)
{
	char folder[PATH_MAX], path[PATH_MAX];
	struct out o = { .rq = rq, .left = rq->max };
	enum err err = files_temp(rq->store, folder, path, &o.fd);
	if (err)
		return problem_set(p, err, NULL, "无法建立临时文件", "cannot make a temporary file");
	unlink(path);
	buf_init(&o.text, 2 * BLOCK);
	o.parquet = rq->format == READINGS_PARQUET ? parquet_begin(o.fd) : NULL;
	err = write_all(&o);
	buf_free(&o.text);
	mem_free(o.group);
	if (!err && lseek(o.fd, 0, SEEK_SET) != 0)
		err = ERR_IO;
	*ret_fd = o.fd;
	*ret_size = o.size;
	if (!err)
		return OK;
	close(o.fd);
	*ret_fd = -1;
	if (err == ERR_TOO_LARGE)
		return problem_set(p, err, "to", "读数过多（至多 %zu 条）：请缩短时间或减少监测点", "too many readings (at most %zu): a shorter time or fewer points",
		                   rq->max);
	return problem_set(p, err, NULL, "导出没有写成：%s%.0s", "the export could not be written: %.0s%s", err_text(err, true), err_text(err, false));
}
