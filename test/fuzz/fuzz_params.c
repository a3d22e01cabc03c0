/* fuzz_params.c - query strings of the API: whatever parses is within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct params *p)
{
	if (p->page_size < 1 || p->page_size > PARAMS_PAGE_MAX || p->order >= SNAP_ORDERS ||
	    p->classes == 0 || p->classes > SNAP_CLASS_ALL || p->fields == 0 ||
	    p->fields >= FIELD_BIT(FIELD_COUNT))
		abort();
	if (memchr(p->filter.len > 0 ? p->filter.ptr : "x", '\0', p->filter.len) != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice query = { (const char *)data, size }, out;
	struct err_info ei = { .text = "" };
	struct params p;
	struct arena a;
	int rc;

	arena_init(&a, (size_t)1 << 20);
	rc = params_parse(query, &a, &p, &ei);
	if (rc == 0)
		check(&p);
	else if (rc != ERR_NOMEM && ei.text[0] == '\0')
		abort(); /* the client is told why */
	if (params_decode(query, size % 2 == 0, &a, &out) == 0 && out.len > size)
		abort();
	arena_clear(&a);
	return 0;
}
