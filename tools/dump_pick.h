/*
 * dump_pick.h - which records and issues maint-dump shows: --type, --number, --since.
 */
#pragma once

#include "lmdb-schema/snap_read.h"
#include "mutation-log/mlog_mutation.h"
#include "tools/dump.h"

/* "issue", "github", "git", "gerrit" or "other". */
const char *dump_record_type(const Maintpb__Mutation *m);

/*
 * Of a record: its type, its issue's number, and whether any time in it (of the issue, its
 * comments, events, reviews, or of the server) is at or after --since.
 */
bool dump_wants_record(const struct dump *d, const Maintpb__Mutation *m);

/* A line of a snapshot that is not an issue's: `type` is what its member "type" says. */
bool dump_wants_type(const struct dump *d, const char *type);
bool dump_wants_issue(const struct dump *d, const struct snap_issue *i);
