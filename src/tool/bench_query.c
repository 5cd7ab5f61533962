// `anlan bench query`: a server of its own with a year of readings of one point and a week of fifty, sealed; then four
// questions over HTTP, first with nothing else to do (CPU of the server per question), then while readings come in (time
// until the whole answer is there). Prints one JSON object.
#include "tool/bench.h"
#include "tool/bench_int.h"
#include "tool/tool.h"

#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/jw.h"
#include "base/time.h"
#include "series/series.h"

#define USAGE "anlan bench query [--points 2000] [--devices 20] [--seconds 20] [--rate READINGS/S] [--no-roll-ups] [--packs DIR]\n" \
	"--rate 0 (default): as fast as acknowledged; --no-roll-ups: the history is not rolled up\n"
#define ANSWER_MAX (64u << 20)
#define TIMES_MAX 100000
#define MANY 1000
#define WEEK_POINTS 50
#define INTERVAL (10 * US_PER_S)
#define AGO (40 * US_PER_DAY) // the history ends there: what comes in while it is measured is later

enum question { DAY_RAW, YEAR_HOURS, LAST_VALUES, WEEK_MINUTES, QUESTIONS };
static const char *const names[QUESTIONS] = { "day_of_one_point_raw", "year_of_one_point_by_hour", "last_values_of_1000_points",
	"week_of_50_points_by_minute" };

struct times {
	int64_t *us;
	size_t n;
	uint64_t bytes;       // of the last answer
	double cpu_ms;        // of the server, with nothing else to do
};

struct bench {
	struct bench_server server;
	struct load_config load;
	size_t points;
	int64_t end;          // of the history
	char token[200];
	struct buf path[QUESTIONS], out;
	struct times quiet[QUESTIONS], busy[QUESTIONS];
	struct load_result sent;
	double load_average, fill_s;
	bool roll_ups;
};

// ---- history ----

static enum err add_rounds(struct series *s, size_t points, int64_t from, int64_t to)
{
	uint64_t random = 88172645463325252u, n = 0;
	int value[WEEK_POINTS] = { 0 };
	for (int64_t t = from; t < to; t += INTERVAL)
		for (size_t i = 0; i < points; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			if (random % 10 >= 4)
				value[i] += (int)(random >> 8 & 7) - (int)(random >> 12 & 7);
			struct reading r = { .point = (uint32_t)i + 1, .time = t + (int64_t)(random >> 16 & 15) * US_PER_MS, .value = (double)value[i] / 10 };
			(void)series_add(s, &r, t);
			if (++n % 2000)
				continue;
			series_flush(s, false);
			series_turn(s, t);
			while (!series_may_add(s) && series_health(s) == OK) {
				usleep(500);
				series_turn(s, t);
			}
		}
	return series_health(s);
}

static enum err fill(struct bench *b, struct problem *p)
{
	char dir[512];
	struct series *s;
	snprintf(dir, sizeof dir, "%s/data/series", b->server.dir);
	struct series_config cfg = { .dir = dir, .group_us = 2000, .log_limit = 256u << 20, .chunk_points = 240, .roll_us = 400 * US_PER_DAY };
	enum err err = series_open(&s, &cfg, NULL, p);
	if (err)
		return err;
	err = add_rounds(s, 1, b->end - 365 * US_PER_DAY, b->end - 7 * US_PER_DAY);
	if (!err)
		err = add_rounds(s, WEEK_POINTS, b->end - 7 * US_PER_DAY, b->end);
	struct series_stats st = { .pending = 1 };
	for (int i = 0; i < 20000 && st.pending; i++) {
		series_flush(s, true);
		series_turn(s, b->end);
		usleep(2000);
		series_stats(s, &st);
	}
	if (!err && b->roll_ups)
		err = series_roll(s, 600 * US_PER_S);
	series_close(s);
	return err;
}

// ---- questions ----

static void add_span(struct buf *b, int64_t from, int64_t to, const char *step)
{
	char text[2][TIME_TEXT_MAX];
	size_t n = time_text_zone(from, 0, text[0]), m = time_text_zone(to, 0, text[1]);
	buf_printf(b, "from=%.*s&to=%.*s%s", (int)n, text[0], (int)m, text[1], step);
}

static void add_codes(struct buf *b, size_t n)
{
	char code[32];
	for (size_t i = 0; i < n; i++) {
		bench_point_code(i, code);
		buf_printf(b, "%s%s", i ? "," : "", code);
	}
}

