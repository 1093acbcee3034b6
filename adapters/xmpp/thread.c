/* SPDX-License-Identifier: ISC */
/* <thread/> and Conversation-ID. */

#include "adapters/xmpp/thread.h"

#include "adapters/xmpp/digest.h"
#include "adapters/xmpp/text.h"
#include "prim/address.h"
#include "prim/base.h"

static struct prim_slice key_of(struct prim_slice uri, struct prim_key *key)
{
	struct prim_address a;

	if (!prim_address_parse(uri, &a))
		return uri;
	prim_address_key(&a, key);
	return prim_key_slice(key);
}

static void put_made(struct prim_buf *b, const struct xa_thread_pair *pair)
{
	struct prim_key user, principal;
	const struct prim_slice parts[] = {
		key_of(pair->user, &user),
		key_of(pair->principal, &principal),
	};

	prim_buf_puts(b, "xmpp-");
	xa_digest_id(b, parts, PRIM_COUNT(parts));
}

bool xa_thread_put_conversation(struct prim_buf *b, struct prim_slice thread,
    const struct xa_thread_pair *pair)
{
	if (thread.len > XA_THREAD_MAX)
		return false;
	if (thread.len)
		prim_address_escape(b, thread);
	else
		put_made(b, pair);
	return true;
}

static bool is_made(struct prim_slice conversation,
    const struct xa_thread_pair *pair)
{
	struct prim_buf made = { 0 };
	bool same;

	put_made(&made, pair);
	same = prim_slice_eq(prim_buf_slice(&made), conversation);
	prim_buf_fini(&made);
	return same;
}

/* Does `thread` come back as `conversation`? */
static bool comes_back(struct prim_slice thread, struct prim_slice conversation)
{
	struct prim_buf again = { 0 };
	bool same;

	prim_address_escape(&again, thread);
	same = prim_slice_eq(prim_buf_slice(&again), conversation);
	prim_buf_fini(&again);
	return same;
}

/* A value that is not as we would have written it is shown as it is: the reply
 * then carries it escaped once more, which is the best that can be done for an
 * id outside the grammar. */
void xa_thread_put(struct prim_buf *b, struct prim_slice conversation,
    const struct xa_thread_pair *pair)
{
	struct prim_buf plain = { 0 };

	if (is_made(conversation, pair))
		return;
	if (prim_address_unescape(&plain, conversation) &&
	    xa_text_ok(prim_buf_slice(&plain)) &&
	    comes_back(prim_buf_slice(&plain), conversation))
		prim_buf_put(b, prim_buf_slice(&plain));
	else if (xa_text_ok(conversation))
		prim_buf_put(b, conversation);
	prim_buf_fini(&plain);
}
