/*
 * mlog.h - the words of the mutation log: positions, limits, names of segments.
 *
 * A log is a row of segments numbered from 0 without gaps under one prefix of a
 * store; a segment is records back to back.  FORMAT.md has the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/err.h"

#define MLOG_SEGMENT_MAX                                                                       \
	((uint64_t)16 << 20)               /* a segment with more than one record ends here */
#define MLOG_RECORD_MAX ((size_t)64 << 20) /* bytes of one record's payload */
#define MLOG_NUMBER_MAX 9999U              /* maintner's readers take exactly four digits */
#define MLOG_PREFIX_MAX 512                /* bytes of "owner/repo/" */

/* "0007." + 56 hex digits + ".mutlog" and a NUL. */
#define MLOG_NAME_SIZE (5 + SHA224_HEX_LEN + 7 + 1)
/* Ends the name of what a tail grows by, until it is composed: the result's, the base's size. */
#define MLOG_DELTA_SUFFIX ".delta"

/* A place in a log: that of a record's first byte, or where the next one goes. */
struct mlog_pos {
	uint32_t segment;
	uint64_t offset; /* bytes from the start of that segment */
};

/* Before (< 0), same (0), after (> 0).  {n, size of n} and {n + 1, 0} differ here. */
static inline int
mlog_pos_cmp(struct mlog_pos a, struct mlog_pos b)
{
	if (a.segment != b.segment)
		return a.segment < b.segment ? -1 : 1;
	return a.offset < b.offset ? -1 : a.offset > b.offset;
}

/* What names a segment's content. */
struct mlog_segment {
	uint32_t number;
	uint64_t size; /* bytes */
	char sha224[SHA224_HEX_LEN + 1];
};

/* The name of a segment below its prefix. */
void mlog_segment_name(uint32_t number, const char *sha224, char out[MLOG_NAME_SIZE]);

/*
 * Take such a name apart.  ERR_NOENT when it is not about a segment at all,
 * ERR_CORRUPT when it ends in .mutlog without being the name of one.
 */
int mlog_segment_parse(
    const char *name, uint32_t *ret_number, char ret_sha224[SHA224_HEX_LEN + 1]);

/* What an object below a log's prefix is, by its name there. */
enum mlog_name_kind {
	MLOG_NAME_OTHER, /* no part of a log */
	MLOG_NAME_SEGMENT,
	MLOG_NAME_WRITER, /* the commit record: mlog_fence.h */
	MLOG_NAME_DELTA,  /* what an interrupted flush left: no part of it, and no stranger */
};
enum mlog_name_kind mlog_name_kind(const char *name);

/* ERR_INVAL unless `prefix` is "" or a legal object name and a '/'. */
int mlog_prefix_check(const char *prefix, struct err_info *ei);
