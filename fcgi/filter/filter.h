/*
 * filter.h - the parameter `filter`: an expression over one row of a list, read straight
 * from the snapshot.  docs/api.md has the fields.
 *
 * An expression that fails on a row (a missing time is compared, a list has no such
 * element) does not match that row.  What would fail on every row is refused at once.
 */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "lmdb-schema/snap_read.h"

/* What the rows are, and so which names an expression may use. */
enum filter_rows {
	FILTER_ISSUES,          /* issue, repository */
	FILTER_COMMENTS,        /* comment, issue, repository */
	FILTER_REVIEWS,         /* review, issue, repository */
	FILTER_EVENTS,          /* event, issue, repository */
	FILTER_REVIEW_COMMENTS, /* reviewComment, issue, repository */
	FILTER_REPOSITORIES,    /* repository */
	FILTER_ROWS,
};

/* Work that one request may take, FILTER_ROW_STEPS for each row included. */
#define FILTER_STEPS_MAX UINT64_C(200000000)
#define FILTER_ROW_STEPS 30

struct filter; /* one thread at a time */

/*
 * Compile, for at most `steps` of work.  ERR_INVAL or ERR_LIMIT with "filter: line L, column C: ..." of what is wrong;
 * ERR_NOMEM.  `now` is the time of this call.
 */
int filter_new(struct slice text, enum filter_rows rows, uint64_t steps, struct filter **ret,
    struct err_info *ei);
void filter_free(struct filter *f); /* NULL is fine */

/* Is the answer about the clock, too? */
bool filter_uses_now(const struct filter *f);

/*
 * Which of `classes` can have a match.  *ret_decided when every issue of these matches,
 * so that no row need be looked at.
 */
unsigned filter_classes(const struct filter *f, unsigned classes, bool *ret_decided);

/* The row, and what it is in; what a kind of rows does not have may be NULL. */
struct filter_row {
	struct snap_view *view;
	const struct snap_repo *repo;
	const struct snap_issue *issue;
	const struct snap_child *child;
	bool unchecked; /* the issue is from a scan: nobody has looked at its members yet */
};

/*
 * Does the row match?  ERR_LIMIT with a text when a limit of the expression is reached,
 * ERR_TIMEOUT when the request's work is used up, or an error of the snapshot.
 */
int filter_matches(
    struct filter *f, const struct filter_row *row, bool *ret, struct err_info *ei);
