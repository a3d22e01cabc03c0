/* copy_log.c - refuse or make room, copy, verify, and the record last. */
#include "tools/copy_log.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tools/copy_job.h"

#define PROGRESS_MS 2000

static void
progress(const struct copy_job *j, const char *doing, uint64_t bytes, int64_t *told_ms)
{
	int64_t now = clock_mono_ms();

	if (*told_ms == 0)
		*told_ms = now;
	if (j->c->on_progress == NULL || now - *told_ms < PROGRESS_MS)
		return;
	j->c->on_progress(j->c->ctx, doing, bytes, j->result.bytes);
	*told_ms = now;
}

/*
 * The bytes of a part are those that its name promises, at `s`.  What was taken as it is may
 * have been damaged before: then the copy is as the source is.
 */
static int
verify_part(struct copy_job *j, const struct copy_part *p, struct store *s, const char *prefix,
    struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1], want[SHA224_HEX_LEN + 1], got[SHA224_HEX_LEN + 1];
	struct store_object there;
	uint32_t number;
	int rc = mlog_segment_parse(p->name, &number, want);

	copy_name(prefix, p->name, name);
	if (rc == 0)
		rc = store_stat(s, name, &there, ei);
	if (rc == 0 && there.size != p->from->size)
		return err_set(ei, ERR_CORRUPT, "%s: it has %llu bytes, not %llu", name,
		    (unsigned long long)there.size, (unsigned long long)p->from->size);
	if (rc == 0)
		rc = copy_digest(j, s, name, there.size, got, ei);
	if (rc == 0 && strcmp(got, want) != 0 && j->unreadable)
		rc = copy_digest(j, j->c->from, p->from->name, there.size, want, ei);
	if (rc == 0 && strcmp(got, want) != 0)
		rc = err_set(ei, ERR_CORRUPT, "%s: the copy is not what its name says", name);
	return rc;
}

/*
 * Making room.
 */

/* Does the destination hold this whole log, and more of it? */
static int
has_gone_on(struct copy_job *j, bool *ret, struct err_info *ei)
{
	const struct copy_part *last = &j->parts[j->part_count - 1];
	char want[SHA224_HEX_LEN + 1], got[SHA224_HEX_LEN + 1];
	uint32_t number;
	size_t kept = 0;
	int rc = 0;

	*ret = false;
	for (size_t i = 0; i < j->to.count; i++)
		kept += j->fates[i] == COPY_KEPT;
	for (size_t i = 0; i < j->to.count && rc == 0 && !*ret; i++) {
		const struct store_object *o = &j->to.items[i];

		if (j->fates[i] != COPY_STRANGER ||
		    mlog_segment_parse(o->name + strlen(j->c->to_prefix), &number, got) != 0)
			continue;
		if (number > last->number) {
			*ret = kept == j->part_count;
		} else if (number == last->number && kept + 1 == j->part_count &&
			   o->size > last->from->size) {
			rc = mlog_segment_parse(last->name, &number, want);
			if (rc == 0)
				rc = copy_digest(
				    j, j->c->to, o->name, last->from->size, got, ei);
			*ret = rc == 0 && strcmp(got, want) == 0;
		}
	}
	return rc;
}

/* Before anything is deleted for it, the source must be worth it. */
static int
verify_source(struct copy_job *j, struct err_info *ei)
{
	uint64_t bytes = 0;
	int64_t told = 0;
	int rc = 0;

	for (size_t i = 0; i < j->part_count && rc == 0; i++) {
		rc = verify_part(j, &j->parts[i], j->c->from, j->c->from_prefix, ei);
		bytes += j->parts[i].from->size;
		progress(j, "read at the source", bytes, &told);
	}
	return rc != 0 ? err_wrap(ei, rc, "nothing is replaced") : 0;
}

static int
check_strangers(struct copy_job *j, struct err_info *ei)
{
	bool gone_on = false;
	int rc;

	for (size_t i = 0; i < j->to.count && !j->c->replace; i++) {
		if (j->fates[i] == COPY_STRANGER)
			return err_set(ei, ERR_EXISTS,
			    "%s: %s is there and is none of this log's; nothing is copied",
			    store_url(j->c->to), j->to.items[i].name);
	}
	if (j->strangers == 0)
		return 0;
	if (j->part_count == 0)
		return err_set(ei, ERR_NOENT, "the log is empty; nothing is replaced by it");
	rc = has_gone_on(j, &gone_on, ei);
	if (rc == 0 && gone_on)
		rc = err_set(ei, ERR_CONFLICT,
		    "the destination holds this log and has gone on since; nothing is "
		    "replaced");
	return rc == 0 && !j->c->dry_run ? verify_source(j, ei) : rc;
}

