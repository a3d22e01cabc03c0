/* fuzz_record_owner.c - any bytes as a record: names are parts of it, or it is damaged. */
#include <stdint.h>
#include <stdlib.h>

#include "tools/record_owner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
is_inside(struct slice part, const char *start, size_t size)
{
	return part.len == 0 || (part.ptr >= start && part.ptr + part.len <= start + size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *start = (const char *)data;
	struct record_owner o;

	if (record_owner_of((struct slice){ start, size }, &o, NULL) != 0)
		return 0;
	if (!is_inside(o.owner, start, size) || !is_inside(o.repo, start, size))
		abort();
	return 0;
}
