/* SPDX-License-Identifier: ISC */
/* The strict reading of an adapter link. */

#include "bridge/link.h"

#include <event2/buffer.h>
#include <string.h>

#include "prim/base.h"

/* A buffer that once held a large body is not kept at that size. */
#define KEPT_MAX ((size_t)256 * 1024)

void br_link_init(struct br_link *l, const struct br_link_ops *ops, void *ctx)
{
	memset(l, 0, sizeof(*l));
	l->ops = ops;
	l->ctx = ctx;
	l->fd = -1;
	l->backlog_max = SIZE_MAX;
	l->body_max = UINT32_MAX;
	l->out = evbuffer_new();
}

void br_link_fini(struct br_link *l)
{
	br_link_close(l);
	prim_buf_fini(&l->in);
	if (l->out)
		evbuffer_free(l->out);
	l->out = NULL;
}

static void fail(struct br_link *l, const char *why)
{
	br_link_close(l);
	l->ops->gone(l->ctx, why);
}

/* What is wrong with a head, whatever its method; NULL: nothing. */
static const char *complain(const struct br_link *l)
{
	const struct prim_command *c = &l->command;

	if (c->head.ptr[0] == '\r')
		return "an empty line before a start line";
	if (!prim_slice_eq(c->version, PRIM_SLICE("PRIM/1.0")))
		return "a version other than PRIM/1.0";
	if (c->is_malformed)
		return "a malformed header";
	if (c->body_len > l->body_max)
		return "a body that is too long";
	if (c->body_len > 0 && !prim_command_has(c, PRIM_HEADER_CONTENT_TYPE))
		return "a body without Content-Type";
	return NULL;
}

/* Looks for a complete command at the front of `in` and says how long it is;
 * 0: there is none, or the link is closed now. A head whose body is still
 * coming is read twice, never more often. */
static size_t find_command(struct br_link *l, struct prim_slice in)
{
	const char *why = "a broken head";
	size_t total;

	if (in.len == 0 || in.len < l->wanted)
		return 0;
	switch (prim_command_head(in, &l->scanned, &l->command)) {
	case PRIM_COMMAND_MORE:
		return 0;
	case PRIM_COMMAND_BROKEN:
		break;
	case PRIM_COMMAND_HEAD:
		why = complain(l);
		break;
	}
	if (why) {
		fail(l, why);
		return 0;
	}
	l->scanned = 0;
	total = l->command.head.len + (size_t)l->command.body_len;
	l->wanted = total;
	return in.len < total ? 0 : total;
}

/* Hands over every complete command and keeps the rest. */
static void take_commands(struct br_link *l)
{
	struct prim_slice in = prim_buf_slice(&l->in);
	size_t len;

	while (!l->closed && (len = find_command(l, in)) > 0) {
		l->wanted = 0;
		l->command.body = prim_slice_make(in.ptr + l->command.head.len,
		    (size_t)l->command.body_len);
		in = prim_slice_from(in, len);
		l->ops->command(l->ctx, &l->command);
	}
	if (in.len > 0 && in.len < l->in.len)
		memmove(l->in.ptr, in.ptr, in.len);
	l->in.len = in.len;
	if (in.len == 0 && l->in.cap > KEPT_MAX)
		prim_buf_fini(&l->in);
}

void br_link_feed(struct br_link *l, struct prim_slice octets)
{
	if (l->closed)
		return;
	prim_buf_put(&l->in, octets);
	take_commands(l);
}

size_t br_link_waiting(const struct br_link *l)
{
	return evbuffer_get_length(l->out);
}
