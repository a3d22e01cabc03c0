/* etag.c - making and comparing validators. */
#include "fcgi/etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* Changes with the sources that render answers; see CMakeLists.txt. */
#ifndef MAINTNER_RENDERER
#error "MAINTNER_RENDERER is not defined"
#endif

static uint64_t
hash_query(struct slice path, struct slice query, struct slice format)
{
	uint64_t h = hash64_add(HASH64_START, path);

	h = hash64_add(h, SLICE("?"));
	h = hash64_add(h, query);
	h = hash64_add(h, SLICE("\n"));
	return hash64_end(hash64_add(h, format));
}

void
etag_of_log(const struct snap_repo *repo, struct slice path, struct slice query,
    struct slice format, char out[ETAG_TEXT])
{
	snprintf(out, ETAG_TEXT, "\"%" PRIu32 ".%" PRIu64 "-%s-%016" PRIx64 "\"",
	    repo->log_segment, repo->log_offset, MAINTNER_RENDERER,
	    hash_query(path, query, format));
}

void
etag_of_bytes(struct slice bytes, char out[ETAG_TEXT])
{
	snprintf(out, ETAG_TEXT, "\"%016" PRIx64 "\"", hash64(bytes));
}

/* The opaque text of a validator without what compression leaves behind it. */
static struct slice
without_coding(struct slice opaque)
{
	static const char *const codings[] = { "-gzip", "-br", "-deflate", "-zstd", "-bzip2" };

	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		size_t len = strlen(codings[i]);

		if (opaque.len > len &&
		    memcmp(opaque.ptr + opaque.len - len, codings[i], len) == 0)
			return (struct slice){ opaque.ptr, opaque.len - len };
	}
	return opaque;
}

static size_t
skip(struct slice s, size_t at, const char *chars)
{
	while (at < s.len && s.ptr[at] != '\0' && strchr(chars, s.ptr[at]) != NULL)
		at++;
	return at;
}

/* The next validator's text between its quotation marks; false at the end or at nonsense. */
static bool
next_validator(struct slice list, size_t *at, struct slice *ret)
{
	size_t i = skip(list, *at, " \t,");
	const char *end;

	if (list.len - i >= 2 && list.ptr[i] == 'W' && list.ptr[i + 1] == '/')
		i += 2;
	if (i >= list.len || list.ptr[i] != '"')
		return false;
	i++;
	end = memchr(list.ptr + i, '"', list.len - i);
	if (end == NULL)
		return false;
	*ret = (struct slice){ list.ptr + i, (size_t)(end - (list.ptr + i)) };
	*at = (size_t)(end + 1 - list.ptr);
	return true;
}

bool
etag_matches(struct slice if_none_match, const char *etag)
{
	struct slice own = { etag + 1, strlen(etag) - 2 }, other;
	size_t at = skip(if_none_match, 0, " \t");

	if (if_none_match.len == 0)
		return false;
	if (at < if_none_match.len && if_none_match.ptr[at] == '*')
		return skip(if_none_match, at + 1, " \t") == if_none_match.len;
	at = 0;
	while (next_validator(if_none_match, &at, &other)) {
		if (slice_eq(without_coding(other), own))
			return true;
	}
	return false;
}
