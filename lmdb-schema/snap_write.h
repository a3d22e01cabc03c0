/*
 * snap_write.h - write side of a snapshot: sync/ and tools/ only.
 *
 * One writer at a time (a lock on the directory sees to it), one transaction
 * at a time, on the thread that began it.  A transaction latches its first
 * error: later writes do nothing and snap_txn_commit() reports it.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "lmdb-schema/snap_read.h"

struct snap_writer;
struct snap_txn;

/* Most labels and assignees that one issue may have; GitHub allows 100 and 10. */
#define SNAP_LIST_MAX 1024U
/* Longest escaped text (title, body, login ...) that a row may hold. */
#define SNAP_TEXT_MAX ((size_t)64 << 20)

enum snap_writer_flag {
	SNAP_FILL =
	    1 << 0, /* a new environment for a rebuild: no sync, indexes made at the end */
};

/*
 * Open the current environment of `dir`, or make the first one, for the
 * repository "owner/repo" (ERR_INVAL when the directory is another one's).
 * With SNAP_FILL a fresh environment beside the current one, seen by nobody
 * until snap_writer_promote().  *ret_unclean tells that the last writer did
 * not close, or that the file was short: run snap_verify() before trusting it.  Errors: ERR_BUSY (another
 * writer), ERR_VERSION, ERR_CORRUPT, ERR_IO, ERR_NOMEM.
 */
int snap_writer_open(const char *dir, const char *repo, unsigned flags,
    struct snap_writer **ret, bool *ret_unclean, struct err_info *ei);
void snap_writer_close(struct snap_writer *w); /* clean stop; NULL is fine */
/* Close, but leave the mark of an unclean stop, so that the next start checks every row. */
void snap_writer_abandon(struct snap_writer *w);

/*
 * Finish a SNAP_FILL environment: build the indexes, sync once, move the link
 * `current` to it, and tell readers of the old one where to go.  Afterwards
 * `w` is the current writer with normal syncing.  If `aside`, the old
 * environment is kept as DIR/aside (one is kept), else removed by
 * snap_writer_collect().
 */
int snap_writer_promote(struct snap_writer *w, bool aside, struct err_info *ei);

/* Free the slots of dead readers; remove environments out of use for a minute. */
void snap_writer_collect(struct snap_writer *w);

/* --- transactions --- */

int snap_txn_begin(struct snap_writer *w, struct snap_txn **ret);
/* Ends the transaction either way; ERR_FULL: the map was grown, do the batch again. */
int snap_txn_commit(struct snap_txn *t);
void snap_txn_abort(struct snap_txn *t); /* NULL is fine */
int snap_txn_err(const struct snap_txn *t);
void snap_txn_fail(struct snap_txn *t, int code); /* latch an error of the caller's */

/* The transaction's own state as a view; do not end it. */
struct snap_view *snap_txn_view(struct snap_txn *t);
/* Memory that lives as long as the transaction. */
struct arena *snap_txn_arena(struct snap_txn *t);

/* --- issues --- */

/*
 * An issue in a form that can be changed.  Slices are escaped JSON text
 * without quotation marks and may be borrowed from the view until the next
 * write to the transaction: snap_issue_edit_begin() copies what it must.
 */
struct snap_issue_edit {
	uint32_t number;
	uint32_t flags; /* derived bits are recomputed by snap_issue_edit_end() */
	int64_t id;
	int64_t created_ms, updated_ms, closed_ms, merged_ms;
	int64_t reporter, closed_by, milestone, merged_by;
	int64_t comments_ms, events_ms, reviews_ms; /* synced as of */
	int64_t commit_event, commit_ms;
	uint32_t comment_count, review_count, event_count, review_comment_count, hub_comments;
	struct slice title;
	struct slice body; /* what is stored or will be; changed by snap_body_set() only */
	bool body_apart;   /* stored, and too long for the row: `body` is empty */
	bool body_changed;
	struct slice commit; /* hex text */
	struct slice state_reason;
	struct slice association, lock_reason, merge_commit, type;
	/* JSON: objects, and an array of texts; empty for none */
	struct slice reactions, base, head, teams;
	int64_t labels[SNAP_LIST_MAX];
	uint32_t label_count;
	int64_t assignees[SNAP_LIST_MAX];
	uint32_t assignee_count;
	int64_t reviewers[SNAP_LIST_MAX]; /* in the order of ids */
	uint32_t reviewer_count;
	bool existed;       /* there was a row */
	uint32_t old_flags; /* of that row, for indexes and counters */
	struct snap_list_pos old_pos[SNAP_ORDERS];
};

/* Load an issue, or an empty one with that number. */
int snap_issue_edit_begin(struct snap_txn *t, uint32_t number, struct snap_issue_edit *ret);
/* Render and store it, and keep indexes and counters in step. */
void snap_issue_edit_end(struct snap_txn *t, const struct snap_issue_edit *e);
/* `escaped` without quotation marks; it must live until snap_issue_edit_end(). */
void snap_body_set(struct snap_issue_edit *e, struct slice escaped);

/* Raw texts; both empty remove the row. */
void snap_other_put(struct snap_txn *t, uint32_t number, const struct snap_other *o);

/* Reactions as GitHub counts them, in the order of its fields. */
#define SNAP_REACTION_KINDS 8
struct snap_reactions {
	uint32_t total;
	uint32_t kinds[SNAP_REACTION_KINDS]; /* +1, -1, laugh, hooray, confused, heart, ... */
};
/* {"totalCount":3,"plusOne":2,...}; unless `all`, kinds that nobody chose are left out. */
void snap_reactions_render(struct buf *b, const struct snap_reactions *r, bool all);

