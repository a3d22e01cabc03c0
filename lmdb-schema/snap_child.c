/* snap_child.c - reading comments, reviews and events of an issue. */
#include "lmdb-schema/snap_internal.h"

int
snap_child_parse(struct slice value, int64_t id, struct snap_child *ret)
{
	uint32_t last, last_len;

	if (value.len < SNAP_C_MEMBERS)
		return ERR_CORRUPT;
	last = get_le32(value.ptr + SNAP_C_LAST);
	last_len = get_le32(value.ptr + SNAP_C_LAST_LEN);
	*ret = (struct snap_child){
		.id = id,
		.created_ms = (int64_t)get_le64(value.ptr + SNAP_C_CREATED),
		.updated_ms = (int64_t)get_le64(value.ptr + SNAP_C_UPDATED),
		.actor = (int64_t)get_le64(value.ptr + SNAP_C_ACTOR),
		.members = { value.ptr + SNAP_C_MEMBERS, value.len - SNAP_C_MEMBERS },
	};
	for (size_t i = 0; i < 4; i++)
		ret->others[i] = (int64_t)get_le64(value.ptr + SNAP_C_OTHERS + 8 * i);
	if (last == UINT32_MAX)
		return 0;
	if (last > ret->members.len || last_len > ret->members.len - last)
		return ERR_CORRUPT;
	ret->last = (struct slice){ ret->members.ptr + last, last_len };
	return 0;
}

static int
open_walk_cursor(struct snap_view *v, enum snap_child_kind kind, MDB_cursor **ret)
{
	MDB_cursor **slot = &v->walks[kind];
	int rc = 0;

	if (*slot == NULL)
		rc = mdb_cursor_open(v->txn, v->env->tables[snap_child_table(kind)], slot);
	else if (v->owner != NULL) /* of a read-only view: left over from an ended one */
		rc = mdb_cursor_renew(v->txn, *slot);
	if (rc == 0)
		*ret = *slot;
	return snap_err(rc);
}

int
snap_walk_begin(
    struct snap_view *v, enum snap_child_kind kind, uint32_t number, struct snap_walk *ret)
{
	MDB_cursor *cursor = NULL;
	int rc = open_walk_cursor(v, kind, &cursor);

	if (rc == 0)
		*ret = (struct snap_walk){ .cursor = cursor, .number = number, .kind = kind };
	return rc;
}

int
snap_walk_next(struct snap_walk *w, struct snap_child *ret)
{
	unsigned char key[SNAP_CHILD_KEY_LEN];
	MDB_val k = { snap_key_child(w->number, w->after + 1, key), key };
	MDB_val d;
	int rc;

	rc = mdb_cursor_get(w->cursor, &k, &d, w->started ? MDB_NEXT : MDB_SET_RANGE);
	w->started = true;
	if (rc != 0)
		return snap_err(rc);
	if (k.mv_size != SNAP_CHILD_KEY_LEN || d.mv_size < SNAP_CRC_LEN)
		return ERR_CORRUPT;
	if (get_be32(k.mv_data) != w->number)
		return ERR_NOENT;
	return snap_child_parse((struct slice){ d.mv_data, d.mv_size - SNAP_CRC_LEN },
	    (int64_t)get_be64((const char *)k.mv_data + 4), ret);
}

int
snap_child_get(struct snap_view *v, enum snap_child_kind kind, uint32_t number, int64_t id,
    struct snap_child *ret)
{
	unsigned char key[SNAP_CHILD_KEY_LEN];
	struct slice value;
	int rc;

	rc = snap_get(
	    v, snap_child_table(kind), key, snap_key_child(number, id, key), 0, &value);
	if (rc != 0)
		return rc;
	return snap_child_parse(value, id, ret);
}
