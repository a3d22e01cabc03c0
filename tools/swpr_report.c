/* swpr_report.c - what sweeps found, for people: a table and a sentence. */
#include <inttypes.h>
#include <stdio.h>

#include "tools/swpr_sweep.h"

#define NAME_MIN 10

static struct swpr_tally
sum_of(const struct swpr_tally *rows, size_t count)
{
	struct swpr_tally sum = { .repo = "all" };
	size_t undone = 0;

	for (size_t i = 0; i < count; i++) {
		sum.mirrored += rows[i].mirrored;
		sum.listed += rows[i].listed;
		sum.deleted += rows[i].deleted;
		sum.transferred += rows[i].transferred;
		sum.vanished += rows[i].vanished;
		sum.waiting += rows[i].waiting;
		sum.lacking += rows[i].lacking;
		sum.buried += rows[i].buried;
		sum.requests += rows[i].requests;
		undone += rows[i].undone;
	}
	if (undone > 0)
		snprintf(sum.note, sizeof(sum.note), "%zu not to the end", undone);
	return sum;
}

static void
add_row(const struct swpr_tally *t, int width, struct buf *out)
{
	buf_fmt(out, "%-*s %9zu %9zu %8zu %8zu %8zu %8zu %8zu %8zu %9" PRIu64 "  %s\n", width,
	    t->repo, t->mirrored, t->listed, t->deleted, t->transferred, t->vanished,
	    t->waiting, t->lacking, t->buried, t->requests,
	    t->note[0] != '\0' ? t->note : "ok");
}

void
swpr_table(const struct swpr_tally *rows, size_t count, struct buf *out)
{
	struct swpr_tally sum = sum_of(rows, count);
	size_t width = NAME_MIN;

	for (size_t i = 0; i < count; i++)
		width = strlen(rows[i].repo) > width ? strlen(rows[i].repo) : width;
	buf_fmt(out, "%-*s %9s %9s %8s %8s %8s %8s %8s %8s %9s  %s\n", (int)width, "repository",
	    "mirrored", "on GitHub", "deleted", "moved", "vanished", "waiting", "lacking",
	    "buried", "requests", "result");
	for (size_t i = 0; i < count; i++)
		add_row(&rows[i], (int)width, out);
	add_row(&sum, (int)width, out);
}

void
swpr_summary(const struct swpr_tally *rows, size_t count, bool dry_run, struct buf *out)
{
	struct swpr_tally sum = sum_of(rows, count);
	size_t undone = 0;

	for (size_t i = 0; i < count; i++)
		undone += rows[i].undone;
	buf_fmt(out,
	    "%zu repositories, %zu of them not to the end; gone: %zu deleted, %zu transferred, "
	    "%zu not found for long; %zu wait to be confirmed; %zu tombstones made%s; the "
	    "mirrors lack %zu; %" PRIu64 " requests\n",
	    count, undone, sum.deleted, sum.transferred, sum.vanished, sum.waiting, sum.buried,
	    dry_run ? " (dry run)" : "", sum.lacking, sum.requests);
}
