/* SPDX-License-Identifier: ISC */
/* Text in another character set, made UTF-8. */

#include "adapters/xmpp/charset.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/ustring.h>

#include "prim/base.h"
#include "prim/utf8.h"

static const char *const CONVERTED[] = { "iso-8859-1", "windows-1250",
	"windows-1251", "windows-1252", "windows-1253", "windows-1254",
	"windows-1255", "windows-1256", "windows-1257", "windows-1258" };

/* Every octet of these sets is one UTF-16 unit. */
static bool convert(struct prim_buf *b, UConverter *from,
    struct prim_slice octets)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar *units = prim_alloc((octets.len + 1) * sizeof(UChar));
	int32_t count, len = 0;
	char *to = prim_buf_room(b, octets.len * 3 + 1);

	ucnv_setToUCallBack(from, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL,
	    &status);
	count = ucnv_toUChars(from, units, (int32_t)octets.len + 1, octets.ptr,
	    (int32_t)octets.len, &status);
	if (U_SUCCESS(status))
		u_strToUTF8(to, (int32_t)octets.len * 3 + 1, &len, units, count,
		    &status);
	prim_free(units);
	if (U_FAILURE(status))
		return false;
	prim_buf_grow(b, (size_t)len);
	return true;
}

static enum xa_charset_status put_converted(struct prim_buf *b,
    const char *name, struct prim_slice octets)
{
	UErrorCode status = U_ZERO_ERROR;
	UConverter *from = ucnv_open(name, &status);
	bool ok;

	if (U_FAILURE(status))
		return XA_CHARSET_UNKNOWN;
	ok = octets.len == 0 || convert(b, from, octets);
	ucnv_close(from);
	return ok ? XA_CHARSET_OK : XA_CHARSET_BAD;
}

static bool is_ascii(struct prim_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	}
	return true;
}

enum xa_charset_status xa_charset_put(struct prim_buf *b,
    struct prim_slice name, struct prim_slice octets)
{
	bool ascii = prim_slice_eq_nocase(name, PRIM_SLICE("us-ascii"));

	if (ascii || name.len == 0 ||
	    prim_slice_eq_nocase(name, PRIM_SLICE("utf-8"))) {
		if (ascii ? !is_ascii(octets) : !prim_utf8_ok(octets))
			return XA_CHARSET_BAD;
		prim_buf_put(b, octets);
		return XA_CHARSET_OK;
	}
	for (size_t i = 0; i < PRIM_COUNT(CONVERTED); i++) {
		if (prim_slice_eq_nocase(name, prim_slice_of(CONVERTED[i])))
			return put_converted(b, CONVERTED[i], octets);
	}
	return XA_CHARSET_UNKNOWN;
}
