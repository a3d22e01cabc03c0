/* buf.c - growing buffer; every way to append goes through buf_reserve(). */
#include "base/buf.h"

#include <stdio.h>

#include "base/mem.h"

#define BUF_FIRST 256

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_clear(struct buf *b)
{
	mem_free(b->ptr);
	*b = (struct buf){ .max = b->max };
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->err = 0;
}

int
buf_reserve(struct buf *b, size_t len)
{
	size_t cap = b->cap == 0 ? BUF_FIRST : b->cap;
	char *ptr;

	if (b->err != 0)
		return b->err;
	if (len > b->max - b->len)
		return b->err = ERR_LIMIT;
	if (b->len + len < b->cap) /* one byte stays free for a NUL */
		return 0;
	while (cap <= b->len + len)
		cap += cap;
	ptr = mem_realloc(b->ptr, cap);
	if (ptr == NULL)
		return b->err = ERR_NOMEM;
	b->ptr = ptr;
	b->cap = cap;
	return 0;
}

void
buf_add_growing(struct buf *b, const void *data, size_t len)
{
	if (len == 0 || buf_reserve(b, len) != 0)
		return;
	memcpy(b->ptr + b->len, data, len);
	b->len += len;
}

void
buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && buf_reserve(b, (size_t)n) == 0) {
		/* buf_reserve() always keeps a byte for the NUL. */
		vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(b, fmt, ap);
	va_end(ap);
}

void
buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_add(b, digits + i, sizeof(digits) - i);
}

void
buf_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_char(b, '-');
	buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
buf_be32(struct buf *b, uint32_t v)
{
	char raw[4];

	put_be32(raw, v);
	buf_add(b, raw, sizeof(raw));
}

void
buf_le32(struct buf *b, uint32_t v)
{
	char raw[4];

	put_le32(raw, v);
	buf_add(b, raw, sizeof(raw));
}

void
buf_le64(struct buf *b, uint64_t v)
{
	char raw[8];

	put_le64(raw, v);
	buf_add(b, raw, sizeof(raw));
}

const char *
buf_cstr(struct buf *b)
{
	if (buf_reserve(b, 0) != 0)
		return NULL;
	b->ptr[b->len] = '\0';
	return b->ptr;
}

char *
buf_take(struct buf *b, size_t *ret_len)
{
	char *ptr;

	if (buf_cstr(b) == NULL)
		return NULL;
	ptr = b->ptr;
	if (ret_len != NULL)
		*ret_len = b->len;
	*b = (struct buf){ .max = b->max };
	return ptr;
}
