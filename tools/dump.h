/* dump.h - the jobs of maint-dump; each prints to standard output. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct dump {
	const char *snapshot, *log, *log_exact, *repo, *scratch, *ca_file;
	bool verify;
};

/* A line for the repository, each family, label, milestone, and issue with all below it. */
int dump_snapshot(const struct dump *d, struct err_info *ei);
/* A line for each record: {"segment":0,"offset":0,"mutation":{...}}. */
int dump_log(const struct dump *d, struct err_info *ei);
/* ERR_CORRUPT when snapshot and log do not say the same; differences are printed. */
int dump_verify(const struct dump *d, struct err_info *ei);

/* Write the buffer and a line break to standard output and empty it. */
int dump_line(struct buf *b, struct err_info *ei);
