/*
 * mirror.h - one repository's log and snapshot, kept in step.
 *
 * A change is committed by one LMDB transaction: the snapshot's new state and the
 * encoded record, whose place in the log is fixed then, in the outbox.  A flush
 * makes outbox rows durable in the log and forgets them.  Opening puts the two in
 * step again whatever happened between: see recover.c.  No GitHub here.
 */
#pragma once

#include "base/store/store.h"
#include "mutation-log/mlog_writer.h"
#include "sync/apply.h"

struct mirror;

struct mirror_opts {
	const char *owner;
	const char *repo;
	const char *log_url; /* root; "owner/repo/" is added unless log_exact */
	bool log_exact;
	const struct store_open_opts *store; /* how the log's store is reached; may be NULL */
	const char *snapshot_dir;
	bool rebuild; /* do not trust the snapshot: replay the log */
	/* How long a taker waits for another holder's lease may be cut short; may be NULL. */
	int (*sleep_ms)(void *ctx, int64_t ms);
	/* Told what recovery does (a sentence); may be NULL. */
	void (*on_note)(void *ctx, const char *message, uint64_t count);
	/* Told how far a replay is; non-zero gives up.  May be NULL. */
	int (*on_replay)(void *ctx, uint64_t bytes, uint64_t total_bytes);
	void *ctx;
};

/*
 * Take the log over, open the snapshot, and bring them in step.  `opts` is only read
 * during the call.  ERR_BUSY: another process holds log or snapshot; ERR_CONFLICT,
 * ERR_CORRUPT (the log is damaged, text names segment and offset), ERR_CANCELED.
 */
int mirror_open(const struct mirror_opts *opts, struct mirror **ret, struct err_info *ei);

/*
 * Release WRITER and close.  What is not flushed stays in the outbox.  NULL is fine.
 */
void mirror_close(struct mirror *m);

/* A transaction at work, as the function given to mirror_commit() sees it. */
struct mirror_txn {
	struct mirror *mirror;
	struct snap_txn *snap;
	struct mlog_pos end; /* of the log, with this transaction's records */
	uint64_t records;    /* added by this transaction */
};

/*
 * Run `fn` inside one transaction and commit it.  When the map was full it is grown
 * and `fn` runs again, so it must have no other effects.  Returns fn's error (and
 * nothing is changed), or the transaction's.
 */
int mirror_commit(struct mirror *m, int (*fn)(struct mirror_txn *t, void *ctx), void *ctx,
    struct err_info *ei);

/* Apply a mutation and put its record into the outbox; NULL does nothing. */
int mirror_add(struct mirror_txn *t, const Maintpb__Mutation *mutation);

/* A view of the snapshot between transactions; end with snap_writer_view_end(). */
int mirror_view(struct mirror *m, struct snap_view **ret);

/* Make the outbox durable.  ERR_CONFLICT: another writer took the log; stop. */
int mirror_flush(struct mirror *m, struct err_info *ei);

/*
 * Lease, sweeping, dead readers, removal of old environments; cheap, call it every
 * minute or so.  Once a day it also checks every row of the snapshot: ERR_CORRUPT means
 * that the process should end, and the next start makes the snapshot anew.
 */
int mirror_tend(struct mirror *m, struct err_info *ei);

/* Bytes in the outbox since the last flush, and records since open. */
uint64_t mirror_unflushed_bytes(const struct mirror *m);
uint64_t mirror_records(const struct mirror *m);
