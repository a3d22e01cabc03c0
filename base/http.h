/*
 * http.h - an HTTP client: one request at a time, blocking, cancelable.
 *
 * Two implementations: curl for programs, a script of answers for tests.
 * A status is not an error here: callers decide what 404 means to them.
 * Redirects are never followed (the caller decides about them, too), only http
 * and https are spoken, certificates are always verified, proxy variables of
 * the environment are honoured.  One handle belongs to one thread.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * How to stop a wait: when `fd` (-1: none) becomes readable, check(ctx) reads it
 * and tells whether to give up.
 */
struct cancel {
	int fd;
	bool (*check)(void *ctx);
	void *ctx;
};

/* Wait `ms`; ERR_CANCELED if told to give up before.  `c` may be NULL. */
int cancel_sleep(const struct cancel *c, int64_t ms);

struct http_header {
	const char *name;  /* NULL ends a list */
	const char *value; /* may be a secret: never logged */
};

/*
 * On a kept connection that turns out to be dead, curl sends a request again by itself.
 * A caller that counts its attempts (a write that must not be done twice) sets `fresh`.
 */
struct http_request {
	const char *method; /* NULL = GET */
	const char *url;
	const struct http_header *headers; /* may be NULL */
	struct slice body;                 /* sent if ptr is not NULL */
	bool fresh;                        /* on a connection of its own: see above */
	bool identity;                     /* take the body as stored: no Content-Encoding */
	size_t body_max;                   /* cap on the answer's body, in bytes */
	/*
	 * If set, a 2xx answer's body goes here piece by piece, decoded, and is neither kept
	 * nor capped: for answers without an end.  Not 0 ends the transfer with that code.
	 */
	int (*on_body)(void *ctx, struct slice piece);
	void *body_ctx;
	int64_t connect_ms; /* 0 = 10 s */
	int64_t stall_ms;   /* longest time without a byte; 0 = 30 s */
	int64_t total_ms;   /* 0 = 5 minutes */
};

struct http_response {
	int status;
	struct buf headers; /* "name: value\n" lines, names in lower case */
	struct buf body;
};

/* Append `text` percent-encoded, all but RFC 3986's unreserved characters; '/' too. */
void http_encode(struct buf *b, const char *text);

void http_response_init(struct http_response *r);
void http_response_clear(struct http_response *r);
/* The value of the first header of that (lower-case) name; ptr NULL if there is none. */
struct slice http_response_header(const struct http_response *r, const char *name);

/*
 * What a status means for whoever asked: 0 for 2xx, ERR_AUTH (401), ERR_DENIED (403,
 * 451), ERR_NOENT (404), ERR_GONE (410), ERR_CONFLICT (409, 412), ERR_RATE (429),
 * ERR_UNAVAILABLE (408, 5xx), ERR_MOVED (301, 302, 307, 308), ERR_HTTP for others.
 */
int http_status_err(int status);

struct http;

struct http_ops {
	int (*perform)(struct http *h, const struct http_request *req,
	    struct http_response *res, struct err_info *ei);
	void (*free)(struct http *h);
};

struct http {
	const struct http_ops *ops;
};

/*
 * A client over curl that keeps connections.  `user_agent` is borrowed, `cancel`
 * copied (NULL: none), `ca_file` NULL for the system's certificates; ERR_NOENT and
 * others when it cannot be read.
 */
int http_curl_new(const char *user_agent, const char *ca_file, const struct cancel *cancel,
    struct http **ret, struct err_info *ei);

/* Whom to trust and who to be, as PEM texts; NULL: the system's certificates, nobody. */
struct http_tls {
	const char *ca_pem, *cert_pem, *key_pem;
};
/* The same with texts instead of a file; they are borrowed until http_free(). */
int http_curl_new_tls(const char *user_agent, const struct http_tls *tls,
    const struct cancel *cancel, struct http **ret, struct err_info *ei);
void http_free(struct http *h); /* NULL is fine */

/*
 * Send a request and read the whole answer into `res` (initialised; emptied
 * first).  When it fails midway, `res` holds what came: status, headers, a part.  ERR_TIMEOUT, ERR_CLOSED (no connection, or cut before the end),
 * ERR_PROTO (no HTTP), ERR_LIMIT (body above body_max), ERR_CANCELED, ERR_INVAL (URL, or
 * ca_file holds no certificates), ERR_DENIED (the peer's certificate), ERR_NOMEM.
 */
int http_perform(struct http *h, const struct http_request *req, struct http_response *res,
    struct err_info *ei);

/* An answer of the scripted client. */
struct http_scripted {
	const char *expect_url; /* must be the request's; NULL accepts any */
	int rc;                 /* if not 0, fail so */
	int status;
	const char *headers; /* "name: value\n" lines */
	const char *body;
};

/* A client that gives these answers in turn, then ERR_CLOSED.  The list is borrowed. */
int http_script_new(const struct http_scripted *answers, size_t count, struct http **ret);
