/*
 * maint-dump - prints a snapshot or a log as JSON lines, or checks a snapshot
 * against its log.  Here: settings; the three jobs are in dump_*.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "tools/dump.h"

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
		{ .name = NULL },
	};
	const struct conf_program program = { "maint-dump",
		"Prints a snapshot or a log as JSON lines, or verifies a snapshot against its "
		"log.",
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
	return 0;
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
	     : d.snapshot != NULL ? dump_snapshot(&d, &ei)
				  : dump_log(&d, &ei);
	if (rc == 0 && fflush(stdout) != 0)
		rc = err_set(&ei, ERR_IO, "standard output cannot be written");
	if (rc != 0)
		fprintf(
		    stderr, "maint-dump: %s\n", ei.text[0] != '\0' ? ei.text : err_name(rc));
	return rc == 0 ? 0 : 1;
}
