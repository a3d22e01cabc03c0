/*
 * mlog_fence.h - the commit record WRITER of a log: who may write, and which
 * segments are the log.  FORMAT.md tells its members and why each is there.
 *
 * This file knows the record and its text only; mlog_writer.h moves it.
 */
#pragma once

#include "base/buf.h"
#include "base/store/store.h"
#include "mutation-log/mlog.h"

#define MLOG_WRITER_NAME "WRITER"
#define MLOG_LEASE_S 300
#define MLOG_HOLDER_MAX 256                     /* bytes */
#define MLOG_NONCE_SIZE 17                      /* 16 hex digits and a NUL */
#define MLOG_LEASE_MAX_S INT64_C(86400)         /* a day */
#define MLOG_WRITER_MAX_BYTES ((size_t)2 << 20) /* text of the record */

struct mlog_fence {
	int64_t epoch;               /* counts takeovers, from 1 */
	char *holder;                /* owned; who writes, e.g. the pod's name */
	char nonce[MLOG_NONCE_SIZE]; /* random for each takeover; "" if it has none */
	bool released;               /* its holder stopped cleanly */
	int64_t lease_s;  /* how long WRITER must stand still before another may take over */
	bool has_tail;    /* false while the log is empty */
	bool next_number; /* the next record begins number tail.number + 1 */
	struct mlog_segment tail;
	/*
	 * The digests of numbers 0..tail.number - 1, or none at all when the record
	 * came from a writer that does not list them (sealed_count is 0 then).
	 */
	char (*sealed)[SHA224_HEX_LEN + 1]; /* owned */
	size_t sealed_count;
};

void mlog_fence_clear(struct mlog_fence *f);
int mlog_fence_dup(const struct mlog_fence *f, struct mlog_fence *ret); /* ERR_NOMEM */

/* Make `count` the number of sealed digests; new ones are "".  ERR_NOMEM. */
int mlog_fence_resize(struct mlog_fence *f, size_t count);

/* ERR_INVAL unless `holder` may stand in a record: 1..256 printable ASCII characters. */
int mlog_holder_check(const char *holder, struct err_info *ei);

/* Is the segment part of the log by this record?  False, too, where sealed is unknown. */
bool mlog_fence_names(const struct mlog_fence *f, uint32_t number, const char *sha224);

/*
 * Make `next` the tail: it grew from the tail there is, or begins the number after
 * it, which seals that one.  ERR_INVAL when it is neither.
 */
int mlog_fence_advance(struct mlog_fence *f, const struct mlog_segment *next);

/* ERR_CORRUPT with what is wrong; *ret is ended with mlog_fence_clear(). */
int mlog_fence_parse(struct slice text, struct mlog_fence *ret, struct err_info *ei);
int mlog_fence_print(const struct mlog_fence *f, struct buf *into);

/* Read `prefix`WRITER.  ERR_NOENT when there is none. */
int mlog_fence_load(struct store *s, const char *prefix, struct mlog_fence *ret,
    int64_t *ret_generation, struct err_info *ei);
