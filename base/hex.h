/*
 * hex.h - bytes as lower-case hexadecimal digits, without any library's help.
 */
#pragma once

#include "base/bytes.h"

/* Lower-case hex of `len` bytes and a NUL; out has room for 2 * len + 1. */
void hex_encode(const void *data, size_t len, char *out);

/*
 * The other way, strictly: only lower-case digits, so that every text stands for other
 * bytes.  Returns the length, or SIZE_MAX when `text` is not of that form or does not
 * fit `size`; `out` is written only on success.
 */
size_t hex_decode(struct slice text, void *out, size_t size);
