/* SPDX-License-Identifier: ISC */
/* What the bridge says: every answer is an instant message. */

#include "bridge/service_private.h"

#include <stdio.h>

#include "bridge/transit.h"
#include "prim/base.h"

#define WEEK_MS  INT64_C(604800000)
#define TEXT_MAX 8192 /* some addresses, and words around them */

struct letter {
	struct prim_slice to;           /* key */
	struct prim_slice conversation; /* empty: one of its own */
	struct prim_slice text;
};

/* "primbridge@<domain>", where the question went. */
static struct prim_slice self(const struct br_service_talk *t)
{
	return t->question->recipient;
}

/* The same for a question that comes again, so that the answer is known to be
 * the same one; but with every code another, for the newest has to arrive. */
static struct prim_digest letter_token(const struct br_service_talk *t,
    const struct letter *l)
{
	struct prim_hasher h;

	prim_hasher_init(&h, &t->service->server->keys.delivery);
	prim_hasher_feed_field(&h, PRIM_SLICE("service"));
	prim_hasher_feed_field(&h,
	    prim_slice_make((const char *)t->question->key.octets,
		PRIM_DIGEST_LEN));
	prim_hasher_feed_field(&h, l->to);
	if (!l->conversation.len)
		prim_hasher_feed_field(&h, prim_slice_of(t->code));
	return prim_hasher_digest(&h);
}

static void put_head(struct prim_buf *b, const struct br_service_talk *t,
    const struct letter *l)
{
	struct prim_digest token = letter_token(t, l);
	struct prim_buf value = { 0 };

	prim_buf_puts(&value, "im:");
	prim_buf_put(&value, self(t));
	prim_command_put_header(b, PRIM_HEADER_FROM, prim_buf_slice(&value));
	prim_buf_reset(&value);
	prim_buf_puts(&value, "im:");
	prim_buf_put(&value, l->to);
	prim_command_put_header(b, PRIM_HEADER_TO, prim_buf_slice(&value));
	prim_buf_reset(&value);
	prim_buf_put_hex(&value, token.octets, PRIM_DIGEST_LEN);
	if (!l->conversation.len)
		prim_command_put_header(b, PRIM_HEADER_CONVERSATION_ID,
		    prim_buf_slice(&value));
	else
		prim_command_put_header(b, PRIM_HEADER_CONVERSATION_ID,
		    l->conversation);
	/* A Message-ID has the address of its maker (ERR-44). */
	prim_buf_puts(&value, ":im:");
	prim_buf_put(&value, self(t));
	prim_command_put_header(b, PRIM_HEADER_MESSAGE_ID,
	    prim_buf_slice(&value));
	prim_command_put_header(b, PRIM_HEADER_CONTENT_TYPE,
	    PRIM_SLICE("text/plain; charset=UTF-8"));
	prim_buf_fini(&value);
}

static void post(const struct br_service_talk *t, const struct letter *l)
{
	static struct prim_command c; /* large; the loop's only */
	struct br_server *s = t->service->server;
	struct prim_buf head = { 0 };
	struct br_message_source source = {
		.command = &c,
		.sender = self(t),
		.recipient = l->to,
		.origin = PRIM_SLICE(BR_ORIGIN_SELF),
		.date = br_clock_date(&s->clock),
		.strength = PRIM_ASTRENGTH_STRONG,
		.hops = t->question->hops,
		.accepted_ms = br_server_now(s),
		.expires_ms = br_server_now(s) + WEEK_MS,
	};

	put_head(&head, t, l);
	if (prim_command_lines(prim_buf_slice(&head), &c)) {
		c.body = l->text;
		c.body_len = l->text.len;
		br_transit_post(s, br_message_new(&source, &s->keys));
	}
	prim_buf_fini(&head);
}

void br_service_tell(struct br_service_talk *t, struct prim_slice key,
    struct prim_slice text)
{
	const struct letter letter = { .to = key, .text = text };

	post(t, &letter);
}

void br_service_answer(struct br_service_talk *t)
{
	struct letter letter = {
		.to = br_service_asker(t),
		.conversation = t->question->conversation_id,
	};

	if (t->has_more)
		prim_buf_puts(&t->text,
		    "\nI read only the first line of a message, and what "
		    "stands below it was not done. Send each command by "
		    "itself.");
	letter.text = prim_buf_slice(&t->text);
	post(t, &letter);
	br_service_end(t, PRIM_OK);
}

void br_service_answer_with(struct br_service_talk *t, const char *format, ...)
{
	va_list args;
	int len;

	prim_buf_reset(&t->text);
	va_start(args, format);
	len = vsnprintf(prim_buf_room(&t->text, TEXT_MAX), TEXT_MAX, format,
	    args);
	va_end(args);
	prim_buf_grow(&t->text, (size_t)(len < TEXT_MAX ? len : TEXT_MAX - 1));
	br_service_answer(t);
}
