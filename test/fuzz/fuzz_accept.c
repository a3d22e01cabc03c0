/* fuzz_accept.c - the Accept field: any bytes; one that names one form alone gets it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char csv[] = "text/csv,";
	char field[4096];
	enum format alone = accept_format((struct slice){ (const char *)data, size });

	if (size > sizeof(field) - strlen(csv))
		return 0;
	memcpy(field, csv, strlen(csv));
	memcpy(field + strlen(csv), data, size);
	/* Nothing weighs more than 1, so the first of that weight wins. */
	if (accept_format((struct slice){ field, strlen(csv) + size }) != FORMAT_CSV)
		abort();
	return alone > FORMAT_NDJSON ? -1 : 0;
}
