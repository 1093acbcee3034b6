/* SPDX-License-Identifier: ISC */
/* What is a message/cpim object and what is none, row by row. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/cpim.h"
#include "tests/prim/cpim.h"

static struct prim_cpim cpim;

struct row {
	const char *name;
	struct prim_slice lines; /* message headers beyond NEEDED */
	const char *why;         /* NULL: taken */
};

/* clang-format off */
static const struct row HEADERS[] = {
	{ "2.2 To", T_SLICE("To: Pooh Bear <im:pooh@100akerwood.com>\r\n"),
	    NULL },
	{ "2.2 From", T_SLICE("From: <im:piglet@100akerwood.com>\r\n"), NULL },
	{ "2.2 DateTime", T_SLICE("DateTime: 2001-02-02T10:48:54-05:00\r\n"),
	    NULL },
	{ "3.3 lang", T_SLICE("Subject:;lang=fr Objet de message\r\n"), NULL },
	{ "4.1 From",
	    T_SLICE("From: Winnie the Pooh <im:pooh@100akerwood.com>"
		    "\r\n"),
	    NULL },
	{ "4.3 cc", T_SLICE("cc: <im:tigger@100akerwood.com>\r\n"), NULL },
	{ "4.4 DateTime", T_SLICE("DateTime: 2001-02-01T12:16:49-05:00\r\n"),
	    NULL },
	{ "4.5 Subject",
	    T_SLICE("Subject:;lang=en Eeyore's feeling very depressed today"
		    "\r\n"),
	    NULL },
	{ "4.6 NS",
	    T_SLICE("NS: MyAlias <mid:MessageFeatures@id.foo.com>\r\n"
		    "MyAlias.MyHeader: private-extension-data\r\n"),
	    NULL },
	{ "7.2 odd name", T_SLICE("Top&Tail: x\r\n"), NULL },
	{ "CPIM-057 every mark in a name", T_SLICE("!#$%&'*+-^_`|~a0: x\r\n"),
	    NULL },
	{ "CPIM-056 unknown header", T_SLICE("x-unknown: y\r\n"), NULL },
	{ "CPIM-055 many To", T_SLICE("To: <im:e@f>\r\nTo: <im:g@h>\r\n"),
	    NULL },
	{ "empty value", T_SLICE("Subject: \r\n"), NULL },
	{ "CPIM-051 UTF-8", T_SLICE("Subject: \xc3\xa4\r\n"), NULL },
	{ "other parameters",
	    T_SLICE("Subject:;x=1;y=\"a; \\\" b\";lang=en-GB;z=t.k x\r\n"),
	    NULL },
	{ "CPIM-069 quoted name", T_SLICE("cc: \"Eeyore\"<im:e@f>\r\n"), NULL },
	{ "CPIM-069 quoted name, SP", T_SLICE("cc: \"Eeyore\" <im:e@f>\r\n"),
	    NULL },
	{ "CPIM-050 no colon", T_SLICE("Subject\r\n"), "no colon" },
	{ "CPIM-052 no SP", T_SLICE("Subject:x\r\n"), "blanks" },
	{ "no SP and no value", T_SLICE("Subject:\r\n"), "blanks" },
	{ "CPIM-052 two SP", T_SLICE("Subject:  x\r\n"), "blanks" },
	{ "CPIM-052 blank at the end", T_SLICE("Subject: x \r\n"), "blanks" },
	{ "CPIM-052 blank at the start", T_SLICE(" Subject: x\r\n"),
	    "bad name" },
	{ "CPIM-050 folded", T_SLICE("Subject: x\r\n y: z\r\n"), "bad name" },
	{ "blank before the colon", T_SLICE("Subject : x\r\n"), "bad name" },
	{ "no name", T_SLICE(": x\r\n"), "bad name" },
	{ "CPIM-057 separator in a name", T_SLICE("Sub(ject: x\r\n"),
	    "bad name" },
	{ "CPIM-051 high octets in a name", T_SLICE("S\xc3\xa4: x\r\n"),
	    "bad name" },
	{ "CPIM-057 two dots", T_SLICE("NS: a <x:y>\r\na.b.c: x\r\n"),
	    "bad name" },
	{ "dot first", T_SLICE(".a: x\r\n"), "bad name" },
	{ "dot last", T_SLICE("NS: a <x:y>\r\na.: x\r\n"), "bad name" },
	{ "CPIM-064 undeclared prefix", T_SLICE("a.b: x\r\n"), "bad name" },
	{ "CPIM-064 declared too late", T_SLICE("a.b: x\r\nNS: a <x:y>\r\n"),
	    "bad name" },
	{ "CPIM-065 relative URI", T_SLICE("NS: a <xy>\r\n"), "namespace" },
	{ "CPIM-065 fragment", T_SLICE("NS: a <x:y#z>\r\n"), "namespace" },
	{ "NS without URI", T_SLICE("NS: a\r\n"), "namespace" },
	{ "NS with two words", T_SLICE("NS: a b <x:y>\r\n"), "namespace" },
	{ "NS with a quoted prefix", T_SLICE("NS: \"a\"<x:y>\r\n"),
	    "namespace" },
	{ "NS without value", T_SLICE("NS: \r\n"), "namespace" },
	{ "CPIM-059 HTAB", T_SLICE("Subject: a\tb\r\n"), "control" },
	{ "CPIM-059 ESC",
	    T_SLICE("Subject: a\x1b"
		    "b\r\n"),
	    "control" },
	{ "CPIM-059 DEL",
	    T_SLICE("Subject: a\x7f"
		    "b\r\n"),
	    "control" },
	{ "NUL", T_SLICE("Subject: a\0b\r\n"), "CRLF" },
	{ "CPIM-051 bare LF", T_SLICE("Subject: a\n"), "CRLF" },
	{ "CPIM-051 bare CR", T_SLICE("Subject: a\rb\r\n"), "CRLF" },
	{ "CPIM-051 Latin-1", T_SLICE("Subject: \xe4\r\n"), "UTF-8" },
	{ "parameter without value", T_SLICE("Subject:;lang x\r\n"),
	    "parameter" },
	{ "parameter with empty value", T_SLICE("Subject:;lang= x\r\n"),
	    "parameter" },
	{ "parameter with an open string", T_SLICE("Subject:;x=\"y z\r\n"),
	    "parameter" },
	{ "bad tag", T_SLICE("Subject:;lang=a_b x\r\n"), "parameter" },
	{ "bad address", T_SLICE("cc: im:e@f\r\n"), "address" },
	{ "two addresses", T_SLICE("To: <im:e@f>, <im:g@h>\r\n"), "address" },
	{ "CPIM-071 bad date", T_SLICE("DateTime: yesterday\r\n"), "no date" },
};