/* --- children; counts in the edit are kept in step --- */

struct snap_comment_in {
	int64_t id;
	int64_t user;
	int64_t created_ms, updated_ms;
	struct slice body, association, other; /* escaped */
	struct slice reactions;                /* rendered, not `all`; empty for none */
};
void snap_comment_put(
    struct snap_txn *t, struct snap_issue_edit *e, const struct snap_comment_in *c);

struct snap_review_in {
	int64_t id;
	int64_t actor;
	int64_t created_ms, updated_ms;
	struct slice body, state, commit, association, other; /* escaped */
};
void snap_review_put(
    struct snap_txn *t, struct snap_issue_edit *e, const struct snap_review_in *r);

struct snap_event_in {
	int64_t id;
	int64_t actor;
	int64_t created_ms;
	int64_t assignee, assigner, reviewer, requester; /* user ids, 0 = none */
	struct slice type; /* e.g. "labeled"; this and all below are escaped */
	struct slice label, milestone, rename_from, rename_to, team;
	struct slice commit, commit_owner, commit_repo;
	int64_t dismissed_review;
	struct slice dismissed_message, dismissed_state;
	struct slice other; /* JSON text of what has no field, or empty */
};
void snap_event_put(
    struct snap_txn *t, struct snap_issue_edit *e, const struct snap_event_in *ev);

struct snap_review_comment_in {
	int64_t id;
	int64_t user;
	int64_t created_ms, updated_ms;
	int64_t review, in_reply_to;                                   /* ids, 0 = none */
	uint32_t line, original_line, start_line, original_start_line; /* 0 = none */
	struct slice path, side, start_side, subject_type; /* escaped, as all below */
	struct slice commit, original_commit, diff_hunk, body, association, other;
	struct slice reactions; /* rendered, not `all`; empty for none */
};
void snap_review_comment_put(
    struct snap_txn *t, struct snap_issue_edit *e, const struct snap_review_comment_in *c);

/* Delete a child; true if there was one. */
bool snap_child_delete(
    struct snap_txn *t, struct snap_issue_edit *e, enum snap_child_kind kind, int64_t id);

/* --- users, labels, milestones; names raw UTF-8, escaped here --- */

void snap_user_put(struct snap_txn *t, int64_t id, struct slice login);
/* Issues that carry it are rendered anew when the name changed. */
void snap_label_put(struct snap_txn *t, int64_t id, struct slice name);
/* Fields not known are left: number 0, title empty, closed < 0. */
void snap_milestone_put(
    struct snap_txn *t, int64_t id, int64_t number, struct slice title, int closed);
/* Everything about it, as snap_label_get() gives it, but for what was changed; escaped. */
void snap_label_set(struct snap_txn *t, const struct snap_label *l);
void snap_milestone_set(struct snap_txn *t, const struct snap_milestone *m);
/* Gone: it leaves the issues that bore it, too. */
void snap_label_delete(struct snap_txn *t, int64_t id);
void snap_milestone_delete(struct snap_txn *t, int64_t id);

/* --- bookkeeping --- */

void snap_sync_put(struct snap_txn *t, struct slice family, const struct snap_sync *s);
void snap_note_put(struct snap_txn *t, const char *key, struct slice text);
/* End of the log as applied here. */
void snap_log_end_put(struct snap_txn *t, uint32_t segment, uint64_t offset);

/* What the log was known to hold durably: tail number, size, digest. */
struct snap_tail {
	uint32_t number;
	uint64_t size;
	char sha224[57]; /* hex and a NUL */
};
void snap_tail_put(struct snap_txn *t, const struct snap_tail *tail);
/* The same row in the list of all durable segments, which the tail is the last of. */
void snap_segment_put(struct snap_txn *t, const struct snap_tail *segment);
int snap_tail_get(struct snap_view *v, struct snap_tail *ret); /* ERR_NOENT */

/* --- outbox: framed records that are applied but not yet durable in the log --- */

void snap_outbox_put(
    struct snap_txn *t, uint32_t segment, uint64_t offset, struct slice framed);
/* The first row at or behind (segment, offset); ERR_NOENT when there is none. */
int snap_outbox_next(
    struct snap_view *v, uint32_t *segment, uint64_t *offset, struct slice *ret_framed);
/* Forget every row before (segment, offset). */
void snap_outbox_forget(struct snap_txn *t, uint32_t segment, uint64_t offset);

/* --- checks --- */

/*
 * Check every checksum, every row's form, every index entry and counter.
 * ERR_CORRUPT with the table and key in `ei`.  *ret_rows counts what was read.
 */
int snap_verify(struct snap_view *v, uint64_t *ret_rows, struct err_info *ei);

/* A view of the writer's environment, for reading while no transaction runs. */
int snap_writer_view(struct snap_writer *w, struct snap_view **ret);
void snap_writer_view_end(struct snap_view *v);

struct snap_compare_opts {
	/* Told of each difference: table, key in hex, what it is; may be NULL. */
	void (*on_difference)(void *ctx, const char *table, const char *key, const char *what);
	void *ctx;
};

/*
 * Compare all that is derived from the log in two environments; *ret_differences is
 * the number of rows that differ.  What a poll noted for itself does not count.
 */
int snap_compare(struct snap_view *a, struct snap_view *b, const struct snap_compare_opts *o,
    uint64_t *ret_differences);
