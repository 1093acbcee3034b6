/* SPDX-License-Identifier: ISC */
/* Presence from XMPP to PIDF (spec/xmpp.md 4.1, 4.3..4.5), and the words,
 * numbers and names of both. */

#include <stdio.h>

#include "adapters/xmpp/presence_private.h"
#include "tests/adapters/xmpp/presence_text.h"

/*
 * A document as a line of text: of each tuple the id, the basic status and what
 * else there is, then what is said of the person.
 */

static void put_time(struct prim_buf *b, const char *name, int64_t ms)
{
	if (ms == PRIM_PIDF_NO_TIME)
		return;
	prim_buf_puts(b, name);
	prim_date_put_3339(b, ms);
}

static void put_model_notes(struct prim_buf *b,
    const struct prim_pidf_note *notes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		prim_buf_putf(b, " %.*s\"%.*s\"",
		    PRIM_SLICE_ARG(notes[i].language),
		    PRIM_SLICE_ARG(notes[i].text));
}

static void put_model_tuple(struct prim_buf *b, const struct prim_pidf_tuple *t)
{
	prim_buf_putf(b, "%.*s %s", PRIM_SLICE_ARG(t->id),
	    t->basic == PRIM_BASIC_OPEN         ? "open"
		: t->basic == PRIM_BASIC_CLOSED ? "closed"
						: "none");
	if (t->show.len)
		prim_buf_putf(b, " show=%.*s", PRIM_SLICE_ARG(t->show));
	if (t->activities)
		prim_buf_putf(b, " activities=%u", t->activities);
	if (!prim_slice_eq(t->contact, CONTACT))
		prim_buf_putf(b, " contact=%.*s", PRIM_SLICE_ARG(t->contact));
	if (t->priority != PRIM_PIDF_NO_PRIORITY)
		prim_buf_putf(b, " %d", t->priority);
	if (t->is_idle)
		put_time(b, " idle=", t->idle_since_ms);
	if (t->timestamp_ms != NOW)
		put_time(b, " at=", t->timestamp_ms);
	put_model_notes(b, t->notes, t->note_count);
}

static char *text_of_model(const struct prim_pidf *p)
{
	struct prim_buf b = { 0 };

	for (unsigned i = 0; i < p->tuple_count; i++) {
		if (i)
			prim_buf_puts(&b, "; ");
		put_model_tuple(&b, &p->tuples[i]);
	}
	if (p->activities & PRIM_ACTIVITY_AWAY)
		prim_buf_puts(&b, " | away");
	if (p->activities & PRIM_ACTIVITY_BUSY)
		prim_buf_puts(&b, " | busy");
	put_model_notes(&b, p->notes, p->note_count);
	return prim_buf_steal(&b);
}

/*
 * Out: 4.1 and 4.3, and the examples of RFC 3922 5.1 and RFC 8048 6.2 with the
 * expected differences: ids have a prefix, the language is spelled "cs", and
 * RFC 8048's example 18 has the show that its 19 shows.
 */

/* Of SHA-256, as sha256sum has it. */
#define MY_PHONE "2c23f72e3ca8f770"

