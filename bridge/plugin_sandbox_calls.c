/* SPDX-License-Identifier: ISC */
/* seccomp: which system calls an adapter may make. The lists name what the C
 * library, libevent and OpenSSL use, on every architecture; libseccomp leaves
 * out what ours has not. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/plugin_sandbox.h"

#define THREAD      0x00010000ull /* CLONE_THREAD, of _GNU_SOURCE */
#define NAMESPACES  0x7e020000ull /* CLONE_NEW* */
#define SOCKET_TYPE 0xfull        /* without SOCK_NONBLOCK, SOCK_CLOEXEC */

#define CALL(name) SCMP_SYS(name)

static const int ALLOWED[] = {
	/* Descriptors that are open. */
	CALL(read), CALL(readv), CALL(pread64), CALL(preadv), CALL(write),
	CALL(writev), CALL(pwrite64), CALL(pwritev), CALL(lseek), CALL(_llseek),
	CALL(close), CALL(close_range), CALL(dup), CALL(dup2), CALL(dup3),
	CALL(pipe), CALL(pipe2), CALL(sendfile), CALL(splice), CALL(fadvise64),
	/* Files: Landlock says which. */
	CALL(stat), CALL(lstat), CALL(fstat), CALL(newfstatat), CALL(statx),
	CALL(statfs), CALL(fstatfs), CALL(access), CALL(faccessat),
	CALL(faccessat2), CALL(readlink), CALL(readlinkat), CALL(getdents64),
	CALL(getcwd),
	/* Sockets; see also below. */
	CALL(connect), CALL(bind), CALL(accept), CALL(accept4), CALL(shutdown),
	CALL(getsockname), CALL(getpeername), CALL(getsockopt),
	CALL(setsockopt), CALL(sendto), CALL(sendmsg), CALL(sendmmsg),
	CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg),
	/* Waiting. */
	CALL(epoll_create), CALL(epoll_create1), CALL(epoll_ctl),
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(poll),
	CALL(ppoll), CALL(select), CALL(pselect6), CALL(eventfd),
	CALL(eventfd2), CALL(timerfd_create), CALL(timerfd_settime),
	CALL(timerfd_gettime), CALL(signalfd), CALL(signalfd4), CALL(pause),
	CALL(nanosleep), CALL(clock_nanosleep), CALL(restart_syscall),
	CALL(alarm), CALL(getitimer), CALL(setitimer),
	/* Time and chance. */
	CALL(time), CALL(gettimeofday), CALL(clock_gettime), CALL(clock_getres),
	CALL(times), CALL(getrandom),
	/* Memory. */
	CALL(brk), CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect),
	CALL(madvise), CALL(mincore), CALL(mlock), CALL(mlock2), CALL(munlock),
	CALL(membarrier),
	/* Threads and signals. */
	CALL(futex), CALL(set_robust_list), CALL(get_robust_list),
	CALL(set_tid_address), CALL(rseq), CALL(sched_yield),
	CALL(sched_getaffinity), CALL(sched_getparam), CALL(sched_getscheduler),
	CALL(getcpu), CALL(rt_sigaction), CALL(rt_sigprocmask),
	CALL(rt_sigpending), CALL(rt_sigreturn), CALL(rt_sigsuspend),
	CALL(rt_sigtimedwait), CALL(sigaltstack), CALL(exit), CALL(exit_group),
	/* Who and where we are. */
	CALL(getpid), CALL(getppid), CALL(gettid), CALL(getpgrp), CALL(getpgid),
	CALL(getsid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid),
	CALL(getresuid), CALL(getresgid), CALL(getgroups), CALL(getrlimit),
	CALL(getrusage), CALL(uname), CALL(sysinfo)
};

/* Who gets ENOSYS here uses an older call, which can be looked into. */
static const int ABSENT[] = { CALL(clone3), CALL(openat2) };

/* Nobody comes here by mistake. */
static const int DEADLY[] = { CALL(execve), CALL(execveat), CALL(ptrace),
	CALL(process_vm_readv), CALL(process_vm_writev), CALL(pidfd_getfd),
	CALL(bpf), CALL(add_key), CALL(keyctl), CALL(request_key), CALL(mount),
	CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(fsopen),
	CALL(fsmount), CALL(move_mount), CALL(open_tree), CALL(mount_setattr),
	CALL(setns), CALL(unshare), CALL(init_module), CALL(finit_module),
	CALL(delete_module), CALL(kexec_load), CALL(kexec_file_load),
	CALL(open_by_handle_at), CALL(userfaultfd), CALL(perf_event_open),
	CALL(reboot), CALL(swapon), CALL(swapoff), CALL(iopl), CALL(ioperm) };

/* What remains of calls whose number says too little. */
static const int FCNTL[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,
	F_GETFL, F_SETFL };
static const unsigned IOCTL[] = { FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS,
	TIOCGWINSZ };
static const int PRCTL[] = { PR_SET_NAME, PR_GET_NAME };

static int add_list(scmp_filter_ctx filter, uint32_t action, const int *calls,
    size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = seccomp_rule_add(filter, action, calls[i], 0);
	return error;
}

static int add(scmp_filter_ctx filter, uint32_t action, int call,
    struct scmp_arg_cmp when)
{
	return seccomp_rule_add(filter, action, call, 1, when);
}

