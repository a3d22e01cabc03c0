/*
 * fuzz_router_path.c - request targets: what is taken has, decoded once more by other
 * rules, the same parts; the names found are names.
 */
#include <stdlib.h>

#include "router/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
hex(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) % 16 : -1;
}

/* Decode everything first and split then: the order that must make no difference. */
static void
check_decoded(struct slice path)
{
	char text[PATH_MAX_BYTES + 1];
	size_t n = 0, parts = 0, start = 0;

	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] != '%') {
			text[n++] = path.ptr[i];
			continue;
		}
		if (i + 2 >= path.len || hex(path.ptr[i + 1]) < 0 || hex(path.ptr[i + 2]) < 0)
			abort();
		text[n++] = (char)(16 * hex(path.ptr[i + 1]) + hex(path.ptr[i + 2]));
		i += 2;
	}
	for (size_t i = 0; i <= n; i++) {
		struct slice part = { text + start, i - start };

		if (i < n && (text[i] == '\0' || text[i] == '\\' || text[i] == ';'))
			abort();
		if (i < n && text[i] != '/')
			continue;
		if (slice_is(part, ".") || slice_is(part, "..") ||
		    (part.len == 0 && parts > 0 && i < n))
			abort();
		parts++;
		start = i + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice target = { (const char *)data, size };
	struct err_info ei = { .text = "" };
	struct path p;
	int rc = path_parse(target, &p, &ei);

	if (rc != 0) {
		if (ei.text[0] == '\0' || (rc != ERR_INVAL && rc != ERR_LIMIT))
			abort();
		return 0;
	}
	if (p.whole.ptr != target.ptr || p.whole.len > size)
		abort();
	check_decoded(p.whole);
	if (p.route == PATH_REPOSITORY &&
	    (!repo_part_ok(slice_str(p.owner)) || !repo_part_ok(slice_str(p.repo))))
		abort();
	if (p.route == PATH_REPOSITORIES && !repo_part_ok(slice_str(p.owner)))
		abort();
	return 0;
}
