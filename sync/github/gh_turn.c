/* gh_turn.c - before a request: which token, and how long to wait for it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "sync/github/gh_internal.h"

#define DATE_MS 1000            /* what a Date header leaves out */
#define CLOCK_JUMP_MS 5000      /* more is a clock that was set, not a slow answer */
#define LOOK_MS 30000           /* a long wait looks for other tokens so often */
#define CORE_PER_MINUTE 720     /* 80 % of GitHub's 900 points for an endpoint */
#define GRAPHQL_PER_MINUTE 1600 /* and of its 2,000 */

/* --- time --- */

static int64_t
mono_now(const struct gh *g)
{
	return clock_mono_ms() * g->o.time_scale;
}

int64_t
gh_now(const struct gh *g)
{
	return mono_now(g) + g->offset_ms;
}

int64_t
gh_set_clock(struct gh *g)
{
	struct slice date = http_response_header(&g->res, "date");
	int64_t now = gh_now(g), ms;
	char text[64];

	if (date.len == 0 || date.len >= sizeof(text))
		return now;
	memcpy(text, date.ptr, date.len);
	text[date.len] = '\0';
	if (time_parse_http(text, &ms) != 0)
		return now;
	/* Within its second the header tells nothing new, and pacing counts milliseconds. */
	if (now < ms - CLOCK_JUMP_MS || now > ms + CLOCK_JUMP_MS) {
		g->offset_ms += ms - now;
		gh_tokens_shift(&g->tokens, ms - now);
	} else if (now < ms) {
		g->offset_ms += ms - now;
	} else if (now > ms + DATE_MS) {
		g->offset_ms += ms + DATE_MS - now;
	}
	return ms;
}

static void
tell_wait(const struct gh *g, int64_t ms, const char *why)
{
	if (g->o.on_wait != NULL)
		g->o.on_wait(g->o.ctx, ms, why);
}

/* Rounded up, or the last moment would be waited for by asking the time. */
static int
sleep_scaled(const struct gh *g, int64_t ms)
{
	return cancel_sleep(&g->o.cancel, (ms + g->o.time_scale - 1) / g->o.time_scale);
}

int
gh_pause(struct gh *g, int64_t ms, const char *why)
{
	tell_wait(g, ms, why);
	return sleep_scaled(g, ms);
}

/* --- tokens --- */

static void
tell(const struct gh *g, const char *what)
{
	if (g->o.on_credentials != NULL)
		g->o.on_credentials(g->o.ctx, what);
}

struct gh_token *
gh_last_token(struct gh *g)
{
	for (size_t i = 0; i < g->tokens.count; i++) {
		if (strcmp(g->tokens.items[i].digest, g->last_digest) == 0)
			return &g->tokens.items[i];
	}
	return NULL;
}

int
gh_read_tokens(const struct gh *g, struct gh_tokens *ret, struct err_info *ei)
{
	char *text;
	int rc = conf_read_secret(g->o.token_file, &text, ei);

	if (rc != 0)
		return rc;
	rc = gh_tokens_parse(slice_str(text), g->o.repository, ret, ei);
	explicit_bzero(text, strlen(text));
	mem_free(text);
	return rc != 0 ? err_wrap(ei, rc, "token file %s", g->o.token_file) : 0;
}

/* A file that cannot be read leaves everything as it was; told once, as it stays so. */
static void
look_at_file(struct gh *g)
{
	struct err_info ei = { .text = "" };
	struct gh_tokens fresh;
	char text[640];

	if (g->file.path == NULL || !gh_file_changed(&g->file, clock_mono_ms()))
		return;
	if (gh_read_tokens(g, &fresh, &ei) != 0) {
		snprintf(text, sizeof(text), "%s; the tokens read before stay in use", ei.text);
		tell(g, text);
		return;
	}
	gh_tokens_inherit(&fresh, &g->tokens);
	gh_tokens_clear(&g->tokens);
	g->tokens = fresh;
	g->stats.tokens = fresh.count;
	snprintf(text, sizeof(text), "token file %s was read again: %zu tokens", g->file.path,
	    fresh.count);
	tell(g, text);
}

static size_t
choose(const struct gh *g, enum gh_resource r)
{
	return gh_tokens_choose(&g->tokens, r, g->background, gh_now(g));
}

const char *
gh_token_digest(struct gh *g)
{
	look_at_file(g);
	memcpy(g->asked_digest, g->tokens.items[choose(g, GH_CORE)].digest, GH_TOKEN_DIGEST);
	g->asked = true;
	return g->asked_digest;
}

bool
gh_reject(struct gh *g, struct gh_token *t, enum gh_resource r)
{
	char text[128];

	t->rejected_ms = gh_now(g);
	t = &g->tokens.items[choose(g, r)];
	snprintf(text, sizeof(text), "GitHub refused a token (401); of %zu, %s",
	    g->tokens.count,
	    gh_token_usable(t, gh_now(g)) ? "another is used" : "none is left");
	tell(g, text);
	return gh_token_usable(t, gh_now(g));
}

/* --- turns --- */

/* Milliseconds until `t` may ask for `r`. */
static int64_t
wait_for(struct gh *g, const struct gh_token *t, enum gh_resource r, const char **ret_why)
{
	int64_t most = g->o.points_per_minute, wait;
	bool paced;

	wait = gh_budget_wait(&t->budget[r], g->background, gh_now(g), &paced);
	*ret_why = paced ? "pace" : "rate limit";
	if (wait > 0 || t->budget[r].limit <= 0) /* a server without limits, or not known */
		return wait;
	*ret_why = "pace";
	if (most == 0)
		most = r == GH_CORE ? CORE_PER_MINUTE : GRAPHQL_PER_MINUTE;
	return gh_bucket_take(&g->bucket[r], most, mono_now(g));
}

/* Wait, but look now and then for a token that can go on earlier. */
static int
sit_out(struct gh *g, enum gh_resource r, int64_t ms, const char *why)
{
	int64_t began = gh_now(g), end = began + ms;
	char digest[GH_TOKEN_DIGEST];
	int rc = 0;

	memcpy(digest, g->tokens.items[choose(g, r)].digest, sizeof(digest));
	g->stats.waits++;
	tell_wait(g, ms, why);
	while (rc == 0 && gh_now(g) < end &&
	       strcmp(digest, g->tokens.items[choose(g, r)].digest) == 0) {
		int64_t left = end - gh_now(g);

		rc = sleep_scaled(g, left < LOOK_MS ? left : LOOK_MS);
		look_at_file(g);
	}
	g->stats.waited_ms += (uint64_t)(gh_now(g) - began);
	return rc;
}

int
gh_turn(struct gh *g, enum gh_resource r, struct gh_token **ret, struct err_info *ei)
{
	(void)ei;
	look_at_file(g);
	for (;;) {
		struct gh_token *t = &g->tokens.items[choose(g, r)];
		const char *why;
		int64_t wait = wait_for(g, t, r, &why);
		int rc;

		if (wait <= 0) {
			gh_budget_send(&t->budget[r], gh_now(g));
			memcpy(g->last_digest, t->digest, sizeof(g->last_digest));
			*ret = t;
			return 0;
		}
		rc = sit_out(g, r, wait, why);
		if (rc != 0)
			return rc;
	}
}
