/* SPDX-License-Identifier: ISC */
/* The operator's numbers. */

#include "adapters/xmpp/counts.h"

static const char *const NAMES[] = {
	[XA_COUNT_IN] = "messages_in",
	[XA_COUNT_OUT] = "messages_out",
	[XA_COUNT_RECEIPTS_IN] = "receipts_in",
	[XA_COUNT_RECEIPTS_OUT] = "receipts_out",
	[XA_COUNT_HANDED_OVER] = "handed_over",
	[XA_COUNT_ERRORS_IN] = "errors_in",
	[XA_COUNT_ERRORS_OUT] = "errors_out",
	[XA_COUNT_LINKS_LOST] = "links_lost",
	[XA_COUNT_UNFENCED] = "unfenced_lost",
	[XA_COUNT_DROPPED] = "answers_dropped",
	[XA_COUNT_NOTICES] = "notices_out",
	[XA_COUNT_LATE] = "late_words",
	[XA_COUNT_LATE_DROPPED] = "late_words_dropped",
	[XA_COUNT_PRESENCE_IN] = "presence_in",
	[XA_COUNT_PRESENCE_OUT] = "presence_out",
	[XA_COUNT_PROBES] = "presence_probes",
	[XA_COUNT_CONTACTS] = "presence_contacts",
	[XA_COUNT_WATCHES] = "presence_watches",
	[XA_COUNT_FOLLOWS] = "presence_follows",
};

void xa_counts_tell(struct xa_counts *c, struct bridge *b)
{
	for (unsigned i = 0; i < XA_COUNT_MAX; i++) {
		if (c->values[i] == c->told[i])
			continue;
		c->told[i] = c->values[i];
		bridge_metric(b, NAMES[i], c->values[i]);
	}
}
