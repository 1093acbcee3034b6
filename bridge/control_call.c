/* SPDX-License-Identifier: ISC */
/* Asking a running primd: one line there, one line back. */

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "bridge/control.h"
#include "bridge/control_place.h"
#include "prim/base.h"
#include "prim/buf.h"

#define CALL_SECONDS 30
#define READ_OCTETS  65536

static bool send_all(int fd, struct prim_slice s, struct br_err *err)
{
	while (s.len > 0) {
		ssize_t n = send(fd, s.ptr, s.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return br_err_set(err, "cannot talk to primd: %s",
			    strerror(errno));
		s = prim_slice_from(s, (size_t)n);
	}
	return true;
}

static bool send_request(int fd, const json_t *request, struct br_err *err)
{
	char *text = json_dumps(request, JSON_COMPACT);
	struct prim_buf line = { 0 };
	bool ok;

	if (!text)
		return br_err_set(err, "the arguments are not UTF-8");
	prim_buf_puts(&line, text);
	prim_buf_putc(&line, '\n');
	if (line.len > BR_CONTROL_REQUEST_MAX)
		ok = br_err_set(err, "the arguments are too long");
	else
		ok = send_all(fd, prim_buf_slice(&line), err);
	/* It may hold a password. */
	explicit_bzero(text, strlen(text));
	explicit_bzero(line.ptr, line.len);
	free(text);
	prim_buf_fini(&line);
	return ok;
}

/* Reads until primd closes; it does so after its one line. */
static bool read_answer(int fd, struct prim_buf *b, struct br_err *err)
{
	while (b->len <= BR_CONTROL_ANSWER_MAX) {
		ssize_t n = read(fd, prim_buf_room(b, READ_OCTETS),
		    READ_OCTETS);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return br_err_set(err,
			    "primd did not answer within %d seconds",
			    CALL_SECONDS);
		if (n < 0)
			return br_err_set(err, "cannot hear primd: %s",
			    strerror(errno));
		if (n == 0)
			return true;
		prim_buf_grow(b, (size_t)n);
	}
	return br_err_set(err, "the answer of primd is too long");
}

static bool converse(int fd, const json_t *request, json_t **out_answer,
    struct br_err *err)
{
	struct prim_buf b = { 0 };
	json_t *answer = NULL;
	bool ok;

	ok = send_request(fd, request, err) && read_answer(fd, &b, err);
	if (ok && b.len == 0)
		ok = br_err_set(err,
		    "primd closed the control socket without an answer; it is "
		    "stopping, or runs as another user than you and root");
	if (ok) {
		answer = json_loadb(b.ptr, b.len, 0, NULL);
		if (!json_is_object(answer))
			ok = br_err_set(err, "the answer of primd is broken");
	}
	prim_buf_fini(&b);
	if (ok)
		*out_answer = answer;
	else
		json_decref(answer);
	return ok;
}

static bool set_timeouts(int fd)
{
	struct timeval t = { .tv_sec = CALL_SECONDS };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) == 0;
}

static enum br_control_outcome why_not(const char *data_dir, struct br_err *err)
{
	if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
		return BR_CONTROL_NO_SERVER;
	if (errno == EACCES || errno == EPERM)
		br_err_set(err,
		    "not allowed to talk to the primd of %s; run primctl as "
		    "root or as the user of primd",
		    data_dir);
	else
		br_err_set(err, "cannot talk to the primd of %s: %s", data_dir,
		    strerror(errno));
	return BR_CONTROL_FAILED;
}

enum br_control_outcome br_control_call(const char *data_dir,
    const struct json_t *request, struct json_t **out_answer,
    struct br_err *err)
{
	struct br_control_place place;
	enum br_control_outcome outcome = BR_CONTROL_FAILED;
	int fd;

	if (!br_control_place_open(data_dir, &place, err))
		return why_not(data_dir, err);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !set_timeouts(fd))
		br_err_set(err, "no socket: %s", strerror(errno));
	else if (connect(fd, (const struct sockaddr *)&place.address,
		     sizeof(place.address)) != 0)
		outcome = why_not(data_dir, err);
	else if (converse(fd, request, out_answer, err))
		outcome = BR_CONTROL_ANSWERED;
	if (fd >= 0)
		close(fd);
	br_control_place_close(&place);
	return outcome;
}
