/* SPDX-License-Identifier: ISC */
/* Codes: made, kept, compared, and not too many of them. */

#include "bridge/identity_private.h"

#include <string.h>
#include <sys/random.h>

#include "bridge/auth_verifier.h"
#include "prim/base.h"
#include "prim/octet.h"

#define CODES 100000000U /* of BR_CODE_DIGITS digits */

void br_identity_code_make(char out_code[BR_CODE_DIGITS + 1])
{
	const uint32_t fair = UINT32_MAX - UINT32_MAX % CODES;
	uint32_t number;

	do {
		while (getrandom(&number, sizeof(number), 0) != sizeof(number))
			continue;
	} while (number >= fair);
	for (int i = BR_CODE_DIGITS - 1; i >= 0; i--) {
		out_code[i] = (char)('0' + number % 10);
		number /= 10;
	}
	out_code[BR_CODE_DIGITS] = '\0';
}

bool br_identity_code_ok(struct prim_slice code)
{
	if (code.len != BR_CODE_DIGITS)
		return false;
	for (size_t i = 0; i < code.len; i++) {
		if (!prim_octet_is_digit(code.ptr[i]))
			return false;
	}
	return true;
}

/* Two halves of the hash, each with a key of its own. */
void br_identity_code_keys(struct br_identities *all, const uint8_t secret[32])
{
	const struct prim_hash_key root = prim_hash_key_from(secret);

	for (size_t i = 0; i < PRIM_COUNT(all->code_keys); i++) {
		const char number = (char)i;
		struct prim_digest d;
		struct prim_hasher h;

		prim_hasher_init(&h, &root);
		prim_hasher_feed_field(&h, PRIM_SLICE("link code"));
		prim_hasher_feed(&h,
		    prim_slice_make((const char *)secret + PRIM_HASH_KEY_LEN,
			32 - PRIM_HASH_KEY_LEN));
		prim_hasher_feed(&h, prim_slice_make(&number, 1));
		d = prim_hasher_digest(&h);
		all->code_keys[i] = prim_hash_key_from(d.octets);
	}
}

/* A code is good for its pair only. Eight digits are soon guessed by whoever
 * has the hash and its key; the key is in the other database. */
static void hash(const struct br_identities *all,
    const struct br_store_link *row, struct prim_slice code,
    uint8_t out_hash[BR_HASH_LEN])
{
	for (size_t i = 0; i < PRIM_COUNT(all->code_keys); i++) {
		struct prim_digest d;
		struct prim_hasher h;

		prim_hasher_init(&h, &all->code_keys[i]);
		prim_hasher_feed_field(&h,
		    prim_slice_make((const char *)row->code_salt,
			sizeof(row->code_salt)));
		prim_hasher_feed_field(&h, row->principal);
		prim_hasher_feed_field(&h, row->address);
		prim_hasher_feed_field(&h, code);
		d = prim_hasher_digest(&h);
		memcpy(out_hash + i * PRIM_DIGEST_LEN, d.octets,
		    PRIM_DIGEST_LEN);
	}
}

void br_identity_code_set(const struct br_identities *all,
    struct br_store_link *row, struct prim_slice code)
{
	while (getrandom(row->code_salt, sizeof(row->code_salt), 0) !=
	    sizeof(row->code_salt))
		continue;
	hash(all, row, code, row->code_hash);
	row->code_expires_ms = br_identities_now(all) + BR_CODE_WITHIN_MS;
	row->code_tries = 0;
}

bool br_identity_code_is(const struct br_identities *all,
    const struct br_store_link *row, struct prim_slice code)
{
	uint8_t given[BR_HASH_LEN];

	hash(all, row, code, given);
	return br_auth_verifier_same(given, row->code_hash, BR_HASH_LEN);
}

const char *br_identity_code_throttle(struct br_identities *all,
    struct prim_slice asker, struct prim_slice told)
{
	const int64_t now = br_identities_now(all);

	if (br_tally_count(&all->askers, asker, now) >= BR_CODES_PER_HOUR)
		return br_identity_say(all,
		    "%.*s has asked for %d codes within an hour, and more are "
		    "not given out; try again later",
		    PRIM_SLICE_ARG(asker), BR_CODES_PER_HOUR);
	if (br_tally_count(&all->told, told, now) >= BR_CODES_PER_HOUR)
		return br_identity_say(all,
		    "%.*s has been sent %d codes within an hour, and more are "
		    "not sent there; try again later",
		    PRIM_SLICE_ARG(told), BR_CODES_PER_HOUR);
	br_tally_add(&all->askers, asker, now);
	br_tally_add(&all->told, told, now);
	return NULL;
}
