/* SPDX-License-Identifier: ISC */
/* TLS for connections we accept. */

#include "bridge/tls.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge/tls_cert.h"
#include "prim/base.h"
#include "prim/buf.h"

#define EXPORTER "EXPORTER-Channel-Binding" /* RFC 9266 */

/* TLS 1.2 with forward secrecy and AEAD; TLS 1.3 has nothing else. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct br_tls {
	SSL_CTX *context;  /* owned */
	char *certificate; /* owned */
	char *key;         /* owned */
	const char *cure;  /* what to do about bad files; static */
};

/* ---- reading the files ---- */

static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "unknown";
}

static bool is_readable(const struct br_tls *tls, const char *path,
    struct br_err *err)
{
	if (access(path, R_OK) == 0)
		return true;
	return br_err_set(err, "%s: cannot be read: %s: %s", path,
	    strerror(errno), tls->cure);
}

static bool load_key(const struct br_tls *tls, SSL_CTX *context,
    struct br_err *err)
{
	bool asked = false;
	int loaded;

	SSL_CTX_set_default_passwd_cb(context, br_tls_no_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
	loaded = SSL_CTX_use_PrivateKey_file(context, tls->key,
	    SSL_FILETYPE_PEM);
	SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
	if (asked)
		return br_err_set(err,
		    "%s: the key is encrypted: store it without a passphrase, "
		    "readable for us only",
		    tls->key);
	if (loaded != 1 && ERR_GET_LIB(ERR_peek_last_error()) != ERR_LIB_X509)
		return br_err_set(err,
		    "%s: is not a private key in PEM (%s): %s", tls->key,
		    reason(), tls->cure);
	/* A key of another kind than the certificate's is loaded beside it. */
	if (loaded != 1 || SSL_CTX_check_private_key(context) != 1)
		return br_err_set(err, "%s: is not the key of %s: %s", tls->key,
		    tls->certificate, tls->cure);
	return true;
}

static bool load(const struct br_tls *tls, SSL_CTX *context, struct br_err *err)
{
	ERR_clear_error();
	if (!is_readable(tls, tls->certificate, err) ||
	    !is_readable(tls, tls->key, err))
		return false;
	if (SSL_CTX_use_certificate_chain_file(context, tls->certificate) != 1)
		return br_err_set(err,
		    "%s: is not a certificate in PEM (%s): %s",
		    tls->certificate, reason(), tls->cure);
	return load_key(tls, context, err);
}

static bool set_up(SSL_CTX *context)
{
	/* Buffers are released while a connection is idle: without that each
	 * costs three times as much. */
	SSL_CTX_set_mode(context,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(context,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return SSL_CTX_set_num_tickets(context, 0) == 1 &&
	    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(context, CIPHERS) == 1;
}

static SSL_CTX *read_files(const struct br_tls *tls, struct br_err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	bool is_done;

	if (!context || !set_up(context))
		is_done = br_err_set(err, "OpenSSL cannot be used: %s",
		    reason());
	else
		is_done = load(tls, context, err);
	ERR_clear_error();
	if (is_done)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

/* ---- opening and closing ---- */

static char *path_in(const char *folder, const char *name)
{
	struct prim_buf path = { 0 };

	prim_buf_putf(&path, "%s/%s", folder, name);
	return prim_buf_steal(&path);
}

struct br_tls *br_tls_open(const struct br_tls_files *files, struct br_err *err)
{
	const char *certificate = files->certificate, *key = files->key;
	struct br_tls *tls = prim_new(struct br_tls);
	const bool is_own = !certificate && !key;
	bool is_done = true;

	if (is_own) {
		tls->certificate = path_in(files->data_dir, "self-signed.pem");
		tls->key = path_in(files->data_dir, "self-signed.key");
		tls->cure = "remove both, and a new pair is made";
		is_done = br_tls_cert_make(tls->certificate, tls->key,
		    files->domains, files->domain_count, err);
	} else if (!certificate || !key) {
		is_done = br_err_set(err,
		    "tls.%s is not configured: a certificate and its key belong "
		    "together",
		    key ? "certificate" : "key");
	} else {
		tls->certificate = prim_copy(certificate, strlen(certificate));
		tls->key = prim_copy(key, strlen(key));
		tls->cure = "check tls.certificate and tls.key";
	}
	if (is_done)
		tls->context = read_files(tls, err);
	return tls->context ? tls : br_tls_close(tls);
}

struct br_tls *br_tls_close(struct br_tls *tls)
{
	if (!tls)
		return NULL;
	SSL_CTX_free(tls->context);
	prim_free(tls->certificate);
	prim_free(tls->key);
	return prim_free(tls);
}

bool br_tls_reload(struct br_tls *tls, struct br_err *err)
{
	SSL_CTX *context = read_files(tls, err);

	if (!context)
		return false;
	SSL_CTX_free(tls->context); /* open connections hold on to it */
	tls->context = context;
	return true;
}

/* ---- connections ---- */

/* No BEV_OPT_DEFER_CALLBACKS: a TLS bufferevent on a socket, unlike one on
 * another bufferevent, reads and writes only from the loop's events, so none of
 * its callbacks comes from inside a call of ours. (tests/bridge/test_tls.c
 * watches that.) */
struct bufferevent *br_tls_accept(struct br_tls *tls, struct event_base *base,
    int fd)
{
	SSL *ssl = SSL_new(tls->context);

	if (!ssl)
		return NULL;
	return bufferevent_openssl_socket_new(base, fd, ssl,
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

void br_tls_bye(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (!ssl || !SSL_is_init_finished(ssl))
		return;
	ERR_clear_error();
	SSL_shutdown(ssl);
	ERR_clear_error();
}

/* libevent gives each error out once; it is kept with the connection, so that
 * it does not matter who asks first. */
static unsigned long error_of(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	unsigned long error, next;

	if (!ssl)
		return 0;
	error = (unsigned long)(uintptr_t)SSL_get_app_data(ssl);
	while ((next = bufferevent_get_openssl_error(bev)) != 0)
		if (!error)
			error = next;
	SSL_set_app_data(ssl, (void *)(uintptr_t)error);
	return error;
}

bool br_tls_is_eof(struct bufferevent *bev)
{
	const unsigned long error = error_of(bev);

	return ERR_GET_LIB(error) == ERR_LIB_SSL &&
	    ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

const char *br_tls_error(struct bufferevent *bev)
{
	static char sentence[128];
	const unsigned long error = error_of(bev);
	const char *text = ERR_reason_error_string(error);

	if (!error)
		return NULL;
	if (text)
		snprintf(sentence, sizeof(sentence), "%s", text);
	else
		snprintf(sentence, sizeof(sentence), "TLS error %lx", error);
	return sentence;
}

bool br_tls_binding(struct bufferevent *bev,
    uint8_t out_binding[BR_TLS_BINDING_LEN])
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (!ssl || !SSL_is_init_finished(ssl))
		return false;
	/* Without the extended master secret the exporter of TLS 1.2 does not
	 * name one connection only. */
	if (SSL_version(ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(ssl) != 1)
		return false;
	return SSL_export_keying_material(ssl, out_binding, BR_TLS_BINDING_LEN,
		   EXPORTER, sizeof(EXPORTER) - 1, (const unsigned char *)"", 0,
		   1) == 1;
}
