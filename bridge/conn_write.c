/* SPDX-License-Identifier: ISC */
/* What goes out on a client's connection. */

#include "bridge/conn_private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>

#include "bridge/server.h"
#include "bridge/transit.h"
#include "prim/base.h"

/* More than this unread by the client: it is closed (PRIM-289). */
#define OUTPUT_MAX (8U << 20)
/* More than this, and it gets no further messages for now. */
#define OFFER_OUTPUT_MAX (2U << 20)
#define OFFERS_MAX       1024U
/* Offers since the oldest that is not answered: more, and it is closed. */
#define OFFERS_SINCE_MAX 65536U
#define BY_REFERENCE_MIN 4096U /* smaller bodies are cheaper copied */

void br_conn_doom(struct br_conn *c, const char *why)
{
	if (c->doom || c->is_closing)
		return;
	c->doom = why;
	TAILQ_INSERT_TAIL(&c->server->doomed, c, of_doomed);
}

void br_conn_write(struct br_conn *c, struct prim_slice octets)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (c->doom)
		return;
	if (evbuffer_get_length(out) + octets.len > OUTPUT_MAX)
		br_conn_doom(c, "it does not read");
	else
		evbuffer_add(out, octets.ptr, octets.len);
}

void br_conn_maybe_finish(struct br_conn *c)
{
	if (c->is_finishing && c->peer.ticket_count == 0)
		br_conn_doom(c, "logout");
}

static void peer_respond(struct br_peer *peer, struct prim_slice response)
{
	struct br_conn *c = PRIM_CONTAINER(peer, struct br_conn, peer);

	if (c->is_closing)
		return;
	br_conn_write(c, response);
	br_conn_maybe_finish(c);
}

const struct br_peer_ops br_conn_peer_ops = { .respond = peer_respond };

/* ---- messages ---- */

static void on_body_sent(const void *octets, size_t len, void *arg)
{
	(void)octets;
	(void)len;
	br_message_unref(arg);
}

static void put_body(struct evbuffer *out, struct br_message *m)
{
	if (m->body.len < BY_REFERENCE_MIN)
		evbuffer_add(out, m->body.ptr, m->body.len);
	else
		evbuffer_add_reference(out, m->body.ptr, m->body.len,
		    on_body_sent, br_message_ref(m));
}

static void offer_answered(struct prim_question *q,
    const struct prim_command *c)
{
	prim_offer_answer(PRIM_CONTAINER(q, struct prim_offer, question),
	    br_conn_code(c->code));
}

bool br_conn_offer(struct prim_listener *l, struct prim_offer *offer)
{
	static struct prim_buf head; /* the loop's only */
	struct br_conn *c = PRIM_CONTAINER(l, struct br_conn, listener);
	struct br_message *m = br_transit_message(offer);
	struct evbuffer *out;
	char id[24];
	int len;

	if (c->is_closing || c->is_handshaking || c->is_finishing || c->doom)
		return false;
	if (prim_pending_span(&c->session.asked) >= OFFERS_SINCE_MAX) {
		br_conn_doom(c, "it does not answer");
		return false;
	}
	out = bufferevent_get_output(c->bev);
	if (m->body.len > c->session.max_content || /* PRIM-108 */
	    l->offer_count > OFFERS_MAX ||
	    evbuffer_get_length(out) > OFFER_OUTPUT_MAX)
		return false;
	offer->question.answered = offer_answered;
	len = snprintf(id, sizeof(id), "%llu",
	    (unsigned long long)prim_pending_put(&c->session.asked,
		&offer->question));
	prim_buf_reset(&head);
	prim_command_put_request(&head, PRIM_METHOD_SEND,
	    c->session.families[1], prim_slice_make(id, (size_t)len),
	    m->body.len);
	prim_buf_put(&head, m->lines);
	prim_command_end(&head);
	evbuffer_add(out, head.ptr, head.len);
	put_body(out, m);
	return true;
}
