/* repo_urls.c - the filled templates, sorted, so that equal ones are neighbours. */
#include "tools/repo_urls.h"

#include <stdlib.h>

#include "base/mem.h"

#define URL_MAX ((size_t)8 << 10)

struct place {
	char *url; /* owned */
	const struct repo_entry *entry;
};

int
repo_url_normalize(const char *url, struct buf *out)
{
	static const char scheme[] = "file://";
	bool is_folder = strncmp(url, scheme, sizeof(scheme) - 1) == 0;
	size_t len = strlen(url), least = is_folder ? sizeof(scheme) : 0;

	while (len > least && url[len - 1] == '/')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (is_folder && i >= least && url[i] == '/' && url[i - 1] == '/')
			continue;
		buf_char(out, url[i]);
	}
	return buf_err(out);
}

static int
by_url(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->url, y->url);
}

static int
fill(const char *template, const struct repo_entry *e, struct place *ret)
{
	struct buf filled, url;
	int rc;

	buf_init(&filled, URL_MAX);
	buf_init(&url, URL_MAX);
	rc = repo_template_fill(template, e, &filled);
	if (rc == 0 && buf_cstr(&filled) == NULL)
		rc = buf_err(&filled);
	if (rc == 0)
		rc = repo_url_normalize(buf_cstr(&filled), &url);
	buf_char(&url, '\0');
	if (rc == 0)
		rc = buf_err(&url);
	if (rc == 0)
		*ret = (struct place){ buf_take(&url, NULL), e };
	buf_clear(&filled);
	buf_clear(&url);
	return rc == 0 && ret->url == NULL ? ERR_NOMEM : rc;
}

static void
free_places(struct place *all, size_t count)
{
	for (size_t i = 0; all != NULL && i < count; i++)
		mem_free(all[i].url);
	mem_free(all);
}

/* Sorted by URL; NULL and the error in *ret_rc. */
static struct place *
fill_all(const char *template, const struct repo_list *list, int *ret_rc, struct err_info *ei)
{
	struct place *all = mem_calloc(list->count + 1, sizeof(*all));
	int rc = all == NULL ? ERR_NOMEM : 0;

	for (size_t i = 0; rc == 0 && i < list->count; i++)
		rc = fill(template, &list->items[i], &all[i]);
	if (rc == 0)
		qsort(all, list->count, sizeof(*all), by_url);
	*ret_rc = rc == ERR_LIMIT ? err_set(ei, rc, "%.100s...: too long", template) : rc;
	if (rc == 0)
		return all;
	free_places(all, list->count);
	return NULL;
}

int
repo_urls_check(
    const char *flag, const char *template, const struct repo_list *list, struct err_info *ei)
{
	int rc = repo_template_words(template, ei);
	struct place *all = NULL;

	if (rc == 0)
		all = fill_all(template, list, &rc, ei);
	for (size_t i = 1; rc == 0 && i < list->count; i++) {
		if (strcmp(all[i - 1].url, all[i].url) == 0)
			rc = err_set(ei, ERR_INVAL, "%s and %s would both be at %s",
			    all[i - 1].entry->name, all[i].entry->name, all[i].url);
	}
	free_places(all, list->count);
	return rc == ERR_INVAL ? err_wrap(ei, rc, "--%s", flag) : rc;
}

int
repo_urls_check_apart(
    const char *from, const char *to, const struct repo_list *list, struct err_info *ei)
{
	struct place *sources, *all = NULL;
	int rc;

	sources = fill_all(from, list, &rc, ei);
	if (rc == 0)
		all = fill_all(to, list, &rc, ei);
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		const struct place *same =
		    bsearch(&all[i], sources, list->count, sizeof(*sources), by_url);

		if (same != NULL)
			rc = err_set(ei, ERR_INVAL,
			    "%s is where %s is to go, and where %s comes from", all[i].url,
			    all[i].entry->name, same->entry->name);
	}
	free_places(sources, list->count);
	free_places(all, list->count);
	return rc;
}
