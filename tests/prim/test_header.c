/* SPDX-License-Identifier: ISC */
/* Header names. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/header.h"

static void every_name_we_send_is_found_again(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PRIM_HEADER_COUNT; i++) {
		struct prim_slice name = prim_header_name(i);

		if (i == PRIM_HEADER_OTHER || i == PRIM_HEADER_BRIDGE_OTHER) {
			assert_int_equal(name.len, 0);
			continue;
		}
		assert_true(name.len > 0);
		assert_int_equal(prim_header_find(name), i);
	}
}

static void case_does_not_matter(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 0; i < PRIM_HEADER_COUNT; i++) {
		struct prim_slice name = prim_header_name(i);

		if (name.len == 0)
			continue;
		for (size_t j = 0; j < name.len; j++) {
			char c = name.ptr[j];
			bool is_alpha = (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z');

			text[j] = is_alpha ? (char)(c ^ 0x20) : c;
		}
		assert_int_equal(prim_header_find(prim_slice_make(text,
				     name.len)),
		    i);
	}
}

static void odd_names_are_told_apart(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		enum prim_header_id id;
	} CASES[] = {
		{ "SASL-Mechanism", PRIM_HEADER_SASL_MECH },
		{ "sasl-mechanism", PRIM_HEADER_SASL_MECH },
		{ "Message-IDabc12", PRIM_HEADER_MESSAGE_ID },
		{ "message-id7", PRIM_HEADER_MESSAGE_ID },
		{ "Message-ID0123456789012345678901234567890",
		    PRIM_HEADER_MESSAGE_ID },
		{ "Message-ID-x", PRIM_HEADER_OTHER },
		{ "Message-IDa b", PRIM_HEADER_OTHER },
		{ "Message-I", PRIM_HEADER_OTHER },
		{ "Bridge-Hops", PRIM_HEADER_BRIDGE_HOPS },
		{ "Bridge-Anything", PRIM_HEADER_BRIDGE_OTHER },
		{ "bridge-original-fro", PRIM_HEADER_BRIDGE_OTHER },
		{ "Bridge-", PRIM_HEADER_BRIDGE_OTHER },
		{ "Bridge", PRIM_HEADER_OTHER },
		{ "X-Bridge-Hops", PRIM_HEADER_OTHER },
		{ "", PRIM_HEADER_OTHER },
		{ "From ", PRIM_HEADER_OTHER },
		{ "Fron", PRIM_HEADER_OTHER },
		{ "T/", PRIM_HEADER_OTHER },
		{ "X-Unknown", PRIM_HEADER_OTHER },
		{ "A-Name-That-Is-Longer-Than-Any-We-Know", PRIM_HEADER_OTHER },
	};

	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		t_number_is(CASES[i].name,
		    prim_header_find(prim_slice_of(CASES[i].name)),
		    CASES[i].id);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(every_name_we_send_is_found_again),
		cmocka_unit_test(case_does_not_matter),
		cmocka_unit_test(odd_names_are_told_apart),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
