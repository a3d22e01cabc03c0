/* copy_log.c - list both sides, delete or refuse, copy, verify, and the record last. */
#include "tools/copy_log.h"

#include <stdio.h>
#include <string.h>

#include "mutation-log/mlog_fence.h"

#define READ_BYTES ((size_t)4 << 20)

struct job {
	const struct copy_log *c;
	struct store_list from, to;
	int64_t writer_generation; /* of the source's WRITER; 0 = it has none */
	struct copy_log_result result;
};

static int
to_name(const struct copy_log *c, const char *name, char out[STORE_NAME_MAX + 1],
    struct err_info *ei)
{
	int n = snprintf(
	    out, STORE_NAME_MAX + 1, "%s%s", c->to_prefix, name + strlen(c->from_prefix));

	return n > 0 && n <= STORE_NAME_MAX ? 0 : err_set(ei, ERR_LIMIT, "%s: too long", name);
}

static bool
is_writer(const char *name, const char *prefix)
{
	return strcmp(name + strlen(prefix), MLOG_WRITER_NAME) == 0;
}

/* Only segments and WRITER are a log's. */
static int
check_names(const struct store_list *l, const char *prefix, int code, struct err_info *ei)
{
	for (size_t i = 0; i < l->count; i++) {
		const char *name = l->items[i].name;
		char sha[SHA224_HEX_LEN + 1];
		uint32_t number;

		if (!is_writer(name, prefix) &&
		    mlog_segment_parse(name + strlen(prefix), &number, sha) != 0)
			return err_set(ei, code, "%s is no part of a log", name);
	}
	return 0;
}

/* Nobody may be writing: the record says released, or there is none (maintner's logs). */
static int
check_fence(struct job *j, struct err_info *ei)
{
	struct mlog_fence fence = { 0 };
	int rc =
	    mlog_fence_load(j->c->from, j->c->from_prefix, &fence, &j->writer_generation, ei);

	if (rc == ERR_NOENT) {
		j->writer_generation = 0;
		return 0;
	}
	if (rc == 0 && !fence.released)
		rc = err_set(ei, ERR_BUSY, "%s holds the log; stop it first", fence.holder);
	mlog_fence_clear(&fence);
	return rc;
}

static int
look(struct job *j, struct err_info *ei)
{
	int rc = store_list(j->c->from, j->c->from_prefix, &j->from, ei);

	if (rc == 0)
		rc = store_list(j->c->to, j->c->to_prefix, &j->to, ei);
	if (rc == 0)
		rc = check_names(&j->from, j->c->from_prefix, ERR_CORRUPT, ei);
	if (rc == 0)
		rc = check_names(&j->to, j->c->to_prefix, ERR_EXISTS, ei);
	if (rc == 0 && j->from.count == 0)
		rc = err_set(ei, ERR_NOENT, "there is no log");
	return rc == 0 ? check_fence(j, ei) : rc;
}

/* Has the source an object that is the one at the destination? */
static bool
is_of_source(const struct job *j, const struct store_object *there)
{
	char name[STORE_NAME_MAX + 1];
	const struct store_object *o;

	snprintf(name, sizeof(name), "%s%s", j->c->from_prefix,
	    there->name + strlen(j->c->to_prefix));
	o = store_list_find(&j->from, name);
	return o != NULL && o->size == there->size;
}

static int
make_room(struct job *j, struct err_info *ei)
{
	int rc = 0;

	for (size_t i = 0; i < j->to.count && rc == 0; i++) {
		const struct store_object *o = &j->to.items[i];

		/* WRITER goes first in any case: without it the copy is unfinished. */
		if (!is_writer(o->name, j->c->to_prefix) && is_of_source(j, o))
			continue;
		if (!j->c->replace && !is_writer(o->name, j->c->to_prefix))
			return err_set(ei, ERR_EXISTS,
			    "%s is there and is none of this log's; nothing is copied",
			    o->name);
		j->result.deleted++;
		if (!j->c->dry_run)
			rc = store_delete(j->c->to, o->name, o->generation, ei);
	}
	return rc;
}

