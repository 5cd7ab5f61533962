// `anlan bench series`: how fast and how small src/series is on this machine. Prints one JSON object.
//   --points N (10000)  --rounds N (100)  --dir DIR (a new one under /tmp, removed afterwards)  --per-turn N (1000)
//   --rate N readings/s (0 = as fast as it goes)  --chunk N samples in a block (240)
//   --kill: also measure a restart without a clean stop
// Load: one reading per point each 10 s round, 0-15 ms jitter, one decimal, 40 % unchanged, in point order.
#include "tool/bench_series.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/time.h"
#include "series/series.h"

#define WAITS 4096          // groups in flight whose latency is taken
#define SAMPLES 1000000     // latencies kept

struct bench {
	uint32_t points, rounds, per_turn, chunk;
	uint64_t rate;
	bool kill;
	char dir[256];
	struct series *s;
	uint64_t random;
	int32_t *value;             // tenths, by point
	struct {
		uint64_t mark;
		int64_t at;
	} wait[WAITS];
	uint32_t wait_first, wait_n;
	int64_t *latency;           // us
	size_t n_latency;
	int64_t worst_turn;         // us of CPU in one series_turn
};

static uint32_t random_next(struct bench *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return (uint32_t)(b->random >> 32);
}

static void take_latencies(struct bench *b)
{
	uint64_t durable = series_durable(b->s);
	int64_t now = clock_mono();
	while (b->wait_n && b->wait[b->wait_first].mark <= durable) {
		if (b->n_latency < SAMPLES)
			b->latency[b->n_latency++] = now - b->wait[b->wait_first].at;
		b->wait_first = (b->wait_first + 1) % WAITS;
		b->wait_n--;
	}
}

static void pause_for(struct bench *b, int ms)
{
	uint64_t n;
	struct pollfd p[2] = { { .fd = series_durable_fd(b->s), .events = POLLIN },
		{ .fd = series_wake_fd(b->s), .events = POLLIN } };
	if (poll(p, 2, ms) > 0 && p[0].revents)
		(void)!read(p[0].fd, &n, sizeof(n));
	take_latencies(b);
	series_turn(b->s, 0);
}

static int64_t thread_us(void) // CPU time: what else runs on the machine does not count
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static void turn(struct bench *b)
{
	series_flush(b->s, false);
	if (b->wait_n < WAITS) {
		uint32_t i = (b->wait_first + b->wait_n++) % WAITS;
		b->wait[i].mark = series_mark(b->s);
		b->wait[i].at = clock_mono();
	}
	int64_t begun = thread_us();
	series_turn(b->s, 0);
	b->worst_turn = MAX(b->worst_turn, thread_us() - begun);
	take_latencies(b);
	while (!series_may_add(b->s))
		pause_for(b, 10);
}

