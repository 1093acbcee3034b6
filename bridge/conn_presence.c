/* SPDX-License-Identifier: ISC */
/* Presence on its way to a client. */

#include "bridge/conn_private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "bridge/ask.h"
#include "bridge/metric.h"
#include "bridge/subscription.h"
#include "prim/base.h"

/* More than this unread by the client, and its NOTIFYs wait. */
#define NOTIFY_OUTPUT_MAX (256U << 10)
/* Questions since the oldest that is not answered: more, and it is closed. */
#define QUESTIONS_SINCE_MAX 65536U
#define BY_REFERENCE_MIN    4096U /* smaller bodies are cheaper copied */

static void on_body_sent(const void *octets, size_t len, void *arg)
{
	(void)octets;
	(void)len;
	prim_document_unref(arg);
}

static void put_body(struct evbuffer *out, struct prim_document *view)
{
	if (view->body.len < BY_REFERENCE_MIN)
		evbuffer_add(out, view->body.ptr, view->body.len);
	else
		evbuffer_add_reference(out, view->body.ptr, view->body.len,
		    on_body_sent, prim_document_ref(view));
}

static struct prim_slice presentity_of(const struct prim_feed *f)
{
	struct prim_subscription *s = f->subscription;

	return br_remote_is(s)
	    ? br_remote_presentity(s)
	    : br_entity_uri(br_subscription_presentity(br_subscription_of(s)));
}

static void put_names(struct prim_buf *b, const struct br_conn *c,
    struct prim_slice presentity)
{
	prim_command_put_header(b, PRIM_HEADER_FROM, presentity);
	prim_command_put_header(b, PRIM_HEADER_TO, br_entity_uri(c->entity));
}

static void send_notify(struct br_conn *c, struct prim_feed *f,
    struct prim_document *view)
{
	static struct prim_buf head; /* the loop's only */
	struct evbuffer *out = bufferevent_get_output(c->bev);
	enum prim_family family = c->session.families[0];
	char id[BR_ASK_ID_MAX];

	f->question.id = prim_pending_put(&c->session.asked, &f->question);
	prim_buf_reset(&head);
	prim_command_put_request(&head, PRIM_METHOD_NOTIFY, family,
	    br_ask_id(f->question.id, id), view->body.len);
	put_names(&head, c, presentity_of(f));
	br_presence_put_view(&head, family, view);
	prim_command_end(&head);
	evbuffer_add(out, head.ptr, head.len);
	put_body(out, view);
	br_metric_add(BR_METRIC_NOTIFIES, 1);
}

static bool outlet_notify(struct prim_outlet *o, struct prim_feed *f)
{
	struct br_conn *c = PRIM_CONTAINER(o, struct br_conn, outlet);
	struct prim_document *view;

	if (c->is_closing || c->is_handshaking || c->is_finishing || c->doom)
		return false;
	if (prim_pending_span(&c->session.asked) >= QUESTIONS_SINCE_MAX) {
		br_conn_doom(c, "it does not answer");
		return false;
	}
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) >
	    NOTIFY_OUTPUT_MAX)
		return false;
	view = prim_source_view(prim_feed_source(f), PRIM_FORM_CLIENT);
	if (view->body.len <= c->session.max_content) /* PRIM-193 */
		send_notify(c, f, view);
	return true;
}

static void outlet_forget(struct prim_outlet *o, struct prim_feed *f)
{
	struct br_conn *c = PRIM_CONTAINER(o, struct br_conn, outlet);

	prim_pending_take(&c->session.asked, f->question.id);
}

/* ERR-89, unless it speaks for others: who has not subscribed on this
 * connection may well not know it. */
static void outlet_unwanted(struct prim_outlet *o, struct prim_subscription *s)
{
	if (o->watcher->outlet_count > 1)
		return;
	if (br_remote_is(s))
		br_remote_end_of(s, true);
	else
		br_subscription_end(br_subscription_of(s), false, true);
}

const struct prim_outlet_ops br_conn_outlet_ops = {
	.notify = outlet_notify,
	.forget = outlet_forget,
	.unwanted = outlet_unwanted,
};

static void send_cancel(struct br_conn *c, struct prim_slice presentity)
{
	static struct prim_buf head; /* the loop's only */

	if (c->is_closing || c->is_handshaking)
		return;
	prim_buf_reset(&head);
	prim_command_put_request(&head, PRIM_METHOD_CANCELSUBSCRIPTION,
	    c->session.families[0], PRIM_SLICE("-"), 0);
	put_names(&head, c, presentity);
	prim_command_end(&head);
	br_conn_write(c, prim_buf_slice(&head));
}

void br_conn_cancel_all(struct prim_watcher *w, struct prim_slice presentity)
{
	struct prim_outlet *o;

	LIST_FOREACH(o, &w->outlets, of_watcher)
		send_cancel(PRIM_CONTAINER(o, struct br_conn, outlet),
		    presentity);
}
