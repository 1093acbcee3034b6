/* SPDX-License-Identifier: ISC */
/* The client's half of SCRAM. */

#include "contrib/client/scram.h"

#include <gsasl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "prim/base.h"

/* RFC 7677 asks for 4096; the upper end is about a second of computing. */
#define ITERATIONS_MIN 4096
#define ITERATIONS_MAX 2000000

#define SALT_MAX     1024
#define NONCE_OCTETS 24

/* By kind. */
static const char *const HEADERS[] = { "n,,", "y,,", "p=tls-exporter,," };

struct challenge {
	struct prim_slice nonce; /* ours and the server's */
	struct prim_slice salt;  /* in base64 */
	uint64_t iterations;
};

struct keys {
	char salted[CL_SCRAM_HASH];
	char client[CL_SCRAM_HASH];
	char server[CL_SCRAM_HASH];
	char stored[CL_SCRAM_HASH];
};

static void put_base64(struct prim_buf *b, const void *octets, size_t len)
{
	char *text = NULL;
	size_t text_len = 0;

	if (gsasl_base64_to(octets, len, &text, &text_len) != GSASL_OK)
		abort();
	prim_buf_put(b, prim_slice_make(text, text_len));
	gsasl_free(text);
}

void cl_scram_init(struct cl_scram *s, enum cl_scram_kind kind,
    const char *password)
{
	char octets[NONCE_OCTETS];
	struct prim_buf nonce = { 0 };

	*s = (struct cl_scram){ .kind = kind, .password = password };
	if (gsasl_random(octets, sizeof(octets)) != GSASL_OK)
		abort();
	put_base64(&nonce, octets, sizeof(octets));
	memcpy(s->nonce, nonce.ptr, nonce.len); /* 32 characters */
	prim_buf_fini(&nonce);
}

void cl_scram_fini(struct cl_scram *s)
{
	prim_buf_fini(&s->bare);
}

/* ---- our first message ---- */

void cl_scram_first(struct cl_scram *s, const char *user, struct prim_buf *out)
{
	prim_buf_reset(&s->bare);
	prim_buf_puts(&s->bare, "n=");
	for (; *user; user++) {
		if (*user == '=')
			prim_buf_puts(&s->bare, "=3D");
		else if (*user == ',')
			prim_buf_puts(&s->bare, "=2C");
		else
			prim_buf_putc(&s->bare, *user);
	}
	prim_buf_putf(&s->bare, ",r=%s", s->nonce);
	prim_buf_puts(out, HEADERS[s->kind]);
	prim_buf_put(out, prim_buf_slice(&s->bare));
}

/* ---- its challenge ---- */

static bool take(struct prim_slice *rest, const char *name,
    struct prim_slice *out_value)
{
	struct prim_slice part = prim_slice_cut(rest, ',');

	*out_value = prim_slice_from(part, 2);
	return prim_slice_starts(part, prim_slice_of(name)) &&
	    out_value->len > 0;
}

/* "r=NONCE,s=SALT,i=COUNT", then extensions that may be ignored. */
static bool parse(const struct cl_scram *s, struct prim_slice text,
    struct challenge *out)
{
	struct prim_slice count;

	return take(&text, "r=", &out->nonce) &&
	    take(&text, "s=", &out->salt) && take(&text, "i=", &count) &&
	    prim_slice_number(count, UINT32_MAX, &out->iterations) &&
	    prim_slice_starts(out->nonce, prim_slice_of(s->nonce)) &&
	    out->nonce.len > strlen(s->nonce);
}

/* ---- our proof ---- */

static bool derive(const struct cl_scram *s, const struct challenge *c,
    struct keys *out, struct cl_err *err)
{
	char *salt = NULL, *password = NULL;
	size_t salt_len = 0;
	bool ok = false;

