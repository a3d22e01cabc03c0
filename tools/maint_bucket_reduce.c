/*
 * maint-bucket-reduce - gathers the logs of repositories that have a bucket (or folder) each
 * into one bucket, under owner/repo/.
 */
#include <stdio.h>

#include "tools/copy_settings.h"

int
main(int argc, char **argv)
{
	const struct copy_program p = { .name = "maint-bucket-reduce",
		.purpose = "Gathers logs from one bucket for each repository into one bucket, "
			   "under owner/repo/.",
		.to_flag = "to-bucket",
		.to_value = "URL",
		.to_help = "root of the gathered logs, e.g. gs://logs",
		.gathers = true };

	return copy_main(&p, argc, argv);
}
