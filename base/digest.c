/* digest.c - the only file, with jwt.c, that knows openssl. */
#include "base/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/mem.h"

struct sha224 {
	EVP_MD_CTX *ctx;
};

int
sha224_new(struct sha224 **ret)
{
	struct sha224 *d = mem_zalloc(sizeof(*d));

	if (d == NULL)
		return ERR_NOMEM;
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx == NULL || sha224_reset(d) != 0) {
		sha224_free(d);
		return ERR_NOMEM;
	}
	*ret = d;
	return 0;
}

void
sha224_free(struct sha224 *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	mem_free(d);
}

int
sha224_reset(struct sha224 *d)
{
	return EVP_DigestInit_ex(d->ctx, EVP_sha224(), NULL) == 1 ? 0 : ERR_NOMEM;
}

int
sha224_add(struct sha224 *d, const void *data, size_t len)
{
	return EVP_DigestUpdate(d->ctx, data, len) == 1 ? 0 : ERR_NOMEM;
}

int
sha224_peek_hex(const struct sha224 *d, char out[SHA224_HEX_LEN + 1])
{
	unsigned char raw[SHA224_LEN];
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	int rc = ERR_NOMEM;

	if (copy != NULL && EVP_MD_CTX_copy_ex(copy, d->ctx) == 1 &&
	    EVP_DigestFinal_ex(copy, raw, NULL) == 1) {
		hex_encode(raw, sizeof(raw), out);
		rc = 0;
	}
	EVP_MD_CTX_free(copy);
	return rc;
}

int
sha224_hex(struct slice data, char out[SHA224_HEX_LEN + 1])
{
	unsigned char raw[SHA224_LEN];

	if (EVP_Digest(data.ptr, data.len, raw, NULL, EVP_sha224(), NULL) != 1)
		return ERR_NOMEM;
	hex_encode(raw, sizeof(raw), out);
	return 0;
}

int
sha256(struct slice data, unsigned char out[SHA256_LEN])
{
	return EVP_Digest(data.ptr, data.len, out, NULL, EVP_sha256(), NULL) == 1 ? 0
										  : ERR_NOMEM;
}

int
hmac_sha256(struct slice key, struct slice data, unsigned char out[SHA256_LEN])
{
	unsigned len = SHA256_LEN;

	if (key.len > INT32_MAX)
		return ERR_LIMIT;
	return HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)data.ptr,
		   data.len, out, &len) != NULL
		   ? 0
		   : ERR_NOMEM;
}

/* OpenSSL 3 has the running form behind its generic MAC interface. */
int
hmac_new(struct slice key, struct hmac **ret)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
				    OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac); /* the context holds it */
	if (ctx == NULL ||
	    EVP_MAC_init(ctx, (const unsigned char *)key.ptr, key.len, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return ERR_NOMEM;
	}
	*ret = (struct hmac *)ctx;
	return 0;
}

int
hmac_add(struct hmac *h, struct slice data)
{
	return EVP_MAC_update((EVP_MAC_CTX *)h, (const unsigned char *)data.ptr, data.len) == 1
		   ? 0
		   : ERR_NOMEM;
}

int
hmac_end(struct hmac *h, unsigned char out[SHA256_LEN])
{
	size_t len = 0;

	return EVP_MAC_final((EVP_MAC_CTX *)h, out, &len, SHA256_LEN) == 1 && len == SHA256_LEN
		   ? 0
		   : ERR_NOMEM;
}

void
hmac_free(struct hmac *h)
{
	EVP_MAC_CTX_free((EVP_MAC_CTX *)h);
}

bool
digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
base64_encode(const void *data, size_t len, char *out)
{
	out[EVP_EncodeBlock((unsigned char *)out, data, (int)len)] = '\0';
}
