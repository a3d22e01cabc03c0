/* fuzz_etag.c - If-None-Match: any bytes; what holds the validator itself matches. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char etag[] = "\"0.1-r-q\"";
	char field[4096] = "\"0.1-r-q\",";
	size_t own = strlen(field);

	(void)etag_matches((struct slice){ (const char *)data, size }, etag);
	if (size > sizeof(field) - own)
		return 0;
	memcpy(field + own, data, size);
	if (!etag_matches((struct slice){ field, own + size }, etag))
		abort();
	return 0;
}
