/*
 * segment_reader.h - bytes of the log's segments, read on a thread of their own: a bucket
 * may take seconds, and the thread that answers has other requests to answer.
 */
#pragma once

#include "base/buf.h"
#include "base/store/store.h"

struct segment_reader; /* any thread may use it */
struct segment_read;   /* one read; of the thread that began it */

/*
 * Of the log at `log_url`, which is opened when first read from; `ca_file` as in
 * store_open_opts.  Both are borrowed until segment_reader_free().  ERR_NOMEM, ERR_IO.
 */
int segment_reader_new(const char *log_url, const char *ca_file, struct segment_reader **ret);
/* Give up: all reads that are not done, and that begin later, are ERR_CANCELED.  Does not wait. */
void segment_reader_stop(struct segment_reader *r);
/* Stop, and wait for the thread.  Every read has been ended before.  NULL is fine. */
void segment_reader_free(struct segment_reader *r);

/*
 * Ask for bytes of the object `name`; they come in the order in which they were asked
 * for.  ERR_FULL (too many wait already), ERR_LIMIT (the name), ERR_CANCELED (stopped),
 * ERR_NOMEM, ERR_IO.
 */
int segment_read_begin(struct segment_reader *r, const char *name,
    const struct store_range *range, struct segment_read **ret);
/*
 * Is it there?  Then *ret_rc is the store's result, with `ei` filled, and *ret_bytes the
 * bytes, which live until segment_read_end().
 */
bool segment_read_done(
    struct segment_read *s, int *ret_rc, struct buf **ret_bytes, struct err_info *ei);
/* Also before it is done: then it is given up.  NULL is fine. */
void segment_read_end(struct segment_read *s);
