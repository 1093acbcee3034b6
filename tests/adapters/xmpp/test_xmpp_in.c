/* SPDX-License-Identifier: ISC */
/* XMPP to PRIM: what a <message/> becomes. */

#include "tests/lib/t.h"

#include <string.h>

#include "adapters/xmpp/in.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/stream.h"
#include "adapters/xmpp/token.h"
#include "prim/base.h"
#include "prim/cpim.h"

#define OPEN                                                              \
	"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='1'>"
#define NOW INT64_C(1793004800000) /* 2026-10-26T08:53:20Z */

struct world {
	xmpp_ctx_t *xmpp;
	struct xa_in in;
	struct xa_in_context context;
	enum xa_in_result result;
	struct prim_cpim cpim;
};

static bool routes(void *ctx, struct prim_slice domain)
{
	(void)ctx;
	return prim_slice_eq(domain, PRIM_SLICE("jabber.example"));
}

static void on_opened(void *ctx, struct prim_slice id)
{
	(void)ctx;
	(void)id;
}

static void on_stanza(void *ctx, xmpp_stanza_t *stanza)
{
	struct world *w = ctx;

	w->result = xa_in_translate(&w->in, &w->context, stanza);
}

static const struct xa_stream_ops OPS = {
	.opened = on_opened,
	.stanza = on_stanza,
	.refused = on_stanza,
};

static int setup(void **state)
{
	struct world *w = prim_new(struct world);

	w->xmpp = xa_stanza_context();
	w->context.host = PRIM_SLICE("prim.example");
	w->context.now_ms = NOW;
	w->context.routes = routes;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	xa_in_fini(&w->in);
	xmpp_ctx_free(w->xmpp);
	prim_free(w);
	return 0;
}

/* Translates what a server sends. */
static enum xa_in_result give(struct world *w, const char *xml)
{
	struct xa_stream *s = xa_stream_new(w->xmpp, &OPS, w);

	assert_int_equal(xa_stream_feed(s, PRIM_SLICE(OPEN)), XA_STREAM_MORE);
	assert_int_equal(xa_stream_feed(s, prim_slice_of(xml)), XA_STREAM_MORE);
	xa_stream_free(s);
	if (w->result == XA_IN_SUBMIT)
		assert_true(prim_cpim_parse(w->in.message.body, &w->cpim,
		    NULL));
	return w->result;
}

static void assert_slice(struct prim_slice got, const char *want)
{
	char *text = prim_slice_copy(got);

	assert_string_equal(text, want);
	prim_free(text);
}

static void assert_header(struct world *w, const char *uri, const char *name,
    const char *want)
{
	const struct prim_cpim_header *h = prim_cpim_find(&w->cpim, uri, name);

	if (!want) {
		assert_null(h);
		return;
	}
	assert_non_null(h);
	assert_slice(h->value, want);
}

#define MESSAGE(attributes, inside)                      \
	"<message from='juliet@jabber.example/balcony' " \
	"to='romeo@prim.example' " attributes ">" inside "</message>"

