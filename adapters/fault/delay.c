/* SPDX-License-Identifier: ISC */
/* Timers. */

#include "adapters/fault/delay.h"

#include <event2/event.h>

#include "adapters/fault/misdeed.h"
#include "prim/base.h"

struct fa_delay {
	TAILQ_ENTRY(fa_delay) next;
	struct fa_delays *owner;
	struct event *timer; /* owned */
	enum fa_after what;
	unsigned code;
	char *id; /* owned */
};

static void delay_free(struct fa_delay *d)
{
	TAILQ_REMOVE(&d->owner->list, d, next);
	event_free(d->timer);
	prim_free(d->id);
	prim_free(d);
}

static void on_delay(evutil_socket_t fd, short what, void *arg)
{
	struct fa_delay *d = arg;
	struct bridge *b = d->owner->bridge;
	const struct prim_slice id = prim_slice_of(d->id);

	(void)fd;
	(void)what;
	switch (d->what) {
	case FA_AFTER_REPORT:
		bridge_report(b, id, d->code, "late");
		break;
	case FA_AFTER_WORD:
		bridge_report_late(b, id, d->code, "later word");
		break;
	case FA_AFTER_WINDOW:
		bridge_window(b, d->code);
		break;
	case FA_AFTER_DEATH:
		fa_die();
	}
	delay_free(d);
}

void fa_delays_init(struct fa_delays *delays, struct bridge *b)
{
	delays->bridge = b;
	TAILQ_INIT(&delays->list);
}

void fa_delays_fini(struct fa_delays *delays)
{
	while (!TAILQ_EMPTY(&delays->list))
		delay_free(TAILQ_FIRST(&delays->list));
}

void fa_delay(struct fa_delays *delays, unsigned ms, enum fa_after what,
    struct prim_slice id, unsigned code)
{
	const struct timeval time = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };
	struct fa_delay *d = prim_new(struct fa_delay);

	d->owner = delays;
	d->what = what;
	d->code = code;
	d->id = prim_slice_copy(id);
	d->timer = evtimer_new(bridge_base(delays->bridge), on_delay, d);
	event_add(d->timer, &time);
	TAILQ_INSERT_TAIL(&delays->list, d, next);
}
