/* SPDX-License-Identifier: ISC */
/* What waits until its sender is known. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "adapters/xmpp/intake.h"
#include "adapters/xmpp/stanza.h"
#include "prim/base.h"

struct world {
	xmpp_ctx_t *xmpp;
	struct xa_intake in;
};

static int setup(void **state)
{
	struct world *w = prim_new(struct world);

	w->xmpp = xa_stanza_context();
	xa_intake_init(&w->in);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	while (xa_intake_first(&w->in))
		xa_intake_drop(&w->in);
	assert_int_equal(w->in.octets, 0);
	xa_intake_fini(&w->in);
	xmpp_ctx_free(w->xmpp);
	prim_free(w);
	return 0;
}

static struct xa_intake_item *put(struct world *w, size_t len)
{
	const struct xa_envelope envelope = { .from = "a@b/c" };
	xmpp_stanza_t *s = xa_stanza_new(w->xmpp, "message", &envelope);
	char *text = prim_alloc(len + 1);
	struct xa_intake_item *item;

	memset(text, 'x', len);
	xa_stanza_add_text(xa_stanza_add(s, "body", NULL),
	    prim_slice_make(text, len));
	item = xa_intake_put(&w->in, XA_INTAKE_MESSAGE, NULL, s);
	xmpp_stanza_release(s);
	prim_free(text);
	return item;
}

static void the_oldest_is_next_when_its_answer_is_there(void **state)
{
	struct world *w = *state;
	uint64_t first = put(w, 1)->cookie, second = put(w, 1)->cookie;

	assert_null(xa_intake_next(&w->in));
	assert_true(xa_intake_answer(&w->in, second,
	    PRIM_SLICE("im:a@prim.example")));
	assert_null(xa_intake_next(&w->in));
	assert_true(xa_intake_answer(&w->in, first, PRIM_SLICE_NONE));
	assert_int_equal(xa_intake_next(&w->in)->cookie, first);
	assert_null(xa_intake_next(&w->in)->principal);
	xa_intake_drop(&w->in);
	assert_string_equal(xa_intake_next(&w->in)->principal,
	    "im:a@prim.example");
}

static void an_answer_counts_once(void **state)
{
	struct world *w = *state;
	uint64_t cookie = put(w, 1)->cookie;

	assert_false(xa_intake_answer(&w->in, cookie + 1, PRIM_SLICE_NONE));
	assert_true(xa_intake_answer(&w->in, cookie, PRIM_SLICE_NONE));
	assert_false(xa_intake_answer(&w->in, cookie, PRIM_SLICE("im:a@b")));
	assert_null(xa_intake_next(&w->in)->principal);
}

static void it_holds_so_many_and_so_much(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < XA_INTAKE_MAX; i++)
		assert_non_null(put(w, 1));
	assert_null(put(w, 1));
	xa_intake_drop(&w->in);
	assert_non_null(put(w, 1));
	while (xa_intake_first(&w->in))
		xa_intake_drop(&w->in);
	/* A large one passes alone, or it would never. */
	assert_non_null(put(w, XA_INTAKE_OCTETS + 1));
	assert_null(put(w, 1));
	xa_intake_drop(&w->in);
	assert_non_null(put(w, XA_INTAKE_OCTETS / 2));
	assert_non_null(put(w, XA_INTAKE_OCTETS / 3));
	assert_null(put(w, XA_INTAKE_OCTETS / 4));
}

static void the_newest_can_be_taken_back(void **state)
{
	struct world *w = *state;
	uint64_t first = put(w, 1)->cookie;

	put(w, 2);
	xa_intake_undo(&w->in);
	assert_int_equal(w->in.count, 1);
	assert_int_equal(xa_intake_first(&w->in)->cookie, first);
}

static void attributes_cost_memory_too(void **state)
{
	const struct xa_envelope envelope = { .from = "a@b/c" };
	struct world *w = *state;
	xmpp_stanza_t *s = xa_stanza_new(w->xmpp, "message", &envelope);
	size_t before = xa_stanza_size(s);
	char name[16], text[1001];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		xmpp_stanza_set_attribute(s, name, text);
	}
	assert_true(xa_stanza_size(s) >= before + 60000);
	xmpp_stanza_release(s);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_oldest_is_next_when_its_answer_is_there),
		TEST(an_answer_counts_once),
		TEST(it_holds_so_many_and_so_much),
		TEST(the_newest_can_be_taken_back),
		TEST(attributes_cost_memory_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
