/*
 * params.h - the query parameters of the v1 API, decoded and checked.
 *
 * Names are taken in camelCase and snake_case.  A parameter given twice counts as
 * given last; unknown ones are ignored, so that links with tracking junk work.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "fcgi/accept.h"
#include "fcgi/fields.h"
#include "lmdb-schema/snap_read.h"

#define PARAMS_PAGE_MAX 500U
#define PARAMS_NO_SIZE UINT64_MAX
#define PARAMS_QUERY_MAX ((size_t)32 << 10) /* bytes of a query string */

struct params {
	uint32_t page_size; /* 1..PARAMS_PAGE_MAX */
	struct slice page_token, filter;
	enum snap_order order;
	bool descending;
	unsigned classes; /* from closed and pullRequest: a mask of 1 << enum snap_class */
	uint64_t fields;  /* from fieldMask, comments, reviews, reviewComments */
	struct field_paths paths; /* from fieldMask */
	enum format format;       /* from `format`; see format_given */
	bool format_given, csv_raw;
	bool closed_given, mask_given;
	int compliant;          /* of the route slo: 0, 1, or -1 = both */
	uint32_t start_segment; /* of the log routes */
	uint64_t wait_size_not; /* PARAMS_NO_SIZE = not given */
};

/* ERR_INVAL with a text for the client; slices live in the arena. */
int params_parse(struct slice query, struct arena *a, struct params *ret, struct err_info *ei);

/*
 * Percent-decode (and '+' as a space if `plus`) into the arena.  ERR_INVAL for a
 * broken escape or a NUL byte.
 */
int params_decode(struct slice raw, bool plus, struct arena *a, struct slice *ret);
