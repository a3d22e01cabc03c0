/* syncer_internal.h - shared by the files of one round only. */
#pragma once

#include "sync/graph_query.h"
#include "sync/syncer.h"

/* How far a poll reads on past what it knows: listings may lag behind a little. */
#define SYNC_OVERLAP_MS INT64_C(60000)

/* A family's row of the sync table, owned. */
struct family_state {
	int64_t server_date_ms, watermark_ms;
	bool complete;
	char position[GH_URL_MAX];
	char etag[256];
	char etag_owner[GH_TOKEN_DIGEST];
};

int family_load(struct syncer *s, enum status_family f, struct family_state *ret);
void family_store(struct snap_txn *t, enum status_family f, const struct family_state *st);
/* The same in a transaction of its own. */
int family_save(
    struct syncer *s, enum status_family f, const struct family_state *st, struct err_info *ei);
/* The validator to send: only with the token that got it. */
const char *family_etag(const struct syncer *s, const struct family_state *st);
void family_set_etag(struct family_state *st, const struct gh_page *page);

/* walk.c: repository-wide listings: walk what was never complete, else poll. */
int walk_family(struct syncer *s, enum status_family f, struct err_info *ei);
/* Commit elements of such a listing; issues that they belong to are fetched if need be. */
int commit_items(
    struct syncer *s, enum status_family f, const json_t *items, struct err_info *ei);

/* refs.c: labels, milestones, the repository itself and its rules file. */
int walk_refs(struct syncer *s, struct err_info *ei);
/*
 * Ask for the repository, with its validator if `poll`.  ERR_NOENT, ERR_DENIED: it is
 * gone or closed to us.
 */
int walk_repository(struct syncer *s, bool poll, struct err_info *ei);

/* details.c: what only an issue of its own can be asked for, many at once where possible. */
/*
 * Events of every issue whose events were never asked for, and reviews: the first walk.  It
 * ends early, without an error, where GraphQL turns out to be of no use.
 */
int pass_first_details(struct syncer *s, struct err_info *ei);
/* Reviews of pull requests that changed. */
int pass_reviews(struct syncer *s, struct err_info *ei);
/* Reviews of all pull requests that were not asked for since `ms`; by GraphQL only. */
int pass_reviews_since(struct syncer *s, int64_t ms, struct err_info *ei);
/* Events of issues that a capped listing did not reach; of those that changed since `ms`. */
int pass_events(struct syncer *s, struct err_info *ei);
int pass_events_since(struct syncer *s, int64_t ms, struct err_info *ei);
/* False for a while after GraphQL was found to be of no use. */
bool graphql_ready(struct syncer *s);

/* per_issue.c */
/* Comments of issues whose count differs from GitHub's. */
int pass_comments(struct syncer *s, struct err_info *ei);
/* All of one issue's comments, events, reviews or review comments, by REST. */
int relist(struct syncer *s, enum status_family f, uint32_t number, struct err_info *ei);
/*
 * Ask for one issue and commit it.  ERR_NOENT if GitHub has it not: then it is
 * tombstoned if that is sure, else remembered as missing (see gone.h).
 */
int fetch_issue(struct syncer *s, uint32_t number, struct err_info *ei);
/*
 * A list that is to be believed when something is missing from it, as one array: one page,
 * or the same ids twice, since a deletion while paging hides another element.
 */
int list_surely(
    struct syncer *s, const char *url, json_t **ret, int64_t *ret_date_ms, struct err_info *ei);
/* Diff and add one issue's JSON inside a transaction. */
int add_issue(struct mirror_txn *t, struct diff *d, const json_t *issue, struct err_info *ei);

/*
 * Numbers that `test` picks (1; 0 = not; an error ends it), as u32 in `ret`.  `ctx` is the
 * test's to interpret.
 */
typedef int (*pick_issue)(struct snap_view *v, const struct snap_issue *i, const void *ctx);
int pick_issues(struct syncer *s, pick_issue test, const void *ctx, struct buf *ret);

/* relist() for each that `test` picks, without a context. */
int relist_picked(struct syncer *s, pick_issue test, enum status_family f, struct err_info *ei);

/* gone.c */
/* GitHub answered 410, or another repository's issue (`moved_to` not ""). */
int note_gone(struct syncer *s, uint32_t number, const char *moved_to, struct err_info *ei);
/* GitHub answered 404, which counts only when it repeats. */
int note_missing(struct syncer *s, uint32_t number, struct err_info *ei);
/* It is there after all. */
int note_found(struct syncer *s, uint32_t number, struct err_info *ei);
/* Ask again for those that were missing long enough ago. */
int pass_missing(struct syncer *s, struct err_info *ei);

/* relist.c: a few pages of the slow pass over everything, if it is due. */
int relist_step(struct syncer *s, struct err_info *ei);

/* Is the number known, and not tombstoned? */
bool view_has_live(struct snap_view *v, uint32_t number);
bool issue_is_live(struct syncer *s, uint32_t number);

/* A diff over the transaction's own view and arena. */
void txn_diff(const struct syncer *s, struct mirror_txn *t, struct diff *ret);

/* Counters, progress line, and a checkpoint when enough has gathered. */
int after_page(struct syncer *s, struct err_info *ei);
