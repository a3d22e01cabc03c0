/*
 * page_token.h - where a list goes on: opaque to clients, stateless, bound to the
 * query that made it.
 *
 * base64url of: version u8 (2), order u8, query digest u64, sort key u64, number u32,
 * total u64, CRC-32C of all that (integers big-endian).  It grants nothing, so it needs
 * no key; the checksum tells damage from a token of another query.  The digest is of the
 * list, its order, classes and filter.  The total is that of a filtered list, which is
 * counted for the first page alone; whoever forges one fools himself.
 */
#pragma once

#include "fcgi/params.h"

#define PAGE_TOKEN_TEXT 52 /* with its NUL */

/* `scope` is the list: the repository's name, or a path. */
void page_token_make(const struct params *p, struct slice scope, struct snap_list_pos at,
    char out[PAGE_TOKEN_TEXT]);
void page_token_make_counted(const struct params *p, struct slice scope,
    struct snap_list_pos at, uint64_t total, char out[PAGE_TOKEN_TEXT]);

/* ERR_INVAL with a text: damaged, or made by another query. */
int page_token_parse(struct slice token, const struct params *p, struct slice scope,
    struct snap_list_pos *ret, struct err_info *ei);
int page_token_parse_counted(struct slice token, const struct params *p, struct slice scope,
    struct snap_list_pos *ret, uint64_t *ret_total, struct err_info *ei);
