/* SPDX-License-Identifier: ISC */
/* A wall clock that never goes back. */

#include "bridge/clock.h"

#include <string.h>
#include <time.h>

#include "prim/base.h"
#include "prim/date.h"

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t br_clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t br_clock_steady_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t br_clock_steady_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct timeval br_clock_timeval(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };
}

void br_clock_init(struct br_clock *c)
{
	memset(c, 0, sizeof(*c));
	c->offset_ms = br_clock_wall_ms() - br_clock_steady_ms();
	br_clock_update(c);
}

void br_clock_init_by_hand(struct br_clock *c, int64_t now_ms)
{
	memset(c, 0, sizeof(*c));
	c->by_hand = true;
	c->now_ms = now_ms;
}

void br_clock_turn(struct br_clock *c, int64_t ms)
{
	c->now_ms += ms;
}

int64_t br_clock_update(struct br_clock *c)
{
	if (!c->by_hand)
		c->now_ms = br_clock_steady_ms() + c->offset_ms;
	return c->now_ms;
}

struct prim_slice br_clock_date(struct br_clock *c)
{
	struct prim_buf b = { 0 };

	if (c->date_s != c->now_ms / 1000) {
		prim_date_put_1123(&b, c->now_ms);
		prim_buf_putc(&b, '\0');
		if (b.len <= sizeof(c->date))
			memcpy(c->date, b.ptr, b.len);
		prim_buf_fini(&b);
		c->date_s = c->now_ms / 1000;
	}
	return prim_slice_of(c->date);
}
