/* gh_client.c - questions to GitHub, repeated as it wants them. */
#include "sync/github/gh_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "sync/github/gh_internal.h"
#include "sync/github/gh_link.h"

#define TRIES 6
#define BACKOFF_MS 1000
#define BACKOFF_MAX_MS 60000
#define SECONDARY_MS 60000

/* --- life --- */

static int
open_app(struct gh *g, struct err_info *ei)
{
	const struct gh_app_opts o = { .base_url = g->o.base_url,
		.app_id = g->o.app_id,
		.key_file = g->o.app_key_file,
		.repository = g->o.repository,
		.installation_id = g->o.installation_id,
		.http = g->o.http };
	int rc = gh_tokens_none(&g->tokens); /* an entry for the tokens to come */

	return rc == 0 ? gh_app_new(&o, &g->app, ei) : rc;
}

static int
load_tokens(struct gh *g, struct err_info *ei)
{
	int rc;

	if (g->o.app_id != NULL)
		rc = open_app(g, ei);
	else if (g->o.token_file != NULL) {
		gh_file_init(&g->file, g->o.token_file); /* first: a later change is seen */
		rc = gh_read_tokens(g, &g->tokens, ei);
	} else {
		rc = gh_tokens_none(&g->tokens);
		if (rc == 0 && g->o.token != NULL)
			rc = gh_token_set(&g->tokens.items[0], slice_str(g->o.token), ei);
	}
	g->stats.tokens = gh_has_token(g) ? g->tokens.count : 0;
	return rc;
}

static int
set_spread(struct gh *g)
{
	unsigned char raw[SHA256_LEN];
	int rc = g->o.repository != NULL ? sha256(slice_str(g->o.repository), raw) : 0;

	if (rc == 0 && g->o.repository != NULL)
		g->spread = raw[0];
	return rc;
}

static void
set_defaults(struct gh_opts *o)
{
	if (o->tries == 0)
		o->tries = TRIES;
	if (o->backoff_ms == 0)
		o->backoff_ms = BACKOFF_MS;
	if (o->secondary_ms == 0)
		o->secondary_ms = SECONDARY_MS;
	if (o->time_scale == 0)
		o->time_scale = 1;
}

int
gh_new(const struct gh_opts *opts, struct gh **ret, struct err_info *ei)
{
	struct gh *g;
	int rc;

	if (!gh_same_origin(opts->base_url, opts->base_url))
		return err_set(
		    ei, ERR_INVAL, "GitHub URL \"%s\" is no http or https URL", opts->base_url);
	g = mem_zalloc(sizeof(*g));
	if (g == NULL)
		return ERR_NOMEM;
	g->o = *opts;
	set_defaults(&g->o);
	g->stats.rate_limit = g->stats.rate_remaining = -1;
	g->stats.graphql_limit = g->stats.graphql_remaining = -1;
	g->stats.rate_reset_ms = g->stats.graphql_reset_ms = TIME_NONE;
	g->stats.answer_date_ms = TIME_NONE;
	g->offset_ms = clock_real_ms() - gh_now(g);
	http_response_init(&g->res);
	rc = set_spread(g);
	if (rc == 0)
		rc = load_tokens(g, ei);
	if (rc != 0) {
		gh_free(g);
		return rc;
	}
	*ret = g;
	return 0;
}

void
gh_free(struct gh *g)
{
	if (g == NULL)
		return;
	gh_app_free(g->app);
	gh_tokens_clear(&g->tokens);
	http_response_clear(&g->res);
	mem_free(g);
}

void
gh_page_clear(struct gh_page *p)
{
	json_decref(p->doc);
	p->doc = NULL;
}

/* --- URLs and settings --- */

