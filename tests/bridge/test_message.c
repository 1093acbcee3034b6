/* SPDX-License-Identifier: ISC */
/* By what a message is recognised when it comes again. */

#include "tests/lib/t.h"

#include "bridge/message.h"
#include "prim/base.h"

#define CPIM(date, text)                                               \
	"From: <im:juliet@jabber.example>\r\nTo: <im:romeo@a.example>" \
	"\r\nDateTime: " date "\r\n\r\nContent-type: text/plain\r\n\r\n" text
#define EARLY "2026-10-25T10:00:00Z"
#define LATE  "2026-10-25T10:00:07.5Z"

static struct br_message *make(const char *origin, const char *type,
    const char *body)
{
	static struct prim_command c;
	const uint8_t secret[32] = { 1 };
	struct br_message_keys keys;
	struct prim_buf lines = { 0 };
	struct br_message *m;
	const struct br_message_source source = {
		.command = &c,
		.sender = PRIM_SLICE("juliet@jabber.example"),
		.recipient = PRIM_SLICE("romeo@a.example"),
		.origin = prim_slice_of(origin),
		.date = PRIM_SLICE("Mon, 26 Oct 2026 08:53:20 +0000"),
		.id = PRIM_SLICE("1"),
	};

	prim_buf_putf(&lines,
	    "From: im:juliet@jabber.example\r\nTo: im:romeo@a.example\r\n"
	    "Message-ID: m1\r\nConversation-ID: c1\r\nContent-Type: %s\r\n",
	    type);
	assert_true(prim_command_lines(prim_buf_slice(&lines), &c));
	c.body = prim_slice_of(body);
	br_message_keys_init(&keys, secret);
	m = br_message_new(&source, &keys);
	prim_buf_fini(&lines);
	return m;
}

#define EARLY_HI CPIM(EARLY, "hi")
#define LATE_HI  CPIM(LATE, "hi")
#define LATE_HO  CPIM(LATE, "ho")
#define ONE      CPIM(EARLY, "DateTime: 1\r\n")
#define TWO      CPIM(EARLY, "DateTime: 2\r\n")

static const struct {
	const char *name;
	const char *origin, *type;
	const char *first, *second;
	bool same;
} CASES[] = {
	{"the same octets",                    "client", "text/plain",   "hi",     "hi",    true },
	{ "another text",                      "client", "text/plain",   "hi",     "ho",    false},
	{ "an adapter's cpim that came later", "xmpp",   "message/cpim", EARLY_HI,
         LATE_HI,									   true },
	{ "the same with another text",        "xmpp",   "message/cpim", EARLY_HI,
         LATE_HO,									   false},
	{ "a date in the text",                "xmpp",   "message/cpim", ONE,      TWO,     false},
	{ "no cpim",			   "xmpp",   "text/plain",   EARLY_HI, LATE_HI, false},
	{ "a client's cpim is opaque",         "client", "message/cpim", EARLY_HI,
         LATE_HI,									   false},
};

static void content_is_the_same_or_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct br_message *a = make(CASES[i].origin, CASES[i].type,
		    CASES[i].first);
		struct br_message *b = make(CASES[i].origin, CASES[i].type,
		    CASES[i].second);

		assert_true(prim_digest_eq(&a->key, &b->key));
		if ((a->content_hash == b->content_hash) != CASES[i].same)
			fail_msg("%s", CASES[i].name);
		br_message_unref(a);
		br_message_unref(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_is_the_same_or_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
