/* SPDX-License-Identifier: ISC */
/* A link is asked for: a code, or the operator's word. */

#include "bridge/identity_private.h"

#include <string.h>

#include "prim/seed.h"

/* Is the pair linked, or the address somebody else's? */
static const char *rule_owner(struct br_identity_change *c)
{
	const struct br_identity *link = br_identity_of(c->all, c->address);

	if (!link || PRIM_SEED(address_linked_twice))
		return NULL;
	if (prim_slice_eq(link->principal, c->principal))
		return br_identity_say(c->all, "%.*s is linked to %.*s already",
		    PRIM_SLICE_ARG(c->address), PRIM_SLICE_ARG(c->principal));
	return br_identity_say(c->all,
	    "%.*s is linked to another account already; that link has to be "
	    "ended first",
	    PRIM_SLICE_ARG(c->address));
}

static bool is_full(const struct br_identity_change *c)
{
	const struct br_identity_owner *o = br_identity_owner_find(c->all,
	    c->principal);
	const struct br_identity_entry *e = br_identity_find(c->all,
	    c->principal, c->address);

	if (!o || (e && !e->is_phantom))
		return false;
	return o->count >= BR_LINKS_MAX;
}

static const char *throttle(struct br_identity_change *c)
{
	switch (c->side) {
	case BR_SIDE_PRINCIPAL:
		return br_identity_code_throttle(c->all, c->principal,
		    c->address);
	case BR_SIDE_FOREIGN:
		return br_identity_code_throttle(c->all, c->address,
		    c->principal);
	case BR_SIDE_OPERATOR:
		break;
	}
	return NULL;
}

static const char *refuse(struct br_identity_change *c)
{
	struct br_identities *all = c->all;
	const char *why = br_identity_rule_principal(all, c->principal);

	if (!why)
		why = br_identity_rule_address(all, c->address,
		    &c->row.network);
	if (!why)
		why = rule_owner(c);
	if (!why && c->side != BR_SIDE_FOREIGN && is_full(c))
		why = br_identity_say(all,
		    "%.*s has %d links, and more are not possible; end one of "
		    "them first",
		    PRIM_SLICE_ARG(c->principal), BR_LINKS_MAX);
	return why ? why : throttle(c);
}

/* A foreign side is not told whether there is such a principal, and must not
 * find out by what is said to a code either. */
static const char *pretend(struct br_identity_change *c)
{
	if (c->out_code)
		c->out_code[0] = '\0';
	br_identity_put(c->all, &c->row, true);
	return NULL;
}

static const char *commit(struct br_identity_change *c)
{
	struct br_identities *all = c->all;

	br_identity_put(all, &c->row, false);
	if (!c->row.verified_ms) {
		br_info(&all->log, "asked principal=%s address=%s by=%s",
		    br_quote(c->principal), br_quote(c->address),
		    c->row.is_foreign_asking ? "address" : "principal");
		return NULL;
	}
	br_info(&all->log, "linked principal=%s address=%s how=operator",
	    br_quote(c->principal), br_quote(c->address));
	br_identity_changed(all, c->principal, c->address);
	return NULL;
}

static void make_row(struct br_identity_change *c)
{
	struct br_store_link *row = &c->row;

	row->principal = c->principal;
	row->address = c->address;
	row->made_ms = br_identities_now(c->all);
	row->is_foreign_asking = c->side == BR_SIDE_FOREIGN;
	if (c->side == BR_SIDE_OPERATOR) {
		row->verified_ms = row->made_ms;
		row->how = PRIM_SLICE("operator");
	} else {
		br_identity_code_set(c->all, row, prim_slice_of(c->code));
	}
}

static void run(struct br_identity_change *c)
{
	const char *why = refuse(c);

	if (why) {
		br_identity_settle(c, why);
		return;
	}
	make_row(c);
	if (c->side == BR_SIDE_FOREIGN)
		c->absent = pretend;
	if (c->side == BR_SIDE_FOREIGN && is_full(c))
		br_identity_settle(c, pretend(c));
	else
		br_identity_change_store(c, commit);
}

void br_identity_ask(struct br_identities *all,
    const struct br_identity_wish *wish, char out_code[BR_CODE_DIGITS + 1],
    br_identity_done_fn done, void *arg)
{
	struct br_identity_change *c = br_identity_change_new(all,
	    wish->principal, wish->address, PRIM_SLICE_NONE);

	c->side = wish->side;
	c->run = run;
	c->done = done;
	c->arg = arg;
	if (c->side != BR_SIDE_OPERATOR) {
		c->out_code = out_code;
		br_identity_code_make(c->code);
		memcpy(out_code, c->code, sizeof(c->code));
	}
	br_identity_change_take(c);
}
