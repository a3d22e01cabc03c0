/*
 * request.c - the half of a request that is the same for every transport: what the
 * CGI variables mean (RFC 3875), and how an answer looks.
 *
 * Must not know sockets, FastCGI or libfcgi.
 */
#include <time.h>

#include "base/clock.h"
#include "fcgi/request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/request_transport.h"

#define HEADER_NAME_MAX 100
#define INTERNAL_ERROR "{\"code\":13,\"message\":\"internal error\",\"details\":[]}"

void
request_bufs_init(struct request_bufs *b, const struct request_serve_opts *o)
{
	size_t out_max = o != NULL && o->out_bytes_max > 0 ? o->out_bytes_max : REQUEST_OUT_MAX;

	buf_init(&b->out, out_max);
	buf_init(&b->head, REQUEST_HEAD_MAX);
}

void
request_bufs_clear(struct request_bufs *b)
{
	buf_clear(&b->out);
	buf_clear(&b->head);
}

struct slice
request_param(const struct request *req, const char *name)
{
	return req->transport->param(req, name);
}

struct slice
request_header(const struct request *req, const char *name)
{
	char var[HEADER_NAME_MAX + 6] = "HTTP_";
	size_t len = strlen(name);

	/* RFC 3875, 4.1.2 and 4.1.3: the two that come without the prefix. */
	if (strcasecmp(name, "Content-Type") == 0)
		return request_param(req, "CONTENT_TYPE");
	if (strcasecmp(name, "Content-Length") == 0)
		return request_param(req, "CONTENT_LENGTH");
	if (len > HEADER_NAME_MAX)
		return (struct slice){ NULL, 0 };
	for (size_t i = 0; i < len; i++)
		var[5 + i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
	var[5 + len] = '\0';
	return request_param(req, var);
}

/*
 * What was asked.
 */

/* RFC 9112, 3.2.2: the request target may be a whole URL. */
static struct slice
strip_authority(struct slice uri)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);
		const char *slash;

		if (uri.len < n || strncasecmp(uri.ptr, schemes[i], n) != 0)
			continue;
		slash = memchr(uri.ptr + n, '/', uri.len - n);
		if (slash == NULL)
			return SLICE("/");
		return (struct slice){ slash, uri.len - (size_t)(slash - uri.ptr) };
	}
	return uri;
}

static void
fill_from_uri(struct request *req, struct slice uri)
{
	const char *mark;

	uri = strip_authority(uri);
	mark = memchr(uri.ptr, '?', uri.len);
	req->path = uri;
	if (mark == NULL)
		return;
	req->path.len = (size_t)(mark - uri.ptr);
	req->query = (struct slice){ mark + 1, uri.len - req->path.len - 1 };
}

static bool
needs_escape(unsigned char c)
{
	return c <= 0x20 || c == '%' || c == '?' || c == '#' || c == 0x7f;
}

/* Append decoded text so that decoding it gives `s` again. */
static char *
put_escaped(char *p, struct slice s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (!needs_escape(c)) {
			*p++ = (char)c;
			continue;
		}
		*p++ = '%';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	return p;
}

/* Without REQUEST_URI the path is only there decoded, in two pieces. */
static int
fill_from_pieces(struct request *req)
{
	struct slice script = request_param(req, "SCRIPT_NAME");
	struct slice info = request_param(req, "PATH_INFO");
	char *path = arena_alloc(req->arena, 3 * (script.len + info.len) + 1);

	if (path == NULL)
		return ERR_NOMEM;
	req->path.ptr = path;
	req->path.len = (size_t)(put_escaped(put_escaped(path, script), info) - path);
	return 0;
}

static int
fill(struct request *req)
{
	struct slice uri = request_param(req, "REQUEST_URI");
	struct slice query = request_param(req, "QUERY_STRING");

	req->method = request_param(req, "REQUEST_METHOD");
	req->path = req->query = SLICE("");
	if (uri.len > 0)
		fill_from_uri(req, uri);
	else if (fill_from_pieces(req) != 0)
		return ERR_NOMEM;
	if (query.ptr != NULL)
		req->query = query;
	return 0;
}

void
request_again(struct request *req, unsigned delay_ms)
{
	request_again_with(req, delay_ms, NULL, NULL);
}

void
request_again_with(
    struct request *req, unsigned delay_ms, void *state, void (*drop)(void *state))
{
	if (req->replied)
		return;
	req->again_ms = delay_ms > 0 ? delay_ms : 1;
	req->state = state;
	req->drop_state = drop;
}

