/* reset_settings.c - see reset_settings.h. */
#include "tools/reset_settings.h"

#include "base/repo_list.h"
#include "base/store/store.h"

static int
read_argv(
    struct reset_settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "log",
		    .target = &s->log,
		    .value = "URL",
		    .help = "root of the logs, to which owner/repo/ is added" },
		{ .name = "log-exact",
		    .target = &s->log_exact,
		    .value = "URL",
		    .help = "the folder of this repository's log itself" },
		{ .name = "keep-backup",
		    .type = CONF_SWITCH,
		    .target = &s->keep_backup,
		    .help = "copy the log aside first, and verify the copy" },
		{ .name = "backup",
		    .target = &s->backup,
		    .value = "URL",
		    .help = "where to: below it TIME/owner/repo/ [--log's URL" RESET_BACKUP_DIR
			    "]" },
		{ .name = "yes",
		    .type = CONF_SWITCH,
		    .target = &s->yes,
		    .help = "do not ask for the repository's name" },
		{ .name = "dry-run",
		    .type = CONF_SWITCH,
		    .target = &s->dry_run,
		    .help = "tell what would be done, do nothing" },
		{ .name = "router",
		    .target = &s->router_text,
		    .value = "ADDR",
		    .help = "ask it how far the new mirror is, and wait until it is complete" },
		{ .name = "timeout",
		    .type = CONF_NUMBER,
		    .target = &s->timeout_s,
		    .low = 1,
		    .high = 604800,
		    .value = "SEC",
		    .help = "of each wait: pods gone, available, complete [3600]" },
		{ .name = "kubeconfig",
		    .target = &s->kubeconfig,
		    .value = "FILE",
		    .help = "its current context, instead of the service account" },
		{ .name = "namespace",
		    .target = &s->namespace_name,
		    .value = "NAME",
		    .help = "of the Deployment [the context's]" },
		{ .name = "ca-file",
		    .target = &s->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust instead of the system's" },
		{ .name = NULL },
	};
	const struct conf_program program = { "maint-reset",
		"Deletes a repository's log while its pod is down, and waits until it was "
		"fetched again.",
		"OWNER/REPO", options };
	int operand = 0, rc = conf_read(&program, argc, argv, next, &operand, ei);

	if (rc != 0 || *next == CONF_EXIT)
		return rc;
	if (operand + 1 != argc)
		return err_set(ei, ERR_INVAL, "one OWNER/REPO is required (see --help)");
	s->repo = argv[operand];
	return 0;
}

static int
check(struct reset_settings *s, struct err_info *ei)
{
	int rc;

	if (!repo_name_ok(s->repo))
		return err_set(ei, ERR_INVAL, "\"%s\" is not OWNER/REPO", s->repo);
	if ((s->log == NULL) == (s->log_exact == NULL))
		return err_set(ei, ERR_INVAL, "either --log or --log-exact is required");
	if (s->keep_backup && s->log == NULL && s->backup == NULL)
		return err_set(
		    ei, ERR_INVAL, "--keep-backup with --log-exact needs --backup URL");
	if (s->backup != NULL && !s->keep_backup)
		return err_set(ei, ERR_INVAL, "--backup is for --keep-backup");
	rc = store_url_check(s->log != NULL ? s->log : s->log_exact, ei);
	if (rc != 0)
		return err_wrap(ei, rc, s->log != NULL ? "--log" : "--log-exact");
	rc = s->backup != NULL ? store_url_check(s->backup, ei) : 0;
	if (rc != 0)
		return err_wrap(ei, rc, "--backup");
	return s->router_text != NULL ? addr_parse(s->router_text, &s->router, ei) : 0;
}

int
reset_settings_read(
    struct reset_settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	int rc;

	*s = (struct reset_settings){ .timeout_s = 3600 };
	rc = read_argv(s, argc, argv, next, ei);
	return rc != 0 || *next == CONF_EXIT ? rc : check(s, ei);
}
