/* SPDX-License-Identifier: ISC */
/* Notices: what their head, their body and their place in the store are. */

#include "tests/lib/slice.h"

#include <pthread.h>

#include "bridge/notice.h"
#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/imdn.h"

#define NOW_MS      1761990000250 /* 2025-11-01T09:40:00.250Z */
#define ACCEPTED_MS 1761986400000 /* an hour before */
#define WEEK_MS     ((int64_t)7 * 24 * 3600 * 1000)
#define DAY_MS      ((int64_t)24 * 3600 * 1000)

#define HEAD                                                     \
	"AStrength: medium\r\nFrom: im:Romeo@a.example\r\n"      \
	"To: im:Juliet%20C@jabber.example\r\nMessage-ID: m1\r\n" \
	"Conversation-ID: c1\r\n"
#define DATED HEAD "Date: Sat, 01 Nov 2025 09:39:59 +0100\r\n"
#define TEXT  "Content-Type: text/plain\r\n"
#define CPIM  "Content-Type: message/cpim\r\n"

static const char BODY[] =
    "From: <im:Romeo@a.example>\r\nTo: <im:Juliet%20C@jabber.example>\r\n"
    "DateTime: 2025-11-01T10:00:00+01:00\r\n"
    "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Ab1\r\n"
    "imdn.Original-To: <im:list@a.example>\r\n"
    "\r\nContent-Type: text/plain\r\n\r\nhi";

static const uint8_t SECRET[32] = { 7 };

static struct br_message_keys keys;
static struct br_store_message m;
static struct br_notice_cause cause;
static struct prim_buf room;
static struct br_store_message notice;

static int set_up(void **state)
{
	(void)state;
	br_message_keys_init(&keys, SECRET);
	m = (struct br_store_message){
		.delivery = { { 1, 2, 3 } },
		.destination = PRIM_SLICE("adapter:xmpp"),
		.origin = PRIM_SLICE("client"),
		.sender = PRIM_SLICE("romeo@a.example"),
		.recipient = PRIM_SLICE("juliet%20c@jabber.example"),
		.message_id = PRIM_SLICE("m1"),
		.head = PRIM_SLICE(DATED TEXT),
		.body = PRIM_SLICE("hi"),
		.accepted_ms = ACCEPTED_MS,
		.notice_from = PRIM_SLICE("im:postmaster@a.example"),
		.delay_notice_ms = NOW_MS,
	};
	cause = (struct br_notice_cause){ .code = 408,
		.reason = PRIM_SLICE("recipient-unavailable"),
		.now_ms = NOW_MS };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	prim_buf_fini(&room);
	return 0;
}

static void make(void)
{
	assert_true(br_notice_make(&keys, &m, &cause, &room, &notice));
}

/* The document of the notice; borrows from `text`. */
static void read_document(struct prim_buf *text, struct prim_imdn *out)
{
	make();
	assert_true(prim_imdn_parse_message(PRIM_SLICE("message/cpim"),
	    notice.body, text, out));
}

/*
 * Whether.
 */

static void a_notice_is_due_once_to_who_can_be_told(void **state)
{
	struct br_store_message was = m;

	(void)state;
	assert_true(br_notice_is_due(&m, BR_NOTICE_FAILED));
	assert_true(br_notice_is_due(&m, BR_NOTICE_DELAYED));
	m.is_told = true;
	assert_false(br_notice_is_due(&m, BR_NOTICE_FAILED));
	assert_false(br_notice_is_due(&m, BR_NOTICE_DELAYED));
	m = was;
	m.is_notice = true;
	assert_false(br_notice_is_due(&m, BR_NOTICE_FAILED));
	m = was;
	m.notice_from = PRIM_SLICE_NONE;
	assert_false(br_notice_is_due(&m, BR_NOTICE_FAILED));
	m = was;
	m.origin = PRIM_SLICE("primbridge");
	assert_false(br_notice_is_due(&m, BR_NOTICE_FAILED));
	m = was;
	m.delay_notice_ms = 0;
	assert_false(br_notice_is_due(&m, BR_NOTICE_DELAYED));
	assert_true(br_notice_is_due(&m, BR_NOTICE_FAILED));
}

