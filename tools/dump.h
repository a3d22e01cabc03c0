/* dump.h - the jobs of maint-dump; each prints to standard output. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct dump {
	const char *snapshot, *log, *log_exact, *repo, *scratch, *ca_file;
	const char *diff;   /* a second log's URL, or a second snapshot's directory */
	const char *type;   /* only lines of this type; NULL = all */
	const char *since;  /* RFC 3339, and the same as since_ms; NULL = all */
	const char *format; /* "json" or "text" */
	int64_t number;     /* only of this issue; 0 = all */
	int64_t since_ms;
	bool verify;
	bool text; /* for people: a short line each */
};

/* A line for the repository, each family, label, milestone, and issue with all below it. */
int dump_snapshot(const struct dump *d, struct err_info *ei);
/* A line for each record: {"segment":0,"offset":0,"mutation":{...}}. */
int dump_log(const struct dump *d, struct err_info *ei);
/* ERR_CORRUPT when snapshot and log do not say the same; differences are printed. */
int dump_verify(const struct dump *d, struct err_info *ei);

/* What --diff names and what is dumped: ERR_CONFLICT when they differ; how is printed. */
int dump_diff(const struct dump *d, struct err_info *ei);

/* ERR_NOENT with the place: the store's URL and the log's folder in it, "" or "owner/repo/". */
int dump_no_log(const char *url, const char *prefix, struct err_info *ei);

/* Write the buffer and a line break to standard output and empty it. */
int dump_line(struct buf *b, struct err_info *ei);
