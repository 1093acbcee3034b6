/* SPDX-License-Identifier: ISC */
/* Values of message/cpim: escapes (CPIM-060..062), mailboxes (CPIM-069). */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/cpim.h"

/* clang-format off */
static const struct {
	const char *name;
	const char *value;
	struct prim_slice text;
	bool is_good;
} ESCAPED[] = {
	{ "plain", "Eeyore's feeling", T_SLICE("Eeyore's feeling"), true },
	{ "each of 2.3", "\\\\ \\\" \\' \\b \\t \\n \\r",
	    T_SLICE("\\ \" ' \b \t \n \r"), true },
	{ "code", "\\u00e4", T_SLICE("\xc3\xa4"), true },
	{ "code, upper case", "\\u20AC", T_SLICE("\xe2\x82\xac"), true },
	{ "code of a control", "\\u001bx", T_SLICE("\x1bx"), true },
	{ "code of NUL", "a\\u0000b", T_SLICE("a\0b"), true },
	{ "CPIM-062 pair", "\\ud83d\\ude00", T_SLICE("\xf0\x9f\x98\x80"),
	    true },
	{ "CPIM-062 the last pair", "\\udbff\\udfff",
	    T_SLICE("\xf4\x8f\xbf\xbf"), true },
	{ "CPIM-061 unknown escape", "\\a\\B\\\xc3\xa4\\<",
	    T_SLICE("aB\xc3\xa4<"), true },
	{ "CPIM-061 lone backslash last", "x\\", T_SLICE("x"), true },
	{ "backslash alone", "\\", T_SLICE(""), true },
	{ "escaped backslash last", "x\\\\", T_SLICE("x\\"), true },
	{ "UTF-8 stays", "\xf0\x9f\x98\x80", T_SLICE("\xf0\x9f\x98\x80"),
	    true },
	{ "empty", "", T_SLICE(""), true },
	{ "high alone", "\\ud83d", T_SLICE(""), false },
	{ "high and text", "\\ud83dx", T_SLICE(""), false },
	{ "high and high", "\\ud83d\\ud83d", T_SLICE(""), false },
	{ "high and another escape", "\\ud83d\\n", T_SLICE(""), false },
	{ "low alone", "\\ude00", T_SLICE(""), false },
	{ "low first", "\\ude00\\ud83d", T_SLICE(""), false },
	{ "three digits", "\\u12", T_SLICE(""), false },
	{ "no digits", "\\u", T_SLICE(""), false },
	{ "bad digit", "\\u12g4", T_SLICE(""), false },
};

/* clang-format on */

static void escapes_are_undone(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ESCAPED); i++) {
		prim_buf_reset(&b);
		t_number_is(ESCAPED[i].name,
		    prim_cpim_unescape(&b, prim_slice_of(ESCAPED[i].value)),
		    ESCAPED[i].is_good);
		if (ESCAPED[i].is_good &&
		    !prim_slice_eq(prim_buf_slice(&b), ESCAPED[i].text))
			fail_msg("%s: \"%.*s\"", ESCAPED[i].name,
			    PRIM_SLICE_ARG(prim_buf_slice(&b)));
	}
	prim_buf_fini(&b);
}

