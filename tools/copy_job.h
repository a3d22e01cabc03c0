/* copy_job.h - what copy_log.c and copy_look.c share; nobody else includes it. */
#pragma once

#include "base/digest.h"
#include "mutation-log/mlog_fence.h"
#include "tools/copy_log.h"

#define COPY_READ_BYTES ((size_t)4 << 20)

/* What an object at the destination is to the source. */
enum copy_fate {
	COPY_KEPT,     /* one of its segments */
	COPY_OUTGROWN, /* what one of its segments was before it grew, or a flush's remains */
	COPY_STRANGER, /* of another log */
	COPY_RECORD,   /* WRITER */
};

struct copy_part {
	const struct store_object *from; /* in the source's list */
	char name[MLOG_NAME_SIZE];
	uint32_t number;
	bool kept; /* it was at the destination before */
};

struct copy_job {
	const struct copy_log *c;
	struct store_list from, to;
	struct copy_part *parts; /* the log, in order */
	size_t part_count;
	enum copy_fate *fates; /* of to.items */
	size_t strangers, outgrown;
	bool has_record;  /* the source has a WRITER */
	bool same_record; /* and the destination the same one */
	bool unreadable;  /* as_it_is: it is no readable log */
	struct sha224 *digest;
	struct buf piece;
	struct copy_log_result result;
};

/* List both sides, find the log's segments, and what each object at the destination is. */
int copy_look(struct copy_job *j, struct err_info *ei);
/* Is the commit record at the destination, byte for byte?  Sets j->same_record. */
int copy_compare_records(struct copy_job *j, struct err_info *ei);
/* The part of that name, or (NULL `name`) one with that number; NULL: none. */
struct copy_part *copy_find(const struct copy_job *j, const char *name, uint32_t number);
/* prefix and name. */
void copy_name(const char *prefix, const char *name, char out[STORE_NAME_MAX + 1]);
/* SHA-224 of the first `len` bytes of an object.  ERR_CORRUPT when it is shorter. */
int copy_digest(struct copy_job *j, struct store *s, const char *name, uint64_t len,
    char out[SHA224_HEX_LEN + 1], struct err_info *ei);
