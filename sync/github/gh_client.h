/*
 * gh_client.h - requests to one GitHub API root: headers, validators, paging,
 * redirects, tokens, limits, retries.  Knows no object of GitHub's.
 *
 * Follows https://docs.github.com/en/rest/using-the-rest-api (best practices,
 * rate limits, pagination).  Requests are serial; waits can be canceled.  Which
 * token a request uses is in gh_token.h, what limits do to it in gh_limit.h.
 */
#pragma once

#include "base/http.h"
#include "base/json.h"

struct gh;

#define GH_BODY_MAX                                                                            \
	((size_t)64 << 20) /* a page of 100 items with 64 KB texts fits often over */
#define GH_URL_MAX 4096
#define GH_TOKEN_DIGEST 17 /* 16 hex digits and a NUL */

/* What has a rate limit of its own; X-RateLimit-Resource names it. */
enum gh_resource {
	GH_CORE, /* REST */
	GH_GRAPHQL,
	GH_RESOURCES,
};

struct gh_stats {
	uint64_t requests;         /* sent, retries included; the next is a part of them */
	uint64_t graphql_requests; /* POSTs */
	uint64_t not_modified;     /* answered 304 */
	uint64_t retries;
	uint64_t waits;     /* pauses that a limit asked for, or pacing */
	uint64_t waited_ms; /* how long these were */
	uint64_t refusals;  /* answers that refused for a limit */
	uint64_t rejected;  /* answers 401 */
	uint64_t tokens;    /* that there are to choose from; 0 = anonymous */
	/* Of the token that asked last, for REST. */
	int64_t rate_limit;     /* -1 = GitHub did not say */
	int64_t rate_remaining; /* -1 = GitHub did not say */
	int64_t rate_reset_ms;  /* Unix time; TIME_NONE */
	/* The same for GraphQL, in points. */
	int64_t graphql_limit, graphql_remaining, graphql_reset_ms;
	/* GitHub's clock at the last answer, whatever its status; TIME_NONE before any. */
	int64_t answer_date_ms;
};

struct gh_opts {
	const char *base_url; /* e.g. "https://api.github.com", no slash at the end */
	const char
	    *repository; /* "owner/repo": decides which token is preferred; may be NULL */
	const char *token_file; /* one token a line; NULL: anonymous, unless the next are set */
	const char *token;
	const char *app_id;       /* a GitHub App: its id or client id, ... */
	const char *app_key_file; /* ... its RSA key in PEM form, ... */
	int64_t installation_id;  /* ... and installation; 0: that of `repository` */
	struct http *http;
	struct cancel cancel;
	/*
	 * Told before a wait; may be NULL.  `why` is "retry", "rate limit" or "pace"
	 * (to share out what is left of a budget).
	 */
	void (*on_wait)(void *ctx, int64_t ms, const char *why);
	/* Told of a fault after which the request is tried again; may be NULL. */
	void (*on_retry)(void *ctx, unsigned nth, const char *error);
	/* Told what happens to the credentials, without any secret; may be NULL. */
	void (*on_credentials)(void *ctx, bool trouble, const char *what);
	void *ctx;
	int64_t backoff_ms;   /* first pause after a fault; 0 = 1 s */
	int64_t secondary_ms; /* first pause after a limit without a time; 0 = 60 s */
	unsigned tries;       /* per request; 0 = 6 */
	int64_t
	    points_per_minute; /* most requests of each kind; 0 = GitHub's limits less 20 % */
	int64_t time_scale;    /* for tests: a wait takes this part of its time; 0 = 1 */
};

/*
 * `opts` is copied, its pointers are borrowed.  ERR_INVAL for the URL, the token
 * file or what names an App; asks no server yet.
 */
int gh_new(const struct gh_opts *opts, struct gh **ret, struct err_info *ei);
void gh_free(struct gh *g); /* NULL is fine */

/* One answer.  gh_page_clear() ends it. */
struct gh_page {
	json_t *doc;                        /* NULL when not_modified */
	bool not_modified;                  /* 304: the validator still holds */
	int64_t server_date_ms;             /* GitHub's clock, from the Date header */
	char next[GH_URL_MAX];              /* URL of rel="next"; "" at the end */
	char etag[256];                     /* "" if there is none */
	char moved_to[GH_URL_MAX];          /* where a permanent redirect led; "" if none did */
	char token_digest[GH_TOKEN_DIGEST]; /* whose answer it is: what `etag` is bound to */
};
void gh_page_clear(struct gh_page *p);

/*
 * GET `url` (absolute, below the base) and parse the answer, which must be a JSON
 * array if `array`, else an object.  `etag` may be NULL or "".
 *
 * Waits as limits demand and retries 5xx, cut connections and damaged answers.
 * After a 401 the next token is tried; a validator goes only with the token that
 * gh_token_digest() told of last.
 * Errors: ERR_AUTH (401), ERR_DENIED (403 that is no limit), ERR_NOENT (404),
 * ERR_GONE (410), ERR_LIMIT (422: paging is limited), ERR_HTTP (another status, or a
 * body over GH_BODY_MAX), ERR_MOVED (a redirect to another host or too many), ERR_PROTO,
 * ERR_UNAVAILABLE, ERR_CLOSED, ERR_TIMEOUT, ERR_CANCELED, ERR_RATE (the wait would be
 * over an hour).
 */
int gh_get(struct gh *g, const char *url, const char *etag, bool array, struct gh_page *ret,
    struct err_info *ei);

/*
 * POST `body`, a GraphQL query that changes nothing (it may be sent more than once),
 * and parse the answer, a JSON object.  Its errors[] are the caller's to read: when
 * they tell of exhaustion, gh_note_exhausted() and ask again.
 *
 * As gh_get(), but redirects are not followed, and a query that took GitHub too long
 * is given back after one try, so that the caller can make it smaller: ERR_TIMEOUT,
 * or ERR_UNAVAILABLE with ei->http_status 502 or 504.
 */
int gh_post_json(struct gh *g, const char *url, const char *body, size_t len,
    enum gh_resource resource, struct gh_page *ret, struct err_info *ei);

/*
 * The last answer told in its text that the budget is used up: the next request for
 * `resource` waits, until `reset_ms` (GitHub's Unix time), or if that is TIME_NONE
 * until what the headers told, or a minute and longer each time.
 */
void gh_note_exhausted(struct gh *g, enum gh_resource resource, int64_t reset_ms);

/*
 * What follows can wait (a first sync, a relist): it leaves a tenth of every budget
 * to requests that cannot.  At first it is off.
 */
void gh_set_background(struct gh *g, bool background);

/* base_url + formatted path into `out`; ERR_LIMIT when it does not fit. */
int gh_url(const struct gh *g, char out[GH_URL_MAX], const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Where GraphQL is asked: BASE/graphql, for an Enterprise server's BASE/v3 without the v3. */
int gh_graphql_url(const struct gh *g, char out[GH_URL_MAX]);

/* False when requests are anonymous; GraphQL is not for them. */
bool gh_has_token(const struct gh *g);

/*
 * What a validator is bound to: a short digest of the token that the next REST request
 * will use; borrowed until the next call.  "" when that one is still to be asked for
 * (a GitHub App's), so that no validator is for it.
 */
const char *gh_token_digest(struct gh *g);
const struct gh_stats *gh_stats(const struct gh *g);
