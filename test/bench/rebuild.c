/*
 * rebuild - makes a snapshot from a log as `maintnerd-sync --rebuild` does, without
 * GitHub behind it; or (with --read-only) reads and checks the log alone.  Prints what
 * it cost as a JSON object.
 */
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "mutation-log/mlog_reader.h"
#include "sync/replay.h"
#include "test/bench/usage.h"

struct settings {
	const char *log, *snapshot, *repo;
	bool read_only;
};

static int
read_settings(
    struct settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "log",
		    .target = &s->log,
		    .required = true,
		    .value = "URL",
		    .help = "root of the log" },
		{ .name = "snapshot",
		    .target = &s->snapshot,
		    .value = "DIR",
		    .help = "directory of the snapshot to make" },
		{ .name = "repo",
		    .target = &s->repo,
		    .value = "OWNER/REPO",
		    .help = "the repository [bench/made]" },
		{ .name = "read-only",
		    .type = CONF_SWITCH,
		    .target = &s->read_only,
		    .help = "read the log, without making a snapshot" },
		{ .name = NULL },
	};
	const struct conf_program program = { "rebuild", "Rebuilds a snapshot and times it.",
		NULL, options };
	int operand, rc = conf_read(&program, argc, argv, next, &operand, ei);

	if (rc == 0 && *next == CONF_RUN && s->read_only == (s->snapshot != NULL))
		rc = err_set(ei, ERR_INVAL, "either --snapshot or --read-only is required");
	return rc;
}

static int
read_log(const struct settings *set, struct err_info *ei)
{
	struct mlog_reader *r = NULL;
	struct store *store = NULL;
	struct mlog_pos at;
	struct slice record;
	char prefix[300];
	int rc = store_open(set->log, &store, ei);

	snprintf(prefix, sizeof(prefix), "%s/", set->repo);
	if (rc == 0)
		rc = mlog_reader_open(store, prefix, (struct mlog_pos){ 0, 0 }, &r, ei);
	while (rc == 0)
		rc = mlog_reader_next(r, &record, &at, ei);
	mlog_reader_close(r);
	store_close(store);
	return rc == ERR_NOENT ? 0 : rc;
}

static int
replay(
    const struct settings *set, struct store *store, struct snap_writer *w, struct err_info *ei)
{
	struct replay_opts o = { .store = store, .into = w };
	const char *slash = strchr(set->repo, '/');
	char owner[128], prefix[300];
	int rc;

	if (slash == NULL)
		return err_set(ei, ERR_INVAL, "--repo: OWNER/REPO is expected");
	snprintf(owner, sizeof(owner), "%.*s", (int)(slash - set->repo), set->repo);
	snprintf(prefix, sizeof(prefix), "%s/", set->repo);
	o.prefix = prefix;
	rc = apply_new(owner, slash + 1, &o.apply);
	if (rc == 0)
		rc = replay_log(&o, ei);
	apply_free(o.apply);
	return rc;
}

/* *ret_replayed is the part before the promotion. */
static int
rebuild(const struct settings *set, struct usage began, struct usage *ret_replayed,
    struct err_info *ei)
{
	struct snap_writer *w = NULL;
	struct store *store = NULL;
	bool unclean;
	int rc = store_open(set->log, &store, ei);

	if (rc == 0)
		rc = snap_writer_open(set->snapshot, set->repo, SNAP_FILL, &w, &unclean, ei);
	if (rc == 0)
		rc = replay(set, store, w, ei);
	*ret_replayed = usage_since(began);
	if (rc == 0)
		rc = snap_writer_promote(w, false, ei);
	snap_writer_close(w);
	store_close(store);
	return rc;
}

int
main(int argc, char **argv)
{
	struct settings set = { .repo = "bench/made" };
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	struct usage began = usage_now(), replayed = { 0 }, all;
	int rc = read_settings(&set, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_EXIT)
		return 0;
	if (rc == 0)
		rc = set.read_only ? read_log(&set, &ei) : rebuild(&set, began, &replayed, &ei);
	if (rc != 0) {
		fprintf(stderr, "rebuild: %s\n", ei.text[0] != '\0' ? ei.text : err_name(rc));
		return 1;
	}
	all = usage_since(began);
	printf("{\"cpu_s\":%.3f,\"wall_s\":%.3f,\"replay_cpu_s\":%.3f,"
	       "\"replay_wall_s\":%.3f}\n",
	    all.cpu_s, all.wall_s, replayed.cpu_s, replayed.wall_s);
	return 0;
}
