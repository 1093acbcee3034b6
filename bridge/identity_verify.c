/* SPDX-License-Identifier: ISC */
/* The code came back. */

#include "bridge/identity_private.h"

#include <string.h>

#include "prim/seed.h"

/* "the link of romeo@x and alice@y": the same words for each side. */
#define PAIR_FORMAT "the link of %.*s and %.*s"
#define PAIR_ARGS(c) \
	PRIM_SLICE_ARG((c)->row.address), PRIM_SLICE_ARG((c)->row.principal)

static bool is_meant(const struct br_identity_change *c,
    const struct br_identity_entry *e)
{
	if (e->is_phantom && c->side != BR_SIDE_FOREIGN)
		return false;
	return (!c->principal.len ||
		   prim_slice_eq(e->row.principal, c->principal)) &&
	    (!c->address.len || prim_slice_eq(e->row.address, c->address));
}

/* What a code can be for: of all that are meant, those it may come for from
 * this side. */
struct choice {
	struct br_identity_entry *found;
	unsigned count;
	bool is_verified;  /* one that is meant is linked already */
	bool is_otherwise; /* one waits for its code from the other side */
};

static void choice_add(struct choice *choice,
    const struct br_identity_change *c, struct br_identity_entry *e)
{
	bool is_side = c->side == BR_SIDE_OPERATOR ||
	    PRIM_SEED(code_from_any_side) ||
	    e->row.is_foreign_asking == (c->side == BR_SIDE_FOREIGN);

	if (!is_meant(c, e))
		return;
	if (e->row.verified_ms) {
		choice->is_verified = true;
	} else if (!is_side) {
		choice->is_otherwise = true;
	} else {
		choice->found = e;
		choice->count++;
	}
}

static struct choice choose(const struct br_identity_change *c)
{
	const struct br_identity_owner *o;
	struct br_identity_entry *e;
	struct choice choice = { 0 };

	if (c->address.len) {
		for (e = br_identity_first(c->all, c->address); e;
		     e = br_identity_next(e))
			choice_add(&choice, c, e);
		return choice;
	}
	o = br_identity_owner_find(c->all, c->principal);
	if (!o)
		return choice;
	TAILQ_FOREACH(e, &o->links, of_owner)
		choice_add(&choice, c, e);
	return choice;
}

static const char *none(struct br_identity_change *c,
    const struct choice *choice)
{
	if (choice->count > 1)
		return br_identity_say(c->all,
		    "more than one link waits for its code; say which address "
		    "this one is for, like this: verify romeo@example.org "
		    "12345678");
	if (choice->is_otherwise)
		return br_identity_say(c->all,
		    "no link waits for a code from this side; the side that "
		    "asked for the link has to say it");
	if (choice->is_verified && c->principal.len && c->address.len)
		return br_identity_say(c->all, "%.*s is linked to %.*s already",
		    PRIM_SLICE_ARG(c->address), PRIM_SLICE_ARG(c->principal));
	return br_identity_say(c->all,
	    "no link waits for a code now; a code is good for %d minutes and "
	    "%d tries; ask for the link again",
	    (int)(BR_CODE_WITHIN_MS / 60000), BR_CODE_TRIES);
}

/* ---- a wrong one ---- */

static const char *wrong_commit(struct br_identity_change *c)
{
	const struct br_identity_entry *e = br_identity_find(c->all,
	    c->row.principal, c->row.address);
	unsigned left = BR_CODE_TRIES - c->row.code_tries;

	if (e)
		br_identity_put(c->all, &c->row, e->is_phantom);
	return br_identity_say(c->all,
	    "that is not the code for " PAIR_FORMAT "; %u %s left",
	    PAIR_ARGS(c), left, left == 1 ? "try is" : "tries are");
}

static const char *last_commit(struct br_identity_change *c)
{
	struct br_identity_entry *e = br_identity_find(c->all, c->row.principal,
	    c->row.address);

	if (e)
		br_identity_drop(c->all, e);
	return br_identity_say(c->all,
	    "that is not the code for " PAIR_FORMAT ", and it was the last of "
	    "%d tries; ask for the link again",
	    PAIR_ARGS(c), BR_CODE_TRIES);
}

