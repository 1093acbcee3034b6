/* SPDX-License-Identifier: ISC */
/* The localpart of a JID. */

#include "adapters/xmpp/precis.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "adapters/xmpp/precis_class.h"
#include "prim/base.h"
#include "prim/octet.h"
#include "prim/utf8.h"

/* A character in lower case is at most three UTF-16 units. */
#define UNITS_MAX (XA_PRECIS_MAP_MAX * 3)

static bool is_ascii(struct prim_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	}
	return true;
}

static void map_ascii(struct prim_buf *b, struct prim_slice s)
{
	char *to = prim_buf_room(b, s.len);

	for (size_t i = 0; i < s.len; i++)
		to[i] = prim_octet_lower(s.ptr[i]);
	prim_buf_grow(b, s.len);
}

/* RFC 8264 5.2.1: only forms that exist for their width are replaced. */
static UChar32 map_width(UChar32 c)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t kind = u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE);
	UChar units[4];
	int32_t len;

	if (kind != U_DT_WIDE && kind != U_DT_NARROW)
		return c;
	len = unorm2_getRawDecomposition(unorm2_getNFKCInstance(&status), c,
	    units, 4, &status);
	return U_SUCCESS(status) && len == 1 ? units[0] : c;
}

/* One character at a time: the final form of sigma depends on its neighbours,
 * and a localpart must not. */
static int32_t map_lower(UChar32 c, UChar *out, int32_t room)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar units[U16_MAX_LENGTH];
	int32_t len = 0;

	U16_APPEND_UNSAFE(units, len, c);
	len = u_strToLower(out, room, units, len, "", &status);
	return U_FAILURE(status) ? -1 : len;
}

static bool put_nfc(struct prim_buf *b, const UChar *units, int32_t len)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar normal[UNITS_MAX];
	int32_t count, octets;
	char *to;

	count = unorm2_normalize(unorm2_getNFCInstance(&status), units, len,
	    normal, UNITS_MAX, &status);
	if (U_FAILURE(status))
		return false;
	to = prim_buf_room(b, (size_t)count * 3 + 1);
	u_strToUTF8(to, count * 3 + 1, &octets, normal, count, &status);
	if (U_FAILURE(status))
		return false;
	prim_buf_grow(b, (size_t)octets);
	return true;
}

bool xa_precis_map(struct prim_buf *b, struct prim_slice text)
{
	UChar units[UNITS_MAX];
	int32_t len = 0, added;
	uint32_t c;

	if (text.len > XA_PRECIS_MAP_MAX)
		return false;
	if (is_ascii(text)) {
		map_ascii(b, text);
		return true;
	}
	while (prim_utf8_next(&text, &c)) {
		added = map_lower(map_width((UChar32)c), units + len,
		    UNITS_MAX - len);
		if (added < 0)
			return false;
		len += added;
	}
	return text.len == 0 && put_nfc(b, units, len);
}

/* RFC 7622 3.3.1. */
static bool is_excluded(char c)
{
	return strchr("\"&'/:<>@", c) != NULL;
}

static bool ascii_ok(struct prim_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c <= 0x20 || c >= 0x7f || is_excluded(c))
			return false;
		if (c >= 'A' && c <= 'Z')
			return false;
	}
	return true;
}

/* Mapping again must change nothing (RFC 8264 7). */
static bool is_stable(struct prim_slice s)
{
	struct prim_buf again = { 0 };
	bool same = xa_precis_map(&again, s) &&
	    prim_slice_eq(prim_buf_slice(&again), s);

	prim_buf_fini(&again);
	return same;
}

static bool unicode_ok(struct prim_slice s)
{
	struct prim_slice rest = s;
	uint32_t chars[XA_LOCAL_MAX];
	size_t count = 0;

	while (prim_utf8_next(&rest, &chars[count])) {
		if (chars[count] < 0x80 && is_excluded((char)chars[count]))
			return false;
		count++;
	}
	return rest.len == 0 && is_stable(s) &&
	    xa_precis_identifier_ok(chars, count) &&
	    xa_precis_bidi_ok(chars, count);
}

bool xa_precis_local_ok(struct prim_slice local)
{
	if (local.len == 0 || local.len > XA_LOCAL_MAX)
		return false;
	return is_ascii(local) ? ascii_ok(local) : unicode_ok(local);
}
