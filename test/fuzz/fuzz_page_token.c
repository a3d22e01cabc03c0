/* fuzz_page_token.c - page tokens: what is accepted is what we would have made. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/page_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct params query = { .classes = SNAP_CLASS_ALL };
	struct slice token = { (const char *)data, size };
	struct snap_list_pos at = { 0, 0 };
	char text[PAGE_TOKEN_TEXT];
	uint64_t total = 0;

	if (page_token_parse_counted(token, &query, SLICE("acme/widgets"), &at, &total, NULL) !=
	    0)
		return 0;
	page_token_make_counted(&query, SLICE("acme/widgets"), at, total, text);
	if (!slice_is(token, text))
		abort();
	return 0;
}
