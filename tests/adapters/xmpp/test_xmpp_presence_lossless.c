/* SPDX-License-Identifier: ISC */
/* What came from XMPP and goes back to XMPP is the same: random presence, as
 * PIDF and back, and as stanzas and back. */

#include <stdio.h>

#include "adapters/xmpp/presence_private.h"
#include "prim/utf8.h"
#include "tests/adapters/xmpp/presence_text.h"

#define ROUNDS 10000

static unsigned next_random(uint64_t *seed, unsigned below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (unsigned)(*seed >> 33) % below;
}

/* Any character that XML has; often one that has to be escaped. A stanza is
 * read without CR: XML makes LF of it. */
static void put_char(struct prim_buf *b, uint64_t *seed)
{
	static const char marks[] = "<>&\"' \t\n]-/\\%";
	uint32_t c;

	switch (next_random(seed, 4)) {
	case 0:
		prim_buf_putc(b, marks[next_random(seed, sizeof(marks) - 1)]);
		return;
	case 1:
		c = 0xa0 + next_random(seed, 0xd000);
		break;
	case 2:
		c = 0x10000 + next_random(seed, 0x100000);
		break;
	default:
		c = 0x21 + next_random(seed, 0x5e);
		break;
	}
	prim_utf8_put(b, c);
}

static void add_status(struct xa_presence *p, uint64_t *seed)
{
	static const char *const languages[] = { "", "en", "en-GB", "de",
		"zh-Hans-CN", "x-klingon" };
	const char *language =
	    languages[next_random(seed, PRIM_COUNT(languages))];
	unsigned len = next_random(seed, 20) ? next_random(seed, 40) : 3000;
	struct prim_buf text = { 0 };

	while (len--)
		put_char(&text, seed);
	xa_presence_add_status(p, prim_slice_of(language),
	    prim_buf_slice(&text));
	prim_buf_fini(&text);
}

/* One that a tuple's id can carry as it is, and that may be a resource. */
static char *random_resource(uint64_t *seed)
{
	static const char *const parts[] = { "a", "Z", "0", "-", ".", "_",
		"ID-", "\xc3\xa9", "\xd0\xb6", "\xe4\xb8\xad", "home" };
	unsigned count = next_random(seed, 6) + 1;
	struct prim_buf b = { 0 };

	while (count--)
		prim_buf_puts(&b, parts[next_random(seed, PRIM_COUNT(parts))]);
	return prim_buf_steal(&b);
}

static int64_t random_time(uint64_t *seed)
{
	return NOW - (int64_t)next_random(seed, 2000000000) * 100;
}

static struct xa_presence random_presence(uint64_t *seed)
{
	struct xa_presence p = {
		.resource = random_resource(seed),
		.is_available = next_random(seed, 3) != 0,
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = random_time(seed),
	};

	for (unsigned n = next_random(seed, 4); n > 0; n--)
		add_status(&p, seed);
	if (!p.is_available)
		return p;
	p.show = (enum xa_show)next_random(seed, XA_SHOW_DND + 1);
	p.priority = (int)next_random(seed, 256) - 128;
	if (next_random(seed, 2))
		p.idle_since_ms = random_time(seed);
	return p;
}

static void random_presences(struct xa_presences *out, uint64_t *seed)
{
	unsigned count = next_random(seed, 6);

	*out = (struct xa_presences){ 0 };
	if (next_random(seed, 10) == 0) {
		struct xa_presence bare = random_presence(seed);

		bare.resource = prim_free(bare.resource);
		xa_presences_take(out, &bare);
	}
	while (count--) {
		struct xa_presence p = random_presence(seed);

		xa_presences_take(out, &p);
	}
}

static void assert_same(const char *what, unsigned round,
    const struct xa_presences *got, const struct xa_presences *want)
{
	char *a = text_of(got), *b = text_of(want);

	if (strcmp(a, b) != 0)
		fail_msg("%s %u: %s, not %s", what, round, a, b);
	for (unsigned i = 0; i < want->count; i++)
		assert_int_equal(got->items[i].stamp_ms,
		    want->items[i].stamp_ms);
	prim_free(a);
	prim_free(b);
}

/* The one thing that may not go through (RFC 8048 table 1, note 6). */
static void forget_negative_priorities(struct xa_presences *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (all->items[i].priority < 0)
			all->items[i].priority = 0;
	}
}

static void presence_comes_back_from_pidf_as_it_was(void **state)
{
	uint64_t seed = 20261026;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct xa_presences want, got = { 0 };
		struct prim_pidf *p;

		random_presences(&want, &seed);
		p = text_document(&want);
		xa_presences_from_pidf(&got, p, NOW);
		if (want.count == 0) {
			struct xa_presence nobody = { .stamp_ms = NOW };

			xa_presences_take(&want, &nobody);
		}
		forget_negative_priorities(&want);
		assert_same("PIDF", round, &got, &want);
		text_free(p);
		xa_presences_fini(&got);
		xa_presences_fini(&want);
	}
}

static char *stanza_of(xmpp_ctx_t *xmpp, const struct xa_presence *p)
{
	const struct xa_presence_route route = {
		.from = "romeo@prim.example",
		.to = "juliet@jabber.example",
		.now_ms = NOW,
	};
	xmpp_stanza_t *s = xa_presence_stanza(xmpp, p, &route);
	struct prim_buf xml = { 0 };

	xa_stanza_put(&xml, s);
	xmpp_stanza_release(s);
	return prim_buf_steal(&xml);
}

static void presence_comes_back_from_a_stanza_as_it_was(void **state)
{
	xmpp_ctx_t *xmpp = xa_stanza_context();
	uint64_t seed = 8048;

	(void)state;
	for (unsigned round = 0; round < ROUNDS / 4; round++) {
		struct xa_presence p = random_presence(&seed), again = { 0 };
		struct xa_presences want = { .items = &p, .count = 1 };
		struct xa_presences got = { .items = &again, .count = 1 };
		char *xml = stanza_of(xmpp, &p);

		assert_true(text_read(&again, xml));
		/* A stamp of the last minute is that of the arrival. */
		if (NOW - p.stamp_ms <= 60000)
			p.stamp_ms = NOW;
		assert_same("stanza", round, &got, &want);
		prim_free(xml);
		xa_presence_fini(&p);
		xa_presence_fini(&again);
	}
	xmpp_ctx_free(xmpp);
}

/* What an id cannot carry goes by another name, but always by the same. */
static void any_resource_goes_by_one_name_for_ever(void **state)
{
	uint64_t seed = 7622;

	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		struct prim_buf name = { 0 }, id = { 0 }, again = { 0 };
		struct prim_buf resource = { 0 };

		for (unsigned n = 0; n < 1 + round % 20; n++)
			put_char(&name, &seed);
		xa_presence_map_put_id(&id, prim_buf_slice(&name));
		xa_presence_map_put_id(&again, prim_buf_slice(&name));
		assert_true(prim_slice_eq(prim_buf_slice(&id),
		    prim_buf_slice(&again)));
		assert_true(xa_presence_map_is_ours(prim_buf_slice(&id)));
		xa_presence_map_put_resource(&resource, prim_buf_slice(&id));
		assert_true(resource.len > 0 && resource.len <= 1023);
		prim_buf_fini(&name);
		prim_buf_fini(&id);
		prim_buf_fini(&again);
		prim_buf_fini(&resource);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presence_comes_back_from_pidf_as_it_was),
		cmocka_unit_test(presence_comes_back_from_a_stanza_as_it_was),
		cmocka_unit_test(any_resource_goes_by_one_name_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
