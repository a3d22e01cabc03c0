/* gh_limit.c - reading limits; no clock and no sleeping here. */
#include "sync/github/gh_limit.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_GRACE_MS 1000 /* past a reset, for clocks that differ a little */

/* A header that is a whole number; -1 otherwise. */
static int64_t
number_of(const struct http_response *res, const char *name)
{
	struct slice v = http_response_header(res, name);
	int64_t n = 0;

	if (v.len == 0 || v.len > 15)
		return -1;
	for (size_t i = 0; i < v.len; i++) {
		if (v.ptr[i] < '0' || v.ptr[i] > '9')
			return -1;
		n = n * 10 + (v.ptr[i] - '0');
	}
	return n;
}

void
gh_limit_note(const struct http_response *res, struct gh_stats *stats)
{
	int64_t reset = number_of(res, "x-ratelimit-reset");

	stats->rate_limit = number_of(res, "x-ratelimit-limit");
	stats->rate_remaining = number_of(res, "x-ratelimit-remaining");
	stats->rate_reset_ms = reset >= 0 ? reset * 1000 : TIME_NONE;
	/* Enterprise servers with limits switched off send zeros: that is no limit. */
	if (stats->rate_limit == 0)
		stats->rate_limit = stats->rate_remaining = -1;
}

static bool
says_limit(const struct http_response *res)
{
	static const char *const words[] = { "rate limit", "abuse detection" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (res->body.ptr != NULL &&
		    memmem(res->body.ptr, res->body.len, words[i], strlen(words[i])) != NULL)
			return true;
	}
	return false;
}

static bool
exhausted(const struct http_response *res)
{
	return number_of(res, "x-ratelimit-remaining") == 0 &&
	       number_of(res, "x-ratelimit-limit") > 0;
}

bool
gh_limit_refused(const struct http_response *res)
{
	if (res->status == 429)
		return true;
	return res->status == 403 &&
	       (number_of(res, "retry-after") >= 0 || exhausted(res) || says_limit(res));
}

int64_t
gh_limit_wait(const struct http_response *res, int64_t now_ms, unsigned nth, int64_t first_ms)
{
	int64_t after = number_of(res, "retry-after");
	int64_t reset = number_of(res, "x-ratelimit-reset");

	if (after >= 0)
		return after * 1000 + WAIT_GRACE_MS;
	if (exhausted(res) && reset >= 0) {
		int64_t left = reset * 1000 - now_ms;

		return (left > 0 ? left : 0) + WAIT_GRACE_MS;
	}
	return first_ms << (nth < 6 ? nth : 6);
}
