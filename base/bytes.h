/*
 * bytes.h - slices of bytes, and integers in them with a fixed byte order.
 *
 * Big-endian is for keys (so that they sort as numbers), little-endian for
 * values.  The memcpy forms have no alignment requirement.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes, not NUL-terminated.  ptr may be NULL when len is 0. */
struct slice {
	const char *ptr;
	size_t len;
};

/* A slice of a string literal. */
#define SLICE(lit) ((struct slice)SLICE_INIT(lit))
#define SLICE_INIT(lit)                                                                        \
	{                                                                                      \
		(lit), sizeof(lit) - 1                                                         \
	} /* where a constant is needed */

static inline struct slice
slice_str(const char *text)
{
	return (struct slice){ text, text == NULL ? 0 : strlen(text) };
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
slice_is(struct slice a, const char *text)
{
	return slice_eq(a, slice_str(text));
}

static inline void
put_be32(void *dst, uint32_t v)
{
	v = htobe32(v);
	memcpy(dst, &v, sizeof(v));
}

static inline void
put_be64(void *dst, uint64_t v)
{
	v = htobe64(v);
	memcpy(dst, &v, sizeof(v));
}

static inline uint32_t
get_be32(const void *src)
{
	uint32_t v;

	memcpy(&v, src, sizeof(v));
	return be32toh(v);
}

static inline uint64_t
get_be64(const void *src)
{
	uint64_t v;

	memcpy(&v, src, sizeof(v));
	return be64toh(v);
}

static inline void
put_le32(void *dst, uint32_t v)
{
	v = htole32(v);
	memcpy(dst, &v, sizeof(v));
}

static inline void
put_le64(void *dst, uint64_t v)
{
	v = htole64(v);
	memcpy(dst, &v, sizeof(v));
}

static inline uint32_t
get_le32(const void *src)
{
	uint32_t v;

	memcpy(&v, src, sizeof(v));
	return le32toh(v);
}

static inline uint64_t
get_le64(const void *src)
{
	uint64_t v;

	memcpy(&v, src, sizeof(v));
	return le64toh(v);
}

/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `len` bytes; `crc` is 0 or
 * the result for the bytes before.  Uses the processor's instruction if any.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