void
request_run_to_end(struct request *req, struct request_bufs *b, request_handler handler,
    void *ctx, unsigned thread)
{
	int64_t began = clock_mono_ms();

	request_run(req, b, handler, ctx, thread);
	while (!req->replied) {
		struct timespec pause = { req->again_ms / 1000,
			(req->again_ms % 1000) * 1000000L };

		nanosleep(&pause, NULL);
		if (req->state == NULL)
			arena_reset(req->arena);
		req->waited_ms = clock_mono_ms() - began;
		request_run(req, b, handler, ctx, thread);
	}
}

void
request_bufs_reset(struct request_bufs *b)
{
	/* One huge answer must not keep its memory for ever. */
	if (b->out.cap > REQUEST_KEEP_BYTES)
		buf_clear(&b->out);
	else
		buf_reset(&b->out);
}

void
request_run(struct request *req, struct request_bufs *b, request_handler handler, void *ctx,
    unsigned thread)
{
	req->out = &b->out;
	req->head = &b->head;
	req->replied = false;
	req->again_ms = 0;
	if (fill(req) == 0)
		handler(ctx, thread, req);
	if (!req->replied && req->again_ms == 0) {
		buf_reset(&b->out);
		buf_str(&b->out, INTERNAL_ERROR);
		request_reply(req, 500, "application/json", NULL, &b->out);
	}
	request_bufs_reset(b);
}

/*
 * How it is answered.
 */

const char *
request_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 304, "Not Modified" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].status == status)
			return table[i].reason;
	}
	return "Unknown";
}

/* No line of ours may become two. */
static bool
is_clean(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] < 0x20 && s.ptr[i] != '\t')
			return false;
	}
	return true;
}

static void
add_field(struct buf *h, struct slice name, struct slice value)
{
	if (!is_clean(name) || !is_clean(value))
		return;
	buf_slice(h, name);
	buf_add(h, ": ", 2);
	buf_slice(h, value);
	buf_add(h, "\r\n", 2);
}

/* RFC 9110, 6.4.1 and 8.6: these have no body, and no length of one. */
static bool
is_bodyless(int status)
{
	return status < 200 || status == 204 || status == 304;
}

static void
add_status(struct buf *h, int status)
{
	buf_add(h, "Status: ", 8);
	buf_i64(h, status);
	buf_char(h, ' ');
	buf_str(h, request_reason(status));
	buf_add(h, "\r\n", 2);
}

#define LENGTH_UNKNOWN SIZE_MAX

static void
build_head(struct buf *h, int status, const char *content_type,
    const struct request_field *fields, size_t body_bytes)
{
	buf_reset(h);
	add_status(h, status);
	if (!is_bodyless(status)) {
		if (content_type != NULL)
			add_field(h, SLICE("Content-Type"), slice_str(content_type));
	}
	if (!is_bodyless(status) && body_bytes != LENGTH_UNKNOWN) {
		buf_add(h, "Content-Length: ", 16);
		buf_u64(h, body_bytes);
		buf_add(h, "\r\n", 2);
	}
	for (; fields != NULL && fields->name != NULL; fields++)
		add_field(h, slice_str(fields->name), fields->value);
	buf_add(h, "\r\n", 2);
}

/* The last resort needs no memory. */
static void
send_broken(struct request *req)
{
	req->transport->send(
	    req, SLICE("Status: 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"), NULL);
}

void
request_reply(struct request *req, int status, const char *content_type,
    const struct request_field *fields, struct buf *body)
{
	bool no_body = slice_is(req->method, "HEAD") || is_bodyless(status);

	if (req->replied)
		return;
	req->replied = true;
	if (body != NULL && buf_err(body) != 0) {
		send_broken(req);
		return;
	}
	build_head(req->head, status, content_type, fields, body != NULL ? body->len : 0);
	if (buf_err(req->head) != 0)
		send_broken(req);
	else
		req->transport->send(req, buf_view(req->head), no_body ? NULL : body);
}

void
request_reply_stream(struct request *req, int status, const char *content_type,
    const struct request_field *fields, const struct request_stream *s)
{
	bool head_only = slice_is(req->method, "HEAD");

	if (req->replied)
		return;
	req->replied = true;
	build_head(req->head, status, content_type, fields, LENGTH_UNKNOWN);
	if (buf_err(req->head) == 0 && !head_only) {
		req->transport->stream(req, buf_view(req->head), s);
		return;
	}
	if (head_only)
		req->transport->send(req, buf_view(req->head), NULL);
	else
		send_broken(req);
	s->end(s->ctx);
}

void
request_stream_out(struct request *req, struct slice head, const struct request_stream *s,
    int (*put)(struct request *req, struct slice bytes))
{
	int more = 1, rc = put(req, head);

	while (rc == 0 && more > 0) {
		buf_reset(req->out);
		more = s->next(s->ctx, req->out);
		rc = buf_err(req->out);
		if (rc == 0)
			rc = put(req, buf_view(req->out));
	}
	s->end(s->ctx);
}
