/* SPDX-License-Identifier: ISC */
/* links, order. */

#include "bridge/service_private.h"

#include <string.h>

#include "prim/date.h"

static struct br_identities *identities(const struct br_service_talk *t)
{
	return t->service->server->identities;
}

/* ---- order ---- */

struct places {
	struct prim_buf *b;
	struct prim_slice sought; /* or empty */
	unsigned count;
	bool is_found;
};

static bool place_each(void *arg, const struct br_identity *link)
{
	struct places *places = arg;

	places->count++;
	if (link && prim_slice_eq(link->address, places->sought))
		places->is_found = true;
	if (!places->b)
		return true;
	prim_buf_putf(places->b, "\n  %u. ", places->count);
	if (link)
		prim_buf_putf(places->b, "%.*s", PRIM_SLICE_ARG(link->address));
	else
		prim_buf_puts(places->b, "prim, your inbox here");
	return true;
}

unsigned br_service_put_order(const struct br_service_talk *t,
    struct prim_buf *b)
{
	struct places places = { .b = b };

	br_identities_order(identities(t), br_service_asker(t), place_each,
	    &places);
	return places.count;
}

bool br_service_is_in_order(const struct br_service_talk *t,
    struct prim_slice key)
{
	struct places places = { .sought = key };

	br_identities_order(identities(t), br_service_asker(t), place_each,
	    &places);
	return places.is_found;
}

static void show_order(struct br_service_talk *t)
{
	prim_buf_puts(&t->text, "Where you are looked for, in this order:");
	br_service_put_order(t, &t->text);
	br_service_answer(t);
}

static void on_ordered(void *arg, const char *why)
{
	struct br_service_talk *t = arg;

	if (why)
		br_service_answer_with(t,
		    "That did not work: %s. Write 'links' to see what there "
		    "is.",
		    why);
	else
		show_order(t);
}

/* Addresses as they are stored, whatever was written for them. */
static void put_words(struct prim_buf *b, struct prim_slice rest)
{
	struct prim_slice word;
	struct prim_key key;

	while ((word = br_service_word(&rest)).len) {
		if (br_service_address(word, &key))
			prim_buf_put(b, prim_key_slice(&key));
		else
			prim_buf_put(b, word);
		prim_buf_putc(b, ' ');
	}
}

/* Among other words it means nothing. */
static bool has_usual(struct prim_slice rest)
{
	struct prim_slice word;

	while ((word = br_service_word(&rest)).len)
		if (prim_slice_eq_nocase(word, PRIM_SLICE("usual")))
			return true;
	return false;
}

void br_service_order(struct br_service_talk *t)
{
	struct prim_buf words = { 0 };

	if (!t->is_principal) {
		br_service_answer_with(t,
		    "Only the account itself can set its order: write from "
		    "there.");
		return;
	}
	if (!t->rest.len) {
		show_order(t);
		return;
	}
	if (!prim_slice_eq_nocase(t->rest, PRIM_SLICE("usual"))) {
		if (has_usual(t->rest)) {
			br_service_answer_with(t,
			    "'usual' stands alone: 'order usual' brings back "
			    "the usual order, prim and then your links.");
			return;
		}
		put_words(&words, t->rest);
	}
	br_identity_order_set(identities(t), br_service_asker(t),
	    prim_buf_slice(&words), on_ordered, t);
	prim_buf_fini(&words);
}

/* ---- links ---- */

static void put_link(void *arg, const struct br_identity *link)
{
	struct br_service_talk *t = arg;
	struct prim_buf date = { 0 };

	prim_buf_putf(&t->text,
	    "\n  %.*s (%.*s): ", PRIM_SLICE_ARG(link->address),
	    PRIM_SLICE_ARG(link->network));
	if (link->verified_ms) {
		prim_date_put_3339(&date, link->verified_ms);
		prim_buf_putf(&t->text, "linked since %.10s", date.ptr);
	} else {
		prim_buf_puts(&t->text, "waits for its code");
	}
	prim_buf_fini(&date);
}

static void show_own(struct br_service_talk *t)
{
	size_t len;

	prim_buf_puts(&t->text, "Your links:");
	len = t->text.len;
	br_identities_each(identities(t), br_service_asker(t), put_link, t);
	if (t->text.len == len)
		br_service_answer_with(t,
		    "You have no links. Write 'link ADDRESS' to make one.");
	else
		br_service_answer(t);
}

void br_service_links(struct br_service_talk *t)
{
	const struct br_identity *link;

	if (t->is_principal) {
		show_own(t);
		return;
	}
	link = br_identity_of(identities(t), br_service_asker(t));
	if (link)
		br_service_answer_with(t, "This address is linked with %.*s.",
		    PRIM_SLICE_ARG(link->principal));
	else
		br_service_answer_with(t,
		    "This address is not linked. Write 'link NAME@%.*s' to "
		    "link it with your account here.",
		    PRIM_SLICE_ARG(br_key_domain(t->question->recipient)));
}
