/* loader.c - see loader.h; must not touch what belongs to the loop's thread. */
#include "router/loader.h"

#include "base/clock.h"

#define RETRY_MS 10000 /* after a reading that failed */

int
loader_init(struct loader *l, const char *url, struct err_info *ei)
{
	*l = (struct loader){ .router = NULL };
	return repo_source_init(&l->source, url, ei);
}

void
loader_clear(struct loader *l)
{
	repo_source_clear(&l->source);
}

void
loader_read(struct loader *l)
{
	struct repo_list list = { .items = NULL };
	struct err_info ei = { .text = "" };
	int rc = repo_source_read(&l->source, NULL, &list, &ei);

	l->read_at_ms = clock_mono_ms();
	l->failed = rc != 0;
	if (rc == 0)
		rc = router_post_list(l->router, &list);
	if (rc != 0 && rc != ERR_CANCELED)
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
