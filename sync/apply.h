/*
 * apply.h - what a mutation means: changes to a snapshot.  Sync, rebuild and the
 * tools all go through here, so a record has one meaning everywhere.
 *
 * The rules are those of mutation-log/FORMAT.md; no clock, no network, no log.
 */
#pragma once

#include "lmdb-schema/snap_write.h"
#include "mutation-log/mlog_mutation.h"

/* What was met that changes nothing, for a warning when the work is done. */
struct apply_stats {
	uint64_t applied;    /* records that concern this repository */
	uint64_t foreign;    /* git and gerrit records */
	uint64_t other_repo; /* records of other repositories */
	uint64_t zero_ids;   /* objects ignored because their id or number is 0 or negative */
	uint64_t empty;      /* records that say nothing this build knows */
};

struct apply; /* scratch memory, reused from record to record */

int apply_new(const char *owner, const char *repo, struct apply **ret);
void apply_free(struct apply *a); /* NULL is fine */

/*
 * Apply one mutation within `t`, whose latch holds any error.  Names are compared
 * without regard to case, as GitHub does.
 */
void apply_mutation(struct apply *a, struct snap_txn *t, const Maintpb__Mutation *m);

const struct apply_stats *apply_stats(const struct apply *a);