static void a_chat_message_becomes_a_cpim(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    give(w,
		MESSAGE("type='chat' id='7' xml:lang='en'",
		    "<subject>Hi</subject><subject xml:lang='de'>Tach</subject>"
		    "<body>Art thou\n not?</body>"
		    "<thread>e0ffe42b28561960</thread>"
		    "<origin-id xmlns='urn:xmpp:sid:0' "
		    "id='6d9d1b1e-7a0e-4f5c-a0f4-111122223333'/>"
		    "<request xmlns='urn:xmpp:receipts'/>"
		    "<active xmlns='http://jabber.org/protocol/chatstates'/>")),
	    XA_IN_SUBMIT);
	assert_slice(w->in.message.from, "im:juliet@jabber.example");
	assert_slice(w->in.message.to, "im:romeo@prim.example");
	assert_slice(w->in.message.message_id,
	    "6d9d1b1e-7a0e-4f5c-a0f4-111122223333");
	assert_slice(w->in.message.conversation_id, "e0ffe42b28561960");
	assert_slice(w->in.message.content_type, "message/cpim");
	assert_slice(w->in.message.date, "Mon, 26 Oct 2026 08:53:20 +0000");
	assert_int_equal(w->in.message.strength, PRIM_ASTRENGTH_MEDIUM);
	assert_int_equal(w->in.message.hops, 0);
	assert_header(w, PRIM_CPIM_CORE, "From", "<im:juliet@jabber.example>");
	assert_header(w, PRIM_CPIM_CORE, "To", "<im:romeo@prim.example>");
	assert_header(w, PRIM_CPIM_CORE, "DateTime", "2026-10-26T08:53:20Z");
	assert_header(w, PRIM_CPIM_CORE, "Subject", "Hi");
	assert_header(w, PRIM_CPIM_IMDN, "Message-ID",
	    "6d9d1b1e-7a0e-4f5c-a0f4-111122223333");
	assert_header(w, PRIM_CPIM_IMDN, "Disposition-Notification",
	    "positive-delivery, negative-delivery");
	assert_header(w, PRIM_CPIM_PRIM, "Message-ID",
	    "6d9d1b1e-7a0e-4f5c-a0f4-111122223333");
	assert_header(w, PRIM_CPIM_PRIM, "Conversation-ID", "e0ffe42b28561960");
	assert_slice(prim_cpim_content_header(&w->cpim, "Content-type"),
	    "text/plain; charset=utf-8");
	assert_slice(prim_cpim_content_header(&w->cpim, "Content-Language"),
	    "en");
	assert_slice(w->cpim.content, "Art thou\n not?");
}

static void the_token_brings_back_what_an_answer_needs(void **state)
{
	struct world *w = *state;
	struct prim_buf store = { 0 };
	struct xa_token t;

	give(w,
	    MESSAGE("type='chat' id='a b'",
		"<body>x</body><request xmlns='urn:xmpp:receipts'/>"));
	assert_true(xa_token_parse(w->in.message.return_token, &store, &t));
	assert_true(t.wants_receipt);
	assert_true(t.is_chat);
	assert_slice(t.id, "a b");
	assert_slice(t.from, "juliet@jabber.example/balcony");
	assert_slice(t.to, "romeo@prim.example");
	give(w,
	    MESSAGE("id='1' type='headline'",
		"<body>x</body><request xmlns='urn:xmpp:receipts'/>"));
	assert_true(xa_token_parse(w->in.message.return_token, &store, &t));
	assert_false(t.wants_receipt);
	assert_false(t.is_chat);
	assert_int_equal(t.kind, XA_TOKEN_MESSAGE);
	assert_false(xa_token_parse(PRIM_SLICE("QUJD"), &store, &t));
	assert_false(xa_token_parse(PRIM_SLICE("nonsense!"), &store, &t));
	assert_false(xa_token_parse(PRIM_SLICE(""), &store, &t));
	assert_false(xa_token_parse(PRIM_SLICE("===="), &store, &t));
	prim_buf_fini(&store);
}

