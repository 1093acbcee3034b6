/* SPDX-License-Identifier: ISC */
/* link, verify, unlink. */

#include "bridge/service_private.h"

#include <string.h>

#include "prim/base.h"
#include "prim/octet.h"
#include "prim/seed.h"

#define MINUTES  ((int)(BR_CODE_WITHIN_MS / 60000))
#define CODE_MAX 32 /* octets of what is taken for a code */

static struct br_identities *identities(const struct br_service_talk *t)
{
	return t->service->server->identities;
}

static struct prim_slice principal_of(const struct br_service_talk *t)
{
	return t->is_principal ? br_service_asker(t)
			       : prim_key_slice(&t->other);
}

static struct prim_slice address_of(const struct br_service_talk *t)
{
	return t->is_principal ? prim_key_slice(&t->other)
			       : br_service_asker(t);
}

/* False: told. */
static bool refused(struct br_service_talk *t, const char *why)
{
	if (why)
		br_service_answer_with(t, "That did not work: %s.", why);
	return why != NULL;
}

/* ---- how the network of an address spells it ---- */

static void on_canonical(void *arg, const struct prim_key *key, const char *why)
{
	struct br_service_talk *t = arg;
	const struct br_router *router = t->service->server->router;
	const struct br_route *asked, *told;

	t->is_away = false;
	if (t->service->cancelled) {
		br_service_end(t, PRIM_INTERNAL_ERROR);
		return;
	}
	if (!key) {
		refused(t, why);
		return;
	}
	/* An adapter speaks for its own network only. */
	asked = br_router_find(router, prim_key_domain(&t->other));
	told = br_router_find(router, prim_key_domain(key));
	if (!told || told->kind != BR_ROUTE_ADAPTER ||
	    told->adapter != asked->adapter) {
		refused(t, "there is no such address");
		return;
	}
	t->other = *key;
	t->go_on(t);
}

/* Where it leads nowhere, whoever goes on says so. */
static void canonicalize(struct br_service_talk *t)
{
	struct br_server *s = t->service->server;
	const struct br_route *route = br_router_find(s->router,
	    prim_key_domain(&t->other));
	struct prim_buf uri = { 0 };

	if (!t->is_principal || !route || route->kind != BR_ROUTE_ADAPTER) {
		t->go_on(t);
		return;
	}
	t->is_away = true;
	prim_buf_puts(&uri, "im:");
	prim_buf_put(&uri, prim_key_slice(&t->other));
	br_host_canonical(s->hosts[route->adapter], prim_buf_slice(&uri),
	    on_canonical, t);
	prim_buf_fini(&uri);
}

struct search {
	struct prim_slice address;
	bool is_found;
};

static void search_each(void *arg, const struct br_identity *link)
{
	struct search *search = arg;

	if (prim_slice_eq(link->address, search->address))
		search->is_found = true;
}

/* What is known needs no adapter: it may not run, or be gone for good. */
static void canonicalize_unknown(struct br_service_talk *t)
{
	struct search search = { .address = address_of(t) };

	br_identities_each(identities(t), principal_of(t), search_each,
	    &search);
	if (search.is_found)
		t->go_on(t);
	else
		canonicalize(t);
}

/* ---- link ---- */

static void put_code_for_address(struct prim_buf *b,
    const struct br_service_talk *t)
{
	const struct prim_slice from = principal_of(t), to = address_of(t);

	prim_buf_putf(b,
	    "%.*s asks to be linked with this address, %.*s.\n"
	    "If that is you, write this to im:%.*s from %.*s within %d "
	    "minutes:\n"
	    "  verify %.*s %s\n"
	    "If it is not, you need not do anything. Give the code to nobody.",
	    PRIM_SLICE_ARG(from), PRIM_SLICE_ARG(to),
	    PRIM_SLICE_ARG(t->question->recipient), PRIM_SLICE_ARG(from),
	    MINUTES, PRIM_SLICE_ARG(to), t->code);
}

static void put_code_for_principal(struct prim_buf *b,
    const struct br_service_talk *t)
{
	const struct prim_slice from = address_of(t), to = principal_of(t);

	prim_buf_putf(b,
	    "%.*s asks to be linked with your account, %.*s.\n"
	    "If that is you, write this to im:%.*s from %.*s within %d "
	    "minutes:\n"
	    "  verify %.*s %s\n"
	    "If it is not, you need not do anything. Give the code to nobody: "
	    "whoever has it could write in your name.",
	    PRIM_SLICE_ARG(from), PRIM_SLICE_ARG(to),
	    PRIM_SLICE_ARG(t->question->recipient), PRIM_SLICE_ARG(from),
	    MINUTES, PRIM_SLICE_ARG(to), t->code);
}

static void send_code(struct br_service_talk *t)
{
	struct prim_buf text = { 0 };

	if (t->is_principal)
		put_code_for_address(&text, t);
	else
		put_code_for_principal(&text, t);
	br_service_tell(t,
	    PRIM_SEED(code_to_asker) ? br_service_asker(t)
				     : prim_key_slice(&t->other),
	    prim_buf_slice(&text));
	explicit_bzero(text.ptr, text.len);
	prim_buf_fini(&text);
}

/* Who asks from elsewhere reads the same whether there is such an account or
 * not; then there is no code. */