static int
delete_those(struct copy_job *j, enum copy_fate fate, struct err_info *ei)
{
	int rc = 0;

	for (size_t i = 0; i < j->to.count && rc == 0; i++) {
		const struct store_object *o = &j->to.items[i];

		if (j->fates[i] != fate)
			continue;
		j->result.deleted++;
		if (!j->c->dry_run)
			rc = store_delete(j->c->to, o->name, o->generation, ei);
	}
	return rc;
}

/* So is a copy onto itself. */
static bool
is_finished(const struct copy_job *j)
{
	return j->same_record && j->strangers == 0 && j->outgrown == 0 &&
	       j->to.count == j->part_count + 1;
}

/* WRITER goes first: without it the copy is unfinished. */
static int
make_room(struct copy_job *j, struct err_info *ei)
{
	int rc = is_finished(j) ? 0 : delete_those(j, COPY_RECORD, ei);

	return rc == 0 ? delete_those(j, COPY_STRANGER, ei) : rc;
}

/*
 * Copying.
 */

static int
put(struct copy_job *j, const char *from, const char *name, int64_t *ret_generation,
    struct err_info *ei)
{
	char to[STORE_NAME_MAX + 1];
	int rc;

	copy_name(j->c->to_prefix, name, to);
	j->result.copied++;
	if (j->c->dry_run)
		return 0;
	rc = store_copy(j->c->from, from, j->c->to, to, STORE_ABSENT, ret_generation, ei);
	return rc == ERR_CONFLICT ? err_wrap(ei, rc, "somebody else writes there") : rc;
}

static int
copy_parts(struct copy_job *j, struct err_info *ei)
{
	uint64_t bytes = 0;
	int64_t told = 0;
	int rc = 0;

	for (size_t i = 0; i < j->part_count && rc == 0; i++) {
		struct copy_part *p = &j->parts[i];
		char name[STORE_NAME_MAX + 1];
		const struct store_object *there;

		copy_name(j->c->to_prefix, p->name, name);
		there = store_list_find(&j->to, name);
		p->kept = there != NULL && there->size == p->from->size;
		if (!p->kept)
			rc = put(j, p->from->name, p->name, NULL, ei);
		bytes += p->from->size;
		progress(j, "copied", bytes, &told);
	}
	return rc;
}

/* What was there before may have been damaged there. */
static int
copy_anew(struct copy_job *j, struct copy_part *p, struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1];
	int rc;

	copy_name(j->c->to_prefix, p->name, name);
	rc = store_delete(j->c->to, name, store_list_find(&j->to, name)->generation, ei);
	j->result.deleted += rc == 0;
	if (rc == 0)
		rc = put(j, p->from->name, p->name, NULL, ei);
	p->kept = false;
	return rc == 0 ? verify_part(j, p, j->c->to, j->c->to_prefix, ei) : rc;
}

static int
verify_parts(struct copy_job *j, struct err_info *ei)
{
	uint64_t bytes = 0;
	int64_t told = 0;
	int rc = 0;

	for (size_t i = 0; i < j->part_count && rc == 0; i++) {
		struct copy_part *p = &j->parts[i];

		rc = verify_part(j, p, j->c->to, j->c->to_prefix, ei);
		if (rc == ERR_CORRUPT && p->kept)
			rc = copy_anew(j, p, ei);
		bytes += p->from->size;
		progress(j, "verified", bytes, &told);
	}
	return rc;
}

/*
 * The end.
 */

static bool
is_same_list(const struct store_list *a, const struct store_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i].name, b->items[i].name) != 0 ||
		    a->items[i].generation != b->items[i].generation)
			return false;
	}
	return true;
}

/* The source still is what was copied. */
static int
check_source(struct copy_job *j, struct err_info *ei)
{
	struct store_list now = { 0 };
	int rc = store_list(j->c->from, j->c->from_prefix, &now, ei);

	if (rc == 0 && !is_same_list(&j->from, &now))
		rc = err_set(ei, ERR_CONFLICT, "the log was written to meanwhile");
	store_list_clear(&now);
	return rc;
}

