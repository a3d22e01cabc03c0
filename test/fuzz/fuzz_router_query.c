/* fuzz_router_query.c - queries and page tokens of the list of repositories. */
#include <stdlib.h>

#include "base/repo_list.h"
#include "router/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	char name[REPO_NAME_MAX + 1], token[PAGE_NAME_TOKEN];
	struct page_query q;
	struct arena a;

	arena_init(&a, (size_t)1 << 20);
	if (page_query_parse(text, &a, &q, NULL) == 0 && (q.size < 1 || q.size > PAGE_SIZE_MAX))
		abort();
	if (page_name_parse(text, "owner", SLICE("x"), name, NULL) == 0) {
		page_name_token("owner", SLICE("x"), name, token);
		if (!slice_is(text, token)) /* one text for one place */
			abort();
	}
	arena_clear(&a);
	return 0;
}
