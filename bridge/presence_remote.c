/* SPDX-License-Identifier: ISC */
/* What our principals watch elsewhere: asked of the adapter, renewed for them,
 * and told to all their connections (PRIM-272..276). */

#include "bridge/presence_remote.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/log.h"
#include "prim/base.h"

#define RETRY_MS    30000 /* after an adapter could not renew */
#define POSTPONE_MS 1000
#define RENEW_AT_MS 600  /* of each second granted */
#define SLACK_MS    1000 /* so much sooner may an adapter's lease end */
#define GRACE_MS    30000
#define ASK_RESERVE 32 /* places that SUBSCRIBEs leave to last words */

struct prim_slice br_remote_key(const struct br_remote *r)
{
	return prim_slice_make(r->text, r->key_len);
}

struct prim_slice br_remote_address(const struct br_remote *r)
{
	return prim_slice_make(r->text + r->key_len, r->address_len);
}

static struct prim_slice id_of(const struct br_remote *r)
{
	return prim_slice_of(r->id);
}

/* ---- tables ---- */

static uint64_t hash_names(const struct br_presence *p,
    struct prim_slice watcher, struct prim_slice presentity)
{
	return prim_hash(&p->server->seed, watcher) * 31 +
	    prim_hash(&p->server->seed, presentity);
}

struct br_remote *br_remote_find(struct br_presence *p,
    struct prim_slice watcher, struct prim_slice presentity)
{
	struct prim_table_node *n = prim_table_first(&p->remotes,
	    hash_names(p, watcher, presentity));

	for (; n; n = prim_table_next(n)) {
		struct br_remote *r = PRIM_CONTAINER(n, struct br_remote,
		    by_names);

		if (prim_slice_eq(br_entity_key(r->watcher), watcher) &&
		    prim_slice_eq(br_remote_key(r), presentity))
			return r;
	}
	return NULL;
}

static struct br_remote *find_id(struct br_presence *p, struct prim_slice id)
{
	struct prim_table_node *n = prim_table_first(&p->remote_ids,
	    prim_hash(&p->server->seed, id));

	for (; n; n = prim_table_next(n)) {
		struct br_remote *r = PRIM_CONTAINER(n, struct br_remote,
		    by_id);

		if (prim_slice_eq(id_of(r), id))
			return r;
	}
	return NULL;
}

/* ---- what is seen ---- */

static struct prim_document *compose(struct prim_source *s, enum prim_form form)
{
	struct br_remote *r = PRIM_CONTAINER(s, struct br_remote, source);
	const struct prim_document_parts nothing = { .type = PRIM_SLICE_NONE };

	(void)form; /* relayed as it came (CPIM-099) */
	return r->known ? prim_document_ref(r->known)
			: prim_document_new(&nothing);
}

static const struct prim_source_ops SOURCE_OPS = { .compose = compose };

bool br_remote_is(const struct prim_subscription *s)
{
	return s->source->ops == &SOURCE_OPS;
}

struct prim_slice br_remote_presentity(const struct prim_subscription *s)
{
	return br_remote_address(PRIM_CONTAINER(s, const struct br_remote,
	    sub));
}

/* ---- life ---- */

static void on_renewal(struct prim_timer *t);
static void on_answer(struct prim_question *q, const struct prim_command *c);

static void make_id(struct br_remote *r)
{
	uint8_t octets[BR_REMOTE_ID_OCTETS];
	struct prim_buf text = { 0 };

	while (getrandom(octets, sizeof(octets), 0) != sizeof(octets))
		continue;
	prim_buf_put_hex(&text, octets, sizeof(octets));
	memcpy(r->id, text.ptr, text.len);
	prim_buf_fini(&text);
}

struct br_remote *br_remote_new(const struct br_remote_making *m)
{
	struct br_presence *p = m->host->presence;
	struct br_remote *r = prim_alloc(sizeof(*r) + m->presentity.len +
	    m->address.len);

	r->host = m->host;
	r->watcher = m->watcher;
	r->is_fetch = m->is_fetch;
	r->key_len = m->presentity.len;
	r->address_len = m->address.len;
	memcpy(r->text, m->presentity.ptr, m->presentity.len);
	memcpy(r->text + r->key_len, m->address.ptr, m->address.len);
	if (m->id.len == 2 * BR_REMOTE_ID_OCTETS)
		memcpy(r->id, m->id.ptr, m->id.len);
	else
		make_id(r);
	r->question.answered = on_answer;
	LIST_INIT(&r->waitings);
	prim_timer_init(&r->renewal, on_renewal);
	prim_source_init(&r->source, &SOURCE_OPS, &p->fan);
	TAILQ_INSERT_TAIL(&m->host->remotes, r, of_host);
	prim_table_put(&p->remote_ids, &r->by_id,
	    prim_hash(&p->server->seed, id_of(r)));
	if (!m->is_fetch)
		prim_table_put(&p->remotes, &r->by_names,
		    hash_names(p, br_entity_key(r->watcher), br_remote_key(r)));
	return r;
}

