/* SPDX-License-Identifier: ISC */
/* prim chat: both directions, line by line. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contrib/client/commands.h"
#include "contrib/client/inbox.h"
#include "contrib/client/message.h"
#include "contrib/client/show.h"
#include "prim/base.h"
#include "prim/utf8.h"

#define WINDOW      32        /* messages under way */
#define LINE_OCTETS (1 << 20) /* longest line */
#define READ_OCTETS 16384

/* A line that was sent and not answered. */
struct pending {
	TAILQ_ENTRY(pending) link;
	char id[CL_SESSION_ID_MAX];
	char *message_id; /* owned; the same on every attempt */
	char *text;       /* owned */
	int64_t written_ms;
};

TAILQ_HEAD(pending_list, pending);

struct chat {
	struct cl_inbox inbox;
	const struct cl_options *options; /* borrowed */
	char *conversation;               /* owned */
	struct prim_buf input;            /* what is not a line yet */
	struct pending_list pending;      /* owned, in the order of sending */
	unsigned pending_count;
	bool input_ended;
	bool failed;         /* something was refused */
	int64_t deadline_ms; /* after the end of the input */
};

static struct pending *pending_free(struct pending *p)
{
	prim_free(p->message_id);
	prim_free(p->text);
	return prim_free(p);
}

static struct pending *pending_drop(struct chat *chat, struct pending *p)
{
	TAILQ_REMOVE(&chat->pending, p, link);
	chat->pending_count--;
	return pending_free(p);
}

static bool pending_send(struct chat *chat, struct pending *p,
    struct cl_err *err)
{
	struct prim_buf b = { 0 };
	struct cl_outgoing m = {
		.message_id = prim_slice_of(p->message_id),
		.conversation = prim_slice_of(chat->conversation),
		.text = prim_slice_of(p->text),
		.written_ms = p->written_ms,
		.id = p->id,
	};
	bool ok;

	cl_session_id(&chat->inbox.session, p->id);
	cl_message_put_send(&b, chat->options, &m);
	ok = cl_session_write(&chat->inbox.session, &b, err);
	prim_buf_fini(&b);
	return ok;
}

/* ---- our lines ---- */

static bool send_line(struct chat *chat, struct prim_slice line,
    struct cl_err *err)
{
	struct pending *p;

	if (prim_slice_ends(line, PRIM_SLICE("\r")))
		line.len--;
	if (line.len == 0)
		return true;
	if (!prim_utf8_ok(line) || memchr(line.ptr, '\0', line.len)) {
		cl_err_note("a line is not UTF-8 and was not sent");
		chat->failed = true;
		return true;
	}
	p = prim_new(struct pending);
	p->message_id = cl_message_id_new(chat->options);
	p->text = prim_slice_copy(line);
	p->written_ms = cl_message_wall_ms();
	TAILQ_INSERT_TAIL(&chat->pending, p, link);
	chat->pending_count++;
	return pending_send(chat, p, err);
}

/* The next line of the input, or what stands behind the last one at its end. */
static bool next_line(const struct chat *chat, struct prim_slice *out_line,
    size_t *out_used)
{
	struct prim_slice input = prim_buf_slice(&chat->input);
	ptrdiff_t end = prim_slice_find(input, '\n');

	if (end < 0 && (!chat->input_ended || input.len == 0))
		return false;
	*out_line = input;
	*out_used = input.len;
	if (end >= 0) {
		out_line->len = (size_t)end;
		*out_used = (size_t)end + 1;
	}
	return true;
}

/* Sends what the window allows. */
static bool send_lines(struct chat *chat, struct cl_err *err)
{
	struct prim_slice line;
	size_t used;

	while (chat->pending_count < WINDOW && next_line(chat, &line, &used)) {
		bool ok = send_line(chat, line, err);

		chat->input.len -= used;
		memmove(chat->input.ptr, chat->input.ptr + used,
		    chat->input.len);
		if (!ok)
			return false;
	}
	return true;
}

