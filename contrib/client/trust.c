/* SPDX-License-Identifier: ISC */
/* Certificates, names and pins. */

#include "contrib/client/trust.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "prim/buf.h"

const char *cl_trust_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason ? reason : "the connection was cut";
}

struct ssl_ctx_st *cl_trust_open(const struct cl_options *options,
    struct cl_err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx) {
		cl_err_set(err, "no TLS: %s", cl_trust_reason());
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* Commands carry their length, so a cut stream shows. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* --ca may hold the server's own certificate. */
	X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx),
	    X509_V_FLAG_PARTIAL_CHAIN);
	if (!options->ca) {
		SSL_CTX_set_default_verify_paths(ctx);
		return ctx;
	}
	if (SSL_CTX_load_verify_locations(ctx, options->ca, NULL) == 1)
		return ctx;
	cl_err_final(err, "cannot read certificates (PEM) from %s",
	    options->ca);
	SSL_CTX_free(ctx);
	return NULL;
}

static bool is_number_address(const char *host)
{
	unsigned char address[16];

	return inet_pton(AF_INET, host, address) == 1 ||
	    inet_pton(AF_INET6, host, address) == 1;
}

void cl_trust_name(struct ssl_st *ssl, const struct cl_options *options)
{
	if (!is_number_address(options->host))
		SSL_set_tlsext_host_name(ssl, options->host);
}

/* SHA-256 of the public key's DER form, which outlives a renewal. */
static bool key_digest(X509 *cert, uint8_t out_digest[CL_PIN_LEN])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool ok = len > 0 &&
	    EVP_Digest(der, (size_t)len, out_digest, NULL, EVP_sha256(), NULL);

	OPENSSL_free(der);
	return ok;
}

static bool pin_fits(X509 *cert, const uint8_t pin[CL_PIN_LEN])
{
	uint8_t digest[CL_PIN_LEN];

	if (key_digest(cert, digest) && memcmp(digest, pin, CL_PIN_LEN) == 0)
		return true;
	return X509_digest(cert, EVP_sha256(), digest, NULL) == 1 &&
	    memcmp(digest, pin, CL_PIN_LEN) == 0;
}

/* A certificate for the host we asked for, or for the domain whose server this
 * is meant to be. */
static bool name_fits(X509 *cert, const struct cl_options *options)
{
	return X509_check_host(cert, options->domain, 0, 0, NULL) == 1 ||
	    X509_check_host(cert, options->host, 0, 0, NULL) == 1 ||
	    X509_check_ip_asc(cert, options->host, 0) == 1;
}

/* "the certificate ... (reason); its key is sha256:...". */
static bool refuse(X509 *cert, const struct cl_options *options,
    const char *reason, struct cl_err *err)
{
	uint8_t digest[CL_PIN_LEN] = { 0 };
	struct prim_buf hex = { 0 };

	key_digest(cert, digest);
	prim_buf_put_hex(&hex, digest, sizeof(digest));
	cl_err_final(err,
	    "the certificate of %s is not trusted: %s. Ask whoever runs the "
	    "server for its certificate (--ca FILE), or whether its key is "
	    "--pin sha256:%.*s",
	    options->host, reason, PRIM_SLICE_ARG(prim_buf_slice(&hex)));
	prim_buf_fini(&hex);
	return false;
}

bool cl_trust_check(struct ssl_st *ssl, const struct cl_options *options,
    bool is_loopback, bool *out_is_verified, struct cl_err *err)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	long result = SSL_get_verify_result(ssl);
	const char *reason;

	*out_is_verified = false;
	if (!cert)
		return cl_err_final(err, "the server shows no certificate");
	if (options->has_pin) {
		*out_is_verified = pin_fits(cert, options->pin);
		return *out_is_verified ||
		    refuse(cert, options, "it is not the pinned one", err);
	}
	if (result == X509_V_OK && name_fits(cert, options)) {
		*out_is_verified = true;
		return true;
	}
	reason = result == X509_V_OK ? "it is for another name"
				     : X509_verify_cert_error_string(result);
	if (!is_loopback || options->ca)
		return refuse(cert, options, reason, err);
	if (!options->quiet)
		cl_err_note("the server on this machine is not verified (%s)",
		    reason);
	return true;
}
