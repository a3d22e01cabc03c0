/*
 * maint-bucket-migrate - copies the logs of a set of repositories from one set of buckets
 * (or folders) to another, where each repository has one of its own.
 */
#include <stdio.h>

#include "tools/copy_settings.h"

int
main(int argc, char **argv)
{
	const struct copy_program p = { .name = "maint-bucket-migrate",
		.purpose =
		    "Copies logs from one set of buckets to another, one bucket for each "
		    "repository.",
		.to_flag = "to-prefix",
		.to_value = "URL",
		.to_help =
		    "where they go: URL with {sha}, or what comes before the digest of the "
		    "repository's name, e.g. gs://mtr-q-",
		.replaces = true };

	return copy_main(&p, argc, argv);
}
