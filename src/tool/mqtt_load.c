// See mqtt_load.h. Every connection has a buffer of what the socket did not take; packet identifiers count up and the
// time of sending is kept in a ring by identifier, so an acknowledgement finds its beginning at once.
#include "tool/mqtt_load.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/time.h"
#include "gate/mqtt_packet.h"
#include "loop/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define WINDOW_MAX LIMIT_MQTT_INFLIGHT
#define CONNECT_S 20          // for all connections to be accepted
#define DRAIN_S 10            // for the last acknowledgements
#define OUT_MAX (4u << 20)
#define LATENCIES_MAX (4u << 20)

struct load;

struct link {
	struct load *load;
	const struct load_device *device;
	size_t index;
	int fd;
	bool ready, dead;
	bool want_out;
	struct buf in, out;
	uint64_t round;           // of the next reading
	size_t next_point;
	int64_t last_time;        // of the device, strictly rising
	uint16_t id;              // last packet identifier
	size_t inflight;
	uint64_t sent;            // messages
	int64_t sent_at[WINDOW_MAX + 1]; // by id modulo its length
	int32_t *tenths;          // value of each point
	bool *alarmed;            // points that had their alarm
	uint32_t random;
};

struct load {
	const struct load_config *cfg;
	struct load_result *result;
	struct arena *arena;
	struct loop *loop;
	struct link *links;
	size_t nready, ndead;
	size_t turn;              // whose message is next when the rate is fixed
	size_t inject_at;         // index in the message of the next reading that is to alarm; SIZE_MAX: none now
	int64_t inject_next;      // monotonic
	int64_t begin, end;       // monotonic; sending
	int64_t last_ack;
	bool sending;
	uint32_t *latencies;
	size_t nlatencies;
	struct loop_timer tick;
	struct buf payload;
};

// --- devices file ---

static bool device_line(struct str line, struct arena *a, struct load_device *ret)
{
	*ret = (struct load_device){ 0 };
	struct str parts[3] = { STR_EMPTY, STR_EMPTY, STR_EMPTY };
	size_t n = 0, cap = 0;
	line = str_trim(str_cut(&line, '#'));
	while (line.n) {
		struct str word = str_cut(&line, ' ');
		if (!word.n)
			continue;
		if (n < 2) {
			parts[n++] = word;
			continue;
		}
		ret->points = arena_push(a, ret->points, &ret->npoints, &cap, sizeof *ret->points);
		ret->points[ret->npoints - 1] = arena_str(a, word);
	}
	ret->code = arena_str(a, parts[0]);
	ret->key = arena_str(a, parts[1]);
	return ret->npoints != 0;
}

enum err mqtt_load_read_devices(const char *path, struct arena *a, struct load_device **ret, size_t *ret_n,
                                struct problem *p)
{
	FILE *in = fopen(path, "re");
	if (!in)
		return problem_set(p, ERR_NOT_FOUND, "devices", "无法读取 %s", "cannot read %s", path);
	char *line = NULL;
	size_t size = 0, cap = 0;
	*ret = NULL;
	*ret_n = 0;
	for (ssize_t n; (n = getline(&line, &size, in)) >= 0;) {
		struct load_device d;
		if (!device_line(str_from(line, (size_t)n), a, &d))
			continue;
		*ret = arena_push(a, *ret, ret_n, &cap, sizeof **ret);
		(*ret)[*ret_n - 1] = d;
	}
	mem_free(line);
	fclose(in);
	return *ret_n ? OK : problem_set(p, ERR_INVALID, "devices", "%s 中没有设备（每行：设备 密钥 测点…）",
	                                 "no device in %s (lines: CODE KEY POINT…)", path);
}

// --- what is sent ---

static uint32_t link_random(struct link *l) // xorshift32: good enough for jitter
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 17;
	l->random ^= l->random << 5;
	return l->random;
}

