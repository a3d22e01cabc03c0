/* base64.c - three bytes are four characters. */
#include "base/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
base64url_encode(const void *data, size_t len, char *out)
{
	const unsigned char *in = data;
	uint32_t bits = 0;
	unsigned count = 0; /* of bits that are not written yet */

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | in[i];
		for (count += 8; count >= 6; count -= 6)
			*out++ = alphabet[bits >> (count - 6) & 63];
	}
	if (count > 0)
		*out++ = alphabet[bits << (6 - count) & 63];
	*out = '\0';
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

size_t
base64url_decode(struct slice text, void *out, size_t size)
{
	unsigned char *to = out;
	uint32_t bits = 0;
	unsigned count = 0;
	size_t len = 0;

	if (text.len % 4 == 1 || text.len > SIZE_MAX / 3 || text.len * 3 / 4 > size)
		return SIZE_MAX;
	for (size_t i = 0; i < text.len; i++) {
		int v = value_of(text.ptr[i]);

		if (v < 0)
			return SIZE_MAX;
		bits = bits << 6 | (uint32_t)v;
		count += 6;
		if (count >= 8) {
			count -= 8;
			to[len++] = (unsigned char)(bits >> count);
		}
	}
	/* Bits that belong to no byte would be a second spelling. */
	return (bits & ((1U << count) - 1)) != 0 ? SIZE_MAX : len;
}
