/* SPDX-License-Identifier: ISC */
/* LINK, in both directions: whose an address is, and what it is in its network.
 */

#include <stdio.h>

#include "bridge/host_private.h"
#include "prim/base.h"

static bool read_uri(struct prim_slice uri, struct prim_address *out)
{
	return prim_address_parse(uri, out) && out->scheme == PRIM_SCHEME_IM;
}

/* ---- it asks ---- */

/* Answered on the spot, so none of them is ever unanswered: how many it asks is
 * bounded by how many answers it reads. */
const char *br_host_link_request(struct br_host *h,
    const struct prim_command *c)
{
	const struct prim_slice from = prim_command_get(c, PRIM_HEADER_FROM);
	struct prim_buf principal = { 0 }, response = { 0 };
	struct prim_address address;
	bool linked;

	if (from.len == 0)
		return "a required header is missing";
	linked = read_uri(from, &address) &&
	    h->context.ops->linked(h->context.ctx, h, from, &principal);
	prim_command_put_response(&response, PRIM_FAMILY_PRIM, c->id,
	    linked ? PRIM_OK : PRIM_NOT_FOUND, 0);
	if (linked)
		prim_command_put_header(&response, PRIM_HEADER_TO,
		    prim_buf_slice(&principal));
	prim_command_end(&response);
	br_link_send(&h->link, prim_buf_slice(&response));
	prim_buf_fini(&principal);
	prim_buf_fini(&response);
	return NULL;
}

/* ---- we ask ---- */

struct host_canonical {
	br_host_canonical_fn fn;
	void *arg;
};

/* Says no, with a sentence that names the adapter. */
static void refuse(const struct br_host *h, br_host_canonical_fn fn, void *arg,
    const char *what)
{
	char why[160];

	snprintf(why, sizeof(why), "the adapter %s %s", h->adapter->name, what);
	fn(arg, NULL, why);
}

void br_host_canonical(struct br_host *h, struct prim_slice uri,
    br_host_canonical_fn fn, void *arg)
{
	struct br_ask ask = { .kind = HOST_ASK_CANONICAL };
	struct host_canonical *question;
	struct prim_address address;
	struct prim_buf lines = { 0 };

	if (!read_uri(uri, &address)) {
		refuse(h, fn, arg, "has no such address");
		return;
	}
	if (!br_host_is_ready(h)) {
		refuse(h, fn, arg, "does not run now");
		return;
	}
	if (h->canonicals >= HOST_CANONICAL_MAX) {
		refuse(h, fn, arg, "has too many questions to answer");
		return;
	}
	question = prim_new(struct host_canonical);
	question->fn = fn;
	question->arg = arg;
	ask.what = question;
	prim_command_put_header(&lines, PRIM_HEADER_TO, uri);
	br_host_say_request(h,
	    &(struct br_host_request){
		.method = PRIM_METHOD_LINK,
		.lines = prim_buf_slice(&lines),
	    },
	    &ask);
	h->canonicals++;
	prim_buf_fini(&lines);
}

/* `key` NULL: `what` says why. */
static void tell(const struct br_host *h, struct host_canonical *question,
    const struct prim_key *key, const char *what)
{
	const struct host_canonical q = *question;

	prim_free(question);
	if (key)
		q.fn(q.arg, key, NULL);
	else
		refuse(h, q.fn, q.arg, what);
}

const char *br_host_canonical_answer(struct br_host *h,
    const struct br_ask *ask, const struct prim_command *c)
{
	const bool ok = (c->code == PRIM_OK ||
			    (c->code >= 400 && c->code < 600)) &&
	    br_host_headers_ok(c);
	struct prim_address address;
	struct prim_key key;

	h->canonicals--;
	if (ok && c->code == PRIM_OK &&
	    read_uri(prim_command_get(c, PRIM_HEADER_TO), &address)) {
		prim_address_key(&address, &key);
		tell(h, ask->what, &key, NULL);
	} else {
		tell(h, ask->what, NULL, "has no such address");
	}
	return ok ? NULL : "a bad answer to LINK";
}

static void end_canonical(struct br_ask *ask, void *arg)
{
	struct host_canonical *question = ask->what;

	if (ask->kind != HOST_ASK_CANONICAL || !question)
		return;
	/* First, since who is told may ask again. */
	ask->what = NULL;
	tell(arg, question, NULL, "has ended");
}

void br_host_end_canonicals(struct br_host *h)
{
	if (h->canonicals > 0)
		br_asks_each(&h->asks, end_canonical, h);
	h->canonicals = 0;
}
