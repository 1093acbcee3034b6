/* SPDX-License-Identifier: ISC */
/* Reading notices: those of RFC 5438, those of others, and hostile ones. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/imdn.h"

#define XML  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OPEN "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\n"
#define ABOUT                                      \
	"     <message-id>34jk324j</message-id>\n" \
	"     <datetime>2008-04-04T12:16:49-05:00</datetime>\n"
#define RECIPIENTS                                                 \
	"     <recipient-uri>im:bob@example.com</recipient-uri>\n" \
	"     <original-recipient-uri\n"                           \
	"          >im:bob@example.com</original-recipient-uri>\n"
#define STATUS(kind, word)                                \
	"     <" kind "-notification>\n       <status>\n" \
	"         <" word "/>\n       </status>\n"        \
	"     </" kind "-notification>\n"
#define CLOSE "   </imdn>\n"
#define SHORT OPEN "<message-id>1</message-id>"

static const struct row {
	const char *name;
	const char *xml;
	enum prim_imdn_status status;
	const char *message_id;
	const char *date;
	const char *recipient;
	const char *original;
} ROWS[] = {
	{"RFC 5438 7.2.1.1",
         OPEN ABOUT RECIPIENTS STATUS("delivery",       "delivered") CLOSE,
         PRIM_IMDN_DELIVERED,												   "34jk324j", "2008-04-04T12:16:49-05:00",
         "im:bob@example.com",																																																								    "im:bob@example.com" },
	{ "RFC 5438 7.2.1.2",                        OPEN ABOUT STATUS("display",                        "displayed") CLOSE,
         PRIM_IMDN_DISPLAYED, "34jk324j",													       "2008-04-04T12:16:49-05:00",																						"",
         "" },
	{ "RFC 5438 8.1",
         XML OPEN ABOUT RECIPIENTS STATUS("processing",                                         "processed") CLOSE,
         PRIM_IMDN_PROCESSED,									 "34jk324j",                         "2008-04-04T12:16:49-05:00",
         "im:bob@example.com",																																														 "im:bob@example.com" },
	{ "stored",      SHORT STATUS("processing",    "stored") CLOSE,
         PRIM_IMDN_STORED,							       "1",					   "",												    "",																																																									"" },
	{ "failed",		       SHORT STATUS("delivery",                                       "failed") CLOSE,									    PRIM_IMDN_FAILED,
         "1",								"","","" },
	{ "forbidden to say whether it was delivered",
         SHORT STATUS("delivery",				       "forbidden") CLOSE,									    PRIM_IMDN_FORBIDDEN,
         "1",						 "",										       "",																																																								 "" },
	{ "forbidden to say whether it was shown",
         SHORT STATUS("display",					   "forbidden") CLOSE,										PRIM_IMDN_FORBIDDEN,
         "1",								   "",						       "","" },
	{ "forbidden to say whether it was processed",
         SHORT STATUS("processing","forbidden") CLOSE,										    PRIM_IMDN_FORBIDDEN,
         "1",						     "",									"",																																																															"" },
	{ "error", SHORT STATUS("delivery",                                      "error") CLOSE,PRIM_IMDN_ERROR,
         "1",								       "",									 "","" },
	{ "in another order (IMDN-018)",
         OPEN STATUS("delivery",             "failed") RECIPIENTS ABOUT CLOSE,
         PRIM_IMDN_FAILED,					 "34jk324j",															       "2008-04-04T12:16:49-05:00",
         "im:bob@example.com",																																							       "im:bob@example.com" },
	{ "one recipient only (IMDN-018)",
         SHORT
	    "<original-recipient-uri> im:a@b\n</original-recipient-uri>" STATUS(
		"delivery",             "failed") CLOSE,
         PRIM_IMDN_FAILED,						  "1",														  "",																	   "",																															 "im:a@b" },
	{ "a prefix, and elements of others",
         "<i:imdn xmlns:i='urn:ietf:params:xml:ns:imdn' xmlns='urn:x'>"
	    "<message-id>no</message-id>"
	    "<i:message-id><status/>y<i:status>no</i:status>es</i:message-id>"
	    "<i:subject xml:lang='fr'>Objet</i:subject>"
	    "<i:delivery-notification><status><i:failed/></status>"
	    "<i:status><delivered/><i:delivered><i:failed/></i:delivered>"
	    "</i:status></i:delivery-notification>"
	    "<failed/><i:failed/></i:imdn>",		      PRIM_IMDN_DELIVERED,                              "yes",												     "",										    "",																							       ""																																																		 },
	{ "IMDN-019: no notification",                       SHORT CLOSE,                                 PRIM_IMDN_ERROR,								       "1",                                                                  "",
         "",																   ""																																												       },
	{ "IMDN-019: no status",                       SHORT "<delivery-notification/>" CLOSE,
         PRIM_IMDN_ERROR,									     "1",									       "","",""},
	{ "IMDN-019: no word",
         SHORT
	    "<delivery-notification><status/></delivery-notification>" CLOSE,
         PRIM_IMDN_ERROR,									      "1",										      "",                                    "",																								""																																														       },
	{ "a word of another notification",
         SHORT STATUS("display",				       "delivered") CLOSE,									     PRIM_IMDN_ERROR,										       "1",
         "",																								"",																																														       "" },
	{ "a word as a text",
         SHORT "<delivery-notification><status>delivered</status>"
		  "</delivery-notification>" CLOSE,
         PRIM_IMDN_ERROR,									     "1",									  "",													    "",															       ""																																					  },
	{ "references",
         OPEN "<message-id>&lt;&#x41;&#10;b&amp;</message-id>" CLOSE,
         PRIM_IMDN_ERROR,									     "<A\nb&",													 "",												 "",																				      ""																																																									},
	{ "ISO 8859-1",
         "<?xml version='1.0' encoding='iso-8859-1'?>" OPEN
	    "<message-id>\xe4</message-id>" CLOSE,
         PRIM_IMDN_ERROR,									    "\xc3\xa4",                               "","",																		    ""																																																									},
};

static void a_document_says_what_happened(void **state)
{
	struct prim_buf room = { 0 };
	struct prim_imdn imdn;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		const struct row *row = &ROWS[i];

		if (!prim_imdn_parse(prim_slice_of(row->xml), &room, &imdn))
			fail_msg("%s: refused", row->name);
		t_number_is(row->name, imdn.status, row->status);
		t_slice_is(row->name, imdn.message_id, row->message_id);
		t_slice_is(row->name, imdn.date, row->date);
		t_slice_is(row->name, imdn.recipient, row->recipient);
		t_slice_is(row->name, imdn.original_recipient, row->original);
	}
	prim_buf_fini(&room);
}

static void our_reason_is_read_and_no_other(void **state)
{
	static const struct {
		const char *xml;
		unsigned code;
		const char *reason;
	} REASONS[] = {
		{"<reason xmlns='urn:primbridge:reason' code=' 408 '> no "
		  "</reason>",				  408, "no"},
		{ "<reason xmlns='urn:primbridge:reason' code='-1'>no</reason>",
                 0,								   "no"},
		{ "<reason xmlns='urn:primbridge:reason' code='4294967704'/>",
                 0,								   ""  },
		{ "<reason xmlns='urn:x' code='408'>no</reason>",                0,   ""  },
		{ "<reason code='408'>no</reason>",                              0,   ""  },
	};
	struct prim_buf b = { 0 }, room = { 0 };
	struct prim_imdn imdn;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(REASONS); i++) {
		prim_buf_reset(&b);
		prim_buf_puts(&b, SHORT);
		prim_buf_puts(&b, REASONS[i].xml);
		prim_buf_puts(&b, CLOSE);
		assert_true(prim_imdn_parse(prim_buf_slice(&b), &room, &imdn));
		t_number_is(REASONS[i].xml, imdn.code, REASONS[i].code);
		t_slice_is(REASONS[i].xml, imdn.reason, REASONS[i].reason);
	}
	prim_buf_fini(&b);
	prim_buf_fini(&room);
}

static void the_message_id_of_prim_is_read_beside_the_other(void **state)
{
	static const char OURS[] =
	    "<message-id xmlns='urn:primbridge:reason'> 1:im:a@b </message-id>";
	struct prim_buf b = { 0 }, room = { 0 };
	struct prim_imdn imdn;

	(void)state;
	prim_buf_putf(&b, "%s%s%s", SHORT, OURS, CLOSE);
	assert_true(prim_imdn_parse(prim_buf_slice(&b), &room, &imdn));
	t_slice_is("imdn", imdn.message_id, "1");
	t_slice_is("PRIM", imdn.prim_message_id, "1:im:a@b");
	prim_buf_reset(&b);
	prim_buf_putf(&b, "%s%s%s%s", SHORT, OURS, OURS, CLOSE);
	assert_false(prim_imdn_parse(prim_buf_slice(&b), &room, &imdn));
	prim_buf_reset(&b);
	prim_buf_putf(&b, "%s%s%s", OPEN, OURS, CLOSE);
	assert_false(prim_imdn_parse(prim_buf_slice(&b), &room, &imdn));
	prim_buf_fini(&b);
	prim_buf_fini(&room);
}

static void a_hostile_document_is_none(void **state)
{
	static const char *const HOSTILE[] = {
		"",
		"34jk324j",
		"<imdn/>",
		"<imdn xmlns='urn:x'><message-id>1</message-id></imdn>",
		"<message-id xmlns='urn:ietf:params:xml:ns:imdn'>1"
		"</message-id>",
		OPEN CLOSE,
		OPEN "<message-id> \n</message-id>" CLOSE,
		OPEN "<message-id>1",
		SHORT CLOSE CLOSE,
		SHORT "<message-id>2</message-id>" CLOSE,
		SHORT STATUS("delivery", "failed")
		    STATUS("delivery", "delivered") CLOSE,
		SHORT STATUS("delivery", "failed")
		    STATUS("display", "displayed") CLOSE,
		SHORT "<delivery-notification><status><failed/><delivered/>"
		      "</status></delivery-notification>" CLOSE,
		SHORT
		"<delivery-notification><status><failed/></status>"
		"<status><delivered/></status></delivery-notification>" CLOSE,
		"<!DOCTYPE imdn>" SHORT CLOSE,
		"<!DOCTYPE imdn [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>" OPEN
		"<message-id>&b;</message-id>" CLOSE,
		"<!DOCTYPE imdn SYSTEM 'file:///etc/passwd'>" SHORT CLOSE,
		OPEN "<message-id>&undeclared;</message-id>" CLOSE,
		OPEN "<message-id>a\x01</message-id>" CLOSE,
		OPEN "<message-id>\xff</message-id>" CLOSE,
		OPEN "<message-id>&#0;</message-id>" CLOSE,
	};
	struct prim_buf room = { 0 };
	struct prim_imdn imdn;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(HOSTILE); i++) {
		if (prim_imdn_parse(prim_slice_of(HOSTILE[i]), &room, &imdn))
			fail_msg("taken: %s", HOSTILE[i]);
	}
	prim_buf_fini(&room);
}

/* `count` times `piece` inside a document that is fine without. */
static bool takes(const char *piece, const char *end, size_t count)
{
	struct prim_buf b = { 0 }, room = { 0 };
	struct prim_imdn imdn;
	bool ok;

	prim_buf_puts(&b, SHORT);
	for (size_t i = 0; i < count; i++)
		prim_buf_puts(&b, piece);
	for (size_t i = 0; i < count; i++)
		prim_buf_puts(&b, end);
	prim_buf_puts(&b, CLOSE);
	ok = prim_imdn_parse(prim_buf_slice(&b), &room, &imdn);
	prim_buf_fini(&b);
	prim_buf_fini(&room);
	return ok;
}

