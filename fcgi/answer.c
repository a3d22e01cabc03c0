/* answer.c - answers that every handler gives: JSON, and google.rpc.Status errors. */
#include "base/json_text.h"
#include "base/log.h"
#include "fcgi/responder.h"

/* https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
static const struct status_of {
	int err;
	int http;
	int code;
} statuses[] = {
	{ ERR_INVAL, 400, 3 },
	{ ERR_LIMIT, 400, 3 },
	{ ERR_NOENT, 404, 5 },
	{ ERR_UNSUPPORTED, 501, 12 },
	{ ERR_UNAVAILABLE, 503, 14 },
	{ ERR_FULL, 503, 14 },
	{ ERR_BUSY, 503, 14 },
	{ ERR_STALE, 503, 14 },
	{ ERR_TIMEOUT, 504, 4 },
};

/* Caches may keep answers, but ask each time whether they still hold. */
static void
reply(struct exchange *x, int http, const char *type, struct buf *body)
{
	struct request_field fields[4] = { { "Cache-Control", SLICE_INIT("no-cache") } };
	size_t n = 1;

	if (x->etag[0] != '\0')
		fields[n++] = (struct request_field){ "ETag", slice_str(x->etag) };
	if (x->varies)
		fields[n] = (struct request_field){ "Vary", SLICE("Accept") };
	request_reply(x->req, http, type, fields, body);
	atomic_fetch_add_explicit(&x->r->answers[http / 100], 1, memory_order_relaxed);
}

static void
answer_ok(struct exchange *x, struct buf *json)
{
	reply(x, 200, "application/json", json);
}

void
answer_json(struct exchange *x)
{
	const struct buf *out = x->req->out;

	/* What has a validator is a function of the log and of the question. */
	if (x->cache != NULL && x->etag[0] != '\0' && buf_err(out) == 0)
		answer_cache_put(x->cache, snap_view_stamp(x->view), x->req->path,
		    x->req->query, buf_view(out));
	answer_ok(x, x->req->out);
}

void
answer_not_modified(struct exchange *x)
{
	reply(x, 304, NULL, NULL);
}

void
answer_json_hashed(struct exchange *x)
{
	struct slice known = request_header(x->req, "If-None-Match");

	etag_of_bytes(buf_view(x->req->out), x->etag);
	if (etag_matches(known, x->etag))
		answer_not_modified(x);
	else
		answer_ok(x, x->req->out);
}

void
answer_kept(struct exchange *x, struct slice json)
{
	/* A reply only reads its body. */
	struct buf body = {
		.ptr = (char *)(uintptr_t)json.ptr, .len = json.len, .max = json.len
	};

	answer_ok(x, &body);
	atomic_fetch_add_explicit(&x->r->from_cache, 1, memory_order_relaxed);
}

void
answer_status(struct exchange *x, int http, int code, const char *message,
    const struct request_field *fields)
{
	struct buf *out = x->req->out;

	buf_reset(out); /* whatever a handler had gathered before it failed */
	buf_fmt(out, "{\"code\":%d,\"message\":", code);
	json_text_quote(out, slice_str(message));
	buf_str(out, ",\"details\":[]}");
	request_reply(x->req, http, "application/json", fields, out);
	atomic_fetch_add_explicit(&x->r->answers[http / 100], 1, memory_order_relaxed);
}

void
answer_error(struct exchange *x, int rc)
{
	const char *text = x->ei.text[0] != '\0' ? x->ei.text : err_name(rc);

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].err == rc) {
			answer_status(x, statuses[i].http, statuses[i].code, text, NULL);
			return;
		}
	}
	/* Damage and want of memory: details are for the program's log, not for clients. */
	log_error("request failed", LOG_S("kind", err_name(rc)), LOG_S("error", text), LOG_END);
	answer_status(x, 500, 13, "internal error", NULL);
}
