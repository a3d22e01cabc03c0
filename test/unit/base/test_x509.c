/* A certificate's end is told from its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/x509.h"

/* A certificate that ends `seconds` from now, as PEM in `out`. */
static void
make(long seconds, char *out, size_t size)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	assert_non_null(key);
	X509_gmtime_adj(X509_getm_notBefore(cert), seconds - 10);
	X509_gmtime_adj(X509_getm_notAfter(cert), seconds);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_read(bio, out, (int)size - 1);
	assert_true(len > 0);
	out[len] = '\0';
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
only_one_whose_time_is_over_has_expired(void **state)
{
	char pem[2048];

	(void)state;
	make(-5, pem, sizeof(pem));
	assert_true(x509_has_expired(pem));
	make(3600, pem, sizeof(pem));
	assert_false(x509_has_expired(pem));
}

static void
what_is_no_certificate_has_not_expired(void **state)
{
	char pem[2048];

	(void)state;
	assert_false(x509_has_expired(""));
	assert_false(
	    x509_has_expired("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
	make(-5, pem, sizeof(pem));
	pem[200] = '\0';
	assert_false(x509_has_expired(pem));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_one_whose_time_is_over_has_expired),
		cmocka_unit_test(what_is_no_certificate_has_not_expired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
