/* SPDX-License-Identifier: ISC */
/* Addresses: RFC 7622, XEP-0106, RFC 7247, and the ways they can go wrong. */

#include "tests/lib/t.h"

#include <string.h>

#include "adapters/xmpp/escape.h"
#include "adapters/xmpp/idna.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/precis.h"
#include "prim/base.h"

static void assert_buf(struct prim_buf *b, const char *want, const char *name)
{
	char *text = prim_buf_steal(b);

	if (strcmp(text, want) != 0)
		print_error("%s: got \"%s\", want \"%s\"\n", name, text, want);
	assert_string_equal(text, want);
	prim_free(text);
}

/* Both ways. `uri` is what we write; `reads` (or NULL) another spelling that
 * means the same. */
static const struct {
	const char *name;
	const char *jid;
	const char *uri;
	const char *reads;
} PAIRS[] = {
	{"RFC 3922 4.1.1",			     "juliet@example.com",                           "im:juliet@example.com",
         "IM:juliet@example.com"																			      },
	{ "XEP-0106 number 4",                         "d\\27artagnan@example.com",
         "im:d'artagnan@example.com",														      "im:d%27artagnan@example.com"      },
	{ "RFC 7247 6.4, an apostrophe",               "o\\27malley@example.com",
         "im:o'malley@example.com",															NULL                               },
	{ "RFC 7247 6.4, an umlaut",                   "f\xc3\xbc@example.com",
         "im:f%C3%BC@example.com",															 "im:f%c3%bc@example.com"           },
	{ "RFC 7247 6.5",			      "tsch\xc3\xbcss@example.com",
         "im:tsch%C3%BCss@example.com",														    NULL                               },
	{ "PRIM 3, quotes and a space",                "\\22jane\\20smith\\22@example.com",
         "im:%22jane%20smith%22@example.com",													      "im:%22Jane%20Smith%22@example.com"},
	{ "XEP-0106, backslashes that are no escapes",
         "\\2plus\\2is\\4@example.com",								"im:%5C2plus%5C2is%5C4@example.com",
         NULL																						 },
	{ "XEP-0106, a wild address",
         "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address@example.com",				    "im:here's_a_wild_&_/cr%25zy/_address@example.com", NULL                               },
	{ "characters PRIM escapes",                   "a#b^c{}@example.com",
         "im:a%23b%5Ec%7B%7D@example.com",														 NULL                               },
	{ "a backslash before an escape",              "c\\3a\\5c5commas@example.com",
         "im:c%3A%5C5commas@example.com",														  NULL                               },
	{ "a U-label domain",
         "a@b\xc3\xbc"
	    "cher.example",									    "im:a@xn--bcher-kva.example",                       NULL                               },
	{ "capital letters fold",                      "romeo@example.com",                            "im:romeo@example.com",
         "im:ROMEO@EXAMPLE.com"																			       },
	{ "a folded escape is escaped again",          "a\\5c2fb@example.com",
         "im:a%5C2fb@example.com",															 "im:a%5C2Fb@example.com"           },
	{ "RFC 7622 example 5, sharp s stays",
         "fu\xc3\x9f"
	    "ball@example.com",									"im:fu%C3%9Fball@example.com",                      NULL                               },
	{ "Greek small sigma",                         "\xcf\x83@example.com",                         "im:%CF%83@example.com",
         "im:%CE%A3@example.com"																			      },
	{ "Greek final sigma is another",              "\xcf\x82@example.com",
         "im:%CF%82@example.com",															  NULL                               },
	{ "full width letters",                        "abc@example.com",                              "im:abc@example.com",
         "im:%EF%BC%A1%EF%BC%A2%EF%BC%A3@example.com"																	 },
	{ "Hebrew",				    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d@example.com",
         "im:%D7%A9%D7%9C%D7%95%D7%9D@example.com",													NULL                               },
};

static void addresses_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(PAIRS); i++) {
		struct prim_buf b = { 0 };
		struct prim_address a;
		struct xa_jid jid;

		assert_true(prim_address_parse(prim_slice_of(PAIRS[i].uri),
		    &a));
		assert_true(xa_jid_put(&b, &a));
		assert_buf(&b, PAIRS[i].jid, PAIRS[i].name);
		assert_true(xa_jid_split(prim_slice_of(PAIRS[i].jid), &jid));
		assert_true(xa_jid_uri(&b, &jid));
		assert_buf(&b, PAIRS[i].uri, PAIRS[i].name);
		if (!PAIRS[i].reads)
			continue;
		assert_true(prim_address_parse(prim_slice_of(PAIRS[i].reads),
		    &a));
		assert_true(xa_jid_put(&b, &a));
		assert_buf(&b, PAIRS[i].jid, PAIRS[i].name);
	}
}

