/*
 * store_dir_impl.h - what the files of the directory store share; private to them.
 *
 * An object is a file below the root.  Its generation is its modification time in
 * nanoseconds, which every write raises above that of the content before.  Files of
 * our own begin with STORE_OWN_PREFIX: a lock file per folder, under which writes
 * are checked and done; the one temporary file that a write may leave behind when it
 * dies, which the next write in that folder replaces; and those of store_lock().
 */
#pragma once

#include <limits.h>
#include <sys/stat.h>

#include "base/store/store_impl.h"

#define DIR_LOCK_FILE STORE_OWN_PREFIX "lock"
#define DIR_TEMP_FILE STORE_OWN_PREFIX "tmp"

struct dir_store {
	struct store head;
	char *root; /* absolute, without a trailing '/' unless it is "/" */
};

/* A folder held for writing: nobody else checks or changes objects in it. */
struct dir_folder {
	char path[PATH_MAX];
	int fd;      /* the folder itself, for fsync */
	int lock_fd; /* its lock file */
};

/* The code for `errnum`, with "doing PATH: reason" as the text. */
int dir_error(struct err_info *ei, int errnum, const char *doing, const char *path);

int64_t dir_generation(const struct stat *st);
struct store_object dir_describe(const struct stat *st);

/* root/name, or ERR_INVAL when that is too long. */
int dir_path(
    const struct dir_store *d, const char *name, char out[PATH_MAX], struct err_info *ei);

/* Open `path` for the life of a lock, making it and its folders when absent. */
int dir_open_making_folders(const char *path, int *ret_fd, struct err_info *ei);

/* Hold the folder in which the file `path` stands.  ERR_TIMEOUT after half a minute. */
int dir_folder_hold(const char *path, struct dir_folder *ret, struct err_info *ei);
void dir_folder_release(struct dir_folder *f);

/*
 * Put `data` in place of `path` in the held folder, durably, with a generation above
 * `old_generation`.
 */
int dir_replace(struct dir_folder *f, const char *path, struct slice data,
    int64_t old_generation, int64_t *ret_generation, struct err_info *ei);

int dir_list(struct store *s, const char *prefix, struct store_list *into, struct err_info *ei);
