/*
 * syncer.h - one repository's rounds: asks GitHub, diffs, commits, flushes.
 *
 * A round polls every family; a family that was never complete is walked first,
 * page by page, each page one transaction that also notes where to go on, so that
 * a stop at any moment costs at most one page.
 */
#pragma once

#include "sync/diff.h"
#include "sync/mirror.h"
#include "sync/status.h"

struct tomb_queue;

struct syncer_opts {
	struct mirror *mirror; /* borrowed, as is all of this */
	struct gh *gh;
	struct status *status;
	struct tomb_queue *tombs; /* tombstones that are asked for; may be NULL */
	char *owner, *repo;       /* as the log spells them */
	int64_t relist_ms;        /* how often everything is listed again; 0 = never */
	bool relist_now;          /* begin with that, and list all of it in the first round */
};

/* The slow pass over everything, as far as it has come; see relist.c. */
struct syncer_relist {
	int stage; /* 0 = none is going on */
	char url[GH_URL_MAX];
	int64_t start_ms;
	struct buf seen; /* ids as u64 */
};

struct syncer {
	struct mirror *mirror;
	struct gh *gh;
	struct status *status;
	struct tomb_queue *tombs;
	char *owner, *repo;
	int64_t relist_ms;
	bool relist_now;
	uint64_t rounds;
	int64_t flushed_ms;       /* monotonic time of the last flush */
	uint64_t flushed_records; /* mirror_records() then */
	int64_t reported_ms;      /* monotonic time of the last progress line */

	int64_t hub_now_ms;                 /* GitHub's clock, as last told */
	char hub_owner[128], hub_name[128]; /* the repository's name there now */
	bool was_moved;                     /* a permanent redirect was followed */
	bool rename_told;                   /* in the log */
	bool issues_off;                    /* the repository says that it has none */
	bool healthy;   /* in this round the repository was seen to be there, with issues */
	unsigned batch; /* issues in a GraphQL query; 0 = not tried yet */
	int64_t graphql_off_until_ms; /* monotonic */
	struct syncer_relist relist;
};

void syncer_init(struct syncer *s, const struct syncer_opts *o);
void syncer_clear(struct syncer *s);

/*
 * One round.  On an error what was committed stays, and the next round goes on from
 * there.  Errors: those of gh_get(), mirror_commit(), mirror_flush().
 */
int syncer_round(struct syncer *s, struct err_info *ei);

/*
 * Make the tombstones that are asked for, if any: those of live issues, durable before the
 * order is told to be done.  Between rounds, too.  What goes wrong on GitHub's side is told
 * in the order; an error here is the mirror's, or a stop.
 */
int syncer_sweep(struct syncer *s, struct err_info *ei);

/* Log the sync state and make everything committed durable, if there is any. */
int syncer_checkpoint(struct syncer *s, struct err_info *ei);
