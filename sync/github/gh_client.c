/* gh_client.c - one request at a time, repeated and delayed as GitHub wants it. */
#include "sync/github/gh_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "sync/github/gh_limit.h"
#include "sync/github/gh_link.h"

#define TRIES 6
#define BACKOFF_MS 1000
#define BACKOFF_MAX_MS 60000
#define SECONDARY_MS 60000
#define REDIRECTS_MAX 5
#define ACCEPT "application/vnd.github+json"
#define API_VERSION "2022-11-28"

struct gh {
	struct gh_opts o;
	char *token;     /* owned; NULL = anonymous */
	char *authorize; /* owned; the header's value */
	char digest[GH_TOKEN_DIGEST];
	struct gh_stats stats;
	struct http_response res;
	int64_t hold_until_ms; /* monotonic: no request before */
	unsigned refusals;     /* by a limit, in a row */
};

static int
load_token(struct gh *g, struct err_info *ei)
{
	unsigned char raw[SHA256_LEN];
	struct buf b;
	int rc = 0;

	if (g->o.token_file != NULL)
		rc = conf_read_secret(g->o.token_file, &g->token, ei);
	else if (g->o.token != NULL && (g->token = mem_strdup(g->o.token)) == NULL)
		rc = ERR_NOMEM;
	if (rc != 0)
		return rc;
	rc = sha256(slice_str(g->token), raw);
	hex_encode(raw, (GH_TOKEN_DIGEST - 1) / 2, g->digest);
	if (rc != 0 || g->token == NULL)
		return rc;
	if (strpbrk(g->token, "\r\n") != NULL)
		return err_set(ei, ERR_INVAL, "the GitHub token holds a line break");
	buf_init(&b, (size_t)1 << 20);
	buf_fmt(&b, "Bearer %s", g->token);
	g->authorize = buf_take(&b, NULL);
	return g->authorize != NULL ? 0 : ERR_NOMEM;
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
	if (g->o.tries == 0)
		g->o.tries = TRIES;
	if (g->o.backoff_ms == 0)
		g->o.backoff_ms = BACKOFF_MS;
	if (g->o.secondary_ms == 0)
		g->o.secondary_ms = SECONDARY_MS;
	g->stats.rate_limit = g->stats.rate_remaining = -1;
	g->stats.rate_reset_ms = TIME_NONE;
	http_response_init(&g->res);
	rc = load_token(g, ei);
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
	if (g->token != NULL)
		explicit_bzero(g->token, strlen(g->token));
	if (g->authorize != NULL)
		explicit_bzero(g->authorize, strlen(g->authorize));
	mem_free(g->token);
	mem_free(g->authorize);
	http_response_clear(&g->res);
	mem_free(g);
}

void
gh_page_clear(struct gh_page *p)
{
	json_decref(p->doc);
	p->doc = NULL;
}

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

const char *
gh_token_digest(const struct gh *g)
{
	return g->digest;
}

const struct gh_stats *
gh_stats(const struct gh *g)
{
	return &g->stats;
}

/* --- waiting --- */

static int
pause_for(struct gh *g, int64_t ms, const char *why)
{
	if (g->o.on_wait != NULL)
		g->o.on_wait(g->o.ctx, ms, why);
	return cancel_sleep(&g->o.cancel, ms);
}

/* Before a request: sit out what an earlier answer told us. */
static int
wait_for_budget(struct gh *g)
{
	int64_t left = g->hold_until_ms - clock_mono_ms();

	if (left <= 0)
		return 0;
	g->stats.waits++;
	return pause_for(g, left, "rate limit");
}

/* GitHub's idea of now, or ours when it did not say. */
static int64_t
server_now(const struct gh *g)
{
	struct slice date = http_response_header(&g->res, "date");
	char text[64];
	int64_t ms;

	if (date.len == 0 || date.len >= sizeof(text))
		return clock_real_ms();
	memcpy(text, date.ptr, date.len);
	text[date.len] = '\0';
	return time_parse_http(text, &ms) == 0 ? ms : clock_real_ms();
}

static int
note_refusal(struct gh *g, struct err_info *ei)
{
	int64_t wait = gh_limit_wait(&g->res, server_now(g), g->refusals, g->o.secondary_ms);

	g->refusals++;
	if (wait > GH_WAIT_MAX_MS) {
		err_set(ei, ERR_RATE, "GitHub asks to wait %lld s", (long long)(wait / 1000));
		if (ei != NULL)
			ei->retry_after_ms = wait;
		return ERR_RATE;
	}
	g->hold_until_ms = clock_mono_ms() + wait;
	return 0;
}

/* After a good answer that used up the budget: hold the next request back. */
static void
note_budget(struct gh *g)
{
	int64_t left;

	g->refusals = 0;
	if (g->stats.rate_remaining != 0 || g->stats.rate_reset_ms == TIME_NONE)
		return;
	left = g->stats.rate_reset_ms - server_now(g);
	if (left > 0 && left <= GH_WAIT_MAX_MS)
		g->hold_until_ms = clock_mono_ms() + left + 1000;
}

