/*
 * names.h - a table of things by name.  It owns the names' copies and none of the things.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct names_entry {
	char *name;
	void *thing;
	struct names_entry *next; /* of the same slot */
};

struct names {
	struct names_entry **slots;
	size_t slot_count, count;
};

/* All zeroes is an empty table. */
void *names_get(const struct names *n, const char *name); /* NULL if there is none */
/* Put or replace; `thing` must not be NULL.  ERR_NOMEM. */
int names_put(struct names *n, const char *name, void *thing);
void *names_take(struct names *n, const char *name); /* what was removed, or NULL */
/* Remove what `is_old` says (it must not change the table); `end` gets each removed thing. */
void names_sweep(struct names *n, bool (*is_old)(void *ctx, const char *name, void *thing),
    void *ctx, void (*end)(void *thing));
/* Call `end` (may be NULL) for each thing, and empty the table. */
void names_clear(struct names *n, void (*end)(void *thing));

/* for (e = names_first(n, &at); e != NULL; e = names_next(n, &at, e)); no change meanwhile. */
struct names_entry *names_first(const struct names *n, size_t *at);
struct names_entry *names_next(const struct names *n, size_t *at, const struct names_entry *e);
