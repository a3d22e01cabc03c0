/*
 * repo_pick.h - which repositories a tool is to work on: those of a list, of these the
 * ones that were named; or without a list the ones that were named.
 */
#pragma once

#include "base/conf.h"
#include "base/repo_list.h"
#include "base/store/store.h"

struct repo_pick {
	const char *url; /* of the list; may be NULL when there are names */
	const char *const *only;
	size_t only_count; /* 0 = all of the list */
	const struct store_open_opts *store_opts;
};

/* The row of `--repo` in a table of struct conf_option; `list` is its struct conf_list. */
#define REPO_PICK_ROW(list)                                                                    \
	{                                                                                      \
		.name = "repo", .type = CONF_LIST, .target = (list), .value = "OWNER/REPO",    \
		.help = "only this one of the list, or without a list this one; may be "       \
			"repeated"                                                             \
	}

/* ERR_INVAL for one that is not OWNER/REPO: `--repo` of a command line. */
int repo_pick_check_names(const char *const *only, size_t count, struct err_info *ei);
/*
 * Read the list and keep what was named.  Entries that are skipped are told on standard
 * error.  The names are good ones.  ERR_NOENT for one that the list does not have, ERR_INVAL
 * when the list has none at all, and as repo_list_parse() and the store.
 */
int repo_pick(const struct repo_pick *p, struct repo_list *ret, struct err_info *ei);
/* The same, with skipped entries told to `note` alone, which may be NULL. */
int repo_pick_noting(const struct repo_pick *p, repo_list_note note, void *ctx,
    struct repo_list *ret, struct err_info *ei);