static int64_t link_time(struct link *l)
{
	const struct load_config *cfg = l->load->cfg;
	int64_t t = loop_wall(l->load->loop);
	if (cfg->interval)
		t = MIN(t, cfg->from + (int64_t)l->round * cfg->interval + link_random(l) % 15 * US_PER_MS);
	l->last_time = MAX(t, l->last_time + 1);
	return l->last_time;
}

static int64_t link_value(struct link *l, size_t point, int64_t time)
{
	const struct load_config *cfg = l->load->cfg;
	if (cfg->value)
		return cfg->value(cfg->arg, l->index, point, l->round, time);
	uint32_t r = link_random(l);
	if (r % 10 >= 4)
		l->tenths[point] = MAX(0, MIN(l->tenths[point] + (int32_t)(r >> 8) % 11 - 5, 1000));
	return l->tenths[point];
}

static size_t tenths_text(int64_t v, char *to)
{
	char digits[24];
	size_t n = 0, at = 0;
	uint64_t u = v < 0 ? (uint64_t)-v : (uint64_t)v;
	if (v < 0)
		to[at++] = '-';
	for (uint64_t whole = u / 10; whole || !n; whole /= 10)
		digits[n++] = (char)('0' + whole % 10);
	while (n)
		to[at++] = digits[--n];
	to[at++] = '.';
	to[at++] = (char)('0' + u % 10);
	return at;
}

static void payload_text(char **at, const char *s, size_t n)
{
	memcpy(*at, s, n);
	*at += n;
}
#define PAYLOAD_LIT(at, lit) payload_text(at, lit, sizeof(lit) - 1)
#define READING_TEXT_MAX (64 + TIME_TEXT_MAX + LIMIT_POINT_NAME + 32)

// The next batch of the device: [{"point":…,"time":…,"value":…},…]
static struct str link_payload(struct link *l)
{
	struct buf *b = &l->load->payload;
	const struct load_device *d = l->device;
	char time[TIME_TEXT_MAX];
	size_t time_n = 0;
	int64_t t = 0;
	buf_clear(b);
	char *start = buf_room(b, l->load->cfg->batch * READING_TEXT_MAX), *at = start;
	for (size_t i = 0; i < l->load->cfg->batch; i++) {
		if (!time_n || l->next_point == 0) {
			t = link_time(l);
			time_n = time_text(t, time);
		}
		struct str point = str_first(d->points[l->next_point], LIMIT_POINT_NAME);
		*at++ = i ? ',' : '[';
		PAYLOAD_LIT(&at, "{\"point\":\"");
		payload_text(&at, point.p, point.n);
		PAYLOAD_LIT(&at, "\",\"time\":\"");
		payload_text(&at, time, time_n);
		PAYLOAD_LIT(&at, "\",\"value\":");
		bool alarm = i == l->load->inject_at;
		at += tenths_text(alarm ? l->load->cfg->alarm_tenths : link_value(l, l->next_point, t), at);
		*at++ = '}';
		if (++l->next_point == d->npoints) {
			l->next_point = 0;
			l->round++;
		}
	}
	*at++ = ']';
	buf_commit(b, (size_t)(at - start));
	return buf_str(b);
}

static void link_flush(struct link *l);

// Is an alarm due, and has this message a point that had none? Round the indexes, so that all points get their turn.
static void link_inject(struct link *l, int64_t now)
{
	struct load *o = l->load;
	const struct load_config *cfg = o->cfg;
	o->inject_at = SIZE_MAX;
	if (cfg->alarms <= 0 || now < o->inject_next)
		return;
	size_t index = o->result->injected * 7919 % cfg->batch, point = (l->next_point + index) % l->device->npoints;
	if (l->alarmed[point])
		return;
	l->alarmed[point] = true;
	o->inject_at = index;
	o->inject_next += (int64_t)((double)US_PER_S / cfg->alarms);
	o->result->injected++;
	if (cfg->injected)
		cfg->injected(cfg->arg, l->index, point, now);
}

