/* SPDX-License-Identifier: ISC */
/* What is known of a contact's resources, and what has to be told of them. */

#include <stdio.h>

#include "adapters/xmpp/presence_private.h"
#include "tests/adapters/xmpp/presence_text.h"

/*
 * "home+ away 5 "text"; work-" and back: only what these tests need.
 */

static struct xa_presence one_of(struct prim_slice word)
{
	struct xa_presence p = { .idle_since_ms = XA_NO_TIME, .stamp_ms = NOW };
	struct prim_slice name = prim_slice_cut(&word, ' ');

	assert_true(name.len > 0);
	p.is_available = prim_slice_ends(name, PRIM_SLICE("+"));
	name.len--;
	if (name.len)
		p.resource = prim_slice_copy(name);
	if (prim_slice_eq(word, PRIM_SLICE("away"))) {
		p.show = XA_SHOW_AWAY;
	} else if (prim_slice_starts(word, PRIM_SLICE("\""))) {
		word.len--;
		p.statuses[0].language = prim_slice_copy(PRIM_SLICE_NONE);
		p.statuses[0].text = prim_slice_copy(prim_slice_from(word, 1));
		p.status_count = 1;
	} else {
		assert_int_equal(word.len, 0);
	}
	return p;
}

static void make(struct xa_presences *out, const char *text)
{
	struct prim_slice rest = prim_slice_of(text);

	*out = (struct xa_presences){ 0 };
	out->items = prim_alloc(XA_RESOURCES_MAX * sizeof(*out->items));
	while (rest.len) {
		struct prim_slice word = prim_slice_cut(&rest, ';');

		out->items[out->count++] = one_of(prim_slice_trim(word));
	}
}

/*
 * Taking.
 */

static const struct {
	const char *name;
	const char *known;
	const char *taken;
	const char *after;
	bool changed;
} TAKEN[] = {
	{"the first",				 "",                  "home+",       "home+",              true },
	{ "the same again",                           "home+",             "home+",       "home+",              false},
	{ "another state",			    "home+",             "home+ away",  "home+ away",         true },
	{ "a text",				   "home+",             "home+ \"x\"", "home+ \"x\"",        true },
	{ "another resource",                         "home+",             "work+",       "home+; work+",       true },
	{ "in its place",			     "home+; work+",      "home+ away",  "home+ away; work+",
         true													},
	{ "it goes",				  "home+; work+",      "home-",       "home-; work+",       true },
	{ "it is gone",			       "home-; work+",      "home-",       "home-; work+",       false},
	{ "with a word",			      "home-; work+",      "home- \"x\"", "home- \"x\"; work+",
         true													},
	{ "it comes back",			    "home-",             "home+",       "home+",              true },
	{ "one goes that was not there",              "work+",             "home-",       "work+; home-",
         false												       },
	{ "one goes that was not there, with a word", "work+",             "home- \"x\"",
         "work+; home- \"x\"",										  true },
	{ "all go",				   "home+; work+ away", "-",           "-",                  true },
	{ "all go with a word",                       "home+",             "- \"x\"",     "- \"x\"",            true },
	{ "all were gone",			    "home-; work-",      "-",           "-",                  false},
	{ "a word goes",			      "home- \"x\"",       "-",           "-",                  true },
	{ "nothing known",			    "",                  "-",           "-",                  false},
	{ "nothing known but a word",                 "",                  "- \"x\"",     "- \"x\"",            true },
	{ "all gone again",                           "- \"x\"",           "- \"x\"",     "- \"x\"",            false},
	{ "one comes after all went",                 "-",                 "home+",       "home+",              true },
	{ "the bare one is there",                    "-",                 "+",           "+",                  true },
	{ "the bare one beside others",               "home+",             "+",           "home+; +",           true },
};

static void a_resource_takes_the_place_of_what_was_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TAKEN); i++) {
		struct xa_presences all;
		struct xa_presence p = one_of(prim_slice_of(TAKEN[i].taken));

		make(&all, TAKEN[i].known);
		if (xa_presences_take(&all, &p) != TAKEN[i].changed)
			fail_msg("%s", TAKEN[i].name);
		assert_text(TAKEN[i].name, &all, TAKEN[i].after);
		assert_null(p.resource);
		assert_int_equal(p.status_count, 0);
		xa_presences_fini(&all);
	}
}

