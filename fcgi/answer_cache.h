/*
 * answer_cache.h - whole answers, kept while nothing is written to the snapshot.
 *
 * Dashboards ask for the same pages again and again.  An answer depends on the snapshot's
 * state and on the request's path and query alone, so with the same stamp the same request
 * has the same answer.  A cache belongs to one thread.
 */
#pragma once

#include "base/bytes.h"
#include "lmdb-schema/snap_read.h"

struct answer_cache;

/* Holds at most `max_bytes` of answers; NULL without memory, which find and put accept. */
struct answer_cache *answer_cache_new(size_t max_bytes);
void answer_cache_free(struct answer_cache *c); /* NULL is fine */

/*
 * The answer that was put for `path` and `query` under the same stamp; false if there is
 * none.  Borrowed until the next put.  Another stamp empties the cache.
 */
bool answer_cache_find(struct answer_cache *c, struct snap_stamp stamp, struct slice path,
    struct slice query, struct slice *ret);

/*
 * Keep a copy.  An answer is kept when it is asked for a second time under one stamp, so
 * that pages that are read once neither cost a copy nor drive others out.  Answers of more
 * than a quarter of the cache, and requests of more than 2 KiB, are not kept.
 */
void answer_cache_put(struct answer_cache *c, struct snap_stamp stamp, struct slice path,
    struct slice query, struct slice answer);
