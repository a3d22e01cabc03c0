/* mirror_internal.h - shared by mirror.c, recover.c and rebuild.c only. */
#pragma once

#include "sync/mirror.h"

#define MIRROR_HOLDER_MAX 128

struct mirror {
	char *owner, *repo;
	char name[256];               /* "owner/repo" */
	char prefix[MLOG_PREFIX_MAX]; /* in the store: "owner/repo/" or "" */
	char *snapshot_dir;
	char holder[MIRROR_HOLDER_MAX];
	struct store *store;
	struct mlog_writer *log;
	struct snap_writer *snap;
	struct apply *apply;
	struct buf packed, framed; /* a record on its way */
	struct mlog_pos end;       /* where the next record goes */
	uint64_t unflushed, records;
	bool segments_noted;   /* the table of segments is as of ... */
	uint32_t noted_number; /* ... when the tail had this number */
	int64_t swept_ms;      /* monotonic time of the last sweep of the log's folder */
	int64_t verified_ms;   /* monotonic time of the last whole check */
	bool damaged;          /* a check failed: do not close as if all were well */
};

/* Bring snapshot and log in step; m->log is open, m->snap is opened here. */
int mirror_recover(struct mirror *m, const struct mirror_opts *o, struct err_info *ei);

/* Make the snapshot anew from the log.  `aside` keeps the old environment. */
int mirror_rebuild(
    struct mirror *m, const struct mirror_opts *o, bool aside, struct err_info *ei);

/* Apply the log's records from `from` on to the open snapshot. */
int mirror_replay(
    struct mirror *m, const struct mirror_opts *o, struct mlog_pos from, struct err_info *ei);

/*
 * Bring the table of durable segments up to date; lists the log only when its tail has
 * another number than last time.
 */
int mirror_note_segments(struct mirror *m, struct err_info *ei);

/* Note in the snapshot what the log durably holds now. */
void mirror_put_tail(struct mirror *m, struct snap_txn *t);
