/* SPDX-License-Identifier: ISC */
/* Changes, one after the other; ending a link, and the order of links. */

#include "bridge/identity_private.h"

#include <string.h>

#include "prim/base.h"
#include "prim/visible.h"

#define WORD_MAX 64 /* octets of a wrong word that are said back */

/* ---- in turn ---- */

struct br_identity_change *br_identity_change_new(struct br_identities *all,
    struct prim_slice principal, struct prim_slice address,
    struct prim_slice words)
{
	struct br_identity_change *c = prim_alloc(sizeof(*c) + principal.len +
	    address.len + words.len);
	char *room = c->octets;

	c->all = all;
	c->principal = prim_slice_keep(&room, principal);
	c->address = prim_slice_keep(&room, address);
	c->words = prim_slice_keep(&room, words);
	return c;
}

/* Not from inside itself: who is told may wish for something new. */
static void run_all(struct br_identities *all)
{
	struct br_identity_change *c;

	if (all->running)
		return;
	all->running = true;
	while (!all->storing && (c = STAILQ_FIRST(&all->changes))) {
		br_identities_expire(all);
		c->run(c);
	}
	all->running = false;
}

void br_identity_change_take(struct br_identity_change *c)
{
	STAILQ_INSERT_TAIL(&c->all->changes, c, link);
	run_all(c->all);
}

static void change_free(struct br_identity_change *c)
{
	prim_buf_fini(&c->held);
	explicit_bzero(c->code, sizeof(c->code));
	prim_free(c);
}

void br_identity_settle(struct br_identity_change *c, const char *why)
{
	struct br_identities *all = c->all;
	const br_identity_done_fn done = c->done;
	void *const arg = c->arg;

	STAILQ_REMOVE_HEAD(&all->changes, link);
	if (why && c->out_code)
		c->out_code[0] = '\0';
	change_free(c);
	done(arg, why);
}

void br_identity_changes_free(struct br_identities *all)
{
	struct br_identity_change *c;

	while ((c = STAILQ_FIRST(&all->changes))) {
		STAILQ_REMOVE_HEAD(&all->changes, link);
		change_free(c);
	}
}

/* The same sentence for a right code and a wrong one: a store that cannot
 * write must not tell which it was. */
static const char *no_store(struct br_identities *all)
{
	return br_identity_say(all,
	    "nothing was changed, because it could not be stored; try again "
	    "later");
}

static const char *outcome_say(struct br_identity_change *c,
    enum br_store_outcome outcome)
{
	switch (outcome) {
	case BR_STORE_DONE:
		return c->commit(c);
	case BR_STORE_ABSENT:
		return br_identity_say(c->all, "there is no account %.*s",
		    PRIM_SLICE_ARG(c->principal));
	case BR_STORE_EXISTS:
		return br_identity_say(c->all,
		    "%.*s is linked to another account already",
		    PRIM_SLICE_ARG(c->address));
	case BR_STORE_DUPLICATE:
	case BR_STORE_FAILED:
		break;
	}
	return no_store(c->all);
}

void br_identity_stored(void *arg, enum br_store_outcome outcome)
{
	struct br_identity_change *c = arg;
	struct br_identities *all = c->all;

	all->storing = false;
	all->running = true;
	if (outcome == BR_STORE_ABSENT && c->absent)
		br_identity_settle(c, c->absent(c));
	else
		br_identity_settle(c, outcome_say(c, outcome));
	all->running = false;
	run_all(all);
}

void br_identity_change_store(struct br_identity_change *c,
    const char *(*commit)(struct br_identity_change *c))
{
	c->all->storing = true;
	c->commit = commit;
	br_store_link_put(c->all->c.store, &c->row, br_identity_stored, c);
}

void br_identity_change_drop(struct br_identity_change *c,
    const char *(*commit)(struct br_identity_change *c))
{
	c->all->storing = true;
	c->commit = commit;
	c->absent = commit;
	br_store_link_drop(c->all->c.store, c->principal, c->address,
	    br_identity_stored, c);
}

void br_identity_changed(struct br_identities *all, struct prim_slice principal,
    struct prim_slice address)
{
	if (all->c.changed)
		all->c.changed(all->c.ctx, principal, address);
}

/* ---- ending a link ---- */

static const char *no_link(struct br_identity_change *c)
{
	return br_identity_say(c->all,
	    "%.*s and %.*s are not linked, so nothing was changed",
	    PRIM_SLICE_ARG(c->address), PRIM_SLICE_ARG(c->principal));
}

/* The account may have gone, and all its links with it, meanwhile. */
static const char *remove_commit(struct br_identity_change *c)
{
	struct br_identities *all = c->all;
	struct br_identity_entry *e = br_identity_find(all, c->principal,
	    c->address);
	bool was_verified = e && e->row.verified_ms;

	if (!e)
		return no_link(c);
	br_identity_drop(all, e);
	br_identity_order_cut(all, c->principal, c->address);
	if (!was_verified)
		return NULL;
	br_info(&all->log, "unlinked principal=%s address=%s",
	    br_quote(c->principal), br_quote(c->address));
	br_identity_changed(all, c->principal, c->address);
	return NULL;
}

