/* SPDX-License-Identifier: ISC */
/* What an adapter tells of those whom our principals watch: NOTIFY. */

#include "bridge/presence_remote.h"

#include "bridge/dispatch.h"
#include "prim/base.h"

struct names {
	struct prim_key from, to;
};

static bool names_parse(const struct prim_command *c, struct names *out)
{
	struct prim_address address;

	return br_presence_name(c, PRIM_HEADER_FROM, &address, &out->from) &&
	    br_presence_name(c, PRIM_HEADER_TO, &address, &out->to);
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
	struct br_remote *r = br_remote_find_id(p,
	    prim_command_get(c, PRIM_HEADER_SUBSCRIPTION_ID));
	static struct names names; /* large; the loop's only */
	struct prim_document_parts parts;
	int64_t left_s;

	if (!names_parse(c, &names) || !br_presence_duration(c, 1, &left_s))
		return PRIM_BAD_REQUEST;
	if (!br_dispatch_may_speak(p->server, br_host_peer(host), &names.from))
		return PRIM_FORBIDDEN; /* PRIM-190 */
	if (!r || !is_about(r, &names))
		return PRIM_NOT_FOUND; /* ERR-91 */
	if (!content_ok(r, c, &parts))
		return PRIM_BAD_REQUEST;
	if (left_s > 0 || r->is_fetch) {
		show(r, &parts);
	} else {
		br_remote_refuse_all(r, PRIM_FORBIDDEN);
		br_remote_cancelled(r);
	}
	return PRIM_OK;
}

void br_remote_notify(struct br_server *s, struct br_host *host,
    const struct prim_command *c)
{
	br_errand_refuse(br_host_peer(host), c,
	    take_notify(s->presence, host, c));
}