static void stamps_alone_are_no_change_but_are_kept(void **state)
{
	struct xa_presences all = { 0 };

	(void)state;
	assert_true(text_take(&all, PRESENCE(FROM("a"), "")));
	assert_false(text_take(&all,
	    PRESENCE(FROM("a"),
		"<delay xmlns='urn:xmpp:delay' "
		"stamp='2026-10-26T08:00:00Z'/>")));
	assert_int_equal(all.items[0].stamp_ms, NOW - 3200000);
	assert_true(text_take(&all,
	    PRESENCE(FROM("a"),
		"<idle xmlns='urn:xmpp:idle:1' "
		"since='2026-10-26T08:00:00Z'/>")));
	assert_true(text_take(&all,
	    PRESENCE(FROM("a"), "<priority>1</priority>")));
	xa_presences_fini(&all);
}

/* Fills all places; resource i has the stamp i. */
static void fill(struct xa_presences *all, bool is_available)
{
	char name[16];

	for (int i = 0; i < XA_RESOURCES_MAX; i++) {
		struct xa_presence p;

		snprintf(name, sizeof(name), "r%d%c", i,
		    is_available ? '+' : '-');
		p = one_of(prim_slice_of(name));
		p.stamp_ms = i;
		xa_presences_take(all, &p);
	}
}

static bool holds(const struct xa_presences *all, const char *resource)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (strcmp(all->items[i].resource, resource) == 0)
			return true;
	}
	return false;
}

static void one_too_many_takes_the_place_of_the_least_recent(void **state)
{
	struct xa_presences all = { 0 };
	struct xa_presence p = one_of(PRIM_SLICE("new+"));

	(void)state;
	fill(&all, true);
	assert_true(xa_presences_take(&all, &p));
	assert_int_equal(all.count, XA_RESOURCES_MAX);
	assert_false(holds(&all, "r0"));
	assert_true(holds(&all, "new"));
	xa_presences_fini(&all);
}

static void one_that_is_unavailable_goes_before(void **state)
{
	struct xa_presences all = { 0 };
	struct xa_presence p = one_of(PRIM_SLICE("r7-"));

	(void)state;
	fill(&all, true);
	assert_true(xa_presences_take(&all, &p));
	p = one_of(PRIM_SLICE("new+"));
	assert_true(xa_presences_take(&all, &p));
	assert_false(holds(&all, "r7"));
	assert_true(holds(&all, "r0"));
	xa_presences_fini(&all);
}

static void who_is_not_there_pushes_nobody_out(void **state)
{
	struct xa_presences all = { 0 };
	struct xa_presence p = one_of(PRIM_SLICE("new- \"x\""));

	(void)state;
	fill(&all, true);
	assert_false(xa_presences_take(&all, &p));
	assert_null(p.resource);
	assert_int_equal(all.count, XA_RESOURCES_MAX);
	assert_false(holds(&all, "new"));
	xa_presences_fini(&all);
}

static const struct {
	const char *name;
	const char *known;
	const char *after;
	bool any;
} PRUNED[] = {
	{"nothing",          "",                   "",       false},
	{ "one available",   "home+",              "home+",  true },
	{ "one unavailable", "home-",              "home-",  false},
	{ "one of each",     "home-; work+",       "work+",  true },
	{ "several gone",    "a-; b+; c-; d+; e-", "b+; d+", true },
	{ "all gone",        "a-; b-; c-",         "c-",     false},
	{ "the bare one",    "-",                  "-",      false},
};

static void those_that_are_gone_are_forgotten_but_the_last(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(PRUNED); i++) {
		struct xa_presences all;

		make(&all, PRUNED[i].known);
		assert_int_equal(xa_presences_any(&all), PRUNED[i].any);
		xa_presences_prune(&all);
		assert_text(PRUNED[i].name, &all, PRUNED[i].after);
		xa_presences_fini(&all);
	}
}

static void the_one_that_went_last_is_kept(void **state)
{
	struct xa_presences all;

	(void)state;
	make(&all, "a-; b-; c-");
	all.items[1].stamp_ms = NOW + 1;
	xa_presences_prune(&all);
	assert_text("b", &all, "b-");
	xa_presences_fini(&all);
}

static const struct {
	const char *name;
	const char *known;
	const char *told;
	const char *after;
} DROPPED[] = {
	{"nothing",			     "",                   "home-",        ""                  },
	{ "closed, and told so",                "home-; work+",       "home-",        "work+"             },
	{ "closed, and told as open",           "home-; work+",       "home+; work+",
         "home-; work+"										   },
	{ "closed, and told in other words",    "home- \"x\"; work+",
         "home-; work+",							      "home- \"x\"; work+"},
	{ "closed, and told in the same words", "home- \"x\"; work+",
         "home- \"x\"",							       "work+"             },
	{ "closed, and never told",             "home-; work+",       "work+",        "work+"             },
	{ "closed with a word, and never told", "home- \"x\"; work+", "work+",
         "home- \"x\"; work+"									     },
	{ "another one closed since",           "home-; work-",       "home-; work+", "work-"             },
	{ "all closed and told",                "home-; work-",       "home-; work-", "work-"             },
	{ "all closed, one told",               "home-; work-",       "home-",        "home-"             },
	{ "the last one, and told",             "home-",              "home-",        "home-"             },
	{ "the last one, and never told",       "home-",              "",             "home-"             },
	{ "the bare one",                       "-",                  "-",            "-"                 },
	{ "what is open stays",                 "home+; work+ away",  "home+; work+",
         "home+; work+ away"									      },
};