static void a_document_has_bounds(void **state)
{
	(void)state;
	assert_true(takes("<x>", "</x>", 31));
	assert_false(takes("<x>", "</x>", 32));
	assert_true(takes("<x/>", "", 510));
	assert_false(takes("<x/>", "", 511));
	assert_true(takes("        ", "        ", 1000));
	assert_false(takes("        ", "        ", 1024));
}

/*
 * Inside a message.
 */

#define CPIM                                   \
	"From: Bob <im:bob@example.com>\r\n"   \
	"To: Alice <im:alice@example.com>\r\n" \
	"NS: imdn <urn:ietf:params:imdn>\r\n"  \
	"imdn.Message-ID: d834jied93rf\r\n"
#define DATE     "DateTime: 2008-04-04T12:16:49-05:00\r\n"
#define INNER    "Content-type: message/imdn+xml\r\n"
#define HOW      "Content-Disposition: notification\r\n"
#define DOCUMENT SHORT STATUS("delivery", "failed") CLOSE

static void a_notice_is_found_in_its_message(void **state)
{
	static const struct {
		const char *name;
		const char *type;
		const char *body;
		bool found;
	} MESSAGES[] = {
		{"RFC 5438 7.2.1.1, no empty line, no DateTime",
                 "message/cpim",								    CPIM INNER HOW "Content-length: 1\r\n\r\n" DOCUMENT, true },
		{ "as it should be",                             "Message/CPIM",
                 CPIM DATE "\r\n" INNER HOW "\r\n" DOCUMENT,											     true },
		{ "without its disposition",                     "message/cpim",
                 CPIM DATE "\r\n" INNER "\r\n" DOCUMENT,												 true },
		{ "bare line feeds",                             "message/cpim",
                 "From: <im:a@b>\n\nContent-Type:message/imdn+xml\n\n" DOCUMENT,
                 true																	 },
		{ "bare",					"message/imdn+xml; charset=UTF-8", DOCUMENT,                                            true },
		{ "text",					"message/cpim",
                 CPIM DATE "\r\nContent-Type: text/plain\r\n\r\n" DOCUMENT,
                 false																	},
		{ "of no type",				  "",                                DOCUMENT,                                            false},
		{ "xml",					 "application/xml",                 DOCUMENT,                                            false},
		{ "headers only",                                "message/cpim",                    CPIM INNER HOW,                                      false},
		{ "several in one",                              "message/cpim",
                 CPIM DATE "\r\nContent-Type: multipart/mixed; boundary=x"
			      "\r\n" HOW "\r\n--x\r\n" INNER "\r\n" DOCUMENT,
                 false																	},
	};
	struct prim_buf room = { 0 };
	struct prim_imdn imdn;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(MESSAGES); i++)
		t_number_is(MESSAGES[i].name,
		    prim_imdn_parse_message(prim_slice_of(MESSAGES[i].type),
			prim_slice_of(MESSAGES[i].body), &room, &imdn),
		    MESSAGES[i].found);
	prim_buf_fini(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_says_what_happened),
		cmocka_unit_test(our_reason_is_read_and_no_other),
		cmocka_unit_test(
		    the_message_id_of_prim_is_read_beside_the_other),
		cmocka_unit_test(a_hostile_document_is_none),
		cmocka_unit_test(a_document_has_bounds),
		cmocka_unit_test(a_notice_is_found_in_its_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
