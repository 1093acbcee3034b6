/* SPDX-License-Identifier: ISC */
/* Words, numbers and names of presence, in XMPP and in PIDF. */

#include <openssl/evp.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/precis_class.h"
#include "adapters/xmpp/presence_private.h"
#include "prim/base.h"
#include "prim/utf8.h"
#include "prim/xml.h"

#define ALIAS_OCTETS  8 /* of SHA-256; twice as many digits */
#define HASHED_PREFIX "IDx-"
#define ALIAS_PREFIX  "x-"

/*
 * Show.
 */

static const struct {
	const char *word;
	unsigned activity;
} SHOWS[] = {
	[XA_SHOW_NONE] = {"",      0                 },
	[XA_SHOW_CHAT] = { "chat", 0                 },
	[XA_SHOW_AWAY] = { "away", PRIM_ACTIVITY_AWAY},
	[XA_SHOW_XA] = { "xa",   PRIM_ACTIVITY_AWAY},
	[XA_SHOW_DND] = { "dnd",  PRIM_ACTIVITY_BUSY},
};

const char *xa_presence_map_word(enum xa_show show)
{
	return SHOWS[show].word;
}

bool xa_presence_map_show(struct prim_slice word, enum xa_show *out_show)
{
	for (size_t i = 0; i < PRIM_COUNT(SHOWS); i++) {
		if (prim_slice_eq(word, prim_slice_of(SHOWS[i].word))) {
			*out_show = (enum xa_show)i;
			return true;
		}
	}
	return false;
}

unsigned xa_presence_map_activity(enum xa_show show)
{
	return SHOWS[show].activity;
}

enum xa_show xa_presence_map_activities(unsigned activities)
{
	if (activities & PRIM_ACTIVITY_BUSY)
		return XA_SHOW_DND;
	if (activities & PRIM_ACTIVITY_XA)
		return XA_SHOW_XA;
	return activities & PRIM_ACTIVITY_AWAY ? XA_SHOW_AWAY : XA_SHOW_NONE;
}

/*
 * Priority.
 */

int xa_presence_map_thousandths(int priority)
{
	return priority * 1000 / 127;
}

int xa_presence_map_priority(int thousandths)
{
	int priority = (127 * thousandths + 999) / 1000;

	if (thousandths <= 0)
		return 0;
	if (thousandths >= 1000)
		return 127;
	/* Only 1 is 127. */
	return priority > 126 ? 126 : priority;
}

/*
 * Names.
 */

/* The digest of the name itself (spec/xmpp.md 2.5), not of its parts. */
static void put_hash(struct prim_buf *b, struct prim_slice name)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	EVP_Digest(name.ptr ? name.ptr : "", name.len, digest, NULL,
	    EVP_sha256(), NULL);
	prim_buf_put_hex(b, digest, ALIAS_OCTETS);
}

void xa_presence_map_put_id(struct prim_buf *b, struct prim_slice resource)
{
	struct prim_buf id = { 0 };

	prim_buf_puts(&id, XA_TUPLE_ID_PREFIX);
	prim_buf_put(&id, resource);
	if (!prim_xml_ncname_ok(prim_buf_slice(&id))) {
		prim_buf_reset(&id);
		prim_buf_puts(&id, HASHED_PREFIX);
		put_hash(&id, resource);
	}
	prim_buf_put(b, prim_buf_slice(&id));
	prim_buf_fini(&id);
}

bool xa_presence_map_is_ours(struct prim_slice id)
{
	return prim_slice_starts(id, PRIM_SLICE(XA_TUPLE_ID_PREFIX)) ||
	    prim_slice_starts(id, PRIM_SLICE(HASHED_PREFIX));
}

/*
 * Resources: PRECIS OpaqueString (RFC 8265 4.2), that is FreeformClass in NFC,
 * without spaces at the ends (RFC 7622 3.4).
 */

/* What identifiers must not hold, but free text may (RFC 8264 9.15..9.18). */
#define FREE                                                         \
	(U_GC_LT_MASK | U_GC_NL_MASK | U_GC_NO_MASK | U_GC_ME_MASK | \
	    U_GC_S_MASK | U_GC_P_MASK)

static bool has_compat(UChar32 c)
{
	return u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE) >
	    U_DT_CANONICAL;
}

static bool is_free(uint32_t c)
{
	UChar32 u = (UChar32)c;
	uint32_t kind = U_GET_GC_MASK(u);

	if (c < 0x80)
		return c >= 0x20 && c < 0x7f;
	if (xa_precis_identifier_ok(&c, 1))
		return true;
	if (u_hasBinaryProperty(u, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
		return false;
	/* Other spaces would be mapped: they cannot stand. */
	return (kind & FREE) ||
	    (has_compat(u) && !(kind & (U_GC_Z_MASK | U_GC_C_MASK)));
}

/* Characters whose company counts (RFC 5892 A), but which are free otherwise.
 * They pass only in what could be an identifier as well. */
static bool is_contextual(uint32_t c)
{
	return c == 0xb7 || c == 0x375 || c == 0x5f3 || c == 0x5f4 ||
	    c == 0x30fb;
}

/* The same: two kinds of Arabic digits exclude each other. */
static unsigned digits_of(uint32_t c)
{
	if (c >= 0x660 && c <= 0x669)
		return 1;
	return c >= 0x6f0 && c <= 0x6f9 ? 2 : 0;
}

static bool chars_ok(const uint32_t *chars, size_t count)
{
	unsigned digits = 0;

	if (xa_precis_identifier_ok(chars, count))
		return true;
	for (size_t i = 0; i < count; i++) {
		digits |= digits_of(chars[i]);
		if (!is_free(chars[i]) || is_contextual(chars[i]))
			return false;
	}
	return digits != 3;
}

static bool is_nfc(struct prim_slice s)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar units[XA_RESOURCE_MAX];
	int32_t len = 0;
	bool ok;

	u_strFromUTF8(units, XA_RESOURCE_MAX, &len, s.ptr, (int32_t)s.len,
	    &status);
	ok = unorm2_isNormalized(unorm2_getNFCInstance(&status), units, len,
	    &status);
	return ok && U_SUCCESS(status);
}

static bool resource_ok(struct prim_slice s)
{
	uint32_t chars[XA_RESOURCE_MAX];
	struct prim_slice rest = s;
	size_t count = 0;

	if (s.len == 0 || s.len > XA_RESOURCE_MAX || s.ptr[0] == ' ' ||
	    s.ptr[s.len - 1] == ' ')
		return false;
	while (prim_utf8_next(&rest, &chars[count]))
		count++;
	return rest.len == 0 && chars_ok(chars, count) && is_nfc(s);
}

void xa_presence_map_put_alias(struct prim_buf *b, struct prim_slice name)
{
	prim_buf_puts(b, ALIAS_PREFIX);
	put_hash(b, name);
}

void xa_presence_map_put_resource(struct prim_buf *b, struct prim_slice name)
{
	if (resource_ok(name))
		prim_buf_put(b, name);
	else
		xa_presence_map_put_alias(b, name);
}
