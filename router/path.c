/* path.c - splitting and judging a raw path; must not know requests or repositories. */
#include "router/path.h"

#define PARTS_MAX 32 /* the longest route has 7 */

struct parts {
	struct slice raw[PARTS_MAX];
	unsigned count;
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The next character of a part, decoded; -1 for a broken percent code. */
static int
next_char(struct slice s, size_t *at)
{
	int high, low;

	if (s.ptr[*at] != '%')
		return (unsigned char)s.ptr[(*at)++];
	if (*at + 2 >= s.len)
		return -1;
	high = hex_digit(s.ptr[*at + 1]);
	low = hex_digit(s.ptr[*at + 2]);
	*at += 3;
	return high < 0 || low < 0 ? -1 : 16 * high + low;
}

static const char *
check_part(struct slice s)
{
	size_t at = 0, chars = 0, dots = 0;

	while (at < s.len) {
		int c = next_char(s, &at);

		if (c < 0)
			return "has a broken percent code";
		if (c < 0x20 || c == 0x7f)
			return "has a control character in it";
		if (c == '/' || c == '\\' || c == ';')
			return "has an encoded slash, a backslash or a semicolon in it";
		chars++;
		dots += c == '.';
	}
	return chars > 0 && chars <= 2 && dots == chars ? "has a part that is \".\" or \"..\""
							: NULL;
}

/* Controls, spaces and '#' cannot stand raw in a request target at all (RFC 9112, 3.2). */
static const char *
check_raw(struct slice path)
{
	if (path.len == 0 || path.ptr[0] != '/')
		return "does not begin with \"/\"";
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];

		if (c <= 0x20 || c == 0x7f || c == '#')
			return "has a character in it that must be encoded";
	}
	return NULL;
}

/* Only the last part may be empty: then the path ends with '/'. */
static const char *
split(struct slice path, struct parts *ret)
{
	size_t at = 1;

	ret->count = 0;
	for (;;) {
		const char *start = path.ptr + at;
		const char *slash = memchr(start, '/', path.len - at);
		struct slice part = { start,
			slash != NULL ? (size_t)(slash - start) : path.len - at };
		const char *why = check_part(part);

		if (why != NULL)
			return why;
		if (part.len == 0 && slash != NULL)
			return "has an empty part (\"//\")";
		if (ret->count == PARTS_MAX)
			return "has too many parts";
		ret->raw[ret->count++] = part;
		if (slash == NULL)
			return NULL;
		at += part.len + 1;
	}
}

/* The part as a name; false if it can be none. */
static bool
decode_name(struct slice part, char out[REPO_PART_MAX + 1])
{
	size_t at = 0, n = 0;

	while (at < part.len) {
		if (n == REPO_PART_MAX)
			return false;
		out[n++] = (char)next_char(part, &at); /* checked before */
	}
	out[n] = '\0';
	return repo_part_ok((struct slice){ out, n });
}

static bool
part_is(const struct parts *p, unsigned i, const char *word)
{
	return i < p->count && slice_is(p->raw[i], word);
}

static enum path_route
below_api(const struct parts *p, struct path *ret)
{
	if (p->count == 3 && part_is(p, 2, "update"))
		return PATH_UPDATE;
	if (p->count == 3 && part_is(p, 2, "webhook"))
		return PATH_WEBHOOK;
	if (p->count == 5 && part_is(p, 2, "owners") && part_is(p, 4, "repositories"))
		return decode_name(p->raw[3], ret->owner) ? PATH_REPOSITORIES : PATH_UNKNOWN;
	if (p->count < 4 || !decode_name(p->raw[2], ret->owner) ||
	    !decode_name(p->raw[3], ret->repo))
		return PATH_UNKNOWN;
	ret->log_route = part_is(p, 4, "logs");
	return PATH_REPOSITORY;
}

static enum path_route
route_of(const struct parts *p, struct path *ret)
{
	if (part_is(p, 0, "api") && part_is(p, 1, "v1"))
		return below_api(p, ret);
	if (p->count == 1 && part_is(p, 0, "_healthz"))
		return PATH_HEALTH;
	if (p->count == 1 && part_is(p, 0, "metrics"))
		return PATH_METRICS;
	return PATH_UNKNOWN;
}

int
path_parse(struct slice target, struct path *ret, struct err_info *ei)
{
	const char *mark = target.len > 0 ? memchr(target.ptr, '?', target.len) : NULL;
	struct slice path = { target.ptr,
		mark != NULL ? (size_t)(mark - target.ptr) : target.len };
	struct path found = { .whole = path };
	struct parts parts;
	const char *why;

	if (path.len > PATH_MAX_BYTES)
		return err_set(
		    ei, ERR_LIMIT, "the path is longer than %d bytes", PATH_MAX_BYTES);
	why = check_raw(path);
	if (why == NULL)
		why = split(path, &parts);
	if (why != NULL)
		return err_set(ei, ERR_INVAL, "the path %s", why);
	found.route = route_of(&parts, &found);
	*ret = found;
	return 0;
}
