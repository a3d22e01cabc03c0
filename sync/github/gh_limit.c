/* gh_limit.c - reading limits, and sharing a budget out; no clock and no sleeping here. */
#include "sync/github/gh_limit.h"

#include <string.h>

#include "base/clock.h"

#define GRACE_MS 1000 /* past a reset, for clocks that differ a little */
#define WINDOW_MS (INT64_C(3600) * 1000)
#define SAME_RESET_MS 10000 /* GitHub's resets of one window differ by a second or so */
#define FADE_MS 60000.0     /* what pacing knows is of the last minute */

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

/* --- refusals --- */

bool
gh_limit_in_words(struct slice text)
{
	static const char *const words[] = { "rate limit", "abuse detection" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text.ptr != NULL &&
		    memmem(text.ptr, text.len, words[i], strlen(words[i])) != NULL)
			return true;
	}
	return false;
}

static bool
says_limit(const struct http_response *res)
{
	return gh_limit_in_words((struct slice){ res->body.ptr, res->body.len });
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
		return after * 1000 + GRACE_MS;
	if (exhausted(res) && reset >= 0) {
		int64_t left = reset * 1000 - now_ms;

		return (left > 0 ? left : 0) + GRACE_MS;
	}
	return first_ms << (nth < 6 ? nth : 6);
}

/* --- budgets --- */

void
gh_budget_init(struct gh_budget *b)
{
	*b = (struct gh_budget){ .limit = -1,
		.remaining = -1,
		.reset_ms = TIME_NONE,
		.hold_until_ms = TIME_NONE,
		.seen_ms = TIME_NONE,
		.sent_ms = TIME_NONE };
}

void
gh_budget_send(struct gh_budget *b, int64_t now_ms)
{
	if (b->answered)
		b->refusals = 0;
	b->answered = false;
	b->sent_ms = now_ms;
}

/* How much of a sum is left when it has faded from `then_ms` to `now_ms`. */
static double
faded(int64_t then_ms, int64_t now_ms)
{
	if (then_ms == TIME_NONE)
		return 0;
	return now_ms <= then_ms ? 1 : FADE_MS / (FADE_MS + (double)(now_ms - then_ms));
}

static void
note_values(
    struct gh_budget *b, int64_t limit, int64_t remaining, int64_t reset_ms, int64_t now_ms)
{
	bool same = b->limit == limit && b->reset_ms != TIME_NONE &&
		    reset_ms < b->reset_ms + SAME_RESET_MS &&
		    reset_ms > b->reset_ms - SAME_RESET_MS;
	double left = faded(b->seen_ms, now_ms);
	int64_t spent = same ? b->remaining - remaining : 1;

	/* What was spent in a long time counts as spent evenly over it. */
	b->all =
	    (b->all + (spent > 0 ? (double)spent : 0)) * (b->seen_ms == TIME_NONE ? 1 : left);
	b->own = b->own * left + 1;
	b->seen_ms = now_ms;
	b->limit = limit;
	b->remaining = remaining;
	b->reset_ms = reset_ms;
}

/* The resource that an answer is about; GH_RESOURCES for those that are never asked. */
static enum gh_resource
resource_of(const struct http_response *res, enum gh_resource asked)
{
	struct slice name = http_response_header(res, "x-ratelimit-resource");

	if (name.len == 0)
		return asked;
	if (slice_eq(name, slice_str("core")))
		return GH_CORE;
	return slice_eq(name, slice_str("graphql")) ? GH_GRAPHQL : GH_RESOURCES;
}

void
gh_limit_note(const struct http_response *res, enum gh_resource asked, int64_t now_ms,
    struct gh_budget budgets[GH_RESOURCES])
{
	int64_t limit = number_of(res, "x-ratelimit-limit");
	int64_t remaining = number_of(res, "x-ratelimit-remaining");
	int64_t reset = number_of(res, "x-ratelimit-reset");
	enum gh_resource r = resource_of(res, asked);
	struct gh_budget *b = &budgets[r < GH_RESOURCES ? r : asked];

	if (r == GH_RESOURCES || limit < 0)
		return;
	if (limit == 0 || remaining < 0 || reset < 0) {
		b->limit = b->remaining = -1;
		b->reset_ms = TIME_NONE;
		return;
	}
	note_values(b, limit, remaining, reset * 1000, now_ms);
}

