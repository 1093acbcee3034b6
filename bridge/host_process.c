/* SPDX-License-Identifier: ISC */
/* The process of an adapter: begin, end, and nothing of ours in its hands but
 * one socket. */

/* For posix_spawn_file_actions_addclosefrom_np() and _addchdir_np(). */
#define _GNU_SOURCE

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/host_private.h"
#include "bridge/place.h"
#include "prim/base.h"

#define LINK_FD     3
#define SOCKETS_MAX 64
#define ENV_MAX     16

/* What an adapter may know of our surroundings. Not, for instance, where
 * systemd listens for what we say of ourselves. */
static const char *const ENVIRONMENT[] = { "PATH=", "TZ=", "LANG=", "LC_ALL=",
	"LD_LIBRARY_PATH=", "SSL_CERT_FILE=", "SSL_CERT_DIR=", "ASAN_OPTIONS=",
	"LSAN_OPTIONS=", "UBSAN_OPTIONS=" };

static bool may_know(const char *variable)
{
	for (size_t i = 0; i < PRIM_COUNT(ENVIRONMENT); i++) {
		if (strncmp(variable, ENVIRONMENT[i], strlen(ENVIRONMENT[i])) ==
		    0)
			return true;
	}
	return false;
}

static void pick_environment(char *out_variables[ENV_MAX])
{
	size_t count = 0;

	for (char **at = environ; at && *at && count < ENV_MAX - 1; at++) {
		if (may_know(*at))
			out_variables[count++] = *at;
	}
	out_variables[count] = NULL;
}

/* An empty line with the listening sockets: it is there before the child is, so
 * that the child takes both with its first, blocking read. */
static bool hand_over(const struct br_host *h, int fd)
{
	char empty[] = "\r\n";
	struct iovec line = { .iov_base = empty, .iov_len = 2 };
	_Alignas(struct cmsghdr) char
	    space[CMSG_SPACE(sizeof(int) * SOCKETS_MAX)];
	struct msghdr message = { .msg_iov = &line, .msg_iovlen = 1 };
	const size_t count = h->socket_count;
	struct cmsghdr *rights;

	if (count > SOCKETS_MAX)
		return false;
	if (count > 0) {
		memset(space, 0, sizeof(space));
		message.msg_control = space;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(rights), h->sockets, sizeof(int) * count);
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == 2;
}

/* What the child has open: the link, and our standard error for the last words
 * of a crash. The link goes first, its number may be one of the others. Relative
 * paths among its options count from the folder of the configuration. */
static int fill_actions(const struct br_host *h,
    posix_spawn_file_actions_t *actions, int fd)
{
	int error = posix_spawn_file_actions_adddup2(actions, fd, LINK_FD);

	if (!error)
		error = posix_spawn_file_actions_addchdir_np(actions,
		    h->context.config->folder);
	if (!error)
		error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
		    "/dev/null", O_RDONLY, 0);
	if (!error)
		error = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO,
		    "/dev/null", O_WRONLY, 0);
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(actions,
		    LINK_FD + 1);
	return error;
}

/* Its own process group: a Ctrl-C is for primd, which drains its adapters. */
static int fill_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(attributes,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
		POSIX_SPAWN_SETPGROUP);
}

/* The error number, or 0. */
static int spawn(struct br_host *h, const char *path, int fd)
{
	char program[] = "primd-adapter";
	char *arguments[] = { program, h->adapter->name, h->adapter->plugin,
		NULL };
	char *variables[ENV_MAX];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid = 0;
	int error;

	pick_environment(variables);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	error = fill_actions(h, &actions, fd);
	if (!error)
		error = fill_attributes(&attributes);
	if (!error)
		error = posix_spawn(&pid, path, &actions, &attributes,
		    arguments, variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	h->pid = error ? 0 : pid;
	return error;
}

/* Without a pidfd we could not learn of its end. */
static int watch(struct br_host *h)
{
	char how[32];
	int error;

	h->pidfd = pidfd_open(h->pid, 0);
	if (h->pidfd >= 0)
		return 0;
	error = errno;
	kill(h->pid, SIGKILL);
	br_host_process_reap(h, true, how);
	return error;
}

static int start_on(struct br_host *h, const int ends[2])
{
	char path[BR_PLACE_MAX];
	int error;

	if (!br_place_program("primd-adapter", path))
		return ENAMETOOLONG;
	if (!hand_over(h, ends[0]))
		return EMSGSIZE;
	error = spawn(h, path, ends[1]);
	return error ? error : watch(h);
}

bool br_host_process_start(struct br_host *h, int *out_fd)
{
	int ends[2], error = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		error = errno;
	} else {
		error = start_on(h, ends);
		close(ends[1]);
		if (error)
			close(ends[0]);
	}
	if (error) {
		br_error(&h->peer.log,
		    "cannot start primd-adapter, which should stand beside "
		    "primd: %s",
		    strerror(error));
		return false;
	}
	*out_fd = ends[0];
	return true;
}

void br_host_process_kill(const struct br_host *h)
{
	if (h->pidfd >= 0)
		pidfd_send_signal(h->pidfd, SIGKILL, NULL, 0);
}

/* The sandbox ends whoever makes a forbidden system call with SIGSYS. */
static void put_how(struct br_host *h, int status, char out_how[32])
{
	if (!WIFSIGNALED(status)) {
		snprintf(out_how, 32, "code=%d", WEXITSTATUS(status));
		return;
	}
	snprintf(out_how, 32, "signal=%d%s", WTERMSIG(status),
	    WTERMSIG(status) == SIGSYS ? " why=sandbox" : "");
	if (WTERMSIG(status) == SIGSYS)
		br_error(&h->peer.log,
		    "killed by the sandbox: it made a system call no adapter "
		    "has a use for; the kernel's log says which");
}

bool br_host_process_reap(struct br_host *h, bool block, char out_how[32])
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(h->pid, &status, block ? 0 : WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return false;
	if (pid < 0)
		snprintf(out_how, 32, "unknown");
	else
		put_how(h, status, out_how);
	if (h->reaped)
		event_free(h->reaped);
	h->reaped = NULL;
	if (h->pidfd >= 0)
		close(h->pidfd);
	h->pidfd = -1;
	h->pid = 0;
	return true;
}
