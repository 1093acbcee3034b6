/* SPDX-License-Identifier: ISC */
/* SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677, 9266) by libgsasl. */

#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/auth_mechanism.h"

static void put(Gsasl_session *sasl, Gsasl_property property,
    const uint8_t *octets, size_t len)
{
	char *text = NULL;

	if (gsasl_base64_to((const char *)octets, len, &text, NULL) != GSASL_OK)
		abort();
	gsasl_property_set(sasl, property, text);
	gsasl_free(text);
}

/* Whatever libgsasl will ask for is there before it asks: no callback. Where it
 * knows a binding, it refuses a client who could bind and believes that we
 * cannot ("y,"). */
static void open_session(struct br_auth_exchange *x)
{
	const struct br_auth_verifier *v = &x->verifier;
	char iterations[16];

	if (gsasl_server_start(x->auth->sasl, x->mechanism->name.ptr,
		&x->sasl) != GSASL_OK)
		abort();
	snprintf(iterations, sizeof(iterations), "%u", v->iterations);
	gsasl_property_set(x->sasl, GSASL_SCRAM_ITER, iterations);
	put(x->sasl, GSASL_SCRAM_SALT, v->salt, v->salt_len);
	/* In base64, whatever gsasl.h says. */
	put(x->sasl, GSASL_SCRAM_STOREDKEY, v->stored_key, BR_HASH_LEN);
	put(x->sasl, GSASL_SCRAM_SERVERKEY, v->server_key, BR_HASH_LEN);
	if (x->can_bind)
		put(x->sasl, GSASL_CB_TLS_EXPORTER, x->binding,
		    BR_TLS_BINDING_LEN);
}

void br_auth_scram_fini(struct br_auth_exchange *x)
{
	if (x->sasl)
		gsasl_finish(x->sasl);
	x->sasl = NULL;
}

/* ERR-64, PRIM-107. libgsasl has undone =2C and =3D. */
static bool names_us(const struct br_auth_exchange *x)
{
	const char *user = gsasl_property_fast(x->sasl, GSASL_AUTHID);
	const char *authzid = gsasl_property_fast(x->sasl, GSASL_AUTHZID);
	const struct prim_slice key = prim_slice_of(x->key);

	return br_auth_body_names(prim_slice_of(user), key) &&
	    (!authzid || br_auth_body_names(prim_slice_of(authzid), key));
}

void br_auth_scram_found(struct br_auth_exchange *x)
{
	char *out = NULL;
	size_t len = 0;
	int result;

	open_session(x);
	result = gsasl_step(x->sasl, x->body, x->body_len, &out, &len);
	if (result == GSASL_NEEDS_MORE && names_us(x))
		br_auth_exchange_challenge(x, prim_slice_make(out, len));
	else
		br_auth_exchange_fail(x);
	gsasl_free(out);
}

static void take_last(struct br_auth_exchange *x)
{
	char *out = NULL;
	size_t len = 0;
	const int result = gsasl_step(x->sasl, x->body, x->body_len, &out,
	    &len);

	if (result == GSASL_OK && x->verifier.is_real)
		br_auth_exchange_end(x, BR_AUTH_OK, prim_slice_make(out, len));
	else
		br_auth_exchange_fail(x);
	gsasl_free(out);
}

void br_auth_scram_message(struct br_auth_exchange *x)
{
	const struct prim_slice body = br_auth_exchange_body(x);

	if (!x->sasl && br_auth_body_scram_first(body, x->mechanism->binds))
		br_auth_exchange_look_up(x);
	else if (x->sasl && br_auth_body_scram(body))
		br_auth_exchange_pace(x, take_last);
	else
		br_auth_exchange_fail(x);
}