static const struct {
	const char *name;
	const char *stanzas[3];
	const char *want;
} OUT[] = {
	{"from and no type",                        { PRESENCE(FROM("balcony"), "") },
         "ID-balcony open 0"										  },
	{ "type unavailable",
         { PRESENCE(FROM("balcony") "type='unavailable'", "") },
         "ID-balcony closed"										  },
	{ "nothing known",                          { NULL },				     "ID- closed"},
	{ "all unavailable",
         { PRESENCE(FROM("balcony"), ""),
		PRESENCE("from='juliet@jabber.example' type='unavailable'",
		    "<status>gone</status>") },
         "ID- closed \"gone\""										},
	{ "chat",				   { PRESENCE(FROM("a"), "<show>chat</show>") },
         "ID-a open show=chat 0"									      },
	{ "away (RFC 8048 example 19)",
         { PRESENCE(FROM("yn0cl4bnw0yr3vym"), "<show>away</show>") },
         "ID-yn0cl4bnw0yr3vym open show=away 0 | away"                                                        },
	{ "xa",				     { PRESENCE(FROM("a"), "<show>xa</show>") },
         "ID-a open show=xa 0 | away"									 },
	{ "dnd",				    { PRESENCE(FROM("a"), "<show>dnd</show>") },
         "ID-a open show=dnd 0 | busy"									},
	{ "statuses in languages (RFC 3922 5.1.6)",
         { PRESENCE(FROM("balcony") "xml:lang='en'",
		"<show>away</show><status>be right back</status>"
		"<status xml:lang='cs'>hned jsem zpet</status>") },
         "ID-balcony open show=away 0 en\"be right back\" "
	    "cs\"hned jsem zpet\" | away"								     },
	{ "priority (RFC 3922 5.1.7)",
         { PRESENCE(FROM("balcony"), "<priority>13</priority>") },
         "ID-balcony open 102"										},
	{ "the highest priority",
         { PRESENCE(FROM("a"), "<priority>127</priority>") },
         "ID-a open 1000"										     },
	{ "a negative priority",
         { PRESENCE(FROM("a"), "<priority>-1</priority>") },                                      "ID-a open" },
	{ "a delay",
         { PRESENCE(FROM("a"),
		"<delay xmlns='urn:xmpp:delay' "
		"stamp='2026-10-26T08:00:00.5Z'/>") },
         "ID-a open 0 at=2026-10-26T08:00:00.500Z"							    },
	{ "idle",
         { PRESENCE(FROM("a"),
		"<idle xmlns='urn:xmpp:idle:1' "
		"since='2026-10-26T08:00:00Z'/>") },
         "ID-a open 0 idle=2026-10-26T08:00:00Z"							      },
	{ "extensions",
         { PRESENCE(FROM("a"),
		"<c xmlns='http://jabber.org/protocol/caps' ver='x'/>"
		"<x xmlns='vcard-temp:x:update'/>") },
         "ID-a open 0"											},
	{ "all resources every time",
         { PRESENCE(FROM("a"), "<priority>1</priority>"),
		PRESENCE(FROM("b"), "<priority>2</priority>"),
		PRESENCE(FROM("b") "type='unavailable'", "") },
         "ID-a open 7; ID-b closed"									   },
	{ "away on one only",
         { PRESENCE(FROM("a"), "<show>away</show>"),
		PRESENCE(FROM("b"), "") },
         "ID-a open show=away 0; ID-b open 0"								 },
	{ "away on one, ready on the other",
         { PRESENCE(FROM("a"), "<show>away</show>"),
		PRESENCE(FROM("b"), "<show>chat</show>") },
         "ID-a open show=away 0; ID-b open show=chat 0"                                                       },
	{ "away on all that are there",
         { PRESENCE(FROM("a"), "<show>away</show>"),
		PRESENCE(FROM("b"), "<show>dnd</show>"),
		PRESENCE(FROM("c") "type='unavailable'", "") },
         "ID-a open show=away 0; ID-b open show=dnd 0; ID-c closed "
	    "| away | busy"										   },
	{ "a resource with a blank",                { PRESENCE(FROM("my phone"), "") },
         "IDx-" MY_PHONE " open 0"									    },
	{ "a resource that begins with a digit",    { PRESENCE(FROM("4711"), "") },
         "ID-4711 open 0"										     },
	{ "a resource that looks like an id",       { PRESENCE(FROM("ID-a"), "") },
         "ID-ID-a open 0"										     },
};

static void stanzas_become_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(OUT); i++) {
		struct xa_presences all = { 0 };
		struct prim_pidf *p;
		char *got;

		for (size_t n = 0; n < 3 && OUT[i].stanzas[n]; n++)
			text_take(&all, OUT[i].stanzas[n]);
		p = text_document(&all);
		got = text_of_model(p);
		if (strcmp(got, OUT[i].want) != 0)
			fail_msg("%s: %s, not %s", OUT[i].name, got,
			    OUT[i].want);
		prim_free(got);
		text_free(p);
		xa_presences_fini(&all);
	}
}

static void a_stamp_is_never_of_the_future(void **state)
{
	struct xa_presence item = {
		.is_available = true,
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = NOW + 1,
	};
	const struct xa_presences all = { .items = &item, .count = 1 };
	struct prim_pidf *p = text_document(&all);

	(void)state;
	assert_int_equal(p->tuples[0].timestamp_ms, NOW);
	text_free(p);
}

static void a_document_over_64_kib_goes_without_texts(void **state)
{
	struct xa_presences all = { 0 };
	struct prim_buf b = { 0 };
	struct prim_pidf *p;
	char name[16], text[2049];

	(void)state;
	memset(text, '&', 2048);
	text[2048] = '\0';
	for (int i = 0; i < XA_RESOURCES_MAX; i++) {
		struct xa_presence one = { .is_available = true };

		snprintf(name, sizeof(name), "r%d", i);
		one.resource = prim_slice_copy(prim_slice_of(name));
		xa_presence_add_status(&one, PRIM_SLICE("en"),
		    prim_slice_of(text));
		xa_presences_take(&all, &one);
	}
	prim_buf_puts(&b, "before");
	xa_presences_put_pidf(&b, &all, ENTITY, CONTACT, NOW);
	assert_true(b.len < 65536);
	assert_memory_equal(b.ptr, "before<?xml", 11);
	p = text_parse(prim_slice_from(prim_buf_slice(&b), 6));
	assert_int_equal(p->tuple_count, XA_RESOURCES_MAX);
	assert_int_equal(p->tuples[0].note_count, 0);
	text_free(p);
	prim_buf_fini(&b);
	xa_presences_fini(&all);
}