static void text_is_escaped_where_it_must_be_and_nowhere_else(void **state)
{
	/* clang-format off */
	static const struct {
		struct prim_slice lang, value;
		const char *line;
	} CASES[] = {
		{ T_SLICE(""), T_SLICE("plain \"quoted\" 'single' <x>"),
		    "Subject: plain \"quoted\" 'single' <x>\r\n" },
		{ T_SLICE("fr"), T_SLICE("Objet de message"),
		    "Subject:;lang=fr Objet de message\r\n" },
		{ T_SLICE(""), T_SLICE("\\ \b \t \n \r."),
		    "Subject: \\\\ \\b \\t \\n \\r.\r\n" },
		{ T_SLICE(""), T_SLICE("\0\x07\x0b\x0c\x0e\x1f\x7f"),
		    "Subject: \\u0000\\u0007\\u000b\\u000c\\u000e\\u001f"
		    "\\u007f\r\n" },
		{ T_SLICE(""), T_SLICE("\xc3\xa4\xf0\x9f\x98\x80"),
		    "Subject: \xc3\xa4\xf0\x9f\x98\x80\r\n" },
		{ T_SLICE(""), T_SLICE(""), "Subject: \r\n" },
		/* CPIM-052 leaves no other way to keep these. */
		{ T_SLICE(""), T_SLICE(" x "), "Subject: \\u0020x\\u0020\r\n" },
		{ T_SLICE(""), T_SLICE(" "), "Subject: \\u0020\r\n" },
		{ T_SLICE("x\r\nTo: y"), T_SLICE("z"), "Subject: z\r\n" },
	};
	/* clang-format on */
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		prim_buf_reset(&b);
		prim_cpim_put_text(&b, "Subject", CASES[i].lang,
		    CASES[i].value);
		t_buf_is("line", &b, CASES[i].line);
	}
	prim_buf_fini(&b);
}

static void every_octet_survives_escaping(void **state)
{
	struct prim_buf b = { 0 }, back = { 0 };
	char text[128];

	(void)state;
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	prim_cpim_put_text(&b, "X", PRIM_SLICE_NONE,
	    prim_slice_make(text, sizeof(text)));
	assert_true(prim_cpim_unescape(&back,
	    prim_slice_make(b.ptr + 3, b.len - 5)));
	assert_int_equal(back.len, sizeof(text));
	assert_memory_equal(back.ptr, text, sizeof(text));
	prim_buf_fini(&b);
	prim_buf_fini(&back);
}

static void mailboxes_are_taken_apart(void **state)
{
	/* clang-format off */
	static const struct {
		const char *value, *name, *uri; /* uri NULL: refused */
	} CASES[] = {
		{ "Winnie the Pooh <im:pooh@100akerwood.com>",
		    "Winnie the Pooh", "im:pooh@100akerwood.com" },
		{ "<im:tigger@100akerwood.com>", "",
		    "im:tigger@100akerwood.com" },
		{ "MR SANDERS <im:piglet@100akerwood.com>", "MR SANDERS",
		    "im:piglet@100akerwood.com" },
		{ "\"Eeyore, the \\\"Donkey\\\" <x>\"<im:e@f>",
		    "Eeyore, the \\\"Donkey\\\" <x>", "im:e@f" },
		{ "\"Eeyore\" <im:e@f>", "Eeyore", "im:e@f" },
		{ "\"\"<im:e@f>", "", "im:e@f" },
		{ "\xc3\x84\xc3\xb6 <im:e@f>", "\xc3\x84\xc3\xb6", "im:e@f" },
		{ "O'Hara, Ph.D. <im:e@f>", "O'Hara, Ph.D.", "im:e@f" },
		{ "<mailto:a@b?subject=%20x>", "", "mailto:a@b?subject=%20x" },
		{ "<a+b-c.d2:x>", "", "a+b-c.d2:x" },
		{ "", NULL, NULL },
		{ "im:e@f", NULL, NULL },
		{ "<>", NULL, NULL },
		{ "<im:>", NULL, NULL },
		{ "<:x>", NULL, NULL },
		{ "<2im:x>", NULL, NULL },
		{ "<i m:x>", NULL, NULL },
		{ "<im:a b>", NULL, NULL },
		{ "<im:a\\b>", NULL, NULL },
		{ "<im:a\"b>", NULL, NULL },
		{ "<im:\xc3\xa4@b>", NULL, NULL },
		{ "<im:a@b", NULL, NULL },
		{ "im:a@b>", NULL, NULL },
		{ "<im:a@b> ", NULL, NULL },
		{ "<im:a@b>,<im:c@d>", NULL, NULL },
		{ "<im:a@b><im:c@d>", NULL, NULL },
		{ "a > b <im:c@d>", NULL, NULL },
		{ "a \" b <im:c@d>", NULL, NULL },
		{ "\"open <im:c@d>", NULL, NULL },
		{ "\"open\\\"<im:c@d>", NULL, NULL },
		{ "\"open\\", NULL, NULL },
		{ "\"", NULL, NULL },
		{ "\"a\"b<im:c@d>", NULL, NULL },
		{ "\"a\"  <im:c@d>", NULL, NULL },
	};

	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct prim_slice name, uri;
		bool is_good = prim_cpim_mailbox(prim_slice_of(CASES[i].value),
		    &name, &uri);

		t_number_is(CASES[i].value, is_good, CASES[i].uri != NULL);
		if (!is_good)
			continue;
		t_slice_is(CASES[i].value, name, CASES[i].name);
		t_slice_is(CASES[i].value, uri, CASES[i].uri);
	}
}

