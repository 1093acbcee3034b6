/* SPDX-License-Identifier: ISC */
/* The window: what an adapter may have under way, and when it is its no more. */

#include "bridge/host_private.h"

static void release(struct br_ask *ask, void *arg)
{
	(void)arg;
	if (ask->kind == HOST_ASK_SEND)
		ask->what = br_message_unref(ask->what);
}

/* What the adapter still answers frees its place in the window and says
 * nothing. */
void br_host_give_back(struct br_host *h, bool died)
{
	const bool was_up = h->up;

	br_asks_each(&h->asks, release, NULL);
	h->up = false;
	h->full = false;
	if (was_up)
		h->context.ops->down(h->context.ctx, h, died);
}

void br_host_window(struct br_host *h, unsigned window)
{
	h->window = window;
	if (window == 0)
		br_host_give_back(h, false);
	if (window == 0 || h->phase != HOST_READY)
		return;
	if (!h->up) {
		h->up = true;
		h->context.ops->up(h->context.ctx, h);
	}
	br_host_check_room(h);
}

void br_host_check_room(struct br_host *h)
{
	if (!h->up)
		return;
	if (!br_host_has_room(h)) {
		h->full = true;
	} else if (h->full) {
		h->full = false;
		h->context.ops->room(h->context.ctx, h);
	}
}

bool br_host_is_up(const struct br_host *h)
{
	return h->up && h->phase == HOST_READY;
}

bool br_host_fits(struct br_host *h, size_t octets)
{
	const bool fits = br_host_has_room(h) &&
	    (h->untaken == 0 ||
		h->untaken_octets + octets <= HOST_WINDOW_OCTETS);

	if (!fits && h->up)
		h->full = true;
	return fits;
}

bool br_host_has_room(const struct br_host *h)
{
	return br_host_is_up(h) && h->untaken < h->window &&
	    h->untaken_octets < HOST_WINDOW_OCTETS;
}
