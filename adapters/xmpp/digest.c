/* SPDX-License-Identifier: ISC */
/* Digests in hexadecimal, and the packing of return tokens. */

#include "adapters/xmpp/digest.h"

#include <openssl/evp.h>

#include "prim/base.h"

#define ID_OCTETS 16

static void put_digest(struct prim_buf *b, const EVP_MD *kind,
    struct prim_slice octets, size_t max)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	EVP_Digest(octets.ptr, octets.len, digest, &len, kind, NULL);
	prim_buf_put_hex(b, digest, len < max ? len : max);
}

void xa_digest_handshake(struct prim_buf *b, struct prim_slice id,
    struct prim_slice secret)
{
	struct prim_buf all = { 0 };

	prim_buf_put(&all, id);
	prim_buf_put(&all, secret);
	put_digest(b, EVP_sha1(), prim_buf_slice(&all), EVP_MAX_MD_SIZE);
	OPENSSL_cleanse(all.ptr, all.len);
	prim_buf_fini(&all);
}

void xa_digest_id(struct prim_buf *b, const struct prim_slice *parts,
    size_t count)
{
	struct prim_buf all = { 0 };

	for (size_t i = 0; i < count; i++) {
		prim_buf_put_number(&all, parts[i].len);
		prim_buf_putc(&all, ':');
		prim_buf_put(&all, parts[i]);
	}
	put_digest(b, EVP_sha256(), prim_buf_slice(&all), ID_OCTETS);
	prim_buf_fini(&all);
}

void xa_digest_base64(struct prim_buf *b, struct prim_slice octets)
{
	unsigned char *to = (unsigned char *)prim_buf_room(b,
	    (octets.len + 2) / 3 * 4 + 1);
	int len = EVP_EncodeBlock(to, (const unsigned char *)octets.ptr,
	    (int)octets.len);

	prim_buf_grow(b, (size_t)len);
}

bool xa_digest_unbase64(struct prim_buf *b, struct prim_slice text)
{
	unsigned char *to;
	int len;

	if (text.len == 0 || text.len % 4)
		return false;
	to = (unsigned char *)prim_buf_room(b, text.len / 4 * 3 + 1);
	len = EVP_DecodeBlock(to, (const unsigned char *)text.ptr,
	    (int)text.len);
	if (len < 0)
		return false;
	/* It counts the padding as octets. */
	for (size_t i = text.len; i > 0 && text.ptr[i - 1] == '='; i--)
		len--;
	if (len < 0)
		return false;
	prim_buf_grow(b, (size_t)len);
	return true;
}
