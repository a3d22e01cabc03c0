/* snap_ref.c - reading what issues refer to by id: users, labels, milestones. */
#include "lmdb-schema/snap_internal.h"

static int
get_by_id(struct snap_view *v, enum snap_table t, int64_t id, size_t min, struct slice *ret)
{
	unsigned char key[8];

	return snap_get(v, t, key, snap_key_id(id, key), min, ret);
}

int
snap_user_json(struct snap_view *v, int64_t id, struct slice *ret)
{
	struct slice row;
	int rc = get_by_id(v, SNAP_T_USER, id, 4, &row);

	if (rc == 0)
		*ret = (struct slice){ row.ptr + 4, row.len - 4 };
	return rc;
}

int
snap_user_login(struct snap_view *v, int64_t id, struct slice *ret)
{
	struct slice row;
	uint32_t at;
	int rc = get_by_id(v, SNAP_T_USER, id, 4, &row);

	if (rc != 0)
		return rc;
	at = get_le32(row.ptr);
	if (at < 4 || row.len < at + (size_t)2) /* ends with "} */
		return ERR_CORRUPT;
	*ret = (struct slice){ row.ptr + at, row.len - at - 2 };
	return 0;
}

int
snap_label_name(struct snap_view *v, int64_t id, struct slice *ret)
{
	return get_by_id(v, SNAP_T_LABEL, id, 0, ret);
}

int
snap_milestone_get(struct snap_view *v, int64_t id, struct snap_milestone *ret)
{
	struct slice row;
	int rc = get_by_id(v, SNAP_T_MILESTONE, id, 9, &row);

	if (rc != 0)
		return rc;
	*ret = (struct snap_milestone){
		.id = id,
		.number = (int64_t)get_le64(row.ptr),
		.closed = row.ptr[8] != 0,
		.title = { row.ptr + 9, row.len - 9 },
	};
	return 0;
}
