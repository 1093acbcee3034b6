/* SPDX-License-Identifier: ISC */
/* The options of the adapter. */

#include "adapters/xmpp/options.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "adapters/xmpp/wire.h"
#include "prim/address.h"
#include "prim/base.h"
#include "prim/octet.h"

#define SERVER_MAX   300
#define PATH_MAX_LEN 4096
#define SECRET_MAX   1024

static const cyaml_schema_field_t FIELDS[] = {
	CYAML_FIELD_STRING_PTR("server", CYAML_FLAG_POINTER, struct xa_options,
	    server, 1, SERVER_MAX),
	CYAML_FIELD_STRING_PTR("domain", CYAML_FLAG_POINTER, struct xa_options,
	    domain, 1, PRIM_DOMAIN_MAX),
	CYAML_FIELD_STRING_PTR("secret_file", CYAML_FLAG_POINTER,
	    struct xa_options, secret_file, 1, PATH_MAX_LEN),
	CYAML_FIELD_STRING_PTR("gateway_domain",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct xa_options,
	    gateway_domain, 1, PRIM_DOMAIN_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t xa_options_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct xa_options, FIELDS),
};

bool xa_options_check(const void *options, char *why, size_t size)
{
	const struct xa_options *o = options;
	struct prim_slice domain = prim_slice_of(o->domain);
	struct prim_slice gateway = prim_slice_of(o->gateway_domain);
	struct prim_slice host;
	uint16_t port;

	if (!xa_wire_parse(prim_slice_of(o->server), &host, &port))
		snprintf(why, size,
		    "server: want HOST:PORT, like 127.0.0.1:5347");
	else if (!prim_address_domain_ok(domain))
		snprintf(why, size, "domain: not a domain name");
	else if (gateway.len && !prim_address_domain_ok(gateway))
		snprintf(why, size, "gateway_domain: not a domain name");
	else if (gateway.len && prim_slice_eq_nocase(gateway, domain))
		snprintf(why, size,
		    "gateway_domain: must be another than domain");
	else
		return true;
	return false;
}

char *xa_options_host(const char *domain)
{
	char *host = prim_slice_copy(prim_slice_of(domain));

	for (char *c = host; *c; c++)
		*c = prim_octet_lower(*c);
	return host;
}

/* One octet more than allowed tells a file that is too long. */
static size_t read_file(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t len;

	if (!f)
		return 0;
	len = fread(to, 1, size, f);
	fclose(f);
	return len;
}

char *xa_options_secret(const struct xa_options *o, char *why, size_t size)
{
	char octets[SECRET_MAX + 2];
	size_t len;
	char *secret = NULL;

	errno = 0;
	len = read_file(o->secret_file, octets, sizeof(octets));
	if (len && octets[len - 1] == '\n')
		len--;
	if (errno)
		snprintf(why, size, "cannot read secret_file: %s",
		    strerror(errno));
	else if (len == 0)
		snprintf(why, size, "secret_file is empty");
	else if (len > SECRET_MAX || memchr(octets, '\0', len) ||
	    memchr(octets, '\n', len))
		snprintf(why, size,
		    "secret_file: want one line of at most %d octets",
		    SECRET_MAX);
	else
		secret = prim_copy(octets, len);
	OPENSSL_cleanse(octets, sizeof(octets));
	return secret;
}

char *xa_options_free_secret(char *secret)
{
	if (secret)
		OPENSSL_cleanse(secret, strlen(secret));
	return prim_free(secret);
}