static double cpu_seconds(int who)
{
	struct rusage r;
	getrusage(who, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void load(struct bench *b)
{
	int64_t start = INT64_C(1763683200) * US_PER_S, begun = clock_mono(), arrival = start;
	uint64_t done = 0;
	for (uint32_t round = 0; round < b->rounds; round++) {
		for (uint32_t i = 1; i <= b->points; i++) {
			uint32_t x = random_next(b);
			if (x % 100 >= 40)
				b->value[i] += (int32_t)(x >> 8 & 7) - (int32_t)(x >> 12 & 7);
			struct reading r = { .point = i, .time = arrival + (int64_t)(x >> 16 & 15) * US_PER_MS,
				.value = (double)b->value[i] / 10 };
			series_prefetch(b->s, MIN(i + 8, b->points)); // as the core does
			series_prefetch_more(b->s, MIN(i + 4, b->points));
			series_add(b->s, &r, arrival);
			if (++done % b->per_turn)
				continue;
			turn(b);
			while (b->rate && (uint64_t)(clock_mono() - begun) * b->rate / US_PER_S < done)
				pause_for(b, 1);
		}
		arrival += 10 * US_PER_S;
	}
	series_flush(b->s, true);
	uint64_t end = series_mark(b->s);
	while (series_durable(b->s) < end)
		pause_for(b, 10);
}

static void settle(struct bench *b) // until the blocks sealed so far are written
{
	struct series_stats st;
	do {
		pause_for(b, 20);
		series_stats(b->s, &st);
	} while (st.pending);
}

static int compare_i64(const void *a, const void *b)
{
	int64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static long rss_kib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static uint64_t files_bytes(const char *dir)
{
	uint64_t n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		char path[1024];
		struct stat st;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (strstr(e->d_name, ".db") && stat(path, &st) == 0)
			n += (uint64_t)st.st_size;
	}
	if (d)
		closedir(d);
	return n;
}

static bool open_series(struct bench *b)
{
	struct series_config cfg = { .dir = b->dir, .group_us = 2000, .log_limit = (size_t)256 << 20,
		.chunk_points = b->chunk };
	return series_open(&b->s, &cfg, NULL, NULL) == OK;
}

static void print(struct bench *b, double wall, double cpu, double add_cpu, long rss_empty)
{
	struct series_stats st;
	series_stats(b->s, &st);
	double n = (double)MAX(st.readings, UINT64_C(1));
	if (b->n_latency)
		qsort(b->latency, b->n_latency, sizeof(*b->latency), compare_i64);
	size_t k = b->n_latency;
	printf("{\"points\":%u,\"readings\":%llu,\"per_turn\":%u,\"wall_s\":%.3f,\"readings_per_s\":%.0f,"
	       "\"cpu_s_per_million\":%.4f,\"owner_ns_per_reading\":%.1f,",
	       b->points, (unsigned long long)st.readings, b->per_turn, wall, n / wall, cpu / n * 1e6, add_cpu / n * 1e9);
	double sealed = (double)MAX(st.sealed, UINT64_C(1));
	printf("\"log_bytes_per_reading\":%.3f,\"sealed\":%llu,\"block_bytes_per_sealed\":%.3f,"
	       "\"file_bytes_per_sealed\":%.3f,\"blocks\":%llu,",
	       (double)st.log_bytes / n, (unsigned long long)st.sealed, (double)st.block_bytes / sealed,
	       (double)files_bytes(b->dir) / sealed, (unsigned long long)st.blocks);
	printf("\"durable_us\":{\"p50\":%lld,\"p99\":%lld,\"max\":%lld,\"n\":%zu},\"syncs\":%llu,"
	       "\"worst_sync_us\":%lld,\"worst_turn_cpu_us\":%lld,\"rss_mib\":%.1f,\"rss_bytes_per_point\":%.0f,\"snapshots\":%llu}\n",
	       (long long)(k ? b->latency[k / 2] : 0), (long long)(k ? b->latency[k - 1 - k / 100] : 0),
	       (long long)(k ? b->latency[k - 1] : 0), k, (unsigned long long)st.syncs, (long long)st.worst_sync_us,
	       (long long)b->worst_turn, (double)rss_kib() / 1024,
	       (double)(rss_kib() - rss_empty) * 1024 / b->points, (unsigned long long)st.snapshots);
	fflush(stdout);
}

static int run(struct bench *b)
{
	long rss_empty = rss_kib();
	if (!open_series(b)) {
		fprintf(stderr, "cannot open %s\n", b->dir);
		return 1;
	}
	double cpu = cpu_seconds(RUSAGE_SELF), own = cpu_seconds(RUSAGE_THREAD);
	int64_t begun = clock_mono();
	load(b);
	double wall = (double)(clock_mono() - begun) / US_PER_S;
	own = cpu_seconds(RUSAGE_THREAD) - own;
	settle(b);
	print(b, wall, cpu_seconds(RUSAGE_SELF) - cpu, own, rss_empty);
	if (b->kill)
		_exit(0); // no close: what a crash leaves
	begun = clock_mono();
	series_close(b->s);
	printf("{\"close_s\":%.3f}\n", (double)(clock_mono() - begun) / US_PER_S);
	return 0;
}

static void reopen(struct bench *b)
{
	struct series_stats st;
	int64_t begun = clock_mono();
	if (!open_series(b))
		return;
	double s = (double)(clock_mono() - begun) / US_PER_S;
	series_stats(b->s, &st);
	printf("{\"open_s\":%.3f,\"replayed\":%llu,\"points\":%llu,\"rss_mib\":%.1f}\n", s, (unsigned long long)st.replayed,
	       (unsigned long long)st.points, (double)rss_kib() / 1024);
	fflush(stdout);
	series_close(b->s);
}

static void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		char path[1024];
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path))
			remove_dir(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

static bool parse(struct bench *b, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		uint64_t n = 0;
		struct str name = str_of(argv[i]);
		if (str_is(name, "--kill")) {
			b->kill = true;
			continue;
		}
		if (i + 1 >= argc)
			return false;
		struct str value = str_of(argv[++i]);
		if (str_is(name, "--dir")) {
			snprintf(b->dir, sizeof(b->dir), "%s", argv[i]);
			continue;
		}
		if (!str_to_u64(value, &n) || n > 4000000)
			return false;
		if (str_is(name, "--points"))
			b->points = (uint32_t)n;
		else if (str_is(name, "--rounds"))
			b->rounds = (uint32_t)n;
		else if (str_is(name, "--per-turn"))
			b->per_turn = (uint32_t)n;
		else if (str_is(name, "--rate"))
			b->rate = n;
		else if (str_is(name, "--chunk"))
			b->chunk = (uint32_t)n;
		else
			return false;
	}
	return b->points && b->rounds && b->per_turn;
}

int bench_series(int argc, char **argv)
{
	struct bench *b = mem_alloc(sizeof(*b));
	*b = (struct bench){ .points = 10000, .rounds = 100, .per_turn = 1000, .chunk = 240, .random = 88172645463325252u };
	if (!parse(b, argc, argv)) {
		fprintf(stderr, "usage: [--points N] [--rounds N] [--per-turn N] [--rate N] [--chunk N] [--kill] [--dir DIR]\n");
		mem_free(b);
		return 2;
	}
	bool own = !b->dir[0];
	if (own) {
		snprintf(b->dir, sizeof(b->dir), "/tmp/anlan-bench-%d", (int)getpid());
		mkdir(b->dir, 0700);
	}
	pid_t child = fork(); // so that memory and CPU are the run's own, and a restart starts afresh
	if (child == 0) {
		b->value = mem_alloc(((size_t)b->points + 1) * sizeof(*b->value));
		b->latency = mem_alloc(SAMPLES * sizeof(*b->latency));
		_exit(run(b));
	}
	int status = 0;
	waitpid(child, &status, 0);
	if (status == 0)
		reopen(b);
	if (own)
		remove_dir(b->dir);
	mem_free(b);
	return status ? 1 : 0;
}