static void on_asked(void *arg, const char *why)
{
	struct br_service_talk *t = arg;
	const struct prim_slice other = prim_key_slice(&t->other);

	if (refused(t, why))
		return;
	if (t->code[0])
		send_code(t);
	if (t->is_principal)
		br_service_answer_with(t,
		    "A code is on its way to %.*s. When it is there, write "
		    "here within %d minutes:\n"
		    "  verify %.*s CODE\n"
		    "If none comes, check the address and write 'link' again.",
		    PRIM_SLICE_ARG(other), MINUTES, PRIM_SLICE_ARG(other));
	else
		br_service_answer_with(t,
		    "If %.*s is an account here, a code is on its way to it. "
		    "Read it there, and write here within %d minutes:\n"
		    "  verify %.*s CODE",
		    PRIM_SLICE_ARG(other), MINUTES, PRIM_SLICE_ARG(other));
}

static void link_go_on(struct br_service_talk *t)
{
	const struct br_identity_wish wish = {
		.principal = principal_of(t),
		.address = address_of(t),
		.side = t->is_principal ? BR_SIDE_PRINCIPAL : BR_SIDE_FOREIGN,
	};

	br_identity_ask(identities(t), &wish, t->code, on_asked, t);
}

/* Reads the address that a command is about. False: told what is wrong. */
static bool read_other(struct br_service_talk *t, const char *command)
{
	const struct prim_slice domain = t->is_principal
	    ? PRIM_SLICE("example.org")
	    : br_key_domain(t->question->recipient);
	struct prim_slice word = br_service_word(&t->rest);

	if (word.len && br_service_address(word, &t->other))
		return true;
	br_service_answer_with(t,
	    "%s Write it behind the word, like this: %s romeo@%.*s",
	    word.len ? "That is no address." : "Which address?", command,
	    PRIM_SLICE_ARG(domain));
	return false;
}

void br_service_link(struct br_service_talk *t)
{
	t->go_on = link_go_on;
	if (read_other(t, "link"))
		canonicalize(t);
}

/* ---- verify ---- */

/* The one that was verified last: the one this is about. */
static void newest_each(void *arg, const struct br_identity *link)
{
	const struct br_identity **newest = arg;

	if (link->verified_ms &&
	    (!*newest || link->verified_ms >= (*newest)->verified_ms))
		*newest = link;
}

static const struct br_identity *newest(const struct br_service_talk *t)
{
	const struct br_identity *link = NULL;

	if (!t->is_principal)
		return br_identity_of(identities(t), br_service_asker(t));
	if (t->other.len)
		return br_identity_of(identities(t), address_of(t));
	br_identities_each(identities(t), br_service_asker(t), newest_each,
	    &link);
	return link;
}

static void on_verified(void *arg, const char *why)
{
	struct br_service_talk *t = arg;
	const struct br_identity *link;

	if (refused(t, why))
		return;
	link = newest(t);
	if (!link) { /* ended again already */
		br_service_answer_with(t, "They are linked now.");
		return;
	}
	prim_buf_putf(&t->text,
	    "%.*s and %.*s are linked now. What is written from %.*s comes "
	    "from %.*s, and a message finds its way there when nobody reads it "
	    "here.",
	    PRIM_SLICE_ARG(link->principal), PRIM_SLICE_ARG(link->address),
	    PRIM_SLICE_ARG(link->address), PRIM_SLICE_ARG(link->principal));
	if (t->is_principal && !br_service_is_in_order(t, link->address))
		prim_buf_putf(&t->text,
		    " Your order does not name it, so nothing goes there until "
		    "you write 'order' with it.");
	br_service_answer(t);
}

/* "1234 5678" and "1234-5678" are 12345678. */
static void put_code(struct prim_buf *b, struct prim_slice word)
{
	for (size_t i = 0; i < word.len && b->len < CODE_MAX; i++) {
		if (word.ptr[i] != '-')
			prim_buf_putc(b, word.ptr[i]);
	}
}

static void verify_go_on(struct br_service_talk *t)
{
	struct br_identity_answer answer = {
		.principal = principal_of(t),
		.address = address_of(t),
		.side = t->is_principal ? BR_SIDE_PRINCIPAL : BR_SIDE_FOREIGN,
	};
	struct prim_slice rest = t->rest, word;
	struct prim_buf code = { 0 };

	while ((word = br_service_word(&rest)).len)
		if (prim_slice_find(word, '@') < 0)
			put_code(&code, word);
	answer.code = prim_buf_slice(&code);
	br_identity_verify(identities(t), &answer, on_verified, t);
	if (code.ptr)
		explicit_bzero(code.ptr, code.len);
	prim_buf_fini(&code);
}

void br_service_verify(struct br_service_talk *t)
{
	struct prim_slice rest = t->rest, word;
	bool has_code = false;

	t->go_on = verify_go_on;
	while ((word = br_service_word(&rest)).len) {
		if (prim_slice_find(word, '@') < 0) {
			has_code = true;
		} else if (t->other.len ||
		    !br_service_address(word, &t->other)) {
			br_service_answer_with(t,
			    "I do not understand that. Write it like this: "
			    "verify romeo@example.org 12345678");
			return;
		}
	}
	if (!has_code)
		br_service_answer_with(t,
		    "Which code? Write it behind the word, like this: verify "
		    "12345678");
	else if (t->other.len)
		canonicalize_unknown(t);
	else
		verify_go_on(t);
}

/* ---- unlink ---- */

static void on_removed(void *arg, const char *why)
{
	struct br_service_talk *t = arg;

	if (!refused(t, why))
		br_service_answer_with(t,
		    "%.*s and %.*s are not linked any more.",
		    PRIM_SLICE_ARG(principal_of(t)),
		    PRIM_SLICE_ARG(address_of(t)));
}

static void unlink_go_on(struct br_service_talk *t)
{
	br_identity_remove(identities(t), principal_of(t), address_of(t),
	    on_removed, t);
}

void br_service_unlink(struct br_service_talk *t)
{
	t->go_on = unlink_go_on;
	if (read_other(t, "unlink"))
		canonicalize_unknown(t);
}
