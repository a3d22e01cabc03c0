/* fuzz_gh_tokens.c - token files: only whole, clean tokens, each once, in order. */
#include <stdint.h>
#include <stdlib.h>

#include "sync/github/gh_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_token(const struct gh_token *t, const uint8_t *data, size_t size)
{
	const char *text;
	size_t len;

	if (t->authorize == NULL || strncmp(t->authorize, "Bearer ", 7) != 0)
		abort();
	text = t->authorize + 7;
	len = strlen(text);
	if (len == 0 || len > GH_TOKEN_MAX || text[0] == '#' ||
	    memmem(data, size, text, len) == NULL)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			abort();
	}
	if (strlen(t->digest) != GH_TOKEN_DIGEST - 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gh_tokens list;
	struct err_info ei = { .text = "" };
	int rc = gh_tokens_parse((struct slice){ (const char *)data, size }, "o/r", &list, &ei);

	if (rc != 0) {
		if ((rc != ERR_INVAL && rc != ERR_LIMIT) || ei.text[0] == '\0')
			abort();
		return 0;
	}
	if (list.count == 0 || list.count > GH_TOKENS_MAX)
		abort();
	for (size_t i = 0; i < list.count; i++) {
		check_token(&list.items[i], data, size);
		if (i > 0 && list.items[i - 1].rank < list.items[i].rank)
			abort();
		for (size_t j = 0; j < i; j++) {
			if (strcmp(list.items[i].digest, list.items[j].digest) == 0)
				abort();
		}
	}
	gh_tokens_clear(&list);
	return 0;
}
