/* gh_exchange.c - one request and its answer, and what the answer tells. */
#include <stdio.h>
#include <string.h>

#include "sync/github/gh_internal.h"
#include "sync/github/gh_link.h"

#define REDIRECTS_MAX 5
#define ACCEPT "application/vnd.github+json"
#define API_VERSION "2022-11-28"

static const char *
method_of(const struct gh_call *call)
{
	return call->body.ptr != NULL ? "POST" : "GET";
}

/* A validator means nothing to a token that did not get it. */
static bool
has_validator(const struct gh_call *call, const struct gh_token *t)
{
	return call->etag != NULL && call->etag[0] != '\0' &&
	       strcmp(call->etag_digest, t->digest) == 0;
}

static int
send_once(struct gh *g, const struct gh_call *call, const char *url, const struct gh_token *t,
    struct err_info *ei)
{
	struct http_header headers[6] = { { "Accept", ACCEPT },
		{ "X-GitHub-Api-Version", API_VERSION } };
	struct http_request req = {
		.url = url, .headers = headers, .body = call->body, .body_max = GH_BODY_MAX
	};
	size_t n = 2;
	int rc;

	if (t->authorize != NULL)
		headers[n++] = (struct http_header){ "Authorization", t->authorize };
	if (has_validator(call, t))
		headers[n++] = (struct http_header){ "If-None-Match", call->etag };
	if (call->body.ptr != NULL)
		headers[n++] = (struct http_header){ "Content-Type", "application/json" };
	g->sent = true;
	g->stats.requests++;
	g->stats.graphql_requests += call->body.ptr != NULL;
	rc = http_perform(g->o.http, &req, &g->res, ei);
	if (rc == ERR_LIMIT) /* must not be taken for a 422, the end of a listing */
		rc = err_set(ei, ERR_HTTP, "%s %.*s: the answer is larger than %zu bytes",
		    method_of(call), (int)strcspn(url, "?"), url, GH_BODY_MAX);
	return rc;
}

/* What GitHub says is wrong, cut to a line; for messages. */
static int
status_err(const struct gh *g, const struct gh_call *call, const char *url, int rc,
    struct err_info *ei)
{
	struct json_in in = { .what = "error" };
	json_t *doc = NULL;
	const char *message = "";
	int path = (int)strcspn(url, "?");

	if (json_in_parse(buf_view(&g->res.body), "error", &doc, NULL) == 0)
		message = json_in_opt_str(&in, doc, "message");
	err_set(ei, rc, "%s %.*s: status %d%s%.160s", method_of(call), path, url, g->res.status,
	    message[0] != '\0' ? ": " : "", message);
	if (ei != NULL)
		ei->http_status = g->res.status;
	json_decref(doc);
	return rc;
}

static void
copy_header(const struct gh *g, const char *name, char *out, size_t size)
{
	struct slice v = http_response_header(&g->res, name);

	out[0] = '\0';
	if (v.len == 0 || v.len >= size)
		return;
	memcpy(out, v.ptr, v.len);
	out[v.len] = '\0';
}

/* Take a good answer apart. */
static int
read_page(struct gh *g, const struct gh_call *call, const char *url, struct gh_page *p,
    struct err_info *ei)
{
	int rc;

	copy_header(g, "etag", p->etag, sizeof(p->etag));
	if (g->res.status == 304) {
		g->stats.not_modified++;
		p->not_modified = true;
		return 0;
	}
	rc = gh_link_next(http_response_header(&g->res, "link"), p->next, sizeof(p->next));
	if (rc != 0)
		return err_set(ei, ERR_PROTO, "GET %s: the Link header is malformed", url);
	if (p->next[0] != '\0' && !gh_same_origin(g->o.base_url, p->next))
		return err_set(ei, ERR_MOVED, "GET %s: the next page is on another host", url);
	rc = json_in_parse(buf_view(&g->res.body), "answer", &p->doc, ei);
	if (rc != 0)
		return err_wrap(
		    ei, rc, "%s %.*s", method_of(call), (int)strcspn(url, "?"), url);
	if (call->array ? json_is_array(p->doc) : json_is_object(p->doc))
		return 0;
	gh_page_clear(p);
	return err_set(ei, ERR_PROTO, "%s %.*s: the answer is not a JSON %s", method_of(call),
	    (int)strcspn(url, "?"), url, call->array ? "array" : "object");
}

