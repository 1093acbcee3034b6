/* SPDX-License-Identifier: ISC */
/* Presence from PIDF to XMPP (spec/xmpp.md 4.2..4.4). */

#include <stdio.h>

#include "adapters/xmpp/presence_private.h"
#include "tests/adapters/xmpp/presence_text.h"

#define HOME "4ea140588150773c" /* of SHA-256, as sha256sum has it */

/*
 * In: 4.2 and 4.3, and the examples of RFC 3922 5.2 and RFC 8048 6.3, whose
 * example 21 leaves out the resource that its table asks for.
 */

#define DOCUMENT(inside)                                     \
	"<?xml version='1.0' encoding='UTF-8'?>"             \
	"<presence xmlns='urn:ietf:params:xml:ns:pidf' "     \
	"xmlns:im='urn:ietf:params:xml:ns:pidf:im' "         \
	"xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' " \
	"xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' "        \
	"entity='pres:romeo@prim.example'>" inside "</presence>"
#define TUPLE(id, status, rest) \
	"<tuple id='" id "'><status>" status "</status>" rest "</tuple>"
#define OPEN           "<basic>open</basic>"
#define CLOSED         "<basic>closed</basic>"
#define SHOW(word)     "<show xmlns='jabber:client'>" word "</show>"
#define IM(word)       "<im:im>" word "</im:im>"
#define ACTIVITY(what) "<r:activities><r:" what "/></r:activities>"
#define PERSON(inside) "<dm:person id='p'>" inside "</dm:person>"
#define IDLE           "<r:user-input>idle</r:user-input>"
#define IDLE_SINCE \
	"<r:user-input last-input='2026-10-26T08:00:00Z'>idle</r:user-input>"
#define SINCE       "idle=2026-10-26T08:00:00Z"
#define PRIORITY(x) "<contact priority='" x "'>im:romeo@prim.example</contact>"

