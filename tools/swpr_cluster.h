/*
 * swpr_cluster.h - the mirror's side of a sweep: which numbers it has, asked through the
 * router, and orders to a repository's sync daemon.
 */
#pragma once

#include "base/addr.h"
#include "base/repo_list.h"
#include "tools/swpr_numbers.h"

struct swpr_cluster {
	struct addr router;
	const char *internal; /* template of the sync daemons' addresses */
	const char *secret;   /* NULL: no orders can be given */
};

struct swpr_burial {
	uint32_t number;
	char *moved_to; /* "owner/repo/9"; NULL: gone */
	enum {
		SWPR_ASKED, /* taken, but not done while we waited */
		SWPR_BURIED,
		SWPR_BURIED_BEFORE,
		SWPR_NEVER_SEEN,
	} result;
};

/*
 * Every number that the mirror shows, sorted.  ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NOENT (the
 * router does not know it, or the socket) and others; the text says who said what.
 */
int swpr_mirror_list(const struct swpr_cluster *c, const struct repo_entry *e,
    struct swpr_numbers *ret, struct err_info *ei);

/*
 * Have them tombstoned and wait for it; the results are written into the elements.
 * ERR_AUTH: the secret is refused.
 */
int swpr_bury(const struct swpr_cluster *c, const struct repo_entry *e,
    struct swpr_burial *burials, size_t count, struct err_info *ei);

/* Have the repository synced now. */
int swpr_poke(const struct swpr_cluster *c, const struct repo_entry *e, struct err_info *ei);
