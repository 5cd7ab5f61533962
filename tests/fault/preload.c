// For tests of faults: a library loaded before the C library (LD_PRELOAD) that lets the wall clock be set and the disk be
// slow, as two numbers in a file say that the test writes while the server runs. The product knows nothing of it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile struct fault {
	int64_t clock_s;  // added to the wall clock
	int64_t sync_ms;  // how long each sync takes besides
} *fault;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("ANLAN_FAULT");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = fd >= 0 ? mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	fault = p == MAP_FAILED ? NULL : p;
	if (fd >= 0)
		close(fd);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int r = real(id, t);
	if (id == CLOCK_REALTIME && fault)
		t->tv_sec += fault->clock_s;
	return r;
}

static void slow(void)
{
	if (fault && fault->sync_ms)
		usleep((useconds_t)fault->sync_ms * 1000);
}

int fdatasync(int fd)
{
	static int (*real)(int);
	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	slow();
	return real(fd);
}

int fsync(int fd)
{
	static int (*real)(int);
	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	slow();
	return real(fd);
}
