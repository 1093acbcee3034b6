/* SPDX-License-Identifier: ISC */
/* What may be published: PRIM-211, PRIM-214, PRIM-216. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/compose.h"
#include "tests/prim/compose.h"

static const struct {
	const char *name, *type, *body;
	bool ok;
} CASES[] = {
	{"PIDF",			  PIDF_TYPE,                            PIDF("a"),true},
	{ "PIDF, spelled otherwise",      PIDF_TYPE,
         PIDF_OF("PRES:%61lice@Prim.Example","a",  ""), true },
	{ "PIDF without the scheme",                           PIDF_TYPE,
         PIDF_OF("alice@prim.example","a",""), true },
	{ "PIDF of the drafts",                            CPIM_PIDF,							     OLD_PIDF("a"),                     true														},
	{ "native",NATIVE_TYPE,NATIVE,true},
	{ "native without a type",                          "",												   NATIVE,																				  true																																																						  },
	{ "native about nobody",    NATIVE_TYPE,NATIVE_OF(""),true},
	{ "message/cpim",                 "message/cpim",													 CPIM(PIDF_TYPE) PIDF("a"),																																									   true																																																																																																																																								},
	{ "signed", "multipart/signed; boundary=x","x",true},
	{ "encrypted", "multipart/encrypted; x=y",															       "x",																																																																				      true																																																																																																																																																																																																																																																																													      },
	{ "PKCS #7",     "application/pkcs7-mime","x",true},
	{ "signed in message/cpim",   "message/cpim",
         CPIM("multipart/signed; boundary=x") "x",																																																																																															   true																																																																																																																																																																																																																																																																																																																																																																																																																																																																									},
	{ "PIDF about somebody else",               PIDF_TYPE,                              PIDF_OF(BOB,"a",""), false },
	{ "PIDF about an inbox",        PIDF_TYPE,
         PIDF_OF("im:alice@prim.example",																																																																																												  "a",																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																																												      ""), false },
	{ "PIDF about nothing",                              PIDF_TYPE,					     PIDF_OF("alice","a",""), false },
	{ "old PIDF about somebody else",                            CPIM_PIDF,							   PIDF_OF(BOB,"a",""),
         false },
	{ "native about somebody else",                NATIVE_TYPE,
         NATIVE_OF(" identifier=\"" BOB "\""),false                    },
	{ "wrapped, about somebody else", "message/cpim",
         CPIM(PIDF_TYPE) PIDF_OF(BOB,"a",""), false },
	{ "several",			   "multipart/mixed; boundary=b",
         "--b\r\nContent-Type: " PIDF_TYPE "\r\n\r\n" PIDF("a") "\r\n--b--",
         false},
	{ "several in message/cpim",                          "message/cpim",
         CPIM("multipart/mixed; boundary=b") "--b\r\n\r\n" NATIVE
						"\r\n--b--",false},
	{ "nothing",			    PIDF_TYPE,							     "",															     false																															    },
	{ "nothing, signed","multipart/signed; boundary=x",    "",false                                                           },
	{ "text","text/plain",                    "open",false                           },
	{ "XML","application/xml",PIDF("a"),false},
	{ "text in message/cpim",                          "message/cpim",							 CPIM("text/plain") "x",
         false},
	{ "no message/cpim",                            "message/cpim",                                       "x",false},
	{ "not well-formed",                    PIDF_TYPE,									       PIDF("a") "<",																													   false																																																																																												     },
	{ "a DOCTYPE",PIDF_TYPE,"<!DOCTYPE presence>" PIDF("a"),false                                              },
};

static void what_is_no_presence_of_the_publisher_is_refused(void **state)
{
	const char *why;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct prim_document_parts parts = {
			.type = prim_slice_of(CASES[i].type),
			.name = PRIM_SLICE("desk"),
			.body = prim_slice_of(CASES[i].body),
		};
		bool ok;

		why = NULL;
		ok = prim_compose_check(PRIM_SLICE(ALICE), &parts, &why);
		if (ok != CASES[i].ok || (!ok && !why))
			fail_msg("%s: %s (%s)", CASES[i].name,
			    ok ? "accepted" : "refused", why ? why : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_is_no_presence_of_the_publisher_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
