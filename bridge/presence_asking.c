/* SPDX-License-Identifier: ISC */
/* Asking an adapter for the presence of its people: once, again and in time. */

#include "bridge/presence_remote.h"

#include "bridge/log.h"
#include "prim/base.h"

#define RETRY_MS    30000 /* after an adapter could not renew */
#define GRACE_MS    30000
#define ASK_RESERVE 32  /* places that SUBSCRIBEs leave to last words */
#define RENEW_AT_MS 600 /* of each second granted */

static void put_lines(struct prim_buf *b, struct br_remote *r)
{
	struct br_server *s = br_remote_server(r);

	prim_command_put_header(b, PRIM_HEADER_FROM, br_entity_uri(r->watcher));
	prim_command_put_header(b, PRIM_HEADER_TO, br_remote_address(r));
	prim_command_put_header(b, PRIM_HEADER_DATE, br_clock_date(&s->clock));
	prim_command_put_header(b, PRIM_HEADER_ASTRENGTH,
	    prim_astrength_name(r->strength));
}

static bool ask(struct br_remote *r, enum prim_method method, int64_t seconds,
    struct prim_question *q)
{
	static struct prim_buf lines; /* the loop's only */
	struct br_host_request request = { .method = method };

	prim_buf_reset(&lines);
	put_lines(&lines, r);
	if (method == PRIM_METHOD_SUBSCRIBE)
		prim_buf_putf(&lines, "Duration: %lld\r\n", (long long)seconds);
	prim_command_put_header(&lines, PRIM_HEADER_SUBSCRIPTION_ID,
	    prim_slice_of(r->id));
	request.lines = prim_buf_slice(&lines);
	return br_host_ask(br_remote_server(r)->hosts[r->host->adapter],
	    &request, q ? ASK_RESERVE : 0, q);
}

/* What is to be renewed goes first: a crowd of single looks must not keep it. */
static void enter_asking(struct br_remote *r)
{
	r->is_asking = true;
	if (r->is_granted)
		TAILQ_INSERT_HEAD(&r->host->asking, r, of_asking);
	else
		TAILQ_INSERT_TAIL(&r->host->asking, r, of_asking);
}

void br_remote_want(struct br_remote *r)
{
	if (r->is_asking || r->question.id)
		return;
	enter_asking(r);
	br_remote_go(r->host);
}

static void leave_asking(struct br_remote *r)
{
	if (r->is_asking)
		TAILQ_REMOVE(&r->host->asking, r, of_asking);
	r->is_asking = false;
}

void br_remote_stop_asking(struct br_remote *r)
{
	struct br_server *s = br_remote_server(r);

	leave_asking(r);
	br_host_forget(s->hosts[r->host->adapter], &r->question);
	prim_timer_stop(&s->wheel, &r->renewal);
}

void br_remote_go(struct br_presence_host *h)
{
	struct br_remote *r;

	while ((r = TAILQ_FIRST(&h->asking))) {
		if (!ask(r, PRIM_METHOD_SUBSCRIBE, br_remote_wanted_s(r),
			&r->question))
			return;
		leave_asking(r);
	}
}

static void on_renewal(struct prim_timer *t)
{
	br_remote_want(PRIM_CONTAINER(t, struct br_remote, renewal));
}

/* The adapter does not come back: what it said last is not known to be true any
 * more. */
static void on_grace(struct prim_timer *t)
{
	struct br_presence_host *h = PRIM_CONTAINER(t, struct br_presence_host,
	    grace);
	struct br_remote *r;

	TAILQ_FOREACH(r, &h->remotes, of_host) {
		if (!r->known)
			continue;
		r->known = prim_document_unref(r->known);
		prim_source_change(&r->source);
	}
}

void br_remote_host_init(struct br_presence_host *h)
{
	TAILQ_INIT(&h->remotes);
	TAILQ_INIT(&h->asking);
	prim_timer_init(&h->grace, on_grace);
}

void br_remote_host_ready(struct br_presence_host *h)
{
	prim_timer_stop(&h->presence->server->wheel, &h->grace);
	br_remote_go(h);
}

void br_remote_host_gone(struct br_presence_host *h)
{
	struct br_server *s = h->presence->server;
	struct br_remote *r;

	prim_timer_set(&s->wheel, &h->grace, br_server_now(s) + GRACE_MS);
	/* It will know nothing of them when it comes again. */
	TAILQ_FOREACH(r, &h->remotes, of_host) {
		prim_timer_stop(&h->presence->server->wheel, &r->renewal);
		if (!r->is_asking)
			enter_asking(r);
	}
}

void br_remote_leave(struct br_remote *r)
{
	ask(r, PRIM_METHOD_UNSUBSCRIBE, 0, NULL);
	br_remote_free(r);
}

/* ---- what the adapter answers ---- */

static int64_t granted_s(const struct br_remote *r,
    const struct prim_command *c)
{
	int64_t seconds;

	if (!br_presence_duration(c, br_remote_wanted_s(r), &seconds) ||
	    seconds < 1)
		return 1;
	return br_presence_grant(seconds);
}

/* It is renewed for its watcher before two thirds of what was granted are over,
 * unless that is enough (PRIM-162). */
static void granted(struct br_remote *r, int64_t seconds)
{
	struct br_server *s = br_remote_server(r);
	int64_t now_ms = br_server_now(s);

	if (r->is_fetch)
		return; /* its NOTIFY follows */
	r->is_retried = false;
	r->covered_ms = now_ms + seconds * 1000;
	if (seconds < br_remote_wanted_s(r))
		prim_timer_set(&s->wheel, &r->renewal,
		    now_ms + seconds * RENEW_AT_MS);
	else
		prim_timer_stop(&s->wheel, &r->renewal);
	if (!r->is_granted) {
		r->is_granted = true;
		br_remote_store_all(r);
	}
}

static bool is_final(unsigned code)
{
	return code == PRIM_FORBIDDEN || code == PRIM_NOT_FOUND ||
	    code == PRIM_BAD_REQUEST || code == PRIM_NOT_IMPLEMENTED;
}

/* It does not know the subscription we renew, or so it says: once more under a
 * name it has never heard (ERR-79). */
static void ask_afresh(struct br_remote *r)
{
	br_remote_rename(r);
	r->is_retried = true;
	br_remote_want(r);
}

static void refused(struct br_remote *r, unsigned code)
{
	struct br_server *s = br_remote_server(r);

	br_info(&s->log,
	    "subscription refused code=%u watcher=%s presentity=%s", code,
	    br_quote(br_entity_key(r->watcher)),
	    br_quote(br_remote_address(r)));
	br_remote_refuse_all(r, code);
	if (!r->is_started || is_final(code))
		br_remote_cancelled(r);
	else
		prim_timer_set(&s->wheel, &r->renewal,
		    br_server_now(s) + RETRY_MS);
}

static void on_answer(struct prim_question *q, const struct prim_command *c)
{
	struct br_remote *r = PRIM_CONTAINER(q, struct br_remote, question);

	if (!c)
		return; /* it is asked again when the adapter is back */
	if (c->code == PRIM_OK || c->code == PRIM_DURATION_ADJUSTED)
		granted(r, granted_s(r, c));
	else if (c->code == PRIM_SUBSCRIPTION_NOT_FOUND && !r->is_retried)
		ask_afresh(r);
	else
		refused(r, c->code);
}

void br_remote_init_asking(struct br_remote *r)
{
	r->question.answered = on_answer;
	prim_timer_init(&r->renewal, on_renewal);
}
