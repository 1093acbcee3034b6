/* SPDX-License-Identifier: ISC */
/* The files TLS needs: making, reading, refusing and replacing them. */

#include "tests/bridge/tls_world.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void write_text(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A self-signed pair under other names. */
static void make_pair(const struct world *w, const char *certificate,
    const char *key)
{
	struct br_err err = { "" };
	struct br_tls *tls = open_own(path(w, "other"), &err);

	assert_string_equal(err.text, "");
	br_tls_close(tls);
	assert_int_equal(rename(path(w, "other/self-signed.pem"), certificate),
	    0);
	assert_int_equal(rename(path(w, "other/self-signed.key"), key), 0);
}

static void make_key(const char *file, EVP_PKEY *key, const char *passphrase)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, key,
			     passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
			     passphrase ? (int)strlen(passphrase) : 0, NULL,
			     NULL),
	    1);
	EVP_PKEY_free(key);
	assert_int_equal(fclose(f), 0);
}

static X509 *read_certificate(const char *file)
{
	FILE *f = fopen(file, "r");
	X509 *x;

	assert_non_null(f);
	x = PEM_read_X509(f, NULL, NULL, NULL);
	assert_non_null(x);
	(void)fclose(f);
	return x;
}

static void the_pair_is_made_once_and_the_key_is_ours_only(void **state)
{
	struct world *w = *state;
	struct br_err err = { "" };
	struct stat key, certificate, again;
	struct br_tls *tls;

	assert_int_equal(stat(path(w, "self-signed.key"), &key), 0);
	assert_int_equal(stat(path(w, "self-signed.pem"), &certificate), 0);
	assert_int_equal(key.st_mode & 0777, 0600);
	tls = open_own(w->dir, &err);
	assert_non_null(tls);
	br_tls_close(tls);
	assert_int_equal(stat(path(w, "self-signed.pem"), &again), 0);
	assert_int_equal(again.st_ino, certificate.st_ino);
}

static void a_key_without_certificate_gets_one(void **state)
{
	struct world *w = *state;
	struct br_err err = { "" };
	struct stat key, again;
	struct br_tls *tls;

	assert_int_equal(stat(path(w, "self-signed.key"), &key), 0);
	assert_int_equal(unlink(path(w, "self-signed.pem")), 0);
	tls = open_own(w->dir, &err);
	assert_string_equal(err.text, "");
	assert_non_null(tls);
	br_tls_close(tls);
	assert_int_equal(stat(path(w, "self-signed.key"), &again), 0);
	assert_int_equal(again.st_ino, key.st_ino);
}

static void the_made_certificate_names_us(void **state)
{
	struct world *w = *state;
	X509 *x = read_certificate(path(w, "self-signed.pem"));
	int days = 0, seconds = 0;

	assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "prim.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "other.example", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x),
	    X509_get0_notAfter(x));
	assert_in_range(days, 3650, 3652);
	X509_free(x);
}

/* As `prim --ca self-signed.pem` does. */
static void a_client_that_trusts_the_file_trusts_us(void **state)
{
	struct world *w = *state;

	assert_int_equal(SSL_CTX_load_verify_locations(w->client_context,
			     path(w, "self-signed.pem"), NULL),
	    1);
	SSL_CTX_set_verify(w->client_context, SSL_VERIFY_PEER, NULL);
	call(w, TLS1_3_VERSION);
	SSL_set1_host(w->client, "prim.example");
	assert_true(shake_hands(w));
	assert_int_equal(SSL_get_verify_result(w->client), X509_V_OK);
	hang_up(w);

	call(w, TLS1_3_VERSION);
	SSL_set1_host(w->client, "other.example");
	assert_false(shake_hands(w));
}

static struct br_tls *open_with(struct world *w, const char *certificate,
    const char *key, struct br_err *err)
{
	err->text[0] = '\0';
	return br_tls_open(&(struct br_tls_files){ certificate
				   ? path(w, certificate)
				   : NULL,
			       key ? path(w, key) : NULL, w->dir, DOMAINS, 2 },
	    err);
}

