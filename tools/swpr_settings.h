/* swpr_settings.h - the command line of maintner-swpr. */
#pragma once

#include "base/addr.h"
#include "base/conf.h"
#include "base/log.h"
#include "sync/github/gh_settings.h"

/* To GitHub for one repository, so that it gets further: is it there, and a page. */
#define SWPR_REQUESTS_MIN 2

struct swpr_settings {
	const char *repos, *internal, *secret_file, *state, *ca_file;
	const char *router_text, *level_text; /* as given; read into the next two */
	struct addr router;
	enum log_severity level;
	struct conf_list only;
	struct gh_settings github;
	int64_t confirm_s, budget;
	bool dry_run, report;
};

/*
 * Read argv and the environment into `s`, with defaults; texts are borrowed from them.  What
 * cannot be meant is ERR_INVAL with a text for the user; nothing is opened.
 */
int swpr_settings_read(
    struct swpr_settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei);
