/*
 * reconcile.h - desired and observed become actions.  Pure: time is an argument.
 */
#pragma once

#include "sprvsr/observed.h"
#include "sprvsr/trail.h"

enum verb {
	ACT_CREATE,
	ACT_UPDATE, /* it was wanted otherwise before */
	ACT_REPAIR, /* somebody else changed it */
	ACT_DELETE,
	ACTS
};

struct action {
	enum verb verb;
	enum kind kind;
	char name[OBJECT_NAME_MAX];
	char uid[64];                   /* of what is there; "" for ACT_CREATE */
	char hash[SHA224_HEX_LEN + 1];  /* that will be wanted; "" for ACT_DELETE */
	const struct repo_entry *entry; /* NULL for ACT_DELETE; the desired set's */
	const char *repo; /* "owner/name", "": not known; the list's or observed's */
	bool was_ready;
};

struct reconcile_opts {
	size_t batch;       /* changed Deployments that may be not ready at once */
	size_t actions_max; /* in one plan */
	unsigned prune_percent;
	size_t prune_allowed; /* removals that were confirmed, for this comparison alone */
	bool decide;    /* what may go now may also go later, until the list has it again */
	int64_t now_ms; /* monotonic */
};

#define PRUNE_LEAST 5 /* so many may always be removed */

struct plan {
	struct action *actions;
	size_t count, cap;
	size_t left;        /* repositories that have left the list and have objects still */
	size_t undecided;   /* those of them about which this comparison had to decide */
	bool prune_refused; /* they are too many */
	size_t prune_limit;
	size_t conflicts, scaled_to_zero, waiting_for_ready, held_back, in_flight;
	const char *conflict_name; /* of the first; observed's, under its lock */
	int64_t wake_ms;           /* when something that waits may be done; 0: nothing waits */
};

/*
 * Compare and plan.  Under observed's lock.  What was compared is noted in `seen`, so that
 * it is not compared again.  *ret is ended with plan_clear().  ERR_NOMEM, ERR_LIMIT.
 */
int reconcile(const struct desired *want, struct observed *seen, struct trails *trails,
    const struct reconcile_opts *o, struct plan *ret);
void plan_clear(struct plan *p);
