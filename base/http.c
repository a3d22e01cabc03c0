/* http.c - what both HTTP clients share: answers, headers, cancelable waits. */
#include "base/http.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define HEADERS_MAX ((size_t)256 << 10)

int
cancel_sleep(const struct cancel *c, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;
	struct pollfd p = { .fd = c != NULL ? c->fd : -1, .events = POLLIN };

	for (;;) {
		int64_t left = end - clock_mono_ms();
		int n;

		if (left <= 0)
			return 0;
		n = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
		if (n > 0 && c != NULL && c->check(c->ctx))
			return ERR_CANCELED;
		if (n < 0 && errno != EINTR)
			return ERR_IO;
	}
}

void
http_encode(struct buf *b, const char *text)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL)
			buf_char(b, *text);
		else
			buf_fmt(b, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

void
http_response_init(struct http_response *r)
{
	r->status = 0;
	buf_init(&r->headers, HEADERS_MAX);
	buf_init(&r->body, SIZE_MAX / 2);
}

void
http_response_clear(struct http_response *r)
{
	buf_clear(&r->headers);
	buf_clear(&r->body);
}

struct slice
http_response_header(const struct http_response *r, const char *name)
{
	const char *p = r->headers.ptr, *end;
	size_t len = strlen(name);

	if (r->headers.len == 0)
		return (struct slice){ 0 };
	end = p + r->headers.len;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t line = nl == NULL ? (size_t)(end - p) : (size_t)(nl - p);

		if (line > len + 1 && memcmp(p, name, len) == 0 && p[len] == ':') {
			const char *v = p + len + 1;

			while (v < p + line && *v == ' ')
				v++;
			return (struct slice){ v, (size_t)(p + line - v) };
		}
		p += line + 1;
	}
	return (struct slice){ 0 };
}

int
http_status_err(int status)
{
	static const struct {
		int status;
		int code;
	} codes[] = {
		{ 301, ERR_MOVED },
		{ 302, ERR_MOVED },
		{ 307, ERR_MOVED },
		{ 308, ERR_MOVED },
		{ 401, ERR_AUTH },
		{ 403, ERR_DENIED },
		{ 404, ERR_NOENT },
		{ 408, ERR_UNAVAILABLE },
		{ 409, ERR_CONFLICT },
		{ 410, ERR_GONE },
		{ 412, ERR_CONFLICT },
		{ 429, ERR_RATE },
		{ 451, ERR_DENIED },
	};

	if (status >= 200 && status < 300)
		return 0;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].status == status)
			return codes[i].code;
	}
	return status >= 500 ? ERR_UNAVAILABLE : ERR_HTTP;
}

int
http_perform(struct http *h, const struct http_request *req, struct http_response *res,
    struct err_info *ei)
{
	res->status = 0;
	buf_reset(&res->headers);
	buf_reset(&res->body);
	res->body.max = req->body_max;
	return h->ops->perform(h, req, res, ei);
}

void
http_free(struct http *h)
{
	if (h != NULL)
		h->ops->free(h);
}

/* --- the scripted client --- */

struct http_script {
	struct http base;
	const struct http_scripted *answers;
	size_t count, next;
};

static int
script_perform(struct http *h, const struct http_request *req, struct http_response *res,
    struct err_info *ei)
{
	struct http_script *s = (struct http_script *)h;
	const struct http_scripted *a;

	if (s->next == s->count)
		return err_set(
		    ei, ERR_CLOSED, "%s: the script has no further answer", req->url);
	a = &s->answers[s->next++];
	if (a->expect_url != NULL && strcmp(a->expect_url, req->url) != 0)
		return err_set(ei, ERR_PROTO, "asked %s, expected %s", req->url, a->expect_url);
	if (a->rc != 0)
		return err_set(ei, a->rc, "%s: scripted failure", req->url);
	res->status = a->status;
	if (a->headers != NULL)
		buf_str(&res->headers, a->headers);
	if (a->body != NULL && req->on_body != NULL && http_status_err(a->status) == 0)
		return req->on_body(req->body_ctx, slice_str(a->body));
	if (a->body != NULL)
		buf_str(&res->body, a->body);
	return buf_err(&res->body);
}

static void
script_free(struct http *h)
{
	mem_free(h);
}

int
http_script_new(const struct http_scripted *answers, size_t count, struct http **ret)
{
	static const struct http_ops ops = { script_perform, script_free };
	struct http_script *s = mem_zalloc(sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	*s = (struct http_script){ .base = { &ops }, .answers = answers, .count = count };
	*ret = &s->base;
	return 0;
}