static bool read_input(struct chat *chat, struct cl_err *err)
{
	ssize_t n = read(STDIN_FILENO, prim_buf_room(&chat->input, READ_OCTETS),
	    READ_OCTETS);
	int64_t wait_ms = chat->options->timeout_ms;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n > 0) {
		prim_buf_grow(&chat->input, (size_t)n);
		return chat->input.len <= LINE_OCTETS ||
		    cl_err_final(err, "a line is too long; the end");
	}
	chat->input_ended = true;
	chat->deadline_ms = cl_link_now_ms() +
	    (wait_ms > 0 ? wait_ms : CL_SESSION_ANSWER_MS);
	return true;
}

/* ---- answers ---- */

static void take_answer(struct chat *chat)
{
	const struct prim_command *c = &chat->inbox.session.command;
	struct pending *p;

	TAILQ_FOREACH(p, &chat->pending, link) {
		struct cl_sent sent = {
			.message_id = prim_slice_of(p->message_id),
			.conversation = prim_slice_of(chat->conversation),
			.text = prim_slice_of(p->text),
			.code = c->code,
			.reason = cl_message_reason(c),
		};

		if (!prim_slice_eq(c->id, prim_slice_of(p->id)))
			continue;
		if (!cl_show_chat_fate(chat->options, &sent))
			chat->inbox.output_failed = true;
		if (!cl_message_is_sent(c->code))
			chat->failed = true;
		pending_drop(chat, p);
		return;
	}
}

/* ---- the conversation ---- */

/* ERR-75: what was not answered goes again, as it was. */
static bool recover(struct chat *chat, struct cl_err *err)
{
	struct pending *p;

	for (;;) {
		bool ok = true;

		if (!cl_inbox_reopen(&chat->inbox, chat->deadline_ms, err))
			return false;
		TAILQ_FOREACH(p, &chat->pending, link) {
			ok = pending_send(chat, p, err);
			if (!ok)
				break;
		}
		if (ok)
			return true;
	}
}

static bool is_done(const struct chat *chat)
{
	return chat->input_ended && chat->input.len == 0 &&
	    chat->pending_count == 0 &&
	    chat->inbox.shown >= chat->options->count;
}

static bool give_up(const struct chat *chat, struct cl_err *err)
{
	if (chat->pending_count > 0)
		return cl_err_final(err,
		    "the time is over; of %u messages it is not known whether "
		    "they arrived",
		    chat->pending_count);
	return cl_err_final(err, "the time is over and not all messages came");
}

/* One event. False: the end, with `err`. */
static bool turn(struct chat *chat, struct cl_err *err)
{
	bool wants_input = !chat->input_ended && chat->pending_count < WINDOW;

	switch (cl_session_next(&chat->inbox.session,
	    wants_input ? STDIN_FILENO : -1, chat->deadline_ms, err)) {
	case CL_SESSION_RESPONSE:
		take_answer(chat);
		break;
	case CL_SESSION_INPUT:
		if (!read_input(chat, err))
			return false;
		break;
	case CL_SESSION_TIMEOUT:
		return give_up(chat, err);
	case CL_SESSION_LOST:
		return recover(chat, err);
	case CL_SESSION_REQUEST:
		break;
	}
	return send_lines(chat, err) || recover(chat, err);
}

static int converse(struct chat *chat)
{
	struct cl_err err = { .is_final = false };
	int64_t wait_ms = chat->options->timeout_ms;
	int64_t until_ms = cl_link_now_ms() +
	    (wait_ms > 0 ? wait_ms : CL_SESSION_ANSWER_MS);
	bool ok = cl_inbox_open(&chat->inbox, chat->options, until_ms, &err);

	while (ok && !is_done(chat)) {
		ok = turn(chat, &err);
		if (ok && chat->inbox.output_failed)
			ok = cl_err_final(&err,
			    "standard output takes nothing more");
	}
	if (!ok)
		cl_err_note("%s", err.text);
	return ok && !chat->failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cl_chat_run(const struct cl_options *options)
{
	struct chat *chat = prim_new(struct chat);
	struct pending *p;
	int code;

	chat->options = options;
	chat->conversation = cl_message_conversation_new(options);
	chat->deadline_ms = INT64_MAX;
	chat->inbox.session.link.fd = -1;
	TAILQ_INIT(&chat->pending);
	code = converse(chat);
	cl_inbox_close(&chat->inbox);
	while ((p = TAILQ_FIRST(&chat->pending)))
		pending_drop(chat, p);
	prim_free(chat->conversation);
	prim_buf_fini(&chat->input);
	prim_free(chat);
	return code;
}
