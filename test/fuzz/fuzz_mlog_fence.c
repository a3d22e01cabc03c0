/* fuzz_mlog_fence.c - the text of WRITER; what parses prints to a text that parses. */
#include <stdint.h>
#include <stdlib.h>

#include "mutation-log/mlog_fence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlog_fence f = { 0 }, again = { 0 };
	struct buf text;

	if (mlog_fence_parse((struct slice){ (const char *)data, size }, &f, NULL) != 0)
		return 0;
	buf_init(&text, MLOG_WRITER_MAX_BYTES);
	if (mlog_fence_print(&f, &text) != 0 ||
	    mlog_fence_parse(buf_view(&text), &again, NULL) != 0 || again.epoch != f.epoch ||
	    again.sealed_count != f.sealed_count)
		abort();
	mlog_fence_clear(&f);
	mlog_fence_clear(&again);
	buf_clear(&text);
	return 0;
}
