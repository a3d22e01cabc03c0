/*
 * gh_app.h - a GitHub App's installation tokens: the key signs an assertion, which
 * GitHub exchanges for a token that lives an hour.
 *
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
 * (generating a JSON Web Token; authenticating as a GitHub App installation).
 * Keeps no token; neither key nor assertion nor token is ever in a message.
 */
#pragma once

#include "base/http.h"

#define GH_APP_REFRESH_MS (INT64_C(50) * 60 * 1000) /* age at which a token is replaced */

struct gh_app;

struct gh_app_opts {
	const char *base_url;    /* all of these are borrowed */
	const char *app_id;      /* digits, or a client id */
	const char *key_file;    /* RSA in PEM form; read again when it changes */
	const char *repository;  /* "owner/repo", asked for its installation; may be NULL */
	int64_t installation_id; /* 0: the repository's */
	struct http *http;
};

/* A token, and when to ask for the next one and when it is of no use any more. */
struct gh_app_token {
	char *text; /* owned, explicit_bzero() it before mem_free() */
	int64_t refresh_ms, expires_ms;
};

/* ERR_INVAL when the id, the key or both ways to an installation are missing or bad. */
int gh_app_new(const struct gh_app_opts *opts, struct gh_app **ret, struct err_info *ei);
void gh_app_free(struct gh_app *a); /* NULL is fine */

/*
 * Read the key file again if it has changed; looks at most once a second.  1: it was
 * read, 0: it is as it was, else the error, told once; the old key stays in use.
 */
int gh_app_reload(struct gh_app *a, int64_t mono_ms, struct err_info *ei);

/*
 * Ask for a token.  *now_ms is Unix time by GitHub's clock, and set by the Date of
 * every answer; when GitHub refuses the assertion, another one is made by that clock.
 *
 * ERR_AUTH when GitHub gives none (the text tells why: a wrong key, no such installation,
 * not installed for the repository), ERR_RATE (with ei->retry_after_ms), ERR_UNAVAILABLE,
 * ERR_PROTO for an answer that is no token, and what http_perform() returns.
 */
int gh_app_mint(
    struct gh_app *a, int64_t *now_ms, struct gh_app_token *ret, struct err_info *ei);
