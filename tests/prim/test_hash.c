/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 against the vectors of its authors: key 00..0f, inputs of the
 * octets 00, 01, 02 and so on. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/hash.h"

static const char *const VECTORS_64[] = {
	"310e0edd47db6f72",
	"fd67dc93c539f874",
	"5a4fa9d909806c0d",
	"2d7efbd796666785",
	"b7877127e09427cf",
	"8da699cd64557618",
	"cee3fe586e46c9cb",
	"37d1018bf50002ab",
	"6224939a79f5f593",
	"b0e4a90bdf82009e",
	"f3b9dd94c5bb5d7a",
	"a7ad6b22462fb3f4",
	"fbe50e86bc8f1e75",
	"903d84c02756ea14",
	"eef27a8e90ca23f7",
	"e545be4961ca29a1",
};

static const char *const VECTORS_128[] = {
	"a3817f04ba25a8e66df67214c7550293",
	"da87c1d86b99af44347659119b22fc45",
	"8177228da4a45dc7fca38bdef60affe4",
	"9c70b60c5267a94e5f33b6b02985ed51",
	"f88164c12d9c8faf7d0f6e7c7bcd5579",
	"1368875980776f8854527a07690e9627",
	"14eeca338b208613485ea0308fd7a15e",
	"a1f1ebbed8dbc153c0b84aa61ff08239",
	"3b62a9ba6258f5610f83e264f31497b4",
	"264499060ad9baabc47f8b02bb6d71ed",
	"00110dc378146956c95447d3f3d0fbba",
	"0151c568386b6677a2b4dc6f81e5dc18",
	"d626b266905ef35882634df68532c125",
	"9869e247e9c08b10d029934fc4b952f7",
	"31fcefac66d7de9c7ec7485fe4494902",
	"5493e99933b0a8117e08ec0f97cfc3d9",
};

static char input[64];
static struct prim_hash_key key;

static int set_up(void **state)
{
	uint8_t octets[PRIM_HASH_KEY_LEN];

	(void)state;
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)i;
	for (unsigned i = 0; i < sizeof(input); i++)
		input[i] = (char)i;
	key = prim_hash_key_from(octets);
	return 0;
}

static void assert_hex(const uint8_t *octets, size_t len, const char *expected)
{
	struct prim_buf b = { 0 };

	prim_buf_put_hex(&b, octets, len);
	t_buf_is(expected, &b, expected);
	prim_buf_fini(&b);
}

static void the_64_bit_vectors_hold(void **state)
{
	(void)state;
	for (size_t len = 0; len < PRIM_COUNT(VECTORS_64); len++) {
		uint64_t hash = prim_hash(&key, prim_slice_make(input, len));
		uint8_t octets[8];

		for (unsigned i = 0; i < 8; i++)
			octets[i] = (uint8_t)(hash >> (8 * i));
		assert_hex(octets, sizeof(octets), VECTORS_64[len]);
	}
}

static void the_128_bit_vectors_hold(void **state)
{
	(void)state;
	for (size_t len = 0; len < PRIM_COUNT(VECTORS_128); len++) {
		struct prim_digest digest;
		struct prim_hasher h;

		prim_hasher_init(&h, &key);
		prim_hasher_feed(&h, prim_slice_make(input, len));
		digest = prim_hasher_digest(&h);
		assert_hex(digest.octets, sizeof(digest.octets),
		    VECTORS_128[len]);
	}
}

static struct prim_digest digest_of(const size_t cuts[2])
{
	struct prim_slice all = prim_slice_make(input, sizeof(input));
	struct prim_hasher h;

	prim_hasher_init(&h, &key);
	prim_hasher_feed(&h, prim_slice_make(all.ptr, cuts[0]));
	prim_hasher_feed(&h,
	    prim_slice_make(all.ptr + cuts[0], cuts[1] - cuts[0]));
	prim_hasher_feed(&h, prim_slice_from(all, cuts[1]));
	return prim_hasher_digest(&h);
}

static void it_does_not_matter_in_which_pieces_octets_come(void **state)
{
	size_t cuts[2] = { 0, 0 };
	struct prim_digest whole = digest_of(cuts);

	(void)state;
	for (cuts[0] = 0; cuts[0] <= sizeof(input); cuts[0]++) {
		for (cuts[1] = cuts[0]; cuts[1] <= sizeof(input); cuts[1]++) {
			struct prim_digest pieces = digest_of(cuts);

			assert_true(prim_digest_eq(&whole, &pieces));
		}
	}
}

static struct prim_digest fields(const char *a, const char *b)
{
	struct prim_hasher h;

	prim_hasher_init(&h, &key);
	prim_hasher_feed_field(&h, prim_slice_of(a));
	prim_hasher_feed_field(&h, prim_slice_of(b));
	return prim_hasher_digest(&h);
}

static void it_matters_where_one_field_ends(void **state)
{
	struct prim_digest one = fields("ab", "c");
	struct prim_digest same = fields("ab", "c");
	struct prim_digest other = fields("a", "bc");

	(void)state;
	assert_true(prim_digest_eq(&one, &same));
	assert_false(prim_digest_eq(&one, &other));
}

static void another_key_gives_another_hash(void **state)
{
	struct prim_hash_key other = { .k0 = key.k0, .k1 = key.k1 + 1 };

	(void)state;
	assert_true(prim_hash(&key, PRIM_SLICE("x")) !=
	    prim_hash(&other, PRIM_SLICE("x")));
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(the_64_bit_vectors_hold),
		cmocka_unit_test(the_128_bit_vectors_hold),
		cmocka_unit_test(
		    it_does_not_matter_in_which_pieces_octets_come),
		cmocka_unit_test(it_matters_where_one_field_ends),
		cmocka_unit_test(another_key_gives_another_hash),
	};

	return cmocka_run_group_tests(TESTS, set_up, NULL);
}