static void success_is_told_to_who_asked_for_it_only(void **state)
{
	(void)state;
	assert_false(br_notice_is_due(&m, BR_NOTICE_DELIVERED));
	m.reports = BR_REPORT_NEGATIVE | BR_REPORT_PROCESSING;
	assert_false(br_notice_is_due(&m, BR_NOTICE_DELIVERED));
	m.reports = BR_REPORT_POSITIVE;
	assert_true(br_notice_is_due(&m, BR_NOTICE_DELIVERED));
	m.is_told = true;
	assert_false(br_notice_is_due(&m, BR_NOTICE_DELIVERED));
}

static void nothing_is_told_of_a_notice(void **state)
{
	static const enum br_notice_kind KINDS[] = { BR_NOTICE_FAILED,
		BR_NOTICE_DELAYED, BR_NOTICE_DELIVERED };
	struct prim_imdn_request asked;

	(void)state;
	make();
	assert_true(notice.is_notice);
	assert_int_equal(notice.notice_from.len, 0);
	assert_int_equal(notice.delay_notice_ms, 0);
	assert_int_equal(notice.reports, 0);
	for (size_t i = 0; i < PRIM_COUNT(KINDS); i++)
		assert_false(br_notice_is_due(&notice, KINDS[i]));
	/* Nor by another bridge that gets it. */
	prim_imdn_request_read(PRIM_SLICE("message/cpim"), notice.body, &asked);
	assert_true(asked.is_notice);
	assert_int_equal(asked.wishes, 0);
}

/*
 * What.
 */

static void a_notice_to_a_client_waits_in_its_inbox(void **state)
{
	(void)state;
	make();
	t_slice_is("destination", notice.destination, "inbox:romeo@a.example");
	t_slice_is("origin", notice.origin, "primbridge");
	t_slice_is("sender", notice.sender, "postmaster@a.example");
	t_slice_is("recipient", notice.recipient, "romeo@a.example");
	assert_int_equal(notice.return_token.len, 0);
	assert_int_equal(notice.accepted_ms, NOW_MS);
	assert_int_equal(notice.expires_ms, NOW_MS + WEEK_MS);
	assert_int_equal(notice.octets, notice.head.len + notice.body.len);
	assert_int_equal(notice.attempts, 0);
	assert_int_equal(notice.hops, 1);
	assert_int_equal(notice.next_try_ms, 0);
}

static void a_notice_to_a_network_goes_back_by_its_adapter(void **state)
{
	struct prim_command c;

	(void)state;
	m.origin = PRIM_SLICE("mail");
	m.sender = PRIM_SLICE("romeo@a.example");
	m.return_token = PRIM_SLICE("token");
	make();
	t_slice_is("destination", notice.destination, "adapter:mail");
	t_slice_is("token", notice.return_token, "token");
	assert_int_equal(notice.expires_ms, NOW_MS + DAY_MS);
	/* That belongs to the link and not to the message. */
	assert_true(prim_command_lines(notice.head, &c));
	assert_false(prim_command_has(&c, PRIM_HEADER_RETURN));
}

static void the_one_behind_a_link_is_told_and_not_his_principal(void **state)
{
	struct prim_command c;

	(void)state;
	m.origin = PRIM_SLICE("mail");
	m.sender = PRIM_SLICE("romeo@mail.example");
	m.head = PRIM_SLICE(HEAD TEXT
	    "Bridge-Original-From: im:Romeo@mail.example\r\n");
	make();
	assert_true(prim_command_lines(notice.head, &c));
	t_slice_is("To", prim_command_get(&c, PRIM_HEADER_TO),
	    "im:Romeo@mail.example");
	t_slice_is("recipient", notice.recipient, "romeo@mail.example");
}

