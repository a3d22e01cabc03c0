/* syncer_internal.h - shared by the files of one round only. */
#pragma once

#include "sync/syncer.h"

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
void family_set_etag(const struct syncer *s, struct family_state *st, const char *etag);

/* Repository-wide listings: issues, comments, events. */
int walk_family(struct syncer *s, enum status_family f, struct err_info *ei);
/* Labels and milestones. */
int walk_refs(struct syncer *s, struct err_info *ei);
/* Reviews of pull requests that changed; comments of issues whose count differs. */
int pass_reviews(struct syncer *s, struct err_info *ei);
int pass_comments(struct syncer *s, struct err_info *ei);
/* Events of issues that a capped listing did not reach. */
int pass_events(struct syncer *s, struct err_info *ei);

/* Ask for one issue and commit it; ERR_NOENT if GitHub has it not (410: tombstoned). */
int fetch_issue(struct syncer *s, uint32_t number, struct err_info *ei);
/* Commit a tombstone for a number that is known here. */
int bury_issue(struct syncer *s, uint32_t number, struct err_info *ei);
/* Diff and add one issue's JSON inside a transaction. */
int add_issue(struct mirror_txn *t, struct diff *d, const json_t *issue, struct err_info *ei);

/* A diff over the transaction's own view and arena. */
void txn_diff(const struct syncer *s, struct mirror_txn *t, struct diff *ret);

/* Counters, progress line, and a checkpoint when enough has gathered. */
int after_page(struct syncer *s, struct err_info *ei);
