/*
 * mlog_reader.h - reads a log from a store, in bounded memory, and vouches for it.
 *
 * What it reads is the durable log: up to the tail that WRITER names, or, without a
 * WRITER (maintner's logs), all segments, of two with one number the newer one.
 * It reports damage, never skips it: ERR_CORRUPT with the segment's name and the
 * offset in the text.  A segment is good only when its digest was checked, that is,
 * when next() has moved on to the following segment or said ERR_NOENT.
 */
#pragma once

#include "base/store/store.h"
#include "mutation-log/mlog.h"

struct mlog_reader;

/*
 * Open the log under `prefix` ("owner/repo/" or ""), to read from `from` on, which
 * is {0, 0}, the place of a record, or the end; `s` must outlive the reader.
 * Earlier segments are neither read nor checked.  A log that is not there is empty.
 * ERR_CORRUPT when a number is missing, a name is malformed, or WRITER's segments
 * are not there; ERR_CONFLICT when `from` is past the end: the caller's idea of this
 * log and the log disagree.
 */
int mlog_reader_open(struct store *s, const char *prefix, struct mlog_pos from,
    struct mlog_reader **ret, struct err_info *ei);
void mlog_reader_close(struct mlog_reader *r); /* NULL is fine */

/*
 * The next record.  The payload is borrowed until the next call.  ERR_NOENT at the
 * end of the log, with every digest checked; ERR_CORRUPT; ERR_STALE when a segment was
 * replaced meanwhile by one that does not continue it; the store's errors.
 * After a failure every further call returns the same.
 */
int mlog_reader_next(struct mlog_reader *r, struct slice *ret_payload, struct mlog_pos *ret_at,
    struct err_info *ei);

/*
 * The end of the last record returned: `from` before the first, mlog_reader_end()
 * after the last.
 */
struct mlog_pos mlog_reader_pos(const struct mlog_reader *r);

/*
 * Where the log ends: behind its last record.  It may move on while a log that has
 * a writer is being read.
 */
struct mlog_pos mlog_reader_end(const struct mlog_reader *r);

/* Segments of the log, in order, borrowed until the next mlog_reader_next(); index = number. */
size_t mlog_reader_segment_count(const struct mlog_reader *r);
const struct mlog_segment *mlog_reader_segment(const struct mlog_reader *r, size_t i);

/* Bytes of all segments, for progress. */
uint64_t mlog_reader_total_bytes(const struct mlog_reader *r);
