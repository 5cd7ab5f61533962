// See sandbox.h. Who takes over the gate through a decoder gets a process that can talk on sockets it already has and
// write into the ring: no file, no new socket, no other process.
#include "gate/sandbox.h"

#include "base/log.h"

#include <errno.h>
#include <grp.h>
#include <linux/close_range.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY 65534 // Debian's nobody:nogroup, and the kernel's overflow id

static const int ALLOWED[] = {
	// sockets that exist already
	SCMP_SYS(accept4), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(shutdown),
	SCMP_SYS(close), SCMP_SYS(setsockopt),
	// waiting, time
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(futex),
	// memory, randomness
	SCMP_SYS(brk), SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(madvise), SCMP_SYS(getrandom),
	// ending
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack), SCMP_SYS(getpid), SCMP_SYS(gettid),
};

static bool sandbox_drop_root(void)
{
	if (geteuid() != 0)
		return true;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) {
		log_error("gate", "could not give up root: errno %d", errno);
		return false;
	}
	return setresuid(0, 0, 0) < 0; // proof that there is no way back
}

static bool sandbox_seccomp(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!f)
		return false;
	int rc = 0;
	for (size_t i = 0; i < ARRAY_LEN(ALLOWED) && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, ALLOWED[i], 0);
	// abort() of our own may signal ourselves, nobody else
	// memory that is not code
	struct scmp_arg_cmp no_exec = { .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0 };
	if (rc == 0)
		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_exec);
	if (rc == 0)
		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_exec);
	struct scmp_arg_cmp self = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid() };
	if (rc == 0)
		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self);
	if (rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	if (rc)
		log_error("gate", "seccomp: errno %d", -rc);
	return rc == 0;
}

bool sandbox_enter(void)
{
	pid_t parent = getppid();
	if (!sandbox_drop_root())
		return false;
	// To die with the parent, as it has asked for; but the kernel forgets that when the user changes.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return false;
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_error("gate", "prctl: errno %d", errno);
		return false;
	}
	return sandbox_seccomp();
}

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

void sandbox_close_others(int *keep, size_t n)
{
	qsort(keep, n, sizeof *keep, by_number);
	unsigned from = 0;
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned)keep[i] > from)
			close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	close_range(from, ~0u, 0);
}
