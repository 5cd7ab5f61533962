// Connections to the gate: one for each device, as in the field. Readings wait here until they are acknowledged; after
// an outage they are sent again, and what is older than SIM_LATE_S goes out as history. One thread.
#pragma once

#include <sys/socket.h>

#include "sim/sim.h"

struct endpoint {                   // where a protocol is served
	struct sockaddr_storage addr;
	socklen_t len;              // 0: not served, such devices stay silent
	char text[128];             // host:port
};

struct net {                        // all connections
	int epoll;
	struct endpoint to[SIM_PROTOCOLS];
	uint64_t sent, acked, dropped, connects; // readings, connections made; since the start
	size_t online;              // connections ready now
};

// "127.0.0.1:1883" → endpoint; false with a line on the log if it cannot be resolved.
bool endpoint_set(struct endpoint *e, const char *host_port);

struct link *link_new(struct net *net, struct sim_device *d, int64_t first_try);
void link_free(struct link *l);

struct held_value {
	uint32_t point;             // index in the device
	double value;               // in the point's unit
};
// Queues readings of one moment. time: whole seconds, UTC us.
void link_add(struct link *l, int64_t time, const struct held_value *v, size_t n);
void link_turn(struct link *l, int64_t now);      // several times a second: connect, send, ping, give up
void link_event(struct link *l, uint32_t events, int64_t now);
