/*
 * copy_log.h - copies the log of one repository, object by object, as it is: segments
 * first, its commit record WRITER last, so that a copy without one is an unfinished copy.
 */
#pragma once

#include "base/store/store.h"

struct copy_log {
	struct store *from, *to;
	const char *from_prefix, *to_prefix; /* "owner/repo/" or "" */
	/*
	 * Empty the destination first.  Otherwise objects there must be those of the source,
	 * as an earlier run leaves them; others are refused.
	 */
	bool replace;
	bool dry_run; /* look, copy and delete nothing */
};

struct copy_log_result {
	size_t segments; /* of the log */
	uint64_t bytes;  /* of these */
	size_t copied;   /* objects, now */
	size_t deleted;  /* at the destination, now */
};

/*
 * Copy, then check each segment at the destination: that it is there, its size, and the
 * SHA-224 in its name over its bytes.  ERR_NOENT (no log there), ERR_BUSY (its writer has
 * not released it: named), ERR_EXISTS (the destination holds something else), ERR_CONFLICT
 * (the log changed meanwhile), ERR_CORRUPT, the stores' errors.
 */
int copy_log(const struct copy_log *c, struct copy_log_result *ret, struct err_info *ei);
