/*
 * repo_source.h - the repository list out of a bucket or file, read again and again on the
 * calling thread.
 */
#pragma once

#include "base/repo_list.h"
#include "base/store/store.h"

struct repo_source {
	char *store_url;
	const char *object; /* of its URL, borrowed */
	const char *ca_file;
	struct cancel cancel; /* its check NULL: none */
	struct store *store;
	char digest[SHA224_HEX_LEN + 1]; /* of the bytes that were read last */
};

/* `url` names the list itself and is borrowed.  ERR_INVAL when it names no object. */
int repo_source_init(struct repo_source *s, const char *url, struct err_info *ei);
void repo_source_clear(struct repo_source *s);
/*
 * Read it.  *ret_same (and no list) when the bytes are those of the last good reading; NULL:
 * take the list in any case.  Entries that are skipped are logged, the first ones each.
 * Errors of store_get() and repo_list_parse().
 */
int repo_source_read(
    struct repo_source *s, bool *ret_same, struct repo_list *ret, struct err_info *ei);
