/* gh_link.c - pure parsing of what GitHub says about where to go next. */
#include "sync/github/gh_link.h"

#include <string.h>
#include <strings.h>

/* Is one of the parameters `; rel="next"` (or rel=next)? */
static bool
has_rel_next(struct slice params)
{
	const char *p = params.ptr, *end = p + params.len;

	while (p < end) {
		const char *semi = memchr(p, ';', (size_t)(end - p));
		size_t len = semi != NULL ? (size_t)(semi - p) : (size_t)(end - p);

		while (len > 0 && *p == ' ') {
			p++;
			len--;
		}
		if ((len >= 10 && strncasecmp(p, "rel=\"next\"", 10) == 0) ||
		    (len == 8 && strncasecmp(p, "rel=next", 8) == 0))
			return true;
		p += len + 1;
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

/* Where a link's parameters end: at a comma outside quotation marks. */
static const char *
params_end(const char *p, const char *end)
{
	bool quoted = false;

	for (; p < end && (quoted || *p != ','); p++) {
		if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

int
gh_link_next(struct slice header, char *out, size_t size)
{
	const char *p = header.ptr, *end = p + header.len;

	out[0] = '\0';
	while (p != NULL && p < end) {
		const char *close, *stop;

		while (p < end && (*p == ' ' || *p == ','))
			p++;
		if (p == end)
			return 0;
		close = memchr(p, '>', (size_t)(end - p));
		if (*p != '<' || close == NULL)
			return ERR_PROTO;
		stop = params_end(close + 1, end);
		if (has_rel_next((struct slice){ close + 1, (size_t)(stop - close - 1) }))
			return copy_out(
			    (struct slice){ p + 1, (size_t)(close - p - 1) }, out, size);
		p = stop;
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
	colon = colon != NULL ? memchr(colon, ':', (size_t)(end - colon)) : NULL;
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