static void the_head_is_that_of_a_message_of_ours(void **state)
{
	struct prim_command c;
	struct prim_slice id;

	(void)state;
	make();
	assert_true(prim_command_lines(notice.head, &c));
	t_slice_is("AStrength", prim_command_get(&c, PRIM_HEADER_ASTRENGTH),
	    "strong");
	t_slice_is("From", prim_command_get(&c, PRIM_HEADER_FROM),
	    "im:postmaster@a.example");
	t_slice_is("To", prim_command_get(&c, PRIM_HEADER_TO),
	    "im:Romeo@a.example");
	t_slice_is("Conversation-ID",
	    prim_command_get(&c, PRIM_HEADER_CONVERSATION_ID), "c1");
	t_slice_is("Date", prim_command_get(&c, PRIM_HEADER_DATE),
	    "Sat, 01 Nov 2025 09:40:00 +0000");
	t_slice_is("Content-Type",
	    prim_command_get(&c, PRIM_HEADER_CONTENT_TYPE), "message/cpim");
	id = prim_command_get(&c, PRIM_HEADER_MESSAGE_ID);
	assert_true(prim_slice_eq(id, notice.message_id));
	assert_int_equal(id.len,
	    32 + 1 + sizeof("im:postmaster@a.example") - 1);
	assert_true(prim_slice_ends(id,
	    PRIM_SLICE(":im:postmaster@a.example")));
}

static void the_body_is_a_cpim_with_a_notification(void **state)
{
	static struct prim_cpim c;
	const struct prim_cpim_header *id;
	const char *why = NULL;

	(void)state;
	make();
	if (!prim_cpim_parse(notice.body, &c, &why))
		fail_msg("%s", why);
	t_slice_is("From", prim_cpim_find(&c, PRIM_CPIM_CORE, "From")->value,
	    "<im:postmaster@a.example>");
	t_slice_is("To", prim_cpim_find(&c, PRIM_CPIM_CORE, "To")->value,
	    "<im:Romeo@a.example>");
	t_slice_is("DateTime",
	    prim_cpim_find(&c, PRIM_CPIM_CORE, "DateTime")->value,
	    "2025-11-01T09:40:00.250Z");
	id = prim_cpim_find(&c, PRIM_CPIM_IMDN, "Message-ID");
	assert_non_null(id);
	assert_true(prim_slice_starts(notice.message_id, id->value));
	assert_int_equal(id->value.len, 32);
	t_slice_is("type", prim_cpim_content_header(&c, "Content-Type"),
	    "message/imdn+xml");
	t_slice_is("IMDN-009",
	    prim_cpim_content_header(&c, "Content-Disposition"),
	    "notification");
	assert_null(prim_cpim_find(&c, PRIM_CPIM_IMDN,
	    "Disposition-Notification"));
}

/*
 * About what.
 */

static void the_original_is_named_as_its_sender_did(void **state)
{
	struct prim_buf text = { 0 };
	struct prim_imdn imdn;

	(void)state;
	read_document(&text, &imdn);
	t_slice_is("id", imdn.message_id, "m1");
	t_slice_is("its Date", imdn.date, "2025-11-01T08:39:59Z");
	t_slice_is("to", imdn.recipient, "im:Juliet%20C@jabber.example");
	t_slice_is("first to", imdn.original_recipient,
	    "im:Juliet%20C@jabber.example");
	m.head = PRIM_SLICE(DATED CPIM);
	m.body = PRIM_SLICE("hi");
	read_document(&text, &imdn);
	t_slice_is("id, no cpim in it", imdn.message_id, "m1");
	t_slice_is("not twice", imdn.prim_message_id, "");
	m.body = prim_slice_of(BODY);
	read_document(&text, &imdn);
	t_slice_is("its imdn.Message-ID", imdn.message_id, "Ab1");
	t_slice_is("its Message-ID", imdn.prim_message_id, "m1");
	t_slice_is("its DateTime", imdn.date, "2025-11-01T10:00:00+01:00");
	t_slice_is("to", imdn.recipient, "im:Juliet%20C@jabber.example");
	t_slice_is("IMDN-017", imdn.original_recipient, "im:list@a.example");
	m.head = PRIM_SLICE(HEAD TEXT);
	read_document(&text, &imdn);
	t_slice_is("id", imdn.message_id, "m1");
	t_slice_is("no Date", imdn.date, "2025-11-01T08:40:00Z");
	m.message_id = PRIM_SLICE("<&\x01>");
	m.body = PRIM_SLICE_NONE;
	read_document(&text, &imdn);
	t_slice_is("an id that is no XML", imdn.message_id, "<&\xef\xbf\xbd>");
	prim_buf_fini(&text);
}