static void remove_run(struct br_identity_change *c)
{
	struct br_identity_entry *e = br_identity_find(c->all, c->principal,
	    c->address);

	if (e && e->is_phantom) {
		br_identity_drop(c->all, e);
		br_identity_settle(c, NULL);
	} else if (e) {
		br_identity_change_drop(c, remove_commit);
	} else {
		br_identity_settle(c, no_link(c));
	}
}

/* A pair and a callback: five. */
/* NOLINTNEXTLINE(readability-function-size) */
void br_identity_remove(struct br_identities *all, struct prim_slice principal,
    struct prim_slice address, br_identity_done_fn done, void *arg)
{
	struct br_identity_change *c = br_identity_change_new(all, principal,
	    address, PRIM_SLICE_NONE);

	c->run = remove_run;
	c->done = done;
	c->arg = arg;
	br_identity_change_take(c);
}

void br_identities_forget(struct br_identities *all,
    struct prim_slice principal)
{
	struct br_identity_owner *o;
	struct prim_buf key = { 0 };

	/* `principal` may be borrowed from what goes. */
	prim_buf_put(&key, principal);
	br_identity_order_keep(all, prim_buf_slice(&key), PRIM_SLICE_NONE);
	while ((o = br_identity_owner_find(all, prim_buf_slice(&key)))) {
		struct br_identity_entry *e = TAILQ_FIRST(&o->links);
		struct prim_buf address = { 0 };
		bool was_verified = e->row.verified_ms != 0;

		prim_buf_put(&address, e->row.address);
		br_identity_drop(all, e);
		if (was_verified)
			br_identity_changed(all, prim_buf_slice(&key),
			    prim_buf_slice(&address));
		prim_buf_fini(&address);
	}
	prim_buf_fini(&key);
}

/* ---- the order ---- */

static const char *order_commit(struct br_identity_change *c)
{
	br_identity_order_keep(c->all, c->principal, prim_buf_slice(&c->held));
	return NULL;
}

/* Takes the next word; they are separated by blanks or commas. */
static bool word_next(struct prim_slice *rest, struct prim_slice *out_word)
{
	static const char ENDS[] = " \t\r\n,";
	struct prim_slice word = *rest;
	size_t len = 0;

	while (word.len > 0 && strchr(ENDS, word.ptr[0]))
		word = prim_slice_from(word, 1);
	while (len < word.len && !strchr(ENDS, word.ptr[len]))
		len++;
	*out_word = prim_slice_make(word.ptr, len);
	*rest = prim_slice_from(word, len);
	return len > 0;
}

/* The word as it is stored, or the empty slice. */
static struct prim_slice word_mean(const struct br_identity_change *c,
    struct prim_slice word, struct prim_key *key)
{
	const struct br_identity_entry *e;
	struct prim_address address;

	if (prim_slice_eq_nocase(word, PRIM_SLICE("prim")))
		return PRIM_SLICE("prim");
	if (!prim_address_parse(word, &address) &&
	    !prim_address_parse_bare(word, &address))
		return PRIM_SLICE_NONE;
	prim_address_key(&address, key);
	e = br_identity_find(c->all, c->principal, prim_key_slice(key));
	return e && e->row.verified_ms ? prim_key_slice(key) : PRIM_SLICE_NONE;
}

static bool order_has(const struct prim_buf *order, struct prim_slice word)
{
	struct prim_slice rest = prim_buf_slice(order);

	while (rest.len)
		if (prim_slice_eq(prim_slice_cut(&rest, '\n'), word))
			return true;
	return false;
}

static const char *word_refuse(struct br_identity_change *c,
    struct prim_slice word, const char *what)
{
	struct prim_buf visible = { 0 };
	const char *why;

	if (word.len > WORD_MAX)
		word.len = WORD_MAX;
	prim_visible_put(&visible, word);
	why = br_identity_say(c->all, "'%.*s' %s",
	    PRIM_SLICE_ARG(prim_buf_slice(&visible)), what);
	prim_buf_fini(&visible);
	return why;
}

static const char *order_read(struct br_identity_change *c)
{
	struct prim_slice rest = c->words, word;

	while (word_next(&rest, &word)) {
		struct prim_key key;
		struct prim_slice meant = word_mean(c, word, &key);

		if (!meant.len)
			return word_refuse(c, word,
			    "is neither 'prim' nor a linked address");
		if (order_has(&c->held, meant))
			return word_refuse(c, word, "is named twice");
		prim_buf_put(&c->held, meant);
		prim_buf_putc(&c->held, '\n');
	}
	return NULL;
}

static void order_run(struct br_identity_change *c)
{
	const char *why = br_identity_rule_principal(c->all, c->principal);

	if (!why)
		why = order_read(c);
	if (why) {
		br_identity_settle(c, why);
		return;
	}
	c->all->storing = true;
	c->commit = order_commit;
	br_store_order_put(c->all->c.store, c->principal,
	    prim_buf_slice(&c->held), br_identity_stored, c);
}

/* NOLINTNEXTLINE(readability-function-size) */
void br_identity_order_set(struct br_identities *all,
    struct prim_slice principal, struct prim_slice words,
    br_identity_done_fn done, void *arg)
{
	struct br_identity_change *c = br_identity_change_new(all, principal,
	    PRIM_SLICE_NONE, words);

	c->run = order_run;
	c->done = done;
	c->arg = arg;
	br_identity_change_take(c);
}
