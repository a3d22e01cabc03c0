/*
 * gh_limit.h - what an answer says about limits, and how long to wait.  Pure:
 * the time is an argument.
 *
 * The order is GitHub's: Retry-After, then X-RateLimit-Reset when nothing
 * remains, else at least a minute, doubled each time
 * (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
 */
#pragma once

#include "base/http.h"
#include "sync/github/gh_client.h"

#define GH_WAIT_MAX_MS (INT64_C(65) * 60 * 1000) /* a primary window is an hour */

/* Read the X-RateLimit headers of any answer into `stats`; absent ones read -1. */
void gh_limit_note(const struct http_response *res, struct gh_stats *stats);

/* True if the answer is a refusal for a rate limit, and not for a missing right. */
bool gh_limit_refused(const struct http_response *res);

/*
 * Milliseconds to wait after such a refusal at `now_ms` (Unix time by GitHub's
 * clock); `nth` counts refusals in a row from 0, `first_ms` is the pause when the
 * answer gives no time.
 */
int64_t gh_limit_wait(
    const struct http_response *res, int64_t now_ms, unsigned nth, int64_t first_ms);
