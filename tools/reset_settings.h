/* reset_settings.h - the command line of maint-reset. */
#pragma once

#include "base/addr.h"
#include "base/conf.h"

#define RESET_BACKUP_DIR "/.backup" /* below --log */

struct reset_settings {
	const char *repo; /* "owner/name" */
	const char *log, *log_exact, *backup, *kubeconfig, *namespace_name, *ca_file;
	const char *router_text; /* as given; read into the next one, or NULL */
	struct addr router;
	int64_t timeout_s;
	bool yes, dry_run, keep_backup;
};

/*
 * Read argv and the environment into `s`, with defaults; texts are borrowed from them.  What
 * cannot be meant is ERR_INVAL with a text for the user; nothing is opened.
 */
int reset_settings_read(
    struct reset_settings *s, int argc, char **argv, enum conf_next *next, struct err_info *ei);
