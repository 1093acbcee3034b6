/* SPDX-License-Identifier: ISC */
/* Lines of JSON about what comes and goes. */

#include "adapters/fault/record.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "prim/imdn.h"

bool fa_record_open(struct fa_record *r, struct bridge *b, unsigned port)
{
	const struct sockaddr_in where = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	r->bridge = b;
	r->fd = -1;
	if (port == 0)
		return true;
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd >= 0 &&
	    connect(r->fd, (const struct sockaddr *)&where, sizeof(where)) == 0)
		return true;
	bridge_log(b, BRIDGE_ERROR, "nobody records at port=%u", port);
	return false;
}

void fa_record_close(struct fa_record *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	prim_buf_fini(&r->line);
}

/* ---- a line ---- */

static void put_text(struct prim_buf *b, const char *name, struct prim_slice s)
{
	prim_buf_putf(b, ",\"%s\":\"", name);
	for (size_t i = 0; i < s.len; i++) {
		const unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c == 0x7f)
			prim_buf_putf(b, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			prim_buf_putf(b, "\\%c", c);
		else
			prim_buf_putc(b, s.ptr[i]);
	}
	prim_buf_putc(b, '"');
}

static void put_number(struct prim_buf *b, const char *name, unsigned value)
{
	prim_buf_putf(b, ",\"%s\":%u", name, value);
}

/* FNV-1a, 64 bit, so that everybody can compute it. */
static void put_hash(struct prim_buf *b, struct prim_slice body)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < body.len; i++)
		hash = (hash ^ (unsigned char)body.ptr[i]) * 0x100000001b3U;
	prim_buf_putf(b, ",\"hash\":\"%016llx\"", (unsigned long long)hash);
}

/* Addresses are written without their scheme. */
static void put_address(struct prim_buf *b, const char *name,
    struct prim_slice uri)
{
	prim_slice_cut(&uri, ':');
	put_text(b, name, uri);
}

static struct prim_buf *begin(struct fa_record *r, const char *event,
    struct prim_slice who)
{
	prim_buf_reset(&r->line);
	prim_buf_putf(&r->line, "{\"t\":%lld,\"event\":\"%s\"",
	    (long long)bridge_now_ms(r->bridge), event);
	put_address(&r->line, "who", who);
	return &r->line;
}

/* Waits for whoever reads: a line that is lost would be a lie. */
static void end(struct fa_record *r)
{
	struct prim_slice rest;
	ssize_t n = 1;

	prim_buf_puts(&r->line, "}\n");
	for (rest = prim_buf_slice(&r->line); rest.len > 0 && n > 0;
	     rest = prim_slice_from(rest, n > 0 ? (size_t)n : 0))
		n = send(r->fd, rest.ptr, rest.len, MSG_NOSIGNAL);
}

/* ---- what is told ---- */

const char *fa_record_kind(const struct bridge_message *m)
{
	static const char *const KINDS[] = {
		[PRIM_IMDN_DELIVERED] = "delivered",
		[PRIM_IMDN_FAILED] = "failed",
		[PRIM_IMDN_STORED] = "delayed",
		[PRIM_IMDN_PROCESSED] = "processed",
		[PRIM_IMDN_DISPLAYED] = "displayed",
		[PRIM_IMDN_FORBIDDEN] = "forbidden",
		[PRIM_IMDN_ERROR] = "error",
	};

	return KINDS[m->notice->status];
}

static void got_notice(struct fa_record *r, const struct bridge_message *m)
{
	const struct prim_imdn *n = m->notice;
	struct prim_buf *b = begin(r, "notice", m->to);

	put_text(b, "id", n->message_id);
	put_address(b, "to",
	    n->original_recipient.len > 0 ? n->original_recipient
					  : n->recipient);
	put_text(b, "kind", prim_slice_of(fa_record_kind(m)));
	if (n->code > 0)
		put_number(b, "code", n->code);
	put_text(b, "notice", m->message_id);
	put_text(b, "return", m->return_token);
	put_text(b, "delivery", m->delivery_id);
	end(r);
}

void fa_record_got(struct fa_record *r, const struct bridge_message *m,
    unsigned code)
{
	struct prim_buf *b;

	if (r->fd < 0)
		return;
	if (m->notice) {
		got_notice(r, m);
		return;
	}
	b = begin(r, "got", m->to);
	put_address(b, "from", m->from);
	put_text(b, "id", m->message_id);
	put_text(b, "conversation", m->conversation_id);
	put_text(b, "delivery", m->delivery_id);
	put_number(b, "attempt", m->attempt);
	put_number(b, "hops", m->hops);
	put_hash(b, m->body);
	if (m->original_from.len > 0)
		put_address(b, "original_from", m->original_from);
	if (m->original_to.len > 0)
		put_address(b, "original_to", m->original_to);
	if (code > 0)
		put_number(b, "answer", code);
	else
		prim_buf_puts(b, ",\"answer\":null");
	end(r);
}

void fa_record_sent(struct fa_record *r, const struct bridge_message *m)
{
	struct prim_buf *b;

	if (r->fd < 0)
		return;
	b = begin(r, "send", m->from);
	put_address(b, "to", m->to);
	put_text(b, "id", m->message_id);
	put_text(b, "conversation", m->conversation_id);
	put_hash(b, m->body);
	if (m->original_from.len > 0)
		put_address(b, "original_from", m->original_from);
	put_number(b, "at", (unsigned)getpid());
	put_number(b, "n", ++r->number);
	end(r);
}

void fa_record_answer(struct fa_record *r, struct prim_slice from,
    struct prim_slice to, const struct bridge_outcome *o)
{
	struct prim_buf *b;

	if (r->fd < 0)
		return;
	b = begin(r, "answer", from);
	put_address(b, "to", to);
	put_text(b, "id", o->message_id);
	put_number(b, "code", o->code);
	end(r);
}
