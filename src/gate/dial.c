#include "gate/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static bool split(struct str address, char host[64], char port[8])
{
	size_t colon = address.n;
	while (colon && address.p[colon - 1] != ':')
		colon--;
	if (!colon)
		return false;
	struct str h = str_first(address, colon - 1), p = str_skip(address, colon);
	if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = str_first(str_skip(h, 1), h.n - 2);
	if (!h.n || h.n >= 64 || !p.n || p.n >= 8)
		return false;
	snprintf(host, 64, "%.*s", STR_FMT(h));
	snprintf(port, 8, "%.*s", STR_FMT(p));
	return true;
}

int dial_begin(struct str address, const char **ret_why)
{
	char host[64], port[8];
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *ai;
	*ret_why = "地址须为 IP:端口 / the address must be IP:PORT";
	if (!split(address, host, port) || getaddrinfo(host, port, &hints, &ai))
		return -1;
	int on = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS) {
			close(fd);
			fd = -1;
		}
	}
	*ret_why = "无法建立连接 / cannot connect";
	freeaddrinfo(ai);
	return fd;
}

enum dial dial_state(int fd, int *ret_errno)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof *ret_errno;
	*ret_errno = 0;
	if (poll(&p, 1, 0) == 0)
		return DIAL_PENDING;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, ret_errno, &n) < 0)
		*ret_errno = errno;
	return *ret_errno ? DIAL_FAILED : DIAL_OPEN;
}
