/*
 * copy_settings.h - the command line that maint-bucket-migrate and maint-bucket-reduce
 * share, and their main function.
 */
#pragma once

#include <stdbool.h>

struct copy_program {
	const char *name, *purpose;
	const char *to_flag, *to_value, *to_help;
	bool gathers;  /* the destination is a root to which owner/repo/ is added */
	bool replaces; /* what the destination holds is deleted first, when told to */
};

/* The exit status. */
int copy_main(const struct copy_program *p, int argc, char **argv);
