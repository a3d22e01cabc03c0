/*
 * dump_verify.c - is a snapshot what its log says?  Checks the snapshot's own rows,
 * replays the log (and what is only in the outbox yet) into a scratch snapshot, and
 * compares the two.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/replay.h"
#include "tools/dump.h"
#include "tools/stop.h"

#define SHOWN_MAX 100 /* differences that are printed */

struct verify {
	const struct dump *d;
	struct snap *snap;
	struct snap_view *view;
	struct store *store;
	struct snap_writer *scratch;
	struct apply *apply;
	char scratch_dir[4096];
	char repo[256];
	char prefix[512];
	uint64_t shown;
	struct stop stop; /* from when there is a scratch snapshot on */
};

static void
show(void *ctx, const char *table, const char *key, const char *what)
{
	struct verify *v = ctx;

	if (v->shown++ < SHOWN_MAX)
		printf("{\"table\":\"%s\",\"key\":\"%s\",\"difference\":\"%s\"}\n", table, key,
		    what);
}

static int
open_snapshot(struct verify *v, struct err_info *ei)
{
	struct snap_repo r;
	uint64_t rows = 0;
	int rc = snap_open(v->d->snapshot, &v->snap, ei);

	if (rc == 0)
		rc = snap_view_begin(v->snap, &v->view);
	if (rc == 0)
		rc = snap_repo_get(v->view, &r);
	if (rc == 0 && r.name.len >= sizeof(v->repo))
		rc = ERR_CORRUPT;
	if (rc != 0)
		return rc;
	memcpy(v->repo, r.name.ptr, r.name.len);
	if (v->d->repo != NULL && strcmp(v->d->repo, v->repo) != 0)
		return err_set(
		    ei, ERR_INVAL, "the snapshot is of %s, not of %s", v->repo, v->d->repo);
	if (v->d->log != NULL)
		snprintf(v->prefix, sizeof(v->prefix), "%s/", v->repo);
	rc = snap_verify(v->view, &rows, ei);
	if (rc == 0)
		printf("{\"rowsChecked\":%llu}\n", (unsigned long long)rows);
	return rc;
}

static int
make_scratch(struct verify *v, struct err_info *ei)
{
	const char *base = v->d->scratch != NULL ? v->d->scratch : getenv("TMPDIR");
	char owner[256], *slash;
	bool unclean;
	int rc = stop_init(&v->stop, ei);

	if (rc != 0)
		return rc;
	snprintf(v->scratch_dir, sizeof(v->scratch_dir), "%s/maint-dump-XXXXXX",
	    base != NULL && base[0] != '\0' ? base : "/tmp");
	if (mkdtemp(v->scratch_dir) == NULL) {
		rc = err_from_errno(errno);
		err_set(ei, rc, "cannot make %s: %s", v->scratch_dir, strerror(errno));
		v->scratch_dir[0] = '\0';
		return rc;
	}
	memcpy(owner, v->repo, sizeof(owner));
	slash = strchr(owner, '/');
	if (slash == NULL)
		return err_set(
		    ei, ERR_CORRUPT, "the snapshot's repository \"%s\" has no owner", v->repo);
	*slash = '\0';
	rc = apply_new(owner, slash + 1, &v->apply);
	if (rc == 0)
		rc = snap_writer_open(
		    v->scratch_dir, v->repo, SNAP_FILL, &v->scratch, &unclean, ei);
	return rc;
}

/* Told for people alone: a replay of gigabytes takes a while, and may be stopped. */
static int
show_progress(void *ctx, uint64_t bytes, uint64_t total)
{
	struct verify *v = ctx;

	if (isatty(STDERR_FILENO) != 0)
		fprintf(stderr, "\rreplaying %llu of %llu MB%s",
		    (unsigned long long)(bytes >> 20), (unsigned long long)(total >> 20),
		    bytes >= total ? "\n" : "");
	return stop_asked(&v->stop);
}

static int
replay(struct verify *v, struct err_info *ei)
{
	struct store_open_opts so = { .ca_file = v->d->ca_file, .cancel = &v->stop.cancel };
	struct replay_opts o = { .on_progress = show_progress,
		.ctx = v,
		.prefix = v->prefix,
		.apply = v->apply,
		.into = v->scratch };
	int rc;

	rc = store_open_with(
	    v->d->log != NULL ? v->d->log : v->d->log_exact, &so, &v->store, ei);
	o.store = v->store;
	if (rc == 0)
		rc = replay_log(&o, ei);
	if (rc == ERR_CANCELED)
		err_set(ei, rc, "stopped");
	if (rc == 0)
		rc = replay_outbox(v->view, v->scratch, v->apply, ei);
	if (rc == 0)
		rc = snap_writer_promote(v->scratch, false, ei); /* builds the indexes */
	return rc;
}

static int
compare(struct verify *v, struct err_info *ei)
{
	struct snap_compare_opts o = { .on_difference = show, .ctx = v };
	struct snap_repo ours, theirs;
	struct snap_view *scratch;
	uint64_t differences = 0;
	int rc = snap_writer_view(v->scratch, &scratch);

	if (rc != 0)
		return rc;
	rc = snap_compare(v->view, scratch, &o, &differences);
	if (rc == 0)
		rc = snap_repo_get(v->view, &ours);
	if (rc == 0)
		rc = snap_repo_get(scratch, &theirs);
	if (rc == 0)
		printf("{\"repo\":\"%s\",\"differences\":%llu,\"logSegment\":%u,\"logOffset\":%"
		       "llu,"
		       "\"appliedSegment\":%u,\"appliedOffset\":%llu}\n",
		    v->repo, (unsigned long long)differences, theirs.log_segment,
		    (unsigned long long)theirs.log_offset, ours.log_segment,
		    (unsigned long long)ours.log_offset);
	snap_writer_view_end(scratch);
	if (rc == 0 && differences > 0)
		rc = err_set(ei, ERR_CORRUPT,
		    "%s: the snapshot differs from its log in %llu rows", v->repo,
		    (unsigned long long)differences);
	return rc;
}

/* The scratch snapshot is ours alone: one environment and a link. */
static void
remove_scratch(const struct verify *v)
{
	static const char *const names[] = { "env-1/data.mdb", "env-1/lock.mdb", "env-1",
		"current", "" };
	char path[4160];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", v->scratch_dir, names[i]);
		if (unlink(path) != 0)
			rmdir(path);
	}
}

int
dump_verify(const struct dump *d, struct err_info *ei)
{
	struct verify v = { .d = d };
	int rc = open_snapshot(&v, ei);

	if (rc == 0)
		rc = make_scratch(&v, ei);
	if (rc == 0)
		rc = replay(&v, ei);
	if (rc == 0)
		rc = compare(&v, ei);
	snap_writer_close(v.scratch);
	if (v.scratch_dir[0] != '\0')
		remove_scratch(&v);
	apply_free(v.apply);
	store_close(v.store);
	snap_view_end(v.view);
	snap_close(v.snap);
	return rc;
}
