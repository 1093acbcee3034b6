/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CLOCK_H
#define BRIDGE_CLOCK_H

/*
 * What time it is: the wall clock at start plus monotonic time, so that it
 * never goes back (DESIGN 11). Tests turn it by hand.
 *
 * The two clocks it is made of are here too, for those who have no loop whose
 * turns they could count.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>

#include "prim/slice.h"

/* ms since 1970. May jump either way. */
int64_t br_clock_wall_ms(void);
/* ms since some moment; never goes back. */
int64_t br_clock_steady_ms(void);
int64_t br_clock_steady_ns(void);
/* A wait as the loop wants it. */
struct timeval br_clock_timeval(int64_t ms);

struct br_clock {
	int64_t offset_ms; /* wall minus monotonic, at start */
	int64_t now_ms;    /* as of the last br_clock_update() */
	bool by_hand;
	int64_t date_s; /* the second that `date` tells */
	char date[40];
};

void br_clock_init(struct br_clock *c);
/* Stands still at `now_ms` until br_clock_turn(). */
void br_clock_init_by_hand(struct br_clock *c, int64_t now_ms);
void br_clock_turn(struct br_clock *c, int64_t ms);

/* Reads the monotonic clock; once a turn of the loop. Returns now_ms. */
int64_t br_clock_update(struct br_clock *c);

/* now_ms in the form of the Date header; valid until the next call. */
struct prim_slice br_clock_date(struct br_clock *c);

#endif