int
gh_url(const struct gh *g, char out[GH_URL_MAX], const char *fmt, ...)
{
	size_t at = strlen(g->o.base_url);
	va_list ap;
	int n;

	if (at >= GH_URL_MAX)
		return ERR_LIMIT;
	memcpy(out, g->o.base_url, at);
	va_start(ap, fmt);
	n = vsnprintf(out + at, GH_URL_MAX - at, fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= GH_URL_MAX - at ? ERR_LIMIT : 0;
}

/* https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql */
int
gh_graphql_url(const struct gh *g, char out[GH_URL_MAX])
{
	static const char rest[] = "/api/v3", graphql[] = "/graphql";
	size_t len = strlen(g->o.base_url);

	if (len >= strlen(rest) && strcmp(g->o.base_url + len - strlen(rest), rest) == 0)
		len -= strlen("/v3");
	if (len + sizeof(graphql) > GH_URL_MAX)
		return ERR_LIMIT;
	memcpy(out, g->o.base_url, len);
	memcpy(out + len, graphql, sizeof(graphql));
	return 0;
}

bool
gh_has_token(const struct gh *g)
{
	return g->app != NULL ||
	       (g->tokens.items != NULL && g->tokens.items[0].authorize != NULL);
}

const struct gh_stats *
gh_stats(const struct gh *g)
{
	return &g->stats;
}

void
gh_set_background(struct gh *g, bool background)
{
	g->background = background;
}

void
gh_note_exhausted(struct gh *g, enum gh_resource resource, int64_t reset_ms)
{
	struct gh_token *t = gh_last_token(g);

	if (t == NULL)
		return;
	g->stats.refusals++;
	gh_budget_exhausted(
	    &t->budget[resource], reset_ms, &g->res, gh_now(g), g->o.secondary_ms);
}

/* --- questions --- */

static bool
worth_another_try(const struct gh *g, const struct gh_call *call, int rc)
{
	/* A query that took GitHub too long will take as long again. */
	if (call->body.ptr != NULL && g->sent &&
	    (rc == ERR_TIMEOUT ||
		(rc == ERR_UNAVAILABLE && (g->res.status == 502 || g->res.status == 504))))
		return false;
	return err_may_pass(rc) || rc == ERR_PROTO;
}

static int
ask(struct gh *g, const struct gh_call *call, struct gh_page *ret, struct err_info *ei)
{
	struct gh_page page = { .server_date_ms = TIME_NONE };
	int64_t backoff = g->o.backoff_ms;
	unsigned faults = 0;
	int rc;

	if (strlen(call->url) >= GH_URL_MAX)
		return err_set(ei, ERR_LIMIT, "URL longer than %d bytes", GH_URL_MAX);
	if (!gh_same_origin(g->o.base_url, call->url))
		return err_set(ei, ERR_MOVED, "a URL on another host was to be asked");
	for (;;) {
		rc = gh_try(g, call, &page, ei);
		if (rc == ERR_BUSY)
			continue;
		if (!worth_another_try(g, call, rc) || ++faults == g->o.tries)
			break;
		g->stats.retries++;
		if (g->o.on_retry != NULL)
			g->o.on_retry(g->o.ctx, faults, ei != NULL ? ei->text : err_name(rc));
		if (gh_pause(g, backoff, "retry") != 0)
			return ERR_CANCELED;
		backoff = backoff * 2 < BACKOFF_MAX_MS ? backoff * 2 : BACKOFF_MAX_MS;
	}
	if (rc == 0)
		*ret = page;
	return rc;
}

int
gh_get(struct gh *g, const char *url, const char *etag, bool array, struct gh_page *ret,
    struct err_info *ei)
{
	struct gh_call call = { .url = url, .etag = etag, .resource = GH_CORE, .array = array };

	if (!g->asked)
		gh_token_digest(g);
	g->asked = false;
	memcpy(call.etag_digest, g->asked_digest, sizeof(call.etag_digest));
	return ask(g, &call, ret, ei);
}

int
gh_post_json(struct gh *g, const char *url, const char *body, size_t len,
    enum gh_resource resource, struct gh_page *ret, struct err_info *ei)
{
	const struct gh_call call = { .url = url, .body = { body, len }, .resource = resource };

	return ask(g, &call, ret, ei);
}