	if (gsasl_saslprep(s->password, GSASL_ALLOW_UNASSIGNED, &password,
		NULL) != GSASL_OK)
		return cl_err_final(err,
		    "the password has characters that passwords may not have");
	if (c->salt.len <= SALT_MAX &&
	    gsasl_base64_from(c->salt.ptr, c->salt.len, &salt, &salt_len) ==
		GSASL_OK)
		ok = gsasl_scram_secrets_from_password(GSASL_HASH_SHA256,
			 password, (unsigned)c->iterations, salt, salt_len,
			 out->salted, out->client, out->server,
			 out->stored) == GSASL_OK;
	explicit_bzero(password, strlen(password));
	gsasl_free(password);
	gsasl_free(salt);
	return ok || cl_err_final(err, "the server's salt cannot be read");
}

static void sign(const char key[CL_SCRAM_HASH], struct prim_slice text,
    uint8_t out[CL_SCRAM_HASH])
{
	if (!HMAC(EVP_sha256(), key, CL_SCRAM_HASH,
		(const unsigned char *)text.ptr, text.len, out, NULL))
		abort();
}

/* "c=HEADER AND BINDING,r=NONCE". */
static void put_bare(const struct cl_scram *s, const struct challenge *c,
    struct prim_buf *b)
{
	struct prim_buf bound = { 0 };

	prim_buf_puts(&bound, HEADERS[s->kind]);
	if (s->kind == CL_SCRAM_BOUND)
		prim_buf_put(&bound,
		    prim_slice_make((const char *)s->binding,
			sizeof(s->binding)));
	prim_buf_puts(b, "c=");
	put_base64(b, bound.ptr, bound.len);
	prim_buf_puts(b, ",r=");
	prim_buf_put(b, c->nonce);
	prim_buf_fini(&bound);
}

static void prove(struct cl_scram *s, const struct keys *keys,
    struct prim_slice all, struct prim_buf *out)
{
	uint8_t proof[CL_SCRAM_HASH];

	sign(keys->server, all, s->signature);
	sign(keys->stored, all, proof);
	for (size_t i = 0; i < sizeof(proof); i++)
		proof[i] ^= (uint8_t)keys->client[i];
	prim_buf_puts(out, ",p=");
	put_base64(out, proof, sizeof(proof));
}

bool cl_scram_prove(struct cl_scram *s, struct prim_slice challenge,
    struct prim_buf *out, struct cl_err *err)
{
	struct prim_buf bare = { 0 }, all = { 0 };
	struct challenge c;
	struct keys keys;

	if (!parse(s, challenge, &c))
		return cl_err_final(err,
		    "what the server says about the login is not SCRAM");
	if (c.iterations < ITERATIONS_MIN || c.iterations > ITERATIONS_MAX)
		return cl_err_final(err,
		    "the server asks for a login that is too weak or too "
		    "costly");
	if (!derive(s, &c, &keys, err))
		return false;
	put_bare(s, &c, &bare);
	prim_buf_put(&all, prim_buf_slice(&s->bare));
	prim_buf_putc(&all, ',');
	prim_buf_put(&all, challenge);
	prim_buf_putc(&all, ',');
	prim_buf_put(&all, prim_buf_slice(&bare));
	prim_buf_put(out, prim_buf_slice(&bare));
	prove(s, &keys, prim_buf_slice(&all), out);
	explicit_bzero(&keys, sizeof(keys));
	prim_buf_fini(&bare);
	prim_buf_fini(&all);
	return true;
}

/* ---- its last word ---- */

bool cl_scram_check(const struct cl_scram *s, struct prim_slice last)
{
	struct prim_buf right = { 0 };
	bool ok;

	prim_buf_puts(&right, "v=");
	put_base64(&right, s->signature, sizeof(s->signature));
	last = prim_slice_cut(&last, ',');
	ok = last.len == right.len &&
	    CRYPTO_memcmp(last.ptr, right.ptr, right.len) == 0;
	prim_buf_fini(&right);
	return ok;
}
