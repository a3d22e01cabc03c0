/* snap_key.c - the one place where keys are built; big-endian, so they sort. */
#include "lmdb-schema/snap_format.h"

const char *const snap_table_names[SNAP_TABLES] = {
	[SNAP_T_META] = "meta",
	[SNAP_T_SYNC] = "sync",
	[SNAP_T_ISSUE] = "issue",
	[SNAP_T_ISSUE_BODY] = "issue_body",
	[SNAP_T_COMMENT] = "comment",
	[SNAP_T_REVIEW] = "review",
	[SNAP_T_EVENT] = "event",
	[SNAP_T_USER] = "user",
	[SNAP_T_LABEL] = "label",
	[SNAP_T_MILESTONE] = "milestone",
	[SNAP_T_BY_NUMBER] = "issue_by_number",
	[SNAP_T_BY_CREATED] = "issue_by_created",
	[SNAP_T_BY_UPDATED] = "issue_by_updated",
	[SNAP_T_BY_COMMENTS] = "issue_by_comments",
	[SNAP_T_OUTBOX] = "outbox",
	[SNAP_T_SEGMENT] = "segment",
	[SNAP_T_REVIEW_COMMENT] = "review_comment",
	[SNAP_T_ISSUE_OTHER] = "issue_other",
};

uint64_t
snap_sortable(int64_t v)
{
	return (uint64_t)v ^ ((uint64_t)1 << 63);
}

size_t
snap_key_number(uint32_t number, unsigned char out[4])
{
	put_be32(out, number);
	return 4;
}

size_t
snap_key_id(int64_t id, unsigned char out[8])
{
	put_be64(out, (uint64_t)id);
	return 8;
}

size_t
snap_key_child(uint32_t number, int64_t id, unsigned char out[SNAP_CHILD_KEY_LEN])
{
	put_be32(out, number);
	put_be64(out + 4, (uint64_t)id);
	return SNAP_CHILD_KEY_LEN;
}

size_t
snap_key_index(
    enum snap_class cls, struct snap_list_pos pos, unsigned char out[SNAP_INDEX_KEY_LEN])
{
	out[0] = (unsigned char)cls;
	put_be64(out + 1, pos.key);
	put_be32(out + 9, pos.number);
	return SNAP_INDEX_KEY_LEN;
}

void
snap_key_index_parse(const unsigned char key[SNAP_INDEX_KEY_LEN], struct snap_list_pos *ret)
{
	ret->key = get_be64(key + 1);
	ret->number = get_be32(key + 9);
}
