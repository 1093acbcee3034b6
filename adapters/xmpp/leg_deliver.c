/* SPDX-License-Identifier: ISC */
/* What goes out through a leg, and what becomes of it. */

#include "adapters/xmpp/leg_private.h"

#include "adapters/xmpp/settle.h"
#include "adapters/xmpp/stanza.h"
#include "prim/status.h"

static void report(struct xa_leg *leg, struct xa_pending *p, unsigned code,
    const char *text)
{
	leg->setup.ops->report(leg->setup.ctx, prim_slice_of(p->id), code,
	    text);
	xa_pendings_drop(&leg->pendings, p);
}

static void told(struct xa_leg *leg, struct xa_pending *p, unsigned code,
    const char *text)
{
	leg->setup.ops->told(leg->setup.ctx, prim_slice_of(p->id), code, text);
	xa_pendings_drop(&leg->notices, p);
}

/*
 * The fence.
 */

int64_t xa_leg_deliver_due(const struct xa_leg *leg)
{
	int64_t due = xa_pendings_deadline(&leg->pendings, &leg->fence,
	    leg->hold_ms);
	int64_t told = xa_pendings_deadline(&leg->notices, &leg->fence, 0);
	int64_t fence = xa_fence_due(&leg->fence);

	if (told < due)
		due = told;
	/* Without room for a ping the next answer brings us back. */
	if (fence < due && xa_pings_has_room(&leg->link.pings))
		due = fence;
	return due;
}

static void raise_fence(struct xa_leg *leg)
{
	if (xa_fence_due(&leg->fence) <= xa_leg_now(leg) &&
	    xa_link_ping(&leg->link, leg->fence.open, xa_leg_now(leg)))
		xa_fence_close(&leg->fence);
}

/* What the server has read and nobody answered is handed over; a notice, to
 * which there is no answer, is told. */
static void release(struct xa_leg *leg)
{
	while (xa_pendings_is_due(&leg->pendings, &leg->fence, leg->hold_ms,
	    xa_leg_now(leg)))
		report(leg, xa_pendings_first(&leg->pendings),
		    PRIM_UNKNOWN_DELIVERY, "the XMPP server has it");
	while (xa_pendings_is_due(&leg->notices, &leg->fence, 0,
	    xa_leg_now(leg)))
		told(leg, xa_pendings_first(&leg->notices), PRIM_OK,
		    "the sender is told");
}

void xa_leg_deliver_tick(struct xa_leg *leg)
{
	raise_fence(leg);
	release(leg);
}

static void count_unfenced(struct xa_leg *leg)
{
	struct xa_pending *p;

	TAILQ_FOREACH(p, &leg->pendings.list, link) {
		if (!xa_fence_has_passed(&leg->fence, p->batch))
			leg->unfenced++;
	}
}

void xa_leg_deliver_lost(struct xa_leg *leg)
{
	count_unfenced(leg);
	leg->setup.ops->down(leg->setup.ctx, leg);
	/* An open batch would want a ping that cannot be sent, for ever. */
	xa_fence_init(&leg->fence);
}

/*
 * What we send.
 */

bool xa_leg_has_room(const struct xa_leg *leg)
{
	return leg->pendings.table.count + leg->notices.table.count <
	    XA_PENDING_MAX &&
	    xa_wire_waiting(&leg->wire) <= XA_LEG_WAITING_MAX;
}

static void send(struct xa_leg *leg, struct prim_slice xml,
    struct xa_pendings *list, struct xa_pending_new *n)
{
	xa_wire_write(&leg->wire, xml);
	n->batch = xa_fence_add(&leg->fence, xa_leg_now(leg));
	xa_pendings_put(list, n, xa_leg_now(leg));
	raise_fence(leg);
	xa_leg_arm(leg);
}

void xa_leg_deliver(struct xa_leg *leg, const struct xa_out *out,
    struct prim_slice delivery_id)
{
	struct xa_pending_new n = {
		.id = delivery_id,
		.to = prim_buf_slice(&out->key),
		.from = prim_buf_slice(&out->from),
	};

	if (!xa_pendings_find(&leg->pendings, delivery_id))
		send(leg, prim_buf_slice(&out->xml), &leg->pendings, &n);
}

void xa_leg_tell(struct xa_leg *leg, xmpp_stanza_t *stanza,
    struct prim_slice delivery_id)
{
	struct xa_pending_new n = {
		.id = delivery_id,
		.to = xa_stanza_get(stanza, "to"),
		.from = xa_stanza_get(stanza, "from"),
	};
	struct prim_buf xml = { 0 };

	xa_stanza_put(&xml, stanza);
	if (!xa_pendings_find(&leg->notices, delivery_id))
		send(leg, prim_buf_slice(&xml), &leg->notices, &n);
	xmpp_stanza_release(stanza);
	prim_buf_fini(&xml);
}

/*
 * What we hear of it.
 */

/* Later word costs the core a look-up, and anybody can invent an id. */
static void hear_late(struct xa_leg *leg, xmpp_stanza_t *message)
{
	struct prim_slice id;
	unsigned code = xa_settle_late(&leg->pendings, message, &id);

	if (!code)
		return;
	if (!xa_bucket_has(&leg->late, xa_leg_now(leg))) {
		leg->late_dropped++;
		return;
	}
	xa_bucket_take(&leg->late, 1);
	leg->setup.ops->late(leg->setup.ctx, id, code, xa_settle_text(message));
}

void xa_leg_deliver_hear(struct xa_leg *leg, xmpp_stanza_t *message)
{
	struct xa_pending *p;
	unsigned code = xa_settle_find(&leg->pendings, message, &p);

	if (code)
		report(leg, p, code, xa_settle_text(message));
	else
		hear_late(leg, message);
}

/*
 * The end.
 */

void xa_leg_hurry(struct xa_leg *leg)
{
	leg->hold_ms = 0;
	release(leg);
	xa_leg_arm(leg);
}

static void forget(struct xa_pendings *list)
{
	struct xa_pending *p;

	while ((p = xa_pendings_first(list)))
		xa_pendings_drop(list, p);
}

void xa_leg_forget(struct xa_leg *leg)
{
	forget(&leg->pendings);
	forget(&leg->notices);
}

void xa_leg_fail(struct xa_leg *leg, unsigned code, const char *text)
{
	struct xa_pending *p;

	while ((p = xa_pendings_first(&leg->pendings)))
		report(leg, p, code, text);
	while ((p = xa_pendings_first(&leg->notices)))
		told(leg, p, code, text);
}
