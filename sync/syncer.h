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

struct syncer {
	struct mirror *mirror; /* borrowed, as are the next three */
	struct gh *gh;
	struct status *status;
	char *owner, *repo;
	bool full_refs; /* this round asks for labels and milestones too */
	uint64_t rounds;
	int64_t flushed_ms;       /* monotonic time of the last flush */
	uint64_t flushed_records; /* mirror_records() then */
	int64_t reported_ms;      /* monotonic time of the last progress line */
};

void syncer_init(struct syncer *s, struct mirror *m, struct gh *gh, struct status *st,
    char *owner, char *repo);

/*
 * One round.  On an error what was committed stays, and the next round goes on from
 * there.  Errors: those of gh_get(), mirror_commit(), mirror_flush().
 */
int syncer_round(struct syncer *s, struct err_info *ei);

/* Log the sync state and make everything committed durable, if there is any. */
int syncer_checkpoint(struct syncer *s, struct err_info *ei);
