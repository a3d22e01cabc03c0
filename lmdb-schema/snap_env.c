/*
 * snap_env.c - opening an LMDB environment with our tables, for either side.
 * Knows MDB codes so that nobody else has to; knows no table's content but
 * the format stamp.
 */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "lmdb-schema/snap_internal.h"

static atomic_uint_fast64_t opened;

int
snap_err(int mdb_rc)
{
	switch (mdb_rc) {
	case MDB_SUCCESS:
		return 0;
	case MDB_NOTFOUND:
		return ERR_NOENT;
	case MDB_KEYEXIST:
		return ERR_EXISTS;
	case MDB_MAP_FULL:
	case MDB_READERS_FULL:
		return ERR_FULL;
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
		return ERR_VERSION;
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PANIC:
		return ERR_CORRUPT;
	case MDB_BAD_VALSIZE:
		return ERR_LIMIT;
	case ENOSPC:
	case EDQUOT:
		return ERR_IO; /* not ERR_FULL: a larger map would not help */
	default:
		return mdb_rc > 0 ? err_from_errno(mdb_rc) : ERR_IO;
	}
}

/*
 * A file that was cut would kill whoever touches a page behind its end.  It may also be
 * short because the last pages were never used.  So the writer, who opens it first,
 * makes it long enough; what was lost reads as zeros, which a check of all rows finds.
 */
static int
lengthen(struct snap_env *e)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat file;
	off_t needed;
	int fd;

	if (mdb_env_info(e->mdb, &info) != 0 || mdb_env_stat(e->mdb, &stat) != 0 ||
	    mdb_env_get_fd(e->mdb, &fd) != 0 || fstat(fd, &file) != 0)
		return ERR_IO;
	needed = (off_t)(info.me_last_pgno + 1) * (off_t)stat.ms_psize;
	if (file.st_size >= needed)
		return 0;
	e->was_short = true;
	return ftruncate(fd, needed) == 0 ? 0 : err_from_errno(errno);
}

/*
 * Another format may have other tables, so its stamp is looked at before they are opened.
 * A new environment has neither yet.
 */
static int
check_format(struct snap_env *e, bool create, struct err_info *ei)
{
	struct snap_view v = { .env = e };
	struct slice stamp = { 0 };
	uint32_t have = 0;
	int rc = snap_err(mdb_txn_begin(e->mdb, NULL, MDB_RDONLY, &v.txn));

	if (rc != 0)
		return err_set(ei, rc, "snapshot %s: %s", e->path, err_name(rc));
	rc = snap_err(
	    mdb_dbi_open(v.txn, snap_table_names[SNAP_T_META], 0, &e->tables[SNAP_T_META]));
	if (rc == 0)
		rc = snap_meta_get(&v, SNAP_META_FORMAT, 4, &stamp);
	if (rc == 0)
		have = get_le32(stamp.ptr);
	mdb_txn_abort(v.txn);
	if (rc == ERR_NOENT && create)
		return 0;
	if (rc != 0)
		return err_set(ei, rc == ERR_NOENT ? ERR_CORRUPT : rc, "snapshot %s: %s",
		    e->path, rc == ERR_NOENT ? "no format stamp" : err_name(rc));
	if (have != SNAP_FORMAT)
		return err_set(ei, ERR_VERSION,
		    "snapshot %s has format %u, this program knows %u; rebuild it from the log "
		    "with maintnerd-sync --rebuild",
		    e->path, have, SNAP_FORMAT);
	return 0;
}

static int
open_tables(struct snap_env *e, bool create)
{
	MDB_txn *txn;
	int rc;

	rc = mdb_txn_begin(e->mdb, NULL, create ? 0 : MDB_RDONLY, &txn);
	if (rc != 0)
		return snap_err(rc);
	for (int t = 0; t < SNAP_TABLES && rc == 0; t++)
		rc = mdb_dbi_open(
		    txn, snap_table_names[t], create ? MDB_CREATE : 0, &e->tables[t]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		/* Tables are made in one transaction: a missing one is damage. */
		return rc == MDB_NOTFOUND ? ERR_CORRUPT : snap_err(rc);
	}
	return snap_err(mdb_txn_commit(txn));
}

int
snap_env_open(const char *path, unsigned flags, bool create, size_t map_bytes,
    struct snap_env **ret, struct err_info *ei)
{
	struct snap_env *e = mem_zalloc(sizeof(*e));
	int rc;

