/*
 * filter.h - the parameter `filter` of the list of repositories: an expression over
 * `repository`, with the names that maintnerd-fcgi gives it, and `now`.  Pure but for
 * the clock.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

struct filter; /* one thread at a time */

/* ERR_INVAL or ERR_LIMIT with "filter: line L, column C: ..."; ERR_NOMEM. */
int filter_new(struct slice text, struct filter **ret, struct err_info *ei);
void filter_free(struct filter *f); /* NULL is fine */

/* What can be asked of a repository; a count that its responder does not tell is 0. */
#define FILTER_COUNTS 8
struct filter_row {
	const char *name;
	int64_t counts[FILTER_COUNTS]; /* in the order of filter_count_name() */
};
/* The member of a responder's answer, 0 <= i < FILTER_COUNTS. */
const char *filter_count_name(unsigned i);

/*
 * Does a repository match?  One on which the expression fails does not.  ERR_LIMIT when a
 * limit of the expression is reached, ERR_TIMEOUT when the work of one request is used up.
 */
int filter_match(
    struct filter *f, const struct filter_row *row, bool *ret, struct err_info *ei);