static void wrong(struct br_identity_change *c, bool is_phantom)
{
	bool is_last = ++c->row.code_tries >= BR_CODE_TRIES &&
	    !PRIM_SEED(code_tries_endless);

	if (is_phantom)
		br_identity_settle(c,
		    is_last ? last_commit(c) : wrong_commit(c));
	else if (is_last)
		br_identity_change_drop(c, last_commit);
	else
		br_identity_change_store(c, wrong_commit);
}

/* ---- the right one ---- */

static const char *right_commit(struct br_identity_change *c)
{
	br_identity_put(c->all, &c->row, false);
	br_info(&c->all->log, "linked principal=%s address=%s how=%.*s",
	    br_quote(c->row.principal), br_quote(c->row.address),
	    PRIM_SLICE_ARG(c->row.how));
	br_identity_changed(c->all, c->row.principal, c->row.address);
	return NULL;
}

static const char *owned_commit(struct br_identity_change *c)
{
	struct br_identity_entry *e = br_identity_find(c->all, c->row.principal,
	    c->row.address);

	if (e)
		br_identity_drop(c->all, e);
	return br_identity_say(c->all,
	    "%.*s has been linked to another account meanwhile",
	    PRIM_SLICE_ARG(c->row.address));
}

static void right(struct br_identity_change *c)
{
	struct br_store_link *row = &c->row;

	if (br_identity_of(c->all, row->address)) {
		br_identity_change_drop(c, owned_commit);
		return;
	}
	row->verified_ms = br_identities_now(c->all);
	row->how = c->side == BR_SIDE_OPERATOR ? PRIM_SLICE("operator")
					       : PRIM_SLICE("code");
	memset(row->code_hash, 0, sizeof(row->code_hash));
	memset(row->code_salt, 0, sizeof(row->code_salt));
	row->code_expires_ms = 0;
	row->code_tries = 0;
	br_identity_change_store(c, right_commit);
}

/* ---- which it is ---- */

static bool is_right(const struct br_identity_change *c)
{
	if (c->side == BR_SIDE_OPERATOR && !c->words.len)
		return true;
	return br_identity_code_is(c->all, &c->row, c->words);
}

/* The row outlives the entry: its slices are copied. */
static void hold(struct br_identity_change *c,
    const struct br_identity_entry *e)
{
	size_t len = e->row.principal.len + e->row.address.len +
	    e->row.network.len;
	char *room = prim_buf_room(&c->held, len);

	c->row = e->row;
	c->row.principal = prim_slice_keep(&room, e->row.principal);
	c->row.address = prim_slice_keep(&room, e->row.address);
	c->row.network = prim_slice_keep(&room, e->row.network);
	c->principal = c->row.principal;
	c->address = c->row.address;
}

static void run(struct br_identity_change *c)
{
	bool is_word = c->side == BR_SIDE_OPERATOR && !c->words.len;
	struct choice choice = choose(c);
	bool is_phantom;

	if (choice.count != 1) {
		br_identity_settle(c, none(c, &choice));
		return;
	}
	if (!is_word && !br_identity_code_ok(c->words)) {
		br_identity_settle(c,
		    br_identity_say(c->all, "a code has %d digits",
			BR_CODE_DIGITS));
		return;
	}
	is_phantom = choice.found->is_phantom;
	hold(c, choice.found);
	if (is_right(c) && !is_phantom)
		right(c);
	else
		wrong(c, is_phantom);
}

void br_identity_verify(struct br_identities *all,
    const struct br_identity_answer *answer, br_identity_done_fn done,
    void *arg)
{
	struct br_identity_change *c = br_identity_change_new(all,
	    answer->principal, answer->address, answer->code);

	c->side = answer->side;
	c->run = run;
	c->done = done;
	c->arg = arg;
	br_identity_change_take(c);
}
