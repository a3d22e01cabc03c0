/*
 * read_ahead.h - a log's records, read and checked on a thread of their own while the
 * caller works on earlier ones.
 */
#pragma once

#include "mutation-log/mlog_reader.h"

struct read_ahead;

/* Read what is left of `log`, which is borrowed and used by nobody else meanwhile. */
int read_ahead_start(struct mlog_reader *log, struct read_ahead **ret, struct err_info *ei);
/* Stops the thread.  NULL is fine. */
void read_ahead_stop(struct read_ahead *r);

/*
 * As mlog_reader_next(), in its order and with its errors: a failure comes after all
 * records that were good.
 */
int read_ahead_next(struct read_ahead *r, struct slice *ret_payload, struct mlog_pos *ret_at,
    struct err_info *ei);
