/* SPDX-License-Identifier: ISC */
/* prim send: one message, and the truth about it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contrib/client/commands.h"
#include "contrib/client/message.h"
#include "contrib/client/session.h"
#include "contrib/client/show.h"
#include "prim/base.h"
#include "prim/utf8.h"

#define TEXT_MAX    (64 << 20)
#define READ_OCTETS 65536
#define TRIES       2 /* ERR-75: an unanswered SEND is sent again */

/* All of standard input, without a last line break. */
static bool read_input(struct prim_buf *b, struct cl_err *err)
{
	ssize_t n;

	do {
		n = read(STDIN_FILENO, prim_buf_room(b, READ_OCTETS),
		    READ_OCTETS);
		if (n < 0 && errno != EINTR)
			return cl_err_set(err, "cannot read the text: %s",
			    strerror(errno));
		if (n > 0)
			prim_buf_grow(b, (size_t)n);
		if (b->len > TEXT_MAX)
			return cl_err_set(err, "the text is too long");
	} while (n != 0);
	if (b->len > 0 && b->ptr[b->len - 1] == '\n')
		b->len--;
	if (b->len > 0 && b->ptr[b->len - 1] == '\r')
		b->len--;
	return true;
}

static bool read_text(const struct cl_options *options, struct prim_buf *b,
    struct cl_err *err)
{
	if (options->text)
		prim_buf_puts(b, options->text);
	else if (!read_input(b, err))
		return false;
	if (b->len == 0)
		return cl_err_set(err, "the text is empty; nothing was sent");
	if (!prim_utf8_ok(prim_buf_slice(b)))
		return cl_err_set(err,
		    "the text is not UTF-8; nothing was sent");
	return true;
}

static bool fits(const struct cl_session *s, size_t len, struct cl_err *err)
{
	if (s->body_max == 0 || len <= s->body_max)
		return true;
	return cl_err_final(err,
	    "the text is too long: %zu octets, and %s takes %llu; nothing was "
	    "sent",
	    len, s->options->host, (unsigned long long)s->body_max);
}

/* One connection. True: the answer is in s->command. `out_in_doubt`: the
 * message went out. */
static bool try_once(struct cl_session *s, struct cl_outgoing m,
    int64_t deadline_ms, bool *out_in_doubt, struct cl_err *err)
{
	struct prim_buf b = { 0 };
	char id[CL_SESSION_ID_MAX];
	bool ok;

	if (!cl_session_open(s, s->options, deadline_ms, err) ||
	    !fits(s, m.text.len, err))
		return false;
	cl_session_id(s, id);
	m.id = id;
	cl_message_put_send(&b, s->options, &m);
	*out_in_doubt = true;
	ok = cl_session_ask(s, &b, id, deadline_ms, err);
	prim_buf_fini(&b);
	return ok;
}

static int tell(const struct cl_options *options, const struct cl_outgoing *m,
    unsigned code, struct prim_slice reason)
{
	struct cl_sent sent = {
		.message_id = m->message_id,
		.conversation = m->conversation,
		.text = m->text,
		.code = code,
		.reason = reason,
	};

	if (!cl_show_fate(options, &sent))
		return EXIT_FAILURE;
	return cl_message_is_sent(code) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int send_message(struct cl_session *s, const struct cl_outgoing *m)
{
	const struct cl_options *options = s->options;
	int64_t wait_ms = options->timeout_ms ? options->timeout_ms
					      : CL_SESSION_ANSWER_MS;
	int64_t deadline_ms = cl_link_now_ms() + wait_ms;
	struct cl_err err = { .is_final = false };
	bool in_doubt = false;

	for (int i = 0; i < TRIES; i++) {
		bool ok = try_once(s, *m, deadline_ms, &in_doubt, &err);
		unsigned code = s->command.code;
		char *reason = ok
		    ? prim_slice_copy(cl_message_reason(&s->command))
		    : NULL;

		cl_session_close(s);
		if (ok) {
			int status = tell(options, m, code,
			    prim_slice_of(reason));

			prim_free(reason);
			return status;
		}
		if (!in_doubt || err.is_final ||
		    cl_link_now_ms() >= deadline_ms)
			break;
	}
	cl_err_note("%s%s",
	    in_doubt ? "it is not known whether the message arrived: " : "",
	    err.text);
	return EXIT_FAILURE;
}

int cl_send_run(const struct cl_options *options)
{
	struct cl_session *s = prim_new(struct cl_session);
	struct prim_buf text = { 0 };
	struct cl_outgoing m = { 0 };
	struct cl_err err;
	char *message_id = cl_message_id_new(options);
	char *conversation = cl_message_conversation_new(options);
	int code = EXIT_FAILURE;

	s->options = options;
	s->link.fd = -1;
	m.message_id = prim_slice_of(message_id);
	m.conversation = prim_slice_of(conversation);
	m.written_ms = cl_message_wall_ms();
	if (read_text(options, &text, &err)) {
		m.text = prim_buf_slice(&text);
		code = send_message(s, &m);
	} else {
		cl_err_note("%s", err.text);
	}
	prim_free(message_id);
	prim_free(conversation);
	prim_buf_fini(&text);
	prim_free(s);
	return code;
}
