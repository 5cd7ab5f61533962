// A server of its own for `anlan bench ingest`, in processes of its own, and what can be seen of it from outside: /proc,
// the data folder, /healthz, /metrics.
#include "tool/bench_int.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

#define START_S 60
#define STOP_S 60
#define SETTLE_S 20
#define ANSWER_MAX (4u << 20)

static void nap_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

// ---- HTTP ----

int bench_connect(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

bool bench_http(uint16_t port, const char *path, const char *body, struct buf *out)
{
	char head[512];
	int fd = bench_connect(port);
	struct timeval limit = { .tv_sec = 10 };
	buf_clear(out);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	int n = snprintf(head, sizeof head, "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	                 body ? "POST" : "GET", path, body ? strlen(body) : 0);
	bool ok = send(fd, head, (size_t)n, MSG_NOSIGNAL) == n;
	if (ok && body)
		ok = send(fd, body, strlen(body), MSG_NOSIGNAL) == (ssize_t)strlen(body);
	for (ssize_t got = 1; ok && got > 0;) {
		char *to = buf_room(out, 16384);
		got = to ? recv(fd, to, 16384, 0) : -1;
		if (got > 0)
			buf_commit(out, (size_t)got);
	}
	close(fd);
	return ok && out->n > 12 && memcmp(out->p + 8, " 200", 4) == 0;
}

double bench_server_metric(const struct bench_server *s, const char *name)
{
	struct buf out;
	double v = -1;
	buf_init(&out, ANSWER_MAX);
	struct str rest = bench_http(s->http, "/metrics", NULL, &out) ? buf_str(&out) : STR_EMPTY;
	while (rest.n) {
		struct str line = str_cut(&rest, '\n'), word = str_cut(&line, ' ');
		if (str_is(word, name) && str_to_f64(line, &v))
			break;
	}
	buf_free(&out);
	return v;
}

// ---- processes ----

static uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && getsockname(fd, (struct sockaddr *)&at, &n) == 0;
	if (fd >= 0)
		close(fd);
	return ok ? ntohs(at.sin_port) : 0;
}

static _Noreturn void become_server(const struct bench_server *s)
{
	char exe[PATH_MAX], data[512], packs[512], log[512], http[32], mqtt[32];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[MAX(n, 0)] = 0;
	snprintf(data, sizeof data, "%s/data", s->dir);
	snprintf(packs, sizeof packs, "%s/packs", s->dir);
	snprintf(log, sizeof log, "%s/server.log", s->dir);
	snprintf(http, sizeof http, "127.0.0.1:%u", s->http);
	snprintf(mqtt, sizeof mqtt, "127.0.0.1:%u", s->mqtt);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execl(exe, exe, "serve", "--data", data, "--packs", packs, "--http", http, "--mqtt", mqtt, "--hj212", "off", "--gb26875", "off",
	      (char *)NULL);
	_exit(127);
}

enum err bench_server_start(struct bench_server *s, struct problem *p)
{
	struct buf out;
	s->http = free_port();
	s->mqtt = free_port();
	int64_t begin = clock_mono();
	s->pid = fork();
	if (s->pid == 0)
		become_server(s);
	buf_init(&out, ANSWER_MAX);
	bool up = false, gone = s->pid < 0;
	while (!up && !gone && clock_mono() - begin < START_S * US_PER_S) {
		up = bench_http(s->http, "/healthz", NULL, &out);
		gone = !up && waitpid(s->pid, NULL, WNOHANG) == s->pid;
		if (!up)
			nap_ms(2);
	}
	buf_free(&out);
	s->start_s = (double)(clock_mono() - begin) / US_PER_S;
	if (gone)
		s->pid = 0;
	return up ? OK : problem_set(p, ERR_UNAVAILABLE, NULL, "服务没有启动，见 %s/server.log", "the server did not start; see %s/server.log", s->dir);
}

void bench_server_stop(struct bench_server *s)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, SIGTERM);
	for (int i = 0; i < STOP_S * 100 && s->pid; i++) {
		if (waitpid(s->pid, NULL, WNOHANG) == s->pid)
			s->pid = 0;
		else
			nap_ms(10);
	}
	if (s->pid) {
		kill(s->pid, SIGKILL); // its children die with it
		waitpid(s->pid, NULL, 0);
		s->pid = 0;
	}
}

static void add_memory(pid_t pid, struct bench_usage *u)
{
	char path[64], line[256];
	long kib;
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "Rss: %ld kB", &kib) == 1)
			u->rss_mib += (double)kib / 1024;
		else if (sscanf(line, "Pss: %ld kB", &kib) == 1)
			u->pss_mib += (double)kib / 1024;
	}
	if (f)
		fclose(f);
}

static pid_t add_process(pid_t pid, struct bench_usage *u) // returns its parent
{
	char path[64], text[1024];
	int ppid = 0;
	unsigned long user, sys;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = 0;
	if (f)
		fclose(f);
	const char *at = strrchr(text, ')'); // the name may hold anything
	if (!at || sscanf(at + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ppid, &user, &sys) != 3 || !u)
		return ppid;
	u->cpu += (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
	add_memory(pid, u);
	return ppid;
}

void bench_server_usage(const struct bench_server *s, struct bench_usage *ret)
{
	*ret = (struct bench_usage){ 0 };
	add_process(s->pid, ret);
	DIR *dir = opendir("/proc");
	for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
		uint64_t pid;
		if (str_to_u64(str_of(e->d_name), &pid) && add_process((pid_t)pid, NULL) == s->pid)
			add_process((pid_t)pid, ret);
	}
	if (dir)
		closedir(dir);
}

void bench_server_settle(const struct bench_server *s)
{
	struct bench_usage before, now;
	bench_server_usage(s, &before);
	for (int i = 0; i < SETTLE_S * 2; i++, before = now) {
		nap_ms(500);
		bench_server_usage(s, &now);
		if (now.cpu - before.cpu <= 0.02)
			return;
	}
}

// ---- files ----

static struct bench_disk *disk_of; // nftw has no argument

static int add_file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)at;
	int64_t n = (int64_t)st->st_blocks * 512;
	if (kind != FTW_F)
		return 0;
	disk_of->all += n;
	if (strstr(path, "/series/log/"))
		disk_of->log += n;
	else if (strstr(path, "/series/") && strstr(path, ".db"))
		disk_of->blocks += n;
	else if (strstr(path, "/anlan.db"))
		disk_of->database += n;
	return 0;
}

void bench_server_disk(const struct bench_server *s, struct bench_disk *ret)
{
	char path[512];
	*ret = (struct bench_disk){ 0 };
	disk_of = ret;
	snprintf(path, sizeof path, "%s/data", s->dir);
	nftw(path, add_file, 16, FTW_PHYS);
}
