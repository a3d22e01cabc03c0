/* snap_meta_write.c - writing `sync`, notes, log position, tail, outbox. */
#include <stdio.h>
#include <string.h>

#include "lmdb-schema/snap_write_internal.h"

#define OUTBOX_KEY_LEN 12

static void
add_counted(struct buf *b, struct slice s)
{
	buf_le32(b, (uint32_t)s.len);
	buf_slice(b, s);
}

void
snap_sync_put(struct snap_txn *t, struct slice family, const struct snap_sync *s)
{
	buf_reset(&t->row);
	buf_le64(&t->row, (uint64_t)s->server_date_ms);
	buf_le64(&t->row, (uint64_t)s->watermark_ms);
	buf_char(&t->row, s->complete ? 1 : 0);
	add_counted(&t->row, s->position);
	add_counted(&t->row, s->etag);
	add_counted(&t->row, s->etag_owner);
	snap_put_row(t, SNAP_T_SYNC, family.ptr, family.len);
}

void
snap_note_put(struct snap_txn *t, const char *key, struct slice text)
{
	char name[64];
	int n = snprintf(name, sizeof(name), SNAP_META_NOTE_PREFIX "%s", key);

	if (n < 0 || (size_t)n >= sizeof(name))
		snap_txn_fail(t, ERR_INVAL);
	else
		snap_put(t, SNAP_T_META, name, (size_t)n, text);
}

void
snap_log_end_put(struct snap_txn *t, uint32_t segment, uint64_t offset)
{
	t->log_end_set = true;
	t->log_segment = segment;
	t->log_offset = offset;
}

/* meta/durable_tail: number u32, size u64, digest as hex. */
void
snap_tail_put(struct snap_txn *t, const struct snap_tail *tail)
{
	buf_reset(&t->row);
	buf_le32(&t->row, tail->number);
	buf_le64(&t->row, tail->size);
	buf_str(&t->row, tail->sha224);
	snap_put_row(t, SNAP_T_META, SNAP_META_TAIL, strlen(SNAP_META_TAIL));
}

void
snap_segment_put(struct snap_txn *t, const struct snap_tail *segment)
{
	unsigned char key[4];

	buf_reset(&t->row);
	buf_le64(&t->row, segment->size);
	buf_str(&t->row, segment->sha224);
	snap_put_row(t, SNAP_T_SEGMENT, key, snap_key_number(segment->number, key));
}

int
snap_tail_get(struct snap_view *v, struct snap_tail *ret)
{
	struct slice row;
	int rc = snap_meta_get(v, SNAP_META_TAIL, 12, &row);

	if (rc != 0)
		return rc;
	if (row.len - 12 >= sizeof(ret->sha224))
		return ERR_CORRUPT;
	*ret = (struct snap_tail){ .number = get_le32(row.ptr), .size = get_le64(row.ptr + 4) };
	memcpy(ret->sha224, row.ptr + 12, row.len - 12);
	return 0;
}

static size_t
outbox_key(uint32_t segment, uint64_t offset, unsigned char out[OUTBOX_KEY_LEN])
{
	put_be32(out, segment);
	put_be64(out + 4, offset);
	return OUTBOX_KEY_LEN;
}

void
snap_outbox_put(struct snap_txn *t, uint32_t segment, uint64_t offset, struct slice framed)
{
	unsigned char key[OUTBOX_KEY_LEN];

	snap_put(t, SNAP_T_OUTBOX, key, outbox_key(segment, offset, key), framed);
}

int
snap_outbox_next(
    struct snap_view *v, uint32_t *segment, uint64_t *offset, struct slice *ret_framed)
{
	unsigned char key[OUTBOX_KEY_LEN];
	MDB_val k = { outbox_key(*segment, *offset, key), key }, d;
	MDB_cursor *c;
	int rc;

	rc = mdb_cursor_open(v->txn, v->env->tables[SNAP_T_OUTBOX], &c);
	if (rc != 0)
		return snap_err(rc);
	rc = snap_err(mdb_cursor_get(c, &k, &d, MDB_SET_RANGE));
	if (rc == 0 && (k.mv_size != OUTBOX_KEY_LEN || d.mv_size < SNAP_CRC_LEN))
		rc = ERR_CORRUPT;
	if (rc == 0) {
		*segment = get_be32(k.mv_data);
		*offset = get_be64((char *)k.mv_data + 4);
		*ret_framed = (struct slice){ d.mv_data, d.mv_size - SNAP_CRC_LEN };
	}
	mdb_cursor_close(c);
	return rc;
}

void
snap_outbox_forget(struct snap_txn *t, uint32_t segment, uint64_t offset)
{
	unsigned char end[OUTBOX_KEY_LEN];
	MDB_val k, d;
	MDB_cursor *c;
	int rc;

	if (t->err != 0)
		return;
	outbox_key(segment, offset, end);
	rc = mdb_cursor_open(t->view.txn, t->view.env->tables[SNAP_T_OUTBOX], &c);
	if (rc != 0) {
		snap_txn_fail(t, snap_err(rc));
		return;
	}
	while (rc == 0) {
		rc = mdb_cursor_get(c, &k, &d, MDB_FIRST);
		if (rc != 0 || memcmp(k.mv_data, end, OUTBOX_KEY_LEN) >= 0)
			break;
		rc = mdb_cursor_del(c, 0);
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		snap_txn_fail(t, snap_err(rc));
	mdb_cursor_close(c);
}
