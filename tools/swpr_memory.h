/*
 * swpr_memory.h - the sweep state as an object of a store: read once, written with a
 * precondition, so that two sweepers cannot overwrite each other's.
 */
#pragma once

#include "base/store/store.h"
#include "tools/swpr_state.h"

struct swpr_memory {
	struct store *store; /* NULL: nothing is kept */
	char *store_url;
	const char *object;
	int64_t generation;
	struct swpr_state state;
	struct buf written; /* what the object says */
};

/*
 * Open and read; an object that is not there is an empty state.  `url` NULL: nothing is
 * kept.  swpr_memory_close() ends it also after an error.
 */
int swpr_memory_open(struct swpr_memory *m, const char *url, const struct store_open_opts *opts,
    struct err_info *ei);
void swpr_memory_close(struct swpr_memory *m);

/* Write it if it differs.  ERR_CONFLICT: another sweeper wrote meanwhile. */
int swpr_memory_save(struct swpr_memory *m, struct err_info *ei);
