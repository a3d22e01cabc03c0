/*
 * jwt.h - JSON Web Tokens signed with RS256 (RFC 7515, RFC 7518 section 3.3).
 */
#pragma once

#include "base/buf.h"

/*
 * Append header.claims.signature to `into`.  `claims` is a JSON object as text,
 * `key_id` (may be NULL) goes into the header, `pem` is an RSA private key in PEM
 * (PKCS #1 or #8).  ERR_INVAL when the key cannot be read or is not RSA; the text
 * never holds any of it.
 */
int jwt_sign_rs256(const char *key_id, struct slice claims, const char *pem, struct buf *into,
    struct err_info *ei);
