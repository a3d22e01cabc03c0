/*
 * store_dir_file.c - how a file of the directory store is replaced so that a reader
 * sees the old or the new bytes, a crash leaves one of them, and of two writers only
 * one at a time looks at generations.  Does not know preconditions.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/store/fault.h"
#include "base/store/store_dir_impl.h"

#define FOLDER_MODE 0777 /* the umask decides */
#define FILE_MODE 0666
#define HOLD_DEADLINE_MS 30000 /* a write under the lock takes milliseconds */
#define HOLD_RETRY_NS 2000000

/* fsync the folder that holds `path`, so that its new entry lasts. */
static int
sync_parent(const char *path, struct err_info *ei)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	int fd, rc = 0;

	snprintf(parent, sizeof(parent), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return dir_error(ei, errno, "opening", parent);
	if (fsync(fd) != 0)
		rc = dir_error(ei, errno, "syncing", parent);
	close(fd);
	return rc;
}

/* Make every folder above the file `path`. */
static int
make_folders(const char *path, struct err_info *ei)
{
	char folder[PATH_MAX];

	for (const char *p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		int rc;

		snprintf(folder, sizeof(folder), "%.*s", (int)(p - path), path);
		if (mkdir(folder, FOLDER_MODE) != 0) {
			if (errno == EEXIST)
				continue;
			return dir_error(ei, errno, "making folder", folder);
		}
		rc = sync_parent(folder, ei);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
dir_open_making_folders(const char *path, int *ret_fd, struct err_info *ei)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, FILE_MODE);
	int rc;

	if (fd < 0 && errno == ENOENT) {
		rc = make_folders(path, ei);
		if (rc != 0)
			return rc;
		fd = open(path, flags, FILE_MODE);
	}
	if (fd < 0 && errno == ENOTDIR)
		return err_set(ei, ERR_INVAL, "%s: a part before the last is a file", path);
	if (fd < 0)
		return dir_error(ei, errno, "opening", path);
	*ret_fd = fd;
	return 0;
}

static int
wait_for_lock(int fd, const char *path, struct err_info *ei)
{
	const struct timespec pause = { .tv_nsec = HOLD_RETRY_NS };
	int64_t deadline = clock_mono_ms() + HOLD_DEADLINE_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return dir_error(ei, errno, "locking", path);
		if (clock_mono_ms() >= deadline)
			return err_set(ei, ERR_TIMEOUT, "locking %s: held for too long", path);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int
own_path(const struct dir_folder *f, const char *file, char out[PATH_MAX], struct err_info *ei)
{
	int n = snprintf(out, PATH_MAX, "%s%s", f->path, file);

	if (n < 0 || n >= PATH_MAX)
		return err_set(ei, ERR_INVAL, "%s: path too long", f->path);
	return 0;
}

int
dir_folder_hold(const char *path, struct dir_folder *ret, struct err_info *ei)
{
	struct dir_folder f = { .fd = -1, .lock_fd = -1 };
	char lock[PATH_MAX];
	int rc;

	snprintf(f.path, sizeof(f.path), "%.*s", (int)(strrchr(path, '/') - path) + 1, path);
	rc = own_path(&f, DIR_LOCK_FILE, lock, ei);
	if (rc == 0)
		rc = dir_open_making_folders(lock, &f.lock_fd, ei);
	if (rc == 0)
		rc = wait_for_lock(f.lock_fd, lock, ei);
	if (rc == 0) {
		f.fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (f.fd < 0)
			rc = dir_error(ei, errno, "opening", f.path);
	}
	if (rc != 0)
		dir_folder_release(&f);
	else
		*ret = f;
	return rc;
}

void
dir_folder_release(struct dir_folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	f->fd = f->lock_fd = -1;
}

static int
write_all(int fd, struct slice data, const char *path, struct err_info *ei)
{
	while (data.len > 0) {
		ssize_t n = write(fd, data.ptr, data.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dir_error(ei, errno, "writing", path);
		data.ptr += n;
		data.len -= (size_t)n;
	}
	return 0;
}

/*
 * Date the file above `old`.  A file system may keep coarser times than it was
 * given, so what it kept is read back, and larger steps are tried.
 */
static int
raise_generation(int fd, int64_t old, const char *path, int64_t *ret, struct err_info *ei)
{
	static const int64_t steps_ns[] = { 1, 1000000, 1000000000, INT64_C(4000000000) };
	struct timespec now;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	for (size_t i = 0; i < sizeof(steps_ns) / sizeof(steps_ns[0]); i++) {
		struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
		struct stat st;

		if (ns <= old)
			ns = old + steps_ns[i];
		times[1].tv_sec = (time_t)(ns / 1000000000);
		times[1].tv_nsec = (long)(ns % 1000000000);
		if (futimens(fd, times) != 0 || fstat(fd, &st) != 0)
			return dir_error(ei, errno, "dating", path);
		*ret = dir_generation(&st);
		if (*ret > old)
			return 0;
		ns = old;
	}
	return err_set(ei, ERR_IO, "dating %s: the file system keeps no usable times", path);
}

/* Write the temporary file whole, dated and on disk. */
static int
write_temp(const char *temp, struct slice data, int64_t old, int64_t *ret_generation,
    struct err_info *ei)
{
	int fd, rc;

	if (unlink(temp) != 0 && errno != ENOENT) /* left by a process that died */
		return dir_error(ei, errno, "deleting", temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return dir_error(ei, errno, "making", temp);
	rc = write_all(fd, data, temp, ei);
	if (rc == 0)
		rc = raise_generation(fd, old, temp, ret_generation, ei);
	if (rc == 0 && fsync(fd) != 0)
		rc = dir_error(ei, errno, "syncing", temp);
	if (close(fd) != 0 && rc == 0)
		rc = dir_error(ei, errno, "closing", temp);
	return rc;
}

int
dir_replace(struct dir_folder *f, const char *path, struct slice data, int64_t old_generation,
    int64_t *ret_generation, struct err_info *ei)
{
	char temp[PATH_MAX];
	int64_t generation = 0;
	int rc;

	rc = own_path(f, DIR_TEMP_FILE, temp, ei);
	if (rc != 0)
		return rc;
	rc = write_temp(temp, data, old_generation, &generation, ei);
	fault_point("store_dir.written");
	if (rc == 0 && rename(temp, path) != 0)
		rc = dir_error(ei, errno, "renaming to", path);
	if (rc != 0) {
		unlink(temp);
		return rc;
	}
	fault_point("store_dir.renamed");
	if (fsync(f->fd) != 0)
		return dir_error(ei, errno, "syncing", f->path);
	*ret_generation = generation;
	return 0;
}
