/* SPDX-License-Identifier: ISC */
/* Identifiers: a key is its own key, and escaping what an address stands for
 * leads to the same key. */

#include "tests/fuzz/fuzz.h"

#include "prim/address.h"

static void check_key(const struct prim_address *a, struct prim_key *key)
{
	struct prim_address again;
	struct prim_key second;

	prim_address_key(a, key);
	FUZZ_CHECK(key->len <= a->text.len);
	FUZZ_CHECK(prim_key_local(key).len + prim_key_domain(key).len + 1 ==
	    key->len);
	FUZZ_CHECK(prim_address_parse_bare(prim_key_slice(key), &again));
	prim_address_key(&again, &second);
	FUZZ_CHECK(prim_slice_eq(prim_key_slice(key), prim_key_slice(&second)));
}

static void check(const struct prim_address *a, struct prim_slice in)
{
	struct prim_buf plain = { 0 }, spelled = { 0 };
	struct prim_address again;
	struct prim_key key, second;

	FUZZ_CHECK(a->text.ptr == in.ptr && a->text.len == in.len);
	FUZZ_CHECK(fuzz_inside(a->local, in) && fuzz_inside(a->domain, in));
	check_key(a, &key);
	FUZZ_CHECK(prim_address_unescape(&plain, a->local));
	FUZZ_CHECK(plain.len > 0 && plain.len <= PRIM_LOCAL_MAX);
	prim_address_escape(&spelled, prim_buf_slice(&plain));
	prim_buf_putc(&spelled, '@');
	prim_buf_put(&spelled, a->domain);
	FUZZ_CHECK(prim_address_parse_bare(prim_buf_slice(&spelled), &again));
	prim_address_key(&again, &second);
	FUZZ_CHECK(prim_slice_eq(prim_key_slice(&key),
	    prim_key_slice(&second)));
	prim_buf_fini(&plain);
	prim_buf_fini(&spelled);
}

static void check_octets(struct prim_slice in)
{
	struct prim_buf escaped = { 0 }, back = { 0 };

	prim_address_escape(&escaped, in);
	FUZZ_CHECK(prim_address_unescape(&back, prim_buf_slice(&escaped)));
	FUZZ_CHECK(prim_slice_eq(prim_buf_slice(&back), in));
	prim_buf_reset(&back);
	if (prim_address_unescape(&back, in))
		FUZZ_CHECK(back.len <= in.len);
	prim_buf_fini(&escaped);
	prim_buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prim_slice in = fuzz_slice(data, size);
	struct prim_address a;

	if (prim_address_parse(in, &a)) {
		FUZZ_CHECK(a.scheme != PRIM_SCHEME_NONE);
		check(&a, in);
	}
	if (prim_address_parse_bare(in, &a)) {
		FUZZ_CHECK(a.scheme == PRIM_SCHEME_NONE);
		check(&a, in);
	}
	check_octets(in);
	return 0;
}
