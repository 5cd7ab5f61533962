// Requests over connections that one of the server's threads holds together.
// needs: base http
// threads
#include "base/arena.h"
#include "base/limits.h"
#include "http/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_S 60 // of a client whose answer never comes

struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int waiting, most;
	bool open;
};

// /api/wait is answered when somebody has asked for /api/go.
static void dispatch(void *arg, struct http_request *rq, struct http_response *rs)
{
	struct gate *g = arg;
	pthread_mutex_lock(&g->mutex);
	if (str_is(rq->path, "/api/go"))
		g->open = true;
	g->waiting += str_is(rq->path, "/api/wait");
	g->most = MAX(g->most, g->waiting);
	pthread_cond_broadcast(&g->changed);
	while (str_is(rq->path, "/api/wait") && !g->open)
		pthread_cond_wait(&g->changed, &g->mutex);
	g->waiting -= str_is(rq->path, "/api/wait");
	pthread_mutex_unlock(&g->mutex);
	buf_printf(&rs->body, "{\"path\":\"%.*s\"}", STR_FMT(rq->path));
}

struct server {
	struct gate gate;
	struct http *http;
	struct arena *arena;
	struct sockaddr_in at;
};

static int start(void **state)
{
	struct server *s = mem_alloc(sizeof *s);
	socklen_t n = sizeof s->at;
	struct problem p;
	s->arena = arena_new(0);
	problem_init(&p, s->arena);
	pthread_mutex_init(&s->gate.mutex, NULL);
	pthread_cond_init(&s->gate.changed, NULL);
	s->at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_return_code(bind(fd, (struct sockaddr *)&s->at, sizeof s->at), 0);
	assert_return_code(listen(fd, 100), 0);
	assert_return_code(getsockname(fd, (struct sockaddr *)&s->at, &n), 0);
	struct http_config cfg = { .listen_fd = fd, .threads = 1, .dispatch = dispatch, .arg = &s->gate };
	assert_int_equal(http_start(&s->http, &cfg, &p), OK);
	*state = s;
	return 0;
}

static int stop(void **state)
{
	struct server *s = *state;
	http_stop(s->http);
	pthread_mutex_destroy(&s->gate.mutex);
	pthread_cond_destroy(&s->gate.changed);
	arena_free(s->arena);
	mem_free(s);
	return 0;
}

static int ask(const struct server *s, const char *method, const char *path)
{
	char text[128];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval patience = { .tv_sec = PATIENCE_S };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_return_code(connect(fd, (const struct sockaddr *)&s->at, sizeof s->at), 0);
	int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, path);
	assert_int_equal(write(fd, text, (size_t)n), n);
	return fd;
}

static bool answered(int fd)
{
	char text[4096];
	size_t n = 0;
	for (ssize_t r; n < sizeof text - 1 && (r = read(fd, text + n, sizeof text - 1 - n)) > 0;)
		n += (size_t)r;
	text[n] = 0;
	close(fd);
	return strncmp(text, "HTTP/1.1 200", 12) == 0 && strstr(text, "{\"path\":\"/api/");
}

static void wait_for(struct server *s, int waiting)
{
	pthread_mutex_lock(&s->gate.mutex);
	while (s->gate.waiting < waiting)
		pthread_cond_wait(&s->gate.changed, &s->gate.mutex);
	pthread_mutex_unlock(&s->gate.mutex);
}

static void who_waits_holds_up_nobody_else(void **state)
{
	struct server *s = *state;
	int waits = ask(s, "GET", "/api/wait");
	wait_for(s, 1);
	assert_true(answered(ask(s, "GET", "/api/go"))); // else the first would wait for ever
	assert_true(answered(waits));
}

static void readers_without_number_leave_room_for_a_change(void **state)
{
	struct server *s = *state;
	int waits[LIMIT_HTTP_RUNNING * 2];
	for (size_t i = 0; i < ARRAY_LEN(waits); i++)
		waits[i] = ask(s, "GET", "/api/wait");
	wait_for(s, LIMIT_HTTP_READING);
	assert_true(answered(ask(s, "POST", "/api/go")));
	for (size_t i = 0; i < ARRAY_LEN(waits); i++)
		assert_true(answered(waits[i]));
	assert_int_equal(s->gate.most, LIMIT_HTTP_READING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_waits_holds_up_nobody_else, start, stop),
		cmocka_unit_test_setup_teardown(readers_without_number_leave_room_for_a_change, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
