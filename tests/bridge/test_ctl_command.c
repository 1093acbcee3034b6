/* SPDX-License-Identifier: ISC */
/* What the operator types, and what the help says of it. */
#include "tests/bridge/control_world.h"

#include "bridge/ctl_command.h"

#define WIDTH 80

/* ---- arguments ---- */

/* clang-format off */
static const struct {
	const char *words[6]; /* behind the program's name */
	const char *command;  /* NULL: there is none */
	bool fits;            /* the number of the rest */
} TYPED[] = {
	{ { "status" }, "status", true },
	{ { "status", "x" }, "status", false },
	{ { "account" }, NULL, false },
	{ { "account", "list" }, "account list", true },
	{ { "account", "lists" }, NULL, false },
	{ { "list", "account" }, NULL, false },
	{ { "link", "add", "a" }, "link add", false },
	{ { "link", "add", "a", "b" }, "link add", true },
	{ { "link", "add", "a", "b", "c" }, "link add", false },
	{ { "link", "verify", "a", "b" }, "link verify", true },
	{ { "link", "verify", "a", "b", "c" }, "link verify", true },
	{ { "link", "verify", "a", "b", "c", "d" }, "link verify", false },
	{ { "link", "order" }, "link order", false },
	{ { "link", "order", "a" }, "link order", true },
	{ { "link", "order", "a", "b", "c", "d" }, "link order", true },
	{ { "outbox", "list" }, "outbox list", true },
	{ { "outbox", "list", "a", "b" }, "outbox list", false },
	{ { "backup" }, "backup", false },
	{ { "backup", "d" }, "backup", true },
};

/* clang-format on */

static int word_count(const char *const words[6])
{
	int count = 0;

	while (count < 6 && words[count])
		count++;
	return count;
}

static void what_is_typed_is_found_and_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TYPED); i++) {
		char *words[6];
		int count = word_count(TYPED[i].words), used = 0;
		const struct br_ctl_command *c;

		memcpy(words, TYPED[i].words, sizeof(words));
		c = br_ctl_command_find(words, count, &used);
		print_message("%s, %d words\n", TYPED[i].words[0], count);
		if (!TYPED[i].command) {
			assert_null(c);
			continue;
		}
		assert_non_null(c);
		assert_string_equal(c->words, TYPED[i].command);
		assert_int_equal(br_ctl_count_ok(c, count - used),
		    TYPED[i].fits);
	}
}

static void the_rest_of_the_words_is_one_argument(void **state)
{
	static const struct {
		int count;
		const char *first, *second;
	} CASES[] = {
		{1,  "a@b", ""            },
		{ 2, "a@b", "prim"        },
		{ 4, "a@b", "prim c@d e@f"},
	};

	char *words[] = { (char[]){ "a@b" }, (char[]){ "prim" },
		(char[]){ "c@d" }, (char[]){ "e@f" } };
	char *find[] = { (char[]){ "link" }, (char[]){ "order" } };
	int used = 0;
	const struct br_ctl_command *c = br_ctl_command_find(find, 2, &used);

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		char *first = br_ctl_argument_take(c, 0, words, CASES[i].count);
		char *second = br_ctl_argument_take(c, 1, words,
		    CASES[i].count);

		assert_string_equal(first, CASES[i].first);
		assert_string_equal(second, CASES[i].second);
		prim_free(first);
		prim_free(second);
	}
}

/* clang-format off */
static const struct {
	const char *words[6]; /* behind the program's name */
	const char *empty;    /* NULL: none */
} EMPTY[] = {
	{ { "status" }, NULL },
	{ { "link", "order", "a@b" }, NULL },
	{ { "link", "order", "a@b", "prim" }, NULL },
	{ { "link", "order", "", "prim" }, "ADDRESS" },
	{ { "link", "order", "a@b", "" }, "WORD" },
	{ { "link", "order", "a@b", "prim", " ", "c@d" }, "WORD" },
	{ { "link", "verify", "a@b", "c@d", "" }, "CODE" },
	{ { "outbox", "list", " \t" }, "ADDRESS" },
};

/* clang-format on */

static void an_empty_argument_is_called_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(EMPTY); i++) {
		char *words[6];
		int count = word_count(EMPTY[i].words), used = 0;
		const struct br_ctl_command *c;
		const char *empty;

		memcpy(words, EMPTY[i].words, sizeof(words));
		c = br_ctl_command_find(words, count, &used);
		assert_non_null(c);
		print_message("%s, %d words\n", c->words, count);
		empty = br_ctl_empty_argument(c, words + used, count - used);
		if (EMPTY[i].empty)
			assert_string_equal(empty, EMPTY[i].empty);
		else
			assert_null(empty);
	}
}

/* ---- help ---- */

