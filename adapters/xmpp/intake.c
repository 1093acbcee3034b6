/* SPDX-License-Identifier: ISC */
/* Stanzas whose sender's name is being asked for. */

#include "adapters/xmpp/intake.h"

#include <assert.h>

#include "adapters/xmpp/stanza.h"
#include "prim/base.h"

void xa_intake_init(struct xa_intake *in)
{
	*in = (struct xa_intake){ 0 };
	TAILQ_INIT(&in->list);
}

void xa_intake_fini(struct xa_intake *in)
{
	assert(in->count == 0);
	(void)in;
}

struct xa_intake_item *xa_intake_put(struct xa_intake *in,
    enum xa_intake_kind kind, struct xa_leg *leg, xmpp_stanza_t *stanza)
{
	size_t size = xa_stanza_size(stanza);
	struct xa_intake_item *item;

	if (in->count >= XA_INTAKE_MAX ||
	    (in->count && in->octets + size > XA_INTAKE_OCTETS))
		return NULL;
	item = prim_new(struct xa_intake_item);
	item->cookie = ++in->last_cookie;
	item->kind = kind;
	item->leg = leg;
	item->stanza = xmpp_stanza_clone(stanza);
	item->size = size;
	in->count++;
	in->octets += size;
	TAILQ_INSERT_TAIL(&in->list, item, link);
	return item;
}

static void end(struct xa_intake *in, struct xa_intake_item *item)
{
	TAILQ_REMOVE(&in->list, item, link);
	in->count--;
	in->octets -= item->size;
	xmpp_stanza_release(item->stanza);
	prim_free(item->principal);
	prim_free(item);
}

void xa_intake_undo(struct xa_intake *in)
{
	end(in, TAILQ_LAST(&in->list, xa_intake_list));
}

bool xa_intake_answer(struct xa_intake *in, uint64_t cookie,
    struct prim_slice principal)
{
	struct xa_intake_item *item;

	TAILQ_FOREACH(item, &in->list, link) {
		if (item->cookie != cookie || item->is_known)
			continue;
		item->is_known = true;
		if (principal.len)
			item->principal = prim_slice_copy(principal);
		return true;
	}
	return false;
}

struct xa_intake_item *xa_intake_first(const struct xa_intake *in)
{
	return TAILQ_FIRST(&in->list);
}

struct xa_intake_item *xa_intake_next(const struct xa_intake *in)
{
	struct xa_intake_item *first = xa_intake_first(in);

	return first && first->is_known ? first : NULL;
}

void xa_intake_drop(struct xa_intake *in)
{
	end(in, xa_intake_first(in));
}