static void what_was_told_as_closed_is_forgotten_but_the_last(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(DROPPED); i++) {
		struct xa_presences all, told;

		make(&all, DROPPED[i].known);
		make(&told, DROPPED[i].told);
		xa_presences_drop_told(&all, &told);
		assert_text(DROPPED[i].name, &all, DROPPED[i].after);
		xa_presences_fini(&all);
		xa_presences_fini(&told);
	}
}

/*
 * Telling.
 */

static const struct {
	const char *name;
	const char *told; /* NULL: nothing ever */
	const char *now;
	const char *want;
} TOLD[] = {
	{"nothing ever, nobody there",               NULL,                "-",                 "-"             },
	{ "nothing ever, one there",                 NULL,                "home+",             "home+"         },
	{ "nothing ever, one gone",                  NULL,                "home- \"x\"",       "home- \"x\""   },
	{ "nothing of nobody",                       "",                  "",                  ""              },
	{ "the same",				"home+; work+ away", "home+; work+ away", ""              },
	{ "the same in another order",               "home+; work+",      "work+; home+",      ""              },
	{ "another state",			   "home+; work+",      "home+; work+ away", "work+ away"    },
	{ "a new one",			       "home+",             "home+; work+",      "work+"         },
	{ "one gone",				"home+; work+",      "work+",             "home-"         },
	{ "one unavailable",                         "home+; work+",      "home-; work+",      "home-"         },
	{ "unavailable and then gone",               "home-; work+",      "work+",             ""              },
	{ "one gone, one new, one other",            "a+; b+; c+",        "b+ away; d+",
         "a-; c-; b+ away; d+"										 },
	{ "nobody left",			     "home+; work+",      "-",                 "home-; work-"  },
	{ "nobody left, with a word",                "home+",             "- \"x\"",           "home-; - \"x\""},
	{ "nobody left, nobody was there",           "home-",             "-",                 "-"             },
	{ "nobody as before",                        "-",                 "-",                 ""              },
	{ "nobody, with another word",               "- \"x\"",           "- \"y\"",           "- \"y\""       },
	{ "one comes",			       "-",                 "home+",             "home+"         },
	{ "the bare one goes",                       "+",                 "-",                 "-"             },
	{ "the bare one goes with a word",           "+",                 "- \"x\"",           "- \"x\""       },
	{ "the bare one goes and takes all with it", "+; home+; work+",   "home+",
         "-; home+"											    },
	{ "the bare one changes",                    "+; home+",          "+ away; home+",     "+ away"        },
};

struct log {
	struct prim_buf text;
};

static void on_tell(void *arg, const struct xa_presence *p)
{
	struct log *log = arg;

	if (log->text.len)
		prim_buf_puts(&log->text, "; ");
	text_put(&log->text, p);
}

static void only_differences_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TOLD); i++) {
		struct xa_presences told = { 0 }, now;
		struct log log = { 0 };

		if (TOLD[i].told)
			make(&told, TOLD[i].told);
		make(&now, TOLD[i].now);
		xa_presences_diff(TOLD[i].told ? &told : NULL, &now, on_tell,
		    &log);
		prim_buf_putc(&log.text, '\0');
		if (strcmp(log.text.ptr, TOLD[i].want) != 0)
			fail_msg("%s: %s, not %s", TOLD[i].name, log.text.ptr,
			    TOLD[i].want);
		prim_buf_fini(&log.text);
		xa_presences_fini(&told);
		xa_presences_fini(&now);
	}
}

static void a_copy_is_the_same_and_its_own(void **state)
{
	struct xa_presences from, to;
	struct log log = { 0 };

	(void)state;
	make(&from, "home+ \"x\"; work-; +");
	make(&to, "old+ \"y\"");
	xa_presences_copy(&to, &from);
	xa_presences_diff(&from, &to, on_tell, &log);
	assert_int_equal(log.text.len, 0);
	xa_presences_fini(&from);
	assert_text("copy", &to, "home+ \"x\"; work-; +");
	xa_presences_copy(&to, &to);
	assert_text("of itself", &to, "home+ \"x\"; work-; +");
	xa_presences_copy(&to, &from);
	assert_text("of nothing", &to, "");
	xa_presences_fini(&to);
	prim_buf_fini(&log.text);
}

