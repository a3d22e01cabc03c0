/*
 * buf.h - a growing byte buffer with a cap.
 *
 * The first failure (no memory, cap reached) is latched: later calls do
 * nothing, and buf_err() reports it, so a row of appends needs one check.
 */
#pragma once

#include <stdarg.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

struct buf {
	char *ptr;  /* owned; NUL-terminated only after buf_cstr() */
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* most bytes that len may reach */
	int err;    /* 0, ERR_NOMEM or ERR_LIMIT */
};

/* An empty buffer that may grow to `max` bytes; allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b); /* frees the memory; `b` may be used again with its cap */
void buf_reset(struct buf *b); /* empties it and forgets the error, keeps the memory */

/* Make room for `len` more bytes; 0 or the latched error. */
int buf_reserve(struct buf *b, size_t len);
/* What buf_add() does when there may be no room; nobody else calls it. */
void buf_add_growing(struct buf *b, const void *data, size_t len);

/* Here, so that texts whose length the compiler knows cost a store or two. */
static inline void
buf_add(struct buf *b, const void *data, size_t len)
{
	/* One byte stays free for a NUL; `cap` is less than SIZE_MAX / 2. */
	if (b->err == 0 && len != 0 && len <= b->max - b->len && b->len + len < b->cap) {
		memcpy(b->ptr + b->len, data, len);
		b->len += len;
		return;
	}
	buf_add_growing(b, data, len);
}

static inline void
buf_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.ptr, s.len);
}

static inline void
buf_str(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

static inline void
buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap);
void buf_u64(struct buf *b, uint64_t v); /* decimal, quicker than buf_fmt */
void buf_i64(struct buf *b, int64_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);

static inline int
buf_err(const struct buf *b)
{
	return b->err;
}

static inline struct slice
buf_view(const struct buf *b)
{
	return (struct slice){ b->ptr, b->len };
}

/* The content as a C string, borrowed until the next append; NULL on error. */
const char *buf_cstr(struct buf *b);

/* Move the memory out (NUL-terminated, caller frees with mem_free); NULL on error. */
char *buf_take(struct buf *b, size_t *ret_len);
