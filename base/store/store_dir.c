/*
 * store_dir.c - the store of file:///dir: one file per object.  Knows how operations
 * are checked, not how files become durable (store_dir_file.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/store/store_dir_impl.h"

int
dir_error(struct err_info *ei, int errnum, const char *doing, const char *path)
{
	int code = err_from_errno(errnum);

	return err_set(ei, code, "%s %s: %s", doing, path, strerror(errnum));
}

int64_t
dir_generation(const struct stat *st)
{
	int64_t ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;

	return ns > 0 ? ns : 1; /* files from 1970 exist, too */
}

struct store_object
dir_describe(const struct stat *st)
{
	return (struct store_object){ .size = (uint64_t)st->st_size,
		.generation = dir_generation(st),
		.created_ms =
		    (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000 };
}

int
dir_path(const struct dir_store *d, const char *name, char out[PATH_MAX], struct err_info *ei)
{
	const char *join = d->root[1] == '\0' ? "" : "/";
	int n = snprintf(out, PATH_MAX, "%s%s%s", d->root, join, name);

	if (n < 0 || n >= PATH_MAX)
		return err_set(
		    ei, ERR_INVAL, "%s below %s is too long for a path", name, d->root);
	return 0;
}

/* Open an object for reading and describe it; ERR_NOENT for anything but a file. */
static int
open_object(const struct dir_store *d, const char *name, int *ret_fd, struct stat *ret_st,
    struct err_info *ei)
{
	char path[PATH_MAX];
	int fd, rc;

	rc = dir_path(d, name, path, ei);
	if (rc != 0)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return dir_error(ei, errno, "opening", path);
	if (fstat(fd, ret_st) != 0)
		rc = dir_error(ei, errno, "examining", path);
	else if (!S_ISREG(ret_st->st_mode))
		rc = err_set(ei, ERR_NOENT, "%s is not a file", path);
	if (rc != 0)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

static int
dir_stat(struct store *s, const char *name, struct store_object *ret, struct err_info *ei)
{
	struct stat st;
	int fd, rc;

	rc = open_object((struct dir_store *)s, name, &fd, &st, ei);
	if (rc != 0)
		return rc;
	close(fd);
	*ret = dir_describe(&st);
	return 0;
}

static int
read_bytes(int fd, const char *name, uint64_t offset, size_t len, struct buf *into,
    struct err_info *ei)
{
	if (buf_reserve(into, len) != 0)
		return err_set(ei, buf_err(into), "%s: %s", name, err_name(buf_err(into)));
	while (len > 0) {
		ssize_t n = pread(fd, into->ptr + into->len, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dir_error(ei, errno, "reading", name);
		if (n == 0)
			return err_set(ei, ERR_IO, "reading %s: it became shorter", name);
		into->len += (size_t)n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int
dir_read(struct store *s, const char *name, const struct store_range *range, struct buf *into,
    struct store_object *ret_meta, struct err_info *ei)
{
	struct stat st;
	uint64_t left;
	int fd, rc;

	rc = open_object((struct dir_store *)s, name, &fd, &st, ei);
	if (rc != 0)
		return rc;
	left = range->offset < (uint64_t)st.st_size ? (uint64_t)st.st_size - range->offset : 0;
	if (left > range->len)
		left = range->len;
	if (range->generation != STORE_ANY && range->generation != dir_generation(&st))
		rc = err_set(ei, ERR_STALE, "%s was replaced", name);
	else
		rc = read_bytes(fd, name, range->offset, (size_t)left, into, ei);
	close(fd);
	if (rc == 0)
		*ret_meta = dir_describe(&st);
	return rc;
}

/* The generation that a name has now, STORE_ABSENT for none; the folder is held. */
static int
current_generation(const char *path, int64_t *ret, struct err_info *ei)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno != ENOENT)
			return dir_error(ei, errno, "examining", path);
		*ret = STORE_ABSENT;
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return err_set(ei, ERR_INVAL, "%s is there and not a file", path);
	*ret = dir_generation(&st);
	return 0;
}

static int
dir_put(struct store *s, const char *name, struct slice data, int64_t if_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	struct dir_folder folder;
	char path[PATH_MAX];
	int64_t have = STORE_ABSENT;
	int rc;

	rc = dir_path((struct dir_store *)s, name, path, ei);
	if (rc == 0)
		rc = dir_folder_hold(path, &folder, ei);
	if (rc != 0)
		return rc;
	rc = current_generation(path, &have, ei);
	if (rc == 0)
		rc = store_check_generation(name, have, if_generation, ei);
	if (rc == 0)
		rc = dir_replace(&folder, path, data, have, ret_generation, ei);
	dir_folder_release(&folder);
	return rc;
}

static int
dir_delete(struct store *s, const char *name, int64_t if_generation, struct err_info *ei)
{
	struct dir_folder folder;
	char path[PATH_MAX];
	struct stat st;
	int64_t have = STORE_ABSENT;
	int rc;

	rc = dir_path((struct dir_store *)s, name, path, ei);
	if (rc != 0)
		return rc;
	if (stat(path, &st) != 0) /* before a lock file is made in vain */
		return dir_error(ei, errno, "deleting", path);
	rc = dir_folder_hold(path, &folder, ei);
	if (rc != 0)
		return rc;
	rc = current_generation(path, &have, ei);
	if (rc == 0 && have == STORE_ABSENT)
		rc = err_set(ei, ERR_NOENT, "deleting %s: it is gone", path);
	if (rc == 0)
		rc = store_check_generation(name, have, if_generation, ei);
	if (rc == 0 && (unlink(path) != 0 || fsync(folder.fd) != 0))
		rc = dir_error(ei, errno, "deleting", path);
	dir_folder_release(&folder);
	return rc;
}

struct dir_lock {
	struct store_lock head;
	int fd;
};

static void
dir_unlock(struct store_lock *l)
{
	struct dir_lock *held = (struct dir_lock *)l;

	close(held->fd); /* ends the flock; the file stays, deleting it would race */
	mem_free(held);
}

static int
dir_lock(struct store *s, const char *name, struct store_lock **ret, struct err_info *ei)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash == NULL ? name : slash + 1;
	char hidden[STORE_NAME_MAX + 64], path[PATH_MAX];
	struct dir_lock *l;
	int fd, rc;

	snprintf(
	    hidden, sizeof(hidden), "%.*s" DIR_LOCK_FILE ".%s", (int)(base - name), name, base);
	rc = dir_path((struct dir_store *)s, hidden, path, ei);
	if (rc == 0)
		rc = dir_open_making_folders(path, &fd, ei);
	if (rc != 0)
		return rc;
	l = mem_zalloc(sizeof(*l));
	if (l == NULL)
		rc = ERR_NOMEM;
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		rc = dir_error(ei, errno, "locking", path);
	if (rc != 0) {
		close(fd);
		mem_free(l);
		return rc;
	}
	*l = (struct dir_lock){ .head.unlock = dir_unlock, .fd = fd };
	*ret = &l->head;
	return 0;
}

static void
dir_close(struct store *s)
{
	struct dir_store *d = (struct dir_store *)s;

	mem_free(d->root);
	mem_free(d);
}

static int
set_paths(struct dir_store *d, const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	d->root = mem_memdup(path, len);
	d->head.url = mem_alloc(len + sizeof("file://"));
	if (d->root == NULL || d->head.url == NULL)
		return ERR_NOMEM;
	snprintf(d->head.url, len + sizeof("file://"), "file://%s", d->root);
	return 0;
}

int
store_dir_new(const char *path, struct store **ret, struct err_info *ei)
{
	static const struct store_ops ops = { .close = dir_close,
		.list = dir_list,
		.stat = dir_stat,
		.read = dir_read,
		.put = dir_put,
		.delete = dir_delete,
		.lock = dir_lock };
	struct dir_store *d;

	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return err_set(ei, ERR_INVAL, "%s: not an absolute path", path);
	d = mem_zalloc(sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->head.ops = &ops;
	if (set_paths(d, path) != 0) {
		store_close(&d->head);
		return ERR_NOMEM;
	}
	*ret = &d->head;
	return 0;
}