static void link_send_message(struct link *l)
{
	struct load *o = l->load;
	char topic[32 + LIMIT_DEVICE_NAME];
	int n = snprintf(topic, sizeof topic, "anlan/v1/%.*s/readings", STR_FMT(l->device->code));
	int64_t now = clock_mono();
	if (o->cfg->qos) {
		l->id = l->id == UINT16_MAX ? 1 : (uint16_t)(l->id + 1);
		l->sent_at[l->id % ARRAY_LEN(l->sent_at)] = now;
		l->inflight++;
	}
	link_inject(l, now);
	struct str payload = link_payload(l);
	mqtt_write_publish(&l->out, o->cfg->version, str_from(topic, (size_t)n), o->cfg->qos, l->id, payload);
	o->result->messages++;
	l->sent++;
	o->result->readings += o->cfg->batch;
	if (!o->cfg->qos)
		o->result->acked += o->cfg->batch;
	link_flush(l);
}

static bool link_may_send(const struct link *l, size_t window)
{
	const struct load_config *cfg = l->load->cfg;
	bool more = !cfg->messages || l->sent < cfg->messages;
	return more && l->ready && !l->dead && l->load->sending && !l->want_out && l->inflight < window;
}

// --- one connection ---

static void link_die(struct link *l)
{
	if (l->dead)
		return;
	l->dead = true;
	l->load->ndead++;
	if (l->ready)
		l->load->result->lost++;
	else
		l->load->result->refused++;
	loop_unwatch(l->load->loop, l->fd);
	close(l->fd);
	l->fd = -1;
}

static void link_flush(struct link *l)
{
	size_t sent = 0;
	while (sent < l->out.n) {
		ssize_t n = send(l->fd, l->out.p + sent, l->out.n - sent, MSG_NOSIGNAL);
		if (n < 0) {
			if (errno != EAGAIN && errno != EINPROGRESS && errno != ENOTCONN) {
				link_die(l);
				return;
			}
			break;
		}
		sent += (size_t)n;
	}
	buf_drop_front(&l->out, sent);
	l->want_out = l->out.n != 0;
	bool more = l->want_out || (!l->load->cfg->qos && l->load->cfg->rate <= 0 && l->load->sending);
	loop_rewatch(l->load->loop, l->fd, EPOLLIN | (more ? EPOLLOUT : 0));
}

static void link_on_connack(struct link *l, struct str body)
{
	struct mqtt_connack a;
	struct mqtt_props props;
	if (mqtt_read_connack(l->load->cfg->version, body, &a, &props) || a.code) {
		link_die(l);
		return;
	}
	l->ready = true;
	l->load->nready++;
}

static void link_on_puback(struct link *l, struct str body)
{
	struct load *o = l->load;
	struct mqtt_ack a;
	if (mqtt_read_ack(o->cfg->version, MQTT_PUBACK, 0, body, &a)) {
		link_die(l);
		return;
	}
	o->last_ack = loop_mono(o->loop);
	int64_t us = o->last_ack - l->sent_at[a.id % ARRAY_LEN(l->sent_at)];
	if (o->nlatencies < LATENCIES_MAX)
		o->latencies[o->nlatencies++] = (uint32_t)MAX(us, 0);
	l->inflight--;
	o->result->acked += o->cfg->batch;
	o->result->negative += a.reason >= 0x80;
}

static void link_parse(struct link *l)
{
	size_t used = 0;
	struct mqtt_fixed f;
	while (!l->dead && mqtt_frame(str_skip(buf_str(&l->in), used), OUT_MAX, &f) == MQTT_FRAME_OK) {
		struct str body = str_from(l->in.p + used + f.head, f.size - f.head);
		if (f.type == MQTT_CONNACK)
			link_on_connack(l, body);
		else if (f.type == MQTT_PUBACK)
			link_on_puback(l, body);
		else if (f.type == MQTT_DISCONNECT)
			link_die(l);
		used += f.size;
	}
	buf_drop_front(&l->in, used);
}

