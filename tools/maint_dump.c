/*
 * maint-dump - prints a snapshot or a log as JSON lines, or checks a snapshot
 * against its log.  Here: settings; the three jobs are in dump_*.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/store/store.h"
#include "tools/dump.h"

static int
check_pick(struct dump *d, struct err_info *ei)
{
	static const char *const of_logs[] = { "issue", "github", "git", "gerrit", NULL };
	static const char *const of_snapshots[] = { "repository", "sync", "label", "milestone",
		"issue", NULL };
	const char *const *types = d->snapshot != NULL ? of_snapshots : of_logs;

	if (d->since != NULL && time_parse(slice_str(d->since), &d->since_ms) != 0)
		return err_set(ei, ERR_INVAL, "--since: \"%s\" is no RFC 3339 time", d->since);
	if (d->format != NULL && strcmp(d->format, "json") != 0 &&
	    strcmp(d->format, "text") != 0)
		return err_set(
		    ei, ERR_INVAL, "--format: \"%s\" is neither json nor text", d->format);
	d->text = d->format != NULL && strcmp(d->format, "text") == 0;
	if (d->verify && d->diff != NULL)
		return err_set(ei, ERR_INVAL, "--verify and --diff exclude each other");
	if ((d->verify || d->diff != NULL) &&
	    (d->type != NULL || d->number != 0 || d->since != NULL || d->format != NULL))
		return err_set(ei, ERR_INVAL,
		    "--type, --number, --since and --format are for printing; %s takes all",
		    d->verify ? "--verify" : "--diff");
	while (d->type != NULL && *types != NULL && strcmp(d->type, *types) != 0)
		types++;
	if (d->type != NULL && *types == NULL)
		return err_set(
		    ei, ERR_INVAL, "--type: there is no \"%s\" (see --help)", d->type);
	return 0;
}

static int
check_urls(const struct dump *d, struct err_info *ei)
{
	const char *log = d->log != NULL ? d->log : d->log_exact;
	int rc = log != NULL ? store_url_check(log, ei) : 0;

	if (rc != 0)
		return err_wrap(ei, rc, d->log != NULL ? "--log" : "--log-exact");
	rc = log != NULL && d->diff != NULL ? store_url_check(d->diff, ei) : 0;
	return rc == 0 ? 0 : err_wrap(ei, rc, "--diff");
}

static int
read_settings(struct dump *d, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "snapshot",
		    .target = &d->snapshot,
		    .value = "DIR",
		    .help = "snapshot to print or to verify" },
		{ .name = "log",
		    .target = &d->log,
		    .value = "URL",
		    .help = "root of the logs; --repo names the folder below it" },
		{ .name = "log-exact",
		    .target = &d->log_exact,
		    .value = "URL",
		    .help = "a repository's own log folder, instead of --log" },
		{ .name = "repo",
		    .target = &d->repo,
		    .value = "OWNER/REPO",
		    .help = "the repository of --log [that of the snapshot]" },
		{ .name = "verify",
		    .type = CONF_SWITCH,
		    .target = &d->verify,
		    .help = "replay the log into a scratch snapshot and compare" },
		{ .name = "ca-file",
		    .target = &d->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust instead of the system's" },
		{ .name = "scratch",
		    .target = &d->scratch,
		    .value = "DIR",
		    .help = "where --verify makes its scratch snapshot [$TMPDIR or /tmp]" },
		{ .name = "diff",
		    .target = &d->diff,
		    .value = "OTHER",
		    .help = "compare with another snapshot's directory, or another log's URL" },
		{ .name = "type",
		    .target = &d->type,
		    .value = "WORD",
		    .help = "of a log: issue, github, git, gerrit; of a snapshot: repository, "
			    "sync, label, milestone, issue" },
		{ .name = "number",
		    .type = CONF_NUMBER,
		    .target = &d->number,
		    .low = 1,
		    .high = INT32_MAX,
		    .value = "N",
		    .help = "only this issue's lines" },
		{ .name = "since",
		    .target = &d->since,
		    .value = "TIME",
		    .help = "only issues updated, or records with a time, at or after this one "
			    "(RFC 3339)" },
		{ .name = "format",
		    .target = &d->format,
		    .value = "json|text",
		    .help = "JSON lines, or a short line each [json]" },
		{ .name = NULL },
	};
	const struct conf_program program = { "maint-dump",
		"Prints a snapshot or a log as JSON lines, compares two, or verifies a "
		"snapshot "
		"against its log.",
		NULL, options };
	bool has_log;
	int operand, rc = conf_read(&program, argc, argv, next, &operand, ei);

	if (rc != 0 || *next == CONF_EXIT)
		return rc;
	has_log = d->log != NULL || d->log_exact != NULL;
	if (d->log != NULL && d->log_exact != NULL)
		return err_set(ei, ERR_INVAL, "--log and --log-exact exclude each other");
	if (d->verify && (!has_log || d->snapshot == NULL))
		return err_set(
		    ei, ERR_INVAL, "--verify needs --snapshot and --log (see --help)");
	if (!d->verify && has_log == (d->snapshot != NULL))
		return err_set(
		    ei, ERR_INVAL, "one of --snapshot and --log is required (see --help)");
	if (!d->verify && d->log != NULL && d->repo == NULL)
		return err_set(ei, ERR_INVAL, "--log needs --repo OWNER/REPO");
	rc = check_urls(d, ei);
	return rc == 0 ? check_pick(d, ei) : rc;
}

int
main(int argc, char **argv)
{
	struct dump d = { 0 };
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	int rc = read_settings(&d, argc, argv, &next, &ei);

	if (rc != 0) {
		fprintf(stderr, "maint-dump: %s\n", ei.text);
		return 2;
	}
	if (next == CONF_EXIT)
		return 0;
	rc = d.verify             ? dump_verify(&d, &ei)
	     : d.diff != NULL     ? dump_diff(&d, &ei)
	     : d.snapshot != NULL ? dump_snapshot(&d, &ei)
				  : dump_log(&d, &ei);
	if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout) != 0))
		rc = err_set(&ei, ERR_IO, "standard output cannot be written");
	if (rc != 0)
		fprintf(
		    stderr, "maint-dump: %s\n", ei.text[0] != '\0' ? ei.text : err_name(rc));
	return rc == 0 ? 0 : 1;
}
