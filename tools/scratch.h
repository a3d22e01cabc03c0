/*
 * scratch.h - a directory of one run for files with numbers for names, and the removal of
 * those that killed runs left.  Who lives holds a lock on its own (flock).
 */
#pragma once

#include <limits.h>

#include "base/err.h"

struct scratch {
	char path[PATH_MAX];
	int fd; /* of the directory, locked */
};

/*
 * Make one below `base`: `prefix` and six characters.  It goes away with
 * scratch_remove(), which needs it to be empty.  ERR_INVAL (too long), and what the operating system says.
 */
int scratch_make(
    const char *base, const char *prefix, struct scratch *ret, struct err_info *ei);
void scratch_remove(struct scratch *s);

/*
 * Remove those below `base` that are this user's, that nobody holds and that have nothing
 * but such files in them.  Returns how many; what cannot be removed is left alone.
 */
size_t scratch_sweep(const char *base, const char *prefix);