static void mailboxes_are_written(void **state)
{
	struct prim_slice name, uri;
	struct prim_buf b = { 0 };

	(void)state;
	prim_cpim_put_mailbox(&b, "From", PRIM_SLICE_NONE,
	    PRIM_SLICE("im:a@b"));
	t_buf_is("bare", &b, "From: <im:a@b>\r\n");
	prim_buf_reset(&b);
	prim_cpim_put_mailbox(&b, "To",
	    PRIM_SLICE("The \"Donkey\" \\ <im:x@y>\r\n'"),
	    PRIM_SLICE("im:a@b"));
	t_buf_is("named", &b,
	    "To: \"The \\\"Donkey\\\" \\\\ <im:x@y>\\r\\n'\"<im:a@b>\r\n");
	assert_true(prim_cpim_mailbox(prim_slice_make(b.ptr + 4, b.len - 6),
	    &name, &uri));
	t_slice_is("uri", uri, "im:a@b");
	prim_buf_fini(&b);
}

static void namespaces_and_content_are_written(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_cpim_put_namespace(&b, "imdn", PRIM_CPIM_IMDN);
	prim_cpim_put_namespace(&b, NULL, PRIM_CPIM_PRIM);
	prim_cpim_put_content(&b, PRIM_SLICE("text/plain; charset=utf-8"),
	    PRIM_SLICE("de"));
	t_buf_is("with language", &b,
	    "NS: imdn <urn:ietf:params:imdn>\r\n"
	    "NS: <http://www.fujitsulabs.com/prim/>\r\n"
	    "\r\n"
	    "Content-type: text/plain; charset=utf-8\r\n"
	    "Content-Language: de\r\n"
	    "\r\n");
	prim_buf_reset(&b);
	prim_cpim_put_content(&b, PRIM_SLICE("a/b"), PRIM_SLICE_NONE);
	t_buf_is("without", &b, "\r\nContent-type: a/b\r\n\r\n");
	prim_buf_fini(&b);
}

static void language_tags_are_those_of_the_rfc(void **state)
{
	static const struct {
		const char *tag;
		bool is_good;
	} CASES[] = {
		{"en",            true },
		{ "en-GB",        true },
		{ "i-default",    true },
		{ "x-12345678-1", true },
		{ "",             false},
		{ "-en",          false},
		{ "en-",          false},
		{ "en--GB",       false},
		{ "123456789",    false},
		{ "en_GB",        false},
		{ "en GB",        false},
		{ "d\xc3\xa9",    false},
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		t_number_is(CASES[i].tag,
		    prim_cpim_lang_ok(prim_slice_of(CASES[i].tag)),
		    CASES[i].is_good);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(escapes_are_undone),
		cmocka_unit_test(
		    text_is_escaped_where_it_must_be_and_nowhere_else),
		cmocka_unit_test(every_octet_survives_escaping),
		cmocka_unit_test(mailboxes_are_taken_apart),
		cmocka_unit_test(mailboxes_are_written),
		cmocka_unit_test(namespaces_and_content_are_written),
		cmocka_unit_test(language_tags_are_those_of_the_rfc),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
