/* apply_internal.h - shared by the apply*.c files only. */
#pragma once

#include "sync/apply.h"

struct apply {
	char *owner;
	char *repo;
	struct buf text; /* an escaped text on its way into the arena */
	struct apply_stats stats;
	struct snap_issue_edit edit; /* too large for the stack of a deep caller */
	struct snap_txn *txn;        /* the one at work */
};

/* `text` escaped for JSON, in the transaction's arena. */
struct slice apply_escape(struct apply *a, const char *text);
struct slice apply_escape_bytes(struct apply *a, ProtobufCBinaryData bytes);
/* What stands in a->text, in the transaction's arena; errors are latched there. */
struct slice apply_kept_text(struct apply *a);
/* Reactions rendered, with all kinds or with those that somebody chose. */
struct slice apply_reactions(struct apply *a, const Maintpb__GithubReactions *r, bool all);
/* An other_json as an escaped text; `old` when it is not set, empty for "{}". */
struct slice apply_other_text(struct apply *a, ProtobufCBinaryData json, struct slice old);
/* Milliseconds; TIME_NONE for NULL or a time outside the years 1..9999. */
int64_t apply_time(const Maintpb__Timestamp *ts);
/* Note a user's login; returns the id, 0 for NULL or an id that is not one. */
int64_t apply_user(struct apply *a, const Maintpb__GithubUser *u);
/* False, and counted, for an id that must be ignored. */
bool apply_id_ok(struct apply *a, int64_t id);

void apply_repository(struct apply *a, const Maintpb__GithubMutation *m);
/* A label's facts; those that are not set stay.  The id must be one. */
void apply_label(struct apply *a, const Maintpb__GithubLabel *in);

void apply_facts(struct apply *a, const Maintpb__GithubIssueMutation *m);
void apply_pull(struct apply *a, const Maintpb__GithubIssueMutation *m);
/* other_json and the destination; an issue that came `back` from elsewhere has none. */
void apply_other(struct apply *a, const Maintpb__GithubIssueMutation *m, bool back);
/* Where a tombstoned issue went. */
void apply_destination(struct apply *a, const Maintpb__GithubIssueMutation *m);

void apply_comments(struct apply *a, const Maintpb__GithubIssueMutation *m);
void apply_events(struct apply *a, const Maintpb__GithubIssueMutation *m);
void apply_reviews(struct apply *a, const Maintpb__GithubIssueMutation *m);
void apply_review_comments(struct apply *a, const Maintpb__GithubIssueMutation *m);
