/* SPDX-License-Identifier: ISC */
/* Self-signed certificates. */

#include "bridge/tls_cert.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prim/base.h"
#include "prim/buf.h"

#define DAYS        3650
#define SERIAL_LEN  16
#define NAME_MAX_CN 64 /* X.520's bound on a common name */
#define CURVE       "P-256"

/* ---- files ---- */

static bool write_all(int fd, struct prim_slice data)
{
	while (data.len > 0) {
		const ssize_t n = write(fd, data.ptr, data.len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			data = prim_slice_from(data, (size_t)n);
	}
	return fsync(fd) == 0;
}

/* What was renamed lasts only once its folder does. */
static bool sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? prim_copy(path, (size_t)(slash - path) + 1)
			     : prim_copy(".", 1);
	const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const bool is_done = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	prim_free(folder);
	return is_done;
}

static bool write_beside(const char *path, const char *beside, mode_t mode,
    struct prim_slice data)
{
	bool is_done;
	int fd;

	unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return false;
	is_done = write_all(fd, data);
	is_done = close(fd) == 0 && is_done;
	return is_done && rename(beside, path) == 0 && sync_folder(path);
}

static bool write_file(const char *path, mode_t mode, BIO *pem,
    struct br_err *err)
{
	struct prim_buf beside = { 0 };
	char *data = NULL;
	const long len = BIO_get_mem_data(pem, &data);
	bool is_done;

	prim_buf_putf(&beside, "%s.new", path);
	prim_buf_putc(&beside, '\0');
	is_done = write_beside(path, beside.ptr, mode,
	    prim_slice_make(data, (size_t)len));
	if (!is_done)
		br_err_set(err,
		    "%s: cannot be written: %s: make the data folder writable "
		    "for us, or configure tls.certificate and tls.key",
		    path, strerror(errno));
	prim_buf_fini(&beside);
	return is_done;
}

/* ---- the certificate ---- */

static void put_name(GENERAL_NAMES *names, int type, const void *octets,
    size_t len)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *text = ASN1_STRING_type_new(type == GEN_DNS
		? V_ASN1_IA5STRING
		: V_ASN1_OCTET_STRING);

	ASN1_STRING_set(text, octets, (int)len);
	GENERAL_NAME_set0_value(name, type, text);
	sk_GENERAL_NAME_push(names, name);
}

static bool put_names(X509 *x, char *const *domains, size_t domain_count)
{
	static const unsigned char V4[4] = { 127, 0, 0, 1 };
	static const unsigned char V6[16] = { [15] = 1 };
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	bool is_done;

	for (size_t i = 0; i < domain_count; i++) {
		put_name(names, GEN_DNS, domains[i], strlen(domains[i]));
		if (strcmp(domains[i], "localhost") == 0) {
			put_name(names, GEN_IPADD, V4, sizeof(V4));
			put_name(names, GEN_IPADD, V6, sizeof(V6));
		}
	}
	is_done = X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1;
	GENERAL_NAMES_free(names);
	return is_done;
}

static bool put_serial(X509 *x)
{
	unsigned char octets[SERIAL_LEN];
	BIGNUM *number;
	bool is_done;

	if (RAND_bytes(octets, sizeof(octets)) != 1)
		return false;
	octets[0] = (octets[0] & 0x7f) | 0x40; /* positive, of full length */
	number = BN_bin2bn(octets, sizeof(octets), NULL);
	is_done = number &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
	BN_free(number);
	return is_done;
}

static bool put_subject(X509 *x, const char *domain)
{
	X509_NAME *name = X509_get_subject_name(x);
	const char *text = strlen(domain) <= NAME_MAX_CN ? domain
							 : "PRIM server";

	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
		   (const unsigned char *)text, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, name) == 1;
}

static bool put_constraints(X509 *x)
{
	BASIC_CONSTRAINTS *leaf = BASIC_CONSTRAINTS_new();
	const bool is_done = leaf &&
	    X509_add1_ext_i2d(x, NID_basic_constraints, leaf, 1, 0) == 1;

	BASIC_CONSTRAINTS_free(leaf);
	return is_done;
}

/* Begins a day ago: clocks differ. */
static X509 *sign_new(EVP_PKEY *key, char *const *domains, size_t domain_count)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, X509_VERSION_3) == 1 && put_serial(x) &&
	    X509_time_adj_ex(X509_getm_notBefore(x), -1, 0, NULL) &&
	    X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) &&
	    put_subject(x, domains[0]) && X509_set_pubkey(x, key) == 1 &&
	    put_constraints(x) && put_names(x, domains, domain_count) &&
	    X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static bool write_certificate(const char *path, X509 *x, struct br_err *err)
{
	BIO *pem = BIO_new(BIO_s_mem());
	bool is_done;

	if (!x || !pem || PEM_write_bio_X509(pem, x) != 1)
		is_done = br_err_set(err, "%s: cannot be made", path);
	else
		is_done = write_file(path, 0644, pem, err);
	BIO_free(pem);
	return is_done;
}

/* ---- the key ---- */

static EVP_PKEY *make_key(const char *path, struct br_err *err)
{
	EVP_PKEY *key = EVP_EC_gen(CURVE);
	BIO *pem = BIO_new(BIO_s_secmem());
	bool is_done;

	if (!key || !pem ||
	    PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL,
		NULL) != 1)
		is_done = br_err_set(err, "%s: cannot be made", path);
	else
		is_done = write_file(path, 0600, pem, err);
	BIO_free(pem);
	if (!is_done) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

/* OpenSSL's type, so NOLINTNEXTLINE(readability-non-const-parameter) */
int br_tls_no_passphrase(char *buffer, int size, int rwflag, void *arg)
{
	bool *out_asked = arg;

	(void)buffer;
	(void)size;
	(void)rwflag;
	if (out_asked)
		*out_asked = true;
	return -1;
}

static EVP_PKEY *read_key(const char *path, struct br_err *err)
{
	BIO *file = BIO_new_file(path, "r");
	EVP_PKEY *key = file
	    ? PEM_read_bio_PrivateKey(file, NULL, br_tls_no_passphrase, NULL)
	    : NULL;

	BIO_free(file);
	if (!key)
		br_err_set(err,
		    "%s: cannot be read as a private key: remove it, and a new "
		    "pair is made",
		    path);
	return key;
}

bool br_tls_cert_make(const char *certificate, const char *key,
    char *const *domains, size_t domain_count, struct br_err *err)
{
	const bool has_certificate = access(certificate, F_OK) == 0;
	const bool has_key = access(key, F_OK) == 0;
	EVP_PKEY *pair;
	X509 *x;
	bool is_done;

	if (has_certificate && has_key)
		return true;
	if (has_certificate)
		return br_err_set(err,
		    "%s: is missing, but its certificate %s is there: put the "
		    "key back, or remove the certificate and a new pair is made",
		    key, certificate);
	/* The key is written first: if we die in between, it is used the next
	 * time. */
	pair = has_key ? read_key(key, err) : make_key(key, err);
	if (!pair)
		return false;
	x = sign_new(pair, domains, domain_count);
	is_done = write_certificate(certificate, x, err);
	X509_free(x);
	EVP_PKEY_free(pair);
	return is_done;
}
