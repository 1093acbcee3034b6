/* SPDX-License-Identifier: ISC */
/* Asking each adapter's own program whether it likes its options. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bridge/clock.h"
#include "bridge/config.h"
#include "bridge/place.h"
#include "prim/base.h"
#include "prim/buf.h"

#define LIMIT_MS   10000
#define SAID_MAX   4096 /* octets of a complaint */
#define BETWEEN_MS 5    /* between looks whether a silent program is gone */

extern char **environ;

/* One program that checks, and what it said. */
struct check {
	const struct br_config_adapter *adapter; /* borrowed */
	int64_t until_ms;
	pid_t pid;
	int in, out;    /* our ends; -1: closed */
	size_t written; /* octets of the options */
	struct prim_buf said;
	int status; /* of waitpid() */
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Sockets instead of pipes: writing to a program that is gone must be an error
 * and not a signal. */
static bool spawn(struct check *c, const char *program)
{
	char *argv[] = { (char *)program, (char *)"--check", c->adapter->plugin,
		NULL };
	posix_spawn_file_actions_t actions;
	int in[2], out[2], e;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0)
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) < 0) {
		close(in[0]);
		close(in[1]);
		return false;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[1], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
	e = posix_spawn(&c->pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(in[1]);
	close(out[1]);
	c->in = in[0];
	c->out = out[0];
	errno = e;
	return e == 0;
}

static void feed(struct check *c)
{
	const size_t len = strlen(c->adapter->options);
	const ssize_t n = send(c->in, c->adapter->options + c->written,
	    len - c->written, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		c->written += (size_t)n;
	if (c->written == len || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&c->in);
}

/* What is more than SAID_MAX is read, so that the program can end, and lost. */
static void hear(struct check *c)
{
	char text[512];
	const ssize_t n = recv(c->out, text, sizeof(text), MSG_DONTWAIT);

	if (n > 0 && c->said.len < SAID_MAX)
		prim_buf_put(&c->said, prim_slice_make(text, (size_t)n));
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&c->out);
}

static void converse(struct check *c)
{
	int64_t left = c->until_ms - br_clock_steady_ms();

	for (; c->out >= 0 && left > 0;
	     left = c->until_ms - br_clock_steady_ms()) {
		struct pollfd fds[] = {
			{.fd = c->out, .events = POLLIN },
			{ .fd = c->in, .events = POLLOUT},
		};

		if (poll(fds, PRIM_COUNT(fds), (int)left) < 0)
			continue;
		if (fds[1].revents)
			feed(c);
		if (fds[0].revents)
			hear(c);
	}
	close_end(&c->in);
	close_end(&c->out);
}

/* False: it had to be killed. */
static bool wait_end(struct check *c)
{
	const struct timespec pause = { .tv_nsec = BETWEEN_MS * 1000000L };
	pid_t gone = waitpid(c->pid, &c->status, WNOHANG);

	while (gone == 0 && br_clock_steady_ms() < c->until_ms) {
		nanosleep(&pause, NULL);
		gone = waitpid(c->pid, &c->status, WNOHANG);
	}
	if (gone != 0)
		return true;
	kill(c->pid, SIGKILL);
	waitpid(c->pid, &c->status, 0);
	return false;
}

static bool cut_number(struct prim_slice *line)
{
	uint64_t number;

	return prim_slice_number(prim_slice_cut(line, ':'), INT32_MAX, &number);
}

/* "LINE:COL: " at the front of `line`? */
static bool has_place(struct prim_slice line)
{
	for (int i = 0; i < 2; i++) {
		if (!cut_number(&line))
			return false;
	}
	return prim_slice_starts(line, PRIM_SLICE(" "));
}

static bool complain(const struct br_config *config,
    const struct br_config_adapter *a, const char *what, struct br_err *err)
{
	return br_err_set(err, "%s:%d:%d: adapter `%s`: %s", config->file,
	    a->line, a->column, a->name, what);
}

/* Its first line, if it has one that a person can read. */
static bool complain_said(const struct br_config *config, const struct check *c,
    struct br_err *err)
{
	struct prim_slice rest = prim_buf_slice(&c->said);
	struct prim_slice line = prim_slice_trim(prim_slice_cut(&rest, '\n'));
	char *text;

	if (line.len == 0)
		return complain(config, c->adapter,
		    "its plugin refuses the options without a reason", err);
	text = prim_slice_copy(line);
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	if (has_place(line))
		br_err_set(err, "%s:%s", config->file, text);
	else
		complain(config, c->adapter, text, err);
	prim_free(text);
	return false;
}

static bool run(const struct br_config *config, struct check *c,
    const char *program, struct br_err *err)
{
	char what[200];

	if (!spawn(c, program)) {
		snprintf(what, sizeof(what), "cannot start primd-adapter: %s",
		    strerror(errno));
		return complain(config, c->adapter, what, err);
	}
	converse(c);
	if (!wait_end(c))
		return complain(config, c->adapter,
		    "its plugin did not check the options in 10 seconds", err);
	if (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0)
		return true;
	if (WIFEXITED(c->status))
		return complain_said(config, c, err);
	snprintf(what, sizeof(what), "its plugin died of signal %d",
	    WTERMSIG(c->status));
	return complain(config, c->adapter, what, err);
}

bool br_config_check_adapters(const struct br_config *config,
    struct br_err *err)
{
	char program[BR_PLACE_MAX];
	bool ok = true;

	if (!br_place_program("primd-adapter", program))
		return br_err_set(err, "%s:1:1: cannot find primd-adapter",
		    config->file);
	for (size_t i = 0; ok && i < config->adapter_count; i++) {
		struct check c = {
			.adapter = &config->adapters[i],
			.until_ms = br_clock_steady_ms() + LIMIT_MS,
			.in = -1,
			.out = -1,
		};

		ok = run(config, &c, program, err);
		close_end(&c.in);
		close_end(&c.out);
		prim_buf_fini(&c.said);
	}
	return ok;
}
