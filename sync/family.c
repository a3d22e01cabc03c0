/* family.c - rows of the sync table: how far each family is mirrored. */
#include <string.h>

#include "sync/syncer_internal.h"

static void
copy(struct slice from, char *to, size_t size)
{
	if (from.len >= size)
		from.len = 0; /* longer than we write: not ours */
	if (from.len > 0)
		memcpy(to, from.ptr, from.len);
	to[from.len] = '\0';
}

int
family_load(struct syncer *s, enum status_family f, struct family_state *ret)
{
	struct snap_view *v;
	struct snap_sync row;
	int rc = mirror_view(s->mirror, &v);

	if (rc != 0)
		return rc;
	rc = snap_sync_get(v, slice_str(status_family_names[f]), &row);
	memset(ret, 0, sizeof(*ret));
	ret->server_date_ms = ret->watermark_ms = TIME_NONE;
	if (rc == 0) {
		ret->server_date_ms = row.server_date_ms;
		ret->watermark_ms = row.watermark_ms;
		ret->complete = row.complete;
		copy(row.position, ret->position, sizeof(ret->position));
		copy(row.etag, ret->etag, sizeof(ret->etag));
		copy(row.etag_owner, ret->etag_owner, sizeof(ret->etag_owner));
	}
	snap_writer_view_end(v);
	return rc == ERR_NOENT ? 0 : rc;
}

void
family_store(struct snap_txn *t, enum status_family f, const struct family_state *st)
{
	struct snap_sync row = {
		.server_date_ms = st->server_date_ms,
		.watermark_ms = st->watermark_ms,
		.complete = st->complete,
		.position = slice_str(st->position),
		.etag = slice_str(st->etag),
		.etag_owner = slice_str(st->etag_owner),
	};

	snap_sync_put(t, slice_str(status_family_names[f]), &row);
}

struct save {
	enum status_family f;
	const struct family_state *st;
};

static int
save_row(struct mirror_txn *t, void *ctx)
{
	const struct save *job = ctx;

	family_store(t->snap, job->f, job->st);
	return 0;
}

int
family_save(
    struct syncer *s, enum status_family f, const struct family_state *st, struct err_info *ei)
{
	struct save job = { f, st };

	return mirror_commit(s->mirror, save_row, &job, ei);
}

const char *
family_etag(const struct syncer *s, const struct family_state *st)
{
	return strcmp(st->etag_owner, gh_token_digest(s->gh)) == 0 ? st->etag : "";
}

void
family_set_etag(struct family_state *st, const struct gh_page *page)
{
	copy(slice_str(page->etag), st->etag, sizeof(st->etag));
	copy(slice_str(page->token_digest), st->etag_owner, sizeof(st->etag_owner));
}
