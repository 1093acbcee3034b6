/* SPDX-License-Identifier: ISC */
/* Identifiers: parsing, escaping, and the form in which they compare. */

#include "prim/address.h"

#include <string.h>

#include "prim/octet.h"

/* PRIM-045: what stands in a local-part without an escape. */
static bool is_unreserved(char c)
{
	return prim_octet_is_alnum(c) ||
	    (c != '\0' && strchr("!$&'*.+-/=?_~", c));
}

/* The octet that an escape at the front of `s` stands for, or -1. */
static int escaped_octet(struct prim_slice s)
{
	int high, low;

	if (s.len < 3 || s.ptr[0] != '%')
		return -1;
	high = prim_octet_hex(s.ptr[1]);
	low = prim_octet_hex(s.ptr[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_control(int octet)
{
	return octet < 0x20 || octet == 0x7f;
}

static bool local_ok(struct prim_slice local)
{
	size_t len = 0;

	for (size_t i = 0; i < local.len; i++, len++) {
		if (is_unreserved(local.ptr[i]))
			continue;
		/* -1, no escape, is a control too. */
		if (is_control(escaped_octet(prim_slice_from(local, i))))
			return false;
		i += 2;
	}
	return len > 0 && len <= PRIM_LOCAL_MAX;
}

static bool label_ok(struct prim_slice label)
{
	if (label.len == 0 || label.len > 63)
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!prim_octet_is_alnum(label.ptr[i]) && label.ptr[i] != '-')
			return false;
	}
	return label.ptr[0] != '-' && label.ptr[label.len - 1] != '-';
}

bool prim_address_domain_ok(struct prim_slice text)
{
	struct prim_slice rest = text;

	if (text.len == 0 || text.len > PRIM_DOMAIN_MAX ||
	    text.ptr[text.len - 1] == '.')
		return false;
	while (rest.len) {
		if (!label_ok(prim_slice_cut(&rest, '.')))
			return false;
	}
	return true;
}

/* The part behind the scheme, into `out`. */
static bool parse_rest(struct prim_slice rest, struct prim_address *out)
{
	ptrdiff_t at = prim_slice_find(rest, '@');

	if (at < 0)
		return false;
	out->local = prim_slice_make(rest.ptr, (size_t)at);
	out->domain = prim_slice_from(rest, (size_t)at + 1);
	return local_ok(out->local) && prim_address_domain_ok(out->domain);
}

bool prim_address_parse(struct prim_slice text, struct prim_address *out)
{
	struct prim_slice rest = text;
	struct prim_slice scheme = prim_slice_cut(&rest, ':');
	struct prim_address parsed = { .text = text };

	if (text.len > PRIM_ADDRESS_MAX)
		return false;
	if (prim_slice_eq_nocase(scheme, PRIM_SLICE("im")))
		parsed.scheme = PRIM_SCHEME_IM;
	else if (prim_slice_eq_nocase(scheme, PRIM_SLICE("pres")))
		parsed.scheme = PRIM_SCHEME_PRES;
	else
		return false;
	if (!parse_rest(rest, &parsed))
		return false;
	*out = parsed;
	return true;
}

bool prim_address_parse_bare(struct prim_slice text, struct prim_address *out)
{
	struct prim_address parsed = { .text = text };

	if (text.len > PRIM_ADDRESS_MAX || !parse_rest(text, &parsed))
		return false;
	parsed.scheme = PRIM_SCHEME_NONE;
	*out = parsed;
	return true;
}

static const char DIGITS[] = "0123456789ABCDEF";

static size_t write_escape(char *to, int octet)
{
	to[0] = '%';
	to[1] = DIGITS[octet >> 4 & 15];
	to[2] = DIGITS[octet & 15];
	return 3;
}

/* ERR-34, ERR-35. Nothing gets longer on the way. */
void prim_address_key(const struct prim_address *a, struct prim_key *out)
{
	size_t len = 0;

	for (size_t i = 0; i < a->local.len; i++) {
		int octet;

		if (a->local.ptr[i] != '%') {
			out->text[len++] = prim_octet_lower(a->local.ptr[i]);
			continue;
		}
		octet = escaped_octet(prim_slice_from(a->local, i));
		if (is_unreserved((char)octet))
			out->text[len++] = prim_octet_lower((char)octet);
		else
			len += write_escape(out->text + len, octet);
		i += 2;
	}
	out->at = len;
	out->text[len++] = '@';
	for (size_t i = 0; i < a->domain.len; i++)
		out->text[len++] = prim_octet_lower(a->domain.ptr[i]);
	out->len = len;
}

struct prim_slice prim_key_slice(const struct prim_key *k)
{
	return prim_slice_make(k->text, k->len);
}

struct prim_slice prim_key_domain(const struct prim_key *k)
{
	return prim_slice_make(k->text + k->at + 1, k->len - k->at - 1);
}

struct prim_slice prim_key_local(const struct prim_key *k)
{
	return prim_slice_make(k->text, k->at);
}

void prim_address_escape(struct prim_buf *b, struct prim_slice octets)
{
	char escape[3];

	for (size_t i = 0; i < octets.len; i++) {
		char c = octets.ptr[i];

		if (is_unreserved(c)) {
			prim_buf_putc(b, c);
			continue;
		}
		write_escape(escape, (unsigned char)c);
		prim_buf_put(b, prim_slice_make(escape, sizeof(escape)));
	}
}

bool prim_address_unescape(struct prim_buf *b, struct prim_slice local)
{
	for (size_t i = 0; i < local.len; i++) {
		int octet = (unsigned char)local.ptr[i];

		if (octet == '%') {
			octet = escaped_octet(prim_slice_from(local, i));
			if (octet < 0)
				return false;
			i += 2;
		}
		prim_buf_putc(b, (char)octet);
	}
	return true;
}
