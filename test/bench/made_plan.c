/*
 * made_plan.c - the numbers of the reference load: for each 100,000 issues 35,000 pull
 * requests, 400,000 comments, 876,000 events, 56,000 reviews in about 521,000 records.
 */
#include "test/bench/made_plan.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "test/bench/made_text.h"

#define PULL_PERCENT 35U
#define CLOSED_PERCENT 70U
#define CHANGED_PERCENT 20U
#define COMMENTS_MEAN 4.0
#define EVENTS_LEAST 2U
#define EVENTS_MEAN 6.76 /* above the least */
#define REVIEWS_MEAN 1.6 /* of a pull request */
#define COMMENTS_A_RECORD 3U
#define EVENTS_A_RECORD 5U
#define REVIEWS_A_RECORD 100U
#define LAG_MEAN 150.0 /* issues between two records about the same issue */
#define LATE_PERCENT 10U

/* Uses of the generator that must not repeat each other. */
enum {
	USE_PULL = 100,
	USE_PLAN = 101,
};

bool
made_is_pull(const struct made_shape *s, uint32_t issue)
{
	struct made_rng r = made_rng(s->seed, issue, USE_PULL);

	return made_below(&r, 100) < PULL_PERCENT;
}

static int
add(struct made_plan *p, struct made_step step)
{
	if (p->count == p->cap) {
		size_t cap = p->cap == 0 ? 1U << 16 : 2 * p->cap;
		struct made_step *more = mem_realloc(p->steps, cap * sizeof(*more));

		if (more == NULL)
			return ERR_NOMEM;
		p->steps = more;
		p->cap = cap;
	}
	p->steps[p->count++] = step;
	return 0;
}

/* When the next record about an issue comes: mostly soon, sometimes years later. */
static uint32_t
later(const struct made_shape *s, struct made_rng *r, uint32_t when)
{
	uint32_t left = s->issues > when ? s->issues - when : 0;

	if (made_below(r, 100) < LATE_PERCENT && left > 0)
		return when + 1 + made_below(r, left);
	return when + 1 + made_count(r, LAG_MEAN);
}

/* `count` children of a kind in records of at most `most`; *when is that of the last. */
static int
add_children(struct made_plan *p, const struct made_shape *s, struct made_rng *r,
    struct made_step step, uint32_t count, uint32_t most, bool closes)
{
	int rc = 0;

	while (count > 0 && rc == 0) {
		uint32_t n = count < most ? count : most;

		step.when = later(s, r, step.when);
		step.count = (uint8_t)n;
		count -= n;
		step.closes = closes && count == 0;
		rc = add(p, step);
	}
	return rc;
}

static int
plan_issue(struct made_plan *p, const struct made_shape *s, uint32_t issue)
{
	struct made_rng r = made_rng(s->seed, issue, USE_PLAN);
	struct made_step step = { .when = issue, .issue = issue, .kind = MADE_ISSUE };
	bool closed = made_below(&r, 100) < CLOSED_PERCENT;
	int rc = add(p, step);

	if (rc != 0 || s->lean)
		return rc;
	step.kind = MADE_COMMENTS;
	rc = add_children(
	    p, s, &r, step, made_count(&r, COMMENTS_MEAN), COMMENTS_A_RECORD, false);
	step.kind = MADE_EVENTS;
	if (rc == 0)
		rc = add_children(p, s, &r, step, EVENTS_LEAST + made_count(&r, EVENTS_MEAN),
		    EVENTS_A_RECORD, closed);
	step.kind = MADE_REVIEWS;
	if (rc == 0 && made_is_pull(s, issue))
		rc = add_children(
		    p, s, &r, step, made_count(&r, REVIEWS_MEAN), REVIEWS_A_RECORD, false);
	step.kind = MADE_CHANGE;
	step.when = later(s, &r, step.when);
	if (rc == 0 && made_below(&r, 100) < CHANGED_PERCENT)
		rc = add(p, step);
	return rc;
}

static int
compare_steps(const void *a, const void *b)
{
	const struct made_step *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	if (x->issue != y->issue)
		return x->issue < y->issue ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

int
made_plan_fill(struct made_plan *p, const struct made_shape *s)
{
	int rc = 0;

	*p = (struct made_plan){ 0 };
	for (uint32_t i = 1; i <= s->issues && rc == 0; i++)
		rc = plan_issue(p, s, i);
	if (rc != 0)
		made_plan_clear(p);
	else
		qsort(p->steps, p->count, sizeof(p->steps[0]), compare_steps);
	return rc;
}

void
made_plan_clear(struct made_plan *p)
{
	mem_free(p->steps);
	*p = (struct made_plan){ 0 };
}
