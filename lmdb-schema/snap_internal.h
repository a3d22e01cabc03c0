/*
 * snap_internal.h - what the files of this folder share; nobody else includes it.
 */
#pragma once

#include <pthread.h>

#include "lmdb-schema/snap_format.h"

/* Reader slots: threads of one responder, other processes, the tools. */
#define SNAP_READERS 512
/* Address space reserved, not disk: the file grows as it is written. */
#define SNAP_MAP_BYTES ((size_t)64 << 30)
/* Users remembered by a view: a power of two, 256 KiB. */
#define SNAP_KNOWN_USERS 4096U
/* Places of rows of `issue` remembered by a view: a power of two, 128 KiB. */
#define SNAP_KNOWN_ROWS 8192U

/* An open environment and its tables; counted, since views may outlive a switch. */
struct snap_env {
	MDB_env *mdb;
	MDB_dbi tables[SNAP_TABLES];
	char path[4096];        /* env-N, resolved */
	uint64_t serial;        /* of all that this process opened */
	struct snap_view *idle; /* ended views, ready to be renewed */
	bool was_short;         /* the file had lost its end, or never used it */
	unsigned refs;          /* handle and running views; under snap.lock */
};

/*
 * What a reader remembers from one view to the next, as long as LMDB's transaction id
 * stands: then it is the same snapshot, and its pages are where they were.  So pointers
 * into the map may be kept, too.
 */
struct snap_memory {
	size_t txn_id;
	bool no_successor; /* looked for, and not there */
	bool has_repo;
	struct snap_repo repo;
	struct snap_known_user {
		int64_t id;        /* 0 = an empty place */
		unsigned char len; /* of json */
		char json[55];     /* one cache line in all; longer ones are not remembered */
	} users[SNAP_KNOWN_USERS];
	struct snap_known_row {
		const char *ptr; /* NULL = an empty place */
		uint32_t number, len;
	} rows[SNAP_KNOWN_ROWS]; /* of `issue`, by the number's lower bits */
};

struct snap_view {
	struct snap_env *env;
	struct snap *owner;     /* NULL for the view inside a write transaction */
	struct snap_view *next; /* in env->idle */
	MDB_txn *txn;
	MDB_cursor *walks[SNAP_CHILD_KINDS];
	MDB_cursor *lists[SNAP_CLASS_COUNT];
	enum snap_order list_order; /* table that `lists` is open on */
	MDB_cursor *issues;         /* for lookups in `issue` */
	bool issues_ready;          /* of this view, not one before it */
	struct snap_memory *memory; /* NULL until needed, and in a write transaction */
};

/* The only translation of LMDB's codes. */
int snap_err(int mdb_rc);

/*
 * Open environment `path` with MDB flags and create missing tables when `create`.
 * Checks the format.  `map_bytes` 0 takes the default.
 */
int snap_env_open(const char *path, unsigned flags, bool create, size_t map_bytes,
    struct snap_env **ret, struct err_info *ei);
void snap_env_close(struct snap_env *e);

/* A value without its checksum; ERR_NOENT, ERR_CORRUPT when shorter than `min`. */
int snap_get(struct snap_view *v, enum snap_table t, const void *key, size_t key_len,
    size_t min, struct slice *ret);
/* Read meta/`name`. */
int snap_meta_get(struct snap_view *v, const char *name, size_t min, struct slice *ret);
/* The checksum that a value must end with. */
uint32_t snap_checksum(struct slice key, struct slice value);
/* Read a row of `issue` into the accessors' form, checking every offset in it. */
int snap_issue_parse(struct slice value, uint32_t number, struct snap_issue *ret);
/* The same without the offsets of its members. */
int snap_issue_parse_head(struct slice value, uint32_t number, struct snap_issue *ret);
/* Make v->issues ready; an MDB code. */
int snap_issue_cursor(struct snap_view *v);
int snap_child_parse(struct slice value, int64_t id, struct snap_child *ret);
int snap_label_parse(struct slice row, int64_t id, struct snap_label *ret);
int snap_milestone_parse(struct slice row, int64_t id, struct snap_milestone *ret);
/* The row of `issue`, not looked at yet; by a cursor that the view keeps. */
int snap_issue_locate(struct snap_view *v, uint32_t number, struct slice *ret);
/* What is remembered of this view's snapshot, emptied if it is another one; may be NULL. */
struct snap_memory *snap_memory_of(struct snap_view *v);
void snap_view_free(struct snap_view *v);
enum snap_class snap_class_of(uint32_t flags);
enum snap_table snap_child_table(enum snap_child_kind kind);
enum snap_table snap_order_table(enum snap_order order);
/* Directory and link handling, in snap_dir.c. */
int snap_dir_current(const char *dir, char out[4096], struct err_info *ei);
