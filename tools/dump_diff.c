/*
 * dump_diff.c - what two logs, or two snapshots, do not have in common.
 *
 * Of logs the records are compared one after the other, wherever their segments begin; the
 * first that differs ends it, since behind it places no longer correspond.
 */
#include <stdio.h>

#include "lmdb-schema/snap_write.h"
#include "mutation-log/mlog_reader.h"
#include "tools/dump.h"

#define SHOWN_MAX 100

/* --- snapshots --- */

struct snap_side {
	struct snap *snap;
	struct snap_view *view;
};

static int
open_side(const char *dir, struct snap_side *ret, struct err_info *ei)
{
	int rc = snap_open(dir, &ret->snap, ei);

	return rc == 0 ? snap_view_begin(ret->snap, &ret->view) : err_wrap(ei, rc, "%s", dir);
}

static void
close_side(struct snap_side *s)
{
	snap_view_end(s->view);
	snap_close(s->snap);
}

static void
show(void *ctx, const char *table, const char *key, const char *what)
{
	uint64_t *shown = ctx;

	if ((*shown)++ < SHOWN_MAX)
		printf("{\"table\":\"%s\",\"key\":\"%s\",\"difference\":\"%s\"}\n", table, key,
		    what);
}

static int
diff_snapshots(const struct dump *d, struct err_info *ei)
{
	struct snap_side a = { 0 }, b = { 0 };
	uint64_t shown = 0, differences = 0;
	struct snap_compare_opts o = { .on_difference = show, .ctx = &shown };
	int rc = open_side(d->snapshot, &a, ei);

	if (rc == 0)
		rc = open_side(d->diff, &b, ei);
	if (rc == 0)
		rc = snap_compare(a.view, b.view, &o, &differences);
	if (rc == 0)
		printf("{\"differences\":%llu}\n", (unsigned long long)differences);
	close_side(&a);
	close_side(&b);
	if (rc == 0 && differences > 0)
		rc = err_set(ei, ERR_CONFLICT, "the snapshots differ in %llu rows",
		    (unsigned long long)differences);
	return rc;
}

/* --- logs --- */

struct log_side {
	const char *url; /* borrowed: which of the two an error is about */
	struct store *store;
	struct mlog_reader *reader;
	struct mlog_pos at;
	uint64_t count;
	bool ended;
};

static int
open_log(const char *url, const char *prefix, const struct store_open_opts *o,
    struct log_side *ret, struct err_info *ei)
{
	int rc = store_open_with(url, o, &ret->store, ei);

	if (rc != 0)
		return rc;
	ret->url = url;
	rc = mlog_reader_open(ret->store, prefix, (struct mlog_pos){ 0 }, &ret->reader, ei);
	if (rc != 0)
		return err_wrap(ei, rc, "%s", url);
	return mlog_reader_segment_count(ret->reader) == 0 ? dump_no_log(url, prefix, ei) : 0;
}

static void
close_log(struct log_side *s)
{
	mlog_reader_close(s->reader);
	store_close(s->store);
}

static int
next_record(struct log_side *s, struct slice *ret, struct err_info *ei)
{
	int rc = mlog_reader_next(s->reader, ret, &s->at, ei);

	s->ended = rc == ERR_NOENT;
	s->count += rc == 0;
	return rc == 0 || rc == ERR_NOENT ? 0 : err_wrap(ei, rc, "%s", s->url);
}

/* Until both end, or one does, or they differ. */
static int
compare_records(struct log_side *a, struct log_side *b, bool *ret_same, struct err_info *ei)
{
	struct slice x, y;
	int rc = 0;

	*ret_same = true;
	while (*ret_same) {
		rc = next_record(a, &x, ei);
		if (rc == 0)
			rc = next_record(b, &y, ei);
		if (rc != 0)
			return rc;
		if (a->ended && b->ended)
			return 0;
		*ret_same = !a->ended && !b->ended && slice_eq(x, y);
	}
	return 0;
}

static int
tell(const struct log_side *a, const struct log_side *b, bool same, struct err_info *ei)
{
	uint64_t common = (a->count < b->count ? a->count : b->count) -
			  (!same && !a->ended && !b->ended ? 1 : 0);

	printf("{\"commonRecords\":%llu,\"same\":%s", (unsigned long long)common,
	    same ? "true" : "false");
	if (!same && !a->ended)
		printf(",\"segment\":%u,\"offset\":%llu", a->at.segment,
		    (unsigned long long)a->at.offset);
	if (!same && !b->ended)
		printf(",\"otherSegment\":%u,\"otherOffset\":%llu", b->at.segment,
		    (unsigned long long)b->at.offset);
	printf("}\n");
	if (same)
		return 0;
	return a->ended || b->ended
		   ? err_set(ei, ERR_CONFLICT, "%s is the beginning of %s",
			 a->ended ? "the log" : "the other log",
			 a->ended ? "the other log" : "the log")
		   : err_set(ei, ERR_CONFLICT, "the logs differ behind %llu records",
			 (unsigned long long)common);
}

static int
diff_logs(const struct dump *d, struct err_info *ei)
{
	const struct store_open_opts o = { .ca_file = d->ca_file };
	struct log_side a = { 0 }, b = { 0 };
	char prefix[MLOG_PREFIX_MAX] = "";
	bool same = true;
	int rc = 0;

	if (d->log != NULL &&
	    (size_t)snprintf(prefix, sizeof(prefix), "%s/", d->repo) >= sizeof(prefix))
		return err_set(ei, ERR_INVAL, "--repo is too long");
	rc = open_log(d->log != NULL ? d->log : d->log_exact, prefix, &o, &a, ei);
	if (rc == 0)
		rc = open_log(d->diff, prefix, &o, &b, ei);
	if (rc == 0)
		rc = compare_records(&a, &b, &same, ei);
	if (rc == 0)
		rc = tell(&a, &b, same, ei);
	close_log(&a);
	close_log(&b);
	return rc;
}

int
dump_diff(const struct dump *d, struct err_info *ei)
{
	return d->snapshot != NULL ? diff_snapshots(d, ei) : diff_logs(d, ei);
}
