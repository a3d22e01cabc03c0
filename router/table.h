/*
 * table.h - the tracked repositories and their backends, found by name in any case.
 *
 * Backends are made when they are first asked.  Loop's thread only.
 */
#pragma once

#include "router/backend.h"

struct table {
	struct repo_list list;
	struct backend **backends; /* one for each entry, NULL until it is asked */
	bool loaded;               /* a list has been read */
};

void table_clear(struct table *t);

/*
 * Take over `list` (emptied here) in place of the present one; backends of repositories
 * that stay are kept with their connections.  ERR_NOMEM, ERR_INVAL for an empty list where
 * there was one that was not; then nothing changes, and `list` remains the caller's.
 */
int table_replace(struct table *t, struct repo_list *list, struct err_info *ei);

/*
 * The backend of a repository, borrowed (backend_hold() it to keep it over a replacement).
 * ERR_NOENT if it is not tracked, else as backend_new().
 */
int table_backend(struct table *t, const struct backend_opts *opts, struct slice owner,
    struct slice name, struct backend **ret, struct err_info *ei);
int table_backend_at(struct table *t, const struct backend_opts *opts, size_t index,
    struct backend **ret, struct err_info *ei);
