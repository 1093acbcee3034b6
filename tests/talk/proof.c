/* SPDX-License-Identifier: ISC */
/* A SCRAM-SHA-256 client without channel binding. */

#include "tests/talk/proof.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "prim/base.h"

#define HASH SHA256_DIGEST_LENGTH

struct hash {
	unsigned char octets[HASH];
};

static struct hash hmac(struct hash key, struct prim_slice text)
{
	struct hash out;

	HMAC(EVP_sha256(), key.octets, HASH, (const unsigned char *)text.ptr,
	    text.len, out.octets, NULL);
	return out;
}

static void keep(struct talk_names *names, struct prim_slice name,
    struct hash value)
{
	char text[64];
	int len = EVP_EncodeBlock((unsigned char *)text, value.octets, HASH);

	(void)talk_names_put(names, name, prim_slice_make(text, (size_t)len));
}

/* Hi(password, salt, count) of RFC 5802. */
static bool salted(const struct talk_names *names, struct prim_slice password,
    struct hash *out)
{
	unsigned char salt[128];
	struct prim_slice text, count_text;
	uint64_t count;
	int len;

	if (!talk_names_find(names, PRIM_SLICE("salt"), &text) ||
	    !talk_names_find(names, PRIM_SLICE("count"), &count_text) ||
	    !prim_slice_number(count_text, 100000, &count) || text.len > 128)
		return false;
	len = EVP_DecodeBlock(salt, (const unsigned char *)text.ptr,
	    (int)text.len);
	for (size_t i = text.len; i > 0 && text.ptr[i - 1] == '='; i--)
		len--;
	return len > 0 &&
	    PKCS5_PBKDF2_HMAC(password.ptr, (int)password.len, salt, len,
		(int)count, EVP_sha256(), HASH, out->octets) == 1;
}

bool talk_proof(struct talk_names *names, struct prim_slice args)
{
	static const char AUTH[] =
	    "n={=name},r={=cnonce},r={=nonce},s={=salt},i={=count},"
	    "c=biws,r={=nonce}";
	struct prim_buf auth = { 0 };
	struct hash key, stored, proof;
	bool ok;

	ok = talk_names_put(names, PRIM_SLICE("name"),
		 prim_slice_cut(&args, ' ')) &&
	    salted(names, args, &key) &&
	    talk_expand(names, prim_slice_of(AUTH), &auth);
	if (ok) {
		proof = hmac(key, PRIM_SLICE("Client Key"));
		SHA256(proof.octets, HASH, stored.octets);
		stored = hmac(stored, prim_buf_slice(&auth));
		for (size_t i = 0; i < HASH; i++)
			proof.octets[i] ^= stored.octets[i];
		keep(names, PRIM_SLICE("proof"), proof);
		keep(names, PRIM_SLICE("verifier"),
		    hmac(hmac(key, PRIM_SLICE("Server Key")),
			prim_buf_slice(&auth)));
	}
	prim_buf_fini(&auth);
	return ok;
}
