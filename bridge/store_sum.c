/* SPDX-License-Identifier: ISC */
/* Sums over what is stored: a damaged row must neither deliver a wrong body nor
 * the right one to somebody else, and nobody may be told of it by mistake. */

#include "bridge/stored.h"

#include <string.h>

#include "prim/base.h"

/* What the sums are of. */
enum { ENVELOPE = 1, STATE, CONTENT, SENT };

/* What is fed first: numbers in one piece are cheap. */
struct numbers {
	int64_t what;
	int64_t seq;
	int64_t number[8];
	uint64_t len[6];
	struct prim_digest digest[3];
};

static int64_t sum(const struct br_store_db *db, const struct numbers *numbers,
    const struct prim_slice *texts, size_t count)
{
	struct prim_hasher h;
	struct prim_digest digest;
	int64_t result;

	prim_hasher_init(&h, &db->keys->checksum);
	prim_hasher_feed(&h,
	    prim_slice_make((const char *)numbers, sizeof(*numbers)));
	for (size_t i = 0; i < count; i++)
		prim_hasher_feed(&h, texts[i]);
	digest = prim_hasher_digest(&h);
	memcpy(&result, digest.octets, sizeof(result));
	return result;
}

static void measure(struct numbers *numbers, const struct prim_slice *texts,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		numbers->len[i] = texts[i].len;
}

int64_t br_store_sum_envelope(const struct br_store_db *db,
    const struct br_store_message *m)
{
	const struct prim_slice texts[] = { m->origin, m->sender, m->recipient,
		m->message_id, m->return_token, m->notice_from };
	struct numbers numbers = {
		.what = ENVELOPE,
		.seq = m->seq,
		.number = {(int64_t)m->content_hash, (int64_t)m->octets,
			   m->hops,       m->reports, m->is_notice, m->accepted_ms,
			   m->expires_ms },
		.digest = { m->key,            m->lane,                m->delivery},
	};

	measure(&numbers, texts, PRIM_COUNT(texts));
	return sum(db, &numbers, texts, PRIM_COUNT(texts));
}

int64_t br_store_sum_state(const struct br_store_db *db,
    const struct br_stored *st)
{
	const struct br_store_message *m = &st->m;
	const struct prim_slice texts[] = { m->destination, st->via, m->target,
		m->tried };
	struct numbers numbers = {
		.what = STATE,
		.seq = m->seq,
		.number = {m->delay_notice_ms, m->is_told, st->quarantine_ms},
	};

	measure(&numbers, texts, PRIM_COUNT(texts));
	return sum(db, &numbers, texts, PRIM_COUNT(texts));
}

int64_t br_store_sum_content(const struct br_store_db *db,
    const struct br_store_message *m)
{
	const struct prim_slice texts[] = { m->head, m->body };
	struct numbers numbers = { .what = CONTENT, .seq = m->seq };

	measure(&numbers, texts, PRIM_COUNT(texts));
	return sum(db, &numbers, texts, PRIM_COUNT(texts));
}

int64_t br_store_sum_sent(const struct br_store_db *db,
    const struct br_store_message *m)
{
	const struct prim_slice texts[] = { m->head, m->body };
	struct numbers numbers = {
		.what = SENT,
		.seq = m->seq,
		.number = { br_store_sum_envelope(db, m) },
	};

	measure(&numbers, texts, PRIM_COUNT(texts));
	return sum(db, &numbers, texts, PRIM_COUNT(texts));
}
