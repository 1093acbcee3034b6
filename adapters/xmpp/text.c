/* SPDX-License-Identifier: ISC */
/* What may stand in an XML stream. */

#include "adapters/xmpp/text.h"

#include "prim/octet.h"
#include "prim/utf8.h"

#define LANGUAGE_MAX 35
#define SUBTAG_MAX   8

static bool is_noncharacter(const unsigned char *p, size_t left)
{
	return left >= 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
}

/* XML 1.0 2.2: no controls but HTAB, LF, CR; no surrogates (not UTF-8 either);
 * not U+FFFE and U+FFFF. */
bool xa_text_ok(struct prim_slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	for (size_t i = 0; i < s.len; i++) {
		if (p[i] >= 0x20 && p[i] < 0xef)
			continue;
		if (p[i] == '\t' || p[i] == '\n' || p[i] == '\r')
			continue;
		if (p[i] < 0x20 || is_noncharacter(p + i, s.len - i))
			return false;
	}
	return prim_utf8_ok(s);
}

bool xa_text_token_ok(struct prim_slice s, size_t max)
{
	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= 0x20 || s.ptr[i] >= 0x7f)
			return false;
	}
	return true;
}

static bool is_subtag(struct prim_slice s, bool digits)
{
	if (s.len == 0 || s.len > SUBTAG_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!prim_octet_is_alpha(s.ptr[i]) &&
		    !(digits && prim_octet_is_digit(s.ptr[i])))
			return false;
	}
	return true;
}

bool xa_text_language_ok(struct prim_slice s)
{
	struct prim_slice rest = s;

	if (s.len == 0 || s.len > LANGUAGE_MAX || s.ptr[s.len - 1] == '-')
		return false;
	if (!is_subtag(prim_slice_cut(&rest, '-'), false))
		return false;
	while (rest.len) {
		if (!is_subtag(prim_slice_cut(&rest, '-'), true))
			return false;
	}
	return true;
}