static const struct {
	const char *name;
	const char *xml;
	enum xa_in_result result;
	const char *condition; /* of a refusal */
	const char *content;   /* of a submission */
} KINDS[] = {
	{"plain",		       MESSAGE("",                     "<body>x</body>"),                                         XA_IN_SUBMIT,											    NULL,																								    "x" },
	{ "an unknown type is normal",
         MESSAGE("type='whatever'",                               "<body>x</body>"),												XA_IN_SUBMIT,																			NULL,
         "x" },
	{ "a headline",			   MESSAGE("type='headline'",							"<body>x</body>"),
         XA_IN_SUBMIT,																			 NULL,																																			"x" },
	{ "a room's message",                         MESSAGE("type='groupchat'",                                                    "<body>x</body>"),
         XA_IN_REFUSE,					 "service-unavailable",NULL },
	{ "an error",                  MESSAGE("type='error'",                           "<body>x</body>"),										XA_IN_IGNORE,
         NULL,																																																				     NULL },
	{ "a chat state",
         MESSAGE("type='chat'",
         "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
         XA_IN_IGNORE,																											NULL,NULL },
	{ "a receipt",
         MESSAGE("", "<received xmlns='urn:xmpp:receipts' id='1'/>"),
         XA_IN_IGNORE,NULL,																								   NULL },
	{ "a marker",
         MESSAGE("",						    "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"),
         XA_IN_IGNORE,																										      NULL,																																																				 NULL },
	{ "nothing",			    MESSAGE("",						""),													       XA_IN_IGNORE,													     NULL,																																																			       NULL },
	{ "a body of another namespace",
         MESSAGE("",						      "<body xmlns='urn:x'>x</body>"),												      XA_IN_IGNORE,																					NULL,
         NULL },
	{ "an empty body",                         MESSAGE("",						   "<body/>"),													   XA_IN_SUBMIT,									 NULL,																																																				 "" },
	{ "a subject alone",                 MESSAGE("",					   "<subject>x</subject>"),														     XA_IN_SUBMIT,
         NULL,																																																		   "" },
	{ "OMEMO",
         MESSAGE("",
         "<body>I sent you an OMEMO message</body><encrypted "
		"xmlns='eu.siacs.conversations.axolotl'/>"),
         XA_IN_REFUSE,"not-acceptable",NULL },
	{ "anything that says it is encrypted",
         MESSAGE("",
         "<body>x</body><encryption xmlns='urn:xmpp:eme:0' "
		"namespace='x'/>"),
         XA_IN_REFUSE,																											      "not-acceptable",                 NULL },
	{ "OpenPGP",
         MESSAGE("",						    "<body>x</body><x xmlns='jabber:x:encrypted'>y</x>"),
         XA_IN_REFUSE,																										      "not-acceptable",																																																						   NULL },
	{ "a correction",
         MESSAGE("",
         "<body>x</body><replace id='1' "
		"xmlns='urn:xmpp:message-correct:0'/>"),
         XA_IN_SUBMIT,																									 NULL,																																																			       "(corrected) x" },
	{ "a link alone",
         MESSAGE("",
         "<x xmlns='jabber:x:oob'><url>http://a.example/</url>"
		"<desc>A</desc></x>"),
         XA_IN_SUBMIT,																											NULL,																																							"http://a.example/\nA" },
	{ "HTML beside",
         MESSAGE("",
         "<body>x</body><html "
		"xmlns='http://jabber.org/protocol/"
		"xhtml-im'><body>y</body></html>"),
         XA_IN_SUBMIT,NULL,																																																				 "x" },
	{ "a reaction",
         MESSAGE("",
         "<reactions xmlns='urn:xmpp:reactions:0' id='1'>"
		"<reaction>x</reaction></reactions>"),
         XA_IN_IGNORE,NULL,NULL },
	{ "the body in the language of the stanza",
         MESSAGE("xml:lang='de'",
         "<body xml:lang='en'>x</body>"
		"<body>y</body>"),
         XA_IN_SUBMIT,NULL,"y" },
	{ "else the first",
         MESSAGE("xml:lang='cs'",
         "<body xml:lang='en'>x"
		"</body><body "
		"xml:lang='de'>y</body>"),
         XA_IN_SUBMIT,																													      NULL,                  "x" },
	{ "a language that is none",
         MESSAGE("xml:lang='d e'",						    "<body>x</body>"),									     XA_IN_REFUSE,
         "bad-request",																																																				      NULL },
	{ "an over-long thread",
         MESSAGE("",
         "<body>x</body><thread>"
		"0123456789012345678901234567890123456789012345678901"
		"0123456789012345678901234567890123456789012345678901"
		"0123456789012345678901234567890123456789012345678901"
		"0123456789012345678901234567890123456789012345678901"
		"0123456789012345678901234567890123456789012345678901"
		"</thread>"),
         XA_IN_REFUSE,																									  "policy-violation",																																																			       NULL },
	{ "to the component itself",
         "<message from='a@jabber.example/b' to='prim.example'>"
	    "<body>x</body></message>",						       XA_IN_REFUSE,												"service-unavailable",																									   NULL																																																	  },
	{ "to a domain that is not the component's",
         "<message from='a@jabber.example/b' to='a@other.example'>"
	    "<body>x</body></message>",						    XA_IN_REFUSE,													    "item-not-found",NULL																																																		  },
	{ "to a malformed address",
         "<message from='a@jabber.example/b' to='a&quot;b@prim.example'>"
	    "<body>x</body></message>",						 XA_IN_REFUSE,												      "jid-malformed",																									    NULL},
	{ "from an address PRIM cannot carry",
         "<message from='\xe2\x99\x9a@jabber.example/b' "
	    "to='a@prim.example'><body>x</body></message>",						  XA_IN_REFUSE,											 "jid-malformed",NULL},
	{ "from a server",
         "<message from='jabber.example' to='a@prim.example'>"
	    "<body>x</body></message>",XA_IN_REFUSE,"jid-malformed",NULL},
	{ "from nobody",
         "<message to='a@prim.example'><body>x</body></message>",XA_IN_REFUSE,"jid-malformed",						     NULL},
};

static void a_message_is_taken_ignored_or_refused(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(KINDS); i++) {
		enum xa_in_result result = give(w, KINDS[i].xml);

		if (result != KINDS[i].result)
			fail_msg("%s: %d", KINDS[i].name, (int)result);
		if (result == XA_IN_REFUSE &&
		    strcmp(w->in.error->condition, KINDS[i].condition) != 0)
			fail_msg("%s: %s", KINDS[i].name,
			    w->in.error->condition);
		if (result == XA_IN_SUBMIT)
			assert_slice(w->cpim.content, KINDS[i].content);
	}
}

