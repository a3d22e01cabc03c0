/* jwt.c - signing tokens with openssl; knows no claim. */
#include "base/jwt.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/digest.h"
#include "base/json_text.h"
#include "base/mem.h"

#define JWT_PART_MAX ((size_t)64 << 10)
#define RSA_SIGNATURE_MAX 2048 /* bytes: keys of up to 16,384 bits */

static int
add_base64url(struct buf *into, struct slice part)
{
	char *text;

	if (part.len > JWT_PART_MAX)
		return ERR_LIMIT;
	text = mem_alloc(4 * (part.len + 2) / 3 + 4);
	if (text == NULL)
		return ERR_NOMEM;
	base64url_encode(part.ptr, part.len, text);
	buf_str(into, text);
	mem_free(text);
	return buf_err(into);
}

static int
add_header(struct buf *into, const char *key_id)
{
	struct buf b;
	int rc;

	buf_init(&b, JWT_PART_MAX);
	buf_str(&b, "{\"alg\":\"RS256\",\"typ\":\"JWT\"");
	if (key_id != NULL && key_id[0] != '\0') {
		buf_str(&b, ",\"kid\":");
		json_text_quote(&b, slice_str(key_id));
	}
	buf_char(&b, '}');
	rc = buf_err(&b) != 0 ? buf_err(&b) : add_base64url(into, buf_view(&b));
	buf_clear(&b);
	return rc;
}

static EVP_PKEY *
read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (key != NULL && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static int
sign(EVP_PKEY *key, struct slice data, unsigned char *out, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		 EVP_DigestSign(ctx, out, len, (const unsigned char *)data.ptr, data.len) == 1;

	EVP_MD_CTX_free(ctx);
	return ok ? 0 : ERR_INVAL;
}

int
jwt_sign_rs256(const char *key_id, struct slice claims, const char *pem, struct buf *into,
    struct err_info *ei)
{
	unsigned char signature[RSA_SIGNATURE_MAX];
	size_t start = into->len, len = sizeof(signature);
	EVP_PKEY *key = read_key(pem);
	int rc;

	if (key == NULL)
		return err_set(ei, ERR_INVAL, "the private key is no RSA key in PEM form");
	rc = add_header(into, key_id);
	buf_char(into, '.');
	if (rc == 0)
		rc = add_base64url(into, claims);
	if (rc == 0)
		rc = sign(key, (struct slice){ into->ptr + start, into->len - start },
		    signature, &len);
	EVP_PKEY_free(key);
	if (rc != 0)
		return err_set(ei, rc, "the token cannot be signed");
	buf_char(into, '.');
	return add_base64url(into, (struct slice){ (char *)signature, len });
}
