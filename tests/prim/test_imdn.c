/* SPDX-License-Identifier: ISC */
/* Delivery notifications: what is asked for and what is written. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/imdn.h"

#define CPIM "message/cpim"
#define HEADERS                                  \
	"From: Alice <im:alice@example.com>\r\n" \
	"To: Bob <im:bob@example.com>\r\n"       \
	"NS: imdn <urn:ietf:params:imdn>\r\n"    \
	"imdn.Message-ID: 34jk324j\r\n"          \
	"DateTime: 2006-04-04T12:16:49-05:00\r\n"
#define TEXT \
	"\r\nContent-type: text/plain\r\nContent-length: 12\r\n\r\nHello World"
#define WISH "imdn.Disposition-Notification: "

static const struct request_row {
	const char *name;
	const char *type;
	const char *body;
	unsigned wishes;
	const char *message_id;
	const char *date;
	bool is_notice;
} REQUESTS[] = {
	{"RFC 5438 7.1.1.3",				    CPIM,
         HEADERS WISH "positive-delivery, negative-delivery\r\n" TEXT,
         PRIM_IMDN_POSITIVE | PRIM_IMDN_NEGATIVE,															   "34jk324j",
         "2006-04-04T12:16:49-05:00",																						false},
	{ "IMDN-032: as it is printed, without the empty line", CPIM,
         HEADERS WISH "positive-delivery, negative-delivery\r\n"
			 "Content-type: text/plain\r\n"
			 "Content-length: 12\r\n\r\nHello World",								  PRIM_IMDN_POSITIVE | PRIM_IMDN_NEGATIVE, "34jk324j",
         "2006-04-04T12:16:49-05:00",																						false},
	{ "all of them, and parameters, and unknown ones",      "Message/CPIM; x=y",
         HEADERS WISH "processing;a=b,display ,x,negative-delivery\r\n" TEXT,
         PRIM_IMDN_PROCESSING | PRIM_IMDN_DISPLAY | PRIM_IMDN_NEGATIVE,
         "34jk324j",																				    "2006-04-04T12:16:49-05:00", false},
	{ "another prefix",				     CPIM,
         "From: <im:a@b>\r\nTo: <im:c@d>\r\n"
	    "NS: x <urn:ietf:params:imdn>\r\n"
	    "DateTime: 2006-04-04T12:16:49Z\r\n"
	    "x.Message-ID: 1\r\nx.Disposition-Notification: display\r\n" TEXT,
         PRIM_IMDN_DISPLAY,																		 "1",        "2006-04-04T12:16:49Z",      false},
	{ "the prefix of another namespace",                    CPIM,
         "From: <im:a@b>\r\nTo: <im:c@d>\r\nNS: imdn <urn:x>\r\n"
	    "DateTime: 2006-04-04T12:16:49Z\r\n"
	    "imdn.Message-ID: 1\r\n"
	    "imdn.Disposition-Notification: display\r\n" TEXT,
         0,																				 "",         "2006-04-04T12:16:49Z",      false},
	{ "no namespace at all",                                CPIM,
         "From: <im:a@b>\r\nTo: <im:c@d>\r\n"
	    "DateTime: 2006-04-04T12:16:49Z\r\n"
	    "Disposition-Notification: display\r\n" TEXT,
         0,																				 "",         "2006-04-04T12:16:49Z",      false},
	{ "names and values are exact (IMDN-002)",              CPIM,
         HEADERS "imdn.disposition-notification: display\r\n" WISH
		    "Display\r\n" TEXT,
         0,																				 "34jk324j", "2006-04-04T12:16:49-05:00", false},
	{ "an empty request (IMDN-004)",                        CPIM,                             HEADERS WISH "\r\n" TEXT,        0,
         "34jk324j",																				    "2006-04-04T12:16:49-05:00", false},
	{ "no request",					 CPIM,                             HEADERS TEXT,                    0,                                       "34jk324j",
         "2006-04-04T12:16:49-05:00",																						false},
	{ "IMDN-007: a notice asks for nothing",                CPIM,
         HEADERS WISH "positive-delivery\r\n\r\n"
			 "Content-Type: message/imdn+xml; charset=utf-8\r\n"
			 "Content-Disposition: notification\r\n\r\n<imdn/>",						       0,				       "34jk324j", "2006-04-04T12:16:49-05:00", true },
	{ "a notice without a disposition",                     CPIM,
         HEADERS "\r\nCONTENT-TYPE: Message/IMDN+xml\r\n\r\n<imdn/>",                                                              0,
         "34jk324j",																				    "2006-04-04T12:16:49-05:00", true },
	{ "RFC 5438 8.3: several notices in one (IMDN-028)",    CPIM,
         HEADERS "\r\nContent-type: multipart/mixed;\r\n"
		    "      boundary=\"imdn-boundary\"\r\n"
		    "Content-Disposition: notification\r\n\r\n"
		    "--imdn-boundary\r\n",											 0,				       "34jk324j", "2006-04-04T12:16:49-05:00", true },
	{ "RFC 5438 7.2.1.1: a notice without DateTime",        CPIM,
         "From: Bob <im:bob@example.com>\r\n"
	    "To: Alice <im:alice@example.com>\r\n"
	    "NS: imdn <urn:ietf:params:imdn>\r\n"
	    "imdn.Message-ID: d834jied93rf\r\n"
	    "Content-type: message/imdn+xml\r\n"
	    "Content-Disposition: notification\r\n"
	    "Content-length: 100\r\n\r\n<imdn/>",										  0,				       "",         "",			  true },
	{ "a bare notice",				      PRIM_IMDN_TYPE "; charset=UTF-8", "<imdn/>",                       0,                                       "",
         "",																									 true },
	{ "a text that speaks of notices",                      CPIM,
         HEADERS "\r\nContent-type: text/plain\r\n\r\n"
		    "Content-type: message/imdn+xml\r\n\r\n",								      0,				       "34jk324j", "2006-04-04T12:16:49-05:00", false},
	{ "not a message/cpim",				 "text/plain",                     HEADERS WISH "display\r\n" TEXT,
         0,																				 "",         "",			  false},
	{ "no type",					    "",			       HEADERS WISH "display\r\n" TEXT, 0,                                       "",         "",                          false},
	{ "nothing in it",				      CPIM,                             "",                              0,                                       "",         "",                          false},
	{ "headers only",				       CPIM,                             HEADERS WISH "display\r\n",      0,                                       "",         "",                          false},
};

static void a_message_says_what_it_asks_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(REQUESTS); i++) {
		const struct request_row *row = &REQUESTS[i];
		struct prim_imdn_request r;

		prim_imdn_request_read(prim_slice_of(row->type),
		    prim_slice_of(row->body), &r);
		t_number_is(row->name, r.wishes, row->wishes);
		t_slice_is(row->name, r.message_id, row->message_id);
		t_slice_is(row->name, r.date, row->date);
		t_number_is(row->name, r.is_notice, row->is_notice);
	}
}

static void a_request_needs_no_content(void **state)
{
	struct prim_imdn_request r;

	(void)state;
	prim_imdn_request_read(PRIM_SLICE(CPIM),
	    PRIM_SLICE(HEADERS
		"imdn.Original-To: \"B\" <im:list@example.com>\r\n" WISH
		"display\r\n\r\nContent-Type: text/plain\r\n\r\n"),
	    &r);
	assert_int_equal(r.wishes, PRIM_IMDN_DISPLAY);
	t_slice_is("IMDN-017", r.original_to, "im:list@example.com");
}

/*
 * Writing.
 */