static void link_fill(struct link *l)
{
	const struct load_config *cfg = l->load->cfg;
	// QoS 0 has no window: a burst, then the loop again (link_flush keeps waiting for EPOLLOUT).
	for (int burst = 64; burst && cfg->rate <= 0 && link_may_send(l, cfg->qos ? cfg->window : WINDOW_MAX); burst--)
		link_send_message(l);
}

static void link_on_event(void *ctx, uint32_t events)
{
	struct link *l = ctx;
	if (events & EPOLLOUT)
		link_flush(l);
	if (!l->dead && events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		char *to = buf_room(&l->in, 16384);
		ssize_t n = to ? recv(l->fd, to, 16384, 0) : -1;
		if (n > 0) {
			buf_commit(&l->in, (size_t)n);
			link_parse(l);
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			link_die(l);
		}
	}
	if (!l->dead)
		link_fill(l);
}

static int link_socket(const struct load_config *cfg)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(cfg->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(cfg->port) };
	bool is4 = inet_pton(AF_INET, cfg->address, &v4.sin_addr) == 1;
	if (!is4 && inet_pton(AF_INET6, cfg->address, &v6.sin6_addr) != 1)
		return -1;
	int fd = socket(is4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	const struct sockaddr *to = is4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
	if (connect(fd, to, is4 ? sizeof v4 : sizeof v6) < 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool link_open(struct load *o, struct link *l, size_t index)
{
	const struct load_device *d = &o->cfg->devices[index];
	l->load = o;
	l->device = d;
	l->index = index;
	l->random = (uint32_t)index * 2654435761u + 1;
	l->tenths = arena_many(o->arena, d->npoints, int32_t);
	l->alarmed = arena_many(o->arena, d->npoints, bool);
	for (size_t i = 0; i < d->npoints; i++)
		l->tenths[i] = (int32_t)(link_random(l) % 1000);
	buf_init(&l->in, 1u << 20);
	buf_init(&l->out, OUT_MAX);
	l->fd = link_socket(o->cfg);
	if (l->fd < 0 || loop_watch(o->loop, l->fd, EPOLLIN | EPOLLOUT, link_on_event, l) != OK)
		return false;
	l->want_out = true;
	mqtt_write_connect(&l->out, o->cfg->version, d->code, d->code, d->key, 60);
	return true;
}

// --- the run ---

// Fixed rate: what is due by now, one message after the other, round the devices.
static void load_tick(void *ctx)
{
	struct load *o = ctx;
	const struct load_config *cfg = o->cfg;
	double due = cfg->rate * (double)(loop_mono(o->loop) - o->begin) / US_PER_S;
	size_t idle = 0;
	while (o->sending && (double)o->result->readings < due && idle < cfg->ndevices) {
		struct link *l = &o->links[o->turn++ % cfg->ndevices];
		if (link_may_send(l, WINDOW_MAX)) {
			link_send_message(l);
			idle = 0;
		} else {
			idle++;
		}
	}
	if (o->sending)
		loop_timer_in(o->loop, &o->tick, US_PER_MS);
}

static void load_begin(struct load *o)
{
	o->begin = o->last_ack = clock_mono();
	o->sending = true;
}

static bool load_connect(struct load *o)
{
	int64_t began = clock_mono();
	if (o->cfg->at_once)
		load_begin(o);
	for (size_t i = 0; i < o->cfg->ndevices; i++) {
		if (!link_open(o, &o->links[i], i))
			return false;
		if (i % 128 == 127)
			loop_turn(o->loop, 1); // no more than a listen queue takes at once
	}
	int64_t until = clock_mono() + CONNECT_S * US_PER_S;
	while (o->nready + o->ndead < o->cfg->ndevices && clock_mono() < until)
		loop_turn(o->loop, 100);
	o->result->connect_s = (double)(clock_mono() - began) / US_PER_S;
	return o->nready > 0;
}

static size_t load_inflight(const struct load *o)
{
	size_t n = 0;
	for (size_t i = 0; i < o->cfg->ndevices; i++)
		n += o->links[i].dead ? 0 : o->links[i].inflight + o->links[i].want_out;
	return n;
}

static double thread_cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_THREAD, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static bool load_is_over(const struct load *o)
{
	if (o->cfg->stop && atomic_load(o->cfg->stop))
		return true;
	size_t live = o->cfg->ndevices - o->ndead;
	return o->cfg->messages && o->result->messages >= live * o->cfg->messages && !load_inflight(o);
}

static void load_send(struct load *o)
{
	double cpu = thread_cpu();
	if (!o->sending)
		load_begin(o);
	o->end = o->begin + (int64_t)(o->cfg->seconds * (double)US_PER_S);
	o->inject_next = o->begin + (int64_t)(MAX(o->cfg->alarms_from, 0.5) * (double)US_PER_S);
	loop_turn(o->loop, 0); // its clocks are those of the beginning
	if (o->cfg->rate > 0)
		load_tick(o);
	else
		for (size_t i = 0; i < o->cfg->ndevices; i++)
			link_fill(&o->links[i]);
	while (clock_mono() < o->end && o->ndead < o->cfg->ndevices && !load_is_over(o))
		loop_turn(o->loop, 10);
	o->sending = false;
	if (!o->cfg->qos)
		o->last_ack = clock_mono();
	int64_t until = clock_mono() + DRAIN_S * US_PER_S;
	while (load_inflight(o) && clock_mono() < until)
		loop_turn(o->loop, 10);
	o->result->seconds = (double)(o->last_ack - o->begin) / US_PER_S;
	o->result->cpu = thread_cpu() - cpu;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void load_percentiles(struct load *o)
{
	if (!o->nlatencies)
		return;
	qsort(o->latencies, o->nlatencies, sizeof *o->latencies, by_size);
	o->result->ack_p50 = o->latencies[o->nlatencies / 2];
	o->result->ack_p99 = o->latencies[o->nlatencies * 99 / 100];
	o->result->ack_max = o->latencies[o->nlatencies - 1];
}

static void load_free(struct load *o)
{
	for (size_t i = 0; i < o->cfg->ndevices; i++) {
		struct link *l = &o->links[i];
		if (!l->load)
			break;
		if (l->fd >= 0) {
			loop_unwatch(o->loop, l->fd);
			close(l->fd);
		}
		buf_free(&l->in);
		buf_free(&l->out);
	}
	loop_timer_stop(o->loop, &o->tick);
	loop_free(o->loop);
	buf_free(&o->payload);
	mem_free(o->latencies);
	mem_free(o->links);
	arena_free(o->arena);
}

enum err mqtt_load(const struct load_config *cfg, struct load_result *ret, struct problem *p)
{
	*ret = (struct load_result){ 0 };
	if (!cfg->ndevices || !cfg->batch || cfg->batch > 1000 || cfg->qos > 1 || cfg->window > WINDOW_MAX ||
	    (cfg->version != MQTT_V311 && cfg->version != MQTT_V5))
		return problem_set(p, ERR_INVALID, "load", "压测参数无效", "the parameters of the load are not valid");
	struct load o = { .cfg = cfg, .result = ret, .arena = arena_new(1u << 20), .loop = loop_new() };
	o.links = mem_alloc(cfg->ndevices * sizeof *o.links);
	o.latencies = mem_alloc(LATENCIES_MAX * sizeof *o.latencies);
	buf_init(&o.payload, cfg->batch * READING_TEXT_MAX);
	loop_timer_init(&o.tick, load_tick, &o);
	enum err err = OK;
	if (load_connect(&o)) {
		load_send(&o);
		load_percentiles(&o);
	} else {
		err = problem_set(p, ERR_UNAVAILABLE, "mqtt", "无法以任何设备连接 %s:%u", "no device could connect to %s:%u",
		                  cfg->address, cfg->port);
	}
	load_free(&o);
	return err;
}