static void assert_narrow(const char *text)
{
	struct prim_slice rest = prim_slice_of(text);

	while (rest.len > 0) {
		struct prim_slice line = prim_slice_cut(&rest, '\n');

		if (line.len > WIDTH)
			fail_msg("%zu columns: %.*s", line.len,
			    PRIM_SLICE_ARG(line));
	}
}

static char *usage(const struct br_ctl_command *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	br_ctl_usage(out, c);
	fclose(out);
	return text;
}

static void the_help_has_every_command_and_fits(void **state)
{
	char *all = usage(NULL);

	(void)state;
	assert_narrow(all);
	for (size_t i = 0; i < br_ctl_command_count; i++) {
		const struct br_ctl_command *c = &br_ctl_commands[i];
		char *one = usage(c);

		print_message("%s\n", c->words);
		assert_non_null(strstr(all, c->words));
		assert_non_null(strstr(all, c->help));
		assert_non_null(strstr(one, c->help));
		if (i > 0)
			assert_true(strcmp(c[-1].words, c->words) < 0);
		assert_narrow(one);
		free(one);
	}
	free(all);
}

#define TWENTY "0123456789\x1b[2J012345"

/* clang-format off */
static const struct {
	const char *words[6]; /* behind the program's name */
	const char *said;
} UNKNOWN[] = {
	{ { "nonsense" },
	    "unknown command 'nonsense'; 'primctl --help' shows all there "
	    "are\n" },
	{ { "status", "x" }, "unknown command 'status'; " },
	{ { TWENTY TWENTY TWENTY },
	    "unknown command '0123456789\\x1B[2J0123450123456789\\x1B[2J012345"
	    "...'; " },
	{ { "link" },
	    "'link' wants one of: add, list, order, remove, verify\n"
	    "'primctl link --help' says more\n" },
	{ { "presence" }, "'presence' wants one of: show\n" },
	{ { "outbox", "lists\n", "x" },
	    "'outbox' has no 'lists\\n'; it wants one of: drop, list, "
	    "quarantine, retry, show\n" },
};

/* clang-format on */

static void what_is_no_command_is_told_what_is_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(UNKNOWN); i++) {
		char *words[6];
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		assert_non_null(out);
		memcpy(words, UNKNOWN[i].words, sizeof(words));
		br_ctl_unknown(out, words, word_count(UNKNOWN[i].words));
		fclose(out);
		if (!strstr(text, UNKNOWN[i].said))
			fail_msg("'%s' does not say '%s'", text,
			    UNKNOWN[i].said);
		free(text);
	}
}

static void a_group_has_a_help_of_its_own(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	assert_false(br_ctl_usage_group(out, "status"));
	assert_false(br_ctl_usage_group(out, "lin"));
	assert_int_equal(ftell(out), 0);
	assert_true(br_ctl_usage_group(out, "link"));
	fclose(out);
	assert_narrow(text);
	assert_non_null(strstr(text, "\n  link add ADDRESS FOREIGN "));
	assert_non_null(strstr(text,
	    "\n  link verify ADDRESS FOREIGN [CODE] "));
	assert_null(strstr(text, "outbox"));
	free(text);
}

/* ---- primd knows what primctl asks ---- */

static json_t *request_of(const struct br_ctl_command *c)
{
	json_t *request = json_pack("{s:s}", "command", c->words);

	for (size_t i = 0; i < BR_CTL_ARGUMENTS_MAX && c->arguments[i].name;
	     i++)
		json_object_set_new(request, c->arguments[i].member,
		    json_string(""));
	if (c->option)
		json_object_set_new(request, c->option, json_string(""));
	if (c->list)
		json_object_set_new(request, "after", json_string(""));
	if (c->has_password)
		json_object_set_new(request, "password", json_string("x"));
	return request;
}

static void every_request_has_the_members_that_are_wanted(void **state)
{
	static const char *const WRONG[] = { "no such command",
		"needs the string", "members it does not know" };
	struct world *w = *state;

	for (size_t i = 0; i < br_ctl_command_count; i++) {
		const struct br_ctl_command *c = &br_ctl_commands[i];
		const char *error;

		if (c->kind == BR_CTL_BACKUP || c->kind == BR_CTL_RESTORE)
			continue;
		print_message("%s\n", c->words);
		ask_json(w, request_of(c));
		error = json_string_value(json_object_get(w->answer, "error"));
		for (size_t j = 0; error && j < PRIM_COUNT(WRONG); j++)
			assert_null(strstr(error, WRONG[j]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed_is_found_and_counted),
		cmocka_unit_test(the_rest_of_the_words_is_one_argument),
		cmocka_unit_test(an_empty_argument_is_called_by_its_name),
		cmocka_unit_test(the_help_has_every_command_and_fits),
		cmocka_unit_test(what_is_no_command_is_told_what_is_one),
		cmocka_unit_test(a_group_has_a_help_of_its_own),
		cmocka_unit_test_setup_teardown(
		    every_request_has_the_members_that_are_wanted, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
