/*
 * mlog_record.h - the framing of a record, `REC@<offset hex>+<length hex>=<bytes>`,
 * and the rule that places records in segments.  Pure: bytes in, bytes out.
 */
#pragma once

#include "base/buf.h"
#include "mutation-log/mlog.h"

#define MLOG_HEADER_MAX 38 /* "REC@" 16 hex "+" 16 hex "=" */

/*
 * Where a payload of `payload_len` bytes goes in a log that ends at `end`: on in the
 * same segment while that stays within MLOG_SEGMENT_MAX, else at the start of the
 * next number (which a record above that size has to itself).  *ret_end is the
 * log's end after it.  ERR_LIMIT above MLOG_RECORD_MAX, ERR_FULL past number 9999.
 */
int mlog_place(
    struct mlog_pos end, size_t payload_len, struct mlog_pos *ret_at, struct mlog_pos *ret_end);

/* Write the header of a record at `offset` in its segment; returns its length. */
size_t mlog_record_header(uint64_t offset, size_t payload_len, char out[MLOG_HEADER_MAX + 1]);

/* Append the framed record; errors are latched in `into`. */
void mlog_record_append(struct buf *into, uint64_t offset, struct slice payload);

/*
 * Read the header at the start of `data`, which is expected to say `offset`.
 * ERR_CLOSED when `data` ends within the header (more bytes may mend that),
 * ERR_CORRUPT with a text when it is no header, has bad hex digits, says another
 * offset, or a length above MLOG_RECORD_MAX.
 */
int mlog_record_parse(struct slice data, uint64_t offset, size_t *ret_header_len,
    size_t *ret_payload_len, struct err_info *ei);

/*
 * Check that `run` is one or more whole records, the first of which stands at `offset`.
 * *ret_count (may be NULL) is how many.  ERR_CORRUPT with the place in the text.
 */
int mlog_run_check(struct slice run, uint64_t offset, size_t *ret_count, struct err_info *ei);
