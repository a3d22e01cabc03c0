/*
 * query.h - parameters of the routes that the router answers itself.  Pure.
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define PAGE_SIZE_MAX 500
#define QUERY_BYTES_MAX ((size_t)16 << 10)

struct page_query {
	unsigned size;              /* 1..PAGE_SIZE_MAX */
	struct slice token, filter; /* decoded, in the arena; empty if absent */
};

/*
 * Read pageSize, pageToken and filter, in camelCase or snake_case; others are ignored.
 * ERR_INVAL (a broken percent code, a size that is no number), ERR_LIMIT, ERR_NOMEM.
 */
int page_query_parse(
    struct slice query, struct arena *a, struct page_query *ret, struct err_info *ei);

/*
 * A page token: "go on behind `name`", bound to owner (in any case) and filter.  Stateless.
 * `out` holds PAGE_NAME_TOKEN characters.
 */
#define PAGE_NAME_TOKEN 320
void page_name_token(const char *owner, struct slice filter, const char *name, char *out);
/* ERR_INVAL for a damaged token or another query's; `ret` holds REPO_NAME_MAX + 1. */
int page_name_parse(
    struct slice token, const char *owner, struct slice filter, char *ret, struct err_info *ei);
