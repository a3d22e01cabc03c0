/*
 * made_record.h - a step of the plan as a mutation.  Ids rise in the order of the log,
 * as GitHub's do.
 */
#pragma once

#include "base/arena.h"
#include "mutation-log/mlog_mutation.h"
#include "test/bench/made_plan.h"

#define MADE_OWNER "bench"
#define MADE_REPO "made"
#define MADE_LABELS 60U
#define MADE_MILESTONES 20U

struct made_counts {
	uint64_t issues, comments, events, reviews;
};

struct made_records {
	struct made_shape shape;
	uint32_t users;
	int64_t next_id;
	struct made_counts counts;
	struct arena arena; /* of the mutation at hand */
	bool *known_users;
};

/* ERR_NOMEM.  End it with made_records_clear(). */
int made_records_init(struct made_records *m, const struct made_shape *s);
void made_records_clear(struct made_records *m);

/* The record before all others: labels and milestones.  Borrowed until the next call. */
const Maintpb__Mutation *made_repository(struct made_records *m);
const Maintpb__Mutation *made_record(struct made_records *m, const struct made_step *step);
