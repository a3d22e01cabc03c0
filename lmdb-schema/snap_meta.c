/* snap_meta.c - reading the tables `meta` and `sync`. */
#include "lmdb-schema/snap_internal.h"

static int
read_repo(struct snap_view *v, struct snap_repo *ret)
{
	struct snap_repo r;
	struct slice state;
	int rc;

	rc = snap_meta_get(v, SNAP_META_REPO, 1, &r.name);
	if (rc == 0)
		rc = snap_meta_get(v, SNAP_META_STATE, SNAP_S_LEN, &state);
	if (rc != 0)
		return rc == ERR_NOENT ? ERR_CORRUPT : rc;
	for (size_t i = 0; i < SNAP_CLASS_COUNT; i++)
		r.counts[i] = get_le64(state.ptr + SNAP_S_COUNTS + 8 * i);
	r.comments = get_le64(state.ptr + SNAP_S_COMMENTS);
	r.events = get_le64(state.ptr + SNAP_S_EVENTS);
	r.reviews = get_le64(state.ptr + SNAP_S_REVIEWS);
	r.review_comments = get_le64(state.ptr + SNAP_S_REVIEW_COMMENTS);
	r.log_offset = get_le64(state.ptr + SNAP_S_LOG_OFFSET);
	r.log_segment = get_le32(state.ptr + SNAP_S_LOG_SEGMENT);
	*ret = r;
	return 0;
}

int
snap_repo_get(struct snap_view *v, struct snap_repo *ret)
{
	struct snap_memory *m = snap_memory_of(v);
	int rc;

	if (m == NULL)
		return read_repo(v, ret);
	if (!m->has_repo) {
		rc = read_repo(v, &m->repo);
		if (rc != 0)
			return rc;
		m->has_repo = true;
	}
	*ret = m->repo;
	return 0;
}

int
snap_segment_get(struct snap_view *v, uint32_t number, struct snap_segment *ret)
{
	unsigned char key[4];
	struct slice row;
	int rc;

	rc = snap_get(v, SNAP_T_SEGMENT, key, snap_key_number(number, key), 8, &row);
	if (rc == 0)
		*ret = (struct snap_segment){ number, get_le64(row.ptr),
			{ row.ptr + 8, row.len - 8 } };
	return rc;
}

/* Cut a u32-length-prefixed text off the front of `rest`. */
static int
take_text(struct slice *rest, struct slice *ret)
{
	uint32_t len;

	if (rest->len < 4)
		return ERR_CORRUPT;
	len = get_le32(rest->ptr);
	if (len > rest->len - 4)
		return ERR_CORRUPT;
	*ret = (struct slice){ rest->ptr + 4, len };
	*rest = (struct slice){ rest->ptr + 4 + len, rest->len - 4 - len };
	return 0;
}

int
snap_sync_get(struct snap_view *v, struct slice family, struct snap_sync *ret)
{
	struct snap_sync s;
	struct slice row, rest;
	int rc;

	rc = snap_get(v, SNAP_T_SYNC, family.ptr, family.len, 17, &row);
	if (rc != 0)
		return rc;
	s.server_date_ms = (int64_t)get_le64(row.ptr);
	s.watermark_ms = (int64_t)get_le64(row.ptr + 8);
	s.complete = row.ptr[16] != 0;
	rest = (struct slice){ row.ptr + 17, row.len - 17 };
	if (take_text(&rest, &s.position) != 0 || take_text(&rest, &s.etag) != 0 ||
	    take_text(&rest, &s.etag_owner) != 0)
		return ERR_CORRUPT;
	*ret = s;
	return 0;
}

int
snap_note_get(struct snap_view *v, const char *key, struct slice *ret)
{
	char name[64] = SNAP_META_NOTE_PREFIX;
	size_t len = strlen(key);

	if (len > sizeof(name) - sizeof(SNAP_META_NOTE_PREFIX))
		return ERR_INVAL;
	memcpy(name + sizeof(SNAP_META_NOTE_PREFIX) - 1, key, len + 1);
	return snap_meta_get(v, name, 0, ret);
}
