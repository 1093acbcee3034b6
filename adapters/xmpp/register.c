/* SPDX-License-Identifier: ISC */
/* Registration with the bridge. */

#include "adapters/xmpp/register.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/xmpp/stanza.h"
#include "prim/address.h"
#include "prim/base.h"
#include "prim/octet.h"

#define CODE_MAX 16 /* digits; the core knows how many there are */
#define SERVICE  "primbridge"

static xmpp_stanza_t *query_of(xmpp_stanza_t *iq)
{
	return xa_stanza_find(iq, "query", XA_NS_REGISTER);
}

static bool is_question(xmpp_stanza_t *iq)
{
	return xa_stanza_type_is(iq, "get") || xa_stanza_type_is(iq, "set");
}

bool xa_register_is(xmpp_stanza_t *iq)
{
	const char *to = xmpp_stanza_get_to(iq);

	return is_question(iq) && query_of(iq) && to && !strpbrk(to, "@/") &&
	    xmpp_stanza_get_id(iq) && xmpp_stanza_get_from(iq);
}

/*
 * What it wants.
 */

static enum xa_register_result refuse(struct xa_register *r,
    const struct xa_error *error, const char *why)
{
	r->error = error;
	r->why = why;
	return XA_REGISTER_REFUSE;
}

/* Appends the text of the field `name`, without blanks at its ends. */
static void put_field(struct prim_buf *b, xmpp_stanza_t *query,
    const char *name)
{
	xmpp_stanza_t *field = xa_stanza_find(query, name, XA_NS_REGISTER);
	struct prim_buf text = { 0 };

	if (field)
		xa_stanza_text(&text, field);
	prim_buf_put(b, prim_slice_trim(prim_buf_slice(&text)));
	prim_buf_fini(&text);
}

static bool is_code(struct prim_slice s)
{
	if (s.len == 0 || s.len > CODE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!prim_octet_is_digit(s.ptr[i]))
			return false;
	}
	return true;
}

static bool is_principal(struct prim_slice s, struct prim_address *out)
{
	return prim_address_parse(s, out) || prim_address_parse_bare(s, out);
}

static void put_words(struct xa_register *r, const char *verb,
    const struct prim_address *a)
{
	prim_buf_reset(&r->words);
	prim_buf_putf(&r->words, "%s im:%.*s@%.*s", verb,
	    PRIM_SLICE_ARG(a->local), PRIM_SLICE_ARG(a->domain));
}

static enum xa_register_result read_verify(struct xa_register *r,
    struct prim_slice user, struct prim_slice code)
{
	struct prim_address a;

	if (!is_code(code))
		return refuse(r, &xa_error_not_acceptable,
		    "the password is the code: digits, or nothing");
	r->kind = XA_TOKEN_VERIFY;
	prim_buf_reset(&r->words);
	if (user.len == 0)
		prim_buf_puts(&r->words, "verify");
	else if (is_principal(user, &a))
		put_words(r, "verify", &a);
	else
		return refuse(r, &xa_error_not_acceptable,
		    "the username is no PRIM address");
	prim_buf_putc(&r->words, ' ');
	prim_buf_put(&r->words, code);
	return XA_REGISTER_SAY;
}

static enum xa_register_result read_link(struct xa_register *r,
    struct prim_slice user)
{
	struct prim_address a;

	if (!is_principal(user, &a))
		return refuse(r, &xa_error_not_acceptable,
		    "the username is your PRIM address, like "
		    "juliet@prim.example");
	r->kind = XA_TOKEN_LINK;
	put_words(r, "link", &a);
	return XA_REGISTER_SAY;
}

static enum xa_register_result read_fields(struct xa_register *r,
    xmpp_stanza_t *query)
{
	struct prim_buf user = { 0 }, code = { 0 };
	enum xa_register_result result;

	put_field(&user, query, "username");
	put_field(&code, query, "password");
	if (code.len == 0)
		put_field(&code, query, "key");
	result = code.len
	    ? read_verify(r, prim_buf_slice(&user), prim_buf_slice(&code))
	    : read_link(r, prim_buf_slice(&user));
	prim_buf_fini(&user);
	prim_buf_fini(&code);
	return result;
}

/* Is there any element besides <remove/>? */
static bool is_crowded(xmpp_stanza_t *query)
{
	xmpp_stanza_t *c = xmpp_stanza_get_children(query);
	unsigned count = 0;

	for (; c; c = xmpp_stanza_get_next(c))
		count += xmpp_stanza_is_tag(c) ? 1 : 0;
	return count > 1;
}

