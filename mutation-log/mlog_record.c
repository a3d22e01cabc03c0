/* mlog_record.c - framing and placing of records.  Pure; knows no store, no protobuf. */
#include "mutation-log/mlog_record.h"

#include <string.h>

#define HEX_MAX 16 /* digits of a uint64_t */

static char *
put_hex(char *at, uint64_t v)
{
	int shift = 60;

	while (shift > 0 && v >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[v >> shift & 15];
	return at;
}

/* Not by snprintf(), which is most of what a record costs that is only moved. */
size_t
mlog_record_header(uint64_t offset, size_t payload_len, char out[MLOG_HEADER_MAX + 1])
{
	char *at = out;

	memcpy(at, "REC@", 4);
	at = put_hex(at + 4, offset);
	*at++ = '+';
	at = put_hex(at, payload_len);
	*at++ = '=';
	*at = '\0';
	return (size_t)(at - out);
}

void
mlog_record_append(struct buf *into, uint64_t offset, struct slice payload)
{
	char header[MLOG_HEADER_MAX + 1];

	buf_add(into, header, mlog_record_header(offset, payload.len, header));
	buf_slice(into, payload);
}

int
mlog_place(
    struct mlog_pos end, size_t payload_len, struct mlog_pos *ret_at, struct mlog_pos *ret_end)
{
	char header[MLOG_HEADER_MAX + 1];
	uint64_t len;

	if (payload_len > MLOG_RECORD_MAX)
		return ERR_LIMIT;
	len = mlog_record_header(end.offset, payload_len, header) + payload_len;
	if (end.offset > 0 &&
	    (end.offset >= MLOG_SEGMENT_MAX || len > MLOG_SEGMENT_MAX - end.offset)) {
		end = (struct mlog_pos){ end.segment + 1, 0 };
		len = mlog_record_header(0, payload_len, header) + payload_len;
	}
	if (end.segment > MLOG_NUMBER_MAX)
		return ERR_FULL;
	*ret_at = end;
	*ret_end = (struct mlog_pos){ end.segment, end.offset + len };
	return 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Read 1..16 hex digits at *at, and the byte `stop` behind them. */
static int
take_hex(struct slice data, size_t *at, char stop, uint64_t *ret, const char *what,
    struct err_info *ei)
{
	uint64_t v = 0;
	size_t i = *at;

	for (;; i++) {
		int digit;

		if (i == data.len)
			return err_set(ei, ERR_CLOSED, "the record's header is cut short");
		if (data.ptr[i] == stop && i > *at)
			break;
		digit = hex_value(data.ptr[i]);
		if (digit < 0)
			return err_set(
			    ei, ERR_CORRUPT, "bad hex digit in the record's %s", what);
		if (i - *at == HEX_MAX)
			return err_set(
			    ei, ERR_CORRUPT, "too many digits in the record's %s", what);
		v = v << 4 | (uint64_t)digit;
	}
	*at = i + 1;
	*ret = v;
	return 0;
}

int
mlog_record_parse(struct slice data, uint64_t offset, size_t *ret_header_len,
    size_t *ret_payload_len, struct err_info *ei)
{
	static const char magic[4] = { 'R', 'E', 'C', '@' };
	size_t known = data.len < sizeof(magic) ? data.len : sizeof(magic);
	size_t at = sizeof(magic);
	uint64_t said, len;
	int rc;

	if (known > 0 && memcmp(data.ptr, magic, known) != 0)
		return err_set(ei, ERR_CORRUPT, "no record begins here (\"REC@\" expected)");
	if (known < sizeof(magic))
		return err_set(ei, ERR_CLOSED, "the record's header is cut short");
	rc = take_hex(data, &at, '+', &said, "offset", ei);
	if (rc == 0)
		rc = take_hex(data, &at, '=', &len, "length", ei);
	if (rc != 0)
		return rc;
	if (said != offset)
		return err_set(
		    ei, ERR_CORRUPT, "the record says offset 0x%llx", (unsigned long long)said);
	if (len > MLOG_RECORD_MAX)
		return err_set(ei, ERR_CORRUPT,
		    "the record says a length of %llu bytes (over-long)",
		    (unsigned long long)len);
	*ret_header_len = at;
	*ret_payload_len = (size_t)len;
	return 0;
}

int
mlog_run_check(struct slice run, uint64_t offset, size_t *ret_count, struct err_info *ei)
{
	size_t count = 0;

	do {
		size_t header, payload;
		int rc = mlog_record_parse(run, offset, &header, &payload, ei);

		if (rc == 0 && payload > run.len - header)
			rc = err_set(ei, ERR_CORRUPT, "the record is cut short");
		if (rc != 0)
			return err_wrap(
			    ei, ERR_CORRUPT, "offset 0x%llx", (unsigned long long)offset);
		run.ptr += header + payload;
		run.len -= header + payload;
		offset += header + payload;
		count++;
	} while (run.len > 0);
	if (ret_count != NULL)
		*ret_count = count;
	return 0;
}
