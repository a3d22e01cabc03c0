/*
 * snap_dir.c - the snapshot directory: environments env-N, the link `current`,
 * the lock of the one writer, and the switch to a rebuilt environment.
 * Knows no table's content but the stamps in `meta`.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "lmdb-schema/snap_write_internal.h"

#define COLLECT_AFTER_S 60 /* readers have switched by then */

static int
io_err(struct err_info *ei, const char *what, const char *path)
{
	int code = err_from_errno(errno);

	return err_set(ei, code, "snapshot: %s %s: %s", what, path, strerror(errno));
}

static int
fsync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_from_errno(errno);
	rc = fsync(fd) == 0 ? 0 : err_from_errno(errno);
	close(fd);
	return rc;
}

/* One writer on a directory: an flock on it, dropped by the kernel at death. */
static int
lock_dir(const char *dir, int *ret_fd, struct err_info *ei)
{
	int fd;

	if (mkdir(dir, 0770) != 0 && errno != EEXIST)
		return io_err(ei, "cannot make", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return io_err(ei, "cannot open", dir);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int code = errno == EWOULDBLOCK ? ERR_BUSY : err_from_errno(errno);

		close(fd);
		return err_set(ei, code, "snapshot %s: another writer holds it", dir);
	}
	*ret_fd = fd;
	return 0;
}

/* The highest N of env-N in `dir`; 0 if there is none. */
static unsigned
highest_env(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned highest = 0, n;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (sscanf(e->d_name, "env-%u", &n) == 1 && n > highest)
			highest = n;
	}
	if (d != NULL)
		closedir(d);
	return highest;
}

/* Point DIR/current at `path` (an env-N in it), atomically and durably. */
static int
move_link(const char *dir, const char *path, struct err_info *ei)
{
	char link[PATH_MAX + 16], temp[PATH_MAX + 16];
	const char *name = strrchr(path, '/');

	name = name != NULL ? name + 1 : path;
	snprintf(link, sizeof(link), "%s/current", dir);
	snprintf(temp, sizeof(temp), "%s/current.new", dir);
	if ((unlink(temp) != 0 && errno != ENOENT) || symlink(name, temp) != 0)
		return io_err(ei, "cannot make link", temp);
	if (rename(temp, link) != 0)
		return io_err(ei, "cannot move link", link);
	return fsync_dir(dir);
}

static int
make_env_dir(const char *dir, char out[PATH_MAX], struct err_info *ei)
{
	for (unsigned n = highest_env(dir) + 1; n < UINT_MAX; n++) {
		if (snprintf(out, PATH_MAX, "%s/env-%u", dir, n) >= PATH_MAX)
			return err_set(ei, ERR_INVAL, "snapshot directory name is too long");
		if (mkdir(out, 0770) == 0)
			return 0;
		if (errno != EEXIST)
			return io_err(ei, "cannot make", out);
	}
	return err_set(ei, ERR_FULL, "snapshot %s: no environment number is left", dir);
}

static int
create_env(struct snap_writer *w, unsigned mdb_flags, struct err_info *ei)
{
	char path[PATH_MAX];
	int rc = make_env_dir(w->dir, path, ei);

	if (rc == 0)
		rc = snap_env_create(path, w->repo, mdb_flags, &w->env, ei);
	return rc;
}

/* Open what `current` names, or make the first environment. */
static int
open_or_create(struct snap_writer *w, struct err_info *ei)
{
	char path[PATH_MAX];
	int rc = snap_dir_current(w->dir, path, ei);

	if (rc == 0)
		return snap_env_open(path, 0, true, w->map_bytes, &w->env, ei);
	if (rc != ERR_NOENT)
		return rc;
	rc = create_env(w, 0, ei);
	return rc == 0 ? move_link(w->dir, w->env->path, ei) : rc;
}

/* The stamps must be this build's and this repository's. */
static int
check_stamps(struct snap_writer *w, bool *ret_unclean, struct err_info *ei)
{
	struct snap_view *v;
	struct slice format = { 0 }, repo = { 0 }, mark;
	int rc = snap_writer_view(w, &v);

	if (rc != 0)
		return rc;
	rc = snap_meta_get(v, SNAP_META_FORMAT, 4, &format);
	if (rc == 0)
		rc = snap_meta_get(v, SNAP_META_REPO, 0, &repo);
	if (rc != 0)
		rc = err_set(ei, ERR_CORRUPT, "snapshot %s: stamps are missing", w->env->path);
	else if (!slice_is(repo, w->repo))
		rc = err_set(ei, ERR_INVAL, "snapshot %s belongs to %.*s, not to %s", w->dir,
		    (int)repo.len, repo.ptr, w->repo);
	else
		*ret_unclean = snap_meta_get(v, SNAP_META_UNCLEAN, 0, &mark) == 0;
	snap_writer_view_end(v);
	return rc;
}

