/* copy_many.c - the loop, and what it prints. */
#include "tools/copy_many.h"

#include <stdio.h>

#include "tools/copy_log.h"
#include "tools/free_log.h"
#include "tools/repo_pick.h"
#include "tools/scale.h"

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

static void
on_wait(void *ctx, const char *holder, int64_t left_s)
{
	const struct copy_many *m = ctx;

	fprintf(stderr, "%s: %s did not release the log: waiting %lld s for its lease to end\n",
	    m->program, holder, (long long)left_s);
}

static void
on_progress(void *ctx, const char *doing, uint64_t bytes, uint64_t total)
{
	const struct copy_many *m = ctx;

	fprintf(stderr, "%s: %llu of %llu MB %s\n", m->program,
	    (unsigned long long)(bytes / 1000000), (unsigned long long)(total / 1000000),
	    doing);
}

/*
 * Nobody may write there.  A pod that was killed leaves the record as if it held the log:
 * its lease must end.  Who wrote a moment ago is only waited for when its pod is gone.
 */
static int
set_free(const struct copy_many *m, struct free_log *log, struct err_info *ei)
{
	log->prefix = "";
	log->cancel = &m->stop->cancel;
	log->on_wait = on_wait;
	log->ctx = (void *)m;
	return m->dry_run ? free_log_see(log, ei) : free_log_take(log, ei);
}

static int
copy_free(const struct copy_many *m, const struct copy_log *job, struct copy_log_result *ret,
    struct err_info *ei)
{
	struct free_log from = {
		.store = job->from, .impatient = !m->kubernetes, .read_only = true
	};
	struct free_log to = { .store = job->to, .impatient = true };
	int rc = set_free(m, &from, ei);

	if (rc == 0)
		rc = set_free(m, &to, ei);
	if (rc == 0)
		rc = copy_log(job, ret, ei);
	free_log_clear(&from);
	free_log_clear(&to);
	return rc;
}

/* Is there a log, and nothing at either end that would stop the copy whoever writes? */
static int
look_first(const struct copy_log *job, struct err_info *ei)
{
	struct free_log from = { .store = job->from, .prefix = job->from_prefix };
	struct free_log to = { .store = job->to, .prefix = job->to_prefix };
	int rc = free_log_look(&from, ei);

	if (rc == 0 && from.objects.count == 0)
		rc = err_set(ei, ERR_NOENT, "%s: there is no log", store_url(job->from));
	if (rc == 0)
		rc = free_log_look(&to, ei);
	free_log_clear(&from);
	free_log_clear(&to);
	return rc;
}

/* A request that failed may have been done: the cluster says what there is. */
static void
tell_not_back(const struct copy_many *m, struct scale *cluster, const struct scale_target *t,
    const char *why)
{
	struct scale_target now = *t;

	if (scale_look(cluster, &now, NULL) == 0)
		fprintf(stderr,
		    "%s: left undone: %s is at %lld replicas, to be %lld: %s; run this again\n",
		    m->program, t->name, (long long)now.replicas, (long long)t->scaled_from,
		    why);
	else
		fprintf(stderr,
		    "%s: left undone: %s may be at 0 replicas, to be %lld: %s; run this "
		    "again\n",
		    m->program, t->name, (long long)t->scaled_from, why);
}

/* What failed first is told; that it could not be scaled back is told, too. */
static int
scale_back(const struct copy_many *m, struct scale *cluster, struct scale_target *t, int rc,
    struct err_info *ei)
{
	struct err_info why = { .text = "" };
	bool finishing = m->stop->finishing;
	int back;

	m->stop->finishing = true;
	back = scale_restore(cluster, t, &why);
	if (back != 0)
		tell_not_back(m, cluster, t, why.text);
	m->stop->finishing = finishing;
	if (back == 0)
		return rc;
	return rc != 0 ? rc : err_set(ei, back, "it was copied, but not scaled back");
}

