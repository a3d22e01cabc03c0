/*
 * snap_write_internal.h - what the write files of this folder share.
 */
#pragma once

#include "lmdb-schema/snap_internal.h"
#include "lmdb-schema/snap_write.h"

#define SNAP_ROW_MAX (SNAP_TEXT_MAX + ((size_t)1 << 20))

/* What an issue shows to which nobody reacted: snap_reactions_render() of zeros. */
#define SNAP_NO_REACTIONS                                                                      \
	"{\"totalCount\":0,\"plusOne\":0,\"minusOne\":0,\"laugh\":0,\"hooray\":0,"             \
	"\"confused\":0,\"heart\":0,\"rocket\":0,\"eyes\":0}"

struct snap_writer {
	char dir[4096];
	char repo[256];
	int lock_fd;
	bool filling; /* SNAP_FILL: indexes are built by snap_writer_promote() */
	size_t map_bytes;
	struct snap_env *env;
	struct snap_txn *idle; /* the one transaction object, reused */
};

/* Counters as deltas, written once per transaction. */
struct snap_deltas {
	int64_t counts[SNAP_CLASS_COUNT];
	int64_t children[SNAP_CHILD_KINDS];
};

struct snap_txn {
	struct snap_writer *writer;
	struct snap_view view; /* owner NULL */
	struct arena arena;
	struct buf row;  /* the row being built */
	struct buf text; /* an escaped text being built */
	struct snap_deltas deltas;
	bool log_end_set;
	uint32_t log_segment;
	uint64_t log_offset;
	int err;
};

/* A copy that lives as long as the transaction; empty, and latched, without memory. */
struct slice snap_keep(struct snap_txn *t, struct slice s);
/* Store key -> value + checksum; latches. `value` must not lie in t->row past its length. */
void snap_put(struct snap_txn *t, enum snap_table table, const void *key, size_t key_len,
    struct slice value);
/* Store t->row (the checksum is appended to it in place). */
void snap_put_row(struct snap_txn *t, enum snap_table table, const void *key, size_t key_len);
/* True if there was such a key. */
bool snap_del(struct snap_txn *t, enum snap_table table, const void *key, size_t key_len);
/* Append the entries of one issue to the indexes, or take them out. */
void snap_index_add(struct snap_txn *t, uint32_t flags, const struct snap_list_pos *pos);
void snap_index_remove(struct snap_txn *t, uint32_t flags, const struct snap_list_pos *pos);
void snap_index_positions(const struct snap_issue_edit *e, struct snap_list_pos *ret);
void snap_index_positions_of(const struct snap_issue *i, struct snap_list_pos *ret);
/* The row of `e` into t->row, and its flags with the derived ones; false on an error. */
bool snap_issue_render(
    struct snap_txn *t, const struct snap_issue_edit *e, uint32_t *ret_flags);
/* Fill empty indexes from the table `issue`. */
int snap_index_build(struct snap_writer *w);
/* Make environment directory `path` with its stamps. */
int snap_env_create(const char *path, const char *repo, unsigned flags, struct snap_env **ret,
    struct err_info *ei);
/* Derived facts: priority, type, blocked from the labels in their order. */
struct snap_derived {
	unsigned priority; /* 0..4, 255 */
	unsigned type;
	bool priority_known, blocked, release_blocking;
};
void snap_derive(const struct slice *sorted_raw_names, size_t count, struct snap_derived *ret);
extern const char *const snap_type_names[];
