/*
 * spool.h - records parted by destination, on this machine's disk, so that any number of
 * destinations costs the memory of a fixed amount of buffers.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct spool;        /* all destinations' records */
struct spool_reader; /* one's, from the first on */

/* Remove the directories that killed processes left below `dir`; returns how many. */
size_t spool_sweep(const char *dir);
/*
 * Spool for `count` destinations in a new directory below `dir`.  ERR_NOMEM, and what the
 * operating system says.
 */
int spool_new(const char *dir, size_t count, struct spool **ret, struct err_info *ei);
/* Removes the directory and all in it.  NULL is fine. */
void spool_free(struct spool *s);

/* Append a record for destination `to`. */
int spool_add(struct spool *s, size_t to, struct slice payload, struct err_info *ei);
/* How many were added, and their bytes. */
uint64_t spool_count(const struct spool *s, size_t to);
uint64_t spool_bytes(const struct spool *s, size_t to);
/* Write out what is buffered, before anything is read. */
int spool_flush(struct spool *s, struct err_info *ei);

int spool_open(struct spool *s, size_t from, struct spool_reader **ret, struct err_info *ei);
void spool_close(struct spool_reader *r); /* NULL is fine */
/* The next record, borrowed until the next call; ERR_NOENT at the end, ERR_CORRUPT. */
int spool_next(struct spool_reader *r, struct slice *ret, struct err_info *ei);
