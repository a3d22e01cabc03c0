/*
 * fields.h - which members of an issue an answer has: a bit each.  Of members that are
 * objects, or lists of them, a mask may pick members in turn.
 */
#pragma once

#include "lmdb-schema/snap_read.h"

/* The stored members are 0 .. SNAP_M_COUNT - 1; these are joined while answering. */
enum field {
	FIELD_BODY = SNAP_M_COUNT,
	FIELD_CLOSED_BY,
	FIELD_ASSIGNEES,
	FIELD_REPORTER,
	FIELD_MERGED_BY,
	FIELD_REQUESTED_REVIEWERS,
	FIELD_COMMENTS, /* from here on only when asked for */
	FIELD_REVIEWS,
	FIELD_REVIEW_COMMENTS,
	FIELD_COUNT,
};

#define FIELD_BIT(f) (UINT64_C(1) << (f))
#define FIELDS_STORED (FIELD_BIT(SNAP_M_COUNT) - 1)
/* Without a mask: everything but what must be asked for. */
#define FIELDS_DEFAULT (FIELD_BIT(FIELD_COMMENTS) - 1)

/* The JSON key of any field. */
const char *field_key(unsigned f);

/* Of each field, a bit for every path in it that was asked for; 0 = all of it. */
struct field_paths {
	uint64_t picked; /* FIELD_BIT()s of those that are not 0 */
	uint64_t of[FIELD_COUNT];
};

/* The `nth` path in field `f`, e.g. "user.login" in comments; NULL behind the last. */
const char *field_path(unsigned f, unsigned nth);

/*
 * Parse "title,createdAt,comments.user.login" (camelCase or snake_case); empty means
 * FIELDS_DEFAULT.  A field asked for as a whole is given whole, whatever else names it.
 * ERR_INVAL with a text that names the unknown path.
 */
int fields_parse(
    struct slice mask, uint64_t *ret, struct field_paths *ret_paths, struct err_info *ei);