/* clang-format on */

static void check(const struct row *r, const struct prim_buf *object)
{
	const char *why = NULL;
	bool is_taken = prim_cpim_parse(prim_buf_slice(object), &cpim, &why);

	if (is_taken && r->why)
		fail_msg("%s: taken", r->name);
	if (!is_taken && !r->why)
		fail_msg("%s: %s", r->name, why);
	if (r->why && !strstr(why, r->why))
		fail_msg("%s: \"%s\", not \"%s\"", r->name, why, r->why);
}

static void message_headers_are_strict(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(HEADERS); i++) {
		prim_buf_reset(&b);
		prim_buf_puts(&b, NEEDED);
		prim_buf_put(&b, HEADERS[i].lines);
		prim_buf_puts(&b, CONTENT);
		check(&HEADERS[i], &b);
	}
	prim_buf_fini(&b);
}

/* clang-format off */
static const struct row OBJECTS[] = {
	{ "empty", T_SLICE(""), "empty" },
	{ "CPIM-080 no From",
	    T_SLICE(
		"To: <im:a@b>\r\nDateTime: 2000-12-13T13:40:00Z\r\n" CONTENT),
	    "From" },
	{ "CPIM-080 no To",
	    T_SLICE(
		"From: <im:a@b>\r\nDateTime: 2000-12-13T13:40:00Z\r\n" CONTENT),
	    "To" },
	{ "CPIM-080 no DateTime",
	    T_SLICE("From: <im:a@b>\r\nTo: <im:a@b>\r\n" CONTENT), "DateTime" },
	{ "CPIM-054 names compare exactly",
	    T_SLICE("from: <im:a@b>\r\nTo: <im:a@b>\r\n"
		    "DateTime: 2000-12-13T13:40:00Z\r\n" CONTENT),
	    "From" },
	{ "CPIM-066 a default namespace hides From",
	    T_SLICE("NS: <x:y>\r\n" NEEDED CONTENT), "From" },
	{ "the core namespace under a prefix",
	    T_SLICE("NS: <x:y>\r\nNS: c <urn:ietf:params:cpim-headers:>\r\n"
		    "c.From: <im:a@b>\r\nc.To: <im:a@b>\r\n"
		    "c.DateTime: 2000-12-13T13:40:00Z\r\n" CONTENT),
	    NULL },
	{ "no headers at all", T_SLICE("\r\n" CONTENT), "From" },
	{ "ends in the message headers", T_SLICE(NEEDED), "ends" },
	{ "ends before the content headers", T_SLICE(NEEDED "\r\n"), "ends" },
	{ "ends in the content headers",
	    T_SLICE(NEEDED "\r\nContent-Type: text/plain\r\n"), "ends" },
	{ "CPIM-046 no Content-Type",
	    T_SLICE(NEEDED "\r\nContent-ID: <a@b>\r\n\r\nx"), "Content-Type" },
	{ "no content headers", T_SLICE(NEEDED "\r\n\r\nx"), "Content-Type" },
	{ "content header without colon",
	    T_SLICE(NEEDED "\r\nContent-Type\r\n\r\n"), "colon" },
	{ "content header without name",
	    T_SLICE(NEEDED "\r\n: text/plain\r\n\r\n"), "bad name" },
	{ "content headers begin folded",
	    T_SLICE(NEEDED "\r\n Content-Type: text/plain\r\n\r\n"), "blank" },
	{ "NUL in a content header",
	    T_SLICE(NEEDED "\r\nContent-Type: text/plain\0\r\n\r\n"), "CRLF" },
	{ "control in a content header",
	    T_SLICE(NEEDED "\r\nContent-Type: text/\x01plain\r\n\r\n"),
	    "control" },
	{ "CPIM-049 any content", T_SLICE(NEEDED CONTENT "\0\r\n\xff\n\r"),
	    NULL },
	{ "no SP in a content header",
	    T_SLICE(NEEDED "\r\nContent-Type:text/plain\r\n\r\n"), NULL },
};

/* clang-format on */

static void objects_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(OBJECTS); i++) {
		struct prim_buf b = { 0 };

		prim_buf_put(&b, OBJECTS[i].lines);
		check(&OBJECTS[i], &b);
		prim_buf_fini(&b);
	}
	assert_false(prim_cpim_parse(PRIM_SLICE("x"), &cpim, NULL));
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(message_headers_are_strict),
		cmocka_unit_test(objects_are_whole),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