/* Until the reset of what is known; 0 when it is past, unknown, or not to be believed. */
static int64_t
time_left(const struct gh_budget *b, int64_t now_ms)
{
	if (b->limit <= 0 || b->remaining < 0 || b->reset_ms == TIME_NONE ||
	    b->reset_ms <= now_ms || b->reset_ms - now_ms > GH_WAIT_MAX_MS)
		return 0;
	return b->reset_ms - now_ms;
}

static int64_t
spendable(const struct gh_budget *b, bool background)
{
	int64_t kept = b->limit / (background ? GH_RESERVE_PARTS : GH_FLOOR_PARTS);

	return b->remaining > kept ? b->remaining - kept : 0;
}

bool
gh_budget_spent(const struct gh_budget *b, bool background, int64_t now_ms)
{
	return time_left(b, now_ms) > 0 && spendable(b, background) == 0;
}

int64_t
gh_budget_refused(struct gh_budget budgets[GH_RESOURCES], enum gh_resource r,
    const struct http_response *res, int64_t now_ms, int64_t first_ms)
{
	struct gh_budget *own = &budgets[r];
	int64_t wait = gh_limit_wait(res, now_ms, own->refusals, first_ms);

	own->refusals++;
	own->answered = false;
	for (int i = 0; i < GH_RESOURCES && wait <= GH_WAIT_MAX_MS; i++) {
		if (i == (int)r || !exhausted(res))
			budgets[i].hold_until_ms = now_ms + wait;
	}
	return wait;
}

void
gh_budget_exhausted(struct gh_budget *b, int64_t reset_ms, const struct http_response *res,
    int64_t now_ms, int64_t first_ms)
{
	int64_t wait = reset_ms > now_ms ? reset_ms - now_ms + GRACE_MS : 0;

	if (wait == 0 || wait > GH_WAIT_MAX_MS)
		wait = gh_limit_wait(res, now_ms, b->refusals, first_ms);
	b->refusals++;
	b->answered = false;
	b->hold_until_ms = now_ms + (wait < GH_WAIT_MAX_MS ? wait : GH_WAIT_MAX_MS);
}

/* The pause that keeps all who share the budget on a pace that lasts until the reset. */
static int64_t
pace(const struct gh_budget *b, bool background, int64_t now_ms)
{
	int64_t left = time_left(b, now_ms);
	double may = (double)spendable(b, background);
	double interval, next;

	if (left == 0 || b->remaining > b->limit / 2 || b->sent_ms == TIME_NONE ||
	    (double)b->remaining * WINDOW_MS >= (double)b->limit * (double)left ||
	    b->all * (double)left <= may * FADE_MS)
		return 0;
	interval = (b->all > b->own ? b->all / b->own : 1) * (double)left / may;
	next = (double)(b->sent_ms - now_ms) +
	       (interval < GH_PACE_MAX_MS ? interval : GH_PACE_MAX_MS);
	return next > 0 ? (int64_t)next : 0;
}

int64_t
gh_budget_wait(const struct gh_budget *b, bool background, int64_t now_ms, bool *ret_paced)
{
	int64_t wait = 0;

	*ret_paced = false;
	if (gh_budget_spent(b, background, now_ms))
		wait = time_left(b, now_ms) + GRACE_MS;
	if (b->hold_until_ms != TIME_NONE && b->hold_until_ms - now_ms > wait)
		wait = b->hold_until_ms - now_ms;
	if (wait > 0)
		return wait;
	wait = pace(b, background, now_ms);
	*ret_paced = wait > 0;
	return wait;
}

int64_t
gh_bucket_take(struct gh_bucket *b, int64_t per_minute, int64_t now_ms)
{
	double most = (double)per_minute / 2, rate = most / 60000; /* per millisecond */

	if (b->at_ms == 0)
		b->room = most;
	else if (now_ms > b->at_ms)
		b->room += (double)(now_ms - b->at_ms) * rate;
	b->at_ms = now_ms;
	if (b->room > most)
		b->room = most;
	if (b->room < 1)
		return (int64_t)((1 - b->room) / rate) + 1;
	b->room -= 1;
	return 0;
}
