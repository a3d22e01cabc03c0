/*
 * made_log.h - records into segments under a prefix of a store, without the commit
 * record WRITER: a log as maintner leaves it, which every program of ours adopts.
 */
#pragma once

#include "base/buf.h"
#include "base/store/store.h"
#include "mutation-log/mlog.h"

struct made_log {
	struct store *store;
	const char *prefix;
	struct mlog_pos end;
	struct buf segment; /* the one being filled */
	uint64_t records, bytes;
};

void made_log_init(struct made_log *l, struct store *s, const char *prefix);
int made_log_add(struct made_log *l, struct slice payload, struct err_info *ei);
int made_log_finish(struct made_log *l, struct err_info *ei); /* writes the last segment */
void made_log_clear(struct made_log *l);
