/* SPDX-License-Identifier: ISC */
/* Identifiers: PRIM-045..054 and the resolutions ERR-33..38. */

#include "tests/lib/slice.h"

#include "prim/address.h"
#include "prim/base.h"

struct good {
	const char *name;
	const char *text;
	enum prim_scheme scheme;
	const char *local, *domain, *key;
};

/* clang-format off */
static const struct good GOOD[] = {
	{ "PRIM-054 plain", "pres:joe@example.net", PRIM_SCHEME_PRES, "joe",
	    "example.net", "joe@example.net" },
	{ "PRIM-054 escaped", "im:%22Jane%20Smith%22@domain.com",
	    PRIM_SCHEME_IM, "%22Jane%20Smith%22", "domain.com",
	    "%22jane%20smith%22@domain.com" },
	{ "PRIM-054 case, one", "pres:Joe@Example.Net", PRIM_SCHEME_PRES, "Joe",
	    "Example.Net", "joe@example.net" },
	{ "PRIM-054 case, other", "pres:joe@ExAmPle.NET", PRIM_SCHEME_PRES,
	    "joe", "ExAmPle.NET", "joe@example.net" },
	{ "ERR-36 scheme in any case", "PrEs:joe@example.net", PRIM_SCHEME_PRES,
	    "joe", "example.net", "joe@example.net" },
	{ "ERR-36 IM", "IM:joe@example.net", PRIM_SCHEME_IM, "joe",
	    "example.net", "joe@example.net" },
	{ "PRIM-045 every unreserved", "im:aZ09!$&'*.+-/=?_~@d", PRIM_SCHEME_IM,
	    "aZ09!$&'*.+-/=?_~", "d", "az09!$&'*.+-/=?_~@d" },
	{ "ERR-35 over-escaped", "im:%4Aoe@d.e", PRIM_SCHEME_IM, "%4Aoe", "d.e",
	    "joe@d.e" },
	{ "ERR-35 lower-case digits", "im:%4aoe%3a@d.e", PRIM_SCHEME_IM,
	    "%4aoe%3a", "d.e", "joe%3A@d.e" },
	{ "ERR-35 every escaped unreserved",
	    "im:%21%24%26%27%2a%2e%2b%2d%2f%3d%3f%5f%7e@d", PRIM_SCHEME_IM,
	    "%21%24%26%27%2a%2e%2b%2d%2f%3d%3f%5f%7e", "d", "!$&'*.+-/=?_~@d" },
	{ "escaped at", "im:local%40domain@gw.example", PRIM_SCHEME_IM,
	    "local%40domain", "gw.example", "local%40domain@gw.example" },
	{ "escaped percent", "im:a%2525b@d", PRIM_SCHEME_IM, "a%2525b", "d",
	    "a%2525b@d" },
	{ "octets above 7f keep their case", "im:%C3%84%c3%a4@d",
	    PRIM_SCHEME_IM, "%C3%84%c3%a4", "d", "%C3%84%C3%A4@d" },
	{ "A-label", "im:x@xn--bcher-kva.example", PRIM_SCHEME_IM, "x",
	    "xn--bcher-kva.example", "x@xn--bcher-kva.example" },
	{ "digits", "im:x@192.0.2.1", PRIM_SCHEME_IM, "x", "192.0.2.1",
	    "x@192.0.2.1" },
	{ "colon only behind the scheme", "im:a%3Ab@d", PRIM_SCHEME_IM, "a%3Ab",
	    "d", "a%3Ab@d" },
};

/* clang-format on */

static void good_identifiers_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(GOOD); i++) {
		const struct good *g = &GOOD[i];
		struct prim_address a;
		struct prim_key key;

		if (!prim_address_parse(prim_slice_of(g->text), &a))
			fail_msg("%s: refused", g->name);
		t_number_is(g->name, a.scheme, g->scheme);
		t_slice_is(g->name, a.text, g->text);
		t_slice_is(g->name, a.local, g->local);
		t_slice_is(g->name, a.domain, g->domain);
		prim_address_key(&a, &key);
		t_slice_is(g->name, prim_key_slice(&key), g->key);
	}
}

static void a_key_has_two_halves(void **state)
{
	struct prim_address a;
	struct prim_key key;

	(void)state;
	assert_true(prim_address_parse(PRIM_SLICE("im:A%40b@C.d"), &a));
	prim_address_key(&a, &key);
	t_slice_is("local", prim_key_local(&key), "a%40b");
	t_slice_is("domain", prim_key_domain(&key), "c.d");
}

