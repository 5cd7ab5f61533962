// The load of bench/peers: sends the same readings to one of the peers, each by its own protocol, as fast as they are
// acknowledged, and prints one JSON object. One thread a connection; each has its share of the points.
//
//   load PEER ADDR:PORT [--points N] [--batch READINGS] [--seconds S] [--connections C] [--window REQUESTS]
//        [--rate READINGS/S]
//
// N points give one reading each in rounds of 10 s, with 0 to 14 ms of jitter, one decimal, four in ten unchanged. No
// reading is sent twice, none is late. A request counts when the peer has said that it has it.
#include "load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct options {
	const struct peer *peer;
	char host[64];
	unsigned port, points, batch, connections, window;
	double seconds, rate; // rate: readings/s of all connections, 0 = as fast as acknowledged
} opt = { .points = 10000, .batch = 10000, .connections = 2, .window = 1, .seconds = 10 };

void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

// ---- bytes ----

char *room(struct bytes *b, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = (b->n + n) * 2;
		b->p = realloc(b->p, b->cap);
		if (!b->p)
			die("out of memory");
	}
	return b->p + b->n;
}

void add(struct bytes *b, const void *p, size_t n)
{
	memcpy(room(b, n), p, n);
	b->n += n;
}

void add_text(struct bytes *b, const char *s) { add(b, s, strlen(s)); }

void add_uint(struct bytes *b, uint64_t v)
{
	char digits[20];
	size_t n = 0;
	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	char *to = room(b, n);
	for (size_t i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	b->n += n;
}

void add_tenths(struct bytes *b, int32_t v) // 0 to 1000
{
	add_uint(b, (uint64_t)v / 10);
	char end[2] = { '.', (char)('0' + v % 10) };
	add(b, end, 2);
}

void add_name(struct bytes *b, uint32_t point)
{
	char name[8] = "B";
	for (int i = 7; i >= 1; i--, point /= 10)
		name[i] = (char)('0' + point % 10);
	add(b, name, 8);
}

// ---- sockets ----

void send_all(struct link *l, const void *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = send(l->fd, (const char *)p + at, n - at, MSG_NOSIGNAL);
		if (k <= 0)
			die("the connection was closed");
		at += (size_t)k;
	}
}

// More of the answer into l->in; what was used before is dropped.
void receive(struct link *l)
{
	memmove(l->in.p, l->in.p + l->used, l->in.n - l->used);
	l->in.n -= l->used;
	l->used = 0;
	ssize_t k = recv(l->fd, room(&l->in, 65536), 65535, 0);
	if (k <= 0)
		die("the connection was closed");
	l->in.n += (size_t)k;
	l->in.p[l->in.n] = 0;
}

static void dial(struct link *l)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port) };
	int one = 1;
	l->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (inet_pton(AF_INET, opt.host, &a.sin_addr) != 1 || connect(l->fd, (struct sockaddr *)&a, sizeof a))
		die("cannot connect");
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	room(&l->in, 65536);
	l->in.p[0] = 0;
}

// ---- readings ----

static uint32_t random_next(struct link *l)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 17;
	l->random ^= l->random << 5;
	return l->random;
}

struct reading next_reading(struct link *l)
{
	uint32_t r = random_next(l);
	int32_t *v = &l->value[l->at];
	if (r % 10 >= 4) {
		*v += (int32_t)(r >> 8) % 11 - 5;
		*v = *v < 0 ? 0 : *v > 1000 ? 1000 : *v;
	}
	struct reading ret = { l->first + l->at, l->time + (r >> 20) % 15, *v };
	if (++l->at == l->points) {
		l->at = 0;
		l->time += 10000;
	}
	return ret;
}

static void wait_until(double at)
{
	double left = at - now();
	if (left > 0)
		nanosleep(&(struct timespec){ (time_t)left, (long)((left - (double)(time_t)left) * 1e9) }, NULL);
}

static void *run(void *arg)
{
	struct link *l = arg;
	l->value = calloc(l->points, sizeof *l->value);
	for (unsigned i = 0; i < l->points; i++)
		l->value[i] = (int32_t)(random_next(l) % 1000);
	if (l->peer->dials)
		dial(l);
	if (l->peer->open)
		l->peer->open(l);
	pthread_barrier_wait(l->start);
	double begun = now(), end = begun + opt.seconds;
	unsigned waiting = 0;
	while (now() < end || waiting) {
		while (waiting < opt.window && now() < end) {
			if (opt.rate > 0)
				wait_until(begun + (double)(l->acknowledged + waiting * opt.batch) * opt.connections / opt.rate);
			l->out.n = 0;
			l->peer->request(l, opt.batch);
			waiting++;
		}
		l->peer->answer(l);
		l->acknowledged += opt.batch;
		waiting--;
	}
	l->ended = now();
	return NULL;
}

static void read_options(int argc, char **argv)
{
	char *colon = argc > 2 ? strchr(argv[2], ':') : NULL;
	opt.peer = argc > 2 ? peer_find(argv[1]) : NULL;
	if (!opt.peer || !colon || (size_t)(colon - argv[2]) >= sizeof opt.host)
		die("usage: load PEER ADDR:PORT [--points N] [--batch N] [--seconds S] [--connections N] [--window N] [--rate N]");
	memcpy(opt.host, argv[2], (size_t)(colon - argv[2]));
	opt.port = (unsigned)atoi(colon + 1);
	for (int i = 3; i + 1 < argc; i += 2) {
		unsigned v = (unsigned)atoi(argv[i + 1]);
		if (!strcmp(argv[i], "--points"))
			opt.points = v;
		else if (!strcmp(argv[i], "--batch"))
			opt.batch = v;
		else if (!strcmp(argv[i], "--connections"))
			opt.connections = v;
		else if (!strcmp(argv[i], "--window"))
			opt.window = v;
		else if (!strcmp(argv[i], "--rate"))
			opt.rate = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--seconds"))
			opt.seconds = atof(argv[i + 1]);
		else
			die("unknown option");
	}
	if (!opt.batch || !opt.connections || !opt.window || opt.points < opt.connections || opt.connections > 100)
		die("a number is out of range");
}

int main(int argc, char **argv)
{
	pthread_t thread[100];
	pthread_barrier_t start;
	read_options(argc, argv);
	struct link *l = calloc(opt.connections, sizeof *l);
	pthread_barrier_init(&start, NULL, opt.connections + 1);
	unsigned share = opt.points / opt.connections;
	for (unsigned i = 0; i < opt.connections; i++) {
		l[i] = (struct link){ .peer = opt.peer, .index = i, .first = i * share, .points = share, .fd = -1, .random = i * 7919 + 1,
			              .host = opt.host, .port = opt.port, .time = ((int64_t)time(NULL) - 2 * 86400) * 1000, .start = &start };
		if (pthread_create(&thread[i], NULL, run, &l[i]))
			die("cannot start a thread");
	}
	pthread_barrier_wait(&start);
	double begun = now(), ended = begun;
	uint64_t n = 0;
	for (unsigned i = 0; i < opt.connections; i++) {
		pthread_join(thread[i], NULL);
		n += l[i].acknowledged;
		ended = l[i].ended > ended ? l[i].ended : ended;
	}
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	double cpu = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
	printf("{\"acknowledged\":%llu,\"seconds\":%.3f,\"cpu_s\":%.2f}\n", (unsigned long long)n, ended - begun, cpu);
	return 0;
}
