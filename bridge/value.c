/* SPDX-License-Identifier: ISC */
/* Reading what people write into configurations. */

#include "bridge/value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "prim/address.h"
#include "prim/base.h"
#include "prim/octet.h"

#define NAME_MAX_LEN 32

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* The number before the unit, times the unit. */
static bool parse_number(const char *text, const struct unit *unit,
    uint64_t *out_value)
{
	const size_t digits = strspn(text, "0123456789");
	uint64_t value;

	while (unit->suffix && strcmp(unit->suffix, text + digits) != 0)
		unit++;
	if (!unit->suffix ||
	    !prim_slice_number(prim_slice_make(text, digits),
		UINT64_MAX / unit->factor, &value))
		return false;
	*out_value = value * unit->factor;
	return true;
}

bool br_value_size(const char *text, uint64_t *out_octets)
{
	static const struct unit UNITS[] = {
		{"",     1                },
		{ "KiB", (uint64_t)1 << 10},
		{ "MiB", (uint64_t)1 << 20},
		{ "GiB", (uint64_t)1 << 30},
		{ "TiB", (uint64_t)1 << 40},
		{ NULL,  0                },
	};

	return parse_number(text, UNITS, out_octets);
}

bool br_value_duration(const char *text, uint64_t *out_ms)
{
	static const struct unit UNITS[] = {
		{"ms",  1       },
		{ "s",  1000    },
		{ "m",  60000   },
		{ "h",  3600000 },
		{ "d",  86400000},
		{ NULL, 0       },
	};

	return parse_number(text, UNITS, out_ms);
}

/* Cuts "host", ":port" apart. What is left of `host` has no brackets. */
static const char *split(const char *text, struct prim_slice *out_host,
    struct prim_slice *out_port)
{
	struct prim_slice rest = prim_slice_of(text);

	if (text[0] == '[') {
		rest = prim_slice_from(rest, 1);
		if (prim_slice_find(rest, ']') < 0)
			return "the `]` is missing";
		*out_host = prim_slice_cut(&rest, ']');
	} else {
		const ptrdiff_t colon = prim_slice_find(rest, ':');

		if (colon >= 0 && colon != prim_slice_find_last(rest, ':'))
			return "an IPv6 address goes in brackets, [::1]:7746";
		*out_host = colon < 0 ? rest
				      : prim_slice_make(text, (size_t)colon);
		rest = prim_slice_from(rest, out_host->len);
	}
	if (rest.len && rest.ptr[0] != ':')
		return "only a `:` and the port can follow the `]`";
	*out_port = rest;
	return NULL;
}

static bool host_ok(const char *host, bool is_ipv6)
{
	struct in6_addr address;

	return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, host, &address) == 1;
}

const char *br_value_endpoint(const char *text, int default_port,
    struct br_endpoint *out)
{
	struct prim_slice host, port;
	uint64_t number = default_port >= 0 ? (uint64_t)default_port : 0;
	const char *wrong = split(text, &host, &port);
	char *copy;

	if (wrong)
		return wrong;
	if (port.len == 0 && default_port < 0)
		return "the port is missing, as in 127.0.0.1:7746";
	if (port.len > 0 &&
	    !prim_slice_number(prim_slice_from(port, 1), UINT16_MAX, &number))
		return "the port must be a number from 0 to 65535";
	copy = prim_slice_copy(host);
	if (!host_ok(copy, text[0] == '[')) {
		prim_free(copy);
		return "the address must be numeric, as 127.0.0.1 or [::1]";
	}
	*out = (struct br_endpoint){ .host = copy, .port = (uint16_t)number };
	return NULL;
}

char *br_value_domain(const char *text)
{
	char *domain;

	if (!prim_address_domain_ok(prim_slice_of(text)))
		return NULL;
	domain = prim_slice_copy(prim_slice_of(text));
	for (char *c = domain; *c; c++)
		*c = prim_octet_lower(*c);
	return domain;
}

bool br_value_is_name(const char *text)
{
	const size_t len = strspn(text,
	    "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= NAME_MAX_LEN && text[len] == '\0';
}
