/* fuzz_mlog_record.c - a run of records; what parses must be framed the same again. */
#include <stdint.h>
#include <stdlib.h>

#include "mutation-log/mlog_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice run = { (const char *)data, size };
	size_t count = 0, seen = 0;
	uint64_t offset = 0;
	bool whole = mlog_run_check(run, 0, &count, NULL) == 0;

	while (run.len > 0) {
		char again[MLOG_HEADER_MAX + 1];
		size_t header, payload;

		if (mlog_record_parse(run, offset, &header, &payload, NULL) != 0)
			break;
		check(header <= run.len && header <= MLOG_HEADER_MAX &&
		      payload <= MLOG_RECORD_MAX);
		check(mlog_record_header(offset, payload, again) <= header);
		if (payload > run.len - header)
			break;
		run.ptr += header + payload;
		run.len -= header + payload;
		offset += header + payload;
		seen++;
	}
	check(whole == (size > 0 && run.len == 0));
	check(!whole || seen == count);
	return 0;
}
