/*
 * gh_token.h - the tokens that there are, and which one a request uses.  Choosing is
 * pure: the time is an argument.
 *
 * Each repository has an order of its own among the tokens (rendezvous hashing), so
 * that workers spread over them, and a token that comes or goes moves only those that
 * used it.  The first usable one is taken:
 *   - one that was answered 401 is passed over for ten minutes, or until the file
 *     changes; when all were, the one refused longest ago is asked again;
 *   - one whose budget is spent is passed over until its reset, not a moment less:
 *     validators are bound to a token, so a token is not left or returned to lightly.
 * A secondary limit moves nobody: it is meant for the client, not for the token.
 */
#pragma once

#include "sync/github/gh_limit.h"

#define GH_TOKEN_MAX 1024 /* bytes; an installation's token may be a long JWT */
#define GH_TOKENS_MAX 100
#define GH_REJECTED_MS (INT64_C(10) * 60 * 1000)

struct gh_token {
	char *authorize;              /* owned: the header's value; NULL = anonymous */
	char digest[GH_TOKEN_DIGEST]; /* "" = not known yet */
	uint64_t rank;                /* higher is preferred */
	int64_t rejected_ms;          /* when it was answered 401; TIME_NONE */
	struct gh_budget budget[GH_RESOURCES];
};

struct gh_tokens {
	struct gh_token *items; /* owned; the preferred one first */
	size_t count;
};

/*
 * Read a list of tokens: one a line, blanks around it are dropped, empty lines and
 * those that begin with # are passed over, a second mention of a token, too.
 * `repository` ("owner/repo", case does not matter; may be NULL) decides the order.
 * ERR_INVAL with the line's number for one that holds spaces, control or non-ASCII
 * characters, ERR_LIMIT for one or a list too long, ERR_INVAL when there is none.
 */
int gh_tokens_parse(
    struct slice text, const char *repository, struct gh_tokens *ret, struct err_info *ei);

/* One entry without a token: for anonymous use, or to be set later. */
int gh_tokens_none(struct gh_tokens *ret);
void gh_tokens_clear(struct gh_tokens *t);

/* Put another token into an entry, whose budgets are kept.  ERR_INVAL as above. */
int gh_token_set(struct gh_token *t, struct slice text, struct err_info *ei);
/* Forget the token, not the budgets. */
void gh_token_forget(struct gh_token *t);

/* The index of the token for the next request. */
size_t gh_tokens_choose(
    const struct gh_tokens *t, enum gh_resource r, bool background, int64_t now_ms);

/* True if a token was not answered 401 within ten minutes. */
bool gh_token_usable(const struct gh_token *t, int64_t now_ms);

/* Tokens that `fresh` shares with `old` keep their budgets. */
void gh_tokens_inherit(struct gh_tokens *fresh, const struct gh_tokens *old);

/* The clock was set: move what was noted by it, so that pauses last as long as they were to. */
void gh_tokens_shift(struct gh_tokens *t, int64_t by_ms);

/*
 * Whether a file is still the one that was read.  Follows links, so that a mounted
 * secret, whose folder is swapped by a link, is seen to change.
 */
struct gh_file {
	const char *path;     /* borrowed */
	int64_t checked_ms;   /* monotonic */
	uint64_t identity[8]; /* of the file that was read, or tried */
};

void gh_file_init(struct gh_file *f, const char *path); /* takes what is there for read */
/* True if it has changed since; looks at most once a second, and tells a change once. */
bool gh_file_changed(struct gh_file *f, int64_t mono_ms);
