/*
 * mlog_list.c - tells the log's segments from what interrupted flushes left beside
 * them.  Reads names, sizes and WRITER; no segment's bytes.
 */
#include "mutation-log/mlog_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* WRITER moves at most once a second, so a few looks suffice. */
#define LOOKS_MAX 8

void
mlog_object_name(
    const char *prefix, const struct mlog_segment *seg, char out[MLOG_OBJECT_NAME_SIZE])
{
	char name[MLOG_NAME_SIZE];

	mlog_segment_name(seg->number, seg->sha224, name);
	snprintf(out, MLOG_OBJECT_NAME_SIZE, "%s%s", prefix, name);
}

void
mlog_list_clear(struct mlog_list *l)
{
	mlog_fence_clear(&l->fence);
	mem_free(l->objects);
	mem_free(l->log);
	*l = (struct mlog_list){ 0 };
}

struct mlog_pos
mlog_list_end(const struct mlog_list *l)
{
	if (l->log_count == 0)
		return (struct mlog_pos){ 0, 0 };
	return (struct mlog_pos){ l->log[l->log_count - 1].segment.number,
		l->log[l->log_count - 1].segment.size };
}

/* By number; of one number the one that wins without a WRITER comes first. */
static int
compare_objects(const void *left, const void *right)
{
	const struct mlog_object *a = left, *b = right;

	if (a->segment.number != b->segment.number)
		return a->segment.number < b->segment.number ? -1 : 1;
	if (a->created_ms != b->created_ms)
		return a->created_ms > b->created_ms ? -1 : 1;
	if (a->segment.size != b->segment.size)
		return a->segment.size > b->segment.size ? -1 : 1;
	return strcmp(a->segment.sha224, b->segment.sha224);
}

static int
take_objects(
    struct mlog_list *l, const struct store_list *names, size_t prefix_len, struct err_info *ei)
{
	l->objects = mem_calloc(names->count + 1, sizeof(l->objects[0]));
	if (l->objects == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < names->count; i++) {
		const struct store_object *o = &names->items[i];
		struct mlog_object *to = &l->objects[l->object_count];
		int rc = ERR_NOENT;

		if (strchr(o->name + prefix_len, '/') == NULL)
			rc = mlog_segment_parse(
			    o->name + prefix_len, &to->segment.number, to->segment.sha224);
		if (rc == ERR_CORRUPT)
			return err_set(ei, rc, "%s is not the name of a segment", o->name);
		if (rc != 0)
			continue;
		to->segment.size = o->size;
		to->generation = o->generation;
		to->created_ms = o->created_ms;
		l->object_count++;
	}
	qsort(l->objects, l->object_count, sizeof(l->objects[0]), compare_objects);
	return 0;
}

static int
missing(const char *prefix, uint32_t number, const char *sha224, struct err_info *ei)
{
	if (sha224 == NULL)
		return err_set(ei, ERR_CORRUPT, "log %s: number %04u is missing", prefix,
		    (unsigned)number);
	return err_set(ei, ERR_CORRUPT,
	    "log %s: number %04u is missing: WRITER names %04u.%s.mutlog", prefix,
	    (unsigned)number, (unsigned)number, sha224);
}

/* The digest that WRITER gives for a number, NULL where it gives none. */
static const char *
named(const struct mlog_list *l, uint32_t number)
{
	if (!l->has_fence)
		return NULL;
	if (number == l->fence.tail.number)
		return l->fence.tail.sha224;
	return number < l->fence.sealed_count ? l->fence.sealed[number] : NULL;
}

/* How many numbers the log has: what WRITER says, or up to the highest listed. */
static size_t
count_numbers(const struct mlog_list *l)
{
	if (l->has_fence)
		return l->fence.has_tail ? (size_t)l->fence.tail.number + 1 : 0;
	return l->object_count == 0
		   ? 0
		   : (size_t)l->objects[l->object_count - 1].segment.number + 1;
}

static int
choose(struct mlog_list *l, const char *prefix, struct err_info *ei)
{
	size_t count = count_numbers(l), at = 0;

	l->log = mem_calloc(count + 1, sizeof(l->log[0]));
	if (l->log == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < count; n++) {
		const char *sha224 = named(l, n);
		const struct mlog_object *won = NULL;

		for (; at < l->object_count && l->objects[at].segment.number == n; at++) {
			const struct mlog_object *o = &l->objects[at];

			if (won == NULL &&
			    (sha224 == NULL || strcmp(sha224, o->segment.sha224) == 0))
				won = o;
		}
		if (won == NULL)
			return missing(prefix, n, sha224, ei);
		l->log[n] = *won;
	}
	l->log_count = count;
	if (l->has_fence && count > 0 && l->log[count - 1].segment.size != l->fence.tail.size)
		return err_set(ei, ERR_CORRUPT,
		    "log %s: tail %04u has %llu bytes, WRITER says %llu", prefix,
		    (unsigned)l->fence.tail.number,
		    (unsigned long long)l->log[count - 1].segment.size,
		    (unsigned long long)l->fence.tail.size);
	return 0;
}

static int
look(struct store *s, const char *prefix, struct mlog_list *l, struct err_info *ei)
{
	struct store_list names = { 0 };
	int rc = mlog_fence_load(s, prefix, &l->fence, &l->fence_generation, ei);

	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	l->has_fence = rc == 0;
	rc = store_list(s, prefix, &names, ei);
	if (rc == 0)
		rc = take_objects(l, &names, strlen(prefix), ei);
	if (rc == 0)
		rc = choose(l, prefix, ei);
	store_list_clear(&names);
	return rc;
}

/*
 * Was `l` found damaged only because WRITER moved meanwhile?  Then look again (0), else
 * it is damaged, or whatever kept us from knowing.
 */
static int
is_damaged(struct store *s, const char *prefix, const struct mlog_list *l)
{
	struct mlog_fence now = { 0 };
	int64_t generation = STORE_ABSENT;
	int rc = mlog_fence_load(s, prefix, &now, &generation, NULL);

	mlog_fence_clear(&now);
	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	return generation == l->fence_generation ? ERR_CORRUPT : 0;
}

int
mlog_list_load(struct store *s, const char *prefix, struct mlog_list *ret, struct err_info *ei)
{
	int rc;

	for (int i = 0; i < LOOKS_MAX; i++) {
		struct mlog_list l = { 0 };
		int again = 0;

		rc = look(s, prefix, &l, ei);
		if (rc == 0) {
			*ret = l;
			return 0;
		}
		if (rc == ERR_CORRUPT)
			again = is_damaged(s, prefix, &l);
		mlog_list_clear(&l);
		if (rc != ERR_CORRUPT)
			return rc;
		if (again != 0)
			return again;
	}
	return err_set(
	    ei, ERR_BUSY, "log %s: WRITER moves faster than it can be listed", prefix);
}
