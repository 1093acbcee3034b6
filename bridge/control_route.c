/* SPDX-License-Identifier: ISC */
/* route test: who sends, to whom, and may it go that way. */

#include "bridge/control_route.h"

#include <stdarg.h>
#include <string.h>

#include "bridge/message.h"
#include "bridge/store.h"
#include "prim/base.h"
#include "prim/status.h"

/* ---- telling ---- */

static void tell(struct br_control_route *t, const char *what, unsigned code,
    struct prim_buf *text)
{
	json_t *step = json_pack("{s:s, s:o}", "step", what, "result",
	    br_control_text_json(prim_buf_slice(text)));

	if (code)
		json_object_set_new(step, "code", json_integer(code));
	json_array_append_new(t->steps, step);
	prim_buf_fini(text);
}

static void put_text(struct prim_buf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void put_text(struct prim_buf *b, const char *format, va_list args)
{
	va_list again;
	size_t len;

	va_copy(again, args);
	len = (size_t)vsnprintf(NULL, 0, format, again);
	va_end(again);
	(void)vsnprintf(prim_buf_room(b, len + 1), len + 1, format, args);
	prim_buf_grow(b, len);
}

void br_control_route_step(struct br_control_route *t, const char *what,
    const char *format, ...)
{
	struct prim_buf b = { 0 };
	va_list args;

	va_start(args, format);
	put_text(&b, format, args);
	va_end(args);
	tell(t, what, 0, &b);
}

void br_control_route_answer(struct br_control_route *t, unsigned code,
    const char *format, ...)
{
	struct prim_buf b = { 0 };
	va_list args;

	if (code)
		prim_buf_putf(&b, "%u, ", code);
	va_start(args, format);
	put_text(&b, format, args);
	va_end(args);
	tell(t, "answer", code, &b);
}

/* ---- the sender ---- */

static const char *adapter_name(const struct br_control_route *t,
    const struct br_route *route)
{
	return t->job->c.config->adapters[route->adapter].name;
}

static const struct br_route *route_of(const struct br_control_route *t,
    const struct prim_key *key)
{
	return br_rule_route(t->job->c.router, t->job->c.identities,
	    prim_key_slice(key));
}

/* Ours: only who has logged in as it speaks for it. */
static bool tell_client(struct br_control_route *t)
{
	struct prim_slice from = prim_key_slice(&t->from);

	if (t->sender_exists) {
		br_control_route_step(t, "sender", "%.*s is an account of ours",
		    PRIM_SLICE_ARG(from));
		return true;
	}
	br_control_route_step(t, "sender", "%.*s has no account here",
	    PRIM_SLICE_ARG(from));
	br_control_route_answer(t, PRIM_AUTHENTICATION_FAILED,
	    "for nobody can log in as it");
	return false;
}

static bool tell_sender(struct br_control_route *t)
{
	struct prim_slice from = prim_key_slice(&t->from);
	const struct br_route *home = route_of(t, &t->from);

	if (home && home->kind == BR_ROUTE_LOCAL)
		return tell_client(t);
	if (!home) {
		br_control_route_step(t, "sender",
		    "%.*s is not ours, and no route leads to its domain",
		    PRIM_SLICE_ARG(from));
		br_control_route_answer(t, PRIM_FORBIDDEN,
		    "for no adapter may speak for it");
		return false;
	}
	br_control_route_step(t, "sender",
	    "%.*s is not ours; it comes by adapter %s", PRIM_SLICE_ARG(from),
	    adapter_name(t, home));
	if (t->peer == BR_RULE_LINKED)
		br_control_route_step(t, "link",
		    "it is linked, and appears as %.*s",
		    PRIM_SLICE_ARG(prim_key_slice(&t->principal)));
	return true;
}

/* ---- the recipient, and the way ---- */

/* Why the router leads there. */
static void tell_way(struct br_control_route *t, const struct br_route *route)
{
	struct prim_slice to = prim_key_slice(&t->to);
	const struct br_identity *link = br_identity_of(t->job->c.identities,
	    to);
	const char *name = adapter_name(t, route);

	if (link && prim_slice_eq(link->network, prim_slice_of(name)))
		br_control_route_step(t, "recipient",
		    "%.*s is not ours; exact link: it is %.*s in adapter %s",
		    PRIM_SLICE_ARG(to), PRIM_SLICE_ARG(link->principal), name);
	else if (route->from)
		br_control_route_step(t, "recipient",
		    "%.*s is not ours; no exact link; route %s -> %s, of the "
		    "configuration",
		    PRIM_SLICE_ARG(to), route->from->domain, name);
	else
		br_control_route_step(t, "recipient",
		    "%.*s is not ours; no exact link; no route of the "
		    "configuration; its domain is one of adapter %s",
		    PRIM_SLICE_ARG(to), name);
}

static bool tell_recipient(struct br_control_route *t,
    const struct br_route *route)
{
	struct prim_slice to = prim_key_slice(&t->to);

	if (!route) {
		br_control_route_step(t, "recipient",
		    "%.*s is not ours; no exact link; no route leads to %.*s",
		    PRIM_SLICE_ARG(to),
		    PRIM_SLICE_ARG(prim_key_domain(&t->to)));
		br_control_route_answer(t, PRIM_NOT_FOUND,
		    "for there is no way to that domain");
		return false;
	}
	if (route->kind == BR_ROUTE_LOCAL)
		br_control_route_step(t, "recipient",
		    "%.*s is in a domain of ours", PRIM_SLICE_ARG(to));
	else
		tell_way(t, route);
	return true;
}

static bool tell_pass(struct br_control_route *t, const struct br_route *route)
{
	const struct br_rule_pass pass = { .config = t->job->c.config,
		.identities = t->job->c.identities,
		.peer = t->peer,
		.route = route,
		.sender = prim_key_slice(&t->from),
		.recipient = prim_key_slice(&t->to) };
	bool passes = br_rule_may_pass(&pass);

	if (!passes) {
		br_control_route_step(t, "relay", "%s",
		    prim_slice_eq(prim_key_slice(&t->from),
			prim_key_slice(&t->to))
			? "nothing goes back to where it came from"
			: "neither end is ours, and no route allows relaying "
			  "('relay') from the sender's domain to there");
		br_control_route_answer(t, PRIM_FORBIDDEN,
		    "for we are no open relay");
		return false;
	}
	if (route->kind == BR_ROUTE_ADAPTER)
		br_control_route_step(t, "relay", "%s",
		    t->peer == BR_RULE_FOREIGN
			? "the route allows the sender's domain to relay"
			: "the sender is ours: it may use it");
	br_control_route_step(t, "hops",
	    "none that we know of; more than %d would be refused", BR_HOPS_MAX);
	return true;
}

static void decide(struct br_control_route *t)
{
	const struct br_route *route = route_of(t, &t->to);

	if (!tell_sender(t) || !tell_recipient(t, route) ||
	    !tell_pass(t, route))
		return;
	if (route->kind == BR_ROUTE_LOCAL)
		br_control_route_end_inbox(t);
	else
		br_control_route_end_adapter(t, route);
}

/* ---- what has to be looked up ---- */

static void test_end(struct br_control_route *t)
{
	const struct br_control *c = &t->job->c;

	decide(t);
	br_control_job_take_result(t->job,
	    json_pack("{s:o, s:o, s:b, s:o}", "from",
		br_control_text_json(prim_key_slice(&t->from)), "to",
		br_control_text_json(prim_key_slice(&t->to)), "running",
		c->ops != NULL, "steps", t->steps));
	prim_free(t);
}

static void test_fail(struct br_control_route *t)
{
	json_decref(t->steps);
	br_control_job_fail_read(t->job);
	prim_free(t);
}

static void on_recipient(void *arg, const struct br_store_account *account,
    bool failed)
{
	struct br_control_route *t = arg;

	t->recipient_exists = account != NULL;
	if (failed)
		test_fail(t);
	else
		test_end(t);
}

static void on_sender(void *arg, const struct br_store_account *account,
    bool failed)
{
	struct br_control_route *t = arg;

	t->sender_exists = account != NULL;
	if (failed)
		test_fail(t);
	else
		br_store_account_find(t->job->c.store, prim_key_slice(&t->to),
		    on_recipient, t);
}

/* Who brings it, and for whom. */
static void know_sender(struct br_control_route *t)
{
	const struct br_control *c = &t->job->c;
	const struct br_identity *link = br_identity_of(c->identities,
	    prim_key_slice(&t->from));
	struct prim_address address;

	t->principal = t->from;
	t->peer = br_config_serves(c->config, prim_key_domain(&t->from))
	    ? BR_RULE_CLIENT
	    : BR_RULE_FOREIGN;
	if (!link || !prim_address_parse_bare(link->principal, &address))
		return;
	prim_address_key(&address, &t->principal);
	t->peer = BR_RULE_LINKED;
}

void br_control_route_test(struct br_control_job *job, const json_t *request)
{
	struct br_control_route *t = prim_new(struct br_control_route);

	if (!br_control_job_key(job, request, "from", &t->from) ||
	    !br_control_job_key(job, request, "to", &t->to)) {
		prim_free(t);
		return;
	}
	t->job = job;
	t->steps = json_array();
	know_sender(t);
	br_store_account_find(job->c.store, prim_key_slice(&t->from), on_sender,
	    t);
}
