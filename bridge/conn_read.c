/* SPDX-License-Identifier: ISC */
/* What comes in on a client's connection, cut into commands. */

#include "bridge/conn_private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "bridge/metric.h"

/* Octets read ahead, beyond what is needed: at least a whole head. */
#define INPUT_MARK (PRIM_HEAD_MAX + 65536U)

void br_conn_set_mark(struct br_conn *c)
{
	bufferevent_setwatermark(c->bev, EV_READ, 0,
	    (size_t)c->need + INPUT_MARK);
}

static void wait_for(struct br_conn *c, uint64_t octets)
{
	bool is_far = octets > INPUT_MARK || c->need > INPUT_MARK;

	c->need = octets;
	if (is_far)
		br_conn_set_mark(c);
}

static void skip_body(struct br_conn *c, struct evbuffer *in)
{
	size_t there = evbuffer_get_length(in);
	size_t now = c->skip < there ? (size_t)c->skip : there;

	evbuffer_drain(in, now);
	c->skip -= now;
}

static void consume(struct br_conn *c, struct evbuffer *in, size_t len)
{
	c->scanned = 0;
	evbuffer_drain(in, len);
	wait_for(c, 0);
	if (c->is_handshaking && evbuffer_get_length(in) > 0)
		br_conn_close(c, "octets after STARTTLS"); /* PRIM-079 */
}

static void count_bad(struct br_conn *c)
{
	br_metric_add(BR_METRIC_BAD_REQUESTS, c->session.bad_requests);
	c->session.bad_requests = 0;
}

/* A request that was heard, or refused by its head. */
static void count(struct br_conn *c, const struct prim_command *cmd)
{
	if (!cmd->is_response)
		br_metric_add(BR_METRIC_REQUESTS, 1);
	count_bad(c);
}

/* A head whose body is not all there. False: stop reading for now. */
static bool head_only(struct br_conn *c, struct evbuffer *in,
    const struct prim_command *cmd)
{
	switch (prim_session_screen(&c->session, cmd)) {
	case PRIM_SESSION_TAKE:
		c->scanned = 0;
		wait_for(c, cmd->head.len + cmd->body_len);
		return false;
	case PRIM_SESSION_SKIP:
		count(c, cmd);
		c->skip = cmd->body_len;
		consume(c, in, cmd->head.len);
		return true;
	case PRIM_SESSION_END:
		count(c, cmd);
		return false;
	}
	return false;
}

/* As much as lies together, or all of it up to what a head can be. */
static struct prim_slice look(struct evbuffer *in, bool is_split)
{
	size_t len = evbuffer_get_length(in);
	size_t together = evbuffer_get_contiguous_space(in);

	if (!is_split)
		len = together;
	else if (len > PRIM_HEAD_MAX + 1 && together <= PRIM_HEAD_MAX + 1)
		len = PRIM_HEAD_MAX + 1;
	return prim_slice_make((const char *)evbuffer_pullup(in,
				   (ptrdiff_t)len),
	    len);
}

/* The next head; `cmd` borrows from `in`. */
static enum prim_command_status next_head(struct br_conn *c,
    struct evbuffer *in, struct prim_command *cmd)
{
	struct prim_slice seen = look(in, false);
	enum prim_command_status status = prim_command_head(seen, &c->scanned,
	    cmd);

	if (status == PRIM_COMMAND_MORE && seen.len < evbuffer_get_length(in))
		status = prim_command_head(look(in, true), &c->scanned, cmd);
	return status;
}

static void complete(struct br_conn *c, struct evbuffer *in,
    struct prim_command *cmd)
{
	size_t len = cmd->head.len + (size_t)cmd->body_len;
	size_t head_len = cmd->head.len;

	if (evbuffer_get_contiguous_space(in) < len) {
		/* Moved together, so the head has to be read again. */
		const char *all = (const char *)evbuffer_pullup(in,
		    (ptrdiff_t)len);

		c->scanned = 0;
		prim_command_head(prim_slice_make(all, len), &c->scanned, cmd);
	}
	cmd->body = prim_slice_make(cmd->head.ptr + head_len,
	    (size_t)cmd->body_len);
	prim_session_command(&c->session, cmd);
	count(c, cmd);
	consume(c, in, len);
}

/* One step of reading. False: wait for more, or for ever. */
bool br_conn_read_step(struct br_conn *c, struct evbuffer *in)
{
	static struct prim_command cmd; /* large; the loop's only */
	size_t there;

	if (c->skip)
		skip_body(c, in);
	there = evbuffer_get_length(in);
	if (c->skip || there == 0 || there < c->need)
		return false;
	switch (next_head(c, in, &cmd)) {
	case PRIM_COMMAND_MORE:
		return false;
	case PRIM_COMMAND_BROKEN:
		prim_session_broken(&c->session, &cmd);
		count_bad(c);
		return false;
	case PRIM_COMMAND_HEAD:
		break;
	}
	if (there - cmd.head.len < cmd.body_len)
		return head_only(c, in, &cmd);
	complete(c, in, &cmd);
	return true;
}
