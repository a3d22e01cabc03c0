/*
 * replay.h - the log's records applied to a snapshot, in batches; what a rebuild,
 * a catching-up and the tools' verification have in common.
 */
#pragma once

#include "base/store/store.h"
#include "mutation-log/mlog.h"
#include "sync/apply.h"

struct replay_opts {
	struct store *store;
	const char *prefix;       /* of the log in the store, "owner/repo/" or "" */
	struct mlog_pos from;     /* the first record to apply */
	struct snap_writer *into; /* its log end is set to the log's */
	struct apply *apply;
	/* Told after each batch how far it is; non-zero gives up (ERR_CANCELED).  May be NULL. */
	int (*on_progress)(void *ctx, uint64_t bytes, uint64_t total_bytes);
	void *ctx;
};

/*
 * Apply every record from `from` to the log's end.  Memory is bounded by a record and
 * a batch.  ERR_CORRUPT, naming segment and offset; ERR_CONFLICT when `from` is past
 * the end; the store's errors.
 */
int replay_log(const struct replay_opts *o, struct err_info *ei);

/*
 * Apply the rows of a snapshot's outbox (records that are not in the log yet) that are
 * in `from` to another snapshot.
 */
int replay_outbox(
    struct snap_view *from, struct snap_writer *into, struct apply *apply, struct err_info *ei);