#define BEGIN                                          \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">"
#define ID "<message-id>34jk324j</message-id>"

static const struct writing_row {
	const char *name;
	struct prim_imdn imdn;
	const char *xml;
} WRITINGS[] = {
	{"all of it",
         {
		.status = PRIM_IMDN_FAILED,
		.message_id = T_SLICE("34jk324j"),
		.date = T_SLICE("2006-04-04T12:16:49-05:00"),
		.recipient = T_SLICE("im:bob@example.com"),
		.original_recipient = T_SLICE("im:b@example.com"),
		.prim_message_id = T_SLICE("1:im:a&b@c"),
		.code = 408,
		.reason = T_SLICE("no & <yes>"),
	    }, BEGIN ID "<datetime>2006-04-04T12:16:49-05:00</datetime>"
		     "<recipient-uri>im:bob@example.com</recipient-uri>"
		     "<original-recipient-uri>im:b@example.com"
		     "</original-recipient-uri>"
		     "<delivery-notification><status><failed/></status>"
		     "</delivery-notification>"
		     "<reason xmlns=\"urn:primbridge:reason\" code=\"408\">"
		     "no &amp; &lt;yes&gt;</reason>"
		     "<message-id xmlns=\"urn:primbridge:reason\">"
		     "1:im:a&amp;b@c</message-id></imdn>"},
	{ "both recipients or none (IMDN-018)",
         {
		.status = PRIM_IMDN_STORED,
		.message_id = T_SLICE("34jk324j"),
		.date = T_SLICE("D"),
		.recipient = T_SLICE("im:a@b"),
	    }, BEGIN ID "<datetime>D</datetime>"
		     "<recipient-uri>im:a@b</recipient-uri>"
		     "<original-recipient-uri>im:a@b</original-recipient-uri>"
		     "<processing-notification><status><stored/></status>"
		     "</processing-notification></imdn>" },
	{ "no recipient",
         {
		.status = PRIM_IMDN_DISPLAYED,
		.message_id = T_SLICE("34jk324j"),
		.date = T_SLICE("D"),
		.prim_message_id = T_SLICE("34jk324j"),
		.reason = T_SLICE("seen"),
	    }, BEGIN ID "<datetime>D</datetime>"
		     "<display-notification><status><displayed/></status>"
		     "</display-notification>"
		     "<reason xmlns=\"urn:primbridge:reason\">seen</reason>"
		     "</imdn>"                           },
	{ "what no XML can hold",
         {
		.status = PRIM_IMDN_DELIVERED,
		.message_id = T_SLICE("a\x01\xc3\xa4\xffz\0\xed\xa0\x80]]>"),
		.date = T_SLICE("\r\n"),
	    }, BEGIN "<message-id>a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbdz\xef\xbf\xbd"
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd]]&gt;</message-id>"
		  "<datetime>&#13;\n</datetime>"
		  "<delivery-notification><status><delivered/></status>"
		  "</delivery-notification></imdn>"      },
};