static void a_message_may_have_64_kib(void **state)
{
	struct world *w = *state;
	struct prim_buf b = { 0 };

	prim_buf_puts(&b,
	    "<message from='a@jabber.example/b' "
	    "to='a@prim.example'><body>");
	for (int i = 0; i < XA_IN_BODY_MAX; i++)
		prim_buf_putc(&b, 'x');
	prim_buf_puts(&b, "</body></message>");
	prim_buf_putc(&b, '\0');
	assert_int_equal(give(w, b.ptr), XA_IN_SUBMIT);
	assert_int_equal(w->cpim.content.len, XA_IN_BODY_MAX);
	b.len -= strlen("</body></message>") + 1;
	prim_buf_puts(&b, "x</body></message>");
	prim_buf_putc(&b, '\0');
	assert_int_equal(give(w, b.ptr), XA_IN_REFUSE);
	assert_string_equal(w->in.error->condition, "policy-violation");
	prim_buf_fini(&b);
}

static void subjects_stay_within_a_header(void **state)
{
	static const struct {
		size_t count, len;
		enum xa_in_result result;
	} cases[] = {
		{1,    16000, XA_IN_SUBMIT},
		{ 1,   17000, XA_IN_REFUSE},
		{ 100, 1,     XA_IN_SUBMIT},
		{ 200, 1,     XA_IN_REFUSE},
	};
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(cases); i++) {
		struct prim_buf b = { 0 };

		prim_buf_puts(&b,
		    "<message from='a@jabber.example/b' "
		    "to='a@prim.example'><body>x</body>");
		for (size_t s = 0; s < cases[i].count; s++) {
			prim_buf_puts(&b, "<subject>");
			for (size_t c = 0; c < cases[i].len; c++)
				prim_buf_putc(&b, 'x');
			prim_buf_puts(&b, "</subject>");
		}
		prim_buf_puts(&b, "</message>");
		prim_buf_putc(&b, '\0');
		assert_int_equal(give(w, b.ptr), cases[i].result);
		prim_buf_fini(&b);
	}
	assert_string_equal(w->in.error->condition, "policy-violation");
}

