/* apply_internal.h - shared by apply.c and apply_children.c only. */
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
/* Milliseconds; TIME_NONE for NULL or a time outside the years 1..9999. */
int64_t apply_time(const Maintpb__Timestamp *ts);
/* Note a user's login; returns the id, 0 for NULL or an id that is not one. */
int64_t apply_user(struct apply *a, const Maintpb__GithubUser *u);
/* False, and counted, for an id that must be ignored. */
bool apply_id_ok(struct apply *a, int64_t id);

void apply_comments(struct apply *a, const Maintpb__GithubIssueMutation *m);
void apply_events(struct apply *a, const Maintpb__GithubIssueMutation *m);
void apply_reviews(struct apply *a, const Maintpb__GithubIssueMutation *m);
