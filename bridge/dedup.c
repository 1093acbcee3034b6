/* SPDX-License-Identifier: ISC */
/*
 * Two open-addressing tables: live answers (a ring of entries in the order of
 * time, found through an index), and prefixes of durable keys.
 *
 * Keys are keyed hashes, so their octets are as good as random and no peer can
 * make them collide.
 */

#include "bridge/dedup.h"

#include <string.h>

#include "prim/base.h"

#define SMALLEST 1024
/* Above this many durable prefixes every new message asks the store. */
#define DURABLE_MAX 16777216

struct entry {
	struct prim_digest key;
	uint64_t content_hash;
	uint32_t at_s; /* of the clock, cut */
	uint32_t code;
};

struct br_dedup {
	struct entry *ring; /* owned */
	uint32_t ring_size; /* a power of two */
	uint64_t first,
	    next;            /* sequence numbers; index = number & (size - 1) */
	uint32_t *index;     /* owned: ring position + 1; 0: free */
	uint32_t index_size; /* twice ring_size */

	/* Prefixes, in two generations: what was noted since `turned_ms`, and in
	 * the time before that. The older one is forgotten whole. */
	struct prefixes {
		uint64_t *places; /* owned; 0: free */
		uint64_t size;    /* a power of two, or 0 */
		uint64_t count;
	} durable[2];

	int64_t turned_ms; /* 0: not yet known */
};

uint64_t br_dedup_prefix(const struct prim_digest *key)
{
	uint64_t prefix;

	memcpy(&prefix, key->octets, sizeof(prefix));
	return prefix ? prefix : 1;
}

static void size_live(struct br_dedup *d, uint32_t size)
{
	d->ring = prim_resize(d->ring, size * sizeof(*d->ring));
	d->ring_size = size;
	prim_free(d->index);
	d->index_size = size * 2;
	d->index = prim_alloc(d->index_size * sizeof(*d->index));
}

struct br_dedup *br_dedup_new(void)
{
	struct br_dedup *d = prim_new(struct br_dedup);

	size_live(d, SMALLEST);
	return d;
}

struct br_dedup *br_dedup_free(struct br_dedup *d)
{
	if (!d)
		return NULL;
	prim_free(d->ring);
	prim_free(d->index);
	prim_free(d->durable[0].places);
	prim_free(d->durable[1].places);
	return prim_free(d);
}

static uint32_t home_of(const struct br_dedup *d, const struct prim_digest *key)
{
	return (uint32_t)br_dedup_prefix(key) & (d->index_size - 1);
}

/* Where `key` stands in the index, or the free place where it would. */
static uint32_t seek(const struct br_dedup *d, const struct prim_digest *key)
{
	uint32_t at = home_of(d, key);

	while (d->index[at] &&
	    !prim_digest_eq(&d->ring[d->index[at] - 1].key, key))
		at = (at + 1) & (d->index_size - 1);
	return at;
}

/* Empties place `hole` and closes the gap, so that seek() needs no marks. */
static void unindex(struct br_dedup *d, uint32_t hole)
{
	uint32_t mask = d->index_size - 1;
	uint32_t at = hole;

	for (;;) {
		uint32_t home;

		at = (at + 1) & mask;
		if (!d->index[at])
			break;
		home = home_of(d, &d->ring[d->index[at] - 1].key);
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			d->index[hole] = d->index[at];
			hole = at;
		}
	}
	d->index[hole] = 0;
}

static struct entry *entry_at(struct br_dedup *d, uint64_t number)
{
	return &d->ring[number & (d->ring_size - 1)];
}

static void forget_oldest(struct br_dedup *d)
{
	uint32_t at = seek(d, &entry_at(d, d->first)->key);

	if (d->index[at] == (d->first & (d->ring_size - 1)) + 1)
		unindex(d, at);
	d->first++;
}

static void expire(struct br_dedup *d, int64_t now_ms)
{
	uint32_t now_s = (uint32_t)(now_ms / 1000);

	while (d->first < d->next &&
	    now_s - entry_at(d, d->first)->at_s > BR_DEDUP_KEEP_MS / 1000)
		forget_oldest(d);
}