/* Where a redirect leads; only within our origin. */
static int
follow(struct gh *g, char *url, struct gh_page *p, struct err_info *ei)
{
	char target[GH_URL_MAX];
	bool permanent = g->res.status == 301 || g->res.status == 308;

	copy_header(g, "location", target, sizeof(target));
	if (target[0] == '/' && target[1] != '/') { /* relative to the origin */
		const char *start = strstr(g->o.base_url, "://") + 3;
		size_t origin = (size_t)(start - g->o.base_url) + strcspn(start, "/");
		char full[GH_URL_MAX];

		if ((size_t)snprintf(full, sizeof(full), "%.*s%s", (int)origin, g->o.base_url,
			target) >= sizeof(full))
			return err_set(ei, ERR_MOVED, "GET %s: the redirect is too long", url);
		memcpy(target, full, sizeof(full));
	}
	if (!gh_same_origin(g->o.base_url, target))
		return err_set(ei, ERR_MOVED,
		    "GET %.*s: redirected to another host, not followed",
		    (int)strcspn(url, "?"), url);
	memcpy(url, target, sizeof(target));
	if (permanent)
		memcpy(p->moved_to, target, sizeof(target));
	return 0;
}

/* --- what an answer does to the token that asked --- */

static int
note_refusal(struct gh *g, struct gh_token *t, enum gh_resource r, struct err_info *ei)
{
	int64_t wait = gh_budget_refused(t->budget, r, &g->res, gh_now(g), g->o.secondary_ms);

	g->stats.refusals++;
	if (wait <= GH_WAIT_MAX_MS)
		return ERR_BUSY;
	err_set(ei, ERR_RATE, "GitHub asks to wait %lld s", (long long)(wait / 1000));
	if (ei != NULL)
		ei->retry_after_ms = wait;
	return ERR_RATE;
}

/* A refused token is passed over; while there is another one, that is tried. */
static int
note_rejected(struct gh *g, const struct gh_call *call, struct gh_token *t, const char *url,
    struct err_info *ei)
{
	g->stats.rejected++;
	if (t->authorize != NULL && gh_reject(g, t, call->resource))
		return ERR_BUSY;
	return status_err(g, call, url, ERR_AUTH, ei);
}

static void
note_answer(struct gh *g, struct gh_token *t, enum gh_resource r)
{
	const struct gh_budget *core = &t->budget[GH_CORE], *graphql = &t->budget[GH_GRAPHQL];

	gh_limit_note(&g->res, r, gh_now(g), t->budget);
	g->stats.rate_limit = core->limit;
	g->stats.rate_remaining = core->remaining;
	g->stats.rate_reset_ms = core->reset_ms;
	g->stats.graphql_limit = graphql->limit;
	g->stats.graphql_remaining = graphql->remaining;
	g->stats.graphql_reset_ms = graphql->reset_ms;
}

/* --- a try --- */

/* A status that is neither an answer nor a limit.  0: follow the redirect. */
static int
refused(struct gh *g, const struct gh_call *call, struct gh_token *t, char *url,
    struct gh_page *p, struct err_info *ei)
{
	int rc = http_status_err(g->res.status);

	if (g->res.status == 304) /* no page, and no end of a listing */
		return err_set(ei, ERR_PROTO, "GET %.*s: 304 without a validator",
		    (int)strcspn(url, "?"), url);
	if (rc == ERR_AUTH)
		return note_rejected(g, call, t, url, ei);
	if (rc == ERR_MOVED && call->body.ptr == NULL)
		return follow(g, url, p, ei);
	return status_err(g, call, url,
	    rc == 0                ? ERR_HTTP
	    : g->res.status == 422 ? ERR_LIMIT
				   : rc,
	    ei);
}

int
gh_try(struct gh *g, const struct gh_call *call, struct gh_page *p, struct err_info *ei)
{
	char url[GH_URL_MAX];

	g->sent = false;
	memcpy(url, call->url, strlen(call->url) + 1);
	for (int hop = 0; hop <= REDIRECTS_MAX; hop++) {
		struct gh_token *t;
		int rc = gh_turn(g, call->resource, &t, ei);

		if (rc == 0)
			rc = send_once(g, call, url, t, ei);
		if (rc != 0)
			return rc;
		p->server_date_ms = g->stats.answer_date_ms = gh_set_clock(g);
		note_answer(g, t, call->resource);
		if (g->res.status != 401)
			gh_accept(g, t);
		if (gh_limit_refused(&g->res))
			return note_refusal(g, t, call->resource, ei);
		t->budget[call->resource].answered = true;
		memcpy(p->token_digest, t->digest, sizeof(p->token_digest));
		if (g->res.status == 200 || (g->res.status == 304 && has_validator(call, t)))
			return read_page(g, call, url, p, ei);
		rc = refused(g, call, t, url, p, ei);
		if (rc != 0)
			return rc;
	}
	return err_set(
	    ei, ERR_MOVED, "GET %s: more than %d redirects", call->url, REDIRECTS_MAX);
}