/*
 * Words, numbers and names.
 */

/* spec/xmpp.md 4.4: exact, unique, and back again. */
static void each_priority_comes_back(void **state)
{
	int last = -1;

	(void)state;
	for (int p = 0; p <= 127; p++) {
		int t = xa_presence_map_thousandths(p);

		assert_true(t > last);
		assert_int_equal(xa_presence_map_priority(t), p);
		last = t;
	}
}

static const struct {
	int priority, thousandths;
} OUT_PRIORITIES[] = {
	{0,    0   },
        { 1,   7   },
        { 2,   15  },
        { 13,  102 },
        { 126, 992 },
        { 127, 1000}
};

static const struct {
	int first, last, priority;
} IN_PRIORITIES[] = {
	{-1,    0,    0  },
        { 1,    7,    1  },
        { 8,    15,   2  },
        { 500,  500,  64 },
	{ 800,  800,  102},
        { 992,  999,  126},
        { 1000, 1000, 127}
};

static void priorities_are_those_of_the_standard(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(OUT_PRIORITIES); i++)
		assert_int_equal(xa_presence_map_thousandths(OUT_PRIORITIES[i]
								 .priority),
		    OUT_PRIORITIES[i].thousandths);
	for (size_t i = 0; i < PRIM_COUNT(IN_PRIORITIES); i++) {
		for (int t = IN_PRIORITIES[i].first; t <= IN_PRIORITIES[i].last;
		     t++)
			assert_int_equal(xa_presence_map_priority(t),
			    IN_PRIORITIES[i].priority);
	}
}

static const struct {
	const char *name;
	const char *resource;
	bool ok;
} RESOURCES[] = {
	{"plain",			    "home",				       true },
	{ "capitals and signs",              "Home/PC @ 4 <\"&'>",                         true },
	{ "letters of others",               "\xc3\xa9t\xc3\xa9 \xd0\xb4\xd0\xbe\xd0\xbc",
         true										   },
	{ "a chess king (RFC 7622 table 1)", "\xe2\x99\x9a",                               true },
	{ "a ligature",                      "\xef\xac\x81",                               true },
	{ "nothing",			 "",					   false},
	{ "a blank before",                  " foo",				       false},
	{ "a blank behind",                  "foo ",				       false},
	{ "a control",		       "a\x1f",				      false},
	{ "a wide blank",                    "a\xe3\x80\x80",                              false},
	{ "not composed",                    "e\xcc\x81",                                  false},
	{ "no character",                    "a\xef\xbf\xbe",                              false},
	{ "no UTF-8",			"a\xff",				      false},
	{ "a private one",                   "\xee\x80\x80",                               false},
	{ "a joiner",			"a\xe2\x80\x8d",                              false},
	{ "a filler",			"\xe3\x85\xa4",                               false},
	{ "an old jamo",                     "\xe1\x84\x80",                               false},
	{ "a tatweel",		       "\xd9\x80",				   false},
	{ "a middle dot between l",          "l\xc2\xb7l",                                 true },
	{ "a middle dot elsewhere",          "a\xc2\xb7l",                                 false},
	{ "digits of two kinds",             "\xd9\xa0 \xdb\xb0",                          false},
};

static void only_what_may_be_a_resource_is_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(RESOURCES); i++) {
		struct prim_slice name = prim_slice_of(RESOURCES[i].resource);
		struct prim_buf b = { 0 };

		xa_presence_map_put_resource(&b, name);
		if (prim_slice_eq(prim_buf_slice(&b), name) != RESOURCES[i].ok)
			fail_msg("%s", RESOURCES[i].name);
		if (!RESOURCES[i].ok)
			assert_int_equal(b.len, 18);
		prim_buf_fini(&b);
	}
}

static void the_longest_resource_has_1023_octets(void **state)
{
	char name[1024];
	struct prim_buf b = { 0 };

	(void)state;
	memset(name, 'a', sizeof(name));
	xa_presence_map_put_resource(&b, prim_slice_make(name, 1023));
	assert_int_equal(b.len, 1023);
	prim_buf_reset(&b);
	xa_presence_map_put_resource(&b, prim_slice_make(name, 1024));
	assert_int_equal(b.len, 18);
	prim_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanzas_become_documents),
		cmocka_unit_test(a_stamp_is_never_of_the_future),
		cmocka_unit_test(a_document_over_64_kib_goes_without_texts),
		cmocka_unit_test(each_priority_comes_back),
		cmocka_unit_test(priorities_are_those_of_the_standard),
		cmocka_unit_test(only_what_may_be_a_resource_is_one),
		cmocka_unit_test(the_longest_resource_has_1023_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
