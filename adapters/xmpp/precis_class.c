/* SPDX-License-Identifier: ISC */
/* Which characters a PRECIS identifier may hold, and in which company. */

#include "adapters/xmpp/precis_class.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>

#include "prim/base.h"

#define VIRAMA 9 /* canonical combining class */

#define MASK(c)        U_MASK(u_charDirection(c))
#define BIT(direction) U_MASK(direction)

/* Letters, digits and marks: RFC 8264 9.1. */
#define LETTER_DIGITS                                                \
	(U_GC_LL_MASK | U_GC_LU_MASK | U_GC_LO_MASK | U_GC_ND_MASK | \
	    U_GC_LM_MASK | U_GC_MN_MASK | U_GC_MC_MASK)

struct place {
	const uint32_t *chars;
	size_t count;
	size_t at;
};

/* RFC 5892 2.6, PVALID. */
static bool is_exception_valid(uint32_t c)
{
	return c == 0xdf || c == 0x3c2 || c == 0x6fd || c == 0x6fe ||
	    c == 0xf0b || c == 0x3007;
}

/* RFC 5892 2.6, DISALLOWED. */
static bool is_exception_invalid(uint32_t c)
{
	return c == 0x640 || c == 0x7fa || c == 0x302e || c == 0x302f ||
	    (c >= 0x3031 && c <= 0x3035) || c == 0x303b;
}

static bool is_script(uint32_t c, UScriptCode script)
{
	UErrorCode status = U_ZERO_ERROR;

	return uscript_getScript((UChar32)c, &status) == script;
}

static bool holds(const struct place *p, uint32_t low, uint32_t high)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->chars[i] >= low && p->chars[i] <= high)
			return true;
	}
	return false;
}

static bool holds_kana(const struct place *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (is_script(p->chars[i], USCRIPT_HIRAGANA) ||
		    is_script(p->chars[i], USCRIPT_KATAKANA) ||
		    is_script(p->chars[i], USCRIPT_HAN))
			return true;
	}
	return false;
}

static uint32_t before(const struct place *p)
{
	return p->at ? p->chars[p->at - 1] : 0;
}

static uint32_t after(const struct place *p)
{
	return p->at + 1 < p->count ? p->chars[p->at + 1] : 0;
}

/* RFC 5892 appendix A. True and `out_ok` set if the character has a rule. */
static bool has_rule(const struct place *p, bool *out_ok)
{
	uint32_t c = p->chars[p->at];

	if (c == 0x200c || c == 0x200d)
		*out_ok = u_getCombiningClass((UChar32)before(p)) == VIRAMA;
	else if (c == 0xb7)
		*out_ok = before(p) == 'l' && after(p) == 'l';
	else if (c == 0x375)
		*out_ok = is_script(after(p), USCRIPT_GREEK);
	else if (c == 0x5f3 || c == 0x5f4)
		*out_ok = is_script(before(p), USCRIPT_HEBREW);
	else if (c == 0x30fb)
		*out_ok = holds_kana(p);
	else if (c >= 0x660 && c <= 0x669)
		*out_ok = !holds(p, 0x6f0, 0x6f9);
	else if (c >= 0x6f0 && c <= 0x6f9)
		*out_ok = !holds(p, 0x660, 0x669);
	else
		return false;
	return true;
}

static bool has_compat(uint32_t c)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar from[U16_MAX_LENGTH], to[32];
	int32_t len = 0, normal;

	U16_APPEND_UNSAFE(from, len, c);
	normal = unorm2_normalize(unorm2_getNFKCInstance(&status), from, len,
	    to, 32, &status);
	return U_FAILURE(status) || normal != len ||
	    memcmp(from, to, (size_t)len * sizeof(UChar)) != 0;
}

static bool is_old_jamo(UChar32 c)
{
	int32_t kind = u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE);

	return kind == U_HST_LEADING_JAMO || kind == U_HST_VOWEL_JAMO ||
	    kind == U_HST_TRAILING_JAMO;
}

/* The order is that of RFC 8264 8. */
static bool char_ok(const struct place *p)
{
	uint32_t c = p->chars[p->at];
	UChar32 u = (UChar32)c;
	bool ok;

	if (is_exception_valid(c))
		return true;
	if (is_exception_invalid(c))
		return false;
	if (has_rule(p, &ok))
		return ok;
	if (c < 0x80)
		return c > 0x20 && c < 0x7f;
	if (!u_isdefined(u) || is_old_jamo(u))
		return false;
	if (u_hasBinaryProperty(u, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
	    u_hasBinaryProperty(u, UCHAR_NONCHARACTER_CODE_POINT))
		return false;
	return !has_compat(c) && (U_GET_GC_MASK(u) & LETTER_DIGITS) != 0;
}

bool xa_precis_identifier_ok(const uint32_t *chars, size_t count)
{
	struct place p = { .chars = chars, .count = count };

	for (; p.at < count; p.at++) {
		if (!char_ok(&p))
			return false;
	}
	return count > 0;
}

static uint32_t directions(const uint32_t *chars, size_t count)
{
	uint32_t all = 0;

	for (size_t i = 0; i < count; i++)
		all |= MASK((UChar32)chars[i]);
	return all;
}

/* The direction of the last character that is no non-spacing mark. */
static uint32_t last_direction(const uint32_t *chars, size_t count)
{
	while (count > 1 &&
	    u_charDirection((UChar32)chars[count - 1]) ==
		U_DIR_NON_SPACING_MARK)
		count--;
	return MASK((UChar32)chars[count - 1]);
}

bool xa_precis_bidi_ok(const uint32_t *chars, size_t count)
{
	const uint32_t rtl = BIT(U_RIGHT_TO_LEFT) | BIT(U_RIGHT_TO_LEFT_ARABIC);
	const uint32_t european = BIT(U_EUROPEAN_NUMBER);
	const uint32_t arabic = BIT(U_ARABIC_NUMBER);
	const uint32_t neutral = BIT(U_EUROPEAN_NUMBER_SEPARATOR) |
	    BIT(U_COMMON_NUMBER_SEPARATOR) | BIT(U_EUROPEAN_NUMBER_TERMINATOR) |
	    BIT(U_OTHER_NEUTRAL) | BIT(U_BOUNDARY_NEUTRAL) |
	    BIT(U_DIR_NON_SPACING_MARK);
	uint32_t all = directions(chars, count);
	uint32_t last;

	if (count == 0 || !(all & (rtl | arabic)))
		return true;
	/* What is not wholly right to left would have to be left to right, and
	 * that must hold none of these. */
	if (!(MASK((UChar32)chars[0]) & rtl) ||
	    (all & ~(rtl | arabic | european | neutral)))
		return false;
	last = last_direction(chars, count);
	return (last & (rtl | european | arabic)) &&
	    (all & (european | arabic)) != (european | arabic);
}
