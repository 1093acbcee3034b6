/* SPDX-License-Identifier: ISC */
/* Reading orders. */

#include "adapters/fault/order.h"

#include <string.h>

#include "prim/address.h"
#include "prim/base.h"

#define NUMBER_MAX 1000000

/* What is left out is 0. Out of clang-format's hands, which scatters such rows.
 */
/* clang-format off */
static const struct {
	const char *name;
	unsigned number, ms; /* when none is given */
} VERBS[] = {
	[FA_OK] = { .name = "ok" },
	[FA_REFUSE] = { .name = "refuse", .number = 402 },
	[FA_REPORT] = { .name = "report", .number = 200 },
	[FA_TRANSIENT] = { .name = "transient" },
	[FA_SILENCE] = { .name = "silence" },
	[FA_LATE] = { .name = "late", .number = 1000 },
	[FA_BOUNCE] = { .name = "bounce", .number = 408, .ms = 1000 },
	[FA_HANG] = { .name = "hang" },
	[FA_DIE] = { .name = "die", .number = 1 },
	[FA_DIEAFTER] = { .name = "dieafter", .number = 1000 },
	[FA_GARBAGE] = { .name = "garbage" },
	[FA_LIE] = { .name = "lie" },
	[FA_FLOOD] = { .name = "flood", .number = 1000 },
	[FA_DUP] = { .name = "dup", .number = 1 },
	[FA_SPOOF] = { .name = "spoof" },
	[FA_AS] = { .name = "as" },
	[FA_LINK] = { .name = "link" },
	[FA_DOWN] = { .name = "down", .number = 1000 },
	[FA_SOCKET] = { .name = "socket" },
	[FA_TRY] = { .name = "try" },
	[FA_GRANT] = { .name = "grant", .number = 60 },
	[FA_END] = { .name = "end" },
	[FA_WATCH] = { .name = "watch", .number = 3600 },
	[FA_FORGET] = { .name = "forget", .number = 3600 },
	[FA_UNWATCH] = { .name = "unwatch" },
	[FA_STATE] = { .name = "state" },
};

/* clang-format on */

static bool find_verb(struct prim_slice name, struct fa_order *out)
{
	for (unsigned i = 0; i < FA_VERBS; i++) {
		if (prim_slice_eq(name, prim_slice_of(VERBS[i].name))) {
			out->verb = i;
			out->number = VERBS[i].number;
			out->ms = VERBS[i].ms;
			return true;
		}
	}
	return false;
}

/* An empty text leaves what is there. */
static bool read_number(struct prim_slice text, unsigned *number)
{
	uint64_t value;

	if (text.len == 0)
		return true;
	if (!prim_slice_number(text, NUMBER_MAX, &value))
		return false;
	*number = (unsigned)value;
	return true;
}

bool fa_order_parse(struct prim_slice text, struct fa_order *out)
{
	struct prim_slice address = text;
	struct prim_slice ms = prim_slice_cut(&address, '+');
	struct prim_slice verb = prim_slice_cut(&ms, '-');
	struct prim_slice number = prim_slice_cut(&ms, '-');

	memset(out, 0, sizeof(*out));
	return find_verb(verb, out) && read_number(number, &out->number) &&
	    read_number(ms, &out->ms) &&
	    prim_address_unescape(&out->address, address);
}

void fa_order_fini(struct fa_order *order)
{
	prim_buf_fini(&order->address);
}