/*
 * A client that believes what it is told, against any two states: afterwards it
 * knows what is.
 */

#define NAMES 4

struct client {
	int state[NAMES + 1]; /* 0 unavailable, else 1 + show; [0] is bare */
};

static int place_of(const struct xa_presence *p)
{
	return p->resource ? p->resource[0] - 'a' + 1 : 0;
}

static void on_heard(void *arg, const struct xa_presence *p)
{
	struct client *c = arg;

	if (!p->is_available && !p->resource)
		memset(c, 0, sizeof(*c));
	else
		c->state[place_of(p)] = p->is_available ? 1 + (int)p->show : 0;
}

static unsigned next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (unsigned)(*seed >> 40);
}

static void shuffle_into(struct xa_presences *out, uint64_t *seed)
{
	struct prim_buf text = { 0 };
	unsigned first = next_random(seed) % (NAMES + 1);

	for (unsigned n = 0; n <= NAMES; n++) {
		unsigned at = (first + n) % (NAMES + 1);
		unsigned what = next_random(seed) % 4;

		/* Beside others the bare JID is available or not there. */
		if (what == 0 || (at == 0 && what < 3))
			continue;
		if (text.len)
			prim_buf_puts(&text, "; ");
		if (at)
			prim_buf_putc(&text, (char)('a' + at - 1));
		prim_buf_puts(&text,
		    what == 1       ? "-"
			: what == 2 ? "+"
				    : "+ away");
	}
	if (text.len == 0)
		prim_buf_puts(&text, "-");
	prim_buf_putc(&text, '\0');
	make(out, text.ptr);
	prim_buf_fini(&text);
}

static void whoever_is_told_knows(void **state)
{
	struct client c = { 0 };
	struct xa_presences told = { 0 };
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct client want = { 0 };
		struct xa_presences now;

		shuffle_into(&now, &seed);
		for (unsigned i = 0; i < now.count; i++)
			on_heard(&want, &now.items[i]);
		xa_presences_diff(round ? &told : NULL, &now, on_heard, &c);
		if (memcmp(&c, &want, sizeof(c)) != 0)
			fail_msg("round %d: %s to %s", round, text_of(&told),
			    text_of(&now));
		xa_presences_fini(&told);
		told = now;
	}
	xa_presences_fini(&told);
}

static size_t texts_of(const struct xa_presences *all)
{
	size_t len = 0;

	for (unsigned i = 0; i < all->count; i++) {
		for (unsigned n = 0; n < all->items[i].status_count; n++)
			len += strlen(all->items[i].statuses[n].text);
	}
	return len;
}

static void all_texts_of_a_contact_are_bounded(void **state)
{
	struct xa_presences all = { 0 };
	char text[XA_STATUS_TEXT_MAX + 1], name[16], language[16];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned i = 0; i < 100; i++) {
		struct xa_presence p = { .is_available = true };

		snprintf(name, sizeof(name), "r%u", i % 40);
		p.resource = prim_slice_copy(prim_slice_of(name));
		for (unsigned n = 0; n < XA_STATUSES_MAX; n++) {
			snprintf(language, sizeof(language), "a%c", 'a' + n);
			xa_presence_add_status(&p, prim_slice_of(language),
			    prim_slice_of(text));
		}
		p.stamp_ms = i;
		xa_presences_take(&all, &p);
		assert_true(texts_of(&all) <= XA_TEXTS_MAX);
	}
	assert_int_equal(all.count, XA_RESOURCES_MAX);
	assert_true(texts_of(&all) > 0);
	xa_presences_fini(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_resource_takes_the_place_of_what_was_known),
		cmocka_unit_test(stamps_alone_are_no_change_but_are_kept),
		cmocka_unit_test(
		    one_too_many_takes_the_place_of_the_least_recent),
		cmocka_unit_test(one_that_is_unavailable_goes_before),
		cmocka_unit_test(who_is_not_there_pushes_nobody_out),
		cmocka_unit_test(
		    those_that_are_gone_are_forgotten_but_the_last),
		cmocka_unit_test(the_one_that_went_last_is_kept),
		cmocka_unit_test(
		    what_was_told_as_closed_is_forgotten_but_the_last),
		cmocka_unit_test(only_differences_are_told),
		cmocka_unit_test(a_copy_is_the_same_and_its_own),
		cmocka_unit_test(whoever_is_told_knows),
		cmocka_unit_test(all_texts_of_a_contact_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
