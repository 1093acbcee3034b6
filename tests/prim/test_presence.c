/* SPDX-License-Identifier: ISC */
/* Publications: which are accepted, what they change, who hears of it. */

#include "tests/lib/t.h"

#include <string.h>

#include "prim/base.h"
#include "prim/presence.h"

#define START_MS 1000000

static struct prim_wheel wheel;
static struct prim_fan fan;
static struct prim_presentity presentity;
static unsigned due_count;
static int64_t wait_ms; /* how long the owner takes to end a lease */

static void owner_lease_due(struct prim_presentity *p, struct prim_tuple *t)
{
	assert_ptr_equal(p, &presentity);
	due_count++;
	if (wait_ms == 0) {
		prim_tuple_expire(t);
		return;
	}
	prim_tuple_wait(t, wheel.now_ms + wait_ms);
	wait_ms = 0;
}

static const struct prim_presentity_ops OWNER_OPS = {
	.lease_due = owner_lease_due,
};

static int set_up(void **state)
{
	(void)state;
	prim_wheel_init(&wheel, START_MS);
	prim_fan_init(&fan, &wheel);
	prim_presentity_init(&presentity, &OWNER_OPS, &fan,
	    PRIM_SLICE("pres:ann@example.com"));
	due_count = 0;
	wait_ms = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	prim_presentity_fini(&presentity);
	prim_fan_fini(&fan);
	assert_true(prim_wheel_next(&wheel) == INT64_MAX);
	return 0;
}

static struct prim_publication publication(enum prim_publication_kind kind,
    const char *id, const char *body)
{
	return (struct prim_publication){
		.kind = kind,
		.tuple_id = prim_slice_of(id),
		.content = {.type = prim_slice_of(body ? "application/presence"
							: NULL),
			    .body = prim_slice_of(body)},
		.duration_ms = 8000,
	};
}

static unsigned publish(enum prim_publication_kind kind, const char *id,
    const char *body)
{
	struct prim_publication p = publication(kind, id, body);
	struct prim_change c;
	unsigned code = prim_presentity_plan(&presentity, &p, wheel.now_ms, &c);

	if (code != 200)
		return code;
	prim_presentity_apply(&presentity, &c);
	prim_change_fini(&c);
	return code;
}

static struct prim_tuple *find(const char *id)
{
	return prim_presentity_find(&presentity, prim_slice_of(id));
}

/* `body` NULL: there is no such tuple. */
static void is_seen(const char *id, const char *body)
{
	const struct prim_tuple *t = find(id);

	if (!body) {
		assert_null(t);
		return;
	}
	assert_non_null(t);
	assert_true(prim_slice_eq(prim_tuple_value(t)->body,
	    prim_slice_of(body)));
	assert_true(prim_slice_eq(prim_tuple_value(t)->name,
	    prim_slice_of(id)));
}

enum before { NOTHING, PERMANENT, LEASED, BOTH };