static void a_notice_is_written_so(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(WRITINGS); i++) {
		prim_buf_reset(&b);
		prim_imdn_put(&b, &WRITINGS[i].imdn);
		t_buf_is(WRITINGS[i].name, &b, WRITINGS[i].xml);
	}
	prim_buf_fini(&b);
}

static const enum prim_imdn_status STATUSES[] = { PRIM_IMDN_DELIVERED,
	PRIM_IMDN_FAILED, PRIM_IMDN_STORED, PRIM_IMDN_PROCESSED,
	PRIM_IMDN_DISPLAYED, PRIM_IMDN_FORBIDDEN, PRIM_IMDN_ERROR };

static void what_is_written_reads_the_same(void **state)
{
	struct prim_buf b = { 0 }, room = { 0 };
	struct prim_imdn read;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(STATUSES); i++) {
		struct prim_imdn imdn = WRITINGS[0].imdn;

		imdn.status = STATUSES[i];
		prim_buf_reset(&b);
		prim_imdn_put(&b, &imdn);
		assert_true(prim_imdn_parse(prim_buf_slice(&b), &room, &read));
		assert_int_equal(read.status, STATUSES[i]);
		assert_int_equal(read.code, 408);
		t_slice_is("id", read.message_id, "34jk324j");
		t_slice_is("date", read.date, "2006-04-04T12:16:49-05:00");
		t_slice_is("to", read.recipient, "im:bob@example.com");
		t_slice_is("first", read.original_recipient,
		    "im:b@example.com");
		t_slice_is("reason", read.reason, "no & <yes>");
	}
	prim_buf_fini(&b);
	prim_buf_fini(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_says_what_it_asks_for),
		cmocka_unit_test(a_request_needs_no_content),
		cmocka_unit_test(a_notice_is_written_so),
		cmocka_unit_test(what_is_written_reads_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
