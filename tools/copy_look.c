/* copy_look.c - what is at both ends of a copy; changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mutation-log/mlog_reader.h"
#include "tools/copy_job.h"

void
copy_name(const char *prefix, const char *name, char out[STORE_NAME_MAX + 1])
{
	snprintf(out, STORE_NAME_MAX + 1, "%s%s", prefix, name);
}

int
copy_digest(struct copy_job *j, struct store *s, const char *name, uint64_t len,
    char out[SHA224_HEX_LEN + 1], struct err_info *ei)
{
	struct store_range range = { STORE_ANY, 0, COPY_READ_BYTES };
	int rc = sha224_reset(j->digest);

	while (rc == 0 && range.offset < len) {
		if (len - range.offset < range.len)
			range.len = (size_t)(len - range.offset);
		buf_reset(&j->piece);
		rc = store_read(s, name, &range, &j->piece, NULL, ei);
		if (rc == 0 && j->piece.len == 0)
			rc =
			    err_set(ei, ERR_CORRUPT, "%s: it is shorter than was listed", name);
		if (rc == 0)
			rc = sha224_add(j->digest, j->piece.ptr, j->piece.len);
		range.offset += j->piece.len;
	}
	return rc == 0 ? sha224_peek_hex(j->digest, out) : rc;
}

/* They are sorted by number; only of an unreadable log several may have the same one. */
struct copy_part *
copy_find(const struct copy_job *j, const char *name, uint32_t number)
{
	char sha[SHA224_HEX_LEN + 1];
	size_t low = 0, high = j->part_count;

	if (name != NULL && mlog_segment_parse(name, &number, sha) != 0)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (j->parts[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < j->part_count && j->parts[low].number == number; low++) {
		if (name == NULL || strcmp(j->parts[low].name, name) == 0)
			return &j->parts[low];
	}
	return NULL;
}

static int
check_names(const struct store *s, const struct store_list *l, const char *prefix, int code,
    struct err_info *ei)
{
	for (size_t i = 0; i < l->count; i++) {
		if (mlog_name_kind(l->items[i].name + strlen(prefix)) == MLOG_NAME_OTHER)
			return err_set(ei, code, "%s: %s is no part of a log", store_url(s),
			    l->items[i].name);
	}
	return 0;
}

/*
 * The source.
 */

static int
add_part(struct copy_job *j, const char *name, struct err_info *ei)
{
	char full[STORE_NAME_MAX + 1], sha[SHA224_HEX_LEN + 1];
	struct copy_part *p = &j->parts[j->part_count];

	copy_name(j->c->from_prefix, name, full);
	*p = (struct copy_part){ .from = store_list_find(&j->from, full) };
	if (p->from == NULL)
		return err_set(ei, ERR_CONFLICT, "the log was written to meanwhile");
	snprintf(p->name, sizeof(p->name), "%s", name);
	j->part_count++;
	j->result.segments++;
	j->result.bytes += p->from->size;
	return mlog_segment_parse(name, &p->number, sha);
}

/*
 * Of two objects with one number only one is the log: which one, the reader knows.  Without a
 * WRITER it is the newer one, and copies are all new.
 */
static int
take_log(struct copy_job *j, struct err_info *ei)
{
	struct mlog_reader *r = NULL;
	int rc =
	    mlog_reader_open(j->c->from, j->c->from_prefix, (struct mlog_pos){ 0, 0 }, &r, ei);

	for (size_t i = 0; rc == 0 && i < mlog_reader_segment_count(r); i++) {
		const struct mlog_segment *s = mlog_reader_segment(r, i);
		char name[MLOG_NAME_SIZE];

		mlog_segment_name(s->number, s->sha224, name);
		rc = add_part(j, name, ei);
	}
	mlog_reader_close(r);
	return rc;
}

/* By number and time, so that a reader without a WRITER takes what it took before. */
static int
compare_parts(const void *left, const void *right)
{
	const struct copy_part *a = left, *b = right;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->from->created_ms != b->from->created_ms)
		return a->from->created_ms < b->from->created_ms ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int
take_everything(struct copy_job *j, struct err_info *ei)
{
	int rc = 0;

	j->unreadable = true;
	j->part_count = 0;
	j->result.segments = 0;
	j->result.bytes = 0;
	for (size_t i = 0; i < j->from.count && rc == 0; i++) {
		const char *name = j->from.items[i].name + strlen(j->c->from_prefix);

		if (mlog_name_kind(name) == MLOG_NAME_SEGMENT)
			rc = add_part(j, name, ei);
	}
	qsort(j->parts, j->part_count, sizeof(j->parts[0]), compare_parts);
	return rc;
}

static int
look_at_source(struct copy_job *j, struct err_info *ei)
{
	char record[STORE_NAME_MAX + 1];
	int rc = store_list(j->c->from, j->c->from_prefix, &j->from, ei);

	if (rc == 0)
		rc = check_names(j->c->from, &j->from, j->c->from_prefix, ERR_CORRUPT, ei);
	if (rc == 0 && j->from.count == 0)
		rc = err_set(ei, ERR_NOENT, "%s: there is no log", store_url(j->c->from));
	if (rc != 0)
		return rc;
	copy_name(j->c->from_prefix, MLOG_WRITER_NAME, record);
	j->has_record = store_list_find(&j->from, record) != NULL;
	j->parts = mem_calloc(j->from.count, sizeof(j->parts[0]));
	if (j->parts == NULL)
		return ERR_NOMEM;
	rc = take_log(j, ei);
	if (rc == ERR_CORRUPT && j->c->as_it_is)
		return take_everything(j, ei);
	return rc == 0 ? 0 : err_wrap(ei, rc, "%s", store_url(j->c->from));
}

/*
 * The destination.
 */

/*
 * A flush puts a longer segment under a new name: is `there` what the source's one with that
 * number began with?
 */
static int
has_grown_from(struct copy_job *j, const struct store_object *there, const char *name,
    bool *ret, struct err_info *ei)
{
	char want[SHA224_HEX_LEN + 1], got[SHA224_HEX_LEN + 1];
	const struct copy_part *p;
	uint32_t number;
	int rc = mlog_segment_parse(name, &number, want);

	*ret = false;
	p = rc == 0 ? copy_find(j, NULL, number) : NULL;
	if (p == NULL || p->from->size <= there->size)
		return rc;
	rc = copy_digest(j, j->c->from, p->from->name, there->size, got, ei);
	*ret = rc == 0 && strcmp(got, want) == 0;
	return rc;
}

static int
find_fate(struct copy_job *j, const struct store_object *there, enum copy_fate *ret,
    struct err_info *ei)
{
	const char *name = there->name + strlen(j->c->to_prefix);
	enum mlog_name_kind kind = mlog_name_kind(name);
	const struct copy_part *p = copy_find(j, name, 0);
	bool grown = false;
	int rc = 0;

	if (kind == MLOG_NAME_SEGMENT && p == NULL)
		rc = has_grown_from(j, there, name, &grown, ei);
	*ret = kind == MLOG_NAME_WRITER                    ? COPY_RECORD
	       : kind == MLOG_NAME_DELTA || grown          ? COPY_OUTGROWN
	       : p != NULL && p->from->size == there->size ? COPY_KEPT
							   : COPY_STRANGER;
	j->strangers += *ret == COPY_STRANGER;
	j->outgrown += *ret == COPY_OUTGROWN;
	return rc;
}

int
copy_compare_records(struct copy_job *j, struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1];
	struct buf ours, theirs;
	int rc;

	buf_init(&ours, MLOG_WRITER_MAX_BYTES);
	buf_init(&theirs, MLOG_WRITER_MAX_BYTES);
	copy_name(j->c->from_prefix, MLOG_WRITER_NAME, name);
	rc = store_get(j->c->from, name, MLOG_WRITER_MAX_BYTES, &ours, NULL, ei);
	copy_name(j->c->to_prefix, MLOG_WRITER_NAME, name);
	if (rc == 0)
		rc = store_get(j->c->to, name, MLOG_WRITER_MAX_BYTES, &theirs, NULL, ei);
	j->same_record = rc == 0 && slice_eq(buf_view(&ours), buf_view(&theirs));
	buf_clear(&ours);
	buf_clear(&theirs);
	return rc;
}

static int
look_at_destination(struct copy_job *j, struct err_info *ei)
{
	int rc = store_list(j->c->to, j->c->to_prefix, &j->to, ei);

	if (rc == 0)
		rc = check_names(j->c->to, &j->to, j->c->to_prefix, ERR_EXISTS, ei);
	j->fates = mem_calloc(j->to.count + 1, sizeof(j->fates[0]));
	if (rc == 0 && j->fates == NULL)
		rc = ERR_NOMEM;
	for (size_t i = 0; rc == 0 && i < j->to.count; i++) {
		rc = find_fate(j, &j->to.items[i], &j->fates[i], ei);
		if (rc == 0 && j->fates[i] == COPY_RECORD && j->has_record)
			rc = copy_compare_records(j, ei);
	}
	return rc;
}

int
copy_look(struct copy_job *j, struct err_info *ei)
{
	int rc = look_at_source(j, ei);

	return rc == 0 ? look_at_destination(j, ei) : rc;
}
