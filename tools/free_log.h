/*
 * free_log.h - a log that nobody holds, and a log that is gone.
 */
#pragma once

#include "base/store/store.h"

struct free_log {
	struct store *store;
	const char *prefix;          /* "owner/repo/" or "" */
	const struct cancel *cancel; /* of the wait for a lease; may be NULL */
	/* Take a holder whose WRITER is younger than its lease, by this clock, to be alive. */
	bool impatient;
	/* It is only read: where this process may not lock it, one that was released will do. */
	bool read_only;
	void (*on_wait)(
	    void *ctx, const char *holder, int64_t left_s); /* at times; may be NULL */
	void *ctx;
	/* What free_log_take() finds. */
	int64_t generation; /* of WRITER; STORE_ABSENT */
	int64_t epoch;
	struct store_list objects; /* of the log, WRITER too */
	uint64_t bytes;            /* of its segments */
	size_t segments;
	struct store_lock *lock; /* where the store has locks */
};

/*
 * See what is there.  ERR_EXISTS: an object is no part of a log, named.
 */
int free_log_look(struct free_log *f, struct err_info *ei);
/*
 * The same, and whether it can be taken: ERR_BUSY as below, but nothing is waited for and
 * nothing written.
 */
int free_log_see(struct free_log *f, struct err_info *ei);
/*
 * The same, and wait until nobody holds it: WRITER says released, or there is
 * none, or it stood still for its lease; then it is marked released on behalf of whoever
 * died.  ERR_BUSY: the holder, named, is alive, or (impatient) likely is.  ERR_CONFLICT, ERR_CANCELED, the store's
 * errors.
 */
int free_log_take(struct free_log *f, struct err_info *ei);
/*
 * Empty it: first WRITER is replaced by one that names no segment, if it still is as it
 * was found (else ERR_CONFLICT, and nothing is deleted), then the segments go, the last one
 * first, also such as came after free_log_take(), then WRITER.  An interruption leaves all
 * of the log or, by WRITER, an empty one.  Whoever takes the empty log over ends it with 0.
 */
int free_log_erase(struct free_log *f, size_t *ret_deleted, struct err_info *ei);
void free_log_clear(struct free_log *f);
