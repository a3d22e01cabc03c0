/*
 * mlog_list.h - which objects under a prefix are the log; shared by reader and writer,
 * private to this folder.
 */
#pragma once

#include "base/store/store.h"
#include "mutation-log/mlog_fence.h"

/* A segment's object, as listed. */
struct mlog_object {
	struct mlog_segment segment;
	int64_t generation;
	int64_t created_ms;
};

struct mlog_list {
	bool has_fence;
	struct mlog_fence fence;     /* when has_fence */
	int64_t fence_generation;    /* STORE_ABSENT without one */
	struct mlog_object *objects; /* every segment listed, by number */
	size_t object_count;
	struct mlog_object *log; /* the segments of the log; index = number */
	size_t log_count;
};

/* prefix + the segment's name: fits whatever mlog_prefix_check() lets pass. */
#define MLOG_OBJECT_NAME_SIZE (MLOG_PREFIX_MAX + MLOG_NAME_SIZE)
#define MLOG_DELTA_NAME_SIZE (MLOG_OBJECT_NAME_SIZE + 21 + sizeof(MLOG_DELTA_SUFFIX))
void mlog_object_name(
    const char *prefix, const struct mlog_segment *seg, char out[MLOG_OBJECT_NAME_SIZE]);

/*
 * Look at the store and decide.  Repeats by itself when a writer moved on between
 * reading WRITER and listing.  ERR_CORRUPT: a number is missing, a name is malformed, what
 * WRITER names is missing or of another size.  `ret` is ended with mlog_list_clear().
 */
int mlog_list_load(
    struct store *s, const char *prefix, struct mlog_list *ret, struct err_info *ei);
void mlog_list_clear(struct mlog_list *l);

/* Where the log ends; {0, 0} for an empty one. */
struct mlog_pos mlog_list_end(const struct mlog_list *l);
