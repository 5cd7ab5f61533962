#include "base/histogram.h"

#include "base/str.h"

const int64_t histogram_seconds[HISTOGRAM_BOUNDS] = { 500,    1000,   2500,    5000,    10000,   25000,    50000,   100000,
	                                              250000, 500000, 1000000, 2500000, 5000000, 10000000, 60000000 };
const int64_t histogram_sizes[HISTOGRAM_BOUNDS] = { 64,    128,   256,   512,    1024,   2048,   4096,  8192,
	                                            16384, 32768, 65536, 131072, 262144, 524288, 1048576 };

void histogram_add(struct histogram *h, int64_t v)
{
	size_t i = 0;
	v = MAX(v, 0);
	while (i < HISTOGRAM_BOUNDS && v > h->bounds[i])
		i++;
	atomic_fetch_add_explicit(&h->count[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum, v, memory_order_relaxed);
}

static struct str number(double v, char text[F64_TEXT_MAX]) { return str_from(text, f64_text(v, text)); }

void histogram_write(const struct histogram *h, const char *name, const char *help, double per, struct buf *out)
{
	char text[F64_TEXT_MAX];
	uint64_t n = 0;
	buf_printf(out, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		n += atomic_load_explicit(&h->count[i], memory_order_relaxed);
		buf_printf(out, "%s_bucket{le=\"%.*s\"} %llu\n", name, STR_FMT(number((double)h->bounds[i] / per, text)),
		           (unsigned long long)n);
	}
	n += atomic_load_explicit(&h->count[HISTOGRAM_BOUNDS], memory_order_relaxed);
	double sum = (double)atomic_load_explicit(&h->sum, memory_order_relaxed) / per;
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.*s\n%s_count %llu\n", name, (unsigned long long)n, name,
	           STR_FMT(number(sum, text)), name, (unsigned long long)n);
}
