/* SPDX-License-Identifier: ISC */
/* Where a stored message goes. */

#include "bridge/destination.h"
#include "prim/base.h"
#include "tests/lib/slice.h"

static const struct {
	const char *text;
	bool is_inbox;
	const char *adapter, *via;
} CASES[] = {
	{"inbox:alice@a.example", true,  "",     "inbox"},
	{ "adapter:xmpp",         false, "xmpp", "xmpp" },
 /* What names of ours cannot be, and a damaged database may have. */
	{ "adapter:",             false, "",     ""     },
	{ "inbox",                false, "",     ""     },
	{ "adapterxmpp",          false, "",     ""     },
	{ "",		     false, "",     ""     },
};

static void a_destination_is_an_inbox_or_an_adapter(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct prim_slice text = prim_slice_of(CASES[i].text);

		t_number_is(CASES[i].text, br_destination_is_inbox(text),
		    CASES[i].is_inbox);
		t_slice_is(CASES[i].text, br_destination_adapter(text),
		    CASES[i].adapter);
		t_slice_is(CASES[i].text, br_destination_via(text),
		    CASES[i].via);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_destination_is_an_inbox_or_an_adapter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
