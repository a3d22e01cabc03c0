/* source.c - see source.h; must not decide what a list means. */
#include "sprvsr/source.h"

#include "base/log.h"
#include "base/mem.h"

#define NOTES_MAX 20

int
source_init(struct source *s, const char *url, struct err_info *ei)
{
	*s = (struct source){ .ca_file = NULL };
	return store_url_split(url, &s->store_url, &s->object, ei);
}

void
source_clear(struct source *s)
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

int
source_read(struct source *s, bool *ret_same, struct repo_list *ret, struct err_info *ei)
{
	const struct store_open_opts opts = { .cancel =
						  s->cancel.check != NULL ? &s->cancel : NULL,
		.ca_file = s->ca_file,
		.deadline_ms = 30000 };
	char digest[SHA224_HEX_LEN + 1];
	unsigned notes = 0;
	struct buf text;
	int rc = 0;

	if (s->store == NULL)
		rc = store_open_with(s->store_url, &opts, &s->store, ei);
	if (rc != 0)
		return rc;
	buf_init(&text, REPO_LIST_BYTES_MAX);
	rc = store_get(s->store, s->object, REPO_LIST_BYTES_MAX, &text, NULL, ei);
	if (rc == 0)
		rc = sha224_hex(buf_view(&text), digest);
	if (rc == 0) {
		*ret_same = strcmp(digest, s->digest) == 0;
		if (!*ret_same)
			rc = repo_list_parse(buf_view(&text), on_note, &notes, ret, ei);
		if (rc == 0)
			memcpy(s->digest, digest, sizeof(digest));
	}
	buf_clear(&text);
	return rc;
}