static void each_kind_says_its_own(void **state)
{
	struct prim_buf text = { 0 };
	struct prim_imdn imdn;

	(void)state;
	read_document(&text, &imdn);
	assert_int_equal(imdn.status, PRIM_IMDN_FAILED);
	assert_int_equal(imdn.code, 408);
	t_slice_is("failed", imdn.reason, "the recipient cannot be reached");
	cause.kind = BR_NOTICE_DELAYED;
	cause.code = 504;
	read_document(&text, &imdn);
	assert_int_equal(imdn.status, PRIM_IMDN_STORED);
	assert_int_equal(imdn.code, 504);
	t_slice_is("late", imdn.reason,
	    "it could not be delivered yet, and is tried again");
	cause.kind = BR_NOTICE_DELIVERED;
	cause.code = 200;
	read_document(&text, &imdn);
	assert_int_equal(imdn.status, PRIM_IMDN_DELIVERED);
	t_slice_is("delivered", imdn.reason, "it was delivered");
	assert_string_equal(br_notice_kind_name(BR_NOTICE_FAILED), "failed");
	assert_string_equal(br_notice_kind_name(BR_NOTICE_DELAYED), "delayed");
	assert_string_equal(br_notice_kind_name(BR_NOTICE_DELIVERED),
	    "delivered");
	prim_buf_fini(&text);
}

static void a_person_is_told_why(void **state)
{
	static const struct {
		unsigned code;
		const char *reason;
		const char *word;
	} CASES[] = {
		{407,  "expired",                     "in time"               },
		{ 402, "",			    "not accept"            },
		{ 402, "policy-violation",            "not accept"            },
		{ 403, "no such inbox",               "no such recipient"     },
		{ 408, "",			    "reached"               },
		{ 410, "",			    "sure enough"           },
		{ 400, "",			    "sense"                 },
		{ 501, "",			    "cannot take"           },
		{ 502, "",			    "circle"                },
		{ 500, "the adapter died of it",      "three times"           },
		{ 500, "dropped by the operator",     "operator"              },
		{ 500, "quarantined by the operator", "operator"              },
		{ 500, "damaged",                     "damaged"               },
		{ 403, "account removed",             "account"               },
		{ 500, "",			    "could not be delivered"},
		{ 499, "",			    "could not be delivered"},
		{ 0,   "",			    "yet"                   },
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const char *said = br_notice_sentence(CASES[i].code,
		    prim_slice_of(CASES[i].reason));

		if (!strstr(said, CASES[i].word))
			fail_msg("%u %s: %s", CASES[i].code, CASES[i].reason,
			    said);
	}
}

/*
 * By what it is known.
 */

/* The store tells duplicates apart by what bridge/message.c makes of a message:
 * it has to be the same for one that is made here. */
static void it_is_known_by_what_every_message_is(void **state)
{
	struct br_message *restored;

	(void)state;
	m.origin = PRIM_SLICE("mail");
	m.return_token = PRIM_SLICE("token");
	make();
	restored = br_message_restore(&notice, &keys);
	assert_non_null(restored);
	assert_true(prim_digest_eq(&restored->delivery, &notice.delivery));
	assert_true(prim_digest_eq(&restored->lane, &notice.lane));
	assert_int_equal(restored->content_hash, notice.content_hash);
	assert_true(prim_slice_eq(restored->message_id, notice.message_id));
	br_message_unref(restored);
}

static void the_same_notice_is_the_same_whenever_it_is_made(void **state)
{
	struct prim_buf other_room = { 0 };
	struct br_store_message first;

	(void)state;
	make();
	first = notice;
	cause.now_ms += 60000;
	assert_true(br_notice_make(&keys, &m, &cause, &other_room, &notice));
	assert_true(prim_digest_eq(&first.key, &notice.key));
	assert_true(prim_digest_eq(&first.delivery, &notice.delivery));
	assert_true(prim_slice_eq(first.message_id, notice.message_id));
	assert_int_equal(first.content_hash, notice.content_hash);
	prim_buf_fini(&other_room);
}

