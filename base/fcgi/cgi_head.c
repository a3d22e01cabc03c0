/* cgi_head.c - reading the header of a CGI answer; must not know records or sockets. */
#include "base/fcgi/cgi_head.h"

#include <ctype.h>
#include <strings.h>

/* Cut the next line off `rest`, without its end; false if it has no end. */
static bool
next_line(struct slice *rest, struct slice *ret)
{
	const char *nl = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
	size_t len;

	if (nl == NULL)
		return false;
	len = (size_t)(nl - rest->ptr);
	*ret = (struct slice){ rest->ptr, len };
	if (len > 0 && rest->ptr[len - 1] == '\r')
		ret->len--;
	rest->ptr += len + 1;
	rest->len -= len + 1;
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice
trim(struct slice s)
{
	while (s.len > 0 && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool
split(struct slice line, struct slice *name, struct slice *value)
{
	const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
	size_t n;

	if (colon == NULL || colon == line.ptr)
		return false;
	n = (size_t)(colon - line.ptr);
	*name = (struct slice){ line.ptr, n };
	*value = trim((struct slice){ colon + 1, line.len - n - 1 });
	return true;
}

static bool
name_is(struct slice name, const char *want)
{
	size_t n = strlen(want);

	return name.len == n && strncasecmp(name.ptr, want, n) == 0;
}

/* "404 Not Found": three digits, then nothing or a space. */
static int
parse_status(struct slice v)
{
	int status = 0;

	if (v.len < 3 || (v.len > 3 && !is_space(v.ptr[3])))
		return ERR_PROTO;
	for (int i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)v.ptr[i]))
			return ERR_PROTO;
		status = 10 * status + (v.ptr[i] - '0');
	}
	return status >= 100 ? status : ERR_PROTO;
}

int
cgi_head_parse(struct slice text, struct cgi_head *ret)
{
	struct slice rest = text, line, name, value;
	int status = 0;
	bool location = false;

	if (rest.len > CGI_HEAD_MAX)
		rest.len = CGI_HEAD_MAX;
	while (next_line(&rest, &line)) {
		if (line.len == 0) {
			ret->status = status != 0 ? status : location ? 302 : 200;
			ret->bytes = (size_t)(rest.ptr - text.ptr);
			return 1;
		}
		if (!split(line, &name, &value))
			return ERR_PROTO;
		location |= name_is(name, "Location");
		if (!name_is(name, "Status"))
			continue;
		status = parse_status(value);
		if (status < 0)
			return status;
	}
	return text.len >= CGI_HEAD_MAX ? ERR_LIMIT : 0;
}

struct slice
cgi_head_field(struct slice head, const char *name)
{
	struct slice line, field, value;

	while (next_line(&head, &line)) {
		if (split(line, &field, &value) && name_is(field, name))
			return value;
	}
	return (struct slice){ NULL, 0 };
}
