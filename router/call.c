/* call.c - see call.h; must not know who answers. */
#include "router/call.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/mem.h"

#define POOL_MAX 64

/* https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
static const struct {
	int status, code;
} codes[] = { { 400, 3 }, { 401, 16 }, { 403, 7 }, { 404, 5 }, { 405, 12 }, { 413, 3 },
	{ 414, 3 }, { 415, 3 }, { 429, 8 }, { 501, 12 }, { 502, 14 }, { 503, 14 }, { 504, 4 } };

static const struct {
	int status;
	const char *reason;
} reasons[] = { { 200, "OK" }, { 202, "Accepted" }, { 304, "Not Modified" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
	{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 413, "Content Too Large" },
	{ 414, "URI Too Long" }, { 415, "Unsupported Media Type" },
	{ 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" },
	{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" } };

static int
code_of(int status)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].status == status)
			return codes[i].code;
	}
	return 13;
}

static const char *
reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Unknown";
}

/* What a client sends as an id goes into logs and headers: only plain characters. */
static bool
id_ok(struct slice s)
{
	if (s.len == 0 || s.len > REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
			return false;
	}
	return true;
}

static void
fill_id(struct call *c)
{
	struct slice given = fcgi_request_param(c->req, "HTTP_X_REQUEST_ID");
	struct router *rt = c->rt;

	if (id_ok(given)) {
		memcpy(c->id, given.ptr, given.len);
		c->id[given.len] = '\0';
		return;
	}
	/* Unique, not secret. */
	snprintf(c->id, sizeof(c->id), "%016llx%016llx", (unsigned long long)rt->id_seed[0],
	    (unsigned long long)(rt->id_seed[1] + rt->id_count++));
}

struct call *
call_new(struct router *rt, struct fcgi_request *req)
{
	struct call *c = rt->free_calls;

	if (c != NULL) {
		rt->free_calls = c->next_free;
		rt->free_call_count--;
	} else {
		c = mem_alloc(sizeof(*c));
		if (c == NULL)
			return NULL;
	}
	memset(c, 0, sizeof(*c));
	c->rt = rt;
	c->req = req;
	c->holders = 1;
	c->began_ms = clock_mono_ms();
	c->method = fcgi_request_param(req, "REQUEST_METHOD");
	c->head = slice_is(c->method, "HEAD");
	fill_id(c);
	fcgi_request_set_data(req, c);
	return c;
}

void
call_release(struct call *c)
{
	struct router *rt = c->rt;

	if (--c->holders > 0)
		return;
	backend_release(c->backend);
	buf_clear(&c->relay.head);
	buf_clear(&c->relay.waiting);
	if (rt->free_call_count >= POOL_MAX) {
		mem_free(c);
		return;
	}
	c->next_free = rt->free_calls;
	rt->free_calls = c;
	rt->free_call_count++;
}

static void
log_call(const struct call *c, enum outcome o, int64_t took_ms)
{
	bool was_empty = c->rt->log_lines.len == 0;
	char method[16];

	snprintf(method, sizeof(method), "%.*s", (int)(c->method.len < 15 ? c->method.len : 15),
	    c->method.ptr != NULL ? c->method.ptr : "");
	log_append(&c->rt->log_lines, LOG_SEV_INFO, "request",
	    (const struct log_field[]){ LOG_S("request_id", c->id), LOG_S("method", method),
		LOG_S("path", c->where),
		LOG_S("repository", c->backend != NULL ? c->backend->name : ""),
		LOG_S("backend", c->backend != NULL ? c->backend->address : ""),
		LOG_I("status", c->status), LOG_S("outcome", outcome_name(o)),
		LOG_I("bytes", c->bytes),
		LOG_I("first_byte_ms", c->first_ms > 0 ? c->first_ms - c->began_ms : took_ms),
		LOG_I("ms", took_ms), LOG_END });
	if (c->rt->log_lines.len == 0)
		return;
	if (was_empty)
		fcgi_timer_start(c->rt->log_timer, LOG_LINES_MS);
	if (c->rt->log_lines.len > LOG_LINES_MAX / 2)
		log_flush(&c->rt->log_lines);
}

void
call_ended(struct call *c, enum outcome o)
{
	int64_t took = clock_mono_ms() - c->began_ms;

	metrics_count(&c->rt->metrics, o, took);
	log_call(c, o, took);
	c->req = NULL;
}

void
call_answer(struct call *c, enum outcome o, int status, const char *type,
    const struct call_field *fields, struct slice body)
{
	struct fcgi_request *req = c->req;
	struct buf *head = &c->rt->scratch;

	buf_reset(head);
	buf_fmt(
	    head, "Status: %d %s\r\nX-Request-Id: %s\r\n", status, reason_of(status), c->id);
	if (status != 304) /* which has no body, and no length of one */
		buf_fmt(head, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, body.len);
	for (; fields != NULL && fields->name != NULL; fields++)
		buf_fmt(head, "%s: %s\r\n", fields->name, fields->value);
	buf_str(head, "\r\n");
	c->status = status;
	c->bytes = body.len;
	call_ended(c, o);
	if (buf_err(head) == 0)
		fcgi_request_reply(req, buf_view(head), c->head ? SLICE("") : body);
	else
		fcgi_request_fail(req);
}

void
call_error(struct call *c, enum outcome o, int status, const char *message,
    const struct call_field *fields)
{
	struct buf b;

	buf_init(&b, ANSWER_BYTES_MAX);
	buf_fmt(&b, "{\"code\":%d,\"message\":", code_of(status));
	json_text_quote(&b, slice_str(message));
	buf_str(&b, ",\"details\":[]}");
	call_answer(c, o, status, "application/json", fields, buf_view(&b));
	buf_clear(&b);
}
