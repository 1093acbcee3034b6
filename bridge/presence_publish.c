/* SPDX-License-Identifier: ISC */
/* PUBLISH and REMOVE: may it, and what is it? */

#include "bridge/presence_private.h"

#include "prim/base.h"

/* ---- checks ---- */

struct publishing {
	struct br_presence_request r;
	struct br_conn *conn;
	enum prim_publication_kind kind;
	struct prim_document_parts content;
	const char *why; /* static: what is wrong with the content; or NULL */
};

static bool kind_parse(const struct prim_command *c,
    enum prim_publication_kind *out)
{
	static const struct {
		struct prim_slice name;
		enum prim_publication_kind kind;
	} KINDS[] = {
		{{ "leased", 6 },     PRIM_PUBLISH_LEASED   },
		{ { "permanent", 9 }, PRIM_PUBLISH_PERMANENT},
		{ { "renew", 5 },     PRIM_PUBLISH_RENEW    },
		{ { "revert", 6 },    PRIM_PUBLISH_REVERT   },
	};
	struct prim_slice name = prim_command_get(c, PRIM_HEADER_PI_TYPE);

	*out = PRIM_PUBLISH_REMOVE;
	if (c->method == PRIM_METHOD_REMOVE)
		return true;
	for (size_t i = 0; i < PRIM_COUNT(KINDS); i++) {
		if (!prim_slice_eq(name, KINDS[i].name))
			continue;
		*out = KINDS[i].kind;
		return true;
	}
	return false;
}

static bool is_leased(enum prim_publication_kind kind)
{
	return kind == PRIM_PUBLISH_LEASED || kind == PRIM_PUBLISH_RENEW;
}

static bool has_value(enum prim_publication_kind kind)
{
	return is_leased(kind) || kind == PRIM_PUBLISH_PERMANENT;
}

/* ERR-95: only leases have a Duration that counts. */
static bool duration_ok(struct publishing *p)
{
	if (!is_leased(p->kind))
		return true;
	if (!br_presence_duration(p->r.c, BR_LEASE_DEFAULT_S, &p->r.asked_s))
		return false;
	p->r.granted_s = br_presence_grant(p->r.asked_s);
	return p->r.granted_s > 0;
}

static unsigned check_syntax(struct publishing *p)
{
	const struct prim_command *c = p->r.c;

	if (!br_presence_name(c, PRIM_HEADER_FROM, &p->r.from,
		&p->r.presentity) ||
	    !kind_parse(c, &p->kind))
		return PRIM_BAD_REQUEST;
	p->content.name = prim_command_get(c, PRIM_HEADER_TUPLE_ID);
	if (!prim_tuple_id_ok(p->content.name) || !duration_ok(p))
		return PRIM_BAD_REQUEST;
	return 0;
}

static unsigned check_content(struct publishing *p)
{
	const struct prim_command *c = p->r.c;
	const struct br_server *s = p->r.server;

	if (!has_value(p->kind))
		return 0; /* ERR-96, ERR-98: a body means nothing */
	if (c->body.len > s->config->limit_presence) {
		p->why = "longer than limits.presence";
		return PRIM_BAD_REQUEST;
	}
	p->content.body = c->body;
	p->content.type = prim_command_has(c, PRIM_HEADER_CONTENT_TYPE)
	    ? prim_command_get(c, PRIM_HEADER_CONTENT_TYPE)
	    : PRIM_SLICE("application/presence"); /* PRIM-018 */
	if (c->body.len == 0)
		return p->kind == PRIM_PUBLISH_RENEW ? 0 : PRIM_BAD_REQUEST;
	return prim_compose_check(p->r.from.text, &p->content, &p->why)
	    ? 0
	    : PRIM_BAD_REQUEST;
}

static unsigned check_room(const struct publishing *p)
{
	return p->r.server->stopping ||
		p->r.peer->ticket_count >= BR_PARKED_MAX ||
		p->r.peer->ticket_octets + p->r.c->body_len >
		    BR_PARKED_OCTETS_MAX
	    ? PRIM_INTERNAL_ERROR
	    : 0;
}

/* ---- somebody else's ---- */

static enum br_right right_for(enum prim_publication_kind kind)
{
	return kind == PRIM_PUBLISH_REMOVE ? BR_RIGHT_REMOVE : BR_RIGHT_PUBLISH;
}

/* PRIM-212, PRIM-221: his own always, those of others by right. */
static bool is_allowed(const struct publishing *p)
{
	return br_presence_allows(p->r.server,
	    prim_session_who(&p->conn->session),
	    prim_key_slice(&p->r.presentity), right_for(p->kind));
}

/* Who has no right may know whether there is anybody, or not (DESIGN 6). */
static void on_other(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct br_presence_errand *errand = arg;
	const struct br_server *s = errand->presence->server;

	if (known == BR_ENTITY_IS_PRESENT)
		br_presence_errand_keep(errand, e);
	if (known == BR_ENTITY_UNKNOWN)
		br_presence_errand_end(errand, PRIM_INTERNAL_ERROR);
	else
		br_presence_errand_end(errand,
		    known == BR_ENTITY_IS_ABSENT && !s->config->disclosure_hide
			? PRIM_NOT_FOUND
			: PRIM_FORBIDDEN);
}

static void refuse_other(struct publishing *p)
{
	br_entity_with(p->r.server->entities, prim_key_slice(&p->r.presentity),
	    on_other,
	    br_presence_errand_new(&p->r, sizeof(struct br_presence_errand),
		BR_ERRAND_AS_ASKED));
}

static void refuse(const struct publishing *p, unsigned code)
{
	const struct prim_command *c = p->r.c;

	br_info(&p->r.peer->log,
	    "publication refused code=%u tuple=%s octets=%zu reason=\"%s\"",
	    code, br_quote(prim_command_get(c, PRIM_HEADER_TUPLE_ID)),
	    c->body.len, p->why ? p->why : prim_status_phrase(code));
	br_errand_refuse(p->r.peer, c, code);
}

void br_presence_publish(struct br_conn *conn, const struct prim_command *c)
{
	static struct publishing p; /* large; the loop's only */
	unsigned code;

	p = (struct publishing){
		.r = {.server = conn->server, .peer = &conn->peer, .c = c},
		.conn = conn,
	};
	code = check_syntax(&p);
	if (!code)
		code = check_room(&p);
	if (!code &&
	    !br_config_serves(conn->server->config,
		prim_key_domain(&p.r.presentity)))
		code = PRIM_NOT_FOUND;
	if (!code && !is_allowed(&p)) {
		refuse_other(&p);
		return;
	}
	if (!code)
		code = check_content(&p);
	if (code)
		refuse(&p, code);
	else
		br_publication_start(&p.r, p.kind, &p.content);
}