static enum xa_register_result read_remove(struct xa_register *r,
    xmpp_stanza_t *query, struct prim_slice principal)
{
	struct prim_address a;

	if (is_crowded(query))
		return refuse(r, &xa_error_bad_request, "remove stands alone");
	if (!prim_address_parse(principal, &a))
		return refuse(r, &xa_error_registration_required,
		    "you are not registered");
	r->kind = XA_TOKEN_UNLINK;
	put_words(r, "unlink", &a);
	return XA_REGISTER_SAY;
}

enum xa_register_result xa_register_read(struct xa_register *r,
    xmpp_stanza_t *iq, struct prim_slice principal)
{
	xmpp_stanza_t *query = query_of(iq);

	if (xa_stanza_type_is(iq, "get"))
		return XA_REGISTER_SHOW;
	if (xa_stanza_find(query, "remove", XA_NS_REGISTER))
		return read_remove(r, query, principal);
	return read_fields(r, query);
}

void xa_register_fini(struct xa_register *r)
{
	prim_buf_fini(&r->words);
}

/*
 * What is said.
 */

static struct xa_envelope turned(xmpp_stanza_t *iq)
{
	return (struct xa_envelope){
		.from = xmpp_stanza_get_to(iq),
		.to = xmpp_stanza_get_from(iq),
		.id = xmpp_stanza_get_id(iq),
		.type = "result",
	};
}

xmpp_stanza_t *xa_register_done(xmpp_ctx_t *ctx, xmpp_stanza_t *iq)
{
	const struct xa_envelope envelope = turned(iq);

	return xa_stanza_new(ctx, "iq", &envelope);
}

static void add_text(xmpp_stanza_t *query, const char *name,
    struct prim_slice text)
{
	xa_stanza_add_text(xa_stanza_add(query, name, NULL), text);
}

xmpp_stanza_t *xa_register_form(xmpp_ctx_t *ctx, xmpp_stanza_t *iq,
    struct prim_slice principal, const char *domain)
{
	xmpp_stanza_t *reply = xa_register_done(ctx, iq);
	xmpp_stanza_t *query = xa_stanza_add(reply, "query", XA_NS_REGISTER);
	struct prim_buf text = { 0 };

	prim_buf_putf(&text,
	    "With your PRIM address, like you@%s, what you write here comes "
	    "from there. First fill in the address alone: a code is sent to "
	    "it. Then come back and fill in the address, and the code as the "
	    "password.",
	    domain);
	add_text(query, "instructions", prim_buf_slice(&text));
	prim_buf_fini(&text);
	if (principal.len) {
		xa_stanza_add(query, "registered", NULL);
		prim_slice_cut(&principal, ':');
	}
	add_text(query, "username", principal);
	add_text(query, "password", PRIM_SLICE_NONE);
	return reply;
}

xmpp_stanza_t *xa_register_message(xmpp_ctx_t *ctx, xmpp_stanza_t *iq,
    struct prim_slice words, const char *domain, uint64_t random)
{
	struct prim_buf to = { 0 };
	struct xa_envelope envelope = { .from = xmpp_stanza_get_from(iq) };
	xmpp_stanza_t *s;
	char id[40];

	/* The same words said twice are said twice. */
	snprintf(id, sizeof(id), "register-%016" PRIx64, random);
	prim_buf_putf(&to, SERVICE "@%s", domain);
	prim_buf_putc(&to, '\0');
	envelope.to = to.ptr;
	envelope.id = id;
	s = xa_stanza_new(ctx, "message", &envelope);
	xmpp_stanza_set_ns(s, XMPP_NS_COMPONENT);
	xa_stanza_add_text(xa_stanza_add(s, "body", XMPP_NS_COMPONENT), words);
	prim_buf_fini(&to);
	return s;
}

xmpp_stanza_t *xa_register_restore(xmpp_ctx_t *ctx, const struct xa_token *t)
{
	char *from = prim_slice_copy(t->from);
	char *to = prim_slice_copy(t->to);
	char *id = prim_slice_copy(t->id);
	const struct xa_envelope envelope = {
		.from = from,
		.to = to,
		.id = id,
		.type = "set",
	};
	xmpp_stanza_t *s = xa_stanza_new(ctx, "iq", &envelope);

	xmpp_stanza_set_ns(s, XMPP_NS_COMPONENT);
	prim_free(from);
	prim_free(to);
	prim_free(id);
	return s;
}
