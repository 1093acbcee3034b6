/* SPDX-License-Identifier: ISC */
/* Presence on the link to an adapter. */

#include "bridge/subscription.h"

#include "bridge/metric.h"
#include "prim/base.h"

/* Places among the questions that NOTIFYs leave to others: a crowd of watchers
 * must not keep a SUBSCRIBE waiting. */
#define NOTIFY_RESERVE 128

static struct br_host *link_of(const struct br_presence_host *h)
{
	return h->presence->server->hosts[h->adapter];
}

/* ---- NOTIFY ---- */

struct notify {
	struct prim_slice from; /* "pres:..." */
	struct prim_slice to;
	struct prim_slice id;
	int64_t left_s;
	const struct prim_document *view;
};

static void put_lines(struct prim_buf *b, struct br_server *s,
    const struct notify *n)
{
	prim_command_put_header(b, PRIM_HEADER_FROM, n->from);
	prim_command_put_header(b, PRIM_HEADER_TO, n->to);
	prim_command_put_header(b, PRIM_HEADER_DATE, br_clock_date(&s->clock));
	prim_command_put_header(b, PRIM_HEADER_ASTRENGTH,
	    prim_astrength_name(PRIM_ASTRENGTH_STRONG));
	prim_buf_putf(b, "Duration: %lld\r\n", (long long)n->left_s);
	prim_command_put_header(b, PRIM_HEADER_SUBSCRIPTION_ID, n->id);
	if (n->view->type.len > 0)
		prim_command_put_header(b, PRIM_HEADER_CONTENT_TYPE,
		    n->view->type);
}

static bool ask_notify(struct br_presence_host *h, const struct notify *n,
    unsigned reserved, struct prim_question *q)
{
	static struct prim_buf lines; /* the loop's only */
	struct br_host_request request = {
		.method = PRIM_METHOD_NOTIFY,
		.body = n->view->body,
	};

	prim_buf_reset(&lines);
	put_lines(&lines, h->presence->server, n);
	request.lines = prim_buf_slice(&lines);
	if (!br_host_ask(link_of(h), &request, reserved, q))
		return false;
	br_metric_add(BR_METRIC_NOTIFIES, 1);
	return true;
}

/* At least a second, or it would mean the end. */
static int64_t left_s(const struct br_server *s,
    const struct prim_subscription *sub)
{
	int64_t ms = sub->expires_ms - br_server_now(s);

	return ms > 1000 ? ms / 1000 : 1;
}

static bool outlet_notify(struct prim_outlet *o, struct prim_feed *f)
{
	struct br_presence_host *h = PRIM_CONTAINER(o, struct br_presence_host,
	    outlet);
	struct br_subscription *s = br_subscription_of(f->subscription);
	struct br_subscription_names names;
	struct notify n;

	br_subscription_names(s, &names);
	n = (struct notify){
		.from = br_entity_uri(br_subscription_presentity(s)),
		.to = names.watcher_address,
		.id = names.id,
		.left_s = left_s(h->presence->server, &s->sub),
		.view = prim_source_view(prim_feed_source(f), PRIM_FORM_PIDF),
	};
	return ask_notify(h, &n, NOTIFY_RESERVE, &f->question);
}

static void outlet_forget(struct prim_outlet *o, struct prim_feed *f)
{
	struct br_presence_host *h = PRIM_CONTAINER(o, struct br_presence_host,
	    outlet);

	br_host_forget(link_of(h), &f->question);
}

/* ERR-89. */
static void outlet_unwanted(struct prim_outlet *o, struct prim_subscription *s)
{
	(void)o;
	br_subscription_end(br_subscription_of(s), false, true);
}

const struct prim_outlet_ops br_presence_host_outlet_ops = {
	.notify = outlet_notify,
	.forget = outlet_forget,
	.unwanted = outlet_unwanted,
};

/* ---- last words ---- */

struct br_last_word {
	STAILQ_ENTRY(br_last_word) next;
	struct prim_slice entity, to, id; /* in `text` */
	char text[];
};

static bool say_last(struct br_presence_host *h, struct prim_slice entity,
    struct prim_slice to, struct prim_slice id)
{
	struct prim_document *nothing = prim_compose(PRIM_FORM_PIDF, entity,
	    NULL, 0);
	const struct notify n = {
		.from = entity,
		.to = to,
		.id = id,
		.left_s = 0,
		.view = nothing,
	};
	bool is_said = ask_notify(h, &n, 0, NULL);

	prim_document_unref(nothing);
	return is_said;
}

