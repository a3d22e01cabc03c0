/* repo_pick.c - the list out of a store, cut down to names. */
#include "tools/repo_pick.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static void
tell(void *ctx, size_t index, const char *name, const char *why)
{
	(void)ctx;
	fprintf(stderr, "entry %zu of the list (%s) is skipped: %s\n", index, name, why);
}

static int
fetch(const struct repo_pick *p, struct buf *text, struct err_info *ei)
{
	struct store *s = NULL;
	const char *name;
	char *url;
	int rc = store_url_split(p->url, &url, &name, ei);

	if (rc != 0)
		return rc;
	rc = store_open_with(url, p->store_opts, &s, ei);
	if (rc == 0)
		rc = store_get(s, name, REPO_LIST_BYTES_MAX, text, NULL, ei);
	store_close(s);
	mem_free(url);
	return rc;
}

int
repo_pick_check_names(const char *const *only, size_t count, struct err_info *ei)
{
	for (size_t i = 0; i < count; i++) {
		if (!repo_name_ok(only[i]))
			return err_set(
			    ei, ERR_INVAL, "--repo: \"%s\" is not OWNER/REPO", only[i]);
	}
	return 0;
}

/* Names alone, as a list says them. */
static int
write_list(const struct repo_pick *p, struct buf *text)
{
	buf_str(text, "{\"repos\":[");
	for (size_t i = 0; i < p->only_count; i++)
		buf_fmt(text, "%s{\"repo\":\"%s\",\"is_tracking_issues\":true}",
		    i > 0 ? "," : "", p->only[i]);
	buf_str(text, "]}");
	return buf_err(text);
}

static const struct repo_entry *
find(const struct repo_list *l, const char *name)
{
	const char *slash = strchr(name, '/');

	if (slash == NULL)
		return NULL;
	return repo_list_find(
	    l, (struct slice){ name, (size_t)(slash - name) }, slice_str(slash + 1));
}

static bool
is_named(const struct repo_pick *p, const struct repo_list *l, const struct repo_entry *e)
{
	for (size_t i = 0; i < p->only_count; i++) {
		if (find(l, p->only[i]) == e)
			return true;
	}
	return p->only_count == 0;
}

static int
cut_down(const struct repo_pick *p, struct repo_list *l, struct err_info *ei)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->only_count; i++) {
		if (find(l, p->only[i]) == NULL)
			return err_set(ei, ERR_NOENT, "%s is not in the list", p->only[i]);
	}
	for (size_t i = 0; i < l->count; i++) /* marked by an empty digest, then moved up */
		if (!is_named(p, l, &l->items[i]))
			l->items[i].sha[0] = '\0';
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].sha[0] != '\0')
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
	return kept > 0 ? 0 : err_set(ei, ERR_INVAL, "no repository in it tracks its issues");
}

int
repo_pick_noting(const struct repo_pick *p, repo_list_note note, void *ctx,
    struct repo_list *ret, struct err_info *ei)
{
	struct repo_list l = { 0 };
	struct buf text;
	int rc;

	buf_init(&text, REPO_LIST_BYTES_MAX);
	rc = p->url != NULL ? fetch(p, &text, ei) : write_list(p, &text);
	if (rc == 0)
		rc = repo_list_parse(buf_view(&text), note, ctx, &l, ei);
	buf_clear(&text);
	if (rc == 0)
		rc = cut_down(p, &l, ei);
	if (rc == 0)
		*ret = l;
	else
		repo_list_clear(&l);
	return rc != 0 && p->url != NULL ? err_wrap(ei, rc, "%s", p->url) : rc;
}

int
repo_pick(const struct repo_pick *p, struct repo_list *ret, struct err_info *ei)
{
	return repo_pick_noting(p, tell, NULL, ret, ei);
}
