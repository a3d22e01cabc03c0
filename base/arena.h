/*
 * arena.h - memory that is freed all at once: what one request or one round
 * needs.  Blocks are kept over a reset, so a steady load allocates nothing.
 */
#pragma once

#include <stddef.h>

#include "base/bytes.h"

struct arena_block;

struct arena {
	struct arena_block *head; /* block in use; older ones behind it */
	size_t used;              /* bytes handed out since the last reset */
	size_t max;               /* cap on `used` */
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_clear(struct arena *a); /* frees everything */
void arena_reset(struct arena *a); /* forgets everything, keeps one block */

/* `size` bytes aligned for any type, zeroed; NULL without memory or past the cap. */
void *arena_alloc(struct arena *a, size_t size);

/* A copy with a NUL byte after it; NULL as above. */
char *arena_dup(struct arena *a, struct slice s);
