/*
 * fields.h - which members of an issue an answer has: a bit each.
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

/*
 * Parse "title,createdAt" (camelCase or snake_case); empty means FIELDS_DEFAULT.
 * ERR_INVAL with a text that names the unknown path.
 */
int fields_parse(struct slice mask, uint64_t *ret, struct err_info *ei);
