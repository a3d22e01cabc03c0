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
#define SPREAD_MS 10000         /* how far apart those come back that wait for a reset */
#define MINT_PAUSE_MS 60000     /* between failing attempts to replace a living token */
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

static void
set_clock(struct gh *g, int64_t date_ms)
{
	int64_t by = date_ms - gh_now(g);

	if (by < -CLOCK_JUMP_MS || by > CLOCK_JUMP_MS)
		gh_tokens_shift(&g->tokens, by);
	else if (by < 0) /* within its second the header tells nothing new */
		by = by < -DATE_MS ? by + DATE_MS : 0;
	g->offset_ms += by;
}

int64_t
gh_set_clock(struct gh *g)
{
	struct slice date = http_response_header(&g->res, "date");
	char text[64];
	int64_t ms;

	if (date.len == 0 || date.len >= sizeof(text))
		return gh_now(g);
	memcpy(text, date.ptr, date.len);
	text[date.len] = '\0';
	if (time_parse_http(text, &ms) != 0)
		return gh_now(g);
	set_clock(g, ms);
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
tell(const struct gh *g, bool trouble, const char *what)
{
	if (g->o.on_credentials != NULL)
		g->o.on_credentials(g->o.ctx, trouble, what);
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

static void
look_at_key(struct gh *g)
{
	struct err_info ei = { .text = "" };
	char text[640];
	int rc = gh_app_reload(g->app, clock_mono_ms(), &ei);

	if (rc < 0) {
		snprintf(text, sizeof(text), "%s; the key read before stays in use", ei.text);
		tell(g, true, text);
	} else if (rc > 0) {
		g->app_refused = false;
		tell(g, false, "the GitHub App's key file was read again");
	}
}

static void
look_at_tokens(struct gh *g)
{
	struct err_info ei = { .text = "" };
	struct gh_tokens fresh;
	char text[640];

	if (!gh_file_changed(&g->file, clock_mono_ms()))
		return;
	if (gh_read_tokens(g, &fresh, &ei) != 0) {
		snprintf(text, sizeof(text), "%s; the tokens read before stay in use", ei.text);
		tell(g, true, text);
		return;
	}
	gh_tokens_inherit(&fresh, &g->tokens);
	gh_tokens_clear(&g->tokens);
	g->tokens = fresh;
	g->stats.tokens = fresh.count;
	snprintf(text, sizeof(text), "token file %s was read again: %zu tokens", g->file.path,
	    fresh.count);
	tell(g, false, text);
}

/* A file that cannot be read leaves everything as it was; told once, while it stays so. */
static void
look_at_files(struct gh *g)
{
	if (g->app != NULL)
		look_at_key(g);
	else if (g->file.path != NULL)
		look_at_tokens(g);
}

static size_t
choose(const struct gh *g, enum gh_resource r)
{
	return gh_tokens_choose(&g->tokens, r, g->background, gh_now(g));
}

static bool
is_due(const struct gh *g, const struct gh_token *t)
{
	return g->app != NULL && (t->authorize == NULL || gh_now(g) >= g->app_refresh_ms);
}

const char *
gh_token_digest(struct gh *g)
{
	const struct gh_token *t;

	look_at_files(g);
	t = &g->tokens.items[choose(g, GH_CORE)];
	memcpy(
	    g->asked_digest, is_due(g, t) ? "" : t->digest, is_due(g, t) ? 1 : GH_TOKEN_DIGEST);
	g->asked = true;
	return g->asked_digest;
}

void
gh_accept(struct gh *g, struct gh_token *t)
{
	t->rejected_ms = TIME_NONE;
	g->app_refused = false;
}

/* Of an App's token another one is made, once. */
static bool
reject_app_token(struct gh *g, struct gh_token *t)
{
	bool again = !g->app_refused;

	g->app_refused = true;
	gh_token_forget(t);
	tell(g, true,
	    again ? "GitHub refused the App's token (401); another one is asked for"
		  : "GitHub refused the App's token (401) again");
	return again;
}

bool
gh_reject(struct gh *g, struct gh_token *t, enum gh_resource r)
{
	char text[128];

	if (g->app != NULL)
		return reject_app_token(g, t);
	t->rejected_ms = gh_now(g);
	t = &g->tokens.items[choose(g, r)];
	snprintf(text, sizeof(text), "GitHub refused a token (401); of %zu, %s",
	    g->tokens.count,
	    gh_token_usable(t, gh_now(g)) ? "another is used" : "none is left");
	tell(g, true, text);
	return gh_token_usable(t, gh_now(g));
}

/* --- an App's token --- */

/* While a token still lives, it is used; GitHub is asked again a little later. */
static int
not_minted(
    struct gh *g, struct gh_token *t, int rc, const struct err_info *why, struct err_info *ei)
{
	int64_t now = gh_now(g);

	if (t->authorize != NULL && now < g->app_expires_ms && rc != ERR_CANCELED) {
		g->app_refresh_ms = now + MINT_PAUSE_MS;
		return 0;
	}
	if (ei != NULL)
		*ei = *why;
	if (rc != ERR_RATE || why->retry_after_ms > GH_WAIT_MAX_MS)
		return rc;
	g->stats.refusals++;
	for (int r = 0; r < GH_RESOURCES; r++)
		t->budget[r].hold_until_ms = now + why->retry_after_ms;
	return ERR_BUSY;
}

static int
mint(struct gh *g, struct gh_token *t, struct err_info *ei)
{
	struct gh_app_token token = { 0 };
	struct err_info why = { .text = "" };
	int64_t now = gh_now(g), before = now;
	int rc = gh_app_mint(g->app, &now, &token, &why);

	if (now != before)
		set_clock(g, now);
	if (rc != 0)
		return not_minted(g, t, rc, &why, ei);
	rc = gh_token_set(t, slice_str(token.text), ei);
	explicit_bzero(token.text, strlen(token.text));
	mem_free(token.text);
	g->app_refresh_ms = token.refresh_ms;
	g->app_expires_ms = token.expires_ms;
	return rc == 0 || rc == ERR_NOMEM ? rc : ERR_PROTO;
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

/* Those that share a limit must not all come back in the same moment. */
static int64_t
spread_out(const struct gh *g, int64_t ms)
{
	int64_t most = ms / 16 < SPREAD_MS ? ms / 16 : SPREAD_MS;

	return ms + most * g->spread / GH_SPREAD;
}

/* Wait, but look now and then for a token that can go on earlier. */
static int
sit_out(struct gh *g, enum gh_resource r, int64_t ms, const char *why)
{
	int64_t began = gh_now(g), end;
	char digest[GH_TOKEN_DIGEST];
	int rc = 0;

	if (strcmp(why, "pace") != 0)
		ms = spread_out(g, ms);
	end = began + ms;
	memcpy(digest, g->tokens.items[choose(g, r)].digest, sizeof(digest));
	g->stats.waits++;
	tell_wait(g, ms, why);
	while (rc == 0 && gh_now(g) < end &&
	       strcmp(digest, g->tokens.items[choose(g, r)].digest) == 0) {
		int64_t left = end - gh_now(g);

		rc = sleep_scaled(g, left < LOOK_MS ? left : LOOK_MS);
		look_at_files(g);
	}
	g->stats.waited_ms += (uint64_t)(gh_now(g) - began);
	return rc;
}

int
gh_turn(struct gh *g, enum gh_resource r, struct gh_token **ret, struct err_info *ei)
{
	look_at_files(g);
	for (;;) {
		struct gh_token *t = &g->tokens.items[choose(g, r)];
		const char *why;
		int64_t wait = wait_for(g, t, r, &why);
		int rc;

		if (wait > 0)
			rc = sit_out(g, r, wait, why);
		else
			rc = is_due(g, t) ? mint(g, t, ei) : 0;
		if (rc != 0)
			return rc;
		if (wait > 0)
			continue;
		gh_budget_send(&t->budget[r], gh_now(g));
		memcpy(g->last_digest, t->digest, sizeof(g->last_digest));
		*ret = t;
		return 0;
	}
}
