/* copy_settings.c - flags to a copy_many. */
#include "tools/copy_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/copy_many.h"
#include "tools/repo_pick.h"
#include "tools/repo_urls.h"
#include "tools/stop.h"

#define URL_MAX 2048

/* Exported for other tools, which need it always: nothing that this run was told. */
static void
forget_exported(const char **setting, const char *variable)
{
	if (*setting != NULL && *setting == getenv(variable))
		*setting = NULL;
}

static int
read_settings(const struct copy_program *p, struct copy_many *m, int argc, char **argv,
    enum conf_next *next, struct err_info *ei)
{
	const struct conf_option options[] = {
		{ .name = "repos",
		    .target = &m->repos,
		    .value = "URL",
		    .help = "list of the repositories" },
		REPO_PICK_ROW(&m->only),
		{ .name = "from-prefix",
		    .target = &m->from,
		    .value = "URL",
		    .required = true,
		    .help =
			"where the logs are: URL with {sha}, or what comes before the digest "
			"of the repository's name, e.g. gs://mtr-p-" },
		{ .name = p->to_flag,
		    .target = &m->to,
		    .value = p->to_value,
		    .required = true,
		    .help = p->to_help },
		{ .name = "dry-run",
		    .type = CONF_SWITCH,
		    .target = &m->dry_run,
		    .help = "tell what would be done, do nothing" },
		{ .name = "ca-file",
		    .target = &m->ca_file,
		    .value = "FILE",
		    .help = "PEM certificates to trust instead of the system's" },
		{ .name = p->replaces ? "replace" : NULL,
		    .type = CONF_SWITCH,
		    .target = &m->replace,
		    .help = "empty a destination that holds another log" },
		{ .name = p->replaces ? "kubernetes" : NULL,
		    .type = CONF_SWITCH,
		    .target = &m->kubernetes,
		    .help = "scale each Deployment to 0 while its log is copied, and back" },
		{ .name = "kubeconfig",
		    .target = &m->kubeconfig,
		    .value = "FILE",
		    .help = "with --kubernetes: its current context, instead of the service "
			    "account" },
		{ .name = "namespace",
		    .target = &m->namespace_name,
		    .value = "NAME",
		    .help = "with --kubernetes: of the Deployments [the context's]" },
		{ .name = "timeout",
		    .type = CONF_NUMBER,
		    .target = &m->timeout_s,
		    .low = 1,
		    .high = 86400,
		    .value = "SEC",
		    .help = "with --kubernetes: of the wait for pods to end [600]" },
		{ .name = NULL },
	};
	const struct conf_program program = { p->name, p->purpose, NULL, options };
	int operand, rc = conf_read(&program, argc, argv, next, &operand, ei);

	if (rc == 0 && *next == CONF_RUN && m->repos == NULL && m->only.count == 0)
		rc = err_set(ei, ERR_INVAL, "--repos URL or --repo OWNER/REPO is required");
	if (rc == 0)
		rc = repo_pick_check_names(m->only.items, m->only.count, ei);
	if (!m->kubernetes) {
		forget_exported(&m->kubeconfig, "MAINTNER_KUBECONFIG");
		forget_exported(&m->namespace_name, "MAINTNER_NAMESPACE");
	}
	if (rc == 0 && !m->kubernetes && (m->kubeconfig != NULL || m->namespace_name != NULL))
		rc =
		    err_set(ei, ERR_INVAL, "--kubeconfig and --namespace are for --kubernetes");
	return rc;
}

/* A prefix without a place for the name's digest gets one. */
static int
complete(const char **url, const char *rest, char out[URL_MAX], struct err_info *ei)
{
	int n;

	if (strchr(*url, '{') != NULL)
		return 0;
	n = snprintf(out, URL_MAX, "%s%s", *url, rest);
	if (n < 0 || n >= URL_MAX)
		return err_set(ei, ERR_LIMIT, "%.100s...: too long", *url);
	*url = out;
	return 0;
}

static int
check_url(const char *flag, const char *template, struct err_info *ei)
{
	int rc = repo_template_words(template, ei);

	if (rc == 0)
		rc = store_url_check(template, ei);
	return rc == 0 ? 0 : err_wrap(ei, rc, "--%s", flag);
}

/* Every repository must have a source and a destination of its own. */
static int
check_places(const struct copy_program *p, const struct copy_many *m,
    const struct repo_list *list, struct err_info *ei)
{
	int rc = repo_urls_check("from-prefix", m->from, list, ei);

	if (rc == 0)
		rc = repo_urls_check(p->to_flag, m->to, list, ei);
	if (rc == 0)
		rc = repo_urls_check_apart(m->from, m->to, list, ei);
	return rc;
}

/*
 * Look at all places before anything is done; *ret_status is the exit status after a
 * failure.  What is wrong with the list itself is told by copy_many(), which reads it again.
 */
static int
look_first(const struct copy_program *p, const struct copy_many *m, int *ret_status,
    struct err_info *ei)
{
	const struct store_open_opts opts = { .ca_file = m->ca_file,
		.cancel = &m->stop->cancel };
	const struct repo_pick pick = { .url = m->repos,
		.only = m->only.items,
		.only_count = m->only.count,
		.store_opts = &opts };
	struct repo_list list = { 0 };
	int rc = check_url("from-prefix", m->from, ei);

	*ret_status = 2;
	if (rc == 0)
		rc = check_url(p->to_flag, m->to, ei);
	if (rc != 0)
		return rc;
	rc = repo_pick_noting(&pick, NULL, NULL, &list, ei);
	if (rc == ERR_INVAL || rc == ERR_NOENT || rc == ERR_PROTO)
		return 0;
	*ret_status = rc == 0 ? 2 : 1;
	if (rc == 0)
		rc = check_places(p, m, &list, ei);
	repo_list_clear(&list);
	return rc;
}

int
copy_main(const struct copy_program *p, int argc, char **argv)
{
	static struct stop stop;
	struct copy_many m = { .program = p->name, .timeout_s = 600, .stop = &stop };
	enum conf_next next = CONF_RUN;
	struct err_info ei = { 0 };
	char from[URL_MAX], to[URL_MAX];
	int status = 2, rc = read_settings(p, &m, argc, argv, &next, &ei);

	if (rc == 0 && next == CONF_RUN)
		rc = complete(&m.from, "{sha}", from, &ei);
	if (rc == 0 && next == CONF_RUN)
		rc = complete(&m.to, p->gathers ? "/{owner}/{repo}" : "{sha}", to, &ei);
	if (rc == 0 && next == CONF_EXIT)
		return 0;
	if (rc == 0)
		rc = stop_init(&stop, &ei);
	if (rc == 0)
		rc = look_first(p, &m, &status, &ei);
	if (rc == 0) {
		status = 1;
		ei = (struct err_info){ .text = "" };
		rc = copy_many(&m, &ei);
		if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout) != 0))
			rc = err_set(&ei, ERR_IO, "standard output cannot be written");
	}
	if (rc != 0)
		fprintf(
		    stderr, "%s: %s\n", p->name, ei.text[0] != '\0' ? ei.text : err_name(rc));
	return rc == 0 ? 0 : status;
}
