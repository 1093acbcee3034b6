/* SPDX-License-Identifier: ISC */
/* Reading LOGIN's mechanisms and bodies. */

#include "bridge/auth_body.h"

#include <ctype.h>

#include "prim/address.h"

#define CRLF PRIM_SLICE("\r\n")

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

bool br_auth_body_mechanism(struct prim_slice *rest,
    struct prim_slice *out_name)
{
	size_t from = 0, to;

	while (from < rest->len && is_separator(rest->ptr[from]))
		from++;
	to = from;
	while (to < rest->len && !is_separator(rest->ptr[to]))
		to++;
	if (to > from)
		*out_name = prim_slice_make(rest->ptr + from, to - from);
	*rest = prim_slice_from(*rest, to);
	return to > from;
}

struct prim_slice br_auth_body_trim(struct prim_slice body)
{
	if (prim_slice_ends(body, CRLF))
		body.len -= CRLF.len;
	return body;
}

/* The user name is what stands before the first CRLF. */
static bool split_lines(struct prim_slice body, struct br_auth_plain *out)
{
	ptrdiff_t end = prim_slice_find(body, '\r');

	if (end < 0 ||
	    !prim_slice_starts(prim_slice_from(body, (size_t)end), CRLF))
		return false;
	out->authzid = PRIM_SLICE_NONE;
	out->user = prim_slice_make(body.ptr, (size_t)end);
	out->password = prim_slice_from(body, (size_t)end + CRLF.len);
	return true;
}

static bool split_nuls(struct prim_slice body, struct br_auth_plain *out)
{
	out->authzid = PRIM_SLICE_NONE;
	out->user = prim_slice_cut(&body, '\0');
	if (prim_slice_find(body, '\0') >= 0) {
		out->authzid = out->user;
		out->user = prim_slice_cut(&body, '\0');
	}
	out->password = body;
	return prim_slice_find(body, '\0') < 0;
}

bool br_auth_body_plain(struct prim_slice body, struct br_auth_plain *out)
{
	if (prim_slice_find(body, '\0') >= 0)
		return split_nuls(body, out);
	return split_lines(body, out);
}

bool br_auth_body_names(struct prim_slice user, struct prim_slice key)
{
	struct prim_address address;
	struct prim_key user_key;

	if (!prim_address_parse_bare(user, &address))
		return false;
	prim_address_key(&address, &user_key);
	return prim_slice_eq(prim_key_slice(&user_key), key);
}

bool br_auth_body_scram(struct prim_slice body)
{
	for (size_t i = 0; i < body.len; i++) {
		const unsigned char c = (unsigned char)body.ptr[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return body.len > 0;
}

bool br_auth_body_scram_first(struct prim_slice body, bool binds)
{
	if (!br_auth_body_scram(body))
		return false;
	if (binds)
		return prim_slice_starts(body, PRIM_SLICE("p=tls-exporter,"));
	return prim_slice_starts(body, PRIM_SLICE("n,")) ||
	    prim_slice_starts(body, PRIM_SLICE("y,"));
}

/* The number of octets that separate what stands in front of the digest from
 * it. */
static size_t separator_len(struct prim_slice front)
{
	if (prim_slice_ends(front, CRLF))
		return CRLF.len;
	return prim_slice_ends(front, PRIM_SLICE("\n")) ||
	    prim_slice_ends(front, PRIM_SLICE(" "));
}

bool br_auth_body_cram(struct prim_slice body, struct br_auth_cram *out)
{
	struct prim_slice digest;
	size_t gap;

	if (body.len <= BR_AUTH_CRAM_LEN)
		return false;
	out->user = prim_slice_make(body.ptr, body.len - BR_AUTH_CRAM_LEN);
	digest = prim_slice_from(body, out->user.len);
	for (size_t i = 0; i < digest.len; i++) {
		if (!isxdigit((unsigned char)digest.ptr[i]))
			return false;
		out->digest[i] = (char)tolower((unsigned char)digest.ptr[i]);
	}
	out->digest[BR_AUTH_CRAM_LEN] = '\0';
	gap = separator_len(out->user);
	out->user.len -= gap;
	return gap > 0;
}
