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

/* Where a user is remembered: ids of one time follow each other, so they are spread. */
static struct snap_known_user *
place_of(struct snap_memory *m, int64_t id)
{
	uint64_t spread = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);

	return &m->users[spread >> 32 & (SNAP_KNOWN_USERS - 1)];
}

int
snap_user_add(struct snap_view *v, int64_t id, struct buf *out)
{
	struct snap_memory *m = snap_memory_of(v);
	struct snap_known_user *known = m != NULL ? place_of(m, id) : NULL;
	struct slice json;
	int rc;

	if (known != NULL && known->id == id && id != 0) {
		buf_add(out, known->json, known->len);
		return 0;
	}
	rc = snap_user_json(v, id, &json);
	if (rc != 0)
		return rc;
	buf_slice(out, json);
	if (known != NULL && json.len <= sizeof(known->json)) {
		known->id = id;
		known->len = (unsigned char)json.len;
		memcpy(known->json, json.ptr, json.len);
	}
	return 0;
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
snap_label_parse(struct slice row, int64_t id, struct snap_label *ret)
{
	uint64_t name, color;
	const char *text = row.ptr + SNAP_L_TEXTS;

	if (row.len < SNAP_L_TEXTS)
		return ERR_CORRUPT;
	name = get_le32(row.ptr + SNAP_L_NAME_LEN);
	color = get_le32(row.ptr + SNAP_L_COLOR_LEN);
	if (name + color > row.len - SNAP_L_TEXTS)
		return ERR_CORRUPT;
	*ret = (struct snap_label){ .id = id,
		.name = { text, (size_t)name },
		.color = { text + name, (size_t)color },
		.description = {
		    text + name + color, row.len - SNAP_L_TEXTS - (size_t)(name + color) } };
	return 0;
}

int
snap_label_get(struct snap_view *v, int64_t id, struct snap_label *ret)
{
	struct slice row;
	int rc = get_by_id(v, SNAP_T_LABEL, id, 0, &row);

	return rc != 0 ? rc : snap_label_parse(row, id, ret);
}

int
snap_label_name(struct snap_view *v, int64_t id, struct slice *ret)
{
	struct snap_label l;
	int rc = snap_label_get(v, id, &l);

	if (rc == 0)
		*ret = l.name;
	return rc;
}

int
snap_milestone_parse(struct slice row, int64_t id, struct snap_milestone *ret)
{
	const char *text = row.ptr + SNAP_MS_TEXTS;
	uint32_t title;

	if (row.len < SNAP_MS_TEXTS)
		return ERR_CORRUPT;
	title = get_le32(row.ptr + SNAP_MS_TITLE_LEN);
	if (title > row.len - SNAP_MS_TEXTS)
		return ERR_CORRUPT;
	*ret = (struct snap_milestone){ .id = id,
		.number = (int64_t)get_le64(row.ptr + SNAP_MS_NUMBER),
		.closed = row.ptr[SNAP_MS_CLOSED] != 0,
		.created_ms = (int64_t)get_le64(row.ptr + SNAP_MS_CREATED),
		.updated_ms = (int64_t)get_le64(row.ptr + SNAP_MS_UPDATED),
		.closed_ms = (int64_t)get_le64(row.ptr + SNAP_MS_CLOSED_AT),
		.due_ms = (int64_t)get_le64(row.ptr + SNAP_MS_DUE),
		.creator = (int64_t)get_le64(row.ptr + SNAP_MS_CREATOR),
		.title = { text, title },
		.description = { text + title, row.len - SNAP_MS_TEXTS - title } };
	return 0;
}

int
snap_milestone_get(struct snap_view *v, int64_t id, struct snap_milestone *ret)
{
	struct slice row;
	int rc = get_by_id(v, SNAP_T_MILESTONE, id, 0, &row);

	return rc != 0 ? rc : snap_milestone_parse(row, id, ret);
}

/* The row with the least id above `after`. */
static int
next_by_id(
    struct snap_view *v, enum snap_table t, int64_t after, int64_t *ret_id, struct slice *ret)
{
	unsigned char key[8];
	MDB_val k = { sizeof(key), key }, d;
	MDB_cursor *c;
	int rc;

	if (after == INT64_MAX)
		return ERR_NOENT;
	snap_key_id(after + 1, key);
	rc = snap_err(mdb_cursor_open(v->txn, v->env->tables[t], &c));
	if (rc != 0)
		return rc;
	rc = snap_err(mdb_cursor_get(c, &k, &d, MDB_SET_RANGE));
	if (rc == 0 && (k.mv_size != sizeof(key) || d.mv_size < SNAP_CRC_LEN))
		rc = ERR_CORRUPT;
	if (rc == 0) {
		*ret_id = (int64_t)get_be64(k.mv_data);
		*ret = (struct slice){ d.mv_data, d.mv_size - SNAP_CRC_LEN };
	}
	mdb_cursor_close(c);
	return rc;
}

int
snap_label_next(struct snap_view *v, int64_t after, struct snap_label *ret)
{
	struct slice row;
	int64_t id;
	int rc = next_by_id(v, SNAP_T_LABEL, after, &id, &row);

	return rc != 0 ? rc : snap_label_parse(row, id, ret);
}

int
snap_milestone_next(struct snap_view *v, int64_t after, struct snap_milestone *ret)
{
	struct slice row;
	int64_t id;
	int rc = next_by_id(v, SNAP_T_MILESTONE, after, &id, &row);

	return rc != 0 ? rc : snap_milestone_parse(row, id, ret);
}

static uint64_t
count_rows(struct snap_view *v, enum snap_table t)
{
	MDB_stat st = { 0 };

	return mdb_stat(v->txn, v->env->tables[t], &st) == 0 ? st.ms_entries : 0;
}

uint64_t
snap_label_count(struct snap_view *v)
{
	return count_rows(v, SNAP_T_LABEL);
}

uint64_t
snap_milestone_count(struct snap_view *v)
{
	return count_rows(v, SNAP_T_MILESTONE);
}