static const struct {
	const char *name;
	enum before before;
	enum prim_publication_kind kind;
	const char *body;
	unsigned code;
	enum prim_change_kind change; /* if it is accepted */
	bool is_trigger;
	const char *seen; /* afterwards */
} CASES[] = {
	{"leased, new",			    NOTHING,   PRIM_PUBLISH_LEASED,    "new",    200,
         PRIM_CHANGE_LEASE,												 true,  "new"      },
	{ "leased without a body",                 NOTHING,   PRIM_PUBLISH_LEASED,    NULL,     400,
         PRIM_CHANGE_NONE,												  false, NULL       },
	{ "leased on permanent",                   PERMANENT, PRIM_PUBLISH_LEASED,    "new",    200,
         PRIM_CHANGE_LEASE,												 true,  "new"      },
	{ "leased again",			  BOTH,      PRIM_PUBLISH_LEASED,    "new",    200,
         PRIM_CHANGE_LEASE,												 true,  "new"      },
	{ "leased again with the same",            LEASED,    PRIM_PUBLISH_LEASED,    "leased",
         200,											PRIM_CHANGE_LEASE,     true,  "leased"   },
	{ "permanent, new",                        NOTHING,   PRIM_PUBLISH_PERMANENT, "new",    200,
         PRIM_CHANGE_PERMANENT,											     true,  "new"      },
	{ "permanent without a body",              PERMANENT, PRIM_PUBLISH_PERMANENT, NULL,
         400,											PRIM_CHANGE_NONE,      false, "permanent"},
	{ "permanent again",                       PERMANENT, PRIM_PUBLISH_PERMANENT, "new",    200,
         PRIM_CHANGE_PERMANENT,											     true,  "new"      },
	{ "permanent below a lease",               BOTH,      PRIM_PUBLISH_PERMANENT, "new",    200,
         PRIM_CHANGE_PERMANENT,											     false, "leased"   },
	{ "permanent where only a lease was",      LEASED,    PRIM_PUBLISH_PERMANENT,
         "new",										 200, PRIM_CHANGE_PERMANENT, false, "leased"   },
	{ "renewed",			       LEASED,    PRIM_PUBLISH_RENEW,     NULL,     200, PRIM_CHANGE_EXPIRY,
         false,														    "leased"   },
	{ "renewed, its body ignored",             BOTH,      PRIM_PUBLISH_RENEW,     "new",    200,
         PRIM_CHANGE_EXPIRY,												false, "leased"   },
	{ "renewed without a lease",               PERMANENT, PRIM_PUBLISH_RENEW,     NULL,     403,
         PRIM_CHANGE_NONE,												  false, "permanent"},
	{ "renewed without anything",              NOTHING,   PRIM_PUBLISH_RENEW,     NULL,     403,
         PRIM_CHANGE_NONE,												  false, NULL       },
	{ "renewed without a lease, with a body",  PERMANENT, PRIM_PUBLISH_RENEW,
         "new",										 200, PRIM_CHANGE_LEASE,     true,  "new"      },
	{ "renewed without anything, with a body", NOTHING,   PRIM_PUBLISH_RENEW,
         "new",										 200, PRIM_CHANGE_LEASE,     true,  "new"      },
	{ "reverted to permanent",                 BOTH,      PRIM_PUBLISH_REVERT,    "new",    200,
         PRIM_CHANGE_DROP_LEASE,											    true,  "permanent"},
	{ "reverted to nothing",                   LEASED,    PRIM_PUBLISH_REVERT,    NULL,     200,
         PRIM_CHANGE_DROP_LEASE,											    true,  NULL       },
	{ "reverted without a lease",              PERMANENT, PRIM_PUBLISH_REVERT,    NULL,     200,
         PRIM_CHANGE_NONE,												  false, "permanent"},
	{ "reverted, unknown",                     NOTHING,   PRIM_PUBLISH_REVERT,    "new",    403,
         PRIM_CHANGE_NONE,												  false, NULL       },
	{ "removed",			       BOTH,      PRIM_PUBLISH_REMOVE,    NULL,     200,
         PRIM_CHANGE_DROP_TUPLE,											    true,  NULL       },
	{ "removed, permanent",                    PERMANENT, PRIM_PUBLISH_REMOVE,    NULL,     200,
         PRIM_CHANGE_DROP_TUPLE,											    true,  NULL       },
	{ "removed, unknown",                      NOTHING,   PRIM_PUBLISH_REMOVE,    NULL,     403,
         PRIM_CHANGE_NONE,												  false, NULL       },
};

static void bring(enum before before)
{
	if (before == PERMANENT || before == BOTH)
		publish(PRIM_PUBLISH_PERMANENT, "t", "permanent");
	if (before == LEASED || before == BOTH)
		publish(PRIM_PUBLISH_LEASED, "t", "leased");
}

static void a_publication_does_what_the_table_says(void **state)
{
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct prim_publication p = publication(CASES[i].kind, "t",
		    CASES[i].body);
		struct prim_change c = { .kind = PRIM_CHANGE_NONE };
		uint32_t version;

		print_message("%s\n", CASES[i].name);
		set_up(state);
		bring(CASES[i].before);
		version = presentity.source.version;
		assert_int_equal(prim_presentity_plan(&presentity, &p,
				     wheel.now_ms, &c),
		    CASES[i].code);
		assert_int_equal(c.kind, CASES[i].change);
		assert_int_equal(presentity.source.version, version);
		if (CASES[i].code == 200)
			prim_presentity_apply(&presentity, &c);
		assert_int_equal(presentity.source.version,
		    version + CASES[i].is_trigger);
		is_seen("t", CASES[i].seen);
		prim_change_fini(&c);
		tear_down(state);
	}
}