/* Twice the room; the entries move to where their numbers want them. */
static void enlarge(struct br_dedup *d)
{
	uint32_t size = d->ring_size;
	uint64_t count = d->next - d->first;
	struct entry *old = prim_alloc(size * sizeof(*old));

	for (uint64_t i = 0; i < count; i++)
		old[i] = *entry_at(d, d->first + i);
	size_live(d, size * 2);
	d->first = 0;
	d->next = count;
	memcpy(d->ring, old, count * sizeof(*old));
	for (uint32_t i = 0; i < count; i++)
		d->index[seek(d, &d->ring[i].key)] = i + 1;
	prim_free(old);
}

void br_dedup_put(struct br_dedup *d, const struct prim_digest *key,
    const struct br_dedup_answer *answer, int64_t now_ms)
{
	struct entry *e;

	expire(d, now_ms);
	if (d->next - d->first == d->ring_size) {
		if (d->ring_size < BR_DEDUP_MAX)
			enlarge(d);
		else
			forget_oldest(d);
	}
	e = entry_at(d, d->next);
	e->key = *key;
	e->content_hash = answer->content_hash;
	e->code = answer->code;
	e->at_s = (uint32_t)(now_ms / 1000);
	d->index[seek(d, key)] = (uint32_t)(d->next & (d->ring_size - 1)) + 1;
	d->next++;
}

bool br_dedup_find(struct br_dedup *d, const struct prim_digest *key,
    int64_t now_ms, struct br_dedup_answer *out_answer)
{
	uint32_t at;

	expire(d, now_ms);
	at = seek(d, key);
	if (!d->index[at])
		return false;
	out_answer->code = d->ring[d->index[at] - 1].code;
	out_answer->content_hash = d->ring[d->index[at] - 1].content_hash;
	return true;
}

static uint64_t *place_of(const struct prefixes *p, uint64_t prefix)
{
	uint64_t at = prefix & (p->size - 1);

	while (p->places[at] && p->places[at] != prefix)
		at = (at + 1) & (p->size - 1);
	return &p->places[at];
}

static void enlarge_durable(struct prefixes *p)
{
	struct prefixes grown = { .size = p->size ? p->size * 2 : SMALLEST,
		.count = p->count };

	grown.places = prim_alloc(grown.size * sizeof(*grown.places));
	for (uint64_t i = 0; i < p->size; i++) {
		if (p->places[i])
			*place_of(&grown, p->places[i]) = p->places[i];
	}
	prim_free(p->places);
	*p = grown;
}

void br_dedup_note_durable(struct br_dedup *d, uint64_t prefix)
{
	struct prefixes *p = &d->durable[0];
	uint64_t *place;

	if (p->count >= DURABLE_MAX)
		return;
	if (p->count * 2 >= p->size)
		enlarge_durable(p);
	place = place_of(p, prefix);
	if (!*place)
		p->count++;
	*place = prefix;
}

bool br_dedup_forget_durable(struct br_dedup *d, int64_t now_ms)
{
	if (d->turned_ms == 0)
		d->turned_ms = now_ms;
	/* A little longer, for what is stored just before it is noted. */
	if (now_ms - d->turned_ms < BR_REMEMBER_MS + BR_DEDUP_KEEP_MS)
		return false;
	prim_free(d->durable[1].places);
	d->durable[1] = d->durable[0];
	d->durable[0] = (struct prefixes){ 0 };
	d->turned_ms = now_ms;
	return true;
}

bool br_dedup_may_be_durable(const struct br_dedup *d,
    const struct prim_digest *key)
{
	uint64_t prefix = br_dedup_prefix(key);

	for (size_t i = 0; i < PRIM_COUNT(d->durable); i++) {
		const struct prefixes *p = &d->durable[i];

		if (p->count >= DURABLE_MAX ||
		    (p->size && *place_of(p, prefix) != 0))
			return true;
	}
	return false;
}
