/*
 * gh_limit.h - rate limits: what answers tell of them, and how long to wait.
 * Pure: the time is an argument, Unix milliseconds by GitHub's clock.
 *
 * A refusal is sat out in GitHub's order: Retry-After, then X-RateLimit-Reset when
 * nothing remains, else at least a minute, doubled each time
 * (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
 *
 * A budget belongs to a token, and many workers, on many machines, may use one token.
 * They share no state: every answer tells each of them what all of them have left,
 * and that is enough to share it out:
 *   - While more than half is left, or what is left is on schedule (as large a part of
 *     the limit as the time until the reset is of an hour), nothing is held back.
 *   - Else a worker compares what all spend, as the headers show, with what may be
 *     spent until the reset, and slows itself down by that ratio.  All see the same
 *     ratio, so together they land on the pace; none waits over two minutes for a request.
 *   - Work that can wait stops at a tenth of the limit, which is kept for polls; polls
 *     stop at a fiftieth, so that workers whose knowledge is old do not pass the limit
 *     when they ask next.
 *   - After the reset everything starts afresh by itself.
 */
#pragma once

#include "base/http.h"
#include "sync/github/gh_client.h"

#define GH_WAIT_MAX_MS (INT64_C(65) * 60 * 1000) /* a primary window is an hour */
#define GH_RESERVE_PARTS 10                      /* background work leaves a tenth, */
#define GH_FLOOR_PARTS 50                        /* polls a fiftieth */
#define GH_PACE_MAX_MS 120000                    /* longest pause between paced requests */

struct gh_budget {
	int64_t limit;         /* per window; -1: unknown, or there is none */
	int64_t remaining;     /* of it, when an answer told last; -1 likewise */
	int64_t reset_ms;      /* when it is full again; TIME_NONE */
	int64_t hold_until_ms; /* no request before, whatever remains; TIME_NONE */
	unsigned refusals;     /* in a row */
	bool answered;         /* well, since; a later note may say otherwise */
	/* What pacing knows: two sums that fade within a minute, and their times. */
	double own, all; /* requests of ours; units spent by everybody */
	int64_t seen_ms, sent_ms;
};

void gh_budget_init(struct gh_budget *b);

/* A request is about to be sent. */
void gh_budget_send(struct gh_budget *b, int64_t now_ms);

/*
 * Read an answer's X-RateLimit headers into the budget of the resource that they name,
 * or `asked` if they name none.  Absent ones change nothing, a limit of 0 (an Enterprise
 * server with limits switched off) is none.
 */
void gh_limit_note(const struct http_response *res, enum gh_resource asked, int64_t now_ms,
    struct gh_budget budgets[GH_RESOURCES]);

/* Does a message of GitHub's speak of a rate limit? */
bool gh_limit_in_words(struct slice text);

/* True if the answer is a refusal for a rate limit, and not for a missing right. */
bool gh_limit_refused(const struct http_response *res);

/*
 * Milliseconds to wait after such a refusal; `nth` counts refusals in a row from 0,
 * `first_ms` is the pause when the answer gives no time.
 */
int64_t gh_limit_wait(
    const struct http_response *res, int64_t now_ms, unsigned nth, int64_t first_ms);

/*
 * Note such a refusal of a request for `r`: the milliseconds for which nothing is sent.
 * A primary limit is its own resource's, a secondary one counts requests of every kind.
 * A wait above GH_WAIT_MAX_MS is not noted.
 */
int64_t gh_budget_refused(struct gh_budget budgets[GH_RESOURCES], enum gh_resource r,
    const struct http_response *res, int64_t now_ms, int64_t first_ms);

/* The text of the answer `res` told that nothing remains; see gh_note_exhausted(). */
void gh_budget_exhausted(struct gh_budget *b, int64_t reset_ms, const struct http_response *res,
    int64_t now_ms, int64_t first_ms);

/* True while nothing of a budget may be spent, until its reset. */
bool gh_budget_spent(const struct gh_budget *b, bool background, int64_t now_ms);

/* Milliseconds before the next request may be sent; *ret_paced: only to share out. */
int64_t gh_budget_wait(
    const struct gh_budget *b, bool background, int64_t now_ms, bool *ret_paced);

/*
 * GitHub's limits per minute, whatever remains: a bucket that holds half of them and
 * fills with the other half in a minute, so that no minute sees more than all.
 */
struct gh_bucket {
	double room;
	int64_t at_ms; /* 0 = not used yet: full */
};

/* Take one point; if there is none, the milliseconds until there will be. */
int64_t gh_bucket_take(struct gh_bucket *b, int64_t per_minute, int64_t now_ms);
