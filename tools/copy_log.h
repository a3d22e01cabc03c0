/*
 * copy_log.h - copies the log of one repository, segment by segment, as it is: its commit
 * record WRITER goes last, so that a copy without one is an unfinished copy.
 */
#pragma once

#include "base/store/store.h"

struct copy_log {
	struct store *from, *to;
	const char *from_prefix, *to_prefix; /* "owner/repo/" or "" */
	/*
	 * Delete another log that the destination holds.  Otherwise objects there must be the
	 * source's, as an earlier run leaves them, or such as its segments have grown from;
	 * others are refused.
	 */
	bool replace;
	/* Take what is no readable log as it is, each object of it: for a backup. */
	bool as_it_is;
	bool dry_run; /* look, copy and delete nothing */
	/* Called now and then: `bytes` of `total` are copied, or read back.  May be NULL. */
	void (*on_progress)(void *ctx, const char *doing, uint64_t bytes, uint64_t total);
	void *ctx;
};

struct copy_log_result {
	size_t segments; /* of the log */
	uint64_t bytes;  /* of these */
	size_t copied;   /* objects, now */
	size_t deleted;  /* at the destination, now */
};

/*
 * Copy the segments that are the log, as its readers take them, then read each at the
 * destination: that it is there, its size, and the SHA-224 in its name over its bytes; one
 * that was there before and is damaged is copied anew.  With `replace`, nothing is deleted
 * before the source's own bytes are verified.
 *
 * Nobody may be writing at either end: see to that with free_log.h.  What changes all the same
 * is noticed at the end (ERR_CONFLICT, and what was put is taken away where it stands beside
 * somebody else's).
 *
 * ERR_NOENT: no log there.  ERR_EXISTS: the destination holds something else.  ERR_CONFLICT:
 * the log changed meanwhile, or the destination holds this log and has gone on since.
 * ERR_CORRUPT: the source is no log, or damaged.  The stores' errors.
 */
int copy_log(const struct copy_log *c, struct copy_log_result *ret, struct err_info *ei);
