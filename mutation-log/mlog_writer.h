/*
 * mlog_writer.h - the one writer of a log.
 *
 * Open takes the log over from whoever wrote it before; append gathers records whose
 * places the caller has fixed; flush makes them durable, in this order: the grown
 * tail under its new name, then WRITER by compare-and-swap, then the old tail is
 * deleted.  Only the swap makes records durable, and whoever loses it has lost the
 * log (ERR_CONFLICT, naming the new holder, from then on).
 *
 * Every step may be repeated: after a crash the caller opens, appends the records
 * that are not durable again, at the same places, and flushes; the same bytes get the
 * same names.
 */
#pragma once

#include "base/store/store.h"
#include "mutation-log/mlog.h"

/* Appended bytes that a writer holds before it wants a flush. */
#define MLOG_UNFLUSHED_MAX ((size_t)128 << 20)
/* Smaller tails are put whole: one request instead of three. */
#define MLOG_COMPOSE_MIN ((uint64_t)128 << 10)
/* Objects that nothing names are swept when they are so old. */
#define MLOG_SWEEP_AGE_MS (INT64_C(10) * 60 * 1000)

struct mlog_writer;

/* Time and waiting, given by the caller.  NULL functions mean the real clocks. */
struct mlog_writer_opts {
	int64_t (*mono_ms)(void *ctx);
	int64_t (*real_ms)(void *ctx);
	/* Wait; non-zero gives the wait up, and open returns ERR_CANCELED. */
	int (*sleep_ms)(void *ctx, int64_t ms);
	void *ctx;
	int64_t lease_s;      /* 0 = MLOG_LEASE_S */
	int64_t wait_poll_ms; /* how often a waiting taker looks; 0 = 5000 */
	/*
	 * From this size on the tail grows by compose, where the store has it: only what is
	 * new goes up.  0 = MLOG_COMPOSE_MIN.
	 */
	uint64_t compose_min_bytes;
};

/*
 * Become the writer of the log under `prefix`; `holder` names this writer and stays the
 * same over its restarts.  `opts` may be NULL; `s` must outlive the writer.
 *
 * At once if WRITER is absent (a new log, or one of maintner's, which is adopted), is
 * released, or names the same holder, or if the store has locks and this one was free;
 * otherwise it waits until WRITER has stood still for its lease.  Whoever is taken over
 * without having released leaves a number behind that this writer does not continue.
 *
 * ERR_BUSY: the lock is held, or WRITER was renewed: the holder, named, is alive.  ERR_CONFLICT: another taker was
 * quicker.  ERR_CORRUPT: WRITER is damaged, a number is missing or the tail is not
 * what WRITER says.  ERR_CANCELED.
 */
int mlog_writer_open(struct store *s, const char *prefix, const char *holder,
    const struct mlog_writer_opts *opts, struct mlog_writer **ret, struct err_info *ei);

/* Gives up the lock, drops what is not flushed; does not release WRITER.  NULL is fine. */
void mlog_writer_close(struct mlog_writer *w);

/* Where the next record goes, after all appended ones: what mlog_place() wants. */
struct mlog_pos mlog_writer_end(const struct mlog_writer *w);

/* The same after all durable ones: records before it can be forgotten. */
struct mlog_pos mlog_writer_durable(const struct mlog_writer *w);

/* The durable tail; false while the log is empty.  For checks and status. */
bool mlog_writer_tail(const struct mlog_writer *w, struct mlog_segment *ret);

/*
 * Add one or more framed records (a whole number of them, headers included), the first
 * of which stands at `at`: the end, or the start of the number after it, which seals
 * the one before.  The bytes are copied.  ERR_INVAL when that is not so or when the
 * first header says otherwise; ERR_FULL when MLOG_UNFLUSHED_MAX is reached: flush, then
 * append again; ERR_CONFLICT when the log is lost; ERR_NOMEM.  A failed append changes
 * nothing.
 */
int mlog_writer_append(
    struct mlog_writer *w, struct mlog_pos at, struct slice framed, struct err_info *ei);

/*
 * Make everything appended durable.  With nothing appended it does nothing.
 * ERR_CONFLICT: the log is lost; what was put was deleted again.  After any other
 * failure the flush may be repeated, or the process may end.
 */
int mlog_writer_flush(struct mlog_writer *w, struct err_info *ei);

/*
 * Rewrite WRITER when a third of the lease has passed since it was last written,
 * else do nothing.  ERR_CONFLICT as above.
 */
int mlog_writer_renew(struct mlog_writer *w, struct err_info *ei);

/*
 * Mark WRITER released, so that the next writer need not wait: the last call before
 * close at a clean stop.  Appended but unflushed records are not made durable.
 */
int mlog_writer_release(struct mlog_writer *w, struct err_info *ei);

/*
 * Flush and release with one write of WRITER, which a bucket takes only once a second; else
 * as the two.  After a failure it, or either of them, may be tried again.
 */
int mlog_writer_finish(struct mlog_writer *w, struct err_info *ei);

/*
 * Delete segments that WRITER does not name and that are older than
 * MLOG_SWEEP_AGE_MS: what interrupted flushes and lost rivals left.
 * *ret_count (may be NULL) is how many were deleted.
 */
int mlog_writer_sweep(struct mlog_writer *w, size_t *ret_count, struct err_info *ei);
