/* fuzz_gh_link.c - Link headers, and whether an URL stays with its host. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sync/github/gh_link.h"

#define BASE "https://api.github.test:8443/api/v3"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An URL of our origin begins with it, but for the case of letters. */
static void
check_origin(const char *url)
{
	if (gh_same_origin(BASE, url) && strncasecmp(url, "https://api.github.test:8443",
					     strlen("https://api.github.test:8443")) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice header = { (const char *)data, size };
	char next[256], *copy = malloc(size + 1);

	if (gh_link_next(header, next, sizeof(next)) == 0 && next[0] != '\0' &&
	    memmem(data, size, next, strlen(next)) == NULL)
		abort();
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	check_origin(copy);
	check_origin(next);
	free(copy);
	return 0;
}