static char *id_of(struct world *w, const char *xml)
{
	assert_int_equal(give(w, xml), XA_IN_SUBMIT);
	return prim_slice_copy(w->in.message.message_id);
}

static void assert_ids(struct world *w, const char *first, const char *second,
    bool same)
{
	char *a = id_of(w, first), *b;

	w->context.now_ms += 60000;
	w->context.random++;
	b = id_of(w, second);
	if (same)
		assert_string_equal(a, b);
	else
		assert_string_not_equal(a, b);
	prim_free(a);
	prim_free(b);
	w->context.now_ms = NOW;
}

static void a_stanza_that_comes_again_has_the_same_id(void **state)
{
	struct world *w = *state;
	const char *seven = MESSAGE("id='7'", "<body>x</body>");
	const char *longer = MESSAGE("id='0123456789abcdef'", "<body>x</body>");
	char *a;

	assert_ids(w, longer, longer, true);
	assert_ids(w, seven, MESSAGE("id='7'", "<body>y</body>"), false);
	assert_ids(w, seven, MESSAGE("id='8'", "<body>x</body>"), false);
	assert_ids(w, MESSAGE("", "<body>x</body>"),
	    MESSAGE("", "<body>x</body>"), false);
	/* A client that counts anew says "x" twice. */
	assert_ids(w, seven, seven, false);
	/* An origin-id that is not unique in the world is not believed. */
	a = id_of(w,
	    MESSAGE("",
		"<body>x</body><origin-id id='7' "
		"xmlns='urn:xmpp:sid:0'/>"));
	assert_int_equal(strlen(a), 32);
	prim_free(a);
}

static void no_thread_makes_one_of_the_pair(void **state)
{
	struct world *w = *state;
	char *a, *b;

	give(w, MESSAGE("", "<body>x</body>"));
	a = prim_slice_copy(w->in.message.conversation_id);
	assert_int_equal(strncmp(a, "xmpp-", 5), 0);
	give(w, MESSAGE("id='2'", "<body>y</body>"));
	assert_slice(w->in.message.conversation_id, a);
	give(w,
	    "<message from='x@jabber.example/b' to='romeo@prim.example'>"
	    "<body>x</body></message>");
	b = prim_slice_copy(w->in.message.conversation_id);
	assert_string_not_equal(a, b);
	prim_free(a);
	prim_free(b);
	give(w, MESSAGE("", "<body>x</body><thread>a b/\xc3\xbc</thread>"));
	assert_slice(w->in.message.conversation_id, "a%20b/%C3%BC");
}

static void a_delay_is_the_time_of_writing(void **state)
{
	struct world *w = *state;

	give(w,
	    MESSAGE("",
		"<body>x</body><delay xmlns='urn:xmpp:delay' "
		"from='jabber.example' "
		"stamp='2026-10-25T10:00:00Z'/>"));
	assert_header(w, PRIM_CPIM_CORE, "DateTime", "2026-10-25T10:00:00Z");
	give(w,
	    MESSAGE("",
		"<body>x</body><delay xmlns='urn:xmpp:delay' "
		"from='prim.example' "
		"stamp='2026-10-25T10:00:00Z'/>"));
	assert_header(w, PRIM_CPIM_CORE, "DateTime", "2026-10-26T08:53:20Z");
	give(w,
	    MESSAGE("",
		"<body>x</body><delay xmlns='urn:xmpp:delay' "
		"stamp='2036-10-25T10:00:00Z'/>"));
	assert_header(w, PRIM_CPIM_CORE, "DateTime", "2026-10-26T08:53:20Z");
	give(w,
	    MESSAGE("",
		"<body>x</body><delay xmlns='urn:xmpp:delay' "
		"stamp='yesterday'/>"));
	assert_header(w, PRIM_CPIM_CORE, "DateTime", "2026-10-26T08:53:20Z");
}

