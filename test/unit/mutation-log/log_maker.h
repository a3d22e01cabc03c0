/* log_maker.h - small logs for tests, made without the writer, and read back whole. */
#pragma once

#include <stdio.h>

#include "base/store/store_mem.h"
#include "mutation-log/mlog_fence.h"
#include "mutation-log/mlog_reader.h"
#include "mutation-log/mlog_record.h"

#define MADE_PREFIX "acme/repo/"

/* A small generator of pseudo-random numbers (xorshift64*), the same on every machine. */
static inline uint32_t
rnd(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)((*seed * UINT64_C(2685821657736338717)) >> 32);
}

/* `count` records "payload N" (from `first`) as one segment; returns where it ends. */
static inline void
made_segment(struct buf *into, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		char payload[32];
		int n = snprintf(payload, sizeof(payload), "payload %d", i);

		mlog_record_append(into, into->len, (struct slice){ payload, (size_t)n });
	}
}

/* Put `bytes` as segment `number`, under its right name; *ret may be NULL. */
static inline int
made_put(struct store *s, const char *prefix, uint32_t number, struct slice bytes,
    struct mlog_segment *ret)
{
	struct mlog_segment seg = { .number = number, .size = bytes.len };
	char name[MLOG_NAME_SIZE], full[MLOG_NAME_SIZE + 64];
	int rc = sha224_hex(bytes, seg.sha224);

	if (rc != 0)
		return rc;
	mlog_segment_name(number, seg.sha224, name);
	snprintf(full, sizeof(full), "%s%s", prefix, name);
	if (ret != NULL)
		*ret = seg;
	return store_put(s, full, bytes, STORE_ANY, NULL, NULL);
}

/* A log of `segments` numbers with `each` records; payload numbers run on. */
static inline int
made_log(struct store *s, const char *prefix, int segments, int each)
{
	int rc = 0;

	for (int n = 0; rc == 0 && n < segments; n++) {
		struct buf b;

		buf_init(&b, 1 << 20);
		made_segment(&b, n * each, each);
		rc = made_put(s, prefix, (uint32_t)n, buf_view(&b), NULL);
		buf_clear(&b);
	}
	return rc;
}

/* Read a log to its end: "payload|payload|" in `into`; the reader's last code. */
static inline int
made_read(struct store *s, const char *prefix, struct mlog_pos from, struct buf *into,
    struct err_info *ei)
{
	struct mlog_reader *r = NULL;
	struct slice payload;
	struct mlog_pos at;
	int rc = mlog_reader_open(s, prefix, from, &r, ei);

	while (rc == 0) {
		rc = mlog_reader_next(r, &payload, &at, ei);
		if (rc == 0) {
			buf_slice(into, payload);
			buf_char(into, '|');
		}
	}
	mlog_reader_close(r);
	return rc;
}