static int
copy_one(struct job *j, const struct store_object *o, struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1];
	const struct store_object *there;
	int rc = to_name(j->c, o->name, name, ei);

	if (rc != 0)
		return rc;
	there = store_list_find(&j->to, name);
	if (there != NULL && there->size == o->size && !is_writer(o->name, j->c->from_prefix))
		return 0; /* verified below */
	j->result.copied++;
	if (j->c->dry_run)
		return 0;
	rc = store_copy(j->c->from, o->name, j->c->to, name, STORE_ABSENT, NULL, ei);
	return rc == ERR_CONFLICT ? err_wrap(ei, rc, "somebody else writes there") : rc;
}

/* The bytes are those that the name promises. */
static int
verify_one(struct job *j, const struct store_object *o, struct sha224 *digest,
    struct buf *piece, struct err_info *ei)
{
	char name[STORE_NAME_MAX + 1], want[SHA224_HEX_LEN + 1], got[SHA224_HEX_LEN + 1];
	struct store_range range = { STORE_ANY, 0, READ_BYTES };
	uint32_t number;
	int rc = to_name(j->c, o->name, name, ei);

	if (rc != 0 ||
	    mlog_segment_parse(o->name + strlen(j->c->from_prefix), &number, want) != 0)
		return rc;
	rc = sha224_reset(digest);
	while (rc == 0 && range.offset < o->size) {
		buf_reset(piece);
		rc = store_read(j->c->to, name, &range, piece, NULL, ei);
		if (rc == 0 && piece->len == 0)
			break;
		if (rc == 0)
			rc = sha224_add(digest, piece->ptr, piece->len);
		range.offset += piece->len;
	}
	if (rc == 0)
		rc = sha224_peek_hex(digest, got);
	if (rc == 0 && (range.offset != o->size || strcmp(got, want) != 0))
		rc = err_set(ei, ERR_CORRUPT, "%s: the copy is not what its name says", name);
	return rc;
}

static int
for_each_segment(struct job *j, bool verify, struct err_info *ei)
{
	struct sha224 *digest = NULL;
	struct buf piece;
	int rc = sha224_new(&digest);

	buf_init(&piece, READ_BYTES);
	for (size_t i = 0; i < j->from.count && rc == 0; i++) {
		const struct store_object *o = &j->from.items[i];

		if (is_writer(o->name, j->c->from_prefix))
			continue;
		rc = verify ? verify_one(j, o, digest, &piece, ei) : copy_one(j, o, ei);
		j->result.segments += !verify;
		j->result.bytes += verify ? 0 : o->size;
	}
	buf_clear(&piece);
	sha224_free(digest);
	return rc;
}

/* The record last, and only if it still is the one that was found released. */
static int
copy_writer(struct job *j, struct err_info *ei)
{
	struct store_object now;
	char name[STORE_NAME_MAX + 1];
	const struct store_object *writer;
	int rc;

	snprintf(name, sizeof(name), "%s" MLOG_WRITER_NAME, j->c->from_prefix);
	rc = store_stat(j->c->from, name, &now, ei);
	if (rc != 0 && rc != ERR_NOENT)
		return rc;
	if ((rc == 0 ? now.generation : 0) != j->writer_generation)
		return err_set(ei, ERR_CONFLICT, "the log was written to meanwhile");
	writer = store_list_find(&j->from, name);
	return writer != NULL ? copy_one(j, writer, ei) : 0;
}

int
copy_log(const struct copy_log *c, struct copy_log_result *ret, struct err_info *ei)
{
	struct job j = { .c = c };
	int rc = look(&j, ei);

	if (rc == 0)
		rc = make_room(&j, ei);
	if (rc == 0)
		rc = for_each_segment(&j, false, ei);
	if (rc == 0 && !c->dry_run)
		rc = for_each_segment(&j, true, ei);
	if (rc == 0)
		rc = copy_writer(&j, ei);
	store_list_clear(&j.from);
	store_list_clear(&j.to);
	*ret = j.result;
	return rc;
}
