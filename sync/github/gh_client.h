/*
 * gh_client.h - requests to one GitHub REST API root: headers, validators,
 * paging, redirects, limits, retries.  Knows no object of GitHub's.
 *
 * Follows https://docs.github.com/en/rest/using-the-rest-api (best practices,
 * rate limits, pagination).  Requests are serial; waits can be canceled.
 */
#pragma once

#include "base/http.h"
#include "base/json.h"

struct gh;

#define GH_BODY_MAX                                                                            \
	((size_t)64 << 20) /* a page of 100 items with 64 KB texts fits often over */
#define GH_URL_MAX 4096
#define GH_TOKEN_DIGEST 17 /* 16 hex digits and a NUL */

struct gh_stats {
	uint64_t requests;     /* sent, retries included */
	uint64_t not_modified; /* answered 304 */
	uint64_t retries;
	uint64_t waits;         /* pauses that a limit asked for */
	int64_t rate_limit;     /* -1 = GitHub did not say */
	int64_t rate_remaining; /* -1 = GitHub did not say */
	int64_t rate_reset_ms;  /* Unix time; TIME_NONE */
};

struct gh_opts {
	const char *base_url;   /* e.g. "https://api.github.com", no slash at the end */
	const char *token_file; /* NULL: anonymous, unless `token` is set */
	const char *token;
	struct http *http;
	struct cancel cancel;
	/* Told before a long wait; may be NULL. */
	void (*on_wait)(void *ctx, int64_t ms, const char *why);
	/* Told of a fault after which the request is tried again; may be NULL. */
	void (*on_retry)(void *ctx, unsigned nth, const char *error);
	void *ctx;
	int64_t backoff_ms;   /* first pause after a fault; 0 = 1 s */
	int64_t secondary_ms; /* first pause after a limit without a time; 0 = 60 s */
	unsigned tries;       /* per request; 0 = 6 */
};

/* `opts` is copied, its pointers are borrowed.  ERR_INVAL for the URL or token file. */
int gh_new(const struct gh_opts *opts, struct gh **ret, struct err_info *ei);
void gh_free(struct gh *g); /* NULL is fine */

/* One answer.  gh_page_clear() ends it. */
struct gh_page {
	json_t *doc;               /* NULL when not_modified */
	bool not_modified;         /* 304: the validator still holds */
	int64_t server_date_ms;    /* GitHub's clock, from the Date header */
	char next[GH_URL_MAX];     /* URL of rel="next"; "" at the end */
	char etag[256];            /* "" if there is none */
	char moved_to[GH_URL_MAX]; /* where a permanent redirect led; "" if none did */
};
void gh_page_clear(struct gh_page *p);

/*
 * GET `url` (absolute, below the base) and parse the answer, which must be a JSON
 * array if `array`, else an object.  `etag` may be NULL or "".
 *
 * Waits as limits demand and retries 5xx, cut connections and damaged answers.
 * Errors: ERR_AUTH (401), ERR_DENIED (403 that is no limit), ERR_NOENT (404),
 * ERR_GONE (410), ERR_LIMIT (422: paging is limited), ERR_HTTP (another status, or a
 * body over GH_BODY_MAX), ERR_MOVED (a redirect to another host or too many), ERR_PROTO,
 * ERR_UNAVAILABLE, ERR_CLOSED, ERR_TIMEOUT, ERR_CANCELED, ERR_RATE (the wait would be
 * over an hour).
 */
int gh_get(struct gh *g, const char *url, const char *etag, bool array, struct gh_page *ret,
    struct err_info *ei);

/* base_url + formatted path into `out`; ERR_LIMIT when it does not fit. */
int gh_url(const struct gh *g, char out[GH_URL_MAX], const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What a validator is bound to: a short digest of the token in use. */
const char *gh_token_digest(const struct gh *g);
const struct gh_stats *gh_stats(const struct gh *g);