static const struct {
	const char *name;
	const char *document;
	const char *want;
} IN[] = {
	{"open",					DOCUMENT(TUPLE("ID-orchard",                 OPEN,							 "")),												       "orchard+"																	      },
	{ "closed (RFC 8048 example 20)",
         DOCUMENT(TUPLE("ID-dr4hcr0st3lup4c",							CLOSED,                                                       "")),
         "dr4hcr0st3lup4c-"																																																	    },
	{ "an id of PRIM",			      DOCUMENT(TUPLE("home",                       OPEN,							 "")),												       "home+"																		 },
	{ "an id with two prefixes",                    DOCUMENT(TUPLE("ID-ID-a",                    OPEN,                                                         "")),
         "ID-a+"																																																		       },
	{ "an id of a hash",                            DOCUMENT(TUPLE("IDx-0123",                   OPEN,                                                         "")),
         "IDx-0123+"																																																		   },
	{ "an id that is the bare JID",                 DOCUMENT(TUPLE("ID-",                        OPEN,                                                         "")),												       "+"																		     },
	{ "the same resource twice, prefixed last",
         DOCUMENT(TUPLE("home",								      OPEN,							 "") TUPLE("ID-home",											CLOSED,																		   "")),
         "x-" HOME "+; home-" },
	{ "the same resource twice, prefixed first",
         DOCUMENT(TUPLE("ID-home",								    CLOSED,										       "") TUPLE("home",																													     OPEN,																																							    "")),
         "home-; x-" HOME "+" },
	{ "no basic, but a status",
         DOCUMENT("<tuple id='a'><status>" SHOW("away") "</status></tuple>"),
         "a+ away"																    },
	{ "no basic, and no status",
         DOCUMENT("<tuple id='a'><status/></tuple>"),									       "a-"},
	{ "every tuple closed",
         DOCUMENT(TUPLE("a",									 CLOSED,						       "") TUPLE("b",																													      CLOSED,																																													      "")), "a-; b-" },
	{ "no tuple",				     DOCUMENT(""),									       "-"																},
	{ "no tuple but a note",                        DOCUMENT("<note xml:lang='en'>away</note>"),
         "- en\"away\""																	  },
	{ "the bare one closed beside others",
         DOCUMENT(TUPLE("ID-",								     CLOSED,							 "") TUPLE("a",																											  OPEN,																																				"")), "a+" },
	{ "a note of the tuple",
         DOCUMENT(TUPLE("a",									 OPEN,							 "<note>one</note>") "<note>two</note>"),
         "a+ \"one\""  },
	{ "a note of the activities",
         DOCUMENT(TUPLE("a",									 OPEN,							 "") "<note>two</note>" PERSON(
		"<r:activities><r:note>three</r:note><r:other/>"
		"</r:activities>")),
         "a+ \"three\""																																 },
	{ "a note of the document",
         DOCUMENT(TUPLE("a",									 OPEN,							 "")
		    TUPLE("b",													   CLOSED,																												"") "<note>two</note>"),
         "a+ \"two\"; b- \"two\"" },
	{ "notes in languages",
         DOCUMENT(TUPLE("a",								OPEN,
         "<note xml:lang='en'>one</note><note xml:lang='cs'>jeden"
		"</note><note xml:lang='EN'>two</note><note>none</note>")),
         "a+ en\"one\" cs\"jeden\" \"none\""},
	{ "a note in no language",
         DOCUMENT(TUPLE("a",						     OPEN,											  "<note xml:lang='/>'>one</note>")),
         "a+"																																																		  },
	{ "priority missing",
         DOCUMENT(TUPLE("a",										    OPEN,
         "<contact>im:romeo@prim.example</contact>")),
         "a+"																																																		},
	{ "priority (RFC 3922 5.2)",
         DOCUMENT(TUPLE("a",										    OPEN,														       PRIORITY("0.102"))),																       "a+ 13"																					      },
	{ "priority out of range",				      DOCUMENT(TUPLE("a",										OPEN,														     PRIORITY("1.5"))),
         "a+"																																								       },
	{ "priority of who is unavailable",
         DOCUMENT(TUPLE("a",										    CLOSED,														PRIORITY("1"))),																														   "a-"																																										  },
	{ "a contact in capitals",
         DOCUMENT(TUPLE("a",										   OPEN,
         "<contact>IM:romeo@prim.example</contact>")),
         "a+"																																						   },
	{ "a telephone and a device",
         DOCUMENT(TUPLE("a",										    OPEN,														      "<contact>tel:+1</contact>") TUPLE("b",
         OPEN,																																						    "") TUPLE("c", OPEN, "<contact>mailto:r@x</contact>")),
         "b+" },
	{ "a telephone alone",
         DOCUMENT(TUPLE("a",									OPEN,
         "<contact>tel:+1</contact>") "<note>call</note>"),
         "- \"call\""},
	{ "idle and away",                          DOCUMENT(TUPLE("a",									 OPEN SHOW("away"),                                                          IDLE_SINCE)),
         "a+ away " SINCE																																						 },
	{ "idle of the person",
         DOCUMENT(TUPLE("a",                              OPEN, "") PERSON(IDLE_SINCE)),
         "a+ away " SINCE																																						    },
	{ "idle and unavailable",                         DOCUMENT(TUPLE("a",									 CLOSED,												    IDLE_SINCE)),
         "a-"																																						   },
	{ "chat",		       DOCUMENT(TUPLE("a",                        OPEN SHOW("chat"),      "")),																									 "a+ chat"																																																			  },
	{ "away",				       DOCUMENT(TUPLE("a",					  OPEN SHOW("away"),							      "")),																										    "a+ away"																																																		  },
	{ "xa",				       DOCUMENT(TUPLE("a",                          OPEN SHOW("xa"),                            "")),                                      "a+ xa"																																																	      },
	{ "dnd",					 DOCUMENT(TUPLE("a",                            OPEN SHOW("dnd"),                                                "")),																						       "a+ dnd"																																																	      },
	{ "a show with closed",					DOCUMENT(TUPLE("a",                         CLOSED SHOW("dnd"),                                          "")),
         "a-"																																																			  },
	{ "an unknown show and an activity",
         DOCUMENT(TUPLE("a",           OPEN SHOW("brb"),                             ACTIVITY("busy"))),
         "a+ dnd"												     },
	{ "pidf:im busy",            DOCUMENT(TUPLE("a",									 OPEN IM("busy"),													   "")),								     "a+ dnd"},
	{ "pidf:im away",			       DOCUMENT(TUPLE("a",                                             OPEN IM("away"),                  "")),
         "a+ away"																												      },
	{ "show before pidf:im",
         DOCUMENT(TUPLE("a",                          OPEN IM("busy") SHOW("xa"),                           "")),												 "a+ xa"                                                          },
	{ "show before activities",
         DOCUMENT(TUPLE("a",									 OPEN SHOW("chat"),										  ACTIVITY("busy"))),
         "a+ chat"																																																			  },
	{ "pidf:im before activities",
         DOCUMENT(TUPLE("a",									 OPEN IM("away"),                                            ACTIVITY("busy"))),
         "a+ away"																																																		      },
	{ "the tuple's activities before the person's",
         DOCUMENT(TUPLE("a",									 OPEN,					      ACTIVITY("away")) TUPLE("b",              OPEN,											  "")
		    PERSON(ACTIVITY("busy"))),
         "a+ away; b+ dnd" },
	{ "several activities",
         DOCUMENT(TUPLE("a",									 OPEN,
         "<r:activities><r:away/><r:vacation/><r:meeting/>"
		"</r:activities>")),
         "a+ dnd"																																																		     },
	{ "xa before away",
         DOCUMENT(TUPLE("a",								       OPEN,
         "<r:activities><r:away/><r:vacation/></r:activities>")),
         "a+ xa"																									      },
	{ "idle alone",				      DOCUMENT(TUPLE("a",										OPEN,															    IDLE)),                                                   "a+ away"																																																		     },
	{ "activities before idle",
         DOCUMENT(TUPLE("a",										 OPEN,																 ACTIVITY("busy") IDLE)),											   "a+ dnd"																																																		     },
	{ "idle alone, of XMPP",				    DOCUMENT(TUPLE("ID-a",									      OPEN,														  IDLE_SINCE)),
         "a+ " SINCE																												 },
};

