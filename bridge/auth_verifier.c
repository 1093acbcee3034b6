/* SPDX-License-Identifier: ISC */
/* Verifiers of passwords. */

#include "bridge/auth_verifier.h"

#include <gsasl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/auth.h"

struct keys {
	uint8_t salted[BR_HASH_LEN];
	uint8_t client[BR_HASH_LEN];
	uint8_t server[BR_HASH_LEN];
	uint8_t stored[BR_HASH_LEN];
};

static bool derive(const char *password, const struct br_auth_verifier *v,
    struct keys *out)
{
	return gsasl_scram_secrets_from_password(GSASL_HASH_SHA256, password,
		   v->iterations, (const char *)v->salt, v->salt_len,
		   (char *)out->salted, (char *)out->client,
		   (char *)out->server, (char *)out->stored) == GSASL_OK;
}

/* For forget(). NULL when SASLprep does not allow it, or leaves nothing of it.
 * Code points that Unicode 3.2 does not know are refused on both ends, so that
 * a password means the same wherever it was set. */
static char *prepare(const char *password)
{
	char *prepared = NULL;

	if (gsasl_saslprep(password, 0, &prepared, NULL) != GSASL_OK)
		return NULL;
	if (!*prepared) {
		gsasl_free(prepared);
		return NULL;
	}
	return prepared;
}

static void forget(char *prepared)
{
	if (!prepared)
		return;
	explicit_bzero(prepared, strlen(prepared));
	gsasl_free(prepared);
}

bool br_auth_verifier_same(const void *a, const void *b, size_t len)
{
	volatile uint8_t difference = 0;

	for (size_t i = 0; i < len; i++)
		difference |= ((const uint8_t *)a)[i] ^ ((const uint8_t *)b)[i];
	return difference == 0;
}

bool br_auth_verifier_check(const struct br_auth_verifier *v,
    const char *password)
{
	char *prepared = password ? prepare(password) : NULL;
	struct keys keys = { 0 };
	bool is_right = derive(prepared ? prepared : "x", v, &keys);

	is_right &= br_auth_verifier_same(keys.stored, v->stored_key,
	    BR_HASH_LEN);
	is_right &= prepared && v->is_real;
	explicit_bzero(&keys, sizeof(keys));
	forget(prepared);
	return is_right;
}

static bool fill(const char *prepared, struct br_store_account *out)
{
	struct br_auth_verifier v = { .iterations = BR_AUTH_ITERATIONS,
		.salt_len = BR_AUTH_SALT_LEN };
	struct keys keys = { 0 };

	if (getrandom(v.salt, v.salt_len, 0) != (ssize_t)v.salt_len ||
	    !derive(prepared, &v, &keys))
		return false;
	out->iterations = v.iterations;
	out->salt_len = (uint8_t)v.salt_len;
	memcpy(out->salt, v.salt, v.salt_len);
	memcpy(out->stored_key, keys.stored, BR_HASH_LEN);
	memcpy(out->server_key, keys.server, BR_HASH_LEN);
	explicit_bzero(&keys, sizeof(keys));
	return true;
}

bool br_auth_verifier(struct prim_slice password, struct br_store_account *out,
    struct br_err *err)
{
	char text[BR_AUTH_PASSWORD_MAX + 1], *prepared;
	bool is_filled;

	if (password.len == 0)
		return br_err_set(err, "the password is empty");
	if (password.len > BR_AUTH_PASSWORD_MAX)
		return br_err_set(err, "the password is longer than %d octets",
		    BR_AUTH_PASSWORD_MAX);
	memcpy(text, password.ptr, password.len);
	text[password.len] = '\0';
	prepared = strlen(text) == password.len ? prepare(text) : NULL;
	explicit_bzero(text, sizeof(text));
	if (!prepared)
		return br_err_set(err,
		    "SASLprep (RFC 4013) does not allow the password: no "
		    "control characters, nothing but UTF-8, and not left-to-"
		    "right mixed with right-to-left");
	is_filled = fill(prepared, out);
	forget(prepared);
	return is_filled || br_err_set(err, "the password cannot be hashed");
}
