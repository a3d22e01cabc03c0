/*
 * etag.h - validators (RFC 9110 section 8.8): of an answer that is a function of the log,
 * and of one that is hashed itself.
 */
#pragma once

#include <stdbool.h>

#include "lmdb-schema/snap_read.h"

#define ETAG_TEXT 96 /* with its NUL */

/*
 * `"SEGMENT.OFFSET-RENDERER-QUERY"`: how much of the log is applied, what made the answer,
 * and a hash of what was asked.  It is the same at every replica and after a rebuild.
 */
void etag_of_log(const struct snap_repo *repo, struct slice path, struct slice query,
    struct slice format, char out[ETAG_TEXT]);

/* Of an answer's own bytes. */
void etag_of_bytes(struct slice bytes, char out[ETAG_TEXT]);

/*
 * Does an If-None-Match field name `etag`?  Compares weakly, and sees through what a web
 * server does to a validator when it compresses: `W/` in front, `-gzip` behind.
 * What is no list of validators matches nothing.
 */
bool etag_matches(struct slice if_none_match, const char *etag);
