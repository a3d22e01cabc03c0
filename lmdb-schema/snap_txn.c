/*
 * snap_txn.c - write transactions: puts and deletes with checksums, counters,
 * growth of the map.  Knows the shape of no row.
 */
#include <string.h>

#include "base/mem.h"
#include "lmdb-schema/snap_write_internal.h"

#define TXN_ARENA_MAX ((size_t)512 << 20)
#define MAP_GROWTH 2

static void
put_stamp(struct snap_txn *t, const char *name, struct slice value)
{
	snap_put(t, SNAP_T_META, name, strlen(name), value);
}

int
snap_env_create(const char *path, const char *repo, unsigned flags, struct snap_env **ret,
    struct err_info *ei)
{
	struct snap_writer w = { .map_bytes = SNAP_MAP_BYTES, .lock_fd = -1 };
	char format[4], state[SNAP_S_LEN] = { 0 };
	struct snap_txn *t;
	int rc;

	rc = snap_env_open(path, flags, true, w.map_bytes, &w.env, ei);
	if (rc != 0)
		return rc;
	rc = snap_txn_begin(&w, &t);
	if (rc == 0) {
		put_le32(format, SNAP_FORMAT);
		put_stamp(t, SNAP_META_FORMAT, (struct slice){ format, sizeof(format) });
		put_stamp(t, SNAP_META_REPO, slice_str(repo));
		put_stamp(t, SNAP_META_STATE, (struct slice){ state, sizeof(state) });
		rc = snap_txn_commit(t);
	}
	if (rc != 0) {
		snap_env_close(w.env);
		return err_set(ei, rc, "snapshot %s: %s", path, err_name(rc));
	}
	*ret = w.env;
	return 0;
}

