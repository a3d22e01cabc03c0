/* gh_link.c - pure parsing of what GitHub says about where to go next. */
#include "sync/github/gh_link.h"

#include <string.h>
#include <strings.h>

static void
skip_space(struct slice *s)
{
	while (s->len > 0 && (*s->ptr == ' ' || *s->ptr == '\t')) {
		s->ptr++;
		s->len--;
	}
}

/* Take what stands before `stop`, or everything; quoted texts (RFC 9110) are skipped over. */
static struct slice
take_until(struct slice *s, const char *stop)
{
	struct slice part = { s->ptr, 0 };
	bool quoted = false;

	for (; part.len < s->len; part.len++) {
		char c = s->ptr[part.len];

		if (!quoted && strchr(stop, c) != NULL && c != '\0')
			break;
		if (quoted && c == '\\' && part.len + 1 < s->len)
			part.len++;
		else if (c == '"')
			quoted = !quoted;
	}
	s->ptr += part.len;
	s->len -= part.len;
	return part;
}

static bool
is_word(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

/* Is `next` one of the relation types in a value such as `next` or `"prev next"`? */
static bool
names_next(struct slice value)
{
	skip_space(&value);
	if (value.len > 0 && *value.ptr == '"') {
		const char *end = memchr(value.ptr + 1, '"', value.len - 1);

		value.ptr++;
		value.len = end != NULL ? (size_t)(end - value.ptr) : value.len - 1;
	}
	while (value.len > 0) {
		struct slice type = take_until(&value, " \t");

		if (is_word(type, "next"))
			return true;
		skip_space(&value);
	}
	return false;
}

/* Does the first `rel` among the parameters name the next page? */
static bool
has_rel_next(struct slice params)
{
	while (params.len > 0) {
		struct slice part = take_until(&params, ";"), name;

		skip_space(&part);
		name = take_until(&part, "= \t");
		skip_space(&part);
		if (is_word(name, "rel") && part.len > 0 && *part.ptr == '=')
			return names_next((struct slice){ part.ptr + 1, part.len - 1 });
		if (params.len > 0) { /* the semicolon */
			params.ptr++;
			params.len--;
		}
	}
	return false;
}

static int
copy_out(struct slice url, char *out, size_t size)
{
	if (url.len >= size)
		return ERR_LIMIT;
	memcpy(out, url.ptr, url.len);
	out[url.len] = '\0';
	return 0;
}

int
gh_link_next(struct slice header, char *out, size_t size)
{
	out[0] = '\0';
	while (header.len > 0) {
		struct slice url, params;
		const char *close;

		skip_space(&header);
		if (header.len > 0 && *header.ptr == ',') {
			header.ptr++;
			header.len--;
			continue;
		}
		if (header.len == 0)
			return 0;
		close = memchr(header.ptr, '>', header.len);
		if (*header.ptr != '<' || close == NULL)
			return ERR_PROTO;
		url = (struct slice){ header.ptr + 1, (size_t)(close - header.ptr) - 1 };
		header.len -= url.len + 2;
		header.ptr = close + 1;
		params = take_until(&header, ",");
		if (has_rel_next(params))
			return copy_out(url, out, size);
	}
	return 0;
}

/* Scheme, host and port as they compare; false for what is no http(s) URL. */
static bool
split_origin(const char *url, char scheme[6], struct slice *host, struct slice *port)
{
	const char *p, *end, *colon;
	bool tls = strncasecmp(url, "https://", 8) == 0;

	if (!tls && strncasecmp(url, "http://", 7) != 0)
		return false;
	strcpy(scheme, tls ? "https" : "http"); /* NOLINT: fits */
	p = url + (tls ? 8 : 7);
	end = p + strcspn(p, "/?#");
	if (memchr(p, '@', (size_t)(end - p)) != NULL ||
	    memchr(p, '\\', (size_t)(end - p)) != NULL)
		return false; /* nobody needs user names here, and they mislead */
	colon = *p == '[' ? memchr(p, ']', (size_t)(end - p)) : p;
	if (colon == NULL)
		return false;
	colon = memchr(colon, ':', (size_t)(end - colon));
	*host = (struct slice){ p, (size_t)((colon != NULL ? colon : end) - p) };
	*port = colon != NULL && colon + 1 < end
		    ? (struct slice){ colon + 1, (size_t)(end - colon - 1) }
		    : slice_str(tls ? "443" : "80");
	return host->len > 0;
}

bool
gh_same_origin(const char *base, const char *url)
{
	char scheme_a[6], scheme_b[6];
	struct slice host_a, host_b, port_a, port_b;

	if (!split_origin(base, scheme_a, &host_a, &port_a) ||
	    !split_origin(url, scheme_b, &host_b, &port_b))
		return false;
	return strcmp(scheme_a, scheme_b) == 0 && host_a.len == host_b.len &&
	       strncasecmp(host_a.ptr, host_b.ptr, host_a.len) == 0 && slice_eq(port_a, port_b);
}
