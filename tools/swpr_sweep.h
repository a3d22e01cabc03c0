/*
 * swpr_sweep.h - one repository's sweep: compare, look at what is missing, order tombstones.
 */
#pragma once

#include "tools/swpr_cluster.h"
#include "tools/swpr_hub.h"

struct swpr_rules {
	int64_t confirm_ms; /* how long a 404 must last */
	bool dry_run;       /* order nothing */
};

/* What was found and done; the table's row. */
struct swpr_tally {
	const char *repo; /* borrowed */
	size_t mirrored, listed;
	size_t deleted, transferred, vanished; /* sure: 410, 301, and 404 long enough */
	size_t waiting;                        /* 404, not long enough yet */
	size_t lacking;                        /* GitHub has them, the mirror has not */
	size_t buried;                         /* tombstones that were made */
	uint64_t requests;                     /* to GitHub */
	bool undone;                           /* something was left, for the reason below */
	bool away;                             /* GitHub did not answer, whatever was tried */
	char note[300];                        /* "" = all is well */
};

/*
 * Sweep it within `hub->requests_max`.  `state` is changed as far as things were seen, also
 * on errors, which are all in the tally; the result is 0, ERR_CANCELED (stop) or ERR_NOMEM.
 */
int swpr_sweep(const struct swpr_cluster *c, struct swpr_hub *hub, const struct repo_entry *e,
    const struct swpr_rules *rules, struct swpr_repo_state *state, struct swpr_tally *ret);

/* A table of all rows, with a heading and a line of sums. */
void swpr_table(const struct swpr_tally *rows, size_t count, struct buf *out);
/* One sentence of it all. */
void swpr_summary(const struct swpr_tally *rows, size_t count, bool dry_run, struct buf *out);
