/* migrate_settings.c - see migrate_settings.h. */
#include "tools/migrate_settings.h"

#include <stdlib.h>

#include "base/store/store.h"
#include "tools/repo_pick.h"

int
migrate_settings_read(struct migrate_settings *s, int argc, char **argv, enum conf_next *next,
    struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "source",
		    .target = &s->source,
		    .value = "URL",
		    .required = true,
		    .help = "folder of the log to split, gs:// or file://" },
		{ .name = "repos",
		    .target = &s->repos,
		    .value = "URL",
		    .help = "list of the repositories to split off" },
		REPO_PICK_ROW(&s->only),
		{ .name = "dest",
		    .target = &s->dest,
		    .value = "URL",
		    .required = true,
		    .help = "root of the results, to which owner/repo/ is added; or, with "
			    "{owner}, {repo} or {sha} in it, the folder of each, e.g. "
			    "gs://mtr-p-{sha}" },
		{ .name = "scratch",
		    .target = &s->scratch,
		    .value = "DIR",
		    .help =
			"where records are parted; needs the results' size [$TMPDIR or /tmp]" },
		{ .name = "keep-git",
		    .type = CONF_SWITCH,
		    .target = &s->keep_git,
		    .help = "copy git and gerrit records into each result" },
		{ .name = "append-verified",
		    .type = CONF_SWITCH,
		    .target = &s->append_verified,
		    .help = "go on with logs that are the beginning of their result" },
		{ .name = "report",
		    .type = CONF_SWITCH,
		    .target = &s->report,
		    .help = "show which repositories of the source are not listed" },
		{ .name = "dry-run",
		    .type = CONF_SWITCH,
		    .target = &s->dry_run,
		    .help = "tell what would be written, write nothing" },
		{ .name = "ca-file",
		    .target = &s->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust instead of the system's" },
		{ .name = NULL },
	};
	const struct conf_program program = { "maintmigrate",
		"Splits a mutation log that holds many repositories into one log for each.",
		NULL, options };
	int operand, rc = conf_read(&program, argc, argv, next, &operand, ei);

	if (rc != 0 || *next == CONF_EXIT)
		return rc;
	if (s->repos == NULL && s->only.count == 0)
		return err_set(ei, ERR_INVAL, "--repos URL or --repo OWNER/REPO is required");
	if (s->scratch == NULL)
		s->scratch = getenv("TMPDIR");
	if (s->scratch == NULL)
		s->scratch = "/tmp";
	rc = repo_pick_check_names(s->only.items, s->only.count, ei);
	if (rc != 0)
		return rc;
	rc = store_url_check(s->source, ei);
	if (rc != 0)
		return err_wrap(ei, rc, "--source");
	rc = repo_template_words(s->dest, ei);
	if (rc == 0)
		rc = store_url_check(s->dest, ei);
	return rc == 0 ? 0 : err_wrap(ei, rc, "--dest");
}
