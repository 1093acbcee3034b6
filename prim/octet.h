/* SPDX-License-Identifier: ISC */
#ifndef PRIM_OCTET_H
#define PRIM_OCTET_H

/*
 * Kinds of octets, in ASCII whatever the locale. The C library's functions ask
 * the locale, and want no negative char.
 */

#include <stdbool.h>

static inline bool prim_octet_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool prim_octet_is_alpha(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline bool prim_octet_is_alnum(char c)
{
	return prim_octet_is_digit(c) || prim_octet_is_alpha(c);
}

/* C0 and DEL. */
static inline bool prim_octet_is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static inline char prim_octet_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + ('a' - 'A'));
	return c;
}

/* The value of a hexadecimal digit of either case, or -1. */
static inline int prim_octet_hex(char c)
{
	if (prim_octet_is_digit(c))
		return c - '0';
	c = prim_octet_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
