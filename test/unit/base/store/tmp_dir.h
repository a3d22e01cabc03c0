/* tmp_dir.h - a folder for one test, removed with all that is in it. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TMP_DIR_SIZE 64

static inline int
tmp_dir_make(char out[TMP_DIR_SIZE])
{
	snprintf(out, TMP_DIR_SIZE, "%s/maintner-test-XXXXXX", P_tmpdir);
	return mkdtemp(out) == NULL ? -1 : 0;
}

static inline int
tmp_dir_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void
tmp_dir_remove(const char *dir)
{
	nftw(dir, tmp_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
