/* SPDX-License-Identifier: ISC */
/* Framing, row by row: PRIM-003..013, ERR-05, ERR-10..26. */

#include "tests/prim/feed.h"

#include "prim/base.h"

struct row {
	const char *name;
	struct prim_slice in;
	enum prim_command_status status;
	bool is_response, is_malformed;
	const char *id;
};

/* clang-format off */
static const struct row ROWS[] = {
	/* Requests. */
	{ "no headers", T_SLICE("PING PRIM-IM/1.0 - 0\r\n\r\n"), HEAD, false,
	    false, "-" },
	{ "a header", T_SLICE("LISTEN IMP/1.0 a1 0\r\nFrom: im:a@b\r\n\r\n"),
	    HEAD, false, false, "a1" },
	{ "what follows is not looked at",
	    T_SLICE("PING PP/1.0 - 3\r\n\r\n\0\n\r"), HEAD, false, false, "-" },
	{ "ERR-20 unknown method", T_SLICE("FOO-bar! PRIM/1.0 a 0\r\n\r\n"),
	    HEAD, false, false, "a" },
	{ "PRIM-009 lower case is another method",
	    T_SLICE("send PRIM/1.0 a 0\r\n\r\n"), HEAD, false, false, "a" },
	{ "unknown family", T_SLICE("PING SIP-2/2.0 a 0\r\n\r\n"), HEAD, false,
	    false, "a" },
	{ "leading zeros in the length", T_SLICE("PING PP/1.0 a 0007\r\n\r\n"),
	    HEAD, false, false, "a" },
	{ "18 digits", T_SLICE("PING PP/1.0 a 999999999999999999\r\n\r\n"),
	    HEAD, false, false, "a" },
	{ "19 digits", T_SLICE("PING PP/1.0 ab 1000000000000000000\r\n\r\n"),
	    BROKEN, false, false, "ab" },
	{ "19 digits with zeros",
	    T_SLICE("PING PP/1.0 ab 0000000000000000001\r\n\r\n"), BROKEN,
	    false, false, "ab" },
	{ "no length", T_SLICE("PING PP/1.0 ab \r\n\r\n"), BROKEN, false, false,
	    "ab" },
	{ "no length and no SP", T_SLICE("PING PP/1.0 ab\r\n\r\n"), BROKEN,
	    false, false, "ab" },
	{ "negative length", T_SLICE("PING PP/1.0 ab -1\r\n\r\n"), BROKEN,
	    false, false, "ab" },
	{ "signed length", T_SLICE("PING PP/1.0 ab +1\r\n\r\n"), BROKEN, false,
	    false, "ab" },
	{ "length in letters", T_SLICE("SEND PRIM-IM/1.0 ab1 xyz\r\n\r\n"),
	    BROKEN, false, false, "ab1" },
	{ "something behind the length", T_SLICE("PING PP/1.0 ab 0 \r\n\r\n"),
	    BROKEN, false, false, "ab" },
	{ "five tokens", T_SLICE("PING PP/1.0 ab 0 x\r\n\r\n"), BROKEN, false,
	    false, "ab" },
	{ "two SP", T_SLICE("PING  PP/1.0 ab 0\r\n\r\n"), BROKEN, false, false,
	    "" },
	{ "two SP before the length", T_SLICE("PING PP/1.0 ab  0\r\n\r\n"),
	    BROKEN, false, false, "ab" },
	{ "HTAB for SP", T_SLICE("PING\tPP/1.0 ab 0\r\n\r\n"), BROKEN, false,
	    false, "" },
	{ "leading SP", T_SLICE(" PING PP/1.0 ab 0\r\n\r\n"), BROKEN, false,
	    false, "" },
	{ "one token", T_SLICE("PING\r\n\r\n"), BROKEN, false, false, "" },
	{ "method with high octets", T_SLICE("P\xc3\xb6 PP/1.0 ab 0\r\n\r\n"),
	    BROKEN, false, false, "" },
	{ "no version", T_SLICE("PING ab 0\r\n\r\n"), BROKEN, false, false,
	    "" },
	{ "version without minor", T_SLICE("PING PP/1 ab 0\r\n\r\n"), BROKEN,
	    false, false, "" },
	{ "version without numbers", T_SLICE("PING PP/. ab 0\r\n\r\n"), BROKEN,
	    false, false, "" },
	{ "version with three numbers", T_SLICE("PING PP/1.0.0 a 0\r\n\r\n"),
	    BROKEN, false, false, "" },
	{ "version without family", T_SLICE("PING /1.0 a 0\r\n\r\n"), BROKEN,
	    false, false, "" },
	{ "version with bad family", T_SLICE("PING P_P/1.0 a 0\r\n\r\n"),
	    BROKEN, false, false, "" },
	{ "id with a hyphen", T_SLICE("PING PP/1.0 a-b 0\r\n\r\n"), BROKEN,
	    false, false, "" },
	{ "two hyphens for an id", T_SLICE("PING PP/1.0 -- 0\r\n\r\n"), BROKEN,
	    false, false, "" },
	/* Responses. */
	{ "response", T_SLICE("PRIM/1.0 a 0 200 OK\r\n\r\n"), HEAD, true, false,
	    "a" },
	{ "ERR-26 phrase of several words",
	    T_SLICE("PRIM/1.0 a 0 403 Resource Not Found\r\n\r\n"), HEAD, true,
	    false, "a" },
	{ "ERR-26 phrase in UTF-8",
	    T_SLICE("PRIM/1.0 a 0 200 sch\xc3\xb6n\r\n\r\n"), HEAD, true, false,
	    "a" },
	{ "phrase that is no UTF-8", T_SLICE("PRIM/1.0 a 0 200 \xff\r\n\r\n"),
	    HEAD, true, true, "a" },
	{ "ERR-26 empty phrase", T_SLICE("PRIM/1.0 a 0 200 \r\n\r\n"), HEAD,
	    true, false, "a" },
	{ "ERR-26 no phrase", T_SLICE("PRIM/1.0 a 0 200\r\n\r\n"), HEAD, true,
	    false, "a" },
	{ "ERR-26 unknown code", T_SLICE("PRIM/1.0 a 0 999 x\r\n\r\n"), HEAD,
	    true, false, "a" },
	{ "PRIM-038 response to nobody", T_SLICE("PRIM/1.0 - 0 200 OK\r\n\r\n"),
	    BROKEN, true, false, "-" },
	{ "two digits", T_SLICE("PRIM/1.0 a 0 20 OK\r\n\r\n"), BROKEN, true,
	    false, "a" },
	{ "four digits", T_SLICE("PRIM/1.0 a 0 2000 OK\r\n\r\n"), BROKEN, true,
	    false, "a" },
	{ "code below 100", T_SLICE("PRIM/1.0 a 0 099 OK\r\n\r\n"), BROKEN,
	    true, false, "a" },
	{ "no code", T_SLICE("PRIM/1.0 a 0\r\n\r\n"), BROKEN, true, false,
	    "a" },
	{ "empty code", T_SLICE("PRIM/1.0 a 0 \r\n\r\n"), BROKEN, true, false,
	    "a" },
	{ "PRIM-005 a slash makes a response",
	    T_SLICE("PI/NG PRIM/1.0 a 0\r\n\r\n"), BROKEN, true, false, "" },
	/* Line ends, DESIGN 11. */
	{ "bare LF behind the start line", T_SLICE("PING PP/1.0 ab 0\n\r\n"),
	    BROKEN, false, false, "ab" },
	{ "bare LF behind the id", T_SLICE("PING PP/1.0 ab\n\r\n"), BROKEN,
	    false, false, "ab" },
	{ "bare LF behind a header", T_SLICE("PING PP/1.0 ab 0\r\nTo: x\n\r\n"),
	    BROKEN, false, false, "ab" },
	{ "bare LF for the empty line", T_SLICE("PING PP/1.0 ab 0\r\n\n"),
	    BROKEN, false, false, "ab" },
	{ "bare CR in a value", T_SLICE("PING PP/1.0 ab 0\r\nTo: x\ry\r\n\r\n"),
	    BROKEN, false, false, "ab" },
	{ "CR CR LF", T_SLICE("PING PP/1.0 ab 0\r\r\n\r\n"), BROKEN, false,
	    false, "ab" },
	{ "bare LF first", T_SLICE("\nPING PP/1.0 ab 0\r\n\r\n"), BROKEN, false,
	    false, "" },
	{ "NUL in the start line", T_SLICE("PING PP/1.0 a\0b 0\r\n\r\n"),
	    BROKEN, false, false, "a" },
	{ "NUL in the version", T_SLICE("PING PP/1\0.0 ab 0\r\n\r\n"), BROKEN,
	    false, false, "" },
	{ "NUL in a value", T_SLICE("PING PP/1.0 ab 0\r\nX: \0\r\n\r\n"),
	    BROKEN, false, false, "ab" },
	{ "ERR-15 folded line",
	    T_SLICE("PING PP/1.0 ab 0\r\nX: a\r\n b\r\n\r\n"), BROKEN, false,
	    false, "ab" },
	{ "folded with HTAB",
	    T_SLICE("PING PRIM/1.0 ab 0\r\nX: a\r\n\tb\r\n\r\n"), BROKEN, false,
	    false, "ab" },
	{ "start line folded", T_SLICE("PING IMP/1.0 ab 0\r\n X: a\r\n\r\n"),
	    BROKEN, false, false, "ab" },
	{ "blank for the empty line", T_SLICE("PING PP/1.0 ab 0\r\n \r\n\r\n"),
	    BROKEN, false, false, "ab" },
	/* Empty lines, ERR-10. */
	{ "one empty line", T_SLICE("\r\nPING PP/1.0 ab 0\r\n\r\n"), HEAD,
	    false, false, "ab" },
	{ "sixteen empty lines",
	    T_SLICE("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
		    "\r\n\r\nPING PP/1.0 ab 0\r\n\r\n"),
	    HEAD, false, false, "ab" },
	{ "seventeen empty lines",
	    T_SLICE("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
		    "\r\n\r\n\r\nPING PP/1.0 ab 0\r\n\r\n"),
	    BROKEN, false, false, "" },
	/* Not there yet. */
	{ "nothing", T_SLICE(""), MORE, false, false, NULL },
	{ "a CR", T_SLICE("\r"), MORE, false, false, NULL },
	{ "an empty line", T_SLICE("\r\n"), MORE, false, false, NULL },
	{ "half a start line", T_SLICE("PING PP/1.0"), MORE, false, false,
	    NULL },
	{ "a start line and a CR", T_SLICE("PING PP/1.0 a 0\r"), MORE, false,
	    false, NULL },
	{ "a start line", T_SLICE("PING PP/1.0 a 0\r\n"), MORE, false, false,
	    NULL },
	{ "a header", T_SLICE("PING PP/1.0 a 0\r\nX: y\r\n"), MORE, false,
	    false, NULL },
	{ "all but an LF", T_SLICE("PING PP/1.0 a 0\r\nX: y\r\n\r"), MORE,
	    false, false, NULL },
	/* Malformed, but the length is known. */
	{ "header without colon", T_SLICE("PING PP/1.0 a 0\r\nFrom\r\n\r\n"),
	    HEAD, false, true, "a" },
	{ "header without name", T_SLICE("PING PP/1.0 a 0\r\n: x\r\n\r\n"),
	    HEAD, false, true, "a" },
	{ "blank before the colon",
	    T_SLICE("PING PP/1.0 a 0\r\nFrom : x\r\n\r\n"), HEAD, false, true,
	    "a" },
	{ "high octets in a name",
	    T_SLICE("PING PP/1.0 a 0\r\nX\xc3\xb6: x\r\n\r\n"), HEAD, false,
	    true, "a" },
	{ "bad name behind Bridge-",
	    T_SLICE("PING PP/1.0 a 0\r\nBridge-a b: x\r\n\r\n"), HEAD, false,
	    true, "a" },
	{ "value that is no UTF-8",
	    T_SLICE("PING PP/1.0 a 0\r\nX: \xc0\x80\r\n\r\n"), HEAD, false,
	    true, "a" },
	{ "value in UTF-8",
	    T_SLICE("PING PP/1.0 a 0\r\nX: \xe2\x82\xac\r\n\r\n"), HEAD, false,
	    false, "a" },
	{ "control in a value",
	    T_SLICE("PING PP/1.0 a 0\r\nX: \x1b[2J\r\n\r\n"), HEAD, false, true,
	    "a" },
	{ "DEL in a value", T_SLICE("PING PP/1.0 a 0\r\nX: \x7f\r\n\r\n"), HEAD,
	    false, true, "a" },
	{ "HTAB in a value", T_SLICE("PING PP/1.0 a 0\r\nX: a\tb\r\n\r\n"),
	    HEAD, false, false, "a" },
	/* ERR-18. */
	{ "two equal From",
	    T_SLICE("PING PP/1.0 a 0\r\nFrom: x\r\nFROM:x \r\n\r\n"), HEAD,
	    false, false, "a" },
	{ "two From", T_SLICE("PING PP/1.0 a 0\r\nFrom: x\r\nFrom: y\r\n\r\n"),
	    HEAD, false, true, "a" },
	{ "two To", T_SLICE("PING PP/1.0 a 0\r\nTo: x\r\nTo: y\r\n\r\n"), HEAD,
	    false, true, "a" },
	{ "two Domain",
	    T_SLICE("PING PP/1.0 a 0\r\nDomain: x\r\nDomain: y\r\n\r\n"), HEAD,
	    false, true, "a" },
	{ "two Duration",
	    T_SLICE("PING PP/1.0 a 0\r\nDuration: 1\r\nDuration: 2\r\n\r\n"),
	    HEAD, false, true, "a" },
	{ "two Auth-State",
	    T_SLICE("PING PP/1.0 a 0\r\nAuth-State: x\r\nAuth-State: y\r\n"
		    "\r\n"),
	    HEAD, false, true, "a" },
	{ "two Subscription-ID",
	    T_SLICE("PING PP/1.0 a 0\r\nSubscription-ID: x\r\n"
		    "Subscription-ID: y\r\n\r\n"),
	    HEAD, false, true, "a" },
	{ "two Message-ID",
	    T_SLICE("PING PP/1.0 a 0\r\nMessage-ID: x\r\nMessage-ID: y\r\n"
		    "\r\n"),
	    HEAD, false, true, "a" },
	{ "a third From that differs",
	    T_SLICE("PING PP/1.0 a 0\r\nFrom: x\r\nFrom: x\r\nFrom: X\r\n"
		    "\r\n"),
	    HEAD, false, true, "a" },
	{ "two Reply-To are nobody's business",
	    T_SLICE("PING PP/1.0 a 0\r\nReply-To: x\r\nReply-To: y\r\n\r\n"),
	    HEAD, false, false, "a" },
	{ "ERR-44 two tokens",
	    T_SLICE("PING PP/1.0 a 0\r\nMessage-IDx: im:a@b\r\n"
		    "Message-IDy: im:a@b\r\n\r\n"),
	    HEAD, false, true, "a" },
	/* ERR-23. */
	{ "equal Content-Length",
	    T_SLICE("PING PP/1.0 a 7\r\nContent-Length: 07\r\n\r\n"), HEAD,
	    false, false, "a" },
	{ "another Content-Length",
	    T_SLICE("PING PP/1.0 a 7\r\nContent-Length: 8\r\n\r\n"), HEAD,
	    false, true, "a" },
	{ "Content-Length that is none",
	    T_SLICE("PING PP/1.0 a 7\r\nContent-Length: xxx\r\n\r\n"), HEAD,
	    false, true, "a" },
	{ "the second Content-Length differs",
	    T_SLICE("PING PP/1.0 a 7\r\nContent-Length: 7\r\n"
		    "Content-Length: 8\r\n\r\n"),
	    HEAD, false, true, "a" },
};

/* clang-format on */

static void check(const struct row *r, enum prim_command_status status)
{
	t_number_is(r->name, status, r->status);
	if (status == MORE)
		return;
	t_number_is(r->name, command.is_response, r->is_response);
	t_slice_is(r->name, command.id, r->id);
	if (status == HEAD)
		t_number_is(r->name, command.is_malformed, r->is_malformed);
}

static void heads_are_what_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++)
		check(&ROWS[i], feed(ROWS[i].in));
}

static void octet_by_octet_is_no_different(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		size_t len;

		check(&ROWS[i], feed_octets(ROWS[i].in, &len));
		if (ROWS[i].status == HEAD)
			t_number_is(ROWS[i].name, (long long)len,
			    (long long)command.head.len);
	}
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(heads_are_what_they_are),
		cmocka_unit_test(octet_by_octet_is_no_different),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
