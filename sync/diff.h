/*
 * diff.h - GitHub's JSON against the snapshot: the smallest mutation that makes
 * the snapshot say what GitHub says.  Pure: no sockets, no clock, no writes.
 *
 * Messages live in the arena and borrow texts from the JSON they were made of,
 * so both must outlive them.  A result of NULL means that nothing differs.
 * ERR_PROTO, with the member in the text, for JSON that is not GitHub's.
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "lmdb-schema/snap_read.h"
#include "mutation-log/mlog_mutation.h"

struct diff {
	struct arena *arena;
	struct snap_view *view;
	char *owner; /* as the log spells them; not const because protobuf-c's texts are not */
	char *repo;
	struct buf text; /* scratch: diff_init() and diff_clear() */
	int err;         /* ERR_NOMEM: a comparison failed, so nothing more can be told */
};

void diff_init(struct diff *d, struct arena *a, struct snap_view *v, char *owner, char *repo);
void diff_clear(struct diff *d);

/* An element of GET /repos/O/R/issues. */
int diff_issue(
    struct diff *d, const json_t *issue, Maintpb__Mutation **ret, struct err_info *ei);

/*
 * Comments of one issue, as an array.  With `whole` they are all that there are:
 * others that the snapshot holds are deleted.  `synced_ms` not TIME_NONE is noted
 * as the comment status.
 */
int diff_comments(struct diff *d, uint32_t number, const json_t *comments, bool whole,
    int64_t synced_ms, Maintpb__Mutation **ret, struct err_info *ei);

/*
 * Events of one issue; those that are known already are taken to be unchanged.  Who did
 * `merged` is noted as who merged the pull request, if nobody is known for that.
 */
int diff_events(struct diff *d, uint32_t number, const json_t *events, int64_t synced_ms,
    Maintpb__Mutation **ret, struct err_info *ei);

/* All reviews of one pull request. */
int diff_reviews(struct diff *d, uint32_t number, const json_t *reviews, int64_t synced_ms,
    Maintpb__Mutation **ret, struct err_info *ei);

/*
 * An element of GET /repos/O/R/pulls.  For a number that the snapshot has not, or has as
 * a tombstone, the result is NULL: the issue listing tells about those first.
 */
int diff_pull(struct diff *d, const json_t *pull, Maintpb__Mutation **ret, struct err_info *ei);

/*
 * Comments on lines of one pull request's diff, as GET /repos/O/R/pulls/comments gives them.
 * With `whole` others that the snapshot holds are deleted.  NULL also for a number that the
 * snapshot has not, or has as a tombstone.
 */
int diff_review_comments(struct diff *d, uint32_t number, const json_t *comments, bool whole,
    Maintpb__Mutation **ret, struct err_info *ei);

/* All labels, all milestones of the repository: others that are stored are deleted. */
int diff_labels(
    struct diff *d, const json_t *labels, Maintpb__Mutation **ret, struct err_info *ei);
int diff_milestones(
    struct diff *d, const json_t *milestones, Maintpb__Mutation **ret, struct err_info *ei);

/* How far a family has come. */
Maintpb__Mutation *diff_sync_state(struct diff *d, const char *family, int64_t server_date_ms,
    bool complete, const char *position);

/* GitHub answers with "owner/repo" where it was asked for the repository's old name. */
Maintpb__Mutation *diff_rename(struct diff *d, const char *full_name);

/* An issue that GitHub no longer has. */
Maintpb__Mutation *diff_tombstone(struct diff *d, uint32_t number);
/* One that moved: "owner/repo/number", or an URL; the text must outlive the message. */
Maintpb__Mutation *diff_transfer(struct diff *d, uint32_t number, const char *destination);

/*
 * The number in an URL such as ".../issues/7" (a comment's issue_url); 0 if there
 * is none that fits a number.
 */
uint32_t diff_number_of_url(const char *url);
