#include "bus/pass.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

static_assert(sizeof((struct dialled *)0)->name >= LIMIT_DEVICE_NAME, "a device's code must fit");

enum err pass_create(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret) == 0 ? OK : ERR_IO;
}

bool pass_send(int to, int fd, const struct dialled *d)
{
	union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
	struct iovec bytes = { (void *)(uintptr_t)d, sizeof *d };
	struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(to, &m, MSG_NOSIGNAL) == (ssize_t)sizeof *d;
}

int pass_take(int from, struct dialled *ret)
{
	union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
	struct iovec bytes = { ret, sizeof *ret };
	struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
	int fd = -1;
	ssize_t n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	if (fd >= 0 && (n != (ssize_t)sizeof *ret || ret->name_len > sizeof ret->name)) {
		close(fd);
		fd = -1;
	}
	return fd;
}