static void make_other(struct prim_digest *known)
{
	struct prim_digest was = *known;

	make();
	assert_false(prim_digest_eq(&was, &notice.key));
	*known = notice.key;
}

static void other_notices_are_others(void **state)
{
	struct prim_digest known;

	(void)state;
	make();
	known = notice.key;
	cause.kind = BR_NOTICE_DELAYED;
	make_other(&known);
	m.delivery.octets[15] ^= 1;
	make_other(&known);
	/* The same Message-ID again, days later. */
	m.accepted_ms++;
	make_other(&known);
	/* Nobody else can make it. */
	keys.delivery.k0 ^= 1;
	make_other(&known);
}

/*
 * What is damaged.
 */

static void nothing_is_made_of_a_damaged_head(void **state)
{
	static const char *const HEADS[] = {
		"",
		"From: im:romeo@a.example\r\n",
		"To: im:juliet@jabber.example\r\n",
		"From: im:romeo@a.example\r\nTo: im:juliet@jabber.example",
		"From im:romeo@a.example\r\nTo: im:juliet@jabber.example\r\n",
		"From: im:r\x01@a.example\r\nTo: im:juliet@jabber.example\r\n",
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(HEADS); i++) {
		m.head = prim_slice_of(HEADS[i]);
		if (br_notice_make(&keys, &m, &cause, &room, &notice))
			fail_msg("made of %s", HEADS[i]);
	}
	m.head = PRIM_SLICE(DATED TEXT);
	m.notice_from = PRIM_SLICE("im:postmaster");
	assert_false(br_notice_make(&keys, &m, &cause, &room, &notice));
}

static void the_room_may_be_used_again(void **state)
{
	(void)state;
	make();
	m.head = PRIM_SLICE(HEAD TEXT);
	make();
	t_slice_is("first", notice.destination, "inbox:romeo@a.example");
	assert_true(notice.head.ptr >= room.ptr &&
	    notice.head.ptr + notice.head.len <= room.ptr + room.len);
	assert_true(notice.body.ptr >= room.ptr &&
	    notice.body.ptr + notice.body.len <= room.ptr + room.len);
}

/* The store's writer makes one while the loop makes another. */
#define ROUNDS 2000

static void *make_many(void *arg)
{
	struct br_store_message about = m;
	struct br_store_message made, first;
	struct prim_buf first_room = { 0 }, made_room = { 0 };
	uintptr_t wrong = 0;

	about.message_id = prim_slice_of(arg);
	br_notice_make(&keys, &about, &cause, &first_room, &first);
	for (int i = 0; i < ROUNDS; i++) {
		br_notice_make(&keys, &about, &cause, &made_room, &made);
		wrong += !prim_slice_eq(first.head, made.head) ||
		    !prim_slice_eq(first.body, made.body) ||
		    !prim_digest_eq(&first.key, &made.key);
	}
	prim_buf_fini(&first_room);
	prim_buf_fini(&made_room);
	return (void *)wrong;
}

static void two_threads_may_make_one_each(void **state)
{
	char one[] = "m1", two[] = "another of more octets";
	pthread_t thread;
	void *wrong;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, make_many, two), 0);
	assert_null(make_many(one));
	assert_int_equal(pthread_join(thread, &wrong), 0);
	assert_null(wrong);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(a_notice_is_due_once_to_who_can_be_told),
		TEST(success_is_told_to_who_asked_for_it_only),
		TEST(nothing_is_told_of_a_notice),
		TEST(a_notice_to_a_client_waits_in_its_inbox),
		TEST(a_notice_to_a_network_goes_back_by_its_adapter),
		TEST(the_one_behind_a_link_is_told_and_not_his_principal),
		TEST(the_head_is_that_of_a_message_of_ours),
		TEST(the_body_is_a_cpim_with_a_notification),
		TEST(the_original_is_named_as_its_sender_did),
		TEST(each_kind_says_its_own),
		TEST(a_person_is_told_why),
		TEST(it_is_known_by_what_every_message_is),
		TEST(the_same_notice_is_the_same_whenever_it_is_made),
		TEST(other_notices_are_others),
		TEST(nothing_is_made_of_a_damaged_head),
		TEST(the_room_may_be_used_again),
		TEST(two_threads_may_make_one_each),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