static void a_lease_that_is_over_uncovers_what_is_permanent(void **state)
{
	(void)state;
	publish(PRIM_PUBLISH_PERMANENT, "a", "permanent");
	publish(PRIM_PUBLISH_LEASED, "a", "leased");
	publish(PRIM_PUBLISH_LEASED, "b", "only leased");
	assert_int_equal(presentity.lease_count, 2);
	prim_wheel_advance(&wheel, START_MS + 7999);
	is_seen("a", "leased");
	prim_wheel_advance(&wheel, START_MS + 8000);
	is_seen("a", "permanent");
	is_seen("b", NULL);
	assert_int_equal(due_count, 2);
	assert_int_equal(presentity.lease_count, 0);
	assert_int_equal(presentity.tuple_count, 1);
}

static void a_renewed_lease_counts_from_now(void **state)
{
	(void)state;
	publish(PRIM_PUBLISH_LEASED, "a", "leased");
	prim_wheel_advance(&wheel, START_MS + 4000);
	publish(PRIM_PUBLISH_RENEW, "a", NULL);
	assert_int_equal(find("a")->expires_ms, START_MS + 12000);
	assert_int_equal(find("a")->leased_ms, START_MS);
	prim_wheel_advance(&wheel, START_MS + 11999);
	is_seen("a", "leased");
	prim_wheel_advance(&wheel, START_MS + 12000);
	is_seen("a", NULL);
}

static void nothing_expires_before_its_owner_says_so(void **state)
{
	(void)state;
	wait_ms = 800;
	publish(PRIM_PUBLISH_LEASED, "a", "leased");
	prim_wheel_advance(&wheel, START_MS + 8000);
	assert_int_equal(due_count, 1);
	is_seen("a", "leased");
	assert_int_equal(find("a")->expires_ms, START_MS + 8000);
	prim_wheel_advance(&wheel, START_MS + 8800);
	assert_int_equal(due_count, 2);
	is_seen("a", NULL);
}

static void a_tuple_id_is_compared_exactly(void **state)
{
	(void)state;
	publish(PRIM_PUBLISH_PERMANENT, "Phone", "one");
	assert_int_equal(publish(PRIM_PUBLISH_REMOVE, "phone", NULL), 403);
	publish(PRIM_PUBLISH_PERMANENT, "phone", "two");
	is_seen("Phone", "one");
	is_seen("phone", "two");
	assert_ptr_equal(TAILQ_FIRST(&presentity.tuples), find("Phone"));
	publish(PRIM_PUBLISH_PERMANENT, "Phone", "three");
	assert_ptr_equal(TAILQ_FIRST(&presentity.tuples), find("Phone"));
}

static void a_tuple_id_has_bounds(void **state)
{
	char id[PRIM_TUPLE_ID_MAX + 2];

	(void)state;
	memset(id, 'x', sizeof(id));
	id[PRIM_TUPLE_ID_MAX + 1] = '\0';
	assert_int_equal(publish(PRIM_PUBLISH_PERMANENT, id, "one"), 400);
	id[PRIM_TUPLE_ID_MAX] = '\0';
	assert_int_equal(publish(PRIM_PUBLISH_PERMANENT, id, "one"), 200);
	assert_int_equal(publish(PRIM_PUBLISH_PERMANENT, "", "one"), 400);
}

static void a_presentity_has_so_many_tuples(void **state)
{
	char id[2] = "0";

	(void)state;
	for (int i = 0; i < PRIM_TUPLES_MAX; i++) {
		id[0] = (char)('0' + i);
		assert_int_equal(publish(PRIM_PUBLISH_LEASED, id, "x"), 200);
	}
	assert_int_equal(publish(PRIM_PUBLISH_LEASED, "more", "x"), 500);
	assert_int_equal(publish(PRIM_PUBLISH_RENEW, "more", "x"), 500);
	assert_int_equal(publish(PRIM_PUBLISH_LEASED, id, "y"), 200);
	publish(PRIM_PUBLISH_REMOVE, id, NULL);
	assert_int_equal(publish(PRIM_PUBLISH_LEASED, "more", "x"), 200);
}

