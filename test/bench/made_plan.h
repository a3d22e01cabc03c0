/*
 * made_plan.h - which records a made log holds and in which order: issues in the order
 * of their numbers, what happens to them later in between, most of it soon after.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum made_kind {
	MADE_ISSUE,
	MADE_COMMENTS,
	MADE_EVENTS,
	MADE_REVIEWS,
	MADE_CHANGE, /* labels, title or body */
};

struct made_step {
	uint32_t when;  /* in issues made so far: the log's clock */
	uint32_t issue; /* number */
	uint8_t kind;   /* enum made_kind */
	uint8_t count;  /* of comments, events or reviews in the record */
	bool closes;    /* the issue's last events, one of them "closed" */
};

struct made_plan {
	struct made_step *steps; /* in the order of the log */
	size_t count, cap;
};

struct made_shape {
	uint64_t seed;
	uint32_t issues;
	bool lean; /* issues only, nothing below them */
};

bool made_is_pull(const struct made_shape *s, uint32_t issue);

/* ERR_NOMEM.  End it with made_plan_clear(). */
int made_plan_fill(struct made_plan *p, const struct made_shape *s);
void made_plan_clear(struct made_plan *p);
