/*
 * digest.h - SHA-2 digests and HMAC over openssl.
 */
#pragma once

#include "base/base64.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/hex.h"

#define SHA224_LEN 28
#define SHA224_HEX_LEN 56
#define SHA256_LEN 32

/* A running SHA-224, so that the digest of a growing file costs only its growth. */
struct sha224;

int sha224_new(struct sha224 **ret); /* ERR_NOMEM */
void sha224_free(struct sha224 *d);  /* NULL is fine */
int sha224_reset(struct sha224 *d);
int sha224_add(struct sha224 *d, const void *data, size_t len);
/* The digest of everything added so far, as lower-case hex and a NUL; `d` goes on. */
int sha224_peek_hex(const struct sha224 *d, char out[SHA224_HEX_LEN + 1]);

/* SHA-224 of one piece as lower-case hex and a NUL. */
int sha224_hex(struct slice data, char out[SHA224_HEX_LEN + 1]);
int sha256(struct slice data, unsigned char out[SHA256_LEN]);
int hmac_sha256(struct slice key, struct slice data, unsigned char out[SHA256_LEN]);

/* A running HMAC-SHA-256 under one key, for input that comes in pieces. */
struct hmac;

int hmac_new(struct slice key, struct hmac **ret); /* ERR_NOMEM, ERR_LIMIT */
int hmac_add(struct hmac *h, struct slice data);
int hmac_end(struct hmac *h, unsigned char out[SHA256_LEN]); /* once */
void hmac_free(struct hmac *h);                              /* NULL is fine */

/* Compare without telling by its time where the first difference is. */
bool digest_equal(const void *a, const void *b, size_t len);

/* Base64 with padding (RFC 4648 section 4); `out` has room for 4 * (len + 2) / 3 + 1. */
void base64_encode(const void *data, size_t len, char *out);
