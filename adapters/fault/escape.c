/* SPDX-License-Identifier: ISC */
/* Trying to get out. Everything is undone at once. */

#include "adapters/fault/escape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prim/base.h"

/* Each: 0 or an errno. */

static int close_or_errno(int fd)
{
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_read(const char *path)
{
	return close_or_errno(open(path, O_RDONLY | O_CLOEXEC));
}

static int try_write(const char *path)
{
	return close_or_errno(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int try_unlink(const char *path)
{
	return unlink(path) == 0 ? 0 : errno;
}

/* A failure of the program itself would be code 127. */
static int try_exec(const char *path)
{
	char *const arguments[] = { NULL };

	execve(path, arguments, arguments);
	return errno;
}

static int try_fork(const char *unused)
{
	const pid_t pid = fork();

	(void)unused;
	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return 0;
}

static void *thread(void *arg)
{
	return arg;
}

static int try_thread(const char *unused)
{
	pthread_t t;
	const int error = pthread_create(&t, NULL, thread, NULL);

	(void)unused;
	return error ? error : pthread_join(t, NULL);
}

static int try_unix(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int error = 0;

	if (fd < 0 || strlen(path) >= sizeof(to.sun_path))
		return errno;
	memcpy(to.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		error = errno;
	close(fd);
	return error;
}

static int with_tcp(uint16_t port,
    int (*act)(int fd, const struct sockaddr *where, socklen_t len))
{
	const struct sockaddr_in where = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	if (act(fd, (const struct sockaddr *)&where, sizeof(where)) != 0)
		error = errno;
	close(fd);
	return error;
}

static int try_connect(const char *port)
{
	uint64_t number;

	if (!prim_slice_number(prim_slice_of(port), UINT16_MAX, &number))
		return EINVAL;
	return with_tcp((uint16_t)number, connect);
}

static int try_bind(const char *unused)
{
	(void)unused;
	return with_tcp(0, bind);
}

static int act_listen(int fd, const struct sockaddr *where, socklen_t len)
{
	(void)where;
	(void)len;
	return listen(fd, 1);
}

static int try_listen(const char *unused)
{
	(void)unused;
	return with_tcp(0, act_listen);
}

static int try_resolve(const char *name)
{
	struct addrinfo *list;
	const int error = getaddrinfo(name, NULL, NULL, &list);

	if (error)
		return error == EAI_SYSTEM ? errno : ENOENT;
	freeaddrinfo(list);
	return 0;
}

static int try_packet(const char *unused)
{
	(void)unused;
	return close_or_errno(socket(AF_PACKET, SOCK_RAW, 0));
}

/* primd, which is no child of ours, and is asked for nothing. */
static int try_signal(const char *unused)
{
	(void)unused;
	return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int try_trace(const char *unused)
{
	(void)unused;
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ? 0 : errno;
}

static const struct {
	const char *name;
	int (*attempt)(const char *argument);
} ATTEMPTS[] = {
	{"read",     try_read   },
	{ "write",   try_write  },
	{ "unlink",  try_unlink },
	{ "exec",    try_exec   },
	{ "fork",    try_fork   },
	{ "thread",  try_thread },
	{ "unix",    try_unix   },
	{ "connect", try_connect},
	{ "bind",    try_bind   },
	{ "listen",  try_listen },
	{ "resolve", try_resolve},
	{ "packet",  try_packet },
	{ "signal",  try_signal },
	{ "trace",   try_trace  },
};

int fa_escape(struct prim_slice what)
{
	const struct prim_slice name = prim_slice_cut(&what, ':');
	char *argument = prim_slice_copy(what);
	int error = EINVAL;

	for (size_t i = 0; i < PRIM_COUNT(ATTEMPTS); i++) {
		if (prim_slice_eq(name, prim_slice_of(ATTEMPTS[i].name)))
			error = ATTEMPTS[i].attempt(argument);
	}
	prim_free(argument);
	return error;
}