static void a_nick_cannot_break_out_of_its_header(void **state)
{
	struct world *w = *state;
	unsigned plain;

	give(w, MESSAGE("", "<body>x</body>"));
	plain = w->cpim.header_count;
	give(w,
	    MESSAGE("",
		"<body>x</body><nick "
		"xmlns='http://jabber.org/protocol/nick'>Ju\"\n"
		"To: &lt;im:evil@prim.example&gt;</nick>"));
	assert_int_equal(w->cpim.header_count, plain);
	give(w,
	    MESSAGE("",
		"<body>x</body><subject>a\nTo: "
		"&lt;im:evil@prim.example&gt;\n\nb</subject>"));
	assert_int_equal(w->cpim.header_count, plain + 1);
	assert_slice(w->cpim.content, "x");
}

static void an_unrouted_sender_appears_under_the_gateway(void **state)
{
	struct world *w = *state;

	w->context.gateway = PRIM_SLICE("gw.prim.example");
	give(w, MESSAGE("", "<body>x</body>"));
	assert_slice(w->in.message.from, "im:juliet@jabber.example");
	give(w,
	    "<message from='a@other.example/b' to='romeo@prim.example'>"
	    "<body>x</body></message>");
	assert_slice(w->in.message.from,
	    "im:a%40other.example@gw.prim.example");
	assert_header(w, PRIM_CPIM_CORE, "From",
	    "<im:a%40other.example@gw.prim.example>");
}

static void the_gateway_stands_for_principals_of_other_domains(void **state)
{
	struct world *w = *state;

	w->context.gateway = PRIM_SLICE("gw.prim.example");
	w->context.host = PRIM_SLICE("gw.prim.example");
	w->context.is_gateway = true;
	assert_int_equal(give(w,
			     "<message from='a@jabber.example/b' "
			     "to='romeo\\40prim.net@gw.prim.example'>"
			     "<body>x</body></message>"),
	    XA_IN_SUBMIT);
	assert_slice(w->in.message.to, "im:romeo@prim.net");
	assert_int_equal(give(w,
			     "<message from='a@jabber.example/b' "
			     "to='romeo@gw.prim.example'>"
			     "<body>x</body></message>"),
	    XA_IN_REFUSE);
}

static void a_linked_sender_is_the_principal(void **state)
{
	struct world *w = *state;
	char *alone;

	give(w, MESSAGE("", "<body>x</body>"));
	assert_slice(w->in.message.original_from, "");
	alone = prim_slice_copy(w->in.message.conversation_id);
	w->context.principal = PRIM_SLICE("im:Nurse@prim.example");
	assert_int_equal(
	    give(w,
		MESSAGE("",
		    "<body>x</body><nick "
		    "xmlns='http://jabber.org/protocol/nick'>J</nick>")),
	    XA_IN_SUBMIT);
	assert_slice(w->in.message.from, "im:Nurse@prim.example");
	assert_slice(w->in.message.original_from, "im:juliet@jabber.example");
	assert_header(w, PRIM_CPIM_CORE, "From",
	    "\"J\"<im:Nurse@prim.example>");
	/* What comes back to the address is in the same conversation. */
	assert_slice(w->in.message.conversation_id, alone);
	prim_free(alone);
}

