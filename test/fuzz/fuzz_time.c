/* fuzz_time.c - times: what is read prints to a text that reads the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define YEAR_1_MS INT64_C(-62135596800000)
#define YEAR_10000_MS INT64_C(253402300800000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int64_t ms)
{
	char text[TIME_TEXT_MAX];
	size_t len = time_format(ms, text);
	int64_t back = 0;

	if (len != strlen(text) || time_parse((struct slice){ text, len }, &back) != 0)
		abort();
	/* An offset may lead out of the calendar. */
	if (ms >= YEAR_1_MS && ms < YEAR_10000_MS && back != ms)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	int64_t ms = 0;

	if (time_parse((struct slice){ (const char *)data, size }, &ms) == 0)
		check(ms);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	if (time_parse_http(copy, &ms) == 0)
		check(ms);
	free(copy);
	if (size >= sizeof(ms)) {
		memcpy(&ms, data, sizeof(ms));
		check(ms);
	}
	return 0;
}