static void make_questions(struct bench *b)
{
	char code[32];
	int64_t hour = b->end / US_PER_HOUR * US_PER_HOUR;
	bench_point_code(0, code);
	for (int k = 0; k < QUESTIONS; k++)
		buf_init(&b->path[k], 64 << 10);
	buf_printf(&b->path[DAY_RAW], "/api/v1/points/%s/series?", code);
	add_span(&b->path[DAY_RAW], hour - 3 * US_PER_DAY, hour - 2 * US_PER_DAY, "");
	buf_printf(&b->path[YEAR_HOURS], "/api/v1/points/%s/series?", code);
	add_span(&b->path[YEAR_HOURS], hour - 365 * US_PER_DAY, hour, "&step=1h&agg=avg,min,max");
	buf_add_cstr(&b->path[LAST_VALUES], "/api/v1/points?points=");
	for (size_t i = 0; i < MIN(b->points, (size_t)MANY); i++)
		buf_printf(&b->path[LAST_VALUES], "%s%zu", i ? "," : "", i + 1);
	buf_add_cstr(&b->path[WEEK_MINUTES], "/api/v1/series?points=");
	add_codes(&b->path[WEEK_MINUTES], WEEK_POINTS);
	buf_add_cstr(&b->path[WEEK_MINUTES], "&");
	add_span(&b->path[WEEK_MINUTES], hour - 7 * US_PER_DAY, hour, "&step=1min&agg=avg");
}

static bool ask(struct bench *b, struct str path)
{
	char head[300];
	int fd = bench_connect(b->server.http);
	buf_clear(&b->out);
	if (fd < 0)
		return false;
	struct buf rq;
	buf_init(&rq, 64 << 10);
	buf_printf(&rq, "GET %.*s HTTP/1.0\r\n", STR_FMT(path));
	int n = snprintf(head, sizeof head, "Host: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", b->token);
	buf_add(&rq, head, (size_t)n);
	bool ok = send(fd, rq.p, rq.n, MSG_NOSIGNAL) == (ssize_t)rq.n;
	buf_free(&rq);
	for (ssize_t got = 1; ok && got > 0;) {
		char *to = buf_room(&b->out, 256 << 10);
		got = to ? recv(fd, to, 256 << 10, 0) : -1;
		ok = got >= 0;
		if (got > 0)
			buf_commit(&b->out, (size_t)got);
	}
	close(fd);
	return ok && b->out.n > 12 && memcmp(b->out.p + 8, " 200", 4) == 0;
}

static bool ask_timed(struct bench *b, int k, struct times *t)
{
	int64_t begin = clock_mono();
	if (!ask(b, buf_str(&b->path[k]))) {
		fprintf(stderr, "%s: %.*s\n", names[k], (int)MIN(b->out.n, (size_t)600), b->out.p);
		return false;
	}
	if (t->n < TIMES_MAX)
		t->us[t->n++] = clock_mono() - begin;
	t->bytes = b->out.n;
	return true;
}

static bool log_in(struct bench *b)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	bool ok = bench_http(b->server.http, "/api/v1/login", "{\"name\":\"" BENCH_LOGIN "\",\"password\":\"" BENCH_PASSWORD "\"}", &out);
	const char *at = ok ? memmem(out.p, out.n, "\"token\":\"", 9) : NULL;
	size_t left = at ? out.n - (size_t)(at + 9 - out.p) : 0;
	const char *end = at ? memchr(at + 9, '"', left) : NULL;
	if (end && (size_t)(end - at - 9) < sizeof b->token)
		memcpy(b->token, at + 9, (size_t)(end - at - 9));
	buf_free(&out);
	return b->token[0] != 0;
}

static bool ask_quietly(struct bench *b)
{
	bool ok = true;
	bench_server_settle(&b->server);
	for (int k = 0; ok && k < QUESTIONS; k++) {
		struct bench_usage before, after;
		ok = ask_timed(b, k, &b->quiet[k]); // the first one fills caches
		bench_server_usage(&b->server, &before);
		size_t times = k == WEEK_MINUTES ? 10 : 50, done = 0;
		for (; ok && done < times; done++)
			ok = ask_timed(b, k, &b->quiet[k]);
		bench_server_usage(&b->server, &after);
		b->quiet[k].cpu_ms = (after.cpu - before.cpu) * 1000 / (double)MAX(done, (size_t)1);
	}
	return ok;
}

