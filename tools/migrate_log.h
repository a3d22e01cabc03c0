/*
 * migrate_log.h - writes one destination's log out of a spool, and reads it back.
 */
#pragma once

#include "base/store/store.h"
#include "tools/spool.h"

enum migrate_step {
	MIGRATE_COMPARE, /* a record of the log was compared, before or after writing */
	MIGRATE_WRITE,   /* one was appended; not yet flushed */
};

struct migrate_log {
	const char *url;                          /* of the store */
	const char *prefix;                       /* of the log in it: "owner/repo/" or "" */
	const char *holder;                       /* who writes: the same for the same source */
	const struct store_open_opts *store_opts; /* may be NULL */
	/*
	 * The log may exist if it is the beginning of the result.  One that the same holder
	 * left unfinished is gone on with in any case.
	 */
	bool append_verified;
	bool dry_run; /* look and compare, write nothing */
	struct spool *spool;
	size_t lane; /* of it */
	/* Told of each record; a code other than 0 gives up with it.  May be NULL. */
	int (*on_record)(void *ctx, enum migrate_step step, size_t bytes, struct err_info *ei);
	/* Told once when a holder that may have died is waited for.  May be NULL. */
	void (*on_wait)(void *ctx, size_t lane, const char *holder, int64_t lease_s);
	void *ctx;
};

struct migrate_result {
	uint64_t there;   /* records that the log had */
	uint64_t written; /* appended now; with dry_run: that would be */
};

/*
 * May the destination be written at all, as far as can be told without the result?  The
 * codes of migrate_log(); reads no record, needs no spool.
 */
int migrate_look(const struct migrate_log *m, struct err_info *ei);
/*
 * Make the log hold exactly the spool's records, in their order, bytes unchanged, and read
 * all of it back.  ERR_EXISTS (there is a log, or something that is none; the text says
 * which), ERR_CONFLICT (its records are others, with the place; or somebody took the log
 * over), ERR_BUSY (held by another writer that is alive, or written to meanwhile; one that died is
 * waited for until its lease ends), ERR_CANCELED, ERR_CORRUPT, the store's errors.
 */
int migrate_log(const struct migrate_log *m, struct migrate_result *ret, struct err_info *ei);