int
snap_txn_begin(struct snap_writer *w, struct snap_txn **ret)
{
	struct snap_txn *t = mem_zalloc(sizeof(*t));
	int rc;

	if (t == NULL)
		return ERR_NOMEM;
	t->writer = w;
	t->view.env = w->env;
	arena_init(&t->arena, TXN_ARENA_MAX);
	buf_init(&t->row, SNAP_ROW_MAX);
	buf_init(&t->text, SNAP_TEXT_MAX);
	rc = snap_err(mdb_txn_begin(w->env->mdb, NULL, 0, &t->view.txn));
	if (rc != 0) {
		mem_free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

static void
free_txn(struct snap_txn *t)
{
	arena_clear(&t->arena);
	buf_clear(&t->row);
	buf_clear(&t->text);
	mem_free(t);
}

/* Add the transaction's deltas and log position to meta/state. */
static void
write_state(struct snap_txn *t)
{
	static const struct snap_deltas none;
	char state[SNAP_S_LEN];
	struct slice old;
	int rc;

	if (memcmp(&t->deltas, &none, sizeof(none)) == 0 && !t->log_end_set)
		return;
	rc = snap_meta_get(&t->view, SNAP_META_STATE, SNAP_S_LEN, &old);
	if (rc != 0) {
		snap_txn_fail(t, ERR_CORRUPT);
		return;
	}
	memcpy(state, old.ptr, sizeof(state));
	for (size_t i = 0; i < SNAP_CLASS_COUNT; i++) {
		char *at = state + SNAP_S_COUNTS + 8 * i;

		put_le64(at, get_le64(at) + (uint64_t)t->deltas.counts[i]);
	}
	for (size_t i = 0; i < SNAP_CHILD_KINDS; i++) {
		static const int at[SNAP_CHILD_KINDS] = { SNAP_S_COMMENTS, SNAP_S_REVIEWS,
			SNAP_S_EVENTS, SNAP_S_REVIEW_COMMENTS };

		put_le64(
		    state + at[i], get_le64(state + at[i]) + (uint64_t)t->deltas.children[i]);
	}
	if (t->log_end_set) {
		put_le64(state + SNAP_S_LOG_OFFSET, t->log_offset);
		put_le32(state + SNAP_S_LOG_SEGMENT, t->log_segment);
	}
	put_stamp(t, SNAP_META_STATE, (struct slice){ state, sizeof(state) });
}

/* The map was full and no transaction is open any more: make it larger. */
static int
grow_map(struct snap_writer *w)
{
	int rc = snap_err(mdb_env_set_mapsize(w->env->mdb, w->map_bytes * MAP_GROWTH));

	if (rc == 0)
		w->map_bytes *= MAP_GROWTH;
	return rc;
}

int
snap_txn_commit(struct snap_txn *t)
{
	struct snap_writer *w = t->writer;
	int rc;

	write_state(t);
	rc = t->err;
	if (rc != 0)
		mdb_txn_abort(t->view.txn);
	else
		rc = snap_err(mdb_txn_commit(t->view.txn));
	free_txn(t);
	if (rc == ERR_FULL) {
		int grown = grow_map(w);

		rc = grown != 0 ? grown : ERR_FULL;
	}
	return rc;
}

void
snap_txn_abort(struct snap_txn *t)
{
	if (t == NULL)
		return;
	mdb_txn_abort(t->view.txn);
	free_txn(t);
}

int
snap_txn_err(const struct snap_txn *t)
{
	return t->err;
}

void
snap_txn_fail(struct snap_txn *t, int code)
{
	if (t->err == 0)
		t->err = code;
}

struct snap_view *
snap_txn_view(struct snap_txn *t)
{
	return &t->view;
}

struct arena *
snap_txn_arena(struct snap_txn *t)
{
	return &t->arena;
}

struct slice
snap_keep(struct snap_txn *t, struct slice s)
{
	char *copy = arena_dup(&t->arena, s);

	if (copy == NULL) {
		snap_txn_fail(t, ERR_NOMEM);
		return (struct slice){ 0 };
	}
	return (struct slice){ copy, s.len };
}

/* Reserve the row in the page and write value and checksum there: no copy in between. */
static void
put_reserved(struct snap_txn *t, enum snap_table table, struct slice key, struct slice value)
{
	MDB_val k = { key.len, (void *)(uintptr_t)key.ptr };
	MDB_val d = { value.len + SNAP_CRC_LEN, NULL };
	uint32_t sum;
	int rc;

	if (t->err != 0)
		return;
	sum = snap_checksum(key, value);
	rc = mdb_put(t->view.txn, t->view.env->tables[table], &k, &d, MDB_RESERVE);
	if (rc != 0) {
		t->err = snap_err(rc);
		return;
	}
	if (value.len > 0)
		memcpy(d.mv_data, value.ptr, value.len);
	put_le32((char *)d.mv_data + value.len, sum);
}

void
snap_put(struct snap_txn *t, enum snap_table table, const void *key, size_t key_len,
    struct slice value)
{
	put_reserved(t, table, (struct slice){ key, key_len }, value);
}

void
snap_put_row(struct snap_txn *t, enum snap_table table, const void *key, size_t key_len)
{
	if (buf_err(&t->row) != 0)
		snap_txn_fail(t, buf_err(&t->row));
	else
		put_reserved(t, table, (struct slice){ key, key_len }, buf_view(&t->row));
}

bool
snap_del(struct snap_txn *t, enum snap_table table, const void *key, size_t key_len)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key };
	int rc;

	if (t->err != 0)
		return false;
	rc = mdb_del(t->view.txn, t->view.env->tables[table], &k, NULL);
	if (rc != 0 && rc != MDB_NOTFOUND)
		t->err = snap_err(rc);
	return rc == 0;
}

int
snap_writer_view(struct snap_writer *w, struct snap_view **ret)
{
	struct snap_view *v = mem_zalloc(sizeof(*v));
	int rc;

	if (v == NULL)
		return ERR_NOMEM;
	v->env = w->env;
	rc = snap_err(mdb_txn_begin(w->env->mdb, NULL, MDB_RDONLY, &v->txn));
	if (rc != 0) {
		mem_free(v);
		return rc;
	}
	*ret = v;
	return 0;
}

void
snap_writer_view_end(struct snap_view *v)
{
	if (v == NULL)
		return;
	snap_view_free(v);
}
