/* SPDX-License-Identifier: ISC */
/* The life of an adapter's process. */

#include "bridge/plugin.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/clock.h"
#include "bridge/plugin_private.h"

#define LINK_FD        3
#define ASKS_SIZE      4096 /* twice what can be asked and more */
#define LAST_WORDS_MS  500
#define CHECK_TEXT_MAX BR_YAML_TEXT_MAX

/* The end. */

void br_plugin_end(struct bridge *b, enum plugin_exit code)
{
	if (event_base_got_break(b->base))
		return;
	b->code = code;
	event_base_loopbreak(b->base);
}

static bool is_drained(const struct bridge *b)
{
	return b->draining && b->deliveries.count == 0 && b->submissions == 0 &&
	    b->question_count == 0 && STAILQ_EMPTY(&b->states);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct bridge *b = arg;
	struct plugin_submission *s;
	struct plugin_presence *p;

	(void)fd;
	(void)what;
	while ((s = STAILQ_FIRST(&b->refused))) {
		STAILQ_REMOVE_HEAD(&b->refused, next);
		br_plugin_submit_settle(b, s, s->code);
	}
	while ((p = STAILQ_FIRST(&b->presence_refused))) {
		STAILQ_REMOVE_HEAD(&b->presence_refused, next);
		br_plugin_presence_settle(b, p, p->code);
	}
	if (is_drained(b))
		br_plugin_end(b, PLUGIN_EXIT_DONE);
}

void br_plugin_later(struct bridge *b)
{
	if (b->draining || !STAILQ_EMPTY(&b->refused) ||
	    !STAILQ_EMPTY(&b->presence_refused))
		event_active(b->later, EV_TIMEOUT, 0);
}

/* The begin. */

static void take_rights(struct bridge *b, const struct cmsghdr *rights)
{
	const size_t count = (rights->cmsg_len - CMSG_LEN(0)) /
	    sizeof(b->sockets[0]);

	memcpy(b->sockets, CMSG_DATA(rights), count * sizeof(b->sockets[0]));
	b->socket_count = (unsigned)count;
}

/* The first that comes is an empty line with the listening sockets. */
static bool take_sockets(struct bridge *b)
{
	char text[2];
	struct iovec line = { .iov_base = text, .iov_len = sizeof(text) };
	_Alignas(struct cmsghdr) char space[CMSG_SPACE(sizeof(b->sockets))];
	struct msghdr message = {
		.msg_iov = &line,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *rights;
	ssize_t n;

	do
		n = recvmsg(LINK_FD, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != 2 || memcmp(text, "\r\n", 2) != 0 ||
	    (message.msg_flags & MSG_CTRUNC))
		return false;
	rights = CMSG_FIRSTHDR(&message);
	if (rights && rights->cmsg_level == SOL_SOCKET &&
	    rights->cmsg_type == SCM_RIGHTS)
		take_rights(b, rights);
	return true;
}

/* Wall-clock time is read once, so that it never goes back. */
static void set_clock(struct bridge *b)
{
	b->clock_offset_ms = br_clock_wall_ms() - bridge_now_ms(b);
}

static void init(struct bridge *b)
{
	set_clock(b);
	b->base = event_base_new();
	b->later = event_new(b->base, -1, 0, on_later, b);
	b->body_max = UINT32_MAX;
	STAILQ_INIT(&b->refused);
	STAILQ_INIT(&b->presence_refused);
	STAILQ_INIT(&b->questions);
	br_plugin_state_init(b);
	br_asks_init(&b->asks, ASKS_SIZE);
	br_link_init(&b->link, &br_plugin_link_ops, b);
}

static void release_ask(struct br_ask *ask, void *arg)
{
	(void)arg;
	if (ask->kind == PLUGIN_ASK_SUBMIT)
		ask->what = br_plugin_submission_free(ask->what);
	else if (ask->kind == PLUGIN_ASK_PRESENCE)
		ask->what = br_plugin_presence_free(ask->what);
}

static void release_lists(struct bridge *b)
{
	struct plugin_submission *s;
	struct plugin_presence *p;

	while ((s = STAILQ_FIRST(&b->refused))) {
		STAILQ_REMOVE_HEAD(&b->refused, next);
		br_plugin_submission_free(s);
	}
	while ((p = STAILQ_FIRST(&b->presence_refused))) {
		STAILQ_REMOVE_HEAD(&b->presence_refused, next);
		br_plugin_presence_free(p);
	}
	br_asks_each(&b->asks, release_ask, NULL);
	br_asks_fini(&b->asks);
	br_plugin_delivery_drop_all(b);
	prim_table_fini(&b->deliveries);
	br_plugin_identity_fini(b);
	br_plugin_state_fini(b);
}

static void fini(struct bridge *b)
{
	br_link_fini(&b->link);
	release_lists(b);
	for (unsigned i = 0; i < b->socket_count; i++) {
		if (b->sockets[i] >= 0)
			close(b->sockets[i]);
	}
	br_plugin_unload(&b->plugin);
	b->state = prim_free(b->state);
	br_plugin_config_fini(b);
	prim_buf_fini(&b->scratch);
	prim_buf_fini(&b->retry);
	event_free(b->later);
	event_base_free(b->base);
}

static int run(const char *name, const char *plugin_name)
{
	struct bridge *b = prim_new(struct bridge);
	int code;

	b->name = name;
	b->plugin_name = plugin_name;
	if (!take_sockets(b)) {
		fprintf(stderr,
		    "primd-adapter: descriptor 3 is no link to primd, which "
		    "starts this program; to check options use --check\n");
		prim_free(b);
		return PLUGIN_EXIT_USAGE;
	}
	br_plugin_sandbox_enter();
	fcntl(LINK_FD, F_SETFD, FD_CLOEXEC);
	init(b);
	br_link_open(&b->link, b->base, LINK_FD);
	event_base_dispatch(b->base);
	if (b->started)
		b->plugin.adapter->stop(b->state);
	br_link_flush(&b->link, LAST_WORDS_MS);
	code = (int)b->code;
	fini(b);
	prim_free(b);
	return code;
}

/* --check */

static bool read_all(struct prim_buf *out)
{
	ssize_t n = 1;

	while (n > 0 && out->len <= CHECK_TEXT_MAX) {
		n = read(STDIN_FILENO, prim_buf_room(out, 4096), 4096);
		if (n > 0)
			prim_buf_grow(out, (size_t)n);
	}
	return n == 0;
}

static int check(const char *plugin_name)
{
	struct plugin plugin = { 0 };
	struct prim_buf text = { 0 };
	struct br_err err = { "the options cannot be read" };
	const bool ok = read_all(&text) &&
	    br_plugin_load(&plugin, plugin_name, &err) &&
	    br_plugin_load_options(&plugin, prim_buf_slice(&text), &err);

	if (!ok)
		fprintf(stderr, "%s\n", err.text);
	br_plugin_unload(&plugin);
	prim_buf_fini(&text);
	return ok ? PLUGIN_EXIT_DONE : PLUGIN_EXIT_USAGE;
}

int br_plugin_main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--check") == 0)
		return check(argv[2]);
	if (argc == 3 && argv[1][0] != '-')
		return run(argv[1], argv[2]);
	fprintf(stderr, "usage: primd-adapter --check PLUGIN < OPTIONS\n");
	return PLUGIN_EXIT_USAGE;
}