static int
open_ends(const struct copy_many *m, const struct store_open_opts *opts,
    const struct repo_entry *e, struct copy_log *job, struct err_info *ei)
{
	int rc = open_filled(m->from, e, opts, &job->from, ei);

	return rc == 0 ? open_filled(m->to, e, opts, &job->to, ei) : rc;
}

/*
 * With its pod gone meanwhile.  A pod is not stopped for what cannot succeed; one that a
 * killed run left stopped comes back in any case.
 */
static int
copy_scaled(const struct copy_many *m, struct scale *cluster,
    const struct store_open_opts *opts, const struct repo_entry *e, struct copy_log *job,
    struct copy_log_result *ret, struct err_info *ei)
{
	struct scale_target t;
	int rc = scale_find(cluster, e->name, &t, ei);

	if (rc != 0)
		return rc;
	rc = open_ends(m, opts, e, job, ei);
	if (rc == 0)
		rc = look_first(job, ei);
	if (m->dry_run) {
		printf("to be scaled from %lld to 0 and back: %s\n", (long long)t.replicas,
		    t.name);
		return rc == 0 ? copy_free(m, job, ret, ei) : rc;
	}
	if (rc != 0 && t.replicas > 0)
		return rc;
	if (rc == 0)
		rc = scale_to_zero(cluster, &t, true, ei);
	if (rc == 0)
		rc = copy_free(m, job, ret, ei);
	return scale_back(m, cluster, &t, rc, ei);
}

static int
copy_one(const struct copy_many *m, struct scale *cluster, const struct store_open_opts *opts,
    const struct repo_entry *e, struct copy_log_result *ret, struct err_info *ei)
{
	struct copy_log job = { .from_prefix = "",
		.to_prefix = "",
		.replace = m->replace,
		.dry_run = m->dry_run,
		.on_progress = on_progress,
		.ctx = (void *)m };
	int rc;

	if (cluster != NULL) {
		rc = copy_scaled(m, cluster, opts, e, &job, ret, ei);
	} else {
		rc = open_ends(m, opts, e, &job, ei);
		if (rc == 0)
			rc = copy_free(m, &job, ret, ei);
	}
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
	(void)fflush(stdout); /* told at the end, with ferror() */
}

/* How many were done; the others after a signal are not begun. */
static size_t
copy_all(const struct copy_many *m, struct scale *cluster, const struct store_open_opts *opts,
    const struct repo_list *list)
{
	size_t done = 0;

	for (size_t i = 0; i < list->count && !stop_asked(m->stop); i++) {
		struct copy_log_result r = { 0 };
		struct err_info why = { .text = "" };
		int rc;

		fprintf(stderr, "%s: %zu of %zu: %s\n", m->program, i + 1, list->count,
		    list->items[i].name);
		rc = copy_one(m, cluster, opts, &list->items[i], &r, &why);
		done += rc == 0;
		tell(m, &list->items[i], rc, &r, &why);
	}
	return done;
}

int
copy_many(const struct copy_many *m, struct err_info *ei)
{
	const struct store_open_opts opts = { .ca_file = m->ca_file,
		.cancel = &m->stop->cancel };
	const struct repo_pick pick = { m->repos, m->only.items, m->only.count, &opts };
	const struct scale_opts cluster_opts = { m->kubeconfig, m->namespace_name,
		&m->stop->cancel, m->timeout_s * 1000 };
	struct scale *cluster = NULL;
	struct repo_list list = { 0 };
	size_t done = 0, count;
	int rc = repo_pick(&pick, &list, ei);

	if (rc == 0 && m->kubernetes)
		rc = scale_open(&cluster_opts, &cluster, ei);
	if (rc == 0)
		done = copy_all(m, cluster, &opts, &list);
	count = list.count;
	scale_close(cluster);
	repo_list_clear(&list);
	if (rc != 0)
		return rc;
	printf("%zu of %zu repositories done\n", done, count);
	if (done < count)
		return err_set(ei, ERR_IO, "%zu repositories were not done", count - done);
	return fflush(stdout) == 0 && !ferror(stdout)
		   ? 0
		   : err_set(ei, ERR_IO, "all is done, but the report could not be written");
}
