/*
 * pace.h - when the next round is.  Pure: told what a round found, says how long to wait.
 *
 * A repository in which something happens is asked sooner, down to a quarter of the
 * interval; a quiet one later, up to twice the interval.  Whoever was promised a change
 * (a webhook) and does not find it asks again after 1, 2, 4 ... 64 seconds, since GitHub's
 * answers may lag behind its webhooks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t interval_ms;
	int64_t next_ms;  /* wait after a quiet round; between the bounds above */
	unsigned repeats; /* of a promise that was not kept yet */
	bool promised;
};

void pace_init(struct pace *p, int64_t interval_ms);

/* Somebody says that something has changed: before the round that is to find it. */
void pace_promise(struct pace *p);

/*
 * Milliseconds until the next round, after a good one that found changes or not and cost
 * `spent` requests of a budget of `limit` an hour (-1 = none known).  Rounds that cost as
 * much as this one are to leave half of the budget: the wait is longer if that needs it,
 * up to four times the interval.  What would need more is taken for a round out of the
 * ordinary, such as a first sync, and makes no difference.
 */
int64_t pace_next(struct pace *p, bool changed, uint64_t spent, int64_t limit);
