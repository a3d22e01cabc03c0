/*
 * base64.h - Base64 for URLs, without padding (RFC 4648 section 5).
 *
 * By itself, so that what makes page tokens needs no cryptography.
 */
#pragma once

#include "base/bytes.h"

/* Writes a NUL; `out` has room for 4 * (len + 2) / 3 + 1. */
void base64url_encode(const void *data, size_t len, char *out);

/*
 * Strict: one spelling for every content.  Returns the length, or SIZE_MAX when `text`
 * is not of that form or does not fit `size`.
 */
size_t base64url_decode(struct slice text, void *out, size_t size);