static const struct {
	const char *name;
	const char *inside;
	enum xa_in_result result;
	unsigned hops;
	const char *condition;
} HOPS[] = {
	{"nothing",                 "",						  XA_IN_SUBMIT, 0,  NULL         },
	{ "three",                  "<bridge xmlns='urn:primbridge:hops' hops='3'/>",
         XA_IN_SUBMIT,										 3,  NULL         },
	{ "the most of several",
         "<bridge xmlns='urn:primbridge:hops' hops='3'/>"
	    "<bridge xmlns='urn:primbridge:hops' hops='15'/>"
	    "<bridge xmlns='urn:primbridge:hops' hops='4'/>",			    XA_IN_SUBMIT, 15, NULL         },
	{ "somebody else's",
         "<bridge xmlns='urn:other' hops='30'/>"
	    "<hops xmlns='urn:primbridge:hops' hops='30'/>",			     XA_IN_SUBMIT, 0,  NULL         },
	{ "too many",               "<bridge xmlns='urn:primbridge:hops' hops='16'/>",
         XA_IN_REFUSE,										 0,  "not-allowed"},
	{ "far too many",           "<bridge xmlns='urn:primbridge:hops' hops='1000'/>",
         XA_IN_REFUSE,										 0,  "not-allowed"},
	{ "no count",               "<bridge xmlns='urn:primbridge:hops' hops='1001'/>",
         XA_IN_REFUSE,										 0,  "bad-request"},
	{ "a word",                 "<bridge xmlns='urn:primbridge:hops' hops='few'/>",
         XA_IN_REFUSE,										 0,  "bad-request"},
	{ "below zero",             "<bridge xmlns='urn:primbridge:hops' hops='-1'/>",
         XA_IN_REFUSE,										 0,  "bad-request"},
	{ "none said",              "<bridge xmlns='urn:primbridge:hops'/>",             XA_IN_REFUSE, 0,
         "bad-request"												  },
	{ "one of several is none",
         "<bridge xmlns='urn:primbridge:hops' hops='1'/>"
	    "<bridge xmlns='urn:primbridge:hops' hops=''/>",			     XA_IN_REFUSE, 0,  "bad-request"},
};

static void the_bridges_it_has_passed_are_counted(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(HOPS); i++) {
		struct prim_buf b = { 0 };

		prim_buf_putf(&b,
		    "<message from='a@jabber.example/b' "
		    "to='a@prim.example'><body>x</body>%s</message>",
		    HOPS[i].inside);
		prim_buf_putc(&b, '\0');
		if (give(w, b.ptr) != HOPS[i].result)
			fail_msg("%s: %d", HOPS[i].name, (int)w->result);
		if (w->result == XA_IN_SUBMIT)
			assert_int_equal(w->in.message.hops, HOPS[i].hops);
		else
			assert_string_equal(w->in.error->condition,
			    HOPS[i].condition);
		prim_buf_fini(&b);
	}
}

#define REQUEST "<body>x</body><request xmlns='urn:xmpp:receipts'/>"

static void who_can_show_no_receipt_asks_for_none(void **state)
{
	static const struct {
		const char *xml;
		const char *wish; /* NULL: none */
	} cases[] = {
		{MESSAGE("id='1'",                  REQUEST),
                 "positive-delivery, negative-delivery"                    },
		{ MESSAGE("id='1' type='chat'",     REQUEST),
                 "positive-delivery, negative-delivery"                    },
		{ MESSAGE("id='1'",                 "<body>x</body>"), NULL},
		{ MESSAGE("",                       REQUEST),          NULL},
		{ MESSAGE("id='1' type='headline'", REQUEST),          NULL},
	};
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(cases); i++) {
		assert_int_equal(give(w, cases[i].xml), XA_IN_SUBMIT);
		assert_header(w, PRIM_CPIM_IMDN, "Disposition-Notification",
		    cases[i].wish);
	}
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chat_message_becomes_a_cpim),
		TEST(the_token_brings_back_what_an_answer_needs),
		TEST(a_message_is_taken_ignored_or_refused),
		TEST(a_message_may_have_64_kib),
		TEST(subjects_stay_within_a_header),
		TEST(a_stanza_that_comes_again_has_the_same_id),
		TEST(no_thread_makes_one_of_the_pair),
		TEST(a_delay_is_the_time_of_writing),
		TEST(a_nick_cannot_break_out_of_its_header),
		TEST(an_unrouted_sender_appears_under_the_gateway),
		TEST(the_gateway_stands_for_principals_of_other_domains),
		TEST(a_linked_sender_is_the_principal),
		TEST(the_bridges_it_has_passed_are_counted),
		TEST(who_can_show_no_receipt_asks_for_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