void br_presence_host_last(struct br_presence_host *h,
    const struct br_subscription_names *names, struct prim_slice entity)
{
	struct br_last_word *w;
	char *room;

	if (!br_host_is_ready(link_of(h)))
		return;
	if (STAILQ_EMPTY(&h->lasts) &&
	    say_last(h, entity, names->watcher_address, names->id))
		return;
	w = prim_alloc(sizeof(*w) + entity.len + names->watcher_address.len +
	    names->id.len);
	room = w->text;
	w->entity = prim_slice_keep(&room, entity);
	w->to = prim_slice_keep(&room, names->watcher_address);
	w->id = prim_slice_keep(&room, names->id);
	STAILQ_INSERT_TAIL(&h->lasts, w, next);
}

static void lasts_go(struct br_presence_host *h)
{
	struct br_last_word *w;

	while ((w = STAILQ_FIRST(&h->lasts)) &&
	    say_last(h, w->entity, w->to, w->id)) {
		STAILQ_REMOVE_HEAD(&h->lasts, next);
		prim_free(w);
	}
}

void br_presence_host_init(struct br_presence_host *h)
{
	prim_watcher_init(&h->watcher);
	prim_outlet_init(&h->outlet, &br_presence_host_outlet_ops,
	    &h->presence->fan);
	STAILQ_INIT(&h->lasts);
	br_remote_host_init(h);
}

void br_presence_host_fini(struct br_presence_host *h)
{
	struct br_last_word *w;

	prim_outlet_close(&h->outlet);
	while ((w = STAILQ_FIRST(&h->lasts))) {
		STAILQ_REMOVE_HEAD(&h->lasts, next);
		prim_free(w);
	}
}

bool br_presence_host_has_room(const struct br_presence_host *h)
{
	return br_host_may_ask(link_of(h));
}

bool br_presence_host_once(struct br_presence_host *h,
    const struct br_subscription_names *names, struct br_entity *presentity)
{
	const struct notify n = {
		.from = br_entity_uri(presentity),
		.to = names->watcher_address,
		.id = names->id,
		.left_s = 0,
		.view = prim_source_view(&presentity->presentity.source,
		    PRIM_FORM_PIDF),
	};

	return ask_notify(h, &n, 0, NULL);
}

/* ---- coming and going ---- */

void br_presence_host_ready(struct br_presence *p, unsigned adapter)
{
	struct br_presence_host *h = &p->hosts[adapter];
	struct prim_subscription *s;

	/* What it knew it has forgotten: everybody is told once (DESIGN 2). */
	LIST_FOREACH(s, &h->watcher.subscriptions, of_watcher)
		s->seen = 0;
	prim_outlet_open(&h->outlet, &h->watcher);
	br_remote_host_ready(h);
	prim_outlet_go(&h->outlet);
}

void br_presence_host_gone(struct br_presence *p, unsigned adapter)
{
	struct br_presence_host *h = &p->hosts[adapter];

	br_presence_host_fini(h);
	br_remote_host_gone(h);
}

void br_presence_host_room(struct br_presence *p, unsigned adapter)
{
	struct br_presence_host *h = &p->hosts[adapter];

	lasts_go(h);
	br_remote_go(h);
	prim_outlet_go(&h->outlet);
}

/* ---- what it says ---- */

void br_presence_adapter(struct br_server *s, struct br_host *host,
    const struct prim_command *c)
{
	static struct br_presence_request r; /* large; the loop's only */
	struct br_peer *peer = br_host_peer(host);
	unsigned code;

	if (c->method == PRIM_METHOD_NOTIFY) {
		br_remote_notify(s, host, c);
		return;
	}
	r = (struct br_presence_request){ .server = s, .peer = peer, .c = c };
	code = br_presence_check(&r);
	if (code)
		br_errand_refuse(peer, c, code);
	else
		br_presence_subscribe(&r);
}

/* ---- clients ---- */

void br_presence_client(struct br_conn *conn, const struct prim_command *c)
{
	static struct br_presence_request r; /* large; the loop's only */
	unsigned code;

	if (c->method == PRIM_METHOD_PUBLISH ||
	    c->method == PRIM_METHOD_REMOVE) {
		br_presence_publish(conn, c);
		return;
	}
	r = (struct br_presence_request){ .server = conn->server,
		.peer = &conn->peer,
		.c = c };
	code = br_presence_check(&r);
	if (code)
		br_errand_refuse(&conn->peer, c, code);
	else if (r.route->kind == BR_ROUTE_LOCAL)
		br_presence_subscribe(&r);
	else
		br_remote_subscribe(&r);
}
