/* repo_source.c - see repo_source.h; does not decide what a list means. */
#include "base/repo_source.h"

#include "base/log.h"
#include "base/mem.h"

#define DEADLINE_MS 30000
#define NOTES_MAX 20 /* malformed entries that are named in the log, of one reading */

int
repo_source_init(struct repo_source *s, const char *url, struct err_info *ei)
{
	*s = (struct repo_source){ .ca_file = NULL };
	return store_url_split(url, &s->store_url, &s->object, ei);
}

void
repo_source_clear(struct repo_source *s)
{
	store_close(s->store);
	mem_free(s->store_url);
}

static void
on_note(void *ctx, size_t index, const char *name, const char *why)
{
	unsigned *notes = ctx;

	if ((*notes)++ < NOTES_MAX)
		log_warning("entry of the repository list skipped", LOG_I("entry", index),
		    LOG_S("name", name), LOG_S("why", why), LOG_END);
}

static int
parse(struct slice text, struct repo_list *ret, struct err_info *ei)
{
	unsigned notes = 0;
	int rc = repo_list_parse(text, on_note, &notes, ret, ei);

	if (notes > NOTES_MAX)
		log_warning("more entries of the repository list were skipped",
		    LOG_I("entries", notes - NOTES_MAX), LOG_END);
	return rc;
}

static int
fetch(struct repo_source *s, struct buf *text, struct err_info *ei)
{
	const struct store_open_opts opts = { .cancel =
						  s->cancel.check != NULL ? &s->cancel : NULL,
		.ca_file = s->ca_file,
		.deadline_ms = DEADLINE_MS };
	int rc = 0;

	if (s->store == NULL)
		rc = store_open_with(s->store_url, &opts, &s->store, ei);
	if (rc == 0)
		rc = store_get(s->store, s->object, REPO_LIST_BYTES_MAX, text, NULL, ei);
	return rc;
}

int
repo_source_read(
    struct repo_source *s, bool *ret_same, struct repo_list *ret, struct err_info *ei)
{
	char digest[SHA224_HEX_LEN + 1];
	bool same = false;
	struct buf text;
	int rc;

	buf_init(&text, REPO_LIST_BYTES_MAX);
	rc = fetch(s, &text, ei);
	if (rc == 0)
		rc = sha224_hex(buf_view(&text), digest);
	if (rc == 0) {
		same = ret_same != NULL && strcmp(digest, s->digest) == 0;
		rc = same ? 0 : parse(buf_view(&text), ret, ei);
	}
	if (rc == 0) {
		memcpy(s->digest, digest, sizeof(digest));
		if (ret_same != NULL)
			*ret_same = same;
	}
	buf_clear(&text);
	return rc;
}
