/* gh_internal.h - shared by the files of gh_client.h only. */
#pragma once

#include "sync/github/gh_app.h"
#include "sync/github/gh_client.h"
#include "sync/github/gh_limit.h"
#include "sync/github/gh_token.h"

#define GH_SPREAD 256

struct gh {
	struct gh_opts o;
	struct gh_tokens tokens; /* one at least; without a text when anonymous */
	struct gh_file file;     /* that they came from; path NULL = from no file */
	struct gh_app *app;      /* NULL: none; else it makes the one token there is */
	int64_t app_refresh_ms, app_expires_ms;
	bool app_refused; /* its latest token was answered 401 */
	bool sent;        /* by this try: what went wrong is about the question */
	struct gh_stats stats;
	struct http_response res;
	int64_t offset_ms; /* GitHub's clock less the monotonic one */
	struct gh_bucket bucket[GH_RESOURCES];
	bool background;
	int spread; /* of the repository, below GH_SPREAD: see spread_out() */
	char asked_digest[GH_TOKEN_DIGEST]; /* what gh_token_digest() told ... */
	bool asked;                         /* ... for the next request */
	char last_digest[GH_TOKEN_DIGEST];  /* of the token that asked last */
};

/* A question, whatever tries and tokens it takes. */
struct gh_call {
	const char *url, *etag;
	char etag_digest[GH_TOKEN_DIGEST]; /* the token that `etag` is bound to */
	struct slice body;                 /* ptr NULL: GET */
	enum gh_resource resource;
	bool array; /* what the answer must be */
};

/* --- gh_turn.c: time, and whose turn it is --- */

/* Read the token file.  Names it in errors. */
int gh_read_tokens(const struct gh *g, struct gh_tokens *ret, struct err_info *ei);

/* Unix milliseconds by GitHub's clock, as far as its answers told. */
int64_t gh_now(const struct gh *g);
/* Set that clock by an answer; returns its Date, or gh_now() if it has none. */
int64_t gh_set_clock(struct gh *g);

/* Wait `ms`, having told why.  ERR_CANCELED. */
int gh_pause(struct gh *g, int64_t ms, const char *why);

/*
 * Choose the token for a request and wait until it may be sent.  The token is
 * borrowed until the next call.  ERR_CANCELED, or what gh_app_mint() returns.
 */
int gh_turn(struct gh *g, enum gh_resource r, struct gh_token **ret, struct err_info *ei);

/* `t` was not answered 401. */
void gh_accept(struct gh *g, struct gh_token *t);
/* `t` was answered 401: true if the request is to be sent again, with another token. */
bool gh_reject(struct gh *g, struct gh_token *t, enum gh_resource r);

/* The token that asked last, if it is still there. */
struct gh_token *gh_last_token(struct gh *g);

/* --- gh_exchange.c: requests and answers --- */

/*
 * One try, redirects included; budgets and clock are kept up.  ERR_BUSY: to be sent
 * again at once, because a limit's wait is noted or another token is to be tried.
 */
int gh_try(struct gh *g, const struct gh_call *call, struct gh_page *p, struct err_info *ei);
