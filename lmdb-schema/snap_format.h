/*
 * snap_format.h - the bytes of FORMAT.md as constants, private to this folder.
 *
 * Keys are big-endian so that they sort as numbers; values are little-endian
 * and end with the CRC-32C of key and value.
 */
#pragma once

#include <lmdb.h>

#include "lmdb-schema/snap_read.h"

#define SNAP_FORMAT 3U

enum snap_table {
	SNAP_T_META,
	SNAP_T_SYNC,
	SNAP_T_ISSUE,
	SNAP_T_ISSUE_BODY,
	SNAP_T_COMMENT,
	SNAP_T_REVIEW,
	SNAP_T_EVENT,
	SNAP_T_USER,
	SNAP_T_LABEL,
	SNAP_T_MILESTONE,
	SNAP_T_BY_NUMBER,
	SNAP_T_BY_CREATED,
	SNAP_T_BY_UPDATED,
	SNAP_T_BY_COMMENTS,
	SNAP_T_OUTBOX,
	SNAP_T_SEGMENT,
	SNAP_T_REVIEW_COMMENT,
	SNAP_T_ISSUE_OTHER,
	SNAP_TABLES,
};

extern const char *const snap_table_names[SNAP_TABLES];

#define SNAP_CRC_LEN 4

/* Keys of the table `meta`. */
#define SNAP_META_FORMAT "format"
#define SNAP_META_REPO "repository"
#define SNAP_META_STATE "state"
#define SNAP_META_SUCCESSOR "successor"
#define SNAP_META_UNCLEAN "unclean"
#define SNAP_META_TAIL "durable_tail"
#define SNAP_META_NOTE_PREFIX "note."

/* meta/state: counters and log position, all u64 but the segment. */
enum snap_state_offset {
	SNAP_S_COUNTS = 0, /* SNAP_CLASS_COUNT x u64 */
	SNAP_S_COMMENTS = 32,
	SNAP_S_EVENTS = 40,
	SNAP_S_REVIEWS = 48,
	SNAP_S_REVIEW_COMMENTS = 56,
	SNAP_S_LOG_OFFSET = 64,
	SNAP_S_LOG_SEGMENT = 72, /* u32 */
	SNAP_S_LEN = 76,
};

#define SNAP_I_OFFSETS (SNAP_M_COUNT + 2)

/* The fixed head of a row of the table `issue`. */
enum snap_issue_offset {
	SNAP_I_FLAGS = 0,   /* u32 */
	SNAP_I_NUMBER = 4,  /* u32 */
	SNAP_I_CREATED = 8, /* i64 each from here */
	SNAP_I_UPDATED = 16,
	SNAP_I_CLOSED = 24,
	SNAP_I_MERGED = 32,
	SNAP_I_ID = 40,
	SNAP_I_REPORTER = 48,
	SNAP_I_CLOSED_BY = 56,
	SNAP_I_MILESTONE = 64,
	SNAP_I_MERGED_BY = 72,
	SNAP_I_COMMENTS_MS = 80,
	SNAP_I_EVENTS_MS = 88,
	SNAP_I_REVIEWS_MS = 96,
	SNAP_I_COMMIT_EVENT = 104, /* id of the event that `commit` comes from */
	SNAP_I_COMMIT_MS = 112,
	SNAP_I_COMMENT_COUNT = 120, /* u32 each from here */
	SNAP_I_REVIEW_COUNT = 124,
	SNAP_I_EVENT_COUNT = 128,
	SNAP_I_REVIEW_COMMENT_COUNT = 132,
	SNAP_I_HUB_COMMENTS = 136,
	SNAP_I_LABEL_COUNT = 140,
	SNAP_I_ASSIGNEE_COUNT = 144,
	SNAP_I_REVIEWER_COUNT = 148,
	SNAP_I_PRIORITY = 152, /* u8: 0..4, 255 = unspecified */
	SNAP_I_TYPE = 153,     /* u8: enum snap_type */
	SNAP_I_RESERVED = 154, /* u16, 0 */
	/* u32 x SNAP_I_OFFSETS: where in the row each member, the body and the end are */
	SNAP_I_MEMBERS = 156,
	/* ids of labels, assignees, requested reviewers: i64 */
	SNAP_I_LISTS = SNAP_I_MEMBERS + 4 * SNAP_I_OFFSETS,
};

/*
 * LMDB keeps values of up to 2,026 bytes beside their keys, two in a page of 4 KiB.  All
 * rows of `issue` are longer, so that they have pages of their own: then some 180 keys
 * stand in a page, all of them fit in caches, and where a row lies is known without
 * touching it, so that many can be fetched from memory at once.
 */
#define SNAP_I_ROW_MIN 2040
/* Longer bodies stand in `issue_body`, so that other changes need not write them again. */
#define SNAP_I_BODY_MAX 8192U

/* The head of rows of `comment`, `review`, `event` and `review_comment`. */
enum snap_child_offset {
	SNAP_C_CREATED = 0, /* i64 */
	SNAP_C_UPDATED = 8,
	SNAP_C_ACTOR = 16,
	SNAP_C_OTHERS = 24, /* 4 x i64 */
	SNAP_C_LAST = 56,   /* u32: offset of `last` in the members; 0xffffffff = none */
	SNAP_C_LAST_LEN = 60,
	SNAP_C_MEMBERS = 64,
};

/* Rows of `label` and `milestone`: a head, then escaped texts without a gap. */
enum snap_label_offset {
	SNAP_L_NAME_LEN = 0, /* u32 each */
	SNAP_L_COLOR_LEN = 4,
	SNAP_L_TEXTS = 8, /* name, color, description */
};

enum snap_milestone_offset {
	SNAP_MS_NUMBER = 0,  /* i64 each from here */
	SNAP_MS_CREATED = 8, /* times */
	SNAP_MS_UPDATED = 16,
	SNAP_MS_CLOSED_AT = 24,
	SNAP_MS_DUE = 32,
	SNAP_MS_CREATOR = 40,   /* user id */
	SNAP_MS_CLOSED = 48,    /* u8 */
	SNAP_MS_TITLE_LEN = 49, /* u32 */
	SNAP_MS_TEXTS = 53,     /* title, description */
};

/* Largest keys: class, sort key, number; number, id. */
#define SNAP_INDEX_KEY_LEN 13
#define SNAP_CHILD_KEY_LEN 12

size_t snap_key_number(uint32_t number, unsigned char out[4]);
size_t snap_key_id(int64_t id, unsigned char out[8]);
size_t snap_key_child(uint32_t number, int64_t id, unsigned char out[SNAP_CHILD_KEY_LEN]);
size_t snap_key_index(
    enum snap_class cls, struct snap_list_pos pos, unsigned char out[SNAP_INDEX_KEY_LEN]);
void snap_key_index_parse(
    const unsigned char key[SNAP_INDEX_KEY_LEN], struct snap_list_pos *ret);
/* int64 to an unsigned that sorts alike. */
uint64_t snap_sortable(int64_t v);