static void a_key_is_an_address_with_itself_as_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(GOOD); i++) {
		struct prim_address a;
		struct prim_key key;

		assert_true(prim_address_parse_bare(prim_slice_of(GOOD[i].key),
		    &a));
		assert_int_equal(a.scheme, PRIM_SCHEME_NONE);
		prim_address_key(&a, &key);
		t_slice_is(GOOD[i].name, prim_key_slice(&key), GOOD[i].key);
	}
}

/* clang-format off */
static const struct {
	const char *name;
	struct prim_slice text;
} BAD[] = {
	{ "empty", T_SLICE("") },
	{ "scheme alone", T_SLICE("im:") },
	{ "no scheme", T_SLICE("joe@example.net") },
	{ "another scheme", T_SLICE("mailto:joe@example.net") },
	{ "scheme with a blank", T_SLICE("im :joe@example.net") },
	{ "leading blank", T_SLICE(" im:joe@example.net") },
	{ "trailing blank", T_SLICE("im:joe@example.net ") },
	{ "ERR-38 no at", T_SLICE("im:joe") },
	{ "empty local-part", T_SLICE("im:@example.net") },
	{ "empty domain", T_SLICE("im:joe@") },
	{ "PRIM-051 two ats", T_SLICE("im:joe@a@b") },
	{ "PRIM-051 two addresses", T_SLICE("im:a@b,im:c@d") },
	{ "PRIM-046 space", T_SLICE("im:jane smith@d") },
	{ "PRIM-046 quote", T_SLICE("im:\"jane\"@d") },
	{ "PRIM-046 comma", T_SLICE("im:a,b@d") },
	{ "PRIM-046 semicolon", T_SLICE("im:a;b@d") },
	{ "PRIM-046 colon", T_SLICE("im:a:b@d") },
	{ "PRIM-046 angle", T_SLICE("im:<a>@d") },
	{ "PRIM-046 hash", T_SLICE("im:a#b@d") },
	{ "PRIM-046 backslash", T_SLICE("im:a\\b@d") },
	{ "PRIM-046 caret", T_SLICE("im:a^b@d") },
	{ "raw octet above 7f", T_SLICE("im:b\xc3\xbc@d") },
	{ "raw NUL", T_SLICE("im:a\0b@d") },
	{ "raw NUL in the domain", T_SLICE("im:a@d\0e") },
	{ "raw HTAB", T_SLICE("im:a\tb@d") },
	{ "raw CRLF", T_SLICE("im:a@d\r\n") },
	{ "lone percent", T_SLICE("im:a%@d") },
	{ "percent and one digit", T_SLICE("im:a%4@d") },
	{ "percent and no digits", T_SLICE("im:a%zz@d") },
	{ "percent and half a digit", T_SLICE("im:a%4g@d") },
	{ "escaped NUL", T_SLICE("im:a%00b@d") },
	{ "escaped CR", T_SLICE("im:a%0db@d") },
	{ "escaped 1F", T_SLICE("im:a%1Fb@d") },
	{ "escaped DEL", T_SLICE("im:a%7fb@d") },
	{ "ERR-33 underscore", T_SLICE("im:a@d_e") },
	{ "ERR-33 escape", T_SLICE("im:a@%64") },
	{ "ERR-33 slash", T_SLICE("im:a@d/e") },
	{ "PRIM-050 hyphen first", T_SLICE("im:a@-d") },
	{ "PRIM-050 hyphen last", T_SLICE("im:a@d-.e") },
	{ "PRIM-050 empty label", T_SLICE("im:a@d..e") },
	{ "PRIM-050 leading dot", T_SLICE("im:a@.d") },
	{ "PRIM-050 trailing dot", T_SLICE("im:a@d.") },
	{ "port", T_SLICE("im:a@d:5") },
	{ "U-label",
	    T_SLICE("im:a@b\xc3\xbc"
		    "cher.de") },
	{ "IPv6", T_SLICE("im:a@[::1]") },
};

/* clang-format on */

static void bad_identifiers_are_refused(void **state)
{
	struct prim_address a;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(BAD); i++) {
		if (prim_address_parse(BAD[i].text, &a))
			fail_msg("%s: taken", BAD[i].name);
	}
}

/* "im:" local "@" domain with parts of given lengths; the domain in labels of
 * 63, 63, 63 and the rest. */
static struct prim_slice make(struct prim_buf *b, const char *local_piece,
    size_t pieces, size_t domain_len)
{
	prim_buf_reset(b);
	prim_buf_puts(b, "im:");
	for (size_t i = 0; i < pieces; i++)
		prim_buf_puts(b, local_piece);
	prim_buf_putc(b, '@');
	for (size_t i = 0; i < domain_len; i++)
		prim_buf_putc(b, i % 64 == 63 ? '.' : 'd');
	return prim_buf_slice(b);
}

