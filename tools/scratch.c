/*
 * scratch.c - a directory is only removed by who holds its lock, and only used by who got
 * the lock and finds it still there: so a run that begins loses nothing to one that sweeps.
 */
#include "tools/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIQUE "XXXXXX" /* mkdtemp()'s */
#define FILE_NAME_ROOM 32
#define ATTEMPTS 16
#define DIGITS "0123456789"

static int
open_dir(int base, const char *path)
{
	return openat(base, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Is it ours, and linked still?  Without locks in the file system: yes, and nobody sweeps. */
static bool
hold(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return false;
	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static int
make_once(const char *base, const char *prefix, struct scratch *ret, struct err_info *ei)
{
	int n = snprintf(ret->path, sizeof(ret->path), "%s/%s" UNIQUE, base, prefix), error;

	ret->fd = -1;
	if (n < 0 || (size_t)n >= sizeof(ret->path) - FILE_NAME_ROOM)
		return err_set(ei, ERR_INVAL, "%.100s...: too long", base);
	if (mkdtemp(ret->path) == NULL) {
		error = errno;
		return err_set(ei, err_from_errno(error), "cannot make %s: %s", ret->path,
		    strerror(error));
	}
	ret->fd = open_dir(AT_FDCWD, ret->path);
	if (ret->fd >= 0 && hold(ret->fd))
		return 0;
	error = errno;
	if (ret->fd >= 0)
		close(ret->fd);
	else if (error != ENOENT) {
		rmdir(ret->path);
		return err_set(ei, err_from_errno(error), "cannot open %s: %s", ret->path,
		    strerror(error));
	}
	return ERR_BUSY; /* swept in the moment it was made */
}

int
scratch_make(const char *base, const char *prefix, struct scratch *ret, struct err_info *ei)
{
	int rc = ERR_BUSY;

	for (unsigned i = 0; rc == ERR_BUSY && i < ATTEMPTS; i++)
		rc = make_once(base, prefix, ret, ei);
	return rc == ERR_BUSY ? err_set(ei, rc, "%s: somebody removes what is made there", base)
			      : rc;
}

void
scratch_remove(struct scratch *s)
{
	rmdir(s->path);
	close(s->fd);
}

/* --- what killed runs left --- */

static bool
is_name(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 && strlen(name) == len + sizeof(UNIQUE) - 1;
}

/* Call unlink for each file, or (`remove` false) tell whether all may be. */
static bool
each_file(int fd, bool remove)
{
	DIR *dir = fdopendir(dup(fd));
	const struct dirent *e;
	bool good = dir != NULL;
	struct stat st;

	if (dir != NULL)
		rewinddir(dir);
	while (good && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		good = strspn(e->d_name, DIGITS) == strlen(e->d_name) &&
		       fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		       S_ISREG(st.st_mode);
		if (good && remove)
			good = unlinkat(fd, e->d_name, 0) == 0;
	}
	if (dir != NULL)
		closedir(dir);
	return good;
}

static bool
sweep_one(int base, const char *name)
{
	int fd = open_dir(base, name);
	struct stat st;
	bool gone;

	if (fd < 0)
		return false;
	gone = fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	       (st.st_mode & 07777) == S_IRWXU && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	       each_file(fd, false) && each_file(fd, true) &&
	       unlinkat(base, name, AT_REMOVEDIR) == 0;
	close(fd);
	return gone;
}

size_t
scratch_sweep(const char *base, const char *prefix)
{
	DIR *dir = opendir(base);
	const struct dirent *e;
	size_t count = 0;

	if (dir == NULL)
		return 0;
	while ((e = readdir(dir)) != NULL)
		count += is_name(e->d_name, prefix) && sweep_one(dirfd(dir), e->d_name);
	closedir(dir);
	return count;
}