static void a_presentity_has_so_many_octets(void **state)
{
	/* With the type and the Tuple-ID half of all there is room for. */
	const size_t half = PRIM_PRESENCE_OCTETS_MAX / 2 - 21;
	char *body = prim_alloc(half + 2);

	(void)state;
	memset(body, 'x', half);
	assert_int_equal(publish(PRIM_PUBLISH_LEASED, "a", body), 200);
	assert_int_equal(publish(PRIM_PUBLISH_PERMANENT, "a", body), 200);
	assert_int_equal(presentity.octets, PRIM_PRESENCE_OCTETS_MAX);
	assert_int_equal(publish(PRIM_PUBLISH_PERMANENT, "b", "x"), 500);
	/* What is replaced makes room. */
	assert_int_equal(publish(PRIM_PUBLISH_LEASED, "a", body), 200);
	assert_int_equal(publish(PRIM_PUBLISH_PERMANENT, "a", body), 200);
	body[half] = 'x';
	assert_int_equal(publish(PRIM_PUBLISH_LEASED, "a", body), 500);
	assert_int_equal(publish(PRIM_PUBLISH_RENEW, "a", body), 200);
	publish(PRIM_PUBLISH_REVERT, "a", NULL);
	assert_int_equal(presentity.octets, PRIM_PRESENCE_OCTETS_MAX / 2);
	assert_int_equal(publish(PRIM_PUBLISH_PERMANENT, "b", "x"), 200);
	prim_free(body);
}

static void what_is_dropped_but_not_there_is_no_change(void **state)
{
	static const enum prim_change_kind KINDS[] = { PRIM_CHANGE_NONE,
		PRIM_CHANGE_EXPIRY, PRIM_CHANGE_DROP_LEASE,
		PRIM_CHANGE_DROP_TUPLE };

	char id[] = "t";

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(KINDS); i++) {
		const struct prim_change c = { .kind = KINDS[i],
			.tuple_id = id,
			.expires_ms = START_MS + 8000 };

		prim_presentity_apply(&presentity, &c);
	}
	assert_int_equal(presentity.source.version, 1);
	publish(PRIM_PUBLISH_PERMANENT, "t", "permanent");
	for (size_t i = 0; i < PRIM_COUNT(KINDS) - 1; i++) {
		const struct prim_change c = { .kind = KINDS[i],
			.tuple_id = id,
			.expires_ms = START_MS + 8000 };

		prim_presentity_apply(&presentity, &c);
	}
	assert_int_equal(presentity.source.version, 2);
	assert_true(prim_wheel_next(&wheel) == INT64_MAX);
}

static void the_view_of_one_tuple_is_what_was_published(void **state)
{
	const struct prim_document *view;

	(void)state;
	view = prim_source_view(&presentity.source, PRIM_FORM_CLIENT);
	assert_int_equal(view->body.len, 0); /* ERR-93 */
	publish(PRIM_PUBLISH_PERMANENT, "t", "permanent");
	publish(PRIM_PUBLISH_LEASED, "t", "leased");
	view = prim_source_view(&presentity.source, PRIM_FORM_CLIENT);
	assert_true(prim_document_eq(view, prim_tuple_value(find("t"))));
	assert_true(prim_slice_eq(view->name, PRIM_SLICE("t")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_publication_does_what_the_table_says),
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_lease_that_is_over_uncovers_what_is_permanent),
		TEST(a_renewed_lease_counts_from_now),
		TEST(nothing_expires_before_its_owner_says_so),
		TEST(a_tuple_id_is_compared_exactly),
		TEST(a_tuple_id_has_bounds),
		TEST(a_presentity_has_so_many_tuples),
		TEST(a_presentity_has_so_many_octets),
		TEST(what_is_dropped_but_not_there_is_no_change),
		TEST(the_view_of_one_tuple_is_what_was_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
