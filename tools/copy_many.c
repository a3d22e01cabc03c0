/* copy_many.c - the loop, and what it prints. */
#include "tools/copy_many.h"

#include <stdio.h>

#include "tools/copy_log.h"
#include "tools/repo_pick.h"

static int
open_filled(const char *template, const struct repo_entry *e,
    const struct store_open_opts *opts, struct store **ret, struct err_info *ei)
{
	struct buf url;
	int rc;

	buf_init(&url, (size_t)8 << 10);
	rc = repo_template_fill(template, e, &url);
	if (rc == 0)
		rc = buf_cstr(&url) != NULL ? store_open_with(buf_cstr(&url), opts, ret, ei)
					    : buf_err(&url);
	buf_clear(&url);
	return rc;
}

static int
copy_one(const struct copy_many *m, const struct store_open_opts *opts,
    const struct repo_entry *e, struct copy_log_result *ret, struct err_info *ei)
{
	struct copy_log job = {
		.from_prefix = "", .to_prefix = "", .replace = m->replace, .dry_run = m->dry_run
	};
	int rc = open_filled(m->from, e, opts, &job.from, ei);

	if (rc == 0)
		rc = open_filled(m->to, e, opts, &job.to, ei);
	if (rc == 0)
		rc = copy_log(&job, ret, ei);
	store_close(job.from);
	store_close(job.to);
	return rc;
}

static void
tell(const struct copy_many *m, const struct repo_entry *e, int rc,
    const struct copy_log_result *r, const struct err_info *ei)
{
	const char *state = rc != 0          ? "failed"
			    : r->copied == 0 ? "unchanged"
			    : m->dry_run     ? "to be copied"
					     : "copied";

	if (rc != 0)
		fprintf(stderr, "%s: %s: %s\n", m->program, e->name,
		    ei->text[0] != '\0' ? ei->text : err_name(rc));
	printf("%-12s %5zu segments %14llu bytes  %zu copied, %zu deleted  %s\n", state,
	    r->segments, (unsigned long long)r->bytes, r->copied, r->deleted, e->name);
	fflush(stdout);
}

int
copy_many(const struct copy_many *m, struct err_info *ei)
{
	const struct store_open_opts opts = { .ca_file = m->ca_file };
	const struct repo_pick pick = { m->repos, m->only.items, m->only.count, &opts };
	struct repo_list list = { 0 };
	size_t failed = 0;
	int rc = repo_pick(&pick, &list, ei);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < list.count; i++) {
		struct copy_log_result r = { 0 };
		struct err_info why = { 0 };

		fprintf(stderr, "%s: %zu of %zu: %s\n", m->program, i + 1, list.count,
		    list.items[i].name);
		rc = copy_one(m, &opts, &list.items[i], &r, &why);
		failed += rc != 0;
		tell(m, &list.items[i], rc, &r, &why);
	}
	printf("%zu of %zu repositories done\n", list.count - failed, list.count);
	repo_list_clear(&list);
	return failed == 0 ? 0 : err_set(ei, ERR_IO, "%zu repositories were not done", failed);
}