static int
mark_unclean(struct snap_writer *w, bool unclean)
{
	struct snap_txn *t;
	int rc = snap_txn_begin(w, &t);

	if (rc != 0)
		return rc;
	if (unclean)
		snap_put(
		    t, SNAP_T_META, SNAP_META_UNCLEAN, strlen(SNAP_META_UNCLEAN), SLICE("1"));
	else
		snap_del(t, SNAP_T_META, SNAP_META_UNCLEAN, strlen(SNAP_META_UNCLEAN));
	return snap_txn_commit(t);
}

static void
discard(struct snap_writer *w)
{
	snap_env_close(w->env);
	if (w->lock_fd >= 0)
		close(w->lock_fd);
	mem_free(w);
}

int
snap_writer_open(const char *dir, const char *repo, unsigned flags, struct snap_writer **ret,
    bool *ret_unclean, struct err_info *ei)
{
	struct snap_writer *w;
	bool unclean = false;
	int rc;

	if (strlen(dir) >= sizeof(w->dir) || strlen(repo) >= sizeof(w->repo))
		return err_set(
		    ei, ERR_INVAL, "snapshot directory or repository name is too long");
	w = mem_zalloc(sizeof(*w));
	if (w == NULL)
		return ERR_NOMEM;
	memcpy(w->dir, dir, strlen(dir) + 1);
	memcpy(w->repo, repo, strlen(repo) + 1);
	w->map_bytes = SNAP_MAP_BYTES;
	w->filling = (flags & SNAP_FILL) != 0;
	w->lock_fd = -1;
	rc = lock_dir(dir, &w->lock_fd, ei);
	if (rc == 0)
		rc = w->filling ? create_env(w, MDB_NOSYNC, ei) : open_or_create(w, ei);
	if (rc == 0)
		rc = check_stamps(w, &unclean, ei);
	if (rc == 0 && !w->filling)
		rc = mark_unclean(w, true);
	if (rc != 0) {
		discard(w);
		return rc;
	}
	*ret_unclean = unclean || w->env->was_short;
	*ret = w;
	return 0;
}

void
snap_writer_close(struct snap_writer *w)
{
	if (w == NULL)
		return;
	if (!w->filling)
		mark_unclean(w, false);
	discard(w);
}

void
snap_writer_abandon(struct snap_writer *w)
{
	if (w != NULL)
		discard(w);
}

/* The last transaction in an environment that is replaced: where to go. */
static void
name_successor(const char *old_path, const char *new_path)
{
	const char *name = strrchr(new_path, '/') + 1;
	struct snap_writer *w = mem_zalloc(sizeof(*w));
	struct snap_txn *t;

	if (w == NULL)
		return;
	w->lock_fd = -1;
	/* A damaged old environment cannot say it; its readers see the damage. */
	if (snap_env_open(old_path, 0, false, 0, &w->env, NULL) == 0 &&
	    snap_txn_begin(w, &t) == 0) {
		snap_put(t, SNAP_T_META, SNAP_META_SUCCESSOR, strlen(SNAP_META_SUCCESSOR),
		    slice_str(name));
		snap_txn_commit(t);
	}
	discard(w);
}

static void
remove_env(const char *dir, const char *name)
{
	static const char *const files[] = { "data.mdb", "lock.mdb" };
	char path[PATH_MAX + 32];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", dir, name, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	rmdir(path);
}

static void
set_aside(const char *dir, const char *old_path)
{
	char aside[PATH_MAX + 16];

	remove_env(dir, "aside");
	snprintf(aside, sizeof(aside), "%s/aside", dir);
	(void)!rename(old_path, aside);
}

int
snap_writer_promote(struct snap_writer *w, bool aside, struct err_info *ei)
{
	char old[PATH_MAX] = "";
	int rc = snap_index_build(w);

	if (rc == 0)
		rc = mark_unclean(w, true);
	if (rc == 0)
		rc = snap_err(mdb_env_sync(w->env->mdb, 1));
	if (rc == 0)
		rc = snap_err(mdb_env_set_flags(w->env->mdb, MDB_NOSYNC, 0));
	if (rc != 0)
		return err_set(ei, rc, "snapshot %s: finishing the rebuild: %s", w->env->path,
		    err_name(rc));
	w->filling = false;
	if (snap_dir_current(w->dir, old, NULL) != 0)
		old[0] = '\0';
	rc = move_link(w->dir, w->env->path, ei);
	if (rc != 0)
		return rc;
	if (old[0] != '\0')
		name_successor(old, w->env->path);
	if (old[0] != '\0' && aside)
		set_aside(w->dir, old);
	return 0;
}

void
snap_writer_collect(struct snap_writer *w)
{
	const char *keep = strrchr(w->env->path, '/') + 1;
	char path[PATH_MAX + 300];
	DIR *d = opendir(w->dir);
	struct dirent *e;
	struct stat st;
	int dead;

	mdb_reader_check(w->env->mdb, &dead);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "env-", 4) != 0 || strcmp(e->d_name, keep) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/data.mdb", w->dir, e->d_name);
		if (stat(path, &st) != 0 || time(NULL) - st.st_mtime > COLLECT_AFTER_S)
			remove_env(w->dir, e->d_name);
	}
	if (d != NULL)
		closedir(d);
}
