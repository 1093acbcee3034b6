/* SPDX-License-Identifier: ISC */
/* Domain names in their two spellings. */

#include "adapters/xmpp/idna.h"

#include <unicode/uidna.h>

#include "prim/address.h"
#include "prim/octet.h"

#define NAME_MAX_OCTETS 1023 /* of a domainpart, RFC 7622 3.2 */

/* Opened once, kept for the life of the process: opening is dear and the
 * object is read-only. NULL if ICU has no data, and then no name passes. */
static const UIDNA *rules(void)
{
	static UIDNA *opened;
	UErrorCode status = U_ZERO_ERROR;

	if (!opened)
		opened = uidna_openUTS46(UIDNA_USE_STD3_RULES |
			UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
			UIDNA_NONTRANSITIONAL_TO_ASCII |
			UIDNA_NONTRANSITIONAL_TO_UNICODE,
		    &status);
	return U_FAILURE(status) ? NULL : opened;
}

static bool is_plain(struct prim_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
		if (s.len - i >= 4 &&
		    prim_slice_eq_nocase(prim_slice_make(s.ptr + i, 4),
			PRIM_SLICE("xn--")))
			return false;
	}
	return true;
}

static void put_lower(struct prim_buf *b, struct prim_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		prim_buf_putc(b, prim_octet_lower(s.ptr[i]));
}

static struct prim_slice without_dot(struct prim_slice s)
{
	if (s.len && s.ptr[s.len - 1] == '.')
		s.len--;
	return s;
}

/* `info.errors` tells what the status alone does not. */
static bool is_clean(UErrorCode status, const UIDNAInfo *info, int32_t len)
{
	return U_SUCCESS(status) && info->errors == 0 && len > 0 &&
	    len <= NAME_MAX_OCTETS;
}

bool xa_idna_to_ascii(struct prim_buf *b, struct prim_slice domain)
{
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	UErrorCode status = U_ZERO_ERROR;
	struct prim_slice name = without_dot(domain);
	char out[NAME_MAX_OCTETS + 1];
	int32_t len;

	if (name.len == 0 || name.len > NAME_MAX_OCTETS)
		return false;
	if (is_plain(name)) {
		if (!prim_address_domain_ok(name))
			return false;
		put_lower(b, name);
		return true;
	}
	if (!rules())
		return false;
	len = uidna_nameToASCII_UTF8(rules(), name.ptr, (int32_t)name.len, out,
	    NAME_MAX_OCTETS, &info, &status);
	if (!is_clean(status, &info, len) ||
	    !prim_address_domain_ok(prim_slice_make(out, (size_t)len)))
		return false;
	prim_buf_put(b, prim_slice_make(out, (size_t)len));
	return true;
}

bool xa_idna_to_unicode(struct prim_buf *b, struct prim_slice domain)
{
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	UErrorCode status = U_ZERO_ERROR;
	char out[NAME_MAX_OCTETS + 1];
	int32_t len;

	if (!prim_address_domain_ok(domain))
		return false;
	if (is_plain(domain)) {
		put_lower(b, domain);
		return true;
	}
	if (!rules())
		return false;
	len = uidna_nameToUnicodeUTF8(rules(), domain.ptr, (int32_t)domain.len,
	    out, NAME_MAX_OCTETS, &info, &status);
	if (!is_clean(status, &info, len))
		return false;
	prim_buf_put(b, prim_slice_make(out, (size_t)len));
	return true;
}