/* Somebody copies another log to the same place: that is not to be mixed with it. */
static void
take_back(struct copy_job *j, const struct store_list *now)
{
	for (size_t i = 0; i < j->part_count; i++) {
		char name[STORE_NAME_MAX + 1];
		const struct store_object *o;

		copy_name(j->c->to_prefix, j->parts[i].name, name);
		o = j->parts[i].kept ? NULL : store_list_find(now, name);
		if (o != NULL)
			(void)store_delete(j->c->to, name, o->generation, NULL);
	}
}

/* Nothing came to the destination from elsewhere. */
static int
check_destination(struct copy_job *j, struct err_info *ei)
{
	struct store_list now = { 0 };
	int rc = store_list(j->c->to, j->c->to_prefix, &now, ei);

	for (size_t i = 0; rc == 0 && i < now.count; i++) {
		const char *below = now.items[i].name + strlen(j->c->to_prefix);

		if (copy_find(j, below, 0) != NULL || strcmp(below, MLOG_WRITER_NAME) == 0)
			continue;
		rc = err_set(
		    ei, ERR_CONFLICT, "somebody else writes there: %s", now.items[i].name);
		take_back(j, &now);
	}
	store_list_clear(&now);
	return rc;
}

/* Every segment of the log is there. */
static int
check_parts(struct copy_job *j, struct err_info *ei)
{
	struct store_list now = { 0 };
	int rc = store_list(j->c->to, j->c->to_prefix, &now, ei);

	for (size_t i = 0; rc == 0 && i < j->part_count; i++) {
		char name[STORE_NAME_MAX + 1];

		copy_name(j->c->to_prefix, j->parts[i].name, name);
		if (store_list_find(&now, name) == NULL)
			rc = err_set(
			    ei, ERR_CONFLICT, "somebody deletes there: %s is gone", name);
	}
	store_list_clear(&now);
	return rc;
}

/* With its record the copy is a log: it is what the source is, then as now. */
static int
check_sealed(struct copy_job *j, struct err_info *ei)
{
	int rc = copy_compare_records(j, ei);

	if (rc == 0 && !j->same_record)
		rc = err_set(ei, ERR_CONFLICT,
		    MLOG_WRITER_NAME " is not what was copied: somebody writes at an end");
	if (rc == 0)
		rc = check_source(j, ei);
	return rc == 0 ? check_parts(j, ei) : rc;
}

/*
 * Whoever empties either end does it with that end's record, which a copy of it can cross:
 * so all is looked at once more behind the record, which goes if it should not stand.
 */
static int
put_record(struct copy_job *j, struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1];
	int64_t generation = STORE_ABSENT;
	int rc;

	copy_name(j->c->from_prefix, MLOG_WRITER_NAME, name);
	rc = put(j, name, MLOG_WRITER_NAME, &generation, ei);
	if (rc == 0)
		rc = check_sealed(j, ei);
	copy_name(j->c->to_prefix, MLOG_WRITER_NAME, name);
	if (rc != 0 && generation != STORE_ABSENT &&
	    store_delete(j->c->to, name, generation, NULL) != 0)
		return err_wrap(ei, rc, "%s could not be taken back", name);
	return rc;
}

static int
finish(struct copy_job *j, struct err_info *ei)
{
	int rc = verify_parts(j, ei);

	if (rc == 0)
		rc = delete_those(j, COPY_OUTGROWN, ei);
	if (rc == 0)
		rc = check_source(j, ei);
	if (rc == 0)
		rc = check_destination(j, ei);
	return rc == 0 && j->has_record && !is_finished(j) ? put_record(j, ei) : rc;
}

/* What would be done, and nothing of it. */
static void
pretend(struct copy_job *j)
{
	(void)delete_those(j, COPY_OUTGROWN, NULL);
	j->result.copied += j->has_record && !is_finished(j);
}

int
copy_log(const struct copy_log *c, struct copy_log_result *ret, struct err_info *ei)
{
	struct copy_job j = { .c = c };
	int rc = sha224_new(&j.digest);

	buf_init(&j.piece, COPY_READ_BYTES);
	if (rc == 0)
		rc = copy_look(&j, ei);
	if (rc == 0)
		rc = check_strangers(&j, ei);
	if (rc == 0)
		rc = make_room(&j, ei);
	if (rc == 0)
		rc = copy_parts(&j, ei);
	if (rc == 0 && c->dry_run)
		pretend(&j);
	else if (rc == 0)
		rc = finish(&j, ei);
	store_list_clear(&j.from);
	store_list_clear(&j.to);
	mem_free(j.parts);
	mem_free(j.fates);
	buf_clear(&j.piece);
	sha224_free(j.digest);
	*ret = j.result;
	return rc;
}