static const struct {
	const char *name;
	const char *jid;
} BAD_JIDS[] = {
	{"RFC 7622 16, a quotation mark",                                       "\"juliet\"@example.com"       },
	{ "RFC 7622 17, a space",					       "foo bar@example.com"          },
	{ "RFC 7622 19, no localpart before the at sign",                       "@example.com/"                },
	{ "RFC 7622 20, Roman numeral four",                                    "henry\xe2\x85\xa3@example.com"},
	{ "RFC 7622 21, a chess king",					  "\xe2\x99\x9a@example.com"     },
	{ "RFC 7622 22, nothing before the at sign",                            "@example.com"                 },
	{ "RFC 7622 23, nothing behind the slash",                              "juliet@example.com/"          },
	{ "an apostrophe",						      "d'artagnan@example.com"       },
	{ "an ampersand",						       "a&b@example.com"              },
	{ "a colon",							    "a:b@example.com"              },
	{ "an angle bracket",						   "a<b@example.com"              },
	{ "no domain",							  "juliet@"                      },
	{ "no localpart",						       "example.com"                  },
	{ "a control character",						"a\x01@example.com"            },
	{ "DEL",								"a\x7f@example.com"            },
	{ "not UTF-8",							  "a\xff@example.com"            },
	{ "an overlong form",						   "a\xc0\xaf@example.com"        },
	{ "an escaped space in front",					  "\\20juliet@example.com"       },
	{ "an escaped space at the end",                                        "juliet\\20@example.com"       },
	{ "an escape of what needs none",                                       "a\\5cb@example.com"           },
	{ "a domain with an underscore",                                        "a@b_c.example"                },
	{ "an empty label",						     "a@b..example"                 },
	{ "an address literal",						 "a@[::1]"                      },
	{ "a zero width joiner alone",
         "a\xe2\x80\x8d"
	    "b@example.com"										    },
	{ "a soft hyphen",
         "a\xc2\xad"
	    "b@example.com"										    },
	{ "an unassigned character",					    "a\xf0\x9f\xbf\xbf@example.com"},
	{ "Hebrew behind Latin",						"a\xd7\xa9@example.com"        },
	{ "both kinds of Arabic digits",
         "\xd8\xa7\xd9\xa1\xdb\xb1@example.com"								},
	{ "an emoji",							   "\xf0\x9f\x98\x80@example.com" },
	{ "a combining mark out of order of NFC is mapped, a lone jamo is not",
         "\xe1\x84\x80@example.com"									    },
};

static void a_bad_jid_is_no_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(BAD_JIDS); i++) {
		struct prim_buf b = { 0 };
		struct xa_jid jid;
		bool ok = xa_jid_split(prim_slice_of(BAD_JIDS[i].jid), &jid) &&
		    xa_jid_uri(&b, &jid);

		if (ok)
			print_error("%s\n", BAD_JIDS[i].name);
		assert_false(ok);
		prim_buf_fini(&b);
	}
}

static const struct {
	const char *name;
	const char *uri;
} UNMAPPABLE[] = {
	{"a space in front",				   "im:%20a@example.com"          },
	{ "a space at the end",				"im:a%20@example.com"          },
	{ "a wide space becomes one",                          "im:a%E3%80%80@example.com"    },
	{ "not UTF-8",					 "im:a%FF@example.com"          },
	{ "an emoji",					  "im:%F0%9F%98%80@example.com"  },
	{ "Roman numeral four",				"im:henry%E2%85%A3@example.com"},
	{ "a right-to-left letter behind a left-to-right one",
         "im:a%D7%A9@example.com"							     },
	{ "an A-label that is none",                           "im:a@xn--a.example"           },
	{ "a line separator",				  "im:a%E2%80%A8b@example.com"   },
};

static void an_address_xmpp_cannot_carry_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(UNMAPPABLE); i++) {
		struct prim_buf b = { 0 };
		struct prim_address a;
		bool ok;

		assert_true(prim_address_parse(prim_slice_of(UNMAPPABLE[i].uri),
		    &a));
		ok = xa_jid_put(&b, &a);
		if (ok)
			print_error("%s\n", UNMAPPABLE[i].name);
		assert_false(ok);
		prim_buf_fini(&b);
	}
}

static void a_localpart_has_at_most_1023_octets(void **state)
{
	struct prim_buf uri = { 0 }, b = { 0 };
	struct prim_address a;

	(void)state;
	/* 342 apostrophes are 1026 octets of "\27". */
	prim_buf_puts(&uri, "im:");
	for (int i = 0; i < 342; i++)
		prim_buf_putc(&uri, '\'');
	prim_buf_puts(&uri, "@example.com");
	assert_true(prim_address_parse(prim_buf_slice(&uri), &a));
	assert_false(xa_jid_put(&b, &a));
	prim_buf_fini(&b);
	a.local.len = 341;
	assert_true(xa_jid_put(&b, &a));
	prim_buf_fini(&b);
	prim_buf_fini(&uri);
}