static void leave_asking(struct br_remote *r)
{
	if (r->is_asking)
		TAILQ_REMOVE(&r->host->asking, r, of_asking);
	r->is_asking = false;
}

void br_remote_free(struct br_remote *r)
{
	struct br_presence *p = r->host->presence;

	assert(LIST_EMPTY(&r->waitings));
	leave_asking(r);
	br_host_forget(p->server->hosts[r->host->adapter], &r->question);
	prim_timer_stop(&p->server->wheel, &r->renewal);
	if (r->is_started)
		prim_subscription_end(&r->sub);
	prim_source_fini(&r->source);
	TAILQ_REMOVE(&r->host->remotes, r, of_host);
	prim_table_drop(&p->remote_ids, &r->by_id);
	if (!r->is_fetch)
		prim_table_drop(&p->remotes, &r->by_names);
	prim_document_unref(r->known);
	br_entity_unpin(p->server->entities, r->watcher);
	prim_free(r);
}

void br_remote_free_all(struct br_presence *p)
{
	struct br_remote *r;

	for (unsigned i = 0; i < p->server->config->adapter_count; i++) {
		while ((r = TAILQ_FIRST(&p->hosts[i].remotes)))
			br_remote_free(r);
	}
}

/* ---- the store ---- */

void br_remote_row(const struct br_remote *r, struct br_store_subscription *row)
{
	*row = (struct br_store_subscription){
		.watcher = br_entity_key(r->watcher),
		.presentity = br_remote_key(r),
		.watcher_address = br_entity_uri(r->watcher),
		.presentity_address = br_remote_address(r),
		.id = id_of(r),
		.is_outgoing = true,
	};
}

void br_remote_forget(struct br_remote *r, br_store_done_fn done, void *arg)
{
	struct br_store_subscription row;

	br_remote_row(r, &row);
	br_store_subscription_drop(br_remote_server(r)->store, &row, done, arg);
}

/* ---- asking the adapter ---- */

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
	prim_command_put_header(&lines, PRIM_HEADER_SUBSCRIPTION_ID, id_of(r));
	request.lines = prim_buf_slice(&lines);
	return br_host_ask(br_remote_server(r)->hosts[r->host->adapter],
	    &request, q ? ASK_RESERVE : 0, q);
}

void br_remote_want(struct br_remote *r)
{
	if (r->is_asking || r->question.id)
		return;
	r->is_asking = true;
	TAILQ_INSERT_TAIL(&r->host->asking, r, of_asking);
	br_remote_go(r->host);
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
		if (r->is_asking)
			continue;
		r->is_asking = true;
		TAILQ_INSERT_TAIL(&h->asking, r, of_asking);
	}
}

/* ---- watching ---- */

static void on_expiry(struct prim_timer *t)
{
	struct prim_subscription *sub = PRIM_CONTAINER(t,
	    struct prim_subscription, timer);
	struct br_remote *r = PRIM_CONTAINER(sub, struct br_remote, sub);

	if (LIST_EMPTY(&r->waitings))
		br_remote_end_of(sub, true);
	else
		/* It may be just being renewed. */
		prim_subscription_renew(sub,
		    br_server_now(br_remote_server(r)) + POSTPONE_MS);
}

void br_remote_start(struct br_remote *r, int64_t expires_ms)
{
	if (r->is_started)
		prim_subscription_renew(&r->sub, expires_ms);
	else
		prim_subscription_start(&r->sub, &r->source,
		    &r->watcher->watcher, expires_ms, on_expiry);
	r->is_started = true;
	r->is_stored = true;
	prim_subscription_saw(&r->sub);
	/* Unless it is to be renewed anyway. */
	if (r->is_granted && expires_ms > r->covered_ms + SLACK_MS &&
	    !prim_timer_is_set(&r->renewal))
		br_remote_want(r);
}

void br_remote_leave(struct br_remote *r)
{
	ask(r, PRIM_METHOD_UNSUBSCRIBE, 0, NULL);
	br_remote_free(r);
}