static void documents_become_presence(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(IN); i++) {
		struct prim_pidf *p = text_parse(prim_slice_of(IN[i].document));
		struct xa_presences all = { 0 };

		xa_presences_from_pidf(&all, p, NOW);
		assert_text(IN[i].name, &all, IN[i].want);
		/* Again, in the place of what was there. */
		xa_presences_from_pidf(&all, p, NOW);
		assert_text(IN[i].name, &all, IN[i].want);
		xa_presences_fini(&all);
		text_free(p);
	}
}

static const struct {
	const char *words[13];
	const char *want;
} ACTIVITIES[] = {
	{{ "away", "appointment", "breakfast", "lunch", "dinner", "meal",
	      "in-transit", "travel", "shopping", "spectator", "tv",
	      "playing" },
         "a+ away"							   },
	{ { "vacation", "holiday", "sleeping", "permanent-absence" }, "a+ xa"},
	{ { "busy", "meeting", "on-the-phone", "presentation", "performance",
	      "steering", "worship" },
         "a+ dnd"							    },
	{ { "other", "unknown", "working" },                          "a+"   },
};

static void each_activity_has_its_show(void **state)
{
	char xml[1024];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ACTIVITIES); i++) {
		for (size_t n = 0; ACTIVITIES[i].words[n]; n++) {
			struct xa_presences all = { 0 };
			struct prim_pidf *p;

			snprintf(xml, sizeof(xml),
			    DOCUMENT(TUPLE("a", OPEN, "")
				    PERSON(ACTIVITY("%s"))),
			    ACTIVITIES[i].words[n]);
			p = text_parse(prim_slice_of(xml));
			xa_presences_from_pidf(&all, p, NOW);
			assert_text(ACTIVITIES[i].words[n], &all,
			    ACTIVITIES[i].want);
			xa_presences_fini(&all);
			text_free(p);
		}
	}
}

static const struct {
	const char *name;
	const char *timestamp;
	int64_t want;
} TIMES[] = {
	{"none",        "",					    NOW},
	{ "the past",   "<timestamp>2026-10-26T08:00:00Z</timestamp>",
         NOW - 3200000						    },
	{ "the future", "<timestamp>2026-10-26T09:00:00Z</timestamp>", NOW},
};

static void timestamps_are_stamps(void **state)
{
	char xml[1024];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TIMES); i++) {
		struct xa_presences all = { 0 };
		struct prim_pidf *p;

		snprintf(xml, sizeof(xml), DOCUMENT(TUPLE("a", OPEN, "%s")),
		    TIMES[i].timestamp);
		p = text_parse(prim_slice_of(xml));
		xa_presences_from_pidf(&all, p, NOW);
		if (all.items[0].stamp_ms != TIMES[i].want)
			fail_msg("%s", TIMES[i].name);
		xa_presences_fini(&all);
		text_free(p);
	}
}

static void a_document_of_many_tuples_keeps_as_many_as_we_do(void **state)
{
	struct xa_presences all = { 0 };
	struct prim_buf b = { 0 };
	struct prim_pidf *p;

	(void)state;
	prim_buf_puts(&b,
	    "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'>");
	for (int i = 0; i < PRIM_PIDF_TUPLES_MAX; i++)
		prim_buf_putf(&b,
		    "<tuple id='t%d'><status><basic>%s</basic></status>"
		    "</tuple>",
		    i, i % 4 ? "closed" : "open");
	prim_buf_puts(&b, "</presence>");
	p = text_parse(prim_buf_slice(&b));
	xa_presences_from_pidf(&all, p, NOW);
	assert_int_equal(all.count, XA_RESOURCES_MAX);
	for (int i = 0; i < PRIM_PIDF_TUPLES_MAX; i += 4) {
		char name[16];

		snprintf(name, sizeof(name), "t%d", i);
		assert_non_null(xa_presences_find(&all, prim_slice_of(name)));
	}
	xa_presences_fini(&all);
	text_free(p);
	prim_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_become_presence),
		cmocka_unit_test(each_activity_has_its_show),
		cmocka_unit_test(timestamps_are_stamps),
		cmocka_unit_test(
		    a_document_of_many_tuples_keeps_as_many_as_we_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