/* Of an int the kernel takes the lower half of a register, and in the upper
 * half may be anything. */
static struct scmp_arg_cmp is_int(unsigned index, unsigned value)
{
	return SCMP_CMP64(index, SCMP_CMP_MASKED_EQ, UINT32_MAX, value);
}

static int allow_operations(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; i < PRIM_COUNT(FCNTL) && error == 0; i++)
		error = add(filter, SCMP_ACT_ALLOW, CALL(fcntl),
		    is_int(1, (unsigned)FCNTL[i]));
	for (size_t i = 0; i < PRIM_COUNT(IOCTL) && error == 0; i++)
		error = add(filter, SCMP_ACT_ALLOW, CALL(ioctl),
		    is_int(1, IOCTL[i]));
	for (size_t i = 0; i < PRIM_COUNT(PRCTL) && error == 0; i++)
		error = add(filter, SCMP_ACT_ALLOW, CALL(prctl),
		    is_int(0, (unsigned)PRCTL[i]));
	return error;
}

/* Only to read, whatever Landlock says or cannot say. */
static int allow_open(scmp_filter_ctx filter)
{
	const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
	const int error = add(filter, SCMP_ACT_ALLOW, CALL(open),
	    SCMP_A1_64(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));

	return error ? error
		     : add(filter, SCMP_ACT_ALLOW, CALL(openat),
			   SCMP_A2_64(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
}

/* Threads but no processes, and nothing done to other processes. */
static int allow_self(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp us = is_int(0, (unsigned)getpid());
	int error = add(filter, SCMP_ACT_ALLOW, CALL(clone),
	    SCMP_A0_64(SCMP_CMP_MASKED_EQ, THREAD | NAMESPACES, THREAD));

	if (!error)
		error = add(filter, SCMP_ACT_ALLOW, CALL(kill), us);
	if (!error)
		error = add(filter, SCMP_ACT_ALLOW, CALL(tgkill), us);
	/* It sets limits, too, but ours only and only lower. */
	return error
	    ? error
	    : add(filter, SCMP_ACT_ALLOW, CALL(prlimit64), is_int(0, 0));
}

static int allow_type(scmp_filter_ctx filter, int call, unsigned family,
    uint64_t type)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 2,
	    is_int(0, family),
	    SCMP_A1_64(SCMP_CMP_MASKED_EQ, SOCKET_TYPE, type));
}

/* Also netlink, by which the C library asks for the addresses of the machine,
 * and pairs, which lead nowhere else. Other AF_UNIX is refused: primd's control
 * socket is one. */
static int allow_network(scmp_filter_ctx filter)
{
	static const unsigned INTERNET[] = { AF_INET, AF_INET6 };
	int error = allow_type(filter, CALL(socketpair), AF_UNIX, SOCK_STREAM);

	for (size_t i = 0; i < PRIM_COUNT(INTERNET) && error == 0; i++) {
		error = allow_type(filter, CALL(socket), INTERNET[i],
		    SOCK_STREAM);
		if (!error)
			error = allow_type(filter, CALL(socket), INTERNET[i],
			    SOCK_DGRAM);
	}
	return error
	    ? error
	    : seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 2,
		  is_int(0, AF_NETLINK), is_int(2, 0 /* NETLINK_ROUTE */));
}

/* The families nobody asks for by mistake: all but these and AF_UNIX, which the
 * C library tries (nscd). */
static int kill_families(scmp_filter_ctx filter)
{
	int error = 0;

	for (unsigned f = AF_INET + 1; f < AF_MAX && error == 0; f++) {
		if (f != AF_INET6 && f != AF_NETLINK)
			error = add(filter, SCMP_ACT_KILL_PROCESS, CALL(socket),
			    is_int(0, f));
	}
	return error;
}

static int add_all(scmp_filter_ctx filter)
{
	int error = add_list(filter, SCMP_ACT_ALLOW, ALLOWED,
	    PRIM_COUNT(ALLOWED));

	if (!error)
		error = add_list(filter, SCMP_ACT_ERRNO(ENOSYS), ABSENT,
		    PRIM_COUNT(ABSENT));
	if (!error)
		error = add_list(filter, SCMP_ACT_KILL_PROCESS, DEADLY,
		    PRIM_COUNT(DEADLY));
	if (!error)
		error = allow_operations(filter);
	if (!error)
		error = allow_open(filter);
	if (!error)
		error = allow_self(filter);
	if (!error)
		error = allow_network(filter);
	return error ? error : kill_families(filter);
}

/* The calls of another architecture end the process too: by other numbers they
 * would be other calls. */
static int set_attributes(scmp_filter_ctx filter)
{
	int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);

	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	/* Threads that a library has begun already are in as well. */
	return error ? error
		     : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
}

enum plugin_fence br_plugin_sandbox_calls(void)
{
	scmp_filter_ctx filter;
	int error;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL)
		return PLUGIN_FENCE_UNKNOWN;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter) {
		errno = ENOMEM;
		return PLUGIN_FENCE_FAILED;
	}
	error = set_attributes(filter);
	if (!error)
		error = add_all(filter);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	errno = -error;
	return error ? PLUGIN_FENCE_FAILED : PLUGIN_FENCE_UP;
}