static const struct {
	const char *name;
	const char *jid;
	const char *uri; /* under gw.example */
} HOSTED_USERS[] = {
	{"a user",                   "juliet@jabber.example",
         "im:juliet%40jabber.example@gw.example"							      },
	{ "an escape in it",         "d\\27artagnan@jabber.example",
         "im:d'artagnan%40jabber.example@gw.example"							  },
	{ "an at sign in it",        "a\\40b@jabber.example",
         "im:a%40b%40jabber.example@gw.example"							       },
	{ "an international domain",
         "a@b\xc3\xbc"
	    "cher.example",					  "im:a%40xn--bcher-kva.example@gw.example"},
};

static void a_user_of_another_domain_lives_under_the_gateway(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(HOSTED_USERS); i++) {
		struct prim_buf b = { 0 };
		struct prim_address a;
		struct xa_jid jid;

		assert_true(xa_jid_split(prim_slice_of(HOSTED_USERS[i].jid),
		    &jid));
		assert_true(xa_jid_uri_hosted(&b, &jid,
		    PRIM_SLICE("gw.example")));
		assert_buf(&b, HOSTED_USERS[i].uri, HOSTED_USERS[i].name);
		assert_true(
		    prim_address_parse(prim_slice_of(HOSTED_USERS[i].uri), &a));
		assert_true(xa_jid_put_unhosted(&b, &a));
		assert_buf(&b, HOSTED_USERS[i].jid, HOSTED_USERS[i].name);
	}
}

static void a_principal_of_another_domain_lives_under_the_gateway(void **state)
{
	struct prim_buf b = { 0 };
	struct prim_address a;
	struct xa_jid jid;

	(void)state;
	assert_true(prim_address_parse(PRIM_SLICE("im:Romeo@example.net"), &a));
	assert_true(xa_jid_put_hosted(&b, &a, PRIM_SLICE("prim.example.com")));
	assert_buf(&b, "romeo\\40example.net@prim.example.com", "out");
	assert_true(xa_jid_split(
	    PRIM_SLICE("romeo\\40example.net@prim.example.com/x"), &jid));
	assert_true(xa_jid_uri_unhosted(&b, &jid));
	assert_buf(&b, "im:romeo@example.net", "in");
	assert_true(xa_jid_split(PRIM_SLICE("romeo@prim.example.com"), &jid));
	assert_false(xa_jid_uri_unhosted(&b, &jid));
	prim_buf_fini(&b);
}

static void keys_are_the_same_exactly_for_the_same_user(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"Juliet@Example.com",             "juliet@example.com/balcony", true },
		{ "a@b\xc3\xbc"
		  "cher.example", "a@xn--bcher-kva.example",    true },
		{ "\xce\xa3@example.com",          "\xcf\x83@example.com",       true },
		{ "\xcf\x82@example.com",          "\xcf\x83@example.com",       false},
		{ "fussball@example.com",
                 "fu\xc3\x9f"
		    "ball@example.com",					  false},
		{ "a@example.com",                 "a@example.net",              false},
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(cases); i++) {
		struct prim_buf a = { 0 }, b = { 0 };
		struct xa_jid jid;

		assert_true(xa_jid_split(prim_slice_of(cases[i].a), &jid));
		assert_true(xa_jid_key(&a, &jid));
		assert_true(xa_jid_split(prim_slice_of(cases[i].b), &jid));
		assert_true(xa_jid_key(&b, &jid));
		assert_int_equal(prim_slice_eq(prim_buf_slice(&a),
				     prim_buf_slice(&b)),
		    cases[i].same);
		prim_buf_fini(&a);
		prim_buf_fini(&b);
	}
}

static void every_escape_is_undone(void **state)
{
	static const char *const plain[] = { "space cadet",
		"call me \"ishmael\"", "at&t guy", "d'artagnan", "/.fanboy",
		"::foo::", "<foo>", "user@host", "c:\\net", "c:\\\\net",
		"c:\\cool stuff", "c:\\5commas", "\\20", "\\5c", "\\\\5c20" };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(plain); i++) {
		struct prim_buf escaped = { 0 }, back = { 0 };

		xa_escape_put(&escaped, prim_slice_of(plain[i]));
		xa_escape_undo(&back, prim_buf_slice(&escaped));
		assert_buf(&back, plain[i], plain[i]);
		prim_buf_fini(&escaped);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_go_both_ways),
		cmocka_unit_test(a_bad_jid_is_no_address),
		cmocka_unit_test(an_address_xmpp_cannot_carry_is_refused),
		cmocka_unit_test(a_localpart_has_at_most_1023_octets),
		cmocka_unit_test(
		    a_user_of_another_domain_lives_under_the_gateway),
		cmocka_unit_test(
		    a_principal_of_another_domain_lives_under_the_gateway),
		cmocka_unit_test(keys_are_the_same_exactly_for_the_same_user),
		cmocka_unit_test(every_escape_is_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
