/* SPDX-License-Identifier: ISC */
/* Reading orders. */

#include "adapters/fault/order.h"

#include <string.h>

#include "prim/address.h"
#include "prim/base.h"

#define NUMBER_MAX 1000000

static const struct {
	const char *name;
	unsigned number; /* when none is given */
} VERBS[] = {
	[FA_OK] = {"ok",         0   },
	[FA_REFUSE] = { "refuse",    402 },
	[FA_REPORT] = { "report",    200 },
	[FA_TRANSIENT] = { "transient", 0   },
	[FA_SILENCE] = { "silence",   0   },
	[FA_LATE] = { "late",      1000},
	[FA_HANG] = { "hang",      0   },
	[FA_DIE] = { "die",       1   },
	[FA_GARBAGE] = { "garbage",   0   },
	[FA_LIE] = { "lie",       0   },
	[FA_FLOOD] = { "flood",     1000},
	[FA_SPOOF] = { "spoof",     0   },
	[FA_DOWN] = { "down",      1000},
	[FA_SOCKET] = { "socket",    0   },
	[FA_TRY] = { "try",       0   },
	[FA_GRANT] = { "grant",     60  },
	[FA_END] = { "end",       0   },
	[FA_WATCH] = { "watch",     3600},
	[FA_FORGET] = { "forget",    3600},
	[FA_UNWATCH] = { "unwatch",   0   },
	[FA_STATE] = { "state",     0   },
};

static bool find_verb(struct prim_slice name, struct fa_order *out)
{
	for (unsigned i = 0; i < FA_VERBS; i++) {
		if (prim_slice_eq(name, prim_slice_of(VERBS[i].name))) {
			out->verb = i;
			out->number = VERBS[i].number;
			return true;
		}
	}
	return false;
}

bool fa_order_parse(struct prim_slice text, struct fa_order *out)
{
	struct prim_slice address = text;
	struct prim_slice number = prim_slice_cut(&address, '+');
	struct prim_slice verb = prim_slice_cut(&number, '-');
	uint64_t value;

	memset(out, 0, sizeof(*out));
	if (!find_verb(verb, out))
		return false;
	if (number.len > 0) {
		if (!prim_slice_number(number, NUMBER_MAX, &value))
			return false;
		out->number = (unsigned)value;
	}
	return prim_address_unescape(&out->address, address);
}

void fa_order_fini(struct fa_order *order)
{
	prim_buf_fini(&order->address);
}