static void make_bad_files(struct world *w)
{
	make_pair(w, path(w, "a.pem"), path(w, "a.key"));
	make_pair(w, path(w, "b.pem"), path(w, "b.key"));
	make_key(path(w, "rsa.key"), EVP_RSA_gen(2048), NULL);
	make_key(path(w, "locked.key"), EVP_EC_gen("P-256"), "sesame");
	write_text(path(w, "text"), "hello\n");
	write_text(path(w, "empty"), "");
	write_text(path(w, "broken.pem"),
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
}

static void bad_files_are_told_with_a_cure(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *certificate, *key;
		const char *file, *why, *cure;
	} CASES[] = {
		{ "no certificate", "gone.pem", "a.key", "gone.pem",
		    "No such file", "tls.certificate" },
		{ "no key", "a.pem", "gone.key", "gone.key", "No such file",
		    "tls.key" },
		{ "a folder", "other", "a.key", "other", "not a certificate",
		    "tls.certificate" },
		{ "text for a certificate", "text", "a.key", "text",
		    "not a certificate", "tls.certificate" },
		{ "nothing for a certificate", "empty", "a.key", "empty",
		    "not a certificate", "tls.certificate" },
		{ "a damaged certificate", "broken.pem", "a.key", "broken.pem",
		    "not a certificate", "tls.certificate" },
		{ "text for a key", "a.pem", "text", "text",
		    "not a private key", "tls.key" },
		{ "a certificate for a key", "a.pem", "a.pem", "a.pem",
		    "not a private key", "tls.key" },
		{ "another key", "a.pem", "b.key", "b.key", "not the key of",
		    "tls.key" },
		{ "a key of another kind", "a.pem", "rsa.key", "rsa.key",
		    "not the key of", "tls.key" },
		{ "an encrypted key", "a.pem", "locked.key", "locked.key",
		    "encrypted", "without a passphrase" },
		{ "no key configured", "a.pem", NULL, "tls.key",
		    "not configured", "belong together" },
		{ "no certificate configured", NULL, "a.key", "tls.certificate",
		    "not configured", "belong together" },
	};
	/* clang-format on */
	struct world *w = *state;
	struct br_err err;

	make_bad_files(w);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		if (open_with(w, CASES[i].certificate, CASES[i].key, &err))
			fail_msg("%s: accepted", CASES[i].name);
		if (!strstr(err.text, CASES[i].file) ||
		    !strstr(err.text, CASES[i].why) ||
		    !strstr(err.text, CASES[i].cure))
			fail_msg("%s: %s", CASES[i].name, err.text);
	}
}

static void a_pair_of_our_own_that_is_damaged_is_told(void **state)
{
	struct world *w = *state;
	struct br_err err = { "" };

	write_text(path(w, "self-signed.key"), "hello\n");
	assert_null(open_own(w->dir, &err));
	assert_non_null(strstr(err.text, "self-signed.key"));
	assert_non_null(strstr(err.text, "remove both"));

	assert_int_equal(unlink(path(w, "self-signed.pem")), 0);
	assert_null(open_own(w->dir, &err));
	assert_non_null(strstr(err.text, "self-signed.key"));
	assert_non_null(strstr(err.text, "remove it"));

	write_text(path(w, "self-signed.pem"), "hello\n");
	assert_int_equal(unlink(path(w, "self-signed.key")), 0);
	assert_null(open_own(w->dir, &err));
	assert_non_null(strstr(err.text, "self-signed.key: is missing"));

	assert_null(open_own(path(w, "gone"), &err));
	assert_non_null(strstr(err.text, "gone/self-signed.key"));
	assert_non_null(strstr(err.text, "No such file"));
}

static bool shows(struct world *w, const char *file)
{
	X509 *want = read_certificate(path(w, file));
	X509 *got = SSL_get1_peer_certificate(w->client);
	const bool same = X509_cmp(want, got) == 0;

	X509_free(want);
	X509_free(got);
	return same;
}

static void reloading_is_for_new_connections(void **state)
{
	struct world *w = *state;
	struct br_err err = { "" };

	make_pair(w, path(w, "a.pem"), path(w, "a.key"));
	make_pair(w, path(w, "b.pem"), path(w, "b.key"));
	br_tls_close(w->tls);
	w->tls = open_with(w, "a.pem", "a.key", &err);
	assert_non_null(w->tls);
	connect_with(w, TLS1_3_VERSION);
	assert_int_equal(rename(path(w, "b.pem"), path(w, "a.pem")), 0);

	/* Half replaced: a bad file changes nothing. */
	assert_false(br_tls_reload(w->tls, &err));
	assert_non_null(strstr(err.text, "not the key of"));
	echo_some(w);

	assert_int_equal(rename(path(w, "b.key"), path(w, "a.key")), 0);
	assert_true(br_tls_reload(w->tls, &err));
	echo_some(w);
	assert_false(shows(w, "a.pem"));
	hang_up(w);
	connect_with(w, TLS1_3_VERSION);
	assert_true(shows(w, "a.pem"));
	echo_some(w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_pair_is_made_once_and_the_key_is_ours_only),
		TEST(a_key_without_certificate_gets_one),
		TEST(the_made_certificate_names_us),
		TEST(a_client_that_trusts_the_file_trusts_us),
		TEST(bad_files_are_told_with_a_cure),
		TEST(a_pair_of_our_own_that_is_damaged_is_told),
		TEST(reloading_is_for_new_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
