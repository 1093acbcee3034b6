/* SPDX-License-Identifier: ISC */
/* Listeners, offers and the best answer. */

#include "prim/inbox.h"

#include <assert.h>

#include "prim/base.h"

void prim_inbox_init(struct prim_inbox *inbox)
{
	TAILQ_INIT(&inbox->listeners);
	inbox->listener_count = 0;
}

void prim_inbox_fini(struct prim_inbox *inbox)
{
	assert(inbox->listener_count == 0);
	(void)inbox;
}

bool prim_inbox_is_open(const struct prim_inbox *inbox)
{
	return inbox->listener_count > 0;
}

void prim_listener_init(struct prim_listener *l)
{
	l->inbox = NULL;
	TAILQ_INIT(&l->offers);
	l->offer_count = 0;
}

void prim_listener_start(struct prim_listener *l, struct prim_inbox *inbox)
{
	if (l->inbox == inbox)
		return;
	prim_listener_stop(l);
	l->inbox = inbox;
	TAILQ_INSERT_TAIL(&inbox->listeners, l, link);
	inbox->listener_count++;
}

bool prim_listener_stop(struct prim_listener *l)
{
	if (!l->inbox)
		return false;
	TAILQ_REMOVE(&l->inbox->listeners, l, link);
	l->inbox->listener_count--;
	l->inbox = NULL;
	return true;
}

static void offer_free(struct prim_offer *offer)
{
	if (offer->send)
		TAILQ_REMOVE(&offer->send->offers, offer, of_send);
	if (offer->listener) {
		TAILQ_REMOVE(&offer->listener->offers, offer, of_listener);
		offer->listener->offer_count--;
	}
	prim_free(offer);
}

static void settle(struct prim_send *s, unsigned code)
{
	if (s->is_settled)
		return;
	s->is_settled = true;
	s->ops->settled(s, code);
}

/* What the answers so far amount to. Somebody who said nothing might have
 * taken it, so a refusal by the others is not the end (DESIGN 11). */
static unsigned verdict(const struct prim_send *s)
{
	bool is_positive = s->best == PRIM_OK ||
	    s->best == PRIM_UNKNOWN_DELIVERY;

	return s->is_silent && !is_positive ? 0 : s->best;
}

static void note_answer(struct prim_send *s, unsigned code)
{
	if (s->best == 0 || prim_status_better(code, s->best))
		s->best = code;
	if (s->is_settled)
		s->ops->late(s, code);
	else if (code == PRIM_OK || TAILQ_EMPTY(&s->offers))
		settle(s, verdict(s));
}

static void note_silence(struct prim_send *s)
{
	s->is_silent = true;
	if (s->is_settled)
		s->ops->late(s, 0);
	else if (TAILQ_EMPTY(&s->offers))
		settle(s, verdict(s));
}

void prim_listener_fini(struct prim_listener *l)
{
	struct prim_offer *offer;

	prim_listener_stop(l);
	while ((offer = TAILQ_FIRST(&l->offers))) {
		struct prim_send *s = offer->send;

		offer_free(offer);
		if (s)
			note_silence(s);
	}
}

void prim_send_init(struct prim_send *s, const struct prim_inbox_ops *ops)
{
	s->ops = ops;
	TAILQ_INIT(&s->offers);
	s->best = 0;
	s->is_silent = false;
	s->is_settled = false;
}

static bool offer_to(struct prim_send *s, struct prim_listener *l)
{
	struct prim_offer *offer = prim_new(struct prim_offer);

	offer->send = s;
	offer->listener = l;
	TAILQ_INSERT_TAIL(&s->offers, offer, of_send);
	TAILQ_INSERT_TAIL(&l->offers, offer, of_listener);
	l->offer_count++;
	if (s->ops->offer(l, offer))
		return true;
	offer_free(offer);
	return false;
}

unsigned prim_send_start(struct prim_send *s, struct prim_inbox *inbox,
    bool first_only)
{
	struct prim_listener *l, *next;
	unsigned asked = 0;

	PRIM_TAILQ_FOREACH_SAFE(l, &inbox->listeners, link, next) {
		if (offer_to(s, l))
			asked++;
		if (asked && first_only)
			break;
	}
	return asked;
}

void prim_send_expire(struct prim_send *s)
{
	if (!TAILQ_EMPTY(&s->offers))
		s->is_silent = true;
	settle(s, verdict(s));
}

bool prim_send_is_asked(const struct prim_send *s)
{
	return !TAILQ_EMPTY(&s->offers);
}

void prim_send_demote(struct prim_send *s)
{
	struct prim_offer *offer;

	TAILQ_FOREACH(offer, &s->offers, of_send) {
		struct prim_listener *l = offer->listener;

		if (!l->inbox)
			continue;
		TAILQ_REMOVE(&l->inbox->listeners, l, link);
		TAILQ_INSERT_TAIL(&l->inbox->listeners, l, link);
	}
}

void prim_send_fini(struct prim_send *s)
{
	struct prim_offer *offer;

	while ((offer = TAILQ_FIRST(&s->offers))) {
		TAILQ_REMOVE(&s->offers, offer, of_send);
		offer->send = NULL;
	}
}

void prim_offer_answer(struct prim_offer *offer, unsigned code)
{
	struct prim_send *s = offer->send;

	offer_free(offer);
	if (s)
		note_answer(s, code);
}