	if (e == NULL)
		return ERR_NOMEM;
	if (strlen(path) >= sizeof(e->path)) {
		mem_free(e);
		return err_set(ei, ERR_INVAL, "snapshot path is longer than %zu bytes",
		    sizeof(e->path) - 1);
	}
	memcpy(e->path, path, strlen(path) + 1);
	rc = snap_err(mdb_env_create(&e->mdb));
	if (rc == 0)
		rc = snap_err(mdb_env_set_maxdbs(e->mdb, SNAP_TABLES));
	if (rc == 0)
		rc = snap_err(mdb_env_set_maxreaders(e->mdb, SNAP_READERS));
	if (rc == 0)
		rc = snap_err(
		    mdb_env_set_mapsize(e->mdb, map_bytes != 0 ? map_bytes : SNAP_MAP_BYTES));
	/* NOTLS: a reader slot belongs to the view, not to the thread. */
	if (rc == 0)
		rc = snap_err(mdb_env_open(e->mdb, path, flags | MDB_NOTLS, 0660));
	if (rc == 0 && create)
		rc = lengthen(e);
	if (rc == 0) {
		rc = check_format(e, create, ei);
		if (rc != 0) {
			snap_env_close(e);
			return rc;
		}
		rc = open_tables(e, create);
	}
	if (rc != 0) {
		err_set(ei, rc, "snapshot %s: %s", path, err_name(rc));
		snap_env_close(e);
		return rc;
	}
	e->refs = 1;
	e->serial = atomic_fetch_add(&opened, 1) + 1;
	*ret = e;
	return 0;
}

void
snap_view_free(struct snap_view *v)
{
	for (int i = 0; i < SNAP_CHILD_KINDS; i++) {
		if (v->walks[i] != NULL)
			mdb_cursor_close(v->walks[i]);
	}
	for (int i = 0; i < SNAP_CLASS_COUNT; i++) {
		if (v->lists[i] != NULL)
			mdb_cursor_close(v->lists[i]);
	}
	if (v->issues != NULL)
		mdb_cursor_close(v->issues);
	if (v->txn != NULL)
		mdb_txn_abort(v->txn);
	mem_free(v->memory);
	mem_free(v);
}

void
snap_env_close(struct snap_env *e)
{
	if (e == NULL)
		return;
	while (e->idle != NULL) {
		struct snap_view *v = e->idle;

		e->idle = v->next;
		snap_view_free(v);
	}
	if (e->mdb != NULL)
		mdb_env_close(e->mdb);
	mem_free(e);
}

uint32_t
snap_checksum(struct slice key, struct slice value)
{
	return crc32c(crc32c(0, key.ptr, key.len), value.ptr, value.len);
}

int
snap_get(struct snap_view *v, enum snap_table t, const void *key, size_t key_len, size_t min,
    struct slice *ret)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key };
	MDB_val d;
	int rc = mdb_get(v->txn, v->env->tables[t], &k, &d);

	if (rc != 0)
		return snap_err(rc);
	if (d.mv_size < min + SNAP_CRC_LEN)
		return ERR_CORRUPT;
	*ret = (struct slice){ d.mv_data, d.mv_size - SNAP_CRC_LEN };
	return 0;
}

int
snap_meta_get(struct snap_view *v, const char *name, size_t min, struct slice *ret)
{
	return snap_get(v, SNAP_T_META, name, strlen(name), min, ret);
}

enum snap_class
snap_class_of(uint32_t flags)
{
	return (enum snap_class)(((flags & SNAP_ISSUE_PULL) != 0 ? 1U : 0U) |
				 ((flags & SNAP_ISSUE_CLOSED) != 0 ? 2U : 0U));
}

enum snap_table
snap_child_table(enum snap_child_kind kind)
{
	static const enum snap_table tables[SNAP_CHILD_KINDS] = { SNAP_T_COMMENT, SNAP_T_REVIEW,
		SNAP_T_EVENT, SNAP_T_REVIEW_COMMENT };

	return tables[kind];
}

enum snap_table
snap_order_table(enum snap_order order)
{
	static const enum snap_table tables[SNAP_ORDERS] = { SNAP_T_BY_NUMBER,
		SNAP_T_BY_CREATED, SNAP_T_BY_UPDATED, SNAP_T_BY_COMMENTS };

	return tables[order];
}
