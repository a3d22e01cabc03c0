/*
 * page_token.h - where a list goes on: opaque to clients, stateless, bound to the
 * query that made it.
 *
 * Hex digits of: version u8, order u8, query digest 8 bytes, sort key u64, number u32,
 * CRC-32C of all that (integers big-endian).  It grants nothing, so it needs no key;
 * the checksum tells damage from a token of another query.
 */
#pragma once

#include "fcgi/params.h"

#define PAGE_TOKEN_TEXT 56 /* with its NUL */

void page_token_make(const struct params *p, struct slice repo, struct snap_list_pos at,
    char out[PAGE_TOKEN_TEXT]);

/* ERR_INVAL with a text: damaged, or made by another query. */
int page_token_parse(struct slice token, const struct params *p, struct slice repo,
    struct snap_list_pos *ret, struct err_info *ei);
