/*
 * copy_many.h - copy_log() for each repository of a list: one that fails does not stop the
 * others.
 */
#pragma once

#include "base/conf.h"
#include "base/repo_list.h"
#include "base/store/store.h"
#include "tools/stop.h"

struct copy_many {
	const char *program; /* for messages */
	const char *repos;   /* URL of the list; may be NULL when there are names */
	struct conf_list only;
	/*
	 * Where a repository's log is and where it goes: URLs in which {sha}, {owner} and
	 * {repo} are filled in.
	 */
	const char *from, *to;
	const char *ca_file;
	bool replace, dry_run;
	/*
	 * Scale each repository's Deployment to 0 while its log is copied, and back: with the
	 * current context of a kubeconfig, or (`kubernetes`) as the pod this runs in.
	 */
	bool kubernetes;
	const char *kubeconfig, *namespace_name;
	int64_t timeout_s; /* of the wait for pods to end */
	struct stop *stop; /* what is being done is ended, what was scaled is scaled back */
};

/* Prints a line for each and a summary.  ERR_IO when some were not done. */
int copy_many(const struct copy_many *m, struct err_info *ei);