void br_remote_end_of(struct prim_subscription *sub, bool lasting)
{
	struct br_remote *r = PRIM_CONTAINER(sub, struct br_remote, sub);

	if (lasting)
		br_remote_forget(r, NULL, NULL);
	br_remote_refuse_all(r, PRIM_INTERNAL_ERROR);
	br_remote_leave(r);
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

/* Nobody waits; the watcher hears that it is over, if he was told before that
 * it is. */
static void cancelled(struct br_remote *r)
{
	char *address = prim_slice_copy(br_remote_address(r));
	struct br_server *s = br_remote_server(r);
	struct br_entity *watcher = r->watcher;
	bool is_told = r->is_started;

	br_entity_pin(s->entities, watcher);
	if (r->is_stored)
		br_remote_forget(r, NULL, NULL);
	br_remote_free(r);
	if (is_told)
		br_conn_cancel_all(&watcher->watcher,
		    prim_slice_of(address)); /* PRIM-275 */
	br_entity_unpin(s->entities, watcher);
	prim_free(address);
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
	struct br_presence *p = r->host->presence;
	struct br_store_subscription row;

	if (r->is_stored)
		br_remote_forget(r, NULL, NULL);
	prim_table_drop(&p->remote_ids, &r->by_id);
	make_id(r);
	prim_table_put(&p->remote_ids, &r->by_id,
	    prim_hash(&p->server->seed, id_of(r)));
	if (r->is_started) {
		br_remote_row(r, &row);
		row.expires_ms = r->sub.expires_ms;
		br_store_subscription_put(p->server->store, &row, NULL, NULL);
	}
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
		cancelled(r);
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

/* ---- NOTIFY ---- */

struct names {
	struct prim_key from, to;
};

static bool names_parse(const struct prim_command *c, struct names *out)
{
	struct prim_address from, to;

	if (!prim_address_parse(prim_command_get(c, PRIM_HEADER_FROM), &from) ||
	    !prim_address_parse(prim_command_get(c, PRIM_HEADER_TO), &to) ||
	    from.scheme != PRIM_SCHEME_PRES || to.scheme != PRIM_SCHEME_PRES)
		return false;
	prim_address_key(&from, &out->from);
	prim_address_key(&to, &out->to);
	return true;
}

/* It speaks for those whom the router would route to it (PRIM-190). */
static bool may_speak(const struct br_server *s, const struct br_host *host,
    const struct prim_key *from)
{
	const struct br_route *home = br_router_find(s->router,
	    prim_key_domain(from));

	return home && home->kind == BR_ROUTE_ADAPTER &&
	    s->hosts[home->adapter] == host;
}

static bool is_about(const struct br_remote *r, const struct names *names)
{
	return prim_slice_eq(prim_key_slice(&names->from), br_remote_key(r)) &&
	    prim_slice_eq(prim_key_slice(&names->to),
		br_entity_key(r->watcher));
}

static bool content_ok(const struct br_remote *r, const struct prim_command *c,
    struct prim_document_parts *out)
{
	const struct br_server *s = br_remote_server(r);

	out->type = prim_command_get(c, PRIM_HEADER_CONTENT_TYPE);
	out->name = PRIM_SLICE_NONE;
	out->body = c->body;
	if (c->body.len == 0) {
		out->type = PRIM_SLICE_NONE;
		return true;
	}
	return c->body.len <= s->config->limit_presence &&
	    prim_compose_check(br_remote_address(r), out, NULL);
}

static void show(struct br_remote *r, const struct prim_document_parts *parts)
{
	struct prim_document *fresh = prim_document_new(parts);
	bool is_new = !prim_document_eq(fresh, r->known);

	prim_document_unref(r->known);
	r->known = fresh;
	if (is_new)
		prim_source_change(&r->source);
	br_remote_answer_all(r); /* a FETCH ends in here */
}

/* 0: taken, and `r` may be gone. */
static unsigned take_notify(struct br_presence *p, struct br_host *host,
    const struct prim_command *c)
{
	const struct prim_method_info *info = prim_method_info(c->method);
	struct br_remote *r = find_id(p,
	    prim_command_get(c, PRIM_HEADER_SUBSCRIPTION_ID));
	static struct names names; /* large; the loop's only */
	struct prim_document_parts parts;
	int64_t left_s;

	if (c->is_malformed ||
	    (c->present & info->required_ss) != info->required_ss ||
	    !names_parse(c, &names) || !br_presence_duration(c, 1, &left_s))
		return PRIM_BAD_REQUEST;
	if (!may_speak(p->server, host, &names.from))
		return PRIM_FORBIDDEN;
	if (!r || !is_about(r, &names))
		return PRIM_NOT_FOUND; /* ERR-91 */
	if (!content_ok(r, c, &parts))
		return PRIM_BAD_REQUEST;
	if (left_s > 0 || r->is_fetch) {
		show(r, &parts);
	} else {
		br_remote_refuse_all(r, PRIM_FORBIDDEN);
		cancelled(r);
	}
	return PRIM_OK;
}

void br_remote_notify(struct br_server *s, struct br_host *host,
    const struct prim_command *c)
{
	br_errand_refuse(br_host_peer(host), c,
	    take_notify(s->presence, host, c));
}

/* ---- out of the store ---- */

void br_remote_restore(struct br_presence *p,
    const struct br_store_subscription *row)
{
	struct br_server *s = p->server;
	const struct br_route *route = br_router_find(s->router,
	    br_key_domain(row->presentity));
	struct br_remote_making m;
	struct br_remote *r;

	if (!route || route->kind != BR_ROUTE_ADAPTER ||
	    row->expires_ms <= br_server_now(s)) {
		br_store_subscription_drop(s->store, row, NULL, NULL);
		return;
	}
	m = (struct br_remote_making){
		.host = &p->hosts[route->adapter],
		.watcher = br_entity_hold(s->entities, row->watcher),
		.presentity = row->presentity,
		.address = row->presentity_address,
		.id = row->id,
	};
	r = br_remote_new(&m);
	r->is_granted = true;
	br_remote_start(r, row->expires_ms);
	br_remote_want(r);
}
