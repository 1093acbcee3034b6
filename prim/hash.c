/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 with 64 and 128 bits of output, after Aumasson and Bernstein. */

#include "prim/hash.h"

#include <endian.h>
#include <string.h>

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static void sip_round(struct prim_hasher *h)
{
	h->v0 += h->v1;
	h->v1 = rotate(h->v1, 13) ^ h->v0;
	h->v0 = rotate(h->v0, 32);
	h->v2 += h->v3;
	h->v3 = rotate(h->v3, 16) ^ h->v2;
	h->v0 += h->v3;
	h->v3 = rotate(h->v3, 21) ^ h->v0;
	h->v2 += h->v1;
	h->v1 = rotate(h->v1, 17) ^ h->v2;
	h->v2 = rotate(h->v2, 32);
}

static uint64_t load(const void *octets)
{
	uint64_t word;

	memcpy(&word, octets, sizeof(word));
	return le64toh(word);
}

static void store(uint8_t *to, uint64_t word)
{
	for (unsigned i = 0; i < 8; i++)
		to[i] = (uint8_t)(word >> (8 * i));
}

static void absorb(struct prim_hasher *h, uint64_t word)
{
	h->v3 ^= word;
	sip_round(h);
	sip_round(h);
	h->v0 ^= word;
}

static uint64_t squeeze(struct prim_hasher *h)
{
	for (unsigned i = 0; i < 4; i++)
		sip_round(h);
	return h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
}

struct prim_hash_key prim_hash_key_from(const uint8_t octets[PRIM_HASH_KEY_LEN])
{
	return (struct prim_hash_key){ load(octets), load(octets + 8) };
}

static void start(struct prim_hasher *h, const struct prim_hash_key *key)
{
	h->v0 = key->k0 ^ 0x736f6d6570736575U;
	h->v1 = key->k1 ^ 0x646f72616e646f6dU;
	h->v2 = key->k0 ^ 0x6c7967656e657261U;
	h->v3 = key->k1 ^ 0x7465646279746573U;
	h->tail = 0;
	h->total = 0;
}

void prim_hasher_init(struct prim_hasher *h, const struct prim_hash_key *key)
{
	start(h, key);
	h->v1 ^= 0xee; /* this is how the 128-bit variant differs */
}

void prim_hasher_feed(struct prim_hasher *h, struct prim_slice s)
{
	size_t i = 0;

	while (i < s.len && h->total % 8 != 0) {
		h->tail |= (uint64_t)(uint8_t)s.ptr[i] << (8 * (h->total % 8));
		i++;
		if (++h->total % 8 == 0) {
			absorb(h, h->tail);
			h->tail = 0;
		}
	}
	for (; s.len - i >= 8; i += 8) {
		absorb(h, load(s.ptr + i));
		h->total += 8;
	}
	for (; i < s.len; i++) {
		h->tail |= (uint64_t)(uint8_t)s.ptr[i] << (8 * (h->total % 8));
		h->total++;
	}
}

void prim_hasher_feed_field(struct prim_hasher *h, struct prim_slice s)
{
	uint8_t len[8];

	store(len, s.len);
	prim_hasher_feed(h, prim_slice_make((const char *)len, sizeof(len)));
	prim_hasher_feed(h, s);
}

static void finish(struct prim_hasher *h, uint64_t mark)
{
	absorb(h, h->tail | (h->total << 56));
	h->v2 ^= mark;
}

uint64_t prim_hash(const struct prim_hash_key *key, struct prim_slice s)
{
	struct prim_hasher h;

	start(&h, key);
	prim_hasher_feed(&h, s);
	finish(&h, 0xff);
	return squeeze(&h);
}

struct prim_digest prim_hasher_digest(struct prim_hasher *h)
{
	struct prim_digest digest;

	finish(h, 0xee);
	store(digest.octets, squeeze(h));
	h->v1 ^= 0xdd;
	store(digest.octets + 8, squeeze(h));
	return digest;
}

bool prim_digest_eq(const struct prim_digest *a, const struct prim_digest *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}