/* --- one exchange --- */

static int
send_once(struct gh *g, const char *url, const char *etag, struct err_info *ei)
{
	struct http_header headers[5] = { { "Accept", ACCEPT },
		{ "X-GitHub-Api-Version", API_VERSION } };
	struct http_request req = { .url = url, .headers = headers, .body_max = GH_BODY_MAX };
	size_t n = 2;
	int rc;

	if (g->authorize != NULL)
		headers[n++] = (struct http_header){ "Authorization", g->authorize };
	if (etag != NULL && etag[0] != '\0')
		headers[n++] = (struct http_header){ "If-None-Match", etag };
	g->stats.requests++;
	rc = http_perform(g->o.http, &req, &g->res, ei);
	if (rc == 0)
		gh_limit_note(&g->res, &g->stats);
	if (rc == ERR_LIMIT) /* must not be taken for a 422, the end of a listing */
		rc = err_set(ei, ERR_HTTP, "GET %.*s: the answer is larger than %zu bytes",
		    (int)strcspn(url, "?"), url, GH_BODY_MAX);
	return rc;
}

/* What GitHub says is wrong, cut to a line; for messages. */
static int
status_err(const struct gh *g, int rc, const char *url, struct err_info *ei)
{
	struct json_in in = { .what = "error" };
	json_t *doc = NULL;
	const char *message = "";
	int path = (int)strcspn(url, "?");

	if (json_in_parse(buf_view(&g->res.body), "error", &doc, NULL) == 0)
		message = json_in_opt_str(&in, doc, "message");
	err_set(ei, rc, "GET %.*s: status %d%s%.160s", path, url, g->res.status,
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
read_page(struct gh *g, const char *url, bool array, struct gh_page *p, struct err_info *ei)
{
	int rc;

	p->server_date_ms = server_now(g);
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
		return err_wrap(ei, rc, "GET %.*s", (int)strcspn(url, "?"), url);
	if (array ? json_is_array(p->doc) : json_is_object(p->doc))
		return 0;
	gh_page_clear(p);
	return err_set(ei, ERR_PROTO, "GET %.*s: the answer is not a JSON %s",
	    (int)strcspn(url, "?"), url, array ? "array" : "object");
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

/* One try, redirects included.  ERR_BUSY: refused by a limit, the wait is noted. */
static int
try_get(struct gh *g, char *url, const char *etag, bool array, struct gh_page *p,
    struct err_info *ei)
{
	for (int hop = 0; hop <= REDIRECTS_MAX; hop++) {
		int rc = wait_for_budget(g);

		if (rc == 0)
			rc = send_once(g, url, etag, ei);
		if (rc != 0)
			return rc;
		if (gh_limit_refused(&g->res)) {
			rc = note_refusal(g, ei);
			return rc != 0 ? rc : ERR_BUSY;
		}
		note_budget(g);
		if (g->res.status == 304 && (etag == NULL || etag[0] == '\0'))
			return err_set(ei, ERR_PROTO, "GET %.*s: 304 without a validator",
			    (int)strcspn(url, "?"), url); /* no page, no end of a listing */
		if (g->res.status == 200 || g->res.status == 304)
			return read_page(g, url, array, p, ei);
		if (http_status_err(g->res.status) != ERR_MOVED)
			return status_err(g,
			    g->res.status == 422 ? ERR_LIMIT : http_status_err(g->res.status),
			    url, ei);
		rc = follow(g, url, p, ei);
		if (rc != 0)
			return rc;
	}
	return err_set(ei, ERR_MOVED, "GET %s: more than %d redirects", url, REDIRECTS_MAX);
}

int
gh_get(struct gh *g, const char *url, const char *etag, bool array, struct gh_page *ret,
    struct err_info *ei)
{
	struct gh_page page = { .server_date_ms = TIME_NONE };
	char at[GH_URL_MAX];
	int64_t backoff = g->o.backoff_ms;
	unsigned faults = 0;
	int rc;

	if (strlen(url) >= sizeof(at))
		return err_set(ei, ERR_LIMIT, "URL longer than %d bytes", GH_URL_MAX);
	if (!gh_same_origin(g->o.base_url, url))
		return err_set(ei, ERR_MOVED, "a URL on another host was to be asked");
	for (;;) {
		memcpy(at, url, strlen(url) + 1);
		rc = try_get(g, at, etag, array, &page, ei);
		if (rc == ERR_BUSY)
			continue;
		if ((!err_may_pass(rc) && rc != ERR_PROTO) || ++faults == g->o.tries)
			break;
		g->stats.retries++;
		if (g->o.on_retry != NULL)
			g->o.on_retry(g->o.ctx, faults, ei != NULL ? ei->text : err_name(rc));
		if (pause_for(g, backoff, "retry") != 0)
			return ERR_CANCELED;
		backoff = backoff * 2 < BACKOFF_MAX_MS ? backoff * 2 : BACKOFF_MAX_MS;
	}
	if (rc == 0)
		*ret = page;
	return rc;
}
