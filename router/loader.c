/* loader.c - see loader.h; must not touch what belongs to the loop's thread. */
#include "router/loader.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define RETRY_MS 10000 /* after a reading that failed */
#define NOTES_MAX 20   /* malformed entries that are named in the log, of one reading */

int
loader_init(struct loader *l, const char *url, struct err_info *ei)
{
	*l = (struct loader){ .url = url };
	return store_url_split(url, &l->store_url, &l->object, ei);
}

void
loader_clear(struct loader *l)
{
	store_close(l->store);
	mem_free(l->store_url);
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
read_list(struct loader *l, struct repo_list *ret, struct err_info *ei)
{
	const struct store_open_opts opts = { .cancel =
						  l->cancel.check != NULL ? &l->cancel : NULL,
		.ca_file = l->ca_file,
		.deadline_ms = 30000 };
	unsigned notes = 0;
	struct buf text;
	int rc = 0;

	if (l->store == NULL)
		rc = store_open_with(l->store_url, &opts, &l->store, ei);
	if (rc != 0)
		return rc;
	buf_init(&text, REPO_LIST_BYTES_MAX);
	rc = store_get(l->store, l->object, REPO_LIST_BYTES_MAX, &text, NULL, ei);
	if (rc == 0)
		rc = repo_list_parse(buf_view(&text), on_note, &notes, ret, ei);
	if (notes > NOTES_MAX)
		log_warning("more entries of the repository list were skipped",
		    LOG_I("entries", notes - NOTES_MAX), LOG_END);
	buf_clear(&text);
	return rc;
}

void
loader_read(struct loader *l)
{
	struct repo_list list = { .items = NULL };
	struct err_info ei = { .text = "" };
	int rc = read_list(l, &list, &ei);

	l->read_at_ms = clock_mono_ms();
	l->failed = rc != 0;
	if (rc == 0)
		rc = router_post_list(l->router, &list);
	else if (rc != ERR_CANCELED)
		router_post_list_error(l->router, ei.text[0] != '\0' ? ei.text : err_name(rc));
	repo_list_clear(&list);
}

int64_t
loader_wait_ms(const struct loader *l, int64_t now_ms)
{
	int64_t every = l->failed && l->interval_ms > RETRY_MS ? RETRY_MS : l->interval_ms;
	int64_t left = l->read_at_ms + every - now_ms;

	return l->read_at_ms == 0 || left < 0 ? 0 : left;
}
