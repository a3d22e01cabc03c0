/* fuzz_fields.c - field masks: what parses is the union of its names. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice mask = { (const char *)data, size };
	uint64_t fields = 0, again = 0, sum = 0;

	if (fields_parse(mask, &fields, NULL) != 0)
		return 0;
	if (fields == 0 || fields >= FIELD_BIT(FIELD_COUNT))
		abort();
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		if ((fields & FIELD_BIT(f)) == 0)
			continue;
		if (fields_parse(slice_str(field_key(f)), &again, NULL) != 0)
			abort();
		sum |= again;
	}
	if (sum != fields)
		abort();
	return 0;
}
