/* SPDX-License-Identifier: ISC */
#ifndef FAULT_DELAY_H
#define FAULT_DELAY_H

/* What is to be done after a while. */

#include <sys/queue.h>

#include "bridge/adapter.h"
#include "prim/slice.h"

struct fa_delay;
TAILQ_HEAD(fa_delay_list, fa_delay);

enum fa_after {
	FA_AFTER_REPORT, /* report `id` */
	FA_AFTER_WORD,   /* late word of `id` */
	FA_AFTER_WINDOW, /* open the window with `code` deliveries */
	FA_AFTER_DEATH,  /* end the process */
};

struct fa_delays {
	struct bridge *bridge; /* borrowed */
	struct fa_delay_list list;
};

void fa_delays_init(struct fa_delays *delays, struct bridge *b);
void fa_delays_fini(struct fa_delays *delays);
void fa_delay(struct fa_delays *delays, unsigned ms, enum fa_after what,
    struct prim_slice id, unsigned code);

#endif
