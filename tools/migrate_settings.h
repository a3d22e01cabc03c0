/* migrate_settings.h - the command line of maintmigrate. */
#pragma once

#include "base/conf.h"

struct migrate_settings {
	const char *source, *repos, *dest, *scratch, *ca_file;
	struct conf_list only;
	bool keep_git, report, dry_run, append_verified;
};

/*
 * Read argv and the environment into `s`, zeroed before; texts are borrowed from them.  What
 * cannot be meant is ERR_INVAL with a text for the user; nothing is opened.
 */
int migrate_settings_read(struct migrate_settings *s, int argc, char **argv,
    enum conf_next *next, struct err_info *ei);
