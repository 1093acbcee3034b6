/* SPDX-License-Identifier: ISC */
/* When an adapter wants to be tried again. */

#include "bridge/host_private.h"
#include "prim/base.h"

/* reliability 4.7. */
const struct br_schedule br_host_usual_schedule = {
	.pause_s = {5, 10, 20, 40, 80, 160, 300},
	.count = 7,
	.delay_notice_s = 900,
};

static bool read_pause(struct prim_slice text, unsigned *out_s)
{
	uint64_t value;

	if (!prim_slice_number(text, HOST_PAUSE_MAX, &value) || value == 0)
		return false;
	*out_s = (unsigned)value;
	return true;
}

static bool read_pauses(struct prim_slice text, struct br_schedule *out)
{
	out->count = 0;
	do {
		if (out->count == PRIM_COUNT(out->pause_s) ||
		    !read_pause(prim_slice_cut(&text, ' '),
			&out->pause_s[out->count]))
			return false;
		out->count++;
	} while (text.len > 0);
	return true;
}

/* What it does not say is the usual, whatever its last life said. */
const char *br_host_read_schedule(struct br_host *h,
    const struct prim_command *c)
{
	struct br_schedule s = br_host_usual_schedule;

	if (prim_command_has(c, PRIM_HEADER_RETRY) &&
	    !read_pauses(prim_command_get(c, PRIM_HEADER_RETRY), &s))
		return "a bad Retry";
	if (prim_command_has(c, PRIM_HEADER_DELAY) &&
	    !read_pause(prim_command_get(c, PRIM_HEADER_DELAY),
		&s.delay_notice_s))
		return "a bad Delay";
	h->schedule = s;
	return NULL;
}

const struct br_schedule *br_host_schedule(const struct br_host *h)
{
	return &h->schedule;
}
