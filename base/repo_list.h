/*
 * repo_list.h - the list of repositories to mirror, and what a repository is called
 * in the cluster.
 *
 *   {"repos":[{"repo":"owner/name","default_branch":"main","is_tracking_issues":true,
 *              "is_tracking_samples":false}, ...]}
 *
 * Only entries with is_tracking_issues count.  Pure: bytes in, entries out.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/digest.h"

#define REPO_PART_MAX 100                      /* bytes of an owner's or repository's name */
#define REPO_NAME_MAX (2 * REPO_PART_MAX + 1)  /* "owner/name" */
#define REPO_LIST_BYTES_MAX ((size_t)16 << 20) /* of the document */
#define REPO_LIST_MAX 50000                    /* entries, tracked or not */

struct repo_entry {
	const char *name;             /* "owner/name" as the list spells it; the list's */
	size_t owner_len;             /* of `name` */
	const char *default_branch;   /* "" if the list has none; the list's */
	char sha[SHA224_HEX_LEN + 1]; /* SHA-224 of `name`: mtr-d-<sha>, mtr-s-<sha> */
};

/* Tracked repositories, sorted by name without regard to case; none is there twice. */
struct repo_list {
	struct repo_entry *items;
	size_t count;
	char *text; /* what the entries point into */
};

/*
 * What was skipped: `index` counts the array's elements from 0, `name` is what the
 * entry says ("" if nothing usable), `why` a phrase.
 */
typedef void (*repo_list_note)(void *ctx, size_t index, const char *name, const char *why);

/*
 * Read a list.  Malformed entries, and entries that another one before differs from in
 * case only, are noted (`note` may be NULL) and skipped.  `ret` is written on success and
 * ended with repo_list_clear().  ERR_PROTO (no JSON, or no "repos" array), ERR_LIMIT,
 * ERR_NOMEM.
 */
int repo_list_parse(struct slice text, repo_list_note note, void *ctx, struct repo_list *ret,
    struct err_info *ei);
void repo_list_clear(struct repo_list *l); /* NULL is fine */

/* The entry of owner/name in any case, or NULL. */
const struct repo_entry *repo_list_find(
    const struct repo_list *l, struct slice owner, struct slice name);

/* May `part` be the name of an owner or repository?  1 to 100 of A-Za-z0-9._- but no "." or "..". */
bool repo_part_ok(struct slice part);
bool repo_name_ok(const char *name); /* two such parts: "owner/name" */

/*
 * An address with {sha}, {owner} and {repo} in it, e.g. "mtr-s-{sha}:9000".  Checking
 * fills it with a repository's usual values: ERR_INVAL for another word between braces,
 * or when the result is no address.
 */
int repo_template_check(const char *text, struct err_info *ei);
/* The first half of it, for templates of other things: ERR_INVAL when a brace is left. */
int repo_template_words(const char *text, struct err_info *ei);
/* Append the address of `e` to `out`, whose latched error is the result. */
int repo_template_fill(const char *text, const struct repo_entry *e, struct buf *out);
