/* hex.c - hexadecimal digits. */
#include "base/hex.h"

static const char digits[] = "0123456789abcdef";

void
hex_encode(const void *data, size_t len, char *out)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = '\0';
}

static unsigned
value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

size_t
hex_decode(struct slice text, void *out, size_t size)
{
	unsigned char *p = out;

	if (text.len % 2 != 0 || text.len / 2 > size)
		return SIZE_MAX;
	for (size_t i = 0; i < text.len; i++) {
		if (value(text.ptr[i]) > 15)
			return SIZE_MAX;
	}
	for (size_t i = 0; i < text.len / 2; i++)
		p[i] =
		    (unsigned char)(value(text.ptr[2 * i]) << 4 | value(text.ptr[2 * i + 1]));
	return text.len / 2;
}
