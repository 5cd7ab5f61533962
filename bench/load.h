// Between the load and its protocols (protocols.c).
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	char *p;
	size_t n, cap;
};

struct reading {
	uint32_t point;
	int64_t ms;      // since 1970
	int32_t tenths;  // of the value
};

struct link {            // one connection and its share of the points
	const struct peer *peer;
	unsigned index, first, points, at;
	const char *host;
	unsigned port;
	int fd;
	void *session;       // of a client library
	uint32_t random;
	int64_t time;        // of the round, ms
	int32_t *value;
	struct bytes out, head, in;
	size_t used;         // of in
	uint16_t id;
	uint64_t acknowledged;
	double ended;
	pthread_barrier_t *start;
};

struct peer {
	const char *name;
	int dials;           // the load opens a TCP connection for it
	void (*open)(struct link *l);
	void (*request)(struct link *l, unsigned readings); // sends so many readings
	void (*answer)(struct link *l);                     // waits until one request is acknowledged; ends the program if it is refused
};
const struct peer *peer_find(const char *name);

void die(const char *what) __attribute__((noreturn));
double now(void);
struct reading next_reading(struct link *l);
char *room(struct bytes *b, size_t n);
void add(struct bytes *b, const void *p, size_t n);
void add_text(struct bytes *b, const char *s);
void add_uint(struct bytes *b, uint64_t v);
void add_tenths(struct bytes *b, int32_t v);
void add_name(struct bytes *b, uint32_t point); // 8 bytes
void send_all(struct link *l, const void *p, size_t n);
void receive(struct link *l);
