/* SPDX-License-Identifier: ISC */
/* Pings on their way. */

#include "adapters/xmpp/pings.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void xa_pings_init(struct xa_pings *p, uint64_t nonce)
{
	memset(p, 0, sizeof(*p));
	p->nonce = nonce;
}

bool xa_pings_has_room(const struct xa_pings *p)
{
	return p->asked - p->answered < XA_PINGS_MAX;
}

static void put_prefix(const struct xa_pings *p, struct prim_buf *id)
{
	prim_buf_putf(id, "ping-%016" PRIx64 "-", p->nonce);
}

void xa_pings_put(struct xa_pings *p, struct prim_buf *id, uint64_t mark,
    int64_t now_ms)
{
	assert(xa_pings_has_room(p));
	p->asked++;
	p->ring[p->asked % XA_PINGS_MAX].sent_ms = now_ms;
	p->ring[p->asked % XA_PINGS_MAX].mark = mark;
	put_prefix(p, id);
	prim_buf_put_number(id, p->asked);
}

static bool number_of(const struct xa_pings *p, struct prim_slice id,
    uint64_t *out_number)
{
	struct prim_buf prefix = { 0 };
	bool ours;

	put_prefix(p, &prefix);
	ours = prim_slice_starts(id, prim_buf_slice(&prefix)) &&
	    prim_slice_number(prim_slice_from(id, prefix.len), INT64_MAX,
		out_number);
	prim_buf_fini(&prefix);
	return ours;
}

bool xa_pings_take(struct xa_pings *p, struct prim_slice id, uint64_t *out_mark)
{
	uint64_t number, mark = 0;

	if (!number_of(p, id, &number) || number > p->asked ||
	    number <= p->answered)
		return false;
	while (p->answered < number) {
		p->answered++;
		if (p->ring[p->answered % XA_PINGS_MAX].mark > mark)
			mark = p->ring[p->answered % XA_PINGS_MAX].mark;
	}
	*out_mark = mark;
	return true;
}

int64_t xa_pings_oldest(const struct xa_pings *p)
{
	if (p->asked == p->answered)
		return INT64_MAX;
	return p->ring[(p->answered + 1) % XA_PINGS_MAX].sent_ms;
}

void xa_pings_renew(struct xa_pings *p, int64_t now_ms)
{
	for (unsigned i = 0; i < XA_PINGS_MAX; i++)
		p->ring[i].sent_ms = now_ms;
}
