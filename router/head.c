/* head.c - reading a header strictly; must not know connections. */
#include "router/head.h"

#include <strings.h>

#define NAME_IS(s, word)                                                                       \
	((s).len == sizeof(word) - 1 && strncasecmp((s).ptr, (word), (s).len) == 0)

struct field {
	struct slice line, name, value;
};

/* The next line without its end; false at the empty one. */
static bool
next_field(struct slice *rest, struct field *ret)
{
	const char *nl = memchr(rest->ptr, '\n', rest->len);
	const char *colon;
	size_t len;

	if (nl == NULL)
		return false;
	len = (size_t)(nl - rest->ptr);
	ret->line = (struct slice){ rest->ptr, len };
	if (len > 0 && nl[-1] == '\r')
		ret->line.len--;
	rest->ptr += len + 1;
	rest->len -= len + 1;
	if (ret->line.len == 0)
		return false;
	colon = memchr(ret->line.ptr, ':', ret->line.len);
	if (colon == NULL) { /* cgi_head_parse() has seen to it */
		ret->name = ret->value = (struct slice){ NULL, 0 };
		return true;
	}
	ret->name = (struct slice){ ret->line.ptr, (size_t)(colon - ret->line.ptr) };
	ret->value = (struct slice){ colon + 1, ret->line.len - ret->name.len - 1 };
	while (ret->value.len > 0 && (*ret->value.ptr == ' ' || *ret->value.ptr == '\t')) {
		ret->value.ptr++;
		ret->value.len--;
	}
	return true;
}

/* RFC 9110, 5.6.2. */
static bool
is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') ||
			(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
			return false;
	}
	return s.len > 0;
}

static bool
is_value(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
parse_length(struct slice s, int64_t *ret)
{
	int64_t n = 0;

	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	if (s.len == 0 || s.len > 18)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		n = 10 * n + (s.ptr[i] - '0');
	}
	*ret = n;
	return true;
}

int
head_check(struct slice text, struct head *ret)
{
	struct head found = { .length = -1 };
	struct cgi_head cgi = { 0 };
	unsigned fields = 0, statuses = 0, lengths = 0;
	struct field f;
	int rc;

	rc = cgi_head_parse(text, &cgi);
	if (rc == 0 && text.len >= HEAD_MAX)
		return ERR_LIMIT;
	if (rc != 1)
		return rc;
	if (cgi.bytes > HEAD_MAX)
		return ERR_LIMIT;
	text.len = cgi.bytes;
	while (next_field(&text, &f)) {
		fields++;
		statuses += NAME_IS(f.name, "Status");
		lengths += NAME_IS(f.name, "Content-Length");
		if (!is_token(f.name) || !is_value(f.value) ||
		    NAME_IS(f.name, "Transfer-Encoding"))
			return ERR_PROTO;
		if (NAME_IS(f.name, "Content-Length") && !parse_length(f.value, &found.length))
			return ERR_PROTO;
	}
	if (fields == 0 || statuses > 1 || lengths > 1 || cgi.status < 200 || cgi.status > 599)
		return ERR_PROTO;
	found.status = cgi.status;
	found.bytes = cgi.bytes;
	*ret = found;
	return 1;
}

void
head_copy(struct buf *out, struct slice text, const char *request_id)
{
	struct field f;

	buf_str(out, "X-Request-Id: ");
	buf_str(out, request_id);
	buf_add(out, "\r\n", 2);
	while (next_field(&text, &f)) {
		if (NAME_IS(f.name, "X-Request-Id"))
			continue;
		buf_slice(out, f.line);
		buf_add(out, "\r\n", 2);
	}
	buf_add(out, "\r\n", 2);
}