static enum err ask_while_sending(struct bench *b, struct problem *p)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC))
		return ERR_IO;
	pid_t child = fork();
	if (child == 0) {
		struct load_result r = { 0 };
		bool ok = mqtt_load(&b->load, &r, p) == OK;
		ok = write(fds[1], &r, sizeof r) == (ssize_t)sizeof r && ok;
		_exit(ok ? 0 : 1);
	}
	close(fds[1]);
	usleep(1000000); // connections are made
	bool ok = child > 0;
	for (int status = 0; ok && waitpid(child, &status, WNOHANG) == 0;)
		for (int k = 0; ok && k < QUESTIONS; k++)
			ok = ask_timed(b, k, &b->busy[k]);
	ok = read(fds[0], &b->sent, sizeof b->sent) == (ssize_t)sizeof b->sent && ok;
	close(fds[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return ok ? OK : problem_set(p, ERR_UNAVAILABLE, NULL, "有一个查询或发送没有成功", "a question or the sending failed");
}

// ---- what is printed ----

static int compare(const void *a, const void *b)
{
	int64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

static void write_times(struct jw *w, const char *key, struct times *t)
{
	jw_kobj(w, key);
	jw_ki64(w, "n", (int64_t)t->n);
	if (t->n) {
		qsort(t->us, t->n, sizeof *t->us, compare);
		jw_kf64(w, "p50_ms", (double)t->us[t->n / 2] / 1000);
		jw_kf64(w, "p99_ms", (double)t->us[t->n - 1 - t->n / 100] / 1000);
		jw_kf64(w, "max_ms", (double)t->us[t->n - 1] / 1000);
	}
	jw_end(w);
}

static void print_result(struct bench *b)
{
	struct buf out;
	struct jw w;
	buf_init(&out, 65536);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kcstr(&w, "bench", "query");
	jw_kf64(&w, "load_average_before", b->load_average);
	jw_ki64(&w, "points", (int64_t)b->points);
	jw_kbool(&w, "roll_ups", b->roll_ups);
	jw_kf64(&w, "fill_s", b->fill_s);
	jw_kf64(&w, "ingest_readings_per_s", b->sent.seconds > 0 ? (double)b->sent.acked / b->sent.seconds : 0);
	for (int k = 0; k < QUESTIONS; k++) {
		jw_kobj(&w, names[k]);
		jw_ki64(&w, "answer_bytes", (int64_t)b->quiet[k].bytes);
		jw_kf64(&w, "server_cpu_ms", round(b->quiet[k].cpu_ms * 100) / 100);
		write_times(&w, "quiet", &b->quiet[k]);
		write_times(&w, "during_ingestion", &b->busy[k]);
		jw_end(&w);
	}
	jw_end(&w);
	if (jw_done(&w))
		printf("%.*s\n", (int)out.n, out.p);
	buf_free(&out);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static enum err run(struct bench *b, const char *packs, size_t devices, struct arena *a, struct problem *p)
{
	struct load_device *d = NULL;
	int64_t begin = clock_mono();
	enum err err = bench_county(b->server.dir, packs, b->points, devices, 0, a, &d, p);
	if (!err)
		err = fill(b, p);
	b->fill_s = (double)(clock_mono() - begin) / US_PER_S;
	b->load.devices = d;
	b->load.ndevices = devices;
	if (!err)
		err = bench_server_start(&b->server, p);
	if (err)
		return err;
	b->load.address = "127.0.0.1";
	b->load.port = b->server.mqtt;
	make_questions(b);
	if (!log_in(b) || !ask_quietly(b))
		return problem_set(p, ERR_UNAVAILABLE, NULL, "查询没有成功", "a question failed");
	return ask_while_sending(b, p);
}

static double number(int *argc, char **argv, const char *name, double otherwise)
{
	const char *s = tool_option(argc, argv, name);
	double v = otherwise;
	if (s && (!str_to_f64(str_of(s), &v) || v < 0)) {
		fprintf(stderr, "%s: not a number: %s\n", name, s);
		exit(2);
	}
	return v;
}

int bench_query(int argc, char **argv)
{
	struct bench b = { .end = clock_now() - AGO };
	const char *packs = tool_option(&argc, argv, "--packs"), *tmp = getenv("TMPDIR");
	b.roll_ups = !tool_flag(&argc, argv, "--no-roll-ups");
	b.points = (size_t)number(&argc, argv, "--points", 2000);
	size_t devices = (size_t)number(&argc, argv, "--devices", 20);
	b.load = (struct load_config){ .version = 4, .qos = 1, .batch = 100, .window = 4, .seconds = number(&argc, argv, "--seconds", 20),
		.rate = number(&argc, argv, "--rate", 0), .interval = INTERVAL, .from = clock_now() - 30 * US_PER_DAY };
	tool_no_more_options(argc, argv, USAGE);
	if (b.points < MANY || !devices || devices > b.points) {
		fprintf(stderr, "usage: %s", USAGE);
		return 2;
	}
	struct arena *a on_scope_exit(arena_freep) = arena_new(1u << 20);
	struct problem p;
	problem_init(&p, a);
	if (getloadavg(&b.load_average, 1) != 1)
		b.load_average = -1;
	buf_init(&b.out, ANSWER_MAX);
	for (int k = 0; k < QUESTIONS; k++) {
		b.quiet[k].us = arena_many(a, TIMES_MAX, int64_t);
		b.busy[k].us = arena_many(a, TIMES_MAX, int64_t);
	}
	snprintf(b.server.dir, sizeof b.server.dir, "%s/anlan-bench-XXXXXX", tmp && strlen(tmp) < 200 ? tmp : "/var/tmp");
	enum err err = mkdtemp(b.server.dir) ? run(&b, packs ? packs : tool_packs_dir(), devices, a, &p) : ERR_IO;
	bench_server_stop(&b.server);
	nftw(b.server.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (err)
		fprintf(stderr, "%.*s\n", STR_FMT(p.en));
	else
		print_result(&b);
	for (int k = 0; k < QUESTIONS; k++)
		buf_free(&b.path[k]);
	buf_free(&b.out);
	return err ? 1 : 0;
}
