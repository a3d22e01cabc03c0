/* source.h - reading the repository list on the calling thread. */
#pragma once

#include "base/repo_list.h"
#include "base/store/store.h"

struct source {
	char *store_url;
	const char *object; /* of its URL, borrowed */
	const char *ca_file;
	struct cancel cancel; /* its check NULL: none */
	struct store *store;
	char digest[SHA224_HEX_LEN + 1]; /* of the bytes that were read last */
};

int source_init(struct source *s, const char *url, struct err_info *ei); /* ERR_INVAL */
void source_clear(struct source *s);
/*
 * Read it.  *ret_same (and no list) when the bytes are those of the last good reading.
 * Skipped entries are logged.  Errors of store_get() and repo_list_parse().
 */
int source_read(struct source *s, bool *ret_same, struct repo_list *ret, struct err_info *ei);
