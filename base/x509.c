/* x509.c - see x509.h; checks no signature: that is the peer's to do. */
#include "base/x509.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

bool
x509_has_expired(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	bool expired = cert != NULL && X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;

	X509_free(cert);
	BIO_free(bio);
	return expired;
}
