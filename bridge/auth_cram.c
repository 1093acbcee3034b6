/* SPDX-License-Identifier: ISC */
/* CRAM-MD5 (PRIM-102, ERR-62). */

#include <gsasl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/auth_mechanism.h"
#include "prim/base.h"
#include "prim/buf.h"

/* PRIM-105. 128 random bits, and the domain the client wants to be of. */
static void put_challenge(const struct br_auth_exchange *x, struct prim_buf *b)
{
	uint64_t random[2];

	if (x->auth->challenge) {
		prim_buf_puts(b, x->auth->challenge);
		return;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	prim_buf_putf(b, "<%" PRIu64 ".%" PRIu64 "%s>", random[0], random[1],
	    strrchr(x->key, '@'));
}

void br_auth_cram_begin(struct br_auth_exchange *x)
{
	struct prim_buf challenge = { 0 };

	put_challenge(x, &challenge);
	x->challenge = prim_slice_copy(prim_buf_slice(&challenge));
	br_auth_exchange_challenge(x, prim_buf_slice(&challenge));
	prim_buf_fini(&challenge);
}

/* Whoever answers before he was asked knows no challenge. */
void br_auth_cram_message(struct br_auth_exchange *x)
{
	if (x->challenge)
		br_auth_exchange_pace(x, br_auth_exchange_look_up);
	else
		br_auth_exchange_fail(x);
}

/* libgsasl's client computes it, so that no MD5 of ours is needed. */
bool br_auth_cram_digest(struct Gsasl *sasl, struct prim_slice challenge,
    const char *password, char out_digest[BR_AUTH_CRAM_LEN + 1])
{
	Gsasl_session *client = NULL;
	char *said = NULL;
	size_t len = 0;
	bool is_fine;

	if (gsasl_client_start(sasl, "CRAM-MD5", &client) != GSASL_OK)
		abort();
	gsasl_property_set(client, GSASL_AUTHID, "x");
	gsasl_property_set(client, GSASL_PASSWORD, password);
	is_fine = gsasl_step(client, challenge.ptr, challenge.len, &said,
		      &len) == GSASL_OK &&
	    len > BR_AUTH_CRAM_LEN;
	if (is_fine) {
		memcpy(out_digest, said + len - BR_AUTH_CRAM_LEN,
		    BR_AUTH_CRAM_LEN);
		out_digest[BR_AUTH_CRAM_LEN] = '\0';
	}
	gsasl_free(said);
	gsasl_finish(client);
	return is_fine;
}

/* The same work for everybody, also for who is not here and for accounts whose
 * secret was never kept (PRIM-100). */
void br_auth_cram_found(struct br_auth_exchange *x)
{
	struct br_auth_cram said = { .digest = "" };
	char digest[BR_AUTH_CRAM_LEN + 1] = "";
	bool is_right;

	is_right = br_auth_cram_digest(x->auth->sasl,
	    prim_slice_of(x->challenge), x->secret ? x->secret : "nobody's",
	    digest);
	is_right &= br_auth_body_cram(br_auth_exchange_body(x), &said);
	is_right &= br_auth_verifier_same(said.digest, digest,
	    BR_AUTH_CRAM_LEN);
	is_right &= x->secret && x->verifier.is_real;
	if (is_right && br_auth_body_names(said.user, prim_slice_of(x->key)))
		br_auth_exchange_end(x, BR_AUTH_OK, PRIM_SLICE_NONE);
	else
		br_auth_exchange_fail(x);
}