static void lengths_are_bounded(void **state)
{
	static const struct {
		const char *name, *piece;
		size_t pieces, domain_len;
		bool is_good;
	} CASES[] = {
		{"domain of 253",       "a",   1,    253, true },
		{ "domain of 254",      "a",   1,    254, false},
		{ "label of 63",        "a",   1,    63,  true },
		{ "local-part of 1023", "a",   1023, 10,  true },
		{ "local-part of 1024", "a",   1024, 10,  false},
 /* 3 + 597 * 3 + 1 + 253 = 2048 */
		{ "2048 octets",        "%3A", 597,  253, true },
		{ "2051 octets",        "%3A", 598,  253, false},
	};
	struct prim_buf b = { 0 };
	struct prim_address a;
	struct prim_key key;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct prim_slice text = make(&b, CASES[i].piece,
		    CASES[i].pieces, CASES[i].domain_len);

		t_number_is(CASES[i].name, prim_address_parse(text, &a),
		    CASES[i].is_good);
		if (!CASES[i].is_good)
			continue;
		prim_address_key(&a, &key);
		assert_int_equal(key.len, text.len - 3);
	}
	prim_buf_fini(&b);
	assert_false(prim_address_domain_ok(
	    PRIM_SLICE("a123456789012345678901234567890123456789012345678901234"
		       "567890123.example")));
	assert_true(prim_address_domain_ok(
	    PRIM_SLICE("a12345678901234567890123456789012345678901234567890123"
		       "45678901.example")));
}

static void a_bare_address_has_no_scheme(void **state)
{
	struct prim_address a;

	(void)state;
	assert_true(prim_address_parse_bare(PRIM_SLICE("joe@example.net"), &a));
	assert_int_equal(a.scheme, PRIM_SCHEME_NONE);
	t_slice_is("text", a.text, "joe@example.net");
	assert_false(prim_address_parse_bare(PRIM_SLICE("im:joe@example.net"),
	    &a));
	assert_false(prim_address_parse_bare(PRIM_SLICE("joe"), &a));
	assert_false(prim_address_parse_bare(PRIM_SLICE_NONE, &a));
}

static void nothing_is_written_on_failure(void **state)
{
	struct prim_address a = { .scheme = PRIM_SCHEME_PRES,
		.text = PRIM_SLICE("mine") };

	(void)state;
	assert_false(prim_address_parse(PRIM_SLICE("im:a b@c"), &a));
	assert_false(prim_address_parse_bare(PRIM_SLICE("a@c."), &a));
	assert_int_equal(a.scheme, PRIM_SCHEME_PRES);
	t_slice_is("text", a.text, "mine");
}

/* PRIM-046, PRIM-047. */
static void escaping_touches_exactly_what_it_must(void **state)
{
	struct prim_buf b = { 0 }, back = { 0 };
	char all[256];

	(void)state;
	prim_address_escape(&b,
	    PRIM_SLICE("\"Jane Smith\" aZ09!$&'*.+-/=?_~%"));
	t_buf_is("mixed", &b, "%22Jane%20Smith%22%20aZ09!$&'*.+-/=?_~%25");
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	prim_buf_reset(&b);
	prim_address_escape(&b, prim_slice_make(all, sizeof(all)));
	/* 62 letters and digits and 13 others stand for themselves. */
	assert_int_equal(b.len, 75 + (256 - 75) * 3);
	assert_true(prim_address_unescape(&back, prim_buf_slice(&b)));
	assert_int_equal(back.len, sizeof(all));
	assert_memory_equal(back.ptr, all, sizeof(all));
	prim_buf_fini(&b);
	prim_buf_fini(&back);
}

static void a_broken_escape_cannot_be_undone(void **state)
{
	static const char *const CASES[] = { "%", "a%", "%4", "%zz", "ok%2",
		"%4G", "%%41" };
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		if (prim_address_unescape(&b, prim_slice_of(CASES[i])))
			fail_msg("%s: undone", CASES[i]);
	}
	prim_buf_fini(&b);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(good_identifiers_are_taken_apart),
		cmocka_unit_test(a_key_has_two_halves),
		cmocka_unit_test(a_key_is_an_address_with_itself_as_key),
		cmocka_unit_test(bad_identifiers_are_refused),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(a_bare_address_has_no_scheme),
		cmocka_unit_test(nothing_is_written_on_failure),
		cmocka_unit_test(escaping_touches_exactly_what_it_must),
		cmocka_unit_test(a_broken_escape_cannot_be_undone),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
