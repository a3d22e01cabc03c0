/* swpr_settings.c - see swpr_settings.h. */
#include "tools/swpr_settings.h"

#include "base/repo_list.h"
#include "tools/repo_pick.h"

static int
read_argv(
    struct swpr_settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "repos",
		    .target = &s->repos,
		    .value = "URL",
		    .help = "the repository list: gs://bucket/name or file:///path" },
		REPO_PICK_ROW(&s->only),
		{ .name = "router",
		    .target = &s->router_text,
		    .required = true,
		    .value = "ADDR",
		    .help = "the router, asked for what the mirrors have" },
		{ .name = "internal",
		    .target = &s->internal,
		    .value = "TEMPLATE",
		    .help = "where a sync daemon listens [mtr-s-{sha}:9001]" },
		{ .name = "internal-secret-file",
		    .target = &s->secret_file,
		    .value = "FILE",
		    .help = "the secret that sync daemons ask for" },
		{ .name = "state",
		    .target = &s->state,
		    .value = "URL",
		    .help = "an object to remember in: gs://bucket/name or file:///path" },
		{ .name = "confirm-after",
		    .type = CONF_NUMBER,
		    .target = &s->confirm_s,
		    .low = 0,
		    .high = 2592000,
		    .value = "SEC",
		    .help = "how long a 404 must last [3600]" },
		{ .name = "budget",
		    .type = CONF_NUMBER,
		    .target = &s->budget,
		    .low = SWPR_REQUESTS_MIN,
		    .high = 100000000,
		    .value = "N",
		    .help = "requests to GitHub in this run, shared evenly [20000]" },
		{ .name = "dry-run",
		    .type = CONF_SWITCH,
		    .target = &s->dry_run,
		    .help = "order nothing, remember nothing" },
		{ .name = "report",
		    .type = CONF_SWITCH,
		    .target = &s->report,
		    .help = "print a table of the repositories" },
		GH_SETTINGS_ROWS(&s->github, "each repository's"),
		{ .name = "ca-file",
		    .target = &s->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust instead of the system's" },
		{ .name = "log-level",
		    .target = &s->level_text,
		    .value = "LEVEL",
		    .help = "debug, info, warning or error [info]" },
		{ .name = NULL },
	};
	const struct conf_program program = { "maintner-swpr",
		"Finds issues that GitHub no longer has and has the mirrors tombstone them.",
		NULL, options };
	int operand;

	return conf_read(&program, argc, argv, next, &operand, ei);
}

static int
check(struct swpr_settings *s, struct err_info *ei)
{
	int rc = 0;

	if (s->repos == NULL && s->only.count == 0)
		return err_set(ei, ERR_INVAL, "--repos or --repo is required (see --help)");
	rc = repo_pick_check_names(s->only.items, s->only.count, ei);
	if (rc != 0)
		return rc;
	if (!s->dry_run && s->state == NULL)
		return err_set(
		    ei, ERR_INVAL, "--state is required without --dry-run (see --help)");
	if (!s->dry_run && s->secret_file == NULL)
		return err_set(ei, ERR_INVAL,
		    "--internal-secret-file is required without --dry-run (see --help)");
	if (!log_severity_parse(s->level_text, &s->level))
		return err_set(ei, ERR_INVAL, "--log-level: \"%s\" is no level", s->level_text);
	rc = addr_parse(s->router_text, &s->router, ei);
	if (rc != 0)
		return err_wrap(ei, rc, "--router");
	rc = repo_template_check(s->internal, ei);
	return rc == 0 ? 0 : err_wrap(ei, rc, "--internal");
}

int
swpr_settings_read(
    struct swpr_settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei)
{
	int rc;

	*s = (struct swpr_settings){ .internal = "mtr-s-{sha}:9001",
		.github = GH_SETTINGS_DEFAULT,
		.level_text = "info",
		.confirm_s = 3600,
		.budget = 20000 };
	rc = read_argv(s, argc, argv, next, ei);
	if (rc != 0 || *next == CONF_EXIT)
		return rc;
	rc = gh_settings_finish(&s->github, ei);
	if (rc != 0)
		return rc;
	return check(s, ei);
}
