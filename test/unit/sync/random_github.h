/*
 * random_github.h - issues, comments, events and reviews as GitHub would show them,
 * from a seed.  The pools are small, so that things meet again under other names.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct random_github {
	uint64_t seed;   /* not 0 */
	unsigned logins; /* a bit for each user: goes by another name */
};

uint32_t random_below(struct random_github *r, uint32_t end);

/* Each is a new reference, in which a user has one name. */
json_t *random_issue(struct random_github *r, uint32_t number);
json_t *random_comments(struct random_github *r);
json_t *random_events(struct random_github *r);
json_t *random_reviews(struct random_github *r);
json_t *random_pull(struct random_github *r, uint32_t number);
json_t *random_review_comments(struct random_github *r);
json_t *random_labels(struct random_github *r);
json_t *random_milestones(struct random_github *r);
